"""Standard output and error of a run, kept in files as they come."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections.abc import Iterator
from pathlib import Path


def redirect(out: Path, err: Path) -> None:
    """Send this process's output and errors to files, also what its libraries and children write."""
    for stream, number, path in ((sys.stdout, 1, out), (sys.stderr, 2, err)):
        stream.flush()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(handle, number)
        os.close(handle)
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]


@contextlib.contextmanager
def tee(out: Path, err: Path, *, shown: int = 1) -> Iterator[None]:
    """Copy this process's output and errors to files while they go on to where they went.

    A program that asks still finds itself at a terminal, so that progress bars
    are drawn as without it.

    Args:
        out: The file for the output.
        err: The file for the errors.
        shown: The descriptor to which the output goes on: 1, or 2 for where errors go.
    """
    streams = [_Tee(1, out, shown), _Tee(2, err, 2)]
    sys.stdout.flush()
    try:
        for stream in streams:
            stream.start()
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream in streams:
            stream.stop()


_IDLE_S = 0.1
"""Seconds without output after which a run that has ended is taken to have said all; a pseudo-terminal delivers late."""


class _Tee:
    def __init__(self, number: int, path: Path, shown: int) -> None:
        self.number = number
        self.shown = shown
        self.path = path

    def start(self) -> None:
        self.before = os.dup(self.number)
        self.kept = os.dup(self.shown)
        reading, writing = _terminal(self.kept) if os.isatty(self.kept) else os.pipe()
        self.reading = reading
        self.told, self.telling = os.pipe()
        self.log = open(self.path, "ab", buffering=0)  # noqa: SIM115  (closed by the thread)
        os.dup2(writing, self.number)
        os.close(writing)
        self.thread = threading.Thread(target=self._copy, name="callsheet-output", daemon=True)
        self.thread.start()

    def _copy(self) -> None:
        with self.log:
            told = False
            while True:
                ready = select.select([self.reading, self.told][: 1 if told else 2], [], [], _IDLE_S if told else None)[0]
                if not ready:  # a child that outlives the run holds the other end open
                    break
                if self.reading not in ready:
                    told = True
                    continue
                try:
                    data = os.read(self.reading, 65536)
                except OSError:  # a pseudo-terminal whose other end is closed
                    break
                if not data:
                    break
                self.log.write(data)
                with contextlib.suppress(OSError):  # whoever read our output may have gone
                    while data:
                        data = data[os.write(self.kept, data) :]

    def stop(self) -> None:
        os.dup2(self.before, self.number)
        os.write(self.telling, b"!")
        self.thread.join()
        for handle in (self.before, self.kept, self.reading, self.told, self.telling):
            os.close(handle)


def _terminal(like: int) -> tuple[int, int]:
    """A pseudo-terminal of the size of a real one, which passes bytes on as they are."""
    import fcntl
    import pty
    import termios

    reading, writing = pty.openpty()
    modes = termios.tcgetattr(writing)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(writing, termios.TCSANOW, modes)
    with contextlib.suppress(OSError):
        fcntl.ioctl(writing, termios.TIOCSWINSZ, fcntl.ioctl(like, termios.TIOCGWINSZ, b"\0" * 8))
    return reading, writing
