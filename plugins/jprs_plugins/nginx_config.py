"""nginx's configuration as nginx reads it: directives with their blocks, and the file and line each stands in.

The grammar is that of `ngx_conf_read_token`: words, quotes, escapes, comments, braces; `include` with globs, relative
to the main file's folder (never to the including file's); `*_by_lua_block`, whose braces hold Lua. Nothing is judged
here: which directive may stand where is what `nginx -t` knows. Bytes that are no UTF-8 are kept by surrogate escapes.
"""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass, field
from pathlib import Path

from jprs_client.errors import InstallFailed, harmless
from jprs_plugins.directives import MAX_BYTES, MAX_DEPTH, MAX_DIRECTIVES, MAX_FILES, Directive, content

__all__ = ["Directive", "read"]


def read(config: Path) -> Directive:
    """The whole configuration as one nameless block.

    Raises InstallFailed ("nginx-config-unreadable", "nginx-config-broken", "nginx-config-too-large"), each with the
    place, where it cannot be read as nginx would.
    """
    reader = _Reader(config.parent)
    return Directive("", (), str(config), 1, reader.file(str(config), "", ()))


# Blanks and comments, then what ends or opens, a quoted word, or a bare word; nothing but blanks at the end of a file.
# Possessive, so that no input makes it go back. In a bare word `${` opens no block; quotes, `#` and `}` are ordinary.
_TOKEN = re.compile(
    r"""
    (?P<blank> [ \t\r\n]*+ (?: \#[^\n]*+ [ \t\r\n]*+ )*+ )
    (?: (?P<mark>  [;{}] )
      | (?P<quoted> "(?:[^"\\]|\\.)*+" | '(?:[^'\\]|\\.)*+' )
      | (?P<word>  (?: [^ \t\r\n;{}"'\\$] | \\. | \$\{? ) (?: [^ \t\r\n;{\\$] | \\. | \$\{? )*+ )
      | (?P<end>   \Z )
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\([\"'\\trn])")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}

# Inside `*_by_lua_block { … }` braces count only outside of Lua's comments and strings.
_LUA = re.compile(
    r"""
    --\[(?P<comment>=*)\[ .*? \](?P=comment)\]
  | --[^\n]*+
  | \[(?P<long>=*)\[ .*? \](?P=long)\]
  | "(?:[^"\\\n]|\\.)*+" | '(?:[^'\\\n]|\\.)*+'
  | (?P<brace>[{}])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class _Open:
    """A block whose closing brace is still to come."""

    name: str
    words: tuple[str, ...]
    line: int
    inside: list[Directive] = field(default_factory=list)


class _Reader:
    """Reads files, each once, and knows how much there may be in all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[tuple[Directive, ...], int]] = {}
        self._bytes = 0
        self._directives = 0

    def file(self, path: str, included_at: str, above: tuple[str, ...]) -> tuple[Directive, ...]:
        """What stands in `path`. `above` are the files whose `include` led here."""
        if path in above or len(above) > MAX_DEPTH:
            raise InstallFailed("nginx-config-broken", place=included_at, found=f"include {harmless(path, 200)}")
        known = self._known.get(path)
        if known is None:
            before = self._directives
            directives = self._parsed(path, self._text(path, included_at), above)
            self._known[path] = (directives, self._directives - before)
            return directives
        directives, count = known
        self._count(path, count)  # a file included again costs whoever walks the tree as much as the first time
        return directives

    def _count(self, path: str, directives: int) -> None:
        self._directives += directives
        if self._directives > MAX_DIRECTIVES or len(self._known) > MAX_FILES:
            raise InstallFailed("nginx-config-too-large", file=path)

    def _text(self, path: str, included_at: str) -> str:
        try:
            held = content(path, MAX_BYTES)
        except (OSError, ValueError) as error:
            detail = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise InstallFailed(
                "nginx-config-unreadable",
                file=harmless(path, 200),
                included_at=included_at or None,
                detail=harmless(detail),
            ) from error
        self._bytes += len(held)
        if self._bytes > MAX_BYTES:
            raise InstallFailed("nginx-config-too-large", file=path)
        return held.decode("utf-8", "surrogateescape")

    def _parsed(self, path: str, text: str, above: tuple[str, ...]) -> tuple[Directive, ...]:
        top = _Open("", (), 1)
        stack = [top]
        words: list[str] = []
        position, counted, line, began = 0, 0, 1, 1
        glued = False  # right behind a quoted word, where nginx wants a blank or a mark
        while True:
            match = _TOKEN.match(text, position)
            if match is None:  # a quote or a backslash that nothing ends; nginx, too, reads on to the end for it
                raise self._broken(path, text, len(text), text[position:].strip())
            kind = match.lastgroup
            began_at, start, position = match.start(), match.end("blank"), match.end()
            if glued and start > began_at and text[began_at] == "#":
                raise self._broken(path, text, began_at, "#")
            if kind == "word" or kind == "quoted":
                found = text[start:position]
                if glued and start == began_at and not found.startswith(")"):
                    raise self._broken(path, text, start, found)
                if not words:
                    line += text.count("\n", counted, start)
                    counted, began = start, line
                glued = kind == "quoted"
                words.append(_unescaped(found[1:-1] if glued else found))
                continue
            glued = False
            if kind == "end":
                break
            mark = text[start]
            if mark == "}":
                if words or len(stack) == 1:
                    raise self._broken(path, text, start, mark)
                closed = stack.pop()
                self._add(path, stack[-1], closed.name, closed.words, closed.line, tuple(closed.inside))
                continue
            if not words:
                raise self._broken(path, text, start, mark)
            name, rest = words[0], tuple(words[1:])
            words = []
            if mark == "{":
                if name.endswith("_by_lua_block"):
                    position = self._end_of_lua(path, text, start)
                    self._add(path, stack[-1], name, rest, began, ())
                    continue
                if len(stack) > MAX_DEPTH:
                    raise self._broken(path, text, start, mark)
                stack.append(_Open(name, rest, began))
            elif name == "include" and len(rest) == 1:
                stack[-1].inside.extend(self._included(rest[0], f"{path}:{began}", (*above, path)))
            else:
                self._add(path, stack[-1], name, rest, began, None)
        if words or len(stack) > 1:
            # The line that nginx names: the last. What was begun there may be far above, so it is said, too.
            begun = " ".join(words) or f"{stack[-1].name} {{"
            where = began if words else stack[-1].line
            raise self._broken(path, text, len(text), f"{begun} (line {where})")
        return tuple(top.inside)

    def _add(
        self,
        path: str,
        block: _Open,
        name: str,
        words: tuple[str, ...],
        line: int,
        inside: tuple[Directive, ...] | None,
    ) -> None:
        self._count(path, 1)
        block.inside.append(Directive(name, words, path, line, inside))

    def _end_of_lua(self, path: str, text: str, opening: int) -> int:
        """The position behind the brace that closes the one at `opening`."""
        depth = 0
        for match in _LUA.finditer(text, opening):
            brace = match["brace"]
            if brace:
                depth += 1 if brace == "{" else -1
                if depth == 0:
                    return match.end()
        raise self._broken(path, text, opening, "{")

    def _included(self, pattern: str, place: str, above: tuple[str, ...]) -> list[Directive]:
        # Against the folder of the main file, as written: nginx resolves no symbolic link there (ngx_conf_full_name).
        full = pattern if pattern.startswith("/") else f"{self._folder}/{pattern}"
        paths = [full]
        if any(character in pattern for character in "*?["):
            try:
                # glob(3) negates a set by `^`, too. A pattern that matches nothing is right.
                paths = sorted(glob.glob(full.replace("[^", "[!")))  # noqa: PTH207 - surrogates, and order as found
            except (ValueError, re.error) as error:
                raise InstallFailed(
                    "nginx-config-broken", place=place, found=f"include {harmless(pattern, 200)}"
                ) from error
        return [directive for path in paths for directive in self.file(path, place, above)]

    def _broken(self, path: str, text: str, position: int, found: str) -> InstallFailed:
        line = 1 + text.count("\n", 0, position)
        return InstallFailed("nginx-config-broken", place=f"{path}:{line}", found=harmless(found, 60))


def _unescaped(word: str) -> str:
    """Without its escapes: nginx takes the backslash from these six only, and keeps it before everything else."""
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), word) if "\\" in word else word
