"""`callsheet sweep`: every combination of some choices, a few at a time, going on where it stopped."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Unpack

import click

from callsheet._terminal import remark, say, tell_error, width
from callsheet.cli._config import overrides_argument, reading_options, told
from callsheet.cli._goal import Goal
from callsheet.cli._live import Board, can_live
from callsheet.cli._sampling import Said, Sampling, sampling_options
from callsheet.cli._subject import Config
from callsheet.cli._sweeping import Naming, repeat_option, trials_of
from callsheet.cli._telling import Misuse
from callsheet.cli._text import finite, number
from callsheet.errors import render
from callsheet.run._draw import Drawing, draw
from callsheet.run._job import Job, Jobs
from callsheet.run._place import Place
from callsheet.run._schedule import Retries
from callsheet.run.process import Process
from callsheet.run.submit import start


@click.command("sweep")
@click.argument("config", metavar="FILE[:PATH]")
@overrides_argument
@click.option(
    "--slots", default=2, show_default=True, type=click.IntRange(1), metavar="N", help="Run N trials at a time."
)
@click.option("--gpus", type=click.IntRange(0), metavar="N", help="Give each trial N GPUs for itself.")
@click.option("--memory", "memory_gb", type=float, metavar="GB", help="End a trial that holds more memory.")
@click.option("--timeout", "timeout_min", type=float, metavar="MIN", help="End a trial that takes longer.")
@click.option("--warm", is_flag=True, help="Import what trials need once, and fork them.")
@repeat_option
@click.option("--retry", default=0, metavar="N", help="Run a trial that was killed or lost again, N times.")
@click.option("--retry-errors", default=0, metavar="N", help="Run a trial that failed again, N times.")
@click.option("--keep", is_flag=True, help="Count as done what other code has finished.")
@click.option("--redo", is_flag=True, help="Run again what is finished.")
@sampling_options
@reading_options
@functools.partial(told, outcome="nothing was started")
def command(
    config: str,
    overrides: tuple[str, ...],
    slots: int,
    gpus: int | None,
    memory_gb: float | None,
    timeout_min: float | None,
    warm: bool,
    repeat: int,
    retry: int,
    retry_errors: int,
    keep: bool,
    redo: bool,
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    runs: str | None,
    as_json: bool,
    **said: Unpack[Said],
) -> None:
    """Run every combination of the choices, or draw some; trials that were finished are not run again.

    \b
    callsheet sweep conf.py optim.lr=1e-3,3e-3 model.width=32,128
    callsheet sweep conf.py optim.lr=1e-3,3e-3 --maximize accuracy
    """  # noqa: D301  (click reads the backspace)
    if keep and redo:
        raise Misuse("--keep and --redo exclude each other")
    drawn = Sampling.of(said)
    try:
        on = Process(slots, gpus=gpus, memory_gb=memory_gb, timeout_min=timeout_min, warm=warm)
    except ValueError as error:
        raise Misuse(str(error)) from None
    named = Config(config, paths, allow)
    space = trials_of(named, overrides, drawn, repeat=repeat)
    place = Place.of(named.file, runs=runs, paths=named.paths).named_by(space, named.entry)
    drawing = draw(space, place, entry=named.entry, repeat=repeat)
    drawing.decide("keep" if keep else "redo" if redo else _asked(drawing))
    name = said["maximize"] or said["minimize"] or ""
    goal = Goal(name, largest=bool(said["maximize"]), prunes=drawing.prunes)
    report = _Report(goal, Naming(space), as_json=as_json)
    with _terminated_as_interrupted() as received:
        jobs = start(drawing, on, Retries(retry, retry_errors))
        try:
            report.begin(drawing, jobs, slots)
            for job in jobs.ended():
                report.tell(job)
        except KeyboardInterrupt:
            with report.ending():
                jobs.cancel()
            done = f"{jobs.done} of {len(jobs)}"
            tell_error(f"\ninterrupted  {done} trials are done; the same command goes on")
            sys.exit(128 + (received[0] if received else signal.SIGINT))
        except BaseException:
            with report.ending():
                jobs.cancel()
            raise
    report.end(jobs)
    sys.exit(0 if report.is_well else 1)


def _asked(drawing: Drawing) -> Any:
    """What becomes of trials that other code has finished: who sits at the terminal says it."""
    if not drawing.stale or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "refuse"
    tell_error(str(drawing.refusal()))
    return click.prompt("keep or redo", type=click.Choice(["keep", "redo"]), err=True)


@contextmanager
def _terminated_as_interrupted() -> Iterator[list[int]]:
    """Let a request to end be met as Ctrl-C is, so that no trial outlives the sweep; gives what came."""
    received: list[int] = []

    def interrupt(number: int, frame: Any) -> None:
        received.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


_WIDEST = 48
"""Columns that the names of trials have at most to be aligned."""


class _Report:
    """What is told of the jobs as they end."""

    def __init__(self, goal: Goal, naming: Naming, *, as_json: bool) -> None:
        self._goal = goal
        self._naming = naming
        self._as_json = as_json
        self._board: Board | None = None
        self.is_well = True

    def begin(self, drawing: Drawing, jobs: Jobs, slots: int) -> None:
        """Say what there is to do."""
        if self._as_json:
            return
        size, done = drawing.size, drawing.done_before
        parts = ["trials as they are drawn" if size is None else f"{size} trial{'s' if size != 1 else ''}"]
        if done:
            parts.append(f"{done} done before")
        if size is None or size > done:
            parts.append(f"{'' if size is None else f'{size - done} to run, '}{slots} at a time")
        say(", ".join(parts))
        if can_live() and size != done:
            self._board = Board(jobs, size=size, before=done, slots=slots, naming=self._naming)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """While what runs is ended; then nothing is drawn any more."""
        if self._board is not None:
            self._board.end("being ended")
        try:
            yield
        finally:
            self._close("interrupted")

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
        elif not self._as_json and not job.was_done:
            say(self._line(job))
        doubt = self._goal.doubt(run) if run is not None else None
        if doubt is not None and self._board is not None:
            self._board.remark(render([doubt], head="callsheet: "))
        elif doubt is not None:
            remark(doubt, name="callsheet")

    def _score(self) -> str:
        assert self._goal.best is not None
        return f"{self._goal.name} {number(self._goal.best[0])}"

    def _line(self, job: Job) -> str:
        said, run = self._naming.whole(job.overrides), job.run
        gap = " " * (min(self._naming.width, _WIDEST) - width(said))
        head = f"{run.id if run is not None else '-':<8}  {said}{gap}"
        if job.state == "done" and run is not None:
            return "  ".join([head, *(f"{name} {number(value)}" for name, value in run.result.items())]).rstrip()
        if job.state == "held":
            return f"{head}  finished by other code, and left:  --keep  counts it as done,  --redo  runs it again"
        error = run.status.get("error", "") if run is not None else ""
        if job.state == "pruned":
            return f"{head}  {error}"
        return (
            f"{head}  {job.state}"
            + (f": {' '.join(error.split())}" if error else "")
            + f"\n          its output: {os.path.relpath(job.log)}"
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
