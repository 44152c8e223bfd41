"""Why a certificate is revoked, and the code that says so (ご利用条件 第11条2項の2; TERMS R1, R2, R7)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, IntEnum
from typing import Self

from jprs_client.errors import ReasonNotAllowed, UsageError, harmless


class Reason(IntEnum):
    """The revocation reasons a subscriber may choose, numbered as in RFC 5280 §5.3.1."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5

    @property
    def label(self) -> str:
        """The name as the RFC and the terms spell it."""
        return _LABELS[self]


#: All of RFC 5280 §5.3.1, also those that are not for subscribers; 7 is not used.
_LABELS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}

CHOOSABLE = tuple(Reason)
_FOR_THE_CA_ALONE = 9  # 第12条5項


class Circumstance(Enum):
    """What happened, in the words of the person who revokes."""

    KEY_COMPROMISED = "key_compromised"
    CONTROL_LOST = "control_lost"
    SITE_CLOSED = "site_closed"
    ORGANIZATION_CHANGED = "organization_changed"
    REPLACED = "replaced"
    NON_CONFORMING = "non_conforming"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The circumstance of that name, with hyphens as on the command line or with underscores. Raises UsageError."""
        for circumstance in cls:
            if text in {circumstance.value, circumstance.option}:
                return circumstance
        raise UsageError("circumstance-unknown", circumstance=harmless(text, 40), known=[each.option for each in cls])

    @property
    def option(self) -> str:
        """As the command line spells it: `key-compromised`."""
        return self.value.replace("_", "-")

    @property
    def reason(self) -> Reason:
        """The code for it, where nothing else holds."""
        return _REASONS[self]


_REASONS = {
    Circumstance.KEY_COMPROMISED: Reason.KEY_COMPROMISE,
    Circumstance.CONTROL_LOST: Reason.CESSATION_OF_OPERATION,
    Circumstance.SITE_CLOSED: Reason.CESSATION_OF_OPERATION,
    Circumstance.ORGANIZATION_CHANGED: Reason.AFFILIATION_CHANGED,
    Circumstance.REPLACED: Reason.SUPERSEDED,
    Circumstance.NON_CONFORMING: Reason.UNSPECIFIED,  # 第11条1項1号・4号 have no code of their own (TERMS R7)
}

#: TERMS R2: of several that apply, the first. `SUPERSEDED` holds only where no other reason does (第11条2項の2).
_PRECEDENCE = (
    Reason.KEY_COMPROMISE,
    Reason.CESSATION_OF_OPERATION,
    Reason.AFFILIATION_CHANGED,
    Reason.SUPERSEDED,
    Reason.UNSPECIFIED,
)


def reason_for(circumstances: Iterable[Circumstance]) -> Reason:
    """The code that follows from what happened; `UNSPECIFIED` when nothing is said (ご利用条件 第11条2項の2)."""
    holding = {circumstance.reason for circumstance in circumstances} | {Reason.UNSPECIFIED}
    return min(holding, key=_PRECEDENCE.index)


def checked(code: int) -> Reason:
    """The reason with this number. Raises ReasonNotAllowed for 9, which is the CA's alone, and for any other."""
    if code == _FOR_THE_CA_ALONE:
        raise ReasonNotAllowed("reason-ca-only", reason=code, label=_LABELS[code])
    if code not in set(Reason):
        raise ReasonNotAllowed("reason-unknown", reason=code, label=_LABELS.get(code, "-"), choosable=_choosable())
    return Reason(code)


def notes(reason: Reason) -> tuple[str, ...]:
    """Codes of what to tell before revoking with `reason` (`note.CODE` in `locale/`)."""
    told = []
    if reason is not Reason.UNSPECIFIED:  # 第11条2項の2: the CRL shows every code but 0
        told.append("reason-published")
    if reason is Reason.AFFILIATION_CHANGED:  # a domain-validated certificate names no organisation
        told.append("reason-affiliation-on-dv")
    return tuple(told)


def _choosable() -> list[str]:
    return [f"{reason.value} {reason.label}" for reason in CHOOSABLE]
