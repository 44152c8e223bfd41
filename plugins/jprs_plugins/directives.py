"""What servers' configurations are made of: directives with their words and blocks, each with its file and line."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass

#: Far above what people have (10,000 virtual hosts are some 10 MB), far below what hurts.
MAX_BYTES = 64 * 1024 * 1024
MAX_DIRECTIVES = 1_000_000
MAX_FILES = 50_000
MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Directive:
    """A name, its words, and the directives in its block (None without one), includes already put in place."""

    name: str
    words: tuple[str, ...]
    file: str
    line: int
    block: tuple[Directive, ...] | None = None

    @property
    def place(self) -> str:
        """`FILE:LINE`."""
        return f"{self.file}:{self.line}"

    def all(self, name: str) -> tuple[Directive, ...]:
        """The directives called `name` directly inside."""
        return tuple(inner for inner in self.block or () if inner.name == name)


def content(path: str, limit: int) -> bytes:
    """What the plain file `path` holds, of more than `limit` bytes the first `limit` and one more.

    Raises OSError, also for what is no plain file, and ValueError for what is no path.
    """
    # A FIFO would hold us up for ever, and a device has no end.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        return file.read(limit + 1)
