"""JPRS's side over the doors: names refused, periods started and ended, certificates revoked by the CA."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from jprs_client.testca.jose import encode
from jprs_client.testca.orders import Certificate
from jprs_client.testca.subscribers import Contracts
from tests.testca.in_process import CaInProcess, Client, csr, leaf


def serial(chain: bytes) -> str:
    return f"{leaf(chain).serial_number:x}"


def status_of(ca: CaInProcess, chain: bytes) -> str:
    return str(ca.manage("GET", f"/cert-status-by-serial/{serial(chain)}").json["Status"])


def joined(ca: CaInProcess, *usages: tuple[str, str]) -> tuple[str, Client]:
    """A subscriber with an account."""
    identity, key_id, secret = ca.subscriber(*usages)
    return identity, Client(ca, (key_id, secret))


def test_a_name_that_no_usage_fqdn_authorises_is_refused_by_name(ca: CaInProcess) -> None:
    _, client = joined(ca, ("example.jp", "1y"), ("*.shop.jp", "1y"))
    for refused in ("other.jp", "x.example.jp", "*.example.jp", "www.shop.jp", "www.www.example.jp"):
        answer = client.order("example.jp", refused)
        assert (answer.status, answer.problem) == (403, "rejectedIdentifier")
        assert refused in answer.json["detail"]
        assert [each["identifier"]["value"] for each in answer.json["subproblems"]] == [refused]
    assert client.order("example.jp", "www.example.jp", "*.shop.jp", "shop.jp").status == 201


def test_a_subscriber_without_limit_and_an_open_ca_issue_for_any_name(ca: CaInProcess, open_ca: CaInProcess) -> None:
    _, client = joined(ca)
    assert client.order("any.jp").status == 201
    _, limited = joined(open_ca, ("example.jp", "1y"))
    assert limited.order("other.jp").status == 201


def test_the_first_certificate_starts_the_period_on_its_jst_day(ca: CaInProcess) -> None:
    ca.clock("2026-11-30T23:59:50+09:00")
    identity, client = joined(ca, ("example.jp", "1m"), ("*.example.jp", "1y"))
    assert ca.usages(identity)["example.jp"]["status"] == "applied"
    ca.clock("2026-12-01T00:00:00+09:00")
    certificate = leaf(client.issue("example.jp"))
    usages = ca.usages(identity)
    assert usages["example.jp"] == {
        "name": "example.jp",
        "term": "1m",
        "continuation_term": "1m",
        "status": "in-use",
        "started": "2026-12-01",
        "ends": "2027-01-31",
        "terminating": False,
    }
    assert usages["*.example.jp"]["status"] == "applied"
    assert certificate.not_valid_before_utc.isoformat().startswith("2026-11-30T15:00:0")
    assert certificate.not_valid_after_utc.isoformat() == "2027-03-01T14:59:59+00:00"
    (shown,) = ca.certificates(identity)
    assert shown["names"] == ["example.jp"]
    assert shown["serial"] == f"{certificate.serial_number:x}"


def test_an_order_alone_starts_nothing(ca: CaInProcess) -> None:
    identity, client = joined(ca, ("example.jp", "1m"))
    client.prove(client.order("example.jp"))
    assert ca.usages(identity)["example.jp"]["started"] is None


def test_when_a_period_ends_what_was_issued_for_it_is_revoked_at_that_moment(ca: CaInProcess) -> None:
    identity, client = joined(ca, ("example.jp", "1m"), ("*.example.jp", "1m"), ("blog.jp", "1m"))
    own = client.issue("example.jp")
    shared = client.issue("example.jp", "blog.jp")
    derived = client.issue("www.example.jp", "blog.jp")
    blog = client.issue("blog.jp")
    wildcard = client.issue("*.example.jp")
    ca.manage("POST", f"/jprs/subscribers/{identity}/terminate", {"name": "example.jp"})
    assert ca.usages(identity)["example.jp"]["status"] == "terminating"

    ca.clock("2026-12-31T23:59:59+09:00")
    assert {status_of(ca, chain) for chain in (own, shared, derived, blog, wildcard)} == {"Valid"}
    later = client.issue("www.example.jp")
    ca.clock("2027-01-15")
    assert [status_of(ca, chain) for chain in (own, shared, derived, later)] == ["Revoked"] * 4
    assert [status_of(ca, chain) for chain in (blog, wildcard)] == ["Valid"] * 2
    entry = ca.crl().get_revoked_certificate_by_serial_number(leaf(own).serial_number)
    assert entry is not None
    assert entry.revocation_date_utc.isoformat() == "2026-12-31T15:00:00+00:00"
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.privilege_withdrawn

    usages = ca.usages(identity)
    assert usages["example.jp"]["status"] == "ended"
    assert usages["blog.jp"]["ends"] == "2027-01-31"
    assert client.order("www.example.jp").problem == "rejectedIdentifier"
    # example.jp is still authorised, by *.example.jp; what is issued for it now lives on
    kept = client.issue("example.jp")
    ca.clock("2027-02-05")
    assert status_of(ca, kept) == "Valid"


def test_a_usage_fqdn_that_ends_between_proof_and_finalization_gets_no_certificate(ca: CaInProcess) -> None:
    identity, client = joined(ca, ("example.jp", "1m"))
    client.issue("example.jp")
    ca.clock("2026-12-30")
    order = client.order("example.jp")
    client.prove(order)
    ca.manage("POST", f"/jprs/subscribers/{identity}/terminate", {"name": "example.jp"})
    ca.clock("2027-01-01")
    client.finalize(order, csr(["example.jp"]))
    ca.settle()
    error = client.read(order.headers["location"]).json["error"]
    assert error["type"].endswith(":rejectedIdentifier")
    assert "example.jp" in error["detail"]


def test_a_withdrawn_notice_leaves_everything_in_use(ca: CaInProcess) -> None:
    identity, client = joined(ca, ("example.jp", "1m"))
    chain = client.issue("example.jp")
    path = f"/jprs/subscribers/{identity}"
    assert ca.manage("POST", f"{path}/terminate", {"name": "example.jp"}).json["terminating"] is True
    assert ca.manage("POST", f"{path}/withdraw", {"name": "example.jp"}).json["terminating"] is False
    ca.clock("2027-01-05")
    assert ca.usages(identity)["example.jp"]["ends"] == "2027-01-31"
    assert status_of(ca, chain) == "Valid"


def test_a_period_is_carried_on_by_the_continuation_term(ca: CaInProcess) -> None:
    made = ca.manage(
        "POST",
        "/jprs/subscribers",
        {"name": "X", "usage_fqdns": [{"name": "a.jp", "term": "1y", "continuation_term": "1m"}]},
    ).json
    client = Client(ca, (made["eab"]["key_id"], ca.ca.contracts.subscriber(made["id"]).hmac_key))
    client.issue("a.jp")
    ca.clock("2027-12-05")
    assert ca.usages(made["id"])["a.jp"]["ends"] == "2027-12-31"
    ca.manage("POST", f"/jprs/subscribers/{made['id']}/continuation", {"name": "a.jp", "term": "1y"})
    ca.clock("2028-01-05")
    assert ca.usages(made["id"])["a.jp"]["ends"] == "2028-12-31"


def test_a_usage_fqdn_may_be_added_later(ca: CaInProcess) -> None:
    identity, client = joined(ca, ("example.jp", "1m"))
    path = f"/jprs/subscribers/{identity}/usage-fqdns"
    assert client.order("new.jp").problem == "rejectedIdentifier"
    assert ca.manage("POST", path, {"name": "New.jp", "term": "1y"}).json["status"] == "applied"
    assert client.order("new.jp").status == 201
    assert ca.manage("POST", path, {"name": "new.jp", "term": "1y"}).status == 409


def test_a_suspended_operator_starts_nothing_new_and_lets_ending_periods_end(ca: CaInProcess) -> None:
    identity, client = joined(ca, ("old.jp", "1m"), ("new.jp", "1m"))
    chain = client.issue("old.jp")
    assert ca.manage("POST", "/jprs/operator/suspend").json == {"suspended": True}
    assert client.order("new.jp").problem == "rejectedIdentifier"
    assert client.order("old.jp").status == 201
    ca.clock("2027-01-01")
    assert ca.usages(identity)["old.jp"]["status"] == "ended"
    assert status_of(ca, chain) == "Revoked"
    assert ca.manage("POST", "/jprs/operator/resume").json == {"suspended": False}
    assert client.order("new.jp").status == 201


def test_the_ca_revokes_on_its_own(ca: CaInProcess) -> None:
    _, client = joined(ca, ("example.jp", "1m"))
    chain = client.issue("example.jp")
    for reason in (2, 6, "1", True, -1):
        assert ca.manage("POST", "/jprs/revoke", {"serial": serial(chain), "reason": reason}).status == 400
    done = ca.manage("POST", "/jprs/revoke", {"serial": serial(chain).upper(), "reason": 9})
    assert (done.json["status"], done.json["reason_name"]) == ("revoked", "privilegeWithdrawn")
    assert ca.manage("POST", "/jprs/revoke", {"serial": serial(chain), "reason": 9}).status == 400
    assert ca.manage("POST", "/jprs/revoke", {"serial": "ff", "reason": 1}).status == 404


def test_neither_revoking_nor_deactivating_stops_a_period(ca: CaInProcess) -> None:
    """第10条3項: only a notice does."""
    identity, client = joined(ca, ("example.jp", "1m"))
    chain = client.issue("example.jp")
    ca.manage("POST", "/jprs/revoke", {"serial": serial(chain), "reason": 0})
    assert client.post(client.kid, {"status": "deactivated"}).json["status"] == "deactivated"
    ca.clock("2027-06-15")
    usage = ca.usages(identity)["example.jp"]
    assert (usage["status"], usage["ends"]) == ("in-use", "2027-06-30")
    ca.manage("POST", f"/jprs/subscribers/{identity}/terminate", {"name": "example.jp"})
    ca.clock("2027-07-01")
    assert ca.usages(identity)["example.jp"]["status"] == "ended"


@pytest.mark.parametrize("step", [1, 3650])
def test_ten_years_pass_quickly(ca: CaInProcess, step: int) -> None:
    """200 usage FQDNs, 1,000 certificates; by the day, or at once."""
    names = [f"n{number}.jp" for number in range(200)]
    identity, key_id, secret = ca.subscriber(*((name, "1m" if len(name) % 2 else "1y") for name in names))
    Client(ca, (key_id, secret))
    (account,) = ca.ca.book.accounts.values()
    start = ca.ca.now()
    for number in range(1000):
        pair = tuple(dict.fromkeys((names[number % 200], names[number * 7 % 200])))
        each = Certificate(number, account.identity, pair, start, start + timedelta(days=90), b"", 0, b"", str(number))
        ca.ca.book.certificates[number] = each
        account.certificates.append(number)
        ca.ca.contracts.issued(identity, pair, start)
    for name in names[::4]:
        ca.ca.contracts.terminate(identity, name)
    began = time.process_time()
    for _ in range(0, 3650, step):
        assert ca.manage("POST", "/clock", {"advance": step * 86400}).status == 200
    assert time.process_time() - began < 30
    usages = ca.usages(identity)
    assert [usages[name]["status"] for name in names[:5]] == ["ended", "in-use", "in-use", "in-use", "ended"]
    assert {usage["ends"] for usage in usages.values() if usage["status"] == "in-use"} == {"2036-11-30"}
    assert ca.crl().next_update_utc is not None
    assert len(ca.crl()) == 0  # what has expired stands in it no longer


@pytest.mark.parametrize(
    ("method", "path", "document", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("DELETE", "/clock", None, 405),
        ("GET", "/jprs/subscribers/none", None, 404),
        ("POST", "/jprs/subscribers/none/terminate", {"name": "a.jp"}, 404),
        ("POST", "/jprs/subscribers", {}, 400),
        ("POST", "/jprs/subscribers", {"name": "X", "usage_fqdns": [{"name": "a.jp"}]}, 400),
        ("POST", "/jprs/subscribers", {"name": "X", "usage_fqdns": [{"name": "a_b", "term": "1m"}]}, 400),
        ("POST", "/jprs/subscribers", {"name": "X", "usage_fqdns": [{"name": "a.jp", "term": "2m"}]}, 400),
        ("POST", "/jprs/subscribers", [], 400),
        ("POST", "/jprs/revoke", {"serial": "xyz"}, 400),
        ("POST", "/clock", {}, 400),
        ("POST", "/clock", {"now": "2026-11-22T00:00:00"}, 400),
        ("POST", "/clock", {"now": "3026-11-22"}, 400),
        ("POST", "/clock", {"advance": "1"}, 400),
        ("POST", "/clock", {"advance": 1e300}, 400),
        ("POST", "/clock", {"advance": 10**400}, 400),
        ("POST", "/clock", {"now": "0001-01-01T00:00:00+09:00"}, 400),
        ("POST", "/clock", {"now": "2026-11-22", "advance": 1}, 400),
        ("POST", "/faults", {"action": "explode"}, 400),
        ("POST", "/faults", {"action": "drop", "match": {"endpoint": "x"}}, 400),
        ("POST", "/set-txt", {"host": "a.jp"}, 400),
        ("POST", "/add-a", {"host": "a.jp", "addresses": ["::1"]}, 400),
        ("POST", "/add-a", {"host": "a.jp", "addresses": ["x"]}, 400),
        ("POST", "/add-caa", {"host": "a.jp", "policies": "x"}, 400),
        ("GET", "/roots/2", None, 404),
        ("GET", "/cert-status-by-serial/zz", None, 400),
    ],
)
def test_the_management_side_says_what_is_wrong(
    ca: CaInProcess, method: str, path: str, document: Any, status: int
) -> None:
    answer = ca.manage(method, path, document)
    assert answer.status == status
    assert answer.json["error"]


def test_roots_and_intermediates_are_where_pebble_has_them(ca: CaInProcess) -> None:
    root = x509.load_pem_x509_certificate(ca.manage("GET", "/roots/0").body)
    intermediate = x509.load_pem_x509_certificate(ca.manage("GET", "/intermediates/0").body)
    intermediate.verify_directly_issued_by(root)
    _, client = joined(ca, ("example.jp", "1m"))
    certificate = leaf(client.issue("example.jp"))
    certificate.verify_directly_issued_by(intermediate)
    for shown in (root, intermediate):
        assert "TEST - DO NOT TRUST" in shown.subject.rfc4514_string()
    assert ca.ask(ca.pki, "GET", "/issuers/0.cer").body == intermediate.public_bytes(_der())
    assert ca.ask(ca.pki, "POST", "/crl/0.crl").status == 405
    assert ca.ask(ca.pki, "GET", "/crl/9.crl").status == 404
    crl = ca.crl()
    assert crl.is_signature_valid(intermediate.public_key())  # type: ignore[arg-type]
    assert crl.next_update_utc is not None


def _der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


def test_the_log_tells_what_was_asked(ca: CaInProcess) -> None:
    _, client = joined(ca, ("example.jp", "1m"))
    ca.manage("DELETE", "/log")
    client.order("other.jp")
    *_, entry = ca.manage("GET", "/log").json
    assert entry["endpoint"] == "newOrder"
    assert entry["method"] == "POST"
    assert entry["path"] == "/acme/new-order"
    assert entry["names"] == ["other.jp"]
    assert entry["account"] in client.kid
    assert (entry["status"], entry["problem"]) == (403, "rejectedIdentifier")
    assert entry["time"].startswith("2026-11-22T03:0")


def test_the_mock_dns_remembers_what_it_was_asked(open_ca: CaInProcess) -> None:
    client = Client(open_ca)
    client.prove(client.order("a.jp"))
    asked = open_ca.manage("POST", "/dns-request-history", {"host": "a.jp"}).json
    assert {(each["name"], each["type"], each["perspective"]) for each in asked} >= {("a.jp", "CAA", "primary")}
    assert {"Name": "a.jp.", "Qtype": 257, "Qclass": 1} in [each["Question"] for each in asked]
    open_ca.manage("POST", "/clear-request-history")
    assert open_ca.manage("POST", "/dns-request-history", {"host": "a.jp."}).json == []


def test_no_credentials_look_like_an_option() -> None:
    """certbot takes `--eab-hmac-key -a8S…` for two options, as every 64th key in base64url would be."""
    contracts = Contracts()
    keys = [encode(contracts.subscribe(f"subscriber {number}", None).hmac_key) for number in range(256)]
    assert [key for key in keys if key.startswith("-")] == []
    assert len(set(keys)) == len(keys)
