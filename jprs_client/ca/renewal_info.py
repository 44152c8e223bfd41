"""Renewal information (RFC 9773): under which name a certificate is asked about, and what an answer is worth."""

from __future__ import annotations

from datetime import datetime, timedelta

from jprs_client.ca.answers import json_object, moment
from jprs_client.ca.retry_after import clamp
from jprs_client.ca.signing import base64url
from jprs_client.ca.values import RenewalInfo
from jprs_client.errors import BadAnswer, harmless

#: RFC 9773 §4.3.2: a wait is kept within bounds of ours, and without one it is six hours.
LEAST = timedelta(minutes=1)
MOST = timedelta(days=1)
DEFAULT = timedelta(hours=6)


def ari_cert_id(certificate_der: bytes) -> str | None:
    """The certificate's name at renewalInfo and in `replaces` (RFC 9773 §4.1); None without an authority key id."""
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(certificate_der)
    try:
        identifier = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (x509.ExtensionNotFound, ValueError):
        return None
    if identifier is None:
        return None
    serial = certificate.serial_number
    encoded = serial.to_bytes(serial.bit_length() // 8 + 1, "big")  # as in DER: room for the sign
    return f"{base64url(identifier)}.{base64url(encoded)}"


def renewal_info_from(body: bytes, wait: timedelta | None, now: datetime) -> RenewalInfo:
    """The window, if there is a usable one (FAULTS 88): it has to end after it starts, and both within reach."""
    retry_at = now + clamp(wait, LEAST, MOST, DEFAULT)
    try:
        members = json_object(body, "renewalInfo")
    except BadAnswer as error:
        return RenewalInfo(retry_at, failure=error.code)
    window = members.get("suggestedWindow")
    start = moment(window.get("start")) if isinstance(window, dict) else None
    end = moment(window.get("end")) if isinstance(window, dict) else None
    if start is None or end is None or end <= start:
        return RenewalInfo(retry_at, failure="ari-window-unusable")
    told = members.get("explanationURL")
    explanation = harmless(told, 1000) if isinstance(told, str) else ""
    shown = explanation if explanation.startswith(("https://", "http://")) else None
    return RenewalInfo(retry_at, start, end, shown)
