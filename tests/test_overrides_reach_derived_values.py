"""Promise 11: an override of a file reaches what the file computes from it, and stands at the end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet import load, origin, override, plain
from callsheet.errors import CallsheetError, OverrideError
from counting import calls_made


def loaded(project, text, *overrides):
    project("conf.py", text)
    return plain(load("conf.py", overrides))


# --- after each module-level statement --------------------------------------------------------------------------------


def test_what_is_computed_further_down_follows(project):
    text = (
        "epochs = 5\nwarmup = epochs // 5\nsched = {'total': epochs * 100, 'warmup': warmup}\nlast = sched['total']\n"
    )
    assert loaded(project, text, "epochs=10") == {
        "epochs": 10,
        "warmup": 2,
        "sched": {"total": 1000, "warmup": 2},
        "last": 1000,
    }


def test_an_override_inside_a_container_or_a_call_reaches_what_reads_it(project):
    text = """
        from callsheet import lazy
        hp = {"optim": {"lr": 0.1}, "sizes": [1, 2]}
        model = lazy(dict)(width=4)
        double = hp.optim.lr * 2
        size = hp.sizes[0] + 1
        width = model.width * 2
    """
    cfg = loaded(project, text, "hp.optim.lr=0.5", "hp.sizes.0=7", "model.width=5")
    assert (cfg["double"], cfg["size"], cfg["width"]) == (1.0, 8, 10)


def test_a_value_that_is_bound_again_is_overridden_again(project):
    text = "lr = 1\nfirst = lr\nlr = 2\nsecond = lr\nlr += 1\nthird = lr\n"
    assert loaded(project, text, "lr=9") == {"lr": 9, "first": 9, "second": 9, "third": 9}


@pytest.mark.parametrize(
    "text",
    [
        "if True:\n    lr = 1\n    seen = lr\n",
        "if False:\n    pass\nelif True:\n    lr = 1\n    seen = lr\n",
        "if False:\n    pass\nelse:\n    lr = 1\n    seen = lr\n",
        "try:\n    lr = 1\n    seen = lr\nfinally:\n    pass\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    lr = 1\n    seen = lr\n",
        "try:\n    pass\nexcept ValueError:\n    pass\nelse:\n    lr = 1\n    seen = lr\n",
        "try:\n    pass\nfinally:\n    lr = 1\n    seen = lr\n",
        "try:\n    raise ExceptionGroup('', [ValueError()])\nexcept* ValueError:\n    lr = 1\n    seen = lr\n",
        "import contextlib\nwith contextlib.suppress():\n    lr = 1\n    seen = lr\n",
        "import contextlib\nwith contextlib.nullcontext(1) as lr:\n    seen = lr\n",
        "if True:\n    try:\n        lr = 1\n        seen = lr\n    finally:\n        pass\n",
    ],
    ids=["if", "elif", "else", "try", "except", "try-else", "finally", "except*", "with", "with-as", "nested"],
)
def test_inside_if_with_and_try_overrides_are_imposed_after_each_statement(project, text):
    assert loaded(project, text, "lr=9") == {"lr": 9, "seen": 9}


@pytest.mark.parametrize(
    "text",
    [
        "lr = 0\nfor i in range(2):\n    lr = i\n    seen = lr\n",
        "lr = 0\nwhile lr < 1:\n    lr = 1\n    seen = lr\n",
        "lr = 0\ndef f():\n    lr = 1\n    return lr\nseen = f()\n",
        "lr = 0\nclass C:\n    lr = 1\n    seen = lr\nseen = C.seen\n",
    ],
    ids=["for", "while", "function", "class"],
)
def test_inside_loops_functions_and_classes_code_runs_as_it_is_written(project, text):
    text = text.replace("while lr < 1:", "lr, go = 0, True\nwhile go:\n    go = False")
    cfg = loaded(project, text, "lr=9")
    assert (cfg["lr"], cfg["seen"]) == (9, 1)


def test_an_override_decides_a_branch(project):
    text = "small = True\nif small:\n    width = 1\nelse:\n    width = 100\n"
    assert loaded(project, text, "small=false") == {"small": False, "width": 100}


def test_what_the_user_asked_for_stands_at_the_end_whatever_the_file_does(project):
    text = "a = {'b': 1}\ndef spoil():\n    a.b = 5\nfor _ in range(2):\n    a.b += 1\nspoil()\n"
    assert loaded(project, text, "a.b=9") == {"a": {"b": 9}}


def test_overrides_are_imposed_in_the_order_they_are_given(project):
    assert loaded(project, "a = {'b': 1}\nc = a.b\n", "a={b: 2}", "a.b=3") == {"a": {"b": 3}, "c": 3}
    assert loaded(project, "a = {'b': 1}\nc = a.b\n", "a.b=3", "a={b: 2}") == {"a": {"b": 2}, "c": 2}


def test_no_name_that_is_not_assigned_is_touched(project):
    project("train.py", "width = 1\n")
    project("conf.py", "from train import width\nimport os\ndef helper(): return 1\nw = width\nh = helper()\n")
    for name in ("width", "os", "helper", "print"):
        with pytest.raises(OverrideError) as caught:
            load("conf.py", [f"{name}=5"])
        assert str(caught.value).startswith(f"{name}  ")
        assert "is not there" in str(caught.value)
    import train

    assert train.width == 1


# --- keys added and deleted -------------------------------------------------------------------------------------------


def test_a_new_key_is_seen_by_what_stands_below(project):
    text = "a = {'b': 1}\nkeys = list(a)\nmore = a.get('c', 0)\n"
    assert loaded(project, text, "+a.c=2") == {"a": {"b": 1, "c": 2}, "keys": ["b", "c"], "more": 2}


def test_a_new_key_that_the_file_has_already_is_an_error(project):
    project("conf.py", "a = {'c': 1}\nb = a.c\n")
    with pytest.raises(OverrideError) as caught:
        load("conf.py", ["+a.c=2"])
    fault = caught.value.faults[0]
    assert (fault.path, fault.problem, fault.advice) == ("a.c", "is there already: 1", ("to change it:  a.c=2",))


def test_a_new_key_survives_a_dict_that_is_made_from_the_old_one(project):
    text = "a = {'b': 1}\na = {**a, 'd': 3}\n"
    assert loaded(project, text, "+a.c=2") == {"a": {"b": 1, "d": 3, "c": 2}}


def test_forced_keys_may_be_new_or_not(project):
    text = "a = {'b': 1}\ntotal = sum(v for v in a.values() if isinstance(v, int))\n"
    assert loaded(project, text, "++a.b=2", "++a.c=3", "++a.d.e=4") == {
        "a": {"b": 2, "c": 3, "d": {"e": 4}},
        "total": 5,
    }


def test_a_new_name_is_added_to_what_the_file_defines(project):
    assert loaded(project, "a = 1\n", "+b=[1,2]") == {"a": 1, "b": [1, 2]}


def test_a_deleted_key_is_gone_for_what_stands_below(project):
    text = "a = {'b': 1, 'd': 2}\nkeys = list(a)\nlast = 1\n"
    assert loaded(project, text, "~a.d") == {"a": {"b": 1}, "keys": ["b"], "last": 1}


def test_a_deleted_key_that_comes_back_is_deleted_again(project):
    text = "a = {'d': 1}\nx = list(a)\na['d'] = 2\ny = list(a)\na = {'d': 3}\nz = list(a)\n"
    assert loaded(project, text, "~a.d") == {"a": {}, "x": [], "y": [], "z": []}


def test_an_element_of_a_list_is_deleted_once(project):
    text = "a = [1, 2, 3]\nb = list(a)\nc = 0\nd = 0\n"
    assert loaded(project, text, "~a.0") == {"a": [2, 3], "b": [2, 3], "c": 0, "d": 0}


def test_a_positional_argument_is_deleted_once(project):
    text = (
        "from callsheet import arguments, lazy\na = lazy(max)(1, 2, 3)\nb = len(a)\nc = list(arguments(a).values())\n"
    )
    assert loaded(project, text, "~a.0")["c"] == [2, 3]


def test_a_top_level_name_is_deleted_at_the_end_only(project):
    assert loaded(project, "a = 1\nb = a + 1\n", "~a") == {"b": 2}


def test_a_delete_that_names_a_value_asks_for_it_each_time(project):
    assert loaded(project, "a = {'d': 1}\nb = len(a)\n", "~a.d=1") == {"a": {}, "b": 0}
    with pytest.raises(OverrideError, match="is 1, so ~a.d=2 does not delete it"):
        load("conf.py", ["~a.d=2"])


def test_deleting_what_never_was_there_is_an_error(project):
    project("conf.py", "a = {'lr': 1}\nb = 2\n")
    with pytest.raises(OverrideError) as caught:
        load("conf.py", ["~a.lrr"])
    fault = caught.value.faults[0]
    assert (fault.path, fault.problem, fault.advice) == (
        "a.lrr",
        "is not there",
        ("did you mean  a.lr?", "a holds  lr"),
    )


# --- files that are taken from ----------------------------------------------------------------------------------------


def test_an_override_goes_to_the_file_that_defines_the_name(project):
    project("base.py", "lr = 1\ndouble = lr * 2\n")
    text = "from .base import lr, double\nsum = lr + double\n"
    assert loaded(project, text, "lr=5") == {"lr": 5, "double": 10, "sum": 15}


def test_an_override_of_an_alias_goes_under_the_name_it_has_there(project):
    project("base.py", "lr = 1\ny = 100\ndouble = lr * 2\nhp = {'lr': lr}\n")
    text = "from .base import lr as y, double as d, hp as h\nz = y + d + h.lr\n"
    assert loaded(project, text, "y=5") == {"y": 5, "d": 10, "h": {"lr": 5}, "z": 20}
    assert loaded(project, text, "h.lr=7") == {"y": 1, "d": 2, "h": {"lr": 7}, "z": 10}


def test_a_name_that_is_not_imported_is_not_touched_in_the_other_file(project):
    project("base.py", "lr = 1\nhidden = lr * 2\n")
    text = "from .base import hidden\nlr = 3\n"
    assert loaded(project, text, "lr=5") == {"hidden": 2, "lr": 5}
    project("conf.py", "from .base import hidden\n")
    with pytest.raises(OverrideError):
        load("conf.py", ["lr=5"])


def test_an_override_goes_through_a_star_and_through_files_in_between(project):
    project("ground.py", "lr = 1\ndouble = lr * 2\n")
    project("base.py", "from .ground import *\ntriple = lr * 3\n")
    text = "from .base import *\nsum = double + triple\n"
    assert loaded(project, text, "lr=5") == {"lr": 5, "double": 10, "triple": 15, "sum": 25}


def test_an_override_goes_through_a_submodule(project):
    project("model/net.py", "width = 1\ndouble = width * 2\n")
    text = "from .model import net\nw = net.double\n"
    project("conf.py", text)
    assert plain(load("conf.py")) == {"w": 2}


def test_an_override_goes_through_an_import_inside_if_and_try(project):
    project("base.py", "lr = 1\ndouble = lr * 2\n")
    text = "try:\n    if True:\n        from .base import lr, double\nfinally:\n    pass\n"
    assert loaded(project, text, "lr=5") == {"lr": 5, "double": 10}


def test_a_name_that_this_file_binds_again_is_overridden_in_both(project):
    project("base.py", "lr = 1\ndouble = lr * 2\n")
    text = "from .base import lr, double\nlr = lr * 10\nsum = lr + double\n"
    assert loaded(project, text, "lr=5") == {"lr": 5, "double": 10, "sum": 15}


def test_a_new_key_and_a_deleted_one_reach_the_other_file(project):
    project("base.py", "hp = {'a': 1, 'b': 2}\nkeys = list(hp)\n")
    text = "from .base import hp as h, keys\n"
    assert loaded(project, text, "+h.c=3", "~h.a") == {"h": {"b": 2, "c": 3}, "keys": ["b", "c"]}


def test_a_list_of_another_file_loses_its_element_once(project):
    project("base.py", "sizes = [1, 2, 3]\ncount = len(sizes)\n")
    text = "from .base import sizes, count\nmore = 1\n"
    assert loaded(project, text, "~sizes.0") == {"sizes": [2, 3], "count": 2, "more": 1}


def test_two_files_that_take_the_same_one_see_one_override(project):
    project("base.py", "lr = 1\n")
    project("left.py", "from .base import lr\nleft = lr\n")
    project("right.py", "from .base import lr as rate\nright = rate\n")
    text = "from .left import lr, left\nfrom .right import right\n"
    assert loaded(project, text, "lr=5") == {"lr": 5, "left": 5, "right": 5}


# --- errors and origins -----------------------------------------------------------------------------------------------


def test_what_does_not_fit_at_the_end_is_reported_all_together(project):
    project("conf.py", "from callsheet import lazy\ndef fit(lr: float = 0.1): ...\nmain = lazy(fit)()\nepochs = 5\n")
    with pytest.raises(OverrideError) as caught:
        load("conf.py", ["epoch=8", "main.lrr=1", "main.lr=fast", "epochs.x=1"])
    assert [(fault.path, fault.problem) for fault in caught.value.faults] == [
        ("epoch", "is not there"),
        ("main.lrr", "no such argument of conf.fit"),
        ("main.lr", "must be float, found 'fast'"),
        ("epochs.x", "leads into epochs, which is 5 and holds nothing"),
    ]


def test_the_whole_text_of_such_an_error(project):
    project("conf.py", "epochs = 5\n")
    with pytest.raises(OverrideError) as caught:
        load("conf.py", ["epoch=8"])
    (fault,) = caught.value.faults
    assert fault.origin.rpartition("/")[2].startswith("test_overrides_reach_derived_values.py:")
    assert str(caught.value).replace(fault.origin, "HERE") == (
        "epoch  is not there\n"
        "       set by HERE\n"
        "       did you mean  epochs?\n"
        "       the spec holds  epochs\n"
        "       to add it:  +epoch=8"
    )


def test_an_override_says_what_it_replaced_and_where_that_was_set(project):
    project("base.py", "lr = 1\n")
    project("conf.py", "from .base import lr\nmodel = {\n    'width': 4,\n    'depth': 2,\n}\n")
    cfg = load("conf.py", ["lr=5", "model.depth=3"])
    found = origin(cfg, "model.depth")
    assert (found.kind, found.text) == ("override", "model.depth=3")
    assert [(value, o.where) for value, o in found.chain()] == [(2, "conf.py:4")]
    assert origin(cfg, "model.width").where == "conf.py:3"
    found = origin(cfg, "lr")
    assert (found.kind, found.text) == ("override", "lr=5")
    assert [(value, o.where) for value, o in found.chain()] == [(1, "base.py:1")]


# --- appends ----------------------------------------------------------------------------------------------------------


def test_an_append_happens_once_after_the_first_statement_that_binds_its_path(project):
    path = project(
        "conf.py",
        """
        sizes = [1, 2]
        total = sum(sizes)
        sizes = [*sizes, 100]
        again = sum(sizes)
        steps = 10
        half = steps // 2
        steps += 1
        """,
    )
    spec = load(path, ["sizes+=[3]", "steps+=4"])
    assert spec == {"sizes": [1, 2, 3, 100], "total": 6, "again": 106, "steps": 15, "half": 7}


def test_an_append_to_what_another_file_binds_happens_once_there(project):
    project("base.py", "sizes = [1]\ntotal = sum(sizes)\n")
    path = project("conf.py", "from .base import sizes as s, total\nmore = len(s)\n")
    assert load(path, ["s+=[5]"]) == {"s": [1, 5], "total": 6, "more": 2}


def test_the_same_append_given_twice_happens_twice(project):
    assert load(project("conf.py", "a = [1]\nb = len(a)\n"), ["a+=[2]", "a+=[2]"]) == {"a": [1, 2, 2], "b": 3}


def test_an_append_that_finds_nothing_is_an_error(project):
    with pytest.raises(OverrideError) as caught:
        load(project("conf.py", "a = dict(b=1)\n"), ["a.c+=[1]"])
    assert [fault.problem for fault in caught.value.faults] == ["is not there"]


def test_what_is_added_to_a_value_that_is_set_too_is_added_once_in_their_order(project):
    project("base.py", "sizes = [0]\n")
    project(
        "conf.py",
        "from .base import sizes\na = [0]\nhp = dict(n=1, x=[0])\nb = [*a, 9]\nc = hp.n * 10\nd = len(sizes)\n",
    )
    cfg = load(
        "conf.py", ["a=[1]", "a+=[2]", "hp.n=5", "hp.n+=2", "hp.x=[3,4]", "~hp.x[0]", "sizes=[1]", "sizes+=[2,3]"]
    )
    assert (plain(cfg.a), plain(cfg.b)) == ([1, 2], [1, 2, 9])
    assert (cfg.hp.n, cfg.c, plain(cfg.hp.x)) == (7, 70, [4])
    assert (plain(cfg.sizes), cfg.d) == ([1, 2, 3], 3)
    assert plain(load("conf.py", ["a+=[2]", "a=[1]"]).a) == [1]


TOLD = ["~xs.0", "~xs.1", "~xs.-1", "xs+=[7]", "xs-=2", "xs.0=5", "xs.2=12", "xs=[8,9,10]",
        "d.a=5", "~d.a", "~d.b.c.0", "d.b.c+=[3]", "d.b={c: [4,5]}", "++d.new=3"]  # fmt: skip


@pytest.mark.parametrize("before", ["", "xs = [0]\nd = {'q': 2}\n"], ids=["bound once", "bound anew"])
@settings(max_examples=150)
@given(said=st.lists(st.sampled_from(TOLD), min_size=1, max_size=4, unique=True))
def test_where_nothing_is_derived_a_load_with_overrides_is_the_load_overridden(tmp_path_factory, before, said):
    path = tmp_path_factory.getbasetemp() / f"plain{len(before)}.py"
    path.write_text(before + "xs = [1, 2, 3, 4]\nd = {'a': 1, 'b': {'c': [1, 2]}}\n")

    def outcome(make):
        try:
            return str(make())
        except CallsheetError:
            return "an error"

    assert outcome(lambda: load(path, said)) == outcome(lambda: override(load(path), said))


def test_what_happens_once_happens_once_to_a_value_that_goes_on_from_itself(project):
    path = project("conf.py", "xs = [1, 2, 3]\ndef more():\n    return xs + [4]\nxs = more()\nys = xs + [5]\n")
    assert load(path, ["~xs.0", "xs+=[7]"]) == {"xs": [2, 3, 7, 4], "ys": [2, 3, 7, 4, 5]}


BOX = 'xs = [1]\nbox = {"k": xs}\n'


@pytest.mark.parametrize(
    "text",
    [
        'xs = [1]\nbox = {}\nbox["a"] = xs\nxs = box["a"]\n',
        "xs = [1]\ncfg = lazy(dict)()\ncfg.xs = xs\nxs = cfg.xs\n",
        'xs = [1]\nbox = {}\nbox.setdefault("q", xs)\nxs = box["q"]\n',
        "xs = [1]\nother = []\nother.append(xs)\nxs = other[0]\n",
        "xs = [1]\nif (ys := xs): pass\nxs = ys\n",
        "xs = [1]\nwith nullcontext(xs) as ys: pass\nxs = ys\n",
        "xs = [1]\nmatch xs:\n    case ys: pass\nxs = ys\n",
        'xs = [1]\nbox = {}\nfor k in ("q",): box[k] = xs\nxs = box["q"]\n',
        'xs = [1]\nbox = {}\ndef put(): box["q"] = xs\nput()\nxs = box["q"]\n',
        'from .b import xs, box\nxs = box["k"]\n',
        'from .b import xs\nfrom .b import box\nxs = box["k"]\n',
        'from .b import *\nxs = box["k"]\n',
    ],
)
def test_what_happens_once_happens_once_by_whatever_way_a_value_comes_back(project, text):
    project("b.py", BOX)
    path = project("conf.py", "from contextlib import nullcontext\nfrom callsheet import lazy\n" + text)
    assert plain(load(path, ["xs+=[9]"]).xs) == [1, 9]


@pytest.mark.parametrize(
    "text",
    [
        "xs = [0]\nxs = [1]\n",
        "xs = list((0,))\nxs = list((1,))\n",
        "def make(n): return [n]\nxs = make(0)\nxs = make(1)\n",
        "ys = 1\nif ys:\n    xs = [0]\nelse:\n    xs = [2]\nxs = [1]\n",
    ],
)
def test_what_happens_once_happens_again_to_a_value_that_is_made_anew(project, text):
    assert plain(load(project("conf.py", text), ["xs+=[9]"]).xs) == [1, 9]


# --- the cost, where statements only bind names -----------------------------------------------------------------------

BLOCK = "from callsheet import lazy\ndef block(dim=1, dropout=0.0, attn=None): ...\n"
NAMES = [f"n{n}" for n in range(7)]


@st.composite
def config(draw):
    """Calls that hold one another, values read from them, names bound again; now and then one that is edited."""
    lines, calls = [], []
    for name in NAMES:
        old = draw(st.sampled_from(calls)) if calls else ""
        makes = [f"{name} = lazy(block)(dim={len(lines)}, dropout=0.5, attn={old or None})"]
        if old:
            makes += [f"{name} = lazy(block)(dim={old}.dim, dropout={old}.dropout)", f"{name} = {old}"]
            makes += [f"{name} = [{old}.dropout, {old}]", f"{old}.dim = 9", f"{old} = lazy(block)(dim=8, attn={old})"]
        lines.append(draw(st.sampled_from(makes)))
        if lines[-1].startswith(f"{name} = lazy") or lines[-1] == f"{name} = {old}":
            calls.append(name)
    return "\n".join(lines) + "\n"


WILD = ["...dropout=0.1", "...dim=7", "...attn=null", "...attn.dim=6", "~...dim", "...dropout=a"]
PLACES = ["n0.dropout=0.2", "n2...dropout=0.3", "n3.attn.dropout=0.4", "n4.attn=@n1", "n1=@n0", "~n2.attn"]


@settings(max_examples=250)
@given(text=config(), said=st.lists(st.sampled_from(WILD + PLACES), min_size=1, max_size=4, unique=True))
def test_where_wildcards_look_only_at_what_is_new_they_find_what_they_find_everywhere(tmp_path_factory, text, said):
    def outcome(name, text):
        path = tmp_path_factory.getbasetemp() / name
        path.write_text(BLOCK + text)
        try:
            return str(load(path, said))
        except (CallsheetError, AttributeError):
            return "an error"

    # Where references may lead anywhere, all is looked at again after each statement.
    assert outcome("new.py", text) == outcome("all.py", text + "# ref\n")


@pytest.mark.parametrize("said", ["...dropout=0.1", "b3.dim=7", "main...dropout=0.1", "...nothing=1"])
def test_ten_times_the_statements_cost_ten_times_as_much(project, said):
    def steps(count):
        calls = "".join(f"b{n} = lazy(block)(dim={n}, dropout=0.5)\n" for n in range(count))
        path = project(f"conf{count}.py", f"{BLOCK}{calls}main = lazy(block)(attn=b1)\n")

        def loaded():
            try:
                load(path, [said])
            except OverrideError:
                assert said == "...nothing=1"

        loaded()
        return calls_made(loaded)

    assert steps(500) < 12 * steps(50)
