"""What every tracker can do, as tests."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callsheet import Secret, lazy
from callsheet._running import RECORDING, RUNNING, Recording
from callsheet.track import Backend


@dataclass(frozen=True)
class Noted:
    """What a tracker has written, read back by other means than its own.

    Attributes:
        params: As text, by name.
        scalars: By name, pairs of step and value in the order of the steps.
    """

    params: Mapping[str, str]
    scalars: Mapping[str, list[tuple[int, float]]]


@contextmanager
def tracked_run(
    directory: str | os.PathLike[str], spec: Any, *, attempt: int = 1, state: str = "done"
) -> Iterator[None]:
    """Be in a run, as far as trackers can tell: those made inside belong to it and are ended with it.

    Args:
        directory: Of the run; its name is the run's id.
        spec: What the run's record holds.
        attempt: 2 for a run that goes on.
        state: What the run comes to.
    """
    path = os.path.abspath(directory)
    os.makedirs(path, exist_ok=True)
    recording = Recording(path, spec, "suite")
    running = RUNNING.set({"dir": path, "id": os.path.basename(path), "index": 0, "attempt": attempt})
    recorded = RECORDING.set(recording)
    try:
        yield
    finally:
        RUNNING.reset(running)
        RECORDING.reset(recorded)
        if recording.trackers is not None:
            recording.trackers.end(state)


class TrackerSuite:
    """What every tracker can do: subclass it, say how one is made and how its notes are read, and let pytest run it.

    `pytest.register_assert_rewrite("callsheet.testing")` in a `conftest.py` lets pytest explain what differs.

    Example:
        ``class TestMine(TrackerSuite): ...``
    """

    secret = "sesame-open-7"  # noqa: S105  (what must not turn up anywhere)

    def make(self, directory: Path) -> Backend:
        """A new tracker, which may write below a directory that is there."""
        raise NotImplementedError

    def read(self, tracker: Backend, directory: Path) -> Noted:
        """What trackers made for this directory have written, after their end."""
        raise NotImplementedError

    def everything_below(self, directory: Path) -> bytes:
        """All bytes that were written, to seek in; by default those of all files below the directory."""
        return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())

    def test_describing_it_makes_nothing(self, tmp_path: Path) -> None:
        """Neither does asking for its environment, and leaving it unused."""
        with tracked_run(tmp_path / "run", {}):
            environment = self.make(tmp_path / "run").environment()
        assert all(isinstance(text, str) for pair in environment.items() for text in pair)
        assert [*(tmp_path / "run").iterdir()] == []

    def test_it_can_be_sent_to_another_process(self, tmp_path: Path) -> None:
        """By what it is described with."""
        tracker = self.make(tmp_path)
        assert pickle.loads(pickle.dumps(tracker)).environment() == tracker.environment()  # noqa: S301  (our own)

    def test_what_a_run_notes_is_there_afterwards(self, tmp_path: Path, monkeypatch: Any) -> None:
        """Also after a second attempt, which goes on; and no secret is."""
        monkeypatch.setenv("CALLSHEET_SUITE_SECRET", self.secret)
        run = tmp_path / "run"
        spec = {"lr": 0.5, "net": lazy(dict)(width=8), "key": Secret("env:CALLSHEET_SUITE_SECRET")}
        with tracked_run(run, spec):
            tracker = self.make(run)
            self._note_everything(tracker, run)
        assert tracker.failures == {}
        with tracked_run(run, spec, attempt=2, state="failed"):
            later = self.make(run)
            later.params({"epochs": 3})
            later.scalars({"loss": 0.125}, step=3)
        assert later.failures == {}
        noted = self.read(later, run)
        assert {name: noted.params.get(name) for name in ("lr", "net.width", "epochs")} == {
            "lr": "0.5",
            "net.width": "8",
            "epochs": "3",
        }
        assert noted.scalars["loss"] == [(0, 1.0), (1, 0.5), (2, 0.25), (3, 0.125)]
        assert [step for step, _ in noted.scalars["accuracy"]] == [1]
        assert self.secret.encode() not in self.everything_below(tmp_path)
        recorded = json.loads((run / "trackers.json").read_text())
        assert [entry["failures"] for entry in recorded.values()] == [[]]
        assert all(entry["id"] for entry in recorded.values())

    def _note_everything(self, tracker: Backend, run: Path) -> None:
        kept = run / "weights.bin"
        kept.write_bytes(b"weights")
        tracker.params({"epochs": 3, "key": self.secret})
        for step in range(3):
            tracker.scalars({"loss": 0.5**step}, step=step)
        tracker.scalars({"accuracy": 0.75, "broken": float("nan")}, step=1)
        tracker.text("note", f"the key is {self.secret}", step=1)
        tracker.image("grey", [[0.0, 1.0], [0.5, 0.25]], step=1)
        tracker.image("colour", [[[255, 0, 0], [0, 255, 0]]], step=1)
        tracker.histogram("spread", [1.0, 2.0, 2.0, 3.0, float("inf")], step=1)
        tracker.artifact(kept)
        tracker.artifact(kept, "best/last.bin")
