"""Which certificates there should be, with which names (TERMS N2, N3, N5, N7; FAULTS 131)."""

from __future__ import annotations

from datetime import date

import pytest

from jprs_client.config import Config
from jprs_client.errors import NotIssuable
from jprs_client.planning.facts import State, UsageRecord
from jprs_client.planning.rules import Picture
from jprs_client.planning.wanted import WantedCertificates, to_order, without_covered
from tests.planning.worlds import NOW, by_hand, config, in_use, knowing, names, of_usages, usage


def wanted(made: Config, state: State | None = None) -> WantedCertificates:
    return Picture(made, state or knowing(), NOW).wanted


def carried(made: Config, state: State | None = None) -> dict[str, list[str]]:
    return {name: sorted(each.ascii for each in found.names) for name, found in wanted(made, state).by_name.items()}


def over(name: str) -> UsageRecord:
    return UsageRecord(
        next(iter(names(name))), date(2026, 9, 1), date(2026, 10, 31), terminating=True, ended_on=date(2026, 10, 31)
    )


def test_there_is_one_certificate_for_each_usage_fqdn_named_after_it() -> None:
    assert carried(config("shop.jp", "example.jp")) == {
        "example.jp": ["example.jp", "www.example.jp"],
        "shop.jp": ["shop.jp", "www.shop.jp"],
    }


def test_a_wildcard_has_a_certificate_with_its_apex() -> None:
    assert carried(config("*.example.jp")) == {"*.example.jp": ["*.example.jp", "example.jp"]}


@pytest.mark.parametrize(
    ("derived", "missing", "expected"),
    [
        ("auto", False, ["example.jp", "www.example.jp"]),
        ("auto", True, ["example.jp"]),
        ("always", True, ["example.jp", "www.example.jp"]),
        ("never", False, ["example.jp"]),
    ],
)
def test_the_derived_name_is_asked_for_as_the_file_says(derived: str, missing: bool, expected: list[str]) -> None:
    state = knowing(missing=names("www.example.jp") if missing else frozenset())

    assert carried(config(usage("example.jp", derived=derived)), state) == {"example.jp": expected}


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (
            ("example.jp", "www.example.jp"),
            {"example.jp": ["example.jp"], "www.example.jp": ["www.example.jp", "www.www.example.jp"]},
        ),
        (
            ("example.jp", "*.example.jp"),
            {"*.example.jp": ["*.example.jp"], "example.jp": ["example.jp", "www.example.jp"]},
        ),
    ],
)
def test_a_derived_name_that_is_a_usage_fqdn_belongs_to_that_one(
    declared: tuple[str, ...], expected: dict[str, list[str]]
) -> None:
    assert carried(config(*declared)) == expected


def test_what_a_wildcard_in_the_same_certificate_covers_is_left_out() -> None:
    made = config("example.jp", "*.example.jp", certificates=[of_usages("main", "example.jp", "*.example.jp")])

    assert carried(made) == {"main": ["*.example.jp", "example.jp"]}
    assert without_covered(names("*.a.jp", "x.a.jp", "y.x.a.jp", "a.jp")) == names("*.a.jp", "y.x.a.jp", "a.jp")


def test_a_site_that_only_a_wildcard_may_serve_is_served_by_the_wildcard() -> None:
    made = config("*.example.jp", certificates=[by_hand("main", "shop.example.jp", "blog.example.jp")])

    assert carried(made) == {"main": ["*.example.jp"]}
    assert wanted(made).problems == ()


def test_names_by_hand_are_taken_to_the_letter() -> None:
    made = config("example.jp", "shop.jp", certificates=[by_hand("main", "www.example.jp", "shop.jp")])

    assert carried(made) == {"main": ["shop.jp", "www.example.jp"]}


@pytest.mark.parametrize(
    ("asked", "apply_for"),
    [
        ("www.other.jp", "other.jp"),
        ("deep.shop.example.jp", "deep.shop.example.jp"),
        ("*.example.jp", "*.example.jp"),
        ("www.www.example.jp", "www.example.jp"),
    ],
)
def test_a_name_that_nobody_authorises_is_told_with_what_to_apply_for(asked: str, apply_for: str) -> None:
    made = config("example.jp", certificates=[by_hand("main", "example.jp", asked)])
    found = wanted(made)

    assert found.by_name["main"].names == names("example.jp")
    assert found.by_name["main"].foreign == names(asked)
    assert [(problem.code, problem.params, problem.certificate, problem.exit_code) for problem in found.problems] == [
        ("not-issuable", {"name": asked, "apply_for": apply_for}, "main", 4)
    ]


def test_a_name_of_a_usage_fqdn_that_has_ended_is_no_foreign_one() -> None:
    """Its end is told for itself; the certificate goes on without it."""
    made = config(
        usage("old.jp", terminating=True), "example.jp", certificates=[of_usages("main", "old.jp", "example.jp")]
    )
    found = wanted(made, knowing(usages=[over("old.jp"), in_use("example.jp")]))

    assert found.by_name["main"].names == names("example.jp", "www.example.jp")
    assert found.by_name["main"].foreign == frozenset()
    assert found.problems == ()


def test_a_name_stays_while_another_usage_fqdn_authorises_it() -> None:
    """N5: `example.jp` is authorised by `*.example.jp` too, and www is served by the wildcard."""
    made = config(usage("example.jp", terminating=True), "*.example.jp")
    state = knowing(usages=[over("example.jp"), in_use("*.example.jp")])

    assert carried(made, state) == {
        "*.example.jp": ["*.example.jp"],
        "example.jp": ["*.example.jp", "example.jp"],
    }


def test_nothing_is_wanted_for_what_cannot_start() -> None:
    assert carried(config("example.jp", suspended=True)) == {"example.jp": []}
    assert carried(config(usage("example.jp", terminating=True))) == {"example.jp": []}


def test_an_order_is_made_of_names_that_are_authorised_on_its_day() -> None:
    authority = Picture(config("example.jp"), knowing(), NOW).authority

    assert [str(name) for name in to_order(names("www.example.jp", "example.jp"), authority)] == [
        "example.jp",
        "www.example.jp",
    ]
    with pytest.raises(NotIssuable) as refused:
        to_order(names("example.jp", "shop.example.jp"), authority)
    assert refused.value.params == {"name": "shop.example.jp", "apply_for": "shop.example.jp"}
