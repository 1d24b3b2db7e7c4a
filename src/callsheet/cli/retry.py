"""`callsheet retry`: what was submitted and has not ended well, once more."""

from __future__ import annotations

import click

from callsheet._terminal import say, tell_error
from callsheet.cli._config import json_option, runs_option, told
from callsheet.cli._sent import as_data, named
from callsheet.cli._telling import Misuse
from callsheet.cli._text import print_json
from callsheet.errors import Fault, RunError
from callsheet.run._attend import Submission
from callsheet.run._later import attend_apart


@click.command("retry")
@click.argument("id", metavar="ID")
@runs_option
@json_option
@told
def command(id: str, runs: str | None, as_json: bool) -> None:
    """Submit again what of a submission has not ended well: finished trials are kept, cut-off ones go on.

    \b
    callsheet retry 3f2a1b
    """  # noqa: D301  (click reads the backspace)
    one, _ = named(id, runs)
    if one is None:
        raise Misuse(f"run {id} was not submitted", f"callsheet rerun {id}")
    if one.is_attended:
        advice = [f"callsheet wait {one.id}", f"callsheet cancel {one.id}"]
        raise RunError(Fault("", f"{one.id} is under way", advice=advice))
    code = attend_apart(one)
    one = Submission.read(one.plan) or one
    if as_json:
        print_json(as_data(one))
    elif code:
        tell_error(f"callsheet: it could not be submitted: see {one.plan.folder / 'attendant.log'}")
        raise SystemExit(code)
    else:
        say(f"submitted  {one.id}" if code is None else f"all of it is done  {one.id}")
