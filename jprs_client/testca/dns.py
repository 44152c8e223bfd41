"""The mock DNS: a table that is steered as pebble-challtestsrv is, and a server of it over UDP and TCP."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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
#: The perspective that decides; the others are to agree.
PRIMARY = "primary"
_MOST_CNAMES = 16
_MOST_REMEMBERED = 2000


def key_of(host: str) -> str:
    """How the table writes a name: lower case, without the last dot."""
    return host.rstrip(".").lower()


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked; `perspective` is empty for whoever asked over the network."""

    name: str
    kind: str
    perspective: str = ""


@dataclass(slots=True)
class _Table:
    """What is said about names: to everybody, or to one perspective."""

    records: dict[tuple[str, str], list[dns.rdata.Rdata]] = field(default_factory=dict)
    cnames: dict[str, str] = field(default_factory=dict)
    servfail: set[str] = field(default_factory=set)
    nxdomain: set[str] = field(default_factory=set)
    defaults: dict[str, list[dns.rdata.Rdata]] = field(default_factory=dict)


class Zone:
    """Every record there is. A name nobody has set anything for has the default addresses.

    Whatever is set for one perspective alone is what that one sees, in place of what everybody sees; the port shows
    what the primary one sees.
    """

    def __init__(self, ipv4: str = "127.0.0.1", ipv6: str = "") -> None:
        self._everybody = _Table()
        self._alone: dict[str, _Table] = {}
        self.set_default("A", ipv4)
        self.set_default("AAAA", ipv6)
        self.asked: deque[Question] = deque(maxlen=_MOST_REMEMBERED)

    # steering

    def _table(self, perspective: str | None) -> _Table:
        return self._everybody if perspective is None else self._alone.setdefault(perspective, _Table())

    def set_default(self, kind: str, address: str, perspective: str | None = None) -> None:
        """What A or AAAA records a name has that has none of its own; empty: none. Raises ValueError."""
        self._table(perspective).defaults[kind] = [_rdata(kind, address)] if address else []

    def add(self, host: str, kind: str, values: Iterable[str], perspective: str | None = None) -> None:
        """Add records, written as in a zone file. Raises ValueError where one cannot be read."""
        rdatas = [_rdata(kind, value) for value in values]
        self._table(perspective).records.setdefault((key_of(host), kind), []).extend(rdatas)

    def clear(self, host: str, kind: str, perspective: str | None = None) -> None:
        """Remove a name's records of that kind."""
        self._table(perspective).records.pop((key_of(host), kind), None)

    def set_cname(self, host: str, target: str, perspective: str | None = None) -> None:
        """Make `host` an alias. Raises ValueError where `target` is no name."""
        _rdata("CNAME", key_of(target) + ".")
        self._table(perspective).cnames[key_of(host)] = key_of(target)

    def clear_cname(self, host: str, perspective: str | None = None) -> None:
        """Make `host` an alias no more."""
        self._table(perspective).cnames.pop(key_of(host), None)

    def set_servfail(self, host: str, broken: bool, perspective: str | None = None) -> None:
        """Answer SERVFAIL for `host`, or no longer."""
        servfail = self._table(perspective).servfail
        (servfail.add if broken else servfail.discard)(key_of(host))

    def set_nxdomain(self, host: str, missing: bool, perspective: str | None = None) -> None:
        """Answer NXDOMAIN for `host`, or no longer."""
        nxdomain = self._table(perspective).nxdomain
        (nxdomain.add if missing else nxdomain.discard)(key_of(host))

    def forget(self, host: str | None = None) -> None:
        """Forget what was asked about `host`, or at all."""
        kept = [] if host is None else [question for question in self.asked if question.name != key_of(host)]
        self.asked.clear()
        self.asked.extend(kept)

    # answering

    def look_up(self, host: str, kind: str) -> tuple[dns.rcode.Rcode, list[dns.rrset.RRset]]:
        """The answer to somebody on the network: aliases followed, and their records in front."""
        rcode, aliases, name, rdatas = self._found(host, kind, PRIMARY, "")
        answer = [_rrset(alias, [_rdata("CNAME", target + ".")]) for alias, target in aliases]
        return rcode, answer + ([_rrset(name, rdatas)] if rdatas else [])

    def records(self, host: str, kind: str, perspective: str) -> tuple[dns.rcode.Rcode, Sequence[dns.rdata.Rdata]]:
        """What a perspective sees behind all aliases."""
        rcode, _, _, rdatas = self._found(host, kind, perspective, perspective)
        return rcode, rdatas

    def _found(
        self, host: str, kind: str, perspective: str, asker: str
    ) -> tuple[dns.rcode.Rcode, list[tuple[str, str]], str, Sequence[dns.rdata.Rdata]]:
        """Code, aliases on the way, the name behind them, and its records."""
        name = key_of(host)
        self.asked.append(Question(name, kind, asker))
        own = self._alone.get(perspective)
        tables = [self._everybody] if own is None else [own, self._everybody]
        aliases: list[tuple[str, str]] = []
        for _ in range(_MOST_CNAMES):
            found = _said(tables, name, kind)
            if isinstance(found, dns.rcode.Rcode):
                return found, aliases if found is dns.rcode.NXDOMAIN else [], name, []
            if not isinstance(found, str):
                return dns.rcode.NOERROR, aliases, name, found
            aliases.append((name, found))
            name = found
        return dns.rcode.SERVFAIL, [], name, []  # aliases in a circle


def _said(tables: Sequence[_Table], name: str, kind: str) -> dns.rcode.Rcode | str | Sequence[dns.rdata.Rdata]:
    """A code, the name that `name` is an alias of, or its records. The first table that says something counts."""
    for table in tables:
        if name in table.servfail:
            return dns.rcode.SERVFAIL
        if name in table.nxdomain:
            return dns.rcode.NXDOMAIN
        target = table.cnames.get(name)
        if target is not None:
            return target if kind != "CNAME" else [_rdata("CNAME", target + ".")]
        found = table.records.get((name, kind))
        if found is not None:
            return found
    # A name with addresses of one family set by hand does not get the other by default.
    other = {"A": "AAAA", "AAAA": "A"}.get(kind)
    if other is None or any((name, other) in table.records for table in tables):
        return ()
    return next(table.defaults[kind] for table in tables if kind in table.defaults)


def _rdata(kind: str, value: str) -> dns.rdata.Rdata:
    try:
        return dns.rdata.from_text("IN", kind, value)
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f"{value!r:.80} is no {kind} record") from error


def _rrset(name: str, rdatas: Sequence[dns.rdata.Rdata]) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(dns.name.from_text(name), TTL, rdatas)


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
