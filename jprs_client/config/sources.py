"""The files themselves: read, decoded, parsed, and laid over each other. What they mean is `reading`'s work."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jprs_client.config.lines import KeyPath
from jprs_client.config.problems import Place, Problems
from jprs_client.errors import ConfigError, ConfigProblem, harmless

#: Far more than 10,000 usage FQDNs need; keeps a wrong path from filling the memory.
MAX_FILE_BYTES = 16 * 1024 * 1024

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a key holds, as TOML gives it, and where."""

    value: object
    place: Place


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table whose values nobody has looked at. `entries` of a section may come from several files."""

    place: Place
    entries: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Shape:
    """The top-level names: `[section]`, `[[array]]`, and `[plugins.NAME]`."""

    sections: frozenset[str]
    arrays: frozenset[str]
    plugins: frozenset[str]


@dataclass(slots=True)
class Merged:
    """All files together: sections by name, arrays of tables by name, tables of plugins by kind and name."""

    sections: dict[str, dict[str, Entry]] = field(default_factory=dict)
    arrays: dict[str, list[RawTable]] = field(default_factory=dict)
    plugins: dict[str, dict[str, RawTable]] = field(default_factory=dict)


def conf_d(path: Path) -> list[Path]:
    """`conf.d/*.toml` beside the file at `path`, in the order of names; hidden files are an editor's business."""
    folder = path.parent / "conf.d"
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".toml" and not file.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise _refused("config-file-unreadable", folder, None, detail=problem.strerror) from problem
    return files


def read(path: Path) -> tuple[str, dict[str, object]]:
    """The text of a file and its top-level tables. Raises ConfigError with the one thing that makes it unreadable."""
    content = _content(path)
    if content.startswith(_BYTE_ORDER_MARKS):
        raise _refused("config-file-has-byte-order-mark", path, 1)
    try:
        text = content.decode()
    except UnicodeDecodeError as problem:
        raise _refused("config-file-not-utf8", path, content.count(b"\n", 0, problem.start) + 1) from problem
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        said = str(problem)
        match = _TOML_LINE.search(said)
        line = int(match[1]) if match else len(text.splitlines()) or 1
        detail = harmless(_TOML_LINE.sub("", said).strip(), 200)
        raise _refused("config-syntax", path, line, detail=detail) from None
    except (RecursionError, ValueError):  # nested a thousand deep, or a number of thousands of digits
        raise _refused("config-file-unreasonable", path, None) from None


def merge(tops: Mapping[Path, Mapping[str, object]], shape: Shape, problems: Problems) -> Merged:
    """The files' tables added up. Top-level names that are not in `shape` are left out."""
    merged = Merged()
    for file, top in tops.items():
        for name, value in top.items():
            place = Place(file, (name,))
            if name in shape.sections:
                _merge_section(merged.sections.setdefault(name, {}), value, place, problems)
            elif name in shape.arrays:
                _merge_array(merged.arrays.setdefault(name, []), value, place, problems)
            elif name in shape.plugins:
                _merge_plugins(merged.plugins.setdefault(name, {}), value, place, problems)
    return merged


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as problem:
        raise _refused("config-file-missing", path, None) from problem
    except IsADirectoryError as problem:
        raise _refused("config-file-is-a-directory", path, None) from problem
    except (OSError, ValueError) as problem:  # ValueError: a zero byte in the path
        detail = problem.strerror if isinstance(problem, OSError) else "EINVAL"
        raise _refused("config-file-unreadable", path, None, detail=detail) from problem
    if len(content) > MAX_FILE_BYTES:
        raise _refused("config-file-unreasonable", path, None)
    return content


def _merge_section(into: dict[str, Entry], value: object, place: Place, problems: Problems) -> None:
    if not isinstance(value, dict):
        problems.wrong(place, value, f"[{place.key}]")
        return
    for key, inner in value.items():
        here = place.at(key)
        if key in into:
            problems.add("config-key-twice", here, other=into[key].place)
        else:
            into[key] = Entry(inner, here)


def _merge_array(into: list[RawTable], value: object, place: Place, problems: Problems) -> None:
    if not isinstance(value, list):
        problems.wrong(place, value, f"[[{place.key}]]")
        return
    for index, table in enumerate(value):
        here = place.at(index)
        if isinstance(table, dict):
            into.append(raw_table(table, here))
        else:
            problems.wrong(here, table, f"[[{place.key}]]")


def _merge_plugins(into: dict[str, RawTable], value: object, place: Place, problems: Problems) -> None:
    if not isinstance(value, dict):
        problems.wrong(place, value, f"[{place.key}.NAME]")
        return
    for name, table in value.items():
        here = place.at(name)
        if not isinstance(table, dict):
            problems.wrong(here, table, f"[{here.key}]")
        elif name in into:
            problems.add("config-key-twice", here, other=into[name].place)
        else:
            into[name] = raw_table(table, here)


def raw_table(table: Mapping[str, object], place: Place) -> RawTable:
    """`table` with the place of each key."""
    file, path = place.file, place.path
    return RawTable(place, {key: Entry(value, Place(file, (*path, key))) for key, value in table.items()})


def line_of_header(text: str, path: KeyPath) -> int | None:
    """The line of a plain `[solver.NAME]`, by a quick look; None where it is written in another way."""
    kind, name = (re.escape(str(step)) for step in path)
    match = re.search(rf"""^[ \t]*\[[ \t]*{kind}[ \t]*\.[ \t]*["']?{name}["']?[ \t]*\]""", text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else None


def _refused(code: str, path: Path, line: int | None, **params: object) -> ConfigError:
    return ConfigError([ConfigProblem(code, file=str(path), line=line, key=None, **params)])
