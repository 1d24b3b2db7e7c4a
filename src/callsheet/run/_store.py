"""Where runs live: one directory each, numbered within their experiment, found again by id."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, get_args

from callsheet._project import root_of
from callsheet._storage import read_json_file, unwritable, write_whole
from callsheet.errors import Fault, RunError
from callsheet.run._beat import beats

State = Literal["running", "done", "failed", "interrupted", "cancelled", "lost"]
"""What became of a run; "lost" is one that says it runs while nobody runs it, or says nothing that can be read."""

STATES: tuple[str, ...] = get_args(State)
"""All of them."""

ELSEWHERE = "callsheet run FILE --runs DIR  keeps runs elsewhere"
"""What to do where a run cannot be written."""

GOES_ON = "the same command goes on once it can"
"""What to do where something of a plan cannot be written."""

_ENDED = ("done", "failed", "interrupted", "cancelled")


@dataclass(frozen=True)
class Run:
    """A run directory, read; where a path is asked for, it is that directory.

    Attributes:
        directory: Where it is.
        record: `run.json`: what was run, by which code, where.
        status: `status.json`: the state that its worker wrote last.
        result: `result.json`: the named numbers that it returned.
    """

    directory: Path
    record: dict[str, Any] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)

    def __fspath__(self) -> str:
        return str(self.directory)

    @property
    def id(self) -> str:
        """The name of its directory."""
        return self.directory.name

    @property
    def state(self) -> State:
        """What became of it; asks the operating system whether a running one still runs, or on others for its signs."""
        state = self.status.get("state")
        if state == "running" and (is_locked(self.directory / "lock") or beats(self.directory, self.status)):
            return "running"
        return state if state in _ENDED else "lost"

    @property
    def identity(self) -> str | None:
        """The hash of its resolved spec; None where that held a live object."""
        return self.record.get("identity")

    @property
    def finished(self) -> tuple[str, str] | None:
        """What it has finished: an identity, and by which version of the code; None where nothing counts as done.

        `Index.finished` says the same of all runs.
        """
        return self._ran if self.state == "done" else None

    @property
    def pruned(self) -> tuple[str, str] | None:
        """The same of one that was stopped since others did better; None where it was not."""
        return self._ran if self.state == "cancelled" and self.status.get("pruned") is True else None

    @property
    def _ran(self) -> tuple[str, str] | None:
        return (self.identity, version_of(self.record)) if isinstance(self.identity, str) else None


class Store:
    """The runs of a project.

    Args:
        directory: Where the run directories are; made when the first run starts.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory).absolute()

    def new_run(self) -> Path:
        """Make a run directory whose id no other process has or will have.

        Raises:
            RunError: Nothing can be written there.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            return self._new_directory()
        except OSError as error:
            raise RunError(unwritable(f"a run in {self.directory}", error, ELSEWHERE)) from error

    def _new_directory(self) -> Path:
        digits = 6
        while True:
            for _ in range(8):
                directory = self.directory / os.urandom(16).hex()[:digits]
                try:
                    directory.mkdir()
                except FileExistsError:
                    continue
                return directory
            digits += 2

    def number(self, experiment: str, run_id: str) -> int:
        """Take the next number within an experiment; no two runs get the same."""
        folder = self.directory / ".numbers" / _file_name(experiment)
        folder.mkdir(parents=True, exist_ok=True)
        number = _first_free(folder)
        while True:
            try:
                with open(folder / str(number), "x", encoding="utf-8") as file:
                    file.write(run_id)
            except FileExistsError:
                number += 1
                continue
            return number

    def find(self, run_id: str) -> Run:
        """The run of an id, or of the beginning of one.

        Raises:
            RunError: There is none, or more than one.
        """
        names = [name for name in self.ids() if name.startswith(run_id)] if run_id else []
        if len(names) == 1 or run_id in names:
            return self.read(run_id if run_id in names else names[0])
        if names:
            raise RunError(Fault("", f"{run_id!r} is the beginning of several runs", advice=[", ".join(names[:8])]))
        have = self.ids()
        advice = [_listed(len(have)) if have else "callsheet run FILE  makes one"]
        raise RunError(Fault("", f"there is no run {run_id!r} in {self.directory}", advice=advice))

    def ids(self) -> list[str]:
        """The ids of all runs."""
        try:
            names = os.listdir(self.directory)
        except FileNotFoundError:
            return []
        return sorted(name for name in names if re.fullmatch(r"[0-9a-f]{6,}", name))

    def read(self, run_id: str) -> Run:
        """A run by its whole id; what is not there yet, or is damaged, reads as empty."""
        directory = self.directory / run_id
        parts = (read_json_file(directory / f"{name}.json") for name in ("run", "status", "result"))
        return Run(directory, *parts)

    def is_damaged(self, run_id: str) -> bool:
        """Whether a run has begun whose record cannot be read."""
        directory = self.directory / run_id
        has_begun = any((directory / f"{name}.json").exists() for name in ("run", "status"))
        return has_begun and not read_json_file(directory / "run.json")

    def runs(self, experiment: str | None = None) -> list[Run]:
        """All runs, of one experiment if it is named, by experiment and number."""
        found = [run for run in map(self.read, self.ids()) if run.record]
        if experiment is not None:
            found = [run for run in found if run.record.get("experiment") == experiment]
        return sorted(found, key=lambda run: (str(run.record.get("experiment")), run.record.get("number") or 0))


def store_of(directory: str | os.PathLike[str] | None = None) -> Store:
    """The store of a directory; of `runs` under the project's root where none is named."""
    return Store(directory or os.path.join(root_of(os.getcwd()), "runs"))


def find_run(run: str | os.PathLike[str], runs: str | os.PathLike[str] | None = None) -> Run:
    """A run by its directory, its id, or the beginning of that.

    Args:
        run: How it is named.
        runs: The directory of the runs; `runs` under the project's root by default.

    Raises:
        RunError: There is none, or more than one.
    """
    if os.path.isfile(os.path.join(run, "run.json")):
        directory = Path(run).absolute()
        return Store(directory.parent).read(directory.name)
    return store_of(runs).find(os.fspath(run))


def _first_free(folder: Path) -> int:
    """A number from which on no file has one for its name, found without listing the folder."""
    below, above = 0, 1
    while (folder / str(above)).exists():
        below, above = above, 2 * above
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if (folder / str(middle)).exists() else (below, middle)
    return above


def _listed(runs: int) -> str:
    if runs == 1:
        return "there is 1 run: callsheet runs  lists it"
    return f"there are {runs} runs: callsheet runs  lists them"


def note_ended(run: Run, state: str, exit: int, error: str, **more: Any) -> bool:
    """Let a run whose worker is gone say why it was ended; whoever holds its lock is its one writer.

    Args:
        run: A run.
        state: What has become of it.
        exit: The exit code of its worker.
        error: Why.
        more: What else its status shall say.

    Returns:
        Whether that is why it has ended: neither has it done so by itself before, nor does it go on elsewhere.
    """
    lock = take_lock(run.directory / "lock", create=False)
    if lock is None:
        return False
    try:
        status = read_json_file(run.directory / "status.json")
        if status.get("state") not in ("running", "cancelled"):
            return False
        said = {**status, "state": state, "exit": exit, "error": error, **more}
        with contextlib.suppress(OSError):
            keep_json_file(run.directory / "status.json", said)
        return True
    finally:
        os.close(lock)


def version_of(record: dict[str, object]) -> str:
    """The version of the code of a run's record; "" where it does not say."""
    code = record.get("code")
    return str(code.get("version", "")) if isinstance(code, dict) else ""


def code_file(runs: Path, version: str) -> Path:
    """Where the digests of the files of a version of the code are noted."""
    return runs / ".code" / f"{version}.json"


def write_json_file(path: Path, data: Any) -> None:
    """Write a JSON file in one step."""
    write_whole(str(path), json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def keep_json_file(path: Path, data: Any) -> None:
    """Write a JSON file in one step, and return when it would outlast the machine's end."""
    new = path.with_name(f".{path.name}.new")  # its one writer is the run
    with open(new, "wb") as file:
        file.write(json.dumps(data, indent=1, ensure_ascii=False).encode() + b"\n")
        sync(file)
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sync(file: IO[Any]) -> None:
    """Bring what was written to a file onto the disk."""
    file.flush()
    os.fsync(file.fileno())


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.-]", "_", text) or "_"


_LOOKS_S = 0.001, 0.004, 0.0
"""Seconds after each try to take a lock: who only looks whether it is held has it for a moment."""


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock of a file; it ends with the process, however that ends."""
    import fcntl

    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: those who only look are not seen by each other
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def take_lock(path: Path, *, create: bool = True, wait: bool = False) -> int | None:
    """Take the lock of a file for this process and give the file's descriptor; None where another holds it."""
    import fcntl

    try:
        handle = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o666)
    except FileNotFoundError:
        return None
    for rest_s in _LOOKS_S:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            time.sleep(rest_s)
        else:
            return handle
    os.close(handle)
    return None
