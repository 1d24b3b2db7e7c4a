"""Swaps and variants: an unquoted word where a call or dataclass stands names what stands there instead."""

import linecache
from dataclasses import dataclass, field

import pytest

from callsheet import (
    CallsheetWarning,
    build,
    copy,
    edit,
    equal,
    lazy,
    load,
    origin,
    override,
    partial,
    plain,
    ref,
    sweep,
    target,
)
from callsheet.errors import OverrideError, TrustError


def adam(params=(), lr: float = 0.1, betas: tuple[float, float] = (0.9, 0.99)): ...


def sgd(params=(), lr: float = 0.5, momentum: float = 0.0): ...


@dataclass
class BackboneA:
    depth: int = 18
    width: int = 64


@dataclass
class BackboneB:
    depth: int = 50
    heads: int = 8


@dataclass
class Needy:
    must: int
    depth: int = 1


@dataclass
class Model:
    backbone: object = field(default_factory=BackboneA)


def fault_of(spec, text):
    with pytest.raises(OverrideError) as caught:
        override(spec, text)
    (fault,) = caught.value.faults
    return fault.path, fault.problem, list(fault.advice)


# --- targets ----------------------------------------------------------------------------------------------------------


def test_a_word_swaps_the_target_and_keeps_what_fits():
    spec = {"optim": lazy(adam)((1,), lr=0.3), "again": ref("optim").lr}
    made = override(spec, ["optim=sgd", "optim.momentum=0.9"])
    assert made.optim == lazy(sgd)(params=(1,), lr=0.3, momentum=0.9)
    assert spec["optim"] == lazy(adam)((1,), lr=0.3)
    assert made.again == ref("optim").lr


def test_what_does_not_fit_is_named():
    with pytest.warns(CallsheetWarning, match=rf"^optim=sgd: {__name__}.sgd takes no betas, left out$"):
        made = override({"optim": lazy(adam)(lr=0.3, betas=(0.0, 0.0))}, "optim=sgd")
    assert made.optim == lazy(sgd)(lr=0.3)


def test_the_line_that_is_told_with_it_is_the_users(tmp_path):
    with pytest.warns(CallsheetWarning) as warned:
        override({"optim": lazy(adam)(betas=(0.0, 0.0))}, "optim=sgd")
    assert warned[0].filename == __file__
    assert linecache.getline(__file__, warned[0].lineno).strip().startswith("override(")


def test_where_a_config_file_swaps_its_own_line_is_told(tmp_path):
    path = tmp_path / "conf.py"
    path.write_text(f"from callsheet import lazy\noptim = lazy('{__name__}:adam')(betas=1)\n")
    with pytest.warns(CallsheetWarning) as warned:
        load(path, ["optim=sgd"])
    assert (warned[0].filename, warned[0].lineno) == (str(path), 2)


def test_every_place_that_holds_the_call_follows():
    call = partial(adam)(lr=0.3)
    made = override({"a": call, "b": [call]}, "b[0]=sgd")
    assert made.a is made.b[0]
    assert made.a == partial(sgd)(lr=0.3)


def test_a_full_name_is_taken_as_it_is():
    made = override({"f": lazy("os.path.dirname")("a")}, "f=os.path.basename")
    assert made.f == lazy("os.path.basename")(p="a")
    made = override({"f": lazy("os.path.join")()}, f"f={__name__}:sgd")
    assert target(made.f) is sgd


def test_the_origin_of_the_target_tells_the_word_and_what_it_replaced():
    made = override({"optim": lazy(adam)()}, "optim=sgd")
    from callsheet._items import origin_of
    from callsheet._tree import TARGET

    told = origin(made, "optim")
    assert (told.kind, told.text, told.replaced[0]) == ("override", "optim=sgd", lazy(adam)())
    found = origin_of(made.optim, TARGET)
    assert (found.kind, found.text, found.replaced[0]) == ("override", "optim=sgd", adam)


def test_where_no_node_stands_or_the_text_is_quoted_a_word_is_a_text():
    made = override(
        {"name": "adam", "optim": lazy(adam)(), "path": lazy(adam)()}, ["name=sgd", "optim='sgd'", "path=a/b"]
    )
    assert plain(made) == {"name": "sgd", "optim": "sgd", "path": "a/b"}
    assert plain(override({"optim": lazy(adam)()}, "optim=null")) == {"optim": None}


def test_a_word_that_names_nothing_is_refused_with_the_nearest():
    assert fault_of({"optim": lazy(adam)()}, "optim=sgdd") == (
        "optim",
        f"'sgdd' names nothing that can be called: {__name__} has none, and the file imports none",
        ["did you mean  optim=sgd?", "for the text:  \"optim='sgdd'\""],
    )
    assert fault_of({"optim": lazy(adam)()}, "optim=no.such.Thing")[1:] == (
        "'no.such.Thing' names nothing that can be called",
        ["for the text:  \"optim='no.such.Thing'\""],
    )
    assert fault_of({"f": lazy("os.path.join")()}, "f=os.sep")[1] == "'os.sep' names nothing that can be called"


def maker(kind): ...


def test_a_target_that_is_built_first_can_be_swapped_by_its_full_name():
    made = override({"x": lazy(lazy(maker)("adam"))(lr=0.3)}, f"x={__name__}.sgd")
    assert made.x == lazy(sgd)(lr=0.3)
    assert fault_of({"x": lazy(lazy(maker)("adam"))(lr=0.3)}, "x=sgd")[1] == "'sgd' names nothing that can be called"


def test_what_a_config_file_defines_itself_is_found_in_it(project):
    project(
        "conf.py",
        "from callsheet import lazy\ndef one(a=0): return 1, a\ndef two(a=0): return 2, a\nx = lazy(one)(5)\n",
    )
    assert build(load("conf.py", ["x=two"]).x) == (2, 5)
    assert build(override(load("conf.py"), "x=two").x) == (2, 5)


def test_a_swap_can_be_taken_back():
    spec = override({"optim": lazy(adam)(lr=0.3), "a": 1}, [])
    with pytest.raises(OverrideError):
        edit(spec, ["optim=sgd", "b=1"])
    assert equal(spec, override({"optim": lazy(adam)(lr=0.3), "a": 1}, []))


def test_a_swap_sweeps():
    trials = sweep({"optim": lazy(adam)(lr=0.3)}, "optim=adam,sgd")
    assert [target(trial.spec.optim) for trial in trials] == [adam, sgd]


TRAIN = """
class Adam:
    def __init__(self, lr=0.1, betas=(0.9, 0.99)): self.all = 'adam', lr
class SGD:
    def __init__(self, lr=0.5, momentum=0.0): self.all = 'sgd', lr
"""
CONF = """
from callsheet import lazy
from train import Adam
import other as o
from other import Lion
optim = lazy(Adam)(lr=0.3)
steps = optim.lr * 10
"""


def test_in_a_file_a_word_means_what_stands_beside_the_target_or_what_the_file_imports(project):
    project("train.py", TRAIN)
    project("other.py", "class Lion:\n    def __init__(self, lr): self.all = 'lion', lr\n")
    project("conf.py", CONF)
    for text, all_ in [
        ("SGD", "sgd"),
        ("Lion", "lion"),
        ("o.Lion", "lion"),
        ("train.SGD", "sgd"),
        ("other:Lion", "lion"),
    ]:
        cfg = load("conf.py", [f"optim={text}", "optim.lr=1"])
        assert (build(cfg.optim).all, cfg.steps) == ((all_, 1), 10)


def test_in_data_a_word_beside_a_target_asks_the_policy(project):
    project("train.py", TRAIN)
    project("conf.json", '{"optim": {"_target_": "train:Adam", "lr": 0.3}}')
    with pytest.raises(TrustError, match="train"):
        load("conf.json", ["optim=SGD"])
    assert build(load("conf.json", ["optim=SGD"], allow=["train"]).optim).all == ("sgd", 0.3)


# --- dataclasses ------------------------------------------------------------------------------------------------------


def test_a_word_swaps_a_dataclass_and_keeps_what_both_have():
    spec = {"model": Model(BackboneA(depth=34)), "again": None}
    spec["again"] = spec["model"].backbone
    with pytest.warns(CallsheetWarning, match="takes no width, left out"):
        made = override(spec, ["model.backbone=BackboneB", "model.backbone.heads=2"])
    assert made.model == Model(BackboneB(34, 2))
    assert made.again is made.model.backbone
    assert spec["model"].backbone == BackboneA(34)


def test_a_dataclass_that_cannot_be_made_says_what_is_missing():
    path, problem, _ = fault_of({"b": BackboneA(2)}, "b=Needy")
    assert (path, problem.partition(": ")[0]) == ("b", "Needy cannot be made of depth")
    assert fault_of({"b": BackboneA(2)}, "b=sgd")[1] == f"{'sgd'} is no dataclass, as BackboneA is that stands there"


# --- variants ---------------------------------------------------------------------------------------------------------


def test_a_variant_is_a_name_of_the_same_file(project):
    project("train.py", TRAIN)
    project(
        "conf.py",
        "from callsheet import lazy\nfrom train import Adam, SGD\n_slow = lazy(SGD)(lr=0.01)\nfast = lazy(SGD)(lr=1)\n"
        "optim = lazy(Adam)()\nsteps = 100 * optim.lr\n",
    )
    cfg = load("conf.py", ["optim=@slow"])
    assert (build(cfg.optim).all, cfg.steps, origin(cfg, "optim").text) == (("sgd", 0.01), 1, "optim=@slow")
    cfg = load("conf.py", ["optim=@fast", "optim.lr=2"])
    assert (build(cfg.optim).all, cfg.steps) == (("sgd", 2), 200)


def test_a_variant_is_a_file_in_the_folder_of_its_path(project):
    project("train.py", TRAIN)
    project(
        "conf.py", "from callsheet import lazy\nfrom train import Adam\noptim = lazy(Adam)()\nhp = dict(optim=optim)\n"
    )
    project("optim/sgd.py", "from callsheet import lazy\nfrom train import SGD\nsgd = lazy(SGD)(lr=3)\n")
    project("optim/plain.yaml", "lr: 1\n")
    project("hp/optim/deep.json", '{"optim": {"lr": 4}}')
    assert build(load("conf.py", ["optim=@sgd"]).optim).all == ("sgd", 3)
    assert plain(load("conf.py", ["optim=@plain"]).optim) == {"lr": 1}
    assert plain(load("conf.py", ["hp.optim=@deep"]).hp.optim) == {"lr": 4}
    assert build(load("conf.py", ["hp.optim=@sgd"]).hp.optim).all == ("sgd", 3)


def test_the_file_of_a_variant_counts_to_what_a_trial_has_read(project):
    project("conf.py", "model = dict(depth=0)\n")
    project("model/small.py", "depth = 1\n")
    project("model/large.yaml", "depth: 2\n")
    trials = sweep("conf.py", "model=@small,@large")
    read = [{file.rpartition("/")[2] for file in trial.files} for trial in trials]
    assert read == [{"conf.py", "small.py"}, {"conf.py", "large.yaml"}]
    assert [trial.spec.model.depth for trial in trials] == [1, 2]


def test_a_variant_may_name_its_file(project):
    project("conf.yaml", "optim:\n  lr: 1\n")
    project("more/o.yaml", "a:\n  lr: 2\nb:\n  lr: 3\n")
    assert plain(load("conf.yaml", ["optim=@more/o.yaml:b"])) == {"optim": {"lr": 3}}
    assert plain(load("conf.yaml", ["+all=@more/o.yaml"])) == {
        "optim": {"lr": 1},
        "all": {"a": {"lr": 2}, "b": {"lr": 3}},
    }
    with pytest.raises(OverrideError, match="more/o.yaml defines no c"):
        load("conf.yaml", ["optim=@more/o.yaml:c"])


def test_an_unknown_variant_lists_the_candidates(project):
    project("conf.py", "from callsheet import lazy\noptim = lazy(dict)()\n_slow = lazy(dict)()\n")
    project("optim/fast.py", "fast = dict(lr=1)\n")
    with pytest.raises(OverrideError) as caught:
        load("conf.py", ["optim=@fats"])
    (fault,) = caught.value.faults
    assert (fault.path, fault.problem) == ("optim", "there is no variant 'fats'")
    assert fault.advice == (
        "did you mean  optim=@fast?",
        "there are  @slow, @fast",
        "or write  optim=@file.py:name",
        "for the text:  \"optim='@fats'\"",
    )


def test_of_a_spec_that_is_loaded_its_first_level_names_variants():
    spec = {"optim": lazy(adam)(), "other": lazy(sgd)()}
    made = override(spec, "optim=@other")
    assert made.optim is made.other
    assert fault_of(spec, "optim=@file.py:x") == ("optim", "there is no file file.py", [])
    assert fault_of(spec, "optim=@fast") == (
        "optim",
        "there is no variant 'fast'",
        [
            "there are  @other",
            "looked for  fast, _fast  alone: files are those beside the file that a spec was loaded from",
            "or write  optim=@file.py:name",
            "for the text:  \"optim='@fast'\"",
        ],
    )


RESNET = """
    from callsheet import lazy
    from .parts import stem
    base = 4
    resnet = lazy(dict)(width=base, double=base * 2, layers=[1], stem=stem)
    resnet.triple = resnet.width * 3
    count = len(resnet.layers)
    resnet.count = count
"""


def test_what_is_said_of_values_inside_of_a_variants_file_reaches_what_that_computes(project):
    project("model/parts.py", "stem = dict(size=7)\n")
    project("model/resnet.py", RESNET)
    for name, text in [
        ("conf.py", "model = dict(width=0)\nshown = model.width\n"),
        ("conf.yaml", "model: {width: 0}\n"),
    ]:
        said = ["model.width=1", "model=@resnet", "model.width=5", "model.layers+=[2,3]", "model.stem.size=3"]
        for cfg in (load(project(name, text), said), override(load(name), said)):
            assert build(cfg.model) == {
                "width": 5,
                "double": 8,
                "triple": 15,
                "layers": [1, 2, 3],
                "count": 3,
                "stem": {"size": 3},
            }
            assert origin(cfg, "model.width").text == "model.width=5"
    cfg = load("conf.py", ["...width=6", "model=@resnet"])
    assert (cfg.shown, cfg.model.width) == (4, 4)
    cfg = load("conf.py", ["model=@resnet", "...width=6"])
    assert (cfg.shown, cfg.model.triple) == (6, 18)
    cfg = load("conf.py", ["model=@resnet", "~model.stem", "model...width=7"])
    assert (cfg.model.triple, "stem" in cfg.model) == (21, False)


def test_what_is_said_before_a_variant_is_not_of_it_nor_after_another(project):
    project("model/a.py", "a = dict(n=1)\na.m = a.n + 1\n")
    project("model/b.py", "b = dict(n=10)\nb.m = b.n + 1\n")
    project("conf.py", "model = dict(n=0, m=0)\n")
    assert plain(load("conf.py", ["model.n=5", "model=@a"]).model) == {"n": 1, "m": 2}
    assert plain(load("conf.py", ["model=@a", "model.n=5", "model=@b", "model.n=7"]).model) == {"n": 7, "m": 8}
    for said in (["model=@a", "model.x=5"], ["model.x=5", "model=@a"]):
        with pytest.raises(OverrideError, match=r"model\.x  is not there"):
            load("conf.py", said)


def test_of_a_spec_that_was_loaded_the_files_beside_its_own_are_variants(project):
    project("train.py", TRAIN)
    project("conf.py", CONF)
    project("optim/fast.py", "from callsheet import lazy\nfrom train import SGD\nfast = lazy(SGD)(lr=9)\n")
    project("optim/flat.yaml", "lr: 3\n")
    cfg = load("conf.py")
    assert build(override(cfg, "optim=@fast").optim).all == ("sgd", 9)
    assert plain(override(copy(cfg), "optim=@flat").optim) == {"lr": 3}
    edit(cfg, ["optim=@fast", "optim.lr=2"])
    assert build(cfg.optim).all == ("sgd", 2)
    assert [trial.spec.optim.lr for trial in sweep(load("conf.py"), "optim=@fast,@flat")] == [9, 3]
    with pytest.raises(OverrideError):
        edit(cfg, ["optim=@flat", "no=1"])
    assert cfg.optim.lr == 2


def test_a_variant_sweeps_and_runs_again_for_each_trial(project):
    project("conf.py", "_a = dict(lr=1)\n_b = dict(lr=2)\noptim = dict(lr=0)\ntwice = optim.lr * 2\n")
    assert [trial.spec.twice for trial in sweep("conf.py", "optim=@a,@b")] == [2, 4]
