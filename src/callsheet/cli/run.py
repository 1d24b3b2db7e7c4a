"""`callsheet run`: build a spec's `main` here and now, and record the run."""

from __future__ import annotations

import os
import sys

import click

from callsheet._equal import hash_of
from callsheet._resolve import resolve
from callsheet.cli._config import Config, overrides_argument, reading_options, told
from callsheet.cli._text import print_json
from callsheet.errors import SaveError
from callsheet.run._capture import tee
from callsheet.run._execute import Task, at, execute, origins_of
from callsheet.run._place import Place
from callsheet.run._provenance import code_of
from callsheet.run._store import Store
from callsheet.run._trial import check_entry, entry_of


@click.command("run")
@click.argument("config", metavar="FILE[:PATH]")
@overrides_argument
@reading_options
@told
def command(
    config: str,
    overrides: tuple[str, ...],
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    runs: str | None,
    as_json: bool,
) -> None:
    """Check a spec, build its `main` (or what follows the colon), and record the run in a directory.

    \b
    callsheet run conf.py epochs=8 optim.lr=3e-3
    """  # noqa: D301  (click reads the backspace)
    named = Config.named(config, paths, allow)
    spec = named.load(overrides)
    entry = entry_of(spec, named.entry)
    check_entry(spec, entry)
    place = Place.of(named.file, runs=runs, paths=named.paths)
    resolved = resolve(spec)
    try:
        identity = hash_of(at(resolved, entry))
    except SaveError:
        identity = None  # it holds a live object: it can run here, and its record says so
    directory = Store(place.runs).new_run()
    task = Task(
        spec=resolved,
        entry=entry,
        experiment=place.experiment,
        overrides=overrides,
        identity=identity,
        config=place.config,
        command=tuple(sys.argv),
        code=code_of(place.project, place.configs(), place.runs),
        origins=origins_of(spec),
    )
    shown = 2 if as_json else 1  # with --json, standard output is a program's to read
    outcome = execute(task, directory, tee(directory / "out.log", directory / "err.log", shown=shown))
    if as_json:
        report = {"run": directory.name, "directory": str(directory), "state": outcome.state, "result": outcome.result}
        print_json(report)
    else:
        label = "recorded" if outcome.state == "done" else outcome.state
        click.echo(f"{label:<10}  {os.path.relpath(directory)}", err=outcome.state != "done")
    sys.exit(outcome.code)
