"""What monitoring hears and whom the program tells, on the bundled CA, as days go by (FAULTS 69, 140; THREATS D6)."""

from __future__ import annotations

import email
import json
import re
import shlex
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.client import Client
from tests.readme import door
from tests.scenarios.hosts import World, script

DAY, HOUR = timedelta(days=1), timedelta(hours=1)

#: STATUS - text | label=value;warn;crit …
LINE = re.compile(r"(OK|WARNING|CRITICAL|UNKNOWN) - ([^|\n]+)(?: \| ((?:[a-z_]+=-?[0-9.]+(?:;[0-9:.]*)*(?: |$))+))?\n")


class Told:
    """A command notifier, and what it was told: a list of notices each time."""

    def __init__(self, folder: Path, name: str = "tell") -> None:
        self._file = folder / f"{name}.told"
        self.refusing = folder / f"{name}.refuses"
        self.program = script(
            folder / name,
            f"""
import os, sys
if os.path.exists({str(self.refusing)!r}):
    sys.exit("no room for it")
with open({str(self._file)!r}, "a") as file:
    file.write(sys.stdin.read() + "\\n")
""",
        )

    def new(self) -> list[list[tuple[str, str, str]]]:
        """The messages since this was last asked: level, code and certificate of each notice."""
        found = self._file.read_text().splitlines() if self._file.exists() else []
        self._file.unlink(missing_ok=True)
        return [[(each["level"], each["code"], each["certificate"]) for each in json.loads(line)] for line in found]


def host(world: World, folder: Path, name: str) -> tuple[Client, Told]:
    """A registered client with a command to tell."""
    client, _ = world.client(folder / "host", (name, "1y"))
    told = Told(folder)
    client.add(f'[notify]\ncommand = ["{told.program}"]')
    at(world, client, world.ca.clock())
    client.register()
    return client, told


def at(world: World, client: Client, moment: datetime) -> None:
    """Move CA and client to `moment`."""
    world.ca.clock_set(moment)
    client.at = moment


def check(client: Client, *arguments: str) -> tuple[int, str, str, dict[str, float]]:
    """Exit code, status, text and numbers of `check`; one line, and nothing beside it."""
    ended = client.run("check", *arguments)
    found = LINE.fullmatch(ended.out)
    assert found is not None, ended.out
    assert ended.err == ""
    numbers = {
        label: float(value) for label, value in re.findall(r"([a-z_]+)=(-?[0-9.]+)", found[3] or "")
    }  # fmt: skip
    return ended.code, found[1], found[2], numbers


def codes(client: Client) -> list[tuple[str, str]]:
    """What `check --json` found."""
    document = client.run("check", "--json").document
    return [(each["level"], each["code"]) for each in document["findings"]]


@pytest.mark.slow
def test_a_ca_that_is_down_is_told_of_after_a_day_and_once_and_that_it_is_back(world: World, tmp_path: Path) -> None:
    client, told = host(world, tmp_path, "patient.jp")
    assert client.run("apply").code == 0
    assert told.new() == []
    assert check(client)[:2] == (0, "OK")
    at(world, client, world.ca.clock() + DAY)
    assert client.run("apply").code == 0  # the CA says when it wants it renewed
    renewal = datetime.fromisoformat(client.certificate("patient.jp")["renew_at"])
    at(world, client, renewal + HOUR)
    world.ca.fault("maintenance", endpoint="newOrder", count=0)

    assert client.run("apply").code == 5
    assert told.new() == []
    assert check(client)[:2] == (0, "OK")
    assert codes(client) == [("OK", "failing")]
    assert "No alarm yet: Certificate patient.jp, valid until" in check(client)[2]

    at(world, client, renewal + DAY + 2 * HOUR)
    assert client.run("apply").code == 5
    assert told.new() == [[("warning", "failing", "patient.jp")]]
    code, status, text, numbers = check(client)
    assert (code, status) == (1, "WARNING")
    assert "failures: 2" in text
    assert 20 < numbers["days_left"] < 31
    at(world, client, renewal + DAY + 9 * HOUR)
    assert client.run("apply").code == 5
    assert told.new() == []

    at(world, client, renewal + 9 * DAY)
    assert client.run("apply").code == 5
    assert told.new() == [[("warning", "failing", "patient.jp")]]  # a week later it lasts

    at(world, client, renewal + 25 * DAY)
    assert client.run("apply").code == 5
    assert told.new() == [[("critical", "nearly-expired", "patient.jp")]]
    assert check(client)[:2] == (2, "CRITICAL")

    world.quiet()
    at(world, client, renewal + 26 * DAY)
    assert client.run("apply").code == 0
    assert told.new() == [[("ok", "nearly-expired", "patient.jp")]]
    assert check(client)[:2] == (0, "OK")
    assert client.run("apply").code == 0
    assert told.new() == []


@pytest.mark.slow
def test_a_refusal_is_mailed_at_once_and_what_the_ca_says_stays_in_the_body(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("refused-mail.jp", "1y"))
    mail = tmp_path / "mail"
    sendmail = script(tmp_path / "sendmail", f"import sys; open({str(mail)!r}, 'xb').write(sys.stdin.buffer.read())")
    client.add(f'[notifier.ops]\nplugin = "mail"\nto = ["admin@example.jp"]\nsendmail = "{sendmail}"')
    client.add('[notify]\nlanguage = "ja"')
    at(world, client, world.ca.clock())
    client.register()
    evil = "no\r\nBcc: evil@example.net\r\n\r\nbody\x1b]0;x\x07 | days_left=99"
    world.ca.fault({"status": 403, "type": "rejectedIdentifier", "detail": evil}, endpoint="newOrder", count=0)

    assert client.run("apply").code == 4

    message = email.message_from_bytes(mail.read_bytes(), policy=policy.default)
    assert message["To"] == "admin@example.jp"
    assert message["Bcc"] is None
    assert "CRITICAL: 証明書 refused-mail.jp は" in message["Subject"]
    assert isinstance(message, EmailMessage)
    body = message.get_content()
    assert "Bcc: evil@example.net body" in body
    assert "対処: " in body
    assert "\x1b" not in body
    mail.unlink()
    assert client.run("apply").code == 4
    assert not mail.exists()
    code, status, text, numbers = check(client)
    assert (code, status, numbers["criticals"]) == (2, "CRITICAL", 1)
    assert "/ days_left=99" in text
    assert "days_left" not in numbers


@pytest.mark.slow
def test_a_refusal_is_not_over_because_the_ca_is_down_meanwhile(world: World, tmp_path: Path) -> None:
    client, told = host(world, tmp_path, "flaps.jp")
    refusal: dict[str, Any] = {"status": 403, "type": "rejectedIdentifier"}
    heard = []
    for fault, code in [(refusal, 4), ({"status": 503}, 5), (refusal, 4), (None, 0)]:
        world.quiet()
        if fault is not None:
            world.ca.fault(fault, endpoint="newOrder", count=0)
        assert client.run("apply").code == code
        heard.append(told.new())

    assert heard == [
        [[("critical", "never-issued-failing", "flaps.jp")]], [], [], [[("ok", "never-issued-failing", "flaps.jp")]],
    ]  # fmt: skip


@pytest.mark.slow
def test_a_notifier_that_fails_makes_the_run_exit_7_and_is_told_again_alone(world: World, tmp_path: Path) -> None:
    client, told = host(world, tmp_path, "deaf.jp")
    other = Told(tmp_path, "other")
    client.add(f'[notifier.other]\nplugin = "command"\ncommand = ["{other.program}"]')
    world.ca.fault({"status": 403, "type": "caa"}, endpoint="finalize", count=0)
    other.refusing.touch()

    refused = client.run("--json", "apply")
    assert refused.code == 4
    assert [problem["code"] for problem in refused.document["problems"]] == ["notice-not-told"]
    assert "other" in refused.document["problems"][0]["message"]
    assert "no room for it" in refused.document["problems"][0]["message"]
    assert told.new() == [[("critical", "never-issued-failing", "deaf.jp")]]
    other.refusing.unlink()
    client.run("apply")
    assert (told.new(), other.new()) == ([], [[("critical", "never-issued-failing", "deaf.jp")]])

    world.quiet()
    told.refusing.touch()
    done = client.run("--json", "apply")
    assert done.code == 7
    assert [action["action"] for action in done.document["done"]] == ["issue"]  # it holds up no certificate
    assert other.new() == [[("ok", "never-issued-failing", "deaf.jp")]]
    told.refusing.unlink()
    assert client.run("apply").code == 0
    assert (told.new(), other.new()) == ([[("ok", "never-issued-failing", "deaf.jp")]], [])


@pytest.mark.slow
def test_monitoring_sees_the_end_come_while_nothing_runs(world: World, tmp_path: Path) -> None:
    client, told = host(world, tmp_path, "alone.jp")
    assert client.run("apply").code == 0
    start = world.ca.clock()
    world.quiet()
    before = (client.state / "state.db").read_bytes()

    code, status, text, numbers = check(client)
    assert (code, status) == (0, "OK")
    assert "alone.jp" in text
    assert 89 < numbers["days_left"] < 91
    assert (numbers["certificates"], numbers["warnings"], numbers["criticals"]) == (1, 0, 0)
    assert check(client, "alone.jp", "--warning", "91d")[:2] == (1, "WARNING")
    assert check(client, "--warning", "91d", "--critical", "80d")[:2] == (1, "WARNING")
    client.at = start + 75 * DAY
    assert check(client, "--lang", "ja")[:2] == (1, "WARNING")
    client.at = start + 85 * DAY
    assert check(client)[:2] == (2, "CRITICAL")
    client.at = start + 91 * DAY
    code, status, text, numbers = check(client, "-q")
    assert (code, status) == (2, "CRITICAL")
    assert "expired" in text
    assert numbers["days_left"] < 0
    document: dict[str, Any] = client.run("--json", "check").document
    assert (document["status"], document["exit"]) == ("CRITICAL", 2)
    assert [each["code"] for each in document["findings"]] == ["expired"]
    assert document["certificates"][0]["name"] == "alone.jp"

    assert told.new() == []
    assert world.ca.log() == []
    assert (client.state / "state.db").read_bytes() == before


@pytest.mark.slow
def test_whatever_keeps_it_from_knowing_is_unknown(world: World, tmp_path: Path) -> None:
    client = world.without_credentials(tmp_path / "host", ("unknown.jp", "1y"))

    assert check(client)[:2] == (1, "WARNING")  # not registered
    for arguments, word in [
        (["--bogus"], "--bogus"),
        (["--warning", "soon"], "soon"),
        (["nothing.jp"], "nothing.jp"),
        (["--lang", "fr"], "fr"),
    ]:
        code, status, text, _ = check(client, *arguments)
        assert (code, status) == (3, "UNKNOWN")
        assert word in text
    document = client.run("--json", "check", "--bogus").document
    assert (document["status"], document["exit"], document["error"]["code"]) == ("UNKNOWN", 3, "no-such-option")
    client.state.touch()
    assert check(client)[:2] == (3, "UNKNOWN")
    client.state.unlink()
    client.add("[notify]\nby = ['nobody']")
    code, status, text, _ = check(client)
    assert (code, status) == (3, "UNKNOWN")
    assert str(client.config) in text


@pytest.mark.slow
def test_a_revocation_that_waits_for_the_ca_is_told_though_its_certificate_is_watched_no_more(
    world: World, tmp_path: Path
) -> None:
    client, told = host(world, tmp_path, "closed.jp")
    assert client.run("apply").code == 0
    world.ca.fault({"status": 503}, endpoint="revokeCert", count=0)
    assert client.run("revoke", "closed.jp", "--because", "site-closed", "--yes").code == 5

    code, status, text, numbers = check(client)
    assert (code, status, numbers["certificates"]) == (0, "OK", 0)
    assert "closed.jp, serial" in text
    at(world, client, world.ca.clock() + DAY + HOUR)
    assert client.run("apply").code == 5
    assert check(client)[:2] == (1, "WARNING")
    assert told.new() == [[("warning", "revocation-failing", "closed.jp")]]


@pytest.mark.slow
def test_a_run_that_cannot_be_is_told_and_that_it_can_again(world: World, tmp_path: Path) -> None:
    """The state is another CA's, then no folder at all; it ends as it would without a notice."""
    client, told = host(world, tmp_path, "mute.jp")
    assert client.run("apply").code == 0
    here, elsewhere = "https://127.0.0.1", "https://localhost"
    at(world, client, world.ca.clock() + 89 * DAY)
    client.replace(here, elsewhere)

    ended = client.run("--json", "apply")
    assert (ended.code, ended.document["error"]["code"]) == (3, "state-of-another-directory")
    first, *others = told.new()[0]
    assert first == ("critical", "run-failed", "")
    assert ("critical", "nearly-expired", "mute.jp") in others
    assert client.run("renew").code == 3
    assert told.new() == []
    client.replace(elsewhere, here)
    assert client.run("apply").code == 0
    assert ("ok", "run-failed", "") in told.new()[0]

    client.state.rename(tmp_path / "kept")
    client.state.touch()
    for _ in range(2):
        assert client.run("apply").code == 3
        assert told.new() == [[("critical", "run-failed", "")]]
    assert client.run("apply", "--bogus").code == 2
    told.refusing.touch()
    ended = client.run("daemon")
    assert ended.code == 3
    assert "could not be delivered" in ended.err
    assert told.new() == []


@pytest.mark.slow
def test_a_fault_of_ours_is_one_line_for_who_watches(world: World, tmp_path: Path) -> None:
    client, told = host(world, tmp_path, "fault.jp")
    with closing(sqlite3.connect(client.state / "state.db")) as database, database:
        database.execute("UPDATE account SET registered_at = 'not a moment'")

    code, status, text, _ = check(client)
    assert (code, status) == (3, "UNKNOWN")
    assert "check -v" in text
    loud = client.start("check", "-v")
    out, err = loud.communicate(timeout=60)
    assert (loud.returncode, out.count("\n")) == (3, 1)
    assert "Traceback (most recent call last):" in err
    told.new()
    applied = client.start("apply")
    assert "Traceback" in applied.communicate(timeout=60)[1]
    assert (applied.returncode, told.new()) == (1, [[("critical", "run-failed", "")]])


@pytest.mark.slow
def test_the_lines_of_the_readme_watch_a_host_and_try_its_notifiers(world: World, tmp_path: Path) -> None:
    client, told = host(world, tmp_path, "door.jp")
    assert client.run("apply").code == 0

    ended = [client.run(*shlex.split(line)[1:]) for line in door("monitoring")]

    assert [each.code for each in ended] == [0, 0]
    assert ended[0].out.startswith("OK - ")
    assert ended[1].out == "command: taken.\n"
    assert told.new() == [[("ok", "trial", "")]]
    told.refusing.touch()
    refused = client.run("--json", "notify", "test")
    assert refused.code == 7
    assert [each["notifier"] for each in refused.document["failed"]] == ["command"]
    client.replace("[notify]", "[notify]\nby = []")
    assert client.run("--json", "notify", "test").code == 7  # a command without a table is told in any case
    client.replace(f'command = ["{told.program}"]', "")
    nobody = client.run("--json", "notify", "test")
    assert (nobody.code, nobody.document["error"]["code"]) == (1, "no-notifier")
