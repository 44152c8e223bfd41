"""Certificates of a private CA, each as wrong as a test wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from jprs_client import keys

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

Change = Callable[[x509.CertificateBuilder], x509.CertificateBuilder]


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@dataclass(frozen=True)
class Issuer:
    """A CA's certificate and key."""

    certificate: x509.Certificate
    key: Any


def issuer(
    common_name: str,
    above: Issuer | None = None,
    *,
    ca: bool = True,
    key: Any = None,
    not_after: datetime = NOW + timedelta(days=3650),
) -> Issuer:
    """A certificate that may issue others, signed by `above` or by itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named(common_name))
        .issuer_name(above.certificate.subject if above else named(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=3650))
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(above.key if above else key, hashes.SHA256())
    )
    return Issuer(certificate, key)


ROOT = issuer("Test root")
INTERMEDIATE = issuer("Test intermediate", ROOT)
KEY_PEM = keys.generate(keys.KeyType.ECDSA_P256)
KEY = keys.load(KEY_PEM)
SPKI = keys.spki_sha256(KEY_PEM)


@dataclass(frozen=True)
class Chain:
    """A leaf and what is sent with it."""

    leaf: x509.Certificate
    above: tuple[x509.Certificate, ...]

    @property
    def sent(self) -> tuple[x509.Certificate, ...]:
        return (self.leaf, *self.above)

    @property
    def der(self) -> list[bytes]:
        return [certificate.public_bytes(serialization.Encoding.DER) for certificate in self.sent]


def made_chain(
    names: Iterable[str] = ("example.jp",),
    *,
    by: Issuer = INTERMEDIATE,
    above: tuple[Issuer, ...] | None = None,
    public_key: Any = None,
    not_before: datetime = NOW - timedelta(hours=1),
    lifetime: timedelta = timedelta(days=90),
    usages: Iterable[x509.ObjectIdentifier] | None = (ExtendedKeyUsageOID.SERVER_AUTH,),
    ca: bool = False,
    san: Iterable[x509.GeneralName] | None = None,
    change: Change = lambda builder: builder,
    serial: int | None = None,
    common_name: str | None = None,
) -> Chain:
    """A leaf for `names`, as ordered unless told otherwise; `above` is what is sent with it (default: its issuer)."""
    entries = list(san) if san is not None else [x509.DNSName(name) for name in sorted(names)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(common_name) if common_name else x509.Name([]))
        .issuer_name(by.certificate.subject)
        .public_key(public_key or KEY.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_before + lifetime)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)
    )
    if entries:
        builder = builder.add_extension(x509.SubjectAlternativeName(entries), critical=False)
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
    leaf = change(builder).sign(by.key, hashes.SHA256())
    sent = above if above is not None else (by,)
    return Chain(leaf, tuple(entry.certificate for entry in sent))


def rsa_1024() -> rsa.RSAPrivateKey:
    """A key that is too small."""
    return rsa.generate_private_key(65537, 1024)  # noqa: S505 - small on purpose
