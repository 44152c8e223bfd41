"""The mock DNS and the proofs of the mock web on the management side, as pebble-challtestsrv has them.

Every call takes a `perspective` too: what it says is then seen from there alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dns.rdatatype

from jprs_client.testca import dns as table
from jprs_client.testca.asgi import Response, json_response
from jprs_client.testca.ca import Authority
from jprs_client.testca.posted import Ask, Deed, Offer, RequestError
from jprs_client.testca.web import without_port

_HISTORIES = ("http", "dns", "tlsalpn")


class Steering:
    """What the world is to look like to validation."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority

    def offers(self) -> Sequence[Offer]:
        """The calls."""
        zone, web = self._ca.zone, self._ca.web

        def offer(path: str, does: str, takes: str, deed: Callable[[Ask], object]) -> Offer:
            return Offer("POST", path, _done(deed), does, takes)

        def told(path: str, does: str, takes: str, deed: Callable[[Ask, str | None], object]) -> Offer:
            takes = takes.removesuffix("}") + ', "perspective"?}'
            return offer(path, does, takes, lambda ask: deed(ask, ask.perspective(self._ca.perspectives)))

        def records(kind: str) -> Sequence[Offer]:
            name = kind.lower()
            example = "127.0.0.1" if kind == "A" else "::1"
            return (
                told(
                    f"/add-{name}",
                    f"adds {kind} records",
                    f'{{"host", "addresses": ["{example}"]}}',
                    lambda ask, where: zone.add(
                        _host(ask), kind, [table.address(each, kind) for each in ask.texts("addresses")], where
                    ),
                ),
                told(
                    f"/clear-{name}",
                    f"removes a name's {kind} records",
                    '{"host"}',
                    lambda ask, where: zone.clear(_host(ask), kind, where),
                ),
            )

        def toggled(word: str, deed: Callable[[str, bool, str | None], None], answer: str) -> Sequence[Offer]:
            return (
                told(f"/set-{word}", f"answers {answer} for a name", '{"host"}', lambda a, w: deed(_host(a), True, w)),
                told(f"/clear-{word}", "no longer", '{"host"}', lambda a, w: deed(_host(a), False, w)),
            )

        def default(kind: str, version: int) -> Offer:
            def deed(ask: Ask, where: str | None) -> None:
                text = ask.text("ip", empty=True) if ask.has("ip") else ""
                zone.set_default(kind, table.address(text, kind) if text else "", where)

            does = f"what {kind} record a name has that has none of its own; empty: none"
            return told(f"/set-default-ipv{version}", does, '{"ip"}', deed)

        return (
            default("A", 4),
            default("AAAA", 6),
            *records("A"),
            *records("AAAA"),
            told(
                "/set-txt",
                "adds a TXT record",
                '{"host", "value"}',
                lambda ask, where: zone.add(_host(ask), "TXT", [table.txt(ask.text("value", empty=True))], where),
            ),
            told(
                "/clear-txt",
                "removes a name's TXT records",
                '{"host"}',
                lambda ask, where: zone.clear(_host(ask), "TXT", where),
            ),
            told(
                "/add-caa",
                "adds CAA records",
                '{"host", "policies": [{"tag", "value", "critical"?}]}',
                lambda ask, where: zone.add(_host(ask), "CAA", _policies(ask), where),
            ),
            told(
                "/clear-caa",
                "removes a name's CAA records",
                '{"host"}',
                lambda ask, where: zone.clear(_host(ask), "CAA", where),
            ),
            told(
                "/set-cname",
                "makes a name an alias",
                '{"host", "target"}',
                lambda ask, where: zone.set_cname(_host(ask), ask.text("target"), where),
            ),
            told("/clear-cname", "no longer", '{"host"}', lambda ask, where: zone.clear_cname(_host(ask), where)),
            *toggled("servfail", zone.set_servfail, "SERVFAIL"),
            *toggled("nxdomain", zone.set_nxdomain, "NXDOMAIN"),
            offer(
                "/add-http01",
                "puts a proof for http-01 up, for every name that leads to this machine",
                '{"token", "content"}',
                lambda ask: web.contents.__setitem__(ask.text("token"), ask.any_text("content")),
            ),
            offer("/del-http01", "takes it down", '{"token"}', lambda ask: web.contents.pop(ask.text("token"), None)),
            offer(
                "/add-redirect",
                "redirects a path, over plain HTTP",
                '{"path", "targetURL"}',
                lambda ask: web.redirects.__setitem__(ask.text("path"), ask.text("targeturl")),
            ),
            offer("/del-redirect", "no longer", '{"path"}', lambda ask: web.redirects.pop(ask.text("path"), None)),
            offer(
                "/add-tlsalpn01",
                "puts a proof for tls-alpn-01 up; content is the key authorization",
                '{"host", "content"}',
                lambda ask: web.key_authorizations.__setitem__(_host(ask), ask.text("content")),
            ),
            offer(
                "/del-tlsalpn01",
                "takes it down",
                '{"host"}',
                lambda ask: web.key_authorizations.pop(_host(ask), None),
            ),
            Offer("POST", "/http-request-history", self._http, "what validation asked web servers", '{"host"}'),
            Offer("POST", "/dns-request-history", self._dns, "what the mock DNS was asked", '{"host"}'),
            Offer("POST", "/tlsalpn-request-history", self._tls, "for tls-alpn-01", '{"host"}'),
            offer(
                "/clear-request-history",
                "forgets it: of a host, of a kind, or all",
                '{"host"?, "type"?: "http" | "dns" | "tlsalpn"}',
                self._forget,
            ),
        )

    # histories

    def _http(self, ask: Ask) -> Response:
        host = _host(ask.folded)
        return _list(
            {
                "URL": asked.url,
                "Host": asked.host,
                "HTTPS": asked.https,
                "ServerName": asked.server_name,
                "perspective": asked.perspective,
            }
            for asked in self._ca.web.http_asked
            if without_port(asked.host) == host
        )

    def _dns(self, ask: Ask) -> Response:
        host = _host(ask.folded)
        return _list(
            {
                "Question": {"Name": f"{asked.name}.", "Qtype": _number(asked.kind), "Qclass": 1},
                "name": asked.name,
                "type": asked.kind,
                "perspective": asked.perspective or None,
            }
            for asked in self._ca.zone.asked
            if asked.name == host
        )

    def _tls(self, ask: Ask) -> Response:
        host = _host(ask.folded)
        return _list(
            {
                "ServerName": asked.server_name,
                "SupportedProtos": list(asked.protocols),
                "perspective": asked.perspective,
            }
            for asked in self._ca.web.tls_asked
            if asked.server_name == host
        )

    def _forget(self, ask: Ask) -> None:
        host = _host(ask) if ask.has("host") else None
        what = ask.text("type") if ask.has("type") else None
        if what is not None and what not in _HISTORIES:
            raise RequestError(f"type: one of {', '.join(_HISTORIES)}")
        if what in {None, "dns"}:
            self._ca.zone.forget(host)
        if what != "dns":
            self._ca.web.forget(host, what)


def _done(deed: Callable[[Ask], object]) -> Deed:
    def steer(ask: Ask) -> Response:
        deed(ask.folded)
        return json_response(200, {})

    return steer


def _list(found: Any) -> Response:
    return json_response(200, list(found), "application/json; charset=utf-8")


def _host(ask: Ask) -> str:
    return table.key_of(ask.text("host"))


def _number(kind: str) -> int:
    return int(dns.rdatatype.from_text(kind))


def _policies(ask: Ask) -> list[str]:
    found = ask.document.get("policies")
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise RequestError("policies: a list of objects with tag and value")
    policies = [Ask(each).folded for each in found]
    return [
        table.caa(each.text("tag"), each.text("value", empty=True), 128 * each.flag("critical")) for each in policies
    ]
