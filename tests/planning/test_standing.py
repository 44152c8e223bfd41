"""How things stand: the first that holds of revoked, expired, missing, failing, due, valid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jprs_client.planning.facts import LineageFacts, State
from jprs_client.planning.plan import plan
from jprs_client.planning.standing import CertificateStanding, standings
from tests.planning.worlds import DAY, NOW, certificate, config, failed, in_use, knowing, names, served

BOTH = ("example.jp", "www.example.jp")


def standing(state: State) -> CertificateStanding:
    (found,) = standings(plan(config("example.jp", install=("nginx",)), state, NOW), state)
    return found


def lineage(*carried: str, age: int = 1, revoked: bool = False) -> LineageFacts:
    issued_at = NOW - age * DAY
    facts = certificate(*(carried or BOTH), issued_at=issued_at, revoked_at=NOW if revoked else None)
    return LineageFacts("example.jp", facts)


@pytest.mark.parametrize(
    ("status", "known", "failing"),
    [
        ("revoked", lineage(age=100, revoked=True), True),
        ("expired", lineage(age=100), True),
        ("missing", None, True),
        ("missing", None, False),
        ("failing", lineage(age=70), True),
        ("due", lineage(age=70), False),
        ("due", lineage("example.jp"), False),
        ("valid", lineage(), False),
    ],
)
def test_a_certificate_stands_as_the_worst_that_holds(status: str, known: LineageFacts | None, failing: bool) -> None:
    state = knowing(
        *([known] if known else []),
        usages=[in_use("example.jp")],
        failures=[failed("example.jp", *BOTH)] if failing else [],
    )

    assert standing(state).status == status


def test_a_failed_installation_is_a_failure() -> None:
    failure = failed("example.jp", *BOTH, action="install", target="nginx")
    found = standing(knowing(lineage(), usages=[in_use("example.jp")], failures=[failure]))

    assert (found.status, found.failure) == ("failing", failure)


def test_what_failed_for_names_that_nobody_asks_for_any_more_is_past() -> None:
    """A name was added, could not be proved, and was taken out again: nothing is left that could be tried."""
    failure = failed("example.jp", *BOTH, "dead.jp")
    found = standing(knowing(lineage(), usages=[in_use("example.jp")], failures=[failure]))

    assert (found.status, found.failure) == ("valid", None)


def test_a_question_the_ca_did_not_answer_harms_no_certificate() -> None:
    failure = failed("example.jp", *BOTH, action="observe", target="ari")
    found = standing(knowing(lineage(), usages=[in_use("example.jp")], failures=[failure]))

    assert found.status == "valid"


def test_of_several_failures_the_latest_is_told() -> None:
    first = failed("example.jp", *BOTH)
    later = replace(failed("example.jp", *BOTH, action="install", target="nginx"), failed_at=NOW)
    found = standing(knowing(lineage(age=70), usages=[in_use("example.jp")], failures=[first, later]))

    assert found.failure == later


def test_each_target_is_told_whether_it_was_seen_serving() -> None:
    state = knowing(lineage(), usages=[in_use("example.jp")], installations=[served("nginx", "example.jp")])

    assert standing(state).targets == (("nginx", True),)
    assert standing(knowing(lineage(), usages=[in_use("example.jp")])).targets == (("nginx", False),)
    older = knowing(lineage(), usages=[in_use("example.jp")], installations=[served("nginx", "example.jp", 7)])
    assert standing(older).targets == (("nginx", False),)


def test_before_the_first_certificate_the_wanted_names_are_shown() -> None:
    assert standing(knowing()).names == names(*BOTH)


def test_what_is_managed_or_wanted_is_shown_by_name_and_what_is_archived_is_not() -> None:
    state = knowing(
        LineageFacts("old.jp", certificate("old.jp")),
        LineageFacts("older.jp", certificate("older.jp"), archived_at=NOW),
        LineageFacts("never.jp"),
    )
    found = standings(plan(config("shop.jp", "a.jp"), state, NOW), state)

    assert [each.name for each in found] == ["a.jp", "old.jp", "shop.jp"]


def test_the_renewal_shown_is_the_next_one() -> None:
    found = standing(knowing(lineage(), usages=[in_use("example.jp")]))

    assert found.renew_at is not None
    assert NOW + 58 * DAY < found.renew_at <= NOW + 59 * DAY
