"""What a fault does to connections, on real sockets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.ca_process import TestCaProcess


@pytest.fixture(scope="module")
def ca() -> Iterator[TestCaProcess]:
    with TestCaProcess("--open") as running:
        yield running


@pytest.fixture(autouse=True)
def clean(ca: TestCaProcess) -> Iterator[None]:
    yield
    ca.delete("/faults")
    assert "Traceback" not in ca.stderr()


class Connection:
    """TLS over a socket of its own, so that it is seen how each of them ends."""

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._plain = plain
        self._come, self._go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._come, self._go, server_hostname=host)
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._exchange()
            else:
                return

    def _exchange(self) -> bool:
        """Send what waits, and take what comes; whether anything came."""
        self._plain.sendall(self._go.read())
        data = self._plain.recv(65536)
        self._come.write(data)
        return bool(data)

    def ask(self, octets: bytes) -> None:
        self._tls.write(octets)
        self._plain.sendall(self._go.read())

    def heard(self, most: int = 1 << 30) -> tuple[bytes, str]:
        """Everything that comes, and how the connection ended: tls, tcp, reset or not at all."""
        found = b""
        while len(found) < most:
            try:
                data = self._tls.read(65536)
                if not data:
                    return found, "tls"
                found += data
            except ssl.SSLZeroReturnError:
                return found, "tls"
            except ssl.SSLWantReadError:
                try:
                    if not self._exchange():
                        return found, "tcp"
                except ConnectionResetError:
                    return found, "reset"
                except TimeoutError:
                    return found, "open"
        return found, "open"


@contextlib.contextmanager
def asked(ca: TestCaProcess, action: object, *, limit: float = 5) -> Iterator[Connection]:
    """A connection that asked for the directory, with that fault waiting."""
    ca.fault(action, endpoint="directory")
    where = urlsplit(ca.directory)
    host = where.hostname or ""
    with socket.create_connection((host, where.port or 0), limit) as plain:
        connection = Connection(plain, ssl.create_default_context(cafile=str(ca.trust)), host)
        connection.ask(f"GET /dir HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
        yield connection


def heard(connection: Connection, most: int = 1 << 30) -> tuple[bytes, str]:
    return connection.heard(most)


def head_and_body(octets: bytes) -> tuple[dict[bytes, bytes], bytes]:
    head, _, body = octets.partition(b"\r\n\r\n")
    pairs = (line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    return {name.lower(): value for name, value in pairs}, body


@pytest.mark.parametrize(
    ("action", "ending"),
    [
        ("drop", "tls"),
        ("drop-after", "tls"),
        ({"drop": "before", "ending": "tcp"}, "tcp"),
        ("reset", "reset"),
        ("reset-after", "reset"),
    ],
)
def test_no_answer_at_all(ca: TestCaProcess, action: object, ending: str) -> None:
    """FAULTS 58, M13."""
    with asked(ca, action) as connection:
        assert heard(connection) == (b"", ending)


@pytest.mark.parametrize(
    ("action", "ending"), [("cut", "tls"), ("cut-reset", "reset"), ({"cut": 7, "ending": "tcp"}, "tcp")]
)
def test_half_an_answer(ca: TestCaProcess, action: object, ending: str) -> None:
    with asked(ca, action) as connection:
        octets, seen = heard(connection)
    headers, body = head_and_body(octets)
    assert seen == ending
    assert ending == "reset" or 0 < len(body) < int(headers[b"content-length"])


@pytest.mark.parametrize(("word", "more"), [("length-too-long", 10), ("length-too-short", -10)])
def test_a_length_that_is_not_true(ca: TestCaProcess, word: str, more: int) -> None:
    with asked(ca, word) as connection:
        headers, body = head_and_body(heard(connection)[0])
    assert int(headers[b"content-length"]) == len(body) + more


def test_lengths_of_any_kind(ca: TestCaProcess) -> None:
    with asked(ca, {"length": "none"}) as connection:
        headers, body = head_and_body(heard(connection)[0])
    assert b"content-length" not in headers
    assert body.endswith(b"}")
    with asked(ca, {"length": "garbage"}) as connection:
        assert head_and_body(heard(connection)[0])[0][b"content-length"] == b"many"
    with asked(ca, {"length": "conflicting"}) as connection:
        assert heard(connection)[0].lower().count(b"content-length") == 2
    with asked(ca, {"length": "chunked"}) as connection:
        headers, body = head_and_body(heard(connection)[0])
    size, _, rest = body.partition(b"\r\n")
    assert headers[b"transfer-encoding"] == b"chunked"
    assert rest[int(size, 16) :] == b"\r\n0\r\n\r\n"


def test_a_body_that_drips(ca: TestCaProcess) -> None:
    """FAULTS 59."""
    with asked(ca, {"body": "abcdef", "drip": {"octets": 2, "every": 0.1}}) as connection:
        began = time.monotonic()
        assert head_and_body(heard(connection)[0])[1] == b"abcdef"
        assert time.monotonic() - began > 0.2
    for word in ("drip", "stall"):
        with asked(ca, word, limit=0.3) as connection:
            octets, seen = heard(connection)
            assert (len(head_and_body(octets)[1]) <= 16, seen) == (True, "open")


def test_a_body_without_end(ca: TestCaProcess) -> None:
    """FAULTS 67: it goes on until nobody listens, and the CA does not keep what nobody takes."""
    with asked(ca, "endless") as connection:
        octets, seen = heard(connection, 3_000_000)
    assert seen == "open"
    headers, body = head_and_body(octets)
    assert headers[b"transfer-encoding"] == b"chunked"
    assert len(body) > 2_900_000
    assert ca.get("/clock")["now"]


def test_headers_that_no_library_would_send(ca: TestCaProcess) -> None:
    with asked(ca, {"headers": {"X-Evil": {"hostile": "ansi"}, "Content-Length": "3"}}) as connection:
        headers, _ = head_and_body(heard(connection)[0])
    assert headers[b"x-evil"].startswith(b"\x1b[2J")
    assert headers[b"content-length"] == b"3"
    with asked(ca, {"redirect": "newline"}) as connection:
        assert head_and_body(heard(connection)[0])[0][b"x-injected"] == b"yes"


def test_an_unusual_status(ca: TestCaProcess) -> None:
    with asked(ca, {"status": 599, "length": "none"}) as connection:
        assert heard(connection)[0][:13] == b"HTTP/1.1 599 "


HANDSHAKES = {
    "tls-expired": "certificate has expired",
    "tls-not-yet-valid": "certificate is not yet valid",
    "tls-other-name": "IP address mismatch",
    "tls-untrusted": "unable to get local issuer|self-signed",
    "tls-refuse": "(?i)handshake.failure|EOF",
}


@pytest.mark.parametrize("word", HANDSHAKES)
def test_a_handshake_fails_in_its_own_way_and_the_next_one_does_not(ca: TestCaProcess, word: str) -> None:
    """FAULTS 60."""
    ca.fault(word, endpoint="handshake")
    where = urlsplit(ca.directory)
    address = (where.hostname or "", where.port or 0)
    context = ssl.create_default_context(cafile=str(ca.trust))
    with socket.create_connection(address, 5) as plain, pytest.raises(ssl.SSLError, match=HANDSHAKES[word]):
        context.wrap_socket(plain, server_hostname=address[0])
    assert ca.get("/clock")["now"]
    with socket.create_connection(address, 5) as plain, context.wrap_socket(plain, server_hostname=address[0]) as good:
        assert good.version() in {"TLSv1.2", "TLSv1.3"}
