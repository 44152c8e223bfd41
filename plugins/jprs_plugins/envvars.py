"""What Debian's `envvars` sets for Apache, read and not run: `apache2ctl` has a shell read it before httpd starts."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["variables"]

#: No path is longer (PATH_MAX).
MAX_VALUE = 4096

_INSTANCE = "/etc/apache2-"
#: How much deeper in conditions, loops and functions the next command stands.
_DEPTH = {
    **dict.fromkeys(("if", "case", "for", "while", "until", "{"), 1),
    **dict.fromkeys(("then", "else", "elif", "do", "!"), 0),
    **dict.fromkeys(("fi", "esac", "done", "}"), -1),
}
_TOKEN = re.compile(r"""(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$\{[^{}'"]*\}|[^\s;&|()'"\\])+|&&|\|\||[;&|()]""")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)"|([^'"]+)""")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-=])([^{}]*))?\})?")


def variables(text: str, folder: str) -> dict[str, str]:
    """What a shell that has read `text` for the instance in `folder` knows, as far as reading can tell.

    Conditions are not judged: what stands in one counts where nothing outside sets the same. What another program
    would say is left out, so that a path with it is told as it stands in the configuration.
    """
    # Debian's file begins with SUFFIX, in a condition; it is empty but for /etc/apache2-NAME.
    suffix = f"-{folder.removeprefix(_INSTANCE)}" if folder.startswith(_INSTANCE) else ""
    known: dict[str, str | None] = {"SUFFIX": suffix, "APACHE_CONFDIR": folder}
    for perhaps, words in _commands(text):
        matches = [_ASSIGNMENT.fullmatch(word) for word in words]
        sets = words[0] == "export" or all(matches)
        # Also of words that are no assignment: `: ${A:=b}` sets A.
        values: Iterator[str | None] = (
            _value(w if m is None else m[2], known) for w, m in zip(words, matches, strict=True)
        )
        if words[0] == "export":  # takes all its words before it sets one
            values = iter(list(values))
        for match, value in zip(matches, values, strict=True):
            if match is None or not sets:
                continue
            if perhaps:
                known.setdefault(match[1], value)
            else:
                known[match[1]] = value
    return {name: value for name, value in known.items() if value is not None}


def _commands(text: str) -> Iterator[tuple[bool, list[str]]]:
    """The words of each command, still quoted, and whether it is run on a condition only."""
    depth = 0
    for line in text.replace("\\\n", "").split("\n"):
        words: list[str] = []
        perhaps = False
        for token in (*_TOKEN.findall(line), "#"):
            if token[0] not in ";&|()#":
                if words or token not in _DEPTH:
                    words.append(token)
                else:
                    depth = max(depth + _DEPTH[token], 0)
                continue
            if words:
                yield perhaps or depth > 0, words
            if token[0] == "#":
                break
            words, perhaps = [], token in {"&&", "||"}


def _value(word: str, known: dict[str, str | None]) -> str | None:
    """`word` without its quotes, variables filled in; None where that takes more than reading."""
    if "\\" in word or "`" in word or len(word) > MAX_VALUE:
        return None
    filled = [
        single or _filled((double or bare).replace("\0", ""), known) for single, double, bare in _QUOTED.findall(word)
    ]
    value = "".join(part for part in filled if part is not None)
    return None if None in filled or len(value) > MAX_VALUE else value


def _filled(text: str, known: dict[str, str | None]) -> str | None:
    parts, end = [], 0
    for match in _VARIABLE.finditer(text):
        plain, braced, how, other = match.groups()
        name = plain or braced
        if name is None:  # $(…), ${A##b}
            return None
        value = known.get(name, "")
        if value is None:
            return None
        if how is not None and (not value if ":" in how else name not in known):
            value = _filled(other, known)
            if "=" in how:
                known[name] = value
            if value is None:
                return None
        parts += [text[end : match.start()], value]
        end = match.end()
    return "".join((*parts, text[end:]))
