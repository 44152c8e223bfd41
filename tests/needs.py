"""What a test needs from the machine: skipped with a reason at home, failed where nothing may be missing (CI=true)."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def program(name: str) -> str:
    """The path of `name`, also where Debian keeps servers; otherwise the test is skipped, or fails under CI=true."""
    path = os.environ.get("PATH", os.defpath)
    found = shutil.which(name, path=f"{path}:/usr/local/sbin:/usr/sbin:/sbin")
    if found is None:
        missing(f"{name} is not installed")
    return found


def root() -> None:
    """The test changes owners."""
    if os.geteuid() != 0:
        missing("only root may give files away")


def missing(reason: str) -> NoReturn:
    """Skip for `reason`; fail instead where CI=true says that everything is there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
