"""What people get to hear when something cannot be done: a stable code and its parameters.

The sentence and the next step, in two languages, are made at the door from `locale/`, under
`error.CODE` and `next.CODE`. So an error never carries prose of ours; it carries values. Classes say who has to act.

Exit codes are those of the manual: 1 failed, 2 usage, 3 unusable configuration or state, 4 refused for good,
5 temporary, 6 locked, 7 issued but not installed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

#: What an error may carry: it is shown to a person, written to the store and printed as JSON.
Value = str | int | None
Params = Mapping[str, Value]


def harmless(text: object, limit: int = 500) -> str:
    """`text` from outside on one line, without control, format or private characters, cut at `limit` characters.

    For whatever a CA, a server or a command says, before it reaches a terminal, a log or a mail (THREATS D6).
    """
    kept = "".join(_harmless_character(character) for character in str(text)[: 4 * limit])
    one_line = " ".join(kept.split())
    return one_line if len(one_line) <= limit else one_line[: limit - 1] + "…"


def _harmless_character(character: str) -> str:
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} else character


class JprsClientError(Exception):
    """Something a person has to hear about: `code` is stable, `params` fill the sentence of that code."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, /, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params: dict[str, Value] = {key: _plain(value) for key, value in params.items()}

    def __str__(self) -> str:
        inside = " ".join(f"{key}={value!r}" for key, value in self.params.items())
        return f"{self.code} {inside}".rstrip()


def _plain(value: object) -> Value:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Iterable):
        return ", ".join(str(item) for item in value)
    return str(value)


class ConfigError(JprsClientError):
    """The person acts, in the file: every problem found, each with file, line, key and what would be right."""

    exit_code = 3

    def __init__(self, problems: Iterable[ConfigProblem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.code, **first.params)


class ConfigProblem:
    """One thing wrong in a configuration file. `line` is None where the file itself is the problem."""

    __slots__ = ("code", "file", "key", "line", "params")

    def __init__(self, code: str, *, file: str, line: int | None, key: str | None, **params: object) -> None:
        self.code = code
        self.file = file
        self.line = line
        self.key = key
        place = f"{file}:{line}" if line is not None else file
        self.params: dict[str, Value] = {
            "place": place,
            "file": file,
            "line": line,
            "key": key,
            **{name: _plain(value) for name, value in params.items()},
        }


class StateUnusable(JprsClientError):
    """The person acts, on the host: the state directory or a file in it cannot be used."""

    exit_code = 3


class SecretExposed(JprsClientError):
    """The person acts, on the host: a file with a secret can be read by others, or holds no usable secret."""

    exit_code = 3


class UsageError(JprsClientError):
    """The person acts, at the command line."""

    exit_code = 2


class BadName(JprsClientError):
    """What was given is no DNS name that a server certificate can carry (TERMS N6)."""

    exit_code = 4


class NotIssuable(JprsClientError):
    """No usable usage FQDN authorises the name (ご利用条件 第4条3項); says which one to apply for."""

    exit_code = 4

    def __init__(self, name: object, apply_for: object) -> None:
        super().__init__("not-issuable", name=name, apply_for=apply_for)


class ReasonNotAllowed(JprsClientError):
    """A revocation reason that a subscriber may not choose (ご利用条件 第11条2の2)."""

    exit_code = 4


class ConsentNeeded(JprsClientError):
    """The person has to agree first: to the terms, or to a first issuance that starts a usage period."""

    exit_code = 4


class ChallengeFailed(JprsClientError):
    """The person acts, in DNS or at the web server: control of a name could not be proved."""


class RefusedByCa(JprsClientError):
    """The CA said no, and asking again in the same way will not help (RFC 8555 §6.7)."""

    exit_code = 4

    def __init__(self, code: str, /, *, problem_type: str = "", detail: str = "", **params: object) -> None:
        super().__init__(code, problem_type=problem_type, detail=detail, **params)


class CaUnavailable(JprsClientError):
    """Nobody has to act yet: the CA could not be reached, or asks for patience until `retry_at` (None: unknown)."""

    exit_code = 5

    def __init__(self, code: str, /, *, retry_at: datetime | None = None, **params: object) -> None:
        super().__init__(code, retry_at=retry_at, **params)
        self.retry_at = retry_at


class BadAnswer(JprsClientError):
    """The CA's answer cannot be what was asked for; nothing of it was kept."""


class Locked(JprsClientError):
    """Another run holds the lock; says who and since when."""

    exit_code = 6


class InstallFailed(JprsClientError):
    """The person acts, on the host: the new certificate is not served, and the old state is back (or says if not)."""

    exit_code = 7


class HookFailed(JprsClientError):
    """A command of the configuration or a hook ended badly; it is run again next time."""

    exit_code = 7
