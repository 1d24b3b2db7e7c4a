"""Runs that are named on the command line, as they were recorded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from callsheet._files import load_said
from callsheet._lazy import locate_path
from callsheet._migrate import Change
from callsheet._origin import Origin
from callsheet._project import project_settings
from callsheet._spec import note_origin
from callsheet._trust import Policy
from callsheet.cli._telling import tell_changes
from callsheet.errors import Fault, PathError, RunError
from callsheet.run._store import Run, Store, project_root, read_json_file


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


def spec_of_run(run: Run) -> tuple[Any, list[Change]]:
    """The spec of a run by today's names, and what was changed for that."""
    changes: list[Change] = []
    spec = load_said(run.directory / "spec.json", [], where="", policy=Policy(), report=changes.append)
    return spec, changes


def origins_of_run(run: Run) -> dict[str, Any]:
    """The recorded values of a run and their origins, by today's paths."""
    found = read_json_file(run.directory / "origins.json")
    if not project_settings().migrations or not (run.directory / "spec.json").exists():
        return found
    renamed = [change for change in spec_of_run(run)[1] if change.name]
    renamed.sort(key=lambda change: len(change.path), reverse=True)  # what lies deeper first: all have their old paths
    return {_today(path, renamed): chain for path, chain in found.items()}


def _today(path: str, renamed: Sequence[Change]) -> str:
    for change in renamed:
        if path == change.path or path.startswith((change.path + ".", change.path + "[")):
            holder = change.path.rpartition(".")[0]
            path = ".".join(filter(None, (holder, change.name))) + path[len(change.path) :]
    return path
