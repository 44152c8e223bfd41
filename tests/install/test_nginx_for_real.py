"""The transaction against a running nginx: what it serves before, during and after is what counts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from jprs_client.errors import InstallFailed
from jprs_client.install import Limits
from jprs_client.observe.served import served_fingerprint
from jprs_client.plugin import Material, Probe
from tests.install.world import NOW, World, fingerprint, issued, snapshot
from tests.nginx_server import NginxServer, free_port, nginx_server

OLD = issued("example.jp", "www.example.jp", issued_at=NOW - timedelta(days=60))


def block(port: int, names: str = "example.jp www.example.jp", files: str = "site", more: str = "") -> str:
    return (
        f"server {{\n  listen 127.0.0.1:{port} ssl;\n  server_name {names};\n"
        f"  ssl_certificate certs/{files}.pem;\n  ssl_certificate_key certs/{files}.key;\n  {more}\n"
        "  return 200 ok;\n}\n"
    )


def put(server: NginxServer, material: Material, files: str = "site") -> None:
    folder = server.folder / "certs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{files}.pem").write_bytes(material.fullchain_pem)
    (folder / f"{files}.key").write_bytes(material.private_key_pem)
    (folder / f"{files}.key").chmod(0o640)


def serves(port: int, name: str = "example.jp", host: str = "127.0.0.1") -> str:
    return served_fingerprint(Probe(host, port, name), 3.0)


class Site:
    """One nginx that serves OLD for example.jp, and a state with the new version that it shall serve."""

    def __init__(self, folder: Path, server: NginxServer, port: int) -> None:
        self.world = World(folder)
        self.server = server
        self.port = port
        self.new = issued("example.jp", "www.example.jp")
        self.version = self.world.issue("main", self.new)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "nginx"
    port = free_port()
    put(NginxServer(folder), OLD)
    with nginx_server(folder, block(port)) as server:
        yield Site(tmp_path, server, port)


def test_the_new_certificate_is_served(site: Site) -> None:
    deployed = site.world.nginx(site.server).deploy("web", "main", site.version)

    assert serves(site.port) == fingerprint(site.new.cert_pem)
    assert not deployed.already
    assert [path.name for path in deployed.files] == ["site.pem", "site.key"]
    assert {probe.server_name for probe in deployed.probes} == {"example.jp", "www.example.jp"}
    assert (site.server.folder / "certs/site.key").read_bytes() == site.new.private_key_pem
    assert (site.server.folder / "certs/site.key").stat().st_mode & 0o777 == 0o640


def test_deploying_what_is_served_does_nothing(site: Site) -> None:
    site.world.nginx(site.server).deploy("web", "main", site.version)
    before = snapshot(site.server.folder)

    again = site.world.nginx(site.server, reload=("false",)).deploy("web", "main", site.version)

    assert again.already
    assert again.files == ()
    assert snapshot(site.server.folder) == before


def test_a_configuration_that_is_broken_already_is_named_and_left_alone(site: Site) -> None:
    with site.server.config.open("a") as config:
        config.write("http_is_over;\n")
    line = len(site.server.config.read_text().splitlines())
    before = snapshot(site.server.folder)

    with pytest.raises(InstallFailed) as failure:
        site.world.nginx(site.server).deploy("web", "main", site.version)

    assert failure.value.code == "server-config-broken-before"
    assert failure.value.params["place"] == f"{site.server.config}:{line}"
    assert failure.value.params["line"] == line
    assert "http_is_over" in str(failure.value.params["output"])
    assert failure.value.exit_code == 7
    assert snapshot(site.server.folder) == before
    assert serves(site.port) == fingerprint(OLD.cert_pem)


@pytest.mark.parametrize("garbage", ["no_such_thing {", "worker_processes 2", "}", "http { server { 'x }", ";"])
def test_what_our_reader_cannot_read_is_told_in_nginxs_words(site: Site, garbage: str) -> None:
    site.server.config.write_text(site.server.config.read_text() + f"\n\n{garbage}\n\n# the end\n")
    before = snapshot(site.server.folder)

    with pytest.raises(InstallFailed) as failure:
        site.world.nginx(site.server).deploy("web", "main", site.version)

    assert failure.value.code == "server-config-broken-before"
    assert failure.value.params["restored"] == "untouched"
    assert f" in {failure.value.params['place']}\n" in site.server.check().stderr
    assert snapshot(site.server.folder) == before
    assert serves(site.port) == fingerprint(OLD.cert_pem)


def test_a_configuration_that_only_the_new_certificate_breaks_is_put_back(tmp_path: Path) -> None:
    """A stream block, of which the installer knows nothing, pairs the certificate with another copy of the key."""
    folder = tmp_path / "nginx"
    put(NginxServer(folder), OLD)
    (folder / "certs/copy.key").write_bytes(OLD.private_key_pem)
    port, other = free_port(), free_port()
    pair = "ssl_certificate certs/site.pem; ssl_certificate_key certs/copy.key;"
    hidden = f"server {{ listen 127.0.0.1:{other} ssl; {pair} }}"
    with nginx_server(folder, block(port)) as server:
        site = Site(tmp_path, server, port)
        # What our reader does not see as a neighbour: the check command reads another file besides.
        extra = folder / "extra.conf"
        extra.write_text(server.config.read_text().replace("server {", hidden + "\nserver {", 1))
        check = f'"$1" -t -q -p {folder} -c {server.config} && exec "$1" -t -q -p {folder} -c {extra}'
        wrapper = tmp_path / "nginx-wrapper"
        wrapper.write_text(f"#!/bin/sh\nset -- {server.binary}\n{check}\n")
        wrapper.chmod(0o755)
        before = snapshot(folder)
        real, server.binary = server.binary, str(wrapper)
        reload = (real, "-s", "reload", "-p", str(folder), "-c", str(server.config))
        try:
            with pytest.raises(InstallFailed) as failure:
                site.world.nginx(server, reload=reload).deploy("web", "main", site.version)
        finally:
            server.binary = real

        assert failure.value.code == "server-config-broken-after"
        assert "key values mismatch" in str(failure.value.params["output"])
        assert failure.value.params["restored"] == "yes"
        assert snapshot(folder) == before
        assert serves(port) == fingerprint(OLD.cert_pem)


def test_a_reload_that_succeeds_and_changes_nothing_is_found_out(site: Site) -> None:
    """FAULTS 119: one more `listen`, on a port that is taken; `nginx -t` may be content, the old certificate stays."""
    deployer = site.world.nginx(site.server, reload=("true",), limits=Limits(served=0.3))
    before = snapshot(site.server.folder / "certs")

    with pytest.raises(InstallFailed) as failure:
        deployer.deploy("web", "main", site.version)

    assert failure.value.code == "not-served"
    assert failure.value.params["address"] == f"127.0.0.1:{site.port}"
    assert failure.value.params["name"] in {"example.jp", "www.example.jp"}
    assert failure.value.params["seen"] == fingerprint(OLD.cert_pem)
    assert snapshot(site.server.folder / "certs") == before
    assert serves(site.port) == fingerprint(OLD.cert_pem)


def test_a_listener_on_a_taken_port_keeps_the_old_certificate_served(site: Site, tmp_path: Path) -> None:
    """FAULTS 119: nginx logs "bind() failed" behind a reload that exits 0."""
    other_port = free_port()
    with nginx_server(tmp_path / "other", f"server {{ listen 127.0.0.1:{other_port}; return 200 other; }}"):
        text = site.server.config.read_text()
        taken = f"server {{ listen 127.0.0.1:{other_port}; return 200 taken; }}\n}}\n"
        site.server.config.write_text(text.rstrip().removesuffix("}") + taken)
        before = snapshot(site.server.folder / "certs")
        assert site.server.check().returncode == 0

        with pytest.raises(InstallFailed) as failure:
            site.world.nginx(site.server, limits=Limits(served=0.5)).deploy("web", "main", site.version)

    assert failure.value.code == "not-served"
    assert snapshot(site.server.folder / "certs") == before
    assert serves(site.port) == fingerprint(OLD.cert_pem)


def test_two_server_blocks_get_it_each_in_its_own_files(tmp_path: Path) -> None:
    folder = tmp_path / "nginx"
    put(NginxServer(folder), OLD)
    put(NginxServer(folder), issued("www.example.jp", issued_at=NOW - timedelta(days=60)), "www")
    first, second = free_port(), free_port()
    with nginx_server(folder, block(first, "example.jp") + block(second, "www.example.jp", "www")) as server:
        site = Site(tmp_path, server, first)

        deployed = site.world.nginx(server).deploy("web", "main", site.version)

        assert serves(first) == serves(second, "www.example.jp") == fingerprint(site.new.cert_pem)
        assert len(deployed.files) == 4


def test_a_neighbour_in_the_same_files_is_not_broken(tmp_path: Path) -> None:
    folder = tmp_path / "nginx"
    put(NginxServer(folder), issued("example.jp", "www.example.jp", "other.jp"))
    port = free_port()
    with nginx_server(folder, block(port) + block(port, "other.jp")) as server:
        site = Site(tmp_path, server, port)
        before = snapshot(folder / "certs")

        with pytest.raises(InstallFailed) as failure:
            site.world.nginx(server).deploy("web", "main", site.version)

        assert failure.value.code == "nginx-shared-file"
        assert failure.value.params["names"] == "other.jp"
        assert snapshot(folder / "certs") == before


def live_block(port: int, live: Path) -> str:
    return (
        f"server {{ listen 127.0.0.1:{port} ssl; server_name example.jp;\n"
        f"  ssl_certificate {live}/fullchain.pem; ssl_certificate_key {live}/privkey.pem; }}\n"
    )


def test_paths_under_live_are_only_reloaded(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.issue("main", OLD)
    port = free_port()
    with nginx_server(tmp_path / "nginx", live_block(port, world.live("main"))) as server:
        new = issued("example.jp", "www.example.jp")
        version = world.issue("main", new)
        assert serves(port) == fingerprint(OLD.cert_pem)

        deployed = world.nginx(server).deploy("web", "main", version)

        assert deployed.files == ()
        assert serves(port) == fingerprint(new.cert_pem)
        assert world.nginx(server, reload=("false",)).deploy("web", "main", version).already


def test_putting_back_leads_live_to_the_version_that_was_served(tmp_path: Path) -> None:
    """Whether this transaction switched it, or issuance had done so before."""
    world = World(tmp_path)
    old = world.issue("main", OLD)
    port = free_port()
    with nginx_server(tmp_path / "nginx", live_block(port, world.live("main"))) as server:
        world.nginx(server).deploy("web", "main", old)
        deployer = world.nginx(server, reload=("false",))
        for come_about in (world.add, world.issue):
            with pytest.raises(InstallFailed) as failure:
                deployer.deploy("web", "main", come_about("main", issued("example.jp")))
            assert failure.value.code == "reload-failed"
            assert world.versions.current("main") == old
        server.reload()
        assert serves(port) == fingerprint(OLD.cert_pem)


def test_a_rollback_is_a_deployment_of_the_version_before(site: Site) -> None:
    world = site.world
    deployer = world.nginx(site.server)
    deployer.deploy("web", "main", site.version)
    newest = issued("example.jp", "www.example.jp", issued_at=NOW - timedelta(minutes=1))
    deployer.deploy("web", "main", world.issue("main", newest))
    assert serves(site.port) == fingerprint(newest.cert_pem)

    deployer.deploy("web", "main", site.version)

    assert serves(site.port) == fingerprint(site.new.cert_pem)
    assert world.versions.current("main") == site.version


def test_a_symbolic_link_is_written_through(site: Site, tmp_path: Path) -> None:
    """FAULTS 124: links stay links, and what they lead to keeps its mode."""
    key = site.server.folder / "certs/site.key"
    target = tmp_path / "secret" / "real.key"
    target.parent.mkdir(mode=0o700)
    key.rename(target)
    key.symlink_to(target)

    site.world.nginx(site.server).deploy("web", "main", site.version)

    assert key.is_symlink()
    assert target.read_bytes() == site.new.private_key_pem
    assert target.stat().st_mode & 0o777 == 0o640
    assert serves(site.port) == fingerprint(site.new.cert_pem)


def test_one_file_for_certificate_and_key(tmp_path: Path) -> None:
    folder = tmp_path / "nginx"
    put(NginxServer(folder), OLD)
    both = folder / "certs/both.pem"
    both.write_bytes(OLD.private_key_pem + OLD.fullchain_pem)
    port = free_port()
    text = block(port).replace("certs/site.pem", str(both)).replace("certs/site.key", str(both))
    with nginx_server(folder, text) as server:
        site = Site(tmp_path, server, port)
        site.world.nginx(server).deploy("web", "main", site.version)
        assert serves(port) == fingerprint(site.new.cert_pem)
        assert both.read_bytes() == site.new.private_key_pem + site.new.fullchain_pem


def test_the_first_certificate_repairs_the_check_that_misses_its_files(tmp_path: Path) -> None:
    """nginx refuses a configuration whose certificate is not there yet; that is what we are about to change."""
    server = NginxServer(tmp_path / "nginx")
    port = free_port()
    (server.folder / "certs").mkdir(parents=True)
    server.write(block(port))
    start = tmp_path / "start"
    start.write_text(f"#!/bin/sh\nexec {server.binary} -p {server.folder} -c {server.config}\n")
    start.chmod(0o755)
    assert server.check().returncode != 0
    site = Site(tmp_path, server, port)
    try:
        deployed = site.world.nginx(server, reload=(str(start),)).deploy("web", "main", site.version)

        assert serves(port) == fingerprint(site.new.cert_pem)
        assert len(deployed.files) == 2
        assert (server.folder / "certs/site.key").stat().st_mode & 0o777 == 0o600
    finally:
        server.stop()


def test_an_ipv6_listener_is_looked_at_too(tmp_path: Path) -> None:
    folder = tmp_path / "nginx"
    put(NginxServer(folder), OLD)
    port = free_port("::1")
    with nginx_server(folder, block(port).replace("127.0.0.1", "[::1]")) as server:
        site = Site(tmp_path, server, port)
        deployed = site.world.nginx(server).deploy("web", "main", site.version)
        assert {probe.host for probe in deployed.probes} == {"::1"}
        assert serves(port, host="::1") == fingerprint(site.new.cert_pem)


def test_our_reader_and_nginx_mean_the_same_files(tmp_path: Path) -> None:
    """Relative paths count from the folder of the main file, in every included file, whatever -p says."""
    server = NginxServer(tmp_path / "nginx")
    put(server, OLD)
    port = free_port()
    (server.folder / "deep/er").mkdir(parents=True)
    server.write("include deep/*.conf;")
    (server.folder / "deep/one.conf").write_bytes(b"# \xff\xfe not UTF-8\r\ninclude deep/er/two.conf;\r\n")
    (server.folder / "deep/er/two.conf").write_text(block(port))
    assert subprocess.run((server.binary, "-t", "-q", "-p", "/", "-c", str(server.config))).returncode == 0

    change = World(tmp_path)
    version = change.issue("main", issued("example.jp", "www.example.jp"))
    files = change.nginx(server).preview("web", "main", version).files

    assert [(str(file.path), file.change) for file in files] == [
        (f"{server.folder}/certs/site.pem", "changed"),
        (f"{server.folder}/certs/site.key", "changed"),
    ]
