"""What the peers do for the same, each an object whose methods are the rows that it has an operation for."""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import Callable
from functools import partial
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


def _chains(calls: int, call: Callable[..., Any]) -> Any:
    made = []
    for _ in range(calls // LENGTH):
        layer = None
        for n in range(LENGTH):
            layer = call(width=n, inner=layer)
        made.append(layer)
    return made


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
    }.items():
        try:
            found[name] = peer()
        except ImportError:
            found[name] = None
    return found
