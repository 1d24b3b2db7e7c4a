"""`Optuna` draws conditional spaces, learns, stops what lags behind, and goes on after a crash as if none had been."""

import logging

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet import Optuna, choice, interval, lazy, sweep
from callsheet.errors import SpaceError
from saying import told
from specs import tried


def sgd(lr: float = 0.1, momentum: float = 0.0): ...


def adam(lr: float = 0.1): ...


SPACE = {
    "optim": choice(
        lazy(sgd)(lr=interval(0.01, 1), momentum=choice(0.0, 0.9)), lazy(adam)(lr=interval(1e-4, 1, log=True))
    ),
    "width": range(8, 65, 8),
    "depth": interval(1, 9, whole=True),
}
SPEC = {"optim": None, "width": 0, "depth": 0}


def drawing(seed=0, trials=40, **more):
    return sweep(SPEC, SPACE, sampler=Optuna(trials=trials, minimize="loss", seed=seed, **more)).draw()


def loss(trial):
    return abs(trial.spec["optim"].lr - 0.3) + trial.spec["width"] / 100 + trial.spec["depth"]


def drawn(made):
    """What is drawn when each trial is told of at once."""
    found = []
    while (trial := made.ask()) is not None:
        found.append((trial.index, trial.overrides))
        made.tell(trial.index, loss(trial))
    return found


def test_as_many_trials_are_drawn_as_were_wanted_each_within_the_space():
    made = drawing(trials=30)
    assert (made.size, made.goal) == (30, ("loss", False))
    trials = []
    while (trial := made.ask()) is not None:
        trials.append(trial)
        made.tell(trial.index, loss(trial))
    assert [trial.index for trial in trials] == [*range(30)]
    for trial in trials:
        assert ("optim.momentum" in trial.choices) == trial.overrides[0].startswith("optim=lazy(sgd)")
        assert trial.spec["width"] in range(8, 65, 8)
        assert trial.spec["depth"] in range(1, 9)


def test_it_learns_what_is_wanted():
    def best(**goal):
        made = sweep({"x": 0.0}, {"x": interval(0, 1)}, sampler=Optuna(trials=40, seed=1, **goal)).draw()
        found = []
        while (trial := made.ask()) is not None:
            found.append(trial.spec["x"])
            made.tell(trial.index, (trial.spec["x"] - 0.7) ** 2)
        return found[20:]

    assert sum(0.6 < x < 0.8 for x in best(minimize="y")) > 7
    assert sum(x < 0.2 for x in best(maximize="y")) > 7


def test_the_same_seed_and_results_give_the_same_trials():
    assert drawn(drawing(seed=3)) == drawn(drawing(seed=3)) != drawn(drawing(seed=4))


@given(st.data())
@tried(12)
def test_law_a_crash_changes_nothing(data):
    """Trials overlap, end in any order and fail; at some moment all is lost but what a plan holds."""
    crash = data.draw(st.integers(1, 24))
    events, running = [], []
    for n in range(18):
        events.append(("ask", n))
        running.append(n)
        while running and data.draw(st.booleans()):
            events.append(("tell", running.pop(data.draw(st.integers(0, len(running) - 1)))))
    failing = data.draw(st.sets(st.integers(0, 17)))

    def played(crash):
        made, trials, ended = drawing(seed=1), {}, {}
        for at, (kind, n) in enumerate(events):
            if at == crash:
                made = drawing(seed=1)
                for index, trial in trials.items():
                    made.recall(index, trial.point)
                for index, value in ended.items():
                    made.tell(index, value)
            if kind == "ask":
                trials[n] = made.ask()
            else:
                ended[n] = None if n in failing else loss(trials[n])
                made.tell(n, ended[n])
        return [trial.overrides for trial in trials.values()]

    assert played(crash) == played(-1)


def test_what_is_recalled_counts_towards_the_trials():
    made, again = drawing(trials=5), drawing(trials=5)
    for trial in [made.ask() for _ in range(3)]:
        again.recall(trial.index, trial.point)
    assert [again.ask().index, again.ask().index, again.ask()] == [3, 4, None]


def test_what_was_drawn_from_another_space_is_refused():
    assert told(lambda: drawing().recall(0, {"optim": 1, "width": 99, "depth": 2}), SpaceError).splitlines()[0] == (
        "optim=1/optim.lr  is not given by the point"
    )


def test_a_trial_that_lags_behind_is_stopped():
    made = drawing(pruner=optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=0))
    for n in range(3):
        trial = made.ask()
        assert [made.report(trial.index, step, 1.0) for step in range(3)] == [False, False, False]
        made.tell(trial.index, 1.0)
    trial = made.ask()
    assert made.report(trial.index, 0, 5.0) is True
    made.tell(trial.index, None)
    states = [trial.state.name for trial in made._study._study.trials]
    assert states == ["COMPLETE", "COMPLETE", "COMPLETE", "PRUNED"]


@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_trial_without_a_result_has_failed(value):
    made = drawing()
    made.tell(made.ask().index, value)
    made.tell(99, 1.0)
    assert [trial.state.name for trial in made._study._study.trials] == ["FAIL"]


def test_a_filter_draws_again():
    sampler = Optuna(trials=10, minimize="y")
    made = sweep({"x": 0.0}, {"x": interval(0, 1)}, sampler=sampler, where=lambda spec: spec["x"] > 0.5).draw()
    found = []
    while (trial := made.ask()) is not None:
        found.append(trial)
    assert len(found) == 10 < found[-1].index
    assert all(trial.spec["x"] > 0.5 for trial in found)


def test_a_filter_that_lets_nothing_through_says_so():
    made = sweep({"x": 0}, {"x": [1]}, sampler=Optuna(trials=1, minimize="y"), where=lambda spec: False).draw()
    assert told(made.ask, SpaceError) == (
        "the filter let none of 1000 trials through that were drawn in a row\n  narrow the axes to what it lets through"
    )


def test_another_sampler_of_optuna_serves():
    made = drawing(trials=5, sampler=optuna.samplers.RandomSampler)
    assert len(drawn(made)) == 5


def test_a_goal_is_needed():
    expected = "a sampler that learns needs one result to minimize or to maximize\n"
    for goals in ({}, {"minimize": "a", "maximize": "b"}):
        assert told(lambda goals=goals: Optuna(trials=1, **goals), SpaceError).startswith(expected)


def test_it_logs_and_warns_of_nothing_and_leaves_the_settings(caplog, recwarn):
    before = optuna.logging.get_verbosity()
    optuna.logging.enable_propagation()
    with caplog.at_level(logging.DEBUG):
        drawn(drawing(trials=3))
    optuna.logging.disable_propagation()
    assert (caplog.records, list(recwarn), optuna.logging.get_verbosity()) == ([], [], before)


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    assert told(lambda: Optuna(trials=1, minimize="a"), SpaceError).splitlines()[:2] == [
        "the sampler needs Optuna, which is not installed",
        "  pip install 'callsheet[optuna]'",
    ]


def test_a_sweep_whose_trials_are_drawn_says_by_whom_when_it_is_asked_for_its_length():
    with pytest.raises(SpaceError, match="the sweep has no length: Optuna draws its trials"):
        len(sweep({"x": 0}, {"x": [1, 2]}, sampler=Optuna(trials=3, minimize="y")))
