"""The ACME side by the letter of RFC 8555: what is refused, with which problem, and what every answer has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.testca.in_process import BASE, AccountKey, CaInProcess, Client, dumps

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


def test_the_directory_stands_where_some_clients_always_look(ca: CaInProcess) -> None:
    assert ca.get("/directory").json == ca.get("/dir").json


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
        ({"url": None}, 400, "malformed"),
        ({"url": 7}, 400, "malformed"),
        ({"kid": None}, 400, "malformed"),
        ({"kid": "https://other.test/acme/account/x"}, 400, "accountDoesNotExist"),
        ({"kid": BASE + "/acme/account/unknown"}, 400, "accountDoesNotExist"),
        ({"kid": 7}, 400, "malformed"),
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


def test_a_jws_is_flattened_and_has_one_signature(client: Client) -> None:
    path = client.kid

    def sent(**change: Any) -> Any:
        members = client.key.jws(client.ca.header(path, client.key, client.kid), None)
        changed = {name: value for name, value in {**members, **change}.items() if value is not None}
        return client.ca.post_raw(path, json.dumps(changed).encode())

    assert sent(unknown={"a": 1}).status == 200  # RFC 7515 §7.2.1: what nobody knows is ignored
    members = client.key.jws(client.ca.header(path, client.key, client.kid), None)
    signature = {name: members[name] for name in ("protected", "signature")}
    for change in (
        {"header": {"kid": client.kid}},
        {"signatures": [signature]},
        {"signatures": [signature], "protected": None, "signature": None},
        {"payload": None},
        {"signature": None},
        {"signature": members["signature"] + "=="},
        {"protected": members["protected"] + "="},
        {"payload": 7},
    ):
        answer = sent(**change)
        assert (answer.status, answer.problem) == (400, "malformed")
    compact = f"{members['protected']}.{members['payload']}.{members['signature']}"
    for body in (compact.encode(), json.dumps(compact).encode(), json.dumps([members]).encode()):
        assert client.ca.post_raw(path, body).problem == "malformed"


def test_a_good_nonce_is_refused_where_the_ca_is_told_to_and_the_next_one_is_not() -> None:
    with CaInProcess(open=True) as ca:
        client = Client(ca)
        object.__setattr__(ca.ca.settings, "nonce_rejects", 100)
        for _ in range(3):
            refused = client.read(client.kid)
            assert (refused.status, refused.problem) == (400, "badNonce")
            assert client.post(client.kid, None, nonce=refused.headers["replay-nonce"]).status == 200


def test_what_is_not_offered_is_not_there() -> None:
    with CaInProcess(open=True, without=frozenset({"keyChange", "renewalInfo"})) as ca:
        assert {"keyChange", "renewalInfo"}.isdisjoint(ca.get("/dir").json)
        client = Client(ca)
        assert client.post("/acme/key-change", {}).status == 404
        assert ca.get("/acme/renewal-info/AA.AA").status == 404
        assert "replaces" not in client.order("a.jp", replaces="AA.AA").json  # RFC 8555 §7.4: not known here


def test_requests_are_counted_by_account(client: Client) -> None:
    from datetime import timedelta

    client.ca.ca.limits.set("newOrder", 2, timedelta(hours=1))
    client.ca.ca.limits.set("newAccount", 1, timedelta(hours=1))
    assert [client.order("a.jp").status for _ in range(3)] == [201, 201, 429]
    refused = client.order("a.jp")
    assert refused.problem == "rateLimited"
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    other = Client(client.ca)
    assert other.order("a.jp").status == 201
    made = client.ca.post("/acme/new-account", {"termsOfServiceAgreed": True}, AccountKey())
    assert (made.status, made.problem) == (429, "rateLimited")
    client.ca.manage("POST", "/clock", {"advance": 3601})
    assert client.order("a.jp").status == 201


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


HALF = "\ud800"


@pytest.mark.parametrize(
    "payload",
    [
        {"identifiers": [{"type": "dns", "value": f"{HALF}.jp"}]},
        {"identifiers": [{"type": HALF, "value": "a.jp"}]},
        {"identifiers": [{"type": "dns", "value": "a.jp"}], "profile": HALF},
        {"identifiers": [{"type": "dns", "value": "a.jp"}], HALF: 1},
    ],
)
def test_half_of_a_surrogate_pair_is_malformed_and_leaves_the_log_readable(client: Client, payload: object) -> None:
    answer = client.post("/acme/new-order", payload)
    assert (answer.status, answer.problem) == (400, "malformed")
    assert client.ca.manage("GET", "/log").json[-1]["payload"] == json.dumps(payload)


#: Where Python's stack ends depends on who asks; so depths around it are tried, as far as this test itself gets.
DEPTHS = [65, 300, *range(800, 920, 4)]


def test_what_is_nested_deeply_is_malformed_and_leaves_the_log_readable(client: Client) -> None:
    for depth in DEPTHS:
        deep: object = "x"
        for _ in range(depth):
            deep = [deep]
        answers = [
            client.post("/acme/new-order", {"identifiers": [{"type": "dns", "value": deep}]}),
            client.post("/acme/new-order", deep),
            client.ca.post("/acme/new-account", {"contact": deep}, AccountKey()),
            client.ca.post("/acme/new-account", {}, AccountKey(), jwk={"kty": "EC", "crv": deep, "x": "a", "y": "b"}),
            client.ca.post("/acme/new-account", {}, AccountKey(), alg=deep),
        ]
        assert {answer.status for answer in answers} == {400}, depth
        for document in (
            deep,
            {"action": {"merge": deep}},
            {"action": {"set": {"a": deep}}},
            {"match": {"name": deep}},
        ):
            assert client.ca.manage("POST", "/faults", document).status == 400, depth
        assert client.ca.manage("POST", "/jprs/subscribers", {"name": deep, "usage_fqdns": deep}).status == 400
    assert client.ca.manage("GET", "/faults").json == []
    assert client.ca.manage("GET", "/log").status == 200


@pytest.mark.parametrize("crv", [[], {}, ["P-256"], 5, None, "P-192"])
@pytest.mark.parametrize("kty", ["EC", "OKP"])
def test_a_curve_that_is_none_is_a_bad_key(ca: CaInProcess, crv: object, kty: str) -> None:
    jwk = {"kty": kty, "crv": crv, "x": "a", "y": "b"}
    answer = ca.post("/acme/new-account", {}, AccountKey(), jwk=jwk)
    assert (answer.status, answer.problem) == (400, "badPublicKey")


_CLIENTS: dict[int, Client] = {}


def _fuzzing_client(ca: CaInProcess) -> Client:
    if id(ca) not in _CLIENTS:
        _CLIENTS[id(ca)] = Client(ca)
    return _CLIENTS[id(ca)]


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
