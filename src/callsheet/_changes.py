"""What makes one spec another: changes as data, that can be saved, read by a person and applied."""

from __future__ import annotations

from _collections_abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from ._bind import unbind
from ._equal import equal
from ._items import label_of as target_label
from ._layout import layout
from ._path import format_path, parse_path
from ._ref import Ref, moved
from ._spec import INSTANCES
from ._tree import KINDS, TARGET, Kind, fold, kind_of, list_form
from .errors import PathError, plain

if TYPE_CHECKING:
    from .errors import Paint

Steps = tuple[Any, ...]

_LONGEST_PATH = 28
_LONGEST_VALUE = 48
_raw = object.__getattribute__


@dataclass(frozen=True, eq=False)
class Same:
    """Stands in a change for a node of the spec that is changed, wherever that stands in the end.

    Attributes:
        path: Where it is in the spec before the change.
        steps: The same as steps, where the text does not tell them (odd keys).
    """

    __module__ = "callsheet"  # files name it by its public name

    path: str = ""
    steps: Steps = ()

    def __eq__(self, other: object) -> bool:
        return equal(self, other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False, repr=False)
class Change:
    """One difference between two specs.

    Attributes:
        path: Where: in the spec before the change; of an element that is added
            to a list, its position afterwards. Ends in `["(target)"]` for what
            a call calls.
        kind: "changed", "added" or "removed".
        was: The value before, None if it is added. A node that stays elsewhere is a `Same`.
        now: The value after, None if it is removed. A node that was there is a `Same`.
        was_set_by: The origin of the value before: `conf.py:8`, or "".
        now_set_by: The origin of the value after.
        steps: The path as steps, where its text does not tell them (odd keys).
    """

    __module__ = "callsheet"

    path: str = ""
    kind: Literal["changed", "added", "removed"] = "changed"
    was: Any = None
    now: Any = None
    was_set_by: str = ""
    now_set_by: str = ""
    steps: Steps = ()

    def __eq__(self, other: object) -> bool:
        return equal(self, other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "  ".join(filter(None, _row(self)))


class Changes(list[Change]):
    """The changes from one spec to another: a list, empty where nothing differs, that prints as a table.

    >>> print(Changes([Change("lr", "changed", 0.1, 0.2), Change("seed", "added", now=3)]))
    lr    0.1 → 0.2
    seed  + 3
    """

    __module__ = "callsheet"

    def __init__(self, changes: Iterable[Any] = ()) -> None:
        super().__init__(_revived(list(changes)))

    def __repr__(self) -> str:
        return changes_text(self)


def _given(x: Any) -> tuple[list[Any], list[Any]]:
    """The fields of a change that say something."""
    items = {field.name: getattr(x, field.name) for field in fields(x)}
    told = {k: v for k, v in items.items() if v is not None and (k in ("was", "now") or v)}
    return [*told], [*told.values()]


for _cls in (Same, Change):
    _kind = Kind(_given, lambda x, keys, values: type(x)(**dict(zip(keys, values, strict=True))), family="fields")
    _cls.__callsheet_kind__ = _kind  # type: ignore[union-attr]
_kind = Kind(
    lambda x: (list(range(len(x))), list(x)),
    lambda x, keys, values: Changes(values),
    family="list",
    head=lambda x: None,
    form=list_form,
)
Changes.__callsheet_kind__ = _kind  # type: ignore[attr-defined]


def written(steps: Steps) -> dict[str, Any]:
    """Steps as the fields `path` and `steps` of a `Change` or `Same`."""
    path = format_path(steps)
    try:
        told = parse_path(path) if steps else ()
    except PathError:
        told = None
    same = told is not None and told == steps and [*map(type, told)] == [*map(type, steps)]
    return {"path": path} if same else {"path": path, "steps": steps}


def steps_to(x: Change | Same) -> Steps:
    """The steps that a change or a `Same` tells.

    Raises:
        PathError: Its path is none.
    """
    return x.steps or (parse_path(x.path) if x.path else ())


def _revived(changes: list[Any]) -> list[Any]:
    """Changes as they were made, from what a file gave."""
    if all(type(change) is Change for change in changes):
        return changes

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        cls = _CLASSES.get(_raw(x, "__target__").text) if type(x) in INSTANCES else None
        if cls is None:
            made = kind.remake(x, keys, values)
            if type(made) is Ref:  # it was bound to the changes, as if they were the spec
                moved(made, lambda old: old)
                unbind(made)
            return made
        return cls(**dict(zip(keys, values, strict=True)))

    found = fold(changes, make)
    for change in found:
        if type(change) is not Change:
            raise TypeError(f"{layout(change)} is no change: give what diff(a, b) gave, or what was saved of it")
    return list(found)


_CLASSES: dict[str, Any] = {"callsheet:Change": Change, "callsheet:Same": Same}


# --- as text ----------------------------------------------------------------------------------------------------------


def label_of(steps: Steps) -> str:
    """A place as a person reads it: `optim.lr`, and `target(optim)` for what a call calls."""
    if steps and steps[-1] == TARGET:
        return f"target({format_path(steps[:-1])})"
    return format_path(steps) or "(the whole)"


def value_text(x: Any, steps: Steps = ()) -> str:
    """A value of a change, on one short line; nodes that are elsewhere by their path."""
    if type(x) is Same:
        return f"the same as {label_of(steps_to(x))}"
    if steps and steps[-1] == TARGET and kind_of(type(x)) is None:
        return target_label(x, full=True)
    text = layout(x, width=10_000, kinds=_SHOWN).replace("\n", " ")
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 4] + " ..."


def changes_text(changes: Changes, *, width: int = 0, paint: Paint = plain) -> str:
    """Changes as a table; where lines must keep to a width and it does not, origins or all three below each other.

    Args:
        changes: What differs.
        width: Columns that lines keep to; 0 for any.
        paint: Makes what was red, what is green, and origins dim.
    """
    if not changes:
        return "no changes"
    rows = [_row(change) for change in changes]
    path = min(max(len(row[0]) for row in rows), _LONGEST_PATH)
    value = max(len(row[1]) for row in rows)
    texts = [_painted(change, text, paint) for change, (_, text, _) in zip(changes, rows, strict=True)]
    beside = not width or max(max(path, len(a)) + max(value, len(b)) + len(c) + 4 for a, b, c in rows) <= width
    below = not beside and max(max(path, len(a)) + len(b) + 2 for a, b, _ in rows) <= width
    lines: list[str] = []
    for (a, b, c), text in zip(rows, texts, strict=True):
        origin = paint(c, "dim")
        if beside:
            lines.append(f"{a:<{path}}  {text}{' ' * (value - len(b))}  {origin}".rstrip())
        else:
            lines += [f"{a:<{path}}  {text}"] if below else [a, f"  {text}"]
            lines += [f"{' ' * (path if below else 0)}  {origin}"] if c else []
    return "\n".join(lines)


def _painted(change: Change, text: str, paint: Paint) -> str:
    if change.kind != "changed":
        return paint(text, "green" if change.kind == "added" else "red")
    was = value_text(change.was, steps_to(change))
    return f"{paint(was, 'red')} → {paint(text[len(was) + 3 :], 'green')}"


def _row(change: Change) -> tuple[str, str, str]:
    steps = steps_to(change)
    was, now = value_text(change.was, steps), value_text(change.now, steps)
    text = {"added": f"+ {now}", "removed": f"- {was}", "changed": f"{was} → {now}"}[change.kind]
    origins = dict.fromkeys(filter(None, (change.was_set_by, change.now_set_by)))
    return label_of(steps), text, " → ".join(origins)


def _same_items(x: Same) -> tuple[list[Any], list[Any]]:
    return [], []


_SHOWN: dict[type, Kind | None] = {
    **KINDS,
    Same: Kind(_same_items, lambda x, keys, values: x, form=lambda x, keys: (label_of(steps_to(x)), [], "")),
}
