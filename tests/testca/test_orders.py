"""The order book: nothing changes but as RFC 8555 §7.1.6 draws it, whatever anybody does and however time passes."""

from __future__ import annotations

import itertools
import tracemalloc
from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jprs_client.testca.jose import Jwk
from jprs_client.testca.orders import (
    ORDER_LIFE,
    PROOF_LIFE,
    REMEMBERED,
    Account,
    Authorization,
    Certificate,
    Challenge,
    Order,
    OrderBook,
    Status,
)
from jprs_client.testca.problems import Problem
from tests.testca.in_process import START, AccountKey

NAMES = ("a.jp", "www.a.jp", "*.a.jp", "b.jp")

#: What may follow what; the same may follow itself.
ORDER = {
    Status.PENDING: {Status.READY, Status.PROCESSING, Status.INVALID},  # ready and processing between two looks
    Status.READY: {Status.PROCESSING, Status.INVALID},
    Status.PROCESSING: {Status.VALID, Status.INVALID},
    Status.VALID: set(),
    Status.INVALID: set(),
}
AUTHORIZATION = {
    Status.PENDING: {Status.VALID, Status.INVALID, Status.DEACTIVATED, Status.EXPIRED},
    Status.VALID: {Status.DEACTIVATED, Status.EXPIRED},
    Status.INVALID: set(),
    Status.DEACTIVATED: set(),
    Status.EXPIRED: set(),
}
CHALLENGE = {
    Status.PENDING: {Status.PROCESSING},
    Status.PROCESSING: {Status.VALID, Status.INVALID},
    Status.VALID: set(),
    Status.INVALID: set(),
}

_serials = itertools.count(1)


def new_account(book: OrderBook, now: datetime = START) -> Account:
    return book.create_account(Jwk.parse(AccountKey().jwk), (), now, lambda identity: identity)


def certificate(order: Order, now: datetime) -> Certificate:
    serial = next(_serials)
    der = serial.to_bytes(8, "big")
    return Certificate(serial, order.account, order.names, now, now + timedelta(days=90), der, 0, b"", f"id.{serial}")


def prove(book: OrderBook, order: Order, now: datetime) -> None:
    for identity in order.authorizations:
        authorization = book.authorizations[identity]
        challenge = authorization.challenges[-1]
        if book.begin(authorization, challenge, now):
            book.proved(authorization, challenge, None, now)


def issue(book: OrderBook, order: Order, now: datetime) -> Certificate:
    prove(book, order, now)
    book.finalizing(order, now)
    made = certificate(order, now)
    book.issued(order, made)
    return made


class Ordering(RuleBasedStateMachine):
    """Anybody does anything; what was seen last is compared with what is."""

    def __init__(self) -> None:
        super().__init__()
        self.book = OrderBook()
        self.now = START
        self.accounts: list[Account] = []
        self.orders: list[Order] = []
        self.authorizations: list[Authorization] = []
        self.signing: list[Order] = []
        self.seen: dict[int, Status] = {}
        self.contents: dict[str, tuple[object, object]] = {}

    @initialize()
    def two_accounts(self) -> None:
        self.accounts = [new_account(self.book) for _ in range(2)]

    @rule(
        who=st.integers(0, 1),
        names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
        reuse=st.booleans(),
        data=st.data(),
    )
    def order(self, who: int, names: list[str], reuse: bool, data: st.DataObject) -> None:
        account = self.accounts[who]
        issued = [each.ari_id for each in self.book.certificates.values()]
        replaces = data.draw(st.none() | st.sampled_from(issued)) if issued else None
        try:
            made = self.book.new_order(account, names, self.now, replaces, None, lambda: reuse)
        except Problem as problem:
            assert replaces is not None
            assert problem.kind in {"malformed", "unauthorized", "alreadyReplaced"}
            return
        assert made.status in {Status.PENDING, Status.READY}
        proofs = [self.book.authorizations[identity] for identity in made.authorizations]
        assert [proof.full_name for proof in proofs] == list(dict.fromkeys(names))
        assert {proof.account for proof in proofs} == {account.identity}
        assert made.status is Status.PENDING or reuse
        self.orders.append(made)
        self.authorizations += [proof for proof in proofs if proof not in self.authorizations]

    def _challenge(self, data: st.DataObject) -> tuple[Authorization, Challenge]:
        authorization = data.draw(st.sampled_from(self.authorizations))
        return authorization, data.draw(st.sampled_from(authorization.challenges))

    @precondition(lambda self: self.authorizations)
    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.book.begin(*self._challenge(data), self.now)

    @precondition(lambda self: self.authorizations)
    @rule(data=st.data(), well=st.booleans())
    def proved(self, data: st.DataObject, well: bool) -> None:
        problem = None if well else Problem("connection", "refused")
        self.book.proved(*self._challenge(data), problem, self.now)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def all_proved(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.orders))
        for authorization in (self.book.authorizations.get(identity) for identity in order.authorizations):
            if authorization is not None and self.book.begin(authorization, authorization.challenges[-1], self.now):
                self.nothing_changes_but_as_it_may()
                self.book.proved(authorization, authorization.challenges[-1], None, self.now)

    @precondition(lambda self: self.authorizations)
    @rule(data=st.data())
    def deactivate(self, data: st.DataObject) -> None:
        authorization = data.draw(st.sampled_from(self.authorizations))
        before = authorization.status
        try:
            self.book.deactivate(authorization)
        except Problem:
            assert before not in {Status.PENDING, Status.VALID}

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def finalize(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.orders))
        proofs = [self.book.authorizations.get(identity) for identity in order.authorizations]
        try:
            self.book.finalizing(order, self.now)
        except Problem as problem:
            assert problem.kind == "orderNotReady"
            return
        assert self.now < order.expires_at
        for proof in proofs:
            assert proof is not None
            assert proof.status is Status.VALID
            assert self.now < proof.expires_at
        self.signing.append(order)

    @precondition(lambda self: self.signing)
    @rule(well=st.booleans())
    def signed(self, well: bool) -> None:
        order = self.signing.pop(0)
        if well:
            self.book.issued(order, certificate(order, self.now))
        else:
            self.book.failed(order, Problem("caa", "forbidden"))

    @rule(days=st.sampled_from([0, 1, 6, 8, 31, 100, 400]))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days, seconds=1)

    @rule(who=st.integers(0, 1), how=st.sampled_from(["deactivated", "forgotten"]), data=st.data())
    def account_ends(self, who: int, how: str, data: st.DataObject) -> None:
        if data.draw(st.integers(0, 4)):  # not often: it ends the story
            return
        account = self.accounts[who]
        if how == "deactivated":
            self.book.deactivate_account(account)
        else:
            self.book.forget(account)
            assert self.book.account_by_key(account.jwk) is None
        self.accounts[who] = new_account(self.book, self.now)

    @invariant()
    def nothing_changes_but_as_it_may(self) -> None:
        for order in self.orders:
            self._changed(id(order), order.status, ORDER)
            there = (order.names, order.authorizations)
            assert self.contents.setdefault(order.identity, there) == there
            assert (order.status is Status.VALID) == (order.serial is not None)
            assert (order.status is Status.INVALID) == (order.problem is not None)
        for authorization in self.authorizations:
            self._changed(id(authorization), authorization.status, AUTHORIZATION)
            for challenge in authorization.challenges:
                self._changed(id(challenge), challenge.status, CHALLENGE)
                assert (challenge.status is Status.VALID) == (challenge.validated_at is not None)
                assert (challenge.status is Status.INVALID) == (challenge.problem is not None)
            if authorization.status is Status.VALID:
                assert any(challenge.status is Status.VALID for challenge in authorization.challenges)

    def _changed(self, what: int, status: Status, allowed: dict[Status, set[Status]]) -> None:
        before = self.seen.get(what, status)
        assert status is before or status in allowed[before], f"{before} → {status}"
        self.seen[what] = status

    @invariant()
    def what_is_listed_is_there(self) -> None:
        for account in self.accounts:
            listed, more = self.book.orders_of(account, self.now, 1000)
            assert not more
            there = [order for order in self.book.orders.values() if order.account == account.identity]
            assert listed == [order for order in there if order.status is not Status.INVALID]
            held = {
                proof.full_name
                for proof in self.book.authorizations.values()
                if proof.account == account.identity and proof.status is Status.VALID and self.now < proof.expires_at
            }
            for name in NAMES:
                assert self.book.has_proved(account, [name], self.now) == (name in held)


Ordering.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestOrdering = Ordering.TestCase


def test_what_expired_long_ago_is_forgotten() -> None:
    book, now = OrderBook(), START
    account = new_account(book)
    for _ in range(40):  # ten years of one name, renewed every ninety days
        issue(book, book.new_order(account, ["a.jp"], now), now)
        now += timedelta(days=90)
    assert len(book.certificates) == 40
    assert len(book.orders) <= 2
    assert len(book.authorizations) <= 4
    assert len(account.orders) == len(book.orders)
    assert [each.number for each in book.orders_of(account, now, 9)[0]] == [39, 40]
    assert len(account.certificates) == 40
    now += ORDER_LIFE + PROOF_LIFE + 2 * REMEMBERED
    book.new_order(new_account(book), ["b.jp"], now)
    assert len(book.orders) == len(book.authorizations) == 1


def test_a_forgotten_order_that_came_to_nothing_frees_what_it_was_to_replace() -> None:
    book, now = OrderBook(), START
    account = new_account(book)
    predecessor = issue(book, book.new_order(account, ["a.jp"], now), now)
    book.new_order(account, ["a.jp"], now, predecessor.ari_id)
    with pytest.raises(Problem, match="alreadyReplaced"):
        book.new_order(account, ["a.jp"], now, predecessor.ari_id)
    now += ORDER_LIFE + REMEMBERED
    successor = book.new_order(account, ["a.jp"], now, predecessor.ari_id)
    issue(book, successor, now)
    now += ORDER_LIFE + REMEMBERED
    book.new_order(account, ["b.jp"], now)
    assert successor.identity not in book.orders
    with pytest.raises(Problem, match="alreadyReplaced"):  # its certificate is there for good
        book.new_order(account, ["a.jp"], now, predecessor.ari_id)


def test_a_clock_that_is_set_back_by_years_breaks_nothing() -> None:
    book, account_at = OrderBook(), START + timedelta(days=4000)
    account = new_account(book)
    book.new_order(account, ["later.jp"], account_at)
    early = book.new_order(account, ["early.jp"], START)
    book.new_order(account, ["b.jp"], START + timedelta(days=1000))
    assert book.look_at(early, START).status in {Status.PENDING, Status.INVALID}
    assert book.look_at(early, START + timedelta(days=1000)).status is Status.INVALID


def test_a_problem_that_is_kept_holds_nothing_else_fast() -> None:
    book = OrderBook()
    order = book.new_order(new_account(book), ["a.jp"], START)
    authorization = book.authorizations[order.authorizations[0]]
    challenge = authorization.challenges[0]
    book.begin(authorization, challenge, START)
    try:
        try:
            int("first")
        except ValueError as error:
            raise Problem("connection", "then") from error
    except Problem as problem:
        book.proved(authorization, challenge, problem, START)
    kept = challenge.problem
    assert kept is not None
    assert (kept.__traceback__, kept.__cause__, kept.__context__) == (None, None, None)


def test_an_order_with_its_proof_is_small() -> None:
    book = OrderBook()
    account = new_account(book)
    book.new_order(account, ["warm.jp"], START)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(300):
        prove(book, book.new_order(account, [f"a{number}.jp"], START), START)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before) / 300 < 4096
