"""What a revocation takes with it: each certificate that shares the key; replaced where the site goes on (R3, R4).

A compromise is asked for once and carried out until it is done: asked for again after a crash, it goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jprs_client.planning.facts import CertificateFacts, LineageFacts, RevocationIntent
from jprs_client.terms.names import DnsName
from jprs_client.terms.reasons import Circumstance, Reason

#: A compromised key is revoked within this, replaced or not (TERMS R3); everything else has days.
COMPROMISE_DEADLINE = timedelta(hours=24)
OTHER_DEADLINE = timedelta(days=5)

#: Where one of these holds nothing is left to replace, or nobody who could prove it.
GONE = frozenset({Circumstance.CONTROL_LOST, Circumstance.SITE_CLOSED})

#: Of two codes asked for one after the other, the first of these is the one to revoke with (TERMS R2).
GRAVEST_FIRST = (
    Reason.KEY_COMPROMISE,
    Reason.CESSATION_OF_OPERATION,
    Reason.AFFILIATION_CHANGED,
    Reason.SUPERSEDED,
    Reason.UNSPECIFIED,
)


def intents(
    lineage: str,
    chosen: CertificateFacts,
    circumstances: Collection[Circumstance],
    code: Reason,
    *,
    replace_it: bool | None,
    every: Iterable[tuple[str, CertificateFacts]],
    wanted: Collection[DnsName],
    now: datetime,
) -> tuple[RevocationIntent, ...]:
    """What is to be revoked for one certificate; for a compromised key, every living one that shares it.

    `replace_it` None: replaced, unless control was lost or the site is closed, whatever code a graver circumstance
    gives. `wanted` are the names of all certificates there should be: where none of a certificate's names is among
    them, nothing takes its place.
    """
    compromised = code is Reason.KEY_COMPROMISE
    hit = [(lineage, chosen)]
    if compromised:
        hit += [
            (other, facts)
            for other, facts in every
            if facts.key_spki_sha256 == chosen.key_spki_sha256
            and (other, facts.version) != (lineage, chosen.version)
            and is_living(facts, now)
        ]
    gone = code is Reason.CESSATION_OF_OPERATION or not GONE.isdisjoint(circumstances)
    wish = replace_it if replace_it is not None else not gone
    words = tuple(sorted(circumstance.option for circumstance in circumstances))
    deadline = now + (COMPROMISE_DEADLINE if compromised else OTHER_DEADLINE)
    return tuple(
        _intent(other, facts, code, words, now, deadline, replace_it=wish and is_carried(facts.names, wanted))
        for other, facts in hit
    )


def is_living(facts: CertificateFacts, now: datetime) -> bool:
    """Neither expired nor revoked."""
    return facts.revoked_at is None and facts.not_after > now


def is_carried(names: Iterable[DnsName], wanted: Collection[DnsName]) -> bool:
    """Whether some certificate there should be has one of `names`, so that something takes their place."""
    return any(own.covers(name) for name in names for own in wanted)


@dataclass(frozen=True, slots=True)
class Leak:
    """A certificate that was asked to be revoked for its key: which, when, and whether that is done.

    `is_followed`: the version in service now was issued after the leak was told.
    """

    lineage: str
    version: int
    done_at: datetime | None
    is_followed: bool

    def is_recent(self, now: datetime) -> bool:
        """Whether it is being carried out, or was done within a day."""
        return self.done_at is None or now - self.done_at < COMPROMISE_DEADLINE


def leaked_keys(
    lineage: str,
    versions: Iterable[CertificateFacts],
    current: int | None,
    *,
    leaks: Iterable[Leak],
    every_version: bool,
    now: datetime,
) -> tuple[frozenset[str], bool]:
    """The keys that a person means who says that `lineage`'s has leaked: the current one's, or each living one's.

    Said again while that is being carried out, or within a day after, the keys of then are meant, and not the one that
    has been made since: nothing is replaced twice for one leak. The second value tells whether that was so.
    """
    known = {facts.version: facts for facts in versions}
    lately = [leak for leak in leaks if leak.lineage == lineage and leak.is_recent(now)]
    meant = {
        version
        for version, facts in known.items()
        if is_living(facts, now) and (every_version or version == current)
    }  # fmt: skip
    given_up = {leak.version for leak in lately}
    spared = any(leak.is_followed for leak in lately) and current in meant - given_up
    if spared:
        meant = {version for version in meant if version != current}
    return frozenset(known[version].key_spki_sha256 for version in meant | given_up if version in known), spared


def compromise(
    keys: Collection[str],
    *,
    every: Iterable[tuple[str, CertificateFacts]],
    waiting: Iterable[RevocationIntent],
    lineages: Mapping[str, LineageFacts],
    wanted: Collection[DnsName],
    now: datetime,
    deadline: timedelta = COMPROMISE_DEADLINE,
    at_once: bool = False,
) -> tuple[RevocationIntent, ...]:
    """Each living certificate with one of `keys`, to be replaced where its site goes on and revoked with code 1.

    `at_once` revokes before anything is replaced. What waits already goes on as it was asked for, by the earlier
    deadline (FAULTS 15, 147); what is given up, since its site is closed, stays so.
    """
    before = {(intent.lineage, intent.version): intent for intent in waiting}
    until = now if at_once else now + deadline
    found = []
    for lineage, facts in every:
        if facts.key_spki_sha256 not in keys or not is_living(facts, now):
            continue
        asked = before.get((lineage, facts.version))
        known = lineages.get(lineage)
        retired = known is not None and known.retired_at is not None
        found.append(
            _intent(
                lineage,
                facts,
                Reason.KEY_COMPROMISE,
                (Circumstance.KEY_COMPROMISED.option,),
                now,
                until if asked is None else min(until, asked.deadline),
                replace_it=(asked.replace if asked else not retired) and is_carried(facts.names, wanted),
            )
        )
    return tuple(found)


def _intent(
    lineage: str,
    facts: CertificateFacts,
    code: Reason,
    circumstances: tuple[str, ...],
    now: datetime,
    deadline: datetime,
    *,
    replace_it: bool,
) -> RevocationIntent:
    return RevocationIntent(
        lineage=lineage,
        version=facts.version,
        serial=facts.serial,
        reason=int(code),
        circumstances=circumstances,
        replace=replace_it,
        requested_at=now,
        deadline=deadline,
        names=facts.names,
        not_after=facts.not_after,
    )


def asked_again(first: RevocationIntent, again: RevocationIntent) -> RevocationIntent:
    """What becomes of a revocation that waits and is asked for once more.

    The graver reason and the earlier deadline stand; whether it is replaced first is the later word.
    """
    graver = min(first, again, key=lambda intent: GRAVEST_FIRST.index(Reason(intent.reason)))
    return replace(
        again,
        reason=graver.reason,
        circumstances=tuple(sorted({*first.circumstances, *again.circumstances})),
        requested_at=min(first.requested_at, again.requested_at),
        deadline=min(first.deadline, again.deadline),
    )
