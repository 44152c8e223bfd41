"""The daemon: one job that does what is due, asks the plan when to look again, and sleeps until then.

The main thread does the work, so that a signal winds it up as Ctrl-C does. APScheduler is the alarm clock: a single job
that arms itself anew after every round and only puts a word into the main thread's inbox. Signals come into the same
inbox. A heartbeat compares the clocks meanwhile, so that neither a clock that was set nor a suspended machine makes it
late (FAULTS 48).
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

from jprs_client.app import App, Asked, Report, opened
from jprs_client.clock import Clock, SystemClock
from jprs_client.config import Config, load
from jprs_client.errors import JprsClientError, Locked, Params
from jprs_client.planning.actions import Action, Problem
from jprs_client.planning.plan import Plan
from jprs_client.planning.rules import kind_of_failure
from jprs_client.planning.waking import Waking, next_waking
from jprs_client.registry import Registry
from jprs_client.store.claims import Claims
from jprs_client.systemd import Manager, Promise, Watchdog

#: The main thread looks at the clocks so often when nothing is to be done, in seconds.
HEARTBEAT = 30.0

#: Longer than any single step of a round takes that gives no sign of life, in seconds.
WORKING = 900.0

#: What does not end at a safe point within so many seconds of SIGTERM is interrupted wherever it is (FAULTS 19).
GRACE = 8.0

#: A clock that differs by more from the time that has passed was set, or the machine was asleep.
STEPPED = timedelta(minutes=1)

#: After a round that could not be: a minute, doubled up to an hour.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)

#: Progress that tells of an end. What follows belongs to it, so a stop waits for the next beginning.
ENDINGS = frozenset({"issued", "installed", "revoked", "failed"})


class Stopped(KeyboardInterrupt):
    """A stop was asked for, and this is where the work ends: it is wound up as for Ctrl-C."""


class Interrupted(KeyboardInterrupt):
    """A second signal: whoever sent it does not want to wait for a safe point."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


@dataclass(frozen=True, slots=True)
class Round:
    """One look round: begun `at`, what it did, what is planned now, and how many certificates fail of how many."""

    at: datetime
    report: Report
    plan: Plan
    certificates: int
    failing: int
    failures: frozenset[tuple[str, str, str]]
    database: Path


class Voice(Protocol):
    """How people and programs hear of it; the door's business."""

    def ready(self) -> None:
        """The daemon runs."""

    def progress(self, code: str, /, **params: object) -> None:
        """What is being done now (`progress.CODE`), or a note (`note-CODE`)."""

    def bring_notices(self, app: App) -> list[Problem]:
        """Bring notices to people after a round; what could not be delivered."""

    def bring_failure(self, config: Config, error: Exception) -> None:
        """Bring notices where a round, or the start, ended with `error`."""

    def round_over(self, ended: Round, waking: Waking) -> None:
        """A round has ended, and the next one begins at `waking`."""

    def round_failed(self, error: Exception, at: datetime, waking: Waking) -> None:
        """A round that began `at` could not be: an error of ours, or something nobody foresaw."""

    def reloaded(self, error: Exception | None) -> None:
        """The configuration was read again; with `error`, the one before stays in force."""

    def stopping(self) -> None:
        """A stop was asked for. Called from a signal handler: only the manager may be told."""

    def stopped(self, *, in_order: bool) -> None:
        """It is over."""


class Inbox:
    """Words for the main thread, from other threads and from signals. `wait` is over as soon as there is one."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self) -> None:
        """Nobody reads it any more."""
        os.close(self._reader)
        os.close(self._writer)

    @property
    def writer(self) -> int:
        """The descriptor that words go into, for `signal.set_wakeup_fd`."""
        return self._writer

    def put(self, word: bytes) -> None:
        """A word, of one byte. A full inbox holds a word already, which is all there is to say."""
        try:
            os.write(self._writer, word)
        except BlockingIOError:
            return

    def wait(self, seconds: float) -> bytes:
        """The words that are there, after at most so many seconds."""
        select.select((self._reader,), (), (), max(seconds, 0))
        try:
            return os.read(self._reader, 4096)
        except BlockingIOError:
            return b""


class Alarm:
    """APScheduler with one job that arms itself anew; when it rings, `ring` is called in a thread of its own.

    A context manager. `clock` is the program's; the job's moment is the system clock's at the same distance.
    """

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        self._clock = clock
        self._system = SystemClock()
        self._ring = ring
        self._scheduler: Any = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})

    def __enter__(self) -> Self:
        self._scheduler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scheduler.shutdown()

    def arm(self, at: datetime) -> None:
        """Ring at `at`, however late that is noticed, and not at the moment given before."""
        from apscheduler.triggers.date import DateTrigger

        left = at - self._clock.now()
        moment = self._system.now() + left  # asked last: it never rings too early
        self._scheduler.add_job(
            self._ring, DateTrigger(moment, timezone=UTC), id="tick", replace_existing=True, misfire_grace_time=None,
            coalesce=True, max_instances=1,
        )  # fmt: skip

    def look_again(self) -> None:
        """Have it look at the clock now: its own wait does not notice one that was set."""
        self._scheduler.wakeup()


class Stop:
    """SIGTERM, SIGINT and SIGHUP while it is entered, and where a stop may end what is being done.

    A safe point raises Stopped once a stop is asked for, but not between the beginning and the end of an install: to
    finish that is quicker than to put it back. GRACE seconds later Stopped is raised anyhow.
    """

    def __init__(self, inbox: Inbox, stopping: Callable[[], None]) -> None:
        self._inbox = inbox
        self._stopping = stopping
        self.asked = False
        self.reload_asked = False
        self._installing = False
        self._raised = False
        self._napping = False
        self._is_deaf = False

    @contextmanager
    def listening(self, *, for_good: bool = False) -> Iterator[None]:
        """Signals are ours inside the block; afterwards they are whose they were.

        `for_good`: the process ends then, and neither SIGHUP nor another signal like the one that ended it is heard.
        """
        ours = {
            signal.SIGTERM: self._asked_to_stop,
            signal.SIGINT: self._asked_to_stop,
            signal.SIGHUP: self._asked_to_reload,
            signal.SIGALRM: self._overdue,
        }
        before = {number: signal.signal(number, handler) for number, handler in ours.items()}
        # A thread of the alarm clock may be the one that a signal hits: the descriptor wakes the main thread anyhow.
        descriptor = signal.set_wakeup_fd(self._inbox.writer, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.set_wakeup_fd(descriptor)
            for number, handler in before.items():
                heard = number == signal.SIGALRM or (number != signal.SIGHUP and not self.asked)
                signal.signal(number, handler if heard or not for_good else signal.SIG_IGN)

    def begin(self) -> None:
        """A round begins."""
        self._installing = self._raised = self._napping = False

    def over(self) -> None:
        """The work is over: nothing is left to interrupt, whatever comes."""
        self._raised = self._is_deaf = True
        signal.setitimer(signal.ITIMER_REAL, 0)

    def passing(self, code: str) -> None:
        """A progress call, by its code: most are safe points."""
        if code == "failed":  # what it raised was turned into a failure on its way up: the next point raises it again
            self._installing = self._raised = False
        elif code == "installed":
            self._installing = False
        elif code not in ENDINGS and not code.startswith("note-"):
            self.safe_point()
            self._installing = code == "installing" or self._installing

    def safe_point(self) -> None:
        """Raises Stopped here if a stop is asked for."""
        if self.asked and not self._installing and not self._raised:
            self._raise()

    @contextmanager
    def nap(self) -> Iterator[None]:
        """Inside the block nothing is done but waiting: it is one safe point."""
        self._napping = not self._installing and not self._raised
        try:
            self.safe_point()
            yield
        finally:
            self._napping = False

    def _raise(self) -> None:
        self._raised = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise Stopped

    def _asked_to_stop(self, number: int, _frame: FrameType | None) -> None:
        if self._is_deaf:
            self.asked = True
            return
        if self.asked:
            self._is_deaf = True  # it is wound up now, which a third one would only cut short
            raise Interrupted(number)
        self.asked = True
        self._stopping()
        if self._napping:
            self._raise()
        signal.setitimer(signal.ITIMER_REAL, GRACE)

    def _asked_to_reload(self, _number: int, _frame: FrameType | None) -> None:
        self.reload_asked = True

    def _overdue(self, _number: int, _frame: FrameType | None) -> None:
        if not self._raised:
            self._raise()


class _WatchedClock:
    """The clock that a round is given: whoever asks it is alive, and whoever waits by it can be stopped."""

    def __init__(self, clock: Clock, stop: Stop, promise: Promise, working: float) -> None:
        self._clock = clock
        self._stop = stop
        self._promise = promise
        self._working = working

    def now(self) -> datetime:
        """This moment."""
        self._promise.within(self._working)
        return self._clock.now()

    def monotonic(self) -> float:
        """Seconds since some moment."""
        self._promise.within(self._working)
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Stopped when a stop is asked for meanwhile."""
        self._promise.within(self._working + max(seconds, 0))
        with self._stop.nap():
            self._clock.sleep(seconds)


class Daemon:
    """Runs for one configuration file and one state directory until it is stopped."""

    def __init__(
        self,
        config_path: Path,
        state_dir: Path,
        clock: Clock,
        voice: Voice,
        manager: Manager,
        *,
        lock_timeout: float = 0,
    ) -> None:
        self._config_path = config_path
        self._state_dir = state_dir
        self._clock = clock
        self._voice = voice
        self._manager = manager
        self._lock_timeout = lock_timeout
        self._promise = Promise(clock.monotonic)
        self._inbox = Inbox()
        self._stop = Stop(self._inbox, self._stopping)
        limit = manager.watchdog
        self._working = WORKING
        self._heartbeat = HEARTBEAT if limit is None else min(HEARTBEAT, limit / 2)

    def run(self, asked_before: Collection[int] = ()) -> int:
        """Until SIGTERM or SIGINT: 0, or 128 and the signal's number after a second one.

        Signals are ours from here on, and nobody's afterwards: what comes while it starts or ends is no accident. What
        came before stands in `asked_before`.
        Raises what makes a start useless: ConfigError, StateUnusable, Locked while another daemon runs here.
        """
        code = 0
        try:
            with self._stop.listening(for_good=True):
                try:
                    if asked_before:
                        self._stop.asked = True
                    else:
                        self._start()
                except Stopped:
                    code = 0
                except Interrupted as twice:
                    code = twice.exit_code
                finally:
                    self._stop.over()
                self._voice.stopped(in_order=code == 0)
        finally:
            self._inbox.close()
        return code

    def _start(self) -> None:
        config = load(self._config_path, Registry())
        try:
            with opened(App.over(config, self._state_dir, self._clock)) as app:
                app.standings()
        except JprsClientError as error:
            self._voice.bring_failure(config, error)
            raise
        with (
            self._alone(),
            Watchdog(self._manager, self._promise),
            Alarm(self._clock, lambda: self._inbox.put(b"t")) as alarm,
        ):
            try:
                self._live(config, alarm)
            finally:
                self._stop.over()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One daemon a state directory; other commands take their turns by lineage, as ever."""
        claims = Claims(self._state_dir / "locks", self._clock)
        try:
            claim = claims.claim("daemon", "daemon", 0)
        except Locked as held:
            holder = {name: held.params.get(name) for name in ("pid", "since_at")}
            raise Locked("daemon-runs", directory=self._state_dir, **holder) from held
        try:
            yield
        finally:
            claim.release()

    def _stopping(self) -> None:
        self._manager.tell("STOPPING=1")
        self._voice.stopping()

    def _live(self, config: Config, alarm: Alarm) -> None:
        if self._stop.asked:
            return
        self._promise.within(WORKING)
        self._manager.tell("READY=1")
        self._voice.ready()
        patient, failed = True, 0
        while not self._stop.asked:
            began_at = self._clock.now()
            try:
                ended = self._round(config, patient=patient)
            except Exception as error:  # noqa: BLE001 - told, waited for and tried again: somebody has to go on
                failed += 1
                waking = Waking(self._clock.now() + pause_after(failed), "failed")
                database = None
                self._voice.round_failed(error, began_at, waking)
                self._promise.within(self._working)
                self._voice.bring_failure(config, error)
            else:
                failed, database = 0, ended.database
                waking = next_waking(ended.plan, ended.plan.at)
                self._voice.round_over(ended, waking)
            self._wait(waking.at, alarm, database)
            patient = True
            if self._stop.reload_asked and not self._stop.asked:
                found = self._read_again()
                # A person who has just mended something does not wait for our caution, as with `apply`.
                patient, config = (True, config) if found is None else (False, found)

    def _round(self, config: Config, *, patient: bool) -> Round:
        """Look, decide, do, and look again. Everything it opens is closed, so that nothing grows with the days."""
        self._stop.begin()
        self._working = working_limit(config)
        clock = _WatchedClock(self._clock, self._stop, self._promise, self._working)
        began_at = clock.now()
        app = App.over(config, self._state_dir, clock, lock_timeout=self._lock_timeout, progress=self._progress)
        with opened(app):
            report = app.tick(Asked(patient=patient))
            report.problems += self._voice.bring_notices(app)
            planned, state, standings = app.standings()
        return Round(
            began_at,
            report,
            planned,
            certificates=len(standings),
            failing=sum(each.failure is not None or each.status in {"revoked", "expired"} for each in standings),
            failures=frozenset(state.failures),
            database=app.store.database.path,
        )

    def _progress(self, code: str, /, **params: object) -> None:
        self._promise.within(self._working)
        self._stop.passing(code)
        self._voice.progress(code, **params)

    def _wait(self, at: datetime, alarm: Alarm, database: Path | None) -> None:
        """Until `at`, or a signal, or a clock that says something else than the time that has passed.

        Or until another command has written to `database`: whoever registers or revokes is not kept waiting.
        """
        written = _last_written(database)
        begun, begun_at = self._clock.monotonic(), self._clock.now()
        self._inbox.wait(0)  # what rang while there was work
        alarm.arm(at)
        while not (self._stop.asked or self._stop.reload_asked):
            self._promise.within(2 * self._heartbeat)
            rung = b"t" in self._inbox.wait(self._heartbeat)
            now = self._clock.now()
            passed = timedelta(seconds=self._clock.monotonic() - begun)
            if rung or now >= at or abs(now - begun_at - passed) > STEPPED or _last_written(database) != written:
                break
            alarm.look_again()
        self._promise.within(WORKING)

    def _read_again(self) -> Config | None:
        """The configuration as it is now; None, and what is wrong is told, where it cannot be used."""
        self._stop.reload_asked = False
        self._manager.tell("RELOADING=1", f"MONOTONIC_USEC={int(self._clock.monotonic() * 1e6)}")
        try:
            config = load(self._config_path, Registry())
        except Exception as error:  # noqa: BLE001 - told, and the one that was read before stays in force
            self._voice.reloaded(error)
            return None
        else:
            self._voice.reloaded(None)
            return config
        finally:
            self._manager.tell("READY=1")


def _last_written(path: Path | None) -> tuple[int, int] | None:
    """What a write changes of a file; None where there is none to be seen."""
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size) if status is not None else None


def pause_after(failed: int) -> timedelta:
    """How long to wait after so many rounds in a row (1 or more) that could not be."""
    return min(FIRST_PAUSE * (1 << min(failed - 1, 16)), LONGEST_PAUSE)


def working_limit(config: Config) -> float:
    """Seconds that a round may give no sign of life: longer than any command that the configuration allows."""
    tables = [*config.solvers.values(), *config.installers.values(), *config.notifiers.values()]
    allowed = [value for table in tables for key, value in table.settings.items() if key == "timeout"]
    return WORKING + max((value for value in allowed if isinstance(value, int)), default=0)


class News:
    """What of a round nobody has heard yet: one line a change, not one a round (FAULTS 41)."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str, str], str] = {}
        self._problems: set[object] = set()
        self._errors: set[object] = set()

    def failures(
        self, failed: list[tuple[Action, JprsClientError]], standing: Collection[tuple[str, str, str]]
    ) -> list[tuple[Action, JprsClientError]]:
        """Those of `failed` that did not fail in the same way before; `standing` are the failures still remembered."""
        now = {(act.certificate, kind_of_failure(act.kind), act.target): error.code for act, error in failed}
        new = [
            (action, error)
            for action, error in failed
            if self._failures.get((action.certificate, kind_of_failure(action.kind), action.target)) != error.code
        ]
        kept = {key: code for key, code in self._failures.items() if key in standing}
        self._failures = kept | now
        return new

    def problems(self, found: list[Problem]) -> list[Problem]:
        """Those of `found` that did not stand in the way of the round before."""
        before = self._problems
        self._problems = {_same(problem.code, problem.params) for problem in found}
        return [problem for problem in found if _same(problem.code, problem.params) not in before]

    def errors(self, found: Collection[JprsClientError]) -> list[JprsClientError]:
        """Those of `found`, which kept a whole round from being, that the one before did not meet."""
        before = self._errors
        self._errors = {_same(error.code, error.params) for error in found}
        return [error for error in found if _same(error.code, error.params) not in before]


def _same(code: str, params: Params) -> object:
    """What makes two of them the same one for a person: moments in them do not."""
    return code, tuple(sorted((name, str(value)) for name, value in params.items() if not name.endswith("_at")))
