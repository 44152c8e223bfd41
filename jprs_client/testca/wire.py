"""HTTP/1.1 on a connection, by h11: one request after the other, and a refusal of ours for whatever is none.

Every error of the protocol is answered by the door that was knocked at, so that even a request that cannot be read
gets a problem document (RFC 8555 §6.7); and nobody keeps a connection by saying nothing.
"""

from __future__ import annotations

import asyncio
import http
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

import h11

from jprs_client.testca.asgi import ABORT, TRANSPORT, Response

logger = logging.getLogger("jprs_client.testca")

#: Octets of a request's line and headers.
MOST_HEAD = 16 * 1024
#: Octets of a body that wait for the application.
MOST_WAITING = 64 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that are waited.

    `head`: for a request's line and headers. `body`: for the next piece of its body. `idle`: between two requests,
    longer than clients keep their connections. `write`: for somebody who does not read. `linger`: for whoever is
    refused to stop talking, since a connection closed at once would take the answer with it. `handshake`, `farewell`:
    for TLS to begin and to end.
    """

    head: float = 20.0
    body: float = 20.0
    idle: float = 120.0
    write: float = 60.0
    linger: float = 0.5
    handshake: float = 10.0
    farewell: float = 2.0


_PHRASES = {status.value: status.phrase.encode("ascii") for status in http.HTTPStatus}

Message = MutableMapping[str, Any]


class Door(Protocol):
    """An ASGI application that has words for what never reached it."""

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """One request, as ASGI has it."""

    def refuse(self, status: int, detail: str) -> Response:
        """The answer to a request that cannot be read."""


class Connection(asyncio.Protocol):
    """One connection; `connections` knows those that are open."""

    def __init__(self, door: Door, connections: set[Connection], patience: Patience) -> None:
        self._door = door
        self._patience = patience
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
        self._transport: asyncio.Transport
        self._secure = False
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending = False
        self._gone = False
        self._writable = asyncio.Event()
        self._writable.set()
        # the request under way
        self._news = asyncio.Event()
        self._body = bytearray()
        self._whole = False
        self._head: Message | None = None

    # what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is here."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what asyncio promises, for the types
        self._transport = transport
        self._secure = transport.get_extra_info("ssl_object") is not None
        self._connections.add(self)
        self._wait(self._patience.head, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Nobody is here any more."""
        self._connections.discard(self)
        self._stop_waiting()
        self._gone = True
        self._news.set()
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Some octets."""
        if not self._ending:
            self._http.receive_data(data)
            self._advance()

    def eof_received(self) -> bool:
        """No more octets will come. True: answers may still go out."""
        if self._ending:
            return False
        self._http.receive_data(b"")
        self._advance()
        if self._task is None and self._http.trailing_data[0]:
            self._refuse(400, "the request ends before its headers do")
        return not self._secure and self._task is not None

    def pause_writing(self) -> None:
        """The other side does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It reads again."""
        self._writable.set()

    # time

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_waiting()
        self._timer = self._loop.call_later(seconds, then)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        if self._http.trailing_data[0]:
            self._refuse(408, f"the request's headers did not come in {self._patience.head:g} seconds")
        else:
            self._transport.close()

    # requests

    def _advance(self) -> None:
        """Take what has come, as far as it goes."""
        while not self._ending:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                self._refuse(error.error_status_hint, f"this is not HTTP/1.1: {error}")
                return
            if isinstance(event, h11.Request):
                self._stop_waiting()
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._body += event.data
                self._news.set()
                if len(self._body) > MOST_WAITING:
                    self._transport.pause_reading()
            elif isinstance(event, h11.EndOfMessage):
                self._whole = True
                self._news.set()
            elif isinstance(event, h11.ConnectionClosed):
                if self._task is None:
                    self._transport.close()
                return
            elif event is h11.PAUSED:  # the next request is here before this one's answer
                self._transport.pause_reading()
                return
            else:
                if self._task is None and self._http.trailing_data[0] and self._timer is None:
                    self._wait(self._patience.head, self._too_slow)
                return

    def _begin(self, request: h11.Request) -> None:
        headers = [(name, value) for name, value in request.headers]
        path, _, query = request.target.partition(b"?")
        scheme = "https" if self._secure else "http"
        lowered = path[:8].lower()
        if lowered.startswith((b"http://", b"https://")):  # RFC 9112 §3.2.2: the absolute form, whose host counts
            authority, slash, rest = path.partition(b"://")[2].partition(b"/")
            headers = [(name, value) for name, value in headers if name != b"host"] + [(b"host", authority)]
            path = slash + rest or b"/"
        scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.http_version.decode("ascii"),
            "scheme": scheme,
            "method": request.method.decode("ascii"),
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "extensions": {ABORT: self._abort, TRANSPORT: self._transport},
        }
        self._news = asyncio.Event()
        self._body = bytearray()
        self._whole = False
        self._head = None
        if request.http_version not in {b"1.0", b"1.1"}:
            self._refuse(505, "only HTTP/1.1 is spoken here")
            return
        self._task = self._loop.create_task(self._serve(scope))

    async def _serve(self, scope: Message) -> None:
        try:
            await self._door(scope, self._receive, self._send)
        except Exception:
            # A bug of ours: whoever asks gets a refusal all the same, and the log the traceback.
            logger.exception("%s %s", scope["method"], scope["path"])
            self._refuse(500, "the test CA has a bug: see its log")
        finally:
            self._task = None
        self._after()

    def _after(self) -> None:
        """The answer is out: on to the next request, or good-bye."""
        if self._gone or self._ending:
            return
        states = self._http.our_state, self._http.their_state
        if states != (h11.DONE, h11.DONE):
            # Closing was agreed on; or the request's body was not wanted to its end.
            self._end(linger=self._http.their_state is h11.SEND_BODY)
            return
        self._http.start_next_cycle()
        self._wait(self._patience.idle, self._transport.close)
        self._transport.resume_reading()
        self._advance()
        if self._task is None and not self._ending and self._http.trailing_data[0]:
            self._wait(self._patience.head, self._too_slow)

    async def _receive(self) -> Message:
        while not self._body and not self._whole:
            if self._gone or self._ending:
                return {"type": "http.disconnect"}
            if self._http.they_are_waiting_for_100_continue:
                self._write(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
            self._transport.resume_reading()
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), self._patience.body)
            except TimeoutError:
                self._refuse(408, f"no more of the request's body came in {self._patience.body:g} seconds")
        message = {"type": "http.request", "body": bytes(self._body), "more_body": not self._whole}
        self._body.clear()
        return message

    # answers

    async def _send(self, message: Message) -> None:
        if self._gone or self._ending:
            return
        if message["type"] == "http.response.start":
            self._head = message  # it goes with the body's first octets, in one piece
            return
        events: list[h11.Event] = []
        if self._head is not None:
            status, headers = self._head["status"], self._head["headers"]
            events.append(h11.Response(status_code=status, headers=headers, reason=_PHRASES.get(status, b"")))
            self._head = None
        events.append(h11.Data(data=message.get("body", b"")))
        if not message.get("more_body", False):
            events.append(h11.EndOfMessage())
        self._write(*events)
        if not self._writable.is_set():
            try:
                await asyncio.wait_for(self._writable.wait(), self._patience.write)
            except TimeoutError:
                self._transport.abort()

    def _write(self, *events: h11.Event) -> None:
        try:
            self._transport.write(b"".join(self._http.send(event) or b"" for event in events))
        except h11.LocalProtocolError as error:
            logger.debug("an answer that HTTP does not allow: %s", error)
            self._end(linger=False)

    def _refuse(self, status: int, detail: str) -> None:
        """Answer a request that cannot be read, if nothing of an answer is out, and hang up."""
        if self._ending or self._gone:
            return
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            response = self._door.refuse(status, detail)
            headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.headers]
            headers += [
                (b"content-type", response.content_type.encode("latin-1")),
                (b"content-length", b"%d" % len(response.body)),
                (b"connection", b"close"),
            ]
            head = h11.Response(status_code=response.status, headers=headers, reason=_PHRASES.get(response.status, b""))
            self._write(head, h11.Data(data=response.body), h11.EndOfMessage())
        self._end(linger=True)

    def _end(self, *, linger: bool) -> None:
        """Hang up; `linger`: once the other side has stopped talking, or soon."""
        self._ending = True
        self._news.set()
        self._stop_waiting()
        if not linger or self._transport.is_closing():
            self._transport.close()
            return
        self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._wait(self._patience.linger, self._transport.close)

    async def _abort(self) -> None:
        """The application wants no answer, or none to the end."""
        self._end(linger=False)

    def hang_up(self) -> bool:
        """The server ends: close what is idle. False: an answer is under way."""
        if self._task is None:
            self._end(linger=False)
        return self._task is None

    def cut(self) -> None:
        """Close whatever is under way."""
        self._ending = True
        self._transport.abort()


class Listener:
    """A door on a socket."""

    def __init__(self, door: Door, tls: ssl.SSLContext | None = None, patience: Patience | None = None) -> None:
        self._door = door
        self._patience = patience or Patience()
        self._tls = tls
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Serve on a bound socket."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._door, self._connections, self._patience),
            sock=listener,
            ssl=self._tls,
            backlog=1024,
            ssl_handshake_timeout=self._patience.handshake if self._tls else None,
            ssl_shutdown_timeout=self._patience.farewell if self._tls else None,
        )

    async def stop(self, farewell: float) -> None:
        """No new connections; those that are being answered have `farewell` seconds."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._connections):
            connection.hang_up()
        deadline = asyncio.get_running_loop().time() + farewell
        while self._connections and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
            for connection in list(self._connections):
                connection.hang_up()
        for connection in list(self._connections):
            connection.cut()
        await asyncio.sleep(0)
