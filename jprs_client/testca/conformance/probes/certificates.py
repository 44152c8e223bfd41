"""RFC 8555 §7.4.2: what is downloaded, and what stands in it."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from jprs_client.testca.conformance.jose import b64
from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, expect, fail, probe, skip
from jprs_client.testca.conformance.server import Issued, Server, csr, refused, text

PEM_CHAIN = "application/pem-certificate-chain"
_PEM = re.compile(
    rb"(-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/]{64}\r?\n)*[A-Za-z0-9+/]{1,64}={0,2}\r?\n"
    rb"-----END CERTIFICATE-----(\r?\n)*)+\Z"
)


@probe("8555-7.4.2-type", "RFC 8555 §7.4.2", MUST)
def media_type(server: Server) -> None:
    """A certificate is downloaded as application/pem-certificate-chain, unless another form is asked for."""
    expect(server.issued.answer.media_type == PEM_CHAIN, server.issued.answer.media_type or "no content type")


@probe("8555-7.4.2-accept", "RFC 8555 §7.4.2", MUST)
def accept(server: Server) -> None:
    """Who asks for application/pem-certificate-chain gets it."""
    answer = server.post(server.issued.url, headers={"Accept": PEM_CHAIN})
    expect(answer.status == 200, answer.said)
    expect(answer.media_type == PEM_CHAIN, answer.media_type or "no content type")


@probe("8555-9.1-pem", "RFC 8555 §9.1", MUST)
def strict(server: Server) -> None:
    """The chain is strict PEM (RFC 7468): lines of 64 characters, nothing before, between or after."""
    expect(_PEM.match(server.issued.answer.body), "something else than PEM's lines")


@probe("8555-9.1-first", "RFC 8555 §9.1", MUST)
def first(server: Server) -> None:
    """The first certificate of the chain is the one that was ordered."""
    expect(_spki(server.issued.leaf) == _public(server.issued), "a certificate of another key")


@probe("8555-9.1-order", "RFC 8555 §9.1", SHOULD)
def ordered(server: Server) -> None:
    """Each certificate of the chain certifies the one before it."""
    chain = server.issued.chain
    expect(len(chain) >= 2, f"a chain of {len(chain)}")
    for below, above in pairwise(chain):
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature):
            fail("one that does not certify the one before it")


@probe("8555-9.1-no-root", "RFC 8555 §9.1", MAY)
def no_root(server: Server) -> None:
    """The root is left out of the chain."""
    expect(all(each.issuer != each.subject for each in server.issued.chain), "a self-signed certificate")


@probe("8555-7.1-index-certificate", "RFC 8555 §7.1", MUST)
def index(server: Server) -> None:
    """A certificate's answer says where the directory is, by a Link of relation index."""
    found = server.issued.answer.links("index")
    expect(found == [server.directory_url], "a Link to elsewhere" if found else "no Link")


@probe("8555-7.4.2-alternate", "RFC 8555 §7.4.2", MAY)
def alternate(server: Server) -> None:
    """Another chain, where there is one, is linked by relation alternate, and begins with the same certificate."""
    found = server.issued.answer.links("alternate")
    if not found:
        skip("the server offers no other chain")
    for url in found:
        answer = server.read(url)
        expect(answer.media_type == PEM_CHAIN, answer.media_type or "no content type")
        chain = x509.load_pem_x509_certificates(answer.body)
        expect(chain[0] == server.issued.leaf, "another end-entity certificate")
        expect(answer.body != server.issued.answer.body, "the same chain")


@probe("8555-7.4.2-alternate-get", "RFC 8555 §6.3", MUST)
def alternate_get(server: Server) -> None:
    """Another chain, where there is one, by plain GET is refused with 405."""
    found = server.issued.answer.links("alternate")
    if not found:
        skip("the server offers no other chain")
    refused(server.wire.request("GET", found[0]), status=(405,))


@probe("8555-7.4.2-same", "RFC 8555 §7.4.2", MUST)
def same(server: Server) -> None:
    """A certificate is the same each time it is downloaded."""
    answer = server.read(server.issued.url)
    expect(x509.load_pem_x509_certificates(answer.body)[0] == server.issued.leaf, "another certificate")


@probe("8555-7.4.2-others", "RFC 8555 §7.4.2", MAY)
def others(server: Server) -> None:
    """Nobody downloads another's certificate."""
    refused(server.post(server.issued.url, by=server.other), status=(401, 403, 404))


@probe("8555-7.4.2-unknown", "RFC 8555 §7.4.2", MUST)
def unknown(server: Server) -> None:
    """A certificate that there is not is refused."""
    place, _, last = server.issued.url.rpartition("/")
    other = "".join("0" if each == "1" else "1" if each == "0" else each for each in last[::-1])
    refused(server.post(f"{place}/{other}"), status=(401, 403, 404))


@probe("8555-7.4.2-payload", "RFC 8555 §6.3", SHOULD)
def payload(server: Server) -> None:
    """A certificate is not read by a payload of {}."""
    refused(server.post(server.issued.url, {}), "malformed")


# what stands in it


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _public(issued: Issued) -> bytes:
    return issued.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def names_of(certificate: x509.Certificate) -> list[str]:
    """The DNS names of a certificate. Raises FailureError."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        fail("no subjectAltName")
    expect(all(isinstance(each, x509.DNSName) for each in extension.value), "names that are no DNS names")
    return extension.value.get_values_for_type(x509.DNSName)


@probe("8555-7.4-names", "RFC 8555 §7.4", MUST)
def names(server: Server) -> None:
    """A certificate has the order's names, all and no others."""
    wanted = [server.name(), server.name(), server.name()]
    found = names_of(server.issue(*wanted).leaf)
    expect(sorted(found) == sorted(wanted), "other names")


@probe("8555-7.4-wildcard", "RFC 8555 §7.4", MUST)
def wildcard(server: Server) -> None:
    """A wildcard and the name below it stand in one certificate."""
    expect(server.dns, "no mock DNS")
    name = server.name()
    found = names_of(server.issue(name, f"*.{name}").leaf)
    expect(sorted(found) == sorted([name, f"*.{name}"]), "other names")


@probe("8555-7.4-common-name", "RFC 6125 §6.4.4", SHOULD)
def common_name(server: Server) -> None:
    """The common name, where there is one, is one of the names."""
    for each in server.issued.leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        expect(each.value in names_of(server.issued.leaf), "another common name")


@probe("8555-7.4-rsa", "RFC 8555 §7.4", MAY)
def rsa_certificate(server: Server) -> None:
    """An RSA key is certified."""
    issued = server.issue(key=rsa.generate_private_key(65537, 2048))
    expect(_spki(issued.leaf) == _public(issued), "a certificate of another key")


@probe("8555-7.4-p384", "RFC 8555 §7.4", MAY)
def p384_certificate(server: Server) -> None:
    """A key on P-384 is certified."""
    issued = server.issue(key=ec.generate_private_key(ec.SECP384R1()))
    expect(_spki(issued.leaf) == _public(issued), "a certificate of another key")


@probe("5280-4.2.1.9-no-ca", "RFC 5280 §4.2.1.9", MUST)
def no_ca(server: Server) -> None:
    """A CSR that asks for a CA certificate gets none."""
    name = server.name()
    order = server.prove(server.order(name))
    key = ec.generate_private_key(ec.SECP256R1())
    request = csr(key, (name,), extensions=[x509.BasicConstraints(ca=True, path_length=None)])
    answer = server.post(order.finalize, {"csr": b64(request)})
    if answer.status >= 400:
        refused(answer, "badCSR")
        return
    done = server.poll(order.url, ("valid", "invalid")).document()
    if done.get("status") == "valid":
        body = server.read(text(done, "certificate")).body
        leaf = x509.load_pem_x509_certificates(body)[0]
        expect(not _is_ca(leaf), "a CA certificate")


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


@probe("5280-4.1.2.5-now", "RFC 5280 §4.1.2.5", MUST)
def valid_now(server: Server) -> None:
    """A certificate is valid now, and ends after it begins."""
    leaf, now = server.issued.leaf, server.now()
    expect(leaf.not_valid_before_utc <= now + timedelta(minutes=1), "not valid yet")
    expect(leaf.not_valid_after_utc > now, "expired")


@probe("5280-4.2.1.12-server", "RFC 5280 §4.2.1.12", MUST)
def server_auth(server: Server) -> None:
    """A certificate may be used by TLS servers."""
    try:
        found = server.issued.leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    expect(ExtendedKeyUsageOID.SERVER_AUTH in found, "no serverAuth")


@probe("5280-4.1.2.2-serial", "RFC 5280 §4.1.2.2", MUST)
def serials(server: Server) -> None:
    """Serial numbers are positive, of 20 octets at most, and each is used once."""
    found = [server.issued.leaf.serial_number, server.issue().leaf.serial_number]
    expect(found[0] != found[1], "the same serial number twice")
    expect(all(0 < each < 1 << 159 for each in found), "a serial number out of bounds")


@probe("5280-4.2.1.1-key-identifier", "RFC 5280 §4.2.1.1", MUST)
def key_identifier(server: Server) -> None:
    """A certificate says by which key it was signed, as its issuer calls that key."""
    leaf, issuer = server.issued.chain[:2]
    try:
        authority = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        subject = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        fail("no key identifier")
    expect(authority == subject, "another key identifier")


@probe("5280-4.2.2.1-issuer", "RFC 5280 §4.2.2.1", MAY)
def aia(server: Server) -> None:
    """The issuer's certificate is where the certificate says it is."""
    try:
        access = server.issued.leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        skip("the certificate does not say where its issuer is")
    places = [
        each.access_location.value for each in access if each.access_method == AuthorityInformationAccessOID.CA_ISSUERS
    ]
    if not places:
        skip("the certificate does not say where its issuer is")
    answer = server.wire.request("GET", places[0])
    expect(answer.status == 200, answer.said)
    expect(x509.load_der_x509_certificate(answer.body) == server.issued.chain[1], "another certificate")
