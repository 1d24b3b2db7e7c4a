"""What a page says of runs, as plain data: the table, the curves, and each run's record with its spec."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from callsheet._path import parse_path
from callsheet._storage import read_json_file
from callsheet.errors import PathError
from callsheet.report._curves import short, thinned
from callsheet.run._compared import compared, differing
from callsheet.run._query import typed
from callsheet.run._recorded import origins_of_run
from callsheet.run._row import part
from callsheet.run._runs import Runs, RunView


@dataclass(frozen=True)
class Limits:
    """What a browser can bear.

    Attributes:
        runs: Rows of the table.
        points: Points of all curves together.
        curve: Points of one curve.
        leaves: Lines of all specs together; a run beyond is told without its spec.
        columns: Columns of values in the table.
        text: Characters of one value.
    """

    runs: int = 5_000
    points: int = 600_000
    curve: int = 1_000
    leaves: int = 150_000
    columns: int = 60
    text: int = 2_000


@dataclass
class _Texts:
    """Each text once; what stands in the page is its number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def gather(found: Runs, *, title: str = "", said: str = "", limits: Limits = Limits()) -> dict[str, Any]:
    """What the page of some runs shows, as data that JSON has.

    Args:
        found: The runs, in the order of the table.
        title: Of the page; the project's folder by default.
        said: The filter that picked the runs.
        limits: What a browser can bear.
    """
    notes: list[str] = []
    if len(found) > limits.runs:
        notes.append(f"the first {limits.runs} of {len(found)} runs are here: a filter picks those that matter")
        found = found[: limits.runs]
    views = [*found.load("spec", "result", "metrics", "facts")]
    values = compared(views)
    columns, cells = _table(found, views, values, limits, notes)
    texts = _Texts()
    details = _details(views, texts, limits, notes)
    return {
        "title": title or found.directory.parent.name,
        "filter": said,
        "made": datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
        "columns": columns,
        "rows": cells,
        "curves": _curves(views, limits, notes),
        "details": details,
        "texts": [*texts.numbers],
        "notes": notes,
    }


def _table(
    found: Runs, views: list[RunView], values: list[dict[str, str]], limits: Limits, notes: list[str]
) -> tuple[list[dict[str, str]], list[list[Any]]]:
    """The columns, and for each run its cells."""
    paths = differing(values)
    if len(paths) > limits.columns:
        notes.append(f"{len(paths) - limits.columns} of {len(paths)} values that differ have no column here")
        paths = paths[: limits.columns]
    experiment = ["experiment"] if len(set(found.column("experiment"))) > 1 else []
    first, last = [*experiment, "number", "state"], ["duration", "started"]
    columns = [{"name": name, "kind": "run"} for name in first]
    columns += [{"name": path, "kind": "value"} for path in paths]
    cells = _own(found, first, limits)
    for row, said in zip(cells, values, strict=True):
        row += [_cell(typed(said[path]) if path in said else None, limits) for path in paths]
    for group in ("result", "metrics"):
        data = [getattr(view, group) for view in views]
        names = dict.fromkeys(name for of_run in data for name in of_run)
        if group == "metrics":
            taken = {column["name"] for column in columns if column["kind"] == "result"}
            names = dict.fromkeys(name for name in names if name not in taken)
        columns += [{"name": name, "kind": group} for name in names]
        for row, of_run in zip(cells, data, strict=True):
            row += [_cell(of_run.get(name), limits) for name in names]
    columns += [{"name": name, "kind": "run"} for name in last]
    for row, more in zip(cells, _own(found, last, limits), strict=True):
        row += more
    return columns, cells


def _own(found: Runs, names: Sequence[str], limits: Limits) -> list[list[Any]]:
    # Moments have more digits than a drawing shows, and all of them tell runs apart.
    cells = [[value if name == "started" else _cell(value, limits) for value in found.column(name)] for name in names]
    return [[*row] for row in zip(*cells, strict=True)]


def _cell(value: Any, limits: Limits) -> Any:
    if isinstance(value, float):
        return short(value) if math.isfinite(value) else str(value)
    return _cut(value, limits) if isinstance(value, str) else value


def _cut(text: str, limits: Limits) -> str:
    return text if len(text) <= limits.text else text[: limits.text - 2] + " …"


def _curves(views: list[RunView], limits: Limits, notes: list[str]) -> dict[str, dict[int, Any]]:
    """By metric, by row of the table, the x values and the numbers."""
    found: dict[str, dict[int, Any]] = {}
    longest = 0
    most = limits.curve
    for n, view in enumerate(views):
        for name, (xs, ys) in view.curves.items():
            longest = max(longest, len(xs))
            found.setdefault(name, {})[n] = thinned(xs, ys, limits.curve)
    count = sum(map(len, found.values()))
    if sum(len(curve[0]) for of_metric in found.values() for curve in of_metric.values()) > limits.points:
        most = max(limits.points // count, 20)
        for of_metric in found.values():
            for n, (xs, ys) in of_metric.items():
                of_metric[n] = thinned(xs, [math.nan if y is None else y for y in ys], most)
    if longest > most:
        notes.append(
            f"curves are drawn with at most {most} of their up to {longest} points: the smallest and the largest of"
            " each stretch are kept"
        )
    return found


def _details(views: list[RunView], texts: _Texts, limits: Limits, notes: list[str]) -> list[dict[str, Any]]:
    """Each run's record: where, how long, by which code, with which spec."""
    left = limits.leaves
    without = 0
    told = []
    for view in views:
        run = view.record
        origins = origins_of_run(run)
        spec = _spec_lines(origins, texts, limits) if len(origins) <= left else None
        left -= len(origins) if spec is not None else 0
        without += spec is None
        told.append({"id": view.id, "facts": _facts(run, limits), "trackers": _trackers(run), "spec": spec})
    if without:
        notes.append(f"the specs of {without} runs are left out, since the page would be too large: callsheet show RUN")
    return told


def _facts(run: Any, limits: Limits) -> list[list[str]]:
    """What a person wants to know of a run, as names and texts."""
    record, status = run.record, run.status
    host, code = part(record, "host"), part(record, "code")
    facts: list[tuple[str, Any]] = [
        ("error", status.get("error")),
        ("config", record.get("config")),
        ("entry", record.get("entry")),
        ("overrides", " ".join(map(str, record.get("overrides") or []))),
        ("command", " ".join(map(str, record.get("command") or []))),
        ("code", code.get("version")),
        ("commit", code.get("commit")),
        ("uncommitted changes", "in code.diff" if (run.directory / "code.diff").exists() else ""),
        ("on", record.get("on")),
        ("host", host.get("name")),
        ("system", host.get("system")),
        ("cpus", host.get("cpus")),
        ("python", host.get("python")),
        ("attempt", status.get("attempt")),
        ("exit code", status.get("exit")),
        ("directory", str(run.directory)),
    ]
    return [[name, _cut(str(value), limits)] for name, value in facts if value not in (None, "")]


def _trackers(run: Any) -> list[list[str]]:
    """The name and the address of each tracker that has the run."""
    found = read_json_file(run.directory / "trackers.json")
    told = []
    for name, said in found.items():
        entry = said if isinstance(said, dict) else {}
        told.append([str(name), str(entry.get("url") or ""), str(entry.get("id") or "")])
    return told


def _spec_lines(origins: dict[str, Any], texts: _Texts, limits: Limits) -> list[list[Any]]:
    """The lines of a spec in its order: depth, name, value, who set it, and what was replaced.

    Each text is a number in the page's list of texts; a value that holds others says so by a true at the end.
    """
    lines = []
    for path, chain in origins.items():
        try:
            steps = parse_path(path)
        except PathError:
            continue
        told = [link for link in chain if isinstance(link, dict)]
        if told:
            holds = bool(told[0].get("holds"))
            own = replace(limits, text=120) if holds else limits  # what it holds has lines of its own
            links = [[texts(_cut(str(link.get("value")), own)), texts(_said(link))] for link in told]
            name = steps[-1] if isinstance(steps[-1], str) else f"[{steps[-1]}]"
            lines.append([len(steps) - 1, texts(str(name)), *links[0], links[1:], *([True] if holds else [])])
    return lines


def _said(link: dict[str, Any]) -> str:
    return "  ".join(filter(None, [str(link.get("where") or ""), str(link.get("text") or "")]))


def as_json(data: Any) -> str:
    """JSON that can stand within a page: no value can end the element that holds it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode("utf-8", "replace").decode()
