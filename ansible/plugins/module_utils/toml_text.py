# Copyright: The jprs-client authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""TOML, written: as much of it as the program's configuration has, and nothing that would be read as something else.

The managed host's Python may be too old to bring a reader, and none brings a writer.
"""

from __future__ import annotations

import json
import math
import re

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Day(str):
    """A date as `YYYY-MM-DD`, to be written without quotes."""

    __slots__ = ()

    def __new__(cls, text):
        """Raises ValueError for what is no such date."""
        if not isinstance(text, str) or not _DAY.fullmatch(text):
            raise ValueError(f"a date is written as YYYY-MM-DD, not {text!r}")
        return super().__new__(cls, text)


def toml_text(tables):
    """`tables` as a TOML document: `[section]`, `[kind.NAME]`, `[[array]]`. What is None is left out.

    Raises ValueError for a value that TOML has no word for.
    """
    blocks = []
    plain = {key: value for key, value in tables.items() if not _is_table(value) and not _is_array(value)}
    if plain:
        blocks.append(_lines(plain))
    for key, value in tables.items():
        if _is_array(value):
            blocks += [[f"[[{_key(key)}]]", *_lines(table)] for table in value]
        elif _is_table(value) and value and all(_is_table(inner) for inner in value.values()):
            blocks += [[f"[{_key(key)}.{_key(name)}]", *_lines(inner)] for name, inner in value.items()]
        elif _is_table(value):
            blocks.append([f"[{_key(key)}]", *_lines(value)])
    return "\n".join("\n".join(block) + "\n" for block in blocks)


def _is_table(value):
    return isinstance(value, dict)


def _is_array(value):
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _lines(table):
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items() if value is not None]


def _key(key):
    if not isinstance(key, str):
        raise ValueError(f"a key is a string, not {key!r}")  # noqa: TRY004 - one kind of error for whoever asks
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Day):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items() if each is not None)
        return "{ " + inner + " }" if inner else "{}"
    raise ValueError(f"TOML has no word for {value!r}")


def _string(text):
    """A basic string. JSON's escapes are TOML's, but for DEL, which TOML wants escaped as well."""
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise ValueError(f"{text!r} is not UTF-8") from problem
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007F")
