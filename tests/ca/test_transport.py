"""The way to the CA over real sockets: trust, time limits, proxies (FAULTS E, M14)."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jprs_client.ca import transport
from jprs_client.ca.transport import AnswerLost, Http, tls_context
from jprs_client.clock import SystemClock
from jprs_client.errors import BadAnswer, CaUnavailable, StateUnusable
from tests.pebble import free_port, write_https_certificate

Serve = Callable[[ssl.SSLSocket], None]


class HastyClock(SystemClock):
    """A clock on which a minute is over in a fifth of a second."""

    def monotonic(self) -> float:
        return time.monotonic() * 300


def answering(answer: bytes) -> Serve:
    def serve(connection: ssl.SSLSocket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    return serve


@contextlib.contextmanager
def server(directory: Path, serve: Serve, *, address: str = "127.0.0.1") -> Iterator[tuple[int, list[int]]]:
    """A TLS server for localhost under `directory`/root.pem; yields its port and how many connections came."""
    _, certificate, key = write_https_certificate(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    came: list[int] = []
    with socket.create_server((address, 0)) as listener:
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                with contextlib.suppress(OSError):
                    plain, _ = listener.accept()
                    came.append(1)
                    with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                        connection.settimeout(10)
                        serve(connection)
                        connection.unwrap()

        listener.settimeout(0.1)
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1], came
        finally:
            stop.set()
            thread.join(15)


def http(port: int, directory: Path, clock: SystemClock | None = None, *, trust: bool = True) -> Http:
    return Http(
        f"https://localhost:{port}/dir", clock or SystemClock(), trust=directory / "root.pem" if trust else None
    )


def failure(client: Http, port: int, body: bytes | None = None) -> CaUnavailable:
    url = f"https://localhost:{port}/dir"
    with contextlib.closing(client), pytest.raises(CaUnavailable) as caught:
        if body is None:
            client.get(url)
        else:
            client.post(url, body)
    assert caught.value.exit_code == 5
    return caught.value


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def test_trust_of_the_configuration_is_used_and_no_variable_overrides_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write_https_certificate(other)
    with server(tmp_path, answering(OK)) as (port, _):
        for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
            monkeypatch.setenv(variable, str(other / "root.pem" if variable != "SSL_CERT_DIR" else other))
        with contextlib.closing(http(port, tmp_path)) as client:
            assert client.get(f"https://localhost:{port}/dir").body == b"{}"
        for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(variable, str(tmp_path / "root.pem"))
        assert failure(http(port, tmp_path, trust=False), port).code == "ca-tls-untrusted"


def test_60_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    with server(tmp_path, answering(OK), address="127.0.0.2") as (port, _):
        url = f"https://127.0.0.2:{port}/dir"
        client = Http(url, SystemClock(), trust=tmp_path / "root.pem")
        with contextlib.closing(client), pytest.raises(CaUnavailable) as caught:
            client.get(url)
        assert caught.value.code == "ca-tls-other-name"


@pytest.mark.parametrize(
    ("code", "expected"),
    [(10, "ca-tls-expired"), (9, "ca-tls-not-yet-valid"), (62, "ca-tls-other-name"), (20, "ca-tls-untrusted")],
)
def test_60_each_way_a_certificate_is_wrong_has_its_own_word(code: int, expected: str) -> None:
    import requests
    import urllib3

    refused = ssl.SSLCertVerificationError("certificate verify failed")
    refused.verify_code, refused.verify_message = code, "why"
    wrapped = requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(None, "/", refused))  # type: ignore[arg-type]
    assert transport._why(list(transport._roots(wrapped))) == (expected, "why")


def test_61_tls_before_1_2_is_not_spoken() -> None:
    context = tls_context(None)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_trust_that_holds_no_certificate_is_an_error_of_the_person(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for file in (tmp_path / "empty.pem", tmp_path / "missing.pem"):
        with pytest.raises(StateUnusable) as caught:
            tls_context(file)
        assert (caught.value.code, caught.value.params["file"]) == ("trust-unusable", str(file))


@pytest.mark.parametrize("url", ["http://ca.example/dir", "ftp://x/", "https://a@b/", "https://", "dir", ""])
def test_a_directory_that_is_no_https_address_is_an_error_of_the_person(url: str) -> None:
    with pytest.raises(StateUnusable) as caught:
        Http(url, SystemClock())
    assert caught.value.exit_code == 3


def test_57_nobody_there(tmp_path: Path) -> None:
    write_https_certificate(tmp_path)
    port = free_port()
    assert failure(http(port, tmp_path), port).code == "ca-connection-refused"
    assert not isinstance(failure(http(port, tmp_path), port, b"{}"), AnswerLost)  # it was never sent


def test_56_a_host_that_does_not_exist(tmp_path: Path) -> None:
    write_https_certificate(tmp_path)
    client = Http("https://nobody.invalid/dir", SystemClock(), trust=tmp_path / "root.pem")
    with contextlib.closing(client), pytest.raises(CaUnavailable) as caught:
        client.get("https://nobody.invalid/dir")
    assert caught.value.code == "ca-dns"


def test_58_half_a_body_is_no_body(tmp_path: Path) -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"
    with server(tmp_path, answering(half)) as (port, _):
        assert failure(http(port, tmp_path), port).code == "ca-cut-off"
        assert isinstance(failure(http(port, tmp_path), port, b"{}"), AnswerLost)


def test_58_a_server_that_hangs_up_before_it_answers(tmp_path: Path) -> None:
    with server(tmp_path, answering(b"")) as (port, _):
        error = failure(http(port, tmp_path), port, b"{}")
        assert isinstance(error, AnswerLost)
        assert error.code == "ca-cut-off"


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_59_bytes_that_drip_in_end_with_the_time_for_the_exchange(tmp_path: Path, head: bytes) -> None:
    def drip(connection: ssl.SSLSocket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        with contextlib.suppress(OSError):
            for character in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 300:
                connection.sendall(bytes([character]))
                threading.Event().wait(0.02)

    with server(tmp_path, drip) as (port, _):
        started = time.monotonic()
        error = failure(http(port, tmp_path, HastyClock()), port)
        assert error.code == "ca-timeout"
        assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 150 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HELLO\r\n\r\n",
    ],
)
def test_67_heads_without_bound_and_garbage_are_refused(tmp_path: Path, answer: bytes) -> None:
    with server(tmp_path, answering(answer)) as (port, _):
        assert failure(http(port, tmp_path), port).code == "ca-cut-off"


def test_67_endless_chunks_end_at_a_mebibyte(tmp_path: Path) -> None:
    def endless(connection: ssl.SSLSocket) -> None:
        connection.recv(65536)
        with contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    with server(tmp_path, endless) as (port, _), contextlib.closing(http(port, tmp_path)) as client:
        with pytest.raises(BadAnswer) as caught:
            client.get(f"https://localhost:{port}/dir")
        assert caught.value.code == "ca-answer-too-long"


def test_one_connection_serves_every_kind_of_request(tmp_path: Path) -> None:
    asked: list[bytes] = []

    def keep_alive(connection: ssl.SSLSocket) -> None:
        while request := connection.recv(65536):
            if request.startswith(b"POST"):
                request += connection.recv(65536) if request.endswith(b"\r\n\r\n") else b""
            asked.append(request)
            head = OK.partition(b"\r\n\r\n")[0]
            connection.sendall(head + b"\r\n\r\n" if request.startswith(b"HEAD") else OK)

    with server(tmp_path, keep_alive) as (port, came), contextlib.closing(http(port, tmp_path)) as client:
        url = f"https://localhost:{port}/dir"
        client.get(url)
        client.head(url)
        client.post(url, b"{}")
        client.get(url)
        assert (len(asked), len(came)) == (4, 1)
    post = asked[2].lower()
    assert b"content-type: application/jose+json\r\n" in post
    assert b"content-length: 2\r\n" in post
    assert b"transfer-encoding" not in post
    assert b"accept-encoding: identity\r\n" in post
    assert b"user-agent: jprs-client/" in post
    assert b"accept-language: en\r\n" in post


def test_64_a_connection_that_was_closed_meanwhile_is_made_anew(tmp_path: Path) -> None:
    with server(tmp_path, answering(OK)) as (port, came), contextlib.closing(http(port, tmp_path)) as client:
        for _ in range(3):
            assert client.get(f"https://localhost:{port}/dir").status == 200
            threading.Event().wait(0.05)
        assert len(came) == 3


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let localhost have these addresses, in this order."""
    real = socket.getaddrinfo

    def answer(host: str, port: int, *more: int, **rest: int) -> list[tuple[object, ...]]:
        if host != "localhost":
            return [*real(host, port, *more, **rest)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_63_an_address_that_keeps_silent_is_left_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(tmp_path, answering(OK)) as (port, _), full_listener(port):
        resolving_to(monkeypatch, "127.0.0.3", "127.0.0.1")
        monkeypatch.setattr(transport, "FIRST_SECONDS", 0.2)
        started = time.monotonic()
        with contextlib.closing(http(port, tmp_path)) as client:
            assert client.get(f"https://localhost:{port}/dir").status == 200
        assert time.monotonic() - started < 3


def test_57_addresses_that_all_keep_silent_end_with_the_time_to_connect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_https_certificate(tmp_path)
    port = free_port()
    with full_listener(port):
        monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.5)
        for addresses in (("127.0.0.3",), ("127.0.0.3", "127.0.0.3")):
            resolving_to(monkeypatch, *addresses)
            assert failure(http(port, tmp_path), port).code == "ca-connect-timeout"


@contextlib.contextmanager
def full_listener(port: int) -> Iterator[None]:
    """127.0.0.3:`port`, whose queue is full: who connects hears nothing."""
    with socket.create_server(("127.0.0.3", port), backlog=0), contextlib.ExitStack() as waiting:
        for _ in range(4):
            plain = waiting.enter_context(socket.socket())
            plain.setblocking(False)
            plain.connect_ex(("127.0.0.3", port))
        yield


def test_62_a_proxy_that_is_down_is_named_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:s3cret@127.0.0.1:{port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    write_https_certificate(tmp_path)
    client = Http("https://ca.example.invalid/dir", SystemClock(), trust=tmp_path / "root.pem")
    with contextlib.closing(client), pytest.raises(CaUnavailable) as caught:
        client.get("https://ca.example.invalid/dir")
    error = caught.value
    assert (error.code, error.params["proxy"]) == ("ca-proxy", f"127.0.0.1:{port}")
    assert "s3cret" not in str(error)


def test_62_a_proxy_is_used_and_the_ca_behind_it_still_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(tmp_path, answering(OK)) as (port, _), proxy(port) as (proxy_port, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy_port}")
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        with contextlib.closing(http(port, tmp_path)) as client:
            assert client.get(f"https://localhost:{port}/dir").status == 200
        assert asked[0].startswith(f"CONNECT localhost:{port} ".encode())
        assert failure(http(port, tmp_path, trust=False), port).code == "ca-tls-untrusted"
        monkeypatch.setenv("NO_PROXY", "localhost")
        with contextlib.closing(http(port, tmp_path)) as client:
            client.get(f"https://localhost:{port}/dir")
        assert len(asked) == 2


@contextlib.contextmanager
def proxy(target: int) -> Iterator[tuple[int, list[bytes]]]:
    """An HTTP proxy that tunnels everything to `target`."""
    asked: list[bytes] = []
    stop = threading.Event()

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def accept() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                client, _ = listener.accept()
                client.settimeout(10)
                with client, socket.create_connection(("127.0.0.1", target), timeout=10) as behind:
                    asked.append(client.recv(65536))
                    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    back = threading.Thread(target=pump, args=(behind, client))
                    back.start()
                    pump(client, behind)
                    back.join(15)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1], asked
        finally:
            stop.set()
            thread.join(15)


def test_a_request_to_another_host_never_leaves(tmp_path: Path) -> None:
    write_https_certificate(tmp_path)
    with contextlib.closing(http(1, tmp_path)) as client, pytest.raises(BadAnswer):
        client.get("https://evil.example/dir")


def test_retry_after_and_the_other_headers_are_told(tmp_path: Path) -> None:
    answer = (
        b"HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nRetry-After: 60\r\nReplay-Nonce: abc\r\nLocation: /x\r\n"
        b"Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 0\r\n\r\n"
    )
    with server(tmp_path, answering(answer)) as (port, _), contextlib.closing(http(port, tmp_path)) as client:
        told = client.get(f"https://localhost:{port}/dir")
    assert told.retry_after is not None
    assert (told.status, told.nonce, told.location, told.content_type) == (503, "abc", "/x", "application/json")
    assert (told.retry_after.total_seconds(), told.is_problem) == (60, True)
