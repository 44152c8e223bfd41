"""Revoking another version than the current one, twice, and in two minds (ご利用条件 第11条; TERMS R3, R4)."""

from __future__ import annotations

from pathlib import Path

from tests.scenarios.hosts import World


def test_a_compromised_key_is_never_used_again_though_another_is_in_service(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("old-key.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    old = client.certificate("old-key.jp")
    assert client.run("renew", "--force").code == 0
    current = client.certificate("old-key.jp")

    done = client.json("revoke", "old-key.jp", "--serial", old["serial"], "--because", "key-compromised", "--yes")

    assert [action["action"] for action in done["done"]] == ["revoke"]
    assert world.ca.get(f"/cert-status-by-serial/{old['serial']}")["Status"] == "Revoked"
    assert client.certificate("old-key.jp") == current
    refused = client.run("--json", "rollback", "old-key.jp")
    assert (refused.code, refused.document["error"]["code"]) == (4, "rollback-revoked")


def test_a_site_that_was_closed_can_be_taken_back_into_service(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("reopened.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    assert client.run("revoke", "reopened.jp", "--because", "site-closed", "--yes").code == 0
    assert client.certificate("reopened.jp")["status"] == "revoked"
    assert client.json("plan")["actions"] == []  # it is not replaced until a person asks
    assert [problem["code"] for problem in client.json("plan")["problems"]] == ["not-replaced", "still-paid-for"]

    assert client.run("renew", "--force", "reopened.jp").code == 0

    assert client.certificate("reopened.jp")["status"] == "valid"
    assert client.json("plan")["problems"] == []


def test_a_second_thought_about_replacing_counts(world: World, tmp_path: Path) -> None:
    """The CA does not answer the first time; the person then wants a replacement after all."""
    client, _ = world.client(tmp_path / "host", ("second-thought.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    first = client.certificate("second-thought.jp")["serial"]
    world.ca.fault({"status": 503}, endpoint="revokeCert", count=5)
    assert client.run("revoke", "second-thought.jp", "--because", "replaced", "--no-replace", "--yes").code == 5
    world.quiet()

    done = client.json("revoke", "second-thought.jp", "--because", "replaced", "--replace", "--yes")

    assert [action["action"] for action in done["done"]] == ["reissue", "revoke"]
    assert client.certificate("second-thought.jp")["serial"] != first
    assert world.ca.get(f"/cert-status-by-serial/{first}")["Reason"] == 4


def test_a_refused_revocation_leaves_the_certificate_in_service_and_renewed(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("refused.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    world.ca.fault({"status": 403, "type": "unauthorized"}, endpoint="revokeCert", count=5)

    assert client.run("revoke", "refused.jp", "--because", "site-closed", "--yes").code == 4

    plan = client.json("plan")
    assert [problem["code"] for problem in plan["problems"]] == []
    assert [action["action"] for action in plan["upcoming"] if action["action"] != "observe"] == ["renew"]


def test_a_compromised_key_stays_to_be_revoked_until_the_ca_agrees(world: World, tmp_path: Path) -> None:
    """R3: within 24 hours, whatever the CA says first (FAULTS 149)."""
    client, _ = world.client(tmp_path / "host", ("leaked.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    leaked = client.certificate("leaked.jp")["serial"]
    world.ca.fault({"status": 403, "type": "unauthorized"}, endpoint="revokeCert", count=2)
    assert client.run("revoke", "leaked.jp", "--because", "key-compromised", "--yes").code == 4
    assert [action["action"] for action in client.json("plan")["actions"]] == ["revoke"]
    world.quiet()

    assert client.run("apply").code == 0

    assert world.ca.get(f"/cert-status-by-serial/{leaked}")["Reason"] == 1
    assert client.json("plan")["actions"] == []
