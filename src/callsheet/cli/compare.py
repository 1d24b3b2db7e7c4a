"""`callsheet compare`: runs side by side, by what differs between them and what came out."""

from __future__ import annotations

import click

from callsheet._terminal import cut, say, width
from callsheet.cli._config import json_option, runs_option, told
from callsheet.cli._selection import nothing, selected
from callsheet.cli._telling import Misuse
from callsheet.cli._text import LONGEST, is_number, number, print_json, table
from callsheet.errors import Fault, RunError
from callsheet.run._compared import compared, differing
from callsheet.run._query import typed
from callsheet.run._runs import Runs


@click.command("compare")
@click.argument("words", nargs=-1, metavar="[RUN|FILTER]...")
@click.option("--experiment", metavar="NAME", help="Only the runs of this experiment.")
@click.option("--maximize", metavar="NAME", help="The runs with the largest NAME first.")
@click.option("--minimize", metavar="NAME", help="The runs with the smallest NAME first.")
@runs_option
@json_option
@told
def command(
    words: tuple[str, ...],
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
    callsheet compare 'model.width=128 and started>2026-11-20'
    """  # noqa: D301  (click reads the backspace)
    if maximize and minimize:
        raise Misuse("--maximize and --minimize exclude each other")
    found = _chosen(words, runs, experiment).load("spec", "result", "facts")
    goal = maximize or minimize
    if goal:
        found = _best_first(found, goal, largest=bool(maximize))
    values = compared(found)
    paths = differing(values)
    if as_json:
        rows = [
            {"run": run.id, "number": run.number, "state": run.state, "values": v, "result": run.result}
            for run, v in zip(found, ({path: v.get(path) for path in paths} for v in values), strict=True)
        ]
        print_json(rows)
    else:
        say(_side_by_side(found, values, paths))


def _chosen(words: tuple[str, ...], runs: str | None, experiment: str | None) -> Runs:
    """The runs that are meant.

    Raises:
        RunError: There are none.
    """
    found = everything = selected(words, runs)
    if experiment is not None and found:
        kept = zip(found, found.column("experiment"), strict=True)
        found = found.of([run.id for run, name in kept if name == experiment])
        if not found:
            raise _no_experiment(everything, experiment)
    if not found:
        raise nothing(found, words)
    return found


def _best_first(found: Runs, goal: str, *, largest: bool) -> Runs:
    """Runs by a result.

    Raises:
        RunError: None has it.
    """
    if not any(is_number(run.result.get(goal)) for run in found):
        known = sorted({name for run in found for name in run.result})
        advice = [f"results have {', '.join(known)}"] if known else []
        raise RunError(Fault("", f"no run has a number named {goal!r}", advice=advice))
    return found.sort(("-" if largest else "") + f"result.{goal}")


def _side_by_side(found: Runs, values: list[dict[str, str]], paths: list[str]) -> str:
    """A row for each run: what it is, its values at some paths, what came out."""
    names = list(dict.fromkeys(name for run in found for name in run.result))
    several = len(set(found.column("experiment"))) > 1
    head = ["run", *(["experiment"] if several else []), "no.", "state", *paths, *names]
    body = []
    for run, own in zip(found, values, strict=True):
        result = run.result
        body.append(
            [
                run.id,
                *([run.experiment] if several else []),
                str(run.number),
                run.state,
                *(_short(own[path]) if path in own else "-" for path in paths),
                *(cut(number(result[name]), LONGEST) if name in result else "-" for name in names),
            ]
        )
    state = head.index("state")

    def style(row: int, column: int) -> str:
        return "bold" if row == 0 else "red" if column == state and body[row - 1][state] == "failed" else ""

    right = [head.index("no."), *range(len(head) - len(names), len(head))]
    return table([head, *body], right=right, head=True, style=style)


def _short(text: str) -> str:
    """A value of a spec as a cell: numbers with few digits, long texts by their beginning and their end."""
    value = typed(text)
    if isinstance(value, float):
        text = min(text, number(value), key=len)
    return text if width(text) <= 40 else cut(text, 27) + cut(text[::-1], 14)[-2::-1]


def _no_experiment(found: Runs, experiment: str) -> RunError:
    names = sorted(set(found.column("experiment")))
    return RunError(
        Fault("", f"no run is of the experiment {experiment!r}", advice=[f"there are runs of {', '.join(names)}"])
    )
