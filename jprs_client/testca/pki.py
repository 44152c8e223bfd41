"""The PKI side over plain HTTP, at the addresses that certificates carry: issuers, CRLs, OCSP, and the CT logs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import format_datetime
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from jprs_client.testca import ocsp, untrue
from jprs_client.testca.asgi import App, Request, Response, json_response
from jprs_client.testca.ca import Authority
from jprs_client.testca.changes import Asked
from jprs_client.testca.clock import rfc3339
from jprs_client.testca.ct import PRECERT_ENTRY, X509_ENTRY, CtError, Log, Sct, Submitted
from jprs_client.testca.faults import Subject
from jprs_client.testca.ocsp import GOOD, UNKNOWN, CertId, MalformedRequest, Standing
from jprs_client.testca.signer import FIRST, CertificateAuthority, Intermediate, Pki

#: Entries that one get-entries gives at most (RFC 6962 §4.6: a log may give fewer than asked for).
_MOST_ENTRIES = 256
#: Certificates in a chain that somebody submits.
_MOST_CHAIN = 10
#: What reading a chain that anybody made up may end with.
_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    RecursionError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_NUMBER = re.compile(r"[0-9]{1,15}")


class PkiFront:
    """Where relying parties look."""

    def __init__(self, authority: Authority) -> None:
        self._ca = authority
        self.app = App(self.handle, _refusal)

    async def handle(self, request: Request) -> Response:
        """What is at the address, as of now; a scripted fault comes first."""
        now = self._ca.now()
        kind, number, rest = _place(request.path)
        names: Sequence[str] = ()
        question: ocsp.Question | MalformedRequest | None = None
        if kind == "ocsp":
            question = _question(request, rest)
            names = self._names_asked(question)
        fault = self._ca.faults.take(_ENDPOINTS.get(kind, kind), names, Subject(method=request.method))
        asked = Asked(now, self._ca.pki.base, self._ca.pki.base + request.target)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        response = fault.instead(asked) if fault is not None else None
        if response is None:
            word = fault.members.get("says") if fault is not None else None
            try:
                response = self._answer(request, kind, number, rest, question, now, word)
            except _Refused as refused:
                response = _refusal(refused.status, str(refused))
        response.set("Date", format_datetime(now, usegmt=True))
        # The clock may be set at any time: nothing may be kept by what it said.
        response.set("Cache-Control", "no-store")
        return fault.changed(response, asked) if fault is not None else response

    def _answer(
        self,
        request: Request,
        kind: str,
        number: int,
        rest: str,
        question: ocsp.Question | MalformedRequest | None,
        now: datetime,
        word: str | None,
    ) -> Response:
        pki = self._ca.pki
        if kind in {"issuers", "roots"}:
            _only(request, "GET", "HEAD")
            chosen: Sequence[CertificateAuthority] = pki.intermediates if kind == "issuers" else pki.roots
            return Response(200, _chosen(chosen, number).der, "application/pkix-cert")
        if kind == "crl":
            _only(request, "GET", "HEAD")
            _chosen(pki.intermediates, number)
            crl = untrue.crl(pki, number, self._ca.book.certificates.values(), now, word)
            return Response(200, crl, "application/pkix-crl")
        if kind == "root-crl":
            _only(request, "GET", "HEAD")
            _chosen(pki.roots, number)
            return Response(200, pki.root_crl(number, now), "application/pkix-crl")
        if kind == "ocsp" and question is not None:
            _only(request, "GET", "HEAD", "POST")
            _check_content_type(request)
            return self._status(_chosen(pki.intermediates, number), number, question, now, word)
        if kind == "ct":
            return CtDoor(pki, _chosen(pki.logs, number), now).handle(request, rest)
        if kind == "ct-logs":
            _only(request, "GET", "HEAD")
            return json_response(200, log_list(pki, now))
        raise _Refused(404, "nothing is here")

    # OCSP

    def _names_asked(self, question: ocsp.Question | MalformedRequest) -> Sequence[str]:
        asked = () if isinstance(question, MalformedRequest) else question.asked
        found = (self._ca.book.certificates.get(named.serial) for named in asked)
        return [name for certificate in found if certificate is not None for name in certificate.names]

    def _status(
        self,
        issuer: Intermediate,
        index: int,
        question: ocsp.Question | MalformedRequest,
        now: datetime,
        word: str | None,
    ) -> Response:
        if isinstance(question, MalformedRequest):
            return Response(200, ocsp.refusal(ocsp.MALFORMED_REQUEST), "application/ocsp-response")
        name = issuer.subject.public_bytes()
        mine = [named.is_of(name, issuer.key_bits) for named in question.asked]
        if not any(mine):  # RFC 5019 §2.2.3: nothing that this responder could know of
            return Response(200, ocsp.refusal(ocsp.UNAUTHORIZED), "application/ocsp-response")
        standings = [
            self._standing(named, index, now) if known else UNKNOWN
            for named, known in zip(question.asked, mine, strict=True)
        ]
        body = untrue.ocsp_answer(self._ca.pki, index, question, standings, now, word)
        response = Response(200, body, "application/ocsp-response")
        response.set("Last-Modified", format_datetime(now, usegmt=True))  # RFC 5019 §6.2
        response.set("Expires", format_datetime(now + ocsp.OCSP_LIFE, usegmt=True))
        response.set("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        return response

    def _standing(self, named: CertId, index: int, now: datetime) -> Standing:
        certificate = self._ca.book.certificates.get(named.serial)
        if certificate is None or certificate.issuer != index:
            return UNKNOWN
        if certificate.revocation is not None:
            return Standing(True, certificate.revocation.at, certificate.revocation.reason)
        return UNKNOWN if now - certificate.not_before < self._ca.settings.ocsp_lag else GOOD


class _Refused(Exception):
    """A request that gets no more than a status and a text."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


#: What a fault calls an address, where it is not its first segment.
_ENDPOINTS = {"roots": "issuers", "root-crl": "crl", "ct-logs": "ct"}
_FILES = re.compile(r"/(?:(issuers|roots)/([0-9]{1,6})\.cer|(crl|root-crl)/([0-9]{1,6})\.crl)")
_FOLDERS = re.compile(r"/(ocsp|ct)/([0-9]{1,6})(?:/(.*))?", re.DOTALL)


def _place(path: str) -> tuple[str, int, str]:
    """What an address is, its number, and what follows."""
    if path == "/ct/logs.json":
        return "ct-logs", 0, ""
    if found := _FILES.fullmatch(path):
        return found[1] or found[3], int(found[2] or found[4]), ""
    if found := _FOLDERS.fullmatch(path):
        return found[1], int(found[2]), found[3] or ""
    return "", 0, ""


def _only(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise _Refused(405, f"only {', '.join(methods)}")


def _check_content_type(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != "application/ocsp-request":  # RFC 6960 §A.1
        raise _Refused(415, "the body is to be application/ocsp-request")


def _chosen(each: Sequence[Any], number: int) -> Any:
    if number >= len(each):
        raise _Refused(404, f"there are {len(each)} of these")
    return each[number]


def _refusal(status: int, detail: str) -> Response:
    return json_response(status, {"error": detail})


def _question(request: Request, rest: str) -> ocsp.Question | MalformedRequest:
    """From a POST's body, or from a GET's path (RFC 6960 §A.1), escaped or not."""
    try:
        if request.method == "POST":
            return ocsp.read_request(request.body)
        # Some escape nothing, some all; some ask with one slash too many, and a plus may have become a space.
        # A DER SEQUENCE begins with M, so a slash in front is never its own.
        text = unquote(rest).lstrip("/").replace(" ", "+")
        return ocsp.read_request(base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True))
    except MalformedRequest as error:
        return error
    except ValueError as error:  # no base64
        return MalformedRequest(str(error))


# certificate transparency


class CtDoor:
    """One log's messages (RFC 6962 §4)."""

    def __init__(self, pki: Pki, log: Log, now: datetime) -> None:
        self._pki = pki
        self._log = log
        self._now = now

    def handle(self, request: Request, rest: str) -> Response:
        """The answer. Raises nothing but what is refused with a status."""
        message = rest.removeprefix("ct/v1/") if rest.startswith("ct/v1/") else ""
        reads: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {
            "get-sth": self._tree_head,
            "get-sth-consistency": self._consistency,
            "get-proof-by-hash": self._proof,
            "get-entries": self._entries,
            "get-roots": self._roots,
            "get-entry-and-proof": self._entry_and_proof,
        }
        try:
            if message in {"add-chain", "add-pre-chain"}:
                _only(request, "POST")
                kind = PRECERT_ENTRY if message == "add-pre-chain" else X509_ENTRY
                return json_response(200, _sct_document(self._add(kind, request.body)))
            if message in reads:
                _only(request, "GET", "HEAD")
                return json_response(200, reads[message](dict(parse_qsl(request.query, keep_blank_values=True))))
        except CtError as error:
            return _refusal(400, str(error))
        raise _Refused(404, "nothing is here")

    def _add(self, kind: int, body: bytes) -> Sct:
        try:
            submitted = self._submitted(kind, _read_chain(body))
        except CtError:
            raise
        except _UNREADABLE as error:
            raise CtError(f"the chain cannot be read: {error!s:.100}") from error
        return self._log.add(submitted, self._now)

    def _submitted(self, kind: int, chain: list[x509.Certificate]) -> Submitted:
        root = self._root_of(chain[-1])
        if root is not None:
            chain.append(root)
        leaf, issuers = chain[0], chain[1:]
        poison = _is_poisoned(leaf)
        if poison != (kind == PRECERT_ENTRY):
            raise CtError("add-pre-chain is for precertificates, add-chain for certificates")
        if not issuers:
            raise CtError("a root is not logged alone")
        octets = [_der(each) for each in chain]
        spki = (
            issuers[0]
            .public_key()
            .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        return Submitted(kind, octets[0], tuple(octets[1:]), hashlib.sha256(spki).digest())

    def _root_of(self, last: x509.Certificate) -> x509.Certificate | None:
        """The root above a chain's last certificate; None where that is one. Raises CtError for any other chain."""
        for root in self._pki.roots:
            if last.issuer == root.subject:
                if _der(last) == root.der:
                    return None
                if _issued(last, root.certificate):
                    return root.certificate
        raise CtError("the chain leads to no root that this log knows")

    def _tree_head(self, _query: dict[str, str]) -> dict[str, Any]:
        head = self._log.tree_head(self._now)
        return {
            "tree_size": head.size,
            "timestamp": head.timestamp,
            "sha256_root_hash": _b64(head.root),
            "tree_head_signature": _b64(head.signature),
        }

    def _consistency(self, query: dict[str, str]) -> dict[str, Any]:
        first, second = _number(query, "first"), _number(query, "second")
        return {"consistency": [_b64(each) for each in self._log.tree.consistency(first, second)]}

    def _proof(self, query: dict[str, str]) -> dict[str, Any]:
        size = _number(query, "tree_size")
        try:
            wanted = base64.b64decode(query.get("hash", ""), validate=True)
        except ValueError:
            wanted = b""
        if len(wanted) != 32:
            raise CtError("hash: a SHA-256 hash in base64")
        index = self._log.tree.index_of(wanted)
        if index is None:
            raise CtError("no leaf has that hash")
        path = self._log.tree.inclusion(index, size)
        return {"leaf_index": index, "audit_path": [_b64(each) for each in path]}

    def _entries(self, query: dict[str, str]) -> dict[str, Any]:
        start, end, size = _number(query, "start"), _number(query, "end"), len(self._log.tree)
        if not start <= end or start >= size:
            raise CtError(f"start and end: from 0 to {size - 1}, in that order")
        last = min(end, size - 1, start + _MOST_ENTRIES - 1)
        return {"entries": [self._entry(index) for index in range(start, last + 1)]}

    def _entry(self, index: int) -> dict[str, Any]:
        return {
            "leaf_input": _b64(self._log.leaf_input(index)),
            "extra_data": _b64(self._log.extra_data(index)),
        }

    def _roots(self, _query: dict[str, str]) -> dict[str, Any]:
        return {"certificates": [_b64(root.der) for root in self._pki.roots]}

    def _entry_and_proof(self, query: dict[str, str]) -> dict[str, Any]:
        index, size = _number(query, "leaf_index"), _number(query, "tree_size")
        path = self._log.tree.inclusion(index, size)
        return {**self._entry(index), "audit_path": [_b64(each) for each in path]}


def log_list(pki: Pki, now: datetime) -> dict[str, Any]:
    """Both logs, each with an operator of its own, as the third version of Chrome's list has them."""
    return {
        "version": "1.0",
        "log_list_timestamp": rfc3339(now),
        "operators": [
            {
                "name": f"Test log operator {number}",
                "email": [f"log{number}@ca.test"],
                "logs": [
                    {
                        "description": log.description,
                        "log_id": _b64(log.log_id),
                        "key": _b64(log.key_der),
                        "url": f"{pki.base}/ct/{number}/",
                        "mmd": 86400,
                        "state": {"usable": {"timestamp": rfc3339(FIRST)}},
                        "log_type": "test",
                    }
                ],
                "tiled_logs": [],
            }
            for number, log in enumerate(pki.logs)
        ],
    }


def _b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _number(query: dict[str, str], member: str) -> int:
    text = query.get(member, "")
    if not _NUMBER.fullmatch(text):
        raise CtError(f"{member}: a whole number")
    return int(text)


def _sct_document(sct: Sct) -> dict[str, Any]:
    return {
        "sct_version": 0,
        "id": _b64(sct.log_id),
        "timestamp": sct.timestamp,
        "extensions": "",
        "signature": _b64(sct.signature),
    }


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _read_chain(body: bytes) -> list[x509.Certificate]:
    """A chain of which each certificate is issued by the next (RFC 6962 §4.1). Raises CtError."""
    texts = json.loads(body)["chain"]
    octets = [base64.b64decode(text, validate=True) for text in texts[: _MOST_CHAIN + 1]]
    chain = [x509.load_der_x509_certificate(each) for each in octets]
    if not 1 <= len(chain) <= _MOST_CHAIN:
        raise CtError(f"chain: a list of 1 to {_MOST_CHAIN} certificates in base64")
    for each, issuer in pairwise(chain):
        if not _issued(each, issuer):
            raise CtError("a certificate in the chain is not issued by the next")
    return chain


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints)
    except (InvalidSignature, x509.ExtensionNotFound, ValueError, TypeError):  # by another, or of another name
        return False
    return constraints.value.ca


def _is_poisoned(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.PrecertPoison)
    except x509.ExtensionNotFound:
        return False
    return found.critical
