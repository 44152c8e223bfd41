"""Worlds to plan for: short ways to write one down, strategies that make many, and a CA and servers without faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st

from jprs_client.config import CertificateTable, Config, Defaults, OperatorSection, UsageFqdnTable
from jprs_client.planning.actions import Action, Kind
from jprs_client.planning.facts import (
    AccountFacts,
    AriFacts,
    CertificateFacts,
    Failure,
    Installation,
    LineageFacts,
    RevocationIntent,
    State,
    UsageRecord,
)
from jprs_client.planning.plan import Plan, plan
from jprs_client.planning.rules import Picture, kind_of_failure
from jprs_client.planning.usages import record_of
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import Term, jst_day

#: 12:00 on 2026-12-01 in Japan.
NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
DAY = timedelta(days=1)
LIFETIME = timedelta(days=90)

IN_USE = UsageRecord(DnsName("example.jp"), date(2026, 11, 22), date(2027, 11, 30))
ACCOUNT = AccountFacts("https://ca.example/acct/1", "valid", ("mailto:a@example.jp",), "ab", NOW)


# -- written down -----------------------------------------------------------------------------------------------------


def names(*texts: str) -> frozenset[DnsName]:
    return frozenset(map(DnsName, texts))


def usage(
    name: str,
    term: Term = Term.ONE_YEAR,
    *,
    continuation_term: Term | None = None,
    started: date | None = None,
    ends: date | None = None,
    terminating: bool = False,
    start_usage: bool = False,
    derived: str = "auto",
) -> UsageFqdnTable:
    return UsageFqdnTable(
        DnsName(name), term, continuation_term or term, started, ends, terminating, start_usage, derived
    )


def config(
    *usage_fqdns: UsageFqdnTable | str,
    certificates: Iterable[CertificateTable] = (),
    suspended: bool = False,
    install: tuple[str, ...] = (),
) -> Config:
    return Config(
        Path("config.toml"),
        operator=OperatorSection(suspended=suspended),
        usage_fqdns=tuple(usage(table) if isinstance(table, str) else table for table in usage_fqdns),
        defaults=Defaults(install=install),
        certificates=tuple(certificates),
    )


def by_hand(name: str, *asked: str, install: tuple[str, ...] = ()) -> CertificateTable:
    return CertificateTable(name, names=tuple(map(DnsName, asked)), install=install)


def of_usages(name: str, *usage_fqdns: str, install: tuple[str, ...] = ()) -> CertificateTable:
    return CertificateTable(name, usage_fqdns=tuple(map(DnsName, usage_fqdns)), install=install)


def certificate(
    *carried: str,
    issued_at: datetime = NOW - DAY,
    lifetime: timedelta = LIFETIME,
    version: int = 1,
    revoked_at: datetime | None = None,
    serial: str | None = None,
    spki: str = "ab",
) -> CertificateFacts:
    return CertificateFacts(
        version=version,
        names=names(*carried),
        serial=serial or f"5e{version}",
        not_before=issued_at,
        not_after=issued_at + lifetime,
        key_spki_sha256=spki,
        fingerprint=f"f{version}",
        revoked_at=revoked_at,
        revocation_reason=None if revoked_at is None else 0,
    )


def in_use(name: str, *, ends: date = date(2027, 11, 30), terminating: bool = False) -> UsageRecord:
    return UsageRecord(DnsName(name), date(2026, 11, 22), ends, terminating=terminating)


def knowing(
    *lineages: LineageFacts,
    usages: Iterable[UsageRecord] = (),
    installations: Iterable[Installation] = (),
    failures: Iterable[Failure] = (),
    revocations: Iterable[RevocationIntent] = (),
    known_at: datetime = NOW,
    missing: frozenset[DnsName] = frozenset(),
    account: AccountFacts | None = ACCOUNT,
    offers_ari: bool | None = None,
) -> State:
    return State(
        known_at=known_at,
        account=account,
        lineages={lineage.name: lineage for lineage in lineages},
        usages={record.name: record for record in usages},
        installations={(each.target, each.lineage): each for each in installations},
        failures={(failure.lineage, failure.action, failure.target): failure for failure in failures},
        revocations=tuple(revocations),
        missing_names=missing,
        offers_ari=offers_ari,
    )


def served(target: str, lineage: str, version: int = 1, *, seen: bool = True) -> Installation:
    return Installation(target, lineage, version, NOW - DAY, NOW - DAY if seen else None)


def failed(
    lineage: str,
    *carried: str,
    action: str = "issue",
    target: str = "",
    imposed: bool = False,
    again_in: timedelta = DAY,
) -> Failure:
    return Failure(
        lineage, action, names(*carried), 2, "caa-forbids", {}, NOW - DAY, NOW + again_in, imposed=imposed,
        target=target,
    )  # fmt: skip


def to_revoke(
    lineage: str,
    version: int = 1,
    *carried: str,
    reason: int = 4,
    replaced: bool = True,
    deadline: datetime = NOW + 5 * DAY,
) -> RevocationIntent:
    return RevocationIntent(
        lineage, version, f"5e{version}", reason, ("replaced",), replaced, NOW - DAY, deadline, names(*carried)
    )


def what(actions: Iterable[Action]) -> list[tuple[str, str]]:
    return [(action.kind.value, action.certificate) for action in actions]


def only(actions: Iterable[Action], kind: Kind) -> list[Action]:
    return [action for action in actions if action.kind is kind]


# -- carried out without a fault --------------------------------------------------------------------------------------


def remembered(config: Config, state: State, now: datetime) -> State:
    """As every run does first: periods are written down."""
    tables = {table.name: table for table in config.usage_fqdns}
    records = dict(state.usages)
    for each in Picture(config, state, now).usages:
        records[each.name] = record_of(tables[each.name], each, records.get(each.name), jst_day(now))
    wanted = Picture(config, state, now).wanted.by_name
    lineages = {
        name: replace(lineage, archived_at=None) if name in wanted and wanted[name].names else lineage
        for name, lineage in state.lineages.items()
    }
    return replace(state, usages=records, lineages=lineages)


def carried_out(config: Config, state: State, action: Action, now: datetime) -> State:
    """What we know after `action` was done at `now` and everything went well."""
    match action.kind:
        case Kind.ISSUE | Kind.RENEW | Kind.REISSUE:
            state = _issued(config, state, action, now)
        case Kind.INSTALL:
            key = (action.target, action.certificate)
            done = Installation(*key, action.version, now, now)
            state = replace(state, installations={**state.installations, key: done})
        case Kind.REVOKE:
            state = _revoked(state, action, now)
        case Kind.REMOVE:
            lineage = replace(state.lineages[action.certificate], archived_at=now)
            state = replace(state, lineages={**state.lineages, lineage.name: lineage})
        case Kind.OBSERVE:
            lineage = state.lineages[action.certificate]
            told = replace(lineage.ari or AriFacts(now), look_at=now + DAY)
            state = replace(state, lineages={**state.lineages, lineage.name: replace(lineage, ari=told)})
    row = (action.certificate, kind_of_failure(action.kind), action.target)
    return replace(state, failures={key: value for key, value in state.failures.items() if key != row})


def _issued(config: Config, state: State, action: Action, now: datetime) -> State:
    before = state.lineages.get(action.certificate)
    old = before.current.version if before is not None and before.current is not None else 0
    facts = certificate(
        *action.sorted_names, issued_at=now, version=old + 1, serial=f"{action.certificate}-{old + 1}", spki="new"
    )
    after = LineageFacts(action.certificate, facts, previous_version=old or None)
    tables = {table.name: table for table in config.usage_fqdns}
    picture = Picture(config, state, now)
    records = dict(state.usages)
    for each in picture.usages:
        if each.name in picture.authority.starts(action.names):
            begun = replace(each, suspended=False).started(now)
            records[each.name] = record_of(tables[each.name], begun, None, jst_day(now))
    return replace(state, lineages={**state.lineages, after.name: after}, usages=records)


def _revoked(state: State, action: Action, now: datetime) -> State:
    rest = tuple(
        each for each in state.revocations if (each.lineage, each.version) != (action.certificate, action.version)
    )
    lineages = dict(state.lineages)
    lineage = lineages.get(action.certificate)
    if lineage is not None and lineage.current is not None and lineage.current.version == action.version:
        lineages[lineage.name] = replace(lineage, current=replace(lineage.current, revoked_at=now))
    return replace(state, revocations=rest, lineages=lineages)


def settled(config: Config, state: State, now: datetime) -> tuple[State, list[Action]]:
    """What we know once everything due was done, and what that was; each thing is done once."""
    state = remembered(config, state, now)
    done: list[Action] = []
    seen: set[object] = set()
    while due := plan(config, state, now).due:
        action = due[0]
        key = (kind_of_failure(action.kind), action.certificate, action.target, action.version, action.names)
        assert key not in seen, f"done, and due again: {action}"
        seen.add(key)
        done.append(action)
        state = remembered(config, carried_out(config, state, action, now), now)
    return state, done


# -- many of them -----------------------------------------------------------------------------------------------------

USAGE_FQDNS = ("a.jp", "b.jp", "www.a.jp", "www.b.jp", "shop.a.jp", "*.a.jp", "*.b.jp", "*.shop.a.jp")
OTHER_NAMES = (
    "www.shop.a.jp",
    "x.a.jp",
    "x.b.jp",
    "www.www.a.jp",
    "www.x.a.jp",
    "foreign.example",
    "*.foreign.example",
)
EVERY_NAME = (*USAGE_FQDNS, *OTHER_NAMES)
TARGETS = ("nginx", "haproxy")

days = st.dates(date(2026, 10, 1), date(2028, 3, 31))
moments = st.one_of(
    st.integers(0, 420 * 86400).map(lambda seconds: datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
    # around a month's end in Japan
    st.builds(
        lambda month, minutes: datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=UTC) - timedelta(minutes=minutes),
        st.integers(11, 22),
        st.integers(9 * 60 - 30, 9 * 60 + 90),
    ),
)
spans = st.timedeltas(timedelta(0), timedelta(days=120))
terms = st.sampled_from(list(Term))


@st.composite
def usage_tables(draw: st.DrawFn, name: str) -> UsageFqdnTable:
    started = draw(st.none() | days)
    return usage(
        name,
        draw(terms),
        continuation_term=draw(st.none() | terms),
        started=started,
        ends=None if started is None else draw(st.none() | days.filter(lambda day: day >= started)),
        terminating=draw(st.booleans()),
        derived=draw(st.sampled_from(["auto", "always", "never"])),
    )


@st.composite
def configs(draw: st.DrawFn) -> Config:
    declared = draw(st.lists(st.sampled_from(USAGE_FQDNS), unique=True, max_size=5))
    certificates: list[CertificateTable] = []
    if draw(st.booleans()):
        for name in draw(st.lists(st.sampled_from(["main", "other", "third"]), unique=True, max_size=3)):
            install = tuple(draw(st.lists(st.sampled_from(TARGETS), unique=True)))
            if draw(st.booleans()) and declared:
                chosen = draw(st.lists(st.sampled_from(declared), unique=True, min_size=1))
                certificates.append(of_usages(name, *chosen, install=install))
            else:
                asked = draw(st.lists(st.sampled_from(EVERY_NAME), unique=True, min_size=1, max_size=4))
                certificates.append(by_hand(name, *asked, install=install))
    return config(
        *[draw(usage_tables(name)) for name in declared],
        certificates=certificates,
        suspended=draw(st.booleans()),
        install=tuple(draw(st.lists(st.sampled_from(TARGETS), unique=True))),
    )


@st.composite
def certificates_of(draw: st.DrawFn, now: datetime, carried: st.SearchStrategy[list[str]]) -> CertificateFacts:
    return certificate(
        *draw(carried),
        issued_at=now - draw(spans),
        lifetime=draw(st.timedeltas(timedelta(hours=1), timedelta(days=100))),
        version=draw(st.integers(1, 9)),
        revoked_at=draw(st.none() | st.just(now - timedelta(hours=1))),
        serial=f"{draw(st.integers(1, 2**32)):x}",
    )


@st.composite
def records(draw: st.DrawFn, name: str) -> UsageRecord:
    started = draw(st.none() | days)
    ends = None if started is None else draw(terms).end_from(started)
    return UsageRecord(
        DnsName(name),
        started,
        ends,
        config_ends=draw(st.none() | days),
        terminating=draw(st.booleans()),
        suspended=draw(st.booleans()),
        ended_on=draw(st.none() | st.just(ends)),
        start_confirmed_at=draw(st.none() | st.just(NOW)),
        continuation_term=draw(st.none() | terms),
    )


@st.composite
def states(draw: st.DrawFn, config: Config, now: datetime) -> State:
    empty = State(known_at=now)
    wanted = Picture(config, empty, now).wanted.by_name
    every = sorted({*wanted, "gone"})
    lineages: dict[str, LineageFacts] = {}
    intents: list[RevocationIntent] = []
    for name in draw(st.lists(st.sampled_from(every), unique=True)):
        right = sorted(each.ascii for each in wanted[name].names) if name in wanted else []
        some = st.lists(st.sampled_from(EVERY_NAME), unique=True, min_size=1, max_size=4)
        current = draw(st.none() | certificates_of(now, st.just(right) | some if right else some))
        before = st.none() | spans.map(lambda span: now - span)
        ari = AriFacts(draw(moments), draw(st.none() | moments)) if draw(st.booleans()) else None
        lineage = LineageFacts(
            name, current, rolled_back_at=draw(before), archived_at=draw(before), ari=ari,
            retired_at=draw(before) if current is not None else None,
        )  # fmt: skip
        if current is not None and current.revoked_at is None and draw(st.booleans()):
            replaced = draw(st.booleans())
            carried = sorted(each.ascii for each in current.names)
            intents.append(
                replace(
                    to_revoke(
                        name, current.version, *carried, reason=draw(st.sampled_from([0, 1, 4])), replaced=replaced
                    ),
                    requested_at=now - DAY,
                    deadline=now + draw(st.timedeltas(-DAY, DAY)),
                )
            )
            if not replaced:
                lineage = replace(lineage, retired_at=now - DAY)
        lineages[name] = lineage
    return knowing(
        *lineages.values(),
        usages=[draw(records(name)) for name in draw(st.lists(st.sampled_from(USAGE_FQDNS), unique=True))],
        installations=[
            Installation(target, name, draw(st.integers(1, 9)), now - DAY, draw(st.none() | st.just(now)))
            for target in draw(st.lists(st.sampled_from(TARGETS), unique=True))
            for name in draw(st.lists(st.sampled_from(every), unique=True))
        ],
        failures=[draw(_failures(name, wanted, now)) for name in draw(st.lists(st.sampled_from(every), unique=True))],
        revocations=intents,
        known_at=now - draw(st.sampled_from([timedelta(0), timedelta(0), DAY, 40 * DAY])),
        missing=names(*draw(st.lists(st.sampled_from(EVERY_NAME), unique=True, max_size=3))),
        account=draw(st.sampled_from([None, ACCOUNT, replace(ACCOUNT, status="deactivated")])),
        offers_ari=draw(st.none() | st.booleans()),
    )


@st.composite
def _failures(draw: st.DrawFn, name: str, wanted: Mapping[str, object], now: datetime) -> Failure:
    action = draw(st.sampled_from(["issue", "install", "revoke", "observe"]))
    return Failure(
        name,
        action,
        names(*draw(st.lists(st.sampled_from(EVERY_NAME), unique=True))),
        draw(st.integers(1, 2000)),
        "ca-unreachable",
        {},
        now - DAY,
        now + draw(st.timedeltas(-DAY, DAY)),
        imposed=draw(st.booleans()),
        target=draw(st.sampled_from(["", *TARGETS])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Config, State, datetime]:
    """A configuration, what is known, and the moment."""
    made, now = draw(configs()), draw(moments)
    return made, draw(states(made, now)), now


def planned(world: tuple[Config, State, datetime]) -> Plan:
    return plan(*world)
