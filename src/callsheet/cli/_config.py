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
from callsheet._note import is_place, place_noted
from callsheet._origin import Origin
from callsheet._project import project_settings
from callsheet._said import parse_all
from callsheet._spec import note_origin
from callsheet._terminal import announce, hush, remark
from callsheet._trust import Policy
from callsheet.errors import CallsheetError, CallsheetWarning, Fault, OverrideError, PathError, RunError, nearest
from callsheet.run._execute import PACKAGE
from callsheet.run._store import Run, Store, project_of, project_root, read_json_file

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
            raise misuse("a run is what it was", "overrides change a config")
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
            tell(_located(error), as_json=as_json)
            misuse = isinstance(error, OverrideError) and not any(fault.path for fault in error.faults)
            sys.exit(2 if misuse else failure)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            sys.exit(130)
        except BrokenPipeError:
            hush()
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
            remark(Fault("", str(message)), name="callsheet")

    warnings.showwarning = show
    warnings.simplefilter("always", CallsheetWarning)


def tell_changes(file: str, changes: Sequence[Change]) -> None:
    """Say in one line on standard error what migrations changed in a file."""
    if changes:
        more = f", and {len(changes) - 3} more" if len(changes) > 3 else ""
        remark(Fault("", f"{file} was migrated: {', '.join(map(str, changes[:3]))}{more}"), name="callsheet")


def tell(faults: Sequence[Fault], *, as_json: bool) -> None:
    """Print faults: on standard error for a person, on standard output as data."""
    if as_json:
        click.echo(json.dumps({"faults": [fault.as_data() for fault in faults]}, indent=1))
        return
    announce(faults, name="callsheet", outcome=_outcome(), more=": --json tells all")


def misuse(problem: str, *advice: str) -> click.UsageError:
    """What was typed makes no command: to be raised, told like a fault, and ended with 2."""
    error = click.UsageError(problem)
    error.add_note("\n".join(advice))
    return error


def fault_of_misuse(error: click.ClickException) -> Fault:
    """What click or a verb says of words that make no command, as a fault; how they are used stands below."""
    problem = error.format_message().rstrip(".")
    problem = problem[:1].lower() + problem[1:]
    notes: list[str] = getattr(error, "__notes__", [])
    advice = [line for note in notes for line in note.splitlines()]
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.NoSuchOption):
        problem = f"there is no option {error.option_name}"
        options = [name for option in context.command.params for name in option.opts] if context is not None else []
        advice += [f"did you mean  {name}?" for name in nearest(error.option_name, [*options, "--help"])[:1]]
    if context is not None:
        advice.append(" ".join(context.get_usage().split()))
        advice.append(f"{context.command_path} --help  tells more")
    return Fault("", problem, advice=advice)


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


def spec_of_run(run: Run) -> tuple[Any, list[Change]]:
    """The spec of a run by today's names, and what was changed for that."""
    changes: list[Change] = []
    spec = load_said(run.directory / "spec.json", [], where="", policy=Policy(), report=changes.append)
    return spec, changes


def origins_of_run(run: Run) -> dict[str, Any]:
    """The recorded values of a run and their origins, by today's paths."""
    found = read_json_file(run.directory / "origins.json")
    if not project_settings().migrations or not (run.directory / "spec.json").exists():
        return found
    renamed = [change for change in spec_of_run(run)[1] if change.name]
    renamed.sort(key=lambda change: len(change.path), reverse=True)  # what lies deeper first: all have their old paths
    return {_today(path, renamed): chain for path, chain in found.items()}


def _today(path: str, renamed: Sequence[Change]) -> str:
    for change in renamed:
        if path == change.path or path.startswith((change.path + ".", change.path + "[")):
            holder = change.path.rpartition(".")[0]
            path = ".".join(filter(None, (holder, change.name))) + path[len(change.path) :]
    return path


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    """Where the user's own code was when it failed, the innermost first."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        own = os.path.abspath(frame.filename)
        inside = own.startswith(PACKAGE + os.sep) and not own.startswith(os.path.join(PACKAGE, "examples"))
        if not inside and not frame.filename.startswith("<") and os.path.exists(frame.filename):
            yield frame


def _own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Those of the frames that are in files of the project."""
    root = str(project_root(Path.cwd())) + os.sep
    return [
        f for f in _frames(error) if os.path.abspath(f.filename).startswith(root) and "site-packages" not in f.filename
    ]


def _line_of(frame: traceback.FrameSummary) -> str:
    return f"{show_file(os.path.abspath(frame.filename))}:{frame.lineno}"


def _located(error: CallsheetError) -> Sequence[Fault]:
    """The faults of an error; where a single one tells no place, the line of the project that asked for it is that."""
    own = _own_frames(error) if len(error.faults) == 1 else []
    (first, *_) = error.faults or (Fault("", ""),)
    if not own or first.path or first.origin:
        return error.faults
    lines = _shown(own) if len(own) > 1 else []
    return [Fault("", first.problem, origin=_line_of(own[0]), advice=[*_noted(error), *first.advice, *lines])]


def _noted(error: BaseException) -> list[str]:
    """What notes of an exception say, but where it was built."""
    notes: list[str] = getattr(error, "__notes__", [])
    return [line for note in notes if not is_place(note) for line in note.splitlines()]


def _shown(frames: Sequence[traceback.FrameSummary]) -> list[str]:
    return [f"{_line_of(frame)}  {frame.line}" for frame in frames[:4]]


def _users_own(error: BaseException) -> bool:
    """Whether an exception came out of code that is not Callsheet's, so that it is no bug of ours."""
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    return not os.path.abspath(last).startswith(PACKAGE + os.sep)


def faults_in(error: BaseException | None) -> Sequence[Fault]:
    """What an exception says, as faults."""
    return () if error is None else _located(error) if isinstance(error, CallsheetError) else [users_fault(error)]


def users_fault(error: BaseException) -> Fault:
    """An exception of the user's code as a fault of what was being built, with the innermost lines of the project."""
    own = _own_frames(error) or [*_frames(error)]
    advice = [*_noted(error), *_shown(own)]
    if isinstance(error, ModuleNotFoundError):
        advice.append("imports start in the project's root; --path DIR adds another folder")
    where = _line_of(own[0]) if own else ""
    path, written = place_noted(error)
    return Fault(path, f"{type(error).__name__}: {error}", origin=written or where, advice=advice)
