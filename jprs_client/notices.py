"""Tells people what they should hear although nobody is looking: what is new, what lasts, what is over.

Each notifier is told for itself: one that fails is told the same again, and no other hears a thing twice for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jprs_client.errors import HookFailed, JprsClientError, Locked, harmless
from jprs_client.planning.health import Finding, Level, health
from jprs_client.plugin import Notice
from jprs_client.store.store import Told

if TYPE_CHECKING:
    from jprs_client.app import App
    from jprs_client.locale import Speech
    from jprs_client.plugin import Notifier

#: How often what lasts is told again: daily and weekly, less the hours by which a timer's runs differ.
AGAIN = {Level.WARNING: timedelta(days=6, hours=20), Level.CRITICAL: timedelta(hours=20)}


def after_run(app: App, speech: Speech) -> list[JprsClientError]:
    """Tell every notifier what has changed since it was told last; what could not be told, with why.

    Nothing is raised that a run should end with: certificates come first. Another run that tells at the same moment
    tells for both.
    """
    if not app.config.notify.by:
        return []
    if app.config.notify.language is not None:
        speech = speech.in_language(app.config.notify.language)
    failed: list[JprsClientError] = []
    try:
        with suppress(Locked), app.store.claims.held("notices", "all", 0):
            planned, state, _ = app.standings()
            found = health(planned, state, planned.at)
            told = app.store.told()
            for name in app.config.notify.by:
                news = changes(name, found, [each for each in told if each.notifier == name], planned.at, speech)
                error = _tell_changes(app, name, news)
                if error is not None:
                    failed.append(error)
            for former in told:
                if former.notifier not in app.config.notify.by:
                    app.store.forget_told(former)
    except JprsClientError as error:
        failed.append(error)
    return failed


@dataclass(frozen=True, slots=True)
class Changes:
    """What a notifier has to hear, and what is remembered once it was told; `silently` is remembered in any case."""

    notices: tuple[Notice, ...]
    keep: tuple[Told, ...]
    forget: tuple[Told, ...]
    silently: tuple[Told, ...] = ()


def changes(
    notifier: str, found: Sequence[Finding], told: Iterable[Told], now: datetime, speech: Speech
) -> Changes:  # fmt: skip
    """What is new, has become graver or another thing, lasts for long, or is over since `notifier` was told.

    What nobody has to hear of yet is not over for that: a matter that was told stays as it was told.
    """
    before = {(each.topic, each.certificate, each.about): each for each in told}
    notices: list[Notice] = []
    keep: list[Told] = []
    silently: list[Told] = []
    for each in found:
        last = before.pop((each.topic, each.certificate, each.about), None)
        if each.level is Level.OK:
            continue
        message, advice = said(each, speech)
        this = Told(
            notifier, each.topic, each.certificate, each.about, each.code, int(each.level), harmless(message), now
        )
        if last is not None and each.level < last.level:
            silently.append(replace(last, level=int(each.level), code=each.code))
        elif (
            last is None
            or each.level > last.level
            or each.code != last.code
            or abs(now - last.told_at) >= AGAIN[each.level]  # also where a clock was far ahead
        ):
            text = f"{message}\n{speech.say('notice.advice', advice=advice)}" if advice else message
            notices.append(_notice(each.level, each.code, message, text, each.certificate))
            keep.append(this)
    over = tuple(before.values())
    for last in over:
        text = speech.say("notice.over", said=last.said)
        notices.append(_notice(Level.OK, last.code, text, text, last.certificate))
    return Changes(tuple(notices), tuple(keep), over, tuple(silently))


def said(finding: Finding, speech: Speech) -> tuple[str, str]:
    """A finding as a person hears it, and what to do now."""
    if finding.topic.startswith("problem-"):
        return speech.say(f"problem.{finding.code}", **finding.params), speech.say(
            f"remedy.{finding.code}", **finding.params
        )
    if finding.failure is None:
        params = {**finding.params, "cause": ""}
        return speech.say(f"finding.{finding.code}", **params), speech.say(f"advice.{finding.code}", **params)
    cause, next_step = speech.error_sentence(JprsClientError(finding.failure.code, **finding.failure.params))
    return speech.say(f"finding.{finding.code}", **{**finding.params, "cause": cause}), next_step


def trial(app: App, speech: Speech) -> dict[str, JprsClientError | None]:
    """Send a trial notice by every notifier: for each, None where it was taken, or why not.

    Raises JprsClientError where nobody would be told anything.
    """
    if not app.config.notify.by:
        raise JprsClientError("no-notifier", file=app.config.path)
    if app.config.notify.language is not None:
        speech = speech.in_language(app.config.notify.language)
    notice = _notice(Level.OK, "trial", speech.say("notice.trial"), speech.say("notice.trial-text"), "")
    return {name: _tell(app, name, [notice]) for name in app.config.notify.by}


def _notice(level: Level, code: str, message: str, text: str, certificate: str) -> Notice:
    return Notice(level.name.lower(), code, harmless(f"{level.name}: {message}"), text, certificate)


def _tell_changes(app: App, name: str, news: Changes) -> JprsClientError | None:
    """Tell, then remember: what nobody took is told again."""
    for told in news.silently:
        app.store.keep_told(told)
    if not news.notices:
        return None
    error = _tell(app, name, news.notices)
    if error is None:
        with app.store.writing():
            for told in news.keep:
                app.store.keep_told(told)
            for told in news.forget:
                app.store.forget_told(told)
    return error


def _tell(app: App, name: str, notices: Sequence[Notice]) -> JprsClientError | None:
    table = app.config.notifiers[name]
    try:
        notifier: Notifier = app.registry.notifier(table)
        notifier.notify(notices)
    except JprsClientError as error:
        error.params = {**error.params, "notifier": name}
        return error
    except Exception as bug:  # noqa: BLE001 - a stranger's plugin must not hold up certificates; the person hears of it
        cause = f"{type(bug).__name__}: {bug}"
        return HookFailed("notifier-broken", notifier=name, plugin=table.plugin, cause=harmless(cause))
    return None
