"""What people and the world do wrong: each told by itself, in both languages, with what to do now and its own code."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests import needs
from tests.client import Client, Ended
from tests.pebble import write_https_certificate
from tests.scenarios.hosts import World, add_hook_solver, hook_for_txt, new_port, private_keys, script

JAPANESE = re.compile("[ぁ-んァ-ヶ一-龠]")


def refused(client: Client, *command: str, code: int, error: str, says: str | re.Pattern[str] = "") -> Ended:
    """`command` is refused as the manual has it: to a person in English and in Japanese, to a program as JSON."""
    english, japanese = client.run(*command), client.run("--lang", "ja", *command)
    as_json = client.run("--json", "--lang", "ja", *command)
    assert [ended.code for ended in (english, japanese, as_json)] == [code] * 3, (english.err, as_json.out)
    document = as_json.document["error"]
    assert document["code"] == error
    assert JAPANESE.search(document["message"])
    assert JAPANESE.search(document["next_step"])
    assert document["message"] in japanese.err
    assert document["next_step"] in japanese.err
    assert not JAPANESE.search(english.err)
    assert re.search(says, english.err), english.err
    message, next_step, *_ = english.err.rstrip().splitlines()
    assert message
    assert next_step
    for text in (english.err, japanese.err, as_json.out):
        assert not re.search(r"None|[{]\w+[}]|\\x1b", text), text
    return english


def failed(client: Client, *command: str, code: int, error: str, says: str = "") -> Ended:
    """`command` does what it can; its report says that something failed with `error`."""
    ended = client.run("--json", *command)
    assert ended.code == code, (ended.out, ended.err)
    found = [each["error"] for each in ended.document["failed"]]
    assert [each["code"] for each in found] == [error]
    assert all(each["message"] and each["next_step"] for each in found)
    assert re.search(says, found[0]["message"]), found
    return ended


def database(client: Client) -> bytes:
    """Everything the state database and what lies beside it hold."""
    return b"".join(path.read_bytes() for path in client.state.glob("state.db*"))


# -- the credentials ----------------------------------------------------------------------------------------------


def test_a_wrong_eab_key_is_refused_by_the_ca_and_the_right_one_works_afterwards(world: World, tmp_path: Path) -> None:
    identity, eab = world.ca.subscriber("Example", [("wrongkey.jp", "1y")])
    client = world.without_credentials(tmp_path / "host", ("wrongkey.jp", "1y"))
    wrong = "B" * len(eab["hmac_key"]) if eab["hmac_key"][0] != "B" else "C" * len(eab["hmac_key"])
    client.eab(eab["key_id"], wrong[:-2] + eab["hmac_key"][-2:])
    refused(client, "register", "--agree-terms", "--consent-ct", code=4, error="eab-refused")
    assert len(private_keys(client.state)) == 1  # the account's, and nothing else
    assert client.json("status")["account"]["status"] == "unregistered"
    assert world.ca.get(f"/jprs/subscribers/{identity}")["account"] is None

    client.eab(eab["key_id"], eab["hmac_key"])
    client.register()
    assert len(private_keys(client.state)) == 1
    assert client.json("status")["account"]["status"] == "valid"


def test_an_unknown_key_id_is_refused_by_the_ca(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("keyid.jp", "1y"))
    client.eab("nobody-has-this", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U")
    refused(client, "register", "--agree-terms", "--consent-ct", code=4, error="eab-refused")


def test_credentials_that_made_an_account_make_no_second_one(world: World, tmp_path: Path) -> None:
    """TERMS A1."""
    identity, eab = world.ca.subscriber("Example", [("single.jp", "1y")])
    first, second = (world.without_credentials(tmp_path / name, ("single.jp", "1y")) for name in ("one", "two"))
    for client in (first, second):
        client.eab(eab["key_id"], eab["hmac_key"])
    first.register()
    refused(second, "register", "--agree-terms", "--consent-ct", code=4, error="eab-refused")
    # for the first one they are not needed any more
    (first.home / "eab.toml").unlink()
    assert first.run("apply").code == 0
    assert first.run("register", "--agree-terms", "--consent-ct").code == 0
    assert world.ca.get(f"/jprs/subscribers/{identity}")["account"]


@pytest.mark.parametrize("mode", [0o644, 0o604])
def test_credentials_that_others_may_read_are_not_used(world: World, tmp_path: Path, mode: int) -> None:
    identity, eab = world.ca.subscriber("Example", [("readable.jp", "1y")])
    client = world.without_credentials(tmp_path / "host", ("readable.jp", "1y"))
    path = client.eab(eab["key_id"], eab["hmac_key"], mode)
    told = refused(
        client, "register", "--agree-terms", "--consent-ct", code=3, error="secret-readable-by-others", says="eab.toml"
    )
    assert "chmod" in told.err
    assert eab["hmac_key"] not in told.err
    assert world.ca.log() == []
    path.chmod(0o600)
    client.register()
    assert world.ca.get(f"/jprs/subscribers/{identity}")["account"]


@pytest.mark.parametrize(
    "content",
    [
        'key_id = "k"\n', 'hmac_key = "c2VjcmV0"\n', 'key_id = "k"\nhmac_key = "not base64url !"\n',
        'key_id = "k"\nhmac_key = ""\n', "key_id = 3\nhmac_key = 4\n", "nonsense", "\xff\x00",
    ],
)  # fmt: skip
def test_credentials_that_cannot_be_right_are_not_sent(world: World, tmp_path: Path, content: str) -> None:
    client, _ = world.client(tmp_path / "host", ("malformed.jp", "1y"))
    (client.home / "eab.toml").write_bytes(content.encode("latin-1"))
    ended = client.run("--json", "register", "--agree-terms", "--consent-ct")
    assert ended.code == 3, ended.err
    assert {"code", "message", "next_step"} <= set(ended.document["error"])
    assert "eab.toml" in ended.document["error"]["message"]
    assert "c2VjcmV0" not in ended.err + ended.out
    assert world.ca.log() == []


def test_missing_credentials_are_asked_for_by_name(world: World, tmp_path: Path) -> None:
    client = world.without_credentials(tmp_path / "host", ("missing.jp", "1y"))
    refused(client, "register", "--agree-terms", "--consent-ct", code=3, error="eab-file-missing", says="eab.toml")
    assert world.ca.log() == []


def test_a_ca_that_wants_credentials_says_so_when_none_are_configured(world: World, tmp_path: Path) -> None:
    client = world.without_credentials(tmp_path / "host", ("without.jp", "1y"))
    client.replace('\neab_credentials = "eab.toml"', "")
    refused(client, "register", "--agree-terms", "--consent-ct", code=4, error="eab-required")


# -- consent, contact, account --------------------------------------------------------------------------------------


def test_without_both_consents_registering_says_what_they_are(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("consent.jp", "1y"))
    both = refused(client, "register", code=4, error="consent-missing")
    assert "--agree-terms" in both.err
    assert "--consent-ct" in both.err
    one = refused(client, "register", "--agree-terms", code=4, error="consent-missing")
    assert "--consent-ct" in one.err
    assert re.search("https://", one.err)
    other = client.run("register", "--consent-ct")
    assert other.code == 4
    assert world.asked("newAccount") == []
    assert not private_keys(client.state) if client.state.exists() else True


def test_without_a_contact_nothing_is_registered(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("contact.jp", "1y"))
    client.replace('contact = ["admin@example.jp"]\n', "")
    ended = client.run("--json", "register", "--agree-terms", "--consent-ct")
    assert ended.code == 3, ended.err
    assert "contact" in ended.document["error"]["message"]
    assert world.ca.log() == []


def test_without_an_account_nothing_is_ordered(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("unregistered.jp", "1y"))
    for language in ("en", "ja"):
        ended = client.run("--lang", language, "--json", "apply")
        assert ended.code == 4
        (problem,) = ended.document["problems"]
        assert problem["code"] == "not-registered"
        assert "register" in problem["remedy"]
        assert problem["message"] in ended.err
    assert world.ca.log() == []


def test_a_deactivated_account_is_told_as_such(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("deactivated.jp", "1y"))
    client.register()
    denied = {"status": 403, "type": "unauthorized", "detail": "the account is deactivated"}
    world.ca.fault(denied, endpoint="newOrder")
    ended = failed(client, "apply", code=4, error="account-refused", says="deactivated")
    assert world.asked("newOrder") != []
    assert "account-refused" in ended.out


# -- first issuance -------------------------------------------------------------------------------------------------


def test_an_unconfirmed_first_issuance_holds_up_no_other_certificate(world: World, tmp_path: Path) -> None:
    """TERMS P1; exit 4 after everything else is done."""
    client, identity = world.client(tmp_path / "host", ("confirmed.jp", "1y"), ("asked.jp", "1y"))
    client.replace('name = "asked.jp"\nterm = "1y"\nstart_usage = true', 'name = "asked.jp"\nterm = "1y"')
    client.register()
    ended = client.run("--json", "apply")
    assert ended.code == 4
    assert [a["certificate"] for a in ended.document["done"]] == ["confirmed.jp"]
    (problem,) = ended.document["problems"]
    assert (problem["code"], problem["certificate"]) == ("start-not-confirmed", "asked.jp")
    assert "--start-usage" in problem["remedy"]
    assert world.asked("newOrder", "asked.jp") == []
    started = {u["name"]: u["started"] for u in world.ca.get(f"/jprs/subscribers/{identity}")["usage_fqdns"]}
    assert started["asked.jp"] is None

    # confirmed once, it is remembered until it has succeeded
    world.ca.fault("server-error", endpoint="newOrder", count=0)
    assert client.run("apply", "--start-usage").code in {1, 5}
    world.quiet()
    assert client.run("apply", "asked.jp").code == 0
    assert client.certificate("asked.jp")["status"] == "valid"


# -- names ----------------------------------------------------------------------------------------------------------


def test_a_name_that_is_not_covered_is_never_ordered(world: World, tmp_path: Path) -> None:
    """N7: the person hears which usage FQDN to apply for; other certificates are made."""
    client, _ = world.client(tmp_path / "host", ("covered.jp", "1y"))
    client.add('[[certificate]]\nname = "good"\nusage_fqdns = ["covered.jp"]')
    client.add('[[certificate]]\nname = "bad"\nnames = ["covered.jp", "shop.covered.jp"]')
    client.register()
    ended = client.run("--json", "apply")
    assert ended.code == 4, ended.err
    assert [a["certificate"] for a in ended.document["done"]] == ["good"]
    (problem,) = ended.document["problems"]
    assert (problem["code"], problem["certificate"]) == ("not-issuable", "bad")
    assert "shop.covered.jp" in problem["message"]
    assert "shop.covered.jp" in problem["remedy"]
    assert world.asked("newOrder", "shop.covered.jp") == []
    told = client.run("explain", "shop.covered.jp")
    assert told.code == 4
    assert "shop.covered.jp" in told.err
    assert client.run("--json", "explain", "shop.covered.jp").document["apply_for"] == "shop.covered.jp"


@pytest.mark.parametrize(
    "name", ["a_b.jp", "192.0.2.1", "localhost", "*.jp", "a..jp", "-a.jp", "x" * 300, "\x1b[31m.jp"]
)
def test_what_is_no_name_is_refused_with_a_reason(world: World, tmp_path: Path, name: str) -> None:
    client, _ = world.client(tmp_path / "host", ("names.jp", "1y"))
    ended = client.run("--json", "explain", "--", name)
    assert ended.code == 4, ended.err
    assert {"code", "message", "next_step"} <= set(ended.document["error"])
    assert "\x1b" not in ended.err + ended.out


def test_a_name_that_the_ca_does_not_issue_for_is_told_with_its_words(world: World, tmp_path: Path) -> None:
    """The operator has not applied for it, whatever our configuration says."""
    client, _ = world.client(tmp_path / "host", ("applied.jp", "1y"))
    client.usage_fqdn("forgotten.jp", "1y", start_usage=True)
    client.register()
    ended = failed(client, "apply", code=4, error="name-refused-by-ca", says="forgotten.jp")
    assert [a["certificate"] for a in ended.document["done"]] == ["applied.jp"]
    assert client.certificate("forgotten.jp")["last_error"]["code"] == "name-refused-by-ca"


# -- DNS ------------------------------------------------------------------------------------------------------------


def test_a_caa_record_that_forbids_us_is_seen_before_anything_is_ordered(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("caa.jp", "1y"), ("free-of-caa.jp", "1y"))
    client.register()
    world.ca.post("/add-caa", {"host": "caa.jp", "policies": [{"tag": "issue", "value": "other-ca.example"}]})
    ended = failed(client, "apply", code=4, error="caa-forbids-precheck", says="caa.jp")
    assert "other-ca.example" in ended.document["failed"][0]["error"]["message"]
    assert "CAA" in ended.document["failed"][0]["error"]["next_step"]
    assert [a["certificate"] for a in ended.document["done"]] == ["free-of-caa.jp"]
    assert world.asked("newOrder", "caa.jp") == []
    told = client.run("--lang", "ja", "apply", "caa.jp")
    assert told.code == 4
    assert "CAA" in told.err
    assert JAPANESE.search(told.err)
    # once it is put right, a plain run that names it goes on at once
    world.ca.post("/clear-caa", {"host": "caa.jp"})
    assert client.run("apply", "caa.jp").code == 0


def test_a_wildcard_without_a_dns_solver_is_refused_before_it_is_ordered(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("*.wild.jp", "1y"))
    client.register()
    ended = failed(client, "apply", code=4, error="wildcard-needs-dns", says=r"\*\.wild\.jp")
    assert "dns-01" in ended.document["failed"][0]["error"]["message"]
    assert world.asked("newOrder") == []


# -- the way to the CA ----------------------------------------------------------------------------------------------


def test_a_directory_that_nobody_answers_at_is_temporary(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("unreachable.jp", "1y"))
    client.replace(world.ca.directory, f"https://127.0.0.1:{new_port()}/dir")
    refused(
        client, "register", "--agree-terms", "--consent-ct", code=5, error="ca-connection-refused", says="127.0.0.1"
    )


def test_a_directory_over_plain_http_is_never_asked(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("plain.jp", "1y"))
    client.replace(world.ca.directory, world.ca.directory.replace("https:", "http:"))
    for command in (["register", "--agree-terms", "--consent-ct"], ["apply"], ["plan"]):
        ended = client.run("--json", *command)
        assert ended.code == 3, (command, ended.err)
        assert "HTTPS" in ended.document["error"]["message"]
        assert "https" in ended.document["error"]["next_step"]
        assert "config.toml" in ended.document["error"]["message"]


def test_a_directory_with_an_untrusted_certificate_is_told_nothing(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("untrusted.jp", "1y"))
    other, _, _ = write_https_certificate(tmp_path)
    client.replace(str(world.ca.trust), str(other))
    refused(client, "register", "--agree-terms", "--consent-ct", code=5, error="ca-tls-untrusted", says="not trusted")
    assert world.ca.log() == []
    # not by the environment either
    os.environ["REQUESTS_CA_BUNDLE"] = str(world.ca.trust)
    try:
        assert client.run("register", "--agree-terms", "--consent-ct").code == 5
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]
    assert world.ca.log() == []


def test_an_environment_that_names_other_roots_does_not_take_ours_away(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("bundle.jp", "1y"))
    other, _, _ = write_https_certificate(tmp_path)
    os.environ |= {"REQUESTS_CA_BUNDLE": str(other), "CURL_CA_BUNDLE": str(other)}
    try:
        client.register()
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"], os.environ["CURL_CA_BUNDLE"]


def test_maintenance_is_waited_for_and_the_next_attempt_is_shown(world: World, tmp_path: Path) -> None:
    """S1: 503 with Retry-After is nobody's fault, and is kept."""
    client, _ = world.client(tmp_path / "host", ("maintained.jp", "1y"))
    client.register()
    world.quiet()
    world.ca.fault("maintenance", endpoint="newOrder", count=0)
    ended = failed(client, "apply", code=5, error="ca-maintenance")
    assert len(world.asked("newOrder")) == 1  # asked once, not again within the run
    error = client.certificate("maintained.jp")["last_error"]
    assert error["code"] == "ca-maintenance"
    (action,) = [a for a in client.json("plan")["actions"] if a["action"] == "issue"]
    assert action["next_attempt"] == error["retry_at"]
    assert ended.document["failed"][0]["error"]["message"]
    assert "JST" in client.run("status").out
    # the CA's own word is kept: a timer's run asks nobody until then; a person may
    again = client.run("--json", "apply")
    assert len(world.asked("newOrder")) == 1
    assert again.document["done"] == []
    world.ca.delete("/faults")
    assert client.run("apply", "maintained.jp").code == 0
    assert client.certificate("maintained.jp")["last_error"] is None


def test_a_rate_limit_is_told_with_its_end_and_not_tried_again_at_once(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("limited.jp", "1y"))
    client.register()
    world.ca.fault("rate-limited", endpoint="newOrder", count=0)
    failed(client, "apply", code=5, error="ca-rate-limited", says="20[0-9][0-9]-")
    assert len(world.asked("newOrder")) == 1
    client.run("apply")
    assert len(world.asked("newOrder")) == 1


@pytest.mark.parametrize("action", ["html", "not-json", {"body": "[" * 20000}, {"merge": {"newOrder": None}}])
def test_a_directory_that_is_none_is_told_in_a_line(world: World, tmp_path: Path, action: object) -> None:
    client, _ = world.client(tmp_path / "host", ("garbage.jp", "1y"))
    world.ca.fault(action, endpoint="directory", count=0)
    ended = client.run("--json", "register", "--agree-terms", "--consent-ct")
    assert ended.code in {1, 4, 5}, ended.err
    assert ended.document["error"]["next_step"]


def test_what_a_ca_says_does_nothing_to_a_terminal(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("hostile.jp", "1y"))
    client.register()
    detail = "\x1b]0;owned\x07\x1b[2J\u202e gone\nerror: do rm -rf"
    world.ca.fault({"status": 403, "type": "rejectedIdentifier", "detail": detail}, endpoint="newOrder", count=0)
    for command in (["apply"], ["status"], ["--json", "status"]):
        ended = client.run(*command)
        assert not re.search("[\x1b\x07\u202e]", ended.out + ended.err)


# -- configuration, state, command line -----------------------------------------------------------------------------


def test_an_unknown_configuration_key_is_told_with_its_line_and_the_nearest_one(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("keys.jp", "1y"))
    client.add('[renewel]\n\n[defaults]\nkey_tipe = "ecdsa-p256"\nsolver = "nowhere"')
    line = client.config.read_text().splitlines().index('key_tipe = "ecdsa-p256"') + 1
    told = client.run("plan")
    assert told.code == 3
    assert f"config.toml:{line}" in told.err
    assert "key_type" in told.err
    assert "renewal" in told.err
    document = client.run("--json", "plan").document["error"]
    assert {"code", "message", "next_step"} <= set(document)
    assert len(document["problems"]) == 3  # all at once
    assert {p["line"] for p in document["problems"]} >= {line, line + 1}
    assert JAPANESE.search(client.run("--lang", "ja", "plan").err)


def test_a_configuration_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    client = Client(tmp_path, "https://ca.example/dir")
    client.config.unlink()
    ended = client.run("--json", "apply")
    assert ended.code == 3
    assert "init" in ended.document["error"]["next_step"]


def test_a_postgresql_database_is_refused_before_it_is_there(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("pg.jp", "1y"))
    client.add('[storage]\nurl = "postgresql://db/jprs"')
    assert client.run("apply").code == 3
    assert world.ca.log() == []


def test_a_state_directory_that_cannot_be_written_is_told_before_anything_is_sent(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("readonly.jp", "1y"))
    client.state = Path("/proc/1/nowhere")  # not even root can write there
    refused(client, "register", "--agree-terms", "--consent-ct", code=3, error="state-not-writable", says="/proc/1")
    assert world.ca.log() == []


def test_a_registered_client_orders_nothing_once_its_state_is_read_only(world: World, tmp_path: Path) -> None:
    """FAULTS 24; in a mount namespace of its own, since root may write everywhere else."""
    needs.root()
    unshare = needs.program("unshare")
    client, _ = world.client(tmp_path / "host", ("read-only.jp", "1y"))
    client.register()
    world.quiet()
    mounted = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    done = subprocess.run(
        [unshare, "-m", "sh", "-c", mounted, str(client.state), *client.command("--json", "apply")],
        capture_output=True, text=True, env=client.environment(), cwd=client.home, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 3, (done.stdout, done.stderr)
    assert json.loads(done.stdout)["error"]["code"].startswith("state-")
    assert world.ca.log() == []
    assert client.run("apply").code == 0


def test_a_state_directory_that_is_a_file_is_told(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("file.jp", "1y"))
    client.state.write_text("")
    refused(client, "apply", code=3, error="state-not-a-directory", says="state")


def test_a_database_that_is_none_is_told_and_kept(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("database.jp", "1y"))
    client.register()
    (client.state / "state.db").write_bytes(b"this is no database, but maybe somebody's only copy" * 40)
    before = (client.state / "state.db").read_bytes()
    refused(client, "apply", code=3, error="state-database-unusable", says=r"state\.db")
    assert (client.state / "state.db").read_bytes() == before


def test_a_port_that_somebody_else_holds_is_told_with_its_holder(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("busy.jp", "1y"))
    client.register()
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", world.http_port))
        holder.listen()
        failed(client, "apply", code=1, error="port-busy", says=rf"127\.0\.0\.1:{world.http_port}.*pid {os.getpid()}")
        assert client.certificate("busy.jp")["status"] == "missing"
    assert client.run("apply").code == 0  # a plain run reaches the goal once the port is free
    assert len(world.asked("newOrder")) == 1  # with the order that is there
    assert client.certificate("busy.jp")["last_error"] is None


def test_two_runs_at_once_make_one_order_and_the_second_says_who_is_first(world: World, tmp_path: Path) -> None:
    """The first is held, with one proof of two up, until the second has ended; the second leaves that proof alone."""
    client, _ = world.client(tmp_path / "host", ("twice.jp", "1y"), solver=False)
    go_on, begun, calls = tmp_path / "go-on", tmp_path / "begun", tmp_path / "calls"
    os.mkfifo(go_on)
    os.mkfifo(begun)
    hook = hook_for_txt(
        tmp_path / "hook", world.ca.management, trust=world.ca.trust,
        before=f"open({str(calls)!r}, 'a').write(verb + ' ')\n"
        'if verb == "present" and os.environ["JPRS_CLIENT_NAME"] == "www.twice.jp":\n'
        f"    open({str(begun)!r}, 'w').close()\n    open({str(go_on)!r}).read()\n",
    )  # fmt: skip
    add_hook_solver(client, "web", [hook], "dns-01")
    client.register()
    with client.start("--json", "apply") as first:
        begun.open().close()  # its second hook runs now
        second = {language: client.run("--json", "--lang", language, "apply") for language in ("en", "ja")}
        waited = client.run("--lock-timeout", "1s", "apply")
        status = client.run("--json", "status")
        held = calls.read_text()
        go_on.open("w").close()
        out, err = first.communicate(timeout=60)
    assert held.split() == ["present", "present"]
    assert first.returncode == 0, err
    assert len(json.loads(out)["done"]) == 1
    for ended in second.values():
        assert ended.code == 6, ended.err
        (found,) = ended.document["failed"]
        assert found["error"]["code"] == "locked"
        assert str(first.pid) in found["error"]["message"]
        assert re.search(r"20\d\d-\d\d-\d\d", found["error"]["message"])
        assert found["error"]["next_step"]
    assert waited.code == 6
    assert status.code == 0  # looking is always possible
    assert len(world.asked("newOrder")) == 1
    assert client.certificate("twice.jp")["status"] == "valid"


def test_runs_for_different_certificates_go_side_by_side_and_share_a_port(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("left.jp", "1y"), ("right.jp", "1y"))
    client.register()
    world.quiet()
    with client.start("--json", "apply", "left.jp") as left, client.start("--json", "apply", "right.jp") as right:
        told = [run.communicate(timeout=100) for run in (left, right)]
    assert [left.returncode, right.returncode] == [0, 0], told
    assert [each["status"] for each in client.json("status")["certificates"]] == ["valid", "valid"]
    assert len(world.asked("newOrder")) == 2


@pytest.mark.parametrize(
    "command",
    [["apply", "--force"], ["aply"], ["plan", "--at", "tomorrow"], ["renew", "nothing.jp"], ["--lang", "fr", "plan"]],
)
def test_wrong_usage_is_exit_2_with_a_way_out(world: World, tmp_path: Path, command: list[str]) -> None:
    client, _ = world.client(tmp_path / "host", ("usage.jp", "1y"))
    ended = client.run(*command, "--json")
    assert ended.code == 2, ended.err
    assert {"code", "message", "next_step"} <= set(ended.document["error"])
    assert ended.document["error"]["next_step"]


def test_a_hook_that_fails_is_quoted_and_its_proof_is_not(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("hook.jp", "1y"), solver=False)
    body = "import os, sys\nprint('zone is read-only', os.environ['CERTBOT_VALIDATION'])\nsys.exit(3)"
    add_hook_solver(client, "web", [script(tmp_path / "hook", body)], "dns-01")
    client.register()
    ended = failed(client, "apply", code=1, error="solver-hook-failed", says="zone is read-only")
    assert "exit code 3" in ended.document["failed"][0]["error"]["message"]
    assert b"zone is read-only" in database(client)
