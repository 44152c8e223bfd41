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

from jprs_client.errors import JprsClientError, harmless
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

    def __init__(
        self, out: TextIO | None, err: TextIO | None, environ: Mapping[str, str], *, json: bool = False
    ) -> None:  # fmt: skip
        self._out = Answers(out)
        self._err = Log(err)
        self._environ = environ
        self.json = json
        self.verbosity = 0
        self._is_doing = False

    def line(self, text: str = "", style: str | None = None, *, indent: int = 0) -> None:
        """One line, or what a terminal's width makes of it, for the person who asked."""
        if self.verbosity >= 0:
            self._write(self._people, text, style, indent)

    def answer(self, text: str) -> None:
        """What was asked for, as it is: a quiet run says it, and so does one that a program reads."""
        self._nothing_going_on()
        self._out.write(text + "\n")
        self._out.flush()

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
        self._out.write(json_text(document, indent=2 if self._out.is_terminal else None) + "\n")
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
            self._is_doing = True

    def flush(self) -> None:
        """Hand over what was written."""
        self._nothing_going_on()
        self._out.flush()

    def outlive_its_reader(self) -> None:
        """From now on what standard output does not take is dropped as well: it is the log of a program that stays."""
        self._out.may_be_lost = True

    def leave(self) -> None:
        """The program ends: what nobody took is left behind."""
        self._out.leave()
        self._err.leave()

    @property
    def trouble(self) -> str:
        """Why what was said last could not be written, in the system's words; empty while all is well."""
        return self._err.trouble or self._out.trouble

    @property
    def people_at_terminal(self) -> bool:
        """Whether a person can be asked: standard input and standard error are a terminal."""
        return _is_terminal(sys.stdin) and self._err.is_terminal

    def prompt(self, text: str) -> None:
        """A question, the answer to stand on the same line."""
        self._nothing_going_on()
        self._err.write(self._styled(self._err, text, "head") + " ")

    @property
    def _people(self) -> Stream:
        return self._err if self.json else self._out

    def _nothing_going_on(self) -> None:
        """The changing line goes before anything else is said."""
        if self._is_doing:
            self._err.write("\r\x1b[K")
            self._is_doing = False

    def _write(self, stream: Stream, text: str, style: str | None, indent: int) -> None:
        self._nothing_going_on()
        room = self._room(stream)
        for line in text.split("\n") if room is None else wrapped(text, room - indent):
            stream.write(f"{' ' * indent}{self._styled(stream, line, style)}".rstrip() + "\n")

    def _styled(self, stream: Stream, text: str, style: str | None) -> str:
        coloured = stream.is_terminal and not self._environ.get("NO_COLOR") and self._environ.get("TERM") != "dumb"
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if style and text and coloured else text

    def _room(self, stream: Stream) -> int | None:
        """The columns there are; None where nobody looks on, and lines stay whole for `grep`."""
        if not stream.is_terminal:
            return None
        return min(shutil.get_terminal_size().columns, WIDEST)


class Stream:
    """A standard stream; None where it was closed before the program began, and then nobody wants to hear."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._wrote = False
        self.trouble = ""

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks on."""
        return _is_terminal(self._stream)

    def write(self, text: str) -> None:
        """Write `text`."""
        raise NotImplementedError

    def _put(self, text: str, *, flush: bool) -> None:
        if self._stream is None:
            return
        if text:
            self._wrote = False
            self._stream.write(text)
            self._wrote = True
        if flush:
            self._stream.flush()
            self.trouble = "" if self._wrote else self.trouble  # with nothing to write, it goes well anywhere

    def leave(self) -> None:
        """Let what it did not take go nowhere, so that leaving does not complain about it."""
        if self.trouble and self._stream is not None:
            to_nowhere(self._stream)


class Log(Stream):
    """Standard error: what it does not take is dropped, since a log holds up no certificate (FAULTS 22).

    Each line is tried, once: a disk may have room again.
    """

    def write(self, text: str) -> None:
        """Write `text` at once, if it can be."""
        try:
            self._put(text, flush=True)
        except (OSError, ValueError) as error:  # full, gone, or closed
            self.trouble = _why(error)


class Answers(Stream):
    """Standard output: who asked has to get the answer.

    Raises JprsClientError `answer-lost` where it cannot be written, and goes nowhere from then on; BrokenPipeError
    where the reader is gone. With `may_be_lost` it is one more log.
    """

    may_be_lost = False

    def write(self, text: str) -> None:
        """Write `text`, now or with the next flush."""
        self._try(text, flush=False)

    def flush(self) -> None:
        """Hand over what was written."""
        self._try("", flush=True)

    def _try(self, text: str, *, flush: bool) -> None:
        try:
            self._put(text, flush=flush)
        except OSError as error:
            if not self.may_be_lost and isinstance(error, BrokenPipeError):
                raise
            self.trouble = _why(error)
            if not self.may_be_lost:
                self.leave()
                raise JprsClientError("answer-lost", cause=self.trouble) from error


def _why(error: Exception) -> str:
    return harmless(error.strerror if isinstance(error, OSError) and error.strerror else error)


def reader_is_gone() -> bool:
    """Whether nobody reads standard output any more, as after `| head`."""
    import select

    try:
        watch = select.poll()
        watch.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in watch.poll(0))
    except (OSError, ValueError):
        return False


def to_nowhere(stream: TextIO) -> None:
    """Whatever is in the stream's buffer, and whatever else is written to it, goes nowhere."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # no file of the system's
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False
