"""What stands in the payloads of requests, read strictly, and what a request says before anybody has verified it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cryptography import x509

from jprs_client.testca.ca import MOST_NAMES
from jprs_client.testca.jose import JoseError, decode, parse_object
from jprs_client.testca.names import wrong_with
from jprs_client.testca.problems import Problem, Subproblem, malformed

_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")


def read_flag(document: Mapping[str, Any], member: str) -> bool:
    """True or false; false where it is missing. Raises Problem."""
    value = document.get(member, False)
    if not isinstance(value, bool):
        raise malformed(f"{member} is true or false")
    return value


def read_octets(document: Mapping[str, Any], member: str) -> bytes:
    """What is said in base64url. Raises Problem."""
    try:
        return decode(document.get(member))
    except JoseError as error:
        raise malformed(f"{member}: {error}") from error


def read_contact(document: Mapping[str, Any]) -> tuple[str, ...]:
    """RFC 8555 §7.3: each a mailto address with one mailbox and no header fields. Raises Problem."""
    contact = document.get("contact", [])
    if not isinstance(contact, list) or not all(isinstance(each, str) for each in contact):
        raise malformed("contact is a list of texts")
    if len(contact) > 10:
        raise Problem("invalidContact", "ten contacts at most")
    for each in contact:
        scheme, colon, rest = each.partition(":")
        if not colon:
            raise Problem("invalidContact", f"contact {each!r:.100}: not a URL")
        if scheme.lower() != "mailto":
            raise Problem("unsupportedContact", f"contact {each!r:.100}: only mailto is supported")
        if not _MAILBOX.match(rest):
            raise Problem("invalidContact", f"contact {each!r:.100}: not one mail address without header fields")
    return tuple(contact)


def read_names(document: Mapping[str, Any]) -> list[str]:
    """The names of an order, lower case. Raises Problem that names each one that is not to be issued for."""
    identifiers = document.get("identifiers")
    if not isinstance(identifiers, list) or not identifiers:
        raise malformed("identifiers is a list of one at least")
    if len(identifiers) > MOST_NAMES:
        raise malformed(f"an order has at most {MOST_NAMES} names")
    named: dict[tuple[str, str], str | None] = {}
    for identifier in identifiers:
        if not isinstance(identifier, dict) or not all(
            isinstance(identifier.get(member), str) and identifier[member] for member in ("type", "value")
        ):
            raise malformed("an identifier has type and value")
        kind, value = identifier["type"], identifier["value"]
        if kind == "dns":
            named["dns", value.lower()] = wrong_with(value.lower())
        else:
            named[kind, value] = f"identifiers of type {kind:.40} are not supported"
    wrong = [
        Subproblem(
            "rejectedIdentifier" if kind == "dns" else "unsupportedIdentifier",
            f"{value:.260}: {why}",
            value[:260],
            kind[:40],
        )
        for (kind, value), why in named.items()
        if why
    ]
    if wrong:
        kinds = {problem.kind for problem in wrong}
        raise Problem(kinds.pop() if len(kinds) == 1 else "compound", wrong[0].detail, 400, subproblems=wrong)
    return [value for _, value in named]


def read_certificate(document: Mapping[str, Any]) -> x509.Certificate:
    """The certificate of a revocation. Raises Problem."""
    try:
        return x509.load_der_x509_certificate(read_octets(document, "certificate"))
    except (ValueError, x509.InvalidVersion) as error:
        raise malformed("certificate is not one in DER") from error


def read_ari_id(text: object) -> str:
    """A certificate's name as RFC 9773 §4.1 writes them: two texts in base64url, and a dot between. Raises Problem."""
    parts = text.split(".") if isinstance(text, str) else []
    try:
        if len(parts) == 2 and all(decode(part) for part in parts):
            return ".".join(parts)
    except JoseError as error:
        raise malformed(f"a certificate's name (RFC 9773 §4.1) is {error}") from error
    raise malformed("a certificate's name is its key identifier and serial in base64url (RFC 9773 §4.1)")


def _said(body: bytes) -> Mapping[str, Any]:
    """What a request says it is about; nothing where it cannot be read. It decides no more than faults and the log."""
    try:
        return parse_object(decode(parse_object(body, "").get("payload")), "")
    except JoseError:
        return {}


def names_said(body: bytes) -> Sequence[str]:
    """The names an order seems to be for."""
    identifiers = _said(body).get("identifiers")
    values: Iterable[Any] = identifiers if isinstance(identifiers, list) else ()
    return [str(value["value"]).lower()[:260] for value in values if isinstance(value, dict) and "value" in value][
        :MOST_NAMES
    ]


def der_said(body: bytes) -> bytes:
    """The certificate a revocation seems to be about."""
    try:
        return decode(_said(body).get("certificate"))
    except JoseError:
        return b""
