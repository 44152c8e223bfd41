"""RFC 9773: ACME renewal information."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509

from jprs_client.testca.conformance.jose import b64
from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, expect, fail, probe, skip
from jprs_client.testca.conformance.responders import Page
from jprs_client.testca.conformance.server import Issued, Server, moment, refused
from jprs_client.testca.conformance.wire import Answer

_SECONDS = re.compile(r"[0-9]+\Z")


def ari_id(certificate: x509.Certificate) -> str:
    """A certificate's name in RFC 9773 §4.1."""
    try:
        identifier = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        fail("a certificate without authorityKeyIdentifier")
    number = certificate.serial_number
    return f"{b64(identifier or b'')}.{b64(number.to_bytes(number.bit_length() // 8 + 1))}"


def _url(server: Server, name: str) -> str:
    return f"{server.offered('renewalInfo').rstrip('/')}/{name}"


def _asked(server: Server, issued: Issued) -> Answer:
    answer = server.wire.request("GET", _url(server, ari_id(issued.leaf)))
    expect(answer.status == 200, answer.said)
    return answer


def _window(answer: Answer) -> tuple[datetime, datetime]:
    window = answer.document().get("suggestedWindow")
    if not isinstance(window, dict):
        fail("no suggestedWindow")
    return moment(window.get("start"), "start"), moment(window.get("end"), "end")


@probe("9773-3-directory", "RFC 9773 §3", MUST)
def directory(server: Server) -> None:
    """The address of renewalInfo in the directory is an https URL."""
    expect(urlsplit(server.offered("renewalInfo")).scheme == "https", "no https URL")


@probe("9773-4.1-get", "RFC 9773 §4.1", MUST)
def get(server: Server) -> None:
    """Renewal information is read by a plain, unsigned GET: 200 with JSON."""
    answer = _asked(server, server.issued)
    expect(answer.media_type == "application/json", answer.media_type or "no content type")
    answer.document()


@probe("9773-4.2-window", "RFC 9773 §4.2", MUST)
def window(server: Server) -> None:
    """The suggested window has a start and a later end, RFC 3339 both."""
    start, end = _window(_asked(server, server.issued))
    expect(start < end, "it ends before it starts")


@probe("9773-4.2-window-in-life", "RFC 9773 §4.2", SHOULD)
def window_in_life(server: Server) -> None:
    """The suggested window of a good certificate lies in its lifetime."""
    start, end = _window(_asked(server, server.issued))
    leaf = server.issued.leaf
    expect(leaf.not_valid_before_utc <= start, "it starts before the certificate")
    expect(end <= leaf.not_valid_after_utc, "it ends after the certificate")


@probe("9773-4.2-explanation", "RFC 9773 §4.2", MUST)
def explanation(server: Server) -> None:
    """An explanation, where there is one, is a URL."""
    found = _asked(server, server.issued).document().get("explanationURL")
    if found is None:
        skip("the server explains nothing")
    expect(isinstance(found, str) and urlsplit(found).scheme in {"http", "https"}, "no URL")


@probe("9773-4.3-retry-after", "RFC 9773 §4.3", SHOULD)
def retry_after(server: Server) -> None:
    """Renewal information says in Retry-After when to look again."""
    found = _asked(server, server.issued).header("Retry-After")
    expect(found, "no Retry-After")
    expect(_SECONDS.match(str(found)) or str(found).endswith("GMT"), "neither seconds nor an HTTP date")


@probe("9773-4.1-unknown", "RFC 9773 §4.1", MUST)
def unknown(server: Server) -> None:
    """Renewal information of a certificate that there is not is refused."""
    first, _, _ = ari_id(server.issued.leaf).partition(".")
    refused(server.wire.request("GET", _url(server, f"{first}.{b64(bytes([5] * 17))}")), status=(404, 400))


def _strange(server: Server, name: str) -> None:
    refused(server.wire.request("GET", _url(server, name)))


@probe("9773-4.1-padding", "RFC 9773 §4.1", MUST)
def padding(server: Server) -> None:
    """A certificate's name with padding is refused."""
    first, _, last = ari_id(server.issued.leaf).partition(".")
    _strange(server, f"{first}=.{last}=")


@probe("9773-4.1-no-dot", "RFC 9773 §4.1", MUST)
def no_dot(server: Server) -> None:
    """A certificate's name without its dot is refused."""
    _strange(server, ari_id(server.issued.leaf).replace(".", ""))


@probe("9773-4.1-serial-only", "RFC 9773 §4.1", MUST)
def serial_only(server: Server) -> None:
    """A bare serial number is no name of a certificate: refused."""
    _strange(server, f"{server.issued.leaf.serial_number:x}")


@probe("9773-4.1-garbage", "RFC 9773 §4.1", MUST)
def garbage(server: Server) -> None:
    """What is no name of a certificate at all is refused."""
    _strange(server, "!!.!!")


@probe("9773-4.1-post", "RFC 9773 §4.1", MAY)
def post(server: Server) -> None:
    """Renewal information asked for by POST-as-GET is answered or refused in order."""
    answer = server.post(_url(server, ari_id(server.issued.leaf)))
    expect(answer.status == 200 or 400 <= answer.status < 500, answer.said)


@probe("9773-4.2-revoked", "RFC 9773 §4.2", SHOULD)
def revoked(server: Server) -> None:
    """The suggested window of a revoked certificate is over, or about to be."""
    server.offered("renewalInfo")
    issued = server.issue()
    answer = server.post(server.url("revokeCert"), {"certificate": b64(issued.der), "reason": 4})
    expect(answer.status == 200, "it was not revoked")
    _, end = _window(_asked(server, issued))
    expect(end <= server.now(), "the window is open still")


# replaces


@probe("9773-5-replaces", "RFC 9773 §5", MUST)
def replaces(server: Server) -> None:
    """An order that replaces a certificate is taken, and shows what it replaces."""
    server.offered("renewalInfo")
    issued = server.issue()
    name = ari_id(issued.leaf)
    order = server.order(*_names(issued), replaces=name)
    expect(order.document.get("replaces") == name, "replaces is not shown")
    expect(server.seen_again(order).document.get("replaces") == name, "replaces is not shown later")


def _names(issued: Issued) -> list[str]:
    return [str(each["value"]) for each in issued.order.document["identifiers"]]


@probe("9773-5-already-replaced", "RFC 9773 §5", MUST)
def already_replaced(server: Server) -> None:
    """A certificate that was replaced cannot be again: 409 alreadyReplaced."""
    server.offered("renewalInfo")
    issued = server.issue()
    name = ari_id(issued.leaf)
    server.issue(*_names(issued), replaces=name)
    refused(server.try_order(_names(issued), replaces=name), "alreadyReplaced", status=(409,))


@probe("9773-5-being-replaced", "RFC 9773 §5", SHOULD)
def being_replaced(server: Server) -> None:
    """A certificate that another open order replaces is refused: 409 alreadyReplaced."""
    server.offered("renewalInfo")
    issued = server.issue()
    name = ari_id(issued.leaf)
    server.order(*_names(issued), replaces=name)
    refused(server.try_order(_names(issued), replaces=name), "alreadyReplaced", status=(409,))


@probe("9773-5-replaced-in-vain", "RFC 9773 §5", SHOULD)
def in_vain(server: Server) -> None:
    """A certificate whose replacing order became invalid can be replaced by another one."""
    server.offered("renewalInfo")
    issued = server.issue()
    name = ari_id(issued.leaf)
    order = server.order(*_names(issued), replaces=name)
    document = server.authorization(order.authorizations[0])
    if document.get("status") == "pending":
        challenge = server.challenge(order, "http-01")
        server.put_up(challenge, order.account, Page(b"no"))
        server.respond(challenge, order.account)
        server.settled(order.authorizations[0])
    else:
        server.post(order.authorizations[0], {"status": "deactivated"})
    expect(server.seen_again(order).status == "invalid", f"status {server.seen_again(order).status}")
    answer = server.try_order(_names(issued), replaces=name)
    expect(answer.status == 201, answer.said)


@probe("9773-5-replaces-unknown", "RFC 9773 §5", SHOULD)
def replaces_unknown(server: Server) -> None:
    """An order that replaces a certificate that there is not is refused."""
    server.offered("renewalInfo")
    first, _, _ = ari_id(server.issued.leaf).partition(".")
    refused(server.try_order([server.name()], replaces=f"{first}.{b64(bytes([5] * 17))}"))


@probe("9773-5-replaces-malformed", "RFC 9773 §5", SHOULD)
def replaces_malformed(server: Server) -> None:
    """An order that replaces what is no name of a certificate is refused as malformed."""
    server.offered("renewalInfo")
    refused(server.try_order([server.name()], replaces="not a certificate"), "malformed")


@probe("9773-5-replaces-number", "RFC 9773 §5", SHOULD)
def replaces_number(server: Server) -> None:
    """An order that replaces a number is refused as malformed."""
    server.offered("renewalInfo")
    refused(server.try_order([server.name()], replaces=1), "malformed")


@probe("9773-5-replaces-others", "RFC 9773 §5", SHOULD)
def replaces_others(server: Server) -> None:
    """An order that replaces another account's certificate is refused."""
    server.offered("renewalInfo")
    answer = server.try_order(_names(server.issued), server.other, replaces=ari_id(server.issued.leaf))
    refused(answer, "unauthorized", "malformed")


@probe("9773-5-replaces-other-names", "RFC 9773 §5", SHOULD)
def replaces_other_names(server: Server) -> None:
    """An order that has no name in common with the certificate it replaces is refused."""
    server.offered("renewalInfo")
    refused(server.try_order([server.name()], replaces=ari_id(server.issued.leaf)))


@probe("9773-5-not-replacing", "RFC 9773 §5", MUST)
def not_replacing(server: Server) -> None:
    """An order that replaces nothing does not say that it does."""
    expect("replaces" not in server.pending.document, "replaces is shown")
