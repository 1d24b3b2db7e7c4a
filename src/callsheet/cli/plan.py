"""`callsheet plan`: the trials that `callsheet sweep` would run, checked; nothing is started or written."""

from __future__ import annotations

import sys
from itertools import islice
from typing import Any, Unpack

import click

from callsheet._project import project_settings
from callsheet._terminal import say, tell_error
from callsheet.cli._config import overrides_argument, reading_options, told
from callsheet.cli._sampling import Said, Sampling, sampling_options
from callsheet.cli._subject import Config
from callsheet.cli._sweeping import repeat_option, trials_of
from callsheet.cli._text import print_json, short, table
from callsheet.errors import render
from callsheet.run._draw import Drawing
from callsheet.run._place import Place
from callsheet.run._planning import CHECKED
from callsheet.run._preview import Preview, previews

_SHOWN = 20
"""Trials that are listed unless all are asked for."""


@click.command("plan")
@click.argument("config", metavar="FILE[:PATH]")
@overrides_argument
@repeat_option
@sampling_options
@click.option("--all", "show_all", is_flag=True, help=f"List all trials, not the first {_SHOWN}.")
@reading_options
@told
def command(
    config: str,
    overrides: tuple[str, ...],
    repeat: int,
    show_all: bool,
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    runs: str | None,
    as_json: bool,
    **said: Unpack[Said],
) -> None:
    """List the trials of a sweep, what is wrong with each, and which are done. Nothing is started or written.

    \b
    callsheet plan conf.py optim.lr=1e-3,3e-3 model.width=32,128
    """  # noqa: D301  (click reads the backspace)
    sampling = Sampling.of(said)
    project_settings()  # what is wrong with them is told, also where a Python config asks for none
    named = Config(config, paths, allow)
    space = trials_of(named, overrides, sampling, repeat=repeat)
    place = Place.of(named.file, runs=runs, paths=named.paths).named_by(space, named.entry)
    drawing = Drawing(space, place, entry=named.entry, repeat=repeat)
    size = drawing.size
    is_small = size is not None and size <= CHECKED
    found = list(islice(previews(drawing), None if show_all or is_small else _SHOWN))
    shown = found if show_all else found[:_SHOWN]
    is_whole = show_all or is_small or len(found) < _SHOWN
    faulty = [trial for trial in found if trial.faults]
    if as_json:
        print_json({"size": len(found) * repeat if is_whole else size, "trials": [_row(trial) for trial in shown]})
    else:
        say(
            table(
                [[str(trial.index), short(" ".join(trial.choices)), _told(trial, repeat)] for trial in shown], right=[0]
            )
        )
        if len(shown) < len(found) or not is_whole:
            say("…  --all  lists the others")
        say(_summary(found, size, repeat) if is_whole else f"{size if size is not None else 'more'} trials")
        for trial in faulty[:_SHOWN]:
            tell_error(f"\ntrial {trial.index}:\n{render(trial.faults, indent='  ')}")
    sys.exit(1 if faulty else 0)


def _told(trial: Preview, repeat: int) -> str:
    if trial.state == "stale":
        return f"done by other code  {' '.join(trial.runs)}"
    count = f" {len(trial.runs)} of {repeat}" if repeat > 1 and trial.runs else ""
    word = "" if trial.state == "open" and not count else "done" if trial.state == "open" else trial.state
    return "  ".join(filter(None, (word + count, *trial.runs)))


def _summary(found: list[Preview], size: int | None, repeat: int) -> str:
    total = len(found) * repeat if size is None else size
    done = sum(len(trial.runs) for trial in found if trial.state != "stale")
    counts = {
        "done": done,
        "done by other code": sum(trial.state == "stale" for trial in found),
        "running": sum(trial.state == "running" for trial in found),
        "faulty": sum(trial.state == "faulty" for trial in found),
    }
    rest = total - done - repeat * (counts["faulty"] + counts["running"]) - counts["done by other code"]
    parts = [f"{total} trial{'' if total == 1 else 's'}"]
    parts += [f"{count} {word}" for word, count in counts.items() if count]
    return ", ".join(parts + ([f"{rest} to run"] if rest > 0 else []))


def _row(trial: Preview) -> dict[str, Any]:
    return {
        "index": trial.index,
        "choices": list(trial.choices),
        "state": trial.state,
        "runs": list(trial.runs),
        "faults": [fault.as_data() for fault in trial.faults],
    }
