"""A list of steps, of which each may be the last before a kill."""

from __future__ import annotations

import pytest

from jprs_client.steps import Step, StepNotDone, carry_out


class Killed(BaseException):
    """As if the process were gone."""


class Work:
    """Three things to do; remembers which were done, as the disk would."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.reached: list[str] = []
        self.tries: list[str] = []
        self.kill_at: str | None = None
        self.kill_after: str | None = None

    def steps(self) -> list[Step]:
        return [Step(name, lambda name=name: name in self.done, lambda name=name: self.do(name)) for name in "abc"]  # type: ignore[misc]

    def do(self, name: str) -> None:
        self.tries.append(name)
        if name == self.kill_at:
            raise Killed
        self.done.append(name)
        if name == self.kill_after:
            raise Killed


def test_steps_are_done_in_order_and_each_is_told_once_it_holds() -> None:
    work = Work()
    carry_out(work.steps(), work.reached.append)

    assert work.tries == work.done == work.reached == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["a", "b", "c"])
@pytest.mark.parametrize("after", [True, False])
def test_after_a_kill_at_any_step_the_next_run_goes_on(name: str, after: bool) -> None:
    work = Work()
    work.kill_at, work.kill_after = (None, name) if after else (name, None)
    with pytest.raises(Killed):
        carry_out(work.steps(), work.reached.append)
    work.kill_at = work.kill_after = None

    carry_out(work.steps(), work.reached.append)

    assert sorted(work.done) == ["a", "b", "c"], "nothing is done twice"
    assert work.tries.count(name) == (1 if after else 2)


def test_a_step_that_was_carried_out_and_does_not_hold_is_a_bug() -> None:
    with pytest.raises(StepNotDone, match="never"):
        carry_out([Step("never", lambda: False, lambda: None)], lambda _name: None)
