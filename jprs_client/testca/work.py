"""What the CA does beside answering: it looks at proofs, and it signs."""

from __future__ import annotations

import asyncio

from jprs_client.testca import caa
from jprs_client.testca.ca import Authority
from jprs_client.testca.orders import Account, Authorization, Challenge, Order, Status
from jprs_client.testca.problems import Problem
from jprs_client.testca.signer import Request
from jprs_client.testca.validation import Proof


class Work:
    """Each is a coroutine for `Authority.start`; the order book says how it ended."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority

    async def validate(self, account: Account, authorization: Authorization, challenge: Challenge) -> None:
        """Look at a proof that is said to be up, from everywhere, and at CAA; then say what was seen."""
        key_authorization = f"{challenge.token}.{account.jwk.thumbprint}"
        proof = Proof(challenge.kind, authorization.name, challenge.token, key_authorization)
        problem: Problem | None = None
        try:
            await asyncio.gather(*(perspective.look(proof) for perspective in self._ca.perspectives))
            problem = await self._caa(account, authorization, challenge.kind)
        except Problem as seen:
            problem = seen
        self._ca.book.proved(authorization, challenge, problem, self._ca.now())

    async def _caa(self, account: Account, authorization: Authorization, method: str) -> Problem | None:
        issuance = caa.Issuance(self._ca.settings.caa_identities, authorization.wildcard, account.url, method)
        return await caa.check(self._ca.resolver, authorization.name, issuance)

    async def sign(self, account: Account, order: Order, request: Request) -> None:
        """Check once more what may have changed since the proofs, sign, and start what starts by it."""
        try:
            for identity in order.authorizations:
                authorization = self._ca.book.authorizations[identity]
                method = next(c.kind for c in authorization.challenges if c.status is Status.VALID)
                forbidden = await self._caa(account, authorization, method)
                if forbidden is not None:
                    raise forbidden
            now = self._ca.now()
            self._ca.check_names(account, order.names)
        except Problem as problem:
            self._ca.book.failed(order, problem)
            return
        certificate = self._ca.pki.issue(request, order.names, account.identity, now)
        self._ca.book.issued(order, certificate)
        if account.subscriber is not None:
            self._ca.contracts.issued(account.subscriber, order.names, certificate.not_before)
