"""`jprs-client account …`: the ACME account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jprs_client.cli import shapes
from jprs_client.cli.words import Group
from jprs_client.cli.words import command as worded

if TYPE_CHECKING:
    from jprs_client.cli.door import Door

command = Group("account", {"show": "jprs_client.cli.account:show"})


@worded("show")
@click.pass_obj
def show(door: Door, /) -> int:
    """Show the account at the configured directory, as last known."""
    app = door.app()
    found = app.store.account()
    if door.json:
        door.screen.document(shapes.account(found, app.config.ca.directory))
    if found is None:
        door.tell("status.no-account", directory=app.config.ca.directory)
        return 0
    door.tell("status.account", status=found.status, url=found.url)
    for key, value in (
        ("account.contact", found.contact),
        ("account.registered-at", found.registered_at),
        ("account.terms", found.terms_url),
        ("account.key", app.store.account_key_path),
    ):
        door.screen.line(door.say(key, value=value), indent=2)
    return 0
