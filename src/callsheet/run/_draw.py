"""From a sweep to what is left to be run: trials are drawn and written into a plan a little ahead of who runs them."""

from __future__ import annotations

import os
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack

from callsheet._configfile import show_file
from callsheet._signature_cache import SignatureCache
from callsheet._sweep import Sweep, Trial
from callsheet.errors import Fault, OverrideError, RunError, SaveError, SpecError, render
from callsheet.run._finished import Finished, refusal
from callsheet.run._job import Task
from callsheet.run._place import Place, current_plan, source_of, stamps_of
from callsheet.run._plan import Header, Plan, PlannedTrial, Record, key_of
from callsheet.run._provenance import code_of
from callsheet.run._shape import Needs
from callsheet.run._store import Store, version_of
from callsheet.run._trial import plan_trial

CHECKED = 1000
"""Trials up to which all of a sweep are drawn and checked before the first is run."""

_BATCH = 64
"""Trials that are written down at a time, so that waiting for the disk is paid once for all of them."""

Policy = Literal["refuse", "keep", "redo"]
"""What becomes of trials that are finished: `refuse` asks where other code finished them, `keep` counts these as done
too, `redo` runs whatever is finished again."""


class Options(TypedDict, total=False):
    """What can be said of a drawing.

    Attributes:
        entry: The path of what is built; "" for `main`, or the whole spec where there is none.
        repeat: How many replicates of each trial are run.
        alone: Whether this is one submission for itself, which finds nothing finished.
        writes: Whether what is read of runs may be kept in their index.
    """

    entry: str
    repeat: int
    alone: bool
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

    All are drawn and checked if there are no more than `CHECKED`; else each choice of each axis is checked. Nothing is
    written before that is done.

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
        done_before: How many jobs needed no run in the beginning, as far as their trials were drawn.
        stale: How many more of these were finished, but by other code.
    """

    def __init__(self, sweep: Sweep, place: Place, **options: Unpack[Options]) -> None:
        entry, repeat, alone = options.get("entry", ""), options.get("repeat", 1), options.get("alone", False)
        self.place = place
        self.repeat = repeat
        self.sweep = sweep
        self.entry = entry
        self._alone = alone
        self._finishing: Policy = "refuse"
        self._configs = place.configs()
        self._stamps = stamps_of(self._configs)
        self._salt = os.urandom(16) if alone else b""
        self._source = source_of(sweep, self._configs, self._salt)
        self._header = Header(
            place.experiment,
            entry,
            place.config,
            self._configs,
            str(place.project),
            place.paths,
            str(place.runs),
            sweep.texts,
            repeat,
        )
        self.plan = current_plan(place, self._header, self._source)
        self._drawn = sweep.draw()
        self._learns = self._drawn.goal is not None
        if self.prunes and repeat > 1:
            advice = ["without --repeat trials are pruned", "without --prune they are repeated"]
            raise RunError(Fault("", "replicates cannot be compared by how far they are", advice=advice))
        self._is_filtered = sweep.condition is not None and not self._learns
        size = self._drawn.size
        is_counted = size is not None and not self._learns and not sweep.is_space
        self.indices: Sequence[int] = range((size or 0) * repeat) if is_counted else array("Q")
        self._store = Store(place.runs)
        self._code = code_of(place.project, self._configs, place.runs)
        self._finished = None if alone else Finished(self._store, self._code.version, keep=options.get("writes", False))
        self._batch = 8
        self._cache = SignatureCache()
        self._is_exhausted = False
        self._redo = ""
        self._ready: deque[Item] = deque()
        self._scores: dict[int, list[float | None]] = {}
        self._known = self._recalled()
        self.done_before = self.stale = 0

    @property
    def size(self) -> int | None:
        """How many jobs there will be; None where nobody knows."""
        return None if self._drawn.size is None else self._drawn.size * self.repeat

    @property
    def goal(self) -> tuple[str, bool] | None:
        """The result that the sampler learns from, and whether it shall be large."""
        return self._drawn.goal

    def decide(self, finished: Policy) -> None:
        """Say what becomes of trials that are finished; before the first `next`.

        Raises:
            RunError: Some were finished by other code and it is `refuse`; the error says which files have changed.
        """
        self._finishing = finished
        if finished == "redo":
            self._redo = _begin_redo(self.plan)
        if finished != "refuse":
            self.done_before, _ = self._count()
        elif self.stale:
            raise self.refusal()

    def refusal(self) -> RunError:
        """What is told where trials were finished by other code."""
        return refusal(self.stale, self._stale_versions(), self._code, self.place.runs)

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
                if self._is_exhausted:
                    return None
                self._fill()
        return self._ready.popleft()

    def finish(self) -> None:
        """Say that all jobs are done, so that a later `redo` begins anew."""
        if self._redo:
            (self.plan.folder / "redo").unlink(missing_ok=True)

    @property
    def prunes(self) -> bool:
        """Whether the sampler wants reports of what runs."""
        return self._drawn.prunes

    def report(self, index: int, step: int, value: float) -> bool:
        """Say what a job has come to; gives whether it shall be stopped, since others did better."""
        return self._drawn.report(index, step, value)

    def tell(self, index: int, value: float | None, *, stopped: bool = False) -> None:
        """Say how a job ended: the result named by `goal`, None where there is none; of replicates the mean counts."""
        if not self._learns:
            return
        if stopped:
            self._drawn.tell(index, None, stopped=True)
            return
        trial = index // self.repeat
        scores = self._scores.setdefault(trial, [])
        scores.append(value)
        if len(scores) == self.repeat:
            known = [score for score in self._scores.pop(trial) if score is not None]
            self._drawn.tell(trial, sum(known) / len(known) if known else None)

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
        if self._redo:
            return [self._own_done(n, key) for n in self._replicates(index)]
        runs = self._finished.of(key, other_code=self._finishing == "keep") if self._finished else ()
        if self.repeat == 1:
            return [runs[-1] if runs else self._own_done(index, key)]
        own = [self._own_done(n, key) for n in self._replicates(index)]
        others = iter([run for run in runs if run not in own])
        return [run if run is not None else next(others, None) for run in own]

    def stale_runs(self, key: bytes) -> tuple[str, ...]:
        """The runs in which other code has finished a trial."""
        return self._finished.stale(key) if self._finished is not None else ()

    # --- before anything starts ---------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Check what there is to check before anything starts, and see what is done."""
        if self._alone:
            self._draw_all(1)
        else:
            self._check_first()
        self._known = self._recalled()
        self.done_before, self.stale = self._count()

    def _check_first(self) -> None:
        if self.sweep.is_space:
            return  # each is checked when it is drawn
        size = self._drawn.size
        if size is None or size <= CHECKED:
            self._draw_all(CHECKED)
            return
        faults: list[tuple[int, Fault]] = []
        for n in self.sweep.probes(CHECKED):
            try:
                plan_trial(self.sweep.trial(n), self.entry, self._configs, cache=self._cache)
            except (SpecError, OverrideError) as error:
                faults += ((n, fault) for fault in error.faults)
        if faults:
            raise SpecError(*_of_trials(faults, self.sweep, size))

    def _draw_all(self, most: int) -> None:
        """Draw up to a number of trials that are not in the plan yet, and write them down if none is faulty."""
        for index, record in self.plan.records() if not self._is_filtered else ():
            if self.plan.is_sound(record):
                self._drawn.recall(index)
        new: list[PlannedTrial] = []
        faults: list[tuple[int, Fault]] = []
        for _ in range(most):
            try:
                trial = self._drawn.ask()
                if trial is None:
                    break
                new.append(self._planned(trial))
            except (SpecError, OverrideError) as error:
                faults += ((self._drawn.index, fault) for fault in error.faults)
        if faults:
            raise SpecError(*_of_trials(faults, self.sweep, self._drawn.size or most))
        if new:
            self.plan.add(self._header, new)
        self._drawn = self.sweep.draw()  # what is in the plan now is recalled as everything that was there before

    def _planned(self, trial: Trial) -> PlannedTrial:
        """A trial ready to be written down; as it was drawn first, where it was."""
        known = self.plan.trial(trial.index) if self._is_filtered else None
        return known or plan_trial(trial, self.entry, self._configs, cache=self._cache)

    def _count(self) -> tuple[int, int]:
        """How many jobs are done, and how many more were finished by other code."""
        if self._finished is None or (self._finished.is_empty and not self.prunes):
            return 0, 0
        done = stale = 0
        for index, record in self.plan.records():
            runs = sum(run is not None for run in self.done_runs(index, record.key))
            done += runs
            if self.prunes and not runs and self.pruned_run(index, record.key) is not None:
                done += 1
            stale += min(self.repeat - runs, len(self._finished.stale(record.key)))
        return done, stale

    def _stale_versions(self) -> Iterator[str]:
        for _, record in self.plan.records():
            for name in self._finished.stale(record.key) if self._finished else ():
                yield version_of(self._store.read(name).record)

    # --- while it goes on ---------------------------------------------------------------------------------------------

    def _recalled(self) -> Iterator[tuple[int, Record]]:
        """The trials that were drawn before, each told to the sampler; with a filter, which may differ, none."""
        for index, record in self.plan.records() if not self._is_filtered else ():
            if self.sweep.is_space or self._learns:
                trial = self.plan.trial(index)
                if trial is None:
                    continue  # its line is damaged: it is drawn anew
                self._drawn.recall(index, trial.point)
            elif None not in self.done_runs(index, record.key) or self.plan.is_sound(record):
                self._drawn.recall(index)
            else:
                continue
            yield index, record

    def _fill(self) -> None:
        """Draw a batch of trials, write them down, and make their jobs ready."""
        self._refuse_changed()
        self._cache = SignatureCache()  # for one batch: what it says may change while the sweep goes on
        new: dict[int, PlannedTrial | None] = {}
        for _ in range(1 if self._learns else self._batch):
            try:
                trial = self._drawn.ask()
                if trial is None:
                    self._is_exhausted = True
                    break
                new[trial.index] = self._planned(trial)
            except (SpecError, OverrideError, SaveError) as error:
                self._note_faults(self._drawn.index, error)
                new[self._drawn.index] = None
        self._batch = min(2 * self._batch, _BATCH)
        planned = [trial for trial in new.values() if trial is not None]
        if planned:
            self.plan.add(self._header, planned)
        for index, made in new.items():
            record = self.plan.record(index) if made is not None else None
            if record is None:
                self._put(Item(n, "faulty") for n in self._replicates(index))
            else:
                self._settle(index, record, made)

    def _settle(self, index: int, record: Record, planned: PlannedTrial | None = None) -> None:
        """Make the jobs of a trial ready, each with what is to be done about it."""
        stale = len(self._finished.stale(record.key)) if self._finished and self._finishing == "refuse" else 0
        items = []
        for n, run in zip(self._replicates(index), self.done_runs(index, record.key), strict=True):
            if self.prunes and run is None and self.pruned_run(n, record.key) is not None:
                items.append(Item(n, "pruned"))
            elif run is not None:
                is_known = self._finished is not None and run in self._finished.of(record.key, other_code=True)
                items.append(Item(n, "done" if is_known else "meanwhile"))
            elif stale:
                stale -= 1
                items.append(Item(n, "held"))
            else:
                if self._redo:
                    self.plan.redo(n, self._redo)
                planned = planned or self.plan.trial(index)
                needs = Needs.of_data(planned.needs if planned is not None else {}, self.place.project)
                items.append(Item(n, "run", Task(self.plan, n, record.digest.hex(), needs)))
        self._put(items)

    def _put(self, items: Iterator[Item] | Sequence[Item]) -> None:
        for item in items:
            if isinstance(self.indices, array):
                self.indices.append(item.index)
            self._ready.append(item)

    def _replicates(self, index: int) -> range:
        return range(index * self.repeat, (index + 1) * self.repeat)

    def _own_done(self, n: int, key: bytes) -> str | None:
        """The run of a job that was done in this plan, also meanwhile by another sweep."""
        name = self.plan.run_of(n, redo=self._redo)
        if name is None or self._finished is None:
            return None
        return name if self._counts(self._store.read(name).finished, key) else None

    def pruned_run(self, n: int, key: bytes) -> str | None:
        """The run of a job that was stopped in this plan, since others did better."""
        name = self.plan.run_of(n, redo=self._redo)
        return name if name is not None and self._counts(self._store.read(name).pruned, key) else None

    def _counts(self, ended: tuple[str, str] | None, key: bytes) -> bool:
        """Whether what has ended is a trial of an identity, by code that counts."""
        if ended is None or key_of(ended[0]) != key:
            return False
        return ended[1] == self._code.version or self._finishing == "keep"

    def _note_faults(self, index: int, error: SpecError | OverrideError | SaveError) -> None:
        """Leave what is wrong with a trial where its output would be."""
        folder = self.plan.folder / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        for n in self._replicates(index):
            (folder / f"{n}.log").write_text(render(error.faults) + "\n", encoding="utf-8")

    def _refuse_changed(self) -> None:
        """Stop where trials would no longer be of the config with which the sweep began."""
        stamps = stamps_of(self._configs)
        if stamps == self._stamps:
            return
        if source_of(self.sweep, self._configs, self._salt) != self._source:
            changed = [path for path in self._configs if stamps.get(path) != self._stamps.get(path)]
            problem = (
                f"{', '.join(map(show_file, changed))} was changed while the sweep ran: what was not drawn is left"
            )
            raise RunError(Fault("", problem, advice=["the same command goes on, with what the files say then"]))
        self._stamps = stamps


def _begin_redo(plan: Plan) -> str:
    """The token of the redo that goes on in a plan, a new one where none does."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    try:
        with open(plan.folder / "redo", "x", encoding="utf-8") as file:
            file.write(os.urandom(6).hex() + "\n")
    except FileExistsError:
        pass
    return (plan.folder / "redo").read_text(encoding="utf-8").strip() or "again"


def _of_trials(faults: Sequence[tuple[int, Fault]], sweep: Sweep, count: int) -> list[Fault]:
    """Each fault once, with the trials that have it where others have not."""
    found: dict[tuple[object, ...], tuple[Fault, list[int]]] = {}
    for n, fault in faults:
        found.setdefault((fault.path, fault.problem, fault.origin, fault.advice), (fault, []))[1].append(n)
    told = []
    for fault, trials in found.values():
        advice = list(fault.advice)
        if len(trials) < count:
            own = " ".join(sweep.choices_of(trials[0]))
            more = f"  and in {len(trials) - 1} more" if len(trials) > 1 else ""
            advice.append(f"in trial {trials[0]}:  {own}{more}")
        told.append(Fault(fault.path, fault.problem, origin=fault.origin, advice=advice))
    return told
