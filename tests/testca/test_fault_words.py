"""Every word that `POST /faults` knows does what the manual says, in process."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from jprs_client.testca.faults import WORDS
from tests.testca.in_process import BASE, URN, Answer, CaInProcess, Client, csr
from tests.testca.test_faults import fault

ORDER = "newOrder"


@dataclass
class Scene:
    """A client with one order for a.jp and b.jp, and whatever a test asks next."""

    client: Client
    order: Answer

    def ask(self, endpoint: str) -> Answer:
        """One request of that kind."""
        client, order = self.client, self.order
        match endpoint:
            case "directory":
                return client.ca.get("/dir")
            case "newNonce":
                return client.ca.ask(client.ca.acme, "HEAD", "/acme/new-nonce")
            case "newOrder":
                return client.order("a.jp", "b.jp")
            case "order":
                return client.read(order.headers["location"])
            case "authorization":
                return client.read(order.json["authorizations"][0])
            case "challenge":
                return client.post(self.challenge(), {})
            case "finalize":
                return client.finalize(order, csr(["a.jp", "b.jp"]))
            case _:
                return client.read(client.kid)

    def challenge(self) -> str:
        return str(self.client.challenges(self.order.json["authorizations"][0])["dns-01"]["url"])

    def orders(self) -> int:
        return len(self.client.read(self.client.kid + "/orders").json["orders"])


@pytest.fixture
def scene(open_ca: CaInProcess) -> Scene:
    client = Client(open_ca)
    return Scene(client, client.order("a.jp", "b.jp"))


Check = Callable[[Scene, Answer], bool]


def refused(status: int, kind: str, retry_after: str | None = None) -> Check:
    def check(scene: Scene, answer: Answer) -> bool:
        return (answer.status, answer.problem, answer.headers.get("retry-after")) == (status, kind, retry_after)

    return check


def said(**members: Any) -> Check:
    return lambda _, answer: all(answer.json.get(name) == value for name, value in members.items())


def located(beginning: str) -> Check:
    return lambda _, answer: answer.status == 307 and answer.headers["location"].startswith(beginning)


def with_headers(**headers: str | None) -> Check:
    return lambda _, answer: all(answer.headers.get(name.replace("_", "-")) == value for name, value in headers.items())


def body_longer_than(octets: int) -> Check:
    return lambda _, answer: len(answer.body) > octets


def everything_at(prefix: str) -> Check:
    def check(_: Scene, answer: Answer) -> bool:
        entries = [value for value in answer.json.values() if isinstance(value, str)]
        return len(entries) == 6 and all(value.startswith(prefix) for value in entries)

    return check


#: Word → the kind of request it is tried at, and what is seen then.
ANSWERED: Mapping[str, tuple[str, Check]] = {
    "huge": ("order", lambda _, answer: len(answer.body) == 10 * 1024 * 1024 and answer.json["status"] == "pending"),
    "long-text": ("order", lambda _, answer: len(answer.json["long"]) > 10**7),
    "deep": ("order", lambda _, answer: answer.body.count(b"[") > 100_000),
    "gzip-bomb": (
        "order",
        lambda _, answer: (
            answer.headers["content-encoding"] == "gzip"
            and len(answer.body) < 10**6
            and len(gzip.decompress(answer.body)) == 200 * 1024 * 1024
        ),
    ),
    "huge-header": ("order", lambda _, answer: len(answer.headers["x-padding-0"]) == 200_000),
    "many-headers": ("order", lambda _, answer: sum(name.startswith("x-padding") for name in answer.headers) == 1000),
    "html": (ORDER, lambda scene, answer: (answer.status, answer.headers["content-type"]) == (200, "text/html")),
    "plain-text": (ORDER, lambda scene, answer: (answer.status, answer.body) == (502, b"Bad Gateway")),
    "empty": ("order", lambda _, answer: (answer.status, answer.body) == (404, b"")),
    "not-json": ("order", lambda _, answer: answer.body == b'{"status": "val'),
    "wrong-types": ("order", lambda _, answer: isinstance(answer.json["identifiers"], dict)),
    "duplicate-keys": ("order", lambda _, answer: answer.body.count(b'"status"') == 2),
    "nan": ("order", lambda _, answer: b"NaN" in answer.body),
    "server-error": (ORDER, refused(500, "serverInternal")),
    "maintenance": (ORDER, refused(503, "serverInternal", "21600")),
    "rate-limited": (ORDER, refused(429, "rateLimited", "3600")),
    "rate-limited-for-ever": (ORDER, refused(429, "rateLimited")),
    "paused": (
        ORDER,
        lambda _, answer: answer.problem == "rateLimited" and "https://unpause.invalid/" in answer.json["detail"],
    ),
    "terms-changed": (
        ORDER,
        lambda _, answer: (
            answer.problem == "userActionRequired"
            and answer.json["instance"] == "https://terms.invalid/2027"
            and answer.links == ['<https://terms.invalid/2027>;rel="terms-of-service"']
        ),
    ),
    "gone": ("order", refused(404, "malformed")),
    "not-ready": ("finalize", refused(403, "orderNotReady")),
    "already-replaced": (ORDER, refused(409, "alreadyReplaced")),
    "unknown-type": (ORDER, refused(400, "neverHeardOf")),
    "no-urn": (ORDER, said(type="https://ca.invalid/errors:17")),
    "about-blank": (ORDER, said(type="about:blank")),
    "no-type": (ORDER, lambda _, answer: answer.status == 400 and "type" not in answer.json),
    "bad-nonce": (ORDER, refused(400, "badNonce")),
    "no-nonce": (ORDER, with_headers(replay_nonce=None)),
    "malformed-nonce": (ORDER, with_headers(replay_nonce="not a nonce!")),
    "used-nonce": (
        ORDER,
        lambda scene, answer: (
            scene.client.post(scene.client.kid, None, nonce=answer.headers["replay-nonce"]).problem == "badNonce"
        ),
    ),
    "redirect-self": ("directory", located(f"{BASE}/dir")),
    "redirect-loop": ("directory", located(f"{BASE}/dir?turn=1")),
    "redirect-http": ("directory", located("http://ca.test/dir")),
    "redirect-elsewhere": ("directory", located("https://elsewhere.invalid/dir")),
    "addresses-http": ("directory", everything_at("http://ca.test/acme/")),
    "addresses-elsewhere": ("directory", everything_at("https://elsewhere.invalid/acme/")),
    "addresses-private": ("directory", everything_at("https://169.254.169.254/acme/")),
    "no-new-order": ("directory", lambda _, answer: "newOrder" not in answer.json and "newNonce" in answer.json),
    "no-meta": ("directory", lambda _, answer: "meta" not in answer.json and "newOrder" in answer.json),
    "unknown-members": ("directory", said(xq7Zk="https://ca.invalid/?")),
    "unknown-status": ("order", said(status="sleeping")),
    "unknown-challenges": (
        "authorization",
        lambda _, answer: "token" not in answer.json["challenges"][0] and len(answer.json["challenges"]) == 4,
    ),
    "pending": ("order", said(status="pending", certificate=None)),
    "processing": ("order", said(status="processing", certificate=None)),
    "invalid": ("order", said(status="invalid")),
    "expired": ("authorization", said(status="expired", expires="2020-01-01T00:00:00Z")),
    "other-names": (
        "order",
        lambda _, answer: {each["value"] for each in answer.json["identifiers"]} == {"other.example"},
    ),
    "reordered": (
        "order",
        lambda scene, answer: (
            answer.json["authorizations"] == scene.order.json["authorizations"][::-1]
            and answer.json["identifiers"][0]["value"] == "b.jp"
        ),
    ),
    "upper-case": ("order", lambda _, answer: answer.json["identifiers"][0]["value"] == "A.JP"),
    "account-gone": ("account", refused(400, "accountDoesNotExist")),
    "account-deactivated": ("account", refused(401, "unauthorized")),
    "account-revoked": ("account", refused(401, "unauthorized")),
    "order-gone": ("order", lambda scene, answer: answer.status == 404 and scene.orders() == 0),
    "order-expired": ("order", lambda _, answer: answer.json["status"] == "invalid" and "expired" in str(answer.json)),
    "error-then-invalid": (
        "finalize",
        lambda scene, answer: answer.status == 500 and scene.ask("order").json["status"] == "invalid",
    ),
    "proved": (ORDER, said(status="ready")),
    "valid-at-once": ("challenge", said(status="valid")),
}

#: What has tests of its own, since more than one answer shows it.
ELSEWHERE = {
    "drop", "drop-after", "reset", "reset-after", "cut", "cut-reset", "drip", "stall", "endless",
    "length-too-long", "length-too-short",
    "no-error", "starts-by-reading", "nothing-changed", "stuck",
    *(word for word in WORDS if word.startswith(("fails-", "tls-"))),
}  # fmt: skip


def test_every_word_is_tried() -> None:
    assert set(ANSWERED) | ELSEWHERE == set(WORDS)
    assert not set(ANSWERED) & ELSEWHERE


@pytest.mark.parametrize("word", ANSWERED)
def test_a_word_changes_the_next_answer_and_none_after_it(scene: Scene, word: str) -> None:
    endpoint, check = ANSWERED[word]
    fault(scene.client.ca, word, match={"endpoint": endpoint})
    assert check(scene, scene.ask(endpoint))
    later = scene.client.ca.get("/dir")
    assert later.status == 200
    assert set(later.json) >= {"newOrder", "meta"}


def test_a_validation_without_error(scene: Scene) -> None:
    """M5: an invalid challenge that does not say why."""
    ca = scene.client.ca
    fault(ca, "fails-dns", match={"endpoint": "validation"})
    scene.ask("challenge")
    ca.settle()
    fault(ca, "no-error", match={"endpoint": "authorization"})
    (challenge,) = scene.ask("authorization").json["challenges"]
    assert challenge["status"] == "invalid"
    assert "error" not in challenge
    (challenge,) = scene.ask("authorization").json["challenges"]
    assert challenge["error"]["type"] == URN + "dns"


def test_reading_a_challenge_starts_its_validation(scene: Scene) -> None:
    """M6."""
    url = scene.challenge()
    assert scene.client.read(url).json["status"] == "pending"
    fault(scene.client.ca, "starts-by-reading", match={"endpoint": "challenge", "read": True})
    assert scene.client.read(url).json["status"] == "processing"
    scene.client.ca.settle()
    assert scene.client.read(url).json["status"] == "valid"


def test_a_failed_validation_that_is_the_challenges_own_refusal(scene: Scene) -> None:
    """M5: the authorization stays pending."""
    fault(scene.client.ca, {"status": 400, "type": "unauthorized"}, match={"endpoint": "challenge", "read": False})
    assert scene.ask("challenge").problem == "unauthorized"
    assert scene.ask("authorization").json["status"] == "pending"


def test_json_that_is_lost_in_a_long_body_is_still_json(scene: Scene) -> None:
    fault(scene.client.ca, {"size": 5000, "long": 100, "merge": {"a": 1}}, match={"endpoint": "order"})
    answer = scene.ask("order")
    assert len(answer.body) == 5000
    assert json.loads(answer.body)["a"] == 1
