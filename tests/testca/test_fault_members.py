"""Members of a fault's action, one by one and together, in process."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from jprs_client.testca.acme import Acme
from jprs_client.testca.ca import Authority
from jprs_client.testca.changes import JSON_KINDS, NONCE_KINDS
from jprs_client.testca.faults import ACME_ENDPOINTS, MEMBERS, FaultError, Faults
from jprs_client.testca.hostile import ADDRESSES, TEXTS, moved
from tests.testca.in_process import BASE, START, URN, AccountKey, Answer, CaInProcess, Client, csr
from tests.testca.test_faults import fault


@pytest.fixture
def client(open_ca: CaInProcess) -> Client:
    return Client(open_ca)


def told(client: Client, action: object, *names: str) -> Answer:
    """The answer to the next order, with that fault."""
    fault(client.ca, action, match={"endpoint": "newOrder"})
    return client.order(*(names or ("a.jp",)))


def test_every_endpoint_can_go_wrong() -> None:
    assert {endpoint.name for endpoint in Acme(Authority()).endpoints().values()} == ACME_ENDPOINTS


# refusals


def test_a_problem_has_what_it_is_said_to_have(client: Client) -> None:
    action = {
        "status": 403,
        "type": "rejectedIdentifier",
        "detail": "no",
        "instance": "https://ca.invalid/why",
        "subproblems": {"b.jp": "caa"},
        "merge": {"mood": "bad"},
        "headers": {"X-Two": ["1", "2"], "Cache-Control": None},
    }
    answer = told(client, action, "a.jp", "b.jp")
    assert answer.problem == "rejectedIdentifier"
    document = answer.json
    assert (document["detail"], document["instance"], document["mood"]) == ("no", "https://ca.invalid/why", "bad")
    (sub,) = document["subproblems"]
    assert (sub["type"], sub["identifier"]) == (URN + "caa", {"type": "dns", "value": "b.jp"})
    assert answer.headers["x-two"] == "2"
    assert "cache-control" not in answer.headers


@pytest.mark.parametrize("word", TEXTS)
def test_a_hostile_text_stands_where_a_text_stands(client: Client, word: str) -> None:
    detail = told(client, {"status": 403, "type": "unauthorized", "detail": {"hostile": word}}).json["detail"]
    assert detail == TEXTS[word]


def test_a_text_repeated_is_long(client: Client) -> None:
    detail = told(client, {"status": 403, "type": "caa", "detail": {"repeat": "ab", "times": 60_000}}).json["detail"]
    assert detail == "ab" * 60_000


RETRY: Mapping[str, tuple[object, str]] = {
    "seconds": (120, "120"),
    "huge": (10**9, "1000000000"),
    "negative": (-1, "-1"),
    "fraction": (1.5, "1.5"),
    "garbage": ("soon", "soon"),
    "leap second": ("Sat, 31 Dec 2016 23:59:60 GMT", "Sat, 31 Dec 2016 23:59:60 GMT"),
    "empty": ("", ""),
}


@pytest.mark.parametrize("shape", RETRY)
def test_retry_after_of_any_shape(client: Client, shape: str) -> None:
    value, header = RETRY[shape]
    answer = told(client, {"retry_after": value})
    assert (answer.status, answer.headers["retry-after"]) == (201, header)


def test_retry_after_as_a_date_and_twice(client: Client) -> None:
    for seconds in (3600, -86400):
        moment = parsedate_to_datetime(told(client, {"retry_after": {"date": seconds}}).headers["retry-after"])
        assert abs(moment - START - timedelta(seconds=seconds)) < timedelta(minutes=1)
    fault(client.ca, {"retry_after": ["10", {"date": 60}]}, match={"endpoint": "directory"})
    assert [name for name, _ in raw_headers(client.ca, "/dir")].count(b"retry-after") == 2
    fault(client.ca, {"status": 503, "retry_after": None})
    assert "retry-after" not in client.ca.get("/dir").headers


def raw_headers(ca: CaInProcess, path: str) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, repeated ones too."""
    sent: list[Any] = []
    messages = [{"type": "http.request", "body": b""}]

    async def receive() -> Any:
        return messages.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "scheme": "https", "headers": [(b"host", b"ca.test")]}
    ca.run(ca.acme(scope, receive, send))
    return list(sent[0]["headers"])


NONCES: Mapping[str, Callable[[str | None], bool]] = {
    "none": lambda nonce: nonce is None,
    "malformed": lambda nonce: nonce == "not a nonce!",
    "padded": lambda nonce: nonce is not None and nonce.endswith("=="),
    "empty": lambda nonce: nonce == "",
    "long": lambda nonce: nonce is not None and len(nonce) == 10_000,
    "used": lambda nonce: nonce is not None and len(nonce) == 22,
    "unknown": lambda nonce: nonce is not None and nonce.isascii(),
}


@pytest.mark.parametrize("kind", NONCES)
def test_nonces_of_any_kind(client: Client, kind: str) -> None:
    assert NONCE_KINDS - {"bad"} == set(NONCES)
    answer = told(client, {"nonce": kind})
    assert answer.status == 201
    assert NONCES[kind](answer.headers.get("replay-nonce"))
    if kind in {"used", "unknown"}:
        assert client.post(client.kid, None, nonce=answer.headers["replay-nonce"]).problem == "badNonce"


# redirects and addresses


@pytest.mark.parametrize("where", [*ADDRESSES, "https://evil.invalid/dir"])
def test_a_redirect_leads_anywhere(client: Client, where: str) -> None:
    fault(client.ca, {"redirect": where, "status": 308}, match={"endpoint": "directory"})
    answer = client.ca.get("/dir")
    assert (answer.status, answer.headers["location"]) == (308, moved(f"{BASE}/dir", where))


def test_a_redirect_loop_never_comes_to_the_same_place_twice(client: Client) -> None:
    fault(client.ca, "redirect-loop", match={"endpoint": "directory"}, count=0)
    seen, at = set(), "/dir"
    for _ in range(5):
        at = client.ca.get(at).headers["location"]
        seen.add(at)
    assert len(seen) == 5


def test_a_redirect_after_the_deed(client: Client) -> None:
    answer = told(client, {"redirect": "elsewhere", "after": True})
    assert (answer.status, answer.body) == (307, b"")
    assert len(client.read(client.kid + "/orders").json["orders"]) == 1


def test_elsewhere_is_the_same_ca_by_its_other_name() -> None:
    assert moved("https://127.0.0.1:14000/dir", "elsewhere") == "https://localhost:14000/dir"
    assert moved("https://localhost:14000/dir", "elsewhere") == "https://127.0.0.1:14000/dir"


def test_addresses_move_in_documents_and_headers(client: Client) -> None:
    order = client.order("a.jp", "b.jp")
    answer = told(client, {"move": {"finalize": "http", "Location": "userinfo", "Link": "private"}})
    assert answer.json["finalize"].startswith("http://ca.test/")
    assert answer.json["authorizations"][0].startswith(BASE)
    assert answer.headers["location"].startswith("https://admin:secret@ca.test/")
    assert all(link.startswith("<https://169.254.169.254/") for link in answer.links)
    fault(client.ca, {"move": {"challenges.url": "file"}}, match={"endpoint": "authorization"})
    shown = client.read(order.json["authorizations"][0]).json["challenges"]
    assert {each["url"] for each in shown} == {"file:///etc/passwd"}


# documents


@pytest.mark.parametrize("token", [{"hostile": "traversal"}, {"hostile": "10kb"}, 7, None, ["a"]])
def test_tokens_are_what_they_are_said_to_be(client: Client, token: object) -> None:
    order = client.order("a.jp")
    fault(client.ca, {"token": token}, match={"endpoint": "authorization"})
    meant = TEXTS[token["hostile"]] if isinstance(token, dict) else token
    authorization = client.read(order.json["authorizations"][0]).json
    assert [each["token"] for each in authorization["challenges"]] == [meant] * 3
    url = client.challenges(order.json["authorizations"][0])["dns-01"]["url"]
    fault(client.ca, {"token": token}, match={"endpoint": "challenge"})
    assert client.post(url, {}).json["token"] == meant


def test_paths_lead_through_lists(client: Client) -> None:
    action = {
        "set": {"identifiers.type": "ip", "meta.deep": 1, "finalize": None, "new": {"hostile": "ansi"}},
        "add": {"authorizations": "https://ca.invalid/", "identifiers": {"type": "dns", "value": "c.jp"}, "status": 1},
        "reverse": ["identifiers", "status"],
        "upper": ["identifiers.value"],
    }
    document = told(client, action, "a.jp", "b.jp").json
    assert [each["value"] for each in document["identifiers"]] == ["B.JP", "A.JP", "C.JP"]
    assert [each["type"] for each in document["identifiers"]] == ["ip", "ip", "dns"]
    assert document["authorizations"][0] == "https://ca.invalid/"
    assert len(document["authorizations"]) == 3
    assert "finalize" not in document
    assert document["new"] == TEXTS["ansi"]
    assert document["status"] == "pending"


#: How JSON is miswritten → whether a reader that knows the rules still reads an object.
READABLE = {"duplicate-keys", "wrong-types", "numbers", "nan"}


@pytest.mark.parametrize("kind", sorted(JSON_KINDS))
def test_json_miswritten(client: Client, kind: str) -> None:
    answer = told(client, {"json": kind})
    assert answer.status == 201
    try:
        read = json.loads(
            answer.body.decode(), parse_int=str
        )  # Python's own limit on digits is not what is tested here
    except ValueError:
        read = None
    assert isinstance(read, dict) == (kind in READABLE)
    assert len(client.read(client.kid + "/orders").json["orders"]) == 1


def test_a_body_packed_small(client: Client) -> None:
    answer = told(client, {"gzip": 0})
    assert json.loads(gzip.decompress(answer.body))["status"] == "pending"


def test_octets_are_counted(client: Client) -> None:
    assert told(client, {"deep": 50}).json["deep"] is not None
    assert len(told(client, {"long": 5000}).json["long"]) == 5000
    assert len(told(client, {"size": 9000}).body) == 9000
    assert told(client, {"body": {"repeat": "x", "times": 10}, "content_type": "text/html"}).body == b"x" * 10
    assert told(client, {"content_type": "text/plain"}).headers["content-type"] == "text/plain"
    assert told(client, {"merge": {"a": 1}, "body": "not JSON"}).body == b"not JSON"
    padded = told(client, {"padding": {"headers": 3, "octets": 9}}).headers
    assert [padded[f"x-padding-{number}"] for number in range(3)] == ["a" * 9] * 3


# the CA itself


def test_an_account_that_vanishes_is_gone_for_good(client: Client) -> None:
    """FAULTS 83."""
    other = Client(client.ca)
    fault(client.ca, "account-gone", match={"account": client.kid})
    assert other.order("a.jp").status == 201
    assert client.order("a.jp").problem == "accountDoesNotExist"
    assert client.order("a.jp").problem == "accountDoesNotExist"
    assert client.ca.post("/acme/new-account", {"onlyReturnExisting": True}, client.key).status == 400
    made = client.ca.post("/acme/new-account", {"termsOfServiceAgreed": True}, client.key)
    assert (made.status, made.headers["location"] != client.kid) == (201, True)


@pytest.mark.parametrize("status", ["deactivated", "revoked"])
def test_an_account_that_the_ca_closed(client: Client, status: str) -> None:
    """FAULTS 82; and it can be opened again."""
    fault(client.ca, {"account": status})
    assert [client.order("a.jp").status for _ in range(2)] == [401, 401]
    fault(client.ca, {"account": "valid"})
    assert client.order("a.jp").status == 201


@pytest.mark.parametrize("state", ["gone", "expired", "invalid", "processing", "ready", "valid"])
def test_orders_in_any_state(client: Client, state: str) -> None:
    order = client.order("a.jp")
    fault(client.ca, {"order": state}, match={"endpoint": "order"})
    for _ in range(2):
        answer = client.read(order.headers["location"])
        if state == "gone":
            assert answer.status == 404
        else:
            assert answer.json["status"] == ("invalid" if state == "expired" else state)
            assert ("error" in answer.json) == (state in {"expired", "invalid"})


@pytest.mark.parametrize("state", ["gone", "expired", "invalid", "valid", "deactivated", "revoked"])
def test_authorizations_in_any_state(client: Client, state: str) -> None:
    order = client.order("a.jp")
    fault(client.ca, {"authorization": state}, match={"endpoint": "authorization"})
    answer = client.read(order.json["authorizations"][0])
    assert answer.status == 404 if state == "gone" else answer.json["status"] == state


def test_an_order_is_born_in_any_state(client: Client) -> None:
    assert told(client, {"proved": True}).json["status"] == "ready"
    failed = told(client, {"proved": False}).json
    assert (failed["status"], failed["error"]["type"]) == ("invalid", URN + "unauthorized")
    assert told(client, {"order": "processing"}).json["status"] == "processing"


def test_finalize_answers_valid_at_once(client: Client) -> None:
    """M3."""
    order = told(client, {"proved": True})
    fault(client.ca, {"wait": True}, match={"endpoint": "finalize"})
    done = client.finalize(order, csr(["a.jp"])).json
    assert done["status"] == "valid"
    assert b"BEGIN CERTIFICATE" in client.read(done["certificate"]).body


def test_a_deed_that_is_answered_and_not_done(client: Client) -> None:
    """M2: keyChange answers 200 and changes nothing."""
    new = AccountKey()
    inner_header = {"alg": "ES256", "jwk": new.jwk, "url": BASE + "/acme/key-change"}
    inner = new.jws(inner_header, {"account": client.kid, "oldKey": client.key.jwk})
    fault(client.ca, "nothing-changed", match={"endpoint": "keyChange"})
    assert client.post("/acme/key-change", inner).status == 200
    assert client.ca.post(client.kid, None, new, client.kid).status == 400
    assert client.read(client.kid).json["status"] == "valid"
    fault(client.ca, {"undo": True}, match={"endpoint": "account"})
    assert client.post(client.kid, {"status": "deactivated"}).json["status"] == "deactivated"
    assert client.read(client.kid).json["status"] == "valid"


# what a fault waits for


def test_a_fault_waits_for_a_method_a_read_a_challenge(client: Client) -> None:
    fault(client.ca, {"status": 405}, match={"endpoint": "newNonce", "method": "HEAD"}, count=0)
    assert client.ca.get("/acme/new-nonce").status == 204
    assert client.ca.ask(client.ca.acme, "HEAD", "/acme/new-nonce").status == 405
    client.ca.manage("DELETE", "/faults")
    fault(client.ca, "server-error", match={"endpoint": "challenge", "challenge": "http-01"})
    urls = client.challenges(client.order("a.jp").json["authorizations"][0])
    assert client.post(urls["dns-01"]["url"], {}).status == 200
    assert client.post(urls["http-01"]["url"], {}).status == 500
    fault(client.ca, "server-error", match={"endpoint": "account", "read": False})
    assert client.read(client.kid).status == 200
    assert client.post(client.kid, {}).status == 500


def test_a_preflight_and_the_pki_use_no_fault_up(client: Client) -> None:
    fault(client.ca, "server-error")
    assert client.ca.ask(client.ca.acme, "OPTIONS", "/acme/new-order").status == 204
    assert client.ca.ask(client.ca.pki, "GET", "/issuers/0.cer").status == 200
    assert client.ca.get("/dir").status == 500
    fault(client.ca, "server-error", match={"endpoint": "issuers"})
    assert client.ca.get("/dir").status == 200
    assert client.ca.ask(client.ca.pki, "GET", "/issuers/0.cer").status == 500


WRONG_VALUES: Mapping[str, object] = {
    "status": 99,
    "type": 1,
    "detail": {"hostile": "kind"},
    "instance": 1,
    "subproblems": ["caa"],
    "redirect": "there",
    "after": "yes",
    "delay": -1,
    "drop": "sometimes",
    "body": {"repeat": "a", "times": 10**9},
    "content_type": 1,
    "merge": [],
    "set": {},
    "add": [],
    "reverse": "identifiers",
    "upper": [1],
    "move": {"*": "there"},
    "json": "wrong",
    "long": -1,
    "deep": 0,
    "size": 10**12,
    "gzip": True,
    "retry_after": {"day": 1},
    "headers": {"X": None, "Y": [None]},
    "nonce": "good",
    "padding": {"lines": 1},
    "cut": -2,
    "length": ["long"],
    "drip": {"octets": 0},
    "endless": 1,
    "ending": "well",
    "account": "closed",
    "order": "late",
    "authorization": True,
    "proved": "yes",
    "wait": 1,
    "starts": 1,
    "undo": 1,
    "certificate": "right",
    "fail": {"detail": "no type"},
    "says": "maybe",
    "tls": "1.0",
    "stuck": 1,
    "perspective": -1,
}


def test_every_member_is_read_strictly() -> None:
    assert set(WRONG_VALUES) == MEMBERS - {"token"}
    for member, value in WRONG_VALUES.items():
        with pytest.raises(FaultError, match=rf"^action: ({member} cannot|hostile|repeat)"):
            Faults().add({"action": {member: value}})


@pytest.mark.parametrize(
    "document",
    [
        {"match": {"endpoint": "signing"}, "action": {"status": 500}},
        {"match": {"endpoint": "newOrder"}, "action": "stuck"},
        {"action": {"fail": "caa"}},
        {"action": "tls-expired"},
        {"match": {"endpoint": "handshake"}, "action": "drop"},
        {"match": {"endpoint": "handshake"}, "action": {"tls": "expired", "delay": 1}},
        {"match": {"method": "PUT"}, "action": "drop"},
        {"match": {"read": "yes"}, "action": "drop"},
        {"match": {"account": 1}, "action": "drop"},
        {"match": {"endpoint": ["order"]}, "action": "drop"},
    ],
)
def test_what_makes_no_sense_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(FaultError):
        Faults().add(document)


def test_what_waits_can_be_told() -> None:
    faults = Faults()
    asked = {"match": {"endpoint": "order", "name": "a.jp", "read": True}, "skip": 1, "count": 2, "action": {"cut": 3}}
    faults.add(asked)
    assert faults.waiting() == [asked]
