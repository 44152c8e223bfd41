"""Hosts for scenarios: a client that an operator has just handed its credentials, and what tests ask about it."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509

from tests.ca_process import TestCaProcess
from tests.client import Client
from tests.nginx_server import free_port


@dataclass(frozen=True)
class World:
    """A bundled CA, and the port at which it looks for http-01."""

    ca: TestCaProcess
    http_port: int

    @property
    def listen(self) -> str:
        """Where a client's own listener has to be."""
        return f"127.0.0.1:{self.http_port}"

    def client(
        self, folder: Path, *usages: tuple[str, str], start_usage: bool = True, solver: bool = True
    ) -> tuple[Client, str]:
        """A client whose operator has applied for `usages`, not yet registered; and the subscriber's id."""
        identity, eab = self.ca.subscriber("Example", usages)
        client = self.without_credentials(folder, *usages, start_usage=start_usage, solver=solver)
        client.eab(eab["key_id"], eab["hmac_key"])
        return client, identity

    def without_credentials(
        self, folder: Path, *usages: tuple[str, str], start_usage: bool = True, solver: bool = True
    ) -> Client:
        """A client configured for `usages`."""
        client = Client(
            folder, self.ca.directory, self.ca.trust, resolvers=[self.ca.dns], listen=self.listen if solver else None
        )
        for name, term in usages:
            client.usage_fqdn(name, term, **({"start_usage": True} if start_usage else {}))
        return client

    def asked(self, endpoint: str, name: str | None = None) -> list[dict[str, Any]]:
        """What the CA was asked at `endpoint` (about `name`) since the test began."""
        return [
            each
            for each in self.ca.log()
            if each["endpoint"] == endpoint and (name is None or name in each["names"])
        ]  # fmt: skip

    def quiet(self) -> None:
        """No faults, an empty log."""
        self.ca.delete("/faults")
        self.ca.delete("/log")


def new_port() -> int:
    """A port that is free now."""
    return free_port()


def served_certificate(client: Client, lineage: str) -> x509.Certificate:
    """What lies under `live/`; a wildcard's folder begins with an underscore."""
    folder = client.state / "live" / lineage.replace("*", "_")
    return x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())


def serial_of(certificate: x509.Certificate) -> str:
    """As INTERFACE has it: lower-case hex without leading zeros."""
    return f"{certificate.serial_number:x}"


def names_of(certificate: x509.Certificate) -> list[str]:
    """The names, sorted."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(found.get_values_for_type(x509.DNSName))


def too_open(folder: Path) -> list[str]:
    """Files and folders of the state that others may look into."""
    return [
        f"{path} {stat.S_IMODE(path.lstat().st_mode):o}"
        for path in [folder, *folder.rglob("*")]
        if not path.is_symlink() and stat.S_IMODE(path.lstat().st_mode) & 0o077
    ]


def private_keys(state: Path) -> list[Path]:
    """Every private key below the state directory."""
    return [path for path in sorted(state.rglob("*")) if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]


def script(path: Path, body: str) -> Path:
    """A program of the subscriber's own, in Python."""
    path.write_text(f"#!{sys.executable} -IS\n{body}\n")
    path.chmod(0o755)
    return path


def hook_for_txt(path: Path, steering: str, *, trust: Path | None = None, before: str = "") -> Path:
    """A dns-01 hook that steers a mock DNS at `steering`, as challtestsrv understands it. `before` runs first."""
    context = f"ssl.create_default_context(cafile={str(trust)!r})" if trust else "None"
    return script(
        path,
        f"""
import json, os, ssl, sys, urllib.request
verb = sys.argv[-1]
{before}
host = os.environ["JPRS_CLIENT_RECORD_NAME"].rstrip(".") + "."
where, what = ("/set-txt", {{"host": host, "value": os.environ["CERTBOT_VALIDATION"]}})
if verb == "clean-up":
    where, what = ("/clear-txt", {{"host": host}})
request = urllib.request.Request({steering!r} + where, json.dumps(what).encode(), method="POST")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}), urllib.request.HTTPSHandler(context={context}))
opener.open(request, timeout=20).read()
""",
    )


def add_hook_solver(client: Client, name: str, command: Sequence[str | os.PathLike[str]], challenge: str) -> None:
    """A solver that calls a program."""
    words = json.dumps([os.fspath(word) for word in command])
    client.add(f'[solver.{name}]\nplugin = "hook"\nchallenge = "{challenge}"\ncommand = {words}')


def leftovers(client: Client) -> list[Path]:
    """Private keys that belong to no version and are not the account's: keys of work that is not done."""
    versions = client.state / "archive"
    return [key for key in private_keys(client.state) if "account" not in str(key) and versions not in key.parents]
