"""What every store has to do, whichever database stands behind it: each fact comes back as it was put in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from jprs_client.errors import StateUnusable
from jprs_client.planning.facts import (
    AriFacts,
    CertificateFacts,
    Failure,
    Installation,
    LineageFacts,
    RevocationIntent,
    UsageRecord,
)
from jprs_client.plugin import Proof
from jprs_client.store.store import Job, Store, Told
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import Term
from tests.store.set_clock import SetClock

CA, OTHER_CA = "https://ca.example/dir", "https://other.example/dir"
NAMES = frozenset({DnsName("example.jp"), DnsName("*.example.jp")})
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def store(tmp_path: Path, clock: SetClock) -> Iterator[Store]:
    """Another database is another parameter here."""
    store = Store(tmp_path, CA, clock)
    yield store
    store.close()


def again(store: Store, directory: str = CA) -> Store:
    """What another process finds."""
    return Store(store.state_dir, directory, store.clock)


def facts(clock: SetClock, version: int = 1, serial: str | None = None) -> CertificateFacts:
    return CertificateFacts(
        version, NAMES, serial or f"5e{version}", clock.now() - HOUR, clock.now() + 90 * 24 * HOUR, f"spki{version}",
        f"finger{version}",
    )  # fmt: skip


def issue(store: Store, clock: SetClock, version: int = 1, lineage: str = "main") -> CertificateFacts:
    made = facts(clock, version)
    store.keep_certificate(lineage, made, issuer="CN=CA", ari_id=f"ari{version}")
    return made


def lineage(store: Store, name: str = "main") -> LineageFacts:
    return again(store).state().lineages[name]


def test_a_store_that_was_never_written_knows_nothing(store: Store, clock: SetClock) -> None:
    state = store.state()

    assert (state.known_at, state.account, state.lineages, state.usages) == (clock.now(), None, {}, {})
    assert (state.installations, state.failures, state.revocations) == ({}, {}, ())
    assert (state.missing_names, state.offers_ari) == (frozenset(), None)
    assert (store.certificates(), store.events(), store.jobs(), store.lineages_with_proofs()) == ([], [], [], [])
    assert store.told() == []
    assert store.job("main") is None
    assert store.current_version("main") is None
    assert store.ari_id("main") is None
    assert not store.is_blocked("spki1")
    assert store.next_version("main") == 1


# -- account ----------------------------------------------------------------------------------------------------------


def test_the_account_comes_back_with_the_latest_consent(store: Store, clock: SetClock) -> None:
    store.keep_account(f"{CA}/acct/1", "valid", ["mailto:a@example.jp"], "spki", "kid-1")
    registered_at = clock.now()
    store.keep_consent("root", "https://ca.example/terms-1", "https://jprs.example/ct")
    clock.pass_by(HOUR)
    store.keep_consent("root", "https://ca.example/terms-2", "https://jprs.example/ct")

    found = again(store).account()

    assert found is not None
    assert (found.url, found.status, found.contact) == (f"{CA}/acct/1", "valid", ("mailto:a@example.jp",))
    assert (found.key_spki_sha256, found.registered_at) == ("spki", registered_at)
    assert (found.terms_url, found.terms_agreed_at) == ("https://ca.example/terms-2", clock.now())


def test_an_account_is_of_one_directory(store: Store) -> None:
    store.keep_account(f"{CA}/acct/1", "valid", [], "spki", None)

    assert again(store, OTHER_CA).account() is None
    assert again(store, OTHER_CA).account_key_path != store.account_key_path


def test_an_account_kept_again_keeps_the_day_it_was_registered(store: Store, clock: SetClock) -> None:
    store.keep_account(f"{CA}/acct/1", "valid", ["mailto:a@example.jp"], "spki", "kid-1")
    registered_at = clock.now()
    clock.pass_by(HOUR)
    store.keep_account(f"{CA}/acct/1", "valid", ["mailto:b@example.jp"], "other", None)
    store.account_status("deactivated")

    found = again(store).account()

    assert found is not None
    assert (found.contact, found.key_spki_sha256) == (("mailto:b@example.jp",), "other")
    assert (found.status, found.registered_at) == ("deactivated", registered_at)


@pytest.mark.parametrize("offers", [True, False])
def test_what_a_directory_offers_is_known_for_that_directory(store: Store, offers: bool) -> None:
    store.keep_directory(offers_ari=not offers, terms_url=None)
    store.keep_directory(offers_ari=offers, terms_url="https://ca.example/terms")

    assert again(store).state().offers_ari is offers
    assert again(store, OTHER_CA).state().offers_ari is None


# -- usage FQDNs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record",
    [
        UsageRecord(DnsName("example.jp")),
        UsageRecord(
            DnsName("*.example.jp"), date(2026, 11, 22), date(2026, 12, 31), config_ends=date(2026, 12, 31),
            terminating=True, suspended=True, ended_on=date(2026, 12, 31), start_confirmed_at=SetClock().now(),
            continuation_term=Term.ONE_MONTH,
        ),
        UsageRecord(DnsName("a.jp"), date(2026, 11, 22), date(2027, 11, 30), continuation_term=Term.ONE_YEAR),
    ],
)  # fmt: skip
def test_a_usage_fqdn_comes_back(store: Store, record: UsageRecord) -> None:
    store.keep_usage(UsageRecord(record.name, date(2000, 1, 1), terminating=not record.terminating))
    store.keep_usage(record)

    assert again(store).state().usages == {record.name: record}


def test_a_name_that_was_found_again_is_no_longer_missing(store: Store) -> None:
    name = DnsName("www.example.jp")
    store.keep_lookup(name, found=False)
    assert again(store).state().missing_names == {name}
    store.keep_lookup(name, found=True)
    assert again(store).state().missing_names == frozenset()


# -- certificates -----------------------------------------------------------------------------------------------------


def test_a_certificate_comes_back_as_the_current_version_of_its_lineage(store: Store, clock: SetClock) -> None:
    made = issue(store, clock)

    assert again(store).certificates() == [("main", made)]
    assert lineage(store) == LineageFacts("main", made)
    assert store.current_version("main") == 1
    assert store.ari_id("main") == "ari1"
    assert again(store, OTHER_CA).ari_id("main") is None, "another CA has another name for it, or none"


def test_a_newer_version_takes_its_place_and_the_older_is_remembered(store: Store, clock: SetClock) -> None:
    first, second = issue(store, clock, 1), issue(store, clock, 2)

    assert lineage(store) == LineageFacts("main", second, previous_version=1)
    assert store.certificates("main") == [("main", first), ("main", second)]
    assert store.certificates("other") == []


def test_keeping_a_version_twice_is_keeping_it_once(store: Store, clock: SetClock) -> None:
    issue(store, clock, 1)
    second = issue(store, clock, 2)
    issue(store, clock, 2)

    assert lineage(store) == LineageFacts("main", second, previous_version=1)


def test_a_row_whose_folder_was_lost_is_written_over_by_what_the_folder_holds(store: Store, clock: SetClock) -> None:
    """FAULTS 30: else the plan would look at another certificate than the one served, and order for ever."""
    issue(store, clock, 1)
    store.mark_revoked("5e1", 4, clock.now())
    other = facts(clock, 1, serial="0the4")
    store.keep_certificate("main", other, issuer="CN=CA", ari_id=None)

    assert lineage(store).current == other


def test_the_next_version_is_a_number_that_never_was(store: Store, clock: SetClock) -> None:
    issue(store, clock, 7)

    assert store.next_version("main") == 8, "though there is no folder of that number"
    store.versions.folder("main", 9).mkdir(parents=True)
    assert store.next_version("main") == 10


def test_going_back_is_remembered_and_undone_by_the_next_version(store: Store, clock: SetClock) -> None:
    first = issue(store, clock, 1)
    issue(store, clock, 2)
    store.roll_back("main", 1)

    assert lineage(store) == LineageFacts("main", first, previous_version=2, rolled_back_at=clock.now())
    third = issue(store, clock, 3)
    assert lineage(store) == LineageFacts("main", third, previous_version=1)


def test_retired_and_archived_are_remembered_and_taken_back(store: Store, clock: SetClock) -> None:
    issue(store, clock)
    store.retire("main")
    store.archive("main")
    assert (lineage(store).retired_at, lineage(store).archived_at) == (clock.now(), clock.now())
    store.retire("main", retired=False)
    store.archive("main", archived=False)
    assert (lineage(store).retired_at, lineage(store).archived_at) == (None, None)


def test_the_first_word_on_a_revocation_stands(store: Store, clock: SetClock) -> None:
    issue(store, clock)
    at = clock.now()
    store.mark_revoked("5e1", 1, at)
    store.mark_revoked("5e1", 4, at + HOUR)

    current = lineage(store).current
    assert current is not None
    assert (current.revoked_at, current.revocation_reason) == (at, 1)
    issue(store, clock)
    current = lineage(store).current
    assert current is not None
    assert current.revoked_at == at, "also when the version is kept once more after a crash"


def test_a_revocation_by_nobody_knows_which_reason_is_one(store: Store, clock: SetClock) -> None:
    issue(store, clock)
    store.mark_revoked("5e1", None, clock.now())

    current = lineage(store).current
    assert current is not None
    assert (current.revoked_at, current.revocation_reason) == (clock.now(), None)


def test_the_cas_word_on_renewal_is_of_one_version(store: Store, clock: SetClock) -> None:
    issue(store, clock, 1)
    now = clock.now()
    told = AriFacts(now + HOUR, now + 2 * HOUR, now, now + 3 * HOUR, "https://ca.example/why")
    store.keep_renewal_information("main", 1, AriFacts(now))
    store.keep_renewal_information("main", 1, told)

    assert lineage(store).ari == told
    issue(store, clock, 2)
    assert lineage(store).ari is None


# -- installations and failures ---------------------------------------------------------------------------------------


def test_what_a_target_was_given_comes_back(store: Store, clock: SetClock) -> None:
    store.keep_installation("nginx", "main", 1, served=True)
    store.keep_installation("haproxy", "main", 1, served=False)
    clock.pass_by(HOUR)
    store.keep_installation("nginx", "main", 2, served=False)

    earlier = clock.now() - HOUR
    assert again(store).state().installations == {
        ("nginx", "main"): Installation("nginx", "main", 2, clock.now()),
        ("haproxy", "main"): Installation("haproxy", "main", 1, earlier),
    }


def test_a_failure_comes_back_and_is_forgotten_for_its_target_alone(store: Store, clock: SetClock) -> None:
    failure = Failure(
        "main", "install", NAMES, 3, "reload-failed", {"output": "日本", "line": 7, "file": None}, clock.now(),
        clock.now() + HOUR, imposed=True, target="nginx", since=clock.now(), exit_code=7,
    )  # fmt: skip
    other = replace(failure, target="haproxy", names=frozenset(), imposed=False)
    store.keep_failure(replace(failure, count=2))
    store.keep_failure(failure)
    store.keep_failure(other)

    assert again(store).state().failures == {
        ("main", "install", "nginx"): failure,
        ("main", "install", "haproxy"): other,
    }
    store.forget_failure("main", "install", "nginx")
    store.forget_failure("main", "install")
    assert again(store).state().failures == {("main", "install", "haproxy"): other}


def test_a_failure_is_remembered_since_it_began_and_afresh_for_other_names(store: Store, clock: SetClock) -> None:
    began = clock.now()
    failure = Failure("main", "issue", NAMES, 1, "ca-unreachable", {}, began, began + HOUR, exit_code=5)
    store.keep_failure(failure)
    clock.pass_by(HOUR)
    store.keep_failure(replace(failure, count=2, failed_at=clock.now()))
    (again_failed,) = again(store).state().failures.values()
    store.keep_failure(replace(failure, names=frozenset(), failed_at=clock.now()))
    (afresh,) = again(store).state().failures.values()

    assert (again_failed.since, again_failed.failed_at) == (began, began + HOUR)
    assert afresh.since == began + HOUR


# -- notices ----------------------------------------------------------------------------------------------------------


def test_what_a_notifier_was_told_comes_back_until_it_is_over(store: Store, clock: SetClock) -> None:
    told = Told("ops", "certificate", "main", "", "failing", 1, "日本 failed", clock.now())
    store.keep_told(told)
    store.keep_told(replace(told, notifier="boss"))
    clock.pass_by(HOUR)
    graver = replace(told, code="expired", level=2, said="expired", told_at=clock.now())
    store.keep_told(graver)

    assert again(store).told() == [replace(told, notifier="boss"), graver]
    store.forget_told(graver)
    assert again(store).told() == [replace(told, notifier="boss")]


# -- revocations ------------------------------------------------------------------------------------------------------


def intent(clock: SetClock, version: int = 1, reason: int = 4, **more: object) -> RevocationIntent:
    made = RevocationIntent(
        "main", version, f"5e{version}", reason, ("replaced",), True, clock.now(), clock.now() + 5 * 24 * HOUR, NAMES
    )
    return replace(made, **more)  # type: ignore[arg-type]


def certificate_end(store: Store) -> datetime:
    """When the certificate ends that is to be revoked: after that there is nothing left to revoke."""
    ((_, facts),) = store.certificates("main")
    return facts.not_after


def test_a_revocation_waits_until_the_ca_has_confirmed_it(store: Store, clock: SetClock) -> None:
    issue(store, clock)
    store.keep_revocation(intent(clock))

    assert again(store).state().revocations == (intent(clock, not_after=certificate_end(store)),)
    store.revocation_done("main", 1)
    assert again(store).state().revocations == ()


def test_a_revocation_that_was_refused_is_dropped(store: Store, clock: SetClock) -> None:
    store.keep_revocation(intent(clock))
    store.drop_revocation("main", 1)

    assert again(store).state().revocations == ()


def test_asked_for_again_while_it_waits_the_graver_reason_and_the_earlier_deadline_stand(
    store: Store, clock: SetClock
) -> None:
    issue(store, clock)
    compromised = intent(clock, reason=1, deadline=clock.now() + 24 * HOUR, circumstances=("key-compromised",))
    store.keep_revocation(compromised)
    clock.pass_by(HOUR)
    store.keep_revocation(intent(clock, reason=4))

    (waiting,) = again(store).state().revocations
    assert (waiting.reason, waiting.deadline, waiting.requested_at) == (
        1,
        compromised.deadline,
        compromised.requested_at,
    )
    assert waiting.circumstances == ("key-compromised", "replaced")


def test_asked_for_again_after_it_was_done_it_is_asked_for_anew(store: Store, clock: SetClock) -> None:
    issue(store, clock)
    store.keep_revocation(intent(clock, reason=1))
    store.revocation_done("main", 1)
    store.keep_revocation(intent(clock, reason=4))

    assert again(store).state().revocations == (intent(clock, reason=4, not_after=certificate_end(store)),)


def test_a_key_given_up_stays_blocked(store: Store) -> None:
    store.block_key("spki1")
    store.block_key("spki1")

    assert again(store).is_blocked("spki1")
    assert not again(store).is_blocked("spki2")


# -- history ----------------------------------------------------------------------------------------------------------


def test_what_happened_is_told_in_the_order_in_which_it_did(store: Store, clock: SetClock) -> None:
    for number in range(20):
        store.keep_event(f"first-{number}", "main", number=number, text="日本", nothing=None)
    clock.pass_by(timedelta(microseconds=1))
    store.keep_event("then", "other")
    clock.pass_by(HOUR)
    store.keep_event("last")

    found = again(store).events()

    assert [event.event for event in found] == [*(f"first-{number}" for number in range(20)), "then", "last"]
    assert found[3].data == {"number": 3, "text": "日本", "nothing": None}
    assert [event.event for event in store.events("other")] == ["then"]
    assert found[-1].at == clock.now()


# -- the journal ------------------------------------------------------------------------------------------------------


def test_a_job_is_written_down_step_by_step(store: Store) -> None:
    job = Job("main", "renew", NAMES, "ecdsa-p256")
    store.keep_job(job)
    assert again(store).job("main") == job
    further = replace(job, key_spki_sha256="spki", order_url=f"{CA}/order/1", version=2, step="order")
    store.keep_job(further)
    store.keep_job(replace(job, lineage="another"))

    assert again(store).job("main") == further
    assert [each.lineage for each in again(store).jobs()] == ["another", "main"]
    store.end_job("main")
    assert again(store).job("main") is None


def test_a_proof_stands_in_the_ledger_from_before_it_goes_up_until_it_is_down(store: Store, clock: SetClock) -> None:
    first = Proof("dns-01", "example.jp", "token-1", "content-1", wildcard=True)
    second = Proof("dns-01", "example.jp", "token-2", "content-2")
    ledger = store.ledger("main")
    ledger.add("dns", first)
    clock.pass_by(HOUR)
    ledger.add("dns", second)
    ledger.add("dns", second)

    assert again(store).ledger("main").left_over() == [("dns", first), ("dns", second)]
    ledger.remove("dns", first)
    ledger.remove("other", second)
    assert again(store).ledger("main").left_over() == [("dns", second)]


def test_the_proofs_of_one_lineage_are_no_business_of_another(store: Store) -> None:
    proof = Proof("http-01", "example.jp", "token", "content")
    store.ledger("main").add("web", proof)
    store.ledger("other").add("web", proof)

    assert again(store).lineages_with_proofs() == ["main", "other"]
    store.ledger("main").remove("web", proof)
    assert again(store).lineages_with_proofs() == ["other"]
    assert again(store).ledger("other").left_over() == [("web", proof)]


# -- together or not at all -------------------------------------------------------------------------------------------


class Interrupted(Exception):
    """Whatever it was."""


def test_what_is_written_together_is_there_together_or_not_at_all(store: Store, clock: SetClock) -> None:
    with pytest.raises(Interrupted), store.writing():
        issue(store, clock)
        store.keep_event("issue", "main")
        raise Interrupted

    assert again(store).state().lineages == {}
    assert again(store).events() == []


def test_an_inner_block_ends_with_the_outer_one(store: Store) -> None:
    with pytest.raises(Interrupted), store.writing():
        with store.writing():
            store.keep_event("inner")
        raise Interrupted
    assert again(store).events() == []

    with store.writing():
        with store.writing():
            store.keep_event("inner")
        store.keep_event("outer")
        assert again(store).events() == [], "nobody sees half of it"
    assert [event.event for event in again(store).events()] == ["inner", "outer"]


def test_an_inner_block_whose_error_is_caught_leaves_nothing_behind(store: Store) -> None:
    with store.writing():
        store.keep_event("before")
        with pytest.raises(Interrupted), store.writing():
            store.keep_event("inner")
            with store.writing():
                store.keep_event("innermost")
            raise Interrupted
        store.keep_event("after")

    assert [event.event for event in again(store).events()] == ["before", "after"]


def test_after_an_error_the_store_goes_on(store: Store) -> None:
    with pytest.raises(StateUnusable), store.writing():
        store.keep_event("lost")
        store.database.write("INSERT INTO no_such_table (a) VALUES (:a)", a=1)
    store.keep_event("kept")

    assert [event.event for event in again(store).events()] == ["kept"]


def test_an_error_in_an_inner_block_can_be_survived(store: Store) -> None:
    with store.writing():
        store.keep_event("before")
        with pytest.raises(StateUnusable):
            store.database.write("INSERT INTO no_such_table (a) VALUES (:a)", a=1)
        store.keep_event("after")

    assert [event.event for event in again(store).events()] == ["before", "after"]


def test_moments_are_kept_in_utc_whatever_zone_they_came_in(store: Store, clock: SetClock) -> None:
    tokyo = timezone(timedelta(hours=9))
    at = datetime(2026, 12, 1, 0, 30, tzinfo=tokyo)
    store.keep_usage(UsageRecord(DnsName("example.jp"), start_confirmed_at=at))

    row = store.database.row("SELECT start_confirmed_at FROM usage_fqdn")
    assert row is not None
    assert row["start_confirmed_at"] == "2026-11-30T15:30:00+00:00"
    assert again(store).state().usages[DnsName("example.jp")].start_confirmed_at == at


def test_a_host_that_is_renamed_keeps_what_it_knows(
    tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Store(tmp_path, CA, clock)
    before.keep_account("https://ca.test/1", "valid", ["a@example.jp"], "ab", None)
    before.close()
    monkeypatch.setattr("socket.gethostname", lambda: "renamed")

    after = Store(tmp_path, CA, clock)

    assert after.account() is not None
    after.close()


def test_what_another_ca_has_issued_starts_nothing_here(store: Store, clock: SetClock) -> None:
    """P1: a test CA in the same folder would otherwise count as having begun a period that is paid for."""
    issue(store, clock)
    store.must_be_of_this_directory()
    elsewhere = again(store, OTHER_CA)

    with pytest.raises(StateUnusable) as refused:
        elsewhere.must_be_of_this_directory()

    assert (refused.value.code, refused.value.params["others"]) == ("state-of-another-directory", CA)
    elsewhere.close()


def test_a_recorded_period_is_not_unset_by_a_run_that_looked_before(store: Store) -> None:
    name = DnsName("example.jp")
    seen = store.usage(name)
    begun = UsageRecord(name, date(2026, 11, 22), date(2027, 11, 30))
    store.keep_usage(begun)

    store.keep_usage(UsageRecord(name), instead_of=seen)
    store.confirm_start(name)

    known = store.usage(name)
    assert known is not None
    assert (known.started, known.ends) == (begun.started, begun.ends)
    assert known.start_confirmed_at is not None
