"""The runs of a project as a sequence: filtered, sorted, as a table."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, overload

from callsheet._path import format_path, parse_path
from callsheet.errors import CallsheetError, Fault, PathError, QueryError, nearest
from callsheet.run._index import Index
from callsheet.run._metrics import NONFINITE, series
from callsheet.run._query import MISSING_KEY, Query, column_error, sort_key, typed
from callsheet.run._recorded import recorded_spec
from callsheet.run._store import Run, store_of

OWN = ("id", "experiment", "number", "state", "started", "ended", "duration", "code")
"""What every run is known by."""

FACTS = ("overrides", "config", "entry", "index", "plan", "host", "on", "python", "commit", "attempt", "exit", "error")
"""What its record says."""

_PLACES = ("id", "experiment", "number", "state", "started", "ended", "code")
"""What stands where in a row of the index."""

_TOLD = 8
"""Names that an error lists."""

_FEW = 1_000
"""Runs of which values are read one by one, and not the column of all."""

_OTHER_NAMES = {"status": "state", "run": "id"}


def runs(directory: str | os.PathLike[str] | None = None) -> Runs:
    """The runs of a project, as they are now.

    Args:
        directory: Where they are kept; `runs` under the project's root by default.

    Returns:
        A sequence of runs by experiment and number, empty where there are none.

    Example:
        ``runs().filter("status=done and result.acc>0.9").sort("-result.acc")[0].spec``
    """
    return Runs.read(directory)


class RunView:
    """One run; where a path is asked for, it is its directory.

    Attributes:
        id: Its id, the name of its directory.
        state: What became of it, when the runs were read.
        path: Its directory.
    """

    def __init__(self, table: _Table, id: str) -> None:
        self._table = table
        self.id = id
        self.state: str = table.rows[id][3]
        self.path: Path = table.index.store.directory / id

    def __repr__(self) -> str:
        return f"<run {self.id} {self.state}>"

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def experiment(self) -> str:
        """The name under which it is numbered."""
        return str(self._table.rows[self.id][1])

    @property
    def number(self) -> int:
        """Its number within its experiment, from 1."""
        return int(self._table.rows[self.id][2])

    @property
    def result(self) -> dict[str, Any]:
        """The named numbers and texts that it returned."""
        return self._table.data("result", self.id)

    @property
    def metrics(self) -> dict[str, float]:
        """The last number of each metric."""
        return self._table.data("metrics", self.id)

    @property
    def curves(self) -> dict[str, tuple[list[float], list[float]]]:
        """For each metric its steps and its numbers there."""
        return series(self.path)

    @property
    def record(self) -> Run:
        """Its record, status and result as its files have them."""
        return self._table.index.store.read(self.id)

    @property
    def spec(self) -> Any:
        """Its resolved spec, trusted as one's own: it can be built.

        Raises:
            RunError: It held what is no data.
        """
        return recorded_spec(self.record)

    @property
    def values(self) -> dict[str, str]:
        """The leaves of its spec by path, as text."""
        return self._table.texts("spec", self.id)

    @property
    def facts(self) -> dict[str, Any]:
        """What its record says besides: its `entry`, the paths `beside` that it did not reach, and others."""
        return self._table.texts("facts", self.id)

    def get(self, name: str) -> Any:
        """The value of a column, by a name as `Runs.filter` takes it; None where it has none."""
        return self._table.value(name, self.id)


class Runs(Sequence[RunView]):
    """Runs, in an order; filtering and sorting give others."""

    def __init__(self, table: _Table, ids: Sequence[str]) -> None:
        self._table = table
        self._ids = ids

    @classmethod
    def read(cls, directory: str | os.PathLike[str] | None = None, *, anew: bool = False) -> Runs:
        """The runs of a directory; with `anew` its index is made anew."""
        index = Index(store_of(directory).directory, anew=anew)
        table = _Table(index)
        return cls(table, [row[0] for row in sorted(table.rows.values(), key=itemgetter(1, 2, 0))])

    @property
    def directory(self) -> Path:
        """Where they are."""
        return self._table.index.store.directory

    @property
    def ids(self) -> list[str]:
        """Their ids, in their order."""
        return [*self._ids]

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> RunView: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> RunView | Runs:
        if isinstance(index, slice):
            return Runs(self._table, self._ids[index])
        return RunView(self._table, self._ids[index])

    def __repr__(self) -> str:
        return f"<{len(self)} runs of {self.directory}>"

    def filter(self, text: str) -> Runs:
        """Those that fit.

        Args:
            text: Comparisons joined by `and`, `or`, `not`: `status=done and (optim.lr<1e-2 or result.acc>=0.9)`.
                Names are `id`, `state`, `experiment`, `number`, `started`, `duration`, `result.X`, `metrics.X` (the
                last number), and paths of the spec; `spec.PATH` where a path is called like one of those.

        Raises:
            QueryError: It cannot be read, or no run has a name in it.
        """
        query = Query(text)
        if not self._ids:
            return self
        kept = query.keep(lambda name, at: self._column(name, text, at), len(self._ids))
        return Runs(self._table, [id for id, keep in zip(self._ids, kept, strict=True) if keep])

    def sort(self, *names: str) -> Runs:
        """The same runs in another order; those that lack a value come last.

        Args:
            names: What to sort by, the most important first; after a `-` the largest first.

        Raises:
            QueryError: No run has such a name.
        """
        ids = list(self._ids)
        for said in reversed(names) if ids else ():
            values = self.column(said.removeprefix("-"))
            plain = {int, float}.issuperset(map(type, values)) and not any(map(math.isnan, values))
            keys: dict[str, Any] = dict(zip(self._ids, values if plain else map(sort_key, values), strict=True))
            ids.sort(key=keys.__getitem__, reverse=said.startswith("-"))
            if not plain:
                ids.sort(key=lambda run: keys[run] == MISSING_KEY)  # which are last either way
        return Runs(self._table, ids)

    def of(self, ids: Iterable[str]) -> Runs:
        """Those with these ids, in this order."""
        return Runs(self._table, [id for id in ids if id in self._table.rows])

    def column(self, name: str) -> list[Any]:
        """The value that each has under a name, None where it has none; names are those of `filter`.

        Raises:
            QueryError: No run has such a name.
        """
        return self._column(name, name, 0)

    def names(self) -> list[str]:
        """The names that `filter`, `sort` and `column` take here."""
        return self._table.names()

    def to_frame(self, columns: Sequence[str] | None = None) -> Any:
        """A pandas data frame with a row for each run, indexed by id.

        Args:
            columns: Names as `filter` takes them; by default what each run is known by, its spec's values, its result
                and the last numbers of its metrics.

        Raises:
            CallsheetError: pandas is missing.
            QueryError: No run has such a name.
        """
        try:
            import pandas as pd  # type: ignore[import-untyped]
        except ImportError:
            advice = ['pip install "callsheet[pandas]"']
            raise CallsheetError(
                Fault("", "a data frame needs pandas, which is not installed", advice=advice)
            ) from None
        if columns is None:
            grouped = {name.partition(".")[0] for name in ("result.x", "metrics.x")}
            columns = [*OWN[1:7], *(name for name in self.names() if name not in OWN + FACTS or name in grouped)]
        data = {name: self.column(name) for name in columns}
        for name in ("started", "ended"):
            if name in data:
                data[name] = list(pd.to_datetime(data[name], unit="s", utc=True))
        return pd.DataFrame(data, index=pd.Index(self._ids, name="id"))

    def load(self, *groups: str) -> Runs:
        """Read groups of values of these runs together: "result", "metrics", "spec"; gives the runs themselves."""
        for group in groups:
            self._table.fetch(group, self._ids)
        return self

    def _column(self, name: str, text: str, at: int) -> list[Any]:
        try:
            return self._table.values(name, self._ids)
        except QueryError as error:
            fault = error.faults[0]
            raise column_error(text, at, fault.problem, fault.advice) if text != name else error from None


class _Table:
    """The columns of an index, each read when it is first asked for."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.now = time.time()
        self.rows = index.rows()
        self._columns: dict[str, dict[str, Any]] = {}  # by name, by run
        self._data: dict[tuple[str, str], str] = {}
        self._known: dict[str, list[str]] | None = None

    def values(self, name: str, ids: Sequence[str]) -> list[Any]:
        """The value that each of these runs has under a name."""
        name = _OTHER_NAMES.get(name, name)
        if name == "duration":
            return [self._duration(*self.rows[id][3:6]) for id in ids]
        if name in OWN:
            rows, place = self.rows, _PLACES.index(name)
            return [rows[id][place] for id in ids]
        return [*map(self.column(name, ids).get, ids)]

    def column(self, name: str, ids: Sequence[str]) -> dict[str, Any]:
        """The values of these runs, and of others, under a name that is not `OWN`; of a run that has none, None."""
        if name not in self._columns and (within := self._within(name)):
            entries = self.index.column("facts", "entry")
            self._columns[name] = {
                id: self.column(within[entry], ids).get(id) for id, entry in entries.items() if entry in within
            }
        elif name not in self._columns:
            group, key = self.place(name)
            if len(ids) <= _FEW < len(self.rows):
                self.fetch(group, ids)
                found = {id: self.data(group, id).get(key) for id in ids}
                return {id: typed(text) if group == "spec" and text else text for id, text in found.items()}
            found = self.index.column(group, key)
            if group == "spec":
                found = {id: typed(text) if text else text for id, text in found.items()}
            elif any(type(v) is str for v in found.values()):
                found = {id: NONFINITE.get(v, v) if isinstance(v, str) else v for id, v in found.items()}
            self._columns[name] = found
        return self._columns[name]

    def _duration(self, state: str, started: float | None, ended: float | None) -> float | None:
        """Seconds of the last attempt, so far; none where a clock that was set back would say less than none."""
        end = self.now if ended is None and state == "running" else ended
        return max(end - started, 0.0) if end is not None and started is not None else None

    def value(self, name: str, id: str) -> Any:
        """A name's value of one run."""
        return self.values(name, [id])[0]

    def data(self, group: str, id: str) -> dict[str, Any]:
        """All of a group of one run."""
        return {name: NONFINITE.get(v, v) if isinstance(v, str) else v for name, v in self.texts(group, id).items()}

    def texts(self, group: str, id: str) -> dict[str, Any]:
        """All of a group of one run, numbers that JSON lacks as texts."""
        self.fetch(group, [id])
        found: dict[str, Any] = json.loads(self._data[group, id])
        return found

    def fetch(self, group: str, ids: Sequence[str]) -> None:
        """Read a group of these runs together, where it was not read before."""
        left = [id for id in ids if (group, id) not in self._data]
        if left:
            texts = self.index.group(group, only=left)
            self._data |= {(group, id): texts.get(id, "{}") for id in left}

    def place(self, name: str) -> tuple[str, str]:
        """The group and the key of a name.

        Raises:
            QueryError: No run has it.
        """
        name = _OTHER_NAMES.get(name, name)
        if name in OWN:
            return "own", name
        if name in FACTS:
            return "facts", name
        group, _, key = name.partition(".")
        known = self.known()
        if group in ("result", "metrics") and key in known[group]:
            return group, key
        for path in (name, key) if group == "spec" else (name,):
            if _canonical(path) in known["spec"]:
                return "spec", _canonical(path)
        raise self._unknown(name)

    def _within(self, name: str) -> dict[str, str]:
        """By entry the path of a name that starts in it, for a name that starts nowhere else."""
        try:
            self.place(name)
        except QueryError:
            entries = {entry for entry in self.index.column("facts", "entry").values() if entry}
            return {e: f"{e}.{name}" for e in entries if _canonical(f"{e}.{name}") in self.known()["spec"]}
        return {}

    def known(self) -> dict[str, list[str]]:
        """The names of each group."""
        if self._known is None:
            self._known = self.index.names()
        return self._known

    def names(self) -> list[str]:
        """All names."""
        known = self.known()
        paths = [f"spec.{path}" if path in OWN + FACTS else path for path in known["spec"]]
        grouped = [f"{group}.{key}" for group in ("result", "metrics") for key in known[group]]
        return [*OWN, *FACTS, *paths, *grouped]

    def _unknown(self, name: str) -> QueryError:
        known = self.known()
        close = [f"{group}.{name}" for group in ("result", "metrics") if name in known[group]]
        close += nearest(name, [*self.names(), *_OTHER_NAMES])
        if not close:
            last = {full.rpartition(".")[2]: full for full in self.names()}
            word = name.rpartition(".")[2]
            close = [last[part] for part in [*nearest(word, last), *(part for part in last if part.startswith(word))]]
        group = name.partition(".")[0]
        advice = [f"did you mean  {close[0]}?"] if close else []
        if not close and group in ("result", "metrics"):
            have = ", ".join(known[group][:12]) or "none at all"
            advice = [f"{'results' if group == 'result' else 'metrics'} have {have}"]
        return QueryError(Fault("", f"no run has {name!r}", advice=advice or self._all_told()))

    def _all_told(self) -> list[str]:
        """What there is, in two lines: what a run is known by, and the first of what these runs hold."""
        known = self.known()
        held = [f"{group}.{key}" for group in ("result", "metrics") for key in known[group]] + known["spec"]
        more = f" and {len(held) - _TOLD} more" if len(held) > _TOLD else ""
        lines = [f"each run has  {', '.join(OWN[:7])}"]
        return [*lines, f"these have  {', '.join(held[:_TOLD])}{more}"] if held else lines


def _canonical(path: str) -> str:
    try:
        return format_path(parse_path(path))
    except PathError:
        return path
