"""`repr` is short, true, and as readable as the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pytest

from callsheet import MISSING, lazy, partial, ref


class Net:
    def __init__(self, width=32, parts=(), act=None): ...


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Config:
    net: object
    size: int = 1


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (lazy(Net)(), "lazy(Net)()"),
        (lazy(Net)(64, act=len), "lazy(Net)(64, act=len)"),
        (partial(Net)(act=MISSING), "partial(Net)(act=MISSING)"),
        (lazy("torch.optim.AdamW")(lr=1e-3), "lazy(AdamW)(lr=0.001)"),
        (lazy(lazy(Net)(1))(2), "lazy(lazy(Net)(1))(2)"),
        (lazy(Net)(parts=[(1,), (), {"a": None}]), "lazy(Net)(parts=[(1,), (), {'a': None}])"),
        (lazy(Net)(parts=Point(1, 2)), "lazy(Net)(parts=Point(x=1, y=2))"),
        (lazy(Net)(ref("a.b")[0].c(1, k="x") // 2), "lazy(Net)(ref(\"a.b\")[0].c(1, k='x') // 2)"),
        (lazy(Net)("run-${seed}"), "lazy(Net)('run-${seed}')"),
        (lazy(Net)(ref(lazy(int)("3")).real), "lazy(Net)(ref(lazy(int)('3')).real)"),
        (lazy(Net)(act=Net), "lazy(Net)(act=Net)"),
        (lazy(Net)({1: "a", "b c": 2}), "lazy(Net)({1: 'a', 'b c': 2})"),
        (lazy(list[int])(), "lazy(list[int])()"),
    ],
)
def test_a_spec_reads_like_the_code_that_makes_it(spec, text):
    assert repr(spec) == text


def test_what_does_not_fit_in_a_line_is_broken_as_code_is():
    spec = lazy(Net)(64, parts=[{"name": "a" * 30, "other": "b" * 30}, lazy(Net)()], act=Config(lazy(Net)(width=1)))
    assert repr(spec) == "\n".join(
        [
            "lazy(Net)(",
            "    64,",
            "    parts=[",
            f"        {{'name': '{'a' * 30}', 'other': '{'b' * 30}'}},",
            "        lazy(Net)(),",
            "    ],",
            "    act=Config(net=lazy(Net)(width=1), size=1),",
            ")",
        ]
    ).replace(
        f"        {{'name': '{'a' * 30}', 'other': '{'b' * 30}'}},",
        f"        {{\n            'name': '{'a' * 30}',\n            'other': '{'b' * 30}',\n        }},",
    )


def test_a_long_chain_of_diamonds_is_shown_as_far_as_a_person_reads():
    spec = lazy(Net)("x" * 60)
    for _ in range(40):
        spec = lazy(Net)(spec, spec)
    assert "..." in repr(spec)


def test_a_wide_spec_that_holds_itself_twice_is_shown_once():
    spec = lazy(dict)(a="x" * 60, b="y" * 60)
    spec.c, spec.d = spec, [spec]
    assert repr(spec) == f"lazy(dict)(\n    a='{'x' * 60}',\n    b='{'y' * 60}',\n    c=...,\n    d=[...],\n)"
