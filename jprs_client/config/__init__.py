"""TOML → frozen values, once. `load` gives a `Config`, or everything that is wrong with the files at once."""

from __future__ import annotations

from jprs_client.config.plugin_tables import PluginKinds
from jprs_client.config.reading import (
    DEFAULT_PATH,
    INSTALLERS_WITHOUT_TABLE,
    PATH_VARIABLE,
    default_path,
    load,
)
from jprs_client.config.schema import KEYS
from jprs_client.config.values import (
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
    "BUILT_IN_PLUGIN",
    "BUILT_IN_SOLVER",
    "DEFAULT_DIRECTORY",
    "DEFAULT_PATH",
    "INSTALLERS_WITHOUT_TABLE",
    "KEYS",
    "PATH_VARIABLE",
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
    "PluginKinds",
    "PluginTable",
    "RenewalSection",
    "SolverChoice",
    "StorageSection",
    "UsageFqdnTable",
    "WindowsSection",
    "default_path",
    "load",
]
