"""The rules: each looks at the facts and says what it sees coming. Ties are settled by the order of `RULES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from jprs_client.config import Config
from jprs_client.planning.actions import Action, Kind, Why
from jprs_client.planning.backoff import fraction
from jprs_client.planning.facts import CertificateFacts, LineageFacts, State
from jprs_client.planning.usages import usages
from jprs_client.planning.wanted import WantedCertificates, wanted
from jprs_client.terms.authority import Authority
from jprs_client.terms.names import DnsName
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
    def not_started(self) -> frozenset[DnsName]:
        """Usage FQDNs whose period has not begun."""
        return frozenset(usage.name for usage in self.usages if usage.period is None)

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
        failure = self.state.failures.get((certificate, kind_of_failure(kind), target))
        attempt_at, imposed = due_at, False
        if failure is not None and failure.names == names:
            attempt_at, imposed = max(due_at, failure.retry_at), failure.imposed and failure.retry_at > due_at
        return Action(
            kind, certificate, names, why, due_at, attempt_at, starts_usage, target, version, imposed
        )  # fmt: skip


def kind_of_failure(kind: Kind) -> str:
    """Failures of issuing, renewing and reissuing are one row: they fail in the same steps."""
    return "issue" if kind in {Kind.ISSUE, Kind.RENEW, Kind.REISSUE} else kind.value


@dataclass(frozen=True, slots=True)
class Due:
    """When a certificate is to be replaced, and why."""

    at: datetime
    why: Why
    kind: Kind = Kind.RENEW


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
    return Due(certificate.not_before + lifetime * share - early, Why("lifetime-spent"))


def issuances(picture: Picture) -> Iterator[Action]:
    """A certificate that should be there and is not."""
    for certificate in picture.wanted.by_name.values():
        lineage = picture.state.lineages.get(certificate.name)
        if lineage is not None and (lineage.current is not None or lineage.retired_at is not None):
            continue
        if not certificate.names or certificate.foreign:
            continue  # a first certificate waits until every name that was written down for it is in order
        begins = picture.authority.starts(certificate.names)
        due_at, why = picture.now, Why("never-issued")
        if begins and close_to_month_end(picture.now):
            due_at, why = _next_jst_midnight(picture.now), Why("after-month-end")
        yield picture.action(Kind.ISSUE, certificate.name, certificate.names, why, due_at, starts_usage=begins)


def _next_jst_midnight(now: datetime) -> datetime:
    return jst_midnight(jst_day(now) + timedelta(days=1))


def renewals(picture: Picture) -> Iterator[Action]:
    """A certificate whose time has come, whose names changed, or that was revoked."""
    for certificate in picture.wanted.by_name.values():
        lineage = picture.state.lineages.get(certificate.name)
        if lineage is None or lineage.current is None or lineage.retired_at is not None or not certificate.names:
            continue
        begins = picture.authority.starts(certificate.names)
        yield _replacement(picture, lineage, lineage.current, certificate.names, begins)
        if begins:  # while nobody has said that a period may begin, the other names must not run out
            rest = frozenset(name for name in certificate.names if not picture.authority.starts({name}))
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
    for intent in picture.state.revocations:
        if intent.lineage == lineage.name and intent.version == current.version and intent.replace:
            due = Due(picture.now, Why("compromised" if intent.reason == 1 else "revocation-asked"), Kind.REISSUE)
    return picture.action(
        due.kind, lineage.name, names, due.why, due.at, starts_usage=begins, version=current.version
    )  # fmt: skip


def revocations(picture: Picture) -> Iterator[Action]:
    """A revocation that was asked for: once the replacement is served everywhere, and by its deadline in any case."""
    for intent in picture.state.revocations:
        lineage = picture.state.lineages.get(intent.lineage)
        current = lineage.current if lineage else None
        replaced = (
            lineage is not None
            and current is not None
            and current.version != intent.version
            and _served_everywhere(picture, lineage.name, current.version)
        )
        ready = replaced or not intent.replace
        names = current.names if current else frozenset[DnsName]()
        yield picture.action(
            Kind.REVOKE,
            intent.lineage,
            names,
            Why("asked-to-revoke", {"code": intent.reason, "circumstances": ", ".join(intent.circumstances)}),
            intent.requested_at if ready else intent.deadline,
            target=intent.serial,
            version=intent.version,
        )


def _served_everywhere(picture: Picture, lineage: str, version: int) -> bool:
    certificate = picture.wanted.by_name.get(lineage)
    for target in certificate.install if certificate else ():
        installation = picture.state.installations.get((target, lineage))
        if installation is None or installation.version != version or installation.served_at is None:
            return False
    return True


def installations(picture: Picture) -> Iterator[Action]:
    """A target that has not been given the current version, or where it has not been seen served."""
    for certificate in picture.wanted.by_name.values():
        lineage = picture.state.lineages.get(certificate.name)
        if lineage is None or lineage.current is None or lineage.current.revoked_at is not None:
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
    for lineage in picture.state.lineages.values():
        if lineage.archived_at is not None or lineage.current is None:
            continue
        certificate = picture.wanted.by_name.get(lineage.name)
        if certificate is None:
            why = Why("not-in-configuration")
        elif not certificate.names:
            why = Why("usage-ended")
        else:
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
        look_at = lineage.ari.look_at if lineage.ari else lineage.current.not_before + FIRST_LOOK
        yield picture.action(
            Kind.OBSERVE, certificate.name, lineage.current.names, Why("ask-renewal-information"), look_at,
            target="ari", version=lineage.current.version,
        )  # fmt: skip


Rule = Callable[[Picture], Iterator[Action]]
RULES: tuple[Rule, ...] = (issuances, renewals, installations, revocations, removals, observations)
