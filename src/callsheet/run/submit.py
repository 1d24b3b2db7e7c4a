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
from callsheet.run._executors import executor_of, executor_spec
from callsheet.run._finished import Policy
from callsheet.run._job import Executor, Jobs
from callsheet.run._place import Place
from callsheet.run._remote import RemoteExecutor
from callsheet.run._schedule import Scheduled
from callsheet.run._sendings import Sendings
from callsheet.run._trials import sweep_at
from callsheet.run.process import Process


def submit(
    work: Any,
    *,
    on: Executor | str | None = None,
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
        on: Where: an executor, or its name as of `--on`, a profile of the project among them; `Process()` by default.
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

    Warns:
        CallsheetWarning: The first result has no number of the name that the sampler of a sweep learns from.

    Raises:
        SpecError: A trial is faulty; nothing is started.
        SaveError: A trial holds a live object, which cannot be sent; nothing is started.
        RunError: Other code has finished trials; a trial needs what the executor has not, or a variable that is not set
            here; there is no such executor; or a worker that looks for a target in this very file came past here.
        TypeError: `on` is neither an executor nor a name.

    Example:
        ``submit(sweep("conf.py", ["optim.lr=1e-3,1e-2"]), on=Process(slots=2)).results()``
    """
    executor, on_name = _executor(on)
    _refuse_in_worker()
    if repeat < 1:
        raise ValueError(f"repeat must be at least 1, found {repeat}")
    config = work.source if isinstance(work, Sweep) and isinstance(work.source, str) else ""
    place = Place.of(config, runs=os.fspath(runs) if runs is not None else None)
    trials = work if isinstance(work, Sweep) else sweep_at(work, entry or "", (), where="", policy=None)
    place = place.named_by(trials, entry or "")
    drawing = draw(trials, place, entry=entry or "", repeat=repeat, alone=not trials.axes)
    drawing.decide(finished)
    name = config or "python"
    submission = Submission(drawing.plan, name=name, on_name=on_name, code=drawing.code, size=drawing.size)
    return start(drawing, executor, Retries(retry, retry_errors), submission, doubts=True)


def _refuse_in_worker() -> None:
    defining = (RUNNING.get() or {}).get("defining")
    if defining:
        problem = f"submit was called while a worker runs {defining} for what it defines"
        raise RunError(Fault("", problem, advice=['write  if __name__ == "__main__":  above the submit']))


def _executor(on: Any) -> tuple[Executor, str]:
    """What `on` means, and what it is called."""
    if isinstance(on, str):
        name, spec = executor_spec([on], {}, by="on")
        return executor_of(spec, by="on"), name
    executor = Process() if on is None else on
    if not hasattr(executor, "sender"):
        raise TypeError(f"on must be an executor or the name of one, found {executor!r}")
    return executor, type(executor).__name__


def check_start(drawing: Drawing, on: Executor) -> None:
    """Refuse what nothing of a drawing could be sent with from here.

    Who comes back from another shell to what runs may follow that; of the others each is refused when it is sent.

    Raises:
        RunError: A variable that is to go along is not set.
    """
    if drawing.done_before == drawing.size or not isinstance(on, RemoteExecutor):
        return
    if not any(sending.is_open for sending in Sendings(drawing.plan).read().values()):
        on.check()


def start(drawing: Drawing, on: Executor, retries: Retries, submission: Submission, *, doubts: bool = False) -> Jobs:
    """Send what is left of a drawing; the jobs of finished trials are done at once.

    Args:
        drawing: Where trials come from.
        on: Where they go.
        retries: How often one is sent again.
        submission: What others may know of it.
        doubts: Whether it is warned where the first result has not what the sampler learns from.

    Raises:
        RunError: Another process attends to the same, and what it has sent outlives it; or nothing can be sent.
    """
    check_start(drawing, on)
    attendance = Attendance(submission, alone=on.outlives)
    attendance.begin()
    try:
        return Scheduled(drawing, on.sender(drawing.plan), retries, attendance, doubts=doubts)
    except BaseException:
        attendance.withdraw()
        raise
