"""Which code follows from what happened, and which may be chosen (ご利用条件 第11条2項の2; TERMS R1, R2, R7)."""

from __future__ import annotations

import itertools

import pytest

from jprs_client.errors import ReasonNotAllowed, UsageError
from jprs_client.locale import terms as sentences
from jprs_client.terms.reasons import Circumstance, Reason, checked, notes, reason_for

KEY, CONTROL, CLOSED, ORGANIZATION, REPLACED, NON_CONFORMING = Circumstance


@pytest.mark.parametrize(
    ("circumstances", "reason"),
    [
        ({NON_CONFORMING}, Reason.UNSPECIFIED),
        ({NON_CONFORMING, REPLACED}, Reason.SUPERSEDED),
        ({NON_CONFORMING, ORGANIZATION}, Reason.AFFILIATION_CHANGED),
        ({CLOSED, REPLACED}, Reason.CESSATION_OF_OPERATION),
        ({CLOSED, ORGANIZATION}, Reason.CESSATION_OF_OPERATION),
        ({ORGANIZATION, REPLACED}, Reason.AFFILIATION_CHANGED),
        (set(Circumstance), Reason.KEY_COMPROMISE),
        (set(Circumstance) - {KEY}, Reason.CESSATION_OF_OPERATION),
    ],
)
def test_of_several_circumstances_the_gravest_gives_the_code(circumstances: set[Circumstance], reason: Reason) -> None:
    assert reason_for(circumstances) is reason


def test_every_set_of_circumstances_has_one_code_whatever_their_order() -> None:
    order = [1, 5, 3, 4, 0]
    for size in range(len(Circumstance) + 1):
        for chosen in itertools.permutations(Circumstance, size):
            gravest = min((order.index(each.reason) for each in chosen), default=order.index(0))
            assert reason_for(chosen) == order[gravest]


@pytest.mark.parametrize("circumstance", Circumstance)
def test_a_circumstance_is_written_with_hyphens_or_underscores(circumstance: Circumstance) -> None:
    assert Circumstance.parse(circumstance.value) is circumstance
    assert Circumstance.parse(circumstance.option) is circumstance
    assert f"circumstance.{circumstance.option}" in sentences.EN


@pytest.mark.parametrize("text", ["", "keyCompromise", "1", "key-compromised "])
def test_what_is_no_circumstance_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        Circumstance.parse(text)
    assert refused.value.code == "circumstance-unknown"
    assert "key-compromised, control-lost" in str(refused.value.params["known"])


@pytest.mark.parametrize("reason", Reason)
def test_a_subscriber_may_choose_five_codes(reason: Reason) -> None:
    assert checked(reason.value) is reason


@pytest.mark.parametrize(
    ("code", "error", "label"),
    [
        (9, "reason-ca-only", "privilegeWithdrawn"),
        (2, "reason-unknown", "cACompromise"),
        (6, "reason-unknown", "certificateHold"),
        (7, "reason-unknown", "-"),
        (8, "reason-unknown", "removeFromCRL"),
        (10, "reason-unknown", "aACompromise"),
        (-1, "reason-unknown", "-"),
        (11, "reason-unknown", "-"),
        (10**30, "reason-unknown", "-"),
    ],
)
def test_any_other_number_is_refused_saying_why(code: int, error: str, label: str) -> None:
    with pytest.raises(ReasonNotAllowed) as refused:
        checked(code)
    assert refused.value.code == error
    assert refused.value.params["label"] == label
    for language in (sentences.EN, sentences.JA):
        for key in (f"error.{error}", f"next.{error}"):
            assert language[key].format_map(refused.value.params)


def test_a_code_is_spelt_as_in_the_rfc() -> None:
    assert [(reason.value, reason.label) for reason in Reason] == [
        (0, "unspecified"),
        (1, "keyCompromise"),
        (3, "affiliationChanged"),
        (4, "superseded"),
        (5, "cessationOfOperation"),
    ]


def test_publication_in_the_crl_is_told_first_except_for_no_code() -> None:
    assert notes(Reason.UNSPECIFIED) == ()
    assert notes(Reason.KEY_COMPROMISE) == ("reason-published",)
    assert notes(Reason.AFFILIATION_CHANGED) == ("reason-published", "reason-affiliation-on-dv")
    assert all(f"note.{note}" in sentences.JA for note in notes(Reason.AFFILIATION_CHANGED))
