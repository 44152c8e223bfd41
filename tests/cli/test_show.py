"""What is shown fits its columns, Japanese too, and never steers the terminal it is shown on."""

from __future__ import annotations

import errno
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jprs_client.cli.show import Screen, json_line, json_text, padded, width, wrapped
from jprs_client.errors import JprsClientError
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import Term


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("plan", 4), ("証明書", 6), ("ｶﾅ", 2), ("Ａ", 2), ("か\u3099", 2), ("é", 1), ("…", 1)],
)
def test_a_wide_character_takes_two_columns(text: str, columns: int) -> None:
    assert width(text) == columns
    assert width(padded(text, 10)) == 10


@given(st.text(alphabet="ab 、。（）証明書-", max_size=80), st.integers(4, 30))
def test_folding_keeps_every_character_and_the_width(text: str, columns: int) -> None:
    lines = wrapped(text, columns)

    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        unbreakable = max((len(word) for word in re.findall("[ab-]+", line)), default=0)
        clinging = sum(width(character) for character in line if character in "、。）（")
        clinging += sum(map(len, re.findall(" +(?=[、。）])|(?<=（) +", line)))  # a blank beside it goes with it
        assert width(line) <= max(columns, unbreakable, 2) + clinging


def test_no_line_begins_with_what_ends_a_sentence() -> None:
    assert wrapped("証明書を更新。設置", 12) == ["証明書を更", "新。設置"]
    assert wrapped("a（証明書）", 6) == ["a（証", "明書）"]


def test_paragraphs_stay_apart() -> None:
    assert wrapped("one\n\ntwo", 20) == ["one", "", "two"]


def test_json_has_moments_with_an_offset_and_days_without() -> None:
    document = {
        "at": datetime(2026, 11, 22, 3, 0, tzinfo=UTC),
        "ends": date(2027, 11, 30),
        "names": frozenset({DnsName("www.example.jp"), DnsName("example.jp")}),
        "first": DnsName("例え.jp"),
        "term": Term.ONE_YEAR,
        "waits": timedelta(minutes=2),
        "file": Path("a/b"),
        "none": None,
    }

    assert json.loads(json_text(document)) == {
        "at": "2026-11-22T03:00:00+00:00",
        "ends": "2027-11-30",
        "names": ["example.jp", "www.example.jp"],
        "first": "例え.jp",
        "term": 12,
        "waits": 120,
        "file": "a/b",
        "none": None,
    }


def test_what_has_no_place_in_json_is_a_bug() -> None:
    with pytest.raises(TypeError, match="bytes"):
        json_text({"key": b"secret"})


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_reads_back_the_same_and_has_nothing_a_terminal_acts_upon(document: object) -> None:
    for text in (json_line(document), json_text(document, indent=2)):
        text.encode()  # lone surrogates too
        assert json.loads(text) == document
        assert all(character.isprintable() or character == "\n" for character in text)
    assert "\n" not in json_line(document)


def test_piped_text_is_plain_and_whole() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(out, err, {})
    screen.line("long " * 60, "error", indent=2)
    screen.table(["name", "名前"], [["example.jp", "例"], ["a.jp", "日本語"]], indent=2)
    screen.doing("nobody looks on")
    screen.flush()

    first, *table = out.getvalue().splitlines()
    assert first == "  " + ("long " * 60).rstrip()
    assert table == ["  name        名前", "  example.jp  例", "  a.jp        日本語"]
    assert err.getvalue() == ""


def test_a_terminal_gets_colour_unless_it_says_no() -> None:
    def shown(environ: dict[str, str]) -> str:
        out = Terminal()
        Screen(out, Terminal(), environ).line("done", "good")
        return out.getvalue()

    assert shown({"TERM": "xterm"}) == "\x1b[32mdone\x1b[0m\n"
    assert shown({"TERM": "xterm", "NO_COLOR": "1"}) == "done\n"
    assert shown({"TERM": "dumb"}) == "done\n"


def test_a_table_is_folded_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    Screen(out, Terminal(), {"NO_COLOR": "1"}).table(
        ["name", "why"], [["example.jp", "its time has come and it is due " * 2]]
    )

    lines = out.getvalue().splitlines()
    assert len(lines) > 2
    assert max(map(width, lines)) <= 40


def test_with_json_people_read_standard_error() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(out, err, {}, json=True)
    screen.line("for people")
    screen.document({"done": []})

    assert out.getvalue() == '{"done": []}\n'
    assert err.getvalue() == "for people\n"


def test_a_quiet_run_says_only_errors_and_documents() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(out, err, {})
    screen.verbosity = -1
    screen.line("answer")
    screen.note("note")
    screen.table(["a"], [["b"]])
    screen.doing("something")
    screen.error("error: it failed")
    screen.record({"at": 1})

    assert out.getvalue() == '{"at": 1}\n'
    assert err.getvalue() == "error: it failed\n"


def test_what_is_going_on_is_gone_before_anything_else_is_said() -> None:
    err = Terminal()
    screen = Screen(io.StringIO(), err, {"NO_COLOR": "1"})
    screen.doing("ordering main")
    screen.error("error: refused")

    assert err.getvalue() == "\r\x1b[Kordering main …\r\x1b[Kerror: refused\n"


def test_verbose_says_what_is_going_on_where_nobody_looks_on() -> None:
    err = io.StringIO()
    screen = Screen(io.StringIO(), err, {})
    screen.verbosity = 1
    screen.doing("ordering main")

    assert err.getvalue() == "ordering main\n"


# -- where it cannot be written ---------------------------------------------------------------------------------------


class Disk(io.StringIO):
    """A stream on a disk that may be full."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error: OSError | None = error

    def write(self, text: str, /) -> int:
        if self.error is not None:
            raise self.error
        return super().write(text)

    def flush(self) -> None:
        if self.error is not None:
            raise self.error


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("error", [FULL, BrokenPipeError(errno.EPIPE, "Broken pipe")])
def test_a_log_that_is_full_or_gone_is_no_error_and_is_tried_line_by_line(error: OSError) -> None:
    """FAULTS 22."""
    err = Disk(error)
    screen = Screen(io.StringIO(), err, {})
    screen.verbosity = 1
    screen.note("a note")
    screen.error("an error")
    screen.doing("ordering")
    screen.prompt("sure?")
    screen.traceback(ValueError("x"))
    screen.flush()
    assert screen.trouble == error.strerror

    err.error = None
    screen.note("room again")
    assert screen.trouble == ""
    assert err.getvalue() == "room again\n"


def test_with_json_what_people_read_is_the_log() -> None:
    out = io.StringIO()
    screen = Screen(out, Disk(FULL), {}, json=True)
    screen.line("for people")
    screen.table(["a"], [["b"]])
    screen.document({})

    assert out.getvalue() == "{}\n"


def test_an_answer_that_cannot_be_written_is_an_error_unless_the_program_stays() -> None:
    with pytest.raises(JprsClientError, match="answer-lost"):
        Screen(Disk(FULL), io.StringIO(), {}).answer("OK")
    with pytest.raises(BrokenPipeError):
        Screen(Disk(BrokenPipeError()), io.StringIO(), {}).answer("OK")

    screen = Screen(Disk(FULL), io.StringIO(), {}, json=True)
    screen.outlive_its_reader()
    screen.record({"at": 1})
    assert screen.trouble == "No space left on device"


def test_streams_that_were_closed_before_the_start_hear_nothing() -> None:
    screen = Screen(None, None, {})
    screen.line("line")
    screen.error("error")
    screen.flush()
    screen.leave()

    assert screen.trouble == ""
