"""Wires the rooms together: look, decide, do. `plan()` and `tick()` live here; every door is a few lines on top.

What doing needs (the CA, the pool, cryptography) is imported when something is due, not before.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from jprs_client.clock import Clock
from jprs_client.config import Config, load
from jprs_client.errors import BadName, JprsClientError, Locked, RefusedByCa, StateUnusable, UsageError
from jprs_client.planning.actions import Action, Kind, Problem, Why
from jprs_client.planning.facts import CertificateFacts, LineageFacts, RevocationIntent, State
from jprs_client.planning.plan import Plan, plan
from jprs_client.planning.revoking import COMPROMISE_DEADLINE, compromise, intents, leaked_keys
from jprs_client.planning.rules import Picture, failure_of, kind_of_failure
from jprs_client.planning.standing import CertificateStanding, standings
from jprs_client.planning.usages import record_of
from jprs_client.registry import Registry
from jprs_client.store.store import Store
from jprs_client.store.versions import lineage_name
from jprs_client.terms.authority import to_apply_for
from jprs_client.terms.names import DnsName
from jprs_client.terms.reasons import Circumstance, Reason, reason_for
from jprs_client.terms.usage import jst_day

if TYPE_CHECKING:
    from jprs_client.ca.client import Ca
    from jprs_client.execute import Executor
    from jprs_client.install import Change, Deployer
    from jprs_client.issuance import Proving
    from jprs_client.observe.resolver import Resolver
    from jprs_client.plugin import Installer, Proof, Solver
    from jprs_client.registration import Registered
    from jprs_client.terms.consent import Consent

DEFAULT_STATE_DIR = Path("/var/lib/jprs-client")

#: A certificate is made anew by these; they ask the CA, and so does revoking and observing.
REPLACEMENTS = frozenset({Kind.ISSUE, Kind.RENEW, Kind.REISSUE})
ASKS_THE_CA = REPLACEMENTS | {Kind.REVOKE, Kind.OBSERVE}

#: What `renew` does: no first issuance.
RENEWALS = frozenset(Kind) - {Kind.ISSUE, Kind.REMOVE}

#: A revocation that is made before its deadline, since nobody comes between the two.
DEADLINE_NEAR = "deadline-near"

#: When several exit codes apply, the first of these is the run's.
GRAVEST_FIRST = (3, 4, 7, 1, 5, 6)


def _silent(_code: str, **_params: object) -> None:
    """Nobody is watching."""


@dataclass(slots=True)
class Report:
    """What a run did, what failed with what, and what stands in the way."""

    done: list[Action] = field(default_factory=list)
    failed: list[tuple[Action, JprsClientError]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0, or the gravest of what happened."""
        codes = {error.exit_code for _, error in self.failed} | {problem.exit_code for problem in self.problems}
        return next((code for code in GRAVEST_FIRST if code in codes), max(codes, default=0))


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which usage FQDN authorises a name and which certificate serves it, or which usage FQDN to apply for."""

    name: DnsName
    authorised_by: tuple[DnsName, ...]
    ordered_as: DnsName | None
    served_by: str | None
    is_issued: bool
    apply_for: DnsName | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is asked to do: everything that is due, or only these lineages or kinds of action.

    `force` makes a new certificate whether it is due or not. `start_usage`: the person has confirmed that periods
    may start. A lineage that is named is tried now, whatever failed before. `patient`: nobody is waiting, so that what
    failed is left alone until its own moment (`Action.attempt_at`); that is the daemon's way. `next_run`: nobody comes
    before that, so that a revocation whose deadline is sooner is made in this run, once everything else is done.
    """

    names: frozenset[str] | None = None
    kinds: frozenset[Kind] = frozenset(Kind)
    force: bool = False
    start_usage: bool = False
    patient: bool = False
    next_run: timedelta | None = None

    def covers(self, action: Action) -> bool:
        """Whether `action` is among what was asked."""
        return action.kind in self.kinds and (self.names is None or action.certificate in self.names)


class App:
    """The program, for one configuration and one state directory."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        *,
        registry: Registry | None = None,
        progress: Callable[..., None] = _silent,
        may_start: Callable[[Action], bool] | None = None,
    ) -> None:
        self.config = config
        self.store = store
        self.clock = clock
        self.registry = registry or Registry()
        self.progress = progress
        self._may_start = may_start or (lambda _action: False)

    @classmethod
    def open(
        cls,
        config_path: Path,
        state_dir: Path,
        clock: Clock,
        *,
        lock_timeout: float = 0,
        progress: Callable[..., None] = _silent,
        may_start: Callable[[Action], bool] | None = None,
    ) -> Self:
        """Read the configuration and find the state. Raises ConfigError, StateUnusable; touches nothing."""
        config = load(config_path, Registry())
        return cls.over(config, state_dir, clock, lock_timeout=lock_timeout, progress=progress, may_start=may_start)

    @classmethod
    def over(
        cls,
        config: Config,
        state_dir: Path,
        clock: Clock,
        *,
        lock_timeout: float = 0,
        progress: Callable[..., None] = _silent,
        may_start: Callable[[Action], bool] | None = None,
    ) -> Self:
        """The same with a configuration that was read before, as the daemon keeps it. Raises StateUnusable."""
        _must_be_usable(state_dir)
        store = Store(state_dir, config.ca.directory, clock, lock_timeout=lock_timeout, url=config.storage.url)
        return cls(config, store, clock, progress=progress, may_start=may_start)

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    # -- look and decide --------------------------------------------------------------------------------------------

    def plan(self, at: datetime | None = None) -> Plan:
        """What is due at `at` (default: now), what is coming, and why. Changes nothing, asks nobody."""
        return plan(self.config, self.store.state(), at or self.clock.now())

    def standings(self) -> tuple[Plan, State, tuple[CertificateStanding, ...]]:
        """How every certificate stands now, from the store alone."""
        state = self.store.state()
        planned = plan(self.config, state, self.clock.now())
        return planned, state, standings(planned, state)

    def explain(self, name: DnsName) -> Explanation:
        """Who authorises `name`, what serves it, or what to apply for."""
        picture = Picture(self.config, self.store.state(), self.clock.now())
        ordered_as = picture.authority.servable_by(name)
        if ordered_as is None:
            return Explanation(name, (), None, None, is_issued=False, apply_for=to_apply_for(name))
        authorised_by = tuple(usage.name for usage in picture.authority.authorising(ordered_as))
        serving = [
            certificate.name
            for certificate in picture.wanted.by_name.values()
            if any(own.covers(name) for own in certificate.names)
        ]
        # The certificate that carries the very name comes before one whose wildcard happens to cover it.
        serving.sort(key=lambda found: (ordered_as not in picture.wanted.by_name[found].names, found))
        served_by = serving[0] if serving else None
        lineage = picture.state.lineages.get(served_by) if served_by else None
        return Explanation(
            name, authorised_by, ordered_as, served_by, is_issued=bool(lineage and lineage.current), apply_for=None
        )

    def lineages(self, names: Iterable[str]) -> frozenset[str]:
        """The lineages that a person means: by name or by folder. Raises UsageError for one there is none of."""
        known = set(Picture(self.config, self.store.state(), self.clock.now()).wanted.by_name) | set(
            self.store.state().lineages
        )
        meant = set()
        for name in names:
            found = next((form for form in (name, lineage_name(name), _canonical(name)) if form in known), None)
            if found is None:
                raise UsageError("no-such-certificate", name=name, known=sorted(known)[:20] or None)
            meant.add(found)
        return frozenset(meant)

    # -- do ---------------------------------------------------------------------------------------------------------

    def apply(self, asked: Asked | None = None) -> Report:
        """Do what is due, plan again, until nothing is; what fails does not hold up the rest."""
        return self.tick(asked or Asked())

    def tick(self, asked: Asked) -> Report:
        """One round of look, decide, do."""
        report = Report()
        if asked.force and asked.names is not None:
            self._take_back_into_service(asked.names)
        attempted: set[tuple[object, ...]] = set()
        begun = False
        while True:
            state = self.store.state()
            planned = plan(self.config, state, self.clock.now())
            planned = self._brought_forward(planned, state, asked, attempted)
            todo = [action for action in self._todo(planned, asked) if _key(action) not in attempted]
            if not begun:
                begun = True
                report.problems = [problem for problem in planned.problems if _concerns(problem, asked)]
                if self._before_doing(state, todo):
                    continue
            if not todo and self._give_up_again():
                continue
            todo = todo or self._cannot_wait(planned, asked, attempted)
            if not todo:
                return report
            for action in todo:
                attempted.add(_key(action))
                if state.account is None and action.kind in ASKS_THE_CA:
                    self._not_registered(action, report)
                else:
                    self._do(action, asked, report)

    def _cannot_wait(self, planned: Plan, asked: Asked, attempted: set[tuple[object, ...]]) -> list[Action]:
        """Revocations whose deadline is over before anybody comes again, replaced or not (TERMS R3)."""
        if asked.next_run is None:
            return []
        return [
            replace(action, due_at=planned.at, attempt_at=planned.at, why=Why(DEADLINE_NEAR, action.why.params))
            for action in planned.coming
            if action.kind is Kind.REVOKE
            and planned.at < action.due_at <= planned.at + asked.next_run
            and asked.covers(action)
            and _key(action) not in attempted
        ]

    def _take_back_into_service(self, names: frozenset[str]) -> None:
        """A person asks by name for what was revoked without a replacement."""
        for name, lineage in self.store.state().lineages.items():
            if name in names and lineage.retired_at is not None:
                self.store.retire(name, retired=False)

    def _not_registered(self, action: Action, report: Report) -> None:
        """Told once, however many certificates wait for the account."""
        if action.kind is Kind.OBSERVE:
            return
        report.problems = [problem for problem in report.problems if problem.code != "not-registered"]
        report.problems.append(Problem("not-registered", {"directory": self.config.ca.directory}, exit_code=4))

    def _before_doing(self, state: State, todo: list[Action]) -> bool:
        """What a run does before its first action, if it has one: True when the plan has to be made again."""
        interrupted = bool(self.store.jobs() or self.store.lineages_with_proofs())
        if todo or interrupted:
            self.store.must_be_of_this_directory()
            self.store.ready_to_write()
            for path in self.store.tighten():
                self._note("state-was-open", file=path)
        changed = self._remember_usages(state)
        for intent in state.revocations:
            if intent.is_over(self.clock.now()):  # it has expired: there is nothing left to revoke
                self.store.revocation_done(intent.lineage, intent.version)
                self.store.keep_event("revocation-over", intent.lineage, serial=intent.serial, reason=intent.reason)
                changed = True
        if interrupted:
            self._clear_up(state)
            changed = True
        changed = self._give_up_again() or changed
        if not todo:
            return changed
        if state.account is not None:
            for action in todo:
                if action.kind in REPLACEMENTS and self.executor.look_up_derived(action.names):
                    changed = True
        return changed

    def _give_up_again(self) -> bool:
        """A key that was given up has turned up in another certificate: that one goes, too (FAULTS 148)."""
        blocked = self.store.blocked_in_use()
        if not blocked:
            return False
        found = self.compromise(blocked)
        for intent in found:
            self._note("blocked-key-in-use", certificate=intent.lineage, serial=intent.serial)
        self._ask_for(found)
        return True

    def _note(self, code: str, **params: object) -> None:
        """Something a person should hear that stops nothing (`note.CODE`)."""
        self.progress(f"note-{code}", **params)

    def _clear_up(self, state: State) -> None:
        """Finish what an interrupted run had as good as done, and take down the proofs that it left up.

        What belongs to a lineage that another run holds is that run's business: it is alive.
        """
        from jprs_client.challenges.presented import clear_left_over

        for lineage in self.store.lineages_with_proofs():
            with suppress(Locked), self.store.claims.held("lineage", lineage, 0):
                for code, params in clear_left_over(self.solver, self.store.ledger(lineage)):
                    self._note(code, **params)
        self.executor.finish_begun(state)

    def _remember_usages(self, state: State) -> bool:
        """Write down periods that were carried on, begun elsewhere or ended, before terms change (TERMS P4)."""
        now = self.clock.now()
        picture = Picture(self.config, state, now)
        tables = {table.name: table for table in self.config.usage_fqdns}
        changed = False
        for usage in picture.usages:
            known = state.usages.get(usage.name)
            if usage.period is None and known is None:
                continue
            record = record_of(tables[usage.name], usage, known, jst_day(now))
            if record != known:
                self.store.keep_usage(record, instead_of=known)
                changed = True
        for certificate in picture.wanted.by_name.values():
            lineage = state.lineages.get(certificate.name)
            if certificate.names and lineage is not None and lineage.archived_at is not None:
                self.store.archive(certificate.name, archived=False)
                changed = True
        return changed

    def _todo(self, planned: Plan, asked: Asked) -> list[Action]:
        """What is due and asked for, in the plan's order; looking around comes last."""
        due = [
            action
            for action in planned.coming
            if action.due_at <= planned.at and asked.covers(action) and not self._must_wait(action, planned, asked)
        ]
        return sorted(due, key=lambda action: action.kind is Kind.OBSERVE)

    def _must_wait(self, action: Action, planned: Plan, asked: Asked) -> bool:
        """The CA's own Retry-After is waited for, unless a person names the certificate; our caution by the patient."""
        return (action.imposed or asked.patient) and action.attempt_at > planned.at and asked.names is None

    def _brought_forward(self, planned: Plan, state: State, asked: Asked, attempted: set[tuple[object, ...]]) -> Plan:
        """The plan with replacements due that are not: forced ones, and those that an interrupted run has ordered."""
        tried = {key[1] for key in attempted if key[0] == kind_of_failure(Kind.RENEW)}
        ordered = {job.lineage: job.names for job in self.store.jobs() if job.order_url is not None}
        forced: set[str] = set()

        def forward(action: Action) -> Action:
            if action.kind not in REPLACEMENTS or not asked.covers(action) or action.certificate in tried:
                return action
            if asked.force and action.certificate not in forced:
                forced.add(action.certificate)
                return replace(action, due_at=planned.at, attempt_at=planned.at, why=Why("asked"))
            failure = failure_of(action, state)
            told_to_wait = failure is not None and failure.imposed and failure.retry_at > planned.at
            if action.why.code == "after-month-end":  # a period that is about to start waits, begun or not (P1)
                return action
            if ordered.get(action.certificate) == action.names and action.due_at > planned.at and not told_to_wait:
                return replace(action, due_at=planned.at, attempt_at=planned.at, why=Why("interrupted"))
            return action

        return replace(planned, coming=tuple(map(forward, planned.coming)))

    def _do(self, action: Action, asked: Asked, report: Report) -> None:
        try:
            with self.store.claims.held("lineage", action.certificate):
                state = self.store.state()
                if not self._still_due(action, state):
                    return
                if action.starts_usage and not self._start_confirmed(action, state, asked):
                    self._not_confirmed(action, report)
                    return
                self.executor.carry_out(action, state)
        except JprsClientError as error:
            report.failed.append((action, error))
            self.progress("failed", certificate=action.certificate, action=action.kind.value)
        else:
            if action.kind is not Kind.OBSERVE:
                report.done.append(action)

    def _still_due(self, action: Action, state: State) -> bool:
        """Looked at again under the claim: another run, or an action before this one, may have done it meanwhile."""
        if action.kind in REPLACEMENTS and (self.store.current_version(action.certificate) or 0) != action.version:
            return False
        if action.why.code == "interrupted":
            job = self.store.job(action.certificate)
            return job is not None and job.order_url is not None and job.names == action.names
        if action.why.code == DEADLINE_NEAR:
            return (action.certificate, action.version) in {(each.lineage, each.version) for each in state.revocations}
        if action.why.code == "asked":
            return True
        planned = plan(self.config, state, self.clock.now())
        return any(_key(other) == _key(action) and other.due_at <= planned.at for other in planned.coming)

    def _start_confirmed(self, action: Action, state: State, asked: Asked) -> bool:
        """Whether a person has said that these periods, and charges, may begin (TERMS P1)."""
        tables = {table.name: table for table in self.config.usage_fqdns}
        open_ = [
            name
            for name in sorted(action.starts_usage)
            if not tables[name].start_usage
            and not ((record := state.usages.get(name)) is not None and record.start_confirmed_at is not None)
        ]
        if not open_:
            return True
        if not asked.start_usage and not self._may_start(action):
            return False
        for name in open_:  # remembered until it succeeds, so that a timer's next run goes on
            self.store.confirm_start(name)
        return True

    def _not_confirmed(self, action: Action, report: Report) -> None:
        names = ", ".join(name.ascii for name in sorted(action.starts_usage))
        report.problems.append(
            Problem("start-not-confirmed", {"names": names, "certificate": action.certificate}, action.certificate, 4)
        )

    # -- account ----------------------------------------------------------------------------------------------------

    def register(self, consent: Consent, eab_credentials: Path | None = None) -> Registered:
        """Create the ACME account; see `registration`.

        Without a file named, the configuration's where it is there, else what systemd hands over.
        """
        from jprs_client.registration import register

        configured = self.config.account.eab_credentials
        handed_over = _from_systemd() if configured is None or not configured.exists() else None
        eab = eab_credentials or handed_over or configured
        account_ca = self.ca if self.store.account() is not None else None
        return register(self.config, self.store, self._ca_without_account, account_ca, consent, eab)

    # -- revoke, install, roll back ---------------------------------------------------------------------------------

    def revocation(
        self,
        name: str,
        circumstances: Collection[Circumstance],
        reason: Reason | None,
        *,
        serial: str | None = None,
        replace_it: bool | None = None,
    ) -> tuple[RevocationIntent, ...]:
        """What would be revoked, with which code, replaced or not; see `planning.revoking`. Changes nothing."""
        (lineage,) = self.lineages([name])
        state = self.store.state()
        every = self.store.certificates()
        chosen = self._chosen(lineage, state.lineages.get(lineage), serial, every)
        if chosen.revoked_at is not None:
            raise RefusedByCa(
                "revoked-already", name=lineage, serial=chosen.serial, revoked_at=chosen.revoked_at,
                reason=chosen.revocation_reason,
            )  # fmt: skip
        wanted = self._wanted_names(state)

        def of(code: Reason) -> tuple[RevocationIntent, ...]:
            return intents(
                lineage, chosen, circumstances, code, replace_it=replace_it, every=every, wanted=wanted,
                now=self.clock.now(),
            )  # fmt: skip

        if reason is not None:
            return of(reason)
        found = of(reason_for(circumstances))
        if found[0].replace:  # being replaced is a circumstance, too, if the last one to count (TERMS R2, R7)
            return of(reason_for([*circumstances, Circumstance.REPLACED]))
        return found

    def _picture(self, state: State) -> Picture:
        return Picture(self.config, state, self.clock.now())

    def _wanted_names(self, state: State) -> frozenset[DnsName]:
        return frozenset(name for each in self._picture(state).wanted.by_name.values() for name in each.names)

    def _concerned(self, intents: Iterable[RevocationIntent]) -> frozenset[str]:
        """The lineages of what is to be revoked, and of what takes its place."""
        picture = self._picture(self.store.state())
        return frozenset(
            name for each in intents for name in (each.lineage, *(other.name for other in picture.carriers(each)))
        )

    def _chosen(
        self,
        lineage: str,
        known: LineageFacts | None,
        serial: str | None,
        every: list[tuple[str, CertificateFacts]],
    ) -> CertificateFacts:
        if serial is not None:
            wanted = serial.lower().replace(":", "").lstrip("0")
            for other, facts in every:
                if other == lineage and facts.serial == wanted:
                    return facts
            raise UsageError("no-such-serial", name=lineage, serial=serial)
        if known is None or known.current is None:
            raise UsageError("nothing-issued", name=lineage)
        return known.current

    def revoke(self, intents: Collection[RevocationIntent]) -> Report:
        """Carry revocations out: the replacement is issued, installed and seen served first, unless there is none."""
        self._ask_for(intents)
        return self.tick(Asked(names=self._concerned(intents)))

    def leaked(self, names: Collection[str] | None) -> tuple[frozenset[str], tuple[str, ...]]:
        """The keys a person means who says that those of `names` have leaked; None: every key of a living certificate.

        Fingerprints (SPKI, SHA-256), and the lineages whose newest key is not meant, being made for this very leak; see
        `planning.revoking`. Raises UsageError for a name there is no certificate of.
        """
        state = self.store.state()
        every = self.store.certificates()
        meant = sorted({lineage for lineage, _ in every}) if names is None else sorted(self.lineages(names))
        leaks, found, spared = self.store.leaks(), frozenset[str](), []
        for lineage in meant:
            known = state.lineages.get(lineage)
            current = known.current if known is not None else None
            if current is None and names is not None:
                raise UsageError("nothing-issued", name=lineage)
            keys, is_spared = leaked_keys(
                lineage, [facts for other, facts in every if other == lineage], current.version if current else None,
                leaks=leaks, every_version=names is None, now=self.clock.now(),
            )  # fmt: skip
            found |= keys
            spared += [lineage] if is_spared else []
        return found, tuple(spared)

    def made_since(self, keys: Collection[str]) -> tuple[str, ...]:
        """The lineages whose newest key is one of `keys` and was made for a leak of the last day."""
        state, now = self.store.state(), self.clock.now()
        lately = {leak.lineage for leak in self.store.leaks() if leak.is_followed and leak.is_recent(now)}
        return tuple(
            name
            for name, lineage in sorted(state.lineages.items())
            if name in lately and lineage.current is not None and lineage.current.key_spki_sha256 in keys
        )

    def compromise(
        self, keys: Collection[str], *, deadline: timedelta | None = None, at_once: bool = False
    ) -> tuple[RevocationIntent, ...]:
        """What would be replaced and revoked because `keys` have leaked; see `planning.revoking`. Changes nothing.

        Raises RefusedByCa when the account's own key is one of them: that is another matter (TERMS A2).
        """
        state = self.store.state()
        if state.account is not None and state.account.key_spki_sha256 in keys:
            raise RefusedByCa("compromised-account-key", directory=self.config.ca.directory, url=state.account.url)
        return compromise(
            keys,
            every=self.store.certificates(),
            waiting=state.revocations,
            lineages=state.lineages,
            wanted=self._wanted_names(state),
            now=self.clock.now(),
            deadline=COMPROMISE_DEADLINE if deadline is None else deadline,
            at_once=at_once,
        )

    def give_up_keys(self, keys: Collection[str], intents: Collection[RevocationIntent]) -> Report:
        """Never accept `keys` again, and carry `intents` out as `revoke` does. Again after a crash, it goes on.

        What was revoked already and not yet replaced is replaced, too.
        """
        self._ask_for(intents, keys)
        names = self._concerned(intents) | {
            lineage for lineage, facts in self.store.certificates() if facts.key_spki_sha256 in keys
        }
        return self.tick(Asked(names=names)) if names else Report()

    def _ask_for(self, intents: Collection[RevocationIntent], keys: Collection[str] = ()) -> None:
        """All of it is on disk, or none, before the first step is taken."""
        self.store.must_be_of_this_directory()
        self.store.ready_to_write()
        state = self.store.state()
        waiting = {(intent.lineage, intent.version): intent for intent in state.revocations}
        keys_of = {(name, facts.version): facts.key_spki_sha256 for name, facts in self.store.certificates()}
        with self.store.writing():
            for key in sorted(keys):
                self.store.block_key(key)
            for intent in intents:
                self.store.keep_revocation(intent)
                lineage = state.lineages.get(intent.lineage)
                current = lineage.current if lineage else None
                if intent.reason == Reason.KEY_COMPROMISE:
                    self.store.block_key(keys_of[(intent.lineage, intent.version)])
                if current is not None and current.version == intent.version:
                    self.store.retire(intent.lineage, retired=not intent.replace)
                before = waiting.get((intent.lineage, intent.version))
                if before is None or before.reason != intent.reason:
                    self.store.keep_event(
                        "revocation-asked", intent.lineage, serial=intent.serial, reason=intent.reason,
                        circumstances=", ".join(intent.circumstances),
                    )  # fmt: skip

    def install(self, names: Collection[str] | None) -> Report:
        """Deploy the current versions again, everywhere."""
        report = Report()
        picture = Picture(self.config, self.store.state(), self.clock.now())
        self.store.ready_to_write()
        for certificate in picture.wanted.by_name.values():
            lineage = picture.state.lineages.get(certificate.name)
            if (names is not None and certificate.name not in names) or lineage is None or lineage.current is None:
                continue
            for target in certificate.install:
                action = Action(
                    Kind.INSTALL, certificate.name, lineage.current.names, Why("asked"), picture.now, picture.now,
                    target=target, version=lineage.current.version,
                )  # fmt: skip
                try:
                    with self.store.claims.held("lineage", certificate.name):
                        self.executor.carry_out(action, picture.state)
                except JprsClientError as error:
                    report.failed.append((action, error))
                else:
                    report.done.append(action)
        return report

    def preview(self, names: Collection[str] | None) -> list[Change]:
        """What `install` would change."""
        picture = Picture(self.config, self.store.state(), self.clock.now())
        found = []
        for certificate in picture.wanted.by_name.values():
            lineage = picture.state.lineages.get(certificate.name)
            if (names is not None and certificate.name not in names) or lineage is None or lineage.current is None:
                continue
            for target in certificate.install:
                found.append(self._deployer.preview(target, certificate.name, lineage.current.version))
        return found

    def roll_back(self, name: str) -> tuple[str, int]:
        """Back to the version that was served before; its lineage and number. Raises when there is none."""
        (lineage,) = self.lineages([name])
        self.store.ready_to_write()
        with self.store.claims.held("lineage", lineage):
            state = self.store.state()
            known = state.lineages.get(lineage)
            version = known.previous_version if known is not None else None
            facts = next((facts for other, facts in self.store.certificates(lineage) if facts.version == version), None)
            if known is None or version is None or facts is None:
                raise JprsClientError("nothing-to-roll-back-to", name=lineage)
            if facts.revoked_at is not None:
                raise RefusedByCa(
                    "rollback-revoked", name=lineage, serial=facts.serial, revoked_at=facts.revoked_at
                )  # fmt: skip
            if facts.not_after <= self.clock.now():
                raise RefusedByCa("rollback-expired", name=lineage, serial=facts.serial, expired_at=facts.not_after)
            if self.store.is_blocked(facts.key_spki_sha256):
                raise RefusedByCa("rollback-key-blocked", name=lineage, serial=facts.serial)
            wanted = Picture(self.config, state, self.clock.now()).wanted.by_name.get(lineage)
            self.executor.roll_back(lineage, version, wanted.install if wanted else ())
        return lineage, version

    # -- tools, each made when first asked for ----------------------------------------------------------------------

    @cached_property
    def executor(self) -> Executor:
        """What does."""
        from jprs_client.execute import Executor, Tools

        tools = Tools(
            ca=lambda: self.ca,
            deployer=lambda: self._deployer,
            resolver=lambda: self._resolver,
            proving=lambda: self._proving,
        )
        return Executor(self.config, self.store, self.clock, tools, self.progress)

    @cached_property
    def _ca_without_account(self) -> Ca:
        from jprs_client.ca.client import Ca
        from jprs_client.ca.transport import Http

        http = Http(self.config.ca.directory, self.clock, trust=self.config.ca.trust)
        return Ca(self.config.ca.directory, http, self.clock)

    @cached_property
    def ca(self) -> Ca:
        """The CA, talked to as our account. Raises RefusedByCa while there is none."""
        account = self.store.account()
        if account is None:
            raise RefusedByCa("not-registered", directory=self.config.ca.directory)
        return self._ca_without_account.with_account(account.url, self.store.account_key())

    @cached_property
    def _resolver(self) -> Resolver:
        from jprs_client.observe.resolver import Resolver

        return Resolver([(address.host, address.port) for address in self.config.dns.resolvers])

    @cached_property
    def _solvers(self) -> dict[str, Solver]:
        return {}

    def solver(self, name: str) -> Solver:
        """The solver of that name in the configuration, made once a run; LookupError where there is none."""
        if name not in self._solvers:
            self._solvers[name] = self.registry.solver(self.config.solvers[name])
        return self._solvers[name]

    @cached_property
    def _proving(self) -> Proving:
        from jprs_client.issuance import Proving

        return Proving(self.solver, self._wait_until_visible)

    def _wait_until_visible(self, proofs: list[tuple[str, Proof]]) -> None:
        """Advice only: what cannot be seen from here is told, and the CA is asked all the same (THREATS D19)."""
        from jprs_client.challenges.visible import check_listener, wait_for_dns
        from jprs_client.observe.names import knows_domain

        domain_of = {proof.record_name: proof.name for _, proof in proofs}

        def txt_values(record_name: str) -> frozenset[str] | None:
            seen = self._resolver.txt_values(record_name)
            blind = not seen and not knows_domain(domain_of[record_name], self._resolver)
            return None if blind else seen

        notes = wait_for_dns([proof for _, proof in proofs], txt_values, self.clock)
        for solver_name, proof in proofs:
            notes += check_listener(self.solver(solver_name), proof)
        for code, params in notes:
            self._note(code, **params)

    @cached_property
    def _deployer(self) -> Deployer:
        from jprs_client.install import Deployer
        from jprs_client.observe.served import served_fingerprint

        return Deployer(
            {name: self._installer(name) for name in self.config.installers},
            self.store.versions,
            served_fingerprint,
            self.clock,
            self.store.state_dir / "aside",
        )

    def _installer(self, name: str) -> Callable[[], Installer]:
        return lambda: self.registry.installer(self.config.installers[name])


@contextmanager
def opened(app: App) -> Iterator[App]:
    """The app, closed afterwards."""
    try:
        yield app
    finally:
        app.close()


def _must_be_usable(state_dir: Path) -> None:
    try:
        mode = state_dir.stat().st_mode
        if not stat.S_ISDIR(mode):
            raise StateUnusable("state-not-a-directory", directory=state_dir)
        if not os.access(state_dir, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StateUnusable("state-not-readable", directory=state_dir, cause=error.strerror) from error


def _key(action: Action) -> tuple[object, ...]:
    """What makes an action the same one in a later plan of this run.

    A certificate is replaced once a run with the same names, whatever the plan then says of the new one: a clock
    that is far ahead would have it ordered for ever (FAULTS 46).
    """
    version = 0 if action.kind in REPLACEMENTS else action.version
    return (kind_of_failure(action.kind), action.certificate, action.target, version, action.names)


def _concerns(problem: Problem, asked: Asked) -> bool:
    return asked.names is None or not problem.certificate or problem.certificate in asked.names


def _canonical(name: str) -> str:
    try:
        return DnsName.parse(name).ascii
    except BadName:
        return name


def _from_systemd() -> Path | None:
    """The credentials that systemd hands to the service (`LoadCredential=eab:…`)."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(folder) / "eab" if folder else None
    return path if path is not None and path.exists() else None


__all__ = ["DEFAULT_STATE_DIR", "App", "Asked", "Explanation", "Report", "opened"]
