"""`callsheet check`: every fault of a spec, before anything is built."""

from __future__ import annotations

import functools
import sys
import textwrap

import click

from callsheet._changes import Changes, changes_text
from callsheet._check import examine
from callsheet._encode import to_data
from callsheet._files import load_said
from callsheet._grammar import Override
from callsheet._items import CALLS
from callsheet._lazy import get, walk
from callsheet._override import apply
from callsheet._project import project_settings
from callsheet._reach import others_changed, reached_nothing
from callsheet._said import parse_all
from callsheet._terminal import painter, room, say, tell_error
from callsheet.cli._config import allow_option, json_option, overrides_argument, path_option, told
from callsheet.cli._faults import tell
from callsheet.cli._subject import COMMAND_LINE, Config
from callsheet.cli._text import print_json
from callsheet.errors import Fault, OverrideError, render
from callsheet.run._trials import entry_faults, placed

NOTHING_BUILT = "nothing was built"


@click.command("check")
@click.argument("config", metavar="FILE[:PATH]")
@overrides_argument
@path_option
@allow_option
@json_option
@functools.partial(told, outcome=NOTHING_BUILT)
def command(
    config: str, overrides: tuple[str, ...], paths: tuple[str, ...], allow: tuple[str, ...], as_json: bool
) -> None:
    """Report every fault of a spec: names, types, missing values, references. Nothing is built.

    \b
    callsheet check conf.py optim.lr=3e-3
    """  # noqa: D301  (click reads the backspace)
    project_settings()  # what is wrong with them is told, also where a Python config asks for none
    named = Config(config, paths, allow)
    said, late = placed(named.file, named.entry, parse_all(overrides), policy=named.policy)
    faults: list[Fault] = []
    try:
        spec = named.loaded(said)
    except OverrideError as error:
        # The overrides that do not fit are faults like the others: they are told together.
        faults += error.faults
        spec = load_said(named.file, [], where=COMMAND_LINE, policy=named.policy)
        for override in said:
            try:
                spec = apply(spec, override, where=COMMAND_LINE)
            except OverrideError:
                continue
    part = get(spec, named.entry) if named.entry else spec
    found, notes = examine(part, root=spec)
    faults += found
    if not faults:
        faults += entry_faults(spec, named.entry, late, where=COMMAND_LINE)
    changed = Changes()
    if said and not faults:
        plain = load_said(named.file, [], where=COMMAND_LINE, policy=named.policy)
        changed = others_changed(plain, spec, said, below=named.entry)
        notes += reached_nothing(named.file, plain, spec, said, changed)
    if faults:
        faults.sort(key=lambda fault: _place(fault, said))
        tell(faults, as_json=as_json, outcome=NOTHING_BUILT)
        sys.exit(1)
    calls = sum(type(value) in CALLS for _, value in walk(part))
    if as_json:
        told_of = {"notes": [note.as_data() for note in notes], "also_changed": to_data(changed)}
        print_json({"faults": [], **told_of, "calls": calls})
    else:
        if notes:
            count = f"{len(notes)} note{'' if len(notes) == 1 else 's'}"
            shown = render(notes, indent="  ", width=room(sys.stderr), paint=painter(sys.stderr))
            tell_error(f"callsheet: {count}\n{shown}")
        say(f"{config}: {calls} call{'' if calls == 1 else 's'}, no faults")
        if changed:
            shown = changes_text(changed, width=room() and room() - 2, paint=painter())
            say(f"{', '.join(map(_short, overrides))} also changed\n" + textwrap.indent(shown, "  "))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:56]} ..."


def _place(fault: Fault, said: list[Override]) -> int:
    """What the user typed wrong comes first, in the order in which it was typed."""
    return next(
        (n for n, override in enumerate(said) if fault.origin == COMMAND_LINE and override.path == fault.path),
        len(said),
    )
