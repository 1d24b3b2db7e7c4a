"""Jobs: trials that were sent somewhere, and what becomes of them; what sends them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from callsheet.errors import Fault, RunError
from callsheet.run._plan import Plan
from callsheet.run._shape import Needs
from callsheet.run._store import Run

Blame = Literal["machine", "memory", "program", "limit"]
"""Whose doing an end was: the `machine` killed or lost it; it held too much `memory`; the `program` ended by itself; a
`limit` of time was over."""

JobState = Literal[
    "waiting", "queued", "running", "done", "failed", "interrupted", "cancelled", "lost", "elsewhere", "held", "pruned"
]
"""`waiting` was not sent yet; `queued` waits for its turn where it was sent; `elsewhere` is run by another sweep at
this moment, and waited for; `held` was finished by other code, and nobody said what shall become of it; `pruned` was
stopped, since others did better."""

TAKEN = 75
"""The exit code of a worker whose trial some other process runs (EX_TEMPFAIL of sysexits.h)."""

MISUSE = 2
"""The exit code of a worker that could not read its trial."""


@dataclass(frozen=True, slots=True)
class Task:
    """A trial as an executor sees it.

    Attributes:
        plan: The plan that has it.
        index: The job's.
        digest: Of its record, which the worker verifies.
        needs: What it says that it needs, which counts before what its executor says.
        turn: How often it was sent, this time included.
        code: The digest of the archive of the code that it runs; "" for what is there.
    """

    plan: Plan
    index: int
    digest: str
    needs: Needs = field(default_factory=Needs)
    turn: int = 1
    code: str = ""


def refuse_several(task: Task, needs: Needs, one: str) -> None:
    """Refuse a task of several processes where each is but one.

    Args:
        task: What shall run.
        needs: What it has there.
        one: What it is there: "one container".

    Raises:
        RunError: It needs several.
    """
    if needs.nodes == needs.tasks_per_node == 1:
        return
    nodes, each = needs.nodes, needs.tasks_per_node
    processes = f"{nodes} node{'s' if nodes > 1 else ''} with {each} task{'s' if each > 1 else ''} on each"
    advice = ["Slurm(…) runs trials of several processes"]
    raise RunError(Fault("", f"trial {task.index} needs {processes}, and is {one}", advice=advice))


class Jobs(ABC, Sequence["Job"]):
    """The jobs of one submission, in the order of their trials.

    A job is made when it is asked for. Where nobody knows how many trials there will be, there are as many jobs as
    trials were drawn so far.
    """

    @abstractmethod
    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no job runs or waits any more.

        Args:
            timeout_s: Seconds to wait at most; None waits for ever.

        Returns:
            Whether all have ended.

        Raises:
            RunError: All that were sent have ended, and the others could not be drawn; the error says why.
        """

    @abstractmethod
    def ended(self) -> Iterator[Job]:
        """Each job when it has ended, in that order; waits in between.

        Raises:
            RunError: As of `wait`.
        """

    @property
    @abstractmethod
    def done(self) -> int:
        """How many jobs are done, or were before."""

    @abstractmethod
    def running(self) -> list[Job]:
        """The jobs that run at this moment, here or elsewhere."""

    @abstractmethod
    def cancel(self) -> None:
        """End the jobs that run, with all their processes, and start no others."""

    @abstractmethod
    def leave(self) -> None:
        """Send no others, and let go of those that were sent: they go on where their executor outlives this process."""

    @property
    @abstractmethod
    def trouble(self) -> str:
        """Why nothing can be sent or asked at this moment; "" where all is well."""

    @property
    @abstractmethod
    def waits_for(self) -> str:
        """What most of the queued jobs wait for, where whoever they were sent to says so."""

    def results(self) -> list[dict[str, Any]]:
        """Wait, then give the result of each job; {} of one that was pruned.

        Raises:
            RunError: A job did not end well; the error says where its logs are.
        """
        self.wait()
        return [job.result() for job in self]


class Job(Protocol):
    """One trial that was submitted."""

    @property
    def index(self) -> int:
        """Its trial's place in the sweep; with replicates, that times their number and on."""
        ...

    @property
    def state(self) -> JobState:
        """What becomes of it."""
        ...

    @property
    def was_done(self) -> bool:
        """Whether it was finished before, so that nothing was sent."""
        ...

    @property
    def run(self) -> Run | None:
        """Its run, once its worker has made the directory."""

    @property
    def overrides(self) -> tuple[str, ...]:
        """The texts that make its trial; empty where that could not be drawn."""
        ...

    @property
    def problem(self) -> str:
        """What ended it, where it did not end well; "" where nothing is known."""
        ...

    @property
    def log(self) -> Path:
        """Where its output is."""
        ...

    def result(self) -> dict[str, Any]:
        """Its result.

        Raises:
            RunError: It has not ended, or not well.
        """
        ...


@dataclass(frozen=True, slots=True)
class Exit:
    """How a job that was sent has ended, as far as whoever sent it can tell.

    Attributes:
        index: The job's.
        code: The exit code of its worker; below 0 the signal that ended it.
        limit: What ended it, in words, where it was not the program itself: a limit, a lost machine; "" for none.
        blame: Whose doing that was.
        refused: Whether it was never run, since what it was sent to does not take it.
        returned: Whether it was never run, since what it was sent to no longer keeps it waiting; it is sent again.
    """

    index: int
    code: int
    limit: str = ""
    blame: Blame = "program"
    refused: bool = False
    returned: bool = False


class Sender(Protocol):
    """What one submission has open at an executor. One thread calls it."""

    def room(self) -> int:
        """How many tasks it takes at this moment, if these need nothing that is not free."""
        ...

    def spare(self) -> int:
        """How many it takes beside what it has, where one must not wait for many: of a sweep that learns, or again."""
        ...

    def send(self, tasks: Sequence[Task]) -> int:
        """Submit the requests of tasks, no more than there is room for.

        Returns:
            How many of them, from the first on, were submitted; fewer where the next one needs what is not free now.

        Raises:
            OSError: None could be; what runs already is not concerned.
            RunError: The first needs what this executor never has.
        """
        ...

    def poll(self, timeout_s: float) -> Sequence[Exit]:
        """Those that have ended since it was asked last; waits for one for some seconds at most."""
        ...

    def stop(self, index: int) -> None:
        """Ask one that runs to end, with all its processes; it is ended after a while if it does not listen."""

    def cancel(self) -> None:
        """Ask all that run to end, with all their processes; those that do not listen are ended after a while."""

    def kill(self) -> None:
        """End all that run, at once."""

    def resumed(self) -> Collection[int]:
        """The jobs that were sent before, by a process that is gone, and may run: those are followed, too."""
        ...

    def queued(self) -> Collection[int]:
        """Those of the jobs that were sent which wait where they were sent to."""
        ...

    def output(self, index: int) -> bytes:
        """What one has written that came to no run directory, as far as whoever it was sent to has it."""
        ...

    @property
    def trouble(self) -> str:
        """Why nothing can be sent or asked at this moment; "" where all is well."""
        ...

    @property
    def waits_for(self) -> str:
        """What most of those that are queued wait for, where whoever they were sent to says so."""
        ...

    def close(self) -> None:
        """Let go of what was held for further tasks; nothing is sent any more."""


class Executor(Protocol):
    """Sends jobs somewhere: makes requests of them by a pure function, then submits these."""

    def requests(self, tasks: Sequence[Task]) -> Sequence[Any]:
        """What would be submitted, as values, which as texts are what a person reads; nothing happens."""
        ...

    @property
    def outlives(self) -> bool:
        """Whether what was sent goes on when this process ends."""
        ...

    def sender(self, plan: Plan) -> Sender:
        """What sends the tasks of a plan.

        Raises:
            RunError: Nothing can be sent from here.
        """
        ...
