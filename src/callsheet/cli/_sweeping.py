"""What `sweep` and `plan` share: how a command line describes trials, and what its trials are called."""

from __future__ import annotations

from collections.abc import Sequence

import click

from callsheet._alternatives import Interval
from callsheet._sweep import Sweep
from callsheet._terminal import width
from callsheet.cli._sampling import Sampling
from callsheet.cli._subject import COMMAND_LINE, Config
from callsheet.cli._telling import Misuse
from callsheet.cli._text import short
from callsheet.run._trial import commands_of
from callsheet.run._trials import sweep_at

repeat_option = click.option("--repeat", default=1, type=click.IntRange(1), metavar="N", help="Run each trial N times.")


def trials_of(
    named: Config, overrides: tuple[str, ...], drawn: Sampling, *, repeat: int, is_single: bool = False
) -> Sweep:
    """The sweep that a command line describes.

    Args:
        named: What is swept.
        overrides: What varies.
        drawn: What draws the trials.
        repeat: How often each is run; one spec, several times, is a sweep too.
        is_single: Whether one spec, once, is one.

    Raises:
        Misuse: Nothing sweeps, or without an end.
    """
    how = {"shape": drawn.shape, "sampler": drawn.sampler}
    trials = sweep_at(named.file, named.entry, overrides, where=COMMAND_LINE, policy=named.policy, **how)
    if not trials.axes and not is_single and (repeat == 1 or trials.sampler is not None):
        experiments = [] if named.entry else commands_of(trials.trial(0).spec, named.file)
        raise Misuse("nothing sweeps", *experiments or ["give a path several values, as in  optim.lr=1e-3,3e-3"])
    if trials.is_space and trials.sampler is None:
        ways = "name some, as in  optim.lr=range(0.1,1,0.1)", "or draw some:  --trials N"
        raise Misuse("an interval has no end of values", *ways)
    return trials


_DRAWN = 10
"""Columns that a drawn number mostly takes."""


class Naming:
    """What the trials of a sweep are called: by their overrides.

    Attributes:
        width: How wide the name of a trial is at most, as far as the first choices of each axis tell.
    """

    def __init__(self, sweep: Sweep) -> None:
        axes = {said.typed or said.path: said for _, said in sweep.space.axes()}
        self._axes = axes.keys()
        self._said = frozenset(text for text in sweep.texts if _path(text) not in axes)
        fixed = [width(text) for text in self._said if "(" not in _path(text)]  # spaces and samplers read otherwise
        widths = [
            width(path) + 1 + (_DRAWN if isinstance(said.sweep, Interval) else max(map(width, said.texts[:1000])))
            for path, said in axes.items()
            if isinstance(said.sweep, Interval) or len(said.texts)
        ]
        self.width = max(sum(fixed) + sum(widths) + len(fixed) + len(widths) - 1, 0)

    def whole(self, overrides: Sequence[str]) -> str:
        """All that makes a trial; numbers that were drawn are short."""
        return " ".join(map(short, overrides))

    def apart(self, overrides: Sequence[str]) -> str:
        """What tells a trial from the others; all where nothing does."""
        own = [text for text in overrides if _path(text) in self._axes or text not in self._said]
        return self.whole(own or overrides)


def _path(text: str) -> str:
    return text.partition("=")[0].lstrip("+~")
