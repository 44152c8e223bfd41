"""Refusals as values: RFC 7807 problem documents with the types of RFC 8555 §6.7 and RFC 9773 §7.4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

URN = "urn:ietf:params:acme:error:"

#: The status a type is answered with where the place that raises it says nothing else.
STATUS: Mapping[str, int] = {
    "accountDoesNotExist": 400,
    "alreadyReplaced": 409,
    "alreadyRevoked": 400,
    "badCSR": 400,
    "badNonce": 400,
    "badPublicKey": 400,
    "badRevocationReason": 400,
    "badSignatureAlgorithm": 400,
    "caa": 403,
    "compound": 400,
    "connection": 400,
    "dns": 400,
    "externalAccountRequired": 403,
    "incorrectResponse": 403,
    "invalidContact": 400,
    "invalidProfile": 400,
    "malformed": 400,
    "orderNotReady": 403,
    "rateLimited": 429,
    "rejectedIdentifier": 403,
    "serverInternal": 500,
    "tls": 400,
    "unauthorized": 403,
    "unsupportedContact": 400,
    "unsupportedIdentifier": 400,
    "userActionRequired": 403,
}


@dataclass(frozen=True, slots=True)
class Subproblem:
    """What is wrong with one identifier of several (RFC 8555 §6.7.1); `type` is the identifier's."""

    kind: str
    detail: str
    name: str
    type: str = "dns"

    def document(self) -> dict[str, Any]:
        """As it stands in the problem document."""
        return {
            "type": URN + self.kind,
            "detail": self.detail,
            "identifier": {"type": self.type, "value": self.name},
        }


@dataclass(eq=False)
class Problem(Exception):
    """A request is refused, or a validation failed; `kind` is the type without its URN."""

    kind: str
    detail: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    subproblems: Sequence[Subproblem] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.status:
            self.status = STATUS.get(self.kind, 400)

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"

    def document(self) -> dict[str, Any]:
        """The problem document."""
        document: dict[str, Any] = {"type": URN + self.kind, "detail": self.detail, "status": self.status, **self.more}
        if self.subproblems:
            document["subproblems"] = [problem.document() for problem in self.subproblems]
        return document


def malformed(detail: str, status: int = 400) -> Problem:
    """The request is not what the RFC says it is."""
    return Problem("malformed", detail, status)


def without_trace(problem: Problem) -> Problem:
    """The same, to be kept: without what was going on where it was raised, which would be kept along with it."""
    problem.__cause__ = problem.__context__ = problem.__traceback__ = None
    return problem
