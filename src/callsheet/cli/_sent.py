"""What the verbs share that come back to what was submitted: how it is named, and how it stands in a line."""

from __future__ import annotations

import sys
import time

from callsheet._terminal import tell_error
from callsheet.errors import Fault, RunError
from callsheet.run._attend import Submission, find_submission, submissions
from callsheet.run._finished import Policy
from callsheet.run._later import attend_apart, settled
from callsheet.run._plan import Plan
from callsheet.run._store import Run, Store, find_run, store_of

_WORDS = ("running", "queued", "elsewhere", "waiting", "failed", "lost", "cancelled", "interrupted", "held", "pruned")


def named(id: str, runs: str | None) -> tuple[Submission | None, Run | None]:
    """The submission, or the run with the submission that it belongs to, that an id means; by its beginning too.

    Raises:
        RunError: There is neither, or more than one.
    """
    store = store_of(runs)
    found = find_submission(store.directory, id)
    if found is not None:
        return settled(found), None
    try:
        run = find_run(id, runs)
    except RunError as error:
        if "several" in error.faults[0].problem:
            raise
        last = submissions(store.directory)[-3:]
        have = [f"submitted were  {', '.join(one.id for one in last)}"] if last else error.faults[0].advice
        problem = f"there is no submission or run {id!r} in {store.directory}"
        raise RunError(Fault("", problem, advice=have)) from None
    plan = run.record.get("plan")
    home = Plan(Store(run.directory.parent).directory / ".sweeps" / str(plan))
    return (Submission.read(home) if plan else None), run


def hand_over(one: Submission, finished: Policy = "refuse") -> bool:
    """Let a process in the background attend to a submission; gives whether anything of it is left to be done.

    Where it cannot, this command ends with what that process says.

    Args:
        one: The submission.
        finished: What becomes of trials that other code has finished; as it was submitted for `refuse`.
    """
    one.plan.folder.mkdir(parents=True, exist_ok=True)
    log = one.plan.folder / "attendant.log"
    before = log.stat().st_size if log.exists() else 0
    code = attend_apart(one, finished)
    if code:
        tell_error(log.read_bytes()[before:].decode(errors="replace").rstrip())
        sys.exit(code)
    return code is None


def line_of(one: Submission) -> list[str]:
    """A submission as cells: id, executor, how it stands, since when, what it is."""
    return [one.id, one.on_name or "process", standing(one), _ago(one.started), one.name]


def standing(one: Submission) -> str:
    """How many of its jobs are done, run, wait, have failed; and who attends to it, where nobody does."""
    of = "" if one.size is None else f" of {one.size}"
    parts = [f"{one.counts.get('done', 0)}{of} done"]
    waiting = one.counts.get("waiting", 0)
    parts += [f"{one.counts[word]} {word}" for word in _WORDS if one.counts.get(word) and word != "waiting"]
    parts += [f"{waiting} waiting"] if waiting else []
    if not one.is_over and not one.is_attended:
        parts.append("nobody attends")
    return ", ".join(parts)


def notes_of(one: Submission) -> list[str]:
    """What holds it up, a line each."""
    said = [one.trouble, one.waits_for and f"queued: {one.waits_for}"]
    return [f"{one.id}  {text}" for text in said if text and not one.is_over]


def is_well(one: Submission) -> bool:
    """Whether all of it is done."""
    return one.is_over and not any(one.counts.get(word) for word in ("failed", "lost", "cancelled", "interrupted"))


def as_data(one: Submission) -> dict[str, object]:
    """A submission as a program reads it."""
    names = ("id", "name", "on_name", "size", "counts", "trouble", "waits_for", "started", "folder")
    said: dict[str, object] = {name: getattr(one, name) for name in names}
    return {**said, "counts": dict(one.counts), "attended": one.is_attended, "over": one.is_over}


def _ago(then: float) -> str:
    seconds = max(time.time() - then, 0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
