"""`jprs-client notify …`, and what a command does with notices once its run is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jprs_client.cli import shapes
from jprs_client.cli.telling import tell_report
from jprs_client.cli.words import Group
from jprs_client.cli.words import command as worded

if TYPE_CHECKING:
    from jprs_client.app import Report
    from jprs_client.cli.door import Door

command = Group("notify", {"test": "jprs_client.cli.notify:test"})

NOT_TOLD = 7


def tell_run(door: Door, report: Report) -> int:
    """The end of a run: people are notified, then whoever looks on is told; the exit code."""
    app = door.app()
    if app.config.notify.by:
        from jprs_client.notices import after_run
        from jprs_client.planning.actions import Problem

        for error in after_run(app, door.speech):
            message, next_step = door.speech.error_sentence(error)
            params = {"notifier": error.params.get("notifier", ""), "message": message, "next_step": next_step}
            report.problems.append(Problem("notice-not-told", params, exit_code=error.exit_code))
    return tell_report(door, report)


@worded("test")
@click.pass_obj
def test(door: Door, /) -> int:
    """Send a trial notice by every notifier, and say which of them took it."""
    from jprs_client.notices import trial

    tried = trial(door.app(), door.speech)
    failed = {name: error for name, error in tried.items() if error is not None}
    if door.json:
        told = [name for name in tried if name not in failed]
        errors = [{"notifier": name, "error": shapes.error(error, door.speech)} for name, error in failed.items()]
        door.screen.document({"told": told, "failed": errors})
    for name, error in tried.items():
        if error is None:
            door.screen.line(door.say("notify.took", notifier=name), "good")
            continue
        door.screen.error(door.say("notify.failed", notifier=name), "error")
        for sentence in door.speech.error_sentence(error):
            door.screen.error(sentence, indent=2)
    return NOT_TOLD if failed else 0
