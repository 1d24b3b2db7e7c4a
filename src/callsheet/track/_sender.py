"""Entries passed on by a thread of their own, so that no training waits for a server."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LIMIT = 100_000
"""Entries that may wait; a training that notes more while the server is away loses the newest."""

LIMIT_BYTES = 256_000_000
"""What texts and images that wait may hold together: a server that is away must not fill a training's memory."""

BATCH = 500
"""Rows of metrics that are passed on together."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0

Fail = Callable[[str, BaseException | str, int, bool], None]


@dataclass
class Entry:
    """One thing to pass on.

    Attributes:
        what: Its kind.
        action: What does it.
        rows: The rows, if it is metrics.
        size: The bytes of a text or image that it holds.
        is_done: Whether it is over.
    """

    what: str
    action: Callable[[list[Any]], None]
    rows: list[Any] = field(default_factory=list)
    size: int = 0
    is_done: bool = False

    @property
    def count(self) -> int:
        """How many calls it stands for."""
        return max(1, len(self.rows))


class Sender:
    """Passes entries on in order, and keeps them while the far side is away.

    Args:
        reach: Raises OSError where the far side is away.
        fail: Is told what failed.
        name: Of the thread.
    """

    def __init__(self, reach: Callable[[], None], fail: Fail, name: str) -> None:
        self._reach = reach
        self._fail = fail
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._ending = False
        self._given_up = False
        self._is_away = False
        self._current: Entry | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Take an entry; it is passed on when those before it are."""
        with self._changed:
            is_large = self._bytes > 0 and self._bytes + entry.size > LIMIT_BYTES
            if len(self._entries) < LIMIT and not is_large and not self._given_up:
                self._bytes += entry.size
                self._entries.append(entry)
                self._changed.notify_all()
                return
        entry.is_done = True
        waits = f"{self._bytes / 1e6:,.0f} MB" if is_large else f"{LIMIT:,} entries"
        self._fail(entry.what, f"{waits} wait already", entry.count, False)

    def wait_for(self, entry: Entry, within_s: float) -> None:
        """Wait until an entry is passed on, or failed, for so many seconds at most; not for a far side that is away."""
        with self._changed:
            self._changed.wait_for(lambda: entry.is_done or self._is_away, within_s)

    def end(self, within_s: float, last: Entry | None = None) -> None:
        """Pass on what waits, and one more, for so many seconds at most; what is left then is counted as failed."""
        with self._changed:
            self._entries.extend([last] if last else [])
            self._ending = True
            self._changed.notify_all()
        self._thread.join(within_s)
        if self._thread.is_alive():
            self._give_up(f"not passed on within {within_s:g} s")

    @property
    def has_given_up(self) -> bool:
        """Whether what waits was counted as failed, and nothing more is told."""
        return self._given_up

    def _give_up(self, why: BaseException | str) -> None:
        with self._changed:
            self._given_up = True
            left = [*([self._current] if self._current else []), *self._entries]
            self._entries.clear()
            for entry in left:
                entry.is_done = True
            self._changed.notify_all()
        for n, entry in enumerate(left):
            self._fail(entry.what, why, entry.count, n > 0 or self._is_away)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._current = None
                while not self._entries and not self._ending:
                    self._changed.wait()
                if not self._entries:
                    return
                entry = self._current = self._next()
            if not self._pass(entry):
                return
            with self._changed:
                entry.is_done, self._is_away = True, False
                self._changed.notify_all()

    def _next(self) -> Entry:
        """The first entry, with the metrics that follow it directly."""
        entry = self._entries.popleft()
        self._bytes -= entry.size
        while entry.rows and self._entries and self._entries[0].rows and len(entry.rows) < BATCH:
            entry.rows += self._entries.popleft().rows
        return entry

    def _pass(self, entry: Entry) -> bool:
        """Pass an entry on, however long that takes; gives whether there is any use in going on."""
        pause = FIRST_PAUSE_S
        while not self._given_up:
            is_last = self._ending
            try:
                entry.action(entry.rows)
                return True
            except Exception as error:  # noqa: BLE001  (a client's own; counted and told)
                away = self._away()
                if self._given_up:
                    return False
                if away is None:
                    self._fail(entry.what, error, entry.count, False)
                    return True
            if not self._is_away:
                self._fail("away", away, 1, False)
            self._is_away = True
            if is_last:
                self._give_up(away)
                return False
            self._wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        return False

    def _away(self) -> OSError | None:
        try:
            self._reach()
        except OSError as error:
            return error
        return None

    def _wait(self, pause: float) -> None:
        """Give the far side time to come back, unless the end is near."""
        until = time.monotonic() + pause
        with self._changed:
            self._changed.notify_all()
            while not self._ending and time.monotonic() < until:
                self._changed.wait(until - time.monotonic())
