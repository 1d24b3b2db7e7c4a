"""A command as a child process of the run: its folder, its environment, its end, and the result that it leaves."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from callsheet._storage import read_json_file
from callsheet.errors import Fault, RunError
from callsheet.run._command import Commanded, commanded, given_by, variables_of
from callsheet.run._metrics import FILE, last_line

_PASSED = (signal.SIGUSR1, signal.SIGUSR2)
"""What schedulers send as a warning, before they end a job."""

_GRACE_S = 3.0
"""Seconds between asking a command to end and ending it; an executor gives its worker a little more."""


def heed(number: int, frame: Any) -> None:
    """What a worker does on a warning that nobody handles: it goes on."""


def heed_warnings() -> None:
    """Let warnings, SIGUSR1 and SIGUSR2, not end this process; a training handles them, a command gets them."""
    for number in _PASSED:
        signal.signal(number, heed)


class CommandError(RunError):
    """A command could not be started, or ended with an exit code that says that it failed.

    `code` is that exit code, 128 and more after a signal; 1 where there is none.
    """

    code = 1


def run_command(
    found: Commanded, running: Mapping[str, Any], *, project: Path, experiment: str, in_worker: bool = False
) -> dict[str, Any]:
    """Run a command to its end; what it prints goes where the run's own output goes.

    It starts in the working folder of the storage, else in the project's root. Its environment is this process's,
    then what its trackers and `env` say, then `CALLSHEET_RUN_DIR`, `CALLSHEET_RUN_ID`, `CALLSHEET_RUN_INDEX`,
    `CALLSHEET_RUN_ATTEMPT`, `CALLSHEET_EXPERIMENT`, `CALLSHEET_DATA_DIR` and `CALLSHEET_OUTPUT_DIR`. Within a virtual
    environment, `python` is that environment's. Where this process is told to stop, the command and all that it
    has started are told so too, and ended after three seconds. What warns a worker, SIGUSR1 or SIGUSR2, warns the
    command.

    Args:
        found: The command.
        running: The run's `dir`, `id`, `index` and `attempt`.
        project: The project's root.
        experiment: The name of the experiment.
        in_worker: Whether this process is a worker, whose process group an executor ends as a whole.

    Returns:
        The result: the last line of the run's `metrics.jsonl`, without step and time.

    Raises:
        CommandError: It cannot be started, or ended with another exit code than 0.
        SpecError: Its template or its environment is faulty.
    """
    directory = Path(str(running["dir"]))
    given = given_by(found, running, read_json_file(directory / "run.json"), project)
    words = found.words(given)
    environment = _environment(found, given, experiment, project)
    Path(given["run.output_dir"]).mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    code = _Child(words, given["run.working_dir"], environment, in_worker=in_worker).wait()
    if code:
        error = CommandError(Fault("", _ended(code), advice=[shlex.join(words)]))
        error.code = code if code > 0 else 128 - code
        raise error
    return last_line(directory / FILE)


def run_entry(
    root: Any, entry: str, running: Mapping[str, Any], *, project: Path, experiment: str, in_worker: bool
) -> dict[str, Any] | None:
    """Run the command of an entry of a resolved spec; None where the entry is no command but something to build."""
    found = commanded(root, entry)
    if found is None:
        return None
    return run_command(found, running, project=project, experiment=experiment, in_worker=in_worker)


def _ended(code: int) -> str:
    if code > 0:
        return f"the command ended with exit code {code}"
    try:
        return f"the command was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"the command was ended by signal {-code}"


def _environment(found: Commanded, given: Mapping[str, Any], experiment: str, project: Path) -> dict[str, str]:
    variables = {**os.environ, **variables_of(found, experiment, project)}
    for name in ("dir", "id", "index", "attempt"):
        variables[f"CALLSHEET_RUN_{name.upper()}"] = str(given[f"run.{name}"])
    variables["CALLSHEET_DATA_DIR"], variables["CALLSHEET_OUTPUT_DIR"] = given["run.data_dir"], given["run.output_dir"]
    variables["CALLSHEET_EXPERIMENT"] = experiment
    if sys.prefix != sys.base_prefix:
        variables["PATH"] = os.pathsep.join(filter(None, (os.path.dirname(sys.executable), variables.get("PATH"))))
    return variables


class _Child:
    """A child process and all that it starts.

    In a worker that leads a process group the child stays in that, so that whoever ends the group ends the child too.
    Elsewhere it gets a group of its own: the one of this process is a shell's. It inherits the locks of the run: where
    this process is killed, the run is not taken up by another before the child has ended.
    """

    def __init__(self, words: list[str], folder: str, environment: Mapping[str, str], *, in_worker: bool) -> None:
        self._own_group = not (in_worker and os.getpgrp() == os.getpid())
        program = words[0]
        try:
            self._process = subprocess.Popen(
                [_found(program, environment), *words[1:]],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                close_fds=False,
                process_group=0 if self._own_group else None,
            )
        except OSError as error:
            missing = error.filename if isinstance(error, FileNotFoundError) else program
            problem = f"the command cannot be started: {error.strerror}: {missing}"
            raise CommandError(Fault("", problem, advice=[shlex.join(words), f"in {folder}"])) from None

    def wait(self) -> int:
        """Its exit code; where this process is interrupted or told to stop, it is ended first."""
        warned = [number for number in _PASSED if signal.getsignal(number) is heed]
        for number in warned:
            signal.signal(number, self._pass_on)
        try:
            return self._process.wait()
        except BaseException:
            self._end()
            raise
        finally:
            for number in warned:
                signal.signal(number, heed)

    def _pass_on(self, number: int, frame: Any) -> None:
        self._process.send_signal(number)

    def _end(self) -> None:
        group = self._process.pid if self._own_group else os.getpgrp()
        before = None if self._own_group else signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            _send(group, signal.SIGTERM)
            latest = time.monotonic() + _GRACE_S
            while self._process.poll() is None and time.monotonic() < latest:
                time.sleep(0.02)
            if self._own_group:
                _send(group, signal.SIGKILL)
            elif self._process.poll() is None:
                self._process.kill()  # its own children are ended by whoever told this worker to stop
            self._process.wait()
        finally:
            if before is not None:
                signal.signal(signal.SIGTERM, before)


def _found(program: str, environment: Mapping[str, str]) -> str:
    """The program as the command's own PATH has it."""
    import shutil

    return program if os.sep in program else shutil.which(program, path=environment.get("PATH")) or program


def _send(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of the dead
        pass
