"""Certificates that no client may install: made from the right one and its issuer's key, by kind (FAULTS G)."""

from __future__ import annotations

import base64
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

PEM_TYPE = "application/pem-certificate-chain"
#: Downloads that are remembered, so that asking twice gives the same.
_MOST_REMEMBERED = 200

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER
_SCTS = ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS
_NAMES = ExtensionOID.SUBJECT_ALTERNATIVE_NAME
_ELSE = "not-asked-for.example"
#: RFC 5280 §4.1.2.5: no well-defined end.
_FOR_EVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Right:
    """The right download: leaf and those above it, who signed the leaf, and who else is there."""

    chain: Sequence[x509.Certificate]
    key: SigningKey
    root: x509.Certificate
    others: Sequence[x509.Certificate] = ()

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate itself."""
        return self.chain[0]

    @property
    def names(self) -> list[str]:
        """What it is for."""
        found = self.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return found.get_values_for_type(x509.DNSName)


class Wrong:
    """Makes them, and remembers what it made."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, bytes], tuple[bytes, str]] = OrderedDict()

    def download(self, kind: str, right: Right) -> tuple[bytes, str]:
        """What is downloaded instead, and its content type; the same for the same certificate."""
        wanted = (kind, right.leaf.fingerprint(hashes.SHA256()))
        if wanted not in self._made:
            self._made[wanted] = _made(kind, right)
            if len(self._made) > _MOST_REMEMBERED:
                self._made.popitem(last=False)
        return self._made[wanted]


def _made(kind: str, right: Right) -> tuple[bytes, str]:
    if kind in _LEAVES:
        return pem([_LEAVES[kind](right), *right.chain[1:]]), PEM_TYPE
    if kind in _CHAINS:
        return pem(_CHAINS[kind](right)), PEM_TYPE
    made = _TEXTS[kind](right)
    return made if isinstance(made, tuple) else (made, PEM_TYPE)


def pem(chain: Sequence[x509.Certificate]) -> bytes:
    """As RFC 8555 §9.1 has it."""
    return b"".join(each.public_bytes(_PEM) for each in chain)


# another leaf


def _leaf(
    right: Right,
    *,
    key: Any = None,
    signer: SigningKey | None = None,
    validity: tuple[datetime, datetime] | None = None,
    subject: x509.Name | None = None,
    issuer: x509.Name | None = None,
    without: Sequence[x509.ObjectIdentifier] = (),
    put: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> x509.Certificate:
    """The leaf once more, but for what is said; `put` takes the place of extensions of its kind."""
    leaf = right.leaf
    before, after = validity or (leaf.not_valid_before_utc, leaf.not_valid_after_utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject if subject is None else subject)
        .issuer_name(issuer or leaf.issuer)
        .public_key(key or leaf.public_key())
        .serial_number(leaf.serial_number)
        .not_valid_before(before)
        .not_valid_after(after)
    )
    replaced = {value.oid for value, _ in put}
    for extension in leaf.extensions:
        if extension.oid not in replaced and extension.oid not in without:
            builder = builder.add_extension(extension.value, extension.critical)
    for value, critical in put:
        builder = builder.add_extension(value, critical)
    return builder.sign(signer or right.key, hashes.SHA256())


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _with_key(right: Right, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> x509.Certificate:
    return _leaf(right, key=key, put=[(x509.SubjectKeyIdentifier.from_public_key(key), False)])


def _common_name(*names: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names if len(name) <= 64])


def _for_names(right: Right, *names: str) -> x509.Certificate:
    if not names:  # the only one is missing
        return _leaf(right, subject=x509.Name([]), without=[_NAMES])
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    return _leaf(right, subject=_common_name(names[0]), put=[(alternative, False)])


def _valid(right: Right, start: timedelta, life: timedelta | None = None) -> x509.Certificate:
    before, after = right.leaf.not_valid_before_utc, right.leaf.not_valid_after_utc
    return _leaf(right, validity=(before + start, (before + start + life) if life else after + start))


def _self_signed(right: Right) -> x509.Certificate:
    key = _new_key()
    subject = _common_name(right.names[0])
    identifier = (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    return _leaf(
        right,
        key=key.public_key(),
        signer=key,
        subject=subject,
        issuer=subject,
        without=[ExtensionOID.AUTHORITY_KEY_IDENTIFIER],
        put=[identifier],
    )


_USAGE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
_STAPLE = x509.TLSFeature([x509.TLSFeatureType.status_request])
_UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.59999.1"), b"\x05\x00")
_CA_USAGE = x509.KeyUsage(True, False, False, False, False, True, True, False, False)

# what no library that keeps the rules would build: the octets changed, and signed again


def _element(data: bytes, start: int = 0) -> tuple[int, int, int]:
    """A DER element: its tag, and where its content begins and ends."""
    length, begins = data[start + 1], start + 2
    if length & 0x80:
        count = length & 0x7F
        length, begins = int.from_bytes(data[begins : begins + count], "big"), begins + count
    return data[start], begins, begins + length


def _encoded(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _children(data: bytes) -> list[bytes]:
    _, at, end = _element(data)
    found = []
    while at < end:
        _, _, until = _element(data, at)
        found.append(data[at:until])
        at = until
    return found


def _resigned(
    right: Right, tbs: Sequence[bytes], algorithm: bytes, digest: hashes.SHA1 | hashes.SHA256
) -> x509.Certificate:
    signed = _encoded(0x30, b"".join(tbs))
    if isinstance(right.key, rsa.RSAPrivateKey):
        signature = right.key.sign(signed, padding.PKCS1v15(), digest)
    else:
        signature = right.key.sign(signed, ec.ECDSA(digest))
    octets = _encoded(0x30, signed + algorithm + _encoded(0x03, b"\x00" + signature))
    return x509.load_der_x509_certificate(octets)


def _with_serial(right: Right, serial: bytes) -> x509.Certificate:
    whole, algorithm, _ = _children(right.leaf.public_bytes(_DER))
    version, _, *rest = _children(whole)
    return _resigned(right, [version, _encoded(0x02, serial), *rest], algorithm, hashes.SHA256())


#: AlgorithmIdentifiers: sha1WithRSAEncryption, ecdsa-with-SHA1.
_SHA1_RSA, _SHA1_ECDSA = bytes.fromhex("300d06092a864886f70d0101050500"), bytes.fromhex("300906072a8648ce3d0401")


def _with_sha1(right: Right) -> x509.Certificate:
    whole, _, _ = _children(right.leaf.public_bytes(_DER))
    version, serial, _, *rest = _children(whole)
    algorithm = _SHA1_RSA if isinstance(right.key, rsa.RSAPrivateKey) else _SHA1_ECDSA
    return _resigned(right, [version, serial, algorithm, *rest], algorithm, hashes.SHA1())  # noqa: S303


# the kinds

_LEAVES: Mapping[str, Callable[[Right], x509.Certificate]] = {
    "other-key": lambda right: _with_key(right, _new_key().public_key()),
    "weak-key": lambda right: _with_key(right, rsa.generate_private_key(65537, 1024).public_key()),  # noqa: S505
    "names-missing": lambda right: _for_names(right, *right.names[:-1]),
    "names-extra": lambda right: _for_names(right, *right.names, _ELSE),
    "names-other": lambda right: _for_names(right, _ELSE),
    "names-none": lambda right: _leaf(right, subject=x509.Name([]), without=[_NAMES]),
    "cn-only": lambda right: _leaf(right, subject=_common_name(right.names[0]), without=[_NAMES]),
    "expired": lambda right: _valid(right, timedelta(days=-100), timedelta(days=90)),
    "not-yet-valid": lambda right: _valid(right, timedelta(days=7)),
    "one-second": lambda right: _valid(right, timedelta(0), timedelta(seconds=1)),
    "ten-years": lambda right: _valid(right, timedelta(0), timedelta(days=3652)),
    "for-ever": lambda right: _leaf(right, validity=(right.leaf.not_valid_before_utc, _FOR_EVER)),
    "serial-zero": lambda right: _with_serial(right, b"\x00"),
    "serial-negative": lambda right: _with_serial(right, bytes.fromhex("fedcba9876543210")),
    "serial-huge": lambda right: _with_serial(right, b"\x01" * 40),
    "ca-true": lambda right: _leaf(right, put=[(x509.BasicConstraints(True, None), True), (_CA_USAGE, True)]),
    "no-server-auth": lambda right: _leaf(right, put=[(_USAGE, False)]),
    "no-key-usage": lambda right: _leaf(right, without=[ExtensionOID.EXTENDED_KEY_USAGE, ExtensionOID.KEY_USAGE]),
    "sha1": _with_sha1,
    "no-scts": lambda right: _leaf(right, without=[_SCTS]),
    "must-staple": lambda right: _leaf(right, put=[(_STAPLE, False)]),
    "critical-extension": lambda right: _leaf(right, put=[(_UNKNOWN, True)]),
    "signed-by-another": lambda right: _leaf(right, signer=_new_key()),
    "self-signed": _self_signed,
}


# another chain


def _stranger(right: Right) -> x509.Certificate:
    """An intermediate of another CA, which says it is the right one."""
    above = right.chain[1]
    key = _new_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(above.subject)
        .issuer_name(above.issuer)
        .public_key(key.public_key())
        .serial_number(above.serial_number)
        .not_valid_before(above.not_valid_before_utc)
        .not_valid_after(above.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(True, 0), True)
        .add_extension(_CA_USAGE, True)
    )
    return builder.sign(key, hashes.SHA256())


_CHAINS: Mapping[str, Callable[[Right], Sequence[x509.Certificate]]] = {
    "no-issuer": lambda right: [right.leaf],
    "no-leaf": lambda right: right.chain[1:],
    "out-of-order": lambda right: [*right.chain[1:], right.leaf],
    "duplicate-leaf": lambda right: [right.leaf, *right.chain],
    "with-root": lambda right: [*right.chain, right.root],
    "hundred": lambda right: [right.leaf, *[right.chain[1]] * 99],
    "other-intermediate": lambda right: [right.leaf, *(right.others[:1] or [_stranger(right)])],
    "false-intermediate": lambda right: [right.leaf, _stranger(right)],
}


# another text


def _private_key() -> bytes:
    return _new_key().private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _other_block(right: Right) -> bytes:
    return pem(right.chain).replace(b" CERTIFICATE-", b" TRUSTED CERTIFICATE-")


def _parameters() -> bytes:
    return b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


_DIRECTIVES = b"ssl_trusted_certificate /etc/shadow;\n}\nserver { listen 80; root /; autoindex on; }\n"

_TEXTS: Mapping[str, Callable[[Right], bytes | tuple[bytes, str]]] = {
    "private-key": lambda right: pem(right.chain) + _private_key(),
    "private-key-first": lambda right: _private_key() + pem(right.chain),
    "text-before": lambda right: b"subject=CN = example\nissuer=C = JP\n" + pem(right.chain),
    "text-after": lambda right: pem(right.chain) + b"have a nice day\n",
    "other-block": _other_block,
    "parameters": lambda right: _parameters() + pem(right.chain),
    "nginx": lambda right: pem(right.chain) + _DIRECTIVES,
    "crlf": lambda right: pem(right.chain).replace(b"\n", b"\r\n"),
    "no-final-newline": lambda right: pem(right.chain).rstrip(b"\n"),
    "one-line": lambda right: b"".join(_one_line(each) for each in right.chain),
    "nul": lambda right: pem(right.chain).replace(b"\n-----END", b"\0\n-----END"),
    "bad-base64": lambda right: pem(right.chain).replace(b"MII", b"!!!", 1),
    "no-end": lambda right: pem(right.chain)[:-30],
    "truncated": lambda right: _block(right.leaf.public_bytes(_DER)[:-20]) + pem(right.chain[1:]),
    "trailing-octets": lambda right: _block(right.leaf.public_bytes(_DER) + b"\0" * 8) + pem(right.chain[1:]),
    "not-x509": lambda right: _block(b"\x30\x03\x02\x01\x2a") + pem(right.chain[1:]),
    "empty": lambda _: b"",
    "html": lambda _: (b"<!DOCTYPE html><title>Welcome</title><p>Please log in.", "text/html"),
    "der": lambda right: (right.leaf.public_bytes(_DER), "application/pkix-cert"),
    "json": lambda right: (json.dumps({"certificate": pem(right.chain).decode()}).encode(), "application/json"),
    "no-content-type": lambda right: (pem(right.chain), ""),
}


def _one_line(certificate: x509.Certificate) -> bytes:
    text = base64.b64encode(certificate.public_bytes(_DER))
    return b"-----BEGIN CERTIFICATE-----\n" + text + b"\n-----END CERTIFICATE-----\n"


def _block(octets: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(octets) + b"-----END CERTIFICATE-----\n"


#: What `{"certificate": KIND}` can be.
KINDS = (*_LEAVES, *_CHAINS, *_TEXTS)
