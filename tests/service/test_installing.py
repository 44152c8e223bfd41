"""Units put in place, with a systemctl that keeps its word in a file; and the command, up to where it needs root."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from jprs_client.errors import JprsClientError
from jprs_client.service import APPLY_TIMER, DAEMON, HEADER, UNITS, Place, Systemd
from jprs_client.service.systemd import must_be_roots, must_be_visible, program_place
from tests import needs
from tests.client import Client

#: Knows which units are on, and writes down what it is asked. `broken` and `slow` are commands that fail or hang.
SYSTEMCTL = """#!{python} -IS
import json, pathlib, sys, time
place = pathlib.Path({place!r})
known = json.loads(place.read_text())
command, *rest = sys.argv[1:]
known["asked"].append(" ".join(sys.argv[1:]))
units = [word for word in rest if not word.startswith("-")]
if command == "show":
    blocks = []
    for unit in units:
        on = unit in known["on"]
        reload = "yes" if known["stale"] else "no"
        state = ("active", "enabled") if on else ("inactive", "disabled")
        blocks.append("Id=%s\\nActiveState=%s\\nUnitFileState=%s\\nNeedDaemonReload=%s" % (unit, *state, reload))
    print("\\n\\n".join(blocks))
if command == "daemon-reload":
    known["stale"] = False
if command == "enable":
    known["on"] += units
if command == "disable":
    known["on"] = [unit for unit in known["on"] if unit not in units]
place.write_text(json.dumps(known))
if command == known.get("slow"):
    time.sleep(60)
if command == known.get("broken"):
    sys.exit("Job for it failed.")
"""


class Host:
    """A folder for units, and a systemctl of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.units = folder / "units"
        self.state = folder / "state"
        self._known = folder / "known.json"
        (folder / "booted").mkdir()
        self.systemctl = folder / "systemctl"
        self.systemctl.write_text(SYSTEMCTL.format(python=sys.executable, place=str(self._known)))
        self.systemctl.chmod(0o755)
        self.set(on=[], asked=[], stale=False)

    def set(self, **facts: object) -> None:
        known = json.loads(self._known.read_text()) if self._known.exists() else {}
        self._known.write_text(json.dumps(known | facts))

    @property
    def on(self) -> list[str]:
        found: list[str] = json.loads(self._known.read_text())["on"]
        return found

    def asked(self) -> list[str]:
        """What systemctl was asked since the last time, looking aside."""
        found: list[str] = json.loads(self._known.read_text())["asked"]
        self.set(asked=[])
        return [line for line in found if not line.startswith("show")]

    def systemd(self, seconds: float = 60) -> Systemd:
        return Systemd(self.units, self.folder / "booted", str(self.systemctl), seconds)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def texts(more: str = "") -> dict[str, str]:
    return {name: f"{HEADER}\n[Unit]\nDescription={name}{more}\n" for name in UNITS}


def test_all_units_are_written_and_one_is_started(host: Host) -> None:
    done = host.systemd().install(texts(), APPLY_TIMER, host.state)

    assert {path.name: path.read_text() for path in host.units.iterdir()} == texts()
    assert {path.stat().st_mode & 0o777 for path in host.units.iterdir()} == {0o644}
    assert sorted(path.name for path in done.written) == sorted(UNITS)
    assert host.asked() == ["daemon-reload", f"enable --now {APPLY_TIMER}"]
    assert host.state.stat().st_mode & 0o777 == 0o700


def test_a_second_time_nothing_is_touched(host: Host) -> None:
    host.systemd().install(texts(), APPLY_TIMER, host.state)
    before = {path: path.stat().st_mtime_ns for path in host.units.iterdir()}
    host.asked()

    done = host.systemd().install(texts(), APPLY_TIMER, host.state)

    assert (done.written, done.disabled, len(done.unchanged)) == ([], [], 4)
    assert {path: path.stat().st_mtime_ns for path in host.units.iterdir()} == before
    assert host.asked() == []


def test_what_runs_is_started_again_when_its_unit_changed(host: Host) -> None:
    host.systemd().install(texts(), DAEMON, host.state)
    host.asked()

    host.systemd().install(texts() | {DAEMON: texts(" changed")[DAEMON]}, DAEMON, host.state)

    assert host.asked() == ["daemon-reload", f"restart {DAEMON}"]


def test_a_run_that_was_cut_off_before_systemd_read_the_units_is_made_good(host: Host) -> None:
    host.systemd().install(texts(), APPLY_TIMER, host.state)
    host.asked()
    host.set(stale=True)

    host.systemd().install(texts(), APPLY_TIMER, host.state)

    assert host.asked() == ["daemon-reload"]


def test_the_daemon_takes_over_from_the_timer(host: Host) -> None:
    host.systemd().install(texts(), APPLY_TIMER, host.state)
    host.asked()

    done = host.systemd().install(texts(), DAEMON, host.state)

    assert (done.enabled, done.disabled, host.on) == (DAEMON, [APPLY_TIMER], [DAEMON])
    assert host.asked() == [f"enable --now {DAEMON}", f"disable --now {APPLY_TIMER}"]


def test_the_timer_goes_on_when_the_daemon_does_not_start(host: Host) -> None:
    host.systemd().install(texts(), APPLY_TIMER, host.state)
    host.set(broken="enable")

    with pytest.raises(JprsClientError) as failed:
        host.systemd().install(texts(), DAEMON, host.state)

    assert failed.value.code == "service-systemctl-failed"
    assert "Job for it failed." in str(failed.value.params["output"])
    assert APPLY_TIMER in host.on


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_unit_of_somebody_else_is_not_overwritten(host: Host, kind: str) -> None:
    host.units.mkdir()
    foreign = host.units / DAEMON
    if kind == "file":
        foreign.write_text("[Service]\nExecStart=/opt/mine\n")
    else:
        foreign.symlink_to("/dev/null")  # masked

    with pytest.raises(JprsClientError) as refused:
        host.systemd().install(texts(), APPLY_TIMER, host.state)

    assert (refused.value.code, refused.value.params["file"]) == ("service-unit-foreign", str(foreign))
    assert [path.name for path in host.units.iterdir()] == [DAEMON]
    assert not host.state.exists()
    assert host.asked() == []


def test_a_systemctl_that_hangs_is_not_waited_for(host: Host) -> None:
    host.set(slow="daemon-reload")

    with pytest.raises(JprsClientError) as failed:
        host.systemd(0.5).install(texts(), APPLY_TIMER, host.state)

    assert failed.value.code == "service-systemctl-slow"


def test_a_missing_systemctl_is_told(host: Host) -> None:
    host.systemctl.unlink()

    with pytest.raises(JprsClientError) as failed:
        host.systemd().install(texts(), APPLY_TIMER, host.state)

    assert failed.value.code == "service-systemctl-failed"


def test_a_folder_that_cannot_be_written_is_told(host: Host) -> None:
    host.units.write_text("no folder")

    with pytest.raises(JprsClientError) as failed:
        host.systemd().install(texts(), APPLY_TIMER, host.state)

    assert failed.value.code == "service-unwritable"


def test_only_our_units_are_removed(host: Host) -> None:
    host.systemd().install(texts(), APPLY_TIMER, host.state)
    other = host.units / "other.service"
    other.write_text("[Unit]\n")
    (host.units / DAEMON).write_text("[Unit]\nDescription=mine now\n")

    done = host.systemd().uninstall()

    assert sorted(path.name for path in host.units.iterdir()) == [DAEMON, "other.service"]
    assert (len(done.removed), done.disabled, host.on) == (3, [APPLY_TIMER], [])
    assert host.state.is_dir()
    host.asked()
    assert host.systemd().uninstall().removed == []
    assert host.asked() == []


def test_without_systemd_nothing_can_be_installed(host: Host) -> None:
    needs.root()
    (host.folder / "booted").rmdir()

    with pytest.raises(JprsClientError) as refused:
        host.systemd().must_be_ours()

    assert refused.value.code == "service-no-systemd"


def test_only_root_can_install_units(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    with pytest.raises(JprsClientError) as refused:
        host.systemd().must_be_ours()

    assert refused.value.code == "service-not-root"


# -- the very program that runs ---------------------------------------------------------------------------------------


def place_of(argv0: str, folder: Path) -> Place:
    scripts = folder / "scripts"
    config, state, package = folder / "c.toml", folder / "s", folder / "p"
    return program_place(argv0, str(folder / "bin" / "python3"), str(scripts), str(folder), config, state, package)


@pytest.mark.parametrize("place", ["called/jprs-client", "bin/jprs-client", "scripts/jprs-client"])
def test_units_start_the_command_that_was_called_or_the_one_beside_its_python(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir()
    (tmp_path / place).write_text("#!/bin/sh\n")
    (tmp_path / place).chmod(0o755)
    argv0 = tmp_path / place if place.startswith("called") else tmp_path / "jprs_client" / "cli" / "__main__.py"

    assert place_of(str(argv0), tmp_path).program == tmp_path / place


def test_a_link_to_the_command_is_kept_since_upgrades_keep_it(tmp_path: Path) -> None:
    real, link = tmp_path / "venv" / "jprs-client", tmp_path / "jprs-client"
    real.parent.mkdir()
    real.write_text("#!/bin/sh\n")
    real.chmod(0o755)
    link.symlink_to(real)

    place = place_of(str(link), tmp_path)

    assert place.program == link
    assert real in place.program_parts


def test_without_a_command_there_is_nothing_to_start(tmp_path: Path) -> None:
    with pytest.raises(JprsClientError) as refused:
        place_of("-c", tmp_path)

    assert refused.value.code == "service-no-program"


def test_a_program_that_others_can_change_is_not_run_as_root(tmp_path: Path) -> None:
    """A virtual environment in a user's home would make that user root."""
    needs.root()
    program = tmp_path / "jprs-client"
    program.write_text("#!/bin/sh\n")
    must_be_roots(Place(program))
    link = tmp_path / "link"
    link.symlink_to(program)
    must_be_roots(Place(link))

    program.chmod(0o757)
    with pytest.raises(JprsClientError) as refused:
        must_be_roots(Place(program))
    assert (refused.value.code, refused.value.params["file"]) == ("service-program-not-roots", str(program))

    program.chmod(0o755)
    library = tmp_path / "lib"
    library.mkdir()
    import os

    os.chown(library, 65534, 65534)
    with pytest.raises(JprsClientError) as refused:
        must_be_roots(Place(program, program_parts=(library,)))
    assert refused.value.params["file"] == str(library)


@pytest.mark.parametrize("hidden", ["/tmp/config.toml", "/var/tmp/x/config.toml"])
def test_what_lies_in_a_temporary_folder_is_not_seen_by_services(hidden: str) -> None:
    must_be_visible(Place(Path("/opt/a/jprs-client")))

    with pytest.raises(JprsClientError) as refused:
        must_be_visible(Place(Path("/opt/a/jprs-client"), Path(hidden)))

    assert (refused.value.code, refused.value.params["file"]) == ("service-hidden", hidden)


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(tmp_path: Path) -> Client:
    made = Client(tmp_path, "https://ca.test/dir")
    made.usage_fqdn("example.jp")
    return made


def test_the_units_can_be_looked_at_by_anybody(client: Client) -> None:
    shown = client.json("service", "install", "--show")["units"]
    text = client.run("service", "install", "--show").out

    assert sorted(shown) == sorted(UNITS)
    assert f"--config {client.config} --state-dir {client.state} apply" in shown["jprs-client-apply.service"]
    assert all(line in text for line in shown[APPLY_TIMER].splitlines())
    assert not client.state.exists()


def test_a_host_runs_the_timer_or_the_daemon(client: Client) -> None:
    ended = client.run("--json", "service", "install", "--timer", "--daemon")

    assert (ended.code, ended.document["error"]["code"]) == (2, "options-not-together")


def test_a_configuration_that_cannot_be_used_is_told_first(client: Client) -> None:
    client.add("[nonsense]\nkey = 1")

    ended = client.run("--json", "service", "install", "--daemon")

    assert (ended.code, ended.document["error"]["code"]) == (3, "config-unknown-key")
