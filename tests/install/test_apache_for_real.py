"""The transaction against a running Apache: what it serves before, during and after is what counts."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from jprs_client.errors import InstallFailed
from jprs_client.install import Deployer
from jprs_client.keys import KeyType
from jprs_client.observe.served import served_fingerprint
from jprs_client.plugin import Material, Probe
from jprs_plugins.apache import Apache
from jprs_plugins.apache_config import environment_of, read
from tests import needs
from tests.apache_server import ApacheServer, apache_server
from tests.install.world import NOW, World, belong_together, fingerprint, issued, snapshot
from tests.nginx_server import free_port

OLD = issued("example.jp", "www.example.jp", issued_at=NOW - timedelta(days=60))
OTHER = issued("other.jp", issued_at=NOW - timedelta(days=60))


def host(port: int, names: str = "example.jp www.example.jp", files: str = "site", more: str = "") -> str:
    """A virtual host whose files are `files`.pem and `files`.key under certs/; without `files` it names none."""
    first, _, aliases = names.partition(" ")
    named = f"  SSLCertificateFile certs/{files}.pem\n  SSLCertificateKeyFile certs/{files}.key\n" if files else ""
    alias = f"  ServerAlias {aliases}\n" if aliases else ""
    return f"<VirtualHost *:{port}>\n  ServerName {first}\n{alias}  SSLEngine on\n{named}{more}</VirtualHost>\n"


def put(folder: Path, material: Material, files: str = "site") -> None:
    certs = folder / "certs"
    certs.mkdir(parents=True, exist_ok=True)
    (certs / f"{files}.pem").write_bytes(material.fullchain_pem)
    (certs / f"{files}.key").write_bytes(material.private_key_pem)
    (certs / f"{files}.key").chmod(0o640)


def serves(port: int, name: str = "example.jp") -> str:
    return served_fingerprint(Probe("127.0.0.1", port, name), 3.0)


def settings_of(server: ApacheServer) -> dict[str, object]:
    return {
        "config": server.config,
        "binary": server.binary,
        "prefix": server.folder,
        "reload": list(server.reload_command),
    }


def deployer(world: World, server: ApacheServer, **more: object) -> Deployer:
    """A deployer whose target "web" is that Apache."""
    settings = settings_of(server) | more
    return world.deployer({"web": lambda: Apache(settings)})


class Scene:
    """One Apache that serves OLD for example.jp and OTHER beside it, and a state with a new version of the former."""

    def __init__(self, folder: Path, server: ApacheServer, port: int) -> None:
        self.world = World(folder)
        self.server = server
        self.port = port
        self.new = issued("example.jp", "www.example.jp")
        self.version = self.world.issue("main", self.new)

    @property
    def certs(self) -> Path:
        return self.server.folder / "certs"

    def refusal(self) -> InstallFailed:
        """Deploying is refused, every file is as before, and Apache goes on serving as before."""
        before = snapshot(self.server.folder / "certs")
        served = serves(self.port), serves(self.port, "other.jp")
        with pytest.raises(InstallFailed) as failure:
            deployer(self.world, self.server).deploy("web", "main", self.version)
        assert failure.value.exit_code == 7
        assert snapshot(self.server.folder / "certs") == before
        assert self.server.runs()
        assert (serves(self.port), serves(self.port, "other.jp")) == served
        return failure.value


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    folder = tmp_path / "apache"
    port = free_port()
    put(folder, OLD)
    put(folder, OTHER, "other")
    with apache_server(folder, host(port) + host(port, "other.jp", "other"), port) as server:
        yield Scene(tmp_path, server, port)


def test_the_new_certificate_is_served_and_doing_it_again_does_nothing(scene: Scene) -> None:
    deployed = deployer(scene.world, scene.server).deploy("web", "main", scene.version)

    assert serves(scene.port) == fingerprint(scene.new.cert_pem)
    assert serves(scene.port, "other.jp") == fingerprint(OTHER.cert_pem)
    assert [path.name for path in deployed.files] == ["site.pem", "site.key"]
    assert {probe.server_name for probe in deployed.probes} == {"example.jp", "www.example.jp"}
    assert (scene.certs / "site.key").stat().st_mode & 0o777 == 0o640

    before = snapshot(scene.certs)
    again = deployer(scene.world, scene.server, reload=["false"]).deploy("web", "main", scene.version)
    assert again.already
    assert snapshot(scene.certs) == before


def test_a_strangers_pair_that_would_end_apache_is_found_before_the_reload(scene: Scene) -> None:
    """FAULTS 8: `-t` is content with it, and then the reload ends the server."""
    (scene.certs / "other.key").write_bytes(issued("other.jp").private_key_pem)
    assert scene.server.check().returncode == 0
    line = scene.server.config.read_text().splitlines().index("  SSLCertificateFile certs/other.pem") + 1

    failure = scene.refusal()

    assert failure.code == "server-pair-mismatch"
    assert failure.params["place"] == f"{scene.server.config}:{line}"
    assert failure.params["key"] == str(scene.certs / "other.key")

    scene.server.reload()
    assert scene.server.ended(), "Apache has learnt to live with it: then this check could go"


def test_a_strangers_key_that_nobody_can_read_is_found_as_well(scene: Scene) -> None:
    (scene.certs / "other.key").write_bytes(b"-----BEGIN PRIVATE KEY-----\ngarbage\n-----END PRIVATE KEY-----\n")
    assert scene.server.check().returncode == 0
    failure = scene.refusal()
    assert failure.code == "server-pair-unreadable"
    assert failure.params["file"] == str(scene.certs / "other.key")


@pytest.mark.parametrize("shared", ["SSLCertificateKeyFile", "SSLCertificateFile"])
def test_a_file_that_a_stranger_reads_with_another_one_of_his_own_is_not_written(tmp_path: Path, shared: str) -> None:
    folder = tmp_path / "apache"
    put(folder, OLD)
    put(folder, OLD, "other")
    port = free_port()
    extension = {"SSLCertificateKeyFile": "key", "SSLCertificateFile": "pem"}[shared]
    half = host(port, "other.jp", "other").replace(f"other.{extension}", f"site.{extension}")
    with apache_server(folder, host(port) + half, port) as server:
        failure = Scene(tmp_path, server, port).refusal()
        assert failure.code == "apache-shared-file"
        assert failure.params["file"] == str(folder / f"certs/site.{extension}")
        assert failure.params["names"] == "other.jp"
        server.reload()
        assert serves(port) == fingerprint(OLD.cert_pem)


def test_a_configuration_that_is_broken_already_is_named_and_left_alone(scene: Scene) -> None:
    with scene.server.config.open("a") as config:
        config.write("HttpIsOver on\n")
    line = len(scene.server.config.read_text().splitlines())

    failure = scene.refusal()

    assert failure.code == "server-config-broken-before"
    assert f"line {line} of {scene.server.config}" in str(failure.params["output"])


@pytest.mark.parametrize("garbage", ["<Directory /x>", "</VirtualHost>", "Include nothing.conf", "Use NoSuchMacro"])
def test_what_our_reader_cannot_read_is_told_in_apaches_words(scene: Scene, garbage: str) -> None:
    scene.server.config.write_text(f"{scene.server.config.read_text()}\n{garbage}\n\n# the end\n")

    failure = scene.refusal()

    assert failure.code == "server-config-broken-before"
    assert failure.params["restored"] == "untouched"
    assert str(scene.server.config) in str(failure.params["output"])


def test_a_key_in_the_certificates_own_file_is_replaced_there(tmp_path: Path) -> None:
    folder = tmp_path / "apache"
    put(folder, OLD)
    (folder / "certs/both.pem").write_bytes(OLD.private_key_pem + OLD.fullchain_pem)
    port = free_port()
    text = host(port, files="", more="  SSLCertificateFile certs/both.pem\n") + host(port, "other.jp")
    with apache_server(folder, text, port) as server:
        scene = Scene(tmp_path, server, port)
        deployer(scene.world, server).deploy("web", "main", scene.version)
        assert serves(port) == fingerprint(scene.new.cert_pem)
        assert (folder / "certs/both.pem").read_bytes() == scene.new.private_key_pem + scene.new.fullchain_pem


def chain_shown(port: int) -> list[bytes]:
    """What openssl is shown, as PEM, the leaf first."""
    done = subprocess.run(
        ("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "example.jp", "-showcerts"),
        stdin=subprocess.DEVNULL, capture_output=True, timeout=20,
    )  # fmt: skip
    return re.findall(rb"-----BEGIN CERTIFICATE-----\n.*?-----END CERTIFICATE-----\n", done.stdout, re.DOTALL)


@pytest.mark.parametrize("more", ["", "  SSLCertificateChainFile certs/chain.pem\n"])
def test_the_whole_chain_is_shown_wherever_it_stands(tmp_path: Path, more: str) -> None:
    """The old SSLCertificateChainFile wins over what stands behind the certificate."""
    needs.program("openssl")
    folder = tmp_path / "apache"
    put(folder, OLD)
    (folder / "certs/chain.pem").write_bytes(OTHER.cert_pem)
    port = free_port()
    with apache_server(folder, host(port, more=more), port) as server:
        scene = Scene(tmp_path, server, port)
        deployer(scene.world, server).deploy("web", "main", scene.version)
        assert chain_shown(port) == [scene.new.cert_pem, scene.new.chain_pem]


def test_of_rsa_and_ecdsa_only_ours_is_replaced_and_both_go_on_matching(tmp_path: Path) -> None:
    folder = tmp_path / "apache"
    rsa = issued("example.jp", "www.example.jp", key_type=KeyType.RSA_2048, issued_at=NOW - timedelta(days=60))
    put(folder, rsa, "rsa")
    put(folder, OLD)
    port = free_port()
    both = "  SSLCertificateFile certs/site.pem\n  SSLCertificateKeyFile certs/site.key\n"
    with apache_server(folder, host(port, files="rsa", more=both), port) as server:
        scene = Scene(tmp_path, server, port)
        deployed = deployer(scene.world, server).deploy("web", "main", scene.version)
        assert [path.name for path in deployed.files] == ["site.pem", "site.key"]
        assert serves(port) == fingerprint(scene.new.cert_pem)
        for files in ("rsa", "site"):
            assert belong_together(*((folder / f"certs/{files}.{kind}").read_bytes() for kind in ("pem", "key")))


def test_paths_under_live_are_only_reloaded(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.issue("main", OLD)
    live, port = world.live("main"), free_port()
    named = f"  SSLCertificateFile {live}/fullchain.pem\n  SSLCertificateKeyFile {live}/privkey.pem\n"
    with apache_server(tmp_path / "apache", host(port, files="", more=named), port) as server:
        new = issued("example.jp", "www.example.jp")
        version = world.issue("main", new)
        assert serves(port) == fingerprint(OLD.cert_pem)

        deployed = deployer(world, server).deploy("web", "main", version)

        assert deployed.files == ()
        assert serves(port) == fingerprint(new.cert_pem)


def test_a_host_that_a_macro_and_a_condition_make_in_an_included_file_is_served(tmp_path: Path) -> None:
    folder = tmp_path / "apache"
    put(folder, OLD)
    port = free_port()
    (folder / "sites").mkdir()
    (folder / "sites/one.conf").write_text(
        f"Define folder certs\n<Macro Site $name $files>\n{host(port, '$name', '$files')}</Macro>\n"
        "<IfModule mod_ssl.c>\n  USE site \\\n   example.jp '../${folder}/site'\n</IfModule>\n"
    )
    with apache_server(folder, "IncludeOptional sites/*.conf", port) as server:
        scene = Scene(tmp_path, server, port)
        deployer(scene.world, server).deploy("web", "main", scene.version)
        assert serves(port) == fingerprint(scene.new.cert_pem)


def test_debians_apache2ctl_is_the_check_where_nobody_says_otherwise(scene: Scene) -> None:
    """It sources envvars and makes Apache's runtime folders, as it does for everybody who calls it."""
    needs.root()
    needs.program("apache2ctl")
    settings = {name: value for name, value in settings_of(scene.server).items() if name != "binary"}
    deployed = scene.world.deployer({"web": lambda: Apache(settings)}).deploy("web", "main", scene.version)
    assert deployed.files
    assert serves(scene.port) == fingerprint(scene.new.cert_pem)


def test_the_configuration_that_debian_ships_is_read_whole() -> None:
    """With its variables, its modules and their conditions; it has no TLS host, so nothing is for anybody."""
    needs.program("apache2ctl")
    shipped = Path("/etc/apache2/apache2.conf")
    if not shipped.exists():
        needs.missing(f"{shipped} is not there")
    done = subprocess.run(
        ("apache2ctl", "-t", "-f", str(shipped), "-D", "DUMP_INCLUDES"), capture_output=True, text=True, timeout=30
    )
    if done.returncode != 0:
        needs.missing("Apache refuses the configuration of this host")
    files = set(re.findall(r"\) (/\S+)", done.stdout))

    found = read(shipped, shipped.parent, environment_of(shipped))
    said = {directive.file for directive in found.root.block or ()}
    assert said <= files
    assert "/etc/apache2/ports.conf" in said & files
    assert [directive.words for directive in found.root.all("defaultruntimedir")] == [("/var/run/apache2",)]
