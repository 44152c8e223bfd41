"""`jprs-client explain`: which usage FQDN authorises a name, and which certificate serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jprs_client.cli import shapes
from jprs_client.cli.input import Name
from jprs_client.cli.words import argument
from jprs_client.cli.words import command as worded
from jprs_client.errors import NotIssuable

if TYPE_CHECKING:
    from jprs_client.cli.door import Door
    from jprs_client.terms.names import DnsName


@worded("explain")
@argument("name", type=Name())
@click.pass_obj
def command(door: Door, /, name: DnsName) -> int:
    """Say who authorises NAME and what serves it, or which usage FQDN to apply for."""
    from jprs_client.terms.names import warnings

    found = door.app().explain(name)
    if door.json:
        door.screen.document(shapes.explanation(found))
    for code in warnings(name):
        door.note(f"note.{code}", name=name.both_forms)
    if found.apply_for is not None:
        refusal = NotIssuable(name.both_forms, found.apply_for.both_forms)
        message, next_step = door.speech.error_sentence(refusal)
        door.screen.error(message, "error")
        door.screen.error(next_step, indent=2)
        return refusal.exit_code
    authorised_by = [other.both_forms for other in found.authorised_by]
    if found.ordered_as == name:
        door.tell("explain.authorised", name=name.both_forms, usage_fqdns=authorised_by)
    else:
        wildcard = found.ordered_as.both_forms if found.ordered_as else ""
        door.tell("explain.by-wildcard", name=name.both_forms, wildcard=wildcard, usage_fqdns=authorised_by)
    if found.served_by is None:
        door.tell("explain.served-by-none")
    else:
        door.tell("explain.served-by" if found.is_issued else "explain.will-be-served-by", certificate=found.served_by)
    return 0
