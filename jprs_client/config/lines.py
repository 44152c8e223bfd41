"""On which line of a TOML file a key stands. Runs only once something is wrong, on text that `tomllib` has accepted.

`tomllib` tells no lines. This scanner knows as much TOML as that needs: tables, arrays of tables, dotted and quoted
keys, inline tables, arrays, the four kinds of string, comments. It checks nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: Keys and indices from the top of a file down to one value: ("usage_fqdn", 1, "term").
KeyPath = tuple[str | int, ...]

# The order decides: three quotes before one; the last of a run of up to five closing quotes closes.
_TOKEN = re.compile(
    r'''
      (?P<string> """ (?: \\. | [^\\] )*? """ "{0,2}
                | \'\'\' .*? \'\'\' \'{0,2}
                | " (?: \\. | [^"\\\n] )* "
                | ' [^'\n]* ' )
    | (?P<comment> \# [^\n]* )
    | (?P<newline> \n )
    | (?P<space> [ \t\r]+ )
    | (?P<sign> [\[\]{}=,.] )
    | (?P<bare> [^\s\[\]{}=,.#"']+ )
    ''',
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


@dataclass(slots=True)
class _Open:
    """An array or an inline table that is being read; `expects_key` only ever holds in the latter."""

    path: KeyPath
    closing: str
    index: int = 0
    expects_key: bool = False


@dataclass(slots=True)
class _Scan:
    found: dict[KeyPath, int] = field(default_factory=dict)
    last_index: dict[KeyPath, int] = field(default_factory=dict)
    table: KeyPath = ()


def line_numbers(text: str) -> Mapping[KeyPath, int]:
    """Every table, key and array element of `text` with its line, the first being 1."""
    scan = _Scan()
    tokens = [token for token in _tokens(text) if token.kind not in {"space", "comment"}]
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "newline":
            at += 1
        elif token.text == "[":
            at = _header(scan, tokens, at)
        else:
            at = _assignment(scan, tokens, at)
    return scan.found


def line_of(found: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """The line of `path`, else of the nearest thing around it that has one."""
    for length in range(len(path), 0, -1):
        if path[:length] in found:
            return found[path[:length]]
    return None


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        yield _Token(match.lastgroup or "", match.group(), line)
        line += match.group().count("\n")


def _key_part(token: _Token) -> str:
    return str(tomllib.loads(f"key = {token.text}")["key"]) if token.kind == "string" else token.text


def _key(tokens: list[_Token], at: int, closing: str) -> tuple[list[str], int]:
    """The parts of the key at `at`, and where the token `closing` stands after it."""
    parts = []
    while at < len(tokens) and tokens[at].text != closing:
        if tokens[at].text != ".":
            parts.append(_key_part(tokens[at]))
        at += 1
    return parts, at


def _note(scan: _Scan, start: KeyPath, parts: list[str], line: int) -> KeyPath:
    """Note `line` for each step of a dotted key, following arrays of tables to their last table."""
    path = start
    for part in parts:
        path = (*path, part)
        scan.found.setdefault(path, line)
        if path in scan.last_index:
            path = (*path, scan.last_index[path])
    return path


def _header(scan: _Scan, tokens: list[_Token], at: int) -> int:
    line = tokens[at].line
    is_array = tokens[at + 1].text == "["
    parts, at = _key(tokens, at + (2 if is_array else 1), "]")
    if is_array:
        array = (*_note(scan, (), parts[:-1], line), parts[-1])
        scan.found.setdefault(array, line)
        scan.last_index[array] = scan.last_index.get(array, -1) + 1
        scan.table = (*array, scan.last_index[array])
        scan.found[scan.table] = line
        return at + 2
    scan.table = _note(scan, (), parts, line)
    scan.found[scan.table] = line  # [a.b] may have made "a" known before [a] comes
    return at + 1


def _assignment(scan: _Scan, tokens: list[_Token], at: int) -> int:
    """Read `key = value` up to the end of the value, without recursion: arrays nest as deep as the file likes."""
    line = tokens[at].line
    parts, at = _key(tokens, at, "=")
    path = _note(scan, scan.table, parts, line)
    stack: list[_Open] = []
    at += 1
    while at < len(tokens):
        token = tokens[at]
        inner = stack[-1] if stack else None
        if token.kind == "newline":
            if inner is None:
                return at + 1
        elif inner is not None and token.text == inner.closing and token.kind == "sign":
            stack.pop()
        elif inner is not None and token.text == "," and token.kind == "sign":
            inner.index += 1
            inner.expects_key = inner.closing == "}"
        elif inner is not None and inner.expects_key:
            parts, at = _key(tokens, at, "=")
            inner.expects_key = False
            path = _note(scan, inner.path, parts, token.line)
        else:
            if inner is not None and inner.closing == "]":
                path = (*inner.path, inner.index)
                scan.found.setdefault(path, token.line)
            if token.kind == "sign" and token.text == "[":
                stack.append(_Open(path, "]"))
            elif token.kind == "sign" and token.text == "{":
                stack.append(_Open(path, "}", expects_key=True))
        at += 1
    return at
