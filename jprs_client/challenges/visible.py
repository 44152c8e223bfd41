"""Waiting until proofs can be seen. All of it is advice: the CA looks for itself, from elsewhere (THREATS D19)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jprs_client.challenges.presented import Note
from jprs_client.clock import Clock
from jprs_client.plugin import Proof, Solver

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
LIMIT_SECONDS = 120.0
ENOUGH_SILENCE = 3

#: The values of a name's TXT records, aliases followed; None when nobody could tell.
TxtValues = Callable[[str], frozenset[str] | None]


@runtime_checkable
class Listens(Protocol):
    """A solver that answers by itself, and where."""

    @property
    def listening(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each listener."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How waiting for DNS stands: what is not seen yet, since when, and how often in a row nobody could tell."""

    missing: frozenset[Proof]
    started: float
    pause: float = 0.0
    silent: int = 0

    def after(self, seen: Mapping[Proof, bool | None]) -> Waiting:
        """Where it stands after another look; in `seen`, None is a look-up that failed."""
        silent = self.silent + 1 if all(answer is None for answer in seen.values()) else 0
        missing = frozenset(proof for proof in self.missing if not seen.get(proof))
        return Waiting(missing, self.started, min(self.pause * 1.5 or FIRST_PAUSE, LONGEST_PAUSE), silent)

    def next_pause(self, now: float, limit: float) -> float | None:
        """Seconds until the next look; None when all is seen, time is up, or asking on is pointless."""
        left = self.started + limit - now
        if not self.missing or left <= 0 or self.silent >= ENOUGH_SILENCE:
            return None
        return min(self.pause, left)


def wait_for_dns(
    proofs: Iterable[Proof], txt_values: TxtValues, clock: Clock, limit: float = LIMIT_SECONDS
) -> tuple[Note, ...]:
    """Return once the dns-01 proofs among `proofs` are seen, or after `limit` seconds with a note for each that is not.

    A name whose record was never seen is worth telling before the CA says so; it decides nothing.
    """
    waiting = Waiting(frozenset(proof for proof in proofs if proof.challenge_type == "dns-01"), clock.monotonic())
    while waiting.missing:
        waiting = waiting.after(_looked(waiting.missing, txt_values))
        pause = waiting.next_pause(clock.monotonic(), limit)
        if pause is None:
            break
        clock.sleep(pause)
    code = "proof-not-checked" if waiting.silent >= ENOUGH_SILENCE else "proof-not-seen"
    places = sorted({(proof.name, proof.record_name) for proof in waiting.missing})
    return tuple((code, {"name": name, "place": place}) for name, place in places)


def _looked(proofs: Iterable[Proof], txt_values: TxtValues) -> dict[Proof, bool | None]:
    answers = {record_name: txt_values(record_name) for record_name in sorted({proof.record_name for proof in proofs})}
    return {
        proof: None if (values := answers[proof.record_name]) is None else proof.content in values for proof in proofs
    }


def check_listener(solver: Solver, proof: Proof, *, seconds: float = 2.0) -> tuple[Note, ...]:
    """A note when a solver's own listener does not answer with the http-01 proof as the CA will ask for it.

    Nothing for solvers without one: what another web server answers, only the way from outside shows.
    """
    if not isinstance(solver, Listens) or proof.challenge_type != "http-01":
        return ()
    return tuple(
        ("proof-not-served", {"name": proof.name, "place": f"{host}:{port}"})
        for host, port in solver.listening
        if _served(_reachable(host), port, proof, seconds) != proof.content.encode("ascii")
    )


def _reachable(host: str) -> str:
    """Where a listener on every address is to be reached from here."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def _served(host: str, port: int, proof: Proof, seconds: float) -> bytes | None:
    """The body of a 200 answer; None for any other, and when there is none in time."""
    request = f"GET {proof.path} HTTP/1.1\r\nHost: {proof.name}\r\nConnection: close\r\n\r\n"
    answer = b""
    with suppress(OSError), socket.create_connection((host, port), timeout=seconds) as connection:
        connection.sendall(request.encode("ascii"))
        while len(answer) <= 16 * 1024 and (part := connection.recv(4096)):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return body if head.startswith((b"HTTP/1.1 200 ", b"HTTP/1.0 200 ")) else None
