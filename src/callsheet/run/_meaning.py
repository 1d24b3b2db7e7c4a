"""What the names of a command's template mean: values of the spec, what only the run tells, folders as seen here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from callsheet._build import build
from callsheet._items import step_into
from callsheet._layout import layout
from callsheet._lazy import nothing_at
from callsheet._leaf import MISSING, Datum
from callsheet._ref import Ref
from callsheet._secret import Secret
from callsheet._target import Name
from callsheet._tree import kind_of
from callsheet.errors import Fault, SpecError
from callsheet.run import _shape

TAKEN = ("dir", "id", "index", "attempt", "working_dir", "data_dir", "output_dir")
"""What a template reads below `run` that the run itself tells."""


def folder_seen(part: Any, kind: str) -> str:
    """Where an experiment has one of its folders, as this process sees it; "" where it names none."""
    if _is_in_container():
        return _shape.mounts_of(part).get(kind, ("", ""))[1]
    return _shape.folder_of(part, _shape.HOST[kind])


def seen_here(part: Any) -> dict[str, str]:
    """Where this process finds what a template names by the container's folders, by path."""
    return {} if _is_in_container() else _shape.seen_without_container(part)


def _is_in_container() -> bool:
    """Whether the executor that started this process says that it is in a container."""
    return "CALLSHEET_CONTAINER" in os.environ


class _Later(str):
    """What stands for a value that only the run knows."""

    __slots__ = ()


class Names(Mapping[str, Any]):
    """What the names of a template mean.

    Args:
        part: The `Command`, or the experiment.
        names: What holds the names: the experiment; for a `Command` the whole spec.
        root: The whole spec.
        given: What the run tells, by path; None before it runs.

    Attributes:
        read: The values that were asked for, by path, as they stand in the spec.
        waits: Whether one of them is known only when the command runs.
    """

    def __init__(self, part: Any, names: Any, root: Any, given: Mapping[str, Any] | None) -> None:
        self.read: dict[str, Any] = {}
        self.waits = False
        self._names = names
        self._root = root
        self._given = given
        self._inside = seen_here(part)

    def __getitem__(self, name: str) -> Any:
        return self.item(self._names, (), name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def item(self, holder: Any, above: tuple[Any, ...], name: Any) -> Any:
        """What a name means below a container.

        Raises:
            SpecError: Nothing; or it is set in the spec, and the run tells it too.
        """
        steps = (*above, name)
        path = ".".join(map(str, steps))
        taken = len(steps) == 2 and steps[0] == "run" and name in TAKEN
        try:
            raw = step_into(holder, name)
        except LookupError:
            if taken:
                return self._told(path)
            if steps == ("run",):
                return _Scope(self, {}, steps)
            fault = nothing_at(holder, (name,), 0)
            raise SpecError(Fault(path, fault.problem, advice=[_below(above, line) for line in fault.advice])) from None
        if path in self._inside:
            return self._given[path] if self._given is not None else self._inside[path]
        if raw is None or raw == "":
            if taken or path in _shape.RUN_NAME.split():
                return self._told(path)
        elif taken:
            advice = [f"leave it out, or give it another name: {path} is what the run tells"]
            raise SpecError(Fault(path, f"is set to {raw!r} in the spec", advice=advice))
        return self._value(raw, steps)

    def _told(self, path: str) -> Any:
        return self._given[path] if self._given is not None else self._later(f"<{path}>")

    def _later(self, shown: str) -> _Later:
        self.waits = True
        return _Later(shown)

    def _value(self, raw: Any, steps: tuple[Any, ...]) -> Any:
        kind = kind_of(type(raw))
        if isinstance(raw, Ref | Secret | Datum | Name) or raw is MISSING:
            self.read[".".join(map(str, steps))] = raw
            if self._given is None:
                return self._later("***" if isinstance(raw, Secret) else f"<{layout(raw)}>")
            return build(raw, root=self._root)
        if kind is not None and kind.family in ("list", "tuple"):
            return [self._value(item, (*steps, n)) for n, item in enumerate(kind.items(raw)[1])]
        if kind is not None:
            return _Scope(self, raw, steps)
        self.read[".".join(map(str, steps))] = raw
        return raw


class _Scope:
    """A container of a spec, as a template sees it: its items by name."""

    __slots__ = ("_holder", "_names", "_steps")

    def __init__(self, names: Names, holder: Any, steps: tuple[Any, ...]) -> None:
        self._names = names
        self._holder = holder
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python and Jinja ask of any object
            raise AttributeError(name)
        return self._names.item(self._holder, self._steps, name)

    def __getitem__(self, key: Any) -> Any:
        return self._names.item(self._holder, self._steps, key)

    def __repr__(self) -> str:
        return layout(self._holder, width=60)


def _below(above: tuple[Any, ...], line: str) -> str:
    """A line of advice of which the path starts further down."""
    prefix = ".".join(map(str, above))
    if not prefix:
        return line.replace("the spec holds", "the names are")
    return line.replace("did you mean  ", f"did you mean  {prefix}.").replace("the spec", prefix)
