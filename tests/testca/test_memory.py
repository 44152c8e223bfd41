"""A long run does not grow but by what it has to remember: certificates, orders, proofs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "testca.py"


@pytest.mark.slow
@pytest.mark.usefixtures("unmeasured")
def test_memory_stays_where_it_is_while_certificates_are_issued(tmp_path: Path) -> None:
    """The bench with a parallel client, shorter: what a certificate adds is a few KiB, and no more at the end."""
    samples = tmp_path / "samples.json"
    command = [sys.executable, str(BENCH), "--count", "400", "--jobs", "4", "--every", "100", "--json", str(samples)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    _, first, _, _, last = json.loads(samples.read_text())
    assert (first["issued"], last["issued"]) == (100, 400)
    assert (last["rss_kib"] - first["rss_kib"]) / 300 < 10
