"""What is not even HTTP: each door answers it in its own words, and nobody keeps a connection by saying nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from jprs_client.testca.wire import Patience
from tests.testca.listening import DOORS, Listening, answers

HOST = b"Host: localhost\r\n"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    patience = Patience(head=0.3, body=0.3, idle=0.6, write=1, linger=0.1)
    with Listening(tmp_path_factory.mktemp("wire"), patience) as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_failed(ca: Listening) -> Iterator[None]:
    yield
    assert ca.failures == []


BAD = {
    "no HTTP at all": (b"\x00\xff\x16\x03\x01 hello\r\n\r\n", 400),
    "a TLS greeting": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", 400),
    "an SSH greeting": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "a version there will be": (b"GET /dir HTTP/3.0\r\n" + HOST + b"\r\n", 505),
    "no Host": (b"GET /dir HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET /dir HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    "a space in the path": (b"GET /di r HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a folded header": (b"GET /dir HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n", 200),
    "a header without a colon": (b"GET /dir HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n", 400),
    "NUL in a header": (b"GET /dir HTTP/1.1\r\n" + HOST + b"A: b\x00c\r\n\r\n", 400),
    "an endless header": (b"GET /dir HTTP/1.1\r\nA: " + b"a" * 200_000, 431),
    "two lengths": (
        b"POST /acme/new-order HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        400,
    ),
    "a length that is none": (b"POST /acme/new-order HTTP/1.1\r\n" + HOST + b"Content-Length: ten\r\n\r\n", 400),
    "a coding that nobody knows": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "a bad chunk": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    "half a body": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc", 400),
    "half a head": (b"GET /dir HTTP/1.1\r\nHos", 400),
    "far too long a body": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 300000\r\n\r\n" + b"a" * 300_000, 413),
    "CONNECT": (b"CONNECT example.jp:443 HTTP/1.1\r\nHost: example.jp:443\r\n\r\n", 404),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "TRACE": (b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "half a percent sign": (b"GET /%zz%2 HTTP/1.1\r\n" + HOST + b"\r\n", 404),
}


@pytest.mark.parametrize("door", ["acme", "management"])
@pytest.mark.parametrize("what", BAD)
def test_what_is_no_request_is_refused_with_a_document(ca: Listening, door: str, what: str) -> None:
    octets, status = BAD[what]
    found = answers(ca.raw(door, octets))
    assert found, "no answer"
    for each in found:
        each.check(door)
    if door == "acme" or status not in {200, 404}:
        assert found[0].status == status


@pytest.mark.parametrize(
    "what", ["no HTTP at all", "HTTP/2", "a bad chunk", "far too long a body", "an endless header"]
)
def test_so_it_is_within_tls(ca: Listening, what: str) -> None:
    octets, status = BAD[what]
    found = answers(ca.raw("acme-tls", octets))
    assert [each.status for each in found] == [status]
    assert found[0].document("acme")


def test_plain_http_to_the_tls_door_is_ended(ca: Listening) -> None:
    with socket.create_connection(("127.0.0.1", ca.ports["acme-tls"]), timeout=20) as connection:
        connection.sendall(b"GET /dir HTTP/1.1\r\n" + HOST + b"\r\n")
        assert connection.recv(100)[:1] in {b"", b"\x15"}  # nothing, or a TLS alert


def test_the_absolute_form_and_its_host_count(ca: Listening) -> None:
    octets = b"GET http://ca.example:1234/dir HTTP/1.1\r\nHost: other.example\r\n\r\n"
    (answer,) = answers(ca.raw("acme", octets))
    assert answer.status == 200
    assert b"http://ca.example:1234/acme/new-order" in answer.body


def test_http_1_0_is_answered_and_closed(ca: Listening) -> None:
    (answer,) = answers(ca.raw("acme", b"GET /dir HTTP/1.0\r\n" + HOST + b"\r\n", half_close=False))
    assert answer.status == 200
    assert answer.headers["connection"] == "close"


def test_an_upgrade_is_not_taken(ca: Listening) -> None:
    octets = b"GET /dir HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    (answer,) = answers(ca.raw("acme", octets, half_close=False))
    assert answer.status == 200


def test_requests_one_behind_the_other_are_answered_in_order(ca: Listening) -> None:
    head = b"HEAD /acme/new-nonce HTTP/1.1\r\n" + HOST + b"\r\n"
    octets = head * 3 + b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n" + b"nonsense\r\n\r\n"
    assert [each.status for each in answers(ca.raw("acme", octets))] == [200, 200, 200, 404, 400]


def test_a_body_in_chunks_is_taken_and_100_continue_said(ca: Listening) -> None:
    head = b"POST /clock HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    got = ca.raw("management", head + b"c\r\n" + b'{"advance":1' + b"\r\n1\r\n}\r\n0\r\n\r\n")
    assert got.startswith((b"HTTP/1.1 100 ", b"HTTP/1.1 200 "))
    assert [each.status for each in answers(got)] == [200]


@pytest.mark.parametrize("door", DOORS)
def test_whoever_says_half_a_head_or_nothing_is_hung_up_on(ca: Listening, door: str) -> None:
    for octets, statuses in ((b"", []), (b"GET /dir HTTP/1.1\r\nHost: loc", [408])):
        before = time.monotonic()
        found = answers(ca.raw(door, octets, half_close=False))
        assert time.monotonic() - before < 10
        assert [each.status for each in found] == statuses
        for each in found:
            each.document(door)


def test_a_head_that_comes_an_octet_at_a_time_is_not_waited_for(ca: Listening) -> None:
    with ca.connect("acme") as connection:
        connection.settimeout(0.05)
        got = b""
        for octet in b"GET /dir HTTP/1.1\r\n" + b"A: b\r\n" * 100:
            try:
                connection.sendall(bytes([octet]))
                got = connection.recv(65536)
                break
            except TimeoutError:
                continue
    assert got.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed_in_the_end(ca: Listening) -> None:
    (answer,) = answers(ca.raw("acme", b"GET /dir HTTP/1.1\r\n" + HOST + b"\r\n", half_close=False))
    assert answer.status == 200


@pytest.mark.parametrize("door", DOORS)
def test_a_body_that_stops_coming_is_not_waited_for(ca: Listening, door: str) -> None:
    octets = b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc"
    (answer,) = answers(ca.raw(door, octets, half_close=False))
    assert answer.status == 408
    assert answer.document(door)
