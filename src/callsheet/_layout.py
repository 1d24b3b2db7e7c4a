"""How a spec reads: on one line where it fits, else broken like code, nodes that have a name by their name."""

from __future__ import annotations

import sys

from ._leaf import is_long
from ._target import Name
from ._tree import KINDS, TARGET, is_enum, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._tree import Kind

WIDTH = 80

_LONG_NAME = 16
"""Columns of a name beyond which the others are not aligned with it."""

_DEEPEST = 60
"""Levels that are written out; what lies deeper is shown as `...`."""

_LONGEST = 20_000
"""Containers that are broken into lines: a chain of nodes that are held twice each would never end."""

_MORE = "..."


def layout(
    x: Any,
    *,
    width: int = WIDTH,
    indent: int = 0,
    names: dict[int, str] | None = None,
    kinds: dict[type, Kind | None] = KINDS,
    leaf: Callable[[Any], str] | None = None,
) -> str:
    """A spec or value as text.

    Args:
        x: Any spec or value; one that holds itself is shown as far as that, and a node that
            takes lines of its own is shown once.
        width: Columns that a line may use.
        indent: Columns that the first line has used already.
        names: By `id`, the names of nodes that are written elsewhere.
        kinds: Which types are containers.
        leaf: How anything else is written; then nothing is left out, however long it is.

    >>> layout({"a": [1, 2]})
    "{'a': [1, 2]}"
    """
    writer = _Writer(width, names or {}, kinds)
    if leaf is not None:
        writer.leaf, writer.longest, writer.elides = leaf, sys.maxsize, False
    return writer.write(x, indent, 0, top=True)


def layout_names(mapping: Any, *, width: int = WIDTH, kinds: dict[type, Kind | None] = KINDS) -> str:
    """A mapping as a file would define it: a line for each name, nodes that have a name by that name.

    >>> print(layout_names({"epochs": 5, "lr": 0.1}))
    epochs = 5
    lr     = 0.1
    """
    kind = kind_of(type(mapping), kinds)
    assert kind is not None
    items = list(zip(*kind.items(mapping), strict=True))
    names: dict[int, str] = {}
    for name, value in items:
        inner = kind_of(type(value), kinds)
        held = inner is not None and (inner.node or (inner.family in ("list", "dict") and len(value)))
        if held and str(name).isidentifier():
            names.setdefault(id(value), str(name))
    longest = max((len(str(name)) for name, _ in items if len(str(name)) <= _LONG_NAME), default=0)
    lines = []
    for name, value in items:
        head = f"{name:<{longest}} = "
        text = names.get(id(value), str(name))
        if text == str(name):
            text = layout(value, width=width, indent=len(head), names=names, kinds=kinds)
        lines.append(head + text)
    return "\n".join(lines)


class _Writer:
    def __init__(self, width: int, names: dict[int, str], kinds: dict[type, Kind | None]) -> None:
        self.width = width
        self.names = names
        self.kinds = kinds
        self.leaf: Callable[[Any], str] = _leaf_text
        self.longest = _LONGEST
        self.elides = True
        self.opened: set[int] = set()
        self.shown: set[int] = set()
        self.rows = 0
        self.flats: dict[tuple[int, bool], str | None] = {}

    def write(self, x: Any, column: int, depth: int, *, top: bool = False) -> str:
        """`x` as text that starts at `column`, its further lines indented by `depth` fours."""
        line = self._flat(x, depth, top=top)
        if line is not None and (line == _MORE or column + len(line) <= self.width):
            return line
        self.rows += 1
        if self.rows > self.longest:
            return _MORE
        kind = kind_of(type(x), self.kinds)
        if kind is None or kind.form is None:
            return line or self.leaf(x)
        self.opened.add(id(x))
        opening, labels, closing, values = self._form(x, kind)
        if not labels:
            self.opened.discard(id(x))
            return opening + closing.lstrip(",")
        inner = "    " * (depth + 1)
        rows = [
            inner + label + self.write(v, len(inner) + len(label) + 1, depth + 1)
            for label, v in zip(labels, values, strict=True)
        ]
        self.opened.discard(id(x))
        if kind.node and self.elides:
            self.shown.add(id(x))
            self.flats.clear()  # what holds it takes less room from now on
        return opening + "\n" + ",\n".join(rows) + ",\n" + "    " * depth + closing.lstrip(",")

    def _flat(self, x: Any, depth: int, *, top: bool = False) -> str | None:
        """`x` on one line, None where that is longer than any line may be."""
        kind = kind_of(type(x), self.kinds)
        if kind is None or kind.form is None:
            return self.leaf(x)
        if not top and id(x) in self.names:
            return self.names[id(x)]
        if id(x) in self.opened or depth > _DEEPEST:
            return _MORE
        if id(x) in self.shown:
            opening, _, closing, _ = self._form(x, kind)
            return f"{opening}{_MORE}{closing}"
        if (id(x), top) in self.flats:
            return self.flats[id(x), top]
        self.opened.add(id(x))
        opening, labels, closing, values = self._form(x, kind)
        parts: list[str] = []
        room: int = self.width - len(opening)
        line: str | None = None
        for label, value in zip(labels, values, strict=True):
            part = self._flat(value, depth + 1)
            if part is None or room < 0:
                break
            parts.append(label + part)
            room -= len(parts[-1]) + 2
        else:
            line = opening + ", ".join(parts) + closing
        self.opened.discard(id(x))
        self.flats[id(x), top] = line
        return line

    def _form(self, x: Any, kind: Kind) -> tuple[str, list[str], str, list[Any]]:
        assert kind.form is not None
        keys, values = kind.items(x)
        opening, labels, closing = kind.form(x, keys)
        if keys and keys[0] == TARGET and id(values[0]) in self.names:
            opening = f"{opening.partition('(')[0]}({self.names[id(values[0])]})("
        return opening, labels, closing, values[len(values) - len(labels) :]


def _leaf_text(x: Any) -> str:
    """A value that holds nothing, as code would say it."""
    if isinstance(x, type):
        return x.__qualname__
    if type(x) is Name:
        return x.qualname if x.qualname.rpartition(".")[2][:1].isupper() else x.dotted
    if is_enum(x) and x.name:
        return " | ".join(f"{type(x).__qualname__}.{part}" for part in x.name.split("|"))
    if type(x).__module__.startswith("pathlib") and hasattr(x, "joinpath"):
        return f"{type(x).__name__.removeprefix('Posix').removeprefix('Windows')}({str(x)!r})"
    if isinstance(x, int) and is_long(x):
        text = hex(x)
    else:
        name = getattr(x, "__qualname__", None) if callable(x) and not hasattr(x, "__origin__") else None
        text = repr(x) if name is None else str(name)
    return text if len(text) <= 400 else text[:396] + " ..."
