"""Tables and specs as text for a terminal of 80 columns."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from typing import Any

import click

from callsheet._layout import layout, layout_names
from callsheet._spec import Mapping


def width() -> int:
    """Columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows in columns, two spaces apart; the columns in `right` are aligned to the right.

    >>> print(table([["run", "loss"], ["a", "0.1"]], right=[1]))
    run  loss
    a     0.1
    """
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(w) if n in right else cell.ljust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def number(value: Any) -> str:
    """A value of a result, short.

    >>> number(0.123456), number(12), number(1e-7), number("best")
    ('0.1235', '12', '1e-07', 'best')
    """
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def is_number(value: Any) -> bool:
    """Whether a value of a result can be the largest of some; NaN cannot.

    >>> is_number(0.5), is_number(float("nan")), is_number("best"), is_number(None)
    (True, False, False, False)
    """
    return isinstance(value, int | float) and value == value


def print_json(data: Any) -> None:
    """Print data for a program; what JSON has no number for is null.

    >>> print_json({"loss": float("nan"), "runs": [1]})
    {
     "loss": null,
     "runs": [
      1
     ]
    }
    """
    click.echo(json.dumps(finite(data), indent=1, ensure_ascii=False))


def finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def spec_text(spec: Any, *, columns: int = 80) -> str:
    """A spec as it reads in a file: a line for each name, nodes that have a name by that name."""
    return layout_names(spec, width=columns) if isinstance(spec, Mapping) else layout(spec, width=columns)
