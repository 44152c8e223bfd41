"""The units as text: pure, from the configuration and from where things are.

All services are hardened alike (`sandbox.conf`). They may write the state directory, what the configuration's solvers
and installers name, and the usual folders of web servers; the rest of the host is read-only or not there at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePath

from jprs_client.config import DEFAULT_PATH, Config

APPLY = "jprs-client-apply.service"
APPLY_TIMER = "jprs-client-apply.timer"
DAEMON = "jprs-client.service"
REGISTER = "jprs-client-register.service"
UNITS = (DAEMON, APPLY, APPLY_TIMER, REGISTER)

#: The first line of a unit that is ours to overwrite and to remove.
HEADER = "# Written by `jprs-client service install`, which overwrites it; changes go into a drop-in (systemctl edit)."

#: Where state is without being told, and systemd's name for it.
DEFAULT_STATE_DIR = Path("/var/lib/jprs-client")
_STATE = "StateDirectory=jprs-client\nStateDirectoryMode=0700"

#: What ProtectHome hides.
HOMES = (PurePath("/home"), PurePath("/root"), PurePath("/run/user"))

#: Where web servers have certificates, and what looking at their configuration opens for writing. Always there, so
#: that a server added to the configuration later needs no new units.
SERVERS = (
    "/etc/nginx", "/etc/apache2", "/etc/httpd", "/etc/ssl", "/etc/pki", "/etc/letsencrypt", "/run", "/var/lib/nginx",
    "/var/log/nginx", "/var/log/apache2", "/var/log/httpd",
)  # fmt: skip

#: Where the host's sendmail puts what it is given: Postfix, Exim, nullmailer, sendmail itself, OpenSMTPD, DMA.
MAIL = (
    "/var/spool/postfix", "/var/spool/exim4", "/var/spool/exim", "/var/log/exim4", "/var/log/exim",
    "/var/spool/nullmailer", "/var/spool/clientmqueue", "/var/spool/mqueue-client", "/var/spool/smtpd",
    "/var/spool/dma",
)  # fmt: skip

#: Settings of a plugin that name a folder; another one names a file, and a file is replaced in its folder.
FOLDERS = frozenset({"path", "prefix", "folder", "directory", "root"})

CAPABILITIES = ("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_NET_BIND_SERVICE")
#: `webroot` writes with the rights of the document root's owner; mail servers work as a user of their own.
AS_OTHERS = ("CAP_SETGID", "CAP_SETUID")


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are on this host, absolute: the program, and what it was told on the command line.

    `program_parts` are all places the program is made of: script, interpreter, libraries, with links followed. `seed`
    is what tells this host from others: its time of day follows from it.
    """

    program: Path
    config: Path = DEFAULT_PATH
    state_dir: Path = DEFAULT_STATE_DIR
    program_parts: tuple[Path, ...] = ()
    seed: str = ""

    @property
    def command(self) -> list[str]:
        """The command line that all services begin with."""
        told = [str(self.program)]
        if self.config != DEFAULT_PATH:
            told += ["--config", str(self.config)]
        if self.state_dir != DEFAULT_STATE_DIR:
            told += ["--state-dir", str(self.state_dir)]
        return told


def units(place: Place, config: Config) -> dict[str, str]:
    """The text of every unit, by name."""
    has_webroot = any(table.plugin == "webroot" for table in config.solvers.values())
    sends_mail = _sends_mail(config)
    capabilities = AS_OTHERS if has_webroot or sends_mail else ()
    filled = {
        "HEADER": HEADER,
        "PROGRAM": _command_line(place.command),
        "CAPABILITIES": " ".join(sorted({*CAPABILITIES, *capabilities})),
        "FAMILIES": " AF_NETLINK" if sends_mail else "",  # Postfix's sendmail asks for the host's addresses
        "STATE": _STATE if place.state_dir == DEFAULT_STATE_DIR else f"ReadWritePaths={quoted(str(place.state_dir))}",
        "WRITABLE": " ".join(quoted(f"-{path}") for path in writable(config, place.state_dir)),
        "TWICE_A_DAY": twice_a_day(f"{place.seed}\0{place.state_dir}"),
        "HOME": "read-only" if any(map(is_in_a_home, _needed(place, config))) else "yes",
    }
    sandbox = _template("sandbox.conf").rstrip("\n")
    return {name: _filled(_filled(_template(name), {"SANDBOX": sandbox}), {**filled, "UNIT": name}) for name in UNITS}


def twice_a_day(seed: str) -> str:
    """Two moments half a day apart, as OnCalendar has them: always the same for the same `seed`."""
    second = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") % (12 * 3600)
    hour, minute = second // 3600, second // 60 % 60
    return f"{hour:02d},{hour + 12:02d}:{minute:02d}:{second % 60:02d}"


def writable(config: Config, state_dir: Path) -> tuple[Path, ...]:
    """What the services have to be able to write besides the state directory; none lies below another of them."""
    found = {Path(path) for path in SERVERS}
    for table in config.solvers.values():
        found.update(path for key, path in _paths(table.settings) if key in FOLDERS)
    for table in config.installers.values():
        found.update(path if key in FOLDERS else _folder(path) for key, path in _paths(table.settings))
    if _sends_mail(config):
        found.update(map(Path, MAIL))
    found.add((state_dir / config.storage.url.removeprefix("sqlite:///")).parent)
    tops = {path for path in found if not any(other in found for other in path.parents)}
    return tuple(sorted(path for path in tops if not path.is_relative_to(state_dir)))


def _sends_mail(config: Config) -> bool:
    """Whether the host's sendmail is started; one that speaks to a mail server needs none."""
    return any(table.plugin == "mail" and "smtp" not in table.settings for table in config.notifiers.values())


def is_in_a_home(path: PurePath) -> bool:
    """Whether `path` lies where ProtectHome hides it."""
    return any(path.is_relative_to(home) for home in HOMES)


def _paths(settings: Mapping[str, object]) -> Iterator[tuple[str, Path]]:
    """The settings that the plugin has declared to be paths."""
    for key, value in settings.items():
        if isinstance(value, Path):
            yield key, value


def _folder(file: Path) -> Path:
    """Where `file` is replaced; the last folder whose name is no template (`{name}`) of many."""
    return next(folder for folder in file.parents if "{" not in str(folder))


def _needed(place: Place, config: Config) -> Iterable[PurePath]:
    """Everything that the program must at least see."""
    yield from (place.program, *place.program_parts, place.config, place.state_dir)
    yield from writable(config, place.state_dir)
    yield from (path for path in (config.ca.trust, config.account.eab_credentials) if path is not None)
    for table in (*config.solvers.values(), *config.installers.values(), *config.notifiers.values()):
        yield from (path for _, path in _paths(table.settings))
        commands = [value for value in table.settings.values() if isinstance(value, list | tuple)]
        yield from (PurePath(str(words[0])) for words in commands if words)


def _command_line(words: Sequence[str]) -> str:
    """What ExecStart begins with. Variables are looked for in every word but the program's path."""
    program, *rest = words
    return " ".join([quoted(program), *(quoted(word.replace("$", "$$")) for word in rest)])


def quoted(word: str) -> str:
    """One word of a unit file, taken literally: quoted where it has to be, specifiers doubled."""
    text = word.replace("%", "%%")
    if re.fullmatch(r"[\w@%+=:,./$-]+", text, re.ASCII):
        return text
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", text) + '"'


def _filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with every @NAME@ that `values` knows; what is filled in is not looked at again."""
    return re.sub(r"@([A-Z_]+)@", lambda found: values.get(found[1], found[0]), text)


def _template(name: str) -> str:
    return files("jprs_client.service").joinpath(name).read_text(encoding="utf-8")
