"""`callsheet rerun`: the spec of a run, once more."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from callsheet._terminal import tell_error
from callsheet.cli._alone import dry_option, send_alone
from callsheet.cli._config import json_option, path_option, runs_option, told
from callsheet.cli._here import run_here
from callsheet.cli._subject import COMMAND_LINE, import_from
from callsheet.cli._submitting import on_option
from callsheet.cli._telling import Misuse
from callsheet.run._command import identity_of
from callsheet.run._execute import Task
from callsheet.run._place import Place
from callsheet.run._provenance import code_of
from callsheet.run._recorded import origins_of_run, recorded_spec
from callsheet.run._store import Run, Store, find_run
from callsheet.run._trial import check_entry
from callsheet.run._trials import sweep_at


@click.command("rerun")
@click.argument("run", metavar="RUN")
@click.argument("words", nargs=-1, metavar="")
@path_option
@runs_option
@json_option
@on_option
@dry_option
@told
def command(
    run: str,
    words: tuple[str, ...],
    on: tuple[str, ...],
    dry_run: bool,
    paths: tuple[str, ...],
    runs: str | None,
    as_json: bool,
) -> None:
    """Run the spec of a run once more, as it was resolved then, with the code of today, as a new run.

    \b
    callsheet rerun 7f3a9c
    callsheet rerun 7f3a9c --on slurm
    """  # noqa: D301  (click reads the backspace)
    found = find_run(run, runs)
    if words:
        raise _no_overrides(found, words)
    config = str(found.record.get("config") or "")
    recorded = [str(path) for path in found.record.get("paths") or () if os.path.isdir(path)]
    paths = import_from(config, dict.fromkeys((*map(os.path.abspath, paths), *recorded)))
    task = _task(found, config, paths)
    before = (found.record.get("code") or {}).get("version")
    if before and before != task.code.version:
        tell_error(f"callsheet: the code has changed since {found.id} ran")
    if on or dry_run:
        place = Place.of(config, runs=str(found.directory.parent), paths=paths)
        place = replace(place, experiment=task.experiment)
        trial = sweep_at(task.spec, task.entry, (), where=COMMAND_LINE, policy=None)
        name = f"rerun {found.id}"
        send_alone(trial, place, task.entry, on, name=name, is_dry=dry_run, as_json=as_json, again=found)
    run_here(task, Store(found.directory.parent), as_json=as_json)


def _task(found: Run, config: str, paths: tuple[str, ...]) -> Task:
    """What the run was told, with the code of today.

    Raises:
        RunError: It held what is no data.
        SpecError: What it called is not there any more, or takes other arguments.
    """
    record: dict[str, Any] = found.record
    spec = recorded_spec(found)
    entry = str(record.get("entry") or "")
    check_entry(spec, entry)
    place = Place.of(config, runs=str(found.directory.parent), paths=paths)
    configs = place.configs() if config and Path(config).exists() else ()
    return Task(
        spec=spec,
        entry=entry,
        experiment=str(record.get("experiment") or place.experiment),
        overrides=tuple(map(str, record.get("overrides") or ())),
        identity=identity_of(spec, entry),
        config=config,
        project=place.project,
        command=tuple(sys.argv),
        code=code_of(place.project, configs, place.runs),
        origins=origins_of_run(found),
        index=int(record.get("index") or 0),
        paths=place.paths,
    )


def _no_overrides(found: Run, words: tuple[str, ...]) -> Misuse:
    """A resolved spec does not follow an override, as its config would: say what does."""
    config = str(found.record.get("config") or "")
    said = shlex.join([*map(str, found.record.get("overrides") or ()), *words])
    advice = [f"callsheet run {os.path.relpath(config)} {said}"] if config and os.path.exists(config) else []
    return Misuse(f"run {found.id} runs as it was: overrides change a config", *advice)
