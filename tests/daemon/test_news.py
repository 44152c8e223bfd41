"""What a daemon says is news; what it waits for after failures grows (FAULTS 41)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jprs_client.daemon import News, pause_after
from jprs_client.errors import CaUnavailable, JprsClientError, Locked, RefusedByCa, StateUnusable
from jprs_client.planning.actions import Action, Kind, Problem, Why
from tests.planning.worlds import NOW, names

ISSUE = Action(Kind.ISSUE, "example.jp", names("example.jp"), Why("missing"), NOW, NOW)
RENEW = Action(Kind.RENEW, "example.jp", names("example.jp"), Why("ari-moment"), NOW, NOW)
KEY = ("example.jp", "issue", "")


def heard(news: News, *errors: JprsClientError, standing: tuple[tuple[str, str, str], ...] = (KEY,)) -> list[str]:
    return [error.code for _, error in news.failures([(ISSUE, error) for error in errors], standing)]


def test_the_same_failure_is_said_once_until_it_is_another_or_was_mended() -> None:
    news = News()
    unreachable, refused = CaUnavailable("ca-unreachable", retry_at=NOW), RefusedByCa("ca-caa")

    assert heard(news, unreachable) == ["ca-unreachable"]
    assert heard(news, CaUnavailable("ca-unreachable", retry_at=NOW + timedelta(hours=1))) == []
    assert heard(news) == []  # not tried this time: it waits for its moment
    assert heard(news, unreachable) == []
    assert heard(news, refused) == ["ca-caa"]
    assert heard(news, standing=()) == []  # it has worked since
    assert heard(news, refused) == ["ca-caa"]


def test_another_run_that_holds_a_lineage_is_said_once_though_nothing_has_failed() -> None:
    news = News()
    held = Locked("locked", what="lineage", name="example.jp", pid="1", since_at="?")

    assert [heard(news, held, standing=()) for _ in range(3)] == [["locked"], [], []]
    assert heard(news, standing=()) == []
    assert heard(news, held, standing=()) == ["locked"]


def test_a_problem_is_said_again_only_after_it_was_gone() -> None:
    news = News()
    missing = Problem("not-registered", {"directory": "https://ca.example/"})

    assert [news.problems(found) for found in ([missing], [missing], [], [missing])] == [[missing], [], [], [missing]]


def test_moments_make_no_other_error_of_the_same() -> None:
    news = News()
    full, other = StateUnusable("state-not-writable", cause="full", seen_at="1"), StateUnusable("state-damaged")

    assert news.errors([full]) == [full]
    assert news.errors([StateUnusable("state-not-writable", cause="full", seen_at="2")]) == []
    assert news.errors([other]) == [other]
    assert news.errors([]) == []
    assert news.errors([full]) == [full]


@pytest.mark.parametrize(
    ("failed", "minutes"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (10**6, 60)]
)  # fmt: skip
def test_rounds_that_cannot_be_are_tried_less_and_less_often(failed: int, minutes: int) -> None:
    assert pause_after(failed) == timedelta(minutes=minutes)
