"""What `sweep` and `plan` share: how a command line describes trials."""

from __future__ import annotations

import click

from callsheet._sweep import Sweep
from callsheet.cli._sampling import Sampling
from callsheet.cli._subject import COMMAND_LINE, Config
from callsheet.cli._telling import Misuse
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
        raise Misuse("nothing sweeps", "give a path several values, as in  optim.lr=1e-3,3e-3")
    if trials.is_space and trials.sampler is None:
        ways = "name some, as in  optim.lr=range(0.1,1,0.1)", "or draw some:  --trials N"
        raise Misuse("an interval has no end of values", *ways)
    return trials
