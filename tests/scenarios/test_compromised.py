"""The day a key leaks: two nginx instances, and a kill in the middle (ご利用条件 第11条; TERMS R4; FAULTS 15, 147)."""

from __future__ import annotations

import shlex
import shutil
import signal
import socket
import sqlite3
import ssl
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from jprs_client.keys import spki_sha256
from tests.client import Client
from tests.nginx_server import NginxServer
from tests.readme import door
from tests.scenarios.hosts import World, new_port, serial_of, served_certificate
from tests.scenarios.test_nginx import first_files

#: Which certificate is served by which nginx; the first two share a key.
SERVED_BY = {"shop.jp": "one", "blog.jp": "two", "other.jp": "one"}
SHARING = ("shop.jp", "blog.jp")


@dataclass
class Host:
    """A client with three certificates on two nginx instances."""

    world: World
    client: Client
    ports: dict[str, int]
    usage: dict[str, str]

    def served(self, name: str) -> str:
        """The serial that a visitor gets."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.ports[SERVED_BY[name]]), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=self.usage[name]) as tls,
        ):
            der = tls.getpeercert(binary_form=True)
        assert der is not None
        return serial_of(x509.load_der_x509_certificate(der))

    def issued(self, name: str) -> str:
        """The serial of the version in service."""
        return serial_of(served_certificate(self.client, self.usage[name]))

    def is_revoked(self, serial: str) -> bool:
        """What the CA says."""
        return bool(self.world.ca.get(f"/cert-status-by-serial/{serial}")["Status"] == "Revoked")

    def crl(self) -> dict[str, x509.ReasonFlags]:
        """The serials that the CRL lists, each with its reason."""
        with urllib.request.urlopen(self.world.ca.pki + "/crl/0.crl", timeout=10) as answer:
            loaded = x509.load_der_x509_crl(answer.read())
        return {
            f"{entry.serial_number:x}": entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
            for entry in loaded
        }

    def key_of(self, name: str) -> Path:
        """The private key in service."""
        return self.client.state / "live" / self.usage[name] / "privkey.pem"

    def issue_with_the_key_of(self, name: str, donor: str) -> None:
        """Have `name` issued with a key that another one has, as a copy from an older host would.

        We never do so ourselves: the order is held up, and the key and its fingerprint are changed by hand.
        """
        self.world.ca.fault({"status": 503}, endpoint="newOrder", count=0)
        assert self.client.run("apply", self.usage[name]).code == 5
        self.world.ca.delete("/faults")
        pending = self.client.state / "pending" / self.usage[name] / "privkey.pem"
        shutil.copyfile(self.key_of(donor), pending)
        with sqlite3.connect(self.client.state / "state.db") as database:
            database.execute(
                "UPDATE journal SET key_spki_sha256 = ? WHERE lineage = ?",
                (spki_sha256(pending.read_bytes()), self.usage[name]),
            )
        database.close()


@contextmanager
def host(world: World, folder: Path, tag: str) -> Iterator[Host]:
    """Two nginx instances, three certificates, issued and served."""
    usage = {name: f"{tag}-{name}" for name in SERVED_BY}
    client, _ = world.client(folder / "host", *((name, "1y") for name in usage.values()))
    ports = {"one": new_port(), "two": new_port()}
    servers = {}
    for instance, port in ports.items():
        nginx = NginxServer(folder / instance)
        blocks = []
        for name, by in SERVED_BY.items():
            if by != instance:
                continue
            certificate, key = first_files(folder / "tls" / name, name)
            blocks.append(
                f"server {{ listen 127.0.0.1:{port} ssl; server_name {usage[name]} www.{usage[name]};\n"
                f"ssl_certificate {certificate}; ssl_certificate_key {key}; }}"
            )
        nginx.write("\n".join(blocks))
        servers[instance] = nginx
        reload = ", ".join(f'"{word}"' for word in nginx.reload_command)
        client.add(
            f'[installer.{instance}]\nplugin = "nginx"\nconfig = "{nginx.config}"\nprefix = "{nginx.folder}"\n'
            f"reload = [{reload}]"
        )
    for name, instance in SERVED_BY.items():
        client.add(
            f'[[certificate]]\nname = "{usage[name]}"\nusage_fqdns = ["{usage[name]}"]\ninstall = ["{instance}"]'
        )
    client.register()
    for nginx in servers.values():
        nginx.start()
    try:
        found = Host(world, client, ports, usage)
        assert client.run("apply", usage["shop.jp"], usage["other.jp"]).code == 0
        found.issue_with_the_key_of("blog.jp", "shop.jp")
        ended = client.run("apply")
        assert ended.code == 0, ended.err
        yield found
    finally:
        for nginx in servers.values():
            nginx.stop()


def started_and_killed(found: Host, command: list[str], *, new_ones: int) -> None:
    """Run `command`, and kill it once `new_ones` of the two sharing certificates are seen replaced by visitors."""
    before = {name: found.served(name) for name in SHARING}
    found.world.ca.fault({"delay": 30}, endpoint="revokeCert", count=0)
    with found.client.start(*command) as process:
        until = time.monotonic() + 60
        while sum(found.served(name) != before[name] for name in SHARING) < new_ones:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    found.world.ca.delete("/faults")


@pytest.mark.parametrize("new_ones", [1, 2])
def test_exactly_the_certificates_with_the_leaked_key_are_replaced_and_revoked(
    world: World, tmp_path: Path, new_ones: int
) -> None:
    with host(world, tmp_path, f"leak{new_ones}") as found:
        client = found.client
        old = {name: found.issued(name) for name in SERVED_BY}
        status = {each["name"]: each for each in client.json("status")["certificates"]}
        keys = {name: status[found.usage[name]]["key_spki_sha256"] for name in SERVED_BY}
        assert keys["shop.jp"] == keys["blog.jp"] != keys["other.jp"]
        shutil.copyfile(found.key_of("shop.jp"), client.home / "leaked.pem")
        world.ca.delete("/log")
        commands = [shlex.split(line)[1:] for line in door("compromised")]

        started_and_killed(found, commands[0], new_ones=new_ones)

        # Whatever is not served anew is not revoked.
        assert all(found.served(name) != old[name] for name in SHARING if found.is_revoked(old[name]))
        for command in commands:
            ended = client.run(*command)
            assert ended.code == 0, ended.err

        after = {name: found.served(name) for name in SERVED_BY}
        assert {name for name in SERVED_BY if after[name] != old[name]} == set(SHARING)
        assert after == {name: found.issued(name) for name in SERVED_BY}
        revoked = found.crl()
        assert {name for name in SERVED_BY if old[name] in revoked} == set(SHARING)
        assert {revoked[old[name]] for name in SHARING} == {x509.ReasonFlags.key_compromise}
        assert not any(found.is_revoked(serial) for serial in after.values())
        assert [len(world.asked("newOrder", found.usage[name])) for name in SERVED_BY] == [1, 1, 0]
        new_keys = {found.key_of(name).read_bytes() for name in SHARING}
        assert len(new_keys) == 2
        assert (client.home / "leaked.pem").read_bytes() not in new_keys
        # Said again, it is done; and said by name, the key that has just taken its place is not meant.
        for again in (["--key", "leaked.pem"], [found.usage["shop.jp"]]):
            assert client.json("compromised", *again) == {"done": [], "failed": [], "problems": []}
        assert {name: found.issued(name) for name in SERVED_BY} == after


def test_the_old_certificate_is_revoked_only_once_visitors_get_the_new_one(world: World, tmp_path: Path) -> None:
    """Whether it is held up by the CA or by the web server (FAULTS 146)."""
    with host(world, tmp_path, "order") as found:
        client = found.client
        old = {name: found.issued(name) for name in SERVED_BY}
        broken = tmp_path / "two" / "nginx.conf"
        whole = broken.read_text()
        broken.write_text(whole + "nonsense;\n")

        ended = client.run("compromised", found.usage["shop.jp"])

        assert ended.code == 7, ended.err
        assert found.is_revoked(old["shop.jp"])
        assert not found.is_revoked(old["blog.jp"])
        assert found.served("blog.jp") == old["blog.jp"]
        assert [each["action"] for each in client.json("plan")["actions"]] == ["install"]
        broken.write_text(whole)
        assert client.run("apply").code == 0
        assert found.is_revoked(old["blog.jp"])
        assert found.served("blog.jp") == found.issued("blog.jp")


def test_the_deadline_comes_before_the_replacement(world: World, tmp_path: Path) -> None:
    """R3: within 24 hours, or sooner where asked for, whether the replacement came or not."""
    client, _ = world.client(tmp_path / "host", ("deadline.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    leaked = client.certificate("deadline.jp")["serial"]
    world.ca.fault({"status": 403, "type": "rejectedIdentifier"}, endpoint="newOrder", count=0)

    assert client.run("compromised", "deadline.jp", "--deadline", "2h").code == 4
    assert world.ca.get(f"/cert-status-by-serial/{leaked}")["Status"] == "Valid"
    waiting = [each for each in client.json("plan")["upcoming"] if each["action"] == "revoke"]
    assert len(waiting) == 1
    assert client.run("compromised", "deadline.jp", "--now").code == 4

    assert world.ca.get(f"/cert-status-by-serial/{leaked}")["Reason"] == 1
    world.quiet()
    assert client.run("apply").code == 0
    assert client.certificate("deadline.jp")["status"] == "valid"


def test_a_timer_keeps_a_deadline_that_is_over_before_it_comes_again(world: World, tmp_path: Path) -> None:
    """R3: never later than the deadline, and not sooner than need be."""
    client, _ = world.client(tmp_path / "host", ("timer.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    leaked = client.certificate("timer.jp")["serial"]
    world.ca.fault({"status": 503}, endpoint="newOrder", count=0)
    assert client.run("compromised", "timer.jp").code == 5
    begun = datetime.now(UTC)
    for hours, status in ((11, "Valid"), (23, "Revoked")):
        client.at = begun + timedelta(hours=hours)
        assert client.run("apply", "--next-run", "750m").code == 5
        assert world.ca.get(f"/cert-status-by-serial/{leaked}")["Status"] == status
    world.quiet()

    assert client.run("apply").code == 0
    assert client.certificate("timer.jp")["status"] == "valid"


def test_a_compromised_key_is_refused_when_it_turns_up_again(world: World, tmp_path: Path) -> None:
    """FAULTS 148: from an order that was under way when the key was given up, or from a copy."""
    with host(world, tmp_path, "again") as found:
        client = found.client
        shutil.copyfile(found.key_of("shop.jp"), client.home / "leaked.pem")
        assert client.run("compromised", "--key", "leaked.pem").code == 0
        serial = found.issued("other.jp")
        with sqlite3.connect(client.state / "state.db") as database:
            database.execute(
                "UPDATE certificate SET key_spki_sha256 = ? WHERE serial = ?",
                (spki_sha256((client.home / "leaked.pem").read_bytes()), serial),
            )
        database.close()

        ended = client.run("apply")

        assert ended.code == 0, ended.err
        assert serial in ended.err
        assert found.is_revoked(serial)
        assert found.served("other.jp") == found.issued("other.jp") != serial


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        ((), 2, "compromised-what"),
        (("--all", "--key", "x"), 2, "options-not-together"),
        (("--key", "not-there.pem"), 2, "compromised-key-unreadable"),
        (("--key", "config.toml"), 2, "compromised-no-key"),
        (("--key", "state/accounts"), 2, "compromised-key-unreadable"),
        (("nobody.jp",), 2, "no-such-certificate"),
    ],
)
def test_what_cannot_be_meant_is_said(
    world: World, tmp_path: Path, arguments: tuple[str, ...], code: int, error: str
) -> None:
    client, _ = world.client(tmp_path / "host", ("meant.jp", "1y"))
    (client.home / "state" / "accounts").mkdir(parents=True)

    for language in ("en", "ja"):
        ended = client.run("--json", "--lang", language, "compromised", *arguments)
        assert (ended.code, ended.document["error"]["code"]) == (code, error)
        assert ended.document["error"]["next_step"]


def test_the_accounts_own_key_is_another_matter(world: World, tmp_path: Path) -> None:
    """TERMS A2: JPRS itself is to be told at once."""
    client, _ = world.client(tmp_path / "host", ("account-key.jp", "1y"))
    client.register()
    key = next(path for path in client.state.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes())

    ended = client.run("--json", "compromised", "--key", str(key))

    assert (ended.code, ended.document["error"]["code"]) == (4, "compromised-account-key")
    assert "JPRS" in ended.document["error"]["next_step"]


def test_a_leak_of_today_is_not_taken_for_the_one_of_an_older_version(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("twice.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    assert client.run("renew", "--force").code == 0
    older = client.state / "archive" / "twice.jp" / "1" / "privkey.pem"
    assert client.run("compromised", "--key", str(older)).code == 0
    leaked = client.certificate("twice.jp")["serial"]

    ended = client.run("compromised", "twice.jp")

    assert ended.code == 0, ended.err
    assert world.ca.get(f"/cert-status-by-serial/{leaked}")["Reason"] == 1
    newest = client.certificate("twice.jp")["serial"]
    again = client.run("compromised", "--all")  # the one that has just taken its place is not meant, and that is said
    assert again.code == 0
    assert str(client.state / "live" / "twice.jp" / "privkey.pem") in again.err
    assert client.certificate("twice.jp")["serial"] == newest


def test_what_was_revoked_first_is_replaced_when_it_is_run_again(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("now.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    world.ca.fault({"status": 503}, endpoint="newOrder", count=0)
    assert client.run("compromised", "now.jp", "--now").code == 5
    assert client.certificate("now.jp")["status"] == "revoked"
    world.quiet()

    assert client.run("compromised", "now.jp").code == 0

    assert client.certificate("now.jp")["status"] == "valid"


def test_run_again_by_name_it_goes_on_for_all_that_share_the_key(world: World, tmp_path: Path) -> None:
    with host(world, tmp_path, "shared") as found:
        client = found.client
        old = {name: found.issued(name) for name in SERVED_BY}
        world.ca.fault({"status": 503}, endpoint="newOrder", name=found.usage["blog.jp"], count=0)
        assert client.run("compromised", found.usage["shop.jp"]).code == 5
        assert [found.is_revoked(old[name]) for name in SERVED_BY] == [True, False, False]
        world.ca.delete("/faults")

        assert client.run("compromised", found.usage["shop.jp"]).code == 0

        assert [found.is_revoked(old[name]) for name in SERVED_BY] == [True, True, False]
        assert found.served("blog.jp") == found.issued("blog.jp") != old["blog.jp"]


def test_a_certificate_by_another_name_takes_the_place_of_the_old_one_first(world: World, tmp_path: Path) -> None:
    """The lineage was renamed in the configuration: what serves its names now is what has to be served (FAULTS 146)."""
    with host(world, tmp_path, "renamed") as found:
        client = found.client
        old = found.issued("blog.jp")
        shutil.copyfile(found.key_of("blog.jp"), client.home / "leaked.pem")
        client.replace(f'name = "{found.usage["blog.jp"]}"\nusage_fqdns', 'name = "blog"\nusage_fqdns')
        broken = tmp_path / "two" / "nginx.conf"
        whole = broken.read_text()
        broken.write_text(whole + "nonsense;\n")

        assert client.run("compromised", "--key", "leaked.pem").code == 7
        assert found.served("blog.jp") == old
        assert not found.is_revoked(old)

        broken.write_text(whole)
        assert client.run("compromised", "--key", "leaked.pem").code == 0
        assert found.served("blog.jp") == serial_of(served_certificate(client, "blog")) != old
        assert found.is_revoked(old)


def test_a_site_that_nothing_is_installed_on_any_more_keeps_the_revocation_to_its_deadline(
    world: World, tmp_path: Path
) -> None:
    with host(world, tmp_path, "dropped") as found:
        client = found.client
        old = found.issued("blog.jp")
        world.ca.fault({"status": 503}, endpoint="newOrder", count=0)
        assert client.run("compromised", found.usage["blog.jp"]).code == 5
        world.ca.delete("/faults")
        client.replace('install = ["two"]', "install = []")

        ended = client.run("--json", "apply")

        assert found.served("blog.jp") == old
        assert not found.is_revoked(old)
        assert "shown-without-successor" in [each["code"] for each in ended.document["problems"]]
        assert client.run("compromised", found.usage["blog.jp"], "--now").code == 0
        assert found.is_revoked(old)


def test_what_has_expired_meanwhile_is_not_revoked_any_more(world: World, tmp_path: Path) -> None:
    """No CA revokes what has expired: the duty is over, and nothing fails for ever."""
    client, _ = world.client(tmp_path / "host", ("expired.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    ends = datetime.fromisoformat(client.certificate("expired.jp")["not_after"])
    world.ca.fault({"status": 503}, endpoint="newOrder", count=0)
    client.at = ends - timedelta(hours=5)
    assert client.run("compromised", "expired.jp").code == 5
    world.quiet()
    client.at = ends + timedelta(hours=20)
    before = world.ca.clock()
    world.ca.clock_set(client.at)
    try:
        assert client.run("apply").code == 0

        assert client.certificate("expired.jp")["status"] == "valid"
        assert world.asked("revokeCert") == []
        assert client.run("plan", "--check").code == 0
    finally:
        world.ca.clock_set(before)


def test_a_certificate_that_was_issued_while_its_key_leaked_never_comes_to_use(world: World, tmp_path: Path) -> None:
    """Killed between finalize and download, its key given up: the CA has issued it all the same (TERMS R4)."""
    client, identity = world.client(tmp_path / "host", ("pending.jp", "1y"))
    client.register()
    world.ca.fault({"delay": 30}, endpoint="certificate", count=0)
    with client.start("apply") as process:
        until = time.monotonic() + 60
        while not world.ca.get(f"/jprs/subscribers/{identity}")["certificates"]:
            assert time.monotonic() < until
        process.kill()
        process.communicate()
    world.ca.delete("/faults")
    shutil.copyfile(client.state / "pending" / "pending.jp" / "privkey.pem", client.home / "leaked.pem")
    assert client.run("compromised", "--key", "leaked.pem").code == 0

    assert client.run("apply").code == 0

    issued = {each["serial"].lstrip("0") for each in world.ca.get(f"/jprs/subscribers/{identity}")["certificates"]}
    served = serial_of(served_certificate(client, "pending.jp"))
    assert len(issued) == 2
    (other,) = issued - {served}
    assert world.ca.get(f"/cert-status-by-serial/{other}")["Reason"] == 1
    assert world.ca.get(f"/cert-status-by-serial/{served}")["Status"] == "Valid"
    assert (client.home / "leaked.pem").read_bytes() != (client.state / "live/pending.jp/privkey.pem").read_bytes()
    assert client.run("plan", "--check").code == 0


def test_a_file_that_has_the_new_key_by_now_means_the_old_one(world: World, tmp_path: Path) -> None:
    """`--key` names a path, and what lies under live/ changes: run again, it goes on where it was."""
    client, _ = world.client(tmp_path / "host", ("path.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    live = client.state / "live" / "path.jp" / "privkey.pem"
    world.ca.fault({"status": 503}, endpoint="revokeCert", count=0)
    assert client.run("compromised", "--key", str(live)).code == 5
    new = client.certificate("path.jp")["serial"]
    world.quiet()

    for _ in range(2):
        assert client.run("compromised", "--key", str(live)).code == 0
        assert client.certificate("path.jp")["serial"] == new

    assert len(world.asked("revokeCert")) == 1
    assert world.asked("newOrder") == []
    assert client.run("compromised", "--key", str(live), "--yes").code == 0
    assert client.certificate("path.jp")["serial"] != new


def test_a_leak_that_waits_is_told_by_status_and_check(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("told.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    leaked = client.certificate("told.jp")["serial"]
    assert client.json("status")["revocations"] == []
    world.ca.fault({"status": 503}, endpoint="newOrder", count=0)
    assert client.run("compromised", "told.jp").code == 5

    checked, told = client.run("check"), client.run("status")

    assert checked.code == 1
    assert leaked in checked.out
    assert leaked in told.out
    (waiting,) = client.json("status")["revocations"]
    assert (waiting["certificate"], waiting["serial"], waiting["code"]) == ("told.jp", leaked, 1)
