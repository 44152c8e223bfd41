"""The daemon as systemd and people meet it: a real process, a bundled CA, and a manager that listens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.client import FAKETIME, Client
from tests.daemon.manager import Running, ServiceManager, daemon
from tests.nginx_server import NginxServer
from tests.scenarios.hosts import World, add_hook_solver, hook_for_txt, leftovers, script, serial_of, served_certificate
from tests.scenarios.test_nginx import site

pytestmark = pytest.mark.usefixtures("measured_children")


def until_asked(world: World, running: Running, endpoint: str) -> None:
    """Wait until the CA was asked at `endpoint`."""
    deadline = time.monotonic() + 60
    while not world.asked(endpoint):
        assert running.process.poll() is None
        assert time.monotonic() < deadline


def proving_by_calls(world: World, folder: Path, usage: str) -> tuple[Client, Path]:
    """A client that proves by DNS, and the file in which every call of its hook stands."""
    client, _ = world.client(folder / "host", (usage, "1y"), solver=False)
    calls = folder / "calls"
    hook = hook_for_txt(
        folder / "hook", world.ca.management, trust=world.ca.trust,
        before=f"open({str(calls)!r}, 'a').write(verb + ' ' + os.environ['CERTBOT_VALIDATION'] + chr(10))",
    )  # fmt: skip
    add_hook_solver(client, "web", [hook], "dns-01")
    return client, calls


def proofs_up(calls: Path) -> set[str]:
    up: set[str] = set()
    for line in calls.read_text().splitlines():
        verb, value = line.split(" ", 1)
        (up.add if verb == "present" else up.discard)(value)
    return up


def test_a_daemon_issues_reloads_and_stops(world: World, tmp_path: Path) -> None:
    """READY, a certificate, a usage FQDN more, a configuration that is wrong, and the end; nothing grows meanwhile."""
    client, _ = world.client(tmp_path / "host", ("first-daemon.jp", "1y"))
    client.register()
    with daemon(client, "--json") as running:
        manager = running.manager
        manager.until("READY=1")
        manager.until("STATUS=first-daemon.jp: issued")
        assert "none failing" in manager.waking("ask the CA when to renew first-daemon.jp")
        assert manager.silent_for(0.2, "STATUS")
        files = running.descriptors

        good = client.config.read_text()
        client.config.write_text(good + "\n[defaults]\nkey_type = 7\ninstall = [1]\n")
        running.signal(signal.SIGHUP)
        manager.until("RELOADING=1")
        assert manager.until("MONOTONIC_USEC=").partition("=")[2].isdecimal()
        manager.until("READY=1")
        manager.waking("the one read before stays in force")
        client.config.write_text(good.replace('term = "1y"', 'term = "1m"'))
        for _ in range(3):
            running.signal(signal.SIGHUP)
            manager.until("RELOADING=1")
            manager.until("READY=1")
            manager.waking("none failing")
        assert manager.silent_for(0.2, "STATUS")
        assert running.descriptors == files

        assert client.run("status").code == 0  # others may work beside it
        assert client.run("apply").code == 0
        second = client.run("--json", "daemon")
        assert (second.code, second.document["error"]["code"]) == (6, "daemon-runs")

        began = time.monotonic()
        running.signal(signal.SIGTERM)
        manager.until("STOPPING=1")
        assert running.ended() == 0
        assert time.monotonic() - began < 5
    assert client.certificate("first-daemon.jp")["status"] == "valid"
    assert len(world.asked("newOrder")) == 1
    first, *others = running.rounds
    assert [each["action"] for each in first["done"]] == ["issue"]
    assert set(first) == {"at", "done", "failed", "problems", "next_at"}
    assert len(others) == 4
    assert not any(each["done"] or each["failed"] for each in others)
    assert running.err.count("config.toml:") >= 2, running.err  # both faults, with their lines
    assert "stays in force" in running.err
    assert "Stopped." in running.err


def test_a_usage_fqdn_that_is_added_is_served_after_a_reload(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("one-of-two.jp", "1y"), ("two-of-two.jp", "1y"))
    whole = client.config.read_text()
    client.config.write_text(whole.partition('[[usage_fqdn]]\nname = "two-of-two.jp"')[0])
    client.register()
    with daemon(client, "--lang", "ja") as running:
        running.manager.until("STATUS=one-of-two.jp: 発行されました")
        running.manager.until(lambda said: "証明書は 1 件、失敗しているものはありません" in said)
        client.config.write_text(whole)
        running.signal(signal.SIGHUP)
        running.manager.until("STATUS=two-of-two.jp: 発行されました")
        running.manager.until(lambda said: "証明書は 2 件、失敗しているものはありません" in said)
        running.signal(signal.SIGINT)
        assert running.ended() == 0
    assert client.certificate("two-of-two.jp")["status"] == "valid"
    assert running.out == ""
    assert "完了: " in running.err


def test_what_waits_for_a_person_is_not_asked_for_again_and_again(world: World, tmp_path: Path) -> None:
    """Neither account nor confirmation: one round, one word on it and one notice, and no request."""
    client, _ = world.client(tmp_path / "host", ("waits.jp", "1y"), start_usage=False)
    mail = tmp_path / "mail"
    notifier = script(tmp_path / "notifier", f"import sys\nopen({str(mail)!r}, 'a').write(sys.stdin.read() + chr(10))")
    client.add(f'[notify]\ncommand = ["{notifier}"]')
    with daemon(client, "--json", watchdog=1.0) as running:
        running.manager.waking("waits for a person")
        assert running.manager.silent_for(1.2, "STATUS")
        assert world.ca.log() == []
        client.register()  # what another command does is noticed at the next heartbeat
        running.manager.waking("waits for a person")
        running.manager.until(lambda _: "start-waits" in mail.read_text())
        assert running.manager.silent_for(1.2, "STATUS")
        assert running.stop() == 0
    met = [[problem["code"] for problem in each["problems"]] for each in running.rounds]
    assert met[0] == ["not-registered"]
    assert met[-1] == ["start-not-confirmed"]
    assert len(met) <= 4, met  # registering writes more than once
    assert running.err.count("A first certificate for waits.jp") == 1, running.err
    told = [notice["code"] for line in mail.read_text().splitlines() for notice in json.loads(line)]
    assert sorted(told) == ["not-registered", "not-registered", "start-waits"]  # that it is so, and that it is over
    assert world.asked("newOrder") == []


def test_a_start_that_cannot_be_is_refused(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("refused.jp", "1y"))
    client.state.write_text("not a folder")
    assert client.run("daemon").code == 3
    client.state.unlink()
    client.add("[nonsense]")
    ended = client.run("--json", "daemon")
    assert (ended.code, ended.document["error"]["problems"][0]["key"]) == (3, "nonsense")
    assert not client.state.exists()


def test_a_signal_while_it_starts_is_heard_as_later(world: World, tmp_path: Path) -> None:
    """SIGHUP is no accident, and SIGTERM a stop in order: nothing was begun."""
    client, _ = world.client(tmp_path / "host", ("starting.jp", "1y"))
    client.register()
    world.quiet()
    whole = client.config.read_text()
    client.config.unlink()
    os.mkfifo(client.config)
    with daemon(client) as running, client.config.open("w") as being_read:
        running.signal(signal.SIGHUP)
        running.signal(signal.SIGTERM)
        running.manager.until("STOPPING=1")
        being_read.write(whole)
        being_read.close()
        assert running.ended() == 0
        while running.manager.hear(0):
            pass
        assert "READY=1" not in running.manager.told
    assert "Stopped." in running.err
    assert world.ca.log() == []


@pytest.mark.parametrize("module", ["jprs_client.cli.daemon", "jprs_client.daemon"])
def test_a_stop_is_heard_where_what_it_raises_is_swallowed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    """As Python does in the callbacks of its importing."""
    client, _ = world.client(tmp_path / "host", ("swallowed.jp", "1y"))
    client.register()
    world.quiet()
    (tmp_path / "sitecustomize.py").write_text(
        f"""
import os, signal, sys
class Stops:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                os.getpid()
            except KeyboardInterrupt:
                pass
sys.meta_path.insert(0, Stops())
"""
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path.cwd())]))
    with daemon(client) as running:
        assert running.ended() == 0
    assert "Stopped." in running.err
    assert world.ca.log() == []


def test_no_signal_ends_it_otherwise_while_it_ends(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("ending.jp", "1y"))
    client.register()
    with daemon(client) as running:
        running.manager.waking("none failing")
        running.signal(signal.SIGTERM)
        running.manager.until("STOPPING=1")
        while running.process.poll() is None:
            running.signal(signal.SIGHUP)
        assert running.ended() == 0
    with daemon(client) as running:
        running.manager.waking("none failing")
        while running.process.poll() is None:
            running.signal(signal.SIGTERM)
        assert running.ended() in {0, 128 + signal.SIGTERM}


def test_a_stop_in_the_middle_of_an_order_leaves_no_proof_and_the_next_run_goes_on(
    world: World, tmp_path: Path
) -> None:
    """FAULTS 19: once while it waits for the CA's look, once while the CA keeps it waiting for an answer."""
    client, calls = proving_by_calls(world, tmp_path, "stopped.jp")
    client.register()
    world.quiet()
    world.ca.fault({"merge": {"status": "pending"}}, endpoint="order", count=0)
    with daemon(client) as running:
        until_asked(world, running, "order")
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 5
    assert calls.read_text().startswith("present")
    assert proofs_up(calls) == set()

    world.quiet()
    world.ca.fault({"delay": 25}, endpoint="finalize")
    with daemon(client) as running:
        until_asked(world, running, "order")
        running.manager.until("STATUS=stopped.jp: control is proved")
        began = time.monotonic()
        running.signal(signal.SIGTERM)
        running.manager.until("STOPPING=1", seconds=2)
        assert running.ended() == 0
        assert time.monotonic() - began < 10
    assert proofs_up(calls) == set()
    assert len(leftovers(client)) == 1  # the key of the order that is gone on with
    assert world.asked("newOrder") == []
    world.ca.delete("/faults")

    assert client.run("apply").code == 0
    assert world.asked("newOrder") == []
    assert client.certificate("stopped.jp")["status"] == "valid"


def test_a_second_signal_is_not_kept_waiting(world: World, tmp_path: Path) -> None:
    client, calls = proving_by_calls(world, tmp_path, "at-once.jp")
    client.register()
    world.quiet()
    world.ca.fault({"delay": 25}, endpoint="challenge")
    with daemon(client) as running:
        running.manager.until("STATUS=at-once.jp: proving")
        until_asked(world, running, "authorization")
        while not calls.exists():
            assert running.process.poll() is None
        running.signal(signal.SIGTERM)
        running.manager.until("STOPPING=1")
        running.signal(signal.SIGTERM)
        assert running.ended() == 128 + signal.SIGTERM
    assert proofs_up(calls) == set()


def test_an_install_that_is_under_way_is_finished_before_the_stop(world: World, tmp_path: Path) -> None:
    """To finish it is quicker than to put it back; what else is due is left for the next run."""
    begun, go_on, nginx = tmp_path / "begun", tmp_path / "go-on", NginxServer(tmp_path / "nginx")
    slow = script(
        tmp_path / "slow",
        f"""
import os, select, subprocess
open({str(begun)!r}, "w").close()
while not os.path.exists({str(go_on)!r}):
    select.select((), (), (), 0.01)
raise SystemExit(subprocess.run({list(nginx.reload_command)!r}).returncode)
""",
    )
    with site(world, tmp_path, "finished.jp", reload=[str(slow)]) as here:
        with daemon(here.client) as running:
            running.manager.until("STATUS=finished.jp: installing")
            while not begun.exists():
                assert running.process.poll() is None
            running.signal(signal.SIGTERM)
            running.manager.until("STOPPING=1")
            go_on.touch()
            running.manager.until("STATUS=finished.jp: nginx serves it")
            assert running.ended() == 0
        assert here.both() == [here.issued] * 2
        assert here.client.certificate("finished.jp")["installed"] == {"nginx": True}
        assert here.client.run("plan", "--check").code == 0


def test_clocks_that_were_set_and_failures_are_followed(world: World, tmp_path: Path) -> None:
    """A CA in trouble is asked at its own moment, and a machine that slept for two months renews (FAULTS 48)."""
    client, _ = world.client(tmp_path / "host", ("slept.jp", "1y"))
    client.register()
    world.quiet()
    world.ca.fault({"status": 503, "type": "serverInternal"}, endpoint="newOrder", count=0)
    moved = tmp_path / "moved"
    moved.write_text("+0")
    faked = {
        "LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(moved), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    with daemon(client, "--json", watchdog=1.0, **faked) as running:
        manager = running.manager
        assert "failing: 1" in manager.waking("issue slept.jp")
        asked = len(world.asked("newOrder"))
        manager.until("WATCHDOG=1")
        manager.until("WATCHDOG=1")
        running.signal(signal.SIGHUP)  # a person mended something: tried at once, whatever our caution says
        manager.waking("failing: 1")
        assert len(world.asked("newOrder")) == 2 * asked
        assert manager.silent_for(1.0, "STATUS")
        assert len(world.asked("newOrder")) == 2 * asked

        world.ca.delete("/faults")
        moved.write_text("+5m")
        manager.until("STATUS=slept.jp: issued")
        manager.waking("none failing")
        first = serial_of(served_certificate(client, "slept.jp"))

        moved.write_text("+61d")
        manager.until("STATUS=slept.jp: issued")
        assert serial_of(served_certificate(client, "slept.jp")) != first
        manager.until("WATCHDOG=1")

        running.signal(signal.SIGSTOP)
        assert manager.silent_for(1.0, "WATCHDOG=1")
        running.signal(signal.SIGCONT)
        manager.until("WATCHDOG=1")
        assert running.stop() == 0
    assert [[each["action"] for each in round_["done"]] for round_ in running.rounds][:4] == [
        [], [], ["issue"], ["renew"],
    ]  # fmt: skip
    assert running.err.count("failed: ") == 1, running.err


def test_a_state_that_cannot_be_used_meanwhile_is_said_once_and_waited_for(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("lost-state.jp", "1y"))
    told = tmp_path / "told"
    notifier = script(tmp_path / "notifier", f"import sys\nopen({str(told)!r}, 'a').write(sys.stdin.read() + chr(10))")
    client.add(f'[notify]\ncommand = ["{notifier}"]')
    client.register()
    with daemon(client, "--json") as running:
        running.manager.waking("none failing")
        database = client.state / "state.db"
        kept = database.read_bytes()
        for path in client.state.glob("state.db*"):
            path.unlink()
        database.write_bytes(b"this is no database" * 100)
        for _ in range(2):
            running.signal(signal.SIGHUP)
            running.manager.until("STATUS=Could not work; tries again at")
        database.write_bytes(kept)
        running.signal(signal.SIGHUP)
        running.manager.waking("none failing")
        assert running.stop() == 0
    codes = [each.get("error", {}).get("code") for each in running.rounds]
    assert codes[1] is not None
    assert codes == [None, codes[1], codes[1], None]
    notices = [[(each["level"], each["code"]) for each in json.loads(line)] for line in told.read_text().splitlines()]
    assert notices == [[("critical", "run-failed")], [("ok", "run-failed")]]
    assert running.err.count("error: ") == 1, running.err
    assert "works again" in running.err


def test_a_fault_of_ours_or_a_strangers_is_shown_and_waited_for(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody foresaw it: the traceback is there, and the daemon too, which tries again, and not in a loop."""
    plugin = tmp_path / "plugin"
    (plugin / "broken-1.0.dist-info").mkdir(parents=True)
    (plugin / "broken-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (plugin / "broken-1.0.dist-info" / "entry_points.txt").write_text("[jprs_client.solvers]\nbroken = broken:Solver\n")
    (plugin / "broken.py").write_text(
        "import os\n"
        "class Solver:\n"
        "    challenge_type = 'http-01'\n"
        "    options = {}\n"
        "    def __init__(self, settings): pass\n"
        "    def present(self, proof):\n"
        "        raise RuntimeError('\\x1b[2Jwhat a surprise ' + str('NOTIFY_SOCKET' in os.environ))\n"
        "    def clean_up(self, proof): pass\n"
    )
    client, _ = world.client(tmp_path / "host", ("surprised.jp", "1y"), solver=False)
    client.add('[solver.web]\nplugin = "broken"')
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(plugin), str(Path.cwd())]))
    client.register()
    with daemon(client, "--json") as running:
        running.manager.until("STATUS=Next")
        assert running.manager.silent_for(1.0, "STATUS")
        running.signal(signal.SIGTERM)
        out, err = running.process.communicate(timeout=60)
        assert running.process.returncode == 0
    rounds = [json.loads(line) for line in out.splitlines()]
    assert [[each["error"]["code"] for each in found["failed"]] for found in rounds] == [["unforeseen"]]
    assert "RuntimeError: [2Jwhat a surprise False" in err  # and no child of ours could speak for us


@pytest.mark.parametrize("log", ["full", "gone"])
def test_a_log_that_is_full_or_gone_stops_no_issuance(world: World, tmp_path: Path, log: str) -> None:
    """FAULTS 22; what `systemctl status` shows says so."""
    client, _ = world.client(tmp_path / "host", (f"log-{log}.jp", "1y"))
    client.register()
    if log == "full":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, descriptor = os.pipe()
        os.close(reader)
    manager = ServiceManager()
    process = subprocess.Popen(
        client.command("--json", "daemon"), stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor,
        env={**client.environment(), "NOTIFY_SOCKET": manager.address}, cwd=client.home,
    )  # fmt: skip
    os.close(descriptor)
    try:
        manager.until(f"STATUS=log-{log}.jp: issued")
        manager.waking("Its log cannot be written: ")
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        manager.close()
    assert client.certificate(f"log-{log}.jp")["status"] == "valid"
