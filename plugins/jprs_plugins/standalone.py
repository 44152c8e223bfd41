"""http-01 by a small listener of our own, up only while there is a proof to show."""

from __future__ import annotations

import errno
import re
import selectors
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from jprs_client.errors import ChallengeFailed, harmless
from jprs_client.plugin import Options, Proof

DEFAULT_PORT = 80
MOST_CONNECTIONS = 64
HEADER_SECONDS = 5.0
TOTAL_SECONDS = 10.0
MOST_HEADER_BYTES = 8 * 1024

Address = tuple[str, int]


class Standalone:
    """Answers for exactly the live proofs, on `listen` or on port 80 of every address (RFC 8555 §8.3)."""

    challenge_type: ClassVar[str] = "http-01"
    options: ClassVar[Options] = {"listen": "address"}

    def __init__(self, settings: Mapping[str, object], /) -> None:
        listen = settings.get("listen")
        self._configured = None if listen is None else _address(listen)
        self._proofs: dict[tuple[str, str], bytes] = {}
        self._responder: Responder | None = None
        self._lock = threading.Lock()

    @property
    def listening(self) -> tuple[Address, ...]:
        """Where it listens at this moment; empty while no proof is up."""
        responder = self._responder
        return () if responder is None else responder.addresses

    def present(self, proof: Proof, /) -> None:
        """Serve `proof`; the first one binds the port.

        Raises ChallengeFailed: port-busy (with its holder), port-not-permitted, port-unusable.
        """
        with self._lock:
            if self._responder is None:
                self._responder = Responder(listeners(self._configured), self._proofs)
            self._proofs[proof.name.lower(), proof.path] = proof.content.encode("ascii")

    def clean_up(self, proof: Proof, /) -> None:
        """Serve `proof` no longer; the last one frees the port. A proof of an earlier process died with it."""
        with self._lock:
            self._proofs.pop((proof.name.lower(), proof.path), None)
            if not self._proofs and self._responder is not None:
                responder, self._responder = self._responder, None
                responder.close()


def _address(value: object) -> Address:
    """HOST:PORT, as text or already taken apart; brackets around an IPv6 address fall."""
    if isinstance(value, tuple | list):
        host, port = value
    else:
        host, _, port = str(value).rpartition(":")
    return str(host).strip("[]"), int(port)


def listeners(address: Address | None) -> tuple[socket.socket, ...]:
    """Listening sockets for `address`; None: port 80 of everything, IPv4 and IPv6."""
    if address is not None:
        return (_listener(*address),)
    return (everywhere(DEFAULT_PORT),)


def everywhere(port: int) -> socket.socket:
    """One socket for both families, or IPv4 alone on a host without IPv6."""
    if socket.has_dualstack_ipv6():
        with suppress(_NoSuchAddress):
            return _listener("::", port, dual=True)
    return _listener("0.0.0.0", port)  # noqa: S104 - the CA comes from anywhere


class _NoSuchAddress(Exception):
    """IPv6 is compiled in but switched off."""


def _listener(host: str, port: int, *, dual: bool = False) -> socket.socket:
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if dual:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind(where)
            listener.listen(MOST_CONNECTIONS)
            listener.setblocking(False)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        if dual and error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
            raise _NoSuchAddress from error
        raise _unbindable(error, shown, port) from error
    return listener


def _unbindable(error: OSError, address: str, port: int) -> ChallengeFailed:
    if error.errno == errno.EADDRINUSE:
        return ChallengeFailed("port-busy", address=address, holder=holder_of(port))
    if error.errno in {errno.EACCES, errno.EPERM}:
        return ChallengeFailed("port-not-permitted", address=address)
    return ChallengeFailed("port-unusable", address=address, reason=harmless(error.strerror or error))


def holder_of(port: int) -> str | None:
    """Who listens on TCP `port`, as "nginx (pid 123)"; None when this user may not know."""
    inodes = set(_listening_inodes(port))
    found = sorted(
        int(process.name)
        for process in Path("/proc").iterdir()
        if process.name.isdecimal() and any(inode in inodes for inode in _socket_inodes(process))
    )
    for pid in found[:1]:  # the lowest is the oldest: nginx's master, not its workers
        with suppress(OSError):
            comm = (Path("/proc") / str(pid) / "comm").read_text(errors="replace")
            return f"{harmless(comm, 32)} (pid {pid})"
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:  # 0A: LISTEN
                    yield columns[9]


def _socket_inodes(process: Path) -> Iterator[str]:
    with suppress(OSError):  # another user's process, or one that has just ended
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):
                target = str(descriptor.readlink())
                if target.startswith("socket:["):
                    yield target[8:-1]


class _Connection:
    """One visitor: what it has said, what it still has to hear, and until when."""

    __slots__ = ("answer", "header_until", "heard", "leaving", "socket", "until")

    def __init__(self, visitor: socket.socket, now: float) -> None:
        self.socket = visitor
        self.heard = bytearray()
        self.answer: memoryview | None = None
        self.leaving = False
        self.header_until = now + HEADER_SECONDS
        self.until = now + TOTAL_SECONDS

    def deadline(self) -> float:
        """When patience ends: sooner while the request is not complete."""
        return self.header_until if self.answer is None else self.until


class Responder:
    """Serves `proofs`, (name, path) to content, from one thread until `close`.

    No visitor can hold a place from another (THREATS D21): reading never blocks, and when all places are taken
    the longest waiting one goes.
    """

    def __init__(self, listening: tuple[socket.socket, ...], proofs: Mapping[tuple[str, str], bytes]) -> None:
        self._listening = listening
        self._proofs = proofs
        self.addresses: tuple[Address, ...] = tuple(listener.getsockname()[:2] for listener in listening)
        self._connections: dict[int, _Connection] = {}  # oldest first
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        for readable in (*listening, self._woken):
            self._selector.register(readable, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="http-01", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Free the port; returns once it is free."""
        self._wake.close()
        self._thread.join()

    def _serve(self) -> None:
        try:
            while True:
                for key, _ in self._selector.select(self._patience()):
                    if key.fileobj is self._woken:
                        return
                    connection = key.data
                    if isinstance(connection, _Connection):
                        self._attend(connection)
                    elif isinstance(key.fileobj, socket.socket):
                        self._welcome(key.fileobj)
                self._dismiss_overdue()
        finally:
            for connection in tuple(self._connections.values()):
                self._dismiss(connection)
            for listener in self._listening:
                listener.close()
            self._woken.close()
            self._selector.close()

    def _patience(self) -> float | None:
        """Seconds until the next deadline; None without visitors."""
        if not self._connections:
            return None
        return max(0.0, min(item.deadline() for item in self._connections.values()) - time.monotonic())

    def _welcome(self, listener: socket.socket) -> None:
        try:
            visitor, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # it left before we looked
            return
        except OSError:  # no descriptor is left in this process: the longest waiting one gives its own
            self._dismiss_longest_waiting()
            return
        if len(self._connections) >= MOST_CONNECTIONS:
            self._dismiss_longest_waiting()
        visitor.setblocking(False)
        connection = _Connection(visitor, time.monotonic())
        self._connections[visitor.fileno()] = connection
        self._selector.register(visitor, selectors.EVENT_READ, connection)

    def _dismiss(self, connection: _Connection) -> None:
        del self._connections[connection.socket.fileno()]
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def _dismiss_longest_waiting(self) -> None:
        for connection in tuple(self._connections.values())[:1]:
            self._dismiss(connection)

    def _dismiss_overdue(self) -> None:
        now = time.monotonic()
        for connection in tuple(self._connections.values()):
            if connection.deadline() <= now:
                self._dismiss(connection)

    def _attend(self, connection: _Connection) -> None:
        if connection.socket.fileno() not in self._connections:  # dismissed in this same round
            return
        try:
            gone = self._speak(connection) if connection.answer is not None else self._hear(connection)
        except BlockingIOError:
            return
        except OSError:  # it hung up
            gone = True
        if gone:
            self._dismiss(connection)

    def _hear(self, connection: _Connection) -> bool:
        """Read on; True when the visitor has gone."""
        said = connection.socket.recv(MOST_HEADER_BYTES)
        if not said:
            return True
        connection.heard += said
        end = re.search(rb"\r?\n\r?\n", connection.heard)
        if end is not None and end.start() <= MOST_HEADER_BYTES:
            answer = answer_to(bytes(connection.heard[: end.start()]), self._proofs)
        elif len(connection.heard) > MOST_HEADER_BYTES:
            answer = _response(431)
        else:
            return False
        connection.answer = memoryview(answer)
        self._selector.modify(connection.socket, selectors.EVENT_WRITE, connection)
        return False

    def _speak(self, connection: _Connection) -> bool:
        """Write on, then wait for the visitor to leave: closing over unread bytes would reset the answer away."""
        if connection.leaving:
            return not connection.socket.recv(MOST_HEADER_BYTES)
        answer = connection.answer
        if answer:
            connection.answer = answer[connection.socket.send(answer) :]
        if not connection.answer:
            connection.leaving = True
            connection.socket.shutdown(socket.SHUT_WR)
            self._selector.modify(connection.socket, selectors.EVENT_READ, connection)
        return False


_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
}
_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]+) HTTP/1\.[0-9]")


def answer_to(head: bytes, proofs: Mapping[tuple[str, str], bytes]) -> bytes:
    """The whole response to a request's header block: a live proof for its name and path, or none at all."""
    first, *fields = re.split(rb"\r?\n", head)
    line = _REQUEST_LINE.fullmatch(first)
    if line is None:
        return _response(400)
    method, target = line[1], line[2].decode("ascii")
    hosts = [value.strip() for name, _, value in (field.partition(b":") for field in fields) if name.lower() == b"host"]
    if len(hosts) > 1:
        return _response(400)
    host = hosts[0].decode("ascii", "replace") if hosts else ""
    if target.lower().startswith("http://"):  # RFC 9112 §3.2.2: the absolute form wins over Host
        host, slash, rest = target[7:].partition("/")
        target = slash + rest
    if method not in {b"GET", b"HEAD"}:
        return _response(405)
    content = proofs.get((_without_port(host), target))
    if content is None:
        return _response(404)
    return _response(200, content, headers_only=method == b"HEAD")


def _without_port(host: str) -> str:
    return re.sub(r":[0-9]*$", "", host).lower().removesuffix(".")


def _response(status: int, content: bytes = b"", *, headers_only: bool = False) -> bytes:
    allow = "Allow: GET, HEAD\r\n" if status == 405 else ""
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n{allow}Content-Type: application/octet-stream\r\n"
        f"Content-Length: {len(content)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    ).encode("ascii")
    return head if headers_only else head + content
