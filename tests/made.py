"""Run directories as workers leave them, written without running anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def made_run(runs: Path, run_id: str, spec: dict[str, Any], *, number: int = 1, **more: Any) -> Path:
    """A finished run of a flat or nested dict.

    Args:
        runs: The directory of the runs.
        run_id: Its id.
        spec: Its leaves by path.
        number: Its number; it started as many minutes after eight.
        more: `state`, `result`, `metrics` (lines), `record` and `status` (more of both), `files` (by name).
    """
    directory = runs / run_id
    directory.mkdir(parents=True)
    started = f"2026-11-22T08:{number:02}:00.000+00:00"
    host = {"name": "box", "system": "Linux", "cpus": 2, "python": "3.11.7"}
    record = {"id": run_id, "experiment": "conf", "number": number, "entry": "main", "config": "/project/conf.py"}
    record |= {"identity": run_id * 4, "code": {"version": "c0de", "commit": "abc"}, "host": host, "overrides": []}
    status = {
        "state": more.get("state", "done"),
        "attempt": 1,
        "started": started,
        "ended": f"{started[:17]}30.000+00:00",
    }
    origins = {
        path: [{"value": repr(value), "kind": "file", "where": "conf.py:5", "text": ""}] for path, value in spec.items()
    }
    files = {
        "run.json": record | more.get("record", {}),
        "status.json": status | more.get("status", {}),
        "result.json": more.get("result", {}),
        "origins.json": origins,
        **more.get("files", {}),
    }
    for name, data in files.items():
        (directory / name).write_text(json.dumps(data))
    (directory / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in more.get("metrics", ())))
    return directory
