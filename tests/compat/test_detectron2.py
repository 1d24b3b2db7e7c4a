"""LazyConfig: its files, its trees, its words, with omegaconf and without; and the way to Callsheet's own specs."""

import copy
import json
import logging
import pickle
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import callsheet
from callsheet import build, check, lazy, load, ref, save, to_python
from callsheet._path import format_path
from callsheet.compat.detectron2 import (
    LazyCall,
    LazyConfig,
    _own,
    _tree,
    dump_dataclass,
    from_spec,
    get_config,
    instantiate,
    read,
    to_spec,
)
from callsheet.errors import CycleError, LoadError, OverrideError, PathError, SaveError, SpecError, TrustError

CONFIGS = Path(__file__).parent / "lazyconfigs" / "configs"
CASCADE = str(CONFIGS / "baselines" / "cascade_3x.py")


@pytest.fixture(params=["omegaconf", "without it"])
def library(request, monkeypatch):
    """The test runs with the containers of omegaconf, and with those that stand in for them."""
    _tree.library.cache_clear()
    if request.param != "omegaconf":
        monkeypatch.setitem(sys.modules, "omegaconf", None)
    yield _tree.library()
    _tree.library.cache_clear()


@dataclass
class Solver:
    lr: float = 0.1
    steps: list = field(default_factory=lambda: [1, 2])


@dataclass
class Stack:
    solver: Solver
    more: tuple = ()


REF = "a reference"
LAYER = f"{__name__}.Layer"


class Layer:
    def __init__(self, **kwargs):
        self.kwargs = kwargs


def refuse(**kwargs):
    raise ValueError("refused by itself")


# --- what LazyConfig's own page shows -----------------------------------------------------------------------------------


def test_a_python_file_of_dicts_loads_with_attribute_access(project, library):
    path = project("config.py", "net = dict(depth=1, width=2 * 8, head=dict(classes=1))\ndata = dict(size=3, n=4)\n")
    cfg = LazyConfig.load(path)
    assert cfg.net.head.classes == 1
    assert _tree.to_container(cfg) == {
        "net": {"depth": 1, "width": 16, "head": {"classes": 1}},
        "data": {"size": 3, "n": 4},
    }


def test_nested_calls_describe_dicts_that_instantiate_to_what_the_code_would_make(project, library):
    project(
        "shop.py",
        """
        class Rule:
            def __init__(self, rate, kind): self.rate, self.kind = rate, kind

        class Learner:
            def __init__(self, rule): self.rule = rule
    """,
    )
    path = project(
        "conf.py",
        """
        from detectron2.config import LazyCall as L
        from shop import Learner, Rule

        learner = L(Learner)(rule=L(Rule)(rate=0.01, kind="sgd"))
    """,
    )
    cfg = LazyConfig.load(path).learner
    assert _tree.to_container(cfg) == {
        "_target_": "shop.Learner",
        "rule": {"_target_": "shop.Rule", "rate": 0.01, "kind": "sgd"},
    }
    learner = instantiate(cfg)
    assert (type(learner).__name__, learner.rule.rate, learner.rule.kind) == ("Learner", 0.01, "sgd")
    assert type(build(to_spec(cfg)).rule) is type(learner.rule)


def test_a_config_of_the_zoo_is_read_line_by_line(project, library):
    project("configs/zoo/net.py", "train = dict(n=3)\nmodel = dict(_target_='far.Net', depth=2)\n")
    path = project("configs/show.py", "from detectron2.model_zoo import get_config\ncfg = get_config('zoo/net.py')\n")
    assert LazyConfig.to_py(LazyConfig.load(path).cfg) == "cfg.model = far.Net(depth=2)\ncfg.train.n = 3\n"


# --- files --------------------------------------------------------------------------------------------------------------


def test_a_zoo_config_loads_where_nothing_that_it_names_is_installed():
    program = f"""
        import sys
        sys.path.insert(0, {str(Path(callsheet.__file__).parents[1])!r})
        from callsheet.compat.detectron2 import LazyConfig
        cfg = LazyConfig.load({CASCADE!r})
        assert not any(name in sys.modules for name in ("torch", "omegaconf", "detectron2", "fvcore"))
        print(LazyConfig.to_py(cfg))
    """
    bare = [sys.executable, "-I", "-S", "-c", textwrap.dedent(program)]
    done = subprocess.run(bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == LazyConfig.to_py(LazyConfig.load(CASCADE)) + "\n"


def test_a_zoo_config_comes_to_what_its_lines_say(library):
    cfg = LazyConfig.load(CASCADE)
    assert type(cfg).__module__.startswith("omegaconf" if library.__name__ == "omegaconf" else "callsheet")
    assert sorted(cfg) == ["dataloader", "lr_multiplier", "model", "optimizer", "train"]
    assert cfg.model._target_ == "detectron2.modeling.meta_arch.GeneralizedRCNN"
    assert cfg.model.backbone.bottom_up.stages._target_ == "detectron2.modeling.backbone.ResNet.make_default_stages"
    assert cfg.model.backbone.bottom_up.stages.depth == 101
    assert cfg.model.backbone.in_features == ["res2", "res3", "res4", "res5"]
    assert cfg.model.roi_heads._target_ == "detectron2.modeling.roi_heads.CascadeROIHeads"
    assert [p.num_classes for p in cfg.model.roi_heads.box_predictors] == [80, 80, 80]
    assert list(cfg.model.roi_heads.box_predictors[1].weights) == [20, 20, 10, 10]
    assert "pixel_std" not in cfg.model
    assert "box_in_features" not in cfg.model.roi_heads
    assert cfg.train.max_iter == 270000
    assert cfg.lr_multiplier.scheduler.milestones == [420000, 500000, 540000]
    assert cfg.optimizer.params.base_lr == 0.02
    assert cfg.dataloader.test.mapper.image_format == "BGR"
    assert cfg.dataloader.evaluator.dataset_name == "coins_val"
    assert "torch.nn.modules.activation" not in str(cfg.model.backbone.activation)


def test_what_a_config_uses_is_imported_and_what_it_names_is_not(project, library):
    project("heavy.py", "WIDTH = 3\nclass Net: pass\nprint('imported')\n")
    names = project(
        "names.py", "from detectron2.config import LazyCall as L\nfrom heavy import Net\nm = L(Net)(norm=Net)\n"
    )
    cfg = LazyConfig.load(names)
    assert "heavy" not in sys.modules
    assert cfg.m._target_ == "heavy.Net"
    uses = project("uses.py", "from heavy import WIDTH, Net\na = dict(width=WIDTH * 2, net=Net)\n")
    assert LazyConfig.load(uses).a.width == 6
    assert LazyConfig.load(uses).a.net is sys.modules["heavy"].Net


def test_a_target_that_is_only_named_stays_text_wherever_it_is_set(project, library):
    path = project(
        "conf.py",
        """
        from far.away import Head, Neck
        a = dict(_target_=Head, x=1)
        b = {"_target_": Neck.part}
        c = dict(x=1)
        c.update(_target_=Head)
        a["_target_"] = Neck
    """,
    )
    cfg = LazyConfig.load(path)
    assert [cfg.a._target_, cfg.b._target_, cfg.c._target_] == ["far.away.Neck", "far.away.Neck.part", "far.away.Head"]


def test_what_is_needed_and_not_there_says_where_it_was_imported(project):
    path = project("conf.py", "from far.away import WIDTH\na = dict(width=WIDTH + 1)\n")
    with pytest.raises(ImportError, match="no module named 'far'") as caught:
        LazyConfig.load(path)
    assert [fault.origin for fault in caught.value.faults] == ["conf.py:1"]


def test_only_containers_are_exported_and_keys_pick_anything(project, library):
    path = project("conf.py", "x = 3\nlst = [1]\n_a = dict(b=1)\nf = lambda: 1\nc = dict(d=[1, dict(e=2)])\n")
    assert list(LazyConfig.load(path)) == ["c"]
    assert LazyConfig.load(path, "x") == 3
    a, c = LazyConfig.load(path, ("_a", "c"))
    assert (a.b, c.d[1].e) == (1, 2)
    with pytest.raises(PathError, match="did you mean"):
        LazyConfig.load(path, "lstt")


def test_each_import_of_a_file_gives_containers_of_its_own(project, library):
    project("parts.py", "net = dict(depth=[1])\n")
    project("left.py", "from .parts import net\nnet.depth.append(2)\n")
    path = project(
        "conf.py",
        "from detectron2.config import LazyCall as L\nfrom .left import net as left\nfrom .parts import net as right\nboth = L(dict)(a=right)\nright.depth[0] = 9\n",
    )
    cfg = LazyConfig.load(path)
    assert (cfg.left.depth, cfg.right.depth, cfg.both.a.depth) == ([1, 2], [9], [1])


def test_a_star_takes_all_public_names(project, library):
    project("parts.py", "a = dict(x=1)\n_b = dict(x=2)\n")
    assert list(LazyConfig.load(project("conf.py", "from .parts import *\n"))) == ["a"]


def test_bad_relative_imports_are_refused_in_detectron2s_words(project):
    project("folder/__init__.py", "")
    for line, words in [
        ("from . import folder", "Relative import of directories is not allowed within config file."),
        ("from .folder import x", "folder. Relative import of directories is not allowed"),
        ("from .nowhere import x", "nowhere.py does not exist."),
    ]:
        with pytest.raises(ImportError, match=words):
            LazyConfig.load(project("conf.py", f"{line}\n"))
    project("parts.py", "net = dict()\n")
    with pytest.raises(LoadError, match="did you mean  net"):
        LazyConfig.load(project("conf.py", "from .parts import nett\n"))


def test_what_is_no_config_file_is_refused(project):
    for name, text, words in [
        ("conf.json", "{}", "has to be a python or yaml file"),
        ("broken.py", "a = (", "is not valid Python"),
        ("circle.py", "from .circle import a\n", "takes from itself"),
        ("broken.yaml", "a: [", "is no YAML"),
    ]:
        with pytest.raises(LoadError, match=words):
            LazyConfig.load(project(name, text))
    with pytest.raises(LoadError, match="there is no file nowhere.py"):
        LazyConfig.load("nowhere.py")


def test_load_rel_goes_by_the_file_that_calls_it(project, library):
    project("sub/parts.py", "net = dict(depth=3)\n")
    path = project(
        "sub/conf.py", "from detectron2.config import LazyConfig\nnet = LazyConfig.load_rel('./parts.py', 'net')\n"
    )
    assert LazyConfig.load(path).net.depth == 3
    with pytest.raises(LoadError, match="use load"):
        eval("load_rel('a.py')", {"load_rel": LazyConfig.load_rel})


def test_get_config_looks_in_the_checkout_of_the_file_and_in_the_installed_package(project, library, tmp_path):
    project("checkout/configs/common/net.py", "net = dict(depth=1)\n")
    conf = project(
        "checkout/projects/mine/configs/conf.py",
        "from detectron2 import model_zoo\nnet = model_zoo.get_config('common/net.py').net\n",
    )
    assert LazyConfig.load(conf).net.depth == 1
    project("detectron2/__init__.py", "raise RuntimeError('imported')\n")
    project("detectron2/model_zoo/configs/common/net.py", "net = dict(depth=2)\n")
    assert get_config("common/net.py").net.depth == 2
    assert LazyConfig.load(conf).net.depth == 2
    with pytest.raises(LoadError, match="not available in Model Zoo!"):
        get_config("common/nett.py")
    with pytest.raises(LoadError, match=r"no LazyConfig file, which ends in \.py"):
        get_config("COCO-Detection/retinanet.yaml")


def test_a_trained_config_asks_detectron2_where_its_weights_lie(project, library):
    project("detectron2/__init__.py", "")
    project("detectron2/model_zoo/__init__.py", "def get_checkpoint_url(path):\n    return f'https://weights/{path}'\n")
    project("detectron2/model_zoo/configs/a.py", "train = dict(init_checkpoint='')\n")
    project("detectron2/model_zoo/configs/b.py", "train = dict()\n")
    assert get_config("a.py", trained=True).train.init_checkpoint == "https://weights/a.py"
    with pytest.raises(LoadError, match="has none"):
        get_config("b.py", trained=True)


def test_the_shape_record_is_described_where_detectron2_is_not_installed(project, library):
    path = project(
        "conf.py",
        """
        from detectron2.config import LazyCall as L
        from detectron2.layers import ShapeSpec
        from far.away import Head

        head = L(Head)(input_shape=[ShapeSpec(256, height=7)] * 2, lazy=L(ShapeSpec)(width=1), cls=ShapeSpec)
        head.input_shape[1].channels = 128
    """,
    )
    cfg = LazyConfig.load(path)
    assert [shape.channels for shape in cfg.head.input_shape] == [256, 128]
    assert "detectron2.layers.ShapeSpec(channels=256, height=7)" in LazyConfig.to_py(cfg)
    assert to_python(to_spec(cfg)).startswith(
        "# Written by Callsheet; load(...) reads it back.\nfrom callsheet import lazy\n"
        "from detectron2.layers import ShapeSpec\nfrom far.away import Head\n"
    )
    project("detectron2/__init__.py", "")
    project(
        "detectron2/layers.py",
        """
        from dataclasses import dataclass

        @dataclass
        class ShapeSpec:
            channels: int | None = None
            height: int | None = None
    """,
    )
    shapes = instantiate(LazyConfig.load(path).head.input_shape)
    assert [(shape.channels, shape.height) for shape in shapes] == [(256, 7), (128, 7)]
    described = _tree.new_dict({"_target_": "detectron2.layers.ShapeSpec", "channels": 3})
    assert instantiate(described) == sys.modules["detectron2.layers"].ShapeSpec(channels=3)
    assert instantiate(cfg.head.input_shape)[1] == shapes[1]


def test_whole_modules_are_served_as_well(project, library):
    path = project(
        "conf.py",
        """
        import detectron2.config
        import detectron2.config as config
        import omegaconf

        a = config.LazyCall("far.away.Net")(x=1)
        b = detectron2.config.LazyCall("far.away.Net")(x=2)
        c = omegaconf.OmegaConf.create({"x": 3})
    """,
    )
    cfg = LazyConfig.load(path)
    assert [cfg.a.x, cfg.b.x, cfg.c.x] == [1, 2, 3]
    with pytest.raises(ImportError, match="no module named 'detectron2'|No module named 'detectron2'"):
        LazyConfig.load(project("more.py", "import detectron2.config as config\nc = dict(c=config.get_cfg())\n"))


def test_a_misspelt_word_of_lazyconfig_is_told_and_other_words_of_detectron2_wait(project):
    LazyConfig.load(project("conf.py", "from detectron2.config import get_cfg\n"))
    with pytest.raises(LoadError, match="detectron2.config has no 'LazyCal'") as caught:
        LazyConfig.load(project("conf.py", "from detectron2.config import LazyCal as L\n"))
    assert caught.value.faults[0].origin == "conf.py:1"
    assert caught.value.faults[0].advice[0] == "did you mean  LazyCall?"


def test_what_a_config_defines_itself_is_named_by_its_file(project, library, tmp_path):
    path = project(
        "own.py",
        """
        from dataclasses import dataclass
        from detectron2.config import LazyCall as L

        @dataclass
        class Solver:
            lr: float = 0.1

        def double(x):
            return 2 * x

        a = L(Solver)(lr=0.5)
        b = dict(f=double, call=L(double)(x=4), solver=Solver(lr=0.25))
    """,
    )
    cfg = LazyConfig.load(path)
    assert instantiate(cfg.a).lr == 0.5
    assert "cfg.a = own.Solver(lr=0.5)\ncfg.b.call = own.double(x=4)\n" in LazyConfig.to_py(cfg)
    assert (build(to_spec(cfg.a)).lr, build(to_spec(cfg.b.call))) == (0.5, 8)
    with pytest.raises(SaveError) as caught:
        to_python(to_spec(cfg))
    assert [fault.path for fault in caught.value.faults] == ["a", "b.f", "b.call", "b.solver"]
    assert caught.value.faults[2].problem == "needs double, which a config defines for itself"


def test_what_a_config_defines_itself_is_pickled_whole(project, library, caplog):
    path = project(
        "own.py",
        """
        from dataclasses import dataclass
        from detectron2.config import LazyCall as L
        from .parts import part

        @dataclass
        class Solver:
            lr: float = 0.1

        def double(x):
            return 2 * x

        a = dict(solver=L(Solver)(lr=0.5), live=Solver(lr=0.25), f=double)
        b = L(double)(x=part.x)
    """,
    )
    project("parts.py", "part = dict(x=4)\n")
    LazyConfig.save(LazyConfig.load(path), "out.yaml")
    assert "valid yaml: a.solver._target_, a.live._target_, a.f, b._target_. " in caplog.text
    assert "_target_: own.double" in Path("out.yaml").read_text()
    program = f"""
        import pickle, sys
        sys.path.insert(0, {str(Path(callsheet.__file__).parents[1])!r})
        from callsheet.compat.detectron2 import instantiate
        with open("out.yaml.pkl", "rb") as file:
            cfg = pickle.load(file)
        print(instantiate(cfg.b), cfg.a.f(1))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "8 2\n"), done.stderr


# --- trees ----------------------------------------------------------------------------------------------------------------


def edited(conf):
    """What is asked of containers: each line gives a value that both kinds must agree on."""
    cfg = conf.create(
        {"a": {"b": 1, "c": [1, {"d": "${...e}"}], "e": "x-${f}"}, "f": 3, "g": "${a.c}", "h": "${a.c[0]}"}
    )
    yield conf.to_container(cfg), conf.to_container(cfg, resolve=True)
    node = {"x": 1}
    cfg.n = node
    node["x"] = 2
    cfg.m = cfg.n
    cfg.m.x = 5
    yield cfg.n.x, cfg.m.x, cfg.a.c[1].get("q"), cfg.a.get("b", 7), "b" in cfg.a, len(cfg), list(cfg.a)
    yield cfg.a.pop("b"), cfg.a.pop("b", 9), cfg.g[0], cfg.h, next(iter(cfg.g))
    cfg.a.update({"b": {"z": [1]}}, y=2)
    cfg["a"]["b"].z += [2]
    cfg.a.b.z.append({"k": "${.....f}"})
    yield conf.to_container(cfg.a, resolve=False), conf.is_config(cfg.a), conf.is_dict(cfg.a.c), conf.is_list(cfg.a.c)
    del cfg.a.c[0]
    cfg.a.c.insert(0, "first")
    cfg.a.c.extend([7, 8])
    yield (
        conf.to_container(cfg.a.c),
        cfg.a.c[-1],
        list(cfg.a.c[1:3])[1],
        cfg.a.c == ["first", {"d": "x-3"}, 7, 8],
        7 in cfg.a.c,
    )
    conf.update(cfg, "a.new.deep", {"p": 1})
    conf.update(cfg, "a.new.deep", {"q": 2})
    conf.update(cfg, "a.c[1]", 5)
    yield conf.select(cfg, "a.new.deep.q"), conf.select(cfg, "a.no.way", default=4), conf.to_container(cfg)
    twin = copy.deepcopy(cfg.a)
    twin.y = 0
    yield cfg.a.y, twin.e, twin == cfg.a, cfg.a == copy.deepcopy(cfg.a), pickle.loads(pickle.dumps(cfg)) == cfg
    yield conf.to_container(conf.merge({"p": {"q": [1], "r": "${s}"}, "s": 0}, cfg.n, conf.create({"p": {"q": [2]}})))
    cfg.missing = "???"
    yield "missing" in cfg, cfg.get("missing", 3), conf.select(cfg, "missing", default=4), list(cfg.keys())
    cfg.lst = [3, 1, {"k": "${..[0]}"}]
    cfg.lst[:2] = [5, 4, 6]
    both = [0] + cfg.lst  # noqa: RUF005  (of omegaconf's own adding)
    yield both == [0, 5, 4, 6, {"k": 5}], cfg.lst[3].k, conf.select(cfg, "lst[-1].k"), cfg.lst.pop().k
    cfg.lst.sort(reverse=True)
    yield cfg.lst == [6, 5, 4], conf.select(cfg, "lst[3]", default="none"), conf.select(cfg, "f.x", default="none")
    yield pickle.loads(pickle.dumps(cfg.a)).e, copy.copy(cfg.a).e
    yield (
        sorted(cfg.a.items(), key=str)[0][0],
        [*cfg.a.keys()],
        cfg.setdefault("f", 1),
        cfg.setdefault("new", 2),
        str(cfg.n),
    )


def test_containers_behave_as_omegaconfs_do():
    import omegaconf

    ours, theirs = list(edited(_own.OmegaConf)), list(edited(omegaconf.OmegaConf))
    assert len(ours) == 13
    for mine, yours in zip(ours, theirs, strict=True):
        assert mine == yours


@pytest.mark.parametrize(
    ("do", "error"),
    [
        (lambda cfg: cfg.nothing, AttributeError),
        (lambda cfg: cfg["nothing"], KeyError),
        (lambda cfg: cfg.__delattr__("nothing"), AttributeError),
        (lambda cfg: cfg.pop("nothing"), KeyError),
        (lambda cfg: cfg.lst[9], IndexError),
        (lambda cfg: cfg.lst.__setitem__(9, 1), IndexError),
    ],
    ids=["attribute", "item", "deleted attribute", "popped", "index", "set index"],
)
def test_what_is_not_there_raises_what_omegaconf_raises(library, do, error):
    with pytest.raises(error, match=r"full_key: (.*\.)?(nothing|lst\[9\])"):
        do(library.OmegaConf.create({"lst": [1]}))


def test_without_omegaconf_references_that_lead_nowhere_are_named():
    cfg = _own.OmegaConf.create({"a": {"b": "${.c}", "d": "${e}"}, "e": "${a.d}", "f": "???", "g": "${other:1}"})
    with pytest.raises(PathError, match=r"a\.b  refers to \$\{\.c\}, where nothing is"):
        _ = cfg.a.b
    with pytest.raises(CycleError, match="refers to itself"):
        _ = cfg.e
    with pytest.raises(SpecError, match="f  must be given"):
        _ = cfg.f
    with pytest.raises(PathError, match="pip install omegaconf"):
        _ = cfg.g
    with pytest.raises(AttributeError, match="OmegaConf.to_yaml needs omegaconf itself: pip install omegaconf"):
        _own.OmegaConf.to_yaml(cfg)
    assert _own.OmegaConf.select(cfg, "f", default=3) == 3
    with pytest.raises(PathError, match="where nothing is"):
        _own.OmegaConf.select(cfg, "a.b", default=3)


def test_the_environment_is_asked_as_omegaconf_asks_it(library, monkeypatch):
    monkeypatch.setenv("LAZY_HOME", "/home/lazy")
    cfg = library.OmegaConf.create({"a": "${oc.env:LAZY_HOME}/x", "b": "${oc.env:LAZY_NONE,7}"})
    assert (cfg.a, str(cfg.b)) == ("/home/lazy/x", "7")


# --- calls ----------------------------------------------------------------------------------------------------------------


def test_a_call_is_a_dict_with_the_name_of_its_target(library):
    call = LazyCall(Fraction)(a=1, b=LazyCall("builtins.dict")(c=2))
    assert call._target_ is Fraction
    assert call.b._target_ == "builtins.dict"
    assert LazyCall(dict)(a=1)._target_ == "builtins.dict"
    assert LazyCall(Solver)(lr=1)._target_ == f"{Solver.__module__}.Solver"
    with pytest.raises(TypeError, match="must be a callable or defines a callable"):
        LazyCall(3)
    with pytest.raises(TypeError):
        LazyCall(Fraction)(1)


def test_instantiate_builds_from_the_innermost_outwards(library):
    cfg = LazyCall(Layer)(
        inner=LazyCall(Layer)(width=3),
        layers=[LazyCall(Layer)(n=1), {"plain": 1}],
        options={"a": {"_target_": "builtins.dict", "b": 1}},
        width="${.inner.width}",
    )
    built = instantiate(cfg)
    assert built.kwargs["inner"].kwargs == {"width": 3}
    assert built.kwargs["layers"][0].kwargs == {"n": 1}
    assert built.kwargs["options"].a._target_ == "builtins.dict"  # a dict without a target stays as it is
    assert built.kwargs["width"] == 3
    assert instantiate(LazyCall(Layer)(t=(1, LazyCall("builtins.dict")(a=2)))).kwargs["t"][1] == {"a": 2}
    assert instantiate([LazyCall("builtins.dict")(a=1), 2]) == [{"a": 1}, 2]


def test_each_reference_builds_an_object_of_its_own(library):
    cfg = library.OmegaConf.create({"a": {"_target_": f"{__name__}.Layer"}})
    cfg.b = {"_target_": "builtins.dict", "x": "${a}", "y": "${a}"}
    built = instantiate(cfg.b)
    assert type(built["x"]) is Layer
    assert built["x"] is not built["y"]


def test_a_target_may_be_a_call(library):
    getter = LazyCall(LazyCall(partial_of)(a=1))(b=2)
    assert instantiate(getter) == {"a": 1, "b": 2}


def partial_of(**kwargs):
    def call(**more):
        return {**kwargs, **more}

    return call


def test_dataclasses_stand_as_values(library):
    call = LazyCall(Layer)(solver=Solver(lr=0.5))
    assert call.solver.lr == 0.5
    call.solver.lr = 0.25
    assert instantiate(call).kwargs["solver"] == Solver(lr=0.25)
    dumped = dump_dataclass(Stack(Solver(0.3), (Solver(0.4), 1)))
    assert dumped["more"][0] == {"_target_": f"{__name__}.Solver", "lr": 0.4, "steps": [1, 2]}
    assert instantiate(dumped) == Stack(Solver(0.3), [Solver(0.4), 1])
    with pytest.raises(TypeError, match="requires an instance of a dataclass"):
        dump_dataclass(Solver)


def test_a_failure_keeps_its_exception_and_says_where(library):
    cfg = library.OmegaConf.create({"a": {"b": {"_target_": f"{__name__}.refuse", "x": 1}}})
    with pytest.raises(ValueError, match="refused by itself") as caught:
        instantiate(cfg.a.b)
    assert caught.value.__notes__ == [f"callsheet: a.b: building {__name__}.refuse(x)"]
    for target, error, words in [
        ("nowhere.at.all.Net", ImportError, "no module named 'nowhere'"),
        ("os.path", TypeError, "does not define a callable object"),
        ("os.path.joinn", ImportError, "did you mean  join"),
    ]:
        with pytest.raises(error, match=words):
            instantiate({"_target_": target})


def test_a_live_object_can_be_set_as_an_argument(library):
    cfg = LazyConfig.apply_overrides(_tree.new_dict({"optimizer": LazyCall("builtins.dict")(lr=1)}), ["optimizer.lr=2"])
    model = Layer(width=1)
    cfg.optimizer.params = model
    assert instantiate(cfg.optimizer) == {"lr": 2, "params": model}


# --- overrides ------------------------------------------------------------------------------------------------------------


def test_overrides_set_add_merge_append_and_delete(library):
    cfg = _tree.new_dict({"a": {"b": 1, "c": [1, 2]}, "d": "x"})
    assert LazyConfig.apply_overrides(cfg, ["a.b=1e-3", "a.new.key=[1,{k: v}]", "+e=true", "d='1'", "a.c[0]=7"]) is cfg
    assert _tree.to_container(cfg) == {
        "a": {"b": 0.001, "c": [7, 2], "new": {"key": [1, {"k": "v"}]}},
        "d": "1",
        "e": True,
    }
    LazyConfig.apply_overrides(cfg, ["a={z: 1}", "~a.b", "a.c+=[3]", "~a.new", "~e"])
    assert _tree.to_container(cfg) == {"a": {"c": [7, 2, 3], "z": 1}, "d": "1"}


def test_an_override_below_what_is_no_container_is_a_key_error(library):
    cfg = _tree.new_dict({"a": {"b": 1}})
    with pytest.raises(KeyError, match=r"Trying to update key a\.b\.c, but a\.b is not a config, but has type"):
        LazyConfig.apply_overrides(cfg, ["a.b.c=1"])
    with pytest.raises(KeyError, match="not there to be deleted"):
        LazyConfig.apply_overrides(cfg, ["~a.c"])
    with pytest.raises(OverrideError, match="is a sweep"):
        LazyConfig.apply_overrides(cfg, ["a.b=1,2"])
    with pytest.raises(OverrideError, match="is not an override"):
        LazyConfig.apply_overrides(cfg, ["a.b"])
    assert cfg.a.b == 1


# --- saved, shown -----------------------------------------------------------------------------------------------------------


def test_what_is_saved_loads_back_and_imports_nothing_by_itself(library, project, tmp_path):
    cfg = LazyConfig.load(CASCADE)
    cfg.extra = {"texts": ["no", "1e3", "é"], "solver": dump_dataclass(Solver()), "cls": Fraction, "f": len}
    path = str(tmp_path / "out.yaml")
    LazyConfig.save(cfg, path)
    again = LazyConfig.load(path)
    assert again.extra.texts == ["no", "1e3", "é"]
    assert LazyConfig.to_py(again.model) == LazyConfig.to_py(cfg.model)
    assert again.model.roi_heads.box_predictors[0].num_classes == 80
    assert LazyConfig.load(path, "train") == cfg.train
    with pytest.raises(TrustError, match="named by data"):
        instantiate(again.extra.solver)
    with pytest.raises(TrustError):
        instantiate(again.extra.cls)
    trusted = LazyConfig.load(path, allow=[__name__, "fractions"])
    assert instantiate(trusted.extra.solver) == Solver(steps=[1, 2])
    assert instantiate(copy.deepcopy(trusted).extra.cls) is Fraction


def test_yaml_that_would_run_code_is_refused(project):
    path = project("evil.yaml", "a: 1\nb: !!python/object/apply:os.system ['touch evil']\n")
    with pytest.raises(LoadError, match="which only Python could make") as caught:
        LazyConfig.load(path)
    assert [fault.origin for fault in caught.value.faults] == ["evil.yaml:2"]
    assert not Path("evil").exists()
    named = LazyConfig.load(project("named.yaml", "_target_: os.system\ncommand: touch evil\n"))
    with pytest.raises(TrustError):
        instantiate(named)
    assert not Path("evil").exists()


def test_a_lambda_is_written_for_people_and_pickled(library, tmp_path, caplog):
    cfg = LazyCall("builtins.dict")(f=lambda: 1, n=[1, {"g": lambda: 2}])
    path = str(tmp_path / "out.yaml")
    with caplog.at_level(logging.WARNING):
        LazyConfig.save(cfg, path)
    assert "f, n[1].g" in caplog.text
    assert "human-readable but cannot be loaded" in caplog.text
    assert "lambda" in Path(path).read_text()
    with open(f"{path}.pkl", "rb") as file:
        assert pickle.load(file).f() == 1


def test_a_lambda_of_a_config_is_pickled_with_what_it_uses(project, library):
    path = project(
        "conf.py",
        """
        from detectron2.config import LazyCall as L
        from fractions import Fraction
        from .parts import part

        norm = L(dict)(f=lambda n: Fraction(n, 4), part=part)
    """,
    )
    project("parts.py", "part = dict(x=1)\n")
    LazyConfig.save(LazyConfig.load(path), "out.yaml")
    program = f"""
        import pickle, sys
        sys.path.insert(0, {str(Path(callsheet.__file__).parents[1])!r})
        with open("out.yaml.pkl", "rb") as file:
            cfg = pickle.load(file)
        print(cfg.norm.f(3), cfg.norm.part.x)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "3/4 1\n"), done.stderr


def test_what_cannot_even_be_pickled_stops_nothing(library, tmp_path, caplog):
    path = tmp_path / "out.yaml"
    with caplog.at_level(logging.WARNING):
        LazyConfig.save(LazyCall("builtins.dict")(live=(n for n in range(3))), str(path))
    assert "The config cannot be pickled either: TypeError: cannot pickle 'generator' object" in caplog.text
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.yaml"]


def test_real_pyyaml_reads_what_is_saved(library, tmp_path):
    import yaml

    path = tmp_path / "out.yaml"
    LazyConfig.save(LazyCall(Layer)(cls=Fraction, a="${b}", solver=Solver(), t=(1, 2)), str(path))
    data = yaml.unsafe_load(path.read_text())
    assert data == {"_target_": f"{__name__}.Layer", "a": "${b}", "cls": Fraction, "solver": Solver(), "t": [1, 2]}
    back = LazyConfig.load(str(path), allow=[__name__, "fractions"])
    assert instantiate(back.solver) == Solver()


def test_to_py_gives_sorted_lines(library):
    cfg = _tree.new_dict(
        {
            "train": {"z": 1, "a": {"x": "it's"}},
            "model": LazyCall(Layer)(b={"k": [1, None]}, a=LazyCall("far.Net")()),
            "lst": [LazyCall("far.Net")(x=1)],
            "ref": "${train.z}",
        }
    )
    assert LazyConfig.to_py(cfg) == (
        "cfg.lst = [far.Net(x=1)]\n"
        f"cfg.model = {__name__}.Layer(a=far.Net(), b={{'k': [1, None]}})\n"
        "cfg.ref = 1\n"
        'cfg.train.a.x = "it\'s"\n'
        "cfg.train.z = 1\n"
    )
    assert LazyConfig.to_py(cfg.train, prefix="t.") == 't.a.x = "it\'s"\nt.z = 1\n'
    assert LazyConfig.to_container(cfg)["ref"] == "${train.z}"


# --- to Callsheet and back ----------------------------------------------------------------------------------------------------


def test_a_zoo_config_becomes_a_spec_of_callsheets_own_and_comes_back(library, tmp_path):
    cfg = LazyConfig.load(CASCADE)
    spec = to_spec(cfg)
    assert "torch" not in to_python(spec).partition("\n\n")[2]
    assert spec.model.roi_heads.box_predictors[2].num_classes == 80
    assert spec.dataloader.evaluator.dataset_name == "coins_val"
    back = from_spec(spec)
    assert LazyConfig.to_py(back) == LazyConfig.to_py(cfg)
    assert back.model.roi_heads.box_predictors[0].num_classes == 80
    path = tmp_path / "native.py"
    save(spec, path)
    assert load(path) == spec


def test_what_instantiate_makes_build_makes(library):
    cfg = _tree.new_dict({"k": 2, "m": LazyCall("builtins.dict")(a=1, b="${.a}", c="${..k}"), "plain": {"v": 3}})
    cfg.all = [LazyCall(Layer)(q="${m}", p="${plain}", w="${k}", text="k is ${k}")]
    spec = to_spec(cfg)
    built = build(spec)
    theirs = instantiate(cfg.all)[0]
    assert built["all"][0].kwargs == {**theirs.kwargs, "q": {"a": 1, "b": 1, "c": 2}, "p": {"v": 3}}
    assert built["m"] is not built["all"][0].kwargs["q"]


LEAVES = st.one_of(st.integers(-3, 3), st.sampled_from(["x", "", "y z", "a.b"]), st.none(), st.just(0.5), st.just(REF))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
        st.dictionaries(st.sampled_from("abcd"), inner, max_size=4).map(lambda d: {**d, "_target_": LAYER}),
        st.lists(inner, max_size=3),
    ),
    max_leaves=14,
)


def places_in(tree, at=()):
    yield at
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        if key != "_target_":
            yield from places_in(value, (*at, key))


def value_at(tree, steps):
    for step in steps:
        tree = tree[step]
    return tree


@st.composite
def lazy_trees(draw):
    """Trees of calls, lists and dicts in which references lead anywhere, from the root or relative."""
    tree = {"a": draw(TREES), "b": draw(TREES)}
    places = list(places_in(tree))
    for at in [place for place in places if value_at(tree, place) == REF]:
        to = draw(st.sampled_from(places[1:]))
        dots = draw(st.integers(0, len(at)))
        above = at[: len(at) - dots] if dots else ()
        if len(to) <= len(above) or to[: len(above)] != above or isinstance(to[len(above)], int):
            dots, above = 0, ()
        text = "${" + "." * dots + format_path(to[len(above) :]) + "}"
        leaf = not isinstance(value_at(tree, to), dict | list) and "${" not in str(value_at(tree, to))
        value_at(tree, at[:-1])[at[-1]] = f"v={text}" if leaf and draw(st.booleans()) else text
    return tree


def built_whole(x):
    """What `instantiate` makes, the calls in plain dicts made as well, as `build` makes them."""
    made = instantiate(x)
    if isinstance(made, Layer):
        return "call", {key: built_whole(value) for key, value in made.kwargs.items()}
    if isinstance(made, dict) or _tree.library().OmegaConf.is_dict(made):
        return {key: built_whole(made[key]) for key in made}
    return [built_whole(member) for member in made] if isinstance(made, list) or _tree.is_config(made) else made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, derandomize=True)
@given(tree=lazy_trees())
def test_a_tree_builds_to_the_same_as_a_spec_and_after_coming_back(library, tree):
    cfg = _tree.new_dict(tree)
    try:
        expected = built_whole(cfg)
    except (RecursionError, ValueError, LookupError, SpecError):  # of references in circles
        assume(False)
    assume("_target_" not in repr(expected))  # a call within a text is told by its config there, by its object here
    spec = to_spec(cfg)
    assert built_whole(build(spec)) == expected
    back = from_spec(spec, shared="copy")
    assert built_whole(back) == expected
    assert to_spec(back) == spec


def test_a_relative_reference_in_what_is_copied_leads_to_the_same(library):
    cfg = _tree.new_dict({"n": 3, "b": {"x": LazyCall(Layer)(w=1, own="w=${..x.w}", out="${..n}", deep=["${..w}"])}})
    cfg.b.n = "${n}"
    cfg.twin = ["${b.x}"]
    spec = to_spec(cfg)
    assert build(spec)["twin"][0].kwargs == {"w": 1, "own": "w=1", "out": 3, "deep": [1]}
    spec.twin[0].w = 2
    assert build(spec)["twin"][0].kwargs == {"w": 2, "own": "w=2", "out": 3, "deep": [2]}


def test_a_reference_to_a_call_becomes_a_call_of_its_own(library):
    cfg = _tree.new_dict({"a": LazyCall(Layer)(x=1), "b": LazyCall("builtins.dict")(l="${a}", m="${a}")})
    built = build(to_spec(cfg))
    assert built["b"]["l"] is not built["b"]["m"]
    assert built["b"]["l"].kwargs == {"x": 1}
    cfg.lst = ["${a}", "${oc.env:HOME}"]
    cfg.same = "${lst}"
    built = build(to_spec(cfg))
    assert built["lst"][0] is not built["same"][0]
    assert built["same"][0] is not built["a"]
    cfg.a.inner = "${b}"
    with pytest.raises(CycleError, match="refers to what holds it"):
        to_spec(cfg)


def test_data_of_a_yaml_stays_data_as_a_spec(project, library):
    path = project("conf.yaml", "m: {_target_: collections.OrderedDict, a: 1, b: '${oc.env:HOME}', c: '???'}\n")
    spec = read(path)
    assert [fault.path for fault in check_faults(spec)] == ["m.c", "m"]
    trusted = read(path, allow=["collections"])
    trusted.m.c = 1
    assert build(trusted)["m"]["a"] == 1


def check_faults(spec):
    try:
        check(spec)
    except (SpecError, TrustError) as error:
        return error.faults
    return ()


def test_what_lazyconfig_has_no_word_for_is_named_all_together():
    node = lazy(dict)(a=1)
    spec = {
        "a": node,
        "b": node,
        "keys": ref(node).keys(),
        "part": callsheet.partial(dict)(a=lazy(dict)()),
        "args": [lazy("builtins.print")(1)],
    }
    with pytest.raises(SpecError) as caught:
        from_spec(spec)
    assert [fault.path for fault in caught.value.faults] == ["b", "keys", "part", "args[0]"]
    del spec["keys"], spec["part"], spec["args"]
    assert _tree.to_container(from_spec(spec, shared="copy")) == {
        "a": {"a": 1, "_target_": "builtins.dict"},
        "b": {"a": 1, "_target_": "builtins.dict"},
    }


def test_a_live_partial_is_a_value_that_comes_back(library):
    cfg = _tree.new_dict({"net": LazyCall(Layer)(norm=partial(Fraction, denominator=4), width=2)})
    spec = to_spec(cfg)
    assert build(spec)["net"].kwargs["norm"](3) == Fraction(3, 4)
    assert instantiate(from_spec(spec).net).kwargs["norm"](3) == Fraction(3, 4)
    for inside in (lazy(Fraction)(1), [{"deep": lazy(Fraction)(1)}]):
        with pytest.raises(SpecError, match="norm  is a partial call"):
            from_spec({"norm": partial(Fraction, denominator=inside)})


def test_positional_arguments_get_their_names(library):
    assert _tree.to_container(from_spec([lazy(Solver)(0.5)])) == [{"lr": 0.5, "_target_": f"{__name__}.Solver"}]
    assert (
        json.dumps(_tree.to_container(from_spec({"x": {"y": "${.z}", "z": "${env:HOME}"}})))
        == '{"x": {"y": "${.z}", "z": "${oc.env:HOME}"}}'
    )


# --- beside the real packages -----------------------------------------------------------------------------------------


def shown(x):
    return {key: shown(value) for key, value in x.kwargs.items()} if isinstance(x, Layer) else x


def test_instantiate_makes_what_hydra_makes():
    from hydra.utils import instantiate as hydras

    cfg = _tree.new_dict({"width": 3, "names": ["a", "b"], "net": LazyCall(Layer)(w="${..width}", names="${..names}")})
    cfg.net.layers = [
        LazyCall(f"{__name__}.Layer")(n="${...w}", text="w is ${...w}"),
        LazyCall(Layer)(inner="${..[0]}"),
    ]
    cfg.net.solver = dump_dataclass(Solver(lr=0.5))
    ours, theirs = shown(instantiate(cfg.net)), shown(hydras(cfg.net, _convert_="all"))
    ours["layers"] = [shown(layer) for layer in ours["layers"]]
    theirs["layers"] = [shown(layer) for layer in theirs["layers"]]
    assert ours == theirs
    assert theirs["layers"][1]["inner"] == {"n": 3, "text": "w is 3"}


@pytest.mark.parametrize(
    "text",
    [
        "a.b=2",
        "a.b=1e-3",
        "a.b=null",
        "a.b=True",
        "a.b=[1,x,{k: v}]",
        'a.b={k: [1, 2.5], q: "s"}',
        "a.b='1'",
        'a.b="x=y"',
        "a.b=a string with spaces",
        "a.b=/path/to/file.txt",
        "a.b=detectron2://R-50.pkl",
        "a.b=-inf",
        "a.b=1_000",
        "a.b=",
        "new.deep.key=${a.b}",
        "+a.c=5",
        "++a.b=5",
        "a.lst.1=7",
        "a.dct={z: 3}",
    ],
)
def test_overrides_come_to_what_hydra_and_omegaconf_make_of_them(text):
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    tree = {"a": {"b": 1, "lst": [1, 2], "dct": {"y": 1, "z": 2}}}
    (said,) = OverridesParser.create().parse_overrides([text])
    theirs = _tree.new_dict(tree)
    OmegaConf.update(theirs, said.key_or_group, said.value(), merge=True)
    ours = LazyConfig.apply_overrides(_tree.new_dict(tree), [text])
    assert repr(_tree.to_container(ours)) == repr(OmegaConf.to_container(theirs))
