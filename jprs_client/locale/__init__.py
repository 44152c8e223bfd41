"""Every sentence a person reads, in English and in Japanese; codes become sentences here, at the door.

Each room of the house keeps its sentences in a module of its own here: two dicts, `EN` and `JA`, with the same keys and
the same `str.format` placeholders. Keys are `error.CODE`, `next.CODE`, `note.CODE`, `reason.CODE`, `help.COMMAND` and
what a room needs besides. Where a parameter may be None or empty, `KEY.no-PARAMETER` says the same without it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Literal

from jprs_client.errors import ConfigProblem, JprsClientError, harmless

__all__ = [
    "JST",
    "LANGUAGES",
    "ROOMS",
    "Language",
    "Speech",
    "SpeechMissing",
    "language_from",
    "moment_text",
    "span_text",
    "value_text",
]

Language = Literal["en", "ja"]

LANGUAGES: tuple[Language, ...] = ("en", "ja")

#: The rooms that have sentences, by module; a key stands in one of them only.
ROOMS = (
    "cli", "terms", "config", "ca", "challenges", "planning", "execute", "install", "apache", "files", "commands",
    "demo", "health", "compromise", "daemon", "service",
)  # fmt: skip

#: Japan's time: UTC+9 all year round.
JST = timezone(timedelta(hours=9), "JST")


class SpeechMissing(ResourceWarning):
    """A sentence nobody wrote. Python keeps quiet about it where the program is used, and our tests fail."""


def language_from(argv: Sequence[str], environ: Mapping[str, str]) -> Language:
    """The language to speak: `--lang` wherever it stands in `argv`, else the environment's word, else English.

    Looked up before the command line is taken apart, since what is wrong with it is told in that language, too.
    """
    options = list(argv[: argv.index("--")] if "--" in argv else argv)
    for option, value in zip(options, [*options, ""][1:], strict=True):
        asked = value if option == "--lang" else option.removeprefix("--lang=")
        if option.startswith("--lang") and asked in LANGUAGES:
            return "ja" if asked == "ja" else "en"
    for variable in ("JPRS_CLIENT_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if said := environ.get(variable):
            return "ja" if said.lower().startswith("ja") else "en"
    return "en"


@cache
def sentences(language: Language) -> Mapping[str, str]:
    """All sentences of one language, by key."""
    found: dict[str, str] = {}
    for room in ROOMS:
        module = import_module(f"{__name__}.{room}")
        found.update(module.JA if language == "ja" else module.EN)
    return found


class Speech:
    """One language, spoken."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def in_language(self, language: str) -> Speech:
        """The same in another language; English where there is none of that name."""
        return Speech("ja" if language == "ja" else "en")

    def has(self, key: str) -> bool:
        """Whether there is a sentence under `key`."""
        return key in sentences(self.language)

    def say(self, key: str, /, **params: object) -> str:
        """The sentence under `key`, filled; what came from outside is made harmless.

        A person always hears something: where the sentence is missing, the English one, and without that the key
        and its parameters as they are.
        """
        spoken = {name: value_text(value) for name, value in params.items()}
        for language in (self.language, "en"):
            for variant in (*(f"{key}.no-{name}" for name, text in spoken.items() if not text), key):
                template = sentences(language).get(variant)
                if template is None:
                    continue
                try:
                    return template.format_map(spoken)
                except (KeyError, IndexError, ValueError):
                    warnings.warn(SpeechMissing(f"{variant} cannot be filled with {sorted(params)}"), stacklevel=2)
            warnings.warn(SpeechMissing(f"no sentence {key} in {language}"), stacklevel=2)
        code = key.partition(".")[2] or key
        return " ".join([code, *(f"{name}={value}" for name, value in spoken.items())])

    def error_sentence(self, error: JprsClientError | ConfigProblem) -> tuple[str, str]:
        """What happened, and what to do now."""
        params = {name: _moment_where_due(name, value) for name, value in error.params.items()}
        return self.say(f"error.{error.code}", **params), self.say(f"next.{error.code}", **params)


def value_text(value: object) -> str:
    """A value as a person reads it inside a sentence."""
    match value:
        case None:
            return ""
        case datetime():
            return moment_text(value)
        case timedelta():
            return span_text(value)
        case date():
            return value.isoformat()
        case Enum():
            return harmless(value.value)
        case set() | frozenset():
            return ", ".join(sorted(value_text(item) for item in value))
        case list() | tuple():
            return ", ".join(value_text(item) for item in value)
    return harmless(value)


def moment_text(moment: datetime) -> str:
    """`2026-11-22 12:00 JST`: Japan's time, which the terms of service count by, whatever zone the host is in."""
    return moment.astimezone(JST).strftime("%Y-%m-%d %H:%M JST")


def span_text(span: timedelta) -> str:
    """`2d 4h`, `30m`, `90s`: as it may be typed back in, the two largest parts."""
    left = int(abs(span).total_seconds())
    if left < 120:
        return f"{'-' if span < timedelta(0) else ''}{left}s"
    parts = []
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return ("-" if span < timedelta(0) else "") + " ".join(parts[:2])


def _moment_where_due(name: str, value: object) -> object:
    """Errors carry moments as text (RFC 3339); `…_at` says which of them are moments."""
    if not (name.endswith("_at") and isinstance(value, str)):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
