"""From configuration and memory to each period (ご利用条件 第10条; TERMS P1-P6, P9; FAULTS 133, 134, 137)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from jprs_client.config import Config, UsageFqdnTable
from jprs_client.planning.facts import State, UsageRecord
from jprs_client.planning.usages import Gone, gone, record_of, usages
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import Term, Usage, UsagePeriod, UsageStatus
from tests.planning.worlds import config, knowing, remembered, usage

NAME = DnsName("example.jp")
MONTH, YEAR = Term.ONE_MONTH, Term.ONE_YEAR


def noon(day: date) -> datetime:
    """12:00 of that day in Japan."""
    return datetime(day.year, day.month, day.day, 3, tzinfo=UTC)


def seen(made: Config, record: UsageRecord | None, on: date, *, known_on: date | None = None) -> Usage:
    state = knowing(usages=[record] if record else [], known_at=noon(known_on or on))
    (found,) = usages(made, state, noon(on))
    return found


def one(table: UsageFqdnTable, record: UsageRecord | None, on: date, *, suspended: bool = False) -> Usage:
    return seen(config(table, suspended=suspended), record, on)


def period(start: str, end: str) -> UsagePeriod:
    return UsagePeriod(date.fromisoformat(start), date.fromisoformat(end))


STARTED = date(2026, 11, 22)


def test_before_the_first_issuance_there_is_no_period() -> None:
    found = one(usage("example.jp"), None, date(2026, 12, 1))

    assert found.period is None
    assert found.status(date(2026, 12, 1)) is UsageStatus.APPLIED


@pytest.mark.parametrize(
    ("term", "continuation", "on", "expected"),
    [
        (MONTH, MONTH, date(2026, 12, 31), period("2026-11-22", "2026-12-31")),
        (MONTH, MONTH, date(2027, 1, 1), period("2026-11-22", "2027-01-31")),
        (MONTH, YEAR, date(2027, 1, 1), period("2026-11-22", "2027-12-31")),
        (YEAR, YEAR, date(2027, 11, 30), period("2026-11-22", "2027-11-30")),
        (YEAR, MONTH, date(2027, 12, 1), period("2026-11-22", "2027-12-31")),
        (MONTH, MONTH, date(2029, 2, 28), period("2026-11-22", "2029-02-28")),
    ],
)
def test_started_in_the_file_is_carried_on_to_today(
    term: Term, continuation: Term, on: date, expected: UsagePeriod
) -> None:
    table = usage("example.jp", term, continuation_term=continuation, started=STARTED)

    assert one(table, None, on).period == expected


def test_ends_in_the_file_wins_over_what_is_computed() -> None:
    table = usage("example.jp", YEAR, started=STARTED, ends=date(2027, 3, 31))

    assert one(table, None, date(2026, 12, 1)).ends == date(2027, 3, 31)
    assert one(table, None, date(2027, 4, 1)).ends == date(2028, 3, 31), "and continues from there"


def test_ends_in_the_file_wins_over_what_is_remembered_when_it_is_new() -> None:
    record = UsageRecord(NAME, STARTED, date(2027, 11, 30))
    table = usage("example.jp", YEAR, started=STARTED, ends=date(2027, 3, 31))

    assert one(table, record, date(2026, 12, 1)).ends == date(2027, 3, 31)


def test_ends_in_the_file_still_wins_when_only_the_start_is_corrected() -> None:
    record = UsageRecord(NAME, date(2026, 11, 2), date(2027, 3, 31), config_ends=date(2027, 3, 31))
    table = usage("example.jp", YEAR, started=STARTED, ends=date(2027, 3, 31))

    assert one(table, record, date(2026, 12, 1)).period == period("2026-11-22", "2027-03-31")


def test_an_ends_that_was_taken_over_does_not_hold_back_later_continuations() -> None:
    record = UsageRecord(NAME, STARTED, date(2028, 3, 31), config_ends=date(2027, 3, 31))
    table = usage("example.jp", YEAR, started=STARTED, ends=date(2027, 3, 31))

    assert one(table, record, date(2027, 5, 1)).ends == date(2028, 3, 31)


@pytest.mark.parametrize(("term", "continuation"), [(MONTH, MONTH), (MONTH, YEAR), (YEAR, MONTH)])
def test_changed_terms_never_move_an_end_already_set(term: Term, continuation: Term) -> None:
    record = UsageRecord(NAME, STARTED, date(2027, 11, 30))
    for started in (None, STARTED):
        table = usage("example.jp", term, continuation_term=continuation, started=started)

        assert one(table, record, date(2027, 11, 30)).ends == date(2027, 11, 30)
        assert one(table, record, date(2027, 12, 1)).ends == continuation.end_from(date(2027, 11, 30))


def test_continuations_are_rolled_over_several_terms_however_long_nobody_looked() -> None:
    record = UsageRecord(NAME, STARTED, date(2026, 12, 31))

    assert one(usage("example.jp", MONTH), record, date(2027, 6, 15)).ends == date(2027, 6, 30)


def test_a_start_in_the_future_is_no_first_issuance_elsewhere() -> None:
    """P1: a slip of the pen must not start a period unasked."""
    found = one(usage("example.jp", started=date(2027, 11, 22)), None, date(2026, 12, 1))

    assert not found.has_started


# -- notices ----------------------------------------------------------------------------------------------------------


def test_a_notice_known_before_the_end_ends_use_on_the_end_day() -> None:
    record = UsageRecord(NAME, STARTED, date(2026, 12, 31), terminating=True)
    table = usage("example.jp", MONTH, terminating=True)

    assert one(table, record, date(2026, 12, 31)).status(date(2026, 12, 31)) is UsageStatus.TERMINATING
    assert one(table, record, date(2027, 1, 1)).status(date(2027, 1, 1)) is UsageStatus.ENDED


def test_a_notice_first_known_after_the_end_concerns_the_period_that_runs_then() -> None:
    record = UsageRecord(NAME, STARTED, date(2026, 12, 31))
    found = one(usage("example.jp", MONTH, terminating=True), record, date(2027, 1, 5))

    assert found.ends == date(2027, 1, 31)
    assert found.status(date(2027, 1, 5)) is UsageStatus.TERMINATING


def test_a_notice_with_the_operators_word_on_that_very_end_day_needs_no_memory() -> None:
    table = usage("example.jp", MONTH, started=STARTED, ends=date(2026, 12, 31), terminating=True)

    assert one(table, None, date(2027, 1, 5)).status(date(2027, 1, 5)) is UsageStatus.ENDED


def test_a_notice_known_today_is_not_undone_by_asking_about_a_later_day() -> None:
    record = UsageRecord(NAME, STARTED, date(2026, 12, 31))
    made = config(usage("example.jp", MONTH, terminating=True))

    found = seen(made, record, date(2027, 2, 1), known_on=date(2026, 12, 10))

    assert found.status(date(2027, 2, 1)) is UsageStatus.ENDED
    assert found.ends == date(2026, 12, 31)


def test_a_notice_withdrawn_before_the_end_lets_use_continue() -> None:
    record = UsageRecord(NAME, STARTED, date(2026, 12, 31), terminating=True)

    assert one(usage("example.jp", MONTH), record, date(2026, 12, 31)).status(date(2026, 12, 31)) is UsageStatus.IN_USE
    assert one(usage("example.jp", MONTH), record, date(2027, 1, 1)).ends == date(2027, 1, 31)


def test_what_has_ended_stays_ended_while_the_notice_stands() -> None:
    record = UsageRecord(NAME, STARTED, date(2026, 12, 31), terminating=True, ended_on=date(2026, 12, 31))
    found = one(usage("example.jp", MONTH, terminating=True), record, date(2027, 6, 1))

    assert found.status(date(2027, 6, 1)) is UsageStatus.ENDED
    assert found.ends == date(2026, 12, 31)


def test_what_has_ended_and_is_there_without_its_notice_was_applied_for_anew() -> None:
    record = UsageRecord(NAME, STARTED, date(2026, 12, 31), terminating=True, ended_on=date(2026, 12, 31))
    found = one(usage("example.jp", MONTH), record, date(2027, 6, 1))

    assert found.status(date(2027, 6, 1)) is UsageStatus.APPLIED
    assert found.may_start


def test_the_whole_way_from_notice_to_a_new_start_is_remembered() -> None:
    table = usage("example.jp", MONTH, terminating=True)
    state = knowing(usages=[UsageRecord(NAME, STARTED, date(2026, 12, 31))], known_at=noon(date(2026, 12, 20)))

    def on(day: date, made: Config, before: State) -> State:
        return remembered(made, replace(before, known_at=noon(day)), noon(day))

    state = on(date(2026, 12, 20), config(table), state)
    assert state.usages[NAME].terminating
    state = on(date(2027, 1, 3), config(table), state)
    assert state.usages[NAME].ended_on == date(2026, 12, 31)
    state = on(date(2027, 2, 3), config(usage("example.jp", MONTH)), state)
    assert state.usages[NAME].started is None
    (found,) = usages(config(usage("example.jp", MONTH)), state, noon(date(2027, 2, 3)))
    assert found.may_start


# -- suspension -------------------------------------------------------------------------------------------------------


def test_while_the_operator_is_suspended_an_end_day_that_comes_is_the_last_one() -> None:
    record = UsageRecord(NAME, STARTED, date(2026, 12, 31), suspended=True)

    found = one(usage("example.jp", MONTH), record, date(2027, 1, 1), suspended=True)

    assert found.status(date(2027, 1, 1)) is UsageStatus.ENDED


def test_a_suspension_first_known_after_an_end_day_leaves_the_period_that_runs() -> None:
    record = UsageRecord(NAME, STARTED, date(2026, 12, 31))

    found = one(usage("example.jp", MONTH), record, date(2027, 1, 5), suspended=True)

    assert found.status(date(2027, 1, 5)) is UsageStatus.IN_USE
    assert found.last_day(date(2027, 1, 5)) == date(2027, 1, 31)


def test_while_the_operator_is_suspended_nothing_starts_and_what_runs_stays_usable() -> None:
    on = date(2026, 12, 1)

    assert not one(usage("example.jp"), None, on, suspended=True).is_usable(on)
    assert one(usage("example.jp", started=STARTED), None, on, suspended=True).is_usable(on)


def test_after_the_suspension_a_period_it_did_not_touch_goes_on() -> None:
    record = UsageRecord(NAME, STARTED, date(2027, 11, 30), suspended=True)

    assert one(usage("example.jp"), record, date(2027, 12, 1)).ends == date(2028, 11, 30)


# -- what is remembered, and what is forgotten ------------------------------------------------------------------------


def test_a_confirmation_is_kept_until_the_period_starts() -> None:
    confirmed = UsageRecord(NAME, start_confirmed_at=noon(STARTED))
    table = usage("example.jp")
    waiting = Usage(NAME, YEAR, YEAR)

    assert record_of(table, waiting, confirmed, STARTED).start_confirmed_at == noon(STARTED)
    begun = waiting.started(noon(STARTED))
    assert record_of(table, begun, confirmed, STARTED).start_confirmed_at is None
    assert record_of(table, begun, confirmed, STARTED).ends == date(2027, 11, 30)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            UsageRecord(NAME, STARTED, date(2026, 12, 31), continuation_term=MONTH),
            [Gone(NAME, date(2027, 6, 30), True)],
        ),
        (
            UsageRecord(NAME, STARTED, date(2026, 12, 31), continuation_term=YEAR),
            [Gone(NAME, date(2027, 12, 31), True)],
        ),
        (UsageRecord(NAME, STARTED, date(2027, 7, 31), terminating=True), [Gone(NAME, date(2027, 7, 31), False)]),
        (UsageRecord(NAME, STARTED, date(2026, 12, 31), terminating=True), []),
        (UsageRecord(NAME, STARTED, date(2026, 12, 31), ended_on=date(2026, 12, 31)), []),
        (UsageRecord(NAME, start_confirmed_at=noon(STARTED)), []),
    ],
)
def test_a_usage_fqdn_gone_from_the_configuration_is_told_with_its_last_day(
    record: UsageRecord, expected: list[Gone]
) -> None:
    """P9: it is paid for until somebody files a notice, and the day for that is the one of the period that runs."""
    on = date(2027, 6, 15)

    assert list(gone(config("other.jp"), knowing(usages=[record]), noon(on))) == expected
    assert gone(config("example.jp"), knowing(usages=[record]), noon(on)) == ()


def test_under_suspension_what_is_gone_from_the_configuration_ends_by_itself() -> None:
    record = UsageRecord(NAME, STARTED, date(2026, 12, 31), suspended=True, continuation_term=MONTH)

    assert gone(config(suspended=True), knowing(usages=[record]), noon(date(2027, 6, 15))) == ()
