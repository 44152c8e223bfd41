"""The installer of plain files: what it writes where, whose the files are, and what the configuration may say."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

import pytest

from jprs_client.config import Config, load
from jprs_client.errors import ConfigError, ConfigProblem, InstallFailed
from jprs_client.locale import Speech
from jprs_client.plugin import Deployment, Probe, Site
from jprs_client.registry import Registry
from jprs_plugins.files import Files
from tests import needs
from tests.install.world import World, issued

MATERIAL = issued("example.jp", "*.example.jp")


def proposal(folder: Path, **settings: object) -> Deployment:
    return proposal_for("main", folder, **settings)


def proposal_for(lineage: str, folder: Path, **settings: object) -> Deployment:
    site = Site(lineage, frozenset({"example.jp", "*.example.jp"}), folder / "live" / lineage)
    return Files(settings).deployment(site, MATERIAL)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- what is proposed ------------------------------------------------------------------------------------------------


def test_each_kind_of_file_has_its_content_and_keys_come_last(tmp_path: Path) -> None:
    roles = ("private_key", "combined", "cert", "chain", "fullchain")
    deployment = proposal(tmp_path, **{role: tmp_path / role for role in roles})

    assert [(change.path.name, change.content) for change in deployment.files] == [
        ("fullchain", MATERIAL.fullchain_pem),
        ("cert", MATERIAL.cert_pem),
        ("chain", MATERIAL.chain_pem),
        ("private_key", MATERIAL.private_key_pem),
        ("combined", MATERIAL.private_key_pem + MATERIAL.fullchain_pem),
    ]


def test_name_stands_for_the_certificates_folder(tmp_path: Path) -> None:
    (tmp_path / "_.example.jp").mkdir()
    deployment = proposal_for("_.example.jp", tmp_path, fullchain=tmp_path / "{name}" / "{name}.pem")

    assert [change.path for change in deployment.files] == [tmp_path / "_.example.jp" / "_.example.jp.pem"]


def test_it_looks_where_it_is_told_and_asks_below_a_wildcard(tmp_path: Path) -> None:
    deployment = proposal(tmp_path, cert=tmp_path / "c", probe=["127.0.0.1:465", "[::1]:993"])

    example = next(probe.server_name for probe in deployment.probes if probe.server_name != "example.jp")
    assert set(deployment.probes) == {
        Probe(host, port, name) for host, port in (("127.0.0.1", 465), ("::1", 993)) for name in ("example.jp", example)
    }
    assert example.endswith(".example.jp")
    assert "*" not in example


def test_check_and_command_are_as_they_are_written(tmp_path: Path) -> None:
    deployment = proposal(tmp_path, cert=tmp_path / "c", check=["haproxy", "-c"], command=["true", "x"])

    assert (deployment.check, deployment.reload) == (("haproxy", "-c"), ("true", "x"))


def test_nothing_to_write_is_told() -> None:
    with pytest.raises(InstallFailed) as caught:
        Files({"command": ["true"]})

    assert caught.value.code == "files-nothing-to-write"


# -- carried out -----------------------------------------------------------------------------------------------------


def deployed(folder: Path, **settings: object) -> None:
    world = World(folder)
    version = world.issue("main", MATERIAL)
    world.deployer({"mail": lambda: Files(settings)}).deploy("mail", "main", version)


def test_a_new_key_is_for_its_owner_alone_and_a_new_certificate_for_all(tmp_path: Path) -> None:
    paths = {role: tmp_path / role for role in ("fullchain", "cert", "chain", "private_key", "combined")}
    deployed(tmp_path, **paths)

    assert {role: mode(path) for role, path in paths.items()} == {
        "fullchain": 0o644,
        "cert": 0o644,
        "chain": 0o644,
        "private_key": 0o600,
        "combined": 0o600,
    }


def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "c").touch(mode=0o640)
    (tmp_path / "k").touch(mode=0o400)
    deployed(tmp_path, cert=tmp_path / "c", private_key=tmp_path / "k")

    assert (mode(tmp_path / "c"), mode(tmp_path / "k")) == (0o640, 0o400)


def test_modes_are_as_asked_and_that_of_certificates_opens_no_key(tmp_path: Path) -> None:
    deployed(tmp_path, cert=tmp_path / "c", private_key=tmp_path / "k", mode="0664")
    assert (mode(tmp_path / "c"), mode(tmp_path / "k")) == (0o664, 0o600)

    deployed(tmp_path, cert=tmp_path / "c", private_key=tmp_path / "k", mode="644", key_mode="0640")
    assert (mode(tmp_path / "c"), mode(tmp_path / "k")) == (0o644, 0o640)


def test_owner_and_group_are_as_asked(tmp_path: Path) -> None:
    needs.root()
    deployed(tmp_path, cert=tmp_path / "c", private_key=tmp_path / "k", owner="daemon", group="mail", key_mode="0440")

    for path in (tmp_path / "c", tmp_path / "k"):
        assert path.stat().st_uid == pwd.getpwnam("daemon").pw_uid
        assert path.stat().st_gid == grp.getgrnam("mail").gr_gid


@pytest.mark.parametrize("key", ["owner", "group"])
def test_an_owner_nobody_knows_is_told_before_anything_is_written(tmp_path: Path, key: str) -> None:
    with pytest.raises(InstallFailed) as caught:
        deployed(tmp_path, cert=tmp_path / "c", **{key: "nobody-of-that-name"})

    assert caught.value.code == "install-owner-unknown"
    assert not (tmp_path / "c").exists()


def test_a_folder_that_is_not_there_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(InstallFailed) as caught:
        deployed(tmp_path, cert=tmp_path / "tls" / "c")

    assert caught.value.code == "files-folder-missing"
    assert caught.value.params["restored"] == "untouched"
    said = " ".join(Speech("en").error_sentence(caught.value))
    assert f"install -d -m 755 {tmp_path}/tls" in said
    assert "[installer.mail]" in said


# -- configured ------------------------------------------------------------------------------------------------------

TWO = """
[[usage_fqdn]]
name = "example.jp"
term = "1y"
[[usage_fqdn]]
name = "*.example.com"
term = "1y"
"""


def loaded(folder: Path, text: str) -> Config:
    path = folder / "config.toml"
    path.write_text(text)
    return load(path, Registry())


def refused(folder: Path, text: str) -> list[ConfigProblem]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    for language in ("en", "ja"):
        for problem in caught.value.problems:
            assert str(folder) in Speech(language).say(f"error.{problem.code}", **problem.params)
    return list(caught.value.problems)


def test_paths_are_absolute_and_a_key_says_nothing_of_a_secret(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[installer.mail]\nplugin = "files"\nprivate_key = "tls/{name}.key"\nkey_mode = "0640"\n')

    assert config.installers["mail"].settings == {
        "private_key": tmp_path / "tls" / "{name}.key",
        "key_mode": "0640",
    }


@pytest.mark.parametrize(
    ("line", "key", "expected"),
    [
        ('mode = "rw-r--r--"', "mode", '"0640"'),
        ('mode = "0888"', "mode", '"0640"'),
        ('key_mode = "4755"', "key_mode", '"0640"'),
        ("mode = 640", "mode", '"0640"'),
        ('fullchain = "tls/{lineage}.pem"', "fullchain", '"path/to/file" | "path/to/{name}.pem"'),
        ("combined = 1", "combined", '"path/to/file"'),
    ],
)
def test_a_wrong_value_is_told_with_the_right_form(tmp_path: Path, line: str, key: str, expected: str) -> None:
    (problem,) = refused(tmp_path, f'[installer.mail]\nplugin = "files"\n{line}\n')

    assert (problem.code, problem.line, problem.key) == ("config-wrong-value", 3, f"installer.mail.{key}")
    assert problem.params["expected"] == expected


def test_two_certificates_do_not_write_the_same_file(tmp_path: Path) -> None:
    table = '[defaults]\ninstall = ["mail"]\n[installer.mail]\nplugin = "files"\ncombined = "tls.pem"\nmode = "0644"\n'

    (problem,) = refused(tmp_path, TWO + table)

    assert (problem.code, problem.key, problem.line) == ("config-file-of-two", "installer.mail.combined", 12)
    assert problem.params["path"] == str(tmp_path / "tls.pem")
    assert {problem.params["certificate"], problem.params["other_certificate"]} == {"example.jp", "*.example.com"}
    assert loaded(tmp_path, TWO + table.replace("tls.pem", "{name}.pem"))


def test_nor_by_two_tables(tmp_path: Path) -> None:
    tables = """
[[certificate]]
name = "one"
usage_fqdns = ["example.jp"]
install = ["a"]
[[certificate]]
name = "two"
usage_fqdns = ["*.example.com"]
install = ["b"]
[installer.a]
plugin = "files"
cert = "one.pem"
[installer.b]
plugin = "files"
cert = "{name}.pem"
fullchain = "one.pem"
"""
    (problem,) = refused(tmp_path, TWO + tables)

    assert (problem.code, problem.key) == ("config-file-of-two", "installer.b.fullchain")
    assert problem.params["other"] == f"{tmp_path}/config.toml:19"
    assert loaded(tmp_path, TWO + tables.replace('install = ["b"]', "install = []"))


def test_one_file_does_not_get_two_contents(tmp_path: Path) -> None:
    text = (
        TWO + '[defaults]\ninstall = ["m"]\n[installer.m]\nplugin = "files"\ncert = "{name}"\nprivate_key = "{name}"\n'
    )

    (problem,) = refused(tmp_path, text)

    assert (problem.code, problem.key) == ("config-file-for-two-things", "installer.m.private_key")


def test_files_are_not_followed_where_others_could_lead_them(tmp_path: Path) -> None:
    needs.root()
    folder = tmp_path / "open"
    folder.mkdir()
    os.chown(folder, pwd.getpwnam("daemon").pw_uid, 0)

    with pytest.raises(InstallFailed) as caught:
        deployed(tmp_path, private_key=folder / "k")

    assert caught.value.code == "install-folder-unsafe"
