"""Carries out one action of the plan, under the claim on its lineage.

Each verb leaves the facts so that the next plan says what is left: issuing does not install, it changes the state, and
the plan then finds the site that serves an old certificate. The same holds after a crash.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jprs_client.clock import Clock
from jprs_client.config import Config
from jprs_client.errors import CaUnavailable, JprsClientError, Locked, RefusedByCa, StateUnusable, harmless
from jprs_client.issuance import Issuance, Progress, Proving
from jprs_client.planning.actions import Action, Kind, Why
from jprs_client.planning.backoff import retry_at
from jprs_client.planning.facts import AriFacts, Failure, State
from jprs_client.planning.rules import Picture, kind_of_failure
from jprs_client.planning.wanted import Wanted
from jprs_client.store.store import Job, Store
from jprs_client.terms.names import DnsName, derived
from jprs_client.terms.reasons import Reason

if TYPE_CHECKING:
    from jprs_client.ca.client import Ca
    from jprs_client.install import Deployer
    from jprs_client.observe.resolver import Resolver


@dataclass(frozen=True, slots=True)
class Tools:
    """What doing needs beside the facts; each is made when first asked for."""

    ca: Callable[[], Ca]
    deployer: Callable[[], Deployer]
    resolver: Callable[[], Resolver]
    proving: Callable[[], Proving]


class Executor:
    """Does what the plan says, one action at a time."""

    def __init__(self, config: Config, store: Store, clock: Clock, tools: Tools, progress: Progress) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._tools = tools
        self._progress = progress

    def carry_out(self, action: Action, state: State) -> None:
        """Do `action`, as decided from `state`. What fails is remembered with the moment of the next attempt."""
        doing: dict[Kind, Callable[[Action, State], None]] = {
            Kind.ISSUE: self._issue,
            Kind.RENEW: self._issue,
            Kind.REISSUE: self._issue,
            Kind.INSTALL: self._install,
            Kind.REVOKE: self._revoke,
            Kind.REMOVE: self._remove,
            Kind.OBSERVE: self._observe,
        }
        try:
            doing[action.kind](action, state)
        except Locked:
            raise  # another run is at it: nothing has failed
        except OSError as fault:
            cause = fault.strerror or type(fault).__name__
            error: JprsClientError = StateUnusable("state-file-unusable", file=fault.filename, cause=cause)
            self._remember_failure(action, state, error)
            raise error from fault
        except JprsClientError as error:
            self._remember_failure(action, state, error)
            raise
        except Exception as bug:
            # A stranger's plugin, or a fault of ours: it holds up this certificate, no other; its traceback is shown.
            unforeseen = JprsClientError("unforeseen", cause=harmless(f"{type(bug).__name__}: {bug}", 300))
            self._remember_failure(action, state, unforeseen)
            raise unforeseen from bug
        self._store.forget_failure(action.certificate, kind_of_failure(action.kind), action.target)

    def finish_begun(self, state: State) -> None:
        """Versions that an interrupted run had verified come to use first; nothing is asked of the CA for that."""
        for job in self._store.jobs():
            if job.version is None or not self._store.versions.exists(job.lineage, job.version):
                continue
            if job.key_spki_sha256 is not None and self._store.is_blocked(job.key_spki_sha256):
                continue  # it never comes to use; whoever issues the next one remembers it, to be revoked
            with suppress(Locked), self._store.claims.held("lineage", job.lineage, 0):
                held = self._store.job(job.lineage)  # its run may have ended it meanwhile
                if held is not None and held.version is not None:
                    self._finish(held, state)

    def _finish(self, job: Job, state: State) -> None:
        now = self._clock.now()
        wanted = self._wanted(job.lineage, state)
        action = Action(Kind(job.action), job.lineage, job.names, Why("interrupted"), now, now)
        try:
            self._issuance(action, wanted, state, job).finish()
        except JprsClientError as error:
            # It cannot come to use: that is this certificate's misfortune, and it is ordered anew.
            self._store.keep_job(replace(job, order_url=None, version=None))
            self._note("version-unusable", certificate=job.lineage, version=job.version, cause=error.code)

    def _note(self, code: str, **params: object) -> None:
        """Something a person should hear that stops nothing (`note.CODE`)."""
        self._progress(f"note-{code}", **params)

    def _remember_failure(self, action: Action, state: State, error: JprsClientError) -> None:
        kind, now = kind_of_failure(action.kind), self._clock.now()
        before = state.failures.get((action.certificate, kind, action.target))
        count = before.count + 1 if before is not None and before.names == action.names else 1
        imposed_at = error.retry_at if isinstance(error, CaUnavailable) else None
        with self._store.writing():
            self._store.keep_failure(
                Failure(
                    lineage=action.certificate,
                    action=kind,
                    names=action.names,
                    count=count,
                    code=error.code,
                    params=error.params,
                    failed_at=now,
                    retry_at=retry_at(now, count, error.exit_code, action.certificate, imposed_at=imposed_at),
                    imposed=imposed_at is not None,
                    target=action.target,
                    exit_code=error.exit_code,
                )
            )
            if count == 1 or before is None or before.code != error.code:  # one line a change, not one a try
                self._store.keep_event("failed", action.certificate, action=action.kind.value, code=error.code)

    def _wanted(self, lineage: str, state: State) -> Wanted:
        picture = Picture(self._config, state, self._clock.now())
        found = picture.wanted.by_name.get(lineage)
        if found is not None:
            return found
        defaults = self._config.defaults  # a lineage the configuration has dropped since
        return Wanted(lineage, frozenset(), defaults.key_type, defaults.solver, defaults.install)

    # -- issue, renew, reissue --------------------------------------------------------------------------------------

    def _issue(self, action: Action, state: State) -> None:
        self._remember_directory()
        self._issuance(action, self._wanted(action.certificate, state), state).run()

    def _remember_directory(self) -> None:
        directory = self._tools.ca().directory()
        self._store.keep_directory(offers_ari=directory.renewal_info is not None, terms_url=directory.terms_of_service)

    def _issuance(self, action: Action, wanted: Wanted, state: State, job: Job | None = None) -> Issuance:
        return Issuance(
            action,
            wanted,
            config=self._config,
            state=state,
            store=self._store,
            clock=self._clock,
            ca=self._tools.ca,
            proving=self._tools.proving,
            before_order=self._look_before_order,
            progress=self._progress,
            job=job,
        )

    def _look_before_order(self, names: frozenset[DnsName]) -> None:
        """What would make the CA refuse, seen before it is asked (TERMS S2); only a certain no counts."""
        from jprs_client.observe.caa import DEFAULT_IDENTITIES, CaaLookups, Issuer, refusal

        account = self._store.account()
        identities = self._tools.ca().directory().caa_identities or DEFAULT_IDENTITIES
        issuer = Issuer(identities, account.url if account else None)
        lookups = CaaLookups(self._tools.resolver())
        for name in sorted(names):
            verdict = lookups.check(name.ascii, issuer)
            error = refusal(verdict, issuer)
            if error is not None:
                raise error
            if verdict.allowed is None:
                self._progress("caa-unknown", name=name.both_forms, zone=verdict.zone)

    def look_up_derived(self, names: frozenset[DnsName]) -> bool:
        """Look whether derived names that nobody wrote down exist, and remember it; True when that changed a fact."""
        from jprs_client.observe.names import derived_exists

        changed = False
        for table in self._config.usage_fqdns:
            also = derived(table.name)
            if table.derived != "auto" or also is None or also not in names:
                continue
            exists = derived_exists(also.ascii, table.name.ascii, self._tools.resolver())
            if exists is not None:
                self._store.keep_lookup(also, found=exists)
                changed = changed or not exists
        return changed

    # -- install ----------------------------------------------------------------------------------------------------

    def _install(self, action: Action, _state: State) -> None:
        self.install(action.target, action.certificate, action.version)

    def install(self, target: str, lineage: str, version: int) -> None:
        """Give `target` a version of `lineage` and see it served."""
        with self._store.claims.held("target", target):
            self._progress("installing", certificate=lineage, target=target)
            deployed = self._tools.deployer().deploy(target, lineage, version)
            with self._store.writing():
                self._store.keep_installation(target, lineage, version, served=True)
                self._store.forget_failure(lineage, Kind.INSTALL.value, target)
                self._store.keep_event("installed", lineage, target=target, version=version)
            for code, params in deployed.notes:
                self._note(code, certificate=lineage, **params)
            self._progress("installed", certificate=lineage, target=target)

    # -- revoke -----------------------------------------------------------------------------------------------------

    def _revoke(self, action: Action, state: State) -> None:
        intent = next(
            intent
            for intent in state.revocations
            if intent.lineage == action.certificate and intent.version == action.version
        )
        certificate = self._store.versions.certificate_der(intent.lineage, intent.version)
        # The certificate's own key proves the compromise and lets the CA block it; for any other reason the account
        # signs, as some CAs take a certificate key's signature for a compromise (FAULTS 145).
        signers: list[bytes | None] = [None]
        if intent.reason == Reason.KEY_COMPROMISE:
            signers = [*self._store.versions.usable_key(intent.lineage, intent.version), None]
        self._progress("revoking", certificate=intent.lineage, serial=intent.serial)
        for signer in signers:
            try:
                self._tools.ca().revoke(certificate, intent.reason, key_pem=signer)
                break
            except RefusedByCa:
                if signer is signers[-1]:
                    if intent.reason == Reason.KEY_COMPROMISE:
                        raise  # a duty with a deadline (TERMS R3): it stays asked for until the CA agrees
                    with self._store.writing():  # it stays in service, and is renewed like any other
                        self._store.drop_revocation(intent.lineage, intent.version)
                        self._store.retire(intent.lineage, retired=False)
                    raise
        with self._store.writing():
            self._store.mark_revoked(intent.serial, intent.reason, self._clock.now())
            self._store.revocation_done(intent.lineage, intent.version)
            self._store.keep_event("revoked", intent.lineage, serial=intent.serial, reason=intent.reason)
        self._progress("revoked", certificate=intent.lineage, serial=intent.serial)

    # -- remove, observe --------------------------------------------------------------------------------------------

    def _remove(self, action: Action, _state: State) -> None:
        with self._store.writing():
            self._store.archive(action.certificate)
            self._store.keep_event("removed", action.certificate, reason=action.why.code)

    def _observe(self, action: Action, state: State) -> None:
        """Ask when to renew; the moment is drawn once for each window (RFC 9773 §4.2)."""
        certificate = self._store.versions.certificate_der(action.certificate, action.version)
        lineage = state.lineages[action.certificate]
        told = self._tools.ca().renewal_info(certificate)
        known = lineage.ari
        if told is None:  # the directory no longer offers it: nobody is asked again until it does
            self._remember_directory()
            return
        if told.start is None or told.end is None:
            # No usable answer: what was drawn before stands, and we ask again later.
            kept = known or AriFacts(look_at=told.retry_at)
            ari = AriFacts(told.retry_at, kept.renew_at, kept.window_start, kept.window_end, kept.explanation_url)
        elif known is not None and (known.window_start, known.window_end) == (told.start, told.end):
            ari = AriFacts(told.retry_at, known.renew_at, told.start, told.end, told.explanation_url)
        else:
            share = secrets.randbelow(2**32) / 2**32
            renew_at = told.start + (told.end - told.start) * share
            ari = AriFacts(told.retry_at, renew_at, told.start, told.end, told.explanation_url)
        self._store.keep_renewal_information(action.certificate, action.version, ari)

    # -- a person's verbs -------------------------------------------------------------------------------------------

    def roll_back(self, lineage: str, version: int, targets: tuple[str, ...]) -> None:
        """Go back to `version`: served everywhere first, remembered then."""
        for target in targets:
            self.install(target, lineage, version)
        self._store.versions.switch(lineage, version)
        with self._store.writing():
            job = self._store.job(lineage)
            if job is not None and job.version is not None:  # a run cut off at its very end: not to be finished again
                self._store.end_job(lineage)
            self._store.roll_back(lineage, version)
            self._store.keep_event("rolled-back", lineage, version=version)
