"""Runs that are named on the command line, as they were recorded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from callsheet._lazy import locate_path
from callsheet._origin import Origin
from callsheet._spec import note_origin
from callsheet.cli._telling import tell_changes
from callsheet.errors import Fault, PathError, RunError
from callsheet.run._recorded import origins_of_run, spec_of_run
from callsheet.run._store import Run, Store, project_root


def find_run(text: str, runs: str | None) -> Run:
    """The run of an id or of a directory.

    Raises:
        RunError: There is none, or more than one.
    """
    if os.path.isfile(os.path.join(text, "run.json")):
        directory = Path(text).absolute()
        return Store(directory.parent).read(directory.name)
    return Store(runs or project_root(os.getcwd()) / "runs").find(text)


def spec_as_recorded(run: Run) -> Any:
    """The spec of a run, each value with the origin that was recorded with it.

    Raises:
        RunError: It held what is no data.
    """
    live = run.record.get("not_data")
    if live:
        problem = f"run {run.id} held what is no data: {', '.join(live)}"
        raise RunError(Fault("", problem, advice=[f"callsheet show {run.id}  prints it"]))
    spec, changes = spec_of_run(run)
    tell_changes(os.path.relpath(run.directory), changes)
    for path, chain in origins_of_run(run).items():
        told = chain[0]
        try:
            holder, key, _ = locate_path(spec, path)
        except PathError:
            continue  # of what stands in the place of a reference
        note_origin(holder, key, Origin(told["kind"], told["where"], told["text"]))
    return spec
