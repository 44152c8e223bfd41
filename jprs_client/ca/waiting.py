"""Looking again until something has settled: as often as the CA allows, never for ever (FAULTS 70, 74, 75)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, TypeVar

from jprs_client.ca.retry_after import clamp
from jprs_client.clock import Clock
from jprs_client.errors import CaUnavailable

#: Without a word from the CA the waits double, from the first to this one.
LONGEST_WAIT = timedelta(seconds=5)

#: A wait the CA asks for is kept within these. Zero is its way of saying "as you like".
LEAST_ASKED = timedelta(milliseconds=50)
MOST_ASKED = timedelta(minutes=10)


class Waiting(Protocol):
    """What can be looked at again."""

    @property
    def retry_after(self) -> timedelta | None:
        """The wait that the CA asked for."""


T = TypeVar("T", bound=Waiting)


def wait_for(
    fetch: Callable[[], T],
    settled: Callable[[T], bool],
    deadline: float,
    clock: Clock,
    *,
    first_wait: timedelta = timedelta(milliseconds=50),
    seen: T | None = None,
) -> T:
    """The first value of `fetch` that is `settled`. `seen` is one that came without asking, such as a POST's answer.

    `deadline` is a moment of `clock.monotonic()`. CaUnavailable "ca-order-slow" when it comes first, or when the CA
    wants a wait that reaches beyond it: then nobody sleeps for nothing, and `retry_at` says when to look again.
    """
    wait = first_wait
    value = seen
    while value is None or not settled(value):
        if value is not None or first_wait:
            asked = value.retry_after if value is not None else None
            pause = clamp(asked, max(LEAST_ASKED, wait) if not asked else LEAST_ASKED, MOST_ASKED, wait)
            if clock.monotonic() + pause.total_seconds() > deadline:
                raise CaUnavailable("ca-order-slow", retry_at=clock.now() + pause)
            clock.sleep(pause.total_seconds())
            wait = min(2 * wait, LONGEST_WAIT) or LEAST_ASKED
        value = fetch()
    return value
