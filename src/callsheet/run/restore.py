"""From a run back to a trained model: the node of its recorded spec is built again, and gets the weights it saved."""

from __future__ import annotations

import json
import os
from typing import Any

from callsheet._build import build
from callsheet._lazy import locate_path
from callsheet._running import RUNNING
from callsheet._storage import is_remote
from callsheet._tensors import digest_of
from callsheet._weights import RECORD, load_weights
from callsheet.errors import Fault, PathError, RunError, WeightsError, nearest
from callsheet.run._recorded import recorded_spec
from callsheet.run._store import Run, find_run


def restore(
    run: str | os.PathLike[str],
    node: str,
    *,
    file: str | None = None,
    runs: str | os.PathLike[str] | None = None,
) -> Any:
    """Build a node of a run's recorded spec, and load the weights that the run saved for it.

    The record is trusted as your own, and what it names must be importable, as it was for the run.

    Args:
        run: A run, as of `runs()` or of a job; the id of one, the beginning of that, or a run's directory.
        node: The path of the node: "model".
        file: Which of several files that were saved for it; the last one by default.
        runs: The directory of the runs; `runs` under the project's root by default.

    Returns:
        The model, with every tensor as it was saved.

    Raises:
        RunError: There is no such run, or it recorded no weights for the node.
        PathError: The spec has nothing at this path.
        WeightsError: The file is gone or is not what was recorded, or the code has changed and it no longer fits.

    Example:
        ``net = restore("7f3a9c", "model")``
    """
    found = find_run(run, runs)
    spec = recorded_spec(found)
    weights, sha256, made_by = recorded_weights(found, spec, node, file)

    now = digest_of(weights)
    if now != sha256:
        problem = f"{weights} is not what run {found.id} saved: its SHA-256 is {now[:12]}…, recorded is {sha256[:12]}…"
        advice = [
            "something else was written to it since",
            f"to load it all the same:  load_weights(model, {weights!r})",
        ]
        raise WeightsError(Fault(node, problem, advice=advice))
    record, attempt = found.record, found.status.get("attempt", 1)
    running = {"dir": str(found.directory), "id": found.id, "index": record.get("index", 0), "attempt": attempt}
    token = RUNNING.set(running)
    try:
        model = build(locate_path(spec, made_by)[2], root=spec)
    finally:
        RUNNING.reset(token)
    load_weights(model, weights)
    return model


def recorded_weights(run: Run, spec: Any, node: str, file: str | None = None) -> tuple[str, str, str]:
    """The file and SHA-256 of the weights that a run saved last for a node, and the path of the node that made it.

    Raises:
        RunError: It saved none for it.
        PathError: The spec has nothing at this path.
    """
    wanted = locate_path(spec, node)[2]
    lines = read_record(run)
    own = [line for line in lines if any(_is_at(spec, path, wanted) for path in line["nodes"])]
    chosen = [line for line in own if file is None or file in (line["file"], os.path.basename(line["file"]))]
    if not chosen:
        raise RunError(_no_weights(run, node, lines, own, file))
    name, last = chosen[-1]["file"], chosen[-1]
    return name if is_remote(name) else str(run.directory / name), last["sha256"], last["nodes"][0]


def read_record(run: Run) -> list[dict[str, Any]]:
    """What a run wrote down of the weights that it saved, in the order of time."""
    try:
        text = (run.directory / RECORD).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.split("\n")[:-1]]  # what a killed run left half is no line


def _is_at(spec: Any, path: str, wanted: Any) -> bool:
    try:
        return locate_path(spec, path)[2] is wanted
    except PathError:
        return False


def _no_weights(run: Run, node: str, lines: list[dict[str, Any]], own: list[dict[str, Any]], file: str | None) -> Fault:
    if own:
        files = list(dict.fromkeys(line["file"] for line in own))
        close = nearest(str(file), files)
        advice = [f"did you mean  {close[0]}?"] if close else []
        return Fault(node, f"has no weights {file} in run {run.id}", advice=[*advice, f"it has {', '.join(files)}"])
    nodes = sorted({path for line in lines for path in line["nodes"]})
    stray = [line["file"] for line in lines if not line["nodes"]]
    advice = [f"it has weights of  {', '.join(nodes)}"] if nodes else []
    if stray:
        advice.append(f"of no node of the spec:  {', '.join(dict.fromkeys(stray))}  (load_weights reads them)")
    if not lines:
        advice.append("save_weights(model, path)  within a run records them")
    return Fault(node, f"has no weights in run {run.id}", advice=advice)
