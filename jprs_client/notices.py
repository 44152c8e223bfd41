"""Tells people what they should hear although nobody is looking: what is new, what lasts, what is over.

Each notifier is told for itself: one that fails is told the same again, and no other hears a thing twice for it. A run
that cannot be is told, too: nobody may be looking when a certificate's last days pass without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from jprs_client.app import App, opened
from jprs_client.clock import Clock
from jprs_client.config import Config
from jprs_client.errors import ConfigError, HookFailed, JprsClientError, Locked, UsageError, harmless
from jprs_client.planning.facts import Failure
from jprs_client.planning.health import TEMPORARY, Finding, Level, health
from jprs_client.plugin import Notice
from jprs_client.registry import Registry
from jprs_client.store.store import Store, Told

if TYPE_CHECKING:
    from jprs_client.locale import Speech
    from jprs_client.plugin import Notifier

#: How often what lasts is told again: daily and weekly, less the hours by which a timer's runs differ.
AGAIN = {Level.WARNING: timedelta(days=6, hours=20), Level.CRITICAL: timedelta(hours=20)}

#: The topic of a run that could not be.
RUN = "run"

#: Ends of a run that nobody is told of but who ran it: another run is at work, or the command line is wrong. Where the
#: configuration is wrong, nobody knows whom to tell.
UNTOLD = (Locked, UsageError, ConfigError)


class Memory:
    """What was told and could not be written down. It lasts as long as the process: a daemon's is worth something."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], Told | None] = {}

    def beside(self, stored: Iterable[Told]) -> list[Told]:
        """All that is remembered."""
        known: dict[tuple[str, ...], Told | None] = {_matter(each): each for each in stored}
        return [each for each in (known | self._kept).values() if each is not None]

    def keep(self, told: Iterable[Told], over: Iterable[Told] = ()) -> None:
        """Remember what was told, and what is over."""
        self._kept |= {_matter(each): each for each in told}
        self._kept |= {_matter(each): None for each in over}

    def is_written(self, told: Iterable[Told]) -> None:
        """The store remembers it."""
        for each in told:
            self._kept.pop(_matter(each), None)


def _matter(told: Told) -> tuple[str, ...]:
    return told.notifier, told.topic, told.certificate, told.about


def after_run(
    app: App, speech: Speech, *, failure: Exception | None = None, memory: Memory | None = None
) -> list[JprsClientError]:
    """Tell every notifier what has changed since it was told last; what could not be told, with why.

    `failure` is what the run ended with that could not be. Nothing is raised that a run should end with: certificates
    come first. Another run that tells at the same moment tells for both. Where the store cannot be used, that is what
    is told, and `memory` alone keeps it from being told again.
    """
    if not app.config.notify.by:
        return []
    speech, memory = _language(app.config, speech), memory or Memory()
    try:
        with suppress(Locked), app.store.claims.held("notices", "all", 0):
            return _tell_all(app, speech, failure, memory)
    except JprsClientError as unusable:
        lost = [unusable] if failure is None else []
        told = failure or unusable
    except Exception:
        if failure is None:
            raise
        lost, told = [], failure  # what nobody foresaw has kept the run from being, and now keeps us from looking
    else:
        return []
    return lost + _tell_failure(app.config, app.registry, told, app.clock.now(), speech, memory)


def after_failed_run(
    config: Config, state_dir: Path, clock: Clock, failure: Exception, speech: Speech, memory: Memory | None = None
) -> list[JprsClientError]:
    """The same where a run with this configuration ended with `failure`, even before there was an App."""
    if not config.notify.by or isinstance(failure, UNTOLD):
        return []
    try:
        app = App.over(config, state_dir, clock)
    except JprsClientError:
        speech = _language(config, speech)
        return _tell_failure(config, Registry(), failure, clock.now(), speech, memory or Memory())
    with opened(app):
        return after_run(app, speech, failure=failure, memory=memory)


def _language(config: Config, speech: Speech) -> Speech:
    return speech if config.notify.language is None else speech.in_language(config.notify.language)


def _tell_all(app: App, speech: Speech, failure: Exception | None, memory: Memory) -> list[JprsClientError]:
    planned, state, _ = app.standings()
    not_run = _not_run(failure, planned.at)
    found = [*not_run, *health(planned, state, planned.at)]
    told = memory.beside(app.store.told())
    named = [each for each in told if each.notifier in app.config.notify.by]
    if failure is not None and not not_run:  # a run that mends itself is no news, but what was told is not over for it
        named = [each for each in named if each.topic != RUN]
    failed: list[JprsClientError] = []
    lost: JprsClientError | None = None
    for name in app.config.notify.by:
        news = changes(name, found, [each for each in named if each.notifier == name], planned.at, speech)
        error = _tell(app.config, app.registry, name, news.notices)
        if error is not None:  # what nobody took is told again
            failed.append(error)
            news = replace(news, keep=(), forget=())
        lost = _remember(app.store, (*news.silently, *news.keep), news.forget, memory) or lost
    gone = [each for each in told if each.notifier not in app.config.notify.by]
    lost = _remember(app.store, (), gone, memory) or lost
    return [*failed, lost] if lost is not None and failure is None else failed


def _tell_failure(
    config: Config, registry: Registry, failure: Exception, now: datetime, speech: Speech, memory: Memory
) -> list[JprsClientError]:
    """Tell that no run could be, and nothing else: the store says nothing, or nothing that could be relied on."""
    found = _not_run(failure, now)
    if not found:
        return []
    told = [each for each in memory.beside(()) if each.topic == RUN]
    failed = []
    for name in config.notify.by:
        news = changes(name, found, [each for each in told if each.notifier == name], now, speech)
        error = _tell(config, registry, name, news.notices)
        if error is None:
            memory.keep((*news.silently, *news.keep), news.forget)
        else:
            failed.append(error)
    return failed


def _not_run(failure: Exception | None, now: datetime) -> list[Finding]:
    """A run that could not be looks after no certificate: critical, whatever it was, unless it mends itself."""
    if failure is None or (isinstance(failure, JprsClientError) and failure.exit_code == TEMPORARY):
        return []
    error = failure if isinstance(failure, JprsClientError) else _unforeseen(failure)
    cause = Failure("", RUN, frozenset(), 1, error.code, error.params, now, now, exit_code=error.exit_code)
    return [Finding(Level.CRITICAL, "run-failed", {}, topic=RUN, about=error.code, failure=cause)]


def _unforeseen(bug: Exception) -> JprsClientError:
    return JprsClientError("run-unforeseen", cause=harmless(f"{type(bug).__name__}: {bug}", 300))


def _remember(
    store: Store, told: Sequence[Told], over: Sequence[Told], memory: Memory
) -> JprsClientError | None:  # fmt: skip
    """Write down what was told and what is over; why not, where only `memory` could be told."""
    if not (told or over):
        return None
    try:
        with store.writing():
            for each in told:
                store.keep_told(each)
            for each in over:
                store.forget_told(each)
    except JprsClientError as error:
        memory.keep(told, over)
        return error
    memory.is_written((*told, *over))
    return None


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
    speech = _language(app.config, speech)
    notice = _notice(Level.OK, "trial", speech.say("notice.trial"), speech.say("notice.trial-text"), "")
    return {name: _tell(app.config, app.registry, name, [notice]) for name in app.config.notify.by}


def _notice(level: Level, code: str, message: str, text: str, certificate: str) -> Notice:
    return Notice(level.name.lower(), code, harmless(f"{level.name}: {message}"), text, certificate)


def _tell(config: Config, registry: Registry, name: str, notices: Sequence[Notice]) -> JprsClientError | None:
    if not notices:
        return None
    table = config.notifiers[name]
    try:
        notifier: Notifier = registry.notifier(table)
        notifier.notify(notices)
    except JprsClientError as error:
        error.params = {**error.params, "notifier": name}
        return error
    except Exception as bug:  # noqa: BLE001 - a stranger's plugin must not hold up certificates; the person hears of it
        cause = f"{type(bug).__name__}: {bug}"
        return HookFailed("notifier-broken", notifier=name, plugin=table.plugin, cause=harmless(cause))
    return None
