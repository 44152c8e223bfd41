"""The server that is probed: requests to it, what they need, and the way to a certificate."""

from __future__ import annotations

import itertools
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from jprs_client.testca.conformance.jose import Key, Members, b64, compact, maced, signed, unb64
from jprs_client.testca.conformance.registry import FailureError, expect, fail, skip
from jprs_client.testca.conformance.responders import MockDns, Page, TlsResponder, WebResponder
from jprs_client.testca.conformance.wire import ACME_URN, Answer, Wire

JOSE = "application/jose+json"
#: Seconds that a validation or a signature may take.
LONGEST = 20.0
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z")

CertificateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class _Absent:
    """In place of a header's value: leave it out."""


ABSENT = _Absent()


@dataclass(slots=True)
class Account:
    """An account at the server: its key, its URL, and what its creation answered."""

    key: Key
    url: str
    answer: Answer

    @property
    def document(self) -> dict[str, Any]:
        """What its creation said of it."""
        return self.answer.document()


@dataclass(slots=True)
class Order:
    """An order, as the last answer showed it."""

    account: Account
    url: str
    answer: Answer

    @property
    def document(self) -> dict[str, Any]:
        """The object."""
        return self.answer.document()

    @property
    def status(self) -> str:
        """Its state."""
        return str(self.document.get("status"))

    @property
    def authorizations(self) -> list[str]:
        """The URLs of its authorizations."""
        return list(urls(self.document, "authorizations"))

    @property
    def finalize(self) -> str:
        """Where it is finalized."""
        return text(self.document, "finalize")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate: how it was got, its key, and what was downloaded."""

    order: Order
    key: CertificateKey
    csr: bytes
    url: str
    answer: Answer

    @property
    def chain(self) -> list[x509.Certificate]:
        """The certificates, the end entity's first. Raises FailureError."""
        try:
            return x509.load_pem_x509_certificates(self.answer.body)
        except ValueError:
            fail("the download is no list of certificates in PEM")

    @property
    def leaf(self) -> x509.Certificate:
        """The end entity's certificate."""
        return self.chain[0]

    @property
    def der(self) -> bytes:
        """The end entity's certificate."""
        return self.leaf.public_bytes(serialization.Encoding.DER)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request by POST."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tools:
    """What this machine can do for probes."""

    web: WebResponder
    suffix: str
    tls: TlsResponder | None = None
    dns: MockDns | None = None
    #: The next credentials, key id and HMAC key; None: there are none.
    credentials: Callable[[], tuple[str, bytes] | None] = field(default=lambda: None)


class Server:
    """A directory, and everything that is asked of it."""

    def __init__(self, wire: Wire, directory_url: str, tools: Tools) -> None:
        self.wire = wire
        self.directory_url = directory_url
        self.tools = tools
        self._nonces: list[str] = []
        self._names = (f"c{secrets.token_hex(3)}-{number}.{tools.suffix}" for number in itertools.count(1))

    # the directory

    @cached_property
    def directory_answer(self) -> Answer:
        """The directory as it was answered first."""
        return self.wire.request("GET", self.directory_url)

    @property
    def directory(self) -> dict[str, Any]:
        """The directory. Raises FailureError."""
        expect(self.directory_answer.status == 200, f"the directory: {self.directory_answer.said}")
        return self.directory_answer.document()

    @property
    def meta(self) -> dict[str, Any]:
        """What the directory says of the server."""
        value = self.directory.get("meta", {})
        return value if isinstance(value, dict) else {}

    def url(self, resource: str) -> str:
        """The directory's entry. Raises FailureError."""
        return text(self.directory, resource)

    def offered(self, resource: str) -> str:
        """The directory's entry. Raises SkipError where the server does not offer that."""
        if resource not in self.directory:
            skip(f"the directory has no {resource}")
        return self.url(resource)

    @property
    def wants_eab(self) -> bool:
        """Whether an account needs credentials."""
        return self.meta.get("externalAccountRequired") is True

    def now(self) -> datetime:
        """What the server's clock says. Raises FailureError."""
        said = self.wire.request("GET", self.directory_url).header("Date")
        expect(said, "an answer without Date")
        return parsedate_to_datetime(str(said)).astimezone(UTC)

    # requests

    def fresh_nonce(self) -> str:
        """One that nobody has used. Raises FailureError."""
        nonce = self.wire.request("HEAD", self.url("newNonce")).header("Replay-Nonce")
        if not nonce:
            fail("newNonce gave no Replay-Nonce")
        return nonce

    def post(
        self,
        url: str,
        payload: object = b"",
        *,
        by: Account | Key | None = None,
        header: Mapping[str, Any] | None = None,
        nonce: str | None = None,
        key: Key | None = None,
        tamper: Callable[[Members], object] | None = None,
        content_type: str | None = JOSE,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A signed request's answer. `payload`: octets (none: POST-as-GET), or what is to be JSON.

        `by`: an account (kid; default: the main one) or a key (jwk). `header` changes the protected header, ABSENT
        takes a member out. `key` signs in place of the right one. `tamper` has the last word: octets or JSON.
        A nonce that was not given here is tried again when the server refuses it, as RFC 8555 §6.5 says.
        """
        for _ in range(6):
            answer = self._sent(
                self.prepared(
                    url,
                    payload,
                    by=by,
                    header=header,
                    nonce=nonce,
                    key=key,
                    tamper=tamper,
                    content_type=content_type,
                    headers=headers,
                )
            )
            if answer.problem != "badNonce" or nonce is not None or "nonce" in (header or {}):
                break
        return answer

    def prepared(
        self,
        url: str,
        payload: object = b"",
        *,
        by: Account | Key | None = None,
        header: Mapping[str, Any] | None = None,
        nonce: str | None = None,
        key: Key | None = None,
        tamper: Callable[[Members], object] | None = None,
        content_type: str | None = JOSE,
        headers: Mapping[str, str] | None = None,
    ) -> Prepared:
        """A signed request that is not sent yet; see `post`."""
        signer = self.main if by is None else by
        own = signer if isinstance(signer, Key) else signer.key
        protected: dict[str, Any] = {
            "alg": (key or own).algorithm,
            "nonce": nonce or (self._nonces.pop() if self._nonces else self.fresh_nonce()),
            "url": url,
            **({"jwk": own.jwk} if isinstance(signer, Key) else {"kid": signer.url}),
        }
        protected |= header or {}
        protected = {name: value for name, value in protected.items() if value is not ABSENT}
        content = payload if isinstance(payload, bytes) else compact(payload)
        members: object = signed(key or own, protected, content)
        if tamper is not None and isinstance(members, dict):
            members = tamper(members)
        body = members if isinstance(members, bytes) else compact(members)
        return Prepared(url, body, ({"Content-Type": content_type} if content_type else {}) | dict(headers or {}))

    def _sent(self, request: Prepared) -> Answer:
        answer = self.wire.request("POST", request.url, request.body, request.headers)
        if given := answer.header("Replay-Nonce"):
            self._nonces = [given]
        return answer

    def at_once(self, requests: Sequence[Prepared]) -> list[Answer]:
        """What each of `requests` is answered with, sent at the same time. Raises NoAnswerError."""

        def send(request: Prepared) -> Answer:
            wire = self.wire.another()
            try:
                wire.request("HEAD", self.directory_url)  # so that what follows needs no handshake
                together.wait()
                return wire.request("POST", request.url, request.body, request.headers)
            finally:
                wire.close()

        together = threading.Barrier(len(requests), timeout=LONGEST)
        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(send, requests))

    def read(self, url: str, by: Account | None = None) -> Answer:
        """What POST-as-GET answers; it must be 200. Raises FailureError."""
        answer = self.post(url, by=by)
        expect(answer.status == 200, f"POST-as-GET: {answer.said}")
        return answer

    # accounts

    def binding(self, key: Key, url: str, **changes: object) -> Members:
        """An externalAccountBinding of the next credentials for `key`. Raises SkipError where there are none."""
        key_id, secret = self.credentials()
        return maced(secret, {"alg": "HS256", "kid": key_id, "url": url} | changes, compact(key.jwk))

    def credentials(self) -> tuple[str, bytes]:
        """The next ones. Raises SkipError where there are none."""
        given = self.tools.credentials()
        if given is None:
            skip("no credentials for external account binding were given")
        return given

    def try_account(self, key: Key, by: Any = None, **members: object) -> Answer:
        """What newAccount says to `members`, with a binding where the server wants one."""
        url = self.url("newAccount")
        document: dict[str, object] = {"termsOfServiceAgreed": True}
        if self.wants_eab and "externalAccountBinding" not in members:
            document["externalAccountBinding"] = self.binding(key, url)
        document |= members
        document = {name: value for name, value in document.items() if value is not ABSENT}
        return self.post(url, document, by=by or key)

    def new_account(self, key: Key | None = None, **members: object) -> Account:
        """An account. Raises FailureError."""
        key = key or Key.fresh()
        answer = self.try_account(key, **members)
        expect(answer.status in {200, 201}, f"newAccount: {answer.said}")
        return Account(key, location(answer), answer)

    @cached_property
    def main(self) -> Account:
        """The account most probes use."""
        return self.new_account(contact=["mailto:conformance@example.com"])

    @cached_property
    def other(self) -> Account:
        """Another account, which has nothing to do with the first one."""
        return self.new_account()

    # orders

    def name(self) -> str:
        """A name nobody has used."""
        return next(self._names)

    def try_order(self, names: Iterable[str], by: Account | None = None, **members: object) -> Answer:
        """What newOrder says."""
        identifiers = [{"type": "dns", "value": name} for name in names]
        return self.post(self.url("newOrder"), {"identifiers": identifiers} | members, by=by)

    def order(self, *names: str, by: Account | None = None, **members: object) -> Order:
        """An order for `names`, or for a new one. Raises FailureError."""
        answer = self.try_order(names or (self.name(),), by, **members)
        expect(answer.status == 201, f"newOrder: {answer.said}")
        return Order(by or self.main, location(answer), answer)

    @cached_property
    def pending(self) -> Order:
        """An order nobody has proved anything for; probes leave it as it is."""
        return self.order()

    def seen_again(self, order: Order) -> Order:
        """`order` as it is now."""
        return Order(order.account, order.url, self.read(order.url, order.account))

    # proofs

    def authorization(self, url: str, by: Account | None = None) -> dict[str, Any]:
        """The authorization at `url`. Raises FailureError."""
        return self.read(url, by).document()

    def challenge(self, order: Order, kind: str, place: int = 0) -> dict[str, Any]:
        """The challenge of that type in the order's authorization. Raises SkipError where it is not offered."""
        document = self.authorization(order.authorizations[place], order.account)
        return challenge_of(document, kind)

    def key_authorization(self, challenge: Mapping[str, Any], account: Account) -> str:
        """What proves control (RFC 8555 §8.1)."""
        return f"{challenge.get('token')}.{account.key.thumbprint}"

    def put_up(self, challenge: Mapping[str, Any], account: Account, page: Page | None = None) -> str:
        """Make the http-01 proof (or `page`) visible; its path."""
        path = f"/.well-known/acme-challenge/{challenge.get('token')}"
        self.tools.web.pages[path] = page or Page(self.key_authorization(challenge, account).encode())
        return path

    def respond(self, challenge: Mapping[str, Any], account: Account, payload: object = None) -> Answer:
        """Say that the proof is up."""
        return self.post(text(challenge, "url"), {} if payload is None else payload, by=account)

    def poll(self, url: str, ends: Iterable[str], by: Account | None = None) -> Answer:
        """The answer once the object at `url` has one of those states. Raises FailureError."""
        states, waiting = frozenset(ends), threading.Event()
        until, pause = time.monotonic() + LONGEST, 0.005
        while True:
            answer = self.read(url, by)
            status = answer.document().get("status")
            if status in states:
                return answer
            if time.monotonic() > until:
                fail(f"{status} after {LONGEST:.0f} s, not {' or '.join(sorted(states))}")
            waiting.wait(pause)
            pause = min(pause * 1.5, 0.3)

    def pause(self, seconds: float) -> None:
        """Let the server do what nothing tells of."""
        threading.Event().wait(seconds)

    def settled(self, url: str, by: Account | None = None) -> dict[str, Any]:
        """The authorization once its challenge was looked at. Raises FailureError."""
        return self.poll(url, ("valid", "invalid"), by).document()

    def prove(self, order: Order) -> Order:
        """The order, ready: all its names proved by http-01, wildcards by dns-01. Raises FailureError."""
        begun = []
        for url in order.authorizations:
            document = self.authorization(url, order.account)
            if document.get("status") == "valid":
                continue
            challenge = challenge_of(document, "dns-01" if document.get("wildcard") is True else "http-01")
            if challenge.get("type") == "dns-01":
                self.put_txt(document, challenge, order.account)
            else:
                self.put_up(challenge, order.account)
            answer = self.respond(challenge, order.account)
            expect(answer.status == 200, f"the challenge's answer: {answer.said}")
            begun.append(url)
        for url in begun:
            document = self.settled(url, order.account)
            expect(
                document.get("status") == "valid", f"a good proof came out {document.get('status')}: {why(document)}"
            )
        return Order(order.account, order.url, self.poll(order.url, ("ready", "invalid"), order.account))

    @property
    def dns(self) -> MockDns:
        """The mock DNS. Raises SkipError where there is none."""
        if self.tools.dns is None:
            skip("no mock DNS was given")
        return self.tools.dns

    def put_txt(self, document: Mapping[str, Any], challenge: Mapping[str, Any], account: Account) -> None:
        """Make the dns-01 proof visible."""
        self.dns.add_txt(f"_acme-challenge.{identifier(document)}", self.digest(challenge, account))

    def digest(self, challenge: Mapping[str, Any], account: Account) -> str:
        """The TXT record of a dns-01 proof."""
        return b64(sha256(self.key_authorization(challenge, account).encode()).digest())

    @cached_property
    def ready(self) -> Order:
        """An order that could be finalized; probes leave it ready."""
        return self.prove(self.order())

    def forget_ready(self) -> None:
        """The ready order was used up: the next who asks for one gets another."""
        self.__dict__.pop("ready", None)

    # certificates

    def finish(self, order: Order, csr: bytes) -> Order:
        """The order, finalized and valid. Raises FailureError."""
        answer = self.post(order.finalize, {"csr": b64(csr)}, by=order.account)
        expect(answer.status == 200, f"finalize: {answer.said}")
        done = Order(order.account, order.url, self.poll(order.url, ("valid", "invalid"), order.account))
        expect(done.status == "valid", f"the order came out {done.status}: {why(done.document)}")
        return done

    def issue(
        self, *names: str, by: Account | None = None, key: CertificateKey | None = None, **members: object
    ) -> Issued:
        """A certificate for `names`, or for a new one. Raises FailureError."""
        wanted = names or (self.name(),)
        order = self.prove(self.order(*wanted, by=by, **members))
        key = key or ec.generate_private_key(ec.SECP256R1())
        request = csr(key, wanted)
        order = self.finish(order, request)
        url = text(order.document, "certificate")
        return Issued(order, key, request, url, self.read(url, order.account))

    @cached_property
    def issued(self) -> Issued:
        """A certificate of the main account; probes leave it valid."""
        return self.issue()


def csr(
    key: CertificateKey,
    names: Sequence[str],
    *,
    common_name: str | None = None,
    extensions: Sequence[x509.ExtensionType] = (),
) -> bytes:
    """A certificate signing request in DER."""
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def text(document: Mapping[str, Any], member: str) -> str:
    """A text in an object. Raises FailureError."""
    value = document.get(member)
    if not isinstance(value, str):
        fail(f"{member} is no text but {type(value).__name__}" if member in document else f"no {member}")
    return value


def urls(document: Mapping[str, Any], member: str) -> Iterator[str]:
    """A list of texts in an object. Raises FailureError."""
    value = document.get(member)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        fail(f"{member} is no list of URLs")
    yield from value


def location(answer: Answer) -> str:
    """The Location header. Raises FailureError."""
    value = answer.header("Location")
    if not value:
        fail(f"{answer.status} without Location")
    return value


def identifier(document: Mapping[str, Any]) -> str:
    """The value of an authorization's identifier. Raises FailureError."""
    value = document.get("identifier")
    if not isinstance(value, dict):
        fail("an authorization without identifier")
    return text(value, "value")


def challenge_of(authorization: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The challenge of that type. Raises SkipError where it is not offered."""
    offered = authorization.get("challenges")
    challenges = [each for each in offered if isinstance(each, dict)] if isinstance(offered, list) else []
    found = [challenge for challenge in challenges if challenge.get("type") == kind]
    if not found:
        skip(f"{kind} is not offered")
    return found[0]


def why(document: Mapping[str, Any]) -> str:
    """The type of the error of an object, or of its challenges."""
    places = [document, *(each for each in document.get("challenges", ()) if isinstance(each, dict))]
    errors = [place["error"] for place in places if isinstance(place.get("error"), dict)]
    return str(errors[0].get("type", "no type")).removeprefix(ACME_URN) if errors else "no error"


def moment(value: object, what: str) -> datetime:
    """An RFC 3339 time. Raises FailureError."""
    if not isinstance(value, str) or not _RFC3339.match(value):
        fail(f"{what} is no RFC 3339 time")
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:
        fail(f"{what} is no time that exists")


def refused(answer: Answer, *kinds: str, status: Sequence[int] = ()) -> None:
    """Return where the request was refused, with one of `kinds` and of `status` if any are named.

    Raises FailureError.
    """
    expect(400 <= answer.status < 500, f"{answer.said}, not refused" if answer.status < 400 else answer.said)
    if kinds:
        expect(answer.problem in kinds, f"{answer.said}, not {' or '.join(kinds)}")
    if status:
        expect(answer.status in status, f"{answer.said}, not {' or '.join(map(str, status))}")


def said_json(data: bytes) -> object:
    """The value of a JSON text. Raises FailureError."""
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError):
        raise FailureError("no JSON") from None
    return value


def header_of(members: Mapping[str, Any]) -> dict[str, Any]:
    """The protected header of a JWS made here."""
    value: dict[str, Any] = json.loads(unb64(members["protected"]))
    return value
