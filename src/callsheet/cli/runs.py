"""`callsheet runs`: the runs of a project, filtered and sorted, with the columns that one asks for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import click

from callsheet._terminal import cut, say, tell_error
from callsheet.cli._config import json_option, runs_option, told
from callsheet.cli._selection import cell, names_said, nothing, selected
from callsheet.cli._text import LONGEST, print_json, short, table
from callsheet.run._runs import Runs

_HEADS = {"id": "run", "number": "no."}
_LEAST = 16
"""Columns of a terminal that overrides have in a table, however many others there are."""

_MOST = 50
"""Names of results that are shown where nobody asked for any."""


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
    shown, more = ([(name, found.column(name)) for name in names], 0) if names else _default(found)
    say(_table(shown, asked=bool(names)))
    if more:
        tell_error(f"{_MOST} of {_MOST + more} results; --columns NAMES shows others, --json all")
    if len(found) < count:
        tell_error(f"{len(found)} of {count} runs; --limit 0 shows all")


def _table(shown: Sequence[tuple[str, list[Any]]], *, asked: bool) -> str:
    """Columns as a table; where nobody asked for them, overrides give way to the others and long texts are cut."""
    names, heads, columns = [name for name, _ in shown], [], []
    for name, values in shown:
        texts = [cell(name, value) for value in values]
        if not asked:
            texts = [*map(short, texts)] if name == "overrides" else [cut(text, LONGEST) for text in texts]
        heads.append(_HEADS.get(name, name if asked else name.removeprefix("result.")))
        columns.append(texts)
    numeric = [n for n, (name, values) in enumerate(shown) if _is_numeric(name, values)]
    yields, least = (names.index("overrides"), _LEAST) if not asked and "overrides" in names else (-1, 0)
    return table([heads, *map(list, zip(*columns, strict=True))], right=numeric, head=True, yields=yields, least=least)


def _default(found: Runs) -> tuple[list[tuple[str, list[Any]]], int]:
    """What is shown where no column is asked for: a result where any of these runs has it; how many are left out."""
    names = ["id", "number", "state", "started", "duration"]
    if len(set(found.column("experiment"))) > 1:
        names.insert(1, "experiment")
    if any(found.column("overrides")):
        names.append("overrides")
    results = [run.result for run in found]
    known = dict.fromkeys(name for result in results for name in result)
    told = [(f"result.{name}", [result.get(name) for result in results]) for name in islice(known, _MOST)]
    return [*((name, found.column(name)) for name in names), *told], len(known) - len(told)


def _is_numeric(name: str, values: list[Any]) -> bool:
    there = [value for value in values if value is not None]
    return name not in ("started", "ended", "id") and bool(there) and all(isinstance(v, int | float) for v in there)


def _rows(found: Runs, names: list[str]) -> list[dict[str, Any]]:
    if names:
        columns = [found.column(name) for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    fixed = ["id", "experiment", "number", "state", "started", "ended", "duration", "overrides"]
    rows = [dict(zip(fixed, row, strict=True)) for row in zip(*map(found.column, fixed), strict=True)]
    found.load("metrics")
    return [{**row, "result": run.result, "metrics": run.metrics} for row, run in zip(rows, found, strict=True)]
