"""`jprs-client demo`: a certificate's whole life, played on this machine with the real program.

The play begins two months ago and ends today: CA and client start with their clocks back then and are moved to now, the
day of renewal. So everything that looks from outside (nginx, OpenSSL) keeps the real clock and nothing is pretended.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jprs_client.cli.words import command as worded
from jprs_client.cli.words import option

if TYPE_CHECKING:
    from jprs_client.cli.demo_stage import Stage
    from jprs_client.cli.door import Door

#: So long before today the play begins: a little more than two thirds of a certificate's lifetime.
BACK = timedelta(days=62)

CONFIGURATION = """\
[ca]
directory = "{directory}"
trust = "{trust}"

[dns]
resolvers = ["{dns}"]

[account]
contact = ["admin@example.jp"]
eab_credentials = "eab.toml"

[[usage_fqdn]]
name = "example.jp"
term = "1y"

[[usage_fqdn]]
name = "*.shop.example.jp"
term = "1m"
derived = "never"

[defaults]
install = {install}
solver = {{ "*.shop.example.jp" = "dns", default = "web" }}

[solver.web]
plugin = "standalone"
listen = "127.0.0.1:{http_port}"

[solver.dns]
plugin = "hook"
command = {hook}

{installer}"""

#: What is fetched over TLS: the site, and one that the wildcard serves.
LOOKED_AT = ("example.jp", "www.example.jp", "tea.shop.example.jp")


@worded("demo")
@option("--without-nginx", is_flag=True)
@click.pass_obj
def command(door: Door, /, without_nginx: bool) -> int:
    """Play a certificate's whole life against the bundled CA; nothing is left behind."""
    from jprs_client.cli.demo_stage import stage
    from jprs_client.terms.validity import close_to_month_end

    begin = door.clock.now() - BACK
    if close_to_month_end(begin):  # the program would wait for the new month, and the demo with it
        begin -= timedelta(hours=2)
    door.tell("demo.curtain")
    with stage(begin, use_nginx=not without_nginx) as props:
        play = Play(door, props, begin - door.clock.now())
        play.all()
    door.screen.line()
    door.tell("demo.end")
    if door.json:
        door.screen.document({"steps": play.steps})
    return 0


@dataclass
class Play:
    """The demo under way; each act says in plain words what it does, then does it with the real program."""

    door: Door
    props: Stage
    offset: timedelta
    steps: list[dict[str, object]] = field(default_factory=list)

    def all(self) -> None:
        """Every act, in order."""
        self._contract()
        self._jprs("explain", "tea.shop.example.jp", act="explain")
        self._jprs("register", "--agree-terms", "--consent-ct", act="register")
        self._jprs("plan", act="plan")
        self._jprs("apply", "--start-usage", act="apply")
        first = self._fetch("fetch")
        self._move_to_today()
        self._jprs("plan", act="plan-again")
        self._jprs("renew", act="renew")
        second = self._fetch("fetch-renewed")
        self._jprs("revoke", "example.jp", "--because", "key-compromised", "--yes", act="revoke")
        third = self._fetch("fetch-replaced")
        self._revoked(second["example.jp"])
        self._jprs("status", act="status")
        if not first["example.jp"] != second["example.jp"] != third["example.jp"]:
            raise RuntimeError("the demo saw the same certificate twice")

    def _contract(self) -> None:
        """The operator's part: usage FQDNs applied for, credentials handed over."""
        self._tell("contract")
        usages = [{"name": "example.jp", "term": "1y"}, {"name": "*.shop.example.jp", "term": "1m"}]
        made = self.props.ca.call("/jprs/subscribers", {"name": "Example", "usage_fqdns": usages})
        assert isinstance(made, dict)  # noqa: S101 - our own CA
        folder, ca = self.props.folder, self.props.ca
        from jprs_client.cli.demo_stage import DNS_HOOK
        from jprs_client.files import write_file

        eab = made["eab"]
        write_file(folder / "eab.toml", f'key_id = "{eab["key_id"]}"\nhmac_key = "{eab["hmac_key"]}"\n'.encode())
        hook = folder / "dns-hook.py"
        write_file(hook, DNS_HOOK.format(management=ca.management.rstrip("/"), trust=str(ca.trust)).encode())
        self._config.write_text(
            CONFIGURATION.format(
                directory=ca.directory,
                trust=ca.trust,
                dns=ca.dns,
                http_port=ca.http_port,
                install='["nginx"]' if self.props.web.kind == "nginx" else "[]",
                hook=json.dumps([sys.executable, str(hook)]),
                installer=self.props.web.installer,
            )
        )

    @property
    def _config(self) -> Path:
        return self.props.folder / "config.toml"

    def _move_to_today(self) -> None:
        self._tell("move")
        self.offset = timedelta(0)
        self.props.ca.set_clock(self.door.clock.now())

    def _jprs(self, *arguments: str, act: str) -> None:
        """Run the program as a person would, its clock where the play is."""
        from jprs_client.cli.main import INTERRUPTED, main
        from jprs_client.clock import SystemClock

        self._tell(act)
        self.door.screen.line("$ jprs-client " + " ".join(arguments), "head")
        where = ["--config", str(self._config), "--state-dir", str(self.props.folder / "state")]
        heard = io.StringIO()
        with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
            code = main([*where, "--lang", self.door.speech.language, *arguments], clock=SystemClock(self.offset))
        for line in heard.getvalue().splitlines():
            self.door.screen.line(line, indent=2)
        self.steps.append({"act": act, "command": list(arguments), "exit": code})
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code != 0:
            raise RuntimeError(f"{arguments[0]} ended with {code}")

    def _fetch(self, act: str) -> dict[str, object]:
        """The sites over TLS, verified; name to serial."""
        from jprs_client.cli.demo_stage import served

        self._tell(act)
        root = self.props.ca.pem("/roots/0")
        seen = {}
        for name in LOOKED_AT:
            found = served(self.props.web, name, root)
            self.door.screen.line(self.door.say("demo.served", **found), "good", indent=2)
            seen[name] = found["serial"]
        self.steps.append({"act": act, "served": seen})
        return seen

    def _revoked(self, serial: object) -> None:
        """The entry in the CA's revocation list, read from where certificates say that it is."""
        import urllib.request

        from cryptography import x509

        from jprs_client.terms.reasons import Reason

        self._tell("crl")
        live = self.props.folder / "state" / "live" / "example.jp" / "cert.pem"
        points = x509.load_pem_x509_certificate(live.read_bytes()).extensions.get_extension_for_class(
            x509.CRLDistributionPoints
        )
        full_name = next(iter(points.value)).full_name or []
        url = str(full_name[0].value)
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the CA's plain HTTP, as CRLs are fetched
            crl = x509.load_der_x509_crl(answer.read())
        entry = crl.get_revoked_certificate_by_serial_number(int(str(serial), 16))
        if entry is None:
            raise RuntimeError("the revoked certificate is not in the CRL")
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
        code = next(int(known) for known in Reason if known.label == reason.value)
        shown = {"serial": str(serial), "code": code, "reason": reason.value, "at": entry.revocation_date_utc}
        self.door.screen.line(self.door.say("demo.crl-entry", url=url, **shown), "good", indent=2)
        self.steps.append({"act": "crl", "url": url, **shown})

    def _tell(self, act: str) -> None:
        self.door.screen.line()
        self.door.screen.line(self.door.say(f"demo.{act}", server=self.props.web.kind), "head")
