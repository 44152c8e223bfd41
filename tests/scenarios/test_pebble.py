"""The whole way against Debian's Pebble, which nobody of us wrote; external account bindings are required there."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests import needs
from tests.client import Client
from tests.pebble import Pebble
from tests.scenarios.hosts import add_hook_solver, hook_for_txt, leftovers, names_of, serial_of, served_certificate


@pytest.fixture(scope="module")
def shared_pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    """A strict one: every seventh nonce is refused, and valid authorizations are never reused."""
    needs.program("pebble")
    needs.program("pebble-challtestsrv")
    with Pebble(tmp_path_factory.mktemp("pebble"), validate=True, nonce_reject=15) as pebble:
        yield pebble


def client_of(pebble: Pebble, folder: Path, *usages: str, listen: bool = True) -> Client:
    """A client that knows this Pebble and has its credentials."""
    assert pebble.dns is not None
    client = Client(
        folder, pebble.directory, pebble.trust, resolvers=[pebble.dns],
        listen=f"127.0.0.1:{pebble.http_port}" if listen else None,
    )  # fmt: skip
    client.eab(pebble.eab_key_id, pebble.eab_hmac_key)
    for usage in usages:
        client.usage_fqdn(usage, "1y", start_usage=True)
    return client


def at_pebble(pebble: Pebble, serial: str) -> dict[str, Any]:
    """What Pebble says of a certificate."""
    found: dict[str, Any] = json.loads(pebble.get(f"/cert-status-by-serial/{serial}"))
    return found


def lives(pebble: Pebble, client: Client, lineage: str, names: list[str]) -> None:
    """Acceptance d: register, apply, renew --force, revoke --because key-compromised."""
    client.register()
    assert client.run("apply").code == 0
    first = client.certificate(lineage)
    assert first["status"] == "valid"
    assert names_of(served_certificate(client, lineage)) == names
    renewed = client.run("--json", "renew", "--force")
    assert renewed.code == 0, renewed.err
    second = serial_of(served_certificate(client, lineage))
    assert second != first["serial"]
    revoked = client.run("--json", "revoke", lineage, "--because", "key-compromised", "--yes")
    assert revoked.code == 0, revoked.err
    assert [action["action"] for action in revoked.document["done"]] == ["reissue", "revoke"]
    third = serial_of(served_certificate(client, lineage))
    assert third not in {first["serial"], second}
    status = at_pebble(pebble, second)
    assert (status["Status"], status["Reason"]) == ("Revoked", 1)
    assert at_pebble(pebble, third)["Status"] == "Valid"
    assert client.run("plan", "--check").code == 0
    assert leftovers(client) == []


def test_a_certificate_lives_by_http_01_from_the_programs_own_listener(shared_pebble: Pebble, tmp_path: Path) -> None:
    client = client_of(shared_pebble, tmp_path, "standalone.jp")
    lives(shared_pebble, client, "standalone.jp", ["standalone.jp", "www.standalone.jp"])


def test_a_certificate_lives_by_http_01_from_a_document_root(shared_pebble: Pebble, tmp_path: Path) -> None:
    root = tmp_path / "www"
    root.mkdir()
    client = client_of(shared_pebble, tmp_path / "host", "webroot.jp", listen=False)
    client.add(f'[solver.web]\nplugin = "webroot"\npath = "{root}"')
    with files_of(root, shared_pebble.http_port):
        lives(shared_pebble, client, "webroot.jp", ["webroot.jp", "www.webroot.jp"])
    assert list(root.rglob("*")) == []


def test_a_wildcard_lives_by_dns_01_with_a_hook(shared_pebble: Pebble, tmp_path: Path) -> None:
    """`*.D` and `D` are proved by two records at one name."""
    assert shared_pebble.challenge_server is not None
    client = client_of(shared_pebble, tmp_path / "host", "*.wild.jp", listen=False)
    add_hook_solver(client, "dns", [hook_for_txt(tmp_path / "hook", shared_pebble.challenge_server)], "dns-01")
    client.add('[defaults]\nsolver = "dns"')
    lives(shared_pebble, client, "*.wild.jp", ["*.wild.jp", "wild.jp"])
    assert (client.state / "live" / "_.wild.jp" / "privkey.pem").exists()


def test_one_certificate_is_proved_in_both_ways(shared_pebble: Pebble, tmp_path: Path) -> None:
    """The example of the manual: the wildcard by DNS, the rest by HTTP."""
    assert shared_pebble.challenge_server is not None
    client = client_of(shared_pebble, tmp_path / "host", "main.jp", "*.shop.main.jp")
    add_hook_solver(client, "dns", [hook_for_txt(tmp_path / "hook", shared_pebble.challenge_server)], "dns-01")
    client.add(
        '[[certificate]]\nname = "main"\nusage_fqdns = ["main.jp", "*.shop.main.jp"]\n'
        'solver = { "*.shop.main.jp" = "dns", default = "web" }'
    )
    client.register()
    done = client.run("--json", "apply")
    assert done.code == 0, done.err
    names = ["*.shop.main.jp", "main.jp", "shop.main.jp", "www.main.jp"]
    assert names_of(served_certificate(client, "main")) == names
    assert client.certificate("main")["names"] == names
    planned = client.json("plan")
    assert [usage["status"] for usage in planned["usage_fqdns"]] == ["in-use", "in-use"]


@pytest.mark.parametrize("key_type", ["ecdsa-p384", "rsa-3072"])
def test_every_kind_of_key_is_certified(shared_pebble: Pebble, tmp_path: Path, key_type: str) -> None:
    client = client_of(shared_pebble, tmp_path, "keys.jp")
    client.add(f'[defaults]\nkey_type = "{key_type}"')
    client.replace("[account]", f'[account]\nkey_type = "{key_type}"')
    client.register()
    assert client.run("apply").code == 0
    key = served_certificate(client, "keys.jp").public_key()
    assert str(getattr(key, "key_size", 0)) in key_type


def test_a_proof_that_is_not_there_is_told_with_what_the_ca_saw(shared_pebble: Pebble, tmp_path: Path) -> None:
    """The address belongs to somebody else; the next plain run, once it is ours, succeeds."""
    client = client_of(shared_pebble, tmp_path, "elsewhere.jp")
    client.replace('name = "elsewhere.jp"', 'name = "elsewhere.jp"\nderived = "never"')
    client.register()
    shared_pebble.steer("/add-a", {"host": "elsewhere.jp.", "addresses": ["127.0.0.9"]})
    ended = client.run("--json", "apply")
    shared_pebble.steer("/clear-a", {"host": "elsewhere.jp."})
    assert ended.code == 1, ended.out
    error = ended.document["failed"][0]["error"]
    assert error["code"].startswith("challenge-")
    assert "elsewhere.jp" in error["message"]
    assert error["next_step"]
    assert client.certificate("elsewhere.jp")["last_error"]["code"] == error["code"]
    assert client.run("apply").code == 0
    assert client.certificate("elsewhere.jp")["status"] == "valid"


def test_valid_authorizations_are_used_again(tmp_path: Path) -> None:
    with Pebble(tmp_path / "pebble", validate=True, authz_reuse=100, chain_length=3) as pebble:
        client = client_of(pebble, tmp_path / "host", "reuse.jp")
        client.register()
        assert client.run("apply").code == 0
        answered = sum("chalZ" in line for line in pebble.requests_seen())
        assert answered
        assert client.run("renew", "--force").code == 0
        assert sum("chalZ" in line for line in pebble.requests_seen()) == answered
        chain = (client.state / "live" / "reuse.jp" / "fullchain.pem").read_bytes()
        assert len(x509.load_pem_x509_certificates(chain)) == 4


@contextmanager
def files_of(root: Path, port: int) -> Iterator[None]:
    """A web server that was there before us, for `root`."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
