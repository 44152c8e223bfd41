"""Notices by a program of the subscriber's: what it is told, and that it cannot hold us up."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from jprs_client.errors import HookFailed
from jprs_client.plugin import Notice, Notifier
from jprs_plugins.command import Command

WARNING = Notice("warning", "failing", "WARNING: 更新できません", "更新できません。\n対処: 待つ", "example.jp")
CRITICAL = Notice("critical", "expired", "CRITICAL: expired", "It has expired.", "shop.jp")


def script(tmp_path: Path, text: str) -> str:
    path = tmp_path / "tell"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def failure(tmp_path: Path, text: str, *notices: Notice, **settings: object) -> HookFailed:
    with pytest.raises(HookFailed) as failed:
        Command({"command": [script(tmp_path, text)], **settings}).notify(notices or [WARNING])
    return failed.value


def test_the_message_is_in_the_environment_and_its_notices_on_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPRS_CLIENT_CONFIG", "canary")
    monkeypatch.setenv("PYTHONPATH", "canary")
    given, seen = tmp_path / "given", tmp_path / "seen"
    notifier: Notifier = Command({"command": [script(tmp_path, f'cat > {given}; env -0 > {seen}; echo "$@"'), "a b"]})

    notifier.notify([WARNING, CRITICAL])

    told = dict(item.split("=", 1) for item in seen.read_text().split("\0") if item)
    assert {name: value for name, value in told.items() if name.startswith("JPRS_CLIENT_")} == {
        "JPRS_CLIENT_NOTICE_LEVEL": "critical",
        "JPRS_CLIENT_NOTICE_SUBJECT": "CRITICAL: expired (+1)",
        "JPRS_CLIENT_NOTICE_TEXT": "CRITICAL: It has expired.\n\nWARNING: 更新できません。\n対処: 待つ",
    }
    assert "canary" not in told.values()
    assert json.loads(given.read_text()) == [
        {
            "level": each.level, "code": each.code, "certificate": each.certificate, "subject": each.subject,
            "text": each.text,
        }
        for each in (WARNING, CRITICAL)
    ]  # fmt: skip


def test_one_that_reads_nothing_holds_nobody_up(tmp_path: Path) -> None:
    many = [Notice("warning", "failing", "subject", "text " * 1000, f"{number}.jp") for number in range(1000)]

    Command({"command": [script(tmp_path, "exit 0")]}).notify(many)


def test_a_thousand_notices_are_counted_where_there_is_no_room_for_them(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    many = [Notice("ok", "failing", f"subject {number}", f"text {number}") for number in range(1000)]

    Command({"command": [script(tmp_path, f'printf %s "$JPRS_CLIENT_NOTICE_TEXT" > {seen}')]}).notify(many)

    assert seen.read_text().startswith("OK: text 0\n\nOK: text 1\n")
    assert seen.read_text().endswith("OK: text 199\n\n… +800")


def test_one_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    error = failure(tmp_path, "printf 'no route\\033[2J' >&2; exit 3")

    assert (error.code, error.exit_code) == ("notifier-failed", 7)
    assert (error.params["exit"], error.params["output"]) == (3, "no route[2J")


def test_one_that_hangs_is_ended(tmp_path: Path) -> None:
    begun = time.monotonic()
    error = failure(tmp_path, "sleep 60", timeout=1)

    assert (error.code, error.params["timeout"]) == ("notifier-timeout", 1)
    assert time.monotonic() - begun < 10


def test_one_that_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(HookFailed) as failed:
        Command({"command": [str(tmp_path / "none")]}).notify([WARNING])

    assert (failed.value.code, failed.value.params["reason"]) == ("notifier-missing", "No such file or directory")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"command": []}, "notifier-command-empty"),
        ({"command": [""]}, "notifier-command-empty"),
        ({"command": ["true"], "timeout": 0}, "notifier-timeout-unusable"),
    ],
)
def test_settings_that_cannot_work_are_told(settings: dict[str, object], code: str) -> None:
    with pytest.raises(HookFailed, match=code):
        Command(settings)
