"""Where a path leads, and whether somebody else could lead it elsewhere, or change what is there."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

__all__ = ["Unsafe", "destination_of", "is_trusted", "others_may_write", "program_at"]

#: Who may write to a folder on the way to a key: root, and Debian's staff, whose members are root's equals there.
_TRUSTED_GROUPS = frozenset({0, 50})


class Unsafe(Exception):
    """Somebody else may change what is at `place`: a folder, a link or a file."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.place = place


def destination_of(path: Path) -> Path:
    """Where `path` leads; a symbolic link is written through, so that it stays one (FAULTS 124).

    Raises Unsafe when somebody but root and us could lead it elsewhere (THREATS D12), OSError as readlink(2) does.
    """
    here = Path("/")
    ahead = [part for part in reversed(path.absolute().parts) if part != "/"]
    links = 0
    while ahead:
        part = ahead.pop()
        if part == "..":
            here = here.parent
            continue
        _refuse_unsafe(here)
        entry = here / part
        try:
            target = entry.readlink()
        except FileNotFoundError:
            if ahead:
                raise
            return entry
        except OSError as error:
            if error.errno != errno.EINVAL:  # no symbolic link
                raise
            here = entry
            continue
        links += 1
        if links > 40:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        if not is_trusted(entry.lstat().st_uid):
            raise Unsafe(entry)
        if target.is_absolute():
            here = Path("/")
        ahead.extend(part for part in reversed(target.parts) if part != "/")
    return here


def program_at(path: Path) -> Path:
    """Where the program at `path` is. Raises as `destination_of`, also when others may change the program itself."""
    found = destination_of(path)
    status = found.stat()
    if not is_trusted(status.st_uid) or others_may_write(status):
        raise Unsafe(found)
    return found


def others_may_write(status: os.stat_result) -> bool:
    """Whether mode and group of a file or folder let others than its owner, root's groups and us write to it."""
    by_group = status.st_mode & stat.S_IWGRP and status.st_gid not in _TRUSTED_GROUPS | {os.getegid()}
    return bool(by_group or status.st_mode & stat.S_IWOTH)


def is_trusted(uid: int) -> bool:
    """Whether `uid` is root or us."""
    # In a user namespace root's own folders may belong to an overflow id; whoever has `/` is root enough.
    return uid in {0, os.geteuid()} or uid == Path("/").stat().st_uid


def _refuse_unsafe(folder: Path) -> None:
    status = folder.stat()
    sticky = status.st_mode & stat.S_ISVTX  # there, others cannot rename what is ours
    if not is_trusted(status.st_uid) or (others_may_write(status) and not sticky):
        raise Unsafe(folder)
