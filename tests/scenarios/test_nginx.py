"""A real nginx: what is served after `apply`, after a broken configuration, after `rollback`."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.client import Client
from tests.nginx_server import NginxServer
from tests.pebble import write_https_certificate
from tests.scenarios.hosts import World, new_port, script, serial_of, served_certificate

NAMES = ("first", "second")


@dataclass
class Site:
    """A running nginx with two server blocks, and the client that looks after it."""

    client: Client
    nginx: NginxServer
    port: int
    usage: str
    files: dict[str, tuple[Path, Path]]

    def blocks(self, *, more: str = "") -> str:
        """The two server blocks, each with its own certificate files; `more` stands before them."""
        return more + "\n".join(
            f"""
    server {{
        listen 127.0.0.1:{self.port} ssl;
        server_name {self.name(block)};
        ssl_certificate {self.files[block][0]};
        ssl_certificate_key {self.files[block][1]};
        location / {{ return 200 "{block}"; }}
    }}"""
            for block in NAMES
        )

    def name(self, block: str) -> str:
        """The block's server_name."""
        return self.usage if block == "first" else f"www.{self.usage}"

    def served(self, block: str) -> str:
        """The serial that a visitor of the block gets."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=self.name(block)) as tls,
        ):
            der = tls.getpeercert(binary_form=True)
        assert der is not None
        return serial_of(x509.load_der_x509_certificate(der))

    def both(self) -> list[str]:
        """What both blocks serve."""
        return [self.served(block) for block in NAMES]

    def fingerprints(self) -> dict[Path, tuple[str, int]]:
        """Every file that nginx names: what is in it, and its mode."""
        paths = {path.resolve() for pair in self.files.values() for path in pair} | {self.nginx.config}
        return {path: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode) for path in paths}

    @property
    def issued(self) -> str:
        """The serial of the version in service."""
        return serial_of(served_certificate(self.client, self.usage))


def first_files(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-made pair, so that nginx starts at all."""
    folder.mkdir(parents=True, exist_ok=True)
    _, certificate, key = write_https_certificate(folder)
    pair = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.rename(pair[0])
    key.rename(pair[1])
    pair[1].chmod(0o600)
    return pair


@contextmanager
def site(
    world: World, folder: Path, usage: str, *, live: bool = False, reload: list[str] | None = None
) -> Iterator[Site]:
    """A registered client and its nginx. `live`: the blocks name files under `live/`, which has a first version."""
    client, _ = world.client(folder / "host", (usage, "1y"))
    client.register()
    nginx = NginxServer(folder / "nginx")
    nginx.folder.mkdir()
    command = reload or list(nginx.reload_command)
    if live:
        assert client.run("apply").code == 0
        of_lineage = client.state / "live" / usage
        files = dict.fromkeys(NAMES, (of_lineage / "fullchain.pem", of_lineage / "privkey.pem"))
    else:
        files = {block: first_files(folder / "tls" / block, block) for block in NAMES}
    found = Site(client, nginx, new_port(), usage, files)
    nginx.write(found.blocks())
    client.add(
        f'[installer.nginx]\nplugin = "nginx"\nconfig = "{nginx.config}"\nbinary = "{nginx.binary}"\n'
        f'prefix = "{nginx.folder}"\nreload = {str(command).replace(chr(39), chr(34))}\n\n'
        '[defaults]\ninstall = ["nginx"]'
    )
    nginx.start()
    try:
        yield found
    finally:
        nginx.stop()


def test_after_apply_both_server_blocks_serve_the_new_certificate(world: World, tmp_path: Path) -> None:
    with site(world, tmp_path, "both.jp") as here:
        before = here.both()
        planned = here.client.json("plan")["actions"]
        assert [action["action"] for action in planned] == ["issue"]
        done = here.client.run("--json", "apply")
        assert done.code == 0, done.err
        assert [action["action"] for action in done.document["done"]] == ["issue", "install"]
        assert here.both() == [here.issued] * 2
        assert set(before).isdisjoint(here.both())
        assert here.client.run("plan", "--check").code == 0
        for certificate, key in here.files.values():
            assert key.stat().st_mode & 0o077 == 0
            pem = (here.client.state / "live" / here.usage / "fullchain.pem").read_bytes()
            assert certificate.read_bytes() == pem

        # renewed, then rolled back: each is what a visitor gets, and the plan leaves it so
        old = here.issued
        assert here.client.run("renew", "--force").code == 0
        new = here.issued
        assert new != old
        assert here.both() == [new] * 2
        rolled = here.client.run("--json", "rollback", here.usage)
        assert rolled.code == 0, rolled.err
        assert here.both() == [old] * 2
        assert here.issued == old
        assert here.client.run("plan", "--check").code == 0
        assert here.client.run("apply").code == 0
        assert here.both() == [old] * 2


def test_a_broken_configuration_leaves_everything_as_it_was_and_one_plain_apply_mends_it(
    world: World, tmp_path: Path
) -> None:
    with site(world, tmp_path, "broken.jp") as here:
        assert here.client.run("apply").code == 0
        old = here.issued
        good = here.nginx.config.read_text()
        here.nginx.config.write_text(good.replace("events {", "evnets {"))
        line = here.nginx.config.read_text().splitlines().index("evnets { worker_connections 64; }") + 1
        before = here.fingerprints()

        renewed = here.client.run("--json", "renew", "--force")
        assert renewed.code == 7, (renewed.out, renewed.err)
        assert [action["action"] for action in renewed.document["done"]] == ["renew"]
        (failure,) = renewed.document["failed"]
        assert failure["action"] == "install"
        assert f"{here.nginx.config}:{line}" in failure["error"]["message"]
        assert "evnets" in failure["error"]["message"]
        assert failure["error"]["next_step"]
        assert here.fingerprints() == before
        assert here.both() == [old] * 2
        told = here.client.certificate(here.usage)
        assert told["status"] == "failing"
        assert told["last_error"]["code"] == failure["error"]["code"]
        japanese = here.client.run("--lang", "ja", "apply")
        assert japanese.code == 7
        assert f"{here.nginx.config}:{line}" in japanese.err

        orders = len(world.asked("newOrder"))
        here.nginx.config.write_text(good)
        mended = here.client.run("--json", "apply")
        assert mended.code == 0, mended.err
        assert [action["action"] for action in mended.document["done"]] == ["install"]
        assert here.both() == [here.issued] * 2
        assert here.issued != old
        assert len(world.asked("newOrder")) == orders
        assert here.client.certificate(here.usage)["status"] == "valid"


def test_a_configuration_that_breaks_only_with_the_new_files_is_put_back(world: World, tmp_path: Path) -> None:
    """The check says no after the files are in place: here a wrapper of nginx stands for a stricter one."""
    with site(world, tmp_path, "after.jp") as here:
        before, served = here.fingerprints(), here.both()
        first = hashlib.sha256(here.files["first"][0].read_bytes()).hexdigest()
        strict = script(
            tmp_path / "strict-nginx",
            f"""
import hashlib, os, pathlib, sys
seen = hashlib.sha256(pathlib.Path({str(here.files["first"][0])!r}).read_bytes()).hexdigest()
if "-t" in sys.argv and seen != {first!r}:
    sys.exit("nginx: [emerg] this certificate is not to my taste in {here.nginx.config}:7")
os.execv({here.nginx.binary!r}, [{here.nginx.binary!r}, *sys.argv[1:]])
""",
        )
        here.client.replace(f'binary = "{here.nginx.binary}"', f'binary = "{strict}"')
        ended = here.client.run("--json", "apply")
        assert ended.code == 7, (ended.out, ended.err)
        (failure,) = ended.document["failed"]
        assert f"{here.nginx.config}:7" in failure["error"]["message"]
        assert "not to my taste" in failure["error"]["message"]
        assert here.fingerprints() == before
        assert here.both() == served
        assert here.nginx.check().returncode == 0

        here.client.replace(f'binary = "{strict}"', f'binary = "{here.nginx.binary}"')
        assert here.client.run("apply").code == 0
        assert here.both() == [here.issued] * 2


def test_paths_under_live_are_only_reloaded(world: World, tmp_path: Path) -> None:
    with site(world, tmp_path, "live.jp", live=True) as here:
        assert here.client.run("apply").code == 0
        old = here.issued
        assert here.both() == [old] * 2
        assert here.client.run("renew", "--force").code == 0
        assert here.issued != old
        assert here.both() == [here.issued] * 2
        here.nginx.reload()  # an unrelated one is safe
        assert here.both() == [here.issued] * 2
        assert (here.client.state / "live" / here.usage).is_symlink()
        assert all(path.is_relative_to(here.client.state) for pair in here.files.values() for path in pair)

        broken = here.nginx.config.read_text()
        here.nginx.config.write_text(broken.replace("http {", "http {\n    no_such_directive on;"))
        current = here.issued
        ended = here.client.run("--json", "renew", "--force")
        assert ended.code == 7, (ended.out, ended.err)
        assert "no_such_directive" in ended.document["failed"][0]["error"]["message"]
        assert here.both() == [current] * 2
        assert here.issued in here.client.run("show", here.usage).out
        here.nginx.config.write_text(broken)
        assert here.nginx.check().returncode == 0
        assert here.client.run("apply").code == 0
        assert here.both() == [here.issued] * 2
        assert here.issued != current
        assert here.client.run("rollback", here.usage).code == 0
        assert here.both() == [here.issued] * 2
        assert here.client.certificate(here.usage)["serial"] == here.issued


def test_a_reload_that_ends_well_while_the_old_certificate_is_still_served_is_no_success(
    world: World, tmp_path: Path
) -> None:
    """FAULTS 119: only the handshake decides."""
    lazy = script(tmp_path / "lazy-reload", "")
    with site(world, tmp_path, "lazy.jp", reload=[str(lazy)]) as here:
        before, served = here.fingerprints(), here.both()
        ended = here.client.run("--json", "apply")
        assert ended.code == 7, (ended.out, ended.err)
        (failure,) = ended.document["failed"]
        assert failure["error"]["code"] == "not-served"
        assert f"127.0.0.1:{here.port}" in failure["error"]["message"]
        assert here.fingerprints() == before
        assert here.both() == served
        installed = here.client.certificate(here.usage)["installed"]
        assert installed == {"nginx": False}

        lazy.write_text(
            lazy.read_text() + f"import os\nos.execv({here.nginx.binary!r}, {list(here.nginx.reload_command)!r})\n"
        )
        assert here.client.run("apply").code == 0
        assert here.both() == [here.issued] * 2
        assert here.client.certificate(here.usage)["installed"] == {"nginx": True}


@pytest.mark.parametrize(
    ("body", "says"), [("print('no rights'); raise SystemExit(5)", "no rights"), ("raise SystemExit(1)", "1")]
)
def test_a_reload_that_fails_is_told_with_what_it_said(world: World, tmp_path: Path, body: str, says: str) -> None:
    failing = script(tmp_path / "failing-reload", body)
    with site(world, tmp_path, "reload.jp", reload=[str(failing)]) as here:
        before, served = here.fingerprints(), here.both()
        ended = here.client.run("--json", "apply")
        assert ended.code == 7, (ended.out, ended.err)
        assert ended.document["failed"][0]["error"]["code"] == "reload-failed"
        assert says in ended.document["failed"][0]["error"]["message"]
        assert here.fingerprints() == before
        assert here.both() == served


def test_an_nginx_that_does_not_run_leaves_the_deployment_pending(world: World, tmp_path: Path) -> None:
    """FAULTS 123: it is not started by us; once it runs, one plain apply reaches the goal."""
    with site(world, tmp_path, "stopped.jp") as here:
        here.nginx.stop()
        ended = here.client.run("--json", "apply")
        assert ended.code == 7, (ended.out, ended.err)
        assert [action["action"] for action in ended.document["done"]] == ["issue"]
        assert ended.document["failed"][0]["error"]["code"] == "server-not-running"
        assert here.nginx.check().returncode == 0  # the pair on disk always loads
        here.nginx.start()
        assert here.both() == [here.issued] * 2  # without a run of ours: it read what it found
        assert here.client.run("apply").code == 0
        assert here.client.certificate(here.usage)["installed"] == {"nginx": True}
        assert len(world.asked("newOrder")) == 1


def test_an_nginx_that_a_restart_ends_is_up_again_with_its_old_files(world: World, tmp_path: Path) -> None:
    """A reload may be a restart: what refuses the new certificate has by then let go of the old one."""
    restart = script(tmp_path / "restart", "")
    with site(world, tmp_path, "restart.jp", reload=[str(restart)]) as here:
        before, served = here.fingerprints(), here.both()
        taken, held = here.files["first"][0].read_bytes(), str(here.files["first"][0])
        restart.write_text(
            restart.read_text()
            + f"""
import os, pathlib, select, signal, subprocess, sys
pid_file = pathlib.Path({str(here.nginx.pid_file)!r})
if pid_file.exists() and (text := pid_file.read_text()):  # `nginx -t` leaves an empty one
    master = int(text)
    ended = os.pidfd_open(master)
    os.kill(master, signal.SIGTERM)
    select.select([ended], [], [])
if pathlib.Path({held!r}).read_bytes() != {taken!r}:
    sys.exit("not to my taste")
sys.exit(subprocess.run([{here.nginx.binary!r}, "-p", {str(here.nginx.folder)!r}, "-c", {str(here.nginx.config)!r}],
                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode)
"""
        )
        ended = here.client.run("--json", "apply")
        assert ended.code == 7, (ended.out, ended.err)
        assert ended.document["failed"][0]["error"]["code"] == "reload-failed"
        assert "not to my taste" in ended.document["failed"][0]["error"]["message"]
        assert here.fingerprints() == before
        assert here.both() == served


def test_an_nginx_that_cannot_start_without_its_files_is_given_them(world: World, tmp_path: Path) -> None:
    """A new host: nginx names files that nobody has made yet, so it cannot run before the first certificate."""
    with site(world, tmp_path, "new-host.jp") as here:
        here.nginx.stop()
        for path in {path for pair in here.files.values() for path in pair}:
            path.unlink()
        assert here.nginx.check().returncode != 0

        assert here.client.run("apply").code == 7

        here.nginx.start()
        assert here.client.run("apply").code == 0
        assert here.both() == [here.issued] * 2
        assert {key.stat().st_mode & 0o777 for _, key in here.files.values()} == {0o600}


def test_revoking_waits_until_the_replacement_is_served(world: World, tmp_path: Path) -> None:
    """TERMS R4, FAULTS 146: while nginx is broken nothing is revoked that it still serves; the next run goes on."""
    with site(world, tmp_path, "revoked.jp") as here:
        assert here.client.run("apply").code == 0
        old = here.issued
        good = here.nginx.config.read_text()
        here.nginx.config.write_text(good + "}\n")
        ended = here.client.run("--json", "revoke", here.usage, "--because", "key-compromised", "--yes")
        assert ended.code == 7, (ended.out, ended.err)
        assert world.asked("revokeCert") == []
        assert here.both() == [old] * 2
        revoke = [a for a in here.client.json("plan")["upcoming"] if a["action"] == "revoke"]
        assert len(revoke) == 1  # by its deadline in any case
        here.nginx.config.write_text(good)
        mended = here.client.run("--json", "apply")
        assert mended.code == 0, mended.err
        assert [action["action"] for action in mended.document["done"]] == ["install", "revoke"]
        assert here.both() == [here.issued] * 2
        assert here.issued != old
        status = world.ca.get(f"/cert-status-by-serial/{old}")
        assert (status["Status"], status["Reason"]) == ("Revoked", 1)


def test_what_would_be_installed_can_be_seen_before(world: World, tmp_path: Path) -> None:
    with site(world, tmp_path, "preview.jp") as here:
        here.client.replace('[defaults]\ninstall = ["nginx"]', "")
        assert here.client.run("apply").code == 0
        here.client.add('[defaults]\ninstall = ["nginx"]')
        before = here.fingerprints()
        shown = here.client.json("install", "--show")
        text = str(shown)
        for certificate, key in here.files.values():
            assert str(certificate) in text
            assert str(key) in text
        assert here.fingerprints() == before
        pem = (here.client.state / "live" / here.usage / "privkey.pem").read_bytes()
        private = serialization.load_pem_private_key(pem, None)
        assert private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode().splitlines()[1] not in text  # fmt: skip
        assert here.client.run("apply").code == 0
        assert here.both() == [here.issued] * 2
