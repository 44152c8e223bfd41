"""What is due, what is coming and what stands in the way, case by case (FAULTS 130-143; TERMS P1, R3, R4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from jprs_client.config import Config, PlannerSection
from jprs_client.planning.actions import Action, Kind
from jprs_client.planning.facts import AriFacts, LineageFacts, UsageRecord
from jprs_client.planning.plan import plan
from jprs_client.terms.names import DnsName
from tests.planning.worlds import (
    ACCOUNT,
    DAY,
    NOW,
    by_hand,
    certificate,
    config,
    failed,
    in_use,
    knowing,
    names,
    of_usages,
    only,
    served,
    to_revoke,
    usage,
    what,
)

BOTH = ("example.jp", "www.example.jp")
STARTED = in_use("example.jp")
FRESH = LineageFacts("example.jp", certificate(*BOTH))
#: 23:30 on the last day of November in Japan.
NEARLY_DECEMBER = datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
DECEMBER = datetime(2026, 11, 30, 15, tzinfo=UTC)


def test_a_usage_fqdn_that_the_first_certificate_by_hand_leaves_out_is_told() -> None:
    """It is paid for; that its certificate is archived must not be all that one hears (TERMS P9)."""
    state = knowing(FRESH, usages=[STARTED, in_use("blog.jp")])
    by_themselves = config("example.jp", "blog.jp")
    one_by_hand = config("example.jp", "blog.jp", certificates=[of_usages("blog", "blog.jp")])

    def told(made: Config) -> list[object]:
        found = plan(made, state, NOW).problems
        return [problem.params["name"] for problem in found if problem.code == "on-no-certificate"]

    assert told(by_themselves) == []
    assert told(one_by_hand) == ["example.jp"]


# -- first issuances --------------------------------------------------------------------------------------------------


def test_a_first_certificate_is_due_at_once_and_says_what_it_starts() -> None:
    (action,) = plan(config("example.jp"), knowing(), NOW).due

    assert (action.kind, action.why.code, action.due_at) == (Kind.ISSUE, "never-issued", NOW)
    assert action.names == names(*BOTH)
    assert action.starts_usage == names("example.jp")


def test_a_first_certificate_here_for_what_was_begun_elsewhere_starts_nothing() -> None:
    (action,) = plan(config(usage("example.jp", started=date(2026, 11, 22))), knowing(), NOW).due

    assert action.starts_usage == frozenset()


def test_a_first_certificate_starts_only_what_is_its_own() -> None:
    """P1: a name that is itself a usage FQDN starts only that one."""
    by_certificate = {
        action.certificate: action.starts_usage
        for action in plan(config("example.jp", "*.example.jp"), knowing(), NOW).due
    }

    assert by_certificate == {"example.jp": names("example.jp"), "*.example.jp": names("*.example.jp")}


@pytest.mark.parametrize("minutes", [0, 1, 29, 30, 59])
def test_what_starts_a_period_waits_for_the_new_month(minutes: int) -> None:
    """An hour later costs the subscriber a month less."""
    at = DECEMBER - timedelta(minutes=minutes, seconds=1)
    found = plan(config("example.jp"), knowing(), at)

    assert found.due == ()
    (action,) = found.upcoming
    assert (action.due_at, action.why.code) == (DECEMBER, "after-month-end")
    assert found.next_at() == DECEMBER


def test_in_the_new_month_it_is_due() -> None:
    assert what(plan(config("example.jp"), knowing(), DECEMBER).due) == [("issue", "example.jp")]


def test_what_starts_nothing_waits_for_no_month() -> None:
    made = config(usage("example.jp", started=date(2026, 11, 22)))

    assert what(plan(made, knowing(), NEARLY_DECEMBER).due) == [("issue", "example.jp")]


def test_a_replacement_that_starts_a_period_waits_too_and_what_it_replaces_does_not() -> None:
    made = config("example.jp", "shop.jp", certificates=[of_usages("main", "example.jp", "shop.jp")])
    lineage = LineageFacts("main", certificate(*BOTH, revoked_at=NEARLY_DECEMBER - DAY, issued_at=NOW - 9 * DAY))
    found = plan(made, knowing(lineage, usages=[STARTED]), NEARLY_DECEMBER)

    assert [(action.names, action.starts_usage) for action in found.due] == [(names(*BOTH), frozenset())]
    (later,) = only(found.upcoming, Kind.REISSUE)
    assert (later.due_at, later.starts_usage) == (DECEMBER, names("shop.jp"))


def test_the_certificate_with_the_usage_fqdn_itself_comes_before_one_with_its_derived_name_alone() -> None:
    """P1: the first certificate always carries the usage FQDN itself."""
    made = config("example.jp", certificates=[by_hand("a", "www.example.jp"), by_hand("b", "example.jp")])

    assert what(plan(made, knowing(), NOW).due) == [("issue", "b"), ("issue", "a")]


def test_a_foreign_name_holds_up_a_first_certificate() -> None:
    made = config("example.jp", certificates=[by_hand("main", "example.jp", "other.jp")])
    found = plan(made, knowing(), NOW)

    assert found.coming == ()
    assert [(problem.code, problem.exit_code) for problem in found.problems] == [("not-issuable", 4)]


def test_a_foreign_name_does_not_hold_up_the_renewal_of_a_certificate_that_is_there() -> None:
    made = config("example.jp", certificates=[by_hand("main", "example.jp", "other.jp")])
    lineage = LineageFacts("main", certificate("example.jp", issued_at=NOW - 80 * DAY))
    found = plan(made, knowing(lineage, usages=[STARTED]), NOW)

    assert [(action.kind, action.names) for action in found.due] == [(Kind.RENEW, names("example.jp"))]
    assert [problem.code for problem in found.problems] == ["not-issuable"]


# -- while a start is not confirmed -----------------------------------------------------------------------------------


def grown(age: timedelta = DAY, *, revoked_at: datetime | None = None) -> tuple[Action, ...]:
    """`shop.jp` was added to a certificate in service, and nobody has confirmed that its period may start."""
    made = config("example.jp", "shop.jp", certificates=[of_usages("main", "example.jp", "shop.jp")])
    lineage = LineageFacts("main", certificate(*BOTH, issued_at=NOW - age, revoked_at=revoked_at))
    return plan(made, knowing(lineage, usages=[STARTED]), NOW).coming


def test_a_usage_fqdn_that_joins_a_certificate_is_started_by_its_reissue() -> None:
    (joined,) = [action for action in grown() if action.starts_usage]

    assert (joined.kind, joined.due_at) == (Kind.REISSUE, NOW)
    assert joined.names == names(*BOTH, "shop.jp", "www.shop.jp")


@pytest.mark.parametrize(("days", "kind", "is_due"), [(1, Kind.RENEW, False), (61, Kind.RENEW, True)])
def test_meanwhile_the_other_names_are_renewed_when_their_time_comes(days: int, kind: Kind, is_due: bool) -> None:
    (rest,) = [action for action in grown(days * DAY) if not action.starts_usage and action.kind is not Kind.OBSERVE]

    assert (rest.kind, rest.names) == (kind, names(*BOTH))
    assert (rest.due_at <= NOW) == is_due


def test_meanwhile_a_revoked_certificate_is_replaced_for_the_other_names() -> None:
    (rest,) = [action for action in grown(revoked_at=NOW) if not action.starts_usage]

    assert (rest.kind, rest.names, rest.due_at) == (Kind.REISSUE, names(*BOTH), NOW)


# -- replacements -----------------------------------------------------------------------------------------------------


def test_a_certificate_in_order_has_only_its_renewal_coming() -> None:
    found = plan(config("example.jp"), knowing(FRESH, usages=[STARTED], offers_ari=False), NOW)

    assert found.due == ()
    (action,) = found.upcoming
    assert (action.kind, action.certificate, action.version) == (Kind.RENEW, "example.jp", 1)
    assert NOW + 58 * DAY < action.due_at <= NOW + 59 * DAY


def test_a_plan_without_jitter_is_the_rule_to_the_second() -> None:
    found = plan(config("example.jp"), knowing(FRESH, usages=[STARTED], offers_ari=False), NOW, jitter=False)

    assert found.coming[0].due_at == NOW + 59 * DAY


def test_what_was_revoked_without_a_replacement_is_left_until_a_person_asks() -> None:
    retired = replace(FRESH, retired_at=NOW - DAY, current=certificate(*BOTH, revoked_at=NOW - DAY))
    found = plan(config("example.jp", install=("nginx",)), knowing(retired, usages=[STARTED]), NOW)

    assert found.coming == ()
    assert [(problem.code, problem.certificate) for problem in found.problems] == [
        ("not-replaced", "example.jp"),
        ("still-paid-for", "example.jp"),  # P9: only a notice ends a period
    ]


def test_a_name_found_missing_is_left_out_of_the_next_certificate_now() -> None:
    state = knowing(FRESH, usages=[STARTED], missing=names("www.example.jp"))
    (action,) = plan(config("example.jp"), state, NOW).due

    assert (action.kind, action.why.params["removed"]) == (Kind.REISSUE, "www.example.jp")


def test_a_month_end_without_a_notice_changes_no_plan() -> None:
    """FAULTS 133: the calendar rolls by itself."""
    made = config(usage("example.jp", started=date(2026, 1, 15), ends=date(2026, 11, 30)))
    state = knowing(FRESH, offers_ari=False)

    before, after = plan(made, state, NEARLY_DECEMBER), plan(made, state, DECEMBER)

    assert before.coming == after.coming
    assert [usage.ends for usage in before.usages] == [date(2026, 11, 30)]
    assert [usage.ends for usage in after.usages] == [date(2027, 11, 30)]


def test_after_its_end_day_a_usage_fqdn_leaves_the_certificate_it_shared() -> None:
    made = config(
        usage("old.jp", started=date(2026, 10, 1), ends=date(2026, 11, 30), terminating=True),
        usage("example.jp", started=date(2026, 10, 1)),
        certificates=[of_usages("main", "old.jp", "example.jp")],
    )
    state = knowing(LineageFacts("main", certificate(*BOTH, "old.jp", "www.old.jp")), known_at=NOW)

    assert plan(made, state, NEARLY_DECEMBER).due == ()
    (action,) = plan(made, state, DECEMBER).due
    assert (action.kind, action.names) == (Kind.REISSUE, names(*BOTH))
    assert [problem.code for problem in plan(made, state, DECEMBER).problems] == ["usage-ended"]


# -- installing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (None, "not-installed"),
        (served("nginx", "example.jp", 1), "older-served"),
        (served("nginx", "example.jp", 2, seen=False), "older-served"),
        (served("nginx", "example.jp", 2), None),
    ],
)
def test_a_target_gets_the_current_version_until_it_is_seen_served(there: object, why: str | None) -> None:
    lineage = LineageFacts("example.jp", certificate(*BOTH, version=2))
    state = knowing(lineage, usages=[STARTED])
    if there is not None:
        state = replace(state, installations={("nginx", "example.jp"): there})  # type: ignore[dict-item]

    found = plan(config("example.jp", install=("nginx",)), state, NOW).due

    assert [action.why.code for action in found] == ([why] if why else [])
    for action in found:
        assert (action.kind, action.target, action.version, action.due_at) == (Kind.INSTALL, "nginx", 2, NOW)


def test_each_target_is_served_for_itself() -> None:
    state = knowing(FRESH, usages=[STARTED], installations=[served("nginx", "example.jp")])
    found = plan(config("example.jp", install=("nginx", "haproxy")), state, NOW).due

    assert [action.target for action in found] == ["haproxy"]


def test_nothing_is_installed_that_is_revoked_or_about_to_be() -> None:
    made = config("example.jp", install=("nginx",))
    revoked = LineageFacts("example.jp", certificate(*BOTH, revoked_at=NOW))
    doomed = knowing(FRESH, usages=[STARTED], revocations=[to_revoke("example.jp", 1, *BOTH, reason=1)])

    assert only(plan(made, knowing(revoked, usages=[STARTED]), NOW).coming, Kind.INSTALL) == []
    assert only(plan(made, doomed, NOW).coming, Kind.INSTALL) == []


# -- revoking ---------------------------------------------------------------------------------------------------------


def revoking(
    *lineages: LineageFacts, seen: bool = False, version: int = 1, replaced: bool = True
) -> tuple[Action, ...]:
    state = knowing(
        *lineages,
        usages=[STARTED],
        installations=[served("nginx", "example.jp", 2, seen=seen), served("haproxy", "example.jp", 2)],
        revocations=[to_revoke("example.jp", version, *BOTH, replaced=replaced, deadline=NOW + 5 * DAY)],
    )
    return plan(config("example.jp", install=("nginx", "haproxy")), state, NOW).coming


def test_a_certificate_to_be_revoked_is_replaced_first() -> None:
    coming = revoking(FRESH)

    (replacement,) = only(coming, Kind.REISSUE)
    assert (replacement.due_at, replacement.why.code) == (NOW, "revocation-asked")
    (revocation,) = only(coming, Kind.REVOKE)
    assert revocation.due_at == NOW + 5 * DAY, "never later than the deadline, replaced or not"


def test_a_compromised_key_says_so() -> None:
    state = knowing(FRESH, usages=[STARTED], revocations=[to_revoke("example.jp", 1, *BOTH, reason=1)])

    assert [action.why.code for action in plan(config("example.jp"), state, NOW).due] == ["compromised"]


def test_it_is_revoked_once_its_replacement_is_served_everywhere() -> None:
    new = LineageFacts("example.jp", certificate(*BOTH, "shop.jp", version=2))

    assert only(revoking(new, seen=False), Kind.REVOKE)[0].due_at > NOW
    (revocation,) = only(revoking(new, seen=True), Kind.REVOKE)
    assert revocation.due_at <= NOW
    assert (revocation.target, revocation.version, revocation.names) == ("5e1", 1, names(*BOTH))


def test_a_neighbour_that_was_given_up_holds_no_revocation_up() -> None:
    """It carries one of the names, but is not replaced, so that there is nothing to wait for."""
    made = config("example.jp", certificates=[of_usages("example.jp", "example.jp"), by_hand("old", "www.example.jp")])
    new = LineageFacts("example.jp", certificate(*BOTH, version=2))
    closed = LineageFacts("old", certificate("www.example.jp", revoked_at=NOW), retired_at=NOW)
    state = knowing(new, closed, usages=[STARTED], revocations=[to_revoke("example.jp", 1, *BOTH)])

    (revocation,) = only(plan(made, state, NOW).coming, Kind.REVOKE)
    assert revocation.due_at <= NOW
    waiting = replace(state, lineages={**state.lineages, "old": replace(closed, retired_at=None)})
    (revocation,) = only(plan(made, waiting, NOW).coming, Kind.REVOKE)
    assert revocation.due_at > NOW


def test_what_is_not_to_be_replaced_is_revoked_at_once() -> None:
    retired = replace(FRESH, retired_at=NOW - DAY)
    coming = revoking(retired, replaced=False)

    assert what(coming) == [("revoke", "example.jp")]
    assert coming[0].due_at <= NOW


def test_at_its_deadline_it_is_revoked_replaced_or_not() -> None:
    state = knowing(FRESH, usages=[STARTED], revocations=[to_revoke("example.jp", 1, *BOTH, deadline=NOW)])

    assert ("revoke", "example.jp") in what(plan(config("example.jp"), state, NOW).due)


def test_a_lineage_that_is_gone_is_revoked_all_the_same() -> None:
    state = knowing(revocations=[to_revoke("gone", 3, "gone.jp", replaced=False)])

    assert what(plan(config(), state, NOW).due) == [("revoke", "gone")]


# -- removing and looking ---------------------------------------------------------------------------------------------


def test_a_lineage_that_nothing_asks_for_is_archived_once() -> None:
    old = LineageFacts("old.jp", certificate("old.jp"))

    (action,) = plan(config(), knowing(old), NOW).due
    assert (action.kind, action.why.code) == (Kind.REMOVE, "not-in-configuration")
    assert plan(config(), knowing(replace(old, archived_at=NOW)), NOW).coming == ()


def test_a_lineage_whose_usage_fqdn_has_ended_is_archived() -> None:
    made = config(usage("example.jp", started=date(2026, 9, 1), ends=date(2026, 10, 31), terminating=True))

    (action,) = plan(made, knowing(FRESH), NOW).due
    assert (action.kind, action.why.code) == (Kind.REMOVE, "usage-ended")


def test_an_observation_makes_nothing_due_however_late() -> None:
    asked = replace(FRESH, ari=AriFacts(look_at=NOW - 9 * DAY))
    found = plan(config("example.jp"), knowing(asked, usages=[STARTED]), NOW)

    assert found.due == ()
    assert what(found.upcoming) == [("observe", "example.jp"), ("renew", "example.jp")]
    assert found.next_at() == NOW  # what is late is due now, not in the past


def test_the_ca_is_first_asked_six_hours_after_the_issuance() -> None:
    assert FRESH.current is not None
    begin = FRESH.current.not_before
    (look, _) = plan(config("example.jp"), knowing(FRESH, usages=[STARTED]), begin).coming

    assert look.due_at == begin + timedelta(hours=6)


@pytest.mark.parametrize(
    "lineage",
    [
        LineageFacts("example.jp", certificate(*BOTH, revoked_at=NOW)),
        LineageFacts("example.jp", certificate(*BOTH, issued_at=NOW - 100 * DAY)),
        LineageFacts("example.jp"),
        replace(FRESH, retired_at=NOW),
    ],
)
def test_the_ca_is_not_asked_about_what_is_over(lineage: LineageFacts) -> None:
    """RFC 9773 §4.3: no more once it is replaced or has expired."""
    assert only(plan(config("example.jp"), knowing(lineage, usages=[STARTED]), NOW).coming, Kind.OBSERVE) == []


def test_a_ca_without_renewal_information_is_not_asked() -> None:
    state = knowing(FRESH, usages=[STARTED], offers_ari=False)

    assert only(plan(config("example.jp"), state, NOW).coming, Kind.OBSERVE) == []


# -- after failures, and in which order -------------------------------------------------------------------------------


def test_what_failed_stays_due_and_is_tried_later() -> None:
    (action,) = plan(config("example.jp"), knowing(failures=[failed("example.jp", *BOTH)]), NOW).due

    assert (action.due_at, action.attempt_at, action.imposed) == (NOW, NOW + DAY, False)


def test_other_names_start_afresh() -> None:
    (action,) = plan(config("example.jp"), knowing(failures=[failed("example.jp", "old.jp")]), NOW).due

    assert action.attempt_at == NOW


@pytest.mark.parametrize(("again_in", "imposed"), [(DAY, True), (-DAY, False)])
def test_the_cas_own_word_is_marked_as_long_as_it_holds(again_in: timedelta, imposed: bool) -> None:
    failure = failed("example.jp", *BOTH, imposed=True, again_in=again_in)
    (action,) = plan(config("example.jp"), knowing(failures=[failure]), NOW).due

    assert action.imposed is imposed


def test_targets_fail_each_for_itself() -> None:
    failure = failed("example.jp", *BOTH, action="install", target="nginx")
    state = knowing(FRESH, usages=[STARTED], failures=[failure])
    found = plan(config("example.jp", install=("nginx", "haproxy")), state, NOW).due

    assert [(action.target, action.attempt_at > NOW) for action in found] == [("nginx", True), ("haproxy", False)]


def test_the_next_waking_is_the_next_attempt() -> None:
    state = knowing(failures=[failed("example.jp", *BOTH)])

    assert plan(config("example.jp"), state, NOW).next_at() == NOW + DAY
    assert plan(config(), knowing(), NOW).next_at() is None


def test_what_is_due_together_is_done_in_the_order_of_the_rules_and_of_names() -> None:
    made = config("a.jp", "b.jp", "c.jp", "d.jp", install=("nginx",))
    state = knowing(
        LineageFacts("d.jp", certificate("d.jp", "www.d.jp")),
        LineageFacts("c.jp", certificate("c.jp")),
        LineageFacts("gone", certificate("gone.jp")),
        usages=[in_use("c.jp"), in_use("d.jp")],
        installations=[served("nginx", "c.jp")],
    )

    assert what(plan(made, state, NOW).due) == [
        ("issue", "a.jp"),
        ("issue", "b.jp"),
        ("reissue", "c.jp"),
        ("install", "d.jp"),
        ("remove", "gone"),
    ]


# -- what stands in the way -------------------------------------------------------------------------------------------


def codes(*args: object, **more: object) -> list[str]:
    return [problem.code for problem in plan(*args, **more).problems]  # type: ignore[arg-type]


def test_an_account_is_needed_and_its_absence_is_told_and_nothing_else_is_hidden() -> None:
    found = plan(config("example.jp"), knowing(account=None), NOW)

    assert [(problem.code, problem.exit_code) for problem in found.problems] == [("not-registered", 0)]
    assert what(found.due) == [("issue", "example.jp")]


def test_an_account_that_is_no_longer_valid_is_told() -> None:
    state = knowing(account=replace(ACCOUNT, status="deactivated"))

    assert codes(config("example.jp"), state, NOW) == ["account-not-valid"]


def test_a_suspended_operator_is_told_for_what_cannot_start_only() -> None:
    """FAULTS 137."""
    made = config(usage("a.jp", started=date(2026, 11, 22)), "b.jp", suspended=True)
    found = plan(made, knowing(), NOW)

    assert [(problem.code, problem.params["name"]) for problem in found.problems] == [("operator-suspended", "b.jp")]
    assert what(found.due) == [("issue", "a.jp")]


def test_a_notice_before_the_start_is_not_taken_for_a_suspension() -> None:
    found = plan(config(usage("example.jp", terminating=True)), knowing(), NOW)

    assert [problem.code for problem in found.problems] == ["notice-before-start"]
    assert found.coming == ()


def test_a_usage_fqdn_that_is_gone_but_paid_for_is_told_with_the_last_day_for_its_notice() -> None:
    """P9."""
    forgotten = UsageRecord(DnsName("old.jp"), date(2026, 1, 5), date(2027, 1, 31))
    (problem,) = plan(config("example.jp"), knowing(usages=[forgotten]), NOW).problems

    assert (problem.code, problem.params) == ("usage-not-in-configuration", {"name": "old.jp", "ends": "2027-01-31"})
    assert codes(config("example.jp"), knowing(usages=[replace(forgotten, terminating=True)]), NOW) == []


def test_a_configuration_without_usage_fqdns_is_told_so() -> None:
    assert codes(config(), knowing(), NOW) == ["no-usage-fqdn"]


def test_a_certificate_that_will_fall_with_an_ending_usage_fqdn_is_told_ahead() -> None:
    """第12条4項: the CA may revoke a multi-domain certificate once one of its periods is over (FAULTS 135)."""
    ending = usage("old.jp", started=date(2026, 9, 1), ends=date(2026, 12, 31), terminating=True)
    made = replace(config("example.jp", ending), certificates=(of_usages("main", "example.jp", "old.jp"),))
    (problem,) = plan(made, knowing(usages=[STARTED]), NOW).problems

    assert (problem.code, problem.certificate, problem.params["ends"]) == ("shares-with-ending", "main", "2026-12-31")
    assert problem.params["names"] == "example.jp, www.example.jp"


def test_what_ends_is_not_renewed_after_its_end_but_archived() -> None:
    ending = usage("example.jp", started=date(2026, 9, 1), ends=date(2026, 12, 31), terminating=True)
    found = plan(config(ending), knowing(FRESH), NOW)

    assert [(action.kind, action.due_at) for action in found.coming if action.kind is not Kind.OBSERVE] == [
        (Kind.REMOVE, datetime(2026, 12, 31, 15, tzinfo=UTC))
    ]


def test_a_grouping_that_is_not_there_yet_is_said_not_ignored() -> None:
    grouped = replace(config("example.jp"), planner=PlannerSection(grouping="multi-domain"))

    assert [problem.code for problem in plan(grouped, knowing(), NOW).problems] == ["grouping-not-there-yet"]
    assert plan(grouped, knowing(), NOW).coming == plan(config("example.jp"), knowing(), NOW).coming
