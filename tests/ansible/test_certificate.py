"""The module `certificate`: from nothing to a served certificate in one task, and everything after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ansible.playbooks import Ansible, Played
from tests.ansible.sites import INFO, Host, host
from tests.scenarios.hosts import World


def no_change(here: Host, *tasks: dict[str, Any], flags: str = "") -> Played:
    """The one task ends well, changes nothing on the host and asks the CA nothing."""
    here.world.quiet()
    before = here.everything()
    played = here.play(*tasks, flags=flags)
    assert played.code == 0, played.said
    assert here.everything() == before
    assert here.world.ca.log() == []
    return played


def only_checked(task: dict[str, Any]) -> dict[str, Any]:
    """The task in check mode, amid others that are not."""
    return {**task, "check_mode": True, "diff": True}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_task_leads_from_nothing_to_a_served_certificate_and_the_second_run_changes_nothing(
    world: World, installed: Ansible, work: Path
) -> None:
    usages = ("life.jp", "1y"), ("more.jp", "1m")
    with host(world, installed, work, *usages, server_names="life.jp www.life.jp") as here:
        task = here.whole("life.jp:1y")

        foreseen = no_change(here, task, flags="--check --diff")
        assert foreseen.good["changed"] is True
        assert foreseen.good["registered"] is True
        assert [each["action"] for each in foreseen.good["actions"]] == ["issue"]
        assert foreseen.good["actions"][0]["starts_usage"] == ["life.jp"]
        assert not here.config.exists() and not here.state.exists()
        makeshift = here.serves("life.jp")

        played = here.play(task, flags="-vvv --diff")
        assert played.code == 0, played.said
        assert "PRIVATE KEY" not in played.said
        assert here.eab["hmac_key"] not in played.said
        serial, names = here.serves("life.jp")
        assert (serial, names) != makeshift
        assert names == ["life.jp", "www.life.jp"]
        assert f"+serial: {serial}" in played.said
        assert "+names: life.jp, www.life.jp" in played.said
        left = [path for path in here.folder.rglob("*") if path.is_file() and path.name != "play.yml"]
        assert [path for path in left if here.eab["hmac_key"].encode() in path.read_bytes()] == []

        # the same again, and another usage FQDN in the variables: check mode tells, the run does
        drifted = here.whole("life.jp:1y", {"name": "more.jp", "term": "1m", "derived": "never"})
        foreseen = no_change(here, task, only_checked(drifted))
        again, change = foreseen.results
        assert again["changed"] is False
        assert again["certificate"]["status"] == "valid"
        assert again["certificate"]["serial"] == serial
        assert change["changed"] is True
        assert [each["action"] for each in change["actions"]] == ["reissue"]
        assert "+names: life.jp, more.jp, www.life.jp" in foreseen.said
        assert 'name = "more.jp"' in foreseen.said
        changed = here.play(drifted).good
        assert changed["changed"] is True
        assert here.serves("life.jp")[1] == ["life.jp", "more.jp", "www.life.jp"]
        assert here.serves("life.jp")[0] == changed["certificate"]["serial"]

        # somebody wrote over an installed file
        assert here.nginx is not None
        good = (here.state / "live" / "life.jp" / "fullchain.pem").read_bytes()
        (installed_file,) = [path for path in here.nginx.folder.glob("*.pem") if path.read_bytes() == good]
        installed_file.write_bytes(good + b"# edited\n")
        foreseen = no_change(here, drifted, flags="--check --diff")
        assert foreseen.good["changed"] is True
        assert foreseen.good["actions"][0]["files"] == [str(installed_file)]
        mended = here.play(drifted, drifted)
        assert [each["changed"] for each in mended.results] == [True, False], mended.said
        assert [each["action"] for each in mended.results[0]["actions"]] == ["install"]
        assert installed_file.read_bytes() == good


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_revoking_gives_the_code_that_the_circumstance_has_and_absent_archives(
    world: World, installed: Ansible, work: Path
) -> None:
    with host(world, installed, work, ("gone.jp", "1y"), server_names="gone.jp www.gone.jp") as here:
        declared = here.whole("gone.jp:1y")
        leaked = here.task(name="gone.jp", state="revoked", because=["key-compromised"])
        foreseen = here.play(declared, only_checked(leaked))
        assert [each["changed"] for each in foreseen.results] == [True, True], foreseen.said
        old, _ = here.serves("gone.jp")
        assert f"revocation of gone.jp, serial {old}" in foreseen.said
        assert here.revocation(old)[0] == "Valid"

        # a web server that cannot be reloaded holds it up; the next run goes on with the certificate it was asked for
        assert here.nginx is not None
        good = here.nginx.config.read_text()
        here.nginx.config.write_text(good.replace("events {", "evnets {"))
        failed = here.play(leaked).failed
        assert failed["changed"] is True
        assert failed["rc"] == 7
        assert "evnets" in failed["msg"]
        assert here.revocation(old)[0] == "Valid"
        here.nginx.config.write_text(good)
        played = here.play(leaked, flags="--diff")
        assert played.good["changed"] is True
        assert here.revocation(old) == ("Revoked", 1)
        new, _ = here.serves("gone.jp")
        assert new != old
        assert [each["action"] for each in played.good["actions"]] == ["install", "revoke"]
        assert "reason 1" in played.said

        # run again, with and without its serial: the replacement is left alone
        with_serial = here.task(name="gone.jp", state="revoked", because=["key-compromised"], serial=old)
        again = no_change(here, leaked, with_serial, declared)
        assert [each["changed"] for each in again.results] == [False, False, False], again.said
        assert f"say so: serial: {new}" in again.words
        assert here.revocation(new)[0] == "Valid"

        # the site is closed: no replacement, and nobody brings it back by the way; then it is not looked after any more
        closed = here.task(name="gone.jp", state="revoked", because=["site-closed"])
        absent = here.task(name="gone.jp", state="absent")
        look = {"name": "Look", INFO: {"plan": True, "explain": ["gone.jp"]}}
        back = {**declared, "ignore_errors": True}
        played = here.play(closed, closed, back, only_checked(absent), absent, absent, look)
        assert [each["changed"] for each in played.results] == [True, False, False, True, True, False, False], (
            played.said
        )
        assert here.revocation(new) == ("Revoked", 5)
        assert "renew gone.jp --force" in played.results[2]["msg"]
        assert [each["action"] for each in played.results[3]["actions"]] == ["remove"]
        assert played.results[6]["certificates"] == []
        assert played.results[6]["plan"]["actions"] == []
        assert played.results[6]["explained"][0]["apply_for"] == "gone.jp"
        assert [path.name for path in (here.config.parent / "conf.d").iterdir()] == ["ansible.toml"]
        assert (here.state / "live" / "gone.jp" / "fullchain.pem").exists()


def test_what_is_refused_is_told_in_the_programs_words_and_nothing_is_written(
    world: World, installed: Ansible, work: Path
) -> None:
    with host(world, installed, work, ("own.jp", "1y"), ("other.jp", "1y")) as here:
        no_consent = here.whole("own.jp:1y", consent_ct=False)
        wrong = here.whole("own.jp:2y")
        secret = here.whole("own.jp:1y")
        settings = here.settings | {"account": {"contact": ["admin@example.jp"], "eab_hmac": "canary-of-a-secret"}}
        secret["jprs_client.certificates.certificate"]["settings"] = settings
        no_date = here.whole({"name": "own.jp", "term": "1y", "started": "last year"})
        played = here.play(*({**task, "ignore_errors": True} for task in (no_consent, wrong, secret, no_date)))

        consent, term, exposed, day = played.results
        assert not here.config.parent.exists()
        assert world.ca.log() == []
        assert all(each["changed"] is False for each in played.results if "changed" in each)
        assert (consent["rc"], consent["error_code"]) == (4, "consent-missing")
        assert "--consent-ct" in consent["msg"] and "consent_ct: true" in consent["msg"]
        assert term["rc"] == 3
        assert f"{here.config.parent}/conf.d/ansible-own.jp.toml" in term["msg"]
        assert exposed["error_code"] == "config-secret-in-file"
        assert "YYYY-MM-DD" in day["msg"]

        # a person's own configuration, without any [[certificate]]: it stays as it is, and so do its certificates
        here.config.parent.mkdir()
        mine = '[account]\ncontact = ["me@example.jp"]\n\n[[usage_fqdn]]\nname = "other.jp"\nterm = "1y"\n'
        here.config.write_text(mine)
        task = here.task(usage_fqdns=["own.jp:1y"])
        played = here.play(
            {**task, "ignore_errors": True},
            {**here.task(name="other.jp", state="absent"), "ignore_errors": True},
            {**here.task(name="never.jp", state="revoked", because=["replaced"]), "ignore_errors": True},
        )
        assert "other.jp would no longer be looked after" in played.results[0]["msg"]
        assert "declared in the configuration by somebody else" in played.results[1]["msg"]
        assert played.results[2]["error_code"] == "no-such-certificate"
        assert here.config.read_text() == mine
        assert [path.name for path in here.config.parent.iterdir()] == ["config.toml"]


def test_what_was_done_before_something_failed_counts_as_changed(world: World, installed: Ansible, work: Path) -> None:
    with host(world, installed, work, ("half.jp", "1y")) as here:
        task = here.whole("half.jp:1y", start_usage=False)
        played = here.play(only_checked(task), {**task, "ignore_errors": True})
        assert "that needs start_usage: true" in played.words
        failed = played.results[1]
        assert failed["changed"] is True
        assert failed["registered"] is True
        assert (failed["rc"], failed["error_code"]) == (4, "start-not-confirmed")
        assert "start_usage: true" in failed["msg"]
        world.ca.fault("maintenance", endpoint="directory", count=0)
        temporary = here.play(here.whole("half.jp:1y")).failed
        assert temporary["changed"] is False
        assert temporary["rc"] == 5
        assert "run the playbook again later" in temporary["msg"]
