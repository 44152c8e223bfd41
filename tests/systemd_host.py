"""A real systemd that boots: a container over this machine's own root, with a network of its own (loopback alone).

    with SystemdHost.made(folder) as host:
        host.install(wheel(folder))    # a virtual environment in /opt/jprs-client, linked from /usr/local/bin
        host.boot()
        host.run("systemctl is-system-running")

Nothing of it reaches this machine: what is written lies in memory over an untouched root, in a mount namespace of its
own. When the block ends, or this process does, by whatever signal, all processes of it are gone, and its mounts too.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests import needs

ROOT = Path(__file__).parents[1]
VENV = "/opt/jprs-client"
BOOT_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1

#: Made first, inside namespaces of its own for mounts and processes: it is process 1 there, and all end with it. The
#: upper layer must not lie on the root it covers. Units of the machine itself do not start.
_STAGE = r"""
set -eu
mount -t tmpfs -o size=1500m,mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
resolvers=$(cat /etc/resolv.conf)
rm -f etc/resolv.conf
printf '%s\n' "$resolvers" >etc/resolv.conf
mount -t tmpfs -o mode=755 tmpfs /run
: >etc/machine-id
: >etc/fstab
rm -rf etc/systemd/system/*.wants etc/rc?.d/S* usr/sbin/policy-rc.d
mount -t proc proc proc
mount --rbind /dev dev
echo ready
exec cat >/dev/null
"""


def wheel(folder: Path) -> Path:
    """The program's own wheel, as a release has it, made in `folder`."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, timeout=120, env=_environment())
    (made,) = folder.glob("jprs_client-*.whl")
    return made


class SystemdHost:
    """One container; `made` makes one and takes it away."""

    def __init__(self, folder: Path, cgroup: Path) -> None:
        self._folder = folder
        self._cgroup = cgroup
        self._stage: subprocess.Popen[str] | None = None
        self._container: subprocess.Popen[bytes] | None = None
        self._leader = 0

    @classmethod
    @contextmanager
    def made(cls, folder: Path) -> Iterator[SystemdHost]:
        """A container that has not booted yet. Skips the test where this machine cannot have one."""
        for name in ("systemd-nspawn", "unshare", "nsenter", "nginx", "openssl", "curl", "faketime"):
            needs.program(name)
        if subprocess.run(["/usr/bin/python3", "-c", "import ensurepip"], capture_output=True).returncode != 0:
            needs.missing("python3-venv is not installed")
        cgroups = _cgroup2()
        if os.geteuid() != 0 or cgroups is None:
            cannot("only root with a unified cgroup hierarchy can boot a systemd")
        # Entering a mount namespace leads to its own root, which is not ours inside a chroot.
        seen = subprocess.run(
            ["nsenter", "--mount=/proc/self/ns/mnt", "test", "-d", str(folder.parent)], capture_output=True
        )
        if seen.returncode != 0:
            cannot("inside a chroot no container can be entered")
        _remove_left_over(cgroups)
        host = cls(folder, cgroups / f"jprs-client-test-{os.getpid()}")
        try:
            host._set_stage()
            yield host
        finally:
            host.end()

    # -- its life ---------------------------------------------------------------------------------------------------

    def _set_stage(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._cgroup.mkdir()
        except OSError as error:
            cannot(f"no cgroup of our own: {error}")
        self._stage = subprocess.Popen(
            [
                *("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"),
                *("sh", "-c", _STAGE, "sh", str(self._folder)),
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_ends_with_us,  # noqa: PLW1509
        )  # fmt: skip
        assert self._stage.stdout is not None
        if self._stage.stdout.readline() != "ready\n":
            said = self._stage.communicate(timeout=30)[1]
            cannot(f"no overlay over the root: {said.strip()}")

    @property
    def _inside(self) -> int:
        """Process 1 of the stage, as seen from here."""
        assert self._stage is not None
        children = Path(f"/proc/{self._stage.pid}/task/{self._stage.pid}/children").read_text().split()
        return int(children[0])

    @property
    def root(self) -> Path:
        """The container's root, as seen from here."""
        return Path(f"/proc/{self._inside}/root{self._folder}/root")

    def _before_boot(self, *command: str, seconds: float = 240) -> None:
        """A command with the container's files and this machine's network, before systemd is there."""
        environment = _environment() | {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        entered = ("nsenter", "-t", str(self._inside), "-m", "-p", "chroot", f"{self._folder}/root")
        done = subprocess.run((*entered, *command), capture_output=True, text=True, timeout=seconds, env=environment)
        assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])

    def install(self, wheel: Path) -> None:
        """The program as a person would install it: a virtual environment of the system's Python, linked to."""
        there = self.root / "opt" / wheel.name
        shutil.copyfile(wheel, there)
        self._before_boot("/usr/bin/python3", "-m", "venv", VENV)
        self._before_boot(f"{VENV}/bin/python", "-m", "pip", "install", "--quiet", f"/opt/{wheel.name}")
        self._before_boot("ln", "-sf", f"{VENV}/bin/jprs-client", "/usr/local/bin/jprs-client")

    def boot(self) -> None:
        """Boot, and wait until systemd says that everything is up."""
        self._before_boot("umount", "-l", "/dev", "/proc")
        command = [
            *("nsenter", "-t", str(self._inside), "-m", "-p", "env", "UNIFIED_CGROUP_HIERARCHY=1"),
            *("systemd-nspawn", "--quiet", "--directory", f"{self._folder}/root", "--machine", self._cgroup.name),
            *("--register=no", "--keep-unit", "--private-network", "--resolv-conf=off", "--console=pipe"),
            *("--boot", "systemd.unit=multi-user.target"),
        ]
        log = (self._folder.parent / f"{self._folder.name}.log").open("wb")
        with log:
            self._container = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=self._in_own_cgroup,  # noqa: PLW1509
            )  # fmt: skip
        self.until(self._find_leader, "the container has a process 1", BOOT_SECONDS)
        self.until(
            lambda: self.run("systemctl is-system-running", check=False).strip() in {"running", "degraded"},
            "systemd is up", BOOT_SECONDS,
        )  # fmt: skip

    def _in_own_cgroup(self) -> None:
        _ends_with_us()
        (self._cgroup / "cgroup.procs").write_text(str(os.getpid()))

    def _find_leader(self) -> bool:
        assert self._container is not None
        if self._container.poll() is not None:
            said = (self._folder.parent / f"{self._folder.name}.log").read_text(errors="replace")
            raise AssertionError(f"the container did not boot: {said[-2000:]}")
        below = [self._container.pid]
        while below:
            pid = below.pop()
            with suppress(OSError):
                if pid != self._container.pid and Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                    self._leader = pid
                    return True
                below += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return False

    def end(self) -> None:
        """Every process of it is killed; mounts go with them, and the cgroups are taken away."""
        if self._stage is not None:
            self._stage.kill()  # with it its process 1, and with that all the others
        for process in (self._stage, self._container):
            if process is not None:
                process.wait(30)
                for stream in (process.stdin, process.stdout, process.stderr):
                    if stream is not None:
                        stream.close()
        _remove_cgroups(self._cgroup.name)

    # -- what tests do with it --------------------------------------------------------------------------------------

    def run(self, command: str, *, check: bool = True, seconds: float = 60, cwd: str = "/root") -> str:
        """A line of shell, as root inside: what it said."""
        entered = ["nsenter", "-t", str(self._leader), "-a", "env", "-i", "HOME=/root", "LC_ALL=C.UTF-8", "USER=root"]
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        done = subprocess.run(
            [*entered, path, "sh", "-c", f"cd {cwd} && {command}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=seconds,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{self._why()}"
        return done.stdout

    def _why(self) -> str:
        return self.run("journalctl --no-pager -n 60 -o short-monotonic", check=False)

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file inside; its folder is made if it has to be."""
        place = Path(f"/proc/{self._leader}/root{path}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.touch(mode=0o600)
        place.write_text(text)
        place.chmod(mode)

    def facts(self, unit: str) -> dict[str, str]:
        """`systemctl show`."""
        return dict(line.partition("=")[::2] for line in self.run(f"systemctl show {unit}").splitlines())

    def until(self, reached: Any, what: str, seconds: float = 30) -> None:
        """Look again and again until `reached()` holds."""
        end = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > end:
                why = self._why() if self._leader else ""
                raise AssertionError(f"not within {seconds} s: {what}\n{why}")
            time.sleep(0.1)

    def ask(self, method: str, url: str, document: Mapping[str, object] | None = None) -> Any:
        """A request from inside, as the container's network reaches nowhere else; the decoded answer."""
        body = "" if document is None else f" -H 'Content-Type: application/json' -d '{json.dumps(document)}'"
        said = self.run(f"curl -sS --fail-with-body -k -X {method}{body} {url}")
        return json.loads(said) if said.strip() else None


def cannot(reason: str) -> NoReturn:
    """What this machine may not do is no missing program: CI, which fails what is skipped, cannot help it."""
    pytest.xfail(reason)


def _environment() -> dict[str, str]:
    """Ours, with what pip is told in it, and without what would change a Python that is not ours."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE", "VIRTUAL_ENV"))
    }


def _ends_with_us() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _cgroup2() -> Path | None:
    """Where the unified hierarchy is mounted."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    return None


def _remove_left_over(cgroups: Path) -> None:
    """Cgroups of a run that was killed."""
    for path in cgroups.glob("jprs-client-test-*"):
        pid = path.name.rpartition("-")[2]
        if not Path(f"/proc/{pid}").exists():
            _remove_cgroups(path.name)


def _remove_cgroups(name: str) -> None:
    """In every hierarchy: nspawn makes one of the same name for systemd's own, where that is another one."""
    mounted = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    end = time.monotonic() + 10
    for top in {Path(place, name) for _, place, kind, *_ in mounted if kind in {"cgroup", "cgroup2"}}:
        for folder, _, _ in os.walk(top, topdown=False):
            while Path(folder).is_dir():
                try:
                    Path(folder).rmdir()
                except OSError:  # its last processes are on their way out
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.05)
