"""What goes wrong behind the door: proofs, CAA, signing, and bugs nobody foresaw."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from jprs_client.testca.ca import Profile
from jprs_client.testca.faults import WORDS
from jprs_client.testca.problems import Problem
from jprs_client.testca.validation import Proof
from tests.testca.in_process import URN, Answer, CaInProcess, Client, World, csr, leaf
from tests.testca.test_faults import fault


@pytest.fixture
def client(open_ca: CaInProcess) -> Client:
    return Client(open_ca)


def looked_at(client: Client, *names: str, kind: str = "dns-01") -> dict[str, Any]:
    """An order for `names` after its proofs were looked at."""
    order = client.order(*(names or ("a.jp",)))
    client.prove(order, kind)
    return dict(client.read(order.headers["location"]).json)


def why(order: dict[str, Any]) -> tuple[str, str]:
    """Type and detail of what the first authorization fails with."""
    (first, *_) = order["error"]["subproblems"]
    return first["type"].removeprefix(URN), first["detail"]


KINDS = {word: WORDS[word]["fail"] for word in WORDS if word.startswith("fails-")}


@pytest.mark.parametrize("word", KINDS)
def test_a_validation_fails_by_kind(client: Client, word: str) -> None:
    """FAULTS 90."""
    fault(client.ca, word, match={"endpoint": "validation", "name": "b.jp"})
    order = looked_at(client, "a.jp", "b.jp")
    assert order["status"] == "invalid"
    assert [each["identifier"]["value"] for each in order["error"]["subproblems"]] == ["b.jp"]
    assert why(order)[0] == KINDS[word]
    assert looked_at(client, "a.jp", "b.jp")["status"] == "ready"


def test_a_validation_fails_by_challenge(client: Client) -> None:
    fail = {"type": "connection", "detail": "no route to a.jp"}
    fault(client.ca, {"fail": fail}, match={"endpoint": "validation", "challenge": "http-01"})
    assert looked_at(client)["status"] == "ready"
    assert why(looked_at(client, kind="http-01")) == ("connection", "no route to a.jp")


@pytest.mark.parametrize("which", ["far", 1])
@pytest.mark.parametrize("where", ["match", "action"])
def test_a_second_perspective_that_fails_is_named(client: Client, which: str | int, where: str) -> None:
    """FAULTS 112."""
    far = World(client.ca.ca.resolver, name="far")
    client.ca.ca.perspectives.append(far)
    action: dict[str, Any] = {"fail": {"type": "connection", "detail": "the firewall"}}
    match: dict[str, Any] = {"endpoint": "validation"}
    (match if where == "match" else action)["perspective"] = which
    fault(client.ca, action, match=match)
    kind, detail = why(looked_at(client))
    assert (kind, "far" in detail, "the firewall" in detail) == ("connection", True, True)
    looks = client.ca.ca.log.select("validation")
    assert [(look["perspective"], look["problem"]) for look in looks] == [("the world", None), ("far", "connection")]
    assert looked_at(client)["status"] == "ready"


def test_a_perspective_that_is_not_there_cannot_be_meant(client: Client) -> None:
    document = {"match": {"endpoint": "validation"}, "action": {"fail": "dns", "perspective": 7}}
    assert client.ca.manage("POST", "/faults", document).status == 400
    assert looked_at(client)["status"] == "ready"


@pytest.mark.parametrize("perspective", [None, 1])
def test_caa_fails_at_validation_and_at_issuance(client: Client, perspective: int | None) -> None:
    client.ca.ca.perspectives.append(World(client.ca.ca.resolver, name="far"))
    match = {"endpoint": "caa"} | ({} if perspective is None else {"perspective": perspective})
    fault(client.ca, "fails-caa", match=match)
    kind, detail = why(looked_at(client))
    assert (kind, "far" in detail) == ("caa", perspective == 1)
    fault(client.ca, "fails-caa", match=match, skip=1)
    order = client.order("a.jp")
    client.prove(order)
    assert finished(client, order)["error"]["type"] == URN + "caa"


def finished(client: Client, order: Answer) -> dict[str, Any]:
    """The order after its finalization."""
    assert client.finalize(order, csr([each["value"] for each in order.json["identifiers"]])).status == 200
    client.ca.settle()
    return dict(client.read(order.headers["location"]).json)


def test_what_is_stuck_stays_processing(client: Client) -> None:
    """FAULTS 74, 75."""
    for endpoint in ("validation", "caa"):
        fault(client.ca, "stuck", match={"endpoint": endpoint})
        order = client.order("a.jp")
        client.prove(order)
        challenge = client.challenges(order.json["authorizations"][0])["dns-01"]
        assert challenge["status"] == "processing"
        assert client.read(order.headers["location"]).json["status"] == "pending"
    fault(client.ca, "stuck", match={"endpoint": "signing"})
    order = client.order("a.jp")
    client.prove(order)
    assert finished(client, order)["status"] == "processing"


def test_signing_fails_and_the_order_is_invalid(client: Client) -> None:
    """FAULTS 73."""
    order = client.order("a.jp")
    client.prove(order)
    fault(client.ca, {"fail": {"type": "serverInternal", "detail": "the HSM"}}, match={"endpoint": "signing"})
    done = finished(client, order)
    assert (done["status"], done["error"]["detail"]) == ("invalid", "the HSM")


def test_what_takes_its_time_takes_it(client: Client) -> None:
    for endpoint in ("validation", "caa"):
        fault(client.ca, {"delay": 0.05}, match={"endpoint": endpoint})
    began = time.monotonic()
    assert looked_at(client)["status"] == "ready"
    assert time.monotonic() - began > 0.1
    fault(client.ca, {"delay": 0.05}, match={"endpoint": "signing"})
    began = time.monotonic()
    client.issue("a.jp")
    assert time.monotonic() - began > 0.05


def test_looks_are_delayed_where_the_settings_say_so() -> None:
    with CaInProcess(open=True, validation_delay=0.05) as ca:
        began = time.monotonic()
        assert looked_at(Client(ca))["status"] == "ready"
        assert time.monotonic() - began > 0.05


class Broken(World):
    """A perspective with a bug."""

    async def look(self, proof: Proof) -> None:
        raise RuntimeError("nobody foresaw this")


def test_a_bug_ends_the_proof_and_leaves_its_traceback_in_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.ca.ca.perspectives[:] = [Broken(client.ca.ca.resolver)]
    assert why(looked_at(client))[0] == "serverInternal"
    assert "nobody foresaw this" in caplog.text


def test_a_bug_ends_the_order(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    order = client.order("a.jp")
    client.prove(order)
    client.ca.ca.pki.intermediates.clear()
    done = finished(client, order)
    assert (done["status"], done["error"]["type"]) == ("invalid", URN + "serverInternal")
    assert "Traceback" in caplog.text


def test_the_profile_decides_how_long_a_certificate_lives() -> None:
    profiles = {"usual": Profile("as ever"), "brief": Profile("a day", timedelta(days=1))}
    with CaInProcess(open=True, profiles=profiles) as ca:
        client = Client(ca)
        lives = []
        for profile in ("usual", "brief"):
            found = leaf(client.issue("a.jp", profile=profile))
            lives.append(found.not_valid_after_utc - found.not_valid_before_utc)
        assert lives[0] > timedelta(days=90)
        assert timedelta(hours=23) < lives[1] <= timedelta(days=1)


def test_a_problem_from_everywhere_is_the_primarys(client: Client) -> None:
    client.ca.world.failing["a.jp"] = Problem("dns", "the first word")
    client.ca.ca.perspectives.append(World(client.ca.ca.resolver, {"a.jp": Problem("tls", "the second")}, name="far"))
    assert why(looked_at(client)) == ("dns", "the first word")
