"""How long a certificate lives: 90 days to the end of a JST day, never longer than the industry allows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from jprs_client.testca.clock import day_begins, jst_day

#: ご利用条件 第3条: the day of issuance is not counted.
DAYS = 90

#: CA/Browser Forum SC-081v3: from this day on, at most this many days of 86,400 seconds, both ends included.
SCHEDULE: Sequence[tuple[date, int]] = ((date(2026, 3, 15), 200), (date(2027, 3, 15), 100), (date(2029, 3, 15), 47))


def not_after(not_before: datetime) -> datetime:
    """The last second of a certificate issued at `not_before`: 23:59:59 JST of its last day.

    From 2029-03-15 the last day is the 46th after issuance: the 47th would end after more than 47 times 86,400 seconds.
    """
    day = jst_day(not_before)
    days = DAYS
    for since, most in SCHEDULE:
        if not_before.date() >= since:
            days = min(DAYS, most - 1)
    return day_begins(day + timedelta(days=days + 1)) - timedelta(seconds=1)


def suggested_window(not_before: datetime, until: datetime, revoked_at: datetime | None) -> tuple[datetime, datetime]:
    """When to renew (RFC 9773 §4.2): two thirds into the lifetime, for a fiftieth of it; in the past once revoked."""
    if revoked_at is not None:
        return revoked_at - timedelta(hours=2), revoked_at - timedelta(hours=1)
    lifetime = until - not_before
    start = not_before + lifetime * 2 / 3
    return start, start + lifetime / 50
