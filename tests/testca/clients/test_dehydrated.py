"""dehydrated: register, issue by HTTP, DNS and TLS, renew, revoke, deactivate the account."""

from __future__ import annotations

import os
from pathlib import Path

from tests import needs
from tests.testca.clients.host import Ca, Credentials, alpn_server, run, script, steering, webroot

NAME = "dehydrated.example.jp"


class Dehydrated:
    """One configuration of it, registered."""

    def __init__(self, ca: Ca, folder: Path, credentials: Credentials, **settings: str) -> None:
        for needed in ("curl", "hexdump"):  # it takes the octets of the credentials apart by the latter
            needs.program(needed)
        self.folder = folder / "dehydrated"
        self.folder.mkdir()
        self._config = folder / "config"
        hurry = folder / "hurry"
        hurry.mkdir()
        script(hurry / "sleep", "#!/bin/sh\nexec /bin/sleep 0.1\n")  # it waits whole seconds for what is done at once
        self._environment = {"CURL_CA_BUNDLE": str(ca.trust), "PATH": f"{hurry}:{os.environ['PATH']}"}
        common = {
            "CA": ca.directory,
            "BASEDIR": str(self.folder),
            "CONTACT_EMAIL": "admin@example.jp",
            "EAB_KID": credentials.key_id,
            "EAB_HMAC_KEY": credentials.hmac_key,
            "ACCOUNT_KEYSIZE": "2048",
            "KEYSIZE": "2048",
        }
        self._config.write_text("".join(f"{key}='{value}'\n" for key, value in (common | settings).items()))
        self.run("--register", "--accept-terms")

    def run(self, *arguments: str, code: int = 0) -> str:
        dehydrated = needs.program("dehydrated")
        return run(dehydrated, "--config", str(self._config), *arguments, code=code, **self._environment)

    def issue(self, *names: str, code: int = 0) -> Path:
        """Issue, or renew what is there."""
        domains = [part for name in names for part in ("--domain", name)]
        self.run("--cron", "--force", *domains, "--alias", "site", code=code)
        return self.folder / "certs" / "site" / "fullchain.pem"


def test_dehydrated_issues_by_http_renews_and_revokes(open_ca: Ca, tmp_path: Path) -> None:
    credentials = open_ca.credentials("dehydrated")
    with webroot(tmp_path, open_ca.http_port) as answers:
        dehydrated = Dehydrated(open_ca, tmp_path, credentials, WELLKNOWN=str(answers))
        chain = dehydrated.issue(NAME)
        first = open_ca.issued(chain, NAME)
        dehydrated.issue(NAME)
    second = open_ca.issued(chain, NAME)
    assert first.serial_number != second.serial_number
    dehydrated.run("--revoke", str(chain.with_name("cert.pem").resolve()))
    assert open_ca.status(second)[0] == "Revoked"
    assert open_ca.status(first) == ("Valid", None)
    dehydrated.run("--deactivate")
    assert open_ca.account_of(credentials)["account_status"] == "deactivated"
    assert open_ca.answers("newAccount").count(201) == 1
    assert open_ca.answers("revokeCert") == [200]
    assert open_ca.problems() == []


def test_dehydrated_proves_a_wildcard_by_dns_for_its_usage_fqdn_only(jprs_ca: Ca, tmp_path: Path) -> None:
    steer = steering(jprs_ca, tmp_path)
    hook = f"""#!/bin/sh
    case "$1" in
      deploy_challenge) {steer} set-txt "_acme-challenge.$2" "$4" ;;
      clean_challenge) {steer} clear-txt "_acme-challenge.$2" ;;
    esac
    """
    credentials = jprs_ca.credentials("dehydrated", [(f"*.{NAME}", "1y")])
    settings = {"CHALLENGETYPE": "dns-01", "HOOK": script(tmp_path / "hook", hook), "KEY_ALGO": "prime256v1"}
    dehydrated = Dehydrated(jprs_ca, tmp_path, credentials, **settings)
    jprs_ca.issued(dehydrated.issue(f"*.{NAME}", NAME), f"*.{NAME}", NAME)
    assert jprs_ca.problems() == []
    dehydrated.issue(f"mail.{NAME}", code=1)
    assert jprs_ca.problems() == [("newOrder", "rejectedIdentifier")]


def test_dehydrated_proves_by_tls(open_ca: Ca, tmp_path: Path) -> None:
    proofs = tmp_path / "alpn"
    proofs.mkdir()
    credentials = open_ca.credentials("dehydrated")
    settings = {"CHALLENGETYPE": "tls-alpn-01", "ALPNCERTDIR": str(proofs), "KEY_ALGO": "secp384r1"}
    with alpn_server(proofs, open_ca.tls_port):
        dehydrated = Dehydrated(open_ca, tmp_path, credentials, **settings)
        open_ca.issued(dehydrated.issue(f"tls.{NAME}"), f"tls.{NAME}")
    assert open_ca.problems() == []
