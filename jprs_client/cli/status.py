"""`jprs-client status` and `show`: how things stand, from the store alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jprs_client.cli import shapes
from jprs_client.cli.telling import tell_problems
from jprs_client.cli.words import argument
from jprs_client.cli.words import command as worded

if TYPE_CHECKING:
    from jprs_client.app import App
    from jprs_client.cli.door import Door
    from jprs_client.planning.facts import CertificateFacts
    from jprs_client.planning.standing import CertificateStanding

STYLES = {"valid": "good", "due": "warning", "failing": "warning"}


@worded("status")
@argument("names", nargs=-1, metavar="[NAME]...")
@click.pass_obj
def command(door: Door, /, names: tuple[str, ...]) -> int:
    """Show account, usage FQDNs and certificates, or only the certificates called NAME."""
    from jprs_client.terms.usage import jst_day

    app = door.app()
    wanted = app.lineages(names) if names else None
    planned, state, found = app.standings()
    found = tuple(each for each in found if wanted is None or each.name in wanted)
    today = jst_day(planned.at)
    if door.json:
        door.screen.document(
            {
                "at": planned.at,
                "account": shapes.account(state.account, app.config.ca.directory),
                "usage_fqdns": [shapes.usage(usage, today) for usage in planned.usages],
                "certificates": [_shape(door, app, each) for each in found],
                "revocations": [
                    {
                        "certificate": each.lineage,
                        "serial": each.serial,
                        "code": each.reason,
                        "circumstances": each.circumstances,
                        "deadline": each.deadline,
                    }
                    for each in state.revocations
                    if wanted is None or each.lineage in wanted
                ],
            }
        )
        return 0
    if state.account is None:
        door.tell("status.no-account", directory=app.config.ca.directory)
    else:
        door.tell("status.account", status=state.account.status, url=state.account.url)
    door.screen.line()
    head = [door.say(f"status.head-{word}") for word in ("certificate", "status", "names", "until", "renewal")]
    rows: list[tuple[object, ...]] = [
        (
            each.name, door.say(f"status.is-{each.status}"), sorted(name.both_forms for name in each.names),
            each.current.not_after if each.current else "-", each.renew_at or "-",
        )
        for each in found
    ]  # fmt: skip
    door.screen.table(head, rows)
    for waiting in state.revocations:
        if wanted is None or waiting.lineage in wanted:
            text = door.say(
                "status.to-be-revoked", certificate=waiting.lineage, serial=waiting.serial, reason=waiting.reason,
                deadline=waiting.deadline,
            )  # fmt: skip
            door.screen.line(text, "warning")
    for each in found:
        if each.failure is not None:
            door.screen.line()
            failure = each.failure
            door.screen.line(door.say("status.failed", certificate=each.name, count=failure.count), "warning")
            door.screen.line(door.say(f"error.{failure.code}", **failure.params), indent=2)
            door.screen.line(door.say(f"next.{failure.code}", **failure.params), indent=2)
            door.screen.line(door.say("plan.next-attempt", at=failure.retry_at), indent=2)
    if wanted is None:
        door.screen.line()
        head = [door.say(f"status.head-{word}") for word in ("usage-fqdn", "status", "term", "started", "ends")]
        rows = [
            (
                usage.name.both_forms, door.say(f"usage-status.{usage.status(today).value}"),
                door.say(f"term.{usage.term.label}"), usage.period.start if usage.period else "-", usage.ends or "-",
            )
            for usage in planned.usages
        ]  # fmt: skip
        door.screen.table(head, rows)
        tell_problems(door, planned.problems)
    return 0


def _shape(door: Door, app: App, each: CertificateStanding) -> dict[str, object]:
    return shapes.certificate(each, door.speech, str(app.store.versions.live(each.name)))


def _version_status(door: Door, facts: CertificateFacts, standing: CertificateStanding | None) -> str:
    """Revoked, in service, or neither."""
    if facts.revoked_at is not None:
        return door.say("status.is-revoked")
    current = standing.current.version if standing is not None and standing.current is not None else None
    return door.say("status.is-current") if facts.version == current else "-"


@worded("show")
@argument("name", metavar="NAME")
@click.pass_obj
def show(door: Door, /, name: str) -> int:
    """Show everything known of one certificate: its versions, where it is served, its files."""
    app = door.app()
    (lineage,) = app.lineages([name])
    _, _, found = app.standings()
    standing = next((each for each in found if each.name == lineage), None)
    versions = [facts for _, facts in app.store.certificates(lineage)]
    live = app.store.versions.live(lineage)
    if door.json:
        shape: dict[str, object] = _shape(door, app, standing) if standing else {"name": lineage}
        shape["versions"] = [
            {
                "version": facts.version, "serial": facts.serial, "not_before": facts.not_before,
                "not_after": facts.not_after, "names": sorted(each.ascii for each in facts.names),
                "key_spki_sha256": facts.key_spki_sha256, "fingerprint": facts.fingerprint,
                "revoked_at": facts.revoked_at, "revocation_reason": facts.revocation_reason,
            }
            for facts in versions
        ]  # fmt: skip
        door.screen.document(shape)
        return 0
    if standing is None:
        door.tell("show.no-longer-managed", certificate=lineage)
    else:
        door.tell("show.is", certificate=lineage, status=door.say(f"status.is-{standing.status}"))
        door.screen.line(door.say("show.names", names=sorted(each.both_forms for each in standing.names)), indent=2)
        if standing.renew_at is not None:
            door.screen.line(door.say("show.renewal", at=standing.renew_at), indent=2)
        for target, served in standing.targets:
            door.screen.line(door.say("show.served" if served else "show.not-served", target=target), indent=2)
    if versions:
        door.screen.line(door.say("show.files", folder=live), indent=2)
        door.screen.line()
        head = [door.say(f"status.head-{word}") for word in ("version", "serial", "from", "until", "status")]
        door.screen.table(
            head,
            [
                (
                    facts.version, facts.serial, facts.not_before, facts.not_after,
                    _version_status(door, facts, standing),
                )
                for facts in versions
            ],
        )  # fmt: skip
    return 0
