"""Signatures as RFC 7515 has them, made step by step, so that a probe can do any step wrongly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

_CURVES: Mapping[str, tuple[str, str, int, type[hashes.HashAlgorithm]]] = {
    "secp256r1": ("P-256", "ES256", 32, hashes.SHA256),
    "secp384r1": ("P-384", "ES384", 48, hashes.SHA384),
    "secp521r1": ("P-521", "ES512", 66, hashes.SHA512),
}


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text: str) -> bytes:
    """The octets of base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value: object) -> bytes:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair that signs requests."""

    private: PrivateKey

    @classmethod
    def fresh(cls) -> Key:
        """A new one on P-256."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def algorithm(self) -> str:
        """The `alg` that goes with it."""
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return _CURVES[self.private.curve.name][1]
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "EdDSA"

    @property
    def jwk(self) -> dict[str, str]:
        """The public half."""
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            crv, _, size, _ = _CURVES[self.private.curve.name]
            point = self.private.public_key().public_numbers()
            return {"kty": "EC", "crv": crv, "x": b64(point.x.to_bytes(size)), "y": b64(point.y.to_bytes(size))}
        if isinstance(self.private, rsa.RSAPrivateKey):
            numbers = self.private.public_key().public_numbers()
            n, e = (b64(number.to_bytes((number.bit_length() + 7) // 8)) for number in (numbers.n, numbers.e))
            return {"kty": "RSA", "n": n, "e": e}
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(self.private.public_key().public_bytes_raw())}

    @property
    def thumbprint(self) -> str:
        """RFC 7638."""
        text = json.dumps(self.jwk, sort_keys=True, separators=(",", ":"))
        return b64(hashlib.sha256(text.encode()).digest())

    def sign(self, data: bytes) -> bytes:
        """The signature as RFC 7518 writes it."""
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            _, _, size, digest = _CURVES[self.private.curve.name]
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest())))
            return r.to_bytes(size) + s.to_bytes(size)
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(data)

    def sign_der(self, data: bytes) -> bytes:
        """An ECDSA signature as X.509 writes it, which is not how RFC 7518 does."""
        if not isinstance(self.private, ec.EllipticCurvePrivateKey):
            raise TypeError("only ECDSA has two ways to write a signature")
        return self.private.sign(data, ec.ECDSA(_CURVES[self.private.curve.name][3]()))


Members = dict[str, Any]


def signed(key: Key, header: Mapping[str, Any] | bytes, payload: bytes) -> Members:
    """A flattened JWS; a `header` of octets is taken as it is."""
    protected = b64(header if isinstance(header, bytes) else compact(header))
    content = b64(payload)
    signature = key.sign(f"{protected}.{content}".encode("ascii"))
    return {"protected": protected, "payload": content, "signature": b64(signature)}


def maced(secret: bytes, header: Mapping[str, Any], payload: bytes, digest: str = "sha256") -> Members:
    """A flattened JWS with a MAC, as an external account binding has."""
    protected, content = b64(compact(header)), b64(payload)
    mac = hmac.new(secret, f"{protected}.{content}".encode("ascii"), digest).digest()
    return {"protected": protected, "payload": content, "signature": b64(mac)}
