"""A very small ASGI application: a bounded body in, an answer out, and the ways an answer can go wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Generic, TypeVar

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

logger = logging.getLogger("jprs_client.testca")

#: Octets of a request's body; an order for 100 names has less than a tenth of it.
MOST_BODY = 256 * 1024
#: Seconds in which a request's body has to come.
BODY_PATIENCE = 30.0

#: The scope's extensions that the server puts there: what ends a connection at once, and its transport.
ABORT = "jprs_client.testca.abort"
TRANSPORT = "jprs_client.testca.transport"

#: Octets that may wait to be sent while a body has no end; and where it ends in process, where nobody can hang up.
_MOST_WAITING = 256 * 1024
_MOST_ENDLESS = 4 * 1024 * 1024
_FILLING = b" " * 16384


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose body is here."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    scheme: str
    repeated: frozenset[str] = frozenset()

    @property
    def authority(self) -> str:
        """The Host header."""
        return self.headers.get("host", "")

    @property
    def target(self) -> str:
        """Path and query, as they were asked for."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Wire:
    """How an answer is sent where that is not HTTP's way; the connection ends with it.

    `length`: so many octets more or fewer are announced than come; or none, chunked, garbage, conflicting.
    `octets`, `every`: so many at a time, and the seconds between. `endless`: the body goes on until nobody listens.
    `ending`: tls (close_notify), tcp (without), reset.
    """

    length: int | str | None = None
    octets: int = 0
    every: float = 0.0
    endless: bool = False
    ending: str = "tls"


@dataclass(slots=True)
class Response:
    """An answer. `lost`: the connection ends without it. `cut`: only so many octets of the body are sent."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    lost: bool = False
    cut: int | None = None
    wire: Wire | None = None

    def set(self, name: str, value: str | None) -> None:
        """Put a header in place of those of that name; None: without it."""
        self.headers = [(key, old) for key, old in self.headers if key.lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))


def json_response(status: int, document: object, content_type: str = "application/json") -> Response:
    """An answer with a JSON document."""
    return Response(status, json.dumps(document, ensure_ascii=False).encode(), content_type)


Handler = Callable[[Request], Awaitable[Response]]
Target = TypeVar("Target")


class Router(Generic[Target]):
    """Paths with `{}` for one segment that varies."""

    def __init__(self, routes: Mapping[str, Target]) -> None:
        self._routes = [(tuple(path.split("/")), target) for path, target in routes.items()]

    def match(self, path: str) -> tuple[Target, tuple[str, ...]] | None:
        """What stands at `path`, and its varying segments; the first that fits."""
        segments = tuple(path.split("/"))
        for pattern, target in self._routes:
            if len(pattern) == len(segments):
                pairs = list(zip(pattern, segments, strict=True))
                if all(part == segment or (part == "{}" and segment) for part, segment in pairs):
                    return target, tuple(segment for part, segment in pairs if part == "{}")
        return None


class App:
    """ASGI around one handler, which answers everything itself; `failure` answers where a body cannot be read."""

    def __init__(self, handler: Handler, failure: Callable[[int, str], Response]) -> None:
        self._handler = handler
        self._failure = failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            request = await _request(scope, receive)
        except _BodyError as error:
            response = self._failure(error.status, str(error))
            response.headers.append(("Connection", "close"))
        else:
            response = await self._answer(request)
        await _send(scope, response, send)

    def refuse(self, status: int, detail: str) -> Response:
        """The answer to what cannot be read: also the server's own, where a request is not even HTTP."""
        return self._failure(status, detail)

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._handler(request)
        except Exception:
            # A bug of ours. Whoever asks still gets a problem document (RFC 8555 §6.7), and the log the traceback.
            logger.exception("%s %s", request.method, request.path)
            return self._failure(500, "the test CA has a bug: see its log")


class _BodyError(Exception):
    """The body did not come, or is too long."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


async def _request(scope: Scope, receive: Receive) -> Request:
    headers: dict[str, str] = {}
    repeated = set()
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        if name in headers:
            repeated.add(name)
        headers[name] = raw_value.decode("latin-1")
    length = headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,12}", length) or int(length) > MOST_BODY:
        raise _BodyError(413, f"a request has at most {MOST_BODY} octets")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_PATIENCE):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _BodyError(400, "the request is not whole")
                body += message.get("body", b"")
                if len(body) > MOST_BODY:
                    raise _BodyError(413, f"a request has at most {MOST_BODY} octets")
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise _BodyError(408, "the request did not come in time") from None
    return Request(
        scope["method"],
        _path(scope),
        scope.get("query_string", b"").decode("latin-1"),
        headers,
        bytes(body),
        scope.get("scheme", "https"),
        frozenset(repeated),
    )


def _path(scope: Scope) -> str:
    """The path as it was sent: `url` of RFC 8555 §6.4 is compared with it, and nothing here has to be escaped."""
    raw = scope.get("raw_path")
    return raw.decode("latin-1") if isinstance(raw, bytes) and raw else str(scope["path"])


async def _send(scope: Scope, response: Response, send: Send) -> None:
    extensions = scope.get("extensions", {})
    abort = extensions.get(ABORT)
    wire = response.wire or Wire()
    if response.lost:
        await _end(extensions, wire.ending)
        return
    bodiless = response.status in {204, 304} or scope["method"] == "HEAD"
    body = b"" if bodiless else response.body
    if response.wire is not None and TRANSPORT in extensions:
        await _send_by_hand(extensions, response, wire, body)
        return
    raw = [
        (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in _headers(response)
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    if response.cut is not None and not bodiless:
        await send({"type": "http.response.body", "body": body[: response.cut], "more_body": True})
        await _end(extensions, wire.ending)
        return
    if response.wire is not None and abort is None:  # in process: the same octets, as far as ASGI can say so
        sent = 0
        async for piece in _pieces(body, wire):
            sent += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            if sent > len(body) + _MOST_ENDLESS:
                await _end(extensions, wire.ending)
        body = b""
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _headers(response: Response) -> list[tuple[str, str]]:
    headers = list(response.headers)
    if response.content_type:
        headers.append(("Content-Type", response.content_type))
    wire = response.wire or Wire()
    if response.status == 204 or any(name.lower() == "content-length" for name, _ in headers):
        return headers
    length = len(response.body)
    match wire.length:
        case "chunked":
            return [*headers, ("Transfer-Encoding", "chunked")]
        case None if wire.endless:
            return [*headers, ("Transfer-Encoding", "chunked")]
        case "none":
            return headers
        case "garbage":
            return [*headers, ("Content-Length", "many")]
        case "conflicting":
            return [*headers, ("Content-Length", str(length)), ("Content-Length", str(length + 7))]
        case int():
            length = max(0, length + wire.length)
    return [*headers, ("Content-Length", str(length))]


async def _pieces(body: bytes, wire: Wire) -> AsyncIterator[bytes]:
    """The body, as slowly as `wire` says; and then, where it has no end, what fills it."""
    step = wire.octets or len(body) or 1
    for start in range(0, len(body), step):
        yield body[start : start + step]
        await asyncio.sleep(wire.every)
    while wire.endless:
        yield _FILLING[: wire.octets or None]
        await asyncio.sleep(wire.every)


async def _send_by_hand(extensions: Mapping[str, Any], response: Response, wire: Wire, body: bytes) -> None:
    """The answer, written as it is to be: no library that keeps the rules could send most of these."""
    transport: asyncio.WriteTransport = extensions[TRANSPORT]
    headers = [*_headers(response), ("Connection", "close")]
    phrase = HTTPStatus(response.status).phrase if response.status in set(HTTPStatus) else ""
    head = [f"HTTP/1.1 {response.status} {phrase}", *(f"{name}: {value}" for name, value in headers), "", ""]
    transport.write("\r\n".join(head).encode("latin-1", "replace"))
    chunked = ("Transfer-Encoding", "chunked") in headers
    left = len(body) if response.cut is None else response.cut
    async for piece in _pieces(body[:left], wire):
        if transport.is_closing():
            break
        transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        while transport.get_write_buffer_size() > _MOST_WAITING and not transport.is_closing():
            await asyncio.sleep(0.01)
    if chunked and response.cut is None and not transport.is_closing():
        transport.write(b"0\r\n\r\n")
    await _end(extensions, wire.ending)


async def _end(extensions: Mapping[str, Any], ending: str) -> None:
    """End the connection at once. Without one, whoever asks in process is told in Python's way."""
    abort, transport = extensions.get(ABORT), extensions.get(TRANSPORT)
    if abort is None:
        raise ConnectionAbortedError("the answer is lost")
    if transport is not None and ending != "tls":
        if ending == "reset" and (connection := transport.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):  # it may be gone already
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    await abort()


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
