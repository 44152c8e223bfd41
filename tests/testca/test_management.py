"""The management side beyond INTERFACE: terms, stops, limits, cancellation, accounts, issuers, Pebble's paths."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from jprs_client.testca.ca import Authority
from jprs_client.testca.management import manual, offers
from tests.testca.in_process import BASE, AccountKey, CaInProcess, Client, leaf


def serial(chain: bytes) -> str:
    return f"{leaf(chain).serial_number:x}"


def joined(ca: CaInProcess, *usages: tuple[str, str]) -> tuple[str, Client]:
    """A subscriber with an account."""
    identity, key_id, secret = ca.subscriber(*usages)
    return identity, Client(ca, (key_id, secret))


def revoked(ca: CaInProcess, *chains: bytes) -> list[int | None]:
    """The reason of each; None for one that is valid."""
    return [ca.manage("GET", f"/jprs/certificates/{serial(chain)}").json["reason"] for chain in chains]


# what there is


def test_the_management_side_tells_a_newcomer_its_calls(ca: CaInProcess) -> None:
    told = ca.manage("GET", "/").json["calls"]
    calls = {f"{call['method']} {call['path']}" for group in told.values() for call in group}
    assert calls >= {
        "POST /jprs/subscribers",
        "POST /jprs/subscribers/{id}/terminate",
        "POST /clock",
        "DELETE /faults",
        "GET /cert-status-by-serial/{serial}",
        "POST /set-txt",
    }
    assert all(call["does"] for group in told.values() for call in group)
    table = manual(ca.ca)
    assert all(f"| `{call}` |" in table for call in calls)


def test_every_call_that_is_told_of_is_there(ca: CaInProcess) -> None:
    for _, group in offers(ca.ca):
        for offer in group:
            path = offer.path.replace("{id}", "none").replace("{number}", "9").replace("{serial}", "ff")
            answer = ca.manage(offer.method, path)
            assert answer.status in {200, 400, 404}, (offer.path, answer)
            assert answer.status != 404 or "nothing is here" not in answer.json["error"]


def test_a_call_by_another_method_is_told_which_there_are(ca: CaInProcess) -> None:
    answer = ca.manage("PUT", "/jprs/maintenance")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST, DELETE")
    assert ca.manage("HEAD", "/clock").status == 200


# JPRS ends use (第12条1項)


def test_a_cancelled_usage_fqdn_ends_at_once_with_what_was_issued_for_it(ca: CaInProcess) -> None:
    identity, client = joined(ca, ("example.jp", "1y"), ("blog.jp", "1y"), ("later.jp", "1m"))
    own, shared, blog = (client.issue(*names) for names in (["example.jp"], ["blog.jp", "www.example.jp"], ["blog.jp"]))
    path = f"/jprs/subscribers/{identity}/cancel"
    ca.clock("2026-12-24T12:00:00+09:00")
    shown = {each["name"]: each for each in ca.manage("POST", path, {"name": "Example.jp"}).json["usage_fqdns"]}
    assert (shown["example.jp"]["status"], shown["example.jp"]["ends"]) == ("ended", "2026-12-24")
    assert shown["example.jp"]["cancelled"] is True
    assert shown["blog.jp"]["status"] == "in-use"
    assert revoked(ca, own, shared, blog) == [9, 9, None]
    at = ca.manage("GET", f"/jprs/certificates/{serial(own)}").json["revoked_at"]
    assert at.startswith("2026-12-24T03:00:0")
    assert client.order("example.jp").problem == "rejectedIdentifier"
    assert ca.manage("POST", path, {"name": "example.jp"}).status == 409
    assert ca.manage("POST", path, {"name": "other.jp"}).status == 409

    shown = {each["name"]: each for each in ca.manage("POST", path).json["usage_fqdns"]}
    assert {each["status"] for each in shown.values()} == {"ended"}
    assert shown["later.jp"]["started"] is shown["later.jp"]["ends"] is None
    assert revoked(ca, blog) == [9]
    assert ca.manage("POST", path).status == 409


def test_the_operator_revokes_with_a_subscribers_code_only(ca: CaInProcess) -> None:
    _, client = joined(ca, ("example.jp", "1m"))
    chain = client.issue("example.jp")
    refused = ca.manage("POST", "/jprs/operator/revoke", {"serial": serial(chain), "reason": 9})
    assert refused.status == 400
    assert "5 cessationOfOperation" in refused.json["error"]
    assert ca.manage("POST", "/jprs/operator/revoke", {"serial": serial(chain), "reason": 5}).json["reason"] == 5
    entry = ca.crl().get_revoked_certificate_by_serial_number(leaf(chain).serial_number)
    assert entry is not None
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.cessation_of_operation


def test_a_usage_fqdn_is_applied_for_again_after_its_end_and_starts_anew(ca: CaInProcess) -> None:
    identity, client = joined(ca, ("example.jp", "1m"))
    client.issue("example.jp")
    ca.manage("POST", f"/jprs/subscribers/{identity}/terminate", {"name": "example.jp"})
    ca.clock("2027-01-10")
    applied = {"name": "example.jp", "term": "1y", "continuation_term": "1m"}
    assert ca.manage("POST", f"/jprs/subscribers/{identity}/usage-fqdns", applied).json["started"] is None
    chain = client.issue("www.example.jp")
    usage = ca.usages(identity)["example.jp"]
    assert (usage["started"], usage["ends"]) == ("2027-01-10", "2028-01-31")
    assert revoked(ca, chain) == [None]


# credentials and accounts (第5条1項)


def test_credentials_make_one_account_until_others_are_handed_out(ca: CaInProcess) -> None:
    identity, key_id, secret = ca.subscriber(("example.jp", "1y"))
    first = Client(ca, (key_id, secret))
    chain = first.issue("example.jp")
    handed = ca.manage("POST", f"/jprs/subscribers/{identity}/credentials").json
    assert handed["id"] == identity
    assert handed["eab"]["key_id"] != key_id
    given = {"eab": {"key_id": "mine", "hmac_key": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I"}}
    assert ca.manage("POST", f"/jprs/subscribers/{identity}/credentials", given).json["eab"] == given["eab"]
    second = Client(ca, ("mine", ca.ca.contracts.subscriber(identity).hmac_key))
    later = second.issue("www.example.jp")
    assert [each["serial"] for each in ca.certificates(identity)] == [serial(chain), serial(later)]
    assert first.order("example.jp").status == 201
    for wrong in ({"eab": "x"}, {"eab": {"key_id": "a"}}, {"eab": {"key_id": "a", "hmac_key": "*"}}):
        assert ca.manage("POST", f"/jprs/subscribers/{identity}/credentials", wrong).status == 400
    assert ca.manage("POST", "/jprs/subscribers", {"name": "Y", "usage_fqdns": "any", **given}).status == 409
    ca.manage("POST", f"/jprs/subscribers/{identity}/cancel", {"name": "example.jp"})
    assert revoked(ca, chain, later) == [9, 9]


def test_an_account_is_revoked_restored_and_forgotten(ca: CaInProcess) -> None:
    identity, client = joined(ca, ("example.jp", "1m"))
    chain = client.issue("example.jp")
    (shown,) = ca.manage("GET", "/jprs/accounts").json
    path = f"/jprs/accounts/{shown['id']}"
    assert shown["url"] == client.kid
    assert shown["certificates"] == [serial(chain)]
    assert ca.manage("POST", path, {"status": "revoked"}).json["status"] == "revoked"
    assert client.order("example.jp").problem == "unauthorized"
    assert ca.manage("POST", path, {"status": "gone"}).status == 400
    assert ca.manage("POST", path, {"status": "valid"}).status == 200
    assert client.order("example.jp").status == 201
    assert ca.manage("DELETE", path).json["forgotten"] is True
    assert client.order("example.jp").problem == "accountDoesNotExist"
    assert ca.manage("DELETE", path).status == 409
    assert ca.manage("GET", "/jprs/accounts/none").status == 404
    # what it was issued for goes on, and ends
    ca.manage("POST", f"/jprs/subscribers/{identity}/terminate", {"name": "example.jp"})
    ca.clock("2027-01-01")
    assert revoked(ca, chain) == [9]


# the service: terms (第22条), maintenance (第18条), limits (第9条2号ク)


def test_new_terms_are_agreed_to_before_the_next_order(ca: CaInProcess) -> None:
    _, client = joined(ca, ("example.jp", "1m"))
    before = ca.get("/dir").json["meta"]["termsOfService"]
    shown = ca.manage("POST", "/jprs/terms", {}).json
    assert (shown["edition"], shown["required"], shown["path"]) == (2, 2, "/terms/2")
    assert list(shown["agreed"].values()) == [1]
    now = ca.get("/dir").json["meta"]["termsOfService"]
    assert (before, now) == (BASE + "/terms", BASE + "/terms/2")
    refused = client.order("example.jp")
    assert refused.problem == "userActionRequired"
    assert refused.json["instance"] == now
    assert f'<{now}>;rel="terms-of-service"' in refused.links
    assert client.post(client.kid, {"termsOfServiceAgreed": True}).status == 200
    assert client.order("example.jp").status == 201


def test_terms_may_change_without_being_asked_about_and_at_the_same_address(ca: CaInProcess) -> None:
    _, client = joined(ca, ("example.jp", "1m"))
    shown = ca.manage("POST", "/jprs/terms", {"require": False}).json
    assert (shown["edition"], shown["required"], shown["path"]) == (2, 1, "/terms/2")
    assert client.order("example.jp").status == 201
    shown = ca.manage("POST", "/jprs/terms", {"same_address": True}).json
    assert (shown["edition"], shown["required"], shown["path"]) == (3, 3, "/terms/2")
    assert client.order("example.jp").problem == "userActionRequired"
    assert ca.manage("GET", "/jprs/terms").json["edition"] == 3
    assert ca.manage("POST", "/jprs/terms", {"require": "no"}).status == 400


def test_the_service_stops_for_maintenance_and_goes_on(ca: CaInProcess) -> None:
    _, client = joined(ca, ("example.jp", "1m"))
    until = ca.manage("POST", "/jprs/maintenance", {"until": "2026-11-22T15:00:00+09:00"}).json["until"]
    assert until == "2026-11-22T06:00:00Z"
    stopped = ca.get("/dir")
    assert stopped.status == 503
    assert 10_000 < int(stopped.headers["retry-after"]) <= 10_800
    ca.clock("2026-11-22T15:00:00+09:00")
    assert ca.manage("GET", "/jprs/maintenance").json == {"until": None}
    assert client.order("example.jp").status == 201
    ca.manage("POST", "/jprs/maintenance", {"seconds": 60})
    assert ca.get("/dir").status == 503
    assert ca.manage("DELETE", "/jprs/maintenance").json == {"until": None}
    assert ca.get("/dir").status == 200


def test_a_rate_limit_holds_for_each_account_and_any_span(ca: CaInProcess) -> None:
    _, client = joined(ca, ("example.jp", "1m"))
    _, other = joined(ca, ("other.jp", "1m"))
    limit = {"endpoint": "newOrder", "count": 2, "seconds": 3600}
    assert ca.manage("POST", "/jprs/rate-limits", limit).json == {"newOrder": {"count": 2, "seconds": 3600}}
    assert [client.order("example.jp").status for _ in range(2)] == [201, 201]
    refused = client.order("example.jp")
    assert (refused.status, refused.problem) == (429, "rateLimited")
    assert 3590 <= int(refused.headers["retry-after"]) <= 3600
    assert other.order("other.jp").status == 201
    ca.manage("POST", "/clock", {"advance": int(refused.headers["retry-after"])})
    assert client.order("example.jp").status == 201
    ca.manage("POST", "/clock", {"advance": -86400})
    assert client.order("example.jp").status == 201
    assert ca.manage("DELETE", "/jprs/rate-limits", {"endpoint": "newOrder"}).json == {}
    assert [client.order("example.jp").status for _ in range(3)] == [201] * 3
    assert ca.manage("GET", "/jprs/rate-limits").json == ca.manage("DELETE", "/jprs/rate-limits").json == {}


# what is said of certificates, and who signs them


def test_renewal_information_says_what_it_is_told_to(ca: CaInProcess) -> None:
    _, client = joined(ca, ("example.jp", "1m"))
    chain = client.issue("example.jp")
    ari = ca.manage("GET", f"/jprs/certificates/{serial(chain)}").json["ari_id"]
    usual = ca.get(f"/acme/renewal-info/{ari}").json
    said = {
        "start": "2026-11-23T00:00:00Z",
        "end": "not a time",
        "explanation_url": "https://a.test/",
        "retry_after": 7,
    }
    assert ca.manage("POST", "/jprs/renewal-info", {"serial": serial(chain), **said}).json == said
    answer = ca.get(f"/acme/renewal-info/{ari}")
    assert answer.json["suggestedWindow"] == {"start": said["start"], "end": said["end"]}
    assert answer.json["explanationURL"] == "https://a.test/"
    assert answer.headers["retry-after"] == "7"
    assert ca.manage("DELETE", f"/jprs/renewal-info/{serial(chain)}").status == 200
    assert ca.get(f"/acme/renewal-info/{ari}").json == usual
    assert ca.manage("POST", "/jprs/renewal-info", {"serial": serial(chain)}).status == 400


def test_a_certificate_is_shown_with_its_pem(ca: CaInProcess) -> None:
    _, client = joined(ca, ("example.jp", "1m"))
    chain = client.issue("example.jp", "www.example.jp")
    (shown,) = ca.manage("GET", "/jprs/certificates").json
    one = ca.manage("GET", f"/jprs/certificates/{serial(chain).upper()}").json
    assert x509.load_pem_x509_certificate(one["pem"].encode()) == leaf(chain)
    assert {member: one[member] for member in shown} == shown
    assert (shown["names"], shown["issuer"]) == (["example.jp", "www.example.jp"], 0)
    assert ca.manage("GET", "/jprs/certificates/ff").status == 404


def signs(ca: CaInProcess) -> list[int]:
    return [each["number"] for each in ca.manage("GET", "/jprs/issuers").json["issuers"] if each["signs"]]


def test_issuers_are_switched_added_and_revoked(open_ca: CaInProcess) -> None:
    client = Client(open_ca)

    def issuer(chain: bytes) -> int:
        return int(open_ca.manage("GET", f"/jprs/certificates/{serial(chain)}").json["issuer"])

    assert signs(open_ca) == [0]
    assert open_ca.manage("POST", "/jprs/issuer", {"use": "by-key"}).json["use"] == "by-key"
    assert signs(open_ca) == [0, 1]
    assert open_ca.manage("POST", "/jprs/issuer", {"use": "dsa"}).status == 400
    first = client.issue("a.jp")
    assert open_ca.manage("POST", "/jprs/issuers", {"kind": "ecdsa"}).json["issuers"][2]["kind"] == "ecdsa"
    assert signs(open_ca) == [1, 2]
    second = client.issue("a.jp")
    assert [issuer(first), issuer(second)] == [0, 2]
    shown = open_ca.manage("POST", "/jprs/issuers/2/revoke", {"reason": 1, "certificates": True}).json["issuers"]
    assert (shown[2]["reason"], shown[3]["signs"]) == (1, True)
    assert revoked(open_ca, first, second) == [None, 0]
    assert issuer(client.issue("a.jp")) == 3
    assert open_ca.manage("POST", "/jprs/issuers/2/revoke", {"reason": 1}).status == 400
    assert open_ca.manage("POST", "/jprs/issuers/9/revoke", {"reason": 1}).status == 404
    assert open_ca.manage("POST", "/jprs/issuers/0/revoke", {"reason": "1"}).status == 400


def test_what_can_be_changed_while_it_runs_is_changed(open_ca: CaInProcess) -> None:
    before = open_ca.manage("GET", "/jprs/settings").json
    assert (before["ocsp_lag"], before["caa_identities"], before["ask_again"]) == (0, ["jprs.jp"], None)
    wanted = {
        "ocsp_lag": 600,
        "validation_delay": 0.5,
        "reuse": 50,
        "nonce_rejects": 100,
        "ask_again": 3,
        "orders_a_page": 2,
        "caa_identities": ["a.test", "b.test"],
        "blocked": ["bad.jp"],
    }
    assert open_ca.manage("POST", "/jprs/settings", wanted).json == wanted
    assert open_ca.get("/dir").json["meta"]["caaIdentities"] == ["a.test", "b.test"]
    refused = open_ca.post("/acme/new-account", {"termsOfServiceAgreed": True}, AccountKey())
    assert refused.problem == "badNonce"
    assert open_ca.manage("POST", "/jprs/settings", before).json == before
    assert open_ca.manage("POST", "/jprs/settings", {"blocked": []}).json["blocked"] == []


# as Pebble has them


def test_keys_stand_beside_the_certificates_and_the_others_are_linked(ca: CaInProcess) -> None:
    for number, kind in enumerate((b"EC", b"RSA")):
        for path in ("root", "intermediate"):
            shown = ca.manage("GET", f"/{path}s/{number}")
            assert shown.headers["content-type"] == "application/pem-certificate-chain; charset=utf-8"
            assert shown.links == [f'<{BASE}/{path}s/{1 - number}>;rel="alternate"']
            key = ca.manage("GET", f"/{path}-keys/{number}")
            assert key.headers["content-type"] == "application/x-pem-file; charset=utf-8"
            assert key.body.startswith(b"-----BEGIN " + kind + b" PRIVATE KEY-----")
            certificate = x509.load_pem_x509_certificate(shown.body)
            private = serialization.load_pem_private_key(key.body, None)
            assert private.public_key() == certificate.public_key()
    for path in ("/roots/2", "/root-keys/9", "/intermediates/x", "/intermediate-keys/-1", "/roots/²"):
        assert ca.manage("GET", path).status == 404


def test_a_certificates_status_is_told_by_serial(open_ca: CaInProcess) -> None:
    chain = Client(open_ca).issue("a.jp")
    path = f"/cert-status-by-serial/{serial(chain).upper()}"
    answer = open_ca.manage("GET", path)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert set(answer.json) == {"Certificate", "Serial", "Status"}
    assert (answer.json["Serial"], answer.json["Status"]) == (serial(chain), "Valid")
    open_ca.manage("POST", "/jprs/revoke", {"serial": serial(chain), "reason": 4})
    shown = open_ca.manage("GET", path).json
    assert (shown["Status"], shown["Reason"]) == ("Revoked", 4)
    assert shown["RevokedAt"].startswith("2026-11-22T03:0")
    assert open_ca.manage("GET", "/cert-status-by-serial/xyz").status == 400
    assert open_ca.manage("GET", "/cert-status-by-serial/ff").status == 404


@pytest.mark.parametrize("spelling", [("Certificate", "ARIResponse"), ("certificate", "ariResponse")])
def test_renewal_information_is_set_as_for_pebble(open_ca: CaInProcess, spelling: tuple[str, str]) -> None:
    chain = Client(open_ca).issue("a.jp")
    ari = open_ca.manage("GET", f"/jprs/certificates/{serial(chain)}").json["ari_id"]
    window = {"start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z"}
    said = json.dumps({"suggestedWindow": window, "explanationURL": "https://a.test/"})
    posted = dict(zip(spelling, (chain.decode(), said), strict=True))
    answer = open_ca.manage("POST", "/set-renewal-info/", posted)
    assert (answer.status, answer.body) == (200, b"")
    assert open_ca.get(f"/acme/renewal-info/{ari}").json == json.loads(said)
    open_ca.manage("POST", "/set-renewal-info/", {**posted, spelling[1]: "no JSON"})
    assert open_ca.get(f"/acme/renewal-info/{ari}").body == b"no JSON"


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({}, 400),
        ({"Certificate": "x", "ARIResponse": "{}"}, 400),
        ({"Certificate": 1, "ARIResponse": "{}"}, 400),
    ],
)
def test_renewal_information_needs_a_certificate(open_ca: CaInProcess, document: Any, status: int) -> None:
    assert open_ca.manage("POST", "/set-renewal-info/", document).status == status


def test_renewal_information_of_a_strangers_certificate_is_not_there(ca: CaInProcess) -> None:
    root = ca.manage("GET", "/roots/0").body.decode()
    assert ca.manage("POST", "/set-renewal-info/", {"Certificate": root, "ARIResponse": "{}"}).status == 404


# what is refused


@pytest.mark.parametrize(
    ("method", "path", "document", "status", "said"),
    [
        ("POST", "/jprs/maintenance", {}, 400, "either"),
        ("POST", "/jprs/maintenance", {"until": "2026-11-30", "seconds": 1}, 400, "either"),
        ("POST", "/jprs/maintenance", {"until": "soon"}, 400, "soon"),
        ("POST", "/jprs/maintenance", {"until": "2020-01-01"}, 400, "over"),
        ("POST", "/jprs/maintenance", {"seconds": "60"}, 400, "seconds"),
        ("POST", "/jprs/maintenance", {"seconds": 1e300}, 400, "bounds"),
        ("POST", "/jprs/rate-limits", {"endpoint": "x", "count": 1, "seconds": 1}, 400, "newOrder"),
        ("POST", "/jprs/rate-limits", {"endpoint": "newOrder", "count": -1, "seconds": 1}, 400, "count"),
        ("POST", "/jprs/rate-limits", {"endpoint": "newOrder", "count": 1, "seconds": 0}, 400, "seconds"),
        ("POST", "/jprs/rate-limits", {"endpoint": "newOrder", "seconds": 1}, 400, "count"),
        ("DELETE", "/jprs/rate-limits", {"endpoint": "x"}, 400, "endpoint"),
        ("POST", "/jprs/issuers", {"kind": "dsa"}, 400, "kind"),
        ("POST", "/jprs/issuers", {}, 400, "kind"),
        ("POST", "/jprs/settings", {"open": True}, 400, "ocsp_lag, validation_delay"),
        ("POST", "/jprs/settings", {"reuse": 101}, 400, "100"),
        ("POST", "/jprs/settings", {"ocsp_lag": -1}, 400, "ocsp_lag"),
        ("POST", "/jprs/settings", {"blocked": "a.jp"}, 400, "blocked"),
        ("POST", "/jprs/subscribers/none/cancel", {}, 404, "none"),
        ("POST", "/jprs/operator/revoke", {"serial": "ff", "reason": 1}, 404, "ff"),
        ("POST", "/add-http01", {"token": "a"}, 400, "content"),
        ("POST", "/add-redirect", {"path": "/a"}, 400, "target"),
        ("POST", "/add-tlsalpn01", {"content": "a"}, 400, "host"),
        ("POST", "/http-request-history", {}, 400, "host"),
        ("POST", "/clear-request-history", {"host": "a.jp", "type": "ftp"}, 400, "http, dns, tlsalpn"),
        ("POST", "/add-a", {"host": "a.jp", "addresses": []}, 400, "addresses"),
        ("POST", "/set-txt", {"host": "a.jp", "value": "x", "perspective": "mars"}, 400, "primary, second"),
        ("POST", "/set-default-ipv4", {"ip": "::1"}, 400, "::1"),
    ],
)
def test_a_refusal_says_what_would_be_right(
    ca: CaInProcess, method: str, path: str, document: Any, status: int, said: str
) -> None:
    ca.ca.perspectives = Authority(ca.ca.settings).perspectives
    answer = ca.manage(method, path, document)
    assert answer.status == status
    assert said in answer.json["error"]


# whatever is posted

SCALAR = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["a.jp", "1m", "ff"])
)
OBJECT = st.dictionaries(st.text(max_size=4) | st.sampled_from(["name", "term", "tag", "value"]), SCALAR, max_size=3)
JSON = SCALAR | OBJECT | st.lists(SCALAR | OBJECT, max_size=3)


@pytest.mark.timeout(120)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_whatever_is_posted_is_done_or_refused(shared: CaInProcess, data: st.DataObject) -> None:
    every = [offer for _, group in offers(shared.ca) for offer in group]
    offer = data.draw(st.sampled_from(every))
    path = offer.path
    ids = [*shared.ca.contracts.subscribers][:3]
    for varying, known in (("{id}", ids), ("{serial}", ["ff", "0"]), ("{number}", ["0", "7"])):
        path = path.replace(varying, data.draw(st.sampled_from([*known, "x", "²", "%00"])))
    members = re.findall(r'"(\w+)"', offer.takes) or ["x"]
    body = data.draw(st.dictionaries(st.sampled_from(members), JSON, max_size=4) | JSON)
    answer = shared.ask(shared.management, offer.method, path, json.dumps(body).encode())
    assert answer.status in {200, 400, 404, 409}, (offer, body, answer)


@pytest.fixture(scope="module")
def shared() -> Iterator[CaInProcess]:
    """A CA as JPRS's that lives through many calls."""
    with CaInProcess() as running:
        running.subscriber(("a.jp", "1m"))
        yield running


# what is refused has no effect


@pytest.mark.parametrize("half", ["\ud800", "\udfff"])
def test_half_of_a_surrogate_pair_is_refused_before_anything_is_done(ca: CaInProcess, half: str) -> None:
    fault = {"match": {"endpoint": "newOrder"}, "action": {"status": 400, "detail": half}}
    assert ca.manage("POST", "/faults", fault).status == 400
    assert ca.manage("GET", "/faults").json == []
    client = Client(ca, ca.subscriber(("example.jp", "1y"))[1:])
    number = serial(client.issue("example.jp"))
    assert ca.manage("POST", "/jprs/renewal-info", {"serial": number, "start": half}).status == 400
    for wait in ("\0", "5\r\nX: y", "日"):
        assert ca.manage("POST", "/jprs/renewal-info", {"serial": number, "retry_after": wait}).status == 400
    assert ca.manage("POST", "/jprs/renewal-info", {"serial": number, "retry_after": "soon"}).status == 200


def test_perspectives_go_by_name_or_by_number(ca: CaInProcess) -> None:
    ca.ca.perspectives = Authority(ca.ca.settings).perspectives
    for each in ("primary", "second", 0, 1):
        assert ca.manage("POST", "/set-servfail", {"host": "p.example.jp", "perspective": each}).status == 200
        fault = {"match": {"endpoint": "validation", "perspective": each}, "action": {"fail": "dns"}}
        assert ca.manage("POST", "/faults", fault).status == 200
    wrong: object
    for wrong in ("nosuch", 2, -1, True, [], ""):
        answer = ca.manage("POST", "/set-servfail", {"host": "p.example.jp", "perspective": wrong})
        assert (answer.status, "primary, second" in answer.json["error"]) == (400, True)
    for wrong in ("nosuch", 10, -1, True, [], ""):
        fault = {"match": {"endpoint": "validation", "perspective": wrong}, "action": {"fail": "dns"}}
        answer = ca.manage("POST", "/faults", fault)
        assert (answer.status, "primary, second" in answer.json["error"]) == (400, True)


@pytest.mark.parametrize("end", ["\n", "\r\n", " \t\r\n\n"])
def test_a_proof_may_end_in_white_space(ca: CaInProcess, end: str) -> None:
    """RFC 8555 §8.3: the server SHOULD ignore it."""
    assert ca.manage("POST", "/add-http01", {"token": "t", "content": f"t.x{end}"}).status == 200
    assert ca.ca.web.contents["t"] == f"t.x{end}"
