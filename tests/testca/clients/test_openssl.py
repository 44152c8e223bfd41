"""OpenSSL accepts the CA's own certificates and its CRL."""

from __future__ import annotations

import ssl
import urllib.request
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests import needs
from tests.testca.clients.host import Ca, run


def test_openssl_accepts_chain_and_crl(free_ca: Ca, tmp_path: Path) -> None:
    openssl = needs.program("openssl")
    root, intermediate, crl = tmp_path / "root.pem", tmp_path / "intermediate.pem", tmp_path / "crl.pem"
    root.write_text(free_ca.get("/roots/0"))
    intermediate.write_text(free_ca.get("/intermediates/0"))
    assert "OK" in run(openssl, "verify", "-x509_strict", "-CAfile", str(root), str(intermediate))
    with urllib.request.urlopen(free_ca.pki + "/crl/0.crl", timeout=10) as answer:
        loaded = x509.load_der_x509_crl(answer.read())
    crl.write_bytes(loaded.public_bytes(serialization.Encoding.PEM))
    assert "verify OK" in run(openssl, "crl", "-in", str(crl), "-CAfile", str(intermediate), "-noout")
    assert ssl.create_default_context(cafile=str(free_ca.trust)).get_ca_certs()
