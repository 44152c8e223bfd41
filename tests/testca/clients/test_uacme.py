"""uacme: register, issue by each kind of proof, renew, change the account's key, revoke, deactivate."""

from __future__ import annotations

from pathlib import Path

from tests import needs
from tests.testca.clients.host import Ca, Credentials, Program, run, script, steering, trusting, webroot

NAME = "uacme.example.jp"
#: It asks for an account that is there before it makes one.
LOOKED = ("newAccount", "accountDoesNotExist")


class Uacme:
    """One configuration folder of it."""

    def __init__(self, ca: Ca, folder: Path, credentials: Credentials, hook: str) -> None:
        uacme = needs.program("uacme")
        self.folder = folder / "uacme"
        # a hook that gives a kind of proof back is asked about the next: METHOD TYPE IDENT TOKEN AUTH
        self._hook = script(folder / "hook", f"#!/bin/sh\n{hook}\n")
        self._common = [*trusting(ca.trust), uacme, "--acme-url", ca.directory, "--confdir", str(self.folder), "--yes"]
        eab = f"{credentials.key_id}:{credentials.hmac_key}"
        self.run("--eab", eab, "new", "admin@example.jp")

    def run(self, *arguments: str, code: int = 0) -> str:
        return run(*self._common, *arguments, code=code)

    def issue(self, *names: str, code: int = 0) -> Path:
        """Issue, or renew what is there."""
        self.run("--hook", self._hook, "--type", "EC", "--force", "issue", *names, code=code)
        return self.folder / names[0].removeprefix("*.") / "cert.pem"


def test_uacme_issues_by_http_renews_and_revokes(open_ca: Ca, tmp_path: Path) -> None:
    credentials = open_ca.credentials("uacme")
    with webroot(tmp_path, open_ca.http_port) as answers:
        hook = f"""
        [ "$2" = http-01 ] || exit 1
        case "$1" in
          begin) printf %s "$5" >"{answers}/$4" ;;
          *) rm "{answers}/$4" ;;
        esac"""
        uacme = Uacme(open_ca, tmp_path, credentials, hook)
        chain = uacme.issue(NAME, f"www.{NAME}")
        first = open_ca.issued(chain, NAME, f"www.{NAME}")
        uacme.run("newkey")
        uacme.issue(NAME, f"www.{NAME}")
        assert not list(answers.iterdir())
    second = open_ca.issued(chain, NAME, f"www.{NAME}")
    assert second.serial_number != first.serial_number
    old = next(path for path in chain.parent.glob("cert-*.pem"))
    uacme.run("--reason", "4", "revoke", str(old))
    assert open_ca.status(first) == ("Revoked", 4)
    uacme.run("--reason", "1", "revoke", str(chain), str(uacme.folder / "private" / NAME / "key.pem"))
    assert open_ca.status(second) == ("Revoked", 1)
    uacme.run("deactivate")
    assert open_ca.account_of(credentials)["account_status"] == "deactivated"
    assert open_ca.answers("newAccount").count(201) == 1
    assert open_ca.answers("keyChange") == [200]
    assert open_ca.answers("revokeCert") == [200, 200]
    assert open_ca.problems() == [LOOKED]


def test_uacme_proves_a_wildcard_by_dns_for_its_usage_fqdn_only(jprs_ca: Ca, tmp_path: Path) -> None:
    credentials = jprs_ca.credentials("uacme", [(f"*.{NAME}", "1y")])
    steer = steering(jprs_ca, tmp_path)
    hook = f"""
    [ "$2" = dns-01 ] || exit 1
    case "$1" in
      begin) {steer} set-txt "_acme-challenge.$3" "$5" ;;
      *) {steer} clear-txt "_acme-challenge.$3" ;;
    esac"""
    uacme = Uacme(jprs_ca, tmp_path, credentials, hook)
    first = jprs_ca.issued(uacme.issue(f"*.{NAME}", NAME), f"*.{NAME}", NAME)
    second = jprs_ca.issued(uacme.issue(f"*.{NAME}", NAME), f"*.{NAME}", NAME)
    assert first.serial_number != second.serial_number
    uacme.issue(f"mail.{NAME}", code=2)
    assert jprs_ca.problems() == [LOOKED, ("newOrder", "rejectedIdentifier")]


def test_uacme_proves_by_tls_with_ualpn(open_ca: Ca, tmp_path: Path) -> None:
    ualpn, socket = needs.program("ualpn"), tmp_path / "ualpn.sock"
    hook = f"""
    [ "$2" = tls-alpn-01 ] || exit 1
    case "$1" in
      begin) said=$(echo "auth $3 $5" | {ualpn} --sock {socket}) ;;
      *) said=$(echo "unauth $3" | {ualpn} --sock {socket}) ;;
    esac
    [ "$said" = OK ]"""
    credentials = open_ca.credentials("uacme")
    # what is no proof it would hand on to a web server, which here is not there
    server = [ualpn, "--bind", f"127.0.0.1@{open_ca.tls_port}", "--connect", "127.0.0.1@9", "--sock", str(socket)]
    with Program(*server, "--num-workers", "1", "--verbose", "--verbose") as running:
        running.until("new worker starting")
        uacme = Uacme(open_ca, tmp_path, credentials, hook)
        open_ca.issued(uacme.issue(f"tls.{NAME}"), f"tls.{NAME}")
    assert open_ca.problems() == [LOOKED]
