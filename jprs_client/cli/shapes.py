"""What our values look like as JSON: the manual's shapes, and no others."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from jprs_client.errors import JprsClientError
from jprs_client.planning.actions import Kind
from jprs_client.terms.usage import Usage

if TYPE_CHECKING:
    from jprs_client.app import Explanation, Report
    from jprs_client.locale import Speech
    from jprs_client.planning.actions import Action, Problem
    from jprs_client.planning.facts import AccountFacts, Failure
    from jprs_client.planning.plan import Plan
    from jprs_client.planning.standing import CertificateStanding

Json = dict[str, object]


def action(found: Action, speech: Speech) -> Json:
    """An action; `reason` is its stable code, `reason_text` says it to a person."""
    shape: Json = {
        "action": found.kind.value,
        "certificate": found.certificate,
        "names": found.sorted_names,
        "reason": found.why.code,
        "reason_text": speech.say(f"reason.{found.why.code}", **found.why.params),
        "due": found.due_at,
        "starts_usage": sorted(name.ascii for name in found.starts_usage),
    }
    if found.attempt_at > found.due_at:
        shape["next_attempt"] = found.attempt_at
    if found.target:
        shape["target"] = found.target
    if found.kind is Kind.REVOKE:
        shape["code"] = found.why.params["code"]
        shape["circumstances"] = [word for word in str(found.why.params["circumstances"]).split(", ") if word]
    return shape


def problem(found: Problem, speech: Speech) -> Json:
    """A problem with its remedy; `certificate` where it concerns one."""
    shape: Json = {
        "code": found.code,
        "message": speech.say(f"problem.{found.code}", **found.params),
        "remedy": speech.say(f"remedy.{found.code}", **found.params),
    }
    if found.certificate:
        shape["certificate"] = found.certificate
    return shape


def usage(found: Usage, today: date) -> Json:
    """A usage FQDN and its period on `today`."""
    return {
        "name": found.name.ascii,
        "term": found.term.label,
        "continuation_term": found.continuation_term.label,
        "status": found.status(today).value,
        "started": found.period.start if found.period else None,
        "ends": found.ends,
        "terminating": found.terminating,
        "suspended": found.suspended,
    }


def plan(found: Plan, speech: Speech, today: date) -> Json:
    """The whole plan; `starts_usage_until` says which end day each period would have that an action starts."""
    begun = {each.name: each for each in found.usages}

    def planned(each: Action) -> Json:
        moment = max(found.at, each.due_at)
        until = {name.ascii: begun[name].started(moment).ends for name in sorted(each.starts_usage)}
        return {**action(each, speech), "starts_usage_until": until}

    return {
        "at": found.at,
        "actions": [planned(each) for each in found.due],
        "upcoming": [planned(each) for each in found.upcoming],
        "problems": [problem(each, speech) for each in found.problems],
        "usage_fqdns": [usage(each, today) for each in found.usages],
    }


def explanation(found: Explanation) -> Json:
    """Who authorises a name, what serves it, or what to apply for."""
    return {
        "name": found.name.ascii,
        "unicode": found.name.unicode,
        "authorised_by": found.authorised_by[0].ascii if found.authorised_by else None,
        "also_authorised_by": [name.ascii for name in found.authorised_by[1:]],
        "ordered_as": found.ordered_as.ascii if found.ordered_as else None,
        "served_by": found.served_by,
        "issued": found.is_issued,
        "apply_for": found.apply_for.ascii if found.apply_for else None,
    }


def error(found: JprsClientError, speech: Speech) -> Json:
    """An error in the chosen language, with its code."""
    message, next_step = speech.error_sentence(found)
    return {"code": found.code, "message": message, "next_step": next_step}


def report(found: Report, speech: Speech) -> Json:
    """What a run did, what failed, what stands in the way."""
    return {
        "done": [action(each, speech) for each in found.done],
        "failed": [{**action(each, speech), "error": error(why, speech)} for each, why in found.failed],
        "problems": [problem(each, speech) for each in found.problems],
    }


def account(found: AccountFacts | None, directory: str) -> Json:
    """The account at the configured directory."""
    if found is None:
        return {"status": "unregistered", "directory": directory}
    return {
        "status": found.status,
        "directory": directory,
        "url": found.url,
        "contact": found.contact,
        "key_spki_sha256": found.key_spki_sha256,
        "registered_at": found.registered_at,
        "terms_url": found.terms_url,
        "terms_agreed_at": found.terms_agreed_at,
    }


def failure(found: Failure, speech: Speech) -> Json:
    """What failed last, and when it is tried again by itself."""
    return {
        "code": found.code,
        "message": speech.say(f"error.{found.code}", **found.params),
        "next_step": speech.say(f"next.{found.code}", **found.params),
        "at": found.failed_at,
        "count": found.count,
        "retry_at": found.retry_at,
    }


def certificate(found: CertificateStanding, speech: Speech, live: str) -> Json:
    """A certificate as it stands; `live` is the folder that servers name."""
    current = found.current
    return {
        "name": found.name,
        "names": sorted(name.ascii for name in found.names),
        "serial": current.serial if current else None,
        "not_before": current.not_before if current else None,
        "not_after": current.not_after if current else None,
        "status": found.status,
        "renew_at": found.renew_at,
        "key_spki_sha256": current.key_spki_sha256 if current else None,
        "fingerprint": current.fingerprint if current else None,
        "version": current.version if current else None,
        "revoked_at": current.revoked_at if current else None,
        "revocation_reason": current.revocation_reason if current else None,
        "last_error": failure(found.failure, speech) if found.failure else None,
        "installed": dict(found.targets),
        "live": live,
    }
