"""Signatures with the account's key (RFC 8555 §6.2): JWS in flattened JSON, key authorizations, account bindings.

Of `acme` and `josepy`, `josepy` gives keys, thumbprints and raw signatures, `acme` the external account binding. The
envelope is built here: the request's URL and nonce stand in it byte for byte, and it is a third of the time.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from functools import cached_property

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwa import ES256, ES384, RS256, JWASignature
from josepy.jwk import JWK, JWKEC, JWKRSA

from jprs_client import keys


def base64url(content: bytes) -> str:
    """Base64url without padding (RFC 8555 §6.1)."""
    return urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def compact_json(value: object) -> bytes:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


class Signer:
    """A private key that signs requests; the algorithm follows from the key (THREATS D8)."""

    def __init__(self, private_key_pem: bytes) -> None:
        key = keys.load(private_key_pem)
        self._jwk: JWK
        self._algorithm: JWASignature
        if isinstance(key, ec.EllipticCurvePrivateKey):
            if isinstance(key.curve, ec.SECP256R1):
                self._algorithm = ES256
            elif isinstance(key.curve, ec.SECP384R1):
                self._algorithm = ES384
            else:
                raise ValueError(f"no account key: curve {key.curve.name}")  # noqa: TRY004 - the data, not its type
            self._jwk = JWKEC(key=key)
        else:
            self._algorithm = RS256
            self._jwk = JWKRSA(key=key)
        self.spki_der = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @cached_property
    def thumbprint(self) -> str:
        """RFC 7638, SHA-256, base64url."""
        return base64url(self._jwk.thumbprint())

    @cached_property
    def public_jwk(self) -> dict[str, str]:
        """The public key as it stands in a header."""
        members: dict[str, str] = self._jwk.public_key().to_json()
        return members

    def signed(self, payload: bytes, *, url: str, nonce: str | None, kid: str | None) -> bytes:
        """`payload` signed for `url`; with the account's URL as `kid`, or with the public key (RFC 8555 §6.2)."""
        header: dict[str, object] = {"alg": self._algorithm.name}
        if kid is None:
            header["jwk"] = self.public_jwk
        else:
            header["kid"] = kid
        if nonce is not None:  # a rollover's inner signature has none (§7.3.5)
            header["nonce"] = nonce
        header["url"] = url
        protected, content = base64url(compact_json(header)), base64url(payload)
        signature = self._algorithm.sign(self._jwk.key, f"{protected}.{content}".encode("ascii"))
        return compact_json({"protected": protected, "payload": content, "signature": base64url(signature)})

    def key_authorization(self, token: str) -> str:
        """RFC 8555 §8.1."""
        return f"{token}.{self.thumbprint}"

    def binding(self, key_id: str, hmac_key: bytes, new_account_url: str) -> dict[str, object]:
        """The external account binding of this key, HS256 (RFC 8555 §7.3.4)."""
        from acme.messages import Directory, ExternalAccountBinding

        members: dict[str, object] = ExternalAccountBinding.from_data(
            self._jwk.public_key(), key_id, base64url(hmac_key), Directory({"newAccount": new_account_url})
        )
        return {name: str(members[name]) for name in ("protected", "payload", "signature")}


def dns_value(key_authorization: str) -> str:
    """The TXT record's value for a key authorization (RFC 8555 §8.4)."""
    return base64url(hashlib.sha256(key_authorization.encode("ascii")).digest())
