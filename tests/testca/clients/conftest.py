"""Three CAs, one for all the clients of a worker each: any name, usage FQDNs only, and anybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.testca.clients.host import Ca


@pytest.fixture(scope="package")
def _open_ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ca]:
    with Ca("--open", "--require-eab", "--config", _ask_again(tmp_path_factory)) as running:
        yield running


@pytest.fixture(scope="package")
def _jprs_ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ca]:
    with Ca("--config", _ask_again(tmp_path_factory)) as running:
        yield running


@pytest.fixture(scope="package")
def _free_ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ca]:
    with Ca("--open", "--config", _ask_again(tmp_path_factory)) as running:
        yield running


def _ask_again(folders: pytest.TempPathFactory) -> str:
    """Some clients wait five seconds each time unless they are told to ask again sooner."""
    file: Path = folders.mktemp("ca") / "ca.toml"
    file.write_text("ask_again = 1\n")
    return str(file)


@pytest.fixture
def open_ca(_open_ca: Ca) -> Ca:
    """Accounts need credentials; any name."""
    _open_ca.quiet()
    return _open_ca


@pytest.fixture
def jprs_ca(_jprs_ca: Ca) -> Ca:
    """Accounts need credentials, and get certificates for their usage FQDNs only."""
    _jprs_ca.quiet()
    return _jprs_ca


@pytest.fixture
def past_ca() -> Iterator[Ca]:
    """One of the test's own, whose clock is so far behind that what it issues is due for renewal here and now."""
    past = datetime.now(UTC) - timedelta(days=75)
    with Ca("--open", "--require-eab", "--now", past.isoformat(timespec="seconds")) as running:
        yield running


@pytest.fixture
def free_ca(_free_ca: Ca) -> Ca:
    """Any account, any name."""
    _free_ca.quiet()
    return _free_ca
