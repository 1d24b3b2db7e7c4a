"""What a task becomes where an engine runs it: a request, which is a value, and what the engine says of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from callsheet.errors import Fault, RunError
from callsheet.run._job import Blame, Task
from callsheet.run._parcel import parcel_of


class Unreachable(OSError):
    """An engine does not answer, or takes nothing at this moment; it is asked again later."""


class Refused(RunError):
    """An engine will never take a request; the fault says what it says."""


class Request(Protocol):
    """What is submitted: a value, which says all that the engine is told; as text what an administrator reads."""

    @property
    def name(self) -> str:
        """What the engine calls it. It says the plan, the trial and the turn: nothing is there twice by one name."""
        ...

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What it runs; where there are several, an array, by their positions."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What an engine says of one task.

    Attributes:
        state: It is `queued`, `running` or `ended`; the engine gave it back before it had started (`returned`); or it
            knows nothing of it (any more).
        code: Its exit code, below 0 the signal that ended it; None where the engine does not say.
        reason: What ended it, in words, where it was not the program itself: "node n1 failed". Of one that is queued
            what it waits for.
        blame: Whose doing its end was: of the `machine` (killed, lost, preempted, out of memory), of the `program`, or
            of a `limit` of time.
        where: The machine it is on.
    """

    state: Literal["queued", "running", "ended", "returned", "unknown"]
    code: int | None = None
    reason: str = ""
    blame: Blame = "program"
    where: str = ""


class Engine(Protocol):
    """A real scheduler, behind one door. One thread calls it; every method may raise `Unreachable`.

    Attributes:
        address: Which of its kind it is; "" where that is not told apart. What another has is not looked for here.
    """

    @property
    def address(self) -> str: ...

    def submit(self, request: Any) -> str:
        """Hand over a request, and give what the engine knows it by.

        Raises:
            Refused: The engine does not take it, and never will.
        """
        ...

    def find(self, name: str) -> str | None:
        """What the engine knows a request by that was handed over under a name; None where it has none of it."""
        ...

    def look(self, ids: Sequence[str]) -> Mapping[str, Mapping[int, Seen]]:
        """What has become of requests: for each id, by position; what is left out is as it was.

        As few questions as the engine allows are asked, not one for each task.
        """
        ...

    def end(self, id: str, positions: Collection[int] | None = None) -> None:
        """Ask tasks of a request to end, as SIGTERM does, and see that they do after a while.

        Args:
            id: The request.
            positions: Some of those that it holds, where it holds several; None for all.

        Asked twice, or of what has ended, nothing happens.
        """
        ...

    def output(self, id: str, position: int) -> bytes:
        """What a task has written before it had a run directory, as far as the engine has it."""
        ...

    def forget(self, id: str) -> None:
        """Let the engine delete what it keeps of a request that has ended."""
        ...

    def close(self) -> None:
        """Let go of connections; what runs goes on."""
        ...


INTERRUPTED, TERMINATED = 130, 143
"""The exit codes of a worker that was told to end."""


def code_of(exit: int) -> int:
    """The exit code of a worker by its container's: below 0 the signal that ended it.

    >>> code_of(3), code_of(137), code_of(143)
    (3, -9, 143)
    """
    return 128 - exit if exit > 128 and exit not in (INTERRUPTED, TERMINATED) else exit


def over_time(code: int, limit_s: float, where: str = "") -> Seen:
    """A task that its engine has ended since its time was over."""
    return Seen("ended", code, f"the time limit of {limit_s / 60:g} min is over", "limit", where)


def taken_from_here(names: Iterable[str]) -> dict[str, str]:
    """The values of environment variables that go along with a request.

    Raises:
        Refused: One is not set.
    """
    names = [*names]
    faults = unset_here(names)
    if faults:
        raise Refused(*faults)
    return {name: os.environ[name] for name in names}


def unset_here(names: Iterable[str]) -> list[Fault]:
    """A fault for each of some environment variables that is to go along with a request, and is not set."""
    return [
        Fault("", f"the environment variable {name} is to go along, and is not set here", advice=[f"export {name}=…"])
        for name in names
        if name not in os.environ
    ]


def name_of(tasks: Sequence[Task]) -> str:
    """What an engine calls the request of some tasks: lower-case letters, digits and `-`, at most 63 of them.

    >>> from pathlib import Path
    >>> from callsheet.run._plan import Plan
    >>> name_of([Task(Plan(Path("/runs/.sweeps/0a1b2c3d4e5f")), 3, "digest", turn=2)])
    'callsheet-0a1b2c3d4e5f-3-2'
    """
    first = tasks[0]
    if len(tasks) == 1:
        return f"callsheet-{first.plan.id}-{first.index}-{first.turn}"
    return f"callsheet-{first.plan.id}-a{parcel_of(tasks).digest[:12]}"


def worker_argv(
    tasks: Sequence[Task],
    *,
    python: str = "",
    position: str = "",
    minutes: float | None = None,
    memory_gb: float | None = None,
) -> tuple[str, ...]:
    """The command that runs a task there, or in an array the one at its position.

    Args:
        tasks: What is run.
        python: The interpreter there; the one of this process by default.
        position: For an array the name of the environment variable that tells a task its position.
        minutes: How long it may take, where the engine does not see to that itself.
        memory_gb: What its processes may hold together, in 10^9 bytes, where the engine does not see to that.
    """
    first = tasks[0]
    limits = {"--minutes": minutes, "--memory": memory_gb}
    said = [(name, f"{limit:g}") for name, limit in limits.items() if limit is not None]
    more = ("--beat", *(("--code", first.code) if first.code else ()), *(word for pair in said for word in pair))
    head = (python or sys.executable, "-m", "callsheet.run.worker")
    if not position:
        return (*head, str(first.plan.file), str(first.index), first.digest, *more)
    parcel = parcel_of(tasks)
    return (*head, str(parcel.file), f"@{position}", parcel.digest, *more)
