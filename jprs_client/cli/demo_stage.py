"""The props of the demo: the bundled CA, a private nginx or a small TLS server of our own, a folder for all of it.

Everything listens on free ports of the loopback, lies in one temporary folder, and is gone when the block ends.
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jprs_client.errors import CaUnavailable, InstallFailed, harmless
from jprs_client.files import write_file

LOOPBACK = "127.0.0.1"
START_LIMIT = 30.0

#: Puts TXT records into the bundled CA's mock DNS, as a provider's own program would; called as a dns-01 hook.
DNS_HOOK = """\
import json, os, ssl, sys, urllib.request

MANAGEMENT, TRUST = {management!r}, {trust!r}
path = "/set-txt" if sys.argv[1] == "present" else "/clear-txt"
record = {{"host": os.environ["JPRS_CLIENT_RECORD_NAME"] + ".", "value": os.environ["JPRS_CLIENT_RECORD_VALUE"]}}
request = urllib.request.Request(MANAGEMENT + path, json.dumps(record).encode())
urllib.request.urlopen(request, context=ssl.create_default_context(cafile=TRUST), timeout=10).close()
"""


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True, slots=True)
class DemoCa:
    """The bundled CA, running: its addresses, and its management side."""

    directory: str
    management: str
    dns: str
    trust: Path
    http_port: int

    def call(self, path: str, document: object = None) -> object:
        """Ask the management side; JSON in, JSON out."""
        return json.loads(self._answer(path, document) or b"null")

    def pem(self, path: str) -> str:
        """A certificate, as PEM."""
        return self._answer(path, None).decode("ascii")

    def _answer(self, path: str, document: object) -> bytes:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.management.rstrip("/") + path, body)  # noqa: S310 - our own https address
        context = ssl.create_default_context(cafile=str(self.trust))
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:  # noqa: S310
            return bytes(answer.read())

    def set_clock(self, now: datetime) -> None:
        """Move the CA's clock; what is due by then happens."""
        self.call("/clock", {"now": now.isoformat()})


@contextmanager
def bundled_ca(folder: Path, now: datetime) -> Iterator[DemoCa]:
    """The bundled CA as a process of its own, its clock at `now`."""
    ready, http_port = folder / "ca-ready.json", free_port()
    listening = [f"{option}={LOOPBACK}:0" for option in ("--listen", "--management", "--pki", "--mock-dns")]
    process = subprocess.Popen(
        [
            sys.executable, "-P", "-m", "jprs_client.testca", "serve", *listening, "--http-port", str(http_port),
            "--now", now.isoformat(), "--ready-file", str(ready),
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        until = time.monotonic() + START_LIMIT
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise CaUnavailable("demo-ca-not-started", output=harmless(process.communicate()[1].decode()) or None)
            _pause()
        told = json.loads(ready.read_text())
        yield DemoCa(told["directory"], told["management"], told["dns"], Path(told["trust"]), http_port)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.communicate()


def nginx_binary() -> str | None:
    """Debian keeps it where only root's PATH leads."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True, slots=True)
class Web:
    """A web server: where it listens, and what the configuration has to say so that certificates reach it."""

    port: int
    kind: str
    installer: str


#: The server blocks of the demo: file, and the names it answers to.
SITES: Mapping[str, str] = {"example.jp": "example.jp www.example.jp", "shop.example.jp": "*.shop.example.jp"}


@contextmanager
def private_nginx(binary: str, folder: Path) -> Iterator[Web]:
    """A real nginx with two server blocks, serving placeholder certificates until it gets real ones."""
    root, port = folder / "nginx", free_port()
    (root / "temp").mkdir(parents=True)
    blocks = []
    for site, names in SITES.items():
        certificate, key = root / f"{site}.pem", root / f"{site}.key"
        write_file(certificate, (pair := _placeholder(site))[0], 0o644)
        write_file(key, pair[1])
        blocks.append(
            f"server {{ listen {LOOPBACK}:{port} ssl; server_name {names};\n"
            f"  ssl_certificate {certificate}; ssl_certificate_key {key};\n"
            f'  return 200 "hello from {site}\\n"; }}'
        )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {root}/temp/{kind};" for kind in kinds)
    config = root / "nginx.conf"
    config.write_text(
        f"worker_processes 1; pid {root}/nginx.pid; error_log {root}/error.log;\nevents {{ worker_connections 64; }}\n"
        f"http {{\naccess_log off;\n{temporary}\n" + "\n".join(blocks) + "\n}\n"
    )
    command = [binary, "-e", str(root / "error.log"), "-p", str(root), "-c", str(config)]
    server = subprocess.Popen(
        [*command, "-g", "daemon off;"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until_listening(port, server)
        reload_ = json.dumps([*command, "-s", "reload"])
        yield Web(
            port, "nginx",
            f'[installer.nginx]\nplugin = "nginx"\nconfig = "{config}"\nprefix = "{root}"\n'
            f'binary = "{binary}"\nreload = {reload_}\n',
        )  # fmt: skip
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def own_server(live: Path) -> Iterator[Web]:
    """Where there is no nginx: a TLS server of our own that reads `live/` at each connection."""
    listener = socket.create_server((LOOPBACK, 0))
    folders = {"example.jp": "example.jp", "www.example.jp": "example.jp"}

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
        folder = live / folders.get(name or "", "_.shop.example.jp")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
        connection.context = context

    outer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    outer.sni_callback = choose

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), plain, outer.wrap_socket(plain, server_side=True) as connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Web(int(listener.getsockname()[1]), "python", "")
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def _placeholder(name: str) -> tuple[bytes, bytes]:
    """A self-signed certificate, as a server has before it has a real one: certificate and key, PEM."""
    from datetime import UTC, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    from jprs_client import keys

    pem = keys.generate(keys.KeyType.ECDSA_P256)
    key = keys.load(pem)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"placeholder for {name}")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), pem


def _until_listening(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_LIMIT
    while True:
        with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
            return
        if server.poll() is not None or time.monotonic() > until:
            raise InstallFailed("demo-nginx-not-started", port=port)
        _pause()


def _pause() -> None:
    from jprs_client.clock import SystemClock

    SystemClock().sleep(0.02)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that the demo plays on."""

    folder: Path
    ca: DemoCa
    web: Web


@contextmanager
def stage(now: datetime, *, use_nginx: bool = True) -> Iterator[Stage]:
    """Folder, CA and web server; gone afterwards, whatever happened."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jprs-client-demo-")))
        ca = stack.enter_context(bundled_ca(folder, now))
        binary = nginx_binary() if use_nginx else None
        if binary is not None:
            web = stack.enter_context(private_nginx(binary, folder))
        else:
            web = stack.enter_context(own_server(folder / "state" / "live"))
        yield Stage(folder, ca, web)


def served(web: Web, name: str, root_pem: str) -> dict[str, object]:
    """Fetch the site as a browser would: the chain verified to the CA's root, the name checked, the clock today's."""
    context = ssl.create_default_context(cadata=root_pem)
    with (
        socket.create_connection((LOOPBACK, web.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode("ascii"))
        status = connection.recv(64).split(b"\r\n")[0].decode("ascii", errors="replace")
        certificate = connection.getpeercert() or {}
    return {"name": name, "answer": status, "serial": str(certificate.get("serialNumber", "")).lower().lstrip("0")}
