"""Whom is told what, and when again: by arithmetic, and with notifiers that do not do as they should."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from jprs_client.app import App
from jprs_client.config import NotifySection, PluginTable
from jprs_client.errors import CaUnavailable, HookFailed, JprsClientError, Locked, StateUnusable, UsageError
from jprs_client.locale import Speech
from jprs_client.notices import Memory, after_failed_run, after_run, changes
from jprs_client.planning.health import Finding, Level
from jprs_client.plugin import Notice, Options
from jprs_client.registry import Registry
from jprs_client.store.store import Store, Told
from tests.planning.worlds import NOW, config
from tests.store.set_clock import SetClock

EN = Speech("en")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

WARNING = Finding(Level.WARNING, "never-issued", {"certificate": "example.jp"}, "example.jp")
CRITICAL = Finding(
    Level.CRITICAL, "nearly-expired", {"certificate": "example.jp", "not_after": NOW, "left": DAY}, "example.jp"
)
EXPIRED = replace(CRITICAL, code="expired")
PATIENT = replace(WARNING, level=Level.OK)


def told(finding: Finding, ago: timedelta = HOUR) -> Told:
    return Told(
        "ops",
        finding.topic,
        finding.certificate,
        finding.about,
        finding.code,
        int(finding.level),
        "It is so.",
        NOW - ago,
    )


@pytest.mark.parametrize(
    ("found", "before", "said"),
    [
        ([], [], []),
        ([WARNING], [], [("warning", "never-issued")]),
        ([WARNING], [told(WARNING)], []),
        ([WARNING], [told(WARNING, 6 * DAY)], []),
        ([WARNING], [told(WARNING, 7 * DAY - HOUR)], [("warning", "never-issued")]),
        ([CRITICAL], [told(WARNING)], [("critical", "nearly-expired")]),
        ([CRITICAL], [told(CRITICAL, 19 * HOUR)], []),
        ([CRITICAL], [told(CRITICAL, 23 * HOUR)], [("critical", "nearly-expired")]),
        ([CRITICAL], [told(CRITICAL, -DAY)], [("critical", "nearly-expired")]),  # the clock was far ahead
        ([CRITICAL], [told(CRITICAL, -HOUR)], []),
        ([EXPIRED], [told(CRITICAL)], [("critical", "expired")]),
        ([WARNING], [told(CRITICAL, 30 * DAY)], []),
        ([], [told(WARNING)], [("ok", "never-issued")]),
        ([PATIENT], [], []),
        ([PATIENT], [told(WARNING)], []),  # a temporary failure after a refusal
        ([PATIENT], [told(CRITICAL, 30 * DAY)], []),
        (
            [replace(WARNING, certificate="other.jp")],
            [told(WARNING)],
            [("warning", "never-issued"), ("ok", "never-issued")],
        ),
    ],
)
def test_what_is_new_or_graver_or_lasts_or_is_over_is_told(
    found: list[Finding], before: list[Told], said: list[tuple[str, str]]
) -> None:
    news = changes("ops", found, before, NOW, EN)

    assert [(notice.level, notice.code) for notice in news.notices] == said


def test_what_became_less_grave_is_remembered_and_told_when_it_gets_worse_again() -> None:
    (silently,) = changes("ops", [WARNING], [told(CRITICAL)], NOW, EN).silently

    assert (silently.level, silently.code, silently.told_at) == (1, "never-issued", NOW - HOUR)
    assert changes("ops", [WARNING], [silently], NOW, EN).notices == ()
    assert [notice.level for notice in changes("ops", [CRITICAL], [silently], NOW, EN).notices] == ["critical"]


@pytest.mark.parametrize(
    ("language", "subject"), [("en", "OK: This is over: It is so."), ("ja", "OK: 次の件は解消しました: It is so.")]
)
def test_what_is_over_says_what_it_was(language: str, subject: str) -> None:
    (notice,) = changes("ops", [], [told(WARNING)], NOW, EN.in_language(language)).notices

    assert (notice.subject, notice.certificate) == (subject, "example.jp")


def test_a_notice_says_what_to_do() -> None:
    (notice,) = changes("ops", [WARNING], [], NOW, EN).notices

    assert notice.subject == "WARNING: Certificate example.jp has not been issued yet."
    assert notice.text == ("Certificate example.jp has not been issued yet.\nWhat to do: Run “jprs-client apply”.")


# -- with a store -----------------------------------------------------------------------------------------------------


class Heard:
    """A notifier of a stranger's: remembers what it hears, or does what it should not."""

    options: ClassVar[Options] = {}

    def __init__(self, settings: Mapping[str, object], /) -> None:
        self.error = settings.get("error")
        self.heard: list[Sequence[Notice]] = []

    def notify(self, notices: Sequence[Notice], /) -> None:
        if isinstance(self.error, Exception):
            raise self.error
        self.heard.append(notices)


class Strangers(Registry):
    """Notifiers that are made once, to be looked at afterwards."""

    def __init__(self) -> None:
        self.made: dict[str, Heard] = {}

    def notifier(self, table: PluginTable) -> Heard:
        return self.made.setdefault(table.name, Heard(table.settings))


def heard(strangers: Strangers, name: str = "ops") -> list[list[tuple[str, str]]]:
    """Level and code of each notice, since this was last asked."""
    found = [[(notice.level, notice.code) for notice in notices] for notices in strangers.made[name].heard]
    strangers.made[name].heard.clear()
    return found


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def store(tmp_path: Path, clock: SetClock) -> Iterator[Store]:
    store = Store(tmp_path / "state", "https://ca.example/dir", clock)
    yield store
    store.close()


def app(store: Store, **notifiers: Exception | None) -> tuple[App, Strangers]:
    """Without an account, which is something to tell."""
    tables = {
        name: PluginTable(name, "strange", {"error": error}, Path("config.toml")) for name, error in notifiers.items()
    }
    made = replace(config("example.jp"), notifiers=tables, notify=NotifySection(by=tuple(tables), language="ja"))
    registry = Strangers()
    return App(made, store, store.clock, registry=registry), registry


def test_a_strangers_bug_is_told_and_keeps_nobody_else_from_hearing(store: Store) -> None:
    found, strangers = app(
        store, buggy=KeyError("\x1b[2J"), refusing=HookFailed("notifier-broken", plugin="x", cause="y"), good=None
    )

    errors = after_run(found, EN)

    assert [(error.code, error.params["notifier"], error.exit_code) for error in errors] == [
        ("notifier-broken", "buggy", 7), ("notifier-broken", "refusing", 7),
    ]  # fmt: skip
    assert errors[0].params["cause"] == "KeyError: '\\x1b[2J'"
    ((notice,),) = strangers.made["good"].heard
    assert (notice.code, notice.level) == ("not-registered", "warning")
    assert "ACMEアカウント" in notice.text
    assert {each.notifier for each in store.told()} == {"good"}


def test_a_notifier_that_is_gone_is_forgotten_and_a_new_one_hears_everything(store: Store) -> None:
    first, _ = app(store, ops=None)
    assert after_run(first, EN) == []
    second, strangers = app(store, boss=None)

    assert after_run(second, EN) == []

    assert len(strangers.made["boss"].heard) == 1
    assert {each.notifier for each in store.told()} == {"boss"}
    assert after_run(second, EN) == []
    assert len(strangers.made["boss"].heard) == 1


def test_another_run_that_tells_at_this_moment_tells_for_both(store: Store) -> None:
    found, strangers = app(store, ops=None)

    with store.claims.held("notices", "all", 0):
        assert after_run(found, EN) == []

    assert strangers.made == {}


def test_a_state_that_cannot_be_read_is_one_more_thing_that_failed(store: Store) -> None:
    found, strangers = app(store, ops=None)
    store.state_dir.mkdir()
    store.database.path.write_bytes(b"this is no database, and longer than a header would be" * 10)

    assert [error.code for error in after_run(found, EN)] == ["state-database-unusable"]
    assert heard(strangers) == [[("critical", "run-failed")]]


def test_without_notifiers_nothing_is_looked_at(store: Store) -> None:
    found, _ = app(store)

    assert after_run(found, EN) == []
    assert not store.state_dir.exists()


# -- runs that could not be -------------------------------------------------------------------------------------------

OTHER = StateUnusable("state-of-another-directory", state="s", directory="a", others="b")
FULL = StateUnusable("state-not-writable", directory="s", cause="No space left on device")


def test_a_run_that_could_not_be_is_told_beside_the_rest_until_one_can(store: Store) -> None:
    found, strangers = app(store, ops=None)

    assert after_run(found, EN, failure=OTHER) == []
    ((first, second),) = strangers.made["ops"].heard
    assert (first.level, first.code, second.code) == ("critical", "run-failed", "not-registered")
    cause, next_step = EN.in_language("ja").error_sentence(OTHER)
    assert cause in first.text
    assert next_step in first.text
    strangers.made["ops"].heard.clear()
    for failure in (OTHER, CaUnavailable("ca-unreachable", cause="x"), OTHER):
        assert after_run(found, EN, failure=failure) == []
    assert heard(strangers) == []

    assert after_run(found, EN, failure=FULL) == []
    assert heard(strangers) == [[("critical", "run-failed"), ("ok", "run-failed")]]  # another cause; the first is over
    assert after_run(found, EN) == []
    assert heard(strangers) == [[("ok", "run-failed")]]


def test_what_mends_itself_is_told_only_when_nothing_else_was(store: Store) -> None:
    found, strangers = app(store, ops=None)

    after_run(found, EN, failure=CaUnavailable("ca-unreachable", cause="x"))

    assert heard(strangers) == [[("warning", "not-registered")]]


def test_what_nobody_foresaw_is_told_though_the_state_cannot_be_looked_at_for_it(store: Store) -> None:
    found, strangers = app(store, ops=None)
    store.keep_told(replace(told(WARNING), notifier="ops"))
    with store.writing():
        store.database.write("UPDATE notice SET told_at = 'not a moment'")

    assert after_run(found, EN, failure=ValueError("\x1b[2Jbad")) == []

    ((notice,),) = strangers.made["ops"].heard
    assert notice.code == "run-failed"
    assert "ValueError: [2Jbad" in notice.subject
    with pytest.raises(ValueError, match="not a moment"):  # without a failure it is one
        after_run(found, EN)


def test_without_a_store_a_run_is_told_of_each_time_and_by_a_daemon_once_a_change_and_daily(
    store: Store, clock: SetClock
) -> None:
    found, strangers = app(store, ops=None)
    memory = Memory()
    store.state_dir.mkdir()
    store.database.path.write_bytes(b"this is no database, and longer than a header would be" * 10)

    for _ in range(2):
        assert after_run(found, EN, failure=OTHER) == []
    assert heard(strangers) == [[("critical", "run-failed")]] * 2
    for _ in range(3):
        after_run(found, EN, failure=OTHER, memory=memory)
    assert heard(strangers) == [[("critical", "run-failed")]]
    clock.moment += 21 * HOUR
    after_run(found, EN, failure=OTHER, memory=memory)
    assert heard(strangers) == [[("critical", "run-failed")]]
    after_run(found, EN, failure=FULL, memory=memory)
    assert heard(strangers) == [[("critical", "run-failed"), ("ok", "run-failed")]]

    store.database.path.unlink()
    assert after_run(found, EN, memory=memory) == []
    assert heard(strangers) == [[("warning", "not-registered"), ("ok", "run-failed")]]
    assert after_run(found, EN, memory=memory) == []
    assert heard(strangers) == []


def test_what_cannot_be_written_down_is_remembered_by_a_daemon_alone(store: Store) -> None:
    found, strangers = app(store, ops=None)
    memory = Memory()
    with store.writing():
        store.database.write("CREATE TRIGGER full BEFORE INSERT ON notice BEGIN SELECT RAISE(ABORT, 'full'); END")

    assert [error.code for error in after_run(found, EN)] == ["state-database-unusable"]
    for _ in range(2):
        assert after_run(found, EN, failure=OTHER, memory=memory) == []
    both = [("critical", "run-failed"), ("warning", "not-registered")]
    assert heard(strangers) == [[("warning", "not-registered")], both]

    with store.writing():
        store.database.write("DROP TRIGGER full")
    assert after_run(found, EN, memory=memory) == []
    assert heard(strangers) == [[("ok", "run-failed")]]
    assert after_run(found, EN, memory=memory) == []
    assert heard(strangers) == []


@pytest.mark.parametrize("error", [Locked("locked", what="lineage"), UsageError("no-such-certificate", name="x")])
def test_who_runs_it_hears_of_a_lock_and_of_a_wrong_word_and_nobody_else(
    store: Store, tmp_path: Path, error: JprsClientError
) -> None:
    found, strangers = app(store, ops=None)

    assert after_failed_run(found.config, tmp_path / "state", store.clock, error, EN) == []
    assert strangers.made == {}
