"""Asking DNS: every answer is a value, every question has a bound, and nothing said here is proof of anything.

Whoever answers may lie (THREATS T3, D19); what is seen decides which advice a person gets, not what the CA validates.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, cast

if TYPE_CHECKING:
    from dns.message import Message
    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdatatype import RdataType
    from dns.rdtypes.ANY.CAA import CAA
    from dns.rdtypes.ANY.CNAME import CNAME
    from dns.rdtypes.ANY.TXT import TXT

Status = Literal["found", "no-data", "nxdomain", "servfail", "timeout", "broken"]

SECONDS_A_SERVER = 2.0
SECONDS_A_QUESTION = 5.0
MOST_HOPS = 8
MOST_RECORDS = 100
_SETTLED = (0, 3)  # NOERROR, NXDOMAIN
_UDP_PAYLOAD = 1232  # what passes unfragmented everywhere (DNS flag day 2020)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What DNS said. `records` is empty unless `status` is "found"; `aliases` are the CNAME targets on the way.

    "servfail" is any refusal of a server that answered, "timeout" that nobody answered, "broken" an answer that
    cannot be one: malformed, too many records, an endless chain.
    """

    status: Status
    records: tuple[T, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether DNS said how it is, be it that there is nothing."""
        return self.status in {"found", "no-data", "nxdomain"}


@dataclass(frozen=True, slots=True)
class CaaRecord:
    """One CAA record (RFC 8659 §4.1); text as it came, with anything but ASCII escaped."""

    flags: int
    tag: str
    value: str

    def __str__(self) -> str:
        return f'{self.flags} {self.tag} "{self.value}"'


class Resolver:
    """Asks the servers in `addresses`, IP or name and port, or the system's when that is empty.

    One is made for each run: a server that did not answer is not asked again by the same object, so that dead DNS
    costs `seconds_a_question` once.
    """

    def __init__(
        self,
        addresses: Sequence[tuple[str, int]] = (),
        *,
        seconds_a_server: float = SECONDS_A_SERVER,
        seconds_a_question: float = SECONDS_A_QUESTION,
    ) -> None:
        self._addresses = tuple(addresses)
        self._seconds_a_server = seconds_a_server
        self._seconds_a_question = seconds_a_question
        self._servers: list[tuple[str, int]] | None = None

    def addresses(self, name: str, kind: Literal["A", "AAAA"]) -> Answer[str]:
        """The IP addresses of one kind."""
        return self._look_up(name, kind, lambda rdata: rdata.to_text())

    def txt(self, name: str) -> Answer[str]:
        """TXT values, each put together from its strings."""
        return self._look_up(name, "TXT", _txt)

    def txt_values(self, name: str) -> frozenset[str] | None:
        """The set of TXT values, empty where there is none; None when nobody could tell."""
        answer = self.txt(name)
        return frozenset(answer.records) if answer.known else None

    def caa(self, name: str) -> Answer[CaaRecord]:
        """The CAA records at exactly `name`, aliases followed; climbing is done elsewhere."""
        return self._look_up(name, "CAA", _caa)

    def _look_up(self, name: str, kind: str, read: Callable[[Rdata], T]) -> Answer[T]:
        import dns.exception
        import dns.name
        import dns.rdatatype

        until = time.monotonic() + self._seconds_a_question
        aliases: list[str] = []
        try:
            asked = dns.name.from_text(name)
            rdtype = dns.rdatatype.from_text(kind)
            while True:
                response = self._ask(asked, rdtype, until)
                if response is None:
                    return Answer("timeout", aliases=tuple(aliases))
                end, records = _followed(response, asked, rdtype, aliases)
                if records or end == asked or response.rcode() != 0:
                    return _answer(response, records, aliases, read)
                asked = end  # this server does not follow aliases: we do
        except (dns.exception.DNSException, _Nonsense):
            return Answer("broken", aliases=tuple(aliases))

    def _ask(self, name: Name, rdtype: RdataType, until: float) -> Message | None:
        """The first server's answer that settles it, else any; None when there was none in time."""
        unsettled = None
        for server in tuple(self._living()):
            patience = min(self._seconds_a_server, until - time.monotonic())
            if patience <= 0:
                break
            response = _asked(server, name, rdtype, patience)
            if response is None:
                self._living().remove(server)
            elif response.rcode() in _SETTLED:
                return response
            else:
                unsettled = response
        return unsettled

    def _living(self) -> list[tuple[str, int]]:
        if self._servers is None:
            given = self._addresses or _of_the_system()
            self._servers = [server for address in given for server in _by_ip(*address)]
        return self._servers


class _Nonsense(Exception):
    """An answer that cannot be one."""


def _asked(server: tuple[str, int], name: Name, rdtype: RdataType, patience: float) -> Message | None:
    """One server's answer, by UDP and by TCP where it is long; None when it is silent or away."""
    import dns.exception
    import dns.inet
    import dns.message
    import dns.query

    where = dns.inet.low_level_address_tuple(server)
    for share in (0.4, 0.6):  # twice: a datagram may get lost
        question = dns.message.make_query(name, rdtype, use_edns=0, payload=_UDP_PAYLOAD)
        try:
            with socket.socket(dns.inet.af_for_address(server[0]), socket.SOCK_DGRAM) as own:
                own.setblocking(False)
                own.connect(where)  # then a closed port is told at once, and strangers are not heard
                return dns.query.udp_with_fallback(
                    question,
                    server[0],
                    timeout=patience * share,
                    port=server[1],
                    ignore_unexpected=True,
                    udp_sock=own,
                )[0]
        except dns.exception.Timeout:
            continue
        except OSError:  # refused, unreachable
            break
        except EOFError as error:  # hung up in the middle of TCP
            raise _Nonsense from error
    return None


def _followed(response: Message, asked: Name, rdtype: RdataType, aliases: list[str]) -> tuple[Name, tuple[Rdata, ...]]:
    """Where the aliases in `response` lead from `asked`, and the records there; each step is added to `aliases`."""
    import dns.rdataclass
    import dns.rdatatype

    current = asked
    while True:
        found = response.get_rrset(response.answer, current, dns.rdataclass.IN, rdtype)
        if found is not None:
            if len(found) > MOST_RECORDS:
                raise _Nonsense
            return current, tuple(found)
        alias = response.get_rrset(response.answer, current, dns.rdataclass.IN, dns.rdatatype.CNAME)
        if alias is None:
            return current, ()
        if len(alias) != 1 or len(aliases) == MOST_HOPS:
            raise _Nonsense
        current = cast("CNAME", alias[0]).target
        aliases.append(current.to_text(omit_final_dot=True))


def _answer(
    response: Message, records: tuple[Rdata, ...], aliases: Sequence[str], read: Callable[[Rdata], T]
) -> Answer[T]:
    status: Status
    if response.rcode() not in _SETTLED:
        status = "servfail"
    elif records:
        return Answer("found", tuple(read(record) for record in records), tuple(aliases))
    else:
        status = "no-data" if response.rcode() == 0 else "nxdomain"
    return Answer(status, aliases=tuple(aliases))


def _txt(rdata: Rdata) -> str:
    return b"".join(cast("TXT", rdata).strings).decode("ascii", "backslashreplace")


def _caa(rdata: Rdata) -> CaaRecord:
    record = cast("CAA", rdata)
    tag, value = (part.decode("ascii", "backslashreplace") for part in (record.tag, record.value))
    return CaaRecord(record.flags, tag, value)


def _by_ip(host: str, port: int) -> list[tuple[str, int]]:
    """The IP addresses of a server; none for a name nobody knows: that is as good as silence."""
    import dns.inet

    if dns.inet.is_address(host):
        return [(host, port)]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return []
    return [(str(where[0]), port) for *_, where in found]


def _of_the_system() -> tuple[tuple[str, int], ...]:
    """The servers of /etc/resolv.conf; none where there is no such file."""
    import dns.resolver

    try:
        return tuple((str(server), 53) for server in dns.resolver.Resolver().nameservers)
    except dns.resolver.NoResolverConfiguration:
        return ()
