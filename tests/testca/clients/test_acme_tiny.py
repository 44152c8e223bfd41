"""acme-tiny, which knows no external account binding, gets certificates of the CA that asks for none."""

from __future__ import annotations

from pathlib import Path

from tests import needs
from tests.testca.clients.host import Ca, run, webroot

NAME = "tiny.example.jp"


def test_acme_tiny_issues_and_renews_at_an_open_ca(free_ca: Ca, tmp_path: Path) -> None:
    openssl, acme_tiny = needs.program("openssl"), needs.program("acme-tiny")
    account, key, csr, chain = (tmp_path / name for name in ("account.key", "key.pem", "csr.pem", "chain.pem"))
    run(openssl, "genrsa", "-out", str(account), "2048")
    made = ["-newkey", "rsa:2048", "-noenc", "-keyout", str(key), "-subj", "/", "-out", str(csr)]
    run(openssl, "req", "-new", *made, "-addext", f"subjectAltName=DNS:{NAME},DNS:www.{NAME}")
    serials = set()
    with webroot(tmp_path, free_ca.http_port) as answers:
        for _ in range(2):
            # its own look at the proof would ask this machine's DNS and port 80
            said = run(
                *(acme_tiny, "--account-key", str(account), "--csr", str(csr), "--acme-dir", str(answers)),
                *("--directory-url", free_ca.directory, "--contact", "mailto:admin@example.jp"),
                *("--disable-check", "--quiet"),
                SSL_CERT_FILE=str(free_ca.trust),
            )
            chain.write_text(said)
            serials.add(free_ca.issued(chain, NAME, f"www.{NAME}").serial_number)
    assert len(serials) == 2
    assert free_ca.answers("newAccount") == [201, 200]
    assert free_ca.problems() == []


def test_acme_tiny_is_told_that_credentials_are_needed(open_ca: Ca, tmp_path: Path) -> None:
    openssl, acme_tiny = needs.program("openssl"), needs.program("acme-tiny")
    account, key, csr = (tmp_path / name for name in ("account.key", "key.pem", "csr.pem"))
    run(openssl, "genrsa", "-out", str(account), "2048")
    run(
        openssl,
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-noenc",
        "-keyout",
        str(key),
        "-subj",
        f"/CN={NAME}",
        "-out",
        str(csr),
    )
    said = run(
        *(acme_tiny, "--account-key", str(account), "--csr", str(csr), "--acme-dir", str(tmp_path)),
        *("--directory-url", open_ca.directory, "--disable-check"),
        code=1,
        SSL_CERT_FILE=str(open_ca.trust),
    )
    assert "externalAccountRequired" in said
    assert open_ca.problems() == [("newAccount", "externalAccountRequired")]
