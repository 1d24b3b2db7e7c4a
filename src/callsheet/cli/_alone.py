"""What `run` and `rerun` share where they have `--on`: one trial for itself is sent, and waited for."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import click

from callsheet._encode import to_data
from callsheet._sweep import Sweep
from callsheet._terminal import say, tell_error
from callsheet.cli._submitting import print_requests
from callsheet.cli._text import one_line, print_json
from callsheet.cli._watching import LOOK_S, copy_logs, terminated_as_interrupted, trouble_told
from callsheet.run._attend import Submission
from callsheet.run._draw import Drawing
from callsheet.run._ended import Retries
from callsheet.run._executors import executor_of, executor_spec
from callsheet.run._job import Job, Jobs
from callsheet.run._place import Place
from callsheet.run._store import Run
from callsheet.run.submit import start

dry_option = click.option("--dry-run", is_flag=True, help="With --on: print what would be submitted; submit nothing.")


def send_alone(
    trial: Sweep,
    place: Place,
    entry: str,
    on: tuple[str, ...],
    *,
    name: str,
    is_dry: bool,
    as_json: bool,
    again: Run | None = None,
) -> NoReturn:
    """Let an executor run one trial as a new run, print what it writes, and wait for its end.

    Ctrl-C leaves it where it outlives this command.

    Args:
        trial: A sweep without axes.
        place: Where its run belongs.
        entry: The path of what is built.
        on: The executor, and changes of its fields.
        name: What it is called in `status`.
        is_dry: Whether its request is printed, and nothing is sent.
        as_json: Whether standard output is a program's to read.
        again: The run that it repeats.
    """
    on_name, spec = executor_spec(on, {})
    executor = executor_of(spec)
    drawing = Drawing(trial, place, entry=entry, alone=True, again=again, writes=not is_dry)
    if is_dry:
        print_requests(drawing, executor)
        sys.exit()
    drawing.prepare()
    said = Submission(drawing.plan, name=name, on=to_data(spec), on_name=on_name, code=drawing.code, size=1)
    jobs = start(drawing, executor, Retries(), said)
    job = jobs[0]
    try:
        with terminated_as_interrupted(), trouble_told(jobs):
            _follow(jobs, job, is_aside=as_json)
    except KeyboardInterrupt:
        if not executor.outlives:
            jobs.cancel()
            sys.exit(130)
        jobs.leave()
        tell_error(f"\nleft  it goes on:  callsheet wait {said.id},  callsheet cancel {said.id}")
        sys.exit(130)
    run = job.run
    if as_json:
        found: dict[str, Any] = {"run": None, "directory": None, "state": job.state, "result": {}}
        print_json(found | ({"run": run.id, "directory": str(run.directory), "result": run.result} if run else {}))
    elif job.state == "done" and run is not None:
        say(f"{'recorded':<10}  {os.path.relpath(run.directory)}")
    else:
        tell_error(f"{job.state:<10}  {one_line(job.problem)}")
        if job.log.exists():
            tell_error(f"            its output: {os.path.relpath(job.log)}")
    sys.exit(0 if job.state == "done" else 1)


def _follow(jobs: Jobs, job: Job, *, is_aside: bool) -> None:
    """Print what it writes, from its beginning to its end."""
    while job.run is None and not jobs.wait(LOOK_S):
        pass
    run = job.run
    if run is not None:
        copy_logs([run.directory / "out.log", run.directory / "err.log"], lambda: not jobs.wait(0), is_aside=is_aside)
