"""Each door is told in five lines, in both languages, and a test runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.readme import READMES, doors

TESTS = Path(__file__).parents[1]


def test_both_languages_show_the_same_doors() -> None:
    shown = [doors(name) for name in READMES]
    assert shown[0] == shown[1]
    assert set(shown[0]) == {"timer", "daemon", "ansible", "apache", "files", "plugin", "compromised", "monitoring"}


@pytest.mark.parametrize("name", sorted(doors()))
def test_a_door_takes_five_lines_at_most(name: str) -> None:
    assert 0 < len(doors()[name]) <= 5


@pytest.mark.parametrize("name", sorted(doors()))
def test_a_test_runs_the_lines_of_a_door(name: str) -> None:
    users = [path for path in TESTS.rglob("test_*.py") if f'door("{name}")' in path.read_text()]
    assert users, f"no test runs the lines of {name}"
