"""The CA as a program: what it says, where it listens, what it leaves; and a certificate's life through real HTTPS."""

from __future__ import annotations

import ast
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from acme import challenges, client, errors, messages
from acme import crypto_util as acme_crypto
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy import jwa as josepy_jwa
from josepy import jwk as josepy_jwk

from jprs_client.testca.__main__ import OptionError, main, options
from tests.ca_process import ManagementRefusal, TestCaProcess


@pytest.fixture(scope="module")
def ca() -> Iterator[TestCaProcess]:
    with TestCaProcess() as running:
        yield running


class TrustingAdapter(requests.adapters.HTTPAdapter):
    """HTTPS that trusts one root."""

    def __init__(self, trust: Path) -> None:
        self._tls = ssl.create_default_context(cafile=str(trust))
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._tls)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context verifies."""


def acme_client(ca: TestCaProcess, eab: dict[str, str] | None = None) -> client.ClientV2:
    """Somebody else's client, with an account."""
    key = josepy_jwk.JWKEC(key=ec.generate_private_key(ec.SECP256R1()))
    network = client.ClientNetwork(key, alg=josepy_jwa.ES256)
    network.session.trust_env = False
    network.session.mount("https://", TrustingAdapter(ca.trust))
    directory = client.ClientV2.get_directory(ca.directory, network)
    acme = client.ClientV2(directory, network)
    binding = None
    if eab:
        binding = messages.ExternalAccountBinding.from_data(
            key.public_key(), eab["key_id"], eab["hmac_key"], directory, hmac_alg="HS256"
        )
    registration = messages.NewRegistration.from_data(
        email="admin@example.jp", terms_of_service_agreed=True, external_account_binding=binding
    )
    acme.new_account(registration)
    return acme


def prove_by_dns(ca: TestCaProcess, acme: client.ClientV2, order: messages.OrderResource) -> None:
    assert acme.net.key is not None
    for authorization in order.authorizations:
        (body,) = [each for each in authorization.body.challenges if isinstance(each.chall, challenges.DNS01)]
        response, validation = body.chall.response_and_validation(acme.net.key)
        host = body.chall.validation_domain_name(authorization.body.identifier.value)
        ca.post("/set-txt", {"host": host, "value": validation})
        acme.answer_challenge(body, response)


def issue(ca: TestCaProcess, acme: client.ClientV2, *names: str) -> list[x509.Certificate]:
    """A chain for `names`."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    order = acme.new_order(acme_crypto.make_csr(pem, list(names)))
    prove_by_dns(ca, acme, order)
    done = acme.poll_and_finalize(order)
    return x509.load_pem_x509_certificates(done.fullchain_pem.encode())


def test_a_certificates_life_through_real_https(ca: TestCaProcess) -> None:
    ca.clock_set("2027-03-01T03:00:00Z")
    identity, eab = ca.subscriber("Example", [("example.jp", "1m"), ("*.shop.jp", "1y")])
    acme = acme_client(ca, eab)
    with pytest.raises(messages.Error, match="made an account already"):
        acme_client(ca, eab)
    with pytest.raises(messages.Error, match=r"other\.jp"):
        issue(ca, acme, "example.jp", "other.jp")

    leaf, intermediate = issue(ca, acme, "example.jp", "www.example.jp", "*.shop.jp")
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["example.jp", "www.example.jp", "*.shop.jp"]
    assert leaf.not_valid_after_utc == datetime(2027, 5, 30, 14, 59, 59, tzinfo=UTC)
    leaf.verify_directly_issued_by(intermediate)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]

    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    found = {each.access_method: str(each.access_location.value) for each in access}
    issuer_url = found[x509.oid.AuthorityInformationAccessOID.CA_ISSUERS]
    with requests.get(issuer_url, timeout=10) as answer:
        assert x509.load_der_x509_certificate(answer.content) == intermediate
    points = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert points[0].full_name is not None
    crl_url = str(points[0].full_name[0].value)
    assert crl_url.startswith(ca.pki)

    ca.post(f"/jprs/subscribers/{identity}/terminate", {"name": "example.jp"})
    ca.clock_set("2027-05-01")
    with requests.get(crl_url, timeout=10) as answer:
        crl = x509.load_der_x509_crl(answer.content)
    entry = crl.get_revoked_certificate_by_serial_number(leaf.serial_number)
    assert entry is not None
    assert entry.revocation_date_utc == datetime(2027, 4, 30, 15, 0, tzinfo=UTC)
    with pytest.raises(messages.Error, match="alreadyRevoked"):
        acme.revoke(leaf, 0)
    shown = ca.get(f"/jprs/subscribers/{identity}")
    assert {each["name"]: each["status"] for each in shown["usage_fqdns"]} == {
        "example.jp": "ended",
        "*.shop.jp": "in-use",
    }
    acme.net.session.close()


def test_a_proof_that_is_not_there_is_named(ca: TestCaProcess) -> None:
    _, eab = ca.subscriber("Any", "any")
    acme = acme_client(ca, eab)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    order = acme.new_order(acme_crypto.make_csr(pem, ["absent.jp"]))
    (body,) = [each for each in order.authorizations[0].body.challenges if isinstance(each.chall, challenges.DNS01)]
    assert acme.net.key is not None
    acme.answer_challenge(body, body.chall.response(acme.net.key))
    with pytest.raises(errors.ValidationError) as caught:
        acme.poll_and_finalize(order)
    assert "no TXT record at _acme-challenge.absent.jp" in str(caught.value.failed_authzrs)
    acme.net.session.close()


def test_lost_answers_are_lost_and_the_deed_is_done(ca: TestCaProcess) -> None:
    tls = ssl.create_default_context(cafile=str(ca.trust))
    host, _, port = ca.directory.removeprefix("https://").removesuffix("/dir").partition(":")

    def directory() -> bytes:
        connection = http.client.HTTPSConnection(host, int(port), context=tls, timeout=10)
        try:
            connection.request("GET", "/dir")
            return connection.getresponse().read()
        finally:
            connection.close()

    for action, failure in (
        ("drop", http.client.RemoteDisconnected),
        ("drop-after", http.client.RemoteDisconnected),
        ("cut", http.client.IncompleteRead),
        ({"cut": 0}, http.client.IncompleteRead),
    ):
        ca.fault(action, endpoint="directory")
        with pytest.raises(failure):
            directory()
        assert json.loads(directory())["newNonce"]
    ca.fault({"delay": 0.05}, endpoint="directory")
    assert directory()
    ca.delete("/faults")
    assert ca.log()[-1]["endpoint"] == "directory"
    assert "Traceback" not in ca.stderr()


def test_the_management_side_refuses_with_a_reason(ca: TestCaProcess) -> None:
    with pytest.raises(ManagementRefusal, match="advance"):
        ca.post("/clock", {})
    before = ca.clock()
    assert (ca.advance(3600) - before).total_seconds() >= 3600


def test_https_is_valid_from_2020_to_2050(ca: TestCaProcess) -> None:
    host, _, port = ca.directory.removeprefix("https://").removesuffix("/dir").partition(":")
    tls = ssl.create_default_context(cafile=str(ca.trust))
    for name in ("localhost", "127.0.0.1"):
        with socket.create_connection((host, int(port))) as raw, tls.wrap_socket(raw, server_hostname=name) as shown:
            der = shown.getpeercert(binary_form=True)
    assert der
    certificate = x509.load_der_x509_certificate(der)
    assert (certificate.not_valid_before_utc.year, certificate.not_valid_after_utc.year) == (2020, 2049)


def test_it_ends_cleanly_and_leaves_nothing() -> None:
    process = TestCaProcess("--open", "--now", "2030-01-01")
    with process as ca:
        trust = ca.trust
        assert ca.clock().year == 2029  # 00:00 in Japan
        with urllib.request.urlopen(ca.pki + "/crl/0.crl") as answer:
            assert answer.headers["Content-Type"] == "application/pkix-crl"
        assert ca.stop() == 0
    assert not trust.exists()
    assert not trust.parent.exists()


def test_its_own_https_certificate_may_be_given(ca: TestCaProcess, tmp_path: Path) -> None:
    from jprs_client.testca.signer import https_certificate

    made = https_certificate()
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(made.chain_pem + made.trust_pem)
    key.write_bytes(made.key_pem)
    with TestCaProcess("--tls-cert", str(cert), "--tls-key", str(key), "--resolver", ca.dns) as other:
        assert other.trust == cert
        assert other.get("/clock")["now"]
        assert "dns" not in other._ready


def test_a_configuration_file_makes_subscribers(tmp_path: Path) -> None:
    config = tmp_path / "ca.toml"
    config.write_text(
        """
        now = 2028-02-29
        http-port = 5009
        [[subscriber]]
        name = "Example"
        usage_fqdns = [{ name = "example.jp", term = "1y" }]
        eab = { key_id = "known", hmac_key = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }
        """
    )
    with TestCaProcess("--config", str(config)) as ca:
        (shown,) = ca.get("/jprs/subscribers")
        assert (shown["name"], shown["key_id"]) == ("Example", "known")
        assert shown["usage_fqdns"][0]["status"] == "applied"
        assert ca.clock().isoformat().startswith("2028-02-28T15:00")
        eab = {"key_id": "known", "hmac_key": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}
        acme = acme_client(ca, eab)
        acme.net.session.close()


def test_pebbles_configuration_is_understood(tmp_path: Path) -> None:
    config = tmp_path / "pebble.json"
    pebble = {
        "listenAddress": "127.0.0.1:1",
        "httpPort": 5010,
        "externalAccountBindingRequired": True,
        "externalAccountMACKeys": {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"},
    }
    config.write_text(json.dumps({"pebble": pebble}))
    chosen = options(["serve", "--config", str(config), "--http-port", "5011"])
    assert chosen.doors.listen == ("127.0.0.1", 1)
    assert (chosen.settings.open, chosen.settings.require_eab) == (True, True)
    assert chosen.settings.http_port == 5011
    assert chosen.doors.subscribers[0]["eab"]["key_id"] == "kid-1"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--listen", "nowhere"],
        ["--http-port", "0"],
        ["--http-port", "x"],
        ["--now", "yesterday"],
        ["--now", "2026-11-22T00:00:00"],
        ["--tls-cert", "x"],
        ["--resolver", "127.0.0.1:53", "--mock-dns", "127.0.0.1:54"],
        ["--config", "/nonexistent"],
    ],
)
def test_options_that_cannot_be_used_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OptionError):
        options(["serve", *arguments])
    assert main(["serve", *arguments]) == 2
    assert capsys.readouterr().err.startswith("test-ca: ")


@pytest.mark.parametrize(
    "text", ["unknown = 1", "listen = 3", "open = 1", "= x", '{"pebble": 1}', "{", 'subscriber = [{ name = "x" }]']
)
def test_a_configuration_that_cannot_be_used_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "ca.toml"
    config.write_text(text)
    assert main(["serve", "--config", str(config), *_anywhere()]) == 2
    assert capsys.readouterr().err.startswith("test-ca: ")


def _anywhere() -> list[str]:
    return [part for option in ("--management", "--pki", "--mock-dns") for part in (option, "127.0.0.1:0")]


def test_only_the_loopback_is_listened_on_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--listen", "0.0.0.0:0", *_anywhere()]) == 1
    assert "loopback" in capsys.readouterr().err
    assert main(["serve", "--listen", "example.jp:0", *_anywhere()]) == 1
    assert "IP address" in capsys.readouterr().err


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--listen", f"127.0.0.1:{port}", *_anywhere()]) == 1
    assert f"port {port}" in capsys.readouterr().err


def test_it_imports_nothing_of_the_clients() -> None:
    script = (
        "import sys; from jprs_client.testca import server; "
        "print([m for m in sys.modules if m.startswith('jprs_') and not m.startswith('jprs_client.testca')])"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert set(ast.literal_eval(done.stdout)) == {"jprs_client", "jprs_client.version"}  # its package's own two
