"""From a spec or a sweep to jobs: each trial is drawn, checked and planned, then sent by an executor."""

from __future__ import annotations

import os
from typing import Any

from callsheet._running import RUNNING
from callsheet._sweep import Sweep
from callsheet.errors import Fault, RunError
from callsheet.run._attend import Attendance, Submission
from callsheet.run._draw import Drawing, draw
from callsheet.run._ended import Retries
from callsheet.run._finished import Policy
from callsheet.run._job import Executor, Jobs
from callsheet.run._place import Place
from callsheet.run._schedule import Scheduled
from callsheet.run._trials import sweep_at
from callsheet.run.process import Process


def submit(
    work: Any,
    *,
    on: Executor | None = None,
    entry: str | None = None,
    runs: str | os.PathLike[str] | None = None,
    repeat: int = 1,
    retry: int = 0,
    retry_errors: int = 0,
    finished: Policy = "refuse",
) -> Jobs:
    """Run a spec, or the trials of a sweep, somewhere else.

    Trials of a sweep that have finished already, with the same spec and the
    same code, are not run again: their jobs are done at once. Of a sweep of up
    to 1,000 trials all are checked before any is run; of a longer one each
    choice of each axis, and a trial again when it is drawn, shortly before it
    runs: a faulty one counts as failed then.

    Args:
        work: A call, a mapping that has a `main`, what `sweep` gave, an experiment, or several in a list.
        on: Where; `Process()` by default.
        entry: The path of what is built: `main` where there is one, else the whole.
        runs: The directory of the runs; `runs` under the project's root by default.
        repeat: How many replicates of each trial are run: the same spec, each with a `${run.index}` of its own.
        retry: How often a trial is run again after what the machine did: its worker was killed or lost, or held
            too much memory. It goes on in its own directory.
        retry_errors: How often it is run again after it has failed by itself.
        finished: What becomes of trials that other code has finished: "refuse" raises, "keep" counts them as done;
            "redo" runs whatever is finished again, by whatever code.

    Returns:
        A job for each trial, with `wait`, `ended`, `results` and `cancel`; it returns at once.

    Raises:
        SpecError: A trial is faulty; nothing is started.
        SaveError: A trial holds a live object, which cannot be sent; nothing is started.
        RunError: Other code has finished trials; or the executor has not what a trial needs; or a worker that looks
            for a target in this very file came past here.

    Example:
        ``submit(sweep("conf.py", ["optim.lr=1e-3,1e-2"]), on=Process(slots=2)).results()``
    """
    defining = (RUNNING.get() or {}).get("defining")
    if defining:
        advice = ['write  if __name__ == "__main__":  above the submit']
        raise RunError(
            Fault("", f"submit was called while a worker runs {defining} for what it defines", advice=advice)
        )
    if repeat < 1:
        raise ValueError(f"repeat must be at least 1, found {repeat}")
    config = work.source if isinstance(work, Sweep) and isinstance(work.source, str) else ""
    place = Place.of(config, runs=os.fspath(runs) if runs is not None else None)
    trials = work if isinstance(work, Sweep) else sweep_at(work, entry or "", (), where="", policy=None)
    place = place.named_by(trials, entry or "")
    drawing = draw(trials, place, entry=entry or "", repeat=repeat, alone=not trials.axes)
    drawing.decide(finished)
    executor = on or Process()
    submission = Submission(drawing.plan, name=config or "python", on_name=type(executor).__name__, size=drawing.size)
    return start(drawing, executor, Retries(retry, retry_errors), submission)


def start(drawing: Drawing, on: Executor, retries: Retries, submission: Submission) -> Jobs:
    """Send what is left of a drawing; the jobs of finished trials are done at once.

    Raises:
        RunError: Another process attends to the same, and what it has sent outlives it; or nothing can be sent.
    """
    attendance = Attendance(submission, alone=on.outlives)
    attendance.begin()
    try:
        return Scheduled(drawing, on.sender(drawing.plan), retries, attendance)
    except BaseException:
        attendance.end()
        raise
