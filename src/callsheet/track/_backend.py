"""One place where entries go: the methods that a training calls never raise; those that a tracker writes may."""

from __future__ import annotations

import operator
import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

from callsheet._secret import Secret
from callsheet.track._entries import Histogram, Image, Moment, Row, flat, histogram_of, image_of, number_of, param_of
from callsheet.track._session import Session
from callsheet.track._tracker import TrackedRun, Tracker


class Backend(Tracker):
    """A tracker of one place: its subclasses write what has been brought into one form, and may raise.

    A subclass calls `super().__init__()`, imports its client in `on_start`, and
    does nothing before: describing a tracker costs nothing. Whatever its methods
    raise is counted and told, and ends no training.
    """

    is_queued: ClassVar[bool] = False
    """Whether a thread of its own passes entries on, so that nothing waits for a server."""

    is_handed_over: ClassVar[bool] = False
    """Whether a command goes on with the run that is begun here, which `environment` then names."""

    wait_s: float = 60.0
    """Seconds that `start`, `artifact` and `end` wait for that thread."""

    def __init__(self) -> None:
        self._session = Session(self)

    @property
    def run(self) -> TrackedRun:
        """The run that it tracks; empty outside of one."""
        return self._session.run()

    @property
    def failures(self) -> dict[str, tuple[int, str]]:
        """What failed, by kind of entry: how often, and how the first time."""
        return {what: (failure.count, failure.error) for what, failure in self._session.account.failures.items()}

    # --- what a tracker writes ----------------------------------------------------------------------------------------

    @abstractmethod
    def on_start(self, run: TrackedRun) -> tuple[str, str]:
        """Begin a run, or go on with the one that `run.before` names.

        Returns:
            What the run is called there, and its address for a person, or "".
        """

    @abstractmethod
    def on_params(self, values: Mapping[str, Any]) -> None:
        """Write params: None, bools, numbers and texts by name."""

    @abstractmethod
    def on_scalars(self, rows: Sequence[Row]) -> None:
        """Write metrics: one row, or several that have been waiting."""

    @abstractmethod
    def on_text(self, name: str, text: str, at: Moment) -> None:
        """Write a text."""

    @abstractmethod
    def on_image(self, name: str, image: Image, at: Moment) -> None:
        """Write an image."""

    @abstractmethod
    def on_histogram(self, name: str, histogram: Histogram, at: Moment) -> None:
        """Write a histogram."""

    @abstractmethod
    def on_artifact(self, path: str, name: str) -> None:
        """Keep a copy of a file or folder, which exists."""

    @abstractmethod
    def on_end(self, state: str) -> None:
        """Close; only called where `on_start` came to its end."""

    def reach(self) -> None:
        """See whether the far side is there; a tracker without one does nothing.

        Raises:
            OSError: It is away. Then nothing is lost that can wait for it.
        """

    # --- what a training calls ----------------------------------------------------------------------------------------

    @final
    def params(self, values: Mapping[str, Any]) -> None:
        with self._session.guarded("params"):
            kept = self._session.masked({n: param_of(v) for n, v in flat(values) if not isinstance(v, Secret)})
            self._session.note("params", lambda _: self.on_params(kept))

    @final
    def scalars(self, values: Mapping[str, Any], step: int | None = None) -> None:
        with self._session.guarded("scalars"):
            kept = {}
            for name, value in values.items():
                try:
                    kept[str(name)] = number_of(value)
                except TypeError as error:
                    self._session.account.fail("scalars", f"{name} {error}")
            kept = self._session.masked(kept)
            if kept:
                self._session.note("scalars", self.on_scalars, [Row(kept, self._moment("scalars", step))])

    @final
    def text(self, name: str, text: str, step: int | None = None) -> None:
        with self._session.guarded("text"):
            at, kept = self._moment(f"text {name}", step), str(self._session.masked(str(text)))
            self._session.note("text", lambda _: self.on_text(str(name), kept, at), size=len(kept))

    @final
    def image(self, name: str, image: Any, step: int | None = None) -> None:
        with self._session.guarded("image"):
            at, kept = self._moment(f"image {name}", step), image_of(image)
            self._session.note("image", lambda _: self.on_image(str(name), kept, at), size=len(kept.pixels))

    @final
    def histogram(self, name: str, values: Any, step: int | None = None) -> None:
        with self._session.guarded("histogram"):
            at, kept = self._moment(f"histogram {name}", step), histogram_of(values)
            self._session.note("histogram", lambda _: self.on_histogram(str(name), kept, at))

    @final
    def artifact(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        with self._session.guarded("artifact"):
            full = os.path.abspath(path)
            if not os.path.exists(full):
                raise FileNotFoundError(f"there is no file or folder {os.fspath(path)}")
            kept = _file_name(name) if name else os.path.basename(full)
            self._session.note("artifact", lambda _: self.on_artifact(full, kept), wait=True)

    @final
    def start(self) -> None:
        with self._session.guarded("start"):
            self._session.note("start", _nothing, wait=True)

    @final
    def hand_over(self) -> dict[str, str]:
        if self.is_handed_over:
            self.start()
        return self.environment()

    @final
    def end(self, state: str = "done") -> None:
        with self._session.guarded("end"):
            self._session.end(state)

    def call_it(self, name: str) -> None:
        """Give it the name under which it is told of, before its first use."""
        self._session.account.name = name

    def _moment(self, counted: str, step: Any) -> Moment:
        if step is None:
            return Moment(count=self._session.count(counted))
        try:
            return Moment(operator.index(step))
        except TypeError:
            if isinstance(step, float) and step.is_integer():
                return Moment(int(step))
            raise TypeError(f"a step is a whole number, found {step!r}") from None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_session"}

    def __setstate__(self, settings: dict[str, Any]) -> None:
        vars(self).update(settings)
        self._session = Session(self)


def _nothing(rows: Sequence[Row]) -> None:
    pass


def _file_name(name: str) -> str:
    parts = name.split("/")
    if not all(parts) or ".." in parts or "." in parts or "\\" in name:
        raise ValueError(f"{name!r} does not name a file: an artifact's name is like  best.pt  or  weights/best.pt")
    return name
