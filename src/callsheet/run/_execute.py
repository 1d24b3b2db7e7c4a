"""One run, from its record to its result: written into its directory as it happens."""

from __future__ import annotations

import datetime
import json
import os
import signal
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callsheet._build import build
from callsheet._encode import to_data
from callsheet._fields import field_items, has_fields
from callsheet._hidden import masked, secrets_of
from callsheet._layout import layout
from callsheet._lazy import get
from callsheet._lineage import defaults_of
from callsheet._note import is_ours, text_of
from callsheet._running import RECORDING, RUNNING, Recording
from callsheet._signature import EMPTY
from callsheet._storage import read_json_file
from callsheet._wire import FORMAT
from callsheet.errors import SaveError
from callsheet.run._beat import boot
from callsheet.run._capture import flush, remark
from callsheet.run._child import CommandError, run_entry
from callsheet.run._command import beside
from callsheet.run._provenance import Code, engine, host, packages
from callsheet.run._ranks import Ranks
from callsheet.run._store import State, Store, code_file, keep_json_file, take_lock, write_json_file


class Terminated(BaseException):
    """The run was told to stop."""


def terminate(number: int, frame: Any) -> None:
    """What a process that executes a run does when it is told to stop: the run ends as cancelled, with all its own."""
    if number == signal.SIGHUP:  # of a terminal that is closed, a shell and the system both tell
        signal.signal(number, signal.SIG_IGN)
    raise Terminated


def heed_end() -> None:
    """Let SIGTERM and the end of the terminal stop the run of this process; `nohup` is heeded."""
    signal.signal(signal.SIGTERM, terminate)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, terminate)


@dataclass(frozen=True)
class Task:
    """What a run is told.

    Attributes:
        spec: The whole spec, resolved.
        entry: The path of what is built.
        experiment: The name under which it is numbered.
        overrides: The texts that made the spec.
        identity: The hash of what the entry reaches, None where it holds a live object.
        config: The config file, or "".
        project: The project's root, where relative folders start.
        command: What was typed or called.
        code: The code that runs.
        index: The trial's place in its sweep.
        plan: The plan that it belongs to, or "".
        paths: Folders from which modules are imported beside the project's root.
        origins: Where each value came from, as `origins_of` gives it.
    """

    spec: Any
    entry: str
    experiment: str
    overrides: tuple[str, ...]
    identity: str | None
    config: str
    project: Path
    command: tuple[str, ...]
    code: Code
    origins: dict[str, Any]
    index: int = 0
    plan: str = ""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its state, its result, the process's exit code for it, and what was raised."""

    state: State
    result: dict[str, Any]
    code: int
    error: BaseException | None = None


def execute(
    task: Task,
    directory: Path,
    output: AbstractContextManager[None],
    *,
    lock: int | None = None,
    others: Ranks | None = None,
) -> Outcome:
    """Build a task's entry in a run directory; the user's exception is printed and recorded, not raised.

    Args:
        task: What to run.
        directory: An existing run directory; one that was used before counts a further attempt.
        output: What captures the output while the run goes on.
        lock: The lock of the directory, where it is held already; it is let go of in the end.
        others: The other processes of the run, which must all end well.
    """
    if lock is None:
        lock = take_lock(directory / "lock", wait=True)
    assert lock is not None
    os.set_inheritable(lock, True)  # by a command alone: it holds the run as long as it lives
    try:
        before = read_json_file(directory / "status.json")
        tried = before.get("attempt")
        attempt = 1 + (tried if isinstance(tried, int) else 0)
        store = Store(directory.parent)
        count = read_json_file(directory / "run.json").get("number") or store.number(task.experiment, directory.name)
        status: dict[str, Any] = {
            "state": "running",
            "attempt": attempt,
            # In a container of its own it has a number that means another process to all outside.
            **({} if "CALLSHEET_CONTAINER" in os.environ else {"pid": os.getpid()}),
            "boot": boot(),
            "started": _now(),
        }
        (directory / "result.json").unlink(missing_ok=True)  # of an attempt that was cut off before its status
        _write_record(task, directory, count)
        write_json_file(directory / "status.json", status)
        if others is not None:
            others.open(directory, attempt)
        outcome, error = _outcome(task, directory, attempt, output, others)
        if signal.getsignal(signal.SIGTERM) is terminate:  # it has come to its end, which is now written down
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
        if outcome.result:
            keep_json_file(directory / "result.json", outcome.result)  # before the status that says it is there
        status |= {"state": outcome.state, "ended": _now(), "exit": outcome.code, **({"error": error} if error else {})}
        keep_json_file(directory / "status.json", status)
        return outcome
    finally:
        os.close(lock)


def _outcome(
    task: Task, directory: Path, attempt: int, output: AbstractContextManager[None], others: Ranks | None
) -> tuple[Outcome, str]:
    """What has become of a run, and why it is no good one, whatever goes wrong while it ends."""
    recording = Recording(str(directory), task.spec, task.experiment)
    ended: tuple[Outcome, str] | None = None
    try:
        with output:
            called = _call(task, _running(task, directory, attempt), recording)
            ended = called if others is None else _with_others(*called, others)
            if recording.trackers is not None:
                recording.trackers.end(ended[0].state)
    except BaseException as raised:  # noqa: BLE001  (the record says how it has ended)
        secrets = secrets_of(task.spec)
        _show(raised, secrets)
        ended = ended or _ended_by(raised, secrets)
    return ended


def execute_beside(task: Task, directory: Path, attempt: int) -> tuple[Outcome, str]:
    """Build a task's entry beside the process that records its run; gives the outcome, and why it is no good one."""
    return _call(task, _running(task, directory, attempt), None)


def _running(task: Task, directory: Path, attempt: int) -> dict[str, object]:
    return {"dir": str(directory), "id": directory.name, "index": task.index, "attempt": attempt}


def _with_others(outcome: Outcome, error: str, others: Ranks) -> tuple[Outcome, str]:
    """What has become of a run whose other processes count too; one that fails may be why this one was ended."""
    try:
        problem = others.wait() if outcome.state == "done" else others.problem()
    except Terminated:
        problem = others.problem()
        if not problem:
            return Outcome("cancelled", {}, 143), "told to stop"
    if not problem:
        return outcome, error
    if outcome.state == "failed":
        return outcome, f"{problem}; rank 0: {error}"
    return Outcome("failed", {}, 1), problem


def at(spec: Any, path: str) -> Any:
    """The part of a spec at a path; the whole for ""."""
    return get(spec, path) if path else spec


def _call(task: Task, running: dict[str, object], recording: Recording | None) -> tuple[Outcome, str]:
    """Build the entry; what is told and recorded of its end says `***` where it would say a secret of the spec."""
    secrets = secrets_of(task.spec)
    token, recorded = RUNNING.set(running), RECORDING.set(recording)
    try:
        where = (task.spec, task.entry, running)
        returned = run_entry(*where, project=task.project, experiment=task.experiment, in_worker=bool(task.plan))
        if returned is None:
            returned = build(at(task.spec, task.entry), root=task.spec)
        result, dropped = result_of(returned)
    except BaseException as error:  # noqa: BLE001  (the user's own: shown, recorded, counted as a failed run)
        _show(error, secrets)
        return _ended_by(error, secrets)
    finally:
        RUNNING.reset(token)
        RECORDING.reset(recorded)
        flush()
    if dropped:
        why = _NOT_ITEMS if _items_of(returned) is not None else _NOT_WHOLE
        remark(f"callsheet: not kept in the result, since {why}: {masked(', '.join(dropped), secrets)}")
    return Outcome("done", masked(result, secrets), 0), ""


_NOT_ITEMS = "they are no numbers or texts that can be written"
_NOT_WHOLE = "it is no number that can be written, and names none"
"""Why something is not kept in a result: of what names several things some, and what names nothing."""


def _ended_by(error: BaseException, secrets: list[str]) -> tuple[Outcome, str]:
    """What has become of a run that an exception has ended, and what is recorded of that, without what secrets say."""
    if isinstance(error, KeyboardInterrupt):
        return Outcome("interrupted", {}, 130), "KeyboardInterrupt"
    if isinstance(error, Terminated):
        return Outcome("cancelled", {}, 143), "told to stop"
    if isinstance(error, CommandError):
        return Outcome("failed", {}, error.code, error), masked(error.faults[0].problem, secrets)
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return Outcome("done", {}, 0), ""
    return Outcome("failed", {}, 1, error), masked(text_of(error), secrets)


def _show(error: BaseException, secrets: list[str]) -> None:
    """Print what ended a run, where nobody has asked for it to end, without what secrets say."""
    if isinstance(error, CommandError):
        remark(masked(f"callsheet: {error}", secrets))
    elif isinstance(error, SystemExit):
        if isinstance(error.code, str):
            remark(masked(error.code, secrets))
    elif not isinstance(error, KeyboardInterrupt | Terminated):
        try:
            remark(masked(_traceback_of(error), secrets))
        except Exception:  # noqa: BLE001  (an exception so odd that Python cannot show it)
            remark(masked(text_of(error), secrets))


def _traceback_of(error: BaseException) -> str:
    """An exception as Python prints it, without the frames of this package."""
    shown = traceback.TracebackException.from_exception(error)
    at: traceback.TracebackException | None = shown
    while at is not None:
        own = [frame for frame in at.stack if not is_ours(frame.filename)]
        at.stack = traceback.StackSummary.from_list(own or at.stack)  # all ours: a bug, shown as it is
        at = at.__cause__ or at.__context__
    return "".join(shown.format()).removesuffix("\n")


def result_of(returned: Any) -> tuple[dict[str, Any], list[str]]:
    """What a returned value says as a result, and the names of what it says nothing with.

    A number is called `result`; a flat mapping gives its numbers and texts, as far as JSON can be written of them, and
    so does what has fields: a dataclass, an attrs instance, a NamedTuple.

    An object of another class, as a model, says nothing, and is none that anybody would miss.

    >>> result_of(0.5), result_of({"acc": 1, "net": object()}), result_of([1, 2]), result_of(object())
    (({'result': 0.5}, []), ({'acc': 1}, ['net']), ({}, ['result']), ({}, []))
    """
    items = _items_of(returned)
    if items is not None:
        named = {str(key): _scalar(value) for key, value in items.items()}
        kept = {key: value for key, value in named.items() if value is not EMPTY and _is_writable(key)}
        return kept, [key for key in named if key not in kept]
    number = _scalar(returned)
    if number is EMPTY or number is None or isinstance(number, str):
        return {}, ["result"] if _is_data(returned) else []
    return {"result": number}, []


def _is_data(value: Any) -> bool:
    """Whether a value holds numbers or texts: data of Python, what gives such one after the other, an array."""
    return isinstance(value, int | float | complex | str | bytes | Collection | Iterator) or hasattr(value, "__array__")


def _items_of(returned: Any) -> Mapping[Any, Any] | None:
    """What a returned value names; None where it names nothing."""
    if isinstance(returned, Mapping):
        return returned
    if has_fields(type(returned)):
        return dict(zip(*field_items(returned), strict=True))
    names = getattr(returned, "_fields", None) if isinstance(returned, tuple) else None
    return dict(zip(names, returned, strict=True)) if names is not None else None


def _scalar(value: Any) -> Any:
    if isinstance(value, bool | int | float | str) or value is None:
        return value if _is_writable(value) else EMPTY
    if getattr(value, "shape", None) == () and hasattr(value, "item"):  # a number of NumPy, torch or JAX
        return _scalar(value.item())
    return EMPTY


_MOST_BITS = 14_000
"""Of a whole number that any Python reads: one of more than 4300 digits it refuses."""


def _is_writable(value: float | str | None) -> bool:
    """Whether a number or text can be written and read again: a text may hold what is no character."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return False
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return False
    return True


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def _write_record(task: Task, directory: Path, number: int) -> None:
    record: dict[str, Any] = {
        "id": directory.name,
        "experiment": task.experiment,
        "number": number,
        "index": task.index,
        "plan": task.plan,
        "entry": task.entry,
        "beside": beside(task.spec, task.entry),
        "config": task.config,
        "paths": [path for path in task.paths if path != str(task.project)],
        "overrides": list(task.overrides),
        "command": list(task.command),
        "identity": task.identity,
        "code": {"version": task.code.version, "commit": task.code.commit, "untracked": list(task.code.untracked)},
        "defaults": defaults_of(task.spec),
        "host": host(),
        **({"on": engine()} if engine() else {}),
        "packages": packages(),
        "started": _now(),
    }
    try:
        data = to_data(task.spec)
        write_json_file(directory / "spec.json", {"_format_": FORMAT, **data} if isinstance(data, dict) else data)
    except SaveError as error:
        record["not_data"] = [fault.path for fault in error.faults]
        (directory / "spec.txt").write_text(layout(task.spec) + "\n", encoding="utf-8")
    write_json_file(directory / "origins.json", task.origins)
    if task.code.diff:
        (directory / "code.diff").write_text(task.code.diff, encoding="utf-8")
    known = code_file(directory.parent, task.code.version)
    noted = read_json_file(known)
    if task.code.files.keys() - noted.keys():  # of one version, other files may have been left out as configs
        known.parent.mkdir(exist_ok=True)
        write_json_file(known, {**noted, **task.code.files})
    write_json_file(directory / "run.json", record)
