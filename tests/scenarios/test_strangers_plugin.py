"""A plugin of somebody else's that fails in its own way holds up its certificate, and no other."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.scenarios.hosts import World


def test_what_nobody_foresaw_is_shown_and_the_other_certificates_are_seen_to(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = tmp_path / "plugin"
    about = plugin / "broken-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[jprs_client.installers]\nbroken = broken:Installer\n")
    (plugin / "broken.py").write_text(
        "class Installer:\n"
        "    options = {}\n"
        "    def __init__(self, settings): pass\n"
        "    def deployment(self, site, material):\n"
        "        raise ZeroDivisionError('\\x1b[2Jhalf a server')\n"
    )
    client, _ = world.client(tmp_path / "host", ("a-first.jp", "1y"), ("b-second.jp", "1y"))
    client.add('[installer.theirs]\nplugin = "broken"')
    client.add('[[certificate]]\nname = "first"\nusage_fqdns = ["a-first.jp"]\ninstall = ["theirs"]')
    client.add('[[certificate]]\nname = "second"\nusage_fqdns = ["b-second.jp"]')
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(plugin), str(Path.cwd())]))
    client.register()

    with client.start("--json", "apply") as process:
        out, err = process.communicate(timeout=100)

    assert process.returncode == 1
    assert err.count("Traceback") == 1
    assert "ZeroDivisionError: [2Jhalf a server" in err
    document = json.loads(out)
    assert [each["certificate"] for each in document["done"]] == ["first", "second"]
    assert [each["error"]["code"] for each in document["failed"]] == ["unforeseen"]
    assert client.certificate("second")["status"] == "valid"
    assert client.certificate("first")["status"] == "failing"
    assert client.certificate("first")["last_error"]["code"] == "unforeseen"
