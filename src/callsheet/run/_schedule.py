"""Sends the trials of a drawing as there is room for them, and follows what becomes of each."""

from __future__ import annotations

import threading
import time
import warnings
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from callsheet.errors import CallsheetWarning, Fault, RunError, nearest, render
from callsheet.run._attend import Attendance, Submission
from callsheet.run._claims import is_alive
from callsheet.run._draw import Drawing, Item
from callsheet.run._ended import Retries, Sent, state_after
from callsheet.run._engine import Unreachable
from callsheet.run._follow import Follower
from callsheet.run._job import TAKEN, Exit, Job, Jobs, JobState, Sender
from callsheet.run._pace import Pace
from callsheet.run._scheduled import ScheduledJob
from callsheet.run._store import Run, Store, is_locked

_STATES: tuple[JobState, ...] = (
    "waiting", "queued", "running", "done", "failed", "interrupted", "cancelled", "lost", "elsewhere", "held", "pruned",
)  # fmt: skip
_OPEN = ("waiting", "queued", "running", "elsewhere")
_BEFORE, _PRUNED_BEFORE = len(_STATES), len(_STATES) + 1
"""What is kept of a job that was done or pruned before, beside the numbers of states."""

_WELL = bytes([_STATES.index("done"), _STATES.index("pruned"), _BEFORE, _PRUNED_BEFORE])
"""What is kept of a job of which nothing is left to be done."""

_AWAY_S = 2.0
"""Seconds after which one asks again what does not answer."""

_POLL_S = 0.05
"""Seconds after which one looks again whether to stop."""

_ELSEWHERE_S = 1.0
"""Seconds after which one looks again at what other sweeps run, at most, where a look is quick."""


class Scheduled(Jobs):
    """The jobs of a drawing; a thread sends each when there is room.

    Args:
        drawing: Where jobs come from.
        sender: Where they go.
        retries: How often one is sent again.
        attendance: Who says how they stand, and what shall be ended.
        doubts: Whether it is warned of a result that has nothing to learn from.
    """

    def __init__(
        self,
        drawing: Drawing,
        sender: Sender,
        retries: Retries,
        attendance: Attendance | None = None,
        *,
        doubts: bool = False,
    ) -> None:
        self._attendance = attendance or Attendance(Submission(drawing.plan), alone=False)
        self._drawing = drawing
        self._sender = sender
        self._retries = retries
        self._store = Store(drawing.place.runs)
        self._follower = Follower(drawing)
        self._doubts = doubts
        self._states = bytearray(len(drawing.indices))
        self._log = array("Q")  # the places of the jobs that have ended, in that order
        self._taken = 0  # how many jobs came out of the drawing
        self._sent: dict[int, Sent] = {}
        self._again: deque[Sent] = deque()
        self._elsewhere: list[Sent] = []
        self._pace = Pace(_ELSEWHERE_S)
        self._resumed: set[int] = set()  # those that were sent before this process was, until they are drawn
        self._early: dict[int, Exit] = {}  # of these the ones that ended before they were drawn
        self._problems: dict[int, str] = {}
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._killing = threading.Event()
        self._leaving = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="callsheet-jobs", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        told = ", ".join(f"{count} {state}" for state, count in self._counts().items())
        return f"<{len(self)} job{'' if len(self) == 1 else 's'}{told and ': '}{told}>"

    def __len__(self) -> int:
        return len(self._drawing.indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [ScheduledJob(self, n) for n in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"job {index} of {len(self)}")
        return ScheduledJob(self, index % len(self))

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no job runs or waits any more; gives whether that is so."""
        if not self._ended.wait(timeout_s):
            return False
        if self._error is not None:
            raise self._error
        return True

    def ended(self) -> Iterator[Job]:
        """Each job when it has ended, in that order; waits in between."""
        told = 0
        while True:
            with self._changed:
                while told == len(self._log) and not self._ended.is_set():
                    self._changed.wait(0.5)
                until = len(self._log)
            if told == until:
                self.wait()
                return
            for n in range(told, until):
                yield ScheduledJob(self, self._log[n])
            told = until

    def running(self) -> list[Job]:
        """The jobs that run at this moment, here or elsewhere."""
        return [ScheduledJob(self, sent.place) for sent in [*list(self._sent.values()), *self._elsewhere]]

    def cancel(self) -> None:
        """End the jobs that run, with all their processes, and start no others."""
        self._stopping.set()
        try:
            self._ended.wait()
        finally:  # also where the user is impatient and interrupts again
            self._killing.set()
            self._thread.join()

    def leave(self) -> None:
        """Send no others, and let go of those that were sent."""
        self._leaving.set()
        self._thread.join()

    @property
    def trouble(self) -> str:
        """Why nothing can be sent or asked at this moment; "" where all is well."""
        return self._sender.trouble

    @property
    def waits_for(self) -> str:
        """What most of the queued jobs wait for, where whoever they were sent to says so."""
        return self._sender.waits_for

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._pump()
        except OSError as error:
            advice = ["the same command goes on once it can"]
            self._error = RunError(Fault("", f"no more trials can be started: {error}", advice=advice))
        except BaseException as error:  # noqa: BLE001  (told to whoever waits)
            self._error = error
        for step in (self._see_off, self._sender.close, self._note_last, self._attendance.end, self._finish):
            try:
                step()
            except BaseException as error:  # noqa: BLE001
                self._error = self._error or error
        with self._changed:
            self._ended.set()
            self._changed.notify_all()

    def _see_off(self) -> None:
        """Wait for those that still run, or end them."""
        if self._stopping.is_set() and self._sent:
            self._sender.cancel()
        while self._sent and not self._leaving.is_set():
            if self._killing.is_set():
                self._sender.kill()
            self._poll(0.1)

    def _note_last(self) -> None:
        self._note(is_last=True)

    def _finish(self) -> None:
        if self._error is None and not self._leaving.is_set() and not self._states.translate(None, _WELL):
            self._drawing.finish()

    def _pump(self) -> None:
        is_drawn = self._resume()
        while not self._is_told_to_end():
            room = self._room()
            while room and not self._is_told_to_end():
                tasks, is_drawn = self._next(room, is_drawn)
                if not tasks:
                    break
                room = self._room() if self._send(tasks) else 0
            if is_drawn and not self._sent and not self._again and not self._elsewhere:
                return
            self._obey(self._attendance.orders())
            self._note()
            self._poll(_POLL_S)
            for index, step in self._follower.lagging(self._sent):
                if self._sent[index].pruned_at is None:
                    self._sent[index].pruned_at = step
                    self._sender.stop(index)
            if self._elsewhere and self._pace.left_s() <= 0:
                self._look_elsewhere()

    def _look_elsewhere(self) -> None:
        """What an earlier sweep left running is waited for, and done here should it fail to end well."""
        began = time.monotonic()
        taken = []
        for sent in self._elsewhere:
            if self._is_taken(sent):
                taken.append(sent)
            else:
                self._take_back(sent)
        is_changed = len(taken) < len(self._elsewhere)
        self._elsewhere = taken
        self._pace.looked(time.monotonic() - began, changed=is_changed)

    def _is_taken(self, sent: Sent) -> bool:
        """Whether some process runs the trial of a job: in its plan, or in another that has the same trial."""
        name = sent.task.plan.run_of(sent.task.index)
        return is_locked(sent.lock) or (name is not None and is_alive(self._store.read(name)))

    def _take_back(self, sent: Sent) -> None:
        """Count a job as done that was so elsewhere; else it is to be run here."""
        if self._drawing.done_run(sent.task.index) is None:
            self._again.append(sent)
        else:
            self._close(sent.place, "done")
            self._tell(sent.task.index, "done")

    def _obey(self, orders: Sequence[int] | None) -> None:
        """End what somebody has ordered to be ended."""
        if orders is None:
            self._stopping.set()
        for index in orders or ():
            if index in self._sent:
                self._sender.stop(index)
                self._sent[index].is_cancelled = True

    def _note(self, *, is_last: bool = False) -> None:
        """Let others know how the jobs stand."""
        told = self._counts(ends_open=is_last and self._stopping.is_set())
        waits_for = "" if is_last else self._sender.waits_for
        trouble = self._sender.trouble or str(self._error or "").partition("\n")[0]
        self._attendance.note(told, sorted(self._sent), trouble=trouble, waits_for=waits_for, is_last=is_last)

    def _counts(self, *, ends_open: bool | None = None) -> dict[str, int]:
        """How many jobs are in each state that any is in.

        Args:
            ends_open: Whether those that have not ended count as cancelled; by default once all have come to their end.
        """
        counts: dict[str, int] = {state: self._states.count(n) for n, state in enumerate(_STATES)}
        counts["done"], counts["pruned"] = self.done - counts["pruned"], counts["pruned"]
        waiting = self._sender.queued()
        queued = sum(index in waiting for index in [*self._sent])
        counts["queued"], counts["running"] = queued, counts["running"] - queued
        counts["waiting"] = max(0, len(self) - sum(counts.values()) + counts["waiting"])
        if self._ended.is_set() if ends_open is None else ends_open:
            counts["cancelled"] += sum(counts.pop(state, 0) for state in _OPEN)
        return {state: count for state, count in counts.items() if count}

    def _room(self) -> int:
        """How many tasks can be sent now."""
        learns = self._drawing.goal is not None
        return self._sender.spare() if learns or self._again else self._sender.room()

    def _is_told_to_end(self) -> bool:
        return self._stopping.is_set() or self._leaving.is_set()

    def _resume(self) -> bool:
        """Learn what was sent before, and follow it; gives whether nothing more is to be drawn.

        What it was sent to may be away for a while.
        """
        while not self._is_told_to_end():
            try:
                self._resumed = set(self._sender.resumed())
            except Unreachable:
                self._sender.poll(_AWAY_S)
                continue
            break
        is_drawn = False
        ahead: list[Sent] = []
        while self._resumed and not is_drawn:
            found, is_drawn = self._next(1, is_drawn)
            ahead += found
        self._again.extend(ahead)
        return is_drawn

    def _next(self, room: int, is_drawn: bool) -> tuple[list[Sent], bool]:
        """What is sent next, and whether nothing more is to be drawn."""
        found: list[Sent] = []
        while len(found) < room:
            if self._again:
                found.append(self._again.popleft())
                continue
            item = None if is_drawn else self._drawing.next()
            if item is None:
                return found, True
            place = self._taken
            self._taken += 1
            if place >= len(self._states):
                self._states.append(0)
            if item.task is None:
                self._settle(place, item)
            elif item.index in self._resumed:
                self._follow(Sent(place, item.task))
            else:
                found.append(Sent(place, item.task))
        return found, is_drawn

    def _follow(self, sent: Sent) -> None:
        """Follow a job that was sent before this process was."""
        self._resumed.discard(sent.task.index)
        exit = self._early.pop(sent.task.index, None)
        if exit is not None:
            self._end(sent, exit)
        else:
            self._set_sent(sent)

    def _set_sent(self, sent: Sent) -> None:
        self._sent[sent.task.index] = sent
        self._states[sent.place] = _STATES.index("running")

    def _send(self, jobs: list[Sent]) -> bool:
        """Send what no other sweep runs; gives whether there was room for all."""
        free = []
        for sent in jobs:
            if is_locked(sent.lock):
                self._set_elsewhere(sent)
            else:
                free.append(sent)
        count = self._sender.send([sent.task for sent in free]) if free else 0
        for sent in free[:count]:
            self._set_sent(sent)
        self._again.extendleft(reversed(free[count:]))
        return count == len(free)

    def _poll(self, timeout_s: float) -> None:
        for exit in self._sender.poll(timeout_s):
            if exit.index in self._sent:
                self._end(self._sent.pop(exit.index), exit)
            else:
                self._early[exit.index] = exit

    def _end(self, sent: Sent, exit: Exit) -> None:
        if exit.code == TAKEN and not self._stopping.is_set():
            self._set_elsewhere(sent)
            return
        is_stopped = self._stopping.is_set() or sent.is_cancelled
        sent.problem = ""
        state = state_after(sent, exit, self._store, is_stopped=is_stopped)
        self._problems.pop(sent.task.index, None)
        if sent.problem:
            self._problems[sent.task.index] = sent.problem
        is_ended = state in ("done", "pruned") or is_stopped
        if not is_ended and (exit.returned or self._retries.allow(sent, exit, state)):
            self._follower.forget(sent.task.index)
            sent.pruned_at = None
            self._states[sent.place] = 0
            self._again.append(sent)
            return
        self._close(sent.place, state)
        self._tell(sent.task.index, state)

    def _set_elsewhere(self, sent: Sent) -> None:
        self._states[sent.place] = _STATES.index("elsewhere")
        self._elsewhere.append(sent)

    def _settle(self, place: int, item: Item) -> None:
        """End a job that is not sent."""
        if item.said in ("done", "pruned"):
            self._states[place] = _BEFORE if item.said == "done" else _PRUNED_BEFORE
            self._note_end(place)
        else:
            self._close(place, "done" if item.said == "meanwhile" else "held" if item.said == "held" else "failed")
        states: dict[str, JobState] = {"done": "done", "meanwhile": "done", "pruned": "pruned"}
        self._tell(item.index, states.get(item.said, "failed"))

    def _tell(self, index: int, state: JobState) -> None:
        goal = self._drawing.goal
        if goal is not None:
            run = self.run_of(index) if state in ("done", "pruned") else None
            self._follower.end(index, run)
            value = run.result.get(goal[0]) if run is not None else None
            is_score = isinstance(value, int | float) and value == value
            self._drawing.tell(index, value if is_score else None, stopped=state == "pruned")
            if self._doubts and run is not None and state == "done":
                self._doubts = False
                _doubt(run, goal[0])

    def _close(self, place: int, state: JobState) -> None:
        self._states[place] = _STATES.index(state)
        self._note_end(place)

    def _note_end(self, place: int) -> None:
        with self._changed:
            self._log.append(place)
            self._changed.notify_all()

    # --- what jobs ask ------------------------------------------------------------------------------------------------

    def place_of(self, place: int) -> tuple[int, JobState, bool]:
        """Of the job at a place its index, its state, and whether it was done before."""
        state, index = self._states[place] if place < len(self._states) else 0, self._drawing.indices[place]
        if state == _BEFORE or (state == 0 and self._drawing.done_run(index) is not None):
            return index, "done", True
        if state == _PRUNED_BEFORE:
            return index, "pruned", True
        said = _STATES[state]
        if said == "running" and index in self._sender.queued():
            said = "queued"
        return index, "cancelled" if self._ended.is_set() and said in _OPEN else said, False

    @property
    def done(self) -> int:
        """How many jobs are done, or were before; those that were pruned among them."""
        now, before = (sum(map(self._states.count, some)) for some in (_WELL[:2], _WELL[2:]))
        return now + max(before, self._drawing.done_before)

    def run_of(self, index: int) -> Run | None:
        """The run of a job, or the one for which it counts as done."""
        name = self._drawing.plan.run_of(index) or self._drawing.done_run(index)
        return None if name is None else self._store.read(name)

    def done_run_of(self, index: int) -> Run | None:
        """The run for which a job counts as done."""
        name = self._drawing.done_run(index)
        return None if name is None else self._store.read(name)

    def overrides_of(self, index: int) -> tuple[str, ...]:
        """The texts that make a job's trial."""
        trial = self._drawing.plan.trial(index // self._drawing.repeat)
        return trial.overrides if trial is not None else ()

    def problem_of(self, index: int) -> str:
        """What ended a job; "" where nothing is known but what its run says."""
        return self._problems.get(index, "")

    def log_of(self, index: int) -> Path:
        """Where a job writes until it has a run directory."""
        return self._drawing.plan.folder / "logs" / f"{index}.log"


def _doubt(run: Run, name: str) -> None:
    """Warn where a result lacks the number that a sampler learns from."""
    numbers = sorted(key for key, value in run.result.items() if isinstance(value, int | float))
    if name not in numbers:
        has = f"it has  {', '.join(dict.fromkeys([*nearest(name, numbers), *numbers]))}" if numbers else "it has none"
        fault = Fault("", f"the result of run {run.id} has no number named {name!r} to learn from", advice=[has])
        warnings.warn(render([fault]), CallsheetWarning, stacklevel=2)
