"""nginx: the certificate files that its server blocks already name are given the new certificate.

Which blocks: those of `http {}` that speak TLS and whose `server_name` the certificate's names cover. A block that
names a path under `live/` follows the certificate by itself and is only reloaded. Configuration is read, not edited.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, cast

from jprs_client.errors import InstallFailed
from jprs_client.plugin import Deployment, Material, Options, Site
from jprs_plugins.nginx_config import read
from jprs_plugins.nginx_servers import CODES, tls_servers
from jprs_plugins.tls_sites import address, proposal

__all__ = ["Nginx"]


class Nginx:
    """nginx as Debian packages it, or another one by `config`, `binary`, `prefix`, `reload` and `probe`."""

    options: ClassVar[Options] = {
        "config": "path",
        "binary": "str",
        "prefix": "path",
        "reload": "command",
        "probe": "addresses",
    }

    def __init__(self, settings: Mapping[str, object], /) -> None:
        self._config = Path(str(settings.get("config", "/etc/nginx/nginx.conf")))
        self._binary = str(settings.get("binary", "nginx"))
        # Unset, nginx's own built-in prefix stands: -p would move the relative paths of logs and document roots.
        prefix = settings.get("prefix")
        self._prefix = () if prefix is None else ("-p", str(prefix))
        reload = cast("Sequence[str] | None", settings.get("reload"))
        self._reload = tuple(reload or ("systemctl", "reload", "nginx"))
        self._addresses = tuple(address(text) for text in cast("Sequence[str]", settings.get("probe", ())))

    def deployment(self, site: Site, material: Material, /) -> Deployment:
        """The files that the matching blocks name, with `material` in them; nginx's own check, reload and probes.

        Raises InstallFailed (nginx-…) where no block matches or a file cannot be given this certificate without
        harm: see `locale/install.py` for each.
        """
        check = (self._binary, "-t", "-q", *self._prefix, "-c", str(self._config))
        try:
            servers = tls_servers(read(self._config))
        except InstallFailed as broken:
            # nginx says it better, and may stop at an earlier line than we do: whoever deploys asks it.
            broken.params["check"] = shlex.join(check)
            raise
        found = proposal(site, material, servers, CODES, self._config, self._addresses)
        return replace(found, check=check, reload=self._reload)
