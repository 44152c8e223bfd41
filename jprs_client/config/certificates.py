"""`[[usage_fqdn]]`, `[defaults]` and `[[certificate]]`: each by itself, and what one may say about another."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from jprs_client.config.problems import Choices, Place, Problems
from jprs_client.config.tables import Table, name_in
from jprs_client.config.values import BUILT_IN_SOLVER, CertificateTable, Defaults, SolverChoice, UsageFqdnTable
from jprs_client.errors import harmless
from jprs_client.keys import KeyType
from jprs_client.terms.names import DnsName, authorising_names, issuable
from jprs_client.terms.usage import Term

_CERTIFICATE_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,199}")
_NAMES = '["example.jp"]'
_TERMS = {term.label: term for term in Term}
_DERIVED = ("auto", "always", "never")


@dataclass
class UsageFqdns:
    """The tables, and where each usage FQDN is declared: also one whose table has something else wrong."""

    tables: list[UsageFqdnTable] = field(default_factory=list)
    declared: dict[DnsName, Place] = field(default_factory=dict)

    @cached_property
    def choices(self) -> Choices:
        """Their names, once all are declared."""
        return Choices(name.ascii for name in self.declared)


def usage_fqdns(tables: Iterable[Table]) -> UsageFqdns:
    """Every `[[usage_fqdn]]`, each usage FQDN once."""
    found = UsageFqdns()
    for table in tables:
        name = _usage_name(table)
        made = _usage_fqdn(name, table)
        if name is None:
            continue
        if name in found.declared:
            table.problems.add("config-name-twice", table.place_of("name"), name=name, other=found.declared[name])
            continue
        found.declared[name] = table.place_of("name")
        if made is not None:
            found.tables.append(made)
    return found


def _usage_name(table: Table) -> DnsName | None:
    if "name" not in table:
        table.missing("name", '"example.jp"')
        return None
    text = table.text("name", '"example.jp"')
    return None if text is None else name_in(text, table.place_of("name"), table.problems)


def _usage_fqdn(name: DnsName | None, table: Table) -> UsageFqdnTable | None:
    if "term" not in table:
        table.missing("term", '"1m" | "1y"')
    term = _TERMS[table.choice("term", tuple(_TERMS), Term.ONE_YEAR.label)]
    started, ends = table.day("started"), table.day("ends")
    _check_days(table, started, ends)
    continuation_term = _TERMS[table.choice("continuation_term", tuple(_TERMS), term.label)]
    terminating = table.boolean("terminating", default=False)
    start_usage = table.boolean("start_usage", default=False)
    derived = table.choice("derived", _DERIVED, "auto")
    if name is None:
        return None
    return UsageFqdnTable(name, term, continuation_term, started, ends, terminating, start_usage, derived)


def _check_days(table: Table, started: date | None, ends: date | None) -> None:
    """`ends` is the operator's word on a period that has started (TERMS P4), so it comes after that start."""
    if "ends" in table and "started" not in table:
        table.problems.add("config-ends-without-started", table.place_of("ends"))
    if started is not None and ends is not None and ends < started:
        place = table.place_of("ends")
        table.problems.add("config-ends-before-started", place, ends=ends, started=started)


@dataclass(slots=True)
class References:
    """What a certificate may refer to: declared usage FQDNs, and the tables of solvers and installers by name.

    `implied_installers` collects the installers that are used without a table of their own.
    """

    usage_fqdns: UsageFqdns
    solvers: Collection[str]
    installers: Collection[str]
    installers_without_table: Collection[str]
    implied_installers: set[str] = field(default_factory=set)

    @property
    def implied_solver(self) -> str | None:
        """The solver where nobody names one: `web`, or the only one. None for the one built in, and when in doubt."""
        if BUILT_IN_SOLVER in self.solvers:
            return BUILT_IN_SOLVER
        return next(iter(self.solvers)) if len(self.solvers) == 1 else None


def defaults(table: Table, references: References) -> Defaults:
    """`[defaults]`."""

    def is_known(name: DnsName) -> bool:
        return any(usage_fqdn in references.usage_fqdns.declared for usage_fqdn in authorising_names(name))

    said = _solver_choice(table, references, is_known, references.usage_fqdns.declared)
    default = said.default if said.default is not None else references.implied_solver
    return Defaults(
        key_type=table.member("key_type", KeyType, KeyType.ECDSA_P256),
        solver=SolverChoice(default, said.by_name),
        install=_install(table, references) or (),
    )


def certificates(
    tables: Iterable[Table], base: Defaults, references: References
) -> tuple[tuple[CertificateTable, ...], dict[str, Place]]:
    """Every `[[certificate]]`, with what it does not say taken from `[defaults]`; and where each is named."""
    found = []
    places: dict[str, Place] = {}
    for table in tables:
        name = _certificate_name(table)
        made = _certificate(name, table, base, references)
        if name is None:
            continue
        place = table.place_of("name")
        if name in places:
            table.problems.add("config-name-twice", place, name=name, other=places[name])
            continue
        places[name] = place
        if made is not None:
            found.append(made)
    return tuple(found), places


def check_together(
    found: Iterable[CertificateTable], places: dict[str, Place], table: Table, base: Defaults, references: References
) -> None:
    """What only shows once all certificates are known; `table` is `[defaults]`.

    Asked only while nothing else is wrong, for it would speak of certificates that could not be read.
    """
    by_hand = {name for certificate in found for name in (*certificate.usage_fqdns, *certificate.names)}
    automatic = {
        name.ascii: place
        for name, place in references.usage_fqdns.declared.items()
        if by_hand.isdisjoint(issuable(name))
    }
    if not by_hand:
        needed = {name for usage_fqdn in references.usage_fqdns.tables for name in _carried(usage_fqdn)}
        _check_solver_named(base.solver, needed, table, references)
    for certificate in found:
        if certificate.name in automatic:
            place, other = places[certificate.name], automatic[certificate.name]
            table.problems.add("config-certificate-named-as-automatic", place, name=certificate.name, other=other)


def _certificate_name(table: Table) -> str | None:
    expected = "[a-z0-9][a-z0-9.-]*"
    if "name" not in table:
        table.missing("name", expected)
        return None
    text = table.text("name", expected)
    if text is not None and not _CERTIFICATE_NAME.fullmatch(text):
        table.problems.wrong(table.place_of("name"), text, expected)
        return None
    return text


def _certificate(name: str | None, table: Table, base: Defaults, references: References) -> CertificateTable | None:
    def read_usage_fqdn(text: str, place: Place) -> DnsName | None:
        return _declared(text, place, table, references)

    def read_name(text: str, place: Place) -> DnsName | None:
        return name_in(text, place, table.problems)

    by_usage = table.listed("usage_fqdns", _NAMES, read_usage_fqdn)
    by_name = table.listed("names", _NAMES, read_name)
    complete = _check_one_list(table)
    keys = _names_for_solvers(by_usage, by_name)
    said = _solver_choice(table, references, keys.__contains__, keys)
    default = said.default if said.default is not None else base.solver.default
    solver = SolverChoice(default, {**base.solver.by_name, **said.by_name})
    if complete and by_usage:
        needed = {n for u in references.usage_fqdns.tables if u.name in set(by_usage) for n in _carried(u)}
        _check_solver_named(solver, needed, table, references)
    elif complete:
        _check_solver_named(solver, set(by_name), table, references)
    key_type = table.member("key_type", KeyType, base.key_type)
    install = _install(table, references)
    if name is None:
        return None
    return CertificateTable(name, by_usage, by_name, key_type, solver, base.install if install is None else install)


def _check_one_list(table: Table) -> bool:
    """Whether exactly one of `usage_fqdns` and `names` is there, with something in it."""
    given = [key for key in ("usage_fqdns", "names") if key in table]
    if len(given) == 2:
        table.problems.add("config-certificate-two-lists", table.place_of("names"))
        return False
    if not given:
        table.problems.add("config-certificate-without-names", table.place)
        return False
    entry = table.raw(given[0])
    if entry is not None and entry.value == []:
        table.problems.wrong(entry.place, [], _NAMES)
        return False
    return True


def _declared(text: str, place: Place, table: Table, references: References) -> DnsName | None:
    name = name_in(text, place, table.problems)
    if name is None or name in references.usage_fqdns.declared:
        return name
    table.problems.unknown("config-usage-fqdn-unknown", place, name.ascii, references.usage_fqdns.choices, name=name)
    return None


def _names_for_solvers(by_usage: Iterable[DnsName], by_name: Iterable[DnsName]) -> set[DnsName]:
    """The names for which a certificate may choose a solver: for an `x.D` also `*.D`, which may be ordered instead."""
    keys = {name for usage_fqdn in by_usage for name in issuable(usage_fqdn)}
    for name in by_name:
        keys.update({name} if name.wildcard is None else {name, name.wildcard})
    return keys


def _carried(usage_fqdn: UsageFqdnTable) -> frozenset[DnsName]:
    return frozenset({usage_fqdn.name}) if usage_fqdn.derived == "never" else issuable(usage_fqdn.name)


def _solver_choice(
    table: Table, references: References, is_known: Callable[[DnsName], bool], known: Iterable[DnsName]
) -> SolverChoice:
    """`solver = "NAME"`, or a table of names with `default` among them. An absent key is an empty choice."""
    entry = table.raw("solver")
    if entry is None:
        return SolverChoice()
    if isinstance(entry.value, str):
        return SolverChoice(_solver(entry.value, entry.place, table.problems, references))
    if not isinstance(entry.value, dict):
        table.problems.wrong(entry.place, entry.value, '"…" | { "example.jp" = "…", default = "…" }')
        return SolverChoice()
    default: str | None = None
    by_name: dict[DnsName, str] = {}
    for key, value in entry.value.items():
        place = entry.place.at(key)
        solver = _solver(value, place, table.problems, references)
        if key == "default":
            default = solver
            continue
        name = name_in(key, place, table.problems)
        if name is None:
            continue
        if not is_known(name):
            names = Choices(["default", *(other.ascii for other in known)])
            table.problems.unknown("config-solver-for-other-name", place, name.ascii, names, name=name)
        elif name in by_name:
            table.problems.add("config-listed-twice", place, name=name, other=entry.place)
        elif solver is not None:
            by_name[name] = solver
    return SolverChoice(default, by_name)


def _solver(value: object, place: Place, problems: Problems, references: References) -> str | None:
    known = references.solvers or (BUILT_IN_SOLVER,)
    if not isinstance(value, str):
        problems.wrong(place, value, " | ".join(f'"{name}"' for name in sorted(known)))
        return None
    if value in known:
        return value
    problems.unknown("config-solver-unknown", place, value, Choices(known), name=harmless(value, 80))
    return None


def _check_solver_named(choice: SolverChoice, needed: Iterable[DnsName], table: Table, references: References) -> None:
    """With several solvers, none of them `web`, somebody has to say which one proves what."""
    if choice.default is None and references.solvers and not set(needed) <= choice.by_name.keys():
        expected = " | ".join(f'"{name}"' for name in sorted(references.solvers))
        table.problems.add("config-solver-not-said", table.place_of("solver"), expected=expected)


def _install(table: Table, references: References) -> tuple[str, ...] | None:
    """The installers, None where nothing is said."""

    def read(text: str, place: Place) -> str | None:
        if text in references.installers:
            return text
        if text in references.installers_without_table:
            references.implied_installers.add(text)
            return text
        known = Choices([*references.installers, *references.installers_without_table])
        table.problems.unknown("config-installer-unknown", place, text, known, name=harmless(text, 80))
        return None

    return table.listed("install", '["nginx"]', read) if "install" in table else None
