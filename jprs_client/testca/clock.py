"""The CA's clock: it runs like any other, and can be set."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

JST = timezone(timedelta(hours=9), "JST")


class Clock:
    """Time as the CA sees it. Starts at `start`, or at the system's time."""

    def __init__(self, start: datetime | None = None) -> None:
        self._offset = timedelta(0)
        if start is not None:
            self.set(start)

    def now(self) -> datetime:
        """This moment, aware, in UTC."""
        return datetime.now(UTC) + self._offset

    def set(self, moment: datetime) -> None:
        """From here on it is `moment`, and running."""
        self._offset = moment - datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment, unmoved by `set`."""
        return time.monotonic()


def jst_day(moment: datetime) -> date:
    """The day in Japan at `moment`."""
    return moment.astimezone(JST).date()


def day_begins(day: date) -> datetime:
    """00:00 JST of `day`, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=JST).astimezone(UTC)


def parse_moment(text: str) -> datetime:
    """A moment from an RFC 3339 time with an offset, or from a date, which means its 00:00 JST. Raises ValueError."""
    if len(text) == len("2026-11-22"):
        return day_begins(date.fromisoformat(text))
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset")
    return moment.astimezone(UTC)


def rfc3339(moment: datetime) -> str:
    """As ACME writes times: UTC, whole seconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
