"""Other people's clients get a certificate from the bundled CA in open mode with credentials, and revoke it."""

from __future__ import annotations

import http.server
import os
import ssl
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests import needs
from tests.ca_process import TestCaProcess
from tests.pebble import free_port


@pytest.fixture(scope="module")
def http_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def ca(http_port: int) -> Iterator[TestCaProcess]:
    with TestCaProcess("--open", "--require-eab", http_port=http_port) as running:
        yield running


def run(*command: str, **environment: str) -> str:
    """What a program said; it must succeed."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, env=kept | environment)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def served_status(ca: TestCaProcess, certificate: Path) -> tuple[str, int | None]:
    leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    status = ca.get(f"/cert-status-by-serial/{leaf.serial_number:x}")
    return status["Status"], status.get("Reason")


def test_certbot_registers_issues_renews_and_revokes(ca: TestCaProcess, http_port: int, tmp_path: Path) -> None:
    certbot = needs.program("certbot")
    _, eab = ca.subscriber("certbot")
    folders = [part for kind in ("config", "work", "logs") for part in (f"--{kind}-dir", str(tmp_path / kind))]
    common = ["--server", ca.directory, "--non-interactive", *folders]
    trust = {"REQUESTS_CA_BUNDLE": str(ca.trust)}
    run(
        *(certbot, "certonly", "--standalone", "--http-01-port", str(http_port), *common),
        *("--agree-tos", "--email", "admin@example.jp"),
        *("--eab-kid", eab["key_id"], "--eab-hmac-key", eab["hmac_key"]),
        *("-d", "certbot.example.jp", "-d", "www.certbot.example.jp"),
        **trust,
    )
    chain = tmp_path / "config" / "live" / "certbot.example.jp" / "fullchain.pem"
    first = chain.read_bytes()
    assert served_status(ca, chain) == ("Valid", None)
    run(certbot, "renew", "--force-renewal", "--no-random-sleep-on-renew", *common, **trust)
    assert chain.read_bytes() != first
    revoke = ["--cert-name", "certbot.example.jp", "--reason", "superseded", "--no-delete-after-revoke"]
    run(certbot, "revoke", *revoke, *common, **trust)
    assert served_status(ca, chain) == ("Revoked", 4)


def test_lego_registers_issues_renews_and_revokes(ca: TestCaProcess, http_port: int, tmp_path: Path) -> None:
    lego = needs.program("lego")
    _, eab = ca.subscriber("lego")
    common = [
        *(lego, "--server", ca.directory, "--path", str(tmp_path), "--email", "admin@example.jp", "--accept-tos"),
        *("--eab", "--kid", eab["key_id"], "--hmac", eab["hmac_key"]),
        *("--domains", "lego.example.jp", "--http", "--http.port", f"127.0.0.1:{http_port}"),
    ]
    trust = {"LEGO_CA_CERTIFICATES": str(ca.trust)}
    run(*common, "run", **trust)
    chain = tmp_path / "certificates" / "lego.example.jp.crt"
    first = chain.read_bytes()
    assert served_status(ca, chain) == ("Valid", None)
    run(*common, "renew", "--days", "9999", "--no-random-sleep", **trust)
    assert chain.read_bytes() != first
    run(*common, "revoke", "--keep", **trust)
    archived = next((tmp_path / "archives").glob("*.crt"), chain) if (tmp_path / "archives").exists() else chain
    assert served_status(ca, archived)[0] == "Revoked"


def trusting(root: Path) -> list[str]:
    """What to put before a command that knows no other roots than the system's: there, `root` is the only one."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if not bundle.exists():
        needs.missing(f"{bundle} does not exist")
    program = needs.program("unshare")  # root needs no user namespace, and in a chroot gets none
    ways = [[program, "--mount"], [program, "--map-root-user", "--mount"]]
    allowed = [way for way in ways if not subprocess.run([*way, "true"], capture_output=True, check=False).returncode]
    if not allowed:
        needs.missing("no mount namespace of one's own is allowed here")
    unshare = allowed[0]
    script = f'mount --bind "$0" {bundle} && exec "$@"'
    return [*unshare, "sh", "-c", script, str(root)]


HOOK = """#!/bin/sh
# METHOD TYPE IDENT TOKEN AUTH
[ "$2" = http-01 ] || exit 1
case "$1" in
  begin) printf %s "$5" >"$WEBROOT/.well-known/acme-challenge/$4" ;;
  done | failed) rm -f "$WEBROOT/.well-known/acme-challenge/$4" ;;
esac
"""


@pytest.fixture
def webroot(http_port: int, tmp_path: Path) -> Iterator[Path]:
    """A folder that is served at the port where http-01 is looked for."""
    folder = tmp_path / "webroot"
    (folder / ".well-known" / "acme-challenge").mkdir(parents=True)

    class Files(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, directory=str(folder), **kwargs)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", http_port), Files) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield folder
        server.shutdown()
        thread.join()


def test_uacme_registers_issues_renews_and_revokes(ca: TestCaProcess, webroot: Path, tmp_path: Path) -> None:
    uacme = needs.program("uacme")
    _, eab = ca.subscriber("uacme")
    hook = tmp_path / "hook.sh"
    hook.write_text(HOOK)
    hook.chmod(0o755)
    environment = {"WEBROOT": str(webroot)}
    common = [*trusting(ca.trust), uacme, "--acme-url", ca.directory, "--confdir", str(tmp_path / "conf"), "--yes"]
    run(*common, "--eab", f"{eab['key_id']}:{eab['hmac_key']}", "new", "admin@example.jp", **environment)
    issue = [*common, "--hook", str(hook), "--type", "EC"]
    run(*issue, "issue", "uacme.example.jp", **environment)
    chain = tmp_path / "conf" / "uacme.example.jp" / "cert.pem"
    first = chain.read_bytes()
    assert served_status(ca, chain) == ("Valid", None)
    run(*issue, "--force", "issue", "uacme.example.jp", **environment)
    renewed = tmp_path / "renewed.pem"
    renewed.write_bytes(chain.read_bytes())
    assert renewed.read_bytes() != first
    run(*common, "revoke", str(chain), **environment)
    assert served_status(ca, renewed)[0] == "Revoked"


def test_openssl_accepts_chain_and_crl(ca: TestCaProcess, tmp_path: Path) -> None:
    openssl = needs.program("openssl")
    root, intermediate, crl = tmp_path / "root.pem", tmp_path / "intermediate.pem", tmp_path / "crl.pem"
    root.write_text(ca.get("/roots/0"))
    intermediate.write_text(ca.get("/intermediates/0"))
    assert "OK" in run(openssl, "verify", "-x509_strict", "-CAfile", str(root), str(intermediate))
    with urllib.request.urlopen(ca.pki + "/crl/0.crl", timeout=10) as answer:
        loaded = x509.load_der_x509_crl(answer.read())
    crl.write_bytes(loaded.public_bytes(serialization.Encoding.PEM))
    assert "verify OK" in run(openssl, "crl", "-in", str(crl), "-CAfile", str(intermediate), "-noout")
    assert ssl.create_default_context(cafile=str(ca.trust)).get_ca_certs()
