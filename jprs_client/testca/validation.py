"""Proofs looked at from outside: http-01 and dns-01 (RFC 8555 §8), tls-alpn-01 (RFC 8737).

From several places, which may disagree (Baseline Requirements 3.2.2.9): the primary one decides, the others agree.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import hmac
import ipaddress
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import h11
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from dns.rdtypes.ANY.TXT import TXT

from jprs_client.testca.dns import PRIMARY
from jprs_client.testca.jose import encode
from jprs_client.testca.names import wrong_with
from jprs_client.testca.problems import Problem
from jprs_client.testca.resolver import LookupFailedError, Resolver
from jprs_client.testca.web import HttpAsked, MockWeb, TlsAsked

#: Seconds: for one connection, and for a proof in all.
CONNECT_PATIENCE = 5.0
PATIENCE = 20.0
#: RFC 8305 §5: seconds that an address has before the next is tried beside it.
NEXT_ADDRESS = 0.25
MOST_REDIRECTS = 10
#: Octets of a body that are looked at; a key authorization has less than 100.
MOST_BODY = 1024
USER_AGENT = "jprs-client-testca (TEST - DO NOT TRUST)"

_ALPN = "acme-tls/1"
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


def perspective_names(count: int) -> Sequence[str]:
    """Primary, second, third, and so on."""
    ordinals = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    if not 1 <= count <= len(ordinals) + 1:
        raise ValueError(f"there are 1 to {len(ordinals) + 1} perspectives, not {count}")
    return (PRIMARY, *ordinals[: count - 1])


def most_dissenters(others: int) -> int:
    """How many perspectives beside the primary may see something else (Baseline Requirements 3.2.2.9)."""
    return 0 if others < 2 else 1 if others < 6 else 2


async def corroborated(perspectives: Sequence[Perspective], proof: Proof) -> None:
    """Return when the primary perspective sees the proof, and enough of the others do. Raises Problem."""
    await agreed(perspectives, lambda perspective: perspective.look(proof))


async def agreed(perspectives: Sequence[Perspective], ask: Callable[[Perspective], Awaitable[None]]) -> None:
    """Ask all at once; the primary's Problem is raised as it is, another's says who saw it."""
    primary, *others = perspectives
    if not others:
        await ask(primary)
        return
    asked = [asyncio.ensure_future(_asked(each, ask)) for each in perspectives]
    try:
        problem = await asked[0]
        if problem is not None:
            raise problem
        dissents = [
            (each.name, seen) for each, seen in zip(others, await asyncio.gather(*asked[1:]), strict=True) if seen
        ]
    finally:
        for task in asked:
            task.cancel()
    if len(dissents) > most_dissenters(len(others)):
        name, seen = dissents[0]
        detail = f"the primary perspective saw nothing wrong, but the {name} one: {seen.detail}"
        raise replace(seen, detail=detail)


async def _asked(perspective: Perspective, ask: Callable[[Perspective], Awaitable[None]]) -> Problem | None:
    try:
        await ask(perspective)
    except Problem as problem:
        return problem
    return None


class TrustingPerspective:
    """Somewhere from where every proof is seen: for tests that are about something else."""

    def __init__(self, name: str, resolver: Resolver) -> None:
        self.name = name
        self.resolver = resolver

    async def look(self, proof: Proof) -> None:
        """Return."""


class LocalPerspective:
    """This machine. `http_port` stands for port 80 and `tls_port` for 443."""

    def __init__(
        self, name: str, resolver: Resolver, http_port: int, tls_port: int, web: MockWeb | None = None
    ) -> None:
        self.name = name
        self.resolver = resolver
        self.http_port = http_port
        self.tls_port = tls_port
        self.web = web or MockWeb()

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
        """Where `host` is: IPv6 first, then in turns (RFC 8305 §4). Raises Problem."""
        found = [[str(rdata) for rdata in await self._look_up(host, kind)] for kind in ("AAAA", "A")]
        if not any(found):
            raise Problem("dns", f"no address for {host}: neither A nor AAAA records")
        return [address for pair in zip_longest(*found) for address in pair if address is not None]

    async def _connect(
        self, addresses: Sequence[str], port: int, what: str, tls: tuple[ssl.SSLContext, str] | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the first address that takes it; each has a start before the next. Raises Problem."""
        if len(addresses) == 1:
            opened = await _opened(addresses[0], port, tls)
            return _connection([opened], port, what)
        tasks: list[asyncio.Task[_Opened]] = []
        pending: set[asyncio.Task[_Opened]] = set()
        won: _Opened | None = None
        try:
            for number, address in enumerate(addresses, 1):
                tasks.append(asyncio.ensure_future(_opened(address, port, tls)))
                pending.add(tasks[-1])
                last = number == len(addresses)
                while pending and won is None:
                    done, pending = await asyncio.wait(
                        pending, timeout=None if last else NEXT_ADDRESS, return_when=asyncio.FIRST_COMPLETED
                    )
                    won = next((task.result() for task in done if task.result().connection is not None), None)
                    if not last:
                        break
                if won is not None:
                    break
            return _connection([task.result() for task in tasks if task.done()] if won is None else [won], port, what)
        finally:
            for task in tasks:
                _give_up(task, won)

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
        https = scheme == "https"
        addresses = await self._addresses(host)
        authority = host if port in {80, 443} else f"{host}:{port}"
        self.web.http_asked.append(HttpAsked(target, authority, https, host if https else "", self.name))
        here = self.web.answer(target.partition("?")[0], https) if _is_this_machine(addresses[0]) else None
        if here is not None:
            return here
        reader, writer = await self._connect(addresses, port, url, (_any_certificate(), host) if https else None)
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
        what = f"tls-alpn-01 for {proof.name}"
        expected = hashlib.sha256(proof.key_authorization.encode()).digest()
        addresses = await self._addresses(proof.name)
        self.web.tls_asked.append(TlsAsked(proof.name, (_ALPN,), self.name))
        here = self.web.key_authorizations.get(proof.name) if _is_this_machine(addresses[0]) else None
        if here is not None:
            seen = hashlib.sha256(here.encode()).digest()
            why = None if seen == expected else _wrong_digest(expected, seen)
        else:
            why = _wrong_with_certificate(await self._shown(addresses, proof.name, what), proof.name, expected)
        if why:
            raise Problem("incorrectResponse", f"{what}: {why}")

    async def _shown(self, addresses: Sequence[str], name: str, what: str) -> bytes | None:
        """The certificate that a server shows when it is asked for acme-tls/1 (RFC 8737 §3). Raises Problem."""
        _, writer = await self._connect(addresses, self.tls_port, what, (_any_certificate(_ALPN), name))
        try:
            connection = writer.get_extra_info("ssl_object")
            if connection.selected_alpn_protocol() != _ALPN:
                raise Problem("unauthorized", f"{what}: the server does not speak {_ALPN}")
            der: bytes | None = connection.getpeercert(binary_form=True)
        finally:
            writer.close()
        return der


@dataclass(frozen=True, slots=True)
class _Opened:
    """What came of one address: a connection, or why there is none."""

    address: str
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    failure: str = ""
    tls_failure: bool = False


async def _opened(address: str, port: int, tls: tuple[ssl.SSLContext, str] | None) -> _Opened:
    context, host = tls or (None, None)
    try:
        async with asyncio.timeout(CONNECT_PATIENCE):
            return _Opened(address, await asyncio.open_connection(address, port, ssl=context, server_hostname=host))
    except ssl.SSLError as error:
        return _Opened(address, None, str(error.reason or error), tls_failure=True)
    except TimeoutError:
        return _Opened(address, None, f"no answer in {CONNECT_PATIENCE:.0f} s")
    except OSError as error:
        return _Opened(address, None, str(error.strerror or error))


def _connection(opened: Sequence[_Opened], port: int, what: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The connection there is. Raises Problem where there is none: tls where a server was there that failed at it."""
    for each in opened:
        if each.connection is not None:
            return each.connection
    failures = "; ".join(f"{each.address} port {port}: {each.failure}" for each in opened)
    kind = "tls" if any(each.tls_failure for each in opened) else "connection"
    raise Problem(kind, f"{what}: {failures}")


def _give_up(task: asyncio.Task[_Opened], won: _Opened | None) -> None:
    """End an attempt that is not needed; a connection that came of it is closed."""

    def close(done: asyncio.Task[_Opened]) -> None:
        if not done.cancelled() and done.result() is not won and done.result().connection is not None:
            _close(done.result())

    task.cancel()
    task.add_done_callback(close)


def _close(opened: _Opened) -> None:
    if opened.connection is not None:
        opened.connection[1].close()


def _is_this_machine(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


@functools.cache
def _any_certificate(protocol: str | None = None) -> ssl.SSLContext:
    """A client that takes any certificate: a name without one is what is being proved (RFC 8555 §8.3, RFC 8737 §3)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocol is not None:
        context.set_alpn_protocols([protocol])
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
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        return f"the certificate cannot be used: {error}"
    except (TypeError, InvalidSignature, UnsupportedAlgorithm):
        return "the certificate is not signed by its own key"
    shown = [general.value for general in names]
    if len(shown) != 1 or not isinstance(next(iter(names)), x509.DNSName) or str(shown[0]).lower() != name:
        return f"the certificate is for {shown!r:.200}, expected {name!r} alone"
    value = identifier.value
    seen = value.value if isinstance(value, x509.UnrecognizedExtension) else b""
    if not identifier.critical:
        return "the acmeIdentifier extension is not critical"
    if seen != b"\x04\x20" + expected:
        return _wrong_digest(expected, seen[2:34])
    return None


def _wrong_digest(expected: bytes, seen: bytes) -> str:
    return f"acmeIdentifier: expected {expected.hex()}, found {seen.hex()}"
