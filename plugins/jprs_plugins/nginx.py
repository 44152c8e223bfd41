"""nginx: the certificate files that its server blocks already name are given the new certificate.

Which blocks: those of `http {}` that speak TLS and whose `server_name` the certificate's names cover. A block that
names a path under `live/` follows the certificate by itself and is only reloaded. Configuration is read, not edited.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, cast

from jprs_client.errors import InstallFailed, harmless
from jprs_client.plugin import Deployment, FileChange, Material, Options, Probe, Site
from jprs_plugins.nginx_config import Directive, read
from jprs_plugins.nginx_servers import Server, examples, file_named, tls_servers

__all__ = ["Nginx"]

#: How many names of one block, and how many places in all, are looked at: a handshake takes milliseconds.
NAMES_PER_BLOCK = 8
PLACES = 200


class Nginx:
    """nginx as Debian packages it, or another one by `config`, `binary`, `prefix`, `reload` and `probe`."""

    options: ClassVar[Options] = {
        "config": "path",
        "binary": "str",
        "prefix": "path",
        "reload": "command",
        "probe": "addresses",
    }

    def __init__(self, settings: Mapping[str, object], /) -> None:
        self._config = Path(str(settings.get("config", "/etc/nginx/nginx.conf")))
        self._binary = str(settings.get("binary", "nginx"))
        # Unset, nginx's own built-in prefix stands: -p would move the relative paths of logs and document roots.
        prefix = settings.get("prefix")
        self._prefix = () if prefix is None else ("-p", str(prefix))
        reload = cast("Sequence[str] | None", settings.get("reload"))
        self._reload = tuple(reload or ("systemctl", "reload", "nginx"))
        self._addresses = tuple(_address(text) for text in cast("Sequence[str]", settings.get("probe", ())))

    def deployment(self, site: Site, material: Material, /) -> Deployment:
        """The files that the matching blocks name, with `material` in them; nginx's own check, reload and probes.

        Raises InstallFailed (nginx-…) where no block matches or a file cannot be given this certificate without
        harm: see `locale/install.py` for each.
        """
        check = (self._binary, "-t", "-q", *self._prefix, "-c", str(self._config))
        try:
            servers = tls_servers(read(self._config))
        except InstallFailed as broken:
            # nginx says it better, and may stop at an earlier line than we do: whoever deploys asks it.
            broken.params["check"] = shlex.join(check)
            raise
        literal = frozenset(host for server in servers for host in server.hosts)
        matching = _Matching(site, material, self._config.parent, literal)
        for server in servers:
            matching.consider(server)
        matching.refuse_nothing(self._config)
        files = matching.files(servers)
        return Deployment(
            files=files,
            check=check,
            reload=self._reload,
            probes=self._probes(site, matching),
            notes=tuple(matching.notes),
        )

    def _probes(self, site: Site, matching: _Matching) -> tuple[Probe, ...]:
        ranked: list[tuple[int, Probe]] = []
        for server in matching.chosen:
            if server in matching.hidden:
                matching.note("nginx-rsa-not-probed", place=server.place)
                continue
            names = server.asked_for(site.names, matching.literal)[:NAMES_PER_BLOCK]
            listeners = [listener for listener in server.listeners if listener.probed]
            if not names:  # a default block that names `live/`: it gets the names that no block has
                names = [name for name in examples(site.names) if name not in matching.literal][:NAMES_PER_BLOCK]
                listeners = [listener for listener in listeners if listener.default]
            places = self._addresses or tuple((listener.probe_host, listener.port) for listener in listeners)
            if not (names and places):
                matching.note("nginx-not-probed", place=server.place)
            ranked.extend((rank, Probe(host, port, name)) for rank, name in enumerate(names) for host, port in places)
        # Each block's first name before any block's second, should there be too many.
        probes = list(dict.fromkeys(probe for _, probe in sorted(ranked, key=lambda item: item[0])))
        if len(probes) > PLACES:
            matching.note("nginx-some-not-probed", probed=str(PLACES), places=str(len(probes)))
        return tuple(probes[:PLACES])


@dataclass(frozen=True, slots=True)
class _Pair:
    """A certificate's and a key's file as a block names them."""

    certificate: Path
    key: Path


@dataclass
class _Matching:
    """What has been found out about the blocks that `site` is for."""

    site: Site
    material: Material
    folder: Path
    literal: frozenset[str]
    chosen: list[Server] = field(default_factory=list)
    #: Blocks that show clients of today, and so our probe, an ECDSA certificate instead of this one.
    hidden: set[Server] = field(default_factory=set)
    notes: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    _told: dict[Server, tuple[list[_Pair], InstallFailed | None]] = field(default_factory=dict)
    _written: dict[Server, _Pair] = field(default_factory=dict)
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
        pairs = self._pairs(server, quiet=True)
        live = [pair for pair in pairs if self._belongs(pair) == "live"]
        if not (live or server.answers_for(self.site.names, self.literal)) or server.rejects:
            return
        pairs = self._pairs(server, quiet=False)
        if len(pairs) > 1 and self._is_rsa:
            self.hidden.add(server)
        if live:
            # The block follows `live/` by itself, under whatever names it is reached.
            self.chosen.append(server)
            return
        owners = {self._belongs(pair) for pair in pairs}
        if owners == {"other"}:
            self.note("nginx-other-certificate", place=server.place)
            self._skipped.append((server, []))
            return
        if "pinned" in owners:
            raise self._refusal("nginx-pinned-to-a-version", server.certificates[0], live=str(self.site.live))
        if "mixed" in owners or "other" in owners:
            raise self._refusal("nginx-mixed-lineages", server.certificates[0], file=str(pairs[0].certificate))
        pair = self._chosen_pair(server, pairs)
        left_out = server.left_out(self.site.names, self._names_at(pair.certificate))
        if left_out:
            self.note("nginx-block-left-alone", place=server.place, names=", ".join(left_out))
            self._skipped.append((server, left_out))
            return
        self.chosen.append(server)
        self._written[server] = pair

    def refuse_nothing(self, config: Path) -> None:
        """Raise InstallFailed when no block was chosen."""
        if self.chosen:
            return
        if self._skipped:
            server, left_out = self._skipped[0]
            if not left_out:
                raise InstallFailed("nginx-only-other-certificate", lineage=self.site.lineage, place=server.place)
            raise InstallFailed(
                "nginx-only-partly-covered", lineage=self.site.lineage, place=server.place, names=left_out
            )
        raise InstallFailed(
            "nginx-no-server-block", lineage=self.site.lineage, folder=self.site.live.name,
            names=sorted(self.site.names), config=config,
        )  # fmt: skip

    def files(self, servers: Sequence[Server]) -> tuple[FileChange, ...]:
        """What is to be written. Raises InstallFailed when another block would suffer."""
        roles: dict[str, tuple[Path, set[str]]] = {}
        for pair in self._written.values():
            roles.setdefault(self._real_path(pair.certificate), (pair.certificate, set()))[1].add("certificate")
            roles.setdefault(self._real_path(pair.key), (pair.key, set()))[1].add("key")
        self._spare_neighbours(servers, roles.keys())
        contents = {
            frozenset({"certificate"}): self.material.fullchain_pem,
            frozenset({"key"}): self.material.private_key_pem,
            frozenset({"certificate", "key"}): self.material.private_key_pem + self.material.fullchain_pem,
        }
        # Certificates before keys: nginx reads them in this order, so that the moment in which a reload would find
        # an unequal pair is the shortest.
        ordered = sorted(roles.values(), key=lambda item: item[1] == {"key"})
        return tuple(FileChange(path, contents[frozenset(kinds)]) for path, kinds in ordered)

    def _spare_neighbours(self, servers: Sequence[Server], written: object) -> None:
        paths = cast("Mapping[str, object]", written)
        for server in servers:
            if server in self._written or server.rejects:
                continue
            for pair in self._pairs(server, quiet=True):
                shared = [path for path in (pair.certificate, pair.key) if self._real_path(path) in paths]
                if not shared:
                    continue
                left_out = server.left_out(self.site.names, self._names_at(pair.certificate))
                if left_out or len(shared) == 1:
                    raise InstallFailed(
                        "nginx-shared-file",
                        lineage=self.site.lineage,
                        file=shared[0],
                        place=server.place,
                        names=left_out or list(server.server_names) or ["_"],
                    )

    def _pairs(self, server: Server, *, quiet: bool) -> list[_Pair]:
        """The block's pairs. Where they cannot be told, InstallFailed, or what could be told if `quiet`."""
        if server not in self._told:
            self._told[server] = self._told_by(server)
        pairs, problem = self._told[server]
        if problem is not None and not quiet:
            raise problem
        return pairs

    def _told_by(self, server: Server) -> tuple[list[_Pair], InstallFailed | None]:
        problem: InstallFailed | None = None
        if not server.certificates or len(server.certificates) != len(server.keys):
            problem = self._refusal("nginx-no-certificate-directive", server.directive)
        pairs = []
        for certificate, key in zip(server.certificates, server.keys, strict=False):
            files = [file_named(directive, self.folder) for directive in (certificate, key)]
            if files[0] is not None and files[1] is not None:
                pairs.append(_Pair(files[0], files[1]))
            else:
                culprit = certificate if files[0] is None else key
                value = harmless(" ".join(culprit.words), 80)
                problem = problem or self._refusal("nginx-not-a-file", culprit, directive=culprit.name, value=value)
        return pairs, problem

    def _chosen_pair(self, server: Server, pairs: list[_Pair]) -> _Pair:
        """Of several pairs (RSA and ECDSA) the one whose certificate has the new one's kind of key."""
        if len(pairs) == 1:
            return pairs[0]
        alike = [
            pair
            for pair in pairs
            if (held := self._present_at(pair.certificate)) is not None and held[0] == self._algorithm
        ]
        if len(alike) != 1:
            raise self._refusal("nginx-several-certificates", server.certificates[0])
        return alike[0]

    def _belongs(self, pair: _Pair) -> str:
        """Whose files they are: "live" (this lineage's), "other" (another one's), "pinned", "nobody" or "mixed"."""
        owners = {self._owner(path) for path in (pair.certificate, pair.key)}
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
            try:
                content = path.read_bytes() if path.is_file() else b""
            except OSError:
                content = b""  # whoever may not read it here is told so when it is to be kept aside
            self._present[path] = _algorithm_and_names(content)
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

    def _refusal(self, code: str, at: Directive, /, **params: str) -> InstallFailed:
        return InstallFailed(code, lineage=self.site.lineage, folder=self.site.live.name, place=at.place, **params)


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


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
