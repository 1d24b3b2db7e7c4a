"""Ordinary code that the tests describe calls of."""

import enum
from collections import namedtuple
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import attrs

from callsheet import Config


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Perm(enum.Flag):
    R = 1
    W = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mode(enum.StrEnum):
    TRAIN = "train"


@dataclass
class Optim:
    lr: Any = 0.1
    inner: Any = None


@dataclass(frozen=True)
class Frozen:
    x: int = 1


@dataclass
class Owner:
    """One with a default object, which each owner has for itself."""

    inner: Any = Frozen()
    tags: Any = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slotted:
    x: Any
    y: Any = 1


@dataclass
class Derived:
    """One that works out a field for itself."""

    size: Any = 2
    twice: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.twice = (self.size, self.size)


@attrs.define
class Wheel:
    radius: Any = 1
    _spokes: Any = attrs.field(default=32)


@attrs.frozen
class Gear:
    teeth: Any


class Pair(NamedTuple):
    left: Any
    right: Any = "${none}"


Point = namedtuple("Point", "x y")


class Net:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs

    @classmethod
    def make(cls, **kwargs: Any) -> "Net":
        return cls(**kwargs)

    def go(self, *args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    class Inner:
        pass


class NetConfig(Config[Net]):
    """One whose texts are references, and which has a default of its own for each instance."""

    width: Any = 1
    inner: Any = Frozen()
    tags: Any = ()


def call(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def fit(model: Any, optim: Any = None, /, *rest: Any, epochs: int = 1, **more: Any) -> Any:
    return model, optim, rest, epochs, more
