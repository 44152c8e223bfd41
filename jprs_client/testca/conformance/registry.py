"""What a probe is, how it says what it saw, and which of them there are."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from jprs_client.testca.conformance.server import Server


class Level(StrEnum):
    """How much the text asks for it. MAY: told, never counted against a server."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY


class Outcome(StrEnum):
    """What came of a probe; `note`: a server does otherwise where it may."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOTE = "note"
    SKIPPED = "skipped"


class FailureError(Exception):
    """The server does otherwise; the text says what was seen."""


class NoAnswerError(FailureError):
    """The server does not answer at all."""


class SkipError(Exception):
    """It cannot be tried here; the text says why."""


def fail(seen: str) -> NoReturn:
    """Raises FailureError."""
    raise FailureError(seen)


def expect(fact: object, seen: str) -> None:
    """Return where `fact` holds. Raises FailureError, which says `seen`."""
    if not fact:
        raise FailureError(seen)


def skip(reason: str) -> NoReturn:
    """Raises SkipError."""
    raise SkipError(reason)


Run = Callable[["Server"], None]


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to a server. `says` is what is expected, in a sentence."""

    identity: str
    section: str
    level: Level
    says: str
    run: Run

    def asked_for(self, patterns: Sequence[str]) -> bool:
        """Whether one of `patterns` (shell wildcards, or a part of the id) means it; none: all are."""
        return not patterns or any(
            pattern in self.identity or fnmatch.fnmatchcase(self.identity, pattern) for pattern in patterns
        )


def probe(identity: str, section: str, level: Level, says: str | None = None) -> Callable[[Run], Probe]:
    """Make a probe of a function; what it expects is the first sentence of its docstring, or `says`."""

    def made(run: Run) -> Probe:
        sentence = says or (run.__doc__ or "").strip().partition("\n")[0]
        if not sentence:
            raise ValueError(f"{identity} does not say what it expects")
        return Probe(identity, section, level, sentence, run)

    return made


@dataclass(frozen=True, slots=True)
class Result:
    """A probe, what came of it, and what was seen (or why it was skipped)."""

    probe: Probe
    outcome: Outcome
    seen: str = ""


def collected(modules: Iterable[ModuleType]) -> Iterator[Probe]:
    """Every probe of `modules`, in their order; those of a family stand in a tuple."""
    for module in modules:
        for value in vars(module).values():
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, Probe):
                    yield each
