"""The OCSP responder in process (RFC 6960, RFC 5019, RFC 9654); answers are read by `cryptography`, not by our code."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.ocsp import OCSPCertStatus as Is
from cryptography.x509.ocsp import OCSPResponseStatus as Answered
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from jprs_client.testca import der
from jprs_client.testca.ocsp import MalformedRequest, read_request
from jprs_client.testca.orders import Certificate
from jprs_client.testca.signer import Request
from tests.testca.in_process import START, Answer, CaInProcess, Client

DER = serialization.Encoding.DER
SHA1 = hashes.SHA1()  # noqa: S303 - what most clients name certificates by
TYPE = (("content-type", "application/ocsp-request"),)
KEY = ec.generate_private_key(ec.SECP256R1()).public_key()


@pytest.fixture
def ca() -> Iterator[CaInProcess]:
    with CaInProcess(open=True, require_eab=False, ocsp_lag=timedelta(minutes=10)) as ca:
        yield ca


def issued(ca: CaInProcess, name: str = "example.jp") -> Certificate:
    """One in the book, older than the lag."""
    client = Client(ca)
    client.issue(name)
    certificate = list(ca.ca.book.certificates.values())[-1]
    ca.ca.set_clock(ca.ca.now() + timedelta(minutes=10))
    return certificate


def request(
    ca: CaInProcess, *serials: int, digest: hashes.HashAlgorithm | None = None, nonce: bytes | None = None, by: int = 0
) -> bytes:
    """As `cryptography` writes it; several serials as RFC 6960 has them."""
    issuer = ca.ca.pki.intermediates[by].certificate
    name = hashes.Hash(digest or SHA1)
    name.update(issuer.subject.public_bytes())
    key = hashes.Hash(digest or SHA1)
    key.update(ca.ca.pki.intermediates[by].key_bits)
    name_hash, key_hash, singles = name.finalize(), key.finalize(), []
    for serial in serials:
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name_hash, key_hash, serial, digest or SHA1)
        one = builder.build().public_bytes(DER)
        singles.append(der.Reader(one).inside(der.SEQUENCE).inside(der.SEQUENCE).content(der.SEQUENCE))
    extensions = b""
    if nonce is not None:
        extension = der.sequence(der.oid("1.3.6.1.5.5.7.48.1.2"), der.octet_string(der.octet_string(nonce)))
        extensions = der.tlv(der.context(2), der.sequence(extension))
    return der.sequence(der.sequence(der.sequence(*singles), extensions))


def asked(ca: CaInProcess, body: bytes, by: int = 0) -> ocsp.OCSPResponse:
    answer = ca.ask(ca.pki, "POST", f"/ocsp/{by}", body, TYPE)
    return read(answer)


def read(answer: Answer) -> ocsp.OCSPResponse:
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "application/ocsp-response"
    return ocsp.load_der_ocsp_response(answer.body)


def verify(ca: CaInProcess, response: ocsp.OCSPResponse, by: int = 0) -> None:
    """By the delegated responder's key, and that by the issuer's."""
    (responder,) = response.certificates
    responder.verify_directly_issued_by(ca.ca.pki.intermediates[by].certificate)
    usage = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert responder.extensions.get_extension_for_class(x509.OCSPNoCheck)
    key = responder.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    assert response.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(key).digest


@pytest.mark.parametrize("digest", [SHA1, hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_a_certificate_is_good_until_it_is_revoked(ca: CaInProcess, digest: hashes.HashAlgorithm) -> None:
    certificate = issued(ca)
    body = request(ca, certificate.serial, digest=digest)
    response = asked(ca, body)
    verify(ca, response)
    assert response.certificate_status is Is.GOOD
    assert response.serial_number == certificate.serial
    assert timedelta(0) <= ca.ca.now() - response.this_update_utc < timedelta(seconds=5)
    assert response.next_update_utc is not None
    assert response.next_update_utc - response.this_update_utc == timedelta(days=4, seconds=-1)

    moment = ca.ca.now()
    ca.ca.book.revoke(certificate, 4, moment)
    response = asked(ca, body)
    verify(ca, response)
    assert response.certificate_status is Is.REVOKED
    assert response.revocation_reason is x509.ReasonFlags.superseded
    assert response.revocation_time_utc == moment.replace(microsecond=0)


def test_reason_0_is_not_written(ca: CaInProcess) -> None:
    certificate = issued(ca)
    ca.ca.book.revoke(certificate, 0, ca.ca.now())
    response = asked(ca, request(ca, certificate.serial))
    assert (response.certificate_status, response.revocation_reason) == (Is.REVOKED, None)


def test_a_new_certificate_is_unknown_for_as_long_as_the_lag_unless_it_is_revoked(ca: CaInProcess) -> None:
    Client(ca).issue("example.jp")
    (certificate,) = ca.ca.book.certificates.values()
    body = request(ca, certificate.serial)
    ca.ca.set_clock(certificate.not_before + timedelta(minutes=9, seconds=50))
    assert asked(ca, body).certificate_status is Is.UNKNOWN
    ca.ca.set_clock(certificate.not_before + timedelta(minutes=10))
    assert asked(ca, body).certificate_status is Is.GOOD
    ca.ca.set_clock(certificate.not_before + timedelta(minutes=1))
    ca.ca.book.revoke(certificate, 1, ca.ca.now())
    assert asked(ca, body).certificate_status is Is.REVOKED


def test_what_was_never_issued_is_unknown_and_another_issuers_is_refused(ca: CaInProcess) -> None:
    """Baseline Requirements 4.9.10; RFC 5019 §2.2.3."""
    assert asked(ca, request(ca, 4711)).certificate_status is Is.UNKNOWN
    certificate = issued(ca)
    assert asked(ca, request(ca, certificate.serial, by=1), by=1).certificate_status is Is.UNKNOWN
    assert asked(ca, request(ca, certificate.serial, by=1)).response_status is Answered.UNAUTHORIZED


def test_several_are_answered_in_full(ca: CaInProcess) -> None:
    good, revoked = issued(ca), issued(ca)
    ca.ca.book.revoke(revoked, 5, ca.ca.now())
    response = asked(ca, request(ca, good.serial, 4711, revoked.serial, nonce=b"n" * 32))
    verify(ca, response)
    found = {each.serial_number: each.certificate_status for each in response.responses}
    assert found == {good.serial: Is.GOOD, 4711: Is.UNKNOWN, revoked.serial: Is.REVOKED}


def test_the_rsa_intermediate_has_a_responder_of_its_own(ca: CaInProcess) -> None:
    ca.ca.pki.use("rsa")
    certificate = issued(ca)
    assert certificate.issuer == 1
    response = asked(ca, request(ca, certificate.serial, by=1), by=1)
    assert response.certificate_status is Is.GOOD
    assert isinstance(response.certificates[0].public_key(), rsa.RSAPublicKey)
    verify(ca, response, by=1)


@pytest.mark.parametrize("length", [1, 16, 32, 128])
def test_a_nonce_is_echoed(ca: CaInProcess, length: int) -> None:
    response = asked(ca, request(ca, 1, nonce=b"n" * length))
    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * length
    assert not list(asked(ca, request(ca, 1)).extensions)


@pytest.mark.parametrize("length", [0, 129])
def test_a_nonce_without_measure_is_malformed(ca: CaInProcess, length: int) -> None:
    """RFC 9654 §2.1."""
    assert asked(ca, request(ca, 1, nonce=b"n" * length)).response_status is Answered.MALFORMED_REQUEST


def test_every_way_to_write_a_get_is_understood(ca: CaInProcess) -> None:
    """RFC 6960 §A.1: some clients escape everything, some nothing, some one slash."""
    certificate = issued(ca)
    slashed = (request(ca, certificate.serial, nonce=bytes([n]) * (1 + n % 3)) for n in range(256))
    body = next(each for each in slashed if {"+", "/", "="} <= set(base64.b64encode(each).decode()))
    text = base64.b64encode(body).decode()
    lower = text.replace("+", "%2b").replace("/", "%2f").replace("=", "%3d")
    for path in (text, quote(text), quote(text, safe=""), lower, f"/{text}", text.replace("+", " ")):
        response = read(ca.ask(ca.pki, "GET", f"/ocsp/0/{path}"))
        assert response.certificate_status is Is.GOOD, path
    answer = ca.ask(ca.pki, "GET", f"/ocsp/0/{text}")
    assert {"last-modified", "expires", "etag", "date"} <= set(answer.headers)


@pytest.mark.parametrize("path", ["", "/", "/%", "/!!!!", "/MAA", "/MAA=", "/%ff%fe", "/é"])
def test_a_get_that_cannot_be_read_is_malformed(ca: CaInProcess, path: str) -> None:
    assert read(ca.ask(ca.pki, "GET", f"/ocsp/0{path}")).response_status is Answered.MALFORMED_REQUEST


def test_a_fault_finds_the_request_by_the_certificates_names(ca: CaInProcess) -> None:
    one, other = issued(ca, "one.jp"), issued(ca, "other.jp")
    fault = {"match": {"endpoint": "ocsp", "name": "one.jp"}, "action": "server-error"}
    assert ca.manage("POST", "/faults", fault).status == 200
    assert asked(ca, request(ca, other.serial)).certificate_status is Is.GOOD
    assert ca.ask(ca.pki, "POST", "/ocsp/0", request(ca, one.serial), TYPE).status == 500
    assert asked(ca, request(ca, one.serial)).certificate_status is Is.GOOD


def test_an_answer_can_be_something_else_than_the_truth(ca: CaInProcess) -> None:
    certificate = issued(ca)
    body, now = request(ca, certificate.serial), ca.ca.now()

    def said(word: str) -> ocsp.OCSPResponse:
        fault = {"match": {"endpoint": "ocsp"}, "action": {"says": word}}
        assert ca.manage("POST", "/faults", fault).status == 200
        return asked(ca, body)

    assert said("unknown").certificate_status is Is.UNKNOWN
    assert said("try-later").response_status is Answered.TRY_LATER
    assert said("internal-error").response_status is Answered.INTERNAL_ERROR
    revoked = said("revoked")
    verify(ca, revoked)
    assert revoked.certificate_status is Is.REVOKED
    for word, error in (("forged", InvalidSignature), ("other-issuer", ValueError)):
        response = said(word)
        assert response.certificate_status is Is.REVOKED
        with pytest.raises(error):  # by a stranger of the same name; by one of another
            verify(ca, response)
    other = said("other-certificate")
    verify(ca, other)
    assert other.serial_number == certificate.serial + 1
    stale, future = said("stale"), said("future")
    assert stale.next_update_utc is not None
    assert stale.next_update_utc < now < future.this_update_utc
    ca.ca.book.revoke(certificate, 4, now)
    assert said("good").certificate_status is Is.GOOD
    assert asked(ca, body).certificate_status is Is.REVOKED


def written(*parts: bytes) -> bytes:
    return der.sequence(der.sequence(*parts))


CERT_ID = der.sequence(
    der.sequence(der.oid("1.3.14.3.2.26"), der.tlv(der.NULL)),
    der.octet_string(b"n" * 20),
    der.octet_string(b"k" * 20),
    der.tlv(der.INTEGER, b"\1"),
)
ASKED = der.sequence(der.sequence(CERT_ID))
CRITICAL = der.sequence(der.oid("1.2.3"), der.tlv(der.BOOLEAN, b"\xff"), der.octet_string(b""))
NONCE = der.sequence(der.oid("1.3.6.1.5.5.7.48.1.2"), der.octet_string(der.octet_string(b"n")))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x81\x01\x00",
        b"\x30\x85\x01\x00\x00\x00\x00",
        written(),
        written(der.sequence()),
        written(ASKED) + b"\0",
        written(der.tlv(der.context(0), der.tlv(der.INTEGER, b"\1")), ASKED),
        written(ASKED, der.tlv(der.context(2), der.sequence(CRITICAL))),
        written(ASKED, der.tlv(der.context(2), der.sequence(NONCE, NONCE))),
        written(ASKED, ASKED),
        written(der.sequence(*[der.sequence(CERT_ID)] * 101)),
        written(der.sequence(der.sequence(CERT_ID, der.tlv(der.context(0), der.sequence(CRITICAL))))),
        written(der.sequence(der.sequence(CERT_ID[:-1]))),
    ],
)
def test_what_is_no_request_is_malformed(octets: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read_request(octets)


def test_the_rest_of_a_request_is_read_over() -> None:
    version = der.tlv(der.context(0), der.tlv(der.INTEGER, b"\0"))
    requestor = der.tlv(der.context(1), der.tlv(der.context(2, constructed=False), b"example.jp"))
    service = der.sequence(der.oid("1.3.6.1.5.5.7.48.1.7"), der.octet_string(b""))
    asked_ = der.sequence(der.sequence(CERT_ID, der.tlv(der.context(0), der.sequence(service))))
    tbs = der.sequence(version, requestor, asked_, der.tlv(der.context(2), der.sequence(service, NONCE)))
    found = read_request(der.sequence(tbs, der.tlv(der.context(0), der.sequence())))
    assert (found.asked[0].serial, found.asked[0].octets, found.nonce) == (1, CERT_ID, b"n")
    unknown_hash = CERT_ID.replace(der.oid("1.3.14.3.2.26"), der.oid("1.3.14.3.2.27"))
    (named,) = read_request(written(der.sequence(der.sequence(unknown_hash)))).asked
    assert not named.is_of(b"name", b"key")


@given(
    st.binary(max_size=200)
    | st.builds(lambda head, tail: written(ASKED)[:head] + tail, st.integers(0, 80), st.binary())
)
def test_any_octets_are_a_request_or_malformed(octets: bytes) -> None:
    try:
        assert read_request(octets).asked
    except MalformedRequest as error:
        assert str(error)


@given(st.lists(st.integers(0, 2**70), max_size=5), st.binary(max_size=400))
def test_der_is_read_as_it_was_written(arcs: list[int], content: bytes) -> None:
    name = x509.ObjectIdentifier(".".join(map(str, [1, 3, *(arc % 2**60 for arc in arcs)])))
    assert der.Reader(der.oid(name.dotted_string)).content(der.OID)
    reader = der.Reader(der.sequence(der.octet_string(content), der.oid(name.dotted_string)))
    inner = reader.inside(der.SEQUENCE)
    reader.end()
    assert inner.content(der.OCTET_STRING) == content
    assert inner.element() == der.oid(name.dotted_string)
    assert not inner.more


def test_a_request_is_about_what_is_in_the_book_alone(ca: CaInProcess) -> None:
    """A certificate that the order book never took in is unknown, although it was signed."""
    certificate = ca.ca.pki.issue(Request(KEY, frozenset()), ["example.jp"], "somebody", START)
    assert asked(ca, request(ca, certificate.serial)).certificate_status is Is.UNKNOWN
