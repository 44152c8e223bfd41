"""The README is the first page anybody reads: its commands exist, and both languages show the same ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jprs_client.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.ja.md")


def commands_shown(name: str) -> set[str]:
    """The first word of every command in the table of commands."""
    text = (ROOT / name).read_text()
    table = text.split("\n| command |" if name == "README.md" else "\n| コマンド |", 1)[1].split("\n\n", 1)[0]
    return {words.split()[0] for row in table.splitlines()[2:] for words in re.findall(r"`([^`]+)`", row.split("|")[1])}


@pytest.mark.parametrize("name", READMES)
def test_every_command_is_shown_and_none_besides(name: str) -> None:
    assert commands_shown(name) == set(COMMANDS)


@pytest.mark.parametrize("name", READMES)
def test_the_first_two_commands_are_all_a_newcomer_needs(name: str) -> None:
    code = [line.strip() for line in (ROOT / name).read_text().splitlines() if line.startswith("    ")]
    assert [line.split("#")[0].strip() for line in code[:2]] == ["make demo", "make test"]


@pytest.mark.parametrize("name", READMES)
def test_every_link_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text())
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_the_configuration_shown_is_read(tmp_path: Path) -> None:
    from jprs_client.config import load
    from jprs_client.registry import Registry

    for name in READMES:
        text = (ROOT / name).read_text()
        block = text[text.index("    [account]") :].split("\n\n## ", 1)[0]
        path = tmp_path / f"{name}.toml"
        path.write_text("\n".join(line.removeprefix("    ") for line in block.splitlines()))
        config = load(path, Registry())
        assert [str(usage.name) for usage in config.usage_fqdns] == ["example.jp", "*.shop.example.jp"]
