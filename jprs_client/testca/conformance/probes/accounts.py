"""RFC 8555 §7.1.2 and §7.3: accounts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from jprs_client.testca.conformance.jose import Key
from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, Level, Probe, expect, probe, skip
from jprs_client.testca.conformance.server import ABSENT, Server, location, refused, text, urls

_CONTACT = ["mailto:somebody@example.com"]


@probe("8555-7.3-created", "RFC 8555 §7.3", MUST)
def created(server: Server) -> None:
    """A new account is answered with 201 and its URL in Location."""
    expect(server.main.answer.status == 201, server.main.answer.said)
    where = urlsplit(location(server.main.answer))
    expect(where.scheme == "https" and where.hostname, "Location is no https URL")


@probe("8555-7.3-object", "RFC 8555 §7.3", MUST)
def shown(server: Server) -> None:
    """A new account is answered with the account as JSON, valid."""
    answer = server.main.answer
    expect(answer.media_type == "application/json", answer.media_type or "no content type")
    status = answer.document().get("status")
    expect(status == "valid", f"status {status}")


@probe("8555-7.3-contact", "RFC 8555 §7.3", SHOULD)
def contact(server: Server) -> None:
    """A new account shows the contact it was given."""
    found = server.main.document.get("contact")
    expect(found == ["mailto:conformance@example.com"], "another contact" if found else "no contact")


@probe("8555-7.1.2-orders", "RFC 8555 §7.1.2", MUST)
def has_orders(server: Server) -> None:
    """An account says where its list of orders is."""
    expect(urlsplit(text(server.main.document, "orders")).scheme == "https", "orders is no https URL")


@probe("8555-7.1-index-account", "RFC 8555 §7.1", MUST)
def index(server: Server) -> None:
    """An account's answer says where the directory is, by a Link of relation index."""
    found = server.read(server.main.url).links("index")
    expect(found == [server.directory_url], "a Link to elsewhere" if found else "no Link")


@probe("8555-7.3-no-contact", "RFC 8555 §7.3", MAY)
def no_contact(server: Server) -> None:
    """An account needs no contact."""
    expect(server.other.answer.status == 201, server.other.answer.said)


@probe("8555-7.3.1-existing", "RFC 8555 §7.3.1", MUST)
def existing(server: Server) -> None:
    """`newAccount` with a key that has an account answers 200 and that account's URL."""
    answer = server.try_account(server.main.key)
    expect(answer.status == 200, answer.said)
    expect(location(answer) == server.main.url, "another account")


@probe("8555-7.3.1-existing-object", "RFC 8555 §7.3", SHOULD)
def existing_object(server: Server) -> None:
    """`newAccount` with a key that has an account shows that account."""
    answer = server.try_account(server.main.key)
    expect(answer.document().get("status") == "valid", "no account object")


@probe("8555-7.3.1-existing-unchanged", "RFC 8555 §7.3.1", MAY)
def existing_unchanged(server: Server) -> None:
    """`newAccount` with a key that has an account changes nothing about it."""
    account = server.new_account(contact=_CONTACT)
    server.try_account(account.key, contact=["mailto:another@example.com"])
    found = server.read(account.url, account).document().get("contact")
    expect(found == account.document.get("contact"), "the contact was changed")


@probe("8555-7.3.1-only-existing", "RFC 8555 §7.3.1", MUST)
def only_existing(server: Server) -> None:
    """`onlyReturnExisting` with a key that has an account answers 200 and its URL."""
    answer = server.post(server.url("newAccount"), {"onlyReturnExisting": True}, by=server.main.key)
    expect(answer.status == 200, answer.said)
    expect(location(answer) == server.main.url, "another account")


@probe("8555-7.3.1-only-unknown", "RFC 8555 §7.3.1", MUST)
def only_unknown(server: Server) -> None:
    """`onlyReturnExisting` with a key that has no account is refused: 400 accountDoesNotExist."""
    answer = server.post(server.url("newAccount"), {"onlyReturnExisting": True}, by=Key.fresh())
    refused(answer, "accountDoesNotExist", status=(400,))


@probe("8555-7.3.1-only-creates-nothing", "RFC 8555 §7.3.1", MUST)
def only_creates_nothing(server: Server) -> None:
    """`onlyReturnExisting` makes no account, even with everything that one needs."""
    key = Key.fresh()
    for _ in range(2):
        document = {"onlyReturnExisting": True, "termsOfServiceAgreed": True, "contact": _CONTACT}
        refused(server.post(server.url("newAccount"), document, by=key), "accountDoesNotExist")


def _terms_needed(server: Server) -> None:
    if "termsOfService" not in server.meta:
        skip("the server has no terms of service")


@probe("8555-7.3.3-terms-missing", "RFC 8555 §7.3.3", MUST)
def terms_missing(server: Server) -> None:
    """Where there are terms of service, newAccount without agreement to them is refused."""
    _terms_needed(server)
    refused(server.try_account(Key.fresh(), termsOfServiceAgreed=ABSENT))


@probe("8555-7.3.3-terms-false", "RFC 8555 §7.3.3", MUST)
def terms_false(server: Server) -> None:
    """Where there are terms of service, newAccount that does not agree to them is refused."""
    _terms_needed(server)
    refused(server.try_account(Key.fresh(), termsOfServiceAgreed=False))


@probe("8555-7.3.3-terms-problem", "RFC 8555 §7.3.3", SHOULD)
def terms_problem(server: Server) -> None:
    """The refusal for want of agreement is userActionRequired, 403."""
    _terms_needed(server)
    refused(server.try_account(Key.fresh(), termsOfServiceAgreed=False), "userActionRequired", status=(403,))


@probe("8555-7.3.3-terms-link", "RFC 8555 §7.3.3", MAY)
def terms_link(server: Server) -> None:
    """The refusal for want of agreement links to the terms."""
    _terms_needed(server)
    found = server.try_account(Key.fresh(), termsOfServiceAgreed=False).links("terms-of-service")
    expect(found, "no Link terms-of-service")


@probe("8555-7.3.3-terms-word", "RFC 8555 §7.1.2", MUST)
def terms_word(server: Server) -> None:
    """Agreement that is a text in place of true does not count."""
    _terms_needed(server)
    refused(server.try_account(Key.fresh(), termsOfServiceAgreed="yes"))


def _bad_contact(identity: str, level: Level, says: str, value: object, *kinds: str) -> Probe:
    @probe(f"8555-7.3-{identity}", "RFC 8555 §7.3", level, says)
    def run(server: Server) -> None:
        refused(server.try_account(Key.fresh(), contact=value), *kinds)

    return run


_INVALID = ("invalidContact",)
_EITHER_CONTACT = ("invalidContact", "unsupportedContact", "malformed")

CONTACTS = (
    _bad_contact(
        "contact-scheme",
        MUST,
        "A contact of a scheme the server does not support is refused with unsupportedContact.",
        ["xmpp:somebody@example.com"],
        "unsupportedContact",
    ),
    _bad_contact(
        "contact-two-addresses",
        MUST,
        "A mailto contact with two addresses is refused with invalidContact.",
        ["mailto:a@example.com,b@example.com"],
        *_INVALID,
    ),
    _bad_contact(
        "contact-header-fields",
        MUST,
        "A mailto contact with header fields is refused with invalidContact.",
        ["mailto:a@example.com?subject=hello"],
        *_INVALID,
    ),
    _bad_contact(
        "contact-no-address",
        MUST,
        "A mailto contact that has no mail address is refused with invalidContact.",
        ["mailto:nobody"],
        *_INVALID,
    ),
    _bad_contact("contact-empty", SHOULD, "A contact that is empty is refused.", [""], *_EITHER_CONTACT),
    _bad_contact("contact-no-url", SHOULD, "A contact that is no URL is refused.", ["a@example.com"], *_EITHER_CONTACT),
    _bad_contact("contact-not-list", MUST, "A contact that is no list is refused.", "mailto:a@example.com"),
    _bad_contact("contact-not-text", MUST, "A contact that is no text is refused.", [5]),
    _bad_contact(
        "contact-one-bad", SHOULD, "One bad contact beside a good one is refused.", [*_CONTACT, "mailto:"], *_INVALID
    ),
)


@probe("8555-7.3-contact-refused-makes-nothing", "RFC 8555 §7.3", MUST)
def refused_makes_nothing(server: Server) -> None:
    """`newAccount` that was refused has made no account."""
    key = Key.fresh()
    refused(server.try_account(key, contact=["mailto:a@example.com,b@example.com"]))
    refused(server.post(server.url("newAccount"), {"onlyReturnExisting": True}, by=key), "accountDoesNotExist")


@probe("8555-7.3-server-fields", "RFC 8555 §7.3", MUST)
def server_fields(server: Server) -> None:
    """`newAccount` passes over members that are the server's, and those it does not know."""
    given: dict[str, Any] = {"orders": "https://ca.example/mine", "status": "deactivated", "unheardOf": [1]}
    account = server.new_account(**given)
    expect(account.answer.status == 201, account.answer.said)
    expect(account.document.get("status") == "valid", f"status {account.document.get('status')}")
    expect(account.document.get("orders") != given["orders"], "the client's orders URL was taken")


@probe("8555-7.3-read", "RFC 8555 §7.3", MUST)
def read(server: Server) -> None:
    """An account is read by POST-as-GET."""
    expect(server.read(server.main.url).document().get("status") == "valid", "no account object")


@probe("8555-7.3.2-empty-update", "RFC 8555 §7.3.2", MUST)
def empty_update(server: Server) -> None:
    """An update that changes nothing answers 200 with the account."""
    answer = server.post(server.main.url, {})
    expect(answer.status == 200, answer.said)
    expect(answer.document().get("status") == "valid", "no account object")


@probe("8555-7.3.2-contact", "RFC 8555 §7.3.2", MUST)
def update(server: Server) -> None:
    """A new contact is taken: 200, and the account shows it, then and later."""
    account = server.new_account(contact=["mailto:before@example.com"])
    answer = server.post(account.url, {"contact": _CONTACT}, by=account)
    expect(answer.status == 200, answer.said)
    for document in (answer.document(), server.read(account.url, account).document()):
        expect(document.get("contact") == _CONTACT, "another contact")


@probe("8555-7.3.2-contact-removed", "RFC 8555 §7.3.2", MAY)
def update_away(server: Server) -> None:
    """An empty list of contacts takes them away."""
    account = server.new_account(contact=["mailto:before@example.com"])
    answer = server.post(account.url, {"contact": []}, by=account)
    expect(answer.status == 200, answer.said)
    expect(not answer.document().get("contact"), "a contact is left")


@probe("8555-7.3.2-bad-contact", "RFC 8555 §7.3.2", MUST)
def bad_update(server: Server) -> None:
    """A bad new contact is refused, and the account stays as it is."""
    account = server.new_account(contact=_CONTACT)
    refused(server.post(account.url, {"contact": ["mailto:a@example.com?cc=b@example.com"]}, by=account), *_INVALID)
    found = server.read(account.url, account).document().get("contact")
    expect(found == account.document.get("contact"), "the contact was changed")


@probe("8555-7.3.2-scheme", "RFC 8555 §7.3.2", MUST)
def unsupported_update(server: Server) -> None:
    """A new contact of another scheme is refused with unsupportedContact."""
    refused(server.post(server.main.url, {"contact": ["tel:+81-3-0000-0000"]}), "unsupportedContact")


@probe("8555-7.3.2-ignored", "RFC 8555 §7.3.2", MUST)
def ignored_update(server: Server) -> None:
    """An update passes over members that are the server's, and those it does not know."""
    account = server.new_account()
    before = server.read(account.url, account).document()
    given = {"orders": "https://ca.example/mine", "termsOfServiceAgreed": False, "unheardOf": 1}
    answer = server.post(account.url, given, by=account)
    expect(answer.status == 200, answer.said)
    expect(server.read(account.url, account).document() == before, "the account was changed")


@probe("8555-7.3.2-status", "RFC 8555 §7.3.2", MUST)
def status_update(server: Server) -> None:
    """A status other than deactivated is not taken: the account stays valid."""
    account = server.new_account()
    answer = server.post(account.url, {"status": "revoked"}, by=account)
    expect(answer.status == 200 or 400 <= answer.status < 500, answer.said)
    expect(server.read(account.url, account).document().get("status") == "valid", "the account was changed")


@probe("8555-7.3-others", "RFC 8555 §7.3", MUST)
def others(server: Server) -> None:
    """Nobody reads another's account."""
    refused(server.post(server.other.url), status=(401, 403, 404))


@probe("8555-7.3-others-update", "RFC 8555 §7.3", MUST)
def others_update(server: Server) -> None:
    """Nobody changes another's account."""
    refused(server.post(server.other.url, {"contact": _CONTACT}, by=server.new_account()), status=(401, 403, 404))
    found = server.read(server.other.url, server.other).document().get("contact")
    expect(found != _CONTACT, "the contact was changed")


@probe("8555-7.3.6-deactivated", "RFC 8555 §7.3.6", MUST)
def deactivated(server: Server) -> None:
    """An account that deactivates itself is answered with 200 and shown as deactivated."""
    account = server.new_account()
    answer = server.post(account.url, {"status": "deactivated"}, by=account)
    expect(answer.status == 200, answer.said)
    expect(answer.document().get("status") == "deactivated", f"status {answer.document().get('status')}")


def _gone(server: Server) -> Any:
    account = server.new_account()
    expect(server.post(account.url, {"status": "deactivated"}, by=account).status == 200, "it is not deactivated")
    return account


@probe("8555-7.3.6-order", "RFC 8555 §7.3.6", MUST)
def deactivated_order(server: Server) -> None:
    """A deactivated account that orders is refused: 401 unauthorized."""
    refused(server.try_order([server.name()], _gone(server)), "unauthorized", status=(401,))


@probe("8555-7.3.6-read", "RFC 8555 §7.3.6", MUST)
def deactivated_read(server: Server) -> None:
    """A deactivated account that reads is refused: 401 unauthorized."""
    account = _gone(server)
    refused(server.post(account.url, by=account), "unauthorized", status=(401,))


@probe("8555-7.3.6-back", "RFC 8555 §7.3.6", MUST)
def deactivated_back(server: Server) -> None:
    """A deactivated account does not come back by an update."""
    account = _gone(server)
    refused(server.post(account.url, {"status": "valid"}, by=account), "unauthorized")


@probe("8555-7.3.6-new", "RFC 8555 §7.3.6", MUST)
def deactivated_new(server: Server) -> None:
    """`newAccount` with the key of a deactivated account is refused as unauthorized."""
    refused(server.try_account(_gone(server).key), "unauthorized", status=(401, 403))


@probe("8555-7.3.6-others", "RFC 8555 §7.3.6", MUST)
def deactivate_others(server: Server) -> None:
    """Nobody deactivates another's account."""
    intruder = server.new_account()
    refused(server.post(server.other.url, {"status": "deactivated"}, by=intruder), status=(401, 403, 404))
    expect(server.read(server.other.url, server.other).document().get("status") == "valid", "it is deactivated")


@probe("8555-7.3.6-orders-end", "RFC 8555 §7.3.6", SHOULD)
def deactivated_order_ends(server: Server) -> None:
    """A deactivated account gets no further with an order it had."""
    account = server.new_account()
    order = server.order(by=account)
    url = order.authorizations[0]
    expect(server.post(account.url, {"status": "deactivated"}, by=account).status == 200, "it is not deactivated")
    refused(server.post(url, by=account), "unauthorized")


@probe("8555-7.1.2.1-list", "RFC 8555 §7.1.2.1", MUST)
def orders_list(server: Server) -> None:
    """The list of orders is an object with a list of URLs, and a new order stands in it."""
    account = server.new_account()
    order = server.order(by=account)
    answer = server.read(text(account.document, "orders"), account)
    expect(answer.media_type == "application/json", answer.media_type or "no content type")
    expect(order.url in list(urls(answer.document(), "orders")), "the order is not in the list")


@probe("8555-7.1.2.1-pages", "RFC 8555 §7.1.2.1", MUST)
def orders_pages(server: Server) -> None:
    """The list of orders is whole when every Link of relation next is followed."""
    account = server.new_account()
    made = {server.order(by=account).url for _ in range(5)}
    found: list[str] = []
    where: str | None = text(account.document, "orders")
    for _ in range(20):
        if where is None:
            break
        answer = server.read(where, account)
        found += urls(answer.document(), "orders")
        where = next(iter(answer.links("next")), None)
    expect(made <= set(found), f"{len(made - set(found))} of {len(made)} orders are missing")
    expect(len(found) == len(set(found)), "an order is listed twice")


@probe("8555-7.1.2.1-empty", "RFC 8555 §7.1.2.1", MUST)
def orders_empty(server: Server) -> None:
    """The list of orders of a new account is empty."""
    account = server.new_account()
    expect(not list(urls(server.read(text(account.document, "orders"), account).document(), "orders")), "not empty")


@probe("8555-7.1.2.1-others", "RFC 8555 §7.1.2.1", MUST)
def orders_others(server: Server) -> None:
    """Nobody reads another's list of orders."""
    refused(server.post(text(server.main.document, "orders"), by=server.other), status=(401, 403, 404))


@probe("8555-7.1.2.1-get", "RFC 8555 §6.3", MUST)
def orders_get(server: Server) -> None:
    """The list of orders by plain GET is refused with 405."""
    refused(server.wire.request("GET", text(server.main.document, "orders")), status=(405,))


@probe("8555-7.1.2.1-invalid", "RFC 8555 §7.1.2.1", SHOULD)
def orders_invalid(server: Server) -> None:
    """An order that became invalid is not in the list."""
    account = server.new_account()
    order = server.order(by=account)
    server.post(order.authorizations[0], {"status": "deactivated"}, by=account)
    if server.seen_again(order).status != "invalid":
        skip("an order does not become invalid here")
    found = list(urls(server.read(text(account.document, "orders"), account).document(), "orders"))
    expect(order.url not in found, "it is in the list")


@probe("8555-7.3.1-race", "RFC 8555 §7.3.1", MUST)
def race(server: Server) -> None:
    """Several requests at once for an account with the same key make one account."""
    key, url = Key.fresh(), server.url("newAccount")
    document: dict[str, object] = {"termsOfServiceAgreed": True}
    if server.wants_eab:
        document["externalAccountBinding"] = server.binding(key, url)
    answers = server.at_once([server.prepared(url, document, by=key) for _ in range(5)])
    made = {location(answer) for answer in answers if answer.status in {200, 201}}
    expect(len(made) == 1, f"{len(made)} accounts")
    created = sum(answer.status == 201 for answer in answers)
    expect(created == 1, f"201 came {created} times")
