"""What the quick verbs share: `FILE[:PATH]` and overrides read without click, and errors told as elsewhere."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from callsheet._files import load_said
from callsheet._override import apply
from callsheet._said import parse_all
from callsheet._trust import Policy
from callsheet.errors import Fault, OverrideError

TYPE_CHECKING = False  # importing typing costs as much as reading a config
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn

    from callsheet._grammar import Override

COMMAND_LINE = "command line"


def split_entry(text: str) -> tuple[str, str]:
    """`FILE[:PATH]` as the file and the path."""
    file, colon, entry = text.rpartition(":")
    return (text, "") if not colon or os.path.exists(text) or "/" in entry else (file, entry)


def sorted_words(words: list[str]) -> tuple[list[str], list[str], list[str], list[str]]:
    """The file, the overrides, the `--path` folders and the other options among words."""
    files: list[str] = []
    overrides: list[str] = []
    paths: list[str] = []
    others: list[str] = []
    left = iter(words)
    for word in left:
        if word == "--path":
            paths += [next(left, "")]
        elif word.startswith("--path="):
            paths.append(word[7:])
        elif word.startswith("-"):
            others.append(word)
        else:
            (overrides if files else files).append(word)
    return files, overrides, paths, others


def read(file: str, words: Iterable[str], paths: Iterable[str]) -> tuple[Any, list[Fault]]:
    """A config with the words that fit, and the faults of those that do not; nothing is imported for it.

    Raises:
        CallsheetError: The config itself cannot be read.
    """
    for folder in (*map(os.path.abspath, paths), project_of(file)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    said: list[Override] = []
    faults: list[Fault] = []
    for word in words:
        try:
            said += parse_all(word)
        except OverrideError as error:
            faults += error.faults
    try:
        return load_said(file, said, where=COMMAND_LINE, policy=Policy()), faults
    except OverrideError as error:
        faults += error.faults
    spec = load_said(file, [], where=COMMAND_LINE, policy=Policy())
    for override in said:
        try:
            apply(spec, override, where=COMMAND_LINE)
        except OverrideError:
            continue
    return spec, faults


def project_of(file: str) -> str:
    """The folder where imports start: the nearest upward of a `.py` config, or of here, that is a project's root."""
    own = folder = os.path.dirname(os.path.abspath(file)) if file.endswith(".py") else os.getcwd()
    while True:
        if any(os.path.exists(os.path.join(folder, name)) for name in ("pyproject.toml", ".git")):
            return folder
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return own


def telling(action: Callable[[], None], *, as_json: bool = False) -> None:
    """Do something, and tell what goes wrong as the other verbs do."""
    try:
        action()
    except Exception as error:  # noqa: BLE001  (the other verbs' own handler decides)
        import_module("callsheet.cli._config").told(_raise)(error, as_json=as_json)


def _raise(error: Exception, *, as_json: bool) -> NoReturn:
    raise error
