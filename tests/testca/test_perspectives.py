"""Several perspectives, which may disagree; what each sees is steered; proofs put up without a port."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import Callable, Iterator, Sequence

import pytest

from jprs_client.testca import caa, dns, validation
from jprs_client.testca.ca import Authority, Settings
from jprs_client.testca.dns import Zone
from jprs_client.testca.problems import Problem
from jprs_client.testca.resolver import ZoneResolver
from jprs_client.testca.validation import (
    LocalPerspective,
    Perspective,
    Proof,
    corroborated,
    most_dissenters,
    perspective_names,
)
from tests.testca.in_process import Answer, CaInProcess, Client, b64

KEY_AUTHORIZATION = "token.thumbprint"
DIGEST = b64(hashlib.sha256(KEY_AUTHORIZATION.encode()).digest())
HOST = "_acme-challenge.example.jp"


def proof(kind: str = "dns-01", name: str = "example.jp") -> Proof:
    return Proof(kind, name, "token", KEY_AUTHORIZATION)


def places(count: int) -> tuple[Authority, Sequence[Perspective]]:
    authority = Authority(Settings(perspectives=count))
    return authority, authority.perspectives


def seen(perspectives: Sequence[Perspective], wanted: Proof) -> Problem | None:
    try:
        asyncio.run(corroborated(perspectives, wanted))
    except Problem as problem:
        return problem
    return None


# who has to agree


def test_perspectives_have_names() -> None:
    assert [each.name for each in Authority().perspectives] == ["primary", "second"]
    assert perspective_names(4) == ("primary", "second", "third", "fourth")
    for count in (0, 11):
        with pytest.raises(ValueError, match="1 to 10"):
            perspective_names(count)


@pytest.mark.parametrize(
    ("count", "dissenting", "agreed"),
    [
        (2, ["second"], False),
        (3, ["second"], True),
        (3, ["second", "third"], False),
        (6, ["third"], True),
        (6, ["third", "sixth"], False),
        (7, ["third", "sixth"], True),
        (7, ["third", "sixth", "second"], False),
        (7, ["primary"], False),
        (1, [], True),
    ],
)
def test_the_primary_decides_and_enough_of_the_others_agree(count: int, dissenting: list[str], agreed: bool) -> None:
    """Baseline Requirements 3.2.2.9: one of two to five others may see something else, two of more."""
    authority, perspectives = places(count)
    authority.zone.add(HOST, "TXT", [dns.txt(DIGEST)])
    for name in dissenting:
        authority.zone.add(HOST, "TXT", [dns.txt("wrong")], name)
    problem = seen(perspectives, proof())
    assert (problem is None) == agreed
    if problem is not None:
        assert problem.kind == "incorrectResponse"
        said = [name for name in perspective_names(count)[1:] if f"the {name} one" in problem.detail]
        assert said == [name for name in perspective_names(count)[1:] if name in dissenting][:1]
    assert most_dissenters(1) == 0


def test_what_one_perspective_alone_is_told_stands_in_place_of_what_all_are() -> None:
    authority, (primary, second) = places(2)
    zone = authority.zone

    def found(perspective: Perspective, kind: str = "A", host: str = "a.jp") -> list[str]:
        return [str(each) for each in asyncio.run(perspective.resolver.look_up(host, kind)).records]

    zone.add("a.jp", "A", ["192.0.2.1"])
    zone.add("a.jp", "A", ["192.0.2.2"], "second")
    assert (found(primary), found(second)) == (["192.0.2.1"], ["192.0.2.2"])
    zone.clear("a.jp", "A", "second")
    assert found(second) == ["192.0.2.1"]
    zone.set_nxdomain("a.jp", True, "second")
    assert (found(primary), found(second)) == (["192.0.2.1"], [])
    zone.set_nxdomain("a.jp", False, "second")
    zone.set_cname("w.jp", "a.jp")
    zone.set_cname("w.jp", "b.jp", "second")
    zone.set_default("A", "192.0.2.9", "second")
    assert (found(primary, host="w.jp"), found(second, host="w.jp")) == (["192.0.2.1"], ["192.0.2.9"])
    zone.set_default("A", "", "second")
    assert (found(primary, host="c.jp"), found(second, host="c.jp")) == (["127.0.0.1"], [])
    zone.set_servfail("c.jp", True)
    zone.add("c.jp", "A", ["192.0.2.3"], "primary")
    assert found(primary, host="c.jp") == ["192.0.2.3"]
    # the port shows what the primary sees
    assert [str(each) for rrset in zone.look_up("c.jp", "A")[1] for each in rrset] == ["192.0.2.3"]


def test_caa_is_looked_up_from_everywhere() -> None:
    authority, perspectives = places(2)
    issuance = caa.Issuance(("jprs.jp",), False, "https://ca.test/1", "dns-01")
    assert asyncio.run(caa.corroborated(perspectives, "example.jp", issuance)) is None
    authority.zone.add("example.jp", "CAA", [dns.caa("issue", "other.test")], "second")
    refused = asyncio.run(caa.corroborated(perspectives, "example.jp", issuance))
    assert refused is not None
    assert refused.kind == "caa"
    assert "the second one" in refused.detail
    authority.zone.clear("example.jp", "CAA", "second")
    authority.zone.set_servfail("jp", True, "second")
    refused = asyncio.run(caa.corroborated(perspectives, "example.jp", issuance))
    assert refused is not None
    assert refused.kind == "dns"


# over the doors


@pytest.fixture
def ca() -> Iterator[CaInProcess]:
    """An open CA that looks with its own perspectives."""
    with CaInProcess(open=True, perspectives=2, http_port=1, tls_port=1) as running:
        running.ca.perspectives = Authority(running.ca.settings).perspectives
        for each in running.ca.perspectives:
            assert isinstance(each, LocalPerspective)
            each.resolver, each.web = ZoneResolver(running.ca.zone, each.name), running.ca.web
        yield running


def proved(ca: CaInProcess, client: Client, kind: str, put_up: Callable[[str, str], None]) -> Answer:
    order = client.order("example.jp")
    challenge = client.challenges(order.json["authorizations"][0])[kind]
    put_up(challenge["token"], f"{challenge['token']}.{client.key.thumbprint}")
    client.prove(order, kind)
    return client.read(order.headers["location"])


def test_proofs_are_put_up_by_steering_as_with_challtestsrv(ca: CaInProcess) -> None:
    client = Client(ca)

    def steer(path: str, /, **document: object) -> None:
        assert ca.manage("POST", path, document).status == 200

    def http(token: str, content: str) -> None:
        steer("/add-http01", token=token, content=content)

    def redirected(token: str, content: str) -> None:
        steer("/add-redirect", path=f"/.well-known/acme-challenge/{token}", targetURL="https://other.jp/x?y")
        steer("/add-redirect", path="/x", targetURL="http://other.jp/never")  # for plain HTTP only
        steer("/add-http01", token=token, content=content)

    def txt(_token: str, content: str) -> None:
        digest = b64(hashlib.sha256(content.encode()).digest())
        steer("/set-txt", Host=HOST + ".", VALUE=digest)

    def tls(_token: str, content: str) -> None:
        steer("/add-tlsalpn01", host="example.jp", content=content)

    assert proved(ca, client, "http-01", http).json["status"] == "ready"
    assert proved(ca, client, "dns-01", txt).json["status"] == "ready"
    assert proved(ca, client, "tls-alpn-01", tls).json["status"] == "ready"
    steer("/del-tlsalpn01", host="example.jp")
    steer("/add-tlsalpn01", host="example.jp", content="other")
    wrong = proved(ca, client, "tls-alpn-01", lambda *_: None).json
    assert wrong["status"] == "invalid"
    assert "acmeIdentifier" in wrong["error"]["detail"]
    ca.manage("POST", "/set-txt", {"host": HOST, "value": "wrong", "perspective": "second"})
    assert "the second one" in proved(ca, client, "dns-01", txt).json["error"]["detail"]
    # a redirect to https leaves what was put up, and finds nobody
    assert proved(ca, client, "http-01", redirected).json["error"]["type"].endswith(":connection")


def test_what_was_asked_is_remembered_as_challtestsrv_tells_it(ca: CaInProcess) -> None:
    client = Client(ca)
    ca.manage("POST", "/add-tlsalpn01", {"host": "example.jp", "content": "x"})
    order = proved(ca, client, "http-01", ca.ca.web.contents.__setitem__)
    assert order.json["status"] == "ready"
    proved(ca, client, "tls-alpn-01", lambda *_: None)

    def asked(kind: str) -> list[dict[str, object]]:
        found = ca.manage("POST", f"/{kind}-request-history", {"host": "example.jp"}).json
        assert isinstance(found, list)
        return found

    http = [each for each in asked("http") if each["perspective"] == "second"]
    assert [(each["Host"], each["HTTPS"], each["ServerName"]) for each in http] == [("example.jp:1", False, "")]
    assert str(http[0]["URL"]).startswith("/.well-known/acme-challenge/")
    (tls,) = (each for each in asked("tlsalpn") if each["perspective"] == "primary")
    assert (tls["ServerName"], tls["SupportedProtos"]) == ("example.jp", ["acme-tls/1"])
    assert {"Name": "example.jp.", "Qtype": 1, "Qclass": 1} in [each["Question"] for each in asked("dns")]

    ca.manage("POST", "/clear-request-history", {"host": "other.jp"})
    assert all(asked(kind) for kind in ("http", "tlsalpn", "dns"))
    ca.manage("POST", "/clear-request-history", {"host": "example.jp", "type": "http"})
    assert [bool(asked(kind)) for kind in ("http", "tlsalpn", "dns")] == [False, True, True]
    ca.manage("POST", "/clear-request-history", {"host": "example.jp", "type": "dns"})
    assert [bool(asked(kind)) for kind in ("http", "tlsalpn", "dns")] == [False, True, False]
    ca.manage("POST", "/clear-request-history", {})
    assert asked("tlsalpn") == []


def test_a_proof_by_steering_counts_only_where_the_name_leads_to_this_machine() -> None:
    here = LocalPerspective("primary", ZoneResolver(Zone()), 1, 1)
    here.web.contents["token"] = KEY_AUTHORIZATION
    asyncio.run(here.look(proof("http-01")))
    here.resolver = ZoneResolver(Zone("0.0.0.0"))  # noqa: S104 - an address that is no loopback, where nobody listens
    with pytest.raises(Problem) as caught:
        asyncio.run(here.look(proof("http-01")))
    assert caught.value.kind == "connection"


# several addresses (RFC 8305)


def test_an_address_that_does_not_answer_holds_the_next_one_up_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validation, "NEXT_ADDRESS", 0.05)
    body = KEY_AUTHORIZATION.encode()

    async def run() -> float:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
            writer.close()

        # A full backlog: connections to it neither succeed nor fail.
        silent = socket.socket()
        silent.bind(("127.0.0.2", 0))
        silent.listen(0)
        port = silent.getsockname()[1]
        filling = [socket.socket() for _ in range(4)]
        for each in filling:
            each.setblocking(False)
            each.connect_ex(("127.0.0.2", port))
        server = await asyncio.start_server(converse, "127.0.0.3", port)
        zone = Zone()
        zone.add("example.jp", "A", ["127.0.0.2", "127.0.0.3"])
        began = asyncio.get_running_loop().time()
        try:
            await LocalPerspective("here", ZoneResolver(zone), port, 1).look(proof("http-01"))
        finally:
            server.close()
            for each in (silent, *filling):
                each.close()
        return asyncio.get_running_loop().time() - began

    assert 0.04 < asyncio.run(run()) < validation.CONNECT_PATIENCE / 2


def test_addresses_are_tried_ipv6_first_and_in_turns() -> None:
    zone = Zone()
    zone.add("example.jp", "A", ["127.0.0.2", "127.0.0.3", "127.0.0.4"])
    zone.add("example.jp", "AAAA", ["::1"])
    with pytest.raises(Problem) as caught:
        asyncio.run(LocalPerspective("here", ZoneResolver(zone), 9, 9).look(proof("http-01")))
    detail = caught.value.detail
    found = [detail.index(f"{address} port 9") for address in ("::1", "127.0.0.2", "127.0.0.3", "127.0.0.4")]
    assert found == sorted(found)
