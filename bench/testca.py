"""How fast the bundled CA is, and whether it keeps its shape.

    python bench/testca.py                    1,000 certificates by a parallel client, http-01 looked at for real
    python bench/testca.py --clock            ten years of its clock, day by day, with contracts that run on

The CA is a process of its own; the client is one too, and answers the CA's looks itself. Numbers are for this machine.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import http.client
import json
import multiprocessing
import os
import queue
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

sys.path.insert(0, str(Path(__file__).parents[1]))

from jprs_client.testca.handle import Credentials
from jprs_client.testca.process import CaProcess


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# -- what answers the CA's looks ---------------------------------------------------------------------------------------


class Responder:
    """http-01 for every token there can be: the key authorization is the token and the account's thumbprint."""

    def __init__(self, thumbprint: str) -> None:
        self._thumbprint = thumbprint
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        for _ in range(2):
            threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                request = b""
                while b"\r\n\r\n" not in request and (data := connection.recv(4096)):
                    request += data
                token = request.split(b" ", 2)[1].rpartition(b"/")[2].decode()
                body = f"{token}.{self._thumbprint}".encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                connection.sendall(head.encode() + body)


# -- a client without a library ----------------------------------------------------------------------------------------


class Account:
    """An account's key, and the JWS it signs."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        self.jwk = {
            "crv": "P-256",
            "kty": "EC",
            "x": b64(numbers.x.to_bytes(32, "big")),
            "y": b64(numbers.y.to_bytes(32, "big")),
        }
        text = json.dumps(self.jwk, separators=(",", ":"), sort_keys=True)
        self.thumbprint = b64(hashlib.sha256(text.encode()).digest())
        self.kid = ""

    def jws(self, url: str, nonce: str, payload: object) -> bytes:
        """A signed request's body; `payload` None: POST-as-GET."""
        who: dict[str, Any] = {"kid": self.kid} if self.kid else {"jwk": self.jwk}
        head = b64(json.dumps({"alg": "ES256", "nonce": nonce, "url": url, **who}).encode())
        body = "" if payload is None else b64(json.dumps(payload).encode())
        r, s = decode_dss_signature(self.key.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256())))
        signature = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return json.dumps({"protected": head, "payload": body, "signature": signature}).encode()


class Line:
    """One connection to the CA, which brings a fresh nonce with every answer."""

    def __init__(self, directory: str, trust: Path, account: Account) -> None:
        self._connection = http.client.HTTPSConnection(
            urlsplit(directory).netloc, context=ssl.create_default_context(cafile=str(trust))
        )
        self._account = account
        self._nonce = ""
        self.requests = 0
        self.directory = json.loads(self.ask("GET", directory)[1])

    def ask(self, method: str, url: str, body: bytes | None = None) -> tuple[http.client.HTTPMessage, bytes]:
        """One request; an error status ends the measurement."""
        headers = {} if body is None else {"Content-Type": "application/jose+json"}
        self._connection.request(method, urlsplit(url).path, body, headers)
        answer = self._connection.getresponse()
        data = answer.read()
        self.requests += 1
        self._nonce = answer.headers["Replay-Nonce"]
        if answer.status >= 400:
            raise RuntimeError(f"{method} {url}: {answer.status} {data[:300]!r}")
        return answer.headers, data

    def post(self, url: str, payload: object) -> tuple[http.client.HTTPMessage, Any]:
        """One signed request, its answer decoded where it is JSON."""
        headers, data = self.ask("POST", url, self._account.jws(url, self._nonce, payload))
        return headers, json.loads(data) if headers.get_content_type() == "application/json" else data

    def register(self, credentials: Credentials | None = None) -> None:
        """An account for the key."""
        url = self.directory["newAccount"]
        payload: dict[str, Any] = {"termsOfServiceAgreed": True}
        if credentials is not None:
            secret = base64.urlsafe_b64decode(credentials.hmac_key + "=" * (-len(credentials.hmac_key) % 4))
            head = b64(json.dumps({"alg": "HS256", "kid": credentials.key_id, "url": url}).encode())
            body = b64(json.dumps(self._account.jwk).encode())
            mac = hmac.digest(secret, f"{head}.{body}".encode(), "sha256")
            payload["externalAccountBinding"] = {"protected": head, "payload": body, "signature": b64(mac)}
        headers, _ = self.post(url, payload)
        self._account.kid = headers["Location"]

    def until(self, url: str, status: str) -> Any:
        """The order at `url` once its status is `status`."""
        pause = 0.002
        while True:
            _, order = self.post(url, None)
            if order["status"] == status:
                return order
            if order["status"] == "invalid":
                raise RuntimeError(str(order))
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def issue(self, name: str) -> bytes:
        """A certificate for `name`: order, proof, CSR, chain; a key of its own."""
        headers, order = self.post(self.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name}]})
        _, authorization = self.post(order["authorizations"][0], None)
        challenge = next(each for each in authorization["challenges"] if each["type"] == "http-01")
        self.post(challenge["url"], {})
        key = ec.generate_private_key(ec.SECP256R1())
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        request = request.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        csr = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        self.until(headers["Location"], "ready")
        _, order = self.post(order["finalize"], {"csr": b64(csr)})
        if order["status"] != "valid":
            order = self.until(headers["Location"], "valid")
        _, chain = self.post(order["certificate"], None)
        return bytes(chain)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Sample:
    """The CA after so many certificates."""

    issued: int
    seconds: float
    rss_kib: int
    cpu: float


def rss_kib(pid: int) -> int:
    """Resident memory, KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError(f"process {pid} is gone")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_client(directory: str, trust: Path, account: Account, names: Sequence[str], jobs: int, told: Any) -> None:
    """Issue for all `names` over `jobs` connections; tells each certificate, then None and the requests."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in names:
        waiting.put(name)
    asked = []

    def work() -> None:
        line = Line(directory, trust, account)
        try:
            while True:
                name = waiting.get_nowait()
                chain = line.issue(name)
                told.put(("issued", len(chain)))
        except queue.Empty:
            line.close()
            asked.append(line.requests)
        except Exception as error:
            told.put(("failed", repr(error)))
            raise

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.put(("done", (sum(asked), time.process_time())))


@contextmanager
def served(**options: object) -> Iterator[CaProcess]:
    """A CA, and its whole standard error where it ends badly."""
    with CaProcess(**options) as ca:
        try:
            yield ca
        finally:
            if said := ca.stderr():
                print(said, file=sys.stderr)


def issue(count: int, jobs: int, every: int) -> list[Sample]:
    """`count` certificates; what the CA was like after each `every`. Prints as it goes."""
    account = Account()
    responder = Responder(account.thumbprint)
    with served(open=True, http_port=responder.port) as ca:
        line = Line(ca.directory, ca.trust, account)
        line.register()
        names = [f"n{number}.bench.test" for number in range(count)]
        context = multiprocessing.get_context("fork")
        told: Any = context.Queue()
        started, cpu = time.perf_counter(), cpu_seconds(ca.pid)
        samples = [Sample(0, 0.0, rss_kib(ca.pid), 0.0)]
        client = context.Process(target=run_client, args=(ca.directory, ca.trust, account, names, jobs, told))
        client.start()
        issued = 0
        print(f"{'issued':>7} {'seconds':>8} {'certs/s':>8} {'CA ms/cert':>11} {'CA RSS MiB':>11}")
        while True:
            kind, value = told.get()
            if kind == "failed":
                raise RuntimeError(value)
            if kind == "done":
                break
            issued += 1
            if issued % every == 0 or issued == count:
                sample = Sample(issued, time.perf_counter() - started, rss_kib(ca.pid), cpu_seconds(ca.pid) - cpu)
                samples.append(sample)
                print(
                    f"{issued:>7} {sample.seconds:>8.2f} {issued / sample.seconds:>8.1f} "
                    f"{sample.cpu / issued * 1000:>11.2f} {sample.rss_kib / 1024:>11.1f}",
                    flush=True,
                )
        client.join()
        requests, client_cpu = value
        print(f"requests a certificate: {requests / count:.1f}; client: {client_cpu / count * 1000:.2f} ms/cert of CPU")
        if ca.stderr():
            raise RuntimeError("the CA had something to say")
        line.close()
    return samples


def pass_years(years: int) -> float:
    """Seconds that `years` of the clock take, a day a step, with usage periods that start, run on and end."""
    account = Account()
    responder = Responder(account.thumbprint)
    with served(now="2026-11-22", http_port=responder.port) as ca:
        names = [f"s{number}.jp" for number in range(20)]
        subscriber = ca.subscriber("Example", *names)
        line = Line(ca.directory, ca.trust, account)
        line.register(subscriber)
        for name in names:
            line.issue(name)
        line.close()
        for name in names[:5]:
            ca.ask("POST", f"/jprs/subscribers/{subscriber.subscriber}/terminate", {"name": name})
        connection = http.client.HTTPSConnection(
            urlsplit(ca.management).netloc, context=ssl.create_default_context(cafile=str(ca.trust))
        )
        days = years * 365 + years // 4
        started = time.perf_counter()
        for _ in range(days):
            connection.request("POST", "/clock", b'{"advance": 86400}', {"Content-Type": "application/json"})
            answer = connection.getresponse()
            data = answer.read()
            if answer.status != 200:
                raise RuntimeError(data)
        took = time.perf_counter() - started
        connection.close()
        (shown,) = ca.subscribers()
        print(f"{years} years, day by day ({days} steps): {took:.2f} s; the clock says {json.loads(data)['now']}")
        for usage in (shown["usage_fqdns"][0], shown["usage_fqdns"][-1]):
            print(f"  {usage['name']}: started {usage['started']}, ends {usage['ends']}, {usage['status']}")
    return took


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clock", action="store_true", help="ten years of its clock instead")
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--count", type=int, default=1000, help="certificates (1000)")
    parser.add_argument("--jobs", type=int, default=8, help="connections at the same time (8)")
    parser.add_argument("--every", type=int, default=100, help="certificates between two lines (100)")
    parser.add_argument("--json", metavar="FILE", help="write the samples there, too")
    given = parser.parse_args()
    if given.clock:
        pass_years(given.years)
        return
    samples = issue(given.count, given.jobs, given.every)
    if given.json:
        Path(given.json).write_text(json.dumps([asdict(sample) for sample in samples]))
    settled = next((sample for sample in samples if sample.issued >= min(200, given.count)), samples[-1])
    last = samples[-1]
    growth = last.rss_kib / settled.rss_kib - 1
    print(f"{last.issued / last.seconds:.1f} certificates a second; memory from {settled.issued} on: {growth:+.1%}")


if __name__ == "__main__":
    main()
