"""LightEx's functions on configurations: unrolled, replaced, as data, found by name, as a command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from callsheet._encode import to_data
from callsheet._files import load
from callsheet._replace import replace
from callsheet.errors import Fault, SpecError
from callsheet.formats import yaml
from callsheet.run._argparse import argparse_to_command as command_of_parser
from callsheet.run._command import render_command as render_command
from callsheet.run._groups import Grid

__all__ = [
    "argparse_to_command",
    "load_config",
    "render_command",
    "rreplace",
    "to_dict",
    "to_yaml",
    "unroll_top_fields",
    "update_dataconfig_with_args",
]


class AttributeDict(dict[str, Any]):
    """A dict whose items are read as attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def to_dict(config: Any) -> Any:
    """A dataclass as nested dicts, whose items are read as attributes too."""
    return _attributes(asdict(config))


def _attributes(x: Any) -> Any:
    if isinstance(x, dict):
        return AttributeDict((key, _attributes(value)) for key, value in x.items())
    return [_attributes(value) for value in x] if isinstance(x, list) else x


def to_yaml(config: Any) -> str:
    """A dataclass as plain YAML; what JSON lacks is told as text. `callsheet.save` writes what can be loaded back."""
    return yaml.write(to_data(config, plain=True))


def unroll_top_fields(group: Any, target: type) -> list[Any]:
    """An instance of a class for each combination of the lists in the fields of a dataclass.

    Args:
        group: A dataclass; the last field that is a list varies fastest.
        target: A dataclass with those of its fields that matter; one that is declared as a sequence keeps its list.

    Raises:
        SpecError: `group` is no dataclass, or a list is empty.
    """
    if not is_dataclass(group) or isinstance(group, type):
        raise SpecError(Fault("", f"unroll_top_fields takes an instance of a dataclass, found {group!r}"))
    taken = {field.name for field in fields(target)} if is_dataclass(target) else set()
    values = {field.name: getattr(group, field.name) for field in fields(group) if field.name in taken}
    return list(Grid(target, values))


def rreplace(config: Any, updates: Mapping[str, Any]) -> Any:
    """A configuration with other values at any depth; the given one stays as it was.

    Args:
        config: A dataclass.
        updates: Values by path (`{"loggers.mlflow.port": 30005}`), or nested (`{"loggers": {"mlflow": {"port": 1}}}`).

    Raises:
        PathError: A path leads to nothing.
    """
    return replace(config, dict(_paths(config, updates, "")))


def _paths(config: Any, updates: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for path, value in updates.items():
        held = config
        for name in path.split("."):
            held = held.get(name) if isinstance(held, Mapping) else getattr(held, name, None)
        if isinstance(value, Mapping) and is_dataclass(held):
            yield from _paths(held, value, f"{above}{path}.")
        else:
            yield above + path, value


def load_config(config_dir: str | os.PathLike[str], config_name: str, update_args: Any = None) -> Any:
    """The instance of a name in the `lxconfig.py` of a folder.

    Args:
        config_dir: The folder.
        config_name: The name of the instance.
        update_args: Parsed arguments: those whose name has a dot and that are not None replace what stands there.

    Raises:
        LoadError: There is no such file.
        PathError: It defines no such name, or an argument leads to nothing.
    """
    config = load(os.path.join(config_dir, "lxconfig.py"), keys=config_name)
    return config if update_args is None else update_dataconfig_with_args(config, update_args)


def update_dataconfig_with_args(config: Any, args: Any) -> Any:
    """A configuration in which parsed arguments with a dot in their name replace what stands there."""
    return rreplace(config, {name: value for name, value in vars(args).items() if "." in name and value is not None})


def argparse_to_command(args: Any, add_placeholders: bool = True, values_are_names: bool = True) -> str:
    """A command template of a parser, or as LightEx has it of parsed arguments: each as an option with its name.

    Args:
        args: A parser, from which options, flags and positional arguments are told apart; or parsed arguments.
        add_placeholders: Of parsed arguments: whether each stands in braces.
        values_are_names: Of parsed arguments: whether each stands by its name, else by its value.
    """
    if isinstance(args, argparse.ArgumentParser):
        return command_of_parser(args)
    words = [sys.argv[0]]
    for name, value in vars(args).items():
        shown = name if values_are_names else str(value)
        words.append(f"--{name} {'{{' + shown + '}}' if add_placeholders else shown}")
    return " ".join(words)
