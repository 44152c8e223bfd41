"""The look-up side of validation: the mock DNS's table, asked in process, or a resolver, asked over the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdata
import dns.rdatatype

from jprs_client.testca.dns import PRIMARY, Zone

#: Seconds for one question.
PATIENCE = 5.0


class LookupFailedError(Exception):
    """Nobody could say; the text says what was asked and what came back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the DNS says: `records` is empty for a name or type that does not exist; `rcode` tells which."""

    rcode: str
    records: Sequence[dns.rdata.Rdata]


class Resolver(Protocol):
    """Whoever answers DNS questions."""

    async def look_up(self, host: str, kind: str) -> Answer:
        """The records of `host` behind its aliases. Raises LookupFailedError for SERVFAIL, a time-out and the like."""


class ZoneResolver:
    """The mock DNS without the way over the network, as one perspective sees it."""

    def __init__(self, zone: Zone, perspective: str = PRIMARY) -> None:
        self._zone = zone
        self._perspective = perspective

    async def look_up(self, host: str, kind: str) -> Answer:
        """The records of `host` behind its aliases."""
        rcode, records = self._zone.records(host, kind, self._perspective)
        return _checked(host, kind, rcode, records)


class NetworkResolver:
    """A resolver at an address."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def look_up(self, host: str, kind: str) -> Answer:
        """The records of `host` behind its aliases."""
        try:
            query = dns.message.make_query(host, kind, use_edns=0, payload=1232)
            response, _ = await dns.asyncquery.udp_with_fallback(
                query, self._host, timeout=PATIENCE, port=self._port, ignore_unexpected=True
            )
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise LookupFailedError(f"{type(error).__name__} looking up {kind} for {host}") from error
        wanted = dns.rdatatype.from_text(kind)
        records = [rdata for rrset in response.answer if rrset.rdtype == wanted for rdata in rrset]
        return _checked(host, kind, response.rcode(), records)


def _checked(host: str, kind: str, rcode: dns.rcode.Rcode, records: Sequence[dns.rdata.Rdata]) -> Answer:
    text = dns.rcode.to_text(rcode)
    if rcode not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        raise LookupFailedError(f"{text} looking up {kind} for {host}")
    return Answer(text, records)
