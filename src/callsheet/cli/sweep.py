"""`callsheet sweep`: every combination of some choices, a few at a time, going on where it stopped."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import click

from callsheet._terminal import remark, say, tell_error, width
from callsheet.cli._config import overrides_argument, reading_options, told
from callsheet.cli._goal import Goal
from callsheet.cli._live import Board, can_live
from callsheet.cli._submitting import Prepared, prepare, sending_options
from callsheet.cli._sweeping import Naming
from callsheet.cli._text import finite, number, one_line
from callsheet.cli._watching import terminated_as_interrupted, trouble_told
from callsheet.errors import Fault, render
from callsheet.run._draw import Drawing
from callsheet.run._job import Job, Jobs
from callsheet.run._provenance import other_versions, packages
from callsheet.run._store import Run
from callsheet.run.submit import start


@click.command("sweep")
@click.argument("config", metavar="FILE[:PATH]")
@overrides_argument
@sending_options
@click.option("--single", is_flag=True, hidden=True)
@click.option("--of", default="", hidden=True)
@reading_options
@functools.partial(told, outcome="nothing was started")
def command(
    config: str,
    overrides: tuple[str, ...],
    single: bool,
    of: str,
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    runs: str | None,
    as_json: bool,
    **said: Any,
) -> None:
    """Run every combination of the choices, or draw some; trials that were finished are not run again.

    \b
    callsheet sweep conf.py optim.lr=1e-3,3e-3 model.width=32,128
    callsheet sweep conf.py optim.lr=1e-3,3e-3 --maximize accuracy
    """  # noqa: D301  (click reads the backspace)
    found = prepare(config, overrides, said, paths=paths, allow=allow, runs=runs, is_single=single, of=of)
    goal = Goal(said["maximize"] or said["minimize"] or "", largest=bool(said["maximize"]), prunes=found.drawing.prunes)
    report = _Report(goal, Naming(found.drawing.sweep), as_json=as_json, is_elsewhere=found.on.outlives)
    with terminated_as_interrupted() as received:
        jobs = start(found.drawing, found.on, found.retries, found.submission)
        try:
            report.begin(found.drawing, jobs, found.slots)
            with report.watching(jobs):
                for job in jobs.ended():
                    report.tell(job)
        except KeyboardInterrupt:
            _interrupted(found, jobs, report)
            sys.exit(128 + (received[0] if received else signal.SIGINT))
        except BaseException:
            _let_go(found, jobs, report)
            raise
    report.end(jobs)
    sys.exit(0 if report.is_well else 1)


def _interrupted(found: Prepared, jobs: Jobs, report: _Report) -> None:
    """Say what was ended, or left."""
    _let_go(found, jobs, report)
    done = f"{jobs.done} of {len(jobs)}"
    if not found.on.outlives:
        tell_error(f"\ncancelled  {done} trials are done; the same command goes on")
        return
    id = found.submission.id
    tell_error(f"\nleft  {done} trials are done, what was sent goes on ({len(jobs.running())}); no others are sent")
    tell_error(f"      callsheet wait {id}  goes on,  callsheet cancel {id}  ends them")


def _let_go(found: Prepared, jobs: Jobs, report: _Report) -> None:
    """End what runs here; what runs elsewhere goes on."""
    with report.ending():
        if found.on.outlives:
            jobs.leave()
        else:
            jobs.cancel()


_PACKAGES = 8
"""Packages that are told to be of other versions elsewhere."""

_WIDEST = 48
"""Columns that the names of trials have at most to be aligned."""


class _Report:
    """What is told of the jobs as they end."""

    def __init__(self, goal: Goal, naming: Naming, *, as_json: bool, is_elsewhere: bool) -> None:
        self._goal = goal
        self._naming = naming
        self._as_json = as_json
        self._board: Board | None = None
        self._compares_packages = is_elsewhere
        self._told: set[str] = set()
        self.is_well = True

    def begin(self, drawing: Drawing, jobs: Jobs, slots: int | None) -> None:
        """Say what there is to do."""
        if self._as_json:
            return
        size, done = drawing.size, drawing.done_before
        parts = ["trials as they are drawn" if size is None else f"{size} trial{'s' if size != 1 else ''}"]
        if done:
            parts.append(f"{done} done before")
        same = drawing.repeated()
        if same:
            parts.append(f"{same} the same as {'another' if same == 1 else 'others'}")
        if size is None or size > done:
            parts += [] if size is None else [f"{size - done - same} to run"]
            parts += [] if slots is None else [f"{slots} at a time"]
        say(", ".join(parts))
        if can_live() and size != done:
            self._board = Board(jobs, size=size, before=done, slots=slots, naming=self._naming)

    def watching(self, jobs: Jobs) -> AbstractContextManager[None]:
        """Tell meanwhile what holds the jobs up; the table of a terminal has it anyway."""
        return trouble_told(jobs) if self._board is None else nullcontext()

    @contextmanager
    def ending(self) -> Iterator[None]:
        """While what runs is ended; then nothing is drawn any more."""
        if self._board is not None:
            self._board.end("being ended")
        try:
            yield
        finally:
            self._close("cancelled")

    def _close(self, word: str = "") -> None:
        if self._board is not None:
            self._board.end(word)
            if not word:
                self._board.best = ""  # it is told below
            self._board.close()
            self._board = None

    def tell(self, job: Job) -> None:
        """Tell of a job that has ended."""
        run = job.run if job.state == "done" else None
        if run is not None and self._goal.take(job, run) and self._board is not None:
            self._board.best = f"{run.id}  {self._score()}   {self._naming.apart(job.overrides)}"
        self.is_well = self.is_well and job.state in ("done", "pruned")
        if self._board is not None:
            self._board.tell(job, run, self._line(job))
        elif not self._as_json and not job.was_done and not self._was_told(run):
            say(self._line(job))
        for doubt in self._doubts(job, run):
            if self._board is not None:
                self._board.remark(render([doubt], head="callsheet: "))
            else:
                remark(doubt, name="callsheet")

    def _was_told(self, run: Run | None) -> bool:
        """Whether a run has been told of: of several trials that are the same there is one."""
        if run is None:
            return False
        is_known = run.id in self._told
        self._told.add(run.id)
        return is_known

    def _doubts(self, job: Job, run: Run | None) -> Iterator[Fault]:
        """What is to be told of the first runs: that they lack what is looked for, or had other packages than here."""
        if run is None:
            return
        doubt = self._goal.doubt(run)
        if doubt is not None:
            yield doubt
        if self._compares_packages and not job.was_done:
            self._compares_packages = False
            others = other_versions(run.record.get("packages") or {}, packages())
            if others:
                more = [f"and {len(others) - _PACKAGES} more"] if len(others) > _PACKAGES else []
                yield Fault("", f"run {run.id} had other packages than are here", advice=[*others[:_PACKAGES], *more])

    def _score(self) -> str:
        assert self._goal.best is not None
        return f"{self._goal.name} {number(self._goal.best[0])}"

    def _line(self, job: Job) -> str:
        said, run = self._naming.whole(job.overrides), job.run
        gap = " " * (min(self._naming.width, _WIDEST) - width(said))
        head = f"{run.id if run is not None else '-':<8}  {said}{gap}"
        if job.state == "done" and run is not None:
            results = (f"{name} {one_line(number(value))}" for name, value in run.result.items())
            return "  ".join([head, *results]).rstrip()
        if job.state == "held":
            return f"{head}  finished by other code, and left:  --keep  counts it as done,  --redo  runs it again"
        error = one_line(job.problem)
        if job.state == "pruned":
            return f"{head}  {error}"
        return (
            f"{head}  {job.state}"
            + (f": {error}" if error else "")
            + (f"\n          its output: {os.path.relpath(job.log)}" if job.log.exists() else "")
        )

    def end(self, jobs: Jobs) -> None:
        """Name the best; for a program, list all."""
        self._close()
        job = self._goal.best[1] if self._goal.best is not None else None
        run = job.run if job is not None else None
        if self._as_json:
            sys.stdout.write('{"trials": [')
            for n, job in enumerate(jobs):
                sys.stdout.write(("," if n else "") + "\n " + json.dumps(_row(job), ensure_ascii=False))
            say(f'\n], "best": {json.dumps(run.id if run is not None else None)}}}')
        elif job is not None and run is not None:
            say(f"best      {run.id}  {self._score()}   {self._naming.whole(job.overrides)}")
        for unmet in self._goal.unmet():
            remark(unmet, name="callsheet")
        self.is_well = self.is_well and self._goal.is_met


def _row(job: Job) -> Any:
    run = job.run
    return finite(
        {
            "index": job.index,
            "state": job.state,
            "run": run.id if run is not None else None,
            "overrides": list(job.overrides),
            "result": run.result if run is not None else {},
        }
    )
