"""A failed action is tried again: later each time, never at once, never given up (FAULTS 55, 69, 70)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jprs_client.planning.backoff import LONGEST, LONGEST_FOR_A_PERSON, fraction, retry_at
from tests.planning.worlds import DAY, NOW

codes = st.sampled_from([1, 2, 3, 4, 5, 6, 7, 99])
seeds = st.text(max_size=30)


def wait(count: int, code: int = 5, seed: str = "example.jp", imposed_at: datetime | None = None) -> timedelta:
    return retry_at(NOW, count, code, seed, imposed_at=imposed_at) - NOW


@given(st.integers(1, 100_000), codes, seeds)
def test_no_wait_is_shorter_than_the_one_before_it(count: int, code: int, seed: str) -> None:
    assert wait(count, code, seed) <= wait(count + 1, code, seed)


@given(st.integers(-5, 10**9), codes, seeds)
def test_no_wait_is_nothing_and_none_is_longer_than_who_has_to_act_needs(count: int, code: int, seed: str) -> None:
    assert timedelta(seconds=48) <= wait(count, code, seed) <= LONGEST.get(code, LONGEST_FOR_A_PERSON)


@given(st.integers(1, 2000), codes, seeds, st.timedeltas(timedelta(days=-4000), timedelta(days=4000)))
def test_the_cas_own_word_is_not_undercut_and_bounded_by_a_day(
    count: int, code: int, seed: str, told: timedelta
) -> None:
    found = wait(count, code, seed, NOW + told)

    assert timedelta(0) < found <= DAY
    assert found >= min(told, DAY)
    assert found >= wait(count, code, seed)


@pytest.mark.parametrize(("code", "hours"), [(5, 6), (7, 1), (4, 12), (1, 12), (3, 12)])
def test_who_has_to_act_decides_how_long_it_is_at_most(code: int, hours: int) -> None:
    assert timedelta(hours=hours) * 0.8 <= wait(1000, code) <= timedelta(hours=hours)


@given(st.lists(st.text() | st.integers(), max_size=4))
def test_the_same_words_give_the_same_fraction(words: list[str | int]) -> None:
    assert 0 <= fraction(*words) < 1
    assert fraction(*words) == fraction(*words)


def test_a_thousand_certificates_do_not_come_back_at_once() -> None:
    waits = [wait(10, seed=f"shop{number}.example.jp") for number in range(1000)]

    assert len(set(waits)) == 1000
    assert max(waits) - min(waits) > timedelta(hours=1)
