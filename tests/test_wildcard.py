"""Wildcards: one override for every place below that takes its name."""

from dataclasses import dataclass, field

import pytest

from callsheet import build, edit, lazy, load, origin, override, plain, ref, sweep
from callsheet.errors import OverrideError


def drop(p: float = 0.5): ...


def block(dim: int = 1, dropout: float = 0.0, attn=None): ...


def anything(**kwargs): ...


@dataclass
class Head:
    dropout: float = 0.0
    inner: object = None


@dataclass(frozen=True)
class Frozen:
    dropout: float = 0.0


@dataclass
class Tree:
    heads: list = field(default_factory=list)


def test_it_sets_what_is_there_and_what_a_target_takes():
    model = lazy(anything)(
        a=lazy(block)(1),
        b=[lazy(block)(2, 0.5), {"dropout": 0.3}],
        c=Head(inner=Frozen(0.2)),
        d=lazy(drop)(0.1),
        e={"dropped": 1},
    )
    made = override({"model": model, "dropout": 0.9, "other": {"dropout": 0.8}}, "model...dropout=0.1")
    assert made.model.a == lazy(block)(1, dropout=0.1)
    assert made.model.b[0] == lazy(block)(2, 0.1)
    assert plain(made.model.b[1]) == {"dropout": 0.1}
    assert made.model.c == Head(0.1, Frozen(0.1))
    assert (made.model.d, plain(made.model.e)) == (lazy(drop)(0.1), {"dropped": 1})
    assert (made.dropout, made.other.dropout) == (0.9, 0.8)


def test_without_a_start_it_reaches_everything():
    assert plain(override({"lr": 1, "a": {"lr": 2}, "b": [{"lr": 3}]}, "...lr=5")) == {
        "lr": 5,
        "a": {"lr": 5},
        "b": [{"lr": 5}],
    }


def test_several_steps_may_follow_the_dots():
    spec = {"m": {"x": {"attn": {"p": 1}}, "attn": {"p": 2, "q": 3}, "p": 4}}
    assert plain(override(spec, "m...attn.p=0")) == {"m": {"x": {"attn": {"p": 0}}, "attn": {"p": 0, "q": 3}, "p": 4}}


def test_what_takes_any_name_is_meant_where_it_has_this_one():
    spec = {"a": lazy(anything)(), "b": lazy(anything)(dropout=1)}
    assert override(spec, "...dropout=2") == {"a": lazy(anything)(), "b": lazy(anything)(dropout=2)}


def test_what_only_a_reference_leads_to_is_not_below():
    made = override({"m": {"a": lazy(block)(), "r": ref("other")}, "other": lazy(block)()}, "m...dropout=0.5")
    assert (made.m.a, made.other) == (lazy(block)(dropout=0.5), lazy(block)())


def test_nowhere_is_an_error_that_names_the_nearest():
    with pytest.raises(OverrideError) as caught:
        override({"m": {"a": lazy(block)()}}, ["m...dropuot=1", "n...dropout=1"])
    assert [(fault.path, fault.problem, fault.advice[0]) for fault in caught.value.faults] == [
        ("m...dropuot", "nothing below m takes it", "did you mean  m...dropout?"),
        ("n", "is not there", "the spec holds  m"),
    ]


def test_each_place_has_its_declared_type_and_names_the_wildcard():
    spec = override({"a": lazy(block)(), "b": lazy(block)()}, [])
    edit(spec, "...dim=1e2")
    assert (spec.a.dim, spec.b.dim) == (100, 100)
    assert {origin(spec, path).text for path in ("a.dim", "b.dim")} == {"...dim=1e2"}
    with pytest.raises(OverrideError) as caught:
        edit(spec, "...dim=wide")
    assert (caught.value.faults[0].path, spec.a.dim) == ("a.dim", 100)


MODELS = """
class Block:
    def __init__(self, width=1, dropout=0.0):
        self.all = width, dropout

class Net:
    def __init__(self, blocks, dropout=0.0):
        self.all = [b.all for b in blocks], dropout
"""


def test_in_a_file_what_is_computed_below_follows(project):
    project("models.py", MODELS)
    project(
        "conf.py",
        "from callsheet import lazy\nfrom models import Block, Net\n"
        "block = lazy(Block)(dropout=0.5)\nmodel = lazy(Net)([block, lazy(Block)(2)])\n"
        "shown = f'{model.dropout} {block.dropout}'\n",
    )
    cfg = load("conf.py", ["model...dropout=0.1"])
    assert build(cfg.model).all == ([(1, 0.1), (2, 0.1)], 0.1)
    assert cfg.shown == "0.1 0.1"


def test_in_a_file_that_is_taken_from_it_reaches_what_is_taken(project):
    project("base.py", "lr = 1\nhp = dict(lr=2)\nother = dict(lr=3)\ntwice = hp.lr * 2\n")
    project("conf.py", "from .base import lr, hp, twice\nown = dict(lr=4, twice=twice)\n")
    cfg = load("conf.py", ["...lr=10"])
    assert plain(cfg) == {"lr": 10, "hp": {"lr": 10}, "twice": 20, "own": {"lr": 10, "twice": 20}}


def test_it_sweeps():
    assert [plain(trial.spec) for trial in sweep({"a": {"b": 0}, "b": 0}, "...b=1,2")] == [
        {"a": {"b": 1}, "b": 1},
        {"a": {"b": 2}, "b": 2},
    ]
