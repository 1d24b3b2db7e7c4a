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
    flush()
    for stream, number, path in ((sys.stdout, 1, out), (sys.stderr, 2, err)):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(handle, number)
        os.close(handle)
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def flush() -> None:
    """Pass on what was printed, whatever a run has made of the streams: they may be closed, or lead to a full disk."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def remark(text: str) -> None:
    """Print a text on standard error, whatever a run has made of that."""
    try:
        print(text, file=sys.stderr, flush=True)
    except Exception:  # noqa: BLE001  (as for `flush`)
        with contextlib.suppress(OSError):
            os.write(2, f"{text}\n".encode("utf-8", "backslashreplace"))


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
    flush()
    errors = _Stream(2, err, 2)
    streams = [errors, _Stream(1, out, shown, aside=errors.shown)]
    told, telling = os.pipe()
    thread = threading.Thread(target=_copy, args=(streams, told), name="callsheet-output", daemon=True)
    thread.start()
    try:
        yield
    finally:
        flush()
        for stream in streams:
            stream.give_back()
        _reopen()
        os.write(telling, b"!")
        thread.join()
        for stream in streams:
            stream.close()
        os.close(told)
        os.close(telling)


def _reopen() -> None:
    """Let be written to again what the run has closed."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(getattr(sys, name), "closed", False):
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115  (as Python's own)


class _Stream:
    """A descriptor of this process whose bytes come to us first.

    Args:
        number: The descriptor.
        path: The file in which they are kept.
        shown: The descriptor to which they go on.
        aside: The descriptor to which goes what is wrong; where they go on by default.
    """

    def __init__(self, number: int, path: Path, shown: int, *, aside: int | None = None) -> None:
        self.number = number
        self.path = path
        self.is_cut = False
        self.before = os.dup(number)
        self.shown = os.dup(shown)
        self.reading, writing = _terminal(self.shown) if os.isatty(self.shown) else os.pipe()
        self.aside = self.shown if aside is None else aside
        self.log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(writing, number)
        os.close(writing)

    def copy(self) -> bool:
        """Pass on what there is; gives whether more may come."""
        try:
            data = os.read(self.reading, 65536)
        except OSError:  # a pseudo-terminal whose other end is closed
            return False
        try:
            _write_all(self.log, data)
        except OSError as error:  # a full disk ends no training
            self._tell_cut(error)
        with contextlib.suppress(OSError):  # whoever read our output may have gone
            _write_all(self.shown, data)
        return bool(data)

    def _tell_cut(self, error: OSError) -> None:
        """Say once that the file has not all that was written."""
        if not self.is_cut:
            self.is_cut = True
            with contextlib.suppress(OSError):
                _write_all(self.aside, f"callsheet: {self.path.name} is cut short: {error.strerror}\n".encode())

    def give_back(self) -> None:
        """Let the descriptor lead where it led before."""
        os.dup2(self.before, self.number)

    def close(self) -> None:
        """Close what was opened."""
        for handle in (self.before, self.shown, self.reading, self.log):
            os.close(handle)


def _copy(streams: list[_Stream], told: int) -> None:
    """Pass on what streams bring until all have ended, or we are told so and no more comes.

    One thread does it for both, errors first, so that lines come out whole and
    in the order in which they were written, as far as that can be known.
    """
    is_told = False
    while streams:
        handles = [stream.reading for stream in streams]
        ready = select.select(handles if is_told else [*handles, told], [], [], _IDLE_S if is_told else None)[0]
        if not ready:  # a child that outlives the run holds the other end open
            return
        ended = [stream for stream in streams if stream.reading in ready and not stream.copy()]
        streams = [stream for stream in streams if stream not in ended]
        is_told = is_told or told in ready


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


_IDLE_S = 0.1
"""Seconds without output after which an ended run is taken to have said all; a pseudo-terminal delivers late."""


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
