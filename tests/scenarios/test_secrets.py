"""No secret leaves its file: not into output, the database, a child's environment or any arguments (FAULTS V6)."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.scenarios.hosts import World, add_hook_solver, hook_for_txt, private_keys, script, too_open
from tests.scenarios.test_nginx import site


def forms(secret: bytes) -> list[bytes]:
    """How a secret may look where it should not be."""
    return [
        secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="), str(int.from_bytes(secret, "big")).encode(),
    ]  # fmt: skip


def secrets_in(pem: bytes) -> list[bytes]:
    """The private number of a key in every form, and the lines of its PEM."""
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    number = key.private_numbers().private_value.to_bytes(32, "big")
    return [*forms(number), *(line for line in pem.splitlines() if b"-----" not in line and len(line) > 20)]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Children begin with it."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def recording(into: Path) -> str:
    """Python that writes down what a child can see of its parent and of itself; each call in a file of its own."""
    return f"""
import os, pathlib
def seen(path):
    return pathlib.Path(path).read_bytes()
parent = os.getppid()
record = b"\\n".join([
    seen("/proc/self/environ"), seen("/proc/self/cmdline"),
    seen(f"/proc/{{parent}}/environ"), seen(f"/proc/{{parent}}/cmdline"),
    "\\n".join(str(path) for path in pathlib.Path(f"/proc/{{parent}}/fd").iterdir()).encode(),
])
pathlib.Path({str(into)!r}, f"{{os.getpid()}}").write_bytes(record)
"""


def test_no_secret_shows_anywhere_in_a_whole_life_under_an_open_umask(world: World, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    with site(world, tmp_path, "secrets.jp", reload=[str(tmp_path / "reload")]) as here, umask(0):
        client, nginx = here.client, here.nginx
        script(
            tmp_path / "reload",
            f"{recording(seen)}\nos.execv({nginx.binary!r}, {list(nginx.reload_command)!r})",
        )
        hook = hook_for_txt(
            tmp_path / "hook", world.ca.management, trust=world.ca.trust, before=recording(seen)
        )  # fmt: skip
        add_hook_solver(client, "dns", [hook], "dns-01")
        client.replace('install = ["nginx"]', 'install = ["nginx"]\nsolver = "dns"')
        said = []
        keys: set[bytes] = set()

        def run(*command: str, code: int = 0) -> None:
            ended = client.run("-v", *command)
            assert ended.code == code, (command, ended.err)
            said.append(ended.out.encode() + ended.err.encode())
            keys.update(path.read_bytes() for path in private_keys(client.state))
            assert too_open(client.state) == []

        run("register", "--agree-terms", "--consent-ct")
        run("apply")
        run("renew", "--force")
        run("install")
        run("rollback", "secrets.jp")
        world.ca.fault({"status": 403, "type": "unauthorized", "detail": "no"}, endpoint="finalize", count=0)
        run("renew", "--force", code=4)
        world.ca.delete("/faults")
        run("revoke", "secrets.jp", "--because", "key-compromised", "--yes")
        run("--json", "show", "secrets.jp")
        run("--json", "status")

        for pair in here.files.values():
            assert pair[1].stat().st_mode & 0o077 == 0
        recorded = [path.read_bytes() for path in seen.iterdir()]
        assert len(recorded) > 6
        elsewhere = [
            path.read_bytes()
            for path in [*client.state.rglob("*"), client.config]
            if path.is_file()
            and path.name not in {"privkey.pem", "account.key"}
            and b"PRIVATE KEY" not in path.read_bytes()
        ]
        haystack = b"\n".join([*said, *recorded, *elsewhere])
        hmac_key = next(
            line.split('"')[1] for line in (client.home / "eab.toml").read_text().splitlines() if "hmac" in line
        )
        wanted = [*forms(base64.urlsafe_b64decode(hmac_key + "=" * (-len(hmac_key) % 4))), hmac_key.encode()]
        assert len(keys) >= 4
        for pem in keys:
            wanted += secrets_in(pem)
        assert [secret for secret in wanted if secret in haystack] == []


def test_what_the_proofs_say_stays_out_of_output_and_database(world: World, tmp_path: Path) -> None:
    """A hook is told the key authorization, whose purpose it is; nobody else."""
    client, _ = world.client(tmp_path / "host", ("proofs.jp", "1y"), solver=False)
    values = tmp_path / "values"
    hook = hook_for_txt(
        tmp_path / "hook", world.ca.management, trust=world.ca.trust,
        before='told = json.dumps([os.environ["CERTBOT_VALIDATION"], dict(os.environ)])\n'
        f'open({str(values)!r}, "a").write(told + "\\n")',
    )  # fmt: skip
    add_hook_solver(client, "web", [hook], "dns-01")
    client.register()
    os.environ["MY_DNS_TOKEN"] = "canary-of-the-caller"
    try:
        ended = client.run("-v", "apply")
    finally:
        del os.environ["MY_DNS_TOKEN"]
    assert ended.code == 0, ended.err
    told = [json.loads(line) for line in values.read_text().splitlines()]
    stored = b"".join(path.read_bytes() for path in client.state.glob("state.db*"))
    for value, environment in told:
        assert value not in ended.out + ended.err
        assert value.encode() not in stored
        assert "MY_DNS_TOKEN" not in environment


def test_a_state_that_is_made_under_an_open_umask_is_private(world: World, tmp_path: Path) -> None:
    """FAULTS 35."""
    client, _ = world.client(tmp_path / "host", ("open-umask.jp", "1y"))
    with umask(0):
        client.register()
        assert client.run("apply").code == 0
    assert too_open(client.state) == []
    assert {path.stat().st_mode & 0o777 for path in private_keys(client.state)} == {0o600}
