"""`callsheet status`: what was submitted, wherever it is, and how it stands."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from callsheet._terminal import say
from callsheet.cli._config import json_option, runs_option, told
from callsheet.cli._live import can_live
from callsheet.cli._sent import as_data, line_of, named, notes_of
from callsheet.cli._telling import Misuse
from callsheet.cli._text import print_json, table
from callsheet.run._attend import Submission, submissions
from callsheet.run._later import settled
from callsheet.run._store import store_of

_SHOWN = 10
"""Submissions that have ended of which as many are shown, the latest."""

_LOOK_S = 1.0


@click.command("status")
@click.argument("id", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help=f"Also what ended before the last {_SHOWN} that have.")
@click.option("--once", is_flag=True, help="At a terminal: print it once, and do not follow it.")
@runs_option
@json_option
@told
def command(id: str | None, everything: bool, once: bool, runs: str | None, as_json: bool) -> None:
    """List what was submitted and how it stands, over all executors; at a terminal as it changes, until all has ended.

    \b
    callsheet status
    callsheet runs plan=3f2a1b04c0de
    """  # noqa: D301  (click reads the backspace)
    home = store_of(runs).directory
    plans = None
    if id is not None:
        one, _ = named(id, runs)
        if one is None:
            raise Misuse(f"run {id} was not submitted", f"callsheet runs {id}")
        plans = [one.id]
    most = None if everything or id is not None else _SHOWN
    found, left_out = _found(home, plans, most)
    if as_json:
        print_json([as_data(one) for one in found])
    elif not found:
        say(f"nothing was submitted in {home}")
    elif once or not can_live() or all(one.is_over or not one.is_attended for one in found):
        say(_table(found, left_out))
    else:
        _follow(home, plans, most)


def _found(home: Path, plans: list[str] | None, most: int | None) -> tuple[list[Submission], int]:
    """Submissions, with the latest of those that have ended, and how many of these are left out."""
    found = [settled(one) for one in submissions(home) if plans is None or one.id in plans]
    over = [one.id for one in found if one.is_over]
    hidden = over[: max(len(over) - most, 0)] if most is not None else []
    return [one for one in found if one.id not in hidden], len(hidden)


def _table(found: list[Submission], left_out: int) -> str:
    shown = table([["id", "on", "trials", "submitted", "what"], *map(line_of, found)], head=True, least=20)
    more = [f"{left_out} that ended before:  callsheet status --all"] if left_out else []
    return "\n".join([shown, *(line for one in found for line in notes_of(one)), *more])


def _follow(home: Path, plans: list[str] | None, most: int | None) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(highlight=False), auto_refresh=False) as live:
        try:
            while True:
                found, left_out = _found(home, plans, most)
                live.update(Text.from_ansi(_table(found, left_out)), refresh=True)
                if all(one.is_over or not one.is_attended for one in found):
                    return
                time.sleep(_LOOK_S)
        except KeyboardInterrupt:
            sys.exit(130)
