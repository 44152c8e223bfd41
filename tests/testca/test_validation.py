"""Proofs looked at over real sockets: http-01 and its redirects, dns-01, tls-alpn-01 (RFC 8555 §8, RFC 8737)."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jprs_client.testca import dns, validation
from jprs_client.testca.dns import Zone
from jprs_client.testca.problems import Problem
from jprs_client.testca.resolver import ZoneResolver
from jprs_client.testca.validation import LocalPerspective, Proof
from tests.testca.in_process import b64

KEY_AUTHORIZATION = "token.thumbprint"
PATH = "/.well-known/acme-challenge/token"


def proof(kind: str, name: str = "example.jp") -> Proof:
    return Proof(kind, name, "token", KEY_AUTHORIZATION)


def look(zone: Zone, wanted: Proof, http_port: int = 1, tls_port: int = 1) -> None:
    asyncio.run(LocalPerspective("here", ZoneResolver(zone), http_port, tls_port).look(wanted))


def refused(zone: Zone, wanted: Proof, http_port: int = 1, tls_port: int = 1) -> Problem:
    with pytest.raises(Problem) as caught:
        look(zone, wanted, http_port, tls_port)
    return caught.value


# dns-01

DIGEST = b64(hashlib.sha256(KEY_AUTHORIZATION.encode()).digest())


def zone_with(*values: str, host: str = "_acme-challenge.example.jp") -> Zone:
    zone = Zone()
    for value in values:
        zone.add(host, "TXT", [dns.txt(value)])
    return zone


def test_dns_01_finds_its_digest_among_others_and_behind_an_alias() -> None:
    look(zone_with("other", DIGEST), proof("dns-01"))
    zone = zone_with(DIGEST, host="proofs.other.test")
    zone.set_cname("_acme-challenge.example.jp", "proofs.other.test")
    look(zone, proof("dns-01"))


def test_dns_01_names_what_it_found() -> None:
    assert refused(Zone(), proof("dns-01")).kind == "unauthorized"
    problem = refused(zone_with("other", "third"), proof("dns-01"))
    assert problem.kind == "incorrectResponse"
    assert "other" in problem.detail
    assert DIGEST in problem.detail
    zone = Zone()
    zone.set_servfail("_acme-challenge.example.jp", True)
    assert refused(zone, proof("dns-01")).kind == "dns"
    assert refused(Zone(), proof("dns-01", "a" * 60 + ("." + "b" * 60) * 3)).kind == "dns"


# http-01

Answers = dict[str, bytes]


def with_server(answers: Callable[[int], Answers], zone: Zone | None = None, name: str = "example.jp") -> list[bytes]:
    """Look at http-01 while a server gives `answers` by request target; what it was asked."""
    asked: list[bytes] = []

    async def run() -> None:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await reader.readuntil(b"\r\n\r\n")
            asked.append(request)
            writer.write(given.get(request.split(b" ")[1].decode(), b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n"))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(converse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        given = answers(port)
        try:
            perspective = LocalPerspective("here", ZoneResolver(zone or Zone()), port, 1)
            await perspective.look(proof("http-01", name))
        finally:
            server.close()
            await server.wait_closed()

    asyncio.run(run())
    return asked


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def moved(to: str) -> bytes:
    return f"HTTP/1.1 302 Moved\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n".encode()


def http_problem(answers: Callable[[int], Answers], zone: Zone | None = None) -> Problem:
    with pytest.raises(Problem) as caught:
        with_server(answers, zone)
    return caught.value


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"  \n"])
def test_http_01_reads_the_key_authorization_with_space_after_it(end: bytes) -> None:
    (request,) = with_server(lambda _: {PATH: ok(KEY_AUTHORIZATION.encode() + end)})
    assert request.startswith(b"GET " + PATH.encode())
    assert b"host: example.jp:" in request.lower()


def test_http_01_follows_redirects_ten_at_most() -> None:
    asked = with_server(
        lambda port: {
            PATH: moved("/a?b=c"),
            "/a?b=c": moved("http://other.jp:80/x"),
            "/x": moved(f"http://example.jp:{port}/y"),
            "/y": ok(KEY_AUTHORIZATION.encode()),
        }
    )
    assert len(asked) == 4
    assert b"host: other.jp:" in asked[2].lower()
    problem = http_problem(lambda _: {PATH: moved(PATH)})
    assert problem.kind == "connection"
    assert "10 redirects" in problem.detail


@pytest.mark.parametrize(
    "where",
    [
        "ftp://example.jp/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://example.jp:22/",
        "http://example.jp:99999/",
        "gopher:x",
        "http://ex%61mple.jp/",
        "/a b",
    ],
)
def test_http_01_does_not_follow_everywhere(where: str) -> None:
    assert http_problem(lambda _: {PATH: moved(where)}).kind == "connection"


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n", "unauthorized", "404"),
        (ok(b"other"), "incorrectResponse", "other"),
        (ok(b""), "incorrectResponse", "found ''"),
        (ok(b"x" * 100_000), "incorrectResponse", "expected"),
        (b"not http at all\r\n\r\n", "connection", "example.jp"),
        (b"", "connection", "example.jp"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", "connection", "example.jp"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000, "connection", "example.jp"),
    ],
)
def test_http_01_says_what_it_got(answer: bytes, kind: str, said: str) -> None:
    problem = http_problem(lambda _: {PATH: answer})
    assert problem.kind == kind
    assert said in problem.detail


def test_http_01_tries_every_address() -> None:
    zone = Zone()
    zone.add("example.jp", "A", ["127.0.0.1"])
    zone.add("example.jp", "AAAA", ["::1"])
    assert len(with_server(lambda _: {PATH: ok(KEY_AUTHORIZATION.encode())}, zone)) == 1
    problem = refused(zone, proof("http-01"), http_port=9)
    assert problem.kind == "connection"
    assert "127.0.0.1 port 9" in problem.detail
    assert "::1 port 9" in problem.detail


def test_http_01_needs_an_address() -> None:
    zone = Zone()
    zone.set_nxdomain("example.jp", True)
    assert refused(zone, proof("http-01")).kind == "dns"


def test_what_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "PATIENCE", 0.05)

    async def run() -> None:
        silent = asyncio.Event()

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()
            silent.set()

        server = await asyncio.start_server(converse, "127.0.0.1", 0)
        try:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(Problem, match="not done in"):
                await LocalPerspective("here", ZoneResolver(Zone()), port, 1).look(proof("http-01"))
            await silent.wait()
        finally:
            server.close()

    asyncio.run(run())


# tls-alpn-01


def alpn_server(folder: Path, name: str, digest: bytes, *, critical: bool = True) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    oid = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=9000))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.UnrecognizedExtension(oid, b"\x04\x20" + digest), critical=critical)
        .sign(key, hashes.SHA256())
    )
    path = folder / "alpn.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def look_at_alpn(pem: Path, protocol: str = "acme-tls/1") -> None:
    async def run() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        context.set_alpn_protocols([protocol])

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=context)
        try:
            port = server.sockets[0].getsockname()[1]
            await LocalPerspective("here", ZoneResolver(Zone()), 1, port).look(proof("tls-alpn-01"))
        finally:
            server.close()

    asyncio.run(run())


RIGHT = hashlib.sha256(KEY_AUTHORIZATION.encode()).digest()


def test_tls_alpn_01_looks_into_the_certificate(tmp_path: Path) -> None:
    look_at_alpn(alpn_server(tmp_path, "example.jp", RIGHT))
    for name, digest, critical, said in (
        ("example.jp", bytes(32), True, RIGHT.hex()),
        ("other.jp", RIGHT, True, "other.jp"),
        ("example.jp", RIGHT, False, "not critical"),
    ):
        with pytest.raises(Problem, match=said) as caught:
            look_at_alpn(alpn_server(tmp_path, name, digest, critical=critical))
        assert caught.value.kind == "incorrectResponse"
    with pytest.raises(Problem) as caught:
        look_at_alpn(alpn_server(tmp_path, "example.jp", RIGHT), "h2")
    assert caught.value.kind in {"tls", "unauthorized"}
    assert refused(Zone(), proof("tls-alpn-01"), tls_port=9).kind == "connection"


def test_http_01_follows_to_https_whatever_its_certificate(tmp_path: Path) -> None:
    pem = alpn_server(tmp_path, "elsewhere.test", RIGHT)
    body = KEY_AUTHORIZATION.encode()

    async def run() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)

        def answering(answer: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
            async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
                await writer.drain()
                writer.close()

            return converse

        secure = await asyncio.start_server(answering(ok(body)), "127.0.0.1", 0, ssl=context)
        plain = await asyncio.start_server(answering(moved("https://example.jp" + PATH)), "127.0.0.1", 0)
        ports = [server.sockets[0].getsockname()[1] for server in (plain, secure)]
        try:
            await LocalPerspective("here", ZoneResolver(Zone()), *ports).look(proof("http-01"))
        finally:
            plain.close()
            secure.close()

    asyncio.run(run())


def test_tls_alpn_01_wants_a_certificate_that_signs_itself_for_that_name_alone(tmp_path: Path) -> None:
    """RFC 8737 §3."""
    oid = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
    own, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])

    def served(names: list[x509.GeneralName], signer: ec.EllipticCurvePrivateKey = own, extra: bytes = b"") -> Path:
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(own.public_key())
            .serial_number(1)
            .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2045, 1, 1, tzinfo=UTC))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.UnrecognizedExtension(oid, b"\x04\x20" + RIGHT + extra), critical=True)
            .sign(signer, hashes.SHA256())
        )
        path = tmp_path / "served.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + own.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return path

    name = x509.DNSName("example.jp")
    look_at_alpn(served([x509.DNSName("Example.JP")]))
    wrong: list[tuple[Callable[[], Path], str]] = [
        (lambda: served([name], other), "not signed by its own key"),
        (lambda: served([name, x509.DNSName("www.example.jp")]), "alone"),
        (lambda: served([name, name]), "alone"),
        (lambda: served([x509.RFC822Name("example.jp")]), "alone"),
        (lambda: served([name], extra=b"\x00"), "acmeIdentifier"),
    ]
    for pem, said in wrong:
        with pytest.raises(Problem, match=said) as caught:
            look_at_alpn(pem())
        assert caught.value.kind == "incorrectResponse"
