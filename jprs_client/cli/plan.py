"""`jprs-client plan`: what is due, what is coming, and why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from jprs_client.cli import shapes
from jprs_client.cli.input import Moment
from jprs_client.cli.telling import one_line, starting, tell_problems
from jprs_client.cli.words import command as worded
from jprs_client.cli.words import option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jprs_client.cli.door import Door
    from jprs_client.planning.actions import Action
    from jprs_client.planning.plan import Plan

SOMETHING_DUE = 10


@worded("plan")
@option("--at", type=Moment())
@option("--check", is_flag=True)
@click.pass_obj
def command(door: Door, /, at: datetime | None, check: bool) -> int:
    """Show what would be done, and why. Changes nothing, asks nobody."""
    from jprs_client.terms.usage import jst_day

    found = door.app().plan(at)
    if door.json:
        door.screen.document(shapes.plan(found, door.speech, jst_day(found.at)))
    else:
        _tell(door, found)
    return SOMETHING_DUE if check and found.due else 0


def _tell(door: Door, found: Plan) -> None:
    door.tell("plan.heading", at=found.at)
    if found.due:
        _tell_actions(door, found, found.due, now=True)
    else:
        door.screen.line(door.say("plan.nothing-due"), indent=2)
    if found.upcoming:
        door.screen.line()
        door.tell("plan.upcoming")
        _tell_actions(door, found, found.upcoming, now=False)
    tell_problems(door, found.problems)


def _tell_actions(door: Door, found: Plan, actions: Iterable[Action], *, now: bool) -> None:
    """A line for what and another for why; a period that starts is told on one of its own."""
    for action in actions:
        sign = {"issue": "+", "renew": "~", "reissue": "~", "revoke": "-", "remove": "-"}.get(action.kind.value, "·")
        when = "" if now else f"{door.say('word.moment', at=action.due_at)}  "
        door.screen.line(f"{sign} {when}{one_line(door, action)}", "head" if now else None, indent=2)
        why = door.say(f"reason.{action.why.code}", **action.why.params)
        door.screen.line(door.say("plan.why", why=why), indent=4)
        if action.attempt_at > action.due_at:
            door.screen.line(door.say("plan.next-attempt", at=action.attempt_at), indent=4)
        if action.starts_usage:
            names = starting(door, found, action)
            door.screen.line("! " + door.say("plan.starts-usage", names=names), "warning", indent=4)
