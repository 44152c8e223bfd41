"""The conversation with a CA, as RFC 8555 has it and as real and hostile ones do it (FAULTS F, M)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
import requests
import urllib3
from cryptography.hazmat.primitives import hashes, hmac

from jprs_client import keys
from jprs_client.ca.client import Ca, account_key
from jprs_client.ca.signing import Signer
from jprs_client.ca.values import Authorization, Order
from jprs_client.ca.verify import verify_chain
from jprs_client.errors import (
    BadAnswer,
    CaUnavailable,
    ChallengeFailed,
    ConsentNeeded,
    JprsClientError,
    RefusedByCa,
    StateUnusable,
)
from tests.ca.chains import KEY_PEM, SPKI, made_chain
from tests.ca.scripted import ACCOUNT_KEY, DIRECTORY, HOST, Reply, Request, Talk, registered, talk

HMAC_KEY = b"h" * 32


def cut_off() -> Exception:
    """What requests raises when the other side hangs up."""
    return requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104)))


def proved(with_account: Talk, *names: str) -> Order:
    """An order whose proofs are answered."""
    ca = with_account.ca
    order = ca.new_order(names)
    for url in order.authorizations:
        authorization = ca.authorization(url, order.names)
        challenge = authorization.challenge("http-01")
        assert challenge is not None
        ca.answer(challenge, name=authorization.name)
    return ca.until_ready(order, with_account.clock.monotonic() + 60)


def csr(*names: str) -> bytes:
    return keys.csr_der(KEY_PEM, names)


def failure_of(call: Any, *arguments: Any, **more: Any) -> JprsClientError:
    with pytest.raises(JprsClientError) as caught:
        call(*arguments, **more)
    return caught.value


# -- the whole way -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 5])
def test_n_names_take_2n_plus_7_requests_with_directory_and_nonce(count: int) -> None:
    us = registered()
    names = [f"{number}.example.jp" for number in range(count)]
    order = us.ca.finalize(proved(us, *names), csr(*names))
    order = us.ca.until_issued(order, us.clock.monotonic() + 60)
    assert order.certificate is not None
    chain = us.ca.certificate(order.certificate)
    kept = verify_chain(
        chain, key_spki_sha256=SPKI, names=frozenset(names), now=us.clock.now(), require_scts=False
    )  # fmt: skip
    assert kept.names == tuple(names)
    # This CA issues at once, which saves the look between finalize and download.
    assert len(us.fake.seen) == 2 * count + 6
    assert us.fake.asked()[:3] == ["GET /dir", "HEAD /nonce", "POST /new-order"]


def test_names_are_sent_sorted_and_once() -> None:
    us = registered()
    order = us.ca.new_order(["b.jp", "*.a.jp", "b.jp"])
    assert us.fake.names == ["*.a.jp", "b.jp"]
    assert order.names == {"*.a.jp", "b.jp"}
    assert order.expires_at == datetime(2026, 11, 29, 3, 0, 0, 123456, tzinfo=UTC)


def test_proofs_are_what_rfc_8555_says_they_are() -> None:
    us = registered()
    key_authorization = us.ca.key_authorization("t" * 43)
    token, thumbprint = key_authorization.split(".")
    public = Signer(ACCOUNT_KEY).public_jwk
    canonical = json.dumps({m: public[m] for m in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    assert (token, urlsafe_b64decode(thumbprint + "=")) == ("t" * 43, sha256(canonical.encode()).digest())
    assert urlsafe_b64decode(us.ca.dns_value("t" * 43) + "=") == sha256(key_authorization.encode()).digest()


@pytest.mark.parametrize("key_type", [keys.KeyType.ECDSA_P256, keys.KeyType.ECDSA_P384, keys.KeyType.RSA_2048])
def test_signatures_verify_with_the_key_they_are_made_with(key_type: keys.KeyType) -> None:
    from josepy.jwa import JWASignature
    from josepy.jwk import JWK
    from josepy.jws import JWS

    signer = Signer(account_key(key_type))
    body = json.loads(signer.signed(b"{}", url="https://ca.example/x", nonce=None, kid=None))
    protected = json.loads(urlsafe_b64decode(body["protected"] + "=="))
    assert set(protected) == {"alg", "jwk", "url"}
    algorithm = {"ecdsa-p256": "ES256", "ecdsa-p384": "ES384", "rsa-2048": "RS256"}[key_type.value]
    assert protected["alg"] == algorithm
    compact = ".".join(body[part] for part in ("protected", "payload", "signature"))
    key = JWK.from_json(protected["jwk"])
    signed, _, signature = compact.rpartition(".")
    raw = urlsafe_b64decode(signature + "==")
    assert JWASignature.from_json(algorithm).verify(key.key, signed.encode(), raw)  # type: ignore[attr-defined]
    assert JWS.from_compact(compact.encode()).payload == b"{}"


# -- account -------------------------------------------------------------------------------------------------


def test_credentials_bind_the_account_key_by_hmac_over_the_new_account_url() -> None:
    us = talk()
    account = us.ca.register(ACCOUNT_KEY, ["a@example.jp"], eab=("kid-1", HMAC_KEY), terms_agreed=True)
    assert (account.url, account.created, account.contact) == (f"{HOST}/account/1", True, ("a@example.jp",))
    payload = us.fake.seen[-1].payload
    assert (payload["contact"], payload["termsOfServiceAgreed"]) == (["mailto:a@example.jp"], True)
    binding = payload["externalAccountBinding"]
    header = json.loads(urlsafe_b64decode(binding["protected"] + "=="))
    assert header == {"alg": "HS256", "kid": "kid-1", "url": f"{HOST}/new-account"}
    assert json.loads(urlsafe_b64decode(binding["payload"] + "==")) == Signer(ACCOUNT_KEY).public_jwk
    mac = hmac.HMAC(HMAC_KEY, hashes.SHA256())
    mac.update(f"{binding['protected']}.{binding['payload']}".encode())
    mac.verify(urlsafe_b64decode(binding["signature"] + "=="))


def test_a_ca_that_wants_credentials_is_not_asked_without() -> None:
    us = talk()
    us.fake.extra_directory = {"meta": {"externalAccountRequired": True}}
    error = failure_of(us.ca.register, ACCOUNT_KEY, [], eab=None, terms_agreed=True)
    assert (error.code, error.exit_code) == ("eab-required", 4)
    assert us.fake.asked() == ["GET /dir"]


@pytest.mark.parametrize("kind", ["unauthorized", "malformed", "externalAccountRequired"])
def test_85_refused_credentials_are_named_as_such(kind: str) -> None:
    us = talk()
    us.fake.next("/new-account", Reply.problem(kind, 403, "bad MAC"))
    error = failure_of(us.ca.register, ACCOUNT_KEY, [], eab=("k", HMAC_KEY), terms_agreed=True)
    assert (error.code, error.params["detail"], error.exit_code) == ("eab-refused", "bad MAC", 4)


def test_85_another_refusal_of_a_registration_is_not_blamed_on_the_credentials() -> None:
    us = talk()
    us.fake.next("/new-account", Reply.problem("invalidContact"))
    error = failure_of(us.ca.register, ACCOUNT_KEY, ["x"], eab=("k", HMAC_KEY), terms_agreed=True)
    assert error.code == "contact-refused"


def test_an_account_is_found_by_its_key_alone() -> None:
    us = talk()
    assert us.ca.find_account(ACCOUNT_KEY) is None
    us.ca.register(ACCOUNT_KEY, [], eab=("k", HMAC_KEY), terms_agreed=True)
    found = us.ca.find_account(ACCOUNT_KEY)
    assert found is not None
    assert (found.url, found.created) == (f"{HOST}/account/1", False)
    assert us.fake.seen[-1].payload == {"onlyReturnExisting": True}


def test_m8_a_ca_that_wants_credentials_before_it_looks_knows_no_account() -> None:
    us = talk()
    us.fake.next("/new-account", Reply.problem("externalAccountRequired", 403))
    assert us.ca.find_account(ACCOUNT_KEY) is None


def test_m13_a_registration_whose_answer_was_lost_is_found_again_and_the_credentials_sent_no_second_time() -> None:
    us = talk()

    def carried_out_unheard(request: Request) -> Reply:
        us.fake.usual(request)
        raise cut_off()

    us.fake.next("/new-account", carried_out_unheard)
    account = us.ca.register(ACCOUNT_KEY, [], eab=("k", HMAC_KEY), terms_agreed=True)
    assert account.url == f"{HOST}/account/1"
    sent = [r.raw for r in us.fake.seen if r.path == "/new-account" and "externalAccountBinding" in (r.payload or {})]
    assert len(set(sent)) == 1  # the same bytes, whose nonce the CA takes once


def test_a_registration_the_ca_had_an_error_with_stays_an_error_when_there_is_no_account() -> None:
    us = talk()
    us.fake.next("/new-account", Reply.problem("serverInternal", 500))
    error = failure_of(us.ca.register, ACCOUNT_KEY, [], eab=("k", HMAC_KEY), terms_agreed=True)
    assert (error.code, error.exit_code) == ("ca-server-error", 5)


def test_account_update_agreement_and_deactivation() -> None:
    us = registered()
    assert us.ca.account().contact == ("a@example.jp",)
    assert us.ca.update_contact(["b@example.jp", "tel:+81312345678"]).contact == ("b@example.jp", "tel:+81312345678")
    us.ca.agree_to_terms()
    assert us.fake.seen[-1].payload == {"termsOfServiceAgreed": True}
    assert us.ca.deactivate().status == "deactivated"


def test_who_has_no_account_cannot_order() -> None:
    with pytest.raises(ValueError, match="with_account"):
        talk().ca.new_order(["example.jp"])
    with pytest.raises(ValueError, match="with_account"):
        talk().ca.account()


# -- orders: hostile answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names", [["example.jp", "evil.jp"], ["evil.jp"], ["www.example.jp"], ["example.jp", "*.example.jp"]]
)
def test_93_an_order_for_other_names_is_refused(names: list[str]) -> None:
    us = registered()

    def other(request: Request) -> Reply:
        us.fake.usual(request)
        us.fake.names = names
        return Reply.of(us.fake.order(), 201, Location=f"{HOST}/order/1")

    us.fake.next("/new-order", other)
    assert failure_of(us.ca.new_order, ["example.jp"]).code == "order-other-names"


def test_78_identifiers_in_other_order_or_case_are_the_same() -> None:
    us = registered()

    def shuffled(request: Request) -> Reply:
        us.fake.usual(request)
        us.fake.names = ["B.jp", "A.JP"]
        return Reply.of(us.fake.order(), 201, Location="/order/1")

    us.fake.next("/new-order", shuffled)
    order = us.ca.new_order(["a.jp", "b.jp"])
    assert (order.url, order.names) == (f"{HOST}/order/1", frozenset({"a.jp", "b.jp"}))


@pytest.mark.parametrize(
    "url",
    [
        "http://ca.example/x",
        "ftp://ca.example/x",
        "file:///etc/passwd",
        "//ca.example/x",
        "https://a@ca.example/x",
        "https://a:b@ca.example/x",
        "https://ca.example:8443/x",
        "https://169.254.169.254/latest",
        "https://ca.example.evil.jp/x",
        "https://evil.jp/https://ca.example/",
        "https://ca.example\\@evil.jp/",
        "https://ca.example/x y",
        "https://ca.example/\r\nHost: evil",
        "https://ca.example/#fragment",
        "https://ca.example/\u3042",
        "https://[::1/x",
        "https://ca.example:99999/x",
        "https:///x",
        "",
        "x" * 5000,
        None,
        7,
        ["https://ca.example/x"],
    ],
)
def test_d1_d2_every_address_is_https_at_the_directorys_own_host(url: object) -> None:
    members = ["finalize", "authorizations", "certificate"]
    for member in members if url is not None else members[:2]:
        us = registered()

        def elsewhere(request: Request, us: Talk = us, member: str = member) -> Reply:
            us.fake.usual(request)
            value = [url] if member == "authorizations" else url
            return Reply.of(us.fake.order() | {member: value}, 201, Location=f"{HOST}/order/1")

        us.fake.next("/new-order", elsewhere)
        error = failure_of(us.ca.new_order, ["example.jp"])
        assert isinstance(error, BadAnswer)
    if url is not None:
        us = registered()
        us.fake.extra_directory = {"newOrder": url}
        assert isinstance(failure_of(us.ca.new_order, ["example.jp"]), BadAnswer)
        assert us.fake.asked() == ["GET /dir"]


def test_d2_an_order_or_account_that_lies_elsewhere_is_refused() -> None:
    us = registered()

    def elsewhere(request: Request) -> Reply:
        us.fake.usual(request)
        return Reply.of(us.fake.order(), 201, Location="https://evil.jp/order/1")

    us.fake.next("/new-order", elsewhere)
    assert failure_of(us.ca.new_order, ["example.jp"]).code == "ca-url-elsewhere"
    with pytest.raises(BadAnswer):
        us.ca.with_account("http://ca.example/account/1", ACCOUNT_KEY)
    us.fake.next("/new-order", Reply.of(us.fake.order(), 201))
    assert failure_of(us.ca.new_order, ["example.jp"]).code in {"ca-answer-malformed", "order-other-names"}


BAD_TOKENS = [
    *(
        "../../../../etc/cron.d/x",
        "%2e%2e%2f%2e%2e%2f" + "a" * 20,
        "a" * 21,
        "a" * 513,
        "a" * 22 + "/",
        "a" * 22 + "\0",
    ),
    *("a" * 22 + "\n", "a" * 22 + " ", "a" * 22 + ";id", "$(id)" + "a" * 22, "`id`" + "a" * 22, "a" * 22 + "."),
    *("\uff0e\uff0e/" + "a" * 22, "a" * 22 + "\u202e", "a" * 10_000_00, "", "a" * 22 + "=", "a" * 22 + "\u0661"),
    *(7, ["a" * 43], {"a": "b"}, True),
]


@pytest.mark.parametrize("token", BAD_TOKENS, ids=range(len(BAD_TOKENS)))
def test_d3_a_token_outside_the_grammar_is_refused_before_any_use(token: object) -> None:
    us = registered()
    order = us.ca.new_order(["example.jp"])
    us.fake.token = token  # type: ignore[assignment]
    error = failure_of(us.ca.authorization, order.authorizations[0])
    assert error.code in {"ca-token-unusable", "ca-answer-too-long"}
    if isinstance(token, str):
        assert isinstance(failure_of(us.ca.key_authorization, token), BadAnswer)
        assert isinstance(failure_of(us.ca.dns_value, token), BadAnswer)


def test_80_challenges_of_unknown_types_or_without_token_are_left_out() -> None:
    us = registered()
    order = us.ca.new_order(["*.example.jp"])
    authorization = us.ca.authorization(order.authorizations[0], order.names)
    assert [challenge.type for challenge in authorization.challenges] == ["http-01"]
    assert (authorization.name, authorization.wildcard) == ("example.jp", True)
    assert authorization.challenge("dns-01") is None


def test_d9_an_authorization_for_another_name_is_refused() -> None:
    us = registered()
    order = us.ca.new_order(["example.jp"])
    us.fake.names = ["evil.jp"]
    assert failure_of(us.ca.authorization, order.authorizations[0], order.names).code == "authorization-other-name"


def test_a_wildcard_is_known_by_its_order_where_the_ca_leaves_it_out() -> None:
    us = registered()
    order = us.ca.new_order(["*.example.jp"])
    answer = us.fake.authorization(0)
    us.fake.next("/authz/0", Reply.of({k: v for k, v in answer.items() if k != "wildcard"}))
    assert us.ca.authorization(order.authorizations[0], order.names).wildcard
    us.fake.next("/authz/0", Reply.of(answer | {"identifier": {"type": "dns", "value": "*.example.jp"}}))
    assert us.ca.authorization(order.authorizations[0], order.names).name == "example.jp"


MALFORMED = [
    *(b"", b"{", b"[]", b"null", b'"x"', b"7", b"\xff\xfe{}", b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":Infinity}'),
    *(b"[" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b'{"a":' * 40 + b"1" + b"}" * 40),
    *(b'{"a":' + b"1" * 5000 + b"}", b'{"identifiers":null}', b'{"identifiers":[1],"status":"pending"}'),
    *(b'{"identifiers":[{"type":"ip","value":"192.0.2.1"}]}', b'{"identifiers":[{"type":"dns","value":7}]}'),
    *(b'{"identifiers":[{"type":"dns","value":"' + b"a" * 300 + b'"}]}', b'{"identifiers":[]}'),
    *(b'{"identifiers":[{"type":"dns","value":"example.jp"}],"authorizations":null}',),
    *(b'{"identifiers":[{"type":"dns","value":"example.jp"}],"authorizations":[]}',),
]


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_81_malformed_answers_are_one_error_without_traceback(body: bytes) -> None:
    us = registered()
    headers = {"Content-Type": "application/json", "Location": f"{HOST}/order/1"}
    us.fake.next("/new-order", Reply(201, body, headers))
    assert failure_of(us.ca.new_order, ["example.jp"]).code in {"ca-answer-malformed", "order-other-names"}


@pytest.mark.parametrize("status", [None, 7, "", "PENDING", "x" * 100, "a b", ["valid"]])
def test_81_a_status_that_is_none_is_refused(status: object) -> None:
    us = registered()

    def strange(request: Request) -> Reply:
        us.fake.usual(request)
        return Reply.of(us.fake.order() | {"status": status}, 201, Location=f"{HOST}/order/1")

    us.fake.next("/new-order", strange)
    assert failure_of(us.ca.new_order, ["example.jp"]).code == "ca-answer-malformed"


@pytest.mark.parametrize("challenges", [None, {}, "x", [7], [None], [{}] * 51])
def test_81_challenges_of_a_wrong_shape_are_refused(challenges: object) -> None:
    us = registered()
    order = us.ca.new_order(["example.jp"])
    us.fake.next("/authz/0", Reply.of(us.fake.authorization(0, challenges=challenges)))
    assert failure_of(us.ca.authorization, order.authorizations[0]).code == "ca-answer-malformed"


@pytest.mark.parametrize("path", ["/dir", "/new-order"])
@pytest.mark.parametrize("status", [200, 401, 403])
def test_65_a_portals_page_is_not_the_ca(path: str, status: int) -> None:
    us = registered()
    us.fake.next(path, Reply(status, b"<html>Log in</html>", {"Content-Type": "text/html; charset=utf-8"}))
    error = failure_of(us.ca.new_order, ["example.jp"])
    assert (error.code, error.exit_code) == ("ca-answer-not-acme", 1)


def test_m7_errors_that_are_no_documents_are_errors_all_the_same() -> None:
    for reply, code in (
        (Reply(404), "order-gone"),
        (Reply(404, b"<html>", {"Content-Type": "text/html"}), "order-gone"),
        (Reply(400, b"bad", {"Content-Type": "text/plain"}), "ca-refused"),
        (Reply.of({"type": "about:blank", "title": "Gone"}, 410), "order-gone"),
        (Reply.of({"type": "https://ca.example/errors/x", "detail": "x"}, 400), "ca-refused"),
        (Reply.of([1], 418), "ca-refused"),
        (Reply.of({"type": 7, "detail": ["x"], "subproblems": "x", "status": "y"}, 400), "ca-refused"),
    ):
        us = registered()
        us.fake.next("/order/9", reply)
        assert failure_of(us.ca.order, f"{HOST}/order/9", ["example.jp"]).code == code


def test_d6_what_the_ca_says_is_harmless_in_the_error() -> None:
    us = registered()
    evil = "\x1b]0;x\x07\x1b[2J\n2026-01-01 INFO renewed OK\u202e" + "x" * 2000
    us.fake.next("/new-order", Reply.problem("rejectedIdentifier", 403, evil))
    detail = str(failure_of(us.ca.new_order, ["example.jp"]).params["detail"])
    assert len(detail) <= 500
    assert detail.isprintable()


# -- nonces --------------------------------------------------------------------------------------------------


def test_71_a_refused_nonce_is_replaced_by_the_one_in_the_refusal() -> None:
    us = registered()
    us.fake.next("/new-order", *[Reply.problem("badNonce")] * 5)
    us.ca.new_order(["example.jp"])
    assert us.fake.asked("/nonce") == ["HEAD /nonce"]
    assert len(us.fake.asked("/new-order")) == 6


def test_71_a_storm_of_refused_nonces_ends_cleanly_after_a_fresh_one() -> None:
    us = registered()
    us.fake.next("/new-order", *[Reply.problem("badNonce")] * 30)
    error = failure_of(us.ca.new_order, ["example.jp"])
    assert (error.code, error.exit_code) == ("ca-nonce-refused", 5)
    assert len(us.fake.asked("/new-order")) == 7
    assert len(us.fake.asked("/nonce")) == 2


@pytest.mark.parametrize("nonce", ["", "a b", "é", "x" * 600, "a=", "a\tb"])
def test_71_a_malformed_nonce_is_never_sent_back(nonce: str) -> None:
    us = registered()
    us.fake.next("/nonce", Reply(200, b"", {"Replay-Nonce": nonce}))
    assert failure_of(us.ca.new_order, ["example.jp"]).code == "ca-answer-malformed"
    us = registered()
    us.ca.new_order(["example.jp"])
    us.fake.next("/order/1", lambda request: Reply.of(us.fake.order(), Replay_Nonce=nonce))
    us.ca.order(f"{HOST}/order/1", ["example.jp"])
    us.ca.order(f"{HOST}/order/1", ["example.jp"])
    assert len(us.fake.asked("/nonce")) == 2  # the answer brought none that can be used


@pytest.mark.parametrize("status", [404, 405, 501])
def test_92_a_nonce_is_fetched_by_get_where_head_is_not_known(status: int) -> None:
    us = registered()
    us.fake.nonces.add("from-get")
    us.fake.next("/nonce", Reply(status), Reply(204, b"", {"Replay-Nonce": "from-get"}))
    us.ca.new_order(["example.jp"])
    assert us.fake.asked("/nonce") == ["HEAD /nonce", "GET /nonce"]


# -- lost answers, passing errors, patience ------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_68_a_passing_error_is_tried_again_in_the_same_run(status: int) -> None:
    for path in ("/dir", "/nonce", "/new-order", "/order/1", "/authz/0", "/challenge/0", "/certificate/1"):
        us = registered()
        us.fake.next(path, Reply(status), Reply(status))
        order = us.ca.finalize(proved(us, "example.jp"), csr("example.jp"))
        assert order.certificate is not None
        assert len(us.ca.certificate(order.certificate)) == 2
        assert next(seconds for seconds in us.clock.slept if seconds != 0.05) >= 0.25


def test_68_an_error_that_does_not_pass_is_temporary() -> None:
    us = registered()
    us.fake.next("/new-order", *[Reply(500)] * 3)
    error = failure_of(us.ca.new_order, ["example.jp"])
    assert (error.code, error.exit_code, error.params["status"]) == ("ca-server-error", 5, 500)
    assert len(us.fake.asked("/new-order")) == 3


def test_58_a_read_whose_answer_broke_off_is_read_again() -> None:
    us = registered()
    order = us.ca.new_order(["example.jp"])
    us.fake.next("/order/1", cut_off())
    assert us.ca.order(order.url, order.names).status == "pending"


def test_m13_an_order_whose_answer_was_lost_is_asked_again_with_the_same_nonce_first() -> None:
    us = registered()
    us.fake.next("/new-order", cut_off())  # never arrived: the same bytes are good
    us.ca.new_order(["example.jp"])
    first, second = [request.raw for request in us.fake.seen if request.path == "/new-order"]
    assert first == second


def test_m13_a_finalize_whose_answer_was_lost_is_looked_up_in_the_order() -> None:
    us = registered()
    order = proved(us, "example.jp")

    def carried_out_unheard(request: Request) -> Reply:
        us.fake.usual(request)
        raise cut_off()

    us.fake.next("/finalize/1", carried_out_unheard)
    done = us.ca.finalize(order, csr("example.jp"))
    assert (done.status, done.certificate) == ("valid", f"{HOST}/certificate/1")
    assert len({request.raw for request in us.fake.seen if request.path == "/finalize/1"}) == 1


def test_76_an_order_that_gets_ready_late_is_finalized_again() -> None:
    us = registered()
    order = proved(us, "example.jp")
    us.fake.next("/finalize/1", Reply.problem("orderNotReady", 403))
    assert us.ca.finalize(order, csr("example.jp")).status == "valid"
    us = registered()
    order = proved(us, "example.jp")
    us.fake.next("/finalize/1", *[Reply.problem("orderNotReady", 403)] * 2)
    assert failure_of(us.ca.finalize, order, csr("example.jp")).code == "order-not-ready"


def test_73_an_error_on_finalize_and_an_order_that_is_invalid_then() -> None:
    us = registered()
    order = proved(us, "example.jp")

    def breaks(request: Request) -> Reply:
        us.fake.order_status = "invalid"
        return Reply.problem("serverInternal", 500)

    us.fake.next("/finalize/1", breaks)
    done = us.ca.finalize(order, csr("example.jp"))
    assert done.status == "invalid"
    assert failure_of(us.ca.until_issued, done, 60.0).code == "order-invalid"


def test_69_maintenance_is_waited_for_and_not_called_a_failure() -> None:
    us = registered()
    us.fake.next("/new-order", Reply(503, b"", {"Retry-After": "21600"}))
    error = failure_of(us.ca.new_order, ["example.jp"])
    assert isinstance(error, CaUnavailable)
    assert (error.code, error.retry_at) == ("ca-maintenance", us.clock.now() + timedelta(hours=6))
    assert us.clock.slept == []


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        (["3600"], timedelta(hours=1)),
        ([], timedelta(hours=1)),
        (["999999999999999999999"], timedelta(days=1)),
        (["-5"], timedelta(hours=1)),
        (["soon"], timedelta(hours=1)),
        (["Sat, 21 Nov 2026 00:00:00 GMT"], timedelta(seconds=1)),
        (["Sun, 22 Nov 2026 05:00:00 GMT"], timedelta(hours=2)),
        (["60", "7200"], timedelta(hours=2)),
    ],
)
def test_70_72_rate_limits_are_obeyed_within_bounds(told: list[str], wait: timedelta) -> None:
    us = registered()
    limited = Reply.problem("rateLimited", 429, "too many", headers={"Retry-After": told})
    us.fake.next("/new-order", limited)
    error = failure_of(us.ca.new_order, ["example.jp"])
    assert isinstance(error, CaUnavailable)
    assert (error.code, error.retry_at) == ("ca-rate-limited", us.clock.now() + wait)
    assert len(us.fake.asked("/new-order")) == 1


def test_72_the_address_that_a_rate_limit_points_to_is_told() -> None:
    us = registered()
    us.fake.next("/new-order", Reply.problem("rateLimited", 429, instance="https://ca.example/unpause"))
    assert failure_of(us.ca.new_order, ["example.jp"]).params["url"] == "https://ca.example/unpause"


def test_74_an_order_that_stays_processing_is_parked_at_the_deadline() -> None:
    us = registered()
    order = proved(us, "example.jp")
    us.fake.next("/finalize/1", lambda request: _processing(us))
    done = us.ca.finalize(order, csr("example.jp"))
    error = failure_of(us.ca.until_issued, done, us.clock.monotonic() + 90)
    assert (error.code, error.exit_code) == ("ca-order-slow", 5)
    assert us.clock.elapsed <= 91
    assert len(us.fake.asked("/order/1")) < 30
    assert max(us.clock.slept) <= 5


def _processing(us: Talk) -> Reply:
    us.fake.order_status = "processing"
    return Reply.of(us.fake.order())


def test_70_a_wait_beyond_the_deadline_is_not_slept() -> None:
    us = registered()
    order = us.ca.new_order(["example.jp"])
    us.fake.next("/order/1", lambda request: Reply.of(us.fake.order(), Retry_After="1000000000"))
    error = failure_of(us.ca.until_ready, order, us.clock.monotonic() + 90)
    assert isinstance(error, CaUnavailable)
    assert error.retry_at == us.clock.now() + timedelta(minutes=10)
    assert us.clock.elapsed < 1


def test_m1_the_wait_the_ca_asks_for_is_waited() -> None:
    us = registered()
    order = us.ca.new_order(["example.jp"])
    us.fake.next(
        "/order/1",
        lambda request: Reply.of(us.fake.order(), Retry_After="3"),
        lambda request: Reply.of(us.fake.order() | {"status": "ready"}),
    )
    assert us.ca.until_ready(order, us.clock.monotonic() + 90).status == "ready"
    assert us.clock.slept == [0.05, 3.0]


# -- what failed, and why ------------------------------------------------------------------------------------


def _failed(us: Talk, error: dict[str, Any] | None, *, order: dict[str, Any] | None = None) -> JprsClientError:
    names = ["a.example.jp", "b.example.jp"]
    made = us.ca.new_order(names)
    us.fake.order_status = "invalid"
    if order is not None:
        us.fake.next("/order/1", Reply.of(us.fake.order() | {"error": order}))
    challenge = us.fake.challenge(1) | {"status": "invalid"} | ({"error": error} if error else {})
    us.fake.answered.add("0")
    us.fake.next("/authz/1", Reply.of(us.fake.authorization(1, status="invalid", challenges=[challenge])))
    return failure_of(us.ca.until_ready, made, us.clock.monotonic() + 60)


@pytest.mark.parametrize(
    ("kind", "code", "exit_code"),
    [
        ("connection", "challenge-connection", 1),
        ("dns", "challenge-dns", 1),
        ("unauthorized", "challenge-unauthorized", 1),
        ("tls", "challenge-tls", 1),
        ("incorrectResponse", "challenge-incorrect", 1),
        ("malformed", "challenge-failed", 1),
        ("somethingNew", "challenge-failed", 1),
        ("caa", "caa-forbids", 4),
        ("rejectedIdentifier", "name-refused-by-ca", 4),
        ("serverInternal", "ca-server-error", 5),
        ("rateLimited", "ca-rate-limited", 5),
    ],
)
def test_79_90_the_name_that_failed_is_told_with_its_cause(kind: str, code: str, exit_code: int) -> None:
    us = registered()
    error = _failed(us, {"type": f"urn:ietf:params:acme:error:{kind}", "detail": "why"})
    assert (error.code, error.exit_code, error.params["detail"]) == (code, exit_code, "why")
    if exit_code != 5:
        assert error.params["name"] == "b.example.jp"


def test_m5_an_invalid_challenge_may_keep_silent_about_why() -> None:
    error = _failed(registered(), None)
    assert (error.code, error.params["name"]) == ("challenge-failed-silently", "b.example.jp")


def test_m5_a_challenge_that_is_refused_at_once_is_a_failed_challenge() -> None:
    us = registered()
    order = us.ca.new_order(["example.jp"])
    challenge = us.ca.authorization(order.authorizations[0]).challenge("http-01")
    assert challenge is not None
    for kind, code in (("connection", "challenge-connection"), ("unauthorized", "challenge-unauthorized")):
        us.fake.next("/challenge/0", Reply.problem(kind, 400, "no route"))
        error = failure_of(us.ca.answer, challenge, name="example.jp")
        assert isinstance(error, ChallengeFailed)
        assert (error.code, error.params["name"]) == (code, "example.jp")
    us.fake.next("/challenge/0", Reply.problem("unauthorized", 403, "account deactivated"))
    assert failure_of(us.ca.answer, challenge, name="example.jp").code == "account-refused"


def test_m5_a_failed_challenge_below_a_pending_order_is_found_out() -> None:
    us = registered()
    order = us.ca.new_order(["example.jp"])
    failed = us.fake.challenge(0) | {"status": "invalid", "error": {"detail": "nobody there"}}
    us.fake.next("/authz/0", Reply.of(us.fake.authorization(0, challenges=[failed])))
    error = failure_of(us.ca.until_ready, order, us.clock.monotonic() + 60)
    assert (error.code, error.params["detail"]) == ("challenge-failed", "nobody there")
    assert us.clock.elapsed < 5


def test_79_an_order_that_says_why_it_is_invalid_names_the_names() -> None:
    us = registered()
    order = us.ca.new_order(["a.jp", "b.jp"])
    us.fake.order_status = "invalid"
    us.fake.answered |= {"0", "1"}
    problem = {
        "type": "urn:ietf:params:acme:error:compound",
        "detail": "several",
        "subproblems": [
            {
                "type": "urn:ietf:params:acme:error:caa",
                "detail": "CAA says no",
                "identifier": {"type": "dns", "value": "b.jp"},
            }
        ],
    }
    us.fake.next("/order/1", Reply.of(us.fake.order() | {"error": problem}))
    error = failure_of(us.ca.until_ready, order, us.clock.monotonic() + 60)
    assert (error.code, error.params["name"], error.params["detail"]) == ("caa-forbids", "b.jp", "CAA says no")


@pytest.mark.parametrize(
    ("kind", "status", "code", "kind_of_error"),
    [
        ("rejectedIdentifier", 403, "name-refused-by-ca", RefusedByCa),
        ("unsupportedIdentifier", 400, "name-refused-by-ca", RefusedByCa),
        ("accountDoesNotExist", 400, "account-unknown", RefusedByCa),
        ("unauthorized", 403, "account-refused", RefusedByCa),
        ("badPublicKey", 400, "key-refused", RefusedByCa),
        ("badSignatureAlgorithm", 400, "key-refused", RefusedByCa),
        ("caa", 403, "caa-forbids", RefusedByCa),
        ("malformed", 400, "request-malformed", RefusedByCa),
        ("userActionRequired", 403, "terms-changed", ConsentNeeded),
        ("rateLimited", 400, "ca-rate-limited", CaUnavailable),
        ("somethingNew", 400, "ca-refused", RefusedByCa),
    ],
)
def test_82_90_refusals_of_an_order(kind: str, status: int, code: str, kind_of_error: type[JprsClientError]) -> None:
    us = registered()
    us.fake.next("/new-order", Reply.problem(kind, status, "why", instance="https://ca.example/terms"))
    error = failure_of(us.ca.new_order, ["example.jp"])
    assert (error.code, error.params["detail"]) == (code, "why")
    assert type(error) is kind_of_error
    assert len(us.fake.asked("/new-order")) == 1


def test_84_changed_terms_are_named_by_the_instance_or_by_the_directory() -> None:
    us = registered()
    us.fake.extra_directory = {"meta": {"termsOfService": "https://ca.example/terms-2"}}
    us.fake.next("/new-order", Reply.problem("userActionRequired", 403))
    error = failure_of(us.ca.new_order, ["example.jp"])
    assert (error.code, error.params["url"], error.exit_code) == ("terms-changed", "https://ca.example/terms-2", 4)


def test_79_subproblems_of_a_refusal_name_the_names() -> None:
    us = registered()
    below = [
        {"type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "x", "identifier": {"value": name}}
        for name in ("b.jp", "c.jp")
    ]
    us.fake.next("/new-order", Reply.problem("malformed", 400, subproblems=below))
    error = failure_of(us.ca.new_order, ["a.jp", "b.jp", "c.jp"])
    assert (error.code, error.params["name"]) == ("name-refused-by-ca", "b.jp, c.jp")


def test_87_a_replacement_the_ca_will_not_have_is_ordered_without() -> None:
    us = registered()
    for reply in (Reply.problem("alreadyReplaced", 409), Reply.problem("malformed", 400), Reply(404)):
        us.fake.next("/new-order", reply)
        order = us.ca.new_order(["example.jp"], replaces="aki.serial")
        assert order.replaces_dropped
        assert us.fake.replaces is None
    assert not us.ca.new_order(["example.jp"], replaces="aki.serial").replaces_dropped
    assert us.fake.replaces == "aki.serial"


def test_87_a_ca_without_renewal_information_is_not_bothered_with_replacements() -> None:
    us = registered()
    us.fake.extra_directory = {"renewalInfo": None}
    assert us.ca.new_order(["example.jp"], replaces="aki.serial").replaces_dropped
    assert us.fake.replaces is None


def test_87_a_refusal_that_has_nothing_to_do_with_it_is_not_tried_again() -> None:
    us = registered()
    us.fake.next("/new-order", Reply.problem("rejectedIdentifier", 403))
    assert failure_of(us.ca.new_order, ["example.jp"], replaces="x.y").code == "name-refused-by-ca"
    assert len(us.fake.asked("/new-order")) == 1


def test_d8_the_account_key_is_never_a_certificates_key() -> None:
    us = registered()
    order = proved(us, "example.jp")
    with pytest.raises(StateUnusable) as caught:
        us.ca.finalize(order, keys.csr_der(ACCOUNT_KEY, ["example.jp"]))
    assert caught.value.code == "account-key-reused"
    assert us.fake.asked("/finalize/1") == []


def test_90_a_refused_request_for_the_certificate() -> None:
    us = registered()
    order = proved(us, "example.jp")
    us.fake.next("/finalize/1", Reply.problem("badCSR", 400, "weak key"))
    assert failure_of(us.ca.finalize, order, csr("example.jp")).code == "csr-refused"


def test_an_issued_order_without_certificate_is_refused() -> None:
    us = registered()
    order = proved(us, "example.jp")
    us.fake.next("/finalize/1", Reply.of(us.fake.order() | {"status": "valid"}))
    assert failure_of(us.ca.until_issued, us.ca.finalize(order, csr("example.jp")), 60.0).code == "ca-answer-malformed"


def test_97_only_certificates_come_out_of_a_download() -> None:
    us = registered()
    pem = "application/pem-certificate-chain"
    us.fake.next("/certificate/1", Reply(200, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                                         {"Content-Type": pem}))  # fmt: skip
    assert failure_of(us.ca.certificate, f"{HOST}/certificate/1").code == "chain-not-only-certificates"
    us.fake.next("/certificate/1", Reply(200, b"<html>", {"Content-Type": "text/html"}))
    assert failure_of(us.ca.certificate, f"{HOST}/certificate/1").code == "ca-answer-not-acme"


def test_an_authorization_can_be_given_up() -> None:
    us = registered()
    order = us.ca.new_order(["example.jp"])
    us.ca.deactivate_authorization(order.authorizations[0])
    assert us.fake.seen[-1].payload == {"status": "deactivated"}


# -- revocation, renewal information -------------------------------------------------------------------------


def test_a_revocation_says_its_reason_unless_it_is_unspecified() -> None:
    us = registered()
    der = made_chain().der[0]
    assert not us.ca.revoke(der, 1).already
    us.ca.revoke(der, 0)
    assert us.fake.reasons == [1, None]
    assert "kid" in us.fake.seen[-1].header
    us.ca.revoke(der, 1, key_pem=KEY_PEM)
    assert us.fake.seen[-1].header["jwk"] == Signer(KEY_PEM).public_jwk


def test_what_is_revoked_already_is_revoked() -> None:
    us = registered()
    us.fake.next("/revoke", Reply.problem("alreadyRevoked", 400))
    assert us.ca.revoke(made_chain().der[0], 1).already


@pytest.mark.parametrize(
    ("kind", "code"), [("badRevocationReason", "reason-refused-by-ca"), ("unauthorized", "revocation-unauthorized")]
)
def test_a_refused_revocation(kind: str, code: str) -> None:
    us = registered()
    us.fake.next("/revoke", Reply.problem(kind, 403))
    assert failure_of(us.ca.revoke, made_chain().der[0], 1).code == code


def test_a_ca_without_revocation_says_so() -> None:
    us = registered()
    us.fake.extra_directory = {"revokeCert": None}
    assert failure_of(us.ca.revoke, made_chain().der[0], 1).code == "revocation-not-offered"


def _window(us: Talk, reply: Reply) -> Any:
    chain = made_chain(serial=0x8765)
    from jprs_client.ca.renewal_info import ari_cert_id

    us.fake.next(f"/renewal-info/{ari_cert_id(chain.der[0])}", reply)
    return us.ca.renewal_info(chain.der[0])


def test_renewal_information_is_the_window_and_the_next_look() -> None:
    us = registered()
    window = {"start": "2027-01-20T00:00:00Z", "end": "2027-01-22T09:00:00+09:00"}
    told = {"suggestedWindow": window, "explanationURL": "https://ca.example/why", "more": 1}
    info = _window(us, Reply.of(told, Retry_After="21600"))
    assert (info.start, info.end) == (datetime(2027, 1, 20, tzinfo=UTC), datetime(2027, 1, 22, tzinfo=UTC))
    assert (info.explanation_url, info.failure) == ("https://ca.example/why", None)
    assert info.retry_at == us.clock.now() + timedelta(hours=6)
    assert us.fake.asked()[-1].endswith(".AIdl")  # the sign needs an octet of its own (RFC 9773 §4.1)


@pytest.mark.parametrize(("told", "hours"), [("1", 1 / 60), ("999999999", 24), ("x", 6), ("7200", 2)])
def test_88_the_next_look_is_between_a_minute_and_a_day_away(told: str, hours: float) -> None:
    us = registered()
    window = {"start": "2027-01-20T00:00:00Z", "end": "2027-01-22T00:00:00Z"}
    info = _window(us, Reply.of({"suggestedWindow": window}, Retry_After=told))
    assert info.retry_at == us.clock.now() + timedelta(hours=hours)


@pytest.mark.parametrize(
    "window",
    [
        {"start": "2027-01-22T00:00:00Z", "end": "2027-01-20T00:00:00Z"},
        {"start": "2027-01-22T00:00:00Z", "end": "2027-01-22T00:00:00Z"},
        {"start": "2027-01-22T00:00:00Z"},
        {"start": "2027-01-22", "end": "2027-01-23"},
        {"start": "2027-01-22T00:00:00", "end": "2027-01-23T00:00:00"},
        {"start": "2027-02-30T00:00:00Z", "end": "2027-03-23T00:00:00Z"},
        {"start": 1, "end": 2},
        {"start": "x" * 100, "end": "2027-01-23T00:00:00Z"},
        "soon",
        None,
    ],
)
def test_88_a_window_that_makes_no_sense_is_no_answer(window: object) -> None:
    us = registered()
    info = _window(us, Reply.of({"suggestedWindow": window}))
    assert (info.start, info.end, info.failure) == (None, None, "ari-window-unusable")
    assert info.retry_at == us.clock.now() + timedelta(hours=6)


@pytest.mark.parametrize("status", [400, 404, 500])
def test_88_a_refused_look_is_repeated_in_six_hours(status: int) -> None:
    us = registered()
    info = _window(us, Reply(status)) if status != 500 else _window(us, Reply(status, b"", {"Retry-After": "21600"}))
    assert (info.failure, info.retry_at) == ("ari-refused", us.clock.now() + timedelta(hours=6))
    assert _window(us, Reply(200, b"<html>")).failure == "ca-answer-malformed"


def test_88_an_explanation_that_is_no_web_address_is_not_shown() -> None:
    window = {"start": "2027-01-20T00:00:00Z", "end": "2027-01-22T00:00:00Z"}
    info = _window(registered(), Reply.of({"suggestedWindow": window, "explanationURL": "javascript:alert(1)"}))
    assert info.explanation_url is None


def test_a_ca_without_renewal_information_has_none_and_a_ca_that_is_away_is_asked_later() -> None:
    us = registered()
    us.fake.extra_directory = {"renewalInfo": None}
    assert us.ca.renewal_info(made_chain().der[0]) is None
    us = registered()
    us.fake.next("/dir", *[cut_off()] * 3)
    info = us.ca.renewal_info(made_chain().der[0])
    assert info is not None
    assert info.failure == "ca-cut-off"


# -- directory -----------------------------------------------------------------------------------------------


def test_the_directory_says_what_the_ca_is_like() -> None:
    us = talk()
    us.fake.extra_directory = {
        "x-9aBc": "https://example.org/random",
        "meta": {
            "termsOfService": "https://ca.example/terms\x1b[2J",
            "website": "https://jprs.jp",
            "caaIdentities": ["jprs.jp", 7],
            "externalAccountRequired": True,
            "profiles": {"default": "90 days"},
        },
    }
    directory = us.ca.directory()
    assert directory.terms_of_service == "https://ca.example/terms[2J"
    assert (directory.caa_identities, directory.profiles) == (("jprs.jp",), ("default",))
    assert directory.external_account_required
    assert directory.key_change is None
    assert us.ca.directory() is directory
    assert us.fake.asked() == ["GET /dir"]


@pytest.mark.parametrize("member", ["newNonce", "newAccount", "newOrder"])
def test_91_a_directory_that_lacks_what_is_needed_is_refused(member: str) -> None:
    us = talk()
    us.fake.extra_directory = {member: None}
    assert failure_of(us.ca.directory).params["what"] == member


def test_66_a_directory_may_redirect_three_times_within_its_origin() -> None:
    us = talk()
    us.fake.next("/dir", Reply(302, b"", {"Location": "/a"}))
    us.fake.next("/a", Reply(307, b"", {"Location": f"{HOST}/b"}))
    us.fake.next("/b", Reply(308, b"", {"Location": "dir"}))
    assert us.ca.directory().new_order == f"{HOST}/new-order"
    us = talk()
    us.fake.next("/dir", *[Reply(302, b"", {"Location": "/dir"})] * 9)
    assert failure_of(us.ca.directory).code == "ca-redirects"
    assert len(us.fake.seen) == 4


@pytest.mark.parametrize(
    "location", ["http://ca.example/dir", "https://evil.jp/dir", "//evil.jp/dir", None, "https://["]
)
def test_66_a_redirect_elsewhere_is_not_followed(location: str | None) -> None:
    us = talk()
    us.fake.next("/dir", Reply(302, b"", {"Location": location} if location else {}))
    assert isinstance(failure_of(us.ca.directory), BadAnswer)
    assert len(us.fake.seen) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_66_a_signed_request_never_follows_a_redirect(status: int) -> None:
    us = registered()
    us.fake.next("/new-order", Reply(status, b"", {"Location": f"{HOST}/elsewhere"}))
    assert failure_of(us.ca.new_order, ["example.jp"]).code == "ca-answer-not-acme"
    assert "POST /elsewhere" not in us.fake.asked()


def test_67_a_body_over_a_mebibyte_is_not_read_to_its_end() -> None:
    us = talk()
    us.fake.next("/dir", Reply(200, b"x" * (1024 * 1024 + 1)))
    assert failure_of(us.ca.directory).code == "ca-answer-too-long"


def test_67_a_compressed_answer_that_nobody_asked_for_is_refused() -> None:
    us = talk()
    us.fake.next("/dir", Reply(200, b"\x1f\x8b", {"Content-Encoding": "gzip"}))
    assert failure_of(us.ca.directory).params["what"] == "Content-Encoding"


def test_several_accounts_share_directory_and_nonces() -> None:
    us = talk()
    us.ca.find_account(ACCOUNT_KEY)
    one: Ca = us.ca.with_account(f"{HOST}/account/1", ACCOUNT_KEY)
    one.new_order(["example.jp"])
    assert us.fake.asked() == ["GET /dir", "HEAD /nonce", "POST /new-account", "POST /new-order"]
    assert one.directory_url == DIRECTORY


def test_an_authorization_says_how_long_to_wait() -> None:
    us = registered()
    order = us.ca.new_order(["example.jp"])
    us.fake.next("/authz/0", Reply.of(us.fake.authorization(0), Retry_After="7"))
    seen: Authorization = us.ca.authorization(order.authorizations[0])
    assert seen.retry_after == timedelta(seconds=7)
