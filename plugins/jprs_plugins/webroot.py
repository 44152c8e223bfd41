"""http-01 by a file in the document root of a web server that is running anyway."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from jprs_client.errors import ChallengeFailed, harmless
from jprs_client.plugin import Options, Proof

FOLDERS = (".well-known", "acme-challenge")
_LOOK = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_OURS_TO_WRITE = {errno.EACCES, errno.EPERM, errno.EROFS}


class Webroot:
    """Writes each proof to PATH/.well-known/acme-challenge/TOKEN, and takes away what it made.

    Every step goes through an open directory, follows no symbolic link below PATH and, as root, is done with the
    rights of that directory's owner: whoever owns the document root cannot lead us out of it (THREATS D15).
    """

    challenge_type: ClassVar[str] = "http-01"
    options: ClassVar[Options] = {"path": "path!"}

    def __init__(self, settings: Mapping[str, object], /) -> None:
        self._root = Path(str(settings["path"]))
        self._made: set[Path] = set()
        self._lock = threading.Lock()

    def present(self, proof: Proof, /) -> None:
        """Write the file, readable by all, whatever the umask; a half-written one of an earlier run is replaced.

        Raises ChallengeFailed, each naming the path: webroot-missing, webroot-not-a-directory, webroot-unwritable,
        webroot-folder-in-the-way, webroot-file-in-the-way, webroot-failed.
        """
        content = proof.content.encode("ascii")
        with self._lock, self._folder(make=True) as (folder, place):
            path = place / _file_name(proof)
            try:
                self._write(folder, path, content)
            except FileExistsError:
                with _told(path, "webroot-file-in-the-way"):
                    if not _is_ours(folder, path.name, content):
                        raise
                    _remove(folder, path.name)
                    self._write(folder, path, content)

    def clean_up(self, proof: Proof, /) -> None:
        """Remove exactly the proof's file, and the folders this object made once they are empty."""
        with self._lock:
            with suppress(_NothingThere), self._folder(make=False) as (folder, place):
                name = _file_name(proof)
                with _told(place / name, "webroot-file-in-the-way"):
                    if _is_ours(folder, name, proof.content.encode("ascii")):
                        _remove(folder, name)
            with suppress(_NothingThere):
                self._remove_folders()

    def _write(self, folder: int, path: Path, content: bytes) -> None:
        with _told(path, None), _as_owner_of(folder):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(path.name, flags, 0o644, dir_fd=folder)
            try:
                os.fchmod(file, 0o644)  # the umask has taken what the server needs
                os.write(file, content)
            finally:
                os.close(file)

    @contextmanager
    def _folder(self, *, make: bool) -> Iterator[tuple[int, Path]]:
        """The folder that proofs stand in, open, and its path; without `make` _NothingThere when it is missing."""
        place = self._root
        current = self._open_root(make=make)
        try:
            for name in FOLDERS:
                place = place / name
                below = self._open_below(current, place, make=make)
                os.close(current)
                current = below
            yield current, place
        finally:
            os.close(current)

    def _open_root(self, *, make: bool) -> int:
        try:
            return os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            if not make and isinstance(error, FileNotFoundError | NotADirectoryError):
                raise _NothingThere from error
            if isinstance(error, FileNotFoundError):
                raise ChallengeFailed("webroot-missing", path=self._root) from error
            if isinstance(error, NotADirectoryError):
                raise ChallengeFailed("webroot-not-a-directory", path=self._root) from error
            raise _failed(error, self._root) from error

    def _open_below(self, above: int, place: Path, *, make: bool) -> int:
        with _told(place, "webroot-folder-in-the-way"), _as_owner_of(above):
            try:
                return os.open(place.name, _LOOK, dir_fd=above)
            except OSError as error:
                if not make and error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
                    raise _NothingThere from error
                if not isinstance(error, FileNotFoundError):
                    raise
            with suppress(FileExistsError):  # another process was quicker
                os.mkdir(place.name, 0o755, dir_fd=above)
                self._made.add(place)
                made = os.open(place.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
                try:
                    os.fchmod(made, 0o755)
                finally:
                    os.close(made)
            return os.open(place.name, _LOOK, dir_fd=above)

    def _remove_folders(self) -> None:
        if not self._made:
            return
        outer, inner = self._root / FOLDERS[0], self._root / FOLDERS[0] / FOLDERS[1]
        above = self._open_root(make=False)
        try:
            if inner in self._made:
                below = self._open_below(above, outer, make=False)
                try:
                    self._remove_if_empty(below, inner)
                finally:
                    os.close(below)
            if outer in self._made:
                self._remove_if_empty(above, outer)
        finally:
            os.close(above)

    def _remove_if_empty(self, above: int, place: Path) -> None:
        try:
            with _as_owner_of(above):
                os.rmdir(place.name, dir_fd=above)
        except OSError as error:
            if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                return  # somebody else's file is in it, or another proof of ours
            if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
                raise _failed(error, place) from error
        self._made.discard(place)


class _NothingThere(Exception):
    """There is no such folder, so nothing of ours in it."""


def _file_name(proof: Proof) -> str:
    """The token. It has passed the grammar long before; a path is worth asking twice."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", proof.token) is None:
        raise ValueError("the token is not base64url")
    return proof.token


def _is_ours(folder: int, name: str, content: bytes) -> bool:
    """Whether the file is the proof or the beginning of one: a kill may have come in the middle of writing."""
    try:
        with _as_owner_of(folder):
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return False
    try:
        return stat.S_ISREG(os.fstat(file).st_mode) and content.startswith(os.read(file, len(content) + 1))
    finally:
        os.close(file)


def _remove(folder: int, name: str) -> None:
    with _as_owner_of(folder):
        os.unlink(name, dir_fd=folder)


@contextmanager
def _told(path: Path, in_the_way: str | None) -> Iterator[None]:
    """OSErrors as errors a person can act on; `in_the_way` is for what stands where ours should (None: not here)."""
    try:
        yield
    except OSError as error:
        if in_the_way is not None and error.errno in {errno.EEXIST, errno.ENOTDIR, errno.ELOOP, errno.EISDIR}:
            raise ChallengeFailed(in_the_way, path=path) from error
        if in_the_way is None and isinstance(error, FileExistsError):
            raise
        raise _failed(error, path) from error


def _failed(error: OSError, path: Path) -> ChallengeFailed:
    if error.errno in _NOT_OURS_TO_WRITE:
        return ChallengeFailed("webroot-unwritable", path=path, reason=harmless(error.strerror))
    return ChallengeFailed("webroot-failed", path=path, reason=harmless(error.strerror or error))


@contextmanager
def _as_owner_of(directory: int) -> Iterator[None]:
    """As root, this thread's file access with the rights of `directory`'s owner; else nothing changes."""
    owner = os.fstat(directory)
    if os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    libc = ctypes.CDLL(None)  # fsuid is this thread's alone; seteuid would take the whole process along
    try:
        libc.setfsgid(owner.st_gid)
        libc.setfsuid(owner.st_uid)  # away from 0 the kernel drops CAP_DAC_OVERRIDE and its kin as well
        if libc.setfsuid(-1) != owner.st_uid:  # the call itself reports no failure
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        yield
    finally:
        libc.setfsuid(0)
        libc.setfsgid(os.getegid())
