"""What the program is told, and what it says: options, files, Pebble's words, the start, errors; in two languages."""

# ruff: noqa: RUF005, S104 - lists in several lines; addresses that Pebble has

from __future__ import annotations

import json
import re
import socket
import string
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jprs_client.locale.cli import EN as CLIENTS_EN
from jprs_client.locale.cli import JA as CLIENTS_JA
from jprs_client.testca import words
from jprs_client.testca.__main__ import greeting, main, options
from jprs_client.testca.ca import PROFILES, Settings
from jprs_client.testca.options import OPTIONS, OptionError
from jprs_client.testca.server import Ready

READY = Ready("https://127.0.0.1:1/dir", "https://127.0.0.1:2", "http://127.0.0.1:3", "/tmp/root.pem", 4, "127.0.0.1:5")


def settings_of(*arguments: str, **environment: str) -> Settings:
    return options(["serve", *arguments], environment).settings


# -- options -----------------------------------------------------------------------------------------------------------


def test_every_option_reaches_the_settings() -> None:
    found = settings_of(
        *("--issuer", "by-key", "--perspectives", "3", "--validation-delay", "0.5", "--always-valid"),
        *("--ocsp-lag", "2m", "--authz-reuse", "50", "--nonce-reject", "5", "--without", "keyChange,renewalInfo"),
        *("--without=profiles", "--orders-per-page", "3", "--retry-after", "7", "--caa-identity", "Ca.Example."),
        *("--block", "blocked.example", "--profile", "short=160h", "--profile", "long=90d"),
    )
    assert (found.issuer, found.perspectives, found.validation_delay) == ("by-key", 3, 0.5)
    assert (found.always_valid, found.ocsp_lag, found.reuse) == (True, timedelta(minutes=2), 50)
    assert (found.nonce_rejects, found.orders_a_page, found.ask_again) == (5, 3, 7)
    assert found.without == {"keyChange", "renewalInfo", "profiles"}
    assert (found.caa_identities, found.blocked) == (("ca.example",), ("blocked.example",))
    assert {name: profile.lifetime for name, profile in found.profiles.items()} == {
        "short": timedelta(hours=160),
        "long": timedelta(days=90),
    }


def test_ocsp_lags_by_ten_minutes_as_jprss_does_and_not_where_the_ca_is_open() -> None:
    assert settings_of().ocsp_lag == timedelta(minutes=10)
    assert settings_of("--open").ocsp_lag == timedelta(0)
    assert settings_of("--open", "--ocsp-lag", "90s").ocsp_lag == timedelta(seconds=90)
    assert settings_of().profiles == PROFILES


def test_every_option_may_stand_in_the_file(tmp_path: Path) -> None:
    config = tmp_path / "ca.toml"
    config.write_text(
        """
        issuer = "rsa"
        ocsp-lag = "0s"
        without = ["keyChange"]
        retry-after = 3
        validation_delay = 0.25
        caa-identity = ["a.example", "b.example"]
        block = "blocked.example"
        quiet = true
        tls-cert = "cert.pem"
        tls-key = "/key.pem"
        [profiles.classic]
        description = "As ever"
        [profiles.short]
        lifetime = "6d"
        """
    )
    chosen = options(["serve", "--config", str(config), "--issuer", "ecdsa"])
    found = chosen.settings
    assert (found.issuer, found.ocsp_lag, found.without) == ("ecdsa", timedelta(0), frozenset({"keyChange"}))
    assert (found.ask_again, found.validation_delay) == (3, 0.25)
    assert found.caa_identities == ("a.example", "b.example")
    assert found.profiles["classic"].description == "As ever"
    assert found.profiles["short"].lifetime == timedelta(days=6)
    assert chosen.quiet
    assert (chosen.doors.tls_cert, chosen.doors.tls_key) == (tmp_path / "cert.pem", Path("/key.pem"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--issuer", "cheese"], "--issuer cheese: one of ecdsa, rsa, by-key"),
        (["--perspectives", "11"], "from 1 to 10"),
        (["--validation-delay", "soon"], "number of seconds"),
        (["--ocsp-lag", "10 minutes"], "for example 90s"),
        (["--authz-reuse", "101"], "0 to 100"),
        (["--without", "newOrder"], "keyChange"),
        (["--caa-identity", "a b.example"], "domain name"),
        (["--profile", "short"], "NAME=SPAN"),
        (["--profile", "zero=0d"], "0d"),
        (["--listen", "[::1]"], "HOST:PORT"),
        (["--no-such-option"], "--no-such-option"),
        (["--tls-key", "key.pem"], "--tls-cert and --tls-key"),
        (["--config", "/"], "/ cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_can(arguments: list[str], said: str) -> None:
    with pytest.raises(OptionError) as refused:
        options(["serve", *arguments])
    assert said in str(refused.value)
    assert refused.value.sentence("ja") != str(refused.value)


@pytest.mark.parametrize(
    "text",
    ['caa-identity = [1]', "profiles = 1", "[profiles.a]\nlife = 1", "block = [[]]", 'open = "yes"', "ready-file = 1"]
    + ['subscriber = "x"', "http-port = true", "now = true", "[profiles.a]\ndescription = 1"],
)  # fmt: skip
def test_what_cannot_be_used_in_a_file_is_named(text: str, tmp_path: Path) -> None:
    config = tmp_path / "ca.toml"
    config.write_text(text)
    with pytest.raises(OptionError) as refused:
        options(["serve", "--config", str(config)])
    assert refused.value.sentence("ja")


# -- Pebble's ----------------------------------------------------------------------------------------------------------


def test_all_of_pebbles_configuration_is_read_or_told(tmp_path: Path) -> None:
    config = tmp_path / "pebble.json"
    pebble: dict[str, Any] = {
        "listenAddress": "0.0.0.0:14000",
        "managementListenAddress": "",
        "certificate": "no/cert.pem",
        "privateKey": "no/key.pem",
        "httpPort": 80,
        "tlsPort": 443,
        "ocspResponderURL": "http://ocsp.example",
        "crlListenAddress": "127.0.0.1:4003",
        "crlBaseURL": "http://localhost:4003/",
        "crlMaxDelay": 3,
        "externalAccountBindingRequired": False,
        "externalAccountMACKeys": {"kid": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"},
        "DomainBlockList": ["blocked-domain.example"],
        "retryAfter": {"authz": 3, "order": 5},
        "keyAlgorithm": "rsa",
        "caaIdentities": None,
        "profiles": {"default": {"description": "known", "validityPeriod": 7776000}, "other": {}},
        "surprise": 1,
    }
    config.write_text(json.dumps({"pebble": pebble}))
    environment = {
        "PEBBLE_WFE_NONCEREJECT": "15",
        "PEBBLE_AUTHZREUSE": "100",
        "PEBBLE_VA_SLEEPTIME": "4",
        "PEBBLE_VA_ALWAYS_VALID": "1",
        "PEBBLE_WFE_ORDERS_PER_PAGE": "0x",
        "PEBBLE_CHAIN_LENGTH": "2",
        "PEBBLE_CRL_VALIDITY": "9",
        "PEBBLE_SURPRISE": "9",
        "LANG": "C",
    }
    chosen = options(["serve", "-config", str(config), "-strict", "-dnsserver", ":5053"], environment)
    found = chosen.settings
    assert (found.open, found.require_eab, found.http_port, found.tls_port) == (True, False, 80, 443)
    assert (found.issuer, found.ask_again, found.blocked) == ("rsa", 5, ("blocked-domain.example",))
    assert (found.nonce_rejects, found.reuse, found.validation_delay, found.always_valid) == (15, 100, 4.0, True)
    assert (found.caa_identities, found.resolver) == (("pebble.letsencrypt.org",), ("0.0.0.0", 5053))
    assert {name: profile.lifetime for name, profile in found.profiles.items()} == {
        "default": timedelta(days=90),
        "other": None,
    }
    assert (chosen.doors.listen, chosen.doors.pki) == (("0.0.0.0", 14000), ("127.0.0.1", 4003))
    assert (chosen.doors.management, chosen.doors.mock_dns) == (("127.0.0.1", 15000), None)
    told = "\n".join(note.sentence("en") for note in chosen.notes)
    for word in ("ocspResponderURL", "crlBaseURL", "crlMaxDelay", "managementListenAddress", "no/cert.pem", "surprise"):
        assert word in told
    for word in ("retryAfter", "ORDERS_PER_PAGE", "CHAIN_LENGTH", "CRL_VALIDITY", "PEBBLE_SURPRISE"):
        assert word in told
    assert all(note.sentence("ja") for note in chosen.notes)


def test_pebbles_older_configuration_has_one_lifetime(tmp_path: Path) -> None:
    config = tmp_path / "pebble.json"
    config.write_text(json.dumps({"pebble": {"certificateValidityPeriod": 3600, "retryAfter": {"authz": 2}}}))
    found = settings_of("--config", str(config))
    assert found.profiles["default"].lifetime == timedelta(hours=1)
    assert found.ask_again == 2


@pytest.mark.parametrize(
    "members",
    [{"httpPort": "80"}, {"httpPort": -1}, {"retryAfter": 1}, {"profiles": {"a": 1}}, {"keyAlgorithm": "dsa"}]
    + [{"externalAccountMACKeys": {"a": 1}}, {"domainBlocklist": [1]}, {"listenAddress": "here"}, {"tlsPort": True}],
)  # fmt: skip
def test_what_pebble_would_not_read_either_is_refused(members: dict[str, Any], tmp_path: Path) -> None:
    config = tmp_path / "pebble.json"
    config.write_text(json.dumps({"pebble": members}))
    with pytest.raises(OptionError):
        options(["serve", "--config", str(config)])


def test_pebbles_environment_counts_only_where_it_is_asked_for() -> None:
    assert settings_of(PEBBLE_WFE_NONCEREJECT="90").nonce_rejects == 0
    assert settings_of("--pebble-environment", PEBBLE_WFE_NONCEREJECT="90").nonce_rejects == 90
    assert settings_of("--pebble-environment", "--nonce-reject", "1", PEBBLE_WFE_NONCEREJECT="90").nonce_rejects == 1
    slept = settings_of("--pebble-environment", PEBBLE_VA_SLEEPTIME="9", PEBBLE_VA_NOSLEEP="1")
    assert slept.validation_delay == 0


def test_pebble_has_no_commands() -> None:
    assert options(["--open"]).settings.open
    assert not options(["--lang", "ja", "serve"]).settings.open


# -- what it says ------------------------------------------------------------------------------------------------------


def test_both_languages_say_the_same_things() -> None:
    assert words.EN.keys() == words.JA.keys()
    for key, english in words.EN.items():
        assert _places(english) == _places(words.JA[key]), key
        assert english
        assert words.JA[key]
    assert {key for key, text in words.JA.items() if text.isascii()} <= {"start.resolver"}


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_sentence_is_said_somewhere_and_every_one_said_is_there() -> None:
    room = Path(words.__file__).parent
    source = "".join((room / f"{name}.py").read_text() for name in ("__main__", "options", "pebble_config", "server"))
    said = set(re.findall(r'(?:OptionError|ServeError|Note)\(\s*"([a-z-]+)"', source))
    said |= set(re.findall(r'"(port-[a-z-]+)"', source)) | {"percent", "count", "seconds"}
    assert said == {key.partition(".")[2] for key in words.EN if key.startswith(("error.", "note."))}
    shown = set(re.findall(r"[\"']((?:start|help)\.[a-z-]+)[\"']", source))
    assert shown == {key for key in words.EN if key.startswith(("start.", "help."))}
    own = {"help", "version", "lang", "config", "pebble-environment"}
    assert {key.partition(".")[2] for key in words.EN if key.startswith("option.")} == own | {o.name for o in OPTIONS}


def test_the_clients_own_help_says_the_same() -> None:
    for ours, theirs in ((words.EN, CLIENTS_EN), (words.JA, CLIENTS_JA)):
        for key, text in theirs.items():
            option = key.removeprefix("help.test-ca.serve.")
            if option != key:
                assert ours[f"option.{option}"] == text
        known = {key.removeprefix("help.test-ca.serve.") for key in theirs}
        assert {option.name for option in OPTIONS} - known == {"quiet", "verbose"}


@pytest.mark.parametrize(
    ("arguments", "environment", "language"),
    [
        ([], {}, "en"),
        (["--lang", "ja"], {"LANG": "en_US.UTF-8"}, "ja"),
        (["serve", "--lang=ja"], {}, "ja"),
        (["--lang"], {"LANG": "ja_JP.UTF-8"}, "ja"),
        ([], {"LC_ALL": "C", "LANG": "ja_JP.UTF-8"}, "en"),
        ([], {"LC_ALL": "", "LC_MESSAGES": "ja_JP.UTF-8"}, "ja"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_environments(
    arguments: list[str], environment: dict[str, str], language: str
) -> None:
    assert words.language_of(arguments, environment) == language


def test_the_start_says_where_everything_is_and_what_to_type() -> None:
    told = greeting(options(["serve"]), READY, "en")
    assert "TEST ONLY" in told[0]
    for part in (READY.directory, READY.management, READY.pki, READY.dns, READY.trust, "JPRS's contracts"):
        assert any(part in line for line in told if part), part
    curl = next(line for line in told if "curl" in line)
    document = json.loads(re.findall(r"-d '(.*?)'", curl)[0])
    assert document["usage_fqdns"] == [{"name": "example.jp", "term": "1y"}]
    assert curl.endswith("https://127.0.0.1:2/jprs/subscribers")

    opened = "\n".join(greeting(options(["serve", "--open", "--always-valid", "--now", "2030-01-01"]), READY, "en"))
    assert "any account, any name; proofs are not looked at" in opened
    assert "subscribers" not in opened
    assert "2029-12-31" in opened
    resolving = greeting(options(["serve", "--resolver", "127.0.0.1:53"]), Ready("", "", "", "", 1), "ja")
    assert any("127.0.0.1:53" in line for line in resolving)
    assert "テスト専用" in resolving[0]


def test_columns_stand_below_each_other_in_japanese() -> None:
    rows = [line for line in greeting(options(["serve"]), READY, "ja") if "127.0.0.1" in line and "curl" not in line]
    before = {re.split(r"https?://|127", row)[0] for row in rows}
    assert len({sum(1 if letter.isascii() else 2 for letter in text) for text in before}) == 1


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_a_start_that_fails_says_what_to_do(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cases = {
            f"--management=127.0.0.1:{port}": (1, "--management"),
            "--pki=192.0.2.1:0": (1, "--allow-any-address"),
            "--listen=example:0": (1, "--listen"),
            "--ready-file=/no/such/folder/x": (1, "/no/such/folder/x"),
            "--http-port=x": (2, "--http-port x"),
        }
        for option, (status, said) in cases.items():
            others = [f"--{name}=127.0.0.1:0" for name in ("listen", "management", "pki", "mock-dns")]
            arguments = ["serve", "--quiet", "--lang", language, *others, option]
            assert main(arguments, {}) == status
            told = capsys.readouterr()
            assert said in told.err
            assert told.out == ""
            assert told.err.startswith("test-ca: ")
            assert told.err.count("\n") == 1


def test_an_address_that_this_machine_does_not_have_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    others = [f"--{name}=127.0.0.1:0" for name in ("management", "pki", "mock-dns")]
    assert main(["serve", "--listen", "192.0.2.1:0", "--allow-any-address", *others], {}) == 1
    assert "does not have that address" in capsys.readouterr().err


def test_certificate_files_that_cannot_be_used_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    others = [f"--{name}=127.0.0.1:0" for name in ("listen", "management", "pki", "mock-dns")]
    assert main(["serve", "--tls-cert", str(bad), "--tls-key", str(bad), *others], {}) == 1
    assert str(bad) in capsys.readouterr().err


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_help_is_in_both_languages(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help", "--lang", language], ["serve", "--lang", language, "--help"]):
        with pytest.raises(SystemExit) as ended:
            options(arguments, {"LANG": "ja_JP.UTF-8" if language == "ja" else "C"})
        assert ended.value.code == 0
        told = capsys.readouterr().out
        assert told.startswith({"en": "usage: ", "ja": "使い方: "}[language])
        assert ("オプション:" in told) == (language == "ja")


# -- alone -------------------------------------------------------------------------------------------------------------


def test_the_program_imports_nothing_of_the_clients_and_no_test_library() -> None:
    script = (
        "import sys, json\n"
        "before = set(sys.modules)  # a measured interpreter brings coverage's own along\n"
        "from jprs_client.testca.__main__ import main\n"
        "main(['serve', '--listen=x'], {})\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    modules = set(json.loads(done.stdout))
    ours = {name for name in modules if name.startswith("jprs_") and not name.startswith("jprs_client.testca")}
    assert ours == {"jprs_client", "jprs_client.version"}
    heavy = {"acme", "josepy", "requests", "click", "apscheduler", "pytest", "uvicorn", "publicsuffixlist", "sqlite3"}
    assert modules & heavy == set()


def test_it_is_a_program_of_its_own() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"]["jprs-testca"].partition(":")
    assert (module, function) == ("jprs_client.testca.__main__", "main")


def test_the_questions_are_a_command_of_the_same_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conformance", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 500
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "conformance" in capsys.readouterr().out
