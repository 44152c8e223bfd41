"""A client whose clock is wrong orders once, not for ever (FAULTS 46)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.scenarios.hosts import World


def test_a_clock_far_ahead_has_each_certificate_ordered_once_a_run(world: World, tmp_path: Path) -> None:
    client, _ = world.client(tmp_path / "host", ("ahead.jp", "1y"))
    client.register()
    client.at = datetime.now(UTC) + timedelta(days=75)
    world.quiet()

    assert client.run("apply").code == 0

    assert len(world.asked("newOrder")) == 1
