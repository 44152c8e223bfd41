"""Which solver proves which name, and what is found before there is an order."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

import pytest

from jprs_client.challenges.choice import NotSolvable, check_solvable, choose, content_for
from jprs_client.plugin import Proof

TYPES = {"web": "http-01", "dns": "dns-01", "other-dns": "dns-01"}


@dataclass(frozen=True)
class Challenge:
    type: str
    token: str = "tokenAAAAAAAAAAAAAAAAAA"
    url: str = "https://ca.example/chall/1"


@dataclass(frozen=True)
class Authorization:
    name: str
    challenges: tuple[Challenge, ...]
    wildcard: bool = False


def solver_for(name: str) -> str:
    return "dns" if name.startswith("*.") else "web"


BOTH = (Challenge("dns-01"), Challenge("tls-alpn-01"), Challenge("http-01"))


def test_each_name_gets_its_solvers_challenge() -> None:
    authorizations = [Authorization("example.jp", BOTH), Authorization("example.jp", BOTH[:1], wildcard=True)]
    choices = choose(authorizations, solver_for, TYPES)
    assert [(choice.solver, choice.challenge.type) for choice in choices] == [("web", "http-01"), ("dns", "dns-01")]
    assert choices[0].challenge.url == "https://ca.example/chall/1"


def test_a_choice_makes_its_proof() -> None:
    choice = choose([Authorization("example.jp", BOTH, wildcard=True)], solver_for, TYPES)[0]
    assert choice.proof("content") == Proof("dns-01", "example.jp", "tokenAAAAAAAAAAAAAAAAAA", "content", True)


def test_a_challenge_that_the_ca_does_not_offer_is_told_with_what_it_offers() -> None:
    with pytest.raises(NotSolvable) as refused:
        choose([Authorization("example.jp", BOTH[:2])], solver_for, TYPES)
    assert (refused.value.code, refused.value.exit_code) == ("challenge-not-offered", 4)
    assert refused.value.params == {
        "name": "example.jp",
        "solver": "web",
        "challenge": "http-01",
        "offered": "dns-01, tls-alpn-01",
    }


def test_an_authorization_without_challenges_is_refused_too() -> None:
    with pytest.raises(NotSolvable) as refused:
        choose([Authorization("example.jp", (), wildcard=True)], solver_for, TYPES)
    assert (refused.value.params["name"], refused.value.params["offered"]) == ("*.example.jp", None)


def test_a_wildcard_by_http_is_refused_before_any_order() -> None:
    """FAULTS 111."""
    found = check_solvable("main", ["example.jp", "*.example.jp"], lambda _: "web", TYPES)
    assert [(error.code, error.exit_code) for error in found] == [("wildcard-needs-dns", 4)]
    assert found[0].params == {
        "certificate": "main",
        "name": "*.example.jp",
        "solver": "web",
        "challenge": "http-01",
        "able": "dns, other-dns",
    }


def test_all_wildcards_that_cannot_be_proved_are_told_at_once() -> None:
    found = check_solvable("main", ["*.b.jp", "*.a.jp"], lambda _: "web", {"web": "http-01"})
    assert [error.params["name"] for error in found] == ["*.a.jp", "*.b.jp"]
    assert found[0].params["able"] is None


def test_a_wildcard_by_dns_is_fine() -> None:
    assert check_solvable("main", ["example.jp", "*.example.jp"], solver_for, TYPES) == ()


def test_http_shows_the_key_authorization_and_dns_its_digest() -> None:
    """RFC 8555 §8.3, §8.4."""
    assert content_for("http-01", "token.thumb") == "token.thumb"
    padded = content_for("dns-01", "token.thumb") + "="
    assert base64.urlsafe_b64decode(padded) == hashlib.sha256(b"token.thumb").digest()
