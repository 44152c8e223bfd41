"""The CA as a process beside the tests, on free ports of the loopback."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jprs_client.testca.handle import Handle, command_line

__all__ = ["CaProcess"]

#: Seconds that a start may take, and an end.
START_LIMIT, END_LIMIT = 60.0, 10.0


class CaProcess(Handle):
    """A CA that listens; a context manager. `options` are the program's: `CaProcess(open=True, http_port=8080)`.

    Ports that are not given are free ones. What it wrote is gone when the block ends.
    """

    def __init__(self, **options: object) -> None:
        listening = dict.fromkeys(("listen", "management", "pki"), "127.0.0.1:0")
        if options.get("resolver") is None:
            listening["mock_dns"] = "127.0.0.1:0"
        self._options = listening | options
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._opener: urllib.request.OpenerDirector | None = None
        #: The root of the CA's own HTTPS: a PEM file.
        self.trust: Path
        #: HOST:PORT of the mock DNS; None where a resolver is asked.
        self.dns: str | None
        self.pid: int

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and return once it answers. Raises RuntimeError, which tells what the program said."""
        self._folder = Path(tempfile.mkdtemp(prefix="jprs-testca-process-"))
        ready_file = self._folder / "ready.json"
        command = [
            sys.executable,
            "-P",
            "-m",
            "jprs_client.testca",
            "serve",
            "--quiet",
            "--ready-file",
            str(ready_file),
        ]
        package = str(Path(__file__).parents[2])
        around = os.environ | {"PYTHONPATH": os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])}
        with (self._folder / "stderr").open("wb") as stderr:
            self._process = subprocess.Popen(
                [*command, *command_line(self._options)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=around,
            )
        until = time.monotonic() + START_LIMIT
        while not ready_file.exists():
            if self._ended(0.02) or time.monotonic() > until:
                said = self.stderr()
                self.stop()
                raise RuntimeError(f"the test CA did not start: {said or 'it said nothing'}")
        self._read(json.loads(ready_file.read_text()))

    def _read(self, ready: dict[str, Any]) -> None:
        self.directory = ready["directory"]
        self.management = ready["management"]
        self.pki = ready["pki"]
        self.trust = Path(ready["trust"])
        self.dns = ready.get("dns")
        self.pid = ready["pid"]
        tls = ssl.create_default_context(cafile=str(self.trust))
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls)
        )

    def _ended(self, patience: float) -> bool:
        """Whether it has ended, or does within `patience` seconds."""
        if self._process is None:
            return True
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> int | None:
        """End it; its exit status. None: it did not run."""
        status = None
        if self._process is not None:
            self._process.terminate()
            if not self._ended(END_LIMIT):
                self._process.kill()
            status = self._process.wait()
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None
        return status

    def stderr(self) -> str:
        """What it has said on standard error: nothing, where all is well."""
        return "" if self._folder is None else (self._folder / "stderr").read_text(errors="replace")

    def answer(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str, bytes]:
        """One request to the management side: status, content type and body."""
        if self._opener is None:
            raise RuntimeError("the test CA has not been started")
        request = urllib.request.Request(self.management + path, data=body, method=method)  # noqa: S310 - our own https
        request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=60) as answer:
                return answer.status, answer.headers.get("Content-Type", ""), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers.get("Content-Type", ""), error.read()
