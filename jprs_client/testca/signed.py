"""Who signed a request: the rules of RFC 8555 §6.2 to §6.5, and external account binding (§7.3.4)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jprs_client.testca.asgi import Request
from jprs_client.testca.ca import Authority
from jprs_client.testca.jose import (
    MAC_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
    BadAlgorithmError,
    BadKeyError,
    BadSignatureError,
    JoseError,
    Jwk,
    Jws,
    UnfitKeyError,
    decode,
    parse_object,
)
from jprs_client.testca.orders import Account, Status
from jprs_client.testca.problems import Problem, malformed
from jprs_client.testca.subscribers import Subscriber

_AUTHORITY = re.compile(r"[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?\Z|\[[0-9a-fA-F:]{2,45}\](:[0-9]{1,5})?\Z")


def base_url(request: Request, otherwise: str) -> str:
    """The address this request was sent to, without a path: every address in an answer begins with it."""
    if not _AUTHORITY.match(request.authority):
        return otherwise
    return f"{request.scheme}://{request.authority}"


@dataclass(frozen=True, slots=True)
class Signed:
    """A request whose signature holds: by `account` where it named one, else by the bare key `jwk`."""

    header: Mapping[str, Any]
    payload: bytes
    jwk: Jwk
    account: Account | None

    @property
    def signer(self) -> Account:
        """The account. Only for requests that had to name one."""
        if self.account is None:
            raise malformed("the request is to be signed with kid")
        return self.account

    @property
    def is_read(self) -> bool:
        """Whether it is a POST-as-GET (RFC 8555 §6.3)."""
        return not self.payload

    def require_read(self) -> None:
        """Return when it is a POST-as-GET. Raises Problem."""
        if not self.is_read:
            raise malformed("this is read by POST-as-GET: the payload is to be empty")

    def document(self) -> dict[str, Any]:
        """The payload, which is to be a JSON object; a member that is null counts as missing. Raises Problem."""
        try:
            document = parse_object(self.payload, "the payload")
        except JoseError as error:
            raise malformed(str(error)) from error
        return {member: value for member, value in document.items() if value is not None}


class Gate:
    """Lets in what is signed as it should be."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority
        #: Keys whose last nonce was refused for no reason: the next one is not.
        self._teased: set[str] = set()

    def open(self, request: Request, base: str, *, by: str, refuse_nonce: bool = False) -> Signed:
        """The request, verified. `by`: kid, jwk, or either. Raises Problem."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/jose+json":
            raise malformed("the content type of a request is application/jose+json (RFC 8555 §6.2)", 415)
        if "replay-nonce" in request.headers:
            raise malformed("the nonce is in the protected header, not in Replay-Nonce (RFC 8555 §6.5.1)")
        try:
            jws = Jws.parse(request.body)
        except JoseError as error:
            raise malformed(str(error)) from error
        _check_algorithm(jws)
        jwk, account = self._key(jws, base, by)
        _verify(jws, jwk)
        self._use_nonce(jws, jwk, refuse_nonce)
        url = jws.header.get("url")
        if not isinstance(url, str):
            raise malformed("the protected header has a url (RFC 8555 §6.2)")
        if url != base + request.target:
            raise Problem("unauthorized", f"the header's url is {url!r:.200}, not {base + request.target:.200}")
        if account is not None and account.status is not Status.VALID:
            raise Problem("unauthorized", f"the account is {account.status}", 401)
        return Signed(jws.header, jws.payload, jwk, account)

    def _key(self, jws: Jws, base: str, by: str) -> tuple[Jwk, Account | None]:
        has_kid, has_jwk = "kid" in jws.header, "jwk" in jws.header
        if has_kid == has_jwk:
            raise malformed("the protected header has either kid or jwk")
        if by == "kid" and has_jwk:
            raise malformed("this request is signed with kid")
        if by == "jwk" and has_kid:
            raise malformed("this request is signed with jwk")
        if has_jwk:
            jwk = parsed_key(jws.header["jwk"])
            if jws.header["jwk"].get("alg", jws.algorithm) != jws.algorithm:  # RFC 7517 §4.4, as Boulder reads it
                raise _bad_algorithm(f"the jwk is for {jws.header['jwk']['alg']!r:.40}, alg is {jws.algorithm}")
            return jwk, None
        kid = jws.header["kid"]
        if not isinstance(kid, str):
            raise malformed("kid is the URL of an account")
        prefix = f"{base}/acme/account/"
        account = self._ca.book.accounts.get(kid[len(prefix) :]) if kid.startswith(prefix) else None
        if account is None or account.forgotten:
            raise Problem("accountDoesNotExist", f"no account {kid!r:.200}")
        return account.jwk, account

    def _use_nonce(self, jws: Jws, jwk: Jwk, refuse: bool) -> None:
        nonce = jws.header.get("nonce")
        if not isinstance(nonce, str):
            raise Problem("badNonce", "the protected header has no nonce")
        try:
            decode(nonce)
        except JoseError as error:
            raise malformed(f"nonce: {error}") from error
        if not self._ca.nonces.take(nonce) or refuse or self._teases(jwk):
            raise Problem("badNonce", "the nonce was not given out here, or was used already")

    def _teases(self, jwk: Jwk) -> bool:
        """Whether to refuse a good nonce, so that clients learn to try again; never twice in a row for one key."""
        if jwk.thumbprint in self._teased:
            self._teased.discard(jwk.thumbprint)
            return False
        if secrets.randbelow(100) >= self._ca.settings.nonce_rejects:
            return False
        self._teased.add(jwk.thumbprint)
        return True

    def good_key(self, jwk: Jwk) -> None:
        """Return when an account may have that key. Raises Problem where it was reported compromised (§6.2)."""
        if self._ca.book.is_blocked(jwk.spki):
            raise Problem("badPublicKey", "the key was reported compromised")

    def binding(self, value: object, url: str, jwk: Jwk) -> Subscriber:
        """Whose credentials bind the key `jwk`; they are not used up by this. Raises Problem."""
        try:
            jws = Jws.from_members(value)
            bound = Jwk.parse(parse_object(jws.payload, "the payload of externalAccountBinding"))
        except JoseError as error:
            raise malformed(f"externalAccountBinding: {error}") from error
        key_id = jws.header.get("kid")
        if jws.algorithm not in MAC_ALGORITHMS:
            raise malformed(f"externalAccountBinding: alg is one of {', '.join(MAC_ALGORITHMS)}")
        if "nonce" in jws.header or "jwk" in jws.header or not isinstance(key_id, str):
            raise malformed("externalAccountBinding: its header has alg, kid and url, and no nonce or jwk")
        if jws.header.get("url") != url:
            raise malformed("externalAccountBinding: its url is that of the request")
        if bound.spki != jwk.spki:
            raise malformed("externalAccountBinding: its payload is the account's key")
        subscriber = self._ca.contracts.by_key_id(key_id)
        if subscriber is None:
            raise Problem("unauthorized", f"externalAccountBinding: the key id {key_id!r:.100} is not known")
        try:
            jws.verify_mac(subscriber.hmac_key)
        except (BadSignatureError, BadAlgorithmError) as error:
            raise Problem("unauthorized", f"externalAccountBinding: {error}: is it the right HMAC key?") from error
        if subscriber.account is not None:
            raise Problem("unauthorized", f"externalAccountBinding: the credentials {key_id} made an account already")
        return subscriber


def new_key(payload: bytes, url: str, account: Account, account_url: str) -> Jwk:
    """The key that an account is to have from now on (RFC 8555 §7.3.5). Raises Problem."""
    try:
        jws = Jws.parse(payload)
        _check_algorithm(jws)
        if "nonce" in jws.header or "kid" in jws.header or "jwk" not in jws.header:
            raise malformed("keyChange: the inner header has alg, jwk and url, and no nonce or kid")
        jwk = parsed_key(jws.header["jwk"])
        _verify(jws, jwk)
        document = parse_object(jws.payload, "the inner payload")
        old = Jwk.parse(document.get("oldKey"))
    except JoseError as error:
        raise malformed(f"keyChange, the inner JWS: {error}") from error
    if jws.header.get("url") != url:
        raise malformed("keyChange: the inner url is that of the request")
    if document.get("account") != account_url:
        raise malformed("keyChange: account is the URL of the account that signs")
    if old.spki != account.jwk.spki:
        raise malformed("keyChange: oldKey is the key of the account")
    return jwk


def parsed_key(value: object) -> Jwk:
    """The key of a JWK. Raises Problem."""
    try:
        return Jwk.parse(value)
    except BadKeyError as error:
        raise Problem("badPublicKey", str(error)) from error
    except JoseError as error:
        raise malformed(f"jwk: {error}") from error


def _bad_algorithm(detail: str) -> Problem:
    return Problem("badSignatureAlgorithm", detail, more={"algorithms": list(SIGNATURE_ALGORITHMS)})


def _check_algorithm(jws: Jws) -> None:
    if jws.algorithm not in SIGNATURE_ALGORITHMS:
        raise _bad_algorithm(f"alg {jws.header.get('alg')!r:.40} is not accepted")


def _verify(jws: Jws, jwk: Jwk) -> None:
    try:
        jws.verify(jwk)
    except UnfitKeyError as error:
        if "jwk" not in jws.header:  # the key of an account is good; then it is the algorithm that is wrong
            raise _bad_algorithm(str(error)) from error
        raise Problem("badPublicKey", str(error)) from error  # RFC 8555 §6.2: the example of ES256 without P-256
    except BadAlgorithmError as error:
        raise _bad_algorithm(str(error)) from error
    except BadSignatureError as error:
        raise malformed(str(error)) from error
