"""Starts a daemon, waits until it answers, writes down its process, and ends it by that."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from _place import EngineError, Place

TAIL = 30  # lines of a log that a failure shows


@dataclass(frozen=True)
class Daemon:
    """A process that an engine consists of.

    Attributes:
        name: What it is called in the command, in its log's name and in its pid file's.
        command: What runs it in the foreground.
        ready: Whether it answers.
        env: What its environment has beyond the caller's.
        clear: Removes what one that was killed has left, before it starts.
        patience: Seconds that it may take to answer, and to end.
    """

    name: str
    command: tuple[str | Path, ...]
    ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)
    clear: Callable[[], None] = lambda: None
    patience: float = 60


def answers(*command: str | Path, env: Mapping[str, str] | None = None, says: str = "") -> bool:
    """Whether a command succeeds, and has some words in what it prints."""
    ended = subprocess.run(command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False)
    return ended.returncode == 0 and says in ended.stdout


def start(daemon: Daemon, place: Place) -> None:
    """Start a daemon, unless it runs, and wait until it answers.

    Raises:
        EngineError: It has ended, or does not answer in time; it is not left running.
    """
    if running(place, daemon.name):
        return
    daemon.clear()
    log = place.path("log", f"{daemon.name}.log")
    with log.open("ab") as output:
        process = subprocess.Popen(
            daemon.command,
            env={**os.environ, **daemon.env},
            cwd=place.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    place.path("run", f"{daemon.name}.pid").write_text(f"{process.pid} {born(process.pid)}\n")
    before = time.monotonic()
    while not daemon.ready():
        ended, took = process.poll(), time.monotonic() - before
        if ended is not None or took > daemon.patience:
            stop(place, daemon.name)
            why = f"does not answer after {daemon.patience:g} s" if ended is None else f"has ended with {ended}"
            raise EngineError(f"{daemon.name} {why}\n{tail(log)}")
        time.sleep(min(0.5, 0.05 + took / 20))


def stop(place: Place, name: str, *, patience: float = 30, by: int = signal.SIGTERM) -> None:
    """End a daemon by its process, and wait until it is gone; one that takes too long is killed, as is what it left."""
    pid, since = _noted(place, name)
    if since and born(pid) == since:
        end(pid, patience=patience, by=by)
    for left in _session(pid):
        end(left, by=signal.SIGKILL)
    for own in ("", "own-"):  # where one that was killed leaves its own file, dockerd will not start again
        place.path("run", f"{own}{name}.pid").unlink(missing_ok=True)


def end(pid: int, *, patience: float = 30, by: int = signal.SIGTERM) -> None:
    """End a process and wait until it is gone; after a while it is killed."""
    since, before = born(pid), time.monotonic()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, by)
        while since and born(pid) == since:
            if time.monotonic() - before > patience:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)


def running(place: Place, name: str) -> int:
    """The process of a daemon, 0 if it does not run."""
    pid, since = _noted(place, name)
    return pid if since and born(pid) == since else 0


def _noted(place: Place, name: str) -> tuple[int, str]:
    """The process that was started for a daemon, and when: (0, '') if none was since the machine has started."""
    path = place.folder / "run" / f"{name}.pid"
    up = float(Path("/proc/uptime").read_text().split()[0])
    if not path.exists() or path.stat().st_mtime < time.time() - up:
        return 0, ""
    pid, _, since = path.read_text().strip().partition(" ")
    return int(pid), since


def born(pid: int) -> str:
    """When a process was started, which tells it from a later one of that number; '' if it is dead."""
    stat = _stat(pid)
    return "" if not stat or stat[0] in "ZX" else stat[19]


def _session(leader: int) -> list[int]:
    """The processes of a daemon's session, in which its own children are, and jobs are not."""
    processes = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [process for process in processes if leader and _stat(process)[3:4] == [str(leader)]]


def _stat(pid: int) -> list[str]:
    """What the kernel tells of a process, from its state on; nothing if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def tail(log: Path) -> str:
    """The end of a log, under its name."""
    lines = log.read_text(errors="replace").splitlines()[-TAIL:] if log.exists() else ["(not written)"]
    return "\n".join([f"the end of {log}:", *(f"  {line}" for line in lines)])
