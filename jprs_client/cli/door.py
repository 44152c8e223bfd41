"""What every command is handed: what was asked for in general, and the ways to look, to tell and to ask."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from jprs_client.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jprs_client.app import App
    from jprs_client.cli.show import Screen
    from jprs_client.clock import Clock
    from jprs_client.locale import Speech
    from jprs_client.planning.actions import Action

DEFAULT_STATE_DIRECTORY = Path("/var/lib/jprs-client")

_YES = frozenset({"y", "yes", "はい", "ｙ"})


class Door:
    """One run of the program. The common options are kept here, wherever on the command line they stood."""

    def __init__(self, clock: Clock, speech: Speech, screen: Screen, environ: Mapping[str, str]) -> None:
        self.clock = clock
        self.speech = speech
        self.screen = screen
        self.environ = environ
        self.command_path = "jprs-client"
        self.given_config: Path | None = None
        self.given_state_dir: Path | None = None
        self.lock_timeout = timedelta(0)
        self.was_terminated = False
        self._app: App | None = None
        self._noted: set[str] = set()

    @property
    def json(self) -> bool:
        """Whether a program reads standard output."""
        return self.screen.json

    @property
    def config_path(self) -> Path:
        """The configuration file: `--config`, `JPRS_CLIENT_CONFIG`, or the one under /etc."""
        from jprs_client.config import default_path

        return self.given_config if self.given_config is not None else default_path(self.environ)

    @property
    def state_directory(self) -> Path:
        """The state directory: `--state-dir`, or the one under /var/lib."""
        return self.given_state_dir if self.given_state_dir is not None else DEFAULT_STATE_DIRECTORY

    def app(self, may_start: Callable[[Action], bool] | None = None) -> App:
        """The house behind the door, opened at the first call. `may_start` is asked before a usage period begins."""
        if self._app is None:
            from jprs_client.app import App

            self._app = App.open(
                self.config_path,
                self.state_directory,
                self.clock,
                lock_timeout=self.lock_timeout.total_seconds(),
                progress=self.doing,
                may_start=may_start,
            )
        return self._app

    def close(self) -> None:
        """The run is over."""
        if self._app is not None:
            self._app.close()
            self._app = None
        self.screen.flush()

    def doing(self, code: str, /, **params: object) -> None:
        """Say what is going on now (`progress.CODE`), or what a person should hear of it (`note-…`: `note.…`)."""
        if code.startswith("note-"):
            text = self.say(f"note.{code.removeprefix('note-')}", **params)
            if text not in self._noted:  # the same of many certificates is said once
                self._noted.add(text)
                self.screen.note(text)
            return
        self.screen.doing(self.speech.say(f"progress.{code}", **params))

    def say(self, key: str, /, **params: object) -> str:
        """The sentence under `key`."""
        return self.speech.say(key, **params)

    def tell(self, key: str, /, **params: object) -> None:
        """Say it to the person who asked."""
        self.screen.line(self.speech.say(key, **params))

    def note(self, key: str, /, **params: object) -> None:
        """Say it beside the answer, on standard error."""
        self.screen.note(self.speech.say(key, **params))

    @property
    def can_ask(self) -> bool:
        """Whether there is a person to ask."""
        return self.screen.people_at_terminal and not self.json

    def confirm(self, key: str, /, **params: object) -> bool:
        """Ask for a yes. Raises UsageError `yes-needed` where nobody can be asked: that is what `--yes` is for."""
        if not self.can_ask:
            raise UsageError("yes-needed", command=self.command_path)
        self.screen.prompt(f"{self.say(key, **params)} {self.say('ask.yes-or-no')}")
        return _line().strip().casefold() in _YES

    def ask(self, key: str, /, default: str = "", **params: object) -> str:
        """The answer to a question, or `default` for an empty one. Only where `can_ask`."""
        shown = f" [{default}]" if default else ""
        self.screen.prompt(f"{self.say(key, **params)}{shown}")
        return _line().strip() or default

    def ask_hidden(self, key: str, /, **params: object) -> str:
        """The same, and what is typed does not show."""
        import getpass

        return getpass.getpass(f"{self.say(key, **params)} ").strip()


def _line() -> str:
    """A line from standard input. Raises EOFError at its end, as `input` does."""
    read = bytearray()
    while (byte := os.read(0, 1)) != b"\n":
        if not byte:
            raise EOFError
        read += byte
    return read.decode(errors="replace")
