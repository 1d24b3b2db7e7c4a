"""`repr` is short, true, and as readable as the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from callsheet import MISSING, lazy, load, partial, ref
from callsheet._target import Name
from shapes import Color, Perm


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
        (lazy(Net)(act=Name("torch.nn", "ReLU")), "lazy(Net)(act=ReLU)"),
        (lazy(Net)(act=Name("torch", "float32")), "lazy(Net)(act=torch.float32)"),
        (lazy(Net)(act=Color.RED), "lazy(Net)(act=Color.RED)"),
        (lazy(Net)(act=Perm.R | Perm.W), "lazy(Net)(act=Perm.R | Perm.W)"),
        (lazy(Net)(act=Path("a/b")), "lazy(Net)(act=Path('a/b'))"),
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


def test_a_node_that_takes_lines_of_its_own_is_shown_once():
    net = lazy(Net)("x" * 60, parts="y" * 60)
    spec = lazy(Net)(net, parts=[ref(net).width, lazy(Net)(net)], act=lazy(Net)(1))
    assert repr(spec) == "\n".join(
        [
            "lazy(Net)(",
            "    lazy(Net)(",
            f"        '{'x' * 60}',",
            f"        parts='{'y' * 60}',",
            "    ),",
            "    parts=[ref(lazy(Net)(...)).width, lazy(Net)(lazy(Net)(...))],",
            "    act=lazy(Net)(1),",
            ")",
        ]
    )


def test_a_file_is_shown_as_it_is_written_with_what_has_a_name_by_its_name(project):
    text = """
    from callsheet import lazy, partial
    from shapes import Color, Net, Optim

    norm  = partial(Net)(eps=1e-05)
    parts = [lazy(norm)(64), lazy(norm)(128)]
    hp    = {'lr': 0.1, 'color': Color.RED}
    model = lazy(Net)(parts=parts, norm=norm, **hp, hp=hp)
    optim = Optim(lr=0.1, inner=model)
    """
    path = project("conf.py", text)
    shown = "\n".join(line[4:] for line in text.splitlines() if " = " in line)
    assert str(load(path)) == shown.replace("**hp", "lr=0.1, color=Color.RED")
