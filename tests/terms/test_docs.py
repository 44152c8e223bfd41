"""docs/terms.md leads from each article to its function and its test, and neither is made up."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "terms.md"

RULES = [
    *(f"{letter}{n}" for letter, last in zip("NCAPRS", (7, 5, 3, 9, 7, 5), strict=True) for n in range(1, last + 1))
]
REFERENCE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    rule: str
    article: str
    code: str
    test: str


def table_rows() -> list[Row]:
    """The rows that begin with a rule."""
    cells = (
        [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| [NCAPRS]\d \|", line)
    )
    return [Row(rule, article, code, test.rstrip("| ")) for rule, article, _, code, test in cells]


ROWS = table_rows()
CODE = sorted({reference for row in ROWS for reference in REFERENCE.findall(row.code)})
TESTS = sorted({reference for row in ROWS for reference in REFERENCE.findall(row.test)})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule} {row.article}")
def test_a_row_names_code_and_test_or_says_later(row: Row) -> None:
    assert re.match(r"第\d+条", row.article)
    for cell in (row.code, row.test):
        assert cell == "later" or REFERENCE.sub("", cell).strip() == "", cell
        assert cell == "later" or REFERENCE.search(cell)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_row(rule: str) -> None:
    assert any(row.rule == rule for row in ROWS)


@pytest.mark.parametrize("article", [f"第{number}条" for number in range(1, 25)])
def test_every_article_is_accounted_for(article: str) -> None:
    assert article in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("reference", CODE)
def test_the_code_a_row_names_is_there(reference: str) -> None:
    module, _, qualified_name = reference.partition(":")
    found: object = importlib.import_module(module)
    for part in filter(None, qualified_name.split(".")):
        found = getattr(found, part)
    assert found is not None


@pytest.mark.parametrize("reference", TESTS)
def test_the_test_a_row_names_is_there(reference: str) -> None:
    path, _, name = reference.partition("::")
    assert re.search(rf"^ *(?:async )?def {re.escape(name)}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("module", ["names", "usage", "authority", "validity", "reasons", "consent"])
def test_every_module_of_the_terms_is_led_to(module: str) -> None:
    assert any(reference.startswith(f"jprs_client.terms.{module}:") for reference in CODE)
