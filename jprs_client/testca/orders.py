"""The order book: accounts, orders, authorizations, challenges, certificates, as RFC 8555 §7.1.6 lets them change.

Pure: whoever asks says what time it is, and does the validating and signing. Refusals are raised as Problem.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from jprs_client.testca.jose import Jwk
from jprs_client.testca.names import is_wildcard, without_wildcard
from jprs_client.testca.problems import Problem, Subproblem, malformed, without_trace

#: How long an order and its pending authorizations are kept open.
ORDER_LIFE = timedelta(days=7)
#: How long a proof counts.
PROOF_LIFE = timedelta(days=30)
#: How long an order or an authorization is still shown after it expired.
REMEMBERED = timedelta(days=90)

#: RFC 5280 §5.3.1: the codes there are; 7 is none.
REASONS: Mapping[int, str] = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}
#: 第11条2項の2: what a subscriber may choose.
SUBSCRIBER_REASONS = frozenset({0, 1, 3, 4, 5})
KEY_COMPROMISE, CESSATION, PRIVILEGE_WITHDRAWN = 1, 5, 9


class Status(StrEnum):
    """RFC 8555 §7.1.6; each object uses some of them."""

    PENDING = "pending"
    PROCESSING = "processing"
    READY = "ready"
    VALID = "valid"
    INVALID = "invalid"
    DEACTIVATED = "deactivated"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(slots=True)
class Account:
    """An account; `url` is what it was told at its creation (RFC 8657 compares with it).

    `agreed`: the edition of the terms it has agreed to. `forgotten`: to ACME it does not exist any more.
    """

    identity: str
    jwk: Jwk
    url: str
    contact: tuple[str, ...]
    subscriber: str | None
    created_at: datetime
    binding: Mapping[str, str] | None = None
    agreed: int = 1
    status: Status = Status.VALID
    orders: list[str] = field(default_factory=list)
    certificates: list[int] = field(default_factory=list)
    forgotten: bool = False


@dataclass(slots=True)
class Challenge:
    """One way to prove control of a name. An authorization has at most one of a kind."""

    kind: str
    token: str
    status: Status = Status.PENDING
    validated_at: datetime | None = None
    problem: Problem | None = None


@dataclass(slots=True)
class Authorization:
    """The proof of one name. `name` has no `*.`; `wildcard` says whether the order had it."""

    identity: str
    account: str
    name: str
    wildcard: bool
    expires_at: datetime
    challenges: list[Challenge]
    status: Status = Status.PENDING

    @property
    def full_name(self) -> str:
        """The name as it was ordered."""
        return f"*.{self.name}" if self.wildcard else self.name

    def challenge(self, kind: str) -> Challenge | None:
        """The challenge of that kind."""
        return next((challenge for challenge in self.challenges if challenge.kind == kind), None)

    def look(self, now: datetime) -> None:
        """Let time do its work."""
        if self.status in {Status.PENDING, Status.VALID} and now >= self.expires_at:
            self.status = Status.EXPIRED


@dataclass(slots=True)
class Order:
    """What somebody wants a certificate for. Orders are numbered as they are made."""

    number: int
    identity: str
    account: str
    names: tuple[str, ...]
    expires_at: datetime
    authorizations: tuple[str, ...]
    replaces: str | None = None
    profile: str | None = None
    status: Status = Status.PENDING
    problem: Problem | None = None
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class Revocation:
    """When and why; `reason` is a key of REASONS."""

    at: datetime
    reason: int


@dataclass(slots=True)
class Certificate:
    """One that was issued. `ari_id` is its name in RFC 9773; `renewal_info` what is said there instead of the usual."""

    serial: int
    account: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    der: bytes
    issuer: int
    spki: bytes
    ari_id: str
    revocation: Revocation | None = None
    replaced_by: str | None = None
    renewal_info: Mapping[str, object] | None = None

    @property
    def serial_hex(self) -> str:
        """Lower-case hex without leading zeros."""
        return f"{self.serial:x}"

    @property
    def status(self) -> str:
        """Whether it is valid or revoked, in one word."""
        return "revoked" if self.revocation else "valid"


def _random_id() -> str:
    return secrets.token_urlsafe(15)


class OrderBook:
    """Everything the CA remembers about its ACME side."""

    def __init__(
        self,
        new_id: Callable[[], str] = _random_id,
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(32),
        challenge_kinds: Sequence[str] = ("http-01", "dns-01", "tls-alpn-01"),
    ) -> None:
        self._new_id = new_id
        self._new_token = new_token
        self._challenge_kinds = challenge_kinds
        self._numbers = itertools.count(1)
        self.accounts: dict[str, Account] = {}
        self._account_by_key: dict[bytes, str] = {}
        self.orders: dict[str, Order] = {}
        self._oldest_orders: deque[str] = deque()
        self.authorizations: dict[str, Authorization] = {}
        self._oldest_authorizations: deque[str] = deque()
        #: Account and full name → the authorizations that were valid when last looked at, oldest first.
        self._proofs: dict[tuple[str, str], list[Authorization]] = {}
        self.certificates: dict[int, Certificate] = {}
        self._by_ari_id: dict[str, int] = {}
        self._by_digest: dict[bytes, int] = {}
        self._blocked_keys: set[bytes] = set()

    # accounts

    def account_by_key(self, jwk: Jwk) -> Account | None:
        """The account whose key this is, deactivated ones too."""
        return self.account_by_spki(jwk.spki)

    def account_by_spki(self, spki: bytes) -> Account | None:
        """The account with that key, as a SubjectPublicKeyInfo."""
        identity = self._account_by_key.get(hashlib.sha256(spki).digest())
        return self.accounts[identity] if identity else None

    def create_account(
        self,
        jwk: Jwk,
        contact: tuple[str, ...],
        now: datetime,
        url: Callable[[str], str],
        subscriber: str | None = None,
        binding: Mapping[str, str] | None = None,
    ) -> Account:
        """A new account; the key must not have one."""
        identity = self._new_id()
        account = Account(identity, jwk, url(identity), contact, subscriber, now, binding)
        self.accounts[identity] = account
        self._account_by_key[hashlib.sha256(jwk.spki).digest()] = identity
        return account

    def change_key(self, account: Account, jwk: Jwk) -> None:
        """RFC 8555 §7.3.5: from here on the account's key is `jwk`, which must not have an account."""
        del self._account_by_key[hashlib.sha256(account.jwk.spki).digest()]
        account.jwk = jwk
        self._account_by_key[hashlib.sha256(jwk.spki).digest()] = account.identity

    def deactivate_account(self, account: Account) -> None:
        """RFC 8555 §7.3.6: for good; orders that are not being signed come to nothing. Certificates stay."""
        account.status = Status.DEACTIVATED
        for identity in account.orders:
            order = self.orders[identity]
            if order.status in {Status.PENDING, Status.READY}:
                self.failed(order, Problem("unauthorized", "the account was deactivated"))

    def forget(self, account: Account) -> None:
        """The account is gone for ACME, as if a database had lost it: its key is free, orders and proofs are no more.

        Its certificates stay what they are. What is being signed is let finish.
        """
        account.forgotten = True
        self._account_by_key.pop(hashlib.sha256(account.jwk.spki).digest(), None)
        kept = [identity for identity in account.orders if self.orders[identity].status is Status.PROCESSING]
        needed = {proof for identity in kept for proof in self.orders[identity].authorizations}
        for identity in set(account.orders).difference(kept):
            del self.orders[identity]
        account.orders[:] = kept
        for proof in [proof for proof in self.authorizations.values() if proof.account == account.identity]:
            if proof.identity not in needed:
                self._forget_authorization(proof)

    # orders

    def new_order(
        self,
        account: Account,
        names: Iterable[str],
        now: datetime,
        replaces: str | None = None,
        profile: str | None = None,
        reuse: Callable[[], bool] = lambda: False,
    ) -> Order:
        """An order with an authorization for each name; the first naming of a name counts.

        `reuse` is asked for each name that the account has proved: whether that proof counts again (RFC 8555 §7.1.3).
        Raises Problem where `replaces` cannot be replaced by it (RFC 9773 §5).
        """
        self._prune(now)
        wanted = tuple(dict.fromkeys(names))
        predecessor = self._predecessor(account, wanted, replaces, now) if replaces is not None else None
        expires_at = now + ORDER_LIFE
        authorizations = [
            (self._proof(account, name, now) if reuse() else None) or self._new_authorization(account, name, expires_at)
            for name in wanted
        ]
        order = Order(
            next(self._numbers),
            self._new_id(),
            account.identity,
            wanted,
            min(expires_at, *(authorization.expires_at for authorization in authorizations)),
            tuple(authorization.identity for authorization in authorizations),
            replaces,
            profile,
        )
        self.orders[order.identity] = order
        self._oldest_orders.append(order.identity)
        account.orders.append(order.identity)
        if predecessor is not None:
            predecessor.replaced_by = order.identity
        return self.look_at(order, now)

    def _predecessor(self, account: Account, names: Sequence[str], ari_id: str, now: datetime) -> Certificate:
        certificate = self.by_ari_id(ari_id)
        if certificate is None:
            raise malformed("replaces names no certificate of this CA", 404)
        if certificate.account != account.identity:
            raise Problem("unauthorized", "replaces names the certificate of another account")
        if not set(certificate.names) & set(names):
            raise malformed("the certificate to replace and this order have no name in common")
        if certificate.replaced_by is not None:
            successor = self.orders.get(certificate.replaced_by)
            if successor is None or self.look_at(successor, now).status is not Status.INVALID:
                detail = f"an order for the successor of {certificate.serial_hex} exists already"
                raise Problem("alreadyReplaced", detail)
        return certificate

    def _new_authorization(self, account: Account, name: str, expires_at: datetime) -> Authorization:
        # RFC 8555 §7.1.3: a wildcard is proved by DNS alone here, as everywhere.
        kinds = [kind for kind in self._challenge_kinds if kind == "dns-01" or not is_wildcard(name)]
        challenges = [Challenge(kind, self._new_token()) for kind in kinds]
        authorization = Authorization(
            self._new_id(), account.identity, without_wildcard(name), is_wildcard(name), expires_at, challenges
        )
        self.authorizations[authorization.identity] = authorization
        self._oldest_authorizations.append(authorization.identity)
        return authorization

    def look_at(self, order: Order, now: datetime) -> Order:
        """`order` as it stands at `now`: its authorizations and its expiry decide while it is pending or ready."""
        if order.status not in {Status.PENDING, Status.READY}:
            return order
        if now >= order.expires_at:
            self.failed(order, malformed("the order expired before it was finalized"))
            return order
        proofs = [self.authorizations[each] for each in order.authorizations if each in self.authorizations]
        if len(proofs) < len(order.authorizations):  # only where the clock was set back by years
            self.failed(order, malformed("the order's authorizations are forgotten"))
            return order
        for proof in proofs:
            proof.look(now)
        failed = [proof for proof in proofs if proof.status not in {Status.PENDING, Status.VALID}]
        if failed:
            self.failed(order, _why_invalid(failed))
        elif all(proof.status is Status.VALID for proof in proofs):
            order.status = Status.READY
        return order

    def orders_of(self, account: Account, now: datetime, most: int, after: int = 0) -> tuple[list[Order], bool]:
        """RFC 8555 §7.1.2.1: at most `most` that are not invalid and come after number `after`, oldest first.

        And whether there are more.
        """
        start = bisect_right(account.orders, after, key=lambda identity: self.orders[identity].number)
        page: list[Order] = []
        for identity in itertools.islice(account.orders, start, None):
            if self.look_at(self.orders[identity], now).status is not Status.INVALID:
                if len(page) == most:
                    return page, True
                page.append(self.orders[identity])
        return page, False

    def _prune(self, now: datetime) -> None:
        """Forget what expired long ago: the oldest first, so that each is looked at once.

        An order never expires after its authorizations, so none goes on without them.
        """
        while self._oldest_orders:
            order = self.orders.get(self._oldest_orders[0])
            if order is not None:
                if now < order.expires_at + REMEMBERED:
                    break
                self._forget_order(order)
            self._oldest_orders.popleft()
        while self._oldest_authorizations:
            authorization = self.authorizations.get(self._oldest_authorizations[0])
            if authorization is not None:
                if now < authorization.expires_at + 2 * REMEMBERED:
                    break
                self._forget_authorization(authorization)
            self._oldest_authorizations.popleft()

    def _forget_order(self, order: Order) -> None:
        del self.orders[order.identity]
        self.accounts[order.account].orders.remove(order.identity)
        predecessor = self.by_ari_id(order.replaces) if order.replaces is not None else None
        if predecessor is not None and predecessor.replaced_by == order.identity and order.serial is None:
            predecessor.replaced_by = None

    def _forget_authorization(self, authorization: Authorization) -> None:
        del self.authorizations[authorization.identity]
        key = (authorization.account, authorization.full_name)
        left = [proof for proof in self._proofs.pop(key, []) if proof is not authorization]
        if left:
            self._proofs[key] = left

    # challenges

    def begin(self, authorization: Authorization, challenge: Challenge, now: datetime) -> bool:
        """The client says that the proof is up. Whether validation is to start; once it runs, it runs once."""
        authorization.look(now)
        if authorization.status is not Status.PENDING or challenge.status is not Status.PENDING:
            return False
        challenge.status = Status.PROCESSING
        return True

    def proved(
        self, authorization: Authorization, challenge: Challenge, problem: Problem | None, now: datetime
    ) -> None:
        """Validation ended: with `problem`, or well."""
        if challenge.status is not Status.PROCESSING:
            return
        challenge.status = Status.INVALID if problem else Status.VALID
        challenge.problem = problem and without_trace(problem)
        challenge.validated_at = None if problem else now
        authorization.look(now)
        if authorization.status is Status.PENDING:  # it may have been deactivated meanwhile
            authorization.status = challenge.status
            if problem is None:
                authorization.expires_at = now + PROOF_LIFE
                key = (authorization.account, authorization.full_name)
                self._proofs[key] = [*self._valid(key, now), authorization]

    def _valid(self, key: tuple[str, str], now: datetime) -> list[Authorization]:
        proofs = [proof for proof in self._proofs.get(key, []) if proof.identity in self.authorizations]
        for proof in proofs:
            proof.look(now)
        return [proof for proof in proofs if proof.status is Status.VALID]

    def _proof(self, account: Account, name: str, now: datetime) -> Authorization | None:
        """The account's valid authorization for that name that lasts longest."""
        held = self._valid((account.identity, name), now)
        return max(held, key=lambda proof: proof.expires_at) if held else None

    def deactivate(self, authorization: Authorization) -> None:
        """RFC 8555 §7.5.2: the account gives the authorization up."""
        if authorization.status not in {Status.PENDING, Status.VALID}:
            raise malformed(f"the authorization is {authorization.status} already")
        authorization.status = Status.DEACTIVATED

    def has_proved(self, account: Account, names: Iterable[str], now: datetime) -> bool:
        """Whether the account holds a valid authorization for each of `names`."""
        return all(self._proof(account, name, now) is not None for name in names)

    # certificates

    def finalizing(self, order: Order, now: datetime) -> None:
        """From here on the order is being signed. Raises Problem where it is not ready (RFC 8555 §7.4)."""
        self.look_at(order, now)
        if order.status is not Status.READY:
            raise Problem("orderNotReady", f"the order is {order.status}, not ready")
        order.status = Status.PROCESSING

    def failed(self, order: Order, problem: Problem) -> None:
        """The order came to nothing."""
        order.status = Status.INVALID
        order.problem = without_trace(problem)

    def issued(self, order: Order, certificate: Certificate) -> None:
        """The order's certificate is there."""
        self.certificates[certificate.serial] = certificate
        self._by_ari_id[certificate.ari_id] = certificate.serial
        self._by_digest[hashlib.sha256(certificate.der).digest()] = certificate.serial
        self.accounts[certificate.account].certificates.append(certificate.serial)
        order.serial = certificate.serial
        order.status = Status.VALID

    def by_ari_id(self, ari_id: str) -> Certificate | None:
        """The certificate of that name in RFC 9773 §4.1."""
        serial = self._by_ari_id.get(ari_id)
        return None if serial is None else self.certificates[serial]

    def by_der(self, der: bytes) -> Certificate | None:
        """The certificate of exactly these octets."""
        serial = self._by_digest.get(hashlib.sha256(der).digest())
        return None if serial is None else self.certificates[serial]

    def is_blocked(self, spki: bytes) -> bool:
        """Whether certificates for this key are refused, since it was reported compromised."""
        return hashlib.sha256(spki).digest() in self._blocked_keys

    def block(self, spki: bytes) -> None:
        """Refuse certificates and accounts for this key from now on."""
        self._blocked_keys.add(hashlib.sha256(spki).digest())

    def revoke(self, certificate: Certificate, reason: int, now: datetime) -> None:
        """Revoke for good. Raises Problem where it is revoked already.

        After a key compromise the key is never certified again (ご利用条件 第11条; Baseline Requirements 6.1.1.3).
        """
        if certificate.revocation is not None:
            raise Problem("alreadyRevoked", f"{certificate.serial_hex} was revoked at {certificate.revocation.at}")
        certificate.revocation = Revocation(now, reason)
        if reason == KEY_COMPROMISE:
            self.block(certificate.spki)


def _why_invalid(failed: Sequence[Authorization]) -> Problem:
    """The order's error when authorizations came to nothing: each with its name (RFC 8555 §6.7.1)."""
    found = []
    for proof in failed:
        problem = next((challenge.problem for challenge in proof.challenges if challenge.problem), None)
        kind = problem.kind if problem else "unauthorized"
        detail = problem.detail if problem else f"the authorization is {proof.status}"
        found.append(Subproblem(kind, detail, proof.full_name))
    names = ", ".join(problem.name for problem in found)
    kind = found[0].kind if len({problem.kind for problem in found}) == 1 else "compound"
    return Problem(kind, f"not proved: {names}: {found[0].detail}", subproblems=found)
