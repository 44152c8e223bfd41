"""The program as a process: at a terminal with somebody at it, or on until it is stopped."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


def at_a_terminal(command: Sequence[str], answers: Sequence[str] = (), **environ: str) -> tuple[int, str]:
    """The exit code and what the terminal shows, when a person types each answer at the question that is open.

    A question is open once the program has said something that ends in a blank.
    """
    variables = {**os.environ, "TERM": "xterm", "COLUMNS": "200", "NO_COLOR": "1", **environ}
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables, start_new_session=True
    ) as child:
        os.close(theirs)
        shown, left = bytearray(), list(answers)
        try:
            while part := os.read(ours, 4096):
                shown += part
                if left and shown.endswith(b" "):
                    os.write(ours, left.pop(0).encode() + b"\n")
        except OSError:  # EIO: the program has closed the terminal
            pass
        code = child.wait(timeout=60)
    os.close(ours)
    return code, shown.decode()


def until_written(file: Path, child: subprocess.Popen[bytes], seconds: float = 60) -> str:
    """What `child` writes to `file`, once it has."""
    deadline = time.monotonic() + seconds
    while not file.exists():
        assert child.poll() is None and time.monotonic() < deadline, f"{file.name} was not written"
        time.sleep(0.01)
    return file.read_text(encoding="utf-8")
