"""What a certificate says that is to be served, or that stands in a file already."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from jprs_client.errors import harmless
from jprs_client.plugin import Material

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["Facts", "Unfit", "facts_in", "leaf_in"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a leaf: its DNS names in lower case, the SHA-256 of its DER, and how long it is valid."""

    names: frozenset[str]
    fingerprint: str
    not_before: datetime
    not_after: datetime
    self_signed: bool


class Unfit(Exception):
    """The material cannot be served: an InstallFailed code without the places that only the caller knows."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def facts_in(material: Material, now: datetime | None) -> Facts:
    """What the leaf says, the pair and chain being right, and at `now` (None: whenever) not expired; else Unfit."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    from jprs_client import keys

    try:
        leaf = x509.load_pem_x509_certificate(material.cert_pem)
        chain = x509.load_pem_x509_certificates(material.chain_pem) if material.chain_pem.strip() else []
        facts = _facts_of(leaf)
    except ValueError as error:
        raise Unfit("material-unreadable", harmless(error)) from error
    try:
        if keys.load(material.private_key_pem).public_key() != leaf.public_key():
            raise Unfit("material-key-mismatch", facts.fingerprint)
    except (ValueError, TypeError) as error:
        raise Unfit("material-key-unreadable", "not a private key that we use") from error
    below = leaf
    for issuer in chain:
        try:
            below.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise Unfit("material-chain-broken", harmless(issuer.subject.rfc4514_string())) from error
        below = issuer
    if now is not None and facts.not_after <= now:
        raise Unfit("material-expired", facts.not_after.isoformat())
    return facts


def _facts_of(leaf: x509.Certificate) -> Facts:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = frozenset(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        names = frozenset()
    return Facts(
        names=names,
        fingerprint=hashlib.sha256(leaf.public_bytes(serialization.Encoding.DER)).hexdigest(),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        self_signed=leaf.issuer == leaf.subject,
    )


def leaf_in(content: bytes) -> Facts | None:
    """The first certificate in a file that somebody else wrote; None when there is none to be read."""
    from cryptography import x509

    begin = content.find(b"-----BEGIN CERTIFICATE-----")
    if begin < 0:
        return None
    try:
        return _facts_of(x509.load_pem_x509_certificate(content[begin:]))
    except ValueError:
        return None
