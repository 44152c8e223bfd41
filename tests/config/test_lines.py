"""The scanner finds the line of each key, however TOML was written."""

from __future__ import annotations

import pytest

from jprs_client.config.lines import KeyPath, line_numbers, line_of

TEXT = '''\
# comment with [brackets] and "quotes
top = 1
[ca]  # a = 1
"quoted key" = "a # no comment [x]"
'literal' = 'c:\\new'
dotted . "in.side" = { x = 1, y.z = { deep = [1, {far = 2}] } }
many = """
[ca]
trap = 1 \\""" still in
""""
lines = \'\'\'
[[usage_fqdn]]
\'\'\'\'
list = [ # comment ]
  1, "]",
  [2,
   3],
]
empty = {}
date = 2026-11-22 07:32:00.5
[[usage_fqdn]]
name = "a"
[usage_fqdn.sub]
k = 1
[[usage_fqdn.more]]
k = 1
[[usage_fqdn.more]]
k = 2
[[ usage_fqdn ]]
  name = "b"
[a.b.c]
[a]
z = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("ca",), 3),
        (("ca", "quoted key"), 4),
        (("ca", "literal"), 5),
        (("ca", "dotted", "in.side"), 6),
        (("ca", "dotted", "in.side", "y", "z", "deep", 1, "far"), 6),
        (("ca", "many"), 7),
        (("ca", "lines"), 11),
        (("ca", "list"), 14),
        (("ca", "list", 0), 15),
        (("ca", "list", 1), 15),
        (("ca", "list", 2), 16),
        (("ca", "list", 2, 1), 17),
        (("ca", "empty"), 19),
        (("ca", "date"), 20),
        (("usage_fqdn", 0), 21),
        (("usage_fqdn", 0, "name"), 22),
        (("usage_fqdn", 0, "sub", "k"), 24),
        (("usage_fqdn", 0, "more", 0, "k"), 26),
        (("usage_fqdn", 0, "more", 1), 27),
        (("usage_fqdn", 0, "more", 1, "k"), 28),
        (("usage_fqdn", 1), 29),
        (("usage_fqdn", 1, "name"), 30),
        (("a", "b", "c"), 31),
        (("a",), 32),
        (("a", "z"), 33),
    ],
)
def test_each_key_is_found_on_its_line(path: KeyPath, line: int) -> None:
    assert line_numbers(TEXT)[path] == line


def test_the_same_with_the_line_ends_of_windows() -> None:
    assert line_numbers(TEXT.replace("\n", "\r\n")) == line_numbers(TEXT)


def test_a_key_that_is_not_there_has_the_line_of_the_table_around_it() -> None:
    found = line_numbers(TEXT)

    assert line_of(found, ("usage_fqdn", 1, "term")) == 29
    assert line_of(found, ("nothing", "here")) is None


def test_arrays_may_nest_deeper_than_python_calls() -> None:
    deep = "[" * 3000 + "]" * 3000

    assert line_numbers(f"a = {deep}\nb = 1")[("b",)] == 2
