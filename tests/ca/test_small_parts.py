"""Pure parts: Retry-After, PEM, waiting, sentences."""

from __future__ import annotations

import ast
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jprs_client.ca
from jprs_client.ca.pem import certificates, to_pem
from jprs_client.ca.problems import Asking, problem_from, refusal
from jprs_client.ca.retry_after import LONGEST, clamp, retry_after
from jprs_client.ca.waiting import wait_for
from jprs_client.errors import BadAnswer, CaUnavailable, JprsClientError
from jprs_client.locale.ca import EN, JA
from tests.ca.chains import INTERMEDIATE, made_chain
from tests.ca.scripted import SetClock

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "wait"),
    [
        ([], None),
        (["0"], timedelta(0)),
        (["120"], timedelta(seconds=120)),
        ([" 120 "], timedelta(seconds=120)),
        (["1000000000"], LONGEST),
        (["9" * 10_000], LONGEST),
        (["-1"], None),
        (["+5"], None),
        (["1.5"], None),
        (["\u0661\u0662"], None),
        (["soon"], None),
        ([""], None),
        (["5, 10"], None),
        (["Sun, 22 Nov 2026 03:01:00 GMT"], timedelta(minutes=1)),
        (["Sunday, 22-Nov-26 03:01:00 GMT"], timedelta(minutes=1)),
        (["Sat, 21 Nov 2026 03:01:00 GMT"], timedelta(0)),
        (["Fri, 31 Dec 9999 23:59:59 GMT"], LONGEST),
        (["Sun, 22 Nov 2026 03:01:00 -0000"], timedelta(minutes=1)),
        (["Sun, 99 Nov 2026 03:01:00 GMT"], None),
        (["5", "60"], timedelta(seconds=60)),
        (["garbage", "60"], timedelta(seconds=60)),
    ],
)
def test_70_every_shape_of_retry_after_is_a_wait_or_nothing(values: list[str], wait: timedelta | None) -> None:
    assert retry_after(values, NOW) == wait


@given(st.lists(st.text(max_size=80), max_size=3))
def test_70_no_retry_after_is_an_error_or_longer_than_a_year(values: list[str]) -> None:
    wait = retry_after(values, NOW)
    assert wait is None or timedelta(0) <= wait <= LONGEST
    assert timedelta(1) <= clamp(wait, timedelta(1), timedelta(2), timedelta(1)) <= timedelta(2)


PEM = b"".join(to_pem(der) for der in made_chain().der)
KEY_BLOCK = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"


def test_97_certificates_come_out_in_their_order_however_the_lines_end() -> None:
    chain = made_chain()
    pem = b"".join(to_pem(der) for der in chain.der)
    for variant in (pem, pem.strip(), pem.replace(b"\n", b"\r\n"), b"\n\n" + pem.replace(b"-\n-", b"-\n\n\n-") + b"\n"):
        assert certificates(variant) == tuple(chain.der)


@pytest.mark.parametrize(
    ("pem", "code"),
    [
        (b"", "chain-empty"),
        (b"\n\n", "chain-empty"),
        (b"hello", "chain-not-only-certificates"),
        (PEM + KEY_BLOCK, "chain-not-only-certificates"),
        (KEY_BLOCK + PEM, "chain-not-only-certificates"),
        (PEM + b"# a comment\n", "chain-not-only-certificates"),
        (b"subject=CN = x\n" + PEM, "chain-not-only-certificates"),
        (PEM + b"ssl_certificate_key /etc/evil;\n", "chain-not-only-certificates"),
        (PEM.replace(b"BEGIN CERTIFICATE", b"BEGIN TRUSTED CERTIFICATE"), "chain-not-only-certificates"),
        (b"-----BEGIN CERTIFICATE-----\nA*AA\n-----END CERTIFICATE-----\n", "chain-not-only-certificates"),
        (b"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n", "chain-not-only-certificates"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n", "chain-not-only-certificates"),
        (PEM + b"\0", "chain-not-only-certificates"),
        (PEM * 6, "chain-too-long"),
        (to_pem(b"x" * 65_537), "chain-too-long"),
    ],
)
def test_97_anything_but_certificates_in_a_chain_is_refused(pem: bytes, code: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        certificates(pem)
    assert caught.value.code == code


@given(st.binary(max_size=300))
def test_97_no_bytes_at_all_make_the_reader_fail_otherwise(pem: bytes) -> None:
    try:
        found = certificates(pem)
    except BadAnswer:
        return
    assert found


@dataclass
class Seen:
    status: str
    retry_after: timedelta | None = None


def test_74_waits_double_from_50_ms_to_5_s_and_end_at_the_deadline() -> None:
    clock = SetClock()
    with pytest.raises(CaUnavailable) as caught:
        wait_for(lambda: Seen("pending"), lambda seen: seen.status == "ready", 60.0, clock)
    assert caught.value.code == "ca-order-slow"
    assert clock.slept[:4] == [0.05, 0.1, 0.2, 0.4]
    assert all(after >= before for before, after in pairwise(clock.slept))
    assert max(clock.slept) == 5
    assert 55 <= clock.elapsed <= 60


def test_a_value_that_came_without_asking_is_used_before_anybody_is_asked() -> None:
    clock = SetClock()
    done = Seen("ready")
    assert wait_for(lambda: Seen("never"), lambda seen: seen.status == "ready", 60.0, clock, seen=done) is done
    assert clock.slept == []


def test_70_a_ca_that_says_zero_seconds_is_not_asked_without_end() -> None:
    clock = SetClock()
    asked = 0

    def fetch() -> Seen:
        nonlocal asked
        asked += 1
        return Seen("pending", timedelta(0))

    with pytest.raises(CaUnavailable):
        wait_for(fetch, lambda seen: False, 60.0, clock)
    assert asked < 30


MEMBERS = st.sampled_from(["type", "detail", "status", "subproblems", "identifier", "value", "title", "instance"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(LEAVES, lambda inside: st.lists(inside) | st.dictionaries(MEMBERS, inside)))
def test_m7_whatever_a_problem_document_is_there_is_an_error_with_a_sentence(document: object) -> None:
    problem = problem_from(document, 400)
    for asking in Asking:
        error = refusal(problem, asking=asking, now=NOW, name="example.jp", with_eab=True)
        assert isinstance(error, JprsClientError)
        assert f"error.{error.code}" in EN
        EN[f"error.{error.code}"].format_map(error.params)
    assert problem.detail


TABLES = {"problems.py", "transport.py"}
PREFIXES = ("ca-", "challenge-", "eab-", "name-", "caa-", "csr-", "key-", "order-", "account-", "reason-", "contact-")


def _codes() -> set[str]:
    """Every code that this room raises: the first argument of an error, and the tables of problems."""
    found: set[str] = set()
    errors = {"BadAnswer", "CaUnavailable", "RefusedByCa", "StateUnusable", "ConsentNeeded", "ChallengeFailed"}
    for file in Path(str(jprs_client.ca.__path__[0])).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in errors and node.args:
                found |= {str(a.value) for a in node.args[:1] if isinstance(a, ast.Constant)}
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and file.name in TABLES:
                found |= {node.value} if node.value.startswith(PREFIXES) else set()
    return found


def test_every_code_has_a_sentence_and_a_next_step_in_both_languages() -> None:
    codes = _codes()
    assert len(codes) > 50
    for code in codes:
        assert f"error.{code}" in EN, code
        assert f"next.{code}" in EN, code
    assert EN.keys() == JA.keys()
    for key, text in EN.items():
        assert _placeholders(text) == _placeholders(JA[key]), key


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_pem_is_written_as_everybody_writes_it() -> None:
    from cryptography.hazmat.primitives import serialization

    pem = INTERMEDIATE.certificate.public_bytes(serialization.Encoding.PEM)
    assert to_pem(INTERMEDIATE.certificate.public_bytes(serialization.Encoding.DER)) == pem
