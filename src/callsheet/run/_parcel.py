"""The tasks of an array: one small file from which each worker takes its own, by its position."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from callsheet._storage import write_whole
from callsheet.errors import Fault, RunError
from callsheet.run._job import Task
from callsheet.run._plan import Plan

_RECORD = struct.Struct("<QI16s")
"""A job's index, how often it was sent before, and the digest of its trial."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Which trials of a plan an array runs.

    Attributes:
        plan: Their plan.
        content: For each task its index, turn and digest, in the order of their positions.
    """

    plan: Plan
    content: bytes

    @property
    def digest(self) -> str:
        """Of the content, which a worker verifies."""
        return hashlib.sha256(self.content).hexdigest()[:32]

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return self.plan.folder / "parcels" / self.digest

    def write(self) -> None:
        """Write it down, where it is not yet."""
        if not self.file.exists():
            self.file.parent.mkdir(exist_ok=True)
            write_whole(str(self.file), self.content)


def parcel_of(tasks: Sequence[Task]) -> Parcel:
    """The parcel of some tasks, all of one plan; nothing is written."""
    packed = (_RECORD.pack(task.index, task.turn, bytes.fromhex(task.digest)) for task in tasks)
    return Parcel(tasks[0].plan, b"".join(packed))


def read_parcel(file: Path, position: int, digest: str) -> tuple[Plan, int, str]:
    """The plan, index and digest of the task at a position of a parcel.

    Raises:
        RunError: There is no such file or position, or it is not what was submitted.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise RunError(Fault("", f"the parcel {file} cannot be read: {error.strerror}")) from None
    if hashlib.sha256(content).hexdigest()[:32] != digest:
        raise RunError(Fault("", f"the parcel {file} is not what was submitted", advice=["submit it again"]))
    if not 0 <= position < len(content) // _RECORD.size:
        raise RunError(Fault("", f"the parcel {file} has no position {position}"))
    index, _, own = _RECORD.unpack_from(content, position * _RECORD.size)
    return Plan(file.parent.parent), index, own.hex()
