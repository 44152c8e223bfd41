"""A stranger's plugin: a distribution of its own, one class and one line, installed as the README says and used."""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from cryptography import x509

from jprs_client import keys
from tests import needs
from tests.ca_process import TestCaProcess
from tests.client import Client
from tests.readme import ROOT, door
from tests.scenarios.hosts import World, new_port, script

EXAMPLE = ROOT / "plugins" / "example"


def environment_with(folder: Path, *command: str) -> Path:
    """The Python of a fresh environment that sees ours, where `pip` has done what `command` says."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (site_packages,) = folder.glob("lib/python*/site-packages")
    ours = sorted({path for path in sys.path if path.endswith("site-packages")})
    lines = [f"import site; site.addsitedir({path!r})" for path in ours]
    (site_packages / "of-the-project.pth").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--python", str(python), *command],
        cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    if "No matching distribution found for hatchling" in done.stderr:
        needs.missing("no package registry to build with hatchling from")
    assert done.returncode == 0, done.stderr
    return python


class ClientWith(Client):
    """The client as that environment has it."""

    python = sys.executable

    def command(self, *arguments: str) -> list[str]:
        return [self.python, *super().command(*arguments)[1:]]


@pytest.mark.slow
def test_it_is_installed_by_one_line_and_gives_a_server_its_certificate(tmp_path: Path) -> None:
    (line,) = door("plugin")
    program, *command = shlex.split(line)
    assert program == "pip"
    before = sorted(path for path in EXAMPLE.rglob("*") if "__pycache__" not in path.parts)
    python = environment_with(tmp_path / "venv", *command)
    assert sorted(path for path in EXAMPLE.rglob("*") if "__pycache__" not in path.parts) == before

    certificates = tmp_path / "certs"
    certificates.mkdir()
    reloaded = tmp_path / "reloaded"
    reload = script(tmp_path / "reload", f"open({str(reloaded)!r}, 'a').write('x')")
    port = new_port()
    with TestCaProcess(http_port=port) as ca:
        world = World(ca, port)
        world.client(tmp_path, ("example.jp", "1y"))  # the operator hands over the credentials
        client = ClientWith(tmp_path, ca.directory, ca.trust, resolvers=[ca.dns], listen=world.listen)
        client.python = str(python)
        client.usage_fqdn("example.jp", "1y", start_usage=True)
        client.add('[defaults]\ninstall = ["chat"]')
        client.add(
            f'[installer.chat]\nplugin = "prosody"\ncertificates = "certs"\nreload = ["{reload}"]\nowner = "{_user()}"'
        )
        client.register()
        shown = client.json("plan")
        ended = client.run("apply")
        again = client.json("apply")

    assert shown["problems"] == []
    assert ended.code == 0, ended.err
    for host in ("example.jp", "www.example.jp"):
        certificate = x509.load_pem_x509_certificate((certificates / f"{host}.crt").read_bytes())
        key = certificates / f"{host}.key"
        assert keys.load(key.read_bytes()).public_key() == certificate.public_key()
        assert key.stat().st_mode & 0o777 == 0o600
    assert reloaded.read_text() == "x"
    assert again["done"] == []


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def test_a_plugin_that_is_not_installed_is_told(tmp_path: Path) -> None:
    client = Client(tmp_path, "https://127.0.0.1:1/dir")
    client.usage_fqdn("example.jp")
    client.add('[installer.chat]\nplugin = "prosody"')

    ended = client.run("plan")

    assert ended.code == 3
    assert "prosody" in ended.err


def test_it_imports_what_strangers_may_and_nothing_more() -> None:
    tree = ast.parse((EXAMPLE / "jprs_prosody.py").read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}

    assert {module for module in modules if module.startswith("jprs")} == {"jprs_client.errors", "jprs_client.plugin"}
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names | {"jprs_client"}


def test_it_is_one_class_and_one_line() -> None:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    tree = ast.parse((EXAMPLE / "jprs_prosody.py").read_text())

    assert project["entry-points"] == {"jprs_client.installers": {"prosody": "jprs_prosody:Prosody"}}
    assert [node.name for node in tree.body if isinstance(node, ast.ClassDef)] == ["Prosody"]
    assert [node for node in tree.body if isinstance(node, ast.FunctionDef)] == []
