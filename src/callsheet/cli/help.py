"""`callsheet help`: what can be changed in a config, with values, types and origins; nothing is built or imported."""

from __future__ import annotations

import sys

from callsheet._guide import guide
from callsheet._lazy import get
from callsheet._page import columns, is_coloured, page
from callsheet._path import parse_path
from callsheet.cli._quick import read, sorted_words
from callsheet.cli._subject import split_entry
from callsheet.cli._telling import telling
from callsheet.cli._text import say
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
  -h, --help  Show this message and exit.
"""


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
        print(USAGE, end="")
        return
    elif others or not files:
        problem = f"There is no option {others[0]}." if others else "Name a config."
        print(f"{USAGE}\nError: {problem}", file=sys.stderr)
        sys.exit(2)
    telling(lambda: _print(files[0], overrides, paths, verb))


def _print(config: str, overrides: list[str], paths: list[str], verb: str) -> None:
    file, entry = split_entry(config)
    spec, faults = read(file, overrides, paths)
    part: Any = get(spec, entry) if entry else spec
    say(page(guide(part, at=parse_path(entry) if entry else ()), width=columns(), colour=is_coloured()))
    if verb:
        say(f"\nThe options of the verb:  callsheet {verb} --help")
    if faults:
        raise OverrideError(*_each_once(faults))


def _each_once(faults: list[Fault]) -> list[Fault]:
    return list({repr(fault): fault for fault in faults}.values())
