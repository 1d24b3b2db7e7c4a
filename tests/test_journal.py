"""An edit that does not fit leaves the spec as it was, and an edit costs the same in a large spec (promise 15)."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import pytest

from callsheet import edit, hash_of, lazy, origin, ref, walk
from callsheet._spec import attach
from callsheet.errors import OverrideError
from counting import calls_made


def net(width=32, depth=2, norm=None): ...


def keep(*args, **kwargs): ...


@dataclass
class Optim:
    lr: Any = 0.1
    more: Any = None


@dataclass(frozen=True)
class Inner:
    size: Any = 1


Point = namedtuple("Point", "x y")


def everything():
    """A spec in which something of each kind can be edited."""
    model = lazy(net)(width=1)
    return attach(
        {
            "a": {"b": 1, "c": 2, "d": 3},
            "rows": [1, [2], 3],
            "model": model,
            "also": [model],
            "args": lazy(keep)(1, 2, x=3, y=4),
            "optim": Optim(more=[1]),
            "held": lazy(keep)(ref(model).width, [Inner(), {"in": Inner(2)}], Point(1, [2])),
            "tuple": (inner := Inner(), [inner], ref(inner).size),
            "live": {"x": "${a.b}", "y": 1},
            "raw": Optim(more={"k": 1}),
        }
    )


EDITS = [
    "a.b=5",
    "+a.e=5",
    "+a.f.g=5",
    "++a.b=5",
    "~a.b",
    "~a",
    "rows.0=5",
    "~rows.0",
    "rows+=[4]",
    "model.width=5",
    "model.depth=5",
    "model={width: 5}",
    "~model.width",
    "args.0=5",
    "~args.0",
    "~args.x",
    "optim.lr=5",
    "held.1.0.size=5",
    "held.1.1.in.size=5",
    "held.2.x=5",
    "tuple.0.size=5",
    "live.x=5",
    "live.y=${a.c}",
    "~live.x",
    "raw.more.k=5",
    "~raw.more.k",
]


def state_of(spec):
    """All that can be seen of a spec: values, the order of keys, sharing, types and origins."""
    seen = [(path, type(x), id(x) if not isinstance(x, tuple) else None) for path, x in walk(spec)]
    origins = [
        (path, origin(spec, path).where, origin(spec, path).text)
        for path, _ in walk(spec)
        if "ref" not in path and path
    ]
    return hash_of(spec), repr(spec), seen, [found for found in origins if "then" not in found[0]]


@pytest.mark.parametrize("text", EDITS)
def test_what_was_edited_before_a_text_that_does_not_fit_is_undone(text):
    spec = everything()
    before = state_of(spec)
    edit(spec, text)
    assert hash_of(spec) != before[0]
    spec = everything()
    before = state_of(spec)
    with pytest.raises(OverrideError):
        edit(spec, [text, "nowhere.at.all=1"])
    assert state_of(spec) == before


def test_many_edits_are_undone_together():
    spec = everything()
    before = state_of(spec)
    texts = [
        text
        for text in EDITS
        if text not in ("~a", "model={width: 5}", "~model.width", "live.y=${a.c}", "~live.x", "~rows.0")
    ]
    with pytest.raises(OverrideError):
        edit(spec, [*texts, "nowhere.at.all=1"])
    assert state_of(spec) == before


def test_a_single_text_that_does_not_fit_leaves_nothing_behind():
    spec = attach({"t": (1,), "m": {}})
    for text in ("+m.x.y.z.0.k=1", "t.0=1"):
        before = hash_of(spec)
        try:
            edit(spec, text)
        except OverrideError:
            assert hash_of(spec) == before


def test_an_interrupt_undoes_too():
    class Stop(BaseException):
        pass

    def texts():
        yield "a.b=5"
        raise Stop

    spec = everything()
    before = state_of(spec)
    with pytest.raises(Stop):
        edit(spec, texts())
    assert state_of(spec) == before


def test_the_cost_of_an_edit_does_not_depend_on_the_size_of_the_spec():
    def cost(size):
        spec = attach({f"g{n}": lazy(net)(width=n) for n in range(size)})
        texts = [f"g{n}.width=5" for n in range(10)]
        edit(spec, texts)
        return calls_made(lambda: edit(spec, texts))

    assert cost(2000) < 1.1 * cost(20)
