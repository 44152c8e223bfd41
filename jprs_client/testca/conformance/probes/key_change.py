"""RFC 8555 §7.3.5: another key for an account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from jprs_client.testca.conformance.jose import Key, Members, b64, compact, signed
from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, Level, Probe, expect, probe, skip
from jprs_client.testca.conformance.server import ABSENT, Account, Order, Server, location, refused
from jprs_client.testca.conformance.wire import Answer


def _inner(
    server: Server,
    account: Account,
    new: Key,
    *,
    header: Mapping[str, Any] | None = None,
    payload: Mapping[str, Any] | None = None,
    key: Key | None = None,
) -> Members:
    """What a good change of `account` to `new` has inside, changed by `header` and `payload`; `key` signs it."""
    protected = {"alg": new.algorithm, "jwk": new.jwk, "url": server.url("keyChange")} | dict(header or {})
    content = {"account": account.url, "oldKey": account.key.jwk} | dict(payload or {})
    head, body = ({name: value for name, value in each.items() if value is not ABSENT} for each in (protected, content))
    return signed(key or new, head, compact(body))


def _changed(server: Server) -> tuple[Account, Key, Answer]:
    """An account, its new key, and the answer that made it so. Raises FailureError."""
    account, new = server.new_account(), Key.fresh()
    answer = server.post(server.url("keyChange"), _inner(server, account, new), by=account)
    expect(answer.status == 200, answer.said)
    return account, new, answer


@probe("8555-7.3.5-changed", "RFC 8555 §7.3.5", MUST)
def changed(server: Server) -> None:
    """A good key change answers 200, and the account is used with the new key."""
    account, new, _ = _changed(server)
    answer = server.post(account.url, by=Account(new, account.url, account.answer))
    expect(answer.status == 200, f"the new key: {answer.said}")


@probe("8555-7.3.5-old-key", "RFC 8555 §7.3.5", MUST)
def old_key(server: Server) -> None:
    """After a key change the old key is refused."""
    account, _, _ = _changed(server)
    refused(server.post(account.url, by=account))


@probe("8555-7.3.5-found", "RFC 8555 §7.3.5", MUST)
def found(server: Server) -> None:
    """After a key change the account is found by the new key, at the same URL."""
    account, new, _ = _changed(server)
    answer = server.post(server.url("newAccount"), {"onlyReturnExisting": True}, by=new)
    expect(answer.status == 200, answer.said)
    expect(location(answer) == account.url, "another account")


@probe("8555-7.3.5-forgotten", "RFC 8555 §7.3.5", MUST)
def forgotten(server: Server) -> None:
    """After a key change the account is not found by the old key."""
    account, _, _ = _changed(server)
    answer = server.post(server.url("newAccount"), {"onlyReturnExisting": True}, by=account.key)
    refused(answer, "accountDoesNotExist")


@probe("8555-7.3.5-orders-stay", "RFC 8555 §7.3.5", MUST)
def orders_stay(server: Server) -> None:
    """After a key change the account has its orders still."""
    account, new = server.new_account(), Key.fresh()
    order = server.order(by=account)
    answer = server.post(server.url("keyChange"), _inner(server, account, new), by=account)
    expect(answer.status == 200, answer.said)
    answer = server.post(order.url, by=Account(new, account.url, account.answer))
    expect(answer.status == 200, answer.said)


@probe("8555-7.3.5-conflict", "RFC 8555 §7.3.5", MUST)
def conflict(server: Server) -> None:
    """A new key that has an account is refused: 409, and that account's URL in Location."""
    account = server.new_account()
    answer = server.post(server.url("keyChange"), _inner(server, account, server.other.key), by=account)
    refused(answer, status=(409,))
    expect(location(answer) == server.other.url, "another Location")
    expect(server.post(account.url, by=account).status == 200, "the old key is refused now")


@probe("8555-7.3.5-same-key", "RFC 8555 §7.3.5", MUST)
def same_key(server: Server) -> None:
    """A change to the key the account has is refused: 409."""
    account = server.new_account()
    refused(server.post(server.url("keyChange"), _inner(server, account, account.key), by=account), status=(409,))


_KINDS = ("malformed", "unauthorized", "badSignatureAlgorithm", "badPublicKey")


def _bad(identity: str, says: str, inner: Callable[[Server, Account, Key], object], level: Level = MUST) -> Probe:
    @probe(f"8555-7.3.5-{identity}", "RFC 8555 §7.3.5", level, says)
    def run(server: Server) -> None:
        account, new = server.new_account(), Key.fresh()
        refused(server.post(server.url("keyChange"), inner(server, account, new), by=account), *_KINDS)
        answer = server.post(account.url, by=account)
        expect(answer.status == 200, f"the old key afterwards: {answer.said}")

    return run


BAD = (
    _bad("not-jws", "A payload that is no JWS is refused.", lambda *_: {"account": "mine"}),
    _bad("empty", "An empty payload is refused.", lambda *_: b""),
    _bad(
        "inner-kid",
        "An inner header with kid in place of jwk is refused.",
        lambda server, account, new: _inner(server, account, new, header={"jwk": ABSENT, "kid": account.url}),
    ),
    _bad(
        "inner-no-key",
        "An inner header without jwk is refused.",
        lambda server, account, new: _inner(server, account, new, header={"jwk": ABSENT}),
    ),
    _bad(
        "inner-signature",
        "An inner JWS that the new key has not signed is refused.",
        lambda server, account, new: _inner(server, account, new, key=Key.fresh()),
    ),
    _bad(
        "inner-old-signature",
        "An inner JWS signed with the old key is refused.",
        lambda server, account, new: _inner(server, account, new, key=account.key),
    ),
    _bad(
        "inner-url",
        "An inner url that is not the outer one is refused.",
        lambda server, account, new: _inner(server, account, new, header={"url": server.url("newOrder")}),
    ),
    _bad(
        "inner-no-url",
        "An inner header without url is refused.",
        lambda server, account, new: _inner(server, account, new, header={"url": ABSENT}),
    ),
    _bad(
        "account",
        "A change of an account other than the one that signs outside is refused.",
        lambda server, account, new: _inner(server, account, new, payload={"account": server.other.url}),
    ),
    _bad(
        "no-account",
        "A change without account is refused.",
        lambda server, account, new: _inner(server, account, new, payload={"account": ABSENT}),
    ),
    _bad(
        "old-key-wrong",
        "A change whose oldKey is not the account's key is refused.",
        lambda server, account, new: _inner(server, account, new, payload={"oldKey": new.jwk}),
    ),
    _bad(
        "no-old-key",
        "A change without oldKey is refused.",
        lambda server, account, new: _inner(server, account, new, payload={"oldKey": ABSENT}),
    ),
    _bad(
        "inner-alg",
        "An inner alg of none is refused.",
        lambda server, account, new: _inner(server, account, new, header={"alg": "none"}) | {"signature": ""},
    ),
    _bad(
        "inner-nonce",
        "An inner header with a nonce is refused.",
        lambda server, account, new: _inner(server, account, new, header={"nonce": b64(b"a nonce")}),
        SHOULD,
    ),
    _bad(
        "inner-padding",
        "An inner JWS with padded base64url is refused.",
        lambda server, account, new: (made := _inner(server, account, new)) | {"signature": made["signature"] + "=="},
    ),
)


@probe("8555-7.3.5-outer-jwk", "RFC 8555 §6.2", MUST)
def outer_jwk(server: Server) -> None:
    """A change that the bare old key signs outside is refused: it needs kid."""
    account, new = server.new_account(), Key.fresh()
    answer = server.post(server.url("keyChange"), _inner(server, account, new), by=account.key)
    refused(answer, "malformed", "unauthorized")


@probe("8555-7.3.5-outer-new-key", "RFC 8555 §7.3.5", MUST)
def outer_new(server: Server) -> None:
    """A change that the new key signs outside is refused."""
    account, new = server.new_account(), Key.fresh()
    refused(server.post(server.url("keyChange"), _inner(server, account, new), by=account, key=new))
    expect(server.post(account.url, by=account).status == 200, "the old key is refused now")


@probe("8555-7.3.5-other-kind", "RFC 8555 §7.3.5", MUST)
def other_kind(server: Server) -> None:
    """An account's EC key can be changed for an RSA key."""
    account, new = server.new_account(), Key(rsa.generate_private_key(65537, 2048))
    answer = server.post(server.url("keyChange"), _inner(server, account, new), by=account)
    if answer.problem in {"badPublicKey", "badSignatureAlgorithm"}:
        skip("RSA is not taken")
    expect(answer.status == 200, answer.said)
    answer = server.post(account.url, by=Account(new, account.url, account.answer))
    expect(answer.status == 200, f"the new key: {answer.said}")


@probe("8555-7.3.5-back", "RFC 8555 §7.3.5", MAY)
def back(server: Server) -> None:
    """A key that an account gave up can be taken again."""
    account, new, _ = _changed(server)
    now = Account(new, account.url, account.answer)
    answer = server.post(server.url("keyChange"), _inner(server, now, account.key), by=now)
    expect(answer.status == 200, answer.said)


@probe("8555-7.3.5-proofs-after", "RFC 8555 §8.1", MUST)
def proofs_after(server: Server) -> None:
    """After a key change a pending challenge is proved with the new key's thumbprint."""
    account, new = server.new_account(), Key.fresh()
    order = server.order(by=account)
    answer = server.post(server.url("keyChange"), _inner(server, account, new), by=account)
    expect(answer.status == 200, answer.said)
    later = Order(Account(new, account.url, account.answer), order.url, order.answer)
    expect(server.prove(later).status == "ready", "not proved")
