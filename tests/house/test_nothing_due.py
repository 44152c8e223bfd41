"""The timer's usual run: nothing is due, and nothing that issuing needs is loaded for it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ca_process import TestCaProcess
from tests.house.test_startup import HEAVY
from tests.scenarios.hosts import World, new_port

pytestmark = pytest.mark.usefixtures("unmeasured")

IMPORTED = re.compile(r"^import time: +\d+ \| +\d+ \| +([\w.]+)$", re.MULTILINE)


@pytest.mark.slow
def test_apply_with_nothing_due_loads_no_acme_no_keys_and_no_http(tmp_path: Path) -> None:
    port = new_port()
    with TestCaProcess(http_port=port) as ca:
        client, _ = World(ca, port).client(tmp_path, ("example.jp", "1y"))
        client.register()
        assert client.run("apply").code == 0

    start, *arguments = client.command("apply", "--json")
    done = subprocess.run(
        [start, "-X", "importtime", *arguments], capture_output=True, text=True, timeout=60, env=client.environment()
    )

    assert start == sys.executable
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"done": [], "failed": [], "problems": []}
    modules = set(IMPORTED.findall(done.stderr))
    assert "jprs_client.app" in modules
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()
