"""`Optuna`: a sampler that learns from the trials that have ended, by the library of that name."""

from __future__ import annotations

import math

from ._alternatives import Interval, Range
from ._drawn import Point
from .errors import Fault, SpaceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ._space import Dimension, Space, Suggest


class Optuna:
    """Trials chosen by Optuna, which learns which parts of a space give good results, and stops what will not.

    The same seed and the same results give the same trials: each follows from the seed, its number and the results
    that were known when it was drawn. What a plan holds is enough to go on after a crash; there is no other store.

    Args:
        trials: How many to draw; None for no end.
        minimize: The result that shall be small, by name.
        maximize: The result that shall be large. One of both is given.
        seed: Other trials for another.
        sampler: What makes one of Optuna's samplers from `seed=`, such as its class; `TPESampler` by default, with
            all axes seen together, what depends on others apart, and running trials taken for bad ones.
        pruner: One of Optuna's pruners, which stop trials early: `optuna.pruners.MedianPruner()`. None stops none.
            A trial writes what it has come to under the name of that result into its `metrics.jsonl`.

    Raises:
        SpaceError: Neither or both of `minimize` and `maximize` are given, or the extra `optuna` is missing.

    Example:
        ``sweep("conf.py", {"optim.lr": interval(1e-4, 1, log=True)}, sampler=Optuna(trials=50, maximize="accuracy"))``
    """

    def __init__(
        self,
        *,
        trials: int | None,
        minimize: str = "",
        maximize: str = "",
        seed: int = 0,
        sampler: Callable[..., Any] | None = None,
        pruner: Any = None,
    ) -> None:
        if bool(minimize) is bool(maximize):
            advice = ['Optuna(trials=50, maximize="accuracy")', 'Optuna(trials=50, minimize="loss")']
            raise SpaceError(
                Fault("", "a sampler that learns needs one result to minimize or to maximize", advice=advice)
            )
        self.trials = trials
        self.goal = (minimize or maximize, bool(maximize))
        self.prunes = pruner is not None
        self.seed = seed
        self._pruner = pruner
        self._make = sampler or _tpe
        _imported()

    def __repr__(self) -> str:
        """How it reads but for the number of its trials: the first ones do not depend on how many there are."""
        name, largest = self.goal
        made = "" if self._make is _tpe else f", sampler={getattr(self._make, '__qualname__', self._make)}"
        return f"Optuna({'maximize' if largest else 'minimize'}={name!r}, seed={self.seed}{made})"

    def study(self, space: Space) -> _Study:
        """Begin with a space."""
        return _Study(space, self.goal[1], self.seed, self._make, self._pruner)


def _imported() -> Any:
    try:
        import optuna
    except ImportError:
        advice = ["pip install 'callsheet[optuna]'", "without it:  random(50, …)  halton(50, …)"]
        raise SpaceError(Fault("", "the sampler needs Optuna, which is not installed", advice=advice)) from None
    return optuna


def median_pruner() -> Any:
    """Stops a trial whose best so far is worse than the median of the others at that step, once five have ended."""
    return _imported().pruners.MedianPruner(n_startup_trials=5)


def _tpe(seed: int) -> Any:
    return _imported().samplers.TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


class _Study:
    """One study of Optuna, in memory; the numbers of the trials are the sweep's own."""

    def __init__(self, space: Space, largest: bool, seed: int, make: Callable[..., Any], pruner: Any) -> None:
        self._optuna = _imported()
        self._space = space
        self._seed = seed
        self._make = make
        self._running: dict[int, Any] = {}
        self._stopped: set[int] = set()
        with _quiet(self._optuna):
            self._study = self._optuna.create_study(
                direction="maximize" if largest else "minimize", pruner=pruner or self._optuna.pruners.NopPruner()
            )

    def ask(self, index: int) -> dict[str, Any]:
        """A point that follows from the seed, the number, and what was told."""
        with _quiet(self._optuna):
            self._study.sampler = self._make(seed=_seed_of(self._seed, index))
            trial = self._running[index] = self._study.ask()
            point: dict[str, Any] = {}
            self._space.decided(_suggesting(trial, point))
        return point

    def recall(self, index: int, point: Mapping[str, Any]) -> None:
        """Take a point that was drawn before as one that runs.

        Raises:
            SpaceError: It is none of this space.
        """
        given, dimensions = Point(self._space, point), {}

        def note(name: str, dimension: Dimension) -> Any:
            dimensions[name] = dimension
            return given.suggest(name, dimension)

        self._space.decided(note)
        given.refuse_unused()
        with _quiet(self._optuna):
            self._study.enqueue_trial(dict(point))
            trial = self._running[index] = self._study.ask()
            for name, dimension in dimensions.items():
                _suggested(trial, name, dimension)

    def tell(self, index: int, value: float | None, *, stopped: bool = False) -> None:
        """Note how a trial ended; one that was told to stop counts with what it had reported."""
        trial = self._running.pop(index, None)
        if trial is None:
            return
        states = self._optuna.trial.TrialState
        with _quiet(self._optuna):
            if value is not None and not math.isnan(value):
                self._study.tell(trial, value)
            else:
                self._study.tell(trial, state=states.PRUNED if stopped or index in self._stopped else states.FAIL)
        self._stopped.discard(index)

    def report(self, index: int, step: int, value: float) -> bool:
        """Note what a running trial has come to, and ask the pruner."""
        trial = self._running.get(index)
        if trial is None:
            return False
        with _quiet(self._optuna):
            trial.report(value, step)
            if trial.should_prune():
                self._stopped.add(index)
        return index in self._stopped


def _suggesting(trial: Any, point: dict[str, Any]) -> Suggest:
    def suggest(name: str, dimension: Dimension) -> Any:
        point[name] = _suggested(trial, name, dimension)
        return point[name]

    return suggest


def _suggested(trial: Any, name: str, dimension: Dimension) -> Any:
    """What Optuna suggests: of a range it knows the order, of choices it knows none."""
    if isinstance(dimension, Range):
        return trial.suggest_int(name, 0, len(dimension) - 1)
    if not isinstance(dimension, Interval):
        return trial.suggest_categorical(name, range(dimension))
    start, end = dimension.start, dimension.end
    if dimension.whole:
        return trial.suggest_int(name, start, end - 1, log=dimension.log)
    return trial.suggest_float(name, start, math.nextafter(end, start), log=dimension.log)


def _seed_of(seed: int, index: int) -> int:
    from hashlib import sha256

    return int.from_bytes(sha256(b"%d/%d" % (seed, index)).digest()[:4], "big")


class _quiet:  # noqa: N801  (used as a statement)
    """Nothing of Optuna's own is logged or warned of while it is asked: what it says is of studies that nobody sees."""

    def __init__(self, optuna: Any) -> None:
        self._logging = optuna.logging

    def __enter__(self) -> None:
        import warnings

        self._before = self._logging.get_verbosity()
        self._logging.set_verbosity(self._logging.ERROR)
        self._caught: Any = warnings.catch_warnings()
        self._caught.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, *error: object) -> None:
        self._caught.__exit__(*error)
        self._logging.set_verbosity(self._before)
