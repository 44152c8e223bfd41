"""Usage periods over generated histories, against a model of its own: day by day, and nothing shared with the CA.

ご利用条件 第4条3項, 第10条, 第12条1項・4項; what ends takes with it by either reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jprs_client.testca.ca import Authority, Settings
from jprs_client.testca.jose import Jwk
from jprs_client.testca.orders import Certificate
from jprs_client.testca.subscribers import ContractError, Term
from tests.testca.in_process import AccountKey

BEGIN = date(2026, 11, 22)
USAGES = ("a.jp", "*.a.jp", "www.a.jp", "*.www.a.jp", "b.jp")
NAMES = (*USAGES, "www.b.jp", "www.www.a.jp", "x.a.jp")


def noon(day: date) -> datetime:
    """12:00 in Japan."""
    return datetime(day.year, day.month, day.day, 3, tzinfo=UTC)


def midnight(day: date) -> datetime:
    """00:00 in Japan."""
    return noon(day) - timedelta(hours=12)


# the model


def last_day(day: date, term: str) -> date:
    """The month's end that lies a term after `day`'s month."""
    first = day.replace(day=1)
    for _ in range(2 if term == "1m" else 13):
        first = (first + timedelta(days=32)).replace(day=1)
    return first - timedelta(days=1)


@dataclass
class Period:
    term: str
    by: str
    state: str = "applied"
    start: date | None = None
    end: date | None = None
    notice: bool = False


@dataclass
class Issued:
    names: Sequence[str]
    last: date
    revoked: datetime | None = None


@dataclass
class Model:
    day: date = BEGIN
    periods: dict[str, Period] = field(default_factory=dict)
    issued: list[Issued] = field(default_factory=list)
    suspended: bool = False
    touched: set[date] = field(default_factory=set)

    def covers(self, usage: str, name: str) -> bool:
        return name in ({usage, usage[2:]} if usage[:2] == "*." else {usage, "www." + usage})

    def usable(self, usage: str) -> bool:
        state = self.periods[usage].state
        return state == "running" or (state == "applied" and not self.suspended)

    def backers(self, name: str) -> list[str]:
        """The usable usage FQDNs that authorise `name`; the normal ones first."""
        return [
            u
            for u in sorted(self.periods, key=lambda usage: usage[:2] == "*.")
            if self.covers(u, name) and self.usable(u)
        ]

    def issue(self, names: Sequence[str]) -> bool:
        if not all(self.backers(name) for name in names):
            return False
        starting = set()
        for name in names:
            backers = sorted(self.backers(name), key=lambda usage: (usage != name, usage[:2] == "*."))
            settled = [u for u in backers if self.periods[u].state == "running" or u in names]
            if backers[0] == name:
                starting.add(name)
            elif not settled:
                starting.add(backers[0])
        for usage in starting:
            period = self.periods[usage]
            if period.state == "applied":
                period.state, period.start, period.end = "running", self.day, last_day(self.day, period.term)
        self.issued.append(Issued(names, self.day + timedelta(days=90)))
        return True

    def end(self, usages: Sequence[str], at: datetime) -> None:
        for usage in usages:
            self.periods[usage].state = "over"
        today = (at + timedelta(hours=9)).date()
        for usage in usages:
            for each in self.issued:
                lost = usage in each.names or not all(self.backers(name) for name in each.names)
                if lost and each.revoked is None and each.last >= today:
                    each.revoked = at

    def next_day(self) -> None:
        yesterday, self.day = self.day, self.day + timedelta(days=1)
        ending = []
        for usage, period in self.periods.items():
            if period.state == "running" and period.end == yesterday:
                if period.notice or yesterday in self.touched:
                    ending.append(usage)
                else:
                    period.end = last_day(yesterday, period.by)
        self.end(ending, midnight(self.day))
        if self.suspended:
            self.touched.add(self.day)


# both


class Both:
    """The CA and the model, through the same history."""

    def __init__(self) -> None:
        self.ca = Authority(Settings(now=noon(BEGIN)))
        self.model = Model()
        self.who = self.ca.contracts.subscribe("X", []).identity
        jwk = Jwk.parse(AccountKey().jwk)
        account = self.ca.book.create_account(jwk, (), noon(BEGIN), str, self.who)
        self.ca.contracts.subscriber(self.who).account = account.identity
        self.account = account

    def refuses(self, deed: Any, *arguments: Any) -> bool:
        try:
            deed(self.who, *arguments)
        except ContractError:
            return True
        return False

    def apply(self, name: str, term: str, by: str) -> None:
        refused = self.refuses(self.ca.contracts.apply, name, Term(term), Term(by))
        present = self.model.periods.get(name)
        assert refused == (present is not None and present.state != "over")
        if not refused:
            self.model.periods[name] = Period(term, by)

    def issue(self, names: Sequence[str]) -> None:
        refused = self.ca.contracts.refused(self.who, names)
        assert self.model.issue(names) == (not refused)
        if not refused:
            self.ca.contracts.issued(self.who, names, noon(self.model.day))
            last = midnight(self.model.issued[-1].last + timedelta(days=1)) - timedelta(seconds=1)
            serial = len(self.model.issued)
            start, owner = noon(self.model.day), self.account.identity
            certificate = Certificate(serial, owner, tuple(names), start, last, b"", 0, b"", str(serial))
            self.ca.book.certificates[serial] = certificate
            self.account.certificates.append(serial)

    def terminate(self, name: str) -> None:
        period = self.model.periods.get(name)
        refused = self.refuses(self.ca.contracts.terminate, name)
        assert refused == (period is None or period.state != "running")
        if period is not None and not refused:
            period.notice = True

    def withdraw(self, name: str) -> None:
        period = self.model.periods.get(name)
        refused = self.refuses(self.ca.contracts.withdraw, name)
        assert refused == (period is None or period.state != "running" or not period.notice)
        if period is not None and not refused:
            period.notice = False

    def carry_on_by(self, name: str, by: str) -> None:
        period = self.model.periods.get(name)
        refused = self.refuses(self.ca.contracts.carry_on_by, name, Term(by))
        assert refused == (period is None or period.state == "over")
        if period is not None and not refused:
            period.by = by

    def cancel(self, name: str) -> None:
        period = self.model.periods.get(name)
        now = noon(self.model.day)
        refused = self.refuses(self.ca.cancel, name)
        assert refused == (period is None or period.state == "over")
        if period is not None and not refused:
            period.end, period.notice = (self.model.day if period.start else None), False
            self.model.end([name], now)

    def suspend(self) -> None:
        self.ca.contracts.suspend(self.ca.now())
        self.model.suspended = True
        self.model.touched.add(self.model.day)

    def resume(self) -> None:
        self.ca.contracts.resume(self.ca.now())
        self.model.suspended = False

    def advance(self, days: int) -> None:
        for _ in range(days):
            self.model.next_day()
        self.ca.set_clock(noon(self.model.day))

    def approach(self, days: int) -> None:
        """To the day before the next end, that end day, or the day after it."""
        coming = [each.end for each in self.model.periods.values() if each.state == "running" and each.end]
        self.advance(max(1, (min(coming) - self.model.day).days + days) if coming else 1)

    def compare(self) -> None:
        states = {"applied": "applied", "in-use": "running", "terminating": "running", "ended": "over"}
        shown = self.ca.contracts.subscriber(self.who).usage_fqdns
        assert {
            name: (states[usage.status], usage.started, usage.ends, usage.terminating) for name, usage in shown.items()
        } == {name: (each.state, each.start, each.end, each.notice) for name, each in self.model.periods.items()}
        for serial, each in enumerate(self.model.issued, 1):
            revocation = self.ca.book.certificates[serial].revocation
            seen = revocation and revocation.at.replace(minute=0, second=0, microsecond=0)
            assert seen == each.revoked, (each, revocation)
            assert revocation is None or revocation.reason == 9
        refused = set(self.ca.contracts.refused(self.who, NAMES))
        assert refused == {name for name in NAMES if not self.model.backers(name)}


usages, terms = st.sampled_from(USAGES), st.sampled_from(["1m", "1y"])
issuing = st.tuples(st.just("issue"), st.lists(st.sampled_from(NAMES[:-1]), min_size=1, max_size=3, unique=True))
action = st.one_of(
    issuing,
    issuing,
    st.tuples(st.just("terminate"), usages),
    st.tuples(st.just("apply"), usages, terms, terms),
    st.tuples(st.sampled_from(["withdraw", "cancel"]), usages),
    st.tuples(st.just("carry_on_by"), usages, terms),
    st.tuples(st.sampled_from(["suspend", "resume"])),
    st.tuples(st.just("approach"), st.integers(-1, 1)),
    st.tuples(st.just("advance"), st.integers(1, 60)),
)


@pytest.mark.timeout(120)
@settings(max_examples=250, deadline=None)
@given(applied=st.lists(usages, min_size=3, unique=True), history=st.lists(action, min_size=4, max_size=30))
def test_every_history_ends_what_it_ends_and_revokes_what_goes_with_it(
    applied: list[str], history: list[tuple[Any, ...]]
) -> None:
    both = Both()
    for name in applied:
        both.apply(name, "1m", "1m")
        both.issue([name])
    for word, *arguments in history:
        getattr(both, word)(*arguments)
        both.compare()
    both.advance(80)
    both.compare()


@pytest.mark.parametrize("step", [1, 7, 400])
def test_in_however_many_steps_time_passes_the_same_happens(step: int) -> None:
    both = Both()
    for name, term in (("a.jp", "1m"), ("*.a.jp", "1y"), ("b.jp", "1m")):
        both.apply(name, term, "1m")
    for names in (["a.jp", "b.jp"], ["www.a.jp"], ["*.a.jp", "a.jp"], ["b.jp"], ["www.b.jp"]):
        both.issue(names)
    both.terminate("a.jp")
    passed = 0
    while passed < 400:
        both.advance(min(step, 400 - passed))
        passed += step
        both.compare()
    assert [each.revoked is not None for each in both.model.issued] == [True, True, True, False, False]
