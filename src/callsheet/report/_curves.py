"""Curves with few enough points to be drawn: the extremes of each stretch are kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

Curve = tuple[list[float], list[float | None]]
"""x values, and the numbers there; None where a number is not finite, so that the line has a gap."""


def thinned(xs: Sequence[float], ys: Sequence[float], most: int) -> Curve:
    """A curve of at most `most` points, the first and the last among them.

    Of each stretch the smallest and the largest number stay, where they are, so that no spike is lost.

    Args:
        xs: Ascending.
        ys: As many; NaN and infinities become gaps.
        most: At least 4.

    >>> thinned([0, 1, 2, 3, 4, 5], [0, 9, 1, 1, -5, 2], 4)
    ([0, 1, 4, 5], [0, 9, -5, 2])
    """
    count = len(xs)
    if count <= most:
        kept: Sequence[int] = range(count)
    else:
        stretches = max((most - 2) // 2, 1)
        chosen = {0, count - 1}
        for n in range(stretches):
            start, end = 1 + n * (count - 2) // stretches, 1 + (n + 1) * (count - 2) // stretches
            inside = [i for i in range(start, end) if math.isfinite(ys[i])]
            if inside:
                chosen |= {min(inside, key=ys.__getitem__), max(inside, key=ys.__getitem__)}
            else:
                chosen.add(start)
        kept = sorted(chosen)
    return [short(xs[i]) for i in kept], [short(ys[i]) if math.isfinite(ys[i]) else None for i in kept]


def short(number: float) -> float:
    """A number with the digits that a drawing can show."""
    return number if isinstance(number, int) else float(f"{number:.7g}")
