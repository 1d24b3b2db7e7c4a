"""What a run recorded of its spec, read by today's names: the spec itself, its values, who set them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from callsheet._files import load_said
from callsheet._migrate import Change
from callsheet._path import format_path
from callsheet._project import project_settings
from callsheet._storage import read_json_file
from callsheet._trust import Policy
from callsheet.errors import Fault, RunError
from callsheet.run._store import Run

_MADE = re.compile(r"lazy\((?P<lazy>[\w.]+)\)\(|(?!lazy\()(?P<name>[\w.]+)\(")


def recorded_spec(run: Run) -> Any:
    """The spec of a run, trusted as one's own.

    Raises:
        RunError: It held what is no data, or its record cannot be read.
    """
    require_record(run)
    live = run.record.get("not_data")
    if live:
        raise RunError(Fault("", f"run {run.id} cannot be built again: it held what is no data: {', '.join(live)}"))
    if not (run.directory / "spec.json").exists():
        raise RunError(Fault("", f"run {run.id} has no spec.json: it was cut off before, or is damaged"))
    return load_said(run.directory / "spec.json", [], where="", policy=None)


def require_record(run: Run) -> None:
    """Refuse a run of which it is not known what it was.

    Raises:
        RunError: Its `run.json` is missing or damaged.
    """
    if not run.record:
        problem = f"run {run.id} cannot be told: {run.directory / 'run.json'} is missing or damaged"
        raise RunError(Fault("", problem))


def spec_of_run(run: Run) -> tuple[Any, list[Change]]:
    """The spec of a run by today's names, with nothing allowed to be imported, and what was changed for that."""
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


def values_of_run(run: Run) -> dict[str, str]:
    """The leaves of a run's spec by path, as text, and of each call what it calls.

    By its `spec.json`, and without the calls, where no origins were recorded.
    """
    origins = origins_of_run(run)
    if origins:
        said = {path: _told(chain[0]) for path, chain in origins.items() if chain}
        return {path: text for path, text in said.items() if text is not None}
    data = read_json_file(run.directory / "spec.json")
    found: dict[str, str] = {}
    _leaves((), {key: value for key, value in data.items() if key != "_format_"}, found)
    return found


def set_in_run(run: Run) -> set[str]:
    """The paths that overrides and sweeps have set, rather than the file."""
    found = origins_of_run(run)
    return {path for path, chain in found.items() if chain and chain[0].get("kind") in ("override", "sweep", "given")}


def _told(link: dict[str, Any]) -> str | None:
    """A value as text; of a call, or an instance, what makes it; None for what holds others otherwise."""
    text = str(link["value"])
    if not link.get("holds"):
        return text
    made = _MADE.match(text)
    return made["lazy"] or made["name"] if made else None


def _leaves(steps: tuple[Any, ...], data: Any, found: dict[str, str]) -> None:
    """Note what plain data holds; what has a wire form is told as it is written."""
    if isinstance(data, dict):
        pairs = [(key, value) for key, value in data.items() if not (key.startswith("_") and key.endswith("_"))]
    else:
        pairs = list(enumerate(data)) if isinstance(data, list) else []
    for key, value in pairs:
        if isinstance(value, dict | list) and len(steps) < 100:
            _leaves((*steps, key), value, found)
        else:
            found[format_path((*steps, key))] = repr(value)


def _today(path: str, renamed: Sequence[Change]) -> str:
    for change in renamed:
        if path == change.path or path.startswith((change.path + ".", change.path + "[")):
            holder = change.path.rpartition(".")[0]
            path = ".".join(filter(None, (holder, change.name))) + path[len(change.path) :]
    return path
