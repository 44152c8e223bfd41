"""The database file, the state directory, and the folders of versions, when the host is not kind (FAULTS B, D)."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from jprs_client.errors import StateUnusable
from jprs_client.planning.facts import Failure
from jprs_client.plugin import Material
from jprs_client.store.database import Database
from jprs_client.store.schema import FROM_VERSION, TABLES, VERSION
from jprs_client.store.store import Store
from jprs_client.store.versions import Versions, folder_name, lineage_name
from jprs_client.terms.names import DnsName
from tests.store.set_clock import SetClock

CA = "https://ca.example/dir"
MATERIAL = Material(b"cert\n", b"chain\n", b"key\n")


@pytest.fixture(params=[0o000, 0o022, 0o077])
def any_umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def store_in(directory: Path) -> Store:
    return Store(directory, CA, SetClock())


def modes_below(directory: Path) -> dict[str, int]:
    return {
        str(path.relative_to(directory)): stat.S_IMODE(path.lstat().st_mode)
        for path in directory.rglob("*")
        if not path.is_symlink()
    }


# -- the database -----------------------------------------------------------------------------------------------------


def test_reading_where_there_is_nothing_finds_nothing_and_makes_nothing(tmp_path: Path) -> None:
    store = store_in(tmp_path / "state")

    assert store.state().lineages == {}
    assert store.events() == []
    assert not (tmp_path / "state").exists()


def test_the_first_write_makes_what_it_needs(tmp_path: Path) -> None:
    store = store_in(tmp_path / "a" / "state")
    store.keep_event("first")
    store.close()

    assert [event.event for event in store_in(tmp_path / "a" / "state").events()] == ["first"]


def test_the_database_may_have_another_name(tmp_path: Path) -> None:
    store = Store(tmp_path, CA, SetClock(), url="sqlite:///facts/other.db")
    store.keep_event("first")
    store.close()

    assert (tmp_path / "facts" / "other.db").exists()
    assert not (tmp_path / "state.db").exists()


def test_what_is_written_is_for_the_owner_alone_under_any_umask(tmp_path: Path, any_umask: int) -> None:
    directory = tmp_path / "state"
    store = store_in(directory)
    store.ready_to_write()
    store.keep_event("first")
    store.versions.add("main", 1, MATERIAL)
    store.versions.switch("main", 1)
    with store.claims.held("lineage", "main"):
        modes = modes_below(directory)
    store.close()

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {path: mode for path, mode in modes.items() if mode not in {0o600, 0o700}} == {}
    assert modes["archive/main/1/privkey.pem"] == modes["state.db"] == modes["locks/lineage-main.lock"] == 0o600
    assert modes["archive/main/1"] == modes["live"] == modes["locks"] == 0o700


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """FAULTS 17."""
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = (tmp_path / "state.db").read_bytes()

    for use in (Store.state, lambda store: store.keep_event("x"), Store.ready_to_write):
        with pytest.raises(StateUnusable) as refused:
            use(store_in(tmp_path))
        assert refused.value.code == "state-from-newer-version"
        assert (refused.value.params["version"], refused.value.params["known"]) == (VERSION + 1, VERSION)
    assert (tmp_path / "state.db").read_bytes() == before


def test_a_database_of_an_older_version_is_carried_over_with_what_it_knows(tmp_path: Path) -> None:
    before = store_in(tmp_path)
    names = frozenset({DnsName("example.jp")})
    at = before.clock.now()
    before.keep_failure(Failure("main", "issue", names, 3, "ca-unreachable", {}, at, at, exit_code=5))
    before.close()
    connection = sqlite3.connect(tmp_path / "state.db")  # as version 1 had it
    for statement in (
        "DROP TABLE notice",
        "ALTER TABLE failure DROP COLUMN since",
        "ALTER TABLE failure DROP COLUMN exit_code",
        "PRAGMA user_version = 1",
    ):
        connection.execute(statement)
    connection.commit()
    connection.close()

    after = store_in(tmp_path)

    (failure,) = after.state().failures.values()
    assert (failure.count, failure.since, failure.exit_code) == (3, None, 1)
    assert after.told() == []
    after.keep_failure(Failure("main", "issue", names, 4, "ca-unreachable", {}, at + timedelta(1), at, exit_code=5))
    (failure,) = after.state().failures.values()
    assert (failure.since, failure.exit_code) == (at, 5)


def test_both_ways_to_this_version_end_at_the_same_tables(tmp_path: Path) -> None:
    assert set(FROM_VERSION) == set(range(1, VERSION))
    assert {table for steps in FROM_VERSION.values() for table in steps if table.startswith("CREATE")} <= set(TABLES)


@pytest.mark.parametrize(
    "content", [b"this is no database, and longer than a header would be" * 10, b"\0" * 4096, b"SQLite format 3\0"]
)
def test_a_damaged_file_is_told_and_not_touched(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.db").write_bytes(content)

    for use in (Store.state, lambda store: store.keep_event("x")):
        with pytest.raises(StateUnusable) as refused:
            use(store_in(tmp_path))
        assert refused.value.code == "state-database-unusable"
        assert refused.value.params["file"] == str(tmp_path / "state.db")
        assert refused.value.exit_code == 3
    assert (tmp_path / "state.db").read_bytes() == content


def test_a_database_without_our_tables_is_told(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.close()

    with pytest.raises(StateUnusable, match="state-database-unusable"):
        store_in(tmp_path).state()


def test_a_crash_between_making_the_file_and_its_tables_is_made_good(tmp_path: Path) -> None:
    (tmp_path / "state.db").touch()

    assert store_in(tmp_path).state().lineages == {}


def test_a_database_that_another_run_writes_to_is_waited_for_and_never_seen_half_written(tmp_path: Path) -> None:
    one, other = Database(tmp_path / "state.db"), Database(tmp_path / "state.db")
    with one.writing():
        one.write(
            "INSERT INTO blocked_key (host, key_spki_sha256, blocked_at) VALUES (:h, :k, :t)", h="h", k="k", t="t"
        )
        assert other.rows("SELECT * FROM blocked_key") == []
    assert len(other.rows("SELECT * FROM blocked_key")) == 1
    one.close()
    other.close()


# -- where nothing can be written -------------------------------------------------------------------------------------


def unwritable(tmp_path: Path, kind: str) -> Path:
    """State directories that not even root can write to."""
    if kind == "below a file":
        (tmp_path / "file").touch()
        return tmp_path / "file" / "state"
    if kind == "a file":
        (tmp_path / "file").touch()
        return tmp_path / "file"
    if kind == "a loop":
        (tmp_path / "loop").symlink_to("loop")
        return tmp_path / "loop" / "state"
    return Path("/proc/jprs-client")


KINDS = ["below a file", "a file", "a loop", "in proc"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_that_cannot_be_written_is_found_before_the_ca_is_asked(tmp_path: Path, kind: str) -> None:
    """FAULTS 24."""
    directory = unwritable(tmp_path, kind)

    with pytest.raises(StateUnusable) as refused:
        store_in(directory).ready_to_write()

    assert refused.value.code == "state-not-writable"
    assert refused.value.params["directory"] == str(directory)
    assert refused.value.params["cause"]
    assert refused.value.exit_code == 3


@pytest.mark.parametrize("kind", KINDS)
def test_every_other_way_to_write_says_the_same(tmp_path: Path, kind: str) -> None:
    store = store_in(unwritable(tmp_path, kind))

    for use in (
        lambda: store.keep_event("x"),
        lambda: store.versions.add("main", 1, MATERIAL),
        lambda: store.versions.switch("main", 1),
        lambda: store.claims.claim("lineage", "main"),
    ):
        with pytest.raises(StateUnusable, match="state-not-writable"):
            use()


def test_trying_leaves_nothing_behind(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.ready_to_write()
    store.close()

    assert {path.name for path in tmp_path.iterdir()} == {"state.db"}


# -- versions ---------------------------------------------------------------------------------------------------------


def test_a_version_is_four_files_behind_one_link(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    versions.add("main", 1, MATERIAL)
    assert versions.current("main") is None
    versions.switch("main", 1)

    assert versions.current("main") == 1
    live = tmp_path / "live" / "main"
    assert live.is_symlink()
    assert {path.name: path.read_bytes() for path in live.iterdir()} == {
        "privkey.pem": b"key\n",
        "cert.pem": b"cert\n",
        "chain.pem": b"chain\n",
        "fullchain.pem": b"cert\nchain\n",
    }
    assert versions.material("main", 1) == MATERIAL


def test_switching_is_one_rename_of_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = Versions(tmp_path)
    for version in (1, 2):
        versions.add("main", version, MATERIAL)
    versions.switch("main", 1)
    renames: list[tuple[str, str]] = []
    rename = Path.rename

    def watched(source: Path, target: Path) -> Path:
        renames.append((str(source.readlink()), target.name))
        assert versions.current("main") == 1, "until then the old one is served"
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", watched)
    versions.switch("main", 2)
    versions.switch("main", 2)

    assert renames == [("../archive/main/2", "main")]
    assert versions.current("main") == 2
    assert [path.name for path in (tmp_path / "live").iterdir()] == ["main"]


@contextmanager
def no_file_larger_than(octets: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "material",
    [
        Material(b"cert\n", b"chain\n", b"k" * 20_000),
        Material(b"c" * 20_000, b"chain\n", b"key\n"),
        Material(b"cert\n", b"c" * 20_000, b"key\n"),
        Material(b"c" * 6_000, b"c" * 6_000, b"key\n"),  # only both together are too much
    ],
    ids=["key", "certificate", "chain", "full chain"],
)
def test_a_version_is_there_whole_or_not_at_all(tmp_path: Path, material: Material) -> None:
    """FAULTS 9, 21: each of its files in turn cannot be written."""
    versions = Versions(tmp_path)
    with no_file_larger_than(10_000), pytest.raises(StateUnusable) as refused:
        versions.add("main", 1, material)

    assert refused.value.params["cause"] == "File too large"
    assert not versions.exists("main", 1)
    assert versions.next_version("main") == 1, "what is half-made is no version"
    versions.add("main", 1, material)
    assert versions.material("main", 1) == material
    assert [path.name for path in (tmp_path / "archive" / "main").iterdir()] == ["1"]


def test_what_a_crash_left_half_made_is_not_adopted(tmp_path: Path) -> None:
    """FAULTS 37."""
    beside = tmp_path / "archive" / "main" / ".1.new"
    beside.mkdir(parents=True)
    (beside / "privkey.pem").write_bytes(b"another key\n")
    (beside / "stray").write_bytes(b"")
    versions = Versions(tmp_path)

    assert not versions.exists("main", 1)
    versions.add("main", 1, MATERIAL)
    assert versions.material("main", 1) == MATERIAL
    assert len(list(versions.folder("main", 1).iterdir())) == 4


def test_a_version_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    versions.add("main", 1, MATERIAL)
    versions.add("main", 1, Material(b"other", b"other", b"other"))

    assert versions.material("main", 1) == MATERIAL


def test_the_next_version_is_one_more_than_the_newest_folder(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    assert versions.next_version("main") == 1
    for name in ("1", "9", "10", "x", "²"):
        (tmp_path / "archive" / "main" / name).mkdir(parents=True)

    assert versions.next_version("main") == 11


def test_a_file_that_is_gone_is_told_with_its_folder(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    versions.add("main", 1, MATERIAL)
    (versions.folder("main", 1) / "chain.pem").unlink()

    with pytest.raises(StateUnusable) as refused:
        versions.material("main", 1)
    assert refused.value.code == "version-unreadable"
    assert refused.value.params["file"] == str(versions.folder("main", 1))


@pytest.mark.parametrize("target", ["../archive/other/1", "/etc", "1", "../archive/main/x", "../archive/main/²"])
def test_a_link_that_leads_elsewhere_is_no_version_of_ours_and_is_put_right(tmp_path: Path, target: str) -> None:
    versions = Versions(tmp_path)
    versions.add("main", 1, MATERIAL)
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "main").symlink_to(target)

    assert versions.current("main") is None
    versions.switch("main", 1)
    assert versions.current("main") == 1


def test_files_in_the_place_of_the_link_are_not_thrown_away(tmp_path: Path) -> None:
    """FAULTS 31: somebody has put a folder of their own there."""
    versions = Versions(tmp_path)
    versions.add("main", 1, MATERIAL)
    (tmp_path / "live" / "main").mkdir(parents=True)
    (tmp_path / "live" / "main" / "fullchain.pem").write_bytes(b"theirs")

    with pytest.raises(StateUnusable, match="state-not-writable"):
        versions.switch("main", 1)
    assert (tmp_path / "live" / "main" / "fullchain.pem").read_bytes() == b"theirs"
    assert [path.name for path in (tmp_path / "live").iterdir()] == ["main"]


def test_taking_the_link_away_twice_is_taking_it_away(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    versions.add("main", 1, MATERIAL)
    versions.switch("main", 1)
    versions.unlink("main")
    versions.unlink("main")

    assert versions.current("main") is None
    assert versions.exists("main", 1)


LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 58, "jp"])


@pytest.mark.parametrize(
    ("lineage", "folder"),
    [
        ("example.jp", "example.jp"),
        ("*.example.jp", "_.example.jp"),
        ("main", "main"),
        ("xn--wgv71a119e.jp", "xn--wgv71a119e.jp"),
        (f"*.{LONGEST[2:]}", f"_.{LONGEST[2:]}"),
    ],
)
def test_a_lineage_has_one_folder_and_a_folder_one_lineage(tmp_path: Path, lineage: str, folder: str) -> None:
    """FAULTS 36."""
    assert folder_name(lineage) == folder
    assert lineage_name(folder) == lineage_name(lineage) == lineage
    if "." in lineage:
        assert DnsName.parse(lineage).file_stem == folder
    versions = Versions(tmp_path)
    versions.add(lineage, 1, MATERIAL)
    versions.switch(lineage, 1)

    assert versions.current(lineage) == 1
    assert (tmp_path / "live" / folder / "fullchain.pem").exists()
    assert versions.pending_key(lineage).parent.name == folder
