"""Who attends to a plan: one process at a time sends its trials, says how they stand, and is told what to end."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callsheet._storage import read_json_file, unwritable
from callsheet.errors import Fault, RunError
from callsheet.run._plan import Plan
from callsheet.run._provenance import host
from callsheet.run._store import GOES_ON, is_locked, take_lock, write_json_file

_NOTE_S = 1.0
"""Seconds between two notes of how the jobs stand."""

OPEN = ("waiting", "queued", "running", "elsewhere")
"""States of jobs that have not ended."""


@dataclass(frozen=True)
class Submission:
    """What was submitted, and how it stands.

    Attributes:
        plan: Its plan.
        words: The words of the command line that submit it again; empty where it was submitted from Python.
        folder: Where they were typed.
        name: What it is called: the config with what varies.
        on: The executor, as data.
        on_name: What that is called: `slurm`, or a profile of the project.
        code: The version of the project's code.
        started: When it was submitted last, in seconds since 1970.
        size: How many jobs there are; None where nobody knows.
        counts: For each state how many jobs are in it.
        sent: The jobs that were sent and have not ended.
        trouble: Why the executor cannot be asked; "" where it can.
        waits_for: What most of the queued jobs wait for, where the engine says so.
        attendant: The machine and process that attended to it last.
        noted: When that was noted.
    """

    plan: Plan
    words: tuple[str, ...] = ()
    folder: str = ""
    name: str = ""
    on: Any = None
    on_name: str = ""
    code: str = ""
    started: float = 0.0
    size: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    sent: Sequence[int] = ()
    trouble: str = ""
    waits_for: str = ""
    attendant: tuple[str, int] = ("", 0)
    noted: float = 0.0

    @property
    def id(self) -> str:
        """The plan's."""
        return self.plan.id

    @property
    def is_attended(self) -> bool:
        """Whether some process on this machine, or on one that shares its locks, attends to it now."""
        return is_locked(self.plan.folder / "attended")

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be sent or waited for, as far as was noted."""
        return self.noted > 0 and not any(self.counts.get(state) for state in OPEN)

    @classmethod
    def read(cls, plan: Plan) -> Submission | None:
        """What is noted of a plan; None where it was not submitted."""
        said = read_json_file(plan.folder / "submission.json")
        if not said:
            return None
        now = read_json_file(plan.folder / "attending.json")
        known = {name: value for name, value in {**said, **now}.items() if name in cls.__dataclass_fields__}
        for name in ("words", "attendant"):
            known[name] = tuple(known.get(name) or getattr(cls, name))
        return cls(**{**known, "plan": plan})

    def cancel(self, indices: Sequence[int] | None = None) -> None:
        """Tell whoever attends to it to end some jobs, or all."""
        with open(self.plan.folder / "cancel", "a", encoding="utf-8") as file:
            file.write("\n" + " ".join(["*"] if indices is None else map(str, indices)) + "\n")


def submissions(runs: Path) -> list[Submission]:
    """What was submitted in a project, the latest last."""
    try:
        names = os.listdir(runs / ".sweeps")
    except FileNotFoundError:
        return []
    found = (Submission.read(Plan(runs / ".sweeps" / name)) for name in names)
    return sorted(filter(None, found), key=lambda one: (one.started, one.id))


def find_submission(runs: Path, id: str) -> Submission | None:
    """The submission of an id, or of the beginning of one; None where there is none.

    Raises:
        RunError: There are several.
    """
    found = [one for one in submissions(runs) if one.id.startswith(id)] if len(id) >= 3 else []
    if len(found) > 1:
        raise RunError(Fault("", f"{id!r} is the beginning of several", advice=[", ".join(one.id for one in found)]))
    return found[0] if found else None


def write_standing(plan: Plan, said: Mapping[str, Any]) -> None:
    """Note how the jobs of a plan stand, and that it is this process which says so."""
    more = {"attendant": (str(host()["name"]), os.getpid()), "noted": time.time()}
    write_json_file(plan.folder / "attending.json", {**said, **more})


class Attendance:
    """This process attends to a plan, as long as it holds the plan's lock.

    Args:
        submission: What is attended to.
        alone: Whether nobody else may attend to it at the same time.
    """

    def __init__(self, submission: Submission, *, alone: bool) -> None:
        self._submission = submission
        self._folder = submission.plan.folder
        self._alone = alone
        self._lock: int | None = None
        self._noted = 0.0
        self._last: Any = None
        self._is_new = False

    def begin(self) -> None:
        """Take the lock, and say what is submitted.

        Raises:
            RunError: Another process attends to it, and nobody else may; or it cannot be noted that this one does.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = take_lock(self._folder / "attended")
            if self._lock is not None:
                self._announce()
                return
        except OSError as error:  # a full disk: what can be sent all the same is sent
            if self._alone:
                self.end()
                raise RunError(unwritable(f"the submission {self._folder}", error, GOES_ON)) from error
        if self._alone:
            one = Submission.read(self._submission.plan)
            machine, pid = one.attendant if one is not None else ("", 0)
            who = f"process {pid} on {machine}" if pid else "another process"
            advice = [f"callsheet wait {self._submission.id}", f"callsheet cancel {self._submission.id}"]
            problem = f"this is submitted already: {who} attends to it"
            raise RunError(Fault("", problem, advice=advice))

    def _announce(self) -> None:
        (self._folder / "cancel").unlink(missing_ok=True)
        self._is_new = not (self._folder / "submission.json").exists()
        said = {
            name: getattr(self._submission, name)
            for name in ("words", "folder", "name", "on", "on_name", "code", "size")
        }
        write_json_file(self._folder / "submission.json", {**said, "started": time.time()})

    def orders(self) -> Sequence[int] | None:
        """The jobs that shall be ended, told since it was asked last; None for all."""
        path = self._folder / "cancel"
        if self._lock is None or not path.exists():
            return ()
        taken = path.with_name("cancel.taken")
        path.rename(taken)
        words = taken.read_text(encoding="utf-8").split()
        taken.unlink()
        return None if "*" in words else [int(word) for word in words if word.isdigit()]

    def note(
        self, counts: Mapping[str, int], sent: Sequence[int], *, trouble: str, waits_for: str, is_last: bool = False
    ) -> None:
        """Say how the jobs stand, and which are sent; once a second at most, and at the end."""
        now = time.monotonic()
        if self._lock is None or (now - self._noted < _NOTE_S and not is_last):
            return
        self._noted = now
        said = {"counts": counts, "sent": sent, "trouble": trouble, "waits_for": waits_for}
        if said != self._last:
            self._last = said
            with contextlib.suppress(OSError):  # a full disk ends no sweep
                write_standing(self._submission.plan, said)

    def withdraw(self) -> None:
        """Let nobody know of it where nothing could be sent; what was submitted before stays."""
        if self._lock is not None and self._is_new:
            (self._folder / "submission.json").unlink(missing_ok=True)
        self.end()

    def end(self) -> None:
        """Let others attend to it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
