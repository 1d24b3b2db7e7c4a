"""From a spec or a sweep to jobs: each trial is drawn, checked and planned, then sent by an executor."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callsheet._check import find_faults
from callsheet._configfile import read_source
from callsheet._encode import to_plan_data
from callsheet._equal import hash_of
from callsheet._files import config_files
from callsheet._items import CALLS
from callsheet._lazy import get, walk
from callsheet._lineage import origins_of
from callsheet._resolve import reached, resolve
from callsheet._running import RUNNING
from callsheet._spec import Mapping
from callsheet._storage import full_path, read_bytes
from callsheet._sweep import Sweep, Trial
from callsheet._tree import kind_of
from callsheet.errors import Fault, LoadError, OverrideError, PathError, RunError, SaveError, SpecError
from callsheet.run._execute import at
from callsheet.run._job import Executor, Jobs, JobState, Task
from callsheet.run._plan import Header, Plan, PlannedTrial
from callsheet.run._provenance import code_of
from callsheet.run._store import Run, Store, project_of
from callsheet.run.process import Process


@dataclass(frozen=True)
class Place:
    """Where an experiment belongs.

    Attributes:
        project: The project's root.
        runs: The directory of the runs.
        experiment: The name under which they are numbered.
        config: The config file, absolute, or "".
        paths: Folders that workers put first on `sys.path`.
    """

    project: Path
    runs: Path
    experiment: str
    config: str = ""
    paths: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: str = "", *, runs: str | None = None, paths: Sequence[str] = ()) -> Place:
        """The place of a config file, or of the working directory where there is none."""
        project = project_of(config)
        stem = Path(config).stem if config else "python"
        directory = Path(runs).absolute() if runs else project / "runs"
        return cls(project, directory, stem, full_path(config) if config else "", (*paths, str(project)))

    def configs(self) -> tuple[str, ...]:
        """The config file and those that it takes from."""
        return tuple(config_files(self.config)) if self.config else ()


def submit(
    work: Any,
    *,
    on: Executor | None = None,
    entry: str | None = None,
    runs: str | os.PathLike[str] | None = None,
) -> Jobs:
    """Run a spec, or the trials of a sweep, somewhere else.

    Trials of a sweep that have finished already, with the same spec and the
    same code, are not run again: their jobs are done at once.

    Args:
        work: A call, a mapping that has a `main`, or what `sweep` gave.
        on: Where; `Process()` by default.
        entry: The path of what is built: `main` where there is one, else the whole.
        runs: The directory of the runs; `runs` under the project's root by default.

    Returns:
        A job for each trial, with `wait`, `results` and `cancel`; it returns at once.

    Raises:
        SpecError: A trial is faulty; nothing is started.
        SaveError: A trial holds a live object, which cannot be sent; nothing is started.
        RunError: A worker that looks for a target in this very file came past here.

    Example:
        ``submit(sweep("conf.py", ["optim.lr=1e-3,1e-2"]), on=Process(slots=2)).results()``
    """
    defining = (RUNNING.get() or {}).get("defining")
    if defining:
        advice = ['write  if __name__ == "__main__":  above the submit']
        raise RunError(
            Fault("", f"submit was called while a worker runs {defining} for what it defines", advice=advice)
        )
    config = work.source if isinstance(work, Sweep) and isinstance(work.source, str) else ""
    place = Place.of(config, runs=os.fspath(runs) if runs is not None else None)
    if isinstance(work, Sweep):
        return draw(work, place, entry=entry or "").start(on or Process())
    alone = Sweep(work, (), where="", policy=None)
    return draw(alone, place, entry=entry or "", again=True).start(on or Process())


@dataclass(frozen=True)
class Planned:
    """Trials that are drawn and checked, ready to be sent.

    Attributes:
        plan: Where they are written.
        place: Where they belong.
        trials: All of them, in order.
        finished: The run of each trial that needs no run, by index.
        stale: How many more were finished, but by other code.
    """

    plan: Plan
    place: Place
    trials: tuple[PlannedTrial, ...]
    finished: dict[int, Run]
    stale: int

    @property
    def tasks(self) -> list[Task]:
        """What is left to be run."""
        digests = self.plan.digests()
        return [Task(self.plan, t.index, digests[t.index]) for t in self.trials if t.index not in self.finished]

    def start(self, on: Executor) -> Jobs:
        """Send what is left; the jobs of finished trials are done at once."""
        return _PlanJobs(self, on.submit(self.tasks, runs=self.place.runs))


class _PlanJobs(Jobs):
    """A job for each trial of a plan, whether it had to be sent or not."""

    def __init__(self, planned: Planned, sent: Jobs) -> None:
        self._sent = sent
        by_index: dict[int, Any] = {job.index: job for job in sent}
        done = {index: FinishedJob(index, run) for index, run in planned.finished.items()}
        self._jobs: list[Any] = [done.get(trial.index) or by_index[trial.index] for trial in planned.trials]

    def __len__(self) -> int:
        return len(self._jobs)

    def __getitem__(self, index: Any) -> Any:
        return self._jobs[index]

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no job runs or waits any more; gives whether that is so."""
        return self._sent.wait(timeout_s)

    def cancel(self) -> None:
        """End the jobs that run, and start no others."""
        self._sent.cancel()


@dataclass(frozen=True)
class FinishedJob:
    """A trial that was finished before: its job is done."""

    index: int
    run: Run
    state: JobState = "done"

    def result(self) -> dict[str, Any]:
        """The result of its run."""
        return self.run.result


def draw(sweep: Sweep, place: Place, *, entry: str = "", again: bool = False) -> Planned:
    """Draw and check all trials of a sweep and write them down; say which are finished.

    Args:
        sweep: What to draw from; without axes it is one trial.
        place: Where the trials belong.
        entry: The path of what is built; "" for `main`, or the whole spec where there is none.
        again: Whether trials that were finished before shall run again.

    Raises:
        SpecError: Trials are faulty; each fault names its trial. Nothing is written.
        SaveError: A trial holds a live object. Nothing is written.
    """
    configs = place.configs()
    source = hashlib.sha256()
    for path in configs:
        source.update(read_source(path).encode() if path.endswith(".py") else read_bytes(path))
    if not configs:
        sendable(sweep.source)
        source.update(hash_of(sweep.source).encode())
    header = Header(
        place.experiment, entry, place.config, configs, str(place.project), place.paths, str(place.runs), sweep.texts
    )
    if again:
        source.update(os.urandom(16))  # a plan of its own, or its worker would find the trial done or taken
    plan, known = _current_plan(place, header, source.hexdigest())
    new: list[PlannedTrial] = []
    faults: list[tuple[int, Fault]] = []
    count = len(sweep) if sweep.axes else 1
    for n in range(count):
        if n in known:
            continue
        try:
            new.append(plan_trial(sweep.trial(n), entry, configs))
        except (SpecError, OverrideError) as error:
            faults += ((n, fault) for fault in error.faults)
    if faults:
        raise SpecError(*_of_trials(faults, sweep))
    if new:
        plan.add(header, new)
    drawn = plan.drawn()
    trials = tuple(drawn[n] for n in range(count))
    finished, stale = ({}, 0) if again else _finished(trials, place, configs)
    return Planned(plan, place, trials, finished, stale)


def _current_plan(place: Place, header: Header, source: str) -> tuple[Plan, dict[int, PlannedTrial]]:
    """The plan of these configs for which every other file that its trials have read is what it was then."""
    while True:
        plan = Plan.of(place.runs, header, source)
        drawn = plan.drawn()
        read = {path: digest for trial in drawn.values() for path, digest in trial.files.items()}
        now = {path: _digest(path) for path in sorted(read)}
        if now == read:
            return plan, drawn
        source = hashlib.sha256(json.dumps([source, now]).encode()).hexdigest()


def _digest(path: str) -> str:
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()[:16]
    except (OSError, LoadError):
        return ""  # it is gone


def plan_trial(trial: Trial, entry: str, configs: Sequence[str] = ()) -> PlannedTrial:
    """Check a trial and give what its worker needs.

    Args:
        trial: What is planned.
        entry: The path of what is built; "" for `main`, or the whole spec where there is none.
        configs: The files that all trials are known to read.

    Raises:
        SpecError: It is faulty.
        SaveError: It holds what is not data.
    """
    path = entry_of(trial.spec, entry)
    check_entry(trial.spec, path)
    resolved = resolve(trial.spec)
    data = sendable(resolved)  # before the hash, which would name what is no data by its place below the entry
    return PlannedTrial(
        index=trial.index,
        entry=path,
        overrides=trial.overrides,
        identity=hash_of(at(resolved, path)),
        spec=data,
        origins=origins_of(trial.spec),
        files={path: _digest(path) for path in trial.files if path not in configs},
    )


def sendable(spec: Any) -> Any:
    """A spec as data that a worker reads.

    Raises:
        SaveError: It holds live objects; `faults` names each.
    """
    try:
        return to_plan_data(spec)
    except SaveError as error:
        advice = ["callsheet run  builds it here, in one process"]
        raise SaveError(
            *(
                Fault(
                    fault.path,
                    f"cannot be sent to a worker: {fault.problem.partition(': ')[2]}",
                    origin=fault.origin,
                    advice=[*fault.advice, *advice],
                )
                for fault in error.faults
            )
        ) from None


def entry_of(spec: Any, entry: str) -> str:
    """The path of what shall be built: the one asked for, else `main`, else the whole where that is a call.

    Raises:
        PathError: There is no such path, or nothing was asked for and there is no `main`.
    """
    if entry:
        get(spec, entry)
        return entry
    kind = kind_of(type(spec))
    if type(spec) in CALLS or (kind is not None and kind.family == "fields"):
        return ""
    if not isinstance(spec, Mapping) or "main" not in spec:
        names = [path for path, value in walk(spec) if type(value) in CALLS and path.isidentifier()]
        advice = [f"name what to build:  FILE:{names[0]}" if names else "assign a call to it:  main = lazy(fit)(...)"]
        raise PathError(Fault("main", "is not there, and it is what a run builds", advice=advice))
    return "main"


def check_entry(spec: Any, path: str) -> None:
    """Check what building an entry reaches.

    Raises:
        SpecError: With every fault.
    """
    start = at(spec, path)
    faults = find_faults(spec, only=None if start is spec else reached(spec, start))
    if faults:
        raise SpecError(*faults)


def _of_trials(faults: Sequence[tuple[int, Fault]], sweep: Sweep) -> list[Fault]:
    """Each fault once, with the trials that have it where others have not."""
    count = len(sweep) if sweep.axes else 1
    found: dict[tuple[Any, ...], tuple[Fault, list[int]]] = {}
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


def _finished(trials: Sequence[PlannedTrial], place: Place, configs: Sequence[str]) -> tuple[dict[int, Run], int]:
    """The runs that finished trials with this very code, and how many more finished with other code."""
    version = code_of(place.project, configs, place.runs).version
    current: dict[str, Run] = {}
    other: set[str] = set()
    wanted = {trial.identity for trial in trials}
    for run in Store(place.runs).runs():
        if run.identity in wanted and run.state == "done":
            if run.record.get("code", {}).get("version") == version:
                current[str(run.identity)] = run
            else:
                other.add(str(run.identity))
    finished = {trial.index: current[trial.identity] for trial in trials if trial.identity in current}
    stale = sum(trial.identity in other and trial.identity not in current for trial in trials)
    return finished, stale
