"""JSON Web Signatures as ACME uses them (RFC 7515, 7517, 7518, 7638, 8037; RFC 8555 §6.2), read strictly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

#: Objects and lists within each other; nothing that is asked of a CA has more than a handful.
_DEEPEST = 64
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
_JWS_MEMBERS = frozenset({"protected", "payload", "signature"})
#: RFC 7518 §6.2.2, §6.3.2, §6.4: what no public key has.
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_CURVES: Mapping[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}
#: Algorithm → curve and hash.
_ECDSA: Mapping[str, tuple[str, hashes.HashAlgorithm]] = {
    "ES256": ("P-256", hashes.SHA256()),
    "ES384": ("P-384", hashes.SHA384()),
    "ES512": ("P-521", hashes.SHA512()),
}
_HMAC: Mapping[str, Callable[[], Any]] = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
SIGNATURE_ALGORITHMS: Final = ("RS256", "ES256", "ES384", "ES512", "EdDSA")
MAC_ALGORITHMS: Final = tuple(_HMAC)


class JoseError(Exception):
    """It is not what it should be; the text says why."""


class BadAlgorithmError(JoseError):
    """An algorithm that is not taken."""


class UnfitKeyError(BadAlgorithmError):
    """An algorithm that is taken, and a key that it does not go with."""


class BadKeyError(JoseError):
    """A key that is not taken."""


class BadSignatureError(JoseError):
    """The signature is not that of this key over this text."""


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: object) -> bytes:
    """What base64url `text` says; padding, other alphabets and stray bits are refused. Raises JoseError."""
    if not isinstance(text, str) or not _BASE64URL.match(text) or len(text) % 4 == 1:
        raise JoseError("not base64url without padding")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise JoseError("base64url with stray bits at its end")
    return data


def parse_json(data: bytes) -> Any:
    """The JSON text `data`; duplicate members, NaN and what is not UTF-8 are refused. Raises JoseError."""
    try:
        return read_json(data.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constants)
    except ValueError as error:
        raise JoseError(f"not JSON: {type(error).__name__}") from error


def read_json(text: str, **hooks: Any) -> Any:
    r"""What `text` says, when it can be said again, whole or in part. Raises ValueError.

    Half of a surrogate pair (`\ud800`; RFC 8259 §8.2) has no UTF-8, and what is nested deeply ends the stack of whoever
    shows it.
    """
    try:
        value = json.loads(text, **hooks)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if text.count("[") + text.count("{") > _DEEPEST and not _is_shallow(value):
        raise ValueError("nested too deeply")
    if "\\u" in text:  # only what is escaped can be half a pair
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return False


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _no_constants(name: str) -> Any:
    raise ValueError(name)


def parse_object(data: bytes, what: str) -> dict[str, Any]:
    """The JSON object `data`. Raises JoseError."""
    value = parse_json(data)
    if not isinstance(value, dict):
        raise JoseError(f"{what} is not a JSON object")
    return value


@dataclass(frozen=True, slots=True)
class Jwk:
    """A public key, with the fingerprint that names it (RFC 7638)."""

    key: PublicKey
    members: Mapping[str, str]
    thumbprint: str

    @property
    def spki(self) -> bytes:
        """The key as a SubjectPublicKeyInfo: equal for equal keys, whoever wrote them."""
        return self.key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def parse(cls, value: object) -> Jwk:
        """The public key that a JWK's members describe. Raises JoseError, BadKeyError."""
        if not isinstance(value, dict):
            raise JoseError("jwk is not a JSON object")
        if not _PRIVATE.isdisjoint(value):
            raise BadKeyError("jwk holds a private or symmetric key")
        read = _KEY_TYPES.get(str(value.get("kty")))
        if read is None:
            raise BadKeyError(f"key type {value.get('kty')!r:.40} is not supported")
        try:
            key, required = read(value)
        except BadKeyError:
            raise
        except JoseError as error:
            raise BadKeyError(f"{value['kty']} key: a member is {error}") from error
        members = {"kty": str(value["kty"]), **required}
        text = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
        return cls(key, members, encode(hashlib.sha256(text).digest()))


def _rsa_key(value: Mapping[str, Any]) -> tuple[PublicKey, dict[str, str]]:
    numbers = {}
    for member in ("n", "e"):
        raw = decode(value.get(member))
        if not raw or raw[0] == 0:
            raise BadKeyError(f"RSA member {member} is empty or begins with a zero octet (RFC 7518 §6.3.1)")
        numbers[member] = int.from_bytes(raw, "big")
    bits = numbers["n"].bit_length()
    if not 2048 <= bits <= 8192:
        raise BadKeyError(f"RSA keys have 2048 to 8192 bits here, not {bits}")
    if numbers["e"] % 2 == 0 or not 65537 <= numbers["e"] < 1 << 32 or numbers["n"] % 2 == 0:
        raise BadKeyError("an RSA modulus or exponent that no good key has")
    try:
        key = rsa.RSAPublicNumbers(numbers["e"], numbers["n"]).public_key()
    except ValueError as error:
        raise BadKeyError("not an RSA key") from error
    return key, {"n": value["n"], "e": value["e"]}


def _ec_key(value: Mapping[str, Any]) -> tuple[PublicKey, dict[str, str]]:
    known = _CURVES.get(crv) if isinstance(crv := value.get("crv"), str) else None
    if known is None:
        raise BadKeyError(f"curve {crv!r:.40} is not supported")
    curve, size = known
    x, y = decode(value.get("x")), decode(value.get("y"))
    if len(x) != size or len(y) != size:
        raise BadKeyError(f"coordinates on {value['crv']} have {size} octets (RFC 7518 §6.2.1)")
    try:
        key = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve).public_key()
    except ValueError as error:
        raise BadKeyError("not a point on the curve") from error
    return key, {"crv": value["crv"], "x": value["x"], "y": value["y"]}


def _okp_key(value: Mapping[str, Any]) -> tuple[PublicKey, dict[str, str]]:
    if value.get("crv") != "Ed25519":
        raise BadKeyError(f"curve {value.get('crv')!r:.40} is not supported")
    x = decode(value.get("x"))
    if len(x) != 32:
        raise BadKeyError("an Ed25519 key has 32 octets")
    return ed25519.Ed25519PublicKey.from_public_bytes(x), {"crv": "Ed25519", "x": value["x"]}


_KEY_TYPES: Mapping[str, Callable[[Mapping[str, Any]], tuple[PublicKey, dict[str, str]]]] = {
    "RSA": _rsa_key,
    "EC": _ec_key,
    "OKP": _okp_key,
}


@dataclass(frozen=True, slots=True)
class Jws:
    """A flattened JWS whose signature nobody has looked at yet."""

    header: Mapping[str, Any]
    payload: bytes
    signature: bytes
    signing_input: bytes

    @classmethod
    def parse(cls, data: bytes) -> Jws:
        """From the text of a request. Raises JoseError."""
        return cls.from_members(parse_object(data, "the JWS"))

    @classmethod
    def from_members(cls, members: object) -> Jws:
        """From a decoded JSON value. Raises JoseError.

        RFC 8555 §6.2: flattened serialization only, no unprotected header, no unencoded payload. Members that nobody
        knows are ignored (RFC 7515 §7.2.1).
        """
        if not isinstance(members, dict):
            raise JoseError("the JWS is not a JSON object")
        if not _JWS_MEMBERS.issubset(members):
            raise JoseError("a flattened JWS has the members protected, payload and signature")
        if "header" in members or "signatures" in members:
            raise JoseError("a JWS has one signature here and no unprotected header")
        header = parse_object(decode(members["protected"]), "the protected header")
        if "crit" in header or "b64" in header:
            raise JoseError("critical header members are not understood")
        return cls(
            header,
            decode(members["payload"]),
            decode(members["signature"]),
            f"{members['protected']}.{members['payload']}".encode("ascii"),
        )

    @property
    def algorithm(self) -> str:
        """What the header says it was signed with."""
        algorithm = self.header.get("alg")
        return algorithm if isinstance(algorithm, str) else ""

    def verify(self, jwk: Jwk) -> None:
        """Return when `jwk` signed this. Raises BadAlgorithmError, BadSignatureError."""
        if self.algorithm not in SIGNATURE_ALGORITHMS:
            raise BadAlgorithmError(f"algorithm {self.algorithm!r:.40} is not accepted")
        try:
            self._verify(jwk.key)
        except InvalidSignature as error:
            raise BadSignatureError("the signature is wrong") from error

    def _verify(self, key: PublicKey) -> None:
        if isinstance(key, rsa.RSAPublicKey) and self.algorithm == "RS256":
            key.verify(self.signature, self.signing_input, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ed25519.Ed25519PublicKey) and self.algorithm == "EdDSA":
            key.verify(self.signature, self.signing_input)
        elif isinstance(key, ec.EllipticCurvePublicKey) and self.algorithm in _ECDSA:
            name, digest = _ECDSA[self.algorithm]
            curve, size = _CURVES[name]
            if key.curve.name != curve.name:
                raise UnfitKeyError(f"{self.algorithm} goes with a key on {name}")
            if len(self.signature) != 2 * size:
                raise BadSignatureError(f"a signature by {self.algorithm} has {2 * size} octets")
            r, s = (int.from_bytes(half, "big") for half in (self.signature[:size], self.signature[size:]))
            key.verify(encode_dss_signature(r, s), self.signing_input, ec.ECDSA(digest))
        else:
            raise UnfitKeyError(f"{self.algorithm} does not go with this kind of key")

    def verify_mac(self, secret: bytes) -> None:
        """Return when whoever knows `secret` made this. Raises BadAlgorithmError, BadSignatureError."""
        if self.algorithm not in _HMAC:
            raise BadAlgorithmError(f"algorithm {self.algorithm!r:.40} is not a MAC")
        expected = hmac.new(secret, self.signing_input, _HMAC[self.algorithm]).digest()
        if not hmac.compare_digest(expected, self.signature):
            raise BadSignatureError("the MAC is wrong")
