"""A job of a submission, as whoever waits for it sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from callsheet.errors import Fault, RunError
from callsheet.run._job import JobState
from callsheet.run._store import Run


class Standing(Protocol):
    """What is known of the jobs of a submission."""

    def place_of(self, place: int) -> tuple[int, JobState, bool]:
        """Of the job at a place its index, its state, and whether it was done before."""
        ...

    def run_of(self, index: int) -> Run | None:
        """The run of a job, or the one for which it counts as done."""

    def done_run_of(self, index: int) -> Run | None:
        """The run for which a job counts as done."""

    def overrides_of(self, index: int) -> tuple[str, ...]:
        """The texts that make a job's trial."""
        ...

    def problem_of(self, index: int) -> str:
        """What ended a job; "" where nothing is known but what its run says."""
        ...

    def log_of(self, index: int) -> Path:
        """Where a job writes until it has a run directory."""
        ...


class ScheduledJob:
    """A job, made when it was asked for."""

    def __init__(self, jobs: Standing, place: int) -> None:
        self._jobs = jobs
        self._place = place

    def __repr__(self) -> str:
        return f"<Job {self.index}: {self.state}>"

    @property
    def index(self) -> int:
        """Its trial's place in the sweep; with replicates, that times their number and on."""
        return self._jobs.place_of(self._place)[0]

    @property
    def state(self) -> JobState:
        """What becomes of it."""
        return self._jobs.place_of(self._place)[1]

    @property
    def was_done(self) -> bool:
        """Whether it was finished before, so that nothing was sent."""
        return self._jobs.place_of(self._place)[2]

    @property
    def run(self) -> Run | None:
        """Its run, once its worker has made the directory."""
        index, state, was_done = self._jobs.place_of(self._place)
        if was_done and state == "done":
            return self._jobs.done_run_of(index)
        return None if state in ("waiting", "queued", "held") else self._jobs.run_of(index)

    @property
    def overrides(self) -> tuple[str, ...]:
        """The texts that make its trial; empty where that could not be drawn."""
        return self._jobs.overrides_of(self.index)

    @property
    def problem(self) -> str:
        """What ended it, where it did not end well; "" where nothing is known."""
        run = self.run
        return self._jobs.problem_of(self.index) or (str(run.status.get("error", "")) if run is not None else "")

    @property
    def log(self) -> Path:
        """Where its output is."""
        run = self.run
        return run.directory / "err.log" if run is not None and run.record else self._jobs.log_of(self.index)

    def result(self) -> dict[str, Any]:
        """Its result; raises `RunError` where it did not end well."""
        state, run = self.state, self.run
        if state == "done" and run is not None:
            return run.result
        if state == "pruned":
            return {}
        where = self.log if run is None or not run.record else run.directory
        problem = f"trial {self.index} is {state}" + (f": {self.problem}" if self.problem else "")
        raise RunError(Fault("", problem, advice=[f"its output is in {where}"] if where.exists() else []))
