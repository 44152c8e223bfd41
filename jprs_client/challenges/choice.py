"""Which solver proves which name, and by which challenge. Pure; asked before there is an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from jprs_client.errors import ChallengeFailed, harmless
from jprs_client.plugin import Proof


class ChallengeOffer(Protocol):
    """One challenge of an authorization, as `ca` hands it over."""

    @property
    def type(self) -> str:
        """As in RFC 8555 §8."""

    @property
    def token(self) -> str:
        """It has passed the token grammar."""


Offer = TypeVar("Offer", bound=ChallengeOffer)
OfferOut_co = TypeVar("OfferOut_co", bound=ChallengeOffer, covariant=True)


class AuthorizationOffer(Protocol[OfferOut_co]):
    """What the CA wants proved for one name."""

    @property
    def name(self) -> str:
        """Without `*.` (RFC 8555 §7.1.4)."""

    @property
    def wildcard(self) -> bool:
        """Whether it was asked for `*.name`."""

    @property
    def challenges(self) -> Sequence[OfferOut_co]:
        """The ways there are."""


class NotSolvable(ChallengeFailed):
    """The person acts, in the configuration: this name cannot be proved in this way, today or tomorrow."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Choice(Generic[Offer]):
    """One name's proof to be: who puts it up, and which challenge is answered afterwards.

    `challenge` is the very object of the authorization, so its URL is at hand.
    """

    name: str
    wildcard: bool
    solver: str
    challenge: Offer

    def proof(self, content: str) -> Proof:
        """The proof; `content` is the key authorization for http-01, its digest for dns-01 (`content_for`)."""
        return Proof(self.challenge.type, self.name, self.challenge.token, content, self.wildcard)


def content_for(challenge_type: str, key_authorization: str) -> str:
    """What a proof shows: http-01 the key authorization, dns-01 its digest as base64url (RFC 8555 §8.3, §8.4)."""
    if challenge_type != "dns-01":
        return key_authorization
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    return urlsafe_b64encode(sha256(key_authorization.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def check_solvable(
    certificate: str, names: Iterable[str], solver_for: Callable[[str], str], solver_types: Mapping[str, str]
) -> tuple[NotSolvable, ...]:
    """Why `certificate` cannot be proved as configured, one error a name, sorted; empty when it can.

    `names` may be wildcards; `solver_types` says what each solver proves by. A wildcard needs dns-01 (FAULTS 111):
    wildcard-needs-dns names the certificate, the name, its solver, and the solvers that would do.
    """
    able = [solver for solver, challenge_type in sorted(solver_types.items()) if challenge_type == "dns-01"]
    return tuple(
        NotSolvable(
            "wildcard-needs-dns",
            certificate=certificate,
            name=name,
            solver=solver_for(name),
            challenge=solver_types[solver_for(name)],
            able=", ".join(able) or None,
        )
        for name in sorted(names)
        if name.startswith("*.") and solver_types[solver_for(name)] != "dns-01"
    )


def choose(
    authorizations: Iterable[AuthorizationOffer[Offer]],
    solver_for: Callable[[str], str],
    solver_types: Mapping[str, str],
) -> tuple[Choice[Offer], ...]:
    """A choice for each authorization, in their order; `solver_for` is asked with `*.` where it was ordered so.

    Raises NotSolvable challenge-not-offered when the CA does not have what the solver proves by.
    """
    return tuple(_choice(authorization, solver_for, solver_types) for authorization in authorizations)


def _choice(
    authorization: AuthorizationOffer[Offer], solver_for: Callable[[str], str], solver_types: Mapping[str, str]
) -> Choice[Offer]:
    name = f"*.{authorization.name}" if authorization.wildcard else authorization.name
    solver = solver_for(name)
    wanted = solver_types[solver]
    for challenge in authorization.challenges:
        if challenge.type == wanted:
            return Choice(authorization.name, authorization.wildcard, solver, challenge)
    raise NotSolvable(
        "challenge-not-offered",
        name=name,
        solver=solver,
        challenge=wanted,
        offered=harmless(", ".join(sorted({challenge.type for challenge in authorization.challenges}))) or None,
    )
