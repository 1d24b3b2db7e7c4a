"""What a sweep shows at a terminal while it goes on: a table that is drawn anew in its place, by rich."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

from callsheet._terminal import is_terminal
from callsheet.cli._sweeping import Naming
from callsheet.cli._text import number
from callsheet.run._job import Job, Jobs
from callsheet.run._metrics import last_entry
from callsheet.run._store import Run

_PER_SECOND = 4
_ENDED = 4
"""Ended trials that are shown."""

_PACE = 4
"""Trials for each slot after which the pace of all tells more than the time of one."""

_NARROW = 72
"""Columns below which a trial takes two lines."""

_STYLES = {"running": "bold", "done": "green", "elsewhere": "dim"}


def can_live() -> bool:
    """Whether standard output is a terminal on which lines can be drawn anew, and rich is there to do it."""
    return is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb" and find_spec("rich") is not None


class Row(NamedTuple):
    """A trial in the table.

    Attributes:
        name: The texts that make it.
        state: What becomes of it.
        said: How far it is, what it measures, or its result.
        time: How long it has taken, and how long it may still take.
    """

    name: str
    state: str
    said: str
    time: str


class Board:
    """The table of a sweep.

    Args:
        jobs: Those that are sent.
        size: How many there will be; None where nobody knows.
        before: How many were done before.
        slots: How many run at a time; None where whoever they are sent to says.
        naming: What the trials are called.
    """

    def __init__(self, jobs: Jobs, *, size: int | None, before: int, slots: int | None, naming: Naming) -> None:
        from rich.console import Console
        from rich.live import Live

        self._jobs = jobs
        self._size = size
        self._done = self._before = before
        self._slots = slots
        self._naming = naming
        self._failed = self._queued = 0
        self._ended: deque[Row] = deque(maxlen=_ENDED)
        self._begun: dict[int, float] = {}
        self._took = 0.0
        self._start = time.monotonic()
        self._word = ""
        self.best = ""
        self._console = Console(force_terminal=True, highlight=False, markup=False, emoji=False, soft_wrap=False)
        self._live = Live(
            console=self._console,
            get_renderable=lambda: self,
            refresh_per_second=_PER_SECOND,
            vertical_overflow="crop",
        )
        self._live.start(refresh=True)

    def tell(self, job: Job, run: Run | None, line: str) -> None:
        """Tell of a job that has ended.

        Args:
            job: The job.
            run: Its run, where it is done.
            line: What stays to be read of one that has failed.
        """
        if job.was_done:
            return
        took = _seconds(run.status) if run is not None else None
        if run is not None:
            self._done += 1
            self._took += took or 0.0
            results = "  ".join(f"{name} {number(value)}" for name, value in run.result.items())
            self._ended.append(Row(self._naming.apart(job.overrides), "done", f"{run.id}  {results}", _clock(took)))
        elif job.state == "pruned":
            self._done += 1
            self._ended.append(
                Row(self._naming.apart(job.overrides), "pruned", line.rpartition("pruned")[2].strip(": "), "")
            )
        else:
            self._failed += 1
            if self._console.width < _NARROW:
                line = "\n  ".join(re.split(r"\s{2,}", line))
            self.remark(line)

    def remark(self, text: str) -> None:
        """Say something that stays to be read above the table."""
        self._console.print(text, soft_wrap=True)

    def end(self, word: str = "") -> None:
        """Say how it goes on: it is being ended."""
        self._word = word

    def close(self) -> None:
        """Leave the last state to be read."""
        with contextlib.suppress(OSError):  # the terminal may be closed
            self._live.stop()

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        """What rich draws."""
        from rich.text import Text

        width = options.max_width
        for parts in self._lines(width, max(console.size.height - 1, 4)):
            text = Text(no_wrap=True, overflow="ellipsis")
            for part, style in parts:
                text.append(part, style)
            text.truncate(width, overflow="ellipsis")
            yield text

    def _lines(self, width: int, height: int) -> list[list[tuple[str, str]]]:
        """The lines, each as parts with their styles."""
        sent = self._jobs.running()
        jobs = [job for job in sent if job.state != "queued"]
        self._queued = len(sent) - len(jobs)
        self._begun = {job.index: self._begun.get(job.index, time.monotonic()) for job in jobs}
        running = [self._row(job) for job in jobs]
        tall = 2 if width < _NARROW else 1
        ended = list(self._ended)
        summary = self._summary(running, width)
        rows = max((height - 1 - len(summary) - bool(self.best)) // tall, 1)
        shown = running[:rows]
        ended = ended[max(len(ended) - max(rows - len(shown), 0), 0) :]
        names = [row.name for row in (*ended, *shown)]
        lines = [line for row in (*ended, *shown) for line in laid_out(row, width, names)]
        if len(running) > len(shown):
            lines.append([(f"and {len(running) - len(shown)} more that run", "dim")])
        if self.best:
            lines.append([("best  ", "bold"), (self.best, "")])
        return [*lines, *summary]

    def _summary(self, running: Sequence[Row], width: int) -> list[list[tuple[str, str]]]:
        of = "" if self._size is None else f" of {self._size}"
        parts = [(f"{self._jobs.done}{of} done", "bold")]
        if self._failed:
            parts.append((f", {self._failed} failed", "red"))
        if running:
            parts.append((f", {len(running)} running", ""))
        if self._queued:
            parts.append((f", {self._queued} queued", ""))
        if self._word:
            parts.append((f", {self._word}", ""))
        if self._jobs.trouble:
            parts.append((f", {self._jobs.trouble}", "red"))
        spent = _clock(time.monotonic() - self._start) + ("" if self._word else self._left(len(running)))
        return [parts, [(spent, "dim")]] if width < _NARROW else [[*parts, ("   " + spent, "dim")]]

    def _left(self, running: int) -> str:
        """How long all may still take: as the pace is, or where only few are done, as long as these took."""
        own = self._done - self._before
        if self._size is None or not own:
            return ""
        now = time.monotonic()
        left = max(self._size - self._done - self._failed, 0)
        slots = self._slots or max(running, 1)
        if own >= _PACE * slots:
            seconds = (now - self._start) / (own + self._failed) * left
        else:
            mean = self._took / own
            under_way = sum(max(mean - (now - begun), 0.0) for begun in self._begun.values())
            seconds = (max(left - running, 0) * mean + under_way) / slots
        return f", about {_clock(seconds)} left" if seconds >= 1 else ""

    def _row(self, job: Job) -> Row:
        """A job that runs."""
        now = time.monotonic()
        begun, state = self._begun[job.index], job.state
        run = job.run if state == "running" else None
        step, values = last_entry(run.directory) if run is not None else (None, {})
        steps = values.pop("steps", None)
        said = [] if step is None else [f"{step}/{steps:g}" if steps else f"step {step}"]
        said += [f"{name} {number(float(value))}" for name, value in values.items()]
        spent, left = now - begun, None
        if step and steps and steps > step:
            left = spent * (steps - step) / step
        elif self._done > self._before and not steps:
            left = self._took / (self._done - self._before) - spent
        more = f", {_clock(left)} left" if left is not None and left >= 1 else ""
        return Row(self._naming.apart(job.overrides), state, "  ".join(said), _clock(spent) + more)


def laid_out(row: Row, width: int, names: Sequence[str]) -> list[list[tuple[str, str]]]:
    """A trial in the columns that there are, in one line or two.

    Args:
        row: The trial.
        width: Columns.
        names: Those of all trials beside it, which align with it.
    """
    from rich.cells import cell_len, set_cell_size

    head = f"{row.state}  "
    if width < _NARROW:
        room = max(width - 2 - len(head) - len(row.time) - 2, 0)
        said = set_cell_size(_cut(row.said, room), room)
        return [
            [(_cut(row.name, width), "")],
            [("  ", ""), (head, _STYLES.get(row.state, "red")), (said, ""), ("  " + row.time, "dim")],
        ]
    state = f"{row.state:<7}  "
    room = width - 2 - len(state) - 2 - len(row.time)
    widest = min(max(map(cell_len, names)), width // 2, room)
    room -= widest
    name, said = set_cell_size(_cut(row.name, widest), widest), set_cell_size(_cut(row.said, room), room)
    return [[(name + "  ", ""), (state, _STYLES.get(row.state, "red")), (said, ""), ("  " + row.time, "dim")]]


def _cut(text: str, width: int) -> str:
    """A text of at most some columns."""
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)) + "…"


def _clock(seconds: float | None) -> str:
    """Seconds as a clock shows them.

    >>> _clock(7), _clock(192), _clock(7500), _clock(None)
    ('0:07', '3:12', '2:05:00', '')
    """
    if seconds is None:
        return ""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _seconds(status: dict[str, Any]) -> float | None:
    """How long an attempt took, as its status says."""
    try:
        begun, ended = (datetime.datetime.fromisoformat(status[name]) for name in ("started", "ended"))
    except (KeyError, TypeError, ValueError):
        return None
    return max((ended - begun).total_seconds(), 0.0)
