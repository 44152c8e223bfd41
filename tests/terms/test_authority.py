"""Which names may be ordered, and what falls with an ending usage FQDN (TERMS N3, N5, N7, P1, P6, P8)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jprs_client.errors import NotIssuable
from jprs_client.terms.authority import Authority, IssuableName, starts, to_apply_for
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import Term, Usage, UsagePeriod

TODAY = date(2026, 12, 1)
IN_USE = UsagePeriod(date(2026, 11, 22), date(2026, 12, 31))


def usage(
    name: str, period: UsagePeriod | None = IN_USE, *, terminating: bool = False, suspended: bool = False
) -> Usage:
    return Usage(DnsName(name), Term.ONE_MONTH, Term.ONE_MONTH, period, terminating, suspended)


def authority(*usages: Usage, today: date = TODAY) -> Authority:
    return Authority(usages, today)


def names(*texts: str) -> frozenset[DnsName]:
    return frozenset(DnsName(text) for text in texts)


def test_a_name_that_no_usage_fqdn_authorises_cannot_become_issuable() -> None:
    with pytest.raises(NotIssuable) as refused:
        authority(usage("example.jp")).issuable(DnsName("example.com"))
    assert refused.value.params == {"name": "example.com", "apply_for": "example.com"}
    assert refused.value.exit_code == 4


def test_only_authority_makes_an_issuable_name() -> None:
    with pytest.raises(TypeError):
        IssuableName(DnsName("example.com"), object())


def test_an_issuable_name_is_a_value() -> None:
    one = authority(usage("example.jp")).issuable(DnsName("example.jp"))
    other = authority(usage("*.example.jp")).issuable(DnsName("example.jp"))
    assert one == other
    assert len({one, other}) == 1
    assert str(one) == "example.jp"
    assert sorted([authority(usage("example.jp")).issuable(DnsName("www.example.jp")), one])[0] is one


@pytest.mark.parametrize(
    ("name", "apply_for"),
    [
        ("www.example.jp", "example.jp"),
        ("www.www.example.jp", "www.example.jp"),
        ("example.jp", "example.jp"),
        ("shop.example.jp", "shop.example.jp"),
        ("*.example.jp", "*.example.jp"),
        ("www.co.jp", "www.co.jp"),  # nobody holds co.jp
        ("www.jp", "www.jp"),
        ("wwwexample.jp", "wwwexample.jp"),
    ],
)
def test_the_refusal_names_the_usage_fqdn_to_apply_for(name: str, apply_for: str) -> None:
    assert to_apply_for(DnsName(name)) == DnsName(apply_for)
    with pytest.raises(NotIssuable) as refused:
        authority().issuable(DnsName(name))
    assert refused.value.params["apply_for"] == apply_for


def test_one_name_may_be_authorised_by_several_usage_fqdns_itself_first() -> None:
    wildcard, plain = usage("*.example.jp"), usage("example.jp")
    assert authority(wildcard, plain).authorising(DnsName("example.jp")) == (plain, wildcard)
    assert authority(wildcard, plain).authorising(DnsName("*.example.jp")) == (wildcard,)
    assert authority(wildcard, plain).authorising(DnsName("www.example.jp")) == (plain,)
    assert authority(wildcard, plain).authorising(DnsName("shop.example.jp")) == ()


def test_a_name_stays_issuable_while_any_usage_fqdn_that_authorises_it_is_usable() -> None:
    over = usage("example.jp", terminating=True)
    january = date(2027, 1, 1)
    assert authority(over, usage("*.example.jp"), today=january).authorises(DnsName("example.jp"))
    assert not authority(over, today=january).authorises(DnsName("example.jp"))
    assert not authority(usage("example.jp", None, suspended=True)).authorises(DnsName("example.jp"))


def test_a_wildcard_is_ordered_in_the_place_of_a_name_it_covers() -> None:
    shops = authority(usage("*.example.jp"))
    assert shops.servable_by(DnsName("shop.example.jp")) == DnsName("*.example.jp")
    assert shops.servable_by(DnsName("example.jp")) == DnsName("example.jp")
    assert shops.servable_by(DnsName("a.b.example.jp")) is None
    assert str(shops.orderable(DnsName("shop.example.jp"))) == "*.example.jp"
    with pytest.raises(NotIssuable):
        shops.issuable(DnsName("shop.example.jp"))
    with pytest.raises(NotIssuable):
        shops.orderable(DnsName("a.b.example.jp"))


def test_a_name_authorised_by_itself_is_not_replaced_by_the_wildcard() -> None:
    both = authority(usage("*.example.jp"), usage("shop.example.jp"))
    assert both.servable_by(DnsName("shop.example.jp")) == DnsName("shop.example.jp")


# P8: what falls with an ending usage FQDN


def test_what_an_ending_usage_fqdn_authorises_is_at_risk() -> None:
    ending = usage("example.jp", terminating=True)
    assert authority(ending, usage("example.com")).at_risk(ending) == names("example.jp", "www.example.jp")


def test_a_name_that_is_a_usage_fqdn_of_its_own_and_lasts_longer_is_not_at_risk() -> None:
    ending = usage("*.example.jp", terminating=True)
    assert authority(ending, usage("example.jp")).at_risk(ending) == names("*.example.jp")
    both_end = authority(ending, usage("example.jp", terminating=True))
    assert both_end.at_risk(ending) == names("*.example.jp", "example.jp")


def test_a_name_at_risk_stays_so_though_a_longer_lived_usage_fqdn_authorises_it_too() -> None:
    ending, going_on = usage("example.jp", terminating=True), usage("*.example.jp")
    together = authority(ending, going_on)
    assert together.at_risk(ending) == names("example.jp", "www.example.jp")
    afterwards = together.after(ending)
    assert afterwards.servable_by(DnsName("example.jp")) == DnsName("example.jp")  # alone, and reissued first thing
    assert afterwards.servable_by(DnsName("www.example.jp")) == DnsName("*.example.jp")


def test_a_site_whose_name_only_a_wildcard_covers_afterwards_is_served_by_the_wildcard() -> None:
    ending = usage("www.example.jp", terminating=True)
    together = authority(ending, usage("*.example.jp"))
    assert DnsName("www.example.jp") in together.at_risk(ending)
    assert together.after(ending).servable_by(DnsName("www.example.jp")) == DnsName("*.example.jp")
    assert together.after(ending).servable_by(DnsName("www.www.example.jp")) is None


def test_under_suspension_every_started_usage_fqdn_counts_as_ending() -> None:
    """TERMS P6: for P7 all its usage FQDNs then count as ending."""
    one, other = usage("example.jp", suspended=True), usage("example.com", suspended=True)
    assert authority(one, other).at_risk(one) == one.issuable
    assert authority(one, other).after(one).usages == ()


def test_nothing_is_at_risk_from_a_usage_fqdn_that_goes_on() -> None:
    assert authority(usage("example.jp")).at_risk(usage("example.jp")) == frozenset()


# P1: what a certificate starts


@pytest.mark.parametrize(
    ("certificate", "usages", "started"),
    [
        ({"example.jp"}, [usage("example.jp", None)], {"example.jp"}),
        ({"example.jp"}, [usage("example.jp")], set()),
        ({"www.example.jp"}, [usage("example.jp", None)], {"example.jp"}),  # a derived name alone
        ({"example.jp"}, [usage("example.jp"), usage("*.example.jp", None)], set()),  # itself a usage FQDN
        ({"example.jp"}, [usage("example.jp", None), usage("*.example.jp", None)], {"example.jp"}),
        ({"example.jp"}, [usage("*.example.jp", None)], {"*.example.jp"}),
        ({"*.example.jp"}, [usage("example.jp", None), usage("*.example.jp", None)], {"*.example.jp"}),
        (
            {"www.example.jp"},
            [usage("example.jp", None), usage("*.www.example.jp", None)],
            {"example.jp", "*.www.example.jp"},
        ),
        ({"a.jp", "b.jp"}, [usage("a.jp", None), usage("b.jp"), usage("c.jp", None)], {"a.jp"}),
        ({"example.jp"}, [usage("example.jp", None, suspended=True)], set()),
        ({"shop.example.jp"}, [usage("*.example.jp", None)], set()),
    ],
)
def test_a_first_issuance_starts_these_usage_fqdns(
    certificate: set[str], usages: list[Usage], started: set[str]
) -> None:
    assert starts(names(*certificate), usages, TODAY) == names(*started)


def test_a_name_whose_own_usage_fqdn_is_over_starts_the_wildcard_that_still_authorises_it() -> None:
    january = date(2027, 1, 1)
    over, applied = usage("example.jp", terminating=True), usage("*.example.jp", None)
    assert authority(over, applied, today=january).starts(names("example.jp")) == names("*.example.jp")


# Property

usage_names = st.sampled_from(
    ["a.jp", "www.a.jp", "*.a.jp", "*.www.a.jp", "www.www.a.jp", "b.a.jp", "*.b.a.jp", "b.jp"]
)
periods = st.none() | st.dates(date(2026, 10, 1), date(2027, 2, 1)).map(
    lambda end: UsagePeriod(end - timedelta(days=20), end)
)
usages_known = st.lists(
    st.builds(
        Usage,
        usage_names.map(DnsName),
        st.sampled_from(Term),
        st.sampled_from(Term),
        periods,
        st.booleans(),
        st.booleans(),
    ),
    max_size=5,
    unique_by=lambda known: known.name,
)


def authorised_by_the_clause(name: str, usage_fqdn: str) -> bool:
    """第4条3項, spelt out again in text."""
    return name == usage_fqdn or name == (usage_fqdn[2:] if usage_fqdn[0] == "*" else f"www.{usage_fqdn}")


@given(usages_known, usage_names, st.dates(date(2026, 10, 1), date(2027, 3, 1)))
def test_no_name_is_ever_issuable_without_a_usable_usage_fqdn(usages: list[Usage], text: str, today: date) -> None:
    name, known = DnsName(text), Authority(usages, today)
    expected = any(each.is_usable(today) and authorised_by_the_clause(text, str(each.name)) for each in usages)
    assert known.authorises(name) is bool(known.authorising(name)) is expected
    order = known.servable_by(name)
    if order is not None:
        assert order.covers(name)
        assert known.issuable(order).name == order
    if expected:
        assert str(known.issuable(name)) == text
    else:
        with pytest.raises(NotIssuable):
            known.issuable(name)


@given(usages_known, st.dates(date(2026, 10, 1), date(2027, 3, 1)))
def test_what_is_not_at_risk_is_still_authorised_afterwards(usages: list[Usage], today: date) -> None:
    known = Authority(usages, today)
    for ending in usages:
        safe = ending.issuable - known.at_risk(ending)
        if ending.is_ending(today):
            assert all(known.after(ending).authorises(name) for name in safe)
        assert known.at_risk(ending) <= ending.issuable
