"""The program's manners: where it writes, what it exits with, and in which language."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import jprs_client.cli.main
from jprs_client.cli.door import Door
from jprs_client.cli.main import main
from jprs_client.cli.words import command, option
from jprs_client.errors import CaUnavailable, ConfigError, ConfigProblem, RefusedByCa
from tests.cli.processes import at_a_terminal

Ran = Callable[..., tuple[int, str, str]]

PROGRAM = [sys.executable, "-m", "jprs_client.cli"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Ran:
    """Runs the program in this process; exit code, standard output, standard error."""

    def ran(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        out, err = capsys.readouterr()
        return code, out, err

    return ran


@command("fails")
@option("--with", "how")
@click.pass_obj
def fails(door: Door, how: str | None) -> int:
    """A command that ends as it is told."""
    if how == "refusal":
        raise RefusedByCa("eab-refused", problem_type="unauthorized", detail="\x1b[2Jno\r\nsuch key")
    if how == "patience":
        raise CaUnavailable("ca-maintenance", detail="")
    if how == "config":
        raise ConfigError(
            ConfigProblem("config-key-missing", file="c.toml", line=line, key="name", expected='"…"') for line in (3, 7)
        )
    if how == "bug":
        secret = "hunter2"
        raise ZeroDivisionError(f"\x1b[31m{len(secret)}")
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "confirm":
        return 0 if door.confirm("init.go-on") else 4
    door.tell(
        "init.written", file=f"{door.config_path} {door.state_directory} {door.lock_timeout} {door.screen.verbosity}"
    )
    return 10


@pytest.fixture(autouse=True)
def _with_a_command_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jprs_client.cli.main.COMMANDS, "fails", f"{__name__}:fails")


# -- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv",
    [
        "--config c.toml --state-dir s --lock-timeout 90 -vv fails",
        "fails --config c.toml --state-dir s --lock-timeout 90s -vv",
        "--config other.toml -v fails --config c.toml --state-dir=s --lock-timeout 90 -vv",
        "--state-dir s fails -v -v --lock-timeout 90 --config=c.toml",
    ],
)
def test_common_options_are_taken_before_and_after_the_command(run: Ran, argv: str) -> None:
    assert run(*argv.split()) == (10, "Written: c.toml s 0:01:30 2\n", "")


def test_without_options_the_places_are_the_systems(run: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("fails")[1] == "Written: /etc/jprs-client/config.toml /var/lib/jprs-client 0:00:00 0\n"

    monkeypatch.setenv("JPRS_CLIENT_CONFIG", "/srv/c.toml")
    assert run("fails")[1].startswith("Written: /srv/c.toml ")


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ("", "no-command"),
        ("test-ca", "no-command"),
        ("bogus", "no-such-command"),
        ("test-ca bogus", "no-such-command"),
        ("--bogus", "no-such-option"),
        ("init --contacts", "no-such-option"),
        ("-x", "no-such-option"),
        ("init left over", "too-many-arguments"),
        ("--config", "option-needs-value"),
        ("init --force=yes", "option-takes-no-value"),
        ("--lang fr init", "bad-choice"),
        ("init --lock-timeout soon", "bad-span"),
        ("test-ca serve --now yesterday", "bad-time"),
        ("test-ca serve --http-port 0", "bad-number"),
        ("test-ca serve --listen 14000", "bad-address"),
        ("test-ca serve --tls-cert c.pem", "options-only-together"),
        ("test-ca serve --resolver 127.0.0.1:53 --mock-dns 127.0.0.1:8053", "options-not-together"),
    ],
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_wrong_usage_has_a_code_a_sentence_and_a_way_out(
    run: Ran, argv: str, code: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPRS_CLIENT_LANG", language)
    exit_code, out, err = run(*argv.split())
    assert (exit_code, out) == (2, "")
    assert err.startswith("エラー: " if language == "ja" else "error: ")
    assert err.count("\n") == 2

    exit_code, out, err_with_json = run("--json", *argv.split())
    document = json.loads(out)["error"]
    assert (exit_code, err_with_json) == (2, err)
    assert document["code"] == code
    assert list(document) == ["code", "message", "next_step"]
    assert err == f"{'エラー' if language == 'ja' else 'error'}: {document['message']}\n  {document['next_step']}\n"


def test_a_near_miss_is_named(run: Ran) -> None:
    assert "Did you mean init?" in run("inti")[2]
    assert "Did you mean --contact?" in run("init", "--contct", "a@b.jp")[2]


def test_help_is_in_the_language_asked_for(run: Ran) -> None:
    code, out, err = run("init", "--help", "--lang", "ja")

    assert (code, err) == (0, "")
    assert out.startswith("使い方: jprs-client init [オプション]\n")
    assert "利用FQDN" in out
    for word in ("Usage", "Options", "Show this", "Commands"):
        assert word not in out


def test_help_fits_eighty_columns_in_both_languages(run: Ran) -> None:
    from jprs_client.cli.show import width

    for language in ("en", "ja"):
        for argv in (["--help"], ["init", "-h"], ["test-ca", "serve", "--help"]):
            for line in run(*argv, "--lang", language)[1].splitlines():
                assert width(line) <= 80, line


def test_the_version_is_told(run: Ran) -> None:
    assert run("--version")[1].startswith("jprs-client ")
    assert json.loads(run("--version", "--json")[1])["version"] == run("--version")[1].split()[1]


# -- errors -----------------------------------------------------------------------------------------------------------


def test_an_error_is_a_sentence_with_a_way_out_and_its_own_exit_code(run: Ran) -> None:
    code, out, err = run("fails", "--with", "refusal")
    assert (code, out) == (4, "")
    assert err.startswith("error: ")
    assert "no such key" in err
    assert "\x1b" not in err

    assert run("fails", "--with", "patience")[0] == 5


def test_every_problem_of_a_configuration_is_told(run: Ran) -> None:
    code, out, err = run("--json", "fails", "--with", "config")

    problems = json.loads(out)["error"]["problems"]
    assert code == 3
    assert [problem["line"] for problem in problems] == [3, 7]
    assert all(problem["message"] in err and problem["next_step"] in err for problem in problems)
    assert json.loads(out)["error"]["code"] == "config-key-missing"


def test_a_bug_shows_its_traceback_without_values(run: Ran) -> None:
    code, out, err = run("fails", "--with", "bug", "--json")

    assert code == 1
    assert json.loads(out)["error"]["code"] == "bug"
    assert "Traceback (most recent call last):" in err
    assert "ZeroDivisionError: [31m7" in err
    assert "\x1b" not in err
    assert "hunter2" not in err.replace('secret = "hunter2"', "")


def test_an_interruption_is_told_and_exits_130(run: Ran) -> None:
    code, _, err = run("fails", "--with", "interrupt")

    assert code == 130
    assert "Interrupted." in err


def test_who_cannot_be_asked_needs_yes(run: Ran) -> None:
    code, out, _ = run("--json", "fails", "--with", "confirm")

    assert code == 2
    assert json.loads(out)["error"]["code"] == "yes-needed"


def test_a_command_may_say_its_own_exit_code_quietly(run: Ran) -> None:
    assert run("fails", "-q") == (10, "", "")


# -- as a process -----------------------------------------------------------------------------------------------------


def test_a_reader_that_leaves_early_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run([*PROGRAM, "--help"], stdout=writing, stderr=subprocess.PIPE, timeout=60)
    finally:
        os.close(writing)

    assert done.stderr == b""
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("argv", "code"), [(["--help"], 1), (["init", "--help", "--json"], 1), (["check", "--config", "none.toml"], 3)]
)
def test_a_disk_that_takes_no_answer_is_said_without_a_traceback(argv: list[str], code: int) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*PROGRAM, *argv], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)

    assert done.returncode == code
    assert done.stderr.startswith("error: The answer could not be written to standard output: No space left on device.")
    assert done.stderr.count("\n") == 2


def test_a_log_that_takes_nothing_changes_no_exit_code() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*PROGRAM, "bogus", "--json"], stdout=subprocess.PIPE, stderr=full, text=True, timeout=60)

    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "no-such-command"


@pytest.mark.parametrize(
    "environ", [{"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}]
)
def test_a_host_without_utf8_is_no_obstacle(environ: dict[str, str]) -> None:
    done = subprocess.run(
        [*PROGRAM, "--json", "--lang", "ja", "例え\udcff"],
        capture_output=True,
        timeout=60,
        env={**os.environ, **environ},
    )

    assert done.returncode == 2
    assert "というコマンドはありません" in json.loads(done.stdout.decode("utf-8"))["error"]["message"]
    assert b"Traceback" not in done.stderr


def test_on_a_terminal_errors_are_red_and_json_is_set_out(tmp_path: Path) -> None:
    (tmp_path / "c.toml").touch()
    code, shown = at_a_terminal([*PROGRAM, "init", "--json", "--config", str(tmp_path / "c.toml")], NO_COLOR="")

    assert code == 2
    assert "\x1b[1;31merror: " in shown
    assert '"error": {\r\n' in shown
