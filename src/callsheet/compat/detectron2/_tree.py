"""The containers of a loaded tree: omegaconf's own where it is installed, ours with the same access where it is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from . import _own

_ANYTHING = {"allow_objects": True}


@cache
def library() -> Any:
    """`OmegaConf`, `DictConfig` and `ListConfig`, as attributes of a module."""
    try:
        import omegaconf
    except ModuleNotFoundError:
        return _own
    return omegaconf


def new_dict(content: Mapping[Any, Any]) -> Any:
    """A `DictConfig` that may hold any object."""
    found = library()
    return found.DictConfig(content) if is_ours() else found.DictConfig(content=dict(content), flags=_ANYTHING)


def new_list(content: Iterable[Any]) -> Any:
    """A `ListConfig` that may hold any object."""
    found = library()
    return found.ListConfig(content) if is_ours() else found.ListConfig(content=list(content), flags=_ANYTHING)


def new(content: Any) -> Any:
    """A container of a dict or list; anything else as it is."""
    if isinstance(content, dict):
        return new_dict(content)
    return new_list(content) if isinstance(content, list) else content


def is_ours() -> bool:
    """Whether omegaconf is not installed."""
    return library() is _own


def is_config(x: Any) -> bool:
    """Whether it is a `DictConfig` or a `ListConfig`."""
    return bool(library().OmegaConf.is_config(x))


def is_tuple(x: Any) -> bool:
    """Whether it is a tuple, or the container in which newer versions of omegaconf keep one."""
    return isinstance(x, tuple) or type(x).__name__ == "TupleConfig"


def to_container(cfg: Any, *, resolve: bool = False) -> Any:
    """Plain dicts and lists with the same values; dataclasses stay instances.

    Args:
        cfg: A container; any other value stays as it is.
        resolve: Whether references are followed; else they stay as they are written.
    """
    if not is_config(cfg):
        return cfg
    if is_ours():
        return library().to_container(cfg, resolve=resolve)
    from omegaconf import OmegaConf, SCMode

    return OmegaConf.to_container(cfg, resolve=resolve, structured_config_mode=SCMode.INSTANTIATE)


def full_key(cfg: Any) -> str:
    """Where a container lies in its tree, "" for the root or what is no container."""
    if not is_config(cfg):
        return ""
    return str(library().full_key(cfg)) if is_ours() else str(cfg._get_full_key(""))


def backing_class(cfg: Any) -> type | None:
    """The dataclass that a `DictConfig` of omegaconf stands for, None for any other."""
    if is_ours() or not library().OmegaConf.is_dict(cfg):
        return None
    from dataclasses import is_dataclass

    found = library().OmegaConf.get_type(cfg)
    return found if isinstance(found, type) and is_dataclass(found) else None
