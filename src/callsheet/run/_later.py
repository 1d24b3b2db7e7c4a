"""What was submitted, taken up again by another process or on another day: attended to, ended, its output read."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from callsheet._decode import decode
from callsheet.errors import Fault, RunError
from callsheet.run._attend import Submission
from callsheet.run._beat import boot
from callsheet.run._executors import executor_of
from callsheet.run._processes import send_signal
from callsheet.run._store import Run, Store, note_ended, take_lock

_BEGIN_S = 60.0
"""Seconds for which a process that shall attend is waited for."""

_END_S = 60.0
"""Seconds for which what was told to end is waited for."""


def attend_apart(submission: Submission) -> int | None:
    """Let a process of its own attend to a submission, which outlives this one and the terminal.

    Returns:
        None once it attends; its exit code where it has ended by then. What it says is in `attendant.log` of the plan.

    Raises:
        RunError: It was submitted from Python; or nothing happens for a minute.
    """
    command = attending_command(submission)
    with open(submission.plan.folder / "attendant.log", "ab") as log:
        process = subprocess.Popen(
            command, cwd=submission.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    latest = time.monotonic() + _BEGIN_S
    while time.monotonic() < latest:
        code = process.poll()
        if code is not None:
            return code
        if submission.is_attended:
            return None
        time.sleep(0.02)
    problem = f"process {process.pid} does not begin to attend"
    raise RunError(Fault("", problem, advice=[f"what it says is in {submission.plan.folder / 'attendant.log'}"]))


def attending_command(submission: Submission) -> list[str]:
    """The command that attends to a submission.

    Raises:
        RunError: It was submitted from Python.
    """
    if not submission.words:
        raise RunError(Fault("", f"{submission.id} was submitted from Python", advice=["run that program again"]))
    return [sys.executable, "-m", "callsheet", "sweep", "--single", *submission.words]


def end(submission: Submission, indices: Collection[int] | None = None) -> None:
    """End jobs of a submission, wherever they are; all, and what is not sent, for None.

    Whoever attends to it is told; where nobody does, the executor is, and processes on this machine get SIGTERM.

    Raises:
        RunError: Something still runs after a minute, or nobody here can end it.
    """
    if submission.is_attended:
        submission.cancel(None if indices is None else sorted(indices))
    else:
        _end_unattended(submission, indices)
    latest = time.monotonic() + _END_S
    while time.monotonic() < latest:
        if not any(_running(submission, indices)) and not (indices is None and submission.is_attended):
            return
        time.sleep(0.1)
    problem = f"{submission.id} was told to end, and still runs after {_END_S:.0f} seconds"
    raise RunError(Fault("", problem, advice=[f"callsheet status {submission.id}"]))


def _end_unattended(submission: Submission, indices: Collection[int] | None) -> None:
    lock = take_lock(submission.plan.folder / "attended")
    if lock is None:  # somebody has just begun to
        submission.cancel(None if indices is None else sorted(indices))
        return
    try:
        for run in _running(submission, indices):
            pid = run.status.get("pid")
            if run.status.get("boot") == boot() and isinstance(pid, int):
                send_signal(pid, 15)
        if submission.on is not None:
            _end_there(submission, indices)
    finally:
        os.close(lock)


def _end_there(submission: Submission, indices: Collection[int] | None) -> None:
    """Let the executor that took them end jobs."""
    store = Store(submission.plan.folder.parent.parent)
    sender = executor_of(decode(submission.on, policy=None, where=submission.id)).sender(submission.plan)
    try:
        left = set(sender.resumed())
        left &= left if indices is None else set(indices)
        for index in left:
            sender.stop(index)
        latest = time.monotonic() + _END_S
        while left and time.monotonic() < latest:
            for exit in sender.poll(0.2):
                left.discard(exit.index)
                name = submission.plan.run_of(exit.index)
                if name is not None and exit.code != 0:
                    note_ended(store.read(name), "cancelled", exit.code, "told to stop")
        if left:
            problem = f"{len(left)} jobs were told to end, and are still there after {_END_S:.0f} seconds"
            raise RunError(Fault("", f"{problem}: {sender.trouble}" if sender.trouble else problem))
    finally:
        sender.close()


def _running(submission: Submission, indices: Collection[int] | None) -> Iterator[Run]:
    """The runs of a submission that run now."""
    store = Store(submission.plan.folder.parent.parent)
    for index in indices if indices is not None else _tried(submission):
        name = submission.plan.run_of(index)
        if name is not None:
            run = store.read(name)
            if run.state == "running":
                yield run


def _tried(submission: Submission) -> Sequence[int]:
    """The jobs that some worker has begun."""
    try:
        names = os.listdir(submission.plan.folder / "trials")
    except FileNotFoundError:
        return ()
    return sorted(int(name) for name in names if name.isdigit())


def output_of(submission: Submission, index: int) -> bytes:
    """What a job has written that came to no run directory, from its log, else from the engine that has it."""
    log: Path = submission.plan.folder / "logs" / f"{index}.log"
    if log.exists() or submission.on is None:
        return log.read_bytes() if log.exists() else b""
    sender: Any = executor_of(decode(submission.on, policy=None, where=submission.id)).sender(submission.plan)
    try:
        output: bytes = sender.output(index)
        return output
    finally:
        sender.close()
