"""What monitoring and notices are told: how grave things are, from the same facts and the same plan as `status`.

A temporary failure is no alarm while there is time: the CA may be down for maintenance (ご利用条件 第18条).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from jprs_client.planning.actions import Action, Kind, Problem
from jprs_client.planning.facts import CertificateFacts, Failure, RevocationIntent, State
from jprs_client.planning.plan import Plan
from jprs_client.planning.rules import LATEST_SHARE, failure_of
from jprs_client.terms.reasons import Reason

#: Less than this share of the lifetime left is critical, whatever lifetimes are (6 days, 47, 90).
CRITICAL_SHARE = 1 / 10
#: With less than this share left no failure is called temporary any more. Renewals begin with a third left (or half).
SHORT_SHARE = 1 / 4
#: So long a temporary failure may last before it is told; for short lifetimes, the share that is told as critical.
PATIENCE = timedelta(days=1)
#: An older certificate that is still served was renewed with a fifth of its lifetime left at least.
OLDER_SHARE = 1 / 6
#: The last part of the time to a compromised key's deadline.
NEAR_DEADLINE = 1 / 4

#: Exit codes of errors that a person has to mend: a file, a refusal, a host. 5 mends itself; 1 may, if it is the first.
FOR_A_PERSON = frozenset({3, 4, 7})
TEMPORARY = 5

#: Problems of the plan that no exit code makes a warning, and one that is worse.
WARNED_OF = frozenset({"not-registered", "on-no-certificate", "shares-with-ending", "shown-without-successor"})
GRAVE = frozenset({"account-not-valid"})


class Level(IntEnum):
    """How grave; the value is the exit code that monitoring expects."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be; OK where nobody has to hear of it yet.

    `topic`, `certificate` and `about` stay the same while it gets better or worse: "certificate", "install" (`about` is
    the target), "revocation" (the serial), "problem" (of the plan). `code` and `params` make the sentence
    (`finding.CODE`, for a problem `problem.CODE`), `failure` is what went wrong last.
    """

    level: Level
    code: str
    params: Mapping[str, object]
    certificate: str = ""
    topic: str = "certificate"
    about: str = ""
    failure: Failure | None = None


def health(
    plan: Plan,
    state: State,
    now: datetime,
    *,
    warning: timedelta | None = None,
    critical: timedelta | None = None,
) -> tuple[Finding, ...]:
    """Everything that is not as it should be, gravest first.

    `warning` and `critical` are spans of remaining lifetime below which a person wants to hear besides.
    """
    found = [
        *_problems(plan.problems),
        *_certificates(plan, state, now, warning, critical),
        *_installations(plan, state, now),
        *_revocations(state, now),
    ]
    return tuple(sorted(found, key=lambda each: (-each.level, each.certificate, each.topic, each.about, each.code)))


def watched(plan: Plan, state: State, now: datetime) -> dict[str, CertificateFacts | None]:
    """The certificates that have to be in order, by name: wanted, not given up on purpose, not about to be archived."""
    leaving = {
        action.certificate for action in plan.coming if action.kind is Kind.REMOVE and action.due_at <= now
    }  # fmt: skip
    found: dict[str, CertificateFacts | None] = {}
    for name in sorted(plan.install):
        lineage = state.lineages.get(name)
        if name in leaving or (lineage is not None and lineage.retired_at is not None):
            continue
        found[name] = lineage.current if lineage is not None else None
    return found


def _problems(problems: Iterable[Problem]) -> Iterator[Finding]:
    for problem in problems:
        if problem.code in GRAVE or problem.exit_code or problem.code in WARNED_OF:
            level = Level.CRITICAL if problem.code in GRAVE else Level.WARNING
            about = str(problem.params.get("usage_fqdn") or problem.params.get("name") or "")
            yield Finding(level, problem.code, problem.params, problem.certificate, f"problem-{problem.code}", about)


def _certificates(
    plan: Plan, state: State, now: datetime, warning: timedelta | None, critical: timedelta | None
) -> Iterator[Finding]:
    replacements: dict[str, list[Action]] = {}
    for action in plan.coming:
        if action.kind in {Kind.ISSUE, Kind.RENEW, Kind.REISSUE}:
            replacements.setdefault(action.certificate, []).append(action)
    for name, current in watched(plan, state, now).items():
        coming = replacements.get(name, [])
        due = [action for action in coming if action.due_at <= now]
        failures = [failure for action in due if (failure := failure_of(action, state)) is not None]
        failure = max(failures, key=lambda each: each.failed_at, default=None)
        if current is None:
            found = _never_issued(name, due, failure, state, now)
        else:
            found = [
                *_as_time_passes(name, current, coming, failure, now, warning, critical),
                *_not_replaced(name, current, due, failure, state, now),
            ]
        if found:
            yield max(found, key=lambda each: each.level)  # the first of those that are as grave


def _never_issued(
    name: str, due: list[Action], failure: Failure | None, state: State, now: datetime
) -> list[Finding]:  # fmt: skip
    if failure is not None:
        level = Level.CRITICAL if _failing(failure, now, None) is Level.WARNING else Level.OK
        return [Finding(level, "never-issued-failing", _of(failure), name, failure=failure)]
    if not due or state.account is None:  # held back by what is told elsewhere
        return []
    return [_waiting(due, state, name) or Finding(Level.WARNING, "never-issued", {"certificate": name}, name)]


def _waiting(due: list[Action], state: State, name: str) -> Finding | None:
    """The first certificate of a usage FQDN, which a person may have to confirm (TERMS P1)."""
    open_ = {
        usage_fqdn
        for action in due
        for usage_fqdn in action.starts_usage
        if (record := state.usages.get(usage_fqdn)) is None or record.start_confirmed_at is None
    }
    if not open_:
        return None
    params = {"certificate": name, "names": ", ".join(sorted(each.ascii for each in open_))}
    return Finding(Level.WARNING, "start-waits", params, name)


def _as_time_passes(
    name: str,
    current: CertificateFacts,
    coming: list[Action],
    failure: Failure | None,
    now: datetime,
    warning: timedelta | None,
    critical: timedelta | None,
) -> Iterator[Finding]:
    """By the certificate's own days. One that ends before it would be renewed, since its usage FQDN does, may end."""
    left, lifetime = current.not_after - now, current.not_after - current.not_before
    params: dict[str, object] = {"certificate": name, "not_after": current.not_after, "left": left}
    if left <= timedelta(0):
        yield Finding(Level.CRITICAL, "expired", params, name, failure=failure)
    elif current.revoked_at is not None:
        revoked = {"certificate": name, "revoked_at": current.revoked_at}
        yield Finding(Level.CRITICAL, "revoked", revoked, name, failure=failure)
    elif (coming and left < lifetime * CRITICAL_SHARE) or (critical is not None and left < critical):
        yield Finding(Level.CRITICAL, "nearly-expired", params, name, failure=failure)
    elif warning is not None and left < warning:
        yield Finding(Level.WARNING, "nearly-expired", params, name, failure=failure)


def _not_replaced(
    name: str, current: CertificateFacts, due: list[Action], failure: Failure | None, state: State, now: datetime
) -> Iterator[Finding]:
    """A replacement that is due and does not happen."""
    if failure is not None:
        params = {**_of(failure), "not_after": current.not_after}
        yield Finding(_failing(failure, now, current), "failing", params, name, failure=failure)
    elif waiting := _waiting(due, state, name):
        yield waiting
    latest = current.not_before + (current.not_after - current.not_before) * LATEST_SHARE
    if failure is None and due and now >= latest:
        yield Finding(Level.WARNING, "overdue", {"certificate": name, "not_after": current.not_after}, name)


def _installations(plan: Plan, state: State, now: datetime) -> Iterator[Finding]:
    """A certificate that its site does not serve: a warning, until the older one there must be near its end."""
    for action in plan.coming:
        lineage = state.lineages.get(action.certificate)
        if action.kind is not Kind.INSTALL or action.due_at > now or lineage is None or lineage.current is None:
            continue
        failure, current = failure_of(action, state), lineage.current
        old = now - current.not_before >= (current.not_after - current.not_before) * OLDER_SHARE
        level = Level.CRITICAL if old and action.why.code == "older-served" else Level.WARNING
        params = {"certificate": action.certificate, "target": action.target, **(_of(failure) if failure else {})}
        code = "not-installed" if failure is None else "install-failing"
        yield Finding(level, code, params, action.certificate, "install", action.target, failure)


def _revocations(state: State, now: datetime) -> Iterator[Finding]:
    """A revocation that was asked for and has not happened: a duty with a deadline for a compromised key (TERMS R3)."""
    for intent in state.revocations:
        failure = state.failures.get((intent.lineage, Kind.REVOKE.value, intent.serial))
        level, code = _revoking(intent, failure, now)
        if code:
            params = {
                "certificate": intent.lineage, "serial": intent.serial, "deadline": intent.deadline,
                **(_of(failure) if failure else {}),
            }  # fmt: skip
            yield Finding(level, code, params, intent.lineage, "revocation", intent.serial, failure)


def _revoking(intent: RevocationIntent, failure: Failure | None, now: datetime) -> tuple[Level, str]:
    compromised = intent.reason == Reason.KEY_COMPROMISE
    if now >= intent.deadline:
        return (Level.CRITICAL if compromised else Level.WARNING), "revocation-overdue"
    if compromised and intent.deadline - now <= (intent.deadline - intent.requested_at) * NEAR_DEADLINE:
        return Level.CRITICAL, "revocation-near-deadline"
    if failure is not None:
        level = _failing(failure, now, None)
        return (max(level, Level.WARNING) if compromised else level), "revocation-failing"
    if compromised:  # a key that others may have is no matter that mends itself
        return Level.WARNING, "revocation-waiting"
    return Level.OK, ""


def _of(failure: Failure) -> dict[str, object]:
    return {
        "certificate": failure.lineage,
        "count": failure.count,
        "since": failure.since or failure.failed_at,
        "retry_at": failure.retry_at,
    }


def _failing(failure: Failure, now: datetime, current: CertificateFacts | None) -> Level:
    """A warning at once where a person has to act, or when it has failed twice; what mends itself is given time."""
    if failure.exit_code in FOR_A_PERSON or (failure.exit_code != TEMPORARY and failure.count > 1):
        return Level.WARNING
    patience = PATIENCE
    if current is not None:
        lifetime = current.not_after - current.not_before
        patience = min(PATIENCE, lifetime * CRITICAL_SHARE)
        if current.not_after - now < lifetime * SHORT_SHARE:
            return Level.WARNING
    return Level.WARNING if now - (failure.since or failure.failed_at) >= patience else Level.OK
