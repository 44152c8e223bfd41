"""The management side: Pebble's paths, challtestsrv's paths, and JPRS's contracts, clock, faults and log."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jprs_client.testca import dns
from jprs_client.testca.asgi import App, Request, Response, Router, json_response
from jprs_client.testca.ca import Authority
from jprs_client.testca.clock import parse_moment, rfc3339
from jprs_client.testca.jose import JoseError, decode, encode
from jprs_client.testca.names import wrong_with
from jprs_client.testca.orders import PRIVILEGE_WITHDRAWN, REASONS, SUBSCRIBER_REASONS, Certificate
from jprs_client.testca.problems import Problem
from jprs_client.testca.signer import fingerprint, leaf_pem
from jprs_client.testca.subscribers import ContractError, Subscriber, Term, UsageFqdn

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """What was posted, and the segment of the path that varies, if there is one."""

    document: Document
    segment: str = ""


Deed = Callable[[Ask], Response]


class RequestError(Exception):
    """What was asked cannot be read, or is not there."""

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.status = status


class ManagementFront:
    """The door for whoever runs the tests."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority
        self._router: Router[Mapping[str, Deed]] = Router(
            {
                "/jprs/subscribers": {"GET": self._subscribers, "POST": self._subscribe},
                "/jprs/subscribers/{}": {"GET": self._subscriber},
                "/jprs/subscribers/{}/usage-fqdns": {"POST": self._apply},
                "/jprs/subscribers/{}/terminate": {"POST": self._terminate},
                "/jprs/subscribers/{}/withdraw": {"POST": self._withdraw},
                "/jprs/subscribers/{}/continuation": {"POST": self._carry_on},
                "/jprs/operator": {"GET": self._operator},
                "/jprs/operator/suspend": {"POST": self._suspend},
                "/jprs/operator/resume": {"POST": self._resume},
                "/jprs/revoke": {"POST": self._revoke},
                "/clock": {"GET": self._clock, "POST": self._set_clock},
                "/faults": {"POST": self._add_fault, "DELETE": self._clear_faults},
                "/log": {"GET": self._log, "DELETE": self._clear_log},
                "/roots/{}": {"GET": self._root},
                "/intermediates/{}": {"GET": self._intermediate},
                "/cert-status-by-serial/{}": {"GET": self._cert_status},
                **{path: {"POST": deed} for path, deed in self._steering().items()},
            }
        )
        self.app = App(self.handle, _refusal)

    async def handle(self, request: Request) -> Response:
        """The answer."""
        self._ca.now()
        found = self._router.match(request.path)
        if found is None:
            return _refusal(404, f"{request.path:.200}: nothing is here")
        deeds, segments = found
        deed = deeds.get(request.method)
        if deed is None:
            return _refusal(405, f"{request.path:.200}: {', '.join(deeds)}")
        try:
            return deed(Ask(_document(request), *segments))
        except RequestError as error:
            return _refusal(error.status, str(error))
        except ContractError as error:
            return _refusal(409, str(error))
        except Problem as problem:
            return _refusal(problem.status, str(problem))
        except OverflowError:
            return _refusal(400, "a number out of all bounds")
        except ValueError as error:  # FaultError, and what the DNS table and the clock cannot read
            return _refusal(400, str(error))

    # subscribers

    def _subscribers(self, _ask: Ask) -> Response:
        return json_response(200, [self._shown(each) for each in self._ca.contracts.subscribers.values()])

    def _subscribe(self, ask: Ask) -> Response:
        subscriber = subscribe(self._ca, ask.document)
        eab = {"key_id": subscriber.key_id, "hmac_key": encode(subscriber.hmac_key)}
        return json_response(200, {"id": subscriber.identity, "eab": eab})

    def _subscriber(self, ask: Ask) -> Response:
        return json_response(200, self._shown(self._known(ask.segment)))

    def _known(self, identity: str) -> Subscriber:
        try:
            return self._ca.contracts.subscriber(identity)
        except KeyError:
            raise RequestError(f"no subscriber {identity:.100}", 404) from None

    def _shown(self, subscriber: Subscriber) -> dict[str, Any]:
        account = self._ca.book.accounts.get(subscriber.account or "")
        usages = [_usage(usage) for usage in sorted(subscriber.usage_fqdns.values(), key=lambda usage: usage.name)]
        return {
            "id": subscriber.identity,
            "name": subscriber.name,
            "usage_fqdns": usages if subscriber.limited else "any",
            "key_id": subscriber.key_id,
            "account": account.url if account else None,
            "account_status": account.status if account else None,
            "certificates": [_certificate(each) for each in self._ca.certificates_of(subscriber.identity)],
        }

    def _apply(self, ask: Ask) -> Response:
        subscriber = self._known(ask.segment)
        if not subscriber.limited:
            raise RequestError("this subscriber may use any name already", 409)
        return json_response(200, _usage(self._ca.contracts.apply(subscriber.identity, *_wanted(ask.document))))

    def _terminate(self, ask: Ask) -> Response:
        identity = self._known(ask.segment).identity
        return json_response(200, _usage(self._ca.contracts.terminate(identity, _name(ask.document))))

    def _withdraw(self, ask: Ask) -> Response:
        identity = self._known(ask.segment).identity
        return json_response(200, _usage(self._ca.contracts.withdraw(identity, _name(ask.document))))

    def _carry_on(self, ask: Ask) -> Response:
        identity = self._known(ask.segment).identity
        usage = self._ca.contracts.carry_on_by(identity, _name(ask.document), _term(ask.document, "term"))
        return json_response(200, _usage(usage))

    # the operator, and the CA on its own

    def _operator(self, _ask: Ask) -> Response:
        return json_response(200, {"suspended": self._ca.contracts.suspended})

    def _suspend(self, ask: Ask) -> Response:
        self._ca.contracts.suspend(self._ca.now())
        return self._operator(ask)

    def _resume(self, ask: Ask) -> Response:
        self._ca.contracts.resume(self._ca.now())
        return self._operator(ask)

    def _revoke(self, ask: Ask) -> Response:
        certificate = self._by_serial(_text(ask.document, "serial"))
        reason = ask.document.get("reason", 0)
        taken = SUBSCRIBER_REASONS | {PRIVILEGE_WITHDRAWN}
        if not isinstance(reason, int) or isinstance(reason, bool) or reason not in taken:
            raise RequestError(f"reason: one of {', '.join(str(code) for code in sorted(taken))}")
        self._ca.book.revoke(certificate, reason, self._ca.now())
        return json_response(200, _certificate(certificate))

    def _by_serial(self, text: str) -> Certificate:
        try:
            serial = int(text.replace(":", ""), 16)
        except ValueError:
            raise RequestError(f"serial: {text!r:.80} is not hexadecimal") from None
        certificate = self._ca.book.certificates.get(serial)
        if certificate is None:
            raise RequestError(f"no certificate {text:.80}", 404)
        return certificate

    # clock, faults, log

    def _clock(self, _ask: Ask) -> Response:
        return json_response(200, {"now": self._ca.now().isoformat()})

    def _set_clock(self, ask: Ask) -> Response:
        if ("now" in ask.document) == ("advance" in ask.document):
            raise RequestError("either now (RFC 3339) or advance (seconds)")
        if "now" in ask.document:
            moment = parse_moment(_text(ask.document, "now"))
        else:
            seconds = ask.document["advance"]
            if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
                raise RequestError("advance: a number of seconds")
            moment = self._ca.clock.now() + timedelta(seconds=seconds)
        if not 2020 <= moment.year < 2050:
            raise RequestError("the clock goes from 2020 to 2049, as the CA's own certificates do")
        self._ca.set_clock(moment)
        return self._clock(ask)

    def _add_fault(self, ask: Ask) -> Response:
        self._ca.faults.add(ask.document)
        return json_response(200, dict(ask.document))

    def _clear_faults(self, _ask: Ask) -> Response:
        self._ca.faults.clear()
        return json_response(200, {})

    def _log(self, _ask: Ask) -> Response:
        return json_response(200, list(self._ca.log))

    def _clear_log(self, _ask: Ask) -> Response:
        self._ca.log.clear()
        return json_response(200, {})

    # as Pebble has it

    def _root(self, ask: Ask) -> Response:
        return _pem([each.pem for each in self._ca.pki.roots], ask.segment)

    def _intermediate(self, ask: Ask) -> Response:
        return _pem([each.pem for each in self._ca.pki.intermediates], ask.segment)

    def _cert_status(self, ask: Ask) -> Response:
        certificate = self._by_serial(ask.segment)
        shown: dict[str, Any] = {
            "Certificate": leaf_pem(certificate),
            "Serial": certificate.serial_hex,
            "Status": certificate.status.capitalize(),
        }
        if certificate.revocation is not None:
            shown["Reason"] = certificate.revocation.reason
            shown["RevokedAt"] = rfc3339(certificate.revocation.at)
        return json_response(200, shown)

    # as pebble-challtestsrv has it

    def _steering(self) -> Mapping[str, Deed]:
        zone = self._ca.zone

        def done(deed: Callable[[Document], object]) -> Deed:
            def steer(ask: Ask) -> Response:
                deed(ask.document)
                return json_response(200, {})

            return steer

        def host(document: Document) -> str:
            return _text(document, "host")

        def addresses(document: Document, family: str) -> list[str]:
            return [dns.address(each, family) for each in _texts(document, "addresses")]

        def policies(document: Document) -> list[str]:
            found = document.get("policies")
            if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
                raise RequestError("policies: a list of objects with tag and value")
            return [
                dns.caa(_text(each, "tag"), _text(each, "value"), 128 if each.get("critical") else 0) for each in found
            ]

        def default_ipv4(document: Document) -> None:
            zone.set_default("A", _address_or_none(document, "A"))

        def default_ipv6(document: Document) -> None:
            zone.set_default("AAAA", _address_or_none(document, "AAAA"))

        def asked(ask: Ask) -> Response:
            wanted = dns.key_of(host(ask.document))
            return json_response(200, [{"name": q.name, "type": q.kind} for q in zone.asked if q.name == wanted])

        return {
            "/set-txt": done(lambda d: zone.add(host(d), "TXT", [dns.txt(_text(d, "value"))])),
            "/clear-txt": done(lambda d: zone.clear(host(d), "TXT")),
            "/add-a": done(lambda d: zone.add(host(d), "A", addresses(d, "A"))),
            "/clear-a": done(lambda d: zone.clear(host(d), "A")),
            "/add-aaaa": done(lambda d: zone.add(host(d), "AAAA", addresses(d, "AAAA"))),
            "/clear-aaaa": done(lambda d: zone.clear(host(d), "AAAA")),
            "/add-caa": done(lambda d: zone.add(host(d), "CAA", policies(d))),
            "/clear-caa": done(lambda d: zone.clear(host(d), "CAA")),
            "/set-cname": done(lambda d: zone.set_cname(host(d), _text(d, "target"))),
            "/clear-cname": done(lambda d: zone.clear_cname(host(d))),
            "/set-servfail": done(lambda d: zone.set_servfail(host(d), True)),
            "/clear-servfail": done(lambda d: zone.set_servfail(host(d), False)),
            "/set-nxdomain": done(lambda d: zone.set_nxdomain(host(d), True)),
            "/clear-nxdomain": done(lambda d: zone.set_nxdomain(host(d), False)),
            "/set-default-ipv4": done(default_ipv4),
            "/set-default-ipv6": done(default_ipv6),
            "/dns-request-history": asked,
            "/clear-request-history": done(lambda _: zone.asked.clear()),
        }


def subscribe(authority: Authority, document: Document) -> Subscriber:
    """A new subscriber from `name`, `usage_fqdns` (a list, or "any") and maybe `eab`. Raises RequestError."""
    usages = document.get("usage_fqdns")
    wanted = None
    if usages != "any":
        if not isinstance(usages, list) or not all(isinstance(each, dict) for each in usages):
            raise RequestError('usage_fqdns: "any", or a list of objects with name and term')
        wanted = [_wanted(each) for each in usages]
    eab = document.get("eab")
    given = None
    if isinstance(eab, dict):
        given = (_text(eab, "key_id"), _secret(_text(eab, "hmac_key")))
    return authority.contracts.subscribe(_text(document, "name"), wanted, given)


def _secret(text: str) -> bytes:
    try:
        return decode(text.rstrip("="))
    except JoseError as error:
        raise RequestError(f"hmac_key: {error}") from error


def _refusal(status: int, detail: str) -> Response:
    return json_response(status, {"error": detail})


def _document(request: Request) -> Document:
    if not request.body:
        return {}
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise RequestError("the body is not JSON") from error
    if not isinstance(document, dict):
        raise RequestError("the body is not a JSON object")
    return document


def _text(document: Document, member: str) -> str:
    value = document.get(member)
    if not isinstance(value, str) or not value.isprintable():
        raise RequestError(f"{member}: a text is missing")
    return value


def _texts(document: Document, member: str) -> list[str]:
    value = document.get(member)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise RequestError(f"{member}: a list of texts is missing")
    return value


def _address_or_none(document: Document, family: str) -> str:
    text = document.get("ip", "")
    return dns.address(text, family) if isinstance(text, str) and text else ""


def _name(document: Document) -> str:
    return _text(document, "name").lower().removesuffix(".")


def _term(document: Document, member: str) -> Term:
    try:
        return Term(document.get(member))
    except ValueError:
        raise RequestError(f"{member}: 1m or 1y") from None


def _wanted(document: Document) -> tuple[str, Term, Term]:
    name = _name(document)
    why = wrong_with(name)
    if why:
        raise RequestError(f"name: {name:.260}: {why}")
    term = _term(document, "term")
    return name, term, _term(document, "continuation_term") if "continuation_term" in document else term


def _usage(usage: UsageFqdn) -> dict[str, Any]:
    return {
        "name": usage.name,
        "term": usage.term.value,
        "continuation_term": usage.continuation.value,
        "status": usage.status,
        "started": usage.started.isoformat() if usage.started else None,
        "ends": usage.ends.isoformat() if usage.ends else None,
        "terminating": usage.terminating,
    }


def _certificate(certificate: Certificate) -> dict[str, Any]:
    revocation = certificate.revocation
    return {
        "serial": certificate.serial_hex,
        "names": list(certificate.names),
        "not_before": rfc3339(certificate.not_before),
        "not_after": rfc3339(certificate.not_after),
        "status": certificate.status,
        "reason": revocation.reason if revocation else None,
        "reason_name": REASONS[revocation.reason] if revocation else None,
        "revoked_at": rfc3339(revocation.at) if revocation else None,
        "key_spki_sha256": fingerprint(certificate.spki),
    }


def _pem(chosen: list[str], index: str) -> Response:
    if not index.isdigit() or len(index) > 3 or int(index) >= len(chosen):
        raise RequestError(f"there are {len(chosen)} of these", 404)
    return Response(200, chosen[int(index)].encode(), "application/pem-certificate-chain; charset=utf-8")
