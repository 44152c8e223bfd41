"""RFC 8555 §7.1.3, §7.1.6 and §7.4: orders."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from jprs_client.testca.conformance.jose import b64, compact
from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, Level, Probe, expect, probe, skip
from jprs_client.testca.conformance.server import Server, csr, identifier, location, moment, refused, text
from jprs_client.testca.conformance.wire import Answer


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@probe("8555-7.4-created", "RFC 8555 §7.4", MUST)
def created(server: Server) -> None:
    """A new order is answered with 201 and its URL in Location."""
    expect(server.pending.answer.status == 201, server.pending.answer.said)
    where = urlsplit(location(server.pending.answer))
    expect(where.scheme == "https" and where.hostname, "Location is no https URL")


@probe("8555-7.4-object", "RFC 8555 §7.4", MUST)
def shown(server: Server) -> None:
    """A new order is answered with the order as JSON, pending."""
    expect(server.pending.answer.media_type == "application/json", server.pending.answer.media_type or "no type")
    expect(server.pending.status == "pending", f"status {server.pending.status}")


@probe("8555-7.1.3-expires", "RFC 8555 §7.1.3", MUST)
def expires(server: Server) -> None:
    """A pending order says when it expires, later than now."""
    at = moment(server.pending.document.get("expires"), "expires")
    expect(at > server.now(), "expires is over")


@probe("8555-7.1.3-identifiers", "RFC 8555 §7.1.3", MUST)
def identifiers(server: Server) -> None:
    """An order shows the identifiers that were asked for, all and no others."""
    names = [server.name(), server.name()]
    found = server.order(*names).document.get("identifiers")
    expected = [{"type": "dns", "value": name} for name in names]
    expect(isinstance(found, list) and sorted(map(str, found)) == sorted(map(str, expected)), "other identifiers")


@probe("8555-7.1.3-authorizations", "RFC 8555 §7.1.3", MUST)
def authorizations(server: Server) -> None:
    """An order has an authorization for each of its names, at URLs of their own."""
    names = [server.name(), server.name(), server.name()]
    found = server.order(*names).authorizations
    expect(len(set(found)) == 3, f"{len(set(found))} authorizations for 3 names")
    expect({identifier(server.authorization(url)) for url in found} == set(names), "authorizations of other names")
    expect(all(urlsplit(url).scheme == "https" for url in found), "an authorization's URL that is not https")


@probe("8555-7.1.3-finalize", "RFC 8555 §7.1.3", MUST)
def finalize(server: Server) -> None:
    """An order says where it is finalized, an https URL."""
    expect(urlsplit(server.pending.finalize).scheme == "https", "no https URL")


@probe("8555-7.1.3-no-certificate", "RFC 8555 §7.1.3", MUST)
def no_certificate(server: Server) -> None:
    """An order that is not valid shows no certificate and no error."""
    for member in ("certificate", "error"):
        expect(member not in server.pending.document, f"{member} in a pending order")


@probe("8555-7.1-index-order", "RFC 8555 §7.1", MUST)
def index(server: Server) -> None:
    """An order's answer says where the directory is, by a Link of relation index."""
    found = server.read(server.pending.url).links("index")
    expect(found == [server.directory_url], "a Link to elsewhere" if found else "no Link")


@probe("8555-7.4-read", "RFC 8555 §7.4", MUST)
def read(server: Server) -> None:
    """An order is read by POST-as-GET, and is what it was."""
    answer = server.read(server.pending.url)
    for member in ("identifiers", "finalize", "status"):
        expect(answer.document().get(member) == server.pending.document.get(member), f"another {member}")


@probe("8555-7.4-unknown", "RFC 8555 §7.4", MUST)
def unknown(server: Server) -> None:
    """An order that there is not is refused."""
    refused(server.post(server.pending.url + "0"), status=(401, 403, 404))


@probe("8555-7.4-others", "RFC 8555 §7.4", MUST)
def others(server: Server) -> None:
    """Nobody reads another's order."""
    refused(server.post(server.pending.url, by=server.other), status=(401, 403, 404))


@probe("8555-7.4-others-finalize", "RFC 8555 §7.4", MUST)
def others_finalize(server: Server) -> None:
    """Nobody finalizes another's order."""
    names = [str(server.ready.document["identifiers"][0]["value"])]
    refused(
        server.post(server.ready.finalize, {"csr": b64(csr(_key(), names))}, by=server.other), status=(401, 403, 404)
    )
    expect(server.seen_again(server.ready).status == "ready", "the order was changed")


# what is no order


def _bad(identity: str, says: str, document: Any, *kinds: str, level: Level = MUST) -> Probe:
    @probe(f"8555-7.4-{identity}", "RFC 8555 §7.4", level, says)
    def run(server: Server) -> None:
        content = document(server) if callable(document) else document
        refused(server.post(server.url("newOrder"), content), *kinds)

    return run


BAD = (
    _bad("identifiers-missing", "An order without identifiers is refused.", {}, "malformed"),
    _bad(
        "identifiers-empty", "An order with an empty list of identifiers is refused.", {"identifiers": []}, "malformed"
    ),
    _bad("identifiers-null", "An order whose identifiers are null is refused.", {"identifiers": None}, "malformed"),
    _bad(
        "identifiers-object",
        "An order whose identifiers are no list is refused.",
        {"identifiers": {"type": "dns", "value": "a.example.com"}},
        "malformed",
    ),
    _bad(
        "identifiers-texts",
        "An order whose identifiers are bare texts is refused.",
        {"identifiers": ["a.example.com"]},
        "malformed",
        "unsupportedIdentifier",
    ),
    _bad(
        "identifier-no-type",
        "An identifier without a type is refused.",
        {"identifiers": [{"value": "a.example.com"}]},
        "malformed",
        "unsupportedIdentifier",
    ),
    _bad(
        "identifier-no-value",
        "An identifier without a value is refused.",
        {"identifiers": [{"type": "dns"}]},
        "malformed",
        "rejectedIdentifier",
    ),
    _bad(
        "identifier-value-number",
        "An identifier whose value is a number is refused.",
        {"identifiers": [{"type": "dns", "value": 1}]},
        "malformed",
        "rejectedIdentifier",
    ),
    _bad(
        "identifier-type",
        "An identifier of an unknown type is refused with unsupportedIdentifier.",
        {"identifiers": [{"type": "planet", "value": "mars"}]},
        "unsupportedIdentifier",
    ),
    _bad(
        "identifier-type-mixed",
        "An identifier of an unknown type beside a good one is refused with unsupportedIdentifier.",
        lambda server: {"identifiers": [{"type": "dns", "value": server.name()}, {"type": "planet", "value": "mars"}]},
        "unsupportedIdentifier",
    ),
)

_REFUSED_NAMES = {
    "empty": "",
    "space": "a b.example.com",
    "underscore": "a_b.example.com",
    "leading-hyphen": "-a.example.com",
    "trailing-hyphen": "a-.example.com",
    "two-dots": "a..example.com",
    "leading-dot": ".example.com",
    "long-label": f"{'a' * 64}.example.com",
    "long-name": ".".join(["a" * 60] * 5) + ".example.com",
    "unicode": "例え.example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "url": "https://example.com/",
    "port": "example.com:443",
    "mail": "user@example.com",
    "newline": "example.com\n",
    "nul": "example.com\u0000.example.org",
}


def _refused_name(what: str, name: str) -> Probe:
    says = f"What is no DNS name is refused as identifier ({what.replace('-', ' ')})."

    @probe(f"8555-7.1.4-name-{what}", "RFC 8555 §7.1.4", MUST, says)
    def run(server: Server) -> None:
        refused(server.try_order([name]), "rejectedIdentifier", "malformed", "unsupportedIdentifier")

    return run


NAMES = tuple(_refused_name(what, name) for what, name in _REFUSED_NAMES.items())


def _wildcard(what: str, name: str) -> Probe:
    says = f"Only a whole leftmost label is a wildcard ({what.replace('-', ' ')})."

    @probe(f"8555-7.1.3-wildcard-{what}", "RFC 8555 §7.1.3", MUST, says)
    def run(server: Server) -> None:
        refused(server.try_order([name]), "rejectedIdentifier", "malformed")

    return run


WILDCARDS = (
    _wildcard("inside", "a.*.example.com"),
    _wildcard("twice", "*.*.example.com"),
    _wildcard("part-of-label", "a*.example.com"),
    _wildcard("alone", "*"),
)


@probe("8555-7.1.4-name-trailing-dot", "RFC 8555 §7.1.4", SHOULD)
def trailing_dot(server: Server) -> None:
    """A name with a dot at its end is refused, or ordered without it."""
    name = server.name()
    answer = server.try_order([f"{name}."])
    if answer.status == 201:
        expect(answer.document()["identifiers"] == [{"type": "dns", "value": name}], "ordered with the dot")
    else:
        refused(answer, "rejectedIdentifier", "malformed")


@probe("8555-7.1.4-name-upper-case", "RFC 4343 §2", SHOULD)
def upper_case(server: Server) -> None:
    """A name in capitals is ordered in lower case, or refused."""
    name = server.name()
    answer = server.try_order([name.upper()])
    if answer.status == 201:
        found = answer.document()["identifiers"][0]["value"]
        expect(found == name, "ordered in capitals")
    else:
        refused(answer, "rejectedIdentifier", "malformed")


@probe("8555-7.4-duplicates", "RFC 8555 §7.4", MAY)
def duplicates(server: Server) -> None:
    """A name that is ordered twice is taken once, or refused."""
    name = server.name()
    answer = server.try_order([name, name])
    if answer.status == 201:
        expect(len(answer.document()["authorizations"]) == 1, "two authorizations for one name")
    else:
        refused(answer)


@probe("8555-6.7.1-subproblems", "RFC 8555 §6.7.1", MAY)
def subproblems(server: Server) -> None:
    """When two of three names are refused, subproblems name these two."""
    bad = ["a_b.example.com", "c_d.example.com"]
    answer = server.try_order([bad[0], server.name(), bad[1]])
    refused(answer)
    found = answer.document().get("subproblems")
    expect(isinstance(found, list), "no subproblems")
    named = {each.get("identifier", {}).get("value") for each in found or [] if isinstance(each, dict)}
    expect(named == set(bad), f"{len(named)} identifiers in subproblems")


@probe("8555-6.7.1-subproblem-type", "RFC 8555 §6.7.1", MUST)
def subproblem_type(server: Server) -> None:
    """Each subproblem has a type, and an identifier whose type and value are there."""
    answer = server.try_order(["a_b.example.com", "c_d.example.com"])
    refused(answer)
    found = answer.document().get("subproblems")
    if not found:
        skip("the server shows no subproblems")
    for each in found:
        expect(isinstance(each.get("type"), str), "a subproblem without type")
        named = each.get("identifier")
        if named is not None:
            expect(isinstance(named, dict) and {"type", "value"} <= set(named), "an identifier without type and value")


@probe("8555-7.4-unknown-members", "RFC 8555 §7.4", MUST)
def unknown_members(server: Server) -> None:
    """An order passes over members that it does not know, and those that are the server's."""
    order = server.order(status="valid", unheardOf={"a": 1}, certificate="https://ca.example/c")
    expect(order.status == "pending", f"status {order.status}")
    expect("certificate" not in order.document, "the client's certificate was taken")


@probe("8555-7.4-dates", "RFC 8555 §7.4", MUST)
def dates(server: Server) -> None:
    """An order with notBefore and notAfter is refused, or keeps to them."""
    start = server.now().replace(microsecond=0)
    end = start + timedelta(days=10)
    given: dict[str, Any] = {"notBefore": _rfc3339(start), "notAfter": _rfc3339(end)}
    answer = server.try_order([server.name()], **given)
    if answer.status != 201:
        refused(answer)
        return
    for member, value in (("notBefore", start), ("notAfter", end)):
        expect(moment(answer.document().get(member), member) == value, f"another {member}")


@probe("8555-7.4-dates-kept", "RFC 8555 §7.4", MUST)
def dates_kept(server: Server) -> None:
    """A certificate has the dates that its order was given."""
    start = server.now().replace(microsecond=0)
    end = start + timedelta(days=10)
    given: dict[str, Any] = {"notBefore": _rfc3339(start), "notAfter": _rfc3339(end)}
    if server.try_order([server.name()], **given).status != 201:
        skip("the server takes no dates")
    leaf = server.issue(**given).leaf
    seen = (leaf.not_valid_before_utc, leaf.not_valid_after_utc)
    expect(abs(seen[0] - start) < timedelta(hours=2), "another start")
    expect(abs(seen[1] - end) < timedelta(hours=2), "another end")


@probe("8555-7.1.3-date-form", "RFC 8555 §7.1.3", MUST)
def date_form(server: Server) -> None:
    """A notAfter that is no RFC 3339 time is refused."""
    refused(server.try_order([server.name()], notAfter="next Tuesday"), "malformed", "rejectedIdentifier")


def _rfc3339(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


@probe("8738-3-ip", "RFC 8738 §3", MAY)
def ip(server: Server) -> None:
    """An IP identifier is ordered as RFC 8738 has it, or refused with unsupportedIdentifier."""
    document = {"identifiers": [{"type": "ip", "value": "127.0.0.1"}]}
    answer = server.post(server.url("newOrder"), document)
    if answer.status != 201:
        refused(answer, "unsupportedIdentifier", "rejectedIdentifier")
        return
    kinds = [each["type"] for each in server.authorization(answer.document()["authorizations"][0])["challenges"]]
    expect("dns-01" not in kinds, "dns-01 for an address")


# finalize


def _finalize(server: Server, document: Any) -> Answer:
    answer = server.post(server.ready.finalize, document)
    if answer.status < 400:
        server.forget_ready()  # what should not have been taken was
    return answer


@probe("8555-7.1.6-ready", "RFC 8555 §7.1.6", MUST)
def ready(server: Server) -> None:
    """An order is ready once everything is proved."""
    expect(server.ready.status == "ready", f"status {server.ready.status}")


@probe("8555-7.4-not-ready", "RFC 8555 §7.4", MUST)
def not_ready(server: Server) -> None:
    """Finalizing a pending order is refused: 403 orderNotReady."""
    names = [str(server.pending.document["identifiers"][0]["value"])]
    answer = server.post(server.pending.finalize, {"csr": b64(csr(_key(), names))})
    refused(answer, "orderNotReady", status=(403,))


@probe("8555-7.4-not-ready-unchanged", "RFC 8555 §7.4", MUST)
def not_ready_unchanged(server: Server) -> None:
    """Finalizing too early changes nothing: the order is pending still."""
    order = server.order()
    names = [str(order.document["identifiers"][0]["value"])]
    refused(server.post(order.finalize, {"csr": b64(csr(_key(), names))}))
    expect(server.seen_again(order).status == "pending", "another status")


@probe("8555-7.4-finalized-again", "RFC 8555 §7.4", MUST)
def finalized_again(server: Server) -> None:
    """Finalizing a valid order again is refused: 403 orderNotReady."""
    answer = server.post(server.issued.order.finalize, {"csr": b64(server.issued.csr)})
    refused(answer, "orderNotReady", status=(403,))


_BAD_CSR = ("badCSR", "malformed")


def _names(server: Server) -> list[str]:
    return [str(server.ready.document["identifiers"][0]["value"])]


def _bad_csr(
    identity: str, says: str, made: Callable[[Server], object], kinds: tuple[str, ...] = _BAD_CSR, level: Level = MUST
) -> Probe:
    @probe(f"8555-7.4-csr-{identity}", "RFC 8555 §7.4", level, says)
    def run(server: Server) -> None:
        refused(_finalize(server, made(server)), *kinds)

    return run


def _csr(data: bytes) -> dict[str, str]:
    return {"csr": b64(data)}


def _broken(data: bytes) -> bytes:
    return data[:-4] + bytes([data[-4] ^ 1]) + data[-3:]


def _pem(server: Server) -> bytes:
    request = x509.load_der_x509_csr(csr(_key(), _names(server)))
    return request.public_bytes(serialization.Encoding.PEM)


def _account_key(server: Server) -> ec.EllipticCurvePrivateKey:
    key = server.main.key.private
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101
    return key


CSRS = (
    _bad_csr("missing", "Finalizing without a CSR is refused.", lambda _: {}),
    _bad_csr("empty", "An empty CSR is refused.", lambda _: {"csr": ""}),
    _bad_csr("number", "A CSR that is a number is refused.", lambda _: {"csr": 1}),
    _bad_csr("garbage", "A CSR that is no CSR is refused.", lambda _: _csr(b"0\x03\x02\x01\x00 not a request")),
    _bad_csr("pem", "A CSR in PEM is refused.", lambda server: {"csr": _pem(server).decode()}),
    _bad_csr("pem-encoded", "A CSR in PEM, in base64url, is refused.", lambda server: _csr(_pem(server))),
    _bad_csr(
        "padding",
        "A CSR in padded base64url is refused.",
        lambda server: {"csr": _padded(server)},
        ("malformed", "badCSR"),
    ),
    _bad_csr(
        "signature",
        "A CSR whose signature is wrong is refused with badCSR.",
        lambda server: _csr(_broken(csr(_key(), _names(server)))),
        ("badCSR",),
    ),
    _bad_csr(
        "other-name",
        "A CSR for another name is refused.",
        lambda server: _csr(csr(_key(), [server.name()])),
        ("badCSR", "unauthorized"),
    ),
    _bad_csr(
        "more-names",
        "A CSR with a name more is refused.",
        lambda server: _csr(csr(_key(), [*_names(server), server.name()])),
        ("badCSR", "unauthorized"),
    ),
    _bad_csr(
        "no-names", "A CSR without names is refused.", lambda _: _csr(csr(_key(), [])), ("badCSR", "unauthorized")
    ),
    _bad_csr(
        "other-common-name",
        "A CSR whose common name is another name is refused.",
        lambda server: _csr(csr(_key(), _names(server), common_name=server.name())),
        ("badCSR", "unauthorized"),
    ),
    _bad_csr(
        "address",
        "A CSR with an address besides is refused.",
        lambda server: _csr(_with_address(_names(server))),
        ("badCSR", "unauthorized"),
    ),
    _bad_csr(
        "wildcard",
        "A CSR for the wildcard above the name is refused.",
        lambda server: _csr(csr(_key(), [f"*.{_names(server)[0]}"])),
        ("badCSR", "unauthorized"),
    ),
    _bad_csr(
        "short-key",
        "A CSR with an RSA key of 1024 bits is refused with badCSR.",
        lambda server: _csr(csr(rsa.generate_private_key(65537, 1024), _names(server))),  # noqa: S505
        ("badCSR", "badPublicKey"),
        SHOULD,
    ),
)


@probe("8555-11.1-account-key", "RFC 8555 §11.1", MUST)
def account_key(server: Server) -> None:
    """A CSR with the account's key is refused with badCSR."""
    refused(_finalize(server, _csr(csr(_account_key(server), _names(server)))), "badCSR", "badPublicKey")


def _padded(server: Server) -> str:
    text = b64(csr(_key(), _names(server)))
    return text + ("=" * (-len(text) % 4) or "====")


def _with_address(names: list[str]) -> bytes:
    every: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    every.append(x509.IPAddress(ipaddress.IPv4Address("192.0.2.1")))
    return csr(_key(), [], extensions=[x509.SubjectAlternativeName(every)])


@probe("8555-7.4-csr-refused-stays-ready", "RFC 8555 §7.4", SHOULD)
def stays_ready(server: Server) -> None:
    """An order whose CSR was refused can be finalized with a better one."""
    refused(_finalize(server, _csr(csr(_key(), [server.name()]))))
    expect(server.seen_again(server.ready).status == "ready", f"status {server.seen_again(server.ready).status}")


@probe("8555-7.4-fewer-names", "RFC 8555 §7.4", MUST)
def fewer_names(server: Server) -> None:
    """A CSR with one of the order's two names is refused."""
    names = [server.name(), server.name()]
    order = server.prove(server.order(*names))
    refused(server.post(order.finalize, _csr(csr(_key(), names[:1]))), "badCSR", "unauthorized")


@probe("8555-7.4-finalize-answer", "RFC 8555 §7.4", MUST)
def finalize_answer(server: Server) -> None:
    """Finalizing answers 200 with the order, processing or valid."""
    name = server.name()
    order = server.prove(server.order(name))
    answer = server.post(order.finalize, _csr(csr(_key(), [name])))
    expect(answer.status == 200, answer.said)
    expect(answer.document().get("status") in {"processing", "valid"}, f"status {answer.document().get('status')}")
    expect(text(answer.document(), "finalize") == order.finalize, "another finalize")


@probe("8555-7.4-finalize-location", "RFC 8555 §7.4", MAY)
def finalize_location(server: Server) -> None:
    """The answer to finalize names the order's URL in Location."""
    name = server.name()
    order = server.prove(server.order(name))
    answer = server.post(order.finalize, _csr(csr(_key(), [name])))
    expect(answer.header("Location") == order.url, "another Location" if answer.header("Location") else "no Location")


@probe("8555-7.4-processing-retry-after", "RFC 8555 §7.4", MAY)
def processing_retry_after(server: Server) -> None:
    """An order that is processing says when to look again."""
    name = server.name()
    order = server.prove(server.order(name))
    answer = server.post(order.finalize, _csr(csr(_key(), [name])))
    if answer.document().get("status") != "processing":
        skip("no order was seen processing")
    expect(answer.header("Retry-After"), "no Retry-After")


@probe("8555-7.4-common-name-only", "RFC 8555 §7.4", SHOULD)
def common_name_only(server: Server) -> None:
    """A CSR whose one name stands in the common name is taken."""
    name = server.name()
    order = server.prove(server.order(name))
    answer = server.post(order.finalize, _csr(csr(_key(), [], common_name=name)))
    expect(answer.status == 200, answer.said)


@probe("8555-7.4-csr-capitals", "RFC 4343 §2", MAY)
def csr_capitals(server: Server) -> None:
    """A CSR with the name in capitals is taken."""
    name = server.name()
    order = server.prove(server.order(name))
    answer = server.post(order.finalize, _csr(csr(_key(), [name.upper()])))
    expect(answer.status == 200, answer.said)


@probe("8555-7.1.6-valid", "RFC 8555 §7.1.6", MUST)
def valid(server: Server) -> None:
    """A valid order shows where its certificate is, an https URL, and keeps its identifiers."""
    document = server.issued.order.document
    expect(urlsplit(text(document, "certificate")).scheme == "https", "no https URL")
    expect(isinstance(document.get("identifiers"), list), "no identifiers")


@probe("8555-7.1.3-expires-valid", "RFC 8555 §7.1.3", MUST)
def expires_valid(server: Server) -> None:
    """A valid order says when it expires."""
    moment(server.issued.order.document.get("expires"), "expires")


@probe("8555-7.1.6-order-of-dead-authorization", "RFC 8555 §7.1.6", MUST)
def dead_authorization(server: Server) -> None:
    """An order is invalid once one of its authorizations was deactivated."""
    order = server.order(server.name(), server.name())
    answer = server.post(order.authorizations[0], {"status": "deactivated"})
    expect(answer.status == 200, answer.said)
    expect(server.seen_again(order).status == "invalid", f"status {server.seen_again(order).status}")


@probe("8555-7.1.6-no-issuance-without-authorization", "RFC 8555 §7.1.6", MUST)
def dead_proof(server: Server) -> None:
    """An order whose proof was deactivated is not issued."""
    name = server.name()
    order = server.prove(server.order(name))
    answer = server.post(order.authorizations[0], {"status": "deactivated"})
    expect(answer.status == 200, answer.said)
    answer = server.post(order.finalize, _csr(csr(_key(), [name])))
    if answer.status == 200:
        done = server.poll(order.url, ("valid", "invalid")).document()
        expect(done.get("status") == "invalid", "it was issued")
    else:
        refused(answer)


@probe("8555-7.4-order-again", "RFC 8555 §7.4", MAY)
def again(server: Server) -> None:
    """The same names can be ordered again while an order for them is open."""
    name = server.name()
    first, second = server.order(name), server.order(name)
    expect(first.status in {"pending", "ready"} and second.status in {"pending", "ready"}, "not open")


@probe("8555-7.4.1-new-authorization", "RFC 8555 §7.4.1", MAY)
def new_authz(server: Server) -> None:
    """Where newAuthz is offered, a name can be authorized ahead: 201 with the authorization."""
    url = server.offered("newAuthz")
    name = server.name()
    answer = server.post(url, {"identifier": {"type": "dns", "value": name}})
    expect(answer.status == 201, answer.said)
    expect(identifier(answer.document()) == name, "another name")
    location(answer)


@probe("8555-7.4.1-wildcard", "RFC 8555 §7.4.1", MUST)
def new_authz_wildcard(server: Server) -> None:
    """Where newAuthz is offered, a wildcard is refused there."""
    url = server.offered("newAuthz")
    refused(server.post(url, {"identifier": {"type": "dns", "value": f"*.{server.name()}"}}))


@probe("8555-7.4-many", "RFC 8555 §7.4", MAY)
def many(server: Server) -> None:
    """An order of a thousand names is taken or refused in order."""
    body = {"identifiers": [{"type": "dns", "value": f"n{number}.example.com"} for number in range(1000)]}
    answer = server.post(server.url("newOrder"), compact(body))
    expect(answer.status == 201 or 400 <= answer.status < 500, answer.said)


@probe("8555-7.4-finalize-race", "RFC 8555 §7.4", MUST)
def race(server: Server) -> None:
    """Of several requests at once to finalize an order, one is taken."""
    name = server.name()
    order = server.prove(server.order(name))
    requests = [
        server.prepared(order.finalize, _csr(csr(_key(), [name])), nonce=server.fresh_nonce()) for _ in range(4)
    ]
    answers = server.at_once(requests)
    taken = sum(answer.status == 200 for answer in answers)
    expect(taken == 1, f"{taken} were taken")
    done = server.poll(order.url, ("valid", "invalid")).document()
    expect(done.get("status") == "valid", f"the order came out {done.get('status')}")
