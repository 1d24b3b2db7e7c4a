"""Signs of life of a run, for machines to which its lock says nothing."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_BEAT_S = 10.0
"""Seconds between two signs."""

_STALE_S = 60.0
"""Seconds without one after which a run elsewhere is taken for lost."""

_FILE = "beat"


@contextlib.contextmanager
def beating(directory: Path) -> Iterator[None]:
    """Give a sign of life every few seconds: the time at which a file of the run was touched."""
    stopping = threading.Event()

    def beat() -> None:
        while True:
            with contextlib.suppress(OSError):  # a full disk is no reason to end a training
                (directory / _FILE).touch()
            if stopping.wait(_BEAT_S):
                return

    thread = threading.Thread(target=beat, name="callsheet-beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        (directory / _FILE).unlink(missing_ok=True)


def beats(directory: Path, status: Mapping[str, Any]) -> bool:
    """Whether a run on another machine has given a sign of life lately; of this machine's the locks tell."""
    if status.get("boot") in (None, "", boot()):
        return False
    try:
        return time.time() - (directory / _FILE).stat().st_mtime < _STALE_S
    except OSError:
        return False


def wait_for_silence(directory: Path, status: Mapping[str, Any]) -> bool:
    """Wait until a run on another machine is known to be lost; gives whether it is, and not alive."""
    if not beats(directory, status):
        return True
    first = _last(directory)
    latest = time.monotonic() + _STALE_S
    while time.monotonic() < latest:
        time.sleep(1.0)
        if _last(directory) != first:
            return False
    return True


def _last(directory: Path) -> float:
    try:
        return (directory / _FILE).stat().st_mtime
    except OSError:
        return 0.0


def boot() -> str:
    """What tells this machine, since it was started, from all others; containers on it are the same machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return os.uname().nodename if hasattr(os, "uname") else ""
