"""Talking to the service manager: the datagrams of sd_notify(3), and the watchdog of sd_watchdog_enabled(3)."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from types import TracebackType
from typing import Self

from jprs_client.errors import harmless

#: A manager that does not take a datagram for so long (seconds) is not waited for.
PATIENCE = 1.0


class Manager:
    """Whoever started us and wants to hear how we are, or nobody. `watchdog` is its limit in seconds, None for none."""

    def __init__(self, address: str = "", watchdog: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog = watchdog

    @classmethod
    def from_environ(cls, environ: MutableMapping[str, str], pid: int) -> Self:
        """The one that the environment names. Its variables are taken out: no child of ours speaks for us."""
        address = environ.pop("NOTIFY_SOCKET", "")
        usec, meant = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        is_watched = usec.isdecimal() and int(usec) > 0 and meant in {"", str(pid)}
        return cls(address if address.startswith(("/", "@")) else "", int(usec) / 1e6 if is_watched else None)

    def tell(self, *assignments: str) -> None:
        """Send `READY=1` and the like, together. One that is gone or deaf stops nothing: nobody else would hear it."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(PATIENCE)
            sender.sendto("\n".join(assignments).encode(errors="replace"), self._address)

    def status(self, text: str) -> None:
        """What `systemctl status` shows: one line."""
        self.tell(f"STATUS={harmless(text, 300)}")


class Promise:
    """Until when the working thread has promised to be heard from again, by `monotonic` in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until = monotonic()

    def within(self, seconds: float) -> None:
        """It will be heard from again within so many seconds."""
        self._until = self._monotonic() + seconds

    @property
    def is_kept(self) -> bool:
        """Whether the last promise can still be kept."""
        return self._monotonic() <= self._until


class Watchdog:
    """Pings the manager at half its limit for as long as the promise is kept: a thread that hangs is not alive.

    A context manager. Without a watchdog it does nothing.
    """

    def __init__(self, manager: Manager, promise: Promise) -> None:
        self._manager = manager
        self._promise = promise
        self._thread: threading.Thread | None = None
        self._stop: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        if self._manager.watchdog is not None:
            self._stop = os.pipe()
            self._thread = threading.Thread(target=self._ping, name="watchdog", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None and self._stop is not None:
            os.close(self._stop[1])
            self._thread.join()
            os.close(self._stop[0])
            self._thread = self._stop = None

    def _ping(self) -> None:
        if self._stop is None or self._manager.watchdog is None:
            return
        ended = self._stop[0]
        while True:
            self.ping_if_alive()
            # A relative wait on the pipe's end: the same under libfaketime, and over at once when we stop.
            if select.select((ended,), (), (), self._manager.watchdog / 2)[0]:
                return

    def ping_if_alive(self) -> None:
        """One ping, if the promise is kept."""
        if self._promise.is_kept:
            self._manager.tell("WATCHDOG=1")
