"""The plan: every action known to be coming, soonest first. Start reading here.

Due now, the next waking and "why?" are one computation: `plan(config, state, now)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from jprs_client.config import Config
from jprs_client.planning.actions import Action, Kind, Problem
from jprs_client.planning.facts import LineageFacts, RevocationIntent, State
from jprs_client.planning.rules import RULES, Picture, still_shown
from jprs_client.planning.usages import gone
from jprs_client.terms.usage import Usage, UsageStatus, jst_day


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known to be coming as seen at `at`. `install` are the targets of every certificate there should be."""

    at: datetime
    coming: tuple[Action, ...]
    problems: tuple[Problem, ...]
    usages: tuple[Usage, ...]
    install: Mapping[str, tuple[str, ...]]

    @property
    def due(self) -> tuple[Action, ...]:
        """The actions whose moment has come; looking again is none of them."""
        return tuple(action for action in self.coming if action.due_at <= self.at and action.kind is not Kind.OBSERVE)

    @property
    def upcoming(self) -> tuple[Action, ...]:
        """The rest: later ones, and every observation."""
        return tuple(action for action in self.coming if action.due_at > self.at or action.kind is Kind.OBSERVE)

    def next_at(self) -> datetime | None:
        """When something will have to be done or tried again by itself; None when nothing is known to come."""
        return min((action.attempt_at for action in self.coming), default=None)


def plan(config: Config, state: State, now: datetime, *, jitter: bool = True) -> Plan:
    """Every action known to be coming, soonest first, with its reason, and what stands in the way."""
    picture = Picture(config, state, now, jitter)
    coming = [action for rule in RULES for action in rule(picture)]
    coming.sort(key=attrgetter("due_at"))  # stable: ties stay in the order of the rules, and of names within one
    targets = {certificate.name: certificate.install for certificate in picture.wanted.by_name.values()}
    return Plan(now, tuple(coming), tuple(_problems(picture)), picture.usages, targets)


def _problems(picture: Picture) -> Iterable[Problem]:
    yield from picture.wanted.problems
    if picture.config.planner.grouping != "per-usage-fqdn" and not picture.config.certificates:
        yield Problem("grouping-not-there-yet", {"grouping": picture.config.planner.grouping})
    if picture.state.account is None:
        yield Problem("not-registered", {"directory": picture.config.ca.directory})
    elif picture.state.account.status != "valid":
        yield Problem("account-not-valid", {"status": picture.state.account.status}, exit_code=4)
    today = jst_day(picture.now)
    for usage in picture.usages:
        if usage.status(today) is UsageStatus.ENDED and usage.period is not None:
            yield Problem("usage-ended", {"name": usage.name.ascii, "ends": usage.period.end.isoformat()})
        elif usage.period is None and usage.suspended:
            yield Problem("operator-suspended", {"name": usage.name.ascii}, exit_code=4)
        elif usage.period is None and usage.terminating:
            yield Problem("notice-before-start", {"name": usage.name.ascii}, exit_code=4)
        elif usage.is_ending(today):
            yield from _shared_with(picture, usage)
    yield from _on_no_certificate(picture)
    if not picture.usages:
        yield Problem("no-usage-fqdn", {"file": str(picture.config.path)})
    for intent in picture.state.revocations:
        if intent.replace and not intent.is_over(picture.now) and intent.deadline > picture.now:
            yield from _shown_without_successor(picture, intent)
    for lost in gone(picture.config, picture.state, picture.now):
        if lost.continues:
            yield Problem("usage-not-in-configuration", {"name": lost.name.ascii, "ends": lost.ends.isoformat()})
    for lineage in sorted(picture.state.lineages.values(), key=lambda lineage: lineage.name):
        if lineage.retired_at is not None and lineage.archived_at is None:
            yield Problem("not-replaced", {"name": lineage.name}, lineage.name)
            yield from _still_paid_for(picture, lineage)


def _on_no_certificate(picture: Picture) -> Iterable[Problem]:
    """A usage FQDN that is paid for and that no certificate there should be carries a name of (TERMS P9)."""
    carried = frozenset(name for each in picture.wanted.by_name.values() for name in each.names)
    today = jst_day(picture.now)
    for usage in picture.usages:
        in_use = usage.status(today) is UsageStatus.IN_USE
        if in_use and picture.config.certificates and carried.isdisjoint(usage.issuable):
            yield Problem("on-no-certificate", {"name": usage.name.ascii})


def _shown_without_successor(picture: Picture, intent: RevocationIntent) -> Iterable[Problem]:
    """A site that shows what is to be revoked, and that the configuration gives nothing in its place."""
    given = {target for carrier in picture.carriers(intent) for target in carrier.install}
    for target in still_shown(picture, intent):
        if target not in given:
            params = {
                "certificate": intent.lineage, "target": target, "serial": intent.serial,
                "deadline": intent.deadline.isoformat(),
            }  # fmt: skip
            yield Problem("shown-without-successor", params, intent.lineage)


def _shared_with(picture: Picture, ending: Usage) -> Iterable[Problem]:
    """Certificates that fall with an ending usage FQDN although names on them go on (ご利用条件 第12条4項; P7, P8)."""
    at_risk = picture.authority.at_risk(ending)
    for certificate in picture.wanted.by_name.values():
        others = certificate.names - at_risk
        if others and certificate.names & at_risk and ending.ends is not None:
            params = {
                "certificate": certificate.name,
                "usage_fqdn": ending.name.ascii,
                "ends": ending.ends.isoformat(),
                "names": ", ".join(sorted(name.ascii for name in others)),
            }
            yield Problem("shares-with-ending", params, certificate.name)


def _still_paid_for(picture: Picture, lineage: LineageFacts) -> Iterable[Problem]:
    """A certificate that is given up ends no usage period (ご利用条件 第10条3項, 第13条; TERMS P9)."""
    names = lineage.current.names if lineage.current is not None else frozenset()
    for usage in picture.usages:
        if usage.name in names and usage.ends is not None and usage.will_continue:
            yield Problem(
                "still-paid-for", {"usage_fqdn": usage.name.ascii, "ends": usage.ends.isoformat()}, lineage.name
            )
