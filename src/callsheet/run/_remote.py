"""Executors that hand trials to an engine: what can be said of every one of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from callsheet.errors import RunError
from callsheet.run._engine import Engine, Request, unset_here
from callsheet.run._job import Task, refuse_several
from callsheet.run._plan import Plan
from callsheet.run._sender import RemoteSender
from callsheet.run._shape import Needs, needs_of


@dataclass(frozen=True, kw_only=True)
class RemoteExecutor(ABC):
    """What can be said of every executor that hands trials to an engine.

    What a trial says itself that it needs counts before what is said here, and that before `resources`.

    Args:
        slots: How many run at a time; None leaves that to the engine.
        cpus: Cores of each.
        gpus: Devices of each.
        memory_gb: In units of 10⁹ bytes.
        timeout_min: Minutes that an attempt may take.
        resources: The same as a value, `Resources(cpus=4)`.
        env: Environment variables: names, which are taken from here when it is submitted, or names with values.
        python: The interpreter there.
        code: What code runs: an `archive` of the project as it is when it is submitted, or what is `there` then.
        poll_s: Seconds between two questions to the engine, at most; more where it takes long to answer.
    """

    slots: int | None = None
    cpus: float | None = None
    gpus: int | None = None
    memory_gb: float | None = None
    timeout_min: float | None = None
    resources: Any = None
    env: Sequence[str] | Mapping[str, str] = ()
    python: str = ""
    code: Literal["archive", "there"] = "archive"
    poll_s: float = 5.0

    outlives = True
    one: ClassVar[str] = ""
    """What a trial is there that cannot be several processes; "" where it can."""

    in_container: ClassVar[bool] = False
    """Whether workers find nothing but what is mounted, and so need the library itself among the runs."""

    def __post_init__(self) -> None:
        """Refuse what could never run a job."""
        for name, least in (("slots", 1), ("gpus", 0)):
            number = getattr(self, name)
            if number is not None and number < least:
                raise ValueError(f"{name} must be at least {least}, found {number}")
        for name in ("cpus", "memory_gb", "timeout_min", "poll_s"):
            number = getattr(self, name)
            if number is not None and not number > 0:
                raise ValueError(f"{name} must be more than 0, found {number}")
        if self.code not in ("archive", "there"):
            raise ValueError(f"code must be 'archive' or 'there', found {self.code!r}")

    @property
    def capacity(self) -> int:
        """How many tasks may be with the engine at a time, those that wait there included."""
        return self.slots or 100

    @property
    def least(self) -> int:
        """For how many tasks there must be room before some are handed over, so that requests do not hold one each."""
        return 1

    def check(self) -> None:
        """Refuse what no request could be sent with from here, before any is.

        Raises:
            RunError: A variable that is to go along is not set.
        """
        faults = unset_here(() if isinstance(self.env, Mapping) else self.env)
        if faults:
            raise RunError(*faults)

    @abstractmethod
    def requests(self, tasks: Sequence[Task]) -> Sequence[Request]:
        """What would be submitted for some tasks, as values, in their order; nothing happens."""

    @abstractmethod
    def engine(self) -> Engine:
        """What takes the requests.

        Raises:
            RunError: It cannot be used from here: a package or a program is missing.
        """

    def sender(self, plan: Plan) -> RemoteSender:
        """What hands over the tasks of a plan."""
        return RemoteSender(self, plan)

    def needs_of(self, task: Task) -> Needs:
        """What a task has: what it says itself, else what this says, else `resources`.

        Raises:
            RunError: It needs several processes, and is but one here.
        """
        said, other = task.needs, needs_of({"resources": self.resources}) if self.resources is not None else Needs()
        names = ("cpus", "gpus", "memory_gb", "timeout_min")
        own = {name: getattr(self, name) if getattr(self, name) is not None else getattr(other, name) for name in names}
        left = {name: value for name, value in own.items() if getattr(said, name) is None}
        more = {name: getattr(other, name) for name in ("nodes", "tasks_per_node") if getattr(said, name) == 1}
        needs = replace(said, **left, **more)
        if self.one:
            refuse_several(task, needs, self.one)
        return needs
