"""Everything that is wrong with the files, collected while reading goes on, each thing with its place.

Nothing here shows what a key holds that may be a secret: a table or list is shown as `{…}` or `[…]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path

from jprs_client.config.lines import KeyPath, line_numbers, line_of
from jprs_client.errors import ConfigError, ConfigProblem, harmless

#: So often a near name is looked for among many (as many usage FQDNs as there are); then it would take too long.
_LONG_SEARCHES = 5
_MANY_WORDS = 200

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A key, a table or an element of a list in one of the files."""

    file: Path
    path: KeyPath = ()

    def at(self, *steps: str | int) -> Place:
        """A place further down."""
        return Place(self.file, self.path + steps)

    @property
    def key(self) -> str | None:
        """As people write it: `usage_fqdn[2].term` for the second table. None for the file itself."""
        shown = ""
        for step in self.path:
            if isinstance(step, int):
                shown += f"[{step + 1}]"
            else:
                part = harmless(step, 80)
                shown += "." + (part if _BARE_KEY.fullmatch(part) else f'"{part}"')
        return shown.removeprefix(".") or None


class Choices:
    """The words that may stand at a place, for a person to choose from, and the nearest one to a word that may not."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted(set(words))
        self._nearest: dict[str, str | None] = {}  # the same mistake is often made in every table
        self._searches = _LONG_SEARCHES if len(self.words) > _MANY_WORDS else None

    def __contains__(self, word: object) -> bool:
        return word in self.words

    @property
    def listed(self) -> str:
        """The words, at most twenty of them."""
        return ", ".join(self.words[:20]) + (", …" if len(self.words) > 20 else "") if self.words else "–"

    def nearest(self, word: str) -> str | None:
        """The one that `word` may have been meant for, None where none is near."""
        if word not in self._nearest:
            self._nearest[word] = self._search(word)
        return self._nearest[word]

    def _search(self, word: str) -> str | None:
        if self._searches is not None:
            if self._searches == 0:
                return None
            self._searches -= 1
        import difflib

        close = difflib.get_close_matches(word[:300].lower(), self.words, n=1)
        return close[0] if close else None


@dataclass(slots=True)
class Problems:
    """What was found so far. `texts` has the files read, in order; lines are looked up at the very end."""

    texts: dict[Path, str] = field(default_factory=dict)
    _found: list[tuple[str, Place, dict[str, object]]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._found)

    def add(self, code: str, place: Place, **params: object) -> None:
        """Note a problem. A parameter may be a Place: it is shown as FILE:LINE."""
        self._found.append((code, place, params))

    def wrong(self, place: Place, value: object, expected: str) -> None:
        """`value` is not what may stand at `place`; `expected` is written as TOML would have it."""
        self.add("config-wrong-value", place, expected=expected, found=shown(value))

    def unknown(self, code: str, place: Place, word: str, known: Choices, **params: object) -> None:
        """`word` is none of `known`; `nearest` is the one it may have been meant for, or None."""
        self.add(code, place, expected=known.listed, nearest=known.nearest(word), **params)

    def raise_if_any(self) -> None:
        """Raise ConfigError with every problem, in the order of files and lines."""
        if self._found:
            raise ConfigError(self._located())

    def _located(self) -> list[ConfigProblem]:
        places = (value for _, place, params in self._found for value in (place, *params.values()))
        wanted = {value.file for value in places if isinstance(value, Place)}
        lines = {file: line_numbers(text) for file, text in self.texts.items() if file in wanted}
        order = {file: number for number, file in enumerate(self.texts)}
        located = []
        for code, place, params in self._found:
            shown_params = {name: _located_text(value, lines) for name, value in params.items()}
            line = line_of(lines.get(place.file, {}), place.path)
            problem = ConfigProblem(code, file=str(place.file), line=line, key=place.key, **shown_params)
            located.append((order.get(place.file, 0), line or 0, problem))
        return [problem for _, _, problem in sorted(located, key=lambda entry: entry[:2])]


def shown(value: object) -> str:
    """A TOML value as it may be told to a person: short, harmless, without the contents of tables and lists."""
    if isinstance(value, str):
        return f'"{harmless(value, 60)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):  # str() refuses a number of thousands of digits, which TOML can write in hexadecimal
        return str(value) if abs(value) < 10**18 else f"{'-' if value < 0 else ''}{hex(abs(value))[:18]}…"
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return "[…]" if value else "[]"
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _located_text(value: object, lines: Mapping[Path, Mapping[KeyPath, int]]) -> object:
    if not isinstance(value, Place):
        return value
    line = line_of(lines.get(value.file, {}), value.path)
    return str(value.file) if line is None else f"{value.file}:{line}"
