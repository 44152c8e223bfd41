"""FAULTS G: a certificate that is not the one ordered is not kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from jprs_client.ca.verify import Verified, read_chain, verify_chain
from jprs_client.errors import BadAnswer
from tests.ca.chains import INTERMEDIATE, NOW, ROOT, SPKI, Chain, Issuer, issuer, made_chain, rsa_1024


def verified(chain: Chain | Sequence[bytes], *, names: str = "example.jp", scts: bool = False) -> Verified:
    der = chain.der if isinstance(chain, Chain) else chain
    return verify_chain(der, key_spki_sha256=SPKI, names=frozenset(names.split()), now=NOW, require_scts=scts)


def refused(chain: Chain | Sequence[bytes], *, names: str = "example.jp", scts: bool = False) -> BadAnswer:
    with pytest.raises(BadAnswer) as caught:
        verified(chain, names=names, scts=scts)
    return caught.value


def test_what_was_ordered_is_kept_encoded_anew_with_all_that_is_worth_knowing() -> None:
    chain = made_chain(["example.jp", "www.example.jp"], serial=0xABC)
    kept = verified(chain, names="example.jp www.example.jp")
    assert kept.cert_pem == chain.leaf.public_bytes(serialization.Encoding.PEM)
    assert kept.chain_pem == INTERMEDIATE.certificate.public_bytes(serialization.Encoding.PEM)
    assert kept.fullchain_pem == kept.cert_pem + kept.chain_pem
    assert (kept.serial, kept.names, kept.spki_sha256) == ("abc", ("example.jp", "www.example.jp"), SPKI)
    assert kept.fingerprint == chain.leaf.fingerprint(hashes.SHA256()).hex()
    assert (kept.not_before, kept.not_after) == (NOW - timedelta(hours=1), NOW + timedelta(days=90, hours=-1))
    assert kept.issuer == "CN=Test intermediate"
    assert kept.ari_id is not None
    assert kept.ari_id.endswith(".Crw")
    assert [code for code, _ in kept.warnings] == ["certificate-without-scts"]


def test_94_a_certificate_for_another_key_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    assert refused(made_chain(public_key=other.public_key())).code == "certificate-other-key"


@pytest.mark.parametrize(
    ("found", "missing", "extra"),
    [
        (["example.jp", "evil.jp"], None, "evil.jp"),
        (["www.example.jp"], "example.jp", "www.example.jp"),
        (["*.example.jp"], "example.jp", "*.example.jp"),
    ],
)
def test_95_names_are_exactly_the_ordered_ones(found: list[str], missing: str | None, extra: str | None) -> None:
    error = refused(made_chain(found))
    assert error.code == "certificate-other-names"
    assert (error.params["missing"], error.params["extra"]) == (missing, extra)


def test_95_a_common_name_is_no_name() -> None:
    assert refused(made_chain(san=[], common_name="example.jp")).params["missing"] == "example.jp"


def test_95_an_address_among_the_names_was_not_ordered() -> None:
    entries = [x509.DNSName("example.jp"), x509.IPAddress(IPv4Address("192.0.2.1"))]
    assert "192.0.2.1" in str(refused(made_chain(san=entries)).params["extra"])


def test_names_are_compared_in_lower_case() -> None:
    assert verified(made_chain(["EXAMPLE.jp"])).names == ("example.jp",)


@pytest.mark.parametrize(
    ("start", "lifetime", "code"),
    [
        (timedelta(days=-90), timedelta(days=90), "certificate-expired"),
        (timedelta(minutes=6), timedelta(days=90), "clock-skew"),
        (timedelta(0), timedelta(seconds=1), "certificate-lifetime"),
        (timedelta(0), timedelta(days=3650), "certificate-lifetime"),
    ],
)
def test_96_absurd_dates_are_refused(start: timedelta, lifetime: timedelta, code: str) -> None:
    assert refused(made_chain(not_before=NOW + start, lifetime=lifetime)).code == code


def test_96_a_clock_that_is_five_minutes_behind_is_no_obstacle() -> None:
    assert verified(made_chain(not_before=NOW + timedelta(minutes=5))).not_before > NOW
    assert refused(made_chain(not_before=NOW + timedelta(minutes=10))).params["seconds"] == 600


def test_98_chain_in_any_order_with_duplicates_and_root_is_put_right() -> None:
    middle = issuer("Middle", INTERMEDIATE)
    leaf, *above = made_chain(by=middle, above=(ROOT, INTERMEDIATE, middle, INTERMEDIATE)).der
    kept = verified([*above, leaf, leaf])
    both = [middle.certificate, INTERMEDIATE.certificate]
    assert kept.chain_pem == b"".join(c.public_bytes(serialization.Encoding.PEM) for c in both)
    assert "chain-reordered" in [code for code, _ in kept.warnings]


def test_98_a_certificate_that_belongs_to_no_place_is_refused() -> None:
    for stranger in (issuer("Stranger"), issuer("Test intermediate", ROOT), issuer("Other", ROOT)):
        assert refused(made_chain(above=(INTERMEDIATE, stranger))).code == "chain-foreign"


def test_98_an_issuer_with_the_right_name_and_the_wrong_key_is_refused() -> None:
    assert refused(made_chain(above=(issuer("Test intermediate", ROOT),))).code == "chain-foreign"


def test_98_a_missing_intermediate_in_the_middle_is_refused() -> None:
    assert refused(made_chain(above=(ROOT,))).code == "chain-foreign"


def test_98_two_certificates_for_our_key_are_one_too_many() -> None:
    chain = made_chain()
    assert refused([*chain.der, made_chain().der[0]]).code == "chain-foreign"


def test_a_leaf_alone_is_kept_where_the_ca_is_private_and_refused_where_it_is_public() -> None:
    """BR 6.1.7: a public CA never signs a subscriber's certificate with its root."""
    alone = made_chain(by=ROOT, above=())
    assert "chain-alone" in [code for code, _ in verified(alone).warnings]
    assert verified(alone).chain_pem == b""
    assert refused(alone, scts=True).code == "chain-incomplete"


def test_a_leaf_signed_by_the_root_that_comes_along_is_whole() -> None:
    kept = verified(made_chain(by=ROOT))
    assert (kept.chain_pem, "chain-alone" in dict(kept.warnings)) == (b"", False)


def test_an_issuer_that_may_not_issue_or_is_over_is_refused() -> None:
    no_ca = issuer("No CA", ROOT, ca=False)
    assert refused(made_chain(by=no_ca)).code == "chain-issuer-no-ca"
    over = issuer("Over", ROOT, not_after=NOW - timedelta(days=1))
    assert refused(made_chain(by=over)).code == "chain-issuer-expired"


def test_an_issuer_whose_key_usage_does_not_sign_certificates_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    certificate = made_chain(
        san=[], by=ROOT, ca=True, public_key=key.public_key(), common_name="Signs nothing",
        change=lambda builder: builder.add_extension(usage, critical=True),
    ).leaf  # fmt: skip
    assert refused(made_chain(by=Issuer(certificate, key))).code == "chain-issuer-no-ca"


def test_a_cross_signed_root_is_followed_and_its_self_signed_twin_dropped() -> None:
    old = issuer("Old root")
    crossed = issuer("Test root", old, key=ROOT.key)
    kept = verified(made_chain(above=(INTERMEDIATE, ROOT, crossed)))
    both = [INTERMEDIATE.certificate, crossed.certificate]
    assert kept.chain_pem == b"".join(c.public_bytes(serialization.Encoding.PEM) for c in both)


def test_100_a_certificate_that_can_issue_others_is_refused() -> None:
    assert refused(made_chain(ca=True)).code == "certificate-is-ca"
    usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
    assert refused(made_chain(change=lambda b: b.add_extension(usage, critical=True))).code == "certificate-is-ca"


def test_100_without_server_auth_it_is_refused() -> None:
    assert refused(made_chain(usages=None)).code == "certificate-not-for-servers"
    assert refused(made_chain(usages=[ExtendedKeyUsageOID.CLIENT_AUTH])).code == "certificate-not-for-servers"
    any_usage = [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]
    assert refused(made_chain(usages=any_usage)).code == "certificate-not-for-servers"
    usage = x509.KeyUsage(False, True, False, False, False, False, False, False, False)
    code = refused(made_chain(change=lambda b: b.add_extension(usage, critical=True))).code
    assert code == "certificate-not-for-servers"


def test_client_auth_beside_server_auth_is_no_reason_to_refuse() -> None:
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    assert verified(made_chain(usages=both)).names == ("example.jp",)


def test_100_small_keys_in_the_chain_are_refused() -> None:
    weak = issuer("Weak", ROOT, key=rsa_1024())
    error = refused(made_chain(by=weak))
    assert (error.code, error.params["algorithm"]) == ("certificate-weak", "RSA 1024")
    small = issuer("Small", ROOT, key=ec.generate_private_key(ec.SECP224R1()))
    assert refused(made_chain(by=small)).code == "certificate-weak"


def test_100_sha1_is_refused_in_leaf_and_intermediate() -> None:
    sha1 = _with_sha1(made_chain().leaf)
    assert refused([sha1, *made_chain().der[1:]]).code == "certificate-weak"


def _with_sha1(certificate: x509.Certificate) -> bytes:
    """The certificate claiming ecdsa-with-SHA1 instead of -SHA256, in both places; the library signs none."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    sha256, sha1 = bytes.fromhex("300a06082a8648ce3d040302"), bytes.fromhex("300906072a8648ce3d0401")
    tbs, signature = certificate.tbs_certificate_bytes, certificate.signature
    new_tbs = _sequence(_inside(tbs).replace(sha256, sha1, 1))
    assert sha256 in der
    bits = b"\x00" + signature
    return _sequence(new_tbs + sha1 + b"\x03" + _length(len(bits)) + bits)


def _inside(der: bytes) -> bytes:
    return der[2 + (der[1] & 0x7F) :] if der[1] & 0x80 else der[2:]


def _length(length: int) -> bytes:
    if length < 0x80:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def _sequence(content: bytes) -> bytes:
    return b"\x30" + _length(len(content)) + content


def test_100_without_scts_a_public_certificate_is_refused() -> None:
    assert refused(made_chain(), scts=True).code == "certificate-without-scts"


def test_a_certificate_with_scts_is_counted() -> None:
    """An SCT list as RFC 6962 §3.3 has it, with one entry."""
    sct = b"\x00" + b"L" * 32 + (1_795_000_000_000).to_bytes(8, "big") + b"\x00\x00" + b"\x04\x03" + b"\x00\x04abcd"
    entry = len(sct).to_bytes(2, "big") + sct
    octets = len(entry).to_bytes(2, "big") + entry
    value = b"\x04" + _length(len(octets)) + octets
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), value)
    kept = verified(made_chain(change=lambda b: b.add_extension(extension, critical=False)), scts=True)
    assert (kept.sct_count, kept.warnings) == (1, ())


def test_100_must_staple_that_nobody_ordered_is_told() -> None:
    feature = x509.TLSFeature([x509.TLSFeatureType.status_request])
    kept = verified(made_chain(change=lambda b: b.add_extension(feature, critical=False)))
    assert "certificate-must-staple" in dict(kept.warnings)


def test_a_precertificate_is_no_certificate() -> None:
    poisoned = made_chain(change=lambda b: b.add_extension(x509.PrecertPoison(), critical=True))
    assert refused(poisoned).code == "certificate-critical-extension"


def test_unreadable_bytes_are_refused() -> None:
    assert refused([]).code == "chain-empty"
    for der in (b"", b"\x30\x00", b"x" * 100, made_chain().der[0][:-1], made_chain().der[0] + b"\x00"):
        assert refused([der]).code == "certificate-unreadable"


def test_what_is_kept_can_be_read_again_though_its_time_is_over() -> None:
    chain = made_chain(not_before=NOW - timedelta(days=200), lifetime=timedelta(days=90), serial=0x0FE)
    pem = [c.public_bytes(serialization.Encoding.PEM) for c in chain.sent]
    read = read_chain(pem[0], pem[1])
    assert (read.serial, read.names, read.spki_sha256) == ("fe", ("example.jp",), SPKI)
    assert (read.cert_pem, read.chain_pem) == (pem[0], pem[1])
    assert read_chain(pem[0], b"").chain_pem == b""


def test_texts_of_a_certificate_are_made_harmless() -> None:
    evil = issuer("Evil\x1b]0;x\x07\u202e CA", ROOT)
    assert "\x1b" not in verified(made_chain(by=evil)).issuer
