"""`jprs-client test-ca serve`: the bundled CA, which stands alone and is started as a process of its own."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jprs_client.cli.input import Address, Moment, Number
from jprs_client.cli.words import Group, option
from jprs_client.cli.words import command as worded
from jprs_client.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jprs_client.cli.door import Door

#: What an option may be: a tuple is one that may be given several times.
Given = str | int | bool | Path | datetime | tuple[str, ...] | None

command = Group("test-ca", {"serve": "jprs_client.cli.test_ca:serve"})


@worded("serve")
@option("--listen", type=Address())
@option("--management", type=Address())
@option("--pki", type=Address())
@option("--tls-cert", type=click.Path(readable=False, path_type=Path), metavar="FILE")
@option("--tls-key", type=click.Path(readable=False, path_type=Path), metavar="FILE")
@option("--http-port", type=Number(1, 65535), metavar="PORT")
@option("--tls-port", type=Number(1, 65535), metavar="PORT")
@option("--resolver", type=Address())
@option("--mock-dns", type=Address())
@option("--open", is_flag=True)
@option("--require-eab", is_flag=True)
@option("--allow-any-address", is_flag=True)
@option("--now", type=Moment())
@option("--issuer", type=click.Choice(["ecdsa", "rsa", "by-key"]), metavar="KIND")
@option("--perspectives", type=Number(1, 10), metavar="NUMBER")
@option("--validation-delay", metavar="SECONDS")
@option("--always-valid", is_flag=True)
@option("--ocsp-lag", metavar="SPAN")
@option("--authz-reuse", type=Number(0, 100), metavar="PERCENT")
@option("--nonce-reject", type=Number(0, 100), metavar="PERCENT")
@option("--without", multiple=True, metavar="ENTRY")
@option("--orders-per-page", type=Number(1, 1_000_000), metavar="NUMBER")
@option("--retry-after", type=Number(0, 999_999_999), metavar="SECONDS")
@option("--caa-identity", multiple=True, metavar="NAME")
@option("--block", multiple=True, metavar="DOMAIN")
@option("--profile", multiple=True, metavar="NAME=SPAN")
@option("--pebble-environment", is_flag=True)
@option("--ready-file", type=click.Path(readable=False, path_type=Path), metavar="FILE")
@click.pass_obj
def serve(door: Door, /, **options: Given) -> None:
    """Run the bundled CA until it is stopped, in place of this process."""
    if (options["tls_cert"] is None) != (options["tls_key"] is None):
        raise UsageError("options-only-together", first="--tls-cert", second="--tls-key", command=door.command_path)
    if options["resolver"] is not None and options["mock_dns"] is not None:
        raise UsageError("options-not-together", first="--resolver", second="--mock-dns", command=door.command_path)
    options |= {"lang": door.speech.language, "quiet": door.screen.verbosity < 0, "verbose": door.screen.verbosity > 0}
    door.close()
    os.execv(sys.executable, serve_command(sys.executable, door.given_config, options))  # noqa: S606 - no shell, our own program


def serve_command(python: str, config: Path | None, options: Mapping[str, Given]) -> list[str]:
    """The command line of the bundled CA. `-P`: what lies in the current folder is not imported."""
    arguments = [python, "-P", "-m", "jprs_client.testca", "serve"]
    for name, value in {**options, "config": config}.items():
        spelled = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            arguments += [spelled] if value else []
        elif isinstance(value, tuple):
            arguments += [f"{spelled}={each}" for each in value]
        elif value is not None:
            arguments += [spelled, value.isoformat() if isinstance(value, datetime) else str(value)]
    return arguments
