"""When a certificate is replaced, and why (FAULTS 49, 54; RFC 9773 §4.2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jprs_client.planning.actions import Kind
from jprs_client.planning.facts import AriFacts, CertificateFacts, LineageFacts
from jprs_client.planning.rules import Due, renewal
from tests.planning.worlds import DAY, LIFETIME, NOW, certificate, names

NAMES = names("example.jp", "www.example.jp")


def issued(lifetime: timedelta = LIFETIME) -> CertificateFacts:
    return certificate("example.jp", "www.example.jp", issued_at=NOW, lifetime=lifetime)


def due(
    facts: CertificateFacts,
    *,
    ari: datetime | None = None,
    rolled_back_at: datetime | None = None,
    now: datetime = NOW,
    jitter: bool = False,
) -> Due:
    told = None if ari is None else AriFacts(NOW, ari)
    lineage = LineageFacts("example.jp", facts, rolled_back_at=rolled_back_at, ari=told)
    return renewal(lineage, facts, NAMES, now, jitter=jitter)


@pytest.mark.parametrize(
    ("days", "renewed_after"),
    [(6, 3), (9, 4.5), (10, 20 / 3), (47, 94 / 3), (64, 128 / 3), (90, 60), (100, 200 / 3), (398, 796 / 3)],
)
def test_two_thirds_of_a_lifetime_are_used_and_half_of_a_short_one(days: float, renewed_after: float) -> None:
    found = due(issued(timedelta(days=days)))

    assert abs(found.at - (NOW + timedelta(days=renewed_after))) < timedelta(milliseconds=1)
    assert (found.kind, found.why.code) == (Kind.RENEW, "lifetime-spent")


def test_lifetimes_are_what_the_certificate_says_and_not_ninety_times_a_day() -> None:
    """第3条: from noon until 90 days after, to the end of that day in Japan: nearly 91 days (FAULTS 49)."""
    lifetime = timedelta(days=90, hours=11, minutes=59, seconds=59)

    assert due(issued(lifetime)).at == NOW + lifetime * 2 / 3


@given(st.text(max_size=20), st.timedeltas(timedelta(minutes=1), timedelta(days=400)))
def test_jitter_comes_earlier_never_later_and_takes_a_hundredth_at_most(serial: str, lifetime: timedelta) -> None:
    facts = replace(issued(lifetime), serial=serial)
    plain, jittered = due(facts).at, due(facts, jitter=True).at

    assert timedelta(0) <= plain - jittered <= lifetime / 100
    assert jittered == due(facts, jitter=True, now=NOW + DAY).at, "it does not move"


def test_certificates_of_one_moment_are_spread() -> None:
    moments = {due(replace(issued(), serial=f"{number:x}"), jitter=True).at for number in range(1000)}

    assert len(moments) == 1000
    hours = [int((NOW + LIFETIME * 2 / 3 - moment) / timedelta(hours=1)) for moment in moments]
    assert max(hours.count(hour) for hour in range(22)) < 100  # 21.6 hours: about 46 in each


def test_the_moment_the_ca_named_replaces_our_own_rule() -> None:
    early = due(issued(), ari=NOW + 5 * DAY)
    late = due(issued(), ari=NOW + 70 * DAY)

    assert (early.at, early.why.code) == (NOW + 5 * DAY, "ari-moment")
    assert (late.at, late.why.code) == (NOW + 70 * DAY, "ari-moment")


@pytest.mark.parametrize("days", [72.1, 89, 90, 91, 36500])
def test_a_fifth_of_the_lifetime_is_kept_whatever_the_ca_says(days: float) -> None:
    found = due(issued(), ari=NOW + timedelta(days=days))

    assert (found.at, found.why.code) == (NOW + 72 * DAY, "ari-too-late")


def test_a_window_in_the_past_means_now() -> None:
    assert due(issued(), ari=NOW - DAY).at < NOW


def test_an_answer_without_a_moment_decides_nothing() -> None:
    lineage = LineageFacts("example.jp", issued(), ari=AriFacts(NOW, None))

    assert renewal(lineage, issued(), NAMES, NOW, jitter=False).why.code == "lifetime-spent"


def test_a_revoked_certificate_is_reissued_now_before_any_other_reason() -> None:
    revoked = replace(issued(), revoked_at=NOW - DAY, names=names("other.jp"))
    found = due(revoked, ari=NOW + 5 * DAY)

    assert (found.at, found.kind, found.why.code) == (NOW, Kind.REISSUE, "revoked")


@pytest.mark.parametrize(
    ("carried", "added", "removed"),
    [
        (("example.jp",), "www.example.jp", ""),
        (("example.jp", "www.example.jp", "old.jp"), "", "old.jp"),
        (("old.jp",), "example.jp, www.example.jp", "old.jp"),
    ],
)
def test_other_names_mean_another_certificate_now(carried: tuple[str, ...], added: str, removed: str) -> None:
    found = due(certificate(*carried, issued_at=NOW))

    assert (found.at, found.kind, found.why.code) == (NOW, Kind.REISSUE, "names-differ")
    assert found.why.params == {"added": added, "removed": removed}


def test_a_person_who_went_back_keeps_half_of_what_was_left() -> None:
    back_at = NOW + 70 * DAY
    found = due(issued(), rolled_back_at=back_at, ari=NOW + 60 * DAY)

    assert (found.at, found.kind, found.why.code) == (NOW + 80 * DAY, Kind.RENEW, "rolled-back")


def test_going_back_to_what_has_expired_leaves_nothing_to_wait_for() -> None:
    back_at = NOW + 91 * DAY

    assert due(issued(), rolled_back_at=back_at).at == back_at


@given(
    st.timedeltas(timedelta(seconds=2), timedelta(days=400)),
    st.none() | st.timedeltas(timedelta(days=-400), timedelta(days=4000)),
    st.none() | st.floats(0, 1),
)
def test_a_valid_certificate_is_always_renewed_before_it_expires(
    lifetime: timedelta, ari: timedelta | None, back: float | None
) -> None:
    found = due(
        issued(lifetime),
        ari=None if ari is None else NOW + ari,
        rolled_back_at=None if back is None else NOW + lifetime * min(back, 0.99),
        jitter=True,
    )

    assert found.at < NOW + lifetime
    assert found.kind is Kind.RENEW
