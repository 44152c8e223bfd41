"""The mock DNS answers as a resolver does, and is steered as pebble-challtestsrv is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import pytest

from jprs_client.testca import dns as mock
from jprs_client.testca.dns import DnsServer, Zone, respond
from jprs_client.testca.resolver import Answer, LookupFailedError, NetworkResolver, ZoneResolver
from tests.testca.in_process import CaInProcess


def asked(zone: Zone, name: str, kind: str) -> dns.message.Message:
    answer = respond(zone, dns.message.make_query(name, kind).to_wire())
    assert answer is not None
    return dns.message.from_wire(answer)


def texts(message: dns.message.Message) -> list[str]:
    """The records, sorted: on the wire their order says nothing."""
    return sorted(rdata.to_text() for rrset in message.answer for rdata in rrset)


def test_unknown_names_are_this_machine() -> None:
    zone = Zone()
    assert texts(asked(zone, "anything.example.jp.", "A")) == ["127.0.0.1"]
    for kind in ("AAAA", "TXT", "CAA", "SOA", "MX"):
        answer = asked(zone, "anything.example.jp.", kind)
        assert (answer.rcode(), texts(answer)) == (dns.rcode.NOERROR, [])
        assert answer.authority[0].rdtype == dns.rdatatype.SOA


def test_names_are_steered_over_the_management_side(open_ca: CaInProcess) -> None:
    zone = open_ca.ca.zone

    def steer(path: str, **document: object) -> None:
        assert open_ca.manage("POST", path, document).status == 200

    steer("/set-txt", host="_acme-challenge.A.jp.", value='a"b' + "x" * 300)
    steer("/set-txt", host="_acme-challenge.a.jp", value="second")
    strings = {b"".join(rdata.strings) for rdata in asked(zone, "_ACME-challenge.a.jp", "TXT").answer[0]}
    assert strings == {b'a"b' + b"x" * 300, b"second"}
    steer("/clear-txt", host="_acme-challenge.a.jp.")
    assert texts(asked(zone, "_acme-challenge.a.jp", "TXT")) == []

    steer("/add-a", host="a.jp", addresses=["192.0.2.1", "192.0.2.2"])
    steer("/add-aaaa", host="b.jp", addresses=["2001:db8::1"])
    assert texts(asked(zone, "a.jp", "A")) == ["192.0.2.1", "192.0.2.2"]
    assert texts(asked(zone, "b.jp", "AAAA")) == ["2001:db8::1"]
    assert texts(asked(zone, "b.jp", "A")) == []
    steer("/clear-a", host="a.jp")
    steer("/clear-aaaa", host="b.jp")
    assert texts(asked(zone, "b.jp", "A")) == ["127.0.0.1"]

    steer("/add-caa", host="a.jp", policies=[{"tag": "issue", "value": "jprs.jp; a=b"}])
    steer("/add-caa", host="a.jp", policies=[{"tag": "tbs", "value": "x", "critical": True}])
    assert texts(asked(zone, "a.jp", "CAA")) == ['0 issue "jprs.jp; a=b"', '128 tbs "x"']
    steer("/clear-caa", host="a.jp")

    steer("/set-cname", host="w.jp", target="a.jp.")
    steer("/add-a", host="a.jp", addresses=["192.0.2.9"])
    assert texts(asked(zone, "w.jp", "A")) == ["192.0.2.9", "a.jp."]
    assert texts(asked(zone, "w.jp", "CNAME")) == ["a.jp."]
    steer("/clear-cname", host="w.jp")

    steer("/set-servfail", host="s.jp")
    steer("/set-nxdomain", host="n.jp")
    assert asked(zone, "s.jp", "A").rcode() == dns.rcode.SERVFAIL
    assert asked(zone, "n.jp", "A").rcode() == dns.rcode.NXDOMAIN
    steer("/clear-servfail", host="s.jp")
    steer("/clear-nxdomain", host="n.jp")
    assert asked(zone, "s.jp", "A").rcode() == dns.rcode.NOERROR

    steer("/set-default-ipv4", ip="192.0.2.7")
    steer("/set-default-ipv6", ip="::1")
    assert texts(asked(zone, "x.jp", "A")) == ["192.0.2.7"]
    assert texts(asked(zone, "x.jp", "AAAA")) == ["::1"]
    steer("/set-default-ipv4", ip="")
    assert texts(asked(zone, "x.jp", "A")) == []


def test_aliases_in_a_circle_fail() -> None:
    zone = Zone()
    zone.set_cname("a.jp", "b.jp")
    zone.set_cname("b.jp", "a.jp")
    assert asked(zone, "a.jp", "A").rcode() == dns.rcode.SERVFAIL


@pytest.mark.parametrize("wire", [b"", b"\0" * 11, b"\xff" * 40, dns.message.Message(1).to_wire()])
def test_what_is_no_query_gets_no_answer(wire: bytes) -> None:
    assert respond(Zone(), wire) is None


def test_an_answer_is_not_answered_and_other_classes_are_refused() -> None:
    query = dns.message.make_query("a.jp", "A", rdclass="CH")
    answer = respond(Zone(), query.to_wire())
    assert answer is not None
    assert dns.message.from_wire(answer).rcode() == dns.rcode.REFUSED
    assert respond(Zone(), answer) is None


def with_dns(zone: Zone, deed: Callable[[int], Any]) -> Any:
    """Run `deed` in a thread beside a server of `zone`."""

    async def run() -> Any:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        tcp = socket.socket()
        tcp.bind(udp.getsockname())
        for each in (udp, tcp):
            each.setblocking(False)
        server = DnsServer(zone)
        await server.start(udp, tcp)
        try:
            return await asyncio.to_thread(deed, udp.getsockname()[1])
        finally:
            server.stop()
            await asyncio.sleep(0)

    return asyncio.run(run())


def test_udp_says_what_is_too_long_and_tcp_has_it_all() -> None:
    zone = Zone()
    for number in range(50):
        zone.add("big.jp", "TXT", [mock.txt(f"{number}" * 40)])

    def deed(port: int) -> None:
        query = dns.message.make_query("big.jp", "TXT")
        assert dns.query.udp(query, "127.0.0.1", port=port, timeout=5).flags & dns.flags.TC
        whole = dns.query.tcp(query, "127.0.0.1", port=port, timeout=5)
        assert len(whole.answer[0]) == 50
        found = asyncio.run(NetworkResolver("127.0.0.1", port).look_up("big.jp", "TXT"))
        assert len(found.records) == 50

    with_dns(zone, deed)


def test_a_resolver_on_the_network_and_the_table_say_the_same() -> None:
    zone = Zone()
    zone.set_cname("w.jp", "a.jp")
    zone.add("a.jp", "A", ["192.0.2.1"])
    zone.set_servfail("s.jp", True)
    zone.set_nxdomain("n.jp", True)

    def deed(port: int) -> None:
        network, table = NetworkResolver("127.0.0.1", port), ZoneResolver(zone)

        def both(name: str, kind: str) -> list[Answer]:
            return [asyncio.run(each.look_up(name, kind)) for each in (network, table)]

        for name, kind in (("w.jp", "A"), ("n.jp", "A"), ("x.jp", "TXT")):
            over, direct = both(name, kind)
            assert over.rcode == direct.rcode
            assert [each.to_text() for each in over.records] == [each.to_text() for each in direct.records]
        for each in (network, table):
            with pytest.raises(LookupFailedError, match="SERVFAIL looking up A for s"):
                asyncio.run(each.look_up("s.jp", "A"))
        with pytest.raises(LookupFailedError, match="looking up"):
            asyncio.run(network.look_up("a" * 64 + ".jp", "A"))

    with_dns(zone, deed)


def test_an_ordinary_resolver_works_with_it() -> None:
    def deed(port: int) -> str:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        return str(resolver.resolve("www.example.jp", "A")[0])

    assert with_dns(Zone(), deed) == "127.0.0.1"
