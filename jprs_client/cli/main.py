"""The program: takes the command line apart, runs one command, and says what went wrong in the right language."""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from jprs_client.cli.door import Door
from jprs_client.cli.show import Screen, reader_is_gone, to_nowhere
from jprs_client.cli.words import COMMON, PROGRAM, Group, nearest
from jprs_client.clock import SystemClock
from jprs_client.errors import ConfigError, JprsClientError, UsageError
from jprs_client.locale import Speech, language_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jprs_client.clock import Clock

#: Every command and where it is, in the order of a certificate's life; help lists them so.
COMMANDS = {
    "init": "jprs_client.cli.init:command",
    "register": "jprs_client.cli.register:command",
    "account": "jprs_client.cli.account:command",
    "explain": "jprs_client.cli.explain:command",
    "plan": "jprs_client.cli.plan:command",
    "apply": "jprs_client.cli.apply:command",
    "renew": "jprs_client.cli.apply:renew",
    "install": "jprs_client.cli.install:command",
    "rollback": "jprs_client.cli.install:rollback",
    "revoke": "jprs_client.cli.revoke:command",
    "compromised": "jprs_client.cli.compromised:command",
    "status": "jprs_client.cli.status:command",
    "show": "jprs_client.cli.status:show",
    "check": "jprs_client.cli.check:command",
    "notify": "jprs_client.cli.notify:command",
    "service": "jprs_client.cli.service:command",
    "daemon": "jprs_client.cli.daemon:command",
    "demo": "jprs_client.cli.demo:command",
    "test-ca": "jprs_client.cli.test_ca:command",
}

#: Its every error is an answer of its own to monitoring, which knows no other exit codes than 0 to 3.
MONITORING = "check"

INTERRUPTED = 130
TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """SIGTERM: whatever is under way is wound up as for Ctrl-C, so that no proof stays up (FAULTS 19)."""


def main(argv: Sequence[str] | None = None, *, clock: Clock | None = None) -> int:
    """Run one command; the exit code is the manual's. `argv` is without the program's name."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in (arguments[: arguments.index("--")] if "--" in arguments else arguments)
    _take_every_character(as_json)
    screen = Screen(sys.stdout, sys.stderr, os.environ, json=as_json)
    door = Door(clock or SystemClock(), Speech(language_from(arguments, os.environ)), screen, os.environ)
    try:
        with _wound_up_on_sigterm(door):
            code = _run(door, arguments)
        door.close()
    except BrokenPipeError:
        if not reader_is_gone():
            raise
        to_nowhere(sys.stdout)
        return 1
    except JprsClientError as error:  # the answer was lost at the very end, or while it was told that there is none
        return _refused(door, error, _command_in(arguments))
    except KeyboardInterrupt as again:  # a second one, while the first was told
        return TERMINATED if isinstance(again, Terminated) else INTERRUPTED
    finally:
        screen.leave()
    return code


@contextmanager
def _wound_up_on_sigterm(door: Door) -> Iterator[None]:
    """SIGTERM raises Terminated inside the block; nothing changes in a thread, or where somebody else listens."""
    import signal

    def terminate(_number: int, _frame: object) -> None:
        door.was_terminated = True  # what is raised while a module is loaded may be swallowed
        raise Terminated

    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is terminate:  # the daemon leaves deaf
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _run(door: Door, arguments: list[str]) -> int:
    asked = _command_in(arguments)
    try:
        group = Group(PROGRAM, COMMANDS)
        with group.make_context(PROGRAM, list(arguments), obj=door) as context:
            code = group.invoke(context)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        return _refused(door, _our_usage_error(error, arguments, door), asked)
    except JprsClientError as error:
        return _refused(door, error, asked)
    except Terminated:
        return _failed(door, "interrupted", TERMINATED, asked)
    except (KeyboardInterrupt, EOFError, click.Abort):
        door.screen.error("")
        return _failed(door, "interrupted", INTERRUPTED, asked)
    except BrokenPipeError:
        raise
    except Exception as bug:  # noqa: BLE001 - nobody foresaw it: it is shown whole, and stays a bug
        if asked != MONITORING or door.screen.verbosity > 0:  # who watches keeps one line, not forty
            door.screen.traceback(bug)
        return _failed(door, "bug", 1, asked)


def _command_in(arguments: Sequence[str]) -> str | None:
    """The command that is asked for, known before anything else is right: the first word that belongs to no option."""
    with_value = {name for option in COMMON if not (option.is_flag or option.count) for name in option.opts}
    words = iter(arguments)
    for word in words:
        if word == "--":
            return next(words, None)
        if not word.startswith("-"):
            return word
        if word in with_value:
            next(words, None)
    return None


def _refused(door: Door, error: JprsClientError, asked: str | None) -> int:
    """Say what happened and what to do now; the exit code is the error's own."""
    problems = error.problems if isinstance(error, ConfigError) else (error,)
    told = [(problem, *door.speech.error_sentence(problem)) for problem in problems]
    if asked == MONITORING:
        if error.code == "answer-lost":
            _say(door, *told[0][1:])
        return _unknown(door, error.code, *told[0][1:])
    for _, message, next_step in told:
        _say(door, message, next_step)
    if door.json:
        document = _document(error.code, *told[0][1:])
        if isinstance(error, ConfigError):
            document["problems"] = [
                {
                    "code": problem.code, "message": message, "next_step": next_step,
                    "file": problem.params["file"], "line": problem.params["line"], "key": problem.params["key"],
                }
                for problem, message, next_step in told
            ]  # fmt: skip
        door.screen.document({"error": document})
    return error.exit_code


def _failed(door: Door, code: str, exit_code: int, asked: str | None) -> int:
    message, next_step = door.say(f"error.{code}"), door.say(f"next.{code}")
    if asked == MONITORING:
        if code == "bug" and door.screen.verbosity <= 0:
            next_step = door.say("check.where")
        return _unknown(door, code, message, next_step)
    _say(door, message, next_step)
    if door.json:
        door.screen.document({"error": _document(code, message, next_step)})
    return exit_code


def _unknown(door: Door, code: str, message: str, next_step: str) -> int:
    from jprs_client.cli.check import unknown

    return unknown(door, code, message, next_step)


def _document(code: str, message: str, next_step: str) -> dict[str, object]:
    return {"code": code, "message": message, "next_step": next_step}


def _say(door: Door, message: str, next_step: str) -> None:
    door.screen.error(f"{door.say('word.error')}{message}", "error")
    if next_step:
        door.screen.error(next_step, indent=2)


def _our_usage_error(error: click.UsageError, arguments: Sequence[str], door: Door) -> UsageError:
    """What click found wrong with the command line, with a code of ours."""
    command = error.ctx.command_path if error.ctx is not None else door.command_path
    match error:
        case click.NoSuchOption():
            meant = nearest(error.option_name, error.possibilities or ())
            return UsageError("no-such-option", given=error.option_name, nearest=meant, command=command)
        case click.BadOptionUsage():
            superfluous = any(argument.startswith(f"{error.option_name}=") for argument in arguments)
            code = "option-takes-no-value" if superfluous else "option-needs-value"
            return UsageError(code, option=error.option_name, command=command)
        case click.MissingParameter(param=click.Argument() as param):
            return UsageError("argument-missing", argument=param.human_readable_name, command=command)
        case click.MissingParameter(param=click.Parameter() as param):
            return UsageError("option-missing", option=max(param.opts, key=len), command=command)
    return UsageError("bad-usage", detail=error.format_message(), command=command)


def _take_every_character(as_json: bool) -> None:
    """No character a name or a CA may hold stops the program; JSON is UTF-8 whatever the locale (RFC 8259 §8.1)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace", encoding="utf-8" if as_json else None)
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
