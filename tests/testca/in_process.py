"""The CA in this process, without a socket: requests go in by ASGI, signed by hand as RFC 7515 says.

Nothing of the CA's own JWS code is used, so that a mistake is not made twice.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from jprs_client.testca.asgi import App
from jprs_client.testca.ca import Authority, Settings
from jprs_client.testca.front import AcmeFront
from jprs_client.testca.management import ManagementFront
from jprs_client.testca.pki import PkiFront
from jprs_client.testca.problems import Problem
from jprs_client.testca.resolver import Resolver
from jprs_client.testca.validation import Proof

BASE = "https://ca.test"
URN = "urn:ietf:params:acme:error:"
START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def b64(data: bytes | str) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def dumps(value: object) -> str:
    return b64(json.dumps(value))


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    links: Sequence[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The problem's type without its URN; the answer must be a problem document."""
        assert self.headers["content-type"] == "application/problem+json", self
        document = self.json
        assert document["status"] == self.status
        assert document["type"].startswith(URN)
        assert document["detail"]
        return str(document["type"].removeprefix(URN))


class AccountKey:
    """A P-256 key that signs as ES256."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        self.jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": b64(numbers.x.to_bytes(32, "big")),
            "y": b64(numbers.y.to_bytes(32, "big")),
        }

    @property
    def thumbprint(self) -> str:
        text = json.dumps(self.jwk, sort_keys=True, separators=(",", ":"))
        return b64(hashlib.sha256(text.encode()).digest())

    def sign(self, text: bytes) -> bytes:
        r, s = decode_dss_signature(self.key.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def jws(self, header: Mapping[str, Any], payload: object) -> dict[str, str]:
        """A flattened JWS; `payload` None: the empty one of POST-as-GET; bytes: as they are."""
        encoded = "" if payload is None else b64(payload) if isinstance(payload, bytes) else dumps(payload)
        protected = dumps(header)
        signature = self.sign(f"{protected}.{encoded}".encode())
        return {"protected": protected, "payload": encoded, "signature": b64(signature)}


def mac_jws(
    secret: bytes, header: Mapping[str, Any], payload: object, digest: Callable[[], Any] = hashlib.sha256
) -> dict[str, str]:
    protected, encoded = dumps(header), dumps(payload)
    signature = hmac.new(secret, f"{protected}.{encoded}".encode(), digest).digest()
    return {"protected": protected, "payload": encoded, "signature": b64(signature)}


@dataclass
class World:
    """Every web server and name server there is, as the CA sees them: by default each proof is there."""

    resolver: Resolver
    failing: dict[str, Problem] = field(default_factory=dict)
    name: str = "the world"
    seen: list[Proof] = field(default_factory=list)

    async def look(self, proof: Proof) -> None:
        self.seen.append(proof)
        if proof.name in self.failing:
            raise self.failing[proof.name]


class CaInProcess:
    """An Authority with its three doors. A context manager; it has a loop of its own."""

    def __init__(self, **settings: Any) -> None:
        self.ca = Authority(Settings(**{"now": START, **settings}))
        self.world = World(self.ca.resolver)
        self.ca.perspectives = [self.world]
        self.acme = AcmeFront(self.ca, BASE).app
        self.management = ManagementFront(self.ca).app
        self.pki = PkiFront(self.ca).app
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._runner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self.ca.stop())
        self._runner.__exit__(kind, error, trace)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def settle(self) -> None:
        """Let what was started in the background end."""

        async def wait() -> None:
            while self.ca._tasks:
                await asyncio.sleep(0)

        self._runner.run(wait())

    def ask(
        self,
        app: App,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (("host", "ca.test"),),
    ) -> Answer:
        """One request."""
        sent: list[Any] = []
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "scheme": "https",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        }
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        self._runner.run(app(scope, receive, send))
        raw = [(name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        return Answer(
            sent[0]["status"],
            {name: value for name, value in raw if name != "link"},
            [value for name, value in raw if name == "link"],
            b"".join(message.get("body", b"") for message in sent[1:]),
        )

    # the ACME side

    def get(self, path: str) -> Answer:
        return self.ask(self.acme, "GET", path.removeprefix(BASE))

    def nonce(self) -> str:
        return self.ask(self.acme, "HEAD", "/acme/new-nonce").headers["replay-nonce"]

    def post_raw(self, path: str, body: bytes, content_type: str = "application/jose+json") -> Answer:
        headers = [("host", "ca.test"), ("content-type", content_type), ("content-length", str(len(body)))]
        return self.ask(self.acme, "POST", path.removeprefix(BASE), body, headers)

    def header(self, path: str, key: AccountKey, kid: str | None) -> dict[str, Any]:
        who: dict[str, Any] = {"kid": kid} if kid else {"jwk": key.jwk}
        return {"alg": "ES256", "nonce": self.nonce(), "url": BASE + path.removeprefix(BASE), **who}

    def post(self, path: str, payload: object, key: AccountKey, by: str | None = None, /, **change: Any) -> Answer:
        """A signed request; `change` replaces members of the header, None leaves one out."""
        header = {**self.header(path, key, by), **change}
        header = {member: value for member, value in header.items() if value is not None}
        return self.post_raw(path, json.dumps(key.jws(header, payload)).encode())

    # the management side

    def manage(self, method: str, path: str, document: object = None) -> Answer:
        body = b"" if document is None else json.dumps(document).encode()
        return self.ask(self.management, method, path, body)

    def subscriber(self, *usages: tuple[str, str], name: str = "Example") -> tuple[str, str, bytes]:
        """A subscriber: its id and its credentials. Without usages: any name."""
        wanted = [{"name": usage, "term": term} for usage, term in usages] or "any"
        made = self.manage("POST", "/jprs/subscribers", {"name": name, "usage_fqdns": wanted}).json
        secret = made["eab"]["hmac_key"]
        return made["id"], made["eab"]["key_id"], base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))

    def usages(self, subscriber: str) -> dict[str, Any]:
        shown = self.manage("GET", f"/jprs/subscribers/{subscriber}").json["usage_fqdns"]
        return {usage["name"]: usage for usage in shown}

    def certificates(self, subscriber: str) -> list[dict[str, Any]]:
        shown = self.manage("GET", f"/jprs/subscribers/{subscriber}").json["certificates"]
        return cast(list[dict[str, Any]], shown)

    def clock(self, moment: str) -> None:
        assert self.manage("POST", "/clock", {"now": moment}).status == 200

    def crl(self) -> x509.CertificateRevocationList:
        return x509.load_der_x509_crl(self.ask(self.pki, "GET", "/crl/0.crl").body)


class Client:
    """Somebody with an account."""

    def __init__(self, ca: CaInProcess, eab: tuple[str, bytes] | None = None) -> None:
        self.ca = ca
        self.key = AccountKey()
        payload: dict[str, Any] = {"termsOfServiceAgreed": True, "contact": ["mailto:admin@example.jp"]}
        if eab:
            payload["externalAccountBinding"] = self.binding(*eab)
        made = ca.post("/acme/new-account", payload, self.key)
        assert made.status == 201, made
        self.kid = made.headers["location"]

    def binding(self, key_id: str, secret: bytes) -> dict[str, str]:
        header = {"alg": "HS256", "kid": key_id, "url": BASE + "/acme/new-account"}
        return mac_jws(secret, header, self.key.jwk)

    def post(self, path: str, payload: object, **change: Any) -> Answer:
        return self.ca.post(path, payload, self.key, self.kid, **change)

    def read(self, path: str) -> Answer:
        return self.post(path, None)

    def order(self, *names: str, **more: Any) -> Answer:
        identifiers = [{"type": "dns", "value": name} for name in names]
        return self.post("/acme/new-order", {"identifiers": identifiers, **more})

    def challenges(self, authorization: str) -> dict[str, Any]:
        return {challenge["type"]: challenge for challenge in self.read(authorization).json["challenges"]}

    def prove(self, order: Answer, kind: str = "dns-01") -> None:
        for authorization in order.json["authorizations"]:
            answer = self.post(self.challenges(authorization)[kind]["url"], {})
            assert answer.status == 200, answer
        self.ca.settle()

    def finalize(self, order: Answer, csr_der: bytes) -> Answer:
        return self.post(order.json["finalize"], {"csr": b64(csr_der)})

    def issue(self, *names: str, key: CertificateKey | None = None, kind: str = "dns-01", **more: Any) -> bytes:
        """A certificate for `names`: its chain in PEM."""
        order = self.order(*names, **more)
        assert order.status == 201, order
        self.prove(order, kind)
        finalized = self.finalize(order, csr(names, key))
        assert finalized.status == 200, finalized
        self.ca.settle()
        done = self.read(order.headers["location"]).json
        assert done["status"] == "valid", done
        return self.read(done["certificate"]).body


CertificateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def csr(
    names: Sequence[str],
    key: CertificateKey | None = None,
    common_name: str | None = None,
    digest: hashes.HashAlgorithm | None = None,
) -> bytes:
    """A CSR for `names`, DER."""
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    signer = key or ec.generate_private_key(ec.SECP256R1())
    chosen = cast(hashes.SHA256, digest or hashes.SHA256())
    return builder.sign(signer, chosen).public_bytes(serialization.Encoding.DER)


def leaf(chain_pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain_pem)[0]


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
