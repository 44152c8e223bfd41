"""A CA for tests that pytest runs: certificates from a real ACME server, over TLS, on free ports.

    from jprs_client.testca.pytest import ca  # in conftest.py

    def test_renewal(ca):
        eab = ca.subscriber("Example", "example.jp")
        run_my_client(ca.directory, ca.trust, eab.key_id, eab.hmac_key)
        ca.advance(timedelta(days=60))

Options are the program's (`jprs-testca serve --help`), with underscores. For one test:

    @pytest.mark.jprs_ca(open=True, http_port=8080)

For all of them, a fixture of your own:

    @pytest.fixture(scope="session")
    def ca_settings():
        return {"open": True}

`ca` is a new CA for each test, `ca_session` one for the whole run, `ca_in_process` one without a socket.
The marker is known to pytest where this module is a plugin: `pytest_plugins = ["jprs_client.testca.pytest"]`, or where
conftest.py imports `pytest_configure` as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from jprs_client.testca.handle import Credentials, ManagementError
from jprs_client.testca.in_process import Ca
from jprs_client.testca.process import CaProcess

__all__ = [
    "Ca",
    "CaProcess",
    "Credentials",
    "ManagementError",
    "ca",
    "ca_in_process",
    "ca_session",
    "pytest_configure",
]


def pytest_configure(config: pytest.Config) -> None:
    """The marker's description."""
    config.addinivalue_line("markers", "jprs_ca(**options): the options of the test CA that the fixture `ca` starts")


def _settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The fixture `ca_settings`, if there is one; over it the marker's options, and a parameter's."""
    try:
        found: Mapping[str, Any] = request.getfixturevalue("ca_settings")
    except pytest.FixtureLookupError as error:
        if error.argname != "ca_settings":
            raise
        found = {}
    options = dict(found)
    if request.scope == "function":
        for marker in reversed(list(request.node.iter_markers("jprs_ca"))):  # the closest one last: it wins
            options |= marker.kwargs
    return options | dict(getattr(request, "param", {}))


@pytest.fixture
def ca(request: pytest.FixtureRequest) -> Iterator[CaProcess]:
    """A test CA of this test's own."""
    with CaProcess(**_settings(request)) as running:
        yield running


@pytest.fixture(scope="session")
def ca_session(request: pytest.FixtureRequest) -> Iterator[CaProcess]:
    """A test CA for the whole run; each test is to have subscribers and names of its own."""
    with CaProcess(**_settings(request)) as running:
        yield running


@pytest.fixture
def ca_in_process(request: pytest.FixtureRequest) -> Iterator[Ca]:
    """A test CA without a socket; its options are those of `Settings`."""
    with Ca(**_settings(request)) as running:
        yield running
