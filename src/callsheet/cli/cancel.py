"""`callsheet cancel`: end what was submitted, or a run."""

from __future__ import annotations

import os

import click

from callsheet._terminal import say
from callsheet.cli._config import runs_option, told
from callsheet.cli._sent import named
from callsheet.errors import Fault, RunError
from callsheet.run._attend import Submission
from callsheet.run._beat import boot
from callsheet.run._later import end
from callsheet.run._processes import send_signal
from callsheet.run._store import Run


@click.command("cancel")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@runs_option
@told
def command(ids: tuple[str, ...], runs: str | None) -> None:
    """End submissions, or single runs of them, wherever they are. What is done stays; retry goes on.

    \b
    callsheet cancel 3f2a1b
    """  # noqa: D301  (click reads the backspace)
    for id in ids:
        one, run = named(id, runs)
        if run is not None and run.state != "running":
            say(f"{run.id}  has ended: {run.state}")
        elif one is not None:
            _end(one, run)
        elif run is not None:
            _end_here(run)


def _end(one: Submission, run: Run | None) -> None:
    if run is None and one.is_over and not one.is_attended:
        say(f"{one.id}  has ended")
        return
    end(one, None if run is None else [int(run.record.get("index") or 0)])
    say(f"{run.id if run is not None else one.id}  cancelled")


def _end_here(run: Run) -> None:
    """End a run that a command began which is still there."""
    pid = run.status.get("pid")
    if run.status.get("boot") != boot() or not isinstance(pid, int):
        machine = (run.record.get("host") or {}).get("name", "another machine")
        raise RunError(Fault("", f"run {run.id} is on {machine}", advice=["end it there"]))
    if not send_signal(pid, 15):
        os.kill(pid, 15)
    say(f"{run.id}  told to end")
