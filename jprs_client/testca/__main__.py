"""`python -m jprs_client.testca serve`: the CA as a program."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jprs_client.testca.ca import Settings
from jprs_client.testca.clock import parse_moment
from jprs_client.testca.management import RequestError
from jprs_client.testca.server import Doors, ServeError, serve
from jprs_client.testca.subscribers import ContractError


class OptionError(ValueError):
    """An option, or what stands in its place in the file, cannot be used; the text says why."""


def _address(text: object) -> tuple[str, int]:
    """HOST:PORT; an IPv6 address in brackets."""
    host, colon, port = str(text).rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise OptionError(f"{text}: HOST:PORT is needed")
    return host.strip("[]"), int(port)


def _port(value: object) -> int:
    if isinstance(value, bool) or not str(value).isdigit() or not 0 < int(str(value)) <= 65535:
        raise OptionError(f"{value}: a port is needed")
    return int(str(value))


def _moment(value: object) -> datetime:
    try:
        return parse_moment(value.isoformat() if hasattr(value, "isoformat") else str(value))
    except ValueError as error:
        raise OptionError(f"{value}: a date, or a time with an offset (RFC 3339), is needed: {error}") from error


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise OptionError(f"{value}: true or false is needed")
    return value


def parser() -> argparse.ArgumentParser:
    """The command line; an option not given is None and left to the file, then to the default."""
    top = argparse.ArgumentParser(prog="jprs-client test-ca", description="A CA to break things with. TEST ONLY.")
    commands = top.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serve until stopped", description=_ABOUT)
    add = serving.add_argument
    add("--listen", metavar="HOST:PORT", help="the ACME side (127.0.0.1:14000); port 0 for any, here and below")
    add("--management", metavar="HOST:PORT", help="the management side (127.0.0.1:15000)")
    add("--pki", metavar="HOST:PORT", help="issuers and CRL over plain HTTP (127.0.0.1:4002)")
    add("--tls-cert", metavar="FILE", help="certificate of the HTTPS sides, with its chain; default: one of its own")
    add("--tls-key", metavar="FILE", help="its key")
    add("--http-port", metavar="PORT", help="where http-01 is looked at (5002)")
    add("--tls-port", metavar="PORT", help="where tls-alpn-01 is looked at (5001)")
    add("--resolver", metavar="HOST:PORT", help="the DNS that validation asks")
    add("--mock-dns", metavar="HOST:PORT", help="without --resolver: where the mock DNS is (127.0.0.1:8053)")
    add("--open", action="store_true", default=None, help="any account, any name, as Pebble does")
    add(
        "--require-eab", action="store_true", default=None, help="with --open: accounts need a subscriber's credentials"
    )
    add("--now", metavar="TIME", help="what the clock says at the start: a date (00:00 JST) or an RFC 3339 time")
    add("--config", metavar="FILE", help="TOML with these options and [[subscriber]], or Pebble's JSON")
    add("--ready-file", metavar="FILE", help="written as JSON once everything answers")
    add("--allow-any-address", action="store_true", default=None, help="listen beyond the loopback")
    add("--verbose", action="store_true", default=None, help="say on standard error what happens")
    return top


_ABOUT = """Serve ACME (RFC 8555) with JPRS's contracts. Everything is in memory and gone when it ends.
Its certificates are for tests and are trusted by nobody."""

_OPTIONS = frozenset(
    {
        "listen",
        "management",
        "pki",
        "tls_cert",
        "tls_key",
        "http_port",
        "tls_port",
        "resolver",
        "mock_dns",
        "open",
        "require_eab",
        "now",
        "ready_file",
        "allow_any_address",
        "verbose",
        "ask_again",
    }
)


@dataclass(frozen=True, slots=True)
class Options:
    """What to serve, and where."""

    settings: Settings
    doors: Doors
    verbose: bool


def read_config(path: Path) -> dict[str, Any]:
    """The options and subscribers of a configuration file. Raises OptionError."""
    try:
        text = path.read_text(encoding="utf-8")
        if text.lstrip().startswith("{"):
            return _from_pebble(json.loads(text))
        document = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise OptionError(f"{path}: {error}") from error
    document = {key.replace("-", "_"): value for key, value in document.items()}
    unknown = set(document) - _OPTIONS - {"subscriber"}
    if unknown:
        raise OptionError(f"{path}: unknown: {', '.join(sorted(unknown))}")
    for file in ("tls_cert", "tls_key", "ready_file"):
        if file in document:
            document[file] = str(path.parent / str(document[file]))
    return document


def _from_pebble(document: Mapping[str, Any]) -> dict[str, Any]:
    """Pebble's own configuration, in our words: an open CA, whose credentials count once each."""
    pebble = document.get("pebble")
    if not isinstance(pebble, dict):
        raise OptionError("a JSON configuration is Pebble's: an object with the member pebble")
    ours = {
        "listenAddress": "listen",
        "managementListenAddress": "management",
        "certificate": "tls_cert",
        "privateKey": "tls_key",
        "httpPort": "http_port",
        "tlsPort": "tls_port",
        "externalAccountBindingRequired": "require_eab",
    }
    found: dict[str, Any] = {ours[key]: value for key, value in pebble.items() if key in ours}
    keys = pebble.get("externalAccountMACKeys", {})
    found["subscriber"] = [
        {"name": key_id, "usage_fqdns": "any", "eab": {"key_id": key_id, "hmac_key": key}}
        for key_id, key in keys.items()
    ]
    waits = pebble.get("retryAfter")
    if isinstance(waits, dict) and isinstance(waits.get("order"), int):
        found["ask_again"] = waits["order"]
    return {"open": True, **found}


def options(arguments: Sequence[str]) -> Options:
    """What the command line and the file say. Raises OptionError."""
    given = vars(parser().parse_args(arguments))
    values = read_config(Path(given["config"])) if given["config"] else {}
    values |= {key: value for key, value in given.items() if key in _OPTIONS and value is not None}
    if values.get("resolver") is not None and given["mock_dns"] is not None:
        raise OptionError("--resolver and --mock-dns exclude each other")
    if ("tls_cert" in values) != ("tls_key" in values):
        raise OptionError("--tls-cert and --tls-key go together")

    def each(key: str, read: Any, otherwise: Any) -> Any:
        return read(values[key]) if values.get(key) is not None else otherwise

    settings = Settings(
        open=each("open", _flag, False),
        require_eab=each("require_eab", _flag, False),
        http_port=each("http_port", _port, 5002),
        tls_port=each("tls_port", _port, 5001),
        resolver=each("resolver", _address, None),
        now=each("now", _moment, None),
        ask_again=each("ask_again", _seconds, None),
    )
    doors = Doors(
        listen=each("listen", _address, ("127.0.0.1", 14000)),
        management=each("management", _address, ("127.0.0.1", 15000)),
        pki=each("pki", _address, ("127.0.0.1", 4002)),
        mock_dns=each("mock_dns", _address, ("127.0.0.1", 8053)) if settings.resolver is None else None,
        tls_cert=each("tls_cert", Path, None),
        tls_key=each("tls_key", Path, None),
        ready_file=each("ready_file", Path, None),
        any_address=each("allow_any_address", _flag, False),
        subscribers=tuple(values.get("subscriber", ())),
    )
    return Options(settings, doors, each("verbose", _flag, False))


def _seconds(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise OptionError(f"ask_again: {value!r} is no number of seconds")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; its exit status."""
    try:
        chosen = options(sys.argv[1:] if arguments is None else arguments)
        level = logging.INFO if chosen.verbose else logging.ERROR
        logging.basicConfig(level=level, format="%(levelname)s %(message)s", stream=sys.stderr)
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # half-open TLS connections are no news
        asyncio.run(serve(chosen.settings, chosen.doors))
    except (OptionError, RequestError, ContractError) as error:
        print(f"test-ca: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except (ServeError, OSError) as error:
        print(f"test-ca: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
