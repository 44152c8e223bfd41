"""What the planner says: what, when and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from jprs_client.errors import Value
from jprs_client.terms.names import DnsName


class Kind(Enum):
    """The kinds of action, as `plan --json` spells them."""

    ISSUE = "issue"
    RENEW = "renew"
    REISSUE = "reissue"
    REVOKE = "revoke"
    INSTALL = "install"
    REMOVE = "remove"
    OBSERVE = "observe"


NOTHING: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Why:
    """A reason: a stable code, and what fills its sentence (`reason.CODE` in `locale/`)."""

    code: str
    params: Mapping[str, Value] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. Its moment is `due_at`; after failures it is tried by itself at `attempt_at`.

    `starts_usage` are the usage FQDNs whose period, and charge, begins with it (TERMS P1). `target` is the installer of
    an install, or what an observation looks at. `serial` is the certificate that is to be replaced or revoked.
    """

    kind: Kind
    certificate: str
    names: frozenset[DnsName]
    why: Why
    due_at: datetime
    attempt_at: datetime
    starts_usage: frozenset[DnsName] = frozenset()
    target: str = ""
    version: int = 0
    imposed: bool = False

    @property
    def sorted_names(self) -> tuple[str, ...]:
        """The names as sorted A-labels."""
        return tuple(sorted(name.ascii for name in self.names))


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that stands in the way and that a person can mend (`problem.CODE`, `remedy.CODE` in `locale/`).

    `certificate` is the lineage it holds up, if one; `blocks` tells whether nothing can be ordered for it until then;
    `exit_code` is what a run that meets it ends with, 0 for a mere warning.
    """

    code: str
    params: Mapping[str, Value]
    certificate: str = ""
    exit_code: int = 0
