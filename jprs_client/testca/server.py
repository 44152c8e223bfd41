"""The CA on real sockets: three HTTP servers and the mock DNS in one loop, and the file that says where they are."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import json
import logging
import os
import shutil
import signal
import socket
import ssl
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jprs_client.testca.ca import Authority, Settings
from jprs_client.testca.dns import DnsServer
from jprs_client.testca.front import AcmeFront
from jprs_client.testca.handshake import Handshakes
from jprs_client.testca.management import ManagementFront, subscribe
from jprs_client.testca.pki import PkiFront
from jprs_client.testca.signer import CertificateAuthority, https_certificate
from jprs_client.testca.wire import Listener
from jprs_client.testca.words import Said

logger = logging.getLogger("jprs_client.testca")

#: Seconds that running requests have when it ends.
FAREWELL = 2


class ServeError(Said):
    """It cannot serve so; the sentence says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Where everything is, once it answers. `trust`: a PEM file; `dns` None where a resolver is asked."""

    directory: str
    management: str
    pki: str
    trust: str
    pid: int
    dns: str | None = None

    def document(self) -> dict[str, object]:
        """As the ready file has it."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Doors:
    """Where to listen: host and port, port 0 for any. `mock_dns` None where a resolver is given."""

    listen: tuple[str, int] = ("127.0.0.1", 14000)
    management: tuple[str, int] = ("127.0.0.1", 15000)
    pki: tuple[str, int] = ("127.0.0.1", 4002)
    mock_dns: tuple[str, int] | None = ("127.0.0.1", 8053)
    tls_cert: Path | None = None
    tls_key: Path | None = None
    ready_file: Path | None = None
    any_address: bool = False
    subscribers: Sequence[Mapping[str, Any]] = field(default=())


def bound(
    where: tuple[str, int], option: str = "--listen", kind: socket.SocketKind = socket.SOCK_STREAM
) -> socket.socket:
    """A socket at `where`, which `option` names. Raises ServeError."""
    host, port = where
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: asyncio turns Nagle's delay off only where it is known to be TCP.
    listener = socket.socket(family, kind, socket.IPPROTO_TCP if kind is socket.SOCK_STREAM else 0)
    try:
        if kind is socket.SOCK_STREAM:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        if kind is socket.SOCK_STREAM:
            listener.listen(1024)  # here, since two may bind where nobody listens yet
    except OSError as error:
        listener.close()
        key = _REFUSED.get(error.errno or 0, "port-closed")
        raise ServeError(key, host=host, port=port, option=option, why=error.strerror or str(error)) from error
    listener.setblocking(False)
    return listener


_REFUSED = {
    errno.EADDRINUSE: "port-in-use",
    errno.EACCES: "port-forbidden",
    errno.EADDRNOTAVAIL: "port-elsewhere",
}


def bound_pair(where: tuple[str, int]) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket at the same port. Raises ServeError."""
    for _ in range(20 if where[1] == 0 else 1):
        udp = bound(where, "--mock-dns", socket.SOCK_DGRAM)
        try:
            return udp, bound((where[0], udp.getsockname()[1]), "--mock-dns")
        except ServeError as error:
            udp.close()
            refused = error
    raise refused


def authority_of(listener: socket.socket) -> str:
    """HOST:PORT of a socket, as it stands in a URL."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_loopback(doors: Doors) -> None:
    """THREATS D38: keys that anybody has sign whatever anybody asks; only this machine gets to ask."""
    places = {"--listen": doors.listen, "--management": doors.management, "--pki": doors.pki}
    if doors.mock_dns is not None:
        places["--mock-dns"] = doors.mock_dns
    for option, (host, _) in places.items():
        try:
            loopback = ipaddress.ip_address(host).is_loopback
        except ValueError as error:
            raise ServeError("not-an-ip", host=host, option=option) from error
        if not loopback and not doors.any_address:
            raise ServeError("not-loopback", host=host, option=option)


async def serve(
    settings: Settings,
    doors: Doors,
    stop: asyncio.Event | None = None,
    ready: Callable[[Ready], None] = lambda _: None,
) -> None:
    """Serve until SIGTERM, SIGINT or `stop`; `ready` is told once it answers. Raises ServeError where it cannot begin.

    What `doors.subscribers` cannot have is raised as RequestError or ContractError.
    """
    _check_loopback(doors)
    authority = Authority(settings)
    for document in doors.subscribers:
        subscribe(authority, document)
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="jprs-testca-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        places = {"--listen": doors.listen, "--management": doors.management, "--pki": doors.pki}
        sockets = [stack.enter_context(bound(where, option)) for option, where in places.items()]
        directory, management, pki = (authority_of(listener) for listener in sockets)
        authority.pki.base = f"http://{pki}"
        cert, key, trust, root = _https_files(doors, folder)
        acme_tls = _context(cert, key)
        acme_tls.sni_callback = Handshakes(authority.faults, root).choose
        listeners = [
            Listener(AcmeFront(authority, f"https://{directory}").app, acme_tls),
            Listener(ManagementFront(authority).app, _context(cert, key)),
            Listener(PkiFront(authority).app),
        ]
        dns = DnsServer(authority.zone)
        dns_at = None
        if settings.resolver is None and doors.mock_dns is not None:
            udp, tcp = bound_pair(doors.mock_dns)
            dns_at = authority_of(udp)
            await dns.start(udp, tcp)
            stack.callback(dns.stop)
        where = Ready(
            f"https://{directory}/dir",
            f"https://{management}",
            f"http://{pki}",
            str(trust.absolute()),
            os.getpid(),
            dns_at,
        )

        def announce() -> None:
            logger.info("ready: %s", json.dumps(where.document()))
            _write_ready_file(where, doors.ready_file, stack)
            ready(where)

        await _run(listeners, sockets, stop, announce)
        await authority.stop()


def _context(cert: Path, key: Path) -> ssl.SSLContext:
    """TLS as the HTTPS doors speak it. Raises ServeError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ValueError) as error:
        raise ServeError("tls-files", cert=str(cert), key=str(key), why=str(error)) from error
    return context


def _https_files(doors: Doors, folder: Path) -> tuple[Path, Path, Path, CertificateAuthority | None]:
    """Certificate, key and trust of the HTTPS doors, as files; and the root itself, where it is ours."""
    if doors.tls_cert is not None and doors.tls_key is not None:
        return doors.tls_cert, doors.tls_key, doors.tls_cert, None
    hosts = {host for host, _ in (doors.listen, doors.management)} | {"127.0.0.1", "::1"}
    made = https_certificate(("localhost", socket.gethostname()), sorted(hosts))
    cert, key, trust = folder / "https.pem", folder / "https.key", folder / "root.pem"
    key.touch(mode=0o600)
    key.write_bytes(made.key_pem)
    cert.write_bytes(made.chain_pem)
    trust.write_bytes(made.trust_pem)
    return cert, key, trust, made.root


async def _run(
    listeners: Sequence[Listener],
    sockets: Sequence[socket.socket],
    stop: asyncio.Event | None,
    announce: Callable[[], None],
) -> None:
    stopping = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, NotImplementedError, RuntimeError):  # not in the main thread: `stop` it is
            loop.add_signal_handler(number, stopping.set)
    try:
        for listener, bound_to in zip(listeners, sockets, strict=True):
            await listener.start(bound_to)
        announce()
        await stopping.wait()
    finally:
        await asyncio.gather(*(listener.stop(FAREWELL) for listener in listeners))


def _write_ready_file(where: Ready, ready_file: Path | None, stack: contextlib.ExitStack) -> None:
    """Whole or not at all; it goes when the CA goes. Raises ServeError."""
    if ready_file is None:
        return
    draft = ready_file.with_name(f".{ready_file.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(where.document(), indent=1) + "\n")
        draft.replace(ready_file)
    except OSError as error:
        raise ServeError("ready-file", file=str(ready_file), why=error.strerror or str(error)) from error
    stack.callback(ready_file.unlink, missing_ok=True)
