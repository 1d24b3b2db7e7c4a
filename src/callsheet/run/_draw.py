"""From a sweep to what is left to be run: trials are drawn and written into a plan a little ahead of who runs them."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack

from callsheet._sweep import Sweep
from callsheet.errors import Fault, RunError
from callsheet.run._finished import IN_PYTHON, Endings, Finished, Policy, Ways
from callsheet.run._job import Task
from callsheet.run._place import Place
from callsheet.run._plan import Header, PlannedTrial
from callsheet.run._planindex import Record
from callsheet.run._planning import CHECKED, Planning
from callsheet.run._provenance import code_of
from callsheet.run._shape import Needs
from callsheet.run._store import Run, Store


class Options(TypedDict, total=False):
    """What can be said of a drawing.

    Attributes:
        entry: The path of what is built; "" for `main`, or the whole spec where there is none.
        repeat: How many replicates of each trial are run.
        alone: Whether this is one submission for itself, which finds nothing finished.
        again: The run that it repeats, whose overrides and origins are recorded once more.
        writes: Whether what is read of runs may be kept in their index.
    """

    entry: str
    repeat: int
    alone: bool
    again: Run | None
    writes: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A job of a sweep, as it comes out of the drawing.

    Attributes:
        index: The job's: its trial's place in the sweep, or with replicates that times their number and on.
        said: `run` it; it is `done`, or was `meanwhile` by another sweep; it is `held`, since other code finished it
            and nobody said what to do; it is `faulty`; it was `pruned` before.
        task: What is to be run.
    """

    index: int
    said: Literal["run", "done", "meanwhile", "held", "faulty", "pruned"]
    task: Task | None = None


def draw(sweep: Sweep, place: Place, **options: Unpack[Options]) -> Drawing:
    """Begin to draw the trials of a sweep.

    All are drawn and checked if there are no more than `_planning.CHECKED`; else each choice of each axis is checked.
    Nothing is written before that is done.

    Args:
        sweep: What to draw from; without axes it is one trial.
        place: Where the trials belong.
        options: As `Drawing` takes them.

    Raises:
        SpecError: Trials are faulty; each fault names its trial. Nothing is written.
        SaveError: A trial holds a live object. Nothing is written.
        SpaceError: The sweep cannot be drawn from.
    """
    options.setdefault("writes", True)
    drawing = Drawing(sweep, place, **options)
    drawing.prepare()
    return drawing


class Drawing:
    """The trials of a sweep, drawn and checked a little ahead of who runs them.

    Made by `draw`; making it otherwise reads only. What is drawn is kept on disk: of a trial only its state is in
    memory.

    Args:
        sweep: What to draw from; without axes it is one trial.
        place: Where the trials belong.
        options: What else was said.

    Attributes:
        sweep: What is drawn from.
        plan: Where trials are written.
        place: Where they belong.
        entry: The path of what is built, as it was asked for.
        repeat: How many replicates of each trial are run.
        indices: The jobs' indices, in order; where the number of trials is not known, of those drawn so far.
        code: The version of the project's code.
        done_before: How many jobs needed no run in the beginning, as far as their trials were drawn.
        stale: How many more of these were finished, but by other code.
    """

    def __init__(self, sweep: Sweep, place: Place, **options: Unpack[Options]) -> None:
        entry, repeat, alone = options.get("entry", ""), options.get("repeat", 1), options.get("alone", False)
        self.place = place
        self.repeat = repeat
        self.sweep = sweep
        self.entry = entry
        self._planning = Planning(sweep, place, entry, repeat, alone=alone, again=options.get("again"))
        self.plan = self._planning.plan
        if self.prunes and repeat > 1:
            advice = ["without --repeat trials are pruned", "without --prune they are repeated"]
            raise RunError(Fault("", "replicates cannot be compared by how far they are", advice=advice))
        size = self._planning.drawn.size
        is_counted = size is not None and not self._planning.learns and not sweep.is_space
        self.indices: Sequence[int] = range((size or 0) * repeat) if is_counted else array("Q")
        store = Store(place.runs)
        code = code_of(place.project, self._planning.configs, place.runs)
        finished = None if alone else Finished(store, code, keep=options.get("writes", False))
        self.code = code.version
        self._endings = Endings(self.plan, repeat, store, code, finished)
        self._ready: deque[Item] = deque()
        self._scores: dict[int, list[float | None]] = {}
        self._known = self._recalled()
        self.done_before = self.stale = 0

    def prepare(self) -> None:
        """Check what there is to check before anything starts, and see what is done."""
        self._planning.check()
        self._known = self._recalled()
        self.done_before, self.stale = self._endings.count(prunes=self.prunes)

    def decide(self, finished: Policy, *, ways: Ways = IN_PYTHON) -> None:
        """Say what becomes of trials that are finished; before the first `next`.

        Args:
            finished: What becomes of them.
            ways: How whoever is refused says what shall become of them.

        Raises:
            RunError: Some were finished by other code and it is `refuse`; the error says which files have changed.
        """
        self._endings.decide(finished)
        if finished != "refuse":
            self.done_before, _ = self._endings.count(prunes=self.prunes)
        elif self.stale:
            raise self.refusal(ways)

    def refusal(self, ways: Ways) -> RunError:
        """What is told where trials were finished by other code."""
        return self._endings.refusal(self.stale, ways)

    # --- one job after the other --------------------------------------------------------------------------------------

    @property
    def header(self) -> Header:
        """What all trials have in common."""
        return self._planning.header

    def repeated(self) -> int:
        """How many of the jobs that are to be run are the same as one before; 0 where all are run, or none is known."""
        if self.size is None or self.size > CHECKED or self.repeat > 1 or self._endings.policy == "redo":
            return 0
        known = [(n, record.key) for n, record in self.plan.records() if n < self.size]
        left = [key for n, key in known if self.done_runs(n, key) == [None]]
        return len(left) - len(set(left))

    @property
    def size(self) -> int | None:
        """How many jobs there will be; None where nobody knows."""
        size = self._planning.drawn.size
        return None if size is None else size * self.repeat

    def next(self) -> Item | None:
        """The next job; None where there are no more.

        Raises:
            RunError: A config was changed since the first trial was drawn, or the plan cannot be written.
        """
        while not self._ready:
            for index, record in self._known:
                self._settle(index, record)
                break
            else:
                if self._planning.is_exhausted:
                    return None
                for index, made, planned in self._planning.fill():
                    if made is None:
                        self._put(Item(n, "faulty") for n in self._endings.jobs(index))
                    else:
                        self._settle(index, made, planned)
        return self._ready.popleft()

    def finish(self) -> None:
        """Say that all jobs are done, so that a later `redo` begins anew."""
        self._endings.close()

    def _recalled(self) -> Iterator[tuple[int, Record]]:
        """The trials that were drawn before."""
        return self._planning.recalled(lambda index, record: None not in self.done_runs(index, record.key))

    def _settle(self, index: int, record: Record, planned: PlannedTrial | None = None) -> None:
        """Make the jobs of a trial ready, each with what is to be done about it."""
        endings = self._endings
        stale = len(endings.stale_runs(record.key)) if endings.policy == "refuse" else 0
        items = []
        for n, run in zip(endings.jobs(index), self.done_runs(index, record.key), strict=True):
            if self.prunes and run is None and endings.pruned_run(n, record.key) is not None:
                items.append(Item(n, "pruned"))
            elif run is not None:
                items.append(Item(n, "done" if endings.was_done(record.key, run) else "meanwhile"))
            elif stale:
                stale -= 1
                items.append(Item(n, "held"))
            else:
                endings.begin(n)
                planned = planned or self.plan.trial(index)
                needs = Needs.of_data(planned.needs if planned is not None else {}, self.place.project)
                items.append(Item(n, "run", Task(self.plan, n, record.digest.hex(), needs)))
        self._put(items)

    def _put(self, items: Iterable[Item]) -> None:
        for item in items:
            if isinstance(self.indices, array):
                self.indices.append(item.index)
            self._ready.append(item)

    # --- what is done -------------------------------------------------------------------------------------------------

    def done_run(self, index: int) -> str | None:
        """The id of the run for which a job counts as done; None where it does not."""
        record = self.plan.record(index // self.repeat)
        return None if record is None else self.done_runs(index // self.repeat, record.key)[index % self.repeat]

    def done_runs(self, index: int, key: bytes) -> list[str | None]:
        """For each replicate of a trial the run for which it counts as done.

        Args:
            index: The trial's place in the sweep.
            key: What stands for its identity.
        """
        return self._endings.done_runs(index, key)

    def is_running(self, index: int, identity: str) -> bool:
        """Whether a trial runs at this moment, here or in another sweep."""
        return self._endings.is_running(index, identity)

    def stale_runs(self, key: bytes) -> tuple[str, ...]:
        """The runs in which other code has finished a trial."""
        return self._endings.stale_runs(key)

    # --- what the sampler is told -------------------------------------------------------------------------------------

    @property
    def goal(self) -> tuple[str, bool] | None:
        """The result that the sampler learns from, and whether it shall be large."""
        return self._planning.drawn.goal

    @property
    def prunes(self) -> bool:
        """Whether the sampler wants reports of what runs."""
        return self._planning.drawn.prunes

    def report(self, index: int, step: int, value: float) -> bool:
        """Say what a job has come to; gives whether it shall be stopped, since others did better."""
        return self._planning.drawn.report(index, step, value)

    def tell(self, index: int, value: float | None, *, stopped: bool = False) -> None:
        """Say how a job ended: the result named by `goal`, None where there is none; of replicates the mean counts."""
        if not self._planning.learns:
            return
        if stopped:
            self._planning.drawn.tell(index, None, stopped=True)
            return
        trial = index // self.repeat
        scores = self._scores.setdefault(trial, [])
        scores.append(value)
        if len(scores) == self.repeat:
            known = [score for score in self._scores.pop(trial) if score is not None]
            self._planning.drawn.tell(trial, sum(known) / len(known) if known else None)
