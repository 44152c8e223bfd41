"""`test-ca serve` becomes the bundled CA, with every option it was given."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from jprs_client.cli.test_ca import serve_command
from tests.cli.processes import until_written


def test_every_option_is_handed_on() -> None:
    options: dict[str, str | int | bool | Path | datetime | None] = {
        "listen": "127.0.0.1:0", "tls_cert": Path("c.pem"), "http_port": 80, "open": True, "require_eab": False,
        "now": datetime(2026, 11, 22, 3, 0, tzinfo=UTC), "resolver": None,
    }  # fmt: skip

    assert serve_command("python3", Path("ca.json"), options) == [
        "python3", "-P", "-m", "jprs_client.testca", "serve", "--listen", "127.0.0.1:0", "--tls-cert", "c.pem",
        "--http-port", "80", "--open", "--now", "2026-11-22T03:00:00+00:00", "--config", "ca.json",
    ]  # fmt: skip


def test_it_becomes_the_bundled_ca(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "jprs_client.cli", "test-ca", "serve", "--open", "--ready-file", str(ready)]
    for option in ("--listen", "--management", "--pki", "--mock-dns"):
        command += [option, "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        said = json.loads(until_written(ready, child))
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=30)

    assert said["pid"] == child.pid
    assert said["directory"].endswith("/dir")
