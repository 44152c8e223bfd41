"""What people and programs get to see: text in columns that also fit Japanese, JSON, and what is going on."""

from __future__ import annotations

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import PurePath
from typing import TextIO

from jprs_client.errors import harmless
from jprs_client.locale import value_text

#: Nobody reads lines that are longer, however wide the terminal is.
WIDEST = 100

#: Characters no line may begin with, and those none may end with (JIS X 4051).
_NOT_FIRST = frozenset("、。，．・：；？！ー）］｝〕〉》」』】々ゝゞぁぃぅぇぉっゃゅょァィゥェォッャュョ…")
_NOT_LAST = frozenset("（［｛〔〈《「『【")

_COLOURS = {"error": "1;31", "warning": "33", "good": "32", "quiet": "2", "head": "1"}


def width(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def padded(text: str, columns: int) -> str:
    """`text` with blanks up to `columns`."""
    return text + " " * max(0, columns - width(text))


def wrapped(text: str, columns: int) -> list[str]:
    """`text` in lines of at most `columns`; a word that is longer keeps a line of its own, whole."""
    return [line for paragraph in text.split("\n") for line in _wrapped_paragraph(paragraph, columns)]


def _wrapped_paragraph(text: str, columns: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if line and width(line) + width(piece.rstrip()) > columns:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _pieces(text: str) -> Iterator[str]:
    """What must not be torn: a word with the blank after it, or one wide character with what clings to it."""
    piece = ""
    for character in text:
        clings = character in _NOT_FIRST or (piece != "" and piece[-1] in _NOT_LAST)
        breaks = (
            piece != "" and not clings and (piece[-1] == " " or _columns(character) == 2 or _columns(piece[-1]) == 2)
        )
        if breaks and character != " ":
            yield piece
            piece = ""
        piece += character
    if piece:
        yield piece


def json_text(document: object, *, indent: int | None = None) -> str:
    """`document` as JSON: moments as RFC 3339 with an offset, days as `YYYY-MM-DD`, sets sorted.

    What a terminal would act upon is escaped, so that a CA's words do no more there than be read (THREATS D6).
    """
    text = json.dumps(document, ensure_ascii=False, indent=indent, default=_plain)
    return text if text.isascii() and "\x7f" not in text else "".join(map(_escaped, text))


def json_line(document: object) -> str:
    """`document` as one line of JSON, without the line's end."""
    return json_text(document)


def _plain(value: object) -> object:
    match value:
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Enum():
            return value.value
        case set() | frozenset():
            return sorted(str(item) for item in value)
        case Mapping():
            return dict(value)
        case PurePath():
            return str(value)
    ascii_name = getattr(value, "ascii", None)
    if isinstance(ascii_name, str):
        return ascii_name  # a DnsName
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _escaped(character: str) -> str:
    if character.isprintable() or character == "\n":  # raw only between an indented document's lines
        return character
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


class Screen:
    """Standard output and standard error, and who is looking at them.

    With `json` standard output holds JSON and nothing else; people's text goes to standard error then. With
    `verbosity` below 0 there is no people's text but errors.
    """

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str], *, json: bool = False) -> None:
        self._out = out
        self._err = err
        self._environ = environ
        self.json = json
        self.verbosity = 0
        self._is_doing = False

    def line(self, text: str = "", style: str | None = None, *, indent: int = 0) -> None:
        """One line, or what a terminal's width makes of it, for the person who asked."""
        if self.verbosity >= 0:
            self._write(self._people, text, style, indent)

    def note(self, text: str, style: str | None = None, *, indent: int = 0) -> None:
        """Something beside the answer, on standard error."""
        if self.verbosity >= 0:
            self._write(self._err, text, style, indent)

    def error(self, text: str, style: str | None = None, *, indent: int = 0) -> None:
        """What even a quiet run says, on standard error."""
        self._write(self._err, text, style, indent)

    def traceback(self, bug: BaseException) -> None:
        """Where it happened, whole, each line made harmless; no values, which might be secrets (THREATS D17)."""
        import traceback

        for line in traceback.format_exception(bug):
            for part in line.splitlines():
                text = part.lstrip()
                self.error(" " * (len(part) - len(text)) + harmless(text, 1000))

    def document(self, document: object) -> None:
        """The one JSON document of a run, on standard output; set out in lines where a person looks on."""
        self._out.write(json_text(document, indent=2 if _is_terminal(self._out) else None) + "\n")
        self._out.flush()

    def record(self, record: object) -> None:
        """One of many JSON objects, a line each."""
        self._out.write(json_line(record) + "\n")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[object]], *, indent: int = 0) -> None:
        """Columns under their headings. On a terminal the widest column is folded until the table fits."""
        if self.verbosity < 0:
            return
        self._nothing_going_on()
        cells = [[value_text(value) for value in row] for row in rows]
        widths = [max(map(width, column)) for column in zip(head, *cells, strict=True)]
        room = self._room(self._people)
        while room is not None and sum(widths) + 2 * (len(widths) - 1) + indent > room and max(widths) > 12:
            widths[widths.index(max(widths))] -= 1
        for number, row in enumerate([list(head), *cells]):
            folded = [
                [cell] if room is None else wrapped(cell, columns) for cell, columns in zip(row, widths, strict=True)
            ]
            for part in range(max(map(len, folded))):
                parts = [lines[part] if part < len(lines) else "" for lines in folded]
                text = "  ".join(padded(cell, columns) for cell, columns in zip(parts, widths, strict=True)).rstrip()
                self._people.write(" " * indent + self._styled(self._people, text, None if number else "head") + "\n")

    def doing(self, text: str) -> None:
        """What is going on now: one line that changes on a terminal, lines where `-v` asks for them, else nothing."""
        if self.verbosity > 0:
            self._write(self._err, text, "quiet", 0)
        elif self.verbosity == 0 and not self.json and (room := self._room(self._err)) is not None:
            self._err.write(f"\r\x1b[K{wrapped(text, room - 2)[0]} …")
            self._err.flush()
            self._is_doing = True

    def flush(self) -> None:
        """Hand over what was written."""
        self._nothing_going_on()
        self._out.flush()
        self._err.flush()

    @property
    def people_at_terminal(self) -> bool:
        """Whether a person can be asked: standard input and standard error are a terminal."""
        return _is_terminal(sys.stdin) and _is_terminal(self._err)

    def prompt(self, text: str) -> None:
        """A question, the answer to stand on the same line."""
        self._nothing_going_on()
        self._err.write(self._styled(self._err, text, "head") + " ")
        self._err.flush()

    @property
    def _people(self) -> TextIO:
        return self._err if self.json else self._out

    def _nothing_going_on(self) -> None:
        """The changing line goes before anything else is said."""
        if self._is_doing:
            self._err.write("\r\x1b[K")
            self._err.flush()
            self._is_doing = False

    def _write(self, stream: TextIO, text: str, style: str | None, indent: int) -> None:
        self._nothing_going_on()
        room = self._room(stream)
        for line in text.split("\n") if room is None else wrapped(text, room - indent):
            stream.write(f"{' ' * indent}{self._styled(stream, line, style)}".rstrip() + "\n")

    def _styled(self, stream: TextIO, text: str, style: str | None) -> str:
        coloured = _is_terminal(stream) and not self._environ.get("NO_COLOR") and self._environ.get("TERM") != "dumb"
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if style and text and coloured else text

    def _room(self, stream: TextIO) -> int | None:
        """The columns there are; None where nobody looks on, and lines stay whole for `grep`."""
        if not _is_terminal(stream):
            return None
        return min(shutil.get_terminal_size().columns, WIDEST)


def reader_is_gone() -> bool:
    """Whether nobody reads standard output any more, as after `| head`."""
    import select

    try:
        watch = select.poll()
        watch.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in watch.poll(0))
    except (OSError, ValueError):
        return False


def drop_output() -> None:
    """Let what is still in standard output's buffer go nowhere, so that leaving does not complain about it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False
