"""Runs trials in subprocesses of this machine, a few at a time."""

from __future__ import annotations

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
from callsheet.run._store import Run, Store, is_locked

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
            return "cancelled" if self._cancelled else "elsewhere"
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
            Fault(
                "",
                f"trial {self.index} is {state}" + (f": {error}" if error else ""),
                advice=[f"its output is in {where}"],
            )
        )

    def start(self) -> None:
        """Start the subprocess, in a process group of its own; once more where the trial was taken."""
        self._code = None
        log = Path(self.request.log)
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as file:
            self._process = subprocess.Popen(
                self.request.argv,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def poll(self) -> bool:
        """Whether its subprocess has ended."""
        if self._code is None and self._process is not None:
            self._code = self._process.poll()
        return self._code is not None or (self._cancelled and self._process is None)

    @property
    def is_elsewhere(self) -> bool:
        """Whether another process runs its trial at this moment."""
        return is_locked(self._task.plan.lock_path(self.index))

    @property
    def was_taken(self) -> bool:
        """Whether its worker found the trial run by another process."""
        return self._code == TAKEN

    def cancel(self) -> bool:
        """Ask it to end; gives whether it had not ended."""
        if self.poll() and not self.was_taken:
            return False
        self._cancelled = True
        self.signal(signal.SIGTERM)
        return self._process is not None and not self.was_taken

    def signal(self, number: int) -> bool:
        """Send a signal to all processes of the job, also to those that its worker has left behind.

        Returns:
            Whether there are any.
        """
        try:
            if self._process is not None:
                os.killpg(self._process.pid, number)
                return True
        except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of the dead
            pass
        return False


class ProcessJobs(Jobs):
    """The jobs of one submission; a thread starts each when a slot is free."""

    def __init__(self, jobs: Sequence[ProcessJob], slots: int) -> None:
        self._jobs = list(jobs)
        self._slots = slots
        self._starting = threading.Lock()
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
        with self._starting:  # a job is started before this, and asked to end, or not at all
            self._stopping.set()
        asked = [job for job in self._jobs if job.cancel()]
        latest = time.monotonic() + _GRACE_S
        try:
            while any(job.signal(0) for job in asked) and time.monotonic() < latest:
                time.sleep(0.02)
        finally:  # also where the user is impatient and interrupts again
            for job in asked:
                job.signal(signal.SIGKILL)
        self._ended.wait()

    def _pump(self) -> None:
        waiting = list(reversed(self._jobs))
        running: list[ProcessJob] = []
        elsewhere: list[ProcessJob] = []
        while not self._stopping.is_set() and (waiting or running or elsewhere):
            while waiting and len(running) < self._slots:
                job = waiting.pop()
                with self._starting:
                    if self._stopping.is_set():
                        break
                    job.start()
                running.append(job)
            ended = [job for job in running if job.poll()]
            running = [job for job in running if job not in ended]
            elsewhere += [job for job in ended if job.was_taken]
            # What an earlier sweep left running is waited for, and done here should it fail to end well.
            free = [job for job in elsewhere if not job.is_elsewhere]
            elsewhere = [job for job in elsewhere if job not in free]
            waiting[:0] = free
            time.sleep(0.02)
        while not all(job.poll() for job in running):
            time.sleep(0.02)
        self._ended.set()
