"""A small CA without a socket, behind a `requests` adapter: it does as RFC 8555 says until a test scripts otherwise.

It knows as much of the protocol as the tests need, checks that nonces are fresh and that signatures name the URL they
are sent to, and remembers every request.
"""

from __future__ import annotations

import io
import json
import secrets
from base64 import urlsafe_b64decode
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from requests.adapters import BaseAdapter

from jprs_client import keys
from jprs_client.ca.client import Ca
from jprs_client.ca.transport import Http
from tests.ca.chains import Chain, made_chain

HOST = "https://ca.example"
DIRECTORY = f"{HOST}/dir"
ACCOUNT_KEY = keys.generate(keys.KeyType.ECDSA_P256)

Headers = Mapping[str, str | list[str]]


class SetClock:
    """A clock that stands still until somebody sleeps."""

    def __init__(self, now: datetime = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)) -> None:
        self.moment = now
        self.elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.elapsed += seconds
        self.moment += timedelta(seconds=seconds)


@dataclass
class Reply:
    """One HTTP answer."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str | list[str]) -> Reply:
        told = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **told})

    @classmethod
    def problem(cls, kind: str, status: int = 400, detail: str = "no", **more: Any) -> Reply:
        headers = more.pop("headers", {})
        body = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail, "status": status, **more}
        return cls(status, json.dumps(body).encode(), {"Content-Type": "application/problem+json", **headers})


@dataclass(frozen=True)
class Request:
    """One request as it came: for a POST with what was signed."""

    method: str
    path: str
    header: Mapping[str, Any] = field(default_factory=dict)
    payload: Any = None
    raw: bytes = b""


Turn = Reply | Exception | Callable[[Request], Reply | None]


class ScriptedCa(BaseAdapter):
    """`next(path, turn, ...)` says what the next requests to `path` are answered, instead of the usual."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Request] = []
        self.turns: dict[str, deque[Turn]] = {}
        self.nonces: set[str] = set()
        self.accounts: set[str] = set()
        self.names: list[str] = []
        self.replaces: object = None
        self.answered: set[str] = set()
        self.token = "t" * 43
        self.order_status = "pending"
        self.chain: Chain | None = None
        self.reasons: list[object] = []
        self.extra_directory: dict[str, object] = {}

    def next(self, path: str, *turns: Turn) -> None:
        self.turns.setdefault(path, deque()).extend(turns)

    def asked(self, path: str | None = None) -> list[str]:
        return [f"{r.method} {r.path}" for r in self.seen if path is None or r.path == path]

    def close(self) -> None:
        """Nothing is open."""

    def send(self, request: requests.PreparedRequest, *arguments: Any, **more: Any) -> requests.Response:
        url = request.url or ""
        assert url.startswith(HOST + "/"), url
        taken = self._taken(request, url)
        self.seen.append(taken)
        turns = self.turns.get(taken.path)
        reply: Reply | None = None
        if turns:
            turn = turns.popleft()
            if isinstance(turn, Exception):
                raise turn
            reply = turn if isinstance(turn, Reply) else turn(taken)
        return self._response(request, reply if reply is not None else self.usual(taken))

    def _taken(self, request: requests.PreparedRequest, url: str) -> Request:
        path = url.removeprefix(HOST)
        if request.method != "POST":
            return Request(request.method or "", path)
        assert isinstance(request.body, bytes)
        envelope = json.loads(request.body)
        header = json.loads(_decoded(envelope["protected"]))
        payload = _decoded(envelope["payload"])
        assert header["url"] == url
        assert ("jwk" in header) != ("kid" in header)
        return Request("POST", path, header, json.loads(payload) if payload else None, request.body)

    def _response(self, request: requests.PreparedRequest, reply: Reply) -> requests.Response:
        headers = urllib3.HTTPHeaderDict()
        for name, value in reply.headers.items():
            for line in [value] if isinstance(value, str) else value:
                headers.add(name, line)
        if "Replay-Nonce" not in headers and request.method != "GET":
            nonce = secrets.token_urlsafe(12)
            self.nonces.add(nonce)
            headers.add("Replay-Nonce", nonce)
        response = requests.Response()
        response.status_code = reply.status
        response.raw = urllib3.HTTPResponse(
            body=io.BytesIO(reply.body if request.method != "HEAD" else b""),
            headers=headers,
            status=reply.status,
            preload_content=False,
            decode_content=False,
        )
        return response

    def usual(self, request: Request) -> Reply:
        if request.method == "POST":
            nonce = request.header["nonce"]
            if nonce not in self.nonces:
                return Reply.problem("badNonce")
            self.nonces.remove(nonce)
        match request.path.split("/")[1:]:
            case ["dir"]:
                members = {m: f"{HOST}/{p}" for m, p in _PATHS.items()}
                return Reply.of(members | self.extra_directory)
            case ["nonce"]:
                return Reply()
            case ["new-account"]:
                known = json.dumps(request.header["jwk"], sort_keys=True)
                if known in self.accounts or not request.payload.get("onlyReturnExisting"):
                    status = 200 if known in self.accounts else 201
                    self.accounts.add(known)
                    contact = request.payload.get("contact", [])
                    return Reply.of({"status": "valid", "contact": contact}, status, Location=f"{HOST}/account/1")
                return Reply.problem("accountDoesNotExist")
            case ["account", _]:
                return Reply.of({"status": "valid", "contact": ["mailto:a@example.jp"], **(request.payload or {})})
            case ["new-order"]:
                self.names = [identifier["value"] for identifier in request.payload["identifiers"]]
                self.replaces = request.payload.get("replaces")
                self.order_status = "pending"
                self.answered.clear()
                return Reply.of(self.order(), 201, Location=f"{HOST}/order/1")
            case ["order", _]:
                return Reply.of(self.order())
            case ["authz", index]:
                return Reply.of(self.authorization(int(index)))
            case ["challenge", index]:
                self.answered.add(index)
                if len(self.answered) == len(self.names):
                    self.order_status = "ready"
                return Reply.of(self.challenge(int(index)) | {"status": "processing"})
            case ["finalize", _]:
                csr = x509.load_der_x509_csr(_decoded(request.payload["csr"]))
                key = csr.public_key()
                self.chain = made_chain(frozenset(self.names), public_key=key)
                self.order_status = "valid"
                return Reply.of(self.order())
            case ["certificate", _]:
                assert self.chain is not None
                pem = b"".join(c.public_bytes(serialization.Encoding.PEM) for c in self.chain.sent)
                return Reply(200, pem, {"Content-Type": "application/pem-certificate-chain"})
            case ["revoke"]:
                self.reasons.append(request.payload.get("reason"))
                return Reply()
        return Reply(404)

    def order(self) -> dict[str, Any]:
        members: dict[str, Any] = {
            "status": self.order_status,
            "expires": "2026-11-29T03:00:00.123456789Z",
            "identifiers": [{"type": "dns", "value": name} for name in self.names],
            "authorizations": [f"{HOST}/authz/{index}" for index in range(len(self.names))],
            "finalize": f"{HOST}/finalize/1",
        }
        if self.order_status == "valid":
            members["certificate"] = f"{HOST}/certificate/1"
        return members

    def authorization(self, index: int, **more: Any) -> dict[str, Any]:
        name = self.names[index]
        status = "valid" if str(index) in self.answered else "pending"
        members = {
            "status": status,
            "identifier": {"type": "dns", "value": name.removeprefix("*.")},
            "challenges": [self.challenge(index), {"type": "dns-new-01", "url": f"{HOST}/c", "status": "pending"}],
        }
        return members | ({"wildcard": True} if name.startswith("*.") else {}) | more

    def challenge(self, index: int) -> dict[str, Any]:
        return {"type": "http-01", "url": f"{HOST}/challenge/{index}", "status": "pending", "token": self.token}


_PATHS = {
    "newNonce": "nonce",
    "newAccount": "new-account",
    "newOrder": "new-order",
    "revokeCert": "revoke",
    "renewalInfo": "renewal-info",
}


def _decoded(text: str) -> bytes:
    assert "=" not in text
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Talk:
    """A CA, a clock and who talks to it."""

    ca: Ca
    fake: ScriptedCa
    clock: SetClock


def talk(fake: ScriptedCa | None = None) -> Talk:
    """Somebody without an account."""
    fake, clock = fake or ScriptedCa(), SetClock()
    return Talk(Ca(DIRECTORY, Http(DIRECTORY, clock, adapter=fake), clock), fake, clock)


def registered() -> Talk:
    """Somebody with an account, who has asked nothing yet."""
    start = talk()
    return Talk(start.ca.with_account(f"{HOST}/account/1", ACCOUNT_KEY), start.fake, start.clock)
