"""OCSP: reading requests and writing answers (RFC 6960, RFC 5019, nonces by RFC 9654). Pure: what is true is handed in.

Written by hand, since a request may ask about several certificates and the answer is to be whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from jprs_client.testca import der

MALFORMED_REQUEST, INTERNAL_ERROR, TRY_LATER, SIG_REQUIRED, UNAUTHORIZED = 1, 2, 3, 5, 6
#: From thisUpdate to nextUpdate (Baseline Requirements 4.9.10: 8 hours at least, 10 days at most).
OCSP_LIFE = timedelta(days=4)
#: Certificates that one request may ask about.
MOST_ASKED = 100
#: RFC 9654 §2.1.
MOST_NONCE = 128

_BASIC = der.oid("1.3.6.1.5.5.7.48.1.1")
_NONCE = der.oid("1.3.6.1.5.5.7.48.1.2")
_HASHES: Mapping[bytes, str] = {
    der.oid("1.3.14.3.2.26"): "sha1",
    der.oid("2.16.840.1.101.3.4.2.1"): "sha256",
    der.oid("2.16.840.1.101.3.4.2.2"): "sha384",
    der.oid("2.16.840.1.101.3.4.2.3"): "sha512",
}


class MalformedRequest(ValueError):
    """A request that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class CertId:
    """How a request names a certificate. `octets` is the whole of it; `digest` None: a hash not known here."""

    octets: bytes
    digest: str | None
    name_hash: bytes
    key_hash: bytes
    serial: int

    def is_of(self, name_der: bytes, key_bits: bytes) -> bool:
        """Whether the issuer meant has that name, and that key (the BIT STRING's octets)."""
        if self.digest is None:
            return False
        hashed = [hashlib.new(self.digest, part, usedforsecurity=False).digest() for part in (name_der, key_bits)]
        return hashed == [self.name_hash, self.key_hash]


@dataclass(frozen=True, slots=True)
class Question:
    """A request. `nonce` None: it has none."""

    asked: Sequence[CertId]
    nonce: bytes | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a certificate. Neither `known` nor revoked: unknown. `reason` 0 is not written."""

    known: bool
    revoked_at: datetime | None = None
    reason: int = 0


UNKNOWN = Standing(False)
GOOD = Standing(True)


class Responder(Protocol):
    """Who answers: a certificate of the issuer's for this, and its key."""

    @property
    def der(self) -> bytes:
        """The certificate."""

    @property
    def key_bits(self) -> bytes:
        """The BIT STRING of its key."""

    @property
    def signature_algorithm(self) -> bytes:
        """AlgorithmIdentifier, DER."""

    def sign(self, said: bytes) -> bytes:
        """A signature by that algorithm."""


def read_request(octets: bytes) -> Question:
    """What is asked (RFC 6960 §4.1). A signature is not looked at: anybody may ask. Raises MalformedRequest."""
    try:
        return _request(octets)
    except der.DerError as error:
        raise MalformedRequest(str(error)) from error


def _request(octets: bytes) -> Question:
    outer = der.Reader(octets)
    request = outer.inside(der.SEQUENCE)
    outer.end()
    tbs = request.inside(der.SEQUENCE)
    if request.more:
        request.element(der.context(0))  # optionalSignature
    request.end()
    if tbs.next_is(der.context(0)) and tbs.inside(der.context(0)).integer() != 0:
        raise MalformedRequest("a version that is not known")
    if tbs.next_is(der.context(1)):
        tbs.element()  # requestorName
    listed = tbs.inside(der.SEQUENCE)
    asked: list[CertId] = []
    while listed.more:
        if len(asked) == MOST_ASKED:
            raise MalformedRequest(f"more than {MOST_ASKED} certificates")
        asked.append(_asked(listed.inside(der.SEQUENCE)))
    if not asked:
        raise MalformedRequest("nothing is asked")
    nonce = None
    if tbs.more:
        nonce = _extensions(tbs.inside(der.context(2)), known=_NONCE)
    tbs.end()
    return Question(tuple(asked), nonce)


def _asked(request: der.Reader) -> CertId:
    octets = request.element(der.SEQUENCE)
    if request.more:
        _extensions(request.inside(der.context(0)), known=None)
    request.end()
    reader = der.Reader(octets).inside(der.SEQUENCE)
    algorithm = reader.inside(der.SEQUENCE)
    digest = _HASHES.get(algorithm.element(der.OID))
    name_hash, key_hash = reader.content(der.OCTET_STRING), reader.content(der.OCTET_STRING)
    serial = reader.integer()
    reader.end()
    return CertId(octets, digest, name_hash, key_hash, serial)


def _extensions(explicit: der.Reader, known: bytes | None) -> bytes | None:
    """The nonce among extensions, where it is `known`; a critical one of another kind cannot be obeyed."""
    listed = explicit.inside(der.SEQUENCE)
    explicit.end()
    nonce: bytes | None = None
    while listed.more:
        extension = listed.inside(der.SEQUENCE)
        name = extension.element(der.OID)
        critical = extension.next_is(der.BOOLEAN) and extension.content(der.BOOLEAN) != b"\0"
        value = extension.content(der.OCTET_STRING)
        extension.end()
        if name == known:
            if nonce is not None:
                raise MalformedRequest("two nonces")
            inner = der.Reader(value)
            nonce = inner.content(der.OCTET_STRING)
            inner.end()
            if not 1 <= len(nonce) <= MOST_NONCE:
                raise MalformedRequest(f"a nonce has 1 to {MOST_NONCE} octets (RFC 9654)")
        elif critical:
            raise MalformedRequest("a critical extension that is not known")
    return nonce


def refusal(status: int) -> bytes:
    """An answer without a word on any certificate (RFC 6960 §2.3)."""
    return der.sequence(der.tlv(der.ENUMERATED, bytes((status,))))


def answer(
    responder: Responder, standings: Sequence[tuple[CertId, Standing]], nonce: bytes | None, now: datetime
) -> bytes:
    """A signed answer on each certificate asked about, as of `now` (RFC 6960 §4.2)."""
    this_update = now.replace(microsecond=0)
    next_update = this_update + OCSP_LIFE - timedelta(seconds=1)
    singles = [_single(named, standing, this_update, next_update) for named, standing in standings]
    key_hash = hashlib.sha1(responder.key_bits, usedforsecurity=False).digest()
    extensions = b""
    if nonce is not None:
        extension = der.sequence(_NONCE, der.octet_string(der.octet_string(nonce)))
        extensions = der.tlv(der.context(1), der.sequence(extension))
    data = der.sequence(
        der.tlv(der.context(2), der.octet_string(key_hash)),  # RFC 5019 §2.2.1: the responder by its key
        der.generalized_time(this_update),
        der.sequence(*singles),
        extensions,
    )
    basic = der.sequence(
        data,
        responder.signature_algorithm,
        der.bit_string(responder.sign(data)),
        der.tlv(der.context(0), der.sequence(responder.der)),
    )
    response = der.sequence(_BASIC, der.octet_string(basic))
    return der.sequence(der.tlv(der.ENUMERATED, b"\0"), der.tlv(der.context(0), response))


def _single(named: CertId, standing: Standing, this_update: datetime, next_update: datetime) -> bytes:
    if standing.revoked_at is not None:
        reason = b""
        if standing.reason:
            reason = der.tlv(der.context(0), der.tlv(der.ENUMERATED, bytes((standing.reason,))))
        status = der.tlv(der.context(1), der.generalized_time(standing.revoked_at), reason)
    else:
        status = der.tlv(der.context(0 if standing.known else 2, constructed=False))
    until = der.tlv(der.context(0), der.generalized_time(next_update))
    return der.sequence(named.octets, status, der.generalized_time(this_update), until)
