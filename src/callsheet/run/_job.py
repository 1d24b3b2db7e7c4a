"""Jobs: trials that were sent somewhere, and what becomes of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from callsheet.run._plan import Plan
from callsheet.run._store import Run

JobState = Literal["waiting", "running", "done", "failed", "interrupted", "cancelled", "lost", "elsewhere"]
"""`waiting` has no slot yet; `elsewhere` is run by another sweep at this moment, and waited for."""

TAKEN = 75
"""The exit code of a worker whose trial some other process runs (EX_TEMPFAIL of sysexits.h)."""


@dataclass(frozen=True)
class Task:
    """A trial as an executor sees it: a line of a plan and the digest that the worker verifies."""

    plan: Plan
    index: int
    digest: str


class Jobs(ABC, Sequence["Job"]):
    """The jobs of one submission, in the order of their trials."""

    @abstractmethod
    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no job runs or waits any more.

        Args:
            timeout_s: Seconds to wait at most; None waits for ever.

        Returns:
            Whether all have ended.
        """

    @abstractmethod
    def cancel(self) -> None:
        """End the jobs that run, with all their processes, and start no others."""

    def results(self) -> list[dict[str, Any]]:
        """Wait, then give the result of each job.

        Raises:
            RunError: A job did not end well; the error says where its logs are.
        """
        self.wait()
        return [job.result() for job in self]


class Job(Protocol):
    """One trial that was submitted."""

    index: int

    @property
    def state(self) -> JobState:
        """What becomes of it."""
        ...

    @property
    def run(self) -> Run | None:
        """Its run, once its worker has made the directory."""

    def result(self) -> dict[str, Any]:
        """Its result.

        Raises:
            RunError: It has not ended, or not well.
        """
        ...


class Executor(Protocol):
    """Sends jobs somewhere: makes a request of each by a pure function, then submits the requests."""

    def request(self, task: Task) -> Any:
        """What would be submitted, as a value; nothing happens."""

    def submit(self, tasks: Sequence[Task], *, runs: Path) -> Jobs:
        """Start jobs for tasks."""
        ...
