"""The bundled CA as a process of its own, for tests of any room.

    with TestCaProcess("--open", "--require-eab") as ca:
        identity, eab = ca.subscriber("Example", [("example.jp", "1y")])
        ...
        ca.advance(86400)

It listens on free ports of the loopback; everything it wrote is gone when the block ends.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

#: Seconds until a start counts as failed; generous, since the machine may be busy.
START_LIMIT = 60.0

Usages = Iterable[tuple[str, str] | Mapping[str, str]] | str


class ManagementRefusal(AssertionError):
    """The management side answered with an error: `status` and the decoded `body`."""

    def __init__(self, path: str, status: int, body: object) -> None:
        super().__init__(f"{path}: {status} {body}")
        self.status = status
        self.body = body


class TestCaProcess:
    """`python -m jprs_client.testca serve` on free ports, with `options` added. A context manager."""

    __test__ = False  # its name looks like a test to pytest

    def __init__(self, *options: str, http_port: int | None = None, tls_port: int | None = None) -> None:
        self._options = options
        self._ports = (http_port, tls_port)
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._tls: ssl.SSLContext | None = None
        self._ready: dict[str, Any] = {}

    # what the ready file says

    @property
    def directory(self) -> str:
        """The ACME directory's URL."""
        return str(self._ready["directory"])

    @property
    def management(self) -> str:
        """The management side's URL, without a slash at the end."""
        return str(self._ready["management"]).rstrip("/")

    @property
    def pki(self) -> str:
        """The URL below which CRL and issuers are."""
        return str(self._ready["pki"]).rstrip("/")

    @property
    def trust(self) -> Path:
        """The root of the CA's own HTTPS, as a PEM file."""
        return Path(self._ready["trust"])

    @property
    def dns(self) -> str:
        """HOST:PORT of the mock DNS."""
        return str(self._ready["dns"])

    @property
    def pid(self) -> int:
        """The process."""
        return int(self._ready["pid"])

    # its life

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until everything answers."""
        self._folder = Path(tempfile.mkdtemp(prefix="testca-"))
        ready_file = self._folder / "ready.json"
        command = [sys.executable, "-m", "jprs_client.testca", "serve"]
        for option in ("--listen", "--management", "--pki"):
            command += [option, "127.0.0.1:0"]
        if "--resolver" not in self._options:
            command += ["--mock-dns", "127.0.0.1:0"]
        for option, port in zip(("--http-port", "--tls-port"), self._ports, strict=True):
            if port is not None:
                command += [option, str(port)]
        command += ["--ready-file", str(ready_file), *self._options]
        with (self._folder / "stderr").open("wb") as stderr:
            environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])}
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, env=environment)
        deadline = time.monotonic() + START_LIMIT
        while not ready_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self.stderr()
                self.stop()
                raise AssertionError(f"the test CA did not start:\n{said}")
            time.sleep(0.01)
        self._ready = json.loads(ready_file.read_text())
        self._tls = ssl.create_default_context(cafile=str(self.trust))

    def stop(self) -> int | None:
        """Ask it to end (SIGTERM) and wait for that; its exit status."""
        status = None
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGTERM)
                try:
                    self._process.wait(20)
                except subprocess.TimeoutExpired:
                    self._process.kill()
            status = self._process.wait()
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None
        return status

    def stderr(self) -> str:
        """What it has said so far."""
        assert self._folder is not None
        return (self._folder / "stderr").read_text(errors="replace")

    # the management side

    def request(self, method: str, path: str, document: object = None) -> Any:
        """Ask the management side: the decoded answer, or text where it is not JSON.

        Raises ManagementRefusal on an error status.
        """
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.management + path, data=body, method=method)
        request.add_header("Content-Type", "application/json")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._tls)
        )
        try:
            with opener.open(request, timeout=30) as response:
                return _decoded(response.read(), response.headers.get_content_type())
        except urllib.error.HTTPError as error:
            with error:
                refusal = ManagementRefusal(path, error.code, _decoded(error.read(), error.headers.get_content_type()))
            raise refusal from None

    def get(self, path: str) -> Any:
        """GET on the management side."""
        return self.request("GET", path)

    def post(self, path: str, document: object = None) -> Any:
        """POST on the management side."""
        return self.request("POST", path, {} if document is None else document)

    def delete(self, path: str) -> Any:
        """DELETE on the management side."""
        return self.request("DELETE", path)

    def subscriber(self, name: str = "Example", usages: Usages = "any") -> tuple[str, dict[str, str]]:
        """A new subscriber with usage FQDNs `(name, term)`: its id, and `{"key_id", "hmac_key"}`."""
        wanted: object = usages
        if not isinstance(usages, str):
            wanted = [{"name": u[0], "term": u[1]} if isinstance(u, tuple) else dict(u) for u in usages]
        made = self.post("/jprs/subscribers", {"name": name, "usage_fqdns": wanted})
        return made["id"], made["eab"]

    def clock(self) -> datetime:
        """The CA's now."""
        return datetime.fromisoformat(self.get("/clock")["now"])

    def clock_set(self, moment: datetime | str) -> datetime:
        """Move the CA's clock to `moment`; what is due by then happens. The CA's now."""
        text = moment if isinstance(moment, str) else moment.isoformat()
        return datetime.fromisoformat(self.post("/clock", {"now": text})["now"])

    def advance(self, seconds: float) -> datetime:
        """Move the CA's clock on; what is due by then happens. The CA's now."""
        return datetime.fromisoformat(self.post("/clock", {"advance": seconds})["now"])

    def log(self) -> list[dict[str, Any]]:
        """Every request to the ACME side so far, oldest first."""
        return cast(list[dict[str, Any]], self.get("/log"))

    def fault(self, action: object, *, endpoint: str | None = None, name: str | None = None, **rest: int) -> Any:
        """Make something go wrong next: see `jprs_client/testca/faults.py`. `rest`: skip, count."""
        match = {key: value for key, value in (("endpoint", endpoint), ("name", name)) if value is not None}
        return self.post("/faults", {"match": match, "action": action, **rest})


def _decoded(body: bytes, content_type: str) -> Any:
    return json.loads(body) if content_type.endswith("json") and body else body.decode(errors="replace")
