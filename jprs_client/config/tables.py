"""One table's keys turned into values, one method for each kind of value. What is wrong is noted; reading goes on.

A method gives its default where the key is absent or its value wrong: `load` raises in the end, so that nobody ever
sees a default in place of something wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import TypeVar

from jprs_client.config.problems import Choices, Place, Problems
from jprs_client.config.sources import Entry, RawTable
from jprs_client.config.values import Address
from jprs_client.errors import BadName
from jprs_client.terms.names import DnsName

E = TypeVar("E", bound=Enum)
T = TypeVar("T")

_SECRET_KEY = re.compile(
    r"(?:.*[_-])?(?:hmac|hmac[_-]?key|secret|password|passwd|passphrase|token|api[_-]?key|secret[_-]?key)"
)
_PRIVATE_KEY_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_ONLY_DIGITS = re.compile(r"[0-9.]+")


class Table:
    """The keys of one table. `known` are those it may have; each other one is noted at once."""

    def __init__(self, raw: RawTable, known: Choices, problems: Problems, elsewhere: Mapping[str, str]) -> None:
        self.place = raw.place
        self.problems = problems
        self._entries = raw.entries
        for key, entry in raw.entries.items():
            if key not in known:
                note_unknown(key, entry, known, problems, elsewhere)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def place_of(self, key: str) -> Place:
        """Where `key` stands, or would stand."""
        entry = self._entries.get(key)
        return self.place.at(key) if entry is None else entry.place

    def raw(self, key: str) -> Entry | None:
        """What TOML gave, None where the key is absent."""
        return self._entries.get(key)

    def missing(self, key: str, expected: str) -> None:
        """Note that a key which has no default is absent."""
        self.problems.add("config-key-missing", self.place.at(key), expected=expected)

    def text(self, key: str, expected: str = '"…"') -> str | None:
        """A string that is not empty."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if isinstance(entry.value, str) and entry.value.strip():
            return entry.value
        self.problems.wrong(entry.place, entry.value, expected)
        return None

    def boolean(self, key: str, *, default: bool) -> bool:
        """`true` or `false`, without quotes."""
        entry = self._entries.get(key)
        if entry is None:
            return default
        if isinstance(entry.value, bool):
            return entry.value
        self.problems.wrong(entry.place, entry.value, "true | false")
        return default

    def number(self, key: str, lowest: int, highest: int, default: int) -> int:
        """An integer from `lowest` to `highest`."""
        entry = self._entries.get(key)
        if entry is None:
            return default
        value = entry.value
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        self.problems.wrong(entry.place, value, f"{lowest} … {highest}")
        return default

    def choice(self, key: str, choices: Collection[str], default: str) -> str:
        """One of some words."""
        entry = self._entries.get(key)
        if entry is None or entry.value in tuple(choices):
            return default if entry is None else str(entry.value)
        expected = " | ".join(f'"{choice}"' for choice in choices)
        self.problems.wrong(entry.place, entry.value, expected)
        return default

    def member(self, key: str, kind: type[E], default: E) -> E:
        """A member of an enumeration whose values are the words of the file."""
        return kind(self.choice(key, [str(member.value) for member in kind], str(default.value)))

    def day(self, key: str) -> date | None:
        """A local date; one with a time of day is a fault of its own, since days are Japan's."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if isinstance(entry.value, datetime):
            self.problems.add("config-date-with-time", entry.place, found=entry.value.isoformat())
            return None
        if isinstance(entry.value, date):
            return entry.value
        self.problems.wrong(entry.place, entry.value, "2026-11-22")
        return None

    def path(self, key: str) -> Path | None:
        """A path; a relative one is relative to the file that it stands in."""
        entry = self._entries.get(key)
        return None if entry is None else path_in(entry.value, entry.place, self.problems)

    def each(self, key: str, expected: str) -> Iterator[tuple[str, Place]]:
        """The strings of a list, each with its place."""
        entry = self._entries.get(key)
        if entry is None:
            return
        if not isinstance(entry.value, list):
            self.problems.wrong(entry.place, entry.value, expected)
            return
        for index, value in enumerate(entry.value):
            if isinstance(value, str):
                yield value, entry.place.at(index)
            else:
                self.problems.wrong(entry.place.at(index), value, expected)

    def listed(self, key: str, expected: str, read: Callable[[str, Place], T | None]) -> tuple[T, ...]:
        """A list without repetitions, each element made by `read`, which notes what is wrong and gives None."""
        seen: dict[T, Place] = {}
        for text, place in self.each(key, expected):
            value = read(text, place)
            if value is None:
                continue
            if value in seen:
                self.problems.add("config-listed-twice", place, name=str(value), other=seen[value])
            else:
                seen[value] = place
        return tuple(seen)


def note_unknown(key: str, entry: Entry, known: Choices, problems: Problems, elsewhere: Mapping[str, str]) -> None:
    """Note a key that nobody reads; one that looks like a secret is told so instead, also deep inside.

    `elsewhere` tells for a key which table has one of that name.
    """
    before = problems.count
    note_secrets(key, entry.value, entry.place, problems)
    if problems.count > before:
        return
    if key in elsewhere:
        problems.add("config-unknown-key", entry.place, expected=known.listed, nearest=elsewhere[key])
    else:
        problems.unknown("config-unknown-key", entry.place, key, known)


def note_secrets(key: str, value: object, place: Place, problems: Problems) -> None:
    """Note each key at `place` or below whose name or value looks like a secret's: it belongs in a file of its own."""
    if looks_secret(key, value):
        problems.add("config-secret-in-file", place)
    elif isinstance(value, dict):
        for inner, held in value.items():
            note_secrets(inner, held, place.at(inner), problems)
    elif isinstance(value, list):
        for index, held in enumerate(value):
            note_secrets("", held, place.at(index), problems)


def looks_secret(key: str, value: object) -> bool:
    """Whether `key = value` seems to be a secret itself, rather than the name of a file with one."""
    if isinstance(value, str) and _PRIVATE_KEY_PEM.search(value):
        return True
    if isinstance(value, bool) or not isinstance(value, str | int | list):
        return False
    return _SECRET_KEY.fullmatch(key.lower()) is not None


def path_in(value: object, place: Place, problems: Problems) -> Path | None:
    """The absolute path that `value` means at `place`."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        problems.wrong(place, value, '"path/to/file"')
        return None
    return place.file.parent / value


def name_in(text: str, place: Place, problems: Problems) -> DnsName | None:
    """The name that `text` means. Each fault has the code that `terms` gives it, led by `config-`."""
    try:
        return DnsName.parse(text)
    except BadName as problem:
        problems.add(f"config-{problem.code}", place, **problem.params)
        return None


def address_in(text: str, default_port: int | None = None, *, only_ip: bool = False) -> Address | None:
    """HOST:PORT, IPv6 in brackets; the port may be absent where there is a default. None when it is none."""
    bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.%\w-]{2,64})\](?::([0-9]{1,5}))?", text, re.ASCII)
    plain = bracketed or re.fullmatch(r"([^:\[\]]+)(?::([0-9]{1,5}))?", text, re.ASCII)
    if plain is None and default_port is not None and _is_ip(text):
        return Address(text, default_port)  # an IPv6 address alone
    if plain is None:
        return None
    host, port = plain[1], int(plain[2]) if plain[2] else default_port
    if port is None or not 0 < port < 65536:
        return None
    if bracketed or only_ip or _ONLY_DIGITS.fullmatch(host):
        return Address(host, port) if _is_ip(host) and (":" in host) == bool(bracketed) else None
    return Address(host, port) if _HOST.fullmatch(host) else None


def _is_ip(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
