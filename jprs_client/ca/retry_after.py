"""How long the CA asks us to wait (RFC 9110 §10.2.3), whatever shape its answer has (FAULTS 70, 88, M1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: Longer than any wait that is meant seriously; keeps arithmetic with dates from overflowing.
LONGEST = timedelta(days=366)


def retry_after(values: Sequence[str], now: datetime) -> timedelta | None:
    """The wait that the header lines `values` ask for, between zero and a year; None when none of them says one.

    A date in the past means zero. Of several lines the longest wait counts: patience never hurts, it is clamped.
    """
    waits = [wait for value in values if (wait := _wait(value.strip(), now)) is not None]
    return max(waits, default=None)


def _wait(value: str, now: datetime) -> timedelta | None:
    if value.isascii() and value.isdigit():
        return LONGEST if len(value) > 8 else min(timedelta(seconds=int(value)), LONGEST)
    if len(value) > 64 or not value[:1].isalpha():
        return None
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:  # "-0000" or no zone at all; HTTP dates are UTC
            moment = moment.replace(tzinfo=UTC)
        return max(timedelta(0), min(moment - now, LONGEST))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def clamp(wait: timedelta | None, least: timedelta, most: timedelta, default: timedelta) -> timedelta:
    """`wait` between `least` and `most`; `default` when nobody said a wait."""
    return default if wait is None else max(least, min(wait, most))
