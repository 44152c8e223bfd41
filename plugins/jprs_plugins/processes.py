"""Programs of the subscriber's own: no shell, a clean environment, a time limit, their last words."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from jprs_client.plugin import changeable_by_others

MOST_OUTPUT_BYTES = 8 * 1024

#: What a hook inherits. The rest may be secret, or change what an interpreter loads (THREATS D18, D27).
INHERITED = (
    *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class UnsafeProgram(Exception):
    """Root is to start `program`, and others than root may change `place`: it, or a folder or link that leads there."""

    def __init__(self, program: Path, place: Path) -> None:
        super().__init__(program, place)
        self.program = program
        self.place = place


def inherited() -> dict[str, str]:
    """The little of our environment that a program of the subscriber's gets."""
    return {"PATH": _PATH} | {name: os.environ[name] for name in INHERITED if name in os.environ}


def output_of(
    command: Sequence[str], environment: Mapping[str, str], seconds: float, *, given: bytes = b""
) -> tuple[int, bytes]:
    """Run `command` without a shell: its exit code (128 + N after signal N) and the end of what it said.

    `given` is what it finds on standard input.

    Raises TimeoutError, after its whole process group was killed, OSError when it cannot be started, UnsafeProgram when
    it must not be. What it leaves running in the background is left running: that may be the very server that shows
    the proof.
    """
    program = _program(command[0], environment["PATH"])
    with (
        _holding(given) as stdin,
        subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
            start_new_session=True,
            executable=program,
        ) as process,
        _group_killed_on_error(process),
    ):
        said = _heard(process, time.monotonic() + seconds)
        code = process.wait()
    return (code if code >= 0 else 128 - code), said


def _program(name: str, path: str) -> Path:
    import shutil

    found = name if "/" in name else shutil.which(name, path=path)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    program = Path("/", found)
    if (place := changeable_by_others(program)) is not None:
        raise UnsafeProgram(program, place)
    return program


@contextlib.contextmanager
def _holding(given: bytes) -> Iterator[IO[bytes] | int]:
    """A file in memory: whoever does not read it holds nobody up."""
    if not given:
        yield subprocess.DEVNULL
        return
    with os.fdopen(os.memfd_create("given"), "w+b") as file:
        file.write(given)
        file.seek(0)
        yield file


@contextlib.contextmanager
def _group_killed_on_error(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise


def _heard(process: subprocess.Popen[bytes], until: float) -> bytes:
    """The last bytes of its output; done when the process is, though a child of its may hold the pipe open."""
    said = bytearray()
    pipe = process.stdout
    if pipe is None:  # not with PIPE above
        return b""
    os.set_blocking(pipe.fileno(), False)
    ended = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            while True:
                left = until - time.monotonic()
                ready = selector.select(max(left, 0))
                if left <= 0:
                    raise TimeoutError
                over = any(key.fileobj == ended for key, _ in ready)
                if not _drain(pipe.fileno(), said) and pipe in selector.get_map():
                    selector.unregister(pipe)  # it closed its output and goes on working
                if over:
                    return bytes(said)
    finally:
        os.close(ended)


def _drain(descriptor: int, said: bytearray) -> bool:
    """Read what is there now, keeping only the end; False once nobody can write to it any more."""
    for _ in range(16):  # then look at the time again: it may write faster than we read
        try:
            chunk = os.read(descriptor, 64 * 1024)
        except BlockingIOError:
            return True
        if not chunk:
            return False
        said += chunk
        del said[:-MOST_OUTPUT_BYTES]
    return True
