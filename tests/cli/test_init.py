"""`init` writes a configuration that loads, says what it means, and holds no secret."""

from __future__ import annotations

import json
import stat
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from jprs_client.cli.init import UsageFqdn, Wishes, config_text
from jprs_client.cli.main import main
from jprs_client.config import load
from jprs_client.credentials import read_eab
from jprs_client.locale import LANGUAGES, Language, Speech
from jprs_client.registry import Registry
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import Term
from tests.cli.processes import at_a_terminal

PROGRAM = [sys.executable, "-m", "jprs_client.cli"]
GIVEN = ["--contact", "admin@example.jp", "--usage-fqdn", "example.jp:1y"]

Ran = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Ran:
    """`init` with options; exit code, standard output, standard error."""

    def ran(file: Path, *options: str) -> tuple[int, str, str]:
        code = main(["init", "--config", str(file), *options])
        out, err = capsys.readouterr()
        return code, out, err

    return ran


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_written_loads_and_says_what_was_asked_for(run: Ran, tmp_path: Path, language: str) -> None:
    file = tmp_path / "etc" / "jprs-client" / "config.toml"
    code, out, _ = run(
        file, "--lang", language, "--contact", "mailto:ops@例え.jp", "--contact", "admin@example.jp",
        "--usage-fqdn", "Example.JP:1y", "--usage-fqdn", "＊.shop.example.jp:1m", "--install", "nginx",
    )  # fmt: skip
    config = load(file, Registry())

    assert code == 0
    assert str(file) in out
    assert config.account.contact == ("ops@xn--r8jz45g.jp", "admin@example.jp")
    assert [(usage.name.ascii, usage.term) for usage in config.usage_fqdns] == [
        ("example.jp", Term.ONE_YEAR),
        ("*.shop.example.jp", Term.ONE_MONTH),
    ]
    assert config.defaults.install == ("nginx",)
    assert config.account.eab_credentials is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_example_in_the_comments_is_toml_that_loads(tmp_path: Path, language: Language) -> None:
    """Who takes the comment sign away gets what the comment says."""
    wishes = Wishes(("a@example.jp",), (UsageFqdn(DnsName("*.example.jp"), Term.ONE_YEAR),), "eab.toml", ("nginx",))
    lines = config_text(wishes, Speech(language).say).splitlines()
    examples = [line.removeprefix("# ") for line in lines if line.startswith("# ") and (" = " in line or "# [" in line)]
    file = tmp_path / "config.toml"

    assert any("solver = {" in example for example in examples)
    for example in examples:
        tomllib.loads(example)
    wanted = (
        "# [solver",
        '# plugin = "hook"',
        '# plugin = "webroot"',
        "# path",
        "# challenge",
        "# command",
        "# solver = {",
    )
    file.write_text("\n".join(line.removeprefix("# ") if line.startswith(wanted) else line for line in lines))
    config = load(file, Registry())
    assert config.defaults.solver.for_name(DnsName("*.example.jp")) == "dns"


def test_the_files_are_readable_and_the_folders_can_be_entered(run: Ran, tmp_path: Path) -> None:
    file = tmp_path / "etc" / "jprs-client" / "config.toml"
    run(file, *GIVEN)

    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o755
    assert stat.S_IMODE(file.parent.parent.stat().st_mode) == 0o755


def test_a_configuration_that_is_there_is_kept_unless_forced(run: Ran, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("# mine\n")

    code, out, _ = run(file, *GIVEN, "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "init-exists")
    assert file.read_text() == "# mine\n"

    assert run(file, *GIVEN, "--force")[0] == 0
    assert load(file).account.contact == ("admin@example.jp",)


def test_a_path_given_at_the_command_line_means_the_same_file_in_the_configuration(
    run: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets").mkdir()
    monkeypatch.chdir(tmp_path)

    run(Path("config.toml"), *GIVEN, "--eab-credentials", "secrets/eab.toml")
    assert load(tmp_path / "config.toml").account.eab_credentials == tmp_path / "secrets" / "eab.toml"

    run(Path("secrets/config.toml"), *GIVEN, "--eab-credentials", "secrets/eab.toml")
    assert 'eab_credentials = "eab.toml"' in (tmp_path / "secrets" / "config.toml").read_text()


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        ([], "init-needs", 2),
        (["--contact", "admin@example.jp"], "init-needs", 2),
        (["--contact", "admin", "--usage-fqdn", "example.jp:1y"], "init-bad-contact", 2),
        (["--contact", "a b@example.jp", "--usage-fqdn", "example.jp:1y"], "init-bad-contact", 2),
        (["--contact", "admin@*.example.jp"], "init-bad-contact", 2),
        ([*GIVEN, "--usage-fqdn", "www.example.jp"], "init-usage-fqdn-without-term", 2),
        ([*GIVEN, "--usage-fqdn", "www.example.jp:2y"], "term-unknown", 2),
        ([*GIVEN, "--usage-fqdn", "exa_mple.jp:1y"], "name-underscore", 4),
        ([*GIVEN, "--usage-fqdn", "EXAMPLE.jp.:1m"], "init-usage-fqdn-twice", 2),
        ([*GIVEN, "--install", "ngix"], "init-no-such-installer", 2),
    ],
)
def test_what_cannot_be_written_is_told_and_nothing_is_written(
    run: Ran, tmp_path: Path, options: list[str], code: str, exit_code: int
) -> None:
    ended, out, _ = run(tmp_path / "config.toml", "--json", *options)

    assert (ended, json.loads(out)["error"]["code"]) == (exit_code, code)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_told(run: Ran, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, out, _ = run(tmp_path / "file" / "config.toml", *GIVEN, "--json")

    assert (code, json.loads(out)["error"]["code"]) == (3, "init-not-writable")


def test_on_a_terminal_it_asks_and_the_secret_does_not_show(tmp_path: Path) -> None:
    file, secret = tmp_path / "config.toml", "bWFnaWMtYmVhbnMtYXJlLW5vdC1mb3ItZWF0aW5n"
    code, shown = at_a_terminal(
        [*PROGRAM, "init", "--config", str(file), "--lang", "en"],
        ["not an address", "admin@example.jp", "", "example.jp", "example.jp:1y", "", "kid-1", secret, "nginx", ""],
    )
    config = load(file, Registry())

    assert code == 0, shown
    assert "is no mail address" in shown
    assert "says no term" in shown
    assert secret not in shown
    assert secret not in file.read_text()
    assert config.account.contact == ("admin@example.jp",)
    assert config.defaults.install == ("nginx",)
    assert config.account.eab_credentials is not None
    assert stat.S_IMODE(config.account.eab_credentials.stat().st_mode) == 0o600
    assert read_eab(config.account.eab_credentials).key_id == "kid-1"


def test_a_person_who_has_no_credentials_yet_goes_on_without(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    code, shown = at_a_terminal([*PROGRAM, "init", "--config", str(file), *GIVEN[:2]], ["*.example.jp:1m", "", "", ""])

    assert code == 0, shown
    assert "finish [solver.dns]" in shown
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml"]


def test_a_person_who_goes_away_leaves_nothing_behind(tmp_path: Path) -> None:
    code, shown = at_a_terminal([*PROGRAM, "init", "--config", str(tmp_path / "config.toml")], ["\x04"])

    assert code == 130, shown
    assert list(tmp_path.iterdir()) == []
