"""What the CA's refusals mean for a person: from a problem document to one of our errors (RFC 8555 §6.7). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum

from jprs_client.ca.retry_after import clamp
from jprs_client.ca.values import Authorization, Order, Problem
from jprs_client.errors import (
    CaUnavailable,
    ChallengeFailed,
    ConsentNeeded,
    JprsClientError,
    RefusedByCa,
    harmless,
)

_PREFIXES = ("urn:ietf:params:acme:error:", "urn:acme:error:")

#: Waits of whole refusals: asking again within a minute is rude, asking once a day is not.
LEAST_PATIENCE = timedelta(seconds=1)
MOST_PATIENCE = timedelta(days=1)
DEFAULT_PATIENCE = timedelta(hours=1)


class Asking(Enum):
    """What was asked for when the CA refused; the same problem means different things."""

    REGISTRATION = "registration"
    ACCOUNT = "account"
    ORDER = "order"
    RESUMED = "resumed"  # an order, authorization, challenge or certificate known by its URL
    FINALIZE = "finalize"
    REVOCATION = "revocation"
    VALIDATION = "validation"  # the error of a challenge, not of a request
    OTHER = "other"


def problem_from(document: object, status: int = 0) -> Problem:
    """The problem in a JSON value; whatever is missing or of a wrong type is left out (FAULTS 80, M7)."""
    return _problem(document, status, depth=0)


def _problem(document: object, status: int, depth: int) -> Problem:
    members: Mapping[str, object] = document if isinstance(document, dict) else {}
    kind_of_problem = members.get("type")
    type_ = harmless(kind_of_problem, 200) if isinstance(kind_of_problem, str) else "about:blank"
    kind = next((type_.removeprefix(prefix) for prefix in _PREFIXES if type_.startswith(prefix)), "")
    told = members.get("status")
    if isinstance(told, int) and not isinstance(told, bool) and 100 <= told <= 599 and not status:
        status = told
    text = next((t for m in ("detail", "title") if isinstance(t := members.get(m), str) and harmless(t)), None)
    identifier = members.get("identifier")
    name = identifier.get("value") if isinstance(identifier, dict) else None
    instance = members.get("instance")
    below = members.get("subproblems")
    return Problem(
        type=type_,
        kind=kind if kind.isascii() and kind.isalpha() else "",
        detail=harmless(text) if text else (type_ if kind else f"HTTP {status}"),
        status=status,
        name=harmless(name, 255) if isinstance(name, str) else None,
        instance=harmless(instance, 1000) if isinstance(instance, str) else None,
        subproblems=tuple(_problem(entry, 0, depth + 1) for entry in below[:100])
        if isinstance(below, list) and depth < 2
        else (),
    )


#: Validation went wrong: the person acts, in DNS or at the web server.
_CHALLENGES = {
    "connection": "challenge-connection",
    "dns": "challenge-dns",
    "dnssec": "challenge-dns",
    "unknownHost": "challenge-dns",
    "unauthorized": "challenge-unauthorized",
    "tls": "challenge-tls",
    "incorrectResponse": "challenge-incorrect",
}

#: Refusals whose meaning does not depend on what was asked for.
_REFUSALS = {
    "accountDoesNotExist": "account-unknown",
    "externalAccountRequired": "eab-required",
    "rejectedIdentifier": "name-refused-by-ca",
    "unsupportedIdentifier": "name-refused-by-ca",
    "caa": "caa-forbids",
    "badCSR": "csr-refused",
    "badPublicKey": "key-refused",
    "badSignatureAlgorithm": "key-refused",
    "badRevocationReason": "reason-refused-by-ca",
    "alreadyRevoked": "already-revoked",
    "alreadyReplaced": "already-replaced",
    "invalidContact": "contact-refused",
    "unsupportedContact": "contact-refused",
    "invalidEmail": "contact-refused",
    "orderNotReady": "order-not-ready",
    "invalidProfile": "profile-refused",
}

#: With credentials in the request, these are about the credentials (FAULTS 85).
_OF_CREDENTIALS = {"unauthorized", "malformed", "externalAccountRequired", "badSignatureAlgorithm", ""}


def refusal(
    problem: Problem,
    *,
    asking: Asking = Asking.OTHER,
    now: datetime,
    name: str | None = None,
    wait: timedelta | None = None,
    with_eab: bool = False,
    challenge: str | None = None,
    url: str | None = None,
) -> JprsClientError:
    """The error for a person that `problem` comes down to.

    `name` is the name it is about when the problem itself names none; `wait` is what Retry-After asked for; `url` is
    what to show a person where the CA gave no address itself. Never raises.
    """
    of_one, deciding = _deciding(problem)
    name = ", ".join(of_one) or problem.name or name
    kind, detail = deciding.kind, deciding.detail
    patience = now + clamp(wait, LEAST_PATIENCE, MOST_PATIENCE, DEFAULT_PATIENCE)
    if kind == "rateLimited" or problem.status == 429:
        return CaUnavailable(
            "ca-rate-limited", retry_at=patience, detail=detail, url=problem.instance or url, problem_type=problem.type
        )
    if problem.status == 503 and wait is not None:
        return CaUnavailable("ca-maintenance", retry_at=patience, detail=detail, problem_type=problem.type)
    if kind == "serverInternal" or problem.status >= 500:
        known = None if wait is None else patience
        return CaUnavailable(
            "ca-server-error", retry_at=known, detail=detail, status=problem.status, problem_type=problem.type
        )
    if kind == "badNonce":
        return CaUnavailable("ca-nonce-refused", detail=detail, problem_type=problem.type)
    if kind == "userActionRequired":
        return ConsentNeeded("terms-changed", url=problem.instance or url, detail=detail, problem_type=problem.type)
    if asking is Asking.REGISTRATION and with_eab and kind in _OF_CREDENTIALS:
        return RefusedByCa("eab-refused", problem_type=problem.type, detail=detail, instance=problem.instance)
    if (of_one or asking in {Asking.VALIDATION, Asking.FINALIZE}) and kind in _CHALLENGES and name:
        return _challenge_failed(_CHALLENGES[kind], problem, detail, name, challenge)
    if asking is Asking.VALIDATION and kind not in _REFUSALS:
        return _challenge_failed("challenge-failed", problem, detail, name, challenge)
    code = _REFUSALS.get(kind) or _by_request(kind, problem.status, asking)
    return RefusedByCa(
        code, problem_type=problem.type, detail=detail, instance=problem.instance, name=name, status=problem.status
    )


def _by_request(kind: str, status: int, asking: Asking) -> str:
    """The code of a refusal whose type says little by itself."""
    if asking is Asking.RESUMED and (status in {404, 410} or kind == "notFound"):
        return "order-gone"
    if kind == "unauthorized" or status in {401, 403}:
        return "revocation-unauthorized" if asking is Asking.REVOCATION else "account-refused"
    return "request-malformed" if kind == "malformed" else "ca-refused"


def _challenge_failed(
    code: str, problem: Problem, detail: str, name: str | None, challenge: str | None
) -> ChallengeFailed:
    return ChallengeFailed(code, name=name, detail=detail, challenge=challenge, problem_type=problem.type)


def _deciding(problem: Problem) -> tuple[tuple[str, ...], Problem]:
    """The names that failed, and the problem that says why: the first subproblem of a `compound` (FAULTS 79)."""
    named = [below for below in problem.subproblems if below.name]
    names = tuple(dict.fromkeys(below.name for below in named if below.name))
    if named and (problem.kind in {"compound", "malformed", ""} or named[0].kind == problem.kind):
        return names, named[0]
    return names, problem


def authorization_failure(authorization: Authorization, now: datetime) -> JprsClientError:
    """Why control of a name was not proved, from the challenge that failed; that may keep silent (FAULTS M5)."""
    name = f"*.{authorization.name}" if authorization.wildcard else authorization.name
    failed = [challenge for challenge in authorization.challenges if challenge.error is not None]
    for challenge in failed:
        if challenge.error is not None:
            return refusal(challenge.error, asking=Asking.VALIDATION, now=now, name=name, challenge=challenge.type)
    tried = next((c.type for c in authorization.challenges if c.status == "invalid"), None)
    return ChallengeFailed("challenge-failed-silently", name=name, status=authorization.status, challenge=tried)


def order_failure(order: Order, now: datetime) -> JprsClientError:
    """Why an invalid order came to nothing, as far as the order itself says."""
    if order.error is None:
        return RefusedByCa("order-invalid", name=", ".join(sorted(order.names)), detail=order.status)
    name = next(iter(order.names)) if len(order.names) == 1 else None
    return refusal(order.error, asking=Asking.FINALIZE, now=now, name=name)
