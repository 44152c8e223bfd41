"""Pebble's own configuration and environment, in our words: an open CA, whose credentials count once each.

What has no counterpart here is told, never passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jprs_client.testca.words import Note

#: What Pebble takes in CAA records where its configuration names nobody.
CAA_IDENTITY = "pebble.letsencrypt.org"

_FILE = "pebble."


class MemberError(ValueError):
    """A member is not what Pebble has there."""

    def __init__(self, name: str, value: object) -> None:
        super().__init__(f"{name}: {value}")
        self.name = name
        self.value = value


class _Members:
    """The members of an object, each taken once. Go reads their names whatever the case; null is as good as none."""

    def __init__(self, document: Mapping[str, Any], where: str = _FILE) -> None:
        self._members = {key.lower(): (key, value) for key, value in document.items() if value is not None}
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._members

    def take(self, name: str, kind: type, otherwise: Any = None) -> Any:
        """The member's value. Raises MemberError."""
        spelled, value = self._members.pop(name.lower(), (name, kind() if otherwise is None else otherwise))
        whole = kind is int and (isinstance(value, bool) or (isinstance(value, int) and not 0 <= value < 2**31))
        if not isinstance(value, kind) or whole:
            raise MemberError(f"{self._where}{spelled}", value)
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts. Raises MemberError."""
        value = self.take(name, list)
        if not all(isinstance(each, str) for each in value):
            raise MemberError(f"{self._where}{name}", value)
        return list(value)

    def rest(self) -> list[str]:
        """What nobody took, as it is spelled."""
        return [spelled for spelled, _ in self._members.values()]


def from_document(pebble: Mapping[str, Any], notes: list[Note]) -> dict[str, object]:
    """The options that the member `pebble` means; what is not used is added to `notes`. Raises MemberError."""
    members = _Members(pebble)
    found: dict[str, object] = {
        "open": True,
        "require_eab": members.take("externalAccountBindingRequired", bool),
        "http_port": members.take("httpPort", int) or 5002,
        "tls_port": members.take("tlsPort", int) or 5001,
        "caa_identity": members.texts("caaIdentities") or [CAA_IDENTITY],
        "block": members.texts("domainBlocklist"),
    }
    if listen := members.take("listenAddress", str):
        found["listen"] = listen
    found |= _management(members, notes)
    found |= _tls(members, notes)
    found |= _profiles(members)
    if algorithm := members.take("keyAlgorithm", str):
        found["issuer"] = algorithm
    keys = members.take("externalAccountMACKeys", dict)
    for key_id, key in keys.items():
        if not isinstance(key, str):
            raise MemberError(f"{_FILE}externalAccountMACKeys.{key_id}", key)
    found["subscriber"] = [
        {"name": key_id, "usage_fqdns": "any", "eab": {"key_id": key_id, "hmac_key": key}}
        for key_id, key in keys.items()
    ]
    waits = _Members(members.take("retryAfter", dict), f"{_FILE}retryAfter.")
    order, authorization = waits.take("order", int), waits.take("authz", int)
    if order or authorization:
        found["retry_after"] = order or authorization
        if order != authorization:
            notes.append(Note("pebble-retry-after", {"taken": order or authorization}))
    if responder := members.take("ocspResponderURL", str):
        notes.append(Note("pebble-ocsp", {"value": responder}))
    if pki := members.take("crlListenAddress", str):
        found["pki"] = pki
    for name, kind in (("crlBaseURL", str), ("crlMaxDelay", int), ("crlValidity", int)):
        if name in members and members.take(name, kind):
            notes.append(Note("pebble-crl", {"name": name}))
    notes.extend(Note("pebble-unknown", {"where": "pebble", "name": name}) for name in [*members.rest(), *waits.rest()])
    return found


def _management(members: _Members, notes: list[Note]) -> dict[str, object]:
    if "managementListenAddress" not in members:
        return {}
    management = members.take("managementListenAddress", str)
    if not management:
        notes.append(Note("pebble-management", {}))
        return {}
    return {"management": management}


def _tls(members: _Members, notes: list[Note]) -> dict[str, object]:
    """Pebble's own paths, from the current folder; in its samples they lead into its sources."""
    cert, key = members.take("certificate", str), members.take("privateKey", str)
    if not cert and not key:
        return {}
    if not (Path(cert).is_file() and Path(key).is_file()):
        notes.append(Note("pebble-tls", {"cert": cert, "key": key}))
        return {}
    return {"tls_cert": cert, "tls_key": key}


def _profiles(members: _Members) -> dict[str, object]:
    """Their lifetimes are in seconds; 0 is the usual one."""
    profiles: dict[str, dict[str, str]] = {}
    for name, document in members.take("profiles", dict).items():
        if not isinstance(document, dict):
            raise MemberError(f"{_FILE}profiles.{name}", document)
        profile = _Members(document, f"{_FILE}profiles.{name}.")
        profiles[name] = {"description": profile.take("description", str) or name}
        if seconds := profile.take("validityPeriod", int):
            profiles[name]["lifetime"] = f"{seconds}s"
    seconds = members.take("certificateValidityPeriod", int)
    if seconds and not profiles:
        profiles["default"] = {"description": "The default profile", "lifetime": f"{seconds}s"}
    return {"profiles": profiles} if profiles else {}


def from_environment(environment: Mapping[str, str], notes: list[Note]) -> dict[str, object]:
    """The options that PEBBLE_… variables mean; what is not used is added to `notes`."""
    found: dict[str, object] = {}
    for name, value in sorted(environment.items()):
        if not name.startswith("PEBBLE_"):
            continue
        if name in _NUMBERS:
            key, most = _NUMBERS[name]
            if re.fullmatch("[0-9]{1,6}", value) and int(value) <= most:
                found[key] = int(value)
            else:
                notes.append(Note("pebble-not-a-number", {"name": name, "value": value}))
        elif name in _SWITCHES:
            if _true(value):
                found |= _SWITCHES[name]
        elif name == "PEBBLE_CRL_LISTEN_ADDRESS":
            found["pki"] = value
        elif name in {"PEBBLE_CHAIN_LENGTH", "PEBBLE_ALTERNATE_ROOTS"}:
            notes.append(Note("pebble-chain", {"name": name}))
        elif name.startswith("PEBBLE_CRL_"):
            notes.append(Note("pebble-crl", {"name": name}))
        else:
            notes.append(Note("pebble-unknown", {"where": "environment", "name": name}))
    if _true(environment.get("PEBBLE_VA_NOSLEEP", "")):
        found["validation_delay"] = 0
    return found


#: Variables with a number: the option, and the most it may be.
_NUMBERS: Mapping[str, tuple[str, int]] = {
    "PEBBLE_AUTHZREUSE": ("authz_reuse", 100),
    "PEBBLE_VA_SLEEPTIME": ("validation_delay", 3600),
    "PEBBLE_WFE_NONCEREJECT": ("nonce_reject", 100),
    "PEBBLE_WFE_ORDERS_PER_PAGE": ("orders_per_page", 100_000),
}
_SWITCHES: Mapping[str, Mapping[str, object]] = {
    "PEBBLE_VA_ALWAYS_VALID": {"always_valid": True},
    "PEBBLE_VA_NOSLEEP": {},
}


def _true(value: str) -> bool:
    """As Pebble reads a switch."""
    return value.lower() in {"1", "true"}
