"""What the configuration says, as frozen values: every default is filled in, every path absolute, every name checked.

A field is called as its key in the file. Each value can be made without arguments where the file may be empty, so
that a test or a program that embeds us writes down only what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jprs_client.keys import KeyType

if TYPE_CHECKING:
    from datetime import date

    from jprs_client.terms.names import DnsName
    from jprs_client.terms.usage import Term

#: Seen in public repositories, not confirmed by JPRS; hence a default and nothing more.
DEFAULT_DIRECTORY = "https://acme.amecert.jprs.jp/DV/getDirectory"

#: The solver there is without any [solver.…] table, and where it listens.
BUILT_IN_SOLVER = "web"
BUILT_IN_PLUGIN = "standalone"


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP or UDP address; `host` is an IP address or a name, without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class CaSection:
    """`[ca]`: which CA. `trust` is a further root for the directory's own HTTPS, None for the system's alone."""

    directory: str = DEFAULT_DIRECTORY
    trust: Path | None = None
    require_scts: bool = True


@dataclass(frozen=True, slots=True)
class DnsSection:
    """`[dns]`: whom to ask for CAA and names; empty for the system's resolvers."""

    resolvers: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountSection:
    """`[account]`: mail addresses without `mailto:`, the file with the operator's credentials, the account's key."""

    contact: tuple[str, ...] = ()
    eab_credentials: Path | None = None
    key_type: KeyType = KeyType.ECDSA_P256


@dataclass(frozen=True, slots=True)
class OperatorSection:
    """`[operator]`: the managing operator (管理指定事業者); `notice_days` before an end day it wants a notice."""

    name: str | None = None
    suspended: bool = False
    notice_days: int = 14


@dataclass(frozen=True, slots=True)
class UsageFqdnTable:
    """`[[usage_fqdn]]`: one usage FQDN (利用FQDN) as applied for.

    `started` and `ends` are JST days, None while the state or the arithmetic knows them. `derived` is "auto",
    "always" or "never".
    """

    name: DnsName
    term: Term
    continuation_term: Term
    started: date | None = None
    ends: date | None = None
    terminating: bool = False
    start_usage: bool = False
    derived: str = "auto"


@dataclass(frozen=True, slots=True)
class SolverChoice:
    """Which solver proves which name; `default` None means the one built in."""

    default: str | None = None
    by_name: Mapping[DnsName, str] = field(default_factory=dict)

    def for_name(self, name: DnsName) -> str:
        """The solver for `name`: what is said for exactly this name, else the default."""
        return self.by_name.get(name, self.default if self.default is not None else BUILT_IN_SOLVER)


@dataclass(frozen=True, slots=True)
class CertificateTable:
    """`[[certificate]]`, with `[defaults]` filled in. Exactly one of `usage_fqdns` and `names` is not empty."""

    name: str
    usage_fqdns: tuple[DnsName, ...] = ()
    names: tuple[DnsName, ...] = ()
    key_type: KeyType = KeyType.ECDSA_P256
    solver: SolverChoice = field(default_factory=SolverChoice)
    install: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PluginTable:
    """`[solver.NAME]`, `[installer.NAME]` or `[notifier.NAME]`: the plugin and what it is set to, checked.

    `line` is where the table begins in `file`; None for a table that stands in no file.
    """

    name: str
    plugin: str
    settings: Mapping[str, object]
    file: Path
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Defaults:
    """`[defaults]`: what a certificate has that does not say otherwise, an automatic one too."""

    key_type: KeyType = KeyType.ECDSA_P256
    solver: SolverChoice = field(default_factory=SolverChoice)
    install: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannerSection:
    """`[planner]`: how usage FQDNs share certificates: "per-usage-fqdn" or "multi-domain"."""

    grouping: str = "per-usage-fqdn"
    max_names: int = 100


@dataclass(frozen=True, slots=True)
class RenewalSection:
    """`[renewal]`: no keys yet."""


@dataclass(frozen=True, slots=True)
class WindowsSection:
    """`[windows]`: no keys yet."""


@dataclass(frozen=True, slots=True)
class NotifySection:
    """`[notify]`: who is told what a person should hear although nobody is looking.

    `by` are the notifiers to tell, each in `Config.notifiers`; None in the file means all of them. `mail` (addresses)
    and `command` are notifiers of these names without a table. `language` None: the one that the run speaks.
    """

    by: tuple[str, ...] = ()
    language: str | None = None
    mail: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StorageSection:
    """`[storage]`: where facts are kept; the path of an `sqlite:///` address is relative to the state directory."""

    url: str = "sqlite:///state.db"


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, `path` and `conf.d` beside it, read once.

    `solvers` and `installers` hold every table that a certificate or `[defaults]` refers to, those without a table
    of their own too; so do `notifiers` what `[notify]` refers to.
    """

    path: Path
    ca: CaSection = field(default_factory=CaSection)
    dns: DnsSection = field(default_factory=DnsSection)
    account: AccountSection = field(default_factory=AccountSection)
    operator: OperatorSection = field(default_factory=OperatorSection)
    usage_fqdns: tuple[UsageFqdnTable, ...] = ()
    defaults: Defaults = field(default_factory=Defaults)
    certificates: tuple[CertificateTable, ...] = ()
    solvers: Mapping[str, PluginTable] = field(default_factory=dict)
    installers: Mapping[str, PluginTable] = field(default_factory=dict)
    notifiers: Mapping[str, PluginTable] = field(default_factory=dict)
    planner: PlannerSection = field(default_factory=PlannerSection)
    renewal: RenewalSection = field(default_factory=RenewalSection)
    windows: WindowsSection = field(default_factory=WindowsSection)
    notify: NotifySection = field(default_factory=NotifySection)
    storage: StorageSection = field(default_factory=StorageSection)
