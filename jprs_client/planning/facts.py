"""What we know when we decide: one frozen picture, put together by `store` from what was done and seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import TypeVar

from jprs_client.errors import Params
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import Term

K = TypeVar("K")
V = TypeVar("V")


def _nothing() -> Mapping[K, V]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One version of a lineage, as it was verified when it came."""

    version: int
    names: frozenset[DnsName]
    serial: str
    not_before: datetime
    not_after: datetime
    key_spki_sha256: str
    fingerprint: str
    revoked_at: datetime | None = None
    revocation_reason: int | None = None


@dataclass(frozen=True, slots=True)
class AriFacts:
    """The CA's word on when to renew (RFC 9773); `renew_at` was drawn once from its window, `look_at` is next time."""

    look_at: datetime
    renew_at: datetime | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None
    explanation_url: str | None = None


@dataclass(frozen=True, slots=True)
class LineageFacts:
    """One certificate's line through its renewals.

    `current` is the version under `live/`. `rolled_back_at`: a person went back to it from a newer one.
    `retired_at`: it was revoked and is not to be replaced until a person asks by name. `archived_at`: it is no
    longer managed.
    """

    name: str
    current: CertificateFacts | None = None
    previous_version: int | None = None
    rolled_back_at: datetime | None = None
    retired_at: datetime | None = None
    archived_at: datetime | None = None
    ari: AriFacts | None = None


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """What is remembered of a usage FQDN's period.

    `ends` is the last end day that was computed or taken over; `config_ends` is the `ends` the configuration said
    then. `terminating` and `suspended` were true when `ends` was last recorded. `ended_on`: the period is over.
    `continuation_term` is what the period goes on by when the configuration no longer says.
    """

    name: DnsName
    started: date | None = None
    ends: date | None = None
    config_ends: date | None = None
    terminating: bool = False
    suspended: bool = False
    ended_on: date | None = None
    start_confirmed_at: datetime | None = None
    continuation_term: Term | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """The version a target was last given, and when it was seen served there."""

    target: str
    lineage: str
    version: int
    installed_at: datetime
    served_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """How often an action failed in a row, with what, and when it is tried again by itself.

    `names` are those it failed for: another set of names starts afresh. `imposed`: the moment is the CA's word
    (Retry-After), which a person at the keyboard waits for too. `since`: the first failure of this row, None where
    nobody wrote it down. `exit_code` is the error's own and tells who has to act.
    """

    lineage: str
    action: str
    names: frozenset[DnsName]
    count: int
    code: str
    params: Params
    failed_at: datetime
    retry_at: datetime
    imposed: bool = False
    target: str = ""
    since: datetime | None = None
    exit_code: int = 1


@dataclass(frozen=True, slots=True)
class RevocationIntent:
    """A revocation that was asked for and is not yet confirmed by the CA.

    `replace`: a new certificate takes the old one's place first. It is revoked at `deadline` at the latest, replaced or
    not (TERMS R3: 24 hours for a compromised key). `names` are those of the certificate that is to be revoked, and
    `not_after` is its end, after which there is nothing left to revoke; None where nobody knows.
    """

    lineage: str
    version: int
    serial: str
    reason: int
    circumstances: tuple[str, ...]
    replace: bool
    requested_at: datetime
    deadline: datetime
    names: frozenset[DnsName] = frozenset()
    not_after: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether the certificate has expired: it is accepted nowhere, and no CA revokes it any more."""
        return self.not_after is not None and self.not_after <= now


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The ACME account at the configured directory."""

    url: str
    status: str
    contact: tuple[str, ...]
    key_spki_sha256: str
    registered_at: datetime
    terms_url: str | None = None
    terms_agreed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Everything we know. `known_at` is the moment at which it was put together."""

    known_at: datetime
    account: AccountFacts | None = None
    lineages: Mapping[str, LineageFacts] = field(default_factory=_nothing)
    usages: Mapping[DnsName, UsageRecord] = field(default_factory=_nothing)
    installations: Mapping[tuple[str, str], Installation] = field(default_factory=_nothing)
    failures: Mapping[tuple[str, str, str], Failure] = field(default_factory=_nothing)
    revocations: tuple[RevocationIntent, ...] = ()
    missing_names: frozenset[DnsName] = frozenset()
    offers_ari: bool | None = None
