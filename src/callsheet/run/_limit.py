"""A limit of time that a process keeps by itself, also when nobody watches it."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import threading
from collections.abc import Iterator

_GRACE_S = 10.0
"""Seconds between being told to end and being ended."""


@contextlib.contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Tell this process to end when some seconds are over, as SIGTERM does; end it a while later if it does not listen.

    Args:
        seconds: None for no limit.
    """
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM))
    timer.daemon = True
    timer.start()
    faulthandler.dump_traceback_later(seconds + _GRACE_S, exit=True)  # not held up by code that never yields to Python
    try:
        yield
    finally:
        timer.cancel()
        faulthandler.cancel_dump_traceback_later()
