"""What a right configuration becomes."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from jprs_client.config import (
    DEFAULT_DIRECTORY,
    Address,
    Config,
    Defaults,
    NotifySection,
    SolverChoice,
    UsageFqdnTable,
    default_path,
    load,
)
from jprs_client.keys import KeyType
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import Term
from tests.config.files import USAGE, Plugins, loaded

WHOLE = """
[ca]
directory = "https://127.0.0.1:14000/dir"
trust = "root.pem"
require_scts = true
[dns]
resolvers = ["127.0.0.1:8053", "[::1]:53", "192.0.2.1", "2001:db8::1"]
[account]
contact = ["admin@example.jp", "mailto:ops@例え.jp"]
eab_credentials = "/run/credentials/eab"
key_type = "rsa-3072"
[operator]
name = "…"
suspended = true
notice_days = 30
[[usage_fqdn]]
name = "Example.JP."
term = "1y"
continuation_term = "1m"
started = 2026-11-22
ends = 2027-11-30
terminating = true
start_usage = true
derived = "never"
[[usage_fqdn]]
name = "＊.example.jp"
term = "1m"
[defaults]
key_type = "ecdsa-p384"
solver = "web"
install = ["nginx"]
[[certificate]]
name = "main"
usage_fqdns = ["example.jp", "*.example.jp"]
key_type = "rsa-2048"
solver = { "*.example.jp" = "dns", default = "web" }
install = []
[[certificate]]
name = "www"
names = ["www.example.jp", "a.example.jp"]
solver = { "*.example.jp" = "dns" }
[solver.web]
plugin = "standalone"
listen = "0.0.0.0:80"
[solver.dns]
plugin = "hook"
command = ["bin/txt", "--zone", "a/b"]
timeout = 5
[installer.nginx]
plugin = "nginx"
config = "nginx.conf"
reload = ["systemctl", "reload", "nginx"]
probe = ["127.0.0.1:443", "web.example.jp:443"]
[planner]
grouping = "multi-domain"
max_names = 50
[renewal]
[windows]
[notify]
by = ["ops"]
language = "ja"
mail = ["admin@example.jp"]
command = ["bin/tell", "me"]
[notifier.ops]
plugin = "mail"
to = ["ops@example.jp"]
[notifier.quiet]
plugin = "mail"
to = ["nobody@example.jp"]
[storage]
url = "sqlite:////var/lib/state.db"
"""


def test_every_key_arrives_as_the_value_it_means(tmp_path: Path) -> None:
    config = loaded(tmp_path, WHOLE, Plugins())

    assert config.path == tmp_path / "config.toml"
    assert (config.ca.directory, config.ca.trust) == ("https://127.0.0.1:14000/dir", tmp_path / "root.pem")
    assert config.ca.require_scts
    assert config.dns.resolvers == (
        Address("127.0.0.1", 8053),
        Address("::1", 53),
        Address("192.0.2.1", 53),
        Address("2001:db8::1", 53),
    )
    assert config.account.contact == ("admin@example.jp", "ops@xn--r8jz45g.jp")
    assert config.account.eab_credentials == Path("/run/credentials/eab")
    assert config.account.key_type is KeyType.RSA_3072
    assert (config.operator.name, config.operator.suspended, config.operator.notice_days) == ("…", True, 30)
    example, star = DnsName("example.jp"), DnsName("*.example.jp")
    assert config.usage_fqdns == (
        UsageFqdnTable(
            example, Term.ONE_YEAR, Term.ONE_MONTH, date(2026, 11, 22), date(2027, 11, 30), True, True, "never"
        ),
        UsageFqdnTable(star, Term.ONE_MONTH, Term.ONE_MONTH),
    )
    assert config.defaults == Defaults(KeyType.ECDSA_P384, SolverChoice("web"), ("nginx",))
    main, www = config.certificates
    assert (main.name, main.usage_fqdns, main.names) == ("main", (example, star), ())
    assert (main.key_type, main.solver, main.install) == (KeyType.RSA_2048, SolverChoice("web", {star: "dns"}), ())
    assert (www.usage_fqdns, www.names) == ((), (DnsName("www.example.jp"), DnsName("a.example.jp")))
    assert (www.key_type, www.solver, www.install) == (
        KeyType.ECDSA_P384,
        SolverChoice("web", {star: "dns"}),
        ("nginx",),
    )
    assert www.solver.for_name(star) == "dns"
    assert www.solver.for_name(DnsName("www.example.jp")) == "web"
    assert (config.planner.grouping, config.planner.max_names) == ("multi-domain", 50)
    assert config.storage.url == "sqlite:////var/lib/state.db"


def test_who_is_told_is_what_by_says_and_what_has_no_table(tmp_path: Path) -> None:
    config = loaded(tmp_path, WHOLE, Plugins())

    assert config.notify.by == ("ops", "mail", "command")
    assert config.notify.language == "ja"
    assert set(config.notifiers) == {"ops", "quiet", "mail", "command"}
    assert config.notifiers["ops"].settings == {"to": ["ops@example.jp"]}
    assert config.notifiers["mail"].settings == {"to": ["admin@example.jp"]}
    assert config.notifiers["command"].settings == {"command": [f"{tmp_path}/bin/tell", "me"]}


def test_without_a_word_every_notifier_is_told_and_without_notifiers_nobody(tmp_path: Path) -> None:
    table = '[notifier.ops]\nplugin = "mail"\nto = ["ops@example.jp"]\n'

    assert loaded(tmp_path, USAGE + table, Plugins()).notify.by == ("ops",)
    assert loaded(tmp_path, USAGE + table + "[notify]\nby = []\n", Plugins()).notify.by == ()
    assert loaded(tmp_path, USAGE, Plugins()).notify == NotifySection()


def test_a_plugins_settings_are_what_its_options_say(tmp_path: Path) -> None:
    config = loaded(tmp_path, WHOLE, Plugins())

    assert config.solvers["web"].settings == {"listen": "0.0.0.0:80"}
    assert config.solvers["dns"].settings == {"command": [f"{tmp_path}/bin/txt", "--zone", "a/b"], "timeout": 5}
    nginx = config.installers["nginx"]
    assert nginx.settings == {
        "config": tmp_path / "nginx.conf",
        "reload": ["systemctl", "reload", "nginx"],
        "probe": ["127.0.0.1:443", "web.example.jp:443"],
    }
    assert (nginx.plugin, nginx.file, nginx.line) == (
        "nginx",
        tmp_path / "config.toml",
        WHOLE.splitlines().index("[installer.nginx]") + 1,
    )


def test_without_somebody_who_knows_plugins_their_settings_stay_as_they_are(tmp_path: Path) -> None:
    config = loaded(tmp_path, WHOLE)

    assert config.solvers["dns"].settings == {"command": ["bin/txt", "--zone", "a/b"], "timeout": 5}


def test_plugins_are_looked_up_only_for_tables_that_are_there(tmp_path: Path) -> None:
    plugins = Plugins()

    loaded(tmp_path, USAGE + '[defaults]\ninstall = ["nginx"]\n', plugins)

    assert plugins.asked == []


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    config = loaded(tmp_path, "")

    assert config == Config(path=tmp_path / "config.toml", solvers=config.solvers)
    assert config.ca.directory == DEFAULT_DIRECTORY
    assert config.ca.require_scts
    assert config.solvers["web"].plugin == "standalone"
    assert config.solvers["web"].settings == {}


def test_another_ca_need_not_give_scts(tmp_path: Path) -> None:
    assert not loaded(tmp_path, '[ca]\ndirectory = "https://ca.example/dir"').ca.require_scts


def test_nginx_needs_no_table(tmp_path: Path) -> None:
    config = loaded(tmp_path, USAGE + '[defaults]\ninstall = ["nginx"]\n')

    assert (config.installers["nginx"].plugin, config.installers["nginx"].settings) == ("nginx", {})
    assert loaded(tmp_path, USAGE).installers == {}


@pytest.mark.parametrize(
    ("tables", "chosen"),
    [
        ("", "web"),
        ('[solver.dns]\nplugin = "hook"\n', "dns"),
        ('[solver.dns]\nplugin = "hook"\n[solver.web]\nplugin = "webroot"\n', "web"),
    ],
)
def test_the_solver_where_nobody_names_one(tmp_path: Path, tables: str, chosen: str) -> None:
    config = loaded(tmp_path, USAGE + tables)

    assert config.defaults.solver.for_name(DnsName("example.jp")) == chosen
    assert chosen in config.solvers


def test_files_in_conf_d_add_up_in_the_order_of_their_names(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        USAGE + '[account]\ncontact = ["a@example.jp"]\n[solver.web]\nplugin = "standalone"\n',
        b='[[usage_fqdn]]\nname = "b.jp"\nterm = "1m"\n[[certificate]]\nname = "b"\nnames = ["b.jp"]\n',
        a='[account]\nkey_type = "rsa-2048"\n[[usage_fqdn]]\nname = "a.jp"\nterm = "1m"\n[solver.x]\nplugin = "hook"\n',
    )

    assert [str(usage.name) for usage in config.usage_fqdns] == ["example.jp", "a.jp", "b.jp"]
    assert config.account.contact == ("a@example.jp",)
    assert config.account.key_type is KeyType.RSA_2048
    assert set(config.solvers) == {"web", "x"}


def test_an_editors_files_in_conf_d_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    for name in (".a.toml", "a.toml~", "a.toml.bak"):
        (tmp_path / "conf.d" / name).write_text("no toml")

    assert loaded(tmp_path, USAGE).usage_fqdns[0].name == DnsName("example.jp")


def test_a_relative_path_starts_at_the_file_that_it_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loaded(tmp_path, '[ca]\ntrust = "a/root.pem"', x='[account]\neab_credentials = "../eab.toml"\n')

    config = load(Path("config.toml"))

    assert config.ca.trust == tmp_path / "a/root.pem"
    assert config.account.eab_credentials == tmp_path / "conf.d/../eab.toml"


def test_a_certificate_may_be_called_as_the_usage_fqdn_that_it_serves(tmp_path: Path) -> None:
    for carried in ('usage_fqdns = ["example.jp"]', 'names = ["www.example.jp"]'):
        config = loaded(tmp_path, f'{USAGE}[[certificate]]\nname = "example.jp"\n{carried}\n')

        assert config.certificates[0].name == "example.jp"


def test_the_file_to_read_where_nobody_names_one() -> None:
    assert default_path({}) == Path("/etc/jprs-client/config.toml")
    assert default_path({"JPRS_CLIENT_CONFIG": ""}) == Path("/etc/jprs-client/config.toml")
    assert default_path({"JPRS_CLIENT_CONFIG": "/srv/c.toml"}) == Path("/srv/c.toml")


def test_ten_thousand_usage_fqdns_are_no_trouble(tmp_path: Path) -> None:
    tables = "".join(f'[[usage_fqdn]]\nname = "h{n}.example.jp"\nterm = "1y"\n' for n in range(10_000))

    config = loaded(tmp_path, tables)

    assert len(config.usage_fqdns) == 10_000


def test_loading_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import jprs_client.config;"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["jprs_client"]
