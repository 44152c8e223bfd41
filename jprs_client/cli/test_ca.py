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
@option("--ready-file", type=click.Path(readable=False, path_type=Path), metavar="FILE")
@click.pass_obj
def serve(door: Door, /, **options: str | int | bool | Path | datetime | None) -> None:
    """Run the bundled CA until it is stopped, in place of this process."""
    if (options["tls_cert"] is None) != (options["tls_key"] is None):
        raise UsageError("options-only-together", first="--tls-cert", second="--tls-key", command=door.command_path)
    if options["resolver"] is not None and options["mock_dns"] is not None:
        raise UsageError("options-not-together", first="--resolver", second="--mock-dns", command=door.command_path)
    door.close()
    os.execv(sys.executable, serve_command(sys.executable, door.given_config, options))  # noqa: S606 - no shell, our own program


def serve_command(
    python: str, config: Path | None, options: Mapping[str, str | int | bool | Path | datetime | None]
) -> list[str]:
    """The command line of the bundled CA. `-P`: what lies in the current folder is not imported."""
    arguments = [python, "-P", "-m", "jprs_client.testca", "serve"]
    for name, value in {**options, "config": config}.items():
        spelled = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            arguments += [spelled] if value else []
        elif value is not None:
            arguments += [spelled, value.isoformat() if isinstance(value, datetime) else str(value)]
    return arguments
