"""Describe a machine-learning experiment as Python calls that have not happened yet."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._arguments import pop as pop
    from ._arguments import swap as swap
    from ._arguments import update as update
    from ._axes import chain as chain
    from ._axes import choice as choice
    from ._axes import grid as grid
    from ._axes import halton as halton
    from ._axes import interval as interval
    from ._axes import random as random
    from ._axes import zipped as zipped
    from ._build import build as build
    from ._changes import Change as Change
    from ._changes import Changes as Changes
    from ._changes import Same as Same
    from ._check import check as check
    from ._codegen import to_python as to_python
    from ._config import Config as Config
    from ._decode import from_data as from_data
    from ._diff import diff as diff
    from ._edit import edit as edit
    from ._edit import override as override
    from ._encode import to_data as to_data
    from ._factory import factory as factory
    from ._files import load as load
    from ._files import load_rel as load_rel
    from ._files import save as save
    from ._identity import equal as equal
    from ._identity import hash_of as hash_of
    from ._lazy import arguments as arguments
    from ._lazy import get as get
    from ._lazy import lazy as lazy
    from ._lazy import origin as origin
    from ._lazy import partial as partial
    from ._lazy import plain as plain
    from ._lazy import rewrite as rewrite
    from ._lazy import target as target
    from ._lazy import walk as walk
    from ._leaf import MISSING as MISSING
    from ._merge import merge as merge
    from ._optuna import Optuna as Optuna
    from ._origin import Origin as Origin
    from ._patch import patch as patch
    from ._ref import Ref as Ref
    from ._reftext import ref as ref
    from ._replace import replace as replace
    from ._resolve import resolve as resolve
    from ._schema import schema as schema
    from ._script import main as main
    from ._secret import Secret as Secret
    from ._space import Space as Space
    from ._spec import Call as Call
    from ._spec import Partial as Partial
    from ._spec import copy as copy
    from ._sweep import Sweep as Sweep
    from ._sweep import Trial as Trial
    from ._sweep import sweep as sweep
    from ._weights import WeightsReport as WeightsReport
    from ._weights import load_weights as load_weights
    from ._weights import save_weights as save_weights
    from .errors import CallsheetError as CallsheetError
    from .errors import CallsheetWarning as CallsheetWarning
    from .run._runs import Runs as Runs
    from .run._runs import runs as runs
    from .run.process import Process as Process
    from .run.restore import restore as restore
    from .run.submit import submit as submit

__version__ = "0.1.0"

_HOME = {
    "_arguments": "pop swap update",
    "_axes": "chain choice grid halton interval random zipped",
    "_build": "build",
    "_changes": "Change Changes Same",
    "_check": "check",
    "_decode": "from_data",
    "_encode": "to_data",
    "_schema": "schema",
    "_codegen": "to_python",
    "_config": "Config",
    "_diff": "diff",
    "_factory": "factory",
    "_files": "load load_rel save",
    "_identity": "equal hash_of",
    "_lazy": "arguments get lazy origin partial plain rewrite target walk",
    "_leaf": "MISSING",
    "_optuna": "Optuna",
    "_origin": "Origin",
    "_merge": "merge",
    "_edit": "edit override",
    "_patch": "patch",
    "_ref": "Ref",
    "_reftext": "ref",
    "_replace": "replace",
    "_resolve": "resolve",
    "_script": "main",
    "_secret": "Secret",
    "_space": "Space",
    "_spec": "Call Partial copy",
    "_sweep": "Sweep Trial sweep",
    "_weights": "WeightsReport load_weights save_weights",
    "errors": "CallsheetError CallsheetWarning",
    "run._runs": "Runs runs",
    "run.process": "Process",
    "run.restore": "restore",
    "run.submit": "submit",
}
"""Where each public name is defined; a name is imported when it is first asked for."""

_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'callsheet' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
