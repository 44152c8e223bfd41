"""One request on its way through the ACME side, and what stands at a path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from jprs_client.testca.asgi import Request, Response
from jprs_client.testca.faults import Action


@dataclass(slots=True)
class Call:
    """One request on its way through. `names` and `account` are for the log and for faults."""

    request: Request
    base: str
    endpoint: str = ""
    segments: tuple[str, ...] = ()
    names: Sequence[str] = ()
    account: str | None = None
    fault: Action | None = None
    problem: str | None = None

    @property
    def url(self) -> str:
        """What was asked for."""
        return self.base + self.request.target

    def link(self, *parts: str) -> str:
        """The address of something on this side."""
        return "/".join([self.base, "acme", *parts])


Deed = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What stands at a path: its name in the log, and what is done for GET (and HEAD) and for POST."""

    name: str
    get: Deed | None = None
    post: Deed | None = None
    methods: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        methods = (["GET", "HEAD"] if self.get else []) + (["POST"] if self.post else [])
        object.__setattr__(self, "methods", methods)
