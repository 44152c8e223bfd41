"""`jprs-client service …`: systemd runs the program, from a timer or as a daemon."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jprs_client.cli.words import Group, option
from jprs_client.cli.words import command as worded
from jprs_client.errors import UsageError

if TYPE_CHECKING:
    from jprs_client.cli.door import Door
    from jprs_client.service import Changed

command = Group(
    "service",
    {"install": "jprs_client.cli.service:install", "uninstall": "jprs_client.cli.service:uninstall"},
)


@worded("install")
@option("--timer", is_flag=True)
@option("--daemon", is_flag=True)
@option("--show", is_flag=True)
@click.pass_obj
def install(door: Door, /, timer: bool, daemon: bool, show: bool) -> None:
    """Write the units, and have systemd run the timer (the default) or the daemon; `--show` only shows them."""
    from jprs_client.config import load
    from jprs_client.registry import Registry
    from jprs_client.service import APPLY_TIMER, DAEMON, Systemd, units
    from jprs_client.service.systemd import must_be_roots, must_be_visible, program_place

    if timer and daemon:
        raise UsageError("options-not-together", first="--timer", second="--daemon", command=door.command_path)
    config = load(door.config_path, Registry())
    place = program_place(
        sys.argv[0], sys.executable, sysconfig.get_path("scripts"), sys.prefix, door.config_path, door.state_directory,
        Path(__file__).parents[1],
    )  # fmt: skip
    texts = units(place, config)
    if show:
        if door.json:
            door.screen.document({"units": texts})
            return
        for name, text in texts.items():
            door.screen.line(f"# {name}")
            for line in text.splitlines():
                door.screen.line(line)
        return
    systemd = Systemd()
    systemd.must_be_ours()
    must_be_visible(place)
    must_be_roots(place)
    done = systemd.install(texts, DAEMON if daemon else APPLY_TIMER, place.state_dir)
    _tell(door, done)
    if not door.json:
        door.tell("service.enabled-daemon" if daemon else "service.enabled-timer", unit=done.enabled)
        door.tell("service.register")


@worded("uninstall")
@click.pass_obj
def uninstall(door: Door, /) -> None:
    """Stop, and remove the units that `service install` wrote; state and credentials stay."""
    from jprs_client.service import Systemd

    systemd = Systemd()
    systemd.must_be_ours()
    done = systemd.uninstall()
    _tell(door, done)
    if not (done.removed or door.json):
        door.tell("service.nothing-to-remove")


def _tell(door: Door, done: Changed) -> None:
    if door.json:
        door.screen.document(
            {
                "written": done.written,
                "unchanged": done.unchanged,
                "removed": done.removed,
                "enabled": done.enabled,
                "disabled": done.disabled,
            }
        )
        return
    for path in done.written:
        door.tell("service.written", file=path)
    for path in done.unchanged:
        door.tell("service.unchanged", file=path)
    for path in done.removed:
        door.tell("service.removed", file=path)
    for unit in done.disabled:
        door.tell("service.disabled", unit=unit)
