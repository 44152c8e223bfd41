"""HTTP as a probe needs it: kept connections, every header as it came, and octets no HTTP library would send."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from jprs_client.testca.conformance.registry import FailureError, NoAnswerError

ACME_URN = "urn:ietf:params:acme:error:"
USER_AGENT = "acme-conformance (TEST)"
#: Seconds for one answer.
PATIENCE = 10.0

_LINK = re.compile(r'<([^>]*)>((?:\s*;\s*[\w!#$&+.^`|~-]+\*?\s*(?:=\s*(?:"[^"]*"|[^\s;,"]+))?)*)')
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str = ""

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def values(self, name: str) -> list[str]:
        """All members of the comma-separated headers of that name."""
        found = ",".join(value for key, value in self.headers if key.lower() == name.lower())
        return [part.strip() for part in found.split(",") if part.strip()]

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case; empty where there is none."""
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()

    def links(self, relation: str) -> list[str]:
        """The absolute targets of the Link headers of that relation (RFC 8288)."""
        found = []
        for key, value in self.headers:
            if key.lower() != "link":
                continue
            for target, parameters in _LINK.findall(value):
                match = _RELATION.search(parameters)
                if match and relation in (match[1] or match[2]).lower().split():
                    found.append(urljoin(self.url, target))
        return found

    def document(self) -> dict[str, Any]:
        """The body, a JSON object. Raises FailureError."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            raise FailureError(f"{self.status} with a body that is no JSON") from None
        if not isinstance(value, dict):
            raise FailureError(f"{self.status} with JSON that is no object")
        return value

    @property
    def problem_type(self) -> str:
        """The type of the problem document, whole; empty where there is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        kind = value.get("type") if isinstance(value, dict) else None
        return kind if isinstance(kind, str) and self.status >= 400 else ""

    @property
    def problem(self) -> str:
        """The type of the problem document without ACME's URN; empty where there is none."""
        return self.problem_type.removeprefix(ACME_URN)

    @property
    def said(self) -> str:
        """Status and problem in a few words, the same at every run."""
        return f"{self.status} {self.problem}".strip()


class Wire:
    """Connections to servers; each is kept as long as the other side keeps it. `tls` says whom to trust."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._kept: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def another(self) -> Wire:
        """One with connections of its own, for another thread."""
        return Wire(self._tls)

    def close(self) -> None:
        """Leave."""
        for connection in self._kept.values():
            connection.close()
        self._kept.clear()

    def request(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer. Raises NoAnswerError."""
        where = urlsplit(url)
        wanted = {"User-Agent": USER_AGENT, "Accept-Language": "en"} | dict(headers or {})
        for again in (True, False):
            fresh = (where.scheme, where.netloc) not in self._kept
            connection = self._connection(where)
            try:
                connection.request(method, _target(where), body, wanted)
                response = connection.getresponse()
                content = response.read()
            except (http.client.HTTPException, OSError) as error:
                self._forget(where)
                if again and not fresh and isinstance(error, http.client.RemoteDisconnected | ConnectionError):
                    continue  # the other side had closed a kept connection: no fault of its own
                raise NoAnswerError(f"no answer: {type(error).__name__}") from error
            if response.will_close:
                self._forget(where)
            return Answer(response.status, tuple(response.getheaders()), content, url)
        raise NoAnswerError("no answer: the connection was closed twice")

    def _connection(self, where: SplitResult) -> http.client.HTTPConnection:
        key = (where.scheme, where.netloc)
        if key not in self._kept:
            host, port = where.hostname or "", where.port
            self._kept[key] = (
                http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=self._tls)
                if where.scheme == "https"
                else http.client.HTTPConnection(host, port, timeout=PATIENCE)
            )
        return self._kept[key]

    def _forget(self, where: SplitResult) -> None:
        connection = self._kept.pop((where.scheme, where.netloc), None)
        if connection is not None:
            connection.close()

    def tls_version(self, url: str) -> str:
        """What a handshake agrees on. Raises FailureError."""
        with self._socket(url) as connection:
            version: str | None = connection.version() if isinstance(connection, ssl.SSLSocket) else None
            return version or "none"

    def raw(self, url: str, sent: bytes, *, plain: bool = False) -> Answer:
        """The answer to exactly these octets, on a connection of its own. Raises FailureError."""
        with self._socket(url, plain=plain) as connection:
            try:
                connection.sendall(sent)
                response = http.client.HTTPResponse(connection)
                response.begin()
                return Answer(response.status, tuple(response.getheaders()), response.read(), url)
            except (http.client.HTTPException, OSError) as error:
                raise FailureError(f"no answer: {type(error).__name__}") from error

    def _socket(self, url: str, *, plain: bool = False) -> socket.socket:
        where = urlsplit(url)
        port = where.port or (443 if where.scheme == "https" else 80)
        try:
            connection = socket.create_connection((where.hostname or "", port), timeout=PATIENCE)
            if where.scheme == "https" and not plain:
                return self._tls.wrap_socket(connection, server_hostname=where.hostname)
        except OSError as error:
            raise FailureError(f"no connection: {type(error).__name__}") from error
        return connection


def _target(where: SplitResult) -> str:
    path = where.path or "/"
    return f"{path}?{where.query}" if where.query else path
