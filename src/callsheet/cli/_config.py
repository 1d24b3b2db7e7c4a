"""What the verbs share about configs: options, `FILE[:ENTRY]`, overrides, and errors told to a person."""

from __future__ import annotations

import functools
import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from callsheet._configfile import show_file
from callsheet._files import load_said
from callsheet._grammar import Override
from callsheet._lazy import get, locate_path
from callsheet._migrate import Change
from callsheet._origin import Origin
from callsheet._said import parse_all
from callsheet._spec import note_origin
from callsheet._trust import Policy
from callsheet.errors import (
    CallsheetError,
    CallsheetWarning,
    Fault,
    OverrideError,
    PathError,
    QueryError,
    RunError,
    render,
)
from callsheet.run._execute import PACKAGE
from callsheet.run._recorded import origins_of_run, spec_of_run
from callsheet.run._store import Run, Store, project_of, project_root

COMMAND_LINE = "command line"
"""What origins and errors call whoever typed the command."""

overrides_argument = click.argument("overrides", nargs=-1, metavar="[PATH=VALUE]...")
path_option = click.option("--path", "paths", multiple=True, metavar="DIR", help="Also import from DIR.")
allow_option = click.option(
    "--allow", multiple=True, metavar="MODULE", help="Let a data file name what MODULE defines."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print data for a program.")
runs_option = click.option("--runs", metavar="DIR", help="Where runs are kept.  [default: PROJECT/runs]")


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a verb that reads configs and runs: `--path`, `--allow`, `--runs`, `--json`."""
    for option in (json_option, runs_option, allow_option, path_option):
        function = option(function)
    return function


@dataclass(frozen=True)
class Config:
    """A config named on the command line.

    Attributes:
        file: The file as it was typed.
        entry: What follows its colon: the path of what is meant; "" for none.
        paths: Folders that were put first on `sys.path`.
        policy: What a data file may import.
    """

    file: str
    entry: str
    paths: tuple[str, ...]
    policy: Policy

    @classmethod
    def named(cls, text: str, paths: tuple[str, ...], allow: tuple[str, ...]) -> Config:
        """Read `FILE[:ENTRY]`, and let imports start in the project's root as they will in workers."""
        file, colon, entry = text.rpartition(":")
        if not colon or os.path.exists(text) or "/" in entry:
            file, entry = text, ""
        folders = tuple(os.path.abspath(path) for path in paths)
        for folder in reversed((*folders, str(project_of(file)))):
            if folder not in sys.path:
                sys.path.insert(0, folder)
        return cls(file, entry, folders, Policy(allow))

    def load(self, overrides: tuple[str, ...]) -> Any:
        """The spec, with what was typed."""
        return self.load_parsed(parse_all(overrides))

    def load_parsed(self, overrides: Sequence[Override]) -> Any:
        """The spec, with overrides that are read already; what migrations changed in it is told in a line."""
        changes: list[Change] = []
        spec = load_said(self.file, overrides, where=COMMAND_LINE, policy=self.policy, report=changes.append)
        tell_changes(self.file, changes)
        return spec


@dataclass(frozen=True)
class Subject:
    """A config or a run that was named on the command line, read.

    Attributes:
        spec: All of it.
        entry: The path of the part that is meant; "" for all.
        run: The run, None for a config.
    """

    spec: Any
    entry: str
    run: Run | None

    @property
    def part(self) -> Any:
        """What is meant."""
        return get(self.spec, self.entry) if self.entry else self.spec

    @classmethod
    def read(
        cls, text: str, overrides: tuple[str, ...], *, paths: tuple[str, ...], allow: tuple[str, ...], runs: str | None
    ) -> Subject:
        """Read `FILE[:ENTRY]` with overrides, or `RUN[:ENTRY]` as it was recorded.

        Raises:
            RunError: The text names no file, and there is no such run.
            CallsheetError: The config cannot be read, or an override does not fit.
        """
        run, (word, colon, entry) = run_named(text, runs), text.rpartition(":")
        if run is not None:
            entry = ""
        elif colon and "/" not in entry and not os.path.exists(text):
            run = run_named(word, runs)
        if run is None:
            named = Config.named(text, paths, allow)
            return cls(named.load(overrides), named.entry, None)
        if overrides:
            raise click.UsageError("A run is what it was: overrides change a config.")
        return cls(_recorded(run), entry, run)


def _recorded(run: Run) -> Any:
    """The spec of a run, each value with the origin that was recorded with it."""
    live = run.record.get("not_data")
    if live:
        problem = f"run {run.id} held what is no data: {', '.join(live)}"
        raise RunError(Fault("", problem, advice=[f"callsheet show {run.id}  prints it"]))
    spec, changes = spec_of_run(run)
    tell_changes(os.path.relpath(run.directory), changes)
    for path, chain in origins_of_run(run).items():
        told = chain[0]
        try:
            holder, key, _ = locate_path(spec, path)
        except PathError:
            continue  # of what stands in the place of a reference
        note_origin(holder, key, Origin(told["kind"], told["where"], told["text"]))
    return spec


def told(function: Callable[..., Any], *, failure: int = 1) -> Callable[..., Any]:
    """Tell errors to a person, or with `--json` to a program, and end with the exit code that says what they are.

    Args:
        function: The command.
        failure: The exit code of a failure that is no misuse.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        as_json = bool(kwargs.get("as_json"))
        try:
            with warnings.catch_warnings():
                _show_warnings()
                return function(*args, **kwargs)
        except CallsheetError as error:
            tell(error.faults, as_json=as_json)
            misuse = isinstance(error, OverrideError | QueryError) and not any(fault.path for fault in error.faults)
            sys.exit(2 if misuse else failure)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            sys.exit(130)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
            sys.exit(1)
        except Exception as error:  # of the user's config or of a module that it imports
            if not _users_own(error):
                raise
            tell([users_fault(error)], as_json=as_json)
            sys.exit(failure)

    return wrapper


def _show_warnings() -> None:
    """Let what Callsheet warns of read like what it says; other warnings read as Python shows them."""
    others, told_before = warnings.showwarning, set[str]()

    def show(message: Any, category: type[Warning], *more: Any, **named: Any) -> None:
        if not issubclass(category, CallsheetWarning):
            others(message, category, *more, **named)
        elif str(message) not in told_before:  # a file is loaded for each trial
            told_before.add(str(message))
            click.echo(f"callsheet: {message}", err=True)

    warnings.showwarning = show
    warnings.simplefilter("always", CallsheetWarning)


def tell_changes(file: str, changes: Sequence[Change]) -> None:
    """Say in one line on standard error what migrations changed in a file."""
    if changes:
        more = f", and {len(changes) - 3} more" if len(changes) > 3 else ""
        click.echo(f"callsheet: {file} was migrated: {', '.join(map(str, changes[:3]))}{more}", err=True)


def tell(faults: Any, *, as_json: bool, outcome: str = "") -> None:
    """Print faults: on standard error for a person, on standard output as data."""
    if as_json:
        click.echo(json.dumps({"faults": [fault.as_data() for fault in faults]}, indent=1))
        return
    if not outcome and len(faults) == 1 and not faults[0].path and not faults[0].origin:
        click.echo("callsheet: " + render(faults), err=True)
        return
    count = f"{len(faults)} fault{'' if len(faults) == 1 else 's'}"
    click.echo(f"callsheet: {count}{outcome or _outcome()}", err=True)
    click.echo(render(faults, indent="  "), err=True)


def _outcome() -> str:
    context = click.get_current_context(silent=True)
    verb = context.info_name if context is not None else None
    return {"check": ", nothing was built", "run": ", nothing was built", "sweep": ", nothing was started"}.get(
        verb or "", ""
    )


def run_named(text: str, runs: str | None) -> Run | None:
    """The run that a word of the command line means, by its id or directory; None for a config.

    Raises:
        RunError: The word is no file, and no run has such an id.
    """
    if os.path.isfile(os.path.join(text, "run.json")):
        directory = Path(text).absolute()
        return Store(directory.parent).read(directory.name)
    if os.path.exists(text) or not text.isalnum():
        return None
    return Store(runs or project_root(os.getcwd()) / "runs").find(text)


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    """Where the user's own code was when it failed, the innermost first."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        own = os.path.abspath(frame.filename)
        inside = own.startswith(PACKAGE + os.sep) and not own.startswith(os.path.join(PACKAGE, "examples"))
        if not inside and not frame.filename.startswith("<") and os.path.exists(frame.filename):
            yield frame


def _users_own(error: BaseException) -> bool:
    """Whether an exception came out of code that is not Callsheet's, so that it is no bug of ours."""
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    return not os.path.abspath(last).startswith(PACKAGE + os.sep)


def users_fault(error: BaseException) -> Fault:
    """An exception of the user's config as a fault: the innermost line of the project first."""
    root = str(project_root(Path.cwd()))
    frames = list(_frames(error))
    own = [
        f for f in frames if os.path.abspath(f.filename).startswith(root) and "site-packages" not in f.filename
    ] or frames
    advice = [f"{show_file(os.path.abspath(f.filename))}:{f.lineno}  {f.line}" for f in own[:4]]
    if isinstance(error, ModuleNotFoundError):
        advice.append("imports start in the project's root; --path DIR adds another folder")
    where = f"{show_file(os.path.abspath(own[0].filename))}:{own[0].lineno}" if own else ""
    return Fault("", f"{type(error).__name__}: {error}", origin=where, advice=advice)
