"""JPRS's side on the management side: subscribers, the operator, and what the CA does on its own.

ご利用条件 第4条, 第5条, 第10条–第12条, 第18条, 第22条.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jprs_client.testca.asgi import Response, json_response
from jprs_client.testca.ca import Authority
from jprs_client.testca.clock import parse_moment, rfc3339
from jprs_client.testca.faults import ACME_ENDPOINTS
from jprs_client.testca.jose import JoseError, decode, encode
from jprs_client.testca.orders import PRIVILEGE_WITHDRAWN, SUBSCRIBER_REASONS, Account, Certificate, Status
from jprs_client.testca.orders import REASONS as REASON_NAMES
from jprs_client.testca.pebble import by_serial
from jprs_client.testca.posted import Ask, Document, Offer, RequestError
from jprs_client.testca.signer import fingerprint, leaf_pem
from jprs_client.testca.subscribers import Subscriber, Term, UsageFqdn

#: What the CA may choose on its own (第12条5項).
CA_REASONS = SUBSCRIBER_REASONS | {PRIVILEGE_WITHDRAWN}
_ACCOUNT_STATUSES = (Status.VALID, Status.DEACTIVATED, Status.REVOKED)
_NAME = '{"name"}'


class Jprs:
    """What the operator tells JPRS, and what JPRS does."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority

    def offers(self) -> Sequence[Offer]:
        """The calls."""
        one, account = "/jprs/subscribers/{id}", "/jprs/accounts/{id}"
        usage = '{"name", "term": "1m" | "1y", "continuation_term"?}'
        made = f'{{"name", "usage_fqdns": [{usage}] | "any", "eab"?: {{"key_id", "hmac_key"}}}}'
        return (
            Offer("GET", "/jprs/subscribers", self._subscribers, "every subscriber"),
            Offer("POST", "/jprs/subscribers", self._subscribe, "a new one; answers its id and credentials", made),
            Offer("GET", one, self._subscriber, "its usage FQDNs, account and certificates"),
            Offer("POST", f"{one}/usage-fqdns", self._apply, "applies for one more usage FQDN", usage),
            Offer("POST", f"{one}/terminate", self._terminate, "files a termination notice (第10条4項・5項)", _NAME),
            Offer("POST", f"{one}/withdraw", self._withdraw, "takes the notice back (第10条4項)", _NAME),
            Offer(
                "POST",
                f"{one}/continuation",
                self._carry_on,
                "sets the term that the next continuation carries it on by (第10条3項)",
                '{"name", "term"}',
            ),
            Offer(
                "POST",
                f"{one}/cancel",
                self._cancel,
                "JPRS ends use at once and revokes what was issued for it (第12条1項); without a name all of it",
                '{"name"?}',
            ),
            Offer(
                "POST",
                f"{one}/credentials",
                self._credentials,
                "credentials for one more account (第5条1項); those before are no longer known",
                '{"eab"?}',
            ),
            Offer("GET", "/jprs/operator", self._operator, "whether the operator is suspended"),
            Offer("POST", "/jprs/operator/suspend", self._suspend, "from now on it is (第10条6項)"),
            Offer("POST", "/jprs/operator/resume", self._resume, "from now on it is not"),
            Offer(
                "POST",
                "/jprs/operator/revoke",
                self._operator_revokes,
                "the operator has a certificate revoked (第11条4項)",
                '{"serial", "reason"?: 0 | 1 | 3 | 4 | 5}',
            ),
            Offer(
                "POST",
                "/jprs/revoke",
                self._revoke,
                "the CA revokes on its own (第12条)",
                '{"serial", "reason"?: 0 | 1 | 3 | 4 | 5 | 9}',
            ),
            Offer("GET", "/jprs/certificates", self._certificates, "every certificate, oldest first"),
            Offer("GET", "/jprs/certificates/{serial}", self._certificate, "one, with its PEM"),
            Offer("GET", "/jprs/accounts", self._accounts, "every account"),
            Offer("GET", account, self._account, "one"),
            Offer(
                "POST", account, self._set_account, "sets its status", '{"status": "valid" | "deactivated" | "revoked"}'
            ),
            Offer("DELETE", account, self._forget_account, "the CA forgets it, as if it had never been"),
            Offer("GET", "/jprs/terms", self._terms, "which edition of the terms is in force, and who agreed to which"),
            Offer(
                "POST",
                "/jprs/terms",
                self._change_terms,
                "a new edition is in force (第22条): orders are refused with userActionRequired until it is agreed to",
                '{"require"?: true, "same_address"?: false}',
            ),
            Offer("GET", "/jprs/maintenance", self._maintenance, "until when the service is stopped"),
            Offer(
                "POST",
                "/jprs/maintenance",
                self._stop,
                "stops it (第18条): 503 with Retry-After",
                '{"until": TIME} or {"seconds"}',
            ),
            Offer("DELETE", "/jprs/maintenance", self._go_on, "ends that"),
            Offer("GET", "/jprs/rate-limits", self._limits, "the limits in force"),
            Offer(
                "POST",
                "/jprs/rate-limits",
                self._limit,
                "at most so many requests of a kind from one account in any so many seconds",
                '{"endpoint", "count", "seconds"}',
            ),
            Offer("DELETE", "/jprs/rate-limits", self._unlimit, "none any more, or none for one kind", '{"endpoint"?}'),
            Offer(
                "POST",
                "/jprs/renewal-info",
                self._renewal_info,
                "what renewalInfo says of a certificate (RFC 9773), each text as it is to be sent",
                '{"serial", "start"?, "end"?, "explanation_url"?, "retry_after"?}',
            ),
            Offer("DELETE", "/jprs/renewal-info/{serial}", self._usual_renewal_info, "what is usual again"),
            Offer("GET", "/jprs/issuers", self._issuers, "the intermediates, and which one signs"),
            Offer("POST", "/jprs/issuers", self._new_issuer, "a new one, which signs", '{"kind": "ecdsa" | "rsa"}'),
            Offer(
                "POST",
                "/jprs/issuers/{number}/revoke",
                self._revoke_issuer,
                "the roots' CRLs list it (第12条2項), and a new one signs; certificates: what it signed goes too",
                '{"reason"?, "certificates"?: false}',
            ),
            Offer("GET", "/jprs/issuer", self._issuers, "the same as /jprs/issuers"),
            Offer("POST", "/jprs/issuer", self._use, "which kind of intermediate signs", '{"use": "ecdsa|rsa|by-key"}'),
        )

    # subscribers

    def _subscribers(self, _ask: Ask) -> Response:
        return json_response(200, [self._shown(each) for each in self._ca.contracts.subscribers.values()])

    def _subscribe(self, ask: Ask) -> Response:
        return _handed_out(subscribe(self._ca, ask.document))

    def _subscriber(self, ask: Ask) -> Response:
        return json_response(200, self._shown(self._known(ask)))

    def _known(self, ask: Ask) -> Subscriber:
        try:
            return self._ca.contracts.subscriber(ask.segment)
        except KeyError:
            raise RequestError(f"no subscriber {ask.segment:.100}", 404) from None

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
        subscriber = self._known(ask)
        if not subscriber.limited:
            raise RequestError("this subscriber may use any name already", 409)
        return json_response(200, _usage(self._ca.contracts.apply(subscriber.identity, *_wanted(ask))))

    def _terminate(self, ask: Ask) -> Response:
        return json_response(200, _usage(self._ca.contracts.terminate(self._known(ask).identity, ask.name())))

    def _withdraw(self, ask: Ask) -> Response:
        return json_response(200, _usage(self._ca.contracts.withdraw(self._known(ask).identity, ask.name())))

    def _carry_on(self, ask: Ask) -> Response:
        identity, name = self._known(ask).identity, ask.name()
        return json_response(200, _usage(self._ca.contracts.carry_on_by(identity, name, _term(ask, "term"))))

    def _cancel(self, ask: Ask) -> Response:
        subscriber = self._known(ask)
        if ask.has("name"):
            names = [ask.name()]
        else:
            names = sorted(usage.name for usage in subscriber.usage_fqdns.values() if not usage.ended)
            if not names:
                raise RequestError("there is no usage FQDN to cancel", 409)
        for name in names:
            self._ca.cancel(subscriber.identity, name)
        return json_response(200, self._shown(subscriber))

    def _credentials(self, ask: Ask) -> Response:
        return _handed_out(self._ca.contracts.renew_credentials(self._known(ask).identity, _eab(ask)))

    # the operator, and the CA on its own

    def _operator(self, _ask: Ask) -> Response:
        return json_response(200, {"suspended": self._ca.contracts.suspended})

    def _suspend(self, ask: Ask) -> Response:
        self._ca.contracts.suspend(self._ca.now())
        return self._operator(ask)

    def _resume(self, ask: Ask) -> Response:
        self._ca.contracts.resume(self._ca.now())
        return self._operator(ask)

    def _operator_revokes(self, ask: Ask) -> Response:
        return self._revoked(ask, SUBSCRIBER_REASONS)

    def _revoke(self, ask: Ask) -> Response:
        return self._revoked(ask, CA_REASONS)

    def _revoked(self, ask: Ask, taken: frozenset[int]) -> Response:
        certificate = by_serial(self._ca, ask.text("serial"))
        self._ca.book.revoke(certificate, ask.reason(taken), self._ca.now())
        return json_response(200, _certificate(certificate))

    # certificates and accounts

    def _certificates(self, _ask: Ask) -> Response:
        return json_response(200, [_certificate(each) for each in self._ca.book.certificates.values()])

    def _certificate(self, ask: Ask) -> Response:
        certificate = by_serial(self._ca, ask.segment)
        more = {"pem": leaf_pem(certificate), "renewal_info": certificate.renewal_info}
        return json_response(200, {**_certificate(certificate), **more})

    def _accounts(self, _ask: Ask) -> Response:
        return json_response(200, [self._shown_account(each) for each in self._ca.book.accounts.values()])

    def _account(self, ask: Ask) -> Response:
        return json_response(200, self._shown_account(self._known_account(ask)))

    def _known_account(self, ask: Ask) -> Account:
        account = self._ca.book.accounts.get(ask.segment)
        if account is None:
            raise RequestError(f"no account {ask.segment:.100}", 404)
        return account

    def _shown_account(self, account: Account) -> dict[str, Any]:
        return {
            "id": account.identity,
            "url": account.url,
            "status": account.status,
            "forgotten": account.forgotten,
            "contact": list(account.contact),
            "subscriber": account.subscriber,
            "created_at": rfc3339(account.created_at),
            "agreed": account.agreed,
            "orders": len(account.orders),
            "certificates": [f"{serial:x}" for serial in account.certificates],
        }

    def _set_account(self, ask: Ask) -> Response:
        account, status = self._known_account(ask), ask.text("status")
        if status not in _ACCOUNT_STATUSES:
            raise RequestError(f"status: one of {', '.join(_ACCOUNT_STATUSES)}")
        account.status = Status(status)
        return json_response(200, self._shown_account(account))

    def _forget_account(self, ask: Ask) -> Response:
        account = self._known_account(ask)
        if account.forgotten:
            raise RequestError(f"account {account.identity} is forgotten already", 409)
        self._ca.book.forget(account)
        return json_response(200, self._shown_account(account))

    # the service: its terms, its stops, its limits

    def _terms(self, _ask: Ask) -> Response:
        terms = self._ca.terms
        accounts = {account.identity: account.agreed for account in self._ca.book.accounts.values()}
        shown = {"edition": terms.edition, "required": terms.required, "path": terms.path, "agreed": accounts}
        return json_response(200, shown)

    def _change_terms(self, ask: Ask) -> Response:
        self._ca.terms.change(require=ask.flag("require", True), same_address=ask.flag("same_address"))
        return self._terms(ask)

    def _maintenance(self, _ask: Ask) -> Response:
        until = self._ca.maintenance_until
        if until is not None and until <= self._ca.now():
            until = None
        return json_response(200, {"until": rfc3339(until) if until else None})

    def _stop(self, ask: Ask) -> Response:
        if ask.has("until") == ask.has("seconds"):
            raise RequestError("either until (RFC 3339) or seconds")
        now = self._ca.now()
        until = parse_moment(ask.text("until")) if ask.has("until") else now + ask.span("seconds")
        if until <= now:
            raise RequestError(f"that is over: it is {rfc3339(now)}")
        self._ca.maintenance_until = until
        return self._maintenance(ask)

    def _go_on(self, ask: Ask) -> Response:
        self._ca.maintenance_until = None
        return self._maintenance(ask)

    def _limits(self, _ask: Ask) -> Response:
        return json_response(200, self._ca.limits.shown())

    def _limit(self, ask: Ask) -> Response:
        count, seconds = ask.number("count"), ask.span("seconds")
        if seconds.total_seconds() <= 0:
            raise RequestError("seconds: more than none")
        self._ca.limits.set(_endpoint(ask), count, seconds)
        return self._limits(ask)

    def _unlimit(self, ask: Ask) -> Response:
        self._ca.limits.clear(_endpoint(ask) if ask.has("endpoint") else None)
        return self._limits(ask)

    # what is said of certificates, and who signs them

    def _renewal_info(self, ask: Ask) -> Response:
        certificate = by_serial(self._ca, ask.text("serial"))
        members = ("start", "end", "explanation_url", "retry_after")
        said = {member: ask.document[member] for member in members if ask.has(member)}
        if not said:
            raise RequestError(f"one of {', '.join(members)} is missing")
        wait = str(said.get("retry_after", ""))
        if not (wait.isascii() and wait.isprintable()):
            raise RequestError("retry_after: what a header can say, printable ASCII")
        certificate.renewal_info = said
        return json_response(200, said)

    def _usual_renewal_info(self, ask: Ask) -> Response:
        by_serial(self._ca, ask.segment).renewal_info = None
        return json_response(200, {})

    def _issuers(self, _ask: Ask) -> Response:
        pki = self._ca.pki
        newest = {each.kind: number for number, each in enumerate(pki.intermediates)}
        issuers = [
            {
                "number": number,
                "kind": each.kind,
                "subject": each.subject.rfc4514_string(),
                "signs": newest[each.kind] == number and pki.mode in {each.kind, "by-key"},
                "revoked_at": rfc3339(each.revocation.at) if each.revocation else None,
                "reason": each.revocation.reason if each.revocation else None,
            }
            for number, each in enumerate(pki.intermediates)
        ]
        return json_response(200, {"use": pki.mode, "issuers": issuers})

    def _use(self, ask: Ask) -> Response:
        self._ca.pki.use(ask.text("use"))
        return self._issuers(ask)

    def _new_issuer(self, ask: Ask) -> Response:
        self._ca.pki.new_intermediate(ask.text("kind"))
        return self._issuers(ask)

    def _revoke_issuer(self, ask: Ask) -> Response:
        text, pki, now = ask.segment, self._ca.pki, self._ca.now()
        if not text.isascii() or not text.isdigit() or not int(text[:9]) < len(pki.intermediates):
            raise RequestError(f"there are {len(pki.intermediates)} issuers", 404)
        number, reason, with_leaves = int(text), ask.document.get("reason", 0), ask.flag("certificates")
        if not isinstance(reason, int) or isinstance(reason, bool):
            raise RequestError("reason: a revocation's code")
        pki.revoke_intermediate(number, reason, now)
        kind = pki.intermediates[number].kind
        if number == max(index for index, each in enumerate(pki.intermediates) if each.kind == kind):
            pki.new_intermediate(kind)
        for certificate in self._ca.book.certificates.values():
            if with_leaves and certificate.issuer == number and certificate.revocation is None:
                # 第12条5項 knows no code for the CA's own key; the subscriber's is not compromised by it.
                self._ca.book.revoke(certificate, 0, now)
        return self._issuers(ask)


def subscribe(authority: Authority, document: Document) -> Subscriber:
    """A new subscriber from `name`, `usage_fqdns` (a list, or "any") and maybe `eab`. Raises RequestError."""
    ask = Ask(document)
    usages = document.get("usage_fqdns")
    wanted = None
    if usages != "any":
        if not isinstance(usages, list) or not all(isinstance(each, dict) for each in usages):
            raise RequestError('usage_fqdns: "any", or a list of objects with name and term')
        wanted = [_wanted(Ask(each)) for each in usages]
    return authority.contracts.subscribe(ask.text("name", empty=True), wanted, _eab(ask))


def _handed_out(subscriber: Subscriber) -> Response:
    eab = {"key_id": subscriber.key_id, "hmac_key": encode(subscriber.hmac_key)}
    return json_response(200, {"id": subscriber.identity, "eab": eab})


def _eab(ask: Ask) -> tuple[str, bytes] | None:
    eab = ask.document.get("eab")
    if eab is None:
        return None
    if not isinstance(eab, dict):
        raise RequestError("eab: an object with key_id and hmac_key")
    given = Ask(eab)
    try:
        return given.text("key_id"), decode(given.text("hmac_key").rstrip("="))
    except JoseError as error:
        raise RequestError(f"hmac_key: {error}") from error


def _term(ask: Ask, member: str) -> Term:
    try:
        return Term(ask.document.get(member))
    except ValueError:
        raise RequestError(f"{member}: 1m or 1y") from None


def _wanted(ask: Ask) -> tuple[str, Term, Term]:
    name, term = ask.usable_name(), _term(ask, "term")
    return name, term, _term(ask, "continuation_term") if "continuation_term" in ask.document else term


def _endpoint(ask: Ask) -> str:
    endpoint = ask.text("endpoint")
    if endpoint not in ACME_ENDPOINTS:
        raise RequestError(f"endpoint: one of {', '.join(sorted(ACME_ENDPOINTS))}")
    return endpoint


def _usage(usage: UsageFqdn) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": usage.name,
        "term": usage.term.value,
        "continuation_term": usage.continuation.value,
        "status": usage.status,
        "started": usage.started.isoformat() if usage.started else None,
        "ends": usage.ends.isoformat() if usage.ends else None,
        "terminating": usage.terminating,
    }
    return {**shown, "cancelled": True} if usage.cancelled else shown


def _certificate(certificate: Certificate) -> dict[str, Any]:
    revocation = certificate.revocation
    return {
        "serial": certificate.serial_hex,
        "names": list(certificate.names),
        "not_before": rfc3339(certificate.not_before),
        "not_after": rfc3339(certificate.not_after),
        "status": certificate.status,
        "reason": revocation.reason if revocation else None,
        "reason_name": REASON_NAMES[revocation.reason] if revocation else None,
        "revoked_at": rfc3339(revocation.at) if revocation else None,
        "key_spki_sha256": fingerprint(certificate.spki),
        "account": certificate.account,
        "issuer": certificate.issuer,
        "ari_id": certificate.ari_id,
    }
