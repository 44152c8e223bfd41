"""What never stands in this house, however short the night (THREATS D17, D24)."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.house.source import CLIENT, HOUSE, called, place, room, trees

#: Where a clock is read and waiting is done, for the client and for the bundled CA.
CLOCKS = {CLIENT / "clock.py", CLIENT / "testca" / "clock.py"}

FORBIDDEN_IMPORTS = {"marshal", "pickle", "shelve", "telnetlib", "dill", "jsonpickle"}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "mktemp",
    "system",
    "popen",
    "utcnow",
    "utcfromtimestamp",
    "full_load",
    "unsafe_load",
}
ONLY_IN_CLOCKS = {("datetime", "now"), ("datetime", "today"), ("date", "today"), ("time", "sleep"), ("time", "time")}

BROAD = {"Exception", "BaseException"}

#: Two words put together here, so that this page does not find itself.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
OUR_MACHINE = re.compile(
    "|".join(["/wo" + "rk/", r"/ro" + r"ot/\.", "/opt/py" + "pi", "/opt/wh" + "eels", "/home/[a-z]+/"])
)


def _texts() -> list[Path]:
    """Everything people read in the repository, and nothing that tools leave there."""
    kinds = {".py", ".md", ".toml", ".sh", ".yml", ".yaml", ".json", ".service", ".timer", ".html", ".txt", ".cfg"}
    found = [path for path in HOUSE.iterdir() if path.is_file() and (path.suffix in kinds or path.name == "Makefile")]
    for folder in ("ansible", "changelog.d", "docs", "jprs_client", "plugins", "tests", ".ci"):
        found += [path for path in (HOUSE / folder).rglob("*") if path.is_file() and path.suffix in {*kinds, ""}]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def test_no_call_is_forbidden() -> None:
    found = []
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            keywords = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
            if keywords.get("shell") is True or keywords.get("verify") is False:
                found.append(place(file, node))
            if called(node) in FORBIDDEN_CALLS and not _is_ours(node):
                found.append(place(file, node))
    assert found == []


def _is_ours(node: ast.Call) -> bool:
    """`re.compile` is no `compile`; a method of ours may be called as it likes."""
    return (
        isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "self"
    )


def test_no_import_is_forbidden() -> None:
    found = []
    for file, tree in trees().items():
        for node in ast.walk(tree):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            if {name.partition(".")[0] for name in names} & FORBIDDEN_IMPORTS:
                found.append(place(file, node))
    assert found == []


def test_time_is_asked_for_in_one_place() -> None:
    found = []
    for file, tree in trees().items():
        if file in CLOCKS:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if (node.value.id, node.attr) in ONLY_IN_CLOCKS:
                    found.append(place(file, node))
            elif isinstance(node, ast.ImportFrom) and node.module == "time":
                found += [place(file, node) for name in node.names if name.name in {"sleep", "time"}]
    assert found == []


def test_no_test_waits_by_sleeping() -> None:
    """Helpers poll a process until it answers; a test has a clock that is set."""
    found = []
    for file in (HOUSE / "tests").rglob("test_*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found += [
            place(file, node)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr == "sleep" and isinstance(node.value, ast.Name)
            if node.value.id == "time"
        ]
    assert found == []


def test_nothing_unforeseen_is_swallowed() -> None:
    """What catches everything hands it on, or says at once why not."""
    found = []
    for file, tree in trees().items():
        lines = file.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and (node.type is None or getattr(node.type, "id", "") in BROAD):
                handed_on = any(isinstance(inside, ast.Raise) for inside in ast.walk(node))
                said = any("#" in line for line in lines[node.lineno - 1 : node.body[0].lineno])
                if node.type is None or not (handed_on or said):
                    found.append(place(file, node))
    assert found == []


def test_nothing_is_left_for_later() -> None:
    found = []
    for file in sorted([*trees(), *(HOUSE / "tests").rglob("*.py")]):
        for token in tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline):
            if token.type in {tokenize.COMMENT, tokenize.STRING} and UNFINISHED.search(token.string):
                found.append(f"{file.relative_to(HOUSE)}:{token.start[0]}")
    assert found == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    found = []
    for file in _texts():
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if OUR_MACHINE.search(line):
                found.append(f"{file.relative_to(HOUSE)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_what_is_printed_goes_through_the_screen() -> None:
    """A bare `print` reaches a terminal without being made harmless (THREATS D6)."""
    found = [
        place(file, node)
        for file, tree in trees().items()
        if room(file) != "testca"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []


@pytest.mark.parametrize("word", ["--insecure", "--eab-hmac-key", "--hmac", "--password", "--no-verify"])
def test_no_option_takes_a_secret_or_turns_a_check_off(word: str) -> None:
    """THREATS D13, D37: argv is readable by everybody on the host."""
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value != word, place(file, node)
