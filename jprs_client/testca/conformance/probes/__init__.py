"""Every probe, in the order in which they are asked: from what everything stands on to what stands on everything."""

from __future__ import annotations

from importlib import import_module

from jprs_client.testca.conformance.registry import Probe, collected

_MODULES = (
    "transport",
    "directory",
    "nonces",
    "signatures",
    "accounts",
    "bindings",
    "key_change",
    "orders",
    "authorizations",
    "challenges",
    "tls_alpn",
    "caa",
    "certificates",
    "revocation",
    "renewal_info",
    "profiles",
    "last",
)

PROBES: tuple[Probe, ...] = tuple(collected(import_module(f"{__name__}.{module}") for module in _MODULES))
