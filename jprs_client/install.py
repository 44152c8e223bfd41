"""One transaction gives a server a certificate: write, check, reload, look over TLS, or put everything back.

`Deployer.deploy(target, lineage, version)` is the only entry that ever needs root. It takes no path and no command
from its caller: those come from configuration that it was made with, and from the server's own.

What was there is kept aside, with a manifest, before anything is touched, and forgotten once the new certificate is
seen. So a manifest that is found means that a run was cut off in between; the next one puts back first.
"""

from __future__ import annotations

import errno
import grp
import hashlib
import json
import os
import pwd
import re
import secrets
import selectors
import shlex
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from jprs_client import files
from jprs_client.errors import InstallFailed, JprsClientError, harmless
from jprs_client.plugin import Deployment, FileChange, Installer, Material, Probe, Site

if TYPE_CHECKING:
    from cryptography import x509

    from jprs_client.clock import Clock

__all__ = ["Change", "ChangedFile", "Deployed", "Deployer", "Limits", "Look", "Versions"]

#: Looks at one place, within so many seconds: SHA-256 of the served leaf, lower-case hex; OSError when nobody answers.
Look = Callable[[Probe, float], str]

#: After every place has shown the new certificate, every listener is asked so many times more, so far apart.
_STEADY_ROUNDS = 3
_STEADY_PAUSE = 0.1

#: Of a command's output, the end; errors come last.
_OUTPUT_BYTES = 64 * 1024


class Versions(Protocol):
    """A lineage's versions on disk, as the store keeps them."""

    def material(self, lineage: str, version: int, /) -> Material:
        """That version's certificate, chain and key."""

    def live(self, lineage: str, /) -> Path:
        """The folder by which configurations name the current version's files."""

    def current(self, lineage: str, /) -> int | None:
        """The version `live` leads to; None while there is none."""

    def switch(self, lineage: str, version: int, /) -> None:
        """Let `live` lead to `version`, in one step."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds."""

    check: float = 60.0
    reload: float = 60.0
    served: float = 10.0  # from the reload until every place shows the new certificate
    look: float = 3.0  # one handshake


@dataclass(frozen=True, slots=True)
class Deployed:
    """The version is served: `files` were written, `probes` saw it. `already`: it was before, nothing was done."""

    target: str
    lineage: str
    version: int
    files: tuple[Path, ...]
    probes: tuple[Probe, ...]
    notes: tuple[tuple[str, Mapping[str, str]], ...]
    already: bool


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """`change` is "new", "changed" or "same"."""

    path: Path
    change: str


@dataclass(frozen=True, slots=True)
class Change:
    """What `deploy` would do. `live` is from which version to which `live/` is switched; None where it stays."""

    target: str
    lineage: str
    version: int
    files: tuple[ChangedFile, ...]
    live: tuple[int | None, int] | None
    check: tuple[str, ...]
    reload: tuple[str, ...]
    probes: tuple[Probe, ...]
    notes: tuple[tuple[str, Mapping[str, str]], ...]


class Deployer:
    """Carries out what installers propose, for the targets that the configuration names.

    `aside` is a folder of ours (0700) on this host. One transaction a target at a time: the caller's lock sees to it.
    """

    def __init__(
        self,
        installers: Mapping[str, Callable[[], Installer]],
        versions: Versions,
        look: Look,
        clock: Clock,
        aside: Path,
        limits: Limits | None = None,
    ) -> None:
        self._installers = installers
        self._versions = versions
        self._look = look
        self._clock = clock
        self._aside = aside
        self._limits = limits or Limits()

    def deploy(self, target: str, lineage: str, version: int) -> Deployed:
        """Have `version` of `lineage` served by `target`; doing it again changes nothing.

        Raises InstallFailed. Its `restored` says what is there now: "untouched", or "yes" when everything is back;
        "put-back-failed" is the one after which something is left to be done by hand.
        """
        installer = self._installer(target)
        material, facts = self._verified(target, lineage, version, self._clock.now())
        site = Site(lineage, facts.names, self._versions.live(lineage))
        aside = _Aside(self._aside, target, lineage)
        if (pending := aside.pending()) is not None:
            # Cut off. If it went as far as the server showing this very version, it is done; else begin anew.
            done = pending.version == version and self._is_done(installer, site, material, facts)
            if not done:
                self._put_back(pending, aside)
            aside.forget()
        try:
            deployment = installer.deployment(site, material)
        except InstallFailed as refused:
            told = self._in_the_servers_words(refused, target, lineage)
            if told is refused:
                raise
            raise told from refused
        writes = _writes(deployment.files, target, lineage)
        notes = (*deployment.notes, *_exposed_keys(writes, lineage))
        changed = tuple(write for write in writes if write.differs)
        live_before = self._versions.current(lineage)
        if not changed and live_before == version and self._all_served(deployment.probes, facts):
            aside.remember_served(version, facts.fingerprint)  # seen, whoever did it
            return Deployed(target, lineage, version, (), deployment.probes, notes, already=True)
        self._refuse_older(target, lineage, facts, changed, aside, live_before)
        # A file that the configuration names and that is not there yet breaks the check, and we are about to write it.
        incomplete = live_before is None or any(write.before is None for write in writes)
        complaint = self._check(deployment, target, lineage)
        if complaint is not None and not incomplete:
            raise complaint.failure("server-config-broken-before", restored="untouched")
        manifest = _Manifest(
            lineage=lineage,
            version=version,
            live_before=aside.served_before(version) if live_before == version else live_before,
            token=secrets.token_hex(8),
            files=tuple(write.kept(number) for number, write in enumerate(changed)),
        )
        try:
            aside.keep(manifest, changed)
        except OSError as error:
            raise _not_written("aside-not-written", target, lineage, error, restored="untouched") from error
        self._carry_out(target, deployment, manifest, changed, facts, aside, broken_before=complaint is not None)
        aside.remember_served(version, facts.fingerprint)
        aside.forget()  # last: whoever is cut off before looks again, and finds it done
        written = tuple(write.path for write in changed)
        return Deployed(target, lineage, version, written, deployment.probes, notes, already=False)

    def preview(self, target: str, lineage: str, version: int) -> Change:
        """What `deploy` would change; changes nothing and asks no server. Raises InstallFailed as it does."""
        installer = self._installer(target)
        material, facts = self._verified(target, lineage, version, self._clock.now())
        deployment = installer.deployment(Site(lineage, facts.names, self._versions.live(lineage)), material)
        current = self._versions.current(lineage)
        return Change(
            target,
            lineage,
            version,
            tuple(ChangedFile(write.path, write.change) for write in _writes(deployment.files, target, lineage)),
            None if current == version else (current, version),
            tuple(deployment.check),
            tuple(deployment.reload),
            deployment.probes,
            deployment.notes,
        )

    def recover(self, target: str) -> tuple[str, ...]:
        """Put back what runs that were cut off left behind at `target`, and reload; the lineages concerned.

        `deploy` does this by itself; this is for whoever wants the old state without deploying.
        """
        installer = self._installer(target)
        recovered = []
        for aside, manifest in _Aside.all_pending(self._aside, target):
            self._put_back(manifest, aside)
            aside.forget()
            recovered.append(manifest.lineage)
            back = manifest.live_before or manifest.version
            material, facts = self._verified(target, manifest.lineage, back, None)
            site = Site(manifest.lineage, facts.names, self._versions.live(manifest.lineage))
            deployment = installer.deployment(site, material)
            complaint = self._check(deployment, target, manifest.lineage)
            if complaint is not None:
                raise complaint.failure("server-config-broken-before", restored="yes")
            if (complaint := self._reload(deployment, target, manifest.lineage)) is not None:
                raise complaint.failure("reload-failed", restored="yes")
        return tuple(recovered)

    # -- before anything is touched ----------------------------------------------------------------------------------

    def _installer(self, target: str) -> Installer:
        make = self._installers.get(target)
        if make is None:
            raise InstallFailed("install-target-unknown", target=target, known=sorted(self._installers) or None)
        return make()

    def _verified(self, target: str, lineage: str, version: int, now: datetime | None) -> tuple[Material, _Facts]:
        """The material and what its certificate says, once key, chain and, at `now`, dates are right.

        The server's own check is not relied on: Apache's says "Syntax OK" of a pair that stops it.
        """
        if not _FOLDER_NAME.fullmatch(lineage):
            raise InstallFailed("install-lineage-unknown", target=target, lineage=lineage)
        try:
            material = self._versions.material(lineage, version)
        except OSError as error:
            raise InstallFailed(
                "material-unreadable",
                target=target,
                lineage=lineage,
                version=version,
                detail=harmless(error),
                restored="untouched",
            ) from error
        try:
            return material, _facts(material, now)
        except _Unfit as unfit:
            raise InstallFailed(
                unfit.code, target=target, lineage=lineage, version=version, detail=unfit.detail, restored="untouched"
            ) from unfit

    def _in_the_servers_words(self, refused: InstallFailed, target: str, lineage: str) -> InstallFailed:
        """What an installer refused; by the server's own check, where the installer names it as `check`.

        It does so when it cannot read the configuration: then the server knows better what is wrong with it.
        """
        refused.params.update(target=target, restored="untouched")
        check = refused.params.get("check")
        if not isinstance(check, str):
            return refused
        complaint = _complaint(shlex.split(check), self._limits.check, target, lineage)
        return refused if complaint is None else complaint.failure("server-config-broken-before", restored="untouched")

    def _refuse_older(
        self,
        target: str,
        lineage: str,
        facts: _Facts,
        changed: Iterable[_Write],
        aside: _Aside,
        live: int | None,
    ) -> None:
        """Never put an older certificate over a newer one that somebody else put there (FAULTS 31).

        Over one of ours, an older one is a rollback.
        """
        ours = {aside.served_fingerprint(), self._live_fingerprint(lineage, live)}
        for write in changed:
            held = _leaf_in(write.before or b"")
            if held is None or held.fingerprint in ours or held.self_signed:
                continue
            if held.not_before > facts.not_before and held.not_after > facts.not_after:
                raise InstallFailed(
                    "newer-certificate-there",
                    target=target,
                    lineage=lineage,
                    file=write.path,
                    not_after_at=held.not_after,
                    restored="untouched",
                )

    def _live_fingerprint(self, lineage: str, live: int | None) -> str | None:
        """Of the version under `live/`; None where there is none to be read."""
        if live is None:
            return None
        try:
            held = _leaf_in(self._versions.material(lineage, live).cert_pem)
        except (OSError, JprsClientError):
            return None  # what cannot be read cannot be told from a stranger's
        return None if held is None else held.fingerprint

    # -- the transaction ---------------------------------------------------------------------------------------------

    def _carry_out(
        self,
        target: str,
        deployment: Deployment,
        manifest: _Manifest,
        changed: Sequence[_Write],
        facts: _Facts,
        aside: _Aside,
        *,
        broken_before: bool,
    ) -> None:
        reloaded = False
        try:
            if self._versions.current(manifest.lineage) != manifest.version:
                self._versions.switch(manifest.lineage, manifest.version)
            _replace([(w.destination, w.content, w.mode, w.uid, w.gid) for w in changed], manifest.token)
            complaint = self._check(deployment, target, manifest.lineage)
            if complaint is not None:
                code = "server-config-broken-before" if broken_before else "server-config-broken-after"
                raise complaint.failure(code)  # noqa: TRY301
            reloaded = True
            if (complaint := self._reload(deployment, target, manifest.lineage)) is not None:
                raise complaint.failure("reload-failed")  # noqa: TRY301
            self._await_served(target, manifest.lineage, deployment.probes, facts)
        except (Exception, KeyboardInterrupt) as error:
            failure = error
            if isinstance(error, OSError):
                failure = _not_written("files-not-written", target, manifest.lineage, error)
            self._undo(target, deployment, manifest, aside, failure, reload_again=reloaded)
            if failure is error:
                raise
            raise failure from error

    def _undo(
        self,
        target: str,
        deployment: Deployment,
        manifest: _Manifest,
        aside: _Aside,
        failure: BaseException,
        *,
        reload_again: bool,
    ) -> None:
        """Put back; tell in `failure`. The server is only asked to read again when it may have read the new files."""
        code = failure.code if isinstance(failure, InstallFailed) else type(failure).__name__
        self._put_back(manifest, aside, because=code, target=target)
        aside.forget()
        back = "not-needed"
        if reload_again:
            complaint = self._check(deployment, target, manifest.lineage) or self._reload(
                deployment, target, manifest.lineage
            )
            back = "yes" if complaint is None else "no"
        if isinstance(failure, InstallFailed):
            failure.params.update(restored="yes", reloaded=back)

    def _put_back(
        self, manifest: _Manifest, aside: _Aside, *, because: str | None = None, target: str | None = None
    ) -> None:
        """Everything byte for byte as it was, with mode and owner. Raises InstallFailed("put-back-failed")."""
        failed: list[tuple[_Kept, str]] = []
        for kept in manifest.files:
            try:
                aside.put_back(kept, manifest.token)
            except OSError as error:  # the others are put back all the same
                failed.append((kept, str(error)))
        try:
            # Where nothing was live before, the first version may stay: there is nothing to go back to.
            if manifest.live_before is not None and self._versions.current(manifest.lineage) == manifest.version:
                self._versions.switch(manifest.lineage, manifest.live_before)
        except (OSError, JprsClientError) as error:
            failed.append((_Kept(str(self._versions.live(manifest.lineage)), None, 0, 0, 0, None, ""), str(error)))
        if failed:
            raise InstallFailed(
                "put-back-failed",
                target=target or aside.target,
                lineage=manifest.lineage,
                files=[kept.path for kept, _ in failed],
                detail=harmless("; ".join(text for _, text in failed)),
                aside=aside.folder,
                restore="; ".join(aside.command(kept) for kept, _ in failed if kept.copy is not None) or None,
                because=because,
                restored="no",
            )

    # -- asking the server -------------------------------------------------------------------------------------------

    def _check(self, deployment: Deployment, target: str, lineage: str) -> _Complaint | None:
        return _complaint(deployment.check, self._limits.check, target, lineage)

    def _reload(self, deployment: Deployment, target: str, lineage: str) -> _Complaint | None:
        return _complaint(deployment.reload, self._limits.reload, target, lineage)

    def _is_done(self, installer: Installer, site: Site, material: Material, facts: _Facts) -> bool:
        """Whether `material` is in all its places, and served there."""
        try:
            deployment = installer.deployment(site, material)
            in_place = not any(write.differs for write in _writes(deployment.files, "", site.lineage))
        except InstallFailed:
            return False
        return in_place and self._all_served(deployment.probes, facts)

    def _all_served(self, probes: Sequence[Probe], facts: _Facts) -> bool:
        """Whether every place shows it now. False without any: then nobody can tell, and a reload does no harm."""
        return bool(probes) and all(self._seen(probe, facts)[0] for probe in probes)

    def _seen(self, probe: Probe, facts: _Facts) -> tuple[bool, str | None, str | None]:
        """Whether it is ours; otherwise the fingerprint seen, or why none was."""
        try:
            fingerprint = self._look(probe, self._limits.look)
        except OSError as error:
            return False, None, harmless(error, 200) or type(error).__name__
        return fingerprint == facts.fingerprint, fingerprint, None

    def _await_served(self, target: str, lineage: str, probes: Sequence[Probe], facts: _Facts) -> None:
        """Return once every place keeps showing the new certificate; raise InstallFailed("not-served") in the end.

        A reload's exit code proves nothing. And for a moment old workers answer beside the new ones (nginx stops them
        100 ms after it has started the new ones), so one look that sees the new certificate proves little, too.
        """
        until = self._clock.monotonic() + self._limits.served
        listeners = list({(probe.host, probe.port): probe for probe in reversed(probes)}.values())
        left, steady, pause = list(probes), 0, 0.02
        while left:
            # One that is not there yet holds up the round: what comes after it is asked in the next.
            ours, seen, problem = self._seen(left[0], facts)
            if ours:
                left.pop(0)
                if not left and steady < _STEADY_ROUNDS:
                    left, steady, pause = list(listeners), steady + 1, 0.02
                    self._clock.sleep(_STEADY_PAUSE)
                continue
            remaining = until - self._clock.monotonic()
            if remaining <= 0:
                host = f"[{left[0].host}]" if ":" in left[0].host else left[0].host
                raise InstallFailed(
                    "not-served",
                    target=target,
                    lineage=lineage,
                    address=f"{host}:{left[0].port}",
                    name=left[0].server_name,
                    seen=seen,
                    problem=problem,
                    expected=facts.fingerprint,
                )
            steady = 0
            self._clock.sleep(min(pause, remaining))
            pause = min(pause * 2, 1.0)


# -- what a certificate says -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Facts:
    names: frozenset[str]
    fingerprint: str
    not_before: datetime
    not_after: datetime
    self_signed: bool


class _Unfit(Exception):
    """The material cannot be served: an InstallFailed code without the places that only the caller knows."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def _facts(material: Material, now: datetime | None) -> _Facts:
    """What the leaf says, the pair and chain being right, and at `now` (None: whenever) not expired; else _Unfit."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    from jprs_client import keys

    try:
        leaf = x509.load_pem_x509_certificate(material.cert_pem)
        chain = x509.load_pem_x509_certificates(material.chain_pem) if material.chain_pem.strip() else []
        facts = _facts_of(leaf)
    except ValueError as error:
        raise _Unfit("material-unreadable", harmless(error)) from error
    try:
        if keys.load(material.private_key_pem).public_key() != leaf.public_key():
            raise _Unfit("material-key-mismatch", facts.fingerprint)
    except (ValueError, TypeError) as error:
        raise _Unfit("material-key-unreadable", "not a private key that we use") from error
    below = leaf
    for issuer in chain:
        try:
            below.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise _Unfit("material-chain-broken", harmless(issuer.subject.rfc4514_string())) from error
        below = issuer
    if now is not None and facts.not_after <= now:
        raise _Unfit("material-expired", facts.not_after.isoformat())
    return facts


def _facts_of(leaf: x509.Certificate) -> _Facts:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = frozenset(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        names = frozenset()
    return _Facts(
        names=names,
        fingerprint=hashlib.sha256(leaf.public_bytes(serialization.Encoding.DER)).hexdigest(),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        self_signed=leaf.issuer == leaf.subject,
    )


def _leaf_in(content: bytes) -> _Facts | None:
    """The first certificate in a file that somebody else wrote; None when there is none to be read."""
    from cryptography import x509

    begin = content.find(b"-----BEGIN CERTIFICATE-----")
    if begin < 0:
        return None
    try:
        return _facts_of(x509.load_pem_x509_certificate(content[begin:]))
    except ValueError:
        return None


# -- files -----------------------------------------------------------------------------------------------------------

#: A target's and a lineage's folder under `aside`.
_FOLDER_NAME = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9_.*-]{0,254}")

#: The most that is kept aside of one file; no certificate, key or keystore is as large.
_MAX_FILE = 16 * 1024 * 1024

#: Who may write to a folder on the way to a key: root, and Debian's staff, whose members are root's equals there.
_TRUSTED_GROUPS = frozenset({0, 50})


@dataclass(frozen=True, slots=True)
class _Write:
    """One file as it is and as it shall be. `destination` is where `path` leads through symbolic links."""

    path: Path
    destination: Path
    content: bytes = field(repr=False)
    mode: int
    uid: int
    gid: int
    before: bytes | None = field(repr=False)
    before_mode: int = 0
    before_uid: int = -1
    before_gid: int = -1

    @property
    def differs(self) -> bool:
        """Whether anything is to be done."""
        return (self.before, self.before_mode, self.before_uid, self.before_gid) != (
            self.content,
            self.mode,
            self.uid,
            self.gid,
        )

    @property
    def change(self) -> str:
        """As `ChangedFile` says it."""
        return "new" if self.before is None else "changed" if self.differs else "same"

    def kept(self, number: int) -> _Kept:
        """What the manifest says of it."""
        return _Kept(
            path=str(self.destination),
            copy=None if self.before is None else str(number),
            mode=self.before_mode,
            uid=self.before_uid,
            gid=self.before_gid,
            before=None if self.before is None else hashlib.sha256(self.before).hexdigest(),
            after=hashlib.sha256(self.content).hexdigest(),
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    """How to put one file back: the copy's name in the folder, None for a file that was not there."""

    path: str
    copy: str | None
    mode: int
    uid: int
    gid: int
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What a transaction is about to change. `live_before` is None where there is no version to go back to."""

    lineage: str
    version: int
    live_before: int | None
    token: str
    files: tuple[_Kept, ...]


def _writes(changes: Iterable[FileChange], target: str, lineage: str) -> tuple[_Write, ...]:
    """Each change with what is there now. Raises InstallFailed when a place cannot be looked at or is not safe."""
    writes = []
    for change in changes:
        try:
            writes.append(_write(change))
        except _Unsafe as unsafe:
            raise InstallFailed(
                "install-folder-unsafe",
                target=target,
                lineage=lineage,
                file=change.path,
                folder=unsafe.folder,
                restored="untouched",
            ) from unsafe
        except KeyError as error:
            owner = ":".join(name or "" for name in (change.owner, change.group))
            raise InstallFailed(
                "install-owner-unknown",
                target=target,
                lineage=lineage,
                file=change.path,
                owner=owner,
                restored="untouched",
            ) from error
        except OSError as error:
            raise _not_written("files-not-written", target, lineage, error, restored="untouched") from error
    return tuple(writes)


def _write(change: FileChange) -> _Write:
    destination = _destination(change.path)
    try:
        before, status = _read(destination)
        mode, uid, gid = stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
        was = (mode, uid, gid)
    except FileNotFoundError:
        if not destination.parent.is_dir():
            raise
        before, (mode, uid, gid), was = None, (0o600, os.geteuid(), os.getegid()), (0, -1, -1)
    return _Write(
        change.path,
        destination,
        change.content,
        change.mode if change.mode is not None else mode,
        pwd.getpwnam(change.owner).pw_uid if change.owner is not None else uid,
        grp.getgrnam(change.group).gr_gid if change.group is not None else gid,
        before,
        *was,
    )


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    """A regular file's content and state; OSError for anything else."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_FILE:
            raise OSError(errno.EINVAL, "not a regular file of a certificate's size", str(path))
        return file.read(_MAX_FILE), status


class _Unsafe(Exception):
    """Somebody else may change what `folder` holds, and so lead our writing elsewhere."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder


def _destination(path: Path) -> Path:
    """Where `path` leads; a symbolic link is written through, so that it stays one (FAULTS 124).

    Raises _Unsafe when somebody but root and us could lead it elsewhere (THREATS D12), OSError as readlink(2) does.
    """
    here = Path("/")
    ahead = [part for part in reversed(path.absolute().parts) if part != "/"]
    links = 0
    while ahead:
        part = ahead.pop()
        if part == "..":
            here = here.parent
            continue
        _refuse_unsafe(here)
        entry = here / part
        try:
            target = entry.readlink()
        except FileNotFoundError:
            if ahead:
                raise
            return entry
        except OSError as error:
            if error.errno != errno.EINVAL:  # no symbolic link
                raise
            here = entry
            continue
        links += 1
        if links > 40:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        if entry.lstat().st_uid not in _trusted_users():
            raise _Unsafe(entry)
        if target.is_absolute():
            here = Path("/")
        ahead.extend(part for part in reversed(target.parts) if part != "/")
    return here


def _refuse_unsafe(folder: Path) -> None:
    status = folder.stat()
    sticky = status.st_mode & stat.S_ISVTX  # there, others cannot rename what is ours
    by_group = status.st_mode & stat.S_IWGRP and status.st_gid not in _TRUSTED_GROUPS | {os.getegid()}
    by_all = status.st_mode & stat.S_IWOTH
    if status.st_uid not in _trusted_users() or ((by_group or by_all) and not sticky):
        raise _Unsafe(folder)


def _trusted_users() -> frozenset[int]:
    # In a user namespace root's own folders may belong to an overflow id; whoever has `/` is root enough.
    return frozenset({0, os.geteuid(), Path("/").stat().st_uid})


def _replace(changes: Sequence[tuple[Path, bytes, int, int, int]], token: str) -> None:
    """Give all files (path, content, mode, uid, gid) their new content, in the order given.

    All are written and made durable beside their places first; then the renames follow at once. Two files cannot
    change as one: the moment in between is as short as it can be, and the manifest knows of it (FAULTS 10).
    """
    staged = [(_beside(path, token), path) for path, *_ in changes]
    try:
        for (beside, path), (_, content, mode, uid, gid) in zip(staged, changes, strict=True):
            _stage(beside, path, content, mode, uid, gid)
        for beside, path in staged:
            beside.rename(path)
    except (Exception, KeyboardInterrupt):
        for beside, _ in staged:
            beside.unlink(missing_ok=True)
        raise
    for folder in dict.fromkeys(path.parent for path, *_ in changes):
        files.sync_directory(folder)


def _beside(path: Path, token: str) -> Path:
    # In the same folder, so that the rename is one step; unguessable, and never in /tmp (THREATS D14).
    return path.with_name(f".jprs-client.{token}.{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.new")


def _stage(beside: Path, path: Path, content: bytes, mode: int, uid: int, gid: int) -> None:
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        status = os.fstat(fd)
        if (status.st_uid, status.st_gid) != (uid, gid):
            os.fchown(fd, uid, gid)
        file.write(content)
        file.flush()
        _copy_labels(path, fd)
        os.fchmod(fd, mode)
        os.fsync(fd)


def _copy_labels(path: Path, fd: int) -> None:
    """SELinux's label and access lists go with the file's place, not with its content (FAULTS 124, 125)."""
    try:
        names = os.listxattr(path)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno in {errno.ENOTSUP, errno.EPERM}:
            return
        raise
    for name in names:
        try:
            os.setxattr(fd, name, os.getxattr(path, name))
        except OSError as error:
            if error.errno not in {errno.ENOTSUP, errno.EPERM, errno.ENODATA}:
                raise


def _exposed_keys(writes: Iterable[_Write], lineage: str) -> tuple[tuple[str, Mapping[str, str]], ...]:
    return tuple(
        ("key-readable-by-others", {"lineage": lineage, "file": str(write.path), "mode": f"{write.mode:04o}"})
        for write in writes
        if b"PRIVATE KEY-----" in write.content and write.mode & stat.S_IROTH
    )


class _Aside:
    """`ASIDE/TARGET/LINEAGE/`: copies of what was there, and the manifest that says where it was."""

    def __init__(self, root: Path, target: str, lineage: str) -> None:
        for name in (target, lineage):
            if not _FOLDER_NAME.fullmatch(name) or name in {".", ".."}:
                raise InstallFailed("install-lineage-unknown", target=target, lineage=lineage)
        self.target = target
        self.lineage = lineage
        self.folder = root / target / lineage.replace("*", "_")
        self._root = root
        self._manifest = self.folder / "manifest.json"
        self._served = self.folder / "served.json"

    @classmethod
    def all_pending(cls, root: Path, target: str) -> list[tuple[_Aside, _Manifest]]:
        """Every transaction at `target` that was cut off."""
        folder = root / target
        found = [cls(root, target, entry.name) for entry in sorted(folder.iterdir())] if folder.is_dir() else []
        return [(aside, manifest) for aside in found if (manifest := aside.pending()) is not None]

    def keep(self, manifest: _Manifest, writes: Sequence[_Write]) -> None:
        """Keep what is there, durably; the manifest last, for it is what counts."""
        files.make_directory(self.folder)
        for kept, write in zip(manifest.files, writes, strict=True):
            if kept.copy is not None and write.before is not None:
                files.write_file(self.folder / kept.copy, write.before)
        files.write_file(self._manifest, json.dumps(asdict(manifest), indent=1).encode())

    def pending(self) -> _Manifest | None:
        """The manifest of a run that was cut off. It is whole, being written in one step after the copies."""
        try:
            held = json.loads(self._manifest.read_bytes())
            kept = tuple(_Kept(**entry) for entry in held.pop("files"))
            return _Manifest(files=kept, **held)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _not_written("aside-not-written", self.target, self.lineage, error, restored="untouched") from error
        except (ValueError, TypeError, LookupError, AttributeError) as error:  # a failing disk, a hand
            raise InstallFailed(
                "aside-damaged", target=self.target, lineage=self.lineage, aside=self.folder, restored="no"
            ) from error

    def put_back(self, kept: _Kept, token: str) -> None:
        """One file as it was. One that is neither as it was nor as we made it is somebody else's by now, and stays."""
        path = Path(kept.path)
        _beside(path, token).unlink(missing_ok=True)
        try:
            content, status = _read(path)
        except FileNotFoundError:
            content, status = None, None
        found = None if content is None else hashlib.sha256(content).hexdigest()
        if found not in {None, kept.before, kept.after}:
            return
        if kept.copy is None:
            if found is not None:
                path.unlink()
                files.sync_directory(path.parent)
            return
        if status is not None and found == kept.before:
            held = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
            if held == (kept.mode, kept.uid, kept.gid):
                return
        before = (self.folder / kept.copy).read_bytes()
        _replace([(path, before, kept.mode, kept.uid, kept.gid)], token)

    def command(self, kept: _Kept) -> str:
        """What a person types to put that file back."""
        return shlex.join(["install", "-m", f"{kept.mode:04o}", "-o", str(kept.uid), "-g", str(kept.gid)]) + (
            f" {shlex.quote(str(self.folder / (kept.copy or '')))} {shlex.quote(kept.path)}"
        )

    def forget(self) -> None:
        """The transaction is over. The manifest goes first: without it the copies mean nothing."""
        if not self.folder.is_dir():
            return
        self._manifest.unlink(missing_ok=True)
        files.sync_directory(self.folder)
        for entry in self.folder.iterdir():
            if entry != self._served:
                entry.unlink()

    def remember_served(self, version: int, fingerprint: str) -> None:
        """What this target serves, to go back to; it is known from here on as ours.

        Raises InstallFailed("served-not-recorded"): then the next run has to look again.
        """
        now, before = _served_versions(self._served)
        if now is not None and (now["version"], now["sha256"]) == (version, fingerprint):
            return
        held = {"now": {"version": version, "sha256": fingerprint}, "before": now or before}
        try:
            files.make_directory(self.folder)
            files.write_file(self._served, json.dumps(held).encode())
        except OSError as error:
            raise _not_written("served-not-recorded", self.target, self.lineage, error) from error

    def served_before(self, version: int) -> int | None:
        """The version other than `version` that this target served last.

        None when there is none, or when another target serves `version` already: it would lose what it serves.
        """
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            now, _ = _served_versions(folder / self.folder.name / "served.json")
            if folder.name != self.target and now is not None and now["version"] == version:
                return None
        for held in _served_versions(self._served):
            if held is not None and held["version"] != version:
                return int(held["version"])
        return None

    def served_fingerprint(self) -> str | None:
        """Of the certificate that this target was last seen to serve."""
        now, _ = _served_versions(self._served)
        return None if now is None else str(now["sha256"])


_Served = dict[str, str | int]


def _served_versions(record: Path) -> tuple[_Served | None, _Served | None]:
    """The version that is served and the one before it, each with its fingerprint; None where none is known."""
    try:
        held = json.loads(record.read_bytes())
        return _served(held["now"]), _served(held["before"])
    except (OSError, ValueError, TypeError, LookupError):
        return None, None  # it only helps to go back: without it there is nothing to go back to


def _served(held: _Served | None) -> _Served | None:
    return None if held is None else {"version": int(held["version"]), "sha256": str(held["sha256"])}


def _not_written(code: str, target: str, lineage: str, error: OSError, **params: str) -> InstallFailed:
    return InstallFailed(
        code,
        target=target,
        lineage=lineage,
        file=harmless(error.filename2 or error.filename or "", 300) or None,
        detail=harmless(error.strerror or error),
        **params,
    )


# -- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Complaint:
    """A command that failed: `status` is None when it did not end in time, `place` is the `FILE:LINE` it named."""

    target: str
    lineage: str
    command: str
    status: int | None
    seconds: int
    output: str
    place: str | None

    def failure(self, code: str, **params: str) -> InstallFailed:
        """As the error that a person hears."""
        file, _, line = (self.place or "").rpartition(":")
        return InstallFailed(
            code,
            target=self.target,
            lineage=self.lineage,
            command=self.command,
            status=self.status,
            seconds=self.seconds,
            place=self.place,
            file=file or None,
            line=int(line) if line else None,
            output=self.output or None,
            **params,
        )


def _complaint(command: Sequence[str], seconds: float, target: str, lineage: str) -> _Complaint | None:
    """None when `command` succeeded, or when there is none."""
    if not command:
        return None
    try:
        status, output = _run(command, seconds)
    except OSError as error:  # not there, not executable
        status, output = 127, f"{command[0]}: {error.strerror or error}"
    if status == 0:
        return None
    lines = [line for line in output.splitlines() if _IMPORTANT.search(line)] or output.splitlines()[-5:]
    place = next((f"{m['file']}:{m['line']}" for line in lines if (m := _PLACE.search(line)) is not None), None)
    return _Complaint(
        target,
        lineage,
        harmless(shlex.join(command), 200),
        status,
        int(seconds),
        harmless(" / ".join(lines)),
        None if place is None else harmless(place, 300),
    )


#: What servers mark their reasons with: nginx and haproxy, Apache.
_IMPORTANT = re.compile(r"\[(?:emerg|alert|crit|error)\]|\[ALERT\]|Syntax error on line")

#: "… in FILE:LINE" (nginx), "Syntax error on line 25 of FILE:" (Apache), "parsing [FILE:LINE]" (haproxy).
_PLACE = re.compile(r" in (?P<file>/.*):(?P<line>\d+)\s*$")

#: Nothing else reaches a server's command: no PYTHON…, LD_… or NGINX of whoever called us.
_PASSED_ON = ("HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "TZ")


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    path = os.environ.get("PATH") or "/usr/local/bin:/usr/bin:/bin"
    return {**kept, "PATH": f"{path}:/usr/local/sbin:/usr/sbin:/sbin", "LC_ALL": "C"}


def _run(command: Sequence[str], seconds: float) -> tuple[int | None, str]:
    """The exit status and the end of what `command` said; None when it was killed for taking longer than `seconds`.

    It gets no shell, no input, and a process group of its own, which is killed with it. What it leaves running may
    hold its output open: only the command itself is waited for. Raises OSError when it cannot be started.
    """
    environment = _environment()
    until = time.monotonic() + seconds  # real programs take real time, whatever the clock of the run says
    with subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
        executable=_program(command[0], environment["PATH"]),
    ) as child:
        output = b""
        status: int | None = None
        try:
            output = _heard(child, until)
            status = child.poll()
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
    return status, output.decode("utf-8", "replace")


def _program(name: str, path: str) -> str:
    import shutil

    found = shutil.which(name, path=path)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    return found


def _heard(child: subprocess.Popen[bytes], until: float) -> bytes:
    """The end of what `child` says until it ends or time is up."""
    assert child.stdout is not None  # noqa: S101 - Popen's promise for PIPE
    fd = child.stdout.fileno()
    os.set_blocking(fd, False)
    output = b""
    ended = os.pidfd_open(child.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            while (left := until - time.monotonic()) > 0:
                ready = {key.fd for key, _ in selector.select(left)}
                if fd in ready:
                    chunk = os.read(fd, _OUTPUT_BYTES)
                    if chunk:
                        output = (output + chunk)[-_OUTPUT_BYTES:]
                    else:
                        selector.unregister(fd)
                elif ended in ready:  # only once nothing more is to be read
                    break
    finally:
        os.close(ended)
    return output
