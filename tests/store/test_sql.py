"""The SQL is one that PostgreSQL understands, too: plain statements with `:name` parameters."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import jprs_client.store.database
import jprs_client.store.schema
import jprs_client.store.store
from jprs_client.store.schema import TABLES

ROOM = Path(inspect.getfile(jprs_client.store.store)).parent
STATEMENT = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|WITH|REPLACE|PRAGMA)\b")

#: What SQLite alone understands, or understands otherwise.
ONLY_SQLITE = re.compile(
    r"\b(PRAGMA|AUTOINCREMENT|ROWID|WITHOUT|STRICT|INSERT OR|REPLACE INTO|GLOB|IFNULL|DATETIME|STRFTIME|JULIANDAY|"
    r"UNIXEPOCH|GROUP_CONCAT|JSON_EXTRACT|LAST_INSERT_ROWID|IS NOT DISTINCT|COLLATE NOCASE|BLOB)\b|\"|`|\[|==|\?",
    re.IGNORECASE,
)
#: Only connecting, and saying which schema it is, differs from one database to the other.
CONNECTS = "database.py"


def text_of(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else " " for part in node.values)
    return None


def statements() -> Iterator[tuple[str, str]]:
    for file in sorted(ROOM.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            text = text_of(node) if isinstance(node, ast.expr) and id(node) not in inside else None
            if text is not None and STATEMENT.match(text):
                yield f"{file.name}:{node.lineno}", text  # type: ignore[attr-defined]


STATEMENTS = list(statements())


def test_every_statement_is_found() -> None:
    assert len(STATEMENTS) > 50
    assert {where.partition(":")[0] for where, _ in STATEMENTS} == {"schema.py", "store.py", CONNECTS}


@pytest.mark.parametrize(("where", "statement"), STATEMENTS, ids=[where for where, _ in STATEMENTS])
def test_a_statement_is_plain_and_takes_named_parameters(where: str, statement: str) -> None:
    if where.startswith(CONNECTS):
        assert statement.startswith("PRAGMA")
        return
    assert not ONLY_SQLITE.search(statement)
    assert "%" not in statement
    assert not re.search(r"'[^']*'", statement), "values are parameters"
    assert not re.search(r"[=<>]\s*\d+\b(?!\s*\))", statement.replace("found = 0", "")), "numbers too"
    if not STATEMENT.match(statement) or statement.lstrip().startswith(("CREATE", "ALTER")):
        return
    assert ":" in statement or re.search("FROM (here|journal|proof)", statement)


@pytest.mark.parametrize("table", TABLES, ids=[table.split("(")[0] for table in TABLES])
def test_a_fact_names_its_host_and_the_journal_is_this_hosts_own(table: str) -> None:
    name = table.split()[2]
    if table.startswith("CREATE INDEX"):
        assert "(host," in table
    elif name in {"here", "journal", "proof"}:
        assert "host" not in table
    else:
        assert "host TEXT NOT NULL" in table
        assert "PRIMARY KEY (host, " in table


def test_columns_have_types_that_both_databases_have() -> None:
    for table in TABLES:
        if table.startswith("CREATE TABLE"):
            inside = table.split("(", 1)[1].rsplit("PRIMARY KEY", 1)[0]
            for column in filter(None, (part.strip() for part in inside.split(","))):
                assert re.fullmatch(r"[a-z_0-9]+ (TEXT|INTEGER)( NOT NULL)?", column), column


def test_no_column_could_hold_a_private_key() -> None:
    """ご利用条件 第9条1号ウ: its fingerprint alone is a fact."""
    assert not re.search(r"private|_pem|secret|hmac", " ".join(TABLES))
