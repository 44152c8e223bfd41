"""The collection as a person installs it, once a worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ansible.playbooks import Ansible


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    """Ansible with the collection, in a folder of its own."""
    ansible = Ansible(tmp_path_factory.mktemp("ansible"))
    ansible.install()
    return ansible


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder to run playbooks in."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder
