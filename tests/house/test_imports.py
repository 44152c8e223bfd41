"""Who may know whom (the floor plan): doors above, terms below, neighbours meet in `app`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import CLIENT, HOUSE, place, room, trees

#: From the ground up. A room knows itself and the floors below its own, nothing beside it and nothing above it.
FLOORS = (
    {"errors", "places", "version"},
    {"clock", "files", "keys", "locale", "plugin", "steps", "systemd"},
    {"terms"},
    {"config", "credentials"},
    {"planning", "registry"},
    {"ca", "challenges", "install", "observe", "store"},
    {"issuance", "registration", "service"},
    {"execute"},
    {"app"},
    {"notices"},
    {"daemon"},
    {"cli", "demo"},
)

#: Rooms that know less than their floor would let them.
ONLY = {
    "terms": {"errors"},
    "planning": {"config", "errors", "keys", "terms"},
    "locale": {"errors"},
    "jprs_plugins": {"errors", "plugin"},
    "testca": {"version"},  # a number, and nothing that both sides could misread alike
}

#: What deciding needs from outside: nothing that can look or do.
PURE = {"idna", "publicsuffixlist"}
IMPURE = {
    "asyncio", "concurrent", "http", "multiprocessing", "os", "random", "secrets", "select", "shutil", "signal",
    "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip


def _floor(name: str) -> int:
    return next(number for number, floor in enumerate(FLOORS) if name in floor)


def _rooms() -> set[str]:
    names = {path.stem if path.is_file() else path.name for path in CLIENT.iterdir() if not path.name.startswith("_")}
    return names - {"py"}


def _imports(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Every import, inside functions and under TYPE_CHECKING too, as dotted names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node, name.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports here are absolute"
            for name in node.names:
                yield node, f"{node.module}.{name.name}"


def _our_room(dotted: str) -> str | None:
    """The room an import leads to; `errors` for `jprs_client.errors.harmless`."""
    package, _, rest = dotted.partition(".")
    if package == "jprs_plugins":
        return package
    if package != "jprs_client":
        return None
    first = rest.partition(".")[0]
    return "version" if first == "__version__" else first


@pytest.mark.parametrize("file", trees(), ids=lambda file: str(file.relative_to(HOUSE)))
def test_a_room_knows_only_what_lies_below_it(file: Path) -> None:
    home = room(file)
    if home == "__init__":
        home = "version"
    for node, dotted in _imports(trees()[file]):
        other = _our_room(dotted)
        if other is None or other == home:
            continue
        if home in ONLY:
            assert other in ONLY[home], f"{place(file, node)}: {home} may not know {other}"
        else:
            assert _floor(other) < _floor(home), f"{place(file, node)}: {home} may not know {other}"


def test_every_room_has_its_floor() -> None:
    assert _rooms() - {"py.typed"} <= set().union(*FLOORS) | {"testca"}


@pytest.mark.parametrize("name", ["acme", "josepy"])
def test_only_ca_speaks_acme_with_somebody_elses_words(name: str) -> None:
    for file, tree in trees().items():
        if room(file) != "ca":
            assert not [place(file, node) for node, dotted in _imports(tree) if dotted.partition(".")[0] == name]


@pytest.mark.parametrize("home", ["terms", "planning"])
def test_deciding_can_neither_look_nor_do(home: str) -> None:
    for file, tree in trees().items():
        if room(file) != home:
            continue
        for node, dotted in _imports(tree):
            package = dotted.partition(".")[0]
            known = package in sys.stdlib_module_names or package in PURE or package == "jprs_client"
            assert known and package not in IMPURE, f"{place(file, node)}: {dotted}"
