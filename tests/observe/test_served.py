"""Looking which certificate is served: whatever it is, from whomever, and never for longer than was allowed."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from jprs_client.observe.served import served_fingerprint
from jprs_client.plugin import Material, Probe
from tests.install.world import NOW, fingerprint, issued


def context_of(folder: Path, material: Material) -> ssl.SSLContext:
    pem = folder / f"{fingerprint(material.cert_pem)}.pem"
    pem.write_bytes(material.private_key_pem + material.fullchain_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@contextmanager
def listening(answer: object = None, host: str = "127.0.0.1") -> Iterator[int]:
    """One connection is answered with `answer(connection)`; without it, it is accepted and left waiting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen()
        kept: list[socket.socket] = []

        def serve() -> None:
            connection, _ = listener.accept()
            if isinstance(answer, ssl.SSLContext):
                try:
                    with answer.wrap_socket(connection, server_side=True) as tls:
                        tls.recv(1)
                except OSError:
                    connection.close()  # the client hangs up once it has seen enough
            elif isinstance(answer, bytes):
                with connection:
                    connection.sendall(answer)
            else:
                kept.append(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join(5)
            for connection in kept:
                connection.close()


def test_the_fingerprint_is_that_of_the_leaf(tmp_path: Path) -> None:
    material = issued("example.jp")
    with listening(context_of(tmp_path, material)) as port:
        assert served_fingerprint(Probe("127.0.0.1", port, "example.jp"), 5.0) == fingerprint(material.cert_pem)


def test_an_expired_certificate_for_another_name_is_seen_all_the_same(tmp_path: Path) -> None:
    material = issued("other.jp", issued_at=NOW - timedelta(days=200))
    with listening(context_of(tmp_path, material)) as port:
        assert served_fingerprint(Probe("127.0.0.1", port, "example.jp"), 5.0) == fingerprint(material.cert_pem)


def test_the_name_is_asked_for_by_sni(tmp_path: Path) -> None:
    material = issued("example.jp")
    context = context_of(tmp_path, material)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with listening(context) as port:
        served_fingerprint(Probe("127.0.0.1", port, "xn--r8jz45g.jp"), 5.0)
    assert asked == ["xn--r8jz45g.jp"]


def test_ipv6_is_looked_at(tmp_path: Path) -> None:
    material = issued("example.jp")
    with listening(context_of(tmp_path, material), "::1") as port:
        assert served_fingerprint(Probe("::1", port, "example.jp"), 5.0) == fingerprint(material.cert_pem)


def test_nobody_there_is_an_os_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            served_fingerprint(Probe("127.0.0.1", taken.getsockname()[1], "example.jp"), 5.0)


def test_a_server_that_speaks_no_tls_is_an_os_error() -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port, pytest.raises(OSError):
        served_fingerprint(Probe("127.0.0.1", port, "example.jp"), 5.0)


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    began = time.monotonic()
    with listening() as port, pytest.raises(TimeoutError):
        served_fingerprint(Probe("127.0.0.1", port, "example.jp"), 0.2)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("name", ["a" * 64 + ".jp", "", "..", "日本\0", "a\0b.jp"])
def test_a_name_that_cannot_be_asked_for_is_an_os_error(name: str) -> None:
    with pytest.raises(OSError):
        served_fingerprint(Probe("127.0.0.1", 9, name), 2.0)


def test_looking_needs_none_of_the_heavy_libraries() -> None:
    code = "import sys, jprs_client.observe.served; print(*({'cryptography', 'requests', 'acme'} & set(sys.modules)))"
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "")
