"""Orders, proofs and certificates, seen from outside (RFC 8555 §7.1.6, §7.4, §7.5)."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID

from jprs_client.testca.problems import Problem
from tests.testca.in_process import CaInProcess, Client, csr, der, leaf

# orders


@pytest.mark.parametrize(
    ("payload", "status", "problem"),
    [
        ({}, 400, "malformed"),
        ({"identifiers": []}, 400, "malformed"),
        ({"identifiers": None}, 400, "malformed"),
        ({"identifiers": [{"type": "dns"}]}, 400, "malformed"),
        ({"identifiers": [{"type": "ip", "value": "127.0.0.1"}]}, 400, "unsupportedIdentifier"),
        ({"identifiers": [{"type": "dns", "value": "127.0.0.1"}]}, 400, "rejectedIdentifier"),
        ({"identifiers": [{"type": "dns", "value": "a_b.jp"}]}, 400, "rejectedIdentifier"),
        ({"identifiers": [{"type": "dns", "value": "*.co.jp"}]}, 400, "rejectedIdentifier"),
        ({"identifiers": [{"type": "dns", "value": f"a{n}.jp"} for n in range(101)]}, 400, "malformed"),
        ({"identifiers": [{"type": "dns", "value": "a.jp"}], "notAfter": "2027-01-01T00:00:00Z"}, 400, "malformed"),
        ({"identifiers": [{"type": "dns", "value": "a.jp"}], "profile": "short"}, 400, "invalidProfile"),
        ({"identifiers": [{"type": "dns", "value": "a.jp"}], "replaces": "x.y"}, 400, "malformed"),
        ({"identifiers": [{"type": "dns", "value": "a.jp"}], "replaces": 1}, 400, "malformed"),
    ],
)
def test_an_order_is_refused_with_its_reason(
    client: Client, payload: dict[str, Any], status: int, problem: str
) -> None:
    answer = client.post("/acme/new-order", payload)
    assert (answer.status, answer.problem) == (status, problem)


def test_every_name_that_is_refused_is_named_with_its_reason(client: Client) -> None:
    wrong = [("dns", "a_b.jp"), ("dns", "good.jp"), ("ip", "192.0.2.1"), ("dns", "10.0.0.1")]
    payload = {"identifiers": [{"type": kind, "value": value} for kind, value in wrong]}
    answer = client.post("/acme/new-order", payload)
    assert (answer.status, answer.problem) == (400, "compound")
    assert "identifier" not in answer.json
    assert [(each["identifier"]["type"], each["identifier"]["value"]) for each in answer.json["subproblems"]] == [
        ("dns", "a_b.jp"),
        ("ip", "192.0.2.1"),
        ("dns", "10.0.0.1"),
    ]
    kinds = [each["type"].rpartition(":")[2] for each in answer.json["subproblems"]]
    assert kinds == ["rejectedIdentifier", "unsupportedIdentifier", "rejectedIdentifier"]
    for nothing in ({"type": "dns", "value": ""}, {"value": "a.jp"}, {"type": 1, "value": "a.jp"}, "a.jp"):
        assert client.post("/acme/new-order", {"identifiers": [nothing]}).problem == "malformed"


@pytest.mark.parametrize("label", ["xn--bcher-kva", "xn--fa-hia", "xn--nxasmm1c", "xn--lcka6bwa0bnl60b", "xn--ll-0ea"])
def test_a_name_in_another_script_is_a_name(client: Client, label: str) -> None:
    assert client.order(f"{label}.jp", f"*.{label.upper()}.jp").status == 201


@pytest.mark.parametrize(
    "label", ["xn--", "xn--abc", "xn--0", "xn--a-ecp", "xn--ls8h", "xn--pwa", "xn--zj7c", "xn--bcher-kva-"]
)
def test_an_a_label_is_properly_encoded(client: Client, label: str) -> None:
    """RFC 8555 §7.1.4."""
    answer = client.order(f"{label}.jp")
    assert (answer.status, answer.problem) == (400, "rejectedIdentifier")


def test_an_order_has_a_profile(client: Client) -> None:
    offered = client.ca.get("/dir").json["meta"]["profiles"]
    assert list(offered) == ["classic", "shortlived"]
    assert client.order("a.jp").json["profile"] == "classic"
    chosen = client.order("a.jp", profile="shortlived")
    assert client.read(chosen.headers["location"]).json["profile"] == "shortlived"
    for unknown in ("Classic", "", 7, ["classic"]):
        refused = client.order("a.jp", profile=unknown)
        assert (refused.status, refused.problem) == (400, "invalidProfile")


def test_a_ca_without_profiles_does_not_know_them() -> None:
    with CaInProcess(open=True, profiles={}) as ca:
        assert "profiles" not in ca.get("/dir").json["meta"]
        assert "profile" not in Client(ca).order("a.jp", profile="classic").json


def test_proofs_are_used_again_where_the_ca_is_told_to() -> None:
    with CaInProcess(open=True, reuse=100) as ca:
        client = Client(ca)
        first = client.order("a.jp")
        assert client.order("a.jp").json["authorizations"] != first.json["authorizations"]  # nothing is proved yet
        client.prove(first)
        again = client.order("a.jp")
        assert again.json["status"] == "ready"
        assert again.json["authorizations"] == first.json["authorizations"]
        assert client.finalize(again, csr(["a.jp"])).status == 200
        mixed = client.order("a.jp", "*.a.jp")
        assert mixed.json["status"] == "pending"
        assert mixed.json["authorizations"][0] == first.json["authorizations"][0]
        assert client.read(mixed.json["authorizations"][1]).json["status"] == "pending"
        assert Client(ca).order("a.jp").json["status"] == "pending"
        ca.manage("POST", "/clock", {"advance": 25 * 86400})
        late = client.order("a.jp").json
        assert late["expires"] == client.read(late["authorizations"][0]).json["expires"]
        client.post(late["authorizations"][0], {"status": "deactivated"})
        assert client.order("a.jp").json["status"] == "pending"


def test_a_certificate_has_other_chains(client: Client) -> None:
    order = client.order("a.jp")
    client.prove(order)
    client.finalize(order, csr(["a.jp"]))
    client.ca.settle()
    where = client.read(order.headers["location"]).json["certificate"]
    default = client.read(where)
    others = [link[1 : link.index(">")] for link in default.links if link.endswith('rel="alternate"')]
    assert others
    for other in others:
        chain = client.read(other)
        assert chain.headers["content-type"] == "application/pem-certificate-chain"
        assert der(leaf(chain.body)) == der(leaf(default.body))
        assert chain.body != default.body
        back = [link[1 : link.index(">")] for link in chain.links if link.endswith('rel="alternate"')]
        assert {*back, other} == {where, *others}
        assert Client(client.ca).read(other).problem == "unauthorized"
    for nothing in ("0", "99", "x", "01", ""):
        assert client.read(f"{where}/{nothing}").status == 404


def test_a_ca_that_wants_patience_says_how_much() -> None:
    with CaInProcess(open=True, ask_again=3) as ca:
        client = Client(ca)
        made = client.order("example.jp")
        taken = client.post(client.challenges(made.json["authorizations"][0])["dns-01"]["url"], {})
        assert taken.headers["retry-after"] == "3"
        ca.settle()
        assert client.finalize(made, csr(["example.jp"])).headers["retry-after"] == "3"
        ca.settle()


def test_an_order_goes_from_pending_by_ready_and_processing_to_valid(client: Client) -> None:
    made = client.order("EXAMPLE.jp", "www.example.jp", "example.jp")
    assert made.status == 201
    order = made.json
    assert order["status"] == "pending"
    assert [each["value"] for each in order["identifiers"]] == ["example.jp", "www.example.jp"]
    early = client.finalize(made, csr(["example.jp", "www.example.jp"]))
    assert (early.status, early.problem) == (403, "orderNotReady")

    authorization = order["authorizations"][0]
    assert client.read(authorization).json["identifier"] == {"type": "dns", "value": "example.jp"}
    challenges = client.challenges(authorization)
    assert set(challenges) == {"http-01", "dns-01", "tls-alpn-01"}
    taken = client.post(challenges["http-01"]["url"], {})
    assert taken.json["status"] == "processing"
    assert "retry-after" not in taken.headers
    assert f'<{authorization}>;rel="up"' in taken.links
    client.ca.settle()
    decided = client.read(authorization).json
    assert decided["status"] == "valid"
    assert [(each["type"], each["status"]) for each in decided["challenges"]] == [("http-01", "valid")]
    assert "validated" in decided["challenges"][0]
    assert client.read(made.headers["location"]).json["status"] == "pending"
    second = order["authorizations"][1]
    client.post(client.challenges(second)["dns-01"]["url"], {})
    client.ca.settle()
    assert client.read(made.headers["location"]).json["status"] == "ready"

    finalized = client.finalize(made, csr(["example.jp", "www.example.jp"]))
    assert finalized.json["status"] == "processing"
    assert "retry-after" not in finalized.headers
    client.ca.settle()
    done = client.read(made.headers["location"]).json
    assert done["status"] == "valid"
    chain = client.read(done["certificate"])
    assert chain.headers["content-type"] == "application/pem-certificate-chain"
    assert chain.body.count(b"BEGIN CERTIFICATE") == 2
    again = client.finalize(made, csr(["example.jp", "www.example.jp"]))
    assert (again.status, again.problem) == (403, "orderNotReady")
    assert Client(client.ca).read(done["certificate"]).problem == "unauthorized"


def test_a_wildcard_is_proved_by_dns_alone(client: Client) -> None:
    order = client.order("*.example.jp").json
    authorization = client.read(order["authorizations"][0]).json
    assert authorization["identifier"]["value"] == "example.jp"
    assert authorization["wildcard"] is True
    assert [each["type"] for each in authorization["challenges"]] == ["dns-01"]
    plain = client.order("example.jp").json
    assert "wildcard" not in client.read(plain["authorizations"][0]).json


def test_a_failed_proof_makes_the_order_invalid_and_names_what_was_seen(client: Client) -> None:
    client.ca.world.failing["b.jp"] = Problem("connection", "b.jp: refused")
    order = client.order("a.jp", "b.jp")
    client.prove(order)
    shown = client.read(order.headers["location"]).json
    assert shown["status"] == "invalid"
    assert shown["error"]["type"].endswith(":connection")
    assert [each["identifier"]["value"] for each in shown["error"]["subproblems"]] == ["b.jp"]
    failed = client.read(order.json["authorizations"][1]).json
    assert failed["status"] == "invalid"
    assert failed["challenges"][0]["error"]["detail"] == "b.jp: refused"
    assert client.post(failed["challenges"][0]["url"], {}).problem == "malformed"


def test_caa_forbids_with_what_was_found(client: Client) -> None:
    policies = [{"tag": "issue", "value": "other.test"}]
    client.ca.manage("POST", "/add-caa", {"host": "a.jp", "policies": policies})
    order = client.order("a.jp")
    client.prove(order)
    error = client.read(order.headers["location"]).json["error"]
    assert error["type"].endswith(":caa")
    assert "other.test" in error["detail"]


def test_caa_set_after_the_proof_still_forbids(client: Client) -> None:
    order = client.order("a.jp")
    client.prove(order)
    policies = [{"tag": "issue", "value": ";"}]
    client.ca.manage("POST", "/add-caa", {"host": "a.jp", "policies": policies})
    client.finalize(order, csr(["a.jp"]))
    client.ca.settle()
    shown = client.read(order.headers["location"]).json
    assert (shown["status"], shown["error"]["type"]) == ("invalid", "urn:ietf:params:acme:error:caa")


def test_an_authorization_can_be_given_up(client: Client) -> None:
    order = client.order("a.jp")
    authorization = order.json["authorizations"][0]
    assert client.post(authorization, {"status": "valid"}).problem == "malformed"
    assert client.post(authorization, {"status": "deactivated"}).json["status"] == "deactivated"
    assert client.post(authorization, {"status": "deactivated"}).problem == "malformed"
    assert client.read(order.headers["location"]).json["status"] == "invalid"


def test_orders_and_proofs_expire(client: Client) -> None:
    order = client.order("a.jp")
    client.ca.manage("POST", "/clock", {"advance": 8 * 86400})
    shown = client.read(order.headers["location"]).json
    assert shown["status"] == "invalid"
    assert client.read(order.json["authorizations"][0]).json["status"] == "expired"
    assert client.read(client.kid + "/orders").json["orders"] == []


def test_what_is_another_accounts_stays_closed(client: Client) -> None:
    order = client.order("a.jp")
    other = Client(client.ca)
    authorization = order.json["authorizations"][0]
    challenge = client.challenges(authorization)["dns-01"]["url"]
    for path in (order.headers["location"], authorization, challenge):
        assert other.read(path).problem == "unauthorized"
    assert other.finalize(order, csr(["a.jp"])).problem == "unauthorized"
    for path in ("/acme/order/x", "/acme/authorization/x", "/acme/certificate/ff", challenge + "x"):
        assert client.read(path).status == 404


# certificate requests


def test_a_csr_that_is_not_as_ordered_is_refused_and_the_order_stays_ready(client: Client) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    order = client.order("a.jp", "b.jp")
    client.prove(order)
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - what is to be refused
    odd = rsa.generate_private_key(3, 2048)
    good = csr(["a.jp", "b.jp"])
    broken = good[:-10] + bytes(10)
    for bad in (
        csr(["a.jp"]),
        csr(["a.jp", "b.jp", "c.jp"]),
        csr(["a.jp", "b.jp"], common_name="c.jp"),
        csr([]),
        csr(["a.jp", "b.jp"], weak),
        csr(["a.jp", "b.jp"], odd),
        csr(["a.jp", "b.jp"], ec.generate_private_key(ec.SECP521R1())),
        csr(["a.jp", "b.jp"], client.key.key),
        csr(["a.jp", "b.jp"], Client(client.ca).key.key),
        csr(["a.jp", "b.jp"], digest=hashes.SHA224()),
        broken,
        good + b"x",
        b"",
    ):
        answer = client.finalize(order, bad)
        assert (answer.status, answer.problem) == (400, "badCSR")
    assert client.post(order.json["finalize"], {"csr": "=="}).problem == "malformed"
    assert client.post(order.json["finalize"], {}).problem == "malformed"
    assert client.read(order.headers["location"]).json["status"] == "ready"
    assert client.finalize(order, csr(["B.jp"], common_name="A.jp")).status == 200


def test_a_csr_for_more_than_dns_names_is_refused(client: Client) -> None:
    order = client.order("a.jp")
    client.prove(order)
    names = x509.SubjectAlternativeName([x509.DNSName("a.jp")])
    address = x509.SubjectAlternativeName([x509.DNSName("a.jp"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    key = ec.generate_private_key(ec.SECP256R1())
    for bad in (
        builder.add_extension(address, False).sign(key, hashes.SHA256()),
        builder.add_extension(names, False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256()),
        builder.add_extension(names, False).sign(ed25519.Ed25519PrivateKey.generate(), None),
        *(
            builder.add_extension(names, False).add_extension(asked, critical).sign(key, hashes.SHA256())
            for asked, critical in (
                (x509.TLSFeature([x509.TLSFeatureType.status_request]), False),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
                (_key_usage(key_cert_sign=True), True),
                (_key_usage(crl_sign=True), True),
                (x509.NameConstraints([x509.DNSName("a.jp")], None), True),
                (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),
            )
        ),
    ):
        answer = client.finalize(order, bad.public_bytes(serialization.Encoding.DER))
        assert (answer.status, answer.problem) == (400, "badCSR")
    # What hurts nobody is passed over: acme.sh asks for clientAuth, OpenSSL's defaults for more.
    harmless = (
        builder.add_extension(names, False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .add_extension(_key_usage(digital_signature=True, content_commitment=True), False)
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False)
        .sign(key, hashes.SHA256())
    )
    assert client.finalize(order, harmless.public_bytes(serialization.Encoding.DER)).status == 200


def _key_usage(**asked: bool) -> x509.KeyUsage:
    uses = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{use: asked.get(use, False) for use in uses})


def test_every_perspective_has_to_see_the_proof(client: Client) -> None:
    from tests.testca.in_process import World

    far = World(client.ca.ca.resolver, {"a.jp": Problem("connection", "a.jp: filtered here")}, "far away")
    client.ca.ca.perspectives.append(far)
    order = client.order("a.jp")
    client.prove(order)
    assert "filtered here" in client.read(order.headers["location"]).json["error"]["detail"]
    assert [proof.name for proof in client.ca.world.seen] == ["a.jp"]
