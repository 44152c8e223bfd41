"""What the program is told: on the command line, in a TOML file, in Pebble's JSON and environment. In that order."""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from jprs_client.testca import pebble_config
from jprs_client.testca.ca import PROFILES, Profile, Settings
from jprs_client.testca.clock import parse_moment
from jprs_client.testca.names import wrong_with
from jprs_client.testca.server import Doors
from jprs_client.testca.words import LANGUAGES, Note, Said, language_of, say
from jprs_client.version import __version__

#: How long OCSP does not know a new certificate where nothing else is said: as JPRS's, in JPRS's mode.
OCSP_LAG = timedelta(minutes=10)
#: The directory's entries that may be left out; the rest is what makes it one (RFC 8555 §7.1.1).
MAY_BE_WITHOUT = ("keyChange", "meta", "newAuthz", "profiles", "renewalInfo", "revokeCert")

_SPAN = re.compile(r"([0-9]{1,9})([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class OptionError(Said, ValueError):
    """An option, or what stands in its place in the file, cannot be used; the sentence says why."""


# -- one value each ----------------------------------------------------------------------------------------------------


def _address(name: str, value: object) -> tuple[str, int]:
    """HOST:PORT; an IPv6 address in brackets; no host is any address, as Go has it."""
    host, colon, port = str(value).rpartition(":")
    if not colon or not port.isdecimal() or not port.isascii() or int(port) > 65535:
        raise OptionError("address", name=name, value=str(value))
    return host.strip("[]") or "0.0.0.0", int(port)


def _port(name: str, value: object) -> int:
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch("[0-9]{1,5}", text) or not 0 < int(text) <= 65535:
        raise OptionError("port", name=name, value=text)
    return int(text)


def _moment(name: str, value: object) -> datetime:
    try:
        return parse_moment(value.isoformat() if hasattr(value, "isoformat") else str(value))
    except ValueError as error:
        raise OptionError("moment", name=name, value=str(value)) from error


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise OptionError("flag", name=name, value=str(value))
    return value


def _number(name: str, value: object, least: int, most: int, key: str) -> int:
    if isinstance(value, bool) or not re.fullmatch("[0-9]{1,9}", str(value)) or not least <= int(str(value)) <= most:
        raise OptionError(key, name=name, value=str(value), least=least, most=most)
    return int(str(value))


def _percent(name: str, value: object) -> int:
    return _number(name, value, 0, 100, "percent")


def _perspectives(name: str, value: object) -> int:
    return _number(name, value, 1, 10, "count")


def _page(name: str, value: object) -> int:
    return _number(name, value, 1, 1_000_000, "count")


def _whole_seconds(name: str, value: object) -> int:
    return _number(name, value, 0, 999_999_999, "seconds")


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", str(value)):
        raise OptionError("seconds", name=name, value=str(value))
    return float(str(value))


def _span(name: str, value: object) -> timedelta:
    found = None if isinstance(value, bool) else _SPAN.fullmatch(str(value))
    if found is None or int(found[1]) * _UNITS[found[2]] > 10**9:
        raise OptionError("span", name=name, value=str(value))
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _lifetime(name: str, value: object) -> timedelta:
    span = _span(name, value)
    if not span:
        raise OptionError("span", name=name, value=str(value))
    return span


def _issuer(name: str, value: object) -> str:
    return _choice(name, value, ("ecdsa", "rsa", "by-key"))


def _choice(name: str, value: object, choices: Sequence[str]) -> str:
    if value not in choices:
        raise OptionError("choice", name=name, value=str(value), choices=", ".join(choices))
    return str(value)


def _path(name: str, value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise OptionError("text", name=name, value=str(value))
    return Path(value)


def _texts(name: str, value: object) -> tuple[str, ...]:
    """A list of texts; one text may hold several, with commas between."""
    listed = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(each, str) for each in listed):
        raise OptionError("list", name=name, value=str(value))
    return tuple(part.strip() for each in listed for part in str(each).split(",") if part.strip())


def _entries(name: str, value: object) -> frozenset[str]:
    return frozenset(_choice(name, each, MAY_BE_WITHOUT) for each in _texts(name, value))


def _domains(name: str, value: object) -> tuple[str, ...]:
    found = tuple(each.lower().removesuffix(".") for each in _texts(name, value))
    for each in found:
        if "." in each and wrong_with(each) is not None:
            raise OptionError("domain", name=name, value=each)
    return found


def _profiles(name: str, value: object) -> dict[str, Profile]:
    """NAME=SPAN, or in the file a table a name with description and lifetime."""
    found: dict[str, Profile] = {}
    if isinstance(value, Mapping):
        for key, table in value.items():
            where = f"profiles.{key}"
            if not isinstance(table, Mapping) or set(table) - {"description", "lifetime"} or not _is_profile(key):
                raise OptionError("profile", name=where, value=str(table))
            description = table.get("description", key)
            if not isinstance(description, str):
                raise OptionError("text", name=f"{where}.description", value=str(description))
            lifetime = _lifetime(f"{where}.lifetime", table["lifetime"]) if "lifetime" in table else None
            found[key] = Profile(description, lifetime)
    else:
        for text in _texts(name, value):
            key, equals, span = text.partition("=")
            if not equals or not _is_profile(key):
                raise OptionError("profile", name=name, value=text)
            found[key] = Profile(f"{key}: {span}", _lifetime(name, span))
    return found or dict(PROFILES)


def _is_profile(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name) is not None


# -- all of them -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `member`: of Settings or Doors; empty for what is neither. `metavar` empty: it takes no value."""

    name: str
    read: Callable[[str, object], Any]
    metavar: str = ""
    member: str = ""
    several: bool = False
    also: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """As it stands in the file."""
        return self.name.replace("-", "_")


OPTIONS = (
    Option("listen", _address, "HOST:PORT", "listen"),
    Option("management", _address, "HOST:PORT", "management"),
    Option("pki", _address, "HOST:PORT", "pki"),
    Option("tls-cert", _path, "FILE", "tls_cert"),
    Option("tls-key", _path, "FILE", "tls_key"),
    Option("http-port", _port, "PORT", "http_port"),
    Option("tls-port", _port, "PORT", "tls_port"),
    Option("resolver", _address, "HOST:PORT", "resolver", also=("--dnsserver", "-dnsserver")),
    Option("mock-dns", _address, "HOST:PORT", "mock_dns"),
    Option("open", _flag, member="open"),
    Option("require-eab", _flag, member="require_eab"),
    Option("now", _moment, "TIME", "now"),
    Option("issuer", _issuer, "KIND", "issuer"),
    Option("perspectives", _perspectives, "NUMBER", "perspectives"),
    Option("validation-delay", _seconds, "SECONDS", "validation_delay"),
    Option("always-valid", _flag, member="always_valid"),
    Option("ocsp-lag", _span, "SPAN", "ocsp_lag"),
    Option("authz-reuse", _percent, "PERCENT", "reuse"),
    Option("nonce-reject", _percent, "PERCENT", "nonce_rejects"),
    Option("without", _entries, "ENTRY", "without", several=True),
    Option("orders-per-page", _page, "NUMBER", "orders_a_page"),
    Option("retry-after", _whole_seconds, "SECONDS", "ask_again"),
    Option("caa-identity", _domains, "NAME", "caa_identities", several=True),
    Option("block", _domains, "DOMAIN", "blocked", several=True),
    Option("profile", _profiles, "NAME=SPAN", "profiles", several=True),
    Option("ready-file", _path, "FILE", "ready_file"),
    Option("allow-any-address", _flag, member="any_address"),
    Option("quiet", _flag),
    Option("verbose", _flag),
)

_BY_KEY = {option.key: option for option in OPTIONS} | {
    "profiles": next(option for option in OPTIONS if option.name == "profile"),
    "ask_again": next(option for option in OPTIONS if option.name == "retry-after"),
}
_SETTINGS = frozenset(Settings.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Options:
    """What to serve, and where. `notes`: what people are told about what was asked for and is not done."""

    settings: Settings
    doors: Doors
    verbose: bool = False
    quiet: bool = False
    notes: tuple[Note, ...] = ()


def options(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Options:
    """What command line, file and environment say. Raises OptionError."""
    given = vars(parser(language_of(arguments, environment or {})).parse_args(_as_ours(arguments)))
    notes: list[Note] = []
    values: dict[str, object] = {}
    names: dict[str, str] = {}
    is_pebbles = False
    if given["config"]:
        file = Path(given["config"])
        text = _text_of(file)
        is_pebbles = text.lstrip().startswith("{")
        values = _from_json(file, text, notes) if is_pebbles else _from_toml(file, text)
        names = {key: f"{file}: {key}" for key in values}
    if given["pebble_environment"] or is_pebbles:
        found = pebble_config.from_environment(environment or {}, notes)
        values |= found
        names |= dict.fromkeys(found, "PEBBLE_…")
    told = {key: value for key, value in given.items() if key in _BY_KEY and value is not None}
    values |= told
    names |= {key: f"--{_BY_KEY[key].name}" for key in told}
    if given["resolver"] is not None and given["mock_dns"] is not None:
        raise OptionError("not-together", first="--resolver", second="--mock-dns")
    if ("tls_cert" in values) != ("tls_key" in values):
        raise OptionError("only-together", first="--tls-cert", second="--tls-key")
    subscribers = values.pop("subscriber", ())
    if not isinstance(subscribers, list | tuple) or not all(isinstance(each, dict) for each in subscribers):
        raise OptionError("subscriber", why="[[subscriber]]")
    read = {
        (_BY_KEY[key].member or _BY_KEY[key].key): _BY_KEY[key].read(names[key], value) for key, value in values.items()
    }
    read.setdefault("ocsp_lag", timedelta(0) if read.get("open") else OCSP_LAG)
    settings = Settings(**{member: value for member, value in read.items() if member in _SETTINGS})
    if settings.resolver is not None:
        read["mock_dns"] = None
    doors = {member: value for member, value in read.items() if member in Doors.__dataclass_fields__}
    return Options(
        settings,
        Doors(**doors, subscribers=tuple(subscribers)),
        read.get("verbose", False),
        read.get("quiet", False),
        tuple(notes),
    )


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise OptionError("file", file=str(file), why=error.strerror or str(error)) from error
    except ValueError as error:
        raise OptionError("file", file=str(file), why=str(error)) from error


def _from_toml(file: Path, text: str) -> dict[str, object]:
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        raise OptionError("file", file=str(file), why=str(error)) from error
    document = {key.replace("-", "_"): value for key, value in document.items()}
    unknown = set(document) - set(_BY_KEY) - {"subscriber"}
    if unknown:
        raise OptionError("file-unknown", file=str(file), names=", ".join(sorted(unknown)))
    for key in ("tls_cert", "tls_key", "ready_file"):
        if key in document:
            document[key] = file.parent / _path(f"{file}: {key}", document[key])
    return document


def _from_json(file: Path, text: str, notes: list[Note]) -> dict[str, object]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OptionError("file", file=str(file), why=str(error)) from error
    members = document.get("pebble") if isinstance(document, dict) else None
    if not isinstance(members, dict):
        raise OptionError("pebble-shape", file=str(file))
    try:
        return pebble_config.from_document(members, notes)
    except pebble_config.MemberError as error:
        raise OptionError("pebble-member", file=str(file), name=error.name, value=str(error.value)) from error


# -- the command line --------------------------------------------------------------------------------------------------


def _as_ours(arguments: Sequence[str]) -> list[str]:
    """Pebble has no commands: options alone mean `serve`."""
    first = arguments[0] if arguments else ""
    alone = first.startswith("-") and first not in {"-h", "--help", "--version"} and not first.startswith("--lang")
    return ["serve", *arguments] if alone else list(arguments)


class _Parser(argparse.ArgumentParser):
    """Errors are ours, with a sentence."""

    def error(self, message: str) -> NoReturn:
        raise OptionError("usage", why=message, program=self.prog.partition(" serve")[0])


def _formatter(language: str) -> type[argparse.HelpFormatter]:
    class Formatter(argparse.HelpFormatter):
        """Help in the language asked for."""

        def add_usage(
            self,
            usage: str | None,
            actions: Iterable[argparse.Action],
            groups: Iterable[Any],
            prefix: str | None = None,
        ) -> None:
            super().add_usage(usage, actions, groups, say(language, "help.usage") if prefix is None else prefix)

    return Formatter


def parser(language: str = "en") -> argparse.ArgumentParser:
    """The command line; an option not given is None, and left to the file, then to the default."""

    def made(kind: Callable[..., argparse.ArgumentParser], *names: str, **more: Any) -> argparse.ArgumentParser:
        new = kind(*names, add_help=False, allow_abbrev=False, formatter_class=_formatter(language), **more)
        # argparse has no public way to its own headings.
        new._optionals.title = say(language, "help.options")
        new._positionals.title = say(language, "help.commands")
        new.add_argument("-h", "--help", action="help", help=say(language, "option.help"))
        return new

    program = "jprs-testca" if Path(sys.argv[0]).name == "jprs-testca" else "jprs-client test-ca"
    top = made(_Parser, prog=program, description=say(language, "help.about"))
    top.add_argument("--version", action="version", version=__version__, help=say(language, "option.version"))
    top.add_argument("--lang", choices=LANGUAGES, help=say(language, "option.lang"))
    commands = top.add_subparsers(dest="command", required=True, metavar="serve|conformance", parser_class=_Parser)
    serving = made(
        commands.add_parser,
        "serve",
        help=say(language, "help.serve"),
        description=say(language, "help.serve"),
        usage=f"{program} serve {say(language, 'help.any')}",
        epilog=say(language, "help.more"),
    )
    made(commands.add_parser, "conformance", help=say(language, "help.conformance"))  # __main__ hands it on
    add = serving.add_argument
    add("--config", "-config", metavar="FILE", help=say(language, "option.config"))
    for option in OPTIONS:
        names = (f"--{option.name}", *option.also)
        told = say(language, f"option.{option.name}").replace("%", "%%")  # argparse fills places of its own
        if not option.metavar:
            add(*names, dest=option.key, action="store_true", default=None, help=told)
        else:
            how = "append" if option.several else "store"
            add(*names, dest=option.key, action=how, metavar=option.metavar, help=told)
    add("--pebble-environment", action="store_true", help=say(language, "option.pebble-environment"))
    add("--lang", choices=LANGUAGES, help=say(language, "option.lang"))
    add("-strict", nargs="?", help=argparse.SUPPRESS)  # Pebble's; strict it is in any case
    return top
