"""Random numbers of a fork: those that a new process would have drawn, instead of the same in all forks."""

from __future__ import annotations

import random
import sys

_DRAWS = 1000
"""Blocks of draws up to which a state counts as drawn from, and not as seeded."""


class Chance:
    """The random state of a process before anything was imported.

    A state that an import has seeded is what every new process has after that import, so forks keep it. Any other
    came from the system's entropy, and each fork takes its own.
    """

    def __init__(self) -> None:
        self._before = random.getstate()
        self._now: object = None

    def prepare(self) -> None:
        """Look at what imports have done, before forks are made."""
        self._now = random.getstate() if self._is_seeded() else None

    def renew(self) -> None:
        """Take other numbers than other forks, where no import has said which; called in a fork."""
        if self._now is not None:  # Python itself has seeded it anew in this fork
            random.setstate(self._now)  # type: ignore[arg-type]
        numpy_random = sys.modules.get("numpy.random")
        if numpy_random is not None and _of_numpy(numpy_random) is not None:
            numpy_random.seed()
        generator = getattr(sys.modules.get("torch"), "default_generator", None)
        if generator is not None and generator.initial_seed() >= 2**32:  # the system draws such, nobody writes such
            generator.seed()

    def _is_seeded(self) -> bool:
        """Whether the state of `random` is not reached from the one before by drawing."""
        key = random.getstate()[1][:-1]
        drawn = random.Random()  # noqa: S311  (it repeats one that exists)
        drawn.setstate(self._before)
        for _ in range(_DRAWS):
            if drawn.getstate()[1][:-1] == key:
                return False
            drawn.getrandbits(624 * 32)
        return True


def _of_numpy(module: object) -> object:
    """The entropy that NumPy's own state came from; None where it was seeded."""
    get = getattr(module, "get_bit_generator", None)
    return getattr(get(), "seed_seq", True) if get is not None else True
