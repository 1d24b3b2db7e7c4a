"""What a LazyConfig file holds where omegaconf is not installed: dicts and lists with its access and its references."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, KeysView, Mapping, MutableMapping, MutableSequence
from copy import deepcopy
from typing import Any

from callsheet._path import format_path, parse_path
from callsheet._ref import Ref, base_of, dots_of
from callsheet._reftext import parse_text
from callsheet._written import Asked, Template
from callsheet.errors import CycleError, Fault, PathError, SpecError

_set = object.__setattr__
_get = object.__getattribute__


class _Node:
    """A container that knows in which container it lies; what is put into it is copied."""

    __slots__ = ("_content", "_key", "_parent")

    _content: Any
    _parent: _Node | None
    _key: Any

    def _hold(self, key: Any, value: Any) -> Any:
        """What is kept of a value that is put here."""
        if isinstance(value, _Node | dict | list | tuple):
            content: Any = _get(value, "_content") if isinstance(value, _Node) else value
            made: Any = DictConfig(content) if isinstance(content, dict) else ListConfig(content)
            _set(made, "_parent", self)
            _set(made, "_key", key)
            return made
        return deepcopy(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value

    def _read(self, key: Any, passed: tuple[tuple[int, Any], ...] = ()) -> Any:
        """A value, its references followed.

        Raises:
            SpecError: It is `???`.
            PathError: A reference in it leads to nothing.
            CycleError: It leads back to itself.
        """
        value = _get(self, "_content")[key]
        if not isinstance(value, str):
            return value
        if value == "???":
            raise SpecError(Fault(full_key(self, key), "must be given: it is ???"))
        if "${" not in value:
            return value
        if (id(self), key) in passed:
            raise CycleError(Fault(full_key(self, key), f"refers to itself: {value}"))
        return self._value(parse_text(value), (*passed, (id(self), key)))

    def _value(self, ref: Ref, passed: tuple[tuple[int, Any], ...]) -> Any:
        base = base_of(ref)
        if type(base) is Asked:
            return _asked(base, [self._value(x, passed) if isinstance(x, Ref) else x for x in base.args])
        if isinstance(base, Template):
            text = "".join(x if isinstance(x, str) else str(self._value(x, passed)) for x in base.parts)
            if type(base) is Template:
                return text
            steps = parse_path(text)
        else:
            steps = base
        return self._follow(steps, dots_of(ref), passed)

    def _follow(self, steps: tuple[Any, ...], dots: int, passed: tuple[tuple[int, Any], ...]) -> Any:
        found: Any = self if dots else root_of(self)
        for _ in range(dots - 1):
            found = _get(found, "_parent") if found is not None else None
        for step in steps:
            try:
                if not isinstance(found, _Node):
                    found = getattr(found, step)
                else:
                    found = found._read(_key_in(found, step), passed)
            except (LookupError, AttributeError, TypeError, ValueError):
                written = "${" + "." * dots + format_path(steps) + "}"
                problem = f"refers to {written}, where nothing is"
                raise PathError(Fault(full_key(self, passed[-1][1]), problem)) from None
        return found

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        cls: Any = type(self)
        made = cls(deepcopy(_get(self, "_content"), memo))
        _set(made, "_parent", _get(self, "_parent"))  # so that references out of it lead where they led
        _set(made, "_key", _get(self, "_key"))
        return made

    def __copy__(self) -> Any:
        return self.__deepcopy__({})

    copy = __copy__

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (), (_get(self, "_content"), _get(self, "_parent"), _get(self, "_key"))

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(("_content", "_parent", "_key"), state, strict=True):
            _set(self, name, value)

    def __repr__(self) -> str:
        return repr(to_container(self))

    def __len__(self) -> int:
        return len(_get(self, "_content"))

    __hash__ = None  # type: ignore[assignment]


class DictConfig(_Node, MutableMapping[Any, Any]):
    """A dict whose items are attributes as well: `cfg.model.depth`, `cfg["model"]`.

    Args:
        content: What it holds; dicts and lists in it are copied. None is empty.
    """

    __slots__ = ()

    def __init__(self, content: Mapping[Any, Any] | None = None) -> None:
        _set(self, "_parent", None)
        _set(self, "_key", None)
        _set(self, "_content", {})
        for key, value in (content or {}).items():
            self[key] = value

    def __getitem__(self, key: Any) -> Any:
        if key not in _get(self, "_content"):
            raise KeyError(f"Missing key {key}, full_key: {full_key(self, key)}")
        return self._read(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _get(self, "_content")[key] = self._hold(key, value)

    def __delitem__(self, key: Any) -> None:
        del _get(self, "_content")[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(_get(self, "_content"))

    def __contains__(self, key: object) -> bool:
        found = _get(self, "_content").get(key, "???")
        return not isinstance(found, str) or found != "???"

    def __getattr__(self, name: str) -> Any:
        if name not in _get(self, "_content") or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(f"Missing key {name}\n    full_key: {full_key(self, name)}")
        return self._read(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in _get(self, "_content"):
            raise AttributeError(f"Missing key {name}\n    full_key: {full_key(self, name)}")
        del self[name]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping) or len(self) != len(other):
            return False
        return all(key in other and self[key] == other[key] for key in self)

    def keys(self) -> KeysView[Any]:
        """The keys, those of missing values (`???`) among them."""
        found: KeysView[Any] = _get(self, "_content").keys()
        return found

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key, or the default where there is none, or `???`."""
        return self._read(key) if key in self else default


class ListConfig(_Node, MutableSequence[Any]):
    """A list of what a `DictConfig` can hold.

    Args:
        content: What it holds; dicts and lists in it are copied.
    """

    __slots__ = ()

    def __init__(self, content: Iterable[Any] = ()) -> None:
        _set(self, "_parent", None)
        _set(self, "_key", None)
        _set(self, "_content", [])
        for value in content:
            self.append(value)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._read(n) for n in range(*index.indices(len(self)))]
        return self._read(self._at(index))

    def _at(self, index: Any) -> int:
        try:
            at: int = range(len(self))[index]
            return at
        except IndexError:
            raise IndexError(f"list index out of range\n    full_key: {full_key(self, index)}") from None

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            _get(self, "_content")[index] = [self._hold(0, member) for member in value]
            self._number()
        else:
            at = self._at(index)
            _get(self, "_content")[at] = self._hold(at, value)

    def __delitem__(self, index: Any) -> None:
        del _get(self, "_content")[index]
        self._number()

    def insert(self, index: int, value: Any) -> None:
        """Put a value before an index."""
        _get(self, "_content").insert(index, self._hold(index, value))
        self._number()

    def _number(self) -> None:
        for n, value in enumerate(_get(self, "_content")):
            if isinstance(value, _Node):
                _set(value, "_key", n)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list | tuple | ListConfig) and list(self) == list(other)

    def __add__(self, other: Iterable[Any]) -> ListConfig:
        return ListConfig([*self, *other])

    def __radd__(self, other: Iterable[Any]) -> ListConfig:
        return ListConfig([*other, *self])

    def sort(self, key: Any = None, reverse: bool = False) -> None:
        """Sort in place."""
        self[:] = sorted(self, key=key, reverse=reverse)


def _key_in(node: _Node, step: Any) -> Any:
    """A step of a path as the key of a container: digits are an index of a list."""
    return int(step) if isinstance(node, ListConfig) else step


def root_of(node: _Node) -> _Node:
    """The container that holds all others."""
    parent = _get(node, "_parent")
    while parent is not None:
        node, parent = parent, _get(parent, "_parent")
    return node


def steps_to(node: _Node) -> tuple[Any, ...]:
    """The way to a container from the root."""
    steps: list[Any] = []
    while _get(node, "_parent") is not None:
        steps.append(_get(node, "_key"))
        node = _get(node, "_parent")
    return tuple(reversed(steps))


def full_key(node: _Node, *last: Any) -> str:
    """The path of a container, or of a key in it, from the root."""
    return format_path((*steps_to(node), *last))


def contents(node: _Node) -> Any:
    """The dict or list behind a container, references as they are written."""
    return _get(node, "_content")


def to_container(cfg: Any, *, resolve: bool = False) -> Any:
    """Plain dicts and lists with the same values.

    Args:
        cfg: A `DictConfig`, a `ListConfig`, or any other value, which stays as it is.
        resolve: Whether references are followed; else they stay as they are written.
    """
    if not isinstance(cfg, _Node):
        return cfg
    content = _get(cfg, "_content")
    keys = content if isinstance(cfg, DictConfig) else range(len(content))
    values = [to_container(cfg._read(key) if resolve else content[key], resolve=resolve) for key in keys]
    return dict(zip(keys, values, strict=True)) if isinstance(cfg, DictConfig) else values


def _asked(asked: Asked, args: list[Any]) -> Any:
    if asked.name != "oc.env":
        problem = f"${{{asked.text}}} asks for {asked.name!r}: without omegaconf only oc.env is known"
        raise PathError(Fault("", problem, advice=["pip install omegaconf"]))
    if args[0] in os.environ:
        return os.environ[args[0]]
    if len(args) > 1:
        return args[1]
    raise PathError(Fault("", f"the environment has no {args[0]!r}, which ${{{asked.text}}} asks for"))


class _Installable(type):
    def __getattr__(cls, name: str) -> Any:
        raise AttributeError(f"OmegaConf.{name} needs omegaconf itself: pip install omegaconf")


class OmegaConf(metaclass=_Installable):
    """What config files and training scripts ask of `omegaconf.OmegaConf`, for containers of this module."""

    @staticmethod
    def create(obj: Any = None, flags: Mapping[str, bool] | None = None) -> Any:
        """A container of a dict or list; empty without one."""
        return ListConfig(obj) if isinstance(obj, list | tuple | ListConfig) else DictConfig(obj)

    to_container = staticmethod(to_container)

    @staticmethod
    def merge(*configs: Any) -> Any:
        """One new container of several dicts, the later over the earlier; lists replace each other."""
        made = OmegaConf.create(contents(configs[0]) if OmegaConf.is_config(configs[0]) else configs[0])
        for config in configs[1:]:
            for key, value in (contents(config) if OmegaConf.is_config(config) else config).items():
                OmegaConf.update(made, format_path((key,)), value, merge=True)
        return made

    @staticmethod
    def is_config(obj: Any) -> bool:
        """Whether it is one of these containers."""
        return isinstance(obj, _Node)

    @staticmethod
    def is_dict(obj: Any) -> bool:
        """Whether it is a `DictConfig`."""
        return isinstance(obj, DictConfig)

    @staticmethod
    def is_list(obj: Any) -> bool:
        """Whether it is a `ListConfig`."""
        return isinstance(obj, ListConfig)

    @staticmethod
    def select(cfg: Any, key: str, *, default: Any = None) -> Any:
        """The value at a path (`a.b[0]`), or the default where nothing is, or `???`."""
        found = cfg
        for step in parse_path(key) if key else ():
            known: Any = found if isinstance(found, DictConfig) else ()
            at: Any = step
            if isinstance(found, ListConfig) and str(step).isdecimal():
                at, known = int(str(step)), range(len(found))
            if at not in known:
                return default
            found = found._read(at)
        return found

    @staticmethod
    def update(cfg: Any, key: str, value: Any = None, *, merge: bool = True, force_add: bool = False) -> None:
        """Set the value at a path; dicts on the way are made, a dict is merged into one that is there."""
        *way, last = parse_path(key)
        for step in way:
            at = _key_in(cfg, step)
            if isinstance(cfg, DictConfig) and not OmegaConf.is_config(cfg.get(at)):
                cfg[at] = {}
            cfg = cfg[at]
        last = _key_in(cfg, last)
        there = cfg[last] if isinstance(cfg, ListConfig) else cfg.get(last)
        if merge and OmegaConf.is_dict(there) and isinstance(value, Mapping):
            for name, inner in value.items():
                OmegaConf.update(there, format_path((name,)), inner, merge=True)
        else:
            cfg[last] = value
