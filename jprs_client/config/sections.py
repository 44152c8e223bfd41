"""The plain sections: `[ca]`, `[dns]`, `[account]`, `[operator]`, `[planner]`, `[notify]`, `[storage]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from jprs_client.config.plugin_tables import command_in
from jprs_client.config.problems import Choices, Place
from jprs_client.config.tables import Table, address_in, name_in, note_secrets
from jprs_client.config.values import (
    DEFAULT_DIRECTORY,
    AccountSection,
    Address,
    CaSection,
    DnsSection,
    NotifySection,
    OperatorSection,
    PlannerSection,
    StorageSection,
)
from jprs_client.errors import harmless
from jprs_client.keys import KeyType

_URL = re.compile(r"[!-~]+")
_SQLITE_URL = re.compile(r"sqlite:///(?!:memory:)[^\0?#]+")
_POSTGRESQL = re.compile(r"postgres(?:ql)?(?:\+[a-z0-9]+)?")
_MAIL_LOCAL_PART = re.compile(r"[A-Za-z0-9!$&'*+._~=-]{1,64}")


def ca(table: Table) -> CaSection:
    """`[ca]`. SCTs are required of the default directory; another CA may be a private or test one."""
    directory = table.text("directory", '"https://…"')
    fault = None if directory is None else _directory_fault(directory)
    if fault == "config-directory-not-https":
        table.problems.add(fault, table.place_of("directory"), found=harmless(directory, 200))
    elif fault is not None:  # not shown: it may hold a password
        table.problems.add(fault, table.place_of("directory"), expected='"https://…"')
    directory = directory or DEFAULT_DIRECTORY
    return CaSection(
        directory=directory,
        trust=table.path("trust"),
        require_scts=table.boolean("require_scts", default=directory == DEFAULT_DIRECTORY),
    )


def _directory_fault(text: str) -> str | None:
    """What is wrong with a directory's address (RFC 8555 §6.1: HTTPS only)."""
    if not _URL.fullmatch(text):
        return "config-directory-not-a-url"
    try:
        parts = urlsplit(text)
        complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "config-directory-not-a-url"
    if parts.username is not None or parts.password is not None:
        return "config-directory-with-user"
    if parts.scheme == "http" and complete:
        return "config-directory-not-https"
    if parts.scheme != "https" or not complete:
        return "config-directory-not-a-url"
    return "config-directory-with-fragment" if "#" in text else None


def dns(table: Table) -> DnsSection:
    """`[dns]`. A resolver is an IP address: a name would have to be looked up first."""

    def read(text: str, place: Place) -> Address | None:
        address = address_in(text, 53, only_ip=True)
        if address is None:
            table.problems.wrong(place, text, '"IP:PORT"')
        return address

    return DnsSection(table.listed("resolvers", '["IP:PORT"]', read))


def account(table: Table) -> AccountSection:
    """`[account]`. Whether there is a contact is for who registers to ask; a plan needs none."""

    def read(text: str, place: Place) -> str | None:
        return _mail_address(text, place, table)

    return AccountSection(
        contact=table.listed("contact", '["admin@example.jp"]', read),
        eab_credentials=_eab_credentials(table),
        key_type=table.member("key_type", KeyType, KeyType.ECDSA_P256),
    )


def _eab_credentials(table: Table) -> Path | None:
    """The file's path; the credentials themselves in its place are a fault of their own."""
    entry = table.raw("eab_credentials")
    before = table.problems.count
    if entry is not None:
        note_secrets("eab_credentials", entry.value, entry.place, table.problems)
    return table.path("eab_credentials") if table.problems.count == before else None


def _mail_address(text: str, place: Place, table: Table) -> str | None:
    """One address, without header fields, as ACME takes it (RFC 8555 §7.3)."""
    bare = text[7:] if text[:7].lower() == "mailto:" else text
    local, _, domain = bare.rpartition("@")
    if not _MAIL_LOCAL_PART.fullmatch(local) or domain.startswith("*"):
        table.problems.wrong(place, text, '"admin@example.jp"')
        return None
    name = name_in(domain, place, table.problems)
    return None if name is None else f"{local}@{name}"


def operator(table: Table) -> OperatorSection:
    """`[operator]`."""
    return OperatorSection(
        name=table.text("name"),
        suspended=table.boolean("suspended", default=False),
        notice_days=table.number("notice_days", 0, 366, OperatorSection().notice_days),
    )


def planner(table: Table) -> PlannerSection:
    """`[planner]`."""
    default = PlannerSection()
    return PlannerSection(
        grouping=table.choice("grouping", ("per-usage-fqdn", "multi-domain"), default.grouping),
        max_names=table.number("max_names", 1, 1000, default.max_names),
    )


def notify(table: Table, tables: Mapping[str, Place]) -> NotifySection:
    """`[notify]`; `tables` are the notifiers that have a table. Without `by` all are told."""

    def mail_address(text: str, place: Place) -> str | None:
        return _mail_address(text, place, table)

    def notifier(text: str, place: Place) -> str | None:
        if text in there:
            return text
        table.problems.unknown("config-notifier-unknown", place, text, Choices(there), name=harmless(text, 80))
        return None

    implied = [key for key in ("mail", "command") if key in table]
    before = table.problems.count
    for key in implied:  # a table in its place is a notifier's, and may hold what it must not
        entry = table.raw(key)
        if entry is not None and not isinstance(entry.value, list):
            note_secrets(key, entry.value, entry.place, table.problems)
    if table.problems.count > before:
        return NotifySection()
    for key in implied:
        if key in tables:
            table.problems.add("config-notifier-twice", table.place_of(key), other=tables[key])
    there = [*tables, *implied]
    chosen = table.listed("by", '["NAME"]', notifier) if "by" in table else tuple(tables)
    return NotifySection(
        by=tuple(dict.fromkeys([*chosen, *implied])),
        language=table.choice("language", ("en", "ja"), "") or None,
        mail=table.listed("mail", '["admin@example.jp"]', mail_address),
        command=command_in(table, "command"),
    )


def storage(table: Table) -> StorageSection:
    """`[storage]`. An address that is refused is not shown: it may hold a password."""
    url = table.text("url", '"sqlite:///…"')
    if url is None:
        return StorageSection()
    scheme = url.partition(":")[0].lower()
    if _POSTGRESQL.fullmatch(scheme):
        table.problems.add("config-storage-not-there-yet", table.place_of("url"), scheme=scheme)
    elif not _SQLITE_URL.fullmatch(url):
        table.problems.add("config-storage-unknown", table.place_of("url"), expected='"sqlite:///…"')
    return StorageSection(url)
