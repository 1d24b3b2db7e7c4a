"""Whole specs, generated: what the laws are tried on.

A spec is grown from the leaves: each further container takes from all that was
made so far, so that much is shared, and the last ones are held by the root.
"""

from __future__ import annotations

import datetime
import functools
import math
import operator
import os
import uuid
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import shapes
from callsheet import MISSING, Call, lazy, partial, ref, rewrite, walk
from callsheet._bind import bind_all
from callsheet._spec import attach
from shapes import (
    Color,
    Derived,
    Frozen,
    Gear,
    Level,
    Mode,
    Net,
    NetConfig,
    Optim,
    Owner,
    Pair,
    Perm,
    Point,
    Slotted,
    Wheel,
)

LONG_LOOK = int(os.environ.get("CALLSHEET_LAWS", "0"))
"""On how many specs to try each law, other ones each time; unset, on a few hundred that are always the same."""


def tried(usual: int = 200) -> settings:
    """The settings of a law that is usually tried on so many specs: nothing is kept."""
    return settings(
        max_examples=LONG_LOOK or usual,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )


# --- leaves -----------------------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=4).map(lambda text: text.replace("${", "$")) | st.sampled_from(
    ["", "no", "NO", "???", "1e-3", "null", "_target_", "lazy", "a\\b", "\\", 'q"\'', '"""', "{x}", "\r\n", "\u2028",
     "é\0", "\ud800", "\udce9.csv", "\U0001f600", "\x85", "$", "x$", "#", "x" * 120, "two\nlines"]
)  # fmt: skip
"""Texts that mean nothing but themselves wherever they stand."""

RAW_TEXTS = TEXTS | st.sampled_from(["${", "${a", "${a}", "\\${a}", "run-${seed}", "${}"])
"""Texts as they may stand where nothing reads them: in a dataclass, or handed to a reference."""

LIVE_TEXTS = st.sampled_from(
    [
        "${a}",
        "${a.b[0]}",
        "run-${seed}",
        "${a}${b}",
        "\\${a}",
        "a\\${b}${c}",
        '${["x.y"].z}',
        "${all[1]}",
        "${root}",
        "${env:HOME}",
        "${env:HOME,a b}-x",
        "${env:N,[1,{k: ${a}}]}",
        "${plans.${plan}.lr}",
        "${run.dir}/x",
        "C:\\\\${a}",
    ]
)
"""Texts that are references, or escaped, where a spec reads them."""

NUMBERS = (
    st.integers()
    | st.sampled_from([0, 1, -1, 2**63, -(2**64), 10**40])
    | st.floats()
    | st.sampled_from([0.0, -0.0, 1e-3, 1e22, 5e-324, math.inf, -math.inf, math.nan])
    | st.booleans()
    | st.complex_numbers()
    | st.sampled_from([complex(0.0, -0.0), complex(-0.0, math.inf), complex(math.nan, 1)])
)

ENUMS = st.sampled_from([Color.RED, Color.BLUE, Level.LOW, Mode.TRAIN, Perm.R, Perm.R | Perm.W, Perm(0)])
CLASSES = st.sampled_from(
    [Net, Net.Inner, Net.make, shapes.call, Color, int, dict, len, os.path.join, Optim, np.float32, Path, Fraction]
)
DATES = (
    st.datetimes(timezones=st.sampled_from([None, datetime.UTC, datetime.timezone(datetime.timedelta(hours=-3.5))]))
    | st.dates()
    | st.times()
    | st.timedeltas()
)
EXACT = (
    st.sampled_from([Decimal("1.10"), Decimal("-0"), Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+5")])
    | st.fractions()
    | st.just(uuid.UUID(int=7))
)
ARRAYS = st.sampled_from(
    [
        np.float32(1.5),
        np.float32(0.1),
        np.float64("nan"),
        np.float16(-0.0),
        np.int64(3),
        np.uint8(255),
        np.bool_(True),
        np.complex64(1 + 2j),
        np.str_("é"),
        np.bytes_(b"x"),
        np.datetime64("2020-01-01"),
        np.timedelta64(3, "s"),
        np.dtype("float32"),
        np.dtype(">i2"),
        np.dtype("U3"),
        np.dtype("datetime64[ns]"),
        np.dtype([("a", "<i4"), ("b", [("c", "<f8")], (2, 3))]),
        np.array([[1, 2.5]]),
        np.array([math.nan, -0.0, math.inf], dtype="float32"),
        np.zeros((0, 3)),
        np.arange(6, dtype="int16").reshape(2, 3).T,
        np.array(5),
        np.array(["a", "bc"]),
        np.array([True, False]),
        np.arange(100) / 7,
    ]
)
PATHS = st.sampled_from([Path("a/b"), Path(), Path("/"), Path("it's ${x}"), PurePosixPath("q/r"), Path("\udce9")])
SHORT = st.sampled_from(
    [range(3), range(10, 0, -2), range(0), slice(None), slice(1, None, -2), slice("a", "b"), ..., MISSING, None]
)
SCALARS = NUMBERS | TEXTS | st.binary(max_size=4) | ENUMS | st.none()
HASHABLE = SCALARS | CLASSES | DATES | EXACT | st.tuples(SCALARS, TEXTS) | PATHS | st.frozensets(TEXTS, max_size=2)
SETS = st.frozensets(HASHABLE, max_size=3) | st.sets(HASHABLE, max_size=3)
LEAVES = NUMBERS | TEXTS | st.binary(max_size=4) | ENUMS | CLASSES | DATES | EXACT | ARRAYS | PATHS | SHORT | SETS

# --- containers -------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        "a",
        "b",
        "model",
        "lr",
        "self",
        "cls",
        "items",
        "keys",
        "lazy",
        "ref",
        "dict",
        "Net",
        "call",
        "np",
        "x",
        "_hidden",
    ]
)
ODD_NAMES = st.sampled_from(
    ["class", "None", "a.b", "a b", "", "0", "1e3", "_target_", "_args_", "_partial_", "_kwargs_", "_type_", "_value_",
     "_items_", "_same_", "_ref_", "_then_", "_nodes_", "_format_", "_root_", "_private", "é", "ﬁ", "x-y", "${x}", "???",
     "__target__", "__class__", "__dict__", "__name__", "match", "print", "\ud800"]
)  # fmt: skip
KEYS = NAMES | ODD_NAMES | st.text(max_size=2)
ODD_KEYS = (
    st.integers(-2, 9)
    | st.sampled_from(
        [2.5, math.inf, None, True, b"x", 2j, Color.RED, Perm.R, Net, np.float32(1.5), Path("p"), Ellipsis]
    )
    | st.tuples(st.integers(0, 2), st.tuples(TEXTS, st.none()))
    | st.frozensets(st.integers(0, 2), max_size=2)
    | DATES
)
TARGETS = st.sampled_from(
    [
        "shapes:Net",
        "shapes.call",
        "shapes:Net.make",
        "not.there:Net",
        "torch.optim:AdamW",
        "os.path:join",
        "dict",
        "a:Net",
    ]
).filter(lambda name: "." in name or ":" in name)
CALLABLES = st.sampled_from([shapes.call, Net, Net.make, Net.Inner, shapes.fit, dict, int, os.path.join, Optim, Color])
TAKES_ANYTHING = (shapes.call, Net)
SHAPES = st.sampled_from(
    [
        *["call", "named", "dict", "list"] * 3,
        *["partial", "instance", "tuple", "items"] * 2,
        *["config", "target", "odd", "raw", "frozen", "default", "named tuple", "attrs", "derived", "leaf"],
        *["ref", "ref", "arithmetic", "path", "text", "relative", "functools"],
    ]
)


class _Grown:
    """What was made so far, and what can be made from it."""

    def __init__(self, draw: Any, *, defaults: bool) -> None:
        self.draw = draw
        self.defaults = defaults
        self.pool: list[Any] = [draw(LEAVES) for _ in range(draw(st.integers(1, 4)))]

    def member(self) -> Any:
        return self.pool[self.draw(st.integers(0, len(self.pool) - 1))]

    def members(self, most: int = 3) -> list[Any]:
        return [self.member() for _ in range(self.draw(st.integers(0, most)))]

    def named(self, keys: Any = NAMES) -> dict[Any, Any]:
        return {self.draw(keys): self.member() for _ in range(self.draw(st.integers(0, 3)))}

    def nodes(self) -> list[Any]:
        return [
            x for x in self.pool if isinstance(x, Call | Optim | Owner | NetConfig | Derived | Wheel | Frozen | Pair)
        ]

    def grow(self) -> None:
        self.pool.append(self._made(self.draw(SHAPES)))

    def _made(self, shape: str) -> Any:
        draw = self.draw
        nodes = self.nodes()
        if shape == "call":
            return lazy(draw(st.sampled_from(TAKES_ANYTHING)))(*self.members(), **self.named(KEYS))
        if shape == "named":
            return lazy(draw(TARGETS))(*self.members(), **self.named(KEYS))
        if shape == "partial":
            return partial(draw(TARGETS) if draw(st.booleans()) else Net)(*self.members(), **self.named())
        if shape == "target":
            calls = [x for x in nodes if isinstance(x, Call)]
            return lazy(draw(st.sampled_from(calls)))(*self.members()) if calls else lazy(draw(CALLABLES))()
        if shape == "dict":
            return self.named(KEYS)
        if shape == "odd":
            return {**self.named(), **self.named(ODD_KEYS)}
        if shape == "list":
            return self.members()
        if shape == "tuple":
            return tuple(self.members())
        if shape == "items":
            return attach(self.named()) if draw(st.booleans()) else attach(self.members())
        if shape == "instance":
            return Optim(*self.members(2))
        if shape == "raw":
            text = draw(RAW_TEXTS)
            return draw(st.sampled_from([Optim(text), Optim({"k": text}, [text, (text,)]), Pair(text), Wheel(text)]))
        if shape == "frozen":
            return draw(st.sampled_from([Frozen(draw(st.integers())), Frozen(), Slotted(x=self.member())]))
        if shape == "default":
            return Owner() if self.defaults and draw(st.booleans()) else Owner(self.member(), tags=self.members(1))
        if shape == "named tuple":
            return Point(self.member(), 1) if draw(st.booleans()) else Pair(*self.members(1)[:1] or [0])
        if shape == "attrs":
            return Gear(self.member()) if draw(st.booleans()) else Wheel(*self.members(2))
        if shape == "config":
            text = draw(LIVE_TEXTS | TEXTS)
            given = {"width": self.member(), "tags": draw(st.sampled_from([text, [text], {"k": (text,)}]))}
            return NetConfig(**given, **({} if self.defaults else {"inner": 0}))
        if shape == "derived":
            return Derived(draw(st.integers(0, 3)))
        if shape == "ref" and nodes:
            return self._done(ref(draw(st.sampled_from(nodes))))
        if shape == "arithmetic":
            return self._calculated(ref(draw(st.sampled_from(["seed", "a.b", "all[0]"]))))
        if shape == "path":
            return self._done(ref(draw(st.sampled_from(["a", "root", "all[0].b", '["odd key"].x', "a.0"]))))
        if shape == "relative":
            return draw(st.sampled_from(["${.x}", "${..a}-", ref(".x"), ref("..model") + 1, ref(".x").lr]))
        if shape == "functools":
            held = functools.partial(shapes.call, draw(RAW_TEXTS), k=self.member())
            return Optim(held) if draw(st.booleans()) else functools.partial(Net, self.member())
        return draw(LIVE_TEXTS) if shape == "text" else draw(LEAVES)

    def _done(self, made: Any) -> Any:
        for _ in range(self.draw(st.integers(0, 3))):
            step = self.draw(st.sampled_from(["attribute", "attribute", "item", "call", "arithmetic", "function"]))
            if step == "attribute":
                made = getattr(made, self.draw(st.sampled_from(["parameters", "x", "go", "lr"])))
            elif step == "item":
                made = made[self.draw(st.integers(-2, 2) | TEXTS | st.sampled_from([slice(1, None), (0, 1), ...]))]
            elif step == "function":
                functions = [abs, round, lambda x: round(x, 2), operator.neg, operator.pos]
                made = self.draw(st.sampled_from(functions))(made)
            elif step == "call":
                made = made(*self.members(2), **self.named())
            else:
                made = self._calculated(made)
        return made

    def _calculated(self, made: Any) -> Any:
        by = self.draw(st.integers(-3, 3) | st.floats() | st.text(max_size=2))
        n = self.draw(st.integers(0, 9))
        return [
            lambda: made + by, lambda: by + made, lambda: made - by, lambda: by - made, lambda: made * by,
            lambda: made / by, lambda: made // by, lambda: by // made, lambda: made**by, lambda: 2**made,
        ][n]()  # fmt: skip


@st.composite
def specs(draw: Any, *, size: int = 8, defaults: bool = True) -> Any:
    """Any spec: a mapping, a list, a tuple, a node or a value.

    Args:
        draw: Hypothesis's own.
        size: How many containers it is grown of, at most.
        defaults: Whether it may hold objects that are a class's default.
    """
    grown = _Grown(draw, defaults=defaults)
    for _ in range(draw(st.integers(1, size))):
        grown.grow()
    last = grown.pool[-1]
    root = draw(st.sampled_from(["names", "names", "held", "all", "alone"]))
    if root == "names":
        return attach({**grown.named(NAMES), **grown.named(NAMES), draw(NAMES): last})
    if root == "held":
        return attach({"root": last, "all": grown.pool})
    return attach(grown.pool if root == "all" else last)


@st.composite
def pairs(draw: Any) -> Any:
    """A spec, and another that differs from it in one value, or in nothing."""
    spec = draw(specs())
    places = [path for path, _ in walk(spec)]
    place = draw(st.sampled_from(places))
    value = draw(LEAVES | specs(size=2) | st.just(spec))
    return spec, rewrite(spec, lambda path, x: value if path == place else x)


@st.composite
def linked(draw: Any) -> Any:
    """A function that makes a spec of nodes that lead to earlier ones, some of which only references reach.

    Its names are `n0` and some more; the node `n0` holds `value=0`.
    """
    count = draw(st.integers(2, 6))
    named = {0, *draw(st.sets(st.integers(1, count - 1), max_size=1)), count - 1}
    links = [
        draw(st.lists(st.tuples(st.sampled_from([*LINKS]), st.integers(0, i - 1)), max_size=3)) for i in range(1, count)
    ]
    bound = draw(st.booleans())

    def make() -> Any:
        nodes = [lazy(Net)(value=0)]
        for i, ways in enumerate(links, 1):
            there = [(way, n) for way, n in ways if way != "path" or n in named]
            nodes.append(lazy(Net)(*[LINKS[way](nodes[n], n) for way, n in there], value=i))
        spec = attach({f"n{n}": nodes[n] for n in sorted(named, reverse=True)})
        if bound:
            bind_all(spec)
        return spec

    return make


LINKS: dict[str, Any] = {
    "held": lambda node, n: node,
    "referred to": lambda node, n: ref(node),
    "asked of": lambda node, n: ref(node).args,
    "operand": lambda node, n: ref(lazy(Net)(n)).go(node, ref(node)),
    "path": lambda node, n: f"${{n{n}}}",
    "in a list": lambda node, n: [ref(node), node],
    "in a dict": lambda node, n: {"x": ref(node).kwargs},
    "in a dataclass": lambda node, n: Optim(node, (ref(node),)),
    "in a config": lambda node, n: NetConfig(node, 0),
    "in a partial": lambda node, n: [functools.partial(Net, node)] * 2,
}
"""How a node leads to another."""
