"""All proofs are up inside the block and down after it, whatever happens; a kill leaves a trace to tidy by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from jprs_client.challenges.presented import clear_left_over, presented
from jprs_client.errors import ChallengeFailed
from jprs_client.plugin import Options, Proof

A = Proof("http-01", "a.example.jp", "tokenAAAAAAAAAAAAAAAAAA", "contentA")
B = Proof("dns-01", "b.example.jp", "tokenBBBBBBBBBBBBBBBBBB", "contentB")
C = Proof("http-01", "c.example.jp", "tokenCCCCCCCCCCCCCCCCCC", "contentC")
ALL = [("web", A), ("dns", B), ("web", C)]


class Board:
    """A solver whose world is a set; it breaks where it is told to."""

    options: ClassVar[Options] = {}
    challenge_type = "http-01"

    def __init__(self, settings: Mapping[str, object], /) -> None:
        self.up: set[Proof] = set()
        self.refuses: Mapping[Proof, Exception] = {}
        self.sticks: Mapping[Proof, Exception] = {}

    def present(self, proof: Proof, /) -> None:
        self.up.add(proof)
        if proof in self.refuses:
            raise self.refuses[proof]

    def clean_up(self, proof: Proof, /) -> None:
        if proof in self.sticks:
            raise self.sticks[proof]
        self.up.discard(proof)


class Notebook:
    """A ledger on paper."""

    def __init__(self, *entries: tuple[str, Proof]) -> None:
        self.entries = list(entries)

    def add(self, solver_name: str, proof: Proof, /) -> None:
        self.entries.append((solver_name, proof))

    def remove(self, solver_name: str, proof: Proof, /) -> None:
        self.entries.remove((solver_name, proof))

    def left_over(self) -> list[tuple[str, Proof]]:
        return list(self.entries)


@pytest.fixture
def solvers() -> dict[str, Board]:
    return {"web": Board({}), "dns": Board({})}


def up(solvers: Mapping[str, Board]) -> set[Proof]:
    return {proof for solver in solvers.values() for proof in solver.up}


def test_all_are_up_inside_and_down_afterwards(solvers: dict[str, Board]) -> None:
    ledger = Notebook()
    with presented(solvers.__getitem__, ALL, ledger) as notes:
        assert up(solvers) == {A, B, C}
        assert solvers["dns"].up == {B}
        assert ledger.entries == ALL
    assert up(solvers) == set()
    assert ledger.entries == []
    assert notes == []


def test_the_ledger_knows_a_proof_before_it_goes_up(solvers: dict[str, Board]) -> None:
    class Careful(Notebook):
        def add(self, solver_name: str, proof: Proof, /) -> None:
            assert proof not in up(solvers)
            super().add(solver_name, proof)

        def remove(self, solver_name: str, proof: Proof, /) -> None:
            assert proof not in up(solvers)
            super().remove(solver_name, proof)

    with presented(solvers.__getitem__, ALL, Careful()):
        assert up(solvers) == {A, B, C}


@pytest.mark.parametrize("error", [RuntimeError("inside"), KeyboardInterrupt(), SystemExit(1)])
def test_all_come_down_when_the_block_fails(solvers: dict[str, Board], error: BaseException) -> None:
    ledger = Notebook()
    with pytest.raises(type(error)) as seen, presented(solvers.__getitem__, ALL, ledger):
        raise error
    assert seen.value is error
    assert (up(solvers), ledger.entries) == (set(), [])


def test_what_was_put_up_half_way_comes_down_too(solvers: dict[str, Board]) -> None:
    refusal = ChallengeFailed("port-busy", address="0.0.0.0:80", holder=None)
    solvers["dns"].refuses = {B: refusal}
    ledger = Notebook()
    with pytest.raises(ChallengeFailed) as seen, presented(solvers.__getitem__, ALL, ledger):
        raise AssertionError("the block ran without its proofs")
    assert seen.value is refusal
    assert (up(solvers), ledger.entries) == (set(), [])


def test_a_failing_clean_up_stops_no_other_and_is_told(solvers: dict[str, Board]) -> None:
    solvers["dns"].sticks = {B: ChallengeFailed("solver-hook-failed", exit=3, output="zone is locked")}
    ledger = Notebook()
    with presented(solvers.__getitem__, ALL, ledger) as notes:
        assert up(solvers) == {A, B, C}
    assert up(solvers) == {B}
    assert ledger.entries == [("dns", B)]  # for the next run
    assert notes == [
        (
            "proof-not-taken-down",
            {
                "solver": "dns",
                "name": "b.example.jp",
                "place": "_acme-challenge.b.example.jp",
                "cause": "zone is locked",
            },
        )
    ]


def test_a_failing_clean_up_does_not_hide_why_the_block_failed(solvers: dict[str, Board]) -> None:
    solvers["web"].sticks = {A: OSError("gone"), C: ZeroDivisionError()}
    ledger = Notebook()
    notes: list[object] = []
    with (
        pytest.raises(RuntimeError, match="the true reason"),
        presented(solvers.__getitem__, ALL, ledger) as notes_inside,
    ):
        notes = notes_inside  # type: ignore[assignment]
        raise RuntimeError("the true reason")
    assert up(solvers) == {A, C}
    assert [note[1]["cause"] for note in notes] == ["ZeroDivisionError", "gone"]  # type: ignore[index]


def test_an_unknown_solver_puts_nothing_up_for_good(solvers: dict[str, Board]) -> None:
    ledger = Notebook()
    with pytest.raises(KeyError), presented(solvers.__getitem__, [("web", A), ("none", B)], ledger):
        raise AssertionError("the block ran without its proofs")
    assert (up(solvers), ledger.entries) == (set(), [])


def test_a_later_run_takes_down_what_a_killed_one_left(solvers: dict[str, Board]) -> None:
    solvers["web"].up = {A}
    ledger = Notebook(("web", A), ("dns", B))
    assert clear_left_over(solvers.__getitem__, ledger) == ()
    assert (up(solvers), ledger.entries) == (set(), [])


def test_what_still_cannot_be_taken_down_is_told_and_kept(solvers: dict[str, Board]) -> None:
    solvers["web"].sticks = {A: OSError("read-only")}
    ledger = Notebook(("web", A), ("web", C))
    notes = clear_left_over(solvers.__getitem__, ledger)
    assert [code for code, _ in notes] == ["proof-not-taken-down"]
    assert ledger.entries == [("web", A)]


def test_a_proof_of_a_solver_that_is_no_more_is_told_once(solvers: dict[str, Board]) -> None:
    ledger = Notebook(("gone", A))
    notes = clear_left_over(solvers.__getitem__, ledger)
    assert notes == (
        ("proof-orphaned", {"solver": "gone", "name": "a.example.jp", "place": "/.well-known/acme-challenge/"}),
    )
    assert clear_left_over(solvers.__getitem__, ledger) == ()


def test_no_note_carries_a_token_or_a_proof(solvers: dict[str, Board]) -> None:
    solvers["web"].sticks = {A: OSError("x")}
    told = str(clear_left_over(solvers.__getitem__, Notebook(("web", A))))
    assert A.token not in told
    assert A.content not in told
