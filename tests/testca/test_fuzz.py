"""Whatever is sent, no door shows a traceback, hangs, or answers without a document.

A few hundred examples; ten minutes of them under `make sweep`.
"""
# ruff: noqa: RUF005 - lists in several lines, which would be one item a line

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from jprs_client.testca.in_process import Answer, Ca
from jprs_client.testca.wire import Patience
from tests.testca.in_process import AccountKey, b64, csr, mac_jws
from tests.testca.listening import Listening, Overheard, answers

#: Seconds that an answer may take; the machine may be busy.
IN_TIME = 20.0
#: Seconds that each of the properties is tried for under `make sweep`: ten minutes in all.
SWEEP = 600 / 6

pytestmark = pytest.mark.timeout(900)


def given(examples: int, *strategies: SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hypothesis with so many examples; under `make sweep` again and again."""

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        quiet = settings(
            max_examples=500 if os.environ.get("JPRS_SWEEP") else examples,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )

        def test(fuzzed: Any) -> None:
            until = time.monotonic() + (SWEEP if os.environ.get("JPRS_SWEEP") else 0)
            while True:
                quiet(hypothesis_given(st.tuples(*strategies))(lambda values: check(fuzzed, *values)))()
                if time.monotonic() >= until:
                    break

        test.__name__ = check.__name__
        return test

    return decorate


# -- octets at the sockets ---------------------------------------------------------------------------------------------

METHODS = st.sampled_from(
    [b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS", b"DELETE", b"CONNECT", b"get", b"X" * 300, b""]
)
PATHS = st.one_of(
    st.sampled_from(
        [b"/dir", b"/acme/new-nonce", b"/acme/new-order", b"/acme/orders/x", b"/clock", b"/log", b"/crl/0.crl", b"*"]
        + [b"/ocsp", b"/ocsp/AAAA", b"//", b"/%00%ff", b"http://x/dir", b"http://", b"https:///", b"/" + b"a" * 17000]
        + [b"/roots/0", b"/jprs/subscribers", b"/acme/renewal-info/a.b", b"/terms", b"/log?since=x", b"/dir?a#b"]
    ),
    st.binary(max_size=40),
)
VERSIONS = st.sampled_from([b"HTTP/1.1"] * 8 + [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.", b"", b"FTP/1.1"])
NAMES = st.sampled_from(
    [b"Host", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"Expect", b"Content-Type", b"Range"]
    + [b"Accept", b"If-Modified-Since", b"Content-Encoding", b"TE", b"Trailer", b"X" * 200, b"", b"a b", b":"]
)
VALUES = st.one_of(
    st.sampled_from(
        [b"localhost", b"chunked", b"0", b"5", b"-1", b"1e9", b"99999999999999999999", b"close", b"keep-alive", b"100"]
        + [b"100-continue", b"websocket", b"h2c", b"application/jose+json", b"gzip, chunked", b"\xff\xfe", b"a" * 9000]
        + [b"localhost:99999", b"[::1", b"a b", b"\x00", b"evil.example/%", b"localhost\r\n folded", b"identity", b""]
    ),
    st.binary(max_size=20),
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
BODIES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"{}", b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffff\r\n", b"0\r\nA: b\r\n\r\n", b"[" * 5000, b""]),
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Nearly a request."""
    head = draw(METHODS) + b" " + draw(PATHS) + b" " + draw(VERSIONS)
    lines = [head, *(name + b": " + value for name, value in draw(HEADERS))]
    if draw(st.integers(0, 4)):
        lines.append(b"Host: localhost")
    end = draw(st.sampled_from([b"\r\n"] * 6 + [b"\n", b"\r"]))
    return end.join(lines) + end * 2 + draw(BODIES)


OCTETS = st.one_of(
    st.binary(max_size=200),
    requests(),
    st.lists(requests(), min_size=2, max_size=4).map(b"".join),
    st.tuples(requests(), st.integers(0, 400)).map(lambda pair: pair[0][: pair[1]]),
)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    patience = Patience(head=0.1, body=0.1, idle=0.15, write=2, linger=0.02)
    with Listening(tmp_path_factory.mktemp("fuzz"), patience) as running:
        yield running


def check_octets(running: Listening, door: str, octets: bytes) -> None:
    before = time.monotonic()
    got = running.raw(door, octets)
    assert time.monotonic() - before < IN_TIME
    for answer in answers(got):
        answer.check(door)
    assert running.failures == []


@given(200, st.sampled_from(["acme", "management", "pki"]), OCTETS)
def any_octets(running: Listening, door: str, octets: bytes) -> None:
    check_octets(running, door, octets)


@given(25, OCTETS)
def any_octets_in_tls(running: Listening, octets: bytes) -> None:
    check_octets(running, "acme-tls", octets)


@pytest.mark.slow
def test_any_octets_to_any_door(doors: Listening) -> None:
    any_octets(doors)
    assert [a.status for a in answers(doors.raw("acme", b"GET /dir HTTP/1.1\r\nHost: localhost\r\n\r\n"))] == [200]


@pytest.mark.slow
def test_any_octets_within_tls(doors: Listening) -> None:
    any_octets_in_tls(doors)
    assert doors.failures == []


# -- signed requests, nearly right -------------------------------------------------------------------------------------

DEEP = "[" * 100_000
ODD = st.one_of(
    st.sampled_from(
        [None, True, False, 0, -1, 10**400, 1e308, 1.5, "", "\0", "\ud800", "\u202e", "a" * 5000, [], {}, [[]], [None]]
        + [{"": ""}, "*.", "..", "-", "xn--", "ｅｘａｍｐｌｅ.jp", "*.*.example.jp", "127.0.0.1", "é.jp", "_a.jp"]
        + ["2026-13-01", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "mailto:", "mailto:a@b?c", "dns", "ip"]
    ),
    st.text(max_size=30),
    st.integers(),
    st.floats(),
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
)


@dataclass
class Scene:
    """A CA with one of everything; and everything that its log says of failures."""

    ca: Ca
    key: AccountKey = field(default_factory=AccountKey)
    kid: str = ""
    paths: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def nonce(self) -> str:
        return self.ca.request("HEAD", "/acme/new-nonce").header("replay-nonce") or ""

    def post(self, path: str, payload: object, **change: Any) -> Answer:
        who: dict[str, Any] = {"kid": self.kid} if self.kid else {"jwk": self.key.jwk}
        header = {"alg": "ES256", "nonce": self.nonce(), "url": f"https://acme.ca.test{path}", **who, **change}
        body = json.dumps(self.key.jws(header, payload)).encode()
        return self.ca.request("POST", path, body, {"Content-Type": "application/jose+json"})

    def set_up(self) -> None:
        """An account with a certificate, and an order in each state; the payload that is right at each address."""

        def path(url: str | None) -> str:
            return (url or "").removeprefix("https://acme.ca.test")

        def order(name: str) -> tuple[str, dict[str, Any]]:
            made = self.post("/acme/new-order", {"identifiers": [{"type": "dns", "value": name}]})
            return path(made.header("location")), json.loads(made.body)

        registration = {"termsOfServiceAgreed": True, "contact": ["mailto:a@example.jp"], "onlyReturnExisting": False}
        self.kid = self.post("/acme/new-account", registration).header("location") or ""
        at, pending = order("pending.example.jp")
        authorization = path(pending["authorizations"][0])
        challenge = json.loads(self.post(authorization, None).body)["challenges"][0]
        at_ready, ready = order("ready.example.jp")
        ready_authorization = path(ready["authorizations"][0])
        self.post(path(json.loads(self.post(ready_authorization, None).body)["challenges"][0]["url"]), {})
        finalize = {"csr": b64(csr(["ready.example.jp"]))}
        self.post(path(ready["finalize"]), finalize)
        certificate = json.loads(self.post(at_ready, None).body)["certificate"]
        wanted = {
            "identifiers": [{"type": "dns", "value": "a.example.jp"}],
            "notBefore": "2026-11-22T00:00:00Z",
            "profile": "classic",
            "replaces": "a.b",
        }
        inner = self.key.jws({"alg": "ES256", "jwk": self.key.jwk, "url": ""}, {"account": self.kid, "oldKey": {}})
        eab = mac_jws(b"k" * 32, {"alg": "HS256", "kid": "a", "url": ""}, self.key.jwk)
        self.paths = {
            "newAccount": ("/acme/new-account", {**registration, "externalAccountBinding": eab}),
            "account": (path(self.kid), {"contact": ["mailto:b@example.jp"], "status": "valid"}),
            "newOrder": ("/acme/new-order", wanted),
            "order": (at, None),
            "authorization": (authorization, {"status": "pending"}),
            "challenge": (path(challenge["url"]), {}),
            "finalize": (path(pending["finalize"]), finalize),
            "certificate": (path(certificate), None),
            "revokeCert": ("/acme/revoke-cert", {"certificate": b64(b"0"), "reason": 1}),
            "keyChange": ("/acme/key-change", inner),
            "newAuthz": ("/acme/new-authz", {"identifier": {"type": "dns", "value": "b.example.jp"}}),
        }


@pytest.fixture(scope="module")
def failures() -> Iterator[list[str]]:
    """What the CA's log says of failures, also of those in the background."""
    found: list[str] = []
    handler = Overheard(found)
    logging.getLogger("jprs_client.testca").addHandler(handler)
    yield found
    logging.getLogger("jprs_client.testca").removeHandler(handler)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Ca(open=True) as ca:
        made = Scene(ca)
        made.set_up()
        yield made


def check(door: str, answer: Answer) -> None:
    assert answer.status in range(200, 600)
    if answer.status >= 300:
        document = json.loads(answer.body)
        if door == "acme":
            assert answer.header("content-type") == "application/problem+json"
            assert document["type"].startswith("urn:ietf:params:acme:error:")
            assert document["detail"]
            assert document["status"] == answer.status
            assert answer.header("replay-nonce")
        else:
            assert document["error"]
    assert answer.status != 500, answer


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """`value` with one or a few of its parts replaced, taken away or added."""
    if draw(st.integers(0, 9)) == 0:
        return draw(ODD)
    if isinstance(value, dict):
        changed = dict(value)
        for _ in range(draw(st.integers(0, 2))):
            key = draw(st.sampled_from([*changed, "", "x"]) if changed else st.sampled_from(["", "x", "status"]))
            match draw(st.integers(0, 2)):
                case 0:
                    changed.pop(key, None)
                case 1:
                    changed[key] = draw(ODD)
                case _:
                    changed[key] = draw(mutated(changed.get(key)))
        return changed
    if isinstance(value, list):
        return [draw(mutated(each)) for each in value] * draw(st.sampled_from([1, 1, 1, 0, 2, 200]))
    if isinstance(value, str) and draw(st.booleans()):
        cut = draw(st.integers(0, len(value)))
        return value[:cut] + draw(st.sampled_from(["", "\0", "=", "A", ".", "é", " ", "\ud800"])) + value[cut + 1 :]
    return value


ENDPOINTS = st.sampled_from(
    ["newAccount", "account", "newOrder", "order", "authorization", "challenge", "finalize", "certificate"]
    + ["revokeCert", "keyChange", "newAuthz", "newOrder", "newOrder", "finalize", "keyChange"]
)
TYPES = st.sampled_from(["application/jose+json"] * 9 + ["application/json", "", "application/jose+json; a=b", "é"])


@given(120, ENDPOINTS, st.data())
def any_signed_request(scene: Scene, endpoint: str, data: st.DataObject) -> None:
    path, right = scene.paths[endpoint]
    payload = data.draw(mutated(right), label="payload")
    if isinstance(payload, dict) and payload.get("status") == "deactivated":
        payload["status"] = "valid"  # the scene is still needed
    who: dict[str, Any] = {"jwk": scene.key.jwk} if data.draw(st.booleans()) else {"kid": scene.kid}
    header = {"alg": "ES256", "nonce": scene.nonce(), "url": f"https://acme.ca.test{path}", **who}
    if data.draw(st.integers(0, 2)) == 0:
        header = data.draw(mutated(header), label="header")
    jws: Any = scene.key.jws(header, payload) if data.draw(st.booleans()) else {}
    if data.draw(st.integers(0, 3)) == 0 or not jws:
        jws = data.draw(mutated(jws or scene.key.jws(header, payload)), label="jws")
    body = json.dumps(jws).encode()
    if data.draw(st.integers(0, 9)) == 0:
        cut = data.draw(st.integers(0, len(body)))
        body = (
            body[:cut] + data.draw(st.sampled_from([b"", b"\x00", b"\xff", b'"', DEEP.encode(), b"1e999"])) + body[cut:]
        )
    before = time.monotonic()
    answer = scene.ca.request("POST", path, body, {"Content-Type": data.draw(TYPES)})
    assert time.monotonic() - before < IN_TIME
    check("acme", answer)


@pytest.mark.slow
def test_any_signed_request(scene: Scene, failures: list[str]) -> None:
    any_signed_request(scene)
    any_payload_of_octets(scene)
    scene.post("/acme/new-order", {"identifiers": [{"type": "dns", "value": "still.example.jp"}]})
    assert scene.ca.request("GET", "/dir").status == 200
    assert failures == []


@given(40, ENDPOINTS, st.one_of(st.binary(max_size=50), st.sampled_from([DEEP, '{"a":' * 50_000, "9" * 5000, "NaN"])))
def any_payload_of_octets(scene: Scene, endpoint: str, payload: bytes | str) -> None:
    path, _ = scene.paths[endpoint]
    octets = payload.encode() if isinstance(payload, str) else payload
    for who in ({}, {"kid": None, "jwk": scene.key.jwk}):
        check("acme", scene.post(path, octets, **who))


# -- the management side, and the PKI's --------------------------------------------------------------------------------

CALLS: dict[str, Any] = {
    "/jprs/subscribers": {"name": "a", "usage_fqdns": [{"name": "a.jp", "term": "1y"}], "eab": {"key_id": "a"}},
    "/jprs/subscribers/1/usage-fqdns": {"name": "b.jp", "term": "1m"},
    "/jprs/subscribers/1/terminate": {"name": "a.jp"},
    "/jprs/subscribers/1/withdraw": {"name": "a.jp"},
    "/jprs/revoke": {"serial": "1234", "reason": 4},
    "/clock": {"now": "2027-01-01"},
    "/faults": {"match": {"endpoint": "newOrder", "name": "a"}, "skip": 0, "count": 1, "action": {"status": 500}},
    "/set-txt": {"host": "a.jp.", "value": "x"},
    "/add-a": {"host": "a.jp", "addresses": ["127.0.0.1"]},
    "/add-caa": {"host": "a.jp", "policies": [{"tag": "issue", "value": "jprs.jp", "critical": True}]},
    "/set-cname": {"host": "a.jp", "target": "b.jp"},
    "/set-servfail": {"host": "a.jp"},
    "/set-default-ipv4": {"ip": "127.0.0.1"},
    "/dns-request-history": {"host": "a.jp"},
    "/add-http01": {"token": "a", "content": "b"},
    "/jprs/terms": {"url": "https://x/", "require_agreement": True},
    "/jprs/maintenance": {"until": "2027-01-01"},
    "/jprs/limits": {"kind": "orders", "limit": 1},
    "/log?since=1&endpoint=newOrder": {},
    "/cert-status-by-serial/00": {},
    "/roots/0": {},
    "/nothing": {},
}


@pytest.fixture(scope="module")
def steered() -> Iterator[Ca]:
    with Ca(open=True) as ca:
        yield ca


@given(150, st.sampled_from(sorted(CALLS)), st.sampled_from(["POST"] * 6 + ["GET", "DELETE", "PUT"]), st.data())
def any_call(ca: Ca, path: str, method: str, data: st.DataObject) -> None:
    document = data.draw(mutated(CALLS[path]), label="document")
    body = data.draw(st.just(json.dumps(document).encode()) | st.sampled_from([b"", b"\xff", b"nul", DEEP.encode()]))
    before = time.monotonic()
    answer = ca.request(method, ca.management + path, body)
    assert time.monotonic() - before < IN_TIME
    assume(answer.status != 304)
    check("management", answer)


@given(
    60,
    st.sampled_from(["GET", "POST", "HEAD"]),
    st.sampled_from(["/ocsp", "/ocsp/", "/crl/", "/issuers/", "/"]),
    st.data(),
)
def any_question(ca: Ca, method: str, path: str, data: st.DataObject) -> None:
    rest = data.draw(
        st.one_of(st.sampled_from(["", "0.crl", "0.cer", "AAAA", "MEUw", "%2F", "..", "0.crl/"]), st.text(max_size=9))
    )
    assume("#" not in rest and "?" not in rest)
    answer = ca.request(method, ca.pki + path + rest, data.draw(st.binary(max_size=60)))
    if answer.status >= 300 and answer.body and (answer.header("content-type") or "").startswith("application/json"):
        assert json.loads(answer.body)
    assert answer.status < 500


@pytest.mark.slow
def test_any_call_of_the_management_side(steered: Ca, failures: list[str]) -> None:
    any_call(steered)
    any_question(steered)
    assert steered.clock()
    assert failures == []
