"""`callsheet retry`: what was submitted and has not ended well, once more."""

from __future__ import annotations

import click

from callsheet._terminal import say
from callsheet.cli._config import json_option, runs_option, told
from callsheet.cli._sent import as_data, hand_over, named
from callsheet.cli._submitting import keep_option, redo_option
from callsheet.cli._telling import Misuse
from callsheet.cli._text import print_json
from callsheet.errors import Fault, RunError
from callsheet.run._attend import Submission


@click.command("retry")
@click.argument("id", metavar="ID")
@keep_option
@redo_option
@runs_option
@json_option
@told
def command(id: str, keep: bool, redo: bool, runs: str | None, as_json: bool) -> None:
    """Submit again what of a submission has not ended well: finished trials are kept, cut-off ones go on.

    \b
    callsheet retry 3f2a1b
    callsheet retry 3f2a1b --keep
    """  # noqa: D301  (click reads the backspace)
    if keep and redo:
        raise Misuse("--keep and --redo exclude each other")
    one, _ = named(id, runs)
    if one is None:
        raise Misuse(f"run {id} was not submitted", f"callsheet rerun {id}")
    if one.is_attended:
        advice = [f"callsheet wait {one.id}", f"callsheet cancel {one.id}"]
        raise RunError(Fault("", f"{one.id} is under way", advice=advice))
    is_left = hand_over(one, "keep" if keep else "redo" if redo else "refuse")
    if as_json:
        print_json(as_data(Submission.read(one.plan) or one))
    else:
        say(f"submitted  {one.id}" if is_left else f"all of it is done  {one.id}")
