"""Ordinary code that the tests describe calls of."""

import enum
from collections import namedtuple
from dataclasses import dataclass
from typing import Any


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Perm(enum.Flag):
    R = 1
    W = 2


@dataclass
class Optim:
    lr: Any = 0.1
    inner: Any = None


@dataclass(frozen=True)
class Frozen:
    x: int = 1


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


def call(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs
