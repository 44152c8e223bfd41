"""Prosody, the XMPP server, reads a certificate and a key for each host: HOST.crt and HOST.key in one folder.

The template of a plugin: one class, and one line in `pyproject.toml`. It only says what is to be there; writing,
checking, reloading, looking, and putting everything back when one of these fails are jprs-client's work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, cast

from jprs_client.errors import InstallFailed
from jprs_client.plugin import Deployment, FileChange, Material, Options, Probe, Site


class Prosody:
    """Prosody as Debian packages it, or another one by `certificates`, `owner`, `check` and `reload`.

    `probe` is where to look whether the new certificate is served: a port with TLS from the first byte, such as
    5223; without it nobody looks.
    """

    #: The keys of `[installer.NAME]` and what each may hold. They are checked before the class is made.
    options: ClassVar[Options] = {
        "certificates": "path",
        "owner": "str",
        "check": "command",
        "reload": "command",
        "probe": "address",
    }

    def __init__(self, settings: Mapping[str, object], /) -> None:
        self._folder = Path(str(settings.get("certificates", "/etc/prosody/certs")))
        self._owner = str(settings.get("owner", "prosody"))
        self._check = cast("Sequence[str]", settings.get("check", ()))
        self._reload = cast("Sequence[str]", settings.get("reload", ("prosodyctl", "reload")))
        self._probe = cast("str | None", settings.get("probe"))

    def deployment(self, site: Site, material: Material, /) -> Deployment:
        """Two files for each host. Changes nothing: it may be asked at any time, and again."""
        hosts = sorted(name for name in site.names if not name.startswith("*."))
        if not hosts:
            raise InstallFailed("prosody-needs-a-host", lineage=site.lineage, names=sorted(site.names))
        files = []
        for host in hosts:
            # Without a mode a file keeps its own, and a new one is its owner's alone.
            files.append(FileChange(self._folder / f"{host}.crt", material.fullchain_pem, owner=self._owner))
            files.append(FileChange(self._folder / f"{host}.key", material.private_key_pem, owner=self._owner))
        return Deployment(tuple(files), self._check, self._reload, self._probes(hosts))

    def _probes(self, hosts: Sequence[str]) -> tuple[Probe, ...]:
        if self._probe is None:
            return ()
        address, _, port = self._probe.rpartition(":")
        return tuple(Probe(address.strip("[]"), int(port), host) for host in hosts)
