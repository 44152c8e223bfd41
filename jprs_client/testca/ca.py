"""The CA itself: what it knows, what it does in the background, and what time makes happen."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from jprs_client.testca.clock import Clock
from jprs_client.testca.dns import Zone
from jprs_client.testca.faults import Faults
from jprs_client.testca.limits import Limits
from jprs_client.testca.log import Log
from jprs_client.testca.orders import (
    PRIVILEGE_WITHDRAWN,
    Account,
    Certificate,
    OrderBook,
)
from jprs_client.testca.problems import Problem, Subproblem
from jprs_client.testca.resolver import NetworkResolver, Resolver, ZoneResolver
from jprs_client.testca.signer import Pki
from jprs_client.testca.subscribers import Contracts, PeriodPassed
from jprs_client.testca.terms import Terms
from jprs_client.testca.validation import LocalPerspective, Perspective, TrustingPerspective, perspective_names
from jprs_client.testca.web import MockWeb

logger = logging.getLogger("jprs_client.testca")

#: Names in one certificate.
MOST_NAMES = 100
#: Nonces given out and not yet used; the oldest are forgotten.
_MOST_NONCES = 20_000


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of certificate that an order may choose. `lifetime` None: as ご利用条件 第3条 says."""

    description: str
    lifetime: timedelta | None = None


#: draft-ietf-acme-profiles: what is offered where nothing else is said; an order that names none gets the first.
PROFILES: Mapping[str, Profile] = {
    "classic": Profile("90 days to the end of the day in Japan"),
    "shortlived": Profile("160 hours", timedelta(hours=160)),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How the CA behaves. `open`: any name; else usage FQDNs limit them. `resolver` None: the mock DNS.

    `ask_again`: the seconds that Retry-After suggests while something is under way; None: no suggestion.
    `issuer`: which intermediate signs: ecdsa, rsa, or by-key (as the CSR's key is). `perspectives`: from how many
    places a proof is looked at. `validation_delay`: seconds before each look. `ocsp_lag`: how long OCSP does not know a
    new certificate. `reuse`, `nonce_rejects`: percent of authorizations that are used again, of good nonces that are
    refused. `without`: directory entries that are left out. `orders_a_page`: of the account's list of orders.
    `always_valid`: every proof is taken as seen. `blocked`: domains that nothing is issued for, nor for what is below.
    """

    open: bool = False
    require_eab: bool = False
    http_port: int = 5002
    tls_port: int = 5001
    resolver: tuple[str, int] | None = None
    now: datetime | None = None
    caa_identities: tuple[str, ...] = ("jprs.jp",)
    ask_again: int | None = None
    issuer: str = "ecdsa"
    perspectives: int = 2
    validation_delay: float = 0.0
    ocsp_lag: timedelta = timedelta(0)
    reuse: int = 0
    nonce_rejects: int = 0
    without: frozenset[str] = frozenset()
    orders_a_page: int = 50
    profiles: Mapping[str, Profile] = field(default_factory=lambda: dict(PROFILES))
    always_valid: bool = False
    blocked: tuple[str, ...] = ()

    @property
    def eab_required(self) -> bool:
        """Whether an account needs a subscriber's credentials."""
        return self.require_eab or not self.open


class Nonces:
    """Those given out; each counts once (RFC 8555 §6.5)."""

    def __init__(self) -> None:
        self._given: OrderedDict[str, None] = OrderedDict()

    def give(self) -> str:
        """A fresh one."""
        nonce = secrets.token_urlsafe(16)
        self._given[nonce] = None
        if len(self._given) > _MOST_NONCES:
            self._given.popitem(last=False)
        return nonce

    def take(self, nonce: str) -> bool:
        """Whether it was given out and not yet used; now it is."""
        return self._given.pop(nonce, False) is None


@dataclass(slots=True)
class Authority:
    """Everything but the doors."""

    settings: Settings = field(default_factory=Settings)

    clock: Clock = field(init=False)
    contracts: Contracts = field(init=False, default_factory=Contracts)
    book: OrderBook = field(init=False, default_factory=OrderBook)
    pki: Pki = field(init=False, default_factory=Pki)
    zone: Zone = field(init=False, default_factory=Zone)
    web: MockWeb = field(init=False, default_factory=MockWeb)
    faults: Faults = field(init=False, default_factory=Faults)
    nonces: Nonces = field(init=False, default_factory=Nonces)
    terms: Terms = field(init=False, default_factory=Terms)
    limits: Limits = field(init=False, default_factory=Limits)
    maintenance_until: datetime | None = field(init=False, default=None)
    log: Log = field(init=False, default_factory=Log)
    perspectives: list[Perspective] = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.clock = Clock(self.settings.now)
        self.pki.use(self.settings.issuer)
        where, ports = self.settings.resolver, (self.settings.http_port, self.settings.tls_port)
        self.perspectives = []
        for name in perspective_names(self.settings.perspectives):
            resolver: Resolver = NetworkResolver(*where) if where else ZoneResolver(self.zone, name)
            place = LocalPerspective(name, resolver, *ports, self.web)
            self.perspectives.append(TrustingPerspective(name, resolver) if self.settings.always_valid else place)

    @property
    def resolver(self) -> Resolver:
        """The one that CAA is asked of."""
        return self.perspectives[0].resolver

    # time

    def now(self) -> datetime:
        """This moment; what is due by it has happened."""
        moment = self.clock.now()
        self._let_pass(moment)
        return moment

    def set_clock(self, moment: datetime) -> None:
        """Make it `moment`; what is due by then happens, in order and at its own moment."""
        self._let_pass(moment)
        self.clock.set(moment)

    def _let_pass(self, moment: datetime) -> None:
        for passed in self.contracts.pass_until(moment):
            self._revoke_after([period for period in passed if period.ended])

    def _revoke_after(self, ended: Sequence[PeriodPassed]) -> None:
        """第12条4項: what was issued for a usage FQDN whose period is over is revoked, at the first moment after it.

        By either reading: the certificate carries the usage FQDN itself, or a name that nobody authorises any more.
        The code is privilegeWithdrawn: the CA's alone, so that nobody mistakes it for the subscriber's word.
        """
        if self.settings.open:
            return
        for period in ended:
            for certificate in self.certificates_of(period.subscriber):
                if certificate.revocation is not None or certificate.not_after < period.at:
                    continue
                literally = period.usage_fqdn.name in certificate.names
                if literally or self.contracts.refused(period.subscriber, certificate.names):
                    self.book.revoke(certificate, PRIVILEGE_WITHDRAWN, period.at)

    # contracts

    def certificates_of(self, subscriber: str) -> list[Certificate]:
        """Every certificate of that subscriber, oldest first."""
        accounts = (self.book.accounts.get(each) for each in self.contracts.subscriber(subscriber).accounts)
        return [self.book.certificates[serial] for account in accounts if account for serial in account.certificates]

    def cancel(self, subscriber: str, usage_fqdn: str) -> None:
        """第12条1項: JPRS ends use at once, and revokes what was issued for it. Raises ContractError."""
        self._revoke_after([self.contracts.cancel(subscriber, usage_fqdn, self.now())])

    def check_names(self, account: Account, names: Sequence[str]) -> None:
        """第4条: only what a usable usage FQDN authorises. Raises Problem rejectedIdentifier that names the others."""
        blocked = [name for name in names if self._is_blocked(name)]
        if blocked:
            detail = "this CA was told to issue nothing for it"
            each = [Subproblem("rejectedIdentifier", f"{name}: {detail}", name) for name in blocked]
            raise Problem("rejectedIdentifier", f"{', '.join(blocked)}: {detail}", subproblems=each)
        if self.settings.open or account.subscriber is None:
            return
        self.now()
        refused = self.contracts.refused(account.subscriber, names)
        if refused:
            detail = "no usable usage FQDN of this subscriber authorises it"
            each = [Subproblem("rejectedIdentifier", f"{name}: {detail}", name) for name in refused]
            raise Problem("rejectedIdentifier", f"{', '.join(refused)}: {detail}", subproblems=each)

    def _is_blocked(self, name: str) -> bool:
        plain = name.removeprefix("*.")
        return any(plain == blocked or plain.endswith(f".{blocked}") for blocked in self.settings.blocked)

    # work in the background

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("work in the background failed", exc_info=error)

    async def settled(self) -> None:
        """Return when nothing is being done in the background."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def stop(self) -> None:
        """Give up what is being done in the background."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
