"""`jprs-client revoke`: the circumstances are asked for, the code follows from them (ご利用条件 第11条)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jprs_client.cli.notify import tell_run
from jprs_client.cli.words import argument, option
from jprs_client.cli.words import command as worded
from jprs_client.errors import UsageError

if TYPE_CHECKING:
    from jprs_client.cli.door import Door
    from jprs_client.planning.facts import RevocationIntent
    from jprs_client.terms.reasons import Reason


@worded("revoke")
@argument("name", metavar="NAME")
@option("--because", multiple=True, metavar="CIRCUMSTANCE")
@option("--reason", metavar="CODE")
@option("--replace/--no-replace", "replace_it", default=None)
@option("--serial", metavar="HEX")
@option("--yes", is_flag=True)
@click.pass_obj
def command(
    door: Door,
    /,
    name: str,
    because: tuple[str, ...],
    reason: str | None,
    replace_it: bool | None,
    serial: str | None,
    yes: bool,
) -> int:
    """Revoke a certificate; it is replaced first where its site goes on."""
    from jprs_client.terms.reasons import Circumstance, notes

    if because and reason is not None:
        raise UsageError("options-not-together", first="--because", second="--reason", command=door.command_path)
    circumstances = [Circumstance.parse(word) for word in because]
    code = _code(reason) if reason is not None else None
    app = door.app()
    intents = app.revocation(name, circumstances, code, serial=serial, replace_it=replace_it)
    _tell_what_will_be(door, intents)
    from jprs_client.terms.reasons import Reason as Known

    for note in notes(Known(intents[0].reason)):
        door.note(f"note.{note}", reason=intents[0].reason, label=Known(intents[0].reason).label)
    if not yes and not door.confirm("ask.revoke"):
        door.tell("revoke.nothing-done")
        return 0
    return tell_run(door, app.revoke(intents))


def _code(text: str) -> Reason:
    """A reason by number, or as the RFC spells it. Raises ReasonNotAllowed, UsageError."""
    from jprs_client.terms.reasons import Reason, checked

    by_label = {reason.label.casefold(): reason for reason in Reason}
    if text.casefold() in by_label:
        return by_label[text.casefold()]
    try:
        return checked(int(text))
    except ValueError:
        raise UsageError("reason-not-a-number", given=text, known=[str(int(reason)) for reason in Reason]) from None


def _tell_what_will_be(door: Door, intents: tuple[RevocationIntent, ...]) -> None:
    """Object and effect, before anybody is asked (THREATS D35)."""
    for intent in intents:
        key = "revoke.replaced-first" if intent.replace else "revoke.not-replaced"
        door.note(key, certificate=intent.lineage, serial=intent.serial, reason=intent.reason)
