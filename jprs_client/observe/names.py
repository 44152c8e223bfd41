"""Whether a name is there at all: a derived name that DNS does not know would fail a whole order."""

from __future__ import annotations

from typing import Literal, Protocol

from jprs_client.observe.resolver import Answer


class AsksAddresses(Protocol):
    """A resolver, as far as it is needed here."""

    def addresses(self, name: str, kind: Literal["A", "AAAA"], /) -> Answer[str]:
        """The IP addresses of one kind."""


def exists(name: str, resolver: AsksAddresses) -> bool | None:
    """Whether `name` has an address or is an alias; False only when DNS says that there is no such name.

    None when nobody could tell, and for a name with other records alone: a dns-01 proof may well stand below it.
    """
    for kind in ("A", "AAAA"):
        answer = resolver.addresses(name, kind)
        if answer.status == "found" or answer.aliases:
            return True
        if answer.status == "nxdomain":
            return False
        if answer.status != "no-data":
            return None
    return None


def derived_exists(derived: str, usage: str, resolver: AsksAddresses) -> bool | None:
    """Whether the name that goes with usage FQDN `usage` is there (`derived = "auto"`).

    False only where the same resolver knows `usage` itself, the literal `*.` label for a wildcard: one that knows
    neither sees another DNS than the CA does.
    """
    found = exists(derived, resolver)
    if found is False and exists(usage, resolver) is not True:
        return None
    return found


def knows_domain(name: str, resolver: AsksAddresses) -> bool:
    """Whether the resolver has heard of `name` or of anything above it, top-level domains left out.

    One that has not sees another DNS than the CA does: that it finds no record below `name` means nothing.
    """
    labels = name.split(".")
    return any(
        resolver.addresses(".".join(labels[start:]), "A").status in {"found", "no-data"}
        for start in range(len(labels) - 1)
    )
