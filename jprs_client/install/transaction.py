"""One transaction gives a server a certificate: write, check, reload, look over TLS, or put everything back.

`Deployer.deploy(target, lineage, version)` is the only entry that ever needs root. It takes no path and no command
from its caller: those come from configuration that it was made with, and from the server's own.

What was there is kept aside, with a manifest, before anything is touched, and forgotten once the new certificate is
seen. So a manifest that is found means that a run was cut off in between; the next one puts back first.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from jprs_client.errors import InstallFailed, JprsClientError, harmless
from jprs_client.install.aside import FOLDER_NAME, Aside, Manifest
from jprs_client.install.commands import Complaint, complaint_of, refuse_unsafe
from jprs_client.install.facts import Facts, Unfit, facts_in, leaf_in
from jprs_client.install.files_changed import Kept, Write, exposed_keys, not_written, replace_all, writes_for
from jprs_client.install.pairs import judged, real_path
from jprs_client.plugin import Deployment, Installer, Material, Pair, Probe, Site

if TYPE_CHECKING:
    from jprs_client.clock import Clock

__all__ = ["Change", "ChangedFile", "Deployed", "Deployer", "Limits", "Look", "Versions"]

#: Looks at one place, within so many seconds: SHA-256 of the served leaf, lower-case hex; OSError when nobody answers.
Look = Callable[[Probe, float], str]

#: After every place has shown the new certificate, every listener is asked so many times more, so far apart.
_STEADY_ROUNDS = 3
_STEADY_PAUSE = 0.1


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
        "put-back-failed" is the one after which something is left to be done by hand. After "server-not-running" the
        new files stay: the server did not run before we came either, and reads them when it starts (FAULTS 123).
        """
        installer = self._installer(target)
        material, facts = self._verified(target, lineage, version, self._clock.now())
        site = Site(lineage, facts.names, self._versions.live(lineage))
        aside = Aside(self._aside, target, lineage)
        pending = aside.pending()
        if pending is not None:
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
        refuse_unsafe((deployment.check, deployment.reload), target, lineage, restored="untouched")
        writes = writes_for(deployment.files, target, lineage)
        notes = (*deployment.notes, *exposed_keys(writes, lineage))
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
        strangers = self._refuse_broken_pairs(deployment, site, changed, target)
        notes = (*notes, *_not_judged(strangers, lineage))
        manifest = Manifest(
            lineage=lineage,
            version=version,
            live_before=aside.served_before(version) if live_before == version else live_before,
            token=secrets.token_hex(8),
            files=tuple(write.kept(number) for number, write in enumerate(changed)),
        )
        # Asked before anything is written: a restart that fails because of our files leaves nobody listening, too.
        # After a run that was cut off nobody knows whether that run ended the server.
        ran = pending is not None or not self._nobody_listens(deployment.probes)
        try:
            aside.keep(manifest, changed)
        except OSError as error:
            raise not_written("aside-not-written", target, lineage, error, restored="untouched") from error
        idle = self._carry_out(
            target, deployment, manifest, changed, facts, aside, broken_before=complaint is not None, ran_before=ran
        )
        if idle is not None:
            aside.forget()
            raise idle.failure("server-not-running", restored="no")
        aside.remember_served(version, facts.fingerprint)
        aside.forget()  # last: whoever is cut off before looks again, and finds it done
        written = tuple(write.path for write in changed)
        return Deployed(target, lineage, version, written, deployment.probes, notes, already=False)

    def preview(self, target: str, lineage: str, version: int) -> Change:
        """What `deploy` would change; changes nothing and asks no server. Raises InstallFailed as it does."""
        installer = self._installer(target)
        material, facts = self._verified(target, lineage, version, self._clock.now())
        deployment = installer.deployment(Site(lineage, facts.names, self._versions.live(lineage)), material)
        refuse_unsafe((deployment.check, deployment.reload), target, lineage, restored="untouched")
        current = self._versions.current(lineage)
        return Change(
            target,
            lineage,
            version,
            tuple(ChangedFile(write.path, write.change) for write in writes_for(deployment.files, target, lineage)),
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
        for aside, manifest in Aside.all_pending(self._aside, target):
            self._put_back(manifest, aside)
            aside.forget()
            recovered.append(manifest.lineage)
            back = manifest.live_before or manifest.version
            material, facts = self._verified(target, manifest.lineage, back, None)
            site = Site(manifest.lineage, facts.names, self._versions.live(manifest.lineage))
            deployment = installer.deployment(site, material)
            refuse_unsafe((deployment.check, deployment.reload), target, manifest.lineage, restored="yes")
            complaint = self._check(deployment, target, manifest.lineage)
            if complaint is not None:
                raise complaint.failure("server-config-broken-before", restored="yes")
            if (trouble := judged(deployment.pairs).trouble) is not None:
                raise trouble.failure(target, manifest.lineage, restored="yes")
            if (complaint := self._reload(deployment, target, manifest.lineage)) is not None:
                raise complaint.failure("reload-failed", restored="yes")
        return tuple(recovered)

    # -- before anything is touched ----------------------------------------------------------------------------------

    def _installer(self, target: str) -> Installer:
        make = self._installers.get(target)
        if make is None:
            raise InstallFailed("install-target-unknown", target=target, known=sorted(self._installers) or None)
        try:
            return make()
        except InstallFailed as refused:
            refused.params.update(target=target, restored="untouched")
            raise

    def _verified(self, target: str, lineage: str, version: int, now: datetime | None) -> tuple[Material, Facts]:
        """The material and what its certificate says, once key, chain and, at `now`, dates are right.

        The server's own check is not relied on: Apache's says "Syntax OK" of a pair that stops it.
        """
        if not FOLDER_NAME.fullmatch(lineage):
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
            return material, facts_in(material, now)
        except Unfit as unfit:
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
        command = shlex.split(check)
        refuse_unsafe((command,), target, lineage, restored="untouched")
        complaint = complaint_of(command, self._limits.check, target, lineage)
        return refused if complaint is None else complaint.failure("server-config-broken-before", restored="untouched")

    def _refuse_older(
        self,
        target: str,
        lineage: str,
        facts: Facts,
        changed: Iterable[Write],
        aside: Aside,
        live: int | None,
    ) -> None:
        """Never put an older certificate over a newer one that somebody else put there (FAULTS 31).

        Over one of ours, an older one is a rollback.
        """
        ours = {aside.served_fingerprint(), self._live_fingerprint(lineage, live)}
        for write in changed:
            held = leaf_in(write.before or b"")
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

    def _refuse_broken_pairs(
        self, deployment: Deployment, site: Site, changed: Iterable[Write], target: str
    ) -> tuple[Pair, ...]:
        """Reload no server that would not come up again, whoever's pair it is; those that nobody here can judge.

        A pair with a file that we are about to write, or that follows `live/`, is looked at once it is in place.
        """
        written = {write.destination for write in changed}
        live = real_path(site.live)

        def is_ours(path: Path) -> bool:
            real = real_path(path)
            return real in written or real.is_relative_to(live)

        strangers = judged(p for p in deployment.pairs if not (is_ours(p.certificate) or is_ours(p.key)))
        if strangers.trouble is not None:
            raise strangers.trouble.failure(target, site.lineage, restored="untouched")
        return strangers.unknown

    def _live_fingerprint(self, lineage: str, live: int | None) -> str | None:
        """Of the version under `live/`; None where there is none to be read."""
        if live is None:
            return None
        try:
            held = leaf_in(self._versions.material(lineage, live).cert_pem)
        except (OSError, JprsClientError):
            return None  # what cannot be read cannot be told from a stranger's
        return None if held is None else held.fingerprint

    # -- the transaction ---------------------------------------------------------------------------------------------

    def _carry_out(
        self,
        target: str,
        deployment: Deployment,
        manifest: Manifest,
        changed: Sequence[Write],
        facts: Facts,
        aside: Aside,
        *,
        broken_before: bool,
        ran_before: bool,
    ) -> Complaint | None:
        """Everything in place and seen; or what the reload said of a server that did not run and does not."""
        reloaded = False
        try:
            if self._versions.current(manifest.lineage) != manifest.version:
                self._versions.switch(manifest.lineage, manifest.version)
            replace_all([(w.destination, w.content, w.mode, w.uid, w.gid) for w in changed], manifest.token)
            if (trouble := judged(deployment.pairs).trouble) is not None:
                raise trouble.failure(target, manifest.lineage)  # noqa: TRY301
            complaint = self._check(deployment, target, manifest.lineage)
            if complaint is not None:
                code = "server-config-broken-before" if broken_before else "server-config-broken-after"
                raise complaint.failure(code)  # noqa: TRY301
            reloaded = True
            if (complaint := self._reload(deployment, target, manifest.lineage)) is not None:
                if not ran_before and complaint.status is not None and self._nobody_listens(deployment.probes):
                    return complaint
                raise complaint.failure("reload-failed")  # noqa: TRY301
            self._await_served(target, manifest.lineage, deployment.probes, facts)
        except (Exception, KeyboardInterrupt) as error:
            failure = error
            if isinstance(error, OSError):
                failure = not_written("files-not-written", target, manifest.lineage, error)
            self._undo(target, deployment, manifest, aside, failure, reload_again=reloaded)
            if failure is error:
                raise
            raise failure from error
        return None

    def _undo(
        self,
        target: str,
        deployment: Deployment,
        manifest: Manifest,
        aside: Aside,
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
            # A pair that we found torn is torn again, and would end the server now.
            fit = judged(deployment.pairs).trouble is None and self._check(deployment, target, manifest.lineage) is None
            back = "yes" if fit and self._reload(deployment, target, manifest.lineage) is None else "no"
        if isinstance(failure, InstallFailed):
            failure.params.update(restored="yes", reloaded=back)

    def _put_back(
        self, manifest: Manifest, aside: Aside, *, because: str | None = None, target: str | None = None
    ) -> None:
        """Everything byte for byte as it was, with mode and owner. Raises InstallFailed("put-back-failed")."""
        failed: list[tuple[Kept, str]] = []
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
            failed.append((Kept(str(self._versions.live(manifest.lineage)), None, 0, 0, 0, None, ""), str(error)))
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

    def _check(self, deployment: Deployment, target: str, lineage: str) -> Complaint | None:
        return complaint_of(deployment.check, self._limits.check, target, lineage)

    def _reload(self, deployment: Deployment, target: str, lineage: str) -> Complaint | None:
        return complaint_of(deployment.reload, self._limits.reload, target, lineage)

    def _is_done(self, installer: Installer, site: Site, material: Material, facts: Facts) -> bool:
        """Whether `material` is in all its places, and served there."""
        try:
            deployment = installer.deployment(site, material)
            in_place = not any(write.differs for write in writes_for(deployment.files, "", site.lineage))
        except InstallFailed:
            return False
        return in_place and self._all_served(deployment.probes, facts)

    def _all_served(self, probes: Sequence[Probe], facts: Facts) -> bool:
        """Whether every place shows it now. False without any: then nobody can tell, and a reload does no harm."""
        return bool(probes) and all(self._seen(probe, facts)[0] for probe in probes)

    def _seen(self, probe: Probe, facts: Facts) -> tuple[bool, str | None, str | None]:
        """Whether it is ours; otherwise the fingerprint seen, or why none was."""
        try:
            fingerprint = self._look(probe, self._limits.look)
        except OSError as error:
            return False, None, harmless(error, 200) or type(error).__name__
        return fingerprint == facts.fingerprint, fingerprint, None

    def _nobody_listens(self, probes: Sequence[Probe]) -> bool:
        """Whether each place refuses the connection. False without any: then nobody can tell."""
        for probe in probes:
            try:
                self._look(probe, self._limits.look)
            except ConnectionRefusedError:
                continue
            except OSError:
                return False
            else:
                return False
        return bool(probes)

    def _await_served(self, target: str, lineage: str, probes: Sequence[Probe], facts: Facts) -> None:
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


def _not_judged(pairs: Iterable[Pair], lineage: str) -> tuple[tuple[str, Mapping[str, str]], ...]:
    return tuple(
        ("pair-not-judged", {"lineage": lineage, "file": str(pair.key), "place": pair.place or str(pair.certificate)})
        for pair in pairs
    )
