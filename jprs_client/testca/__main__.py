"""`python -m jprs_client.testca serve`, and `jprs-testca serve`: the CA as a program; `conformance`: its questions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shlex
import sys
from collections.abc import Mapping, Sequence

from jprs_client.testca.management import RequestError
from jprs_client.testca.options import OptionError, Options, options
from jprs_client.testca.server import Ready, ServeError, serve
from jprs_client.testca.subscribers import ContractError
from jprs_client.testca.words import Said, language_of, say

__all__ = ["OptionError", "Options", "greeting", "main", "options"]


def greeting(chosen: Options, ready: Ready, language: str) -> list[str]:
    """What people are told at the start: where everything is, and what to type next."""
    settings = chosen.settings
    mode = say(language, "start.open-eab" if settings.require_eab else "start.open" if settings.open else "start.jprs")
    if settings.always_valid:
        mode += f"; {say(language, 'start.always-valid')}"
    ports = say(language, "start.ports", http=settings.http_port, tls=settings.tls_port)
    rows = [
        ("start.mode", mode),
        ("start.directory", ready.directory),
        ("start.management", ready.management),
        ("start.pki", ready.pki),
        ("start.dns", ready.dns) if ready.dns else ("start.resolver", "{}:{}".format(*(settings.resolver or ("", "")))),
        ("start.looks", ports),
        ("start.trust", ready.trust),
    ]
    if settings.now is not None:
        rows.append(("start.clock", settings.now.isoformat()))
    labels = [say(language, key) for key, _ in rows]
    width = max(_width(label) for label in labels) + 2
    lines = [say(language, "start.title")]
    lines += [f"  {label}{' ' * (width - _width(label))}{text}" for label, (_, text) in zip(labels, rows, strict=True)]
    lines += [f"  ! {note.sentence(language)}" for note in chosen.notes]
    curl = f"curl --cacert {shlex.quote(ready.trust)}"
    if settings.eab_required:
        wanted = '"any"' if settings.open else '[{"name": "example.jp", "term": "1y"}]'
        document = f'{{"name": "Example", "usage_fqdns": {wanted}}}'
        lines += [say(language, "start.subscriber"), f"  {curl} -d '{document}' {ready.management}/jprs/subscribers"]
    else:
        lines += [say(language, "start.try"), f"  {curl} {ready.directory}"]
    return [*lines, say(language, "start.stop")]


def _width(text: str) -> int:
    """Columns on a terminal: Japanese letters take two."""
    return sum(1 if character.isascii() else 2 for character in text)


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run the program; its exit status: 2 for options that cannot be used, 1 where it cannot begin."""
    given = sys.argv[1:] if arguments is None else arguments
    around = os.environ if environment is None else environment
    if given[:1] == ["conformance"]:
        from jprs_client.testca.conformance.__main__ import main as ask  # the CA does not need it

        return ask(given[1:])
    language = language_of(given, around)
    try:
        chosen = options(given, around)
        level = logging.INFO if chosen.verbose else logging.ERROR
        logging.basicConfig(level=level, format="%(levelname)s %(message)s", stream=sys.stderr)
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # half-open TLS connections are no news

        def greet(ready: Ready) -> None:
            if not chosen.quiet:
                _tell(greeting(chosen, ready, language))

        asyncio.run(serve(chosen.settings, chosen.doors, ready=greet))
    except (OptionError, ServeError) as error:
        return _refused(error, language, 2 if isinstance(error, OptionError) else 1)
    except (RequestError, ContractError) as error:
        return _refused(OptionError("subscriber", why=str(error)), language, 2)
    return 0


def _refused(error: Said, language: str, status: int) -> int:
    _tell([f"test-ca: {error.sentence(language)}"])
    return status


def _tell(lines: Sequence[str]) -> None:
    """On standard error; nobody there to read it is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        text = "".join(f"{line}\n" for line in lines).encode(encoding, "replace").decode(encoding)
        print(text, end="", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
