"""What OCSP and CRLs say when they are to say something else than the truth: `{"says": WORD}` in a fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from jprs_client.testca import der, ocsp
from jprs_client.testca.ocsp import CertId, Question, Standing
from jprs_client.testca.orders import PRIVILEGE_WITHDRAWN, Certificate, Revocation
from jprs_client.testca.signer import Pki

#: good, unknown: OCSP alone. revoked: both; privilegeWithdrawn, although it is not. empty: a CRL with nothing in it.
#: stale, future: as of thirty days before, or ahead. forged: says revoked, and is signed by a stranger of the same
#: name. other-issuer: says revoked, and is signed by another intermediate. other-certificate: OCSP on the serial
#: number after the one asked about. try-later, internal-error: OCSP's errors.
WORDS = frozenset(
    {
        "good",
        "revoked",
        "unknown",
        "empty",
        "stale",
        "future",
        "forged",
        "other-issuer",
        "other-certificate",
        "try-later",
        "internal-error",
    }
)
_OFF = {"stale": -timedelta(days=30), "future": timedelta(days=30)}
_ERRORS = {"try-later": ocsp.TRY_LATER, "internal-error": ocsp.INTERNAL_ERROR}


def ocsp_answer(
    pki: Pki, index: int, question: Question, standings: Sequence[Standing], now: datetime, word: str | None
) -> bytes:
    """The answer to `question`: the truth where `word` is None, or means nothing to OCSP."""
    if word in _ERRORS:
        return ocsp.refusal(_ERRORS[word])
    responder = pki.intermediates[index].responder
    if word == "forged":
        responder = pki.stranger(index).responder
    elif word == "other-issuer":
        responder = pki.intermediates[(index + 1) % len(pki.intermediates)].responder
    if word in {"revoked", "forged", "other-issuer"}:
        standings = [Standing(True, now, PRIVILEGE_WITHDRAWN)] * len(standings)
    elif word in {"good", "unknown"}:
        standings = [ocsp.GOOD if word == "good" else ocsp.UNKNOWN] * len(standings)
    asked = [_next(named) if word == "other-certificate" else named for named in question.asked]
    pairs = list(zip(asked, standings, strict=True))
    return ocsp.answer(responder, pairs, question.nonce, now + _OFF.get(word or "", timedelta(0)))


def _next(named: CertId) -> CertId:
    reader = der.Reader(named.octets).inside(der.SEQUENCE)
    before = [reader.element() for _ in range(3)]
    serial = named.serial + 1
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True)
    return replace(named, octets=der.sequence(*before, der.tlv(der.INTEGER, octets)), serial=serial)


def crl(pki: Pki, index: int, certificates: Iterable[Certificate], now: datetime, word: str | None) -> bytes:
    """An intermediate's CRL: the truth where `word` is None, or means nothing to CRLs."""
    if word == "empty":
        certificates = ()
    elif word in {"revoked", "forged", "other-issuer"}:
        said = Revocation(now, PRIVILEGE_WITHDRAWN)
        certificates = [replace(each, revocation=each.revocation or said) for each in certificates]
    signer = pki.intermediates[index]
    if word == "forged":
        signer = pki.stranger(index)
    elif word == "other-issuer":
        signer = pki.intermediates[(index + 1) % len(pki.intermediates)]
    return pki.crl(index, certificates, now + _OFF.get(word or "", timedelta(0)), signer)
