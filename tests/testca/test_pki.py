"""Roots, intermediates that can be switched, chains, CRLs, and the logs' messages (RFC 5280, RFC 6962)."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jprs_client.testca.orders import Certificate, Revocation
from jprs_client.testca.signer import CRL_LIFE, CertificateAuthority, Pki, Request
from tests import needs
from tests.testca.in_process import Answer, CaInProcess, Client

NOW = datetime(2026, 11, 22, 3, 0, 0, 250000, tzinfo=UTC)
EC_KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
RSA_KEY = rsa.generate_private_key(65537, 2048).public_key()
DER = serialization.Encoding.DER


@pytest.fixture(scope="module")
def pki() -> Pki:
    """One whose RSA keys are made once for all tests here."""
    return Pki("http://pki.test")


def issue(pki: Pki, *names: str, rsa_key: bool = False, **more: Any) -> Certificate:
    request = Request(RSA_KEY if rsa_key else EC_KEY, frozenset(names))
    return pki.issue(request, names or ("example.jp",), "somebody", more.pop("now", NOW), **more)


def loaded(certificate: Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.der)


# who signs


def test_rsa_keys_are_made_only_when_they_are_needed() -> None:
    pki = Pki()
    pki.chain_pem(issue(pki))
    pki.crl(0, [], NOW)
    pki.root_crl(0, NOW)
    assert "key" not in vars(pki.roots[1])
    assert "key" not in vars(pki.intermediates[1])


@pytest.mark.parametrize(
    ("mode", "rsa_key", "index"),
    [("ecdsa", False, 0), ("ecdsa", True, 0), ("rsa", False, 1), ("by-key", False, 0), ("by-key", True, 1)],
)
def test_the_mode_says_which_intermediate_signs(pki: Pki, mode: str, rsa_key: bool, index: int) -> None:
    pki.use(mode)
    try:
        certificate = issue(pki, rsa_key=rsa_key)
    finally:
        pki.use("ecdsa")
    assert certificate.issuer == index
    loaded(certificate).verify_directly_issued_by(pki.intermediates[index].certificate)
    access = loaded(certificate).extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert {each.access_method: each.access_location.value for each in access} == {
        Access.OCSP: f"http://pki.test/ocsp/{index}",
        Access.CA_ISSUERS: f"http://pki.test/issuers/{index}.cer",
    }
    points = loaded(certificate).extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [point.full_name[0].value for point in points if point.full_name] == [f"http://pki.test/crl/{index}.crl"]


def test_a_new_intermediate_signs_from_then_on() -> None:
    pki = Pki()
    old = issue(pki)
    index = pki.new_intermediate("ecdsa")
    new = issue(pki)
    assert (old.issuer, index, new.issuer) == (0, 2, 2)
    common_names = [each.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value for each in pki.intermediates]
    assert [str(name).split()[2] for name in common_names] == ["E1", "R1", "E2"]
    old.revocation = Revocation(NOW, 4)
    new.revocation = Revocation(NOW, 4)
    for each in (old, new):
        crl = x509.load_der_x509_crl(pki.crl(each.issuer, [old, new], NOW))
        assert [entry.serial_number for entry in crl] == [each.serial]
        public = pki.intermediates[each.issuer].key.public_key()
        assert crl.is_signature_valid(public)


@pytest.mark.parametrize("wrong", ["", "dsa", "ECDSA"])
def test_kinds_and_modes_that_are_none_are_refused(wrong: str) -> None:
    pki = Pki()
    with pytest.raises(ValueError, match="none of ecdsa, rsa, by-key"):
        pki.use(wrong)
    with pytest.raises(ValueError, match="none of ecdsa, rsa"):
        pki.new_intermediate(wrong)


# leaves


def test_a_lifetime_counts_both_ends() -> None:
    certificate = loaded(issue(Pki(), lifetime=timedelta(hours=160)))
    assert certificate.not_valid_before_utc == NOW.replace(microsecond=0)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(hours=160, seconds=-1)


def test_the_key_usage_is_the_keys(pki: Pki) -> None:
    for rsa_key in (False, True):
        usage = loaded(issue(pki, rsa_key=rsa_key)).extensions.get_extension_for_class(x509.KeyUsage)
        assert usage.critical
        assert usage.value.digital_signature
        assert usage.value.key_encipherment == rsa_key


def test_a_name_too_long_for_a_subject_stands_in_a_critical_extension() -> None:
    long = loaded(issue(Pki(), f"{'a' * 60}.example.jp"))
    assert not list(long.subject)
    assert long.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical
    short = loaded(issue(Pki(), "example.jp"))
    assert short.subject.rfc4514_string() == "CN=example.jp"
    assert not short.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


def test_openssl_verifies_every_chain(pki: Pki, tmp_path: Path) -> None:
    openssl = needs.program("openssl")
    pki.use("by-key")
    try:
        certificates = [issue(pki, rsa_key=rsa_key) for rsa_key in (False, True)]
    finally:
        pki.use("ecdsa")
    for certificate in certificates:
        chains = pki.chains(certificate)
        assert len(chains) == 1 + pki.alternates == len(set(chains))
        assert chains[0] == pki.chain_pem(certificate)
        for chain, root in zip(chains, pki.roots, strict=True):
            (tmp_path / "chain.pem").write_text(chain)
            (tmp_path / "root.pem").write_text(root.pem)
            command = [openssl, "verify", "-x509_strict", "-attime", str(int(NOW.timestamp()) + 60), "-show_chain"]
            command += ["-CAfile", "root.pem", "-untrusted", "chain.pem", "chain.pem"]
            ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
            assert ended.returncode == 0, ended
            assert str(root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value) in ended.stdout
    with pytest.raises(IndexError):
        pki.chain(certificates[0], 2)


def test_certificates_cost_little_memory_in_the_logs() -> None:
    """What the order book keeps is not kept once more."""
    pki = Pki()
    kept = [issue(pki)]
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept += [issue(pki, f"n{number}.example.jp") for number in range(100)]
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(pki.logs[0].tree) == len(pki.logs[1].tree) == 101
    assert grown / 100 < 4000  # of which a certificate and its names are half


# CRLs


def test_a_crl_says_when_and_why_and_leaves_reason_0_out() -> None:
    pki = Pki()
    certificates = [issue(pki) for _ in range(4)]
    for certificate, reason in zip(certificates, (0, 1, 9), strict=False):
        certificate.revocation = Revocation(NOW - timedelta(hours=reason), reason)
    crl = x509.load_der_x509_crl(pki.crl(0, certificates, NOW))
    assert crl.last_update_utc == NOW.replace(microsecond=0)
    assert crl.next_update_utc == NOW.replace(microsecond=0) + CRL_LIFE - timedelta(seconds=1)
    said = {}
    for entry in crl:
        reasons = [each.value.reason for each in entry.extensions if isinstance(each.value, x509.CRLReason)]
        said[entry.serial_number] = (entry.revocation_date_utc, reasons)
    flags = x509.ReasonFlags
    at = NOW.replace(microsecond=0)
    assert said == {
        certificates[0].serial: (at, []),
        certificates[1].serial: (at - timedelta(hours=1), [flags.key_compromise]),
        certificates[2].serial: (at - timedelta(hours=9), [flags.privilege_withdrawn]),
    }


def test_an_expired_certificate_leaves_the_crl_after_one_that_shows_it() -> None:
    """RFC 5280 §3.3."""
    pki = Pki()
    certificate = issue(pki)
    certificate.revocation = Revocation(NOW, 4)

    def listed(moment: datetime) -> bool:
        crl = x509.load_der_x509_crl(pki.crl(0, [certificate], moment))
        return crl.get_revoked_certificate_by_serial_number(certificate.serial) is not None

    assert listed(certificate.not_after)
    assert listed(certificate.not_after + CRL_LIFE)
    assert not listed(certificate.not_after + CRL_LIFE + timedelta(seconds=1))


def test_crl_numbers_go_up_and_an_unchanged_list_is_not_made_again() -> None:
    pki = Pki()

    def number(der: bytes) -> int:
        extensions = x509.load_der_x509_crl(der).extensions
        return extensions.get_extension_for_class(x509.CRLNumber).value.crl_number

    certificate = issue(pki)
    first = pki.crl(0, [certificate], NOW)
    assert pki.crl(0, [certificate], NOW) == first
    later = pki.crl(0, [certificate], NOW + timedelta(seconds=1))
    certificate.revocation = Revocation(NOW, 1)
    revoked = pki.crl(0, [certificate], NOW + timedelta(seconds=1))
    assert number(first) < number(later) < number(revoked)


def test_a_revoked_intermediate_stands_in_the_crl_of_each_root(pki: Pki) -> None:
    index = pki.new_intermediate("ecdsa")
    pki.revoke_intermediate(index, 5, NOW)
    try:
        for number, root in enumerate(pki.roots):
            crl = x509.load_der_x509_crl(pki.root_crl(number, NOW))
            assert crl.is_signature_valid(root.key.public_key())
            entry = crl.get_revoked_certificate_by_serial_number(pki.intermediates[index].under(number).serial_number)
            assert entry is not None
            reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
            assert reason is x509.ReasonFlags.cessation_of_operation
            assert len(list(crl)) == 1
    finally:
        pki._in_use["ecdsa"] = 0
    with pytest.raises(ValueError, match="already"):
        pki.revoke_intermediate(index, 5, NOW)
    with pytest.raises(ValueError, match="reason"):
        pki.revoke_intermediate(0, 0, NOW)
    with pytest.raises(ValueError, match="intermediates"):
        pki.revoke_intermediate(99, 5, NOW)


# the door


def get(ca: CaInProcess, path: str, **query: object) -> Answer:
    return ca.ask(ca.pki, "GET", f"{path}?{urlencode(query)}" if query else path)


def test_every_address_serves_what_certificates_say(ca: CaInProcess) -> None:
    pki = ca.ca.pki
    for index, each in enumerate(pki.intermediates):
        assert get(ca, f"/issuers/{index}.cer").body == each.der
        crl = x509.load_der_x509_crl(get(ca, f"/crl/{index}.crl").body)
        assert crl.issuer == each.certificate.subject
    for index, root in enumerate(pki.roots):
        answer = get(ca, f"/roots/{index}.cer")
        assert answer.headers["content-type"] == "application/pkix-cert"
        assert answer.body == root.der
        answer = get(ca, f"/root-crl/{index}.crl")
        assert answer.headers["content-type"] == "application/pkix-crl"
        assert x509.load_der_x509_crl(answer.body).issuer == root.certificate.subject


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/issuers/2.cer", 404),
        ("GET", "/issuers/0.crl", 404),
        ("GET", "/issuers/99999999999.cer", 404),
        ("POST", "/issuers/0.cer", 405),
        ("PUT", "/ocsp/0", 405),
        ("GET", "/ocsp/9/MAA=", 404),
        ("POST", "/ocsp/0", 415),
        ("GET", "/ct/2/ct/v1/get-sth", 404),
        ("GET", "/ct/0", 404),
        ("GET", "/ct/0/ct/v1/nothing", 404),
        ("GET", "/ct/0/ct/v1/add-chain", 405),
        ("POST", "/ct/0/ct/v1/get-sth", 405),
        ("GET", "/ct/0/ct/v1/get-entries", 400),
        ("GET", "/ct/0/ct/v1/get-entries?start=0&end=0", 400),
        ("GET", "/ct/0/ct/v1/get-entries?start=-1&end=x", 400),
        ("GET", "/ct/0/ct/v1/get-sth-consistency?first=0&second=0", 400),
        ("GET", "/ct/0/ct/v1/get-proof-by-hash?hash=x&tree_size=1", 400),
        ("GET", f"/ct/0/ct/v1/get-proof-by-hash?hash={'A' * 43}%3D&tree_size=1", 400),
        ("GET", "/ct/0/ct/v1/get-entry-and-proof?leaf_index=0&tree_size=1", 400),
        ("POST", "/ct/0/ct/v1/add-chain", 400),
    ],
)
def test_what_is_not_there_is_said_so(ca: CaInProcess, method: str, path: str, status: int) -> None:
    answer = ca.ask(ca.pki, method, path)
    assert answer.status == status
    assert answer.json["error"]


def test_a_fault_at_the_pki_side_acts(ca: CaInProcess) -> None:
    assert ca.manage("POST", "/faults", {"match": {"endpoint": "crl"}, "action": "maintenance"}).status == 200
    assert get(ca, "/issuers/0.cer").status == 200
    answer = get(ca, "/crl/0.crl")
    assert (answer.status, answer.headers["retry-after"]) == (503, "21600")
    assert get(ca, "/crl/0.crl").status == 200


def test_a_crl_can_say_something_else_than_the_truth(ca: CaInProcess) -> None:
    pki, now = ca.ca.pki, ca.ca.now()
    _, key_id, secret = ca.subscriber()
    Client(ca, (key_id, secret)).issue("example.jp")
    (certificate,) = ca.ca.book.certificates.values()

    def said(word: str) -> x509.CertificateRevocationList:
        fault = {"match": {"endpoint": "crl"}, "action": {"says": word}}
        assert ca.manage("POST", "/faults", fault).status == 200
        found = x509.load_der_x509_crl(get(ca, "/crl/0.crl").body)
        assert found.issuer == pki.intermediates[int(word == "other-issuer")].subject
        return found

    mine, other = (pki.intermediates[index].key.public_key() for index in (0, 1))
    for word in ("revoked", "forged", "other-issuer"):
        crl = said(word)
        assert [entry.serial_number for entry in crl] == [certificate.serial]
        assert crl.is_signature_valid(mine) == (word == "revoked")
        assert crl.is_signature_valid(other) == (word == "other-issuer")
    ca.ca.book.revoke(certificate, 1, now)
    assert not list(said("empty"))
    stale, future = said("stale"), said("future")
    assert stale.next_update_utc is not None
    assert stale.next_update_utc < now < future.last_update_utc
    assert len(list(stale)) == len(list(x509.load_der_x509_crl(get(ca, "/crl/0.crl").body))) == 1


# the logs


LOG = "/ct/1/ct/v1"


def submitted(ca: CaInProcess, message: str, *chain: bytes) -> Answer:
    body = json.dumps({"chain": [base64.b64encode(each).decode() for each in chain]}).encode()
    return ca.ask(ca.pki, "POST", f"{LOG}/{message}", body)


def test_logs_take_what_leads_to_their_roots(ca: CaInProcess) -> None:
    pki = ca.ca.pki
    certificate = issue(pki, now=ca.ca.now())
    intermediate, root = pki.intermediates[0].der, pki.roots[0].der
    extra = pki.logs[1].extra_data(0)
    precertificate = extra[3 : 3 + int.from_bytes(extra[:3], "big")]

    known = submitted(ca, "add-pre-chain", precertificate, intermediate)
    assert known.status == 200, known
    embedded = loaded(certificate).extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps)
    (mine,) = [sct for sct in embedded.value if sct.log_id == base64.b64decode(known.json["id"])]
    at = mine.timestamp.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    assert known.json["timestamp"] == at // timedelta(milliseconds=1)
    assert len(pki.logs[1].tree) == 1

    for chain in ([certificate.der, intermediate], [certificate.der, intermediate, root]):
        assert submitted(ca, "add-chain", *chain).json["sct_version"] == 0
    cross = pki.intermediates[0].under(1).public_bytes(DER)
    assert submitted(ca, "add-chain", cross).status == 200
    assert len(pki.logs[1].tree) == 3
    entries = get(ca, f"{LOG}/get-entries", start=0, end=1000).json["entries"]
    assert len(entries) == 3
    assert base64.b64decode(entries[1]["leaf_input"])[15:-2] == certificate.der
    whole = base64.b64decode(entries[1]["extra_data"])
    assert whole.endswith(root)
    assert intermediate in whole

    roots = get(ca, f"{LOG}/get-roots").json["certificates"]
    assert [base64.b64decode(each) for each in roots] == [each.der for each in pki.roots]
    both = get(ca, f"{LOG}/get-entry-and-proof", leaf_index=1, tree_size=3).json
    assert both["leaf_input"] == entries[1]["leaf_input"]
    assert len(both["audit_path"]) == 2
    assert len(get(ca, f"{LOG}/get-sth-consistency", first=1, second=3).json["consistency"]) == 2


def test_logs_refuse_everything_else(ca: CaInProcess) -> None:
    pki = ca.ca.pki
    certificate = issue(pki)
    intermediate, root = pki.intermediates[0].der, pki.roots[0].der
    extra = pki.logs[1].extra_data(0)
    precertificate = extra[3 : 3 + int.from_bytes(extra[:3], "big")]
    stranger = CertificateAuthority.root("Stranger")
    for message, chain in (
        ("add-chain", [certificate.der]),
        ("add-chain", [certificate.der, root]),
        ("add-chain", [precertificate, intermediate]),
        ("add-pre-chain", [certificate.der, intermediate]),
        ("add-chain", [root]),
        ("add-chain", [stranger.der]),
        ("add-chain", [intermediate, certificate.der]),
        ("add-chain", [certificate.der, certificate.der]),
        ("add-chain", [b"\x30\x00"]),
        ("add-chain", [intermediate] + [root] * 11),
        ("add-chain", []),
    ):
        refused = submitted(ca, message, *chain)
        assert refused.status == 400, (message, len(chain))
    for body in (b"", b"[]", b'{"chain": 1}', b'{"chain": ["%"]}', b"\xff", b'{"chain": [1]}', b"[" * 50_000):
        assert ca.ask(ca.pki, "POST", f"{LOG}/add-chain", body).status == 400
    assert len(pki.logs[1].tree) == 1


PLACES = ("", "/issuers/0.cer", "/crl/0.crl", "/ocsp/0", "/ocsp/0/", "/ct/logs.json", "/ct/0/ct/v1/")
MESSAGES = ("get-entries?", "get-proof-by-hash?hash=", "get-sth-consistency?first=1&second=", "get-roots", "add-chain")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.sampled_from(("GET", "HEAD", "POST", "DELETE")),
    st.sampled_from((*PLACES, *(PLACES[-1] + each for each in MESSAGES))),
    st.text(max_size=40) | st.text("0123456789&=/%startendtree_size+", max_size=40),
    st.binary(max_size=60) | st.builds(json.dumps, st.recursive(st.none() | st.text(), st.lists)).map(str.encode),
)
def test_whatever_the_pki_side_is_asked_it_answers(
    ca: CaInProcess, method: str, place: str, rest: str, body: bytes
) -> None:
    headers = [("content-type", "application/ocsp-request")]
    answer = ca.ask(ca.pki, method, (place + rest).encode("utf-8", "replace").decode(), body, headers)
    assert answer.status in {200, 400, 404, 405, 415}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.integers(0, 5000), st.integers(1, 255), st.booleans())
def test_a_log_takes_no_certificate_with_a_bit_turned(ca: CaInProcess, at: int, bits: int, of_leaf: bool) -> None:
    pki = ca.ca.pki
    known = vars(ca).setdefault("submitted", issue(pki).der)
    chain = [bytearray(known), bytearray(pki.intermediates[0].der)]
    changed = chain[0 if of_leaf else 1]
    changed[at % len(changed)] ^= bits
    assert submitted(ca, "add-chain", *map(bytes, chain)).status == 400


def test_the_list_of_logs_names_two_operators(ca: CaInProcess) -> None:
    document = get(ca, "/ct/logs.json").json
    assert len({operator["name"] for operator in document["operators"]}) == 2
    for operator, log in zip(document["operators"], ca.ca.pki.logs, strict=True):
        (shown,) = operator["logs"]
        assert base64.b64decode(shown["log_id"]) == hashlib.sha256(base64.b64decode(shown["key"])).digest()
        assert base64.b64decode(shown["log_id"]) == log.log_id
        assert shown["url"].startswith(ca.ca.pki.base)


def test_a_certificate_promised_is_signed_by_its_issuer_and_the_digest_is_sha256(pki: Pki) -> None:
    certificate = loaded(issue(pki))
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA256)
    certificate.verify_directly_issued_by(pki.intermediates[0].certificate)
