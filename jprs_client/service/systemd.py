"""Units put in place: written, read by systemd, one of them enabled; nothing is touched that is right already."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jprs_client.errors import JprsClientError, harmless
from jprs_client.files import make_directory, sync_directory, write_file
from jprs_client.service.units import APPLY_TIMER, DAEMON, UNITS, Place

#: Where an administrator's units are, and what is there only while systemd runs the host (sd_booted(3)).
UNIT_DIRECTORY = Path("/etc/systemd/system")
BOOTED = Path("/run/systemd/system")

#: Starting the daemon waits until it is ready, stopping it until it has come to a safe point (TimeoutStopSec).
SYSTEMCTL_SECONDS = 240.0

PROGRAM = "jprs-client"

#: Folders that every service has one of its own instead.
_PRIVATE = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - named, not used

_PASSED_ON = ("HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(slots=True)
class Changed:
    """What was done to the units' files, and which units run by themselves now or do so no longer."""

    written: list[Path] = field(default_factory=list)
    unchanged: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    enabled: str | None = None
    disabled: list[str] = field(default_factory=list)


def program_place(
    argv0: str, executable: str, scripts: str, prefix: str, config: Path, state_dir: Path, package: Path
) -> Place:
    """Where the very program that runs lies. Raises JprsClientError service-no-program where it has no command."""
    candidates = [Path(executable).parent / PROGRAM, Path(scripts) / PROGRAM]
    if Path(argv0).name == PROGRAM:  # as it was called: pipx's link outlives an upgrade
        candidates.insert(0, Path(argv0))
    program = next((path for path in candidates if path.is_file() and os.access(path, os.X_OK)), None)
    if program is None:
        raise JprsClientError("service-no-program", program=PROGRAM, python=executable)
    program = Path(os.path.abspath(program))  # noqa: PTH100 - a link is kept as it is
    parts = [program.resolve(), Path(executable), Path(executable).resolve(), Path(prefix).resolve(), package.resolve()]
    return Place(
        program,
        Path(os.path.abspath(config)),  # noqa: PTH100 - the same
        Path(os.path.abspath(state_dir)),  # noqa: PTH100 - the same
        tuple(dict.fromkeys(parts)),
        _host(),
    )


def _host() -> str:
    """What tells this host from others, machine-id(5); its name where there is none."""
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip() or socket.gethostname()
    except (OSError, UnicodeDecodeError):
        return socket.gethostname()


def must_be_roots(place: Place) -> None:
    """What systemd runs as root, only root may change. Raises JprsClientError service-program-not-roots.

    A group that may write (Debian's `staff` in /usr/local) is the administrator's own decision.
    """
    seen = set()
    for part in (place.program, *place.program_parts):
        for path in (part, *part.parents):
            if path in seen:
                continue
            seen.add(path)
            status = path.lstat()
            anyone = status.st_mode & stat.S_IWOTH and not (
                stat.S_ISLNK(status.st_mode) or status.st_mode & stat.S_ISVTX
            )
            if status.st_uid != 0 or anyone:
                raise JprsClientError("service-program-not-roots", program=place.program, file=path)


def must_be_visible(place: Place) -> None:
    """Raises JprsClientError service-hidden for what lies in a temporary folder: services have their own."""
    for path in (place.program, *place.program_parts, place.config, place.state_dir):
        if any(path.is_relative_to(folder) for folder in _PRIVATE):
            raise JprsClientError("service-hidden", file=path)


class Systemd:
    """systemd on this host. `directory`, `booted` and `systemctl` are another host's in tests."""

    def __init__(
        self,
        directory: Path = UNIT_DIRECTORY,
        booted: Path = BOOTED,
        systemctl: str = "systemctl",
        seconds: float = SYSTEMCTL_SECONDS,
    ) -> None:
        self._directory = directory
        self._booted = booted
        self._systemctl = systemctl
        self._seconds = seconds

    def must_be_ours(self) -> None:
        """Raises JprsClientError service-not-root, service-no-systemd."""
        if os.geteuid() != 0:
            raise JprsClientError("service-not-root", directory=self._directory)
        if not self._booted.is_dir():
            raise JprsClientError("service-no-systemd", directory=self._booted)

    def install(self, texts: Mapping[str, str], enabled: str, state_dir: Path) -> Changed:
        """Have systemd run `enabled`, which is the timer or the daemon, and not the other one.

        Raises JprsClientError: service-unit-foreign before anything is written, service-unwritable,
        service-systemctl-failed, service-systemctl-slow.
        """
        done = Changed(enabled=enabled)
        paths = {name: self._directory / name for name in texts}
        there = {name: _content(path) for name, path in paths.items()}
        for name, content in there.items():
            _must_be_of_ours(paths[name], content)
        with _told(state_dir):
            make_directory(state_dir)
        for name, text in texts.items():
            if there[name] == text:
                done.unchanged.append(paths[name])
                continue
            with _told(paths[name]):
                make_directory(self._directory, 0o755)
                write_file(paths[name], text.encode(), 0o644)
            done.written.append(paths[name])
        before = self._known(texts)
        if done.written or any(facts.get("NeedDaemonReload") == "yes" for facts in before.values()):
            self._run("daemon-reload")
        if not (_is_enabled(before[enabled]) and _is_active(before[enabled])):
            self._run("enable", "--now", enabled)
        elif paths[enabled] in done.written:  # what runs is still what it was started as
            self._run("restart", enabled)
        other = DAEMON if enabled == APPLY_TIMER else APPLY_TIMER
        if _is_on(before[other]):  # last, so that one of them runs whatever fails; they take their turns
            self._run("disable", "--now", other)
            done.disabled.append(other)
        return done

    def uninstall(self) -> Changed:
        """Have systemd forget our units; the state stays as it is. Raises as `install` does."""
        done = Changed()
        ours = [self._directory / name for name in UNITS if _is_ours(_content(self._directory / name))]
        if not ours:
            return done
        for name, facts in self._known([path.name for path in ours]).items():
            if _is_on(facts):
                self._run("disable", "--now", name)
                done.disabled.append(name)
        for path in ours:
            with _told(path):
                path.unlink()
            done.removed.append(path)
        sync_directory(self._directory)
        self._run("daemon-reload")
        return done

    def _known(self, names: Sequence[str] | Mapping[str, str]) -> dict[str, dict[str, str]]:
        """What systemd says of each unit; nothing of one it does not know."""
        said = self._run("show", "--property=Id,ActiveState,UnitFileState,NeedDaemonReload", *names)
        found = {name: dict[str, str]() for name in (*names, DAEMON, APPLY_TIMER)}
        for block in said.split("\n\n"):
            facts = {key: value for key, _, value in (line.partition("=") for line in block.splitlines())}
            found[facts.get("Id", "")] = facts
        return found

    def _run(self, *arguments: str) -> str:
        command = (self._systemctl, *arguments)
        shown = " ".join(command)
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {"PATH": _PATH, "LC_ALL": "C", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}
        program = shutil.which(self._systemctl, path=_PATH)
        if program is None:
            raise JprsClientError("service-systemctl-failed", command=shown, status=127, output="not found")
        try:
            ended = subprocess.run(
                command, executable=program, capture_output=True, stdin=subprocess.DEVNULL, timeout=self._seconds,
                env=environment, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise JprsClientError("service-systemctl-slow", command=shown, seconds=int(self._seconds)) from error
        if ended.returncode != 0:
            output = harmless(ended.stderr.decode(errors="replace"))
            raise JprsClientError(
                "service-systemctl-failed", command=shown, status=ended.returncode, output=output or None
            )
        return ended.stdout.decode(errors="replace")


def _is_enabled(facts: Mapping[str, str]) -> bool:
    return facts.get("UnitFileState") == "enabled"


def _is_active(facts: Mapping[str, str]) -> bool:
    return facts.get("ActiveState") in {"active", "activating", "reloading"}


def _is_on(facts: Mapping[str, str]) -> bool:
    return _is_enabled(facts) or _is_active(facts)


def _content(path: Path) -> str | None:
    """What the unit file holds; None where there is none. What is no regular file holds nothing of ours."""
    with _told(path):
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                return ""
            return path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None


def _is_ours(content: str | None) -> bool:
    return content is not None and content.startswith("# Written by `jprs-client service install`")


def _must_be_of_ours(path: Path, content: str | None) -> None:
    if content is not None and not _is_ours(content):
        raise JprsClientError("service-unit-foreign", file=path)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JprsClientError("service-unwritable", file=path, cause=error.strerror) from error
