"""How things stand: what `status` shows, from the same facts and the same plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from jprs_client.planning.actions import Kind
from jprs_client.planning.facts import CertificateFacts, Failure, LineageFacts, State
from jprs_client.planning.plan import Plan
from jprs_client.planning.rules import failure_of
from jprs_client.terms.names import DnsName

#: Worst first: a certificate's status is the first that holds.
STATUSES = ("revoked", "expired", "missing", "failing", "due", "valid")


@dataclass(frozen=True, slots=True)
class CertificateStanding:
    """One certificate as it stands: `names` are those of the current version, or the wanted ones before the first."""

    name: str
    names: frozenset[DnsName]
    status: str
    current: CertificateFacts | None
    renew_at: datetime | None
    failure: Failure | None
    targets: tuple[tuple[str, bool], ...]


def standings(plan: Plan, state: State) -> tuple[CertificateStanding, ...]:
    """Every certificate that is managed or wanted, by name.

    Only what is still to be done can be failing: what failed for names that nobody asks for any more is past.
    """
    replaced_at: dict[str, datetime] = {}
    due_names: dict[str, frozenset[DnsName]] = {}
    failures: dict[str, list[Failure]] = {}
    for action in plan.coming:
        failure = failure_of(action, state)
        # An unanswered question harms no certificate, and what failed before its time is tried again in time.
        if failure is not None and action.kind is not Kind.OBSERVE and action.due_at <= plan.at:
            failures.setdefault(action.certificate, []).append(failure)
        if action.kind in {Kind.ISSUE, Kind.RENEW, Kind.REISSUE}:
            replaced_at.setdefault(action.certificate, action.due_at)
            due_names.setdefault(action.certificate, action.names)
    found = []
    for name in sorted(set(plan.install) | {lineage.name for lineage in state.lineages.values() if _kept(lineage)}):
        lineage = state.lineages.get(name)
        current = lineage.current if lineage is not None else None
        failure = _latest(failures.get(name, ()))
        renew_at = replaced_at.get(name)
        found.append(
            CertificateStanding(
                name=name,
                names=current.names if current is not None else due_names.get(name, frozenset()),
                status=_status(current, failure, renew_at, plan.at),
                current=current,
                renew_at=renew_at,
                failure=failure,
                targets=tuple(
                    (target, _is_served(state, target, name, current)) for target in plan.install.get(name, ())
                ),
            )
        )
    return tuple(found)


def _kept(lineage: LineageFacts) -> bool:
    return lineage.archived_at is None and lineage.current is not None


def _latest(failures: Iterable[Failure]) -> Failure | None:
    return max(failures, key=lambda failure: failure.failed_at, default=None)


def _is_served(state: State, target: str, name: str, current: CertificateFacts | None) -> bool:
    seen = state.installations.get((target, name))
    return seen is not None and current is not None and seen.version == current.version and seen.served_at is not None


def _status(
    current: CertificateFacts | None, failure: Failure | None, renew_at: datetime | None, now: datetime
) -> str:  # fmt: skip
    if current is None:
        return "missing"
    if current.revoked_at is not None:
        return "revoked"
    if current.not_after <= now:
        return "expired"
    if failure is not None:
        return "failing"
    return "due" if renew_at is not None and renew_at <= now else "valid"
