"""A command template for the arguments of a script that reads them with `argparse`."""

from __future__ import annotations

import argparse
import re
import shlex


def argparse_to_command(parser: argparse.ArgumentParser, program: str = "", *, prefix: str = "") -> str:
    """A command template with a name for each argument that a parser takes.

    The names are those of the parsed arguments (`dest`), so that a dataclass with such fields fills the template. An
    argument that is None is left out; a `store_true` option is there where its value is true. Help and version are
    left out, and so is what has no value of its own.

    Args:
        parser: The parser of the script.
        program: What starts the script; `python` and the parser's own name by default.
        prefix: Where the names are: `hp.` for those of an experiment's hyperparameters.

    Returns:
        The template, for `Command` or `Launch`.

    Raises:
        ValueError: The parser has subcommands: take the parser of one of them.

    >>> parser = argparse.ArgumentParser(prog="train.py")
    >>> _ = parser.add_argument("data"), parser.add_argument("-b", "--batch-size", type=int)
    >>> _ = parser.add_argument("--pretrained", action="store_true")
    >>> argparse_to_command(parser, prefix="hp.")
    "python train.py --batch-size={{hp.batch_size}} {{hp.pretrained | flag('--pretrained')}} {{hp.data}}"
    """
    options: list[str] = []
    positional: list[str] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            raise ValueError(f"{parser.prog} has subcommands: take the parser of one of {', '.join(action.choices)}")
        if action.dest == argparse.SUPPRESS or isinstance(action, argparse._HelpAction | argparse._VersionAction):
            continue
        name = prefix + action.dest if re.fullmatch(r"\w+", action.dest) else f"{prefix[:-1]}[{action.dest!r}]"
        if action.option_strings:
            options.append(_option(action, name))
        else:
            positional.append(f"{{{{{name}}}}}")
    start = program or f"python {shlex.quote(parser.prog)}"
    # An option that takes any number of values would take the positional ones too.
    greedy = positional and any(
        action.option_strings and action.nargs in ("*", "+", argparse.REMAINDER) for action in parser._actions
    )
    return " ".join([start, *options, *(["--"] if greedy else []), *positional])


def _option(action: argparse.Action, name: str) -> str:
    long = next((text for text in action.option_strings if text.startswith("--")), action.option_strings[0])
    if isinstance(action, argparse.BooleanOptionalAction):
        off = next(text for text in action.option_strings if text.startswith("--no-"))
        return f"{{{{{name} | flag('{long}', '{off}')}}}}"
    if isinstance(action, argparse._StoreTrueAction):
        return f"{{{{{name} | flag('{long}')}}}}"
    if isinstance(action, argparse._StoreFalseAction):
        return f"{{{{(not {name}) | flag('{long}')}}}}"
    if isinstance(action, argparse._StoreConstAction):
        return f"{{{{({name} == {action.const!r}) | flag('{long}')}}}}"
    if isinstance(action, argparse._CountAction):
        return f"{{{{['{long}'] * ({name} or 0)}}}}"
    if isinstance(action, argparse._AppendAction | argparse._ExtendAction):
        return _repeated(action, name, long)
    # With `=`, a value that starts with a dash is no option.
    joined = long.startswith("--") and action.nargs in (None, "?")
    return f"{long}{'=' if joined else ' '}{{{{{name}}}}}"


def _repeated(action: argparse.Action, name: str, long: str) -> str:
    """An option that is given once for each item of a list."""
    if isinstance(action, argparse._ExtendAction):
        return f"{long} {{{{{name}}}}}"
    if action.nargs not in (None, 1):
        raise ValueError(f"{long} takes a list of lists, which a command template does not write")
    return f"{{{{{name} | each('{long}')}}}}"
