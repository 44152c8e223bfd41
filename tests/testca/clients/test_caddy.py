"""Caddy registers, issues by HTTP and TLS, serves, and renews. It has no revocation."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from tests import needs
from tests.testca.clients.host import Ca, Credentials, Program

NAME = "caddy.example.jp"


def caddy(ca: Ca, folder: Path, credentials: Credentials, sites: str, no_proof_by: str) -> Program:
    """A server of `sites` that keeps what it gets below `folder`."""
    config = folder / "Caddyfile"
    config.write_text(
        f"""{{
            admin off
            default_bind 127.0.0.1
            http_port {ca.http_port}
            https_port {ca.tls_port}
            storage file_system {folder}/storage
        }}
        {sites} {{
            tls {{
                issuer acme {{
                    dir {ca.directory}
                    trusted_roots {ca.trust}
                    email admin@example.jp
                    eab {credentials.key_id} {credentials.hmac_key}
                    disable_{no_proof_by}_challenge
                }}
            }}
            respond ok
        }}
        """
    )
    command = [needs.program("caddy"), "run", "--adapter", "caddyfile", "--config", str(config)]
    return Program(*command, HOME=str(folder), XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder))


def chain_of(folder: Path, name: str) -> Path:
    return next((folder / "storage" / "certificates").glob(f"*/{name}/{name}.crt"))


def served(ca: Ca, name: str) -> x509.Certificate:
    """What a visitor sees who trusts the CA's root."""
    tls = ssl.create_default_context(cadata=ca.get("/roots/0"))
    with (
        socket.create_connection(("127.0.0.1", ca.tls_port), 10) as plain,
        tls.wrap_socket(plain, server_hostname=name) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown)


def test_caddy_issues_by_http_and_renews(past_ca: Ca, tmp_path: Path) -> None:
    credentials = past_ca.credentials("caddy")
    with caddy(past_ca, tmp_path, credentials, NAME, "tlsalpn") as running:
        running.until("certificate obtained successfully")
        first = past_ca.issued(chain_of(tmp_path, NAME), NAME)
    past_ca.clock_set(datetime.now(UTC))
    with caddy(past_ca, tmp_path, credentials, NAME, "tlsalpn") as running:
        running.until("certificate renewed successfully")
        second = past_ca.issued(chain_of(tmp_path, NAME), NAME)
        assert second.not_valid_after_utc - first.not_valid_after_utc > timedelta(days=70)
    assert past_ca.answers("newAccount").count(201) == 1
    assert past_ca.problems() == []


def test_caddy_proves_by_tls_for_its_usage_fqdn_only(jprs_ca: Ca, tmp_path: Path) -> None:
    credentials = jprs_ca.credentials("caddy", [(f"tls.{NAME}", "1y")])
    with caddy(jprs_ca, tmp_path, credentials, f"tls.{NAME}", "http") as running:
        running.until("certificate obtained successfully")
        issued = jprs_ca.issued(chain_of(tmp_path, f"tls.{NAME}"), f"tls.{NAME}")
        assert served(jprs_ca, f"tls.{NAME}") == issued
    assert jprs_ca.problems() == []
    with caddy(jprs_ca, tmp_path, credentials, f"tls.{NAME}, mail.{NAME}", "http") as running:
        running.until("rejectedIdentifier")
