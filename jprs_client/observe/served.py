"""Which certificate a server shows, by a TLS handshake with SNI; nothing is sent after it."""

from __future__ import annotations

import hashlib
import socket
import ssl
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jprs_client.plugin import Probe


def served_fingerprint(probe: Probe, timeout: float) -> str:
    """SHA-256 of the leaf certificate that is served at `probe`, lower-case hex; within `timeout` seconds in all.

    Raises OSError (ssl.SSLError is one) when nobody answers, or not with TLS 1.2 or newer.
    """
    until = time.monotonic() + timeout  # a real server answers in real time
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Not a client that trusts what it hears: the question is which certificate is there, be it expired, from a test CA
    # or the self-signed one it ought to have replaced. The answer is compared with the fingerprint that was deployed.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Tried without a connection first: where it is refused later, the connection would not be closed.
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=probe.server_name)
    except (ValueError, TypeError) as error:
        raise OSError(f"not a name to ask for: {error}") from error
    try:
        with socket.create_connection((probe.host, probe.port), timeout=timeout) as connection:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            connection.settimeout(left)  # the handshake as a whole, not each read of it
            with context.wrap_socket(connection, server_hostname=probe.server_name) as tls:
                certificate = tls.getpeercert(binary_form=True)
    except ValueError as error:  # a host that cannot be looked up
        raise OSError(str(error)) from error
    if certificate is None:
        raise OSError("no certificate was served")
    return hashlib.sha256(certificate).hexdigest()
