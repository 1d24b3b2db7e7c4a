"""`callsheet logs`: what a run, or whoever attends to a submission, has written."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from callsheet.cli._config import runs_option, told
from callsheet.cli._sent import named
from callsheet.cli._watching import copy_logs
from callsheet.errors import Fault, RunError
from callsheet.run._later import output_of
from callsheet.run._store import Run, Store


@click.command("logs")
@click.argument("id", metavar="ID[:TRIAL]")
@click.option("-f", "--follow", is_flag=True, help="Go on as long as more comes.")
@click.option("--err", is_flag=True, help="What it wrote to standard error alone.")
@runs_option
@told
def command(id: str, follow: bool, err: bool, runs: str | None) -> None:
    """Print what a run has written; of a submission, what whoever attends to it has; ID:3 is its trial 3.

    \b
    callsheet logs -f 7f3a9c
    callsheet logs 3f2a1b:3
    """  # noqa: D301  (click reads the backspace)
    word, colon, trial = id.partition(":")
    one, run = named(word, runs)
    if colon:
        if one is None or not trial.isdigit():
            raise RunError(Fault("", f"{id} is no trial of a submission", advice=["callsheet logs ID:3"]))
        if one.size is not None and int(trial) >= one.size:
            there = f"its {one.size} trials are  {one.id}:0  to  {one.id}:{one.size - 1}"
            raise RunError(Fault("", f"{one.id} has no trial {trial}", advice=[there]))
        name = one.plan.run_of(int(trial))
        run = Store(one.plan.runs).read(name) if name is not None else None
        if run is None:
            sys.stdout.buffer.write(output_of(one, int(trial)))
            return
    if run is not None:
        names = ["err.log"] if err else ["out.log", "err.log"]
        copy_logs([run.directory / name for name in names], _goes_on(run) if follow else _never)
    elif one is not None:
        copy_logs([one.plan.folder / "attendant.log"], (lambda: one.is_attended) if follow else _never)


def _never() -> bool:
    return False


def _goes_on(run: Run) -> Callable[[], bool]:
    return lambda: Store(run.directory.parent).read(run.id).state == "running"
