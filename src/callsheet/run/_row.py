"""A run as one row of a table: what it is looked up, filtered and sorted by."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any, NamedTuple

from callsheet.run._metrics import last_values
from callsheet.run._recorded import set_in_run, values_of_run
from callsheet.run._store import Run

FINAL = ("done", "failed")
"""States that a run never leaves."""

GROUPS = ("facts", "result", "metrics", "spec")
"""Fields that hold named values, as JSON objects."""


class Row(NamedTuple):
    """A run.

    Attributes:
        id: Its id.
        experiment: The name under which it is numbered.
        number: Its number there.
        state: What became of it.
        identity: The hash of its spec, None where that held a live object.
        code: The version of the code that ran.
        started: Seconds since 1970 at which its last attempt started; None where it does not say.
        ended: Seconds since 1970; None while it runs.
        facts: JSON of what else its record says, by the names of `facts_of`.
        result: JSON of its result.
        metrics: JSON of the last number of each metric.
        spec: JSON of the leaves of its spec by path, as text, and of its calls what they call.

    In JSON, NaN and infinities are the texts "nan", "inf" and "-inf".
    """

    id: str
    experiment: str
    number: int
    state: str
    identity: str | None
    code: str | None
    started: float | None
    ended: float | None
    facts: str
    result: str
    metrics: str
    spec: str


def row_of(run: Run) -> Row:
    """A run that was read just now as a row; a worker writes its status last, so what says it has ended is whole."""
    record, status = run.record, run.status
    number = record.get("number")
    return Row(
        run.id,
        _text(record.get("experiment")) or "None",
        number if isinstance(number, int) else 0,
        _text(run.state) or "lost",
        _text(run.identity),
        _text(part(record, "code").get("version")),
        _seconds(status.get("started")) or _seconds(record.get("started")),
        _seconds(status.get("ended")),
        _json(facts_of(run)),
        _json(run.result),
        _json(last_values(run.directory)),
        _json(values_of_run(run)),
    )


def facts_of(run: Run) -> dict[str, Any]:
    """What a run's record says besides what a row has for itself."""
    record, status = run.record, run.status
    host, code, overrides = part(record, "host"), part(record, "code"), record.get("overrides")
    return {
        "overrides": " ".join(map(str, overrides)) if isinstance(overrides, list) else None,
        "config": record.get("config"),
        "entry": record.get("entry"),
        "beside": _beside(run),
        "index": record.get("index"),
        "plan": record.get("plan"),
        "host": host.get("name"),
        "on": record.get("on"),
        "python": host.get("python"),
        "commit": code.get("commit"),
        "attempt": status.get("attempt"),
        "exit": status.get("exit"),
        "error": status.get("error"),
    }


def _beside(run: Run) -> list[str]:
    """The paths of the spec that the run did not reach; where something was set it may count all the same."""
    paths = run.record.get("beside")
    if not isinstance(paths, list) or not paths:
        return []
    touched = set_in_run(run)
    return [path for path in paths if isinstance(path, str) and not any(within(said, path) for said in touched)]


def within(path: str, above: str) -> bool:
    """Whether a path is another one, or leads on from there.

    >>> within("hp.lr", "hp"), within("hp[0]", "hp"), within("hpg.lr", "hp")
    (True, True, False)
    """
    return path == above or path.startswith((f"{above}.", f"{above}["))


def part(record: dict[str, Any], name: str) -> dict[str, Any]:
    """A dict within a record; empty where there is none."""
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def _seconds(text: object) -> float | None:
    try:
        return datetime.datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return None


def _text(value: object) -> str | None:
    """A text that SQLite can keep; None for what is no text."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def _json(data: dict[str, Any]) -> str:
    """Strict JSON that SQLite reads too: numbers that it lacks are texts, as in `metrics.jsonl`."""
    said = {name: repr(v) if isinstance(v, float) and not math.isfinite(v) else v for name, v in data.items()}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()
