"""`jprs-client apply` and `renew`: do what is due. `apply` is what the timer runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jprs_client.cli.input import Span
from jprs_client.cli.notify import failure_told, tell_run
from jprs_client.cli.telling import ask_to_start
from jprs_client.cli.words import argument, option
from jprs_client.cli.words import command as worded

if TYPE_CHECKING:
    from datetime import timedelta

    from jprs_client.cli.door import Door


@worded("apply")
@argument("names", nargs=-1, metavar="[NAME]...")
@option("--start-usage", is_flag=True)
@option("--next-run", type=Span())
@click.pass_obj
def command(door: Door, /, names: tuple[str, ...], start_usage: bool, next_run: timedelta | None) -> int:
    """Issue, renew, reissue and install what is due, of the certificates called NAME or of all."""
    from jprs_client.app import Asked

    with failure_told(door):
        app = door.app(lambda action: ask_to_start(door, action))
        wanted = app.lineages(names) if names else None
        report = app.apply(Asked(names=wanted, start_usage=start_usage, next_run=next_run))
    return tell_run(door, report)


@worded("renew")
@argument("names", nargs=-1, metavar="[NAME]...")
@option("--force", is_flag=True)
@click.pass_obj
def renew(door: Door, /, names: tuple[str, ...], force: bool) -> int:
    """The renewals only, with the installs that follow from them; `--force` renews what is not due."""
    from jprs_client.app import RENEWALS, Asked

    with failure_told(door):
        app = door.app(lambda action: ask_to_start(door, action))
        wanted = app.lineages(names) if names else None
        report = app.apply(Asked(names=wanted, kinds=RENEWALS, force=force))
    return tell_run(door, report)
