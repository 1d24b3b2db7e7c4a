"""`LazyConfig`: load, edit, save and show configs, in detectron2's words."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from typing import Any

from callsheet._configfile import PREFIX
from callsheet._grammar import Override, parse
from callsheet._path import format_path
from callsheet._word import plain_value
from callsheet.errors import Fault, OverrideError

from . import _files, _tree
from ._text import text_of
from ._yaml import write_yaml

_log = logging.getLogger(__name__)


class LazyConfig:
    """Load, edit, save and show a LazyConfig file."""

    load = staticmethod(_files.load)
    load_rel = staticmethod(_files.load_rel)
    to_container = staticmethod(_tree.to_container)

    @staticmethod
    def save(cfg: Any, filename: str) -> None:
        """Write a config as YAML; references stay as they are written.

        Where it holds what YAML cannot say (a lambda), the file is for people
        only: a warning is logged that names the values, and the config is
        pickled beside it, in `filename` + ".pkl", if cloudpickle is installed.

        Args:
            cfg: A container that `load` gave.
            filename: Of the YAML file; it is replaced in one step where it exists.
        """
        lost = write_yaml(cfg, filename)
        if not lost:
            return
        _log.warning(
            "The config contains objects that cannot serialize to a valid yaml: %s. "
            "%s is human-readable but cannot be loaded.",
            ", ".join(lost),
            filename,
        )
        try:
            import cloudpickle  # type: ignore[import-untyped,import-not-found,unused-ignore]
        except ModuleNotFoundError:
            _log.warning("pip install cloudpickle, and save pickles it as well.")
            return
        try:
            for module in {
                key for key in sys.modules if key.startswith(PREFIX)
            } - cloudpickle.list_registry_pickle_by_value():
                cloudpickle.register_pickle_by_value(sys.modules[module])
            pickled = cloudpickle.dumps(cfg)
        except Exception as error:  # noqa: BLE001  (whatever an object raises that refuses; the YAML is there)
            _log.warning("The config cannot be pickled either: %s: %s", type(error).__name__, error)
            return
        with open(f"{filename}.pkl.part", "wb") as file:
            file.write(pickled)
        os.replace(f"{filename}.pkl.part", f"{filename}.pkl")
        _log.warning("Config is saved using cloudpickle at %s.pkl.", filename)

    @staticmethod
    def apply_overrides(cfg: Any, overrides: Iterable[str]) -> Any:
        """Change a config in place.

        Args:
            cfg: A container that `load` gave.
            overrides: Such as `"train.max_iter=100"`; keys that are not there are added, `~key` deletes one.

        Returns:
            The same config.

        Raises:
            KeyError: A key leads below what is no container.
            OverrideError: A text is no override, or would sweep.
        """
        for said in [_single(parse(text)) for text in overrides]:
            _apply(cfg, said)
        return cfg

    @staticmethod
    def to_py(cfg: Any, prefix: str = "cfg.") -> str:
        """A config as Python-like text: a sorted line for each value, `cfg.a.b = ...`, calls as calls.

        Args:
            cfg: A container that `load` gave.
            prefix: What each line starts with.
        """
        return text_of(_tree.to_container(cfg, resolve=True), prefix)


for _module in ("detectron2.config", "detectron2.config.lazy"):
    _files.SERVED[_module]["LazyConfig"] = LazyConfig


def _single(said: Override) -> Override:
    if said.is_sweep:
        raise OverrideError(Fault("", f"{said.text!r} is a sweep, and only one value can stand here"))
    if said.below or said.operation in ("remove", "splice"):
        raise OverrideError(Fault("", f"{said.text!r} is no override of a LazyConfig: give a whole list"))
    return said


def _apply(cfg: Any, said: Override) -> None:
    conf = _tree.library().OmegaConf
    for n in range(1, len(said.steps)):
        prefix = format_path(said.steps[:n])
        found = conf.select(cfg, prefix, default=None)
        if found is None:
            break
        if not _tree.is_config(found):
            problem = f"Trying to update key {said.path}, but {prefix} is not a config, but has type {type(found)}."
            raise KeyError(problem)
    if said.operation == "delete":
        holder: Any = conf.select(cfg, format_path(said.steps[:-1])) if said.steps[1:] else cfg
        last = int(said.steps[-1]) if conf.is_list(holder) else said.steps[-1]
        if holder is None or last not in (range(len(holder)) if conf.is_list(holder) else holder):
            raise KeyError(f"{said.path} is not there to be deleted")
        del holder[last]
        return
    value = plain_value(said.choices[0])
    if said.operation == "append":
        before = conf.select(cfg, said.path, default=[])
        value = [*before, *(value if isinstance(value, list) else [value])]
    conf.update(cfg, said.path, _tree.new(value), merge=True)
