"""The one place that asks what time it is, and the one that waits."""

from __future__ import annotations

import select
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Time as the program sees it; handed in, so that tests and the demo set it."""

    def now(self) -> datetime:
        """This moment, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds since some moment, unmoved by changes of the clock."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The system's clock, moved by `offset` (the demo's two months)."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """This moment, aware, in UTC."""
        return datetime.now(UTC) + self.offset

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait. By a relative time-out: `time.sleep` waits for a moment, which fails where libfaketime moves clocks."""
        select.select((), (), (), max(seconds, 0))
