"""Every sentence a person reads is there twice, and nothing that a person should hear has no sentence."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import import_module

import click
import pytest

import jprs_client.errors
from jprs_client.cli.main import COMMANDS
from jprs_client.cli.words import COMMON, PROGRAM, Argument, Group, Option
from jprs_client.errors import CaUnavailable, JprsClientError
from jprs_client.locale import LANGUAGES, ROOMS, Speech, SpeechMissing, language_from, span_text
from tests.house.source import CLIENT, called, place, room, strings, trees

ENGLISH: dict[str, str] = {}
JAPANESE: dict[str, str] = {}
for _room in ROOMS:
    _module = import_module(f"jprs_client.locale.{_room}")
    ENGLISH |= _module.EN
    JAPANESE |= _module.JA

JAPANESE_TEXT = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")

#: Sentences that are the same in both languages: only a name, a value or a sign.
NEEDS_NO_JAPANESE = re.compile(r"[\W\d_]*(\{\w+\}[\W\d_]*)*")

ERRORS = {
    name
    for name, value in vars(jprs_client.errors).items()
    if isinstance(value, type) and issubclass(value, JprsClientError)
} - {"ConfigError", "JprsClientError"} | {"ConfigProblem"}


def _placeholders(sentence: str) -> set[str]:
    return {name.partition(".")[0] for _, name, _, _ in string.Formatter().parse(sentence) if name}


def _base(key: str) -> str:
    """The key without its `.no-PARAMETER`."""
    return re.sub(r"(\..+)\.no-[a-z_]+$", r"\1", key)


# -- the two languages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_says_the_same_in_both_languages(name: str) -> None:
    module = import_module(f"jprs_client.locale.{name}")

    assert module.EN.keys() == module.JA.keys()
    for key in module.EN:
        assert _placeholders(module.EN[key]) == _placeholders(module.JA[key]), key


def test_every_room_that_has_sentences_is_listed() -> None:
    assert {file.stem for file in (CLIENT / "locale").glob("*.py")} - {"__init__"} == set(ROOMS)


def test_no_two_rooms_have_a_sentence_under_the_same_key() -> None:
    seen: dict[str, str] = {}
    for name in ROOMS:
        for key in import_module(f"jprs_client.locale.{name}").EN:
            assert key not in seen, f"{key} is in {seen[key]} and in {name}"
            seen[key] = name


def test_japanese_sentences_are_japanese_and_english_ones_are_not() -> None:
    wrong = [key for key, text in JAPANESE.items() if not JAPANESE_TEXT.search(text)]
    wrong = [key for key in wrong if not NEEDS_NO_JAPANESE.fullmatch(JAPANESE[key]) and JAPANESE[key] != ENGLISH[key]]
    same = [key for key, text in JAPANESE.items() if text == ENGLISH[key] and re.search(r"[a-z]{3} [a-z]{3}", text)]

    assert wrong == []
    assert same == []
    assert [key for key, text in ENGLISH.items() if JAPANESE_TEXT.search(text)] == []


def test_no_sentence_has_a_character_that_does_not_show() -> None:
    for language in (ENGLISH, JAPANESE):
        for key, text in language.items():
            assert text == text.strip() or key.startswith("word."), key  # a word may stand before another
            assert all(character.isprintable() or character == "\n" for character in text), key


# -- what the code says and the sentences there are -------------------------------------------------------------------


@cache
def _codes() -> dict[str, str]:
    """Every error code that can be read off the source, and a place where it is raised.

    A function whose parameter `code` ends up in an error of ours counts like the error itself.
    """
    raisers = set(ERRORS)
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and _first_parameter(node) == "code":
                made = [call for call in ast.walk(node) if isinstance(call, ast.Call) and called(call) in ERRORS]
                if any(call.args and getattr(call.args[0], "id", None) == "code" for call in made):
                    raisers.add(node.name)
    found = {}
    for file, tree in trees().items():
        if room(file) == "testca":
            continue
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            if called(node) in raisers or (file.name == "errors.py" and called(node) == "__init__"):
                found.update({code: place(file, node) for code in strings(node.args[0])})
    return {code: where for code, where in found.items() if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)}


def _first_parameter(node: ast.FunctionDef) -> str | None:
    names = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args] if argument.arg != "self"]
    return names[0] if names else None


def _made(class_name: str) -> Iterator[tuple[str, str]]:
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) == class_name and node.args and room(file) != "testca":
                for code in strings(node.args[0]):
                    yield code, place(file, node)


def test_error_codes_are_found_in_the_source() -> None:
    assert len(_codes()) > 60


def test_every_error_says_what_happened_and_what_to_do_now() -> None:
    missing = [
        f"{kind}.{code} ({where})" for code, where in _codes().items() for kind in ("error", "next")
        if f"{kind}.{code}" not in ENGLISH
    ]  # fmt: skip

    assert missing == []


def test_no_error_sentence_is_left_that_nobody_can_hear() -> None:
    """Some codes are put together: `config-` and a name's code, `ca-` and a problem type; their parts are strings."""
    literals = {
        node.value
        for file, tree in trees().items()
        if room(file) != "locale"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    codes = {_base(key).partition(".")[2] for key in ENGLISH if key.startswith(("error.", "next."))}
    unheard = [
        code
        for code in codes
        if code not in literals
        and not any(code.startswith(part) for part in literals if re.fullmatch(r"[a-z-]+-", part))
    ]

    assert sorted(unheard) == []


@pytest.mark.parametrize(("class_name", "kinds"), [("Why", ["reason"]), ("Problem", ["problem", "remedy"])])
def test_every_reason_and_problem_of_a_plan_has_its_sentences(class_name: str, kinds: list[str]) -> None:
    found = list(_made(class_name))

    assert found
    assert [f"{kind}.{code} ({at})" for code, at in found for kind in kinds if f"{kind}.{code}" not in ENGLISH] == []


def test_every_progress_of_a_run_has_its_sentence() -> None:
    found = [*_made("_progress"), *_made("progress"), *_made("doing")]

    assert found
    assert [f"{code} ({at})" for code, at in found if f"progress.{code}" not in ENGLISH] == []


def test_every_key_that_is_said_has_its_sentence() -> None:
    missing = []
    for file, tree in trees().items():
        if room(file) != "cli":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) in {"say", "tell", "note", "ask", "ask_hidden", "confirm"}:
                keys = [key for argument in node.args for key in strings(argument)]
                missing += [f"{key} ({place(file, node)})" for key in keys if "." in key and key not in ENGLISH]
    assert missing == []


def test_a_sentence_without_a_parameter_does_not_use_it() -> None:
    """`KEY.no-X` is said where X is None or empty."""
    for key, text in ENGLISH.items():
        if _base(key) != key:
            assert _base(key) in ENGLISH, key
            assert key.rpartition(".no-")[2] not in _placeholders(text), key


# -- help -------------------------------------------------------------------------------------------------------------


def _commands(group: Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield f"{path}{name}", command
        if isinstance(command, Group):
            yield from _commands(command, f"{path}{name}.")


def test_every_command_and_option_has_its_help() -> None:
    wanted = {"help.program"} | {f"help.common.{option.spoken}" for option in COMMON}
    for path, command in _commands(Group(PROGRAM, COMMANDS)):
        assert command.name == path.rpartition(".")[2]
        wanted.add(f"help.{path}")
        for param in command.params:
            assert isinstance(param, Option | Argument), f"{path}: use words.option and words.argument"
            wanted.add(param.help_key_under(path))

    assert sorted(wanted - ENGLISH.keys()) == []
    assert sorted(key for key in ENGLISH if key.startswith("help.") and key not in wanted) == []


# -- speaking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "environ", "language"),
    [
        ("", {}, "en"),
        ("plan", {"LANG": "ja_JP.UTF-8"}, "ja"),
        ("plan", {"LANG": "C.UTF-8"}, "en"),
        ("plan", {"LC_ALL": "C", "LANG": "ja_JP.UTF-8"}, "en"),
        ("plan", {"LC_MESSAGES": "ja_JP.eucJP", "LANG": "en_US.UTF-8"}, "ja"),
        ("plan", {"JPRS_CLIENT_LANG": "ja", "LC_ALL": "C"}, "ja"),
        ("plan", {"JPRS_CLIENT_LANG": "", "LANG": "ja"}, "ja"),
        ("--lang ja plan", {}, "ja"),
        ("plan --lang=ja", {}, "ja"),
        ("plan --lang en", {"LANG": "ja_JP.UTF-8"}, "en"),
        ("plan --lang", {"LANG": "ja_JP.UTF-8"}, "ja"),
        ("plan --lang fr", {"LANG": "ja_JP.UTF-8"}, "ja"),
        ("plan -- --lang ja", {}, "en"),
        ("--language=ja", {}, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_environments(
    argv: str, environ: dict[str, str], language: str
) -> None:
    assert language_from(argv.split(), environ) == language


def test_a_sentence_nobody_wrote_fails_our_tests() -> None:
    with pytest.raises(SpeechMissing):
        Speech("ja").say("error.no-such-code", name="example.jp")


@pytest.mark.filterwarnings("ignore::jprs_client.locale.SpeechMissing")
def test_a_person_hears_something_all_the_same() -> None:
    assert Speech("ja").say("error.no-such-code", name="example.jp") == "no-such-code name=example.jp"
    assert Speech("ja").say("error.bad-choice") == "bad-choice"


def test_what_comes_from_outside_cannot_steer_a_terminal() -> None:
    said = Speech("en").say("error.no-such-command", given="\x1b]0;x\x07a\u202eb\r\nINFO renewed OK")

    assert said == "There is no command ]0;xab INFO renewed OK."


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_value_the_sentence_is_another(language: str) -> None:
    with_value = Speech("en").say("next.no-such-command", given="pln", nearest="plan", command="jprs-client")
    without = Speech("en").say("next.no-such-command", given="pln", nearest=None, command="jprs-client")

    assert "plan" in with_value
    assert without == "`jprs-client --help` lists the commands."


def test_moments_in_errors_are_told_in_japans_time() -> None:
    error = CaUnavailable("ca-busy", retry_at=datetime(2026, 11, 22, 3, 0, tzinfo=UTC))

    class Overheard(Speech):
        def say(self, key: str, /, **params: object) -> str:
            return f"{key} {params}"

    message, _ = Overheard("en").error_sentence(error)
    assert message == "error.ca-busy {'retry_at': datetime.datetime(2026, 11, 22, 3, 0, tzinfo=datetime.timezone.utc)}"


def test_values_read_naturally_inside_a_sentence() -> None:
    def said(value: object) -> str:
        return Speech("en").say("error.no-such-command", given=value).removeprefix("There is no command ")

    assert said(datetime(2026, 11, 22, 3, 0, tzinfo=UTC)) == "2026-11-22 12:00 JST."
    assert said(date(2026, 11, 30)) == "2026-11-30."
    assert said({"b.jp", "a.jp"}) == "a.jp, b.jp."
    assert said(["b.jp", "a.jp"]) == "b.jp, a.jp."
    assert said(timedelta(days=2, hours=4, minutes=1)) == "2d 4h."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (90, "90s"), (120, "2m"), (1800, "30m"), (14400, "4h"), (90061, "1d 1h"), (-300, "-5m")],
)
def test_a_span_is_shown_as_it_may_be_typed(seconds: int, text: str) -> None:
    assert span_text(timedelta(seconds=seconds)) == text


def test_every_command_that_a_sentence_names_is_there() -> None:
    """Whoever follows a remedy must not be told that there is no such command."""
    named = re.compile(r"[`“「]jprs-client (?:--[a-z-]+ \S+ )*([a-z][a-z-]+)")
    found = {
        (key, command)
        for language in (ENGLISH, JAPANESE)
        for key, text in language.items()
        for command in named.findall(text)
    }
    assert len(found) > 50
    assert sorted((key, command) for key, command in found if command not in COMMANDS) == []
