"""Proofs that were put up by steering, as pebble-challtestsrv has them, and what validation asked of the web.

No port is opened: a perspective looks here where a name leads to this machine, and goes out where nothing is here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_MOST_REMEMBERED = 2000
_CHALLENGES = "/.well-known/acme-challenge/"


@dataclass(frozen=True, slots=True)
class HttpAsked:
    """One GET. `host` as in its header; `server_name` is empty over plain HTTP."""

    url: str
    host: str
    https: bool
    server_name: str
    perspective: str


@dataclass(frozen=True, slots=True)
class TlsAsked:
    """One handshake for tls-alpn-01."""

    server_name: str
    protocols: tuple[str, ...]
    perspective: str


class MockWeb:
    """Contents by token, redirects by path, key authorizations by host; the same for every host and perspective."""

    def __init__(self) -> None:
        self.contents: dict[str, str] = {}
        self.redirects: dict[str, str] = {}
        self.key_authorizations: dict[str, str] = {}
        self.http_asked: deque[HttpAsked] = deque(maxlen=_MOST_REMEMBERED)
        self.tls_asked: deque[TlsAsked] = deque(maxlen=_MOST_REMEMBERED)

    def answer(self, path: str, https: bool) -> tuple[int, str, bytes] | None:
        """Status, Location and body of what was put up at `path`; redirects are for plain HTTP. None: nothing was."""
        if not https and path in self.redirects:
            return 301, self.redirects[path], b""
        content = self.contents.get(path.removeprefix(_CHALLENGES)) if path.startswith(_CHALLENGES) else None
        return None if content is None else (200, "", content.encode())

    def forget(self, host: str | None = None, what: str | None = None) -> None:
        """Forget what was asked of `host`, or at all: `what` is http, tlsalpn or both."""
        if what in {None, "http"}:
            kept = [] if host is None else [asked for asked in self.http_asked if without_port(asked.host) != host]
            self.http_asked = deque(kept, _MOST_REMEMBERED)
        if what in {None, "tlsalpn"}:
            shaken = [] if host is None else [asked for asked in self.tls_asked if asked.server_name != host]
            self.tls_asked = deque(shaken, _MOST_REMEMBERED)


def without_port(host: str) -> str:
    """The host of a Host header."""
    return host.rpartition(":")[0] or host
