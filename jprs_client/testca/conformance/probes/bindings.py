"""RFC 8555 §7.3.4: external account binding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jprs_client.testca.conformance.jose import Key, b64, compact, maced, signed, unb64
from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, Level, Probe, expect, probe, skip
from jprs_client.testca.conformance.server import ABSENT, Server, location, refused

#: What a server may call a binding that does not hold.
_KINDS = ("malformed", "unauthorized", "externalAccountRequired", "badSignatureAlgorithm", "badPublicKey")

Header = dict[str, Any]


def _needed(server: Server) -> None:
    if not server.wants_eab:
        skip("the server wants no external account binding")


@probe("8555-7.3.4-missing", "RFC 8555 §7.3.4", MUST)
def missing(server: Server) -> None:
    """Where a binding is needed, an account without one is refused with externalAccountRequired."""
    _needed(server)
    refused(server.try_account(Key.fresh(), externalAccountBinding=ABSENT), "externalAccountRequired")


@probe("8555-7.3.4-missing-status", "RFC 8555 §7.3.4", SHOULD)
def missing_status(server: Server) -> None:
    """The refusal for want of a binding has status 403."""
    _needed(server)
    refused(server.try_account(Key.fresh(), externalAccountBinding=ABSENT), status=(403,))


@probe("8555-7.3.4-good", "RFC 8555 §7.3.4", MUST)
def good(server: Server) -> None:
    """A good binding gets an account: 201."""
    _needed(server)
    expect(server.new_account().answer.status == 201, "no new account")


@probe("8555-7.3.4-shown", "RFC 8555 §7.1.2", MAY)
def shown(server: Server) -> None:
    """An account that was bound shows its binding."""
    _needed(server)
    expect("externalAccountBinding" in server.read(server.main.url).document(), "no externalAccountBinding")


@probe("8555-7.3.4-existing", "RFC 8555 §7.3.1", MUST)
def existing(server: Server) -> None:
    """An account that exists is found by its key without a binding."""
    _needed(server)
    answer = server.post(server.url("newAccount"), {"onlyReturnExisting": True}, by=server.main.key)
    expect(answer.status == 200 and location(answer) == server.main.url, answer.said)


def _bad(
    identity: str,
    says: str,
    change: Callable[[str, bytes, Key, Header], object],
    level: Level = MUST,
    kinds: tuple[str, ...] = _KINDS,
) -> Probe:
    """`change` gets key id, HMAC key, the account's key and the header a good binding has."""

    @probe(f"8555-7.3.4-{identity}", "RFC 8555 §7.3.4", level, says)
    def run(server: Server) -> None:
        _needed(server)
        key_id, secret = server.credentials()
        key = Key.fresh()
        header = {"alg": "HS256", "kid": key_id, "url": server.url("newAccount")}
        refused(server.try_account(key, externalAccountBinding=change(key_id, secret, key, header)), *kinds)

    return run


def _flipped(text: str) -> str:
    data = bytearray(unb64(text))
    data[0] ^= 1
    return b64(bytes(data))


def _without(header: Header, member: str) -> Header:
    return {name: value for name, value in header.items() if name != member}


BAD = (
    _bad(
        "mac",
        "A binding whose MAC was changed is refused.",
        lambda _, secret, key, header: (
            (made := maced(secret, header, compact(key.jwk))) | {"signature": _flipped(made["signature"])}
        ),
    ),
    _bad(
        "mac-empty",
        "A binding with an empty MAC is refused.",
        lambda _, secret, key, header: maced(secret, header, compact(key.jwk)) | {"signature": ""},
    ),
    _bad(
        "other-secret",
        "A binding made with another HMAC key is refused.",
        lambda _, secret, key, header: maced(secret + b"x", header, compact(key.jwk)),
    ),
    _bad(
        "unknown-key-id",
        "A binding with a key id that nobody was given is refused.",
        lambda key_id, secret, key, header: maced(secret, header | {"kid": f"{key_id}-nobody"}, compact(key.jwk)),
    ),
    _bad(
        "no-key-id",
        "A binding without a key id is refused.",
        lambda _, secret, key, header: maced(secret, _without(header, "kid"), compact(key.jwk)),
    ),
    _bad(
        "no-alg",
        "A binding without alg is refused.",
        lambda _, secret, key, header: maced(secret, _without(header, "alg"), compact(key.jwk)),
    ),
    _bad(
        "alg-none",
        "A binding with alg none is refused.",
        lambda _, secret, key, header: maced(secret, header | {"alg": "none"}, compact(key.jwk)) | {"signature": ""},
    ),
    _bad(
        "alg-signature",
        "A binding that the account's own key signed, in place of a MAC, is refused.",
        lambda _, __, key, header: signed(key, header | {"alg": "ES256"}, compact(key.jwk)),
    ),
    _bad(
        "nonce",
        "A binding with a nonce is refused.",
        lambda _, secret, key, header: maced(secret, header | {"nonce": b64(b"a nonce")}, compact(key.jwk)),
    ),
    _bad(
        "url",
        "A binding for another URL than that of the request is refused.",
        lambda _, secret, key, header: maced(secret, header | {"url": f"{header['url']}/other"}, compact(key.jwk)),
    ),
    _bad(
        "no-url",
        "A binding without a URL is refused.",
        lambda _, secret, key, header: maced(secret, _without(header, "url"), compact(key.jwk)),
    ),
    _bad(
        "other-key",
        "A binding of another key than the account's is refused.",
        lambda _, secret, __, header: maced(secret, header, compact(Key.fresh().jwk)),
    ),
    _bad(
        "payload-empty",
        "A binding without a key in it is refused.",
        lambda _, secret, __, header: maced(secret, header, b""),
    ),
    _bad(
        "payload-not-key",
        "A binding of what is no key is refused.",
        lambda _, secret, __, header: maced(secret, header, b'{"kty":"none"}'),
    ),
    _bad("not-object", "A binding that is a text is refused.", lambda *_: "binding"),
    _bad("empty", "A binding that is an empty object is refused.", lambda *_: {}),
    _bad(
        "padding",
        "A binding with padded base64url is refused.",
        lambda _, secret, key, header: (
            (made := maced(secret, header, compact(key.jwk))) | {"signature": made["signature"] + "="}
        ),
    ),
)


@probe("8555-7.3.4-refused-makes-nothing", "RFC 8555 §7.3.4", MUST)
def refused_makes_nothing(server: Server) -> None:
    """A bad binding makes no account."""
    _needed(server)
    key_id, secret = server.credentials()
    key = Key.fresh()
    header = {"alg": "HS256", "kid": key_id, "url": server.url("newAccount")}
    refused(server.try_account(key, externalAccountBinding=maced(b"wrong" + secret, header, compact(key.jwk))))
    refused(server.post(server.url("newAccount"), {"onlyReturnExisting": True}, by=key), "accountDoesNotExist")


@probe("8555-7.3.4-not-burnt", "RFC 8555 §7.3.4", MAY)
def not_burnt(server: Server) -> None:
    """Credentials outlive a binding that was refused: a good one with them is taken afterwards."""
    _needed(server)
    key_id, secret = server.credentials()
    key = Key.fresh()
    header = {"alg": "HS256", "kid": key_id, "url": server.url("newAccount")}
    refused(server.try_account(key, externalAccountBinding=maced(b"wrong" + secret, header, compact(key.jwk))))
    answer = server.try_account(key, externalAccountBinding=maced(secret, header, compact(key.jwk)))
    expect(answer.status == 201, answer.said)


def _digest(algorithm: str, digest: str) -> Probe:
    @probe(f"8555-7.3.4-{algorithm.lower()}", "RFC 8555 §7.3.4", MAY, f"A binding by {algorithm} is taken.")
    def run(server: Server) -> None:
        _needed(server)
        key_id, secret = server.credentials()
        key = Key.fresh()
        header = {"alg": algorithm, "kid": key_id, "url": server.url("newAccount")}
        binding = maced(secret, header, compact(key.jwk), digest)
        answer = server.try_account(key, externalAccountBinding=binding)
        expect(answer.status == 201, answer.said)

    return run


DIGESTS = (_digest("HS384", "sha384"), _digest("HS512", "sha512"))


@probe("8555-7.3.4-not-wanted", "RFC 8555 §7.3.4", MAY)
def not_wanted(server: Server) -> None:
    """Where no binding is needed, one of unknown credentials is refused, or passed over."""
    if server.wants_eab:
        skip("the server wants external account binding")
    key = Key.fresh()
    header = {"alg": "HS256", "kid": "nobody", "url": server.url("newAccount")}
    answer = server.try_account(key, externalAccountBinding=maced(b"secret", header, compact(key.jwk)))
    expect(answer.status == 201 or 400 <= answer.status < 500, answer.said)
