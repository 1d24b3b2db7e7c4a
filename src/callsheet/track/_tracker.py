"""What a training function is given to note things with, and what a tracker knows of the run that it tracks."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class TrackedRun:
    """The run that a tracker tracks; outside of a run all is empty, and a tracker goes by its own settings.

    Attributes:
        id: The run's id: "7f3a9c".
        experiment: The experiment that the run belongs to.
        directory: The run's directory.
        index: Its place in a sweep.
        attempt: 1, or more when a run that was cut off goes on.
        before: What the tracker called this run in an earlier attempt, or "": it goes on with that.
    """

    id: str = ""
    experiment: str = ""
    directory: str = ""
    index: int = 0
    attempt: int = 1
    before: str = ""


class Tracker(ABC):
    """Where a training notes its params, metrics, texts, images, histograms and artifacts.

    In a run a tracker starts at its first use, with what the run's spec says as
    params and with the run's id as its name; the run ends it with the state it
    came to. Outside of a run, `with tracker:` or `end()` does, or the end of the
    process. None of these methods raises because a tracker fails: what fails is
    told once on stderr, counted, summed up at the end, and kept in the run's `trackers.json`.
    """

    @abstractmethod
    def params(self, values: Mapping[str, Any]) -> None:
        """Note what does not change in a run, on top of what its spec says.

        Args:
            values: By name; a mapping in it gives names with dots: `{"a": {"b": 1}}` is `a.b`.
        """

    @abstractmethod
    def scalars(self, values: Mapping[str, Any], step: int | None = None) -> None:
        """Note metrics.

        Args:
            values: Numbers by name; those of NumPy, and tensors of one element, are numbers. NaN and infinity may be.
            step: Where on the x axis; without it, the number of earlier calls without one.
        """

    @abstractmethod
    def text(self, name: str, text: str, step: int | None = None) -> None:
        """Note a text."""

    @abstractmethod
    def image(self, name: str, image: Any, step: int | None = None) -> None:
        """Note an image.

        Args:
            name: What it is called.
            image: An array, tensor or nested list of the shape (height, width), (height, width, 1), or
                (height, width, 3 or 4): integers from 0 to 255, or floats from 0 to 1.
            step: As for `scalars`.
        """

    @abstractmethod
    def histogram(self, name: str, values: Any, step: int | None = None) -> None:
        """Note how values are spread.

        Args:
            name: What it is called.
            values: An array, tensor or sequence of numbers, of any shape. NaN and infinity are left out.
            step: As for `scalars`.
        """

    @abstractmethod
    def artifact(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        """Keep a file, or a folder with all that is in it, as it is now.

        Args:
            path: Where it is.
            name: What it is to be called: "best.pt"; its own name by default.
        """

    @abstractmethod
    def start(self) -> None:
        """Start now, where the first use would be too late: before a command is started that goes on with this run."""

    @abstractmethod
    def end(self, state: str = "done") -> None:
        """Write what is not written yet, and close.

        Args:
            state: What came of it: "done", "failed", "interrupted" or "cancelled".
        """

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The settings as environment variables that this tracker's own client reads, for a command in the run."""

    @abstractmethod
    def hand_over(self) -> dict[str, str]:
        """Begin the run now where a command can go on with it, and give what `environment` gives then."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.end()
        else:
            self.end("failed" if isinstance(error, Exception) else "interrupted")


def environment(tracker: Tracker) -> dict[str, str]:
    """A tracker's settings as the environment variables that its own client reads.

    A command that knows nothing of Callsheet then notes where the run does. Once
    the tracker is started, they name the run that it has begun, where a second process can go on with it.

    >>> from callsheet.track import JSONL
    >>> environment(JSONL("/tmp/run"))
    {'CALLSHEET_METRICS': '/tmp/run/metrics.jsonl'}
    """
    return tracker.environment()
