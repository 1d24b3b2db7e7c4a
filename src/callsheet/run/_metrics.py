"""What a run measured on its way: the lines of its `metrics.jsonl`, read however they were left."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from typing import NamedTuple

FILE = "metrics.jsonl"
"""Its name in a run's directory."""

NONFINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
"""How a line writes the numbers that JSON lacks."""

_NUMBER_TYPES = frozenset((int, float))


class Line(NamedTuple):
    """One line of a `metrics.jsonl`.

    Attributes:
        x: Its `step`; the line's number, from 0, where it has none.
        time: Seconds since 1970; None where it does not say.
        values: The numbers by name; NaN and infinities among them.
    """

    x: int
    time: float | None
    values: dict[str, float]


def read_metrics(path: str | os.PathLike[str]) -> Iterator[Line]:
    """The lines of a `metrics.jsonl`, or of the one in a run's directory.

    What a killed writer left half, and what is no object, is no line; nor is a file that is not there any.

    Args:
        path: The file, or the directory of a run.
    """
    name = os.fspath(path)
    if not name.endswith(".jsonl"):
        name = os.path.join(name, FILE)
    try:
        with open(name, "rb") as file:
            for n, raw in enumerate(file):
                line = _line(raw, n) if raw.endswith(b"\n") else None
                if line is not None:
                    yield line
    except OSError:
        return


class Tail:
    """What is written to a `metrics.jsonl` from one look to the next; what was read is not read again.

    Args:
        directory: The directory of a run.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._path = os.path.join(directory, FILE)
        self._at = 0
        self._count = 0

    def read(self) -> Iterator[Line]:
        """The whole lines that are new; all, where the file has become shorter."""
        try:
            with open(self._path, "rb") as file:
                if os.fstat(file.fileno()).st_size < self._at:
                    self._at = self._count = 0
                file.seek(self._at)
                for raw in file:
                    if not raw.endswith(b"\n"):
                        return
                    self._at += len(raw)
                    self._count += 1
                    line = _line(raw, self._count - 1)
                    if line is not None:
                        yield line
        except OSError:
            return


def series(path: str | os.PathLike[str]) -> dict[str, tuple[list[float], list[float]]]:
    """For each metric its x values, ascending, and its numbers there; of lines with the same x the last one counts.

    So a run that went on from a checkpoint has one curve.
    """
    found: dict[str, dict[float, float]] = {}
    for x, _, values in read_metrics(path):
        for name, value in values.items():
            if name in found:
                found[name][x] = value
            else:
                found[name] = {x: value}
    curves = {}
    for name, points in found.items():
        xs = sorted(points)
        curves[name] = xs, [points[x] for x in xs]
    return curves


def last_values(path: str | os.PathLike[str]) -> dict[str, float]:
    """The last number of each metric."""
    found: dict[str, float] = {}
    for line in read_metrics(path):
        found.update(line.values)
    return found


def _line(raw: bytes, n: int) -> Line | None:
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if type(values) is not dict:
        return None
    step, time = values.pop("step", None), values.pop("time", None)
    if not _NUMBER_TYPES.issuperset(map(type, values.values())):
        values = {name: number for name, value in values.items() if (number := _number(value)) is not None}
    if type(step) is float and step.is_integer():
        step = int(step)
    return Line(step if type(step) is int else n, _number(time), values)


def _number(value: object) -> float | None:
    if isinstance(value, str):
        return NONFINITE.get(value.lower())
    return value if type(value) is int or type(value) is float else None


def last_line(path: str | os.PathLike[str]) -> dict[str, float]:
    """The numbers of the last line: what a command that has written it leaves as its result."""
    found: dict[str, float] = {}
    for line in read_metrics(path):
        found = line.values
    return found


_TAIL = 1 << 14
"""Bytes at the end of a `metrics.jsonl` in which its last line is looked for."""


def last_entry(directory: str | os.PathLike[str]) -> tuple[int | None, dict[str, float]]:
    """The `step` that the last line of a run's `metrics.jsonl` says, if any, and its numbers; reads the end alone.

    Args:
        directory: Of the run.
    """
    try:
        with open(os.path.join(directory, FILE), "rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - _TAIL, 0))
            lines = file.read(_TAIL).split(b"\n")[:-1]
    except OSError:
        return None, {}
    line = _line(lines[-1], -1) if lines else None
    if line is None:
        return None, {}
    return (line.x if line.x >= 0 else None), dict(line.values)
