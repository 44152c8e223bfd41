"""The management side: JPRS's contracts, clock, faults and log; Pebble's paths, and pebble-challtestsrv's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from jprs_client.testca.asgi import App, Request, Response, Router, json_response
from jprs_client.testca.ca import Authority
from jprs_client.testca.clock import parse_moment
from jprs_client.testca.jprs import Jprs, subscribe
from jprs_client.testca.pebble import Pebble
from jprs_client.testca.posted import Ask, Deed, Offer, RequestError, read_document
from jprs_client.testca.problems import Problem
from jprs_client.testca.steering import Steering
from jprs_client.testca.subscribers import ContractError

__all__ = ["ManagementFront", "RequestError", "manual", "offers", "subscribe"]


class ManagementFront:
    """The door for whoever runs the tests."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority
        deeds: dict[str, dict[str, Deed]] = {}
        for _, group in offers(authority):
            for offer in group:
                deeds.setdefault(re.sub(r"{[a-z]+}", "{}", offer.path), {})[offer.method] = offer.deed
        self._router: Router[Mapping[str, Deed]] = Router({**deeds, "/": {"GET": self._offers}})
        self.app = App(self.handle, _refusal)

    async def handle(self, request: Request) -> Response:
        """The answer."""
        self._ca.now()
        found = self._router.match(request.path)
        if found is None:
            return _refusal(404, f"{request.path:.200}: nothing is here; GET / lists what there is")
        deeds, segments = found
        deed = deeds.get("GET" if request.method == "HEAD" else request.method)
        if deed is None:
            refusal = _refusal(405, f"{request.path:.200}: {', '.join(deeds)}")
            refusal.set("Allow", ", ".join(deeds))
            return refusal
        try:
            base = f"{request.scheme}://{request.authority}"
            return deed(Ask(read_document(request), "".join(segments), request.query, base))
        except RequestError as error:
            return _refusal(error.status, str(error))
        except ContractError as error:
            return _refusal(409, str(error))
        except Problem as problem:
            return _refusal(problem.status, str(problem))
        except OverflowError:
            return _refusal(400, "a number out of all bounds")
        except ValueError as error:  # FaultError, and what the DNS table, the clock and the PKI cannot read
            return _refusal(400, str(error))

    def _offers(self, _ask: Ask) -> Response:
        shown = {
            "what": "the management side of a test CA: TEST - DO NOT TRUST",
            "calls": {title: [offer.shown() for offer in group] for title, group in offers(self._ca)},
        }
        return Response(200, json.dumps(shown, indent=1, ensure_ascii=False).encode() + b"\n", "application/json")


def offers(authority: Authority) -> Sequence[tuple[str, Sequence[Offer]]]:
    """Every call there is, under a heading each; `GET /` and the manual show them."""
    return (
        ("JPRS", Jprs(authority).offers()),
        ("clock, settings, faults, log", Machinery(authority).offers()),
        ("as Pebble", Pebble(authority).offers()),
        ("as pebble-challtestsrv", Steering(authority).offers()),
    )


def manual(authority: Authority) -> str:
    """The same as tables in Markdown."""
    lines = []
    for title, group in offers(authority):
        lines += [f"### {title}", "", "| call | posted | does |", "|---|---|---|"]
        for offer in group:
            takes = f"`{offer.takes}`".replace("|", "\\|") if offer.takes else ""
            lines.append(f"| `{offer.method} {offer.path}` | {takes} | {offer.does} |")
        lines.append("")
    return "\n".join(lines)


class Machinery:
    """Clock, settings, faults and log."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority

    def offers(self) -> Sequence[Offer]:
        """The calls."""
        fault = '{"match"?: {"endpoint"?, "name"?, …}, "skip"?, "count"?, "action"}'
        return (
            Offer("GET", "/clock", self._clock, "the CA's time"),
            Offer(
                "POST",
                "/clock",
                self._set_clock,
                "sets it; what is due by then happens",
                '{"now"} or {"advance": SECONDS}',
            ),
            Offer("GET", "/jprs/settings", self._settings, "how the CA behaves, as far as it can be changed"),
            Offer(
                "POST",
                "/jprs/settings",
                self._set,
                "changes some of it",
                '{"ocsp_lag"?, "validation_delay"?: SECONDS, "reuse"?, "nonce_rejects"?: PERCENT, '
                '"ask_again"?: SECONDS | null, "orders_a_page"?, "caa_identities"?, "blocked"?}',
            ),
            Offer("POST", "/faults", self._add_fault, "what goes wrong next", fault),
            Offer("GET", "/faults", self._faults, "what still waits"),
            Offer("DELETE", "/faults", self._clear_faults, "nothing any more"),
            Offer("GET", "/log", self._log, "what was asked; ?endpoint=&since=&name=&account= select"),
            Offer("DELETE", "/log", self._clear_log, "forgets it"),
        )

    def _clock(self, _ask: Ask) -> Response:
        return json_response(200, {"now": self._ca.now().isoformat()})

    def _set_clock(self, ask: Ask) -> Response:
        if ("now" in ask.document) == ("advance" in ask.document):
            raise RequestError("either now (RFC 3339) or advance (seconds)")
        absolute = "now" in ask.document
        moment = parse_moment(ask.text("now")) if absolute else self._ca.clock.now() + ask.span("advance")
        if not 2020 <= moment.year < 2050:
            raise RequestError("the clock goes from 2020 to 2049, as the CA's own certificates do")
        self._ca.set_clock(moment)
        return self._clock(ask)

    def _settings(self, _ask: Ask) -> Response:
        now = self._ca.settings
        return json_response(
            200,
            {
                "ocsp_lag": now.ocsp_lag.total_seconds(),
                "validation_delay": now.validation_delay,
                "reuse": now.reuse,
                "nonce_rejects": now.nonce_rejects,
                "ask_again": now.ask_again,
                "orders_a_page": now.orders_a_page,
                "caa_identities": list(now.caa_identities),
                "blocked": list(now.blocked),
            },
        )

    def _set(self, ask: Ask) -> Response:
        unknown = set(ask.document) - set(_SETTINGS)
        if unknown:
            raise RequestError(f"{', '.join(sorted(unknown)):.200}: one of {', '.join(_SETTINGS)}")
        chosen: dict[str, Any] = {each: _SETTINGS[each](ask, each) for each in ask.document}
        self._ca.settings = replace(self._ca.settings, **chosen)
        return self._settings(ask)

    def _add_fault(self, ask: Ask) -> Response:
        for part in (ask.document.get("match"), ask.document.get("action")):
            if isinstance(part, dict):
                Ask(part).perspective(self._ca.perspectives)
        self._ca.faults.add(ask.document)
        return json_response(200, dict(ask.document))

    def _faults(self, _ask: Ask) -> Response:
        return json_response(200, self._ca.faults.waiting())

    def _clear_faults(self, _ask: Ask) -> Response:
        self._ca.faults.clear()
        return json_response(200, {})

    def _log(self, ask: Ask) -> Response:
        return json_response(200, self._ca.log.asked_for(ask.query))

    def _clear_log(self, _ask: Ask) -> Response:
        self._ca.log.clear()
        return json_response(200, {})


def _wait(ask: Ask, member: str) -> timedelta:
    span = ask.span(member)
    if span < timedelta(0):
        raise RequestError(f"{member}: no less than none")
    return span


def _percent(ask: Ask, member: str) -> int:
    number = ask.number(member)
    if number > 100:
        raise RequestError(f"{member}: 100 at most")
    return number


def _names(ask: Ask, member: str) -> tuple[str, ...]:
    return tuple(ask.texts(member)) if ask.document[member] else ()


#: What can be changed while the CA runs, and how each is read.
_SETTINGS: Mapping[str, Callable[[Ask, str], object]] = {
    "ocsp_lag": _wait,
    "validation_delay": lambda ask, member: _wait(ask, member).total_seconds(),
    "reuse": _percent,
    "nonce_rejects": _percent,
    "ask_again": lambda ask, member: ask.number(member) if ask.has(member) else None,
    "orders_a_page": lambda ask, member: ask.number(member, 1),
    "caa_identities": _names,
    "blocked": _names,
}


def _refusal(status: int, detail: str) -> Response:
    return json_response(status, {"error": detail})
