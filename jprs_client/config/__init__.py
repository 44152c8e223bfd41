"""TOML → frozen values, once. `load` gives a `Config` or says everything that is wrong with the files at once."""

from __future__ import annotations

from jprs_client.config.values import (
    BUILT_IN_LISTEN,
    BUILT_IN_PLUGIN,
    BUILT_IN_SOLVER,
    DEFAULT_DIRECTORY,
    AccountSection,
    Address,
    CaSection,
    CertificateTable,
    Config,
    Defaults,
    DnsSection,
    NotifySection,
    OperatorSection,
    PlannerSection,
    PluginTable,
    RenewalSection,
    SolverChoice,
    StorageSection,
    UsageFqdnTable,
    WindowsSection,
)

__all__ = [
    "BUILT_IN_LISTEN",
    "BUILT_IN_PLUGIN",
    "BUILT_IN_SOLVER",
    "DEFAULT_DIRECTORY",
    "AccountSection",
    "Address",
    "CaSection",
    "CertificateTable",
    "Config",
    "Defaults",
    "DnsSection",
    "NotifySection",
    "OperatorSection",
    "PlannerSection",
    "PluginTable",
    "RenewalSection",
    "SolverChoice",
    "StorageSection",
    "UsageFqdnTable",
    "WindowsSection",
]
