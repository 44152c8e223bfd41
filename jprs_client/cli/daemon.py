"""`jprs-client daemon`: does what is due when it is due, until it is stopped; for systemd (`Type=notify`)."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from jprs_client.cli import shapes
from jprs_client.cli.notify import notify, notify_failure
from jprs_client.cli.telling import one_line, tell_failure, tell_problems
from jprs_client.cli.words import command as worded
from jprs_client.errors import ConfigError, JprsClientError, harmless

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from jprs_client.app import App
    from jprs_client.cli.door import Door
    from jprs_client.config import Config
    from jprs_client.daemon import News, Round
    from jprs_client.planning.actions import Problem
    from jprs_client.planning.waking import Waking
    from jprs_client.systemd import Manager

#: Progress that tells of something done.
ENDS_WELL = frozenset({"issued", "installed", "revoked"})


@worded("daemon")
@click.pass_obj
def command(door: Door, /) -> int:
    """Run until stopped."""
    with _stops_noted(door) as asked:
        from jprs_client.daemon import Daemon, News
        from jprs_client.systemd import Manager

        door.screen.outlive_its_reader()
        manager = Manager.from_environ(os.environ, os.getpid())
        voice = Spoken(door, manager, News())
        return Daemon(
            door.config_path,
            door.state_directory,
            door.clock,
            voice,
            manager,
            lock_timeout=door.lock_timeout.total_seconds(),
        ).run(asked)


@contextmanager
def _stops_noted(door: Door) -> Iterator[list[int]]:
    """Until the daemon listens: a stop that comes while modules are loaded is noted, since what it raises may be lost.

    SIGHUP has nothing yet to be read again, and is not heard from here on.
    """
    asked = [signal.SIGTERM.value] if door.was_terminated else []

    def note(number: int, _frame: object) -> None:
        asked.append(number)

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is note:
                signal.signal(number, handler)


class Spoken:
    """What the daemon has to say, in the person's language: to the journal, to the manager, and as JSON."""

    def __init__(self, door: Door, manager: Manager, news: News) -> None:
        from jprs_client.notices import Memory

        self._door = door
        self._manager = manager
        self._news = news
        self._memory = Memory()
        self._in_trouble = self._keeps_old = False
        self._ended: list[str] = []
        self._noted: tuple[object, set[str]] = (None, set())

    def ready(self) -> None:
        """It runs."""
        door = self._door
        door.note("daemon.ready", file=door.config_path, directory=door.state_directory)
        door.screen.flush()

    def progress(self, code: str, /, **params: object) -> None:
        """What is being done is the status; a note is for the journal, once a day each."""
        door = self._door
        if not code.startswith("note-"):
            text = door.say(f"progress.{code}", **params)
            self._manager.status(text)
            door.screen.doing(text)
            if code in ENDS_WELL:
                self._ended.append(text)
            return
        today = door.clock.now().date()
        if self._noted[0] != today:
            self._noted = (today, set())
        text = door.say(f"note.{code.removeprefix('note-')}", **params)
        if text not in self._noted[1]:
            self._noted[1].add(text)
            door.screen.note(text)

    def bring_notices(self, app: App) -> list[Problem]:
        """Whoever the configuration names is notified; which of them did not take it."""
        return notify(app, self._door.speech, self._memory)

    def bring_failure(self, config: Config, error: Exception) -> None:
        """The same where a round, or the start, could not be; those who did not take it are named in the journal."""
        problems = notify_failure(self._door, config, error, self._memory)
        tell_problems(self._door, self._news.problems(problems), errors_too=True)
        self._door.screen.flush()

    def round_over(self, ended: Round, waking: Waking) -> None:
        """What is new in it, and when the next one is."""
        door, report = self._door, ended.report
        if door.json:
            door.screen.record(
                {"at": ended.at, **shapes.report(report, door.speech), "next_at": waking.at}
            )  # fmt: skip
        if self._in_trouble:
            self._in_trouble = False
            door.note("daemon.works-again")
        for action in report.done:
            door.screen.note(f"{door.say('word.done')}{one_line(door, action)}", "good")
        for action, error in self._news.failures(report.failed, ended.failures):
            tell_failure(door, action, error)
        tell_problems(door, self._news.problems(report.problems), errors_too=True)
        self._news.errors([])
        self._ended.clear()
        counts = door.say("daemon.counts", certificates=ended.certificates, failing=ended.failing or None)
        self._next(waking, counts)

    def round_failed(self, error: Exception, at: datetime, waking: Waking) -> None:
        """Why it could not be, unless that is what was said last; and when it is tried again."""
        door = self._door
        self._tell_ended()
        self._in_trouble = True
        if isinstance(error, JprsClientError):
            shape = shapes.error(error, door.speech)
            for new in self._news.errors([error]):
                self._error(new)
        else:
            shape = {"code": "bug", "message": door.say("error.bug"), "next_step": door.say("next.bug")}
            self._bug(error)
        if door.json:
            door.screen.record(
                {"at": at, "done": [], "failed": [], "problems": [], "error": shape, "next_at": waking.at}
            )  # fmt: skip
        self._next(waking, harmless(shape["message"]))

    def reloaded(self, error: Exception | None) -> None:
        """The configuration was read again; or all that is wrong with it."""
        door = self._door
        self._keeps_old = error is not None
        if error is None:
            door.note("daemon.reloaded", file=door.config_path)
        else:
            for wrong in error.problems if isinstance(error, ConfigError) else (error,):
                if isinstance(wrong, Exception) and not isinstance(wrong, JprsClientError):
                    self._bug(wrong)
                else:
                    message, next_step = door.speech.error_sentence(wrong)
                    self._say(message, next_step)
            door.screen.error(door.say("daemon.kept"), "warning")
        door.screen.flush()

    def stopping(self) -> None:
        """Only the manager: a signal may come while a line is being written."""
        self._manager.status(self._door.say("daemon.stopping"))

    def stopped(self, *, in_order: bool) -> None:
        """It is over."""
        self._tell_ended()
        self._door.note("daemon.stopped" if in_order else "daemon.interrupted")
        self._door.screen.flush()

    def _tell_ended(self) -> None:
        """What a round had done before it was cut off, and nobody could report."""
        for text in self._ended:
            self._door.screen.note(f"{self._door.say('word.done')}{text}", "good")
        self._ended.clear()

    def _next(self, waking: Waking, more: str) -> None:
        door = self._door
        if waking.action is not None:
            text = door.say("daemon.next-action", at=waking.at, action=one_line(door, waking.action))
        else:
            text = door.say(f"daemon.next-{waking.why}", at=waking.at)
        text = f"{text} {more}"
        if self._keeps_old:
            text = f"{text} {door.say('daemon.kept')}"
        door.screen.flush()
        if door.screen.trouble:
            text = f"{text} {door.say('daemon.log-lost', cause=door.screen.trouble)}"
        self._manager.status(text)
        door.screen.doing(text)

    def _error(self, error: JprsClientError, indent: int = 0) -> None:
        message, next_step = self._door.speech.error_sentence(error)
        self._say(message, next_step, indent)

    def _say(self, message: str, next_step: str, indent: int = 0) -> None:
        screen = self._door.screen
        screen.error(message if indent else f"{self._door.say('word.error')}{message}", "error", indent=indent)
        if next_step:
            screen.error(next_step, indent=2)

    def _bug(self, error: Exception) -> None:
        """Nobody foresaw it: it is shown whole, and stays a bug."""
        self._door.screen.traceback(error)
        self._say(self._door.say("error.bug"), self._door.say("next.bug"))
