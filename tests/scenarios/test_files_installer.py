"""Files for everything else, as the README has it: written, a command run, and put back when that fails."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from jprs_client import keys
from tests import needs
from tests.client import Client
from tests.install.world import snapshot
from tests.readme import door
from tests.scenarios.hosts import World, script, served_certificate


@dataclass
class Mail:
    """A client configured by the README's lines, for a mail server that is a folder and a command."""

    client: Client
    usage: str
    folder: Path

    @property
    def ran(self) -> int:
        """How often the command was run."""
        record = self.folder.parent / "ran"
        return record.read_text().count("\n") if record.exists() else 0

    def break_server(self, *, broken: bool = True) -> None:
        """Let the command fail, as a mail server with a mistake in its configuration does."""
        marker = self.folder.parent / "broken"
        if broken:
            marker.touch()
        else:
            marker.unlink()

    def pair(self) -> tuple[Path, Path]:
        """The files that the README names."""
        return self.folder / "tls.pem", self.folder / "tls.key"

    def serial(self) -> int:
        """Of the certificate in the folder, whose key is the one beside it."""
        chain, key = self.pair()
        certificate = x509.load_pem_x509_certificate(chain.read_bytes())
        assert keys.load(key.read_bytes()).public_key() == certificate.public_key()
        return certificate.serial_number


def made(world: World, folder: Path, usage: str, *more: str) -> Mail:
    """A registered client with the door's table, its paths and command replaced by harmless ones."""
    client, _ = world.client(folder, (usage, "1y"))
    place = folder / "mail"
    place.mkdir()
    ran, broken = folder / "ran", folder / "broken"
    command = script(
        folder / "reload",
        f"import pathlib, sys\nopen({str(ran)!r}, 'a').write('ran\\n')\n"
        f"if pathlib.Path({str(broken)!r}).exists():\n    sys.exit('postfix/master: fatal: bad TLS file')",
    )
    lines = [line.replace("/etc/mail/", f"{place}/") for line in door("files")]
    lines = [f'command = ["{command}", "reload"]' if line.startswith("command") else line for line in lines]
    assert sum(str(folder) in line for line in lines) == 3
    client.add('[defaults]\ninstall = ["mail"]')
    client.add("\n".join([*lines, *more]))
    client.register()
    return Mail(client, usage, place)


@pytest.mark.slow
def test_files_are_written_once_with_mode_and_owner_and_the_command_is_run_once(world: World, tmp_path: Path) -> None:
    needs.root()
    mail = made(world, tmp_path, "files.example.jp", 'group = "mail"', 'key_mode = "0640"')
    (done,) = [each for each in mail.client.json("apply")["done"] if each["action"] == "install"]

    assert done["certificate"] == mail.usage
    assert mail.ran == 1
    assert mail.serial() == served_certificate(mail.client, mail.usage).serial_number
    group = next(int(line.split(":")[2]) for line in Path("/etc/group").read_text().splitlines() if line[:5] == "mail:")
    modes = [(stat.S_IMODE(path.stat().st_mode), path.stat().st_uid, path.stat().st_gid) for path in mail.pair()]
    assert modes == [(0o644, os.geteuid(), group), (0o640, os.geteuid(), group)]

    before = snapshot(mail.folder)
    assert mail.client.json("apply") == {"done": [], "failed": [], "problems": []}
    assert (snapshot(mail.folder), mail.ran) == (before, 1)


@pytest.mark.slow
def test_a_command_that_fails_puts_the_old_files_back_until_it_works_again(world: World, tmp_path: Path) -> None:
    mail = made(world, tmp_path, "postfix.example.jp")
    assert mail.client.run("apply").code == 0
    old, before = mail.serial(), snapshot(mail.folder)

    mail.break_server()
    ended = mail.client.run("renew", "--force", mail.usage)

    assert ended.code == 7
    assert "bad TLS file" in ended.err
    assert f"jprs-client install {mail.usage}" in ended.err
    assert snapshot(mail.folder) == before

    mail.break_server(broken=False)
    calls = mail.ran
    assert mail.client.run("apply", mail.usage).code == 0
    assert mail.serial() == served_certificate(mail.client, mail.usage).serial_number != old
    assert mail.ran == calls + 1


@pytest.mark.slow
def test_two_certificates_by_one_table(world: World, tmp_path: Path) -> None:
    """`{name}` gives each its own file; without it nothing is begun."""
    client, _ = world.client(tmp_path, ("one.example.jp", "1y"), ("two.example.jp", "1m"))
    client.add('[defaults]\ninstall = ["proxy"]')
    client.add('[installer.proxy]\nplugin = "files"\ncombined = "certs/site.pem"')
    (tmp_path / "certs").mkdir()

    refused = client.run("apply")
    assert (refused.code, world.asked("newOrder")) == (3, [])
    assert "config.toml" in refused.err
    assert "{name}" in refused.err

    client.replace("certs/site.pem", "certs/{name}.pem")
    client.register()
    assert client.run("apply").code == 0
    for name in ("one.example.jp", "two.example.jp"):
        combined = (tmp_path / "certs" / f"{name}.pem").read_bytes()
        certificate = x509.load_pem_x509_certificate(combined[combined.index(b"-----BEGIN CERT") :])
        assert keys.load(combined).public_key() == certificate.public_key()
        assert certificate == served_certificate(client, name)
