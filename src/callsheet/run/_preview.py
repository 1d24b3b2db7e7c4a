"""What a sweep would run: each trial with its faults and what is done of it; nothing is written or sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from callsheet.errors import Fault, OverrideError, SaveError, SpecError
from callsheet.run._draw import Drawing
from callsheet.run._job import Task
from callsheet.run._plan import key_of
from callsheet.run._sendings import Sendings
from callsheet.run._shape import Needs
from callsheet.run._trial import plan_trial


@dataclass(frozen=True)
class Preview:
    """One trial before it is run.

    Attributes:
        index: Its place in the sweep.
        choices: The overrides in which it differs from the others; empty where it could not be made.
        state: What a sweep would find: `done`, `stale` (done by other code), `running` now, `faulty`, else `open`.
        runs: The runs for which its jobs count as done; of a stale one those by other code.
        faults: What is wrong with it.
    """

    index: int
    choices: tuple[str, ...]
    state: Literal["done", "stale", "running", "faulty", "open"]
    runs: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def previews(drawing: Drawing) -> Iterator[Preview]:
    """The trials of a sweep, in the order in which they would be drawn.

    Args:
        drawing: A drawing of which nothing is drawn.
    """
    sweep = drawing.sweep
    drawn = sweep.draw()
    for index, record in drawing.plan.records() if sweep.is_space else ():
        known = drawing.plan.trial(index)
        if known is not None:  # what a sampler draws next depends on what it has drawn
            drawn.recall(index, known.point)
            yield _found(drawing, index, known.overrides, record.key, known.identity)
    while True:
        try:
            trial = drawn.ask()
            if trial is None:
                return
            choices = trial.overrides if sweep.is_space else tuple(sweep.choices_of(trial.index))
        except (SpecError, OverrideError) as error:
            choices = () if sweep.is_space else tuple(sweep.choices_of(drawn.index))
            yield Preview(drawn.index, choices, "faulty", faults=error.faults)
            continue
        try:
            planned = plan_trial(trial, drawing.entry)
        except (SpecError, OverrideError, SaveError) as error:
            yield Preview(trial.index, choices, "faulty", faults=error.faults)
            continue
        there = drawing.plan.record(trial.index)
        key = there.key if there is not None else key_of(planned)
        yield _found(drawing, trial.index, choices, key, planned.identity)


def tasks(drawing: Drawing, *, code: str = "") -> Iterator[Task]:
    """What a sweep would send, trial by trial; nothing is written.

    Args:
        drawing: A drawing of which nothing is drawn.
        code: The digest of the archive of the code, where one is sent along.

    Raises:
        SpecError: A trial is faulty.
        SaveError: A trial holds a live object.
    """
    plan, drawn, turns = drawing.plan, drawing.sweep.draw(), Sendings(drawing.plan).turns()
    while (trial := drawn.ask()) is not None:
        planned = plan.trial(trial.index) or plan_trial(trial, drawing.entry, drawing.header.configs)
        needs = Needs.of_data(planned.needs, drawing.place.project)
        digest, first = plan.digest_of(drawing.header, planned), trial.index * drawing.repeat
        for index, run in enumerate(drawing.done_runs(trial.index, key_of(planned)), first):
            if run is None:
                yield Task(plan, index, digest, needs, turns.get(index, 0) + 1, code)


def _found(drawing: Drawing, index: int, choices: tuple[str, ...], key: bytes, identity: str) -> Preview:
    runs = tuple(run for run in drawing.done_runs(index, key) if run is not None)
    if len(runs) == drawing.repeat:
        return Preview(index, choices, "done", runs)
    if drawing.is_running(index, identity):
        return Preview(index, choices, "running", runs)
    stale = drawing.stale_runs(key)
    return Preview(index, choices, "stale", stale) if stale else Preview(index, choices, "open", runs)
