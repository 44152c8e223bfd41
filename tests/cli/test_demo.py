"""The demo is what a newcomer sees first: it works with nginx and without, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import needs

pytestmark = pytest.mark.usefixtures("measured_children")

ACTS = [
    "explain", "register", "plan", "apply", "fetch", "plan-again", "renew", "fetch-renewed", "revoke",
    "fetch-replaced", "crl", "status",
]  # fmt: skip


def demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TMPDIR": str(folder), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "jprs_client.cli", "demo", *options],
        capture_output=True, text=True, timeout=100, env=environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def check(steps: list[dict[str, Any]]) -> None:
    assert [step["act"] for step in steps] == ACTS
    served = [step["served"] for step in steps if "served" in step]
    assert len({serials["example.jp"] for serials in served}) == 3
    assert all(serials["example.jp"] == serials["www.example.jp"] for serials in served)
    crl = next(step for step in steps if step["act"] == "crl")
    assert (crl["serial"], crl["code"]) == (served[1]["example.jp"], 1)


@pytest.mark.parametrize("options", [(), ("--without-nginx",)], ids=["nginx", "by itself"])
def test_the_demo_shows_a_whole_life_and_leaves_nothing_behind(tmp_path: Path, options: tuple[str, ...]) -> None:
    if not options:
        needs.program("nginx")
    done = demo(tmp_path, "--json", *options)
    check(json.loads(done.stdout)["steps"])
    assert list(tmp_path.iterdir()) == []


def test_the_demo_speaks_japanese(tmp_path: Path) -> None:
    done = demo(tmp_path, "--lang", "ja", "--without-nginx")
    assert "証明書失効リスト" in done.stdout
    assert "progress" not in done.stdout
    assert list(tmp_path.iterdir()) == []
