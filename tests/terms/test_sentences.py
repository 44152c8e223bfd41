"""The sentences of this room: the same in both languages, with the same placeholders."""

from __future__ import annotations

from string import Formatter

import pytest

from jprs_client.locale.terms import EN, JA


def placeholders(template: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(template) if field is not None}


def test_every_sentence_is_there_in_both_languages() -> None:
    assert list(EN) == list(JA)


@pytest.mark.parametrize("key", EN)
def test_both_languages_tell_the_same_facts(key: str) -> None:
    assert placeholders(EN[key]) == placeholders(JA[key])


@pytest.mark.parametrize("key", [key for key in EN if key.startswith("error.")])
def test_every_error_says_what_to_do_next(key: str) -> None:
    assert f"next.{key.removeprefix('error.')}" in EN
