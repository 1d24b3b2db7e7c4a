"""What trackers have begun and what failed: told on stderr, and kept in a run's `trackers.json`."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from callsheet._configfile import show_file
from callsheet._storage import read_json_file, write_whole
from callsheet.errors import CallsheetError

FILE = "trackers.json"
"""What a run's directory says of its trackers."""


@dataclass
class Failure:
    """What went wrong with one kind of entry: how often, and how the first time."""

    count: int
    error: str


class Account:
    """One tracker's part of the record.

    Args:
        name: What the tracker is called.
        masked: Gives a text without the secrets of the run.

    Attributes:
        name: What the tracker is called.
        id: What it calls the run, or "".
        url: Where a person finds the run, or "".
        is_used: Whether anything was noted.
        failures: What went wrong, by kind of entry.
    """

    def __init__(self, name: str, masked: Callable[[str], str]) -> None:
        self.name = name
        self._masked = masked
        self.id = ""
        self.url = ""
        self.is_used = False
        self.failures: dict[str, Failure] = {}
        self._lock = threading.Lock()

    def fail(self, what: str, error: BaseException | str, *, count: int = 1, quietly: bool = False) -> None:
        """Count a failure; the first of its kind is told at once, unless it only follows from one that was."""
        text = self._masked(error if isinstance(error, str) else told(error))
        with self._lock:
            known = self.failures.get(what)
            if known is not None:
                known.count += count
                return
            self.failures[what] = Failure(count, text)
        if not quietly:
            say(f"tracker {self.name}: {what}: {text}")

    def as_data(self) -> dict[str, Any]:
        """The account as JSON has it."""
        failures = [{"what": w, "count": f.count, "error": f.error} for w, f in [*self.failures.items()]]
        return {"id": self.id, "url": self.url, "failures": failures}

    def summary(self) -> str:
        """What failed in all, in one line; "" where nothing did."""
        return ", ".join(f"{what} {_times(failure.count)}" for what, failure in self.failures.items())


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def told(error: BaseException) -> str:
    """An exception in one line."""
    if isinstance(error, CallsheetError):
        return "; ".join(" — ".join((fault.problem, *fault.advice)) for fault in error.faults)
    lines = [line for line in str(error).split("\n") if line.strip()]
    text = f"{type(error).__name__}: {lines[0].strip()}" if lines else type(error).__name__
    return text if len(text) <= 300 else text[:299] + "…"


def say(text: str) -> None:
    """Tell a person, wherever errors go now."""
    try:
        print(f"callsheet: {text}", file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        pass  # nobody listens


class Record:
    """The trackers of a run: ended with it, and recorded in `trackers.json`.

    Args:
        directory: Of the run.
    """

    def __init__(self, directory: str) -> None:
        self.path = os.path.join(directory, FILE)
        self.before = read_json_file(self.path)
        self._trackers: list[tuple[Account, Callable[[str], None]]] = []
        self._lock = threading.Lock()

    def add(self, account: Account, end: Callable[[str], None]) -> None:
        """Take one more tracker, and what ends it."""
        self._trackers.append((account, end))

    def end(self, state: str) -> None:
        """End all trackers with the state that the run came to; tell what failed."""
        used = [(account, end) for account, end in self._trackers if account.is_used or account.failures]
        for account, end in used:
            try:
                end(state)
            except BaseException as error:  # noqa: BLE001  (an impatient Ctrl-C, too, ends one tracker, not the record)
                account.fail("end", error)
        if used:
            self.write()
        failed = [account for account, _ in used if account.failures]
        for account in failed:
            say(f"tracker {account.name} failed: {account.summary()}")
        if failed:
            say(f"what failed, and how the first time, is in {show_file(self.path)}")

    def write(self) -> None:
        """Write the file anew."""
        with self._lock:
            text = json.dumps({**self.before, **self._as_data()}, indent=1, ensure_ascii=False)
            try:
                write_whole(self.path, text + "\n")
            except OSError as error:
                say(f"{show_file(self.path)} cannot be written: {error.strerror}")

    def _as_data(self) -> dict[str, Any]:
        """The accounts by name; the second of a name gets a number."""
        named: dict[str, Any] = {}
        for account, _ in self._trackers:
            if not account.is_used and not account.failures:
                continue
            name, n = account.name, 1
            while name in named:
                n += 1
                name = f"{account.name}-{n}"
            named[name] = account.as_data()
        return named
