"""A service manager to report to, and a daemon that does; nothing sleeps, everything waits for a datagram."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.client import Client

#: Seconds until what has to come counts as lost; generous, since the machine may be busy.
LIMIT = 60.0


class ServiceManager:
    """Listens as systemd does, at an abstract address (or at `path`); keeps every assignment it was told, in order."""

    def __init__(self, path: str = "") -> None:
        self.address = path or f"@jprs-client-test-{secrets.token_hex(8)}"
        self.told: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path or f"\0{self.address[1:]}")

    def close(self) -> None:
        """Nobody listens any more."""
        self._socket.close()

    def hear(self, seconds: float) -> bool:
        """Take in one datagram; False when none came in so many seconds."""
        self._socket.settimeout(max(seconds, 0.001))
        try:
            self.told += self._socket.recv(65536).decode().split("\n")
        except TimeoutError:
            return False
        return True

    def until(self, wanted: str | Callable[[str], bool], *, seconds: float = LIMIT) -> str:
        """The next assignment that is `wanted` (begins so), counted from where the last call ended."""
        matches = wanted if callable(wanted) else lambda said: said.startswith(wanted)
        deadline = time.monotonic() + seconds
        while True:
            while self.told:
                said = self.told.pop(0)
                if matches(said):
                    return said
            assert self.hear(deadline - time.monotonic()), f"{wanted} did not come"

    def waking(self, part: str = "") -> str:
        """The status of a daemon that has nothing to do for now, with `part` in it."""
        return self.until(lambda said: said.startswith("STATUS=") and "Certificates: " in said and part in said)

    def silent_for(self, seconds: float, assignment: str) -> bool:
        """Whether `assignment` is not told for so long, after what was on its way."""
        self.told.clear()
        while self.hear(0):
            pass
        self.told.clear()
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.hear(left)
        return assignment not in self.told


class Running:
    """A daemon that runs."""

    def __init__(self, process: subprocess.Popen[str], manager: ServiceManager) -> None:
        self.process = process
        self.manager = manager
        self.out = self.err = ""

    def signal(self, number: signal.Signals) -> None:
        """What systemd or a person sends."""
        self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit code, once it has ended by itself; `out` and `err` hold what it said."""
        self.out, self.err = self.process.communicate(timeout=LIMIT)
        assert "Traceback" not in self.err, self.err
        return self.process.returncode

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.signal(signal.SIGTERM)
        return self.ended()

    @property
    def rounds(self) -> list[dict[str, Any]]:
        """The JSON lines of its rounds, after its end."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def descriptors(self) -> int:
        """How many files it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@contextmanager
def daemon(client: Client, *options: str, watchdog: float | None = None, **environ: str) -> Iterator[Running]:
    """`jprs-client daemon` under a manager of its own; killed where a test leaves it running."""
    manager = ServiceManager()
    variables = {**environ, "NOTIFY_SOCKET": manager.address}
    if watchdog is not None:
        variables["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        process = client.start(*options, "daemon")
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
    try:
        yield Running(process, manager)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
        manager.close()
