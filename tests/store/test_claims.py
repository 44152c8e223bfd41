"""At most one run works on a thing at a time, and a dead one on nothing (FAULTS 38-43)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jprs_client.errors import Locked
from jprs_client.store.claims import LOOK_AGAIN, Claims
from tests.store.set_clock import SetClock

HOLDER = """
import sys
from pathlib import Path
from jprs_client.clock import SystemClock
from jprs_client.store.claims import Claims
with Claims(Path(sys.argv[1]), SystemClock()).held("lineage", "main"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """One that holds the claim on `main` until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_claim_is_refused_with_who_holds_the_first_since_when(tmp_path: Path) -> None:
    claims = Claims(tmp_path, SetClock())
    with another_process(tmp_path) as holder:
        with pytest.raises(Locked) as refused:
            claims.claim("lineage", "main")

        assert refused.value.code == "locked"
        assert refused.value.exit_code == 6
        assert refused.value.params["pid"] == str(holder.pid)
        assert str(refused.value.params["since_at"]).endswith("+00:00")
        assert (refused.value.params["what"], refused.value.params["name"]) == ("lineage", "main")
        claims.claim("lineage", "other").release()
        claims.claim("target", "main").release()


def test_a_claim_dies_with_its_process_however_that_died(tmp_path: Path) -> None:
    """FAULTS 39: nobody ever has to remove a lock by hand."""
    claims = Claims(tmp_path, SetClock())
    with another_process(tmp_path) as holder:
        holder.kill()
        holder.wait(30)
        claims.claim("lineage", "main").release()


def test_a_claim_ends_with_its_run(tmp_path: Path) -> None:
    claims = Claims(tmp_path, SetClock())
    with another_process(tmp_path) as holder:
        holder.communicate("", timeout=30)
        claims.claim("lineage", "main").release()
    assert holder.returncode == 0


def test_a_run_waits_as_long_as_it_was_told_to(tmp_path: Path) -> None:
    clock = SetClock()
    first = Claims(tmp_path, clock).claim("lineage", "main")
    with pytest.raises(Locked):
        Claims(tmp_path, clock, timeout=3).claim("lineage", "main")

    assert 3 <= sum(clock.naps) < 3 + 2 * LOOK_AGAIN
    with pytest.raises(Locked):
        Claims(tmp_path, clock, timeout=3).claim("lineage", "main", 1)
    assert 4 <= sum(clock.naps) < 4 + 4 * LOOK_AGAIN
    first.release()


def test_a_run_that_waits_gets_the_claim_when_it_is_given_up(tmp_path: Path) -> None:
    first = Claims(tmp_path, SetClock()).claim("lineage", "main")

    class Patient(SetClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.naps) == 5:
                first.release()

    clock = Patient()
    with Claims(tmp_path, clock, timeout=60).held("lineage", "main"):
        assert len(clock.naps) == 5


def test_a_claim_is_given_up_whatever_happens_inside(tmp_path: Path) -> None:
    claims = Claims(tmp_path, SetClock())
    with pytest.raises(ZeroDivisionError), claims.held("lineage", "main"):
        raise ZeroDivisionError
    claim = claims.claim("lineage", "main")
    claim.renew()
    claim.release()
    claim.release()

    claims.claim("lineage", "main").release()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff\xfe", b"x" * 5000])
def test_what_stands_in_the_file_holds_nobody_up(tmp_path: Path, content: bytes) -> None:
    """FAULTS 40."""
    (tmp_path / "lineage-main.lock").write_bytes(content)
    claims = Claims(tmp_path, SetClock())
    claim = claims.claim("lineage", "main")
    (tmp_path / "lineage-main.lock").write_bytes(content)
    with pytest.raises(Locked) as refused:
        claims.claim("lineage", "main")

    assert refused.value.params["pid"] == "?"
    claim.release()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_refused_claim_leaves_no_file_open(tmp_path: Path) -> None:
    claims = Claims(tmp_path, SetClock())
    claim = claims.claim("lineage", "main")
    before = open_files()
    for _ in range(10):
        with pytest.raises(Locked):
            claims.claim("lineage", "main")

    assert open_files() == before
    claim.release()


def test_names_of_any_length_have_a_lock_each(tmp_path: Path) -> None:
    """FAULTS 36: the longest names differ in their last octets only."""
    claims = Claims(tmp_path, SetClock())
    long = ".".join(["a" * 60] * 4)
    held = [claims.claim("lineage", name) for name in (f"{long}.jp", f"{long}.tokyo", "*.example.jp", "example.jp")]

    assert len(list(tmp_path.iterdir())) == 4
    for claim in held:
        claim.release()


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    """FAULTS 34."""
    from jprs_client.errors import StateUnusable

    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "lineage-main.lock").symlink_to(victim)

    with pytest.raises(StateUnusable, match="state-not-writable"):
        Claims(tmp_path, SetClock()).claim("lineage", "main")
    assert victim.read_bytes() == b"precious"
