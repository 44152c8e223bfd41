"""`jprs-client notify …`, and what a command does with notices once its run is over."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from jprs_client.cli import shapes
from jprs_client.cli.telling import tell_problems, tell_report
from jprs_client.cli.words import Group
from jprs_client.cli.words import command as worded
from jprs_client.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jprs_client.app import App, Report
    from jprs_client.cli.door import Door
    from jprs_client.config import Config
    from jprs_client.errors import JprsClientError
    from jprs_client.locale import Speech
    from jprs_client.notices import Memory
    from jprs_client.planning.actions import Problem

command = Group("notify", {"test": "jprs_client.cli.notify:test"})

NOT_TOLD = 7


def tell_run(door: Door, report: Report) -> int:
    """The end of a run: people are notified, then whoever looks on is told; the exit code."""
    report.problems += notify(door.app(), door.speech)
    return tell_report(door, report)


def notify(app: App, speech: Speech, memory: Memory | None = None) -> list[Problem]:
    """Bring notices to people, if the configuration names any; which notifiers did not take them."""
    if not app.config.notify.by:
        return []
    from jprs_client.notices import after_run

    return _not_told(after_run(app, speech, memory=memory), speech)


def notify_failure(door: Door, config: Config, failure: Exception, memory: Memory | None = None) -> list[Problem]:
    """The same where a run ended with `failure`."""
    if not config.notify.by:
        return []
    from jprs_client.notices import after_failed_run

    failed = after_failed_run(config, door.state_directory, door.clock, failure, door.speech, memory)
    return _not_told(failed, door.speech)


@contextmanager
def failure_told(door: Door) -> Iterator[None]:
    """People are notified when what is done inside cannot be, if the configuration can be read; that ends the run."""
    from jprs_client.config import load
    from jprs_client.registry import Registry

    try:
        yield
    except (ConfigError, EOFError):  # nobody knows whom to tell; whoever was asked has gone
        raise
    except Exception as failure:
        with suppress(ConfigError):
            config = load(door.config_path, Registry())
            tell_problems(door, notify_failure(door, config, failure), errors_too=True)
        raise


def _not_told(failed: Iterable[JprsClientError], speech: Speech) -> list[Problem]:
    from jprs_client.planning.actions import Problem

    problems = []
    for error in failed:
        message, next_step = speech.error_sentence(error)
        params = {"notifier": error.params.get("notifier", ""), "message": message, "next_step": next_step}
        problems.append(Problem("notice-not-told", params, exit_code=error.exit_code))
    return problems


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
