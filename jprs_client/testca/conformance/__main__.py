"""`python -m jprs_client.testca.conformance DIRECTORY_URL`: ask a server every question, and show the answers."""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import ssl
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from jprs_client.testca.conformance.probes import PROBES
from jprs_client.testca.conformance.registry import (
    MAY,
    MUST,
    FailureError,
    NoAnswerError,
    Outcome,
    Probe,
    Result,
    SkipError,
)
from jprs_client.testca.conformance.responders import MockDns, TlsResponder, WebResponder
from jprs_client.testca.conformance.server import Server, Tools
from jprs_client.testca.conformance.wire import Wire

_ABOUT = """Probe an ACME server (RFC 8555, 8737, 9773 and what they stand on). Exit status: 0, no MUST fails;
1, one does; 2, it cannot be tried. It makes accounts, orders and certificates there: point it at test servers only."""


class UsageError(Exception):
    """It cannot begin; the text says why."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="jprs-testca conformance", description=_ABOUT)
    add = top.add_argument
    add("directory", nargs="?", metavar="DIRECTORY_URL", help="the server's directory")
    add("--trust", metavar="FILE", help="further root (PEM) for HTTPS")
    add("--eab-file", metavar="FILE", help="credentials: key_id and hmac_key in TOML, or JSON with one object a line")
    add("--management", metavar="URL", help="management side of the bundled CA: credentials come from there")
    add("--challtestsrv", metavar="URL", help="mock DNS, steered by the paths of pebble-challtestsrv")
    add("--bind", metavar="ADDRESS", default="127.0.0.1", help="where challenges are answered (127.0.0.1)")
    add("--http-port", metavar="N", type=int, default=5002, help="port of http-01 (5002)")
    add("--tls-port", metavar="N", type=int, help="port of tls-alpn-01; without it, no probe of that")
    add("--names", metavar="SUFFIX", default="conformance.example.com", help="domain below which names are made up")
    add(
        "--only", metavar="PATTERN", action="append", default=[], help="only probes whose id has this in it; repeatable"
    )
    add("--except", metavar="PATTERN", action="append", default=[], dest="left_out", help="and not these; repeatable")
    shapes = top.add_mutually_exclusive_group()
    shapes.add_argument("--json", action="store_true", help="print JSON")
    shapes.add_argument("--markdown", action="store_true", help="print a table of what differs")
    shapes.add_argument("--list", action="store_true", help="print the probes and ask nothing")
    return top


#: So many probes in a row without any answer, and the rest is left.
_GONE = 3


def run(server: Server, probes: Iterable[Probe]) -> Iterator[Result]:
    """What comes of each probe, in their order; once the server is gone, the rest is skipped."""
    unanswered = 0
    for probe in probes:
        if unanswered >= _GONE:
            yield Result(probe, Outcome.SKIPPED, "the server has stopped answering")
            continue
        result, answered = _asked(server, probe)
        unanswered = 0 if answered else unanswered + 1
        yield result


def _asked(server: Server, probe: Probe) -> tuple[Result, bool]:
    """What comes of `probe`, and whether the server answered."""
    bad = Outcome.NOTE if probe.level is MAY else Outcome.FAIL
    try:
        probe.run(server)
    except SkipError as reason:
        return Result(probe, Outcome.SKIPPED, str(reason)), True
    except NoAnswerError as failure:
        return Result(probe, bad, str(failure)), False
    except FailureError as failure:
        return Result(probe, bad, str(failure)), True
    except Exception as error:  # noqa: BLE001  # whatever a strange answer makes a probe stumble over: on to the next
        return Result(probe, bad, f"an answer beyond all forms: {type(error).__name__}: {error}"), True
    return Result(probe, Outcome.PASS), True


@contextlib.contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[Server]:
    """The server, with what this machine has for it. Raises UsageError, OSError."""
    tls = ssl.create_default_context()
    if arguments.trust:
        tls.load_verify_locations(arguments.trust)
    wire = Wire(tls)
    with contextlib.ExitStack() as stack:
        stack.callback(wire.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="acme-conformance-")))
        web = stack.enter_context(WebResponder(arguments.bind, arguments.http_port))
        alpn = None
        if arguments.tls_port is not None:
            alpn = stack.enter_context(TlsResponder(arguments.bind, arguments.tls_port, folder))
        dns = MockDns(wire, arguments.challtestsrv) if arguments.challtestsrv else None
        suffix = arguments.names.strip(".").lower()
        yield Server(wire, arguments.directory, Tools(web, suffix, alpn, dns, _credentials(arguments, wire)))


def _credentials(arguments: argparse.Namespace, wire: Wire) -> Callable[[], tuple[str, bytes] | None]:
    if arguments.eab_file:
        given = list(read_credentials(Path(arguments.eab_file)))
        if not given:
            raise UsageError(f"{arguments.eab_file}: no credentials")

        def from_file() -> tuple[str, bytes]:
            """The last ones stay: a server may take them more than once."""
            return given.pop(0) if len(given) > 1 else given[0]

        return from_file
    if arguments.management:
        place = arguments.management.rstrip("/") + "/jprs/subscribers"
        body = json.dumps({"name": "conformance", "usage_fqdns": "any"}).encode()

        def from_management() -> tuple[str, bytes] | None:
            answer = wire.request("POST", place, body, {"Content-Type": "application/json"})
            return _credential(answer.document()["eab"]) if answer.status == 200 else None

        return from_management
    return lambda: None


def read_credentials(path: Path) -> Iterator[tuple[str, bytes]]:
    """Key ids and HMAC keys of a file. Raises UsageError."""
    try:
        text = path.read_text(encoding="utf-8")
        if text.lstrip().startswith("{"):
            yield from (_credential(json.loads(line)) for line in text.splitlines() if line.strip())
        else:
            yield _credential(tomllib.loads(text))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: {type(error).__name__}: key_id and hmac_key are needed") from error


def _credential(document: dict[str, Any]) -> tuple[str, bytes]:
    secret = str(document["hmac_key"]).rstrip("=")
    return str(document["key_id"]), base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))


def _in_words(results: Sequence[Result], out: Callable[[str], object]) -> None:
    for result in results:
        if result.outcome is not Outcome.PASS:
            out(f"{result.outcome:8}{result.probe.level:7}{result.probe.identity}  ({result.probe.section})\n")
            out(f"        expected: {result.probe.says}\n        seen: {result.seen}\n")
    count = Counter(result.outcome for result in results)
    out(", ".join(f"{count[outcome]} {outcome}" for outcome in Outcome) + f" of {len(results)}\n")


def as_markdown(results: Sequence[Result]) -> str:
    """A table of what differs, and one of what was skipped."""
    count = Counter(result.outcome for result in results)
    lines = [f"{len(results)} probes: " + ", ".join(f"{count[outcome]} {outcome}" for outcome in Outcome) + ".", ""]
    differing = [result for result in results if result.outcome in {Outcome.FAIL, Outcome.NOTE}]
    if differing:
        lines += ["| probe | section | level | expected | seen |", "|---|---|---|---|---|"]
        lines += [
            f"| `{each.probe.identity}` | {each.probe.section} | {each.probe.level} "
            f"| {_cell(each.probe.says)} | {_cell(each.seen)} |"
            for each in differing
        ]
        lines.append("")
    skipped: dict[str, list[str]] = {}
    for each in results:
        if each.outcome is Outcome.SKIPPED:
            skipped.setdefault(each.seen, []).append(f"`{each.probe.identity}`")
    if skipped:
        lines += ["| skipped, since | probes |", "|---|---|"]
        lines += [f"| {_cell(reason)} | {', '.join(identities)} |" for reason, identities in skipped.items()]
        lines.append("")
    return "\n".join(lines)


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ")


def as_json(directory: str, results: Sequence[Result]) -> str:
    """Everything, for programs."""
    count = Counter(result.outcome for result in results)
    document = {
        "directory": directory,
        "counts": {outcome: count[outcome] for outcome in Outcome},
        "results": [
            {
                "id": result.probe.identity,
                "section": result.probe.section,
                "level": result.probe.level,
                "expected": result.probe.says,
                "outcome": result.outcome,
                "seen": result.seen,
            }
            for result in results
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def _check(arguments: argparse.Namespace, probes: Sequence[Probe]) -> None:
    if arguments.directory is None:
        raise UsageError("DIRECTORY_URL is needed")
    if not probes:
        raise UsageError(f"no probe is called {' or '.join(arguments.only)}")


def main(argv: Sequence[str] | None = None, out: Callable[[str], object] | None = None) -> int:
    """Run the program; its exit status."""
    write = out or sys.stdout.write
    arguments = parser().parse_args(argv)
    left_out = arguments.left_out
    probes = [each for each in PROBES if each.asked_for(arguments.only) and not (left_out and each.asked_for(left_out))]
    if arguments.list:
        for probe in probes:
            write(f"{probe.identity}  {probe.level}  {probe.section}: {probe.says}\n")
        return 0
    try:
        _check(arguments, probes)
        with opened(arguments) as server:
            results = list(run(server, probes))
    except (UsageError, FailureError, OSError) as error:
        sys.stderr.write(f"conformance: {error}\n")
        return 2
    if arguments.json:
        write(as_json(arguments.directory, results) + "\n")
    elif arguments.markdown:
        write(as_markdown(results))
    else:
        _in_words(results, write)
    failed = any(result.outcome is Outcome.FAIL and result.probe.level is MUST for result in results)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
