"""The CA on real sockets: three HTTP servers and the mock DNS in one loop, and the file that says where they are."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import os
import shutil
import signal
import socket
import ssl
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import Server

from jprs_client.testca.asgi import ABORT, App
from jprs_client.testca.ca import Authority, Settings
from jprs_client.testca.dns import DnsServer
from jprs_client.testca.front import AcmeFront
from jprs_client.testca.management import ManagementFront, subscribe
from jprs_client.testca.pki import PkiFront
from jprs_client.testca.signer import https_certificate

logger = logging.getLogger("jprs_client.testca")

#: Seconds that a connection may idle; longer than clients keep theirs.
KEEP_ALIVE = 120
#: Seconds that running requests have when it ends.
FAREWELL = 2


class ServeError(Exception):
    """It cannot serve so; the text says why."""


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


class _Connection(H11Protocol):
    """An HTTP connection that the application can end at once, without an answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[ABORT] = self._end
            await inner(scope, receive, send)

        self.app = app

    async def _end(self) -> None:
        self.transport.close()
        for _ in range(20):  # until the loop has told the connection that it is lost
            await asyncio.sleep(0)
        if self.cycle is not None:
            self.cycle.disconnected = True


class _Server(Server):
    """Uvicorn's server, which leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Nothing: one handler stops all servers."""
        yield


def bound(where: tuple[str, int], kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """A socket at `where`. Raises ServeError."""
    host, port = where
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: asyncio turns Nagle's delay off only where it is known to be TCP.
    listener = socket.socket(family, kind, socket.IPPROTO_TCP if kind is socket.SOCK_STREAM else 0)
    try:
        if kind is socket.SOCK_STREAM:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ServeError(f"{host} port {port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def bound_pair(where: tuple[str, int]) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket at the same port. Raises ServeError."""
    for _ in range(20 if where[1] == 0 else 1):
        udp = bound(where, socket.SOCK_DGRAM)
        try:
            return udp, bound((where[0], udp.getsockname()[1]))
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
    places = [doors.listen, doors.management, doors.pki, *([doors.mock_dns] if doors.mock_dns else [])]
    for host, _ in places:
        try:
            loopback = ipaddress.ip_address(host).is_loopback
        except ValueError as error:
            raise ServeError(f"{host}: an IP address is needed") from error
        if not loopback and not doors.any_address:
            raise ServeError(f"{host} is not the loopback: --allow-any-address lets others on the network in")


async def serve(settings: Settings, doors: Doors, stop: asyncio.Event | None = None) -> None:
    """Serve until SIGTERM, SIGINT or `stop`. Raises ServeError where it cannot begin."""
    _check_loopback(doors)
    authority = Authority(settings)
    for document in doors.subscribers:
        subscribe(authority, document)
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="jprs-testca-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        sockets = [stack.enter_context(bound(where)) for where in (doors.listen, doors.management, doors.pki)]
        directory, management, pki = (authority_of(listener) for listener in sockets)
        authority.pki.base = f"http://{pki}"
        cert, key, trust = _https_files(doors, folder)
        apps = [
            AcmeFront(authority, f"https://{directory}").app,
            ManagementFront(authority).app,
            PkiFront(authority).app,
        ]
        servers = [_server(apps[0], cert, key), _server(apps[1], cert, key), _server(apps[2])]
        ready: dict[str, object] = {
            "directory": f"https://{directory}/dir",
            "management": f"https://{management}",
            "pki": f"http://{pki}",
            "trust": str(trust.absolute()),
            "pid": os.getpid(),
        }
        dns = DnsServer(authority.zone)
        if settings.resolver is None and doors.mock_dns is not None:
            udp, tcp = bound_pair(doors.mock_dns)
            ready["dns"] = authority_of(udp)
            await dns.start(udp, tcp)
            stack.callback(dns.stop)
        await _run(servers, sockets, stop, lambda: _announce(ready, doors.ready_file, stack))
        await authority.stop()


def _server(app: App, cert: Path | None = None, key: Path | None = None) -> _Server:
    config = Config(
        app,
        http=_Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=FAREWELL,
        ssl_certfile=str(cert) if cert else None,
        ssl_keyfile=str(key) if key else None,
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return _Server(config)


def _https_files(doors: Doors, folder: Path) -> tuple[Path, Path, Path]:
    """Certificate, key and trust of the HTTPS doors, as files."""
    if doors.tls_cert is not None and doors.tls_key is not None:
        return doors.tls_cert, doors.tls_key, doors.tls_cert
    hosts = {host for host, _ in (doors.listen, doors.management)} | {"127.0.0.1", "::1"}
    made = https_certificate(("localhost", socket.gethostname()), sorted(hosts))
    cert, key, trust = folder / "https.pem", folder / "https.key", folder / "root.pem"
    key.touch(mode=0o600)
    key.write_bytes(made.key_pem)
    cert.write_bytes(made.chain_pem)
    trust.write_bytes(made.trust_pem)
    return cert, key, trust


async def _run(
    servers: Sequence[_Server],
    sockets: Sequence[socket.socket],
    stop: asyncio.Event | None,
    announce: Callable[[], None],
) -> None:
    stopping = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, NotImplementedError, RuntimeError):  # not in the main thread: `stop` it is
            loop.add_signal_handler(number, stopping.set)
    pairs = zip(servers, sockets, strict=True)
    tasks = [loop.create_task(server.serve(sockets=[listener])) for server, listener in pairs]
    waiting = loop.create_task(stopping.wait())
    try:
        while not all(server.started for server in servers) and not any(task.done() for task in tasks):
            await asyncio.sleep(0.001)
        if not stopping.is_set() and not any(task.done() for task in tasks):
            announce()
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*tasks)


def _announce(ready: Mapping[str, object], ready_file: Path | None, stack: contextlib.ExitStack) -> None:
    """Say where it is: on the log, and whole or not at all in the ready file, which goes when the CA goes."""
    logger.info("ready: %s", json.dumps(ready))
    if ready_file is None:
        return
    draft = ready_file.with_name(f".{ready_file.name}.{os.getpid()}")
    draft.write_text(json.dumps(ready, indent=1) + "\n")
    draft.replace(ready_file)
    stack.callback(ready_file.unlink, missing_ok=True)
