"""How grave things are: what a person hears of at once, what is given time, and that time alone mends nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import jprs_client.planning.health
from jprs_client.config import Config
from jprs_client.locale import LANGUAGES, Speech
from jprs_client.notices import said
from jprs_client.planning.facts import Failure, Installation, LineageFacts, RevocationIntent, State
from jprs_client.planning.health import Finding, Level, health, watched
from jprs_client.planning.plan import plan
from jprs_client.planning.rules import Picture
from tests.planning.worlds import (
    ACCOUNT,
    DAY,
    LIFETIME,
    NOW,
    by_hand,
    certificate,
    config,
    failed,
    in_use,
    knowing,
    names,
    served,
    to_revoke,
    usage,
    worlds,
)

BOTH = ("example.jp", "www.example.jp")
HOUR = timedelta(hours=1)
IN_USE = [in_use("example.jp")]

OK, WARNING, CRITICAL = Level.OK, Level.WARNING, Level.CRITICAL


def found(made: Config, state: State, now: datetime = NOW, **more: timedelta) -> list[tuple[Level, str, str]]:
    return [(each.level, each.code, each.certificate) for each in health(plan(made, state, now), state, now, **more)]


def of(state: State, now: datetime = NOW, **more: timedelta) -> list[tuple[Level, str]]:
    return [(level, code) for level, code, _ in found(config("example.jp"), state, now, **more)]


def lineage(
    *carried: str, left: float = 0.9, lifetime: timedelta = LIFETIME, revoked: bool = False, retired: bool = False
) -> LineageFacts:
    """Of whose lifetime the share `left` is left."""
    issued_at = NOW - lifetime * (1 - left)
    facts = certificate(
        *(carried or BOTH), issued_at=issued_at, lifetime=lifetime, revoked_at=NOW - HOUR if revoked else None
    )
    return LineageFacts("example.jp", facts, retired_at=NOW if retired else None)


def failure(
    exit_code: int = 5, *, count: int = 1, ago: timedelta = HOUR, action: str = "issue", target: str = ""
) -> Failure:
    made = failed("example.jp", *BOTH, action=action, target=target, again_in=HOUR)
    params = {"name": "example.jp", "detail": "no"}
    return replace(
        made, params=params, exit_code=exit_code, count=count, since=NOW - ago, failed_at=NOW - min(ago, HOUR)
    )


def known(*lineages: LineageFacts, failures: Iterable[Failure] = (), **more: object) -> State:
    return knowing(*lineages, usages=IN_USE, failures=failures, **more)  # type: ignore[arg-type]


# -- one certificate --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifetime", [timedelta(days=6), timedelta(days=47), timedelta(days=90)])
@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (0.9, []),
        (0.3, []),
        (0.21, []),
        (0.19, [(WARNING, "overdue")]),
        (0.09, [(CRITICAL, "nearly-expired")]),
        (0.0, [(CRITICAL, "expired")]),
        (-3.0, [(CRITICAL, "expired")]),
    ],
)
def test_the_share_that_is_left_decides_whatever_lifetimes_are(
    lifetime: timedelta, left: float, expected: list[tuple[Level, str]]
) -> None:
    assert of(known(lineage(left=left, lifetime=lifetime))) == expected


@pytest.mark.parametrize(
    ("left", "of_failure", "level"),
    [
        (0.32, failure(5), OK),
        (0.32, failure(5, count=40, ago=23 * HOUR), OK),
        (0.32, failure(5, ago=DAY), WARNING),
        (0.24, failure(5), WARNING),
        (0.32, failure(4), WARNING),
        (0.32, failure(3), WARNING),
        (0.32, failure(1), OK),
        (0.32, failure(1, count=2), WARNING),
    ],
)
def test_what_waits_for_a_person_is_told_at_once_and_what_mends_itself_is_given_a_day(
    left: float, of_failure: Failure, level: Level
) -> None:
    """ご利用条件 第18条; FAULTS 69, 140: maintenance is no alarm while there is time."""
    assert of(known(lineage(left=left), failures=[of_failure])) == [(level, "failing")]


def test_for_a_certificate_of_six_days_a_day_is_long() -> None:
    state = known(lineage(left=0.45, lifetime=timedelta(days=6)), failures=[failure(5, ago=15 * HOUR)])

    assert of(state) == [(WARNING, "failing")]


def test_a_failure_is_told_with_what_failed_since_when_and_what_comes_next() -> None:
    state = known(lineage(left=0.32), failures=[failure(4, count=3, ago=2 * DAY)])
    (finding,) = health(plan(config("example.jp"), state, NOW), state, NOW)

    message, next_step = said(finding, Speech("en"))

    assert finding.failure is not None
    assert finding.params["since"] == NOW - 2 * DAY
    assert "since 2026-11-29 12:00 JST (failures: 3, next attempt: 2026-12-01 13:00 JST)" in message
    assert message.endswith(Speech("en").say("error.caa-forbids", **finding.failure.params))
    assert next_step == Speech("en").say("next.caa-forbids", **finding.failure.params)


def test_a_failure_nobody_dated_began_when_it_was_last_seen() -> None:
    state = known(lineage(left=0.32), failures=[replace(failure(5), since=None, failed_at=NOW - 2 * DAY)])

    assert of(state) == [(WARNING, "failing")]


def test_what_failed_for_other_names_is_past() -> None:
    other = replace(failure(4), names=names("dead.jp"))

    assert of(known(lineage(left=0.32), failures=[other])) == []


@pytest.mark.parametrize(
    ("of_failure", "expected"),
    [
        (failure(4), (CRITICAL, "never-issued-failing")),
        (failure(5, ago=2 * DAY), (CRITICAL, "never-issued-failing")),
        (failure(5), (OK, "never-issued-failing")),
        (None, (WARNING, "never-issued")),
    ],
)
def test_a_site_without_any_certificate_is_critical_once_trying_does_not_help(
    of_failure: Failure | None, expected: tuple[Level, str]
) -> None:
    assert of(known(failures=[of_failure] if of_failure else [])) == [expected]


def test_a_first_issuance_that_waits_for_a_person_is_a_warning() -> None:
    made = config("example.jp")

    assert found(made, knowing()) == [(WARNING, "start-waits", "example.jp")]
    confirmed = replace(in_use("example.jp"), started=None, ends=None, start_confirmed_at=NOW)
    assert found(made, knowing(usages=[confirmed])) == [(WARNING, "never-issued", "example.jp")]


def test_a_revoked_certificate_whose_site_goes_on_is_critical_and_one_given_up_is_nothing() -> None:
    assert of(known(lineage(revoked=True))) == [(CRITICAL, "revoked")]
    assert of(known(lineage(revoked=True, retired=True))) == []
    assert of(known(lineage(left=-1, retired=True))) == []


def test_what_is_no_longer_wanted_is_not_watched() -> None:
    state = known(lineage(left=-1))

    assert found(config(), state) == []
    assert watched(plan(config(), state, NOW), state, NOW) == {}


def test_a_certificate_that_ends_with_its_usage_fqdn_may_end() -> None:
    """Nothing is left to renew: the period is over before the renewal would be due (ご利用条件 第10条4項)."""
    made = config(usage("example.jp", terminating=True))
    ending = in_use("example.jp", ends=NOW.date() + timedelta(days=3), terminating=True)
    ends_soon = lineage(left=0.95)

    assert found(made, knowing(ends_soon, usages=[ending])) == []
    assert found(made, knowing(ends_soon, usages=[ending]), NOW + 4 * DAY) == []


def test_a_person_may_set_limits_of_remaining_time_besides() -> None:
    state = known(lineage(left=0.5))

    assert of(state, warning=44 * DAY) == []
    assert of(state, warning=46 * DAY) == [(WARNING, "nearly-expired")]
    assert of(state, warning=46 * DAY, critical=46 * DAY) == [(CRITICAL, "nearly-expired")]
    assert of(known(lineage(left=0.05)), warning=DAY) == [(CRITICAL, "nearly-expired")]
    assert of(known(lineage(left=0.32), failures=[failure(5)]), warning=46 * DAY) == [(WARNING, "nearly-expired")]


# -- installing and revoking ------------------------------------------------------------------------------------------


def installed(version: int, *, seen: bool = True) -> Installation:
    return served("nginx", "example.jp", version, seen=seen)


@pytest.mark.parametrize(
    ("left", "there", "failures", "expected"),
    [
        (0.99, installed(1), [], []),
        (0.99, None, [], [(WARNING, "not-installed")]),
        (0.5, None, [], [(WARNING, "not-installed")]),
        (0.99, installed(0), [], [(WARNING, "not-installed")]),
        (0.99, installed(1, seen=False), [], [(WARNING, "not-installed")]),
        (0.99, installed(0), [failure(7, action="install", target="nginx")], [(WARNING, "install-failing")]),
        (0.83, installed(0), [failure(7, action="install", target="nginx")], [(CRITICAL, "install-failing")]),
    ],
)
def test_an_older_certificate_that_is_still_served_is_critical_once_it_must_be_near_its_end(
    left: float, there: Installation | None, failures: list[Failure], expected: list[tuple[Level, str]]
) -> None:
    state = known(lineage(left=left), failures=failures, installations=[there] if there else [])

    assert [each[:2] for each in found(config("example.jp", install=("nginx",)), state)] == expected


def intent(*, reason: int, hours: float) -> RevocationIntent:
    """Asked for so long ago; a day's time for a compromised key, five days else."""
    asked = NOW - timedelta(hours=hours)
    made = to_revoke("example.jp", 1, *BOTH, reason=reason, replaced=False)
    return replace(made, requested_at=asked, deadline=asked + (DAY if reason == 1 else 5 * DAY))


@pytest.mark.parametrize(
    ("waiting", "failures", "expected"),
    [
        (intent(reason=1, hours=1), [], [(WARNING, "revocation-waiting")]),
        (intent(reason=1, hours=1), [failure(4, action="revoke", target="5e1")], [(WARNING, "revocation-failing")]),
        (intent(reason=1, hours=1), [failure(5, action="revoke", target="5e1")], [(WARNING, "revocation-failing")]),
        (intent(reason=1, hours=18.5), [], [(CRITICAL, "revocation-near-deadline")]),
        (intent(reason=1, hours=24), [], [(CRITICAL, "revocation-overdue")]),
        (intent(reason=4, hours=24), [], []),
        (intent(reason=4, hours=121), [], [(WARNING, "revocation-overdue")]),
    ],
)
def test_a_compromised_key_that_is_not_revoked_in_time_is_critical(
    waiting: RevocationIntent, failures: list[Failure], expected: list[tuple[Level, str]]
) -> None:
    """TERMS R3: 24 hours."""
    state = known(lineage(retired=True), failures=failures, revocations=[waiting])

    assert of(state) == expected


# -- the account, and what stands in the way --------------------------------------------------------------------------


def test_an_account_that_is_no_longer_valid_is_critical_and_one_that_is_not_there_a_warning() -> None:
    deactivated = replace(ACCOUNT, status="deactivated")

    assert of(known(lineage(), account=deactivated)) == [(CRITICAL, "account-not-valid")]
    assert of(known(account=None)) == [(WARNING, "not-registered")]


def test_what_stands_in_the_way_of_an_order_is_a_warning_and_what_only_costs_is_not() -> None:
    made = config("example.jp", certificates=[by_hand("main", "example.jp", "foreign.example")])
    dropped = in_use("dropped.jp")

    assert found(made, knowing(usages=[*IN_USE, dropped])) == [(WARNING, "not-issuable", "main")]


def test_sharing_a_certificate_with_what_ends_is_a_warning() -> None:
    """第12条4項."""
    made = config(
        usage("example.jp"), usage("shop.jp", terminating=True),
        certificates=[by_hand("main", "example.jp", "shop.jp")],
    )  # fmt: skip
    carried = certificate("example.jp", "shop.jp")
    state = knowing(LineageFacts("main", carried), usages=[*IN_USE, in_use("shop.jp", terminating=True)])

    assert found(made, state) == [(WARNING, "shares-with-ending", "main")]


def test_the_gravest_comes_first() -> None:
    made = config("a.jp", "b.jp", "c.jp")
    state = knowing(
        LineageFacts("a.jp", certificate("a.jp", "www.a.jp", issued_at=NOW - 75 * DAY)),
        LineageFacts("b.jp", certificate("b.jp", "www.b.jp", issued_at=NOW - 99 * DAY)),
        LineageFacts("c.jp", certificate("c.jp", "www.c.jp", issued_at=NOW - 89 * DAY)),
        usages=[in_use(name) for name in ("a.jp", "b.jp", "c.jp")],
    )

    assert [each[:2] for each in found(made, state)] == [
        (CRITICAL, "expired"), (CRITICAL, "nearly-expired"), (WARNING, "overdue"),
    ]  # fmt: skip


# -- whatever there is ------------------------------------------------------------------------------------------------

World = tuple[Config, State, datetime]

every_world = settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[phase for phase in Phase if phase is not Phase.explain],
)


@st.composite
def failing_worlds(draw: st.DrawFn) -> World:
    """Where what failed has its exit code, and failed for what is still wanted."""
    made, state, now = draw(worlds())
    wanted = Picture(made, state, now).wanted.by_name
    failures = {
        key: replace(
            each,
            names=wanted[each.lineage].names if each.lineage in wanted else each.names,
            params={"host": "ca.example", "detail": "no route"},
            exit_code=draw(st.sampled_from([1, 3, 4, 5, 7])),
            count=draw(st.integers(1, 3)),
            since=now - draw(st.timedeltas(timedelta(0), 3 * DAY)),
        )
        for key, each in state.failures.items()
    }
    return made, replace(state, failures=failures), now


def worst(findings: Iterable[Finding], certificate_name: str) -> Level:
    return max((each.level for each in findings if each.certificate == certificate_name), default=Level.OK)


@every_world
@given(failing_worlds(), st.timedeltas(timedelta(0), timedelta(days=60)))
def test_time_alone_makes_nothing_better(world: World, later: timedelta) -> None:
    """Without a new certificate no level falls, as long as the same certificates are wanted."""
    made, state, now = world
    first, then = Picture(made, state, now), Picture(made, state, now + later)
    assume(first.wanted.by_name == then.wanted.by_name)
    before = health(plan(made, state, now), state, now)
    after = health(plan(made, state, now + later), state, now + later)
    still = watched(plan(made, state, now + later), state, now + later)

    for name in still:
        problems = {each.code for each in before if each.certificate == name and each.topic.startswith("problem-")}
        if "shares-with-ending" not in problems:  # that is over when the period is
            assert worst(after, name) >= worst(before, name)


@every_world
@given(failing_worlds())
def test_an_expired_certificate_is_always_critical(world: World) -> None:
    made, state, now = world
    planned = plan(made, state, now)
    findings = health(planned, state, now)

    for name, current in watched(planned, state, now).items():
        if current is not None and current.not_after <= now:
            assert worst(findings, name) is Level.CRITICAL


@every_world
@given(failing_worlds(), st.none() | st.timedeltas(timedelta(0), timedelta(days=100)))
def test_every_finding_is_said_in_both_languages_and_is_one_of_its_kind(
    world: World, warning: timedelta | None
) -> None:
    """A sentence that is missing, or cannot be filled, is a warning, which is an error here."""
    made, state, now = world
    findings = health(plan(made, state, now), state, now, warning=warning)

    for language in LANGUAGES:
        for each in findings:
            message, next_step = said(each, Speech(language))
            assert message
            assert next_step
            assert "{" not in message
    assert [each.level for each in findings] == sorted((each.level for each in findings), reverse=True)
    assert len({(each.topic, each.certificate, each.about) for each in findings}) == len(findings)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_its_sentence_and_its_advice(language: str) -> None:
    source = Path(str(jprs_client.planning.health.__file__)).read_text(encoding="utf-8")
    literals = {
        node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
    }  # fmt: skip
    speech = Speech("en").in_language(language)
    codes = {literal for literal in literals if speech.has(f"finding.{literal}")}

    assert len(codes) == 14
    assert all(speech.has(f"advice.{code}") for code in codes)
