"""What is posted to the management side, how it is read, and what a call is."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jprs_client.testca.asgi import Request, Response
from jprs_client.testca.jose import read_json
from jprs_client.testca.names import wrong_with
from jprs_client.testca.orders import REASONS
from jprs_client.testca.validation import Perspective

Document = Mapping[str, Any]
#: More seconds than anybody waits: three centuries.
_MOST_SECONDS = 1e10


class RequestError(Exception):
    """What was asked cannot be read, or is not there."""

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class Ask:
    """What was posted, the segment of the path that varies, if there is one, the query, and where it was asked."""

    document: Document
    segment: str = ""
    query: str = ""
    base: str = ""

    @property
    def folded(self) -> Ask:
        """The same with its members' names in lower case: Go programs, as Pebble, read them in any."""
        return Ask({name.lower(): value for name, value in self.document.items()}, self.segment, self.query, self.base)

    def has(self, member: str) -> bool:
        """Whether something is said about it."""
        return self.document.get(member) is not None

    def any_text(self, member: str, empty: bool = False) -> str:
        """A text with whatever is in it, line ends too. Raises RequestError."""
        value = self.document.get(member)
        if not isinstance(value, str) or not (value or empty):
            raise RequestError(f"{member}: a text is missing")
        return value

    def text(self, member: str, empty: bool = False) -> str:
        """A text of printable characters. Raises RequestError."""
        value = self.any_text(member, empty)
        if not value.isprintable():
            raise RequestError(f"{member}: a text without control characters")
        return value

    def perspective(self, perspectives: Sequence[Perspective]) -> str | None:
        """The name of the one that is meant, by name or by number from 0 on. Raises RequestError."""
        meant = self.document.get("perspective")
        known = [each.name for each in perspectives]
        if isinstance(meant, int) and not isinstance(meant, bool) and 0 <= meant < len(known):
            return known[meant]
        if meant is not None and meant not in known:
            raise RequestError(f"perspective: one of {', '.join(known)}, or its number from 0 on")
        return meant

    def flag(self, member: str, otherwise: bool = False) -> bool:
        """True or false. Raises RequestError."""
        value = self.document.get(member, otherwise)
        if not isinstance(value, bool):
            raise RequestError(f"{member}: true or false")
        return value

    def texts(self, member: str) -> list[str]:
        """One text at least. Raises RequestError."""
        value = self.document.get(member)
        if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
            raise RequestError(f"{member}: a list of texts is missing")
        return value

    def name(self) -> str:
        """The usage FQDN that `name` says, in lower case. Raises RequestError."""
        return self.text("name").lower().removesuffix(".")

    def usable_name(self) -> str:
        """The same when it is a name to issue for. Raises RequestError."""
        name = self.name()
        why = wrong_with(name)
        if why:
            raise RequestError(f"name: {name:.260}: {why}")
        return name

    def number(self, member: str, least: int = 0) -> int:
        """A whole number. Raises RequestError."""
        value = self.document.get(member)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise RequestError(f"{member}: a whole number, {least} at least")
        return value

    def span(self, member: str) -> timedelta:
        """A number of seconds, which may be negative. Raises RequestError."""
        value = self.document.get(member)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise RequestError(f"{member}: a number of seconds")
        if abs(value) > _MOST_SECONDS:
            raise RequestError(f"{member}: a number out of all bounds")
        return timedelta(seconds=value)

    def reason(self, taken: frozenset[int]) -> int:
        """A revocation's code, 0 where nothing is said. Raises RequestError."""
        reason = self.document.get("reason", 0)
        if not isinstance(reason, int) or isinstance(reason, bool) or reason not in taken:
            known = ", ".join(f"{code} {REASONS[code]}" for code in sorted(taken))
            raise RequestError(f"reason: one of {known}")
        return reason


Deed = Callable[[Ask], Response]


@dataclass(frozen=True, slots=True)
class Offer:
    """A call: where, what it does, and what is posted to it."""

    method: str
    path: str
    deed: Deed
    does: str
    takes: str = ""

    def shown(self) -> Mapping[str, str]:
        """As a newcomer is told."""
        told = {"method": self.method, "path": self.path, "does": self.does}
        return {**told, "takes": self.takes} if self.takes else told


def read_document(request: Request) -> Document:
    """The JSON object of the body; empty where there is none. Raises RequestError."""
    if not request.body:
        return {}
    try:
        document = read_json(request.body.decode(json.detect_encoding(request.body)))
    except ValueError as error:
        raise RequestError(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise RequestError("the body is not a JSON object")
    return document
