"""What is not needed is not imported: help comes at once, and a timer's run with nothing due costs little."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.usefixtures("unmeasured")

#: For issuing and serving only.
HEAVY = {
    "acme",
    "apscheduler",
    "cryptography",
    "dns",
    "idna",
    "josepy",
    "publicsuffixlist",
    "requests",
    "urllib3",
    "uvicorn",
}

#: Quick each, slow together: for the commands that use them.
NOT_FOR_HELP = {"asyncio", "email", "http", "importlib.metadata", "logging", "sqlite3", "ssl", "tomllib", "socket"}


def imported_by(*argv: str) -> set[str]:
    """The modules there are after `jprs-client ARGV` in a fresh process."""
    program = (
        "import json, sys\n"
        "from jprs_client.cli.main import main\n"
        "code = main(json.loads(sys.argv[1]))\n"
        "print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)\n"
    )
    command = [sys.executable, "-I", "-c", program, json.dumps(argv)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stderr.splitlines()[-1])[1])


@pytest.mark.parametrize(
    "argv",
    [("--help",), ("--help", "--lang", "ja"), ("--version",), ("init", "--help"), ("test-ca", "serve", "--help")],
)
def test_help_imports_nothing_heavy(argv: tuple[str, ...]) -> None:
    modules = imported_by(*argv)

    assert modules & HEAVY == set()
    assert modules & NOT_FOR_HELP == set()


def test_the_programs_help_imports_no_command() -> None:
    commands = {name for name in imported_by("--help") if name.startswith("jprs_client.")}

    assert (
        commands & {"jprs_client.app", "jprs_client.config", "jprs_client.cli.init", "jprs_client.cli.test_ca"} == set()
    )
