"""RFC 8659 and 8657: what a domain's CAA records permit."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

from jprs_client.testca.conformance.jose import b64
from jprs_client.testca.conformance.registry import MUST, SHOULD, Level, Probe, expect, probe, skip
from jprs_client.testca.conformance.responders import MockDns
from jprs_client.testca.conformance.server import Order, Server, csr, why


def _issuer(server: Server) -> str:
    """The server's own name in CAA."""
    found = server.meta.get("caaIdentities")
    if not isinstance(found, list) or not found:
        skip("the server names no CAA identities")
    return str(found[0])


def _outcome(server: Server, order: Order, names: tuple[str, ...]) -> str | None:
    """Why nothing was issued for `order`, whose proofs are good; None: it was."""
    proved = []
    for url in order.authorizations:
        document = server.authorization(url)
        kind = "dns-01" if document.get("wildcard") is True else "http-01"
        challenge = server.challenge(order, kind, order.authorizations.index(url))
        if kind == "dns-01":
            server.put_txt(document, challenge, order.account)
        else:
            server.put_up(challenge, order.account)
        expect(server.respond(challenge, order.account).status == 200, "the response was refused")
        proved.append(server.settled(url))
    failed = [document for document in proved if document.get("status") != "valid"]
    if failed:
        return why(failed[0])
    request = csr(ec.generate_private_key(ec.SECP256R1()), names)
    answer = server.post(order.finalize, {"csr": b64(request)})
    if answer.status >= 400:
        return answer.problem or "refused"
    document = server.poll(order.url, ("valid", "invalid")).document()
    return None if document.get("status") == "valid" else why(document)


Put = Callable[[MockDns, str], None]
PutOwn = Callable[[MockDns, str, str], None]


def _tried(server: Server, put: Put | None, own: PutOwn | None, wildcard: bool) -> str | None:
    """Why nothing was issued for a name with the properties that are put; None: it was."""
    name = server.name()
    names = (f"*.{name}" if wildcard else name,)
    if own is not None:
        own(server.dns, name, _issuer(server))
    elif put is not None:
        put(server.dns, name)
    return _outcome(server, server.order(*names), names)


def _forbidden(
    identity: str,
    section: str,
    says: str,
    put: Put | None = None,
    *,
    own: PutOwn | None = None,
    wildcard: bool = False,
) -> Probe:
    """`put` gets the DNS and the name (without *.); `own` the server's CAA identity besides."""

    @probe(identity, section, MUST, says)
    def run(server: Server) -> None:
        expect(_tried(server, put, own, wildcard) is not None, "it was issued")

    return run


def _permitted(
    identity: str,
    section: str,
    says: str,
    put: Put | None = None,
    *,
    own: PutOwn | None = None,
    wildcard: bool = False,
    level: Level = MUST,
) -> Probe:
    @probe(identity, section, level, says)
    def run(server: Server) -> None:
        reason = _tried(server, put, own, wildcard)
        expect(reason is None, f"it was not issued: {reason}")

    return run


FORBIDDEN = (
    _forbidden(
        "8659-4.2-other-issuer",
        "RFC 8659 §4.2",
        "Where only another CA may issue, nothing is issued.",
        lambda dns, name: dns.add_caa(name, "issue", "ca.example"),
    ),
    _forbidden(
        "8659-4.2-nobody",
        "RFC 8659 §4.2",
        "Where nobody may issue, nothing is issued.",
        lambda dns, name: dns.add_caa(name, "issue", ";"),
    ),
    _forbidden(
        "8659-4.2-unreadable",
        "RFC 8659 §4.2",
        "An issue property that cannot be read permits nobody.",
        lambda dns, name: dns.add_caa(name, "issue", "%%%%%"),
    ),
    _forbidden(
        "8659-4.3-issuewild",
        "RFC 8659 §4.3",
        "Where only another CA may issue wildcards, none is issued.",
        lambda dns, name: dns.add_caa(name, "issuewild", "ca.example"),
        wildcard=True,
    ),
    _forbidden(
        "8659-4.3-issuewild-before-issue",
        "RFC 8659 §4.3",
        "For a wildcard issuewild stands in place of issue.",
        own=lambda dns, name, issuer: dns.add_all(name, ("issue", issuer), ("issuewild", ";")),
        wildcard=True,
    ),
    _forbidden(
        "8659-4.3-issue-for-wildcard",
        "RFC 8659 §4.3",
        "Without issuewild, issue holds for wildcards too.",
        lambda dns, name: dns.add_caa(name, "issue", "ca.example"),
        wildcard=True,
    ),
    _forbidden(
        "8659-4.5-critical",
        "RFC 8659 §4.5",
        "A critical property that nobody knows forbids.",
        lambda dns, name: dns.add_caa(name, "unheardof", "value", critical=True),
    ),
    _forbidden(
        "8659-3-servfail",
        "RFC 8659 §3",
        "Where the DNS does not answer about the name, nothing is issued.",
        lambda dns, name: dns.set_servfail(name),
    ),
    _forbidden(
        "8657-4-method",
        "RFC 8657 §4",
        "Where another way of validation is asked for, nothing is issued.",
        own=lambda dns, name, issuer: dns.add_caa(name, "issue", f"{issuer}; validationmethods=tls-alpn-01"),
    ),
    _forbidden(
        "8657-3-account",
        "RFC 8657 §3",
        "Where only another account may have certificates, nothing is issued.",
        own=lambda dns, name, issuer: dns.add_caa(name, "issue", f"{issuer}; accounturi=https://ca.example/account/1"),
    ),
)

PERMITTED = (
    _permitted(
        "8659-4.2-own",
        "RFC 8659 §4.2",
        "Where this CA may issue, it does.",
        own=lambda dns, name, issuer: dns.add_caa(name, "issue", issuer),
    ),
    _permitted(
        "8659-4.2-own-capitals",
        "RFC 8659 §4.2",
        "The issuer's name counts whatever its case.",
        own=lambda dns, name, issuer: dns.add_caa(name, "issue", issuer.upper()),
    ),
    _permitted(
        "8659-4.2-one-of-two",
        "RFC 8659 §4.2",
        "One issue property of two is enough.",
        own=lambda dns, name, issuer: dns.add_all(name, ("issue", "ca.example"), ("issue", issuer)),
    ),
    _permitted(
        "8659-4.2-tag-capitals",
        "RFC 8659 §4.1",
        "A property's tag counts whatever its case.",
        own=lambda dns, name, issuer: dns.add_caa(name, "ISSUE", issuer),
    ),
    _permitted(
        "8659-4.2-spaces",
        "RFC 8659 §4.2",
        "Spaces around the issuer's name do no harm.",
        own=lambda dns, name, issuer: dns.add_caa(name, "issue", f"  {issuer}  "),
    ),
    _permitted(
        "8659-4.4-iodef",
        "RFC 8659 §4.4",
        "An iodef property alone forbids nothing.",
        lambda dns, name: dns.add_caa(name, "iodef", "mailto:security@example.com"),
    ),
    _permitted(
        "8659-4.5-unknown",
        "RFC 8659 §4.5",
        "A property that nobody knows, and that is not critical, forbids nothing.",
        lambda dns, name: dns.add_caa(name, "unheardof", "value"),
    ),
    _permitted(
        "8659-4.3-issuewild-for-name",
        "RFC 8659 §4.3",
        "Where there is only issuewild, plain names are issued.",
        lambda dns, name: dns.add_caa(name, "issuewild", ";"),
    ),
    _permitted(
        "8659-4.3-own-wildcard",
        "RFC 8659 §4.3",
        "Where this CA may issue wildcards, it does, whatever issue says.",
        own=lambda dns, name, issuer: dns.add_all(name, ("issue", ";"), ("issuewild", issuer)),
        wildcard=True,
    ),
    _permitted(
        "8657-4-own-method",
        "RFC 8657 §4",
        "Where the way of validation that was used is asked for, it is issued.",
        own=lambda dns, name, issuer: dns.add_caa(name, "issue", f"{issuer}; validationmethods=dns-01,http-01"),
    ),
    _permitted(
        "8659-4.2-unknown-parameter",
        "RFC 8659 §4.2",
        "A parameter that nobody knows forbids nothing.",
        own=lambda dns, name, issuer: dns.add_caa(name, "issue", f"{issuer}; unheardof=1"),
        level=SHOULD,
    ),
)


def _below(server: Server, tag: str, value: str) -> str | None:
    """What comes of a name whose parent has that property."""
    parent = server.name()
    server.dns.add_caa(parent, tag, value)
    name = f"www.{parent}"
    return _outcome(server, server.order(name), (name,))


@probe("8659-3-climbing", "RFC 8659 §3", MUST)
def climbing(server: Server) -> None:
    """Where a name has no CAA records, those of its parent count."""
    expect(_below(server, "issue", "ca.example") is not None, "it was issued")


@probe("8659-3-nearest", "RFC 8659 §3", MUST)
def nearest(server: Server) -> None:
    """Where a name has CAA records, those of its parent do not count."""
    issuer, parent = _issuer(server), server.name()
    server.dns.add_caa(parent, "issue", "ca.example")
    name = f"www.{parent}"
    server.dns.add_caa(name, "issue", issuer)
    reason = _outcome(server, server.order(name), (name,))
    expect(reason is None, f"it was not issued: {reason}")


@probe("8659-3-alias", "RFC 8659 §3", MUST)
def alias(server: Server) -> None:
    """The CAA records of what a name is an alias of count."""
    name, target = server.name(), server.name()
    server.dns.set_cname(name, target)
    server.dns.add_caa(target, "issue", "ca.example")
    expect(_outcome(server, server.order(name), (name,)) is not None, "it was issued")


@probe("8657-3-own-account", "RFC 8657 §3", MUST)
def own_account(server: Server) -> None:
    """Where this very account may have certificates, it is issued."""
    issuer, name = _issuer(server), server.name()
    server.dns.add_caa(name, "issue", f"{issuer}; accounturi={server.main.url}")
    reason = _outcome(server, server.order(name), (name,))
    expect(reason is None, f"it was not issued: {reason}")


@probe("8555-6.7-caa", "RFC 8555 §6.7", SHOULD)
def problem(server: Server) -> None:
    """What CAA forbids is a problem of type caa."""
    name = server.name()
    server.dns.add_caa(name, "issue", "ca.example")
    reason = _outcome(server, server.order(name), (name,))
    expect(reason == "caa", reason or "it was issued")


@probe("8659-3-each-name", "RFC 8659 §3", MUST)
def each_name(server: Server) -> None:
    """One forbidden name of two holds up the certificate."""
    names = (server.name(), server.name())
    server.dns.add_caa(names[1], "issue", "ca.example")
    expect(_outcome(server, server.order(*names), names) is not None, "it was issued")
