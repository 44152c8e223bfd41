"""`jprs-client register`: the ACME account, made once with the operator's credentials."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jprs_client.cli.words import command as worded
from jprs_client.cli.words import option

if TYPE_CHECKING:
    from jprs_client.cli.door import Door


@worded("register")
@option("--agree-terms", is_flag=True)
@option("--consent-ct", is_flag=True)
@option("--eab-credentials", type=click.Path(readable=False, path_type=Path), metavar="FILE")
@click.pass_obj
def command(door: Door, /, agree_terms: bool, consent_ct: bool, eab_credentials: Path | None) -> int:
    """Create the ACME account; again after the terms changed, record the new agreement."""
    from jprs_client.terms.consent import Consent, Documents

    documents = Documents()
    if door.can_ask:  # each is asked by itself (TERMS A3); elsewhere both options say it
        agree_terms = agree_terms or door.confirm("ask.agree-terms", page=documents.terms_of_service)
        consent_ct = consent_ct or door.confirm("ask.consent-ct", page=documents.ct_disclosure)
    consent = Consent(agree_terms, consent_ct, documents, agreed_by=f"{_user()}@{socket.gethostname()}")
    done = door.app().register(consent, eab_credentials)
    if door.json:
        door.screen.document(
            {
                "account": {"status": done.status, "url": done.url},
                "created": done.created,
                "terms_url": done.documents.terms_of_service,
                "ct_page": done.documents.ct_disclosure,
            }
        )
    door.tell("register.created" if done.created else "register.known", url=done.url)
    door.tell("register.agreed", terms=done.documents.terms_of_service, ct=done.documents.ct_disclosure)
    door.tell("register.back-up", folder=door.app().store.account_key_path)
    return 0


def _user() -> str:
    """Who is at the keyboard, for the record of the agreement; a number where the user has no name."""
    import os

    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
