"""The runs that a command means: by ids, directories, filters; how their values read in a table."""

from __future__ import annotations

import datetime
import json
import os
import re
import shlex
from collections.abc import Sequence
from typing import Any

from callsheet.cli._text import one_line
from callsheet.errors import Fault, RunError, nearest
from callsheet.run._recorded import require_record
from callsheet.run._runs import Runs
from callsheet.run._store import Run, find_run

_IS_FILTER = re.compile(r"[=<>~\s()]")
_IS_ID = re.compile(r"[0-9a-f]+")
_IS_WORD = re.compile(r"[\w.+-]+")


def selected(words: Sequence[str], directory: str | None) -> Runs:
    """The runs that words name, in the order of the words; all runs where there is no word.

    Args:
        words: Ids, beginnings of ids, directories of runs, or filters, each of which picks some of the runs that
            the words before it have left.
        directory: Of the runs; None for the project's own.

    Raises:
        RunError: A word names no run, or one whose record cannot be read.
        QueryError: A filter cannot be read.
    """
    filters = [word for word in words if _IS_FILTER.search(word) and not os.path.exists(word)]
    named = [_named(word, directory) for word in words if word not in filters]
    found = Runs.read(named[0].directory.parent if named else directory)
    if named:
        known = set(found.ids)
        for run in named:
            if run.id not in known:
                require_record(run)
        found = found.of(dict.fromkeys(run.id for run in named))
    for text in filters:
        found = found.filter(text)
    return found


def _named(word: str, directory: str | None) -> Run:
    """The run that a word names.

    Raises:
        RunError: None; where it is what a filter compares, that is shown.
    """
    try:
        return find_run(word, directory)
    except RunError as error:
        everything = Runs.read(directory)
        known = everything.names() if len(everything) and not _IS_ID.fullmatch(word) else []
        close = nearest(word, known)[:1]
        value = next((v for name in close for v in everything.column(name) if v is not None), None)
        if value is None:
            raise
        (fault,) = error.faults
        advice = [f"to filter, compare a name:  {_comparison(close[0], value)}", *fault.advice]
        raise RunError(Fault("", fault.problem, advice=advice)) from None


def _comparison(name: str, value: Any) -> str:
    """A filter that fits a value, as it is typed in a shell."""
    if name in ("started", "ended"):
        return shlex.quote(f"{name}>{moment(value)[:10]}")
    text = str(value)
    return shlex.quote(f"{name}={text if _IS_WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)}")


def nothing(found: Runs, words: Sequence[str]) -> RunError:
    """What to say where no run was found."""
    everything = Runs.read(found.directory)
    if len(everything):
        problem = f"no run of {len(everything)} fits" if words else "no run is there"
        return RunError(Fault("", problem, advice=list(words)))
    advice = ["callsheet run FILE  makes one; --runs DIR  looks elsewhere"]
    return RunError(Fault("", f"there are no runs in {found.directory}", advice=advice))


def names_said(text: str | None) -> list[str]:
    """The names of columns in what was typed, a comma between them; none where nothing was."""
    return [name for part in (text or "").split(",") if (name := part.strip())]


def duration(seconds: float | None) -> str:
    """Seconds for a person.

    >>> duration(0.25), duration(75), duration(3700), duration(90000), duration(None)
    ('0.2s', '1m15s', '1h01m', '1d01h', '-')
    """
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    for size, unit, below, name in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            return f"{whole // size}{unit}{whole % size // below:02}{name}"
    return f"{whole}s"


def moment(seconds: float | None) -> str:
    """A time as the wall clock shows it here; "-" for None."""
    return "-" if seconds is None else datetime.datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")


def cell(name: str, value: Any) -> str:
    """A value of a column, short."""
    if name in ("started", "ended"):
        return moment(value)
    if name == "duration":
        return duration(value)
    if value is None or value == "":
        return "-"
    if name == "error":
        return one_line(str(value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
