"""RFC 8737: tls-alpn-01."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from jprs_client.testca.conformance.registry import MUST, SHOULD, Level, Probe, expect, probe, skip
from jprs_client.testca.conformance.responders import TlsResponder
from jprs_client.testca.conformance.server import Server, identifier, why


def _responder(server: Server) -> TlsResponder:
    if server.tools.tls is None:
        skip("no port for tls-alpn-01 was given")
    return server.tools.tls


def _shown(
    identity: str,
    says: str,
    show: Callable[[TlsResponder, str, bytes], None],
    status: str = "invalid",
    level: Level = MUST,
) -> Probe:
    """`show` gets the name and the right digest."""

    @probe(f"8737-3-{identity}", "RFC 8737 §3", level, says)
    def run(server: Server) -> None:
        responder = _responder(server)
        order = server.order()
        challenge = server.challenge(order, "tls-alpn-01")
        name = identifier(server.authorization(order.authorizations[0]))
        proof = server.key_authorization(challenge, order.account)
        show(responder, name, sha256(proof.encode()).digest())
        answer = server.respond(challenge, order.account)
        expect(answer.status == 200, answer.said)
        document = server.settled(order.authorizations[0])
        expect(document.get("status") == status, f"{document.get('status')} ({why(document)})")
        if status == "valid":
            expect(name in responder.visits, "nobody asked for the name")

    return run


SHOWN = (
    _shown(
        "good",
        "A certificate for the name with the digest in acmeIdentifier proves it, over acme-tls/1.",
        lambda responder, name, digest: responder.show(name, digest),
        "valid",
    ),
    _shown(
        "wrong-digest",
        "Another digest proves nothing.",
        lambda responder, name, digest: responder.show(name, bytes(reversed(digest))),
    ),
    _shown(
        "no-digest",
        "A certificate without acmeIdentifier proves nothing.",
        lambda responder, name, _: responder.show(name, None),
    ),
    _shown(
        "not-critical",
        "A certificate whose acmeIdentifier is not critical proves nothing.",
        lambda responder, name, digest: responder.show(name, digest, critical=False),
    ),
    _shown(
        "other-name",
        "A certificate for another name proves nothing.",
        lambda responder, name, digest: responder.show(name, digest, names=("other.example.com",)),
    ),
    _shown(
        "two-names",
        "A certificate for the name and another one proves nothing.",
        lambda responder, name, digest: responder.show(name, digest, names=(name, "other.example.com")),
    ),
    _shown(
        "no-protocol",
        "A server that does not agree on acme-tls/1 proves nothing.",
        lambda responder, name, digest: responder.show(name, digest, agree=False),
    ),
    _shown(
        "not-served",
        "A server that does not know the name proves nothing.",
        lambda _responder, _name, _digest: None,
    ),
    _shown(
        "short-digest",
        "A digest with an octet too few proves nothing.",
        lambda responder, name, digest: responder.show(name, digest[:-1]),
        level=SHOULD,
    ),
)
