"""Usage FQDNs and their periods: start, continuation, end, suspension (ご利用条件 第10条; TERMS P1-P6, N7).

Days are Japan's. A period is a value that knows its own arithmetic; whatever depends on the day takes it as argument.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import Self

from jprs_client.errors import UsageError, harmless
from jprs_client.terms.names import DnsName, issuable

JST = timezone(timedelta(hours=9), "JST")


def jst_day(moment: datetime) -> date:
    """The day in Japan at `moment`, which must be aware. The calendar's last day for moments beyond it."""
    if moment.tzinfo is None:
        raise ValueError("a moment is aware")
    try:
        return moment.astimezone(JST).date()
    except OverflowError:  # RFC 5280 §4.1.2.5: 99991231235959Z stands for "no well-defined end"
        return date.max if moment.year > 1 else date.min


def jst_midnight(day: date) -> datetime:
    """The moment `day` begins in Japan, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=JST).astimezone(UTC)


class Term(Enum):
    """How many months a start or a continuation carries a usage period."""

    ONE_MONTH = 1
    ONE_YEAR = 12

    @classmethod
    def parse(cls, text: str) -> Self:
        """The term that configuration and command line write as `1m` or `1y`. Raises UsageError."""
        for term in cls:
            if term.label == text:
                return term
        raise UsageError("term-unknown", term=harmless(text, 40))

    @property
    def label(self) -> str:
        """`1m` or `1y`."""
        return "1m" if self is Term.ONE_MONTH else "1y"

    def end_from(self, day: date) -> date:
        """The last day of the month that lies `self.value` months after `day`'s (ご利用条件 第10条2項・3項)."""
        years, month0 = divmod(day.month - 1 + self.value, 12)
        year, month = day.year + years, month0 + 1
        if year > date.max.year:
            return date.max
        return date(year, month, calendar.monthrange(year, month)[1])


@dataclass(frozen=True, slots=True)
class UsagePeriod:
    """Days on which one usage FQDN may be used; both ends belong to it (ご利用条件 第10条)."""

    start: date
    end: date

    @classmethod
    def starting(cls, first_issued_at: datetime, term: Term) -> Self:
        """第10条2項: starts on the JST day of the first issuance, which is the certificate's notBefore."""
        start = jst_day(first_issued_at)
        return cls(start, term.end_from(start))

    def continued(self, term: Term) -> Self:
        """第10条3項: no termination notice by the end day."""
        return replace(self, end=term.end_from(self.end))

    def contains(self, day: date) -> bool:
        """Whether `day` is one of the period's days, the end day until 24:00 JST included."""
        return self.start <= day <= self.end

    def carried_to(self, day: date, term: Term) -> Self:
        """第10条3項, as often as it takes: the period with every continuation that has happened before `day`."""
        period = self
        while period.end < day:
            period = period.continued(term)
        return period


def continuations(period: UsagePeriod, term: Term, until: date) -> Iterator[UsagePeriod]:
    """What `period` becomes by each continuation that takes effect up to and on `until`, soonest first.

    Each takes effect at 00:00 JST of the day after the end day of the one before it.
    """
    while period.end < until:
        period = period.continued(term)
        yield period


class UsageStatus(Enum):
    """Where a usage FQDN stands on a day."""

    APPLIED = "applied"
    IN_USE = "in-use"
    TERMINATING = "terminating"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Usage:
    """One usage FQDN as it is known: what the planner thinks with.

    `period` is None until a certificate was first issued, and otherwise the period as known when `terminating` and
    `suspended` were; so neither of them lets it continue. `terminating`: a termination notice is filed for this
    period. `suspended`: the managing operator is. `continuation_term` is the one set now, for continuations to come.
    """

    name: DnsName
    term: Term
    continuation_term: Term
    period: UsagePeriod | None = None
    terminating: bool = False
    suspended: bool = False

    @property
    def issuable(self) -> frozenset[DnsName]:
        """The names it authorises while it is usable."""
        return issuable(self.name)

    @property
    def has_started(self) -> bool:
        """Whether a certificate was issued for it once (ご利用条件 第10条2項)."""
        return self.period is not None

    @property
    def ends(self) -> date | None:
        """The end day of the period as known; None before the start."""
        return None if self.period is None else self.period.end

    @property
    def will_continue(self) -> bool:
        """Whether its period is carried on after the end day: no notice, no suspension (第10条3項・4項・6項)."""
        return not (self.terminating or self.suspended)

    @property
    def may_start(self) -> bool:
        """Whether a first issuance may start its period (第10条6項: not while the operator is suspended).

        Nor when a termination notice is filed already: nobody wants to pay for what is to end.
        """
        return self.period is None and self.will_continue

    def at(self, today: date) -> Usage:
        """The usage FQDN as it stands on `today`, its period carried on as often as the terms do that by themselves."""
        if self.period is None or not self.will_continue or self.period.end >= today:
            return self
        return replace(self, period=self.period.carried_to(today, self.continuation_term))

    def started(self, first_issued_at: datetime) -> Usage:
        """The usage FQDN after the first issuance for it; one that has started already is not changed by another."""
        if self.period is not None:
            return self
        return replace(self, period=UsagePeriod.starting(first_issued_at, self.term))

    def status(self, today: date) -> UsageStatus:
        """Applied for, in use, terminating (a notice is filed), or ended."""
        period = self.at(today).period
        if period is None or today < period.start:
            return UsageStatus.APPLIED
        if today > period.end:
            return UsageStatus.ENDED
        return UsageStatus.TERMINATING if self.terminating else UsageStatus.IN_USE

    def is_usable(self, today: date) -> bool:
        """Whether certificates may be issued for its names on `today` (TERMS N7)."""
        match self.status(today):
            case UsageStatus.APPLIED:
                return self.will_continue
            case UsageStatus.ENDED:
                return False
            case _:
                return True

    def last_day(self, today: date) -> date | None:
        """The end day, where the period ends for certain: a notice is filed or the operator is suspended.

        None when it will continue, and before the start.
        """
        return None if self.will_continue else self.at(today).ends

    def is_ending(self, today: date) -> bool:
        """Whether it ends for certain, or has ended (TERMS P6: suspension makes all that have started end)."""
        return self.last_day(today) is not None

    def is_over(self, today: date) -> bool:
        """Whether its period is over, so that the CA may revoke what was issued for it (ご利用条件 第12条4項)."""
        return self.status(today) is UsageStatus.ENDED

    def outlives(self, other: Usage, today: date) -> bool:
        """Whether it can still be used when the period of `other` is over; never for one that will continue itself."""
        end, own_end = other.last_day(today), self.last_day(today)
        if end is None or not self.is_usable(today):
            return False
        return own_end is None or own_end > end
