"""What was there is kept aside, so that it can be put back: by us, by the next run, or by a person."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from jprs_client import files
from jprs_client.errors import InstallFailed
from jprs_client.install.files_changed import Kept, Write, not_written, place_beside, read_regular, replace_all

__all__ = ["FOLDER_NAME", "Aside", "Manifest"]

#: A target's and a lineage's folder under `aside`.
FOLDER_NAME = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9_.*-]{0,254}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a transaction is about to change. `live_before` is None where there is no version to go back to."""

    lineage: str
    version: int
    live_before: int | None
    token: str
    files: tuple[Kept, ...]


class Aside:
    """`ASIDE/TARGET/LINEAGE/`: copies of what was there, and the manifest that says where it was."""

    def __init__(self, root: Path, target: str, lineage: str) -> None:
        for name in (target, lineage):
            if not FOLDER_NAME.fullmatch(name) or name in {".", ".."}:
                raise InstallFailed("install-lineage-unknown", target=target, lineage=lineage)
        self.target = target
        self.lineage = lineage
        self.folder = root / target / lineage.replace("*", "_")
        self._root = root
        self._manifest = self.folder / "manifest.json"
        self._served = self.folder / "served.json"

    @classmethod
    def all_pending(cls, root: Path, target: str) -> list[tuple[Aside, Manifest]]:
        """Every transaction at `target` that was cut off."""
        folder = root / target
        found = [cls(root, target, entry.name) for entry in sorted(folder.iterdir())] if folder.is_dir() else []
        return [(aside, manifest) for aside in found if (manifest := aside.pending()) is not None]

    def keep(self, manifest: Manifest, writes: Sequence[Write]) -> None:
        """Keep what is there, durably; the manifest last, for it is what counts."""
        files.make_directory(self.folder)
        for kept, write in zip(manifest.files, writes, strict=True):
            if kept.copy is not None and write.before is not None:
                files.write_file(self.folder / kept.copy, write.before)
        files.write_file(self._manifest, json.dumps(asdict(manifest), indent=1).encode())

    def pending(self) -> Manifest | None:
        """The manifest of a run that was cut off. It is whole, being written in one step after the copies."""
        try:
            held = json.loads(self._manifest.read_bytes())
            kept = tuple(Kept(**entry) for entry in held.pop("files"))
            return Manifest(files=kept, **held)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise not_written("aside-not-written", self.target, self.lineage, error, restored="untouched") from error
        except (ValueError, TypeError, LookupError, AttributeError) as error:  # a failing disk, a hand
            raise InstallFailed(
                "aside-damaged", target=self.target, lineage=self.lineage, aside=self.folder, restored="no"
            ) from error

    def put_back(self, kept: Kept, token: str) -> None:
        """One file as it was. One that is neither as it was nor as we made it is somebody else's by now, and stays."""
        path = Path(kept.path)
        place_beside(path, token).unlink(missing_ok=True)
        try:
            content, status = read_regular(path)
        except FileNotFoundError:
            content, status = None, None
        found = None if content is None else hashlib.sha256(content).hexdigest()
        if found not in {None, kept.before, kept.after}:
            return
        if kept.copy is None:
            if found is not None:
                path.unlink()
                files.sync_directory(path.parent)
            return
        if status is not None and found == kept.before:
            held = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
            if held == (kept.mode, kept.uid, kept.gid):
                return
        before = (self.folder / kept.copy).read_bytes()
        replace_all([(path, before, kept.mode, kept.uid, kept.gid)], token)

    def command(self, kept: Kept) -> str:
        """What a person types to put that file back."""
        return shlex.join(["install", "-m", f"{kept.mode:04o}", "-o", str(kept.uid), "-g", str(kept.gid)]) + (
            f" {shlex.quote(str(self.folder / (kept.copy or '')))} {shlex.quote(kept.path)}"
        )

    def forget(self) -> None:
        """The transaction is over. The manifest goes first: without it the copies mean nothing."""
        if not self.folder.is_dir():
            return
        self._manifest.unlink(missing_ok=True)
        files.sync_directory(self.folder)
        for entry in self.folder.iterdir():
            if entry != self._served:
                entry.unlink()

    def remember_served(self, version: int, fingerprint: str) -> None:
        """What this target serves, to go back to; it is known from here on as ours.

        Raises InstallFailed("served-not-recorded"): then the next run has to look again.
        """
        now, before = _served_versions(self._served)
        if now is not None and (now["version"], now["sha256"]) == (version, fingerprint):
            return
        held = {"now": {"version": version, "sha256": fingerprint}, "before": now or before}
        try:
            files.make_directory(self.folder)
            files.write_file(self._served, json.dumps(held).encode())
        except OSError as error:
            raise not_written("served-not-recorded", self.target, self.lineage, error) from error

    def served_before(self, version: int) -> int | None:
        """The version other than `version` that this target served last.

        None when there is none, or when another target serves `version` already: it would lose what it serves.
        """
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            now, _ = _served_versions(folder / self.folder.name / "served.json")
            if folder.name != self.target and now is not None and now["version"] == version:
                return None
        for held in _served_versions(self._served):
            if held is not None and held["version"] != version:
                return int(held["version"])
        return None

    def served_fingerprint(self) -> str | None:
        """Of the certificate that this target was last seen to serve."""
        now, _ = _served_versions(self._served)
        return None if now is None else str(now["sha256"])


_Served = dict[str, str | int]


def _served_versions(record: Path) -> tuple[_Served | None, _Served | None]:
    """The version that is served and the one before it, each with its fingerprint; None where none is known."""
    try:
        held = json.loads(record.read_bytes())
        return _served(held["now"]), _served(held["before"])
    except (OSError, ValueError, TypeError, LookupError):
        return None, None  # it only helps to go back: without it there is nothing to go back to


def _served(held: _Served | None) -> _Served | None:
    return None if held is None else {"version": int(held["version"]), "sha256": str(held["sha256"])}
