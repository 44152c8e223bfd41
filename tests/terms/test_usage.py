"""Usage periods: start, continuation, end, suspension (ご利用条件 第10条; TERMS P1-P6, N7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jprs_client.errors import UsageError
from jprs_client.locale import terms as sentences
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import (
    JST,
    Term,
    Usage,
    UsagePeriod,
    UsageStatus,
    continuations,
    jst_day,
    jst_midnight,
)

MONTH, YEAR = Term.ONE_MONTH, Term.ONE_YEAR
PERIOD = UsagePeriod(date(2026, 11, 22), date(2026, 12, 31))
END = PERIOD.end
NEXT_DAY = END + timedelta(days=1)


def usage(
    *,
    name: str = "example.jp",
    term: Term = MONTH,
    continuation_term: Term = MONTH,
    period: UsagePeriod | None = PERIOD,
    terminating: bool = False,
    suspended: bool = False,
) -> Usage:
    return Usage(DnsName(name), term, continuation_term, period, terminating, suspended)


# Days are Japan's


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC), date(2026, 11, 30)),
        (datetime(2026, 11, 30, 15, 0, 0, tzinfo=UTC), date(2026, 12, 1)),
        (datetime(2026, 11, 30, 23, 59, 59, tzinfo=JST), date(2026, 11, 30)),
        (datetime(2026, 11, 30, 10, 0, tzinfo=timezone(timedelta(hours=-5))), date(2026, 12, 1)),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), date.max),  # RFC 5280's "never"
    ],
)
def test_a_day_is_the_day_in_japan(moment: datetime, day: date) -> None:
    assert jst_day(moment) == day


def test_a_moment_without_a_zone_has_no_day() -> None:
    with pytest.raises(ValueError, match="aware"):
        jst_day(datetime(2026, 11, 22))  # noqa: DTZ001 - the fault that is tried


@given(st.dates(min_value=date(1970, 1, 1), max_value=date(9000, 1, 1)))
def test_a_day_begins_at_midnight_in_japan(day: date) -> None:
    midnight = jst_midnight(day)
    assert midnight.tzinfo is UTC
    assert jst_day(midnight) == day
    assert jst_day(midnight - timedelta(microseconds=1)) == day - timedelta(days=1)


# Terms and periods


def month_end_by_counting(day: date, months: int) -> date:
    """The last day of the month that is `months` after `day`'s, found by walking from day to day (THREATS F14)."""
    turns = 0
    while True:
        following = day + timedelta(days=1)
        if following.day == 1:
            if turns == months:
                return day
            turns += 1
        day = following


@given(st.dates(min_value=date(2020, 1, 1), max_value=date(2140, 1, 1)), st.sampled_from(Term))
def test_a_term_ends_with_a_month(day: date, term: Term) -> None:
    assert term.end_from(day) == month_end_by_counting(day, term.value)


@pytest.mark.parametrize(
    ("start", "term", "end"),
    [
        ("2026-11-22", MONTH, "2026-12-31"),
        ("2026-11-22", YEAR, "2027-11-30"),
        ("2026-12-01", MONTH, "2027-01-31"),
        ("2027-01-31", MONTH, "2027-02-28"),
        ("2028-01-31", MONTH, "2028-02-29"),
        ("2028-02-29", YEAR, "2029-02-28"),
        ("2027-02-10", YEAR, "2028-02-29"),
        ("2099-02-10", YEAR, "2100-02-28"),
    ],
)
def test_a_period_starts_with_the_first_issuance_and_ends_with_a_month(start: str, term: Term, end: str) -> None:
    issued_at = jst_midnight(date.fromisoformat(start)) + timedelta(hours=23)
    assert UsagePeriod.starting(issued_at, term) == UsagePeriod(date.fromisoformat(start), date.fromisoformat(end))


def test_the_end_day_belongs_to_the_period() -> None:
    assert PERIOD.contains(PERIOD.start)
    assert PERIOD.contains(END)
    assert not PERIOD.contains(NEXT_DAY)
    assert not PERIOD.contains(PERIOD.start - timedelta(days=1))


def test_a_continuation_counts_from_the_end_and_keeps_the_start() -> None:
    assert PERIOD.continued(YEAR) == UsagePeriod(PERIOD.start, date(2027, 12, 31))
    assert PERIOD.continued(MONTH).continued(MONTH).end == date(2027, 2, 28)


@given(
    st.dates(min_value=date(2020, 1, 1), max_value=date(2060, 1, 1)),
    st.sampled_from(Term),
    st.sampled_from(Term),
    st.integers(min_value=0, max_value=4000),
)
def test_a_period_is_carried_on_until_it_contains_the_day(start: date, first: Term, later: Term, days: int) -> None:
    day = start + timedelta(days=days)
    period = UsagePeriod.starting(jst_midnight(start), first)
    carried = period.carried_to(day, later)
    assert carried.contains(day)
    ends = [each.end for each in continuations(period, later, day)]
    assert ends == sorted(set(ends))
    assert carried.end == (ends[-1] if ends else period.end)
    assert all(end < day for end in [period.end, *ends][:-1])
    expected = period.end
    while expected < day:
        expected = month_end_by_counting(expected, later.value)
    assert carried.end == expected


def test_the_calendars_end_is_no_trap() -> None:
    assert YEAR.end_from(date(9999, 5, 1)) == date.max
    assert PERIOD.carried_to(date.max, YEAR).end == date.max
    assert usage(period=UsagePeriod(date(9998, 1, 1), date(9999, 12, 15))).status(date.max) is UsageStatus.IN_USE


@pytest.mark.parametrize("term", Term)
def test_a_term_is_written_as_in_the_configuration(term: Term) -> None:
    assert Term.parse(term.label) is term
    assert f"term.{term.label}" in sentences.EN


@pytest.mark.parametrize("text", ["", "1M", "2m", "1", "1y ", "one year"])
def test_what_is_no_term_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        Term.parse(text)
    assert refused.value.code == "term-unknown"


# Usage FQDNs


def test_before_the_first_issuance_a_usage_fqdn_is_applied_for() -> None:
    applied = usage(period=None)
    assert applied.status(END) is UsageStatus.APPLIED
    assert applied.is_usable(END)
    assert applied.may_start
    assert not applied.has_started
    assert applied.ends is None
    assert applied.last_day(END) is None
    assert applied.at(END) is applied


def test_the_first_issuance_starts_the_period_and_another_does_not() -> None:
    started = usage(period=None).started(datetime(2026, 11, 21, 15, 0, tzinfo=UTC))
    assert started.period == PERIOD
    assert started.started(datetime(2027, 5, 1, tzinfo=UTC)) is started
    assert not started.may_start
    assert started.has_started


def test_without_a_notice_use_continues_by_the_continuation_term() -> None:
    in_use = usage(continuation_term=YEAR)
    assert in_use.at(END) is in_use
    assert in_use.at(NEXT_DAY).ends == date(2027, 12, 31)
    assert in_use.status(END) is in_use.status(NEXT_DAY) is UsageStatus.IN_USE
    assert in_use.last_day(NEXT_DAY) is None
    assert in_use.at(date(2029, 1, 1)).ends == date(2029, 12, 31)


def test_an_end_already_set_does_not_move_when_a_term_is_changed() -> None:
    """第10条3項: only the continuation term at the moment of continuing counts."""
    assert usage(term=YEAR, continuation_term=YEAR).at(END).ends == END


def test_a_notice_ends_use_on_the_end_day_and_not_before() -> None:
    terminating = usage(terminating=True)
    assert terminating.status(END) is UsageStatus.TERMINATING
    assert terminating.is_usable(END)
    assert terminating.last_day(END) == END
    assert terminating.is_ending(END)
    assert terminating.status(NEXT_DAY) is UsageStatus.ENDED
    assert not terminating.is_usable(NEXT_DAY)
    assert terminating.is_over(NEXT_DAY)
    assert terminating.at(date(2030, 1, 1)) is terminating


def test_a_withdrawn_notice_lets_use_continue() -> None:
    """第10条4項: it can be withdrawn until the end day; the flag is gone, and with it the end."""
    assert usage(terminating=False).last_day(END) is None
    assert usage(terminating=False).is_usable(NEXT_DAY)


def test_while_the_operator_is_suspended_nothing_starts() -> None:
    """第10条6項."""
    applied = usage(period=None, suspended=True)
    assert not applied.may_start
    assert not applied.is_usable(END)
    assert applied.status(END) is UsageStatus.APPLIED


def test_while_the_operator_is_suspended_what_has_started_is_used_to_its_end_and_no_longer() -> None:
    """第10条6項: a period whose end day falls into the suspension ends, notice or not."""
    suspended = usage(suspended=True)
    assert suspended.status(END) is UsageStatus.IN_USE
    assert suspended.is_usable(END)
    assert suspended.last_day(END) == END
    assert suspended.is_over(NEXT_DAY)


def test_a_notice_filed_before_the_start_keeps_the_period_from_starting() -> None:
    applied = usage(period=None, terminating=True)
    assert not applied.may_start
    assert not applied.is_usable(END)


def test_before_its_first_day_a_period_has_not_begun() -> None:
    assert usage().status(PERIOD.start - timedelta(days=1)) is UsageStatus.APPLIED


def test_what_lasts_longer() -> None:
    ending = usage(terminating=True)
    forever, applied = usage(name="a.jp"), usage(name="a.jp", period=None)
    later = usage(name="a.jp", period=UsagePeriod(PERIOD.start, NEXT_DAY), terminating=True)
    assert forever.outlives(ending, END)
    assert applied.outlives(ending, END)
    assert later.outlives(ending, END)
    assert not ending.outlives(later, END)
    assert not usage(name="a.jp", terminating=True).outlives(ending, END)  # the same day
    assert not usage(name="a.jp", period=None, suspended=True).outlives(ending, END)
    assert not forever.outlives(forever, END)  # nobody outlives what goes on
    assert not ending.outlives(forever, END)


@given(
    st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.sampled_from(Term),
    st.booleans(),
    st.booleans(),
    st.dates(date(2026, 1, 1), date(2030, 12, 31)),
)
def test_usable_is_applied_for_in_use_or_terminating_up_to_the_end_day(
    start: date | None, term: Term, terminating: bool, suspended: bool, today: date
) -> None:
    """TERMS N7, spelt out again."""
    period = None if start is None else UsagePeriod.starting(jst_midnight(start), term)
    this = usage(period=period, continuation_term=term, terminating=terminating, suspended=suspended)
    stays = not terminating and not suspended
    expected = stays or (period is not None and period.start <= today <= period.end)
    assert this.is_usable(today) is expected
    assert this.at(today).at(today) == this.at(today)
    assert this.at(today).status(today) is this.status(today)
    assert this.is_over(today) is (this.status(today) is UsageStatus.ENDED)


@pytest.mark.parametrize("status", UsageStatus)
def test_each_status_has_its_words(status: UsageStatus) -> None:
    assert f"usage-status.{status.value}" in sentences.EN
