"""`callsheet completion`: the script that makes a shell complete, and the answers to what the shell then asks."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from callsheet._candidates import candidates, files
from callsheet._project import root_of
from callsheet._shells import SHELLS, answer, question, script
from callsheet._terminal import say
from callsheet.cli._quick import read, refusal, sorted_words
from callsheet.cli._subject import split_entry
from callsheet.cli._telling import telling
from callsheet.cli._verbs import CONFIGS, PLAIN, QUICK, VERBS

TYPE_CHECKING = False  # importing typing costs as much as reading a config
if TYPE_CHECKING:
    from callsheet._candidates import Candidate

USAGE = """\
Usage: callsheet completion SHELL [PROGRAM]...

  Print what makes bash, zsh or fish complete verbs, files, paths and values,
  also behind `python` and a script that `callsheet.main` made a program; and
  behind each PROGRAM, where such a script is a command of its own.

  eval "$(callsheet completion bash)"      in ~/.bashrc
  callsheet completion zsh > DIR/_callsheet     DIR being in $fpath
  callsheet completion fish | source       in ~/.config/fish/config.fish

Options:
  -h, --help  Show this message and exit.
"""

_SPECS = ("help", "show", "check", "run", "why", "sweep", "diff", "schema")
"""Verbs that take a config and overrides."""
_RUNS = ("show", "why", "diff")
"""Verbs that take a run as well."""
_VALUED = ("--path", "--allow", "--runs", "--slots", "--maximize", "--minimize")


def main(words: list[str]) -> None:
    """Print the script of a shell."""
    shown = USAGE if "--help" in words or "-h" in words else ""
    names = [word for word in words if word != "--json"]
    telling(lambda: say(shown or _script(names), end=""), as_json=len(names) < len(words))


def _script(names: list[str]) -> str:
    options = [name for name in names if name.startswith("-")]
    if options:
        raise refusal(f"there is no option {options[0]}", usage=USAGE)
    if not names or names[0] not in SHELLS:
        problem = f"{names[0]!r} is none of" if names else "name one of"
        raise refusal(f"{problem} {', '.join(SHELLS)}", usage=USAGE)
    return script(names[0], names[1:])


def reply() -> None:
    """Answer a shell; what goes wrong is no answer."""
    asked = question()
    if asked is None:
        return
    try:
        answer(asked, answers(asked.words))
    except Exception:  # noqa: BLE001  (of a config that is being written: a traceback would ruin the line)
        sys.exit(1)


def answers(words: list[str]) -> list[Candidate]:
    """What the last of the words behind `callsheet` may become."""
    *before, word = words
    if not before:
        said = {**VERBS, "--help": "", "--version": ""} if not word or word.startswith("-") else VERBS
        return [(verb, note) for verb, note in said.items() if verb.startswith(word)]
    verb, *before = before
    if before and before[-1] in _VALUED:
        return files(word)
    if word.startswith("-"):
        return _options(verb, word)
    subject, overrides, paths, _ = sorted_words(before)
    if verb == "completion":
        return [(shell, "") for shell in SHELLS if shell.startswith(word)] if not subject else []
    if verb not in _SPECS:
        return files(word, endings=CONFIGS if verb in ("convert",) and not subject else ("",))
    if not subject:
        return _subjects(verb, word)
    file, _ = split_entry(subject[0])
    if verb == "why" and not overrides:
        return candidates(read(file, [], paths)[0], word, values=False)
    configs = [text for text in overrides if "=" not in text and text.endswith(CONFIGS)]
    spec = read(file, [text for text in overrides if text not in configs], paths)[0]
    found = candidates(spec, word, folder=os.path.dirname(os.path.abspath(file)), sweeps=verb == "sweep")
    return found + (_subjects(verb, word) if verb == "diff" else [])


def _subjects(verb: str, word: str) -> list[Candidate]:
    """Configs, the paths in one behind its colon, and runs."""
    file, colon, entry = word.rpartition(":")
    if colon and os.path.isfile(file):
        return [(f"{file}:{path}", note) for path, note in candidates(read(file, [], ())[0], entry, values=False)]
    found = files(word, endings=CONFIGS)
    runs = os.path.join(root_of(os.getcwd()), "runs")
    if verb in _RUNS and os.path.isdir(runs):
        found += [(run, "run") for run in sorted(os.listdir(runs)) if run.startswith(word) and run.isalnum()]
    return found


def _options(verb: str, word: str) -> list[Candidate]:
    if verb in QUICK:
        return [(option, "") for option in ("--help", "--path") if option.startswith(word)]
    if verb not in VERBS:
        return []
    module = import_module(f"callsheet.cli.{verb}")
    if verb in PLAIN:
        named = [(option.flag, option.help) for option in module.VERB.options]
    else:
        params = module.command.params
        named = [(name, getattr(option, "help", None) or "") for option in params for name in option.opts]
    return [(name, note) for name, note in [*named, ("--help", "")] if name.startswith(word) and name[:1] == "-"]
