"""Certificates and keys that a server reads together: what its own check does not find is found before a reload."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from jprs_client import keys
from jprs_client.errors import InstallFailed
from jprs_client.keys import KeyType
from jprs_client.plugin import Deployment, Material, Pair, Probe, Site
from tests.install.world import NOW, PlainServer, World, issued, snapshot

OLD = issued("example.jp", issued_at=NOW - timedelta(days=60))
OTHER = issued("other.jp")


class ApacheLike(PlainServer):
    """Says "Syntax OK" to anything, and is gone after a reload with a torn pair."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.pairs: tuple[Pair, ...] = (Pair(self.certificate, self.key, "site.conf:3"),)
        self.asked = folder.parent / "reloads"
        self.reload = ("sh", "-c", f"echo reload >> {self.asked}; cp {self.certificate} {self.memory}")
        self.check = ("sh", "-c", f"echo check >> {self.asked}")

    def deployment(self, site: Site, material: Material, /) -> Deployment:
        return replace(super().deployment(site, material), pairs=self.pairs)

    def calls(self) -> list[str]:
        return self.asked.read_text().split() if self.asked.exists() else []


@dataclass
class Scene:
    world: World
    server: ApacheLike
    new: Material
    version: int

    def deploy(self) -> tuple[tuple[str, object], ...]:
        deployer = self.world.deployer({"web": self.server.make}, look=self.server.look)
        return deployer.deploy("web", "main", self.version).notes

    def neighbour(self, certificate: bytes, key: bytes, name: str = "other") -> Pair:
        """Another virtual host's files, which we have nothing to do with."""
        pair = Pair(self.server.folder / f"{name}.pem", self.server.folder / f"{name}.key", f"{name}.conf:7")
        pair.certificate.write_bytes(certificate)
        pair.key.write_bytes(key)
        self.server.pairs = (*self.server.pairs, pair)
        return pair

    def refused(self) -> InstallFailed:
        """Deploying fails and everything is as it was."""
        before = snapshot(self.server.folder)
        with pytest.raises(InstallFailed) as caught:
            self.deploy()
        assert snapshot(self.server.folder) == before
        assert self.world.versions.current("main") == 1
        return caught.value


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    world = World(tmp_path)
    server = ApacheLike(tmp_path / "server")
    server.install(OLD)
    world.issue("main", OLD)
    new = issued("example.jp")
    return Scene(world, server, new, world.add("main", new))


def combined(material: Material) -> bytes:
    return material.private_key_pem + material.fullchain_pem


def locked(private_key_pem: bytes, form: serialization.PrivateFormat) -> bytes:
    return keys.load(private_key_pem).private_bytes(
        serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(b"secret")
    )


def test_pairs_that_fit_are_reloaded(scene: Scene) -> None:
    scene.neighbour(OTHER.fullchain_pem, OTHER.private_key_pem)

    assert scene.deploy() == ()

    assert scene.server.memory.read_bytes() == scene.new.fullchain_pem
    assert scene.server.calls() == ["check", "check", "reload"]


def test_a_pair_may_be_one_file_and_stand_behind_links(scene: Scene) -> None:
    both = scene.server.folder / "both.pem"
    both.write_bytes(combined(OTHER))
    link = scene.server.folder / "link.pem"
    link.symlink_to(both)
    scene.server.pairs = (*scene.server.pairs, Pair(both, both), Pair(link, link))

    scene.deploy()

    assert scene.server.memory.read_bytes() == scene.new.fullchain_pem


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(issued("other.jp").private_key_pem, id="of-the-same-kind"),
        pytest.param(keys.generate(KeyType.RSA_2048), id="of-another-kind"),
        pytest.param(issued("other.jp").private_key_pem + OTHER.private_key_pem, id="second-in-the-file"),
    ],
)
def test_a_neighbours_key_that_is_not_its_certificates_is_told_before_anything_is_touched(
    scene: Scene, key: bytes
) -> None:
    pair = scene.neighbour(OTHER.fullchain_pem, key)

    error = scene.refused()

    assert error.code == "server-pair-mismatch"
    assert error.params == {
        "target": "web",
        "lineage": "main",
        "certificate": str(pair.certificate),
        "key": str(pair.key),
        "place": "other.conf:7",
        "file": None,
        "detail": None,
        "restored": "untouched",
    }
    assert scene.server.calls() == ["check"]


def damage_gone(pair: Pair) -> Path:
    pair.key.unlink()
    return pair.key


def damage_folder(pair: Pair) -> Path:
    pair.certificate.unlink()
    pair.certificate.mkdir()
    return pair.certificate


def damage_empty(pair: Pair) -> Path:
    pair.certificate.write_bytes(b"")
    return pair.certificate


def damage_certificate(pair: Pair) -> Path:
    lines = pair.certificate.read_text().splitlines()
    pair.certificate.write_text("\n".join([lines[0], *lines[4:]]))
    return pair.certificate


def damage_key(pair: Pair) -> Path:
    lines = pair.key.read_text().splitlines()
    pair.key.write_text("\n".join([lines[0], *lines[2:]]))
    return pair.key


@pytest.mark.parametrize("damage", [damage_gone, damage_folder, damage_empty, damage_certificate, damage_key])
def test_a_neighbours_file_that_cannot_be_loaded_is_named(scene: Scene, damage: Callable[[Pair], Path]) -> None:
    broken = damage(scene.neighbour(OTHER.fullchain_pem, OTHER.private_key_pem))
    calls = scene.server.calls()
    with pytest.raises(InstallFailed) as caught:
        scene.deploy()

    assert caught.value.code == "server-pair-unreadable"
    assert caught.value.params["file"] == str(broken)
    assert caught.value.params["detail"]
    assert caught.value.params["restored"] == "untouched"
    assert calls == []
    assert scene.server.calls() == ["check"]
    assert scene.server.certificate.read_bytes() == OLD.fullchain_pem


def test_what_we_would_tear_is_put_back_without_a_reload(scene: Scene) -> None:
    """A pair of ours with a key that does not follow the certificate."""
    fixed = scene.server.folder / "fixed.key"
    fixed.write_bytes(OLD.private_key_pem)
    scene.server.pairs = (Pair(scene.server.certificate, fixed, "site.conf:9"),)

    error = scene.refused()

    assert (error.code, error.params["restored"], error.params["reloaded"]) == (
        "server-pair-mismatch",
        "yes",
        "not-needed",
    )
    assert scene.server.calls() == ["check"]


def test_a_torn_pair_that_gets_our_files_is_mended(scene: Scene) -> None:
    scene.server.key.write_bytes(OTHER.private_key_pem)

    scene.deploy()

    assert scene.server.memory.read_bytes() == scene.new.fullchain_pem


def test_a_pair_that_was_torn_before_is_put_back_but_not_reloaded(scene: Scene) -> None:
    """The server lives on what it once loaded: asked to read the old files again, it would end."""
    scene.server.key.write_bytes(OTHER.private_key_pem)
    scene.server.reload = ("sh", "-c", f"echo reload >> {scene.server.asked}; false")

    error = scene.refused()

    assert (error.code, error.params["restored"], error.params["reloaded"]) == ("reload-failed", "yes", "no")
    assert scene.server.calls() == ["check", "check", "reload"]


def test_a_pair_under_live_is_judged_once_live_has_moved(scene: Scene) -> None:
    live = scene.world.live("main")
    scene.server.pairs = (Pair(live / "fullchain.pem", live / "privkey.pem", "live.conf:1"),)

    scene.deploy()

    assert scene.world.versions.current("main") == scene.version
    assert scene.server.calls() == ["check", "check", "reload"]


@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL], ids=["pkcs8", "old"]
)
def test_a_key_with_a_passphrase_cannot_be_judged_and_holds_nothing_up(
    scene: Scene, form: serialization.PrivateFormat
) -> None:
    pair = scene.neighbour(OTHER.fullchain_pem, locked(OTHER.private_key_pem, form))

    assert scene.deploy() == (("pair-not-judged", {"lineage": "main", "file": str(pair.key), "place": "other.conf:7"}),)
    assert scene.server.memory.read_bytes() == scene.new.fullchain_pem


def test_a_key_that_a_device_keeps_cannot_be_judged_either(scene: Scene) -> None:
    tpm = OTHER.private_key_pem.replace(b"PRIVATE KEY", b"TSS2 PRIVATE KEY")
    scene.neighbour(OTHER.fullchain_pem, tpm)

    assert [code for code, _ in scene.deploy()] == ["pair-not-judged"]


def test_how_strong_a_neighbours_key_is_is_not_our_business(scene: Scene) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa

    from tests.install.world import ca_name

    key = rsa.generate_private_key(65537, 1024)  # noqa: S505
    weak = (
        x509.CertificateBuilder()
        .subject_name(ca_name("old box"))
        .issuer_name(ca_name("old box"))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    scene.neighbour(
        weak.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ),
        "weak",
    )
    scene.neighbour(
        OTHER.fullchain_pem,
        parameters
        + keys.load(OTHER.private_key_pem).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ),
        "openssl-ecparam",
    )

    assert scene.deploy() == ()


def test_what_a_cut_off_run_left_is_not_reloaded_into_a_torn_pair(scene: Scene) -> None:
    class Killed(BaseException):
        pass

    def look(probe: Probe, timeout: float) -> str:
        if "reload" in scene.server.calls():
            raise Killed
        return scene.server.look(probe, timeout)

    scene.server.key.write_bytes(OTHER.private_key_pem)
    with pytest.raises(Killed):
        scene.world.deployer({"web": scene.server.make}, look=look).deploy("web", "main", scene.version)

    with pytest.raises(InstallFailed) as caught:
        scene.world.deployer({"web": scene.server.make}, look=scene.server.look).recover("web")

    assert (caught.value.code, caught.value.params["restored"]) == ("server-pair-mismatch", "yes")
    assert scene.server.calls() == ["check", "check", "reload", "check"]
