"""What overrides changed besides what they name, and those that reached nothing although the file reads their name."""

from __future__ import annotations

import _ast as ast

from ._changes import Changes
from ._configfile import show_file, source_of
from ._diff import diff
from ._lazy import locate_path, through
from ._path import parse_path
from ._resolve import resolve
from ._tree import ATOMS
from ._wildcard import Takers, places_below
from .errors import CallsheetError, Fault, PathError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ._grammar import Override


def others_changed(before: Any, after: Any, said: Sequence[Override], *, below: str = "") -> Changes:
    """The values that differ with overrides, save those that they name.

    Args:
        before: The spec as it is without them.
        after: The spec with them.
        said: The overrides.
        below: The path of the part that counts; "" for all.

    Returns:
        The changes, references counted by what they lead to; empty where they cannot be resolved.
    """
    meant = [steps for override in said for steps in _meant(before, after, override)]
    try:
        before, after = resolve(before), resolve(after)
    except CallsheetError:
        return Changes()  # whose faults `check` has told
    named = [_place(after, steps) for steps in meant]
    made = {steps[:n] for steps in meant for n in range(1, len(steps))}
    part = parse_path(below) if below else ()
    found = [(change, change.steps or parse_path(change.path)) for change in diff(before, after)]
    return Changes(
        [
            c
            for c, steps in found
            if steps[: len(part)] == part
            and not _is_own(steps, after, named)
            and not (c.kind == "added" and steps in made)  # a mapping on the way to a new key
        ]
    )


def _meant(before: Any, after: Any, said: Override) -> Iterator[tuple[Any, ...]]:
    """The paths that an override names; a wildcard those that it reaches, or that it has taken away."""
    if not said.below:
        yield said.steps
        return
    for spec in (before, after):
        try:
            yield from places_below(spec, said, "", Takers())
        except CallsheetError:
            continue  # nothing there


def _is_own(steps: tuple[Any, ...], after: Any, named: list[Any]) -> bool:
    return any(_place(after, steps[:n]) in named for n in range(1, len(steps) + 1))


def _place(spec: Any, steps: tuple[Any, ...]) -> Any:
    """What holds a value, or held it, and under which key; the steps themselves where there is nothing any more."""
    try:
        holder, key, _ = locate_path(spec, steps)
    except PathError:
        try:
            above = locate_path(spec, steps[:-1])
        except PathError:
            return steps
        holder, key = through(spec, above[2]), steps[-1]
    return id(holder), key


def reached_nothing(path: str, before: Any, after: Any, said: Sequence[Override], changed: Changes) -> list[Fault]:
    """A note for each plain value of a config file that was overridden and changed nothing else, though it is read.

    Args:
        path: The config file.
        before: The spec as it is without the overrides.
        after: The spec with them.
        said: The overrides.
        changed: What else they changed.
    """
    if changed or not path.endswith(".py"):
        return []
    notes = []
    for override in said:
        name = (*override.steps, *override.below)[0]
        if (
            len(override.steps) > 1
            or override.below
            or override.operation != "set"
            or name not in before
            or name not in after
        ):
            continue
        if type(before[name]) in ATOMS and before[name] != after[name]:
            lines = [line for line, read in _reads(source_of(path).text) if read == name]
            if lines:
                where = ", ".join(f"{show_file(path)}:{line}" for line in lines[:3])
                problem = f"changed nothing else in the spec, although it is read at {where}"
                advice = [f"what the spec holds:  callsheet show {show_file(path)}"]
                notes.append(Fault(str(name), problem, advice=advice))
    return notes


def _reads(text: str) -> Iterator[tuple[int, str]]:
    """The line and the name of each variable that a file reads, in order."""
    todo: list[Any] = [compile(text, "config", "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.lineno, node.id
        for field in reversed(node._fields):
            part = getattr(node, field, None)
            todo += reversed([x for x in (part if isinstance(part, list) else [part]) if isinstance(x, ast.AST)])
