"""The README's doors: five lines each, which the tests run as they stand there.

In both READMEs a door is a comment `<!-- door: NAME -->` and the next block of code; its lines are the same in both.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.ja.md")


def doors(readme: str = "README.md") -> dict[str, list[str]]:
    """The lines of every door, comments and blank lines left out."""
    text = (ROOT / readme).read_text()
    found = {}
    for name, rest in re.findall(r"<!-- door: ([a-z-]+) -->\n(.*?)(?=<!-- door: |\n## |\Z)", text, re.DOTALL):
        code = re.search(r"(?:^    .*\n|^\n(?=    ))+", rest.lstrip("\n"), re.MULTILINE)
        assert code is not None, f"{readme}: {name} has no code"
        lines = [re.sub(r"(?:^|\s+)# .*$", "", line[4:]).rstrip() for line in code.group().splitlines()]
        found[name] = [line for line in lines if line]
    return found


def door(name: str) -> list[str]:
    """The lines of one door, to be run by the test that knows it."""
    return doors()[name]
