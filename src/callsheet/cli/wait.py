"""`callsheet wait`: be there until what was submitted has ended, and attend to it where nobody does."""

from __future__ import annotations

import os
import sys
import time

import click

from callsheet._terminal import say
from callsheet.cli._config import json_option, runs_option, told
from callsheet.cli._sent import as_data, is_well, named, notes_of, standing
from callsheet.cli._telling import Misuse
from callsheet.cli._text import print_json
from callsheet.run._attend import Submission
from callsheet.run._later import attending_command, await_sent

_LOOK_S = 0.3


@click.command("wait")
@click.argument("id", metavar="ID")
@runs_option
@json_option
@told
def command(id: str, runs: str | None, as_json: bool) -> None:
    """Wait until all trials of a submission have ended; where nobody attends to it any more, this does.

    \b
    callsheet wait 3f2a1b
    """  # noqa: D301  (click reads the backspace)
    one, _ = named(id, runs)
    if one is None:
        raise Misuse(f"run {id} was not submitted: it ends with the command that began it")
    said = ""
    while one.is_attended:
        now = "\n".join([standing(one), *notes_of(one)])
        if now != said and not as_json:
            said = now
            say(said)
        time.sleep(_LOOK_S)
        one = Submission.read(one.plan) or one
    one = Submission.read(one.plan) or one
    if not one.is_over and not one.words:
        await_sent(one)
        one = Submission.read(one.plan) or one
    if not one.is_over:
        command = [
            *attending_command(one, same_code=True),
            *(["--json"] if as_json and "--json" not in one.words else []),
        ]
        os.chdir(one.folder)
        os.execv(command[0], command)  # noqa: S606  (it is what was typed before)
    if as_json:
        print_json(as_data(one))
    elif standing(one) != said:
        say(standing(one))
    sys.exit(0 if is_well(one) else 1)
