"""Proofs by a program of the subscriber's: what it is told, what it inherits, and that it cannot hold us up."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from jprs_client.errors import ChallengeFailed
from jprs_client.plugin import Proof, Solver
from jprs_plugins.hook import Hook

DNS = Proof("dns-01", "example.jp", "tokenAAAAAAAAAAAAAAAAAA", "digestAAAAAAAAAAAAAAAAAA", wildcard=True)
HTTP = Proof("http-01", "example.jp", "tokenAAAAAAAAAAAAAAAAAA", "tokenAAAAAAAAAAAAAAAAAA.thumb")


def script(tmp_path: Path, text: str) -> str:
    path = tmp_path / "hook"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def failure(solver: Hook, proof: Proof = DNS) -> ChallengeFailed:
    with pytest.raises(ChallengeFailed) as failed:
        solver.present(proof)
    return failed.value


def environment_seen(tmp_path: Path, proof: Proof, **settings: object) -> dict[str, str]:
    seen = tmp_path / "seen"
    Hook({"command": [script(tmp_path, f"env -0 > {seen}")], **settings}).present(proof)
    return dict(item.split("=", 1) for item in seen.read_text().split("\0") if item)


def test_it_proves_by_what_it_is_set_to() -> None:
    default: Solver = Hook({"command": ["true"]})
    other: Solver = Hook({"command": ["true"], "challenge": "http-01"})
    assert (default.challenge_type, other.challenge_type) == ("dns-01", "http-01")


def test_a_dns_proof_is_told_in_our_names_and_in_certbots(tmp_path: Path) -> None:
    seen = environment_seen(tmp_path, DNS)
    told = {name: value for name, value in seen.items() if name.startswith(("JPRS_CLIENT_", "CERTBOT_"))}
    assert told == {
        "JPRS_CLIENT_CHALLENGE_TYPE": "dns-01",
        "JPRS_CLIENT_NAME": "example.jp",
        "JPRS_CLIENT_WILDCARD": "true",
        "JPRS_CLIENT_TOKEN": DNS.token,
        "JPRS_CLIENT_RECORD_NAME": "_acme-challenge.example.jp",
        "JPRS_CLIENT_RECORD_VALUE": DNS.content,
        "CERTBOT_DOMAIN": "example.jp",
        "CERTBOT_VALIDATION": DNS.content,
    }


def test_an_http_proof_is_told_with_its_key_authorization(tmp_path: Path) -> None:
    seen = environment_seen(tmp_path, HTTP, challenge="http-01")
    assert seen["JPRS_CLIENT_KEY_AUTHORIZATION"] == seen["CERTBOT_VALIDATION"] == HTTP.content
    assert seen["JPRS_CLIENT_TOKEN"] == seen["CERTBOT_TOKEN"] == HTTP.token
    assert seen["JPRS_CLIENT_WILDCARD"] == "false"
    assert "JPRS_CLIENT_RECORD_NAME" not in seen


def test_nothing_secret_and_nothing_that_changes_what_is_loaded_is_inherited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONPATH", "LD_LIBRARY_PATH", "EAB_HMAC_KEY", "CREDENTIALS_DIRECTORY", "JPRS_CLIENT_CONFIG"):
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("HOME", "/home/someone")
    seen = environment_seen(tmp_path, DNS)
    assert "canary" not in seen.values()
    assert seen["HOME"] == "/home/someone"
    assert seen["PATH"]


def test_present_and_clean_up_are_the_last_argument_and_there_is_no_shell(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    solver = Hook({"command": [script(tmp_path, f'printf "%s|" "$@" >> {seen}'), "$(id)", "a b;c"]})
    solver.present(DNS)
    solver.clean_up(DNS)
    assert seen.read_text() == "$(id)|a b;c|present|$(id)|a b;c|clean-up|"


def test_what_the_hook_said_when_presenting_is_handed_to_it_when_cleaning_up(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    text = f'[ "$1" = present ] && echo record-17 || echo "${{CERTBOT_AUTH_OUTPUT-none}}" >> {seen}'
    solver = Hook({"command": [script(tmp_path, text)]})
    solver.present(DNS)
    solver.clean_up(DNS)
    solver.clean_up(DNS)
    assert seen.read_text() == "record-17\nnone\n"


def test_standard_input_is_empty_and_the_folder_is_no_ones(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    Hook({"command": [script(tmp_path, f"cat > {seen}; pwd >> {seen}")]}).present(DNS)
    assert seen.read_text() == "/\n"


def test_a_failing_hook_is_told_with_its_exit_code_and_its_last_words(tmp_path: Path) -> None:
    command = script(tmp_path, "printf 'first\\n\\033]0;evil\\007'; echo no such zone >&2; exit 3")
    error = failure(Hook({"command": [command, "--zone", "x"]}))
    assert error.code == "solver-hook-failed"
    assert error.params["command"] == f"{command} --zone x"
    assert (error.params["exit"], error.params["verb"], error.params["name"]) == (3, "present", "example.jp")
    assert error.params["output"] == "first ]0;evilno such zone"


def test_a_flood_of_output_is_read_to_its_end_and_only_that_is_told(tmp_path: Path) -> None:
    error = failure(Hook({"command": [script(tmp_path, "head -c 3000000 /dev/zero | tr '\\0' x; echo end; exit 1")]}))
    output = str(error.params["output"])
    assert output.endswith("xxxend")
    assert len(output) <= 500


def test_the_proof_itself_stays_out_of_the_error(tmp_path: Path) -> None:
    error = failure(Hook({"command": [script(tmp_path, "env; exit 1")]}))
    assert DNS.content not in str(error)
    assert DNS.token not in str(error)


def test_a_hook_that_died_of_a_signal_is_told_as_shells_do(tmp_path: Path) -> None:
    assert failure(Hook({"command": [script(tmp_path, "kill -TERM $$")]})).params["exit"] == 128 + signal.SIGTERM


def test_a_hook_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    children = tmp_path / "child"
    begun = time.monotonic()
    error = failure(Hook({"command": [script(tmp_path, f"sleep 60 & echo $! > {children}; wait")], "timeout": 1}))
    assert time.monotonic() - begun < 10
    assert (error.code, error.params["timeout"]) == ("solver-hook-timeout", 1)
    child = int(children.read_text())
    assert _gone(child)


def test_a_hook_that_talks_for_ever_is_stopped_in_time(tmp_path: Path) -> None:
    error = failure(Hook({"command": [script(tmp_path, "exec yes")], "timeout": 1}))
    assert error.code == "solver-hook-timeout"


def test_a_server_that_the_hook_leaves_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    children = tmp_path / "child"
    solver = Hook({"command": [script(tmp_path, f"sleep 60 & echo $! > {children}; echo up")], "timeout": 30})
    begun = time.monotonic()
    solver.present(DNS)
    assert time.monotonic() - begun < 10
    child = int(children.read_text())
    assert not _gone(child, patience=0)
    os.kill(child, signal.SIGKILL)


def test_a_hook_that_closes_its_output_and_goes_on_is_waited_for(tmp_path: Path) -> None:
    done = tmp_path / "done"
    Hook({"command": [script(tmp_path, f"exec >&- 2>&-; sleep 0.3; : > {done}")]}).present(DNS)
    assert done.exists()


def test_a_hook_that_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    error = failure(Hook({"command": [str(tmp_path / "none")]}))
    assert (error.code, error.params["reason"]) == ("solver-hook-missing", "No such file or directory")


def test_a_hook_that_is_not_executable_is_told_as_that(tmp_path: Path) -> None:
    Path(script(tmp_path, "")).chmod(0o644)
    error = failure(Hook({"command": [str(tmp_path / "hook")]}))
    assert (error.code, error.params["reason"]) == ("solver-hook-missing", "Permission denied")


def test_clean_up_fails_loudly_too(tmp_path: Path) -> None:
    with pytest.raises(ChallengeFailed, match="clean-up"):
        Hook({"command": [script(tmp_path, "exit 1")]}).clean_up(DNS)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"command": []}, "solver-hook-no-command"),
        ({"command": [""]}, "solver-hook-no-command"),
        ({"command": ["x"], "challenge": "tls-alpn-01"}, "solver-hook-challenge"),
        ({"command": ["x"], "timeout": 0}, "solver-hook-timeout-unusable"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], code: str) -> None:
    with pytest.raises(ChallengeFailed) as failed:
        Hook(settings)
    assert failed.value.code == code


def _gone(pid: int, patience: float = 5) -> bool:
    until = time.monotonic() + patience
    while True:
        with suppress(FileNotFoundError, ProcessLookupError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z":
                if time.monotonic() >= until:
                    return False
                continue
        return True
