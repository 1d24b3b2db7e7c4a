"""Calls as dicts: `LazyCall` describes one, `instantiate` makes it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from functools import reduce
from typing import Any, Self

from callsheet._configfile import PREFIX, file_of_module
from callsheet._target import Name, parse_name, resolve

from . import _tree


class Target(str):
    """The text of a `_target_` that a data file wrote, with the policy that its import asks."""

    __slots__ = ("policy",)

    policy: Any

    def __new__(cls, text: str, policy: Any) -> Self:
        """A text like any other."""
        made = super().__new__(cls, text)
        made.policy = policy
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Target, (str(self), self.policy)


class LazyCall:
    """A call as a dict with the key `_target_`: `LazyCall(Net)(width=64)`.

    Args:
        target: A callable, its name as text (`"torch.nn.Linear"`), or a call
            that gives a callable.

    Raises:
        TypeError: It is none of these.

    >>> LazyCall("torch.nn.Linear")(in_features=3, out_features="${.in_features}").out_features
    3
    """

    def __init__(self, target: Any) -> None:
        if not (callable(target) or isinstance(target, str | Mapping | Name)):
            raise TypeError(f"target of LazyCall must be a callable or defines a callable! Got {target}")
        self._target = target

    def __call__(self, **kwargs: Any) -> Any:
        """The `DictConfig` of the call; only keyword arguments have a place in it."""
        target = self._target
        if isinstance(target, Name) or dataclasses.is_dataclass(target) or _is_container_class(target):
            target = target_text(target)
        return _tree.new_dict({**kwargs, "_target_": target})


def _is_container_class(x: Any) -> bool:
    """Whether omegaconf would take a class for the type of a container."""
    return isinstance(x, type) and issubclass(x, dict | list | tuple)


def in_config(x: Any) -> bool:
    """Whether a config file defines a class or function."""
    module = getattr(x, "__module__", None)
    return (
        isinstance(module, str) and module.startswith(PREFIX) and module in sys.modules and hasattr(x, "__qualname__")
    )


def target_text(target: Any) -> Any:
    """The shortest name under which a class or function can be imported; anything else as it is.

    What a config file defines has the file in its name, which leads to it in this process only.

    >>> from collections import OrderedDict
    >>> target_text(OrderedDict)
    'collections.OrderedDict'
    """
    if isinstance(target, Name):
        return target.text if target.module.endswith(".py") else f"{target.module}.{target.qualname}"
    if in_config(target):
        path, digest = file_of_module(sys.modules[target.__module__])
        return f"{path}:{target.__qualname__}#{digest}" if "<" not in target.__qualname__ else target
    module, qualname = getattr(target, "__module__", None), getattr(target, "__qualname__", None)
    if not module or not qualname or "<" in qualname:
        return target
    parts = module.split(".")
    for n in range(1, len(parts)):  # the package that shows it, where it has imported it
        shown = sys.modules.get(".".join(parts[:n]))
        try:
            if reduce(getattr, qualname.split("."), shown) is target:
                return f"{'.'.join(parts[:n])}.{qualname}"
        except AttributeError:
            pass
    return f"{module}.{qualname}"


def instantiate(cfg: Any) -> Any:
    """Make the calls that dicts with a `_target_` describe, from the innermost outwards.

    A list gives a list, a tuple a tuple. Each reference to a call builds an object of its own. A
    dict without `_target_` stays as it is.

    Args:
        cfg: A `DictConfig`, a `ListConfig`, a dict or a list; anything else stays as it is.

    Returns:
        What the call gave.

    Raises:
        TypeError: The target is not callable.
        SpecError: The target cannot be imported.
        TrustError: A data file named the target, and nothing allows it.
        Exception: Whatever a target raises, with a note of where in the config it stands.
    """
    if isinstance(cfg, Name):
        return resolve(cfg)
    if isinstance(cfg, list):
        return [instantiate(x) for x in cfg]
    if _tree.library().OmegaConf.is_list(cfg):
        return _tree.new_list([instantiate(x) for x in cfg])
    if _tree.is_tuple(cfg):
        return tuple([instantiate(x) for x in cfg])
    if _tree.backing_class(cfg) is not None:
        return _tree.library().OmegaConf.to_object(cfg)
    if not isinstance(cfg, Mapping) or "_target_" not in cfg:
        return cfg
    made = {key: instantiate(value) for key, value in cfg.items() if key != "_target_"}
    made.pop("_recursive_", None)
    target = instantiate(cfg["_target_"])
    if isinstance(target, str):
        target = resolve(parse_name(target, policy=getattr(target, "policy", None)))
    if not callable(target):
        raise TypeError(f"_target_ {target} does not define a callable object")
    try:
        return target(**made)
    except Exception as error:
        place = _tree.full_key(cfg)
        error.add_note(f"callsheet: {place + ': ' if place else ''}building {target_text(target)}({', '.join(made)})")
        raise


def dump_dataclass(obj: Any) -> dict[str, Any]:
    """A dataclass instance as a dict that `instantiate` gives back, dataclasses inside of it as well.

    Args:
        obj: An instance of a dataclass.

    Raises:
        TypeError: It is none.
    """
    if not dataclasses.is_dataclass(obj) or isinstance(obj, type):
        raise TypeError(f"dump_dataclass() requires an instance of a dataclass, found {obj!r}")
    items = {field.name: _dumped(getattr(obj, field.name)) for field in dataclasses.fields(obj)}
    return {"_target_": target_text(type(obj)), **items}


def _dumped(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return [_dumped(member) for member in x]
    return dump_dataclass(x) if dataclasses.is_dataclass(x) and not isinstance(x, type) else x
