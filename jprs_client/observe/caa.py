"""Whether CAA lets the CA issue (RFC 8659, RFC 8657): a decision on records, and the climb that finds them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from jprs_client.errors import RefusedByCa, harmless
from jprs_client.observe.resolver import Answer, CaaRecord

#: Who may issue, where the directory does not say (`caaIdentities`).
DEFAULT_IDENTITIES = ("jprs.jp",)

_ISSUER_CRITICAL = 0x80  # RFC 8659 §4.1: bit 0 is the highest
_UNDERSTOOD = frozenset({"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"})
_DOMAIN = re.compile(r"[A-Za-z0-9]+(-+[A-Za-z0-9]+)*(\.[A-Za-z0-9]+(-+[A-Za-z0-9]+)*)*")
_PARAMETER = re.compile(r"([A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*)[ \t]*=[ \t]*([\x21-\x3A\x3C-\x7E]*)")


@dataclass(frozen=True, slots=True)
class CaaVerdict:
    """What CAA says about one name. None for `allowed` when a look-up failed: JPRS would refuse then, too.

    `zone` is where the deciding records stand, or where the look-up failed; None when there is no CAA at all. `why` is
    spoken as `reason.WHY`: caa-none, caa-allows, caa-nobody, caa-other-issuer, caa-critical, caa-account, caa-method,
    caa-unanswered.
    """

    allowed: bool | None
    name: str
    why: str
    zone: str | None = None
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who asks to issue: the CA's domains, and ours as far as known, for RFC 8657.

    `account_url` None and `methods` empty leave the parameters about them out of the decision.
    """

    identities: Sequence[str] = DEFAULT_IDENTITIES
    account_url: str | None = None
    methods: Collection[str] = ()


#: A name and what is at it: records, none, or None when the look-up failed.
RecordSet = tuple[str, tuple[CaaRecord, ...] | None]


def climb(name: str) -> tuple[str, ...]:
    """Where to look for `name`'s CAA records, in this order: the name without `*.`, then up to the last label."""
    labels = name.removeprefix("*.").split(".")
    return tuple(".".join(labels[start:]) for start in range(len(labels)))


def caa_verdict(name: str, record_sets: Iterable[RecordSet], issuer: Issuer) -> CaaVerdict:
    """RFC 8659 §3 and §4 on `record_sets`, which are in the order of `climb`: the first that is not empty rules."""
    for zone, records in record_sets:
        if records is None:
            return CaaVerdict(None, name, "caa-unanswered", zone)
        if records:
            why = _ruling(name, records, issuer)
            shown = tuple(harmless(record, 200) for record in records)
            return CaaVerdict(why == "caa-allows", name, why, zone, shown)
    return CaaVerdict(True, name, "caa-none")


def _ruling(name: str, records: Sequence[CaaRecord], issuer: Issuer) -> str:
    if any(record.flags & _ISSUER_CRITICAL and record.tag.lower() not in _UNDERSTOOD for record in records):
        return "caa-critical"
    applying = [record.value for record in records if record.tag.lower() == "issue"]
    if name.startswith("*."):  # RFC 8659 §4.3: issuewild, where there is any, is all that counts
        applying = [record.value for record in records if record.tag.lower() == "issuewild"] or applying
    if not applying:
        return "caa-allows"
    rulings = {_on_value(value, issuer) for value in applying}
    return next(ruling for ruling in _KINDEST_FIRST if ruling in rulings)


_KINDEST_FIRST = ("caa-allows", "caa-method", "caa-account", "caa-other-issuer", "caa-nobody")


def _on_value(value: str, issuer: Issuer) -> str:
    """What one issue or issuewild value says; one that breaks the grammar names nobody (RFC 8659 §4.2)."""
    domain, semicolon, rest = value.partition(";")
    domain = domain.strip(" \t")
    parameters = _parameters(rest) if semicolon else ()
    if not _DOMAIN.fullmatch(domain) or parameters is None:
        return "caa-nobody"
    if domain.lower() not in {identity.lower().rstrip(".") for identity in issuer.identities}:
        return "caa-other-issuer"
    accounts = [content for tag, content in parameters if tag == "accounturi"]
    if issuer.account_url is not None and accounts and accounts != [issuer.account_url]:  # RFC 8657 §3: one at most
        return "caa-account"
    methods = [content for tag, content in parameters if tag == "validationmethods"]
    if issuer.methods and methods and (len(methods) > 1 or not set(methods[0].split(",")) & set(issuer.methods)):
        return "caa-method"
    return "caa-allows"


def _parameters(text: str) -> tuple[tuple[str, str], ...] | None:
    """The parameters behind the semicolon; None when they break the grammar."""
    if not text.strip(" \t"):
        return ()
    matches = [_PARAMETER.fullmatch(part.strip(" \t")) for part in text.split(";")]
    found = tuple((match[1].lower(), match[2]) for match in matches if match is not None)
    return found if len(found) == len(matches) else None


class AsksCaa(Protocol):
    """A resolver, as far as it is needed here."""

    def caa(self, name: str, /) -> Answer[CaaRecord]:
        """The CAA records at exactly `name`."""


class CaaLookups:
    """The climbs of one run: what one name has seen of its parents, the next does not ask again."""

    def __init__(self, resolver: AsksCaa) -> None:
        self._resolver = resolver
        self._seen: dict[str, tuple[CaaRecord, ...] | None] = {}

    def records(self, name: str) -> tuple[CaaRecord, ...] | None:
        """The records at exactly `name`; None when the look-up failed."""
        if name not in self._seen:
            answer = self._resolver.caa(name)
            self._seen[name] = answer.records if answer.known else None
        return self._seen[name]

    def check(self, name: str, issuer: Issuer) -> CaaVerdict:
        """What CAA says about `name`, which may be a wildcard. Asks no further up than it has to."""
        return caa_verdict(name, ((zone, self.records(zone)) for zone in climb(name)), issuer)


def check_caa(
    name: str,
    resolver: AsksCaa,
    identities: Sequence[str],
    *,
    account_url: str | None = None,
    methods: Collection[str] = (),
) -> CaaVerdict:
    """What CAA says about one name; for several, `CaaLookups` asks less. Empty `identities`: JPRS's."""
    issuer = Issuer(tuple(identities) or DEFAULT_IDENTITIES, account_url, methods)
    return CaaLookups(resolver).check(name, issuer)


def refusal(verdict: CaaVerdict, issuer: Issuer) -> RefusedByCa | None:
    """The error of a verdict that positively forbids, named as the CA would; None for every other verdict.

    caa-forbids-precheck carries name, zone, records, issuer and why.
    """
    if verdict.allowed is not False:
        return None
    return RefusedByCa(
        "caa-forbids-precheck",
        problem_type="urn:ietf:params:acme:error:caa",
        name=verdict.name,
        zone=verdict.zone,
        records="; ".join(verdict.records),
        issuer=", ".join(issuer.identities),
        why=verdict.why,
    )
