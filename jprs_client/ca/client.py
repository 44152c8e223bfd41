"""The CA as a partner in conversation: RFC 8555's requests as methods, their answers as values.

One name takes nine requests, n names 2n+7: nothing known is asked again, every answer brings the nonce for the next
request, and what a POST answers is used. A request whose answer was lost is not repeated blindly: it is sent once more
as it was, with the same nonce, so that a CA that carried it out says so (FAULTS 58, 64, M13).
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from jprs_client.ca.answers import (
    NONCE,
    TOKEN,
    account_from,
    authorization_from,
    challenge_from,
    directory_from,
    json_object,
    order_from,
)
from jprs_client.ca.pem import certificates
from jprs_client.ca.problems import Asking, authorization_failure, order_failure, problem_from, refusal
from jprs_client.ca.renewal_info import DEFAULT as ARI_DEFAULT
from jprs_client.ca.renewal_info import LEAST as ARI_LEAST
from jprs_client.ca.renewal_info import MOST as ARI_MOST
from jprs_client.ca.renewal_info import ari_cert_id, renewal_info_from
from jprs_client.ca.retry_after import clamp
from jprs_client.ca.signing import Signer, base64url, compact_json, dns_value
from jprs_client.ca.transport import REDIRECTS, Answer, AnswerLost, Http
from jprs_client.ca.values import (
    Account,
    Authorization,
    Challenge,
    Directory,
    Order,
    Problem,
    RenewalInfo,
    Revocation,
)
from jprs_client.ca.waiting import MOST_ASKED, wait_for
from jprs_client.clock import Clock
from jprs_client.errors import BadAnswer, CaUnavailable, JprsClientError, RefusedByCa, StateUnusable, harmless

if TYPE_CHECKING:
    from jprs_client.keys import KeyType

#: How often a request whose nonce was refused is signed anew (FAULTS 71).
NONCE_TRIES = 5

#: Waits before a request that may be repeated is repeated, in seconds; a little is added by chance.
REPEAT_WAITS = (0.25, 1.0)

_PASSING = frozenset({500, 502, 503, 504})

#: An order that would be taken without `replaces` is ordered without (RFC 9773 §5, FAULTS 87).
_NOT_AS_REPLACEMENT = frozenset({"alreadyReplaced", "malformed", "unauthorized", "conflict", ""})

_POLLS_BETWEEN_LOOKS = 4


@dataclass(slots=True)
class _Known:
    """What is learnt once for all who talk to the same CA; shared by threads."""

    nonces: deque[str] = field(default_factory=lambda: deque(maxlen=64))
    directory: Directory | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Refused(Exception):
    """The CA's answer is a problem; never leaves this file."""

    def __init__(self, problem: Problem, answer: Answer) -> None:
        super().__init__(problem.type)
        self.problem = problem
        self.answer = answer


class Ca:
    """One CA, for one account or none yet. May be used by several threads at once."""

    def __init__(self, directory_url: str, http: Http, clock: Clock) -> None:
        self.directory_url = directory_url
        self._http = http
        self._clock = clock
        self._known = _Known()
        self._signer: Signer | None = None
        self._account_url: str | None = None

    def with_account(self, account_url: str, key_pem: bytes) -> Ca:
        """The same CA, talked to as this account; connections, nonces and directory are shared."""
        return self._as(Signer(key_pem), self._http.origin.own(account_url, "account"))

    def _as(self, signer: Signer, account_url: str | None) -> Ca:
        other = Ca(self.directory_url, self._http, self._clock)
        other._known, other._signer, other._account_url = self._known, signer, account_url
        return other

    # -- directory and account -------------------------------------------------------------------------------------

    def directory(self) -> Directory:
        """RFC 8555 §7.1.1; asked for once."""
        with self._known.lock:
            if self._known.directory is None:
                answer = self._repeated(lambda: self._http.get(self.directory_url, redirects=REDIRECTS))
                if answer.is_problem:
                    self._raise(answer, Asking.OTHER)
                self._known.directory = directory_from(self._json(answer, "directory"), self._http.origin)
            return self._known.directory

    def register(
        self,
        key_pem: bytes,
        contact: Iterable[str],
        *,
        eab: tuple[str, bytes] | None,
        terms_agreed: bool,
    ) -> Account:
        """An account for this key, new or the one it has already (RFC 8555 §7.3, §7.3.4).

        `eab` is key id and HMAC key. When the answer is lost, the account is looked for by its key, so that
        credentials that are good for one account are not spent for nothing (FAULTS 85, M13).
        """
        directory = self.directory()
        if directory.external_account_required and eab is None:
            raise RefusedByCa("eab-required", detail="externalAccountRequired")
        ca = self._as(Signer(key_pem), None)
        payload: dict[str, object] = {"contact": [_with_scheme(entry) for entry in contact]}
        if terms_agreed:
            payload["termsOfServiceAgreed"] = True
        if eab is not None:
            payload["externalAccountBinding"] = ca._signed_by().binding(eab[0], eab[1], directory.new_account)
        try:
            answer = ca._post(
                directory.new_account, compact_json(payload), Asking.REGISTRATION, with_eab=eab is not None
            )
        except CaUnavailable as error:
            # The account may be there now: only "try later" is no such case.
            if error.retry_at is None and (found := _or_none(lambda: self.find_account(key_pem))) is not None:
                return replace(found, created=True)
            raise
        return ca._account(answer, directory.new_account)

    def find_account(self, key_pem: bytes) -> Account | None:
        """The account that this key has, None when it has none (RFC 8555 §7.3.1). Needs no credentials."""
        new_account = self.directory().new_account
        ca = self._as(Signer(key_pem), None)
        try:
            answer = ca._accepted(
                new_account, compact_json({"onlyReturnExisting": True}), Asking.ACCOUNT, repeatable=True
            )
        except _Refused as refused:
            # Some CAs ask for credentials before they look (FAULTS M8): there is no account, as far as they tell.
            if refused.problem.kind in {"accountDoesNotExist", "externalAccountRequired"}:
                return None
            raise ca._error(refused, Asking.ACCOUNT) from None
        return ca._account(answer, new_account)

    def _account(self, answer: Answer, base: str) -> Account:
        body = self._json(answer, "account")
        url = self._http.origin.location(base, answer.location)
        return account_from(body, url, created=answer.status == 201)

    def account(self) -> Account:
        """The account as the CA knows it now (RFC 8555 §7.3)."""
        url = self._own_url()
        return account_from(self._json(self._post(url, b"", Asking.ACCOUNT), "account"), url)

    def update_contact(self, contact: Iterable[str]) -> Account:
        """The account with these contacts instead of the old ones (RFC 8555 §7.3.2)."""
        return self._update_account({"contact": [_with_scheme(entry) for entry in contact]})

    def agree_to_terms(self) -> Account:
        """The account with the present terms agreed to (RFC 8555 §7.3.3)."""
        return self._update_account({"termsOfServiceAgreed": True})

    def deactivate(self) -> Account:
        """The account, closed for good (RFC 8555 §7.3.6)."""
        return self._update_account({"status": "deactivated"})

    def _update_account(self, change: dict[str, object]) -> Account:
        url = self._own_url()
        answer = self._post(url, compact_json(change), Asking.ACCOUNT, repeatable=True)
        return account_from(self._json(answer, "account"), url)

    # -- orders ----------------------------------------------------------------------------------------------------

    def new_order(self, names: Iterable[object], *, replaces: str | None = None) -> Order:
        """An order for exactly `names`: A-labels, or what is one as `str` (RFC 8555 §7.4).

        `replaces` is the predecessor's `ari_cert_id`; it is left out where the CA has no renewal information, and
        once more ordered without where the CA will not have it (RFC 9773 §5): `Order.replaces_dropped` tells.
        """
        directory = self.directory()
        wanted = sorted({str(name) for name in names})
        payload: dict[str, object] = {"identifiers": [{"type": "dns", "value": name} for name in wanted]}
        one = wanted[0] if len(wanted) == 1 else None
        dropped = replaces is not None and directory.renewal_info is None
        if replaces is not None and not dropped:
            try:
                answer = self._accepted(
                    directory.new_order, compact_json(payload | {"replaces": replaces}), Asking.ORDER, repeatable=True
                )
                return self._order(answer, wanted)
            except _Refused as refused:
                if refused.answer.status not in {400, 403, 404, 409} or refused.problem.kind not in _NOT_AS_REPLACEMENT:
                    raise self._error(refused, Asking.ORDER, name=one) from None
                dropped = True
        answer = self._post(directory.new_order, compact_json(payload), Asking.ORDER, repeatable=True, name=one)
        return replace(self._order(answer, wanted), replaces_dropped=dropped)

    def order(self, url: str, names: Collection[object] | None = None) -> Order:
        """The order at `url`. With `names`, BadAnswer when it is not for exactly these.

        RefusedByCa "order-gone" when the CA knows it no more (FAULTS 77).
        """
        answer = self._read(url)
        return self._order(answer, None if names is None else [str(name) for name in names], url)

    def _order(self, answer: Answer, names: Collection[str] | None, url: str | None = None) -> Order:
        origin, body = self._http.origin, self._json(answer, "order")
        url = url if url is not None else origin.location(answer.url, answer.location)
        return order_from(body, url, names, origin, _patience(answer))

    def authorization(self, url: str, names: Collection[object] | None = None) -> Authorization:
        """What is to be proved, and how it stands. With `names`, BadAnswer when it is about none of them."""
        answer = self._read(url)
        among = None if names is None else frozenset(str(name) for name in names)
        body = self._json(answer, "authorization")
        return authorization_from(body, url, self._http.origin, among, _patience(answer))

    def deactivate_authorization(self, url: str) -> None:
        """Give an authorization up (RFC 8555 §7.5.2)."""
        self._post(url, compact_json({"status": "deactivated"}), Asking.RESUMED, repeatable=True)

    def key_authorization(self, token: str) -> str:
        """What proves control by http-01 (RFC 8555 §8.1)."""
        if not TOKEN.fullmatch(token):
            raise BadAnswer("ca-token-unusable", challenge="")
        return self._signed_by().key_authorization(token)

    def dns_value(self, token: str) -> str:
        """What proves control by dns-01 (RFC 8555 §8.4)."""
        return dns_value(self.key_authorization(token))

    def answer(self, challenge: Challenge, *, name: str | None = None) -> Challenge:
        """Tell the CA that the proof is up; the challenge as it stands now (RFC 8555 §7.5.1).

        `name` is for the error: some CAs answer here at once that validation failed (FAULTS M5).
        """
        try:
            answer = self._accepted(challenge.url, b"{}", Asking.RESUMED, repeatable=True)
        except _Refused as refused:
            kind = refused.problem.kind
            asking = Asking.FINALIZE if kind in {"connection", "dns", "tls", "incorrectResponse"} else Asking.RESUMED
            if kind == "unauthorized" and refused.answer.status == 400:
                asking = Asking.FINALIZE
            raise self._error(refused, asking, name=name, challenge=challenge.type) from None
        patience = _patience(answer)
        read = challenge_from(self._json(answer, "challenge"), self._http.origin, patience)
        return read if read is not None else replace(challenge, status="processing", retry_after=patience)

    def finalize(self, order: Order, csr_der: bytes) -> Order:
        """Send the request for the certificate; the order as it stands now (RFC 8555 §7.4).

        Where the answer is lost, or the order is not ready after all, the order itself tells how it stands.
        """
        if self._signed_by().spki_der in csr_der:
            raise StateUnusable("account-key-reused")  # THREATS D8
        one = next(iter(order.names)) if len(order.names) == 1 else None
        payload = compact_json({"csr": base64url(csr_der)})
        for last in (False, True):
            try:
                answer = self._accepted(order.finalize, payload, Asking.FINALIZE)
                return self._order(answer, order.names, order.url)
            except _Refused as refused:
                if refused.problem.kind != "orderNotReady" and refused.answer.status not in _PASSING:
                    raise self._error(refused, Asking.FINALIZE, name=one) from None
                problem = self._error(refused, Asking.FINALIZE, name=one)
            except AnswerLost as error:
                problem = error
            seen = self.order(order.url, order.names)
            if seen.status != "ready":
                return seen
            if not last:
                self._pause(REPEAT_WAITS[0])
        raise problem

    def until_ready(
        self, order: Order, deadline: float, *, first_wait: timedelta = timedelta(milliseconds=50)
    ) -> Order:
        """The order once it may be finalized, or is already (RFC 8555 §7.1.6); asks for the order alone.

        Every few looks, and when the order is invalid, the authorizations are asked, too: the error of the first
        that failed is raised, a ChallengeFailed mostly. `deadline` as in `wait_for`.
        """
        looks = 0

        def look() -> Order:
            nonlocal looks
            looks += 1
            seen = self.order(order.url, order.names)
            if seen.status == "pending" and looks % _POLLS_BETWEEN_LOOKS == 0:
                self._raise_failed(seen)
            return seen

        ready = wait_for(look, lambda seen: seen.status != "pending", deadline, self._clock, first_wait=first_wait)
        if ready.status == "invalid":
            self._raise_failed(ready)
            raise order_failure(ready, self._clock.now())
        return ready

    def until_issued(self, order: Order, deadline: float) -> Order:
        """The order once its certificate can be fetched; `order` is what `finalize` gave."""
        issued = wait_for(
            lambda: self.order(order.url, order.names),
            lambda seen: seen.status not in {"processing", "pending", "ready"},
            deadline,
            self._clock,
            seen=order,
        )
        if issued.status != "valid":
            raise order_failure(issued, self._clock.now())
        if issued.certificate is None:
            raise BadAnswer("ca-answer-malformed", what="certificate")
        return issued

    def _raise_failed(self, order: Order) -> None:
        for url in order.authorizations:
            seen = self.authorization(url, order.names)
            # A challenge may have failed while the authorization stays as it was (FAULTS M5).
            if seen.status in {"invalid", "revoked", "deactivated", "expired"} or (
                seen.status == "pending" and any(challenge.status == "invalid" for challenge in seen.challenges)
            ):
                raise authorization_failure(seen, self._clock.now())

    def certificate(self, url: str) -> tuple[bytes, ...]:
        """The certificates at `url` as DER, unverified, in the CA's order (RFC 8555 §7.4.2)."""
        answer = self._read(url, accept="application/pem-certificate-chain")
        if answer.content_type in {"text/html", "application/json"}:
            raise BadAnswer("ca-answer-not-acme", content_type=answer.content_type, status=answer.status)
        return certificates(answer.body)

    # -- revocation, renewal information ---------------------------------------------------------------------------

    def revoke(self, cert_der: bytes, reason: int, *, key_pem: bytes | None = None) -> Revocation:
        """Revoke, signed by the account, or by the certificate's own key if given (RFC 8555 §7.6).

        Reason 0 is said by not saying any (RFC 5280 §5.3.1). One that is revoked already counts as done.
        """
        url = self.directory().revoke_cert
        if url is None:
            raise RefusedByCa("revocation-not-offered", detail="revokeCert")
        payload: dict[str, object] = {"certificate": base64url(cert_der)}
        if reason:
            payload["reason"] = reason
        ca = self if key_pem is None else self._as(Signer(key_pem), None)
        try:
            ca._accepted(url, compact_json(payload), Asking.REVOCATION, repeatable=True)
        except _Refused as refused:
            if refused.problem.kind == "alreadyRevoked":
                return Revocation(already=True)
            raise ca._error(refused, Asking.REVOCATION) from None
        return Revocation()

    def renewal_info(self, cert_der: bytes) -> RenewalInfo | None:
        """What the CA says about the right moment to renew (RFC 9773); None where it says nothing at all, ever.

        It is advice, unsigned: whatever goes wrong is a value, not an error (THREATS D20).
        """
        name, now = ari_cert_id(cert_der), self._clock.now()
        try:
            base = self.directory().renewal_info
            if base is None or name is None:
                return None
            answer = self._repeated(lambda: self._http.get(f"{base.rstrip('/')}/{name}"))
        except (CaUnavailable, BadAnswer, RefusedByCa) as error:
            return RenewalInfo(now + ARI_DEFAULT, failure=error.code)
        if answer.status != 200:
            wait = clamp(answer.retry_after, ARI_LEAST, ARI_MOST, ARI_DEFAULT)
            return RenewalInfo(now + wait, failure="ari-refused")
        return renewal_info_from(answer.body, answer.retry_after, now)

    # -- signed requests -------------------------------------------------------------------------------------------

    def _signed_by(self) -> Signer:
        if self._signer is None:
            raise ValueError("no account: use with_account()")
        return self._signer

    def _own_url(self) -> str:
        if self._account_url is None:
            raise ValueError("no account: use with_account()")
        return self._account_url

    def _read(self, url: str, accept: str = "application/json") -> Answer:
        """POST-as-GET (RFC 8555 §6.3)."""
        return self._post(url, b"", Asking.RESUMED, repeatable=True, accept=accept)

    def _post(
        self,
        url: str,
        payload: bytes,
        asking: Asking,
        *,
        repeatable: bool = False,
        accept: str = "application/json",
        name: str | None = None,
        with_eab: bool = False,
    ) -> Answer:
        """The answer to a signed request; every refusal as an error for a person."""
        try:
            return self._accepted(url, payload, asking, repeatable=repeatable or not payload, accept=accept)
        except _Refused as refused:
            raise self._error(refused, asking, name=name, with_eab=with_eab) from None

    def _accepted(
        self,
        url: str,
        payload: bytes,
        asking: Asking,  # noqa: ARG002 - reads well where it is called
        *,
        repeatable: bool = False,
        accept: str = "application/json",
    ) -> Answer:
        """The answer to a signed request; _Refused with the CA's problem when it says no.

        `repeatable` requests are signed anew and sent again after a passing error; all others only when it is sure
        that the CA has not carried them out.
        """
        answer = (
            self._repeated(lambda: self._signed_exchange(url, payload, accept, repeatable=True))
            if repeatable
            else self._signed_exchange(url, payload, accept, repeatable=False)
        )
        if answer.is_problem and not _is_page(answer):
            raise _Refused(self._problem(answer), answer)
        if not 200 <= answer.status < 300:
            raise BadAnswer("ca-answer-not-acme", content_type=answer.content_type, status=answer.status)
        return answer

    def _signed_exchange(self, url: str, payload: bytes, accept: str, *, repeatable: bool) -> Answer:
        signer, kid = self._signed_by(), self._account_url
        lost: AnswerLost | None = None
        body = b""
        for attempt in range(NONCE_TRIES + 2):
            if lost is None:
                # After many refusals, one fetched for the purpose: whatever is in store may be stale (FAULTS 71).
                nonce = self._nonce(fresh=attempt > NONCE_TRIES)
                body = signer.signed(payload, url=url, nonce=nonce, kid=kid)
            try:
                answer = self._http.post(url, body, accept)
            except AnswerLost as error:
                if lost is not None or error.code != "ca-cut-off":
                    raise
                lost = error  # the same bytes again: with the nonce used up, the CA tells whether they had arrived
                continue
            self._keep_nonce(answer)
            if not (answer.status == 400 and self._problem(answer).kind == "badNonce"):
                return answer
            if lost is not None and not repeatable:
                raise lost
            lost = None
        raise CaUnavailable("ca-nonce-refused", detail=self._problem(answer).detail, problem_type="badNonce")

    def _nonce(self, *, fresh: bool = False) -> str:
        if fresh:
            self._known.nonces.clear()
        try:
            return self._known.nonces.pop()  # the newest: the oldest may have expired
        except IndexError:
            pass
        url = self.directory().new_nonce
        answer = self._repeated(lambda: self._http.head(url))
        if answer.status in {404, 405, 501}:  # RFC 8555 §7.2 has both; some have one (FAULTS 92)
            answer = self._repeated(lambda: self._http.get(url))
        if answer.is_problem:
            self._raise(answer, Asking.OTHER)
        if answer.nonce is None or not NONCE.fullmatch(answer.nonce):
            raise BadAnswer("ca-answer-malformed", what="Replay-Nonce")
        return answer.nonce

    def _keep_nonce(self, answer: Answer) -> None:
        if answer.nonce is not None and NONCE.fullmatch(answer.nonce):
            self._known.nonces.append(answer.nonce)

    def _repeated(self, exchange: Callable[[], Answer]) -> Answer:
        """The answer of something that does no harm when done twice, after at most two passing errors (FAULTS 68)."""
        for wait in REPEAT_WAITS:
            try:
                answer = exchange()
            except CaUnavailable as error:
                if error.code not in {"ca-cut-off", "ca-connection-refused"}:
                    raise
            else:
                if answer.status not in _PASSING or answer.retry_after is not None:
                    return answer
            self._pause(wait)
        return exchange()

    def _pause(self, seconds: float) -> None:
        self._clock.sleep(seconds * (1 + secrets.randbelow(500) / 1000))

    # -- what answers say ------------------------------------------------------------------------------------------

    def _json(self, answer: Answer, what: str) -> bytes:
        """The body, when it claims to be JSON: a portal's or firewall's page is not an answer of the CA (FAULTS 65)."""
        if answer.content_type not in {"application/json", "application/problem+json", ""}:
            if answer.body.lstrip()[:1] == b"{" and "html" not in answer.content_type:
                return answer.body
            raise BadAnswer("ca-answer-not-acme", content_type=harmless(answer.content_type), status=answer.status)
        if not answer.body:
            raise BadAnswer("ca-answer-malformed", what=what)
        return answer.body

    def _problem(self, answer: Answer) -> Problem:
        """The problem in an answer that says no; whatever it is, there is one (FAULTS M7)."""
        try:
            return problem_from(json_object(answer.body, "problem"), answer.status)
        except BadAnswer:
            return problem_from(None, answer.status)

    def _error(
        self,
        refused: _Refused,
        asking: Asking,
        *,
        name: str | None = None,
        with_eab: bool = False,
        challenge: str | None = None,
    ) -> JprsClientError:
        known = self._known.directory
        return refusal(
            refused.problem,
            asking=asking,
            now=self._clock.now(),
            name=name,
            wait=refused.answer.retry_after,
            with_eab=with_eab,
            challenge=challenge,
            url=known.terms_of_service if known is not None else None,
        )

    def _raise(self, answer: Answer, asking: Asking) -> NoReturn:
        if _is_page(answer):
            raise BadAnswer("ca-answer-not-acme", content_type=answer.content_type, status=answer.status)
        raise self._error(_Refused(self._problem(answer), answer), asking)


def account_key(key_type: KeyType) -> bytes:
    """A new account key, as PEM; to be stored before it is used."""
    from jprs_client import keys

    return keys.generate(key_type)


def _is_page(answer: Answer) -> bool:
    """Whether a portal, firewall or proxy speaks: what stops us for good has to be said by the CA itself."""
    return "html" in answer.content_type and answer.status < 500 and answer.status not in {404, 410, 429}


def _with_scheme(contact: str) -> str:
    return contact if contact.startswith(("mailto:", "tel:")) else f"mailto:{contact}"


def _or_none(look: Callable[[], Account | None]) -> Account | None:
    try:
        return look()
    except JprsClientError:
        return None


def _patience(answer: Answer) -> timedelta | None:
    """The wait that an answer asks for before the next look, within our bounds."""
    return None if answer.retry_after is None else min(answer.retry_after, MOST_ASKED)
