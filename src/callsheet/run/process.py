"""Runs trials in subprocesses of this machine, a few at a time."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callsheet.errors import Fault, RunError
from callsheet.run._job import TAKEN, Jobs, JobState, Task
from callsheet.run._store import Run, Store

_GRACE_S = 5.0
"""Seconds between asking a worker to end and ending it."""


@dataclass(frozen=True)
class ProcessRequest:
    """A subprocess that shall be started.

    Attributes:
        argv: Its command.
        log: Where it writes until it has a run directory.
    """

    argv: tuple[str, ...]
    log: str

    def __str__(self) -> str:
        return shlex.join(self.argv)


@dataclass(frozen=True)
class Process:
    """Subprocesses on this machine.

    Args:
        slots: How many run at a time.

    >>> Process(slots=2)
    Process(slots=2)
    """

    slots: int = 1

    def __post_init__(self) -> None:
        """Refuse what could never run a job."""
        if self.slots < 1:
            raise ValueError(f"Process needs at least 1 slot, found {self.slots}")

    def request(self, task: Task) -> ProcessRequest:
        """What would be started for a task, as a value."""
        argv = (sys.executable, "-m", "callsheet.run.worker", str(task.plan.file), str(task.index), task.digest)
        return ProcessRequest(argv, str(task.plan.folder / "logs" / f"{task.index}.log"))

    def submit(self, tasks: Sequence[Task], *, runs: Path) -> ProcessJobs:
        """Start the first tasks, and each further one when a slot is free."""
        return ProcessJobs([ProcessJob(self.request(task), task, Store(runs)) for task in tasks], self.slots)


class ProcessJob:
    """A trial in a subprocess."""

    def __init__(self, request: ProcessRequest, task: Task, store: Store) -> None:
        self.request = request
        self.index = task.index
        self._task = task
        self._store = store
        self._process: subprocess.Popen[bytes] | None = None
        self._code: int | None = None
        self._cancelled = False

    @property
    def run(self) -> Run | None:
        """Its run, once its worker has made the directory."""
        run_id = self._task.plan.run_of(self.index)
        return None if run_id is None or self._process is None else self._store.read(run_id)

    @property
    def state(self) -> JobState:
        """What becomes of it."""
        if self._code is None:
            return "running" if self._process is not None else "cancelled" if self._cancelled else "waiting"
        if self._code == TAKEN:
            return "elsewhere"
        if self._cancelled:
            return "cancelled"
        run = self.run
        if self._code == 0:
            return "done"
        return run.state if run is not None and run.state != "done" else "failed"

    def result(self) -> dict[str, Any]:
        """Its result; raises `RunError` where it did not end well."""
        state, run = self.state, self.run
        if state == "done" and run is not None:
            return run.result
        where = run.directory if run is not None and run.record else Path(self.request.log)
        error = run.status.get("error", "") if run is not None else ""
        raise RunError(
            Fault("", f"trial {self.index} is {state}" + (f": {error}" if error else ""), advice=[f"its output is in {where}"])
        )

    def start(self) -> None:
        """Start the subprocess, in a process group of its own."""
        log = Path(self.request.log)
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as file:
            self._process = subprocess.Popen(
                self.request.argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )

    def poll(self) -> bool:
        """Whether it has ended."""
        if self._code is None and self._process is not None:
            self._code = self._process.poll()
        return self._code is not None or (self._cancelled and self._process is None)

    def cancel(self) -> None:
        """Ask it to end, if it has not."""
        if not self.poll():
            self._cancelled = True
            self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all processes of the job."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


class ProcessJobs(Jobs):
    """The jobs of one submission; a thread starts each when a slot is free."""

    def __init__(self, jobs: Sequence[ProcessJob], slots: int) -> None:
        self._jobs = list(jobs)
        self._slots = slots
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._pump, name="callsheet-jobs", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._jobs)

    def __getitem__(self, index: Any) -> Any:
        return self._jobs[index]

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no job runs or waits any more; gives whether that is so."""
        return self._ended.wait(timeout_s)

    def cancel(self) -> None:
        """End the jobs that run, with all their processes, and start no others."""
        self._stopping.set()
        for job in self._jobs:
            job.cancel()
        if not self._ended.wait(_GRACE_S):
            for job in self._jobs:
                job.signal(signal.SIGKILL)
            self._ended.wait()

    def _pump(self) -> None:
        waiting, running = list(reversed(self._jobs)), []
        while (waiting and not self._stopping.is_set()) or running:
            while waiting and len(running) < self._slots and not self._stopping.is_set():
                job = waiting.pop()
                job.start()
                running.append(job)
            running = [job for job in running if not job.poll()]
            time.sleep(0.02)
        self._ended.set()
