"""The CA's doors on sockets, in a thread beside the test; and raw octets to and from them."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jprs_client.testca.ca import Authority, Settings
from jprs_client.testca.front import AcmeFront
from jprs_client.testca.management import ManagementFront
from jprs_client.testca.pki import PkiFront
from jprs_client.testca.server import bound
from jprs_client.testca.signer import https_certificate
from jprs_client.testca.wire import Listener, Patience

DOORS = ("acme", "management", "pki", "acme-tls")


@dataclass(frozen=True)
class Answered:
    """One answer, as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self, door: str) -> dict[str, Any]:
        """The refusal's document; fails where this is none as `door` has to give it."""
        document = json.loads(self.body)
        if door.startswith("acme"):
            assert self.headers["content-type"] == "application/problem+json", self
            assert document["type"].startswith("urn:ietf:params:acme:error:"), self
            assert document["status"] == self.status, self
            assert document["detail"], self
            assert self.headers["replay-nonce"], self
        else:
            assert self.headers["content-type"].startswith("application/json"), self
            assert document["error"], self
        return dict(document)

    def check(self, door: str) -> None:
        """An answer is a success, or a refusal with a document."""
        if self.status >= 300 and self.body:
            self.document(door)


def answers(octets: bytes) -> list[Answered]:
    """Every answer in what came; fails where it is not HTTP to its end."""
    found = []
    while octets:
        head, separator, rest = octets.partition(b"\r\n\r\n")
        assert separator, octets
        line, *lines = head.decode("latin-1").split("\r\n")
        version, status, _ = line.split(" ", 2)
        assert version == "HTTP/1.1", line
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        if status == "100":
            octets = rest
            continue
        length = int(headers.get("content-length", "0"))
        if rest.startswith(b"HTTP/1.1 ") or not rest:  # it was HEAD that asked
            length = 0
        assert len(rest) >= length, octets
        found.append(Answered(int(status), headers, rest[:length]))
        octets = rest[length:]
    return found


class Listening:
    """A CA behind four doors; a context manager. `failures`: what its logs say that no CA should have to say."""

    def __init__(self, folder: Path, patience: Patience, **settings: Any) -> None:
        self.authority = Authority(Settings(**{"always_valid": True, "open": True, **settings}))
        made = https_certificate()
        cert, key, self.trust = folder / "cert.pem", folder / "key.pem", folder / "trust.pem"
        cert.write_bytes(made.chain_pem)
        key.write_bytes(made.key_pem)
        self.trust.write_bytes(made.trust_pem)
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_side.load_cert_chain(cert, key)
        self._client_side = ssl.create_default_context(cafile=str(self.trust))
        apps = {"acme": AcmeFront(self.authority).app, "management": ManagementFront(self.authority).app}
        self._listeners = {
            "acme": Listener(apps["acme"], None, patience),
            "management": Listener(apps["management"], None, patience),
            "pki": Listener(PkiFront(self.authority).app, None, patience),
            "acme-tls": Listener(apps["acme"], server_side, patience),
        }
        self.ports: dict[str, int] = {}
        self.failures: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._handler = Overheard(self.failures)

    def __enter__(self) -> Self:
        for name in ("jprs_client.testca", "asyncio"):
            logging.getLogger(name).addHandler(self._handler)
        self._thread.start()
        for door, listener in self._listeners.items():
            place = bound(("127.0.0.1", 0))
            self.ports[door] = place.getsockname()[1]
            self._do(listener.start(place))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener in self._listeners.values():
            self._do(listener.stop(1))
        self._do(self.authority.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for name in ("jprs_client.testca", "asyncio"):
            logging.getLogger(name).removeHandler(self._handler)

    def _do(self, work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(30)

    def connect(self, door: str) -> socket.socket:
        """A connection, with TLS where the door has it."""
        raw = socket.create_connection(("127.0.0.1", self.ports[door]), timeout=20)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._client_side.wrap_socket(raw, server_hostname="localhost") if door.endswith("-tls") else raw

    def raw(self, door: str, octets: bytes, half_close: bool = True) -> bytes:
        """Everything that comes back until the other side hangs up; a reset counts as that."""
        with self.connect(door) as connection:
            got = b""
            try:
                connection.sendall(octets)
                if half_close and not door.endswith("-tls"):
                    connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    got += piece
            except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return got
            return got


class Overheard(logging.Handler):
    """Warnings and worse, as text with their tracebacks."""

    def __init__(self, failures: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._failures = failures

    def emit(self, record: logging.LogRecord) -> None:
        self._failures.append(logging.Formatter().format(record))
