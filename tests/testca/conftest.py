"""CAs for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.testca.in_process import CaInProcess, Client


@pytest.fixture
def ca() -> Iterator[CaInProcess]:
    """A CA as JPRS's: credentials needed, names limited by usage FQDNs."""
    with CaInProcess() as running:
        yield running


@pytest.fixture
def open_ca() -> Iterator[CaInProcess]:
    """A CA as Pebble: any account, any name."""
    with CaInProcess(open=True) as running:
        yield running


@pytest.fixture
def client(open_ca: CaInProcess) -> Client:
    """Somebody with an account at an open CA."""
    return Client(open_ca)
