"""Runs that are named on the command line, as they were recorded."""

from __future__ import annotations

import os
from typing import Any

from callsheet._items import CALLS, raw_item
from callsheet._lazy import locate_path
from callsheet._origin import Origin
from callsheet._spec import note_origin
from callsheet._tree import TARGET
from callsheet.cli._telling import tell_changes
from callsheet.errors import Fault, PathError, RunError
from callsheet.run._recorded import origins_of_run, spec_of_run
from callsheet.run._store import Run


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
        origin = Origin(told["kind"], told["where"], told["text"])
        note_origin(holder, key, origin)
        value = raw_item(holder, key)
        if type(value) in CALLS:
            note_origin(value, TARGET, origin)  # a target that is swapped makes what stands there another call
    return spec
