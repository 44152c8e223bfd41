"""The door that ACME clients know: the way of every request, what every answer has, faults, and the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from jprs_client.testca.acme import Acme
from jprs_client.testca.asgi import App, Request, Response, Router, json_response
from jprs_client.testca.ca import Authority
from jprs_client.testca.call import Call, Deed, Endpoint
from jprs_client.testca.changes import Asked
from jprs_client.testca.faults import Subject
from jprs_client.testca.jose import JoseError, decode, parse_object
from jprs_client.testca.problems import Problem, malformed
from jprs_client.testca.signed import base_url
from jprs_client.testca.tricks import Tricks

logger = logging.getLogger("jprs_client.testca")

#: RFC 8555 §6.1 and the Fetch standard: a page of any origin may be an ACME client.
_CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Link, Location, Replay-Nonce, Retry-After"),
)
_PREFLIGHT = (
    ("Access-Control-Allow-Headers", "Accept-Language, Content-Type"),
    ("Access-Control-Max-Age", "86400"),
)


class AcmeFront:
    """`base` is its own address, for requests that name none that can be used."""

    def __init__(self, authority: Authority, base: str = "https://localhost:14000") -> None:
        self._ca = authority
        self._acme = Acme(authority)
        self._tricks = Tricks(authority)
        self.base = base
        self._router: Router[Endpoint] = Router(self._acme.endpoints())
        self.app = App(self.handle, self._failed)

    # the way of every request

    async def handle(self, request: Request) -> Response:
        """The answer, with what every answer has, and a line in the log."""
        now = self._ca.now()
        call = Call(request, base_url(request, self.base))
        said = _Said.of(request)
        response = self._without_deed(call, now)
        if response is None:
            response = await self._acted(self._find(call, said), call, said)
        else:
            _dressed(response, self._ca.nonces.give(), now, call.base)
        self._note(call, said, response, now)
        return response

    def _without_deed(self, call: Call, now: datetime) -> Response | None:
        """Preflights and maintenance, which concern neither faults nor what is behind the door."""
        if call.request.method == "OPTIONS":
            found = self._router.match(call.request.path)
            if found is not None:
                call.endpoint = found[0].name
                return _preflight(found[0])
        elif self._ca.maintenance_until is not None and now < self._ca.maintenance_until:
            found = self._router.match(call.request.path)
            call.endpoint = found[0].name if found else ""
            call.problem = "serverInternal"
            wait = -((now - self._ca.maintenance_until).total_seconds() // 1)
            return problem_response(
                Problem(
                    "serverInternal",
                    f"the service is under maintenance until {self._ca.maintenance_until.isoformat()}",
                    503,
                    headers=(("Retry-After", f"{wait:.0f}"),),
                )
            )
        return None

    async def _acted(self, deed: Deed, call: Call, said: _Said) -> Response:
        """What is done, where no fault is in its way, and the answer as the fault wants it."""
        action = call.fault
        if action is None:
            response = self._carried_out(deed, call)
            return _dressed(response, self._ca.nonces.give(), self._ca.clock.now(), call.base, call.endpoint)
        asked = Asked(self._ca.clock.now(), call.base, call.url, said.nonce)
        if action.delay:
            await asyncio.sleep(action.delay)
        self._tricks.before(action, call, said.kid)
        instead = action.instead(asked)
        if instead is None:
            undo = self._tricks.snapshot() if action.members.get("undo") else None
            response = self._carried_out(deed, call)
            if undo is not None:
                undo()
            await self._tricks.after(action, call, response)
        else:
            response = instead
        _dressed(response, self._ca.nonces.give(), self._ca.now(), call.base, call.endpoint)
        return action.changed(response, asked)

    def _find(self, call: Call, said: _Said) -> Deed:
        """What is to be done; meanwhile `call` learns what it is about, and which fault waits for it."""
        request = call.request
        found = self._router.match(request.path)
        if found is None:
            return _refusing(malformed("nothing is here", 404))
        endpoint, call.segments = found
        call.endpoint = endpoint.name
        call.names = self._acme.names_concerned(call)
        subject = Subject(
            account=said.kid.rpartition("/")[2],
            challenge=self._challenge_kind(call),
            method=request.method,
            read=said.payload == b"",
        )
        call.fault = self._ca.faults.take(endpoint.name, call.names, subject)
        deed = {"GET": endpoint.get, "HEAD": endpoint.get, "POST": endpoint.post}.get(request.method)
        if deed is None:
            problem = malformed(f"{request.method} is not for {endpoint.name}", 405)
            problem.headers = (("Allow", ", ".join(endpoint.methods)),)
            return _refusing(problem)
        return deed

    def _carried_out(self, deed: Deed, call: Call) -> Response:
        try:
            return deed(call)
        except Problem as problem:
            call.problem = problem.kind
            return problem_response(problem)

    def _failed(self, status: int, detail: str) -> Response:
        """The answer to a request whose body cannot be read, or that met a bug: it has what every answer has."""
        response = problem_response(Problem("serverInternal" if status >= 500 else "malformed", detail, status))
        return _dressed(response, self._ca.nonces.give(), self._ca.clock.now(), self.base)

    # the log

    def _challenge_kind(self, call: Call) -> str | None:
        if call.endpoint != "challenge":
            return None
        authorization = self._ca.book.authorizations.get(call.segments[0])
        challenge = authorization.challenge(call.segments[1]) if authorization else None
        return challenge.kind if challenge else None

    def _note(self, call: Call, said: _Said, response: Response, now: datetime) -> None:
        request = call.request
        logger.info("%s %s %s %s", request.method, request.path, response.status, call.problem or "")
        self._ca.log.asked(
            now,
            request.target,
            method=request.method,
            endpoint=call.endpoint,
            account=call.account,
            names=call.names,
            status=response.status,
            problem=call.problem,
            fault=call.fault.members if call.fault else None,
            challenge=self._challenge_kind(call),
            signed=said.by,
            payload=said.payload,
            body=request.body,
            agent=request.headers.get("user-agent", ""),
            content_type=request.headers.get("content-type", ""),
        )


class _Said:
    """What a request says about itself, before anybody has verified it: for faults and the log alone."""

    __slots__ = ("by", "kid", "nonce", "payload")

    def __init__(self) -> None:
        self.by: str | None = None
        self.kid = ""
        self.nonce = ""
        self.payload: bytes | None = None

    @classmethod
    def of(cls, request: Request) -> _Said:
        said = cls()
        if not request.body:
            return said
        try:
            jws = parse_object(request.body, "")
            header: Mapping[str, Any] = parse_object(decode(jws.get("protected")), "")
            said.by = "kid" if "kid" in header else "jwk" if "jwk" in header else None
            said.kid, said.nonce = _text(header, "kid"), _text(header, "nonce")
            said.payload = decode(jws.get("payload"))
        except JoseError:
            return said
        return said


def _text(header: Mapping[str, Any], member: str) -> str:
    value = header.get(member)
    return value[:500] if isinstance(value, str) else ""


def _dressed(response: Response, nonce: str, now: datetime, base: str, endpoint: str = "") -> Response:
    """`response` with what every answer has."""
    response.set("Replay-Nonce", nonce)
    response.set("Cache-Control", "no-store")
    response.set("Date", format_datetime(now, usegmt=True))
    response.headers.extend(_CORS)
    if endpoint != "directory":  # RFC 8555 §7.1
        response.headers.append(("Link", f'<{base}/dir>;rel="index"'))
    return response


def _preflight(endpoint: Endpoint) -> Response:
    methods = ", ".join(endpoint.methods)
    headers = [("Allow", methods), ("Access-Control-Allow-Methods", methods), *_PREFLIGHT]
    return Response(204, headers=headers)


def problem_response(problem: Problem) -> Response:
    """The refusal as an answer."""
    response = json_response(problem.status, problem.document(), "application/problem+json")
    response.headers.extend(problem.headers)
    return response


def _refusing(problem: Problem) -> Deed:
    def refuse(call: Call) -> Response:
        call.problem = problem.kind
        return problem_response(problem)

    return refuse
