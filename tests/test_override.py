"""Promise 15, effect: an override edits the node, for every place that holds it, or says what is wrong."""

import pickle
from collections import namedtuple
from dataclasses import dataclass, field
from typing import Any

import pytest

from callsheet import (
    MISSING,
    Config,
    build,
    check,
    copy,
    edit,
    equal,
    get,
    lazy,
    load,
    origin,
    override,
    plain,
    ref,
    replace,
    resolve,
    walk,
)
from callsheet._override import apply_all
from callsheet._said import parse_all
from callsheet._spec import attach
from callsheet.errors import OverrideError
from saying import told


def net(width: int = 32, classes: int = 10, *, norm: str = "batch", sizes: list[float] | None = None): ...


def open_ended(*args, **kwargs): ...


@dataclass
class Optim:
    lr: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)
    extra: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Frozen:
    lr: float = 0.1
    inner: "Frozen | None" = None


Point = namedtuple("Point", "x y")


def fault_of(spec, *texts):
    with pytest.raises(OverrideError) as caught:
        override(spec, texts)
    (fault,) = caught.value.faults
    return fault.path, fault.problem, list(fault.advice)


# --- the forms --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a.b=2", {"a": {"b": 2}, "l": [1, {"k": 2}], 3: 4}),
        ("+a.c=[1,2]", {"a": {"b": 1, "c": [1, 2]}, "l": [1, {"k": 2}], 3: 4}),
        ("+a.c.d=1", {"a": {"b": 1, "c": {"d": 1}}, "l": [1, {"k": 2}], 3: 4}),
        ("++a.b=2", {"a": {"b": 2}, "l": [1, {"k": 2}], 3: 4}),
        ("++a.c=2", {"a": {"b": 1, "c": 2}, "l": [1, {"k": 2}], 3: 4}),
        ("~a.b", {"a": {}, "l": [1, {"k": 2}], 3: 4}),
        ("~a", {"l": [1, {"k": 2}], 3: 4}),
        ("~l.0", {"a": {"b": 1}, "l": [{"k": 2}], 3: 4}),
        ("~a.b=1", {"a": {}, "l": [1, {"k": 2}], 3: 4}),
        ("l.0=x", {"a": {"b": 1}, "l": ["x", {"k": 2}], 3: 4}),
        ("l[0]=x", {"a": {"b": 1}, "l": ["x", {"k": 2}], 3: 4}),
        ("l.-1=x", {"a": {"b": 1}, "l": [1, "x"], 3: 4}),
        ("l.1.k=3", {"a": {"b": 1}, "l": [1, {"k": 3}], 3: 4}),
        ("3=5", {"a": {"b": 1}, "l": [1, {"k": 2}], 3: 5}),
        ("a={x: {y: 1}}", {"a": {"x": {"y": 1}}, "l": [1, {"k": 2}], 3: 4}),
        ("a=", {"a": "", "l": [1, {"k": 2}], 3: 4}),
        ('+a["x.y"]=1', {"a": {"b": 1, "x.y": 1}, "l": [1, {"k": 2}], 3: 4}),
    ],
)
def test_each_form_does_what_it_says(text, after):
    spec = {"a": {"b": 1}, "l": [1, {"k": 2}], 3: 4}
    assert plain(override(spec, text)) == after
    assert spec == {"a": {"b": 1}, "l": [1, {"k": 2}], 3: 4}


def test_several_are_applied_in_their_order():
    assert plain(override({"a": 1}, ["+b={}", "+b.c=1", "b.c=2", "~a"])) == {"b": {"c": 2}}


def test_what_is_typed_can_be_read_like_the_rest():
    cfg = override({"a": 1}, "a={b: [1, {c: 2}]}")
    assert cfg.a.b[1].c == 2


# --- calls and dataclasses --------------------------------------------------------------------------------------------


def test_an_argument_that_is_not_set_needs_no_plus():
    assert override(lazy(net)(), "width=8") == lazy(net)(width=8)


def test_a_positional_argument_is_reached_by_number_and_by_name():
    spec = lazy(net)(1, 2)
    assert override(spec, "0=5") == lazy(net)(5, 2)
    assert override(spec, "classes=5") == lazy(net)(1, 5)


def test_text_becomes_the_type_that_the_callable_declares():
    made = override(lazy(net)(), ["width=1e3", "norm=1", "sizes=[1,2]"])
    assert made == lazy(net)(width=1000, norm="1", sizes=[1.0, 2.0])


def test_a_reference_may_stand_where_a_type_is_declared():
    made = override({"m": lazy(net)(), "w": 5}, "m.width=${w}")
    assert made.m.width == 5


def test_what_takes_any_argument_takes_any():
    assert override(lazy(open_ended)(1, a=2), ["b=3", "0=4"]) == lazy(open_ended)(4, a=2, b=3)


def test_an_argument_of_a_callable_that_is_only_named_is_left_to_check():
    assert override(lazy("json.dumps")(), "indnt=2") == lazy("json.dumps")(indnt=2)


def test_fields_of_a_dataclass_are_set_with_their_type():
    made = override({"o": Optim()}, ["o.lr=1", "o.betas=[0,1]", "+o.extra.k=x"])
    assert made.o == Optim(1.0, (0.0, 1.0), {"k": "x"})
    assert type(made.o.betas[0]) is float


def test_frozen_dataclasses_and_named_tuples_are_replaced_at_any_depth():
    spec = {"f": Frozen(inner=Frozen()), "p": Point(1, {"k": 2})}
    made = override(spec, ["f.inner.lr=5", "p.x=3", "p.y.k=4"])
    assert made.f == Frozen(inner=Frozen(lr=5.0))
    assert plain(made.p) == Point(3, {"k": 4})
    assert spec["f"].inner.lr == 0.1


def test_what_is_frozen_in_what_is_frozen_or_in_a_tuple_is_replaced_too():
    point = Point(Point((Frozen(), [Frozen()]), 1), 2)
    made = override({"p": point}, ["p.x.x.0.lr=5", "p.x.x.1.0.lr=6", "p.x.y=7"])
    assert plain(made.p) == Point(Point((Frozen(5.0), [Frozen(6.0)]), 7), 2)
    shared = Frozen()
    made = override({"t": (shared, 1), "twice": [shared], "r": ref(shared).lr}, "t.0.lr=5")
    assert made.t[0] is made.twice[0]
    assert build(made)["r"] == 5.0


def test_what_is_frozen_itself_is_an_edited_copy():
    class Options(Config[dict], frozen=True):
        depth: int = 1
        also: Any = None

    before = Frozen()
    assert (override(before, "lr=5"), before) == (Frozen(5.0), Frozen())
    assert override(Point(1, Frozen()), ["x=2", "y.lr=5"]) == Point(2, Frozen(5.0))
    assert override((Frozen(), 1), "...lr=5") == (Frozen(5.0), 1)
    made = override(Options(also=["${depth}"]), ["depth=3", "also+=[${depth}]"])
    assert made.build() == {"depth": 3, "also": [3, 3]}
    assert origin(made, "depth").text == "depth=3"


def test_edit_says_of_what_is_frozen_itself_how_to_edit_it():
    point = Point(Frozen(), [1])
    assert told(lambda: edit(point, ["y.0=2", "x.lr=5"])) == "\n".join(
        [
            "Point is frozen, so that it cannot be edited in place                   here",
            "take an edited copy:  spec = override(spec, [...])",
        ]
    )
    assert point == Point(Frozen(), [1])
    edit(point, "y.0=2")
    assert point == Point(Frozen(), [2])


def test_edit_leaves_what_is_frozen_as_it_was_for_whoever_holds_it():
    outer = Frozen(inner=Frozen())
    spec = {"a": outer}
    edit(spec, "a.inner.lr=5")
    assert spec["a"] == Frozen(inner=Frozen(5.0))
    assert outer == Frozen(inner=Frozen())


def test_references_in_what_is_frozen_lead_to_what_stands_there_now(project):
    project(
        "shapes_of_tests.py",
        """
        from dataclasses import dataclass
        from typing import Any

        @dataclass(frozen=True)
        class Shape:
            lr: float = 0.1
            also: Any = None
        """,
    )
    conf = project(
        "conf.py",
        """
        from callsheet import ref
        from shapes_of_tests import Shape

        shape = Shape(also=[ref("..lr"), ref("shape.lr")])
        """,
    )
    spec = load(conf)
    assert build(override(spec, "shape.lr=5"))["shape"].also == [5.0, 5.0]
    assert build(override(spec.shape, "lr=5")).also[0] == 5.0


def test_an_object_that_is_the_default_of_a_class_is_overridden_for_one_owner(project):
    project(
        "owners_of_tests.py",
        """
        from dataclasses import dataclass
        from typing import Any

        import attrs
        from callsheet import lazy

        @dataclass(frozen=True)
        class Inner:
            lr: float = 0.1

        @dataclass(frozen=True)
        class Outer:
            inner: Any = Inner()

        @attrs.define
        class Calling:
            made: Any = lazy(dict)(x=1)
        """,
    )
    conf = project(
        "conf.py",
        """
        from owners_of_tests import Calling, Outer

        first, second, third = Outer(), Outer(), Outer()
        calling, other = Calling(), Calling()
        """,
    )
    made = load(conf, ["first.inner.lr=5", "second.inner=null", "calling.made.x=7"])
    assert (made.first.inner.lr, made.second.inner, made.third.inner.lr) == (5.0, None, 0.1)
    assert (made.calling.made.x, made.other.made.x) == (7, 1)
    assert load(conf).calling.made.x == 1


# --- the node, for everyone who holds it ------------------------------------------------------------------------------


def test_a_node_held_twice_is_edited_for_both():
    model = lazy(net)(width=1)
    made = override({"a": model, "b": [model], "c": ref(model).width}, "b.0.width=5")
    assert made.a is made.b[0]
    assert made.a.width == 5
    assert model.width == 1


def test_a_node_that_is_replaced_is_replaced_for_every_place_and_reference():
    model = lazy(net)(width=1)
    made = override({"a": model, "b": [model], "c": lazy(open_ended)(ref(model))}, "a=5")
    assert plain(made.b) == [5]
    assert made.a == 5


def test_a_node_that_was_pickled_is_replaced_for_every_place_too():
    model = lazy("os.path.join")(width=1)
    spec = override({"a": model, "b": [model], "c": lazy("os.path.join")(ref(model))}, [])
    made = override(pickle.loads(pickle.dumps(spec)), "a=5")
    assert plain(made.b) == [5]


def test_a_reference_to_a_node_that_a_reference_replaces_goes_on_where_that_leads():
    small = lazy(Point)(4, y=5)
    spec = {"point": small, "big": lazy(Point)(64, y=65), "y": ref(small).y + 1}
    made = override(spec, ["point=${big}"])
    assert build(made)["y"] == 66
    assert equal(made["y"], override({"y": ref("big").y + 1}, []).y)
    assert build(override(made, ["big.y=7"]))["y"] == 8


@pytest.mark.parametrize("kept", [dict, attach])
def test_a_node_with_which_a_reference_does_something_is_not_replaced_by_what_is_none(kept):
    point = lazy(Point)(4, y=5)
    spec = kept({"point": point, "again": [point, ref(point)], "y": ref(point).y})
    said = told(lambda: edit(spec, ["point.y=6", "point=null"]), OverrideError)
    assert " ".join(said.split()) == (
        "point is referred to by ref(lazy(Point)(4, y=6)).y, and None is no node"
        " set by here override first what holds that reference"
    )
    assert build(spec)["y"] == 5
    edit(spec, ["y=1", "point=null"])
    assert plain([spec["point"], *spec["again"]]) == [None, None, None]


def test_a_frozen_node_held_twice_is_replaced_for_both():
    shared = Frozen()
    made = override({"a": shared, "b": {"c": shared}}, "a.lr=5")
    assert made.a is made.b.c
    assert made.a == Frozen(5.0)


def test_a_path_goes_through_a_reference():
    made = override({"hp": {"lr": 1}, "alias": "${hp}"}, "alias.lr=5")
    assert made.hp.lr == 5


def test_new_keys_are_made_at_any_depth_of_a_plain_dict_and_of_that_of_a_field():
    spec = {"a": {}}
    edit(spec, ["+a.b.c=1", "+a.b.d=2"])
    assert spec == {"a": {"b": {"c": 1, "d": 2}}}
    with pytest.raises(OverrideError):
        edit(spec, ["+a.e.f=3", "nowhere=1"])
    assert spec == {"a": {"b": {"c": 1, "d": 2}}}
    assert override(Optim(), "+extra.a.b=4").extra == {"a": {"b": 4}}

    class Owner(Config[dict]):
        extra: dict = {"k": 1}

    assert override(Owner(), "+extra.a.b=4").extra == {"k": 1, "a": {"b": 4}}
    assert Owner().extra == {"k": 1}


def test_override_leaves_its_spec_and_edit_does_not():
    spec = override({"a": {"b": 1}}, [])
    before = copy(spec)
    override(spec, "a.b=2")
    assert equal(spec, before)
    edit(spec, "a.b=2")
    assert spec.a.b == 2


def test_where_one_edit_does_not_fit_none_is_made():
    spec = override({"a": 1}, [])
    with pytest.raises(OverrideError):
        edit(spec, ["a=2", "b=3"])
    assert spec.a == 1


# --- what is wrong ----------------------------------------------------------------------------------------------------


def test_an_unknown_key_names_the_nearest_and_how_to_add_it():
    assert fault_of({"optim": {"lr": 1}}, "optim.lrr=2") == (
        "optim.lrr",
        "is not there",
        ["did you mean  optim.lr?", "optim holds  lr", "to add it:  +optim.lrr=2"],
    )


def test_following_the_advice_works():
    spec = {"optim": {"lr": 1}}
    advice = fault_of(spec, "optim.lrr=2")[2][-1].removeprefix("to add it:  ")
    assert plain(override(spec, advice)) == {"optim": {"lr": 1, "lrr": 2}}
    advice = fault_of(spec, "+optim.lr=2")[2][0].removeprefix("to change it:  ")
    assert plain(override(spec, advice)) == {"optim": {"lr": 2}}


def test_keys_that_are_no_texts_are_reached_in_brackets_as_python_or_an_override_writes_them():
    spec = {"a": {None: 1, True: 2, 0.5: 3, (1, None): 4, b"x": 5}, "same": "${a[null]}"}
    for path, value in walk(override(spec, [])):
        if path:
            assert equal(get(spec, path), value)
    edited = override(spec, ["a[null]=10", "a[True]=20", "a[0.5]=30", "a[(1, None)]=40", "~a[b'x']", "+a[false]=60"])
    assert edited.a == {None: 10, True: 20, 0.5: 30, (1, None): 40, False: 60}
    assert resolve(edited).same == 10
    assert replace(spec, {"a[None]": 9}).a[None] == 9
    assert override(spec, ['+a["None"]=9']).a == {**spec["a"], "None": 9}
    assert fault_of(spec, "a.null=9")[2][:2] == [
        "did you mean  a[None]?",
        "a holds  [None], [True], [0.5], [(1, None)], [b'x']",
    ]


def test_a_constant_in_brackets_is_the_text_where_the_key_is_one():
    spec = {"null": 1, "True": 2, "1.5": 3, "rows": [4, 5]}
    assert override(spec, ["[null]=6", "[True]=7", "[1.5]=8"]) == {"null": 6, "True": 7, "1.5": 8, "rows": [4, 5]}
    assert get({"null": 1, None: 2}, "[null]") == 2
    assert get({"null": 1, None: 2}, '["null"]') == 1
    assert get(spec, "rows[true]", "nothing") == "nothing"


def test_a_new_key_that_is_there_shows_what_is_there():
    assert fault_of({"a": {"b": [1]}}, "+a.b=2") == ("a.b", "is there already: [1]", ["to change it:  a.b=2"])


def test_an_unknown_way_names_where_it_ends():
    assert fault_of({"a": {"b": 1}}, "a.x.y=2") == ("a.x.y", "is not there", ["a holds  b"])
    assert fault_of({"a": 1}, "a.x=2") == ("a.x", "leads into a, which is 1 and holds nothing", [])


def test_an_argument_that_a_call_does_not_take_names_the_nearest():
    path, problem, advice = fault_of({"m": lazy(net)(width=64)}, "m.widht=2")
    assert (path, problem) == ("m.widht", f"no such argument of {__name__}.net")
    assert advice[0].startswith("did you mean  m.width = 64")
    path, problem, advice = fault_of(lazy(net)(), "+zzz=2")
    assert advice == [
        "net(width: int = 32, classes: int = 10, *, norm: str = 'batch', sizes: list[float] | None = None)"
    ]


def test_a_field_that_a_dataclass_has_not_is_refused():
    assert fault_of({"o": Optim()}, "o.lrr=1")[:2] == ("o.lrr", "is not there")


def test_a_value_of_the_wrong_type_shows_both():
    assert fault_of({"m": lazy(net)()}, "m.width=64x")[:2] == ("m.width", "must be int, found '64x'")
    assert fault_of({"o": Optim()}, "o.lr=fast")[:2] == ("o.lr", "must be float, found 'fast'")


def test_a_position_that_a_list_has_not_is_refused():
    assert fault_of({"l": [1, 2]}, "l.2=3") == ("l.2", "is not there", ["l holds  0, 1"])
    assert fault_of({"l": [1, 2]}, "l.x=3") == ("l.x", "is not there", ["l holds  0, 1"])
    assert fault_of({"l": []}, "~l.0") == ("l.0", "is not there", ["l is empty"])


def test_a_tuple_cannot_be_edited_and_the_error_says_what_can_be_done():
    advice = ["give the whole of it:  t=[…]", "or use a list in its place"]
    assert fault_of({"t": (1, 2)}, "t.0=3") == ("t.0", "stands in a tuple, which cannot be edited", advice)
    assert fault_of({"t": (1, 2)}, "~t.0") == ("t.0", "stands in a tuple, which cannot be edited", advice)


def test_a_field_cannot_be_deleted():
    assert fault_of({"o": Optim()}, "~o.lr") == ("o.lr", "cannot be deleted: it is a field of Optim", [])


def test_a_delete_of_another_value_is_refused():
    assert fault_of({"a": {"b": 1}}, "~a.b=2") == ("a.b", "is 1, so ~a.b=2 does not delete it", ["write  ~a.b"])


def test_a_sweep_where_one_value_can_stand_is_refused():
    assert fault_of({"a": 1}, "a=1,2") == (
        "a",
        "is a sweep, and only one value can stand here",
        ['for one value:  "a=[1,2]"', "to try each:  callsheet sweep"],
    )


def test_what_cannot_be_read_is_told_first_and_together():
    with pytest.raises(OverrideError) as caught:
        override({"a": 1}, ["b=1", "a", "a=1,2"])
    assert [fault.problem for fault in caught.value.faults] == [
        "'a' is not an override: there is no '='",
        "is a sweep, and only one value can stand here",
    ]


def test_all_faults_come_together_as_one_text():
    spec = override({"model": lazy(net)(width=64)}, [])
    with pytest.raises(OverrideError) as caught:
        apply_all(spec, parse_all(["mdoel=1", "model.width=x", "model.withd=2"]), where="command line")
    assert str(caught.value) == (
        "mdoel        is not there                                       command line\n"
        "             did you mean  model?\n"
        "             the spec holds  model\n"
        "             to add it:  +mdoel=1\n"
        "model.width  must be int, found 'x'                             command line\n"
        "             net(width: int = 32, classes: int = 10, *, norm: str = 'batch', sizes: list[float] | None = None)\n"
        f"model.withd  no such argument of {__name__}.net              command line\n"
        f"             did you mean  model.width = 64  ({origin(spec, 'model.width').where})?"
    )


# --- origins (16) -----------------------------------------------------------------------------------------------------


def test_an_override_is_the_origin_of_what_it_set():
    made = override({"a": {"b": 1}}, ["a.b=2", "a.b=3"])
    found = origin(made, "a.b")
    assert (found.kind, found.text) == ("override", "a.b=3")
    assert found.where.rpartition("/")[2].startswith("test_override.py:")
    assert [value for value, _ in found.chain()] == [2, 1]


def test_a_built_spec_holds_the_converted_value(project):
    project("train.py", "def fit(lr: float = 0.1, steps: int = 1): return lr, steps\n")
    project("conf.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)()\n")
    assert build(load("conf.py", ["main.lr=1", "main.steps=1e3"]).main) == (1.0, 1000)


def test_get_reads_what_an_override_wrote():
    assert get(override({}, "+a.b.c=1"), "a.b.c") == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a+=[3]", [1, 2, 3]),
        ("a+=[[3]]", [1, 2, [3]]),
        ("a+=[]", [1, 2]),
        ("t+=[3]", (1, 3)),
        ("n+=2", 7),
        ("n+=0.5", 5.5),
        ("s+=-b", "run-b"),
        ("r+=[${n}]", [5, 5]),
        ("m+=1", MISSING),
        ("a=extend_list(3,[4])", [1, 2, 3, [4]]),
        ("a-=[1]", [2]),
        ("a-=[2,1]", []),
        ("t-=[1]", ()),
        ("n-=2", 3),
        ("a[0:0]=[0,x]", [0, "x", 1, 2]),
        ("a[1:]=[]", [1]),
        ("a[-1:]=[3,4]", [1, 3, 4]),
        ("~a[:1]", [2]),
        ("~a[5:]", [1, 2]),
        ("r[:0]=[1]", [1, 5]),
    ],
)
def test_adding_does_what_python_does(text, value):
    spec = {"a": [1, 2], "t": (1,), "n": 5, "s": "run", "r": [ref("n")], "m": MISSING}
    made = override(spec, [text])
    found = made[text.strip("~")[0]]
    assert (found is value) if value is MISSING else (plain(found) if text[0] == "r" else found) == value


def test_what_is_added_becomes_the_declared_type():
    def serve(ports: list[int], share: float = 1.0):
        pass

    spec = lazy(serve)([80], share=0.5)
    made = override(spec, ["ports+=[8080]", "share+=1"])
    assert made == lazy(serve)([80, 8080], share=1.5)
    assert told(lambda: override(spec, ["ports+=[x]"]), OverrideError).startswith("ports  must be int, found 'x'")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a+=3", "cannot be added to by 3: it is [1, 2], and takes a list: a+=[…]"),
        ("n+=[3]", "cannot be added to by [3]: it is 5"),
        ("z+=1", "is not there"),
        ("z-=[1]", "is not there"),
        ("a-=3", "cannot be taken from by 3: it is [1, 2], and takes a list: a-=[…]"),
        ("a-=[1,1]", "cannot be taken from by [1,1]: it holds no 1: it is [2]"),
        ("a-=['1']", "cannot be taken from by ['1']: it holds no '1': it is [1, 2]"),
        ("n[0:1]=[3]", "cannot be edited by [3]: it is 5"),
        ("~n[0:1]", "cannot be edited by ~n[0:1]: it is 5"),
    ],
)
def test_what_cannot_be_added_says_what_stands_there(text, problem):
    with pytest.raises(OverrideError) as caught:
        override({"a": [1, 2], "n": 5}, [text])
    assert [fault.problem for fault in caught.value.faults] == [problem]


def test_elements_of_a_file_are_edited_once_and_what_follows_sees_them(project):
    project("conf.py", "layers = [1, 2, 3]\ntotal = sum(layers)\nname = 'x'\n")
    cfg = load("conf.py", ["layers[0:0]=[10]", "~layers[-1:]", "layers-=[1]"])
    assert (plain(cfg.layers), cfg.total) == ([10, 2], 12)


def test_edits_of_lists_become_the_declared_type_and_can_be_taken_back():
    def serve(ports: list[int]):
        pass

    spec = lazy(serve)([80])
    edit(spec, ["ports[0:0]=[8e3]", "ports-=[80]"])
    assert spec == lazy(serve)([8000])
    with pytest.raises(OverrideError, match=r"must be list\[int\], found|must be int, found 'x'"):
        edit(spec, ["ports[0:0]=[1]", "ports[0:0]=[x]"])
    assert spec == lazy(serve)([8000])


def test_an_edit_of_what_is_only_named_is_not_done_again_by_check(project):
    project("train.py", "def fit(n: int = 0, k: list[int] = ()): return n, k\n")
    project("conf.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(n=5, k=[1])\n")
    cfg = load("conf.py", ["main.n+=2", "main.k+=[2]", "main.k[0:0]=[0]"])
    check(cfg)
    assert build(cfg.main) == (7, [0, 1, 2])


def test_a_path_that_stands_in_few_places_further_down_is_told_first():
    spec = {
        "main": {"lr": 1, "optim": {"momentum": 0}},
        "aux": {"lr": 2, "optim": {"momentum": 1}},
        "n": [{"w": 1}] * 4,
    }
    few = ["did you mean  main.lr=3?", "did you mean  aux.lr=3?", "the spec holds  main, aux, n", "to add it:  +lr=3"]
    assert advice_of(spec, "lr=3") == few
    assert advice_of(spec, "optim.momentum=3")[:1] == ["did you mean  main.optim.momentum=3?"]
    assert advice_of(spec, "main.momentum=[3]")[0] == 'did you mean  "main.optim.momentum=[3]"?'
    assert advice_of(spec, "~lr")[0] == 'did you mean  "~main.lr"?'
    many = {"n": [{"w": 1}, {"w": 2}, {"w": 3}, {"w": 4}]}
    assert advice_of(many, "w=3") == ["the spec holds  n", "to add it:  +w=3"]


def advice_of(spec, text):
    with pytest.raises(OverrideError) as error:
        override(spec, [text])
    return [*error.value.faults[0].advice]
