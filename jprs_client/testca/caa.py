"""Whether a domain's CAA records let this CA issue (RFC 8659, RFC 8657)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dns.rdtypes.ANY.CAA import CAA

from jprs_client.testca.problems import Problem
from jprs_client.testca.resolver import LookupFailedError, Resolver
from jprs_client.testca.validation import Perspective, agreed

_UNDERSTOOD = frozenset({"issue", "issuewild", "iodef"})
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\Z")
#: RFC 8659 §4.2: white space is spaces and tabs, a tag may have hyphens inside.
_BLANK = " \t"
_PARAMETER = re.compile(r"[ \t]*([A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*)[ \t]*=[ \t]*([\x21-\x3a\x3c-\x7e]*)[ \t]*\Z")


@dataclass(frozen=True, slots=True)
class CaaRecord:
    """One record; `tag` in lower case."""

    tag: str
    value: str
    critical: bool = False

    def __str__(self) -> str:
        return f'{128 if self.critical else 0} {self.tag} "{self.value}"'


@dataclass(frozen=True, slots=True)
class Issuance:
    """What is to be issued: to whom, and how control was proved."""

    issuers: Sequence[str]
    wildcard: bool
    account_url: str
    method: str


def forbids(records: Sequence[CaaRecord], issuance: Issuance) -> str | None:
    """Why the relevant record set forbids it; None when it does not."""
    for record in records:
        if record.critical and record.tag not in _UNDERSTOOD:
            return f"the critical property {record.tag!r:.60} is not understood"
    relevant = [record for record in records if record.tag == "issue"]
    if issuance.wildcard:  # RFC 8659 §4.3: issuewild, where there is any, stands instead of issue
        relevant = [record for record in records if record.tag == "issuewild"] or relevant
    if not relevant:
        return None
    reasons = [_refusal(record.value, issuance) for record in relevant]
    return None if None in reasons else "; ".join(reason for reason in reasons if reason)


def _refusal(value: str, issuance: Issuance) -> str | None:
    parsed = _parse(value)
    if parsed is None:
        return f"{value!r:.100} cannot be read and so permits nobody"
    domain, parameters = parsed
    if domain not in issuance.issuers:
        return f"{domain or 'nobody'!s} is permitted, not {' or '.join(issuance.issuers)}"
    uris = parameters.get("accounturi", [])
    if uris and uris != [issuance.account_url]:
        return f"the account {', '.join(uris)} is permitted, not {issuance.account_url}"
    methods = parameters.get("validationmethods", [])
    if methods and not (len(methods) == 1 and issuance.method in methods[0].split(",")):
        return f"validation by {', '.join(methods)} is permitted, not by {issuance.method}"
    return None


def _parse(value: str) -> tuple[str, Mapping[str, list[str]]] | None:
    """RFC 8659 §4.2: the issuer's domain, maybe empty, and its parameters."""
    domain, *rest = value.split(";")
    domain = domain.strip(_BLANK).lower()
    if domain and not _DOMAIN.match(domain):
        return None
    parameters: dict[str, list[str]] = {}
    for text in rest:
        if not text.strip(_BLANK):
            continue
        match = _PARAMETER.match(text)
        if match is None:
            return None
        parameters.setdefault(match[1].lower(), []).append(match[2])
    return domain, parameters


async def relevant_records(resolver: Resolver, name: str) -> tuple[str, list[CaaRecord]]:
    """RFC 8659 §3: the first record set on the way up from `name` (without `*.`), and where it stands.

    Raises LookupFailedError: what cannot be looked up forbids.
    """
    labels = name.split(".")
    for start in range(len(labels)):
        host = ".".join(labels[start:])
        answer = await resolver.look_up(host, "CAA")
        records = [_record(rdata) for rdata in answer.records if isinstance(rdata, CAA)]
        if records:
            return host, records
    return "", []


def _record(rdata: CAA) -> CaaRecord:
    tag, value = rdata.tag.decode("latin-1").lower(), rdata.value.decode("latin-1")
    return CaaRecord(tag, value, bool(rdata.flags & 0x80))


async def check(resolver: Resolver, name: str, issuance: Issuance) -> Problem | None:
    """What is said about issuing for `name`, which has no `*.`: a problem of type caa or dns, or nothing."""
    try:
        where, records = await relevant_records(resolver, name)
    except LookupFailedError as error:
        return Problem("dns", f"CAA for {name}: {error}; without an answer nothing is issued")
    why = forbids(records, issuance)
    if why is None:
        return None
    shown = ", ".join(str(record) for record in records)
    full_name = f"*.{name}" if issuance.wildcard else name
    return Problem("caa", f"CAA at {where} forbids issuing for {full_name}: {why} (found: {shown:.300})")


async def corroborated(perspectives: Sequence[Perspective], name: str, issuance: Issuance) -> Problem | None:
    """What is said about issuing for `name` from several places; the primary decides, the others agree."""

    async def ask(perspective: Perspective) -> None:
        problem = await check(perspective.resolver, name, issuance)
        if problem is not None:
            raise problem

    try:
        await agreed(perspectives, ask)
    except Problem as problem:
        return problem
    return None
