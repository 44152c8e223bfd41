"""What commands have in common when they tell a person of a plan, or of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jprs_client.cli import shapes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jprs_client.app import Report
    from jprs_client.cli.door import Door
    from jprs_client.errors import JprsClientError
    from jprs_client.planning.actions import Action, Problem
    from jprs_client.planning.plan import Plan


def tell_report(door: Door, report: Report) -> int:
    """The end of a run, as JSON or for a person; the exit code."""
    if door.json:
        door.screen.document(shapes.report(report, door.speech))
    for action in report.done:
        door.screen.line(f"{door.say('word.done')}{one_line(door, action)}", "good")
    for action, error in report.failed:
        tell_failure(door, action, error)
    tell_problems(door, report.problems, errors_too=True)
    if not (report.done or report.failed or report.problems):
        door.tell("done.nothing-due")
    return report.exit_code


def tell_failure(door: Door, action: Action, error: JprsClientError) -> None:
    """What could not be done, why, and what to do now; what nobody foresaw is shown whole."""
    message, next_step = door.speech.error_sentence(error)
    if error.code == "unforeseen" and error.__cause__ is not None:
        door.screen.traceback(error.__cause__)
    door.screen.error(f"{door.say('word.failed')}{one_line(door, action)}", "error")
    door.screen.error(message, indent=2)
    if next_step:
        door.screen.error(next_step, indent=2)


def tell_problems(door: Door, problems: Iterable[Problem], *, errors_too: bool = False) -> None:
    """What stands in the way, each with its remedy; what holds a run up is said even by a quiet one."""
    for problem in problems:
        say = door.screen.error if errors_too and problem.exit_code else door.screen.note
        say(door.say(f"problem.{problem.code}", **problem.params), "warning")
        say(door.say(f"remedy.{problem.code}", **problem.params), indent=2)


def one_line(door: Door, action: Action) -> str:
    """`renew main: www.example.jp, example.jp` in the person's words."""
    key = f"action.{action.kind.value}"
    return door.say(key, certificate=action.certificate, names=action.sorted_names, target=action.target)


def ask_to_start(door: Door, action: Action) -> bool:
    """Ask, on a terminal, whether the usage periods may begin that a first issuance starts (TERMS P1)."""
    if not door.can_ask:
        return False
    started = starting(door, door.app().plan(), action)
    return door.confirm("ask.start-usage", certificate=action.certificate, names=started)


def starting(door: Door, plan: Plan, action: Action) -> list[str]:
    """The usage FQDNs whose period begins with `action`, each with the end day it would have (TERMS P2)."""
    begun = {usage.name: usage.started(max(plan.at, action.due_at)) for usage in plan.usages}
    return [door.say("plan.until", name=name.both_forms, ends=begun[name].ends) for name in sorted(action.starts_usage)]
