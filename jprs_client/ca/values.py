"""What the CA's answers come down to: frozen, plain types, every text from outside made harmless."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem document (RFC 7807, RFC 8555 §6.7). `kind` is the last part of an ACME `type`, else "".

    `name` is the identifier of a subproblem; `status` is 0 where nobody said one; `detail` is never empty.
    """

    type: str
    kind: str
    detail: str
    status: int = 0
    name: str | None = None
    instance: str | None = None
    subproblems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """Where what is asked (RFC 8555 §7.1.1). All addresses are of the directory's own origin; None: not offered.

    `terms_of_service` and `website` are to be shown to a person, never fetched.
    """

    new_nonce: str
    new_account: str
    new_order: str
    revoke_cert: str | None = None
    key_change: str | None = None
    renewal_info: str | None = None
    terms_of_service: str | None = None
    website: str | None = None
    caa_identities: tuple[str, ...] = ()
    external_account_required: bool = False
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """An account at the CA (RFC 8555 §7.1.2). `contact` without `mailto:`; `created` tells whether it is new."""

    url: str
    status: str
    contact: tuple[str, ...] = ()
    created: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """An order (RFC 8555 §7.1.3), for exactly the names that were asked for.

    `replaces_dropped` tells that the CA would not take it as a replacement, and it was ordered without.
    `retry_after` is how long the CA wants us to wait before the next look, already clamped; None: it did not say.
    """

    url: str
    status: str
    names: frozenset[str]
    authorizations: tuple[str, ...]
    finalize: str
    certificate: str | None = None
    expires_at: datetime | None = None
    error: Problem | None = None
    replaces_dropped: bool = False
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to prove control of a name (RFC 8555 §8). `token` has passed the token grammar."""

    type: str
    url: str
    status: str
    token: str
    error: Problem | None = None
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """What has to be proved for one name, and how it stands (RFC 8555 §7.1.4). `name` is without `*.`."""

    url: str
    name: str
    wildcard: bool
    status: str
    challenges: tuple[Challenge, ...]
    expires_at: datetime | None = None
    retry_after: timedelta | None = None

    def challenge(self, challenge_type: str) -> Challenge | None:
        """The challenge of that type, None where the CA does not offer it."""
        return next((challenge for challenge in self.challenges if challenge.type == challenge_type), None)


@dataclass(frozen=True, slots=True)
class Revocation:
    """A certificate is revoked; `already`: it had been before we asked."""

    already: bool = False


@dataclass(frozen=True, slots=True)
class RenewalInfo:
    """When the CA would like a certificate renewed (RFC 9773 §4.2), and from when on it may be asked again.

    `start` and `end` are both None while there is no usable answer; `failure` then says why, by code.
    `explanation_url` is to be shown, never fetched.
    """

    retry_at: datetime
    start: datetime | None = None
    end: datetime | None = None
    explanation_url: str | None = None
    failure: str | None = None
