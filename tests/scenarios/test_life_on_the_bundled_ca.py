"""A certificate's whole life, as a person lives it with the program: every command a process of its own."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.ca_process import TestCaProcess
from tests.client import Client, Ended
from tests.scenarios.hosts import (
    World,
    leftovers,
    names_of,
    new_port,
    private_keys,
    serial_of,
    served_certificate,
    too_open,
)

pytestmark = pytest.mark.usefixtures("measured_children")

JST = timezone(timedelta(hours=9))
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)")
PLAN_ACTIONS = {"issue", "renew", "reissue", "revoke", "install", "remove", "observe"}


@pytest.fixture
def own_world() -> Iterator[World]:
    """A CA whose clock may be moved."""
    port = new_port()
    with TestCaProcess(http_port=port) as ca:
        yield World(ca, port)


def at(world: World, client: Client, moment: datetime) -> None:
    """Move CA and client to `moment`."""
    world.ca.clock_set(moment)
    client.at = moment


def one_document(ended: Ended) -> dict[str, Any]:
    """Exactly one JSON document, and one line of it, is all there is on standard output."""
    assert ended.out.endswith("\n")
    assert len(ended.out.splitlines()) == 1
    return ended.document


def is_moment(text: object) -> bool:
    return isinstance(text, str) and MOMENT.fullmatch(text) is not None


def check_action(action: dict[str, Any]) -> None:
    assert {"action", "certificate", "names", "reason", "due", "starts_usage"} <= set(action)
    assert action["action"] in PLAN_ACTIONS
    assert action["names"] == sorted(action["names"])
    assert action["starts_usage"] == sorted(action["starts_usage"])
    assert is_moment(action["due"])


def check_plan(plan: dict[str, Any]) -> None:
    assert {"at", "actions", "upcoming", "problems", "usage_fqdns"} <= set(plan)
    assert is_moment(plan["at"])
    for action in [*plan["actions"], *plan["upcoming"]]:
        check_action(action)
    assert all(action["action"] != "observe" for action in plan["actions"])
    for problem in plan["problems"]:
        assert {"code", "message", "remedy"} <= set(problem)


def check_status(status: dict[str, Any]) -> None:
    assert {"at", "account", "usage_fqdns", "certificates"} <= set(status)
    assert is_moment(status["at"])
    assert status["account"]["status"] in {"valid", "unregistered"}
    for usage in status["usage_fqdns"]:
        assert {"name", "term", "status", "started", "ends"} <= set(usage)
        assert usage["status"] in {"applied", "in-use", "terminating", "ended"}
        assert usage["term"] in {"1m", "1y"}
        for day in (usage["started"], usage["ends"]):
            assert day is None or date.fromisoformat(day).isoformat() == day
    for certificate in status["certificates"]:
        wanted = {"name", "names", "serial", "not_before", "not_after", "status", "renew_at", "key_spki_sha256"}
        assert wanted | {"last_error"} <= set(certificate)
        assert certificate["status"] in {"revoked", "expired", "missing", "failing", "due", "valid"}
        assert certificate["names"] == sorted(certificate["names"])
        if certificate["serial"] is not None:
            assert re.fullmatch(r"[1-9a-f][0-9a-f]*", certificate["serial"])
            assert re.fullmatch(r"[0-9a-f]{64}", certificate["key_spki_sha256"])
            assert is_moment(certificate["not_before"])
            assert is_moment(certificate["not_after"])


def revoked_in_crl(ca: TestCaProcess, serial: str) -> x509.ReasonFlags | None:
    """The reason in the CA's CRL; an assertion fails if the serial is not in it."""
    with urllib.request.urlopen(f"{ca.pki}/crl/0.crl", timeout=10) as answer:
        crl = x509.load_der_x509_crl(answer.read())
    entry = crl.get_revoked_certificate_by_serial_number(int(serial, 16))
    assert entry is not None
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None


def test_a_certificate_lives_from_the_first_configuration_to_its_revocation(own_world: World, tmp_path: Path) -> None:
    world, start = own_world, datetime(2026, 11, 22, 3, tzinfo=UTC)
    identity, eab = world.ca.subscriber("Example", [("example.jp", "1y"), ("shop.example.jp", "1m")])
    client = Client(tmp_path / "host", "https://to.be.replaced/dir")
    client.eab(eab["key_id"], eab["hmac_key"])
    client.config.unlink()
    at(world, client, start)

    # init, without a terminal
    made = client.run(
        "init", "--contact", "admin@example.jp", "--usage-fqdn", "example.jp:1y", "--usage-fqdn",
        "shop.example.jp:1m", "--eab-credentials", str(client.home / "eab.toml"), "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    one_document(made)
    written = client.config.read_text()
    assert eab["hmac_key"] not in written
    again = client.run("init", "--contact", "x@example.jp", "--usage-fqdn", "other.jp:1y")
    assert again.code == 2
    assert client.config.read_text() == written
    client.config.write_text(
        f'{written}\n[ca]\ndirectory = "{world.ca.directory}"\ntrust = "{world.ca.trust}"\n'
        f'[dns]\nresolvers = ["{world.ca.dns}"]\n[solver.web]\nplugin = "standalone"\nlisten = "{world.listen}"\n'
    )

    # before the account: plan and explain need neither account nor network
    planned = one_document(client.run("--json", "plan"))
    check_plan(planned)
    assert [(a["action"], a["certificate"], a["starts_usage"]) for a in planned["actions"]] == [
        ("issue", "example.jp", ["example.jp"]),
        ("issue", "shop.example.jp", ["shop.example.jp"]),
    ]
    assert "not-registered" in {problem["code"] for problem in planned["problems"]}
    assert not client.state.exists()
    explained = one_document(client.run("--json", "explain", "WWW.Example.JP."))
    assert {key: explained[key] for key in ("name", "authorised_by", "served_by", "apply_for")} == {
        "name": "www.example.jp", "authorised_by": "example.jp", "served_by": "example.jp", "apply_for": None,
    }  # fmt: skip
    foreign = client.run("explain", "mail.example.jp", "--json")
    assert foreign.code == 4
    assert one_document(foreign)["apply_for"] == "mail.example.jp"
    status = one_document(client.run("--json", "status"))
    check_status(status)
    assert status["account"]["status"] == "unregistered"
    assert [each["status"] for each in status["certificates"]] == ["missing", "missing"]
    assert world.ca.log() == []

    # the account, then the first certificates
    client.register()
    assert client.run("plan", "--check").code == 10
    unconfirmed = client.run("--json", "apply")
    assert unconfirmed.code == 4
    refused = one_document(unconfirmed)
    assert [problem["code"] for problem in refused["problems"]] == ["start-not-confirmed"] * 2
    assert world.asked("newOrder") == []
    done = client.run("--json", "apply", "--start-usage")
    assert done.code == 0, done.err
    report = one_document(done)
    assert {"done", "failed", "problems"} <= set(report)
    assert sorted(action["certificate"] for action in report["done"]) == ["example.jp", "shop.example.jp"]
    assert (report["failed"], report["problems"]) == ([], [])
    for action in report["done"]:
        check_action(action)

    status = one_document(client.run("status", "--json"))
    check_status(status)
    assert status["account"]["status"] == "valid"
    assert [(each["name"], each["status"]) for each in status["certificates"]] == [
        ("example.jp", "valid"), ("shop.example.jp", "valid"),
    ]  # fmt: skip
    assert [(u["name"], u["status"], u["started"], u["ends"]) for u in status["usage_fqdns"]] == [
        ("example.jp", "in-use", "2026-11-22", "2027-11-30"),
        ("shop.example.jp", "in-use", "2026-11-22", "2026-12-31"),
    ]
    theirs = world.ca.get(f"/jprs/subscribers/{identity}")
    assert [(u["name"], u["started"], u["ends"]) for u in theirs["usage_fqdns"]] == [
        (u["name"], u["started"], u["ends"]) for u in status["usage_fqdns"]
    ]
    assert sorted(c["serial"].lstrip("0").lower() for c in theirs["certificates"]) == sorted(
        c["serial"] for c in status["certificates"]
    )
    first = client.certificate("example.jp")
    on_disk = served_certificate(client, "example.jp")
    assert first["serial"] == serial_of(on_disk)
    assert first["names"] == names_of(on_disk) == ["example.jp", "www.example.jp"]
    assert datetime.fromisoformat(first["not_after"]) == on_disk.not_valid_after_utc

    # nothing is due now; the plan says what will be
    checked = client.run("plan", "--check", "--json")
    assert checked.code == 0, checked.out
    settled = one_document(checked)
    check_plan(settled)
    assert settled["actions"] == []
    renewal = next(a for a in settled["upcoming"] if (a["action"], a["certificate"]) == ("renew", "example.jp"))
    assert renewal["starts_usage"] == []
    asked = len(world.ca.log())
    nothing = one_document(client.run("--json", "apply"))
    assert (nothing["done"], nothing["failed"], nothing["problems"]) == ([], [], [])
    assert len(world.ca.log()) == asked

    # the day of renewal: a third of the lifetime before the end, at the latest
    due = datetime.fromisoformat(renewal["due"])
    lifetime = on_disk.not_valid_after_utc - on_disk.not_valid_before_utc
    assert on_disk.not_valid_before_utc + lifetime / 2 < due < on_disk.not_valid_after_utc - lifetime / 5
    soonest = min(datetime.fromisoformat(a["due"]) for a in settled["upcoming"] if a["action"] == "renew")
    assert client.run("plan", "--at", (soonest - timedelta(minutes=1)).isoformat(), "--check").code == 0
    assert client.run("plan", "--at", (due + timedelta(days=1)).isoformat(), "--check").code == 10
    at(world, client, due + timedelta(days=1))
    assert client.certificate("example.jp")["status"] == "due"
    renewed = client.run("--json", "renew", "example.jp")
    assert renewed.code == 0, renewed.err
    assert [(a["action"], a["certificate"]) for a in one_document(renewed)["done"]] == [("renew", "example.jp")]
    second = client.certificate("example.jp")
    assert second["serial"] != first["serial"]
    assert second["key_spki_sha256"] != first["key_spki_sha256"]
    assert second["status"] == "valid"

    # back to the version before, and forward again
    assert client.run("rollback", "example.jp").code == 0
    assert serial_of(served_certificate(client, "example.jp")) == first["serial"]
    assert client.certificate("example.jp")["serial"] == first["serial"]
    assert "renew" not in {a["action"] for a in client.json("plan")["actions"] if a["certificate"] == "example.jp"}
    forward = client.run("renew", "example.jp", "--force", "--json")
    assert forward.code == 0, forward.err
    third = client.certificate("example.jp")
    assert third["serial"] not in {first["serial"], second["serial"]}

    # the key is compromised
    revoked = client.run("--json", "revoke", "example.jp", "--because", "key-compromised", "--yes")
    assert revoked.code == 0, revoked.err
    assert [a["action"] for a in one_document(revoked)["done"]] == ["reissue", "revoke"]
    fourth = client.certificate("example.jp")
    assert fourth["status"] == "valid"
    assert fourth["key_spki_sha256"] not in {each["key_spki_sha256"] for each in (first, second, third)}
    assert serial_of(served_certificate(client, "example.jp")) == fourth["serial"]
    assert revoked_in_crl(world.ca, third["serial"]) is x509.ReasonFlags.key_compromise
    assert client.run("rollback", "example.jp", "--json").code == 4  # never back to the compromised key
    assert client.certificate("example.jp")["serial"] == fourth["serial"]

    # usage periods went on by themselves; the CA counts as we do
    status = client.json("status")
    theirs = world.ca.get(f"/jprs/subscribers/{identity}")
    assert [(u["name"], u["started"], u["ends"]) for u in theirs["usage_fqdns"]] == [
        (u["name"], u["started"], u["ends"]) for u in status["usage_fqdns"]
    ]
    assert too_open(client.state) == []
    assert all(key.stat().st_mode & 0o777 == 0o600 for key in private_keys(client.state))
    shown = one_document(client.run("show", "example.jp", "--json"))
    assert [v["serial"] for v in shown["versions"] if v["revoked_at"]] == [third["serial"]]
    assert leftovers(client) == []


def test_a_first_issuance_in_the_last_hour_of_a_month_waits_for_the_next_day_in_japan(
    own_world: World, tmp_path: Path
) -> None:
    """P1: a period that starts a minute later is a month longer."""
    world = own_world
    client, identity = world.client(tmp_path / "host", ("example.jp", "1m"))
    at(world, client, datetime(2027, 1, 31, 14, 59, tzinfo=UTC))
    client.register()

    planned = client.json("plan")
    assert planned["actions"] == []
    (issue,) = [action for action in planned["upcoming"] if action["action"] == "issue"]
    assert datetime.fromisoformat(issue["due"]) == datetime(2027, 2, 1, tzinfo=JST)
    assert client.run("apply").code == 0
    assert world.asked("newOrder") == []

    at(world, client, datetime(2027, 1, 31, 15, 0, 30, tzinfo=UTC))
    assert client.run("plan", "--check").code == 10
    assert client.run("apply").code == 0
    (usage,) = client.json("status")["usage_fqdns"]
    assert (usage["started"], usage["ends"]) == ("2027-02-01", "2027-03-31")
    (theirs,) = world.ca.get(f"/jprs/subscribers/{identity}")["usage_fqdns"]
    assert (theirs["started"], theirs["ends"]) == ("2027-02-01", "2027-03-31")


def test_a_period_of_a_month_starts_on_the_day_in_japan_and_ends_with_the_next_month(
    own_world: World, tmp_path: Path
) -> None:
    """P2: 2027-01-30T23:30 UTC is the 31st in Japan; a certificate of that day lives until the 91st midnight."""
    world = own_world
    client, identity = world.client(tmp_path / "host", ("example.jp", "1m"))
    at(world, client, datetime(2027, 1, 30, 23, 30, tzinfo=UTC))
    client.register()
    assert client.run("apply").code == 0
    (usage,) = client.json("status")["usage_fqdns"]
    assert (usage["started"], usage["ends"]) == ("2027-01-31", "2027-02-28")
    (theirs,) = world.ca.get(f"/jprs/subscribers/{identity}")["usage_fqdns"]
    assert (theirs["started"], theirs["ends"]) == ("2027-01-31", "2027-02-28")

    # carried on by itself on the day after the end day, and not before
    at(world, client, datetime(2027, 2, 28, 14, 59, tzinfo=UTC))
    assert client.json("status")["usage_fqdns"][0]["ends"] == "2027-02-28"
    at(world, client, datetime(2027, 2, 28, 15, 1, tzinfo=UTC))
    assert client.json("status")["usage_fqdns"][0]["ends"] == "2027-03-31"
    assert world.ca.get(f"/jprs/subscribers/{identity}")["usage_fqdns"][0]["ends"] == "2027-03-31"


def test_a_terminated_usage_fqdn_is_renewed_no_more_and_its_name_is_not_ordered_again(
    own_world: World, tmp_path: Path
) -> None:
    world = own_world
    client, identity = world.client(tmp_path / "host", ("example.jp", "1m"), ("other.jp", "1y"))
    at(world, client, datetime(2026, 11, 22, 3, tzinfo=UTC))
    client.register()
    assert client.run("apply").code == 0
    world.ca.post(f"/jprs/subscribers/{identity}/terminate", {"name": "example.jp"})
    client.replace('name = "example.jp"\nterm = "1m"', 'name = "example.jp"\nterm = "1m"\nterminating = true')
    assert [u["status"] for u in client.json("status")["usage_fqdns"]] == ["terminating", "in-use"]
    client.json("apply")

    at(world, client, datetime(2026, 12, 31, 15, 1, tzinfo=UTC))
    world.quiet()
    statuses = {u["name"]: u["status"] for u in client.json("status")["usage_fqdns"]}
    assert statuses == {"example.jp": "ended", "other.jp": "in-use"}
    forced = client.run("--json", "renew", "--force")
    assert world.asked("newOrder", "example.jp") == []
    assert world.asked("newOrder", "other.jp") != []
    assert [a["certificate"] for a in forced.document["done"] if a["action"] == "renew"] == ["other.jp"]


def test_what_is_not_json_reads_well_in_both_languages(world: World, tmp_path: Path) -> None:
    """Every command of a life, for people: no braces left over, Japanese where it was asked for."""
    client, _ = world.client(tmp_path / "host", ("people.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    for command in (["status"], ["plan"], ["show", "people.jp"], ["explain", "www.people.jp"], ["account", "show"]):
        english, japanese = client.run(*command), client.run("--lang", "ja", *command)
        assert english.code == japanese.code == 0, (command, english.err, japanese.err)
        assert not re.search("[ぁ-んァ-ヶ一-龠]", english.out), english.out
        assert re.search("[ぁ-んァ-ヶ一-龠]", japanese.out), (command, japanese.out)
        for text in (english.out, japanese.out):
            assert not re.search(r"[{}]|datetime|None|frozenset", text), (command, text)


def test_a_serial_with_leading_zeros_is_shown_and_found_without_them(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("serial.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    serial = client.certificate("serial.jp")["serial"]
    colons = ":".join(("0" + serial if len(serial) % 2 else serial)[i : i + 2] for i in range(0, len(serial) + 1, 2))
    done = client.run("revoke", "serial.jp", "--serial", f"00{colons.rstrip(':').upper()}", "--reason", "4", "--yes")
    assert done.code == 0, done.err
    assert revoked_in_crl(world.ca, serial) is x509.ReasonFlags.superseded


@pytest.mark.parametrize("code", ["2", "6", "8", "9", "10", "-1"])
def test_a_code_that_a_subscriber_may_not_choose_is_refused_before_anything_is_sent(
    code: str, world: World, tmp_path: Path
) -> None:
    """R1."""
    client, _ = world.client(tmp_path / "host", ("codes.jp", "1y"))
    ended = client.run("--json", "revoke", "codes.jp", "--reason", code, "--yes")
    assert ended.code == 4, ended.err
    assert ended.document["error"]["next_step"]
    assert world.ca.log() == []


def test_revoking_needs_yes_where_nobody_can_be_asked(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("yes.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    ended = client.run("--json", "revoke", "yes.jp", "--because", "key-compromised")
    assert ended.code == 2
    assert set(ended.document["error"]) >= {"code", "message", "next_step"}
    assert world.asked("revokeCert") == []


def test_a_closed_site_is_revoked_with_code_5_and_is_not_replaced(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("closed.jp", "1y"), ("open.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    serial = client.certificate("closed.jp")["serial"]
    assert client.run("revoke", "closed.jp", "--because", "site-closed", "--yes").code == 0
    assert revoked_in_crl(world.ca, serial) is x509.ReasonFlags.cessation_of_operation
    assert client.certificate("closed.jp")["status"] == "revoked"
    orders = len(world.asked("newOrder"))
    assert client.run("apply").code == 0
    assert len(world.asked("newOrder")) == orders
    assert client.certificate("open.jp")["status"] == "valid"
    # a person who asks for it by name gets it back, with a new key
    assert client.run("renew", "closed.jp", "--force").code == 0
    assert client.certificate("closed.jp")["status"] == "valid"


def test_the_ca_is_asked_when_to_renew_once_a_certificate_is_some_hours_old(own_world: World, tmp_path: Path) -> None:
    """RFC 9773: asked as often as the CA wants, the moment drawn once, the predecessor named in the next order."""
    world = own_world
    client, _ = world.client(tmp_path / "host", ("ari.jp", "1y"))
    start = datetime(2026, 11, 22, 3, tzinfo=UTC)
    at(world, client, start)
    client.register()
    assert client.run("apply").code == 0
    assert world.asked("renewalInfo") == []
    at(world, client, start + timedelta(hours=7))
    looked = one_document(client.run("--json", "apply"))
    assert (looked["done"], looked["failed"]) == ([], [])
    assert len(world.asked("renewalInfo")) == 1
    first = client.certificate("ari.jp")["renew_at"]
    assert client.run("apply").code == 0
    assert len(world.asked("renewalInfo")) == 1
    assert client.certificate("ari.jp")["renew_at"] == first
    # a CA that wants it back at once is heard, and nobody has to do anything
    at(world, client, start + timedelta(days=3))
    window = {"start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z"}
    world.ca.fault({"merge": {"suggestedWindow": window}}, endpoint="renewalInfo", count=1)
    told = one_document(client.run("--json", "apply"))
    assert [(a["action"], a["reason"]) for a in told["done"]] == [("renew", "ari-moment")]


def test_names_that_change_make_a_new_certificate_and_a_dropped_one_is_only_archived(
    world: World, tmp_path: Path
) -> None:
    client, _ = world.client(tmp_path / "host", ("stays.jp", "1y"), ("goes.jp", "1y"))
    client.register()
    assert client.run("apply").code == 0
    client.replace('name = "stays.jp"', 'name = "stays.jp"\nderived = "never"')
    client.add('[[certificate]]\nname = "stays.jp"\nusage_fqdns = ["stays.jp"]')
    planned = client.json("plan")
    check_plan(planned)
    assert sorted((a["action"], a["certificate"]) for a in planned["actions"]) == [
        ("reissue", "stays.jp"), ("remove", "goes.jp"),
    ]  # fmt: skip
    assert client.run("apply").code == 0
    assert names_of(served_certificate(client, "stays.jp")) == ["stays.jp"]
    assert (client.state / "live" / "goes.jp" / "privkey.pem").exists()  # no file is deleted
    assert world.asked("revokeCert") == []
    assert client.run("plan", "--check").code == 0
