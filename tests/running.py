"""Runs in this very process: what they import is imported once for all tests."""

from __future__ import annotations

import contextlib
from pathlib import Path

from callsheet import load, resolve
from callsheet.run._execute import Task, execute
from callsheet.run._provenance import Code
from callsheet.run._store import Store


def run_here(runs: Path, entry: str = "main", *overrides: str, config: str = "conf.py") -> str:
    """Run an entry of a config as `callsheet run` does, without its checks and its record of the code; give the id."""
    task = Task(resolve(load(config, overrides)), entry, "conf", overrides, None, config, Path(), (), Code(""), {})
    directory = Store(runs).new_run()
    assert execute(task, directory, contextlib.nullcontext()).state == "done"
    return directory.name
