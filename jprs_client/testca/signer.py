"""Keys and certificates of the CA: roots, intermediates, leaves, CRLs, and the HTTPS certificate of its own doors."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from jprs_client.testca import der
from jprs_client.testca.ct import Issued, Log, precert_entry, with_scts
from jprs_client.testca.jose import encode
from jprs_client.testca.orders import Certificate, Revocation
from jprs_client.testca.problems import Problem
from jprs_client.testca.validity import not_after

WARNING = "TEST - DO NOT TRUST"
ORGANIZATION = f"jprs-client test CA ({WARNING})"
#: Whatever the clock says, the CA's own certificates are valid.
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC) - timedelta(seconds=1)
#: CA/Browser Forum: domain validated.
DOMAIN_VALIDATED = x509.ObjectIdentifier("2.23.140.1.2.1")
CRL_LIFE = timedelta(days=7)
KINDS = ("ecdsa", "rsa")
MODES = (*KINDS, "by-key")
#: What an intermediate is revoked for: its certificate is a CA's, so a reason is always given (Baseline Requirements
#: 7.2.2), and it is for good.
CA_REASONS = frozenset({1, 2, 3, 4, 5, 9})

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

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


_POLICIES = x509.CertificatePolicies([x509.PolicyInformation(DOMAIN_VALIDATED, None)])
_SERVER_AUTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
_NO_CA = x509.BasicConstraints(False, None)
_ECDSA_USAGE = _usage("digital_signature")
_RSA_USAGE = _usage("digital_signature", "key_encipherment")


def _new_serial() -> int:
    """Positive, 16 octets, 126 of its bits at random (Baseline Requirements 7.1: 64 at least)."""
    return secrets.randbits(126) | 1 << 126


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

#: AlgorithmIdentifier of each kind's signatures, with SHA-256 (RFC 5758 §3.2, RFC 4055 §5).
_ALGORITHMS = {
    "ecdsa": der.sequence(der.oid("1.2.840.10045.4.3.2")),
    "rsa": der.sequence(der.oid("1.2.840.113549.1.1.11"), der.tlv(der.NULL)),
}


class CertificateAuthority:
    """A name that signs, and its certificate. Key and certificate are made on first need: RSA takes its time.

    `kind` is "ecdsa" or "rsa". `certify` makes the certificate; None: it is a root and signs itself.
    """

    def __init__(
        self, common_name: str, kind: str = "ecdsa", certify: Callable[[PublicKey], x509.Certificate] | None = None
    ) -> None:
        self.kind = kind
        self.common_name = common_name
        self.subject = _name(common_name)
        self.signature_algorithm = _ALGORITHMS[kind]
        self._certify = certify or self._certify_itself

    @classmethod
    def root(cls, common_name: str, kind: str = "ecdsa") -> CertificateAuthority:
        """A self-signed one."""
        return cls(common_name, kind)

    def intermediate(self, common_name: str, kind: str = "ecdsa") -> CertificateAuthority:
        """One below this one, for leaves only, which tells no addresses."""
        subject = _name(common_name)
        return CertificateAuthority(common_name, kind, lambda key: self.certified(_intermediate(subject, key)))

    @cached_property
    def key(self) -> Key:
        """The private key."""
        if self.kind == "rsa":
            return rsa.generate_private_key(65537, 2048)
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def certificate(self) -> x509.Certificate:
        """Its certificate."""
        return self._certify(self.key.public_key())

    def _certify_itself(self, key: PublicKey) -> x509.Certificate:
        builder = _ca_builder(self.subject, key, None)
        return self.certified(builder.add_extension(self.authority_key_identifier, critical=False))

    def certified(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        """Issued by it."""
        return builder.issuer_name(self.subject).sign(self.key, hashes.SHA256())

    def sign(self, said: bytes) -> bytes:
        """A signature over `said`, by `signature_algorithm`."""
        key = self.key
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(said, padding.PKCS1v15(), hashes.SHA256())
        return key.sign(said, ec.ECDSA(hashes.SHA256()))

    @cached_property
    def spki(self) -> bytes:
        """The key as a SubjectPublicKeyInfo."""
        return _spki(self.key.public_key())

    @cached_property
    def key_hash(self) -> bytes:
        """SHA-256 of the SubjectPublicKeyInfo."""
        return hashlib.sha256(self.spki).digest()

    @cached_property
    def key_bits(self) -> bytes:
        """The octets of the SubjectPublicKeyInfo's BIT STRING."""
        reader = der.Reader(self.spki).inside(der.SEQUENCE)
        reader.element(der.SEQUENCE)
        return reader.content(der.BIT_STRING)[1:]

    @cached_property
    def key_identifier(self) -> bytes:
        """The subject key identifier's octets."""
        return x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()).digest

    @cached_property
    def authority_key_identifier(self) -> x509.AuthorityKeyIdentifier:
        """What a certificate signed by it says about it."""
        return x509.AuthorityKeyIdentifier(self.key_identifier, None, None)

    @cached_property
    def pem(self) -> str:
        """The certificate."""
        return _pem(self.certificate)

    @cached_property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.DER)


class Intermediate(CertificateAuthority):
    """One that signs leaves: below the first root, and for alternate chains below each of the others too."""

    def __init__(self, pki: Pki, index: int, kind: str, common_name: str) -> None:
        super().__init__(common_name, kind, lambda _key: self.under(0))
        self._pki = pki
        self._index = index
        self._under: dict[int, x509.Certificate] = {}
        self.revocation: Revocation | None = None

    def under(self, root: int) -> x509.Certificate:
        """Its certificate by that root."""
        if root not in self._under:
            signer, base = self._pki.roots[root], self._pki.base
            builder = _intermediate(self.subject, self.key.public_key())
            builder = (
                builder.add_extension(signer.authority_key_identifier, critical=False)
                .add_extension(_access(issuer=f"{base}/roots/{root}.cer"), critical=False)
                .add_extension(_distribution(f"{base}/root-crl/{root}.crl"), critical=False)
            )
            self._under[root] = signer.certified(builder)
        return self._under[root]

    @cached_property
    def responder(self) -> CertificateAuthority:
        """Who signs its OCSP answers (RFC 6960 §4.2.2.2)."""
        name = f"OCSP Responder {self._index} {self._pki.mark} ({WARNING})"
        subject = _name(name)

        def certify(key: PublicKey) -> x509.Certificate:
            builder = (
                _builder(subject, key)
                .not_valid_before(FIRST)
                .not_valid_after(LAST)
                .add_extension(self.authority_key_identifier, critical=False)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
                .add_extension(_usage("digital_signature"), critical=True)
                .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
                .add_extension(x509.OCSPNoCheck(), critical=False)
            )
            return self.certified(builder)

        return CertificateAuthority(name, self.kind, certify)

    @cached_property
    def chain_der(self) -> Sequence[bytes]:
        """Its certificate and the root's."""
        return self.der, self._pki.roots[0].der

    @cached_property
    def leaf_extensions(self) -> Sequence[x509.Extension[x509.ExtensionType]]:
        """What every leaf has that it signs: who signed, and where to look."""
        base, index = self._pki.base, self._index
        found: Sequence[x509.ExtensionType] = (
            self.authority_key_identifier,
            _access(f"{base}/ocsp/{index}", f"{base}/issuers/{index}.cer"),
            _distribution(f"{base}/crl/{index}.crl"),
        )
        return [x509.Extension(value.oid, False, value) for value in found]


def _builder(subject: x509.Name, key: PublicKey) -> x509.CertificateBuilder:
    return x509.CertificateBuilder().subject_name(subject).public_key(key).serial_number(_new_serial())


def _ca_builder(subject: x509.Name, key: PublicKey, path_length: int | None) -> x509.CertificateBuilder:
    return (
        _builder(subject, key)
        .not_valid_before(FIRST)
        .not_valid_after(LAST)
        .add_extension(x509.BasicConstraints(True, path_length), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _intermediate(subject: x509.Name, key: PublicKey) -> x509.CertificateBuilder:
    return (
        _ca_builder(subject, key, 0)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_POLICIES, critical=False)
    )


def _access(ocsp: str | None = None, issuer: str | None = None) -> x509.AuthorityInformationAccess:
    methods = ((AuthorityInformationAccessOID.OCSP, ocsp), (AuthorityInformationAccessOID.CA_ISSUERS, issuer))
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(method, x509.UniformResourceIdentifier(where)) for method, where in methods if where]
    )


def _distribution(where: str) -> x509.CRLDistributionPoints:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(where)], None, None, None)
    return x509.CRLDistributionPoints([point])


@dataclass(frozen=True, slots=True)
class Request:
    """What a CSR asks for, once it has been found good."""

    key: PublicKey
    names: frozenset[str]

    @property
    def spki(self) -> bytes:
        """The key as a SubjectPublicKeyInfo."""
        return _spki(self.key)


def _spki(key: PublicKey) -> bytes:
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
        why = _unwilling(extension)
        if why is not None:
            raise _bad_csr(why)
    return Request(_good_key(key), frozenset(names))


_FOR_SERVERS = frozenset({ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})


def _unwilling(extension: x509.Extension[x509.ExtensionType]) -> str | None:
    """Why a certificate cannot be as this part of a CSR asks; None where it can, or nobody is hurt (RFC 8555 §7.4)."""
    match extension.value:
        case x509.SubjectAlternativeName():
            return None
        case x509.BasicConstraints(ca=True):
            return "the CSR asks for a CA certificate"
        case x509.KeyUsage() as usage if usage.key_cert_sign or usage.crl_sign:
            return "the CSR asks for a key that signs certificates or CRLs"
        case x509.ExtendedKeyUsage() as usages if _FOR_SERVERS.isdisjoint(usages):
            return "the CSR asks for uses without serverAuth, the only one there is"
        case x509.TLSFeature():
            return "the CSR asks for a TLS feature (must-staple), which is not offered"
        case x509.NameConstraints():
            return "the CSR asks for name constraints, which only a CA certificate has"
        case x509.UnrecognizedExtension() if extension.critical:
            return f"the CSR asks for the critical extension {extension.oid.dotted_string:.60}, which nobody here knows"
        case _:
            return None


def _good_key(key: object) -> PublicKey:
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
    """Roots, intermediates, logs, and what they sign. `base` is where relying parties look, once the port is known.

    `roots[0]` (ECDSA) is above both intermediates, `roots[1]` (RSA) too, for alternate chains.
    """

    def __init__(self, base: str = "http://127.0.0.1:4002") -> None:
        self.base = base
        self.mark = secrets.token_hex(3)  # so that two runs' certificates are told apart
        self.roots = [
            CertificateAuthority.root(f"Test Root {self.mark} ({WARNING})"),
            CertificateAuthority.root(f"Test Root R {self.mark} ({WARNING})", "rsa"),
        ]
        self.intermediates: list[Intermediate] = []
        self.logs = [Log(f"Test Log {number} {self.mark} ({WARNING})") for number in range(2)]
        self.mode = "ecdsa"
        self._in_use: dict[str, int] = {}
        for kind in KINDS:
            self.new_intermediate(kind)
        self._strangers: dict[int, Intermediate] = {}
        self._crl_number = 0
        self._crls: dict[tuple[str, int], tuple[object, bytes]] = {}

    # who signs

    def use(self, mode: str) -> None:
        """Which intermediate signs: "ecdsa", "rsa", or "by-key", the kind of the CSR's key. Raises ValueError."""
        if mode not in MODES:
            raise ValueError(f"mode: {mode!r:.40} is none of {', '.join(MODES)}")
        self.mode = mode

    def new_intermediate(self, kind: str) -> int:
        """A fresh one of that kind signs from now on; its index. The older goes on with CRL and OCSP for its own.

        Raises ValueError.
        """
        if kind not in KINDS:
            raise ValueError(f"kind: {kind!r:.40} is none of {', '.join(KINDS)}")
        index = len(self.intermediates)
        generation = 1 + sum(each.kind == kind for each in self.intermediates)
        name = f"Test Intermediate {kind[0].upper()}{generation} {self.mark} ({WARNING})"
        self.intermediates.append(Intermediate(self, index, kind, name))
        self._in_use[kind] = index
        return index

    def revoke_intermediate(self, index: int, reason: int, now: datetime) -> None:
        """Put it into the CRLs of the roots. Raises ValueError where that cannot be."""
        if not 0 <= index < len(self.intermediates):
            raise ValueError(f"there are {len(self.intermediates)} intermediates")
        if reason not in CA_REASONS:
            raise ValueError(f"reason: one of {', '.join(str(code) for code in sorted(CA_REASONS))}")
        if self.intermediates[index].revocation is not None:
            raise ValueError(f"intermediate {index} is revoked already")
        self.intermediates[index].revocation = Revocation(now, reason)

    def issuer_for(self, key: PublicKey) -> int:
        """The index of the intermediate that signs a certificate for `key` now."""
        by_key = "rsa" if isinstance(key, rsa.RSAPublicKey) else "ecdsa"
        return self._in_use[by_key if self.mode == "by-key" else self.mode]

    @property
    def issuer(self) -> Intermediate:
        """The intermediate that signs now; where it depends on the key, that for ECDSA."""
        return self.intermediates[self._in_use["rsa" if self.mode == "rsa" else "ecdsa"]]

    # certificates

    def issue(
        self, request: Request, names: Sequence[str], account: str, now: datetime, lifetime: timedelta | None = None
    ) -> Certificate:
        """A certificate for `names`, valid from `now` as ご利用条件 第3条 says, or for `lifetime`.

        First there is a precertificate; each log promises to show it, and the promises are embedded (RFC 6962 §3.1).
        """
        not_before = now.astimezone(UTC).replace(microsecond=0)
        # RFC 5280 §4.1.2.5: both ends belong to it.
        until = not_after(not_before) if lifetime is None else not_before + lifetime - timedelta(seconds=1)
        index = self.issuer_for(request.key)
        issuer = self.intermediates[index]
        serial = _new_serial()
        precertificate = issuer.certified(_leaf_builder(request, names, serial, not_before, until, issuer))
        tbs = precertificate.tbs_certificate_bytes
        # The final certificate's octets are known only at the end; until then nobody can ask the logs.
        entry = Issued(b"", precertificate.signature, issuer)
        signed_entry = precert_entry(issuer.key_hash, tbs)
        tbs = with_scts(tbs, [log.add(entry, now, signed_entry).octets for log in self.logs])
        entry.certificate = der.sequence(tbs, issuer.signature_algorithm, der.bit_string(issuer.sign(tbs)))
        return Certificate(
            serial,
            account,
            tuple(names),
            not_before,
            until,
            entry.certificate,
            index,
            request.spki,
            ari_id(issuer.key_identifier, serial),
        )

    @property
    def alternates(self) -> int:
        """How many chains a certificate has beside the default one; known without making them."""
        return len(self.roots) - 1

    def chain(self, certificate: Certificate, number: int = 0) -> str:
        """Leaf and intermediate, PEM; 0 is the default, then come the alternates (RFC 8555 §7.4.2). IndexError."""
        if not 0 <= number < len(self.roots):
            raise IndexError(f"there are {len(self.roots)} chains")
        return leaf_pem(certificate) + _pem(self.intermediates[certificate.issuer].under(number))

    def chains(self, certificate: Certificate) -> list[str]:
        """All of them, the default first."""
        return [self.chain(certificate, number) for number in range(1 + self.alternates)]

    def chain_pem(self, certificate: Certificate) -> str:
        """Leaf and intermediate (RFC 8555 §9.1)."""
        return self.chain(certificate)

    # lists of what is revoked

    def crl(
        self,
        index: int,
        certificates: Iterable[Certificate],
        now: datetime,
        signer: CertificateAuthority | None = None,
    ) -> bytes:
        """An intermediate's CRL as of `now`, DER. 第11条2項の2: reason 0 is not written into it.

        One that has expired leaves it a CRL's life later (RFC 5280 §3.3: it stands in one issued after its end).
        `signer`: who signs, where that is not to be the intermediate.
        """
        revoked = [
            (each.serial, each.revocation)
            for each in certificates
            if each.issuer == index and each.revocation is not None and each.not_after + CRL_LIFE >= now
        ]
        return self._crl("crl", index, signer or self.intermediates[index], revoked, now)

    def stranger(self, index: int) -> Intermediate:
        """Somebody with an intermediate's name and another key: what he signs is forged."""
        real = self.intermediates[index]
        if index not in self._strangers:
            self._strangers[index] = Intermediate(self, index, real.kind, real.common_name)
        return self._strangers[index]

    def root_crl(self, index: int, now: datetime) -> bytes:
        """A root's CRL as of `now`, DER."""
        revoked = [
            (each.under(index).serial_number, each.revocation)
            for each in self.intermediates
            if each.revocation is not None
        ]
        return self._crl("root-crl", index, self.roots[index], revoked, now)

    def _crl(
        self,
        place: str,
        index: int,
        signer: CertificateAuthority,
        revoked: Sequence[tuple[int, Revocation]],
        now: datetime,
    ) -> bytes:
        moment = now.replace(microsecond=0)
        content, made = self._crls.get((place, index), (None, b""))
        if content == (moment, signer.key_hash, revoked):
            return made
        self._crl_number += 1
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(signer.subject)
            .last_update(moment)
            .next_update(moment + CRL_LIFE - timedelta(seconds=1))
            .add_extension(signer.authority_key_identifier, critical=False)
            .add_extension(x509.CRLNumber(self._crl_number), critical=False)
        )
        for serial, revocation in revoked:
            builder = builder.add_revoked_certificate(_entry(serial, revocation))
        made = builder.sign(signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        self._crls[place, index] = ((moment, signer.key_hash, revoked), made)
        return made


def _leaf_builder(
    request: Request,
    names: Sequence[str],
    serial: int,
    not_before: datetime,
    until: datetime,
    issuer: Intermediate,
) -> x509.CertificateBuilder:
    """A precertificate, unsigned."""
    common = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names[:1] if len(name) <= 64]
    usage = _RSA_USAGE if isinstance(request.key, rsa.RSAPublicKey) else _ECDSA_USAGE
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(common))
        .public_key(request.key)
        .serial_number(serial)
        .not_valid_before(not_before)
        .not_valid_after(until)
        .add_extension(usage, critical=True)
        .add_extension(_SERVER_AUTH, critical=False)
        .add_extension(_NO_CA, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(request.key), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=not common)
        .add_extension(_POLICIES, critical=False)
    )
    for extension in issuer.leaf_extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder.add_extension(x509.PrecertPoison(), critical=True)


def _entry(serial: int, revocation: Revocation) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(revocation.at)
    if revocation.reason in _REASON_FLAGS:
        builder = builder.add_extension(x509.CRLReason(_REASON_FLAGS[revocation.reason]), critical=False)
    return builder.build()


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def leaf_pem(certificate: Certificate) -> str:
    """One certificate as PEM."""
    return _pem(x509.load_der_x509_certificate(certificate.der))


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
    root: CertificateAuthority


def https_certificate(
    names: Sequence[str] = ("localhost",),
    addresses: Sequence[str] = ("127.0.0.1", "::1"),
    *,
    root: CertificateAuthority | None = None,
    valid: tuple[datetime, datetime] = (FIRST, LAST),
) -> HttpsCertificate:
    """A certificate of a root of its own, if none is given, valid from 2020 to 2050, if nothing else is said."""
    root = root or CertificateAuthority.root(f"Test HTTPS Root ({WARNING})")
    key = ec.generate_private_key(ec.SECP256R1())
    general = [x509.DNSName(name) for name in names]
    general_addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    builder = (
        _builder(_name(f"Test HTTPS ({WARNING})"), key.public_key())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.SubjectAlternativeName([*general, *general_addresses]), critical=False)
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(root.authority_key_identifier, critical=False)
    )
    certificate = root.certified(builder)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return HttpsCertificate(key_pem, pem, root.pem.encode("ascii"), root)
