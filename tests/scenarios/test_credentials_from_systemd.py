"""What systemd hands over (LoadCredential=eab:…) registers, unless the configuration's own file is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client import Client
from tests.scenarios.hosts import World


@pytest.fixture
def handed_over(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    client, _ = world.client(tmp_path / "host", ("handed-over.jp", "1y"))
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    (client.home / "eab.toml").rename(folder / "eab")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return client


def test_they_do_where_the_configured_file_is_not_there(handed_over: Client) -> None:
    handed_over.register()

    assert handed_over.json("status")["account"]["status"] == "valid"


def test_the_configured_file_goes_first_and_a_file_that_was_named_before_all(handed_over: Client) -> None:
    handed_over.eab("not-ours", "bm90LW91cnMtYnV0LWxvbmctZW5vdWdoLWZvci1hLWtleQ")
    named = ["register", "--agree-terms", "--consent-ct", "--eab-credentials", str(handed_over.home / "nothing.toml")]

    assert handed_over.run(*named).code == 3
    assert handed_over.run("register", "--agree-terms", "--consent-ct").code == 4
    assert handed_over.json("status")["account"]["status"] == "unregistered"
