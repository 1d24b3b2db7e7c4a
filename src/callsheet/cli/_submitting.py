"""What `sweep` and `submit` share: from a command line to trials that are drawn, and who takes them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, TypedDict, cast

import click

from callsheet._encode import to_data
from callsheet._terminal import say, tell_error
from callsheet.cli._sampling import Said, Sampling, sampling_options
from callsheet.cli._subject import Config
from callsheet.cli._sweeping import repeat_option, trials_of
from callsheet.cli._telling import Misuse
from callsheet.errors import RunError
from callsheet.run._attend import Submission
from callsheet.run._code import code_digest
from callsheet.run._draw import Drawing
from callsheet.run._ended import Retries
from callsheet.run._executors import executor_of, executor_spec
from callsheet.run._finished import Policy
from callsheet.run._job import Executor
from callsheet.run._later import refuse_another
from callsheet.run._place import Place
from callsheet.run._preview import tasks
from callsheet.run._remote import RemoteExecutor
from callsheet.run.submit import check_start

_PRINTED = 10
"""Requests that `--dry-run` prints."""

_WAYS = ("--keep", "--redo")
"""What says what becomes of trials that other code has finished."""

_AT_A_TIME = 2
"""Trials that run at a time on this machine, where nobody says how many."""


class Sending(TypedDict):
    """What a command receives of the options that say where trials go, and how often.

    Attributes:
        on: The executor, by name, and changes of its fields.
        slots: How many trials run at a time.
        gpus: Devices of each.
        memory_gb: Memory of each.
        timeout_min: Minutes of each.
        warm: Whether they are forked.
        repeat: How often each is run.
        retry: How often one is sent again after what the machine did.
        retry_errors: How often one is after it has failed.
        keep: Whether what other code has finished counts.
        redo: Whether what is finished runs again.
        dry_run: Whether requests are printed, and nothing is sent.
    """

    on: tuple[str, ...]
    slots: int | None
    gpus: int | None
    memory_gb: float | None
    timeout_min: float | None
    warm: bool
    repeat: int
    retry: int
    retry_errors: int
    keep: bool
    redo: bool
    dry_run: bool


class Prepared(NamedTuple):
    """A submission of which nothing is sent yet.

    Attributes:
        drawing: Where trials come from.
        on: Where they go.
        slots: How many run at a time; None where the engine says.
        retries: How often one is sent again.
        submission: What others may know of it.
    """

    drawing: Drawing
    on: Executor
    slots: int | None
    retries: Retries
    submission: Submission


on_option = click.option(
    "--on", multiple=True, metavar="NAME", help="Where: process, slurm, a profile; NAME.FIELD=VALUE changes it."
)


keep_option = click.option("--keep", is_flag=True, help="Count as done what other code has finished.")
redo_option = click.option("--redo", is_flag=True, help="Run again what is finished.")


def sending_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `Sending`, and those of sampling."""
    for option in reversed(
        (
            on_option,
            click.option("--slots", type=click.IntRange(1), metavar="N", help="Run N trials at a time; 2 by default."),
            click.option("--gpus", type=click.IntRange(0), metavar="N", help="Give each trial N GPUs for itself."),
            click.option("--memory", "memory_gb", type=float, metavar="GB", help="End a trial that holds more memory."),
            click.option("--timeout", "timeout_min", type=float, metavar="MIN", help="End a trial that takes longer."),
            click.option("--warm", is_flag=True, help="Import what trials need once, and fork them."),
            repeat_option,
            click.option("--retry", default=0, metavar="N", help="Run a trial that was killed or lost again, N times."),
            click.option("--retry-errors", default=0, metavar="N", help="Run a trial that failed again, N times."),
            keep_option,
            redo_option,
            click.option("--dry-run", is_flag=True, help="Print what would be submitted; submit nothing."),
            sampling_options,
        )
    ):
        function = option(function)
    return function


def prepare(
    config: str,
    overrides: tuple[str, ...],
    said: dict[str, Any],
    *,
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    runs: str | None,
    is_single: bool = False,
    of: str = "",
) -> Prepared:
    """Draw and check the trials of a command line, and make what takes them; nothing is sent.

    Args:
        config: What is swept.
        overrides: What varies.
        said: The options of `Sending` and of sampling.
        paths: Folders from which modules are imported as well.
        allow: What a data file may import.
        runs: The directory of the runs.
        is_single: Whether a spec without choices is one trial.
        of: The submission that goes on, as `run._later.of_submission` writes it; "" for one of its own.

    Raises:
        Misuse: The words do not go together.
        RunError: What goes on is not what was submitted any more.
        CallsheetError: Something is wrong with the config, its trials or the executor.
    """
    if said["keep"] and said["redo"]:
        raise Misuse("--keep and --redo exclude each other")
    name, spec, on = _executor(said)
    sampling = Sampling.of(cast("Said", said))
    named = Config(config, paths, allow)
    space = trials_of(named, overrides, sampling, repeat=said["repeat"], is_single=is_single)
    place = Place.of(named.file, runs=runs, paths=named.paths).named_by(space, named.entry)
    if said["dry_run"]:
        print_requests(Drawing(space, place, entry=named.entry, repeat=said["repeat"]), on)
        sys.exit()
    drawing = Drawing(space, place, entry=named.entry, repeat=said["repeat"], writes=True)
    refuse_another(of, drawing)
    drawing.prepare()
    decision = "keep" if said["keep"] else "redo" if said["redo"] else _asked(drawing)
    drawing.decide(decision, ways=_WAYS)
    check_start(drawing, on)
    submission = Submission(
        drawing.plan,
        words=_words(decision),
        folder=os.getcwd(),
        name=" ".join((config, *overrides)),
        on=to_data(spec),
        on_name=name,
        code=drawing.code,
        size=drawing.size,
    )
    slots: int | None = getattr(on, "slots", None)
    return Prepared(drawing, on, slots, Retries(said["retry"], said["retry_errors"]), submission)


def _words(decision: Policy) -> tuple[str, ...]:
    """The words that submit the same again, with what was decided at the terminal."""
    typed = tuple(word for word in sys.argv[2:] if word not in ("--json", "--single") and not word.startswith("--of="))
    return typed if decision == "refuse" or f"--{decision}" in typed else (f"--{decision}", *typed)


def print_requests(drawing: Drawing, on: Executor) -> None:
    """Print what would be submitted, the first few of many."""
    code = code_digest(drawing.header, drawing.plan.runs) if getattr(on, "code", "") == "archive" else ""
    found = on.requests([*tasks(drawing, code=code)])
    if found and isinstance(on, RemoteExecutor):
        on.check()
    for n, request in enumerate(found[:_PRINTED]):
        say(f"---\n{request}" if n and "\n" in str(request) else str(request))
    if not found:
        tell_error("all of it is done: nothing would be submitted")
    if len(found) > _PRINTED:
        tell_error(f"callsheet: and {len(found) - _PRINTED} more like these")


def _executor(said: dict[str, Any]) -> tuple[str, Any, Executor]:
    fields = {name: said[name] for name in ("slots", "gpus", "memory_gb", "timeout_min")}
    if said["warm"]:
        fields["warm"] = True
    is_plain = not said["on"]
    if fields["slots"] is None and all(word.partition("=")[0].partition(".")[0] == "process" for word in said["on"]):
        fields["slots"] = _AT_A_TIME
    try:
        name, spec = executor_spec(said["on"], fields)
        return name, spec, executor_of(spec)
    except RunError as error:
        if not is_plain or error.faults[0].path != "--on":
            raise
        raise Misuse(error.faults[0].problem) from None


def _asked(drawing: Drawing) -> Policy:
    """What becomes of trials that other code has finished: who sits at the terminal says it."""
    if not drawing.stale or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "refuse"
    tell_error(str(drawing.refusal(_WAYS)))
    said: Policy = click.prompt("keep or redo", type=click.Choice(["keep", "redo"]), err=True)
    return said
