"""Trials on their way from a sweep into a plan: checked before anything starts, then drawn and written in batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

from callsheet._signature_cache import SignatureCache
from callsheet._sweep import Sweep, Trial
from callsheet.errors import Fault, OverrideError, SaveError, SpecError, render
from callsheet.run._place import Place, Source, current_plan
from callsheet.run._plan import Header, PlannedTrial
from callsheet.run._planindex import Record
from callsheet.run._recorded import origins_of_run
from callsheet.run._store import Run
from callsheet.run._trial import faults_of, plan_trial

CHECKED = 1000
"""Trials up to which all of a sweep are drawn and checked before the first is run."""

_BATCH = 64
"""Trials that are written down at a time, so that waiting for the disk is paid once for all of them."""


class Planning:
    """The trials of a sweep, drawn one after the other and written into their plan.

    Making it reads only.

    Args:
        sweep: What to draw from.
        place: Where the trials belong.
        entry: The path of what is built, as it was asked for.
        repeat: How many replicates of each trial are run.
        alone: Whether this is one submission for itself, which shares its plan with no other.
        again: The run that it repeats, whose overrides and origins are recorded once more.

    Attributes:
        plan: Where trials are written.
        configs: All config files that they read.
        header: What all of them have in common.
        drawn: What draws them.
        learns: Whether that is told how they end.
        is_exhausted: Whether there are no more.
    """

    def __init__(
        self, sweep: Sweep, place: Place, entry: str, repeat: int, *, alone: bool, again: Run | None = None
    ) -> None:
        self._sweep = sweep
        self._again = again
        self._entry = entry
        self._is_alone = alone
        self.configs = place.configs()
        self._source = Source(sweep, self.configs, os.urandom(16) if alone else b"")
        self.header = Header(
            place.experiment,
            entry,
            place.config,
            self.configs,
            str(place.project),
            place.paths,
            sweep.texts,
            repeat,
            alone,
        )
        self.plan = current_plan(place, self.header, self._source.digest)
        self.drawn = sweep.draw()
        self.learns = self.drawn.goal is not None
        self._is_filtered = sweep.condition is not None and not self.learns
        self._batch = 8
        self._cache = SignatureCache()
        self.is_exhausted = False

    # --- before anything starts ---------------------------------------------------------------------------------------

    def check(self) -> None:
        """Check what there is to check before anything starts: all trials of a short sweep, else each choice.

        Raises:
            SpecError: Trials are faulty; each fault names its trial. Nothing is written.
            SaveError: A trial holds a live object. Nothing is written.
        """
        if self._is_alone:
            self._draw_all(1)
            return
        if self._sweep.is_space:
            return  # each is checked when it is drawn
        size = self.drawn.size
        if size is None or size <= CHECKED:
            self._draw_all(CHECKED)
            return
        faults: list[tuple[int, Fault]] = []
        for n in self._sweep.probes(CHECKED):
            try:
                plan_trial(self._sweep.trial(n), self._entry, self.configs, cache=self._cache)
            except (SpecError, OverrideError) as error:
                faults += ((n, fault) for fault in error.faults)
        if faults:
            raise SpecError(*faults_of(faults, self._sweep, size))

    def _draw_all(self, most: int) -> None:
        """Draw up to a number of trials that are not in the plan yet, and write them down if none is faulty."""
        for index, record in self.plan.records() if not self._is_filtered else ():
            if self.plan.is_sound(record):
                self.drawn.recall(index)
        new: list[PlannedTrial] = []
        faults: list[tuple[int, Fault]] = []
        for _ in range(most):
            try:
                trial = self.drawn.ask()
                if trial is None:
                    break
                new.append(self._planned(trial))
            except (SpecError, OverrideError) as error:
                faults += ((self.drawn.index, fault) for fault in error.faults)
        if faults:
            raise SpecError(*faults_of(faults, self._sweep, self.drawn.size or most))
        if new:
            self.plan.add(self.header, new)
        self.drawn = self._sweep.draw()  # what is in the plan now is recalled as everything that was there before

    def _planned(self, trial: Trial) -> PlannedTrial:
        """A trial ready to be written down; as it was drawn first, where it was."""
        known = self.plan.trial(trial.index) if self._is_filtered else None
        planned = known or plan_trial(trial, self._entry, self.configs, cache=self._cache)
        if self._again is None:
            return planned
        said = tuple(map(str, self._again.record.get("overrides") or ()))
        return replace(planned, overrides=said, origins=origins_of_run(self._again))

    # --- while it goes on ---------------------------------------------------------------------------------------------

    def recalled(self, is_done: Callable[[int, Record], bool]) -> Iterator[tuple[int, Record]]:
        """The trials that were drawn before, each told to the sampler; with a filter, which may differ, none.

        Args:
            is_done: Tells whether nothing of a trial is to be run, so that its line is not needed.
        """
        for index, record in self.plan.records() if not self._is_filtered else ():
            if self._sweep.is_space or self.learns:
                trial = self.plan.trial(index)
                if trial is None:
                    continue  # its line is damaged: it is drawn anew
                self.drawn.recall(index, trial.point)
            elif is_done(index, record) or self.plan.is_sound(record):
                self.drawn.recall(index)
            else:
                continue
            yield index, record

    def fill(self) -> Iterator[tuple[int, Record | None, PlannedTrial | None]]:
        """Draw a batch of trials and write them down; of a faulty one only its place is given.

        Raises:
            RunError: A config was changed since the first trial was drawn, or the plan cannot be written.
        """
        self._source.refuse_changed()
        self._cache = SignatureCache()  # for one batch: what it says may change while the sweep goes on
        new: dict[int, PlannedTrial | None] = {}
        for _ in range(1 if self.learns else self._batch):
            try:
                trial = self.drawn.ask()
                if trial is None:
                    self.is_exhausted = True
                    break
                new[trial.index] = self._planned(trial)
            except (SpecError, OverrideError, SaveError) as error:
                self._note_faults(self.drawn.index, error)
                new[self.drawn.index] = None
        self._batch = min(2 * self._batch, _BATCH)
        planned = [trial for trial in new.values() if trial is not None]
        if planned:
            self.plan.add(self.header, planned)
        for index, made in new.items():
            yield index, self.plan.record(index) if made is not None else None, made

    def _note_faults(self, index: int, error: SpecError | OverrideError | SaveError) -> None:
        """Leave what is wrong with a trial where its output would be."""
        folder = self.plan.folder / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        repeat = self.header.repeat
        for n in range(index * repeat, (index + 1) * repeat):
            (folder / f"{n}.log").write_text(render(error.faults) + "\n", encoding="utf-8")
