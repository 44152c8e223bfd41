"""A small CA, a state directory and a deployer, for tests of installing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jprs_client import keys
from jprs_client.clock import SystemClock
from jprs_client.install import Deployer, Limits, Look
from jprs_client.keys import KeyType
from jprs_client.observe.served import served_fingerprint
from jprs_client.plugin import Deployment, FileChange, Installer, Material, Options, Probe, Site
from jprs_client.store.versions import Versions
from jprs_plugins.nginx import Nginx
from tests.nginx_server import NginxServer

NOW = datetime.now(UTC).replace(microsecond=0)  # real servers look at the real date


@cache
def ca_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def ca_name(name: str = "Test CA") -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@cache
def ca_certificate() -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(ca_name())
        .issuer_name(ca_name())
        .public_key(ca_key().public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(NOW + timedelta(days=400))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca_key(), hashes.SHA256())
    )


def issued(
    *names: str,
    key_type: KeyType = KeyType.ECDSA_P256,
    issued_at: datetime = NOW - timedelta(hours=1),
    lifetime: timedelta = timedelta(days=90),
) -> Material:
    """A certificate for `names`, its CA's certificate above it, and its key."""
    key_pem = keys.generate(key_type)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ca_name())
        .public_key(keys.load(key_pem).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issued_at)
        .not_valid_after(issued_at + lifetime)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(ca_key(), hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    return Material(leaf.public_bytes(encoding), ca_certificate().public_bytes(encoding), key_pem)


def fingerprint(pem: bytes) -> str:
    """As probes see it."""
    leaf = x509.load_pem_x509_certificate(pem)
    return hashlib.sha256(leaf.public_bytes(serialization.Encoding.DER)).hexdigest()


def belong_together(certificate: bytes, key: bytes) -> bool:
    return keys.load(key).public_key() == x509.load_pem_x509_certificate(certificate).public_key()


class World:
    """A state directory under `folder`, and how to deploy from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions = Versions(folder / "state")
        self.aside = folder / "state" / "aside"

    def add(self, lineage: str, material: Material) -> int:
        """A new version, as issuance makes it, short of `live/`."""
        version = self.versions.next_version(lineage)
        self.versions.add(lineage, version, material)
        return version

    def issue(self, lineage: str, material: Material) -> int:
        """A new version, with `live/` leading to it, as issuance leaves it."""
        version = self.add(lineage, material)
        self.versions.switch(lineage, version)
        return version

    def live(self, lineage: str) -> Path:
        return self.versions.live(lineage)

    def deployer(
        self,
        installers: Mapping[str, Callable[[], Installer]],
        *,
        look: Look = served_fingerprint,
        versions: Versions | None = None,
        limits: Limits | None = None,
    ) -> Deployer:
        return Deployer(
            installers, versions or self.versions, look, SystemClock(), self.aside, limits or Limits(served=5.0)
        )

    def nginx(
        self, server: NginxServer, *, reload: tuple[str, ...] | None = None, limits: Limits | None = None
    ) -> Deployer:
        """A deployer whose target "web" is that nginx."""
        settings = {
            "config": server.config,
            "binary": server.binary,
            "prefix": server.folder,
            "reload": list(reload or server.reload_command),
        }
        return self.deployer({"web": lambda: Nginx(settings)}, limits=limits)


class PlainServer:
    """A server made of two files and of `cp`: what it "serves" is what its last reload copied."""

    options: ClassVar[Options] = {}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / "site.pem"
        self.key = folder / "site.key"
        self.memory = folder / "memory.pem"
        self.check: tuple[str, ...] = ("true",)
        self.reload: tuple[str, ...] = ("cp", str(self.certificate), str(self.memory))
        self.probes: tuple[Probe, ...] = (Probe("127.0.0.1", 443, "example.jp"),)

    def install(self, material: Material) -> None:
        """As somebody set it up by hand."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate.write_bytes(material.fullchain_pem)
        self.key.write_bytes(material.private_key_pem)
        self.key.chmod(0o600)
        self.memory.write_bytes(material.fullchain_pem)

    def look(self, probe: Probe, timeout: float) -> str:
        """What is served."""
        return fingerprint(self.memory.read_bytes())

    def deployment(self, site: Site, material: Material, /) -> Deployment:
        files = (
            FileChange(self.certificate, material.fullchain_pem),
            FileChange(self.key, material.private_key_pem),
        )
        return Deployment(files, self.check, self.reload, self.probes)

    def make(self) -> Installer:
        return _Of(self)


class _Of:
    """An installer is made of settings; this one is made of the server."""

    options: ClassVar[Options] = {}

    def __init__(self, server: object, /) -> None:
        assert isinstance(server, PlainServer)
        self._server = server

    def deployment(self, site: Site, material: Material, /) -> Deployment:
        return self._server.deployment(site, material)


def snapshot(folder: Path) -> dict[str, tuple[bytes, int, int, int]]:
    """Every file below `folder`: content, mode, owner, group."""
    return {
        str(path.relative_to(folder)): (
            path.read_bytes(),
            path.lstat().st_mode,
            path.lstat().st_uid,
            path.lstat().st_gid,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
