"""The client as a user meets it: a folder with a configuration, and commands run as processes of their own.

    client = Client(folder, ca.directory, ca.trust, resolvers=[ca.dns], http_port=5002)
    client.usage_fqdn("example.jp", "1y", start_usage=True)
    client.eab(key_id, hmac_key)
    assert client.run("register", "--agree-terms", "--consent-ct").code == 0
    plan = client.json("plan")

`at` moves its clock by libfaketime, the only way from outside.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


def _as_from_a_terminal() -> None:
    """Ctrl-C reaches the program, also where the tests run in a shell's background, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


class Client:
    """One host's installation of the client, below `home`."""

    def __init__(
        self,
        home: Path,
        directory: str,
        trust: Path | None = None,
        *,
        resolvers: list[str] | None = None,
        listen: str | None = None,
    ) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.config = home / "config.toml"
        self.state = home / "state"
        self.at: datetime | None = None
        self._parts: list[str] = []
        self.add(f'[ca]\ndirectory = "{directory}"' + (f'\ntrust = "{trust}"' if trust else ""))
        if resolvers is not None:
            self.add(f"[dns]\nresolvers = {json.dumps(resolvers)}")
        self.add('[account]\ncontact = ["admin@example.jp"]\neab_credentials = "eab.toml"')
        if listen is not None:
            self.add(f'[solver.web]\nplugin = "standalone"\nlisten = "{listen}"')

    def add(self, toml: str) -> None:
        """Write more into the configuration."""
        self._parts.append(toml)
        self.config.write_text("\n\n".join(self._parts) + "\n")

    def replace(self, old: str, new: str) -> None:
        """Edit the configuration, as a person would."""
        assert any(old in part for part in self._parts), old
        self._parts = [part.replace(old, new) for part in self._parts]
        self.config.write_text("\n\n".join(self._parts) + "\n")

    def usage_fqdn(self, name: str, term: str = "1y", **more: Any) -> None:
        """A usage FQDN; `start_usage=True` confirms that its period may start."""
        lines = [f'[[usage_fqdn]]\nname = "{name}"\nterm = "{term}"']
        for key, value in more.items():
            text = value.isoformat() if hasattr(value, "isoformat") else json.dumps(value)
            lines.append(f"{key} = {text}")
        self.add("\n".join(lines))

    def eab(self, key_id: str, hmac_key: str, mode: int = 0o600) -> Path:
        """The operator's credentials."""
        path = self.home / "eab.toml"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(f'key_id = "{key_id}"\nhmac_key = "{hmac_key}"\n')
        path.chmod(mode)
        return path

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        start = [sys.executable, "-m", "jprs_client.cli", "--config", str(self.config), "--state-dir", str(self.state)]
        return [*start, *arguments]

    def environment(self) -> dict[str, str]:
        """A plain environment, with the clock moved if asked for."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("JPRS_CLIENT_", "LC_", "LANG"))
        }
        kept["LC_ALL"] = "C.UTF-8"
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of starts: compiled once is half the time
        if self.at is not None:
            offset = (self.at - datetime.now(UTC)).total_seconds()
            kept |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"{offset:+.0f}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return kept

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command that runs while the test goes on."""
        return subprocess.Popen(
            self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=self.environment(), cwd=self.home, preexec_fn=_as_from_a_terminal,  # noqa: PLW1509 - no threads here
        )  # fmt: skip

    def run(self, *arguments: str) -> Ended:
        """A command, to its end; never with a traceback."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=110)
        assert "Traceback" not in err, err
        return Ended(process.returncode, out, err)

    def json(self, *arguments: str) -> dict[str, Any]:
        """A command with `--json` that ends well: its document."""
        ended = self.run("--json", *arguments)
        assert ended.code == 0, (ended.code, ended.err)
        return ended.document

    def register(self) -> None:
        """Make the account."""
        ended = self.run("register", "--agree-terms", "--consent-ct")
        assert ended.code == 0, ended.err

    def certificate(self, name: str) -> dict[str, Any]:
        """What `status` says of one certificate."""
        found = [each for each in self.json("status")["certificates"] if each["name"] == name]
        assert len(found) == 1, found
        certificate: dict[str, Any] = found[0]
        return certificate
