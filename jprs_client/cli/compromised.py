"""`jprs-client compromised`: the day a key leaks, from end to end (ご利用条件 第11条1項2号; TERMS R3, R4)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jprs_client.cli.input import Span
from jprs_client.cli.notify import tell_run
from jprs_client.cli.words import argument, option
from jprs_client.cli.words import command as worded
from jprs_client.errors import UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from jprs_client.app import App
    from jprs_client.cli.door import Door
    from jprs_client.planning.facts import RevocationIntent

#: The largest file that is looked into for a key.
LARGEST = 1024 * 1024


@worded("compromised")
@argument("names", nargs=-1, metavar="[NAME]...")
@option("--key", "key_file", type=click.Path(path_type=Path), metavar="FILE")
@option("--all", "every", is_flag=True)
@option("--deadline", type=Span())
@option("--now", "at_once", is_flag=True)
@option("--yes", is_flag=True)
@click.pass_obj
def command(
    door: Door,
    /,
    names: tuple[str, ...],
    key_file: Path | None,
    every: bool,
    deadline: timedelta | None,
    at_once: bool,
    yes: bool,
) -> int:
    """Replace every certificate that has the leaked key, see the new one served, revoke the old with code 1."""
    given = [word for word, there in (("NAME", names), ("--key", key_file), ("--all", every)) if there]
    if len(given) > 1:
        raise UsageError("options-not-together", first=given[0], second=given[1], command=door.command_path)
    if not given:
        raise UsageError("compromised-what", command=door.command_path)
    from jprs_client.planning.revoking import COMPROMISE_DEADLINE

    app = door.app()
    keys, spared = app.leaked(names or None) if key_file is None else (frozenset({_key_in(key_file)}), ())
    if key_file is not None and not yes and (since := app.made_since(keys)):
        # A file under live/, or an installer's, holds another key by now than when the leak was told: go on with that.
        keys, spared = app.leaked(since)
    intents = app.compromise(keys, deadline=deadline, at_once=at_once)
    _tell_what_will_be(door, app, intents, at_once=at_once)
    for lineage in spared:
        live = app.store.versions.live(lineage)
        door.note("compromise.newest-key-spared", certificate=lineage, file=live / "privkey.pem")
    if not intents and not spared:
        door.note("compromise.nothing-left")
    if deadline is not None and deadline > COMPROMISE_DEADLINE:
        door.note("compromise.late")
    # In an emergency nobody is kept waiting for a word: where nobody can be asked, it goes ahead.
    if intents and not yes and door.can_ask and not door.confirm("ask.compromised"):
        door.tell("revoke.nothing-done")
        return 0
    code = tell_run(door, app.give_up_keys(keys, intents))
    _tell_what_is_left(door, app, intents)
    return code


def _key_in(path: Path) -> str:
    """The fingerprint of the key in a file, whatever has it in there. Raises UsageError."""
    from jprs_client.keys import spki_sha256_in

    try:
        with path.open("rb") as file:
            return spki_sha256_in(file.read(LARGEST))
    except OSError as error:
        raise UsageError("compromised-key-unreadable", file=path, cause=error.strerror or error) from error
    except TypeError as error:
        raise UsageError("compromised-key-locked", file=path) from error
    except ValueError as error:
        raise UsageError("compromised-no-key", file=path) from error


def _tell_what_will_be(door: Door, app: App, intents: tuple[RevocationIntent, ...], *, at_once: bool) -> None:
    """Object and effect (THREATS D35)."""
    planned, state, _ = app.standings()
    for intent in intents:
        known = state.lineages.get(intent.lineage)
        in_service = known is not None and known.current is not None and known.current.version == intent.version
        if not intent.replace:
            how = "kept-out"
        elif at_once:
            how = "revoked-first"
        else:
            how = "replaced-first" if in_service and intent.lineage in planned.install else "once-served"
        if how == "replaced-first" and not planned.install[intent.lineage]:
            how = "nobody-looks"
        door.note(
            f"compromise.{how}", certificate=intent.lineage, serial=intent.serial, deadline=intent.deadline,
            names=intent.names,
        )  # fmt: skip


def _tell_what_is_left(door: Door, app: App, intents: tuple[RevocationIntent, ...]) -> None:
    """What this run could not finish, by when it is revoked in any case, and who goes on with it."""
    asked = {(intent.lineage, intent.version) for intent in intents}
    waiting = [each for each in app.store.state().revocations if (each.lineage, each.version) in asked]
    for intent in waiting:
        door.note(
            "compromise.still-to-revoke", certificate=intent.lineage, serial=intent.serial, deadline=intent.deadline
        )  # fmt: skip


__all__ = ["command"]
