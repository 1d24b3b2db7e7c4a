"""What has become of a job whose worker is gone, and whether it is sent again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from callsheet.run._job import MISUSE, TAKEN, Exit, JobState, Task
from callsheet.run._store import Run, Store, note_ended

_TAIL, _LONGEST = 4096, 300
"""Bytes of an output in which its last line is looked for, and characters of that which are told."""

_CUT_OFF = "its process ended with 0 before what it called returned"


@dataclass(frozen=True)
class Retries:
    """How often a job is sent again.

    Attributes:
        machine: After what the machine did: its worker was killed, lost, or went beyond its memory.
        program: After the program has failed.
    """

    machine: int = 0
    program: int = 0

    def allow(self, sent: Sent, exit: Exit, state: JobState) -> bool:
        """Whether a job that has ended is sent again; that is counted."""
        if exit.blame == "limit" or exit.refused:
            return False
        if exit.blame in ("machine", "memory") or state == "lost":
            sent.machine += 1
            return sent.machine <= self.machine
        sent.program += 1
        return sent.program <= self.program


class Sent:
    """A job between its drawing and its end.

    Attributes:
        place: Where it stands among the jobs.
        task: What is run.
        machine: How often the machine has ended it.
        program: How often it has failed.
        pruned_at: The step at which it was told to stop, since others did better.
        is_cancelled: Whether somebody has ordered it to be ended.
        problem: What ended it, where its run does not say so.
    """

    __slots__ = ("is_cancelled", "machine", "place", "problem", "program", "pruned_at", "task")

    def __init__(self, place: int, task: Task) -> None:
        self.place = place
        self.task = task
        self.machine = 0
        self.program = 0
        self.pruned_at: int | None = None
        self.is_cancelled = False
        self.problem = ""

    @property
    def lock(self) -> Path:
        """What its worker holds."""
        return self.task.plan.lock_path(self.task.index)

    @property
    def log(self) -> Path:
        """Where it writes until it has a run directory."""
        return self.task.plan.folder / "logs" / f"{self.task.index}.log"


def state_after(sent: Sent, exit: Exit, store: Store, *, is_stopped: bool) -> JobState:
    """What has become of a job whose worker is gone; its run may be told why.

    Args:
        sent: The job.
        exit: How its worker ended.
        store: Where runs are.
        is_stopped: Whether it was told to end.
    """
    if exit.returned or exit.code == TAKEN:
        return "cancelled"
    name = sent.task.plan.run_of(sent.task.index)
    run = store.read(name) if name is not None else None
    is_cut_off = run is not None and run.status.get("state") == "running"
    if exit.code == 0 and not is_cut_off:
        return "done"
    if exit.code == MISUSE:
        sent.problem = exit.limit or _last_said(sent.log)
        return "failed"
    if exit.limit:
        return _state_by(sent, exit, run)
    if sent.pruned_at is not None and run is not None:
        if note_ended(run, "cancelled", exit.code, f"pruned at step {sent.pruned_at}", pruned=True):
            return "pruned"
        if run.state == "done":  # it was asked to end when nothing but its process was left
            return "done"
    if is_stopped and (exit.code <= 0 or run is None):
        if run is not None and is_cut_off:  # it did not listen, so it cannot say so itself
            note_ended(run, "cancelled", exit.code, "told to stop, and ended since it went on")
        return "cancelled"
    if run is None:
        sent.problem = _last_said(sent.log)
        return "failed"
    state: JobState = run.state
    if exit.code == 0:
        sent.problem = _CUT_OFF
    if state == "running":  # nobody runs it
        return "lost"
    return "failed" if state == "done" else state  # nobody says that it went well


def _state_by(sent: Sent, exit: Exit, run: Run | None) -> JobState:
    """What has become of a job that was ended, as whoever sent it says."""
    if run is not None and run.state == "done":
        return "done"
    state: JobState = "lost" if exit.blame == "machine" else "failed" if exit.blame == "program" else "cancelled"
    is_cut_off = run is not None and (exit.blame != "program" or run.status.get("state") == "running")
    if run is None or not is_cut_off or not note_ended(run, state, exit.code, exit.limit):
        sent.problem = exit.limit
    return state


def _last_said(log: Path) -> str:
    """The last line of an output that is not indented, as advice and the frames of a traceback are; "" without any."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            lines = [line.rstrip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    last = next((line for line in reversed(lines) if not line[0].isspace()), lines[-1].strip() if lines else "")
    return re.sub(r"^(callsheet: |\S*/slurm_script: )", "", last)[:_LONGEST]
