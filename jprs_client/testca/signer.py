"""Keys and certificates of the CA: root, intermediate, leaves, CRL, and the HTTPS certificate of its own doors."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from jprs_client.testca.jose import encode
from jprs_client.testca.orders import Certificate
from jprs_client.testca.problems import Problem
from jprs_client.testca.validity import not_after

WARNING = "TEST - DO NOT TRUST"
ORGANIZATION = f"jprs-client test CA ({WARNING})"
#: Whatever the clock says, the CA's own certificates are valid.
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC) - timedelta(seconds=1)
#: CA/Browser Forum: domain validated.
DOMAIN_VALIDATED = x509.ObjectIdentifier("2.23.140.1.2.1")
CRL_LIFE = timedelta(days=7)

_REASON_FLAGS = {
    1: x509.ReasonFlags.key_compromise,
    2: x509.ReasonFlags.ca_compromise,
    3: x509.ReasonFlags.affiliation_changed,
    4: x509.ReasonFlags.superseded,
    5: x509.ReasonFlags.cessation_of_operation,
    6: x509.ReasonFlags.certificate_hold,
    9: x509.ReasonFlags.privilege_withdrawn,
    10: x509.ReasonFlags.aa_compromise,
}


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*flags: str) -> x509.KeyUsage:
    known = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{flag: flag in flags for flag in known})


def _new_serial() -> int:
    """Positive, 16 octets, 126 of its bits at random (Baseline Requirements 7.1: 64 at least)."""
    return secrets.randbits(126) | 1 << 126


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """A certificate that signs others, and its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def root(cls, common_name: str) -> CertificateAuthority:
        """A self-signed one."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(common_name)
        builder = _ca_builder(subject, subject, key.public_key(), None)
        return cls(key, builder.sign(key, hashes.SHA256()))

    def intermediate(self, common_name: str) -> CertificateAuthority:
        """One below this one, for leaves only."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _ca_builder(_name(common_name), self.certificate.subject, key.public_key(), 0)
            .add_extension(self.authority_key_identifier, critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.CertificatePolicies([x509.PolicyInformation(DOMAIN_VALIDATED, None)]), critical=False)
        )
        return CertificateAuthority(key, builder.sign(self.key, hashes.SHA256()))

    @property
    def key_identifier(self) -> bytes:
        """The subject key identifier's octets."""
        return self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest

    @property
    def authority_key_identifier(self) -> x509.AuthorityKeyIdentifier:
        """What a certificate signed by it says about it."""
        return x509.AuthorityKeyIdentifier(self.key_identifier, None, None)

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.DER)


def _ca_builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, path_length: int | None
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(_new_serial())
        .not_valid_before(FIRST)
        .not_valid_after(LAST)
        .add_extension(x509.BasicConstraints(True, path_length), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


@dataclass(frozen=True, slots=True)
class Request:
    """What a CSR asks for, once it has been found good."""

    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    names: frozenset[str]

    @property
    def spki(self) -> bytes:
        """The key as a SubjectPublicKeyInfo."""
        return _spki(self.key)


def _spki(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _bad_csr(detail: str) -> Problem:
    return Problem("badCSR", detail)


def read_csr(der: bytes) -> Request:
    """The key and names of a CSR. Raises Problem badCSR for anything that is not to be signed (RFC 8555 §7.4)."""
    try:
        csr = x509.load_der_x509_csr(der)
        signed = csr.is_signature_valid
        digest = csr.signature_hash_algorithm
        key = csr.public_key()
        attributes = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        extensions = csr.extensions
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        InvalidSignature,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        x509.InvalidVersion,
    ) as error:
        raise _bad_csr(f"the CSR cannot be read: {error!s:.200}") from error
    if not signed:
        raise _bad_csr("the CSR is not signed by its own key")
    if not isinstance(digest, hashes.SHA256 | hashes.SHA384 | hashes.SHA512):
        raise _bad_csr("the CSR is to be signed with SHA-256, SHA-384 or SHA-512")
    names = {str(attribute.value).lower() for attribute in attributes}
    for extension in extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            if not all(isinstance(general, x509.DNSName) for general in extension.value):
                raise _bad_csr("the CSR asks for alternative names that are no DNS names")
            names |= {str(general.value).lower() for general in extension.value}
        if isinstance(extension.value, x509.BasicConstraints) and extension.value.ca:
            raise _bad_csr("the CSR asks for a CA certificate")
    return Request(_good_key(key), frozenset(names))


def _good_key(key: object) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    if isinstance(key, rsa.RSAPublicKey):
        if not 2048 <= key.key_size <= 8192 or key.key_size % 8:
            raise _bad_csr(f"RSA keys have 2048 to 8192 bits, not {key.key_size}")
        if key.public_numbers().e < 65537 or key.public_numbers().e % 2 == 0:
            raise _bad_csr("an RSA key's exponent is odd and 65537 at least")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
            raise _bad_csr(f"keys are on P-256 or P-384, not on {key.curve.name}")
        return key
    raise _bad_csr("keys are RSA, or ECDSA on P-256 or P-384")


class Pki:
    """Root and intermediate, and what they sign. `base` is where CRL and issuers are, once the port is known."""

    def __init__(self, base: str = "http://127.0.0.1:4002") -> None:
        self.base = base
        mark = secrets.token_hex(3)  # so that two runs' certificates are told apart
        self.roots = [CertificateAuthority.root(f"Test Root {mark} ({WARNING})")]
        self.intermediates = [self.roots[0].intermediate(f"Test Intermediate E1 {mark} ({WARNING})")]
        self._crl_number = 0

    @property
    def issuer(self) -> CertificateAuthority:
        """The intermediate that signs now."""
        return self.intermediates[0]

    def issue(self, request: Request, names: Sequence[str], account: str, now: datetime) -> Certificate:
        """A certificate for `names`, valid from `now` as ご利用条件 第3条 says."""
        not_before = now.astimezone(UTC).replace(microsecond=0)
        until = not_after(not_before)
        serial = _new_serial()
        common = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names[:1] if len(name) <= 64]
        flags = ("digital_signature", "key_encipherment") if isinstance(request.key, rsa.RSAPublicKey) else None
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(common))
            .issuer_name(self.issuer.certificate.subject)
            .public_key(request.key)
            .serial_number(serial)
            .not_valid_before(not_before)
            .not_valid_after(until)
            .add_extension(_usage(*(flags or ("digital_signature",))), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(request.key), critical=False)
            .add_extension(self.issuer.authority_key_identifier, critical=False)
            .add_extension(self._access(), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=not common)
            .add_extension(x509.CertificatePolicies([x509.PolicyInformation(DOMAIN_VALIDATED, None)]), critical=False)
            .add_extension(self._distribution(), critical=False)
        )
        certificate = builder.sign(self.issuer.key, hashes.SHA256())
        return Certificate(
            serial,
            account,
            tuple(names),
            not_before,
            until,
            certificate.public_bytes(serialization.Encoding.DER),
            0,
            request.spki,
            ari_id(self.issuer.key_identifier, serial),
        )

    def _access(self) -> x509.AuthorityInformationAccess:
        issuer = x509.UniformResourceIdentifier(f"{self.base}/issuers/0.cer")
        return x509.AuthorityInformationAccess(
            [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, issuer)]
        )

    def _distribution(self) -> x509.CRLDistributionPoints:
        where = x509.UniformResourceIdentifier(f"{self.base}/crl/0.crl")
        return x509.CRLDistributionPoints([x509.DistributionPoint([where], None, None, None)])

    def chain_pem(self, certificate: Certificate) -> str:
        """Leaf and intermediate (RFC 8555 §9.1)."""
        return leaf_pem(certificate) + self.intermediates[certificate.issuer].pem

    def crl(self, certificates: Iterable[Certificate], now: datetime) -> bytes:
        """The CRL as of `now`, DER. 第11条2項の2: reason 0 is not written into it."""
        self._crl_number += 1
        moment = now.replace(microsecond=0)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.issuer.certificate.subject)
            .last_update(moment)
            .next_update(moment + CRL_LIFE)
            .add_extension(self.issuer.authority_key_identifier, critical=False)
            .add_extension(x509.CRLNumber(self._crl_number), critical=False)
        )
        for certificate in certificates:
            if certificate.revocation is not None:
                builder = builder.add_revoked_certificate(_entry(certificate))
        return builder.sign(self.issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _entry(certificate: Certificate) -> x509.RevokedCertificate:
    revocation = certificate.revocation
    if revocation is None:
        raise ValueError(f"{certificate.serial_hex} is not revoked")
    builder = x509.RevokedCertificateBuilder().serial_number(certificate.serial).revocation_date(revocation.at)
    if revocation.reason in _REASON_FLAGS:
        builder = builder.add_extension(x509.CRLReason(_REASON_FLAGS[revocation.reason]), critical=False)
    return builder.build()


def leaf_pem(certificate: Certificate) -> str:
    """One certificate as PEM."""
    loaded = x509.load_der_x509_certificate(certificate.der)
    return loaded.public_bytes(serialization.Encoding.PEM).decode("ascii")


def ari_id(key_identifier: bytes, serial: int) -> str:
    """A certificate's name in RFC 9773 §4.1: key identifier of the issuer, and the serial's DER octets."""
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    return f"{encode(key_identifier)}.{encode(octets)}"


def fingerprint(spki: bytes) -> str:
    """SHA-256, lower-case hex."""
    return hashlib.sha256(spki).hexdigest()


@dataclass(frozen=True, slots=True)
class HttpsCertificate:
    """What the CA's own doors show: key and chain in PEM, and the root to trust."""

    key_pem: bytes
    chain_pem: bytes
    trust_pem: bytes


def https_certificate(
    names: Sequence[str] = ("localhost",), addresses: Sequence[str] = ("127.0.0.1", "::1")
) -> HttpsCertificate:
    """A certificate of a root of its own, valid from 2020 to 2050."""
    root = CertificateAuthority.root(f"Test HTTPS Root ({WARNING})")
    key = ec.generate_private_key(ec.SECP256R1())
    general = [x509.DNSName(name) for name in names]
    general_addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(f"Test HTTPS ({WARNING})"))
        .issuer_name(root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(_new_serial())
        .not_valid_before(FIRST)
        .not_valid_after(LAST)
        .add_extension(x509.SubjectAlternativeName([*general, *general_addresses]), critical=False)
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(root.authority_key_identifier, critical=False)
    )
    certificate = builder.sign(root.key, hashes.SHA256())
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return HttpsCertificate(key_pem, certificate.public_bytes(serialization.Encoding.PEM), root.pem.encode("ascii"))
