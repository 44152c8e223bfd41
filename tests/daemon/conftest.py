"""One bundled CA for the daemons of a worker, quiet at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ca_process import TestCaProcess
from tests.scenarios.hosts import World, new_port


@pytest.fixture(scope="module")
def shared_world() -> Iterator[World]:
    """The CA that the tests of a file share."""
    port = new_port()
    with TestCaProcess(http_port=port) as ca:
        yield World(ca, port)


@pytest.fixture
def world(shared_world: World) -> World:
    """The shared CA: nothing goes wrong, nothing was asked."""
    shared_world.quiet()
    return shared_world
