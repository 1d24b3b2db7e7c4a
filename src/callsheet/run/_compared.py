"""What runs are compared by: the values that count for them, under names that they share, and which of those differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from callsheet.run._row import within
from callsheet.run._runs import RunView


def compared(views: Iterable[RunView]) -> list[dict[str, str]]:
    """Of each run the values that count, as text by path.

    What stands beside a run's entry counts only where it counts for another of these runs. Where runs of several
    entries have nothing to do with each other's, as experiments of a file, paths start in the entry, so that the same
    value of each has the same name.
    """
    views = list(views)
    beside = [[str(path) for path in view.facts.get("beside") or ()] for view in views]
    entries = [str(view.facts.get("entry") or "") for view in views]
    pairs = list(zip(entries, beside, strict=True))
    apart = [
        entry
        for entry in dict.fromkeys(entries)
        if len(set(entries)) > 1
        and all(any(within(path, entry) for path in paths) for other, paths in pairs if other != entry)
    ]
    values: list[dict[str, str]] = []
    counts: set[str] = set()
    for view, (entry, paths) in zip(views, pairs, strict=True):
        named: dict[str, str] = {}
        for path, text in view.values.items():
            name, start = _name(path, entry, apart)
            is_beside = any(within(path, above) for above in paths)
            if not is_beside:
                counts.add(name)
            if path not in apart and not (is_beside and start):
                named[name] = text if start == entry else named.get(name, text)
        values.append(named)
    return [{name: text for name, text in named.items() if name in counts} for named in values]


def _name(path: str, entry: str, apart: Sequence[str]) -> tuple[str, str]:
    """What a path is called beside those of other entries, and the entry in which it starts."""
    start = next((e for e in (entry, *apart) if e in apart and path.startswith(f"{e}.")), "")
    return (path.removeprefix(f"{start}."), start) if start else (path, "")


def differing(values: Sequence[dict[str, str]]) -> list[str]:
    """The paths whose values are not the same everywhere; of those that always differ together, the one that was set.

    >>> differing([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}])
    ['b']
    """
    paths = dict.fromkeys(path for v in values for path in v)
    found = [path for path in paths if len({v.get(path) for v in values}) > 1]
    columns: dict[tuple[str | None, ...], str] = {}
    for path in found:
        columns.setdefault(tuple(v.get(path) for v in values), path)
    return list(columns.values())
