"""The transaction by itself, with a server made of two files: whatever happens on the way, old or new, never half."""

from __future__ import annotations

import os
import pwd
import select
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from jprs_client.errors import InstallFailed
from jprs_client.install import Limits
from jprs_client.plugin import Deployment, FileChange, Installer, Material, Options, Probe, Site
from jprs_client.store.versions import Versions
from jprs_plugins.files import Files
from tests import needs
from tests.install.world import NOW, PlainServer, World, belong_together, fingerprint, issued, snapshot

OLD = issued("example.jp", issued_at=NOW - timedelta(days=60))


@dataclass
class Scene:
    """A server with OLD, as the first version; NEW is issued and waits."""

    world: World
    server: PlainServer
    new: Material
    version: int

    def deploy(self) -> None:
        self.world.deployer({"web": self.server.make}, look=self.server.look).deploy("web", "main", self.version)

    def is_whole(self) -> bool:
        """The pair on disk is the old one or the new one."""
        pair = (self.server.certificate.read_bytes(), self.server.key.read_bytes())
        return pair in {
            (OLD.fullchain_pem, OLD.private_key_pem),
            (self.new.fullchain_pem, self.new.private_key_pem),
        }

    def is_new(self) -> bool:
        return (
            self.is_whole()
            and self.server.certificate.read_bytes() == self.new.fullchain_pem
            and self.server.memory.read_bytes() == self.new.fullchain_pem
            and self.world.versions.current("main") == self.version
        )

    def leftovers(self) -> list[str]:
        """What a finished transaction leaves nowhere."""
        places = (self.server.folder, self.world.aside)
        files = [path for place in places if place.is_dir() for path in place.rglob("*") if path.is_file()]
        known = {"site.pem", "site.key", "memory.pem", "served.json"}
        return [str(path) for path in files if path.name not in known]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return made(tmp_path)


def made(folder: Path) -> Scene:
    world = World(folder)
    server = PlainServer(folder / "server")
    server.install(OLD)
    world.issue("main", OLD)
    new = issued("example.jp")  # an hour ago
    return Scene(world, server, new, world.add("main", new))


def test_files_and_live_change_together(scene: Scene) -> None:
    scene.deploy()
    assert scene.is_new()
    assert scene.leftovers() == []


# -- killed ----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """As a kill -9: nothing of ours may catch it."""


class DyingVersions(Versions):
    """A store that dies before or after it has switched."""

    def __init__(self, folder: Path, *, after: bool) -> None:
        super().__init__(folder)
        self._after = after

    def switch(self, lineage: str, version: int) -> None:
        if self._after:
            super().switch(lineage, version)
        raise Killed


def died_at_switch(scene: Scene, *, after: bool) -> None:
    versions = DyingVersions(scene.world.folder / "state", after=after)
    deployer = scene.world.deployer({"web": scene.server.make}, look=scene.server.look, versions=versions)
    deployer.deploy("web", "main", scene.version)


def died_looking(scene: Scene, *, looks: int) -> None:
    count = 0

    def look(probe: Probe, timeout: float) -> str:
        nonlocal count
        count += 1
        if count > looks:
            raise Killed
        return scene.server.look(probe, timeout)

    scene.world.deployer({"web": scene.server.make}, look=look).deploy("web", "main", scene.version)


@pytest.mark.parametrize(
    "dies",
    [
        pytest.param(lambda scene: died_at_switch(scene, after=False), id="before-the-switch"),
        pytest.param(lambda scene: died_at_switch(scene, after=True), id="after-the-switch"),
        pytest.param(lambda scene: died_looking(scene, looks=0), id="before-anything-is-written"),
        pytest.param(lambda scene: died_looking(scene, looks=1), id="at-the-first-look"),
        pytest.param(lambda scene: died_looking(scene, looks=2), id="after-the-reload"),
        pytest.param(lambda scene: died_looking(scene, looks=4), id="while-it-is-watched"),
    ],
)
def test_the_next_run_completes_what_was_cut_off(scene: Scene, dies: Callable[[Scene], None]) -> None:
    with pytest.raises(Killed):
        dies(scene)

    scene.deploy()

    assert scene.is_new()
    assert scene.leftovers() == []


def test_what_was_reloaded_before_the_kill_is_not_reloaded_again(scene: Scene) -> None:
    """FAULTS 13."""
    with pytest.raises(Killed):
        died_looking(scene, looks=2)
    assert scene.server.memory.read_bytes() == scene.new.fullchain_pem
    scene.server.reload = ("false",)

    scene.deploy()

    assert scene.is_new()


def test_a_cut_off_run_for_another_version_is_put_back_first(scene: Scene) -> None:
    with pytest.raises(Killed):
        died_at_switch(scene, after=True)
    newest = issued("example.jp", issued_at=NOW)
    version = scene.world.add("main", newest)
    scene.server.reload = ("false",)

    with pytest.raises(InstallFailed):
        scene.world.deployer({"web": scene.server.make}, look=scene.server.look).deploy("web", "main", version)

    assert scene.server.certificate.read_bytes() == OLD.fullchain_pem
    assert scene.world.versions.current("main") == 1


def test_recovering_puts_back_without_deploying(scene: Scene) -> None:
    before = snapshot(scene.server.folder)
    with pytest.raises(Killed):
        died_looking(scene, looks=2)
    deployer = scene.world.deployer({"web": scene.server.make}, look=scene.server.look)

    assert deployer.recover("web") == ("main",)

    assert snapshot(scene.server.folder) == before
    assert scene.world.versions.current("main") == 1
    assert deployer.recover("web") == ()


def test_killed_at_any_change_of_a_file_the_next_run_completes_it(tmp_path: Path) -> None:
    """FAULTS 10–13: SIGKILL at each rename of a real process, then one plain run."""
    strace = needs.program("strace")
    killed = 0
    for number in range(1, 40):
        scene = made(tmp_path / str(number))
        child = subprocess.run(
            [
                *(strace, "-qq", "-o", os.devnull, "-e", "trace=rename,renameat,renameat2,unlink,unlinkat"),
                *("-e", f"inject=rename,renameat,renameat2,unlink,unlinkat:signal=SIGKILL:when={number}"),
                *(sys.executable, "-m", "tests.install.cut_off", str(scene.world.folder), str(scene.version)),
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            timeout=60,
        )
        if child.returncode == 0:
            break
        assert child.returncode == -9, child.stderr
        killed += 1
        scene.deploy()
        assert scene.is_new(), number
        assert scene.leftovers() == [], number
    assert killed >= 5


# -- refused before anything is touched --------------------------------------------------------------------------------


def refused(scene: Scene, code: str) -> InstallFailed:
    """Deploying is refused with `code`, and nothing has changed."""
    before = snapshot(scene.server.folder)
    with pytest.raises(InstallFailed) as failure:
        scene.deploy()
    assert failure.value.code == code
    assert failure.value.params["restored"] == "untouched"
    assert snapshot(scene.server.folder) == before
    assert scene.world.versions.current("main") == 1
    return failure.value


def with_material(scene: Scene, material: Material) -> Scene:
    return replace(scene, version=scene.world.add("main", material))


def test_a_key_that_is_not_the_certificates_own_goes_nowhere(scene: Scene) -> None:
    """FAULTS 29."""
    refused(with_material(scene, replace(scene.new, private_key_pem=OLD.private_key_pem)), "material-key-mismatch")


def test_a_damaged_key_goes_nowhere(scene: Scene) -> None:
    damaged = scene.new.private_key_pem.replace(b"M", b"N", 3)
    refused(with_material(scene, replace(scene.new, private_key_pem=damaged)), "material-key-unreadable")


def test_a_chain_that_does_not_hold_goes_nowhere(scene: Scene) -> None:
    refused(with_material(scene, replace(scene.new, chain_pem=OLD.cert_pem)), "material-chain-broken")


def test_an_expired_certificate_goes_nowhere(scene: Scene) -> None:
    expired = issued("example.jp", issued_at=NOW - timedelta(days=91))
    refused(with_material(scene, expired), "material-expired")


def test_rubbish_goes_nowhere(scene: Scene) -> None:
    refused(with_material(scene, replace(scene.new, cert_pem=b"rubbish")), "material-unreadable")


def test_a_newer_certificate_of_somebody_else_is_not_replaced_by_an_older_one(scene: Scene) -> None:
    """FAULTS 31: the person put it there by hand, after ours was issued."""
    by_hand = issued("example.jp", issued_at=NOW)
    scene.server.install(by_hand)
    failure = refused(scene, "newer-certificate-there")
    assert failure.params["file"] == str(scene.server.certificate)


def test_a_folder_that_others_may_write_to_is_refused(scene: Scene) -> None:
    """Through a link planted there, root would write the key wherever they like (THREATS D12)."""
    scene.server.folder.chmod(0o777)
    failure = refused(scene, "install-folder-unsafe")
    assert failure.params["folder"] == str(scene.server.folder)


NOBODY = 65534


def test_who_made_the_file_beforehand_gets_no_key(scene: Scene) -> None:
    """In a folder like /tmp everybody may make a file; a file of theirs keeps its owner (THREATS D12)."""
    needs.root()
    scene.server.folder.chmod(0o1777)
    os.chown(scene.server.key, NOBODY, NOBODY)
    failure = refused(scene, "install-folder-unsafe")
    assert failure.params["folder"] == str(scene.server.key)


def test_in_a_folder_of_everybodys_our_own_files_are_written(scene: Scene) -> None:
    """Nobody else can rename or remove them there."""
    scene.server.folder.chmod(0o1777)
    scene.deploy()
    assert scene.is_new()


def test_in_a_folder_of_everybodys_a_file_of_the_owner_wanted_is_written(scene: Scene) -> None:
    needs.root()
    nobody = pwd.getpwuid(NOBODY).pw_name
    scene.server.folder.chmod(0o1777)
    os.chown(scene.server.key, NOBODY, 0)

    def look(probe: Probe, timeout: float) -> str:
        return fingerprint(scene.new.cert_pem)

    settings = {"private_key": scene.server.key, "owner": nobody}
    scene.world.deployer({"web": lambda: Files(settings)}, look=look).deploy("web", "main", scene.version)

    assert scene.server.key.read_bytes() == scene.new.private_key_pem
    assert scene.server.key.stat().st_uid == NOBODY


def test_in_a_folder_of_roots_a_file_keeps_its_owner(scene: Scene) -> None:
    """A server that reads its key itself, as its own user, goes on doing so."""
    needs.root()
    os.chown(scene.server.key, NOBODY, NOBODY)
    scene.deploy()
    assert scene.is_new()
    assert scene.server.key.stat().st_uid == NOBODY


def program_of_everybodys(scene: Scene) -> str:
    """It would tell that it ran."""
    needs.root()
    path = scene.world.folder / "restart"
    path.write_text(f"#!/bin/sh\ntouch {scene.world.folder}/ran\n")
    path.chmod(0o777)
    return str(path)


@pytest.mark.parametrize("which", ["check", "reload"])
def test_root_runs_no_command_that_others_may_change(scene: Scene, which: str) -> None:
    """THREATS D26."""
    program = program_of_everybodys(scene)
    setattr(scene.server, which, (program, "-x"))

    failure = refused(scene, "program-unsafe")

    assert (failure.params["program"], failure.params["place"]) == (program, program)
    assert failure.params["target"] == "web"
    assert not (scene.world.folder / "ran").exists()
    with pytest.raises(InstallFailed):  # who looks beforehand hears it, too
        scene.world.deployer({"web": scene.server.make}).preview("web", "main", scene.version)


def test_root_asks_no_check_that_others_may_change_what_is_wrong(scene: Scene) -> None:
    """Where an installer cannot read the configuration, the server's own check is asked."""
    program = program_of_everybodys(scene)

    def unreadable() -> Installer:
        return Unreadable(program)

    with pytest.raises(InstallFailed) as failure:
        scene.world.deployer({"web": unreadable}).deploy("web", "main", scene.version)

    assert failure.value.code == "program-unsafe"
    assert not (scene.world.folder / "ran").exists()


class Unreadable:
    """An installer that leaves it to the server to say what is wrong."""

    options: ClassVar[Options] = {}

    def __init__(self, check: object, /) -> None:
        self._check = check

    def deployment(self, site: Site, material: Material, /) -> Deployment:
        raise InstallFailed("apache-config-broken", place="x:1", found="x", check=self._check)


def test_a_command_that_became_anybodys_meanwhile_is_not_run(scene: Scene) -> None:
    """The check hands it over; so the reload fails, and everything is put back."""
    needs.root()
    program = scene.world.folder / "reload"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    scene.server.check = ("chown", str(NOBODY), str(program))
    scene.server.reload = (str(program),)
    with pytest.raises(InstallFailed) as failure:
        scene.deploy()
    assert failure.value.code == "reload-failed"
    assert "not permitted" in str(failure.value.params["output"])
    assert scene.server.certificate.read_bytes() == OLD.fullchain_pem


def test_recovering_runs_no_command_that_others_may_change(scene: Scene) -> None:
    program = program_of_everybodys(scene)
    with pytest.raises(Killed):
        died_at_switch(scene, after=True)
    scene.server.reload = (program,)
    with pytest.raises(InstallFailed) as failure:
        scene.world.deployer({"web": scene.server.make}, look=scene.server.look).recover("web")
    assert (failure.value.code, failure.value.params["restored"]) == ("program-unsafe", "yes")
    assert not (scene.world.folder / "ran").exists()


def test_a_check_that_does_not_end_is_stopped(scene: Scene) -> None:
    scene.server.check = ("sleep", "60")
    deployer = scene.world.deployer({"web": scene.server.make}, look=scene.server.look, limits=Limits(check=0.2))
    with pytest.raises(InstallFailed) as failure:
        deployer.deploy("web", "main", scene.version)
    assert failure.value.code == "server-config-broken-before"
    assert failure.value.params["status"] is None
    assert scene.is_whole()


@pytest.mark.parametrize("target", ["other", "../web", "web/../web", ""])
def test_only_targets_of_the_configuration_are_deployed_to(scene: Scene, target: str) -> None:
    deployer = scene.world.deployer({"web": scene.server.make}, look=scene.server.look)
    with pytest.raises(InstallFailed) as failure:
        deployer.deploy(target, "main", scene.version)
    assert failure.value.code == "install-target-unknown"


@pytest.mark.parametrize("lineage", ["../main", "/etc", "", ".", "a/b"])
def test_a_lineage_is_a_name_and_no_path(scene: Scene, lineage: str) -> None:
    deployer = scene.world.deployer({"web": scene.server.make}, look=scene.server.look)
    with pytest.raises(InstallFailed) as failure:
        deployer.deploy("web", lineage, 1)
    assert failure.value.code == "install-lineage-unknown"


# -- put back --------------------------------------------------------------------------------------------------------


def put_back(scene: Scene, code: str, limits: Limits | None = None) -> InstallFailed:
    """Deploying fails with `code`, and files and `live/` are as they were."""
    before = {name: held for name, held in snapshot(scene.server.folder).items() if name.startswith("site")}
    deployer = scene.world.deployer({"web": scene.server.make}, look=scene.server.look, limits=limits)
    with pytest.raises(InstallFailed) as failure:
        deployer.deploy("web", "main", scene.version)
    assert failure.value.code == code
    assert failure.value.params["restored"] == "yes"
    after = {name: held for name, held in snapshot(scene.server.folder).items() if name.startswith("site")}
    assert after == before
    assert scene.world.versions.current("main") == 1
    assert scene.leftovers() == []
    return failure.value


def test_a_check_that_fails_only_with_the_new_files_puts_them_back(scene: Scene) -> None:
    wanted = scene.world.folder / "expected"
    wanted.write_bytes(OLD.fullchain_pem)
    scene.server.check = ("cmp", str(wanted), str(scene.server.certificate))
    failure = put_back(scene, "server-config-broken-after")
    assert failure.params["reloaded"] == "not-needed"


def test_a_reload_that_fails_puts_everything_back(scene: Scene) -> None:
    scene.server.reload = ("sh", "-c", "echo 'no: \x1b[31mred\x1b[0m\u202e' >&2; exit 3")
    failure = put_back(scene, "reload-failed")
    assert failure.params["status"] == 3
    assert failure.params["output"] == "no: [31mred[0m"
    assert failure.params["reloaded"] == "no"


def has_ended(pid: int) -> bool:
    """Within five seconds: whom SIGKILL was sent to may take a moment to go."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], 5.0)[0])
    finally:
        os.close(fd)


@dataclass
class Restarted:
    """A server whose reload is a restart: it is down first, and comes up with the files that it takes."""

    server: PlainServer

    def takes_only(self, material: Material) -> None:
        kept = self.server.folder.parent / "taken.pem"
        kept.write_bytes(material.fullchain_pem)
        stopped, started = f"rm -f {self.server.memory}", f"cp {kept} {self.server.memory}"
        self.server.reload = ("sh", "-c", f"{stopped}; cmp {kept} {self.server.certificate} && {started}")

    def look(self, probe: Probe, timeout: float) -> str:
        if not self.server.memory.exists():
            raise ConnectionRefusedError(111, "Connection refused")
        return self.server.look(probe, timeout)

    def refuses(self, scene: Scene) -> InstallFailed:
        deployer = scene.world.deployer({"web": self.server.make}, look=self.look)
        with pytest.raises(InstallFailed) as failure:
            deployer.deploy("web", "main", scene.version)
        return failure.value


def test_a_server_that_ended_with_the_new_files_is_started_with_the_old_ones(scene: Scene) -> None:
    """Nobody listens after a restart that failed; that is no server that did not run before."""
    restarted = Restarted(scene.server)
    restarted.takes_only(OLD)
    before = snapshot(scene.server.folder)

    failure = restarted.refuses(scene)

    assert failure.code == "reload-failed"
    assert (failure.params["restored"], failure.params["reloaded"]) == ("yes", "yes")
    assert snapshot(scene.server.folder) == before  # what is served, too
    assert scene.world.versions.current("main") == 1
    assert scene.leftovers() == []


def test_a_server_that_was_ended_by_a_run_cut_off_is_started_with_the_old_files(scene: Scene) -> None:
    """That nobody listens when the next run comes may be the first one's doing."""
    restarted = Restarted(scene.server)
    before = snapshot(scene.server.folder)
    with pytest.raises(Killed):
        died_at_switch(scene, after=True)
    scene.server.memory.unlink()
    restarted.takes_only(OLD)

    assert restarted.refuses(scene).code == "reload-failed"

    assert snapshot(scene.server.folder) == before


def test_a_server_that_did_not_run_keeps_the_new_files(scene: Scene) -> None:
    """FAULTS 123: it reads them when somebody starts it."""
    scene.server.memory.unlink()
    scene.server.reload = ("false",)

    failure = Restarted(scene.server).refuses(scene)

    assert (failure.code, failure.params["restored"]) == ("server-not-running", "no")
    assert scene.server.certificate.read_bytes() == scene.new.fullchain_pem
    assert scene.leftovers() == []


def test_without_a_place_to_look_at_a_failed_reload_puts_everything_back(scene: Scene) -> None:
    scene.server.memory.unlink()
    scene.server.probes = ()
    scene.server.reload = ("false",)

    assert Restarted(scene.server).refuses(scene).code == "reload-failed"

    assert scene.server.certificate.read_bytes() == OLD.fullchain_pem


def test_a_reload_that_does_not_end_is_stopped_with_its_children(scene: Scene) -> None:
    """FAULTS 120."""
    pid_file = scene.world.folder / "pid"
    scene.server.reload = ("sh", "-c", f"sleep 600 & echo $! > {pid_file}; wait")
    failure = put_back(scene, "reload-failed", Limits(reload=0.3))
    assert failure.params["status"] is None
    assert has_ended(int(pid_file.read_text()))


def test_a_reload_command_that_is_not_there_is_a_failed_reload(scene: Scene) -> None:
    scene.server.reload = ("no-such-command-anywhere",)
    failure = put_back(scene, "reload-failed")
    assert "no-such-command-anywhere" in str(failure.params["output"])


def test_a_flood_of_output_is_cut(scene: Scene) -> None:
    """FAULTS 129."""
    scene.server.reload = ("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 1")
    failure = put_back(scene, "reload-failed")
    assert len(str(failure.params["output"])) <= 500


def test_a_reload_that_leaves_a_daemon_behind_is_over_when_it_ends(scene: Scene) -> None:
    """FAULTS 129: the daemon holds our end of the pipe, and nobody waits for it."""
    copy = f"cp {scene.server.certificate} {scene.server.memory}"
    pid_file = scene.world.folder / "pid"
    scene.server.reload = ("sh", "-c", f"{copy}; sleep 600 & echo $! > {pid_file}")
    try:
        scene.deploy()
    finally:
        os.kill(int(pid_file.read_text()), 9)
    assert scene.is_new()


def test_a_server_that_nobody_hears_is_not_served(scene: Scene) -> None:
    def silent(probe: Probe, timeout: float) -> str:
        raise ConnectionRefusedError(111, "Connection refused")

    deployer = scene.world.deployer({"web": scene.server.make}, look=silent, limits=Limits(served=0.05))
    with pytest.raises(InstallFailed) as failure:
        deployer.deploy("web", "main", scene.version)
    assert failure.value.code == "not-served"
    assert failure.value.params["seen"] is None
    assert "Connection refused" in str(failure.value.params["problem"])
    assert scene.server.certificate.read_bytes() == OLD.fullchain_pem


def test_files_that_were_not_there_are_gone_again(scene: Scene) -> None:
    scene.server.certificate.unlink()
    scene.server.key.unlink()
    scene.server.reload = ("false",)
    put_back(scene, "reload-failed")
    assert not scene.server.certificate.exists()


def test_a_file_changed_by_somebody_else_meanwhile_is_left_to_them(scene: Scene) -> None:
    """Between the kill and the next run a person repaired it by hand."""
    with pytest.raises(Killed):
        died_at_switch(scene, after=True)
    by_hand = issued("example.jp", issued_at=NOW)
    scene.server.install(by_hand)

    with pytest.raises(InstallFailed) as failure:
        scene.deploy()

    assert failure.value.code == "newer-certificate-there"
    assert scene.server.certificate.read_bytes() == by_hand.fullchain_pem


def test_putting_back_that_fails_says_where_everything_is(scene: Scene) -> None:
    """FAULTS 118: and the next run tries again."""
    gone = scene.world.folder / "gone"
    scene.server.reload = ("sh", "-c", f"mv {scene.server.folder} {gone}; exit 1")

    with pytest.raises(InstallFailed) as failure:
        scene.deploy()

    assert failure.value.code == "put-back-failed"
    assert failure.value.params["restored"] == "no"
    assert failure.value.params["because"] == "reload-failed"
    assert str(scene.server.key) in str(failure.value.params["files"])
    aside = Path(str(failure.value.params["aside"]))
    assert OLD.private_key_pem in {path.read_bytes() for path in aside.iterdir()}
    assert {path.stat().st_mode & 0o777 for path in aside.iterdir()} == {0o600}

    gone.rename(scene.server.folder)
    scene.server.reload = ("cp", str(scene.server.certificate), str(scene.server.memory))
    scene.deploy()
    assert scene.is_new()


def test_the_restore_command_restores(scene: Scene) -> None:
    gone = scene.world.folder / "gone"
    before = snapshot(scene.server.folder)
    scene.server.reload = ("sh", "-c", f"mv {scene.server.folder} {gone}; exit 1")
    with pytest.raises(InstallFailed) as failure:
        scene.deploy()
    gone.rename(scene.server.folder)

    subprocess.run(["sh", "-c", str(failure.value.params["restore"])], check=True)  # as a person would

    assert snapshot(scene.server.folder) == before


def test_an_interrupted_run_puts_everything_back(scene: Scene) -> None:
    """Ctrl-C is no kill: there is time to tidy up."""

    def interrupted(probe: Probe, timeout: float) -> str:
        if scene.server.memory.read_bytes() == scene.new.fullchain_pem:
            raise KeyboardInterrupt
        return scene.server.look(probe, timeout)

    before = snapshot(scene.server.folder)
    with pytest.raises(KeyboardInterrupt):
        scene.world.deployer({"web": scene.server.make}, look=interrupted).deploy("web", "main", scene.version)
    assert snapshot(scene.server.folder) == before  # what is served, too
    assert scene.world.versions.current("main") == 1


def test_a_look_that_has_a_bug_puts_everything_back_and_stays_a_bug(scene: Scene) -> None:
    def buggy(probe: Probe, timeout: float) -> str:
        if scene.server.memory.read_bytes() == scene.new.fullchain_pem:
            raise ZeroDivisionError
        return scene.server.look(probe, timeout)

    before = snapshot(scene.server.folder)
    with pytest.raises(ZeroDivisionError):
        scene.world.deployer({"web": scene.server.make}, look=buggy).deploy("web", "main", scene.version)
    assert snapshot(scene.server.folder) == before


def test_recovering_into_a_configuration_broken_meanwhile_says_so(scene: Scene) -> None:
    with pytest.raises(Killed):
        died_at_switch(scene, after=True)
    scene.server.check = ("false",)
    deployer = scene.world.deployer({"web": scene.server.make}, look=scene.server.look)
    with pytest.raises(InstallFailed) as failure:
        deployer.recover("web")
    assert failure.value.code == "server-config-broken-before"
    assert failure.value.params["restored"] == "yes"
    assert scene.world.versions.current("main") == 1


def test_what_cannot_be_kept_aside_is_not_touched(scene: Scene) -> None:
    scene.world.aside.mkdir()
    (scene.world.aside / "web").write_text("in the way")
    before = snapshot(scene.server.folder)
    scene.server.probes = ()
    with pytest.raises(InstallFailed) as failure:
        scene.deploy()
    assert failure.value.code == "aside-not-written"
    assert snapshot(scene.server.folder) == before


def test_a_damaged_manifest_is_left_to_a_person(scene: Scene) -> None:
    with pytest.raises(Killed):
        died_at_switch(scene, after=True)
    (manifest,) = scene.world.aside.rglob("manifest.json")
    manifest.write_bytes(manifest.read_bytes()[:40])
    with pytest.raises(InstallFailed) as failure:
        scene.deploy()
    assert failure.value.code == "aside-damaged"
    assert failure.value.params["aside"] == str(manifest.parent)


def test_a_damaged_record_of_what_is_served_is_written_anew(scene: Scene) -> None:
    scene.deploy()
    (record,) = scene.world.aside.rglob("served.json")
    whole = record.read_bytes()
    record.write_bytes(whole[:10])
    scene.deploy()
    assert record.read_bytes() == whole


def test_without_a_place_to_look_at_the_server_is_reloaded_each_time(scene: Scene) -> None:
    scene.server.probes = ()
    scene.deploy()
    assert scene.is_new()
    scene.server.memory.write_bytes(b"unknown to us")
    scene.deploy()
    assert scene.is_new()


def test_a_folder_that_is_missing_is_named(scene: Scene) -> None:
    scene.server.key = scene.server.folder / "missing" / "site.key"
    with pytest.raises(InstallFailed) as failure:
        scene.deploy()
    assert failure.value.code == "files-not-written"
    assert str(failure.value.params["file"]).startswith(str(scene.server.folder / "missing"))
    assert failure.value.params["restored"] == "untouched"


@pytest.mark.parametrize("kind", ["loop", "pipe", "folder"])
def test_what_is_no_file_is_not_written_to(scene: Scene, kind: str) -> None:
    scene.server.key.unlink()
    if kind == "loop":
        scene.server.key.symlink_to(scene.server.key.name)
    elif kind == "pipe":
        os.mkfifo(scene.server.key)
    else:
        scene.server.key.mkdir()
    with pytest.raises(InstallFailed) as failure:
        scene.deploy()
    assert failure.value.code == "files-not-written"


# -- owners and modes --------------------------------------------------------------------------------------------------


def test_owner_and_mode_stay_as_they_are(scene: Scene) -> None:
    needs.root()
    scene.server.certificate.chmod(0o644)
    scene.server.key.chmod(0o640)
    os.chown(scene.server.key, 0, 33)

    scene.deploy()

    status = scene.server.key.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (0, 33, 0o640)
    assert scene.server.certificate.stat().st_mode & 0o777 == 0o644


def test_owner_and_mode_come_back_when_it_fails(scene: Scene) -> None:
    needs.root()
    os.chown(scene.server.key, 33, 33)
    scene.server.key.chmod(0o440)
    scene.server.reload = ("false",)
    put_back(scene, "reload-failed")


def test_what_the_installer_says_of_owner_and_mode_is_done(scene: Scene, tmp_path: Path) -> None:
    needs.root()
    place = tmp_path / "server" / "bundle.pem"

    class Bundling(PlainServer):
        def deployment(self, site: Site, material: Material, /) -> Deployment:
            change = FileChange(place, material.fullchain_pem, mode=0o640, owner="root", group="www-data")
            return Deployment((change,), ("true",), ("cp", str(place), str(self.memory)), self.probes)

    server = Bundling(tmp_path / "server")
    scene.world.deployer({"web": server.make}, look=server.look).deploy("web", "main", scene.version)

    status = place.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (0, 33, 0o640)


def test_an_owner_that_nobody_knows_is_refused(scene: Scene, tmp_path: Path) -> None:
    class Owned(PlainServer):
        def deployment(self, site: Site, material: Material, /) -> Deployment:
            return Deployment((FileChange(self.certificate, material.fullchain_pem, owner="no-such-user"),))

    server = Owned(tmp_path / "server")
    with pytest.raises(InstallFailed) as failure:
        scene.world.deployer({"web": server.make}, look=server.look).deploy("web", "main", scene.version)
    assert failure.value.code == "install-owner-unknown"


def test_a_link_that_somebody_else_made_is_not_followed(scene: Scene) -> None:
    needs.root()
    real = scene.server.key.rename(scene.server.folder / "real.key")
    scene.server.key.symlink_to(real)
    os.chown(scene.server.key, 33, 33, follow_symlinks=False)
    refused(scene, "install-folder-unsafe")


def test_labels_of_a_file_stay(scene: Scene) -> None:
    """FAULTS 124: as SELinux's, which a test machine may not have."""
    try:
        os.setxattr(scene.server.key, "user.label", b"web")
    except OSError:
        needs.missing("this file system keeps no extended attributes")
    scene.deploy()
    assert os.getxattr(scene.server.key, "user.label") == b"web"


def test_a_key_that_everybody_may_read_is_told_of(scene: Scene) -> None:
    scene.server.key.chmod(0o644)
    deployer = scene.world.deployer({"web": scene.server.make}, look=scene.server.look)
    notes = deployer.deploy("web", "main", scene.version).notes
    assert [code for code, _ in notes] == ["key-readable-by-others"]


def test_nothing_of_the_callers_environment_reaches_the_server(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "LD_LIBRARY_PATH", "NGINX", "CANARY"):
        monkeypatch.setenv(name, "canary")
    seen = scene.world.folder / "environment"
    copy = f"cp {scene.server.certificate} {scene.server.memory}"
    scene.server.reload = ("sh", "-c", f"env > {seen}; {copy}")

    scene.deploy()

    assert "canary" not in seen.read_text()
    assert "LC_ALL=C" in seen.read_text().splitlines()


# -- told beforehand ---------------------------------------------------------------------------------------------------


def test_a_preview_changes_nothing_and_shows_no_content(scene: Scene) -> None:
    before = snapshot(scene.world.folder)
    change = scene.world.deployer({"web": scene.server.make}, look=scene.server.look).preview(
        "web", "main", scene.version
    )
    assert [(file.path.name, file.change) for file in change.files] == [
        ("site.pem", "changed"),
        ("site.key", "changed"),
    ]
    assert change.live == (1, scene.version)
    assert "PRIVATE" not in repr(change)
    assert snapshot(scene.world.folder) == before


def test_the_pair_on_disk_always_belongs_together(scene: Scene) -> None:
    scene.deploy()
    assert belong_together(scene.server.certificate.read_bytes(), scene.server.key.read_bytes())
    assert scene.server.look(Probe("", 0, ""), 0) == fingerprint(scene.new.cert_pem)


@pytest.mark.parametrize(
    ("said", "file", "line", "kept"),
    [
        ("nginx: [warn] old\nnginx: [emerg] no such in /etc/nginx/a b.conf:12", "/etc/nginx/a b.conf", 12, "no such"),
        (
            "AH00526: Syntax error on line 25 of /etc/apache2/site.conf:\nSSLCertificateFile: is empty\nmore",
            "/etc/apache2/site.conf",
            25,
            "is empty",
        ),
        ("[ALERT] 1 : parsing [/etc/haproxy.cfg:9] : unknown keyword", "/etc/haproxy.cfg", 9, "unknown keyword"),
        ("something went wrong", None, None, "something went wrong"),
    ],
)
def test_what_a_server_complains_of_is_told_with_its_place(
    scene: Scene, said: str, file: str | None, line: int | None, kept: str
) -> None:
    scene.server.check = ("sh", "-c", f"echo {shlex.quote(said)}; exit 1")

    with pytest.raises(InstallFailed) as failure:
        scene.deploy()

    assert (failure.value.params["file"], failure.value.params["line"]) == (file, line)
    assert kept in str(failure.value.params["output"])
    assert "more" not in str(failure.value.params["output"])
