"""Several trackers at once, each with a name: all are told, or one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from callsheet.errors import ArgumentError, Fault, nearest
from callsheet.track._backend import Backend
from callsheet.track._tracker import Tracker


class Trackers(Tracker):
    """Several trackers, told alike: `log.scalars(...)` tells all, `log.mlflow.scalars(...)` the one of that name.

    `log["mlflow"]` is the same tracker; iteration gives the names. Where one fails, the others go on.

    Args:
        trackers: By name; None is a tracker that is switched off.

    Raises:
        ArgumentError: One of them is no tracker, or its name is one of the methods here.

    >>> from callsheet.track import JSONL
    >>> log = Trackers(here=JSONL("/tmp/run"), there=None)
    >>> list(log), log.here is log["here"]
    (['here'], True)
    """

    def __init__(self, **trackers: Tracker | None) -> None:
        faults = [*filter(None, (_fault(name, tracker) for name, tracker in trackers.items()))]
        if faults:
            raise ArgumentError(*faults)
        self._named: dict[str, Tracker] = {name: t for name, t in trackers.items() if t is not None}
        for name, tracker in self._named.items():
            if isinstance(tracker, Backend):
                tracker.call_it(name)

    def __getitem__(self, name: str) -> Tracker:
        try:
            return self._named[name]
        except KeyError:
            raise KeyError(self._unknown(name)) from None

    def __getattr__(self, name: str) -> Tracker:
        named: Mapping[str, Tracker] = self.__dict__.get("_named", {})
        if name in named:
            return named[name]
        raise AttributeError(self._unknown(name) if named and not name.startswith("_") else name)

    def _unknown(self, name: str) -> str:
        near = nearest(name, self._named)
        return f"there is no tracker {name!r}" + (
            f"; did you mean {near[0]!r}?" if near else f" among {', '.join(self._named)}"
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def params(self, values: Mapping[str, Any]) -> None:
        for tracker in self._named.values():
            tracker.params(values)

    def scalars(self, values: Mapping[str, Any], step: int | None = None) -> None:
        for tracker in self._named.values():
            tracker.scalars(values, step)

    def text(self, name: str, text: str, step: int | None = None) -> None:
        for tracker in self._named.values():
            tracker.text(name, text, step)

    def image(self, name: str, image: Any, step: int | None = None) -> None:
        for tracker in self._named.values():
            tracker.image(name, image, step)

    def histogram(self, name: str, values: Any, step: int | None = None) -> None:
        for tracker in self._named.values():
            tracker.histogram(name, values, step)

    def artifact(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        for tracker in self._named.values():
            tracker.artifact(path, name)

    def start(self) -> None:
        for tracker in self._named.values():
            tracker.start()

    def end(self, state: str = "done") -> None:
        for tracker in self._named.values():
            tracker.end(state)

    def environment(self) -> dict[str, str]:
        return _merged(tracker.environment() for tracker in self._named.values())

    def hand_over(self) -> dict[str, str]:
        return _merged(tracker.hand_over() for tracker in self._named.values())


def _merged(settings: Iterable[dict[str, str]]) -> dict[str, str]:
    return {name: value for some in settings for name, value in some.items()}


def _fault(name: str, tracker: object) -> Fault | None:
    if name.startswith("_") or hasattr(Trackers, name):
        return Fault(name, "is what Trackers itself has by this name", advice=["give the tracker another one"])
    if tracker is None or isinstance(tracker, Tracker):
        return None
    advice = ["a tracker is  JSONL(…), MLflow(…), TensorBoard(…), WandB(…), ClearML(…), or a Backend of your own"]
    return Fault(name, f"must be a tracker, found {type(tracker).__name__}", advice=advice)
