"""`callsheet runs`: the runs of a project, filtered and sorted, with the columns that one asks for."""

from __future__ import annotations

from typing import Any

import click

from callsheet._terminal import columns as columns_of_terminal
from callsheet._terminal import cut, say, tell_error, width
from callsheet.cli._config import json_option, runs_option, told
from callsheet.cli._selection import cell, names_said, nothing, selected
from callsheet.cli._text import print_json, short, table
from callsheet.run._runs import Runs

_HEADS = {"id": "run", "number": "no."}
_LEAST = 16
"""Columns of the terminal that overrides have, however many others there are."""


@click.command("runs")
@click.argument("words", nargs=-1, metavar="[FILTER|RUN]...")
@click.option("--sort", "order", metavar="NAMES", help="Sort by NAMES, comma between; -NAME the largest first.")
@click.option("--columns", metavar="NAMES", help="Show NAMES, comma between.")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="Show N runs at most, 0 for all.  [default: 50]")
@click.option("--reindex", is_flag=True, help="Read all runs again, and make the index of them anew.")
@runs_option
@json_option
@told
def command(
    words: tuple[str, ...],
    order: str | None,
    columns: str | None,
    limit: int | None,
    reindex: bool,
    runs: str | None,
    as_json: bool,
) -> None:
    """List runs, those that started last first.

    A filter compares names with values (= != < <= > >=, ~ for "contains"), joined by and, or, not. Names are id,
    state, experiment, number, started, duration, overrides, host, result.X, metrics.X and paths of the spec.

    \b
    callsheet runs 'status=done and metrics.acc>0.9' --sort -result.acc
    callsheet runs 'optim.lr<1e-2' --columns id,model.width,result.acc
    """  # noqa: D301  (click reads the backspace)
    if reindex:
        count = len(Runs.read(runs, anew=True))
        if not as_json:
            tell_error(f"read {count} run{'' if count == 1 else 's'} again")
    found = selected(words, runs)
    if not found:
        raise nothing(found, words)
    found = found.sort(*names_said(order) or ["-started"])
    count = len(found)
    if limit is None:
        limit = 0 if as_json else 50
    found = (found[:limit] if limit else found).load("result")
    names = names_said(columns)
    if as_json:
        print_json(_rows(found, names))
        return
    say(_table(found, names))
    if len(found) < count:
        tell_error(f"{len(found)} of {count} runs; --limit 0 shows all")


def _table(found: Runs, asked: list[str]) -> str:
    """The runs with the columns that were asked for, by default with those that tell most."""
    names = asked or _default(found)
    columns = [[cell(name, value) for value in found.column(name)] for name in names]
    heads = [_HEADS.get(name, name if asked else name.removeprefix("result.")) for name in names]
    if not asked and "overrides" in names:
        n = names.index("overrides")
        columns[n] = [*map(short, columns[n])]
        widths = [max(map(width, [head, *column])) for head, column in zip(heads, columns, strict=True)]
        room = max(columns_of_terminal() - sum(widths) - 2 * len(widths) + 2 + widths[n], _LEAST)
        columns[n] = [cut(text, room) for text in columns[n]]
    numeric = [n for n, name in enumerate(names) if _is_numeric(name, found)]
    return table([heads, *map(list, zip(*columns, strict=True))], right=numeric, head=True)


def _default(found: Runs) -> list[str]:
    """What is shown where no column is asked for: a name of the results where any of these runs has it."""
    several = len(set(found.column("experiment"))) > 1
    results = dict.fromkeys(name for run in found for name in run.result)
    said = ["overrides"] if any(found.column("overrides")) else []
    experiment = ["experiment"] if several else []
    return ["id", *experiment, "number", "state", "started", "duration", *said, *(f"result.{name}" for name in results)]


def _is_numeric(name: str, found: Runs) -> bool:
    if name in ("started", "ended", "id"):
        return False
    values = [value for value in found.column(name) if value is not None]
    return bool(values) and all(isinstance(value, int | float) for value in values)


def _rows(found: Runs, names: list[str]) -> list[dict[str, Any]]:
    if names:
        columns = [found.column(name) for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    fixed = ["id", "experiment", "number", "state", "started", "ended", "duration", "overrides"]
    rows = [dict(zip(fixed, row, strict=True)) for row in zip(*map(found.column, fixed), strict=True)]
    found.load("metrics")
    return [{**row, "result": run.result, "metrics": run.metrics} for row, run in zip(rows, found, strict=True)]
