"""When the daemon looks again: the plan's next moment, kept within bounds on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from jprs_client.planning.actions import Action
from jprs_client.planning.plan import Plan
from jprs_client.terms.usage import jst_day, jst_midnight

#: A waking is at least so far ahead: whatever a plan says, nobody spins.
LEAST = timedelta(seconds=1)

#: What is still due after a round waits for somebody else: a person who confirms a start or registers, another run
#: that holds the lineage. They are done in minutes, so that is how soon it is noticed; to look costs no request.
STILL_DUE = timedelta(minutes=5)

#: However quiet the plan, other commands change the state meanwhile, and nobody tells us.
LONGEST = timedelta(hours=6)

#: Usage periods begin, go on and end at 00:00 JST (ご利用条件 第10条): looked at when that is surely over.
AFTER_MIDNIGHT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Waking:
    """When to look again and why: "action" (then `action` is the one), "still-due", "new-day" or "quiet"."""

    at: datetime
    why: str
    action: Action | None = None


def next_waking(plan: Plan, now: datetime) -> Waking:
    """The waking after a round whose plan is `plan`: later than `now`, and no later than the soonest coming attempt.

    An attempt within the next second is made when that is over.
    """
    wakings = [Waking(jst_midnight(jst_day(now) + timedelta(days=1)) + AFTER_MIDNIGHT, "new-day")]
    wakings.append(Waking(now + LONGEST, "quiet"))
    if any(action.attempt_at <= now for action in plan.coming):
        wakings.append(Waking(now + STILL_DUE, "still-due"))
    coming = [action for action in plan.coming if action.attempt_at > now]
    if coming:
        soonest = min(coming, key=lambda action: action.attempt_at)
        wakings.insert(0, Waking(max(soonest.attempt_at, now + LEAST), "action", soonest))
    return min(wakings, key=lambda waking: waking.at)
