"""How long certificates are valid, and when a first issuance waits (ご利用条件 第3条; TERMS C1, P1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jprs_client.terms.usage import JST, jst_day
from jprs_client.terms.validity import (
    close_to_month_end,
    expected_not_after,
    industry_maximum,
    last_valid_day,
)

moments = st.datetimes(datetime(2026, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments)
def test_a_certificate_is_valid_until_ninety_days_after_the_day_of_issuance(issued_at: datetime) -> None:
    assert last_valid_day(issued_at) - jst_day(issued_at) == timedelta(days=90)


def test_the_last_day_is_whole() -> None:
    issued_at = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    assert expected_not_after(issued_at) == datetime(2027, 2, 20, 23, 59, 59, tzinfo=JST)


@pytest.mark.parametrize(
    ("day", "days"),
    [
        (date(2019, 1, 1), None),
        (date(2026, 3, 14), 398),
        (date(2026, 3, 15), 200),
        (date(2027, 3, 14), 200),
        (date(2027, 3, 15), 100),
        (date(2029, 3, 14), 100),
        (date(2029, 3, 15), 47),
        (date(2040, 1, 1), 47),
    ],
)
def test_the_industrys_maximum_falls_step_by_step(day: date, days: int | None) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=JST)
    assert industry_maximum(noon) == (None if days is None else timedelta(days=days))


def test_before_there_was_a_maximum_the_terms_alone_count() -> None:
    assert expected_not_after(datetime(2019, 1, 1, tzinfo=JST)) == datetime(2019, 4, 1, 23, 59, 59, tzinfo=JST)


@given(moments)
def test_no_certificate_is_expected_to_live_longer_than_terms_and_industry_allow(issued_at: datetime) -> None:
    not_after = expected_not_after(issued_at)
    assert jst_day(not_after) <= last_valid_day(issued_at)
    if jst_day(issued_at) >= date(2029, 3, 15):
        assert not_after - issued_at == timedelta(days=47, seconds=-1)
    else:
        assert jst_day(not_after) == last_valid_day(issued_at)


@pytest.mark.parametrize(
    ("now", "close"),
    [
        (datetime(2026, 11, 30, 22, 59, 59, tzinfo=JST), False),
        (datetime(2026, 11, 30, 23, 0, 0, tzinfo=JST), True),
        (datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 30, 15, 0, 0, tzinfo=UTC), False),
        (datetime(2026, 12, 31, 23, 30, tzinfo=JST), True),
        (datetime(2027, 2, 28, 23, 30, tzinfo=JST), True),
        (datetime(2028, 2, 28, 23, 30, tzinfo=JST), False),
        (datetime(2026, 12, 1, 0, 0, tzinfo=JST), False),
        (datetime(2026, 11, 30, 23, 30, tzinfo=UTC), False),
    ],
)
def test_a_first_issuance_within_an_hour_of_a_months_end_in_japan_waits_for_the_new_month(
    now: datetime, close: bool
) -> None:
    assert close_to_month_end(now) is close
