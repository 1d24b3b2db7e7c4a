"""The far side of a job: `python -m callsheet.run.worker PLAN INDEX DIGEST` runs one trial of a plan."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

from callsheet.errors import CallsheetError
from callsheet.run._capture import redirect
from callsheet.run._execute import Task, execute, terminate
from callsheet.run._job import MISUSE, TAKEN
from callsheet.run._plan import Header, Plan, PlannedTrial
from callsheet.run._provenance import Code, code_of
from callsheet.run._store import Run, Store, take_lock, version_of


def main(argv: list[str], *, code: Code | None = None) -> int:
    """Run one trial.

    Args:
        argv: The plan's file, the trial's index, and the digest of what was submitted.
        code: The code of the project, where that has just been read.

    Returns:
        The exit code: 0 done, also where another worker did it meanwhile; 1 failed;
        2 it could not be read; 75 where another process runs this trial.
    """
    if len(argv) != 3 or not argv[1].isdigit():
        print("usage: python -m callsheet.run.worker PLAN INDEX DIGEST", file=sys.stderr)
        return MISUSE
    plan, index = Plan(Path(argv[0]).parent), int(argv[1])
    try:
        header, trial = plan.read(index, argv[2])
    except CallsheetError as error:
        print(f"callsheet: {error}", file=sys.stderr)
        return MISUSE
    lock = take_lock(plan.lock_path(index))
    if lock is None:
        return TAKEN
    os.set_inheritable(lock, True)  # by a command alone
    signal.signal(signal.SIGTERM, terminate)
    try:
        return _run(plan, header, trial, index, code)
    finally:
        os.close(lock)


def _run(plan: Plan, header: Header, trial: PlannedTrial, index: int, code: Code | None) -> int:
    sys.path[:0] = [path for path in header.paths if path not in sys.path]
    store = Store(header.runs)
    code = code or code_of(Path(header.project), header.configs, store.directory)
    before = _before(plan, index, store, code)
    if before is not None and before.finished == (trial.identity, code.version):
        return 0  # since the trials were looked through, a worker of an earlier sweep finished it
    task = Task(
        spec=trial.read_spec(str(plan.file)),
        entry=trial.entry,
        experiment=header.experiment,
        overrides=trial.overrides,
        identity=trial.identity,
        config=header.config,
        command=tuple(sys.orig_argv),
        code=code,
        origins=trial.origins,
        index=index,
        plan=plan.id,
    )
    directory = _directory(plan, index, store, before)
    redirect(directory / "out.log", directory / "err.log")
    return execute(task, directory, contextlib.nullcontext()).code


def _before(plan: Plan, index: int, store: Store, code: Code) -> Run | None:
    """The run that tried this trial last, if it was with this very code."""
    run_id = plan.run_of(index)
    if run_id is None or not (store.directory / run_id).is_dir():
        return None
    run = store.read(run_id)
    # One that was killed before its record was there ran nothing, and is as good as of this code.
    return run if version_of(run.record) in ("", code.version) else None


def _directory(plan: Plan, index: int, store: Store, before: Run | None) -> Path:
    """The directory of the run that was cut off, so that it can go on from its own files; else a new one."""
    if before is not None and before.state in ("lost", "interrupted", "cancelled") and _is_usable(before.directory):
        return before.directory
    directory = store.new_run()
    plan.note_run(index, directory.name)
    return directory


def _is_usable(directory: Path) -> bool:
    """Whether the files of a run can be written anew: where one of them is a folder, somebody has been here."""
    return not any((directory / f"{name}.json").is_dir() for name in ("run", "spec", "origins", "status", "result"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
