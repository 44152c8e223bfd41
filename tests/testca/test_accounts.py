"""Accounts: made, found, read, changed, bound, given another key, given up (RFC 8555 §7.3)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509

from tests.testca.in_process import BASE, AccountKey, CaInProcess, Client, b64, csr, mac_jws

# accounts


def test_a_key_has_one_account(client: Client) -> None:
    again = client.ca.post("/acme/new-account", {"onlyReturnExisting": True}, client.key)
    assert (again.status, again.headers["location"]) == (200, client.kid)
    for key in (client.key, AccountKey()):
        assert client.ca.post("/acme/new-account", {"onlyReturnExisting": "yes"}, key).problem == "malformed"
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
        ({"termsOfServiceAgreed": True, "contact": [""]}, 400, "invalidContact"),
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
        assert f'<{BASE}/terms>;rel="terms-of-service"' in answer.links
        assert answer.json["instance"] == BASE + "/terms"


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


def test_what_is_null_counts_as_missing(client: Client) -> None:
    before = client.read(client.kid).json
    changed = client.post(client.kid, {"contact": None, "status": None, "termsOfServiceAgreed": None})
    assert changed.json == before
    order = client.order("a.jp", notBefore=None, notAfter=None, replaces=None, profile=None)
    assert order.status == 201


def test_a_deactivated_account_has_no_orders_under_way(client: Client) -> None:
    pending, ready, done = client.order("a.jp"), client.order("b.jp"), client.order("c.jp")
    client.prove(ready)
    client.prove(done)
    client.finalize(done, csr(["c.jp"]))
    client.ca.settle()
    client.post(client.kid, {"status": "deactivated", "contact": ["mailto:other@example.jp"]})
    book = client.ca.ca.book
    states = [book.orders[order.headers["location"].rpartition("/")[2]].status for order in (pending, ready, done)]
    assert states == ["invalid", "invalid", "valid"]


def test_an_account_that_vanishes_does_not_exist_and_its_certificates_do(client: Client) -> None:
    chain = client.issue("a.jp")
    order = client.order("b.jp")
    client.ca.ca.book.forget(client.ca.ca.book.accounts[client.kid.rpartition("/")[2]])
    for answer in (
        client.read(client.kid),
        client.read(order.headers["location"]),
        client.ca.post("/acme/new-account", {"onlyReturnExisting": True}, client.key),
    ):
        assert (answer.status, answer.problem) == (400, "accountDoesNotExist")
    serial = x509.load_pem_x509_certificate(chain).serial_number
    assert client.ca.manage("GET", f"/cert-status-by-serial/{serial:x}").json["Status"] == "Valid"
    again = client.ca.post("/acme/new-account", {"termsOfServiceAgreed": True}, client.key)
    assert again.status == 201
    assert again.headers["location"] != client.kid
    client.kid = again.headers["location"]
    assert client.read(order.headers["location"]).status == 404
    assert client.read(client.kid + "/orders").json == {"orders": []}


def test_orders_are_listed_page_by_page() -> None:
    with CaInProcess(open=True, orders_a_page=2) as ca:
        client = Client(ca)
        made = [client.order(f"a{number}.jp").headers["location"] for number in range(5)]
        gone = client.post(client.read(made[1]).json["authorizations"][0], {"status": "deactivated"})
        assert gone.status == 200
        pages = []
        where: str | None = client.kid + "/orders"
        while where is not None:
            page = client.read(where)
            pages.append(page.json["orders"])
            following = [link for link in page.links if 'rel="next"' in link]
            where = following[0][1 : following[0].index(">")] if following else None
        assert pages == [[made[0], made[2]], [made[3], made[4]]]
        for nonsense in ("cursor=", "cursor=x", "page=2", "cursor=-1"):
            assert client.read(f"{client.kid}/orders?{nonsense}").status == 404


# terms that change


def test_new_terms_are_agreed_to_before_the_next_order(client: Client) -> None:
    ca = client.ca
    assert client.read(client.kid).json["termsOfServiceAgreed"] is True
    ca.ca.terms.change()
    where = ca.get("/dir").json["meta"]["termsOfService"]
    assert where != BASE + "/terms"
    assert b"Edition 2" in ca.get(where).body
    assert ca.get("/terms/3").status == 404
    refused = client.order("a.jp")
    assert (refused.status, refused.problem, refused.json["instance"]) == (403, "userActionRequired", where)
    assert f'<{where}>;rel="terms-of-service"' in refused.links
    assert client.read(client.kid).json["termsOfServiceAgreed"] is False
    # RFC 8555 §7.3.1: what a newAccount request says about an account that is there is ignored.
    assert ca.post("/acme/new-account", {"termsOfServiceAgreed": True}, client.key).status == 200
    assert client.order("a.jp").problem == "userActionRequired"
    assert client.post(client.kid, {"termsOfServiceAgreed": False}).status == 200
    assert client.order("a.jp").problem == "userActionRequired"
    assert client.post(client.kid, {"termsOfServiceAgreed": True}).json["termsOfServiceAgreed"] is True
    assert client.order("a.jp").status == 201
    assert Client(ca).order("a.jp").status == 201  # who comes later has agreed to what is in force


# another key


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


def test_a_key_that_is_none_or_no_good_is_refused(open_ca: CaInProcess) -> None:
    key = AccountKey()
    weak = {"kty": "RSA", "n": b64(b"\xc1" + b"\x55" * 127), "e": "AQAB"}
    strong = {"kty": "RSA", "n": b64(b"\xc1" + b"\x55" * 255), "e": "AQAB"}
    keys: list[dict[str, Any]] = [
        weak,
        strong,  # RFC 8555 §6.2: ES256, and no key on P-256
        {"kty": "oct", "x": "AA"},
        {**key.jwk, "x": b64(bytes(32))},
        {**key.jwk, "x": key.jwk["x"] + "="},
        {**key.jwk, "d": key.jwk["x"]},
        {"kty": "EC"},
        {"kty": []},
        {},
    ]
    for jwk in keys:
        answer = open_ca.post("/acme/new-account", {"termsOfServiceAgreed": True}, key, jwk=jwk)
        assert (answer.status, answer.problem) == (400, "badPublicKey")
    for declared, status in (("ES256", 201), ("ES384", 400)):
        key = AccountKey()
        jwk = {**key.jwk, "alg": declared, "use": "sig", "kid": "mine"}
        assert open_ca.post("/acme/new-account", {"termsOfServiceAgreed": True}, key, jwk=jwk).status == status


def test_a_compromised_key_is_no_accounts(client: Client) -> None:
    compromised = AccountKey()
    client.ca.ca.book.block(x509_spki(compromised))
    made = client.ca.post("/acme/new-account", {"termsOfServiceAgreed": True}, compromised)
    assert (made.status, made.problem) == (400, "badPublicKey")
    assert rollover(client, compromised).problem == "badPublicKey"
    assert client.read(client.kid).status == 200


def x509_spki(key: AccountKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
