"""Proofs looked at from outside: http-01 and dns-01 (RFC 8555 §8), tls-alpn-01 (RFC 8737)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import h11
from cryptography import x509
from dns.rdtypes.ANY.TXT import TXT

from jprs_client.testca.jose import encode
from jprs_client.testca.names import wrong_with
from jprs_client.testca.problems import Problem
from jprs_client.testca.resolver import LookupFailedError, Resolver

#: Seconds: for one connection, and for a proof in all.
CONNECT_PATIENCE = 5.0
PATIENCE = 20.0
MOST_REDIRECTS = 10
#: Octets of a body that are looked at; a key authorization has less than 100.
MOST_BODY = 1024
USER_AGENT = "jprs-client-testca (TEST - DO NOT TRUST)"

_ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")


@dataclass(frozen=True, slots=True)
class Proof:
    """What is to be seen: `name` without `*.`, and the challenge's words."""

    kind: str
    name: str
    token: str
    key_authorization: str


class Perspective(Protocol):
    """A place in the network from where proofs are looked at."""

    name: str
    resolver: Resolver

    async def look(self, proof: Proof) -> None:
        """Return when the proof is there. Raises Problem."""


class LocalPerspective:
    """This machine. `http_port` stands for port 80 and `tls_port` for 443."""

    def __init__(self, name: str, resolver: Resolver, http_port: int, tls_port: int) -> None:
        self.name = name
        self.resolver = resolver
        self.http_port = http_port
        self.tls_port = tls_port

    async def look(self, proof: Proof) -> None:
        """Return when the proof is there. Raises Problem."""
        looks = {"http-01": self._http, "dns-01": self._dns, "tls-alpn-01": self._tls_alpn}
        try:
            async with asyncio.timeout(PATIENCE):
                await looks[proof.kind](proof)
        except TimeoutError:
            raise Problem("connection", f"{proof.kind} for {proof.name}: not done in {PATIENCE:.0f} s") from None

    # dns-01

    async def _dns(self, proof: Proof) -> None:
        host = f"_acme-challenge.{proof.name}"
        if len(host) > 253:
            raise Problem("dns", f"{host} is longer than the DNS allows")
        expected = encode(hashlib.sha256(proof.key_authorization.encode()).digest())
        answer = await self._look_up(host, "TXT")
        seen = [b"".join(rdata.strings) for rdata in answer if isinstance(rdata, TXT)]
        if not seen:
            raise Problem("unauthorized", f"no TXT record at {host}")
        if not any(hmac.compare_digest(value, expected.encode()) for value in seen):
            shown = ", ".join(repr(value.decode("latin-1"))[:80] for value in seen[:5])
            raise Problem("incorrectResponse", f"TXT at {host}: expected {expected!r}, found {shown}")

    async def _look_up(self, host: str, kind: str) -> Sequence[object]:
        try:
            return (await self.resolver.look_up(host, kind)).records
        except LookupFailedError as error:
            raise Problem("dns", str(error)) from error

    async def _addresses(self, host: str) -> list[str]:
        """Where `host` is, IPv6 first. Raises Problem."""
        found = [str(rdata) for kind in ("AAAA", "A") for rdata in await self._look_up(host, kind)]
        if not found:
            raise Problem("dns", f"no address for {host}: neither A nor AAAA records")
        return found

    async def _connect(
        self, host: str, port: int, what: str, tls: ssl.SSLContext | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the first address that takes it. Raises Problem."""
        failures = []
        for address in await self._addresses(host):
            try:
                async with asyncio.timeout(CONNECT_PATIENCE):
                    return await asyncio.open_connection(address, port, ssl=tls, server_hostname=host if tls else None)
            except ssl.SSLError as error:
                raise Problem("tls", f"{what}: {address} port {port}: {error.reason or error}") from error
            except TimeoutError:
                failures.append(f"{address} port {port}: no answer in {CONNECT_PATIENCE:.0f} s")
            except OSError as error:
                failures.append(f"{address} port {port}: {error.strerror or error}")
        raise Problem("connection", f"{what}: {'; '.join(failures)}")

    # http-01

    async def _http(self, proof: Proof) -> None:
        port = "" if self.http_port == 80 else f":{self.http_port}"
        url = f"http://{proof.name}{port}/.well-known/acme-challenge/{proof.token}"
        for _ in range(MOST_REDIRECTS + 1):
            status, location, body = await self._fetch(url)
            if status in {301, 302, 303, 307, 308} and location:
                url = urljoin(url, location)
                continue
            if status != 200:
                raise Problem("unauthorized", f"{url}: status {status}, expected 200")
            seen = body.rstrip(b" \t\r\n")
            if not hmac.compare_digest(seen, proof.key_authorization.encode()):
                shown = seen[:100].decode("latin-1")
                raise Problem(
                    "incorrectResponse",
                    f"{url}: expected {proof.key_authorization!r}, found {shown!r} ({len(body)} octets)",
                )
            return
        raise Problem("connection", f"{url}: more than {MOST_REDIRECTS} redirects")

    def _destination(self, url: str) -> tuple[str, str, int, str]:
        """Scheme, host, port here, and request target of `url`. Raises Problem for what is not followed."""
        try:
            parts = urlsplit(url)
            port, host = parts.port, (parts.hostname or "").rstrip(".")
        except ValueError as error:
            raise Problem("connection", f"{url!r:.200}: not an address to follow") from error
        standard = {"http": self.http_port, "https": self.tls_port}.get(parts.scheme)
        if standard is None:
            raise Problem("connection", f"{url!r:.200}: only http and https are followed")
        if wrong_with(host):
            raise Problem("connection", f"{url!r:.200}: only DNS names are followed, not addresses")
        # 80 and 443 are the ports validation uses in the world; here others stand for them.
        here = {None: standard, 80: self.http_port, 443: self.tls_port}.get(port, port)
        if here not in {self.http_port, self.tls_port}:
            raise Problem("connection", f"{url!r:.200}: only ports 80 and 443 are followed")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not target.isascii() or any(character <= " " or character == "\x7f" for character in target):
            raise Problem("connection", f"{url!r:.200}: not an address to follow")
        return parts.scheme, host, here, target

    async def _fetch(self, url: str) -> tuple[int, str, bytes]:
        """One GET: status, Location and the first octets of the body. Raises Problem."""
        scheme, host, port, target = self._destination(url)
        tls = _any_certificate() if scheme == "https" else None
        reader, writer = await self._connect(host, port, url, tls)
        authority = host if port in {80, 443} else f"{host}:{port}"
        try:
            connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=16384)
            headers = [("Host", authority), ("User-Agent", USER_AGENT), ("Accept", "*/*"), ("Connection", "close")]
            request = h11.Request(method="GET", target=target, headers=headers)
            writer.write((connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b""))
            await writer.drain()
            return await _response(connection, reader)
        except (h11.ProtocolError, OSError, EOFError) as error:
            raise Problem("connection", f"{url}: {host} port {port}: {error}") from error
        finally:
            writer.close()

    # tls-alpn-01

    async def _tls_alpn(self, proof: Proof) -> None:
        context = _any_certificate()
        context.set_alpn_protocols(["acme-tls/1"])
        what = f"tls-alpn-01 for {proof.name}"
        _, writer = await self._connect(proof.name, self.tls_port, what, context)
        try:
            connection = writer.get_extra_info("ssl_object")
            if connection.selected_alpn_protocol() != "acme-tls/1":
                raise Problem("unauthorized", f"{what}: the server does not speak acme-tls/1")
            der = connection.getpeercert(binary_form=True)
        finally:
            writer.close()
        expected = hashlib.sha256(proof.key_authorization.encode()).digest()
        why = _wrong_with_certificate(der, proof.name, expected)
        if why:
            raise Problem("incorrectResponse", f"{what}: {why}")


def _any_certificate() -> ssl.SSLContext:
    """A client that takes any certificate: a name without one is what is being proved (RFC 8555 §8.3, RFC 8737 §3)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _response(connection: h11.Connection, reader: asyncio.StreamReader) -> tuple[int, str, bytes]:
    status, location, body = 0, "", b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(4096))
        elif isinstance(event, h11.Response):
            status = event.status_code
            location = dict(event.headers).get(b"location", b"").decode("latin-1")
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MOST_BODY:
                return status, location, body
        elif isinstance(event, h11.EndOfMessage):
            return status, location, body
        elif isinstance(event, h11.ConnectionClosed):
            raise EOFError("the connection was closed without an answer")


def _wrong_with_certificate(der: bytes | None, name: str, expected: bytes) -> str | None:
    """Why a certificate is no proof (RFC 8737 §3); None when it is one."""
    try:
        certificate = x509.load_der_x509_certificate(der or b"")
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        identifier = certificate.extensions.get_extension_for_oid(_ACME_IDENTIFIER)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        return f"the certificate cannot be used: {error}"
    if [general.value for general in names] != [name] or not isinstance(next(iter(names)), x509.DNSName):
        return f"the certificate is for {[general.value for general in names]!r:.200}, expected {name!r} alone"
    value = identifier.value
    seen = value.value if isinstance(value, x509.UnrecognizedExtension) else b""
    if not identifier.critical:
        return "the acmeIdentifier extension is not critical"
    if seen != b"\x04\x20" + expected:
        return f"acmeIdentifier: expected {expected.hex()}, found {seen[2:34].hex()}"
    return None
