"""What was sent to an engine, noted before and after, so that whoever comes later neither loses nor repeats it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from callsheet.run._plan import Plan
from callsheet.run._store import sync


@dataclass(frozen=True, slots=True)
class Sending:
    """A request that was handed to an engine.

    Attributes:
        name: What the engine calls it.
        on: What has it: the class of the executor, and the address of the engine.
        indices: Of its jobs, by position.
        id: What the engine knows it by; "" where whoever sent it was gone before that was written down.
        ended: The positions of those that have ended.
    """

    name: str
    on: str
    indices: tuple[int, ...]
    id: str = ""
    ended: frozenset[int] = field(default_factory=frozenset)

    @property
    def is_open(self) -> bool:
        """Whether one of its jobs has not ended."""
        return len(self.ended) < len(self.indices)

    def left(self) -> Iterator[tuple[int, int]]:
        """The positions and indices of the jobs that have not ended."""
        return ((n, index) for n, index in enumerate(self.indices) if n not in self.ended)


class Sendings:
    """The file of a plan in which sendings are noted; whoever attends to the plan is its one writer.

    Args:
        plan: The plan.
    """

    def __init__(self, plan: Plan) -> None:
        self._file = plan.folder / "sent.jsonl"

    def read(self) -> dict[str, Sending]:
        """All sendings, by name."""
        found: dict[str, Sending] = {}
        try:
            lines = self._file.read_bytes().split(b"\n")
        except FileNotFoundError:
            return found
        for line in lines:
            try:
                said = json.loads(line)
                _apply(found, said)
            except (ValueError, TypeError, KeyError):
                continue  # empty, or what a killed writer left half
        return found

    def turns(self) -> dict[int, int]:
        """How often each job was sent."""
        counts: dict[int, int] = {}
        for sending in self.read().values():
            for index in sending.indices:
                counts[index] = counts.get(index, 0) + 1
        return counts

    def intend(self, name: str, on: str, indices: Sequence[int]) -> None:
        """Say what will be sent now."""
        self._note([{"name": name, "on": on, "of": _runs(indices)}], lasting=True)

    def sent(self, name: str, id: str) -> None:
        """Say what the engine knows it by."""
        self._note([{"name": name, "id": id}])

    def ended(self, ends: Iterable[tuple[str, int]]) -> None:
        """Say which jobs have ended, each by the name of its sending and its position."""
        self._note([{"name": name, "end": position} for name, position in ends])

    def _note(self, lines: Sequence[dict[str, Any]], *, lasting: bool = False) -> None:
        if not lines:
            return
        with open(self._file, "ab") as file:
            file.write(b"".join(b"\n" + json.dumps(line).encode() for line in lines) + b"\n")
            if lasting:
                sync(file)


def _apply(found: dict[str, Sending], said: dict[str, Any]) -> None:
    name = said["name"]
    if "of" in said:
        indices = tuple(n for first, last in said["of"] for n in range(first, last + 1))
        found[name] = Sending(name, said["on"], indices)
    elif "id" in said:
        found[name] = replace(found[name], id=said["id"])
    else:
        found[name] = replace(found[name], ended=found[name].ended | {said["end"]})


def _runs(indices: Sequence[int]) -> list[list[int]]:
    """Numbers as pairs of first and last of those that follow each other.

    >>> _runs([1, 2, 3, 7, 5])
    [[1, 3], [7, 7], [5, 5]]
    """
    found: list[list[int]] = []
    for index in indices:
        if found and index == found[-1][1] + 1:
            found[-1][1] = index
        else:
            found.append([index, index])
    return found
