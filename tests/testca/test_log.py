"""The log: what was asked and who looked, told as JSON, kept small."""

from __future__ import annotations

import json
import tracemalloc
from datetime import timedelta

import pytest

from jprs_client.testca.log import MOST_LOGGED, Log
from jprs_client.testca.problems import Problem
from tests.testca.in_process import START, CaInProcess, Client
from tests.testca.test_faults import fault


@pytest.fixture
def client(open_ca: CaInProcess) -> Client:
    return Client(open_ca)


def test_an_entry_tells_what_was_asked(client: Client) -> None:
    fault(client.ca, {"status": 429, "type": "rateLimited"}, match={"endpoint": "newOrder"})
    client.order("b.jp", "a.jp")
    headers = [("host", "ca.test"), ("user-agent", "tester/1")]
    client.ca.ask(client.ca.acme, "GET", "/dir?x=1", headers=headers)
    asked, looked = client.ca.manage("GET", "/log").json[-2:]
    assert asked == {
        "number": asked["number"],
        "time": asked["time"],
        "method": "POST",
        "path": "/acme/new-order",
        "query": "",
        "endpoint": "newOrder",
        "account": None,  # the fault came before anybody had looked at the signature
        "names": ["b.jp", "a.jp"],
        "challenge": None,
        "status": 429,
        "problem": None,
        "fault": {"status": 429, "type": "rateLimited"},
        "signed": "kid",
        "payload": {"identifiers": [{"type": "dns", "value": "b.jp"}, {"type": "dns", "value": "a.jp"}]},
        "replay": False,
        "user_agent": "",
        "content_type": "application/jose+json",
    }
    assert (looked["query"], looked["user_agent"], looked["payload"]) == ("x=1", "tester/1", None)


def test_the_same_request_twice_is_a_replay(client: Client) -> None:
    header = client.ca.header(client.kid, client.key, client.kid)
    body = json.dumps(client.key.jws(header, None)).encode()
    answers = [client.ca.post_raw(client.kid, body) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 400]
    first, second = client.ca.manage("GET", "/log").json[-2:]
    assert (first["replay"], second["replay"], second["problem"]) == (False, True, "badNonce")
    assert (first["payload"], first["account"]) == ("", client.kid.rpartition("/")[2])


def test_payloads_that_say_little_or_too_much(client: Client) -> None:
    client.post(client.kid, b"\xff\xfe")
    client.post(client.kid, {"long": "x" * 3000})
    client.ca.post_raw(client.kid, b"no JWS")
    shown = [entry["payload"] for entry in client.ca.manage("GET", "/log?endpoint=account").json]
    assert shown == ["\xff\xfe", None, None]


def test_who_looked_at_a_proof(client: Client) -> None:
    far = type(client.ca.world)(client.ca.ca.resolver, {"a.jp": Problem("dns", "not here")}, name="far")
    client.ca.ca.perspectives.append(far)
    client.prove(client.order("a.jp"))
    looks = client.ca.manage("GET", "/log?endpoint=validation").json
    assert [(each["perspective"], each["challenge"], each["problem"], each["names"]) for each in looks] == [
        ("the world", "dns-01", None, ["a.jp"]),
        ("far", "dns-01", "dns", ["a.jp"]),
    ]
    everything = client.ca.manage("GET", "/log?endpoint=*").json
    requests = client.ca.manage("GET", "/log").json
    assert len(everything) == len(requests) + 2
    assert len(client.ca.ca.log) == len(requests)


def test_the_log_is_asked_by_kind_name_account_and_since_when(client: Client) -> None:
    other = Client(client.ca)
    client.order("a.jp")
    other.order("b.jp")
    log = client.ca.ca.log
    assert [entry["names"] for entry in log.select("newOrder")] == [["a.jp"], ["b.jp"]]
    assert [entry["names"] for entry in log.select("newOrder", account=other.kid)] == [["b.jp"]]
    assert [entry["endpoint"] for entry in log.select(name="a.jp")] == ["newOrder"]
    number = log.select("newOrder")[0]["number"]
    assert [entry["endpoint"] for entry in log.select(since=str(number))] == ["newNonce", "newOrder"]
    client.ca.clock((START + timedelta(days=1)).isoformat())
    client.order("c.jp")
    since = client.ca.manage("GET", f"/log?since={(START + timedelta(hours=9)).isoformat().replace('+', '%2B')}").json
    assert [entry["names"] for entry in since] == [[], ["c.jp"]]
    assert client.ca.manage("GET", "/log?colour=red").status == 400
    assert client.ca.manage("GET", "/log?since=soon").status == 400
    client.ca.manage("DELETE", "/log")
    assert client.ca.manage("GET", "/log").json == []


def test_the_log_stays_small() -> None:
    """Issue 4 c: a thousand certificates leave no rising line of memory behind."""
    log = Log()

    def fill(count: int) -> None:
        for number in range(count):
            log.asked(
                START,
                f"/acme/order/{number:020}",
                method="POST",
                endpoint="order",
                names=("example.jp",),
                status=200,
                signed="kid",
                payload=b"",
                body=b"x" * number,
                agent="client/1.0 (a long name of a client that says where it is at home)"[:64],
                content_type="application/jose+json",
            )

    tracemalloc.start()
    try:
        fill(1000)
        one, _ = tracemalloc.get_traced_memory()
        fill(MOST_LOGGED)
        full, _ = tracemalloc.get_traced_memory()
        fill(1000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert one / 1000 < 600
    assert full / MOST_LOGGED < 600
    assert after <= full + 256 * 600  # older entries are packed by 256
    assert len(log) == MOST_LOGGED


def test_the_log_is_not_asked_for_what_there_is_none_of(client: Client) -> None:
    client.order("a.jp")
    for wrong in ("neworder", "nosuch"):
        answer = client.ca.manage("GET", f"/log?endpoint={wrong}")
        assert answer.status == 400
        assert "newOrder" in answer.json["error"]
    assert len(client.ca.manage("GET", "/log?endpoint=newOrder").json) == 1
    assert len(client.ca.manage("GET", "/log?endpoint=*").json) > 1
