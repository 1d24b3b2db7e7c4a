"""What a sweep looks for: the best trial so far, and what keeps a goal from being met."""

from __future__ import annotations

from typing import Any

from callsheet.cli._text import is_number
from callsheet.errors import Fault, nearest
from callsheet.run._job import Job
from callsheet.run._metrics import last_values
from callsheet.run._store import Run


class Goal:
    """The result that shall be large or small, as trials end.

    Args:
        name: What it is called; "" where nothing is looked for.
        largest: Whether it shall be large.
        prunes: Whether trials are ended by what they measure under that name.

    Attributes:
        best: The best score, and its job; None before there is one.
    """

    def __init__(self, name: str, *, largest: bool, prunes: bool) -> None:
        self.name = name
        self.best: tuple[Any, Job] | None = None
        self._largest = largest
        self._is_doubted = not name
        self._unmeasured = prunes  # until a trial has measured what it may be ended by
        self._metrics: set[str] = set()

    def take(self, job: Job, run: Run) -> bool:
        """Take the result of a trial that is done; gives whether it is the best so far."""
        if self._unmeasured and not job.was_done:
            values = last_values(run.directory)
            self._metrics.update(values)
            self._unmeasured = self.name not in values
        score = run.result.get(self.name)
        if not is_number(score) or (self.best is not None and not self._is_better(score, job)):
            return False
        self.best = score, job
        return True

    def doubt(self, run: Run) -> Fault | None:
        """What to say of the first result that has no number of this name, once."""
        if self._is_doubted or isinstance(run.result.get(self.name), int | float):
            return None
        self._is_doubted = True
        numbers = [name for name, value in run.result.items() if isinstance(value, int | float)]
        return Fault("", f"the result of {run.id} has no number named {self.name!r}", advice=_meant(self.name, numbers))

    @property
    def is_met(self) -> bool:
        """Whether some trial has what is looked for, or nothing is."""
        return not self.name or self.best is not None

    def unmet(self) -> list[Fault]:
        """What to say when all trials have ended."""
        found = []
        if not self.is_met:
            found.append(Fault("", f"no trial has a number named {self.name!r}"))
        if self._unmeasured:
            problem = f"--prune had nothing to go by: no trial has measured {self.name!r}"
            advice = _meant(self.name, self._metrics) or ["metrics are what is appended to  ${run.dir}/metrics.jsonl"]
            found.append(Fault("", problem, advice=advice))
        return found

    def _is_better(self, score: Any, job: Job) -> bool:
        assert self.best is not None
        best, other = self.best
        if score == best:
            return job.index < other.index
        return bool(score > best) == self._largest


def _meant(name: str, known: Any) -> list[str]:
    close = nearest(name, known)
    if close:
        return [f"did you mean  {close[0]}?"]
    return [f"there are  {', '.join(sorted(known))}"] if known else []
