"""When a failed action is tried again by itself: kept, jittered, capped, never 0, never given up (FAULTS 55)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

FIRST = timedelta(minutes=1)
#: Who has to act decides how long to wait at most: nobody (5), a server on this host (7), else a person.
LONGEST = {5: timedelta(hours=6), 7: timedelta(hours=1)}
LONGEST_FOR_A_PERSON = timedelta(hours=12)


def fraction(*words: object) -> float:
    """A number in [0, 1) that is always the same for the same words: jitter that does not move."""
    digest = hashlib.sha256("\0".join(str(word) for word in words).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def retry_at(
    failed_at: datetime, count: int, exit_code: int, seed: str, *, imposed_at: datetime | None = None
) -> datetime:
    """The moment of the next attempt after `count` failures in a row (1 or more).

    Doubles from a minute up to a cap that depends on who has to act, less a jitter of up to a fifth that is always the
    same for the same `seed`: so no wait is ever shorter than the one before it. The CA's own word (`imposed_at`) is
    never undercut, but bounded by a day.
    """
    longest = LONGEST.get(exit_code, LONGEST_FOR_A_PERSON)
    doubled = FIRST * (1 << min(max(count, 1) - 1, 16))
    wait = min(doubled, longest) * (1 - fraction(seed) / 5)
    at = failed_at + wait
    if imposed_at is not None:
        at = min(max(at, imposed_at), failed_at + timedelta(days=1))
    return at
