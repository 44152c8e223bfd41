"""Waiting until proofs can be seen: bounded, and never more than advice (THREATS D19)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jprs_client.challenges.visible import LIMIT_SECONDS, Waiting, check_listener, wait_for_dns
from jprs_client.plugin import Options, Proof
from jprs_plugins.standalone import Standalone

HTTP = Proof("http-01", "example.jp", "tokenAAAAAAAAAAAAAAAAAA", "tokenAAAAAAAAAAAAAAAAAA.thumb")
APEX = Proof("dns-01", "example.jp", "tokenBBBBBBBBBBBBBBBBBB", "digestB")
WILD = Proof("dns-01", "example.jp", "tokenCCCCCCCCCCCCCCCCCC", "digestC", wildcard=True)
OTHER = Proof("dns-01", "www.example.jp", "tokenDDDDDDDDDDDDDDDDDD", "digestD")


class SetClock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 100.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def appearing(clock: SetClock, records: Mapping[str, tuple[float, str]]) -> Callable[[str], frozenset[str] | None]:
    def txt_values(name: str) -> frozenset[str]:
        return (
            frozenset(value for at, value in [records[name]] if clock.at - 100.0 >= at)
            if name in records
            else frozenset()
        )

    return txt_values


def test_what_is_there_at_once_is_not_waited_for() -> None:
    clock = SetClock()
    assert wait_for_dns([APEX, WILD, HTTP], lambda _: frozenset({"digestB", "digestC", "older"}), clock) == ()
    assert clock.slept == []


def test_http_proofs_are_not_looked_for_in_dns() -> None:
    def never(name: str) -> frozenset[str]:
        raise AssertionError(name)

    assert wait_for_dns([HTTP], never, SetClock()) == ()


def test_it_goes_on_as_soon_as_all_are_seen_and_asks_less_and_less_often() -> None:
    clock = SetClock()
    seen = appearing(
        clock, {"_acme-challenge.example.jp": (1, "digestB"), "_acme-challenge.www.example.jp": (30, "digestD")}
    )
    assert wait_for_dns([APEX, OTHER], seen, clock) == ()
    assert 30 <= sum(clock.slept) < 41
    assert clock.slept[0] == 0.5
    assert clock.slept == sorted(clock.slept)
    assert max(clock.slept) <= 10


def test_after_the_limit_it_goes_on_with_a_note_for_each_place() -> None:
    clock = SetClock()
    notes = wait_for_dns([APEX, WILD, OTHER], lambda _: frozenset({"digestB"}), clock)
    assert sum(clock.slept) == pytest.approx(LIMIT_SECONDS)
    assert notes == (
        ("proof-not-seen", {"name": "example.jp", "place": "_acme-challenge.example.jp"}),
        ("proof-not-seen", {"name": "www.example.jp", "place": "_acme-challenge.www.example.jp"}),
    )


def test_dns_that_does_not_answer_is_not_asked_for_two_minutes() -> None:
    clock = SetClock()
    notes = wait_for_dns([APEX], lambda _: None, clock)
    assert sum(clock.slept) < 3
    assert [code for code, _ in notes] == ["proof-not-checked"]


def test_dns_that_stumbles_once_is_asked_on() -> None:
    clock = SetClock()
    answers = iter([None, frozenset[str](), None, None, frozenset({"digestB"})])
    assert wait_for_dns([APEX], lambda _: next(answers), clock) == ()


@given(st.lists(st.sampled_from([True, False, None]), max_size=200), st.floats(0, 1000))
def test_waiting_always_ends(looks: list[bool | None], limit: float) -> None:
    waiting, now = Waiting(frozenset({APEX}), 0.0), 0.0
    for seen in [*looks, *[False] * 2000]:
        waiting = waiting.after({APEX: seen})
        pause = waiting.next_pause(now, limit)
        if pause is None:
            return
        assert 0 < pause <= 10
        now += pause
        assert now <= limit + 1e-6
    raise AssertionError("it waits on")


def test_a_listener_that_answers_needs_no_note() -> None:
    solver = Standalone({"listen": "127.0.0.1:0"})
    solver.present(HTTP)
    try:
        assert check_listener(solver, HTTP) == ()
        assert [code for code, _ in check_listener(solver, Proof("http-01", "b.jp", "t", "c"))] == ["proof-not-served"]
    finally:
        solver.clean_up(HTTP)
    assert check_listener(solver, HTTP) == ()


class Deaf:
    """Says that it listens where nobody answers."""

    options: ClassVar[Options] = {}
    challenge_type = "http-01"

    def __init__(self, settings: Mapping[str, object], /) -> None:
        self.listening = ((str(settings["host"]), int(str(settings["port"]))),)

    def present(self, proof: Proof, /) -> None: ...

    def clean_up(self, proof: Proof, /) -> None: ...


def test_a_listener_that_does_not_answer_gets_a_note_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        notes = check_listener(Deaf({"host": "0.0.0.0", "port": port}), HTTP, seconds=0.1)  # noqa: S104
    assert notes == (("proof-not-served", {"name": "example.jp", "place": f"0.0.0.0:{port}"}),)


def test_a_solver_without_a_listener_is_not_judged() -> None:
    class Elsewhere(Deaf):
        def __init__(self, settings: Mapping[str, object], /) -> None: ...

    assert check_listener(Elsewhere({}), HTTP) == ()
