"""A very small ASGI application: a bounded body in, an answer out, and the ways an answer can go wrong."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

logger = logging.getLogger("jprs_client.testca")

#: Octets of a request's body; an order for 100 names has less than a tenth of it.
MOST_BODY = 256 * 1024
#: Seconds in which a request's body has to come.
BODY_PATIENCE = 30.0

#: The scope's extension that ends a connection at once; the server puts it there.
ABORT = "jprs_client.testca.abort"


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


@dataclass(slots=True)
class Response:
    """An answer. `lost`: the connection ends without it. `cut`: only so many octets of the body are sent."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    lost: bool = False
    cut: int | None = None

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
        scope["path"],
        scope.get("query_string", b"").decode("latin-1"),
        headers,
        bytes(body),
        scope.get("scheme", "https"),
        frozenset(repeated),
    )


async def _send(scope: Scope, response: Response, send: Send) -> None:
    abort = scope.get("extensions", {}).get(ABORT)
    if response.lost:
        if abort is None:  # no connection to end: whoever asks in process is told in Python's way
            raise ConnectionAbortedError("the answer is lost")
        await abort()
        return
    bodiless = response.status in {204, 304} or scope["method"] == "HEAD"
    headers = list(response.headers)
    if response.content_type:
        headers.append(("Content-Type", response.content_type))
    if response.status != 204 and not any(name.lower() == "content-length" for name, _ in headers):
        headers.append(("Content-Length", str(len(response.body))))
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    body = b"" if bodiless else response.body
    if response.cut is not None and abort is not None:
        await send({"type": "http.response.body", "body": body[: response.cut], "more_body": True})
        await abort()
        return
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
