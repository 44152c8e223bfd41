"""What a fault does to the CA itself, beside what it does to an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from cryptography import x509

from jprs_client.testca.asgi import Response
from jprs_client.testca.ca import Authority
from jprs_client.testca.call import Call
from jprs_client.testca.clock import rfc3339
from jprs_client.testca.faults import Action
from jprs_client.testca.hostile import expanded
from jprs_client.testca.orders import Authorization, Order, Status
from jprs_client.testca.problems import Problem
from jprs_client.testca.work import Work
from jprs_client.testca.wrong import Right, Wrong

#: Seconds that an answer waits for what goes on in the background.
_PATIENCE = 60.0
_LOOK = 0.005


class Tricks:
    """`before` and `after` stand around the deed; `snapshot` is taken before it."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority
        self._work = Work(authority)
        self._wrong = Wrong()

    def before(self, action: Action, call: Call, kid: str) -> None:
        """What the CA has become by the time it is asked. `kid`: the account that is said to sign."""
        members = action.members
        account = self._ca.book.accounts.get(kid.rpartition("/")[2])
        if "account" in members and account is not None:
            if members["account"] == "gone":
                self._ca.book.forget(account)
            else:
                account.status = Status(members["account"])
        if call.endpoint == "newOrder":
            return
        order, authorizations = self._concerned(call)
        self._strike(members, order, authorizations)

    def _concerned(self, call: Call, order_id: str = "") -> tuple[Order | None, Sequence[Authorization]]:
        book, identity = self._ca.book, order_id or (call.segments[0] if call.segments else "")
        if order_id or call.endpoint in {"order", "finalize"}:
            order = book.orders.get(identity)
            known = [book.authorizations.get(each) for each in order.authorizations] if order else []
            return order, [each for each in known if each is not None]
        if call.endpoint in {"authorization", "challenge"} and identity in book.authorizations:
            return None, [book.authorizations[identity]]
        return None, ()

    def _strike(self, members: Any, order: Order | None, authorizations: Sequence[Authorization]) -> None:
        wanted = members.get("order")
        if order is not None and wanted is not None:
            if wanted == "gone":
                del self._ca.book.orders[order.identity]
                for account in self._ca.book.accounts.values():
                    account.orders = [each for each in account.orders if each != order.identity]
            elif wanted == "expired":
                order.expires_at = self._ca.clock.now() - timedelta(seconds=1)
            else:
                order.status = Status(wanted)
                if order.status is Status.INVALID:
                    order.problem = Problem("serverInternal", "a fault that was asked for")
        wanted = members.get("authorization")
        for authorization in authorizations if wanted is not None else ():
            if wanted == "gone":
                del self._ca.book.authorizations[authorization.identity]
            else:
                authorization.status = Status(wanted)

    def snapshot(self) -> Callable[[], None]:
        """What puts accounts and revocations back to what they are now."""
        book = self._ca.book
        accounts = [(each, each.jwk, each.status, each.contact) for each in book.accounts.values()]
        certificates = [each for each in book.certificates.values() if each.revocation is None]

        def undo() -> None:
            for account, jwk, status, contact in accounts:
                if account.jwk is not jwk:
                    book.change_key(account, jwk)
                account.status, account.contact = status, contact
            for certificate in certificates:
                certificate.revocation = None

        return undo

    async def after(self, action: Action, call: Call, response: Response) -> None:
        """What comes after the deed; `response` says how things are then."""
        members = action.members
        if response.status >= 400:
            return
        order, authorizations = self._concerned(call)
        if call.endpoint == "newOrder":
            location = next(value for name, value in response.headers if name.lower() == "location")
            order, authorizations = self._concerned(call, location.rpartition("/")[2])
            self._strike(members, order, authorizations)
        if "proved" in members:
            self._prove(authorizations, bool(members["proved"]))
        if members.get("starts") and call.endpoint == "challenge":
            self._start(call)
        if members.get("wait"):
            await self._wait(call)
        if {"proved", "wait", "starts", "order"} & set(members):
            self._tell(call, response, order)
        if "certificate" in members and call.endpoint == "certificate":
            self._swap(expanded(members["certificate"]), call, response)

    def _prove(self, authorizations: Sequence[Authorization], well: bool) -> None:
        now = self._ca.clock.now()
        for authorization in authorizations:
            if authorization.status is not Status.PENDING:
                continue
            challenge = authorization.challenges[0]
            challenge.status = Status.PROCESSING
            problem = None if well else Problem("unauthorized", "a fault that was asked for")
            self._ca.book.proved(authorization, challenge, problem, now)

    def _start(self, call: Call) -> None:
        authorization = self._ca.book.authorizations[call.segments[0]]
        challenge = authorization.challenge(call.segments[1])
        account = self._ca.book.accounts[authorization.account]
        if challenge is not None and self._ca.book.begin(authorization, challenge, self._ca.clock.now()):
            self._ca.start(self._work.validate(account, authorization, challenge))

    async def _wait(self, call: Call) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                while self._is_processing(call):
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            return  # it may be stuck, by another fault: then the answer says so

    def _is_processing(self, call: Call) -> bool:
        if call.endpoint == "challenge":
            authorization = self._ca.book.authorizations.get(call.segments[0])
            challenge = authorization.challenge(call.segments[1]) if authorization else None
            return challenge is not None and challenge.status is Status.PROCESSING
        order, authorizations = self._concerned(call)
        states = [each.status for proof in authorizations for each in proof.challenges]
        return (order is not None and order.status is Status.PROCESSING) or Status.PROCESSING in states

    def _tell(self, call: Call, response: Response, order: Order | None) -> None:
        """The document in `response` again, as things are now."""
        if not response.content_type.endswith("json"):
            return
        document = json.loads(response.body)
        if order is not None and "finalize" in document:
            self._ca.book.look_at(order, self._ca.clock.now())
            document["status"] = order.status
            document["expires"] = rfc3339(order.expires_at)
            if order.problem is not None:
                document["error"] = order.problem.document()
            if order.serial is not None:
                document["certificate"] = call.link("certificate", f"{order.serial:x}")
        elif call.endpoint == "challenge":
            authorization = self._ca.book.authorizations[call.segments[0]]
            challenge = authorization.challenge(call.segments[1])
            if challenge is not None:
                document["status"] = challenge.status
                if challenge.validated_at is not None:
                    document["validated"] = rfc3339(challenge.validated_at)
                if challenge.problem is not None:
                    document["error"] = challenge.problem.document()
        response.body = json.dumps(document).encode()

    def _swap(self, kind: str, call: Call, response: Response) -> None:
        chain = x509.load_pem_x509_certificates(response.body)
        pki = self._ca.pki
        certificate = self._ca.book.certificates[int(call.segments[0], 16)]
        signer = pki.intermediates[certificate.issuer]
        others = [each.certificate for each in pki.intermediates if each is not signer]
        right = Right(chain, signer.key, pki.roots[0].certificate, others)
        response.body, response.content_type = self._wrong.download(kind, right)
