"""What the quick verbs share: `FILE[:PATH]` and overrides read without click."""

from __future__ import annotations

from callsheet._files import load_said
from callsheet._override import apply
from callsheet._said import parse_all
from callsheet._trust import Policy
from callsheet.cli._subject import COMMAND_LINE, import_from
from callsheet.cli._telling import Misuse
from callsheet.errors import Fault, OverrideError

TYPE_CHECKING = False  # importing typing costs as much as reading a config
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from callsheet._grammar import Override


def refusal(problem: str, *advice: str, usage: str) -> Misuse:
    """What was typed makes no command of a verb that click does not read.

    Args:
        problem: What is wrong, as one phrase.
        advice: What was meant, a line each.
        usage: The verb's page, of which the first line is told.
    """
    first = usage.partition("\n")[0]
    return Misuse(problem, *advice, first, f"callsheet {first.split()[2]} --help  tells more")


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
    import_from(file, paths)
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
            spec = apply(spec, override, where=COMMAND_LINE)
        except OverrideError:
            continue
    return spec, faults
