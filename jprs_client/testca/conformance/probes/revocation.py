"""RFC 8555 §7.6: revocation, and how it is made known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from jprs_client.testca.conformance.jose import Key, b64
from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, Level, Probe, expect, probe, skip
from jprs_client.testca.conformance.server import Account, Issued, Server, refused
from jprs_client.testca.conformance.wire import Answer

_REASONS = {
    x509.ReasonFlags.unspecified: 0,
    x509.ReasonFlags.key_compromise: 1,
    x509.ReasonFlags.affiliation_changed: 3,
    x509.ReasonFlags.superseded: 4,
    x509.ReasonFlags.cessation_of_operation: 5,
    x509.ReasonFlags.privilege_withdrawn: 9,
}


def _revoke(server: Server, issued: Issued, by: Account | Key | None = None, **members: object) -> Answer:
    document: dict[str, Any] = {"certificate": b64(issued.der)} | members
    return server.post(server.url("revokeCert"), document, by=by)


def _own_key(issued: Issued) -> Key:
    return Key(issued.key)


@probe("8555-7.6-account", "RFC 8555 §7.6", MUST)
def by_account(server: Server) -> None:
    """The account that got a certificate revokes it: 200."""
    answer = _revoke(server, server.issue())
    expect(answer.status == 200, answer.said)


@probe("8555-7.6-key", "RFC 8555 §7.6", MUST)
def by_key(server: Server) -> None:
    """Whoever has a certificate's key revokes it: 200."""
    issued = server.issue()
    answer = _revoke(server, issued, _own_key(issued), reason=1)
    expect(answer.status == 200, answer.said)


@probe("8555-7.6-key-no-reason", "RFC 8555 §7.6", MUST)
def by_key_without_reason(server: Server) -> None:
    """Whoever has a certificate's key revokes it without giving a reason: 200."""
    issued = server.issue()
    answer = _revoke(server, issued, _own_key(issued))
    expect(answer.status == 200, answer.said)


@probe("8555-7.6-authorized", "RFC 8555 §7.6", MUST)
def by_authorizations(server: Server) -> None:
    """Another account that has proved all the names of a certificate revokes it: 200."""
    names = (server.name(), server.name())
    issued = server.issue(*names)
    server.prove(server.order(*names, by=server.other))
    answer = _revoke(server, issued, server.other)
    expect(answer.status == 200, answer.said)


@probe("8555-7.6-authorized-in-part", "RFC 8555 §7.6", MUST)
def by_some_authorizations(server: Server) -> None:
    """Another account that has proved only some of the names is refused."""
    names = (server.name(), server.name())
    issued = server.issue(*names)
    server.prove(server.order(names[0], by=server.other))
    refused(_revoke(server, issued, server.other), "unauthorized")


@probe("8555-7.6-stranger", "RFC 8555 §7.6", MUST)
def by_stranger(server: Server) -> None:
    """Another account without any right to a certificate is refused: unauthorized."""
    refused(_revoke(server, server.issued, server.other), "unauthorized", status=(401, 403))


@probe("8555-7.6-strange-key", "RFC 8555 §7.6", MUST)
def by_strange_key(server: Server) -> None:
    """A key that is not the certificate's is refused."""
    refused(_revoke(server, server.issued, Key.fresh()), "unauthorized", "malformed", "accountDoesNotExist")


@probe("8555-7.6-account-key-as-jwk", "RFC 8555 §7.6", MUST)
def by_bare_account_key(server: Server) -> None:
    """The account's key, bare, is not the certificate's: refused."""
    refused(_revoke(server, server.issued, server.main.key), "unauthorized", "malformed")


@probe("8555-7.6-refused-changes-nothing", "RFC 8555 §7.6", MUST)
def refused_changes_nothing(server: Server) -> None:
    """A certificate whose revocation was refused can be revoked still."""
    issued = server.issue()
    refused(_revoke(server, issued, server.other))
    answer = _revoke(server, issued)
    expect(answer.status == 200, answer.said)


@probe("8555-7.6-twice", "RFC 8555 §7.6", MUST)
def twice(server: Server) -> None:
    """A certificate that is revoked already is refused: 400 alreadyRevoked."""
    issued = server.issue()
    expect(_revoke(server, issued).status == 200, "it was not revoked")
    refused(_revoke(server, issued), "alreadyRevoked", status=(400,))


def _reason(code: int, name: str, level: Level = MAY) -> Probe:
    @probe(f"8555-7.6-reason-{code}", "RFC 8555 §7.6", level, f"The reason {name} ({code}) is taken.")
    def run(server: Server) -> None:
        answer = _revoke(server, server.issue(), reason=code)
        expect(answer.status == 200, answer.said)

    return run


REASONS = (
    _reason(0, "unspecified"),
    _reason(1, "keyCompromise"),
    _reason(3, "affiliationChanged"),
    _reason(4, "superseded"),
    _reason(5, "cessationOfOperation"),
)


def _bad_reason(what: str, value: object, kinds: tuple[str, ...], level: Level = MUST) -> Probe:
    says = f"A reason that is {what} is refused."

    @probe(f"8555-7.6-reason-{what.replace(' ', '-')}", "RFC 8555 §7.6", level, says)
    def run(server: Server) -> None:
        answer = _revoke(server, server.issued, reason=value)
        if answer.status < 400:
            server.__dict__.pop("issued", None)
        refused(answer, *kinds)

    return run


_BAD_REASON = ("badRevocationReason",)
_EITHER = ("badRevocationReason", "malformed")

BAD_REASONS = (
    _bad_reason("unassigned (7)", 7, _BAD_REASON),
    _bad_reason("too great (99)", 99, _BAD_REASON),
    _bad_reason("negative", -1, _EITHER),
    _bad_reason("a text", "keyCompromise", _EITHER),
    _bad_reason("a fraction", 1.5, _EITHER),
    _bad_reason("true", True, _EITHER),
    _bad_reason("for CRLs only (8)", 8, _BAD_REASON, SHOULD),
    _bad_reason("the compromise of a CA (2)", 2, _BAD_REASON, SHOULD),
    _bad_reason("a hold (6)", 6, _BAD_REASON, SHOULD),
)


def _bad(identity: str, says: str, document: Any, *kinds: str, level: Level = MUST) -> Probe:
    @probe(f"8555-7.6-certificate-{identity}", "RFC 8555 §7.6", level, says)
    def run(server: Server) -> None:
        content = document(server) if callable(document) else document
        refused(server.post(server.url("revokeCert"), content), *kinds)

    return run


def _pem(server: Server) -> str:
    return server.issued.leaf.public_bytes(serialization.Encoding.PEM).decode()


def _self_signed(server: Server) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    now = server.now()
    subject = x509.Name([])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(server.name())]), critical=True)
        .sign(key, hashes.SHA256())
    )
    return b64(made.public_bytes(serialization.Encoding.DER))


BAD = (
    _bad("missing", "A revocation without a certificate is refused.", {}, "malformed"),
    _bad("garbage", "The revocation of what is no certificate is refused.", {"certificate": b64(b"no")}),
    _bad("number", "A certificate that is a number is refused.", {"certificate": 1}, "malformed"),
    _bad("pem", "The revocation of a certificate in PEM is refused.", lambda server: {"certificate": _pem(server)}),
    _bad(
        "padding",
        "A certificate in padded base64url is refused.",
        lambda server: {"certificate": b64(server.issued.der) + "=" * (-len(b64(server.issued.der)) % 4 or 4)},
        "malformed",
    ),
    _bad(
        "foreign",
        "The revocation of a certificate that the CA has not issued is refused.",
        lambda server: {"certificate": _self_signed(server)},
    ),
    _bad(
        "issuer",
        "The revocation of the CA's own certificate is refused.",
        lambda server: {"certificate": b64(server.issued.chain[1].public_bytes(serialization.Encoding.DER))},
    ),
)


@probe("8555-7.6-changed-certificate", "RFC 8555 §7.6", MUST)
def changed(server: Server) -> None:
    """A certificate whose signature was changed is not one that was issued: refused."""
    der = bytearray(server.issued.der)
    der[-1] ^= 1
    answer = server.post(server.url("revokeCert"), {"certificate": b64(bytes(der))})
    if answer.status < 400:
        server.__dict__.pop("issued", None)
    refused(answer)


@probe("8555-7.6-key-and-kid", "RFC 8555 §6.2", MUST)
def both(server: Server) -> None:
    """A revocation with jwk and kid is refused."""
    answer = server.post(
        server.url("revokeCert"), {"certificate": b64(server.issued.der)}, header={"jwk": server.main.key.jwk}
    )
    refused(answer, "malformed")


@probe("8555-7.6-order-stays", "RFC 8555 §7.6", MUST)
def downloaded_still(server: Server) -> None:
    """A revoked certificate's order stays valid."""
    issued = server.issue()
    expect(_revoke(server, issued).status == 200, "it was not revoked")
    expect(server.seen_again(issued.order).status == "valid", f"status {server.seen_again(issued.order).status}")


@probe("8555-7.6-deactivated-account", "RFC 8555 §7.3.6", MUST)
def deactivated(server: Server) -> None:
    """The key of a certificate revokes it though its account is deactivated; the account does not."""
    account = server.new_account()
    issued = server.issue(by=account)
    expect(server.post(account.url, {"status": "deactivated"}, by=account).status == 200, "it is not deactivated")
    refused(_revoke(server, issued, account), "unauthorized")
    answer = _revoke(server, issued, _own_key(issued), reason=1)
    expect(answer.status == 200, answer.said)


# how it is made known


def _places(issued: Issued) -> tuple[list[str], list[str]]:
    """Where the certificate says that OCSP and CRL are."""
    responders, lists = [], []
    for extension in issued.leaf.extensions:
        if isinstance(extension.value, x509.AuthorityInformationAccess):
            responders = [
                str(each.access_location.value)
                for each in extension.value
                if each.access_method == AuthorityInformationAccessOID.OCSP
            ]
        if isinstance(extension.value, x509.CRLDistributionPoints):
            lists = [str(name.value) for point in extension.value for name in point.full_name or ()]
    return responders, lists


def _by_crl(server: Server, issued: Issued) -> int | None:
    """The reason the CRL has for the certificate; None: it is not in it."""
    _, places = _places(issued)
    if not places:
        skip("the certificate names no CRL")
    answer = server.wire.request("GET", places[0])
    expect(answer.status == 200, f"the CRL: {answer.said}")
    crl = x509.load_der_x509_crl(answer.body)
    issuer = issued.chain[1].public_key()
    expect(crl.is_signature_valid(issuer), "a CRL somebody else signed")  # type: ignore[arg-type]
    entry = crl.get_revoked_certificate_by_serial_number(issued.leaf.serial_number)
    if entry is None:
        return None
    try:
        return _REASONS.get(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason, -1)
    except x509.ExtensionNotFound:
        return 0


def _by_ocsp(server: Server, issued: Issued) -> ocsp.OCSPResponse:
    places, _ = _places(issued)
    if not places:
        skip("the certificate names no OCSP responder")
    builder = ocsp.OCSPRequestBuilder().add_certificate(issued.leaf, issued.chain[1], hashes.SHA1())  # noqa: S303
    request = builder.build().public_bytes(serialization.Encoding.DER)
    answer = server.wire.request("POST", places[0], request, {"Content-Type": "application/ocsp-request"})
    expect(answer.status == 200, f"OCSP: {answer.said}")
    return ocsp.load_der_ocsp_response(answer.body)


@probe("5280-5.3.1-crl-reason", "RFC 5280 §5.3.1", SHOULD)
def crl_reason(server: Server) -> None:
    """The CRL has a revoked certificate with the reason that was given."""
    issued = server.issue()
    expect(_revoke(server, issued, reason=4).status == 200, "it was not revoked")
    found = _by_crl(server, issued)
    expect(found == 4, "it is not in the CRL" if found is None else f"reason {found}")


@probe("5280-5.3.1-crl-unspecified", "RFC 5280 §5.3.1", SHOULD)
def crl_unspecified(server: Server) -> None:
    """The CRL gives no reason for a certificate that was revoked without one."""
    issued = server.issue()
    expect(_revoke(server, issued).status == 200, "it was not revoked")
    found = _by_crl(server, issued)
    expect(found == 0, "it is not in the CRL" if found is None else f"reason {found}")


@probe("5280-5.1-crl-valid", "RFC 5280 §5.1", MUST)
def crl_valid(server: Server) -> None:
    """A certificate that is not revoked is not in the CRL."""
    expect(_by_crl(server, server.issued) is None, "it is in the CRL")


@probe("8555-7.6-key-reason", "RFC 8555 §7.6", MAY)
def key_reason(server: Server) -> None:
    """A revocation by the certificate's key is made known as keyCompromise."""
    issued = server.issue()
    expect(_revoke(server, issued, _own_key(issued), reason=1).status == 200, "it was not revoked")
    found = _by_crl(server, issued)
    expect(found == 1, "it is not in the CRL" if found is None else f"reason {found}")


@probe("8555-7.6-blocked-key", "CA/Browser Forum BR 6.1.1.3", MAY)
def blocked_key(server: Server) -> None:
    """A key that was reported compromised is not certified again: badCSR."""
    issued = server.issue()
    expect(_revoke(server, issued, _own_key(issued), reason=1).status == 200, "it was not revoked")
    order = server.prove(server.order(str(issued.order.document["identifiers"][0]["value"])))
    answer = server.post(order.finalize, {"csr": b64(issued.csr)})
    refused(answer, "badCSR", "badPublicKey")


@probe("6960-2.2-good", "RFC 6960 §2.2", MUST)
def ocsp_good(server: Server) -> None:
    """OCSP answers "good" for a certificate that is not revoked, or does not know it yet."""
    response = _by_ocsp(server, server.issued)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return
    expect(response.certificate_status is not ocsp.OCSPCertStatus.REVOKED, "revoked")


@probe("6960-2.3-malformed", "RFC 6960 §2.3", MUST)
def ocsp_malformed(server: Server) -> None:
    """OCSP answers what is no request with malformedRequest, or an HTTP error."""
    places, _ = _places(server.issued)
    if not places:
        skip("the certificate names no OCSP responder")
    answer = server.wire.request("POST", places[0], b"no", {"Content-Type": "application/ocsp-request"})
    if answer.status >= 400:
        return
    found = ocsp.load_der_ocsp_response(answer.body).response_status
    expect(found is ocsp.OCSPResponseStatus.MALFORMED_REQUEST, found.name)
