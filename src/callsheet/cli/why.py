"""`callsheet why`: who set a value, and what it replaced."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from callsheet._lazy import locate_path
from callsheet._lineage import defaults_of, origins_of
from callsheet._path import format_path, parse_path
from callsheet._terminal import say
from callsheet.cli._config import overrides_argument, reading_options, told
from callsheet.cli._recorded import origins_of_run
from callsheet.cli._subject import Subject
from callsheet.cli._text import print_json, table
from callsheet.errors import Fault, PathError, nearest


@click.command("why")
@click.argument("subject", metavar="RUN|FILE")
@click.argument("path", metavar="PATH")
@overrides_argument
@reading_options
@told
def command(
    subject: str,
    path: str,
    overrides: tuple[str, ...],
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    runs: str | None,
    as_json: bool,
) -> None:
    """Tell who set the value at PATH, in a run or in a config with overrides, and what it replaced.

    \b
    callsheet why 7f3a9c optim.lr
    callsheet why conf.py optim.lr optim.lr=3e-3
    """  # noqa: D301  (click reads the backspace)
    found = Subject.read(subject, overrides, paths=paths, allow=allow, runs=runs)
    if found.run is None:
        origins, defaults = origins_of(found.spec), defaults_of(found.spec)
    else:
        origins, defaults = origins_of_run(found.run), found.run.record.get("defaults", {})
    place = format_path(parse_path(path))
    if place not in origins and found.run is None:
        place = _other_path(found.spec, place, origins)
    chain = chain_of(place, origins, defaults)
    if as_json:
        print_json(chain)
        return
    rows = []
    for n, link in enumerate(chain):
        text = "  ".join(filter(None, [link["text"], "replaced" if n else ""]))
        rows.append([link["value"], link["where"], text])
    say(table(rows, style=lambda row, column: "dim" if row or column else "bold"))


def _other_path(spec: Any, path: str, origins: Iterable[str]) -> str:
    """The path under which a value is known that another path leads to as well; the path itself where none does."""
    try:
        holder, key, _ = locate_path(spec, path)
    except PathError:
        return path
    for other in origins:
        found = locate_path(spec, other)
        if found[0] is holder and found[1] == key:
            return other
    return path


def chain_of(path: str, origins: dict[str, Any], defaults: dict[str, Any]) -> list[dict[str, str]]:
    """The value at a path and those it replaced, each with who set it.

    Raises:
        PathError: The path is not one of the spec, nor a default that it took.
    """
    if path in origins:
        return list(origins[path])
    holder, _, name = path.rpartition(".")
    for label, taken in defaults.items():
        place, _, target = label.partition(": ")
        if place == holder and name in taken:
            return [{"value": taken[name], "kind": "default", "where": f"default of {target}", "text": ""}]
    close = nearest(path, origins)
    advice = [f"did you mean  {close[0]}?"] if close else []
    raise PathError(Fault(path, "is not there", advice=advice))
