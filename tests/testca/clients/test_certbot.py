"""certbot: register, issue by HTTP and DNS, renew, revoke, deactivate the account."""

from __future__ import annotations

from pathlib import Path

from tests import needs
from tests.testca.clients.host import Ca, Credentials, run, steering

NAME = "certbot.example.jp"


class Certbot:
    """One configuration folder of it; it registers when it first issues."""

    def __init__(self, ca: Ca, folder: Path, credentials: Credentials) -> None:
        self.live = folder / "config" / "live"
        folders = [part for kind in ("config", "work", "logs") for part in (f"--{kind}-dir", str(folder / kind))]
        self._common = ["--server", ca.directory, "--non-interactive", *folders]
        self._trust = {"REQUESTS_CA_BUNDLE": str(ca.trust)}
        self._eab = ["--eab-kid", credentials.key_id, "--eab-hmac-key", credentials.hmac_key]

    def run(self, *arguments: str, code: int = 0) -> str:
        return run(needs.program("certbot"), *arguments, *self._common, code=code, **self._trust)

    def issue(self, *arguments: str, code: int = 0) -> str:
        return self.run("certonly", "--agree-tos", "--email", "admin@example.jp", *self._eab, *arguments, code=code)

    def renew(self) -> None:
        self.run("renew", "--force-renewal", "--no-random-sleep-on-renew")

    def chain(self, name: str) -> Path:
        return self.live / name / "fullchain.pem"


def test_certbot_issues_by_http_renews_and_revokes(open_ca: Ca, tmp_path: Path) -> None:
    credentials = open_ca.credentials("certbot")
    certbot = Certbot(open_ca, tmp_path, credentials)
    proof = ["--standalone", "--http-01-port", str(open_ca.http_port)]
    certbot.issue(*proof, "-d", NAME, "-d", f"www.{NAME}")
    first = open_ca.issued(certbot.chain(NAME), NAME, f"www.{NAME}")
    certbot.renew()
    second = open_ca.issued(certbot.chain(NAME), NAME, f"www.{NAME}")
    assert first.serial_number != second.serial_number
    certbot.run("revoke", "--cert-name", NAME, "--reason", "superseded", "--no-delete-after-revoke")
    assert open_ca.status(second) == ("Revoked", 4)
    assert open_ca.status(first) == ("Valid", None)
    assert open_ca.answers("newAccount") == [201]
    assert open_ca.answers("revokeCert") == [200]
    assert open_ca.problems() == []


def test_certbot_proves_a_wildcard_by_dns_for_its_usage_fqdn_only(jprs_ca: Ca, tmp_path: Path) -> None:
    credentials = jprs_ca.credentials("certbot", [(f"*.{NAME}", "1y")])
    certbot = Certbot(jprs_ca, tmp_path, credentials)
    steer = steering(jprs_ca, tmp_path)
    hooks = [
        *("--manual-auth-hook", f'{steer} set-txt "_acme-challenge.$CERTBOT_DOMAIN" "$CERTBOT_VALIDATION"'),
        *("--manual-cleanup-hook", f'{steer} clear-txt "_acme-challenge.$CERTBOT_DOMAIN"'),
    ]
    proof = ["--manual", "--preferred-challenges", "dns", *hooks]
    certbot.issue(*proof, "-d", f"*.{NAME}", "-d", NAME)
    leaf = jprs_ca.issued(certbot.chain(NAME), f"*.{NAME}", NAME)
    key = certbot.live / NAME / "privkey.pem"
    chain = certbot.chain(NAME)
    certbot.run(
        *("revoke", "--cert-path", str(chain), "--key-path", str(key)),
        *("--reason", "keycompromise", "--no-delete-after-revoke"),
    )
    assert jprs_ca.status(leaf) == ("Revoked", 1)
    assert jprs_ca.problems() == []
    said = certbot.issue(*proof, "-d", f"mail.{NAME}", code=1)
    assert f"mail.{NAME}" in said
    assert jprs_ca.problems() == [("newOrder", "rejectedIdentifier")]
    certbot.run("unregister")
    assert jprs_ca.account_of(credentials)["account_status"] == "deactivated"
