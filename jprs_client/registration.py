"""The ACME account, made once with the operator's credentials (ご利用条件 第5条1項; TERMS A1, A3).

The account key is on disk before the CA hears of it, so a lost answer costs nothing: the account is found by its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jprs_client import keys
from jprs_client.config import Config
from jprs_client.credentials import EabCredentials, read_eab
from jprs_client.errors import ConsentNeeded, StateUnusable
from jprs_client.files import make_directory, write_file
from jprs_client.store.store import Store
from jprs_client.terms.consent import Agreement, Consent, Documents, missing, terms_moved

if TYPE_CHECKING:
    from jprs_client.ca.client import Ca
    from jprs_client.ca.values import Account

OPTIONS = {Agreement.TERMS: "--agree-terms", Agreement.CT: "--consent-ct"}


@dataclass(frozen=True, slots=True)
class Registered:
    """The account, and whether this run made it."""

    url: str
    status: str
    created: bool
    documents: Documents


def register(
    config: Config, store: Store, ca: Ca, account_ca: Ca | None, consent: Consent, eab: Path | None
) -> Registered:
    """Create the account, or record a new agreement where there is one already. `account_ca` talks as that account.

    Raises ConsentNeeded while one of the two agreements is missing, before anybody is asked anything.
    """
    contact = config.account.contact
    if not contact:
        raise StateUnusable("contact-missing", file=config.path)
    lacking = missing(consent)
    if lacking:
        raise ConsentNeeded(
            "consent-missing",
            options=[OPTIONS[agreement] for agreement in lacking],
            terms=consent.documents.terms_of_service,
            ct=consent.documents.ct_disclosure,
        )
    # Checked before anything is sent: credentials are good for one account (TERMS A1).
    credentials = read_eab(eab) if eab is not None and account_ca is None else None
    store.must_be_of_this_directory()
    store.ready_to_write()
    with store.claims.held("account", "register"):
        directory = ca.directory()
        store.keep_directory(offers_ari=directory.renewal_info is not None, terms_url=directory.terms_of_service)
        documents = Documents.of(directory.terms_of_service)
        known = store.account()
        if known is not None and account_ca is not None:
            agreed_before = Consent(True, True, Documents(known.terms_url or documents.terms_of_service))
            if terms_moved(agreed_before, directory.terms_of_service):
                account_ca.agree_to_terms()
            store.keep_consent(consent.agreed_by, documents.terms_of_service, documents.ct_disclosure)
            return Registered(known.url, known.status, created=False, documents=documents)
        key_pem, account = _key_and_account(config, store, ca)
        if account is None:
            account = ca.register(key_pem, contact, eab=_pair(credentials), terms_agreed=True)
        with store.writing():
            key_id = credentials.key_id if credentials else None
            store.keep_account(account.url, account.status, contact, keys.spki_sha256(key_pem), key_id)
            store.keep_consent(consent.agreed_by, documents.terms_of_service, documents.ct_disclosure)
            store.keep_event("registered", url=account.url, agreed_by=consent.agreed_by)
    return Registered(account.url, account.status, account.created, documents)


def _key_and_account(config: Config, store: Store, ca: Ca) -> tuple[bytes, Account | None]:
    """The account key, made durable; and the account, where an earlier run had the CA make it (FAULTS 1, 2)."""
    path = store.account_key_path
    if path.exists():
        key_pem = store.account_key()
        return key_pem, ca.find_account(key_pem)
    key_pem = keys.generate(config.account.key_type)
    make_directory(path.parent)
    write_file(path, key_pem)
    return key_pem, None


def _pair(credentials: EabCredentials | None) -> tuple[str, bytes] | None:
    return (credentials.key_id, credentials.hmac_key) if credentials is not None else None
