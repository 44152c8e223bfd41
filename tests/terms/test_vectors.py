"""The vectors: `JPRS_VECTORS=DIR python -m pytest tests/terms/test_vectors.py`, one test a row.

A row may hold keys that are not known here; only what is known is compared.
"""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from jprs_client.errors import BadName
from jprs_client.terms.names import DnsName, issuable
from jprs_client.terms.reasons import Circumstance, reason_for
from jprs_client.terms.usage import Term, UsagePeriod
from jprs_client.terms.validity import last_valid_day

VECTORS = Path(os.environ.get("JPRS_VECTORS") or Path(__file__).parent.parent / "vectors")

Row = dict[str, Any]


def rows(file: str) -> list[Any]:
    path = VECTORS / file
    if not path.exists():
        return []
    found: list[Row] = json.loads(path.read_text(encoding="utf-8"))
    return [pytest.param(row, id=f"{file}:{number}") for number, row in enumerate(found)]


def test_there_are_vectors() -> None:
    assert any((VECTORS / file).exists() for file in VECTOR_FILES), VECTORS


VECTOR_FILES = ("names.json", "usage_periods.json", "validity.json", "reasons.json")


@pytest.mark.parametrize("row", rows("names.json"))
def test_a_usage_fqdn_authorises_exactly_these_names(row: Row) -> None:
    if row.get("error"):
        with pytest.raises(BadName):
            DnsName.parse(row["usage_fqdn"])
    else:
        authorised = sorted(name.ascii for name in issuable(DnsName.parse(row["usage_fqdn"])))
        assert authorised == sorted(row["issuable"])


@pytest.mark.parametrize("row", rows("usage_periods.json"))
def test_a_usage_period_ends_on_these_days(row: Row) -> None:
    first, *continuations = (Term.parse(term) for term in row["terms"])
    period = UsagePeriod.starting(moment(row["first_issued"]), first)
    ends = [period.end]
    for term in continuations:
        period = period.continued(term)
        ends.append(period.end)
    assert ends == [date.fromisoformat(end) for end in row["ends"]]


@pytest.mark.parametrize("row", rows("validity.json"))
def test_a_certificate_is_valid_through_this_day(row: Row) -> None:
    assert last_valid_day(moment(row["issued"])) == date.fromisoformat(row["last_valid_day_jst"])


@pytest.mark.parametrize("row", rows("reasons.json"))
def test_this_reason_follows_from_the_circumstances(row: Row) -> None:
    assert reason_for(Circumstance.parse(each) for each in row["circumstances"]) == row["reason"]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
