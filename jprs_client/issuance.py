"""From a key to a version under `live/`: the steps of one issuance, each stored before the next one begins.

key → order → proofs → finalize → version → current. The key, the order's URL and the proofs are on disk before they are
used, so that a run that follows a kill resumes the same order and orders nothing twice (FAULTS 1-9).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from jprs_client import keys
from jprs_client.clock import Clock
from jprs_client.config import Config
from jprs_client.errors import BadAnswer, ChallengeFailed, RefusedByCa
from jprs_client.files import make_directory, write_file
from jprs_client.planning.actions import Action
from jprs_client.planning.facts import CertificateFacts, State
from jprs_client.planning.rules import Picture
from jprs_client.planning.usages import record_of
from jprs_client.planning.wanted import Wanted, to_order
from jprs_client.plugin import Material, Proof, Solver
from jprs_client.steps import Step, carry_out
from jprs_client.store.store import Job, Store
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import jst_day

if TYPE_CHECKING:
    from jprs_client.ca.client import Ca
    from jprs_client.ca.values import Order
    from jprs_client.ca.verify import Verified

#: How long the CA may take to look at proofs, and to issue, before this run lets go and a later one goes on.
VALIDATION_TIME = timedelta(minutes=3)
ISSUING_TIME = timedelta(minutes=3)

#: Errors after which an order is as it was: nothing was learnt of it, or it is our clock that is wrong.
UNREAD = ("ca-answer-", "chain-not-only-", "chain-empty", "clock-skew", "account-")

#: Tells a person what is going on: a code of `locale/` (`progress.CODE`) and its parameters.
Progress = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Proving:
    """What proofs need: each solver by its name in the configuration, and a look before the CA is told to look."""

    solver: Callable[[str], Solver]
    wait_until_visible: Callable[[list[tuple[str, Proof]]], None]


class Issuance:
    """One issuance of one lineage, begun now or by an earlier run."""

    def __init__(
        self,
        action: Action,
        wanted: Wanted,
        *,
        config: Config,
        state: State,
        store: Store,
        clock: Clock,
        ca: Callable[[], Ca],
        proving: Callable[[], Proving],
        before_order: Callable[[frozenset[DnsName]], None],
        progress: Progress,
        job: Job | None = None,
    ) -> None:
        self._action = action
        self._wanted = wanted
        self._config = config
        self._state = state
        self._store = store
        self._clock = clock
        self._get_ca = ca
        self._get_proving = proving
        self._before_order = before_order
        self._progress = progress
        self._order: Order | None = None
        self._key_pem: bytes | None = None
        self._verified: Verified | None = None
        self._ca_looks = False
        self._job = job or self._resumed_or_new()

    def run(self) -> None:
        """Carry out what is not yet done, up to the new version under `live/`."""
        lineage = self._wanted.name
        steps = [Step("version", self._version_made, self._make_version), self._current_step()]
        if not self._version_made():
            steps = [
                Step("key", self._has_key, self._make_key),
                Step("order", self._has_order, self._make_order),
                Step("proofs", self._is_proved, self._prove),
                Step("finalize", self._is_issued, self._finalize),
                *steps,
            ]
        try:
            carry_out(steps, self._reached)
        except (ChallengeFailed, RefusedByCa, BadAnswer) as error:
            # What this order came to is known, and it will come to nothing else: the next attempt makes a new one.
            # A proof that we could not even put up leaves it as it was: that one is gone on with (FAULTS V3).
            # An answer that could not be read says nothing of the order, which may well be issued (TERMS P1).
            unread = error.code.startswith(UNREAD)
            if not unread and (self._ca_looks or not isinstance(error, ChallengeFailed)):
                self._keep(order_url=None, version=None)
            raise
        self._store.end_job(lineage)
        self._store.versions.pending_key(lineage).unlink(missing_ok=True)

    def finish(self) -> None:
        """Only the last step, for a version that an earlier run made and did not come to use."""
        carry_out([self._current_step()], self._reached)
        self._store.end_job(self._wanted.name)
        self._store.versions.pending_key(self._wanted.name).unlink(missing_ok=True)

    @property
    def _ca(self) -> Ca:
        return self._get_ca()

    @property
    def _proving(self) -> Proving:
        return self._get_proving()

    # -- the journal ------------------------------------------------------------------------------------------------

    def _resumed_or_new(self) -> Job:
        kind, key_type = self._action.kind.value, self._wanted.key_type.value
        job = self._store.job(self._wanted.name)
        if job is not None and job.names == self._action.names and job.key_type == key_type:
            return job
        job = Job(self._wanted.name, kind, self._action.names, key_type)
        self._store.keep_job(job)
        return job

    def _keep(self, **changes: object) -> None:
        self._job = replace(self._job, **changes)  # type: ignore[arg-type]
        self._store.keep_job(self._job)

    def _reached(self, step: str) -> None:
        if self._job.step != step:
            self._keep(step=step)

    # -- key --------------------------------------------------------------------------------------------------------

    def _has_key(self) -> bool:
        spki = self._job.key_spki_sha256
        path = self._store.versions.pending_key(self._wanted.name)
        if spki is None or self._store.is_blocked(spki) or not path.exists():
            return False
        if self._key_pem is None:
            try:
                pem = path.read_bytes()
                matches = keys.spki_sha256(pem) == spki
            except (OSError, ValueError, TypeError):  # not to be read, damaged, or encrypted: as good as none
                return False
            if not matches:
                return False
            self._key_pem = pem
        return True

    def _make_key(self) -> None:
        """Always a new key: none is ever used for a second certificate (TERMS R4)."""
        self._keep_what_a_blocked_key_has_got()
        pem = keys.generate(self._wanted.key_type)
        path = self._store.versions.pending_key(self._wanted.name)
        make_directory(path.parent)
        write_file(path, pem)
        self._key_pem = pem
        self._keep(key_spki_sha256=keys.spki_sha256(pem), order_url=None, version=None)

    def _keep_what_a_blocked_key_has_got(self) -> None:
        """A certificate that was issued while its key leaked is remembered, never used: it is to be revoked (R4)."""
        spki, url = self._job.key_spki_sha256, self._job.order_url
        path = self._store.versions.pending_key(self._wanted.name)
        if spki is None or url is None or not self._store.is_blocked(spki) or not path.exists():
            return
        order = self._resumed_order(url)
        if order is not None and order.status == "processing":  # on its way: to forget it now is to lose it
            order = self._ca.until_issued(order, self._deadline(ISSUING_TIME))
        if order is None or order.status != "valid" or order.certificate is None:
            return
        pem = path.read_bytes()
        verified = self._checked(self._ca.certificate(order.certificate), pem)
        version = self._job.version or self._store.next_version(self._wanted.name)
        self._keep(version=version)
        if not self._store.versions.exists(self._wanted.name, version):
            self._store.versions.add(self._wanted.name, version, Material(verified.cert_pem, verified.chain_pem, pem))
        with self._store.writing():
            facts = self._facts(version, verified)
            self._store.keep_certificate(
                self._wanted.name, facts, issuer=verified.issuer, ari_id=verified.ari_id, current=False
            )
            self._start_usages(facts)
        self._verified = None

    @property
    def _key(self) -> bytes:
        if self._key_pem is None and not self._has_key():
            raise BadAnswer("pending-key-lost", name=self._wanted.name)
        assert self._key_pem is not None  # noqa: S101 - `_has_key` has read it
        return self._key_pem

    # -- order ------------------------------------------------------------------------------------------------------

    def _has_order(self) -> bool:
        return self._order is not None and self._order.status != "invalid"

    def _make_order(self) -> None:
        if self._job.order_url is not None:
            self._order = self._resumed_order(self._job.order_url)
            if self._order is not None:
                return
            self._keep(order_url=None)
        self._must_be_solvable()
        self._before_order(self._action.names)
        # Authorised once more, on the day the order is sent (TERMS N7).
        picture = Picture(self._config, self._state, self._clock.now())
        names = to_order(self._action.names, picture.authority)
        self._progress("ordering", certificate=self._wanted.name, names=len(names))
        self._order = self._ca.new_order(names, replaces=self._replaces())
        self._keep(order_url=self._order.url)

    def _must_be_solvable(self) -> None:
        """A wildcard without a solver for dns-01 is refused here, not by the CA (FAULTS 111)."""
        from jprs_client.challenges.choice import check_solvable

        types = {name: self._proving.solver(name).challenge_type for name in self._config.solvers}
        impossible = check_solvable(self._wanted.name, self._action.sorted_names, self._solver_of.__getitem__, types)
        if impossible:
            raise impossible[0]

    @property
    def _solver_of(self) -> dict[str, str]:
        return {name.ascii: self._wanted.solver.for_name(name) for name in self._action.names}

    def _resumed_order(self, url: str) -> Order | None:
        """The order that an earlier run made, unless it has come to nothing since (FAULTS 77)."""
        try:
            order = self._ca.order(url, self._action.sorted_names)
        except (RefusedByCa, BadAnswer) as error:
            if error.code in {"order-gone", "order-other-names"}:
                return None
            raise
        return None if order.status == "invalid" else order

    def _replaces(self) -> str | None:
        """The predecessor, where the CA offers renewal information and issued it (RFC 9773 §5)."""
        if not self._state.offers_ari:
            return None
        return self._store.ari_id(self._wanted.name)

    # -- proofs -----------------------------------------------------------------------------------------------------

    def _is_proved(self) -> bool:
        return self._order is not None and self._order.status in {"ready", "processing", "valid"}

    def _prove(self) -> None:
        from jprs_client.challenges.choice import choose, content_for
        from jprs_client.challenges.presented import presented

        order, names = self._held, self._action.sorted_names
        asked = [self._ca.authorization(url, names) for url in order.authorizations]
        pending = [authorization for authorization in asked if authorization.status == "pending"]
        solver_of = self._solver_of
        types = {name: self._proving.solver(name).challenge_type for name in set(solver_of.values())}
        choices = choose(pending, solver_of.__getitem__, types)
        proofs = [
            (
                choice.solver,
                choice.proof(content_for(choice.challenge.type, self._ca.key_authorization(choice.challenge.token))),
            )
            for choice in choices
        ]
        self._progress("proving", certificate=self._wanted.name, names=len(choices))
        with (
            self._taking_turns(set(solver_of.values())),
            presented(self._proving.solver, proofs, self._store.ledger(self._wanted.name)) as notes,
        ):
            if proofs:
                self._proving.wait_until_visible(proofs)
            for choice in choices:
                self._ca_looks = True
                self._ca.answer(choice.challenge, name=choice.name)
            self._order = self._ca.until_ready(order, self._deadline(VALIDATION_TIME))
        for code, params in notes:
            self._progress(f"note-{code}", **params)

    @contextmanager
    def _taking_turns(self, solvers: Collection[str]) -> Iterator[None]:
        """A port can be listened on by one run at a time: the others wait, rather than find it busy."""
        from jprs_client.challenges.visible import Listens

        with ExitStack() as stack:
            for name in sorted(solvers):
                if isinstance(self._proving.solver(name), Listens):
                    patience = 2 * VALIDATION_TIME.total_seconds()
                    stack.enter_context(self._store.claims.held("solver", name, patience))
            yield

    def _deadline(self, span: timedelta) -> float:
        return self._clock.monotonic() + span.total_seconds()

    @property
    def _held(self) -> Order:
        assert self._order is not None  # noqa: S101 - the step before made it
        return self._order

    # -- finalize ---------------------------------------------------------------------------------------------------

    def _is_issued(self) -> bool:
        return self._order is not None and self._order.status == "valid" and self._order.certificate is not None

    def _finalize(self) -> None:
        order = self._held
        if order.status == "ready":
            self._progress("finalizing", certificate=self._wanted.name)
            order = self._ca.finalize(order, keys.csr_der(self._key, self._action.sorted_names))
        self._order = self._ca.until_issued(order, self._deadline(ISSUING_TIME))

    # -- version ----------------------------------------------------------------------------------------------------

    def _version_made(self) -> bool:
        version, spki = self._job.version, self._job.key_spki_sha256
        if spki is not None and self._store.is_blocked(spki):
            return False
        return version is not None and self._store.versions.exists(self._wanted.name, version)

    def _make_version(self) -> None:
        assert self._held.certificate is not None  # noqa: S101 - the order is valid
        verified = self._checked(self._ca.certificate(self._held.certificate), self._key)
        for code, params in verified.warnings:
            self._progress(f"note-{code}", certificate=self._wanted.name, **params)
        version = self._store.next_version(self._wanted.name)
        self._keep(version=version)
        self._store.versions.add(
            self._wanted.name, version, Material(verified.cert_pem, verified.chain_pem, self._key)
        )  # fmt: skip

    def _checked(self, chain_der: Sequence[bytes], key_pem: bytes) -> Verified:
        from jprs_client.ca.verify import verify_chain

        self._verified = verify_chain(
            chain_der,
            key_spki_sha256=keys.spki_sha256(key_pem),
            names=frozenset(self._action.sorted_names),
            now=self._clock.now(),
            require_scts=self._config.ca.require_scts,
        )
        return self._verified

    def _verified_before(self, version: int) -> Verified:
        """The version's facts: from this run's check, or by checking again what an earlier run has kept."""
        if self._verified is None:
            from jprs_client.ca.pem import certificates

            material = self._store.versions.material(self._wanted.name, version)
            return self._checked(certificates(material.fullchain_pem), material.private_key_pem)
        return self._verified

    # -- current ----------------------------------------------------------------------------------------------------

    def _current_step(self) -> Step:
        return Step("current", self._is_current, self._make_current)

    def _is_current(self) -> bool:
        """The database knows it, `live/` leads to it."""
        store, name, version = self._store, self._wanted.name, self._job.version
        return store.current_version(name) == version and store.versions.current(name) == version

    def _make_current(self) -> None:
        store, name = self._store, self._wanted.name
        assert self._job.version is not None  # noqa: S101 - the step before made it
        verified = self._verified_before(self._job.version)
        facts = self._facts(self._job.version, verified)
        with store.writing():
            store.keep_certificate(name, facts, issuer=verified.issuer, ari_id=verified.ari_id)
            self._start_usages(facts)
            store.keep_event(
                self._job.action, name, version=facts.version, serial=facts.serial,
                names=", ".join(self._action.sorted_names), not_after=facts.not_after.isoformat(),
            )  # fmt: skip
        store.versions.switch(name, facts.version)
        self._progress("issued", certificate=name, serial=facts.serial, not_after=facts.not_after)

    @staticmethod
    def _facts(version: int, verified: Verified) -> CertificateFacts:
        return CertificateFacts(
            version=version,
            names=frozenset(map(DnsName, verified.names)),
            serial=verified.serial,
            not_before=verified.not_before,
            not_after=verified.not_after,
            key_spki_sha256=verified.spki_sha256,
            fingerprint=verified.fingerprint,
        )

    def _start_usages(self, facts: CertificateFacts) -> None:
        """The day of the certificate is the day on which the periods start (ご利用条件 第10条2項)."""
        today = jst_day(facts.not_before)
        picture = Picture(self._config, self._state, facts.not_before)
        tables = {table.name: table for table in self._config.usage_fqdns}
        for usage in picture.usages:
            recorded = self._store.usage(usage.name)
            if recorded is not None and recorded.started is not None and recorded.ended_on is None:
                continue  # the first issuance's day stands, whoever saw to it
            if usage.name in picture.authority.starts(facts.names):
                begun = replace(usage, suspended=False).started(facts.not_before)
                self._store.keep_usage(record_of(tables[usage.name], begun, None, today))
                ends = begun.period.end.isoformat() if begun.period else ""
                self._store.keep_event("period-started", "", usage_fqdn=usage.name.ascii, ends=ends)
