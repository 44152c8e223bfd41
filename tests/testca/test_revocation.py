"""Revocation (RFC 8555 §7.6; 第11条) and renewal information (RFC 9773)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.testca.in_process import START, AccountKey, Client, b64, csr, der, leaf

# revocation


def revoke(client: Client, certificate: bytes, **more: Any) -> Any:
    return client.post("/acme/revoke-cert", {"certificate": b64(certificate), **more})


@pytest.mark.parametrize("reason", [0, 1, 3, 4, 5])
def test_a_subscriber_revokes_with_its_reason_which_stands_in_the_crl(client: Client, reason: int) -> None:
    certificate = leaf(client.issue("a.jp"))
    assert revoke(client, der(certificate), reason=reason).status == 200
    again = revoke(client, der(certificate))
    assert (again.status, again.problem) == (400, "alreadyRevoked")
    entry = client.ca.crl().get_revoked_certificate_by_serial_number(certificate.serial_number)
    assert entry is not None
    codes = {str(extension.value.reason) for extension in entry.extensions if hasattr(extension.value, "reason")}
    names = {1: "keyCompromise", 3: "affiliationChanged", 4: "superseded", 5: "cessationOfOperation"}
    assert {code.removeprefix("ReasonFlags.").replace("_", "").lower() for code in codes} == (
        {names[reason].lower()} if reason else set()
    )
    status = client.ca.manage("GET", f"/cert-status-by-serial/{certificate.serial_number:x}").json
    assert (status["Status"], status["Reason"]) == ("Revoked", reason)


@pytest.mark.parametrize("reason", [2, 6, 7, 8, 9, 10, 11, -1, "1", 1.0, True])
def test_other_reasons_are_refused(client: Client, reason: object) -> None:
    answer = revoke(client, der(leaf(client.issue("a.jp"))), reason=reason)
    assert (answer.status, answer.problem) == (400, "badRevocationReason")


def test_the_certificates_own_key_may_revoke_and_is_never_certified_again(client: Client) -> None:
    key = AccountKey()
    certificate = der(leaf(client.issue("a.jp", key=key.key)))
    stranger = client.ca.post("/acme/revoke-cert", {"certificate": b64(certificate)}, AccountKey())
    assert (stranger.status, stranger.problem) == (403, "unauthorized")
    assert client.ca.post("/acme/revoke-cert", {"certificate": b64(certificate), "reason": 4}, key).status == 200
    serial = leaf(client.read(_only_certificate(client)).body).serial_number
    assert client.ca.manage("GET", f"/cert-status-by-serial/{serial:x}").json["Reason"] == 1
    order = client.order("a.jp")
    client.prove(order)
    assert client.finalize(order, csr(["a.jp"], key.key)).problem == "badCSR"


def test_the_key_of_a_revoked_certificate_that_shows_itself_is_blocked(client: Client) -> None:
    key = AccountKey()
    certificate = der(leaf(client.issue("a.jp", key=key.key)))
    assert revoke(client, certificate, reason=4).status == 200
    again = client.ca.post("/acme/revoke-cert", {"certificate": b64(certificate), "reason": 1}, key)
    assert (again.status, again.problem) == (400, "alreadyRevoked")
    order = client.order("b.jp")
    client.prove(order)
    assert client.finalize(order, csr(["b.jp"], key.key)).problem == "badCSR"


def _only_certificate(client: Client) -> str:
    (order,) = client.read(client.kid + "/orders").json["orders"]
    return str(client.read(order).json["certificate"])


def test_who_has_proved_every_name_may_revoke(client: Client) -> None:
    certificate = der(leaf(client.issue("a.jp", "b.jp")))
    other = Client(client.ca)
    assert revoke(other, certificate).problem == "unauthorized"
    other.prove(other.order("a.jp"))
    assert revoke(other, certificate).problem == "unauthorized"
    other.prove(other.order("b.jp"))
    assert revoke(other, certificate, reason=1).status == 200
    serial = leaf(client.read(_only_certificate(client)).body).serial_number
    assert client.ca.manage("GET", f"/cert-status-by-serial/{serial:x}").json["Reason"] == 5


def test_what_is_no_certificate_of_this_ca_cannot_be_revoked(client: Client) -> None:
    for nothing in (b"\x30\x00", b""):
        answer = revoke(client, nothing)
        assert (answer.status, answer.problem) == (400, "malformed")
    assert client.post("/acme/revoke-cert", {}).problem == "malformed"
    foreign = x509.load_der_x509_certificate(client.ca.ask(client.ca.pki, "GET", "/roots/0.cer").body)
    unknown = revoke(client, der(foreign))
    assert (unknown.status, unknown.problem) == (404, "malformed")
    certificate = der(leaf(client.issue("a.jp")))
    client.ca.manage("POST", "/clock", {"advance": 100 * 86400})
    assert revoke(client, certificate).problem == "unauthorized"


def test_a_precertificate_is_not_the_certificate(client: Client) -> None:
    certificate = leaf(client.issue("a.jp"))
    key = ec.generate_private_key(ec.SECP256R1())
    alike = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.issuer)
        .public_key(certificate.public_key())
        .serial_number(certificate.serial_number)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
        .add_extension(x509.PrecertPoison(), critical=True)
        .sign(key, hashes.SHA256())
    )
    answer = revoke(client, der(alike))
    assert (answer.status, answer.problem) == (404, "malformed")
    assert "precertificate" in answer.json["detail"]
    assert revoke(client, der(certificate)).status == 200


# renewal information


def ari_path(chain: bytes) -> str:
    certificate = leaf(chain)
    identifier = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert identifier is not None
    serial = certificate.serial_number
    return f"{b64(identifier)}.{b64(serial.to_bytes(serial.bit_length() // 8 + 1, 'big'))}"


def test_renewal_is_suggested_and_replaces_names_the_predecessor_once(client: Client) -> None:
    chain = client.issue("a.jp", "b.jp")
    name = ari_path(chain)
    answer = client.ca.get(f"/acme/renewal-info/{name}")
    assert answer.headers["retry-after"] == "21600"
    window = answer.json["suggestedWindow"]
    assert leaf(chain).not_valid_before_utc.isoformat() < window["start"] < window["end"]
    assert client.ca.get(f"/acme/renewal-info/{b64(b'x')}.{b64(b'y')}").status == 404
    for garbage in ("x.y", "xx", "AA.AA.AA", "AA.", "A=.AA"):
        refused = client.ca.get(f"/acme/renewal-info/{garbage}")
        assert (refused.status, refused.problem) == (400, "malformed")

    assert client.order("c.jp", replaces=name).problem == "malformed"
    assert Client(client.ca).order("a.jp", replaces=name).problem == "unauthorized"
    assert client.order("a.jp", replaces=name).json["replaces"] == name
    again = client.order("a.jp", replaces=name)
    assert (again.status, again.problem) == (409, "alreadyReplaced")

    revoke(client, der(leaf(chain)))
    assert client.ca.get(f"/acme/renewal-info/{name}").json["suggestedWindow"]["end"] < "2026-11-22T03:00:00Z"


def test_renewal_information_can_be_told(client: Client) -> None:
    name = ari_path(client.issue("a.jp"))
    certificate = client.ca.ca.book.by_ari_id(name)
    assert certificate is not None
    certificate.renewal_info = {
        "start": START,
        "end": "2026-11-23T00:00:00Z",
        "explanation_url": "https://ca.test/why",
        "retry_after": 60,
    }
    answer = client.ca.get(f"/acme/renewal-info/{name}")
    assert answer.json == {
        "suggestedWindow": {"start": "2026-11-22T03:00:00Z", "end": "2026-11-23T00:00:00Z"},
        "explanationURL": "https://ca.test/why",
    }
    assert answer.headers["retry-after"] == "60"
    certificate.renewal_info = {"explanation_url": "https://ca.test/why"}
    answer = client.ca.get(f"/acme/renewal-info/{name}")
    assert answer.json["suggestedWindow"]["start"] > "2027"
    assert answer.headers["retry-after"] == "21600"


def test_a_replacement_may_be_tried_again_after_its_order_failed(client: Client) -> None:
    name = ari_path(client.issue("a.jp"))
    order = client.order("a.jp", replaces=name)
    client.post(order.json["authorizations"][0], {"status": "deactivated"})
    assert client.read(order.headers["location"]).json["status"] == "invalid"
    assert client.order("a.jp", replaces=name).status == 201
