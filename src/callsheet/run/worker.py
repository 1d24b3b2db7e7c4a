"""The far side of a job: `python -m callsheet.run.worker PLAN INDEX DIGEST` runs one trial of a plan.

In an array the first is a parcel, and in place of the index stands `@` with the environment variable that tells the
position. `--code DIGEST` runs an archive of the code that was sent along. With `--beat` the run shows that it goes on,
for those on other machines. `--minutes M` and `--memory GB` are limits which the worker itself sees to.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from callsheet._running import MOVED, moved
from callsheet.errors import CallsheetError, Fault, RunError
from callsheet.run._beat import beating, wait_for_silence
from callsheet.run._capture import redirect
from callsheet.run._child import heed_warnings
from callsheet.run._claims import claiming, is_alive
from callsheet.run._code import find_carried, unpacked
from callsheet.run._execute import Task, Terminated, execute, execute_beside, heed_end
from callsheet.run._first import beside_first
from callsheet.run._guard import guarded, lead_session
from callsheet.run._job import MISUSE, TAKEN
from callsheet.run._parcel import read_parcel
from callsheet.run._plan import Header, Plan, PlannedTrial
from callsheet.run._provenance import Code, code_of
from callsheet.run._ranks import Ranks
from callsheet.run._store import Run, Store, take_lock, version_of

_USAGE = (
    "python -m callsheet.run.worker PLAN INDEX DIGEST [--code DIGEST] [--beat] [--minutes M] [--memory GB] "
    "[--ranks FOLDER]"
)


def main(argv: list[str], *, code: Code | None = None) -> int:
    """Run one trial.

    Args:
        argv: The plan's file, the trial's index, and the digest of what was submitted.
        code: The code of the project, where that has just been read.

    Returns:
        The exit code: 0 done, also where another worker did it meanwhile; 1 failed;
        2 it could not be read; 75 where another process runs this trial.
    """
    heed_warnings()
    find_carried()
    try:
        asked = _asked(argv)
        header, trial = asked.plan.read(asked.index, asked.digest)
        if asked.code:
            folder, code = unpacked(asked.plan.runs, asked.code)
            header = _moved(header, folder)
        elif "CALLSHEET_PROJECT" in os.environ:  # in its image
            folder = Path(os.environ["CALLSHEET_PROJECT"])
            header = _moved(header, folder)
            code = code_of(folder, header.configs, asked.plan.runs)
    except CallsheetError as error:
        print(f"callsheet: {error}", file=sys.stderr)
        return MISUSE
    if asked.ranks is not None and asked.ranks.rank:
        return _run_beside(asked.ranks, asked, header, trial, code)
    ended = _run_alone(asked, header, trial, code)
    if asked.ranks is not None:
        asked.ranks.dismiss(ended)
    return ended


@dataclass(frozen=True)
class _Asked:
    """What a worker is told.

    Attributes:
        plan: The plan.
        index: The job's.
        digest: Of the trial.
        code: Of the archive of the code; "" for what is there.
        beats: Whether it shows that it goes on.
        minutes: How long it may take; None without a limit.
        memory_gb: What all its processes may hold together, in 10^9 bytes; None without a limit.
        ranks: The processes that run the trial together, this one among them; None where it is alone.
    """

    plan: Plan
    index: int
    digest: str
    code: str = ""
    beats: bool = False
    minutes: float | None = None
    memory_gb: float | None = None
    ranks: Ranks | None = None


def _asked(argv: list[str]) -> _Asked:
    """What the words of a command line ask for; read by hand, since a worker starts often."""
    words, options = argv[:3], argv[3:]
    beats = "--beat" in options
    if beats:
        options.remove("--beat")
    said = dict(zip(options[::2], options[1::2], strict=False))
    code, folder = said.pop("--code", ""), said.pop("--ranks", "")
    minutes, memory_gb = _limit(said.pop("--minutes", None)), _limit(said.pop("--memory", None))
    is_task = len(words) == 3 and (words[1].isdigit() or words[1].startswith("@"))
    if not is_task or said or len(options) % 2 or 0 in (minutes, memory_gb):
        raise RunError(Fault("", "these words are no task", advice=[_USAGE]))
    if (minutes or memory_gb) and not lead_session():
        raise RunError(Fault("", "a worker with limits must lead its session", advice=["start it with  setsid"]))
    ranks = Ranks.told(folder) if folder else None
    file, index, digest = words
    if index.isdigit():
        return _Asked(Plan(Path(file).parent), int(index), digest, code, beats, minutes, memory_gb, ranks)
    position = os.environ.get(index[1:], "")
    if not position.isdigit():
        raise RunError(Fault("", f"{index[1:]} is to tell the position in the array, and is {position!r}"))
    return _Asked(*read_parcel(Path(file), int(position), digest), code, beats, minutes, memory_gb, ranks)


def _limit(text: str | None) -> float | None:
    """A limit as a number; 0 where it is none that could be kept."""
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return 0
    return number if number is None or 0 < number < float("inf") else 0


def _moved(header: Header, folder: Path) -> Header:
    """The header of a plan whose project has been unpacked elsewhere; what it names there is found there."""
    MOVED[header.project] = str(folder)
    paths, configs = (tuple(map(moved, some)) for some in (header.paths, header.configs))
    return replace(header, paths=paths, configs=configs)


def _run_alone(asked: _Asked, header: Header, trial: PlannedTrial, code: Code | None) -> int:
    lock = take_lock(asked.plan.lock_path(asked.index))
    if lock is None:
        return TAKEN
    os.set_inheritable(lock, True)  # by a command alone
    heed_end()
    try:
        return _run(asked, header, trial, code)
    finally:
        os.close(lock)


def _run_beside(ranks: Ranks, asked: _Asked, header: Header, trial: PlannedTrial, code: Code | None) -> int:
    """Run a trial beside the process that records it."""
    heed_end()
    try:
        told = ranks.meet()
    except Terminated:
        return 143
    if "code" in told:
        return int(told["code"])
    directory = Path(told["directory"])
    task = _task(asked, header, trial, code)
    redirect(directory / f"out.{ranks.rank}.log", directory / f"err.{ranks.rank}.log")
    outcome, error = execute_beside(task, directory, int(told["attempt"]))
    if outcome.state in ("done", "failed"):  # where it was told to stop, so was the first
        ranks.tell(error)
    return outcome.code


def _task(asked: _Asked, header: Header, trial: PlannedTrial, code: Code | None) -> Task:
    """What is run; from here on the project's modules are found."""
    sys.path[:0] = [path for path in header.paths if path not in sys.path]
    there = asked.plan.header()  # where it was submitted, wherever the project has been unpacked
    return Task(
        spec=trial.read_spec(str(asked.plan.file)),
        entry=trial.entry,
        experiment=header.experiment,
        overrides=trial.overrides,
        identity=trial.identity,
        config=header.config,
        project=Path(header.project),
        command=tuple(sys.orig_argv),
        code=code or code_of(Path(header.project), header.configs, asked.plan.runs),
        origins=trial.origins,
        index=asked.index,
        plan=asked.plan.id,
        paths=tuple(path for path in there.paths if path != there.project),
    )


def _run(asked: _Asked, header: Header, trial: PlannedTrial, code: Code | None) -> int:
    plan, index = asked.plan, asked.index
    store = Store(plan.runs)
    code = code or code_of(Path(header.project), header.configs, store.directory)
    before = _before(plan, index, store, code)
    if before is not None and before.finished == (trial.identity, code.version):
        return 0  # since the trials were looked through, a worker of an earlier sweep finished it
    if before is not None and not wait_for_silence(before.directory, before.status):
        return TAKEN
    task = _task(asked, header, trial, code)
    claimed = _claimed(task, header, plan, store, before)
    if isinstance(claimed, int):
        return claimed
    directory, lock = claimed
    redirect(directory / "out.log", directory / "err.log")
    with contextlib.ExitStack() as around:
        around.enter_context(guarded(directory, minutes=asked.minutes, memory_gb=asked.memory_gb))
        if asked.beats:
            around.enter_context(beating(directory))
        return execute(task, directory, contextlib.nullcontext(), lock=lock, others=asked.ranks).code


def _claimed(task: Task, header: Header, plan: Plan, store: Store, before: Run | None) -> tuple[Path, int | None] | int:
    """The directory in which a trial is to be run, and its lock; an exit code where another sweep does it or did."""
    if header.repeat > 1 or header.alone or plan.is_redone(task.index):
        return _directory(plan, task.index, store, before), None
    assert task.identity is not None
    with claiming(store, task.identity, task.code.version) as claim:
        other = claim.run()
        is_taken = other is not None and is_alive(other)
        if other is not None and (is_taken or other.finished == (task.identity, task.code.version)):
            if plan.run_of(task.index) != other.id:
                plan.note_run(task.index, other.id)
            return TAKEN if is_taken else 0
        directory = _directory(plan, task.index, store, before)
        lock = take_lock(directory / "lock")
        if lock is None:  # of the worker before, something still runs
            return TAKEN
        claim.note(directory.name)
        return directory, lock


def _before(plan: Plan, index: int, store: Store, code: Code) -> Run | None:
    """The run that tried this trial last, if it was with this very code; of one that is damaged nobody knows."""
    run_id = plan.run_of(index)
    if run_id is None or not (store.directory / run_id).is_dir() or store.is_damaged(run_id):
        return None
    run = store.read(run_id)
    # One that was killed before its record was there ran nothing, and is as good as of this code.
    return run if version_of(run.record) in ("", code.version) else None


def _directory(plan: Plan, index: int, store: Store, before: Run | None) -> Path:
    """The directory of the plan's run that was cut off, so that it can go on from its own files; else a new one."""
    if before is not None and before.record.get("plan", plan.id) != plan.id:
        before = None
    if before is not None and before.state in ("lost", "interrupted", "cancelled") and _is_usable(before.directory):
        return before.directory
    directory = store.new_run()
    plan.note_run(index, directory.name)
    return directory


def _is_usable(directory: Path) -> bool:
    """Whether the files of a run can be written anew: where one of them is a folder, somebody has been here."""
    return not any((directory / f"{name}.json").is_dir() for name in ("run", "spec", "origins", "status", "result"))


if __name__ == "__main__":
    sys.exit(beside_first(lambda: main(sys.argv[1:])) if os.getpid() == 1 else main(sys.argv[1:]))
