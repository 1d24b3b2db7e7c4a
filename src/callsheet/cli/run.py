"""`callsheet run`: build a spec's `main` here and now, and record the run."""

from __future__ import annotations

import functools
import sys

import click

from callsheet._lineage import origins_of
from callsheet._project import project_settings
from callsheet._resolve import resolve
from callsheet._said import parse_all
from callsheet.cli._alone import dry_option, send_alone
from callsheet.cli._config import overrides_argument, reading_options, told
from callsheet.cli._here import run_here
from callsheet.cli._subject import COMMAND_LINE, Config
from callsheet.cli._submitting import on_option
from callsheet.errors import SaveError
from callsheet.run._command import experiment_of, identity_of
from callsheet.run._execute import Task
from callsheet.run._place import Place
from callsheet.run._provenance import code_of
from callsheet.run._store import Store
from callsheet.run._trial import check_entry, entry_of
from callsheet.run._trials import one_experiment, placed, sweep_at


@click.command("run")
@click.argument("config", metavar="FILE[:PATH]")
@overrides_argument
@on_option
@dry_option
@reading_options
@functools.partial(told, outcome="nothing was built")
def command(
    config: str,
    overrides: tuple[str, ...],
    on: tuple[str, ...],
    dry_run: bool,
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    runs: str | None,
    as_json: bool,
) -> None:
    """Check a spec, build its `main` (or what follows the colon), and record the run in a directory.

    \b
    callsheet run conf.py epochs=8 optim.lr=3e-3
    callsheet run conf.py --on slurm
    """  # noqa: D301  (click reads the backspace)
    project_settings()  # what is wrong with them is told, also where a Python config asks for none
    named = Config(config, paths, allow)
    early, late = placed(named.file, named.entry, parse_all(overrides), policy=named.policy)
    spec = one_experiment(named.loaded(early), named.entry, late, where=COMMAND_LINE)
    entry = entry_of(spec, named.entry, named.file)
    check_entry(spec, entry)
    place = Place.of(named.file, runs=runs, paths=named.paths)
    if on or dry_run:
        trial = sweep_at(named.file, named.entry, overrides, where=COMMAND_LINE, policy=named.policy)
        place, name = place.named_by(trial, named.entry), " ".join((config, *overrides))
        send_alone(trial, place, named.entry, on, name=name, is_dry=dry_run, as_json=as_json)
    resolved = resolve(spec)
    try:
        identity = identity_of(resolved, entry)
    except SaveError:
        identity = None  # it holds a live object: it can run here, and its record says so
    task = Task(
        spec=resolved,
        entry=entry,
        experiment=experiment_of(resolved, entry, place.experiment),
        overrides=overrides,
        identity=identity,
        config=place.config,
        project=place.project,
        command=tuple(sys.argv),
        code=code_of(place.project, place.configs(), place.runs),
        origins=origins_of(spec),
        paths=place.paths,
    )
    run_here(task, Store(place.runs), as_json=as_json)
