"""Two sequences side by side: which elements stay where they are, in about linear time."""

from __future__ import annotations

from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    Pair = tuple[int | None, int | None]

_MOST_STEPS = 1_000_000
"""Elements looked at in the search for the fewest insertions and deletions; beyond, a rougher answer does."""


def align(*keys: tuple[Sequence[Hashable], Sequence[Hashable]]) -> list[Pair]:
    """Pair the positions of two sequences.

    Args:
        keys: What tells the elements of the two apart: first the strictest
            keys; each further pair of keys is asked between what was paired.
            What is left between is paired by position.

    Returns:
        `(i, j)` for elements that belong together, `(i, None)` for one that is
        gone and `(None, j)` for one that is new, in order.

    >>> align(("abc", "axbc"))
    [(0, 0), (None, 1), (1, 2), (2, 3)]
    >>> align(("abc", "axc"))
    [(0, 0), (1, 1), (2, 2)]
    """
    first, second = keys[0]
    pairs: list[Pair] = []
    i = j = 0
    for x, y in [*_matched(first, second), (len(first), len(second))]:
        if x > i or y > j:
            pairs += _between(keys[1:], i, x, j, y)
        if x < len(first):
            pairs.append((x, y))
        i, j = x + 1, y + 1
    return pairs


def _between(
    keys: Sequence[tuple[Sequence[Hashable], Sequence[Hashable]]], i: int, x: int, j: int, y: int
) -> list[Pair]:
    if keys and x > i and y > j and x - i != y - j:
        inner = align(*((first[i:x], second[j:y]) for first, second in keys))
        return [(None if n is None else n + i, None if m is None else m + j) for n, m in inner]
    both = min(x - i, y - j)
    pairs: list[Pair] = [(i + n, j + n) for n in range(both)]
    return [*pairs, *((n, None) for n in range(i + both, x)), *((None, m) for m in range(j + both, y))]


def _matched(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Positions of equal keys, ascending in both."""
    start, end = 0, 0
    shorter = min(len(a), len(b))
    while start < shorter and a[start] == b[start]:
        start += 1
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    inner, other = a[start : len(a) - end], b[start : len(b) - end]
    found = _shortest(inner, other)
    if found is None:
        found = _by_occurrence(inner, other)
    tail = ((len(a) - n, len(b) - n) for n in range(end, 0, -1))
    return [*((n, n) for n in range(start)), *((i + start, j + start) for i, j in found), *tail]


def _shortest(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]] | None:
    """The pairs of a shortest edit script, None where it is too long to be searched for.

    E. W. Myers, "An O(ND) difference algorithm and its variations", 1986.
    """
    n, m = len(a), len(b)
    if not n or not m:
        return []
    most = min(64, _MOST_STEPS // (n + m) + 4)
    reach, trace = {1: 0}, []
    for d in range(most + 1):
        trace.append(dict(reach))
        for k in range(-d, d + 1, 2):
            x = reach[k + 1] if _down(reach, k, d) else reach[k - 1] + 1
            while x < n and x - k < m and a[x] == b[x - k]:
                x += 1
            reach[k] = x
            if x >= n and x - k >= m:
                return _back(trace, n, m)
    return None


def _down(reach: dict[int, int], k: int, d: int) -> bool:
    return k == -d or (k != d and reach[k - 1] < reach[k + 1])


def _back(trace: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    pairs = []
    for d in range(len(trace) - 1, -1, -1):
        reach, k = trace[d], x - y
        before = k + 1 if _down(reach, k, d) else k - 1
        from_x = reach[before]
        from_y = from_x - before
        while x > max(from_x, 0) and y > max(from_y, 0):
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = from_x, from_y
    pairs.reverse()
    return pairs


def _by_occurrence(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The n-th of equal elements here is the n-th there; of these pairs, the most that do not cross."""
    places: dict[Hashable, list[int]] = {}
    for j, key in enumerate(b):
        places.setdefault(key, []).append(j)
    candidates = []
    taken: dict[Hashable, int] = {}
    for i, key in enumerate(a):
        nth = taken.get(key, 0)
        if nth < len(places.get(key, ())):
            taken[key] = nth + 1
            candidates.append((i, places[key][nth]))
    ends: list[int] = []  # the smallest last position in b of an ascending row of each length
    rows: list[int] = []  # the candidates that have it
    before: list[int | None] = []
    for n, (_, j) in enumerate(candidates):
        length = bisect_left(ends, j)
        before.append(rows[length - 1] if length else None)
        ends[length : length + 1] = [j]
        rows[length : length + 1] = [n]
    pairs = []
    at = rows[-1] if rows else None
    while at is not None:
        pairs.append(candidates[at])
        at = before[at]
    pairs.reverse()
    return pairs
