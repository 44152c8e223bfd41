"""What every installer holds, ours and a stranger's: it proposes and changes nothing, and a key stays its owner's."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from jprs_client.config import load
from jprs_client.errors import ConfigError, InstallFailed
from jprs_client.plugin import Deployment, Installer, Options, Site
from jprs_plugins.apache import Apache
from jprs_plugins.files import Files
from jprs_plugins.nginx import Nginx
from tests.config.files import Plugins
from tests.install.world import World, fingerprint, issued, snapshot
from tests.readme import ROOT

NEW = issued("example.jp", "www.example.jp")


def a_strangers() -> type[Installer]:
    """The example's class, as if it were installed."""
    spec = importlib.util.spec_from_file_location("jprs_prosody", ROOT / "plugins" / "example" / "jprs_prosody.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: type[Installer] = module.Prosody
    return found


@dataclass(frozen=True)
class Kind:
    """An installer and how to make a server for it below a folder: its settings."""

    plugin: str
    made_of: type[Installer]
    settings: Callable[[Path], Mapping[str, object]]


def nginx(folder: Path) -> Mapping[str, object]:
    (folder / "nginx.conf").write_text(
        "events {}\nhttp { server { listen 443 ssl; server_name example.jp www.example.jp;\n"
        "ssl_certificate new.pem; ssl_certificate_key new.key; } }\n"
    )
    return {"config": folder / "nginx.conf", "binary": "true", "reload": ["true"]}


def apache(folder: Path) -> Mapping[str, object]:
    (folder / "apache2.conf").write_text(
        "LoadModule ssl_module modules/mod_ssl.so\nListen 443\n<VirtualHost *:443>\nServerName example.jp\n"
        "ServerAlias www.example.jp\nSSLEngine on\nSSLCertificateFile new.pem\nSSLCertificateKeyFile new.key\n"
        "</VirtualHost>\n"
    )
    return {"config": folder / "apache2.conf", "binary": "true", "reload": ["true"]}


def files(folder: Path) -> Mapping[str, object]:
    return {"fullchain": folder / "{name}.pem", "private_key": folder / "{name}.key", "combined": folder / "both.pem"}


def prosody(folder: Path) -> Mapping[str, object]:
    return {"certificates": folder, "owner": pwd.getpwuid(os.geteuid()).pw_name, "reload": ["true"]}


KINDS_OF_INSTALLER = [
    Kind("nginx", Nginx, nginx),
    Kind("apache", Apache, apache),
    Kind("files", Files, files),
    Kind("prosody", a_strangers(), prosody),
]


@dataclass
class Scene:
    kind: Kind
    world: World
    server: Path
    settings: Mapping[str, object]

    def installer(self) -> Installer:
        return self.kind.made_of(self.settings)

    def proposed(self) -> Deployment:
        site = Site("main", frozenset({"example.jp", "www.example.jp"}), self.world.live("main"))
        return self.installer().deployment(site, NEW)


@pytest.fixture(params=KINDS_OF_INSTALLER, ids=lambda kind: kind.plugin)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    kind: Kind = request.param
    server = tmp_path / "server"
    server.mkdir()
    world = World(tmp_path)
    world.issue("main", NEW)
    return Scene(kind, world, server, kind.settings(server))


def test_every_installer_of_ours_is_here() -> None:
    registered = set(entry_points(group="jprs_client.installers").names)
    assert registered <= {kind.plugin for kind in KINDS_OF_INSTALLER}


def test_proposing_changes_nothing(scene: Scene) -> None:
    before = snapshot(scene.world.folder)

    assert scene.proposed().files

    assert snapshot(scene.world.folder) == before


def test_proposing_again_proposes_the_same(scene: Scene) -> None:
    installer = scene.installer()
    site = Site("main", frozenset({"example.jp", "www.example.jp"}), scene.world.live("main"))

    first = installer.deployment(site, NEW)

    assert installer.deployment(site, NEW) == first == scene.proposed()


def test_once_carried_out_it_proposes_what_is_there(scene: Scene) -> None:
    deployer = scene.world.deployer({"web": scene.installer}, look=lambda *_: fingerprint(NEW.cert_pem))
    deployer.deploy("web", "main", 1)

    assert {change.change for change in deployer.preview("web", "main", 1).files} == {"same"}
    assert scene.world.versions.current("main") == 1


def test_a_new_file_with_a_key_is_its_owners_alone(scene: Scene) -> None:
    scene.world.deployer({"web": scene.installer}, look=lambda *_: fingerprint(NEW.cert_pem)).deploy("web", "main", 1)

    held = {path: path.stat().st_mode & 0o777 for path in scene.server.iterdir() if b"PRIVATE KEY" in path.read_bytes()}
    assert held
    assert set(held.values()) == {0o600}


def test_the_whole_chain_is_in_place_and_every_file_once(scene: Scene) -> None:
    changes = scene.proposed().files

    assert len({change.path for change in changes}) == len(changes)
    assert any(NEW.fullchain_pem in change.content for change in changes)
    assert all(change.path.is_absolute() for change in changes)


def test_a_name_that_nothing_there_serves_is_refused_or_has_its_files(scene: Scene) -> None:
    """Nothing to do is no success: the plan would take it for installed."""
    stranger = issued("elsewhere.example")
    site = Site("main", frozenset({"elsewhere.example"}), scene.world.live("main"))
    try:
        deployment = scene.installer().deployment(site, stranger)
    except InstallFailed as refused:
        assert refused.exit_code == 7
    else:
        assert any(stranger.fullchain_pem in change.content for change in deployment.files)


def test_commands_are_lists_without_a_shell(scene: Scene) -> None:
    deployment = scene.proposed()

    for command in (deployment.check, deployment.reload):
        assert not isinstance(command, str)
        assert all(isinstance(word, str) for word in command)
        assert not {"sh", "bash", "dash"} & {Path(word).name for word in command[:1]}


def test_options_are_of_kinds_that_are_documented(scene: Scene) -> None:
    page = (ROOT / "docs" / "plugins.md").read_text()
    rows = re.findall(
        r"^\| ((?:`[a-z]+` ?)+)\|", page[page.index("| kind |") : page.index("A secret never")], re.MULTILINE
    )
    documented = {kind for row in rows for kind in re.findall(r"[a-z]+", row)}
    assert {"path", "command", "file"} <= documented

    assert {kind.removesuffix("!") for kind in scene.kind.made_of.options.values()} <= documented
    assert "plugin" not in scene.kind.made_of.options


class Only(Plugins):
    """A world with one installer."""

    def __init__(self, plugin: str, options: Options) -> None:
        super().__init__()
        self.installers = {plugin: options}


def test_the_configuration_refuses_an_option_that_it_does_not_have(scene: Scene) -> None:
    path = scene.world.folder / "config.toml"
    path.write_text(f'[installer.it]\nplugin = "{scene.kind.plugin}"\nno_such_option = 1\n')

    with pytest.raises(ConfigError) as caught:
        load(path, Only(scene.kind.plugin, scene.kind.made_of.options))

    (problem,) = caught.value.problems
    assert (problem.code, problem.line, problem.key) == ("config-unknown-key", 3, "installer.it.no_such_option")
