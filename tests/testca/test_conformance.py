"""The conformance suite: the bundled CA passes it, its table of Pebble is what Pebble does, and its probes can fail."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jprs_client.testca.conformance.__main__ import UsageError, main, read_credentials
from jprs_client.testca.conformance.probes import PROBES
from tests import needs
from tests.ca_process import TestCaProcess
from tests.pebble import Pebble, free_port

TABLE = Path(__file__).parents[2] / "docs" / "conformance.md"

#: Not there, and not to be: what neither of the two runs can try.
NEVER = {
    "8555-7.4.1-new-authorization",  # no pre-authorization
    "8555-7.4.1-wildcard",
    "8555-7.4-dates-kept",  # notBefore and notAfter are refused
    "9773-4.2-explanation",  # a window needs no explanation
    "profiles-4-not-offered",  # there are profiles
}
#: Where the server may do otherwise, and the bundled CA does unless it is told to suggest waiting (`--ask-again`).
NOTED = {"8555-7.4-processing-retry-after", "8555-7.5.1-retry-after"}
BINDINGS = {probe.identity for probe in PROBES if probe.identity.startswith("8555-7.3.4-")}


class Ports:
    """Where challenges are answered."""

    def __init__(self) -> None:
        self.http, self.tls = free_port(), free_port()


@pytest.fixture(scope="module")
def ports() -> Ports:
    return Ports()


@pytest.fixture(scope="module")
def ca(ports: Ports) -> Iterator[TestCaProcess]:
    with TestCaProcess("--open", http_port=ports.http, tls_port=ports.tls) as running:
        yield running


def probed(ca: TestCaProcess, ports: Ports, *options: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit status, and the results by id."""
    said: list[str] = []
    status = main(
        [
            *(ca.directory, "--trust", str(ca.trust), "--challtestsrv", ca.management, "--json"),
            *("--http-port", str(ports.http), "--tls-port", str(ports.tls), *options),
        ],
        said.append,
    )
    return status, {result["id"]: result for result in json.loads("".join(said))["results"]}


def that_are(results: dict[str, dict[str, str]], outcome: str) -> dict[str, str]:
    return {identity: result["seen"] for identity, result in results.items() if result["outcome"] == outcome}


def test_the_bundled_ca_passes_every_probe(ca: TestCaProcess, ports: Ports) -> None:
    status, results = probed(ca, ports)

    assert len(results) == len(PROBES) >= 180
    assert that_are(results, "fail") == {}
    assert status == 0
    assert set(that_are(results, "note")) <= NOTED
    not_here = BINDINGS - {"8555-7.3.4-not-wanted"} | {"8555-7.1.1-eab-flag"}
    assert set(that_are(results, "skipped")) - NOTED == NEVER | not_here


def test_the_bundled_ca_passes_every_probe_with_credentials_too(ports: Ports) -> None:
    with TestCaProcess("--open", "--require-eab", http_port=ports.http, tls_port=ports.tls) as ca:
        status, results = probed(ca, ports, "--management", ca.management)

    assert that_are(results, "fail") == {}
    assert status == 0
    assert set(that_are(results, "note")) <= NOTED
    assert set(that_are(results, "skipped")) - NOTED == NEVER | {"8555-7.3.4-not-wanted"}


def tables_of_pebble(folder: Path) -> list[str]:
    """What comes of Debian's Pebble: everything without credentials, and the probes of credentials with them."""
    tables = []
    for require_eab, patterns in ((False, ("--except", "race")), (True, ("--only", "8555-7.3.4"))):
        home = folder / f"pebble-{require_eab}"
        with Pebble(home, validate=True, require_eab=require_eab) as pebble:
            credentials = home / "eab.toml"
            credentials.write_text(f'key_id = "{pebble.eab_key_id}"\nhmac_key = "{pebble.eab_hmac_key}"\n')
            said: list[str] = []
            main(
                [
                    *(pebble.directory, "--trust", str(pebble.trust), "--challtestsrv", str(pebble.challenge_server)),
                    *("--http-port", str(pebble.http_port), "--tls-port", str(pebble.tls_port), "--markdown"),
                    *(("--eab-file", str(credentials)) if require_eab else ()),
                    *patterns,
                ],
                said.append,
            )
        tables.append("".join(said).strip())
    return tables


def test_the_table_of_pebble_is_what_pebble_does(tmp_path: Path) -> None:
    needs.program("pebble")
    needs.program("pebble-challtestsrv")
    written = TABLE.read_text(encoding="utf-8")

    for name, table in zip(("pebble", "pebble with credentials"), tables_of_pebble(tmp_path), strict=True):
        begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        assert written.partition(begin)[2].partition(end)[0].splitlines() == table.splitlines()


# probes can fail


def _headers(endpoint: str | None, **headers: str | None) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"match": {"endpoint": endpoint} if endpoint else {}, "count": 0, "action": {"headers": named}}


def _merge(endpoint: str, **members: object) -> dict[str, Any]:
    return {"match": {"endpoint": endpoint}, "count": 0, "action": {"merge": members}}


def _status(endpoint: str, status: int, **more: object) -> dict[str, Any]:
    return {"match": {"endpoint": endpoint}, "count": 0, "action": {"status": status, **more}}


BROKEN: dict[str, dict[str, Any]] = {
    "8555-6.1-cors": _headers("directory", Access_Control_Allow_Origin=None),
    "8555-7.1.1-json": _headers("directory", Content_Type="text/html"),
    "8555-7.1.1-revokeCert": _merge("directory", revokeCert=None),
    "8555-6.1-https": _merge("directory", renewalInfo="http://ca.example/ari"),
    "8555-7.1.1-caa-identities": _merge("directory", meta={"caaIdentities": "jprs.jp"}),
    "8555-7.2-no-store": _headers("newNonce", Cache_Control="public, max-age=60"),
    "8555-7.2-get": _status("newNonce", 200, after=True, body="a nonce", content_type="text/plain"),
    "8555-7.1-index-new-nonce": _headers("newNonce", Link=None),
    "8555-6.5.1-base64url": _headers("newNonce", Replay_Nonce="=not+base64url/="),
    "8555-6.5-unique": _headers("newNonce", Replay_Nonce="c2FtZSBhZ2FpbiBhbmQgYWdhaW4"),
    "8555-6.5-after-post": _headers("account", Replay_Nonce=None),
    "8555-6.5-bad-has-fresh": _headers("account", Replay_Nonce=None),
    "8555-6.7-problem-type": _headers("newOrder", Content_Type="application/json"),
    "8555-6.7-problem-urn": _merge("newOrder", type="about:blank"),
    "9457-3.1.2-status": _merge("newOrder", status=418),
    "8555-6.2-content-type": _status("account", 400, type="malformed"),
    "8555-6.2-algorithms": _merge("account", algorithms=None),
    "8555-6.4-mismatch": _status("account", 400, type="malformed"),
    "9110-15.5.6-allow-get-newOrder": _headers("newOrder", Allow=None),
    "8555-7.3-created": _status("newAccount", 200, after=True, body="{}", content_type="application/json"),
    "8555-7.3.1-only-unknown": _status("newAccount", 404, type="malformed"),
    "8555-7.1.2-orders": _merge("newAccount", orders=None),
    "8555-7.3.2-empty-update": _status("account", 400, type="malformed"),
    "8555-7.3.5-conflict": _headers("keyChange", Location=None),
    "8555-7.4-created": _headers("newOrder", Location=None),
    "8555-7.1.3-expires": _merge("newOrder", expires="next week"),
    "8555-7.1.3-identifiers": _merge("newOrder", identifiers=[]),
    "8555-7.1.3-no-certificate": _merge("newOrder", certificate="https://ca.example/1"),
    "8555-7.4-not-ready": _merge("finalize", type="urn:ietf:params:acme:error:malformed"),
    "8555-7.1.4-identifier": _merge("authorization", identifier={"value": "another.example.com"}),
    "8555-7.1.4-wildcard": _merge("authorization", wildcard=None),
    "8555-8-token": _merge("authorization", challenges=[{"type": "x", "url": "https://a.b", "status": "pending"}]),
    "8555-8.3-good": _merge("authorization", status="invalid"),
    "8555-8.3-wrong": _merge("authorization", status="valid"),
    "8555-7.1-up-challenge": _headers("challenge", Link=None),
    "8555-7.4.2-type": _headers("certificate", Content_Type="application/pkix-cert"),
    "8555-9.1-pem": {
        "match": {"endpoint": "certificate"},
        "count": 0,
        "action": {"body": "Certificate:\n    Data:\n", "content_type": "application/pem-certificate-chain"},
    },
    "8555-7.6-account": _status("revokeCert", 403, type="unauthorized"),
    "8555-7.6-twice": _merge("revokeCert", type="urn:ietf:params:acme:error:malformed"),
    "9773-4.2-window": _merge("renewalInfo", suggestedWindow={"end": "2020-01-01T00:00:00Z"}),
    "9773-4.3-retry-after": _headers("renewalInfo", Retry_After=None),
    "9773-5-replaces": _merge("newOrder", replaces=None),
    "profiles-4-shown": _merge("newOrder", profile=None),
}


@pytest.fixture
def whole(ca: TestCaProcess) -> Iterator[TestCaProcess]:
    """The CA, whose faults are gone afterwards."""
    yield ca
    ca.delete("/faults")


def test_probes_can_fail(whole: TestCaProcess, ports: Ports) -> None:
    """Each of these notices the fault that it is there for."""
    levels = {probe.identity: probe.level for probe in PROBES}
    unnoticed = []
    for identity, fault in BROKEN.items():
        whole.post("/faults", fault)
        status, results = probed(whole, ports, "--only", identity)
        whole.delete("/faults")
        if results[identity]["outcome"] != "fail" or (status == 1) != any(
            result["outcome"] == "fail" and levels[each] == "MUST" for each, result in results.items()
        ):
            unnoticed.append((identity, results[identity]["outcome"], results[identity]["seen"]))

    assert unnoticed == []


def test_only_what_the_text_demands_fails_the_run(whole: TestCaProcess, ports: Ports) -> None:
    whole.post("/faults", _headers(None, Access_Control_Allow_Origin=None, Location=None))
    status, results = probed(whole, ports, "--only", "8555-6.1-cors")
    assert (status, results["8555-6.1-cors"]["seen"]) == (0, "no Access-Control-Allow-Origin")

    status, results = probed(whole, ports, "--only", "8555-7.5.1-challenge-location")
    assert (status, results["8555-7.5.1-challenge-location"]["outcome"]) == (0, "note")


# the runner


def said_by(*arguments: str) -> tuple[int, str]:
    said: list[str] = []
    return main(arguments, said.append), "".join(said)


def test_the_list_names_each_probe_once() -> None:
    status, text = said_by("--list")

    named = [line.split()[0] for line in text.splitlines()]
    assert status == 0
    assert len(named) == len(set(named)) == len(PROBES)


def test_patterns_choose_and_leave_out() -> None:
    every = said_by("--list", "--only", "8555-7.2*")[1].splitlines()
    fewer = said_by("--list", "--only", "8555-7.2*", "--except", "head")[1].splitlines()

    assert len(every) == len(fewer) + 1 > 1


@pytest.mark.parametrize("arguments", [(), ("https://ca.example/dir", "--only", "no such probe")])
def test_what_cannot_begin_is_told(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert said_by(*arguments) == (2, "")
    assert "conformance: " in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, _ = said_by("https://localhost/dir", "--http-port", str(taken.getsockname()[1]))

    assert status == 2
    assert "in use" in capsys.readouterr().err


def test_a_server_that_is_gone_is_given_up() -> None:
    port, nowhere = str(free_port()), free_port()
    status, text = said_by(f"https://127.0.0.1:{nowhere}/dir", "--http-port", port, "--markdown")

    assert status == 1
    assert text.startswith(f"{len(PROBES)} probes: ")
    assert "the server has stopped answering" in text


@contextlib.contextmanager
def answering(body: bytes) -> Iterator[str]:
    """A server that says the same to everybody."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_POST = do_HEAD = do_PUT = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("body", [b"[]", b"{}", b"no JSON", b'{"newNonce": 5, "newAccount": ["a"], "meta": 7}'])
def test_a_server_that_is_no_acme_server_fails_and_breaks_nothing(body: bytes) -> None:
    with answering(body) as url:
        status, text = said_by(f"{url}/dir", "--http-port", str(free_port()), "--json")

    results = {result["id"]: result for result in json.loads(text)["results"]}
    assert status == 1
    assert that_are(results, "fail")["8555-7.1.1-newOrder"]
    assert not [seen for seen in that_are(results, "fail").values() if "beyond all forms" in seen]


def test_people_read_what_failed_and_what_was_seen(whole: TestCaProcess, ports: Ports) -> None:
    whole.post("/faults", _headers("newNonce", Cache_Control=None))
    status, text = said_by(
        *(whole.directory, "--trust", str(whole.trust), "--http-port", str(ports.http), "--only", "8555-7.2-no-store")
    )

    assert status == 1
    assert text.splitlines() == [
        "fail    MUST   8555-7.2-no-store  (RFC 8555 §7.2)",
        "        expected: No cache keeps what newNonce answers: Cache-Control is no-store.",
        "        seen: HEAD: Cache-Control: none",
        "0 pass, 1 fail, 0 note, 0 skipped of 1",
    ]


# credentials


def test_credentials_are_read_from_toml_and_from_lines_of_json(tmp_path: Path) -> None:
    one, several = tmp_path / "one.toml", tmp_path / "several.jsonl"
    one.write_text('key_id = "a"\nhmac_key = "c2VjcmV0"\n')
    several.write_text('{"key_id": "b", "hmac_key": "c2VjcmV0"}\n\n{"key_id": "c", "hmac_key": "c2VjcmV0cw=="}\n')

    assert list(read_credentials(one)) == [("a", b"secret")]
    assert list(read_credentials(several)) == [("b", b"secret"), ("c", b"secrets")]


@pytest.mark.parametrize("text", ["", "key_id = 5", '{"key_id": "a"}', '{"key_id": ', "hmac_key = \n"])
def test_credentials_that_cannot_be_read_are_told(text: str, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(text)

    with pytest.raises(UsageError, match="key_id and hmac_key"):
        list(read_credentials(file))


def test_without_credentials_nothing_that_needs_an_account_is_tried(ports: Ports) -> None:
    with TestCaProcess("--open", "--require-eab", http_port=ports.http, tls_port=ports.tls) as ca:
        status, results = probed(ca, ports, "--only", "8555-7.4-created", "--only", "8555-7.2")

    assert status == 0
    assert set(that_are(results, "skipped").values()) == {"no credentials for external account binding were given"}
    assert len(that_are(results, "pass")) == 3
