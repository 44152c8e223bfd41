"""http-01 by a file: exactly ours, readable by the server, and never anywhere but in the document root."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from jprs_client.errors import ChallengeFailed
from jprs_client.plugin import Proof, Solver
from jprs_plugins.webroot import Webroot

PROOF = Proof("http-01", "example.jp", "tokenAAAAAAAAAAAAAAAAAA", "tokenAAAAAAAAAAAAAAAAAA.thumb")
OTHER = Proof("http-01", "www.example.jp", "tokenBBBBBBBBBBBBBBBBBB", "tokenBBBBBBBBBBBBBBBBBB.thumb")
NOBODY = 65534

as_root = os.geteuid() == 0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "www"
    made.mkdir(mode=0o755)
    return made


@contextmanager
def masked(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def file_of(root: Path, proof: Proof = PROOF) -> Path:
    return root / ".well-known" / "acme-challenge" / proof.token


def code_of(solver: Webroot, proof: Proof = PROOF) -> tuple[str, str]:
    with pytest.raises(ChallengeFailed) as failed:
        solver.present(proof)
    return failed.value.code, str(failed.value.params["path"])


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_the_proof_is_readable_and_nothing_wider_whatever_the_umask(root: Path, mask: int) -> None:
    solver: Solver = Webroot({"path": root})
    with masked(mask):
        solver.present(PROOF)
    assert solver.challenge_type == "http-01"
    assert file_of(root).read_text() == PROOF.content
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file_of(root), *file_of(root).parents[:2])]
    assert modes == [0o644, 0o755, 0o755]


def test_what_was_made_is_gone_afterwards(root: Path) -> None:
    solver = Webroot({"path": str(root)})
    solver.present(PROOF)
    solver.present(OTHER)
    solver.clean_up(PROOF)
    assert file_of(root, OTHER).exists()
    solver.clean_up(OTHER)
    assert list(root.iterdir()) == []


def test_what_others_made_stays(root: Path) -> None:
    file_of(root).parent.mkdir(parents=True)
    (root / ".well-known" / "security.txt").write_text("theirs")
    solver = Webroot({"path": root})
    solver.present(PROOF)
    solver.clean_up(PROOF)
    assert not file_of(root).exists()
    assert file_of(root).parent.is_dir()
    assert (root / ".well-known" / "security.txt").read_text() == "theirs"


def test_a_folder_in_which_somebody_put_a_file_meanwhile_stays(root: Path) -> None:
    solver = Webroot({"path": root})
    solver.present(PROOF)
    (file_of(root).parent / "theirs").write_text("x")
    solver.clean_up(PROOF)
    assert [path.name for path in file_of(root).parent.iterdir()] == ["theirs"]


def test_a_folder_made_by_ours_goes_even_when_the_outer_one_was_there(root: Path) -> None:
    (root / ".well-known").mkdir()
    solver = Webroot({"path": root})
    solver.present(PROOF)
    solver.clean_up(PROOF)
    assert list((root / ".well-known").iterdir()) == []


def test_a_later_process_takes_down_what_a_killed_one_left(root: Path) -> None:
    Webroot({"path": root}).present(PROOF)
    Webroot({"path": root}).clean_up(PROOF)
    assert not file_of(root).exists()


@pytest.mark.parametrize("left", [b"", b"tokenAAAA", PROOF.content.encode()])
def test_a_half_written_file_of_ours_is_replaced(root: Path, left: bytes) -> None:
    file_of(root).parent.mkdir(parents=True)
    file_of(root).write_bytes(left)
    Webroot({"path": root}).present(PROOF)
    assert file_of(root).read_text() == PROOF.content


def test_a_foreign_file_in_the_place_is_neither_overwritten_nor_removed(root: Path) -> None:
    file_of(root).parent.mkdir(parents=True)
    file_of(root).write_text("theirs")
    solver = Webroot({"path": root})
    assert code_of(solver) == ("webroot-file-in-the-way", str(file_of(root)))
    solver.clean_up(PROOF)
    assert file_of(root).read_text() == "theirs"


@pytest.mark.parametrize("make", ["fifo", "folder"])
def test_what_is_no_file_in_the_place_is_left_alone(root: Path, make: str) -> None:
    file_of(root).parent.mkdir(parents=True)
    if make == "fifo":
        os.mkfifo(file_of(root))
    else:
        file_of(root).mkdir()
    solver = Webroot({"path": root})
    assert code_of(solver) == ("webroot-file-in-the-way", str(file_of(root)))
    solver.clean_up(PROOF)
    assert file_of(root).exists()


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_planted_symbolic_link_is_not_followed(root: Path, tmp_path: Path, depth: int) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "victim").write_text("precious")
    (elsewhere / "acme-challenge").mkdir()
    planted = [root / ".well-known", file_of(root).parent, file_of(root)][depth]
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.symlink_to(elsewhere / "victim" if depth == 2 else elsewhere)
    solver = Webroot({"path": root})
    code = "webroot-file-in-the-way" if depth == 2 else "webroot-folder-in-the-way"
    assert code_of(solver) == (code, str(planted))
    with suppress(ChallengeFailed):
        solver.clean_up(PROOF)
    assert (elsewhere / "victim").read_text() == "precious"
    assert sorted(path.name for path in elsewhere.rglob("*")) == ["acme-challenge", "victim"]


def test_a_link_to_nowhere_creates_nothing_there(root: Path, tmp_path: Path) -> None:
    file_of(root).parent.mkdir(parents=True)
    file_of(root).symlink_to(tmp_path / "cron")
    assert code_of(Webroot({"path": root}))[0] == "webroot-file-in-the-way"
    assert not (tmp_path / "cron").exists()


def test_a_document_root_that_is_itself_a_link_is_the_administrators_word(root: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(root)
    Webroot({"path": tmp_path / "current"}).present(PROOF)
    assert file_of(root).read_text() == PROOF.content


def test_a_missing_document_root_is_named(tmp_path: Path) -> None:
    solver = Webroot({"path": tmp_path / "none"})
    assert code_of(solver) == ("webroot-missing", str(tmp_path / "none"))
    solver.clean_up(PROOF)


def test_a_document_root_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    solver = Webroot({"path": tmp_path / "file"})
    assert code_of(solver) == ("webroot-not-a-directory", str(tmp_path / "file"))
    solver.clean_up(PROOF)


@pytest.mark.parametrize("name", [".well-known", ".well-known/acme-challenge"])
def test_a_file_where_a_folder_should_be_is_named(root: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("x")
    solver = Webroot({"path": root})
    assert code_of(solver) == ("webroot-folder-in-the-way", str(root / name))
    solver.clean_up(PROOF)
    assert (root / name).read_text() == "x"


def test_a_name_too_long_for_the_file_system_is_told(root: Path) -> None:
    long = Proof("http-01", "example.jp", "a" * 300, "a" * 300 + ".thumb")
    assert code_of(Webroot({"path": root}), long)[0] == "webroot-failed"


@pytest.mark.parametrize("token", ["", "..", "../../etc/passwd", "a/b", "a\0b", "a\nb", "ａ"])
def test_a_token_that_is_a_path_goes_nowhere(root: Path, token: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        Webroot({"path": root}).present(Proof("http-01", "example.jp", token, "x"))
    assert not any(path.is_file() for path in root.rglob("*"))


def test_as_root_everything_belongs_to_the_document_roots_owner(root: Path) -> None:
    if as_root:
        os.chown(root, NOBODY, NOBODY)
    owner = (root.stat().st_uid, root.stat().st_gid)
    solver = Webroot({"path": root})
    solver.present(PROOF)
    made = (file_of(root), *file_of(root).parents[:2])
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {owner}
    assert (os.geteuid(), os.getegid()) == (os.getuid(), os.getgid())
    probe = root.parent / "afterwards"
    probe.write_text("x")
    assert probe.stat().st_uid == os.getuid()  # our own rights are back
    solver.clean_up(PROOF)
    assert list(root.iterdir()) == []


def test_a_document_root_its_owner_may_not_write_is_named_and_not_written_with_roots_rights(root: Path) -> None:
    if as_root:
        os.chown(root, NOBODY, NOBODY)
    root.chmod(0o555)
    assert code_of(Webroot({"path": root})) == ("webroot-unwritable", str(root / ".well-known"))


def test_a_folder_that_root_made_inside_is_used_with_its_own_owners_rights(root: Path) -> None:
    file_of(root).parent.mkdir(parents=True, mode=0o755)
    if as_root:
        os.chown(root, NOBODY, NOBODY)
    solver = Webroot({"path": root})
    solver.present(PROOF)
    assert file_of(root).stat().st_uid == os.getuid()
    solver.clean_up(PROOF)
    assert not file_of(root).exists()


def test_who_swaps_the_folder_for_a_link_meanwhile_leads_nowhere(root: Path, tmp_path: Path) -> None:
    target = tmp_path / "cron.d"
    target.mkdir()
    (target / "acme-challenge").mkdir()
    well_known, link = root / ".well-known", tmp_path / "link"
    link.symlink_to(target)
    (root / "spare").mkdir()
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            for source in (link, root / "spare"):
                with suppress(OSError):
                    if well_known.is_symlink():
                        well_known.rename(link)
                    elif well_known.exists():
                        well_known.rename(root / "spare")
                    source.rename(well_known)

    attacker = threading.Thread(target=swap)
    attacker.start()
    solver = Webroot({"path": root})
    try:
        for _ in range(1500):
            with suppress(ChallengeFailed):
                solver.present(PROOF)
            assert not list((target / "acme-challenge").iterdir())
            with suppress(ChallengeFailed):
                solver.clean_up(PROOF)
    finally:
        done.set()
        attacker.join()
    assert [path.name for path in target.rglob("*")] == ["acme-challenge"]
