"""JPRS's contracts as arithmetic: ご利用条件 第4条, 第10条, 第12条4項."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jprs_client.testca.clock import JST, jst_day, parse_moment
from jprs_client.testca.names import authorised_by, wrong_with
from jprs_client.testca.subscribers import ContractError, Contracts, Subscriber, Term
from jprs_client.testca.validity import not_after, suggested_window

VECTORS = Path(__file__).parent.parent / "vectors"


def rows(name: str) -> list[Any]:
    found = json.loads((VECTORS / name).read_text())
    assert isinstance(found, list)
    return found


def at(text: str) -> datetime:
    return parse_moment(text)


def contracts(*usages: tuple[str, str]) -> tuple[Contracts, Subscriber]:
    book = Contracts()
    wanted = [(name, Term(term), Term(term)) for name, term in usages]
    return book, book.subscribe("Example", wanted)


def started(day: str, *usages: tuple[str, str]) -> tuple[Contracts, Subscriber]:
    book, subscriber = contracts(*usages)
    book.issued(subscriber.identity, [name for name, _ in usages], at(day))
    return book, subscriber


def pass_until(book: Contracts, day: str) -> list[tuple[str, str]]:
    passed = [period for each in book.pass_until(at(day)) for period in each]
    return [(period.usage_fqdn.name, period.usage_fqdn.status) for period in passed]


# the period


@pytest.mark.parametrize("row", rows("usage_periods.json"), ids=lambda row: row["first_issued"])
def test_a_period_starts_on_the_jst_day_of_the_first_issuance_and_continues_to_month_ends(row: dict[str, Any]) -> None:
    book, subscriber = contracts(("example.jp", row["terms"][0]))
    book.issued(subscriber.identity, ["example.jp"], at(row["first_issued"]))
    usage = subscriber.usage_fqdns["example.jp"]
    ends = [usage.ends.isoformat() if usage.ends else None]
    for term in row["terms"][1:]:
        book.carry_on_by(subscriber.identity, "example.jp", Term(term))
        over_at = subscriber.usage_fqdns["example.jp"].over_at
        assert over_at is not None
        assert not list(book.pass_until(over_at - timedelta(seconds=1)))
        (batch,) = list(book.pass_until(over_at))
        ends.append(batch[0].usage_fqdn.ends.isoformat() if batch[0].usage_fqdn.ends else None)
    assert ends == row["ends"]


@pytest.mark.parametrize(
    ("start", "term", "end"),
    [
        ("2026-11-22", "1m", "2026-12-31"),
        ("2026-11-22", "1y", "2027-11-30"),
        ("2028-02-29", "1y", "2029-02-28"),
        ("2027-02-10", "1y", "2028-02-29"),
        ("2026-12-31", "1m", "2027-01-31"),
        ("2027-12-01", "1m", "2028-01-31"),
    ],
)
def test_the_examples_of_the_terms_hold(start: str, term: str, end: str) -> None:
    assert Term(term).end_from(date.fromisoformat(start)) == date.fromisoformat(end)


def test_the_end_day_belongs_to_the_period() -> None:
    book, subscriber = started("2026-11-22", ("example.jp", "1m"))
    book.terminate(subscriber.identity, "example.jp")

    assert pass_until(book, "2026-12-31T23:59:59+09:00") == []
    assert book.refused(subscriber.identity, ["www.example.jp"]) == []
    assert pass_until(book, "2027-01-01T00:00:00+09:00") == [("example.jp", "ended")]
    assert book.refused(subscriber.identity, ["www.example.jp"]) == ["www.example.jp"]


def test_a_notice_is_withdrawn_until_the_end_day_is_over_and_not_after() -> None:
    book, subscriber = started("2026-11-22", ("example.jp", "1m"))
    book.terminate(subscriber.identity, "example.jp")
    assert pass_until(book, "2026-12-31T20:00:00+09:00") == []
    book.withdraw(subscriber.identity, "example.jp")
    assert pass_until(book, "2027-01-01") == [("example.jp", "in-use")]

    book.terminate(subscriber.identity, "example.jp")
    assert pass_until(book, "2027-02-01") == [("example.jp", "ended")]
    with pytest.raises(ContractError, match="ended on 2027-01-31"):
        book.withdraw(subscriber.identity, "example.jp")
    with pytest.raises(ContractError, match="ended"):
        book.terminate(subscriber.identity, "example.jp")


def test_what_was_never_issued_has_no_period_to_end() -> None:
    book, subscriber = contracts(("example.jp", "1m"))
    with pytest.raises(ContractError, match="not started"):
        book.terminate(subscriber.identity, "example.jp")
    with pytest.raises(ContractError, match="no termination notice"):
        book.withdraw(subscriber.identity, "example.jp")
    with pytest.raises(ContractError, match="not applied for"):
        book.terminate(subscriber.identity, "other.jp")
    assert pass_until(book, "2040-01-01") == []


def test_a_changed_term_moves_no_end_that_is_set() -> None:
    book, subscriber = started("2026-11-22", ("example.jp", "1y"))
    book.carry_on_by(subscriber.identity, "example.jp", Term.ONE_MONTH)
    assert subscriber.usage_fqdns["example.jp"].ends == date(2027, 11, 30)
    assert pass_until(book, "2027-12-01") == [("example.jp", "in-use")]
    assert subscriber.usage_fqdns["example.jp"].ends == date(2027, 12, 31)


def test_periods_pass_in_order() -> None:
    book, _ = started("2026-11-22", ("a.jp", "1m"), ("b.jp", "1y"))
    passed = [(period.at, period.usage_fqdn.name) for each in book.pass_until(at("2028-01-01")) for period in each]
    assert passed == sorted(passed)
    assert [name for _, name in passed].count("a.jp") == 13
    assert [name for _, name in passed].count("b.jp") == 1


def test_an_ended_usage_fqdn_may_be_applied_for_again() -> None:
    book, subscriber = started("2026-11-22", ("example.jp", "1m"))
    with pytest.raises(ContractError, match="in-use already"):
        book.apply(subscriber.identity, "example.jp", Term.ONE_MONTH)
    book.terminate(subscriber.identity, "example.jp")
    pass_until(book, "2027-01-01")
    assert book.apply(subscriber.identity, "example.jp", Term.ONE_YEAR).status == "applied"
    assert book.refused(subscriber.identity, ["example.jp"]) == []


# the operator is suspended


def test_nothing_new_starts_under_a_suspended_operator() -> None:
    book, subscriber = contracts(("new.jp", "1m"), ("old.jp", "1m"))
    book.issued(subscriber.identity, ["old.jp"], at("2026-11-22"))
    book.suspend(at("2026-11-23"))
    assert book.refused(subscriber.identity, ["new.jp", "old.jp", "www.old.jp"]) == ["new.jp"]
    assert book.issued(subscriber.identity, ["new.jp"], at("2026-11-24")) == []
    book.resume(at("2026-11-25"))
    assert book.refused(subscriber.identity, ["new.jp"]) == []


@pytest.mark.parametrize(
    ("suspended", "resumed", "status"),
    [
        ("2026-12-01", None, "ended"),
        ("2026-12-31T23:00:00+09:00", None, "ended"),
        ("2026-12-01", "2026-12-31T00:00:01+09:00", "ended"),
        ("2026-12-01", "2026-12-31T00:00:00+09:00", "in-use"),
        ("2027-01-01T00:00:00+09:00", None, "in-use"),
    ],
)
def test_a_period_whose_end_day_falls_into_a_suspension_ends_without_notice(
    suspended: str, resumed: str | None, status: str
) -> None:
    book, _ = started("2026-11-22", ("example.jp", "1m"))
    book.suspend(at(suspended))
    if resumed:
        book.resume(at(resumed))
    assert pass_until(book, "2027-01-01") == [("example.jp", status)]


# names


@pytest.mark.parametrize(
    "row", [row for row in rows("names.json") if row.get("issuable")], ids=lambda row: row["usage_fqdn"][:40]
)
def test_a_usage_fqdn_authorises_itself_and_one_derived_name(row: dict[str, Any]) -> None:
    usage_fqdn = row["issuable"][0]  # the CA takes A-labels, as they stand in an order
    for name in row["issuable"]:
        if set(authorised_by(name)) == set(row["issuable"]):
            usage_fqdn = name
    assert sorted(authorised_by(usage_fqdn)) == sorted(row["issuable"])


def test_a_wildcard_authorises_no_name_below_it_as_a_name_of_its_own() -> None:
    book, subscriber = contracts(("*.example.jp", "1m"))
    names = ["*.example.jp", "example.jp", "www.example.jp", "x.example.jp", "*.x.example.jp"]
    assert book.refused(subscriber.identity, names) == names[2:]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "octets"),
        ("jp", "two labels"),
        ("example..jp", "label"),
        ("-a.jp", "label"),
        ("a-.jp", "label"),
        ("a_b.jp", "label"),
        ("a.b.127", "digits"),
        ("127.0.0.1", "digits"),
        ("*.*.jp", "label"),
        ("www.*.jp", "label"),
        ("w*.example.jp", "label"),
        ("例え.jp", "label"),
        ("ab--c.jp", "hyphens"),
        ("xn--99999999.jp", "decode"),
        ("xn--abc-.jp", "label"),
        ("a" * 64 + ".jp", "label"),
        (".".join(["a" * 63] * 4) + ".jp", "octets"),
        ("example.jp.", "label"),
    ],
)
def test_what_is_no_name_is_said_to_be_none(name: str, why: str) -> None:
    assert why in (wrong_with(name) or "")


@pytest.mark.parametrize("name", ["example.jp", "*.example.jp", "xn--wgv71a119e.jp", "a-b.c9.jp", "1.jp"])
def test_what_is_a_name_passes(name: str) -> None:
    assert wrong_with(name) is None


# which period a certificate starts


@pytest.mark.parametrize(
    ("usages", "names", "starting"),
    [
        (["example.jp"], ["example.jp"], {"example.jp"}),
        (["example.jp"], ["www.example.jp"], {"example.jp"}),
        (["example.jp", "*.example.jp"], ["example.jp"], {"example.jp"}),
        (["*.example.jp"], ["example.jp"], {"*.example.jp"}),
        (["*.example.jp", "example.jp"], ["*.example.jp", "example.jp"], {"*.example.jp", "example.jp"}),
        (["example.jp", "www.example.jp"], ["www.example.jp"], {"www.example.jp"}),
        (["a.jp", "b.jp"], ["a.jp", "www.b.jp"], {"a.jp", "b.jp"}),
        (["*.www.a.jp", "a.jp"], ["a.jp", "www.a.jp"], {"a.jp"}),
    ],
)
def test_a_certificate_starts_the_periods_of_the_usage_fqdns_it_is_issued_for(
    usages: list[str], names: list[str], starting: set[str]
) -> None:
    book, subscriber = contracts(*((name, "1m") for name in usages))
    assert {usage.name for usage in book.issued(subscriber.identity, names, at("2026-11-22"))} == starting
    assert book.issued(subscriber.identity, names, at("2026-11-23")) == []


# how long certificates live


@pytest.mark.parametrize("row", rows("validity.json"), ids=lambda row: row["issued"])
def test_a_certificate_is_valid_through_the_ninetieth_day_after_its_own_or_as_long_as_the_industry_allows(
    row: dict[str, Any],
) -> None:
    issued = at(row["issued"])
    until = not_after(issued)
    if issued < at("2029-03-15T00:00:00+00:00"):
        assert jst_day(until).isoformat() == row["last_valid_day_jst"]
    else:
        assert jst_day(until) == jst_day(issued) + timedelta(days=46)
        assert until - issued < timedelta(days=47)
    assert until.astimezone(JST).strftime("%H:%M:%S") == "23:59:59"


def test_the_industrys_schedule_is_never_exceeded() -> None:
    moment = datetime(2029, 3, 14, 20, tzinfo=UTC)
    for _ in range(40):
        most = 100 if moment.date() < date(2029, 3, 15) else 47
        assert not_after(moment) - moment + timedelta(seconds=1) <= timedelta(days=most)
        moment += timedelta(minutes=37)


def test_renewal_is_suggested_after_two_thirds_and_at_once_when_revoked() -> None:
    begin, end = at("2027-01-01"), at("2027-04-01")
    start, stop = suggested_window(begin, end, None)
    assert start - begin == timedelta(days=60)
    assert start < stop < end
    revoked = at("2027-01-05")
    assert suggested_window(begin, end, revoked)[1] < revoked
