"""Debian's `pebble` with external account bindings required, on free ports, for as long as a `with` block lasts.

with Pebble(directory) as ca: ...  Validation is answered "valid" without looking, unless `validate=True`: then
`pebble-challtestsrv` runs as its DNS (names are 127.0.0.1), steered at `ca.challenge_server`, and http-01 is looked
for at `ca.http_port`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import secrets
import socket
import ssl
import subprocess
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def free_port() -> int:
    """A port on 127.0.0.1 that neither TCP nor UDP uses now."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port


def write_https_certificate(directory: Path) -> tuple[Path, Path, Path]:
    """A root, and a certificate for localhost and 127.0.0.1 under it: paths of root, certificate and key."""
    now = datetime.now(UTC)

    def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    root_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST - root of a directory's HTTPS")])
    base = (
        x509.CertificateBuilder()
        .issuer_name(root_name)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
    )
    root = (
        base.subject_name(root_name)
        .public_key(root_key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    server = (
        base.subject_name(x509.Name([]))
        .public_key(server_key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
            ),
            critical=True,
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    paths = directory / "root.pem", directory / "server.pem", directory / "server.key"
    paths[0].write_bytes(root.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(server.public_bytes(serialization.Encoding.PEM))
    paths[2].write_bytes(key_pem(server_key))
    return paths


class Pebble:
    """Pebble's process and what a client needs to know about it."""

    def __init__(
        self,
        directory: Path,
        *,
        validate: bool = False,
        nonce_reject: int = 0,
        authz_reuse: int = 0,
        chain_length: int = 1,
        validity: timedelta = timedelta(days=90),
        require_eab: bool = True,
        http_port: int | None = None,
    ) -> None:
        self._home = directory
        self._validate = validate
        self._environment = {
            "PEBBLE_VA_NOSLEEP": "1",
            "PEBBLE_WFE_NONCEREJECT": str(nonce_reject),
            "PEBBLE_AUTHZREUSE": str(authz_reuse),
            "PEBBLE_CHAIN_LENGTH": str(chain_length),
        } | ({} if validate else {"PEBBLE_VA_ALWAYS_VALID": "1"})
        self._validity = validity
        self._require_eab = require_eab
        self._processes: list[subprocess.Popen[bytes]] = []
        self._logs = contextlib.ExitStack()
        self.eab_key_id = "kid-of-the-test"
        self.eab_hmac_key = secrets.token_urlsafe(32)
        self.http_port = http_port or free_port()
        self.tls_port = free_port()
        self.log = directory / "pebble.log"
        self.trust = directory / "root.pem"
        self.directory = ""
        self.management = ""
        self.challenge_server: str | None = None
        self.dns: str | None = None

    def __enter__(self) -> Self:
        self._home.mkdir(parents=True, exist_ok=True)
        self.trust, certificate, key = write_https_certificate(self._home)
        try:
            for attempt in range(3):
                try:
                    self._start(certificate, key)
                except RuntimeError:  # somebody took one of the ports meanwhile
                    self._stop()
                    if attempt == 2:
                        raise
                else:
                    break
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self, certificate: Path, key: Path) -> None:
        port, management = free_port(), free_port()
        self.directory = f"https://localhost:{port}/dir"
        self.management = f"https://localhost:{management}"
        config = {
            "pebble": {
                "listenAddress": f"127.0.0.1:{port}",
                "managementListenAddress": f"127.0.0.1:{management}",
                "certificate": str(certificate),
                "privateKey": str(key),
                "httpPort": self.http_port,
                "tlsPort": self.tls_port,
                "ocspResponderURL": "",
                "externalAccountBindingRequired": self._require_eab,
                "externalAccountMACKeys": {self.eab_key_id: self.eab_hmac_key},
                "certificateValidityPeriod": int(self._validity.total_seconds()),
                "retryAfter": {"authz": 0, "order": 0},  # newer ones only
            }
        }
        config_file = self._home / "pebble.json"
        config_file.write_text(json.dumps(config))
        arguments = ["pebble", "-config", str(config_file)]
        if self._validate:
            steering, dns = free_port(), free_port()
            self._spawn(
                [
                    "pebble-challtestsrv",
                    *("-management", f"127.0.0.1:{steering}", "-dns01", f"127.0.0.1:{dns}"),
                    *("-http01", "", "-https01", "", "-tlsalpn01", ""),
                    *("-defaultIPv6", "", "-defaultIPv4", "127.0.0.1"),
                ],
                self._home / "challtestsrv.log",
            )
            self._wait_for(steering)
            self.challenge_server, self.dns = f"http://127.0.0.1:{steering}", f"127.0.0.1:{dns}"
            arguments += ["-dnsserver", self.dns]
        self._spawn(arguments, self.log)
        self._wait_for(port)
        self._wait_for(management)

    def _spawn(self, arguments: list[str], log: Path) -> None:
        out = self._logs.enter_context(log.open("wb"))
        self._processes.append(
            subprocess.Popen(
                arguments, stdout=out, stderr=subprocess.STDOUT, cwd=self._home, env=os.environ | self._environment
            )
        )

    def _wait_for(self, port: int) -> None:
        until = time.monotonic() + 15
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            if self._processes[-1].poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self._processes[-1].args!r} did not start")
            time.sleep(0.02)

    def _stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        self._logs.close()

    def get(self, path: str) -> bytes:
        """What the management side answers, such as `/roots/0` or `/cert-status-by-serial/HEX`."""
        context = ssl.create_default_context(cafile=self.trust)
        with urllib.request.urlopen(self.management + path, context=context, timeout=10) as answer:
            content: bytes = answer.read()
            return content

    def steer(self, path: str, body: dict[str, Any]) -> None:
        """Tell the challenge server, as in `steer("/set-txt", {"host": "_acme-challenge.a.jp.", "value": "v"})`."""
        if self.challenge_server is None:
            raise ValueError("only with validate=True")
        request = urllib.request.Request(self.challenge_server + path, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()

    def requests_seen(self) -> list[str]:
        """Each request so far as "METHOD PATH-PATTERN", in order, from Pebble's own log."""
        lines = (line.split() for line in self.log.read_text(errors="replace").splitlines() if " -> calling" in line)
        return [f"{words[words.index('->') - 2]} {words[words.index('->') - 1]}" for words in lines]
