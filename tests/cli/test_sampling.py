"""How options name what draws the trials."""

import click
import pytest
from click.testing import CliRunner

from callsheet import sweep
from callsheet._sweep import sweep_said
from callsheet.cli._sampling import Sampling, sampling_options
from callsheet.cli._telling import Misuse


def sampled(texts, *options):
    """The sweep that a command with such options makes."""
    made = []

    @click.command()
    @sampling_options
    def command(**said):
        drawn = Sampling.of(said)
        made.append(
            sweep_said({"a": 0.0, "b": 0}, texts, where="", policy=None, shape=drawn.shape, sampler=drawn.sampler)
        )

    CliRunner().invoke(command, options, standalone_mode=False, catch_exceptions=False)
    return made[0]


def test_without_options_all_combinations_are_tried():
    assert len(sampled(["a=1,2", "b=1,2,3"])) == 6


@pytest.mark.parametrize("sampler", ["random", "halton"])
def test_trials_are_drawn_from_an_interval(sampler):
    trials = sampled(["a=interval(0,1)", "b=7"], "--sampler", sampler, "--trials", "5", "--seed", "3")
    assert [trial.spec["b"] for trial in trials] == [7] * 5
    assert len({trial.spec["a"] for trial in trials}) == 5
    assert trials[0].overrides[1] == "b=7"


def test_random_is_what_trials_alone_mean():
    assert [t.choices for t in sampled("a=interval(0,1)", "--trials", "4")] == [
        t.choices for t in sampled("a=interval(0,1)", "--trials", "4", "--sampler", "random", "--seed", "0")
    ]


def test_more_trials_go_on_with_the_same_plan():
    few, many = (sampled(["b=7", "a=interval(0,1)"], "--trials", n) for n in ("3", "9"))
    assert few.texts == many.texts == ("b=7", "random(grid(a=interval(0,1)), seed=0)")
    assert [t.choices for t in few] == [t.choices for t in many[:3]]
    assert sampled("a=interval(0,1)", "--trials", "3", "--seed", "1").texts != few.texts[1:]


def test_optuna_gets_its_goal():
    drawn = sampled("a=interval(0,1)", "--sampler", "optuna", "--trials", "5", "--maximize", "accuracy").draw()
    assert (drawn.size, drawn.goal) == (5, ("accuracy", True))
    assert 0 <= drawn.ask().spec["a"] < 1


@pytest.mark.parametrize(
    ("options", "problem", "advice"),
    [
        (["--maximize", "a", "--minimize", "b"], "--maximize and --minimize exclude each other", []),
        (["--sampler", "halton"], "--sampler halton draws as many trials as you say", ["say how many:  --trials N"]),
        (["--seed", "1"], "--seed is for trials that are drawn", ["say how many:  --trials N"]),
        (
            ["--sampler", "optuna", "--trials", "3"],
            "--sampler optuna learns from a result",
            ["name it:  --maximize NAME  or  --minimize NAME"],
        ),
        (
            ["--prune", "--trials", "3"],
            "--prune is for a sampler that follows trials",
            ["name it:  --sampler optuna --trials N"],
        ),
    ],
)
def test_options_that_do_not_go_together(options, problem, advice):
    with pytest.raises(Misuse) as caught:
        sampled("a=interval(0,1)", *options)
    (fault,) = caught.value.faults
    assert (fault.problem, list(fault.advice)) == (problem, advice)


def test_a_sweep_from_python_reads_the_same():
    from callsheet import random

    assert sweep({"a": 0.0}, random(3, "a=interval(0,1)")).texts == sampled("a=interval(0,1)", "--trials", "9").texts
