"""The collection as a person installs it, once a worker; and one bundled CA a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ansible.playbooks import Ansible
from tests.ca_process import TestCaProcess
from tests.scenarios.hosts import World, new_port


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    """Ansible with the collection, in a folder of its own."""
    ansible = Ansible(tmp_path_factory.mktemp("ansible"))
    ansible.install()
    return ansible


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


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder to run playbooks in."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder
