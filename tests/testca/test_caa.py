"""CAA decides as RFC 8659 and RFC 8657 say."""

from __future__ import annotations

import asyncio

import pytest

from jprs_client.testca import dns
from jprs_client.testca.caa import CaaRecord, Issuance, check, forbids, relevant_records
from jprs_client.testca.dns import Zone
from jprs_client.testca.resolver import ZoneResolver

ACCOUNT = "https://ca.test/acme/account/1"


def issuance(wildcard: bool = False, method: str = "http-01") -> Issuance:
    return Issuance(("jprs.jp",), wildcard, ACCOUNT, method)


def records(*texts: str) -> list[CaaRecord]:
    """From `TAG VALUE`, with a `!` in front where it is critical."""
    found = []
    for text in texts:
        tag, _, value = text.removeprefix("!").partition(" ")
        found.append(CaaRecord(tag, value, text.startswith("!")))
    return found


@pytest.mark.parametrize(
    ("found", "wildcard", "permitted"),
    [
        ([], False, True),
        (["issue jprs.jp"], False, True),
        (["issue JPRS.JP"], False, True),
        (["issue jprs.jp "], False, True),
        (["issue letsencrypt.org"], False, False),
        (["issue ;"], False, False),
        (["issue "], False, False),
        (["issue letsencrypt.org", "issue jprs.jp"], False, True),
        (["iodef mailto:a@example.jp"], False, True),
        (["!iodef mailto:a@example.jp"], False, True),
        (["unknown x"], False, True),
        (["!unknown x"], False, False),
        (["!unknown x", "issue jprs.jp"], False, False),
        (["!issue jprs.jp"], False, True),
        (["issuewild letsencrypt.org"], False, True),
        (["issuewild letsencrypt.org"], True, False),
        (["issuewild letsencrypt.org", "issue jprs.jp"], True, False),
        (["issuewild jprs.jp", "issue ;"], True, True),
        (["issuewild jprs.jp", "issue ;"], False, False),
        (["issue jprs.jp"], True, True),
        (["issue jprs.jp; a=b; "], False, True),
        (["issue jprs.jp; a-b--c=d"], False, True),
        (["issue jprs.jp; -a=b"], False, False),
        (["issue jprs.jp; a-=b"], False, False),
        (["issue \tjprs.jp\t;\ta\t=\tb\t"], False, True),
        (["issue \njprs.jp"], False, False),
        (["issue jprs.jp; a"], False, False),
        (["issue jprs.jp; a=b c"], False, False),
        (["issue %%%"], False, False),
        (["issue sub.jprs.jp"], False, False),
        ([f"issue jprs.jp; accounturi={ACCOUNT}"], False, True),
        (["issue jprs.jp; accounturi=https://ca.test/acme/account/2"], False, False),
        ([f"issue jprs.jp; accounturi={ACCOUNT}; accounturi={ACCOUNT}"], False, False),
        (["issue jprs.jp; validationmethods=http-01"], False, True),
        (["issue jprs.jp; validationmethods=dns-01,http-01"], False, True),
        (["issue jprs.jp; validationmethods=dns-01"], False, False),
        (["issue jprs.jp; validationmethods="], False, False),
        (["issue jprs.jp; validationmethods=dns-01", "issue jprs.jp; validationmethods=http-01"], False, True),
    ],
)
def test_a_record_set_permits_or_forbids(found: list[str], wildcard: bool, permitted: bool) -> None:
    why = forbids(records(*found), issuance(wildcard))
    assert (why is None) is permitted, why


def zone(**sets: str) -> Zone:
    made = Zone()
    for host, value in sets.items():
        made.add(host.replace("_", "."), "CAA", [dns.caa("issue", value)])
    return made


def test_the_nearest_record_set_on_the_way_up_counts() -> None:
    resolver = ZoneResolver(zone(jp="other.test", example_jp="jprs.jp"))
    where, found = asyncio.run(relevant_records(resolver, "a.b.example.jp"))
    assert (where, [record.value for record in found]) == ("example.jp", ["jprs.jp"])
    assert asyncio.run(check(resolver, "a.b.example.jp", issuance())) is None
    problem = asyncio.run(check(resolver, "other.jp", issuance()))
    assert problem is not None
    assert problem.kind == "caa"
    assert "other.jp" in problem.detail
    assert "other.test" in problem.detail


def test_an_alias_is_followed() -> None:
    made = zone(elsewhere_test="other.test")
    made.set_cname("www.example.jp", "elsewhere.test")
    problem = asyncio.run(check(ZoneResolver(made), "www.example.jp", issuance()))
    assert problem is not None
    assert problem.kind == "caa"


def test_a_name_that_does_not_exist_forbids_nothing() -> None:
    made = Zone()
    made.set_nxdomain("example.jp", True)
    assert asyncio.run(check(ZoneResolver(made), "example.jp", issuance())) is None


def test_what_cannot_be_looked_up_forbids() -> None:
    made = Zone()
    made.set_servfail("jp", True)
    problem = asyncio.run(check(ZoneResolver(made), "www.example.jp", issuance()))
    assert problem is not None
    assert problem.kind == "dns"
    assert "SERVFAIL looking up CAA for jp" in problem.detail


def test_a_hidden_record_set_below_is_not_looked_at() -> None:
    made = zone(www_example_jp="other.test")
    assert asyncio.run(check(ZoneResolver(made), "example.jp", issuance())) is None
