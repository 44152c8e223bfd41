"""The source of the house as trees, for the tests that read it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HOUSE = Path(__file__).parents[2]
CLIENT = HOUSE / "jprs_client"
PLUGINS = HOUSE / "plugins" / "jprs_plugins"


@cache
def trees() -> dict[Path, ast.Module]:
    """Every module of both packages."""
    files = sorted([*CLIENT.rglob("*.py"), *PLUGINS.rglob("*.py")])
    return {file: ast.parse(file.read_text(encoding="utf-8"), str(file)) for file in files}


def place(file: Path, node: ast.AST) -> str:
    """FILE:LINE of `node`."""
    return f"{file.relative_to(HOUSE)}:{getattr(node, 'lineno', 1)}"


def room(file: Path) -> str:
    """The part of the house a module belongs to: `terms`, `app`, `jprs_plugins`."""
    if file.is_relative_to(PLUGINS):
        return "jprs_plugins"
    inside = file.relative_to(CLIENT)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def called(node: ast.Call) -> str:
    """The last word of what is called: `sleep` in `time.sleep(1)`."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def strings(node: ast.AST) -> Iterator[str]:
    """The constants an expression may be: both sides of a choice, a plain string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from strings(node.body)
        yield from strings(node.orelse)
