"""The units as text: what they start, what they may write, what they hide; and what systemd itself says of them."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from jprs_client.config import Config, PluginTable, StorageSection
from jprs_client.locale import Speech
from jprs_client.service import HEADER, UNITS, Place, units
from jprs_client.service.units import CAPABILITIES, DEFAULT_STATE_DIR, quoted, twice_a_day, writable
from tests import needs

SERVICES = tuple(name for name in UNITS if name.endswith(".service"))
PROGRAM = Path("/opt/jprs-client/bin/jprs-client")
FILE = Path("/etc/jprs-client/config.toml")
HOMES, ROOTS = Path("/home"), Path("/root")


def config(**tables: PluginTable) -> Config:
    """A configuration with these tables: `by_…` are installers, `told` is a notifier, the others are solvers."""
    return Config(
        FILE,
        solvers={name: table for name, table in tables.items() if not name.startswith("by_") and name != "told"},
        installers={name: table for name, table in tables.items() if name.startswith("by_")},
        notifiers={name: table for name, table in tables.items() if name == "told"},
    )


def table(plugin: str, **settings: object) -> PluginTable:
    return PluginTable(plugin, plugin, settings, FILE)


def settings(text: str) -> Iterator[tuple[str, str]]:
    """Key and value of every line of a unit that has them."""
    for line in text.splitlines():
        if re.match(r"[A-Z]\w+=", line):
            key, _, value = line.partition("=")
            yield key, value


def value(text: str, key: str) -> str:
    found = [value for other, value in settings(text) if other == key]
    assert found, key
    return found[-1]


def sandbox(text: str) -> list[tuple[str, str]]:
    """From the first of the settings that all services share."""
    found = list(settings(text.partition("[Install]")[0]))
    return found[found.index(("NoNewPrivileges", "yes")) :]


# -- what they say ----------------------------------------------------------------------------------------------------


def test_every_unit_says_who_wrote_it_and_has_nothing_left_to_fill_in() -> None:
    for name, text in units(Place(PROGRAM), config()).items():
        assert text.startswith(HEADER + "\n"), name
        assert re.findall(r"@[A-Z]+@", text) == [], name
        assert all(len(line) < 200 for line in text.splitlines())


def test_the_services_run_what_the_person_ran() -> None:
    made = units(Place(PROGRAM), config())

    assert value(made["jprs-client-apply.service"], "ExecStart") == f"{PROGRAM} apply --next-run 750m"
    assert value(made["jprs-client.service"], "ExecStart") == f"{PROGRAM} daemon"
    register = made["jprs-client-register.service"]
    assert value(register, "ExecStart") == f"{PROGRAM} register --agree-terms --consent-ct"
    assert "[Install]" not in register
    assert "agreeing" in value(register, "Description")


def test_another_configuration_and_state_are_told() -> None:
    place = Place(PROGRAM, Path("/etc/other.toml"), Path("/srv/certificates"))

    apply = units(place, config())["jprs-client-apply.service"]

    told = "--config /etc/other.toml --state-dir /srv/certificates"
    assert value(apply, "ExecStart") == f"{PROGRAM} {told} apply --next-run 750m"
    assert ("ReadWritePaths", "/srv/certificates") in list(settings(apply))
    assert "StateDirectory" not in apply


def test_systemd_keeps_the_state_where_it_is_by_default() -> None:
    apply = units(Place(PROGRAM), config())["jprs-client-apply.service"]

    assert (value(apply, "StateDirectory"), value(apply, "StateDirectoryMode")) == ("jprs-client", "0700")


def test_only_registering_is_handed_the_credentials() -> None:
    """THREATS D13; a name without a folder, so that a missing file stops nothing."""
    for name, text in units(Place(PROGRAM), config()).items():
        credentials = [value for key, value in settings(text) if key.startswith("LoadCredential")]
        assert credentials == (["eab:jprs-client.eab"] if "register" in name else []), name


def test_all_services_are_hardened_alike() -> None:
    made = units(Place(PROGRAM), config(web=table("webroot", path=Path("/srv/www"))))

    assert sandbox(made[SERVICES[0]]) == sandbox(made[SERVICES[1]]) == sandbox(made[SERVICES[2]])


# -- what they may do -------------------------------------------------------------------------------------------------


def test_what_the_configuration_names_can_be_written() -> None:
    made = config(
        web=table("webroot", path=Path("/srv/www")),
        dns=table("rfc2136", server="192.0.2.1:53", tsig_secret_file=Path("/etc/dns/tsig.key")),
        by_nginx=table("nginx", config=Path("/usr/local/nginx/conf/nginx.conf"), prefix=Path("/usr/local/nginx")),
        by_mail=table("files", fullchain=Path("/etc/mail/tls/chain.pem"), private_key=Path("/etc/mail/tls/key.pem")),
        by_name=table("files", fullchain=Path("/data/tls/{name}/chain.pem")),
    )

    found = set(writable(made, DEFAULT_STATE_DIR))

    assert {
        Path("/srv/www"),
        Path("/usr/local/nginx"),
        Path("/etc/mail/tls"),
        Path("/etc/nginx"),
        Path("/run"),
    } <= found
    assert found & {Path("/etc"), Path("/etc/dns"), Path("/etc/mail"), Path("/srv"), Path("/usr/local")} == set()


def test_no_writable_folder_lies_below_another_or_below_the_state() -> None:
    made = config(
        by_mail=table("files", fullchain=Path("/etc/nginx/tls/a/b.pem"), private_key=Path("/srv/state/x.key"))
    )

    found = writable(made, Path("/srv/state"))

    assert [path for path in found if any(other in path.parents for other in found)] == []
    assert not any(path.is_relative_to("/srv/state") for path in found)


def test_a_database_elsewhere_can_be_written() -> None:
    made = Config(FILE, storage=StorageSection("sqlite:////srv/database/state.db"))

    assert Path("/srv/database") in writable(made, DEFAULT_STATE_DIR)


def test_a_missing_folder_of_a_web_server_does_not_matter() -> None:
    apply = units(Place(PROGRAM), config())["jprs-client-apply.service"]

    assert all(word.startswith("-") for word in value(apply, "ReadWritePaths").split())


def test_only_a_document_root_makes_other_users_rights_needed() -> None:
    plain = units(Place(PROGRAM), config(web=table("standalone")))[SERVICES[0]]
    webroot = units(Place(PROGRAM), config(web=table("webroot", path=Path("/srv/www"))))[SERVICES[0]]

    assert value(plain, "CapabilityBoundingSet").split() == list(CAPABILITIES)
    assert set(value(webroot, "CapabilityBoundingSet").split()) == {*CAPABILITIES, "CAP_SETGID", "CAP_SETUID"}


def test_the_hosts_sendmail_can_do_its_work() -> None:
    """Seen with Postfix, which asks for the host's addresses, and with Exim, which works as a user of its own."""
    mail = units(Place(PROGRAM), config(told=table("mail", to=["a@example.jp"])))[SERVICES[0]]
    smtp = units(Place(PROGRAM), config(told=table("mail", to=["a@example.jp"], smtp="mail.example.jp:25")))[
        SERVICES[0]
    ]

    assert set(value(mail, "CapabilityBoundingSet").split()) == {*CAPABILITIES, "CAP_SETGID", "CAP_SETUID"}
    assert "-/var/spool/postfix" in value(mail, "ReadWritePaths").split()
    assert value(mail, "RestrictAddressFamilies").split()[-1] == "AF_NETLINK"
    assert smtp == units(Place(PROGRAM), config())[SERVICES[0]]


@pytest.mark.parametrize(
    ("place", "made", "seen"),
    [
        (Place(PROGRAM), config(), "yes"),
        (Place(ROOTS / ".local" / "bin" / "jprs-client"), config(), "read-only"),
        (Place(PROGRAM, program_parts=(HOMES / "python" / "bin" / "python3",)), config(), "read-only"),
        (Place(PROGRAM, HOMES / "web" / "config.toml"), config(), "read-only"),
        (Place(PROGRAM), config(web=table("webroot", path=HOMES / "alice" / "public")), "read-only"),
        (Place(PROGRAM), config(dns=table("hook", command=["/root/bin/dns", "x"])), "read-only"),
        (Place(PROGRAM), config(web=table("webroot", path=Path("/homepage"))), "yes"),
    ],
)
def test_homes_are_hidden_unless_something_needed_lies_there(place: Place, made: Config, seen: str) -> None:
    assert {value(units(place, made)[name], "ProtectHome") for name in SERVICES} == {seen}


def test_no_path_can_say_more_than_a_path() -> None:
    """A line break would begin another setting, a `%` or a `$` would become something else."""
    evil = Path("/srv/a b\nExecStartPre=/bin/evil %h $HOME \"quoted\" \\ 'x' @STATE@")

    made = units(Place(evil / "jprs-client", evil), config(web=table("webroot", path=evil)))

    plain = units(Place(PROGRAM), config(web=table("webroot", path=Path("/srv"))))
    for name, text in made.items():
        assert [key for key, _ in settings(text)] == [key for key, _ in settings(plain[name])]
    assert quoted("/a b%c$d") == '"/a b%%c$d"'
    told = units(Place(Path("/a%b$c"), Path("/d%e$f")), config())["jprs-client.service"]
    assert value(told, "ExecStart") == "/a%%b$c --config /d%%e$$f daemon"


# -- what systemd says of them ----------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The units of a plain host with a program that is there, in a path with all that systemd lets it have."""
    program = tmp_path / "b i%n$HOME" / "jprs-client"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    folder = tmp_path / "units"
    folder.mkdir()
    made = units(
        Place(program), config(web=table("webroot", path=tmp_path / "w w%w"), told=table("mail", to=["a@b.jp"]))
    )
    for name, text in made.items():
        (folder / name).write_text(text)
    return folder


def test_systemd_reads_them_without_a_word(written: Path) -> None:
    tool = needs.program("systemd-analyze")

    said = subprocess.run(
        [tool, "verify", "--man=no", *sorted(map(str, written.iterdir()))], capture_output=True, text=True, timeout=60
    )

    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


@pytest.mark.parametrize("name", SERVICES)
def test_the_exposure_of_a_service_is_low(written: Path, name: str) -> None:
    tool = needs.program("systemd-analyze")

    said = subprocess.run(
        [tool, "security", "--offline=true", "--threshold=25", "--no-pager", str(written / name)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert said.returncode == 0, said.stdout


def test_the_timer_runs_twice_a_day(written: Path) -> None:
    tool = needs.program("systemd-analyze")
    moment = value((written / "jprs-client-apply.timer").read_text(), "OnCalendar")

    environment = {"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    said = subprocess.run(
        [tool, "calendar", "--iterations=3", "--base-time=2026-11-22 01:00:00 UTC", moment],
        capture_output=True, text=True, timeout=60, env=environment, check=True,
    )  # fmt: skip

    found = re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", said.stdout)
    moments = [datetime.strptime(each, "%Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC) for each in dict.fromkeys(found)]
    assert {later - earlier for earlier, later in pairwise(moments)} == {timedelta(hours=12)}


def test_every_host_has_a_time_of_its_own() -> None:
    hosts = [twice_a_day(f"host {number}") for number in range(1000)]

    assert hosts == [twice_a_day(f"host {number}") for number in range(1000)]
    assert len({moment.split(":")[0] for moment in hosts}) == 12
    assert max(Counter(hosts).values()) <= 3


def test_every_error_has_its_sentences() -> None:
    """They are raised as plain JprsClientErrors, which the house's own test does not look for."""
    source = Path(__file__).parents[2] / "jprs_client" / "service" / "systemd.py"
    codes = set(re.findall(r'JprsClientError\(\s*"([a-z-]+)"', source.read_text()))

    assert len(codes) >= 8
    for language in ("en", "ja"):
        speech = Speech("en").in_language(language)
        assert [code for code in codes for kind in ("error", "next") if not speech.has(f"{kind}.{code}")] == []
