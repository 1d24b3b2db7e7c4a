"""What a run knows when it runs, seen by the build inside it; what that has built; the files that a load has read."""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

RUNNING: ContextVar[dict[str, object] | None] = ContextVar("callsheet_running", default=None)
"""The running run's `dir`, `id`, `index` and `attempt`; while a file is run only for what it defines, its path as
`defining`; None outside of both."""


class Recording:
    """A run that is being recorded, and the build in it.

    Attributes:
        directory: Of the run.
        spec: All of what was recorded, in which paths start.
        nodes_of: Gives the nodes that came to an object, the one that made it first; none where the build has
            not made it. Set by the first build in the run, which is the run's own.
        experiment: The name under which the run is numbered.
        trackers: What has noted something in the run, once there is any: its `end(state)` is called
            when the state is known to which the run came.
    """

    __slots__ = ("directory", "experiment", "nodes_of", "spec", "trackers")

    def __init__(self, directory: str, spec: Any, experiment: str = "") -> None:
        self.directory = directory
        self.spec = spec
        self.experiment = experiment
        self.trackers: Any = None
        self.nodes_of: Callable[[Any], list[Any]] | None = None


RECORDING: ContextVar[Recording | None] = ContextVar("callsheet_recording", default=None)
"""The recorded run of this process; None outside of one, and in threads and processes that a run starts by itself."""

MOVED: dict[str, str] = {}
"""Where folders of a plan are found in this process: a worker has a project's code elsewhere."""


def moved(path: str) -> str:
    """Where a path is found in this process."""
    for folder, there in MOVED.items():
        if path == folder or path.startswith(f"{folder}/"):
            return there + path[len(folder) :]
    return path


READ: ContextVar[dict[str, None] | None] = ContextVar("callsheet_read", default=None)
"""The files that the running load has read, those of loads inside it too; None where nobody asks."""
