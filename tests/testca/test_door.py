"""What every answer has, whoever asks and however: CORS, maintenance, problem documents."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.testca.in_process import START, CaInProcess


@pytest.mark.parametrize(("method", "path"), [("GET", "/dir"), ("GET", "/nowhere"), ("PUT", "/dir"), ("POST", "/dir")])
def test_a_page_of_any_origin_may_read_any_answer(ca: CaInProcess, method: str, path: str) -> None:
    """RFC 8555 §6.1."""
    headers = ca.ask(ca.acme, method, path).headers
    assert headers["access-control-allow-origin"] == "*"
    exposed = {name.strip().lower() for name in headers["access-control-expose-headers"].split(",")}
    assert exposed >= {"link", "location", "replay-nonce", "retry-after"}
    assert headers["replay-nonce"]


def test_a_preflight_is_answered(ca: CaInProcess) -> None:
    answer = ca.ask(ca.acme, "OPTIONS", "/acme/new-order")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert "content-type" in answer.headers["access-control-allow-headers"].lower()
    assert int(answer.headers["access-control-max-age"]) > 0
    assert ca.ask(ca.acme, "OPTIONS", "/acme/new-nonce").headers["access-control-allow-methods"] == "GET, HEAD, POST"
    assert ca.ask(ca.acme, "OPTIONS", "/nowhere").problem == "malformed"


def test_maintenance_stops_everything_until_it_is_over(ca: CaInProcess) -> None:
    """第18条."""
    ca.ca.maintenance_until = START + timedelta(hours=6)
    for method, path in (("GET", "/dir"), ("HEAD", "/acme/new-nonce"), ("GET", "/nowhere"), ("POST", "/acme/x")):
        answer = ca.ask(ca.acme, method, path)
        assert answer.status == 503
        assert 21_500 < int(answer.headers["retry-after"]) <= 21_600
        assert answer.headers["replay-nonce"]
    assert ca.get("/dir").problem == "serverInternal"
    assert ca.ask(ca.acme, "OPTIONS", "/dir").status == 204
    assert ca.manage("GET", "/clock").status == 200
    assert ca.manage("GET", "/log").json[-2]["problem"] == "serverInternal"
    ca.clock((START + timedelta(hours=5, minutes=59, seconds=59.5)).isoformat())
    assert ca.get("/dir").headers["retry-after"] == "1"
    ca.clock((START + timedelta(hours=6)).isoformat())
    assert ca.get("/dir").status == 200


def test_a_body_that_is_too_long_is_a_problem_like_any_other(ca: CaInProcess) -> None:
    answer = ca.post_raw("/acme/new-order", b"x" * 300_000)
    assert (answer.status, answer.problem) == (413, "malformed")
    assert answer.headers["replay-nonce"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_bug_is_a_problem_and_no_traceback(ca: CaInProcess, caplog: pytest.LogCaptureFixture) -> None:
    ca.ca.contracts.pass_until = None  # type: ignore[method-assign, assignment]
    answer = ca.get("/dir")
    assert (answer.status, answer.problem) == (500, "serverInternal")
    assert "Traceback" not in answer.body.decode()
    assert "Traceback" in caplog.text
    assert answer.headers["replay-nonce"]
