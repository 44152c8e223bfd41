"""The CA for other people's tests: as pytest fixtures, and in their own process; used as a stranger would."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy import jwa as josepy_jwa
from josepy import jwk as josepy_jwk

from jprs_client.testca.handle import Credentials, Handle, ManagementError, command_line
from jprs_client.testca.in_process import Ca, Problem, Proof
from jprs_client.testca.process import CaProcess

HOUSE = Path(__file__).parents[2]

STRANGERS = {
    "conftest.py": """
        from jprs_client.testca.pytest import ca, ca_in_process, ca_session, pytest_configure
    """,
    "test_theirs.py": """
        import json
        import ssl
        import urllib.request
        import pytest

        def directory(ca):
            context = ssl.create_default_context(cafile=str(ca.trust))
            with urllib.request.urlopen(ca.directory, context=context) as answer:
                return json.load(answer)

        def test_jprs(ca):
            assert directory(ca)["meta"]["externalAccountRequired"]
            assert ca.subscriber("Example", "example.jp", term="1m").key_id
            assert ca.pid and ca.dns and ca.pki and ca.stderr() == ""
            assert [entry["endpoint"] for entry in ca.log()] == ["directory"]

        @pytest.mark.jprs_ca(open=True, without=["keyChange", "renewalInfo"])
        def test_marked(ca):
            found = directory(ca)
            assert "keyChange" not in found and "externalAccountRequired" not in found["meta"]

        @pytest.mark.parametrize("ca", [{"open": True, "now": "2030-01-01"}], indirect=True)
        def test_by_parameter(ca):
            assert ca.clock().year == 2029

        def test_session(ca_session):
            assert ca_session.roots()

        def test_in_process(ca_in_process):
            assert ca_in_process.session().get(ca_in_process.directory).json()["newOrder"]
    """,
    "sub/test_settings.py": """
        import pytest

        @pytest.fixture(scope="session")
        def ca_settings():
            return {"open": True, "now": "2031-01-01"}

        @pytest.mark.jprs_ca(now="2032-06-01")
        def test_the_marker_wins(ca):
            assert ca.clock().year == 2032

        def test_settings(ca):
            assert ca.clock().year == 2030
    """,
}


@pytest.mark.slow
def test_fixtures_serve_strangers(tmp_path: Path) -> None:
    for name, text in STRANGERS.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(line.removeprefix("        ") for line in text.splitlines()))
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COVERAGE"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert "7 passed" in done.stdout, done.stdout + done.stderr


def test_options_are_spelled_as_the_program_has_them() -> None:
    assert command_line(
        {
            "open": True,
            "require_eab": False,
            "resolver": None,
            "now": datetime(2026, 11, 22, tzinfo=UTC),
            "without": ["a", "b"],
            "ocsp_lag": timedelta(minutes=2),
            "http_port": 80,
        }
    ) == [
        "--open",
        "--now=2026-11-22T00:00:00+00:00",
        "--without=a",
        "--without=b",
        "--ocsp-lag=120s",
        "--http-port=80",
    ]


def test_a_ca_that_cannot_start_says_why() -> None:
    with pytest.raises(RuntimeError, match="--issuer cheese: one of ecdsa, rsa, by-key"), CaProcess(issuer="cheese"):
        pytest.fail("it started")


# -- one life, on either -----------------------------------------------------------------------------------------------


@pytest.fixture(params=["in-process", "process"])
def running(request: pytest.FixtureRequest) -> Iterator[tuple[Handle, requests.Session]]:
    """A CA, and a session that reaches it."""
    if request.param == "process":
        with CaProcess(always_valid=True, ocsp_lag="0s", now="2026-11-22") as process, requests.Session() as session:
            session.verify = str(process.trust)
            yield process, session
    else:
        with Ca(now=datetime(2026, 11, 21, 15, tzinfo=UTC)) as ca, ca.session() as session:
            yield ca, session


def account(ca: Handle, session: requests.Session, eab: Credentials | None) -> client.ClientV2:
    """Somebody else's client, registered."""
    key = josepy_jwk.JWKEC(key=ec.generate_private_key(ec.SECP256R1()))
    network = client.ClientNetwork(key, alg=josepy_jwa.ES256)
    network.verify_ssl = session.verify  # type: ignore[assignment]  # a file is as good to requests
    network.session.close()
    network.session = session
    directory = client.ClientV2.get_directory(ca.directory, network)
    acme = client.ClientV2(directory, network)
    binding = None
    if eab is not None:
        binding = messages.ExternalAccountBinding.from_data(key.public_key(), eab.key_id, eab.hmac_key, directory)
    network.account = acme.new_account(
        messages.NewRegistration.from_data(
            email="a@example.jp", terms_of_service_agreed=True, external_account_binding=binding
        )
    )
    return acme


def csr_pem(*names: str) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    key = ec.generate_private_key(ec.SECP256R1())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def obtained(acme: client.ClientV2, *names: str, kind: Any = challenges.HTTP01) -> x509.Certificate:
    """A certificate, by the book."""
    order = acme.new_order(csr_pem(*names))
    for authorization in order.authorizations:
        for challenge in authorization.body.challenges:
            if isinstance(challenge.chall, kind):
                acme.answer_challenge(challenge, challenge.chall.response(acme.net.key))
    return x509.load_pem_x509_certificates(acme.poll_and_finalize(order).fullchain_pem.encode())[0]


def test_a_certificates_life_in_process_and_over_tls(running: tuple[Handle, requests.Session]) -> None:
    ca, session = running
    acme = account(ca, session, ca.subscriber("Example", "example.jp", "*.example.jp"))

    certificate = obtained(acme, "example.jp", "www.example.jp")
    assert certificate.not_valid_before_utc.date().isoformat() == "2026-11-21"
    assert ca.status(certificate)["Status"] == "Valid"
    (subscriber,) = ca.subscribers()
    assert {usage["name"]: usage["status"] for usage in subscriber["usage_fqdns"]}["example.jp"] == "in-use"

    ca.fault("bad-nonce", endpoint="newOrder")
    obtained(acme, "example.jp")
    assert [entry["problem"] for entry in ca.log() if entry["fault"]] == ["badNonce"]
    ca.forget_log()
    ca.fault({"status": 503}, count=0)
    ca.no_faults()
    assert ca.log() == []

    ca.revoke(certificate, 4)
    assert ca.status(certificate)["Reason"] == 4
    with session.get(f"{ca.pki}/crl/0.crl") as answer:
        crl = x509.load_der_x509_crl(answer.content)
    assert crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None

    before = ca.clock()
    assert ca.advance(timedelta(days=1)) - before >= timedelta(days=1)
    assert ca.set_clock("2027-01-01").isoformat().startswith("2026-12-31T15:00")
    assert x509.load_pem_x509_certificate(ca.roots()[0].encode()).subject
    assert ca.intermediates()
    with pytest.raises(messages.Error, match="rejectedIdentifier"):
        acme.new_order(csr_pem("other.jp"))
    with pytest.raises(ManagementError) as refused:
        ca.status("1234")
    assert refused.value.status == 404


# -- in process --------------------------------------------------------------------------------------------------------


@pytest.fixture
def sessions() -> Iterator[list[requests.Session]]:
    opened: list[requests.Session] = []
    yield opened
    for session in opened:
        session.close()


def test_in_process_a_function_looks_at_proofs(sessions: list[requests.Session]) -> None:
    seen: list[Proof] = []

    def look(proof: Proof) -> bool:
        seen.append(proof)
        if proof.name == "dns.example.jp":
            raise Problem("dns", "nobody there")
        return proof.name != "no.example.jp"

    with Ca(open=True, look=look, perspectives=1) as ca:
        sessions.append(ca.session())
        acme = account(ca, sessions[0], None)
        assert obtained(acme, "a.example.jp", kind=challenges.DNS01)
        assert [(proof.kind, proof.name) for proof in seen] == [("dns-01", "a.example.jp")]
        for name, kind in (("no.example.jp", "unauthorized"), ("dns.example.jp", "dns")):
            with pytest.raises(errors.ValidationError) as failed:
                obtained(acme, name)
            ((problem,),) = [[c.error for c in a.body.challenges if c.error] for a in failed.value.failed_authzrs]
            assert problem.typ.endswith(kind)


def test_in_process_a_coroutine_looks_at_proofs(sessions: list[requests.Session]) -> None:
    async def look(proof: Proof) -> bool:
        return proof.kind == "http-01"

    with Ca(open=True, look=look) as ca:
        sessions.append(ca.session())
        assert obtained(account(ca, sessions[0], None), "a.example.jp")


def test_in_process_answers_can_be_lost_and_cut(sessions: list[requests.Session]) -> None:
    with Ca(open=True) as ca:
        session = ca.session()
        sessions.append(session)
        ca.fault("drop", endpoint="directory")
        with pytest.raises(requests.ConnectionError):
            session.get(ca.directory)
        ca.fault("cut", endpoint="directory")
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            session.get(ca.directory)
        ca.fault("drop", endpoint="directory")
        with pytest.raises(ConnectionError):
            ca.request("GET", ca.directory)
        assert ca.request("GET", "/dir").status == 200
        with pytest.raises(requests.ConnectionError, match="nothing but the test CA"):
            session.get("https://example.jp/")


def test_in_process_several_threads_may_ask() -> None:
    with Ca(open=True) as ca:
        nonces: list[str | None] = []
        threads = [
            threading.Thread(target=lambda: nonces.append(ca.request("HEAD", "/acme/new-nonce").header("Replay-Nonce")))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(nonces)) == 8


def test_in_process_nobody_answers_outside_the_block() -> None:
    ca = Ca(open=True)
    with pytest.raises(RuntimeError, match="context manager"):
        ca.clock()
    with ca:
        assert ca.clock()
    with pytest.raises(RuntimeError, match="context manager"):
        ca.request("GET", "/dir")
