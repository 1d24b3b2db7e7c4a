"""The first process of a container: it starts the worker as a child, and is to it what a system's own first one is."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any

_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def beside_first(main: Callable[[], int]) -> int:
    """Do something in a child of this process, which is the first of its container.

    The first process is sent no signal that it does not handle, from inside not even SIGKILL, and inherits all whose
    parents are gone. So it only passes signals on and waits; when it ends, all others in the container do.

    Args:
        main: What the child does; gives its exit code.

    Returns:
        In the child its exit code. In this process the same, or 128 more than the signal that ended the child.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        return main()

    def pass_on(number: int, frame: Any) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in _PASSED_ON:
        signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
