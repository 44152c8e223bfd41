"""What people type becomes a value, or an error with a code that names the option."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from jprs_client.cli.input import Address, Moment, Name, Number, OneOf, Parsed, Span
from jprs_client.errors import BadName, UsageError
from jprs_client.terms.names import DnsName

AT = click.Option(["--at"])


def refused(kind: Parsed, text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        kind.convert(text, AT, click.Context(click.Command("plan"), info_name="plan"))
    return caught.value


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22", datetime(2026, 11, 21, 15, 0, tzinfo=UTC)),
        ("2026-11-22T12:00:00+09:00", datetime(2026, 11, 22, 3, 0, tzinfo=UTC)),
        ("2026-11-22T03:00:00Z", datetime(2026, 11, 22, 3, 0, tzinfo=UTC)),
        ("2026-11-22t03:00:00.5z", datetime(2026, 11, 22, 3, 0, 0, 500000, tzinfo=UTC)),
        ("2026-11-22 03:00-00:30", datetime(2026, 11, 22, 3, 30, tzinfo=UTC)),
        ("2028-02-29", datetime(2028, 2, 28, 15, 0, tzinfo=UTC)),
    ],
)
def test_a_time_is_a_japanese_day_or_a_moment_with_its_offset(text: str, moment: datetime) -> None:
    assert Moment().convert(text, AT, None) == moment


def test_a_day_that_something_lasts_until_belongs_to_it() -> None:
    last = Moment(end_of_day=True).convert("2026-12-31", AT, None)

    assert last < datetime(2026, 12, 31, 15, 0, tzinfo=UTC) <= last + timedelta(microseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-02-30",
        "2026-11-22T12:00:00",
        "20261122",
        "2026-W47",
        "２０２６-11-22",
        "0001-01-01",
        "1700000000",
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    error = refused(Moment(), text)

    assert error.code == "bad-time"
    assert error.params["parameter"] == "--at"
    assert error.params["command"] == "plan"
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("4h", 14400), ("2d", 172800), ("0s", 0), ("999999999s", 999999999)],
)
def test_a_span_is_a_number_and_its_unit(text: str, seconds: int) -> None:
    assert Span().convert(text, AT, None) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "90", "-1s", "1.5h", "1w", "2 d", "1h30m", "9999999999s", "999999999d", "５m"])
def test_anything_else_is_no_span(text: str) -> None:
    assert refused(Span(), text).code == "bad-span"


def test_a_lock_may_be_waited_for_in_bare_seconds() -> None:
    assert Span(bare_seconds=True).convert("90", AT, None) == timedelta(seconds=90)
    assert Span(bare_seconds=True).convert("2m", AT, None) == timedelta(minutes=2)


def test_a_name_is_taken_in_any_form() -> None:
    assert Name().convert("ＷＷＷ．例え．jp。", AT, None) == DnsName("www.xn--r8jz45g.jp")
    with pytest.raises(BadName):
        Name().convert("exa_mple.jp", AT, None)


def test_a_choice_a_number_and_an_address_say_what_they_would_take() -> None:
    assert OneOf("en", "ja").convert("ja", AT, None) == "ja"
    assert refused(OneOf("en", "ja"), "fr").params["choices"] == "en, ja"
    assert Number(1, 65535).convert("5002", AT, None) == 5002
    assert [refused(Number(1, 65535), text).code for text in ("0", "65536", "-1", "1e3", "５")] == ["bad-number"] * 5
    for text in ("127.0.0.1:0", "localhost:8053", "[::1]:53"):
        assert Address().convert(text, AT, None) == text
    for text in ("127.0.0.1", "::1:53", "host:65536", "host:", ":53", "a b:53"):
        assert refused(Address(), text).code == "bad-address"


def test_what_was_typed_is_shown_without_what_a_terminal_acts_upon() -> None:
    assert refused(Moment(), "\x1b[2Jx").params["value"] == "[2Jx"


def test_a_value_that_is_one_already_stays() -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)

    assert Moment().convert(moment, AT, None) == moment
