"""Apache's mod_md registers, issues by each kind of proof, renews by date and by ARI. It has no revocation."""

from __future__ import annotations

import os
import select
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import needs
from tests.apache_server import MODULES, ApacheServer
from tests.testca.clients.host import LIMIT, Ca, Credentials, script, steering

NAME = "modmd.example.jp"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the server's own user may look into, which pytest's is not."""
    with tempfile.TemporaryDirectory(prefix="mod-md-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


class ModMd:
    """An Apache that gets certificates itself, and what it says of them."""

    def __init__(self, ca: Ca, folder: Path, credentials: Credentials, names: str, proof: str, more: str = "") -> None:
        if not (MODULES / "mod_md.so").exists():
            needs.missing(f"{MODULES}/mod_md.so is not installed")
        self.folder = folder
        self.server = ApacheServer(folder)
        self._fifo = folder / "said"
        os.mkfifo(self._fifo)
        self._fifo.chmod(0o666)
        trust = folder / "trust.pem"
        shutil.copyfile(ca.trust, trust)
        message = script(folder / "message", f'#!/bin/sh\necho "$1 $2" >{self._fifo}\n')
        built_in = "watchdog" in self.server.check("-l").stdout
        sites = "\n".join(
            f"<VirtualHost 127.0.0.1:{ca.tls_port}>\nServerName {name}\nSSLEngine on\n</VirtualHost>"
            for name in names.split()
            if not name.startswith("*")
        )
        self.server.write(
            f"""
            {"" if built_in else f"LoadModule watchdog_module {MODULES}/mod_watchdog.so"}
            LoadModule md_module {MODULES}/mod_md.so
            LogLevel md:debug
            Protocols http/1.1 acme-tls/1
            MDStoreDir {folder}/md
            MDInitialDelay 0s
            MDPortMap http:{ca.http_port} https:{ca.tls_port}
            MDCertificateAuthority {ca.directory}
            MDCACertificateFile {trust}
            MDCertificateAgreement accepted
            MDContactEmail admin@example.jp
            MDExternalAccountBinding {credentials.key_id} {credentials.hmac_key}
            MDPrivateKeys secp256r1
            MDCAChallenges {proof}
            MDMessageCmd {message}
            {more}
            MDomain {names} manual
            {sites}
            """,
            ca.http_port,
            ca.tls_port,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Apache runs, and can be waited for."""
        self._said = b""
        self._pipe = os.open(self._fifo, os.O_RDWR | os.O_NONBLOCK)
        try:
            self.server.start()
            yield
        finally:
            self.server.stop()
            os.close(self._pipe)

    def until(self, words: str, seconds: float = LIMIT) -> None:
        """Wait for a message that begins so."""
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        while not any(line.startswith(words.encode()) for line in self._said.splitlines(keepends=True)):
            log = self.server.error_log
            assert poll.poll(max(deadline - time.monotonic(), 0) * 1000), f"{words}\n{log.read_text()[-8000:]}"
            self._said += os.read(self._pipe, 65536)
        self._said = b""

    def install(self, name: str) -> Path:
        """Wait for a certificate and let Apache serve it: its chain."""
        self.until(f"renewed {name}")
        self.server.reload()
        self.until(f"installed {name}")
        return self.folder / "md" / "domains" / name / "pubcert.secp256r1.pem"


def test_mod_md_issues_by_http_and_renews(past_ca: Ca, folder: Path) -> None:
    mod_md = ModMd(past_ca, folder, past_ca.credentials("mod_md"), f"{NAME} www.{NAME}", "http-01")
    with mod_md.running():
        first = past_ca.issued(mod_md.install(NAME), NAME, f"www.{NAME}")
        past_ca.clock_set(datetime.now(UTC))
        mod_md.server.reload()
        second = past_ca.issued(mod_md.install(NAME), NAME, f"www.{NAME}")
    assert second.not_valid_after_utc - first.not_valid_after_utc > timedelta(days=70)
    assert past_ca.answers("newAccount").count(201) == 1
    assert past_ca.problems() == []


def test_mod_md_renews_what_is_revoked_because_ari_says_so(open_ca: Ca, folder: Path) -> None:
    mod_md = ModMd(open_ca, folder, open_ca.credentials("mod_md"), f"tls.{NAME}", "tls-alpn-01")
    with mod_md.running():
        first = open_ca.issued(mod_md.install(f"tls.{NAME}"), f"tls.{NAME}")
        open_ca.post("/jprs/revoke", {"serial": f"{first.serial_number:x}", "reason": 4})
        mod_md.server.reload()
        second = open_ca.issued(mod_md.install(f"tls.{NAME}"), f"tls.{NAME}")
    assert first.serial_number != second.serial_number
    assert set(open_ca.answers("renewalInfo")) == {200}
    assert open_ca.problems() == []


def test_mod_md_proves_a_wildcard_by_dns_for_its_usage_fqdn_only(jprs_ca: Ca, folder: Path) -> None:
    steer = steering(jprs_ca, folder)
    hook = f"""#!/bin/sh
    case "$1" in
      setup) {steer} set-txt "_acme-challenge.$2" "$3" ;;
      *) {steer} clear-txt "_acme-challenge.$2" ;;
    esac
    """
    dns = f"MDChallengeDns01 {script(folder / 'dns', hook)}"
    credentials = jprs_ca.credentials("mod_md", [(f"*.{NAME}", "1y")])
    mod_md = ModMd(jprs_ca, folder, credentials, f"{NAME} *.{NAME}", "dns-01", dns)
    with mod_md.running():
        jprs_ca.issued(mod_md.install(NAME), NAME, f"*.{NAME}")
    assert jprs_ca.problems() == []
