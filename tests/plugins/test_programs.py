"""Whom root starts programs for: nobody but root may be able to change them (THREATS D26)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jprs_client.errors import ChallengeFailed, HookFailed
from jprs_client.plugin import Notice, Proof, changeable_by_others
from jprs_plugins.command import Command
from jprs_plugins.hook import Hook
from jprs_plugins.mail import Mail
from tests import needs

NOBODY = 65534
NOTICE = Notice("warning", "failing", "WARNING", "text", "example.jp")
PROOF = Proof("dns-01", "example.jp", "tokenAAAAAAAAAAAAAAAAAA", "digestAAAAAAAAAAAAAAAAAA")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """It tells that it ran, in its folder; nobody but root may change it."""
    needs.root()
    folder = tmp_path / "bin"
    folder.mkdir(mode=0o755)
    path = folder / "program"
    path.write_text(f"#!/bin/sh\ntouch {folder}/ran\n")
    path.chmod(0o755)
    return path


def notified(program: Path) -> None:
    Command({"command": [str(program), "arg"]}).notify([NOTICE])


def mailed(program: Path) -> None:
    Mail({"to": ["admin@example.jp"], "sendmail": program}).notify([NOTICE])


def proved(program: Path) -> None:
    Hook({"command": [str(program)]}).present(PROOF)


def cleaned_up(program: Path) -> None:
    Hook({"command": [str(program)]}).clean_up(PROOF)


START = pytest.mark.parametrize("start", [notified, mailed, proved, cleaned_up])


@START
def test_root_starts_nothing_that_others_may_change(program: Path, start: Callable[[Path], None]) -> None:
    program.chmod(0o777)

    with pytest.raises((HookFailed, ChallengeFailed)) as failed:
        start(program)

    assert failed.value.code == "program-unsafe"
    assert failed.value.params == {"program": str(program), "place": str(program)}
    assert not (program.parent / "ran").exists()


@START
def test_what_only_root_may_change_is_started(program: Path, start: Callable[[Path], None]) -> None:
    start(program)

    assert (program.parent / "ran").exists()


def test_a_name_found_in_a_folder_of_somebody_elses_is_not_started(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(program.parent, NOBODY, NOBODY)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    with pytest.raises(HookFailed) as failed:
        Command({"command": ["program"]}).notify([NOTICE])

    assert failed.value.params == {"program": str(program), "place": str(program.parent)}


def test_one_that_is_not_there_is_missing(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    for name in ("absent", str(program.parent / "absent")):
        with pytest.raises(HookFailed) as failed:
            Command({"command": [name]}).notify([NOTICE])
        assert (failed.value.code, failed.value.params["command"]) == ("notifier-missing", name)


def of_nobody(program: Path) -> Path:
    os.chown(program, NOBODY, 0)
    return program


def for_a_group(program: Path) -> Path:
    os.chown(program, 0, 12345)
    program.chmod(0o775)
    return program


def folder_of_nobody(program: Path) -> Path:
    os.chown(program.parent, NOBODY, 0)
    return program.parent


def folder_for_everybody(program: Path) -> Path:
    program.parent.chmod(0o777)
    return program.parent


def folder_above(program: Path) -> Path:
    program.parent.parent.chmod(0o777)
    return program.parent.parent


def of_nobody_where_everybody_may_write(program: Path) -> Path:
    program.parent.chmod(0o1777)
    return of_nobody(program)


def link_of_nobody(program: Path) -> Path:
    real = program.with_name("real")
    program.rename(real)
    program.symlink_to(real)
    os.chown(program, NOBODY, NOBODY, follow_symlinks=False)
    return program


def link_into_a_folder_of_nobody(program: Path) -> Path:
    elsewhere = program.parent.parent / "elsewhere"
    elsewhere.mkdir()
    program.rename(elsewhere / "program")
    program.symlink_to("../elsewhere/program")
    os.chown(elsewhere, NOBODY, NOBODY)
    return elsewhere


@pytest.mark.parametrize(
    "spoil",
    [
        of_nobody,
        for_a_group,
        folder_of_nobody,
        folder_for_everybody,
        folder_above,
        of_nobody_where_everybody_may_write,
        link_of_nobody,
        link_into_a_folder_of_nobody,
    ],
)
def test_the_place_is_told_by_which_others_could_change_it(program: Path, spoil: Callable[[Path], Path]) -> None:
    assert changeable_by_others(program) is None

    place = spoil(program)

    assert changeable_by_others(program) == place


def test_debians_local_folders_and_roots_own_files_in_tmp_are_safe(program: Path) -> None:
    """/usr/local/bin is root:staff 2775 there; in a sticky folder nobody can rename what is root's."""
    os.chown(program.parent, 0, 50)
    program.parent.chmod(0o2775)
    assert changeable_by_others(program) is None
    program.parent.chmod(0o1777)
    assert changeable_by_others(program) is None


def test_who_is_not_root_starts_what_there_is(program: Path) -> None:
    program.chmod(0o777)
    assert changeable_by_others(program) == program
    os.seteuid(NOBODY)
    try:
        assert changeable_by_others(program) is None
    finally:
        os.seteuid(0)
