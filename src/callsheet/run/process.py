"""Runs trials in subprocesses of this machine, a few at a time."""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from callsheet.errors import Fault, RunError
from callsheet.run._forks import Fork, Forks
from callsheet.run._job import TAKEN, Exit, Task, refuse_several
from callsheet.run._plan import Plan
from callsheet.run._processes import has_members, memory_of, send_signal
from callsheet.run._shape import Needs

_GRACE_S = 5.0
"""Seconds between asking a worker to end and ending it."""

_DYING_S = 1.0
"""Seconds for which what was killed is waited for."""

_LOOK_S = 0.25
"""Seconds between two looks at the memory of what runs."""


@dataclass(frozen=True)
class ProcessRequest:
    """A subprocess that shall be started.

    Attributes:
        argv: Its command.
        log: Where it writes until it has a run directory.
        gpus: The devices that it sees; None where nobody said, and it sees what this process sees.
        warm: Whether it is forked from a process that has imported what it needs.
    """

    argv: tuple[str, ...]
    log: str
    gpus: tuple[str, ...] | None = None
    warm: bool = False

    def __str__(self) -> str:
        seen = "" if self.gpus is None else f"CUDA_VISIBLE_DEVICES={','.join(self.gpus)} "
        return seen + shlex.join(self.argv)


@dataclass(frozen=True)
class Process:
    """Subprocesses on this machine.

    What a trial says itself that it needs counts before what is said here. Trials that name cores run at a time only
    as far as there are as many; one that needs more than there are runs with none of these beside it.

    Args:
        slots: How many run at a time.
        gpus: How many GPUs each has for itself, told by `CUDA_VISIBLE_DEVICES`; None leaves that as it is.
        devices: The GPUs that there are to give, by number or UUID; by default those that `CUDA_VISIBLE_DEVICES`
            names here, else all of the machine.
        memory_gb: What all processes of a trial may hold together, in 10^9 bytes; one that holds more is ended.
        timeout_min: How long an attempt may take, in minutes; then it is told to stop, and ended 5 seconds later.
        warm: Whether what trials need is imported once, by a process that forks one for each.

    >>> Process(slots=2)
    Process(slots=2)
    """

    slots: int = 1
    gpus: int | None = None
    devices: Sequence[int | str] | None = None
    memory_gb: float | None = None
    timeout_min: float | None = None
    warm: bool = False

    def __post_init__(self) -> None:
        """Refuse what could never run a job."""
        if self.slots < 1:
            raise ValueError(f"Process needs at least 1 slot, found {self.slots}")
        for name in ("memory_gb", "timeout_min"):
            limit = getattr(self, name)
            if limit is not None and not limit > 0:
                raise ValueError(f"{name} must be more than 0, found {limit}")
        if self.gpus is not None and self.gpus < 0:
            raise ValueError(f"gpus must be 0 or more, found {self.gpus}")

    def __repr__(self) -> str:
        said = {name: getattr(self, name) for name in ("gpus", "devices", "memory_gb", "timeout_min")}
        more = "".join(f", {name}={value!r}" for name, value in said.items() if value is not None)
        return f"Process(slots={self.slots}{more}{', warm=True' if self.warm else ''})"

    outlives = False

    def requests(self, tasks: Sequence[Task]) -> list[ProcessRequest]:
        """What would be started for some tasks, as values; which devices each gets is known when it starts.

        Raises:
            RunError: A task needs several processes.
        """
        for task in tasks:
            self.needs_of(task)
        return [self.request(task) for task in tasks]

    def request(self, task: Task, *, gpus: tuple[str, ...] | None = None) -> ProcessRequest:
        """What would be started for a task, as a value.

        Args:
            task: What shall run.
            gpus: The devices that are free for it.
        """
        argv = (sys.executable, "-m", "callsheet.run.worker", str(task.plan.file), str(task.index), task.digest)
        return ProcessRequest(argv, str(task.plan.folder / "logs" / f"{task.index}.log"), gpus, self.warm)

    def sender(self, plan: Plan) -> ProcessSender:
        """What starts the tasks of one submission."""
        devices = [str(device) for device in self.devices] if self.devices is not None else _own_devices()
        _refuse_more(self.gpus, devices)
        return ProcessSender(self, devices)

    def needs_of(self, task: Task) -> Needs:
        """What a task has here: what it says itself, else what this says.

        Raises:
            RunError: It needs several processes.
        """
        said = task.needs
        own = {
            name: getattr(self, name) for name in ("gpus", "memory_gb", "timeout_min") if getattr(said, name) is None
        }
        refuse_several(task, said, "one process")
        return replace(said, **own)


def _refuse_more(gpus: int | None, devices: Sequence[str]) -> None:
    if gpus and len(devices) < gpus:
        have = f"there are {len(devices)}: {', '.join(devices)}" if devices else "none is seen here"
        problem = f"a trial needs {gpus} GPU{'s' if gpus > 1 else ''}, and {have}"
        raise RunError(Fault("", problem, advice=["name those that there are:  devices=[0, 1]"]))


def _own_cores() -> int:
    """The cores on which a process started here would run."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _own_devices() -> list[str]:
    """The GPUs that a process started here would see."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    if told is not None:
        return [name for name in told.split(",") if name.strip() not in ("", "-1")]
    try:
        return [str(n) for n in range(len(os.listdir("/proc/driver/nvidia/gpus")))]
    except OSError:
        return []


class ProcessSender:
    """The subprocesses of one submission.

    Args:
        on: How many there may be, and within which limits.
        devices: The GPUs that are given to them.
    """

    def __init__(self, on: Process, devices: Sequence[str]) -> None:
        self._on = on
        self._devices = tuple(devices)
        self._free = list(devices)
        self._cores = _own_cores()
        self._running: list[_Child] = []
        self._looked = 0.0
        self._forks = Forks()

    def room(self) -> int:
        """How many may be started now, if these need nothing that is not free."""
        return self._on.slots - len(self._running)

    spare = room

    def send(self, tasks: Sequence[Task]) -> int:
        """Start a subprocess for each task; gives how many could be started."""
        for n, task in enumerate(tasks):
            try:
                needs = self._on.needs_of(task)
                _refuse_more(needs.gpus, self._devices)
            except RunError:
                if n == 0:
                    raise
                return n  # whoever sends must first learn what was started
            if not self._has_free(needs):
                return n
            gpus = None
            if needs.gpus is not None:
                gpus, self._free = tuple(self._free[: needs.gpus]), self._free[needs.gpus :]
            request = self._on.request(task, gpus=gpus)
            try:
                self._running.append(_Child(task.index, request, needs, self._start(request)))
            except OSError:
                self._free += gpus or ()
                if n == 0:
                    raise
                return n
        return len(tasks)

    def _has_free(self, needs: Needs) -> bool:
        taken = sum(child.needs.cpus or 0 for child in self._running)
        has_cores = not needs.cpus or not taken or taken + needs.cpus <= self._cores
        return has_cores and (needs.gpus or 0) <= len(self._free)

    def _start(self, request: ProcessRequest) -> Fork | _Spawned:
        log = Path(request.log)
        log.parent.mkdir(parents=True, exist_ok=True)
        return self._forks.start(request.argv, log, request.gpus) if request.warm else _Spawned(request)

    def poll(self, timeout_s: float) -> list[Exit]:
        """Those that have ended; waits for one for some seconds at most."""
        latest = time.monotonic() + timeout_s
        while True:
            self._enforce()
            ended = [child for child in self._running if child.has_ended()]
            left = latest - time.monotonic()
            if ended or left <= 0:
                break
            _pause(self._running, min(left, _LOOK_S))
        for child in ended:
            self._running.remove(child)
            self._free += child.request.gpus or ()
        return [child.exit() for child in ended]

    def stop(self, index: int) -> None:
        """Ask one that runs to end, with all its processes."""
        for child in self._running:
            if child.index == index:
                child.ask()

    def cancel(self) -> None:
        """Ask all that run to end, with all their processes."""
        for child in self._running:
            child.ask()

    def kill(self) -> None:
        """End all that run, at once."""
        for child in self._running:
            child.kill()

    trouble = waits_for = ""

    def resumed(self) -> tuple[int, ...]:
        """None: what a process that is gone has left running holds its trials by their locks."""
        return ()

    def output(self, index: int) -> bytes:
        """None beside its log."""
        return b""

    def queued(self) -> tuple[int, ...]:
        """None: what is sent is started."""
        return ()

    def close(self) -> None:
        """Let what has imported for further trials end."""
        self._forks.close()

    def _enforce(self) -> None:
        now = time.monotonic()
        is_time_to_look = now - self._looked >= _LOOK_S
        self._looked = now if is_time_to_look else self._looked
        for child in self._running:
            child.enforce_time(now, child.needs.timeout_min)
            if is_time_to_look and child.needs.memory_gb is not None:
                child.enforce_memory(child.needs.memory_gb)


class _Spawned:
    """A subprocess, in a session of its own."""

    def __init__(self, request: ProcessRequest) -> None:
        environment = None
        if request.gpus is not None:
            environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ",".join(request.gpus)}
        with open(request.log, "ab") as log:
            self._process = subprocess.Popen(
                request.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment,
            )
        self.pid = self._process.pid
        self.since: float | None = time.monotonic()
        self._handle = _open_handle(self.pid)

    def poll(self) -> int | None:
        """Its exit code, None as long as it has none."""
        code = self._process.poll()
        if code is not None and self._handle is not None:
            os.close(self._handle)
            self._handle = None
        return code

    def signal(self, number: int) -> bool:
        """Send a signal to all its processes; gives whether there are any."""
        return send_signal(self.pid, number)

    def handle(self) -> int | None:
        """A descriptor that is readable when it has ended; None where the system has no such thing."""
        return self._handle


class _Child:
    """One job that runs, in a session of its own."""

    def __init__(self, index: int, request: ProcessRequest, needs: Needs, process: Fork | _Spawned) -> None:
        self.index = index
        self.request = request
        self.needs = needs
        self.process = process
        self._limit = ""
        self._is_memory = False
        self._kill_at: float | None = None

    def has_ended(self) -> bool:
        """Whether it has ended; if it was asked to, with all its processes."""
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at:
            self.kill()
        if self.process.poll() is None:
            return False
        if self._kill_at is not None and now < self._kill_at:
            return not self.process.signal(0)
        return True

    def exit(self) -> Exit:
        """How it has ended; what a killed worker has left behind ends, too."""
        code = self.process.poll()
        assert code is not None
        if code < 0:
            self.process.signal(signal.SIGKILL)
            latest = time.monotonic() + _DYING_S
            while has_members(self.process.pid) and time.monotonic() < latest:
                time.sleep(0.002)  # as long as one of them holds the run's lock, the run is not known to be lost
        if isinstance(self.process, Fork) and self.process.was_refused:
            return Exit(self.index, code, "it was not started", "limit")
        if self._limit and code not in (0, TAKEN):
            return Exit(self.index, code, self._limit, "memory" if self._is_memory else "limit")
        return Exit(self.index, code, "", "machine" if code < 0 else "program")

    def ask(self) -> None:
        """Ask it to end; it is ended where it does not listen."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + _GRACE_S
            self.process.signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, with all its processes."""
        self._kill_at = time.monotonic()
        self.process.signal(signal.SIGKILL)

    def enforce_time(self, now: float, minutes: float | None) -> None:
        """Ask it to end where its time is over."""
        since = self.process.since
        if minutes is not None and since is not None and now >= since + 60 * minutes and self._kill_at is None:
            self._limit = f"the time limit of {minutes:g} min is over"
            self.ask()

    def enforce_memory(self, most_gb: float) -> None:
        """End it where it holds too much."""
        if self._kill_at is not None or self.process.poll() is not None or not self.process.pid:
            return
        held = memory_of(self.process.pid, above=int(most_gb * 1e9)) / 1e9
        if held > most_gb:
            self._limit = f"it held {held:.3g} GB of memory, where the limit is {most_gb:g} GB"
            self._is_memory = True
            self.kill()


def _open_handle(pid: int) -> int | None:
    """What tells at once that a process has ended; None where the system has no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _pause(children: Sequence[_Child], seconds: float) -> None:
    """Wait for one of some processes to end."""
    handles = {child.process.handle() for child in children}
    if None in handles or any(child.has_ended() for child in children):
        time.sleep(min(seconds, 0.02))
        return
    waiting = select.poll()
    for handle in handles:
        if handle is not None:
            waiting.register(handle, select.POLLIN)
    waiting.poll(seconds * 1000)
