"""The ACME side by the letter of RFC 8555: what is refused, with which problem, and what every answer has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jprs_client.testca.problems import Problem
from tests.testca.in_process import BASE, AccountKey, CaInProcess, Client, b64, csr, der, dumps, leaf, mac_jws


@pytest.fixture
def client(open_ca: CaInProcess) -> Client:
    return Client(open_ca)


# the directory and nonces


def test_the_directory_says_what_there_is(ca: CaInProcess) -> None:
    answer = ca.get("/dir")
    directory = answer.json
    assert answer.status == 200
    for resource in ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange", "renewalInfo"):
        assert directory[resource].startswith(BASE + "/acme/")
    meta = directory["meta"]
    assert meta["caaIdentities"] == ["jprs.jp"]
    assert meta["externalAccountRequired"] is True
    assert b"TEST - DO NOT TRUST" in ca.get(meta["termsOfService"]).body


def test_an_open_ca_needs_no_credentials_unless_told(open_ca: CaInProcess) -> None:
    assert "externalAccountRequired" not in open_ca.get("/dir").json["meta"]
    with CaInProcess(open=True, require_eab=True) as strict:
        assert strict.get("/dir").json["meta"]["externalAccountRequired"] is True
        answer = strict.post("/acme/new-account", {"termsOfServiceAgreed": True}, AccountKey())
        assert (answer.status, answer.problem) == (403, "externalAccountRequired")


def test_every_answer_has_a_nonce_and_the_way_to_the_directory(ca: CaInProcess) -> None:
    nonces = set()
    for method, path, status in (
        ("HEAD", "/acme/new-nonce", 200),
        ("GET", "/acme/new-nonce", 204),
        ("GET", "/acme/new-order", 405),
        ("PUT", "/dir", 405),
        ("GET", "/nowhere", 404),
        ("POST", "/acme/new-order", 415),
    ):
        answer = ca.ask(ca.acme, method, path)
        assert answer.status == status
        assert answer.headers["cache-control"] == "no-store"
        nonces.add(answer.headers["replay-nonce"])
        if path != "/dir":
            assert f'<{BASE}/dir>;rel="index"' in answer.links
        if status >= 400:
            assert answer.problem == "malformed"
    assert len(nonces) == 6
    assert ca.ask(ca.acme, "GET", "/acme/new-order").headers["allow"] == "POST"


def test_directory_and_nonce_are_read_by_post_as_get_too(client: Client) -> None:
    assert client.read("/dir").json == client.ca.get("/dir").json
    assert client.read("/acme/new-nonce").status == 204
    assert client.post("/dir", {}).problem == "malformed"


def test_the_date_is_the_cas_clocks(ca: CaInProcess) -> None:
    ca.clock("2030-05-05T00:00:00Z")
    assert ca.get("/dir").headers["date"].startswith("Sun, 05 May 2030 00:00:0")


# how requests are signed


def test_a_nonce_counts_once(client: Client) -> None:
    nonce = client.ca.nonce()
    assert client.post(client.kid, None, nonce=nonce).status == 200
    again = client.post(client.kid, None, nonce=nonce)
    assert (again.status, again.problem) == (400, "badNonce")
    assert client.post(client.kid, None, nonce=again.headers["replay-nonce"]).status == 200


@pytest.mark.parametrize(
    ("change", "status", "problem"),
    [
        ({"nonce": "AAAA"}, 400, "badNonce"),
        ({"nonce": None}, 400, "badNonce"),
        ({"nonce": "not base64url!"}, 400, "malformed"),
        ({"alg": "HS256"}, 400, "badSignatureAlgorithm"),
        ({"alg": "none"}, 400, "badSignatureAlgorithm"),
        ({"alg": "ES384"}, 400, "badSignatureAlgorithm"),
        ({"alg": None}, 400, "badSignatureAlgorithm"),
        ({"url": BASE + "/acme/elsewhere"}, 403, "unauthorized"),
        ({"url": None}, 403, "unauthorized"),
        ({"kid": None}, 400, "malformed"),
        ({"kid": "https://other.test/acme/account/x"}, 400, "accountDoesNotExist"),
        ({"kid": BASE + "/acme/account/unknown"}, 400, "accountDoesNotExist"),
        ({"kid": 7}, 400, "accountDoesNotExist"),
        ({"jwk": {"kty": "EC"}}, 400, "malformed"),
        ({"crit": ["x"]}, 400, "malformed"),
    ],
)
def test_a_request_is_signed_as_rfc_8555_6_says(
    client: Client, change: dict[str, Any], status: int, problem: str
) -> None:
    answer = client.post("/acme/new-order", {"identifiers": [{"type": "dns", "value": "a.jp"}]}, **change)
    assert (answer.status, answer.problem) == (status, problem)
    if problem == "badSignatureAlgorithm":
        assert "ES256" in answer.json["algorithms"]


def test_a_changed_payload_is_noticed(client: Client) -> None:
    path = "/acme/new-order"
    members = client.key.jws(client.ca.header(path, client.key, client.kid), {"identifiers": []})
    members["payload"] = dumps({"identifiers": [{"type": "dns", "value": "a.jp"}]})
    assert client.ca.post_raw(path, json.dumps(members).encode()).problem == "malformed"


def test_the_content_type_is_that_of_a_jws(client: Client) -> None:
    path = "/acme/new-order"
    body = json.dumps(client.key.jws(client.ca.header(path, client.key, client.kid), {})).encode()
    for content_type in ("application/json", "", "text/plain", "application/jose"):
        assert client.ca.post_raw(path, body, content_type).status == 415
    assert client.ca.post_raw(path, body, "Application/JOSE+json; charset=utf-8").problem == "malformed"


def test_a_body_is_bounded(ca: CaInProcess) -> None:
    answer = ca.post_raw("/acme/new-order", b"x" * (256 * 1024 + 1))
    assert (answer.status, answer.problem) == (413, "malformed")
    headers = [("host", "ca.test"), ("content-length", "99999999999")]
    assert ca.ask(ca.acme, "POST", "/acme/new-order", b"", headers).status == 413


def test_what_is_read_is_read_with_an_empty_payload(client: Client) -> None:
    order = client.order("a.jp")
    for path in (order.headers["location"], client.kid + "/orders"):
        assert client.read(path).status == 200
        assert client.post(path, {}).problem == "malformed"


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[CaInProcess]:
    with CaInProcess(open=True) as running:
        yield running


PATHS = ("/acme/new-account", "/acme/new-order", "/acme/revoke-cert", "/acme/key-change", "/acme/order/x", "/%ff/{}")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=9,
)


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from(PATHS), body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_answered_by_a_problem_document(fuzzed: CaInProcess, path: str, body: bytes) -> None:
    answer = fuzzed.post_raw(path, body)
    assert 400 <= answer.status < 500
    assert answer.problem == "malformed"


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from(PATHS[:4]), payload=JSON | st.fixed_dictionaries({"identifiers": JSON, "contact": JSON}))
def test_whatever_is_signed_is_answered_by_a_problem_document(fuzzed: CaInProcess, path: str, payload: object) -> None:
    key = AccountKey()
    answer = fuzzed.post(path, payload, key)
    assert 400 <= answer.status < 500
    assert answer.problem
    client = _fuzzing_client(fuzzed)
    answer = client.post(path, payload)
    assert 400 <= answer.status < 500
    assert answer.problem


_CLIENTS: dict[int, Client] = {}


def _fuzzing_client(ca: CaInProcess) -> Client:
    if id(ca) not in _CLIENTS:
        _CLIENTS[id(ca)] = Client(ca)
    return _CLIENTS[id(ca)]


# accounts


def test_a_key_has_one_account(client: Client) -> None:
    again = client.ca.post("/acme/new-account", {"onlyReturnExisting": True}, client.key)
    assert (again.status, again.headers["location"]) == (200, client.kid)
    unknown = client.ca.post("/acme/new-account", {"onlyReturnExisting": True}, AccountKey())
    assert (unknown.status, unknown.problem) == (400, "accountDoesNotExist")
    assert client.ca.post("/acme/new-account", {}, client.key, client.kid).problem == "malformed"


@pytest.mark.parametrize(
    ("payload", "status", "problem"),
    [
        ({}, 403, "userActionRequired"),
        ({"termsOfServiceAgreed": False}, 403, "userActionRequired"),
        ({"termsOfServiceAgreed": "true"}, 400, "malformed"),
        ({"termsOfServiceAgreed": True, "contact": "mailto:a@example.jp"}, 400, "malformed"),
        ({"termsOfServiceAgreed": True, "contact": ["tel:+81"]}, 400, "unsupportedContact"),
        ({"termsOfServiceAgreed": True, "contact": ["mailto:a"]}, 400, "invalidContact"),
        ({"termsOfServiceAgreed": True, "contact": ["mailto:a@b.jp?to=c@d.jp"]}, 400, "invalidContact"),
        ({"termsOfServiceAgreed": True, "contact": ["mailto:a@b.jp,c@d.jp"]}, 400, "invalidContact"),
    ],
)
def test_an_account_is_refused_with_its_reason(
    open_ca: CaInProcess, payload: dict[str, Any], status: int, problem: str
) -> None:
    answer = open_ca.post("/acme/new-account", payload, AccountKey())
    assert (answer.status, answer.problem) == (status, problem)
    if problem == "userActionRequired":
        assert any('rel="terms-of-service"' in link for link in answer.links)


def test_an_account_is_read_changed_and_deactivated(client: Client) -> None:
    changed = client.post(client.kid, {"contact": ["mailto:new@example.jp"], "status": "valid", "orders": "x"})
    assert changed.json["contact"] == ["mailto:new@example.jp"]
    assert client.read(client.kid).json == changed.json
    other = Client(client.ca)
    assert other.read(client.kid).problem == "unauthorized"
    assert client.post(client.kid, {"status": "deactivated"}).json["status"] == "deactivated"
    for answer in (client.read(client.kid), client.order("a.jp")):
        assert (answer.status, answer.problem) == (401, "unauthorized")
    assert client.ca.post("/acme/new-account", {"onlyReturnExisting": True}, client.key).status == 401


def test_an_account_lists_its_orders(client: Client) -> None:
    made = [client.order(f"a{number}.jp").headers["location"] for number in range(102)]
    first = client.read(client.kid + "/orders")
    assert first.json["orders"] == made[:100]
    (following,) = [link for link in first.links if 'rel="next"' in link]
    second = client.read(following[1 : following.index(">")])
    assert second.json["orders"] == made[100:]
    assert not [link for link in second.links if 'rel="next"' in link]


def rollover(client: Client, new: AccountKey, **change: Any) -> Any:
    url = BASE + "/acme/key-change"
    inner = {"account": client.kid, "oldKey": client.key.jwk, **change.pop("payload", {})}
    header = {"alg": "ES256", "jwk": new.jwk, "url": url, **change}
    header = {member: value for member, value in header.items() if value is not None}
    return client.post("/acme/key-change", new.jws(header, inner))


def test_an_account_key_is_rolled_over(client: Client) -> None:
    order = client.order("a.jp")
    old, new = client.key, AccountKey()
    assert rollover(client, new).status == 200
    assert client.read(client.kid).problem == "malformed"  # the old key signs no more
    client.key = new
    assert client.read(order.headers["location"]).status == 200
    assert client.ca.post("/acme/new-account", {"onlyReturnExisting": True}, old).problem == "accountDoesNotExist"


def test_a_rollover_that_is_not_as_it_should_be_changes_nothing(client: Client) -> None:
    other = Client(client.ca)
    taken = rollover(client, other.key)
    assert (taken.status, taken.headers["location"]) == (409, other.kid)
    for change in (
        {"nonce": "x"},
        {"url": BASE},
        {"jwk": None},
        {"alg": "HS256"},
        {"payload": {"account": other.kid}},
        {"payload": {"oldKey": other.key.jwk}},
        {"payload": {"oldKey": None}},
    ):
        answer = rollover(client, AccountKey(), **change)
        assert answer.problem in {"malformed", "badSignatureAlgorithm"}
    assert client.read(client.kid).status == 200


# external account binding


def bound(ca: CaInProcess, binding: object, key: AccountKey) -> Any:
    payload = {"termsOfServiceAgreed": True, "externalAccountBinding": binding}
    return ca.post("/acme/new-account", payload, key)


def test_credentials_make_one_account(ca: CaInProcess) -> None:
    subscriber, key_id, secret = ca.subscriber(("example.jp", "1y"))
    first = Client(ca, (key_id, secret))
    assert ca.manage("GET", f"/jprs/subscribers/{subscriber}").json["account"] == first.kid
    key = AccountKey()
    header = {"alg": "HS256", "kid": key_id, "url": BASE + "/acme/new-account"}
    second = bound(ca, mac_jws(secret, header, key.jwk), key)
    assert (second.status, second.problem) == (403, "unauthorized")
    assert "made an account already" in second.json["detail"]
    again = ca.post("/acme/new-account", {"termsOfServiceAgreed": True}, first.key)
    assert (again.status, again.headers["location"]) == (200, first.kid)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kid": "unknown"}, "unauthorized"),
        ({"kid": None}, "malformed"),
        ({"url": BASE}, "malformed"),
        ({"nonce": "x"}, "malformed"),
        ({"alg": "ES256"}, "malformed"),
        ({"alg": "HS512"}, "unauthorized"),
        ({"jwk": {}}, "malformed"),
    ],
)
def test_a_refused_binding_does_not_use_the_credentials_up(
    ca: CaInProcess, change: dict[str, Any], problem: str
) -> None:
    _, key_id, secret = ca.subscriber(("example.jp", "1y"))
    key = AccountKey()
    header = {"alg": "HS256", "kid": key_id, "url": BASE + "/acme/new-account", **change}
    header = {member: value for member, value in header.items() if value is not None}
    assert bound(ca, mac_jws(secret, header, key.jwk), key).problem == problem
    assert bound(ca, mac_jws(b"wrong", header | {"kid": key_id}, key.jwk), key).status >= 400
    assert bound(ca, "a text", key).problem == "malformed"
    Client(ca, (key_id, secret))


def test_a_binding_is_for_the_key_that_signs(ca: CaInProcess) -> None:
    _, key_id, secret = ca.subscriber(("example.jp", "1y"))
    header = {"alg": "HS256", "kid": key_id, "url": BASE + "/acme/new-account"}
    assert bound(ca, mac_jws(secret, header, AccountKey().jwk), AccountKey()).problem == "malformed"


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


@pytest.mark.parametrize("reason", [2, 6, 7, 8, 9, 10, 11, -1, "1", 1.0, True, None])
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
    assert revoke(client, b"\x30\x00").status == 404
    assert client.post("/acme/revoke-cert", {}).problem == "malformed"
    certificate = der(leaf(client.issue("a.jp")))
    client.ca.manage("POST", "/clock", {"advance": 100 * 86400})
    assert revoke(client, certificate).problem == "unauthorized"


# renewal information


def ari_path(chain: bytes) -> str:
    from cryptography import x509

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
    assert client.ca.get("/acme/renewal-info/x.y").status == 404

    assert client.order("c.jp", replaces=name).problem == "malformed"
    assert Client(client.ca).order("a.jp", replaces=name).problem == "malformed"
    assert client.order("a.jp", replaces=name).json["replaces"] == name
    again = client.order("a.jp", replaces=name)
    assert (again.status, again.problem) == (409, "alreadyReplaced")

    revoke(client, der(leaf(chain)))
    assert client.ca.get(f"/acme/renewal-info/{name}").json["suggestedWindow"]["end"] < "2026-11-22T03:00:00Z"


# what is left


def test_a_weak_account_key_is_refused(open_ca: CaInProcess) -> None:
    key = AccountKey()
    weak = {"kty": "RSA", "n": b64(b"\xc1" + b"\x55" * 127), "e": "AQAB"}
    for jwk in (weak, {"kty": "oct", "x": "AA"}, {**key.jwk, "x": b64(bytes(32))}):
        answer = open_ca.post("/acme/new-account", {"termsOfServiceAgreed": True}, key, jwk=jwk)
        assert (answer.status, answer.problem) == (400, "badPublicKey")


def test_a_csr_for_more_than_dns_names_is_refused(client: Client) -> None:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

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
    ):
        answer = client.finalize(order, bad.public_bytes(serialization.Encoding.DER))
        assert (answer.status, answer.problem) == (400, "badCSR")


def test_every_perspective_has_to_see_the_proof(client: Client) -> None:
    from tests.testca.in_process import World

    far = World(client.ca.ca.resolver, {"a.jp": Problem("connection", "a.jp: filtered here")}, "far away")
    client.ca.ca.perspectives.append(far)
    order = client.order("a.jp")
    client.prove(order)
    assert "filtered here" in client.read(order.headers["location"]).json["error"]["detail"]
    assert [proof.name for proof in client.ca.world.seen] == ["a.jp"]


def test_a_replacement_may_be_tried_again_after_its_order_failed(client: Client) -> None:
    name = ari_path(client.issue("a.jp"))
    order = client.order("a.jp", replaces=name)
    client.post(order.json["authorizations"][0], {"status": "deactivated"})
    assert client.read(order.headers["location"]).json["status"] == "invalid"
    assert client.order("a.jp", replaces=name).status == 201


def test_addresses_in_answers_begin_as_the_request_did(open_ca: CaInProcess) -> None:
    for host, begins in (
        ("localhost:14000", "https://localhost:14000/"),
        ("[::1]:1", "https://[::1]:1/"),
        ("a b", BASE),
    ):
        answer = open_ca.ask(open_ca.acme, "GET", "/dir", headers=[("host", host)])
        assert answer.json["newOrder"].startswith(begins)


def test_a_request_that_breaks_off_is_answered(open_ca: CaInProcess) -> None:
    headers = [("host", "ca.test"), ("content-length", "\xb2")]
    assert open_ca.ask(open_ca.acme, "POST", "/acme/new-order", b"", headers).status == 413
