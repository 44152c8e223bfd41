"""What goes wrong next, on request: `POST /faults` on the management side.

    {"match": {"endpoint": "newOrder", "name": "example.jp"}, "skip": 0, "count": 1, "action": ACTION}

`endpoint`: directory newNonce newAccount account orders newOrder order authorization challenge finalize certificate
revokeCert keyChange renewalInfo; without it every one. `name`: a DNS name the request is about. The first `skip`
matching requests are spared, the next `count` are hit (0: all, until `DELETE /faults`). ACTION is a word:

| word | what happens |
|---|---|
| `drop` | the connection is closed, nothing is done |
| `drop-after` | it is done, and the answer is lost |
| `cut` | it is done, and half of the answer's body comes |
| `bad-nonce` | refused with badNonce, nothing is done |
| `no-nonce` | the answer has no Replay-Nonce |
| `malformed-nonce` | the answer's Replay-Nonce is not base64url |
| `html` | it is done, and the answer is a page of HTML with status 200 |
| `not-json` | it is done, and the answer's body is broken JSON |
| `server-error` | 500 serverInternal, nothing is done |
| `maintenance` | 503 with Retry-After: 21600, nothing is done |
| `rate-limited` | 429 rateLimited with Retry-After: 3600, nothing is done |

or an object of these members, where nothing is done if `status` is given without `after`:

| member | means |
|---|---|
| `status`, `type`, `detail` | answer with this problem; `type` without its URN (or with one, or `about:blank`) |
| `retry_after` | the Retry-After header, any text |
| `after` | true: do what was asked, and then answer so |
| `delay` | seconds to wait before the answer |
| `drop` | `before` or `after` |
| `cut` | so many octets of the body come |
| `body`, `content_type` | in place of the answer's; it is done |
| `merge` | JSON merge patch (RFC 7396) on the answer's body; it is done |
| `headers` | header → text, or null to leave it out |
| `nonce` | `bad` (refuse), `none` or `malformed` (in the answer) |
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jprs_client.testca.asgi import Response
from jprs_client.testca.problems import URN

ENDPOINTS = frozenset(
    {
        "directory",
        "newNonce",
        "newAccount",
        "account",
        "orders",
        "newOrder",
        "order",
        "authorization",
        "challenge",
        "finalize",
        "certificate",
        "revokeCert",
        "keyChange",
        "renewalInfo",
    }
)

WORDS: Mapping[str, Mapping[str, Any]] = {
    "drop": {"drop": "before"},
    "drop-after": {"drop": "after"},
    "cut": {"cut": -1},
    "bad-nonce": {"nonce": "bad"},
    "no-nonce": {"nonce": "none"},
    "malformed-nonce": {"nonce": "malformed"},
    "html": {
        "body": "<!DOCTYPE html><title>Welcome</title>",
        "content_type": "text/html",
        "status": 200,
        "after": True,
    },
    "not-json": {"body": '{"status": "val'},
    "server-error": {"status": 500, "type": "serverInternal", "detail": "a fault that was asked for"},
    "maintenance": {
        "status": 503,
        "type": "serverInternal",
        "detail": "the service is under maintenance",
        "retry_after": "21600",
    },
    "rate-limited": {
        "status": 429,
        "type": "rateLimited",
        "detail": "too many requests",
        "retry_after": "3600",
    },
}

_KINDS: Mapping[str, tuple[type, ...]] = {
    "status": (int,),
    "type": (str,),
    "detail": (str,),
    "retry_after": (str, int),
    "after": (bool,),
    "delay": (int, float),
    "drop": (str,),
    "cut": (int,),
    "body": (str,),
    "content_type": (str,),
    "merge": (dict,),
    "headers": (dict,),
    "nonce": (str,),
}


class FaultError(ValueError):
    """A fault that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Action:
    """What is done to one request and its answer."""

    members: Mapping[str, Any]

    @classmethod
    def parse(cls, value: object) -> Action:
        """From a word or an object. Raises FaultError."""
        if isinstance(value, str):
            if value not in WORDS:
                raise FaultError(f"action: {value!r} is none of {', '.join(sorted(WORDS))}")
            return cls(WORDS[value])
        if not isinstance(value, dict) or not value:
            raise FaultError("action: a word or an object")
        for member, content in value.items():
            kinds = _KINDS.get(member)
            if kinds is None:
                raise FaultError(f"action: {member!r} is none of {', '.join(sorted(_KINDS))}")
            if not isinstance(content, kinds) or (isinstance(content, bool) and bool not in kinds):
                raise FaultError(f"action: {member} cannot be {content!r:.80}")
        if value.get("drop", "before") not in {"before", "after"}:
            raise FaultError("action: drop is before or after")
        if value.get("nonce", "bad") not in {"bad", "none", "malformed"}:
            raise FaultError("action: nonce is bad, none or malformed")
        if not 100 < value.get("status", 200) < 600:
            raise FaultError("action: status is an HTTP status")
        return cls(value)

    @property
    def delay(self) -> float:
        """Seconds."""
        return float(self.members.get("delay", 0))

    @property
    def refuses_nonce(self) -> bool:
        """Whether the request's nonce counts as bad."""
        return self.members.get("nonce") == "bad"

    def instead(self) -> Response | None:
        """The answer to a request that is not carried out; None where it is."""
        if self.members.get("drop") == "before":
            return Response(500, lost=True)
        if "status" in self.members and not self.members.get("after"):
            return self._problem()
        return None

    def _problem(self) -> Response:
        kind = self.members.get("type", "serverInternal")
        document = {
            "type": kind if ":" in kind else URN + kind,
            "detail": self.members.get("detail", "a fault that was asked for"),
            "status": self.members["status"],
        }
        if "body" in self.members:
            return Response(self.members["status"], self.members["body"].encode(), self._content_type("text/plain"))
        return Response(self.members["status"], json.dumps(document).encode(), "application/problem+json")

    def _content_type(self, otherwise: str) -> str:
        return str(self.members.get("content_type", otherwise))

    def changed(self, response: Response) -> Response:
        """The answer as it goes out."""
        if "status" in self.members and self.members.get("after"):
            problem = self._problem()
            response.status, response.body, response.content_type = problem.status, problem.body, problem.content_type
        elif "body" in self.members:
            response.body = self.members["body"].encode()
            response.content_type = self._content_type(response.content_type)
        elif "merge" in self.members and response.content_type.endswith("json") and response.body:
            response.body = json.dumps(_merged(json.loads(response.body), self.members["merge"])).encode()
        if "retry_after" in self.members:
            response.set("Retry-After", str(self.members["retry_after"]))
        for name, value in self.members.get("headers", {}).items():
            response.set(name, None if value is None else str(value))
        if self.members.get("nonce") in {"none", "malformed"}:
            response.set("Replay-Nonce", "not a nonce!" if self.members["nonce"] == "malformed" else None)
        if "cut" in self.members:
            length = self.members["cut"]
            response.cut = length if length >= 0 else len(response.body) // 2
        response.lost = response.lost or self.members.get("drop") == "after"
        return response


def _merged(document: object, patch: object) -> object:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


@dataclass(slots=True)
class Fault:
    """An action, and the requests it waits for. `left` None: without end."""

    endpoint: str | None
    name: str | None
    skip: int
    left: int | None
    action: Action

    def concerns(self, endpoint: str, names: Sequence[str]) -> bool:
        """Whether a request is one of those it waits for."""
        return (self.endpoint is None or self.endpoint == endpoint) and (self.name is None or self.name in names)


class Faults:
    """All that is waiting."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, document: Mapping[str, Any]) -> Fault:
        """From what was posted. Raises FaultError."""
        unknown = set(document) - {"match", "skip", "count", "action"}
        if unknown:
            raise FaultError(f"{', '.join(sorted(unknown))}: not known here")
        match = document.get("match", {})
        if not isinstance(match, dict) or set(match) - {"endpoint", "name"}:
            raise FaultError("match: an object with endpoint, name or both")
        endpoint, name = match.get("endpoint"), match.get("name")
        if endpoint == "*":
            endpoint = None
        if endpoint is not None and endpoint not in ENDPOINTS:
            raise FaultError(f"endpoint: {endpoint!r:.80} is none of {', '.join(sorted(ENDPOINTS))}")
        skip, count = document.get("skip", 0), document.get("count", 1)
        for number in (skip, count):
            if not isinstance(number, int) or isinstance(number, bool) or number < 0:
                raise FaultError("skip and count: whole numbers, 0 at least")
        fault = Fault(
            endpoint,
            name.lower() if isinstance(name, str) else None,
            skip,
            count or None,
            Action.parse(document.get("action")),
        )
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._waiting.clear()

    def take(self, endpoint: str, names: Sequence[str]) -> Action | None:
        """What happens to this request. Each fault that waits for it counts it; the first one ready acts."""
        found: Action | None = None
        for fault in list(self._waiting):
            if not fault.concerns(endpoint, names):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            if found is None:
                found = fault.action
                if fault.left is not None:
                    fault.left -= 1
                    if not fault.left:
                        self._waiting.remove(fault)
        return found
