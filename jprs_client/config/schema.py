"""Which keys there are: a field of a value is a key of the file, under the same name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from jprs_client.config.problems import Choices
from jprs_client.config.sources import Shape
from jprs_client.config.values import (
    AccountSection,
    CaSection,
    CertificateTable,
    Defaults,
    DnsSection,
    NotifySection,
    OperatorSection,
    PlannerSection,
    RenewalSection,
    StorageSection,
    UsageFqdnTable,
    WindowsSection,
)

SECTIONS = {
    "ca": CaSection,
    "dns": DnsSection,
    "account": AccountSection,
    "operator": OperatorSection,
    "defaults": Defaults,
    "planner": PlannerSection,
    "renewal": RenewalSection,
    "windows": WindowsSection,
    "notify": NotifySection,
    "storage": StorageSection,
}
ARRAYS = {"usage_fqdn": UsageFqdnTable, "certificate": CertificateTable}
PLUGIN_TABLES = ("solver", "installer", "notifier")

SHAPE = Shape(frozenset(SECTIONS), frozenset(ARRAYS), frozenset(PLUGIN_TABLES))

#: The keys of each kind of table. A plugin's table has its plugin's options besides.
KEYS: Mapping[str, tuple[str, ...]] = {
    **{kind: tuple(field.name for field in fields(cls)) for kind, cls in SECTIONS.items()},
    **{kind: tuple(field.name for field in fields(cls)) for kind, cls in ARRAYS.items()},
    **dict.fromkeys(PLUGIN_TABLES, ("plugin",)),
}

#: The same, for a person to choose from.
KEY_CHOICES: Mapping[str, Choices] = {kind: Choices(keys) for kind, keys in KEYS.items()}
TABLE_CHOICES = Choices(KEYS)

#: The one table that has a key of this name, for who writes it under another heading.
ELSEWHERE: Mapping[str, str] = {
    key: f"[[{kind}]] {key}" if kind in ARRAYS else f"[{kind}] {key}"
    for kind, keys in KEYS.items()
    for key in keys
    if key != "plugin" and sum(key in others for others in KEYS.values()) == 1
}
