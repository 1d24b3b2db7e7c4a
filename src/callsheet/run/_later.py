"""What was submitted, taken up again by another process or on another day: attended to, ended, its output read."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from callsheet._decode import decode
from callsheet._storage import unwritable
from callsheet.errors import Fault, RunError
from callsheet.run._attend import OPEN, Submission, write_standing
from callsheet.run._beat import boot
from callsheet.run._draw import Drawing
from callsheet.run._ended import Sent, state_after
from callsheet.run._executors import executor_of
from callsheet.run._finished import Policy
from callsheet.run._job import Task
from callsheet.run._processes import send_signal
from callsheet.run._store import GOES_ON, Run, Store, note_ended, take_lock

_LOOK_S = 0.5
"""Seconds between two looks at what is waited for."""

_BEGIN_S = 60.0
"""Seconds for which a process that shall attend is waited for."""

_END_S = 60.0
"""Seconds for which what was told to end is waited for."""


def attend_apart(submission: Submission, finished: Policy = "refuse") -> int | None:
    """Let a process of its own attend to a submission, which outlives this one and the terminal.

    Args:
        submission: What is attended to.
        finished: What becomes of trials that other code has finished; as it was submitted for `refuse`.

    Returns:
        None once it attends; its exit code where it has ended by then. What it says is in `attendant.log` of the plan.

    Raises:
        RunError: It was submitted from Python; or nothing can be written; or nothing happens for a minute.
    """
    command = attending_command(submission, finished)
    try:
        log = open(submission.plan.folder / "attendant.log", "ab")  # noqa: SIM115  (closed below)
    except OSError as error:
        raise RunError(unwritable(f"the submission {submission.plan.folder}", error, GOES_ON)) from error
    with log:
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


def attending_command(submission: Submission, finished: Policy = "refuse", *, same_code: bool = False) -> list[str]:
    """The command that attends to a submission, as it was submitted or with another decision.

    Args:
        submission: What is attended to.
        finished: What becomes of trials that other code has finished; as it was submitted for `refuse`.
        same_code: Whether it refuses to go on with other code.

    Raises:
        RunError: It was submitted from Python; or it is a single run.
    """
    if not submission.words and submission.on is not None:
        names = [name for index in _tried(submission) if (name := submission.plan.run_of(index)) is not None]
        advice = [f"callsheet rerun {name} --on {submission.on_name}" for name in names[-1:]]
        raise RunError(Fault("", f"{submission.id} is a single run, which ends as it ends", advice=advice))
    if not submission.words:
        raise RunError(Fault("", f"{submission.id} was submitted from Python", advice=["run that program again"]))
    words = _without_runs(submission.words)
    if finished != "refuse":
        words = [f"--{finished}", *(word for word in words if word not in ("--keep", "--redo"))]
    runs = str(submission.plan.runs)  # where they are now, whatever was typed then
    of = f"--of={submission.id}{f'@{submission.code}' if same_code and submission.code else ''}"
    return [sys.executable, "-m", "callsheet", "sweep", "--single", of, "--runs", runs, *words]


def refuse_another(of: str, drawing: Drawing) -> None:
    """Refuse to go on with a submission where what would be drawn is not that any more.

    Args:
        of: The submission's id, and behind `@` the version of its code where that must be the same; "" for any.
        drawing: What would be drawn.

    Raises:
        RunError: It is another, or by other code.
    """
    id, _, code = of.partition("@")
    config = os.path.relpath(drawing.header.config) if drawing.header.config else "what is swept"
    if id and id != drawing.plan.id:
        advice = [
            "where the change is undone, it goes on",
            f"callsheet cancel {id}  ends it,  and  callsheet sweep …  runs what there is now",
        ]
        raise RunError(Fault("", f"{config} has changed since {id} was submitted", advice=advice))
    if code and code != drawing.code:
        advice = ["where the change is undone, it goes on", f"callsheet retry {id}  goes on with the code as it is now"]
        raise RunError(Fault("", f"the project's code has changed since {id} was submitted", advice=advice))


def _without_runs(words: Sequence[str]) -> list[str]:
    """The words of a command line but for those that say where its runs are."""
    kept: list[str] = []
    left = iter(words)
    for word in left:
        if word == "--":
            return [*kept, word, *left]
        if word == "--runs":
            next(left, None)
        elif not word.startswith("--runs="):
            kept.append(word)
    return kept


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
    _note_settled(submission, {}, is_cancelled=indices is None)


def _end_there(submission: Submission, indices: Collection[int] | None) -> None:
    """Let the executor that took them end jobs."""
    store = Store(submission.plan.runs)
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


def settled(submission: Submission, known: Mapping[int, str] = MappingProxyType({})) -> Submission:
    """A submission with what its jobs have come to since somebody attended to it.

    Args:
        submission: As it was noted.
        known: What is known of jobs, beside what their runs say.
    """
    if submission.is_over or submission.is_attended:
        return submission
    store, counts, left = Store(submission.plan.runs), Counter(submission.counts), []
    for index in submission.sent:
        name = submission.plan.run_of(index)
        run = store.read(name) if name is not None else None
        state = known.get(index) or ("running" if run is None else "pruned" if run.pruned is not None else run.state)
        if index not in known and state in ("running", "lost"):  # an engine may start it again
            left.append(index)
            continue
        counts["running" if counts["running"] else "queued"] -= 1
        counts[state] += 1
    return replace(submission, counts={state: count for state, count in counts.items() if count}, sent=left)


def _note_settled(submission: Submission, known: Mapping[int, str], *, is_cancelled: bool) -> None:
    """Note what has become of jobs to which nobody attends; where all are cancelled, those that have not ended are."""
    one = settled(submission, known)
    counts = Counter(one.counts)
    if is_cancelled:
        left = sum(counts.pop(state, 0) for state in OPEN)
        counts["cancelled"] += max(left, (one.size or 0) - sum(counts.values()))
    said = {"counts": {state: n for state, n in counts.items() if n}, "sent": [] if is_cancelled else list(one.sent)}
    write_standing(submission.plan, {**said, "trouble": "", "waits_for": ""})


def await_sent(submission: Submission) -> None:
    """Wait for what a submission has sent, of which nobody knows how it was submitted; sends nothing."""
    lock = take_lock(submission.plan.folder / "attended")
    if lock is None:  # somebody has just begun to attend
        return
    try:
        while submission.on is None and any(_running(submission, None)):
            time.sleep(_LOOK_S)
        known = _followed(submission) if submission.on is not None else {}
    finally:
        os.close(lock)
    _note_settled(submission, known, is_cancelled=False)


def _followed(submission: Submission) -> dict[int, str]:
    """What becomes of the jobs that the executor of a submission has."""
    known: dict[int, str] = {}
    sender = executor_of(decode(submission.on, policy=None, where=submission.id)).sender(submission.plan)
    store = Store(submission.plan.runs)
    try:
        left = set(sender.resumed())
        while left:
            for exit in sender.poll(_LOOK_S):
                left.discard(exit.index)
                sent = Sent(0, Task(submission.plan, exit.index, ""))
                known[exit.index] = state_after(sent, exit, store, is_stopped=False)
    finally:
        sender.close()
    return known


def _running(submission: Submission, indices: Collection[int] | None) -> Iterator[Run]:
    """The runs of a submission that run now."""
    store = Store(submission.plan.runs)
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
