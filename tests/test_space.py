"""Spaces from Python: grids, zips, chains, draws and choices of whole calls, in one another."""

import subprocess
import sys
import tracemalloc
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from callsheet import (
    build,
    chain,
    check,
    choice,
    equal,
    grid,
    halton,
    interval,
    lazy,
    origin,
    plain,
    random,
    ref,
    sweep,
    zipped,
)
from callsheet.errors import OverrideError, SpaceError
from saying import told
from specs import tried


class Norm(Enum):
    BATCH = 1
    LAYER = 2


def sgd(lr: float = 0.1, momentum: float = 0.0):
    return ("sgd", lr, momentum)


def adam(lr: float = 0.1, betas: tuple[float, float] = (0.9, 0.99)):
    return ("adam", lr, betas)


def fit(optim=None, width: int = 1, norm: Norm = Norm.BATCH, act=None):
    return optim, width, norm, act


def choices(trials):
    """What each trial has chosen."""
    return [trial.choices for trial in trials]


EMPTY = {"a": 0, "b": 0, "c": 0}


def test_a_grid_has_every_combination_the_last_fastest():
    trials = sweep(EMPTY, grid({"a": [1, 2]}, {"b": (3, 4)}))
    assert [plain(trial.spec) for trial in trials] == [{"a": a, "b": b, "c": 0} for a in (1, 2) for b in (3, 4)]


def test_a_dict_is_a_grid_and_so_is_a_list_of_parts():
    expected = choices(sweep(EMPTY, ["a=1,2", "b=3,4"]))
    for parts in ({"a": [1, 2], "b": [3, 4]}, [{"a": [1, 2]}, "b=3,4"], [grid({"a": [1, 2]}), {"b": range(3, 5)}]):
        assert choices(sweep(EMPTY, parts)) == expected


def test_what_is_zipped_goes_in_step():
    trials = sweep(EMPTY, zipped({"a": [1, 2], "b": [3, 4]}, "c=5,6"))
    assert choices(trials) == [{"a": "1", "b": "3", "c": "5"}, {"a": "2", "b": "4", "c": "6"}]


def test_what_differs_in_length_cannot_be_zipped():
    assert told(lambda: sweep(EMPTY, zipped({"a": [1, 2], "b": [3, 4, 5]})), SpaceError) == (
        "what is zipped differs in length\n  2 in  a=choice(1,2)\n  3 in  b=choice(3,4,5)"
    )
    assert told(lambda: sweep(EMPTY, zipped({"a": [1, 2], "b": interval(0, 1)})), SpaceError) == (
        "a continuous axis cannot be zipped: b=interval(0.0,1.0)\n  draw so many values of it first:  random(10, …)"
    )
    with pytest.raises(SpaceError, match="nothing is zipped"):
        zipped()


def test_a_draw_can_be_zipped():
    trials = sweep(EMPTY, zipped(random(3, {"a": interval(0, 1)}), {"b": [1, 2, 3]}))
    assert [trial.spec["b"] for trial in trials] == [1, 2, 3]
    assert len({trial.spec["a"] for trial in trials}) == 3


def test_a_chain_has_one_part_after_the_other():
    trials = sweep(EMPTY, chain({"a": [1, 2]}, zipped({"a": [3, 4], "b": [5, 6]}), {"c": 7}))
    assert choices(trials) == [{"a": "1"}, {"a": "2"}, {"a": "3", "b": "5"}, {"a": "4", "b": "6"}, {"c": "7"}]
    assert trials[4].spec == {"a": 0, "b": 0, "c": 7}
    assert choices([trials[-1]]) == [{"c": "7"}]


def test_spaces_hold_spaces():
    trials = sweep(EMPTY, grid(chain({"a": [1]}, {"b": [2, 3]}), zipped({"c": [8, 9]})))
    assert choices(trials) == [{**first, "c": c} for first in ({"a": "1"}, {"b": "2"}, {"b": "3"}) for c in "89"]


def test_one_axis_in_two_parts_of_a_grid_is_refused():
    assert told(lambda: sweep(EMPTY, grid({"a": [1, 2]}, zipped({"a": [3, 4]}))), SpaceError) == (
        "a  varies twice\n   name all values in one place, or put the places into a chain"
    )


# --- values -----------------------------------------------------------------------------------------------------------


def test_plain_values_become_the_declared_type_and_others_stay_as_they_are():
    spec = lazy(fit)(lazy(adam)())
    space = {"[0].lr": [1], "[0].betas": [[0.5, 0.75]], "norm": ["LAYER"], "act": [max]}
    made = sweep(spec, space)[0].spec
    assert equal(made, lazy(fit)(lazy(adam)(lr=1.0, betas=(0.5, 0.75)), norm=Norm.LAYER, act=max))
    check(made)
    assert (origin(made, "act").kind, origin(made, "act").text) == ("given", "act=max")
    assert (origin(made, "[0].lr").kind, origin(made, "[0].lr").text) == ("sweep", "[0].lr=1")


@pytest.mark.parametrize("value", [max, Norm.LAYER, (1, 2), {1, 2}, b"x", [(1,)], {"x": Norm}, {1: 2}, 1 + 2j])
def test_an_object_is_set_as_it_is(value):
    assert equal(sweep(EMPTY, {"a": [value]})[0].spec, {**EMPTY, "a": value})


def test_texts_from_python_are_texts():
    trials = sweep({"a": lazy(sgd)(), "b": ""}, {"a": ["adam", "1,2", "null"], "b": [None]})
    assert [trial.spec["a"] for trial in trials] == ["adam", "1,2", "null"]
    assert trials[0].spec["b"] is None


def test_arrays_and_their_numbers_are_values():
    trials = sweep(EMPTY, {"a": np.array([0.25, 0.5]), "b": [np.int64(3)], "c": np.float64(0.5)})
    assert [plain(trial.spec) for trial in trials] == [{"a": a, "b": 3, "c": 0.5} for a in (0.25, 0.5)]
    assert {type(trials[0].spec[key]) for key in "abc"} == {float, int}


@pytest.mark.parametrize("values", [{1, 2}, iter([1, 2])])
def test_values_without_an_order_are_refused(values):
    with pytest.raises(SpaceError, match="values need an order, and are read more than once"):
        sweep(EMPTY, {"a": values})


def test_an_axis_needs_values_and_a_space_its_parts():
    assert told(lambda: grid({"a": []})) == "a  has no values"
    assert told(lambda: choice()) == "choice needs a value"
    assert told(lambda: random({"a": [1]})) == ("the number of trials comes first, found {'a': [1]}\n  random(20, …)")
    with pytest.raises(TypeError, match="a space is made of dicts, override texts and other spaces, found 3"):
        grid(3)
    with pytest.raises(OverrideError, match="no such|is not there|not an override"):
        sweep(EMPTY, {"a b": [1]})[0]


def test_new_keys_and_lists_take_the_signs_of_overrides():
    trials = sweep({"a": {}, "b": [1]}, {"+a.x": [1, 2], "b+": [[5]]})
    assert [plain(trial.spec) for trial in trials] == [{"a": {"x": 1}, "b": [1, 5]}, {"a": {"x": 2}, "b": [1, 5]}]


def test_each_trial_has_its_own_copy_of_what_was_given():
    call = lazy(sgd)()
    first, second = sweep({"a": 0, "n": 0}, {"a": [call], "n": [1, 2]})
    first.spec.a.lr = 9.0
    assert (second.spec.a.lr if "lr" in second.spec.a else None, "lr" in call) == (None, False)


# --- choices of whole calls -------------------------------------------------------------------------------------------

BRANCHES = choice(
    lazy(sgd)(lr=interval(0.01, 1), momentum=choice(0.0, 0.9)), lazy(adam)(lr=interval(1e-4, 1e-2, log=True))
)


def test_a_branch_has_its_own_axes_and_no_other():
    space = sweep(lazy(fit)(), {"optim": BRANCHES, "width": [1, 2]})
    assert list(space.axes) == [
        "optim",
        "optim=0/optim.lr",
        "optim=0/optim.momentum",
        "optim=1/optim.lr",
        "width",
    ]
    trial = space.drawn(3, {"optim": 0, "optim=0/optim.lr": 0.5, "optim=0/optim.momentum": 1, "width": 0})
    assert trial.overrides == ("optim=lazy(sgd)()", "optim.lr=0.5", "optim.momentum=0.9", "width=1")
    assert build(trial.spec)[:2] == (("sgd", 0.5, 0.9), 1)
    other = space.drawn(4, {"optim": 1, "optim=1/optim.lr": 0.001, "width": 1})
    assert equal(other.spec, lazy(fit)(optim=lazy(adam)(lr=0.001), width=2))
    check(other.spec)


def test_a_point_with_another_branchs_axis_is_refused():
    space = sweep(lazy(fit)(), {"optim": BRANCHES})
    assert told(lambda: space.drawn(0, {"optim": 1, "optim=0/optim.lr": 0.5}), SpaceError) == (
        "optim=0/optim.lr  is no axis of the sweep\n"
        "optim=1/optim.lr  is not given by the point\n"
        "                  it is one of optim.lr=tag(log,interval(0.0001,0.01))"
    )


def test_finite_branches_are_counted_one_after_the_other():
    optim = choice(lazy(sgd)(lr=choice(0.1, 0.2), momentum=choice(0, 1)), lazy(adam)(), "none")
    trials = sweep(lazy(fit)(), {"optim": optim, "width": [1, 2]})
    assert len(trials) == (4 + 1 + 1) * 2
    assert {tuple(trial.choices) for trial in trials} == {
        ("optim", "optim.lr", "optim.momentum", "width"),
        ("optim", "width"),
    }


def test_branches_hold_branches_and_calls_in_lists_and_dicts():
    inner = choice(lazy(sgd)(lr=choice(1.0, 2.0)), lazy(adam)())
    trials = sweep({"x": 0}, {"x": choice({"k": [lazy(fit)(optim=inner)]}, 5)})
    assert [list(trial.choices.values())[1:] for trial in trials] == [
        ["lazy(sgd)()", "1.0"],
        ["lazy(sgd)()", "2.0"],
        ["lazy(adam)()"],
        [],
    ]
    assert build(trials[1].spec)["x"]["k"][0][0] == ("sgd", 2.0, 0.0)


@dataclass(frozen=True)
class Config:
    lr: float = 0.1
    depth: int = 1


def test_a_dataclass_can_be_a_branch():
    trials = sweep({"x": None}, {"x": choice(Config(lr=choice(1.0, 2.0)), Config(depth=7))})
    assert [trial.spec["x"] for trial in trials] == [Config(1.0), Config(2.0), Config(depth=7)]


def test_references_of_a_branch_lead_into_the_trial(project):
    project("conf.py", "from callsheet import lazy\nwidth = 3\nlayer = lazy(dict)(n=1)\ndouble = width * 2\n")
    trials = sweep("conf.py", {"layer": choice(lazy(dict)(n=ref("width"), k=choice(1, 2))), "width": [5]})
    assert [(trial.spec.layer.n, trial.spec.layer.k, trial.spec.double) for trial in trials] == [(5, 1, 10), (5, 2, 10)]


def test_two_calls_that_read_alike_make_other_sweeps():
    def named(module):
        return sweep(EMPTY, {"a": [lazy(f"{module}.fit")()]}).texts

    assert named("x") == named("x") != named("y")


# --- draws ------------------------------------------------------------------------------------------------------------


def test_random_draws_are_a_sequence_that_follows_from_the_seed():
    space = {"a": interval(0, 1), "b": range(10), "c": interval(16, 257, whole=True)}
    first, again, other = (sweep(EMPTY, random(20, space, seed=seed)) for seed in (1, 1, 2))
    assert (len(first), first.is_space) == (20, False)
    assert choices(first) == choices(again) != choices(other)
    assert first[7].choices == choices(first)[7]
    assert len({trial.spec["a"] for trial in first}) == 20


def test_random_draws_are_the_same_in_another_process():
    program = (
        "from callsheet import *\n"
        "for s in (random(3, {'a': interval(0, 1)}, seed=5), random(3, {'a': range(99)}), halton(3, {'a': interval(0, 1)})):\n"
        "    print([t.choices['a'] for t in sweep({'a': 0}, s)])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    spaces = (random(3, {"a": interval(0, 1)}, seed=5), random(3, {"a": range(99)}), halton(3, {"a": interval(0, 1)}))
    assert told.splitlines() == [repr([t.choices["a"] for t in sweep(EMPTY, space)]) for space in spaces]


def test_random_of_a_finite_space_draws_each_trial_once():
    space = grid({"a": range(7)}, chain({"b": [1, 2, 3]}, {"c": [4, 5]}))
    trials = sweep(EMPTY, random(100, space, seed=3))
    found = [tuple(chosen.items()) for chosen in choices(trials)]
    everything = [tuple(chosen.items()) for chosen in choices(sweep(EMPTY, space))]
    assert sorted(found) == sorted(everything)
    assert found != everything
    assert len(sweep(EMPTY, random(5, space))) == 5


def test_random_of_a_huge_grid_takes_no_memory_for_it():
    trials = sweep(EMPTY, random(3, {"a": range(10**9), "b": range(10**9), "c": range(10**9)}))
    assert len({tuple(trial.choices.values()) for trial in trials}) == 3


def test_the_first_points_of_a_longer_sequence_are_those_of_a_shorter():
    space = {"a": interval(0, 1), "b": interval(1, 100, log=True)}
    assert choices(sweep(EMPTY, halton(8, space))) == choices(sweep(EMPTY, halton(50, space)))[:8]


@pytest.mark.parametrize("dimensions", [2, 6, 12])
def test_halton_points_are_more_even_than_chance(dimensions):
    space = {f"x{n}": interval(0, 1) for n in range(dimensions)}
    names = list(space)

    def discrepancy(made):
        spec = dict.fromkeys(names, 0)
        return qmc.discrepancy([[trial.spec[name] for name in names] for trial in sweep(spec, made)])

    for seed in range(3):
        assert discrepancy(halton(64, space, seed=seed)) < discrepancy(random(64, space, seed=seed))


def test_halton_spreads_over_choices_and_branches():
    trials = sweep(lazy(fit)(), halton(60, {"optim": BRANCHES, "width": range(3)}))
    widths = [trial.spec.width for trial in trials]
    assert all(abs(widths.count(n) - 20) <= 1 for n in range(3))
    assert abs(sum("optim.momentum" in trial.choices for trial in trials) - 30) <= 1


def test_a_logarithmic_interval_has_as_much_below_its_middle_factor_as_above():
    drawn = [trial.spec["a"] for trial in sweep(EMPTY, halton(64, {"a": interval(1e-4, 1e-2, log=True)}))]
    assert sum(x < 1e-3 for x in drawn) == 32
    text = [trial.spec["a"] for trial in sweep(EMPTY, halton(64, "a=tag(log,interval(1e-4,1e-2))"))]
    assert text == drawn


def test_intervals_refuse_what_they_cannot_hold():
    assert told(lambda: sweep(EMPTY, {"a": interval(0, 1, log=True)})) == (
        "a  has no logarithm: tag(log,interval(0.0,1.0))\n   a logarithmic interval starts above 0"
    )
    assert told(lambda: interval(1, 1)) == "interval holds nothing: 1.0 is not below 1.0"
    assert told(lambda: interval(1, 1, step=1)) == "range holds nothing: from 1.0 to 1.0 in steps of 1.0"
    assert told(lambda: interval(1, 2, step=0.5, log=True)) == (
        "an interval in steps is not logarithmic\n  name its values in a list"
    )


def test_an_interval_in_steps_is_finite():
    assert [t.spec["a"] for t in sweep(EMPTY, {"a": interval(0, 1, step=0.25)})] == [0.0, 0.25, 0.5, 0.75]
    assert [t.spec["a"] for t in sweep(EMPTY, {"a": interval(0, 6, step=2, whole=True)})] == [0, 2, 4]


# --- filters ----------------------------------------------------------------------------------------------------------


def test_a_filter_keeps_the_numbers_of_the_trials():
    trials = sweep(EMPTY, {"a": range(5), "b": range(5)}, where=lambda spec: spec["a"] < spec["b"])
    assert [trial.index for trial in trials] == [5 * a + b for a in range(5) for b in range(5) if a < b]
    assert [trial.index for trial in trials] == [trial.index for trial in list(trials)]
    assert repr(trials) == "<Sweep of 25 trials, filtered (a: 5, b: 5)>"
    assert told(lambda: len(trials), SpaceError) == (
        "a sweep with a filter has no length\n  count what it lets through:  sum(1 for trial in trials)"
    )
    with pytest.raises(SpaceError, match="no trials by position"):
        trials[0]
    assert trials.trial(3).spec == {"a": 0, "b": 3, "c": 0}


def test_a_filter_reads_what_the_file_computes(project):
    project("conf.py", "a = 1\nb = 2\nproduct = a * b\n")
    trials = sweep("conf.py", {"a": [1, 2], "b": [3, 4]}, where=lambda cfg: cfg.product <= 4)
    assert [(trial.index, trial.spec.product) for trial in trials] == [(0, 3), (1, 4)]


# --- from a file ------------------------------------------------------------------------------------------------------


def test_a_space_can_stand_in_a_python_file(project):
    project(
        "axes.py",
        "from callsheet import choice, grid, lazy\nfrom conf import sgd\n"
        "space = grid({'optim': choice(lazy(sgd)(lr=choice(0.1, 0.2)))})\nsmall = {'width': [1]}\n",
    )
    project("conf.py", "from callsheet import lazy\ndef sgd(lr=1): ...\noptim = lazy(sgd)()\nwidth = 2\n")
    trials = sweep("conf.py", ["@axes.py", "width=3,4"])
    assert [(t.spec.optim.lr, t.spec.width) for t in trials] == [(0.1, 3), (0.1, 4), (0.2, 3), (0.2, 4)]
    assert [t.spec.width for t in sweep("conf.py", "@axes.py:small")] == [1]
    with pytest.raises(OverrideError, match="did you mean  @axes.py:space"):
        sweep("conf.py", "@axes.py:spce")


def test_a_fault_in_a_file_of_spaces_says_where_it_is_made(project):
    project("conf.py", "width = 2\n")
    project(
        "axes.py", "from callsheet import grid\n\nother = grid({'width': [1]})\nempty = grid(\n    {'width': []},\n)\n"
    )
    with pytest.raises(SpaceError) as error:
        sweep("conf.py", "@axes.py:other")
    assert [(f.path, f.problem, f.origin) for f in error.value.faults] == [("width", "has no values", "axes.py:4")]
    project("plain.py", "other = {'width': []}\nworse = 'width=[1'\n")
    with pytest.raises(SpaceError) as error:
        sweep("conf.py", "@plain.py:other")
    assert [(f.path, f.problem, f.origin) for f in error.value.faults] == [("width", "has no values", "plain.py:other")]
    with pytest.raises(OverrideError) as unread:
        sweep("conf.py", "@plain.py:worse")
    assert unread.value.faults[0].origin == "plain.py:worse"


def test_overrides_of_a_text_file_can_sweep(project):
    path = project("axes.txt", "# what varies\na=1,2\nb=3\n")
    trials = sweep(EMPTY, f"@{path}")
    assert [plain(trial.spec) for trial in trials] == [{"a": 1, "b": 3, "c": 0}, {"a": 2, "b": 3, "c": 0}]


# --- laws -------------------------------------------------------------------------------------------------------------

VALUES = st.lists(st.integers(0, 99), min_size=1, max_size=4)


@st.composite
def spaces(draw, names="abcdefgh"):
    """A finite space over some names, and all that it has, as dicts in order."""
    if len(names) == 1 or draw(st.integers(0, 3)) == 0:
        values = draw(VALUES)
        return {names[0]: values}, [{names[0]: value} for value in values]
    cut = draw(st.integers(1, len(names) - 1))
    (first, ones), (second, others) = draw(spaces(names[:cut])), draw(spaces(names[cut:]))
    kind = draw(st.sampled_from(["grid", "chain", "zipped", "random"]))
    if kind == "grid":
        return grid(first, second), [{**one, **other} for one in ones for other in others]
    if kind == "zipped" and len(ones) == len(others):
        return zipped(chain(first), chain(second)), [{**x, **y} for x, y in zip(ones, others, strict=True)]
    if kind == "random":
        made = random(10**6, first, seed=draw(st.integers(0, 9)))
        return made, [plain_choices(trial) for trial in sweep(dict.fromkeys("abcdefgh", None), made)]
    return chain(first, second), ones + others


def plain_choices(trial):
    return {name: int(text) for name, text in trial.choices.items()}


@given(spaces())
@tried(100)
def test_law_number_and_order_agree(case):
    space, expected = case
    trials = sweep(dict.fromkeys("abcdefgh", None), space)
    assert len(trials) == len(expected)
    assert [plain_choices(trial) for trial in trials] == expected
    assert [plain_choices(trials[n]) for n in range(len(trials))] == expected
    for trial, chosen in zip(trials, expected, strict=True):
        assert plain(trial.spec) == {**dict.fromkeys("abcdefgh", None), **chosen}


@given(spaces(), st.integers(0, 20))
@tried(100)
def test_law_a_space_of_the_same_text_has_the_same_trials(case, seed):
    space, _ = case
    drawn = random(10, space, seed=seed)
    first, second = (sweep(dict.fromkeys("abcdefgh", None), made) for made in (drawn, [drawn]))
    assert first.texts == second.texts
    assert choices(first) == choices(second)


@given(spaces(), st.data())
@tried(100)
def test_law_what_is_drawn_is_one_of_the_trials(case, data):
    space, expected = case
    trials = sweep(dict.fromkeys("abcdefgh", None), space)
    made = trials.space.decided(
        lambda name, dimension: data.draw(
            st.integers(0, (dimension if isinstance(dimension, int) else len(dimension)) - 1)
        )
    )
    assert {axis.said.path: int(axis.override(value).texts[0]) for axis, value in made} in expected


@given(spaces(), st.integers(2, 7))
@tried(100)
def test_law_a_filter_leaves_out_and_renumbers_nothing(case, n):
    space, _ = case
    everything = list(sweep(dict.fromkeys("abcdefgh", None), space))

    def fits(spec):
        return sum(value or 0 for value in plain(spec).values()) % n == 0

    filtered = list(sweep(dict.fromkeys("abcdefgh", None), space, where=fits))
    assert [(t.index, t.choices) for t in filtered] == [(t.index, t.choices) for t in everything if fits(t.spec)]


def test_going_through_a_million_trials_keeps_none():
    trials = iter(sweep(EMPTY, grid({"a": range(1000)}, zipped({"b": range(1000), "c": range(1000)}))))
    for _ in range(2000):
        next(trials)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(3000):
            next(trials)
        assert tracemalloc.get_traced_memory()[0] - before < 50_000
    finally:
        tracemalloc.stop()


def test_an_axis_of_which_a_later_override_leaves_nothing_is_refused():
    spec = {"lr": 0.1, "net": {"width": 1}}
    assert told(lambda: sweep(spec, ["lr=.1,.2", "net.width=2", "lr=3"]), SpaceError) == (
        "lr  lr=3 comes after lr=.1,.2, of which it leaves nothing\n    leave one of them out"
    )
    assert [trial.spec["lr"] for trial in sweep(spec, ["lr=3", "lr=.1,.2"])] == [0.1, 0.2]
    varied = sweep(spec, ["net={width: 2},{width: 3}", "net.width=4"])
    assert [trial.spec["net"]["width"] for trial in varied] == [4, 4]
