"""What was asked, and what was looked at: kept small, told as JSON."""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from sys import intern
from typing import Any
from urllib.parse import parse_qsl

from jprs_client.testca.clock import parse_moment, rfc3339
from jprs_client.testca.faults import ACME_ENDPOINTS
from jprs_client.testca.jose import read_json

#: Entries that are kept; the oldest are forgotten.
MOST_LOGGED = 20_000
#: Entries that are packed together, once as many newer ones are there.
_A_BLOCK = 256
#: Octets of a payload that are kept; a finalization's CSR for a few names has less.
_MOST_PAYLOAD = 2048
#: The endpoint of entries that tell of a look at a proof.
VALIDATION = "validation"
#: What the log can be asked for; `*`: everything.
LOGGED = ACME_ENDPOINTS | {VALIDATION, "*"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One request, or one look at a proof. Texts that come again and again are shared."""

    number: int
    time: float
    method: str
    path: str
    endpoint: str
    account: str | None
    names: Sequence[str]
    status: int
    problem: str | None
    fault: Mapping[str, Any] | None
    challenge: str | None
    signed: str | None
    payload: bytes | None
    body: int
    agent: str
    content_type: str
    perspective: str | None = None

    def document(self, replay: bool = False) -> dict[str, Any]:
        """As `GET /log` shows it."""
        shown: dict[str, Any] = {
            "number": self.number,
            "time": rfc3339(datetime.fromtimestamp(self.time, UTC)),
            "endpoint": self.endpoint,
            "account": self.account,
            "names": list(self.names),
            "problem": self.problem,
            "fault": None if self.fault is None else dict(self.fault),
            "challenge": self.challenge,
        }
        if self.perspective is not None:
            return {**shown, "perspective": self.perspective}
        path, _, query = self.path.partition("?")
        return {
            **shown,
            "method": self.method,
            "path": path,
            "query": query,
            "status": self.status,
            "signed": self.signed,
            "payload": _shown(self.payload),
            "replay": replay,
            "user_agent": self.agent,
            "content_type": self.content_type,
        }


def _shown(payload: bytes | None) -> Any:
    if not payload or len(payload) > _MOST_PAYLOAD:
        return None if payload is None or payload else ""
    try:
        return read_json(payload.decode("utf-8"))
    except ValueError:
        return payload.decode("latin-1")


class _Entries:
    """Entries in their order, the older ones packed: a few thousand requests cost as much memory as a photograph."""

    def __init__(self) -> None:
        self._packed: deque[bytes] = deque(maxlen=MOST_LOGGED // _A_BLOCK + 1)
        self._recent: list[Entry] = []

    def append(self, entry: Entry) -> None:
        self._recent.append(entry)
        if len(self._recent) >= 2 * _A_BLOCK:
            block, self._recent = self._recent[:_A_BLOCK], self._recent[_A_BLOCK:]
            text = json.dumps([_as_json(each) for each in block], separators=(",", ":"))
            self._packed.append(zlib.compress(text.encode(), 6))

    def __iter__(self) -> Iterator[Entry]:
        """The last MOST_LOGGED of them."""
        blocks = (map(_from_json, json.loads(zlib.decompress(block))) for block in self._packed)
        too_many = len(self._packed) * _A_BLOCK + len(self._recent) - MOST_LOGGED
        return islice(chain(chain.from_iterable(blocks), self._recent), max(0, too_many), None)

    def clear(self) -> None:
        self._packed.clear()
        self._recent.clear()


def _as_json(entry: Entry) -> list[Any]:
    values = [getattr(entry, member) for member in _MEMBERS]
    values[_PAYLOAD] = None if entry.payload is None else entry.payload.decode("latin-1")
    return values


def _from_json(values: list[Any]) -> Entry:
    payload = values[_PAYLOAD]
    values[_PAYLOAD] = None if payload is None else payload.encode("latin-1")
    values[_NAMES] = tuple(values[_NAMES])
    return Entry(*values)


_MEMBERS = tuple(Entry.__dataclass_fields__)
_PAYLOAD, _NAMES = _MEMBERS.index("payload"), _MEMBERS.index("names")


class Log:
    """The last MOST_LOGGED entries; iterated, the requests among them as documents, oldest first."""

    def __init__(self) -> None:
        self._entries = _Entries()
        self._count = 0

    def __len__(self) -> int:
        return sum(entry.perspective is None for entry in self._entries)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.select())

    def clear(self) -> None:
        """Forget everything; numbers go on."""
        self._entries.clear()

    def asked(
        self,
        now: datetime,
        target: str,
        *,
        method: str = "",
        endpoint: str = "",
        account: str | None = None,
        names: Sequence[str] = (),
        status: int = 0,
        problem: str | None = None,
        fault: Mapping[str, Any] | None = None,
        challenge: str | None = None,
        signed: str | None = None,
        payload: bytes | None = None,
        body: bytes = b"",
        agent: str = "",
        content_type: str = "",
    ) -> None:
        """One more request. `signed`: kid or jwk; `payload` None: it could not be read, or there is none."""
        kept = payload if payload is None or len(payload) <= _MOST_PAYLOAD else None
        entry = Entry(
            self._next(),
            now.timestamp(),
            intern(method),
            target,
            intern(endpoint),
            account,
            tuple(names) or (),
            status,
            problem,
            fault,
            challenge,
            signed,
            b"{}" if kept == b"{}" else kept,
            hash(body) if body else 0,
            intern(agent),
            intern(content_type),
        )
        self._entries.append(entry)

    def looked(
        self, now: datetime, name: str, challenge: str, perspective: str, account: str, problem: str | None = None
    ) -> None:
        """One look at a proof: from where, and how it came out."""
        entry = Entry(
            self._next(),
            now.timestamp(),
            "",
            "",
            VALIDATION,
            account,
            (name,),
            0,
            problem,
            None,
            challenge,
            None,
            None,
            0,
            "",
            "",
            perspective,
        )
        self._entries.append(entry)

    def _next(self) -> int:
        self._count += 1
        return self._count

    def select(
        self, endpoint: str | None = None, since: str | None = None, name: str | None = None, account: str | None = None
    ) -> list[dict[str, Any]]:
        """The entries that are asked for, oldest first; looks at proofs only as endpoint `validation`, or `*`: all.

        `since`: after the entry of that number, or from that moment on. Raises ValueError.
        """
        if endpoint and endpoint not in LOGGED:
            raise ValueError(f"endpoint: {endpoint!r:.80} is none of {', '.join(sorted(LOGGED))}")
        number, moment = _since(since)
        seen: set[int] = set()
        found = []
        for entry in self._entries:
            replay = bool(entry.body) and entry.body in seen
            seen.add(entry.body)
            if entry.number <= number or entry.time < moment:
                continue
            if endpoint == "*" or (entry.endpoint == endpoint if endpoint else entry.perspective is None):
                if name is not None and name not in entry.names:
                    continue
                if account is None or entry.account == account.rpartition("/")[2]:
                    found.append(entry.document(replay))
        return found

    def asked_for(self, query: str) -> list[dict[str, Any]]:
        """The same from a query: endpoint=…&since=…&name=…&account=…. Raises ValueError."""
        wanted = dict(parse_qsl(query, keep_blank_values=True))
        unknown = set(wanted) - {"endpoint", "since", "name", "account"}
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown)):.100}: the log is asked by endpoint, since, name, account")
        return self.select(**wanted)


def _since(text: str | None) -> tuple[int, float]:
    if text is None:
        return 0, float("-inf")
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text), float("-inf")
    return 0, parse_moment(text.replace(" ", "+")).timestamp()
