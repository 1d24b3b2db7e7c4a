"""`callsheet logs`: what a run, or whoever attends to a submission, has written."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import click

from callsheet.cli._config import runs_option, told
from callsheet.cli._sent import named
from callsheet.errors import Fault, RunError
from callsheet.run._later import output_of
from callsheet.run._store import Run, Store

_LOOK_S = 0.2


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
        name = one.plan.run_of(int(trial))
        run = Store(one.plan.folder.parent.parent).read(name) if name is not None else None
        if run is None:
            sys.stdout.buffer.write(output_of(one, int(trial)))
            return
    if run is not None:
        names = ["err.log"] if err else ["out.log", "err.log"]
        _print([run.directory / name for name in names], follow, _goes_on(run))
    elif one is not None:
        _print([one.plan.folder / "attendant.log"], follow, lambda: one.is_attended)


def _goes_on(run: Run) -> Callable[[], bool]:
    return lambda: Store(run.directory.parent).read(run.id).state == "running"


def _print(paths: list[Path], follow: bool, goes_on: Callable[[], bool]) -> None:
    """Print files, what went to standard error there; as more comes, as long as it can come."""
    at = dict.fromkeys(paths, 0)
    while True:
        more_may_come = follow and goes_on()
        for path in paths:
            is_aside = len(paths) > 1 and path.name == "err.log"
            at[path] = _copy(path, at[path], sys.stderr.buffer if is_aside else sys.stdout.buffer)
        if not more_may_come:
            return
        time.sleep(_LOOK_S)


def _copy(path: Path, start: int, to: BinaryIO) -> int:
    try:
        with open(path, "rb") as file:
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return start
    to.write(data)
    to.flush()
    return start + len(data)
