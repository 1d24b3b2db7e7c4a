"""`callsheet diff`: what differs between two specs, or between a config and itself with overrides."""

from __future__ import annotations

import os
import sys

from callsheet._changes import changes_text
from callsheet._diff import diff
from callsheet._encode import to_data
from callsheet._resolve import resolve
from callsheet._terminal import painter, room, say
from callsheet.cli._subject import Subject, refuse_overrides
from callsheet.cli._telling import Misuse
from callsheet.cli._text import print_json
from callsheet.cli._words import READING, Verb


def differ(
    first: str,
    words: tuple[str, ...],
    *,
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    runs: str | None,
    as_json: bool,
) -> None:
    """Tell what differs between two configs, runs or parts of them. Nothing is built.

    Overrides change the second; where there is only one config, it is compared with itself as they change it.
    With a run, which knows no references, the references of a config are replaced by what they lead to. Ends with
    0 where nothing differs, 1 where something does, 2 where something is wrong.

    \b
    callsheet diff conf.py optim.lr=3e-3
    callsheet diff 7f3a9c b21c07
    callsheet diff conf.py:train other.py:train epochs=8
    """  # noqa: D301  (click reads the backspace)
    if not words:
        raise Misuse("name two to compare, or one and overrides", f"callsheet diff {first} PATH=VALUE")
    second, overrides = (first, words) if _is_override(words[0]) else (words[0], words[1:])
    refuse_overrides(second, overrides)
    found = [
        Subject.read(text, said, paths=paths, allow=allow, runs=runs)
        for text, said in ((first, ()), (second, overrides))
    ]
    mixed = (found[0].run is None) is not (found[1].run is None)
    a, b = (_resolved(x) if mixed and x.run is None else x.part for x in found)
    changes = diff(a, b)
    if as_json:
        print_json(to_data(changes))
    else:
        say(changes_text(changes, width=room(), paint=painter()))
    sys.exit(1 if changes else 0)


def _is_override(word: str) -> bool:
    return not os.path.exists(word) and ("=" in word or word.startswith(("~", "@")))


def _resolved(subject: Subject) -> object:
    return Subject(resolve(subject.spec), subject.entry, None).part


VERB = Verb(
    "diff",
    differ,
    first=("first", "FILE[:PATH]|RUN[:PATH]"),
    rest=("words", "[FILE[:PATH]|RUN[:PATH]] [PATH=VALUE]..."),
    options=READING,
    failure=2,
)
