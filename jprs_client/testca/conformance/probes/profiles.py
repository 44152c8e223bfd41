"""draft-aaron-acme-profiles: profiles of certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, expect, probe, skip
from jprs_client.testca.conformance.server import Server, refused

_SECTION = "draft-aaron-acme-profiles"


def _offered(server: Server) -> Mapping[str, Any]:
    found = server.meta.get("profiles")
    if found is None:
        skip("the directory offers no profiles")
    expect(isinstance(found, dict), "profiles is no object")
    return found if isinstance(found, dict) else {}


@probe("profiles-3-meta", f"{_SECTION} §3", MUST)
def meta(server: Server) -> None:
    """The directory's profiles are an object of names and descriptions."""
    expect(all(isinstance(each, str) for each in _offered(server).values()), "a description that is no text")


@probe("profiles-4-shown", f"{_SECTION} §4", MUST)
def shown(server: Server) -> None:
    """An order for an offered profile is taken, and shows it."""
    for profile in _offered(server):
        order = server.order(profile=profile)
        expect(order.document.get("profile") == profile, "another profile")
        expect(server.seen_again(order).document.get("profile") == profile, "another profile later")


@probe("profiles-4-unknown", f"{_SECTION} §4", MUST)
def unknown(server: Server) -> None:
    """An order for a profile that is not offered is refused with invalidProfile."""
    _offered(server)
    refused(server.try_order([server.name()], profile="nobody-offers-this"), "invalidProfile")


@probe("profiles-4-not-text", f"{_SECTION} §4", MUST)
def not_text(server: Server) -> None:
    """An order for a profile that is a number is refused."""
    _offered(server)
    refused(server.try_order([server.name()], profile=1), "invalidProfile", "malformed")


@probe("profiles-4-case", f"{_SECTION} §4", MUST)
def case(server: Server) -> None:
    """A profile's name in capitals is another name: invalidProfile."""
    name = next(iter(_offered(server)))
    if name.upper() == name:
        skip("the profile's name is in capitals")
    refused(server.try_order([server.name()], profile=name.upper()), "invalidProfile")


@probe("profiles-4-default", f"{_SECTION} §4", SHOULD)
def default(server: Server) -> None:
    """An order without a profile shows the one that the server chose."""
    found = server.order().document.get("profile") if _offered(server) else None
    expect(found in _offered(server), "no profile" if found is None else "a profile that is not offered")


@probe("profiles-4-issued", f"{_SECTION} §4", MUST)
def issued(server: Server) -> None:
    """Each offered profile leads to a certificate."""
    for profile in _offered(server):
        server.issue(profile=profile)


@probe("profiles-4-not-offered", f"{_SECTION} §4", MAY)
def not_offered(server: Server) -> None:
    """Where no profiles are offered, an order for one is refused with invalidProfile, or passes it over."""
    if "profiles" in server.meta:
        skip("the directory offers profiles")
    answer = server.try_order([server.name()], profile="nobody-offers-this")
    expect(answer.status == 201 or answer.problem in {"invalidProfile", "malformed"}, answer.said)
