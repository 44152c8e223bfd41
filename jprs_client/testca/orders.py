"""The order book: accounts, orders, authorizations, challenges, certificates, as RFC 8555 §7.1.6 lets them change.

Pure: whoever asks says what time it is, and does the validating and signing. Refusals are raised as Problem.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from jprs_client.testca.jose import Jwk
from jprs_client.testca.names import is_wildcard, without_wildcard
from jprs_client.testca.problems import Problem, Subproblem, malformed

#: How long an order and its pending authorizations are kept open.
ORDER_LIFE = timedelta(days=7)
#: How long a proof counts.
PROOF_LIFE = timedelta(days=30)

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
    """An account; `url` is what it was told at its creation (RFC 8657 compares with it)."""

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


@dataclass(slots=True)
class Challenge:
    """One way to prove control of a name."""

    identity: str
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

    def challenge(self, identity: str) -> Challenge | None:
        """The challenge of that id."""
        return next((challenge for challenge in self.challenges if challenge.identity == identity), None)

    def look(self, now: datetime) -> None:
        """Let time do its work."""
        if self.status in {Status.PENDING, Status.VALID} and now >= self.expires_at:
            self.status = Status.EXPIRED


@dataclass(slots=True)
class Order:
    """What somebody wants a certificate for."""

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
        self.accounts: dict[str, Account] = {}
        self._account_by_key: dict[str, str] = {}
        self.orders: dict[str, Order] = {}
        self.authorizations: dict[str, Authorization] = {}
        self.certificates: dict[int, Certificate] = {}
        self._by_ari_id: dict[str, int] = {}
        self._by_digest: dict[bytes, int] = {}
        self._blocked_keys: set[bytes] = set()

    # accounts

    def account_by_key(self, jwk: Jwk) -> Account | None:
        """The account whose key this is, deactivated ones too."""
        identity = self._account_by_key.get(jwk.thumbprint)
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
        self._account_by_key[jwk.thumbprint] = identity
        return account

    def change_key(self, account: Account, jwk: Jwk) -> None:
        """RFC 8555 §7.3.5: from here on the account's key is `jwk`, which must not have an account."""
        del self._account_by_key[account.jwk.thumbprint]
        account.jwk = jwk
        self._account_by_key[jwk.thumbprint] = account.identity

    # orders

    def new_order(self, account: Account, names: Iterable[str], now: datetime, replaces: str | None = None) -> Order:
        """An order with an authorization for each name; the first naming of a name counts.

        Raises Problem where `replaces` cannot be replaced by it (RFC 9773 §5).
        """
        wanted = tuple(dict.fromkeys(names))
        predecessor = self._predecessor(account, wanted, replaces) if replaces is not None else None
        expires_at = now + ORDER_LIFE
        authorizations = [self._new_authorization(account, name, expires_at) for name in wanted]
        order = Order(
            self._new_id(), account.identity, wanted, expires_at, tuple(a.identity for a in authorizations), replaces
        )
        self.orders[order.identity] = order
        account.orders.append(order.identity)
        if predecessor is not None:
            predecessor.replaced_by = order.identity
        return order

    def _predecessor(self, account: Account, names: Sequence[str], ari_id: str) -> Certificate:
        certificate = self.by_ari_id(ari_id)
        if certificate is None or certificate.account != account.identity:
            raise malformed("replaces names no certificate of this account")
        if not set(certificate.names) & set(names):
            raise malformed("the certificate to replace and this order have no name in common")
        successor = self.orders.get(certificate.replaced_by or "")
        if successor is not None and successor.status is not Status.INVALID:
            raise Problem("alreadyReplaced", f"an order for the successor of {certificate.serial_hex} exists already")
        return certificate

    def _new_authorization(self, account: Account, name: str, expires_at: datetime) -> Authorization:
        # RFC 8555 §7.1.3: a wildcard is proved by DNS alone here, as everywhere.
        kinds = [kind for kind in self._challenge_kinds if kind == "dns-01" or not is_wildcard(name)]
        challenges = [Challenge(self._new_id(), kind, self._new_token()) for kind in kinds]
        authorization = Authorization(
            self._new_id(), account.identity, without_wildcard(name), is_wildcard(name), expires_at, challenges
        )
        self.authorizations[authorization.identity] = authorization
        return authorization

    def look_at(self, order: Order, now: datetime) -> Order:
        """`order` as it stands at `now`: its authorizations and its expiry decide while it is pending or ready."""
        if order.status not in {Status.PENDING, Status.READY}:
            return order
        proofs = [self.authorizations[identity] for identity in order.authorizations]
        for proof in proofs:
            proof.look(now)
        failed = [proof for proof in proofs if proof.status not in {Status.PENDING, Status.VALID}]
        if now >= order.expires_at:
            order.status = Status.INVALID
            order.problem = malformed("the order expired before it was finalized")
        elif failed:
            order.status = Status.INVALID
            order.problem = _why_invalid(failed)
        elif all(proof.status is Status.VALID for proof in proofs):
            order.status = Status.READY
        return order

    def orders_of(self, account: Account, now: datetime) -> list[Order]:
        """RFC 8555 §7.1.2.1: those that are not invalid, oldest first."""
        orders = (self.look_at(self.orders[identity], now) for identity in account.orders)
        return [order for order in orders if order.status is not Status.INVALID]

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
        challenge.problem = problem
        challenge.validated_at = None if problem else now
        authorization.look(now)
        if authorization.status is Status.PENDING:  # it may have been deactivated meanwhile
            authorization.status = challenge.status
            if problem is None:
                authorization.expires_at = now + PROOF_LIFE

    def deactivate(self, authorization: Authorization) -> None:
        """RFC 8555 §7.5.2: the account gives the authorization up."""
        if authorization.status not in {Status.PENDING, Status.VALID}:
            raise malformed(f"the authorization is {authorization.status} already")
        authorization.status = Status.DEACTIVATED

    def has_proved(self, account: Account, names: Iterable[str], now: datetime) -> bool:
        """Whether the account holds a valid authorization for each of `names`."""
        held = set()
        for authorization in self.authorizations.values():
            authorization.look(now)
            if authorization.account == account.identity and authorization.status is Status.VALID:
                held.add(authorization.full_name)
        return held.issuperset(names)

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
        order.problem = problem

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

    def revoke(self, certificate: Certificate, reason: int, now: datetime) -> None:
        """Revoke for good. Raises Problem where it is revoked already.

        After a key compromise the key is never certified again (ご利用条件 第11条; Baseline Requirements 6.1.1.3).
        """
        if certificate.revocation is not None:
            raise Problem("alreadyRevoked", f"{certificate.serial_hex} was revoked at {certificate.revocation.at}")
        certificate.revocation = Revocation(now, reason)
        if reason == KEY_COMPROMISE:
            self._blocked_keys.add(hashlib.sha256(certificate.spki).digest())


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
