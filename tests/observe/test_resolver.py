"""Every answer of DNS is a value, and no answer, however hostile, costs more than its bound (FAULTS 114)."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import pytest

from jprs_client.observe.resolver import CaaRecord, Resolver
from tests.observe.dns_stub import DnsStub, Reply, zone

RECORDS = {
    "example.jp": {"A": ["192.0.2.1", "192.0.2.2"], "CAA": ['0 issue "jprs.jp"', '128 tbs "x"'], "MX": ["10 mx.jp."]},
    "_acme-challenge.example.jp": {"TXT": ['"one"', '"two " "halves"', '"\\255\\000"']},
    "www.example.jp": {"CNAME": ["example.jp."]},
    "broken-alias.example.jp": {"CNAME": ["nowhere.example.jp."]},
    "round.example.jp": {"CNAME": ["about.example.jp."]},
    "about.example.jp": {"CNAME": ["round.example.jp."]},
    "crowd.example.jp": {"TXT": [f'"{number:03} {"x" * 100}"' for number in range(100)]},
    "mob.example.jp": {"TXT": [f'"{number:03}"' for number in range(101)]},
    **{f"hop{number}.example.jp": {"CNAME": [f"hop{number + 1}.example.jp."]} for number in range(1, 9)},
    "hop9.example.jp": {"A": ["192.0.2.9"]},
    "hop0.example.jp": {"CNAME": ["hop1.example.jp."]},
}


def asking(*stubs: DnsStub) -> Resolver:
    return Resolver([stub.address for stub in stubs], seconds_a_server=1, seconds_a_question=2)


@contextmanager
def asked(reply: Reply, tcp_reply: Reply | None = None) -> Iterator[tuple[Resolver, DnsStub]]:
    with DnsStub(reply, tcp_reply=tcp_reply) as stub:
        yield asking(stub), stub


@pytest.fixture(params=[True, False], ids=["recursive", "authoritative"])
def resolver(request: pytest.FixtureRequest) -> Iterator[Resolver]:
    with asked(zone(RECORDS, rcodes={"bogus.example.jp": "SERVFAIL"}, follows=request.param)) as (made, _):
        yield made


def test_addresses_are_found(resolver: Resolver) -> None:
    answer = resolver.addresses("example.jp", "A")
    assert (answer.status, sorted(answer.records), answer.aliases) == ("found", ["192.0.2.1", "192.0.2.2"], ())


def test_a_name_with_other_records_has_no_data(resolver: Resolver) -> None:
    answer = resolver.addresses("example.jp", "AAAA")
    assert (answer.status, answer.records, answer.known) == ("no-data", (), True)


def test_a_name_that_is_not_there_is_known_not_to_be(resolver: Resolver) -> None:
    answer = resolver.txt("none.example.jp")
    assert (answer.status, answer.known) == ("nxdomain", True)
    assert resolver.txt_values("none.example.jp") == frozenset()


def test_a_server_that_fails_tells_nothing(resolver: Resolver) -> None:
    answer = resolver.caa("bogus.example.jp")
    assert (answer.status, answer.known) == ("servfail", False)
    assert resolver.txt_values("bogus.example.jp") is None


def test_a_txt_value_is_put_together_and_its_bytes_are_escaped(resolver: Resolver) -> None:
    assert resolver.txt_values("_acme-challenge.example.jp") == frozenset({"one", "two halves", "\\xff\x00"})


def test_caa_records_are_taken_apart(resolver: Resolver) -> None:
    assert set(resolver.caa("example.jp").records) == {CaaRecord(0, "issue", "jprs.jp"), CaaRecord(128, "tbs", "x")}
    assert str(CaaRecord(0, "issue", "jprs.jp")) == '0 issue "jprs.jp"'


def test_an_alias_is_followed(resolver: Resolver) -> None:
    """RFC 8659 §3: CAA look-ups follow aliases; RFC 8555 §8.4: so do TXT look-ups."""
    answer = resolver.caa("www.example.jp")
    assert (answer.status, len(answer.records), answer.aliases) == ("found", 2, ("example.jp",))


def test_an_alias_to_nowhere_is_told_with_the_alias(resolver: Resolver) -> None:
    answer = resolver.addresses("broken-alias.example.jp", "A")
    assert (answer.status, answer.aliases) == ("nxdomain", ("nowhere.example.jp",))


def test_eight_aliases_are_followed_and_nine_are_not(resolver: Resolver) -> None:
    """FAULTS 108."""
    assert resolver.addresses("hop1.example.jp", "A").records == ("192.0.2.9",)
    assert resolver.addresses("hop0.example.jp", "A").status == "broken"


def test_aliases_in_a_circle_come_to_an_end(resolver: Resolver) -> None:
    assert resolver.addresses("round.example.jp", "A").status == "broken"


def test_a_long_answer_comes_by_tcp(resolver: Resolver) -> None:
    assert len(resolver.txt("crowd.example.jp").records) == 100


def test_more_records_than_anybody_needs_are_no_answer(resolver: Resolver) -> None:
    assert resolver.txt("mob.example.jp").status == "broken"


def test_a_name_that_cannot_be_is_no_question(resolver: Resolver) -> None:
    assert resolver.txt("_acme-challenge." + "a." * 130 + "jp").status == "broken"


def test_the_next_server_is_asked_where_one_fails() -> None:
    failing = zone({}, rcodes={"example.jp": "REFUSED"})
    with DnsStub(failing) as bad, DnsStub(zone(RECORDS)) as good:
        assert asking(bad, good).addresses("example.jp", "A").status == "found"
        assert asking(bad).addresses("example.jp", "A").status == "servfail"


def test_a_silent_server_is_asked_twice_and_then_never_again() -> None:
    with DnsStub(lambda _: None) as silent, DnsStub(zone(RECORDS)) as good:
        resolver = Resolver([silent.address, good.address], seconds_a_server=0.2, seconds_a_question=2)
        assert resolver.addresses("example.jp", "A").status == "found"
        assert silent.asked == ["example.jp A", "example.jp A"]
        assert resolver.txt("example.jp").status == "no-data"
        assert len(silent.asked) == 2


def test_dead_dns_costs_its_time_once() -> None:
    with DnsStub(lambda _: None) as silent:
        resolver = Resolver([silent.address], seconds_a_server=0.3, seconds_a_question=1)
        begun = time.monotonic()
        assert {resolver.txt(f"{number}.example.jp").status for number in range(50)} == {"timeout"}
        assert time.monotonic() - begun < 1
        assert resolver.txt_values("example.jp") is None


def test_a_closed_port_is_as_good_as_silence_and_costs_nothing() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as once:
        once.bind(("127.0.0.1", 0))
        port = once.getsockname()[1]
    begun = time.monotonic()
    assert Resolver([("127.0.0.1", port)]).txt("example.jp").status == "timeout"
    assert time.monotonic() - begun < 1.9


def test_a_server_may_be_given_by_name() -> None:
    with DnsStub(zone(RECORDS)) as stub:
        assert Resolver([("localhost", stub.address[1])]).addresses("example.jp", "A").status == "found"


def test_a_server_whose_name_is_unknown_is_as_good_as_silence() -> None:
    assert Resolver([("x" * 64, 53)]).txt("example.jp").status == "timeout"


def _cut(question: dns.message.Message) -> bytes:
    return zone(RECORDS)(question)[:-5]  # type: ignore[index]


def _bomb(question: dns.message.Message) -> bytes:
    """A name that is a compression pointer to itself."""
    response = dns.message.make_response(question).to_wire()
    return response[:6] + b"\0\1" + response[8:] + b"\xc0" + bytes([len(response)]) + b"\0\1\0\1\0\0\0\0\0\4\1\1\1\1"


def _other(question: dns.message.Message) -> bytes:
    return zone(RECORDS)(dns.message.make_query("evil.example", "A", id=question.id))  # type: ignore[return-value]


def _truncated(question: dns.message.Message) -> bytes:
    response = dns.message.make_response(question)
    response.flags |= dns.flags.TC
    return response.to_wire()


@pytest.mark.parametrize("reply", [_cut, _bomb, _other, lambda _: b"", lambda _: b"\0" * 4000])
def test_nonsense_is_told_as_that_and_harms_nobody(reply: Reply) -> None:
    with asked(reply) as (resolver, _):
        assert resolver.addresses("example.jp", "A").status in {"broken", "timeout"}


@pytest.mark.parametrize("tcp_reply", [lambda _: None, _cut, _truncated], ids=["hangs up", "cut", "truncated again"])
def test_nonsense_by_tcp_is_told_as_that(tcp_reply: Reply) -> None:
    with asked(_truncated, tcp_reply) as (resolver, stub):
        assert resolver.addresses("example.jp", "A").status in {"broken", "no-data"}
        assert stub.asked[:2] == ["example.jp A", "example.jp A by tcp"]


def test_random_damage_to_an_answer_never_escapes_as_an_exception() -> None:
    dice = random.Random(114)
    names = ["example.jp", "_acme-challenge.example.jp", "www.example.jp", "hop1.example.jp"]

    def damaged(question: dns.message.Message) -> bytes:
        wire = bytearray(zone(RECORDS)(question) or b"")
        for _ in range(dice.randrange(1, 4)):
            wire[dice.randrange(2, len(wire))] = dice.randrange(256)
        return bytes(wire[: dice.choice([len(wire), len(wire), dice.randrange(12, len(wire))])])

    statuses = set()
    with DnsStub(damaged) as stub:
        for number in range(400):
            resolver = Resolver([stub.address], seconds_a_server=0.2, seconds_a_question=0.5)
            name = names[number % len(names)]
            for answer in (resolver.caa(name), resolver.txt(name), resolver.addresses(name, "A")):
                statuses.add(answer.status)
    assert {"found", "broken"} <= statuses


def test_asking_nobody_imports_nothing() -> None:
    code = (
        "import sys; from jprs_client.observe import caa, names; from jprs_client.observe.resolver import Resolver;"
        "Resolver(); print([name for name in sys.modules if name.split('.')[0] == 'dns'])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
