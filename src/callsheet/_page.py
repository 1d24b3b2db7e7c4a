"""Help as text: the components of a spec, in the columns that there are."""

from __future__ import annotations

from .errors import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._guide import Entry, Section
    from .errors import Paint

_LEFT = 34
"""Columns of `path=value` beyond which the others are not aligned with it."""
_TYPE = 22
_VALUE = 40
"""Characters of a value that are shown."""


def page(sections: Iterable[Section], *, width: int = 80, paint: Paint = plain) -> str:
    """Sections as a person reads them, a blank line between them.

    Args:
        sections: What `guide` gives.
        width: Columns that a line may use.
        paint: Makes headings bold and origins dim.
    """
    shown = [section for section in sections if section.entries or section.label]
    rows = [entry for section in shown for entry in section.entries]
    left = min(max((len(_assignment(entry)) for entry in rows), default=0), _LEFT, width // 2)
    middle = min(max((len(_type(entry)) for entry in rows), default=0), _TYPE)
    parts = []
    for section in shown:
        lines = list(_heading(section, width, paint=paint))
        for entry in section.entries:
            lines += _row(entry, (left, middle), width, paint=paint)
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Words in lines of a width; one that is longer stands alone.

    >>> wrap("one two three", 9, "  ")
    ['  one two', '  three']
    """
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and len(indent) + len(line) + 1 + len(word) > width:
            lines.append(indent + line)
            line = ""
        line = f"{line} {word}" if line else word
    return [*lines, indent + line] if line else lines


def _heading(section: Section, width: int, *, paint: Paint) -> Iterator[str]:
    head = ": ".join(filter(None, (section.path, section.label)))
    if head:
        yield paint(head, "bold")
    yield from wrap(section.summary, width)
    if section.told is False:
        yield from wrap("types unknown here: callsheet check reads and remembers them", width)


def _row(entry: Entry, widths: tuple[int, int], width: int, *, paint: Paint) -> Iterator[str]:
    """One value: what is typed, its type and origin on a line if they fit, then what is said about it."""
    left, middle = widths
    lines, line = [], "  " + _assignment(entry)
    for cell, start in ((_type(entry), left + 4), (entry.origin, left + 4 + (middle + 2 if middle else 0))):
        if not cell:
            continue
        at = start if len(line) + 2 <= start else len(line) + 2
        if at + len(cell) > width:
            lines.append(line)
            line, at = "", 6
        shown = paint(cell, "dim") if cell is entry.origin else cell
        line = line.ljust(at) + shown
    yield from (*lines, line)
    yield from wrap(entry.text, width, " " * 6)
    if _listed(entry) and _listed(entry) != _type(entry):
        yield from wrap(f"one of {', '.join(entry.choices)}", width, " " * 6)


def _assignment(entry: Entry) -> str:
    value = "…" if entry.value is None else entry.value
    return f"{entry.path}={value if len(value) <= _VALUE else value[: _VALUE - 1] + '…'}"


def _type(entry: Entry) -> str:
    text = _listed(entry) if len(_listed(entry)) <= _VALUE and _listed(entry) else entry.type
    text = text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"
    return ", ".join(filter(None, (text, "required" if entry.value is None else "")))


def _listed(entry: Entry) -> str:
    """The choices, but of truth values, which everybody knows."""
    return "" if "true" in entry.choices and "false" in entry.choices else " | ".join(entry.choices)
