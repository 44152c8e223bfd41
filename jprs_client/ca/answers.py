"""From the bytes of an answer to our values: what is not as RFC 8555 says is refused, what is unknown is left out.

The CA may be hostile (THREATS T1): every address is held against the directory's origin, every token against the
token grammar, every number and depth has a bound, before anything of it is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from urllib.parse import urljoin, urlsplit

from jprs_client.ca.problems import problem_from
from jprs_client.ca.values import Account, Authorization, Challenge, Directory, Order, Problem
from jprs_client.errors import BadAnswer, harmless

#: RFC 8555 §8.1 wants 128 bits of entropy: 22 characters of base64url.
TOKEN = re.compile(r"[A-Za-z0-9_-]{22,512}", re.ASCII)

#: RFC 8555 §6.5.1: base64url, and nothing else is ever sent back.
NONCE = re.compile(r"[A-Za-z0-9_-]{1,512}", re.ASCII)

_CHALLENGE_TYPE = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_STATUS = re.compile(r"[a-z]{1,32}", re.ASCII)
_URL = re.compile(r"https://[!-~]+", re.ASCII)
_FORBIDDEN_IN_URL = frozenset('"<>\\^`{|}@')
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

DEEPEST = 32

JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme (always https), host and port of the directory; everything else of the CA lies there (THREATS D1, D2)."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin | None:
        """The origin of an https URL without user information; None when `url` is anything else."""
        if len(url) > 2048 or not _URL.fullmatch(url) or not _FORBIDDEN_IN_URL.isdisjoint(url):
            return None
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return None
        return cls(host.lower(), 443 if port is None else port) if host and not parts.fragment else None

    def own(self, url: object, what: str) -> str:
        """`url` when it lies here. BadAnswer when it is no https URL, or lies elsewhere; `what` names the member."""
        if not isinstance(url, str):
            _malformed(what)
        origin = Origin.of(url)
        if origin is None:
            raise BadAnswer("ca-url-unusable", what=what, url=harmless(url, 200))
        if origin != self:
            raise BadAnswer("ca-url-elsewhere", what=what, url=harmless(url, 200), host=self.host)
        return url

    def location(self, base: str, location: str | None) -> str:
        """The address in a Location header, which may be relative to `base`."""
        if location is None:
            _malformed("Location")
        try:
            return self.own(urljoin(base, location), "Location")
        except ValueError:
            _malformed("Location")


def _malformed(what: str) -> NoReturn:
    raise BadAnswer("ca-answer-malformed", what=what)


def json_object(body: bytes, what: str) -> JsonObject:
    """The JSON object in `body`: UTF-8, no duplicate members, no NaN, at most 32 levels (FAULTS 81)."""
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("ca-answer-malformed", what=what) from error
    if not isinstance(document, dict) or not _shallow(document):
        _malformed(what)
    return document


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


def _shallow(document: object) -> bool:
    level: list[object] = [document]
    for _ in range(DEEPEST):
        inside: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inside.extend(value.values())
            elif isinstance(value, list):
                inside.extend(value)
        if not inside:
            return True
        level = inside
    return False


def _text(members: JsonObject, member: str) -> str:
    value = members.get(member)
    if not isinstance(value, str):
        _malformed(member)
    return value


def _shown(members: JsonObject, member: str, limit: int = 1000) -> str | None:
    value = members.get(member)
    return harmless(value, limit) or None if isinstance(value, str) else None


def _status(members: JsonObject) -> str:
    status = _text(members, "status")
    if not _STATUS.fullmatch(status):
        _malformed("status")
    return status


def _texts(value: object, most: int) -> tuple[str, ...]:
    return tuple(entry for entry in value[:most] if isinstance(entry, str)) if isinstance(value, list) else ()


def differing(found: Collection[str], wanted: Collection[str]) -> dict[str, str | None]:
    """What is too many and what is missing, as an error tells it; None where nothing is. At most ten names each."""
    extra, missing = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
    return {"extra": ", ".join(extra[:10]) or None, "missing": ", ".join(missing[:10]) or None}


def moment(value: object) -> datetime | None:
    """An RFC 3339 time, in UTC; None when `value` is none."""
    if not isinstance(value, str) or len(value) > 64 or not _MOMENT.fullmatch(value):
        return None
    try:
        # Python takes at most six digits of a second; some CAs send nine.
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.upper())).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _problem(members: JsonObject) -> Problem | None:
    error = members.get("error")
    return problem_from(error) if isinstance(error, dict) else None


def directory_from(body: bytes, origin: Origin) -> Directory:
    """RFC 8555 §7.1.1. Every member that we might use lies in `origin`, or the whole directory is refused."""
    members = json_object(body, "directory")

    def needed(member: str) -> str:
        return origin.own(members.get(member), member)

    def offered(member: str) -> str | None:
        return None if members.get(member) is None else needed(member)

    told = members.get("meta")
    meta: JsonObject = told if isinstance(told, dict) else {}
    profiles = meta.get("profiles")
    return Directory(
        new_nonce=needed("newNonce"),
        new_account=needed("newAccount"),
        new_order=needed("newOrder"),
        revoke_cert=offered("revokeCert"),
        key_change=offered("keyChange"),
        renewal_info=offered("renewalInfo"),
        terms_of_service=_shown(meta, "termsOfService"),
        website=_shown(meta, "website"),
        caa_identities=tuple(harmless(entry, 255) for entry in _texts(meta.get("caaIdentities"), 20)),
        external_account_required=meta.get("externalAccountRequired") is True,
        profiles=tuple(harmless(entry, 64) for entry in list(profiles)[:20]) if isinstance(profiles, dict) else (),
    )


def account_from(body: bytes, url: str, *, created: bool = False) -> Account:
    """RFC 8555 §7.1.2. Contacts come without `mailto:`, as people write them."""
    members = json_object(body, "account")
    contact = tuple(harmless(entry, 255).removeprefix("mailto:") for entry in _texts(members.get("contact"), 20))
    # A status is a MUST, yet some CAs leave it out of newAccount's answer; an account that answers is valid.
    status = "valid" if members.get("status") is None else _status(members)
    return Account(url=url, status=status, contact=contact, created=created)


def order_from(
    body: bytes, url: str, names: Collection[str] | None, origin: Origin, retry_after: timedelta | None = None
) -> Order:
    """RFC 8555 §7.1.3. BadAnswer when it is an order for anything but exactly `names` (THREATS D9, FAULTS 93)."""
    members = json_object(body, "order")
    identifiers = members.get("identifiers")
    if not isinstance(identifiers, list) or not 1 <= len(identifiers) <= 1000:
        _malformed("identifiers")
    found = frozenset(_dns_identifier(identifier) for identifier in identifiers)
    wanted = found if names is None else frozenset(names)
    if found != wanted:
        raise BadAnswer("order-other-names", **differing(found, wanted))
    urls = members.get("authorizations")
    if not isinstance(urls, list) or not 1 <= len(urls) <= 2 * len(wanted) + 10:
        _malformed("authorizations")
    certificate = members.get("certificate")
    return Order(
        url=url,
        status=_status(members),
        names=wanted,
        authorizations=tuple(dict.fromkeys(origin.own(entry, "authorizations") for entry in urls)),
        finalize=origin.own(members.get("finalize"), "finalize"),
        certificate=None if certificate is None else origin.own(certificate, "certificate"),
        expires_at=moment(members.get("expires")),
        error=_problem(members),
        retry_after=retry_after,
    )


def _dns_identifier(identifier: object) -> str:
    if not isinstance(identifier, dict) or identifier.get("type") != "dns":
        _malformed("identifiers")
    value = identifier.get("value")
    if not isinstance(value, str) or len(value) > 255:
        _malformed("identifiers")
    return harmless(value, 255).lower()


def authorization_from(
    body: bytes,
    url: str,
    origin: Origin,
    names: Collection[str] | None = None,
    retry_after: timedelta | None = None,
) -> Authorization:
    """RFC 8555 §7.1.4. With `names`, BadAnswer when it is about none of them."""
    members = json_object(body, "authorization")
    name = _dns_identifier(members.get("identifier"))
    wildcard = members.get("wildcard") is True
    if name.startswith("*."):  # against §7.1.3, but seen
        name, wildcard = name[2:], True
    if names is not None:
        if not wildcard and name not in names:  # some leave `wildcard` out
            wildcard = f"*.{name}" in names
        if (f"*.{name}" if wildcard else name) not in names:
            raise BadAnswer("authorization-other-name", name=name)
    challenges = members.get("challenges")
    if not isinstance(challenges, list) or len(challenges) > 50:
        _malformed("challenges")
    read = (_challenge(entry, origin) for entry in challenges)
    return Authorization(
        url=url,
        name=name,
        wildcard=wildcard,
        status=_status(members),
        challenges=tuple(challenge for challenge in read if challenge is not None),
        expires_at=moment(members.get("expires")),
        retry_after=retry_after,
    )


def challenge_from(body: bytes, origin: Origin, retry_after: timedelta | None = None) -> Challenge | None:
    """A challenge by itself, as its own URL answers; None when it says nothing we can use."""
    return _challenge(json_object(body, "challenge"), origin, retry_after)


def _challenge(entry: object, origin: Origin, retry_after: timedelta | None = None) -> Challenge | None:
    """None for types that come without a token, which are not ours (RFC 8555 §8, FAULTS M12)."""
    if not isinstance(entry, dict):
        _malformed("challenges")
    type_, token = entry.get("type"), entry.get("token")
    if not isinstance(type_, str) or not _CHALLENGE_TYPE.fullmatch(type_) or token is None:
        return None
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        raise BadAnswer("ca-token-unusable", challenge=type_)
    return Challenge(
        type=type_,
        url=origin.own(entry.get("url"), "challenge"),
        status="pending" if entry.get("status") is None else _status(entry),
        token=token,
        error=_problem(entry),
        retry_after=retry_after,
    )
