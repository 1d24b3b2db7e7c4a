"""What a scheduler relies on: trials come one after the other, and go on after a crash where they were."""

import pytest

from callsheet import lazy, sweep
from callsheet.errors import OverrideError


def net(width: int = 1): ...


def indexes(drawn):
    """The numbers of all trials that are left."""
    found = []
    while (trial := drawn.ask()) is not None:
        found.append(trial.index)
    return found


def test_trials_of_a_finite_sweep_come_in_order_and_end():
    drawn = sweep({"a": 0}, "a=1,2,3").draw()
    assert (drawn.size, drawn.goal, drawn.index) == (3, None, -1)
    assert [drawn.ask().spec["a"] for _ in range(3)] == [1, 2, 3]
    assert (drawn.ask(), drawn.index) == (None, 2)


def test_without_an_axis_there_is_the_one_trial():
    assert indexes(sweep({"a": 0}, "a=1").draw()) == [0]


@pytest.mark.parametrize("order", [[0, 1, 3], [3, 1, 0]])
def test_what_is_recalled_is_not_asked_for_again(order):
    drawn = sweep({"a": 0}, "a=range(6)").draw()
    for n in order:
        drawn.recall(n, None)
    assert indexes(drawn) == [2, 4, 5]


def test_a_faulty_trial_is_told_and_the_others_come():
    drawn = sweep({"m": lazy(net)()}, "m.width=wide,high,3").draw()
    for n in range(2):
        with pytest.raises(OverrideError):
            drawn.ask()
        assert drawn.index == n
    assert drawn.ask().index == 2


def test_a_grid_learns_nothing():
    drawn = sweep({"a": 0}, "a=1,2").draw()
    assert drawn.report(drawn.ask().index, 0, 1.0) is False
    assert drawn.tell(0, 0.5) is None
    assert indexes(drawn) == [1]
