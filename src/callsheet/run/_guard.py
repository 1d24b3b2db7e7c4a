"""A process beside a worker that ends it when its limits are passed, for where nobody else does."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from callsheet._storage import read_json_file
from callsheet.run._processes import memory_of, send_signal
from callsheet.run._store import write_json_file

_FILE = "limit.json"

_GRACE_S = 5.0
"""Seconds between telling a worker to stop and ending it."""

_LOOK_S = 0.25
"""Seconds between two looks at memory."""

_PARENT_S = 1.0
"""Seconds between two looks whether the worker is there."""

LimitKind = Literal["limit", "memory"]


@dataclass(frozen=True)
class Passed:
    """A limit that an attempt has passed.

    Attributes:
        blame: Of time the `limit`, or `memory`.
        reason: Which, in words.
    """

    blame: LimitKind
    reason: str


def passed_limit(directory: Path) -> Passed | None:
    """The limit that the last attempt of a run has passed, if it was ended for that."""
    said = read_json_file(directory / _FILE)
    blame, reason = said.get("blame"), said.get("reason")
    kinds: tuple[LimitKind, ...] = get_args(LimitKind)
    return next((Passed(kind, str(reason)) for kind in kinds if blame == kind), None)


@contextlib.contextmanager
def guarded(directory: Path, *, minutes: float | None = None, memory_gb: float | None = None) -> Iterator[None]:
    """End this process when it has passed a limit, whatever it does at that moment, with all processes of its session.

    When its time is over they are told to stop, as by whoever cancels a run, and ended 5 seconds later; for their
    memory they are ended at once. Why is noted in the run directory before. To be entered before there are threads, by
    a process that leads its session.

    Args:
        directory: Of the run.
        minutes: How long it may take from now on.
        memory_gb: What all processes of its session may hold together, in 10^9 bytes.
    """
    (directory / _FILE).unlink(missing_ok=True)  # of an attempt before
    if minutes is None and memory_gb is None:
        yield
        return
    worker = os.getpid()
    guard = os.fork()
    if guard == 0:
        try:
            _watch(worker, directory, minutes, memory_gb)
        finally:
            os._exit(0)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(guard, signal.SIGKILL)
            os.waitpid(guard, 0)


def lead_session() -> bool:
    """Let this process lead a session of its own, if it does not yet; gives whether it does."""
    if os.getsid(0) != os.getpid():
        with contextlib.suppress(PermissionError):
            os.setsid()
    return os.getsid(0) == os.getpid()


def _watch(worker: int, directory: Path, minutes: float | None, memory_gb: float | None) -> None:
    """What the guard does until the worker is gone."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.setsid()  # the guard is none of the processes that it ends
    os.closerange(0, 1 << 20)  # as long as one holds the run's lock, the run is not known to be lost
    latest = time.monotonic() + 60 * minutes if minutes is not None else float("inf")
    while os.getppid() == worker:
        left = latest - time.monotonic()
        if left <= 0:
            _note(directory, Passed("limit", f"the time limit of {minutes:g} min is over"))
            send_signal(worker, signal.SIGTERM)
            _wait(worker)
            send_signal(worker, signal.SIGKILL)
            return
        if memory_gb is not None:
            held = memory_of(worker, above=int(memory_gb * 1e9)) / 1e9
            if held > memory_gb:
                reason = f"it held {held:.3g} GB of memory, where the limit is {memory_gb:g} GB"
                _note(directory, Passed("memory", reason))
                send_signal(worker, signal.SIGKILL)
                return
        time.sleep(min(left, _PARENT_S if memory_gb is None else _LOOK_S))


def _note(directory: Path, passed: Passed) -> None:
    with contextlib.suppress(OSError):  # a full disk is no reason to let it go on
        write_json_file(directory / _FILE, asdict(passed))


def _wait(worker: int) -> None:
    """Wait for a worker to end, not too long."""
    latest = time.monotonic() + _GRACE_S
    while os.getppid() == worker and time.monotonic() < latest:
        time.sleep(0.05)
