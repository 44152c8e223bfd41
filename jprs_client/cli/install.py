"""`jprs-client install` and `rollback`: deploy again, or go back to what was served before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jprs_client.cli.notify import tell_run
from jprs_client.cli.words import argument, option
from jprs_client.cli.words import command as worded

if TYPE_CHECKING:
    from jprs_client.cli.door import Door
    from jprs_client.install import Change


@worded("install")
@argument("names", nargs=-1, metavar="[NAME]...")
@option("--show", is_flag=True)
@click.pass_obj
def command(door: Door, /, names: tuple[str, ...], show: bool) -> int:
    """Deploy the current versions again, of the certificates called NAME or of all; `--show` only says what changes."""
    app = door.app()
    wanted = app.lineages(names) if names else None
    if not show:
        return tell_run(door, app.install(wanted))
    changes = app.preview(wanted)
    if door.json:
        shown = [_shape(change) for change in changes]
        door.screen.document({"done": [], "failed": [], "problems": [], "changes": shown})
    for change in changes:
        door.tell("install.change", certificate=change.lineage, target=change.target, version=change.version)
        for file in change.files:
            door.screen.line(door.say(f"install.file-{file.change}", file=file.path), indent=2)
        if change.live is not None:
            door.screen.line(door.say("install.live", before=change.live[0], after=change.live[1]), indent=2)
        for command in filter(None, (change.check, change.reload)):
            door.screen.line(door.say("install.then", command=" ".join(command)), indent=2)
        for code, params in change.notes:
            door.note(f"note.{code}", **params)
    if not changes:
        door.tell("done.nothing-due")
    return 0


def _shape(change: Change) -> dict[str, object]:
    return {
        "certificate": change.lineage,
        "target": change.target,
        "version": change.version,
        "files": [{"path": file.path, "change": file.change} for file in change.files],
        "live": None if change.live is None else {"from": change.live[0], "to": change.live[1]},
        "check": change.check,
        "reload": change.reload,
        "probes": [
            {"host": probe.host, "port": probe.port, "server_name": probe.server_name} for probe in change.probes
        ],
    }


@worded("rollback")
@argument("name", metavar="NAME")
@click.pass_obj
def rollback(door: Door, /, name: str) -> int:
    """Serve the version that was served before; the plan leaves it so for half of what is left of its time."""
    lineage, version = door.app().roll_back(name)
    if door.json:
        done = [{"action": "rollback", "certificate": lineage, "version": version}]
        door.screen.document({"done": done, "failed": [], "problems": []})
    door.tell("rollback.done", certificate=lineage, version=version)
    return 0
