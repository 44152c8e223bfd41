"""JPRS's contracts: subscribers, their usage FQDNs and usage periods (ご利用条件 第4条, 第10条, 第12条4項).

Pure: whoever asks says what time it is. `Contracts.pass_until` makes happen what is due.
"""

from __future__ import annotations

import calendar
import heapq
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum

from jprs_client.testca.clock import day_begins, jst_day
from jprs_client.testca.names import authorised_by


class ContractError(Exception):
    """What the operator asked for cannot be done; the text says why."""


class Term(Enum):
    """How long a usage FQDN is applied for, or carried on by."""

    ONE_MONTH = "1m"
    ONE_YEAR = "1y"

    def end_from(self, day: date) -> date:
        """第10条2項: the last day of the next month, or of the same month a year on."""
        year, month = (day.year + 1, day.month) if self is Term.ONE_YEAR else _next_month(day)
        return date(year, month, calendar.monthrange(year, month)[1])


def _next_month(day: date) -> tuple[int, int]:
    return (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)


@dataclass(frozen=True, slots=True)
class UsageFqdn:
    """One usage FQDN of one subscriber. `started` and `ends` are JST days; both belong to the period.

    `cancelled`: JPRS ended it (第12条1項), on the day `ends`, in the middle of which it was over.
    """

    name: str
    term: Term
    continuation: Term
    started: date | None = None
    ends: date | None = None
    terminating: bool = False
    ended: bool = False
    cancelled: bool = False

    @property
    def status(self) -> str:
        """applied, in-use, terminating or ended."""
        if self.ended:
            return "ended"
        if self.started is None:
            return "applied"
        return "terminating" if self.terminating else "in-use"

    @property
    def authorises(self) -> tuple[str, ...]:
        """The names a certificate may carry for it."""
        return authorised_by(self.name)

    @property
    def over_at(self) -> datetime | None:
        """24:00 JST of the end day; None when nothing is running."""
        return None if self.ends is None or self.ended else day_begins(self.ends + timedelta(days=1))

    def begun(self, issued_at: datetime) -> UsageFqdn:
        """第10条2項: the first certificate starts the period."""
        day = jst_day(issued_at)
        return replace(self, started=day, ends=self.term.end_from(day))

    def continued(self) -> UsageFqdn:
        """第10条3項: no notice by the end day."""
        if self.ends is None:
            raise ContractError(f"{self.name} has not started")
        return replace(self, ends=self.continuation.end_from(self.ends))

    def cancelled_at(self, now: datetime) -> UsageFqdn:
        """第12条1項: JPRS ends use at once, whatever the end day was."""
        ends = None if self.started is None else jst_day(now)
        return replace(self, ends=ends, terminating=False, ended=True, cancelled=True)


@dataclass(slots=True)
class Subscriber:
    """A subscriber (本サービス利用者). `limited` is False for one that may use any name.

    `former`: accounts that earlier credentials made.
    """

    identity: str
    name: str
    limited: bool
    key_id: str
    hmac_key: bytes
    usage_fqdns: dict[str, UsageFqdn] = field(default_factory=dict)
    account: str | None = None
    number: int = 0
    former: list[str] = field(default_factory=list)

    @property
    def accounts(self) -> Sequence[str]:
        """Every account that its credentials ever made, oldest first."""
        return self.former if self.account is None else [*self.former, self.account]


@dataclass(frozen=True, slots=True)
class PeriodPassed:
    """The end day of a usage period is over: it was continued, or it ended."""

    at: datetime
    subscriber: str
    usage_fqdn: UsageFqdn

    @property
    def ended(self) -> bool:
        """Whether it is over for good."""
        return self.usage_fqdn.ended


class Contracts:
    """Every subscriber of the one operator, and whether that operator is suspended."""

    def __init__(self, new_id: Callable[[], str] = lambda: secrets.token_hex(8)) -> None:
        self._new_id = new_id
        self.subscribers: dict[str, Subscriber] = {}
        self._by_key_id: dict[str, Subscriber] = {}
        self._suspensions: list[tuple[datetime, datetime | None]] = []
        # Ends to come: when, whose (in order of subscription), which. One that has moved since stays until its turn.
        self._ends: list[tuple[datetime, int, str, str]] = []

    # the operator's side

    def subscribe(
        self,
        name: str,
        usage_fqdns: Iterable[tuple[str, Term, Term]] | None,
        eab: tuple[str, bytes] | None = None,
    ) -> Subscriber:
        """A new subscriber. `usage_fqdns` None: any name. `eab`: credentials to use instead of new ones."""
        identity = self._new_id()
        key_id, hmac_key = self._credentials(f"eab-{identity}", eab)
        subscriber = Subscriber(identity, name, usage_fqdns is not None, key_id, hmac_key, number=len(self.subscribers))
        for usage_fqdn in usage_fqdns or ():
            self._apply(subscriber, *usage_fqdn)
        self.subscribers[identity] = subscriber
        self._by_key_id[key_id] = subscriber
        return subscriber

    def _credentials(self, key_id: str, given: tuple[str, bytes] | None) -> tuple[str, bytes]:
        # A base64url text that begins with "-" is taken for an option on the command lines of many clients.
        found = given or (key_id, bytes([secrets.randbelow(128)]) + secrets.token_bytes(31))
        if found[0] in self._by_key_id:
            raise ContractError(f"the key id {found[0]} is in use")
        return found

    def renew_credentials(self, identity: str, eab: tuple[str, bytes] | None = None) -> Subscriber:
        """第5条1項: hand out credentials anew, for one more account; those before are no longer known."""
        subscriber = self.subscriber(identity)
        renewed = self._credentials(f"eab-{identity}-{self._new_id()}", eab)
        del self._by_key_id[subscriber.key_id]
        subscriber.key_id, subscriber.hmac_key = renewed
        self._by_key_id[subscriber.key_id] = subscriber
        if subscriber.account is not None:
            subscriber.former.append(subscriber.account)
            subscriber.account = None
        return subscriber

    def apply(self, identity: str, name: str, term: Term, continuation: Term | None = None) -> UsageFqdn:
        """Apply for one more usage FQDN; one that has ended may be applied for again."""
        return self._apply(self.subscriber(identity), name, term, continuation or term)

    def _apply(self, subscriber: Subscriber, name: str, term: Term, continuation: Term) -> UsageFqdn:
        present = subscriber.usage_fqdns.get(name)
        if present is not None and not present.ended:
            raise ContractError(f"{name} is {present.status} already")
        return self._put(subscriber, UsageFqdn(name, term, continuation))

    def _put(self, subscriber: Subscriber, usage: UsageFqdn) -> UsageFqdn:
        subscriber.usage_fqdns[usage.name] = usage
        if usage.over_at is not None:
            heapq.heappush(self._ends, (usage.over_at, subscriber.number, usage.name, subscriber.identity))
        return usage

    def carry_on_by(self, identity: str, name: str, continuation: Term) -> UsageFqdn:
        """Set the continuation term; an end that is set already does not move (第10条3項)."""
        return self._change(identity, name, continuation=continuation)

    def terminate(self, identity: str, name: str) -> UsageFqdn:
        """File a termination notice: use ends on the end day (第10条4項)."""
        if self.usage_fqdn(identity, name).started is None:
            raise ContractError(f"{name} has not started: there is no period to end")
        return self._change(identity, name, terminating=True)

    def withdraw(self, identity: str, name: str) -> UsageFqdn:
        """Take the notice back (第10条4項)."""
        if not self.usage_fqdn(identity, name).terminating:
            raise ContractError(f"no termination notice is filed for {name}")
        return self._change(identity, name, terminating=False)

    def cancel(self, identity: str, name: str, now: datetime) -> PeriodPassed:
        """第12条1項: JPRS ends use at once. What was applied for and has not started goes as well."""
        usage_fqdn = self.usage_fqdn(identity, name)
        if usage_fqdn.ended:
            raise ContractError(f"{name} ended on {usage_fqdn.ends}")
        return PeriodPassed(now, identity, self._put(self.subscriber(identity), usage_fqdn.cancelled_at(now)))

    def _change(
        self, identity: str, name: str, *, terminating: bool | None = None, continuation: Term | None = None
    ) -> UsageFqdn:
        usage_fqdn = self.usage_fqdn(identity, name)
        if usage_fqdn.ended:
            raise ContractError(f"{name} ended on {usage_fqdn.ends}")
        changed = replace(
            usage_fqdn,
            terminating=usage_fqdn.terminating if terminating is None else terminating,
            continuation=continuation or usage_fqdn.continuation,
        )
        return self._put(self.subscriber(identity), changed)

    def subscriber(self, identity: str) -> Subscriber:
        """The subscriber of that id. Raises KeyError."""
        return self.subscribers[identity]

    def by_key_id(self, key_id: str) -> Subscriber | None:
        """Whose credentials these are."""
        return self._by_key_id.get(key_id)

    def usage_fqdn(self, identity: str, name: str) -> UsageFqdn:
        """A subscriber's usage FQDN. Raises KeyError for an unknown subscriber, ContractError for an unknown name."""
        usage_fqdn = self.subscriber(identity).usage_fqdns.get(name)
        if usage_fqdn is None:
            raise ContractError(f"{name} was not applied for")
        return usage_fqdn

    # the operator itself

    @property
    def suspended(self) -> bool:
        """Whether the operator is suspended now."""
        return bool(self._suspensions) and self._suspensions[-1][1] is None

    def suspend(self, now: datetime) -> None:
        """第10条6項: nothing new starts, and what ends meanwhile ends for good."""
        if not self.suspended:
            self._suspensions.append((now, None))

    def resume(self, now: datetime) -> None:
        """The operator works again."""
        if self.suspended:
            self._suspensions[-1] = (self._suspensions[-1][0], now)

    def _suspended_on(self, day: date) -> bool:
        """Whether any part of `day` lies in a suspension."""
        begins, over = day_begins(day), day_begins(day + timedelta(days=1))
        return any(since < over and (until is None or until > begins) for since, until in self._suspensions)

    # what the CA asks

    def usable(self, usage_fqdn: UsageFqdn) -> bool:
        """Whether certificates may be issued for it now; under a suspension only for what has started."""
        return not usage_fqdn.ended and (usage_fqdn.started is not None or not self.suspended)

    def _authorising(self, subscriber: Subscriber, name: str) -> list[UsageFqdn]:
        """The usable usage FQDNs that authorise `name`: itself, the one it has `www.` before, the wildcard above it."""
        candidates = (name, name.removeprefix("www."), f"*.{name}")
        found = (subscriber.usage_fqdns.get(candidate) for candidate in dict.fromkeys(candidates))
        return [usage for usage in found if usage and name in usage.authorises and self.usable(usage)]

    def refused(self, identity: str, names: Iterable[str]) -> list[str]:
        """Those of `names` that no usable usage FQDN of this subscriber authorises."""
        subscriber = self.subscriber(identity)
        return [name for name in names if subscriber.limited and not self._authorising(subscriber, name)]

    def issued(self, identity: str, names: Sequence[str], at: datetime) -> list[UsageFqdn]:
        """A certificate with `names` was issued at `at`: the usage FQDNs whose periods start by it.

        A name that is itself a usage FQDN starts that one alone. A derived name counts for one in use already, else for
        one whose own name is in the certificate, else for the first that authorises it.
        """
        subscriber = self.subscriber(identity)
        starting: dict[str, UsageFqdn] = {}
        for name in names:
            authorising = self._authorising(subscriber, name)
            literal = [usage for usage in authorising if usage.name == name]
            present = [usage for usage in authorising if usage.started is not None or usage.name in names]
            for usage in (literal or present or authorising)[:1]:
                if usage.started is None:
                    starting[usage.name] = usage.begun(at)
        return [self._put(subscriber, usage) for usage in starting.values()]

    # time

    def next_at(self) -> datetime | None:
        """The next moment at which a period passes."""
        while self._ends:
            at, _, name, identity = self._ends[0]
            usage = self.subscribers[identity].usage_fqdns.get(name)
            if usage is not None and usage.over_at == at:
                return at
            heapq.heappop(self._ends)
        return None

    def pass_until(self, moment: datetime) -> Iterator[list[PeriodPassed]]:
        """Make happen what is due by `moment`: one list a moment, in order."""
        while (at := self.next_at()) is not None and at <= moment:
            passed = []
            while self.next_at() == at:
                _, _, name, identity = heapq.heappop(self._ends)
                subscriber = self.subscribers[identity]
                passed.append(PeriodPassed(at, identity, self._passed(subscriber, subscriber.usage_fqdns[name])))
            yield passed

    def _passed(self, subscriber: Subscriber, usage: UsageFqdn) -> UsageFqdn:
        over = usage.terminating or (usage.ends is not None and self._suspended_on(usage.ends))
        after = replace(usage, ended=True) if over else usage.continued()
        return self._put(subscriber, after)
