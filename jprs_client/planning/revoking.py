"""What a revocation takes with it: each certificate that shares the key; replaced where the site goes on (R3, R4).

A compromise is asked for once and carried out until it is done: asked for again after a crash, it goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jprs_client.planning.facts import CertificateFacts, LineageFacts, RevocationIntent
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
    lineages: Mapping[str, LineageFacts],
    wanted: Collection[str],
    now: datetime,
    waiting: Iterable[RevocationIntent] = (),
) -> tuple[RevocationIntent, ...]:
    """What is to be revoked for one certificate; for a compromised key, every living one that shares it.

    `replace_it` None: replaced, unless control was lost or the site is closed, whatever code a graver circumstance
    gives. Only a certificate that is in service and still `wanted` can be replaced; one that was to be replaced when it
    was asked for before, and is `waiting`, goes on so: its replacement may be there, but not yet served (FAULTS 146).
    """
    compromised = code is Reason.KEY_COMPROMISE
    hit = [(lineage, chosen)]
    if compromised:
        hit += [
            (other, facts)
            for other, facts in every
            if facts.key_spki_sha256 == chosen.key_spki_sha256
            and (other, facts.version) != (lineage, chosen.version)
            and facts.revoked_at is None
            and facts.not_after > now
        ]
    gone = code is Reason.CESSATION_OF_OPERATION or not GONE.isdisjoint(circumstances)
    wish = replace_it if replace_it is not None else not gone
    begun = {(intent.lineage, intent.version) for intent in waiting if intent.replace}
    return tuple(
        RevocationIntent(
            lineage=other,
            version=facts.version,
            serial=facts.serial,
            reason=int(code),
            circumstances=tuple(sorted(circumstance.option for circumstance in circumstances)),
            replace=wish
            and ((other, facts.version) in begun or (other in wanted and _is_current(lineages.get(other), facts))),
            requested_at=now,
            deadline=now + (COMPROMISE_DEADLINE if compromised else OTHER_DEADLINE),
            names=facts.names,
        )
        for other, facts in hit
    )


@dataclass(frozen=True, slots=True)
class RevokedKey:
    """A certificate that was revoked for its key: which version of which lineage, and when."""

    lineage: str
    version: int
    revoked_at: datetime


def leaked_keys(
    lineage: str,
    versions: Iterable[CertificateFacts],
    current: int | None,
    *,
    waiting: Iterable[RevocationIntent],
    revoked: Iterable[RevokedKey],
    every_version: bool,
    now: datetime,
) -> frozenset[str]:
    """The keys that a person means who says that `lineage`'s has leaked: the current one's, or each living one's.

    Said again while that is being carried out, or within a day after, the keys of then are meant, not the new one that
    has just taken their place: nothing is replaced twice for one leak.
    """
    known = {facts.version: facts for facts in versions}
    unfinished = {
        intent.version
        for intent in waiting
        if intent.lineage == lineage and intent.reason == Reason.KEY_COMPROMISE
    }  # fmt: skip
    lately = any(
        each.lineage == lineage and each.version != current and now - each.revoked_at < COMPROMISE_DEADLINE
        for each in revoked
    )
    living = {
        version
        for version, facts in known.items()
        if facts.revoked_at is None and facts.not_after > now and (every_version or version == current)
    }
    if unfinished or lately:
        living = {version for version in living if version != current}
    return frozenset(known[version].key_spki_sha256 for version in living | unfinished if version in known)


def compromise(
    keys: Collection[str],
    *,
    every: Iterable[tuple[str, CertificateFacts]],
    waiting: Iterable[RevocationIntent],
    lineages: Mapping[str, LineageFacts],
    wanted: Collection[str],
    now: datetime,
    deadline: timedelta = COMPROMISE_DEADLINE,
    at_once: bool = False,
) -> tuple[RevocationIntent, ...]:
    """Each living certificate with one of `keys`, to be replaced where its site goes on and revoked with code 1.

    `at_once` revokes before anything is replaced. What waits already goes on as it was asked for, by the earlier
    deadline (FAULTS 15, 147).
    """
    begun = {
        (intent.lineage, intent.version): intent
        for intent in waiting
        if intent.reason == Reason.KEY_COMPROMISE
    }  # fmt: skip
    until = now if at_once else now + deadline
    found = []
    for lineage, facts in every:
        if facts.key_spki_sha256 not in keys or facts.revoked_at is not None or facts.not_after <= now:
            continue
        before = begun.get((lineage, facts.version))
        in_service = lineage in wanted and _is_current(lineages.get(lineage), facts)
        found.append(
            RevocationIntent(
                lineage=lineage,
                version=facts.version,
                serial=facts.serial,
                reason=int(Reason.KEY_COMPROMISE),
                circumstances=(Circumstance.KEY_COMPROMISED.option,),
                replace=in_service if before is None else before.replace,
                requested_at=now,
                deadline=until if before is None else min(until, before.deadline),
                names=facts.names,
            )
        )
    return tuple(found)


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


def _is_current(lineage: LineageFacts | None, facts: CertificateFacts) -> bool:
    return lineage is not None and lineage.current is not None and lineage.current.version == facts.version
