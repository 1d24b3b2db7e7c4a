"""What running trials measure, reported to the sampler as it comes, and which of them it stops."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from callsheet.run._draw import Drawing
from callsheet.run._metrics import Tail
from callsheet.run._store import Run

_LOOK_S = 0.25
"""Seconds between two looks at what runs."""


class Follower:
    """Reads the metrics of what runs, for a sampler that prunes; for any other it does nothing.

    What is reported stands in the runs' own files: after a crash all of it is reported again.

    Args:
        drawing: Whose sampler is told.
    """

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._tails: dict[int, Tail] = {}
        self._looked = 0.0

    def lagging(self, running: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Report what is new; gives the jobs that shall be stopped, each with the step that it is at.

        Args:
            running: The indices of jobs.
        """
        now = time.monotonic()
        if not self._drawing.prunes or now - self._looked < _LOOK_S:
            return
        self._looked = now
        for index in running:
            if index not in self._tails:
                name = self._drawing.plan.run_of(index)
                if name is None:
                    continue  # its worker has not begun
                self._tails[index] = Tail(self._drawing.place.runs / name)
            step = self._report(index, self._tails[index])
            if step is not None:
                yield index, step

    def end(self, index: int, run: Run | None) -> None:
        """Report what a job has measured that was not reported, and forget it.

        Args:
            index: The job's.
            run: Its run; None where it has none.
        """
        tail = self._tails.pop(index, None)
        if self._drawing.prunes and run is not None:
            self._report(index, tail or Tail(run.directory))

    def forget(self, index: int) -> None:
        """Report a job from its beginning when it runs again."""
        self._tails.pop(index, None)

    def _report(self, index: int, tail: Tail) -> int | None:
        """Report the lines that are new; gives the step at which it lags behind, if it does."""
        assert self._drawing.goal is not None
        name, _ = self._drawing.goal
        for line in tail.read():
            if name in line.values and self._drawing.report(index, line.x, line.values[name]):
                return line.x
        return None
