"""What the ACME side does: RFC 8555 and RFC 9773. What stands where, who may see it, how it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
from jprs_client.testca.payloads import der_said, names_said, read_contact, read_flag, read_names, read_octets
from jprs_client.testca.problems import Problem, malformed
from jprs_client.testca.signed import Gate, Signed, new_key
from jprs_client.testca.signer import read_csr
from jprs_client.testca.validity import suggested_window
from jprs_client.testca.work import Work

#: RFC 9773 §4.3: six hours until the next look at renewal information.
_LOOK_AGAIN = "21600"
_ORDERS_A_PAGE = 100


class Acme:
    """What is done for each request, once it is known which one it is."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority
        self._gate = Gate(authority)
        self._work = Work(authority)

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Every path of the ACME side, `{}` for a segment that varies, and what stands there."""
        return {
            "/dir": Endpoint("directory", get=self._directory, post=self._read_signed(self._directory)),
            "/terms": Endpoint("terms", get=_terms),
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
            "/acme/revoke-cert": Endpoint("revokeCert", post=self._revoke_cert),
            "/acme/key-change": Endpoint("keyChange", post=self._key_change),
            "/acme/renewal-info/{}": Endpoint("renewalInfo", get=self._renewal_info),
        }

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
        return signed

    # the directory

    def _read_signed(self, deed: Deed) -> Deed:
        """The same by POST-as-GET, which RFC 8555 §6.3 wants for what GET is for as well."""

        def read(call: Call) -> Response:
            self._signed(call).require_read()
            return deed(call)

        return read

    def _directory(self, call: Call) -> Response:
        meta: dict[str, Any] = {
            "termsOfService": f"{call.base}/terms",
            "website": f"{call.base}/terms",
            "caaIdentities": list(self._ca.settings.caa_identities),
        }
        if self._ca.settings.eab_required:
            meta["externalAccountRequired"] = True
        return json_response(
            200,
            {
                "newNonce": call.link("new-nonce"),
                "newAccount": call.link("new-account"),
                "newOrder": call.link("new-order"),
                "revokeCert": call.link("revoke-cert"),
                "keyChange": call.link("key-change"),
                "renewalInfo": call.link("renewal-info"),
                "meta": meta,
            },
        )

    # accounts

    def _new_account(self, call: Call) -> Response:
        signed = self._signed(call, "jwk")
        document = signed.document()
        account = self._ca.book.account_by_key(signed.jwk)
        if account is not None:
            call.account = account.identity
            if account.status is not Status.VALID:
                raise Problem("unauthorized", f"the account of this key is {account.status}", 401)
            return self._account_response(call, account, 200)
        if read_flag(document, "onlyReturnExisting"):
            raise Problem("accountDoesNotExist", "this key has no account")
        contact = read_contact(document)
        if not read_flag(document, "termsOfServiceAgreed"):
            terms = ("Link", f'<{call.base}/terms>;rel="terms-of-service"')
            raise Problem("userActionRequired", "the terms of service are to be agreed to", headers=(terms,))
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
        if subscriber is not None:  # only now are the credentials used up
            subscriber.account = account.identity
        call.account = account.identity
        return self._account_response(call, account, 201)

    def _account_response(self, call: Call, account: Account, status: int) -> Response:
        document: dict[str, Any] = {
            "status": account.status,
            "contact": list(account.contact),
            "termsOfServiceAgreed": True,
            "orders": call.link("account", account.identity, "orders"),
        }
        if account.binding is not None:
            document["externalAccountBinding"] = dict(account.binding)
        response = json_response(status, document)
        response.set("Location", call.link("account", account.identity))
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
            if "contact" in document:
                account.contact = read_contact(document)
            # RFC 8555 §7.3.2: a status other than deactivated, and whatever else, is left unread.
            if document.get("status") == Status.DEACTIVATED:
                account.status = Status.DEACTIVATED
        return self._account_response(call, account, 200)

    def _orders(self, call: Call) -> Response:
        signed, account = self._own_account(call)
        signed.require_read()
        cursor = re.fullmatch(r"cursor=([0-9]{1,9})", call.request.query)
        start = int(cursor[1]) if cursor else 0
        orders = self._ca.book.orders_of(account, self._ca.clock.now())
        page = orders[start : start + _ORDERS_A_PAGE]
        response = json_response(200, {"orders": [call.link("order", order.identity) for order in page]})
        if start + _ORDERS_A_PAGE < len(orders):
            response.headers.append(
                ("Link", f'<{call.base}{call.request.path}?cursor={start + _ORDERS_A_PAGE}>;rel="next"')
            )
        return response

    def _key_change(self, call: Call) -> Response:
        signed = self._signed(call)
        account = signed.signer
        url = call.link("account", account.identity)
        jwk = new_key(signed.payload, call.url, account, url)
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
        if document.get("profile") is not None:
            raise Problem("invalidProfile", "there are no profiles here")
        replaces = document.get("replaces")
        if replaces is not None and not isinstance(replaces, str):
            raise malformed("replaces is a text (RFC 9773 §5)")
        self._ca.check_names(signed.signer, names)
        order = self._ca.book.new_order(signed.signer, names, self._ca.clock.now(), replaces)
        return self._order_response(call, order, 201)

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
        if request.spki == account.jwk.spki:
            raise Problem("badCSR", "the key of the account cannot be that of a certificate (RFC 8555 §11.1)")
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
        response.set("Location", call.link("challenge", authorization.identity, challenge.identity))
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
        if certificate is None:
            raise malformed("no such certificate", 404)
        if certificate.account != signed.signer.identity:
            raise Problem("unauthorized", "the certificate is another account's")
        return Response(200, self._ca.pki.chain_pem(certificate).encode(), "application/pem-certificate-chain")

    def _revoke_cert(self, call: Call) -> Response:
        signed = self._signed(call, "either")
        document = signed.document()
        certificate = self._ca.book.by_der(read_octets(document, "certificate"))
        if certificate is None:
            raise malformed("no such certificate", 404)
        reason = document.get("reason", 0)
        now = self._ca.clock.now()
        by = self._right_to_revoke(signed, certificate)
        if not isinstance(reason, int) or isinstance(reason, bool) or reason not in SUBSCRIBER_REASONS:
            taken = ", ".join(str(code) for code in sorted(SUBSCRIBER_REASONS))
            raise Problem("badRevocationReason", f"reason {reason!r:.40}: a subscriber chooses one of {taken}")
        if certificate.revocation is None and now > certificate.not_after:
            raise Problem("unauthorized", "the certificate has expired")
        # As Boulder decides: who has the key shows that others may have it; who has the names, that the site moved.
        reason = {"key": KEY_COMPROMISE, "names": CESSATION}.get(by, reason)
        self._ca.book.revoke(certificate, reason, now)
        return Response(200)

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
        certificate = self._ca.book.by_ari_id(call.segments[0])
        if certificate is None:
            raise malformed("no such certificate", 404)
        revoked_at = certificate.revocation.at if certificate.revocation else None
        start, end = suggested_window(certificate.not_before, certificate.not_after, revoked_at)
        response = json_response(200, {"suggestedWindow": {"start": rfc3339(start), "end": rfc3339(end)}})
        response.set("Retry-After", _LOOK_AGAIN)
        return response


def _terms(call: Call) -> Response:
    text = f"TEST - DO NOT TRUST\nThe terms of this test CA: its certificates are for tests ({call.base}).\n"
    return Response(200, text.encode(), "text/plain; charset=utf-8")


def _new_nonce(call: Call) -> Response:
    return Response(200 if call.request.method == "HEAD" else 204)


def _challenge_document(call: Call, authorization: Authorization, challenge: Challenge) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": challenge.kind,
        "url": call.link("challenge", authorization.identity, challenge.identity),
        "status": challenge.status,
        "token": challenge.token,
    }
    if challenge.validated_at is not None:
        document["validated"] = rfc3339(challenge.validated_at)
    if challenge.problem is not None:
        document["error"] = challenge.problem.document()
    return document
