"""The whole way against a CA that others wrote: Debian's Pebble, external account binding required."""

from __future__ import annotations

import contextlib
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from jprs_client import keys
from jprs_client.ca.client import Ca, account_key
from jprs_client.ca.transport import Http
from jprs_client.ca.verify import Verified, verify_chain
from jprs_client.clock import SystemClock
from jprs_client.errors import ChallengeFailed, RefusedByCa
from tests.pebble import Pebble

CLOCK = SystemClock()


@contextlib.contextmanager
def talking(pebble: Pebble) -> Iterator[Ca]:
    http = Http(pebble.directory, CLOCK, trust=pebble.trust)
    with contextlib.closing(http):
        yield Ca(pebble.directory, http, CLOCK)


def hmac_key(pebble: Pebble) -> bytes:
    return urlsafe_b64decode(pebble.eab_hmac_key + "=" * (-len(pebble.eab_hmac_key) % 4))


def account_on(ca: Ca, pebble: Pebble, key: bytes) -> Ca:
    eab = (pebble.eab_key_id, hmac_key(pebble))
    account = ca.register(key, ["admin@example.jp"], eab=eab, terms_agreed=True)
    return ca.with_account(account.url, key)


def issued(ca: Ca, *names: str, key_type: keys.KeyType = keys.KeyType.ECDSA_P256) -> tuple[Verified, bytes, bytes]:
    """A verified certificate, its key and its DER."""
    key = keys.generate(key_type)
    order = ca.new_order(names)
    for url in order.authorizations:
        authorization = ca.authorization(url, order.names)
        challenge = authorization.challenge("dns-01")
        assert challenge is not None
        assert ca.dns_value(challenge.token)
        ca.answer(challenge, name=authorization.name)
    deadline = CLOCK.monotonic() + 60
    order = ca.finalize(ca.until_ready(order, deadline), keys.csr_der(key, names))
    order = ca.until_issued(order, deadline)
    assert order.certificate is not None
    chain = ca.certificate(order.certificate)
    kept = verify_chain(
        chain,
        key_spki_sha256=keys.spki_sha256(key),
        names=frozenset(names),
        now=CLOCK.now(),
        require_scts=False,
    )
    return kept, key, chain[0]


def test_from_account_to_revocation_with_the_fewest_requests(tmp_path: Path) -> None:
    key = account_key(keys.KeyType.ECDSA_P256)
    with Pebble(tmp_path / "pebble") as pebble:
        with talking(pebble) as ca:
            assert ca.find_account(key) is None
            me = account_on(ca, pebble, key)
            found = ca.find_account(key)
            assert found is not None
            assert me.account().url == found.url
            assert me.update_contact(["other@example.jp"]).contact == ("other@example.jp",)
        for names in (["example.jp"], ["*.example.jp", "a.example.jp", "b.example.jp", "c.example.jp"]):
            with talking(pebble) as ca:  # a new process knows the account and nothing else
                before = len(pebble.requests_seen())
                kept, certificate_key, der = issued(ca.with_account(found.url, key), *names)
                asked = pebble.requests_seen()[before:]
                waits = asked.count("POST /my-order/") - 2  # each one more is a wait that the CA caused
                assert len(asked) == 2 * len(names) + 7 + waits, asked
                assert kept.names == tuple(sorted(names))
                me = ca.with_account(found.url, key)
                assert not me.revoke(der, 1).already
                assert me.revoke(der, 1).already
                assert me.revoke(der, 1, key_pem=certificate_key).already
        with talking(pebble) as ca:
            me = ca.with_account(found.url, key)
            assert me.deactivate().status == "deactivated"
            with pytest.raises(RefusedByCa) as caught:
                me.new_order(["example.jp"])
            assert caught.value.code == "account-refused"


def test_wrong_credentials_are_refused_as_such_and_the_right_ones_still_work(tmp_path: Path) -> None:
    key = account_key(keys.KeyType.ECDSA_P384)
    with Pebble(tmp_path / "pebble") as pebble, talking(pebble) as ca:
        for eab in ((pebble.eab_key_id, b"x" * 32), ("nobody", hmac_key(pebble))):
            with pytest.raises(RefusedByCa) as caught:
                ca.register(key, ["admin@example.jp"], eab=eab, terms_agreed=True)
            assert (caught.value.code, caught.value.exit_code) == ("eab-refused", 4)
        assert account_on(ca, pebble, key).account().status == "valid"


@pytest.mark.parametrize("key_type", [keys.KeyType.RSA_2048, keys.KeyType.ECDSA_P384])
def test_other_kinds_of_keys_and_a_ca_that_refuses_one_nonce_in_seven(tmp_path: Path, key_type: keys.KeyType) -> None:
    with Pebble(tmp_path / "pebble", nonce_reject=15, chain_length=3) as pebble, talking(pebble) as ca:
        me = account_on(ca, pebble, account_key(key_type))
        kept, _, _ = issued(me, "example.jp", key_type=key_type)
        assert kept.chain_pem.count(b"BEGIN CERTIFICATE") == 3
        assert kept.not_after - kept.not_before > timedelta(days=80)


def test_reused_authorizations_need_no_second_proof(tmp_path: Path) -> None:
    with Pebble(tmp_path / "pebble", authz_reuse=100) as pebble, talking(pebble) as ca:
        me = account_on(ca, pebble, account_key(keys.KeyType.ECDSA_P256))
        issued(me, "example.jp")
        order = me.new_order(["example.jp"])
        assert me.authorization(order.authorizations[0], order.names).status == "valid"
        assert order.status == "ready"


def test_a_proof_that_is_not_there_is_told_with_the_name_and_what_the_ca_saw(tmp_path: Path) -> None:
    with Pebble(tmp_path / "pebble", validate=True) as pebble, talking(pebble) as ca:
        me = account_on(ca, pebble, account_key(keys.KeyType.ECDSA_P256))
        for challenge_type, code in (("http-01", "challenge-connection"), ("dns-01", "challenge-unauthorized")):
            order = me.new_order(["shop.example.jp"])
            challenge = me.authorization(order.authorizations[0]).challenge(challenge_type)
            assert challenge is not None
            me.answer(challenge, name="shop.example.jp")
            with pytest.raises(ChallengeFailed) as caught:
                me.until_ready(order, CLOCK.monotonic() + 60)
            assert (caught.value.code, caught.value.params["name"]) == (code, "shop.example.jp")
        order = me.new_order(["shop.example.jp"])
        challenge = me.authorization(order.authorizations[0]).challenge("dns-01")
        assert challenge is not None
        record = {"host": "_acme-challenge.shop.example.jp.", "value": me.dns_value(challenge.token)}
        pebble.steer("/set-txt", record)
        me.answer(challenge)
        assert me.until_ready(order, CLOCK.monotonic() + 60).status == "ready"
