"""The life of one tracker: bound to a run, started at its first use, ended with the run or with the process."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol

from callsheet._hidden import masked, secrets_of
from callsheet._running import RECORDING, RUNNING
from callsheet.track._account import Account, Record, say
from callsheet.track._entries import Row
from callsheet.track._params import params_of
from callsheet.track._sender import Entry, Sender
from callsheet.track._tracker import TrackedRun


class Place(Protocol):
    """What a session needs of the tracker whose life it leads."""

    is_queued: ClassVar[bool]
    wait_s: float

    def on_start(self, run: TrackedRun) -> tuple[str, str]: ...
    def on_params(self, values: Mapping[str, Any]) -> None: ...
    def on_end(self, state: str) -> None: ...
    def reach(self) -> None: ...


class Session:
    """The life of one tracker.

    Args:
        place: The tracker.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.account = Account(type(place).__name__.lower(), self.masked)
        self._stage: Literal["new", "begun", "ended"] = "new"
        self._is_open = False
        self._off: BaseException | None = None
        self._process = os.getpid()
        self._counts: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._sender: Sender | None = None
        self._record: Record | None = None
        self._spec: Any = None
        self._secrets: list[str] | None = None
        self._running: Mapping[str, Any] = {}
        self._bind()

    def _bind(self) -> None:
        """Belong to the run that is being recorded, if there is one."""
        recording = RECORDING.get() if self._record is None and self._stage == "new" else None
        if recording is None:
            return
        self._running = {**(RUNNING.get() or {}), "experiment": recording.experiment}
        self._spec = recording.spec
        record: Record = recording.trackers or Record(recording.directory)
        self._record = recording.trackers = record
        record.add(self.account, self.end)

    # --- entries ------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def guarded(self, what: str) -> Iterator[None]:
        """Count and tell what fails inside, whatever it is."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  (a failing tracker never ends a training)
            self.account.fail(what, error)

    def count(self, counted: str) -> int:
        """How often this was asked of a kind and name before."""
        with self._lock:
            self._counts[counted] += 1
            return self._counts[counted] - 1

    def masked(self, value: Any) -> Any:
        """A value without any of the secrets of the run's spec."""
        self._bind()
        if self._secrets is None and self._spec is not None:
            self._secrets = secrets_of(self._spec)
        return masked(value, self._secrets) if self._secrets else value

    def note(
        self,
        what: str,
        action: Callable[[Sequence[Row]], None],
        rows: Sequence[Row] = (),
        *,
        size: int = 0,
        wait: bool = False,
    ) -> None:
        """Pass an entry on, after what comes before it.

        Args:
            what: Its kind.
            action: What writes it; is given the rows, and more of them where several wait.
            rows: The metrics, if it is that.
            size: The bytes of a text or image that it holds.
            wait: Whether to come back only when it is written, or cannot be.
        """
        if self._process != os.getpid():
            self.account.fail(what, "noted in a forked process: a tracker serves the process that made it")
            return
        with self._lock:
            if self._stage == "ended":
                self.account.fail(what, "noted after the end")
                return
            if self._stage == "new":
                self._begin()
            entry = Entry(what, self._opened(what, action), [*rows], size)
            if self._sender is None:
                self._do(entry)
                return
            self._sender.put(entry)
        if wait:
            self._sender.wait_for(entry, self.place.wait_s)

    def _do(self, entry: Entry) -> None:
        with self.guarded(entry.what):
            entry.action(entry.rows)

    def _begin(self) -> None:
        self._bind()
        self._stage = "begun"
        self.account.is_used = True
        if self._record is None:
            atexit.register(self._end_with_process)
        if self.place.is_queued:
            name = f"callsheet-{self.account.name}"
            self._sender = Sender(self.place.reach, self._fail, name)
        params = self._params()
        if params:
            entry = Entry("params", self._opened("params", lambda _: self.place.on_params(params)))
            if self._sender is None:
                self._do(entry)
            else:
                self._sender.put(entry)

    def _params(self) -> dict[str, Any]:
        return {} if self._spec is None else {name: self.masked(value) for name, value in params_of(self._spec).items()}

    def _fail(self, what: str, error: BaseException | str, count: int, quietly: bool) -> None:
        self.account.fail(what, error, count=count, quietly=quietly)

    # --- the beginning ------------------------------------------------------------------------------------------------

    def _opened(self, what: str, action: Callable[[Sequence[Row]], None]) -> Callable[[Sequence[Row]], None]:
        def act(rows: Sequence[Row]) -> None:
            if not self._is_open and self._off is None:
                self._open()
            if self._off is None:
                action(rows)
            elif what != "start":
                self.account.fail(what, self._off, count=max(1, len(rows)), quietly=True)

        return act

    def _open(self) -> None:
        """Begin the run in the tracker; what fails while the far side is there fails for good."""
        self.place.reach()
        try:
            self.account.id, self.account.url = self.place.on_start(self.run())
        except Exception as error:
            if self.place.is_queued:
                self.place.reach()  # where it is away meanwhile, there will be another try
            if self._sender is not None and self._sender.has_given_up:
                raise
            self._off = error
            self.account.fail("start", error)
        else:
            self._is_open = True
        if self._record is not None:
            self._record.write()

    def run(self) -> TrackedRun:
        """The run that is tracked."""
        run = self._running
        if self._record is None:
            return TrackedRun()
        before = self._record.before.get(self.account.name)
        return TrackedRun(
            id=str(run["id"]),
            experiment=str(run["experiment"]),
            directory=str(run["dir"]),
            index=int(run["index"]),
            attempt=int(run["attempt"]),
            before=str(before.get("id", "")) if isinstance(before, dict) and int(run["attempt"]) > 1 else "",
        )

    # --- the end ------------------------------------------------------------------------------------------------------

    def end(self, state: str) -> None:
        """Pass on what waits, and close; a second time does nothing."""
        if self._process != os.getpid():
            return
        with self._lock:
            begun, self._stage = self._stage == "begun", "ended"
        if not begun:
            return
        atexit.unregister(self._end_with_process)
        entry = Entry("end", self._closing(state))
        if self._sender is None:
            self._do(entry)
        else:
            self._sender.end(self.place.wait_s, entry)
        if self._record is None and self.account.failures:
            say(f"tracker {self.account.name} failed: {self.account.summary()}")

    def _closing(self, state: str) -> Callable[[Sequence[Row]], None]:
        def close(rows: Sequence[Row]) -> None:
            if not self._is_open and self._off is None:
                self._open()
            if self._is_open:
                self.place.on_end(state)

        return close

    def _end_with_process(self) -> None:
        self.end("failed" if getattr(sys, "last_value", None) is not None else "done")
