"""docs/test-ca.md says all there is: calls, options, faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from jprs_client.testca import faults, hostile, wrong
from jprs_client.testca.ca import Authority
from jprs_client.testca.management import manual

MANUAL = (Path(__file__).parents[2] / "docs" / "test-ca.md").read_text(encoding="utf-8")


def test_every_call_of_the_management_side_stands_there_as_the_program_tells_it() -> None:
    for line in manual(Authority()).splitlines():
        assert line in MANUAL


@pytest.mark.parametrize(
    "words",
    [faults.WORDS, wrong.KINDS, hostile.TEXTS, hostile.ADDRESSES],
    ids=["actions", "certificates", "hostile texts", "addresses"],
)
def test_every_word_of_a_fault_stands_there(words: object) -> None:
    assert [word for word in words if f"`{word}`" not in MANUAL] == []  # type: ignore[attr-defined]


def test_what_the_code_says_of_faults_stands_there() -> None:
    told = (faults.__doc__ or "").replace(" \\\n", " ")
    rows = [line for line in told.splitlines() if line.startswith("| ")]
    assert len(rows) > 40
    assert [row for row in rows if row not in MANUAL] == []


def test_every_member_of_an_action_is_told() -> None:
    assert [member for member in faults._CHECKS if f"`{member}`" not in MANUAL] == []
