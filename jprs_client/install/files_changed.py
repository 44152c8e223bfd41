"""Each file as it is and as it shall be, and how all of them are changed at once."""

from __future__ import annotations

import errno
import grp
import hashlib
import os
import pwd
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jprs_client import files
from jprs_client.errors import InstallFailed, harmless
from jprs_client.places import Unsafe, destination_of, is_trusted, others_may_write
from jprs_client.plugin import FileChange

__all__ = ["Kept", "Write", "exposed_keys", "not_written", "place_beside", "read_regular", "replace_all", "writes_for"]

#: The most that is kept aside of one file; no certificate, key or keystore is as large.
_MAX_FILE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Write:
    """One file as it is and as it shall be. `destination` is where `path` leads through symbolic links."""

    path: Path
    destination: Path
    content: bytes = field(repr=False)
    mode: int
    uid: int
    gid: int
    before: bytes | None = field(repr=False)
    before_mode: int = 0
    before_uid: int = -1
    before_gid: int = -1

    @property
    def differs(self) -> bool:
        """Whether anything is to be done."""
        return (self.before, self.before_mode, self.before_uid, self.before_gid) != (
            self.content,
            self.mode,
            self.uid,
            self.gid,
        )

    @property
    def change(self) -> str:
        """As `ChangedFile` says it."""
        return "new" if self.before is None else "changed" if self.differs else "same"

    def kept(self, number: int) -> Kept:
        """What the manifest says of it."""
        return Kept(
            path=str(self.destination),
            copy=None if self.before is None else str(number),
            mode=self.before_mode,
            uid=self.before_uid,
            gid=self.before_gid,
            before=None if self.before is None else hashlib.sha256(self.before).hexdigest(),
            after=hashlib.sha256(self.content).hexdigest(),
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """How to put one file back: the copy's name in the folder, None for a file that was not there."""

    path: str
    copy: str | None
    mode: int
    uid: int
    gid: int
    before: str | None
    after: str


def writes_for(changes: Iterable[FileChange], target: str, lineage: str) -> tuple[Write, ...]:
    """Each change with what is there now. Raises InstallFailed when a place cannot be looked at or is not safe."""
    writes = []
    for change in changes:
        try:
            writes.append(_write(change))
        except Unsafe as unsafe:
            raise InstallFailed(
                "install-folder-unsafe",
                target=target,
                lineage=lineage,
                file=change.path,
                folder=unsafe.place,
                restored="untouched",
            ) from unsafe
        except KeyError as error:
            owner = ":".join(name or "" for name in (change.owner, change.group))
            raise InstallFailed(
                "install-owner-unknown",
                target=target,
                lineage=lineage,
                file=change.path,
                owner=owner,
                restored="untouched",
            ) from error
        except OSError as error:
            raise not_written("files-not-written", target, lineage, error, restored="untouched") from error
    return tuple(writes)


def _write(change: FileChange) -> Write:
    destination = destination_of(change.path)
    owner = None if change.owner is None else pwd.getpwnam(change.owner).pw_uid
    try:
        before, status = read_regular(destination)
        mode, uid, gid = stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
        # Where everybody may make files, whoever made this one beforehand would own our key.
        if uid != owner and not is_trusted(uid) and others_may_write(destination.parent.stat()):
            raise Unsafe(destination)
        was = (mode, uid, gid)
    except FileNotFoundError:
        if not destination.parent.is_dir():
            raise
        before, (mode, uid, gid), was = None, (0o600, os.geteuid(), os.getegid()), (0, -1, -1)
    return Write(
        change.path,
        destination,
        change.content,
        change.mode if change.mode is not None else mode,
        uid if owner is None else owner,
        grp.getgrnam(change.group).gr_gid if change.group is not None else gid,
        before,
        *was,
    )


def read_regular(path: Path) -> tuple[bytes, os.stat_result]:
    """A regular file's content and state; OSError for anything else."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_FILE:
            raise OSError(errno.EINVAL, "not a regular file of a certificate's size", str(path))
        return file.read(_MAX_FILE), status


def replace_all(changes: Sequence[tuple[Path, bytes, int, int, int]], token: str) -> None:
    """Give all files (path, content, mode, uid, gid) their new content, in the order given.

    All are written and made durable beside their places first; then the renames follow at once. Two files cannot
    change as one: the moment in between is as short as it can be, and the manifest knows of it (FAULTS 10).
    """
    staged = [(place_beside(path, token), path) for path, *_ in changes]
    try:
        for (beside, path), (_, content, mode, uid, gid) in zip(staged, changes, strict=True):
            _stage(beside, path, content, mode, uid, gid)
        for beside, path in staged:
            beside.rename(path)
    except (Exception, KeyboardInterrupt):
        for beside, _ in staged:
            beside.unlink(missing_ok=True)
        raise
    for folder in dict.fromkeys(path.parent for path, *_ in changes):
        files.sync_directory(folder)


def place_beside(path: Path, token: str) -> Path:
    """Where the new content of `path` waits for its moment."""
    # In the same folder, so that the rename is one step; unguessable, and never in /tmp (THREATS D14).
    return path.with_name(f".jprs-client.{token}.{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.new")


def _stage(beside: Path, path: Path, content: bytes, mode: int, uid: int, gid: int) -> None:
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        status = os.fstat(fd)
        if (status.st_uid, status.st_gid) != (uid, gid):
            os.fchown(fd, uid, gid)
        file.write(content)
        file.flush()
        _copy_labels(path, fd)
        os.fchmod(fd, mode)
        os.fsync(fd)


def _copy_labels(path: Path, fd: int) -> None:
    """SELinux's label and access lists go with the file's place, not with its content (FAULTS 124, 125)."""
    try:
        names = os.listxattr(path)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno in {errno.ENOTSUP, errno.EPERM}:
            return
        raise
    for name in names:
        try:
            os.setxattr(fd, name, os.getxattr(path, name))
        except OSError as error:
            if error.errno not in {errno.ENOTSUP, errno.EPERM, errno.ENODATA}:
                raise


def exposed_keys(writes: Iterable[Write], lineage: str) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """A note for each private key that everybody could read."""
    return tuple(
        ("key-readable-by-others", {"lineage": lineage, "file": str(write.path), "mode": f"{write.mode:04o}"})
        for write in writes
        if b"PRIVATE KEY-----" in write.content and write.mode & stat.S_IROTH
    )


def not_written(code: str, target: str, lineage: str, error: OSError, **params: str) -> InstallFailed:
    """What the system said of a file, as the error that a person hears."""
    return InstallFailed(
        code,
        target=target,
        lineage=lineage,
        file=harmless(error.filename2 or error.filename or "", 300) or None,
        detail=harmless(error.strerror or error),
        **params,
    )
