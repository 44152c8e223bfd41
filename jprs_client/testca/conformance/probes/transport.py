"""RFC 8555 §6.1 and RFC 9110: what stands below ACME, and what is not there."""

from __future__ import annotations

import gzip
from urllib.parse import urlsplit

from jprs_client.testca.conformance.registry import MAY, MUST, SHOULD, FailureError, Probe, expect, probe
from jprs_client.testca.conformance.server import Server, refused
from jprs_client.testca.conformance.wire import USER_AGENT


def _request_line(server: Server, method: str = "GET", version: str = "HTTP/1.1") -> str:
    where = urlsplit(server.directory_url)
    return f"{method} {where.path or '/'} {version}\r\n"


def _head(server: Server, *lines: str) -> bytes:
    host = f"Host: {urlsplit(server.directory_url).netloc}"
    return "\r\n".join([host, f"User-Agent: {USER_AGENT}", "Connection: close", *lines, "", ""]).encode()


@probe("8555-6.1-https", "RFC 8555 §6.1", MUST)
def https(server: Server) -> None:
    """Every address of the directory is an https URL."""
    found = [value for value in server.directory.values() if isinstance(value, str)]
    expect(all(value.startswith("https://") for value in found), "an address that is not https")


@probe("8555-6.1-tls-version", "RFC 8555 §6.1", MUST)
def tls_version(server: Server) -> None:
    """The handshake agrees on TLS 1.2 at least."""
    version = server.wire.tls_version(server.directory_url)
    expect(version in {"TLSv1.2", "TLSv1.3"}, version)


@probe("8555-6.1-no-plain-http", "RFC 8555 §6.1", MUST)
def no_plain_http(server: Server) -> None:
    """The directory is not given away over plain HTTP at the same port."""
    try:
        answer = server.wire.raw(server.directory_url, _request_line(server).encode() + _head(server), plain=True)
    except FailureError:
        return
    expect(answer.status >= 300, f"{answer.status} over plain HTTP")


@probe("8555-6.1-cors", "RFC 8555 §6.1", SHOULD)
def cors(server: Server) -> None:
    """Any web page may read the directory: Access-Control-Allow-Origin is *."""
    seen = server.directory_answer.header("Access-Control-Allow-Origin")
    expect(seen == "*", seen or "no Access-Control-Allow-Origin")


@probe("8555-6.1-cors-nonce", "RFC 8555 §6.1", SHOULD)
def cors_nonce(server: Server) -> None:
    """Any web page may get a nonce: Access-Control-Allow-Origin is * at newNonce too."""
    seen = server.wire.request("HEAD", server.url("newNonce")).header("Access-Control-Allow-Origin")
    expect(seen == "*", seen or "no Access-Control-Allow-Origin")


@probe("8555-6.1-cors-preflight", "RFC 8555 §6.1", MAY)
def cors_preflight(server: Server) -> None:
    """A browser's question before a POST of application/jose+json is answered with leave."""
    asked = {
        "Origin": "https://client.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = server.wire.request("OPTIONS", server.url("newAccount"), headers=asked)
    expect(answer.status in {200, 204}, answer.said)
    allowed = [value.lower() for value in answer.values("Access-Control-Allow-Headers")]
    expect("content-type" in allowed or "*" in allowed, "no leave for Content-Type")


@probe("9110-9.3.2-head", "RFC 9110 §9.3.2", MUST)
def head(server: Server) -> None:
    """HEAD of the directory answers as GET does, without the body."""
    answer = server.wire.request("HEAD", server.directory_url)
    expect(answer.status == 200, answer.said)
    expect(not answer.body, "a body")
    expect(answer.media_type == server.directory_answer.media_type, "another content type than GET")


@probe("9110-6.6.1-date", "RFC 9110 §6.6.1", MUST)
def date(server: Server) -> None:
    """Answers say when they were made, as an HTTP date."""
    server.now()


@probe("9112-3.2-host", "RFC 9112 §3.2", MUST)
def host(server: Server) -> None:
    """An HTTP/1.1 request without Host is answered with 400."""
    sent = f"{_request_line(server)}User-Agent: {USER_AGENT}\r\nConnection: close\r\n\r\n"
    answer = server.wire.raw(server.directory_url, sent.encode())
    expect(answer.status == 400, answer.said)


@probe("9112-2.2-not-http", "RFC 9112 §2.2", SHOULD)
def not_http(server: Server) -> None:
    """What is no HTTP is answered with 400, or the connection ends."""
    try:
        answer = server.wire.raw(server.directory_url, b"\x00\x01 nonsense\r\n\r\n")
    except FailureError:
        return
    expect(answer.status in {400, 501, 505}, answer.said)


@probe("9112-7.1-chunked", "RFC 9112 §7.1", MUST)
def chunked(server: Server) -> None:
    """A request whose body comes in chunks is read."""
    url = server.url("newOrder")
    path = urlsplit(url).path
    lines = ("Transfer-Encoding: chunked", "Content-Type: application/jose+json")
    head = f"POST {path} HTTP/1.1\r\n".encode() + _head(server, *lines)
    answer = server.wire.raw(url, head + b"2\r\n{}\r\n0\r\n\r\n")
    refused(answer)
    expect(answer.status not in {411, 501}, answer.said)


@probe("9112-2.3-http-1.0", "RFC 9112 §2.3", SHOULD)
def http_1_0(server: Server) -> None:
    """An HTTP/1.0 request is answered, not in chunks."""
    answer = server.wire.raw(server.directory_url, _request_line(server, version="HTTP/1.0").encode() + _head(server))
    expect(answer.status == 200, answer.said)
    expect("chunked" not in (answer.header("Transfer-Encoding") or ""), "chunks to HTTP/1.0")


@probe("9110-15.5.5-not-found", "RFC 9110 §15.5.5", MUST)
def not_found(server: Server) -> None:
    """Where nothing is, the answer is 404."""
    where = urlsplit(server.url("newOrder"))
    answer = server.wire.request("GET", f"{where.scheme}://{where.netloc}/there-is-nothing-here")
    expect(answer.status == 404, answer.said)


@probe("8555-6.7-not-found-problem", "RFC 8555 §6.7", SHOULD)
def not_found_problem(server: Server) -> None:
    """Where nothing is, the answer is a problem document as well."""
    where = urlsplit(server.url("newOrder"))
    answer = server.wire.request("GET", f"{where.scheme}://{where.netloc}/there-is-nothing-here")
    expect(answer.media_type == "application/problem+json", answer.media_type or "no content type")


_GET_REFUSED = ("newAccount", "newOrder", "revokeCert", "keyChange")


def _get_refused(resource: str) -> Probe:
    @probe(f"8555-6.3-get-{resource}", "RFC 8555 §6.3", MUST, f"A plain GET of {resource} is refused with 405.")
    def run(server: Server) -> None:
        refused(server.wire.request("GET", server.url(resource)), status=(405,))

    return run


GETS = tuple(_get_refused(resource) for resource in _GET_REFUSED)


@probe("8555-6.3-get-problem", "RFC 8555 §6.3", MUST)
def get_problem(server: Server) -> None:
    """The problem of a request by GET where POST is needed is malformed."""
    refused(server.wire.request("GET", server.url("newOrder")), "malformed")


def _allow(method: str, resource: str) -> Probe:
    identity = f"9110-15.5.6-allow-{method.lower()}-{resource}"
    says = f"{method} of {resource} is refused with 405 or 501, and a 405 says in Allow what is possible."

    @probe(identity, "RFC 9110 §15.5.6", MUST, says)
    def run(server: Server) -> None:
        url = server.directory_url if resource == "directory" else server.url(resource)
        answer = server.wire.request(method, url)
        refused(answer, status=(405,)) if answer.status < 500 else expect(answer.status == 501, answer.said)
        if answer.status == 405:
            expected = "GET" if resource in {"directory", "newNonce"} else "POST"
            allowed = answer.values("Allow")
            expect(allowed, "no Allow")
            expect(expected in allowed and method not in allowed, f"Allow: {', '.join(allowed)}")

    return run


ALLOWS = (
    _allow("DELETE", "directory"),
    _allow("PUT", "directory"),
    _allow("PUT", "newNonce"),
    _allow("GET", "newOrder"),
    _allow("PUT", "newAccount"),
    _allow("PATCH", "revokeCert"),
    _allow("DELETE", "keyChange"),
)


@probe("9110-15.5.14-too-large", "RFC 9110 §15.5.14", SHOULD)
def too_large(server: Server) -> None:
    """A request of four million octets is refused in order."""
    body = b'{"protected":"' + b"A" * 4_000_000 + b'","payload":"","signature":""}'
    url = server.url("newOrder")
    try:
        answer = server.wire.request("POST", url, body, {"Content-Type": "application/jose+json"})
    except FailureError:
        return  # it may close the connection
    refused(answer)


@probe("9112-9.3-kept", "RFC 9112 §9.3", MUST)
def kept_connection(server: Server) -> None:
    """Answers end where they say: two requests on one connection both get theirs."""
    for _ in range(2):
        answer = server.wire.request("GET", server.directory_url)
        expect(answer.body == server.directory_answer.body or answer.document(), "another body")


@probe("8555-6.1-user-agent-missing", "RFC 8555 §6.1", MAY)
def no_user_agent(server: Server) -> None:
    """A request without User-Agent is answered all the same, or refused with a client error."""
    sent = f"{_request_line(server)}Host: {urlsplit(server.directory_url).netloc}\r\nConnection: close\r\n\r\n"
    answer = server.wire.raw(server.directory_url, sent.encode())
    expect(answer.status == 200 or 400 <= answer.status < 500, answer.said)


@probe("9110-10.1.1-expect", "RFC 9110 §10.1.1", MUST)
def expects_continue(server: Server) -> None:
    """A request that waits for leave to send its body (100-continue) is answered."""
    url = server.url("newOrder")
    lines = ("Expect: 100-continue", "Content-Length: 2", "Content-Type: application/jose+json")
    head = f"POST {urlsplit(url).path} HTTP/1.1\r\n".encode() + _head(server, *lines)
    answer = server.wire.raw(url, head + b"{}")
    refused(answer)
    expect(answer.status != 417, answer.said)


@probe("9110-9.3.2-head-refused", "RFC 9110 §9.3.2", SHOULD)
def head_refused(server: Server) -> None:
    """HEAD of what has no GET is refused with 405."""
    refused(server.wire.request("HEAD", server.url("newOrder")), status=(405,))


@probe("9110-8.4-content-encoding", "RFC 9110 §15.5.16", MAY)
def content_encoding(server: Server) -> None:
    """A request that is packed (gzip) is refused with a client error."""
    headers = {"Content-Type": "application/jose+json", "Content-Encoding": "gzip"}
    answer = server.wire.request("POST", server.url("newOrder"), gzip.compress(b"{}"), headers)
    refused(answer)


@probe("9110-7.2-strange-host", "RFC 9112 §3.2", SHOULD)
def strange_host(server: Server) -> None:
    """A request whose Host is no host is answered with an error, or without using it."""
    sent = f"{_request_line(server)}Host: a b<c>\r\nUser-Agent: {USER_AGENT}\r\nConnection: close\r\n\r\n"
    try:
        answer = server.wire.raw(server.directory_url, sent.encode())
    except FailureError:
        return
    expect(answer.status < 500 and b"<c>" not in answer.body, "the strange Host came back")
