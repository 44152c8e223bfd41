"""A name server for tests, on a free port of 127.0.0.1, over UDP and TCP; it says what it is told to, even nonsense."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from types import TracebackType

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.rdataclass import IN

#: What is at a name: record type to texts, all of one name.
Zone = Mapping[str, Mapping[str, list[str]]]

#: Makes the bytes of an answer from a question; None: silence.
Reply = Callable[[dns.message.Message], bytes | None]


def zone(records: Zone, *, rcodes: Mapping[str, str] | None = None, follows: bool = True) -> Reply:
    """Answers from `records`, names in lower case without the last dot; anything else is NXDOMAIN.

    `rcodes` gives some names an answer code; `follows` puts the targets of aliases into the answer, as recursive
    servers do.
    """

    def reply(question: dns.message.Message) -> bytes:
        asked = question.question[0]
        response = dns.message.make_response(question)
        name = asked.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(asked.rdtype)
        for _ in range(20):
            if rcodes and name in rcodes:
                response.set_rcode(dns.rcode.from_text(rcodes[name]))
                break
            if name not in records:
                response.set_rcode(dns.rcode.NXDOMAIN)
                break
            here = records[name]
            found = kind if kind in here else "CNAME"
            if found in here:
                response.answer.append(dns.rrset.from_text(f"{name}.", 60, IN, found, *here[found]))
            if found == kind or found not in here or not follows:
                break
            name = here["CNAME"][0].rstrip(".")
        return response.to_wire(max_size=65535)

    return reply


class DnsStub:
    """Serves `reply` inside a `with` block; `asked` lists the questions, "name TYPE", in order."""

    def __init__(self, reply: Reply, *, tcp_reply: Reply | None = None) -> None:
        self.reply = reply
        self.tcp_reply = tcp_reply
        self.asked: list[str] = []
        self._udp, self._tcp = _bound()
        self.address: tuple[str, int] = ("127.0.0.1", self._udp.getsockname()[1])
        self._threads = [threading.Thread(target=serve) for serve in (self._serve_udp, self._serve_tcp)]

    def __enter__(self) -> DnsStub:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", self.address)
        self._tcp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            wire, visitor = self._udp.recvfrom(65535)
            if not wire:
                return
            question = self._understood(wire, "")
            answer = self.reply(question)
            if answer is not None and len(answer) > question.payload and self.tcp_reply is None:
                short = dns.message.make_response(question)
                short.flags |= dns.flags.TC
                answer = short.to_wire()
            if answer is not None:
                self._udp.sendto(answer, visitor)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as heard:
                (length,) = struct.unpack("!H", heard.read(2))
                answer = (self.tcp_reply or self.reply)(self._understood(heard.read(length), " by tcp"))
                if answer is not None:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _understood(self, wire: bytes, how: str) -> dns.message.Message:
        question = dns.message.from_wire(wire)
        asked = question.question[0]
        name = asked.name.to_text(omit_final_dot=True)
        self.asked.append(f"{name} {dns.rdatatype.to_text(asked.rdtype)}{how}")
        return question


def _bound() -> tuple[socket.socket, socket.socket]:
    """A UDP and a listening TCP socket on the same port: one that is free for one may be taken for the other."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
        else:
            return udp, tcp
