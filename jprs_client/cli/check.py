"""`jprs-client check`: one line and an exit code, as Nagios and its kin expect them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from jprs_client.cli.input import Span
from jprs_client.cli.words import argument, option
from jprs_client.cli.words import command as worded
from jprs_client.errors import harmless

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jprs_client.cli.door import Door
    from jprs_client.planning.facts import CertificateFacts
    from jprs_client.planning.health import Finding

NAME = "check"
UNKNOWN = 3

#: Longer lines are cut by who reads them, and then perhaps in the numbers.
MOST_TEXT = 1000


@worded(NAME)
@argument("names", nargs=-1, metavar="[NAME]...")
@option("--warning", type=Span())
@option("--critical", type=Span())
@click.pass_obj
def command(
    door: Door, /, names: tuple[str, ...], warning: timedelta | None, critical: timedelta | None
) -> int:  # fmt: skip
    """Say in one line how grave things are. Asks nobody, changes nothing."""
    from jprs_client.notices import said
    from jprs_client.planning.health import Level, health, watched

    app = door.app()
    wanted = app.lineages(names) if names else None
    planned, state, _ = app.standings()
    found = [
        each
        for each in health(planned, state, planned.at, warning=warning, critical=critical)
        if wanted is None or not each.certificate or each.certificate in wanted
    ]
    looked_at = {
        name: facts for name, facts in watched(planned, state, planned.at).items() if wanted is None or name in wanted
    }
    level = max((each.level for each in found), default=Level.OK)
    if door.json:
        listed = []
        for each in found:
            message, next_step = said(each, door.speech)
            listed.append(
                {
                    "level": each.level.name, "code": each.code, "certificate": each.certificate or None,
                    "about": each.about or None, "message": message, "next_step": next_step,
                    "error": each.failure.code if each.failure else None,
                }
            )  # fmt: skip
        certificates = [
            {"name": name, "not_after": facts.not_after if facts else None, "days_left": _days_left(facts, planned.at)}
            for name, facts in looked_at.items()
        ]
        door.screen.document(
            {
                "status": level.name, "exit": int(level), "at": planned.at, "findings": listed,
                "certificates": certificates,
            }
        )  # fmt: skip
        return int(level)
    bad = [each for each in found if each.level is not Level.OK]
    if bad:
        text = said(bad[0], door.speech)[0]
    else:
        text = _all_in_order(door, looked_at, planned.at)
        if found:  # what mends itself, and a revocation of a certificate that nobody needs to watch any more
            text = door.say("check.patience", all=text, finding=said(found[0], door.speech)[0])
    if len(bad) > 1:
        text += f" (+ {door.say('check.more', count=len(bad) - 1)})"
    _line(door, level.name, text, _numbers(looked_at, bad, planned.at, warning, critical))
    return int(level)


def unknown(door: Door, code: str, message: str, next_step: str) -> int:
    """What `check` says where it cannot say how things are, whatever the reason: its exit code is always 3."""
    if door.json:
        error = {"code": code, "message": message, "next_step": next_step}
        door.screen.document({"status": "UNKNOWN", "exit": UNKNOWN, "findings": [], "error": error})
    else:
        _line(door, "UNKNOWN", f"{message} {next_step}".strip())
    return UNKNOWN


def _line(door: Door, status: str, text: str, numbers: str = "") -> None:
    """The answer itself, whole and on one line also where nobody wants to hear much; a bar begins the numbers."""
    told = harmless(text, MOST_TEXT).replace("|", "/")
    door.screen.answer(f"{status} - {told} | {numbers}" if numbers else f"{status} - {told}")


def _all_in_order(door: Door, looked_at: Mapping[str, CertificateFacts | None], now: datetime) -> str:
    first = min(
        ((facts.not_after, name) for name, facts in looked_at.items() if facts is not None), default=None
    )  # fmt: skip
    if first is None:
        return door.say("check.nothing")
    not_after, name = first
    return door.say("check.ok", count=len(looked_at), certificate=name, not_after=not_after, left=not_after - now)


def _numbers(
    looked_at: Mapping[str, CertificateFacts | None],
    bad: Sequence[Finding],
    now: datetime,
    warning: timedelta | None,
    critical: timedelta | None,
) -> str:
    """Performance data: `label=value;warn;crit`, where `20:` means that less than 20 is too little."""
    from jprs_client.planning.health import Level

    left = [days for facts in looked_at.values() if (days := _days_left(facts, now)) is not None]
    numbers = [
        f"certificates={len(looked_at)}",
        f"warnings={sum(each.level is Level.WARNING for each in bad)}",
        f"criticals={sum(each.level is Level.CRITICAL for each in bad)}",
    ]
    if left:
        limits = [f"{span / timedelta(days=1):g}:" if span is not None else "" for span in (warning, critical)]
        numbers.insert(0, ";".join([f"days_left={min(left)}", *limits]).rstrip(";"))
    return " ".join(numbers)


def _days_left(facts: CertificateFacts | None, now: datetime) -> float | None:
    return None if facts is None else round((facts.not_after - now) / timedelta(days=1), 2)
