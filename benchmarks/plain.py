"""What is measured against: the data, the classes to build, and the code that one would write by hand for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LENGTH = 100  # of a chain
READS = 100


class Layer:
    """A constructor as they are: a few arguments, kept."""

    def __init__(self, width: int, rate: float = 0.1, inner: Any = None) -> None:
        self.width = width
        self.rate = rate
        self.inner = inner


def tree(leaves: int) -> dict[str, Any]:
    """A nested dict: ten leaves of the usual types in each group, ten groups in each group of groups."""
    if leaves > 10:
        return {f"group{n}": tree(leaves // 10) for n in range(10)}
    numbers = {f"size{n}": n for n in range(4)} | {f"rate{n}": n / 10 for n in range(3)}
    return numbers | {"name": "resnet", "path": "data/train", "shuffle": True}


def remade(x: Any) -> Any:
    """A nested dict, made anew."""
    return {key: remade(value) for key, value in x.items()} if type(x) is dict else x


def same(a: Any, b: Any) -> bool:
    """A comparison of nested dicts that tells `1` from `True`."""
    if type(a) is not type(b):
        return False
    if type(a) is dict:
        if len(a) != len(b):
            return False
        for key, value in a.items():  # noqa: SIM110 (`all` is slower)
            if key not in b or not same(value, b[key]):
                return False
        return True
    return bool(a == b)


def wide(calls: int) -> list[Layer]:
    return [Layer(width=n, rate=0.5) for n in range(calls)]


named = wide


def positional(calls: int) -> list[Layer]:
    return [Layer(n, 0.5) for n in range(calls)]


def chains(calls: int) -> list[Layer | None]:
    return [chain(LENGTH) for _ in range(calls // LENGTH)]


def chain(length: int) -> Layer | None:
    layer = None
    for n in range(length):
        layer = Layer(width=n, inner=layer)
    return layer


def written_out(label: str, calls: int) -> Callable[[], Any]:
    """A function as a person would write it for one spec: each call stands there."""
    if label == "wide":
        body = f"    return [{', '.join(f'Layer(width={n}, rate=0.5)' for n in range(calls))}]\n"
    else:
        layers = "".join(f"    layer = Layer(width={n}, inner=layer)\n" for n in range(calls))
        body = f"    layer = None\n{layers}    return layer\n"
    names: dict[str, Any] = {"Layer": Layer}
    exec(f"def make():\n{body}", names)
    made: Callable[[], Any] = names["make"]
    return made


@dataclass
class D:
    d: int


@dataclass
class C:
    c: D


@dataclass
class B:
    b: C


@dataclass
class A:
    a: B


def nested() -> A:
    """What `cfg.a.b.c.d` is read of."""
    return A(B(C(D(1))))


def reader(cfg: Any) -> Callable[[], None]:
    """A function of its own that reads `cfg.a.b.c.d` a hundred times: Python adapts its code to what it finds there."""
    names: dict[str, Any] = {}
    exec("def read(cfg):\n" + READS * "    cfg.a.b.c.d\n", names)
    return lambda: names["read"](cfg)
