"""Which names may be ordered, and what an ending usage FQDN takes with it (TERMS N5, N7, P8).

ご利用条件 第4条3項・4項, 第10条2項, 第12条4項.

An order takes `IssuableName`s, and only `Authority.issuable` makes one: a name that no usable usage FQDN authorises
cannot reach an order by mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from datetime import date

from jprs_client.errors import NotIssuable
from jprs_client.terms.names import DnsName, is_public_suffix
from jprs_client.terms.usage import Usage

_MADE_HERE = object()


@dataclass(frozen=True, slots=True, order=True)
class IssuableName:
    """A name that a usable usage FQDN authorised when asked; made by `Authority.issuable` alone."""

    name: DnsName
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("an IssuableName is made by Authority.issuable")

    def __str__(self) -> str:
        return self.name.ascii


class Authority:
    """What one subscriber's usage FQDNs authorise on one day in Japan."""

    __slots__ = ("_by_name", "_by_usage_fqdn", "today", "usages")

    def __init__(self, usages: Iterable[Usage], today: date) -> None:
        self.usages = tuple(usages)
        self.today = today
        self._by_usage_fqdn = {usage.name: usage for usage in self.usages}
        self._by_name: dict[DnsName, list[Usage]] = {}
        for usage in self.usages:
            for name in usage.issuable:
                self._by_name.setdefault(name, []).append(usage)

    def authorising(self, name: DnsName) -> tuple[Usage, ...]:
        """The usable usage FQDNs that authorise `name`, `name` itself first where it is one (TERMS N5)."""
        usable = (usage for usage in self._by_name.get(name, ()) if usage.is_usable(self.today))
        return tuple(sorted(usable, key=lambda usage: usage.name != name))

    def authorises(self, name: DnsName) -> bool:
        """Whether any usable usage FQDN authorises `name`."""
        return any(usage.is_usable(self.today) for usage in self._by_name.get(name, ()))

    def issuable(self, name: DnsName) -> IssuableName:
        """`name` as an order takes it. Raises NotIssuable with the usage FQDN to apply for (TERMS N7)."""
        if not self.authorises(name):
            raise NotIssuable(name.both_forms, to_apply_for(name).both_forms)
        return IssuableName(name, _MADE_HERE)

    def servable_by(self, name: DnsName) -> DnsName | None:
        """The name to order so that `name` is served: itself, or the wildcard above it (TERMS N3). None: nobody may."""
        wildcard = name.wildcard
        if self.authorises(name):
            return name
        return wildcard if wildcard is not None and self.authorises(wildcard) else None

    def orderable(self, name: DnsName) -> IssuableName:
        """What is ordered for a wanted `name`: itself, or `*.D` in the place of `x.D`. Raises NotIssuable."""
        return self.issuable(self.servable_by(name) or name)

    def at_risk(self, ending: Usage) -> frozenset[DnsName]:
        """The names that fall with `ending`: all it authorises, less those that are a longer-lived usage FQDN (P8).

        A certificate with one of them is taken as revoked when the period of `ending` is over (ご利用条件 第12条4項).
        Empty while `ending` is not known to end.
        """
        if not ending.is_ending(self.today):
            return frozenset()
        return frozenset(name for name in ending.issuable if not self._is_longer_lived(name, ending))

    def _is_longer_lived(self, name: DnsName, ending: Usage) -> bool:
        own = self._by_usage_fqdn.get(name)
        return own is not None and own.name != ending.name and own.outlives(ending, self.today)

    def after(self, ending: Usage) -> Authority:
        """What is authorised by the usage FQDNs that go on when the period of `ending` is over, as things are known.

        `after(U).servable_by(name)` tells what serves a name at risk: itself, alone in a certificate, or a wildcard.
        """
        survivors = (usage for usage in self.usages if usage.name != ending.name)
        return Authority((usage for usage in survivors if usage.outlives(ending, self.today)), self.today)

    def starts(self, names: Iterable[DnsName]) -> frozenset[DnsName]:
        """The usage FQDNs whose periods a certificate with `names` would start (ご利用条件 第10条2項; TERMS P1).

        Assumed, as the terms do not say: a derived name alone starts its usage FQDN; a name that is itself a usage
        FQDN starts only that one. Under suspension nothing starts (第10条6項).
        """
        begun = (usage for name in names for usage in self._started_by(name))
        return frozenset(usage.name for usage in begun if not usage.has_started and not usage.suspended)

    def _started_by(self, name: DnsName) -> Iterable[Usage]:
        own = self._by_usage_fqdn.get(name)
        if own is not None and not own.is_over(self.today):
            return (own,)
        return self._by_name.get(name, ())


def starts(names: Iterable[DnsName], usages: Iterable[Usage], today: date) -> frozenset[DnsName]:
    """Which usage FQDNs among `usages` a certificate with `names` would start; see `Authority.starts`."""
    return Authority(usages, today).starts(names)


def to_apply_for(name: DnsName) -> DnsName:
    """The usage FQDN that would make `name` issuable.

    X for `www.X`, since it then covers both (ご利用条件 第4条3項1号), unless nobody can hold X; else the name itself.
    """
    rest = name.ascii.removeprefix("www.")
    if rest == name.ascii or is_public_suffix(rest):
        return name
    return DnsName(rest)
