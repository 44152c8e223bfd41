"""The daemon wakes in time, and never spins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given

from jprs_client.planning.actions import Action, Kind, Why
from jprs_client.planning.plan import Plan
from jprs_client.planning.waking import AFTER_MIDNIGHT, LEAST, LONGEST, STILL_DUE, next_waking
from jprs_client.terms.usage import jst_day, jst_midnight
from tests.planning.worlds import NOW, names, planned, worlds

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def renewal(due_at: datetime, attempt_at: datetime | None = None) -> Action:
    return Action(Kind.RENEW, "example.jp", names("example.jp"), Why("ari-moment"), due_at, attempt_at or due_at)


def to_come(*actions: Action) -> Plan:
    return Plan(NOW, actions, (), (), {})


worlds_planned = worlds().map(planned)


@given(worlds_planned)
def test_a_waking_lies_ahead_and_within_bounds(plan: Plan) -> None:
    waking = next_waking(plan, plan.at)

    assert plan.at + LEAST <= waking.at <= plan.at + LONGEST
    assert waking.at <= jst_midnight(jst_day(plan.at) + timedelta(days=1)) + AFTER_MIDNIGHT


@given(worlds_planned)
def test_no_attempt_is_slept_through(plan: Plan) -> None:
    coming = [action.attempt_at for action in plan.coming if action.attempt_at > plan.at]

    assert next_waking(plan, plan.at).at <= max(min(coming, default=plan.at + LONGEST), plan.at + LEAST)


@given(worlds_planned)
def test_what_is_still_due_is_looked_at_again_within_minutes_and_alone_never_sooner(plan: Plan) -> None:
    due = [replace(action, attempt_at=plan.at) for action in plan.coming]
    waking = next_waking(replace(plan, coming=tuple(due)), plan.at)

    if due:
        assert waking.at <= plan.at + STILL_DUE
    if waking.why != "new-day":
        assert waking.at >= plan.at + STILL_DUE


@pytest.mark.parametrize(
    ("actions", "why", "ahead"),
    [
        ([], "quiet", LONGEST),
        ([renewal(NOW + 40 * HOUR)], "quiet", LONGEST),
        ([renewal(NOW + HOUR), renewal(NOW + 2 * HOUR)], "action", HOUR),
        ([renewal(NOW - HOUR)], "still-due", STILL_DUE),
        ([renewal(NOW - HOUR, NOW + 2 * MINUTE)], "action", 2 * MINUTE),  # failed: at its own moment
        ([renewal(NOW - HOUR, NOW + HOUR), renewal(NOW)], "still-due", STILL_DUE),
        ([renewal(NOW), renewal(NOW + MINUTE)], "action", MINUTE),
        ([renewal(NOW + timedelta(microseconds=1))], "action", LEAST),
    ],
)
def test_the_soonest_reason_to_look_again_is_the_one(
    actions: Iterable[Action], why: str, ahead: timedelta
) -> None:  # fmt: skip
    waking = next_waking(to_come(*actions), NOW)

    assert (waking.why, waking.at - NOW) == (why, ahead)
    assert (waking.action is not None) == (why == "action")


def test_it_looks_again_when_the_day_in_japan_is_over() -> None:
    """ご利用条件 第10条: periods turn at 00:00 JST."""
    late = datetime.fromisoformat("2026-12-31T23:58:00+09:00")
    waking = next_waking(replace(to_come(), at=late), late)

    assert (waking.why, waking.at.isoformat()) == ("new-day", "2026-12-31T15:01:00+00:00")
