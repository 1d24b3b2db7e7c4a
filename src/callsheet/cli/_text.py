"""Tables and specs as text, in the columns that there are."""

from __future__ import annotations

import math

from callsheet._layout import layout, layout_names
from callsheet._spec import Mapping
from callsheet._terminal import columns, cut, painter, room, say, width

TYPE_CHECKING = False  # importing typing costs as much as reading a config
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

LONGEST = 200
"""Columns of a text in a result, where nobody asked for that."""


def table(
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    head: bool = False,
    style: Callable[[int, int], str] = lambda row, column: "",
    yields: int = -1,
    least: int = 0,
) -> str:
    """Rows in columns, two spaces apart; where a terminal has no room for them, the cells of a row below each other.

    Args:
        rows: Cells by row.
        right: Columns that are aligned to the right.
        head: Whether the first row names the others' cells.
        style: The style (`bold`, `dim`, `red`, `green`, or "") of the cell in a row and column.
        yields: The column whose cells may be cut at a terminal, so that there is room; by default the last.
        least: To how many columns they are cut at most in a table; 0 for never.

    >>> print(table([["run", "loss"], ["a", "0.1"]], right=[1]))
    run  loss
    a     0.1
    """
    paint = painter()
    texts = [[printable(" ".join(map(str.strip, cell.split("\n")))) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*texts, strict=True)]
    yields %= len(widths)
    left = room() - (sum(widths) - widths[yields]) - 2 * (len(widths) - 1)
    if least and room() and left < widths[yields]:
        longest = max(map(width, texts[0][1:]), default=0) if head else -2
        widths[yields] = left if left >= least else max(room() - longest - 4, least)
        for row in texts:
            row[yields] = cut(row[yields], widths[yields])
    shown = [
        [paint(cell, style(y, x)) if style(y, x) else cell for x, cell in enumerate(row)] for y, row in enumerate(texts)
    ]
    if room() and sum(widths) + 2 * (len(widths) - 1) > room():
        return "\n".join(_stacked(texts, shown, head=head))
    aligned = frozenset(right)  # there may be thousands
    lines = []
    for row, cells in zip(texts, shown, strict=True):
        gaps = [" " * (w - width(cell)) for w, cell in zip(widths, row, strict=True)]
        lines.append(
            "  ".join(gap + c if n in aligned else c + gap for n, (c, gap) in enumerate(zip(cells, gaps, strict=True)))
        )
    return "\n".join(line.rstrip() for line in lines)


def _stacked(rows: Sequence[Sequence[str]], shown: Sequence[Sequence[str]], *, head: bool) -> Iterator[str]:
    """Each row as its first cell with the others below, by name where a head names them."""
    names = rows[0] if head else [""] * len(rows[0])
    longest = max(map(width, names[1:]), default=0)
    for row, cells in list(zip(rows, shown, strict=True))[head:]:
        yield cells[0]
        for name, raw, cell in zip(names[1:], row[1:], cells[1:], strict=True):
            if raw:
                yield f"  {name}{' ' * (longest - width(name))}  {cell}" if head else f"  {cell}"


def number(value: Any) -> str:
    """A value of a result, short.

    >>> number(0.123456), number(12), number(1e-7), number("best")
    ('0.1235', '12', '1e-07', 'best')
    """
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def printable(text: str) -> str:
    r"""A text in which what would move a terminal's cursor, colour it or turn its line round is written out.

    >>> print(printable("a\x1b[2J\tb"))
    a\x1b[2J\tb
    """
    if text.isprintable():
        return text
    from unicodedata import bidirectional, category  # few texts need it

    wild = (c for c in {*text} if category(c) in ("Cc", "Zl", "Zp") or bidirectional(c) in _TURNING)
    return text.translate({ord(c): c.encode("unicode_escape").decode() for c in wild})


_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def one_line(text: str) -> str:
    r"""What somebody else's code says, in one line of bearable length.

    >>> one_line("out of\n  memory"), len(one_line("x" * 5000))
    ('out of memory', 200)
    """
    return cut(printable(" ".join(text.split())), LONGEST)


def short(text: str) -> str:
    """A text whose numbers have six digits where they have more than anybody types, as those that are drawn.

    >>> short("lr=0.034334157337966 seed=1234567890123456 eps=1.0000000001")
    'lr=0.0343342 seed=1234567890123456 eps=1.0000000001'
    """
    import re  # no verb that answers at once has such numbers

    return re.sub(
        rf"(?<![\w.])\d(?=[\d.]{{{_TYPED},}})\d*\.\d+(?:e[+-]?\d+)?(?![\w.])",
        lambda match: f"{float(match[0]):.6g}",
        text,
    )


_TYPED = 13
"""Digits that nobody types, with the point but the first."""


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
    import json  # for a person, nobody waits for it

    say(json.dumps(finite(data), indent=1, ensure_ascii=False))


def finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def spec_text(spec: Any) -> str:
    """A spec as it reads in a file: a line for each name, nodes that have a name by that name."""
    return (layout_names if isinstance(spec, Mapping) else layout)(spec, width=columns())
