"""RFC 8555 §6.2 to §6.4, RFC 7515, 7517, 7518: how a request is signed, and what is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from jprs_client.testca.conformance.jose import Key, Members, b64, compact, signed, unb64
from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, Level, Probe, expect, probe
from jprs_client.testca.conformance.server import ABSENT, JOSE, Server, header_of, location, refused
from jprs_client.testca.conformance.wire import Answer

#: What a server may call a request whose signature is none.
_NO_SIGNATURE = ("malformed", "unauthorized", "badSignatureAlgorithm")
_UNKNOWN_NONCE = b64(b"a nonce of another")


# content type, §6.2


@probe("8555-6.2-content-type", "RFC 8555 §6.2", MUST)
def other_content_type(server: Server) -> None:
    """A request that is not sent as application/jose+json is refused with 415."""
    refused(server.post(server.main.url, content_type="application/json"), status=(415,))


@probe("8555-6.2-content-type-none", "RFC 8555 §6.2", MUST)
def no_content_type(server: Server) -> None:
    """A request without a content type is refused with 415."""
    refused(server.post(server.main.url, content_type=None), status=(415,))


@probe("8555-6.2-content-type-form", "RFC 8555 §6.2", MUST)
def form_content_type(server: Server) -> None:
    """A request that is sent as a form is refused with 415."""
    refused(server.post(server.main.url, content_type="application/x-www-form-urlencoded"), status=(415,))


@probe("8555-6.7-problem-type", "RFC 8555 §6.7", MUST)
def problem_type(server: Server) -> None:
    """A refusal is an application/problem+json document."""
    answer = server.post(server.url("newOrder"), {})
    refused(answer)
    expect(answer.media_type == "application/problem+json", answer.media_type or "no content type")


@probe("8555-6.7-problem-urn", "RFC 8555 §6.7", SHOULD)
def problem_urn(server: Server) -> None:
    """The type of a refusal is one of ACME's URNs."""
    answer = server.post(server.url("newOrder"), {})
    expect(answer.problem_type.startswith("urn:ietf:params:acme:error:"), answer.problem_type or "no type")


@probe("8555-6.7-problem-detail", "RFC 8555 §6.7", SHOULD)
def problem_detail(server: Server) -> None:
    """A refusal says in detail what is wrong."""
    detail = server.post(server.url("newOrder"), {}).document().get("detail")
    expect(isinstance(detail, str) and detail, "no detail")


@probe("9457-3.1.2-status", "RFC 9457 §3.1.2", MUST)
def problem_status(server: Server) -> None:
    """The status in a problem document, where there is one, is that of the answer."""
    for answer in (
        server.post(server.url("newOrder"), {}),
        server.post(server.main.url, content_type="text/plain"),
        server.post(server.main.url, nonce=_UNKNOWN_NONCE),
        server.wire.request("GET", server.url("newOrder")),
    ):
        if answer.problem_type:
            inside = answer.document().get("status", answer.status)
            expect(inside == answer.status, f"{answer.said} with status {inside} inside")


def _refusals(answer_of: Callable[[Server], Answer], what: str) -> Probe:
    says = f"The refusal of {what} is a problem document."

    @probe(f"8555-6.7-problem-{what.replace(' ', '-')}", "RFC 8555 §6.7", SHOULD, says)
    def run(server: Server) -> None:
        answer = answer_of(server)
        refused(answer)
        expect(answer.media_type == "application/problem+json", answer.media_type or "no content type")
        expect(answer.problem_type, "no type")

    return run


PROBLEMS = (
    _refusals(lambda server: server.wire.request("GET", server.url("newOrder")), "a wrong method"),
    _refusals(lambda server: server.post(server.main.url, content_type="text/plain"), "a wrong content type"),
    _refusals(lambda server: server.post(server.main.url, nonce=_UNKNOWN_NONCE), "a bad nonce"),
    _refusals(lambda server: server.post(server.main.url, key=Key.fresh()), "a bad signature"),
    _refusals(lambda server: server.post(server.main.url, header={"kid": server.main.url + "0"}), "an unknown account"),
)


# key and account, §6.2


@probe("8555-6.2-jwk-and-kid", "RFC 8555 §6.2", MUST)
def both(server: Server) -> None:
    """A request with jwk and kid is refused."""
    refused(server.post(server.main.url, header={"jwk": server.main.key.jwk}), "malformed")


@probe("8555-6.2-neither", "RFC 8555 §6.2", MUST)
def neither(server: Server) -> None:
    """A request with neither jwk nor kid is refused."""
    refused(server.post(server.main.url, header={"kid": ABSENT}), "malformed")


@probe("8555-6.2-jwk-new-order", "RFC 8555 §6.2", MUST)
def jwk_for_order(server: Server) -> None:
    """`newOrder` by a bare key is refused: it needs an account."""
    document = {"identifiers": [{"type": "dns", "value": server.name()}]}
    refused(server.post(server.url("newOrder"), document, by=server.main.key), "malformed", "unauthorized")


@probe("8555-6.2-jwk-read", "RFC 8555 §6.2", MUST)
def jwk_for_read(server: Server) -> None:
    """POST-as-GET of an account by its bare key is refused."""
    refused(server.post(server.main.url, by=server.main.key), "malformed", "unauthorized")


@probe("8555-6.2-kid-new-account", "RFC 8555 §6.2", MUST)
def kid_for_account(server: Server) -> None:
    """`newAccount` by kid is refused: it needs a key."""
    answer = server.post(server.url("newAccount"), {"termsOfServiceAgreed": True})
    refused(answer, "malformed", "unauthorized")


@probe("8555-6.2-kid-unknown", "RFC 8555 §6.2", MUST)
def unknown_kid(server: Server) -> None:
    """A kid that is no account's URL is refused with accountDoesNotExist."""
    refused(server.post(server.pending.url, header={"kid": server.main.url + "0"}), "accountDoesNotExist")


@probe("8555-6.2-kid-elsewhere", "RFC 8555 §6.2", MUST)
def foreign_kid(server: Server) -> None:
    """A kid at another server is refused."""
    answer = server.post(server.pending.url, header={"kid": "https://ca.example/acme/account/1"})
    refused(answer, "accountDoesNotExist", "malformed", "unauthorized")


@probe("8555-6.2-kid-key-id", "RFC 8555 §6.2", MUST)
def bare_kid(server: Server) -> None:
    """A kid that is only the last part of the account's URL is refused."""
    answer = server.post(server.pending.url, header={"kid": server.main.url.rpartition("/")[2]})
    refused(answer, "accountDoesNotExist", "malformed", "unauthorized")


@probe("8555-6.2-kid-not-text", "RFC 8555 §6.2", MUST)
def strange_kid(server: Server) -> None:
    """A kid that is no text is refused."""
    refused(server.post(server.pending.url, header={"kid": 1}), "accountDoesNotExist", "malformed", "unauthorized")


@probe("8555-6.2-other-key", "RFC 8555 §6.2", MUST)
def other_key(server: Server) -> None:
    """A request signed with a key that is not the account's is refused."""
    refused(server.post(server.main.url, key=Key.fresh()), *_NO_SIGNATURE)


@probe("8555-6.2-others-kid", "RFC 8555 §6.2", MUST)
def others_kid(server: Server) -> None:
    """A request that names another account than the one whose key signs is refused."""
    answer = server.post(server.main.url, header={"kid": server.other.url}, key=server.main.key)
    refused(answer, *_NO_SIGNATURE)


# the octets of the JWS, RFC 7515 and RFC 8555 §6.1 and §6.2


def _tampered(
    identity: str,
    section: str,
    level: Level,
    says: str,
    change: Callable[[Members], object],
    kinds: tuple[str, ...] = _NO_SIGNATURE,
) -> Probe:
    @probe(identity, section, level, says)
    def run(server: Server) -> None:
        refused(server.post(server.main.url, tamper=change), *kinds)

    return run


def _other_octets(text: str) -> str:
    data = bytearray(unb64(text))
    data[len(data) // 2] ^= 1
    return b64(bytes(data))


def _plain_alphabet(members: Members) -> Members:
    """The signature in the alphabet that has + and /."""
    return members | {"signature": members["signature"].replace("-", "+").replace("_", "/") + "+/+/"}


def _stray_bits(text: str) -> str:
    """The same octets with a bit set that carries nothing: 64 octets leave two characters whose last has four."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


OCTETS = (
    _tampered(
        "7515-5.2-signature",
        "RFC 7515 §5.2",
        MUST,
        "A request whose signature was changed is refused.",
        lambda members: members | {"signature": _other_octets(members["signature"])},
    ),
    _tampered(
        "7515-5.2-signature-empty",
        "RFC 7515 §5.2",
        MUST,
        "A request with an empty signature is refused.",
        lambda members: members | {"signature": ""},
    ),
    _tampered(
        "7515-5.2-signature-short",
        "RFC 7518 §3.4",
        MUST,
        "A signature with an octet too few is refused.",
        lambda members: members | {"signature": b64(unb64(members["signature"])[:-1])},
    ),
    _tampered(
        "7515-5.2-signature-zero",
        "RFC 7518 §3.4",
        MUST,
        "A signature of zeros is refused.",
        lambda members: members | {"signature": b64(bytes(64))},
    ),
    _tampered(
        "7515-5.2-payload",
        "RFC 7515 §5.2",
        MUST,
        "A request whose payload was changed after it was signed is refused.",
        lambda members: members | {"payload": b64(b"{}")},
    ),
    _tampered(
        "7515-5.2-header",
        "RFC 7515 §5.2",
        MUST,
        "A request whose protected header was changed after it was signed is refused.",
        lambda members: members | {"protected": b64(compact(header_of(members) | {"extra": 1}))},
    ),
    _tampered(
        "8555-6.1-padding-signature",
        "RFC 8555 §6.1",
        MUST,
        "Base64url with padding in the signature is refused.",
        lambda members: members | {"signature": members["signature"] + "=="},
        ("malformed",),
    ),
    _tampered(
        "7515-2-alphabet",
        "RFC 7515 §2",
        MUST,
        "A signature with the characters + and / is refused.",
        _plain_alphabet,
    ),
    _tampered(
        "4648-3.5-stray-bits",
        "RFC 4648 §3.5",
        MAY,
        "Base64url with stray bits at its end is refused.",
        lambda members: members | {"signature": _stray_bits(members["signature"])},
    ),
    _tampered(
        "7515-2-space",
        "RFC 7515 §2",
        MUST,
        "A signature with a line break inside is refused.",
        lambda members: members | {"signature": members["signature"][:20] + "\n" + members["signature"][20:]},
    ),
    _tampered(
        "7515-5.2-protected-not-base64",
        "RFC 7515 §5.2",
        MUST,
        "A protected header that is no base64url is refused.",
        lambda members: members | {"protected": "{}!"},
    ),
    _tampered(
        "7515-5.2-protected-not-json",
        "RFC 7515 §5.2",
        MUST,
        "A protected header that is no JSON is refused.",
        lambda members: members | {"protected": b64(b"alg: ES256")},
    ),
    _tampered(
        "7515-5.2-protected-array",
        "RFC 7515 §5.2",
        MUST,
        "A protected header that is no object is refused.",
        lambda members: members | {"protected": b64(b"[]")},
    ),
    _tampered(
        "7515-5.2-protected-missing",
        "RFC 8555 §6.2",
        MUST,
        "A JWS without a protected header is refused.",
        lambda members: {name: value for name, value in members.items() if name != "protected"},
    ),
    _tampered(
        "7515-7.2.2-payload-missing",
        "RFC 7515 §7.2.2",
        MUST,
        "A JWS without a payload member is refused.",
        lambda members: {name: value for name, value in members.items() if name != "payload"},
    ),
    _tampered(
        "7515-7.2.2-signature-missing",
        "RFC 7515 §7.2.2",
        MUST,
        "A JWS without a signature is refused.",
        lambda members: {name: value for name, value in members.items() if name != "signature"},
    ),
    _tampered(
        "7515-7.2.2-not-text",
        "RFC 7515 §7.2.2",
        MUST,
        "A JWS whose payload is an object in place of base64url is refused.",
        lambda members: members | {"payload": {}},
    ),
    _tampered(
        "8555-6.2-unprotected",
        "RFC 8555 §6.2",
        MUST,
        "A JWS with an unprotected header is refused.",
        lambda members: members | {"header": {"extra": "1"}},
        ("malformed",),
    ),
    _tampered(
        "8555-6.2-general",
        "RFC 8555 §6.2",
        MUST,
        "A JWS in the general serialization, with one signature, is refused.",
        lambda members: {
            "payload": members["payload"],
            "signatures": [{"protected": members["protected"], "signature": members["signature"]}],
        },
        ("malformed",),
    ),
    _tampered(
        "8555-6.2-signatures",
        "RFC 8555 §6.2",
        MUST,
        "A JWS with signatures besides its own is refused.",
        lambda members: (
            members | {"signatures": [{"protected": members["protected"], "signature": members["signature"]}]}
        ),
        ("malformed",),
    ),
    _tampered(
        "8555-6.2-compact",
        "RFC 8555 §6.2",
        MUST,
        "A JWS in the compact serialization is refused.",
        lambda members: f"{members['protected']}.{members['payload']}.{members['signature']}".encode(),
        ("malformed",),
    ),
    _tampered("8555-6.2-empty-body", "RFC 8555 §6.2", MUST, "An empty body is refused.", lambda _: b"", ("malformed",)),
    _tampered(
        "8555-6.2-not-json",
        "RFC 8555 §6.2",
        MUST,
        "A body that is no JSON is refused.",
        lambda _: b"\xff\xfe hello",
        ("malformed",),
    ),
    _tampered(
        "8555-6.2-array", "RFC 8555 §6.2", MUST, "A body that is a JSON array is refused.", lambda _: [], ("malformed",)
    ),
    _tampered(
        "8555-6.2-null", "RFC 8555 §6.2", MUST, "A body that is null is refused.", lambda _: b"null", ("malformed",)
    ),
    _tampered(
        "8259-9-deep",
        "RFC 8259 §9",
        SHOULD,
        "A body of ten thousand nested arrays is refused in order.",
        lambda _: b"[" * 10_000,
        ("malformed",),
    ),
    _tampered(
        "8555-6.2-trailing",
        "RFC 8259 §2",
        MUST,
        "A JWS with something after it is refused.",
        lambda members: compact(members) + b"{}",
        ("malformed",),
    ),
    _tampered(
        "7515-4-duplicate-member",
        "RFC 7515 §4",
        MAY,
        "A JWS whose signature stands there twice is refused.",
        lambda members: compact(members)[:-1] + b',"signature":"AAAA"}',
    ),
)


@probe("8555-6.1-padding-payload", "RFC 8555 §6.1", MUST)
def padded_payload(server: Server) -> None:
    """Base64url with padding in the payload is refused, though the signature fits."""
    _resigned(server, payload=b64(b"{}") + "=")


@probe("8555-6.1-padding-protected", "RFC 8555 §6.1", MUST)
def padded_header(server: Server) -> None:
    """Base64url with padding in the protected header is refused, though the signature fits."""

    def change(members: Members) -> Members:
        header = header_of(members)
        while len(compact(header)) % 3 == 0:
            header["pad"] = str(header.get("pad", "")) + "x"
        protected = b64(compact(header))
        return _sealed(server, protected + "=" * (-len(protected) % 4), members["payload"])

    refused(server.post(server.main.url, tamper=change), "malformed")


def _resigned(server: Server, payload: str) -> None:
    refused(
        server.post(server.main.url, tamper=lambda members: _sealed(server, members["protected"], payload)), "malformed"
    )


def _sealed(server: Server, protected: str, payload: str) -> Members:
    signature = server.main.key.sign(f"{protected}.{payload}".encode("ascii"))
    return {"protected": protected, "payload": payload, "signature": b64(signature)}


@probe("7515-4-duplicate-header", "RFC 7515 §4", MAY)
def duplicate_header(server: Server) -> None:
    """A protected header with a name twice is refused, though the signature fits."""

    def change(members: Members) -> Members:
        text = unb64(members["protected"])[:-1] + b',"alg":"ES256"}'
        return signed(server.main.key, text, b"")

    refused(server.post(server.main.url, tamper=change), "malformed")


@probe("7515-4.1.11-crit", "RFC 7515 §4.1.11", MUST)
def crit(server: Server) -> None:
    """A critical header member that the server cannot know is refused."""
    header = {"crit": ["urn:example:unknown"], "urn:example:unknown": True}
    refused(server.post(server.main.url, header=header), *_NO_SIGNATURE)


@probe("7515-4.1.11-crit-empty", "RFC 7515 §4.1.11", MUST)
def empty_crit(server: Server) -> None:
    """An empty list of critical members is refused."""
    refused(server.post(server.main.url, header={"crit": []}), *_NO_SIGNATURE)


@probe("8555-6.2-unencoded", "RFC 8555 §6.2", MUST)
def unencoded(server: Server) -> None:
    """An unencoded payload (RFC 7797) is refused."""
    header = {"b64": False, "crit": ["b64"]}
    refused(server.post(server.main.url, header=header), *_NO_SIGNATURE)


@probe("8555-6.2-unknown-header", "RFC 7515 §4", MUST)
def unknown_header(server: Server) -> None:
    """A header member that the server does not know, and need not, is passed over."""
    answer = server.post(server.main.url, header={"urn:example:unknown": True})
    expect(answer.status == 200, answer.said)


# algorithms, §6.2 and RFC 7518


def _algorithm(name: object, what: str, kinds: tuple[str, ...], level: Level = MUST) -> Probe:
    @probe(
        f"8555-6.2-alg-{what.replace(' ', '-')}", "RFC 8555 §6.2", level, f"A request whose alg is {what} is refused."
    )
    def run(server: Server) -> None:
        refused(server.post(server.main.url, header={"alg": name}), *kinds)

    return run


ALGORITHMS = (
    _algorithm(ABSENT, "missing", ("badSignatureAlgorithm", "malformed")),
    _algorithm(7, "a number", ("badSignatureAlgorithm", "malformed")),
    _algorithm("es256", "in lower case", ("badSignatureAlgorithm", "malformed")),
    _algorithm("ES384", "of another curve", ("badSignatureAlgorithm", "malformed", "unauthorized")),
    _algorithm("RS256", "of another kind of key", ("badSignatureAlgorithm", "malformed", "unauthorized")),
    _algorithm("ES999", "unknown", ("badSignatureAlgorithm",)),
    _algorithm("PS256", "PSS with an EC key", ("badSignatureAlgorithm", "malformed", "unauthorized")),
)


@probe("8555-6.2-alg-none", "RFC 8555 §6.2", MUST)
def alg_none(server: Server) -> None:
    """A request with alg none and no signature is refused."""
    answer = server.post(server.main.url, header={"alg": "none"}, tamper=lambda members: members | {"signature": ""})
    refused(answer, "badSignatureAlgorithm", "malformed")


@probe("8555-6.2-alg-mac", "RFC 8555 §6.2", MUST)
def alg_mac(server: Server) -> None:
    """A request with a MAC in place of a signature is refused, though the MAC's key is the public key."""

    def change(members: Members) -> Members:
        text = f"{members['protected']}.{members['payload']}".encode("ascii")
        secret = compact(server.main.key.jwk)
        return members | {"signature": b64(hmac.new(secret, text, hashlib.sha256).digest())}

    answer = server.post(server.main.url, header={"alg": "HS256"}, tamper=change)
    refused(answer, "badSignatureAlgorithm", "malformed")


@probe("8555-6.2-algorithms", "RFC 8555 §6.2", MUST)
def algorithms(server: Server) -> None:
    """`badSignatureAlgorithm` lists in algorithms what is taken, ES256 among them."""
    answer = server.post(server.main.url, header={"alg": "ES999"})
    refused(answer)
    found = answer.document().get("algorithms")
    expect(isinstance(found, list), "no list of algorithms")
    expect(isinstance(found, list) and "ES256" in found, "ES256 is not among them")


def _by_key(server: Server, key: Key) -> Answer:
    return server.post(server.url("newAccount"), {"onlyReturnExisting": True}, by=key)


def _taken(server: Server, key: Key) -> None:
    refused(_by_key(server, key), "accountDoesNotExist")


@probe("8555-6.2-es256", "RFC 8555 §6.2", MUST)
def es256(server: Server) -> None:
    """Keys on P-256 are taken (ES256)."""
    _taken(server, Key.fresh())


@probe("8555-6.2-eddsa", "RFC 8555 §6.2", SHOULD)
def eddsa(server: Server) -> None:
    """Ed25519 keys are taken (EdDSA)."""
    _taken(server, Key(ed25519.Ed25519PrivateKey.generate()))


@probe("8555-6.2-rs256", "RFC 7518 §3.1", MAY)
def rs256(server: Server) -> None:
    """RSA keys of 2048 bits are taken (RS256)."""
    _taken(server, Key(rsa.generate_private_key(65537, 2048)))


@probe("8555-6.2-es384", "RFC 7518 §3.1", MAY)
def es384(server: Server) -> None:
    """Keys on P-384 are taken (ES384)."""
    _taken(server, Key(ec.generate_private_key(ec.SECP384R1())))


@probe("8555-6.2-es512", "RFC 7518 §3.1", MAY)
def es512(server: Server) -> None:
    """Keys on P-521 are taken (ES512)."""
    _taken(server, Key(ec.generate_private_key(ec.SECP521R1())))


@probe("7518-3.4-der", "RFC 7518 §3.4", MUST)
def der(server: Server) -> None:
    """An ECDSA signature written as X.509 does is refused."""

    def change(members: Members) -> Members:
        text = f"{members['protected']}.{members['payload']}".encode("ascii")
        return members | {"signature": b64(server.main.key.sign_der(text))}

    refused(server.post(server.main.url, tamper=change), *_NO_SIGNATURE)


# keys, RFC 7517 and 7518


def _bad_jwk(
    identity: str,
    section: str,
    level: Level,
    says: str,
    change: Callable[[dict[str, Any]], object],
    kinds: tuple[str, ...] = ("badPublicKey", "malformed"),
) -> Probe:
    @probe(identity, section, level, says)
    def run(server: Server) -> None:
        key = Key.fresh()
        document = {"onlyReturnExisting": True}
        answer = server.post(server.url("newAccount"), document, by=key, header={"jwk": change(dict(key.jwk))})
        refused(answer, *kinds)

    return run


def _zero_first(text: str) -> str:
    return b64(b"\0" + unb64(text))


_ANY = ("badPublicKey", "malformed", "badSignatureAlgorithm", "unauthorized")

KEYS = (
    _bad_jwk(
        "7517-4-not-object", "RFC 7515 §4.1.3", MUST, "A jwk that is no object is refused.", lambda _: "key", _ANY
    ),
    _bad_jwk("7517-4-empty", "RFC 7517 §4.1", MUST, "A jwk without members is refused.", lambda _: {}, _ANY),
    _bad_jwk(
        "7517-4.1-kty",
        "RFC 7517 §4.1",
        MUST,
        "A jwk of an unknown key type is refused.",
        lambda jwk: jwk | {"kty": "QUANTUM"},
        _ANY,
    ),
    _bad_jwk(
        "7518-6.4-oct",
        "RFC 8555 §6.2",
        MUST,
        "A symmetric key as jwk is refused.",
        lambda _: {"kty": "oct", "k": b64(b"a secret that everybody has now!")},
        _ANY,
    ),
    _bad_jwk(
        "7518-6.2.1.1-crv",
        "RFC 7518 §6.2.1.1",
        MUST,
        "A key on an unknown curve is refused.",
        lambda jwk: jwk | {"crv": "P-100"},
        _ANY,
    ),
    _bad_jwk(
        "7518-6.2.1-coordinate",
        "RFC 7518 §6.2.1",
        MUST,
        "A key without its y coordinate is refused.",
        lambda jwk: {name: value for name, value in jwk.items() if name != "y"},
        _ANY,
    ),
    _bad_jwk(
        "7518-6.2.1-off-curve",
        "RFC 7518 §6.2.1",
        MUST,
        "A point that is not on the curve is refused.",
        lambda jwk: jwk | {"y": _other_octets(jwk["y"])},
        _ANY,
    ),
    _bad_jwk(
        "7518-6.2.1-zero",
        "RFC 7518 §6.2.1",
        MUST,
        "A point whose coordinates are zero is refused.",
        lambda jwk: jwk | {"x": b64(bytes(32)), "y": b64(bytes(32))},
        _ANY,
    ),
    _bad_jwk(
        "7518-6.2.1.2-length",
        "RFC 7518 §6.2.1.2",
        MUST,
        "A coordinate with an octet too many is refused.",
        lambda jwk: jwk | {"x": _zero_first(jwk["x"])},
        _ANY,
    ),
    _bad_jwk(
        "7518-6.2.1-padding",
        "RFC 8555 §6.1",
        MUST,
        "A coordinate with padding is refused.",
        lambda jwk: jwk | {"x": jwk["x"] + "="},
        _ANY,
    ),
)


@probe("8555-6.2-rsa-1024", "RFC 8555 §6.7", SHOULD)
def short_rsa(server: Server) -> None:
    """An RSA key of 1024 bits is refused as a bad key."""
    key = Key(rsa.generate_private_key(65537, 1024))  # noqa: S505
    refused(_by_key(server, key), "badPublicKey", "malformed", "badSignatureAlgorithm", "unauthorized")
    expect(_by_key(server, key).problem != "accountDoesNotExist", "it is taken")


@probe("7518-6.3-rsa-exponent", "RFC 8555 §6.7", MUST)
def exponent_rsa(server: Server) -> None:
    """An RSA key whose exponent is 1 is refused."""
    key = Key(rsa.generate_private_key(65537, 2048))
    document = {"onlyReturnExisting": True}
    answer = server.post(server.url("newAccount"), document, by=key, header={"jwk": key.jwk | {"e": "AQ"}})
    refused(answer, *_ANY)


@probe("7517-9.2-private", "RFC 7517 §9.2", MAY)
def private_jwk(server: Server) -> None:
    """A jwk with the private key in it is refused."""
    key = Key.fresh()
    header = {"jwk": key.jwk | {"d": b64(bytes(range(32)))}}
    answer = server.post(server.url("newAccount"), {"onlyReturnExisting": True}, by=key, header=header)
    refused(answer, *_ANY)


@probe("7638-3.2-thumbprint", "RFC 7638 §3.2", MUST)
def same_key(server: Server) -> None:
    """A jwk with further members in another order is the same key."""
    jwk = {"use": "sig", "kid": "mine", **dict(reversed(list(server.main.key.jwk.items())))}
    document = {"onlyReturnExisting": True}
    answer = server.post(server.url("newAccount"), document, by=server.main.key, header={"jwk": jwk})
    expect(answer.status == 200, answer.said)
    expect(location(answer) == server.main.url, "another account")


# url, §6.4


def _url(identity: str, says: str, change: Callable[[Server], object], kinds: tuple[str, ...]) -> Probe:
    @probe(f"8555-6.4-{identity}", "RFC 8555 §6.4", MUST, says)
    def run(server: Server) -> None:
        refused(server.post(server.main.url, header={"url": change(server)}), *kinds)

    return run


_UNAUTHORIZED = ("unauthorized",)
_EITHER = ("unauthorized", "malformed")

URLS = (
    _url("missing", "A request whose header has no url is refused.", lambda _: ABSENT, _EITHER),
    _url("not-text", "A request whose url is no text is refused.", lambda _: 1, _EITHER),
    _url(
        "mismatch",
        "A request whose url is that of another resource is refused as unauthorized.",
        lambda server: server.url("newOrder"),
        _UNAUTHORIZED,
    ),
    _url(
        "query",
        "A request whose url has a query that was not sent is refused as unauthorized.",
        lambda server: server.main.url + "?a=b",
        _UNAUTHORIZED,
    ),
    _url(
        "slash",
        "A request whose url ends with a slash that was not sent is refused as unauthorized.",
        lambda server: server.main.url + "/",
        _UNAUTHORIZED,
    ),
    _url(
        "host",
        "A request whose url is at another host is refused as unauthorized.",
        lambda server: "https://ca.example/" + server.main.url.split("/", 3)[3],
        _UNAUTHORIZED,
    ),
    _url(
        "path-only",
        "A request whose url is only a path is refused.",
        lambda server: "/" + server.main.url.split("/", 3)[3],
        _EITHER,
    ),
    _url(
        "scheme",
        "A request whose url has another scheme is refused as unauthorized.",
        lambda server: server.main.url.replace("https://", "http://"),
        _UNAUTHORIZED,
    ),
)


# POST-as-GET, §6.3


def _read_refused(resource: str, says: str, where: Callable[[Server], str]) -> Probe:
    @probe(f"8555-6.3-get-{resource}", "RFC 8555 §6.3", MUST, says)
    def run(server: Server) -> None:
        refused(server.wire.request("GET", where(server)), status=(405,))

    return run


READS = (
    _read_refused("account", "An account by plain GET is refused with 405.", lambda server: server.main.url),
    _read_refused("order", "An order by plain GET is refused with 405.", lambda server: server.pending.url),
    _read_refused(
        "authorization",
        "An authorization by plain GET is refused with 405.",
        lambda server: server.pending.authorizations[0],
    ),
    _read_refused(
        "challenge",
        "A challenge by plain GET is refused with 405.",
        lambda server: str(server.challenge(server.pending, "http-01")["url"]),
    ),
    _read_refused("certificate", "A certificate by plain GET is refused with 405.", lambda server: server.issued.url),
)


@probe("8555-6.3-payload", "RFC 8555 §6.3", SHOULD)
def not_empty(server: Server) -> None:
    """An order is not read by a payload of {}: POST-as-GET is empty."""
    refused(server.post(server.pending.url, {}), "malformed")


@probe("8555-6.3-unsigned", "RFC 8555 §6.2", MUST)
def unsigned(server: Server) -> None:
    """A bare JSON object, without a signature around it, is refused."""
    body = json.dumps({"identifiers": [{"type": "dns", "value": server.name()}]}).encode()
    refused(server.wire.request("POST", server.url("newOrder"), body, {"Content-Type": JOSE}))


@probe("8555-6.2-payload-array", "RFC 8555 §6.2", MUST)
def payload_array(server: Server) -> None:
    """A payload that is a JSON array, where an object belongs, is refused."""
    refused(server.post(server.url("newOrder"), []), "malformed")


@probe("8555-6.2-payload-not-json", "RFC 8555 §6.2", MUST)
def payload_text(server: Server) -> None:
    """A payload that is no JSON is refused."""
    refused(server.post(server.url("newOrder"), b"identifiers"), "malformed")


@probe("8555-6.2-payload-empty", "RFC 8555 §6.3", MUST)
def payload_empty(server: Server) -> None:
    """`newOrder` with an empty payload is refused: it cannot be read."""
    refused(server.post(server.url("newOrder")), "malformed")


@probe("8555-6.2-key-too-large", "RFC 8555 §6.7", MAY)
def huge_rsa(server: Server) -> None:
    """An RSA key of 32768 bits is refused, and soon."""
    key = Key.fresh()
    jwk = {"kty": "RSA", "e": "AQAB", "n": b64(b"\xff" * 4096)}
    document = {"onlyReturnExisting": True}
    answer = server.post(
        server.url("newAccount"),
        document,
        by=key,
        header={"jwk": jwk, "alg": "RS256"},
        tamper=lambda members: members | {"signature": b64(b"\x01" * 4096)},
    )
    refused(answer, *_ANY)


@probe("8555-6.2-content-type-parameter", "RFC 8555 §6.2", MAY)
def parameter(server: Server) -> None:
    """A content type with a parameter is taken, or refused with 415."""
    answer = server.post(server.main.url, content_type=f"{JOSE}; charset=utf-8")
    expect(answer.status in {200, 415}, answer.said)


@probe("8259-4-duplicate-payload", "RFC 8259 §4", MAY)
def duplicate_payload(server: Server) -> None:
    """A payload with a name twice is refused."""
    one = compact([{"type": "dns", "value": server.name()}])
    other = compact([{"type": "dns", "value": server.name()}])
    refused(server.post(server.url("newOrder"), b'{"identifiers":' + one + b',"identifiers":' + other + b"}"))


@probe("8259-8.1-payload-utf-8", "RFC 8259 §8.1", MUST)
def not_utf8(server: Server) -> None:
    """A payload that is not UTF-8 is refused."""
    refused(server.post(server.url("newOrder"), b'{"identifiers":[{"type":"dns","value":"\xff.example.com"}]}'))


@probe("8259-9-payload-deep", "RFC 8259 §9", SHOULD)
def deep_payload(server: Server) -> None:
    """A payload of ten thousand nested arrays is refused in order."""
    refused(server.post(server.url("newOrder"), b'{"identifiers":' + b"[" * 10_000 + b"]" * 10_000 + b"}"))


@probe("8555-6.2-other-jwk", "RFC 8555 §6.2", MUST)
def other_jwk(server: Server) -> None:
    """A request whose jwk is another key than the one that signs is refused."""
    document = {"onlyReturnExisting": True}
    answer = server.post(server.url("newAccount"), document, by=Key.fresh(), header={"jwk": server.main.key.jwk})
    refused(answer, *_NO_SIGNATURE)
