"""Claims: at most one run at a time works on a lineage, a target, or the account.

Today a claim is a kernel lock on a file of this host: it dies with its process, so none is ever stale (FAULTS 39). The
file's text only tells a person who holds it. Leases in a shared database can stand behind the same three verbs later.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jprs_client.clock import Clock
from jprs_client.errors import Locked, StateUnusable
from jprs_client.files import make_directory

#: How often a waiting run looks again, in seconds.
LOOK_AGAIN = 0.1

LONGEST_STEM = 200


class Claim:
    """A claim that is held. `renew` keeps it (a kernel lock needs none), `release` gives it up."""

    def __init__(self, fd: int) -> None:
        self._fd: int | None = fd

    def renew(self) -> None:
        """Say that the work goes on."""

    def release(self) -> None:
        """Let others have it."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None


class Claims:
    """The claims of one state directory. `timeout` is how long a run waits for another, in seconds."""

    def __init__(self, directory: Path, clock: Clock, timeout: float = 0) -> None:
        self._directory = directory
        self._clock = clock
        self._timeout = timeout

    def claim(self, what: str, name: str, timeout: float | None = None) -> Claim:
        """The claim on `name`; Locked, with who holds it since when, if another run has it for longer than we wait.

        `timeout` in seconds, None for the run's own. StateUnusable where there can be no lock.
        """
        try:
            make_directory(self._directory)
            fd = os.open(self._path(what, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                self._take(fd, what, name, self._timeout if timeout is None else timeout)
            except BaseException:
                os.close(fd)
                raise
        except OSError as error:
            raise StateUnusable(
                "state-not-writable", directory=self._directory, cause=error.strerror or error
            ) from error
        return Claim(fd)

    def _path(self, what: str, name: str) -> Path:
        stem = f"{what}-{name.replace('*', '_').replace('/', '_')}"
        if len(stem) > LONGEST_STEM:  # a name of 253 octets is a valid one, and a file's name ends at 255
            stem = f"{stem[: LONGEST_STEM - 33]}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
        return self._directory / f"{stem}.lock"

    def _take(self, fd: int, what: str, name: str, timeout: float) -> None:
        until = self._clock.monotonic() + timeout
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if self._clock.monotonic() >= until:
                    raise Locked("locked", what=what, name=name, **_holder(fd)) from None
                self._clock.sleep(LOOK_AGAIN)
        holder = {"pid": os.getpid(), "since": self._clock.now().isoformat(timespec="seconds")}
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps(holder).encode(), 0)

    @contextmanager
    def held(self, what: str, name: str, timeout: float | None = None) -> Iterator[Claim]:
        """The claim inside the block."""
        claim = self.claim(what, name, timeout)
        try:
            yield claim
        finally:
            claim.release()


def _holder(fd: int) -> dict[str, str]:
    try:
        told = json.loads(os.pread(fd, 1000, 0))
        return {"pid": str(told["pid"]), "since_at": str(told["since"])}
    except (ValueError, KeyError, TypeError):
        return {"pid": "?", "since_at": "?"}
