"""Servers that name certificate files in their configuration: which of them a certificate is for, and what follows.

What nginx and Apache have in common. A server is for a certificate that covers its names; one that names a path under
`live/` follows by itself; files of another certificate of ours, and servers with a name that the new certificate does
not have, are left alone; files that a neighbour reads as well are written only where that does the neighbour no harm.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from jprs_client.errors import InstallFailed
from jprs_client.plugin import Deployment, FileChange, Material, Probe, Site
from jprs_plugins.directives import Directive

#: The label that stands for "any" where a wildcard is looked at over TLS.
PROBE_LABEL = "jprs-client-probe"

#: How many names of one server, and how many places in all, are looked at: a handshake takes milliseconds.
NAMES_PER_SERVER = 8
PLACES = 200

HOST_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+\Z)[a-z0-9-]{1,63}\Z")


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a server listens: `host` as it is bound ("0.0.0.0" and "::" for all). `port` is a range's first.

    `default`: the server is the one for names that no server there has.
    """

    host: str
    port: int
    tls: bool
    probed: bool
    default: bool = False

    @property
    def socket(self) -> tuple[str, int]:
        """What is bound once, for all servers that listen there."""
        return self.host, self.port

    @property
    def probe_host(self) -> str:
        """Where a client on this host reaches it."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - nothing is bound


@dataclass(frozen=True, slots=True)
class Files:
    """From where a server reads one certificate: `chain` where the certificates above it have a file of their own.

    `place` is that of the directive that names the certificate.
    """

    certificate: Path
    key: Path
    place: str
    chain: Path | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a server's files cannot be told: the code of the error, where, and what else its sentence needs."""

    code: str
    place: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Codes:
    """The errors and, from `other` on, the notes of one server software."""

    no_server: str
    only_other: str
    only_partly: str
    mixed: str
    pinned: str
    several: str
    shared: str
    other: str
    left_alone: str
    not_probed: str
    rsa_not_probed: str
    some_not_probed: str
    chain_elsewhere: str = ""


def covers(names: Iterable[str], host: str) -> bool:
    """Whether a certificate with `names` is right for `host`; `*.D` stands for one label (RFC 6125 §6.4.3)."""
    held = names if isinstance(names, frozenset | set) else frozenset(names)
    return host in held or f"*.{host.partition('.')[2]}" in held


def examples(names: Iterable[str]) -> list[str]:
    """A host for each of `names`: itself, or one below a wildcard."""
    return sorted(f"{PROBE_LABEL}{name[1:]}" if name.startswith("*.") else name for name in names)


@dataclass(frozen=True, eq=False)
class Server(ABC):
    """What answers for some names by TLS, with what it inherits; equal to itself only.

    `rejects`: it shows nobody a certificate.
    """

    directive: Directive
    listeners: tuple[Listener, ...]
    rejects: bool

    @property
    def place(self) -> str:
        """`FILE:LINE`."""
        return self.directive.place

    @property
    @abstractmethod
    def server_names(self) -> tuple[str, ...]:
        """Every name and pattern of it, as its software compares them."""

    @property
    @abstractmethod
    def hosts(self) -> tuple[str, ...]:
        """The names without any wildcard. Not `localhost`, addresses: no certificate of a CA is for those."""

    @property
    @abstractmethod
    def wildcards(self) -> tuple[str, ...]:
        """Those of the kind `*.D`."""

    @abstractmethod
    def patterns(self) -> list[re.Pattern[str]]:
        """All other patterns, to be searched for in a host's name."""

    @property
    @abstractmethod
    def certificates_shown(self) -> int:
        """How many certificates a client may be shown: RSA and ECDSA, by what it can read."""

    @abstractmethod
    def files(self) -> tuple[tuple[Files, ...], Fault | None]:
        """The files of its certificates, as far as they can be told; and why not, if some cannot."""

    def matched(self, names: Iterable[str]) -> list[str]:
        """A host for each of `names` that one of the patterns matches."""
        tests = self.patterns()
        return [host for host in examples(names) if any(test.search(host) for test in tests)] if tests else []

    def answers_for(self, names: frozenset[str], elsewhere: frozenset[str]) -> bool:
        """Whether a certificate with `names` is meant for this server; `elsewhere` as in `asked_for`."""
        return bool(self.asked_for(names, elsewhere))

    def left_out(self, names: frozenset[str], present: frozenset[str]) -> list[str]:
        """The names of this server that a certificate with `names` would break.

        A wildcard counts where the certificate that is there, with the names `present`, holds it: whoever writes
        `*.example.jp` does not always mean that every name below has been served so far.
        """
        hosts = [host for host in self.hosts if not covers(names, host)]
        return hosts + [name for name in self.wildcards if name not in names and name in present]

    def asked_for(self, names: frozenset[str], elsewhere: frozenset[str]) -> list[str]:
        """Names by which a client gets this server and, with a certificate for `names`, is content.

        `elsewhere` are names that stand literally in some server: that counts more than any pattern.
        """
        literal = [host for host in self.hosts if covers(names, host)]
        wild = [f"{PROBE_LABEL}{name[1:]}" for name in self.wildcards if name in names]
        return list(dict.fromkeys([*literal, *wild, *(host for host in self.matched(names) if host not in elsewhere)]))


def proposal(
    site: Site,
    material: Material,
    servers: Sequence[Server],
    codes: Codes,
    config: Path,
    addresses: Sequence[tuple[str, int]] = (),
) -> Deployment:
    """Files, places to look at and notes for those of `servers` that `site` is for, without any command.

    `addresses` are where to look instead of where the servers listen. Raises InstallFailed with one of `codes` where
    no server of `config` matches, or a file cannot be given this certificate without harm.
    """
    literal = frozenset(host for server in servers for host in server.hosts)
    matching = _Matching(site, material, codes, literal)
    for server in servers:
        matching.consider(server)
    matching.refuse_nothing(config)
    files = matching.files(servers)
    return Deployment(files=files, probes=matching.probes(addresses), notes=tuple(matching.notes))


@dataclass
class _Matching:
    """What has been found out about the servers that `site` is for."""

    site: Site
    material: Material
    codes: Codes
    literal: frozenset[str]
    chosen: list[Server] = field(default_factory=list)
    #: Servers that show clients of today, and so our probe, an ECDSA certificate instead of this one.
    hidden: set[Server] = field(default_factory=set)
    notes: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    _told: dict[Server, tuple[tuple[Files, ...], Fault | None]] = field(default_factory=dict)
    _written: dict[Server, Files] = field(default_factory=dict)
    _skipped: list[tuple[Server, list[str]]] = field(default_factory=list)
    _real: dict[Path, str] = field(default_factory=dict)
    _links: dict[str, str | None] = field(default_factory=dict)
    _owners: dict[Path, str] = field(default_factory=dict)
    _present: dict[Path, tuple[str, frozenset[str]] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        live = self.site.live
        self._lineages = {os.path.normpath(live.parent), os.path.realpath(live.parent)}
        self._versions = Path(os.path.realpath(live)).parent if live.is_symlink() else None

    def note(self, code: str, **params: str) -> None:
        """Something for a person to hear."""
        self.notes.append((code, {"lineage": self.site.lineage, **params}))

    def consider(self, server: Server) -> None:
        """Choose `server` where the certificate is for it; raise InstallFailed where it is and cannot be given it."""
        told, fault = self._files_of(server)
        live = [files for files in told if self._belongs(files) == "live"]
        if not (live or server.answers_for(self.site.names, self.literal)) or server.rejects:
            return
        if fault is not None:
            raise self._refusal(fault.code, fault.place, **fault.params)
        if server.certificates_shown > 1 and self._is_rsa:
            self.hidden.add(server)
        if live:
            # The server follows `live/` by itself, under whatever names it is reached.
            self.chosen.append(server)
            for files in live:
                if files.chain is not None and self._owner(files.chain) != "live":
                    self.note(self.codes.chain_elsewhere, place=files.place, file=str(files.chain))
            return
        first = told[0].place
        owners = {self._belongs(files) for files in told}
        if owners == {"other"}:
            self.note(self.codes.other, place=server.place)
            self._skipped.append((server, []))
            return
        if "pinned" in owners:
            raise self._refusal(self.codes.pinned, first, live=str(self.site.live))
        if "mixed" in owners or "other" in owners:
            raise self._refusal(self.codes.mixed, first, file=str(told[0].certificate))
        files = self._chosen_files(told)
        if files.chain is not None and self._owner(files.chain) not in {"nobody", "live"}:
            raise self._refusal(self.codes.mixed, files.place, file=str(files.chain))
        left_out = server.left_out(self.site.names, self._names_at(files.certificate))
        if left_out:
            self.note(self.codes.left_alone, place=server.place, names=", ".join(left_out))
            self._skipped.append((server, left_out))
            return
        self.chosen.append(server)
        self._written[server] = files

    def refuse_nothing(self, config: Path) -> None:
        """Raise InstallFailed when no server was chosen."""
        if self.chosen:
            return
        lineage = self.site.lineage
        if self._skipped:
            server, left_out = self._skipped[0]
            if not left_out:
                raise InstallFailed(self.codes.only_other, lineage=lineage, place=server.place)
            raise InstallFailed(self.codes.only_partly, lineage=lineage, place=server.place, names=left_out)
        raise InstallFailed(
            self.codes.no_server, lineage=lineage, folder=self.site.live.name, names=sorted(self.site.names),
            config=config,
        )  # fmt: skip

    def files(self, servers: Sequence[Server]) -> tuple[FileChange, ...]:
        """What is to be written. Raises InstallFailed when another server would suffer."""
        parts: dict[str, tuple[Path, set[str]]] = {}

        def put(path: Path, *what: str) -> None:
            parts.setdefault(self._real_path(path), (path, set()))[1].update(what)

        for files in self._written.values():
            put(files.certificate, "certificate", *(("chain",) if files.chain is None else ()))
            if files.chain is not None and self._owner(files.chain) == "nobody":
                put(files.chain, "chain")
            put(files.key, "key")
        for server in servers:
            for files in self._files_of(server)[0]:
                # Whoever reads the same file and no other for the chain needs it there.
                if files.chain is None and "certificate" in parts.get(self._real_path(files.certificate), ((), ()))[1]:
                    put(files.certificate, "chain")
        self._spare_neighbours(servers, parts.keys())
        # Certificates before keys: servers read them in this order, so that the moment in which a reload would find
        # an unequal pair is the shortest.
        ordered = sorted(parts.values(), key=lambda item: item[1] == {"key"})
        return tuple(FileChange(path, self._content(what)) for path, what in ordered)

    def _content(self, what: set[str]) -> bytes:
        """The key first, the chain last, whichever of them are to be there."""
        material = self.material
        held = {"key": material.private_key_pem, "certificate": material.cert_pem, "chain": material.chain_pem}
        return b"".join(pem for part, pem in held.items() if part in what)

    def _spare_neighbours(self, servers: Sequence[Server], written: object) -> None:
        paths = cast("Mapping[str, object]", written)
        for server in servers:
            if server.rejects:
                continue
            for files in self._files_of(server)[0]:
                if files is self._written.get(server):
                    continue
                shared = [path for path in (files.certificate, files.key) if self._real_path(path) in paths]
                left_out = []
                if len(shared) == 2:
                    left_out = server.left_out(self.site.names, self._names_at(files.certificate))
                elif not shared and files.chain is not None and self._real_path(files.chain) in paths:
                    # The certificates above ours instead of those above the neighbour's: right if they are the same.
                    shared = [] if _held(files.chain) == self.material.chain_pem else [files.chain]
                if left_out or len(shared) == 1:
                    raise InstallFailed(
                        self.codes.shared,
                        lineage=self.site.lineage,
                        file=shared[0],
                        place=server.place,
                        names=left_out or list(server.server_names) or ["_"],
                    )

    def probes(self, addresses: Sequence[tuple[str, int]]) -> tuple[Probe, ...]:
        """Where to look, at `addresses` if there are any; what cannot be looked at is noted."""
        ranked: list[tuple[int, Probe]] = []
        for server in self.chosen:
            if server in self.hidden:
                self.note(self.codes.rsa_not_probed, place=server.place)
                continue
            names = server.asked_for(self.site.names, self.literal)[:NAMES_PER_SERVER]
            listeners = [listener for listener in server.listeners if listener.probed]
            if not names:  # a default server that names `live/`: it gets the names that no server has
                names = [name for name in examples(self.site.names) if name not in self.literal][:NAMES_PER_SERVER]
                listeners = [listener for listener in listeners if listener.default]
            places = tuple(addresses) or tuple((listener.probe_host, listener.port) for listener in listeners)
            if not (names and places):
                self.note(self.codes.not_probed, place=server.place)
            ranked.extend((rank, Probe(host, port, name)) for rank, name in enumerate(names) for host, port in places)
        # Each server's first name before any server's second, should there be too many.
        probes = list(dict.fromkeys(probe for _, probe in sorted(ranked, key=lambda item: item[0])))
        if len(probes) > PLACES:
            self.note(self.codes.some_not_probed, probed=str(PLACES), places=str(len(probes)))
        return tuple(probes[:PLACES])

    def _files_of(self, server: Server) -> tuple[tuple[Files, ...], Fault | None]:
        if server not in self._told:
            self._told[server] = server.files()
        return self._told[server]

    def _chosen_files(self, told: Sequence[Files]) -> Files:
        """Of several certificates (RSA and ECDSA) the one that has the new one's kind of key."""
        if len(told) == 1:
            return told[0]
        alike = [
            files
            for files in told
            if (held := self._present_at(files.certificate)) is not None and held[0] == self._algorithm
        ]
        if len(alike) != 1:
            raise self._refusal(self.codes.several, told[0].place)
        return alike[0]

    def _belongs(self, files: Files) -> str:
        """Whose files they are: "live" (this lineage's), "other" (another one's), "pinned", "nobody" or "mixed"."""
        owners = {self._owner(path) for path in (files.certificate, files.key)}
        return owners.pop() if len(owners) == 1 else "mixed"

    def _owner(self, path: Path) -> str:
        if path not in self._owners:
            self._owners[path] = self._found_owner(path)
        return self._owners[path]

    def _found_owner(self, path: Path) -> str:
        stages = _stages(str(path), self._links)
        # A link into `live/` counts as the path itself would.
        for stage in stages:
            for folder in self._lineages:
                if stage.startswith(f"{folder}/{self.site.live.name}/"):
                    return "live"
                if stage.startswith(f"{folder}/"):
                    return "other"
        # A path straight into a version's folder stays behind at the next renewal, and what is in there is kept.
        return "pinned" if self._versions is not None and stages[-1].startswith(f"{self._versions}/") else "nobody"

    def _real_path(self, path: Path) -> str:
        if path not in self._real:
            self._real[path] = os.path.realpath(path)
        return self._real[path]

    def _present_at(self, path: Path) -> tuple[str, frozenset[str]] | None:
        if path not in self._present:
            self._present[path] = _algorithm_and_names(_held(path))
        return self._present[path]

    def _names_at(self, path: Path) -> frozenset[str]:
        present = self._present_at(path)
        return frozenset() if present is None else present[1]

    @property
    def _algorithm(self) -> str | None:
        ours = _algorithm_and_names(self.material.cert_pem)
        return None if ours is None else ours[0]

    @property
    def _is_rsa(self) -> bool:
        return self._algorithm == "RSAPublicKey"

    def _refusal(self, code: str, place: str, /, **params: str) -> InstallFailed:
        return InstallFailed(code, lineage=self.site.lineage, folder=self.site.live.name, place=place, **params)


def _held(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except (OSError, ValueError):
        return b""  # whoever may not read it here is told so when it is to be kept aside


def _stages(path: str, links: dict[str, str | None]) -> list[str]:
    """`path` as written and after each symbolic link on its way; the last is where it really is.

    `links` remembers which folders are links, for thousands of files lie in a few of them.
    """
    current = os.path.normpath(path)
    stages = [current]
    for _ in range(40):  # as many as Linux follows
        for end in (*(i for i, character in enumerate(current) if character == "/" and i > 0), len(current)):
            head = current[:end]
            if head not in links:
                links[head] = os.readlink(head) if os.path.islink(head) else None  # noqa: PTH114, PTH115 - speed
            target = links[head]
            if target is not None:
                current = os.path.normpath(os.path.join(os.path.dirname(head), target) + current[end:])  # noqa: PTH118, PTH120
                stages.append(current)
                break
        else:
            break
    return stages


def _algorithm_and_names(pem: bytes) -> tuple[str, frozenset[str]] | None:
    """The kind of key and the DNS names of the first certificate in `pem`; None when there is none to be read."""
    from cryptography import x509

    begin = pem.find(b"-----BEGIN CERTIFICATE-----")
    if begin < 0:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(pem[begin:])
        algorithm = type(certificate.public_key()).__name__
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        return algorithm, frozenset()
    except (ValueError, TypeError):
        return None
    return algorithm, frozenset(name.lower() for name in names)


def address(text: str) -> tuple[str, int]:
    """HOST:PORT, as the configuration's check lets it through; an IPv6 address without its brackets."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
