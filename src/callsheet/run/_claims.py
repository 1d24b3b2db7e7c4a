"""Which run has a trial: so that sweeps which share one make it once, whichever comes to it first."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from callsheet.run._store import Run, Store, is_locked, take_lock


@contextlib.contextmanager
def claiming(store: Store, identity: str, version: str) -> Iterator[Claim]:
    """Look at who has tried a trial while nobody else can claim it; to be held for a moment.

    What has claimed trials stands in files of which there are 256, whatever the number of trials: a line for each run,
    written before it begins. That is told among sweeps that run at the same time; what was done before they began
    stands in the runs themselves.

    Args:
        store: Where the runs are.
        identity: The trial's.
        version: Of the code that runs it.
    """
    key, file = _key_and_file(store, identity, version)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = take_lock(file, wait=True)
    assert lock is not None
    try:
        yield Claim(store, lock, key)
    finally:
        os.close(lock)


def claimed(store: Store, identity: str, version: str) -> Run | None:
    """The run that has claimed a trial last, at a glance: nothing is written, and nobody kept from claiming it now."""
    key, file = _key_and_file(store, identity, version)
    try:
        return _last(store, file.read_bytes(), key)
    except FileNotFoundError:
        return None


def _key_and_file(store: Store, identity: str, version: str) -> tuple[bytes, Path]:
    key = hashlib.sha256(f"{identity} {version}".encode()).hexdigest()[:32]
    return key.encode(), store.directory / ".claims" / key[:2]


def _last(store: Store, said: bytes, key: bytes) -> Run | None:
    if key not in said:
        return None
    names = re.findall(rb"\n" + key + rb" ([0-9a-f]{6,})(?=\n)", said)
    known = (name.decode() for name in reversed(names) if (store.directory / name.decode()).is_dir())
    return next(map(store.read, known), None)


class Claim:
    """What is known of a trial, and the right to claim it; made by `claiming`.

    Args:
        store: Where the runs are.
        file: A descriptor of the file in which it is claimed, locked.
        key: What stands for the trial.
    """

    def __init__(self, store: Store, file: int, key: bytes) -> None:
        self._store = store
        self._file = file
        self._key = key

    def run(self) -> Run | None:
        """The run that has claimed it last; None where there is none, or none any more."""
        said = os.pread(self._file, os.fstat(self._file).st_size, 0)
        return _last(self._store, said, self._key)

    def note(self, run: str) -> None:
        """Say that a run tries it now; its lock must be held."""
        # Lines begin and end by themselves: what a killed writer left half is none.
        os.pwrite(self._file, b"\n" + self._key + b" " + run.encode() + b"\n", os.fstat(self._file).st_size)


def is_alive(run: Run) -> bool:
    """Whether some process has a run: its lock, before it says that it runs, or what it gives as a sign of that."""
    return is_locked(run.directory / "lock") or run.state == "running"
