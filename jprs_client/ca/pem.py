"""Certificates out of a chain of PEM from the CA: nothing else may stand in it (RFC 8555 §9.1, §11.4)."""

from __future__ import annotations

import re
from base64 import b64decode

from jprs_client.errors import BadAnswer

MOST_CERTIFICATES = 10
LONGEST_CERTIFICATE = 64 * 1024

_BLOCK = re.compile(
    rb"-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+?)\r?\n?-----END CERTIFICATE-----(?:\r?\n|\Z)"
)


def certificates(pem: bytes) -> tuple[bytes, ...]:
    """The DER certificates, in their order. BadAnswer when anything but certificates and blank lines is in `pem`.

    A private key, a configuration directive or a comment in a chain would go straight into a web server's files.
    """
    found: list[bytes] = []
    place = 0
    pem = pem.strip(b"\r\n")
    while place < len(pem):
        block = _BLOCK.match(pem, place)
        if block is None:
            raise BadAnswer("chain-not-only-certificates")
        try:
            der = b64decode(block[1].replace(b"\r", b"").replace(b"\n", b""), validate=True)
        except ValueError as error:
            raise BadAnswer("chain-not-only-certificates") from error
        found.append(der)
        if len(found) > MOST_CERTIFICATES or len(der) > LONGEST_CERTIFICATE:
            raise BadAnswer("chain-too-long", most=MOST_CERTIFICATES)
        place = block.end()
        while pem[place : place + 1] in {b"\r", b"\n"}:
            place += 1
    if not found:
        raise BadAnswer("chain-empty")
    return tuple(found)


def to_pem(der: bytes) -> bytes:
    """One certificate, encoded by us."""
    from base64 import b64encode

    text = b64encode(der)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"\n".join([b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""])
