"""What `run` and `rerun` share where they have no `--on`: a task is run in this process, recorded and told of."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from callsheet._hidden import masked, secrets_of
from callsheet._storage import unwritable
from callsheet._terminal import say, tell_error
from callsheet.cli._faults import faults_in
from callsheet.cli._text import print_json
from callsheet.errors import RunError
from callsheet.run._capture import tee
from callsheet.run._execute import Task, execute, heed_end
from callsheet.run._store import ELSEWHERE, Store

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_here(task: Task, store: Store, *, as_json: bool) -> NoReturn:
    """Run a task as a new run, and end this process with its exit code; SIGTERM and SIGHUP end it as cancelled.

    Args:
        task: What is run.
        store: Where its run belongs.
        as_json: Whether standard output is a program's to read.

    Raises:
        RunError: The run cannot be recorded.
    """
    directory = store.new_run()
    where = os.path.relpath(directory)  # before it runs: it may go elsewhere
    heard = [
        each for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) != signal.SIG_IGN
    ]
    heed_end()
    shown = 2 if as_json else 1
    try:
        outcome = execute(task, directory, tee(directory / "out.log", directory / "err.log", shown=shown))
    except OSError as error:
        raise RunError(unwritable(f"the record of run {where}", error, ELSEWHERE)) from error
    if as_json:
        report = {"run": directory.name, "directory": str(directory), "state": outcome.state, "result": outcome.result}
        faults = [fault.as_data() for fault in faults_in(outcome.error)]
        print_json({**report, "faults": masked(faults, secrets_of(task.spec) if faults else [])})
    else:
        done = outcome.state == "done"
        (say if done else tell_error)(f"{'recorded' if done else outcome.state:<10}  {where}")
    for each in heard:  # all is written down: what threads and exit handlers still do may be ended
        signal.signal(each, signal.SIG_DFL)
    sys.exit(outcome.code)
