"""The whole way against the bundled CA: a subscriber's account, names limited by usage FQDNs, faults on the line."""

from __future__ import annotations

import contextlib
from base64 import urlsafe_b64decode
from collections.abc import Iterator

import pytest

from jprs_client import keys
from jprs_client.ca.client import Ca, account_key
from jprs_client.ca.transport import Http
from jprs_client.ca.values import Order
from jprs_client.ca.verify import Verified, verify_chain
from jprs_client.clock import SystemClock
from jprs_client.errors import BadAnswer, CaUnavailable, RefusedByCa
from tests.ca_process import TestCaProcess


class ShortNaps(SystemClock):
    """The system's clock for somebody who waits a twentieth of what is due."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 20)


CLOCK = ShortNaps()
KEY = account_key(keys.KeyType.ECDSA_P256)


def hmac_key(eab: dict[str, str]) -> bytes:
    return urlsafe_b64decode(eab["hmac_key"] + "=" * (-len(eab["hmac_key"]) % 4))


@contextlib.contextmanager
def talking(bundled: TestCaProcess) -> Iterator[Ca]:
    http = Http(bundled.directory, CLOCK, trust=bundled.trust)
    with contextlib.closing(http):
        yield Ca(bundled.directory, http, CLOCK)


@contextlib.contextmanager
def subscriber(*usages: str) -> Iterator[tuple[TestCaProcess, Ca]]:
    with TestCaProcess() as bundled, talking(bundled) as ca:
        _, eab = bundled.subscriber("Example", [(usage, "1y") for usage in usages])
        account = ca.register(KEY, ["a@example.jp"], eab=(eab["key_id"], hmac_key(eab)), terms_agreed=True)
        yield bundled, ca.with_account(account.url, KEY)


def proved(bundled: TestCaProcess, ca: Ca, order: Order) -> Order:
    for url in order.authorizations:
        authorization = ca.authorization(url, order.names)
        challenge = authorization.challenge("dns-01")
        if authorization.status != "pending" or challenge is None:
            continue
        record = {"host": f"_acme-challenge.{authorization.name}.", "value": ca.dns_value(challenge.token)}
        bundled.post("/set-txt", record)
        ca.answer(challenge, name=authorization.name)
    return ca.until_ready(order, CLOCK.monotonic() + 60)


def issued(bundled: TestCaProcess, ca: Ca, *names: str) -> tuple[Verified, bytes]:
    key = keys.generate(keys.KeyType.ECDSA_P256)
    order = proved(bundled, ca, ca.new_order(names))
    order = ca.until_issued(ca.finalize(order, keys.csr_der(key, names)), CLOCK.monotonic() + 60)
    assert order.certificate is not None
    chain = ca.certificate(order.certificate)
    spki = keys.spki_sha256(key)
    kept = verify_chain(
        chain, key_spki_sha256=spki, names=frozenset(names), now=CLOCK.now(), require_scts=False
    )  # fmt: skip
    return kept, chain[0]


def test_a_subscribers_certificate_from_credentials_to_revocation() -> None:
    with subscriber("example.jp", "*.shop.example.jp") as (bundled, ca):
        kept, der = issued(bundled, ca, "example.jp", "www.example.jp", "*.shop.example.jp")
        assert kept.names == ("*.shop.example.jp", "example.jp", "www.example.jp")
        assert not ca.revoke(der, 1).already
        assert ca.revoke(der, 1).already


def test_a_name_without_usage_fqdn_is_refused_by_name() -> None:
    with subscriber("example.jp") as (_, ca):
        with pytest.raises(RefusedByCa) as caught:
            ca.new_order(["example.jp", "shop.example.jp"])
        assert (caught.value.code, caught.value.params["name"]) == ("name-refused-by-ca", "shop.example.jp")


def test_credentials_make_one_account_and_a_wrong_key_is_told() -> None:
    with TestCaProcess() as bundled, talking(bundled) as ca:
        _, eab = bundled.subscriber("Example", [("example.jp", "1y")])
        with pytest.raises(RefusedByCa) as caught:
            ca.register(KEY, ["a@example.jp"], eab=(eab["key_id"], b"x" * 32), terms_agreed=True)
        assert caught.value.code == "eab-refused"
        good = (eab["key_id"], hmac_key(eab))
        ca.register(KEY, ["a@example.jp"], eab=good, terms_agreed=True)
        with pytest.raises(RefusedByCa) as caught:
            ca.register(account_key(keys.KeyType.ECDSA_P256), ["a@example.jp"], eab=good, terms_agreed=True)
        assert caught.value.code == "eab-refused"


ENDPOINTS = ("newOrder", "order", "authorization", "challenge", "finalize", "certificate")
PASSING = ("drop", "drop-after", "cut", "server-error")
OF_NONCES = ("bad-nonce", "no-nonce", "malformed-nonce")


def test_58_68_71_m13_one_fault_on_any_request_costs_nothing_but_requests() -> None:
    """Each passing fault once at each step: the same run gets its certificate, and exactly one is issued."""
    with subscriber("example.jp") as (bundled, ca):
        anywhere = [(endpoint, action) for endpoint in ENDPOINTS for action in PASSING]
        for endpoint, action in [*anywhere, *(("newOrder", action) for action in OF_NONCES)]:
            bundled.fault(action, endpoint=endpoint)
            before = len(bundled.log())
            kept, _ = issued(bundled, ca, "example.jp")
            asked = [entry["endpoint"] for entry in bundled.log()[before:]]
            assert kept.names == ("example.jp",), (endpoint, action)
            assert len(asked) <= 10, (endpoint, action, asked)
            bundled.delete("/faults")


STOPPING = {"maintenance": "ca-maintenance", "rate-limited": "ca-rate-limited", "html": None, "not-json": None}


def test_65_69_72_what_does_not_pass_ends_the_run_with_its_own_word() -> None:
    with subscriber("example.jp") as (bundled, ca):
        for endpoint in ("newOrder", "authorization", "finalize", "certificate"):
            for action, code in STOPPING.items():
                bundled.fault(action, endpoint=endpoint, count=0)
                with pytest.raises(BadAnswer if code is None else CaUnavailable) as caught:
                    issued(bundled, ca, "example.jp")
                assert code in {None, caught.value.code}, (endpoint, action)
                bundled.delete("/faults")
        assert issued(bundled, ca, "example.jp")[0].names == ("example.jp",)


@pytest.mark.parametrize("action", ["drop-after", "cut", "server-error"])
def test_m13_85_lost_answers_of_a_registration_do_not_burn_credentials(action: str) -> None:
    with TestCaProcess() as bundled, talking(bundled) as ca:
        _, eab = bundled.subscriber("Example", [("example.jp", "1y")])
        bundled.fault(action, endpoint="newAccount")
        good = (eab["key_id"], hmac_key(eab))
        try:
            account = ca.register(KEY, ["a@example.jp"], eab=good, terms_agreed=True)
        except CaUnavailable:
            assert action == "server-error"  # nothing was done, and the credentials are still good
            account = ca.register(KEY, ["a@example.jp"], eab=good, terms_agreed=True)
        assert ca.with_account(account.url, KEY).account().status == "valid"
