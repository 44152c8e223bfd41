"""A real Apache, as the README has it: what is served after `apply`, after a renewal, beside a broken neighbour."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from jprs_client.observe.served import served_fingerprint
from jprs_client.plugin import Probe
from tests.apache_server import ApacheServer, apache_server
from tests.client import Client
from tests.install.world import fingerprint, snapshot
from tests.readme import door
from tests.scenarios.hosts import World, new_port
from tests.scenarios.test_nginx import first_files


@dataclass
class Site:
    """A running Apache with two virtual hosts, ours and a stranger's, and the client that looks after it."""

    client: Client
    apache: ApacheServer
    port: int
    usage: str
    tls: Path

    def served(self, name: str) -> str:
        """The fingerprint of what a visitor of `name` gets."""
        return served_fingerprint(Probe("127.0.0.1", self.port, name), 10.0)

    @property
    def both(self) -> tuple[str, str]:
        """What is served for our name and for the stranger's."""
        return self.served(self.usage), self.served("stranger.jp")

    @property
    def issued(self) -> str:
        """The fingerprint of the version in service."""
        return fingerprint((self.client.state / "live" / self.usage / "cert.pem").read_bytes())


def host(port: int, tls: Path, files: str, *names: str) -> str:
    """A virtual host for `names`, with a certificate of its own."""
    return (
        f"<VirtualHost *:{port}>\n  ServerName {names[0]}\n  ServerAlias {' '.join(names)}\n  SSLEngine on\n"
        f"  SSLCertificateFile {tls}/{files}.pem\n  SSLCertificateKeyFile {tls}/{files}.key\n</VirtualHost>\n"
    )


@contextmanager
def site(world: World, folder: Path, usage: str) -> Iterator[Site]:
    """A registered client whose configuration is the README's door, told where this Apache is, and that Apache."""
    client, _ = world.client(folder / "host", (usage, "1y"))
    tls, port = folder / "tls", new_port()
    first_files(tls, "ours")
    first_files(tls, "stranger")
    text = host(port, tls, "ours", usage, f"www.{usage}") + host(port, tls, "stranger", "stranger.jp")
    with apache_server(folder / "apache", text, port) as apache:
        private = {
            "config": str(apache.config),
            "binary": apache.binary,
            "prefix": str(apache.folder),
            "reload": list(apache.reload_command),
        }
        lines = door("apache")
        at = lines.index('plugin = "apache"') + 1
        lines[at:at] = [f"{key} = {json.dumps(value)}" for key, value in private.items()]
        client.add("\n".join(lines))
        client.register()
        yield Site(client, apache, port, usage, tls)


@pytest.mark.slow
def test_after_apply_and_after_a_renewal_apache_serves_the_new_certificate(world: World, tmp_path: Path) -> None:
    with site(world, tmp_path, "apache.jp") as here:
        ours, stranger = here.both
        done = here.client.json("apply")["done"]
        assert [action["action"] for action in done] == ["issue", "install"]
        first = here.issued
        assert here.both == (first, stranger)
        assert here.served("www.apache.jp") == first != ours
        assert (here.tls / "ours.key").stat().st_mode & 0o077 == 0
        assert here.client.run("plan", "--check").code == 0

        assert here.client.run("renew", "--force").code == 0
        assert here.issued != first
        assert here.both == (here.issued, stranger)
        assert here.client.certificate(here.usage)["installed"] == {"apache": True}


@pytest.mark.slow
def test_a_key_that_is_not_the_certificates_is_refused_before_the_reload_that_would_end_apache(
    world: World, tmp_path: Path
) -> None:
    """A stranger's pair is torn on disk; Apache's own check says "Syntax OK" of it."""
    with site(world, tmp_path, "torn.jp") as here:
        served = here.both
        good = (here.tls / "stranger.key").read_bytes()
        (here.tls / "stranger.key").write_bytes((here.tls / "ours.key").read_bytes())
        assert here.apache.check().returncode == 0
        before = snapshot(here.tls)

        ended = here.client.run("--json", "apply")
        assert ended.code == 7, (ended.out, ended.err)
        (failure,) = ended.document["failed"]
        assert failure["error"]["code"] == "server-pair-mismatch"
        line = here.apache.config.read_text().splitlines().index(f"  SSLCertificateFile {here.tls}/stranger.pem") + 1
        assert f"{here.apache.config}:{line}" in failure["error"]["message"]
        assert snapshot(here.tls) == before
        assert here.apache.runs()
        assert here.both == served

        # mended by its owner, the next plain run reaches the goal with what was issued then
        (here.tls / "stranger.key").write_bytes(good)
        mended = here.client.json("apply")["done"]
        assert [action["action"] for action in mended] == ["install"]
        assert here.both == (here.issued, served[1])
        assert len(world.asked("newOrder")) == 1


@pytest.mark.slow
def test_a_wrong_key_in_a_file_that_is_shared_by_half_is_refused_as_well(world: World, tmp_path: Path) -> None:
    """Ours would get its new key; the stranger, who names the same key file, would keep his certificate."""
    with site(world, tmp_path, "half.jp") as here:
        for kind in ("pem", "key"):
            (here.tls / f"stranger.{kind}").write_bytes((here.tls / f"ours.{kind}").read_bytes())
        text = here.apache.config.read_text()
        here.apache.config.write_text(text.replace(f"{here.tls}/stranger.key", f"{here.tls}/ours.key"))
        here.apache.reload()
        served, before = here.both, snapshot(here.tls)

        ended = here.client.run("--json", "apply")
        assert ended.code == 7, (ended.out, ended.err)
        (failure,) = ended.document["failed"]
        assert failure["error"]["code"] == "apache-shared-file"
        assert f"{here.tls}/ours.key" in failure["error"]["message"]
        assert "stranger.jp" in failure["error"]["message"]
        assert snapshot(here.tls) == before
        assert here.apache.runs()
        assert here.both == served


@pytest.mark.slow
def test_a_broken_configuration_leaves_everything_as_it_was_and_one_plain_apply_mends_it(
    world: World, tmp_path: Path
) -> None:
    with site(world, tmp_path, "broken.jp") as here:
        good = here.apache.config.read_text()
        here.apache.config.write_text(good.replace("<VirtualHost", "SSLEngin on\n<VirtualHost", 1))
        line = here.apache.config.read_text().splitlines().index("SSLEngin on") + 1
        served, before = here.both, snapshot(here.tls)

        for language in ("en", "ja"):
            ended = here.client.run("--lang", language, "--json", "apply")
            assert ended.code == 7, (ended.out, ended.err)
            error = ended.document["failed"][0]["error"]
            assert error["code"] == "server-config-broken-before"
            told = error["message"]
            assert f"{here.apache.config}:{line}" in told or f"line {line} of {here.apache.config}" in told
            assert "SSLEngin" in told  # what is wrong with it stands in the line after
            assert error["next_step"]
        assert snapshot(here.tls) == before
        assert here.both == served

        here.apache.config.write_text(good)
        assert [action["action"] for action in here.client.json("apply")["done"]] == ["install"]
        assert here.both == (here.issued, served[1])
