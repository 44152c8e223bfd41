"""A real Apache for tests: as Debian builds it, with a configuration, a port and a runtime folder of its own.

with apache_server(folder, f'''
    <VirtualHost 127.0.0.1:{port}> … </VirtualHost>
''', port) as server:
    …
    server.reload()
"""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import needs

MODULES = Path("/usr/lib/apache2/modules")
LOADED = ("mpm_event", "ssl", "socache_shmcb", "authz_core", "dir", "alias", "macro")


class ApacheServer:
    """One Apache under `folder`: `config` is its main file, `pid_file` holds the parent's process id."""

    def __init__(self, folder: Path) -> None:
        self.binary = needs.program("apache2")
        if not (MODULES / "mod_ssl.so").exists():
            needs.missing(f"{MODULES}/mod_ssl.so is not installed")
        self.folder = folder
        self.config = folder / "apache2.conf"
        self.pid_file = folder / "apache2.pid"
        self.error_log = folder / "error.log"

    @property
    def command(self) -> tuple[str, ...]:
        """The program with this configuration."""
        return (self.binary, "-d", str(self.folder), "-f", str(self.config))

    @property
    def reload_command(self) -> tuple[str, ...]:
        """Makes the running server read everything again, as `systemctl reload apache2` does."""
        return (*self.command, "-k", "graceful")

    def write(self, text: str, *ports: int) -> None:
        """Write a configuration that listens to `ports` on the loopback address, and `text` below that."""
        (self.folder / "htdocs").mkdir(parents=True, exist_ok=True)
        (self.folder / "htdocs" / "index.html").write_text("ok\n")
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED)
        listen = "\n".join(f"Listen 127.0.0.1:{port}" for port in ports)
        self.config.write_text(
            f"ServerName main.invalid\nPidFile {self.pid_file}\nDefaultRuntimeDir {self.folder}\n"
            f"Mutex file:{self.folder}\nErrorLog {self.error_log}\nDocumentRoot {self.folder}/htdocs\n{user}{modules}\n"
            f"StartServers 1\nMinSpareThreads 2\nMaxSpareThreads 4\nThreadsPerChild 4\nMaxRequestWorkers 8\n"
            f"{listen}\n{text}\n"
        )

    def check(self, *more: str) -> subprocess.CompletedProcess[str]:
        """What Apache says of its configuration; `more` as in `-D DUMP_VHOSTS`."""
        return subprocess.run((*self.command, "-t", *more), capture_output=True, text=True, timeout=30)

    def start(self) -> None:
        """Start it in the background; it listens when this returns."""
        done = subprocess.run((*self.command, "-k", "start"), capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            log = self.error_log.read_text() if self.error_log.exists() else ""
            raise AssertionError(f"Apache did not start: {done.stderr}{log}")

    def reload(self) -> None:
        """Let it read everything again."""
        subprocess.run(self.reload_command, check=True, capture_output=True, timeout=30)

    def runs(self) -> bool:
        """Whether the parent process is there."""
        handle = self._handle()
        if handle is not None:
            os.close(handle)
        return handle is not None

    def ended(self, seconds: float = 10.0) -> bool:
        """Whether the parent process ends within that time."""
        handle = self._handle()
        if handle is None:
            return True
        with os.fdopen(handle) as ended:
            poll = select.poll()
            poll.register(ended, select.POLLIN)
            return bool(poll.poll(seconds * 1000))

    def stop(self) -> None:
        """Stop it, and wait until its parent is gone; nothing if it does not run."""
        handle = self._handle()
        if handle is None:
            return
        with os.fdopen(handle) as ended:
            os.kill(int(self.pid_file.read_text()), 15)
            poll = select.poll()
            poll.register(ended, select.POLLIN)
            assert poll.poll(20_000), "Apache does not stop"

    def _handle(self) -> int | None:
        """A file descriptor that becomes readable when the parent process has ended; None when it does not run."""
        try:
            pid = int(self.pid_file.read_text())
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            return None if state == "Z" else os.pidfd_open(pid)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None


@contextmanager
def apache_server(folder: Path, text: str, *ports: int) -> Iterator[ApacheServer]:
    """A running Apache with this configuration; stopped afterwards."""
    server = ApacheServer(folder)
    server.write(text, *ports)
    server.start()
    try:
        yield server
    finally:
        server.stop()
