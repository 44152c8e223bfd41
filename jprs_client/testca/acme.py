"""What the ACME side does: RFC 8555 and RFC 9773. What stands where, who may see it, how it is written."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from jprs_client.testca.asgi import Response, json_response
from jprs_client.testca.ca import Authority
from jprs_client.testca.call import Call, Deed, Endpoint
from jprs_client.testca.clock import rfc3339
from jprs_client.testca.orders import (
    CESSATION,
    KEY_COMPROMISE,
    SUBSCRIBER_REASONS,
    Account,
    Authorization,
    Certificate,
    Challenge,
    Order,
    Status,
)
from jprs_client.testca.payloads import (
    der_said,
    names_said,
    read_ari_id,
    read_certificate,
    read_contact,
    read_flag,
    read_names,
    read_octets,
)
from jprs_client.testca.problems import Problem, malformed
from jprs_client.testca.signed import Gate, Signed, new_key
from jprs_client.testca.signer import read_csr
from jprs_client.testca.validity import suggested_window
from jprs_client.testca.work import Work

#: RFC 9773 §4.3: six hours until the next look at renewal information.
_LOOK_AGAIN = "21600"


class Acme:
    """What is done for each request, once it is known which one it is."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority
        self._gate = Gate(authority)
        self._work = Work(authority)

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Every path of the ACME side, `{}` for a segment that varies, and what stands there."""
        directory = Endpoint("directory", get=self._directory, post=self._read_signed(self._directory))
        every = {
            "/dir": directory,
            "/directory": directory,  # where Boulder has it, and some clients always look
            "/terms": Endpoint("terms", get=self._terms),
            "/terms/{}": Endpoint("terms", get=self._terms),
            "/acme/new-nonce": Endpoint("newNonce", get=_new_nonce, post=self._read_signed(_new_nonce)),
            "/acme/new-account": Endpoint("newAccount", post=self._new_account),
            "/acme/account/{}": Endpoint("account", post=self._account),
            "/acme/account/{}/orders": Endpoint("orders", post=self._orders),
            "/acme/new-order": Endpoint("newOrder", post=self._new_order),
            "/acme/order/{}": Endpoint("order", post=self._order),
            "/acme/order/{}/finalize": Endpoint("finalize", post=self._finalize),
            "/acme/authorization/{}": Endpoint("authorization", post=self._authorization),
            "/acme/challenge/{}/{}": Endpoint("challenge", post=self._challenge),
            "/acme/certificate/{}": Endpoint("certificate", post=self._certificate),
            "/acme/certificate/{}/{}": Endpoint("certificate", post=self._certificate),
            "/acme/revoke-cert": Endpoint("revokeCert", post=self._revoke_cert),
            "/acme/key-change": Endpoint("keyChange", post=self._key_change),
            "/acme/renewal-info/{}": Endpoint("renewalInfo", get=self._renewal_info),
        }
        return {path: endpoint for path, endpoint in every.items() if endpoint.name not in self._ca.settings.without}

    def names_concerned(self, call: Call) -> Sequence[str]:
        """The DNS names a request is about, as far as can be told before it is verified."""
        book, identity = self._ca.book, call.segments[0] if call.segments else ""
        if call.endpoint in {"order", "finalize"} and identity in book.orders:
            return book.orders[identity].names
        if call.endpoint in {"authorization", "challenge"} and identity in book.authorizations:
            return [book.authorizations[identity].full_name]
        if call.endpoint == "certificate" and (certificate := self._by_hex(identity)) is not None:
            return certificate.names
        if call.endpoint == "renewalInfo" and (certificate := book.by_ari_id(identity)) is not None:
            return certificate.names
        if call.endpoint == "newOrder":
            return names_said(call.request.body)
        if call.endpoint == "revokeCert" and (certificate := book.by_der(der_said(call.request.body))) is not None:
            return certificate.names
        return ()

    def _signed(self, call: Call, by: str = "kid") -> Signed:
        refuse_nonce = call.fault is not None and call.fault.refuses_nonce
        signed = self._gate.open(call.request, call.base, by=by, refuse_nonce=refuse_nonce)
        if signed.account is not None:
            call.account = signed.account.identity
        # A key without an account is new each time; accounts are counted all together.
        counted = "" if call.endpoint == "newAccount" else call.account or signed.jwk.thumbprint
        self._ca.limits.count(call.endpoint, counted, self._ca.clock.now())
        return signed

    # the directory

    def _read_signed(self, deed: Deed) -> Deed:
        """The same by POST-as-GET, which RFC 8555 §6.3 wants for what GET is for as well."""

        def read(call: Call) -> Response:
            self._signed(call).require_read()
            return deed(call)

        return read

    def _directory(self, call: Call) -> Response:
        terms = f"{call.base}{self._ca.terms.path}"
        meta: dict[str, Any] = {
            "termsOfService": terms,
            "website": terms,
            "caaIdentities": list(self._ca.settings.caa_identities),
        }
        if self._ca.settings.eab_required:
            meta["externalAccountRequired"] = True
        if self._ca.settings.profiles:
            meta["profiles"] = {name: profile.description for name, profile in self._ca.settings.profiles.items()}
        entries = {
            "newNonce": "new-nonce",
            "newAccount": "new-account",
            "newOrder": "new-order",
            "revokeCert": "revoke-cert",
            "keyChange": "key-change",
            "renewalInfo": "renewal-info",
        }
        offered = {name: call.link(path) for name, path in entries.items() if name not in self._ca.settings.without}
        return json_response(200, {**offered, "meta": meta})

    def _terms(self, call: Call) -> Response:
        edition = call.segments[0] if call.segments else "1"
        if edition not in {str(number) for number in range(1, self._ca.terms.edition + 1)}:
            raise malformed("no such edition of the terms", 404)
        text = (
            f"TEST - DO NOT TRUST\nEdition {edition} of the terms of this test CA: its certificates are for tests.\n"
            'An account agrees to the edition in force by sending {"termsOfServiceAgreed": true} to its URL.\n'
        )
        return Response(200, text.encode(), "text/plain; charset=utf-8")

    # accounts

    def _new_account(self, call: Call) -> Response:
        signed = self._signed(call, "jwk")
        document = signed.document()
        only_existing = read_flag(document, "onlyReturnExisting")
        account = self._ca.book.account_by_key(signed.jwk)
        if account is not None:  # RFC 8555 §7.3.1: whatever else the request says is ignored
            call.account = account.identity
            if account.status is not Status.VALID:
                raise Problem("unauthorized", f"the account of this key is {account.status}", 401)
            return self._account_response(call, account, 200)
        if only_existing:
            raise Problem("accountDoesNotExist", "this key has no account")
        self._gate.good_key(signed.jwk)
        contact = read_contact(document)
        if not read_flag(document, "termsOfServiceAgreed"):
            raise _not_agreed(f"{call.base}{self._ca.terms.path}")
        binding = document.get("externalAccountBinding")
        subscriber = None
        if binding is not None:
            subscriber = self._gate.binding(binding, call.url, signed.jwk)
        elif self._ca.settings.eab_required:
            raise Problem("externalAccountRequired", "an account needs the credentials the operator hands out")
        account = self._ca.book.create_account(
            signed.jwk,
            contact,
            self._ca.clock.now(),
            lambda identity: call.link("account", identity),
            subscriber.identity if subscriber else None,
            binding,
        )
        account.agreed = self._ca.terms.edition
        if subscriber is not None:  # only now are the credentials used up
            subscriber.account = account.identity
        call.account = account.identity
        return self._account_response(call, account, 201)

    def _account_response(self, call: Call, account: Account, status: int) -> Response:
        document: dict[str, Any] = {
            "status": account.status,
            "contact": list(account.contact),
            "termsOfServiceAgreed": account.agreed >= self._ca.terms.required,
            "orders": call.link("account", account.identity, "orders"),
        }
        if account.binding is not None:
            document["externalAccountBinding"] = dict(account.binding)
        response = json_response(status, document)
        response.set("Location", call.link("account", account.identity))
        response.headers.append(("Link", f'<{call.base}{self._ca.terms.path}>;rel="terms-of-service"'))
        return response

    def _own_account(self, call: Call) -> tuple[Signed, Account]:
        signed = self._signed(call)
        if call.segments[0] != signed.signer.identity:
            raise Problem("unauthorized", "this is not the account that signs")
        return signed, signed.signer

    def _account(self, call: Call) -> Response:
        signed, account = self._own_account(call)
        if not signed.is_read:
            document = signed.document()
            contact = read_contact(document) if "contact" in document else account.contact
            # RFC 8555 §7.3.2: a status other than deactivated, and whatever else, is left unread.
            if document.get("status") == Status.DEACTIVATED:
                self._ca.book.deactivate_account(account)
            else:
                account.contact = contact
                if document.get("termsOfServiceAgreed") is True:  # §7.3.3: how to agree anew is the CA's to say
                    account.agreed = self._ca.terms.edition
        return self._account_response(call, account, 200)

    def _orders(self, call: Call) -> Response:
        signed, account = self._own_account(call)
        signed.require_read()
        cursor = re.fullmatch(r"(?:cursor=([0-9]{1,15}))?", call.request.query)
        if cursor is None:
            raise malformed("no such page of the list", 404)
        most = self._ca.settings.orders_a_page
        page, more = self._ca.book.orders_of(account, self._ca.clock.now(), most, int(cursor[1] or 0))
        response = json_response(200, {"orders": [call.link("order", order.identity) for order in page]})
        if more:
            following = f"{call.base}{call.request.path}?cursor={page[-1].number}"
            response.headers.append(("Link", f'<{following}>;rel="next"'))
        return response

    def _key_change(self, call: Call) -> Response:
        signed = self._signed(call)
        account = signed.signer
        url = call.link("account", account.identity)
        jwk = new_key(signed.payload, call.url, account, url)
        self._gate.good_key(jwk)
        present = self._ca.book.account_by_key(jwk)
        if present is not None:
            location = ("Location", call.link("account", present.identity))
            raise Problem("malformed", "the new key has an account already", 409, headers=(location,))
        self._ca.book.change_key(account, jwk)
        return self._account_response(call, account, 200)

    # orders

    def _new_order(self, call: Call) -> Response:
        signed = self._signed(call)
        document = signed.document()
        names = read_names(document)
        if "notBefore" in document or "notAfter" in document:
            raise malformed("notBefore and notAfter are the CA's to choose")
        profile = self._profile(document.get("profile"))
        replaces = None
        if "renewalInfo" not in self._ca.settings.without and "replaces" in document:
            replaces = read_ari_id(document["replaces"])
        self._ca.terms.require(signed.signer.agreed, call.base)
        self._ca.check_names(signed.signer, names)
        reuse = self._ca.settings.reuse
        order = self._ca.book.new_order(
            signed.signer, names, self._ca.clock.now(), replaces, profile, lambda: secrets.randbelow(100) < reuse
        )
        return self._order_response(call, order, 201)

    def _profile(self, asked: object) -> str | None:
        """The profile of an order; a CA that has none does not know the member (draft-ietf-acme-profiles)."""
        profiles = self._ca.settings.profiles
        if not profiles or asked is None:
            return next(iter(profiles), None)
        if not isinstance(asked, str) or asked not in profiles:
            raise Problem("invalidProfile", f"profile {asked!r:.100} is none of {', '.join(profiles)}")
        return asked

    def _own_order(self, call: Call) -> tuple[Signed, Order]:
        signed = self._signed(call)
        order = self._ca.book.orders.get(call.segments[0])
        if order is None:
            raise malformed("no such order", 404)
        if order.account != signed.signer.identity:
            raise Problem("unauthorized", "the order is another account's")
        return signed, self._ca.book.look_at(order, self._ca.clock.now())

    def _order(self, call: Call) -> Response:
        signed, order = self._own_order(call)
        signed.require_read()
        return self._order_response(call, order, 200)

    def _order_response(self, call: Call, order: Order, status: int) -> Response:
        document: dict[str, Any] = {
            "status": order.status,
            "expires": rfc3339(order.expires_at),
            "identifiers": [{"type": "dns", "value": name} for name in order.names],
            "authorizations": [call.link("authorization", identity) for identity in order.authorizations],
            "finalize": call.link("order", order.identity, "finalize"),
        }
        if order.replaces is not None:
            document["replaces"] = order.replaces
        if order.profile is not None:
            document["profile"] = order.profile
        if order.problem is not None:
            document["error"] = order.problem.document()
        if order.serial is not None:
            document["certificate"] = call.link("certificate", f"{order.serial:x}")
        response = json_response(status, document)
        response.set("Location", call.link("order", order.identity))
        if order.status is Status.PROCESSING:
            self._ask_again(response)
        return response

    def _ask_again(self, response: Response) -> None:
        """RFC 8555 §7.5.1: the CA may suggest how long to wait; this one only does where its settings say so."""
        if self._ca.settings.ask_again is not None:
            response.set("Retry-After", str(self._ca.settings.ask_again))

    def _finalize(self, call: Call) -> Response:
        signed, order = self._own_order(call)
        account = signed.signer
        if order.status is not Status.READY:
            raise Problem("orderNotReady", f"the order is {order.status}, not ready")
        request = read_csr(read_octets(signed.document(), "csr"))
        if request.names != frozenset(order.names):
            asked, ordered = ", ".join(sorted(request.names)) or "nothing", ", ".join(sorted(order.names))
            raise Problem("badCSR", f"the CSR asks for {asked:.300}; the order is for {ordered:.300}")
        if self._ca.book.account_by_spki(request.spki) is not None:
            raise Problem("badCSR", "the key of an account cannot be that of a certificate (RFC 8555 §11.1)")
        if self._ca.book.is_blocked(request.spki):
            raise Problem("badCSR", "the key was reported compromised")
        self._ca.book.finalizing(order, self._ca.clock.now())
        self._ca.start(self._work.sign(account, order, request))
        return self._order_response(call, order, 200)

    # proofs

    def _own_authorization(self, call: Call) -> tuple[Signed, Authorization]:
        signed = self._signed(call)
        authorization = self._ca.book.authorizations.get(call.segments[0])
        if authorization is None:
            raise malformed("no such authorization", 404)
        if authorization.account != signed.signer.identity:
            raise Problem("unauthorized", "the authorization is another account's")
        authorization.look(self._ca.clock.now())
        return signed, authorization

    def _authorization(self, call: Call) -> Response:
        signed, authorization = self._own_authorization(call)
        if not signed.is_read:
            if signed.document().get("status") != Status.DEACTIVATED:
                raise malformed("an authorization can be read or deactivated")
            self._ca.book.deactivate(authorization)
        shown = authorization.challenges
        if authorization.status is not Status.PENDING:  # RFC 8555 §7.1.4: then, the one that decided
            shown = [challenge for challenge in shown if challenge.status is not Status.PENDING] or shown
        document: dict[str, Any] = {
            "status": authorization.status,
            "identifier": {"type": "dns", "value": authorization.name},
            "challenges": [_challenge_document(call, authorization, challenge) for challenge in shown],
            "expires": rfc3339(authorization.expires_at),
        }
        if authorization.wildcard:
            document["wildcard"] = True
        response = json_response(200, document)
        if any(challenge.status is Status.PROCESSING for challenge in shown):
            self._ask_again(response)
        return response

    def _challenge(self, call: Call) -> Response:
        signed, authorization = self._own_authorization(call)
        challenge = authorization.challenge(call.segments[1])
        if challenge is None:
            raise malformed("no such challenge", 404)
        if not signed.is_read:
            signed.document()
            if self._ca.book.begin(authorization, challenge, self._ca.clock.now()):
                self._ca.start(self._work.validate(signed.signer, authorization, challenge))
            elif authorization.status is not Status.VALID and challenge.status is not Status.PROCESSING:
                raise malformed(f"the authorization is {authorization.status}, the challenge {challenge.status}")
        response = json_response(200, _challenge_document(call, authorization, challenge))
        response.headers.append(("Link", f'<{call.link("authorization", authorization.identity)}>;rel="up"'))
        response.set("Location", call.link("challenge", authorization.identity, challenge.kind))
        if challenge.status is Status.PROCESSING:
            self._ask_again(response)
        return response

    # certificates

    def _by_hex(self, text: str) -> Certificate | None:
        if not re.fullmatch(r"[0-9a-f]{1,40}", text):
            return None
        return self._ca.book.certificates.get(int(text, 16))

    def _certificate(self, call: Call) -> Response:
        signed = self._signed(call)
        signed.require_read()
        certificate = self._by_hex(call.segments[0])
        number = self._chain_number(call)
        if certificate is None or number is None:
            raise malformed("no such certificate", 404)
        if certificate.account != signed.signer.identity:
            raise Problem("unauthorized", "the certificate is another account's")
        chain = self._ca.pki.chain(certificate, number)
        response = Response(200, chain.encode(), "application/pem-certificate-chain")
        for other in range(1 + self._ca.pki.alternates):  # RFC 8555 §7.4.2
            if other != number:
                where = call.link("certificate", call.segments[0], *([str(other)] if other else []))
                response.headers.append(("Link", f'<{where}>;rel="alternate"'))
        return response

    def _chain_number(self, call: Call) -> int | None:
        """Which of a certificate's chains is asked for: 0 is the default, and has no number in its address."""
        if len(call.segments) < 2:
            return 0
        there = {str(number): number for number in range(1, 1 + self._ca.pki.alternates)}
        return there.get(call.segments[1])

    def _revoke_cert(self, call: Call) -> Response:
        signed = self._signed(call, "either")
        document = signed.document()
        certificate = self._to_revoke(document)
        reason = document.get("reason", 0)
        now = self._ca.clock.now()
        by = self._right_to_revoke(signed, certificate)
        if not isinstance(reason, int) or isinstance(reason, bool) or reason not in SUBSCRIBER_REASONS:
            taken = ", ".join(str(code) for code in sorted(SUBSCRIBER_REASONS))
            raise Problem("badRevocationReason", f"reason {reason!r:.40}: a subscriber chooses one of {taken}")
        if by == "key":  # even where nothing is left to revoke
            self._ca.book.block(certificate.spki)
        if certificate.revocation is None and now > certificate.not_after:
            raise Problem("unauthorized", "the certificate has expired")
        # As Boulder decides: who has the key shows that others may have it; who has the names, that the site moved.
        reason = {"key": KEY_COMPROMISE, "names": CESSATION}.get(by, reason)
        self._ca.book.revoke(certificate, reason, now)
        return Response(200)

    def _to_revoke(self, document: Mapping[str, Any]) -> Certificate:
        certificate = self._ca.book.by_der(read_octets(document, "certificate"))
        if certificate is None:
            shown = read_certificate(document)
            if shown.serial_number in self._ca.book.certificates:
                raise malformed("a certificate of that serial was issued, but not this: a precertificate, maybe", 404)
            raise malformed("no such certificate", 404)
        return certificate

    def _right_to_revoke(self, signed: Signed, certificate: Certificate) -> str:
        """RFC 8555 §7.6: by the account, the certificate's key, or whoever has proved every name. Raises Problem."""
        if signed.account is None:
            if signed.jwk.spki != certificate.spki:
                raise Problem("unauthorized", "signed with a key that is not the certificate's")
            return "key"
        if signed.account.identity == certificate.account:
            return "account"
        if self._ca.book.has_proved(signed.account, certificate.names, self._ca.clock.now()):
            return "names"
        raise Problem("unauthorized", "neither the account nor its authorizations give a right to revoke this")

    def _renewal_info(self, call: Call) -> Response:
        certificate = self._ca.book.by_ari_id(read_ari_id(call.segments[0]))
        if certificate is None:
            raise malformed("no such certificate", 404)
        revoked_at = certificate.revocation.at if certificate.revocation else None
        start, end = suggested_window(certificate.not_before, certificate.not_after, revoked_at)
        told = certificate.renewal_info or {}
        window = {"start": _moment(told.get("start", start)), "end": _moment(told.get("end", end))}
        document: dict[str, Any] = {"suggestedWindow": window}
        if told.get("explanation_url") is not None:
            document["explanationURL"] = told["explanation_url"]
        response = json_response(200, document)
        if isinstance(told.get("body"), str):  # set as for Pebble: whatever it is, as it is
            response.body = str(told["body"]).encode()
        response.set("Retry-After", str(told.get("retry_after", _LOOK_AGAIN)))
        return response


def _not_agreed(terms: str) -> Problem:
    """RFC 8555 §7.3; what userActionRequired is to have, §6.7 and §7.3.3 say."""
    link = ("Link", f'<{terms}>;rel="terms-of-service"')
    detail = f"the terms of service are to be agreed to: {terms}"
    return Problem("userActionRequired", detail, headers=(link,), more={"instance": terms})


def _moment(value: object) -> str:
    """A moment as RFC 3339 writes it; a text, which a test chose, as it is."""
    return rfc3339(value) if isinstance(value, datetime) else str(value)


def _new_nonce(call: Call) -> Response:
    return Response(200 if call.request.method == "HEAD" else 204)


def _challenge_document(call: Call, authorization: Authorization, challenge: Challenge) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": challenge.kind,
        "url": call.link("challenge", authorization.identity, challenge.kind),
        "status": challenge.status,
        "token": challenge.token,
    }
    if challenge.validated_at is not None:
        document["validated"] = rfc3339(challenge.validated_at)
    if challenge.problem is not None:
        document["error"] = challenge.problem.document()
    return document
