"""lego: register, issue by HTTP, DNS and TLS, renew, revoke."""

from __future__ import annotations

from pathlib import Path

from tests import needs
from tests.testca.clients.host import Ca, Credentials, run, script, steering

NAME = "lego.example.jp"


class Lego:
    """One folder of it; it registers when it first runs."""

    def __init__(self, ca: Ca, folder: Path, credentials: Credentials) -> None:
        self.folder = folder / "lego"
        self._common = [
            *(needs.program("lego"), "--server", ca.directory, "--path", str(self.folder)),
            *("--email", "admin@example.jp", "--accept-tos"),
            *("--eab", "--kid", credentials.key_id, "--hmac", credentials.hmac_key),
        ]
        self._trust = {"LEGO_CA_CERTIFICATES": str(ca.trust)}

    def run(self, *arguments: str, code: int = 0, dns_program: str = "") -> str:
        return run(*self._common, *arguments, code=code, EXEC_PATH=dns_program, **self._trust)

    def chain(self, name: str) -> Path:
        return self.folder / "certificates" / f"{name}.crt"


RENEW = ("renew", "--days", "9999", "--no-random-sleep")


def test_lego_issues_by_http_renews_and_revokes(open_ca: Ca, tmp_path: Path) -> None:
    credentials = open_ca.credentials("lego")
    lego = Lego(open_ca, tmp_path, credentials)
    names = ["--domains", NAME, "--domains", f"www.{NAME}"]
    proof = ["--http", "--http.port", f"127.0.0.1:{open_ca.http_port}"]
    lego.run(*names, *proof, "run")
    first = open_ca.issued(lego.chain(NAME), NAME, f"www.{NAME}")
    lego.run(*names, *proof, *RENEW)
    second = open_ca.issued(lego.chain(NAME), NAME, f"www.{NAME}")
    assert first.serial_number != second.serial_number
    lego.run(*names, "revoke", "--keep", "--reason", "5")
    assert open_ca.status(second) == ("Revoked", 5)
    assert open_ca.status(first) == ("Valid", None)
    assert open_ca.answers("newAccount") == [201]
    assert open_ca.answers("revokeCert") == [200]
    assert open_ca.problems() == []


def test_lego_proves_by_tls(open_ca: Ca, tmp_path: Path) -> None:
    lego = Lego(open_ca, tmp_path, open_ca.credentials("lego"))
    lego.run("--domains", f"tls.{NAME}", "--tls", "--tls.port", f"127.0.0.1:{open_ca.tls_port}", "run")
    open_ca.issued(lego.chain(f"tls.{NAME}"), f"tls.{NAME}")
    assert open_ca.problems() == []


def test_lego_proves_a_wildcard_by_dns_for_its_usage_fqdn_only(jprs_ca: Ca, tmp_path: Path) -> None:
    steer = steering(jprs_ca, tmp_path)
    hook = f"""#!/bin/sh
    case "$1" in
      present) {steer} set-txt "$2" "$3" ;;
      *) {steer} clear-txt "$2" ;;
    esac
    """
    program = script(tmp_path / "hook", hook)
    lego = Lego(jprs_ca, tmp_path, jprs_ca.credentials("lego", [(f"*.{NAME}", "1m")]))
    proof = ["--dns", "exec", "--dns.resolvers", jprs_ca.dns, "--dns.disable-cp"]
    lego.run("--domains", f"*.{NAME}", *proof, "run", dns_program=program)
    jprs_ca.issued(lego.chain(f"_.{NAME}"), f"*.{NAME}")
    assert jprs_ca.problems() == []
    said = lego.run("--domains", f"mail.{NAME}", *proof, "run", code=1, dns_program=program)
    assert f"mail.{NAME}" in said
    assert jprs_ca.problems() == [("newOrder", "rejectedIdentifier")]
