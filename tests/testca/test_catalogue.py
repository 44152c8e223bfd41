"""Every entry of the fault catalogue that wants something from a CA is one `POST /faults` (issue 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from jprs_client.testca.ca import Authority
from tests.testca.in_process import CaInProcess

Fault = Mapping[str, Any]


def at(endpoint: str, action: object, **more: Any) -> Fault:
    match = {"endpoint": endpoint, **{name: more.pop(name) for name in list(more) if name not in {"skip", "count"}}}
    return {"match": match, "action": action, **more}


_WINDOW = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}

#: Entry → the faults that bring it about, each posted alone.
CATALOGUE: Mapping[str, Sequence[Fault]] = {
    # clock, network
    "49": [at("certificate", {"certificate": kind}) for kind in ("one-second", "ten-years")],
    "53": [
        at("order", {"retry_after": "Sat, 31 Dec 2016 23:59:60 GMT"}),
        at("order", {"retry_after": "Fri, 31 Dec 9999 23:59:59 GMT"}),
        at("certificate", {"certificate": "for-ever"}),
    ],
    "58": [at("newOrder", word) for word in ("cut", "cut-reset", "reset", "length-too-long", "length-too-short")],
    "59": [at("order", "drip"), at("order", "stall")],
    "60": [at("handshake", f"tls-{kind}") for kind in ("expired", "not-yet-valid", "other-name", "untrusted")],
    "64": [at("newOrder", "drop")],
    "65": [at("newOrder", "html")],
    "66": [
        *(at("directory", {"redirect": "self", "status": status}) for status in (301, 302, 303, 307, 308)),
        *(at(where, f"redirect-{how}") for where in ("directory", "newOrder") for how in ("http", "loop", "elsewhere")),
    ],
    "67": [at("order", word) for word in ("gzip-bomb", "huge", "huge-header", "many-headers", "endless")],
    # the protocol
    "68": [at("newOrder", {"status": status}) for status in (500, 502, 504)],
    "69": [at("*", "maintenance", count=0)],
    "70": [
        *(at("order", {"retry_after": value}) for value in (10**9, -1, "soon", {"date": -86400}, ["1", "600"])),
    ],
    "71": [
        at("newOrder", "bad-nonce", count=30),
        *(at("newOrder", word) for word in ("no-nonce", "malformed-nonce", "used-nonce")),
    ],
    "72": [at("newOrder", word) for word in ("rate-limited", "rate-limited-for-ever", "paused")],
    "73": [at("finalize", "error-then-invalid"), at("signing", "fails-server-internal")],
    "74": [at("signing", "stuck"), at("order", "processing", count=0)],
    "75": [at("validation", "stuck"), at("authorization", "pending", count=0)],
    "76": [at("finalize", "not-ready")],
    "77": [at("order", "order-expired"), at("order", "order-gone"), at("authorization", {"authorization": "expired"})],
    "78": [
        at("newOrder", "proved"),
        at("newOrder", {"proved": False}),
        at("newOrder", "reordered"),
        at("newOrder", "upper-case"),
    ],
    "79": [
        at("newOrder", {"status": 403, "type": "rejectedIdentifier", "subproblems": {"b.jp": "caa"}}),
        at("validation", "fails-connection", name="b.jp"),
    ],
    "80": [
        at("directory", "unknown-members"),
        at("authorization", "unknown-challenges"),
        at("order", "unknown-status"),
        at("newOrder", "unknown-type"),
    ],
    "81": [at("order", word) for word in ("not-json", "wrong-types", "duplicate-keys", "deep", "nan", "long-text")],
    "82": [at("*", "account-deactivated"), at("*", "account-revoked")],
    "83": [at("*", "account-gone")],
    "84": [at("newOrder", "terms-changed")],
    "85": [at("newAccount", {"status": 403, "type": "unauthorized", "detail": "externalAccountBinding: expired"})],
    "86": [at("newAccount", {"status": 403, "type": "externalAccountRequired"})],
    "87": [at("newOrder", "already-replaced"), at("directory", {"merge": {"renewalInfo": None}})],
    "88": [
        at("renewalInfo", {"merge": {"suggestedWindow": _WINDOW}}),
        at("renewalInfo", {"merge": {"suggestedWindow": {"end": "2020-01-01T00:00:00Z"}}}),
        at(
            "renewalInfo",
            {"merge": {"suggestedWindow": {"start": "2126-01-01T00:00:00Z", "end": "2127-01-01T00:00:00Z"}}},
        ),
        at("renewalInfo", "gone"),
        at("renewalInfo", "server-error"),
        at("renewalInfo", {"retry_after": 1}),
        at("renewalInfo", {"retry_after": 315_360_000}),
    ],
    "89": [at("renewalInfo", {"merge": {"suggestedWindow": {"start": "2049-01-01T00:00:00Z"}}})],
    "90": [
        *(at("finalize", {"status": 400, "type": kind}) for kind in ("badCSR", "badPublicKey", "compound")),
        *(at("newOrder", {"status": 403, "type": kind}) for kind in ("rejectedIdentifier", "unsupportedIdentifier")),
        *(at("validation", f"fails-{kind}") for kind in ("caa", "dns", "connection", "tls", "unauthorized")),
        at("validation", "fails-incorrect-response"),
    ],
    "91": [at("directory", word) for word in ("no-new-order", "addresses-elsewhere", "addresses-private")],
    "92": [at("newNonce", {"status": 405}, method="HEAD", count=0)],
    "93": [at("newOrder", "other-names")],
    # what comes back
    "94": [at("certificate", {"certificate": "other-key"})],
    "95": [at("certificate", {"certificate": f"names-{kind}"}) for kind in ("missing", "extra", "other", "none")]
    + [at("certificate", {"certificate": "cn-only"})],
    "96": [
        at("certificate", {"certificate": kind}) for kind in ("expired", "not-yet-valid", "one-second", "ten-years")
    ],
    "97": [
        at("certificate", {"certificate": kind})
        for kind in ("private-key", "private-key-first", "other-block", "text-before", "nginx", "nul", "crlf")
    ],
    "98": [
        at("certificate", {"certificate": kind})
        for kind in (
            "out-of-order",
            "no-issuer",
            "with-root",
            "hundred",
            "other-intermediate",
            "false-intermediate",
            "signed-by-another",
            "duplicate-leaf",
        )
    ],
    "99": [at("certificate", {"move": {"Link": "private"}}), at("certificate", "gone", skip=1)],
    "100": [
        at("certificate", {"certificate": kind})
        for kind in ("sha1", "weak-key", "ca-true", "no-server-auth", "no-scts", "must-staple")
    ],
    "101": [at("certificate", {"certificate": "other-intermediate"})],
    "102": [at("ocsp", {"says": "unknown"}, count=0)],
    # challenges
    "109": [at("caa", "fails-caa"), at("caa", "fails-dns")],
    "112": [at("validation", "fails-connection", perspective=1)],
    # contracts, revocation
    "130": [at("newOrder", {"status": 403, "type": "rejectedIdentifier"}, name="example.jp", count=0)],
    "149": [
        *(
            at("revokeCert", {"status": 400, "type": kind})
            for kind in ("alreadyRevoked", "unauthorized", "badRevocationReason")
        ),
        at("revokeCert", "server-error", count=5),
    ],
    "150": [at("ocsp", {"says": "revoked"}, count=0)],
    "151": [at("ocsp", {"says": word}) for word in ("forged", "stale", "other-issuer")],
    # real servers differ
    "M1": [at("authorization", {"retry_after": {"date": 5}}), at("finalize", {"retry_after": 5})],
    "M2": [
        *(at("keyChange", {"status": status, "type": "malformed"}) for status in (400, 409, 500)),
        at("keyChange", "nothing-changed"),
    ],
    "M3": [at("finalize", "valid-at-once"), at("newOrder", "proved")],
    "M5": [
        at("challenge", {"status": 400, "type": "unauthorized"}, read=False),
        at("authorization", "no-error", count=0),
    ],
    "M6": [at("challenge", "starts-by-reading", read=True)],
    "M7": [at("newOrder", word) for word in ("no-urn", "about-blank", "no-type", "html", "plain-text", "empty")],
    "M8": [
        at("newAccount", {"status": 403, "type": "externalAccountRequired"}),
        at("account", {"merge": {"orders": None}}),
        at("revokeCert", {"status": 403, "type": "unauthorized"}, count=0),
    ],
    "M9": [at("keyChange", {"status": 403, "type": "unauthorized"}), at("renewalInfo", "gone", count=0)],
    "M10": [
        at("directory", "no-meta"),
        at("directory", "unknown-members"),
        at("account", {"merge": {"contact": ["admin@example.jp"]}}),
    ],
    "M11": [at("certificate", {"certificate": kind}) for kind in ("with-root", "no-issuer", "names-other")],
    "M12": [at("newOrder", {"status": 411}), at("signing", "stuck"), at("authorization", "unknown-challenges")],
    "M13": [at(where, "drop-after") for where in ("newAccount", "newOrder", "challenge", "finalize")],
    # the threat model
    "D1": [
        at("directory", {"move": {"newOrder": where}})
        for where in ("http", "ftp", "file", "schemeless", "relative", "userinfo")
    ],
    "D2": [at("directory", {"move": {"newOrder": where}}) for where in ("private", "loopback", "elsewhere", "port")],
    "D3": [
        at("authorization", {"token": {"hostile": word}}, count=0)
        for word in (
            "traversal",
            "percent",
            "nul",
            "newline",
            "semicolon",
            "shell",
            "homoglyph",
            "empty",
            "short",
            "10kb",
        )
    ],
    "D5": [at("certificate", {"certificate": "private-key"})],
    "D6": [
        at("newOrder", {"status": 403, "type": "unauthorized", "detail": {"hostile": word}})
        for word in ("ansi", "title", "link", "c1", "bidi", "zero-width", "newline", "mail-header", "html", "100kb")
    ],
    "D7": [at("order", {"deep": 33}), at("order", {"padding": {"headers": 101}}), at("order", {"size": 1024**2 + 1})],
    "D8": [at("newOrder", {"nonce": kind}) for kind in ("malformed", "empty", "long", "padded")],
    "D9": [at("newOrder", "other-names"), at("newOrder", {"move": {"finalize": "elsewhere"}})],
    "D10": [at("newOrder", {"status": 403, "type": "userActionRequired", "instance": "https://canary.invalid/"})],
    "D11": [at("newOrder", "server-error", count=0)],
}


@pytest.mark.parametrize("entry", CATALOGUE)
def test_an_entry_is_one_post(ca: CaInProcess, entry: str) -> None:
    ca.ca.perspectives = Authority(ca.ca.settings).perspectives
    for document in CATALOGUE[entry]:
        answer = ca.manage("POST", "/faults", document)
        assert answer.status == 200, (document, answer.body)
    assert len(ca.ca.faults.waiting()) == len(CATALOGUE[entry])
