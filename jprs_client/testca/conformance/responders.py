"""What answers challenges: a web server for http-01, a TLS server for tls-alpn-01, and the mock DNS of others."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from jprs_client.testca.conformance.registry import skip
from jprs_client.testca.conformance.wire import Wire

ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
ACME_TLS = "acme-tls/1"
_FIRST, _LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered at a path."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that came."""

    method: str
    path: str
    host: str


class WebResponder:
    """A web server on one port; `pages` are what it has, `visits` who came. A context manager."""

    def __init__(self, bind: str, port: int) -> None:
        self.pages: dict[str, Page] = {}
        self.visits: list[Visit] = []
        self.bound_everywhere = bind in {"", "0.0.0.0", "::"}
        responder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout: ClassVar[float] = 10

            def do_GET(self) -> None:
                responder.visits.append(Visit(self.command, self.path, self.headers.get("Host", "")))
                page = responder.pages.get(self.path, Page(b"nothing here", 404))
                self.send_response(page.status)
                for name, value in page.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(page.body)))
                self.end_headers()
                with contextlib.suppress(OSError):  # whoever has seen enough of a long page goes
                    self.wfile.write(page.body)

            do_HEAD = do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Keep quiet."""

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A connection that breaks is the other side's affair."""

        self._server = Quiet((bind, port), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class TlsResponder:
    """A TLS server on one port that shows each name its own certificate. A context manager."""

    def __init__(self, bind: str, port: int, folder: Path) -> None:
        self._folder = folder
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.visits: list[str] = []
        self._front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._front.sni_callback = self._choose
        self._listener = socket.create_server((bind, port))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def show(
        self,
        name: str,
        digest: bytes | None,
        *,
        names: tuple[str, ...] | None = None,
        critical: bool = True,
        agree: bool = True,
    ) -> None:
        """From here on show for `name` a certificate for `names` with `digest` in acmeIdentifier (None: without).

        `agree`: to the protocol acme-tls/1.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pem = self._folder / f"{len(self._contexts)}.pem"
        pem.write_bytes(_self_signed(names or (name,), digest, critical))
        context.load_cert_chain(pem)
        if agree:
            context.set_alpn_protocols([ACME_TLS])
        self._contexts[name] = context

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        self.visits.append(name or "")
        if name not in self._contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self._contexts[name]
        return None

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._shake, args=(connection,), daemon=True).start()

    def _shake(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # a handshake that breaks is the other side's affair
            connection.settimeout(10)
            with self._front.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)


def _self_signed(names: tuple[str, ...], digest: bytes | None, critical: bool) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FIRST)
        .not_valid_after(_LAST)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=True)
    )
    if digest is not None:
        value = b"\x04" + bytes([len(digest)]) + digest
        builder = builder.add_extension(x509.UnrecognizedExtension(ACME_IDENTIFIER, value), critical=critical)
    certificate = builder.sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class MockDns:
    """A DNS that is steered by the paths of pebble-challtestsrv."""

    def __init__(self, wire: Wire, url: str) -> None:
        self._wire = wire
        self._url = url.rstrip("/")

    def _post(self, path: str, document: Mapping[str, Any]) -> None:
        headers = {"Content-Type": "application/json"}
        answer = self._wire.request("POST", self._url + path, json.dumps(document).encode(), headers)
        if answer.status != 200:
            skip(f"the mock DNS does not know {path}")

    def add_txt(self, host: str, value: str) -> None:
        """One more TXT record."""
        self._post("/set-txt", {"host": f"{host}.", "value": value})

    def add_caa(self, host: str, tag: str, value: str, *, critical: bool = False) -> None:
        """One more CAA record; not everyone who is steered so knows `critical`."""
        policy: dict[str, Any] = {"tag": tag, "value": value}
        if critical:
            policy["critical"] = True
        self._post("/add-caa", {"host": f"{host}.", "policies": [policy]})

    def add_all(self, host: str, *properties: tuple[str, str]) -> None:
        """More CAA records, each of a tag and a value."""
        for tag, value in properties:
            self.add_caa(host, tag, value)

    def set_cname(self, host: str, target: str) -> None:
        """An alias."""
        self._post("/set-cname", {"host": f"{host}.", "target": f"{target}."})

    def set_servfail(self, host: str) -> None:
        """Nobody gets an answer about `host`."""
        self._post("/set-servfail", {"host": f"{host}."})

    def set_address(self, host: str, address: str) -> None:
        """Where `host` is."""
        self._post("/add-a", {"host": f"{host}.", "addresses": [address]})
