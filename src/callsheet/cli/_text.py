"""Tables and specs as text for a terminal of 80 columns."""

from __future__ import annotations

import math

from callsheet._layout import layout, layout_names
from callsheet._page import columns
from callsheet._spec import Mapping

TYPE_CHECKING = False  # importing typing costs as much as reading a config
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def say(text: str) -> None:
    """Print a text at once, so that whoever has stopped listening is noticed here."""
    try:
        print(text, flush=True)
    except UnicodeEncodeError:  # what the terminal says of itself cannot write all texts: click finds a way
        import click

        click.echo(text)


def json_text(data: Any) -> str:
    """Data for a program."""
    import json  # for a person, nobody waits for it

    return json.dumps(data, indent=1, ensure_ascii=False)


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
    say(json_text(_finite(data)))


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def spec_text(spec: Any) -> str:
    """A spec as it reads in a file: a line for each name, nodes that have a name by that name."""
    return layout_names(spec, width=columns()) if isinstance(spec, Mapping) else layout(spec, width=columns())
