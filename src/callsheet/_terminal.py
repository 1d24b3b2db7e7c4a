"""What a terminal shows: its columns, its colours, and faults as they are told there; asked here for all verbs."""

from __future__ import annotations

import codecs
import errno
import os
import sys

from .errors import LIMIT, plain, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .errors import Fault, Paint

_NARROWEST = 40
_WITHOUT = 80
"""Columns where there is no terminal."""
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32"}


def columns(stream: Any = None) -> int:
    """Columns to lay text out in: as `COLUMNS` says, else as the terminal does, else 80.

    Args:
        stream: Where it is printed; standard output by default.
    """
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return max(int(given), _NARROWEST)
    try:
        return max(os.get_terminal_size((stream or sys.stdout).fileno()).columns or _WITHOUT, _NARROWEST)
    except (OSError, ValueError, AttributeError):
        return _WITHOUT


def room(stream: Any = None) -> int:
    """Columns that each line must keep to; 0 where a program reads, for which no line is broken."""
    return columns(stream) if is_terminal(stream or sys.stdout) else 0


def width(text: str) -> int:
    """Columns that a text takes: two for each wide letter, none for a mark on the letter before it.

    >>> width("loss"), width("損失"), width("e\u0301")
    (4, 4, 1)
    """
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # which costs time, and few texts need it

    return sum(
        0 if combining(c) or c in "\u200b\u200d\ufe0f" else 2 if east_asian_width(c) in "WF" else 1 for c in text
    )


def cut(text: str, most: int) -> str:
    """A text that takes so many columns at most; one that is longer ends in `…`.

    >>> cut("a long text", 6), cut("損失関数", 6)
    ('a lon…', '損失…')
    """
    if text.isascii():
        return text if len(text) <= most else text[: most - 1] + "…"
    taken = kept = 0
    for n, c in enumerate(text):
        taken += width(c)
        if taken < most:
            kept = n + 1
        elif taken > most:
            return text[:kept] + "…"
    return text


def is_coloured(stream: Any = None) -> bool:
    """Whether a stream shows colours: a terminal that knows them, or as `FORCE_COLOR` says; never with `NO_COLOR`."""
    if os.environ.get("NO_COLOR"):
        return False
    forced = os.environ.get("FORCE_COLOR", "")
    if forced:
        return forced != "0"
    return is_terminal(stream or sys.stdout) and os.environ.get("TERM") != "dumb"


def painter(stream: Any = None) -> Paint:
    """A function that gives text a style (`bold`, `dim`, `red`, `green`) where a stream shows it."""
    return painted if is_coloured(stream) else plain


def painted(text: str, style: str) -> str:
    r"""Text in a style.

    >>> painted("a", "bold")
    '\x1b[1ma\x1b[0m'
    """
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if text else text


def announce(faults: Sequence[Fault], *, name: str, outcome: str = "", more: str = "") -> None:
    """Tell faults on standard error; a single one that is of no place is a sentence.

    Args:
        faults: What is wrong.
        name: The program that tells it.
        outcome: What was not done because of them: `nothing was built`.
        more: What follows the number of those that are too many to be shown.
    """
    if len(faults) == 1 and not faults[0].path and not faults[0].origin:
        remark(faults[0], name=name)
        return
    paint = painter(sys.stderr)
    count = paint(f"{len(faults)} fault{'' if len(faults) == 1 else 's'}", "red")
    shown = render(faults, indent="  ", width=room(sys.stderr), paint=paint)
    tell_error(f"{name}: {count}{outcome and ', '}{outcome}\n{shown}{more if len(faults) > LIMIT else ''}")


def remark(said: Fault, *, name: str) -> None:
    """Tell one thing that is of no place on standard error: a sentence behind the name of the program."""
    tell_error(render([said], head=f"{name}: ", width=room(sys.stderr), paint=painter(sys.stderr)))


def say(text: str, *, end: str = "\n") -> None:
    """Print a text on standard output at once, so that whoever has stopped listening is noticed here.

    Args:
        text: What to print; letters that the output does not have are written all the same.
        end: What follows it.

    Raises:
        BrokenPipeError: Nobody reads it any more.
    """
    try:
        print(text, end=end, flush=True)
    except UnicodeEncodeError as error:
        own = codecs.lookup(error.encoding).name
        sys.stdout.buffer.write((text + end).encode("utf-8" if own == "ascii" else own, "backslashreplace"))
        sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.EIO:  # what a terminal gives that was closed
            raise
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None


def tell_error(text: str) -> None:
    """Print on standard error, whether or not somebody still reads it."""
    if sys.stderr is None:  # it was closed (`2>&-`), and print would take standard output instead
        return
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:  # the reader or the terminal is gone
        hush(sys.stderr)


def hush(stream: Any = None) -> None:
    """Let what is still to be written vanish: its reader has gone, and Python would complain of that at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())


def is_terminal(stream: Any) -> bool:
    """Whether a stream leads to a terminal."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False
