"""What is asked to go wrong goes wrong, as often as asked, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jprs_client.testca.faults import FaultError, Faults
from tests.testca.in_process import Answer, CaInProcess, Client


def fault(ca: CaInProcess, action: object, **more: Any) -> None:
    assert ca.manage("POST", "/faults", {"action": action, **more}).status == 200


@pytest.fixture
def client(open_ca: CaInProcess) -> Client:
    return Client(open_ca)


def test_a_fault_spares_some_hits_some_and_is_gone(client: Client) -> None:
    fault(client.ca, "server-error", match={"endpoint": "newOrder", "name": "a.jp"}, skip=1, count=2)
    assert [client.order("a.jp").status for _ in range(4)] == [201, 500, 500, 201]
    assert client.order("b.jp").status == 201


def test_a_fault_without_count_lasts_until_it_is_taken_away(client: Client) -> None:
    fault(client.ca, {"status": 429, "type": "rateLimited", "retry_after": "10"}, match={"name": "A.jp"}, count=0)
    for _ in range(3):
        answer = client.order("a.jp")
        assert (answer.status, answer.problem, answer.headers["retry-after"]) == (429, "rateLimited", "10")
    assert client.ca.manage("DELETE", "/faults").status == 200
    assert client.order("a.jp").status == 201


def test_before_means_that_nothing_is_done_and_after_that_it_is(client: Client) -> None:
    def orders() -> int:
        return len(client.read(client.kid + "/orders").json["orders"])

    fault(client.ca, "server-error", match={"endpoint": "newOrder"})
    assert (client.order("a.jp").status, orders()) == (500, 0)
    fault(client.ca, {"status": 500, "after": True}, match={"endpoint": "newOrder"})
    assert (client.order("a.jp").status, orders()) == (500, 1)
    fault(client.ca, "not-json", match={"endpoint": "newOrder"})
    assert (client.order("a.jp").body, orders()) == (b'{"status": "val', 2)
    fault(client.ca, "html", match={"endpoint": "newOrder"})
    answer = client.order("a.jp")
    assert (answer.status, answer.headers["content-type"], orders()) == (200, "text/html", 3)


def test_nonces_go_wrong_both_ways(client: Client) -> None:
    fault(client.ca, "bad-nonce", match={"endpoint": "newOrder"}, count=2)
    assert [client.order("a.jp").status for _ in range(3)] == [400, 400, 201]
    fault(client.ca, "no-nonce", match={"endpoint": "newOrder"})
    assert "replay-nonce" not in client.order("a.jp").headers
    fault(client.ca, "malformed-nonce", match={"endpoint": "newOrder"})
    assert client.order("a.jp").headers["replay-nonce"] == "not a nonce!"


def test_a_lost_answer_is_told_in_process_as_an_aborted_connection(client: Client) -> None:
    fault(client.ca, "drop-after", match={"endpoint": "newOrder"})
    with pytest.raises(ConnectionAbortedError):
        client.order("a.jp")
    assert len(client.read(client.kid + "/orders").json["orders"]) == 1
    fault(client.ca, "drop", match={"endpoint": "newOrder"})
    with pytest.raises(ConnectionAbortedError):
        client.order("a.jp")
    assert len(client.read(client.kid + "/orders").json["orders"]) == 1


def test_answers_are_changed_member_by_member(client: Client) -> None:
    order = client.order("a.jp")
    patch = {"status": "processing", "identifiers": [{"type": "dns", "value": "b.jp"}], "expires": None}
    fault(client.ca, {"merge": patch, "headers": {"Location": None, "X-New": 1}}, match={"endpoint": "order"})
    answer = client.read(order.headers["location"])
    assert answer.json["status"] == "processing"
    assert answer.json["identifiers"][0]["value"] == "b.jp"
    assert "expires" not in answer.json
    assert "finalize" in answer.json
    assert "location" not in answer.headers
    assert answer.headers["x-new"] == "1"


def test_faults_match_what_a_request_is_about(client: Client) -> None:
    order = client.order("a.jp", "b.jp")
    authorization = order.json["authorizations"][1]
    asks: dict[str, Callable[[], Answer]] = {
        "order": lambda: client.read(order.headers["location"]),
        "authorization": lambda: client.read(authorization),
        "directory": lambda: client.ca.get("/dir"),
    }
    for endpoint, ask in asks.items():
        name = {} if endpoint == "directory" else {"name": "b.jp"}
        fault(client.ca, "maintenance", match={"endpoint": endpoint, **name})
        answer = ask()
        assert (answer.status, answer.headers["retry-after"]) == (503, "21600")
        assert ask().status == 200
    entry = client.ca.manage("GET", "/log").json[-2]
    assert entry["fault"]["status"] == 503


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"action": ""},
        {"action": {}},
        {"action": []},
        {"action": {"status": "500"}},
        {"action": {"status": 99}},
        {"action": {"status": True}},
        {"action": {"explode": 1}},
        {"action": {"drop": "sometimes"}},
        {"action": {"nonce": "good"}},
        {"action": "drop", "count": -1},
        {"action": "drop", "skip": "1"},
        {"action": "drop", "match": []},
        {"action": "drop", "match": {"path": "/"}},
        {"action": "drop", "when": 1},
    ],
)
def test_a_fault_that_cannot_be_read_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(FaultError):
        Faults().add(document)
