"""Files, for every program that is no plugin's yet: certificate and key where it wants them, then a command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, cast

from jprs_client.errors import InstallFailed
from jprs_client.plugin import Deployment, FileChange, Material, Options, Probe, Site
from jprs_plugins.tls_sites import address, examples

__all__ = ["Files"]

#: How many of a certificate's names are asked for at each place: a handshake takes milliseconds.
NAMES = 8

#: Without a key, in the order in which they are written; those with a key come last.
CERTIFICATES = ("fullchain", "cert", "chain")
KEYS = ("private_key", "combined")

CERTIFICATE_MODE = 0o644


class Files:
    """Writes `fullchain`, `cert`, `chain`, `private_key`, `combined` (key and fullchain in one file, for HAProxy).

    `{name}` in a path is the certificate's folder under `live/`. `mode` is for files without a key, `key_mode` for
    those with one; without them a file that is there keeps its mode, and a new one has 0644, or 0600 with a key.
    `check` must succeed before and after writing, `command` comes last; `probe` is where to look then.
    """

    options: ClassVar[Options] = {
        **dict.fromkeys((*CERTIFICATES, *KEYS), "file"),
        "owner": "str",
        "group": "str",
        "mode": "mode",
        "key_mode": "mode",
        "check": "command",
        "command": "command",
        "probe": "addresses",
    }

    def __init__(self, settings: Mapping[str, object], /) -> None:
        """Raises InstallFailed("files-nothing-to-write") without any path."""
        self._paths = {role: str(settings[role]) for role in (*CERTIFICATES, *KEYS) if role in settings}
        if not self._paths:
            raise InstallFailed("files-nothing-to-write", expected=" | ".join((*CERTIFICATES, *KEYS)))
        self._owner = cast("str | None", settings.get("owner"))
        self._group = cast("str | None", settings.get("group"))
        self._mode = _mode(settings.get("mode"))
        self._key_mode = _mode(settings.get("key_mode"))
        self._check = tuple(cast("Sequence[str]", settings.get("check", ())))
        self._command = tuple(cast("Sequence[str]", settings.get("command", ())))
        self._places = tuple(address(text) for text in cast("Sequence[str]", settings.get("probe", ())))

    def deployment(self, site: Site, material: Material, /) -> Deployment:
        """The files for `site`. Raises InstallFailed("files-folder-missing") where one has no folder to stand in."""
        contents = {
            "fullchain": material.fullchain_pem,
            "cert": material.cert_pem,
            "chain": material.chain_pem,
            "private_key": material.private_key_pem,
            "combined": material.private_key_pem + material.fullchain_pem,
        }
        return Deployment(
            files=tuple(self._change(site, role, path, contents[role]) for role, path in self._paths.items()),
            check=self._check,
            reload=self._command,
            probes=self._probes(site.names),
        )

    def _change(self, site: Site, role: str, template: str, content: bytes) -> FileChange:
        path = Path(template.replace("{name}", site.live.name))
        if not path.parent.is_dir():
            raise InstallFailed("files-folder-missing", lineage=site.lineage, file=path, folder=path.parent)
        mode = self._key_mode if role in KEYS else self._mode
        if mode is None and role in CERTIFICATES and not path.exists():
            mode = CERTIFICATE_MODE
        return FileChange(path, content, mode, self._owner, self._group)

    def _probes(self, names: Iterable[str]) -> tuple[Probe, ...]:
        return tuple(Probe(host, port, name) for name in examples(names)[:NAMES] for host, port in self._places)


def _mode(text: object) -> int | None:
    return None if text is None else int(str(text), 8)
