"""CAA as RFC 8659 and RFC 8657 have it: who may issue, where it stands, and when nobody can tell (FAULTS 109)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jprs_client.observe.caa import CaaLookups, Issuer, caa_verdict, check_caa, climb, refusal
from jprs_client.observe.resolver import Answer, CaaRecord, Resolver
from tests.observe.dns_stub import DnsStub, zone

JPRS = Issuer(("jprs.jp",))
OURS = Issuer(("jprs.jp",), "https://ca.example/acct/1", ("dns-01",))


def issue(value: str, *, tag: str = "issue", flags: int = 0) -> CaaRecord:
    return CaaRecord(flags, tag, value)


def why(name: str, *records: CaaRecord, issuer: Issuer = JPRS) -> str:
    verdict = caa_verdict(name, [(name.removeprefix("*."), records)], issuer)
    assert verdict.allowed is (verdict.why in {"caa-none", "caa-allows"})
    return verdict.why


@pytest.mark.parametrize(
    ("name", "records", "expected"),
    [
        ("a.jp", [], "caa-none"),
        ("a.jp", [issue("jprs.jp")], "caa-allows"),
        ("a.jp", [issue("JPRS.jp")], "caa-allows"),
        ("a.jp", [issue(" \tjprs.jp \t")], "caa-allows"),
        ("a.jp", [issue("jprs.jp;")], "caa-allows"),
        ("a.jp", [issue("jprs.jp; policy=ev")], "caa-allows"),
        ("a.jp", [issue("jprs.jp; a=1 ; b = 2")], "caa-allows"),
        ("a.jp", [issue("jprs.jp; a=")], "caa-allows"),
        ("a.jp", [issue("jprs.jp", tag="ISSUE")], "caa-allows"),
        ("a.jp", [issue("other.example"), issue("jprs.jp")], "caa-allows"),
        ("a.jp", [issue(";"), issue("jprs.jp")], "caa-allows"),
        ("a.jp", [issue("other.example")], "caa-other-issuer"),
        ("a.jp", [issue("notjprs.jp")], "caa-other-issuer"),
        ("a.jp", [issue("www.jprs.jp")], "caa-other-issuer"),
        ("a.jp", [issue(";")], "caa-nobody"),
        ("a.jp", [issue("")], "caa-nobody"),
        ("a.jp", [issue("; a=1")], "caa-nobody"),
        ("a.jp", [issue("jprs.jp.")], "caa-nobody"),
        ("a.jp", [issue("jprs.jp other.example")], "caa-nobody"),
        ("a.jp", [issue("jprs.jp; a")], "caa-nobody"),
        ("a.jp", [issue("jprs.jp; a=1;;b=2")], "caa-nobody"),
        ("a.jp", [issue("-jprs.jp")], "caa-nobody"),
        ("a.jp", [issue("jprs\\xff.jp")], "caa-nobody"),
        ("a.jp", [issue("jprs.jp\n")], "caa-nobody"),
        ("a.jp", [issue("mailto:x@a.jp", tag="iodef")], "caa-allows"),
        ("a.jp", [issue(";", tag="issuewild")], "caa-allows"),
        ("a.jp", [issue("x", tag="unheard-of")], "caa-allows"),
        ("a.jp", [issue("jprs.jp"), issue("x", tag="unheard-of", flags=128)], "caa-critical"),
        ("a.jp", [issue("jprs.jp"), issue("x", tag="unheard-of", flags=1)], "caa-allows"),
        ("a.jp", [issue("jprs.jp", flags=128)], "caa-allows"),
        ("a.jp", [issue("mailto:x@a.jp", tag="IODEF", flags=128)], "caa-allows"),
        ("*.a.jp", [issue("jprs.jp")], "caa-allows"),
        ("*.a.jp", [issue("other.example")], "caa-other-issuer"),
        ("*.a.jp", [issue("jprs.jp", tag="issuewild")], "caa-allows"),
        ("*.a.jp", [issue("jprs.jp"), issue(";", tag="issuewild")], "caa-nobody"),
        ("*.a.jp", [issue(";"), issue("jprs.jp", tag="issuewild")], "caa-allows"),
        ("a.jp", [issue(";"), issue("jprs.jp", tag="issuewild")], "caa-nobody"),
    ],
)
def test_the_records_at_a_name_decide(name: str, records: list[CaaRecord], expected: str) -> None:
    assert why(name, *records) == expected


@pytest.mark.parametrize(
    ("value", "issuer", "expected"),
    [
        ("jprs.jp; accounturi=https://ca.example/acct/1", OURS, "caa-allows"),
        ("jprs.jp; ACCOUNTURI=https://ca.example/acct/1", OURS, "caa-allows"),
        ("jprs.jp; accounturi=https://ca.example/acct/2", OURS, "caa-account"),
        ("jprs.jp; accounturi=", OURS, "caa-account"),
        ("jprs.jp; accounturi=https://ca.example/acct/1; accounturi=https://ca.example/acct/1", OURS, "caa-account"),
        ("jprs.jp; accounturi=https://ca.example/acct/2", JPRS, "caa-allows"),
        ("jprs.jp; validationmethods=dns-01", OURS, "caa-allows"),
        ("jprs.jp; validationmethods=http-01,dns-01", OURS, "caa-allows"),
        ("jprs.jp; validationmethods=http-01", OURS, "caa-method"),
        ("jprs.jp; validationmethods=", OURS, "caa-method"),
        ("jprs.jp; validationmethods=dns-01; validationmethods=dns-01", OURS, "caa-method"),
        ("jprs.jp; validationmethods=http-01", JPRS, "caa-allows"),
    ],
)
def test_parameters_bind_the_account_and_the_method(value: str, issuer: Issuer, expected: str) -> None:
    """RFC 8657."""
    assert why("a.jp", issue(value), issuer=issuer) == expected


def test_the_way_up_begins_without_the_wildcard_and_ends_at_the_last_label() -> None:
    """RFC 8659 §3."""
    assert climb("*.shop.example.jp") == ("shop.example.jp", "example.jp", "jp")


def test_the_first_set_on_the_way_up_rules() -> None:
    verdict = caa_verdict("www.a.jp", [("www.a.jp", ()), ("a.jp", (issue(";"),)), ("jp", (issue("jprs.jp"),))], JPRS)
    assert (verdict.allowed, verdict.zone, verdict.records) == (False, "a.jp", ('0 issue ";"',))


def test_a_failed_look_up_below_the_first_set_leaves_it_open() -> None:
    assert caa_verdict("www.a.jp", [("www.a.jp", None), ("a.jp", (issue("jprs.jp"),))], JPRS).allowed is None
    assert caa_verdict("a.jp", [("a.jp", (issue("jprs.jp"),)), ("jp", None)], JPRS).allowed is True


@given(st.text(max_size=40), st.text(max_size=10), st.integers(0, 255))
def test_whatever_a_record_holds_there_is_a_verdict(value: str, tag: str, flags: int) -> None:
    verdict = caa_verdict("a.jp", [("a.jp", (CaaRecord(flags, tag, value),))], OURS)
    assert verdict.allowed in {True, False}
    assert all(text.isprintable() for text in verdict.records)


def test_every_verdict_says_why_in_both_languages() -> None:
    from jprs_client.locale.challenges import EN, JA

    said = {"none", "allows", "nobody", "other-issuer", "critical", "account", "method", "unanswered"}
    assert {key for key in EN if key.startswith("reason.caa-")} == {f"reason.caa-{word}" for word in said}
    assert EN.keys() == JA.keys()


RECORDS = {
    "jp": {},
    "example.jp": {"CAA": ['0 issue "jprs.jp"', '0 issuewild ";"']},
    "www.example.jp": {"A": ["192.0.2.1"]},
    "shop.example.jp": {"CNAME": ["host.other.example."]},
    "host.other.example": {"CAA": ['0 issue "other.example"']},
    "plain.jp": {"A": ["192.0.2.1"]},
}


def test_looking_climbs_until_there_are_records_and_asks_each_name_once() -> None:
    with DnsStub(zone(RECORDS)) as stub:
        lookups = CaaLookups(Resolver([stub.address]))
        assert lookups.check("www.example.jp", JPRS).zone == "example.jp"
        assert lookups.check("example.jp", JPRS).allowed is True
        assert lookups.check("*.example.jp", JPRS).why == "caa-nobody"
        assert lookups.check("mail.example.jp", JPRS).allowed is True
        assert stub.asked == ["www.example.jp CAA", "example.jp CAA", "mail.example.jp CAA"]


def test_an_alias_brings_its_targets_records() -> None:
    with DnsStub(zone(RECORDS)) as stub:
        verdict = check_caa("shop.example.jp", Resolver([stub.address]), ["jprs.jp"])
    assert (verdict.allowed, verdict.zone) == (False, "shop.example.jp")


def test_without_any_records_everybody_may_issue() -> None:
    with DnsStub(zone(RECORDS)) as stub:
        verdict = check_caa("plain.jp", Resolver([stub.address]), [])
    assert (verdict.allowed, verdict.why, verdict.zone) == (True, "caa-none", None)


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTIMP"])
def test_a_broken_zone_on_the_way_is_named(rcode: str) -> None:
    """JPRS refuses then; for us it is advice (THREATS D19)."""
    with DnsStub(zone(RECORDS, rcodes={"jp": rcode})) as stub:
        verdict = check_caa("plain.jp", Resolver([stub.address]), ["jprs.jp"])
    assert (verdict.allowed, verdict.why, verdict.zone) == (None, "caa-unanswered", "jp")


def test_silence_is_no_refusal() -> None:
    with DnsStub(lambda _: None) as stub:
        resolver = Resolver([stub.address], seconds_a_server=0.1, seconds_a_question=0.2)
        verdict = check_caa("www.example.jp", resolver, ["jprs.jp"])
    assert (verdict.allowed, verdict.zone) == (None, "www.example.jp")
    assert refusal(verdict, JPRS) is None


def test_only_records_that_forbid_make_an_error() -> None:
    class Forbidding:
        def caa(self, name: str, /) -> Answer[CaaRecord]:
            return Answer("found", (issue("other.example"), issue("mailto:x@a.jp", tag="iodef")))

    verdict = check_caa("www.a.jp", Forbidding(), ["jprs.jp"])
    error = refusal(verdict, JPRS)
    assert error is not None
    assert (error.code, error.exit_code) == ("caa-forbids-precheck", 4)
    assert error.params == {
        "problem_type": "urn:ietf:params:acme:error:caa",
        "detail": "",
        "name": "www.a.jp",
        "zone": "www.a.jp",
        "records": '0 issue "other.example"; 0 iodef "mailto:x@a.jp"',
        "issuer": "jprs.jp",
        "why": "caa-other-issuer",
    }
    assert refusal(caa_verdict("a.jp", [], JPRS), JPRS) is None
