"""What a revocation takes with it, and how soon (TERMS R2, R3, R4; FAULTS 147, 153)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jprs_client.planning.facts import CertificateFacts, LineageFacts, RevocationIntent
from jprs_client.planning.revoking import Leak, asked_again, compromise, intents, leaked_keys
from jprs_client.terms.reasons import Circumstance, Reason, reason_for
from tests.planning.worlds import DAY, NOW, certificate, names, to_revoke

SHARED = "5b"
CURRENT = certificate("a.jp", version=2, spki=SHARED)
EVERY = [
    ("a", certificate("a.jp", version=1, spki="old")),
    ("a", CURRENT),
    ("b", certificate("b.jp", version=1, spki=SHARED)),
    ("b", certificate("b.jp", version=2, spki="own")),
    ("c", certificate("c.jp", version=1, spki=SHARED)),
    ("d", certificate("d.jp", version=1, spki=SHARED, revoked_at=NOW - DAY)),
    ("e", certificate("e.jp", version=1, spki=SHARED, issued_at=NOW - 100 * DAY)),
]
LINEAGES = {
    "a": LineageFacts("a", CURRENT),
    "b": LineageFacts("b", EVERY[3][1]),
    "c": LineageFacts("c", EVERY[4][1]),
}


def asked(
    *circumstances: Circumstance,
    chosen: CertificateFacts = CURRENT,
    replace_it: bool | None = None,
    wanted: Collection[str] = ("a.jp", "b.jp", "c.jp"),
) -> dict[tuple[str, int], RevocationIntent]:
    found = intents(
        "a", chosen, circumstances, reason_for(circumstances), replace_it=replace_it, every=EVERY,
        wanted=names(*wanted), now=NOW,
    )  # fmt: skip
    return {(intent.lineage, intent.version): intent for intent in found}


def test_every_living_certificate_that_shares_a_compromised_key_goes_with_it() -> None:
    found = asked(Circumstance.KEY_COMPROMISED)

    assert set(found) == {("a", 2), ("b", 1), ("c", 1)}
    assert {intent.reason for intent in found.values()} == {1}
    assert {intent.deadline for intent in found.values()} == {NOW + timedelta(hours=24)}


def test_what_nothing_takes_the_place_of_is_not_waited_for() -> None:
    found = asked(Circumstance.KEY_COMPROMISED, wanted=("a.jp", "other.jp"))
    assert {key: intent.replace for key, intent in found.items()} == {("a", 2): True, ("b", 1): False, ("c", 1): False}


def test_any_other_reason_takes_only_the_certificate_itself() -> None:
    (intent,) = asked(Circumstance.REPLACED).values()

    assert (intent.lineage, intent.version, intent.serial, intent.reason) == ("a", 2, "5e2", Reason.SUPERSEDED)
    assert intent.names == names("a.jp")
    assert intent.deadline == NOW + 5 * DAY
    assert intent.circumstances == ("replaced",)


@pytest.mark.parametrize(
    ("circumstances", "replaced"),
    [
        ((Circumstance.KEY_COMPROMISED,), True),
        ((Circumstance.REPLACED,), True),
        ((Circumstance.NON_CONFORMING,), True),
        ((Circumstance.ORGANIZATION_CHANGED,), True),
        ((), True),
        ((Circumstance.SITE_CLOSED,), False),
        ((Circumstance.CONTROL_LOST,), False),
        ((Circumstance.KEY_COMPROMISED, Circumstance.CONTROL_LOST), False),
        ((Circumstance.KEY_COMPROMISED, Circumstance.SITE_CLOSED), False),
    ],
)
def test_what_goes_on_is_replaced_and_what_is_gone_is_not(
    circumstances: tuple[Circumstance, ...], replaced: bool
) -> None:
    assert asked(*circumstances)["a", 2].replace is replaced


@pytest.mark.parametrize("wish", [True, False])
def test_a_persons_word_on_replacing_stands(wish: bool) -> None:
    assert asked(Circumstance.SITE_CLOSED, replace_it=wish)["a", 2].replace is wish
    assert asked(Circumstance.REPLACED, replace_it=wish)["a", 2].replace is wish


def test_an_older_version_waits_like_any_other_until_nothing_shows_it() -> None:
    (intent,) = asked(Circumstance.REPLACED, chosen=EVERY[0][1]).values()

    assert (intent.version, intent.replace) == (1, True)


@given(st.sampled_from(list(Reason)), st.sampled_from(list(Reason)), st.booleans(), st.booleans())
def test_asked_for_again_the_graver_reason_and_the_earlier_deadline_stand(
    first: Reason, again: Reason, was_replaced: bool, is_replaced: bool
) -> None:
    before = to_revoke("a", 1, "a.jp", reason=first, replaced=was_replaced, deadline=NOW + DAY)
    after = to_revoke("a", 1, "a.jp", reason=again, replaced=is_replaced, deadline=NOW + 2 * DAY)
    both = asked_again(before, after)

    gravest = next(reason for reason in (1, 5, 3, 4, 0) if reason in {first, again})
    assert both.reason == asked_again(after, before).reason == gravest
    assert both.deadline == NOW + DAY
    assert both.replace is is_replaced


# -- a key leaks ------------------------------------------------------------------------------------------------------


def leaked(*leaks: Leak, every_version: bool = False) -> tuple[frozenset[str], bool]:
    versions = [facts for lineage, facts in EVERY if lineage == "a"]
    return leaked_keys("a", versions, 2, leaks=leaks, every_version=every_version, now=NOW)


def compromised(
    *keys: str,
    waiting: Collection[RevocationIntent] = (),
    at_once: bool = False,
    hours: int = 24,
    retired: Collection[str] = (),
) -> dict[tuple[str, int], RevocationIntent]:
    lineages = {
        name: replace(facts, retired_at=NOW) if name in retired else facts for name, facts in LINEAGES.items()
    }  # fmt: skip
    found = compromise(
        keys, every=EVERY, waiting=waiting, lineages=lineages, wanted=names("a.jp", "b.jp", "c.jp"), now=NOW,
        deadline=timedelta(hours=hours), at_once=at_once,
    )  # fmt: skip
    return {(intent.lineage, intent.version): intent for intent in found}


def test_a_name_means_its_current_key_and_all_means_each_that_is_valid() -> None:
    assert leaked() == (frozenset({SHARED}), False)
    assert leaked(every_version=True) == (frozenset({SHARED, "old"}), False)


@pytest.mark.parametrize("done_at", [None, NOW - timedelta(hours=1)])
def test_said_again_the_key_of_then_is_meant_not_the_one_that_took_its_place(done_at: datetime | None) -> None:
    """FAULTS 15: killed in the middle, and run again."""
    leak = Leak("a", 1, done_at, is_followed=True)

    assert leaked(leak) == (frozenset({"old"}), True)
    assert leaked(leak, every_version=True) == (frozenset({"old"}), True)


def test_a_key_that_was_there_before_the_leak_was_told_is_meant_whatever_else_was_given_up() -> None:
    """An older version's key leaked and was given up; now the current one's has, too."""
    assert leaked(Leak("a", 1, NOW, is_followed=False)) == (frozenset({SHARED, "old"}), False)
    assert leaked(Leak("a", 2, None, is_followed=False)) == (frozenset({SHARED}), False)


def test_a_day_later_it_is_another_leak_and_so_is_another_certificates() -> None:
    assert leaked(Leak("a", 1, NOW - 2 * DAY, is_followed=True)) == (frozenset({SHARED}), False)
    assert leaked(Leak("b", 1, NOW, is_followed=True)) == (frozenset({SHARED}), False)


def test_every_living_certificate_with_the_key_is_asked_for_once() -> None:
    found = compromised(SHARED)

    assert {key: intent.replace for key, intent in found.items()} == {("a", 2): True, ("b", 1): True, ("c", 1): True}
    assert {(intent.reason, intent.deadline) for intent in found.values()} == {(1, NOW + timedelta(hours=24))}
    assert compromised("nobody's") == {}


def test_what_was_begun_goes_on_as_it_was_asked_for() -> None:
    """Neither later than promised, nor replaced where a person had said that the site is closed."""
    begun = replace(compromised("old", hours=2)[("a", 1)], replace=False)

    again = compromised("old", waiting=[begun], hours=5)[("a", 1)]

    assert not again.replace
    assert again.deadline == NOW + timedelta(hours=2)
    assert not compromised(SHARED, retired=["c"])[("c", 1)].replace
    assert compromised(SHARED, retired=["c"])[("a", 2)].replace


def test_at_once_means_now_and_is_replaced_all_the_same() -> None:
    intent = compromised(SHARED, at_once=True)[("a", 2)]

    assert intent.deadline == NOW
    assert intent.replace
