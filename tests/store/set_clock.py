"""A clock that is set, not waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SetClock:
    """Sleeping moves it; `naps` tells how often that was."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 12, 1, 3, tzinfo=UTC)
        self.naps: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.moment += timedelta(seconds=seconds)

    def pass_by(self, span: timedelta) -> None:
        self.moment += span
