"""The runs of a directory as a table: what has ended is read once, and kept in a cache that can be made anew."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from callsheet._project import project_settings
from callsheet.errors import warn
from callsheet.run._row import FINAL, GROUPS, Row, row_of
from callsheet.run._store import Run, Store, take_lock

FILE = ".index.sqlite"
"""Its name in a directory of runs."""

_VERSION = 3
"""Of what the tables hold; an index of another version is made anew."""

_BATCH = 2_000
"""Rows that are written together: an index that is killed while it is made goes on from there."""

_PARTS = ("main.", "temp.live_")
"""Before the names of tables: of runs that have ended and are kept, and of all others."""

_WIDTH = len(Row._fields) - len(GROUPS)
"""The fields of a row that stand in the table `runs`; each group has a table of its own."""

_LIGHT = "id, experiment, number, state, started, ended, code"

_ID = re.compile(r"[0-9a-f]{6,}").fullmatch


class Index:
    """The runs of a directory, as they are when this is made.

    The file is a cache: whatever happens to it, the run directories are what counts. It is written by one process
    at a time, without a write-ahead log, which network file systems do not bear; where it cannot be written or
    used, the runs are read.

    Args:
        directory: Where the run directories are; it may be missing.
        anew: Whether to read all runs again, and make the file anew.
        keep: Whether to write what is read into the file.
    """

    def __init__(self, directory: str | os.PathLike[str], *, anew: bool = False, keep: bool = True) -> None:
        self.store = Store(directory)
        self._keep = keep
        self.path = self.store.directory / FILE
        self._gone: set[str] = set()
        self._kept: dict[str, tuple[Any, ...]] = {}
        with self._lock() as writable:
            self._db = self._open(writable, anew=anew)
            try:
                self._refresh(writable)
            except sqlite3.Error as error:
                self._start_again(writable, error)

    def rows(self) -> dict[str, tuple[Any, ...]]:
        """By run its id, experiment, number, state, start, end, and the version of its code."""
        kept = {run: row for run, row in self._kept.items() if run not in self._gone} if self._gone else self._kept
        fresh = self._db.execute(f"SELECT {_LIGHT} FROM temp.live_runs")
        return {**kept, **others} if (others := {row[0]: row for row in fresh}) else kept

    def group(self, group: str, *, only: Iterable[str] | None = None) -> dict[str, str]:
        """The JSON of a group by run.

        Args:
            group: One of `GROUPS`.
            only: The ids of the runs that are asked for; all by default.
        """
        if only is None:
            return dict(self._ask(f"SELECT id, data FROM {{0}}{group}"))
        self._want(only)
        return dict(self._ask(f"SELECT t.id, t.data FROM temp.wanted w JOIN {{0}}{group} t ON t.id = w.text"))

    def column(self, group: str, name: str) -> dict[str, Any]:
        """By run the value that has a name in a group, None where it has none; true and false are 1 and 0."""
        if set(name) & set('"\\') or not name.isprintable():  # SQLite has no way to write such a name
            texts = self.group(group).items()
            return {run: json.loads(text)[name] for run, text in texts if name in json.loads(text)}
        return dict(self._ask(f"SELECT id, json_extract(data, ?) FROM {{0}}{group}", f'$."{name}"'))

    def names(self) -> dict[str, list[str]]:
        """The names that results, metrics and specs of any run have had: by "result", "metrics", "spec"."""
        found: dict[str, set[str]] = {"result": set(), "metrics": set(), "spec": set()}
        for kind, name in self._ask("SELECT kind, name FROM {0}names"):
            found[kind].add(name)
        return {kind: sorted(names) for kind, names in found.items()}

    def finished(self) -> list[tuple[str, str, str]]:
        """Runs that have something `finished`: of each its id, identity and version of the code, the latest last."""
        found = self._ask("SELECT started, id, identity, code FROM {0}runs WHERE state = 'done' AND identity NOT NULL")
        found.sort(key=lambda row: row[0] or 0)
        return [(run, identity, code or "") for _, run, identity, code in found if run not in self._gone]

    def _want(self, texts: Iterable[str]) -> None:
        """Put texts into a table of their own, for a query to join."""
        self._db.execute("DELETE FROM temp.wanted")
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR IGNORE INTO temp.wanted VALUES (?)", ((text,) for text in texts))
        self._db.execute("COMMIT")

    def _ask(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """The rows of a query of the file's tables, then of the tables of what has not ended."""
        try:
            return [row for part in _PARTS for row in self._db.execute(query.format(part), values).fetchall()]
        except sqlite3.DatabaseError as error:  # pages that nobody had read yet are damaged
            with self._lock() as writable:
                self._start_again(writable, error)
        return [row for part in _PARTS for row in self._db.execute(query.format(part), values).fetchall()]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __del__(self) -> None:
        """Let go of the file, for whoever has kept the runs and forgets them."""
        with contextlib.suppress(AttributeError):  # it was never opened
            self._db.close()

    @contextlib.contextmanager
    def _lock(self) -> Iterator[bool]:
        """Whether this process may write the file: nobody else does, and the directory can be written."""
        lock = None
        with contextlib.suppress(OSError):
            if self._keep and self.store.directory.is_dir() and os.access(self.store.directory, os.W_OK):
                lock = take_lock(self.path.with_suffix(".lock"))
        try:
            yield lock is not None
        finally:
            if lock is not None:
                os.close(lock)

    def _open(self, writable: bool, *, anew: bool) -> sqlite3.Connection:
        if anew and writable:
            self._remove()
        problem = ""
        db = None
        try:
            fresh = not self.path.exists() or self.path.stat().st_size == 0
            if fresh and not writable:
                return _in_memory()
            db = _connected(self.path)
            if fresh:
                return _prepared(db, self._format())
            found = db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
            if found == (self._format(),):
                return _prepared(db)
            problem = "was of another version"
        except sqlite3.OperationalError as error:  # locked, or it cannot be read; a table may be missing
            problem = "was of another version" if _is_strange(error) else f"cannot be used ({error})"
        except sqlite3.DatabaseError as error:
            problem = f"was damaged ({error})"
        if db is not None:
            db.close()
        if not writable or "cannot be used" in problem:
            warn(f"{self._name()} {problem}: the runs were read instead")
            return _in_memory()
        warn(f"{self._name()} {problem}, and was made anew")
        self._remove()
        return _prepared(
            sqlite3.connect(self.path, timeout=2, isolation_level=None, check_same_thread=False), self._format()
        )

    def _start_again(self, writable: bool, error: sqlite3.Error) -> None:
        """Put another index in the place of one that turned out to be damaged."""
        self._db.close()
        self._gone.clear()
        usable = writable and (_is_strange(error) or not isinstance(error, sqlite3.OperationalError))
        done = ", and was made anew" if usable else ": the runs were read instead"
        warn(f"{self._name()} {'was damaged' if usable else 'cannot be used'} ({error}){done}")
        if usable:
            self._remove()
        self._db = self._open(True, anew=False) if usable else _in_memory()
        self._refresh(usable)

    def _remove(self) -> None:
        # Its journal first: a new file must not find the journal of the one before.
        for path in (Path(f"{self.path}-journal"), self.path):
            path.unlink(missing_ok=True)

    def _name(self) -> str:
        return os.path.relpath(self.path)

    def _format(self) -> str:
        """What the file must say of itself; paths in it are those of today's migrations."""
        said = json.dumps([_VERSION, sorted(project_settings().migrations.items())])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def _refresh(self, writable: bool) -> None:
        """Read the runs that the file does not have, keep those that have ended, forget those that are gone."""
        self._kept = {row[0]: row for row in self._db.execute(f"SELECT {_LIGHT} FROM main.runs").fetchall()}
        there = set(self._names_on_disk())
        new = there.difference(self._kept)
        self._gone = set(self._kept).difference(there) if len(there) - len(new) < len(self._kept) else set()
        if self._gone and writable:
            for table in ("runs", *GROUPS):
                self._db.executemany(f"DELETE FROM main.{table} WHERE id = ?", ((run,) for run in self._gone))
            self._kept = {run: row for run, row in self._kept.items() if run in there}
            self._gone = set()
        unread: list[str] = []
        rows = (row_of(run) for run in self._whole(sorted(filter(_ID, new)), unread))
        while batch := list(islice(rows, _BATCH)):
            kept = [row for row in batch if writable and row.state in FINAL]
            ids = {row.id for row in kept}
            self._write("main.", kept)
            self._kept |= {row.id: tuple(getattr(row, name) for name in _LIGHT.split(", ")) for row in kept}
            self._write("temp.live_", [row for row in batch if row.id not in ids])
        if unread:
            record = os.path.relpath(self.store.directory / unread[0] / "run.json")
            more = f", and {len(unread) - 1} more like it" if len(unread) > 1 else ""
            warn(f"{record} is missing or damaged: its run is left out{more}")

    def _whole(self, ids: Iterable[str], unread: list[str]) -> Iterator[Run]:
        """The runs of some ids that have a record; the ids of others that have begun are added to `unread`."""
        for run_id in ids:
            run = self.store.read(run_id)
            if run.record:
                yield run
            elif self.store.is_damaged(run_id):
                unread.append(run_id)

    def _write(self, part: str, rows: list[Row]) -> None:
        if not rows:
            return
        names = {(kind, name) for row in rows for kind in GROUPS[1:] for name in json.loads(getattr(row, kind))}
        marks = ", ".join("?" * _WIDTH)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(f"INSERT INTO {part}runs VALUES ({marks})", (row[:_WIDTH] for row in rows))
            for group in GROUPS:
                data = ((row.id, getattr(row, group)) for row in rows)
                self._db.executemany(f"INSERT INTO {part}{group} VALUES (?, ?)", data)
            self._db.executemany(f"INSERT OR IGNORE INTO {part}names VALUES (?, ?)", sorted(names))
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _names_on_disk(self) -> list[str]:
        try:
            return os.listdir(self.store.directory)
        except (FileNotFoundError, NotADirectoryError):
            return []


def _is_strange(error: sqlite3.Error) -> bool:
    """Whether a file that can be read has other tables than ours."""
    return str(error).startswith("no such")


def _in_memory() -> sqlite3.Connection:
    return _prepared(_connected(":memory:"), "")


def _connected(file: str | os.PathLike[str]) -> sqlite3.Connection:
    """A connection, which whoever forgets it last may close, in whatever thread."""
    return sqlite3.connect(file, timeout=2, isolation_level=None, check_same_thread=False)


def _prepared(db: sqlite3.Connection, new: str | None = None) -> sqlite3.Connection:
    """A connection with the tables of what has not ended beside those of the file, which are made if it is new."""
    db.execute("PRAGMA temp_store = MEMORY")
    if new is not None:
        db.executescript(
            "PRAGMA page_size = 16384; BEGIN IMMEDIATE;"
            + _tables("main.")
            + "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
            + f"INSERT INTO meta VALUES ('format', '{new}'); COMMIT;"
        )
    db.executescript(_tables("temp.live_") + "CREATE TABLE temp.wanted (text TEXT PRIMARY KEY) WITHOUT ROWID;")
    return db


def _tables(part: str) -> str:
    light = f"""
        CREATE TABLE {part}runs (
            id TEXT PRIMARY KEY, experiment TEXT, number INTEGER, state TEXT, identity TEXT, code TEXT,
            started REAL, ended REAL
        ) WITHOUT ROWID;
        CREATE INDEX {part}by_identity ON {part.rpartition(".")[2]}runs (identity, state, code, started);
        CREATE TABLE {part}names (kind TEXT, name TEXT, PRIMARY KEY (kind, name)) WITHOUT ROWID;
    """
    return light + "".join(
        f"CREATE TABLE {part}{group} (id TEXT PRIMARY KEY, data TEXT) WITHOUT ROWID;" for group in GROUPS
    )
