"""Promise 20: a finite sweep is a sequence of trials, made when they are asked for."""

from collections.abc import Sequence
from enum import Enum
from typing import Literal, NamedTuple

import pytest

from callsheet import copy, equal, lazy, load, origin, plain, ref, sweep
from callsheet.errors import OverrideError, SpaceError


def net(width: int = 1, lr: float = 0.1): ...


def test_all_combinations_in_order_the_last_axis_fastest():
    trials = sweep({"a": 0, "b": 0, "c": 0}, ["a=1,2", "c=9", "b=x,y,[1,2]"])
    assert len(trials) == 6
    assert [plain(trial.spec) for trial in trials] == [
        {"a": a, "b": b, "c": 9} for a in (1, 2) for b in ("x", "y", [1, 2])
    ]  # fmt: skip
    assert trials.axes == {"a": ("1", "2"), "b": ("x", "y", "[1,2]")}


def test_a_trial_says_what_makes_it():
    trial = sweep({"a": 0, "b": 0, "c": 0}, ["a=1,2", "c=9", "b='x,y',z"])[2]
    assert (trial.index, trial.overrides, trial.choices) == (2, ("a=2", "c=9", "b='x,y'"), {"a": "2", "b": "'x,y'"})


def test_what_is_frozen_itself_is_swept():
    class Pair(NamedTuple):
        a: int = 1
        b: int = 2

    trials = sweep(Pair(), ["a=3,4", "b=5"])
    assert [trial.spec for trial in trials] == [Pair(3, 5), Pair(4, 5)]


def test_it_is_a_sequence():
    trials = sweep({"a": 0}, "a=1,2,3")
    assert isinstance(trials, Sequence)
    assert trials[-1].spec == {"a": 3}
    assert [trial.index for trial in trials[1:]] == [1, 2]
    assert [trial.index for trial in reversed(trials)] == [2, 1, 0]
    for n in (3, -4):
        with pytest.raises(IndexError, match=f"trial {n} of 3"):
            trials[n]
    assert repr(trials) == "<Sweep of 3 trials (a: 3)>"


def test_a_trial_is_reached_without_walking():
    trials = sweep(dict.fromkeys("abcdefghij", 0), [f"{key}=" + ",".join(map(str, range(100))) for key in "abcdefghi"])
    assert len(trials) == 100**9
    assert plain(trials[123456789012345678].spec) == dict(
        zip("abcdefghij", (12, 34, 56, 78, 90, 12, 34, 56, 78, 0), strict=True)
    )


def test_a_spec_is_copied_for_each_trial_and_stays_as_it_was():
    model = lazy(net)()
    spec = {"m": model, "n": [model], "r": ref(model).width}
    before = copy(spec)
    first, second = sweep(spec, "m.width=1,2")
    assert equal(spec, before)
    assert first.spec.m is not second.spec.m
    assert second.spec.m is second.spec.n[0]
    assert (second.spec.m.width, type(second.spec.m.width)) == (2, int)


def test_new_keys_can_be_swept():
    assert [plain(trial.spec) for trial in sweep({}, "+a.b=1,2")] == [{"a": {"b": 1}}, {"a": {"b": 2}}]


def test_a_file_runs_again_for_each_trial_so_that_what_it_computes_follows(project):
    project("conf.py", "lr = 1\nwidth = 2\nproduct = lr * width\n")
    assert [trial.spec.product for trial in sweep("conf.py", ["lr=1,10", "width=3,4"])] == [3, 4, 30, 40]


def test_in_a_spec_already_loaded_only_references_follow(project):
    project("conf.py", "lr = 1\nproduct = lr * 2\nlive = '${lr}'\n")
    trials = sweep(load("conf.py"), "lr=1,10")
    assert [(trial.spec.product, trial.spec.live) for trial in trials] == [(2, 1), (2, 10)]


def test_an_axis_is_the_origin_of_its_choice():
    trial = sweep({"a": 0, "b": 0}, ["a=1,2", "b=3"])[1]
    assert (origin(trial.spec, "a").kind, origin(trial.spec, "a").text) == ("sweep", "a=2")
    assert (origin(trial.spec, "b").kind, origin(trial.spec, "b").text) == ("override", "b=3")


def test_what_does_not_fit_is_told_when_its_trial_is_made():
    trials = sweep({"m": lazy(net)()}, "m.width=1,wide")
    assert trials[0].spec.m.width == 1
    with pytest.raises(OverrideError, match="must be int, found 'wide'"):
        trials[1]


def test_what_cannot_be_read_is_told_at_once_and_together():
    with pytest.raises(OverrideError) as caught:
        sweep({}, ["a", "b=1,"])
    assert [fault.problem for fault in caught.value.faults] == [
        "'a' is not an override: there is no '='",
        "expected a value between commas, at column 5",
    ]


def test_without_an_axis_there_is_nothing_to_sweep():
    assert repr(sweep({"a": 1}, "a=2")) == "<Sweep of no trials: nothing sweeps>"
    assert list(sweep({"a": 1}, "a=2")) == []


def test_functions_of_the_grammar_make_axes():
    trials = sweep({"a": 0, "b": 0}, ["a=range(0,1,0.25)", "b=tag(mine,sort(y,x))"])
    assert len(trials) == 8
    assert plain(trials[3].spec) == {"a": 0.25, "b": "y"}
    assert (trials.axes, trials.tags) == ({"a": ("0.0", "0.25", "0.5", "0.75"), "b": ("x", "y")}, {"b": {"mine"}})
    assert sweep({"a": 0}, "a=choice(1)").axes == {"a": ("1",)}


def test_an_axis_of_any_length_is_reached_without_walking():
    trials = sweep({"a": 0}, "a=range(1000000000000)")
    assert trials[-1].spec == {"a": 999_999_999_999}
    assert (len(trials.axes["a"]), trials.axes["a"][5]) == (1_000_000_000_000, "5")


def test_the_same_shuffled_axis_comes_in_the_same_order():
    first, second = (sweep({"a": 0}, "a=shuffle(range(50))").axes["a"] for _ in range(2))
    assert first == second != tuple(map(str, range(50)))


class Norm(Enum):
    BATCH = 1
    LAYER = 2


def typed(kind: Literal["adam", "adamw", "sgd", 1] = "sgd", norm: Norm | None = None, fast: bool = False): ...


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("m.kind=glob(adam*)", ("adam", "adamw")),
        ("m.kind=glob(*, exclude=[adam*])", ("sgd", "1")),
        ("m.norm=tag(t, glob(*))", ("BATCH", "LAYER")),
        ("m.fast=glob(*)", ("true", "false")),
        ("...fast=glob(*)", ("true", "false")),
    ],
)
def test_glob_chooses_from_what_the_type_lists(text, axis):
    trials = sweep({"m": lazy(typed)()}, text)
    assert trials.axes == {text.partition("=")[0]: axis}
    assert len({repr(trial.spec) for trial in trials}) == 2


def test_glob_chooses_from_the_files_of_a_folder(project):
    project("conf.py", "model = dict(depth=0)\n")
    project("model/resnet18.py", "resnet18 = dict(depth=18)\n")
    project("model/resnet50.json", '{"depth": 50}')
    project("model/vit.py", "vit = dict(depth=12)\n")
    project("model/_base.py", "base = dict(depth=1)\n")
    trials = sweep("conf.py", "model=glob(resnet*)")
    assert trials.axes == {"model": ("@resnet18", "@resnet50")}
    assert [trial.spec.model.depth for trial in trials] == [18, 50]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("m.kind=glob(x*)", "glob fits none of adam, adamw, sgd, 1"),
        ("n=glob(*)", "glob chooses from nothing here"),
        ("x.y=glob(*)", "is not there"),
    ],
)
def test_glob_without_candidates_says_so(text, problem):
    with pytest.raises(OverrideError) as caught:
        sweep({"m": lazy(typed)(), "n": 1}, text)
    assert [fault.problem for fault in caught.value.faults] == [problem]


def test_with_an_interval_it_is_a_space_whose_trials_are_drawn():
    space = sweep({"m": lazy(net)(), "n": 0}, ["m.lr=interval(0,1)", "n=int(interval(1,9))", "m.width=8,16"])
    assert space.is_space
    assert not sweep({"a": 1}, "a=1,2").is_space
    assert (space.axes["m.lr"].start, space.axes["m.lr"].end) == (0.0, 1.0)
    trial = space.drawn(7, {"m.lr": 0.5, "n": 3, "m.width": 1})
    assert (trial.index, trial.overrides) == (7, ("m.lr=0.5", "n=3", "m.width=16"))
    assert (trial.spec.m, trial.spec.n) == (lazy(net)(lr=0.5, width=16), 3)
    assert origin(trial.spec, "m.lr").kind == "sweep"
    assert repr(space) == "<Sweep over a space (m.lr: interval(0.0,1.0), n: int(interval(1,9)), m.width: 2)>"


def test_a_space_is_no_sequence_and_says_what_to_do():
    space = sweep({"a": 0}, "a=interval(0,1)")
    for use in (len, list, lambda x: x[0]):
        with pytest.raises(SpaceError, match=r"a is continuous\n  draw its trials:  sweep.drawn\(0, {path: number}\)"):
            use(space)


def test_a_point_that_is_not_of_the_space_names_every_fault():
    space = sweep({"a": 0, "b": 0, "c": 0}, ["a=interval(0,1)", "b=x,y", "c=int(interval(0,5))"])
    with pytest.raises(SpaceError) as caught:
        space.drawn(0, {"a": 1.0, "b": 2, "d": 1})
    assert [(fault.path, fault.problem) for fault in caught.value.faults] == [
        ("d", "is no axis of the sweep"),
        ("a", "1.0 is no place on this axis"),
        ("b", "2 is no place on this axis"),
        ("c", "is not given by the point"),
    ]
    with pytest.raises(SpaceError, match="0.5 is no place"):
        space.drawn(0, {"a": 0.5, "b": -0, "c": 0.5})


def test_what_is_said_after_an_axis_is_said_of_what_it_puts_there(project):
    project("conf.py", "_a = dict(n=1)\n_b = dict(n=2)\nmodel = dict(n=0)\ntwice = model.n * 2\n")
    for source in ("conf.py", {"a": {"n": 1}, "b": {"n": 2}, "model": {"n": 0}}):
        assert [trial.spec.model.n for trial in sweep(source, ["model=@a,@b", "model.n=7"])] == [7, 7]
        assert [trial.spec.model.n for trial in sweep(source, ["model.n=7", "model=@a,@b"])] == [1, 2]
