"""A server's own commands: run without a shell, within a time, and what they complain of."""

from __future__ import annotations

import errno
import os
import re
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jprs_client.errors import InstallFailed, harmless
from jprs_client.plugin import changeable_by_others

__all__ = ["Complaint", "complaint_of", "refuse_unsafe"]

#: Of a command's output, the end; errors come last.
_OUTPUT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Complaint:
    """A command that failed: `status` is None when it did not end in time, `place` is the `FILE:LINE` it named."""

    target: str
    lineage: str
    command: str
    status: int | None
    seconds: int
    output: str
    place: str | None

    def failure(self, code: str, **params: str) -> InstallFailed:
        """As the error that a person hears."""
        file, _, line = (self.place or "").rpartition(":")
        return InstallFailed(
            code,
            target=self.target,
            lineage=self.lineage,
            command=self.command,
            status=self.status,
            seconds=self.seconds,
            place=self.place,
            file=file or None,
            line=int(line) if line else None,
            output=self.output or None,
            **params,
        )


def refuse_unsafe(commands: Iterable[Sequence[str]], target: str, lineage: str, restored: str) -> None:
    """Raise InstallFailed("program-unsafe") where root would start what others may change (THREATS D26)."""
    path = _environment()["PATH"]
    for command in commands:
        found = _found(command[0], path) if command else None
        if found is not None and (place := changeable_by_others(found)) is not None:
            raise InstallFailed(
                "program-unsafe", target=target, lineage=lineage, program=found, place=place, restored=restored
            )


def complaint_of(command: Sequence[str], seconds: float, target: str, lineage: str) -> Complaint | None:
    """None when `command` succeeded, or when there is none."""
    if not command:
        return None
    try:
        status, output = _run(command, seconds)
    except OSError as error:  # not there, not executable, not root's any more
        status, output = 127, f"{command[0]}: {error.strerror or error}"
    if status == 0:
        return None
    lines = _reasons(output.splitlines())
    place = next((_place(found) for line in lines if (found := _PLACE.search(line)) is not None), None)
    return Complaint(
        target,
        lineage,
        harmless(shlex.join(command), 200),
        status,
        int(seconds),
        harmless(" / ".join(lines)),
        None if place is None else harmless(place, 300),
    )


def _reasons(lines: Sequence[str]) -> list[str]:
    """The lines that say why; the last ones where none is marked as such."""
    found: list[str] = []
    for number, line in enumerate(lines):
        if _IMPORTANT.search(line):
            found.append(line)
            found += lines[number + 1 : number + 2] if _GOES_ON.search(line) else ()
    return found or list(lines[-5:])


def _place(found: re.Match[str]) -> str:
    return next(
        f"{found[f'file_{server}']}:{found[f'line_{server}']}"
        for server in ("nginx", "apache", "haproxy")
        if found[f"file_{server}"]
    )


#: What servers mark their reasons with: nginx and haproxy, Apache.
_IMPORTANT = re.compile(r"\[(?:emerg|alert|crit|error)\]|\[ALERT\]|Syntax error on line")

#: Apache names the place in one line and the reason in the next.
_GOES_ON = re.compile(r"Syntax error on line \d+ of .*:\s*$")

#: "… in FILE:LINE" (nginx), "Syntax error on line 25 of FILE:" (Apache), "parsing [FILE:LINE]" (haproxy).
_PLACE = re.compile(
    r" in (?P<file_nginx>/.*):(?P<line_nginx>\d+)\s*$"
    r"|Syntax error on line (?P<line_apache>\d+) of (?P<file_apache>/[^:]*):"
    r"|parsing \[(?P<file_haproxy>/[^\]]*):(?P<line_haproxy>\d+)\]"
)

#: Nothing else reaches a server's command: no PYTHON…, LD_… or NGINX of whoever called us.
_PASSED_ON = ("HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "TZ")


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    path = os.environ.get("PATH") or "/usr/local/bin:/usr/bin:/bin"
    return {**kept, "PATH": f"{path}:/usr/local/sbin:/usr/sbin:/sbin", "LC_ALL": "C"}


def _run(command: Sequence[str], seconds: float) -> tuple[int | None, str]:
    """The exit status and the end of what `command` said; None when it was killed for taking longer than `seconds`.

    It gets no shell, no input, and a process group of its own, which is killed with it. What it leaves running may
    hold its output open: only the command itself is waited for. Raises OSError when it cannot be started.
    """
    environment = _environment()
    until = time.monotonic() + seconds  # real programs take real time, whatever the clock of the run says
    with subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
        executable=_program(command[0], environment["PATH"]),
    ) as child:
        output = b""
        status: int | None = None
        try:
            output = _heard(child, until)
            status = child.poll()
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
    return status, output.decode("utf-8", "replace")


def _found(name: str, path: str) -> Path | None:
    import shutil

    found = shutil.which(name, path=path)
    return None if found is None else Path(found).absolute()


def _program(name: str, path: str) -> Path:
    found = _found(name, path)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    if changeable_by_others(found) is not None:  # it came after we had asked for it first
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), name)
    return found


def _heard(child: subprocess.Popen[bytes], until: float) -> bytes:
    """The end of what `child` says until it ends or time is up."""
    assert child.stdout is not None  # noqa: S101 - Popen's promise for PIPE
    fd = child.stdout.fileno()
    os.set_blocking(fd, False)
    output = b""
    ended = os.pidfd_open(child.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            while (left := until - time.monotonic()) > 0:
                ready = {key.fd for key, _ in selector.select(left)}
                if fd in ready:
                    chunk = os.read(fd, _OUTPUT_BYTES)
                    if chunk:
                        output = (output + chunk)[-_OUTPUT_BYTES:]
                    else:
                        selector.unregister(fd)
                elif ended in ready:  # only once nothing more is to be read
                    break
    finally:
        os.close(ended)
    return output
