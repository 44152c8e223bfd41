"""Several notices as one message: how grave, one line, and everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jprs_client.plugin import Notice

GRAVEST_FIRST = ("critical", "warning", "ok")
#: More than anybody reads; what is left out is counted.
MOST_NOTICES = 200


@dataclass(frozen=True, slots=True)
class Message:
    """`level` is that of the gravest notice, whose subject is the message's."""

    level: str
    subject: str
    text: str


def message(notices: Sequence[Notice]) -> Message:
    """All of `notices`, gravest first; there is one at least."""
    ordered = sorted(notices, key=lambda notice: GRAVEST_FIRST.index(notice.level))
    first, more = ordered[0], len(ordered) - 1
    texts = [f"{notice.level.upper()}: {notice.text}" for notice in ordered[:MOST_NOTICES]]
    if len(ordered) > MOST_NOTICES:
        texts.append(f"… +{len(ordered) - MOST_NOTICES}")
    return Message(first.level, f"{first.subject} (+{more})" if more else first.subject, "\n\n".join(texts))
