"""A host where somebody else's client runs: the CA beside it, a web server's folder, programs, and what the CA says."""

from __future__ import annotations

import http.server
import os
import random
import select
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509

from tests import needs
from tests.ca_process import TestCaProcess, Usages

#: Seconds until a program counts as stuck; generous, since the machine may be busy.
LIMIT = 60.0


@dataclass(frozen=True)
class Credentials:
    """What the operator hands out, once."""

    key_id: str
    hmac_key: str
    subscriber: str


def lasting_port() -> int:
    """A free port that the system gives nobody meanwhile: below those it chooses from by itself."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, max(lowest, 20_000))
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Ca(TestCaProcess):
    """The bundled CA, with the ports where it looks for proofs, and what it says of a certificate and of requests."""

    def __init__(self, *options: str) -> None:
        self.http_port, self.tls_port = lasting_port(), lasting_port()
        super().__init__(*options, http_port=self.http_port, tls_port=self.tls_port)

    def quiet(self) -> None:
        """Nothing goes wrong, nothing was asked."""
        self.delete("/faults")
        self.delete("/log")

    def credentials(self, name: str, usages: Usages = "any") -> Credentials:
        """A new subscriber's."""
        identity, eab = self.subscriber(name, usages)
        return Credentials(eab["key_id"], eab["hmac_key"], identity)

    def account_of(self, credentials: Credentials) -> dict[str, Any]:
        """The subscriber, with the account that the credentials were used for."""
        found = self.get(f"/jprs/subscribers/{credentials.subscriber}")
        assert isinstance(found, dict)
        return found

    def issued(self, chain: Path, *names: str) -> x509.Certificate:
        """The first certificate of `chain`: OpenSSL trusts it for `names`, and the CA knows it as valid."""
        leaf = x509.load_pem_x509_certificates(chain.read_bytes())[0]
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert set(found.get_values_for_type(x509.DNSName)) == set(names)
        self._verify(chain)
        assert self.status(leaf) == ("Valid", None)
        return leaf

    def _verify(self, chain: Path) -> None:
        root = chain.with_name(f"{chain.name}.root")
        root.write_text(self.get("/roots/0"))
        try:
            run(
                *(needs.program("openssl"), "verify", "-x509_strict", "-purpose", "sslserver"),
                *("-CAfile", str(root), "-untrusted", str(chain), str(chain)),
            )
        finally:
            root.unlink()

    def status(self, leaf: x509.Certificate) -> tuple[str, int | None]:
        """Status and, once revoked, reason."""
        status = self.get(f"/cert-status-by-serial/{leaf.serial_number:x}")
        return status["Status"], status.get("Reason")

    def answers(self, endpoint: str) -> list[int]:
        """The status of each answer of this kind, oldest first."""
        return [entry["status"] for entry in self.log() if entry["endpoint"] == endpoint]

    def problems(self) -> list[tuple[str, str]]:
        """What was refused: endpoint and type."""
        return [(entry["endpoint"], entry["problem"]) for entry in self.log() if entry["problem"] is not None]


def run(*command: str, code: int = 0, **environment: str) -> str:
    """What a program said, in an environment of its own; it ends with `code`."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LC_ALL") if key in os.environ}
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=LIMIT, env=kept | environment
    )
    assert done.returncode == code, f"{' '.join(command)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


class Program:
    """A server of somebody's that runs while a `with` block lasts; `until` reads what it says."""

    def __init__(self, *command: str, **environment: str) -> None:
        self._command = command
        self._environment = {key: os.environ[key] for key in ("PATH", "LC_ALL") if key in os.environ} | environment
        self._said = b""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def until(self, words: str, seconds: float = LIMIT) -> str:
        """What it says from where the last call ended up to the end of the line with `words`."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        while True:
            lines = self._said.splitlines(keepends=True)
            for count, line in enumerate(lines, 1):
                if words.encode() in line and line.endswith(b"\n"):
                    self._said = b"".join(lines[count:])
                    return b"".join(lines[:count]).decode(errors="replace")
            left = deadline - time.monotonic()
            part = os.read(self._process.stdout.fileno(), 65536) if poll.poll(max(left, 0) * 1000) else b""
            assert part, f"{words} was not said\n{self._said.decode(errors='replace')}"
            self._said += part


def trusting(root: Path) -> list[str]:
    """What to put before a command that knows no other roots than the system's: there, `root` is the only one."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if not bundle.exists():
        needs.missing(f"{bundle} does not exist")
    program = needs.program("unshare")  # root needs no user namespace, and in a chroot gets none
    ways = [[program, "--mount"], [program, "--map-root-user", "--mount"]]
    allowed = [way for way in ways if not subprocess.run([*way, "true"], capture_output=True, check=False).returncode]
    if not allowed:
        needs.missing("no mount namespace of one's own is allowed here")
    script = f'mount --bind "$0" {bundle} && exec "$@"'
    return [*allowed[0], "sh", "-c", script, str(root)]


def script(path: Path, text: str) -> str:
    """A program of that text; its path."""
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def steering(ca: Ca, folder: Path) -> str:
    """A program that writes and removes TXT records: `PROGRAM set-txt NAME VALUE`, `PROGRAM clear-txt NAME`."""
    curl, trust = needs.program("curl"), folder / "management.pem"
    shutil.copyfile(ca.trust, trust)  # the program's user may not look into the CA's own folder
    return script(
        folder / "steer-dns",
        "#!/bin/sh\nset -eu\n"
        f'exec {curl} -sS --fail --noproxy "*" --cacert {trust} -o {os.devnull} {ca.management}/"$1" '
        '-H "Content-Type: application/json" -d "{\\"host\\": \\"$2\\", \\"value\\": \\"${3-}\\"}"\n',
    )


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    with server:
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def webroot(folder: Path, port: int) -> Iterator[Path]:
    """A web server at `port`: the folder for http-01's answers, inside `folder`."""
    answers = folder / "webroot" / ".well-known" / "acme-challenge"
    answers.mkdir(parents=True)

    class Files(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, directory=str(folder / "webroot"), **kwargs)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Say nothing."""

    with _serving(http.server.ThreadingHTTPServer(("127.0.0.1", port), Files)):
        yield answers


@contextmanager
def alpn_server(folder: Path, port: int, protocols: Sequence[str] = ("acme-tls/1",)) -> Iterator[None]:
    """A server at `port` that shows NAME.crt.pem with NAME.key.pem of `folder` for the NAME it is asked for."""

    def context() -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.set_alpn_protocols(list(protocols))
        return made

    def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        certificate, key = folder / f"{name}.crt.pem", folder / f"{name}.key.pem"
        if not certificate.exists():
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        chosen = context()
        chosen.load_cert_chain(certificate, key)
        connection.context = chosen
        return None

    tls = context()
    tls.sni_callback = choose

    class Greeting(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                with tls.wrap_socket(self.request, server_side=True) as secured:
                    secured.recv(1)
            except OSError:
                return  # whoever asked has seen what there is

    class Greeter(socketserver.ThreadingTCPServer):
        allow_reuse_address = True  # the one before may have ended a moment ago

    with _serving(Greeter(("127.0.0.1", port), Greeting)):
        yield
