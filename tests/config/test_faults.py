"""What is said about a wrong configuration: code, file, line, key, and the nearest right one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jprs_client.config import load
from jprs_client.errors import ConfigError
from tests.config.files import USAGE, Plugins, problems

SHOP = '[[usage_fqdn]]\nname = "shop.jp"\nterm = "1m"\n'  # three lines, as USAGE has
HOOK = '[solver.dns]\nplugin = "hook"\ncommand = ["x"]\n'
CERTIFICATE = '[[certificate]]\nname = "main"\n'

#: What is written; then code, line and key of the one problem, and what is told besides.
FAULTS: list[tuple[str, str, int | None, str | None, dict[str, str | None]]] = [
    # keys
    ("\n[ca]\ndirektory = 1", "config-unknown-key", 3, "ca.direktory", {"nearest": "directory"}),
    ("[ca]\nx = 1", "config-unknown-key", 2, "ca.x", {"nearest": None, "expected": "directory, require_scts, trust"}),
    ("contact = []", "config-unknown-key", 1, "contact", {"nearest": "[account] contact"}),
    ("[ca]\nterm = '1y'", "config-unknown-key", 2, "ca.term", {"nearest": "[[usage_fqdn]] term"}),
    ("[certificates]", "config-unknown-key", 1, "certificates", {"nearest": "certificate"}),
    ("[usage_fqdns]\nname = 'a.jp'", "config-unknown-key", 1, "usage_fqdns", {"nearest": "usage_fqdn"}),
    ("[renewal]\nat = 1", "config-unknown-key", 2, "renewal.at", {"nearest": None, "expected": "–"}),
    (USAGE + "\nTerm = '1y'", "config-unknown-key", 5, "usage_fqdn[1].Term", {"nearest": "term"}),
    (USAGE + 'a."b c" = 1', "config-unknown-key", 4, "usage_fqdn[1].a", {}),
    ("ca = { directry = 'x' }", "config-unknown-key", 1, "ca.directry", {"nearest": "directory"}),
    ("ca.\\\n", "config-syntax", 1, None, {}),
    ("[[usage_fqdn]]\nterm = '1y'", "config-key-missing", 1, "usage_fqdn[1].name", {}),
    ("[[usage_fqdn]]\nname = 'a.jp'", "config-key-missing", 1, "usage_fqdn[1].term", {"expected": '"1m" | "1y"'}),
    # tables of the wrong shape
    ("ca = 3", "config-wrong-value", 1, "ca", {"expected": "[ca]", "found": "3"}),
    ("[[dns]]", "config-wrong-value", 1, "dns", {"expected": "[dns]", "found": "[…]"}),
    ("[usage_fqdn]", "config-wrong-value", 1, "usage_fqdn", {"expected": "[[usage_fqdn]]", "found": "{}"}),
    ("certificate = [1]", "config-wrong-value", 1, "certificate[1]", {"expected": "[[certificate]]"}),
    ("[solver]\nplugin = 'x'", "config-wrong-value", 2, "solver.plugin", {"expected": "[solver.plugin]"}),
    ("solver = 1", "config-wrong-value", 1, "solver", {"expected": "[solver.NAME]"}),
    # values
    ("[ca]\nrequire_scts = 'yes'", "config-wrong-value", 2, "ca.require_scts", {"found": '"yes"'}),
    ("[ca]\ntrust = ''", "config-wrong-value", 2, "ca.trust", {"expected": '"path/to/file"'}),
    ('[ca]\ntrust = "a\\u0000b"', "config-wrong-value", 2, "ca.trust", {}),
    ("[operator]\nnotice_days = true", "config-wrong-value", 2, "operator.notice_days", {"expected": "0 … 366"}),
    ("[operator]\nnotice_days = -1", "config-wrong-value", 2, "operator.notice_days", {"found": "-1"}),
    (f"[operator]\nnotice_days = 0x{'f' * 9000}", "config-wrong-value", 2, "operator.notice_days", {}),
    ("[operator]\nnotice_days = 1.5", "config-wrong-value", 2, "operator.notice_days", {"found": "1.5"}),
    ("[operator]\nname = ' '", "config-wrong-value", 2, "operator.name", {}),
    ("[account]\nkey_type = 'rsa2048'", "config-wrong-value", 2, "account.key_type", {"found": '"rsa2048"'}),
    ("[account]\ncontact = 'a@example.jp'", "config-wrong-value", 2, "account.contact", {"found": '"a@example.jp"'}),
    ("[account]\ncontact = [\n 1]", "config-wrong-value", 3, "account.contact[1]", {"found": "1"}),
    ("[account]\ncontact = ['example.jp']", "config-wrong-value", 2, "account.contact[1]", {}),
    ("[account]\ncontact = ['a@b.jp?bcc=c@d.jp']", "config-wrong-value", 2, "account.contact[1]", {}),
    ("[account]\ncontact = ['a@b.jp?subject=x']", "config-name-bad-character", 2, "account.contact[1]", {}),
    ("[account]\ncontact = ['a?x@b.jp']", "config-wrong-value", 2, "account.contact[1]", {}),
    ("[account]\ncontact = ['a@*.b.jp']", "config-wrong-value", 2, "account.contact[1]", {}),
    ("[account]\ncontact = ['root@localhost']", "config-name-single-label", 2, "account.contact[1]", {}),
    (
        "[account]\ncontact = [\n'a@example.jp',\n'mailto:a@EXAMPLE.jp']",
        "config-listed-twice",
        4,
        "account.contact[2]",
        {"name": "a@example.jp", "other": "FILE:3"},
    ),
    ("[dns]\nresolvers = ['dns.example.jp:53']", "config-wrong-value", 2, "dns.resolvers[1]", {}),
    ("[dns]\nresolvers = ['127.0.0.1:0']", "config-wrong-value", 2, "dns.resolvers[1]", {}),
    ("[dns]\nresolvers = ['127.0.0.1:99999']", "config-wrong-value", 2, "dns.resolvers[1]", {}),
    ("[dns]\nresolvers = ['[127.0.0.1]:53']", "config-wrong-value", 2, "dns.resolvers[1]", {}),
    ("[planner]\ngrouping = 'all'", "config-wrong-value", 2, "planner.grouping", {"found": '"all"'}),
    ("[planner]\nmax_names = 0", "config-wrong-value", 2, "planner.max_names", {}),
    # the directory and the storage
    (
        "[ca]\ndirectory = 'http://127.0.0.1/dir'",
        "config-directory-not-https",
        2,
        "ca.directory",
        {"found": "http://127.0.0.1/dir"},
    ),
    ("[ca]\ndirectory = 'acme.example'", "config-directory-not-a-url", 2, "ca.directory", {}),
    ("[ca]\ndirectory = 'https:///dir'", "config-directory-not-a-url", 2, "ca.directory", {}),
    ("[ca]\ndirectory = 'https://a b/'", "config-directory-not-a-url", 2, "ca.directory", {}),
    ("[ca]\ndirectory = 'https://[::1/'", "config-directory-not-a-url", 2, "ca.directory", {}),
    ("[ca]\ndirectory = 'https://a.jp:99999/'", "config-directory-not-a-url", 2, "ca.directory", {}),
    ("[ca]\ndirectory = 'https://u:geheim@a.jp/'", "config-directory-with-user", 2, "ca.directory", {}),
    ("[ca]\ndirectory = 'https://a.jp/#x'", "config-directory-with-fragment", 2, "ca.directory", {}),
    (
        "[storage]\nurl = 'postgresql://u:geheim@h/db'",
        "config-storage-not-there-yet",
        2,
        "storage.url",
        {"scheme": "postgresql"},
    ),
    ("[storage]\nurl = 'mysql://u:geheim@h/db'", "config-storage-unknown", 2, "storage.url", {}),
    ("[storage]\nurl = 'sqlite:///:memory:'", "config-storage-unknown", 2, "storage.url", {}),
    ("[storage]\nurl = 'sqlite://state.db'", "config-storage-unknown", 2, "storage.url", {}),
    # usage FQDNs
    ("[[usage_fqdn]]\nname = 'a_b.jp'\nterm = '1y'", "config-name-underscore", 2, "usage_fqdn[1].name", {}),
    (
        "[[usage_fqdn]]\nname = '*.co.jp'\nterm = '1y'",
        "config-name-wildcard-public-suffix",
        2,
        "usage_fqdn[1].name",
        {},
    ),
    ("[[usage_fqdn]]\nname = 3\nterm = '1y'", "config-wrong-value", 2, "usage_fqdn[1].name", {}),
    ("[[usage_fqdn]]\nname = 'a.jp'\nterm = '2y'", "config-wrong-value", 3, "usage_fqdn[1].term", {"found": '"2y"'}),
    (USAGE + "derived = 'yes'", "config-wrong-value", 4, "usage_fqdn[1].derived", {}),
    (USAGE + "started = '2026-11-22'", "config-wrong-value", 4, "usage_fqdn[1].started", {"expected": "2026-11-22"}),
    (USAGE + "started = 2026-11-22T00:00:00Z", "config-date-with-time", 4, "usage_fqdn[1].started", {}),
    (USAGE + "started = 12:00:00", "config-wrong-value", 4, "usage_fqdn[1].started", {"found": "12:00:00"}),
    (USAGE + "ends = 2026-12-31", "config-ends-without-started", 4, "usage_fqdn[1].ends", {}),
    (
        USAGE + "started = 2026-11-22\nends = 2026-11-21",
        "config-ends-before-started",
        5,
        "usage_fqdn[1].ends",
        {"ends": "2026-11-21", "started": "2026-11-22"},
    ),
    (USAGE + USAGE, "config-name-twice", 5, "usage_fqdn[2].name", {"name": "example.jp", "other": "FILE:2"}),
    (USAGE + USAGE.replace("ex", "EX"), "config-name-twice", 5, "usage_fqdn[2].name", {}),
    # certificates
    ("[[certificate]]\nnames = ['a.jp']", "config-key-missing", 1, "certificate[1].name", {}),
    ("[[certificate]]\nname = 'Main'\nnames = ['a.jp']", "config-wrong-value", 2, "certificate[1].name", {}),
    ("[[certificate]]\nname = '../x'\nnames = ['a.jp']", "config-wrong-value", 2, "certificate[1].name", {}),
    (f"[[certificate]]\nname = '{'a' * 201}'\nnames = ['a.jp']", "config-wrong-value", 2, "certificate[1].name", {}),
    (CERTIFICATE, "config-certificate-without-names", 1, "certificate[1]", {}),
    (CERTIFICATE + "names = []", "config-wrong-value", 3, "certificate[1].names", {"found": "[]"}),
    (CERTIFICATE + "names = ['a.jp']\nusage_fqdns = []", "config-certificate-two-lists", 3, "certificate[1].names", {}),
    (CERTIFICATE + "names = ['a..jp']", "config-name-empty-label", 3, "certificate[1].names[1]", {}),
    (CERTIFICATE + "names = [\n'a.jp', # one\n'A.jp']", "config-listed-twice", 5, "certificate[1].names[2]", {}),
    (
        USAGE + CERTIFICATE + "usage_fqdns = ['exmple.jp']",
        "config-usage-fqdn-unknown",
        6,
        "certificate[1].usage_fqdns[1]",
        {"nearest": "example.jp", "name": "exmple.jp"},
    ),
    (CERTIFICATE + "usage_fqdns = ['a.jp']", "config-usage-fqdn-unknown", 3, "certificate[1].usage_fqdns[1]", {}),
    (
        f"{CERTIFICATE}names = ['a.jp']\n{CERTIFICATE}names = ['b.jp']",
        "config-name-twice",
        5,
        "certificate[2].name",
        {"other": "FILE:2"},
    ),
    (
        USAGE + SHOP + "[[certificate]]\nname = 'shop.jp'\nusage_fqdns = ['example.jp']",
        "config-certificate-named-as-automatic",
        8,
        "certificate[1].name",
        {"name": "shop.jp", "other": "FILE:5"},
    ),
    # solvers and installers
    (
        CERTIFICATE + "names = ['a.jp']\nsolver = 'dsn'\n" + HOOK,
        "config-solver-unknown",
        4,
        "certificate[1].solver",
        {"nearest": "dns", "expected": "dns"},
    ),
    ("[defaults]\nsolver = 'dns'", "config-solver-unknown", 2, "defaults.solver", {"expected": "web"}),
    (CERTIFICATE + "names = ['a.jp']\nsolver = 1", "config-wrong-value", 4, "certificate[1].solver", {}),
    (
        CERTIFICATE + "names = ['a.jp']\nsolver.default = 1",
        "config-wrong-value",
        4,
        "certificate[1].solver.default",
        {"expected": '"web"'},
    ),
    (
        CERTIFICATE + "names = ['a.jp']\nsolver = { 'b.jp' = 'web' }",
        "config-solver-for-other-name",
        4,
        'certificate[1].solver."b.jp"',
        {"name": "b.jp"},
    ),
    (
        USAGE + CERTIFICATE + "usage_fqdns = ['example.jp']\n[certificate.solver]\n'*.example.jp' = 'web'",
        "config-solver-for-other-name",
        8,
        'certificate[1].solver."*.example.jp"',
        {"nearest": "example.jp"},
    ),
    (
        USAGE + HOOK + HOOK.replace("dns", "other"),
        "config-solver-not-said",
        None,
        "defaults.solver",
        {"expected": '"dns" | "other"'},
    ),
    (
        CERTIFICATE + "names = ['a.jp']\n" + HOOK + HOOK.replace("dns", "other"),
        "config-solver-not-said",
        1,
        "certificate[1].solver",
        {},
    ),
    ("[defaults]\ninstall = ['ngnix']", "config-installer-unknown", 2, "defaults.install[1]", {"nearest": "nginx"}),
    ("[defaults]\ninstall = 'nginx'", "config-wrong-value", 2, "defaults.install", {}),
    ("[solver.a]\nplugin = 'hok'", "config-plugin-unknown", 2, "solver.a.plugin", {"nearest": "hook"}),
    ("[installer.a]\nplugin = 'zzz'", "config-plugin-unknown", 2, "installer.a.plugin", {"nearest": None}),
    ("[notifier.a]\nplugin = 'mial'", "config-plugin-unknown", 2, "notifier.a.plugin", {"nearest": "mail"}),
    ("[notifier.a]\nplugin = 'mail'", "config-key-missing", 1, "notifier.a.to", {"expected": '["…"]'}),
    ("[notify]\nby = ['ops']", "config-notifier-unknown", 2, "notify.by[1]", {"name": "ops", "expected": "–"}),
    (
        "[notify]\nby = ['mial']\nmail = ['a@example.jp']",
        "config-notifier-unknown",
        2,
        "notify.by[1]",
        {"nearest": "mail"},
    ),
    ("[notify]\nmail = ['a@example.jp\\nBcc: b@example.jp']", "config-wrong-value", 2, "notify.mail[1]", {}),
    ("[notify]\nmail = 'a@example.jp'", "config-wrong-value", 2, "notify.mail", {}),
    ("[notify]\ncommand = 'tell me'", "config-wrong-value", 2, "notify.command", {"expected": '["…", "…"]'}),
    ("[notify]\nlanguage = 'fr'", "config-wrong-value", 2, "notify.language", {"expected": '"en" | "ja"'}),
    (
        "[notify]\nmail = ['a@example.jp']\n[notifier.mail]\nplugin = 'mail'\nto = ['b@example.jp']",
        "config-notifier-twice",
        2,
        "notify.mail",
        {"other": "FILE:3"},
    ),
    ("[solver.a]", "config-key-missing", 1, "solver.a.plugin", {"expected": '"hook" | "standalone" | "webroot"'}),
    ("[solver.a]\nplugin = 1", "config-wrong-value", 2, "solver.a.plugin", {}),
    ("[solver.a]\nplugin = 'hook'", "config-key-missing", 1, "solver.a.command", {}),
    (HOOK + "comand = 1", "config-unknown-key", 4, "solver.dns.comand", {"nearest": "command"}),
    (HOOK + "timeout = '5'", "config-wrong-value", 4, "solver.dns.timeout", {"expected": "123"}),
    (HOOK + "verbose = 1", "config-wrong-value", 4, "solver.dns.verbose", {"expected": "true | false"}),
    ("[solver.a]\nplugin = 'hook'\ncommand = 'x y'", "config-wrong-value", 3, "solver.a.command", {}),
    ("[solver.a]\nplugin = 'hook'\ncommand = []", "config-wrong-value", 3, "solver.a.command", {}),
    ("[solver.a]\nplugin = 'standalone'\nlisten = '80'", "config-wrong-value", 3, "solver.a.listen", {}),
    ("[solver.a]\nplugin = 'standalone'\nlisten = '300.0.0.1:80'", "config-wrong-value", 3, "solver.a.listen", {}),
    ("[solver.a]\nplugin = 'webroot'\npath = 1", "config-wrong-value", 3, "solver.a.path", {}),
    ("[solver.'a b']\nplugin = 'standalone'", "config-bad-table-name", 1, 'solver."a b"', {"name": "a b"}),
    # secrets
    (HOOK + "tsig_secret = 'geheim'", "config-secret-in-file", 4, "solver.dns.tsig_secret", {}),
    ("[account]\nhmac_key = 'geheim'", "config-secret-in-file", 2, "account.hmac_key", {}),
    (
        "[account.eab_credentials]\nhmac_key = 'geheim'",
        "config-secret-in-file",
        2,
        "account.eab_credentials.hmac_key",
        {},
    ),
    ("[account]\nhmac-key = 'geheim'", "config-secret-in-file", 2, "account.hmac-key", {}),
    ("[notify.mail]\nsmtp_password = 'geheim'", "config-secret-in-file", 2, "notify.mail.smtp_password", {}),
    ("api_token = 123456", "config-secret-in-file", 1, "api_token", {}),
    ("x = '-----BEGIN PRIVATE KEY-----geheim'", "config-secret-in-file", 1, "x", {}),
]


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{number}-{fault[1]}" for number, fault in enumerate(FAULTS)])
def test_one_fault_is_told_once_with_its_place(
    tmp_path: Path, fault: tuple[str, str, int | None, str | None, dict[str, str | None]]
) -> None:
    text, code, line, key, params = fault
    file = str(tmp_path / "config.toml")

    found = problems(tmp_path, text, Plugins())

    assert [(problem.code, problem.file, problem.line, problem.key) for problem in found] == [(code, file, line, key)]
    told = {
        name: str(value).replace(file, "FILE") if value is not None else None for name, value in found[0].params.items()
    }
    assert told | params == told
    assert "geheim" not in str(found[0].params)


def test_everything_wrong_is_told_at_once_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        "[planner]\nmax_names = 0\n[account]\ncontakt = []\n[ca]\nx = 1\n",
        b="[dns]\nresolvers = 1\n",
        a="\n\n[operator]\nsuspended = 0\n",
    )

    assert [(Path(problem.file).name, problem.line) for problem in found] == [
        ("config.toml", 2),
        ("config.toml", 4),
        ("config.toml", 6),
        ("a.toml", 4),
        ("b.toml", 2),
    ]


@pytest.mark.parametrize(
    ("first", "second", "code", "key"),
    [
        ("[ca]\ntrust = 'a'", "[ca]\n\ntrust = 'b'", "config-key-twice", "ca.trust"),
        (HOOK, "\n\n" + HOOK, "config-key-twice", "solver.dns"),
        ("[installer.a]\nplugin = 'nginx'", "\n\n[installer.a]\nplugin = 'nginx'", "config-key-twice", "installer.a"),
        (USAGE, "\n" + USAGE, "config-name-twice", "usage_fqdn[1].name"),
        (
            CERTIFICATE + "names=['a.jp']",
            "\n" + CERTIFICATE + "names=['b.jp']",
            "config-name-twice",
            "certificate[1].name",
        ),
    ],
)
def test_the_same_thing_in_two_files_names_both_places(
    tmp_path: Path, first: str, second: str, code: str, key: str
) -> None:
    (found,) = problems(tmp_path, first, x=second)

    assert (found.code, found.key) == (code, key)
    assert (found.file, found.line) == (str(tmp_path / "conf.d/x.toml"), 3)
    assert str(found.params["other"]).startswith(f"{tmp_path / 'config.toml'}:")


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"[ca]\nx = \n[dns]\ny =", "config-syntax", 2),
        (b"[ca]\n[ca]\n", "config-syntax", 2),
        (b"a = 1\na = 2", "config-syntax", 2),
        (b"a = '''\n\n", "config-syntax", 2),
        (b"\xef\xbb\xbf[ca]\n", "config-file-has-byte-order-mark", 1),
        ("[ca]\n".encode("utf-16"), "config-file-has-byte-order-mark", 1),
        ("[ca]\n# 日本語".encode("shift_jis"), "config-file-not-utf8", 2),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "config-file-unreasonable", None),
        (b"a = " + b"9" * 5000, "config-file-unreasonable", None),
    ],
)
def test_a_file_that_is_no_toml_is_told_alone(tmp_path: Path, content: bytes, code: str, line: int | None) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError) as error:
        load(path)

    assert [(problem.code, problem.file, problem.line) for problem in error.value.problems] == [(code, str(path), line)]
    assert error.value.exit_code == 3


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    codes = {}
    for name in ("absent", ".", "loop", "a\0b"):
        with pytest.raises(ConfigError) as error:
            load(tmp_path / name)
        codes[name] = error.value.code

    assert codes == {
        "absent": "config-file-missing",
        ".": "config-file-is-a-directory",
        "loop": "config-file-unreadable",
        "a\0b": "config-file-unreadable",
    }


def test_a_conf_d_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "conf.d").write_text("")

    assert [problem.code for problem in problems(tmp_path, "")] == ["config-file-unreadable"]


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    assert os.path.exists("/dev/zero")  # noqa: PTH110 - a fact of the host, not a path of ours

    with pytest.raises(ConfigError) as error:
        load(Path("/dev/zero"))

    assert error.value.code == "config-file-unreasonable"
