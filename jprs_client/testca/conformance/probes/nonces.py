"""RFC 8555 §6.5 and §7.2: nonces."""

from __future__ import annotations

import re

from jprs_client.testca.conformance.jose import b64
from jprs_client.testca.conformance.registry import MUST, SHOULD, expect, probe
from jprs_client.testca.conformance.server import ABSENT, Server, refused
from jprs_client.testca.conformance.wire import Answer

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+\Z")


def _nonce(answer: Answer) -> str:
    found = answer.header("Replay-Nonce")
    expect(found, f"{answer.said} without Replay-Nonce")
    return str(found)


@probe("8555-7.2-head", "RFC 8555 §7.2", MUST)
def head(server: Server) -> None:
    """HEAD of newNonce answers 200 with a nonce."""
    answer = server.wire.request("HEAD", server.url("newNonce"))
    expect(answer.status == 200, answer.said)
    _nonce(answer)


@probe("8555-7.2-get", "RFC 8555 §7.2", MUST)
def get(server: Server) -> None:
    """GET of newNonce answers 204 with a nonce and no body."""
    answer = server.wire.request("GET", server.url("newNonce"))
    expect(answer.status == 204, answer.said)
    expect(not answer.body, "a body")
    _nonce(answer)


@probe("8555-7.2-no-store", "RFC 8555 §7.2", MUST)
def no_store(server: Server) -> None:
    """No cache keeps what newNonce answers: Cache-Control is no-store."""
    for method in ("HEAD", "GET"):
        answer = server.wire.request(method, server.url("newNonce"))
        found = [value.lower() for value in answer.values("Cache-Control")]
        expect("no-store" in found, f"{method}: Cache-Control: {', '.join(found) or 'none'}")


@probe("8555-7.1-index-new-nonce", "RFC 8555 §7.1", MUST)
def index(server: Server) -> None:
    """`newNonce` says where the directory is, by a Link of relation index."""
    found = server.wire.request("HEAD", server.url("newNonce")).links("index")
    expect(found == [server.directory_url], "a Link to elsewhere" if found else "no Link")


@probe("8555-6.5.1-base64url", "RFC 8555 §6.5.1", MUST)
def alphabet(server: Server) -> None:
    """Nonces are base64url without padding."""
    for _ in range(8):
        expect(_BASE64URL.match(server.fresh_nonce()), "a nonce with other characters")


@probe("8555-6.5-unique", "RFC 8555 §6.5", MUST)
def unique(server: Server) -> None:
    """No nonce is given out twice."""
    nonces = [server.fresh_nonce() for _ in range(30)]
    expect(len(set(nonces)) == len(nonces), "a nonce was given out twice")


@probe("8555-6.5-unpredictable", "RFC 8555 §6.5", SHOULD)
def unpredictable(server: Server) -> None:
    """Nonces are long enough that nobody guesses one (64 bits of base64url)."""
    expect(min(len(server.fresh_nonce()) for _ in range(4)) >= 11, "a short nonce")


@probe("8555-6.5-after-post", "RFC 8555 §6.5", MUST)
def after_post(server: Server) -> None:
    """The answer to a POST that succeeds has a fresh nonce, which is taken next."""
    nonce = _nonce(server.read(server.main.url))
    expect(server.post(server.main.url, nonce=nonce).status == 200, "the nonce was refused")


@probe("8555-6.5-after-created", "RFC 8555 §6.5", MUST)
def after_created(server: Server) -> None:
    """The answers that create an account and an order have a fresh nonce."""
    _nonce(server.main.answer)
    _nonce(server.pending.answer)


@probe("8555-6.5-after-error", "RFC 8555 §6.5", SHOULD)
def after_error(server: Server) -> None:
    """The answer to a POST that fails has a fresh nonce too, which is taken next."""
    answer = server.post(server.url("newOrder"), {})
    refused(answer)
    expect(server.post(server.main.url, nonce=_nonce(answer)).status == 200, "the nonce was refused")


@probe("8555-6.5-reused", "RFC 8555 §6.5", MUST)
def reused(server: Server) -> None:
    """A nonce that was used is refused with badNonce."""
    nonce = server.fresh_nonce()
    expect(server.post(server.main.url, nonce=nonce).status == 200, "a fresh nonce was refused")
    refused(server.post(server.main.url, nonce=nonce), "badNonce")


@probe("8555-6.5-reused-after-error", "RFC 8555 §6.5", MUST)
def reused_after_error(server: Server) -> None:
    """A nonce that was used by a well-signed request which failed is refused with badNonce."""
    nonce = server.fresh_nonce()
    refused(server.post(server.url("newOrder"), {}, nonce=nonce))
    refused(server.post(server.main.url, nonce=nonce), "badNonce")


@probe("8555-6.5-unknown", "RFC 8555 §6.5", MUST)
def unknown(server: Server) -> None:
    """A nonce the server never gave out is refused with badNonce."""
    refused(server.post(server.main.url, nonce=b64(b"never given out!")), "badNonce")


@probe("8555-6.5-bad-status", "RFC 8555 §6.5", MUST)
def bad_status(server: Server) -> None:
    """`badNonce` comes with status 400."""
    refused(server.post(server.main.url, nonce=b64(b"never given out?")), status=(400,))


@probe("8555-6.5-bad-has-fresh", "RFC 8555 §6.5", MUST)
def bad_has_fresh(server: Server) -> None:
    """`badNonce` brings a nonce that is good for the next try."""
    nonce = _nonce(server.post(server.main.url, nonce=b64(b"never given out.")))
    expect(server.post(server.main.url, nonce=nonce).status == 200, "the nonce was refused")


@probe("8555-6.5.2-missing", "RFC 8555 §6.5.2", MUST)
def missing(server: Server) -> None:
    """A request without a nonce is refused."""
    refused(server.post(server.main.url, header={"nonce": ABSENT}), "badNonce", "malformed")


@probe("8555-6.5.2-not-base64url", "RFC 8555 §6.5.2", MUST)
def not_base64url(server: Server) -> None:
    """A nonce that is not base64url is refused as malformed."""
    refused(server.post(server.main.url, header={"nonce": "!not a nonce!"}), "malformed")


@probe("8555-6.5.2-not-text", "RFC 8555 §6.5.2", MUST)
def not_text(server: Server) -> None:
    """A nonce that is no text is refused."""
    refused(server.post(server.main.url, header={"nonce": 12345}), "badNonce", "malformed")


@probe("8555-6.5.2-unprotected", "RFC 8555 §6.5.2", MUST)
def unprotected(server: Server) -> None:
    """A nonce outside the protected header does not count."""
    nonce = server.fresh_nonce()
    answer = server.post(
        server.main.url,
        header={"nonce": ABSENT},
        tamper=lambda members: members | {"header": {"nonce": nonce}},
    )
    refused(answer, "badNonce", "malformed")


@probe("8555-6.5-other-resource", "RFC 8555 §6.5", MUST)
def elsewhere(server: Server) -> None:
    """A nonce of one resource is good for any other."""
    nonce = _nonce(server.read(server.main.url))
    answer = server.post(server.pending.url, nonce=nonce)
    expect(answer.status == 200, answer.said)


@probe("8555-6.5-race", "RFC 8555 §6.5", MUST)
def race(server: Server) -> None:
    """Of several requests at once with the same nonce, one is taken."""
    nonce = server.fresh_nonce()
    answers = server.at_once([server.prepared(server.main.url, nonce=nonce) for _ in range(6)])
    taken = sum(answer.status == 200 for answer in answers)
    expect(taken == 1, f"{taken} were taken")
    for answer in answers:
        if answer.status != 200:
            refused(answer, "badNonce")
