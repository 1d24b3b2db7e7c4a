"""What the peers do for the same, each an object whose methods are the rows that it has an operation for."""

from __future__ import annotations

import ast
import builtins
import copy
import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

from plain import LENGTH, Layer


class OmegaConf:
    program = "from omegaconf import OmegaConf"

    def __init__(self) -> None:
        from omegaconf import OmegaConf as library

        self.make: Callable[[Any], Any] = library.create
        self.resolved: Callable[[Any], Any] = partial(library.to_container, resolve=True)

    copy = staticmethod(copy.deepcopy)

    def nested(self) -> Any:
        return self.make({"a": {"b": {"c": {"d": 1}}}})


class Hydra:
    program = "import hydra; from hydra.utils import instantiate"

    def __init__(self) -> None:
        from hydra.utils import instantiate

        self.build: Callable[[Any], Any] = instantiate

    def wide(self, calls: int) -> Any:
        return [self._call(width=n, rate=0.5) for n in range(calls)]

    def chains(self, calls: int) -> Any:
        return _chains(calls, self._call)

    def _call(self, **arguments: Any) -> Any:
        return {"_target_": "plain.Layer", **arguments}


class Fiddle:
    program = "import fiddle"

    def __init__(self) -> None:
        import fiddle

        self.config = fiddle.Config
        self.build: Callable[[Any], Any] = fiddle.build

    copy = staticmethod(copy.deepcopy)

    def make(self, x: Any) -> Any:
        return self.config(dict, **{k: self.make(v) for k, v in x.items()}) if type(x) is dict else x

    def wide(self, calls: int) -> Any:
        return [self.config(Layer, width=n, rate=0.5) for n in range(calls)]

    def chains(self, calls: int) -> Any:
        return _chains(calls, lambda **arguments: self.config(Layer, **arguments))

    def nested(self) -> Any:
        return self.make({"a": {"b": {"c": {"d": 1}}}})


class MlCollections:
    program = "import ml_collections"

    def __init__(self) -> None:
        from ml_collections import ConfigDict

        self.make: Callable[[Any], Any] = ConfigDict

    copy = staticmethod(copy.deepcopy)

    def nested(self) -> Any:
        return self.make({"a": {"b": {"c": {"d": 1}}}})


class Chz:
    program = "import chz"

    def __init__(self) -> None:
        import chz

        self.chz = chz

    def nested(self) -> Any:
        value: Any = 1
        for name in "dcba":
            cls = self.chz.chz(type("Node", (), {"__annotations__": {name: object}, "__module__": __name__}))
            value = cls(**{name: value})
        return value


class LazyConfig:
    """What detectron2 does, written anew over omegaconf, since detectron2 itself is no package of the index."""

    def __init__(self) -> None:
        from omegaconf import DictConfig, ListConfig, OmegaConf

        self.dict_config, self.list_config, self.omegaconf = DictConfig, ListConfig, OmegaConf

    def wrapped(self, content: Any) -> Any:
        return self.dict_config(content, flags={"allow_objects": True})

    def call(self, target: Any) -> Any:
        return lambda **arguments: self.wrapped({**arguments, "_target_": target})

    def load(self, path: str) -> Any:
        found = self.run(path)
        kinds = (dict, self.dict_config, self.list_config)
        return self.wrapped({k: v for k, v in found.items() if isinstance(v, kinds) and not k.startswith("_")})

    def run(self, path: str) -> dict[str, Any]:
        def imported(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
            if level:
                folder = os.path.dirname(path)
                for _ in range(level - 1):
                    folder = os.path.dirname(folder)
                names = self.run(os.path.join(folder, *name.split(".")) + ".py")
                return SimpleNamespace(**{n: self.wrapped(v) if type(v) is dict else v for n, v in names.items()})
            if name == "detectron2.config":
                return SimpleNamespace(LazyCall=self.call)
            if name == "detectron2.model_zoo":
                return SimpleNamespace(get_config=lambda which: self.load(os.path.join(configs, which)))
            return __import__(name, globals, locals, fromlist, level)

        configs = path[: path.rindex("/configs/") + len("/configs")]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        ast.parse(text)  # it looks for errors of syntax first
        names: dict[str, Any] = {"__builtins__": {**vars(builtins), "__import__": imported}}
        exec(compile(text, path, "exec"), names)
        return {name: value for name, value in names.items() if not name.startswith("__")}

    def instantiate(self, x: Any) -> Any:
        if isinstance(x, self.list_config):
            return self.list_config([self.instantiate(v) for v in x], flags={"allow_objects": True})
        if isinstance(x, self.dict_config) and "_target_" in x:
            made = {key: self.instantiate(value) for key, value in x.items()}
            return made.pop("_target_")(**made)
        return x


def _chains(calls: int, call: Callable[..., Any]) -> Any:
    made = []
    for _ in range(calls // LENGTH):
        layer = None
        for n in range(LENGTH):
            layer = call(width=n, inner=layer)
        made.append(layer)
    return made


class Parser:
    """A package of which only the command line is compared."""

    def __init__(self, name: str) -> None:
        self.program = f"import {name}"
        if find_spec(name) is None:
            raise ImportError(name)


def installed() -> dict[str, Any]:
    """Every peer by its name, None for what is not installed."""
    logging.disable()
    sys.setrecursionlimit(100_000)  # Hydra does not get through the chains otherwise
    found: dict[str, Any] = {}
    for name, peer in {
        "omegaconf": OmegaConf,
        "hydra": Hydra,
        "fiddle": Fiddle,
        "ml_collections": MlCollections,
        "chz": Chz,
        "lazyconfig": LazyConfig,
        "tyro": partial(Parser, "tyro"),
        "draccus": partial(Parser, "draccus"),
        "jsonargparse": partial(Parser, "jsonargparse"),
    }.items():
        try:
            found[name] = peer()
        except ImportError:
            found[name] = None
    return found
