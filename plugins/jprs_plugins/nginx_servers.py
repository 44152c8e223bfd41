"""The TLS server blocks of an nginx configuration: which names they answer for, where, and from which files."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from jprs_client.errors import harmless
from jprs_plugins.directives import Directive
from jprs_plugins.tls_sites import HOST_NAME, Codes, Fault, Files, Listener, Server

CODES = Codes(
    no_server="nginx-no-server-block",
    only_other="nginx-only-other-certificate",
    only_partly="nginx-only-partly-covered",
    mixed="nginx-mixed-lineages",
    pinned="nginx-pinned-to-a-version",
    several="nginx-several-certificates",
    shared="nginx-shared-file",
    other="nginx-other-certificate",
    left_alone="nginx-block-left-alone",
    not_probed="nginx-not-probed",
    rsa_not_probed="nginx-rsa-not-probed",
    some_not_probed="nginx-some-not-probed",
)

_LISTEN = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]+):)?(?P<port>\d{1,5})(?:-\d{1,5})?\Z")


@dataclass(frozen=True, eq=False)
class Block(Server):
    """One `server {}` of `http {}` with what it inherits; `folder` is that of the main configuration file."""

    certificates: tuple[Directive, ...]
    keys: tuple[Directive, ...]
    folder: Path

    @cached_property
    def server_names(self) -> tuple[str, ...]:
        """Every word of `server_name`, as nginx compares it; a regular expression keeps its case."""
        words = (word for directive in self.directive.all("server_name") for word in directive.words)
        return tuple(word if word.startswith("~") else word.lower() for word in words)

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """The names without any wildcard, and not `_` either."""
        found = (name.removeprefix(".") for name in self.server_names if not name.startswith("~"))
        return tuple(dict.fromkeys(name for name in found if HOST_NAME.match(name)))

    @cached_property
    def wildcards(self) -> tuple[str, ...]:
        """`*.D`, of `*.D` and of `.D`."""
        found = (f"*{name}" if name.startswith(".") else name for name in self.server_names)
        return tuple(dict.fromkeys(name for name in found if name.startswith("*.") and HOST_NAME.match(name[2:])))

    def patterns(self) -> list[re.Pattern[str]]:
        """`www.example.*` and regular expressions."""
        return [test for name in self.server_names if (test := _pattern(name)) is not None]

    @property
    def certificates_shown(self) -> int:
        """One a directive."""
        return len(self.certificates)

    def files(self) -> tuple[tuple[Files, ...], Fault | None]:
        """As many as there are pairs of directives; a variable, for one, names no file."""
        fault: Fault | None = None
        if not self.certificates or len(self.certificates) != len(self.keys):
            fault = Fault("nginx-no-certificate-directive", self.place)
        told = []
        for certificate, key in zip(self.certificates, self.keys, strict=False):
            files = [file_named(directive, self.folder) for directive in (certificate, key)]
            if files[0] is not None and files[1] is not None:
                told.append(Files(files[0], files[1], certificate.place))
            else:
                culprit = certificate if files[0] is None else key
                value = harmless(" ".join(culprit.words), 80)
                params = {"directive": culprit.name, "value": value}
                fault = fault or Fault("nginx-not-a-file", culprit.place, params)
        return tuple(told), fault


def tls_servers(root: Directive) -> list[Block]:
    """The blocks that take part in a TLS handshake, as they stand in the configuration."""
    found: list[tuple[Directive, _Inherited, tuple[Listener, ...]]] = []
    sockets: set[tuple[str, int]] = set()
    defaults: dict[tuple[str, int], Directive] = {}
    for http in root.all("http"):
        inherited: _Inherited = {name: http.all(name) for name in _INHERITED}  # once: there may be thousands of blocks
        for directive in http.all("server"):
            listeners = tuple(_listeners(directive, inherited))
            sockets.update(listener.socket for listener in listeners if listener.tls)
            for listener in listeners:
                if listener.default or listener.socket not in defaults:
                    defaults[listener.socket] = directive  # the one that says so, else the first
            found.append((directive, inherited, listeners))
    folder = Path(root.file).parent
    servers = []
    for directive, inherited, listeners in found:
        # `ssl` on one block's listen makes the socket a TLS one for every block that listens there.
        tls = tuple(
            replace(listener, default=defaults[listener.socket] is directive)
            for listener in listeners
            if listener.socket in sockets
        )
        if tls:
            certificates = _effective(directive, inherited, "ssl_certificate")
            keys = _effective(directive, inherited, "ssl_certificate_key")
            rejects = _flag(directive, inherited, "ssl_reject_handshake")
            servers.append(Block(directive, tls, rejects, certificates, keys, folder))
    return servers


def file_named(directive: Directive, folder: Path) -> Path | None:
    """The file that `ssl_certificate` or `ssl_certificate_key` names; None for a variable or what is no file.

    `folder` is that of the main configuration file; neither the prefix nor the file with the directive counts.
    """
    value = directive.words[0] if directive.words else ""
    if not value or "$" in value or "\0" in value or value.startswith(("data:", "engine:", "store:")):
        return None
    return Path(os.path.join(folder, value))  # noqa: PTH118 - thousands of them


_Inherited = Mapping[str, tuple[Directive, ...]]
_INHERITED = ("ssl", "ssl_certificate", "ssl_certificate_key", "ssl_reject_handshake")


def _effective(server: Directive, inherited: _Inherited, name: str) -> tuple[Directive, ...]:
    """A block's own directives hide those of `http {}`, all of them."""
    return server.all(name) or inherited[name]


def _flag(server: Directive, inherited: _Inherited, name: str) -> bool:
    return any(directive.words == ("on",) for directive in _effective(server, inherited, name))


def _listeners(server: Directive, inherited: _Inherited) -> Iterator[Listener]:
    everywhere = _flag(server, inherited, "ssl")  # gone since nginx 1.25.1, and still in many files
    for listen in server.all("listen"):
        if not listen.words or listen.words[0].startswith("unix:"):
            continue
        address, options = listen.words[0], listen.words[1:]
        match = _LISTEN.match(address)
        host = (match["host"] or "") if match else address
        port = int(match["port"]) if match else 80
        if not 0 < port < 65536:
            continue
        host = host.strip("[]").lower()
        quic = "quic" in options
        yield Listener(
            host="0.0.0.0" if host in {"", "*"} else host,  # noqa: S104 - nothing is bound
            port=port,
            tls=everywhere or quic or "ssl" in options,
            # QUIC is UDP, and a listener behind a proxy waits for the PROXY line first.
            probed=not quic and "proxy_protocol" not in options,
            default="default_server" in options or "default" in options,
        )


def _pattern(name: str) -> re.Pattern[str] | None:
    """`~…` and `prefix.*` as a regular expression; None for other names and for what Python's `re` cannot read."""
    if name.endswith(".*") and not name.startswith("~"):
        return re.compile(r"\A" + re.escape(name[:-1]) + r".+\Z")
    if not name.startswith("~"):
        return None
    named = name[1:].replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python may read differently one day is not this person's matter
            return re.compile(named, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError):
        return None
