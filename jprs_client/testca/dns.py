"""The mock DNS: a table that is steered as pebble-challtestsrv is, and a server of it over UDP and TCP."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from collections import deque
from collections.abc import Iterable
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

#: Answers are not to be kept: the next one may differ.
TTL = 0
_MOST_CNAMES = 16
_MOST_REMEMBERED = 2000


def key_of(host: str) -> str:
    """How the table writes a name: lower case, without the last dot."""
    return host.rstrip(".").lower()


class Zone:
    """Every record there is. A name nobody has set anything for has the default addresses."""

    def __init__(self, ipv4: str = "127.0.0.1", ipv6: str = "") -> None:
        self.default_ipv4 = ipv4
        self.default_ipv6 = ipv6
        self._records: dict[tuple[str, str], list[str]] = {}
        self._cnames: dict[str, str] = {}
        self._servfail: set[str] = set()
        self._nxdomain: set[str] = set()
        self.asked: deque[tuple[str, str]] = deque(maxlen=_MOST_REMEMBERED)

    # steering

    def add(self, host: str, kind: str, values: Iterable[str]) -> None:
        """Add records, written as in a zone file. Raises ValueError where one cannot be read."""
        values = list(values)
        for value in values:
            _rdata(kind, value)
        self._records.setdefault((key_of(host), kind), []).extend(values)

    def clear(self, host: str, kind: str) -> None:
        """Remove a name's records of that kind."""
        self._records.pop((key_of(host), kind), None)

    def set_cname(self, host: str, target: str) -> None:
        """Make `host` an alias. Raises ValueError where `target` is no name."""
        _rdata("CNAME", key_of(target) + ".")
        self._cnames[key_of(host)] = key_of(target)

    def clear_cname(self, host: str) -> None:
        """Make `host` an alias no more."""
        self._cnames.pop(key_of(host), None)

    def set_servfail(self, host: str, broken: bool) -> None:
        """Answer SERVFAIL for `host`, or no longer."""
        (self._servfail.add if broken else self._servfail.discard)(key_of(host))

    def set_nxdomain(self, host: str, missing: bool) -> None:
        """Answer NXDOMAIN for `host`, or no longer."""
        (self._nxdomain.add if missing else self._nxdomain.discard)(key_of(host))

    # answering

    def look_up(self, host: str, kind: str) -> tuple[dns.rcode.Rcode, list[dns.rrset.RRset]]:
        """The answer as a resolver gives it: aliases followed, and their records in front."""
        name = key_of(host)
        self.asked.append((name, kind))
        answer: list[dns.rrset.RRset] = []
        for _ in range(_MOST_CNAMES):
            if name in self._servfail:
                return dns.rcode.SERVFAIL, []
            if name in self._nxdomain:
                return dns.rcode.NXDOMAIN, answer
            target = self._cnames.get(name)
            if target is None or kind == "CNAME":
                values = [target + "."] if target is not None else self._values(name, kind)
                if values:
                    answer.append(_rrset(name, kind, values))
                return dns.rcode.NOERROR, answer
            answer.append(_rrset(name, "CNAME", [target + "."]))
            name = target
        return dns.rcode.SERVFAIL, []  # a loop

    def _values(self, name: str, kind: str) -> list[str]:
        values = self._records.get((name, kind))
        if values is not None:
            return values
        default = {"A": self.default_ipv4, "AAAA": self.default_ipv6}.get(kind, "")
        # A name with addresses of one family set by hand does not get the other by default.
        other = {"A": "AAAA", "AAAA": "A"}.get(kind, "")
        return [default] if default and (name, other) not in self._records else []


def _rdata(kind: str, value: str) -> dns.rdata.Rdata:
    try:
        return dns.rdata.from_text("IN", kind, value)
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f"{value!r:.80} is no {kind} record") from error


def _rrset(name: str, kind: str, values: Iterable[str]) -> dns.rrset.RRset:
    owner = dns.name.from_text(name)
    return dns.rrset.from_rdata_list(owner, TTL, [_rdata(kind, value) for value in values])


def txt(value: str) -> str:
    """`value` as TXT is written in a zone file: quoted, in pieces of at most 255 octets."""
    data = value.encode()
    pieces = [data[start : start + 255] for start in range(0, len(data), 255)] or [b""]
    return " ".join('"' + "".join(_escaped(octet) for octet in piece) + '"' for piece in pieces)


def _escaped(octet: int) -> str:
    character = chr(octet)
    return character if 0x20 <= octet < 0x7F and character not in '"\\' else f"\\{octet:03d}"


def caa(tag: str, value: str, flags: int = 0) -> str:
    """A CAA record as it is written in a zone file."""
    return f"{flags} {tag} {txt(value)}"


def address(text: str, family: str) -> str:
    """`text` when it is an address for A or AAAA records. Raises ValueError."""
    parsed = ipaddress.ip_address(text)
    if (parsed.version == 4) != (family == "A"):
        raise ValueError(f"{text} is no address for an {family} record")
    return str(parsed)


def respond(zone: Zone, wire: bytes) -> bytes | None:
    """The answer to a query in wire format; None where it deserves none."""
    try:
        query = dns.message.from_wire(wire, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        return None
    if query.flags & dns.flags.QR or not query.question:
        return None
    response = dns.message.make_response(query, recursion_available=True)
    question = query.question[0]
    if question.rdclass != dns.rdataclass.IN:
        response.set_rcode(dns.rcode.REFUSED)
        return response.to_wire(max_size=65535)
    name = question.name.to_text()
    rcode, answer = zone.look_up(name, dns.rdatatype.to_text(question.rdtype))
    response.set_rcode(rcode)
    response.answer = answer
    if rcode in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN} and not any(r.rdtype == question.rdtype for r in answer):
        soa = "mock-dns.invalid. hostmaster.invalid. 1 3600 600 86400 0"
        response.authority = [dns.rrset.from_text(".", TTL, "IN", "SOA", soa)]
    return response.to_wire(max_size=65535)


class _Udp(asyncio.DatagramProtocol):
    """One datagram in, one out."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own is no subclass of it

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = respond(self._zone, data)
        if answer is not None and self._transport is not None:
            if len(answer) > 512 and len(answer) > _room(data):
                answer = _truncated(data)
            self._transport.sendto(answer, addr)


def _room(query: bytes) -> int:
    """How many octets the asker takes in a datagram (EDNS)."""
    return max(512, dns.message.from_wire(query, ignore_trailing=True).payload)


def _truncated(query: bytes) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(query, ignore_trailing=True), recursion_available=True)
    response.flags |= dns.flags.TC
    return response.to_wire(max_size=65535)


class DnsServer:
    """The table on a port, over UDP and TCP."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, udp: socket.socket, tcp: socket.socket) -> None:
        """Serve on sockets that are bound to the same port."""
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self._zone), sock=udp)
        self._tcp = await asyncio.start_server(self._converse, sock=tcp)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (length,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), 10))
                answer = respond(self._zone, await asyncio.wait_for(reader.readexactly(length), 10))
                if answer is None:
                    break
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            return  # the asker went away
        finally:
            writer.close()

    def stop(self) -> None:
        """Close both."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
