"""What people type, made into values once: moments, spans, names, choices. A `UsageError` says what cannot be one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from jprs_client.errors import UsageError, harmless
from jprs_client.locale import JST

if TYPE_CHECKING:
    from jprs_client.terms.names import DnsName

    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # generic only in newer releases

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST_SECONDS = 100 * 366 * 86400  # a century from now is still a date
_SPAN = re.compile(r"([0-9]{1,9})([smhd]?)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


class Parsed(_ParamType):
    """A kind of value: what help calls it, and the function that reads it, which raises what a person shall hear."""

    def __init__(self, metavar: str, parse: Callable[[str], object]) -> None:
        self.name = metavar.lower()
        self._metavar = metavar
        self._parse = parse

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click's signature
        """What stands for the value in help."""
        return self._metavar

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value; an error learns here which option and command it is about."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except UsageError as error:
            named = max(param.opts, key=len) if isinstance(param, click.Option) else getattr(param, "name", None)
            error.params = {"parameter": named, "command": ctx.command_path if ctx else None, **error.params}
            raise


class Moment(Parsed):
    """A moment, aware, UTC: a date is 00:00 JST of that day (with `end_of_day` its last instant), else RFC 3339."""

    def __init__(self, *, end_of_day: bool = False) -> None:
        super().__init__("TIME", self._moment)
        self._end_of_day = end_of_day

    def _moment(self, text: str) -> datetime:
        try:
            if _DAY.fullmatch(text):
                start = datetime.combine(date.fromisoformat(text), datetime.min.time(), JST)
                return (start + timedelta(days=1, microseconds=-1) if self._end_of_day else start).astimezone(UTC)
            if _RFC_3339.fullmatch(text):
                return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError) as problem:  # 2026-02-30; the first hours of the year 1 in Japan
            raise UsageError("bad-time", value=harmless(text, 100)) from problem
        raise UsageError("bad-time", value=harmless(text, 100))


class Span(Parsed):
    """A span: `90s`, `30m`, `4h`, `2d`; with `bare_seconds` also a number alone."""

    def __init__(self, *, bare_seconds: bool = False) -> None:
        super().__init__("SPAN", self._span)
        self._bare_seconds = bare_seconds

    def _span(self, text: str) -> timedelta:
        found = _SPAN.fullmatch(text)
        seconds = int(found[1]) * _UNITS[found[2] or "s"] if found else 0
        if found is None or not (found[2] or self._bare_seconds) or seconds > _LONGEST_SECONDS:
            raise UsageError("bad-span", value=harmless(text, 100))
        return timedelta(seconds=seconds)


class Name(Parsed):
    """A DNS name, in whatever form people type it. Raises `BadName` as `DnsName.parse` does."""

    def __init__(self) -> None:
        super().__init__("NAME", _dns_name)


def _dns_name(text: str) -> DnsName:
    from jprs_client.terms.names import DnsName

    return DnsName.parse(text)


class OneOf(Parsed):
    """One of a few words."""

    def __init__(self, *choices: str) -> None:
        super().__init__("|".join(choices), self._choice)
        self.choices = choices

    def _choice(self, text: str) -> str:
        if text not in self.choices:
            raise UsageError("bad-choice", value=harmless(text, 100), choices=self.choices)
        return text


class Number(Parsed):
    """A whole number from `least` to `most`."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__("N", self._number)
        self._least = least
        self._most = most

    def _number(self, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not self._least <= int(text) <= self._most:
            raise UsageError("bad-number", value=harmless(text, 100), least=self._least, most=self._most)
        return int(text)


class Address(Parsed):
    """HOST:PORT, with brackets around an IPv6 address; kept as text."""

    def __init__(self) -> None:
        super().__init__("HOST:PORT", _address)


def _address(text: str) -> str:
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found[2]) > 65535:
        raise UsageError("bad-address", value=harmless(text, 100))
    return text
