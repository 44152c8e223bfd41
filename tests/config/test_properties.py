"""Whatever stands in the file, what comes of it is a Config or a ConfigError."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from jprs_client.config import KEYS, Config, load
from jprs_client.config.lines import line_numbers
from jprs_client.errors import ConfigError
from tests.config.files import Plugins
from tests.config.test_reading import WHOLE

_WORDS = st.sampled_from(
    ["example.jp", "*.example.jp", "1y", "web", "dns", "nginx", "hook", "always", "https://a.jp/d"]
)
_SCALARS = st.one_of(
    _WORDS.map(lambda word: f'"{word}"'),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), max_size=8).map(
        lambda t: f'"{t}"'
    ),
    st.sampled_from(
        ["true", "1", "-7", "1.5", "inf", "2026-11-22", "2026-11-22T00:00:00Z", "07:32:00", "0x" + "f" * 20]
    ),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(_WORDS | st.just("default"), inner, max_size=3).map(
            lambda table: "{" + ", ".join(f'"{key}" = {value}' for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=5,
)
_KEYS = st.sampled_from(
    sorted({key for keys in KEYS.values() for key in keys} | {"listen", "command", "password", "x"})
)
_HEADERS = st.one_of(
    st.sampled_from(sorted(KEYS)).map(lambda kind: f"[{kind}]"),
    st.sampled_from(
        ["[[usage_fqdn]]", "[[certificate]]", "[solver.web]", "[solver.dns]", "[installer.nginx]", "[[ca]]"]
    ),
)
_TABLES = st.tuples(_HEADERS, st.dictionaries(_KEYS, _VALUES, max_size=6)).map(
    lambda table: "\n".join([table[0], *(f"{key} = {value}" for key, value in table[1].items())])
)
_LIKELY = st.lists(_TABLES, max_size=6).map("\n".join)


def _outcome(text: str) -> Config | ConfigError:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_bytes(text.encode(errors="surrogatepass"))
        try:
            return load(path, Plugins())
        except ConfigError as error:
            return error


@given(st.text() | _LIKELY)
@example(WHOLE)
@settings(max_examples=400, deadline=None)
def test_any_text_gives_a_config_or_a_config_error(text: str) -> None:
    outcome = _outcome(text)

    if isinstance(outcome, ConfigError):
        assert all(problem.code.startswith("config-") for problem in outcome.problems)
    else:
        assert tomllib.loads(text.replace("\r\n", "\n")) is not None


@given(_LIKELY)
@settings(max_examples=200, deadline=None)
def test_every_key_that_toml_knows_has_a_line(text: str) -> None:
    try:
        top = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines, total = line_numbers(text), len(text.split("\n"))

    def check(value: object, path: tuple[str | int, ...]) -> None:
        if path:
            assert 1 <= lines[path] <= total
        if isinstance(value, dict):
            for key, inner in value.items():
                check(inner, (*path, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                check(inner, (*path, index))

    check(top, ())


@given(st.integers(1, len(WHOLE.splitlines())), st.sampled_from(["x = 1", "[ca]", "[[[", '"', "password = 'p'"]))
@settings(max_examples=100, deadline=None)
def test_a_line_too_many_anywhere_is_told_with_a_line(number: int, more: str) -> None:
    lines = WHOLE.splitlines()
    outcome = _outcome("\n".join([*lines[:number], more, *lines[number:]]))

    assert isinstance(outcome, ConfigError)
    assert all(problem.line is not None for problem in outcome.problems)
