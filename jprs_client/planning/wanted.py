"""Which certificates there should be, with which names: one per usage FQDN, or as written by hand.

Only names that a usable usage FQDN authorises come out of here, as the set an order may carry (TERMS N7).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from jprs_client.config import CertificateTable, Config, SolverChoice, UsageFqdnTable
from jprs_client.errors import NotIssuable
from jprs_client.keys import KeyType
from jprs_client.planning.actions import Problem
from jprs_client.planning.facts import State
from jprs_client.terms.authority import Authority, IssuableName
from jprs_client.terms.names import DnsName, derived


@dataclass(frozen=True, slots=True)
class Wanted:
    """A certificate there should be. `foreign` are names asked for that no declared usage FQDN ever authorises."""

    name: str
    names: frozenset[DnsName]
    key_type: KeyType
    solver: SolverChoice
    install: tuple[str, ...]
    foreign: frozenset[DnsName] = frozenset()


@dataclass(frozen=True, slots=True)
class WantedCertificates:
    """All of them by lineage name and in its order, and what stands in the way of some."""

    by_name: dict[str, Wanted]
    problems: tuple[Problem, ...]


def wanted(config: Config, state: State, authority: Authority) -> WantedCertificates:
    """The certificates the configuration asks for, as far as their names are issuable on `authority`'s day."""
    tables = {table.name: table for table in config.usage_fqdns}
    known = {name for usage in authority.usages for name in usage.issuable}
    found: dict[str, Wanted] = {}
    problems: list[Problem] = []
    for certificate in sorted(config.certificates or _one_each(config), key=attrgetter("name")):
        asked = _asked_for(certificate, tables, state)
        names: set[DnsName] = set()
        foreign: set[DnsName] = set()
        for name in sorted(asked, key=attrgetter("ascii")):
            if authority.authorises(name):
                names.add(name)
                continue
            try:
                names.add(authority.orderable(name).name)
            except NotIssuable as refusal:
                if name not in known and name.wildcard not in known:  # of an ended usage FQDN is told as such
                    foreign.add(name)
                    problems.append(Problem("not-issuable", refusal.params, certificate.name, exit_code=4))
        found[certificate.name] = Wanted(
            name=certificate.name,
            names=without_covered(names),
            key_type=certificate.key_type,
            solver=certificate.solver,
            install=certificate.install,
            foreign=frozenset(foreign),
        )
    return WantedCertificates(found, tuple(problems))


def _one_each(config: Config) -> tuple[CertificateTable, ...]:
    """One certificate per usage FQDN, named after it."""
    return tuple(
        CertificateTable(
            name=table.name.ascii,
            usage_fqdns=(table.name,),
            names=(),
            key_type=config.defaults.key_type,
            solver=config.defaults.solver,
            install=config.defaults.install,
        )
        for table in config.usage_fqdns
    )


def _asked_for(
    certificate: CertificateTable, tables: dict[DnsName, UsageFqdnTable], state: State
) -> frozenset[DnsName]:
    if certificate.names:
        return frozenset(certificate.names)
    asked: set[DnsName] = set()
    for name in certificate.usage_fqdns:
        asked.add(name)
        also = derived(name)
        if also is not None and also not in tables and _wants_derived(tables[name], also, state):
            asked.add(also)
    return frozenset(asked)


def _wants_derived(table: UsageFqdnTable, also: DnsName, state: State) -> bool:
    if table.derived == "auto":
        return also not in state.missing_names
    return table.derived == "always"


def without_covered(names: Iterable[DnsName]) -> frozenset[DnsName]:
    """`names` less those that a wildcard among them covers."""
    every = frozenset(names)
    if not any(name.is_wildcard for name in every):
        return every
    return frozenset(name for name in every if name.wildcard not in every)


def to_order(names: Iterable[DnsName], authority: Authority) -> Sequence[IssuableName]:
    """The names of an order, each authorised on the day it is sent; raises NotIssuable (TERMS N7)."""
    return [authority.issuable(name) for name in sorted(names)]
