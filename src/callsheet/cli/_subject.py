"""Configs and runs as they are named on the command line: `FILE[:PATH]` with overrides, and `RUN[:PATH]`."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from callsheet._entry import from_entry
from callsheet._files import load_said
from callsheet._lazy import get
from callsheet._project import home_of
from callsheet._said import parse_all
from callsheet._trust import Policy
from callsheet.cli._telling import Misuse, tell_changes

TYPE_CHECKING = False  # importing typing costs as much as reading a config
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from callsheet._grammar import Override
    from callsheet._migrate import Change
    from callsheet.run._store import Run

COMMAND_LINE = "command line"
"""What origins and errors call whoever typed the command."""


def split_entry(text: str) -> tuple[str, str]:
    """`FILE[:PATH]` as the file and the path."""
    file, colon, entry = text.rpartition(":")
    return (text, "") if not colon or os.path.exists(text) or "/" in entry else (file, entry)


def import_from(file: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Let imports start in the folders of `--path` and in a config's project; give those folders, absolute."""
    folders = tuple(os.path.abspath(path) for path in paths)
    for folder in reversed((*folders, home_of(file))):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    return folders


class Config:
    """A config named on the command line; imports start in its project's root, as they will in workers.

    Raises:
        LoadError: The settings of the project have no meaning.

    Args:
        text: `FILE[:ENTRY]`.
        paths: Folders from which modules are imported as well.
        allow: What a data file may import.

    Attributes:
        file: The file as it was typed.
        entry: What follows its colon: the path of what is meant; "" for none.
        paths: The folders, absolute.
        policy: What a data file may import.
    """

    def __init__(self, text: str, paths: tuple[str, ...], allow: tuple[str, ...]) -> None:
        self.file, self.entry = split_entry(text)
        self.paths = import_from(self.file, paths)
        self.policy = Policy(allow)

    def load(self, overrides: tuple[str, ...]) -> Any:
        """The spec, with what was typed."""
        return self.load_parsed(parse_all(overrides))

    def load_parsed(self, overrides: Sequence[Override]) -> Any:
        """The spec, with overrides that are read already; one that starts with no name of it starts in the entry."""
        found = from_entry(self.file, self.entry, overrides, policy=self.policy)
        return self.loaded([early or said for early, said in zip(found, overrides, strict=True)])

    def loaded(self, overrides: Sequence[Override]) -> Any:
        """The spec, with overrides that start in it; what migrations changed in it is told in a line."""
        changes: list[Change] = []
        spec = load_said(self.file, overrides, where=COMMAND_LINE, policy=self.policy, report=changes.append)
        tell_changes(self.file, changes)
        return spec


class Subject:
    """A config or a run that was named on the command line, read.

    Attributes:
        spec: All of it.
        entry: The path of the part that is meant; "" for all.
        run: The run, None for a config.
    """

    def __init__(self, spec: Any, entry: str, run: Run | None) -> None:
        self.spec = spec
        self.entry = entry
        self.run = run

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
            Misuse: There are overrides for a run.
            RunError: The text names no file, and there is no such run.
            CallsheetError: The config cannot be read, or an override does not fit.
        """
        word, entry = _run_and_entry(text)
        if not word:
            named = Config(text, paths, allow)
            return cls(named.load(overrides), named.entry, None)
        refuse_overrides(text, overrides)
        run = run_named(word, runs)
        assert run is not None
        return cls(import_module("callsheet.cli._recorded").spec_as_recorded(run), entry, run)


def refuse_overrides(text: str, overrides: tuple[str, ...]) -> None:
    """Refuse overrides of a run, before anything is read.

    Raises:
        Misuse: The text names a run, and there are overrides.
    """
    if overrides and _run_and_entry(text)[0]:
        raise Misuse("a run is what it was", "overrides change a config")


def run_named(text: str, runs: str | None) -> Run | None:
    """The run that a word of the command line means, by its id or directory; None for a config.

    Raises:
        RunError: The word is no file, and no run has such an id.
    """
    if not _names_run(text):
        return None
    run: Run = import_module("callsheet.run._store").find_run(text, runs)
    return run


def _run_and_entry(text: str) -> tuple[str, str]:
    """`RUN[:ENTRY]` as the run and the entry; an empty run for a config."""
    if _names_run(text):
        return text, ""
    word, entry = split_entry(text)
    return (word, entry) if entry and _names_run(word) else ("", "")


def _names_run(text: str) -> bool:
    return os.path.isfile(os.path.join(text, "run.json")) or (text.isalnum() and not os.path.exists(text))
