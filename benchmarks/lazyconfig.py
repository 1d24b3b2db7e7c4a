"""A Mask R-CNN config of detectron2's manner: loaded, and its model built, natively, as LazyConfig, and by hand."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from measure import medians

from callsheet import build, load, save
from callsheet.compat.detectron2 import LazyConfig, instantiate, to_spec

CONFIGS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "tests", "compat", "lazyconfigs", "configs")
CONFIG = os.path.join(CONFIGS, "baselines", "cascade_3x.py")
WORDS = {"LazyCall", "get_config"}


class Part:
    """Stands for every class of detectron2: it keeps what it is given."""

    def __init__(self, **kwargs: Any) -> None:
        self.kwargs = kwargs

    @staticmethod
    def make_default_stages(**kwargs: Any) -> Any:
        return kwargs


class _Anything(ModuleType):
    """A module in which every class is there."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in WORDS:
            raise AttributeError(name)
        return import_module(f"{self.__name__}.{name}") if name in ("nn", "optim") else Part


class _Finder:
    """Finds `detectron2`, `fvcore`, `torch` and `tests` with all that is in them."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in PACKAGES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Anything(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


PACKAGES = ("detectron2", "fvcore", "torch", "tests")


def rows(peers: dict[str, Any]) -> Iterator[tuple[str, float | None, dict[str, float]]]:
    """`(label, goal, seconds)` of each operation."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)  # type: ignore[arg-type]
    try:
        with tempfile.TemporaryDirectory() as folder:
            native = os.path.join(folder, "conf.py")
            save(to_spec(LazyConfig.load(CONFIG)), native)
            with open(native, encoding="utf-8") as file:
                text = file.read()
            loading = {"callsheet": partial(load, native), "plain": partial(_compiled, text)}
            spec, tree = load(native), LazyConfig.load(CONFIG)
            building = {"callsheet": partial(build, spec.model), "plain": _by_hand(text)}
            converted = {"callsheet": partial(LazyConfig.load, CONFIG), "plain": partial(_compiled, text)}
            instantiated = {"callsheet": partial(instantiate, tree.model), "plain": _by_hand(text)}
            peer = peers.get("lazyconfig")
            if peer is not None:
                their = peer.load(CONFIG)
                loading["lazyconfig"] = converted["lazyconfig"] = partial(peer.load, CONFIG)
                building["lazyconfig"] = instantiated["lazyconfig"] = partial(peer.instantiate, their.model)
            yield "Mask R-CNN config, load", None, medians(loading, rounds=31)
            yield "Mask R-CNN config, build its model", None, medians(building, rounds=31)
            yield "the same as LazyConfig, load", None, medians(converted, rounds=31)
            yield "the same as LazyConfig, instantiate", None, medians(instantiated, rounds=31)
    finally:
        sys.meta_path.remove(finder)  # type: ignore[arg-type]
        for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
            del sys.modules[name]


def _compiled(text: str) -> None:
    """The config as ordinary Python, in which a call that waits is a tuple."""
    exec(compile(text.replace("from callsheet import lazy", "lazy = _lazy"), "conf", "exec"), {"_lazy": _lazy})


def _lazy(target: Any) -> Any:
    return lambda **kwargs: (target, kwargs)


def _by_hand(text: str) -> Any:
    """A function that makes the calls of the model, as one would write them."""
    body = text.partition("\nmodel = ")[2].partition("\nlr_multiplier")[0]
    calls = re.sub(r"lazy\([\w.]+\)\(", "Part(", body)
    calls = re.sub(r'"\$\{[^"]*num_classes\}"', "80", calls).replace("ReLU", "Part")
    names: dict[str, Any] = {"Part": Part}
    exec(f"def make():\n    return {calls}", names)
    return names["make"]
