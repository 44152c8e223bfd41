"""What the service manager hears of us, and what it does not when we hang."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jprs_client.systemd import Manager, Promise, Watchdog
from tests.daemon.manager import ServiceManager


@pytest.fixture
def listening() -> Iterator[ServiceManager]:
    manager = ServiceManager()
    yield manager
    manager.close()


def test_what_is_told_comes_in_one_datagram_a_status_on_one_line(listening: ServiceManager) -> None:
    manager = Manager(listening.address)
    manager.tell("READY=1", "STATUS=well")
    manager.status("bad\nREADY=1\x1b[2J")

    assert listening.hear(5)
    assert listening.told == ["READY=1", "STATUS=well"]
    assert listening.hear(5)
    assert listening.told[2:] == ["STATUS=bad READY=1[2J"]


def test_a_socket_in_a_folder_is_found_as_well() -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are too deep for a socket's name
        heard = ServiceManager(str(Path(folder) / "notify"))
        Manager(heard.address).tell("READY=1")

        assert heard.hear(5)
        heard.close()


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "@jprs-client-nobody-is-here", "vsock:2:1234"])
def test_nobody_who_listens_stops_nothing(address: str) -> None:
    manager = Manager.from_environ({"NOTIFY_SOCKET": address}, 1)

    manager.tell("READY=1")

    assert manager.watchdog is None


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "77"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "78"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_the_one_that_is_meant_for_us(variables: dict[str, str], seconds: float | None) -> None:
    assert Manager.from_environ(variables, 77).watchdog == seconds


def test_no_child_can_speak_for_us() -> None:
    environ = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "PATH": "/bin"}

    Manager.from_environ(environ, 1)

    assert environ == {"PATH": "/bin"}


def test_the_watchdog_hears_nothing_once_a_promise_is_broken(listening: ServiceManager) -> None:
    now = [0.0]
    promise = Promise(lambda: now[0])
    watchdog = Watchdog(Manager(listening.address, 10.0), promise)

    def pings_at(moment: float) -> bool:
        now[0] = moment
        watchdog.ping_if_alive()
        return listening.hear(0.05)

    promise.within(60)
    assert pings_at(60)
    assert not pings_at(60.5)  # it hangs
    promise.within(1)
    assert pings_at(61)


def test_pings_come_at_half_the_limit_until_the_end(listening: ServiceManager) -> None:
    promise = Promise(lambda: 0.0)

    with Watchdog(Manager(listening.address, 0.1), promise):
        for _ in range(3):
            listening.until("WATCHDOG=1")

    assert listening.silent_for(0.2, "WATCHDOG=1")


def test_without_a_watchdog_nobody_is_pinged(listening: ServiceManager) -> None:
    with Watchdog(Manager(listening.address), Promise(lambda: 0.0)):
        assert listening.silent_for(0.05, "WATCHDOG=1")
