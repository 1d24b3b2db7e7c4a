"""`callsheet compare`: runs side by side, by what differs between them and what came out."""

from __future__ import annotations

import os
from typing import Any

import click

from callsheet._terminal import say
from callsheet.cli._config import json_option, runs_option, told
from callsheet.cli._recorded import origins_of_run
from callsheet.cli._subject import run_named
from callsheet.cli._telling import Misuse
from callsheet.cli._text import is_number, number, print_json, table
from callsheet.errors import Fault, RunError
from callsheet.run._store import Run, Store, project_root


@click.command("compare")
@click.argument("ids", nargs=-1, metavar="[RUN]...")
@click.option("--experiment", metavar="NAME", help="Only the runs of this experiment.")
@click.option("--maximize", metavar="NAME", help="The runs with the largest NAME first.")
@click.option("--minimize", metavar="NAME", help="The runs with the smallest NAME first.")
@runs_option
@json_option
@told
def command(
    ids: tuple[str, ...],
    experiment: str | None,
    maximize: str | None,
    minimize: str | None,
    runs: str | None,
    as_json: bool,
) -> None:
    """Put runs side by side: the values that differ between them, their state and results. All runs by default.

    \b
    callsheet compare --maximize accuracy
    callsheet compare 7f3a9c b21c07
    """  # noqa: D301  (click reads the backspace)
    if maximize and minimize:
        raise Misuse("--maximize and --minimize exclude each other")
    store = Store(runs or project_root(os.getcwd()) / "runs")
    found = [run_named(text, runs) or store.find(text) for text in ids] if ids else store.runs(experiment)
    if not found:
        raise _nothing(store, experiment)
    goal = maximize or minimize
    if goal:
        if not any(is_number(run.result.get(goal)) for run in found):
            known = sorted({name for run in found for name in run.result})
            advice = [f"results have {', '.join(known)}"] if known else []
            raise RunError(Fault("", f"no run has a number named {goal!r}", advice=advice))
        found.sort(key=lambda run: _goal_key(run, goal, largest=bool(maximize)))
    values = [_values(run) for run in found]
    paths = differing(values)
    names = list(dict.fromkeys(name for run in found for name in run.result))
    if as_json:
        rows = [
            {"run": run.id, "number": run.record.get("number"), "state": run.state, "values": v, "result": run.result}
            for run, v in zip(found, ({p: v.get(p) for p in paths} for v in values), strict=True)
        ]
        print_json(rows)
        return
    several = len({run.record.get("experiment") for run in found}) > 1
    head = ["run", *(["experiment"] if several else []), "no.", "state", *paths, *names]
    body = [
        [
            run.id,
            *([str(run.record.get("experiment"))] if several else []),
            str(run.record.get("number", "")),
            run.state,
            *(v.get(path, "-") for path in paths),
            *(number(run.result[name]) if name in run.result else "-" for name in names),
        ]
        for run, v in zip(found, values, strict=True)
    ]
    state = head.index("state")

    def style(row: int, column: int) -> str:
        return "bold" if row == 0 else "red" if column == state and body[row - 1][state] == "failed" else ""

    right = [head.index("no."), *range(len(head) - len(names), len(head))]
    say(table([head, *body], right=right, head=True, style=style))


def _nothing(store: Store, experiment: str | None) -> RunError:
    names = sorted({str(run.record.get("experiment")) for run in store.runs()})
    if names:
        return RunError(
            Fault("", f"no run is of the experiment {experiment!r}", advice=[f"there are runs of {', '.join(names)}"])
        )
    advice = ["callsheet run FILE  makes one; --runs DIR  looks elsewhere"]
    return RunError(Fault("", f"there are no runs in {store.directory}", advice=advice))


def _goal_key(run: Run, name: str, *, largest: bool) -> tuple[bool, float]:
    value: Any = run.result.get(name)
    if not is_number(value):
        return True, 0.0
    return False, -value if largest else value


def _values(run: Run) -> dict[str, str]:
    """The leaves of a run's spec by path, as text."""
    return {path: chain[0]["value"] for path, chain in origins_of_run(run).items() if not chain[0].get("holds")}


def differing(values: list[dict[str, str]]) -> list[str]:
    """The paths whose values are not the same everywhere; of those that always differ together, the one that was set.

    >>> differing([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}])
    ['b']
    """
    paths = dict.fromkeys(path for v in values for path in v)
    found = [path for path in paths if len({v.get(path) for v in values}) > 1]
    columns: dict[tuple[str | None, ...], str] = {}
    for path in found:
        columns.setdefault(tuple(v.get(path) for v in values), path)
    return list(columns.values())
