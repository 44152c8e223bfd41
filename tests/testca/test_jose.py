"""JSON Web Signatures are read strictly (RFC 7515, 7517, 7638; RFC 8555 §6.2)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import josepy
import josepy.jwk as josepy_jwk
import josepy.util as josepy_util
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from jprs_client.testca import jose
from jprs_client.testca.jose import BadAlgorithmError, BadKeyError, BadSignatureError, JoseError, Jwk, Jws
from tests.testca.in_process import AccountKey, b64, dumps, mac_jws

RSA_KEY = rsa.generate_private_key(65537, 2048)


def rsa_jwk(key: rsa.RSAPrivateKey = RSA_KEY) -> dict[str, Any]:
    document = josepy_jwk.JWKRSA(key=josepy_util.ComparableRSAKey(key.public_key())).to_json()
    assert isinstance(document, dict)
    return {**document, "kty": "RSA"}


def test_a_thumbprint_is_that_of_rfc_7638() -> None:
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn"
        "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6"
        "qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8aw"
        "apJzKnqDKgw"
    )
    jwk = Jwk.parse({"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})
    assert jwk.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize("text", ["YQ==", "YQ=", "Y", "YR", "+/8", "Y Q", "YQ\n", "ＹＱ", None, 7])
def test_base64url_has_no_padding_and_no_stray_bits(text: object) -> None:
    with pytest.raises(JoseError):
        jose.decode(text)


@pytest.mark.parametrize("length", range(40))
def test_what_is_encoded_decodes(length: int) -> None:
    data = hashlib.shake_128(bytes([length])).digest(length)
    assert jose.decode(jose.encode(data)) == data


@pytest.mark.parametrize(
    "text", [b'{"a":1,"a":2}', b"{", b"\xff", b'{"a":NaN}', b"[" * 100_000, b"1" * 5000, b'"' + b"\x00" + b'"']
)
def test_json_is_one_value_without_duplicates(text: bytes) -> None:
    with pytest.raises(JoseError):
        jose.parse_object(text, "it")


@pytest.mark.parametrize(
    ("algorithm", "curve", "digest"),
    [
        ("ES256", ec.SECP256R1(), hashes.SHA256()),
        ("ES384", ec.SECP384R1(), hashes.SHA384()),
        ("ES512", ec.SECP521R1(), hashes.SHA512()),
    ],
)
def test_what_josepy_signs_with_an_elliptic_curve_holds(
    algorithm: str, curve: ec.EllipticCurve, digest: hashes.HashAlgorithm
) -> None:
    key = ec.generate_private_key(curve)
    size = (curve.key_size + 7) // 8
    numbers = key.public_key().public_numbers()
    jwk = {
        "kty": "EC",
        "crv": f"P-{curve.key_size}",
        "x": b64(numbers.x.to_bytes(size, "big")),
        "y": b64(numbers.y.to_bytes(size, "big")),
    }
    signing_input = f"{dumps({'alg': algorithm})}.{b64('hello')}"
    signature = getattr(josepy, algorithm).sign(key, signing_input.encode())
    protected, payload = signing_input.split(".")
    jws = Jws.from_members({"protected": protected, "payload": payload, "signature": b64(signature)})
    jws.verify(Jwk.parse(jwk))
    assert jws.payload == b"hello"
    assert Jwk.parse(jwk).thumbprint == b64(
        josepy_jwk.JWKEC(key=josepy_util.ComparableECKey(key.public_key())).thumbprint()
    )


def test_what_rsa_and_ed25519_sign_holds() -> None:
    for algorithm, jwk, sign in (
        ("RS256", rsa_jwk(), lambda text: RSA_KEY.sign(text, padding.PKCS1v15(), hashes.SHA256())),
        ("EdDSA", ed25519_jwk(), ED25519_KEY.sign),
    ):
        protected = dumps({"alg": algorithm})
        signature = b64(sign(f"{protected}.".encode()))
        jws = Jws.from_members({"protected": protected, "payload": "", "signature": signature})
        jws.verify(Jwk.parse(jwk))
        with pytest.raises(BadSignatureError):
            Jws.from_members({"protected": protected, "payload": "YQ", "signature": signature}).verify(Jwk.parse(jwk))


ED25519_KEY = ed25519.Ed25519PrivateKey.generate()


def ed25519_jwk() -> dict[str, Any]:
    return {"kty": "OKP", "crv": "Ed25519", "x": b64(ED25519_KEY.public_key().public_bytes_raw())}


def test_an_algorithm_goes_with_its_key() -> None:
    key = AccountKey()
    for algorithm in ("RS256", "ES384", "EdDSA", "none", "HS256", "PS256", ""):
        jws = Jws.from_members(key.jws({"alg": algorithm}, {}))
        with pytest.raises(BadAlgorithmError):
            jws.verify(Jwk.parse(key.jwk))
    with pytest.raises(BadAlgorithmError):
        Jws.from_members(key.jws({"alg": "ES256"}, {})).verify(Jwk.parse(rsa_jwk()))


def test_a_der_signature_is_none() -> None:
    key = AccountKey()
    members = key.jws({"alg": "ES256"}, {})
    text = f"{members['protected']}.{members['payload']}".encode()
    members["signature"] = b64(key.key.sign(text, ec.ECDSA(hashes.SHA256())))
    with pytest.raises(BadSignatureError, match="64 octets"):
        Jws.from_members(members).verify(Jwk.parse(key.jwk))


@pytest.mark.parametrize(
    "change",
    [
        {"header": {"kid": "x"}},
        {"signatures": []},
        {"signature": None},
        {"payload": 3},
        {"protected": "e30="},
        {"protected": dumps([])},
        {"protected": dumps({"alg": "ES256", "crit": ["exp"]})},
        {"protected": dumps({"alg": "ES256", "b64": False})},
        {"protected": b64('{"alg":"ES256","alg":"ES256"}')},
    ],
)
def test_only_the_flattened_form_without_extras_is_read(change: dict[str, Any]) -> None:
    members: dict[str, Any] = {**AccountKey().jws({"alg": "ES256"}, {}), **change}
    with pytest.raises(JoseError):
        Jws.parse(json.dumps(members).encode())
    with pytest.raises(JoseError):
        Jws.from_members([members])


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "oct"},
        {"kty": None},
        {"crv": "P-192"},
        {"crv": "secp256k1"},
        {"x": b64(b"\0" * 32), "y": b64(b"\0" * 31 + b"\1")},
        {"x": b64(b"\1" * 31)},
        {"x": "%%%"},
        {"d": b64(b"\1" * 32)},
    ],
)
def test_a_bad_elliptic_key_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(JoseError):
        Jwk.parse({**AccountKey().jwk, **change})


def test_a_bad_rsa_key_is_refused() -> None:
    good = rsa_jwk()
    modulus = RSA_KEY.public_key().public_numbers().n
    small = b64((modulus >> 1024).to_bytes(128, "big"))
    for change in (
        {"n": small},
        {"n": b64(b"\0" + modulus.to_bytes(256, "big"))},
        {"n": ""},
        {"e": b64(b"\1")},
        {"e": b64(b"\2")},
        {"n": b64((modulus - 1).to_bytes(256, "big"))},
        {"e": b64(b"\xff" * 300)},
    ):
        with pytest.raises(BadKeyError):
            Jwk.parse({**good, **change})
    with pytest.raises(JoseError):
        Jwk.parse("a text")


def test_an_ed25519_key_has_32_octets_and_its_curve() -> None:
    for change in ({"x": b64(b"\1" * 31)}, {"crv": "X25519"}):
        with pytest.raises(BadKeyError):
            Jwk.parse({**ed25519_jwk(), **change})


def test_a_mac_holds_for_its_secret_alone() -> None:
    secret = b"s" * 32
    for algorithm, digest in (("HS256", hashlib.sha256), ("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
        jws = Jws.from_members(mac_jws(secret, {"alg": algorithm}, {"a": 1}, digest))
        jws.verify_mac(secret)
        with pytest.raises(BadSignatureError):
            jws.verify_mac(b"t" * 32)
    with pytest.raises(BadAlgorithmError):
        Jws.from_members(mac_jws(secret, {"alg": "ES256"}, {})).verify_mac(secret)
