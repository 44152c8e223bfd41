"""Killed at any moment, or with the CA's answer lost: the next plain run goes on, and orders nothing twice."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.client import Client
from tests.scenarios.hosts import (
    World,
    add_hook_solver,
    hook_for_txt,
    leftovers,
    private_keys,
    script,
    serial_of,
    served_certificate,
    too_open,
)
from tests.scenarios.test_nginx import site

#: Longer than any test waits: whoever is held by it is killed.
HELD = {"delay": 30}


def killed(world: World, client: Client, *command: str, at: str, after: str) -> None:
    """Run `command` and kill it (SIGKILL) once the CA has answered at `after`, while it is held up at `at`."""
    before = len(world.asked(after))
    world.ca.fault(HELD, endpoint=at)
    with client.start(*command) as process:
        until = time.monotonic() + 60
        while len(world.asked(after)) == before:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    world.ca.delete("/faults")


def goes_on(world: World, client: Client, lineage: str, identity: str, *, orders: int = 1) -> None:
    """One plain `apply` reaches the goal: one certificate, `orders` orders, nothing left lying about."""
    ended = client.run("--json", "apply")
    assert ended.code == 0, (ended.out, ended.err)
    assert client.certificate(lineage)["status"] == "valid"
    assert len(world.asked("newOrder")) <= orders
    certificates = world.ca.get(f"/jprs/subscribers/{identity}")["certificates"]
    assert [each["serial"].lstrip("0") for each in certificates] == [serial_of(served_certificate(client, lineage))]
    assert leftovers(client) == []
    assert too_open(client.state) == []
    asked = len(world.ca.log())
    assert client.run("plan", "--check").code == 0
    assert client.run("apply").code == 0
    assert len(world.ca.log()) == asked


def proving_by_dns(world: World, folder: Path, usage: str) -> tuple[Client, str]:
    """A client whose proofs outlive it: with a listener that dies too, the CA might rightly give the order up."""
    client, identity = world.client(folder / "host", (usage, "1y"), solver=False)
    hook = hook_for_txt(folder / "hook", world.ca.management, trust=world.ca.trust)
    add_hook_solver(client, "web", [hook], "dns-01")
    return client, identity


@pytest.mark.parametrize(
    ("at", "after", "orders"),
    [
        ("newOrder", "newNonce", 2),  # its URL was never heard of
        ("authorization", "newOrder", 2),  # the kill may come before the URL is written down
        ("challenge", "authorization", 1),
        ("finalize", "challenge", 1),
        ("certificate", "finalize", 1),
    ],
)
def test_a_run_killed_while_it_talks_to_the_ca_is_taken_up_where_it_was(
    world: World, tmp_path: Path, at: str, after: str, orders: int
) -> None:
    lineage = f"killed-at-{at.lower()}.jp"
    client, identity = proving_by_dns(world, tmp_path, lineage)
    client.register()
    world.quiet()
    killed(world, client, "apply", at=at, after=after)
    assert all(key.stat().st_mode & 0o777 == 0o600 for key in private_keys(client.state))
    key = leftovers(client)
    goes_on(world, client, lineage, identity, orders=orders)
    assert len(key) == 1  # the key was there before its order, and no second one beside it


@pytest.mark.parametrize("verb", ["present", "clean-up"])
def test_a_run_killed_with_its_proofs_up_takes_them_down_the_next_time(world: World, tmp_path: Path, verb: str) -> None:
    lineage = f"killed-in-{verb}.jp"
    client, identity = world.client(tmp_path / "host", (lineage, "1y"), solver=False)
    calls, once = tmp_path / "calls", tmp_path / "once"
    hook = hook_for_txt(
        tmp_path / "hook", world.ca.management, trust=world.ca.trust,
        before=f"""
import signal
with open({str(calls)!r}, "a") as calls:
    calls.write(json.dumps([verb, os.environ["JPRS_CLIENT_RECORD_NAME"], os.environ["CERTBOT_VALIDATION"]]) + "\\n")
if verb == {verb!r} and not os.path.exists({str(once)!r}):
    open({str(once)!r}, "w").close()
    os.kill(os.getppid(), signal.SIGKILL)
    sys.exit()
""",
    )  # fmt: skip
    add_hook_solver(client, "web", [hook], "dns-01")
    client.register()
    world.quiet()
    with client.start("apply") as process:
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    goes_on(world, client, lineage, identity)
    told = [json.loads(line) for line in calls.read_text().splitlines()]
    up: set[tuple[str, str]] = set()
    for what, name, value in told:
        (up.add if what == "present" else up.discard)((name, value))
    assert up == set()


def test_a_run_killed_during_registration_finds_its_account_though_the_credentials_are_used_up(
    world: World, tmp_path: Path
) -> None:
    """FAULTS 2: the CA has made the account, and nobody heard of it."""
    client, identity = world.client(tmp_path / "host", ("killed-account.jp", "1y"))
    world.ca.fault({"delay": 0.0, "drop": "after"}, endpoint="newAccount", count=0)
    ended = client.run("--json", "register", "--agree-terms", "--consent-ct")
    assert ended.code == 5, ended.out
    world.ca.delete("/faults")
    account = world.ca.get(f"/jprs/subscribers/{identity}")["account"]
    assert account
    (key,) = private_keys(client.state)
    content = key.read_bytes()
    client.register()
    assert world.ca.get(f"/jprs/subscribers/{identity}")["account"] == account
    assert client.json("status")["account"]["url"] == account
    assert key.read_bytes() == content
    assert client.run("apply").code == 0


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        ("newOrder", "drop-after"), ("newOrder", "cut"), ("authorization", "cut"), ("challenge", "drop-after"),
        ("finalize", "drop-after"), ("finalize", "cut"), ("certificate", "cut"), ("order", "drop-after"),
    ],
)  # fmt: skip
def test_an_answer_that_is_lost_after_the_deed_costs_no_second_certificate(
    world: World, tmp_path: Path, endpoint: str, fault: str
) -> None:
    """FAULTS M13: whether the same run survives it or the next one does."""
    lineage = f"lost-{endpoint.lower()}-{fault}.jp"
    client, identity = world.client(tmp_path / "host", (lineage, "1y"))
    client.register()
    world.quiet()
    world.ca.fault(fault, endpoint=endpoint, count=4)
    ended = client.run("--json", "apply")
    assert ended.code in {0, 1, 5}, (ended.out, ended.err)
    world.ca.delete("/faults")
    goes_on(world, client, lineage, identity, orders=len(world.asked("newOrder")) if endpoint == "newOrder" else 1)


@pytest.mark.parametrize("fault", ["drop-after", "server-error"])
def test_a_revocation_whose_answer_is_lost_is_asked_for_again_and_counts_once(
    world: World, tmp_path: Path, fault: str
) -> None:
    """FAULTS 14: alreadyRevoked is success; the intent survives."""
    lineage = f"revocation-{fault}.jp"
    client, _ = world.client(tmp_path / "host", (lineage, "1y"))
    client.register()
    assert client.run("apply").code == 0
    serial = client.certificate(lineage)["serial"]
    world.quiet()
    world.ca.fault(fault, endpoint="revokeCert", count=8)
    first = client.run("--json", "revoke", lineage, "--because", "key-compromised", "--yes")
    assert first.code in {0, 1, 5}, (first.out, first.err)
    world.ca.delete("/faults")
    assert client.run("apply").code == 0
    status = world.ca.get(f"/cert-status-by-serial/{serial}")
    assert (status["Status"], status["Reason"]) == ("Revoked", 1)
    shown = client.json("show", lineage)
    assert [each["serial"] for each in shown["versions"] if each["revoked_at"]] == [serial]
    assert len(world.asked("newOrder")) == 1
    assert client.run("plan", "--check").code == 0


def test_a_run_killed_before_it_revokes_still_revokes_the_next_time(world: World, tmp_path: Path) -> None:
    """FAULTS 15: the intent is written down before anything else is done."""
    client, _ = proving_by_dns(world, tmp_path, "killed-revoking.jp")
    client.register()
    assert client.run("apply").code == 0
    serial = client.certificate("killed-revoking.jp")["serial"]
    world.quiet()
    killed(
        world, client, "revoke", "killed-revoking.jp", "--because", "key-compromised", "--yes",
        at="finalize", after="challenge",
    )  # fmt: skip
    assert world.ca.get(f"/cert-status-by-serial/{serial}")["Status"] == "Valid"
    assert client.run("plan", "--check").code == 10
    assert client.run("apply").code == 0
    assert world.ca.get(f"/cert-status-by-serial/{serial}")["Status"] == "Revoked"
    assert len(world.asked("newOrder")) == 1
    assert serial_of(served_certificate(client, "killed-revoking.jp")) != serial


def test_a_run_killed_while_the_server_reloads_deploys_the_next_time(world: World, tmp_path: Path) -> None:
    """FAULTS 11, 12."""
    wrapper, once = tmp_path / "reload", tmp_path / "once"
    script(wrapper, "")
    with site(world, tmp_path, "killed-reload.jp", reload=[str(wrapper)]) as here:
        wrapper.write_text(
            wrapper.read_text()
            + f"""
import os, signal
if not os.path.exists({str(once)!r}):
    open({str(once)!r}, "w").close()
    os.kill(os.getppid(), signal.SIGKILL)
    raise SystemExit
os.execv({here.nginx.binary!r}, {list(here.nginx.reload_command)!r})
"""
        )
        world.quiet()
        with here.client.start("apply") as process:
            process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert here.nginx.check().returncode == 0  # an unrelated restart is safe
        assert here.client.run("plan", "--check").code == 10
        assert here.client.run("apply").code == 0
        assert here.both() == [here.issued] * 2
        assert len(world.asked("newOrder")) == 1
        assert here.client.run("plan", "--check").code == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_takes_its_proofs_down_before_it_goes(
    number: signal.Signals, code: int, world: World, tmp_path: Path
) -> None:
    """Ctrl-C, and what systemd sends: no traceback, the proofs are down, the next run goes on (FAULTS 19)."""
    domain = f"{number.name.lower()}.jp"
    client, identity = world.client(tmp_path / "host", (domain, "1y"), solver=False)
    calls, begun = tmp_path / "calls", tmp_path / "begun"
    os.mkfifo(begun)
    hook = hook_for_txt(
        tmp_path / "hook", world.ca.management, trust=world.ca.trust,
        before=f'open({str(calls)!r}, "a").write(verb + "\\n")\n'
        'if verb == "present" and os.environ["JPRS_CLIENT_NAME"].startswith("www"):\n'
        f'    open({str(begun)!r}, "w").close()',
    )  # fmt: skip
    add_hook_solver(client, "web", [hook], "dns-01")
    client.register()
    world.quiet()
    world.ca.fault({"delay": 30}, endpoint="challenge")
    with client.start("apply") as process:
        begun.open().close()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    world.ca.delete("/faults")
    assert process.returncode == code
    assert "Traceback" not in err
    hook_calls = calls.read_text().split()
    assert hook_calls.count("clean-up") >= hook_calls.count("present")
    begun.unlink()
    begun.touch()
    goes_on(world, client, domain, identity)
