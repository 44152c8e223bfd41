"""Wrong certificates are wrong in the one way that was asked for (FAULTS 94–100)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from jprs_client.testca.wrong import KINDS
from tests.testca.in_process import Answer, CaInProcess, Client, csr, leaf
from tests.testca.test_faults import fault

Names = x509.SubjectAlternativeName


class Issued:
    """A certificate for a.jp and b.jp, and what is downloaded for it."""

    def __init__(self, ca: CaInProcess) -> None:
        self.client = Client(ca)
        order = self.client.order("a.jp", "b.jp")
        self.client.prove(order)
        self.client.finalize(order, csr(["a.jp", "b.jp"]))
        ca.settle()
        self.url = self.client.read(order.headers["location"]).json["certificate"]
        self.right = x509.load_pem_x509_certificates(self.client.read(self.url).body)

    def download(self, kind: str) -> Answer:
        fault(self.client.ca, {"certificate": kind}, match={"endpoint": "certificate", "name": "b.jp"})
        return self.client.read(self.url)


@pytest.fixture(scope="module")
def issued() -> Iterator[Issued]:
    with CaInProcess(open=True) as running:
        yield Issued(running)


def names(certificate: x509.Certificate) -> list[str]:
    try:
        return certificate.extensions.get_extension_for_class(Names).value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        return []


def lacks(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> bool:
    return all(extension.oid != oid for extension in certificate.extensions)


def life(certificate: x509.Certificate) -> timedelta:
    return certificate.not_valid_after_utc - certificate.not_valid_before_utc


def usages(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def is_ca(certificate: x509.Certificate) -> bool:
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def weak(certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    return isinstance(key, rsa.RSAPublicKey) and key.key_size == 1024


Check = Callable[[x509.Certificate, x509.Certificate], bool]
#: What is wrong with the leaf, beside the right one; the issuer has signed it all the same.
LEAVES: Mapping[str, Check] = {
    "other-key": lambda wrong, right: wrong.public_key() != right.public_key(),
    "weak-key": lambda wrong, _: weak(wrong),
    "names-missing": lambda wrong, _: names(wrong) == ["a.jp"],
    "names-extra": lambda wrong, _: names(wrong) == ["a.jp", "b.jp", "not-asked-for.example"],
    "names-other": lambda wrong, _: names(wrong) == ["not-asked-for.example"],
    "names-none": lambda wrong, _: names(wrong) == [] and not list(wrong.subject),
    "cn-only": lambda wrong, _: names(wrong) == [] and wrong.subject.rfc4514_string() == "CN=a.jp",
    "expired": lambda wrong, right: wrong.not_valid_after_utc < right.not_valid_before_utc,
    "not-yet-valid": lambda wrong, right: wrong.not_valid_before_utc == right.not_valid_before_utc + timedelta(days=7),
    "one-second": lambda wrong, _: life(wrong) == timedelta(seconds=1),
    "ten-years": lambda wrong, _: life(wrong) > timedelta(days=3650),
    "for-ever": lambda wrong, _: wrong.not_valid_after_utc.year == 9999,
    "ca-true": lambda wrong, _: is_ca(wrong),
    "no-server-auth": lambda wrong, _: usages(wrong) == [ExtendedKeyUsageOID.CLIENT_AUTH],
    "no-key-usage": lambda wrong, _: lacks(wrong, ExtensionOID.KEY_USAGE),
    "no-scts": lambda wrong, _: lacks(wrong, ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS),
    "must-staple": lambda wrong, _: not lacks(wrong, ExtensionOID.TLS_FEATURE),
    "critical-extension": lambda wrong, _: any(
        isinstance(each.value, x509.UnrecognizedExtension) and each.critical for each in wrong.extensions
    ),
}


@pytest.mark.parametrize("kind", LEAVES)
def test_the_leaf_is_wrong_and_signed(issued: Issued, kind: str) -> None:
    answer = issued.download(kind)
    wrong, *above = x509.load_pem_x509_certificates(answer.body)
    assert answer.headers["content-type"] == "application/pem-certificate-chain"
    assert above == issued.right[1:]
    assert LEAVES[kind](wrong, issued.right[0])
    assert not LEAVES[kind](issued.right[0], issued.right[0])
    wrong.verify_directly_issued_by(above[0])
    if "key" not in kind or kind == "no-key-usage":
        assert wrong.public_key() == issued.right[0].public_key()


#: Serials as the DER has them.
SERIALS = {"serial-zero": b"\x02\x01\x00", "serial-negative": b"\x02\x08\xfe\xdc\xba", "serial-huge": b"\x02\x28"}


@pytest.mark.parametrize("kind", SERIALS)
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_serials_that_rfc_5280_forbids(issued: Issued, kind: str) -> None:
    found = leaf(issued.download(kind).body)
    assert SERIALS[kind] in found.tbs_certificate_bytes[:20]
    found.verify_directly_issued_by(issued.right[1])
    assert names(found) == ["a.jp", "b.jp"]


def test_a_signature_with_sha1(issued: Issued) -> None:
    found = leaf(issued.download("sha1").body)
    assert isinstance(found.signature_hash_algorithm, hashes.SHA1)
    assert found.public_key() == issued.right[0].public_key()


def test_signatures_of_others(issued: Issued) -> None:
    found = leaf(issued.download("signed-by-another").body)
    with pytest.raises(InvalidSignature):
        found.verify_directly_issued_by(issued.right[1])
    alone = leaf(issued.download("self-signed").body)
    alone.verify_directly_issued_by(alone)
    assert names(alone) == ["a.jp", "b.jp"]


def test_chains_in_disorder(issued: Issued) -> None:
    right, above = issued.right

    def chain(kind: str) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(issued.download(kind).body)

    root = issued.client.ca.ca.pki.roots[0].certificate
    assert chain("no-issuer") == [right]
    assert chain("no-leaf") == [above]
    assert chain("out-of-order") == [above, right]
    assert chain("duplicate-leaf") == [right, right, above]
    assert chain("with-root") == [right, above, root]
    assert chain("hundred") == [right, *[above] * 99]
    for kind in ("other-intermediate", "false-intermediate"):
        first, other = chain(kind)
        assert (first, other != above) == (right, True)
        with pytest.raises((InvalidSignature, ValueError, TypeError)):
            first.verify_directly_issued_by(other)


#: What stands in the text beside or instead of the right certificates.
TEXTS: Mapping[str, Callable[[bytes, bytes], bool]] = {
    "private-key": lambda text, right: text.startswith(right) and b"BEGIN PRIVATE KEY" in text,
    "private-key-first": lambda text, right: text.startswith(b"-----BEGIN PRIVATE KEY") and text.endswith(right),
    "text-before": lambda text, right: text.startswith(b"subject=") and text.endswith(right),
    "text-after": lambda text, right: text.startswith(right) and len(text) > len(right),
    "other-block": lambda text, _: text.startswith(b"-----BEGIN TRUSTED CERTIFICATE"),
    "parameters": lambda text, right: b"EC PARAMETERS" in text and text.endswith(right),
    "nginx": lambda text, _: b"server { listen 80;" in text,
    "crlf": lambda text, right: text.replace(b"\r\n", b"\n") == right != text,
    "no-final-newline": lambda text, right: text + b"\n" == right,
    "one-line": lambda text, right: text.count(b"\n") == 6 and text.replace(b"\n", b"") == right.replace(b"\n", b""),
    "nul": lambda text, right: b"\0" in text and text.replace(b"\0", b"") == right,
    "bad-base64": lambda text, _: b"!!!" in text,
    "no-end": lambda text, right: right.startswith(text) and text != right,
    "truncated": lambda text, right: text.endswith(right[-200:]) and text[:60] == right[:60] and text != right,
    "trailing-octets": lambda text, right: text.endswith(right[-200:]) and len(text) > len(right),
    "not-x509": lambda text, right: text.endswith(right[-200:]) and len(text) < len(right),
    "empty": lambda text, _: text == b"",
    "html": lambda text, _: text.startswith(b"<!DOCTYPE html>"),
    "der": lambda text, right: text == leaf(right).public_bytes(serialization.Encoding.DER),
    "json": lambda text, _: text.startswith(b"{"),
    "no-content-type": lambda text, right: text == right,
}
CONTENT_TYPES = {
    "html": "text/html",
    "der": "application/pkix-cert",
    "json": "application/json",
    "no-content-type": None,
}


@pytest.mark.parametrize("kind", TEXTS)
def test_texts_that_are_no_chain(issued: Issued, kind: str) -> None:
    right = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in issued.right)
    answer = issued.download(kind)
    assert TEXTS[kind](answer.body, right)
    assert answer.headers.get("content-type") == CONTENT_TYPES.get(kind, "application/pem-certificate-chain")
    assert issued.client.read(issued.url).body == right


def test_every_kind_is_tried_and_gives_the_same_twice(issued: Issued) -> None:
    chains = {"no-issuer", "no-leaf", "out-of-order", "duplicate-leaf", "with-root", "hundred"}
    others = {"other-intermediate", "false-intermediate", "sha1", "signed-by-another", "self-signed"}
    assert set(LEAVES) | set(SERIALS) | set(TEXTS) | chains | others == set(KINDS)
    for kind in KINDS:
        assert issued.download(kind).body == issued.download(kind).body, kind


def test_one_name_alone_can_be_missing_too(open_ca: CaInProcess) -> None:
    client = Client(open_ca)
    fault(open_ca, {"certificate": "names-missing"}, match={"endpoint": "certificate"})
    assert names(leaf(client.issue("a.jp"))) == []


def test_an_rsa_issuer_errs_as_well(open_ca: CaInProcess) -> None:
    open_ca.ca.pki.use("rsa")
    wrong = Issued(open_ca)
    found = leaf(wrong.download("expired").body)
    found.verify_directly_issued_by(wrong.right[1])
    assert isinstance(leaf(wrong.download("sha1").body).signature_hash_algorithm, hashes.SHA1)
