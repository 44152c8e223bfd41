"""Each code that this room uses is a sentence in both languages."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

import jprs_client.config
import jprs_client.credentials
from jprs_client.errors import ConfigError, JprsClientError, SecretExposed
from jprs_client.locale import Speech, config, terms
from tests.config.files import Plugins, loaded
from tests.config.test_faults import FAULTS

_FILES = [*Path(str(jprs_client.config.__file__)).parent.glob("*.py"), Path(jprs_client.credentials.__file__)]
_CODES = sorted(
    {
        node.value
        for file in _FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(("config-", "eab-", "secret-"))
        and node.value.rstrip("-") == node.value
    }
)


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_the_codes_are_found() -> None:
    assert len(_CODES) > 40


@pytest.mark.parametrize("code", _CODES)
def test_each_code_says_what_happened_and_what_to_do(code: str) -> None:
    for sentences in (config.EN, config.JA):
        assert f"error.{code}" in sentences
        assert f"next.{code}" in sentences


def test_a_wrong_name_in_a_file_says_what_it_says_elsewhere() -> None:
    codes = [key.partition(".")[2] for key in terms.EN if key.startswith("error.name-")]

    assert codes
    for code in codes:
        assert config.JA[f"error.config-{code}"].endswith(terms.JA[f"error.{code}"])
        assert config.EN[f"next.config-{code}"] == terms.EN[f"next.{code}"]


def test_both_languages_say_the_same_things() -> None:
    assert config.EN.keys() == config.JA.keys()
    for key, sentence in config.EN.items():
        assert _placeholders(sentence) == _placeholders(config.JA[key]), key


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("fault", FAULTS, ids=[f"{number}-{fault[1]}" for number, fault in enumerate(FAULTS)])
def test_each_fault_is_spoken_with_its_place_and_its_key(
    tmp_path: Path, fault: tuple[str, str, int | None, str | None, dict[str, str | None]], language: str
) -> None:
    text, _, line, key, _ = fault
    with pytest.raises(ConfigError) as error:
        loaded(tmp_path, text, Plugins())

    happened, remedy = Speech("ja" if language == "ja" else "en").error_sentence(error.value.problems[0])

    file = tmp_path / "config.toml"
    assert happened.startswith(f"{file}:{line}: " if line is not None else f"{file}: ")
    assert key is None or key in happened
    assert remedy
    assert "{" not in remedy.replace("{ ", "").replace("{…}", "")


@pytest.mark.parametrize("line", [None, 3])
def test_a_line_that_nobody_knows_is_not_spoken_of(line: int | None) -> None:
    error: JprsClientError = SecretExposed("eab-syntax", file="/eab.toml", line=line)

    happened, _ = Speech("en").error_sentence(error)

    assert happened.startswith("/eab.toml is" if line is None else "Line 3 of /eab.toml is")
