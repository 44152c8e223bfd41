"""The door that ACME clients know: the way of every request, what every answer has, faults, and the log."""

from __future__ import annotations

import asyncio
import logging
from email.utils import format_datetime

from jprs_client.testca.acme import Acme
from jprs_client.testca.asgi import App, Request, Response, Router, json_response
from jprs_client.testca.ca import Authority
from jprs_client.testca.call import Call, Deed, Endpoint
from jprs_client.testca.clock import rfc3339
from jprs_client.testca.problems import Problem, malformed
from jprs_client.testca.signed import base_url

logger = logging.getLogger("jprs_client.testca")


class AcmeFront:
    """`base` is its own address, for requests that name none that can be used."""

    def __init__(self, authority: Authority, base: str = "https://localhost:14000") -> None:
        self._ca = authority
        self._acme = Acme(authority)
        self.base = base
        self._router: Router[Endpoint] = Router(self._acme.endpoints())
        self.app = App(self.handle, lambda status, detail: problem_response(_of_status(status, detail)))

    # the way of every request

    async def handle(self, request: Request) -> Response:
        """The answer, with what every answer has, and a line in the log."""
        now = self._ca.now()
        call = Call(request, base_url(request, self.base))
        deed = self._find(call)
        if call.fault is not None and call.fault.delay:
            await asyncio.sleep(call.fault.delay)
        response = call.fault.instead() if call.fault else None
        if response is None:
            response = self._carried_out(deed, call)
        response.set("Replay-Nonce", self._ca.nonces.give())
        response.set("Cache-Control", "no-store")
        response.set("Date", format_datetime(now, usegmt=True))
        if call.endpoint != "directory":  # RFC 8555 §7.1
            response.headers.append(("Link", f'<{call.base}/dir>;rel="index"'))
        if call.fault is not None:
            response = call.fault.changed(response)
        logger.info("%s %s %s %s", request.method, request.path, response.status, call.problem or "")
        self._ca.log.append(
            {
                "time": rfc3339(now),
                "method": request.method,
                "path": request.path,
                "endpoint": call.endpoint,
                "account": call.account,
                "names": list(call.names),
                "status": response.status,
                "problem": call.problem,
                "fault": dict(call.fault.members) if call.fault else None,
            }
        )
        return response

    def _find(self, call: Call) -> Deed:
        """What is to be done; meanwhile `call` learns what it is about, and which fault waits for it."""
        found = self._router.match(call.request.path)
        if found is None:
            return _refusing(malformed("nothing is here", 404))
        endpoint, call.segments = found
        call.endpoint = endpoint.name
        call.names = self._acme.names_concerned(call)
        call.fault = self._ca.faults.take(endpoint.name, call.names)
        deed = {"GET": endpoint.get, "HEAD": endpoint.get, "POST": endpoint.post}.get(call.request.method)
        if deed is None:
            problem = malformed(f"{call.request.method} is not for {endpoint.name}", 405)
            problem.headers = (("Allow", ", ".join(endpoint.methods)),)
            return _refusing(problem)
        return deed

    def _carried_out(self, deed: Deed, call: Call) -> Response:
        try:
            return deed(call)
        except Problem as problem:
            call.problem = problem.kind
            return problem_response(problem)


def _of_status(status: int, detail: str) -> Problem:
    return Problem("serverInternal" if status >= 500 else "malformed", detail, status)


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
