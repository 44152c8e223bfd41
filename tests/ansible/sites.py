"""A host for playbooks: a private nginx that serves two names, and the options that make the program look after it."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509

from tests.ansible.playbooks import PROGRAM, Ansible, Played
from tests.nginx_server import NginxServer
from tests.pebble import write_https_certificate
from tests.scenarios.hosts import World, names_of, new_port, serial_of

CERTIFICATE = "jprs_client.certificates.certificate"
INFO = "jprs_client.certificates.certificate_info"


@dataclass
class Host:
    """Below `folder`: `etc/` with the configuration, `state/`, and `nginx/`."""

    world: World
    ansible: Ansible
    folder: Path
    eab: dict[str, str]
    nginx: NginxServer | None = None
    port: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The program's main configuration file."""
        return self.folder / "etc" / "config.toml"

    @property
    def state(self) -> Path:
        """The program's state directory."""
        return self.folder / "state"

    @property
    def common(self) -> dict[str, Any]:
        """Where things are on this host: for `module_defaults`."""
        return {"config": str(self.config), "state_dir": str(self.state), "executable": str(PROGRAM)}

    def task(self, **options: Any) -> dict[str, Any]:
        """A task of the module `certificate`."""
        return {"name": "Certificate", CERTIFICATE: options}

    def play(self, *tasks: dict[str, Any], flags: str = "") -> Played:
        """Run these tasks here."""
        return self.ansible.play(
            self.folder, *tasks, flags=flags, module_defaults={"group/jprs_client.certificates.all": self.common}
        )

    def whole(self, *usages: Any, **more: Any) -> dict[str, Any]:
        """The one task from nothing to a served certificate."""
        return self.task(
            usage_fqdns=list(usages), settings=self.settings, install=["nginx"] if self.nginx else [],
            eab_key_id=self.eab["key_id"], eab_hmac_key=self.eab["hmac_key"],
            **{"agree_terms": True, "consent_ct": True, "start_usage": True} | more,
        )  # fmt: skip

    def everything(self) -> dict[str, str]:
        """Every file of the host: a digest of each, to see that nothing changed."""
        roots = [self.folder / name for name in ("etc", "state", "nginx")]
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for root in roots
            for path in root.rglob("*")
            if path.is_file() and path.suffix not in {".log", ".pid"}
        }

    def served(self, name: str) -> x509.Certificate:
        """What a visitor gets."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name) as tls,
        ):
            der = tls.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der)

    def serves(self, name: str) -> tuple[str, list[str]]:
        """Serial and names of what a visitor gets."""
        found = self.served(name)
        return serial_of(found), names_of(found)

    def revocation(self, serial: str) -> tuple[str, int | None]:
        """What the CA says of a serial: its status, and the reason code."""
        found = self.world.ca.get(f"/cert-status-by-serial/{serial}")
        return found["Status"], found.get("Reason")


@contextmanager
def host(
    world: World, ansible: Ansible, folder: Path, *usages: tuple[str, str], server_names: str = ""
) -> Iterator[Host]:
    """A host whose operator has applied for `usages`; nginx serves `server_names` already, with a makeshift."""
    folder.mkdir(exist_ok=True)
    _, eab = world.ca.subscriber("Example", usages)
    settings: dict[str, Any] = {
        "ca": {"directory": world.ca.directory, "trust": str(world.ca.trust)},
        "dns": {"resolvers": [world.ca.dns]},
        "account": {"contact": ["admin@example.jp"]},
        "solver": {"web": {"plugin": "standalone", "listen": world.listen}},
    }
    if not server_names:
        yield Host(world, ansible, folder, eab, settings=settings)
        return
    nginx = NginxServer(folder / "nginx")
    nginx.folder.mkdir()
    _, certificate, key = write_https_certificate(nginx.folder)
    port = new_port()
    nginx.write(
        f"server {{ listen 127.0.0.1:{port} ssl; server_name {server_names};\n"
        f"ssl_certificate {certificate}; ssl_certificate_key {key}; }}"
    )
    key.chmod(0o600)
    settings["installer"] = {
        "nginx": {
            "plugin": "nginx", "config": str(nginx.config), "binary": nginx.binary, "prefix": str(nginx.folder),
            "reload": list(nginx.reload_command),
        }
    }  # fmt: skip
    nginx.start()
    try:
        yield Host(world, ansible, folder, eab, nginx, port, settings)
    finally:
        nginx.stop()
