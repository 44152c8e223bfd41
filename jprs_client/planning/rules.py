"""The rules: each looks at the facts and says what it sees coming. Ties are settled by the order of `RULES`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from operator import attrgetter

from jprs_client.config import Config
from jprs_client.planning.actions import Action, Kind, Why
from jprs_client.planning.backoff import fraction
from jprs_client.planning.facts import CertificateFacts, Failure, LineageFacts, RevocationIntent, State
from jprs_client.planning.revoking import is_carried
from jprs_client.planning.usages import usages
from jprs_client.planning.wanted import Wanted, WantedCertificates, wanted
from jprs_client.terms.authority import Authority
from jprs_client.terms.names import DnsName
from jprs_client.terms.reasons import Reason
from jprs_client.terms.usage import Usage, jst_day, jst_midnight
from jprs_client.terms.validity import close_to_month_end

#: Lifetimes under this are renewed at their half, longer ones at two thirds.
SHORT_LIFETIME = timedelta(days=10)
#: Whatever the CA says, this share of a lifetime is kept for bad days.
LATEST_SHARE = 4 / 5
#: Renewals of one day's certificates are spread over this share of the lifetime, always earlier, never later.
JITTER_SHARE = 1 / 100
#: How old a certificate is when the CA is first asked for renewal information.
FIRST_LOOK = timedelta(hours=6)


NEVER_ISSUED, LIFETIME_SPENT, EXPIRED = Why("never-issued"), Why("lifetime-spent"), Why("expired")
#: How long to wait, at most, after a revocation has failed whose deadline is over.
OVERDUE_PAUSE = timedelta(minutes=30)

ASK_RENEWAL_INFORMATION = Why("ask-renewal-information")


@dataclass(frozen=True, slots=True)
class Due:
    """When something is to be done, and why."""

    at: datetime
    why: Why
    kind: Kind = Kind.RENEW


@dataclass(frozen=True)
class Picture:
    """Everything a rule looks at, computed once."""

    config: Config
    state: State
    now: datetime
    jitter: bool = True

    @cached_property
    def usages(self) -> tuple[Usage, ...]:
        """Every declared usage FQDN as it stands today."""
        return usages(self.config, self.state, self.now)

    @cached_property
    def authority(self) -> Authority:
        """Who authorises which name today."""
        return Authority(self.usages, jst_day(self.now))

    @cached_property
    def wanted(self) -> WantedCertificates:
        """The certificates there should be."""
        return wanted(self.config, self.state, self.authority)

    @cached_property
    def to_be_revoked(self) -> Mapping[tuple[str, int], RevocationIntent]:
        """Every revocation that waits, by lineage and version."""
        return {(intent.lineage, intent.version): intent for intent in self.state.revocations}

    def carriers(self, intent: RevocationIntent) -> tuple[Wanted, ...]:
        """The certificates there should be that take the place of one that is to be revoked."""
        return tuple(
            certificate
            for certificate in self.wanted.by_name.values()
            if certificate.names and (certificate.name == intent.lineage or is_carried(intent.names, certificate.names))
        )

    @cached_property
    def _all_have_started(self) -> bool:
        return all(usage.has_started for usage in self.usages)

    def last_day(self, names: Collection[DnsName]) -> date | None:
        """The day after which nobody may order any of `names` any more; None when no such end is known."""
        days = [
            usage.last_day(jst_day(self.now)) for name in names for usage in self.authority.authorising(name)
        ]  # fmt: skip
        return None if None in days else max((day for day in days if day is not None), default=None)

    def begun_by(self, names: Collection[DnsName]) -> frozenset[DnsName]:
        """The usage FQDNs whose period a certificate with `names` would start."""
        return frozenset() if self._all_have_started else self.authority.starts(names)

    def not_at_month_end(self, due: Due, begins: frozenset[DnsName]) -> Due:
        """`due`, or the new month where usage FQDNs begin with it and a month ends within the hour (TERMS P1)."""
        if not begins or not close_to_month_end(max(due.at, self.now)):
            return due
        midnight = jst_midnight(jst_day(max(due.at, self.now)) + timedelta(days=1))
        return replace(due, at=midnight, why=Why("after-month-end"))

    def action(
        self,
        kind: Kind,
        certificate: str,
        names: frozenset[DnsName],
        why: Why,
        due_at: datetime,
        *,
        starts_usage: frozenset[DnsName] = frozenset(),
        target: str = "",
        version: int = 0,
    ) -> Action:
        """An action, moved by what failed before for the same names."""
        failure = self.state.failures.get((certificate, kind_of_failure(kind), target)) if self.state.failures else None
        attempt_at, imposed = due_at, False
        if failure is not None and failure.names == names and failure.retry_at > due_at:
            attempt_at, imposed = failure.retry_at, failure.imposed
        return Action(
            kind, certificate, names, why, due_at, attempt_at, starts_usage, target, version, imposed
        )  # fmt: skip


_FAILURE_ROWS = {kind.value: kind.value for kind in Kind} | {"renew": "issue", "reissue": "issue"}


def kind_of_failure(kind: Kind) -> str:
    """Failures of issuing, renewing and reissuing are one row: they fail in the same steps."""
    return _FAILURE_ROWS[kind.value]


def failure_of(action: Action, state: State) -> Failure | None:
    """What went wrong when `action` was last tried; None also where it was tried for other names."""
    if not state.failures:
        return None
    failure = state.failures.get((action.certificate, kind_of_failure(action.kind), action.target))
    return failure if failure is not None and failure.names == action.names else None


def renewal(
    lineage: LineageFacts, certificate: CertificateFacts, wanted_names: frozenset[DnsName], now: datetime, *,
    jitter: bool = True,
) -> Due:  # fmt: skip
    """When `certificate` is to be replaced, and why; the first reason that holds is the one given.

    The ARI moment (RFC 9773 §4.2) replaces our own rule, but a fifth of the lifetime is kept whatever the CA says.
    """
    if certificate.revoked_at is not None:
        return Due(now, Why("revoked"), Kind.REISSUE)
    if certificate.names != wanted_names:
        added = sorted(name.ascii for name in wanted_names - certificate.names)
        removed = sorted(name.ascii for name in certificate.names - wanted_names)
        return Due(now, Why("names-differ", {"added": ", ".join(added), "removed": ", ".join(removed)}), Kind.REISSUE)
    lifetime = certificate.not_after - certificate.not_before
    latest = certificate.not_before + lifetime * LATEST_SHARE
    if lineage.rolled_back_at is not None:
        # A person preferred this one to a newer: half of what was left then is theirs.
        return Due(
            lineage.rolled_back_at + max(certificate.not_after - lineage.rolled_back_at, timedelta(0)) / 2,
            Why("rolled-back"),
        )
    ari = lineage.ari
    if ari is not None and ari.renew_at is not None:
        if ari.renew_at <= latest:
            return Due(ari.renew_at, Why("ari-moment"))
        return Due(latest, Why("ari-too-late"))
    share = 1 / 2 if lifetime < SHORT_LIFETIME else 2 / 3
    early = lifetime * JITTER_SHARE * fraction(lineage.name, certificate.serial) if jitter else timedelta(0)
    why = LIFETIME_SPENT if now < certificate.not_after else EXPIRED
    return Due(certificate.not_before + lifetime * share - early, why)


def issuances(picture: Picture) -> Iterator[Action]:
    """A certificate that should be there and is not."""
    found: list[Action] = []
    for certificate in picture.wanted.by_name.values():
        lineage = picture.state.lineages.get(certificate.name)
        if lineage is not None and (lineage.current is not None or lineage.retired_at is not None):
            continue
        if not certificate.names or certificate.foreign:
            continue  # a first certificate waits until every name that was written down for it is in order
        begins = picture.begun_by(certificate.names)
        due = picture.not_at_month_end(Due(picture.now, NEVER_ISSUED, Kind.ISSUE), begins)
        names = certificate.names
        found.append(picture.action(due.kind, certificate.name, names, due.why, due.at, starts_usage=begins))
    # What carries a usage FQDN itself goes before what would start it by a derived name alone (TERMS P1).
    yield from sorted(found, key=lambda action: not action.starts_usage <= action.names)


def renewals(picture: Picture) -> Iterator[Action]:
    """A certificate whose time has come, whose names changed, or that was revoked."""
    for certificate in picture.wanted.by_name.values():
        lineage = picture.state.lineages.get(certificate.name)
        if lineage is None or lineage.current is None or lineage.retired_at is not None or not certificate.names:
            continue
        begins = picture.begun_by(certificate.names)
        replacement = _replacement(picture, lineage, lineage.current, certificate.names, begins)
        last_day = picture.last_day(certificate.names)
        if last_day is not None and jst_day(replacement.due_at) > last_day:
            continue  # by then there is nothing left to renew
        yield replacement
        if begins:  # while nobody has said that a period may begin, the other names must not run out
            rest = frozenset(name for name in certificate.names if not picture.begun_by({name}))
            if rest:
                yield _replacement(picture, lineage, lineage.current, rest, frozenset())


def _replacement(
    picture: Picture,
    lineage: LineageFacts,
    current: CertificateFacts,
    names: frozenset[DnsName],
    begins: frozenset[DnsName],
) -> Action:
    due = renewal(lineage, current, names, picture.now, jitter=picture.jitter)
    intent = picture.to_be_revoked.get((lineage.name, current.version))
    if intent is not None and intent.replace:
        compromised = intent.reason == Reason.KEY_COMPROMISE
        due = Due(picture.now, Why("compromised" if compromised else "revocation-asked"), Kind.REISSUE)
    due = picture.not_at_month_end(due, begins)
    return picture.action(
        due.kind, lineage.name, names, due.why, due.at, starts_usage=begins, version=current.version
    )  # fmt: skip


def revocations(picture: Picture) -> Iterator[Action]:
    """A revocation that was asked for: once the replacement is served everywhere, and by its deadline in any case."""
    for intent in picture.state.revocations:
        if intent.is_over(picture.now):
            continue
        ready = not intent.replace or (_is_replaced(picture, intent) and not list(still_shown(picture, intent)))
        action = picture.action(
            Kind.REVOKE,
            intent.lineage,
            intent.names,
            Why("asked-to-revoke", {"code": intent.reason, "circumstances": ", ".join(intent.circumstances)}),
            intent.requested_at if ready else intent.deadline,
            target=intent.serial,
            version=intent.version,
        )
        yield _within_the_duty(picture, intent, action)


def _within_the_duty(picture: Picture, intent: RevocationIntent, action: Action) -> Action:
    """For a compromised key our own caution ends at the deadline, and is short after it (TERMS R3)."""
    failure = failure_of(action, picture.state)
    if intent.reason != Reason.KEY_COMPROMISE or failure is None or action.attempt_at <= action.due_at:
        return action
    if failure.failed_at < intent.deadline:
        latest = intent.deadline
    elif failure.imposed:
        return action
    else:
        latest = failure.failed_at + OVERDUE_PAUSE
    return replace(action, attempt_at=max(action.due_at, min(action.attempt_at, latest)))


def _is_replaced(picture: Picture, intent: RevocationIntent) -> bool:
    """Whether every certificate that takes its place is issued, and served everywhere it is to be."""
    for carrier in picture.carriers(intent):
        lineage = picture.state.lineages.get(carrier.name)
        if lineage is not None and lineage.retired_at is not None:
            continue  # given up: nobody makes anything that could be waited for
        current = lineage.current if lineage else None
        if current is None or current.revoked_at is not None:
            return False
        if (carrier.name, current.version) == (intent.lineage, intent.version):
            return False
        other = picture.to_be_revoked.get((carrier.name, current.version))
        if (other is not None and other.replace) or not _served_everywhere(picture, carrier.name, current.version):
            return False
    return True


def still_shown(picture: Picture, intent: RevocationIntent) -> Iterator[str]:
    """Targets that were last seen to serve the certificate, with nothing of ours in its place since."""
    for target in picture.config.installers:
        shown = picture.state.installations.get((target, intent.lineage))
        if shown is None or shown.version != intent.version or shown.served_at is None:
            continue
        others = [
            picture.state.installations.get((target, carrier.name))
            for carrier in picture.carriers(intent)
            if carrier.name != intent.lineage
        ]
        if not any(other is not None and other.served_at is not None for other in others):
            yield target


def _served_everywhere(picture: Picture, lineage: str, version: int) -> bool:
    certificate = picture.wanted.by_name.get(lineage)
    for target in certificate.install if certificate else ():
        installation = picture.state.installations.get((target, lineage))
        if installation is None or installation.version != version or installation.served_at is None:
            return False
    return True


def installations(picture: Picture) -> Iterator[Action]:
    """A target that has not been given the current version, or where it has not been seen served.

    A version that is revoked, or is about to be, is given to nobody.
    """
    for certificate in picture.wanted.by_name.values():
        lineage = picture.state.lineages.get(certificate.name)
        if lineage is None or lineage.current is None or lineage.current.revoked_at is not None:
            continue
        if (lineage.name, lineage.current.version) in picture.to_be_revoked:
            continue
        for target in certificate.install:
            seen = picture.state.installations.get((target, certificate.name))
            if seen is not None and seen.version == lineage.current.version and seen.served_at is not None:
                continue
            why = Why("not-installed", {"target": target}) if seen is None else Why("older-served", {"target": target})
            yield picture.action(
                Kind.INSTALL, certificate.name, lineage.current.names, why, picture.now, target=target,
                version=lineage.current.version,
            )  # fmt: skip


def removals(picture: Picture) -> Iterator[Action]:
    """A lineage that nothing asks for any more: archived, its files stay."""
    for lineage in sorted(picture.state.lineages.values(), key=attrgetter("name")):
        if lineage.archived_at is not None or lineage.current is None:
            continue
        certificate = picture.wanted.by_name.get(lineage.name)
        if certificate is None:
            why = Why("not-in-configuration")
        elif not certificate.names:
            why = Why("usage-ended")
        else:
            last_day = picture.last_day(certificate.names)
            if last_day is not None:
                at = jst_midnight(last_day + timedelta(days=1))
                yield picture.action(Kind.REMOVE, lineage.name, lineage.current.names, Why("usage-ended"), at)
            continue
        yield picture.action(Kind.REMOVE, lineage.name, lineage.current.names, why, picture.now)


def observations(picture: Picture) -> Iterator[Action]:
    """Asking the CA when to renew (RFC 9773 §4.3), where it offers that."""
    if picture.state.offers_ari is False:
        return
    for certificate in picture.wanted.by_name.values():
        lineage = picture.state.lineages.get(certificate.name)
        if lineage is None or lineage.current is None or lineage.retired_at is not None or not certificate.names:
            continue
        if lineage.current.revoked_at is not None or lineage.current.not_after <= picture.now:
            continue
        # A certificate of today has nothing to say yet; from then on the CA says when it wants to be asked.
        look_at = max(picture.now, lineage.ari.look_at if lineage.ari else lineage.current.not_before + FIRST_LOOK)
        yield picture.action(
            Kind.OBSERVE, certificate.name, lineage.current.names, ASK_RENEWAL_INFORMATION, look_at,
            target="ari", version=lineage.current.version,
        )  # fmt: skip


Rule = Callable[[Picture], Iterator[Action]]
RULES: tuple[Rule, ...] = (issuances, renewals, installations, revocations, removals, observations)
