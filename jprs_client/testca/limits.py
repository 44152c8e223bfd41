"""Rate limits: so many requests of a kind from one account in so many seconds, by the CA's clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jprs_client.testca.problems import Problem


@dataclass(slots=True)
class Limits:
    """None is in force until one is set."""

    _limits: dict[str, tuple[int, timedelta]] = field(default_factory=dict)
    _seen: dict[tuple[str, str], deque[datetime]] = field(default_factory=dict)

    def set(self, endpoint: str, count: int, per: timedelta) -> None:
        """At most `count` requests to `endpoint` in any span of `per`; what was asked before does not count."""
        self._limits[endpoint] = (count, per)
        self._seen = {key: seen for key, seen in self._seen.items() if key[0] != endpoint}

    def clear(self, endpoint: str | None = None) -> None:
        """No limit any more: for `endpoint`, or at all."""
        if endpoint is None:
            self._limits.clear()
            self._seen.clear()
        elif self._limits.pop(endpoint, None) is not None:
            self._seen = {key: seen for key, seen in self._seen.items() if key[0] != endpoint}

    def shown(self) -> Mapping[str, Mapping[str, float]]:
        """Those in force."""
        return {name: {"count": count, "seconds": per.total_seconds()} for name, (count, per) in self._limits.items()}

    def count(self, endpoint: str, account: str, now: datetime) -> None:
        """One more request. Raises Problem rateLimited, with Retry-After, where it is one too many."""
        limit = self._limits.get(endpoint)
        if limit is None:
            return
        most, per = limit
        seen = self._seen.setdefault((endpoint, account), deque())
        while seen and seen[0] <= now - per:
            seen.popleft()
        while seen and seen[-1] > now:  # the clock was set back
            seen.pop()
        if len(seen) >= most:
            wait = -((now - per - seen[0]) // timedelta(seconds=1)) if seen else int(per.total_seconds())
            raise Problem(
                "rateLimited",
                f"{most} requests of {endpoint} in {per} are the most; the next in {wait} s",
                headers=(("Retry-After", str(wait)),),
            )
        seen.append(now)
