"""What holds for every plan, whatever the configuration, the state and the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from jprs_client.config import Config
from jprs_client.errors import NotIssuable
from jprs_client.locale import LANGUAGES, Speech
from jprs_client.planning.actions import Kind
from jprs_client.planning.facts import State
from jprs_client.planning.plan import plan
from jprs_client.planning.rules import Picture, kind_of_failure
from jprs_client.planning.standing import STATUSES, standings
from jprs_client.planning.wanted import to_order
from jprs_client.terms.names import DnsName, issuable
from jprs_client.terms.usage import UsageStatus, jst_day
from tests.planning.worlds import EVERY_NAME, names, planned, remembered, settled, worlds

World = tuple[Config, State, datetime]
ORDERS = {Kind.ISSUE, Kind.RENEW, Kind.REISSUE}

every_world = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[phase for phase in Phase if phase is not Phase.explain],  # a world is large, and says enough by itself
)


@every_world
@given(worlds(), st.lists(st.sampled_from(EVERY_NAME), unique=True, min_size=1))
def test_no_order_ever_has_a_name_that_no_usable_usage_fqdn_authorises(world: World, others: list[str]) -> None:
    """TERMS N7: not in the plan, and not at the last gate either, whatever is asked of it."""
    made, state, now = world
    found = planned(world)
    usable = [each for each in found.usages if each.is_usable(jst_day(now))]
    authorised = {name for each in usable for name in issuable(each.name)}
    declared = {table.name for table in made.usage_fqdns}

    for action in found.coming:
        if action.kind in ORDERS:
            assert action.names
            assert action.names <= authorised
            assert action.starts_usage <= declared
    authority = Picture(made, state, now).authority
    asked = names(*others)
    if asked <= authorised:
        assert {each.name for each in to_order(asked, authority)} == asked
    else:
        with pytest.raises(NotIssuable):
            to_order(asked, authority)


@every_world
@given(worlds())
def test_only_what_has_not_started_is_started_and_nothing_under_suspension(world: World) -> None:
    """ご利用条件 第10条2項・6項."""
    made, _, now = world
    found = planned(world)
    not_started = {each.name for each in found.usages if each.status(jst_day(now)) is UsageStatus.APPLIED}

    for action in found.coming:
        assert action.starts_usage <= not_started
        assert not (action.starts_usage and made.operator.suspended)


@every_world
@given(worlds())
def test_planning_after_doing_finds_nothing_due(world: World) -> None:
    made, state, now = world

    after, done = settled(made, state, now)

    assert plan(made, after, now).due == ()
    assert len([action for action in done if action.kind is Kind.REVOKE]) <= len(state.revocations)
    for name, wanted in Picture(made, after, now).wanted.by_name.items():
        lineage = after.lineages.get(name)
        if lineage is None or lineage.current is None or lineage.retired_at is not None or not wanted.names:
            continue
        held_back = any(action.certificate == name and action.starts_usage for action in plan(made, after, now).coming)
        assert lineage.current.names == wanted.names or held_back
        assert lineage.current.not_after > now or held_back


@every_world
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_written_changes_nothing(world: World, random: object) -> None:
    made, state, now = world
    shuffle = getattr(random, "shuffle")  # noqa: B009 - Hypothesis has no public type for it
    usage_fqdns, certificates = list(made.usage_fqdns), list(made.certificates)
    shuffle(usage_fqdns)
    shuffle(certificates)
    lineages, records = list(state.lineages.items()), list(state.usages.items())
    shuffle(lineages)
    shuffle(records)

    other = replace(made, usage_fqdns=tuple(usage_fqdns), certificates=tuple(certificates))

    assert plan(other, replace(state, lineages=dict(lineages), usages=dict(records)), now) == plan(made, state, now)


@every_world
@given(worlds())
def test_every_action_and_every_problem_is_said_in_both_languages(world: World) -> None:
    """A sentence that is missing, or cannot be filled, is a warning, which is an error here."""
    for language in LANGUAGES:
        speech = Speech(language)
        for action in planned(world).coming:
            assert speech.say(f"reason.{action.why.code}", **action.why.params)
        for problem in planned(world).problems:
            assert speech.say(f"problem.{problem.code}", **problem.params)
            assert speech.say(f"remedy.{problem.code}", **problem.params)


@every_world
@given(worlds())
def test_every_action_has_its_moment_and_the_plan_is_in_that_order(world: World) -> None:
    found = planned(world)

    moments = [action.due_at for action in found.coming]
    assert moments == sorted(moments)
    assert all(action.attempt_at >= action.due_at for action in found.coming)
    assert sorted(map(id, [*found.due, *found.upcoming])) == sorted(map(id, found.coming))
    assert all(action.kind is not Kind.OBSERVE and action.due_at <= found.at for action in found.due)
    assert found.next_at() == min((action.attempt_at for action in found.coming), default=None)
    assert len({(each.kind, each.certificate, each.target, each.version, each.names) for each in found.coming}) == len(
        found.coming
    )


@every_world
@given(worlds(), st.timedeltas(timedelta(0), timedelta(days=20)))
def test_what_is_due_stays_due(world: World, later: timedelta) -> None:
    """As long as the same certificates are wanted; a first issuance may wait for the new month."""
    made, state, now = world
    first, then = Picture(made, state, now), Picture(made, state, now + later)
    assume(first.wanted.by_name == then.wanted.by_name)

    def keys(at: datetime) -> set[tuple[object, ...]]:
        return {
            (kind_of_failure(action.kind), action.certificate, action.target, action.version, action.names)
            for action in plan(made, state, at).due
            if not action.starts_usage
        }

    # A name may have passed from a usage FQDN that has ended to one whose period it would start.
    starting = {
        name
        for picture in (first, then)
        for name, certificate in picture.wanted.by_name.items()
        if picture.authority.starts(certificate.names)
    }
    assert {key for key in keys(now) if key[1] not in starting} <= keys(now + later)


@every_world
@given(worlds(), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_period_written_down_is_the_period_that_was_seen(world: World, later: timedelta) -> None:
    """Remembering changes nothing that is said about today, nor about a later day."""
    made, state, now = world
    state = replace(state, known_at=now)

    after = remembered(made, state, now)

    assert plan(made, after, now).usages == plan(made, state, now).usages
    assert plan(made, after, now + later).usages == plan(made, state, now + later).usages
    assert remembered(made, after, now) == after


@every_world
@given(worlds())
def test_every_certificate_stands_somehow(world: World) -> None:
    made, state, now = world
    found = standings(planned(world), state)

    assert [each.name for each in found] == sorted({each.name for each in found})
    assert {each.status for each in found} <= set(STATUSES)
    assert {each.name for each in found} >= set(Picture(made, state, now).wanted.by_name)


@every_world
@given(worlds(), st.sampled_from(EVERY_NAME))
def test_a_name_that_is_written_down_is_ordered_told_or_covered(world: World, text: str) -> None:
    """Nothing vanishes in silence: a name asked for by hand is in its certificate, or somebody hears why not."""
    made, state, now = world
    picture = Picture(made, state, now)
    name = DnsName(text)
    for table in made.certificates:
        if name not in table.names:
            continue
        wanted = picture.wanted.by_name[table.name]
        carried = any(own.covers(name) for own in wanted.names)
        told = {problem.code for problem in planned(world).problems}
        assert carried or name in wanted.foreign or told & {"usage-ended", "operator-suspended", "notice-before-start"}
