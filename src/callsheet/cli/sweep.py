"""`callsheet sweep`: every combination of some choices, a few at a time, going on where it stopped."""

from __future__ import annotations

import functools
import os
import sys
import time
from typing import Any

import click

from callsheet._terminal import say, tell_error
from callsheet.cli._config import overrides_argument, reading_options, told
from callsheet.cli._subject import COMMAND_LINE, Config
from callsheet.cli._telling import Misuse
from callsheet.cli._text import is_number, number, print_json
from callsheet.run._job import Jobs
from callsheet.run._trials import sweep_at
from callsheet.run.process import Process
from callsheet.run.submit import FinishedJob, Place, Planned, draw


@click.command("sweep")
@click.argument("config", metavar="FILE[:PATH]")
@overrides_argument
@click.option(
    "--slots", default=2, show_default=True, type=click.IntRange(1), metavar="N", help="Run N trials at a time."
)
@click.option("--maximize", metavar="NAME", help="Name the trial with the largest NAME of the results.")
@click.option("--minimize", metavar="NAME", help="Name the trial with the smallest NAME of the results.")
@reading_options
@functools.partial(told, outcome="nothing was started")
def command(
    config: str,
    overrides: tuple[str, ...],
    slots: int,
    maximize: str | None,
    minimize: str | None,
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    runs: str | None,
    as_json: bool,
) -> None:
    """Run every combination of the choices; trials that were finished are not run again.

    \b
    callsheet sweep conf.py optim.lr=1e-3,3e-3 model.width=32,128
    callsheet sweep conf.py optim.lr=1e-3,3e-3 --maximize accuracy
    """  # noqa: D301  (click reads the backspace)
    if maximize and minimize:
        raise Misuse("--maximize and --minimize exclude each other")
    named = Config(config, paths, allow)
    trials = sweep_at(named.file, named.entry, overrides, where=COMMAND_LINE, policy=named.policy)
    if not trials.axes:
        raise Misuse("nothing sweeps", "give a path several values, as in  optim.lr=1e-3,3e-3")
    if trials.is_space:
        raise Misuse("an interval has no end of values", "name some, as in  optim.lr=range(0.1,1,0.1)")
    place = Place.of(named.file, runs=runs, paths=named.paths).named_by(trials, named.entry)
    planned = draw(trials, place, entry=named.entry)
    if not as_json:
        say(_plan_line(planned, slots))
    jobs = planned.start(Process(slots))
    try:
        ended = _watch(jobs, trials.axes, planned, as_json=as_json)
    except KeyboardInterrupt:
        jobs.cancel()
        done = sum(job.state == "done" for job in jobs)
        tell_error(f"\ninterrupted  {done} of {len(jobs)} trials are done; the same command goes on")
        sys.exit(130)
    goal = (maximize or minimize or "", bool(maximize))
    _report(jobs, planned, goal, as_json=as_json)
    sys.exit(0 if all(state == "done" for state in ended) else 1)


def _plan_line(planned: Planned, slots: int) -> str:
    parts = [f"{len(planned.trials)} trials"]
    if planned.finished:
        parts.append(f"{len(planned.finished)} done before")
    if planned.stale:
        parts.append(f"{planned.stale} done by other code, run again")
    left = len(planned.trials) - len(planned.finished)
    if left:
        parts.append(f"{left} to run, {slots} at a time")
    return ", ".join(parts)


def _watch(jobs: Jobs, axes: dict[str, tuple[str, ...]], planned: Planned, *, as_json: bool) -> list[str]:
    """Tell of each job when it ends; give the states of all."""
    told: set[int] = {n for n, job in enumerate(jobs) if isinstance(job, FinishedJob)}
    while True:
        ended = jobs.wait(0.05)
        for n, job in enumerate(jobs):
            if n not in told and job.state not in ("waiting", "running", "elsewhere"):
                told.add(n)
                if not as_json:
                    say(_line(job, planned))
        if ended:
            return [job.state for job in jobs]
        time.sleep(0.05)


def _line(job: Any, planned: Planned) -> str:
    said = [" ".join(trial.overrides) for trial in planned.trials]
    run = job.run
    head = f"{run.id if run is not None else '-':<8}  {said[job.index]:<{min(max(map(len, said)), 48)}}"
    if job.state == "done" and run is not None:
        return f"{head}  " + "  ".join(f"{name} {number(value)}" for name, value in run.result.items())
    error = run.status.get("error", "") if run is not None else ""
    where = os.path.relpath(run.directory / "err.log") if run is not None and run.record else job.request.log
    return f"{head}  {job.state}" + (f": {error}" if error else "") + f"\n          its output: {where}"


def _report(jobs: Jobs, planned: Planned, goal: tuple[str, bool], *, as_json: bool) -> None:
    name, largest = goal
    rows = [(job.index, job.run) for job in jobs if job.state == "done" and job.run is not None]
    scored = [(run.result[name], index, run) for index, run in rows if is_number(run.result.get(name))]
    best = (max if largest else min)(scored, key=lambda row: row[0]) if scored else None
    if as_json:
        trials = [
            {
                "index": job.index,
                "state": job.state,
                "run": job.run.id if job.run is not None else None,
                "overrides": list(planned.trials[job.index].overrides),
                "result": job.run.result if job.run is not None else {},
                "error": job.run.status.get("error", "") if job.run is not None else "",
            }
            for job in jobs
        ]
        print_json({"trials": trials, "best": best[2].id if best is not None else None})
        return
    if name and best is None:
        known = sorted({key for _, run in rows for key in run.result})
        tell_error(f"no trial has a number named {name!r}" + (f"; results have {', '.join(known)}" if known else ""))
    elif best is not None:
        value, index, run = best
        say(f"best      {run.id}  {name} {number(value)}   {' '.join(planned.trials[index].overrides)}")
