"""What a command does while jobs run: what they write is copied, trouble is told, a request to end is Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from callsheet._terminal import remark
from callsheet.errors import Fault
from callsheet.run._job import Jobs

LOOK_S = 0.2
"""Seconds between two looks at what a run writes."""

_TROUBLE_S = 2.0
"""Seconds between two looks at what holds jobs up."""


def copy_logs(paths: list[Path], more_may_come: Callable[[], bool], *, is_aside: bool = False) -> None:
    """Print files, what went to standard error there; as more comes, as long as it can come.

    Args:
        paths: The files.
        more_may_come: Asked before each look.
        is_aside: Whether all goes to standard error, since standard output is a program's to read.
    """
    at = dict.fromkeys(paths, 0)
    while True:
        is_last = not more_may_come()
        for path in paths:
            to = sys.stderr if is_aside or (len(paths) > 1 and path.name == "err.log") else sys.stdout
            at[path] = _copy(path, at[path], to.buffer)
        if is_last:
            return
        time.sleep(LOOK_S)


def _copy(path: Path, start: int, to: BinaryIO) -> int:
    try:
        with open(path, "rb") as file:
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return start
    to.write(data)
    to.flush()
    return start + len(data)


@contextmanager
def trouble_told(jobs: Jobs) -> Iterator[None]:
    """Tell meanwhile what holds the jobs up, each time that it changes."""
    ended = threading.Event()

    def watch() -> None:
        told = ""
        while not ended.wait(_TROUBLE_S):
            now = jobs.trouble or (jobs.waits_for and f"queued: {jobs.waits_for}")
            if now and now != told:
                remark(Fault("", now), name="callsheet")
            told = now or told

    threading.Thread(target=watch, name="callsheet-trouble", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


@contextmanager
def terminated_as_interrupted() -> Iterator[list[int]]:
    """Let a request to end be met as Ctrl-C is, so that no trial outlives the command; gives what came.

    The end of the terminal is one, except under `nohup`.
    """
    received: list[int] = []

    def interrupt(number: int, frame: Any) -> None:
        received.append(number)
        if number == signal.SIGHUP:  # of a terminal that is closed, a shell and the system both tell
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    caught = [number for number in before if number == signal.SIGTERM or before[number] is not signal.SIG_IGN]
    for number in caught:
        signal.signal(number, interrupt)
    try:
        yield received
    finally:
        for number in caught:
            if number not in received or number == signal.SIGTERM:
                signal.signal(number, before[number])
