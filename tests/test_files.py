"""Promise 8: a `.py` config is code, run afresh at every load, and what it defines is what it exports."""

import builtins
import os
import sys
from pathlib import Path

import pytest

from callsheet import build, equal, lazy, load, plain, to_data
from callsheet.errors import LoadError, OverrideError, PathError

# --- what is exported -------------------------------------------------------------------------------------------------


def test_what_assignments_bind_is_exported_in_their_order(project):
    project(
        "conf.py",
        """
        b = 1
        a: int = 2
        c = d = {"x": [1, (2, 3)]}
        e, (f, *g) = 5, (6, 7, 8)
        a += 1
        unset: int
    """,
    )
    cfg = load("conf.py")
    assert list(cfg) == ["b", "a", "c", "d", "e", "f", "g"]
    assert plain(cfg) == {"b": 1, "a": 3, "c": {"x": [1, (2, 3)]}, "d": {"x": [1, (2, 3)]}, "e": 5, "f": 6, "g": [7, 8]}


def test_modules_functions_classes_and_loop_variables_are_not_exported(project):
    project("train.py", "width = 3\ndef fit(): ...\n")
    project(
        "conf.py",
        """
        import os
        import train as t
        from train import width, fit
        from pathlib import Path

        def helper(): ...
        class Own: ...
        alias, cls, module = helper, Own, os
        _hidden = 1
        total = 0
        for i in range(3):
            total += i
            inside = i
        handle = (n for n in [1])
    """,
    )
    assert list(load("conf.py")) == ["total", "inside"]


def test_plain_values_of_every_kind_are_exported(project):
    project(
        "conf.py",
        """
        import enum
        from dataclasses import dataclass
        from pathlib import Path
        from callsheet import MISSING, lazy, partial, ref

        class Color(enum.Enum):
            RED = 1

        @dataclass
        class Optim:
            lr: float = 0.1

        a = None
        b = Path("x")
        c = {1, 2}
        d = Color.RED
        e = Optim()
        f = lazy(dict)(a=1)
        g = partial(dict)(a=1)
        h = MISSING
        i = ref("f")
        j = range(3)
    """,
    )
    assert list(load("conf.py")) == list("abcdefghij")


def test_a_name_that_is_deleted_again_is_not_exported(project):
    project("conf.py", "scratch = 1\nkept = scratch + 1\ndel scratch\n")
    assert plain(load("conf.py")) == {"kept": 2}


def test_containers_that_do_more_than_hold_values_stay_inside_and_an_error_says_so(project):
    path = project(
        "conf.py",
        """
        from collections import OrderedDict, defaultdict, deque

        lr = defaultdict(float, backbone=0.1)
        hist = deque([1])
        kept = OrderedDict(a=1)
        """,
    )
    assert list(load(path)) == ["kept"]
    with pytest.raises(OverrideError) as caught:
        load(path, ["lr.backbone=0.3", "hist+=[1]"])
    assert [fault.advice[:2] for fault in caught.value.faults] == [
        ("conf.py does not export lr, a defaultdict", "to export it:  lr = dict(lr)"),
        ("conf.py does not export hist, a deque", "to export it:  hist = list(hist)"),
    ]
    with pytest.raises(PathError, match=r"is not exported by conf\.py\n *conf\.py does not export lr, a defaultdict"):
        load(path, keys="lr")
    project("conf.py", "from collections import defaultdict\nlr = defaultdict(float, backbone=0.1)\nlr = dict(lr)\n")
    assert load(path, ["lr.backbone=0.3"]).lr == {"backbone": 0.3}


def test_what_is_bound_inside_if_with_and_try_is_exported(project):
    project(
        "conf.py",
        """
        import contextlib
        if True:
            a = 1
        else:
            never = 1
        with contextlib.nullcontext({"k": 2}) as b:
            c = 3
        try:
            d = 4
            raise ValueError
        except ValueError:
            e = 5
        finally:
            f = 6
        match 7:
            case 7:
                g = 7
    """,
    )
    assert plain(load("conf.py")) == {"a": 1, "b": {"k": 2}, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7}


def test_keys_pick_one_value_or_several(project):
    project("conf.py", "a = 1\nb = {'c': 2}\n")
    assert load("conf.py", keys="b").c == 2
    assert load("conf.py", keys=["b", "a"]) == ({"c": 2}, 1)


def test_keys_that_are_not_there_are_named(project):
    project("conf.py", "model = 1\noptim = 2\n")
    with pytest.raises(PathError) as caught:
        load("conf.py", keys="modle")
    assert str(caught.value) == (
        "modle  is not defined by conf.py\n"
        "       did you mean  model?\n"
        "       it defines  model, optim"
    )  # fmt: skip


# --- run afresh, and once a load --------------------------------------------------------------------------------------


def test_a_config_is_run_afresh_at_every_load(project):
    project("conf.py", "a = {'b': 1}\n")
    first, second = load("conf.py"), load("conf.py")
    first.a.b = 2
    assert second.a.b == 1
    project("conf.py", "a = {'b': 3}\n")
    assert load("conf.py").a.b == 3


def test_each_file_runs_once_a_load_so_that_its_nodes_are_the_same_node(project):
    project("count.py", "runs = []\n")
    project("base.py", "import count\nfrom callsheet import lazy\ncount.runs.append(1)\nmodel = lazy(dict)(a=1)\n")
    project("left.py", "from .base import model\nleft = {'m': model}\n")
    project("right.py", "from .base import model as m\nright = {'m': m}\n")
    project("conf.py", "from .left import left\nfrom .right import right\nfrom .base import model\n")
    cfg = load("conf.py")
    assert cfg.left.m is cfg.right.m is cfg.model
    import count

    assert count.runs == [1]
    load("conf.py")
    assert count.runs == [1, 1]


# --- relative imports -------------------------------------------------------------------------------------------------


def test_relative_imports_go_by_place_without_init_files(project):
    project(
        "exp/deep/conf.py",
        """
        from .near import a
        from ..up import b as bb
        from ...top import c
        from .pkg.inner import d
        from . import near
        from .pkg import inner as other
        e = near.a + other.d
    """,
    )
    project("exp/deep/near.py", "a = 1\n")
    project("exp/up.py", "b = 2\n")
    project("top.py", "c = 3\n")
    project("exp/deep/pkg/inner.py", "d = 4\n")
    assert plain(load("exp/deep/conf.py")) == {"a": 1, "bb": 2, "c": 3, "d": 4, "e": 5}


def test_a_package_with_an_init_file_is_taken_from_by_place_too(project):
    project("pkg/__init__.py", "from .inner import a\nb = 2\n")
    project("pkg/inner.py", "a = 1\n")
    project("conf.py", "from .pkg import a, b, inner\nc = inner.a\n")
    assert plain(load("conf.py")) == {"a": 1, "b": 2, "c": 1}


def test_star_takes_the_public_names_and_all_of_them_are_exported(project):
    project("base.py", "import os\nfrom pathlib import Path\n_p = 0\na = 1\ndef helper(): return 5\n")
    project("conf.py", "from .base import *\nb = helper() + a\n")
    assert plain(load("conf.py")) == {"a": 1, "b": 6}


def test_star_honours_all(project):
    project("base.py", "__all__ = ['_p']\n_p = 0\na = 1\n")
    project("conf.py", "from .base import *\nb = _p\nc = 'a' in globals()\n")
    assert plain(load("conf.py")) == {"b": 0, "c": False}


def test_functions_and_classes_of_another_config_can_be_used_but_are_not_exported(project):
    project("base.py", "def double(x): return 2 * x\nclass Own: ...\n_width = 4\n")
    project("conf.py", "from .base import double, Own, _width\nwidth = double(_width)\n")
    assert plain(load("conf.py")) == {"width": 8}


@pytest.mark.parametrize(
    "text",
    [
        "for _ in range(1):\n    from .base import a\nb = a\n",
        "match 1:\n    case 1:\n        from .base import a\nb = a\n",
        "def f():\n    if True:\n        from .base import a\n    return a\nb = f()\n",
        "class C:\n    from .base import a\nb = C.a\n",
    ],
    ids=["loop", "match", "function", "class"],
)
def test_relative_imports_work_wherever_a_statement_may_stand(project, text):
    project("base.py", "a = 1\n")
    project("conf.py", text)
    assert load("conf.py").b == 1


def test_a_function_of_a_config_may_describe_calls_and_import_by_place_after_the_load(project):
    project("base.py", "width = 4\n")
    project("train.py", "class Net:\n    def __init__(self, width): self.width = width\n")
    project(
        "conf.py",
        """
        from callsheet import build, lazy
        from train import Net

        def make():
            from .base import width
            return build(lazy(Net)(width))

        main = lazy(make)()
    """,
    )
    assert build(load("conf.py").main).width == 4


def test_an_import_that_leads_nowhere_names_what_stands_beside(project):
    project("base.py", "a = 1\n")
    project("conf.py", "x = 1\nfrom .bsae import a\n")
    with pytest.raises(LoadError) as caught:
        load("conf.py")
    assert str(caught.value) == (
        "conf.py:2  no config file bsae.py\n"
        "           beside it stand  base, conf"
    )  # fmt: skip


def test_an_imported_name_that_is_not_defined_is_named_with_its_file(project):
    project("base.py", "width = 1\n")
    project("conf.py", "from .base import widht\n")
    with pytest.raises(LoadError) as caught:
        load("conf.py")
    assert str(caught.value) == (
        "conf.py:1  base.py defines no 'widht'\n"
        "           did you mean  width?"
    )  # fmt: skip


def test_a_cyclic_import_names_the_circle(project):
    project("a.py", "from .b import x\n")
    project("b.py", "from .c import x\n")
    project("c.py", "from .b import x\n")
    with pytest.raises(LoadError) as caught:
        load("a.py")
    assert str(caught.value) == "c.py:1  b.py takes from itself\n        b.py → c.py → b.py"


def test_a_file_that_takes_from_itself_is_a_circle_of_one(project):
    project("a.py", "from .a import x\n")
    with pytest.raises(LoadError) as caught:
        load("a.py")
    assert str(caught.value) == "a.py:1  a.py takes from itself\n        a.py → a.py"


# --- nothing outside is touched ---------------------------------------------------------------------------------------


def test_load_touches_nothing_of_the_process(project):
    project("base.py", "a = 1\n")
    project(
        "conf.py",
        "from .base import a\nimport builtins, sys\nseen = builtins.__import__.__name__\nargv = list(sys.argv)\n",
    )
    before = builtins.__import__, list(sys.argv), dict(os.environ), os.getcwd(), list(sys.path), list(sys.meta_path)
    cfg = load("conf.py", ["a=2"])
    assert (
        builtins.__import__,
        list(sys.argv),
        dict(os.environ),
        os.getcwd(),
        list(sys.path),
        list(sys.meta_path),
    ) == before
    assert plain(cfg) == {"a": 2, "seen": "__import__", "argv": before[1]}


def test_a_config_that_raises_leaves_no_module_behind(project):
    project("conf.py", "a = 1\nraise RuntimeError('mine')\n")
    before = set(sys.modules)
    with pytest.raises(RuntimeError, match="^mine$"):
        load("conf.py")
    assert set(sys.modules) == before


def test_load_writes_no_file(project, tmp_path):
    project("base.py", "a = 1\n")
    project("conf.py", "from .base import a\n")
    load("conf.py")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["base.py", "conf.py"]


def test_the_path_may_be_a_path_object_and_the_file_knows_where_it_is(project, tmp_path):
    project("exp/conf.py", "here = __file__\n")
    assert load(Path("exp") / "conf.py").here == str(tmp_path / "exp" / "conf.py")


# --- containers -------------------------------------------------------------------------------------------------------


def test_dicts_and_lists_become_a_mapping_and_a_list_once_per_object(project):
    project(
        "conf.py",
        """
        shared = {"lr": 0.1}
        a = {"opt": shared}
        b = [shared, shared]
        shared.lr = 0.2
        seen = a["opt"].lr
    """,
    )
    cfg = load("conf.py")
    assert cfg.shared is cfg.a.opt is cfg.b[0] is cfg.b[1]
    assert cfg.seen == 0.2
    assert not isinstance(cfg.a, dict)
    assert isinstance(cfg.b, list)


def test_one_object_bound_twice_in_one_statement_stays_one(project):
    project("conf.py", "a = b = {}\nc, d = [x := [1], x]\ne = {'one': x, 'two': x}\n")
    cfg = load("conf.py")
    assert cfg.a is cfg.b
    assert cfg.c is cfg.d
    assert cfg.e.one is cfg.e.two


def test_tuples_stay_tuples_and_hold_mappings(project):
    project("conf.py", "a = ({'b': 1}, [2])\n")
    a = load("conf.py").a
    assert type(a) is tuple
    assert a[0].b == 1


def test_what_a_call_receives_of_a_loaded_file_is_plain(project):
    project(
        "conf.py",
        "from callsheet import lazy\ndef kinds(x, y): return [type(x), type(x['l']), type(y)]\nmain = lazy(kinds)({'l': []}, (1,))\n",
    )
    assert build(load("conf.py").main) == [dict, list, tuple]


# --- a target keeps the name that the file gives it (9, 10) -----------------------------------------------------------


def test_a_target_is_kept_under_the_name_that_the_file_gives_it(project):
    project("pkg/__init__.py", "from pkg.deep import Net\n")
    project("pkg/deep.py", "class Net:\n    def __init__(self, width=1): ...\n")
    project(
        "conf.py",
        """
        import pkg as p, pkg.deep
        from callsheet import lazy as L, partial
        from pkg import Net
        from pkg.deep import Net as Deep
        import callsheet

        a = L(Net)()
        b = L(Deep)()
        c = partial(p.Net)()
        d = callsheet.lazy(pkg.deep.Net)(norm=Net, layers=[Net, Deep], table={"k": p.Net})
    """,
    )
    cfg = load("conf.py")
    assert to_data(cfg) == {
        "a": {"_target_": "pkg:Net"},
        "b": {"_target_": "pkg.deep:Net"},
        "c": {"_target_": "pkg:Net", "_partial_": True},
        "d": {
            "_target_": "pkg.deep:Net",
            "norm": {"_value_": "name", "of": "pkg:Net"},
            "layers": [{"_value_": "name", "of": "pkg:Net"}, {"_value_": "name", "of": "pkg.deep:Net"}],
            "table": {"k": {"_value_": "name", "of": "pkg:Net"}},
        },
    }
    assert not equal(cfg.a, cfg.b)
    assert equal(cfg.a, lazy("pkg:Net")())


def test_reading_an_argument_that_is_a_name_gives_the_object(project):
    project("train.py", "class Norm: ...\ndef net(norm): return norm\n")
    project("conf.py", "from callsheet import lazy\nfrom train import Norm, net\nmain = lazy(net)(norm=Norm)\n")
    cfg = load("conf.py")
    from train import Norm

    assert cfg.main.norm is Norm
    assert build(cfg.main) is Norm


def test_the_arguments_of_an_imported_target_are_checked_at_check_and_build_only(project):
    project("train.py", "def fit(lr): return lr\n")
    project(
        "conf.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(lrr=1)\nmain.momentum = 2\n"
    )
    main = load("conf.py").main
    assert main.lrr == 1
    with pytest.raises(Exception) as caught:
        build(main)
    assert str(caught.value) == (
        "lrr       no such argument of train.fit                            conf.py:3\n"
        "          did you mean  lr?\n"
        "momentum  no such argument of train.fit                            conf.py:4\n"
        "lr        is required by train.fit                                 conf.py:3\n"
        "          fit(lr)"
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "a = 1\nb = a\na = [1]\nb = a\nc = b\nc = a",
        "n = 2\nn = [n] * n\nc = n * 2\nc = n",
        "def f():\n    global c\n    c = [1]\nc = 1\nf()\nd = c\nc = d",
        "c = 1\nexec('c = [1]')\nd = c\nc = d",
        "c = 1\nfor c in [[1]]: pass\nd = c\nc = d",
        "c = 1\nprint(c := [1])\nd = c\nc = d",
        "c = 1\nimport string as c\nc = c.digits and [1]",
        "c = 1\nif c:\n    c = [1]\nd = c\nc = d",
    ],
)
def test_a_list_becomes_the_specs_own_however_it_was_bound(project, text):
    assert type(load(project("conf.py", text + "\ntypes = type(c).__name__\n")).types) is str
    assert load("conf.py").types == "List"
