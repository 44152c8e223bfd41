"""The versions of each lineage as folders, and `live/NAME`, the one symbolic link that says which is current.

A version's folder appears whole, by one rename, after it was verified; the link is switched by another (FAULTS 9, 10).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jprs_client.errors import StateUnusable
from jprs_client.files import make_directory, point_link, sync_directory, write_file
from jprs_client.plugin import Material


def folder_name(lineage: str) -> str:
    """`*.example.jp` lies under `_.example.jp`; no other lineage's name has an underscore."""
    return f"_.{lineage[2:]}" if lineage.startswith("*.") else lineage


def lineage_name(text: str) -> str:
    """What a person may call a lineage: its name or its folder."""
    return f"*.{text[2:]}" if text.startswith("_.") else text


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


class Versions:
    """The files of all lineages below one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir

    def folder(self, lineage: str, version: int) -> Path:
        """Where a version's four files lie."""
        return self._state_dir / "archive" / folder_name(lineage) / str(version)

    def live(self, lineage: str) -> Path:
        """`live/NAME`, as configurations name it."""
        return self._state_dir / "live" / folder_name(lineage)

    def current(self, lineage: str) -> int | None:
        """The version that `live/NAME` leads to; None while there is none, and where it leads elsewhere."""
        try:
            target = self.live(lineage).readlink()
        except OSError:
            return None
        version = target.name
        led_to = _is_number(version) and str(target) == self._target(lineage, int(version))
        return int(version) if led_to else None

    def _target(self, lineage: str, version: int) -> str:
        return f"../archive/{folder_name(lineage)}/{version}"

    def switch(self, lineage: str, version: int) -> None:
        """Let `live/NAME` lead to `version`, in one step. StateUnusable where that cannot be."""
        link = self.live(lineage)
        with self._writing():
            make_directory(link.parent)
            if self.current(lineage) != version:
                point_link(link, self._target(lineage, version))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StateUnusable(
                "state-not-writable", directory=self._state_dir, cause=error.strerror or error
            ) from error

    def unlink(self, lineage: str) -> None:
        """Take `live/NAME` away, as it was before the first version."""
        self.live(lineage).unlink(missing_ok=True)

    def exists(self, lineage: str, version: int) -> bool:
        """Whether the version is there, which means whole and verified."""
        return self.folder(lineage, version).is_dir()

    def next_version(self, lineage: str) -> int:
        """One more than the newest folder."""
        parent = self.folder(lineage, 0).parent
        numbers = [int(path.name) for path in parent.iterdir() if _is_number(path.name)] if parent.is_dir() else []
        return max(numbers, default=0) + 1

    def add(self, lineage: str, version: int, material: Material) -> None:
        """Make the folder of a verified version: durable first, then named. StateUnusable where that cannot be."""
        folder = self.folder(lineage, version)
        if folder.is_dir():
            return
        with self._writing():
            make_directory(folder.parent)
            beside = folder.with_name(f".{version}.new")
            if beside.exists():
                shutil.rmtree(beside)
            make_directory(beside)
            write_file(beside / "privkey.pem", material.private_key_pem)
            write_file(beside / "cert.pem", material.cert_pem)
            write_file(beside / "chain.pem", material.chain_pem)
            write_file(beside / "fullchain.pem", material.fullchain_pem)
            beside.rename(folder)
            sync_directory(folder.parent)

    def material(self, lineage: str, version: int) -> Material:
        """A version's files; StateUnusable when one cannot be read."""
        folder = self.folder(lineage, version)
        try:
            return Material(
                cert_pem=(folder / "cert.pem").read_bytes(),
                chain_pem=(folder / "chain.pem").read_bytes(),
                private_key_pem=(folder / "privkey.pem").read_bytes(),
            )
        except OSError as error:
            raise StateUnusable(
                "version-unreadable", name=lineage, version=version, file=folder, cause=error
            ) from error

    def certificate_der(self, lineage: str, version: int) -> bytes:
        """A version's certificate alone, as the CA wants it named; StateUnusable when it cannot be read."""
        import ssl

        path = self.folder(lineage, version) / "cert.pem"
        try:
            return ssl.PEM_cert_to_DER_cert(path.read_text("ascii"))
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) else "PEM"
            raise StateUnusable("version-unreadable", name=lineage, version=version, file=path, cause=cause) from error

    def usable_key(self, lineage: str, version: int) -> list[bytes]:
        """A version's private key, as a list of one; empty where it is gone or damaged."""
        from jprs_client import keys

        try:
            pem = (self.folder(lineage, version) / "privkey.pem").read_bytes()
            keys.load(pem)
        except (OSError, ValueError, TypeError):
            return []
        return [pem]

    def pending_key(self, lineage: str) -> Path:
        """The private key of the order that is under way, kept until its certificate is a version."""
        return self._state_dir / "pending" / folder_name(lineage) / "privkey.pem"
