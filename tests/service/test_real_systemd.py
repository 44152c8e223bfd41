"""A real systemd with a real nginx: the README's two doors, walked through one after the other.

One test, since booting takes longer than looking: pytest-xdist would boot a machine for each of several.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.readme import door
from tests.systemd_host import VENV, SystemdHost, wheel

SITES = ("example.jp", "shop.jp")
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
MANAGEMENT = "https://127.0.0.1:15000"

CONFIGURATION = """
[ca]
directory = "https://127.0.0.1:14000/dir"
trust = "ca.pem"

[dns]
resolvers = ["127.0.0.1:8053"]

[account]
contact = ["admin@example.jp"]

[[usage_fqdn]]
name = "example.jp"
term = "1y"
start_usage = true

[defaults]
install = ["nginx"]
solver = "web"

[solver.web]
plugin = "webroot"
path = "/srv/www"
"""

#: Its names lead to an address where nobody listens: the program itself does, on a port that only few may have.
SECOND_USAGE_FQDN = """
[solver.own]
plugin = "standalone"
listen = "127.0.0.2:80"

[[usage_fqdn]]
name = "shop.jp"
term = "1m"
start_usage = true
"""

#: What a test does and a person need not: the clock is moved through a file, and nothing waits for its time of day.
MOVED_CLOCK = f"""
[Service]
UnsetEnvironment=
Environment=LD_PRELOAD={FAKETIME} FAKETIME_TIMESTAMP_FILE=/run/clock FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
"""
AT_ONCE = "[Timer]\nRandomizedDelaySec=0\nAccuracySec=100ms\n"
IMPATIENT = "[Service]\nWatchdogSec=3s\nRestartSec=200ms\n"


class Machine:
    """A booted host with the program, nginx with two sites, and the bundled CA."""

    def __init__(self, host: SystemdHost) -> None:
        self.host = host
        self.hmac_keys: list[str] = []

    def furnish(self) -> None:
        """nginx serves certificates that nobody trusts; the CA knows a subscriber with two usage FQDNs."""
        host = self.host
        for site in SITES:
            host.write(f"/etc/nginx/sites-enabled/{site}", _blocks(site))
        host.run("rm -f /etc/nginx/sites-enabled/default; mkdir -p /srv/www /etc/nginx/tls; chown www-data: /srv/www")
        for site in SITES:
            files = f"-keyout /etc/nginx/tls/{site}.key -out /etc/nginx/tls/{site}.pem"
            host.run(f"openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=before {files}")
        host.run("systemctl start nginx")
        options = "--http-port 80 --tls-port 443 --ready-file /run/ca.json"
        host.run(f"systemd-run -q --unit test-ca {VENV}/bin/python -m jprs_client.testca serve {options}")
        host.until(lambda: "{" in host.run("cat /run/ca.json", check=False), "the CA answers")
        ready = json.loads(host.run("cat /run/ca.json"))
        host.run(f"install -D -m 644 {ready['trust']} /etc/jprs-client/ca.pem")
        self.hand_out_credentials()
        host.write("/etc/jprs-client/config.toml", CONFIGURATION)

    def hand_out_credentials(self) -> None:
        """As the operator does, for a new subscriber."""
        usages = [{"name": site, "term": "1y"} for site in SITES]
        made = self.host.ask("POST", f"{MANAGEMENT}/jprs/subscribers", {"name": "Example", "usage_fqdns": usages})
        self.hmac_keys.append(made["eab"]["hmac_key"])
        text = f'key_id = "{made["eab"]["key_id"]}"\nhmac_key = "{made["eab"]["hmac_key"]}"\n'
        self.host.write("/root/eab.toml", text, 0o600)

    def go_through(self, lines: list[str]) -> list[str]:
        """The lines of a door, as they stand in the README: what each said."""
        return [self.host.run(line) for line in lines]

    def drop_in(self, unit: str, name: str, text: str) -> None:
        """Local changes, as a person makes them."""
        self.host.write(f"/etc/systemd/system/{unit}.d/{name}.conf", text)
        self.host.run("systemctl daemon-reload")

    def served(self, site: str) -> tuple[str, str]:
        """Issuer and serial of what visitors get."""
        get = f"openssl s_client -connect 127.0.0.1:443 -servername {site} </dev/null 2>/dev/null"
        said = self.host.run(f"{get} | openssl x509 -noout -issuer -serial")
        issuer, serial = said.splitlines()
        return issuer, serial.removeprefix("serial=").lower().lstrip("0")

    def certificate(self, name: str) -> dict[str, str]:
        """What the program says of one certificate."""
        found = json.loads(self.host.run("jprs-client --json status"))["certificates"]
        (certificate,) = [each for each in found if each["name"] == name]
        return dict(certificate)

    def is_issued_and_served(self, site: str) -> bool:
        """Whether visitors get the certificate that the program has."""
        return self.served(site)[1] == self.certificate(site).get("serial")

    def clock(self, days: int) -> None:
        """The CA's clock and ours, so many days ahead; the program sees it where its unit has the drop-in."""
        now = int(self.host.run("date +%s"))
        moment = self.host.run(f"date -u -d @{now + days * 86400} +%Y-%m-%dT%H:%M:%SZ").strip()
        self.host.ask("POST", f"{MANAGEMENT}/clock", {"now": moment})
        self.host.write("/run/clock.new", f"+{days}d\n")
        self.host.run("mv /run/clock.new /run/clock")

    def exposure(self, unit: str) -> float:
        """What systemd says of the unit it has loaded."""
        said = self.host.run(f"systemd-analyze security --no-pager {unit}")
        found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
        assert found is not None, said
        return float(found[1])

    def is_active(self, unit: str) -> bool:
        """Whether systemd runs it."""
        return self.host.facts(unit)["ActiveState"] == "active"


def _blocks(site: str) -> str:
    return f"""
server {{
    listen 127.0.0.1:80;
    server_name {site} www.{site};
    root /srv/www;
}}
server {{
    listen 127.0.0.1:443 ssl;
    server_name {site} www.{site};
    ssl_certificate /etc/nginx/tls/{site}.pem;
    ssl_certificate_key /etc/nginx/tls/{site}.key;
}}
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_timer_and_the_daemon_look_after_certificates_on_a_real_host(tmp_path: Path) -> None:
    with SystemdHost.made(tmp_path / "host") as host:
        host.install(wheel(tmp_path))
        host.boot()
        machine = Machine(host)
        machine.furnish()

        _the_door_of_the_timer(machine)
        _what_was_missed_is_made_up_for(machine)
        _the_door_of_the_daemon(machine)
        _reloading_finds_a_new_usage_fqdn(machine)
        _a_hung_daemon_is_started_again(machine)
        _the_daemon_renews(machine)
        _nothing_of_the_credentials_is_to_be_seen(machine)
        _stopped_in_order(machine)
        _back_to_the_timer_and_away(machine)


def _the_door_of_the_timer(machine: Machine) -> None:
    """Five lines: the account is made with systemd's credentials, the certificate is issued and served."""
    host = machine.host
    assert "before" in machine.served("example.jp")[0]

    said = machine.go_through(door("timer"))

    assert "jprs-client-apply.timer" in said[-1]
    assert "Test Intermediate" in machine.served("example.jp")[0]
    assert machine.is_issued_and_served("example.jp")
    timer = host.facts("jprs-client-apply.timer")
    assert (timer["ActiveState"], timer["UnitFileState"], timer["Persistent"]) == ("active", "enabled", "yes")
    assert timer["RandomizedDelayUSec"] == "1min"
    assert host.run("systemctl is-enabled jprs-client.service", check=False).strip() == "disabled"
    for unit in ("jprs-client.service", "jprs-client-apply.service", "jprs-client-register.service"):
        assert machine.exposure(unit) <= 2.5
    again = json.loads(host.run("jprs-client --json service install --timer"))
    assert (again["written"], again["enabled"], again["disabled"]) == ([], "jprs-client-apply.timer", [])


def _what_was_missed_is_made_up_for(machine: Machine) -> None:
    """The host was off when the timer's moment came, and the renewal's: both happen by themselves."""
    host = machine.host
    before = machine.certificate("example.jp")["serial"]
    host.run("systemctl stop jprs-client-apply.timer")
    machine.drop_in("jprs-client-apply.service", "clock", MOVED_CLOCK)
    machine.drop_in("jprs-client-apply.timer", "at-once", AT_ONCE)
    machine.clock(70)
    host.run("touch -d '2 days ago' /var/lib/systemd/timers/stamp-jprs-client-apply.timer")

    host.run("systemctl start jprs-client-apply.timer")

    host.until(lambda: machine.served("example.jp")[1] != before, "the timer has renewed the certificate")
    host.until(lambda: host.facts("jprs-client-apply.service")["ActiveState"] == "inactive", "the run is over")
    assert host.facts("jprs-client-apply.service")["Result"] == "success"
    assert machine.is_issued_and_served("example.jp")


def _the_door_of_the_daemon(machine: Machine) -> None:
    """Five lines, from nothing: account and certificate are new. The daemon takes over from the timer."""
    host = machine.host
    before = machine.served("example.jp")[1]
    host.run("rm -r /var/lib/jprs-client")
    machine.hand_out_credentials()
    machine.drop_in("jprs-client.service", "clock", MOVED_CLOCK)
    machine.drop_in("jprs-client.service", "impatient", IMPATIENT)

    machine.go_through(door("daemon"))

    daemon = host.facts("jprs-client.service")
    assert (daemon["ActiveState"], daemon["UnitFileState"], daemon["Type"]) == ("active", "enabled", "notify")
    host.until(lambda: host.facts("jprs-client.service")["StatusText"] != "", "the daemon says what it waits for")
    assert not machine.is_active("jprs-client-apply.timer")
    assert host.run("systemctl is-enabled jprs-client-apply.timer", check=False).strip() == "disabled"
    assert machine.exposure("jprs-client.service") <= 2.5
    host.until(lambda: machine.served("example.jp")[1] != before, "the daemon has issued and installed a certificate")
    host.until(lambda: machine.is_issued_and_served("example.jp"), "the program knows it")


def _reloading_finds_a_new_usage_fqdn(machine: Machine) -> None:
    host = machine.host
    names = ("shop.jp", "www.shop.jp")
    for name in names:
        host.ask("POST", f"{MANAGEMENT}/add-a", {"host": f"{name}.", "addresses": ["127.0.0.2"]})
    solvers = ", ".join(['default = "web"', *(f'"{name}" = "own"' for name in names)])
    changed = CONFIGURATION.replace('solver = "web"', f"solver = {{ {solvers} }}")
    host.write("/etc/jprs-client/config.toml", changed + SECOND_USAGE_FQDN)

    host.run("systemctl reload jprs-client.service")

    host.until(lambda: "Test Intermediate" in machine.served("shop.jp")[0], "the new usage FQDN has its certificate")
    host.until(lambda: machine.is_issued_and_served("shop.jp"), "the program knows it")


def _a_hung_daemon_is_started_again(machine: Machine) -> None:
    """What is stopped pings no watchdog."""
    host = machine.host
    hung = host.facts("jprs-client.service")["MainPID"]
    host.run(f"kill -STOP {hung}")

    host.until(lambda: host.facts("jprs-client.service")["MainPID"] not in {hung, "0"}, "another daemon runs", 40)
    host.until(lambda: machine.is_active("jprs-client.service"), "it is ready")

    assert int(host.facts("jprs-client.service")["NRestarts"]) >= 1
    assert "Watchdog timeout" in host.run("journalctl --no-pager -u jprs-client.service -o cat")


def _the_daemon_renews(machine: Machine) -> None:
    """It is not restarted for it: its clock passes the moment."""
    host = machine.host
    daemon = host.facts("jprs-client.service")["MainPID"]
    before = {site: machine.certificate(site)["serial"] for site in SITES}

    machine.clock(140)

    for site in SITES:
        host.until(lambda site=site: machine.served(site)[1] != before[site], f"{site} is renewed", 60)
    assert host.facts("jprs-client.service")["MainPID"] == daemon


def _nothing_of_the_credentials_is_to_be_seen(machine: Machine) -> None:
    """Neither in the journal nor in what processes and units show (THREATS D13)."""
    host = machine.host
    assert len(machine.hmac_keys) == 2
    seen = host.run(
        "journalctl --no-pager -o export; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; systemctl show '*'"
    )
    assert "jprs-client daemon" in seen.replace("\0", " ")
    assert [key for key in machine.hmac_keys if key in seen] == []
    assert "PRIVATE KEY" not in seen


def _stopped_in_order(machine: Machine) -> None:
    host = machine.host

    host.run("systemctl stop jprs-client.service")

    daemon = host.facts("jprs-client.service")
    assert (daemon["ActiveState"], daemon["Result"], daemon["ExecMainStatus"]) == ("inactive", "success", "0")


def _back_to_the_timer_and_away(machine: Machine) -> None:
    """The units go, and leave the state behind."""
    host = machine.host
    done = json.loads(host.run("jprs-client --json service install"))
    assert (done["enabled"], done["disabled"]) == ("jprs-client-apply.timer", ["jprs-client.service"])
    assert machine.is_active("jprs-client-apply.timer")

    gone = json.loads(host.run("jprs-client --json service uninstall"))

    assert (len(gone["removed"]), gone["disabled"]) == (4, ["jprs-client-apply.timer"])
    assert host.run("ls /etc/systemd/system/jprs-client*.service", check=False).count("jprs-client") <= 1
    assert machine.certificate("example.jp")["status"]
