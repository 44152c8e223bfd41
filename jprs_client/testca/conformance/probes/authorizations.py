"""RFC 8555 §7.1.4, §7.1.5, §7.5 and §8: authorizations, and challenges as they are shown."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, FailureError, expect, probe, skip
from jprs_client.testca.conformance.server import Server, identifier, moment, refused, text

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\Z")


def _pending(server: Server) -> dict[str, Any]:
    return server.authorization(server.pending.authorizations[0])


def _challenges(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = document.get("challenges")
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise FailureError("challenges is no list of objects")
    return found


def _valid(server: Server) -> dict[str, Any]:
    return server.authorization(server.issued.order.authorizations[0])


@probe("8555-7.5-read", "RFC 8555 §7.5", MUST)
def read(server: Server) -> None:
    """An authorization is read by POST-as-GET: 200 with JSON."""
    answer = server.read(server.pending.authorizations[0])
    expect(answer.media_type == "application/json", answer.media_type or "no content type")
    answer.document()


@probe("8555-7.1.4-identifier", "RFC 8555 §7.1.4", MUST)
def named(server: Server) -> None:
    """An authorization says for which identifier it is."""
    document = _pending(server)
    expect(identifier(document) == server.pending.document["identifiers"][0]["value"], "another name")
    expect(document["identifier"].get("type") == "dns", "another type")


@probe("8555-7.1.4-status", "RFC 8555 §7.1.4", MUST)
def pending(server: Server) -> None:
    """The authorization of a new order is pending."""
    expect(_pending(server).get("status") == "pending", f"status {_pending(server).get('status')}")


@probe("8555-7.1.4-challenges", "RFC 8555 §7.1.4", MUST)
def challenges(server: Server) -> None:
    """A pending authorization has challenges, each with type, URL and status."""
    for challenge in _challenges(_pending(server)):
        text(challenge, "type")
        expect(urlsplit(text(challenge, "url")).scheme == "https", "a challenge without https URL")
        expect(challenge.get("status") == "pending", f"a challenge that is {challenge.get('status')}")


@probe("8555-8-token", "RFC 8555 §8.3", MUST)
def tokens(server: Server) -> None:
    """Tokens are base64url without padding, of 128 bits at least."""
    for challenge in _challenges(_pending(server)):
        token = text(challenge, "token")
        expect(_TOKEN.match(token), "a token with other characters")
        expect(len(token) >= 22, "a short token")


@probe("8555-8-token-fresh", "RFC 8555 §8.3", MUST)
def fresh_tokens(server: Server) -> None:
    """No two authorizations have a token in common."""
    seen: set[str] = set()
    for _ in range(3):
        order = server.order()
        mine = {text(challenge, "token") for challenge in _challenges(server.authorization(order.authorizations[0]))}
        expect(not seen & mine, "a token of another authorization")
        seen |= mine


@probe("8555-7.1.4-types", "RFC 8555 §8", SHOULD)
def types(server: Server) -> None:
    """A name can be proved by http-01 and by dns-01."""
    found = {challenge.get("type") for challenge in _challenges(_pending(server))}
    expect({"http-01", "dns-01"} <= found, f"only {', '.join(sorted(map(str, found)))}")


@probe("8555-7.1.4-wildcard", "RFC 8555 §7.1.4", MUST)
def wildcard(server: Server) -> None:
    """The authorization of a wildcard names it without *. and says wildcard: true."""
    name = server.name()
    document = server.authorization(server.order(f"*.{name}").authorizations[0])
    expect(identifier(document) == name, "another name")
    expect(document.get("wildcard") is True, "no wildcard: true")


@probe("8555-7.1.4-no-wildcard", "RFC 8555 §7.1.4", MUST)
def no_wildcard(server: Server) -> None:
    """The authorization of a plain name does not say wildcard: true."""
    expect(_pending(server).get("wildcard") is not True, "wildcard: true")


@probe("8555-7.1.4-wildcard-challenges", "RFC 8555 §8.3", MUST)
def wildcard_challenges(server: Server) -> None:
    """A wildcard is not proved by http-01 or tls-alpn-01."""
    order = server.order(f"*.{server.name()}")
    found = {str(each.get("type")) for each in _challenges(server.authorization(order.authorizations[0]))}
    expect(not found & {"http-01", "tls-alpn-01"}, f"{', '.join(sorted(found))} for a wildcard")


@probe("8555-7.1.4-wildcard-and-name", "RFC 8555 §7.1.4", MUST)
def wildcard_and_name(server: Server) -> None:
    """A wildcard and the name below it in one order are authorized each."""
    name = server.name()
    order = server.order(name, f"*.{name}")
    found = [server.authorization(url) for url in order.authorizations]
    expect(len(found) == 2, f"{len(found)} authorizations")
    expect({document.get("wildcard") is True for document in found} == {True, False}, "both alike")


@probe("8555-7.1.4-expires", "RFC 8555 §7.1.4", MUST)
def expires(server: Server) -> None:
    """A valid authorization says when it expires, later than now."""
    expect(moment(_valid(server).get("expires"), "expires") > server.now(), "expires is over")


@probe("8555-7.1.4-pending-expires", "RFC 8555 §7.1.4", SHOULD)
def pending_expires(server: Server) -> None:
    """A pending authorization's expiry, where there is one, is a time later than now."""
    found = _pending(server).get("expires")
    if found is None:
        skip("a pending authorization shows no expiry")
    expect(moment(found, "expires") > server.now(), "expires is over")


@probe("8555-7.1.4-valid", "RFC 8555 §7.1.6", MUST)
def valid(server: Server) -> None:
    """A proved authorization is valid, and so is one of its challenges."""
    document = _valid(server)
    expect(document.get("status") == "valid", f"status {document.get('status')}")
    expect("valid" in {each.get("status") for each in _challenges(document)}, "no valid challenge")


@probe("8555-7.1.5-validated", "RFC 8555 §8", MUST)
def validated(server: Server) -> None:
    """A valid challenge says when it was validated."""
    proved = [each for each in _challenges(_valid(server)) if each.get("status") == "valid"]
    for challenge in proved:
        moment(challenge.get("validated"), "validated")


@probe("8555-7.1.4-valid-challenges", "RFC 8555 §7.1.4", SHOULD)
def valid_challenges(server: Server) -> None:
    """A valid authorization shows only the challenge that proved it."""
    found = {str(each.get("status")) for each in _challenges(_valid(server))}
    expect(found == {"valid"}, f"challenges {', '.join(sorted(found))}")


@probe("8555-7.1-index-authorization", "RFC 8555 §7.1", MUST)
def index(server: Server) -> None:
    """An authorization's answer says where the directory is, by a Link of relation index."""
    found = server.read(server.pending.authorizations[0]).links("index")
    expect(found == [server.directory_url], "a Link to elsewhere" if found else "no Link")


@probe("8555-7.5-others", "RFC 8555 §7.5", MUST)
def others(server: Server) -> None:
    """Nobody reads another's authorization."""
    refused(server.post(server.pending.authorizations[0], by=server.other), status=(401, 403, 404))


@probe("8555-7.5-unknown", "RFC 8555 §7.5", MUST)
def unknown(server: Server) -> None:
    """An authorization that there is not is refused."""
    refused(server.post(server.pending.authorizations[0] + "0"), status=(401, 403, 404))


@probe("8555-7.5.2-deactivated", "RFC 8555 §7.5.2", MUST)
def deactivated(server: Server) -> None:
    """An authorization that is deactivated answers 200 and is shown as deactivated."""
    url = server.order().authorizations[0]
    answer = server.post(url, {"status": "deactivated"})
    expect(answer.status == 200, answer.said)
    for document in (answer.document(), server.authorization(url)):
        expect(document.get("status") == "deactivated", f"status {document.get('status')}")


@probe("8555-7.5.2-valid", "RFC 8555 §7.5.2", MUST)
def deactivated_valid(server: Server) -> None:
    """A valid authorization can be deactivated."""
    url = server.prove(server.order()).authorizations[0]
    answer = server.post(url, {"status": "deactivated"})
    expect(answer.status == 200, answer.said)
    expect(answer.document().get("status") == "deactivated", f"status {answer.document().get('status')}")


@probe("8555-7.5.2-others", "RFC 8555 §7.5.2", MUST)
def deactivate_others(server: Server) -> None:
    """Nobody deactivates another's authorization."""
    url = server.pending.authorizations[0]
    refused(server.post(url, {"status": "deactivated"}, by=server.other), status=(401, 403, 404))
    expect(server.authorization(url).get("status") == "pending", "it is deactivated")


@probe("8555-7.5.2-status", "RFC 8555 §7.5.2", MUST)
def status_update(server: Server) -> None:
    """An authorization does not become valid by being told so."""
    url = server.order().authorizations[0]
    answer = server.post(url, {"status": "valid"})
    expect(answer.status == 200 or 400 <= answer.status < 500, answer.said)
    expect(server.authorization(url).get("status") == "pending", "the authorization was changed")


@probe("8555-7.5.2-not-reused", "RFC 8555 §7.5.2", MUST)
def not_reused(server: Server) -> None:
    """A deactivated proof is not used for a later order."""
    name = server.name()
    order = server.prove(server.order(name))
    expect(server.post(order.authorizations[0], {"status": "deactivated"}).status == 200, "it is not deactivated")
    later = server.order(name)
    expect(later.status == "pending", f"the later order is {later.status}")


@probe("8555-7.4-reuse-shape", "RFC 8555 §7.4", MAY)
def reuse(server: Server) -> None:
    """An order for a name that was just proved is pending, or ready with a valid authorization."""
    order = server.order(str(server.issued.order.document["identifiers"][0]["value"]))
    status = server.authorization(order.authorizations[0]).get("status")
    expect((order.status, status) in {("pending", "pending"), ("ready", "valid"), ("pending", "valid")}, order.status)
