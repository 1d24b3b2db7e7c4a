"""Wildcards: one override for every place below that takes its name."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import callsheet
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


# --- lists and deletes ------------------------------------------------------------------------------------------------


def test_it_adds_to_each_list_takes_from_it_and_edits_it():
    spec = {"a": {"layers": [1, 2]}, "b": lazy(anything)(layers=(1, 3)), "c": {"n": 1}}
    assert plain(override(spec, ["...layers+=[9]", "...n+=2"])) == {
        "a": {"layers": [1, 2, 9]},
        "b": lazy(anything)(layers=(1, 3, 9)),
        "c": {"n": 3},
    }
    made = override(spec, ["...layers-=[1]", "...layers[0:0]=[7,8]", "~...layers[:1]"])
    assert (plain(made.a.layers), made.b.layers) == ([8, 2], (8, 3))


def test_it_takes_away_what_is_set_or_what_has_a_value():
    spec = {"m": {"x": lazy(block)(dropout=0.5), "y": lazy(block)(dropout=0.2), "z": lazy(block)()}}
    left = {"m": {"x": lazy(block)(), "y": lazy(block)(), "z": lazy(block)()}}
    assert override(spec, "~m...dropout") == left
    assert override(spec, "~...dropout=0.5").m.y == lazy(block)(dropout=0.2)
    assert override({"a": {"a": {"b": {"a": 1}}}}, "~...a") == {}


def test_where_nothing_has_the_name_there_is_nothing_to_edit():
    problems = []
    with pytest.raises(OverrideError) as caught:
        override({"m": lazy(block)(1)}, ["~m...dropout", "m...dropout+=1", "~m...dim=2"])
    problems = [(fault.path, fault.problem) for fault in caught.value.faults]
    assert problems == [
        ("m...dropout", "nothing below m has it"),
        ("m...dropout", "nothing below m has it"),
        ("m...dim", "nothing below m is 2"),
    ]


def test_the_faults_of_all_places_are_told():
    with pytest.raises(OverrideError) as caught:
        override({"a": {"n": [1]}, "b": {"n": 1}, "c": {"n": (1,)}}, "...n+=2")
    assert [fault.path for fault in caught.value.faults] == ["a.n", "c.n"]


def test_in_a_file_each_place_is_edited_once_and_what_is_taken_from_it_follows(project):
    project(
        "conf.py",
        """
        from callsheet import copy, lazy
        from dataclasses import dataclass
        @dataclass(frozen=True)
        class Size:
            steps: int = 1
        a = dict(steps=1, layers=[1])
        b = dict(layers=a.layers, of=Size(), twice=a.steps * 2)
        c = copy(a)
        layers = [5]
        d = dict(layers=[*layers, 6])
        """,
    )
    cfg = load("conf.py", ["...layers+=[9]", "...steps+=1"])
    assert (plain(cfg.a), plain(cfg.c)) == ({"steps": 2, "layers": [1, 9]}, {"steps": 2, "layers": [1, 9]})
    assert (plain(cfg.b.layers), cfg.b.of.steps, cfg.b.twice) == ([1, 9], 2, 4)
    assert (plain(cfg.layers), plain(cfg.d.layers)) == ([5, 9], [5, 9, 6, 9])


def test_in_a_file_what_is_taken_away_is_gone_below_and_at_the_end(project):
    project(
        "conf.py",
        """
        lr = 1
        a = dict(lr=lr, b=dict(lr=2))
        more = sorted(a)
        """,
    )
    assert plain(load("conf.py", ["~...lr"])) == {"a": {"b": {}}, "more": ["b"]}
    assert plain(load("conf.py", ["~a...lr"])) == {"lr": 1, "a": {"b": {}}, "more": ["b"]}
    with pytest.raises(OverrideError, match="nothing below the spec has it"):
        load("conf.py", ["~...rate"])


def test_a_list_sweeps_at_many_places():
    trials = sweep({"a": {"n": [0]}, "b": {"n": [1]}}, "...n+=[5],[6]")
    assert trials.axes == {"...n": ("[5]", "[6]")}
    assert [(plain(trial.spec.a.n), plain(trial.spec.b.n)) for trial in trials] == [([0, 5], [1, 5]), ([0, 6], [1, 6])]
    assert trials[1].overrides == ("...n+=[6]",)


# --- without an import ------------------------------------------------------------------------------------------------

ASKED = """
import sys
from callsheet import build, check, load
from callsheet.errors import CallsheetError
cfg = None
try:
    cfg = load("conf.py", sys.argv[1:])
except CallsheetError as error:
    print(error.faults[0].problem, end=" ")
print("imported" if "models" in sys.modules else "named", end=" ")
if cfg is not None:
    check(cfg)
    print(*build(cfg.model).all)
"""


def test_what_is_remembered_of_targets_is_not_imported_again(project, tmp_path, monkeypatch):
    monkeypatch.setenv("CALLSHEET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(callsheet.__file__).parent.parent}")
    models = Path(project("models.py", MODELS))
    old = models.stat().st_mtime - 60
    os.utime(models, (old, old))
    project(
        "conf.py",
        "from callsheet import lazy\nfrom models import Block, Net\nmodel = lazy(Net)([lazy(Block)(1), lazy(Block)(2)])\n",
    )

    def run(*texts):
        done = subprocess.run(
            [sys.executable, "-c", ASKED, *texts], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        return done.stdout.strip() + done.stderr

    assert run("model...width=3") == "imported [(3, 0.0), (3, 0.0)] 0.0"
    assert run("model...width=4") == "named [(4, 0.0), (4, 0.0)] 0.0"
    assert run("model...dropout=0.5") == "named [(1, 0.5), (2, 0.5)] 0.5"
    assert run("model...widht=4") == "nothing below model takes it imported"
    models.write_text(MODELS.replace("width=1,", "size=1, width=1,"))
    assert run("model...size=7") == "imported [(1, 0.0), (1, 0.0)] 0.0"
