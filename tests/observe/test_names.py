"""Whether a derived name is there: only DNS that knows the usage FQDN may say no."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jprs_client.observe.names import derived_exists, exists, knows_domain
from jprs_client.observe.resolver import Answer, Resolver
from tests.observe.dns_stub import DnsStub, zone

RECORDS = {
    "example.jp": {"A": ["192.0.2.1"]},
    "six.jp": {"AAAA": ["2001:db8::1"]},
    "mail.jp": {"MX": ["10 mx.jp."]},
    "www.six.jp": {"CNAME": ["nowhere.jp."]},
    "*.shop.jp": {"A": ["192.0.2.1"]},
}


@pytest.fixture(scope="module")
def resolver() -> Iterator[Resolver]:
    with DnsStub(zone(RECORDS, rcodes={"bogus.jp": "SERVFAIL", "www.bogus.jp": "SERVFAIL"})) as stub:
        yield Resolver([stub.address])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.jp", True),
        ("six.jp", True),
        ("www.six.jp", True),
        ("none.jp", False),
        ("mail.jp", None),
        ("bogus.jp", None),
    ],
)
def test_a_name_is_there_when_it_has_an_address_or_is_an_alias(
    resolver: Resolver, name: str, expected: bool | None
) -> None:
    assert exists(name, resolver) is expected


@pytest.mark.parametrize(
    ("derived", "usage", "expected"),
    [
        ("www.example.jp", "example.jp", False),
        ("www.six.jp", "six.jp", True),
        ("www.none.jp", "none.jp", None),
        ("www.mail.jp", "mail.jp", None),
        ("www.bogus.jp", "bogus.jp", None),
        ("shop.jp", "*.shop.jp", False),
        ("none.jp", "*.none.jp", None),
    ],
)
def test_a_derived_name_is_missing_only_where_the_usage_fqdn_is_known(
    resolver: Resolver, derived: str, usage: str, expected: bool | None
) -> None:
    assert derived_exists(derived, usage, resolver) is expected


def test_dead_dns_says_nothing() -> None:
    with DnsStub(lambda _: None) as stub:
        resolver = Resolver([stub.address], seconds_a_server=0.1, seconds_a_question=0.2)
        assert derived_exists("www.example.jp", "example.jp", resolver) is None


@pytest.mark.parametrize(
    ("known", "name", "expected"),
    [
        ({"shop.example.jp": "found"}, "shop.example.jp", True),
        ({"example.jp": "no-data"}, "a.shop.example.jp", True),
        ({"jp": "found"}, "shop.example.jp", False),
        ({}, "shop.example.jp", False),
        ({"example.jp": "servfail"}, "example.jp", False),
    ],
)
def test_a_resolver_that_denies_the_whole_domain_knows_nothing_of_it(
    known: dict[str, str], name: str, expected: bool
) -> None:
    class Knows:
        def addresses(self, name: str, kind: str, /) -> Answer[str]:
            return Answer(known.get(name, "nxdomain"), ())  # type: ignore[arg-type]

    assert knows_domain(name, Knows()) is expected
