"""Apache's configuration as httpd reads it: directives with their sections, and the file and line each stands in.

The grammar is that of `ap_cfg_getline` and `ap_getword_conf`: one directive a line, continued by a backslash, words
with quotes, `${NAME}` from `Define` or the environment. What httpd settles while it reads is settled here in the same
order: `Include`, `<IfModule>`, `<IfDefine>`, `<IfFile>`, `<IfVersion>`, `ServerRoot`, macros. Nothing is judged: which
directive may stand where is what `-t` knows. Bytes that are no UTF-8 are kept by surrogate escapes.
"""

from __future__ import annotations

import glob
import operator
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jprs_client.errors import InstallFailed, harmless
from jprs_plugins.directives import MAX_BYTES, MAX_DIRECTIVES, MAX_FILES, Directive, content
from jprs_plugins.envvars import variables

__all__ = ["Configuration", "environment_of", "read"]

#: httpd's own limit is 20 (AP_MAX_INCLUDE_DEPTH); sections and macros are counted with it.
MAX_DEPTH = 40

#: Longer values of `Define` are nobody's; doubled forty times over they would be everybody's memory.
MAX_VALUE = 64 * 1024

#: `<IfVersion>` is asked of configurations that are to suit 2.2 or 2.6 as well; what is there is 2.4 of today.
VERSION = (2, 4, 62)

#: Modules that are part of the program itself wherever httpd is packaged.
BUILT_IN = frozenset(
    f"{name}_module" for name in ("core", "http", "so", "watchdog", "log_config", "logio", "version", "unixd")
) | {"core.c", "http_core.c"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """`root` is all of it as one nameless section; relative paths count from `server_root`.

    `unread` are the places of `<Perl>` sections, whose directives only Perl knows.
    """

    root: Directive
    server_root: Path
    unread: tuple[str, ...] = ()


def read(config: Path, server_root: Path, environment: Mapping[str, str]) -> Configuration:
    """The whole configuration; `server_root` holds until a `ServerRoot` says otherwise.

    Raises InstallFailed ("apache-config-unreadable", "apache-config-broken", "apache-config-too-large"), each with the
    place, where it cannot be read as httpd would.
    """
    reader = _Reader(server_root, environment, frozenset())
    found = reader.whole(config)
    if reader.asked_for_modules and not reader.loads_modules:
        # It loads none and asks for some: a program that has them all built in.
        return _Reader(server_root, environment, None).whole(config)
    return found


def environment_of(config: Path) -> dict[str, str]:
    """What Debian's `envvars` beside `config` sets, for `${APACHE_LOG_DIR}` and its like; little without one."""
    try:
        text = content(str(config.parent / "envvars"), 1024 * 1024).decode("utf-8", "surrogateescape")
    except (OSError, ValueError):
        text = ""
    return variables(text, str(config.parent))


_BLANK = " \t\n\v\f\r"
_QUOTED = {quote: re.compile(rf"{quote}((?:[^{quote}\\]|\\[{quote}\\]|\\)*+){quote}?", re.DOTALL) for quote in "\"'"}
_BARE = re.compile(r"[^ \t\n\v\f\r]+")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")

_IF_SECTIONS = frozenset({"ifmodule", "ifdefine", "iffile", "ifversion", "ifdirective", "ifsection"})
_FOREIGN = frozenset({"perl", "comment"})


@dataclass(slots=True)
class _Section:
    """A section whose end is still to come. `settled`: a condition that holds; what is inside stands outside."""

    name: str
    words: tuple[str, ...]
    line: int
    inside: list[Directive]
    settled: bool = False


@dataclass(slots=True)
class _Lines:
    """The lines of one file or macro, continued ones joined; each with the number of its last, as httpd counts."""

    file: str
    lines: Sequence[tuple[int, str]]
    above: tuple[str, ...]
    at: int = 0
    number: int = field(default=1)

    def __iter__(self) -> Iterator[str]:
        while self.at < len(self.lines):
            self.number, text = self.lines[self.at]
            self.at += 1
            yield text.strip(_BLANK)

    @property
    def place(self) -> str:
        """`FILE:LINE` of what was read last."""
        return f"{self.file}:{self.number}"

    def broken(self, found: str, line: int | None = None) -> InstallFailed:
        """An error at that line, or at what was read last."""
        place = self.place if line is None else f"{self.file}:{line}"
        return InstallFailed("apache-config-broken", place=place, found=harmless(found, 60))


@dataclass(frozen=True, slots=True)
class _Macro:
    """`<Macro NAME PARAMETER…>` and its lines, as they stand."""

    file: str
    parameters: tuple[str, ...]
    lines: tuple[tuple[int, str], ...]


class _Reader:
    """Reads in httpd's order, and knows what is defined and loaded by now. `modules` is None where all are there."""

    def __init__(self, server_root: Path, environment: Mapping[str, str], modules: frozenset[str] | None) -> None:
        self._root = str(server_root)
        self._environment = environment
        self._modules = None if modules is None else {*BUILT_IN, *modules}
        self._defined: dict[str, str | None] = {}
        self._macros: dict[str, _Macro] = {}
        self._unread: list[str] = []
        self._bytes = 0
        self._count = 0
        self._files = 0
        self.loads_modules = False
        self.asked_for_modules = False

    def whole(self, config: Path) -> Configuration:
        """All that `config` says and includes."""
        inside: list[Directive] = []
        self._file(str(config), "", (), inside)
        return Configuration(Directive("", (), str(config), 1, tuple(inside)), Path(self._root), tuple(self._unread))

    # -- files and lines ---------------------------------------------------------------------------------------------

    def _file(self, path: str, included_at: str, above: tuple[str, ...], inside: list[Directive]) -> None:
        if path in above or len(above) > MAX_DEPTH:
            raise InstallFailed("apache-config-broken", place=included_at, found=f"Include {harmless(path, 200)}")
        self._files += 1
        if self._files > MAX_FILES:
            raise InstallFailed("apache-config-too-large", file=harmless(path, 200))
        self._section(_Lines(path, _joined(self._text(path, included_at)), (*above, path)), inside)

    def _text(self, path: str, included_at: str) -> str:
        try:
            held = content(path, MAX_BYTES)
        except (OSError, ValueError) as error:
            detail = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise InstallFailed(
                "apache-config-unreadable",
                file=harmless(path, 200),
                included_at=included_at or None,
                detail=harmless(detail),
            ) from error
        self._bytes += len(held)
        if self._bytes > MAX_BYTES:
            raise InstallFailed("apache-config-too-large", file=harmless(path, 200))
        return held.decode("utf-8", "surrogateescape")

    def _section(self, lines: _Lines, into: list[Directive]) -> None:
        """Read `lines` to their end; every section that begins there ends there."""
        stack = [_Section("", (), 0, into)]
        for text in lines:
            if not text or text[0] == "#":
                continue
            self._count += 1
            if self._count > MAX_DIRECTIVES:
                raise InstallFailed("apache-config-too-large", file=harmless(lines.file, 200))
            name, rest = self._word(text, lines)
            if name.startswith("</"):
                self._close(name, lines, stack)
            elif name.startswith("<"):
                self._open(name, rest, lines, stack)
            else:
                self._directive(name, rest, lines, stack[-1].inside)
        if len(stack) > 1:
            raise lines.broken(f"<{stack[-1].name}>", stack[-1].line)

    def _open(self, name: str, rest: str, lines: _Lines, stack: list[_Section]) -> None:
        arguments, closed, _ = rest.rpartition(">")
        kind = name[1:].removesuffix(">").lower()
        if not kind or not (closed or name.endswith(">")):
            raise lines.broken(f"{name} {rest}")
        if len(stack) + len(lines.above) > MAX_DEPTH:
            raise lines.broken(name)
        words = self._words(arguments, lines)
        if kind == "macro":
            self._define_macro(words, lines)
        elif kind in _FOREIGN:
            self._unread += [lines.place] if kind == "perl" else []
            _raw(lines, kind)
        elif kind not in _IF_SECTIONS:
            stack.append(_Section(kind, words, lines.number, []))
        elif self._holds(kind, words):
            stack.append(_Section(kind, words, lines.number, stack[-1].inside, settled=True))
        else:
            _skip(lines, kind)

    @staticmethod
    def _close(name: str, lines: _Lines, stack: list[_Section]) -> None:
        section = stack[-1]
        if len(stack) == 1 or name.lower() != f"</{section.name}>":
            raise lines.broken(name)
        stack.pop()
        if not section.settled:
            inside = tuple(section.inside)
            stack[-1].inside.append(Directive(section.name, section.words, lines.file, section.line, inside))

    def _directive(self, name: str, rest: str, lines: _Lines, inside: list[Directive]) -> None:
        name = name.lower()
        words = self._words(rest, lines)
        if name == "define" and words:
            self._defined[words[0]] = words[1] if len(words) > 1 else None
        elif name == "undefine" and words:
            self._defined.pop(words[0], None)
        elif name == "loadmodule" and words:
            self.loads_modules = True
            if self._modules is not None:
                library = os.path.basename(words[-1])  # noqa: PTH119 - a text
                self._modules |= {words[0].lower(), library.removesuffix(".so").lower() + ".c"}
        elif name in {"include", "includeoptional"} and words:
            for path in self._included(words[0], lines, optional=name == "includeoptional"):
                self._file(path, lines.place, lines.above, inside)
        elif name == "use" and words:
            self._use(words, lines, inside)
        else:
            if name == "serverroot" and words:
                self._root = words[0] if words[0].startswith("/") else self._root
            inside.append(Directive(name, words, lines.file, lines.number))

    # -- words -------------------------------------------------------------------------------------------------------

    def _word(self, text: str, lines: _Lines) -> tuple[str, str]:
        """The first word of `text`, and what comes after it (`ap_getword_conf`)."""
        text = text.lstrip(_BLANK)
        if not text:
            return "", ""
        quote = text[0] if text[0] in _QUOTED else ""
        match = (_QUOTED[quote] if quote else _BARE).match(text)
        assert match is not None  # noqa: S101 - either has at least its first character
        word = match[1] if quote else match[0]
        if "\\" in word:
            word = re.sub(rf"\\([{quote}\\])" if quote else r"\\(\\)", r"\1", word)
        if "${" in word:
            word = _VARIABLE.sub(self._value, word)
            if len(word) > MAX_VALUE:
                raise InstallFailed("apache-config-too-large", file=harmless(lines.file, 200))
        return word, text[match.end() :]

    def _words(self, text: str, lines: _Lines) -> tuple[str, ...]:
        words = []
        text = text.lstrip(_BLANK)
        while text:
            word, text = self._word(text, lines)
            words.append(word)
            text = text.lstrip(_BLANK)
        return tuple(words)

    def _value(self, match: re.Match[str]) -> str:
        """What is not defined stays as it stands, with a warning from httpd."""
        value = self._defined.get(match[1])
        return value if value is not None else self._environment.get(match[1], match[0])

    # -- conditions --------------------------------------------------------------------------------------------------

    def _holds(self, kind: str, words: tuple[str, ...]) -> bool:
        if kind == "ifversion":
            return _version_holds(words)
        said = words[0] if words else ""
        wanted = not said.startswith("!")
        said = said.removeprefix("!")
        if kind == "ifdefine":
            return (said in self._defined) is wanted
        if kind == "iffile":
            return _exists(self._from_root(said)) is wanted
        if kind == "ifmodule":
            self.asked_for_modules = True
            return self._has_module(said.lower()) is wanted
        return wanted  # <IfDirective>, <IfSection>: whichever they ask for, httpd of today has it

    def _has_module(self, name: str) -> bool:
        if self._modules is None:
            return True
        identifier = f"{name.removeprefix('mod_').removesuffix('.c')}_module" if name.endswith(".c") else name
        return name in self._modules or identifier in self._modules

    # -- includes ----------------------------------------------------------------------------------------------------

    def _from_root(self, path: str) -> str:
        return path if path.startswith("/") else f"{self._root.rstrip('/')}/{path}"

    def _included(self, pattern: str, lines: _Lines, *, optional: bool) -> list[str]:
        full = self._from_root(pattern)
        paths = [full]
        if any(character in pattern for character in "*?["):
            try:
                paths = sorted(glob.glob(full.replace("[^", "[!")), key=os.fsencode)  # noqa: PTH207 - surrogates
            except (ValueError, re.error) as error:
                raise lines.broken(f"Include {pattern}") from error
        elif optional and not _exists(full):
            return []
        return [found for path in paths for found in self._below(path)]

    def _below(self, path: str) -> Iterator[str]:
        """A folder means all files in it and below, in the order of their names."""
        if not _is_folder(path):
            yield path
            return
        for folder, folders, names in os.walk(path):
            folders.sort(key=os.fsencode)
            self._files += len(names)
            if self._files > MAX_FILES:
                raise InstallFailed("apache-config-too-large", file=harmless(path, 200))
            yield from sorted((f"{folder}/{name}" for name in names), key=os.fsencode)

    # -- macros ------------------------------------------------------------------------------------------------------

    def _define_macro(self, words: tuple[str, ...], lines: _Lines) -> None:
        if not words:
            raise lines.broken("<Macro>")
        self._macros[words[0].lower()] = _Macro(lines.file, words[1:], tuple(_raw(lines, "macro")))

    def _use(self, words: tuple[str, ...], lines: _Lines, inside: list[Directive]) -> None:
        name = f"Use {words[0]}".lower()
        macro = self._macros.get(words[0].lower())
        if macro is None or len(words) - 1 != len(macro.parameters) or name in lines.above:
            raise lines.broken(" ".join(("Use", *words)))
        if len(lines.above) > MAX_DEPTH:
            raise lines.broken(" ".join(("Use", *words)))
        values = dict(zip(macro.parameters, words[1:], strict=True))
        # The longest first: $name before $n, as mod_macro does.
        names = sorted((parameter for parameter in values if parameter), key=len, reverse=True)
        found = re.compile("|".join(map(re.escape, names)) or r"(?!)")
        replaced = []
        for number, text in macro.lines:
            line = found.sub(lambda match: values[match[0]], text)
            self._bytes += len(line)
            if self._bytes > MAX_BYTES:
                raise InstallFailed("apache-config-too-large", file=harmless(macro.file, 200))
            replaced.append((number, line))
        self._section(_Lines(macro.file, replaced, (*lines.above, name)), inside)


def _joined(text: str) -> list[tuple[int, str]]:
    """Lines, a backslash at the end of one joining it to the next."""
    found: list[tuple[int, str]] = []
    parts: list[str] = []
    physical = text.split("\n")
    for number, line in enumerate(physical, 1):
        bare = line.removesuffix("\r")
        if bare.endswith("\\") and number < len(physical):
            parts.append(bare[:-1])
        elif parts:
            found.append((number, "".join((*parts, bare))))
            parts = []
        else:
            found.append((number, bare))
    return found


def _raw(lines: _Lines, name: str) -> list[tuple[int, str]]:
    """The lines up to `</NAME>`, none of them looked at but for further `<NAME`."""
    began, depth = lines.number, 1
    found: list[tuple[int, str]] = []
    for text in lines:
        lower = text.lower()
        if lower.startswith(f"</{name}>"):
            depth -= 1
            if not depth:
                return found
        elif lower.startswith(f"<{name}"):
            depth += 1
        found.append((lines.number, text))
    raise lines.broken(f"<{name}>", began)


def _skip(lines: _Lines, name: str) -> None:
    """Pass over a section whose condition does not hold; it has to be balanced inside (`ap_soak_end_container`)."""
    began = lines.number
    names = [name]
    for text in lines:
        if not text.startswith("<"):
            continue
        match = _BARE.match(text)
        word = match[0].lower() if match else ""
        if not word.startswith("</"):
            names.append(word[1:].removesuffix(">"))
        elif word != f"</{names.pop()}>":
            raise lines.broken(word)
        if not names:
            return
    raise lines.broken(f"<{name}>", began)


_COMPARE: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "=": operator.eq, "==": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip


def _version_holds(words: tuple[str, ...]) -> bool:
    """`<IfVersion [[!]OPERATOR] VERSION>`; of a regular expression nothing is known, so it holds."""
    sign, version = words if len(words) == 2 else ("=", words[0] if words else "")
    compare = _COMPARE.get(sign.removeprefix("!"))
    numbers = re.fullmatch(r"(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?", version)
    if compare is None or numbers is None:
        return True
    return compare(VERSION, tuple(int(number or 0) for number in numbers.groups())) is not sign.startswith("!")


def _exists(path: str) -> bool:
    try:
        return os.path.exists(path)  # noqa: PTH110 - a text, maybe with surrogates
    except ValueError:
        return False


def _is_folder(path: str) -> bool:
    try:
        return os.path.isdir(path)  # noqa: PTH112 - a text, maybe with surrogates
    except ValueError:
        return False
