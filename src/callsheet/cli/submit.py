"""`callsheet submit`: hand over a run or a sweep, and return at once."""

from __future__ import annotations

import functools
import os
from typing import Any

import click

from callsheet._terminal import say
from callsheet.cli._config import overrides_argument, reading_options, told
from callsheet.cli._sent import hand_over
from callsheet.cli._submitting import prepare, sending_options
from callsheet.cli._text import print_json
from callsheet.run._attend import Submission


@click.command("submit")
@click.argument("config", metavar="FILE[:PATH]")
@overrides_argument
@sending_options
@reading_options
@functools.partial(told, outcome="nothing was submitted")
def command(
    config: str,
    overrides: tuple[str, ...],
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    runs: str | None,
    as_json: bool,
    **said: Any,
) -> None:
    """Check a run or a sweep, hand it over, and return; a process in the background attends to it.

    \b
    callsheet submit conf.py optim.lr=1e-3,3e-3 --on cluster
    callsheet status
    """  # noqa: D301  (click reads the backspace)
    submission = prepare(config, overrides, said, paths=paths, allow=allow, runs=runs, is_single=True).submission
    if submission.is_attended:
        _tell(submission, "submitted before, and under way", as_json=as_json)
        return
    _tell(submission, "submitted" if hand_over(submission) else "all of it is done", as_json=as_json)


def _tell(submission: Submission, word: str, *, as_json: bool) -> None:
    if as_json:
        log = os.path.relpath(submission.plan.folder / "attendant.log")
        print_json({"id": submission.id, "on": submission.on_name, "size": submission.size, "log": log})
        return
    size = submission.size
    count = "trials as they are drawn" if size is None else f"{size} trial{'' if size == 1 else 's'}"
    say(f"{word}  {submission.id}  {count} on {submission.on_name}")
    say(f"callsheet status {submission.id}    also:  wait  logs  cancel  retry")
