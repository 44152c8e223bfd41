"""Everything that is wrong with the files, collected while reading goes on, each thing with its place.

Nothing here shows what a key holds that may be a secret: a table or list is shown as `{…}` or `[…]`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path

from jprs_client.config.lines import KeyPath, line_numbers, line_of
from jprs_client.errors import ConfigError, ConfigProblem, harmless

#: So often a near name is looked for among many (as many usage FQDNs as there are); then it would take too long.
_LONG_SEARCHES = 20
_MANY_NAMES = 200

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


@dataclass(slots=True)
class Problems:
    """What was found so far. `texts` has the files read, in order; lines are looked up at the very end."""

    texts: dict[Path, str] = field(default_factory=dict)
    _found: list[tuple[str, Place, dict[str, object]]] = field(default_factory=list)
    _long_searches: int = _LONG_SEARCHES

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

    def unknown(self, code: str, place: Place, word: str, known: Collection[str], **params: object) -> None:
        """`word` is none of `known`; `nearest` is the one it may have been meant for, or None."""
        self.add(code, place, expected=_listed(known), nearest=self._nearest(word, known), **params)

    def raise_if_any(self) -> None:
        """Raise ConfigError with every problem, in the order of files and lines."""
        if self._found:
            raise ConfigError(self._located())

    def _nearest(self, word: str, known: Collection[str]) -> str | None:
        if len(known) > _MANY_NAMES:
            if not self._long_searches:
                return None
            self._long_searches -= 1
        import difflib

        close = difflib.get_close_matches(word[:300].lower(), known, n=1)
        return close[0] if close else None

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


def _listed(known: Collection[str]) -> str:
    """At most twenty of them, for a person to choose from."""
    names = sorted(known)
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "") if names else "–"


def _located_text(value: object, lines: Mapping[Path, Mapping[KeyPath, int]]) -> object:
    if not isinstance(value, Place):
        return value
    line = line_of(lines.get(value.file, {}), value.path)
    return str(value.file) if line is None else f"{value.file}:{line}"
