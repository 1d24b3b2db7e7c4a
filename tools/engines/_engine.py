"""An engine, as data: what it needs, what it consists of, and how it is reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from _daemon import Daemon
from _place import Place


def _nothing(place: Place) -> None:
    """What an engine does where there is nothing to do."""


@dataclass(frozen=True)
class Engine:
    """One of the engines that jobs are sent to.

    Attributes:
        name: What it is called in the command.
        first_port: The ports from here on are its own.
        programs: Debian's package for each program that it needs.
        prepare: Writes its files, before it starts for the first time.
        daemons: Its processes, in the order in which they start.
        reach: How it is reached: environment variables under `env`, and whatever else its tests must know.
        settle: Makes what jobs need in it, once it runs.
        empty: Ends the jobs in it, before it stops.
        sweep: Ends what its daemons have left running, after it stopped.
    """

    name: str
    first_port: int
    programs: Mapping[str, str]
    prepare: Callable[[Place], None]
    daemons: Callable[[Place], list[Daemon]]
    reach: Callable[[Place], dict[str, Any]]
    settle: Callable[[Place], None] = _nothing
    empty: Callable[[Place], None] = _nothing
    sweep: Callable[[Place], None] = _nothing
