"""Calls that have not happened yet: in every shape, read and edited like Python, checked where they are written."""

from __future__ import annotations

import copy as python_copy
import functools
import operator
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from callsheet import (
    MISSING,
    Call,
    Partial,
    arguments,
    build,
    copy,
    equal,
    from_data,
    lazy,
    load,
    origin,
    override,
    partial,
    plain,
    ref,
    target,
    to_data,
)
from callsheet.errors import ArgumentError, SpecError
from saying import told


def keep(*args, **kwargs):
    return args, kwargs


def net(width: int = 32, classes: int = 10, *, name="net"):
    return width, classes, name


def odd(self, target, args=3, *, build=4, keys=5, items=6, kwargs=7):  # names that a library might have kept for itself
    return self, target, args, build, keys, items, kwargs


def first(a, /, b=2, **kwargs):
    return a, b, kwargs


class Outer:
    class Inner:
        def __init__(self, size=1):
            self.size = size

        @classmethod
        def double(cls, size):
            return cls(2 * size)

        @staticmethod
        def half(size):
            return size // 2


class Child(Outer.Inner):
    pass


class Adder:
    def __init__(self, by):
        self.by = by

    def __call__(self, x, times=1):
        return x + self.by * times


@dataclass
class Config:
    size: int = 1
    rows: list = field(default_factory=list)


# --- shapes


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (lazy(net)(), (32, 10, "net")),
        (lazy(net)(1, classes=2, name="x"), (1, 2, "x")),
        (lazy(keep)(1, 2, a=3), ((1, 2), {"a": 3})),
        (
            lazy(keep)(self=1, target=2, args=3, kwargs=4, cls=5, site=6),
            ((), {"self": 1, "target": 2, "args": 3, "kwargs": 4, "cls": 5, "site": 6}),
        ),
        (lazy(odd)(1, 2), (1, 2, 3, 4, 5, 6, 7)),
        (lazy(odd)(self=1, target=2, args=0, build=0, keys=0, items=0, kwargs=0), (1, 2, 0, 0, 0, 0, 0)),
        (lazy(first)(1, a=5), (1, 2, {"a": 5})),
        (lazy(Outer.Inner.half)(9), 4),
        (lazy(Adder(10))(1, times=2), 21),
        (lazy(int)("ff", base=16), 255),
        (lazy(int)("ff", 16), 255),
        (lazy(max)(3, 7), 7),
        (lazy(len)([1, 2]), 2),
        (lazy(list[int])((1, 2)), [1, 2]),
        (lazy(dict[str, int])(a=1), {"a": 1}),
        (lazy(str.upper)("a"), "A"),
        (lazy("a b".split)(), ["a", "b"]),
        (lazy(operator.itemgetter)(1), operator.itemgetter(1)),
        (lazy(functools.partial(net, 5))(classes=6), (5, 6, "net")),
        (lazy(lambda x: x + 1)(1), 2),
        (lazy(lazy(Adder)(5))(1), 6),
        (lazy(partial(net)(7))(8), (7, 8, "net")),
        (lazy(lazy(functools.partial)(net, 1))(2), (1, 2, "net")),
        (lazy("os.path.join")("a", "b"), "a/b"),
        (lazy("builtins.int")("3"), 3),
    ],
)
def test_a_call_in_every_shape_is_built_as_python_would_call_it(call, result):
    assert isinstance(call, Call)
    assert repr(build(call)) == repr(result)
    assert repr(build(copy(call))) == repr(result)


@pytest.mark.parametrize("cls", [Outer.Inner, Child])
def test_classes_nested_in_classes_and_their_class_methods_are_called(cls):
    made = build([lazy(cls)(size=3), lazy(cls.double)(3)])
    assert [(type(x), x.size) for x in made] == [(cls, 3), (cls, 6)]


def test_a_partial_is_built_into_a_functools_partial():
    built = build(partial(net)(5, name="p"))
    assert type(built) is functools.partial
    assert (built.func, built.args, built.keywords) == (net, (5,), {"name": "p"})
    assert build(partial(net)())() == (32, 10, "net")


def test_a_functools_partial_in_a_spec_is_a_partial():
    spec = lazy(keep)(functools.partial(net, 5, name="p"), [functools.partial(net)])
    assert isinstance(spec[0], Partial)
    assert repr(spec) == "lazy(keep)(partial(net)(5, name='p'), [partial(net)()])"
    assert build(spec)[0][0](6) == (5, 6, "p")


def test_a_functools_partial_held_at_several_places_is_one_partial():
    held = functools.partial(keep, lazy(net)())
    spec = {"a": held, "b": [held, ({"c": held}, 1)]}
    made = override(spec, [])
    assert isinstance(made.a, Partial)
    assert made.a is made.b[0] is made.b[1][0].c
    assert equal(made, spec)
    built = build(made)
    assert built["a"] is built["b"][0]


# --- reading and editing


def test_a_call_is_read_and_edited_by_attribute_and_by_item():
    call = lazy(net)(width=1)
    call.classes = 2
    call["name"] = "n"
    assert (call.width, call["classes"], call.name) == (1, 2, "n")
    del call.classes
    del call["name"]
    assert (list(call), len(call), "width" in call, "classes" in call) == (["width"], 1, True, False)


def test_a_name_reaches_the_slot_of_a_positional_argument():
    call = lazy(net)(1, 2)
    call.width = 5
    assert (call.width, call[0], call["width"], "classes" in call) == (5, 5, 5, True)
    assert repr(call) == "lazy(net)(5, 2)"
    assert build(call) == (5, 2, "net")
    assert equal(call, lazy(net)(5, 2))
    assert not equal(call, lazy(net)(width=5, classes=2))


def test_a_name_set_later_on_a_callable_that_is_only_named_is_kept_beside_it_and_wins():
    call = lazy(f"{__name__}:net")(1, 2)
    call.width = 5
    assert repr(call) == "lazy(net)(1, 2, width=5)"
    assert build(call) == (5, 2, "net")
    assert call[0] == 1


def test_a_positional_only_parameter_is_no_name():
    call = lazy(first)(1, a=5)
    call.a = 6
    assert (call[0], call.a) == (1, 6)
    assert build(call) == (1, 2, {"a": 6})


def test_a_call_has_no_public_methods():
    assert [name for name in dir(Call) if not name.startswith("_")] == []
    assert [name for name in dir(lazy(keep)(items=1)) if not name.startswith("_")] == ["items"]


def test_target_and_arguments_are_functions():
    call = lazy("os.path.join")("a")
    assert target(call)("a", "b") == "a/b"
    edit = arguments(call)
    edit[0] = "x"
    edit.update(more=1)
    assert dict(edit) == {0: "x", "more": 1}
    assert edit.pop("more") == 1
    assert edit.pop("none", 7) == 7
    assert repr(call) == "lazy(join)('x')"


def test_deleting_a_positional_argument_keeps_the_origins_of_the_others():
    call = lazy(keep)(0, 1, 2)
    call[2] = 3
    call[1] = 4
    where = origin(call, "[2]").where
    del call[0]
    assert list(arguments(call).values()) == [4, 3]
    assert origin(call, "[1]").where == where


@pytest.mark.parametrize(
    ("action", "error", "text"),
    [
        (lambda c: c.depth, AttributeError, "'Call' object has no attribute 'depth'"),
        (lambda c: c[3], IndexError, "test_spec.net has 1 positional arguments"),
        (lambda c: c[-1], IndexError, "test_spec.net has 1 positional arguments"),
        (lambda c: c["depth"], KeyError, "'depth'"),
        (lambda c: delattr(c, "depth"), AttributeError, "test_spec.net has no argument 'depth' set"),
        (lambda c: arguments(c)["depth"], KeyError, "'depth'"),
    ],
)
def test_what_is_not_there_is_told_as_python_tells_it(action, error, text):
    assert told(lambda: action(lazy(net)(1)), error) == text


# --- names are checked where they are written


def test_an_unknown_argument_is_refused_with_the_nearest_at_once():
    text = (
        "widht  no such argument of test_spec.net                                here\n       did you mean  width = 32?"
    )
    assert told(lambda: lazy(net)(widht=1), ArgumentError) == text
    call = lazy(net)(classes=3)
    assert told(lambda: setattr(call, "widht", 1), ArgumentError) == text
    assert told(lambda: arguments(call).update(widht=1), ArgumentError) == text
    assert repr(call) == "lazy(net)(classes=3)"


def test_an_argument_like_no_other_shows_the_signature():
    assert told(lambda: lazy(net)(zzz=1, clases=2), TypeError) == (
        "zzz     no such argument of test_spec.net                               here\n"
        "        net(width: int = 32, classes: int = 10, *, name='net')\n"
        "clases  no such argument of test_spec.net                               here\n"
        "        did you mean  classes = 10?"
    )


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: lazy(net)(1, 2, 3), "test_spec.net takes 2 positional arguments, found 3"),
        (lambda: lazy(net)(1, width=2), "test_spec.net is given width by position and by name"),
    ],
)
def test_positions_are_checked_at_once(make, problem):
    signature = "net(width: int = 32, classes: int = 10, *, name='net')"
    assert told(make, ArgumentError) == f"{problem:<72}here\n{signature}"


def test_a_callable_that_is_only_named_is_not_imported_and_not_checked_when_it_is_written():
    assert repr(lazy("no.such.module.thing")(anything=1)) == "lazy(thing)(anything=1)"


@pytest.mark.parametrize("value", [3, None, [], {}])
def test_what_can_never_be_called_is_refused(value):
    assert told(lambda: lazy(value), TypeError) == f"{value!r} cannot be called, so no call of it can be described"


@pytest.mark.parametrize(
    "holder", [lambda x: x, lambda x: [x], lambda x: {"a": x}, lambda x: (1, x), lambda x: [{"b": (x,)}]]
)
class TestRefusedWhereverTheyStand:
    def test_a_lazy_that_was_not_called(self, holder):
        assert told(lambda: lazy(keep)(a=holder(lazy(int))), SpecError) == (
            "lazy(int) was not called\n  write  lazy(int)()  with its arguments"
        )

    @pytest.mark.parametrize(
        "make", [lambda: iter([1]), lambda: (x for x in ()), lambda: map(int, ""), lambda: zip("a", "b", strict=True)]
    )
    def test_a_one_shot_iterator(self, holder, make):
        assert told(lambda: lazy(keep)(holder(make())), SpecError) == (
            f"a one-shot iterator ({type(make()).__name__}) can be read only once\n  write  list(...)  around it"
        )

    def test_a_one_shot_iterator_that_is_set_later(self, holder):
        call = lazy(keep)(1, a=1, rows=[1], more={})
        for action in (
            lambda x: setattr(call, "a", x),
            lambda x: operator.setitem(call, 0, x),
            lambda x: call.rows.append(x),
            lambda x: operator.setitem(call.rows, 0, x),
            lambda x: setattr(call.more, "k", x),
            lambda x: call.more.update(k=x),
        ):
            assert "one-shot" in told(lambda action=action: action(holder(iter([1]))), SpecError)
        assert repr(call) == "lazy(keep)(1, a=1, rows=[1], more={})"


def test_what_can_be_iterated_often_is_kept():
    assert build(lazy(keep)(range(2), {1}, "ab"))[0] == (range(2), {1}, "ab")
    assert isinstance(iter([]), Iterator)


# --- mappings and lists


def mapping(**items):
    return lazy(dict)(a=items).a


def test_a_mapping_has_every_method_of_dict_also_where_a_key_has_its_name():
    m = mapping(**{name: n for n, name in enumerate(("items", "keys", "pop", "get", "values", "update", "copy"))})
    assert sorted(m.keys()) == ["copy", "get", "items", "keys", "pop", "update", "values"]
    assert dict(m.items()) == {"items": 0, "keys": 1, "pop": 2, "get": 3, "values": 4, "update": 5, "copy": 6}
    assert (m["items"], m.get("pop"), m.get("none", 9), m.pop("get")) == (0, 2, 9, 3)
    m["items"] = 10
    m.update(keys=11)
    assert list(m.values()) == [10, 11, 2, 4, 5, 6]
    assert m.setdefault("new", []) == []
    assert plain(m) == {"items": 10, "keys": 11, "pop": 2, "values": 4, "update": 5, "copy": 6, "new": []}
    with pytest.raises(AttributeError, match=r"write \['items'\]"):
        m.items = 1


def test_a_mapping_has_each_method_that_dict_has():
    assert [name for name in dir(dict) if not name.startswith("_") and not hasattr(mapping(), name)] == []


def test_a_mapping_behaves_as_a_dict():
    m = mapping(a=1, b={"c": 2})
    assert (m.a, m["a"], m.b.c, len(m), list(m), list(reversed(m)), "a" in m) == (
        1,
        1,
        2,
        2,
        ["a", "b"],
        ["b", "a"],
        True,
    )
    assert (m | {"z": 3})["z"] == 3
    assert ({"a": 0, "z": 3} | m)["a"] == 1
    m |= {"a": 5}
    m[7] = {"d": 1}
    assert m[7].d == 1
    del m.a, m["b"]
    assert m == {7: {"d": 1}}
    assert {**mapping(x=1, y=2)} == {"x": 1, "y": 2}
    assert m.popitem() == (7, {"d": 1})
    assert not m
    for wrong, error in ((lambda: m.no, AttributeError), (lambda: m["no"], KeyError), (lambda: m.pop("no"), KeyError)):
        with pytest.raises(error):
            wrong()
    with pytest.raises(AttributeError):
        del m.no


def test_a_mapping_is_no_dict_and_what_is_built_is_one():
    spec = lazy(keep)({"a": [{"b": (1, {"c": 2})}]})
    assert not isinstance(spec[0], dict)
    (built,), _ = build(spec)
    assert [type(built), type(built["a"]), type(built["a"][0]), type(built["a"][0]["b"][1])] == [dict, list, dict, dict]
    assert built == {"a": [{"b": (1, {"c": 2})}]}


def test_a_list_is_edited_in_every_way_a_list_is():
    rows = lazy(keep)([1]).__getitem__(0)
    rows.append({"a": 1})
    rows += [[2]]
    rows.insert(0, {"b": 1})
    rows.extend(iter([3]))
    rows[1:2] = [{"c": 1}]
    assert [rows[0].b, rows[1].c, rows[2].a, rows[3], rows[4], len(rows)] == [1, 1, 1, [2], 3, 5]
    assert rows.pop() == 3
    rows.reverse()
    assert rows == [[2], {"a": 1}, {"c": 1}, {"b": 1}]
    assert rows + [1] == [*rows, 1]  # noqa: RUF005  (the operator is what is tested)


def test_a_list_that_holds_a_reference_is_read_alike_in_every_way():
    spec = from_data({"rows": [3, "${seed}", 1], "seed": 5})
    rows = spec.rows
    assert 5 in rows
    assert (rows.index(5), rows.count(5), [*reversed(rows)], rows * 1, 2 * rows[:2]) == (
        1,
        1,
        [1, 5, 3],
        [3, 5, 1],
        [3, 5] * 2,
    )
    spec.seed = 0
    assert [*rows.copy()] == [3, 0, 1]
    rows.sort(key=lambda x: -x)
    assert [*rows] == [3, 1, 0]
    rows.remove(0)
    assert rows == [3, 1]
    rows *= 2
    assert rows == [3, 1, 3, 1]
    rows.clear()
    assert rows == []
    for act in (rows.pop, lambda: rows.__setitem__(-1, 0)):
        with pytest.raises(IndexError, match="list index out of range"):
            act()


def test_what_a_reference_gave_is_what_is_taken_out_of_a_list():
    spec = from_data({"rows": ["${seed}", 1], "seed": 5})
    assert (spec.rows.pop(0), spec.rows) == (5, [1])


def test_what_is_given_is_not_changed_and_later_changes_of_it_do_not_reach_the_spec():
    given = {"rows": [1, {"a": 2}]}
    call = lazy(keep)(given)
    call[0].rows[1].a = 3
    given["rows"].append(4)
    assert given == {"rows": [1, {"a": 2}, 4]}
    assert repr(call) == "lazy(keep)({'rows': [1, {'a': 3}]})"


def test_a_dict_held_at_two_places_of_what_is_given_is_one_in_memory_and_two_when_built():
    rows = [1]
    call = lazy(keep)([rows, rows])
    assert call[0][0] is call[0][1]
    made = copy(call)
    assert made[0][0] is made[0][1]
    built = build(call)[0][0]
    assert built == [[1], [1]]
    assert built[0] is not built[1]


# --- nodes


def test_attaching_a_node_never_copies_it():
    call, config = lazy(net)(), Config()
    spec = lazy(keep)(call, [call], {"c": (config, call)}, config)
    assert spec[0] is spec[1][0] is spec[2].c[1] is call
    assert spec[2].c[0] is spec[3] is config


def test_copy_follows_containment_keeps_sharing_and_moves_references_inside():
    shared, outside = lazy(net)(width=1), lazy(net)(width=2)
    spec = lazy(keep)(shared, [shared], ref(shared).x, ref(outside).x, Config(3, [shared]))
    made = copy(spec)
    made[0].width = 9
    assert made[0] is made[1][0] is made[4].rows[0]
    assert shared.width == 1
    assert made[2].__base__ is made[0]
    assert made[4] is not spec[4]


@pytest.mark.parametrize("again", [lambda x: pickle.loads(pickle.dumps(x)), python_copy.deepcopy, copy])
def test_pickling_deepcopy_and_copy_keep_sharing(again):
    shared = lazy(net)(width=1)
    made = again([lazy(keep)(shared, {"s": shared}), partial(keep)([shared], o=lazy("os.path.join")("a")), shared])
    assert made[0][0] is made[0][1].s is made[1][0][0] is made[2]
    assert made[2] is not shared
    assert repr(made) == (
        "[lazy(keep)(lazy(net)(width=1), {'s': lazy(net)(width=1)}), "
        "partial(keep)([lazy(net)(width=1)], o=lazy(join)('a')), lazy(net)(width=1)]"
    )


def test_a_shallow_copy_holds_the_same_nodes():
    call = lazy(keep)(lazy(net)(), rows=[1])
    made = python_copy.copy(call)
    made.rows = 2
    assert made[0] is call[0]
    assert call.rows == [1]


def test_missing_is_a_value_of_which_nothing_can_be_asked():
    assert (MISSING + 1) * 2 is MISSING
    assert 3 / -MISSING is MISSING
    assert pickle.loads(pickle.dumps(MISSING)) is python_copy.deepcopy(MISSING) is MISSING
    assert told(lambda: bool(MISSING), TypeError) == "MISSING must be given before it can be tested"


def test_a_copy_leaves_alone_what_only_a_reference_reaches():
    model = lazy(dict)(width=3)
    optim = lazy(dict)(params=ref(model).keys())
    both = {"model": model, "optim": optim}
    assert build({"model": model, "optim": copy(optim)}) == build(both)
    assert object.__getattribute__(copy(optim), "params").__base__ is model
    moved = copy(both)
    assert object.__getattribute__(moved["optim"], "params").__base__ is moved["model"] is not model


def test_a_pickled_part_still_finds_what_its_references_lead_to(tmp_path):
    (tmp_path / "conf.py").write_text('from callsheet import lazy\na = 1\nm = lazy(dict)(x="${a}", y=["${a}"])\n')
    part = pickle.loads(pickle.dumps(load(tmp_path / "conf.py").m))
    assert build(part) == {"x": 1, "y": [1]}


def test_a_mapping_is_copied_and_merged_as_a_dict_is(project):
    cfg = load(project("conf.py", "a = dict(x=1, y=[1])\n"))
    kept, twin = cfg.a, cfg.a.copy()
    assert type(twin) is type(kept)
    assert twin == kept
    twin.x = 2
    kept |= {"x": 3, "z": 4}
    assert (cfg.a.x, cfg.a.z, twin.x) == (3, 4, 2)


def test_a_list_is_joined_with_lists_only(project):
    cfg = load(project("conf.py", "a = [1]\n"))
    assert [0, *cfg.a] == [0] + cfg.a  # noqa: RUF005
    with pytest.raises(TypeError):
        (0,) + cfg.a  # noqa: RUF005


def test_a_spec_of_what_a_config_defines_is_pickled_by_name(project):
    cfg = load(
        project(
            "conf.py", "from callsheet import lazy\nclass Net: pass\nm = dict(n=lazy(Net)(), c=[lazy(dict)(cls=Net)])\n"
        )
    )
    data, pickled = to_data(cfg), pickle.dumps(cfg)
    for name in [name for name in sys.modules if "conf.py@" in name]:
        del sys.modules[name]  # as in another process
    again = pickle.loads(pickled)
    assert to_data(again) == data
    assert type(build(again.m.n)) is build(again.m.c)[0]["cls"]


def test_of_a_callable_that_is_only_named_the_name_wins_over_the_position(project):
    project("far.py", "def net(width, depth=1):\n    return width, depth\n")
    cfg = load(project("conf.py", "from callsheet import lazy\nfrom far import net\nm = lazy(net)(1, 2)\n"))
    cfg.m.width = 7
    assert build(cfg.m) == (7, 2)
    cfg = load(
        project("conf.py", "from callsheet import lazy\nfrom far import net\na = lazy(net)(1)\nb = lazy(net)(2)\n")
    )
    cfg.a.width = cfg.b.width = 7
    assert build(cfg) == {"a": (7, 1), "b": (7, 1)}
