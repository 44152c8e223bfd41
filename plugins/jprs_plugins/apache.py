"""Apache httpd: the certificate files that its virtual hosts already name are given the new certificate.

Which hosts: those that speak TLS (`SSLEngine on`, or inherited) and whose `ServerName` and `ServerAlias` the
certificate's names cover. A host that names a path under `live/` follows the certificate by itself and is only
reloaded. Configuration is read, not edited.

`-t` says "Syntax OK" of a key that is not the certificate's, and then `-k graceful` ends the server: so every pair
that any virtual host reads is named to the transaction, which looks at all of them before the reload.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, cast

from jprs_client.errors import InstallFailed
from jprs_client.plugin import Deployment, Material, Options, Pair, Site
from jprs_plugins.apache_config import environment_of, read
from jprs_plugins.apache_servers import CODES, VirtualHost, tls_servers
from jprs_plugins.tls_sites import address, proposal

__all__ = ["Apache"]


class Apache:
    """httpd as Debian packages it, or another one by `config`, `binary`, `prefix`, `reload` and `probe`."""

    options: ClassVar[Options] = {
        "config": "path",
        "binary": "str",
        "prefix": "path",
        "reload": "command",
        "probe": "addresses",
    }

    def __init__(self, settings: Mapping[str, object], /) -> None:
        self._config = Path(str(settings.get("config", "/etc/apache2/apache2.conf")))
        # Not `apache2`: Debian's configuration needs the variables of `envvars`, which apache2ctl reads first.
        self._binary = str(settings.get("binary", "apache2ctl"))
        prefix = settings.get("prefix")
        self._server_root = self._config.parent if prefix is None else Path(str(prefix))
        self._prefix = () if prefix is None else ("-d", str(prefix))
        reload = cast("Sequence[str] | None", settings.get("reload"))
        self._reload = tuple(reload or ("systemctl", "reload", "apache2"))
        self._addresses = tuple(address(text) for text in cast("Sequence[str]", settings.get("probe", ())))

    def deployment(self, site: Site, material: Material, /) -> Deployment:
        """The files that the matching hosts name, with `material` in them; every pair; check, reload and probes.

        Raises InstallFailed (apache-…) where no host matches or a file cannot be given this certificate without
        harm: see `locale/apache.py` for each.
        """
        check = (self._binary, *self._prefix, "-t", "-f", str(self._config))
        try:
            configuration = read(self._config, self._server_root, environment_of(self._config))
        except InstallFailed as broken:
            # httpd says it better, and may stop at an earlier line than we do: whoever deploys asks it.
            broken.params["check"] = shlex.join(check)
            raise
        servers = tls_servers(configuration)
        found = proposal(site, material, servers, CODES, self._config, self._addresses)
        unread = tuple(("apache-not-read", {"place": place}) for place in configuration.unread)
        notes = (*found.notes, *unread)
        return replace(found, check=check, reload=self._reload, pairs=_pairs(servers), notes=notes)


def _pairs(servers: Iterable[VirtualHost]) -> tuple[Pair, ...]:
    """Each pair once, at its first place."""
    found: dict[tuple[Path, Path], Pair] = {}
    for server in servers:
        for pair in server.pairs():
            found.setdefault((pair.certificate, pair.key), pair)
    return tuple(found.values())
