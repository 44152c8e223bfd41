"""What holds for every test: no environment but the test's own, and nothing skipped where everything is there."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.scenarios.hosts import World

settings.register_profile("house", deadline=None, print_blob=True)
settings.register_profile("sweep", parent=settings.get_profile("house"), max_examples=5000)
settings.load_profile("sweep" if os.environ.get("JPRS_SWEEP") else "house")

#: What would make a test mean something else on another machine.
FOREIGN = ("JPRS_CLIENT_", "LC_", "LANG", "NO_COLOR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_")


def pytest_configure(config: pytest.Config) -> None:
    """Markers beside those in `pyproject.toml`."""
    config.addinivalue_line("markers", "slow: takes seconds; left out where other Python versions are tried")


@pytest.fixture(autouse=True, scope="session")
def measuring() -> str | None:
    """How coverage measures child processes; by itself it does not: that would make a thousand starts half as fast."""
    return os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


@pytest.fixture
def measured_children(measuring: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coverage looks at child processes, too."""
    if measuring is not None:
        monkeypatch.setenv("COVERAGE_PROCESS_CONFIG", measuring)


@pytest.fixture(autouse=True, scope="session")
def _own_environment() -> Iterator[None]:
    """The environment as a plain host has it, in English and in UTF-8."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(FOREIGN)}
    kept |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    for name in kept:
        del os.environ[name]
    os.environ["LC_ALL"] = "C.UTF-8"
    yield
    del os.environ["LC_ALL"]
    os.environ.update(kept)


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Coverage looks away, here and in child processes: for tests of speed, and of what is imported."""
    from coverage import Coverage

    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    measuring = Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    yield
    measuring.start()


@pytest.fixture(scope="module")
def shared_world() -> Iterator[World]:
    """One bundled CA for the tests of a file and worker; each has subscribers and names of its own."""
    from tests.ca_process import TestCaProcess
    from tests.scenarios.hosts import World, new_port

    port = new_port()
    with TestCaProcess(http_port=port) as ca:
        yield World(ca, port)


@pytest.fixture
def world(shared_world: World) -> World:
    """The shared CA: nothing goes wrong, nothing was asked."""
    shared_world.quiet()
    return shared_world


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI=true a skipped test is a failed one: everything it could need is there."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
    return report
