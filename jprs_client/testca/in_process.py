"""The CA in the tests' own process, without a socket: for clients that speak through `requests`, and for one's own.

    with Ca(open=True) as ca:
        network = acme.client.ClientNetwork(key)
        network.session = ca.session()
        directory = acme.client.ClientV2.get_directory(ca.directory, network)

Proofs are seen by everybody, unless `look` says otherwise. When an answer is here, what it started is done: nobody has
to wait for a validation.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import inspect
import io
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from jprs_client.testca.asgi import App
from jprs_client.testca.ca import Authority, Settings
from jprs_client.testca.front import AcmeFront
from jprs_client.testca.handle import Handle
from jprs_client.testca.management import ManagementFront
from jprs_client.testca.pki import PkiFront
from jprs_client.testca.problems import Problem
from jprs_client.testca.resolver import Resolver
from jprs_client.testca.validation import Proof

__all__ = ["Answer", "Ca", "Problem", "Proof"]

#: Seconds that what an answer started may take before the answer is given all the same.
SETTLING = 10.0

#: Who looks at a proof: False, or a Problem raised, is a proof that is not there.
Look = Callable[[Proof], "Awaitable[bool | None] | bool | None"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers`: in order, names in lower case."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key == name.lower()), None)


class _Looker:
    """A place in the network that sees what a function says."""

    def __init__(self, name: str, resolver: Resolver, look: Look | None) -> None:
        self.name = name
        self.resolver = resolver
        self._look = look

    async def look(self, proof: Proof) -> None:
        """Return when the proof is there. Raises Problem."""
        if self._look is None:
            return
        seen = self._look(proof)
        if inspect.isawaitable(seen):
            seen = await seen
        if seen is False:
            raise Problem("unauthorized", f"{proof.kind} for {proof.name}: the test says that it is not there")


class Ca(Handle):
    """A CA in this process; a context manager. `settings` are those of `Settings`, in the program's defaults.

    `look` is asked for each proof, once a perspective; may be a coroutine function. `authority` is the CA itself.
    """

    def __init__(self, *, look: Look | None = None, **settings: Any) -> None:
        self.directory = "https://acme.ca.test/dir"
        self.management = "https://management.ca.test"
        self.pki = "http://pki.ca.test"
        self.authority = Authority(Settings(**settings))
        self.authority.pki.base = self.pki
        self.authority.perspectives = [
            _Looker(perspective.name, perspective.resolver, look) for perspective in self.authority.perspectives
        ]
        self._doors: Mapping[str, App] = {
            "acme.ca.test": AcmeFront(self.authority, "https://acme.ca.test").app,
            "management.ca.test": ManagementFront(self.authority).app,
            "pki.ca.test": PkiFront(self.authority).app,
        }
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    # its life

    def __enter__(self) -> Self:
        # A loop of its own in a thread of its own: a test may have one, too.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="jprs-testca", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is None or self._thread is None:
            return
        self._do(self.authority.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        if self._loop is None:
            work.close()
            raise RuntimeError("the CA is not running: use it as a context manager")
        future: concurrent.futures.Future[Result] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result()

    # asking

    def session(self) -> requests.Session:
        """A session of `requests` whose whole world is this CA: any other address cannot be reached."""
        session = requests.Session()
        session.trust_env = False  # no proxy on the way to nowhere
        for scheme in ("https://", "http://"):
            session.mount(scheme, _Adapter(self))
        return session

    def request(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    ) -> Answer:
        """One request, to a URL of the CA's, or to a path of the ACME side.

        Raises ConnectionError where the CA gives no answer, or none to its end, as its faults can have it.
        """
        answer, whole = self.exchange(method, url, body, headers)
        if answer is None or not whole:
            raise ConnectionAbortedError(f"{method} {url}: the connection ended without a whole answer")
        return answer

    def exchange(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    ) -> tuple[Answer | None, bool]:
        """The same: what came, None where nothing did; and whether that was all of it."""
        parts = urlsplit(url if "://" in url else f"https://acme.ca.test{url}")
        door = self._doors.get(parts.netloc)
        if door is None:
            raise ConnectionRefusedError(f"{url}: nothing but the test CA is here, at {', '.join(self._doors)}")
        given = list(headers.items() if isinstance(headers, Mapping) else headers)
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in given]
        names = {name for name, _ in raw}
        if b"host" not in names:
            raw.append((b"host", parts.netloc.encode("ascii")))
        if body and not names & {b"content-length", b"transfer-encoding"}:
            raw.append((b"content-length", b"%d" % len(body)))
        target = (parts.path or "/").encode("utf-8")
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": parts.scheme,
            "path": parts.path or "/",
            "raw_path": target,
            "query_string": parts.query.encode("utf-8"),
            "headers": raw,
        }
        return self._do(self._asked(door, scope, body))

    async def _asked(self, door: App, scope: MutableMapping[str, Any], body: bytes) -> tuple[Answer | None, bool]:
        waiting = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[MutableMapping[str, Any]] = []
        aborted = False

        async def receive() -> MutableMapping[str, Any]:
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        try:
            await door(scope, receive, send)
        except ConnectionAbortedError:  # how the application says in process that the connection ended
            aborted = True
        await self.settle()
        if not sent:
            return None, False
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        data = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], headers, data), not aborted

    async def settle(self) -> None:
        """Return when nothing is under way in the background any more, or after SETTLING seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLING):
                await self.authority.settled()

    def answer(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str, bytes]:
        """One request to the management side: status, content type and body."""
        came = self.request(method, self.management + path, body or b"", {"Content-Type": "application/json"})
        return came.status, came.header("content-type") or "", came.body


class _Adapter(HTTPAdapter):
    """The way from `requests` into the CA."""

    def __init__(self, ca: Ca) -> None:
        super().__init__()
        self._ca = ca

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - the signature of requests; the answer is here in any case
        timeout: object = None,  # noqa: ARG002 - nothing here takes long
        verify: object = True,  # noqa: ARG002 - nobody is between
        cert: object = None,  # noqa: ARG002
        proxies: object = None,  # noqa: ARG002
    ) -> requests.Response:
        """One request."""
        body = request.body or b""
        data = body.encode() if isinstance(body, str) else bytes(body)
        headers = [(name, _text(value)) for name, value in request.headers.items()]
        try:
            came, _ = self._ca.exchange(request.method or "GET", request.url or "", data, headers)
        except ConnectionError as error:
            raise requests.ConnectionError(error, request=request) from error
        if came is None:
            raise requests.ConnectionError("the connection was closed without an answer", request=request)
        # Too short a body is found out by urllib3, as it is on a connection.
        answer = urllib3.HTTPResponse(
            body=io.BytesIO(came.body),
            headers=urllib3.HTTPHeaderDict(came.headers),
            status=came.status,
            preload_content=False,
            enforce_content_length=True,
            request_method=request.method,
        )
        return self.build_response(request, answer)

    def close(self) -> None:
        """Nothing is open."""


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
