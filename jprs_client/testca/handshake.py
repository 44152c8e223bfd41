"""TLS handshakes at the ACME door that go wrong, where a fault wants it (FAULTS 60)."""

from __future__ import annotations

import ssl
import tempfile
from datetime import timedelta
from pathlib import Path

from jprs_client.testca.clock import Clock
from jprs_client.testca.faults import HANDSHAKE, Faults
from jprs_client.testca.signer import CertificateAuthority, https_certificate


class Handshakes:
    """`root`: what clients trust; None where it is not known here, and then every such certificate is untrusted."""

    def __init__(self, faults: Faults, root: CertificateAuthority | None) -> None:
        self._faults = faults
        self._root = root
        self._contexts: dict[str, ssl.SSLContext] = {}

    def choose(
        self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext
    ) -> int | None:
        """The server's answer to a ClientHello, as `ssl.SSLContext.sni_callback` wants it."""
        action = self._faults.take(HANDSHAKE, ())
        if action is None:
            return None
        kind = str(action.members["tls"])
        if kind == "refuse":
            return int(ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE)
        if kind not in self._contexts:
            self._contexts[kind] = self._made(kind)
        connection.context = self._contexts[kind]
        return None

    def _made(self, kind: str) -> ssl.SSLContext:
        now, day = Clock().now().replace(microsecond=0), timedelta(days=1)  # clients have the system's clock
        first, last = now - 30 * day, now + 30 * day
        match kind:
            case "expired":
                made = https_certificate(root=self._root, valid=(first, now - day))
            case "not-yet-valid":
                made = https_certificate(root=self._root, valid=(now + day, last))
            case "other-name":
                made = https_certificate(("other.example",), (), root=self._root, valid=(first, last))
            case _:  # untrusted
                made = https_certificate(valid=(first, last))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.TemporaryDirectory(prefix="jprs-testca-") as folder:
            cert, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
            key.touch(mode=0o600)
            key.write_bytes(made.key_pem)
            cert.write_bytes(made.chain_pem)
            context.load_cert_chain(cert, key)
        return context
