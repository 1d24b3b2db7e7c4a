"""Running: a trial goes from a plan through a request to a worker, and leaves a run directory.

The taxonomy of experiments is imported from here: `from callsheet.run import Experiment, Launch`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._argparse import argparse_to_command as argparse_to_command
    from ._command import render_command as render_command
    from ._experiment import Axis as Axis
    from ._experiment import Command as Command
    from ._experiment import Experiment as Experiment
    from ._experiment import Folders as Folders
    from ._experiment import Image as Image
    from ._experiment import Launch as Launch
    from ._experiment import Resources as Resources
    from ._experiment import Storage as Storage
    from ._groups import HPGroup as HPGroup
    from ._groups import axis as axis
    from ._groups import unroll as unroll
    from ._shape import Needs as Needs
    from ._shape import needs_of as needs_of
    from ._trials import experiments as experiments

_HOME = {
    "_argparse": "argparse_to_command",
    "_command": "render_command",
    "_experiment": "Axis Command Experiment Folders Image Launch Resources Storage",
    "_groups": "HPGroup axis unroll",
    "_shape": "Needs needs_of",
    "_trials": "experiments",
}
"""Where each public name is defined; a name is imported when it is first asked for."""

_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'callsheet.run' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    return value


def __dir__() -> list[str]:
    return list(__all__)
