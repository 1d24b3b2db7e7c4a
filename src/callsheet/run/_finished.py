"""The runs that are done, found by what they ran and by which code."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from callsheet._storage import read_json_file
from callsheet.errors import Fault, RunError
from callsheet.run._index import Index
from callsheet.run._plan import key_of
from callsheet.run._provenance import Code
from callsheet.run._store import Store, code_file


class Finished:
    """What was done when it was asked: for each identity the ids of its runs, the one that started last at the end.

    The index of the runs is asked, so that a run that has ended is read once, not by each sweep.

    Args:
        store: Where the runs are.
        version: The version of the code that runs now.
        keep: Whether the index may be written.
    """

    def __init__(self, store: Store, version: str, *, keep: bool) -> None:
        self._current: dict[bytes, tuple[str, ...]] = {}
        self._other: dict[bytes, tuple[str, ...]] = {}
        with contextlib.closing(Index(store.directory, keep=keep)) as index:
            runs = index.finished()
        for name, identity, code in runs:
            found, key = self._current if code == version else self._other, key_of(identity)
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


def refusal(count: int, versions: Iterator[str], code: Code, runs: Path) -> RunError:
    """What is told where trials were finished by other code and nobody has said what shall become of them.

    Args:
        count: How many trials.
        versions: The versions of the code that finished them.
        code: The code now.
        runs: The directory of the runs.
    """
    changed: set[str] = set()
    for version in set(versions):
        then = read_json_file(code_file(runs, version))
        changed |= {name for name in {*then, *code.files} if then.get(name) != code.files.get(name)} if then else set()
    shown = sorted(changed)
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    what, it = ("1 trial was", "it") if count == 1 else (f"{count} trials were", "them")
    since = f"changed since: {', '.join(shown[:5])}{more}" if shown else "which files changed since was not recorded"
    advice = [since, f"--keep  counts {it} as done", "--redo  runs finished trials again"]
    return RunError(Fault("", f"{what} finished by other code", advice=advice))
