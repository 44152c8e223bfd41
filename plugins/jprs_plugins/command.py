"""Notices by a program of the subscriber's own: to a chat, a ticket, a pager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from jprs_client.errors import HookFailed, harmless
from jprs_client.plugin import Notice, Options
from jprs_plugins.messages import message
from jprs_plugins.processes import UnsafeProgram, inherited, output_of

DEFAULT_SECONDS = 60
#: The kernel takes 128 KiB in one variable; standard input has everything.
MOST_IN_A_VARIABLE = 32 * 1024


class Command:
    """Calls `command` without a shell: a message in the environment, its notices as JSON on standard input.

    `timeout` is how many seconds it may take.
    """

    options: ClassVar[Options] = {"command": "command!", "timeout": "int"}

    def __init__(self, settings: Mapping[str, object], /) -> None:
        """Raises HookFailed notifier-command-empty, notifier-timeout-unusable."""
        command = settings["command"]
        self._command = tuple(map(str, command)) if isinstance(command, list | tuple) else (str(command),)
        if not self._command or not self._command[0]:
            raise HookFailed("notifier-command-empty")
        self._seconds = seconds_of(settings, DEFAULT_SECONDS)

    def notify(self, notices: Sequence[Notice], /) -> None:
        """Call it once, with all of them.

        Raises HookFailed: notifier-missing, notifier-failed, notifier-timeout, program-unsafe.
        """
        import json

        whole = message(notices)
        told = {
            "JPRS_CLIENT_NOTICE_LEVEL": whole.level,
            "JPRS_CLIENT_NOTICE_SUBJECT": _in_a_variable(whole.subject),
            "JPRS_CLIENT_NOTICE_TEXT": _in_a_variable(whole.text),
        }
        listed = [
            {
                "level": notice.level, "code": notice.code, "certificate": notice.certificate,
                "subject": notice.subject, "text": notice.text,
            }
            for notice in notices
        ]  # fmt: skip
        delivered_by(self._command, inherited() | told, self._seconds, json.dumps(listed).encode())


def seconds_of(settings: Mapping[str, object], default: int) -> int:
    """How long a notifier may take. Raises HookFailed."""
    seconds = settings.get("timeout", default)
    if not isinstance(seconds, int) or seconds < 1:
        raise HookFailed("notifier-timeout-unusable", timeout=harmless(seconds))
    return seconds


def delivered_by(command: Sequence[str], environment: Mapping[str, str], seconds: int, given: bytes) -> None:
    """Have a program take `given`. Raises HookFailed with what it said where it does not."""
    shown = harmless(" ".join(command), 200)
    try:
        exit_code, said = output_of(command, environment, seconds, given=given)
    except TimeoutError as error:
        raise HookFailed("notifier-timeout", command=shown, timeout=seconds) from error
    except UnsafeProgram as unsafe:
        raise HookFailed("program-unsafe", program=unsafe.program, place=unsafe.place) from unsafe
    except OSError as error:
        raise HookFailed("notifier-missing", command=shown, reason=harmless(error.strerror or error)) from error
    if exit_code != 0:
        output = harmless(said.decode("utf-8", "replace")[-480:])
        raise HookFailed("notifier-failed", command=shown, exit=exit_code, output=output)


def _in_a_variable(text: str) -> str:
    cut = text.replace("\0", "").encode()[:MOST_IN_A_VARIABLE]
    return cut.decode(errors="ignore")
