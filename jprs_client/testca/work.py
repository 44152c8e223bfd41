"""What the CA does beside answering: it looks at proofs, and it signs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from jprs_client.testca import caa, validation
from jprs_client.testca.ca import Authority
from jprs_client.testca.faults import Action, Subject
from jprs_client.testca.orders import Account, Authorization, Challenge, Order, Status
from jprs_client.testca.problems import Problem
from jprs_client.testca.resolver import Resolver
from jprs_client.testca.signer import Request
from jprs_client.testca.validation import Perspective, Proof

logger = logging.getLogger("jprs_client.testca")


class _StuckError(Exception):
    """A fault wants it never to end: whatever waits for it stays as it is."""


class Work:
    """Each is a coroutine for `Authority.start`; the order book says how it ended."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority

    # proofs

    async def validate(self, account: Account, authorization: Authorization, challenge: Challenge) -> None:
        """Look at a proof that is said to be up, from everywhere, and at CAA; then say what was seen."""
        problem: Problem | None = None
        try:
            await self._look(account, authorization, challenge)
            await self._check_caa(account, authorization, challenge.kind)
        except _StuckError:
            return
        except Problem as seen:
            problem = seen
        except Exception:  # a bug of ours must not keep the challenge processing for ever
            logger.exception("validation of %s failed", authorization.full_name)
            problem = _bug()
        self._ca.book.proved(authorization, challenge, problem, self._ca.now())

    async def _look(self, account: Account, authorization: Authorization, challenge: Challenge) -> None:
        key_authorization = f"{challenge.token}.{account.jwk.thumbprint}"
        proof = Proof(challenge.kind, authorization.name, challenge.token, key_authorization)
        action = await self._wanted("validation", account, authorization.full_name, challenge.kind)

        def log(place: str, problem: str | None) -> None:
            self._ca.log.looked(
                self._ca.clock.now(), authorization.full_name, challenge.kind, place, account.identity, problem
            )

        delay = self._ca.settings.validation_delay
        places = [_Watched(each, _meant(action, at, each), delay, log) for at, each in enumerate(self._ca.perspectives)]
        await validation.corroborated(places, proof)

    async def _check_caa(self, account: Account, authorization: Authorization, method: str) -> None:
        """Return when the domain's CAA records permit it, seen from everywhere. Raises Problem."""
        action = await self._wanted("caa", account, authorization.full_name, method)
        perspectives = self._ca.perspectives
        if action is not None:
            hit = [_meant(action, at, each) for at, each in enumerate(perspectives)]

            async def fail(perspective: Perspective) -> None:
                meant = hit[perspectives.index(perspective)]
                if meant is not None and (problem := meant.failure()) is not None:
                    raise problem

            await validation.agreed(perspectives, fail)
        issuance = caa.Issuance(self._ca.settings.caa_identities, authorization.wildcard, account.url, method)
        forbidden = await caa.corroborated(perspectives, authorization.name, issuance)
        if forbidden is not None:
            raise forbidden

    async def _wanted(self, endpoint: str, account: Account, name: str, method: str) -> Action | None:
        """The fault that waits for this, once its delay is over. Raises _StuckError."""
        subject = Subject(account.identity, method, [each.name for each in self._ca.perspectives])
        action = self._ca.faults.take(endpoint, [name, name.removeprefix("*.")], subject)
        if action is not None:
            await asyncio.sleep(action.delay)
            if action.stuck:
                raise _StuckError
        return action

    # signing

    async def sign(self, account: Account, order: Order, request: Request) -> None:
        """Check once more what may have changed since the proofs, sign, and start what starts by it."""
        try:
            await self._sign(account, order, request)
        except _StuckError:
            return
        except Problem as problem:
            self._ca.book.failed(order, problem)
        except Exception:  # a bug of ours must not keep the order processing for ever
            logger.exception("signing for %s failed", ", ".join(order.names))
            if order.status is Status.PROCESSING:
                self._ca.book.failed(order, _bug())

    async def _sign(self, account: Account, order: Order, request: Request) -> None:
        action = self._ca.faults.take("signing", order.names, Subject(account.identity))
        if action is not None:
            await asyncio.sleep(action.delay)
            if action.stuck:
                raise _StuckError
            if (problem := action.failure()) is not None:
                raise problem
        for identity in order.authorizations:
            authorization = self._ca.book.authorizations[identity]
            method = next(each.kind for each in authorization.challenges if each.status is Status.VALID)
            await self._check_caa(account, authorization, method)
        self._ca.check_names(account, order.names)
        profile = self._ca.settings.profiles.get(order.profile or "")
        lifetime = profile.lifetime if profile else None
        certificate = self._ca.pki.issue(request, order.names, account.identity, self._ca.now(), lifetime)
        self._ca.book.issued(order, certificate)
        if account.subscriber is not None:
            self._ca.contracts.issued(account.subscriber, order.names, certificate.not_before)


class _Watched:
    """A perspective whose looks stand in the log, and may be made to fail."""

    def __init__(
        self, inner: Perspective, action: Action | None, delay: float, log: Callable[[str, str | None], None]
    ) -> None:
        self.name: str = inner.name
        self.resolver: Resolver = inner.resolver
        self._inner, self._action, self._delay, self._log = inner, action, delay, log

    async def look(self, proof: Proof) -> None:
        """Return when the proof is there. Raises Problem."""
        await asyncio.sleep(self._delay)
        try:
            if self._action is not None and (problem := self._action.failure()) is not None:
                raise problem
            await self._inner.look(proof)
        except Problem as problem:
            self._log(self.name, problem.kind)
            raise
        self._log(self.name, None)


def _meant(action: Action | None, index: int, perspective: Perspective) -> Action | None:
    """`action`, if it is for that perspective."""
    if action is None or action.perspective not in {None, index, perspective.name}:
        return None
    return action


def _bug() -> Problem:
    return Problem("serverInternal", "the test CA has a bug: see its log")
