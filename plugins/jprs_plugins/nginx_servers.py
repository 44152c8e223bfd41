"""The TLS server blocks of an nginx configuration: which names they answer for, where, and from which files."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from jprs_plugins.nginx_config import Directive

#: The label that stands for "any" where a wildcard is looked at over TLS.
PROBE_LABEL = "jprs-client-probe"

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+\Z)[a-z0-9-]{1,63}\Z")
_LISTEN = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]+):)?(?P<port>\d{1,5})(?:-\d{1,5})?\Z")


@dataclass(frozen=True, slots=True)
class Listener:
    """One `listen`: `host` as nginx binds it ("0.0.0.0" and "::" for all). `port` is a range's first.

    `default`: the block is the one for names that no block there has.
    """

    host: str
    port: int
    tls: bool
    probed: bool
    default: bool = False

    @property
    def socket(self) -> tuple[str, int]:
        """What nginx binds once, for all blocks that listen there."""
        return self.host, self.port

    @property
    def probe_host(self) -> str:
        """Where a client on this host reaches it."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - nothing is bound


def covers(names: Iterable[str], host: str) -> bool:
    """Whether a certificate with `names` is right for `host`; `*.D` stands for one label (RFC 6125 §6.4.3)."""
    held = names if isinstance(names, frozenset | set) else frozenset(names)
    return host in held or f"*.{host.partition('.')[2]}" in held


def examples(names: Iterable[str]) -> list[str]:
    """A host for each of `names`: itself, or one below a wildcard."""
    return sorted(f"{PROBE_LABEL}{name[1:]}" if name.startswith("*.") else name for name in names)


@dataclass(frozen=True, eq=False)
class Server:
    """One `server {}` of `http {}` with what it inherits; equal to itself only."""

    directive: Directive
    listeners: tuple[Listener, ...]
    certificates: tuple[Directive, ...]
    keys: tuple[Directive, ...]
    rejects: bool

    @property
    def place(self) -> str:
        """`FILE:LINE`."""
        return self.directive.place

    @cached_property
    def server_names(self) -> tuple[str, ...]:
        """Every word of `server_name`, as nginx compares it; a regular expression keeps its case."""
        words = (word for directive in self.directive.all("server_name") for word in directive.words)
        return tuple(word if word.startswith("~") else word.lower() for word in words)

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """The names without any wildcard. Not `_`, `localhost`, addresses: no certificate of a CA is for those."""
        found = (name.removeprefix(".") for name in self.server_names if not name.startswith("~"))
        return tuple(dict.fromkeys(name for name in found if _HOST_NAME.match(name)))

    @cached_property
    def wildcards(self) -> tuple[str, ...]:
        """`*.D`, of `*.D` and of `.D`."""
        found = (f"*{name}" if name.startswith(".") else name for name in self.server_names)
        return tuple(dict.fromkeys(name for name in found if name.startswith("*.") and _HOST_NAME.match(name[2:])))

    def matched(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that a `www.example.*` or a regular expression of this block matches."""
        tests = [test for name in self.server_names if (test := _pattern(name)) is not None]
        return [host for host in examples(names) if any(test.search(host) for test in tests)] if tests else []

    def answers_for(self, names: frozenset[str], elsewhere: frozenset[str]) -> bool:
        """Whether a certificate with `names` is meant for this block; `elsewhere` as in `asked_for`."""
        return bool(self.asked_for(names, elsewhere))

    def left_out(self, names: frozenset[str], present: frozenset[str]) -> list[str]:
        """The names of this block that a certificate with `names` would break.

        A wildcard counts where the certificate that is there, with the names `present`, holds it: whoever writes
        `.example.jp` does not always mean that every name below has been served so far.
        """
        hosts = [host for host in self.hosts if not covers(names, host)]
        return hosts + [name for name in self.wildcards if name not in names and name in present]

    def asked_for(self, names: frozenset[str], elsewhere: frozenset[str]) -> list[str]:
        """Names by which a client gets this block and, with a certificate for `names`, is content.

        `elsewhere` are names that stand literally in some block: nginx prefers that to any pattern.
        """
        literal = [host for host in self.hosts if covers(names, host)]
        wild = [f"{PROBE_LABEL}{name[1:]}" for name in self.wildcards if name in names]
        return list(dict.fromkeys([*literal, *wild, *(host for host in self.matched(names) if host not in elsewhere)]))


def tls_servers(root: Directive) -> list[Server]:
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
            servers.append(Server(directive, tls, certificates, keys, rejects))
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
