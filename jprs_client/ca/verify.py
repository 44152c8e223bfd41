"""Whether the certificate that came is the one that was ordered, before anything of it is kept (FAULTS G).

Nothing here asks anybody: the facts are the certificates, the key, the names and the time.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from jprs_client.ca.answers import differing
from jprs_client.ca.pem import certificates, to_pem
from jprs_client.ca.renewal_info import ari_cert_id
from jprs_client.errors import BadAnswer, Value, harmless

#: A certificate may start this much later than our clock says it is.
TOLERANCE = timedelta(minutes=5)

SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=400)

#: Extensions whose meaning we know; any other critical one would be refused by browsers, too (RFC 5280 §4.2).
_KNOWN = frozenset(
    {
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
    }
)


@dataclass(frozen=True, slots=True)
class Verified:
    """A certificate that may be kept. PEM is encoded anew; `chain_pem` is the way up without the root.

    `serial` is lower-case hex without leading zeros; `fingerprint` and `spki_sha256` are SHA-256 in lower-case hex;
    `warnings` are codes and parameters of `note.CODE`.
    """

    cert_pem: bytes
    chain_pem: bytes
    serial: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    spki_sha256: str
    fingerprint: str
    issuer: str
    ari_id: str | None
    sct_count: int
    warnings: tuple[tuple[str, dict[str, Value]], ...] = ()

    @property
    def fullchain_pem(self) -> bytes:
        """Leaf first, then the chain."""
        return self.cert_pem + self.chain_pem


def verify_chain(
    chain_der: Sequence[bytes],
    *,
    key_spki_sha256: str,
    names: frozenset[str],
    now: datetime,
    require_scts: bool,
) -> Verified:
    """What is worth keeping of `chain_der`; BadAnswer, with a code for each reason, when nothing is.

    The order of the certificates does not matter; duplicates and a self-signed root are left out. A leaf that comes
    alone is taken (with a note) from a CA that need not log to Certificate Transparency, since a private or test CA
    may sign with its root; a public one never does (CA/Browser Forum BR 6.1.7), so there its issuer is missing.
    """
    given = _loaded(chain_der)
    warnings: list[tuple[str, dict[str, Value]]] = []
    leaf = _leaf(given, key_spki_sha256)
    if given[0] != leaf:
        warnings.append(("chain-reordered", {}))
    _check_names(leaf, names)
    _check_dates(leaf, now)
    _check_purpose(leaf)
    for certificate in given:
        if not _is_self_signed(certificate) or certificate == leaf:
            _check_strength(certificate)
    path, complete = _path(leaf, given, now)
    if not path and not complete:
        if require_scts:
            raise BadAnswer("chain-incomplete", issuer=_name(leaf.issuer))
        warnings.append(("chain-alone", {"issuer": _name(leaf.issuer)}))
    scts = _sct_count(leaf)
    if scts == 0:
        if require_scts:
            raise BadAnswer("certificate-without-scts")
        warnings.append(("certificate-without-scts", {}))
    if _has(leaf, ExtensionOID.TLS_FEATURE):
        warnings.append(("certificate-must-staple", {}))
    return _facts(leaf, path, tuple(warnings))


def read_chain(cert_pem: bytes, chain_pem: bytes) -> Verified:
    """The same facts about a certificate that was verified when it was kept; its dates may be over by now.

    BadAnswer when there is anything but certificates in it.
    """
    leaf, *path = _loaded((*certificates(cert_pem), *(certificates(chain_pem) if chain_pem.strip() else ())))
    return _facts(leaf, path, ())


def _facts(
    leaf: x509.Certificate, path: Sequence[x509.Certificate], warnings: tuple[tuple[str, dict[str, Value]], ...]
) -> Verified:
    leaf_der = leaf.public_bytes(serialization.Encoding.DER)
    return Verified(
        cert_pem=to_pem(leaf_der),
        chain_pem=b"".join(to_pem(above.public_bytes(serialization.Encoding.DER)) for above in path),
        serial=f"{leaf.serial_number:x}",
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        names=tuple(sorted(_names(leaf))),
        spki_sha256=_spki_sha256(leaf),
        fingerprint=hashlib.sha256(leaf_der).hexdigest(),
        issuer=_name(leaf.issuer),
        ari_id=ari_cert_id(leaf_der),
        sct_count=_sct_count(leaf),
        warnings=warnings,
    )


def _loaded(chain_der: Sequence[bytes]) -> list[x509.Certificate]:
    if not chain_der:
        raise BadAnswer("chain-empty")
    found: list[x509.Certificate] = []
    for der in dict.fromkeys(chain_der):
        try:
            certificate = x509.load_der_x509_certificate(der)
            # Parsed on demand: now, so that what cannot be parsed shows here and nowhere later.
            certificate.extensions, certificate.issuer, certificate.subject  # noqa: B018
            certificate.public_key()
            certificate.not_valid_before_utc, certificate.not_valid_after_utc  # noqa: B018
        except Exception as error:
            raise BadAnswer("certificate-unreadable", detail=harmless(error, 200)) from error
        if certificate.serial_number <= 0 or certificate.public_bytes(serialization.Encoding.DER) != der:
            raise BadAnswer("certificate-unreadable", detail="serial number" if len(found) == 0 else "encoding")
        found.append(certificate)
    return found


def _spki_sha256(certificate: x509.Certificate) -> str:
    der = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


def _leaf(given: Sequence[x509.Certificate], key_spki_sha256: str) -> x509.Certificate:
    found = [certificate for certificate in given if _spki_sha256(certificate) == key_spki_sha256]
    if not found:
        raise BadAnswer("certificate-other-key", expected=key_spki_sha256[:16], found=_spki_sha256(given[0])[:16])
    if len(found) > 1:
        raise BadAnswer("chain-foreign", subject=_name(found[1].subject))
    return found[0]


def _name(name: x509.Name) -> str:
    return harmless(name.rfc4514_string(), 300)


def _has(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> bool:
    return any(extension.oid == oid for extension in certificate.extensions)


def _names(leaf: x509.Certificate) -> frozenset[str]:
    """What stands in the subjectAltName; a common name counts for nothing (RFC 6125 §6.4.4)."""
    try:
        entries = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(
        harmless(entry.value, 255).lower() if isinstance(entry, x509.DNSName) else harmless(repr(entry), 255)
        for entry in entries
    )


def _check_names(leaf: x509.Certificate, names: frozenset[str]) -> None:
    found = _names(leaf)
    if found != names:
        raise BadAnswer("certificate-other-names", **differing(found, names))


def _check_dates(leaf: x509.Certificate, now: datetime) -> None:
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    lifetime = end - start
    if not SHORTEST <= lifetime <= LONGEST:
        raise BadAnswer("certificate-lifetime", not_before=start, not_after=end)
    if end <= now:
        raise BadAnswer("certificate-expired", not_after=end)
    if start - now > TOLERANCE:
        raise BadAnswer("clock-skew", seconds=int((start - now).total_seconds()), not_before=start)


def _check_purpose(leaf: x509.Certificate) -> None:
    """A server's certificate and nothing more (TERMS C3)."""
    for extension in leaf.extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints) and value.ca:
            raise BadAnswer("certificate-is-ca")
        if isinstance(value, x509.KeyUsage):
            if value.key_cert_sign or value.crl_sign:
                raise BadAnswer("certificate-is-ca")
            if not (value.digital_signature or value.key_encipherment or value.key_agreement):
                raise BadAnswer("certificate-not-for-servers")
        if extension.critical and extension.oid not in _KNOWN:
            raise BadAnswer("certificate-critical-extension", oid=extension.oid.dotted_string)
    try:
        usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        raise BadAnswer("certificate-not-for-servers") from None
    if ExtendedKeyUsageOID.SERVER_AUTH not in usages:
        raise BadAnswer("certificate-not-for-servers")


def _check_strength(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        _weak(certificate, f"RSA {key.key_size}")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < 256:
        _weak(certificate, f"ECDSA {key.curve.name}")
    try:
        algorithm = certificate.signature_hash_algorithm
    except Exception as error:
        raise BadAnswer("certificate-unreadable", detail=harmless(error, 200)) from error
    if isinstance(algorithm, hashes.SHA1 | hashes.MD5):
        _weak(certificate, algorithm.name)


def _weak(certificate: x509.Certificate, algorithm: str) -> NoReturn:
    raise BadAnswer("certificate-weak", subject=_name(certificate.subject), algorithm=algorithm)


def _is_self_signed(certificate: x509.Certificate) -> bool:
    return certificate.issuer == certificate.subject and _issued(certificate, certificate)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    except Exception:  # noqa: BLE001 - an algorithm the library does not have proves nothing
        return False
    return True


def _path(
    leaf: x509.Certificate, given: Sequence[x509.Certificate], now: datetime
) -> tuple[list[x509.Certificate], bool]:
    """The way up from `leaf`, without it and without the root; and whether it ends at a root that was there.

    Each certificate is signed by the next. BadAnswer when one belongs to no place on the way.
    """
    rest = [certificate for certificate in given if certificate != leaf]
    path: list[x509.Certificate] = []
    current = leaf
    complete = False
    while True:
        above = [candidate for candidate in rest if _issued(current, candidate)]
        roots = [candidate for candidate in above if _is_self_signed(candidate)]
        crossed = [candidate for candidate in above if candidate not in roots]
        for root in roots:
            _check_issuer(root, now)
            rest.remove(root)
            complete = True
        if not crossed:
            break
        current = crossed[0]
        _check_issuer(current, now)
        path.append(current)
        rest.remove(current)
    if rest:
        raise BadAnswer("chain-foreign", subject=_name(rest[0].subject))
    return path, complete


def _check_issuer(certificate: x509.Certificate, now: datetime) -> None:
    """A CA's certificate that may sign, and is valid now (RFC 5280 §6.1.4)."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        may_sign = constraints.ca
    except x509.ExtensionNotFound:
        may_sign = False
    with contextlib.suppress(x509.ExtensionNotFound):  # without one, nothing is forbidden
        may_sign = may_sign and certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    if not may_sign:
        raise BadAnswer("chain-issuer-no-ca", subject=_name(certificate.subject))
    if not certificate.not_valid_before_utc - TOLERANCE <= now < certificate.not_valid_after_utc:
        raise BadAnswer(
            "chain-issuer-expired", subject=_name(certificate.subject), not_after=certificate.not_valid_after_utc
        )


def _sct_count(leaf: x509.Certificate) -> int:
    try:
        listed = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    except x509.ExtensionNotFound:
        return 0
    return len(list(listed))
