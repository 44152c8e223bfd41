"""From what the configuration says and what is remembered to each usage FQDN's period (TERMS P1-P6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter

from jprs_client.config import Config, UsageFqdnTable
from jprs_client.planning.facts import State, UsageRecord
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import Term, Usage, UsagePeriod, UsageStatus, jst_day


def usages(config: Config, state: State, now: datetime) -> tuple[Usage, ...]:
    """Every declared usage FQDN as it stands on `now`'s JST day, in the order of names.

    What the configuration says of notices and suspension is taken as known on the day of `state.known_at`: a notice
    concerns the period that runs on that day (ご利用条件 第10条4項), whatever day is then asked about.
    """
    known_on, today = jst_day(state.known_at), jst_day(now)
    suspended = config.operator.suspended
    return tuple(
        usage_of(table, state.usages.get(table.name), suspended=suspended, known_on=min(known_on, today)).at(today)
        for table in sorted(config.usage_fqdns, key=attrgetter("name.ascii"))
    )


def usage_of(table: UsageFqdnTable, record: UsageRecord | None, *, suspended: bool, known_on: date) -> Usage:
    """One usage FQDN with the period that was running on `known_on`, or the one that ended before."""
    period = _period(table, record, suspended=suspended, known_on=known_on)
    return Usage(table.name, table.term, table.continuation_term, period, table.terminating, suspended)


def _period(
    table: UsageFqdnTable, record: UsageRecord | None, *, suspended: bool, known_on: date
) -> UsagePeriod | None:
    period = _last_known_period(table, record, known_on)
    if period is None:
        return None
    if table.started is None and record is not None and record.ended_on is not None:
        # It is over. Without the notice in the file it has been applied for anew (a new contract, not started).
        return period if table.terminating or suspended else None
    ends_at_known_end = (
        (table.terminating and record is not None and record.terminating)
        or (suspended and record is not None and record.suspended)
        or (table.terminating and period.end == table.ends)  # the operator's word on the very day it ends
    )
    return period if ends_at_known_end else period.carried_to(known_on, table.continuation_term)


def _last_known_period(table: UsageFqdnTable, record: UsageRecord | None, known_on: date) -> UsagePeriod | None:
    """The configuration's word wins over what was computed; what was recorded since then wins over both."""
    recorded_start = record.started if record is not None else None
    start = table.started or recorded_start
    if start is None or (recorded_start is None and start > known_on):
        return None  # a day to come is no day on which another client has issued
    said_anew = record is None or record.ends is None or (record.config_ends, recorded_start) != (table.ends, start)
    if table.ends is not None and said_anew:
        return UsagePeriod(start, table.ends)
    if record is not None and record.ends is not None and (table.started is None or table.started == recorded_start):
        return UsagePeriod(start, record.ends)
    return UsagePeriod(start, table.term.end_from(start))


@dataclass(frozen=True, slots=True)
class Gone:
    """A usage FQDN whose period runs on although the configuration no longer has it (TERMS P9).

    `continues`: no termination notice is known, so that it goes on after `ends`.
    """

    name: DnsName
    ends: date
    continues: bool


def gone(config: Config, state: State, now: datetime) -> tuple[Gone, ...]:
    """Usage FQDNs that are paid for and forgotten, each with the end of the period that runs today.

    Nobody says any more what it goes on by: that is taken as it was last known.
    """
    declared = {table.name for table in config.usage_fqdns}
    today = jst_day(now)
    found = []
    for record in sorted(state.usages.values(), key=lambda record: record.name):
        if record.name in declared or record.started is None or record.ends is None or record.ended_on is not None:
            continue
        period = UsagePeriod(record.started, record.ends)
        if not (record.terminating or (record.suspended and config.operator.suspended)):
            period = period.carried_to(today, record.continuation_term or Term.ONE_MONTH)
        if period.end >= today:
            found.append(Gone(record.name, period.end, continues=not record.terminating))
    return tuple(found)


def record_of(table: UsageFqdnTable, usage: Usage, record: UsageRecord | None, today: date) -> UsageRecord:
    """What to remember of `usage` on `today`, so that later changes of terms do not move ends already set (P4)."""
    ended = usage.status(today) is UsageStatus.ENDED
    return UsageRecord(
        name=usage.name,
        started=usage.period.start if usage.period else None,
        ends=usage.period.end if usage.period else None,
        config_ends=table.ends,
        terminating=usage.terminating,
        suspended=usage.suspended,
        ended_on=usage.period.end if ended and usage.period else None,
        start_confirmed_at=record.start_confirmed_at if record and usage.period is None else None,
        continuation_term=usage.continuation_term,
    )
