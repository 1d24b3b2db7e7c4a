"""The processes of a session: who they are, what memory they hold, and signals for all of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

from callsheet.errors import Fault, RunError

_PAGE = os.sysconf("SC_PAGE_SIZE")
_HAS_PROC = os.path.exists("/proc/self/stat")


def send_signal(session: int, number: int) -> bool:
    """Send a signal to all processes of a session, also to those that have left its process group.

    Args:
        session: The process that began it, which may be gone.
        number: The signal; 0 asks only.

    Returns:
        Whether there are any.
    """
    found = _signal_group(session, number)
    for pid, group, _ in _members(session) if _HAS_PROC else ():
        if group != session:
            try:
                os.kill(pid, number)
                found = True
            except (ProcessLookupError, PermissionError):
                continue
    return found


def _signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of the dead
        return False
    return True


def end_session(session: int) -> None:
    """End all processes of a session, at once."""
    send_signal(session, signal.SIGKILL)


def has_members(session: int) -> bool:
    """Whether any process of a session runs; the dead whom nobody has asked about do not, on Linux."""
    return any(_members(session)) if _HAS_PROC else _signal_group(session, 0)


def memory_of(session: int, *, above: int) -> int:
    """The memory of all processes of a session together, in bytes.

    Args:
        session: The process that began it.
        above: Up to this many bytes the sum may count twice what processes share; beyond, that is counted once where
            the system says so (Linux).

    Raises:
        RunError: The system does not tell without psutil, which is missing.
    """
    if not _HAS_PROC:
        return _memory_by_psutil(session)
    members = list(_members(session))
    resident = sum(pages for *_, pages in members) * _PAGE
    if resident <= above:
        return resident
    return sum(_proportional(pid, pages * _PAGE) for pid, _, pages in members)


def _members(session: int) -> Iterator[tuple[int, int, int]]:
    """The processes of a session: each with its process group and its resident pages."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue  # it has ended
            if int(fields[3]) == session and fields[0] != b"Z":
                yield int(name), int(fields[2]), int(fields[21])


def _proportional(pid: int, resident: int) -> int:
    """The memory of a process, of what is shared its part."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resident


def _memory_by_psutil(session: int) -> int:
    try:
        import psutil  # type: ignore[import-untyped]
    except ImportError:
        problem = "a limit of memory needs psutil on this system"
        raise RunError(Fault("", problem, advice=["pip install 'callsheet[limits]'"])) from None
    total = 0
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session:
                total += process.memory_info().rss
        except (OSError, psutil.Error):
            continue
    return total
