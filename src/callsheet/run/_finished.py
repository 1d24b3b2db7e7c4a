"""What counts as ended: the runs that are done, found by what they ran and by which code, and the jobs of a plan."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from callsheet._storage import read_json_file
from callsheet.errors import Fault, RunError
from callsheet.run._claims import claimed, is_alive
from callsheet.run._index import Index
from callsheet.run._plan import Plan, key_of
from callsheet.run._provenance import Code
from callsheet.run._store import Store, code_file, is_locked, version_of

Policy = Literal["refuse", "keep", "redo"]
"""What becomes of trials that are finished: `refuse` asks where other code finished them, `keep` counts these as done
too, `redo` runs whatever is finished again."""

Ways = tuple[str, str]
"""How one says that trials which other code has finished are kept, and that they run again."""

IN_PYTHON: Ways = ('finished="keep"', 'finished="redo"')


class Endings:
    """Which jobs of a plan count as done or pruned, and by which runs.

    Args:
        plan: The plan.
        repeat: How many replicates each of its trials has.
        store: Where the runs are.
        code: The code now.
        finished: The runs that were done in the beginning; None where nothing counts as done.

    Attributes:
        policy: What becomes of trials that are finished.
    """

    def __init__(self, plan: Plan, repeat: int, store: Store, code: Code, finished: Finished | None) -> None:
        self.policy: Policy = "refuse"
        self._plan = plan
        self._repeat = repeat
        self._store = store
        self._code = code
        self._finished = finished
        self._redo = ""

    def decide(self, policy: Policy) -> None:
        """Say what becomes of trials that are finished."""
        self.policy = policy
        if policy == "redo":
            self._redo = self._plan.begin_redo()

    def begin(self, n: int) -> None:
        """A job is to be run: where it is run again, what has tried it before does not count any more."""
        if self._redo:
            self._plan.redo(n, self._redo)

    def close(self) -> None:
        """All jobs are done, so that a later redo begins anew."""
        if self._redo:
            self._plan.end_redo()

    def jobs(self, index: int) -> range:
        """The jobs of a trial: its replicates."""
        return range(index * self._repeat, (index + 1) * self._repeat)

    def done_runs(self, index: int, key: bytes) -> list[str | None]:
        """For each replicate of a trial the run for which it counts as done.

        Args:
            index: The trial's place in the sweep.
            key: What stands for its identity.
        """
        if self._redo:
            return [self._own_done(n, key) for n in self.jobs(index)]
        runs = self._finished.of(key, other_code=self.policy == "keep") if self._finished else ()
        if self._repeat == 1:
            return [runs[-1] if runs else self._own_done(index, key)]
        own = [self._own_done(n, key) for n in self.jobs(index)]
        others = iter([run for run in runs if run not in own])
        return [run if run is not None else next(others, None) for run in own]

    def is_running(self, index: int, identity: str) -> bool:
        """Whether a job of a trial runs, here or, where there are no replicates, in another sweep."""
        if any(is_locked(self._plan.lock_path(n)) for n in self.jobs(index)):
            return True
        other = claimed(self._store, identity, self._code.version) if self._repeat == 1 else None
        return other is not None and is_alive(other)

    def was_done(self, key: bytes, run: str) -> bool:
        """Whether a run for which a job counts as done was so in the beginning."""
        return self._finished is not None and run in self._finished.of(key, other_code=True)

    def stale_runs(self, key: bytes) -> tuple[str, ...]:
        """The runs in which other code has finished a trial."""
        return self._finished.stale(key) if self._finished is not None else ()

    def pruned_run(self, n: int, key: bytes) -> str | None:
        """The run of a job that was stopped in this plan, since others did better."""
        name = self._plan.run_of(n, redo=self._redo)
        return name if name is not None and self._counts(self._store.read(name).pruned, key) else None

    def count(self, *, prunes: bool) -> tuple[int, int]:
        """How many jobs need no run, and how many more were finished by other code.

        Args:
            prunes: Whether jobs that were pruned need none either.
        """
        if self._finished is None or (self._finished.is_empty and not prunes):
            return 0, 0
        done = stale = 0
        for index, record in self._plan.records():
            runs = sum(run is not None for run in self.done_runs(index, record.key))
            done += runs
            if prunes and not runs and self.pruned_run(index, record.key) is not None:
                done += 1
            stale += min(self._repeat - runs, len(self.stale_runs(record.key)))
        return done, stale

    def refusal(self, count: int, ways: Ways) -> RunError:
        """What is told where a number of jobs were finished by other code."""
        return _refusal(count, self._stale_versions(), self._code, self._store.directory, ways)

    def _stale_versions(self) -> Iterator[str]:
        for _, record in self._plan.records():
            for name in self.stale_runs(record.key):
                yield version_of(self._store.read(name).record)

    def _own_done(self, n: int, key: bytes) -> str | None:
        """The run of a job that was done in this plan, also meanwhile by another sweep."""
        name = self._plan.run_of(n, redo=self._redo)
        if name is None or self._finished is None:
            return None
        return name if self._counts(self._store.read(name).finished, key) else None

    def _counts(self, ended: tuple[str, str] | None, key: bytes) -> bool:
        """Whether what has ended is a trial of an identity, by code that counts."""
        if ended is None or key_of(ended[0]) != key:
            return False
        return ended[1] == self._code.version or self.policy == "keep"


class Finished:
    """What was done when it was asked: for each identity the ids of its runs, the one that started last at the end.

    The index of the runs is asked, so that a run that has ended is read once, not by each sweep.

    Args:
        store: Where the runs are.
        code: The code now.
        keep: Whether the index may be written.
    """

    def __init__(self, store: Store, code: Code, *, keep: bool) -> None:
        self._current: dict[bytes, tuple[str, ...]] = {}
        self._other: dict[bytes, tuple[str, ...]] = {}
        with contextlib.closing(Index(store.directory, keep=keep)) as index:
            runs = index.finished()
        is_same = {version: _is_same(version, code, store.directory) for version in {run[2] for run in runs}}
        for name, identity, version in runs:
            found, key = self._current if is_same[version] else self._other, key_of(identity)
            found[key] = (*found.get(key, ()), name)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was done at all."""
        return not self._current and not self._other

    def of(self, key: bytes, *, other_code: bool = False) -> tuple[str, ...]:
        """The ids of the runs that were done with this very code, and those with other code if they count."""
        current = self._current.get(key, ())
        return (*current, *self._other.get(key, ())) if other_code else current

    def stale(self, key: bytes) -> tuple[str, ...]:
        """The ids of those that were done with other code."""
        return self._other.get(key, ())


def _is_same(version: str, code: Code, runs: Path) -> bool:
    """Whether a version is of the code now: where a spec was submitted, its config counted as code."""
    if version == code.version:
        return True
    then = read_json_file(code_file(runs, version))
    return bool(then) and not code.changed_since(then)


def _refusal(count: int, versions: Iterator[str], code: Code, runs: Path, ways: Ways) -> RunError:
    """What is told where trials were finished by other code and nobody has said what shall become of them.

    Args:
        count: How many trials.
        versions: The versions of the code that finished them.
        code: The code now.
        runs: The directory of the runs.
        ways: How one says it.
    """
    changed: set[str] = set()
    for version in set(versions):
        then = read_json_file(code_file(runs, version))
        changed |= code.changed_since(then) if then else set()
    shown = sorted(changed)
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    what, it = ("1 trial was", "it") if count == 1 else (f"{count} trials were", "them")
    since = f"changed since: {', '.join(shown[:5])}{more}" if shown else "which files changed since was not recorded"
    keep, redo = ways
    advice = [since, f"{keep}  counts {it} as done", f"{redo}  runs finished trials again"]
    return RunError(Fault("", f"{what} finished by other code", advice=advice))
