"""RFC 8555 §7.5.1 and §8: how a name is proved by http-01 and dns-01, and what proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from jprs_client.testca.conformance.jose import Key, b64
from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, Level, Probe, expect, probe, skip
from jprs_client.testca.conformance.responders import Page
from jprs_client.testca.conformance.server import (
    Account,
    Order,
    Server,
    identifier,
    location,
    moment,
    refused,
    text,
    why,
)

_PATH = "/.well-known/acme-challenge/"


def _tried(server: Server, page: Page | None = None, order: Order | None = None) -> dict[str, Any]:
    """The authorization after an attempt by http-01 with `page` in place of the proof."""
    order = order or server.order()
    challenge = server.challenge(order, "http-01")
    server.put_up(challenge, order.account, page)
    answer = server.respond(challenge, order.account)
    expect(answer.status == 200, answer.said)
    return server.settled(order.authorizations[0], order.account)


def _is(document: Mapping[str, Any], status: str) -> None:
    expect(document.get("status") == status, f"{document.get('status')} ({why(document)})")


@probe("8555-8.3-good", "RFC 8555 §8.3", MUST)
def good(server: Server) -> None:
    """The key authorization at the token's path proves a name."""
    _is(_tried(server), "valid")


@probe("8555-8.3-request", "RFC 8555 §8.3", MUST)
def request(server: Server) -> None:
    """The proof is looked for by GET, at its path, with the name as Host."""
    order = server.order()
    challenge = server.challenge(order, "http-01")
    path = server.put_up(challenge, order.account)
    server.respond(challenge, order.account)
    _is(server.settled(order.authorizations[0]), "valid")
    came = [visit for visit in server.tools.web.visits if visit.path == path]
    expect(came, "nobody came")
    expect(all(visit.method == "GET" for visit in came), f"by {came[0].method}")
    name = identifier(server.authorization(order.authorizations[0]))
    expect(all(visit.host.partition(":")[0] == name for visit in came), "another Host")


def _thumbprint(what: str, made: Callable[[], Key], level: Level) -> Probe:
    says = f"The key authorization of an account with a key of kind {what} has that key's thumbprint."

    @probe(f"8555-8.1-thumbprint-{what.lower()}", "RFC 8555 §8.1", level, says)
    def run(server: Server) -> None:
        answer = server.try_account(key := made())
        if answer.problem in {"badPublicKey", "badSignatureAlgorithm", "malformed"}:
            skip(f"{what} is not taken")
        account = Account(key, location(answer), answer)
        _is(_tried(server, order=server.order(by=account)), "valid")

    return run


THUMBPRINTS = (
    _thumbprint("RSA", lambda: Key(rsa.generate_private_key(65537, 2048)), MUST),
    _thumbprint("P-384", lambda: Key(ec.generate_private_key(ec.SECP384R1())), MUST),
    _thumbprint("P-521", lambda: Key(ec.generate_private_key(ec.SECP521R1())), MUST),
    _thumbprint("Ed25519", lambda: Key(ed25519.Ed25519PrivateKey.generate()), MUST),
)


def _page(
    identity: str, section: str, level: Level, says: str, made: Callable[[str], Page], status: str = "invalid"
) -> Probe:
    """`made` gets the key authorization."""

    @probe(identity, section, level, says)
    def run(server: Server) -> None:
        order = server.order()
        challenge = server.challenge(order, "http-01")
        page = made(server.key_authorization(challenge, order.account))
        _is(_tried(server, page, order), status)

    return run


PAGES = (
    _page(
        "8555-8.3-trailing-space",
        "RFC 8555 §8.3",
        SHOULD,
        "White space after the key authorization does no harm.",
        lambda proof: Page(f"{proof} \r\n".encode()),
        "valid",
    ),
    _page("8555-8.3-wrong", "RFC 8555 §8.3", MUST, "Something else at the path proves nothing.", lambda _: Page(b"no")),
    _page("8555-8.3-empty", "RFC 8555 §8.3", MUST, "An empty page proves nothing.", lambda _: Page(b"")),
    _page(
        "8555-8.3-token-only",
        "RFC 8555 §8.3",
        MUST,
        "The token alone proves nothing.",
        lambda proof: Page(proof.partition(".")[0].encode()),
    ),
    _page(
        "8555-8.3-other-thumbprint",
        "RFC 8555 §8.3",
        MUST,
        "The token with another key's thumbprint proves nothing.",
        lambda proof: Page(f"{proof.partition('.')[0]}.{Key.fresh().thumbprint}".encode()),
    ),
    _page(
        "8555-8.3-prefix",
        "RFC 8555 §8.3",
        MUST,
        "Something before the key authorization makes it prove nothing.",
        lambda proof: Page(f"x{proof}".encode()),
    ),
    _page(
        "8555-8.3-suffix",
        "RFC 8555 §8.3",
        MUST,
        "Something after the key authorization makes it prove nothing.",
        lambda proof: Page(f"{proof}x".encode()),
    ),
    _page(
        "8555-8.3-not-found",
        "RFC 8555 §8.3",
        MUST,
        "The key authorization on a page that is not found (404) proves nothing.",
        lambda proof: Page(proof.encode(), 404),
    ),
    _page(
        "8555-8.3-server-error",
        "RFC 8555 §8.3",
        MUST,
        "The key authorization on an error page (500) proves nothing.",
        lambda proof: Page(proof.encode(), 500),
    ),
    _page(
        "8555-8.3-huge",
        "RFC 8555 §10.4",
        SHOULD,
        "A page of a million octets proves nothing, and soon.",
        lambda proof: Page(proof.encode() + b"A" * 1_000_000),
    ),
    _page(
        "8555-8.3-redirect-loop",
        "RFC 8555 §10.4",
        MUST,
        "A page that redirects to itself proves nothing, and soon.",
        lambda proof: Page(b"", 302, {"Location": f"{_PATH}{proof.partition('.')[0]}"}),
    ),
    _page(
        "8555-8.3-redirect-scheme",
        "RFC 8555 §10.4",
        MUST,
        "A redirect to what is not HTTP proves nothing.",
        lambda _: Page(b"", 302, {"Location": "file:///etc/hostname"}),
    ),
)


def _redirect(status: int) -> Probe:
    says = f"A redirect ({status}) to where the key authorization is, is followed."

    @probe(f"8555-8.3-redirect-{status}", "RFC 8555 §8.3", SHOULD, says)
    def run(server: Server) -> None:
        order = server.order()
        challenge = server.challenge(order, "http-01")
        path = f"/elsewhere/{challenge['token']}"
        server.tools.web.pages[path] = Page(server.key_authorization(challenge, order.account).encode())
        _is(_tried(server, Page(b"", status, {"Location": path}), order), "valid")

    return run


REDIRECTS = tuple(_redirect(status) for status in (301, 302, 307))


@probe("8555-7.5.1-answer", "RFC 8555 §7.5.1", MUST)
def answer(server: Server) -> None:
    """A response to a challenge is answered with 200 and the challenge."""
    order = server.order()
    challenge = server.challenge(order, "http-01")
    server.put_up(challenge, order.account)
    said = server.respond(challenge, order.account)
    expect(said.status == 200, said.said)
    expect(said.media_type == "application/json", said.media_type or "no content type")
    for member in ("type", "url", "token"):
        expect(said.document().get(member) == challenge[member], f"another {member}")
    expect(said.document().get("status") in {"pending", "processing", "valid"}, str(said.document().get("status")))


@probe("8555-7.1-up-challenge", "RFC 8555 §7.1", SHOULD)
def up(server: Server) -> None:
    """A challenge's answer says whose it is, by a Link of relation up to its authorization."""
    order = server.order()
    challenge = server.challenge(order, "http-01")
    found = server.read(text(challenge, "url")).links("up")
    expect(found == [order.authorizations[0]], "a Link to elsewhere" if found else "no Link up")


@probe("8555-7.1-up-response", "RFC 8555 §7.1", SHOULD)
def up_response(server: Server) -> None:
    """The answer to a response to a challenge has a Link of relation up to the authorization as well."""
    order = server.order()
    challenge = server.challenge(order, "http-01")
    server.put_up(challenge, order.account)
    found = server.respond(challenge, order.account).links("up")
    expect(found == [order.authorizations[0]], "a Link to elsewhere" if found else "no Link up")


@probe("8555-7.1-index-challenge", "RFC 8555 §7.1", MUST)
def index(server: Server) -> None:
    """A challenge's answer says where the directory is, by a Link of relation index."""
    found = server.read(text(server.challenge(server.pending, "http-01"), "url")).links("index")
    expect(found == [server.directory_url], "a Link to elsewhere" if found else "no Link")


@probe("8555-7.5.1-read-starts-nothing", "RFC 8555 §7.5.1", MUST)
def read_starts_nothing(server: Server) -> None:
    """Reading a challenge by POST-as-GET does not start its validation."""
    order = server.order()
    challenge = server.challenge(order, "http-01")
    path = server.put_up(challenge, order.account)
    for _ in range(3):
        status = server.read(text(challenge, "url")).document().get("status")
        expect(status == "pending", f"status {status}")
    expect(server.authorization(order.authorizations[0]).get("status") == "pending", "the authorization has changed")
    expect(all(visit.path != path for visit in server.tools.web.visits), "somebody came to look")


def _unread(identity: str, says: str, payload: dict[str, object]) -> Probe:
    @probe(identity, "RFC 8555 §7.5.1", MUST, says)
    def run(server: Server) -> None:
        order = server.order()
        challenge = server.challenge(order, "http-01")
        server.put_up(challenge, order.account)
        said = server.respond(challenge, order.account, payload)
        expect(said.status == 200, said.said)
        _is(server.settled(order.authorizations[0]), "valid")

    return run


UNREAD = (
    _unread(
        "8555-7.5.1-unknown-members",
        "A response to a challenge with members nobody knows counts as one without.",
        {"unheardOf": True, "status": "invalid"},
    ),
    _unread(
        "8555-7.5.1-draft-member",
        "A response to a challenge with the keyAuthorization of older drafts counts as one without.",
        {"keyAuthorization": "of an older draft"},
    ),
)


@probe("8555-7.5.1-not-object", "RFC 8555 §7.5.1", SHOULD)
def not_object(server: Server) -> None:
    """A response to a challenge that is no JSON object is refused."""
    challenge = server.challenge(server.order(), "http-01")
    refused(server.post(text(challenge, "url"), b"true and false"), "malformed")


@probe("8555-7.5.1-others", "RFC 8555 §7.5.1", MUST)
def others(server: Server) -> None:
    """Nobody responds to another's challenge."""
    challenge = server.challenge(server.pending, "http-01")
    refused(server.respond(challenge, server.other), status=(401, 403, 404))
    expect(server.authorization(server.pending.authorizations[0]).get("status") == "pending", "it has changed")


@probe("8555-7.5.1-others-read", "RFC 8555 §7.5.1", MUST)
def others_read(server: Server) -> None:
    """Nobody reads another's challenge."""
    challenge = server.challenge(server.pending, "http-01")
    refused(server.post(text(challenge, "url"), by=server.other), status=(401, 403, 404))


@probe("8555-7.5.1-again-valid", "RFC 8555 §7.1.6", MUST)
def again_valid(server: Server) -> None:
    """A response to a challenge that is valid changes nothing."""
    url = server.ready.authorizations[0]
    challenge = next(each for each in server.authorization(url)["challenges"] if each.get("status") == "valid")
    said = server.respond(challenge, server.main)
    expect(said.status == 200 or 400 <= said.status < 500, said.said)
    _is(server.authorization(url), "valid")


@probe("8555-7.1.6-invalid-for-good", "RFC 8555 §7.1.6", MUST)
def invalid_for_good(server: Server) -> None:
    """An authorization that failed does not become valid by a later good proof."""
    order = server.order()
    challenge = server.challenge(order, "http-01")
    _is(_tried(server, Page(b"no"), order), "invalid")
    server.put_up(challenge, order.account)
    said = server.respond(challenge, order.account)
    expect(said.status < 500, said.said)
    _is(server.authorization(order.authorizations[0]), "invalid")


# what a failure leaves behind


@probe("8555-8-challenge-invalid", "RFC 8555 §7.1.6", MUST)
def challenge_invalid(server: Server) -> None:
    """The challenge that failed is invalid, and shows a problem with a type."""
    document = _tried(server, Page(b"no"))
    failed = [each for each in document["challenges"] if each.get("status") == "invalid"]
    expect(failed, "no challenge is invalid")
    error = failed[0].get("error")
    expect(isinstance(error, dict) and isinstance(error.get("type"), str), "no problem in it")


@probe("8555-8-challenge-error-type", "RFC 8555 §6.7", SHOULD)
def challenge_error(server: Server) -> None:
    """A wrong page is called unauthorized or incorrectResponse."""
    seen = why(_tried(server, Page(b"no")))
    expect(seen in {"unauthorized", "incorrectResponse"}, seen)


@probe("8555-7.1.6-order-invalid", "RFC 8555 §7.1.6", MUST)
def order_invalid(server: Server) -> None:
    """The order of a name that was not proved is invalid."""
    order = server.order(server.name(), server.name())
    _is(_tried(server, Page(b"no"), order), "invalid")
    expect(server.seen_again(order).status == "invalid", f"status {server.seen_again(order).status}")


@probe("8555-7.1.3-order-error", "RFC 8555 §7.1.3", SHOULD)
def order_error(server: Server) -> None:
    """The order of a name that was not proved shows a problem."""
    order = server.order()
    _is(_tried(server, Page(b"no"), order), "invalid")
    error = server.seen_again(order).document.get("error")
    expect(isinstance(error, dict) and isinstance(error.get("type"), str), "no error")


@probe("8555-7.4-finalize-invalid", "RFC 8555 §7.4", MUST)
def finalize_invalid(server: Server) -> None:
    """Finalizing an invalid order is refused: 403 orderNotReady."""
    order = server.order()
    _is(_tried(server, Page(b"no"), order), "invalid")
    said = server.post(order.finalize, {"csr": b64(server.issued.csr)})
    refused(said, "orderNotReady", status=(403,))


@probe("8555-7.4-retry-by-new-order", "RFC 8555 §7.4", MUST)
def new_order_after_failure(server: Server) -> None:
    """A name that was not proved can be ordered and proved anew."""
    order = server.order()
    name = identifier(server.authorization(order.authorizations[0]))
    _is(_tried(server, Page(b"no"), order), "invalid")
    _is(_tried(server, order=server.order(name)), "valid")


@probe("8555-7.5.1-retry-after", "RFC 8555 §7.5.1", MAY)
def retry_after(server: Server) -> None:
    """While a challenge is looked at, its authorization says when to look again."""
    order = server.order()
    challenge = server.challenge(order, "http-01")
    server.put_up(challenge, order.account)
    said = server.respond(challenge, order.account)
    if said.document().get("status") not in {"pending", "processing"}:
        skip("no challenge was seen under way")
    found = said.header("Retry-After") or server.read(order.authorizations[0]).header("Retry-After")
    expect(found, "no Retry-After")


# failures of the way there


@probe("8555-6.7-dns", "RFC 8555 §6.7", SHOULD)
def dns_failure(server: Server) -> None:
    """A name that the DNS does not answer for is a problem of type dns (or connection)."""
    order = server.order()
    server.dns.set_servfail(identifier(server.authorization(order.authorizations[0])))
    document = _tried(server, order=order)
    _is(document, "invalid")
    expect(why(document) in {"dns", "connection", "unauthorized"}, why(document))


@probe("8555-6.7-connection", "RFC 8555 §6.7", SHOULD)
def connection_failure(server: Server) -> None:
    """A name where nobody listens is a problem of type connection."""
    order = server.order()
    server.dns.set_address(identifier(server.authorization(order.authorizations[0])), "127.255.255.254")
    if server.tools.web.bound_everywhere:
        skip("challenges are answered at every address")
    document = _tried(server, order=order)
    _is(document, "invalid")
    expect(why(document) == "connection", why(document))


# dns-01


def _by_dns(server: Server, put: Callable[[str, str], None], name: str | None = None) -> dict[str, Any]:
    """The authorization after an attempt by dns-01; `put` gets the record's name and its right value."""
    order = server.order(name or server.name())
    challenge = server.challenge(order, "dns-01")
    host = identifier(server.authorization(order.authorizations[0]))
    put(f"_acme-challenge.{host}", server.digest(challenge, order.account))
    said = server.respond(challenge, order.account)
    expect(said.status == 200, said.said)
    return server.settled(order.authorizations[0])


@probe("8555-8.4-good", "RFC 8555 §8.4", MUST)
def dns_good(server: Server) -> None:
    """The digest of the key authorization in a TXT record proves a name."""
    _is(_by_dns(server, server.dns.add_txt), "valid")


@probe("8555-8.4-wildcard", "RFC 8555 §8.4", MUST)
def dns_wildcard(server: Server) -> None:
    """A wildcard is proved by the TXT record of the name without *."""
    _is(_by_dns(server, server.dns.add_txt, f"*.{server.name()}"), "valid")


@probe("8555-8.4-several", "RFC 8555 §8.4", MUST)
def dns_several(server: Server) -> None:
    """One right TXT record among others is enough."""

    def put(host: str, value: str) -> None:
        for each in ("something else", value, b64(bytes(32))):
            server.dns.add_txt(host, each)

    _is(_by_dns(server, put), "valid")


@probe("8555-8.4-missing", "RFC 8555 §8.4", MUST)
def dns_missing(server: Server) -> None:
    """Without a TXT record nothing is proved."""
    expect(server.dns, "no mock DNS")
    _is(_by_dns(server, lambda _host, _value: None), "invalid")


@probe("8555-8.4-wrong", "RFC 8555 §8.4", MUST)
def dns_wrong(server: Server) -> None:
    """Another TXT record proves nothing."""
    _is(_by_dns(server, lambda host, _: server.dns.add_txt(host, b64(bytes(32)))), "invalid")


@probe("8555-8.4-padding", "RFC 8555 §8.4", MUST)
def dns_padded(server: Server) -> None:
    """The digest with padding proves nothing."""
    _is(_by_dns(server, lambda host, value: server.dns.add_txt(host, f"{value}=")), "invalid")


@probe("8555-8.4-case", "RFC 8555 §8.4", MUST)
def dns_case(server: Server) -> None:
    """The digest with its letters in the other case proves nothing."""
    _is(_by_dns(server, lambda host, value: server.dns.add_txt(host, value.swapcase())), "invalid")


@probe("8555-8.4-own-name", "RFC 8555 §8.4", MUST)
def dns_elsewhere(server: Server) -> None:
    """A TXT record at the name itself, without _acme-challenge, proves nothing."""
    put = server.dns.add_txt
    _is(_by_dns(server, lambda host, value: put(host.removeprefix("_acme-challenge."), value)), "invalid")


@probe("8555-8.4-key-authorization", "RFC 8555 §8.4", MUST)
def dns_undigested(server: Server) -> None:
    """The key authorization itself in a TXT record proves nothing."""
    order = server.order()
    challenge = server.challenge(order, "dns-01")
    host = identifier(server.authorization(order.authorizations[0]))
    server.dns.add_txt(f"_acme-challenge.{host}", server.key_authorization(challenge, order.account))
    server.respond(challenge, order.account)
    _is(server.settled(order.authorizations[0]), "invalid")


@probe("8555-8.4-alias", "RFC 8555 §8.4", SHOULD)
def dns_alias(server: Server) -> None:
    """An alias (CNAME) of _acme-challenge is followed."""

    def put(host: str, value: str) -> None:
        target = f"proof.{server.name()}"
        server.dns.set_cname(host, target)
        server.dns.add_txt(target, value)

    _is(_by_dns(server, put), "valid")


@probe("8555-8.4-servfail", "RFC 8555 §6.7", SHOULD)
def dns_servfail(server: Server) -> None:
    """A DNS that does not answer for the TXT record is a problem of type dns."""
    document = _by_dns(server, lambda host, _: server.dns.set_servfail(host))
    _is(document, "invalid")
    expect(why(document) in {"dns", "unauthorized"}, why(document))


@probe("8555-8-one-challenge-decides", "RFC 8555 §7.1.6", MUST)
def one_decides(server: Server) -> None:
    """One valid challenge makes the authorization valid; the others need no response."""
    order = server.prove(server.order())
    expect(order.status == "ready", f"status {order.status}")
    moment(server.authorization(order.authorizations[0]).get("expires"), "expires")


@probe("8555-7.5.1-challenge-location", "RFC 8555 §7.5.1", MAY)
def challenge_location(server: Server) -> None:
    """The answer of a challenge names its URL in Location."""
    challenge = server.challenge(server.pending, "http-01")
    expect(location(server.read(text(challenge, "url"))) == challenge["url"], "another Location")
