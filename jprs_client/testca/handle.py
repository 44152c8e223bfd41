"""What whoever runs the tests does with a CA, wherever it runs: a method a call of the management side."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import quote, urlencode

from cryptography import x509

__all__ = ["Credentials", "Handle", "ManagementError"]


class ManagementError(Exception):
    """The management side refused: `status`, and what it said as `detail`."""

    def __init__(self, path: str, status: int, detail: str) -> None:
        super().__init__(f"{path}: {status}: {detail}")
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an operator hands to a subscriber: External Account Binding (RFC 8555 §7.3.4), good for one account."""

    subscriber: str
    key_id: str
    hmac_key: str


class Handle(ABC):
    """A CA that runs."""

    #: The ACME directory.
    directory: str
    #: The management side, without a slash at the end.
    management: str
    #: Where CRL, OCSP and issuers are, without a slash at the end.
    pki: str

    @abstractmethod
    def answer(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str, bytes]:
        """One request to the management side: status, content type and body."""

    def ask(self, method: str, path: str, document: object = None) -> Any:
        """One request to the management side: the JSON that came back, or text. Raises ManagementError."""
        body = None if document is None else json.dumps(document).encode()
        status, content_type, data = self.answer(method, path, body)
        text = data.decode("utf-8", "replace")
        found = json.loads(text) if "json" in content_type and text else text
        if status >= 400:
            detail = found.get("error", found) if isinstance(found, dict) else found
            raise ManagementError(path, status, str(detail))
        return found

    # subscribers

    def subscriber(self, name: str = "Example", *usage_fqdns: str, term: str = "1y") -> Credentials:
        """A new subscriber with these usage FQDNs (none: any name), each for `term`, 1m or 1y; its credentials."""
        wanted: object = [{"name": usage, "term": term} for usage in usage_fqdns] or "any"
        made = self.ask("POST", "/jprs/subscribers", {"name": name, "usage_fqdns": wanted})
        return Credentials(made["id"], made["eab"]["key_id"], made["eab"]["hmac_key"])

    def subscribers(self) -> list[dict[str, Any]]:
        """Every subscriber with its usage FQDNs and certificates."""
        return cast(list[dict[str, Any]], self.ask("GET", "/jprs/subscribers"))

    # time

    def clock(self) -> datetime:
        """The CA's now, UTC."""
        return datetime.fromisoformat(self.ask("GET", "/clock")["now"])

    def set_clock(self, moment: datetime | str) -> datetime:
        """Move its clock to `moment` (RFC 3339, or a date: its 00:00 JST); what is due by then happens. Its now."""
        text = moment if isinstance(moment, str) else moment.isoformat()
        return datetime.fromisoformat(self.ask("POST", "/clock", {"now": text})["now"])

    def advance(self, span: timedelta | float) -> datetime:
        """Move its clock on, a number being seconds; what is due by then happens. Its now."""
        seconds = span.total_seconds() if isinstance(span, timedelta) else span
        return datetime.fromisoformat(self.ask("POST", "/clock", {"advance": seconds})["now"])

    # what goes wrong, and what was asked

    def fault(
        self, action: object, *, endpoint: str | None = None, name: str | None = None, skip: int = 0, count: int = 1
    ) -> None:
        """Make something go wrong: the next `count` requests that match, after `skip` of them; 0: until `no_faults`.

        The manual lists the actions.
        """
        match = {key: value for key, value in (("endpoint", endpoint), ("name", name)) if value is not None}
        self.ask("POST", "/faults", {"match": match, "skip": skip, "count": count, "action": action})

    def no_faults(self) -> None:
        """From here on nothing goes wrong."""
        self.ask("DELETE", "/faults")

    def log(self, **query: str) -> list[dict[str, Any]]:
        """Every request to the ACME side so far, oldest first; `query`: endpoint, since, name, account."""
        path = f"/log?{urlencode(query)}" if query else "/log"
        return cast(list[dict[str, Any]], self.ask("GET", path))

    def forget_log(self) -> None:
        """Nothing was asked."""
        self.ask("DELETE", "/log")

    # certificates

    def revoke(self, certificate: x509.Certificate | str | int, reason: int = 0) -> None:
        """The CA revokes on its own: a certificate, or a serial as hexadecimal text or as a number."""
        self.ask("POST", "/jprs/revoke", {"serial": _serial(certificate), "reason": reason})

    def status(self, certificate: x509.Certificate | str | int) -> dict[str, Any]:
        """What Pebble tells of a certificate: Status is Valid or Revoked, then with Reason and RevokedAt."""
        return cast(dict[str, Any], self.ask("GET", f"/cert-status-by-serial/{quote(_serial(certificate), safe='')}"))

    def roots(self) -> list[str]:
        """The roots of what it issues, PEM; the first one is the usual one."""
        return self._all("/roots")

    def intermediates(self) -> list[str]:
        """The intermediates, PEM."""
        return self._all("/intermediates")

    def _all(self, path: str) -> list[str]:
        found: list[str] = []
        while len(found) < 100:
            status, _, data = self.answer("GET", f"{path}/{len(found)}")
            if status != 200:
                break
            found.append(data.decode("ascii"))
        return found

    # the mock DNS and web, as pebble-challtestsrv is steered

    def steer(self, path: str, **document: object) -> Any:
        """Any call of pebble-challtestsrv: `steer("/set-servfail", host="example.jp")`."""
        return self.ask("POST", path, document)

    def add_txt(self, host: str, value: str) -> None:
        """One more TXT record, for example at `_acme-challenge.example.jp`."""
        self.steer("/set-txt", host=_absolute(host), value=value)

    def clear_txt(self, host: str) -> None:
        """No TXT record any more."""
        self.steer("/clear-txt", host=_absolute(host))

    def add_a(self, host: str, *addresses: str) -> None:
        """More A records; a name without any is 127.0.0.1."""
        self.steer("/add-a", host=_absolute(host), addresses=list(addresses))

    def add_aaaa(self, host: str, *addresses: str) -> None:
        """More AAAA records."""
        self.steer("/add-aaaa", host=_absolute(host), addresses=list(addresses))

    def add_caa(self, host: str, value: str, tag: str = "issue") -> None:
        """One more CAA record (RFC 8659)."""
        self.steer("/add-caa", host=_absolute(host), policies=[{"tag": tag, "value": value}])

    def add_http01(self, token: str, key_authorization: str) -> None:
        """The proof of an http-01 challenge, as if a web server had it."""
        self.steer("/add-http01", token=token, content=key_authorization)


def _absolute(host: str) -> str:
    return host if host.endswith(".") else f"{host}."


def _serial(certificate: x509.Certificate | str | int) -> str:
    if isinstance(certificate, str):
        return certificate
    number = certificate if isinstance(certificate, int) else certificate.serial_number
    return f"{number:x}"


def command_line(options: Mapping[str, object]) -> list[str]:
    """The program's options from keywords: `open=True`, `now=MOMENT`, `without=["keyChange"]`, `ocsp_lag=SPAN`."""
    arguments: list[str] = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is None or value is False:
            continue
        if value is True:
            arguments.append(option)
            continue
        for each in value if isinstance(value, list | tuple | set | frozenset) else [value]:
            text = f"{each.total_seconds():.0f}s" if isinstance(each, timedelta) else each
            arguments.append(f"{option}={text.isoformat() if isinstance(text, datetime) else text}")
    return arguments
