"""How the options of a command name what draws its trials: `--sampler optuna --trials 50 --maximize accuracy`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypedDict

import click

from callsheet._axes import halton, random
from callsheet._optuna import Optuna, median_pruner
from callsheet._space import Space
from callsheet.cli._telling import Misuse

_SAMPLERS = ("random", "halton", "optuna")
_COUNT = "say how many:  --trials N"


class Said(TypedDict):
    """What a command receives of its sampling options.

    Attributes:
        sampler: One of `random`, `halton`, `optuna`; None for `random` where trials are asked for.
        trials: How many.
        seed: Which ones.
        maximize: The result that shall be large, by name.
        minimize: The result that shall be small.
        prune: Whether trials are ended that lag behind.
    """

    sampler: str | None
    trials: int | None
    seed: int | None
    maximize: str | None
    minimize: str | None
    prune: bool


def sampling_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options `sampler`, `trials`, `seed`, `maximize`, `minimize` and `prune`."""
    for option in reversed(
        (
            click.option("--sampler", type=click.Choice(_SAMPLERS), help="Draw trials instead of trying all."),
            click.option("--trials", type=click.IntRange(1), metavar="N", help="Draw N trials."),
            click.option("--seed", type=int, metavar="N", help="Draw other trials for another N; 0 by default."),
            click.option("--maximize", metavar="NAME", help="Look for the largest NAME of the results."),
            click.option("--minimize", metavar="NAME", help="Look for the smallest NAME of the results."),
            click.option("--prune", is_flag=True, help="End trials whose metric NAME lags behind the others'."),
        )
    ):
        function = option(function)
    return function


class Sampling(NamedTuple):
    """What `sweep_said` takes so that trials are drawn as the options say.

    Attributes:
        shape: Makes of what varies a space of the trials that are drawn without learning; None without those.
        sampler: What learns, or None.
    """

    shape: Callable[[Space], Space] | None = None
    sampler: Optuna | None = None

    @classmethod
    def of(cls, said: Said) -> Sampling:
        """What the options say.

        Raises:
            Misuse: They do not go together.
            SpaceError: The extra `optuna` is missing.
        """
        sampler, trials, seed = said["sampler"], said["trials"], said["seed"]
        maximize, minimize, prune = said["maximize"], said["minimize"], said["prune"]
        if maximize and minimize:
            raise Misuse("--maximize and --minimize exclude each other")
        if prune and sampler != "optuna":
            raise Misuse("--prune is for a sampler that follows trials", "name it:  --sampler optuna --trials N")
        if trials is None:
            if sampler is not None:
                raise Misuse(f"--sampler {sampler} draws as many trials as you say", _COUNT)
            if seed is not None:
                raise Misuse("--seed is for trials that are drawn", _COUNT)
            return cls()
        if sampler == "optuna":
            if not maximize and not minimize:
                raise Misuse("--sampler optuna learns from a result", "name it:  --maximize NAME  or  --minimize NAME")
            largest, smallest, pruner = maximize or "", minimize or "", median_pruner() if prune else None
            optuna = Optuna(trials=trials, seed=seed or 0, maximize=largest, minimize=smallest, pruner=pruner)
            return cls(sampler=optuna)
        draw = halton if sampler == "halton" else random
        return cls(shape=lambda space: draw(trials, space, seed=seed or 0))
