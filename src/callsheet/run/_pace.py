"""When an engine is asked next: soon where it answers at once and things change, ever more seldom where not."""

from __future__ import annotations

import time

_SOON_S = 0.1
"""Seconds after something has changed in which one looks again, where a look takes less than a tenth of that."""

_RESTS = 10
"""How many times as long as it takes to look one rests at least."""

_OF_A_TASK = 1 / 20
"""What part of the time that tasks take one rests, where that is longer: it is the most by which an end is late."""

_GROWS = 1.3
"""How many times as long as before one rests where nothing has changed."""

_LONGEST_S = 60.0
"""Seconds between two questions at most, however long an engine takes to answer, or is away."""


class Pace:
    """The times at which an engine is asked.

    Args:
        poll_s: Seconds between two looks, at most; more where a look takes long.
    """

    def __init__(self, poll_s: float) -> None:
        self._poll_s = poll_s
        self._next = 0.0
        self._pause = _SOON_S
        self._look_takes_s = 0.0
        self._tasks_take_s = 0.0

    def left_s(self) -> float:
        """The seconds until the next look; 0 or less where it is due."""
        return self._next - time.monotonic()

    def sent(self) -> None:
        """Something was sent: look soon."""
        self._pause = self._least_s()
        self._next = min(self._next, time.monotonic() + self._pause)

    def ended(self, took_s: float) -> None:
        """A task has ended that ran for some seconds."""
        self._tasks_take_s = min(took_s, 2 * self._tasks_take_s) if self._tasks_take_s else took_s

    def looked(self, took_s: float, *, changed: bool) -> None:
        """A look was answered after some seconds."""
        self._look_takes_s = took_s
        least = self._least_s()
        self._rest(least if changed else max(least, min(_GROWS * self._pause, self._poll_s)))

    def full(self) -> None:
        """It has answered, but takes no more at this moment."""
        self._rest(min(self._pause, self._poll_s))

    def away(self) -> None:
        """It does not answer."""
        self._rest(min(max(2 * self._pause, 1.0), _LONGEST_S))

    def _least_s(self) -> float:
        gentle = min(max(_SOON_S, _RESTS * self._look_takes_s), _LONGEST_S)
        return max(gentle, min(_OF_A_TASK * self._tasks_take_s, self._poll_s))

    def _rest(self, seconds: float) -> None:
        self._pause = seconds
        self._next = time.monotonic() + seconds
