"""Where a path leads, and whether somebody else could lead it elsewhere."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

__all__ = ["Unsafe", "destination_of"]

#: Who may write to a folder on the way to a key: root, and Debian's staff, whose members are root's equals there.
_TRUSTED_GROUPS = frozenset({0, 50})


class Unsafe(Exception):
    """Somebody else may change what `folder` holds, and so lead our writing elsewhere."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder


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
        if entry.lstat().st_uid not in _trusted_users():
            raise Unsafe(entry)
        if target.is_absolute():
            here = Path("/")
        ahead.extend(part for part in reversed(target.parts) if part != "/")
    return here


def _refuse_unsafe(folder: Path) -> None:
    status = folder.stat()
    sticky = status.st_mode & stat.S_ISVTX  # there, others cannot rename what is ours
    by_group = status.st_mode & stat.S_IWGRP and status.st_gid not in _TRUSTED_GROUPS | {os.getegid()}
    by_all = status.st_mode & stat.S_IWOTH
    if status.st_uid not in _trusted_users() or ((by_group or by_all) and not sticky):
        raise Unsafe(folder)


def _trusted_users() -> frozenset[int]:
    # In a user namespace root's own folders may belong to an overflow id; whoever has `/` is root enough.
    return frozenset({0, os.geteuid(), Path("/").stat().st_uid})
