"""HTTPS to the CA's own origin and nowhere else: bounded in time and size, verified, never redirected on a POST.

One `Http` is one pool of connections for the whole process; it may be used by several threads at once. It is built on
a `requests` adapter, without `requests.Session`: a session asks the environment about trust (`REQUESTS_CA_BUNDLE`),
netrc, cookies and proxies anew for every request, and follows redirects (FAULTS 66, M14). Proxies are honoured.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from jprs_client.ca.answers import Origin
from jprs_client.ca.retry_after import retry_after
from jprs_client.clock import Clock
from jprs_client.errors import BadAnswer, CaUnavailable, StateUnusable, harmless
from jprs_client.version import __version__

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0

#: For one address of several, before the next is tried.
FIRST_SECONDS = 2.0

#: For one whole exchange, so that an answer that drips in byte by byte ends too (FAULTS 59).
EXCHANGE_SECONDS = 60.0

#: Of a body; nothing that a CA has to say is longer (FAULTS 67).
BODY_LIMIT = 1024 * 1024

REDIRECTS = 3

#: More connections than this are never kept; more threads than this wait for nobody, they connect anew.
POOL_SIZE = 16

USER_AGENT = f"jprs-client/{__version__} (ACME RFC 8555)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the CA answered, whole. `retry_after` is what it asked for, not yet clamped."""

    url: str
    status: int
    content_type: str
    body: bytes
    location: str | None = None
    nonce: str | None = None
    retry_after: timedelta | None = None

    @property
    def is_problem(self) -> bool:
        """Whether it says no."""
        return self.status >= 400


class AnswerLost(CaUnavailable):
    """The request may have arrived, and may have been carried out; its answer has not."""


class Http:
    """The way to one CA. `trust` is a file with a further root for this CA's HTTPS, besides the system's.

    `adapter` replaces the network (tests). Raises StateUnusable when `directory_url` is no https URL, or `trust` holds
    no certificate.
    """

    def __init__(
        self,
        directory_url: str,
        clock: Clock,
        *,
        trust: Path | None = None,
        languages: str = "en",
        adapter: BaseAdapter | None = None,
    ) -> None:
        origin = Origin.of(directory_url)
        if origin is None:
            raise StateUnusable("directory-not-https", url=harmless(directory_url, 200))
        self.origin = origin
        self._clock = clock
        self._adapter = adapter if adapter is not None else _Adapter(tls_context(trust), clock.monotonic)
        # Looked up once: everything goes to the same host.
        self._proxies: Mapping[str, str] = get_environ_proxies(directory_url)
        self._headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Accept-Language": languages}

    def close(self) -> None:
        """Let the connections go."""
        self._adapter.close()

    def get(self, url: str, *, redirects: int = 0) -> Answer:
        """What is there. Up to `redirects` redirects are followed, within the origin only."""
        for _ in range(redirects + 1):
            answer = self._exchange("GET", url)
            if answer.status not in {301, 302, 303, 307, 308}:
                return answer
            url = self.origin.location(url, answer.location)
        raise BadAnswer("ca-redirects", url=url)

    def head(self, url: str) -> Answer:
        """The headers of what is there."""
        return self._exchange("HEAD", url)

    def post(self, url: str, body: bytes, accept: str = "application/json") -> Answer:
        """What a signed request is answered. AnswerLost when it was sent and nothing, or half an answer, came back."""
        return self._exchange("POST", url, body, accept)

    def _exchange(self, method: str, url: str, body: bytes | None = None, accept: str | None = None) -> Answer:
        self.origin.own(url, "request")  # whoever built it: the last door before the network
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, url, body
        headers = dict(self._headers)
        if body is not None:
            # The length is set, so the body is never sent in chunks, which some CAs refuse (FAULTS M12).
            headers |= {"Content-Type": "application/jose+json", "Content-Length": str(len(body))}
        if accept is not None:
            headers["Accept"] = f"{accept}, application/problem+json"
        request.headers = requests.structures.CaseInsensitiveDict(headers)
        try:
            response = self._adapter.send(
                request, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS), proxies=self._proxies
            )
            raw: urllib3.BaseHTTPResponse = response.raw
            content = _content(raw, url)
        except (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
            raise self._unavailable(error, sent=body is not None) from error
        return Answer(
            url=url,
            status=raw.status,
            content_type=raw.headers.get("Content-Type", "").partition(";")[0].strip().lower()[:100],
            body=content,
            location=raw.headers.get("Location"),
            nonce=raw.headers.get("Replay-Nonce"),
            retry_after=retry_after(raw.headers.getlist("Retry-After"), self._clock.now()),
        )

    def _unavailable(self, error: BaseException, *, sent: bool) -> CaUnavailable:
        """The reason in a person's words; AnswerLost where a sent request may have arrived."""
        code, told = _why(list(_roots(error)))
        host = self.origin.host
        if code == "ca-proxy":
            return CaUnavailable(code, host=host, proxy=self._proxy_name(), detail=told)
        kind = AnswerLost if sent and code in _AFTER_SENDING else CaUnavailable
        return kind(code, host=host, detail=told)

    def _proxy_name(self) -> str:
        """The proxy's host and port: its user and password are nobody's business (FAULTS 62)."""
        for proxy in (self._proxies.get("https"), self._proxies.get("all")):
            if proxy:
                try:
                    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
                    return harmless(f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname, 200)
                except ValueError:
                    break
        return "?"


def _content(raw: urllib3.BaseHTTPResponse, url: str) -> bytes:
    """The body, to its end: half of one is an error, and one over the limit is not read any further."""
    content = b""
    try:
        while chunk := raw.read(BODY_LIMIT + 1 - len(content), decode_content=False):
            content += chunk
            if len(content) > BODY_LIMIT:
                break
    except BaseException:
        raw.close()
        raise
    if len(content) > BODY_LIMIT:
        raw.close()
        raise BadAnswer("ca-answer-too-long", url=harmless(url, 200), limit=BODY_LIMIT)
    raw.release_conn()
    if raw.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise BadAnswer("ca-answer-malformed", what="Content-Encoding")
    return content


_AFTER_SENDING = frozenset({"ca-timeout", "ca-cut-off"})

#: OpenSSL's X509_V_ERR_… for the cases a person can do something about.
_VERIFY_CODES = {9: "ca-tls-not-yet-valid", 10: "ca-tls-expired", 62: "ca-tls-other-name", 64: "ca-tls-other-name"}


def _roots(error: BaseException) -> Iterator[BaseException]:
    """`error` and all that is behind it, outermost first: requests and urllib3 wrap in four different ways."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        current = todo.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            todo += [getattr(current, "reason", None), *current.args, current.__cause__, current.__context__]


def _why(errors: list[BaseException]) -> tuple[str, str]:
    """The code, and what the system said."""
    told = harmless(errors[-1] if errors else "", 300)

    def any_of(*kinds: type[BaseException]) -> BaseException | None:
        return next((error for error in errors if isinstance(error, kinds)), None)

    refused = any_of(ssl.SSLCertVerificationError)
    if isinstance(refused, ssl.SSLCertVerificationError):
        return _VERIFY_CODES.get(refused.verify_code, "ca-tls-untrusted"), harmless(refused.verify_message, 300)
    if any_of(urllib3.exceptions.ProxyError, requests.exceptions.ProxyError):
        return "ca-proxy", told
    if (found := any_of(socket.gaierror, urllib3.exceptions.NameResolutionError)) is not None:
        return "ca-dns", harmless(found, 300)
    if (found := any_of(ConnectionRefusedError)) is not None:
        return "ca-connection-refused", harmless(found, 300)
    if any_of(urllib3.exceptions.NewConnectionError):  # a kind of ConnectTimeoutError to urllib3
        return "ca-unreachable", told
    if any_of(urllib3.exceptions.ConnectTimeoutError, requests.exceptions.ConnectTimeout):
        return "ca-connect-timeout", told
    if (found := any_of(ssl.SSLError, urllib3.exceptions.SSLError)) is not None:
        return "ca-tls-failed", harmless(found, 300)
    if any_of(TimeoutError, urllib3.exceptions.ReadTimeoutError):
        return "ca-timeout", told
    return "ca-cut-off", told


def tls_context(trust: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later, with the system's roots and those in `trust`.

    No variable of the environment has a say: not `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`, `SSL_CERT_FILE` or
    `SSL_CERT_DIR` (FAULTS M14). A machine whose roots lie in an odd place names them by `[ca] trust`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    file, folder = _system_roots()
    if file is not None or folder is not None:
        context.load_verify_locations(cafile=file, capath=folder)
    if trust is not None:
        try:
            context.load_verify_locations(cafile=trust)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
            raise StateUnusable("trust-unusable", file=trust, detail=harmless(reason or "no certificate")) from error
    return context


def _system_roots() -> tuple[str | None, str | None]:
    """File and folder compiled into OpenSSL; where there is neither, certifi's file.

    The folder is preferred: OpenSSL looks up in it the one root it needs, and a file is parsed whole at every start.
    """
    places = ssl.get_default_verify_paths()
    folder = Path(places.openssl_capath)
    try:
        if any(entry.suffix == ".0" for entry in folder.iterdir()):
            return None, str(folder)
    except OSError:
        pass
    for file in (places.openssl_cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"):
        if Path(file).is_file():
            return file, None
    import certifi

    return certifi.where(), None


class _ClockedReader(io.RawIOBase):
    """Reads from a socket until a moment, however slowly the bytes come."""

    def __init__(self, inner: io.RawIOBase, connection_socket: socket.socket, now: Callable[[], float]) -> None:
        self._inner = inner
        self._socket = connection_socket
        self._now = now
        self._until = now() + EXCHANGE_SECONDS

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As io.RawIOBase has it; TimeoutError when the time for the whole answer is over."""
        left = self._until - self._now()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._socket.settimeout(min(READ_SECONDS, left))
        return self._inner.readinto(buffer)

    def close(self) -> None:
        """Close the socket's reader, too."""
        if not self.closed:
            self._inner.close()
            super().close()


def _connected(connection: HTTPSConnection, now: Callable[[], float]) -> socket.socket:
    """A TCP connection to the first address that answers; one that keeps silent is left soon for the next (FAULTS 63).

    Broken IPv6 beside working IPv4 is common, and costs two seconds here, not ten. Raises what urllib3 raises.
    """
    host, port, until = connection._dns_host, connection.port, now() + CONNECT_SECONDS
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise urllib3.exceptions.NameResolutionError(host, connection, error) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    patience = FIRST_SECONDS if len(addresses) > 1 else CONNECT_SECONDS
    failure: OSError = TimeoutError("timed out")
    while addresses and (left := until - now()) > 0:
        address = addresses.pop(0)
        try:
            return create_connection((address, port), min(patience, left), socket_options=connection.socket_options)
        except TimeoutError as error:
            failure = error
            addresses.append(address)  # once more, after all others
        except OSError as error:
            failure = error
    if isinstance(failure, TimeoutError):
        raise urllib3.exceptions.ConnectTimeoutError(connection, f"no address of {host} answers") from failure
    raise urllib3.exceptions.NewConnectionError(connection, str(failure)) from failure


def _pool_class(now: Callable[[], float]) -> type[HTTPSConnectionPool]:
    """Connections whose answers, head and body together, have to come within `EXCHANGE_SECONDS`."""

    class Response(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *arguments: Any, **more: Any) -> None:
            super().__init__(sock, *arguments, **more)
            self.fp = io.BufferedReader(_ClockedReader(self.fp.detach(), sock, now))

    class Connection(HTTPSConnection):
        response_class = Response

        def _new_conn(self) -> socket.socket:
            return _connected(self, now)

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool


class _Adapter(HTTPAdapter):
    """Connections with our TLS context, through a proxy too, whatever `verify` or the environment says."""

    def __init__(self, context: ssl.SSLContext, now: Callable[[], float]) -> None:
        self._context = context
        self._pools = {"https": _pool_class(now), "http": HTTPConnectionPool}
        self._lock = threading.Lock()
        super().__init__(pool_connections=2, pool_maxsize=POOL_SIZE)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:
        """As requests has it, with our context and time limit."""
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **more)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """As requests has it, with our context and time limit."""
        with self._lock:
            manager = super().proxy_manager_for(proxy, ssl_context=self._context, **more)
            manager.pool_classes_by_scheme = self._pools
            return manager

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: object,  # noqa: ARG002 - requests' signature
        cert: object = None,  # noqa: ARG002
    ) -> Any:
        """Which connections are alike: all to one host, with our context."""
        parts = urlsplit(request.url or "")
        host = {"scheme": "https", "host": parts.hostname, "port": parts.port or 443}
        return host, {"ssl_context": self._context, "cert_reqs": "CERT_REQUIRED"}

    def cert_verify(self, conn: Any, url: str, verify: object, cert: object) -> None:  # noqa: ARG002
        """Always verify, against the context's roots alone: requests would add certifi's."""
        conn.cert_reqs = "CERT_REQUIRED"
