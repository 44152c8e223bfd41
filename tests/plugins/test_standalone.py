"""http-01 by our own listener: what it answers, to whom, and that nobody can keep it from answering (THREATS D21)."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from jprs_client.errors import ChallengeFailed
from jprs_client.plugin import Proof, Solver
from jprs_plugins import standalone
from jprs_plugins.standalone import Standalone, answer_to, everywhere, holder_of

PROOF = Proof("http-01", "example.jp", "tokenAAAAAAAAAAAAAAAAAA", "tokenAAAAAAAAAAAAAAAAAA.thumb")
OTHER = Proof("http-01", "www.example.jp", "tokenBBBBBBBBBBBBBBBBBB", "tokenBBBBBBBBBBBBBBBBBB.thumb")


@pytest.fixture
def solver() -> Iterator[Standalone]:
    made = Standalone({"listen": "127.0.0.1:0"})
    yield made
    for proof in (PROOF, OTHER):
        made.clean_up(proof)


def listening(solver: Standalone) -> tuple[tuple[str, int], ...]:
    return solver.listening  # asked anew: a type checker takes a property for a constant


def said_by(solver: Standalone, request: bytes) -> bytes:
    with socket.create_connection(solver.listening[0], timeout=5) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def get(solver: Standalone, path: str = PROOF.path, host: str = "example.jp", method: str = "GET") -> tuple[int, bytes]:
    answer = said_by(solver, f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def test_it_is_a_solver() -> None:
    solver: Solver = Standalone({})
    assert solver.challenge_type == "http-01"


def test_a_live_proof_is_served_to_its_name_and_to_no_other(solver: Standalone) -> None:
    solver.present(PROOF)
    assert get(solver) == (200, PROOF.content.encode())
    assert get(solver, host="EXAMPLE.jp:5002") == (200, PROOF.content.encode())
    assert get(solver, host="example.jp.") == (200, PROOF.content.encode())
    assert get(solver, host="www.example.jp")[0] == 404
    assert get(solver, host="")[0] == 404


def test_head_gets_the_headers_alone(solver: Standalone) -> None:
    solver.present(PROOF)
    answer = said_by(solver, f"HEAD {PROOF.path} HTTP/1.1\r\nHost: example.jp\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert f"Content-Length: {len(PROOF.content)}".encode() in answer
    assert b"Content-Type: application/octet-stream" in answer
    assert b"server:" not in answer.lower()


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 404),
        ("/.well-known/acme-challenge/", "GET", 404),
        ("/.well-known/acme-challenge/tokenCCCCCCCCCCCCCCCCCC", "GET", 404),
        (PROOF.path + "?x", "GET", 404),
        (PROOF.path + "/", "GET", 404),
        (PROOF.path + "%00", "GET", 404),
        ("/.well-known/acme-challenge/../acme-challenge/" + PROOF.token, "GET", 404),
        ("/../../../../etc/passwd", "GET", 404),
        (PROOF.path, "POST", 405),
        (PROOF.path, "DELETE", 405),
        (PROOF.path, "get", 400),
    ],
)
def test_nothing_but_exactly_the_live_token_is_there(solver: Standalone, path: str, method: str, status: int) -> None:
    solver.present(PROOF)
    found, body = get(solver, path, method=method)
    assert (found, body) == (status, b"")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"", b"400"),
        (b"GET", b"400"),
        (b"GET /a b HTTP/1.1", b"400"),
        (b"GET / HTTP/2.0", b"400"),
        (b"\x16\x03\x01\x00\xa5", b"400"),
        (f"GET {PROOF.path} HTTP/1.1\r\nHost: example.jp\r\nhost: www.example.jp".encode(), b"400"),
        (f"GET {PROOF.path} HTTP/1.0".encode(), b"404"),
        (f"GET {PROOF.path} HTTP/1.1\r\nHost: ex\xe9mple.jp".encode("latin-1"), b"404"),
        (f"GET http://example.jp{PROOF.path} HTTP/1.1\r\nHost: elsewhere.jp".encode(), b"200"),
        (f"GET http://elsewhere.jp{PROOF.path} HTTP/1.1\r\nHost: example.jp".encode(), b"404"),
        (f"GET {PROOF.path} HTTP/1.1\nHost: example.jp".encode(), b"200"),
    ],
)
def test_every_request_head_has_one_answer(head: bytes, status: bytes) -> None:
    answer = answer_to(head, {("example.jp", PROOF.path): PROOF.content.encode()})
    assert answer.split()[1] == status


def test_the_port_is_held_only_while_a_proof_is_up(solver: Standalone) -> None:
    assert listening(solver) == ()
    solver.present(PROOF)
    where = listening(solver)[0]
    solver.present(OTHER)
    assert listening(solver)[0] == where
    solver.clean_up(PROOF)
    assert get(solver)[0] == 404
    assert get(solver, OTHER.path, "www.example.jp")[0] == 200
    solver.clean_up(OTHER)
    assert listening(solver) == ()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where, timeout=5)
    again = Standalone({"listen": f"{where[0]}:{where[1]}"})
    again.present(PROOF)
    assert get(again)[0] == 200
    again.clean_up(PROOF)


def test_taking_down_what_never_was_up_does_nothing(solver: Standalone) -> None:
    solver.clean_up(PROOF)
    assert solver.listening == ()


def test_slow_visitors_do_not_keep_the_true_request_from_its_answer(solver: Standalone) -> None:
    solver.present(PROOF)
    with ExitStack() as stack:
        for _ in range(200):
            slow = stack.enter_context(socket.create_connection(solver.listening[0], timeout=5))
            slow.sendall(b"GET /.well-known/acme-challenge/")
        begun = time.monotonic()
        assert get(solver) == (200, PROOF.content.encode())
        assert time.monotonic() - begun < 2


def test_a_visitor_without_a_whole_request_is_sent_away_in_time(
    solver: Standalone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standalone, "HEADER_SECONDS", 0.2)
    solver.present(PROOF)
    with socket.create_connection(solver.listening[0], timeout=5) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        assert slow.recv(100) == b""


def test_a_visitor_who_does_not_leave_is_sent_away_in_time(solver: Standalone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standalone, "TOTAL_SECONDS", 0.3)
    solver.present(PROOF)
    with socket.create_connection(solver.listening[0], timeout=5) as lingering:
        lingering.sendall(f"GET {PROOF.path} HTTP/1.1\r\nHost: example.jp\r\n\r\n".encode())
        assert b"".join(iter(lambda: lingering.recv(4096), b"")).endswith(PROOF.content.encode())
        begun = time.monotonic()
        with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
            while time.monotonic() - begun < 5:
                lingering.sendall(b"x" * 1000)


def test_a_header_of_more_than_8_kib_is_refused(solver: Standalone) -> None:
    solver.present(PROOF)
    answer = said_by(solver, b"GET / HTTP/1.1\r\nX: " + b"a" * 8300)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_visitor_who_hangs_up_harms_nobody(solver: Standalone) -> None:
    solver.present(PROOF)
    for _ in range(5):
        with socket.create_connection(solver.listening[0], timeout=5) as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close by reset
            rude.sendall(b"GET ")
    assert get(solver)[0] == 200


def test_a_busy_port_is_told_with_who_holds_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(ChallengeFailed) as failed:
            Standalone({"listen": f"127.0.0.1:{port}"}).present(PROOF)
    assert failed.value.code == "port-busy"
    assert failed.value.params["address"] == f"127.0.0.1:{port}"
    assert str(failed.value.params["holder"]).endswith(f"(pid {os.getpid()})")


def test_nobody_holds_a_free_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert holder_of(port) is None


def test_after_a_busy_port_the_proof_can_be_put_up_once_it_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        solver = Standalone({"listen": f"127.0.0.1:{held.getsockname()[1]}"})
        with pytest.raises(ChallengeFailed):
            solver.present(PROOF)
        solver.clean_up(PROOF)
    solver.present(PROOF)
    assert get(solver)[0] == 200
    solver.clean_up(PROOF)


@contextmanager
def without_roots_rights() -> Iterator[None]:
    "x".encode("idna")
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_port_that_this_user_may_not_bind_is_told_as_that() -> None:
    assert int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) > 1
    with without_roots_rights(), pytest.raises(ChallengeFailed) as failed:
        Standalone({"listen": "127.0.0.1:1"}).present(PROOF)
    assert (failed.value.code, failed.value.params) == ("port-not-permitted", {"address": "127.0.0.1:1"})


def test_an_address_of_another_host_is_told_as_that() -> None:
    with pytest.raises(ChallengeFailed) as failed:
        Standalone({"listen": "192.0.2.1:0"}).present(PROOF)
    assert failed.value.code == "port-unusable"
    assert failed.value.params["reason"] == os.strerror(errno.EADDRNOTAVAIL)


def test_without_listen_both_families_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standalone, "DEFAULT_PORT", 0)
    solver = Standalone({})
    solver.present(PROOF)
    port = solver.listening[0][1]
    families = [("127.0.0.1", port), *([("::1", port)] if socket.has_dualstack_ipv6() else [])]
    for where in families:
        with socket.create_connection(where, timeout=5) as connection:
            connection.sendall(f"GET {PROOF.path} HTTP/1.1\r\nHost: example.jp\r\n\r\n".encode())
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    solver.clean_up(PROOF)


def test_a_host_without_ipv6_is_answered_by_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with everywhere(0) as listener:
        assert listener.family is socket.AF_INET


def test_an_ipv6_address_is_taken_without_its_brackets() -> None:
    solver = Standalone({"listen": "[::1]:0"})
    try:
        solver.present(PROOF)
    except ChallengeFailed as error:  # a host without IPv6
        assert error.code == "port-unusable"
        return
    assert solver.listening[0][0] == "::1"
    solver.clean_up(PROOF)
