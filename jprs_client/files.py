"""Files that are whole or not there: written beside, made durable, then renamed into place.

Nothing is ever wider readable than its final mode, at no instant and under no umask (THREATS D12, FAULTS 9, 25, 35).
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from jprs_client.errors import SecretExposed


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_directory(directory: Path, mode: int = 0o700) -> None:
    """Make `directory` and its parents durably, each new one with `mode`; an existing one is left as it is."""
    if directory.is_dir():
        return
    if directory.parent != directory:
        make_directory(directory.parent, mode)
    try:
        directory.mkdir(mode=mode)
    except FileExistsError:
        return
    directory.chmod(mode)
    sync_directory(directory.parent)


def write_file(path: Path, content: bytes, mode: int = 0o600, *, uid: int = -1, gid: int = -1) -> None:
    """Put `content` at `path` in one step: a reader sees the old file or the new one, also after a power cut.

    A symbolic link at `path` is replaced, not followed. `uid` and `gid` as in chown(2).
    """
    beside = _beside(path)
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            if uid != -1 or gid != -1:
                os.fchown(fd, uid, gid)
            with os.fdopen(fd, "wb", closefd=False) as file:
                file.write(content)
            os.fchmod(fd, mode)
            os.fsync(fd)
        finally:
            os.close(fd)
        beside.rename(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def _beside(path: Path) -> Path:
    """A name that nobody has; not too long either where `path` has one of 255 octets."""
    return path.with_name(f".{path.name[:200]}.{secrets.token_hex(8)}.new")


def point_link(link: Path, target: str) -> None:
    """Let the symbolic link `link` lead to `target`, in one step (FAULTS 10)."""
    beside = _beside(link)
    beside.symlink_to(target)
    try:
        beside.rename(link)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_directory(link.parent)


def read_secret(path: Path) -> bytes:
    """Read a file that only its owner (or its group) may read, at most 64 KiB.

    Raises SecretExposed when others can read it or it is no regular file, OSError as open(2) does.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise SecretExposed("secret-not-a-file", file=path)
        if status.st_mode & stat.S_IROTH:
            raise SecretExposed("secret-readable-by-others", file=path, mode=f"{stat.S_IMODE(status.st_mode):04o}")
        return os.read(fd, 64 * 1024)
    finally:
        os.close(fd)
