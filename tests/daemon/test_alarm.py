"""The alarm clock rings once, at the last moment it was given, and the inbox wakes whoever waits."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from jprs_client.clock import SystemClock
from jprs_client.daemon import GRACE, Alarm, Inbox, Interrupted, Stop, Stopped


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    yield made
    made.close()


@pytest.mark.parametrize("offset", [timedelta(0), timedelta(days=60)])
def test_it_rings_at_the_moment_it_was_given_last(inbox: Inbox, offset: timedelta) -> None:
    """Also where the program's clock is not the system's."""
    clock = SystemClock(offset)
    with Alarm(clock, lambda: inbox.put(b"t")) as alarm:
        alarm.arm(clock.now() + timedelta(hours=1))
        assert inbox.wait(0.05) == b""
        at = clock.now() + timedelta(seconds=0.2)
        alarm.arm(at)
        assert inbox.wait(10) == b"t"
        assert clock.now() >= at
        alarm.look_again()
        assert inbox.wait(0.05) == b""  # once
        alarm.arm(clock.now() - timedelta(days=100))  # however late
        assert inbox.wait(10) == b"t"
        assert inbox.wait(0.05) == b""


def test_it_leaves_logging_as_it_is() -> None:
    root, ours = logging.getLogger(), logging.getLogger("apscheduler")
    before = (list(root.handlers), root.level, list(ours.handlers), ours.level)
    with Alarm(SystemClock(), lambda: None):
        pass
    assert (list(root.handlers), root.level, list(ours.handlers), ours.level) == before


def test_an_inbox_that_is_full_holds_a_word(inbox: Inbox) -> None:
    for _ in range(70_000):
        inbox.put(b"t")
    while inbox.wait(0):
        pass
    inbox.put(b"u")
    assert inbox.wait(1) == b"u"


@pytest.fixture
def stop(inbox: Inbox) -> Iterator[Stop]:
    made = Stop(inbox, lambda: None)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGHUP)}
    with made.listening():
        yield made
    assert {number: signal.getsignal(number) for number in before} == before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def kill(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def test_a_signal_is_a_word_in_the_inbox_and_a_stop_waits_for_a_safe_point(stop: Stop, inbox: Inbox) -> None:
    stop.begin()
    stop.passing("ordering")
    kill(signal.SIGTERM)
    assert inbox.wait(10) == bytes([signal.SIGTERM])
    assert stop.asked
    assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= GRACE
    for code in ("issued", "note-dns-not-seen", "revoked"):  # what follows an end belongs to it
        stop.passing(code)
    with pytest.raises(Stopped):
        stop.passing("ordering")
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    stop.passing("ordering")  # it is being wound up: nothing is raised into that
    stop.passing("failed")  # somebody turned it into a failure on its way up
    with pytest.raises(Stopped):
        stop.passing("ordering")


def test_an_install_is_no_safe_point_until_it_has_ended_either_way(stop: Stop) -> None:
    for end in ("installed", "failed"):
        stop.begin()
        stop.asked = False
        stop.passing("installing")
        kill(signal.SIGTERM)
        assert stop.asked
        with stop.nap():
            stop.safe_point()
        stop.passing("note-nginx-block-left-alone")
        stop.passing(end)
        with pytest.raises(Stopped):
            stop.passing("installing")


def test_a_wait_is_left_at_once_and_a_second_signal_is_heard_everywhere(stop: Stop) -> None:
    stop.begin()
    with pytest.raises(Stopped), stop.nap():
        kill(signal.SIGTERM)
        raise AssertionError("it was not left")
    with pytest.raises(Interrupted) as twice:
        kill(signal.SIGTERM)
    assert twice.value.exit_code == 143
    kill(signal.SIGTERM)  # whoever sent two has said all there is to say


def test_what_comes_to_no_safe_point_is_interrupted_where_it_is(stop: Stop, inbox: Inbox) -> None:
    stop.begin()
    stop.passing("installing")
    kill(signal.SIGTERM)
    signal.setitimer(signal.ITIMER_REAL, 0.05)  # the grace is over sooner than for a real one
    began = datetime.now(UTC)
    with pytest.raises(Stopped):
        while datetime.now(UTC) - began < timedelta(seconds=10):
            inbox.wait(0.01)


def test_once_the_work_is_over_no_signal_raises_anything(stop: Stop) -> None:
    stop.begin()
    kill(signal.SIGTERM)
    stop.over()
    kill(signal.SIGTERM)
    kill(signal.SIGINT)
    kill(signal.SIGALRM)
    assert stop.asked


@pytest.mark.parametrize("asked", [True, False])
def test_a_process_that_ends_is_deaf_to_what_has_ended_it(inbox: Inbox, asked: bool) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    stop = Stop(inbox, lambda: None)
    try:
        with stop.listening(for_good=True):
            if asked:
                kill(signal.SIGTERM)
        after = {number: signal.getsignal(number) for number in numbers}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    deaf = set(numbers[:3]) if asked else {signal.SIGHUP}
    assert after == {number: signal.SIG_IGN if number in deaf else before[number] for number in numbers}


def test_sighup_asks_for_a_reload_and_nothing_else(stop: Stop, inbox: Inbox) -> None:
    stop.begin()
    kill(signal.SIGHUP)
    assert inbox.wait(10)
    assert (stop.reload_asked, stop.asked) == (True, False)
    stop.passing("ordering")
