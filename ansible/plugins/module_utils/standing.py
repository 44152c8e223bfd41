# Copyright: The jprs-client authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""How a certificate stands, and would stand after a plan, in lines for a diff: names and dates, never a key."""

from __future__ import annotations

#: A certificate is made anew by these.
REPLACEMENTS = ("issue", "renew", "reissue")

_COMES_WITH_IT = "(of the certificate to be issued)"


def diff_of(certificate, after):
    """A diff of two `lines`."""
    return {
        "before_header": f"certificate {certificate}",
        "after_header": f"certificate {certificate}",
        "before": "".join(f"{line}\n" for line in lines(after[0])),
        "after": "".join(f"{line}\n" for line in lines(after[1])),
    }


def lines(standing):
    """What a person wants to see of it; nothing of one that there is not."""
    if standing is None:
        return []
    found = [
        f"names: {', '.join(standing['names'])}",
        f"serial: {standing['serial'] or '-'}",
        f"not_before: {standing['not_before'] or '-'}",
        f"not_after: {standing['not_after'] or '-'}",
        f"status: {standing['status']}",
    ]
    found += [f"installed: {target}: {'yes' if there else 'no'}" for target, there in standing["installed"].items()]
    return found + [f"usage period: {name}, until {day}" for name, day in sorted(standing.get("starts", {}).items())]


def foreseen(standing, actions):
    """`standing` as it would be after `actions`; dates and serial are the CA's to choose."""
    for action in actions:
        kind = action["action"]
        if kind == "remove":
            return None
        standing = dict(standing or {"names": [], "serial": None, "not_before": None, "not_after": None})
        standing.setdefault("installed", {})
        if kind in REPLACEMENTS:
            standing.update(
                names=action["names"], status="valid", serial=_COMES_WITH_IT, not_before=_COMES_WITH_IT,
                not_after=_COMES_WITH_IT, starts=action.get("starts_usage_until", {}),
                installed=dict.fromkeys(standing["installed"], True),
            )  # fmt: skip
        elif kind == "install":
            standing["installed"] = {**standing["installed"], action["target"]: True}
    return standing
