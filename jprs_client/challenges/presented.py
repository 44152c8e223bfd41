"""Proofs up inside a block, down after it, and never forgotten: the ledger outlives a kill."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Protocol

from jprs_client.errors import JprsClientError, harmless
from jprs_client.plugin import Proof, Solver

#: Something a person should hear of that stopped nothing: a code, spoken as `note.CODE`, and its parameters.
Note = tuple[str, Mapping[str, str]]

#: The solver of that name, made from the configuration; LookupError where there is none of that name any more.
SolverFor = Callable[[str], Solver]

_log = logging.getLogger(__name__)


class ProofLedger(Protocol):
    """Which proofs may be up, kept where a killed process leaves it (FAULTS V4). Adding twice is adding once."""

    def add(self, solver_name: str, proof: Proof, /) -> None:
        """Remember, durably, before the proof goes up."""

    def remove(self, solver_name: str, proof: Proof, /) -> None:
        """Forget: it is down. Nothing happens when it was not there."""

    def left_over(self) -> Iterable[tuple[str, Proof]]:
        """What was added and not removed."""


@contextmanager
def presented(solver_for: SolverFor, proofs: Iterable[tuple[str, Proof]], ledger: ProofLedger) -> Iterator[list[Note]]:
    """All proofs, each with its solver's name, are up inside the block, and down after it, whatever happens.

    What could not be taken down stays in the ledger for the next run and is told in the list that the block gets,
    which is complete after the block. It neither hides the block's own exception nor keeps other proofs up.
    """
    notes: list[Note] = []
    with ExitStack() as stack:
        for solver_name, proof in proofs:
            solver = solver_for(solver_name)
            ledger.add(solver_name, proof)
            stack.callback(_take_down, solver_name, solver, proof, ledger, notes)  # first: half-made ones go too
            solver.present(proof)
        yield notes


def clear_left_over(solver_for: SolverFor, ledger: ProofLedger) -> tuple[Note, ...]:
    """Take down what an earlier run left up; call it under the lock that keeps other runs from presenting.

    A proof whose solver the configuration no longer knows is named once, then forgotten: nobody can take it down.
    """
    notes: list[Note] = []
    for solver_name, proof in tuple(ledger.left_over()):
        try:
            solver = solver_for(solver_name)
        except LookupError:
            notes.append(("proof-orphaned", _where(solver_name, proof)))
            ledger.remove(solver_name, proof)
        else:
            _take_down(solver_name, solver, proof, ledger, notes)
    return tuple(notes)


def _take_down(solver_name: str, solver: Solver, proof: Proof, ledger: ProofLedger, notes: list[Note]) -> None:
    try:
        solver.clean_up(proof)
        ledger.remove(solver_name, proof)
    except Exception as error:  # noqa: BLE001 - a stranger's plugin; the certificate matters more than the tidying
        if not isinstance(error, JprsClientError):
            _log.warning("solver %s: clean_up", solver_name, exc_info=error)
        notes.append(("proof-not-taken-down", {**_where(solver_name, proof), "cause": _cause(error)}))


def _cause(error: Exception) -> str:
    """What went wrong in one of the world's own words: our sentences are made at the door, and not inside others."""
    if isinstance(error, JprsClientError):
        return harmless(error.params.get("reason") or error.params.get("output") or error.code)
    return harmless(error) or type(error).__name__


def _where(solver_name: str, proof: Proof) -> dict[str, str]:
    place = proof.record_name if proof.challenge_type == "dns-01" else "/.well-known/acme-challenge/"
    return {"solver": solver_name, "name": proof.name, "place": place}  # no token: notes go to logs (FAULTS V6)
