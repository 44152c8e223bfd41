"""What goes wrong next, on request: `POST /faults` on the management side.

    {"match": {"endpoint": "newOrder", "name": "example.jp"}, "skip": 0, "count": 1, "action": ACTION}

The first `skip` matching requests are spared, the next `count` are hit (0: all, until `DELETE /faults`). Where several
faults wait for a request, the first acts. Every member of `match` may be missing, and then does not matter:

| match | means |
|---|---|
| `endpoint` | on the ACME side directory terms newNonce newAccount account orders newOrder order authorization \
challenge finalize certificate revokeCert keyChange renewalInfo, `*` for all of them; on the PKI side ocsp crl \
issuers; in the background validation caa signing; handshake |
| `name` | a DNS name the request is about |
| `account` | the account that signs: its URL, or the last part of it |
| `challenge` | http-01, dns-01, tls-alpn-01, of a challenge or a validation |
| `perspective` | of a validation: from where it is looked at, by name or by number, 0 the first |
| `method` | GET, HEAD, POST |
| `read` | true: POST-as-GET alone; false: everything else |

ACTION is a word of WORDS, or an object of the members below. Nothing is done where `status` or `redirect` is given
without `after`. A text may be `{"hostile": WORD}` (hostile.py) or `{"repeat": TEXT, "times": N}`.

| the answer as a whole | means |
|---|---|
| `status`, `type`, `detail`, `instance`, `subproblems` | answer with this problem; `type` without its URN (or with \
one, or `about:blank`; null: none); `subproblems`: name → type |
| `redirect` | to this address, or to self loop http elsewhere nowhere private … (hostile.py); with `status`, else 307 |
| `after` | true: do what was asked, and then answer so |
| `delay` | seconds to wait before anything is done |
| `drop` | `before` or `after` it is done the connection ends without an answer |
| `body`, `content_type` | in place of the answer's |

| its document | means |
|---|---|
| `merge` | JSON merge patch (RFC 7396) |
| `set` | path → value, through lists: `{"challenges.token": "x"}`; null: without it |
| `token` | in place of every token |
| `add` | path → value that the list there begins with |
| `reverse`, `upper` | lists in reverse order; texts in upper case: paths |
| `move` | path → address as for `redirect`, `*`: every address; also `Location` and `Link`, the headers |

| its octets | means |
|---|---|
| `json` | miswritten: truncated empty null number text array twice trailing-comma comment single-quotes bom utf-16 \
latin-1 control nan numbers duplicate-keys wrong-types |
| `long`, `deep` | one more member, a text of so many octets; so many lists in each other |
| `size` | so many octets, the rest white space |
| `gzip` | with Content-Encoding gzip, and so many octets when unpacked |

| its headers | means |
|---|---|
| `retry_after` | a text or number, `{"date": SECONDS}` (an HTTP-date so far from the CA's now), or a list of them |
| `headers` | header → text, list of texts, or null to leave it out |
| `nonce` | `bad` (refuse the request's); in the answer: none malformed padded empty long used unknown |
| `padding` | `{"headers": N, "octets": N}`: so many more, each so long |

| its way | means |
|---|---|
| `cut` | so many octets of the body come; -1: half |
| `length` | Content-Length announces so many more than come, or fewer; or none chunked garbage conflicting |
| `drip` | `{"octets": N, "every": SECONDS}` |
| `endless` | true: the body goes on |
| `ending` | the connection ends by tls (close_notify), tcp (without), reset |

| the CA itself | means |
|---|---|
| `account` | the account that signs is gone, deactivated, revoked, valid from now on |
| `order`, `authorization` | the one that is asked for, or made, is gone, expired, or of that status from now on |
| `proved` | true: the authorizations of the order are valid without a proof; false: invalid |
| `wait` | true: the answer waits until the challenge is looked at, the order signed, and says so |
| `starts` | true: a mere read of a challenge starts validation |
| `undo` | true: it is done, answered, and undone (keyChange, revokeCert, account) |
| `certificate` | a wrong one is downloaded (wrong.py) |

| on the PKI side | means |
|---|---|
| `says` | ocsp and crl say something else than the truth (untrue.py): good revoked unknown empty stale future forged \
other-issuer other-certificate try-later internal-error |

| at a handshake | means |
|---|---|
| `tls` | the ACME door's certificate is expired, not-yet-valid, for other-name, untrusted; or it refuses |

| in the background | means |
|---|---|
| `fail` | it fails so: a problem's type, or `{"type", "detail"}` |
| `delay` | seconds before it begins |
| `stuck` | true: it never ends; what waits for it stays processing |
| `perspective` | as in `match` |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jprs_client.testca import changes, untrue, wrong
from jprs_client.testca.asgi import Response
from jprs_client.testca.changes import Asked
from jprs_client.testca.hostile import ADDRESSES, expanded, is_address
from jprs_client.testca.problems import STATUS, Problem

#: What the ACME side is asked; what the PKI side is asked; what is done in the background.
ACME_ENDPOINTS = frozenset(
    {
        "directory",
        "terms",
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
PKI_ENDPOINTS = frozenset({"ocsp", "crl", "issuers"})
BACKGROUND = frozenset({"validation", "caa", "signing"})
#: Before anything is asked: TLS at the ACME door.
HANDSHAKE = "handshake"
ENDPOINTS = ACME_ENDPOINTS | PKI_ENDPOINTS | BACKGROUND | {HANDSHAKE}

_MIB = 1024 * 1024
_PAST = "2020-01-01T00:00:00Z"

WORDS: Mapping[str, Mapping[str, Any]] = {
    # no answer, or not all of it
    "drop": {"drop": "before"},
    "drop-after": {"drop": "after"},
    "reset": {"drop": "before", "ending": "reset"},
    "reset-after": {"drop": "after", "ending": "reset"},
    "cut": {"cut": -1},
    "cut-reset": {"cut": -1, "ending": "reset"},
    "drip": {"drip": {"octets": 1, "every": 1}},
    "stall": {"drip": {"octets": 16, "every": 3600}},
    "endless": {"endless": True},
    "length-too-long": {"length": 10},
    "length-too-short": {"length": -10},
    # huge
    "huge": {"size": 10 * _MIB},
    "long-text": {"long": 10 * _MIB},
    "deep": {"deep": 100_000},
    "gzip-bomb": {"gzip": 200 * _MIB},
    "huge-header": {"padding": {"headers": 1, "octets": 200_000}},
    "many-headers": {"padding": {"headers": 1000, "octets": 8}},
    # malformed
    "html": {
        "body": "<!DOCTYPE html><title>Welcome</title>",
        "content_type": "text/html",
        "status": 200,
        "after": True,
    },
    "plain-text": {"status": 502, "body": "Bad Gateway", "content_type": "text/plain"},
    "empty": {"status": 404, "body": "", "content_type": ""},
    "not-json": {"body": '{"status": "val'},
    "wrong-types": {"json": "wrong-types"},
    "duplicate-keys": {"json": "duplicate-keys"},
    "nan": {"json": "nan"},
    # refusals
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
    "rate-limited-for-ever": {"status": 429, "type": "rateLimited", "detail": "too many requests"},
    "paused": {
        "status": 429,
        "type": "rateLimited",
        "detail": "Your account is temporarily prevented from requesting certificates for these names. "
        "Please visit: https://unpause.invalid/sfe/v1/unpause?jwt=eyJhbGciOiJIUzI1NiJ9",
    },
    "terms-changed": {
        "status": 403,
        "type": "userActionRequired",
        "detail": "the terms of service changed",
        "instance": "https://terms.invalid/2027",
        "headers": {"Link": '<https://terms.invalid/2027>;rel="terms-of-service"'},
    },
    "gone": {"status": 404, "type": "malformed", "detail": "nothing is here"},
    "not-ready": {"status": 403, "type": "orderNotReady", "detail": "the order is pending, not ready"},
    "already-replaced": {"status": 409, "type": "alreadyReplaced", "detail": "there is a successor already"},
    "unknown-type": {"status": 400, "type": "neverHeardOf"},
    "no-urn": {"status": 400, "type": "https://ca.invalid/errors:17"},
    "about-blank": {"status": 400, "type": "about:blank"},
    "no-type": {"status": 400, "type": None},
    # nonces
    "bad-nonce": {"nonce": "bad"},
    "no-nonce": {"nonce": "none"},
    "malformed-nonce": {"nonce": "malformed"},
    "used-nonce": {"nonce": "used"},
    # elsewhere
    "redirect-self": {"redirect": "self"},
    "redirect-loop": {"redirect": "loop"},
    "redirect-http": {"redirect": "http"},
    "redirect-elsewhere": {"redirect": "elsewhere"},
    "addresses-http": {"move": {"*": "http"}},
    "addresses-elsewhere": {"move": {"*": "elsewhere"}},
    "addresses-private": {"move": {"*": "private"}},
    **{f"tls-{kind}": {"tls": kind} for kind in ("expired", "not-yet-valid", "other-name", "untrusted", "refuse")},
    # documents that say something else
    "no-new-order": {"merge": {"newOrder": None}},
    "no-meta": {"merge": {"meta": None}},
    "unknown-members": {"merge": {"xq7Zk": "https://ca.invalid/?", "dG9kYXk": {"a": [None, 1.5, {}]}}},
    "unknown-status": {"merge": {"status": "sleeping"}},
    "unknown-challenges": {"add": {"challenges": {"type": "telepathy-01", "status": "pending", "of": ["you"]}}},
    "pending": {"merge": {"status": "pending", "certificate": None}},
    "processing": {"merge": {"status": "processing", "certificate": None}},
    "invalid": {"merge": {"status": "invalid", "certificate": None}},
    "expired": {"merge": {"status": "expired", "certificate": None, "expires": _PAST}},
    "no-error": {"set": {"error": None, "challenges.error": None}},
    "other-names": {"set": {"identifiers.value": "other.example", "identifier.value": "other.example"}},
    "reordered": {"reverse": ["identifiers", "authorizations", "challenges"]},
    "upper-case": {"upper": ["identifiers.value", "identifier.value"]},
    # the CA itself
    "account-gone": {"account": "gone"},
    "account-deactivated": {"account": "deactivated"},
    "account-revoked": {"account": "revoked"},
    "order-gone": {"order": "gone"},
    "order-expired": {"order": "expired"},
    "error-then-invalid": {"status": 500, "type": "serverInternal", "order": "invalid"},
    "proved": {"proved": True},
    "valid-at-once": {"wait": True},
    "starts-by-reading": {"starts": True},
    "nothing-changed": {"undo": True},
    # in the background
    "stuck": {"stuck": True},
    **{f"fails-{word}": {"fail": kind} for word, kind in {
        "caa": "caa",
        "dns": "dns",
        "connection": "connection",
        "tls": "tls",
        "unauthorized": "unauthorized",
        "incorrect-response": "incorrectResponse",
        "server-internal": "serverInternal",
    }.items()},
}  # fmt: skip

_STATUSES = frozenset({"pending", "processing", "ready", "valid", "invalid", "expired", "deactivated", "revoked"})
_TLS = ("expired", "not-yet-valid", "other-name", "untrusted", "refuse")
Check = Callable[[Any], bool]


def _whole(least: int, most: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _seconds(most: float) -> Check:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, dict) and bool(value)


def _is_paths(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_object_of(**checks: Check) -> Check:
    def check(value: Any) -> bool:
        return _is_object(value) and all(name in checks and checks[name](each) for name, each in value.items())

    return check


def _each(inner: Check) -> Check:
    return lambda value: _is_object(value) and all(inner(each) for each in value.values())


def _is_retry(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_is_retry(each) for each in value)
    if isinstance(value, dict):
        return set(value) == {"date"} and _whole(-60_000_000_000, 60_000_000_000)(value["date"])
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))


def _is_header(value: Any) -> bool:
    if isinstance(value, list):
        return all(each is not None and _is_header(each) for each in value)
    return value is None or (isinstance(value, str | int) and not isinstance(value, bool))


def _is_failure(value: Any) -> bool:
    return _is_text(value) or (_is_object_of(type=_is_text, detail=_is_text)(value) and "type" in value)


def _is_perspective(value: object) -> bool:
    return _is_text(value) or _whole(0, 99)(value)


#: What each member may be, once hostile texts are expanded.
_CHECKS: Mapping[str, tuple[Check, str]] = {
    "status": (_whole(101, 599), "an HTTP status"),
    "type": (lambda value: value is None or _is_text(value), "a text or null"),
    "detail": (_is_text, "a text"),
    "instance": (_is_text, "a text"),
    "subproblems": (_each(_is_text), "an object: name → type"),
    "redirect": (is_address, f"an address or one of {', '.join(ADDRESSES)}"),
    "after": (_is_flag, "true or false"),
    "delay": (_seconds(86400), "seconds"),
    "drop": (_one_of("before", "after"), "before or after"),
    "body": (_is_text, "a text"),
    "content_type": (_is_text, "a text"),
    "merge": (_is_object, "an object"),
    "set": (_is_object, "an object: path → value"),
    "token": (lambda _: True, "any value"),
    "add": (_is_object, "an object: path → value"),
    "reverse": (_is_paths, "a list of paths"),
    "upper": (_is_paths, "a list of paths"),
    "move": (_each(is_address), f"an object: path → an address or one of {', '.join(ADDRESSES)}"),
    "json": (_one_of(*changes.JSON_KINDS), f"one of {', '.join(sorted(changes.JSON_KINDS))}"),
    "long": (_whole(0, 64 * _MIB), "octets, 64 MiB at most"),
    "deep": (_whole(1, 10_000_000), "a number, ten million at most"),
    "size": (_whole(0, 64 * _MIB), "octets, 64 MiB at most"),
    "gzip": (_whole(0, 1024 * _MIB), "octets, 1 GiB at most"),
    "retry_after": (_is_retry, 'a text, a number, {"date": seconds}, null, or a list of them'),
    "headers": (_each(_is_header), "an object: header → text, list of texts, null"),
    "nonce": (_one_of(*changes.NONCE_KINDS), f"one of {', '.join(sorted(changes.NONCE_KINDS))}"),
    "padding": (_is_object_of(headers=_whole(0, 100_000), octets=_whole(0, _MIB)), "an object: headers, octets"),
    "cut": (_whole(-1, 64 * _MIB), "octets, or -1"),
    "length": (
        lambda value: (
            _whole(-(64 * _MIB), 64 * _MIB)(value) or _one_of("none", "chunked", "garbage", "conflicting")(value)
        ),
        "a number, none, chunked, garbage or conflicting",
    ),
    "drip": (_is_object_of(octets=_whole(1, _MIB), every=_seconds(86400)), "an object: octets, every (seconds)"),
    "endless": (_is_flag, "true or false"),
    "ending": (_one_of("tls", "tcp", "reset"), "tls, tcp or reset"),
    "account": (_one_of("gone", "deactivated", "revoked", "valid"), "gone, deactivated, revoked or valid"),
    "order": (_one_of("gone", *_STATUSES), "gone or a status"),
    "authorization": (_one_of("gone", *_STATUSES), "gone or a status"),
    "proved": (_is_flag, "true or false"),
    "wait": (_is_flag, "true or false"),
    "starts": (_is_flag, "true or false"),
    "undo": (_is_flag, "true or false"),
    "certificate": (_one_of(*wrong.KINDS), f"one of {', '.join(wrong.KINDS)}"),
    "says": (_one_of(*untrue.WORDS), f"one of {', '.join(sorted(untrue.WORDS))}"),
    "tls": (_one_of(*_TLS), f"one of {', '.join(_TLS)}"),
    "fail": (_is_failure, "a problem's type, or an object with type and detail"),
    "stuck": (_is_flag, "true or false"),
    "perspective": (_is_perspective, "a name or a number"),
}
MEMBERS = frozenset(_CHECKS)
#: What makes sense in the background, and nowhere else but `delay`.
_BEHIND = frozenset({"fail", "delay", "stuck", "perspective"})


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
                raise FaultError(f"action: {value!r:.80} is none of {', '.join(sorted(WORDS))}")
            return cls(WORDS[value])
        if not isinstance(value, dict) or not value:
            raise FaultError("action: a word or an object")
        try:
            meant = expanded(value)
        except ValueError as error:
            raise FaultError(f"action: {error}") from error
        except RecursionError:
            raise FaultError("action: nested too deep; `deep` nests an answer") from None
        for member, content in meant.items():
            if member not in _CHECKS:
                raise FaultError(f"action: {member!r:.80} is none of {', '.join(sorted(MEMBERS))}")
            check, expected = _CHECKS[member]
            if not check(content):
                raise FaultError(f"action: {member} cannot be {content!r:.80}: {expected}")
        return cls(value)

    @property
    def delay(self) -> float:
        """Seconds."""
        return float(self.members.get("delay", 0))

    @property
    def refuses_nonce(self) -> bool:
        """Whether the request's nonce counts as bad."""
        return self.members.get("nonce") == "bad"

    def instead(self, asked: Asked | None = None) -> Response | None:
        """The answer to a request that is not carried out; None where it is."""
        if self.members.get("drop") == "before":
            return Response(500, lost=True)
        if self.members.get("after"):
            return None
        if "redirect" in self.members:
            return changes.redirection(self.members, asked or Asked())
        return changes.problem(self.members) if "status" in self.members else None

    def changed(self, response: Response, asked: Asked | None = None) -> Response:
        """The answer as it goes out."""
        return changes.changed(self.members, response, asked or Asked())

    # in the background

    @property
    def stuck(self) -> bool:
        """Whether it never ends."""
        return bool(self.members.get("stuck"))

    @property
    def perspective(self) -> str | int | None:
        """The one that is meant; None: all."""
        meant = self.members.get("perspective")
        return meant if isinstance(meant, str | int) else None

    def failure(self) -> Problem | None:
        """What it fails with."""
        fail = self.members.get("fail")
        if fail is None:
            return None
        said = {"type": fail} if isinstance(fail, str) else expanded(fail)
        kind = str(said["type"])
        detail = str(said.get("detail", "a fault that was asked for"))
        return Problem(kind, detail, STATUS.get(kind, 400))


@dataclass(frozen=True, slots=True)
class Subject:
    """What else a request, or work in the background, is about."""

    account: str = ""
    challenge: str | None = None
    perspectives: Sequence[str] = ()
    method: str = ""
    read: bool = False


_NOTHING = Subject()
_MATCH: Mapping[str, tuple[Check, str]] = {
    "endpoint": (lambda value: value is None or isinstance(value, str), "a text"),
    "name": (lambda value: value is None or isinstance(value, str), "a text"),
    "account": (_is_text, "an account's URL"),
    "challenge": (_is_text, "a challenge's type"),
    "perspective": (_is_perspective, "a name or a number"),
    "method": (_one_of("GET", "HEAD", "POST"), "GET, HEAD or POST"),
    "read": (_is_flag, "true or false"),
}


@dataclass(slots=True)
class Fault:
    """An action, and the requests it waits for. `left` None: without end."""

    endpoint: str | None
    name: str | None
    skip: int
    left: int | None
    action: Action
    more: Mapping[str, Any] = field(default_factory=dict)

    def concerns(self, endpoint: str, names: Sequence[str], subject: Subject = _NOTHING) -> bool:
        """Whether a request is one of those it waits for."""
        if self.endpoint != endpoint and (self.endpoint is not None or endpoint not in ACME_ENDPOINTS):
            return False
        if self.name is not None and self.name not in names:
            return False
        if "account" in self.action.members and not subject.account:  # it strikes whoever signs
            return False
        return all(_fits(member, value, subject) for member, value in self.more.items())

    def document(self) -> dict[str, Any]:
        """As it waits."""
        match = {"endpoint": self.endpoint, "name": self.name, **self.more}
        return {
            "match": {member: value for member, value in match.items() if value is not None},
            "skip": self.skip,
            "count": self.left or 0,
            "action": dict(self.action.members),
        }


def _fits(member: str, value: Any, subject: Subject) -> bool:
    match member:
        case "account":
            return bool(subject.account == value.rpartition("/")[2])
        case "challenge":
            return bool(subject.challenge == value)
        case "perspective":
            return value < len(subject.perspectives) if isinstance(value, int) else value in subject.perspectives
        case "method":
            return bool(subject.method == value)
        case _:
            return subject.read is value


class Faults:
    """All that is waiting."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, document: Mapping[str, Any]) -> Fault:
        """From what was posted. Raises FaultError."""
        unknown = set(document) - {"match", "skip", "count", "action"}
        if unknown:
            raise FaultError(f"{', '.join(sorted(unknown)):.200}: not known here")
        match = _match(document.get("match", {}))
        endpoint, name = match.pop("endpoint", None), match.pop("name", None)
        skip, count = document.get("skip", 0), document.get("count", 1)
        for number in (skip, count):
            if not isinstance(number, int) or isinstance(number, bool) or number < 0:
                raise FaultError("skip and count: whole numbers, 0 at least")
        action = Action.parse(document.get("action"))
        if (endpoint == HANDSHAKE) != ("tls" in action.members) or (endpoint == HANDSHAKE and len(action.members) > 1):
            raise FaultError("action: tls alone, where endpoint is handshake, and nowhere else")
        if endpoint in BACKGROUND:
            useless = set(action.members) - _BEHIND
            if useless:
                raise FaultError(f"action: {', '.join(sorted(useless))}: nobody gets an answer from {endpoint}")
            if "perspective" in match:
                action = Action({**action.members, "perspective": match["perspective"]})
            elif action.perspective is not None:
                match["perspective"] = action.perspective
        elif useless := set(action.members) & _BEHIND - {"delay"}:
            needed = ", ".join(sorted(BACKGROUND))
            raise FaultError(f"action: {', '.join(sorted(useless))}: only where endpoint is {needed}")
        fault = Fault(
            None if endpoint == "*" else endpoint, name.lower() if name else None, skip, count or None, action, match
        )
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """What still waits, in order."""
        return [fault.document() for fault in self._waiting]

    def take(self, endpoint: str, names: Sequence[str], subject: Subject = _NOTHING) -> Action | None:
        """What happens to this request. Each fault that waits for it counts it; the first one ready acts."""
        found: Action | None = None
        for fault in list(self._waiting):
            if not fault.concerns(endpoint, names, subject):
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


def _match(match: object) -> dict[str, Any]:
    if not isinstance(match, dict) or set(match) - set(_MATCH):
        raise FaultError(f"match: an object with some of {', '.join(_MATCH)}")
    for member, value in match.items():
        check, expected = _MATCH[member]
        if not check(value):
            raise FaultError(f"match: {member} cannot be {value!r:.80}: {expected}")
    endpoint = match.get("endpoint")
    if endpoint not in {None, "*"} and endpoint not in ENDPOINTS:
        raise FaultError(f"endpoint: {endpoint!r:.80} is none of {', '.join(sorted(ENDPOINTS))}")
    return dict(match)
