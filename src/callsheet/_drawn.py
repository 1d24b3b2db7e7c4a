"""Trials drawn one after the other: what a scheduler asks, tells of what ended, and recalls after a crash."""

from __future__ import annotations

from ._alternatives import Interval, Range
from .errors import Fault, SpaceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from ._space import Dimension, Space
    from ._sweep import Sweep, Trial

    class Study(Protocol):
        """What a sampler does for one sweep; it draws the same for the same seed and the same that it was told."""

        def ask(self, index: int) -> dict[str, Any]:
            """A point for the trial of this number: for each axis that it has, by name, a number or a position."""
            ...

        def recall(self, index: int, point: Mapping[str, Any]) -> None:
            """A point that was drawn before, by a process that is gone."""

        def tell(self, index: int, value: float | None, *, stopped: bool = False) -> None:
            """How a trial ended; None: it failed, or was stopped early, as `report` had said."""

        def report(self, index: int, step: int, value: float) -> bool:
            """What a running trial has come to; gives whether it shall be stopped."""
            ...

    class Sampler(Protocol):
        """What draws the trials of a space, and learns from how they end: `Optuna`.

        Attributes:
            trials: How many to draw; None for no end.
            goal: The result that it learns from, by name, and whether it shall be large.
            prunes: Whether its studies want reports, and stop trials by these.
        """

        trials: int | None
        goal: tuple[str, bool]
        prunes: bool

        def study(self, space: Space) -> Study:
            """Begin with a space; each study begins anew."""
            ...


class Drawn:
    """The trials of a sweep, one after the other. Made by `Sweep.draw`.

    A scheduler calls `ask` whenever it has room, `report` as a trial goes on, and `tell` when it has ended. After a
    crash it makes another of the same sweep, gives `recall` what was drawn, in any order, then `tell` what had ended,
    and goes on to ask. What was drawn and has not ended is run as it was drawn: it is not asked for again.

    It keeps nothing of a trial once that was asked for, unless a sampler does.

    Attributes:
        index: The number of the trial that was asked for last, also where making it failed; -1 before the first.
        size: How many trials there will be, those that are recalled included; None where nobody knows.
        goal: The result that a sampler learns from, by name, and whether it shall be large; None without a sampler.
        prunes: Whether a sampler wants reports.
    """

    def __init__(
        self,
        sweep: Sweep,
        *,
        count: int | None,
        filtered: bool = False,
        study: Study | None = None,
        goal: tuple[str, bool] | None = None,
        prunes: bool = False,
    ) -> None:
        self.index = -1
        self.size = None if filtered and study is None else count
        self.goal = goal
        self.prunes = prunes
        self._sweep = sweep
        self._study = study
        self._count = count
        self._taken = 0
        self._next = 0
        self._recalled: set[int] = set()

    def ask(self) -> Trial | None:
        """The next trial; None where there are no more.

        Raises:
            SpecError, OverrideError: The trial `index` is faulty; the next `ask` goes on with the one after it.
            SpaceError: A filter lets nothing through.
        """
        return self._in_order() if self._study is None else self._sampled(self._study)

    def recall(self, index: int, point: Mapping[str, Any] | None = None) -> None:
        """Take note of a trial that was drawn before.

        Args:
            index: Its number.
            point: What its `Trial.point` was, which is data; None for a trial of a finite sweep.
        """
        if self._study is None:
            self._recalled.add(index)
            self._pass_recalled()
            return
        self._study.recall(index, point or {})
        self._next = max(self._next, index + 1)
        self._taken += 1

    def tell(self, index: int, value: float | None, *, stopped: bool = False) -> None:
        """Say how a trial ended.

        Args:
            index: Its number.
            value: The result named by `goal`; None where it failed, has no such result, or was stopped early.
            stopped: Whether it was stopped early, as `report` had said; this process or one before it.
        """
        if self._study is not None:
            self._study.tell(index, value, stopped=stopped)

    def report(self, index: int, step: int, value: float) -> bool:
        """Say what a running trial has come to.

        Args:
            index: Its number.
            step: How far it is, from 0: its line's `step`, or number.
            value: The metric named by `goal` at that step.

        Returns:
            Whether it shall be stopped, since others did better; `tell` is then called with None.
        """
        return self._study is not None and self._study.report(index, step, value)

    def _pass_recalled(self) -> None:
        while self._next in self._recalled:
            self._recalled.discard(self._next)
            self._next += 1

    def _in_order(self) -> Trial | None:
        while self._count is not None and self._next < self._count:
            self.index = self._next
            self._next += 1
            self._pass_recalled()
            trial = self._sweep.trial(self.index)
            if self._sweep.fits(trial):
                return trial
        return None

    def _sampled(self, study: Study) -> Trial | None:
        if self._count is not None and self._taken >= self._count:
            return None
        for _ in range(_PATIENCE):
            self.index = self._next
            self._next += 1
            trial = self._sweep.drawn(self.index, study.ask(self.index))
            if self._sweep.fits(trial):
                self._taken += 1
                return trial
            study.tell(self.index, None)
        problem = f"the filter let none of {_PATIENCE} trials through that were drawn in a row"
        raise SpaceError(Fault("", problem, advice=["narrow the axes to what it lets through"]))


_PATIENCE = 1000


class Point:
    """What was decided for each axis of one trial, by name; what does not fit is told all together.

    Args:
        space: What it is a point of.
        values: A number within a continuous axis, else a position.
    """

    def __init__(self, space: Space, values: Mapping[str, Any]) -> None:
        self.values = values
        self.used: set[str] = set()
        self.faults: list[Fault] = []
        self._said = {name: said.text for name, said in space.axes()}

    def suggest(self, name: str, dimension: Dimension) -> Any:
        """The value for an axis; where there is none that fits, that is noted, and another is given."""
        self.used.add(name)
        if name in self.values:
            value = self.values[name]
            if _is_within(value, dimension):
                return value
            problem = f"{value!r} is no place on this axis"
        else:
            problem = "is not given by the point"
        self.faults.append(Fault(name, problem, advice=[f"it is one of {self._said.get(name, dimension)}"]))
        return dimension.start if isinstance(dimension, Interval) else 0

    def refuse_unused(self) -> None:
        """Raise what was noted, and what the trial has no axis for.

        Raises:
            SpaceError: With every fault.
        """
        faults = [Fault(name, "is no axis of the sweep") for name in self.values if name not in self.used]
        if faults or self.faults:
            raise SpaceError(*faults, *self.faults)


def _is_within(value: Any, dimension: Dimension) -> bool:
    if isinstance(dimension, Interval):
        try:
            dimension.number(value)
        except (TypeError, ValueError):
            return False
        return True
    count = len(dimension) if isinstance(dimension, Range) else dimension
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count
