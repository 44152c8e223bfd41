"""Certificates, CRLs, OCSP answers and SCTs, judged by who knows nothing of this house: OpenSSL, GnuTLS, pkilint.

OpenSSL and GnuTLS look at a real server, with this machine's time; the SCTs are read by hand besides.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib
import importlib.util
import io
import json
import struct
import subprocess
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from acme import challenges, client, messages
from acme import crypto_util as acme_crypto
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from josepy import jwa as josepy_jwa
from josepy import jwk as josepy_jwk

from jprs_client.testca.ocsp import GOOD, UNKNOWN, Standing, answer, read_request
from jprs_client.testca.orders import Revocation
from jprs_client.testca.signer import Pki, Request
from tests import needs
from tests.ca_process import TestCaProcess
from tests.nginx_server import free_port, nginx_server

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM


def said(*command: object, code: int | None = 0) -> str:
    """What a program said, standard error included. `code`: how it has to end; None: as it likes."""
    argv = [str(each) for each in command]
    ended = subprocess.run(argv, input=b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
    text = ended.stdout.decode(errors="replace")
    assert code in {None, ended.returncode}, f"{' '.join(argv)}\n{text}"
    return text


def fetched(url: str, body: bytes | None = None, content_type: str = "") -> bytes:
    headers = {"Content-Type": content_type} if content_type else {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, body, headers), timeout=30) as response:
        found = response.read()
    assert isinstance(found, bytes)
    return found


class Site:
    """A certificate from the real server, and its files."""

    def __init__(self, ca: TestCaProcess, folder: Path, *names: str) -> None:
        self.ca, self.folder = ca, folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        key_pem = self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        chain = issue(ca, key_pem, *names)
        self.leaf, self.intermediate = x509.load_pem_x509_certificates(chain.encode())
        self.write("key.pem", key_pem)
        self.write("leaf.pem", self.leaf.public_bytes(PEM))
        self.write("intermediate.pem", self.intermediate.public_bytes(PEM))
        self.root = x509.load_der_x509_certificate(fetched(address(self.intermediate, Access.CA_ISSUERS)))
        self.write("root.pem", self.root.public_bytes(PEM))
        self.write("chain.pem", self.intermediate.public_bytes(PEM) + self.root.public_bytes(PEM))

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def lists(self) -> list[Path]:
        """The CRLs that leaf and intermediate point to, as of now."""
        ders = [fetched(crl_address(each)) for each in (self.leaf, self.intermediate)]
        return [self.write(f"{n}.crl", x509.load_der_x509_crl(der).public_bytes(PEM)) for n, der in enumerate(ders)]


def address(certificate: x509.Certificate, method: x509.ObjectIdentifier) -> str:
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    return next(str(each.access_location.value) for each in access if each.access_method == method)


def crl_address(certificate: x509.Certificate) -> str:
    (point,) = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name is not None
    return str(point.full_name[0].value)


def issue(ca: TestCaProcess, key_pem: bytes, *names: str) -> str:
    account = josepy_jwk.JWKEC(key=ec.generate_private_key(ec.SECP256R1()))
    network = client.ClientNetwork(account, alg=josepy_jwa.ES256)
    network.verify_ssl = cast(bool, str(ca.trust))  # as `requests` has it
    network.session.trust_env = False
    acme = client.ClientV2(client.ClientV2.get_directory(ca.directory, network), network)
    acme.new_account(messages.NewRegistration.from_data(email="admin@example.jp", terms_of_service_agreed=True))
    order = acme.new_order(acme_crypto.make_csr(key_pem, list(names)))
    for authorization in order.authorizations:
        (body,) = [each for each in authorization.body.challenges if isinstance(each.chall, challenges.DNS01)]
        response, validation = body.chall.response_and_validation(account)
        host = body.chall.validation_domain_name(authorization.body.identifier.value)
        ca.post("/set-txt", {"host": host, "value": validation})
        acme.answer_challenge(body, response)
    return str(acme.poll_and_finalize(order).fullchain_pem)


@pytest.fixture(scope="module")
def ca() -> Iterator[TestCaProcess]:
    with TestCaProcess("--open") as process:
        yield process


@pytest.fixture(scope="module")
def site(ca: TestCaProcess, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One that stays good."""
    return Site(ca, tmp_path_factory.mktemp("site"), "www.example.jp", "example.jp")


# OpenSSL


def test_openssl_verifies_the_chain_with_its_crls_and_sees_a_revocation(ca: TestCaProcess, tmp_path: Path) -> None:
    openssl = needs.program("openssl")
    site = Site(ca, tmp_path, "www.example.jp")

    def verify() -> tuple[int, str]:
        lists = [argument for path in site.lists() for argument in ("-CRLfile", str(path))]
        command = [openssl, "verify", "-x509_strict", "-crl_check_all", *lists, "-purpose", "sslserver"]
        command += ["-CAfile", "root.pem", "-untrusted", "intermediate.pem", "leaf.pem"]
        ended = subprocess.run(command, cwd=site.folder, capture_output=True, text=True, timeout=30)
        return ended.returncode, ended.stdout + ended.stderr

    assert verify() == (0, "leaf.pem: OK\n")
    ca.post("/jprs/revoke", {"serial": f"{site.leaf.serial_number:x}", "reason": 4})
    code, text = verify()
    assert code != 0
    assert "certificate revoked" in text
    assert "Superseded" in said(openssl, "crl", "-in", tmp_path / "0.crl", "-noout", "-text")
    asking = [openssl, "ocsp", "-issuer", tmp_path / "intermediate.pem", "-cert", tmp_path / "leaf.pem"]
    text = said(*asking, "-CAfile", tmp_path / "chain.pem", "-url", address(site.leaf, Access.OCSP))
    assert "Response verify OK" in text
    assert "leaf.pem: revoked" in text
    assert "Reason: superseded" in text


def test_openssl_is_answered_by_ocsp_with_its_nonce(site: Site) -> None:
    openssl = needs.program("openssl")
    where = site.folder
    to = ["-CAfile", where / "chain.pem", "-url", address(site.leaf, Access.OCSP)]

    def ask(*options: object, issuer: str = "intermediate.pem") -> str:
        return said(openssl, "ocsp", "-issuer", where / issuer, *to, *options, code=None)

    text = ask("-cert", where / "leaf.pem")
    assert "Response verify OK" in text
    assert "leaf.pem: good" in text
    assert "WARNING: no nonce" not in text
    assert "leaf.pem: good" in ask("-sha256", "-cert", where / "leaf.pem", "-no_nonce")
    two = ask("-serial", "0x1234", "-cert", where / "leaf.pem")
    assert "leaf.pem: good" in two
    assert "0x1234: unknown" in two
    assert "unauthorized" in ask("-serial", "1", issuer="root.pem")


def test_openssl_verifies_what_a_get_brings_however_it_is_escaped(site: Site) -> None:
    openssl = needs.program("openssl")
    where = site.folder
    asked = where / "request.der"
    said(
        *[openssl, "ocsp", "-issuer", where / "intermediate.pem", "-cert", where / "leaf.pem"],
        *["-no_nonce", "-reqout", asked],
    )
    text = base64.b64encode(asked.read_bytes()).decode()
    url = address(site.leaf, Access.OCSP)
    forms = {
        f"{url}/{text}",
        f"{url}/{urllib.parse.quote(text, safe='')}",
        f"{url}/{text.replace('+', '%2b').replace('/', '%2f').replace('=', '%3d')}",
        f"{url}//{text}",
    }
    for form in forms:
        brought = where / "response.der"
        brought.write_bytes(fetched(form))
        checked = said(
            *[openssl, "ocsp", "-issuer", where / "intermediate.pem", "-cert", where / "leaf.pem"],
            *["-CAfile", where / "chain.pem", "-respin", brought],
        )
        assert "Response verify OK" in checked
        assert "leaf.pem: good" in checked


def test_nginx_asks_by_get_and_staples_what_it_has_verified(site: Site) -> None:
    openssl, where = needs.program("openssl"), site.folder
    site.write("whole.pem", (where / "leaf.pem").read_bytes() + (where / "intermediate.pem").read_bytes())
    port = free_port()
    servers = f"""
        server {{
            listen 127.0.0.1:{port} ssl;
            ssl_certificate {where}/whole.pem;
            ssl_certificate_key {where}/key.pem;
            ssl_stapling on;
            ssl_stapling_verify on;
            ssl_trusted_certificate {where}/chain.pem;
            return 204;
        }}"""
    asking = [openssl, "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", where / "root.pem", "-status"]
    with nginx_server(where / "nginx", servers):
        # It asks when somebody comes first, and has the answer for those who come later.
        staples = (said(*asking) for _ in range(200))
        assert any("OCSP Response Status: successful" in text and "Cert Status: good" in text for text in staples)


def log_list(ca: TestCaProcess) -> list[dict[str, Any]]:
    document = json.loads(fetched(f"{ca.pki}/ct/logs.json"))
    return [log for operator in document["operators"] for log in operator["logs"]]


def test_openssl_checks_the_embedded_scts_in_a_handshake(site: Site) -> None:
    openssl = needs.program("openssl")
    logs = log_list(site.ca)
    lines = [f"enabled_logs = {', '.join(f'log{n}' for n in range(len(logs)))}"]
    for number, log in enumerate(logs):
        lines += [f"[log{number}]", f"description = {log['description']}", f"key = {log['key']}"]
    site.write("logs.cnf", "\n".join(lines).encode())
    server = subprocess.Popen(
        [
            *[openssl, "s_server", "-accept", "127.0.0.1:0", "-www"],
            *["-cert", "leaf.pem", "-key", "key.pem", "-cert_chain", "intermediate.pem"],
        ],
        cwd=site.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        port = next(line.rpartition(":")[2].strip() for line in server.stdout if line.startswith("ACCEPT"))
        text = said(
            *[openssl, "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", site.folder / "root.pem"],
            *["-verify_return_error", "-verify_hostname", "www.example.jp"],
            *["-ct", "-ctlogfile", site.folder / "logs.cnf"],
        )
    finally:
        server.kill()
        server.communicate()
    assert "Verify return code: 0 (ok)" in text
    assert text.count("SCT validation status: valid") == 2 or text.count("Verification status: valid") == 2, text


# by hand, from RFC 6962


def test_the_scts_and_the_logs_agree_by_hand(site: Site) -> None:
    """RFC 6962 §3.2 and §3.3; the proofs are those of §2.1."""
    spki = site.intermediate.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    tbs = site.leaf.tbs_precertificate_bytes
    precert = hashlib.sha256(spki).digest() + len(tbs).to_bytes(3, "big") + tbs
    extension = site.leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    logs = {base64.b64decode(log["log_id"]): log for log in log_list(site.ca)}
    assert {sct.log_id for sct in extension} == set(logs)
    for sct in extension:
        log = logs[sct.log_id]
        key_der = base64.b64decode(log["key"])
        assert hashlib.sha256(key_der).digest() == sct.log_id
        key = serialization.load_der_public_key(key_der)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        milliseconds = (sct.timestamp - datetime(1970, 1, 1)) // timedelta(milliseconds=1)  # noqa: DTZ001
        entry = struct.pack(">BBQH", 0, 0, milliseconds, 1) + precert + b"\0\0"
        key.verify(sct.signature, entry, ec.ECDSA(hashes.SHA256()))

        def get(message: str, log: dict[str, Any] = log, **query: object) -> Any:
            return json.loads(fetched(f"{log['url']}ct/v1/{message}?{urllib.parse.urlencode(query)}"))

        head = get("get-sth")
        root = base64.b64decode(head["sha256_root_hash"])
        tree_head = struct.pack(">BBQQ", 0, 1, head["timestamp"], head["tree_size"]) + root
        key.verify(base64.b64decode(head["tree_head_signature"])[4:], tree_head, ec.ECDSA(hashes.SHA256()))
        leaf = hashlib.sha256(b"\0" + entry).digest()
        proof = get("get-proof-by-hash", hash=base64.b64encode(leaf).decode(), tree_size=head["tree_size"])
        size, index, found = head["tree_size"], proof["leaf_index"], leaf
        for each in map(base64.b64decode, proof["audit_path"]):
            while index % 2 == 0 and index == size - 1:
                index, size = index // 2, (size + 1) // 2
            pair = each + found if index % 2 else found + each
            found = hashlib.sha256(b"\1" + pair).digest()
            index, size = index // 2, (size + 1) // 2
        assert found == root

        (stored,) = get("get-entries", start=proof["leaf_index"], end=proof["leaf_index"])["entries"]
        assert base64.b64decode(stored["leaf_input"]) == entry
        extra = base64.b64decode(stored["extra_data"])
        length = int.from_bytes(extra[:3], "big")
        precertificate = x509.load_der_x509_certificate(extra[3 : 3 + length])
        assert precertificate.extensions.get_extension_for_class(x509.PrecertPoison).critical
        assert precertificate.serial_number == site.leaf.serial_number
        assert list(precertificate.extensions)[:-1] == list(site.leaf.extensions)[:-1]
        precertificate.verify_directly_issued_by(site.intermediate)
        assert extra[3 + length + 3 + 3 :].startswith(site.intermediate.public_bytes(DER))
        assert extra.endswith(site.root.public_bytes(DER))


# GnuTLS


def test_gnutls_verifies_chain_crl_and_ocsp(site: Site) -> None:
    certtool, ocsptool = needs.program("certtool"), needs.program("ocsptool")
    where = site.folder
    site.write("whole.pem", (where / "leaf.pem").read_bytes() + (where / "intermediate.pem").read_bytes())
    first, second = site.lists()
    site.write("all.crl", first.read_bytes() + second.read_bytes())
    verifying = [certtool, "--verify", "--load-ca-certificate", where / "root.pem", "--infile", where / "whole.pem"]
    assert "The certificate is trusted" in said(*verifying, "--load-crl", where / "all.crl")
    for issuer, crl in (("intermediate.pem", first), ("root.pem", second)):
        text = said(certtool, "--verify-crl", "--load-ca-certificate", where / issuer, "--infile", crl)
        assert "Verified" in text

    asking = [ocsptool, "--ask", "--nonce", "--load-cert", where / "leaf.pem"]
    asking += ["--load-issuer", where / "intermediate.pem", "--load-trust", where / "chain.pem"]
    text = said(*asking, "--outfile", where / "answer.der")
    assert "Certificate Status: good" in text
    assert "Verifying OCSP Response: Success" in text


# pkilint

#: What no test CA can help, and why.
ACCEPTED = {
    # The clock goes from 2020 to 2049, and the roots are valid as long; a public one lives 25 years.
    ("ROOT-CA", "cabf.serverauth.root_validity_period_too_long"),
    # As JPRS's and most others' certificates have them; NOT RECOMMENDED, not forbidden.
    ("DV", "cabf.serverauth.dv.common_name_attribute_present"),
    ("DV", "cabf.serverauth.subscriber.subject_key_identifier_extension_present"),
    ("DV", "cabf.serverauth.subscriber_rsa_digitalsignature_and_keyencipherment_present"),
}


def lint(folder: Path, linter: str, der: bytes, *options: str) -> set[str]:
    """What pkilint finds from WARNING upwards."""
    path = folder / "document.der"
    path.write_bytes(der)
    module = importlib.import_module(f"pkilint.bin.{linter}")
    with contextlib.redirect_stdout(io.StringIO()) as out, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module.main(["lint", *options, "-s", "WARNING", "-f", "JSON", str(path)])
    results = json.loads(out.getvalue())["results"]
    return {finding["code"] for result in results for finding in result["finding_descriptions"]}


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_pkilint_finds_nothing_that_a_test_ca_can_help(tmp_path: Path, kind: str) -> None:
    if importlib.util.find_spec("pkilint") is None:
        needs.missing("pkilint is not installed")
    now = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    # Addresses that look public: that a test CA's own are not is no secret.
    pki = Pki("http://pki.example.com")
    pki.use(kind)
    private = ec.generate_private_key(ec.SECP256R1()) if kind == "ecdsa" else rsa.generate_private_key(65537, 2048)
    request = Request(private.public_key(), frozenset())
    usual = pki.issue(request, ["www.example.jp", "*.example.jp"], "somebody", now)
    short = pki.issue(request, [f"{'a' * 60}.example.jp"], "somebody", now, timedelta(hours=160))
    index = usual.issuer
    issuer = pki.intermediates[index]
    pki.revoke_intermediate(index, 5, now)
    documents = [
        ("DV-FINAL-CERTIFICATE", usual.der),
        ("INTERNAL-UNCONSTRAINED-TLS-CA", issuer.under(index).public_bytes(DER)),
        ("ROOT-CA", pki.roots[index].der),
    ]
    if kind == "ecdsa":  # these differ in nothing but the key; a linter takes its time
        documents += [
            ("DV-FINAL-CERTIFICATE", short.der),
            ("DV-PRE-CERTIFICATE", precertificate_of(pki)),
            ("OCSP-RESPONDER", issuer.responder.der),
        ]
    found = set()
    for type_, der in documents:
        codes = lint(tmp_path, "lint_cabf_serverauth_cert", der, "-t", type_)
        found |= {(type_ if type_ == "ROOT-CA" else type_.partition("-")[0], code) for code in codes}
    assert found <= ACCEPTED

    usual.revocation, short.revocation = Revocation(now, 1), Revocation(now, 0)
    assert lint(tmp_path, "lint_crl", pki.crl(index, [usual, short], now), "-t", "CRL", "-p", "BR") == set()
    assert lint(tmp_path, "lint_crl", pki.root_crl(0, now), "-t", "ARL", "-p", "BR") == set()
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        x509.load_der_x509_certificate(usual.der), issuer.certificate, hashes.SHA256()
    )
    question = read_request(builder.build().public_bytes(DER))
    for standing in (GOOD, UNKNOWN, Standing(True, now, 4)):
        response = answer(issuer.responder, [(question.asked[0], standing)], b"n" * 32, now)
        assert lint(tmp_path, "lint_ocsp_response", response) == set()


def precertificate_of(pki: Pki) -> bytes:
    """The first one in the first log."""
    extra = pki.logs[0].extra_data(0)
    return extra[3 : 3 + int.from_bytes(extra[:3], "big")]
