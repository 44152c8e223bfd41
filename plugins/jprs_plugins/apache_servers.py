"""The TLS servers of an Apache configuration: which names they answer for, where, and from which files.

A server is a `<VirtualHost>` or the main server around them, with what it inherits from that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from jprs_client.errors import harmless
from jprs_client.plugin import Pair
from jprs_plugins.apache_config import Configuration
from jprs_plugins.directives import Directive
from jprs_plugins.tls_sites import HOST_NAME, Codes, Fault, Files, Listener, Server

CODES = Codes(
    no_server="apache-no-virtual-host",
    only_other="apache-only-other-certificate",
    only_partly="apache-only-partly-covered",
    mixed="apache-mixed-lineages",
    pinned="apache-pinned-to-a-version",
    several="apache-several-certificates",
    shared="apache-shared-file",
    other="apache-other-certificate",
    left_alone="apache-host-left-alone",
    not_probed="apache-not-probed",
    rsa_not_probed="apache-rsa-not-probed",
    some_not_probed="apache-some-not-probed",
    chain_elsewhere="apache-chain-elsewhere",
)

_ANY = "0.0.0.0"  # noqa: S104 - nothing is bound
_ANYWHERE = frozenset({_ANY, "::"})
_LISTENED = re.compile(r"(?:(?P<host>\[[^\]\s]+\]|[^:\[\]\s]+):)?(?P<port>\d{1,5})\Z")
_ADDRESS = re.compile(r"(?P<host>\[[^\]\s]+\]|[^:\[\]\s]+)(?::(?P<port>\d{1,5}|\*))?\Z")


@dataclass(frozen=True, slots=True)
class _Named:
    """A file as a directive names it; None for what is no file."""

    directive: Directive
    file: Path | None


@dataclass(frozen=True, eq=False)
class VirtualHost(Server):
    """One `<VirtualHost>`, or the main server. `own` is how many of the certificates, the first, it names itself.

    Of a virtual host and the main server httpd takes the n-th `SSLCertificateFile` from the former, if there is one,
    else from the latter, and the keys in the same way (`modssl_ctx_cfg_merge_certkeys_array`). The n-th key is the
    n-th certificate's; where there is none, it is looked for in the certificate's own file.
    """

    certificates: tuple[_Named, ...]
    keys: tuple[_Named, ...]
    chain: _Named | None
    names: tuple[str, ...]
    own: int

    @property
    def server_names(self) -> tuple[str, ...]:
        """`ServerName` without scheme and port, then every `ServerAlias`; in lower case."""
        return self.names

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """The names without any wildcard."""
        return tuple(dict.fromkeys(name for name in self.names if HOST_NAME.match(name)))

    @cached_property
    def wildcards(self) -> tuple[str, ...]:
        """`*.D`."""
        found = (name for name in self.names if name.startswith("*.") and HOST_NAME.match(name[2:]))
        return tuple(dict.fromkeys(found))

    def patterns(self) -> list[re.Pattern[str]]:
        """Other aliases with `*` and `?`, which stand for dots as well."""
        found = (name for name in self.names if set(name) & set("*?") and name not in self.wildcards)
        return [_pattern(name) for name in found]

    @property
    def certificates_shown(self) -> int:
        """One a directive, the main server's included."""
        return len(self.certificates)

    def files(self) -> tuple[tuple[Files, ...], Fault | None]:
        """Its own, or the main server's where it has none; what is kept in a token, for one, is no file."""
        if not self.certificates:
            return (), Fault("apache-no-certificate-directive", self.place)
        fault: Fault | None = None
        told = []
        for certificate, key in list(self._together())[: self.own or None]:
            if certificate.file is not None and key.file is not None and (self.chain is None or self.chain.file):
                chain = None if self.chain is None else self.chain.file
                told.append(Files(certificate.file, key.file, certificate.directive.place, chain))
                continue
            culprits = [named for named in (certificate, key, self.chain) if named is not None and named.file is None]
            at = culprits[0].directive
            value = harmless(" ".join(at.words), 80)
            fault = fault or Fault("apache-not-a-file", at.place, {"directive": _spelt(at.name), "value": value})
        return tuple(told), fault

    def pairs(self) -> Iterator[Pair]:
        """Every certificate and key that httpd reads together for this server."""
        for certificate, key in self._together():
            if certificate.file is not None and key.file is not None:
                yield Pair(certificate.file, key.file, certificate.directive.place)

    def _together(self) -> Iterator[tuple[_Named, _Named]]:
        for number, certificate in enumerate(self.certificates):
            yield certificate, self.keys[number] if number < len(self.keys) else certificate


@dataclass(frozen=True, slots=True)
class _Address:
    """One address of a `<VirtualHost>`: `host` is None for any, `port` for any."""

    host: str | None
    port: int | None


@dataclass(frozen=True, eq=False, slots=True)
class _Host:
    """A server, still without what it listens to: `engine` is "on", "off" or "optional"."""

    directive: Directive
    addresses: tuple[_Address, ...]
    engine: str
    listeners: list[Listener] = field(default_factory=list)


def tls_servers(configuration: Configuration) -> list[VirtualHost]:
    """The servers that take part in a TLS handshake, the main server last."""
    root = configuration.root
    inherited: _Inherited = {name: root.all(name) for name in _INHERITED}  # once: there may be thousands of hosts
    listens = tuple(_listens(root))
    spoken = {(host if host not in _ANYWHERE else None, port): https for host, port, https in reversed(listens)}
    hosts = []
    for directive in root.all("virtualhost"):
        addresses = tuple(_addresses(directive))
        # The first of its addresses that is listened to just so, and no other, says which protocol is spoken.
        https = next((spoken[at] for each in addresses if (at := (each.host, each.port)) in spoken), False)
        hosts.append(_Host(directive, addresses, _engine(directive, inherited, https=https)))
    main = _Host(root, (), _engine(root, inherited, https=False))
    _listen(hosts, main, listens)
    servers = []
    for host in (*hosts, main):
        if host.engine != "off":
            # Who waits for the PROXY line first cannot be asked.
            unasked = _said(host.directive, inherited, "remoteipproxyprotocol") == "on"
            listeners = (replace(each, probed=each.probed and not unasked) for each in host.listeners)
            servers.append(_server(configuration, inherited, host.directive, tuple(listeners)))
    return servers


def _listen(hosts: list[_Host], main: _Host, listens: tuple[_Listen, ...]) -> None:
    """Give each host the listeners by which it is reached; what no virtual host takes is the main server's."""
    by_address: dict[str | None, list[tuple[_Host, int | None]]] = {}
    for host in hosts:
        for address in host.addresses:
            by_address.setdefault(address.host, []).append((host, address.port))
    for where, port in _places(listens, [address for host in hosts for address in host.addresses]):
        reached = [main]
        # httpd takes the closest: that address and port, that address, any address and that port, anything.
        for named, wanted in ((where, port), (where, None), (None, port), (None, None)):
            closest = [host for host, held in by_address.get(named, ()) if held == wanted]
            if closest:
                reached = list(dict.fromkeys(closest))
                break
        # Whether TLS is spoken is settled by the first server of an address, before any name is known.
        tls = reached[0].engine == "on"
        listener = Listener(where, port, tls=tls, probed=tls)
        if where in _ANYWHERE:
            # Where we would ask, somebody else may answer, who has that address for his own.
            taken = by_address.get(listener.probe_host, ())
            listener = replace(listener, probed=tls and not any(held in {None, port} for _, held in taken))
        for host in reached:
            host.listeners.append(replace(listener, default=host is reached[0]))


_INHERITED = (
    "sslengine", "sslcertificatefile", "sslcertificatekeyfile", "sslcertificatechainfile", "servername",
    "remoteipproxyprotocol",
)  # fmt: skip
_Inherited = Mapping[str, tuple[Directive, ...]]


def _server(
    configuration: Configuration, inherited: _Inherited, directive: Directive, listeners: tuple[Listener, ...]
) -> VirtualHost:
    is_main = directive is configuration.root

    def named(name: str) -> tuple[_Named, ...]:
        own = () if is_main else directive.all(name)
        found = (*own, *inherited[name][len(own) :])
        return tuple(_Named(each, _file_named(each, configuration.server_root)) for each in found)

    chains = directive.all("sslcertificatechainfile") or inherited["sslcertificatechainfile"]
    return VirtualHost(
        directive,
        listeners,
        # The main server reads its certificates, too, but shows them only where no virtual host is.
        rejects=is_main and not listeners,
        certificates=named("sslcertificatefile"),
        keys=named("sslcertificatekeyfile"),
        chain=_Named(chains[-1], _file_named(chains[-1], configuration.server_root)) if chains else None,
        names=tuple(_names(directive, inherited)),
        own=len(directive.all("sslcertificatefile")),
    )


#: Host, port, whether https is spoken there by default.
_Listen = tuple[str, int, bool]


def _listens(root: Directive) -> Iterator[_Listen]:
    """Host, port and whether https is spoken by default, of each `Listen`."""
    for directive in root.all("listen"):
        match = _LISTENED.match(directive.words[0]) if directive.words else None
        if match is None or not 0 < int(match["port"]) < 65536:
            continue
        port = int(match["port"])
        protocol = directive.words[1].lower() if len(directive.words) > 1 else "https" if port == 443 else "http"
        host = (match["host"] or _ANY).strip("[]").lower()
        yield _ANY if host == "*" else host, port, protocol == "https"


def _addresses(directive: Directive) -> Iterator[_Address]:
    for word in directive.words:
        match = _ADDRESS.match(word)
        if match is None:
            continue
        host = match["host"].strip("[]").lower()
        port = None if match["port"] in {None, "*", "0"} else int(match["port"])
        yield _Address(None if host in {"*", "_default_", "255.255.255.255"} else host, port)


def _places(listens: tuple[_Listen, ...], addresses: list[_Address]) -> list[tuple[str, int]]:
    """Every address and port at which something else may be reached: what is listened to, and what hosts have."""
    named = dict.fromkeys((each.host, each.port) for each in addresses if each.host is not None)
    places = []
    for host, port, _ in listens:
        places.append((host, port))
        if host in _ANYWHERE:
            places += [(held, port) for held, wanted in named if held is not None and wanted in {None, port}]
    return list(dict.fromkeys(places))


def _said(directive: Directive, inherited: _Inherited, name: str) -> str:
    """What the last such directive says, the main server's where there is none; "" where nobody says anything."""
    said = directive.all(name) or inherited[name]
    return " ".join(said[-1].words).lower() if said else ""


def _engine(directive: Directive, inherited: _Inherited, *, https: bool) -> str:
    """`SSLEngine`: "on", "off", "optional". Unset, it follows the protocol of the port once there is a certificate."""
    said = _said(directive, inherited, "sslengine")
    if said:
        return said if said in {"off", "optional"} else "on"
    return "on" if https and (directive.all("sslcertificatefile") or inherited["sslcertificatefile"]) else "off"


def _names(directive: Directive, inherited: _Inherited) -> Iterator[str]:
    """`ServerName` and the aliases. Without one, a host for any address has the main server's.

    A host for one address is then called as that is in DNS; whoever relies on it is not found.
    """
    said = directive.all("servername")
    if not said and next((address.host for address in _addresses(directive)), None) is None:
        said = inherited["servername"]
    if said and said[-1].words:
        _, _, name = said[-1].words[0].lower().rpartition("://")
        yield name.partition(":")[0].rstrip(".")
    for alias in directive.all("serveralias"):
        yield from (word.lower().rstrip(".") for word in alias.words)


def _pattern(name: str) -> re.Pattern[str]:
    parts = re.split(r"([*?])", re.sub(r"\*+", "*", name))
    return re.compile(r"\A" + "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts) + r"\Z")


def _file_named(directive: Directive, server_root: Path) -> Path | None:
    value = directive.words[0] if directive.words else ""
    if not value or "${" in value or "\0" in value or value.lower().startswith("pkcs11:"):
        return None
    return server_root / value


def _spelt(name: str) -> str:
    """As the manual spells it; names are compared in lower case."""
    known = ("SSLCertificateFile", "SSLCertificateKeyFile", "SSLCertificateChainFile")
    return next((word for word in known if word.lower() == name), name)
