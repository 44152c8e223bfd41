"""docs/configuration.md and the code know the same keys, and each key has somebody who reads it."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

import jprs_client
from jprs_client.config import KEYS, load

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

#: Keys that become tables while the file is read.
TABLES = {"notify.mail": "[notifier.mail]", "notify.command": "[notifier.command]"}

#: Keys that nobody reads yet, and what will.
LATER = {
    "operator.name": "reports and notices",
    "operator.notice_days": "warnings before an end day",
    "planner.max_names": "grouping several usage FQDNs into one certificate",
}


def _documented() -> dict[str, dict[str, list[str]]]:
    """Each table of the page: its keys, each with meaning, default and example."""
    found: dict[str, dict[str, list[str]]] = {}
    table = ""
    for line in PAGE.splitlines():
        if heading := re.fullmatch(r"## `\[+([a-z_]+)(?:\.…)?\]+`", line):
            table = heading[1]
            found[table] = {}
        elif row := re.fullmatch(r"\| `([a-z_]+)` \| (.+) \| (.+) \| `(.+)` \|", line):
            found[table][row[1]] = [row[2], row[3], row[4]]
    return found


@cache
def _read_attributes() -> set[str]:
    """Every attribute that is read outside the configuration's own room."""
    package = Path(jprs_client.__file__).parent
    files = [file for file in package.rglob("*.py") if file.relative_to(package).parts[0] not in {"config", "testca"}]
    return {
        node.attr
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }


def test_the_page_and_the_code_know_the_same_keys() -> None:
    assert {table: sorted(keys) for table, keys in _documented().items()} == {
        table: sorted(keys) for table, keys in KEYS.items()
    }


@pytest.mark.parametrize("table", sorted(KEYS))
def test_each_key_has_a_meaning_a_default_and_an_example_that_is_toml(table: str) -> None:
    for key, (meaning, default, sample) in _documented()[table].items():
        assert meaning.strip()
        assert default.strip()
        assert list(tomllib.loads(sample)) == [key]


def test_the_examples_of_the_page_are_accepted(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    whole = [block for block in blocks if "hmac_key" not in block]
    path = tmp_path / "config.toml"
    path.write_text("\n".join(whole), encoding="utf-8")

    config = load(path)

    assert len(whole) == len(blocks) - 1
    assert (set(config.solvers), set(config.installers)) == ({"web", "dns"}, {"nginx"})


@pytest.mark.parametrize("key", sorted(f"{table}.{key}" for table, keys in KEYS.items() for key in keys))
def test_each_key_has_a_reader(key: str) -> None:
    assert key in LATER or key in TABLES or key.rpartition(".")[2] in _read_attributes()
