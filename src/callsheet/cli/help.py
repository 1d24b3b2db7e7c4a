"""`callsheet help`: what can be changed in a config, with values, types and origins; nothing is built or imported."""

from __future__ import annotations

import sys

from callsheet._guide import Entry, guide
from callsheet._lazy import get
from callsheet._page import page
from callsheet._path import parse_path
from callsheet._terminal import columns, painter, say
from callsheet.cli._quick import read, refusal, sorted_words
from callsheet.cli._subject import split_entry
from callsheet.cli._telling import telling
from callsheet.cli._text import print_json
from callsheet.cli._words import as_value, near_option
from callsheet.errors import Fault, OverrideError

TYPE_CHECKING = False  # importing typing costs as much as reading a config
if TYPE_CHECKING:
    from typing import Any

USAGE = """\
Usage: callsheet help [OPTIONS] FILE[:PATH] [PATH=VALUE]...

  Tell what can be changed in a config: each value with its type, its choices,
  who set it and what is said about it, with what is typed behind the file.
  Nothing is built, and nothing is imported: types and descriptions are those
  that `callsheet check` and `callsheet run` have read.

  callsheet help conf.py
  callsheet help conf.py:optim optim.lr=3e-3

Options:
  --path DIR  Also import from DIR.
  --json      Print data for a program.
  -h, --help  Show this message and exit.
"""

OPTIONS = ("--path", "--json", "--help")


def main(words: list[str], *, verb: str = "") -> None:
    """Print the help of the config that stands among the words.

    Args:
        words: What follows the verb.
        verb: The verb with which somebody asked for the help of its config.
    """
    files, overrides, paths, others = sorted_words(words)
    if verb:
        overrides = [word for word in overrides if "=" in word or word.startswith("~")]  # the rest belongs to options
    elif "--help" in others or "-h" in others:
        telling(lambda: say(USAGE, end=""))
        return
    as_json = "--json" in others

    def action() -> None:
        _refuse_unknown(files, [] if verb else others)
        if as_json:
            _print_data(files[0], overrides, paths)
        else:
            _print(files[0], overrides, paths, verb)

    telling(action, as_json=as_json)


def _refuse_unknown(files: list[str], options: list[str]) -> None:
    unknown = [option for option in options if option != "--json"]
    if unknown or not files:
        problem = f"there is no option {unknown[0]}" if unknown else "name a config"
        meant = [near_option(name, OPTIONS) or [f"write  {as_value(name)}"] for name in unknown[:1]]
        raise refusal(problem, *(line for lines in meant for line in lines), usage=USAGE)


def _print_data(config: str, overrides: list[str], paths: list[str]) -> None:
    """Print the same as data, with the faults of what was typed."""
    file, entry = split_entry(config)
    spec, faults = read(file, overrides, paths)
    part: Any = get(spec, entry) if entry else spec
    sections = guide(part, at=parse_path(entry) if entry else ())
    data = {
        "faults": [fault.as_data() for fault in _each_once(faults)],
        "sections": [
            {
                "path": section.path,
                "label": section.label,
                "summary": section.summary,
                "told": section.told,
                "entries": [{name: getattr(entry, name) for name in Entry.__slots__} for entry in section.entries],
            }
            for section in sections
        ],
    }
    print_json(data)
    if faults:
        sys.exit(1)


def _print(config: str, overrides: list[str], paths: list[str], verb: str) -> None:
    file, entry = split_entry(config)
    spec, faults = read(file, overrides, paths)
    part: Any = get(spec, entry) if entry else spec
    say(page(guide(part, at=parse_path(entry) if entry else ()), width=columns(), paint=painter()))
    if verb:
        say(f"\nThe options of the verb:  callsheet {verb} --help")
    if faults:
        raise OverrideError(*_each_once(faults))


def _each_once(faults: list[Fault]) -> list[Fault]:
    return list({repr(fault): fault for fault in faults}.values())
