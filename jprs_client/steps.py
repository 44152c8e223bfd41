"""An action is a list of named steps. Each can be the last one before a kill; the next run goes on with the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `verify` looks whether it is done, `do` does it and may be run again after any interruption."""

    name: str
    verify: Callable[[], bool]
    do: Callable[[], None]


class StepNotDone(RuntimeError):
    """A step was carried out and is still not done: a bug of ours, not a fault of the world."""


def carry_out(steps: Iterable[Step], reached: Callable[[str], None]) -> None:
    """Do what is not yet done, in order; `reached` is told each step's name once it holds."""
    for step in steps:
        if not step.verify():
            step.do()
            if not step.verify():
                raise StepNotDone(step.name)
        reached(step.name)
