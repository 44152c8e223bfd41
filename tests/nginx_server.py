"""A private nginx: its files in one folder, its ports free high ones, its master process ours to stop.

`nginx_server(folder, servers)` writes the configuration, starts nginx and stops it at the end of the block. Whoever
needs no server of their own may take `NginxServer` alone: `write()` and `check()` start nothing.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import needs

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def free_port(host: str = "127.0.0.1") -> int:
    """A port on `host` that nobody listens on at this moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])


class NginxServer:
    """One nginx under `folder`: `config` is its main file, `pid_file` holds the master's process id."""

    def __init__(self, folder: Path) -> None:
        self.binary = needs.program("nginx")
        self.folder = folder
        self.config = folder / "nginx.conf"
        self.pid_file = folder / "nginx.pid"
        self.error_log = folder / "error.log"

    @property
    def check_command(self) -> tuple[str, ...]:
        """Looks whether the configuration is right."""
        return (self.binary, "-t", "-q", "-p", str(self.folder), "-c", str(self.config))

    @property
    def reload_command(self) -> tuple[str, ...]:
        """Makes the running server read everything again, as `systemctl reload nginx` does."""
        return (self.binary, "-s", "reload", "-p", str(self.folder), "-c", str(self.config))

    def write(self, servers: str, *, main: str = "") -> None:
        """Write a configuration with `servers` inside `http {}` and `main` beside it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = "\n".join(f"    {name}_temp_path {self.folder}/temp/{name};" for name in TEMPORARY)
        (self.folder / "temp").mkdir(exist_ok=True)
        user = "user root;" if os.geteuid() == 0 else ""  # the workers look into a folder that is 0700
        self.config.write_text(
            f"{user}\nworker_processes 1;\npid {self.pid_file};\nerror_log {self.error_log};\n"
            f"events {{ worker_connections 64; }}\n{main}\n"
            f"http {{\n{temporary}\n    access_log off;\n{servers}\n}}\n"
        )

    def check(self) -> subprocess.CompletedProcess[str]:
        """What nginx says of its configuration."""
        return subprocess.run(self.check_command, capture_output=True, text=True, timeout=30)

    def start(self) -> None:
        """Start it in the background; it listens when this returns."""
        done = subprocess.run(
            (self.binary, "-p", str(self.folder), "-c", str(self.config)), capture_output=True, text=True, timeout=30
        )
        if done.returncode != 0:
            raise AssertionError(f"nginx did not start: {done.stderr}")

    def reload(self) -> None:
        """Let it read everything again."""
        subprocess.run(self.reload_command, check=True, capture_output=True, timeout=30)

    def stop(self) -> None:
        """Stop it, and wait until its master is gone; nothing if it does not run."""
        try:
            pid = int(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return
        if not _runs(pid):
            return
        stopped = subprocess.run(
            (self.binary, "-s", "stop", "-p", str(self.folder), "-c", str(self.config)),
            capture_output=True,
            timeout=30,
        )
        until = time.monotonic() + 10
        if stopped.returncode != 0:
            os.kill(pid, signal.SIGTERM)  # a broken configuration also breaks `-s stop`
        while _runs(pid) and time.monotonic() < until:
            time.sleep(0.01)


def _runs(pid: int) -> bool:
    """Whether `pid` is there and has not ended; one that ended may wait for its parent to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def nginx_server(folder: Path, servers: str, *, main: str = "") -> Iterator[NginxServer]:
    """A running nginx with these server blocks; stopped afterwards, its temporary folders gone."""
    server = NginxServer(folder)
    server.write(servers, main=main)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder / "temp", ignore_errors=True)
