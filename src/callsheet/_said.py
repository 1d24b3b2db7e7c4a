"""What users say: texts, and files of texts, read as overrides."""

from __future__ import annotations

import os

from ._configfile import show_file
from ._grammar import Override, parse
from .errors import Fault, OverrideError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def parse_all(texts: Iterable[str] | str) -> list[Override]:
    """Read overrides of which each stands for one value.

    Args:
        texts: Overrides, or names of files that hold some: `@overrides.txt`.

    Raises:
        OverrideError: With a fault for each that cannot be read.
    """
    return _read(texts, _single)


def parse_sweeping(texts: Iterable[str] | str) -> list[Override]:
    """Read overrides of which each stands for one value or sweeps over several.

    Args:
        texts: As for `parse_all`.

    Raises:
        OverrideError: With a fault for each that cannot be read.
    """
    return _read(texts, lambda said: said)


def _read(texts: Iterable[str] | str, accepted: Callable[[Override], Override]) -> list[Override]:
    overrides: list[Override] = []
    faults: list[Fault] = []
    for given in [texts] if isinstance(texts, str) else texts:
        try:
            lines = _lines(given) if given.startswith("@") else ((given, ""),)
        except OverrideError as error:
            faults += error.faults
            continue
        for text, where in lines:
            try:
                said = accepted(parse(text))
                said.where = where
                overrides.append(said)
            except OverrideError as error:
                faults += [_placed(fault, where) for fault in error.faults]
    if faults:
        raise OverrideError(*faults)
    return overrides


def _placed(fault: Fault, where: str) -> Fault:
    return Fault(fault.path, fault.problem, origin=where or fault.origin, advice=fault.advice)


def typed(text: str) -> str:
    """An override as advice shows it: so that a shell hands on what was meant, in quotes if it needs them.

    >>> print(typed("lr=1"), typed("a='b'"), typed("a=[1,2]"))
    lr=1 "a='b'" "a=[1,2]"
    """
    if all(c.isalnum() or c in "._-+=:/@%," for c in text):
        return text
    return "'" + text.replace("'", "'\\''") + "'" if any(c in '"$`\\!' for c in text) else f'"{text}"'


def _single(said: Override) -> Override:
    if not said.is_sweep:
        return said
    advice = ["to try each:  callsheet sweep"]
    if said.choices and len(said.choices) <= _SHOWN:
        value = f"{said.text.partition('=')[0]}=[{','.join(said.texts)}]"
        advice.insert(0, f"for one value:  {typed(value)}")
    problem = "is a sweep, and only one value can stand here"
    raise OverrideError(Fault(said.path, problem, origin=said.text, advice=advice))


_SHOWN = 20


def _lines(given: str) -> list[tuple[str, str]]:
    """The lines of `@file` that say something, each with where it stands.

    Raises:
        OverrideError: The file cannot be read, or names another.
    """
    path = os.path.abspath(os.path.expanduser(given[1:]))
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problem = f"the overrides in {show_file(path)} cannot be read: {why}"
        raise OverrideError(Fault("", problem, advice=["@FILE names a file with one override a line"])) from None
    found = [(line.strip(), f"{show_file(path)}:{number}") for number, line in enumerate(lines, 1)]
    found = [(text, where) for text, where in found if text and not text.startswith("#")]
    for text, where in found:
        if text.startswith("@"):
            problem = f"{text} names a file of overrides inside of one"
            raise OverrideError(Fault("", problem, origin=where, advice=["name both where this one is named"]))
    return found
