"""How long certificates are valid, and when not to issue a first one (ご利用条件 第3条; TERMS C1, P1).

For forecasts and checks alone: a real certificate's own notBefore and notAfter are what renewal goes by.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from jprs_client.terms.usage import JST, jst_day, jst_midnight

VALIDITY_DAYS = 90  # 第3条: counted from the day after the day of issuance

#: CA/Browser Forum ballot SC-081v3 (Baseline Requirements §6.3.2): from this day on, at most so many days.
INDUSTRY_MAXIMUM = (
    (date(2020, 9, 1), 398),
    (date(2026, 3, 15), 200),
    (date(2027, 3, 15), 100),
    (date(2029, 3, 15), 47),
)

#: No first issuance as close as this before a month's end: a minute more costs the subscriber a month less (TERMS P1).
PERIOD_END_GUARD = timedelta(hours=1)


def last_valid_day(issued_at: datetime) -> date:
    """The last day in Japan of a certificate issued at `issued_at`, as the terms have it (ご利用条件 第3条)."""
    return jst_day(issued_at) + timedelta(days=VALIDITY_DAYS)


def industry_maximum(issued_at: datetime) -> timedelta | None:
    """The longest lifetime the industry allows to a certificate issued at `issued_at`; None before there was one."""
    day = jst_day(issued_at)
    allowed = [days for since, days in INDUSTRY_MAXIMUM if since <= day]
    return timedelta(days=allowed[-1]) if allowed else None


def expected_not_after(issued_at: datetime) -> datetime:
    """The last second a certificate issued at `issued_at` is likely to be valid: the terms' or the industry's, in UTC.

    Both count the last second in (RFC 5280 §4.1.2.5; Baseline Requirements §6.3.2).
    """
    second = timedelta(seconds=1)
    by_the_terms = jst_midnight(last_valid_day(issued_at) + timedelta(days=1)) - second
    longest = industry_maximum(issued_at)
    if longest is None:
        return by_the_terms
    return min(by_the_terms, issued_at.astimezone(UTC) + longest - second)


def close_to_month_end(now: datetime) -> bool:
    """Whether a month ends in Japan within the hour, so that a first issuance had better wait (TERMS P1)."""
    return now.astimezone(JST).month != (now + PERIOD_END_GUARD).astimezone(JST).month
