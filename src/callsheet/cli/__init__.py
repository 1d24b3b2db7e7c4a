"""The `callsheet` command: what a person waits for while typing is answered at once, all else goes through click."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from callsheet.cli._verbs import CONFIGS, PLAIN, QUICK, VERBS


def main(prog_name: str = "callsheet") -> None:
    """Run the command line of this process."""
    words = sys.argv[1:]
    if len(words) == 2 and words[0] == "help" and words[1] in VERBS:  # a config's name ends in one of CONFIGS
        words = sys.argv[1:] = [words[1], "--help"]
    if "_CALLSHEET_COMPLETE" in os.environ:
        import_module("callsheet.cli.completion").reply()
    elif words and words[0] in QUICK:
        import_module(f"callsheet.cli.{words[0]}").main(words[1:])
    elif words and words[0] in VERBS and _asks_of_config(words[1:]):
        import_module("callsheet.cli.help").main(words[1:], verb=words[0])
    elif not (words and words[0] in PLAIN and _answered(words[0], words[1:])):
        import_module("callsheet.cli._group").command(prog_name=prog_name)


def _answered(name: str, words: list[str]) -> bool:
    """Answer a verb whose words are plain; where they are not, or mean nothing together, click is to say so."""
    verb = import_module(f"callsheet.cli.{name}").VERB
    given = verb.given(words)
    if given is None:
        return False
    try:
        verb.answer(given)
    except import_module("callsheet.cli._telling").Misuse:
        return False
    return True


def _asks_of_config(words: list[str]) -> bool:
    """Whether `--help` stands behind a config: it is the config that somebody wants to know about."""
    files = (word.partition(":")[0] for word in words if "=" not in word)
    return ("--help" in words or "-h" in words) and any(
        file.endswith(CONFIGS) and os.path.isfile(file) for file in files
    )
