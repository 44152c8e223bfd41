"""The paths that Pebble has on its management side: its roots, intermediates and their keys, certificates, ARI."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from jprs_client.testca.asgi import Response, json_response
from jprs_client.testca.ca import Authority
from jprs_client.testca.clock import rfc3339
from jprs_client.testca.orders import Certificate
from jprs_client.testca.posted import Ask, Offer, RequestError
from jprs_client.testca.signer import CertificateAuthority, leaf_pem

_JSON = "application/json; charset=utf-8"


class Pebble:
    """What tests written for Pebble ask."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority

    def offers(self) -> Sequence[Offer]:
        """The calls."""
        return (
            Offer("GET", "/roots/{number}", self._root, "a root, PEM; the others are linked"),
            Offer("GET", "/root-keys/{number}", self._root_key, "its private key, PEM"),
            Offer("GET", "/intermediates/{number}", self._intermediate, "an intermediate, PEM; 0 is ECDSA, 1 RSA"),
            Offer("GET", "/intermediate-keys/{number}", self._intermediate_key, "its private key, PEM"),
            Offer("GET", "/cert-status-by-serial/{serial}", self._status, "a certificate, and whether it is revoked"),
            Offer(
                "POST",
                "/set-renewal-info/",
                self._renewal_info,
                "what renewalInfo answers for a certificate, the text as it is",
                '{"Certificate": PEM, "ARIResponse": TEXT}',
            ),
        )

    def _root(self, ask: Ask) -> Response:
        return _certificate(ask, "roots", self._ca.pki.roots)

    def _root_key(self, ask: Ask) -> Response:
        return _key(ask, "root-keys", self._ca.pki.roots)

    def _intermediate(self, ask: Ask) -> Response:
        return _certificate(ask, "intermediates", self._ca.pki.intermediates)

    def _intermediate_key(self, ask: Ask) -> Response:
        return _key(ask, "intermediate-keys", self._ca.pki.intermediates)

    def _status(self, ask: Ask) -> Response:
        certificate = by_serial(self._ca, ask.segment)
        shown: dict[str, Any] = {
            "Certificate": leaf_pem(certificate),
            "Serial": certificate.serial_hex,
            "Status": certificate.status.capitalize(),
        }
        if certificate.revocation is not None:
            shown["Reason"] = certificate.revocation.reason
            shown["RevokedAt"] = rfc3339(certificate.revocation.at)
        return json_response(200, shown, _JSON)

    def _renewal_info(self, ask: Ask) -> Response:
        posted = ask.folded.document
        pem, said = posted.get("certificate"), posted.get("ariresponse")
        if not isinstance(pem, str) or not isinstance(said, str):
            raise RequestError("Certificate and ARIResponse: texts are missing")
        try:
            serial = x509.load_pem_x509_certificate(pem.encode()).serial_number
        except ValueError as error:
            raise RequestError(f"Certificate: {error!s:.200}") from error
        certificate = by_serial(self._ca, f"{serial:x}")
        certificate.renewal_info = {**_window(said), "body": said}
        return Response(200)


def by_serial(authority: Authority, text: str) -> Certificate:
    """The certificate of a serial in hexadecimal, in upper or lower case, with or without colons. RequestError."""
    try:
        serial = int(text.replace(":", ""), 16)
    except ValueError:
        raise RequestError(f"serial: {text!r:.80} is not hexadecimal") from None
    certificate = authority.book.certificates.get(serial)
    if certificate is None:
        raise RequestError(f"no certificate {text:.80}", 404)
    return certificate


def _window(said: str) -> dict[str, object]:
    """What can be read of an answer to renewalInfo; it may be anything."""
    try:
        document = json.loads(said)
        window = document["suggestedWindow"]
        found = {"start": window["start"], "end": window["end"], "explanation_url": document.get("explanationURL")}
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return {}
    return {member: value for member, value in found.items() if value is not None}


def _chosen(
    ask: Ask, path: str, of: Sequence[CertificateAuthority]
) -> tuple[CertificateAuthority, list[tuple[str, str]]]:
    """The one of that number, and the links to the others."""
    text = ask.segment
    if not text.isascii() or not text.isdigit() or len(text) > 3 or int(text) >= len(of):
        raise RequestError(f"there are {len(of)} of these", 404)
    others = (number for number in range(len(of)) if number != int(text))
    links = [("Link", f'<{ask.base}/{path}/{number}>;rel="alternate"') for number in others]
    return of[int(text)], links


def _certificate(ask: Ask, path: str, of: Sequence[CertificateAuthority]) -> Response:
    chosen, links = _chosen(ask, path, of)
    return Response(200, chosen.pem.encode(), "application/pem-certificate-chain; charset=utf-8", links)


def _key(ask: Ask, path: str, of: Sequence[CertificateAuthority]) -> Response:
    chosen, links = _chosen(ask, path, of)
    pem = chosen.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return Response(200, pem, "application/x-pem-file; charset=utf-8", links)
