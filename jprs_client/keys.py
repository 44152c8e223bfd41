"""Key pairs and certificate signing requests. A private key is PEM bytes here and never anything printable.

`cryptography` is imported where it is used: deciding that nothing is due needs no key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey


class KeyType(Enum):
    """The kinds of key the CA signs, as the configuration spells them."""

    ECDSA_P256 = "ecdsa-p256"
    ECDSA_P384 = "ecdsa-p384"
    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"


def generate(key_type: KeyType) -> bytes:
    """A new private key as unencrypted PKCS #8 PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key: PrivateKey
    if key_type is KeyType.ECDSA_P256:
        key = ec.generate_private_key(ec.SECP256R1())
    elif key_type is KeyType.ECDSA_P384:
        key = ec.generate_private_key(ec.SECP384R1())
    else:
        key = rsa.generate_private_key(65537, int(key_type.value.removeprefix("rsa-")))
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load(private_key_pem: bytes) -> PrivateKey:
    """The key in `private_key_pem`; ValueError when there is none that we use."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = serialization.load_pem_private_key(private_key_pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("neither an RSA nor an ECDSA key")  # noqa: TRY004 - the caller's data, not its type
    return key


def spki_sha256(private_key_pem: bytes) -> str:
    """SHA-256 of the SubjectPublicKeyInfo, lower-case hex: what certificates that share a key have in common."""
    import hashlib

    from cryptography.hazmat.primitives import serialization

    der = (
        load(private_key_pem)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return hashlib.sha256(der).hexdigest()


def spki_sha256_in(content: bytes) -> str:
    """The same of whatever file has a key in it: a private key, a certificate, a request or a public key, PEM or DER.

    Raises TypeError for a private key that a passphrase locks, ValueError where there is none.
    """
    import hashlib

    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    readers: tuple[Callable[[bytes], PublicKeyTypes], ...]
    if b"-----BEGIN" in content:
        content = content[content.index(b"-----BEGIN") :]  # a mail that reports the find may stand before it
        readers = (
            lambda pem: serialization.load_pem_private_key(pem, None).public_key(),
            lambda pem: x509.load_pem_x509_certificate(pem).public_key(),
            lambda pem: x509.load_pem_x509_csr(pem).public_key(),
            serialization.load_pem_public_key,
        )
    else:
        readers = (
            lambda der: serialization.load_der_private_key(der, None).public_key(),
            lambda der: x509.load_der_x509_certificate(der).public_key(),
            lambda der: x509.load_der_x509_csr(der).public_key(),
            serialization.load_der_public_key,
        )
    for read in readers:
        try:
            key = read(content)
        except ValueError:
            continue
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()
    raise ValueError("no key in it")


def csr_der(private_key_pem: bytes, names: Iterable[str]) -> bytes:
    """A request for exactly `names` (A-labels) and nothing else: no subject, one SAN extension (RFC 8555 §7.4)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in sorted(names)]), critical=False)
    )
    return request.sign(load(private_key_pem), hashes.SHA256()).public_bytes(serialization.Encoding.DER)
