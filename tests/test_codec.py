"""Promise 13: what is saved loads back equal, with the same hash, and what cannot be saved is refused before a byte is written."""

import datetime
import decimal
import fractions
import io
import json
import os
import pathlib
import subprocess
import sys
import threading
import uuid
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shapes
from callsheet import (
    MISSING,
    Call,
    build,
    copy,
    equal,
    from_data,
    hash_of,
    lazy,
    load,
    override,
    partial,
    ref,
    save,
    to_data,
)
from callsheet._spec import attach
from callsheet.errors import CallsheetError, CycleError, DepthError, LoadError, SaveError
from shapes import Color, Frozen, Net, Optim, Owner, Perm, call

ALLOW = ["shapes", "numpy", "builtins", "posixpath"]


def there_and_back(spec):
    """The spec after a way through real JSON text; the promise is checked on the way."""
    spec = attach(spec)
    data = to_data(spec)
    again = from_data(json.loads(json.dumps(data, allow_nan=False)), allow=ALLOW)
    assert equal(spec, again)
    assert equal(again, spec)
    assert hash_of(spec) == hash_of(again)
    assert to_data(again) == data
    return again


# --- every kind of value ----------------------------------------------------------------------------------------------

MODEL = lazy(Net)(width=1)

VALUES = {
    "tuple": (1, (2.0, "x"), ()),
    "set": {1, "a", None, 2.5, (1, (b"x",))},
    "frozenset": frozenset({frozenset({1}), True}),
    "bytes": b"\0\xff",
    "enum": Color.RED,
    "flags": [Perm.R, Perm.R | Perm.W, Perm(0)],
    "set of enums": {Color.RED, Color.BLUE},
    "path": [
        pathlib.Path("a/b"),
        pathlib.Path(),
        pathlib.PurePosixPath("a"),
        pathlib.PureWindowsPath("a\\b"),
    ],
    "dtype": [np.dtype("float32"), np.dtype([("a", "<i4"), ("b", [("c", "<f8")], (2, 3))])],
    "class": [Net, Net.Inner, int, Color],
    "function": [call, len, os.path.join],
    "classmethod": Net.make,
    "range": range(1, 10, 2),
    "slice": [slice(None), slice(1, None, -2)],
    "numpy scalar": [
        np.float32(1.5),
        np.int64(3),
        np.bool_(True),
        np.float64("nan"),
        np.datetime64("2020-01-01"),
        np.str_("é"),
    ],
    "array": [
        np.array([[1, 2.5]]),
        np.zeros((0, 3)),
        np.arange(6).reshape(2, 3).T,
        np.array([1.5, 2.5], ">f4"),
        np.array([1 + 2j], ">c16"),
    ],
    "complex": [1 + 2j, complex("inf"), complex("nan")],
    "datetime": [
        datetime.datetime(2020, 1, 2, 3, 4, 5, 6, datetime.UTC),
        datetime.date(2020, 1, 2),
        datetime.time(1, 2),
        datetime.timedelta(-1, 2, 3),
        datetime.datetime(2020, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
        datetime.time(1, 2, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime.datetime(2020, 10, 25, 2, 30, fold=1),
    ],
    "decimal, fraction, uuid": [decimal.Decimal("1.10"), fractions.Fraction(1, 3), uuid.UUID(int=7)],
    "infinities": [float("inf"), float("-inf"), float("nan")],
    "numbers": [1e-3, -0.0, 10**40, 1e300, True, -(10**5000), {10**5000}, {10**5000: 1}],
    "texts": ["no", "1e-3", "null", "", "é\n\0", "\ud800", "???", "_target_"],
    "must be given": MISSING,
    "ellipsis": ...,
    "odd keys": {
        1: 1,
        "1": 2,
        2.5: 3,
        None: 4,
        (1, ("a", None)): 5,
        b"x": 6,
        frozenset({1}): 7,
        "???": 8,
        "${x}": 9,
        False: 10,
        "": 11,
    },
    "keys that need an import": {Color.RED: 1, Net: 2, np.float32(1.5): 3},
    "reserved keys": dict.fromkeys(
        [
            "_target_",
            "_args_",
            "_partial_",
            "_type_",
            "_value_",
            "_items_",
            "_same_",
            "_ref_",
            "_nodes_",
            "_format_",
            "_root_",
        ],
        1,
    ),
    "reserved arguments": lazy(call)(_target_=1, _args_=2, _partial_=3),
    "call": lazy(Net)(1, [2], width={"a": (3,)}),
    "call by name": lazy("torch.optim.SGD")(lr=0.1),
    "call of a classmethod": lazy(Net.make)(a=1),
    "call of a call": lazy(lazy(call)(1))(2),
    "partial": partial(call)(1, b=2),
    "dataclass": Optim(0.5, Optim([1])),
    "frozen dataclass": Frozen(2),
    "texts of a dataclass": Optim("${a}", "???"),
    "texts below a dataclass": Optim({"k": "${a}"}, ["${", ("${}",)]),
    "references": {
        "s": 5,
        "whole": "${s}",
        "inside": "run-${s}",
        "literal": "\\${s}",
        "math": 2 ** (ref("s") // 2),
        "item": ref("l")[0],
        "l": [1],
    },
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_it_loads_back_equal(value):
    there_and_back({"x": value})
    there_and_back([value, (value,)])
    there_and_back(value)


@pytest.mark.parametrize("name", ["tuple", "set", "frozenset", "bytes", "enum", "flags", "set of enums", "path", "class", "function",
                                  "range", "slice", "datetime", "decimal, fraction, uuid", "numbers", "texts", "dataclass",
                                  "frozen dataclass", "texts of a dataclass", "ellipsis"])  # fmt: skip
def test_what_was_read_builds_to_what_was_saved(name):
    built, expected = build(there_and_back({"x": VALUES[name]})), build({"x": VALUES[name]})
    assert built == expected
    assert equal(attach(built), attach(expected))


def test_numpy_values_build_to_what_was_saved():
    built = build(there_and_back([VALUES["dtype"], VALUES["numpy scalar"], VALUES["array"]]))
    assert built[0] == VALUES["dtype"]
    assert repr(built[1]) == repr(VALUES["numpy scalar"])
    for one, other in zip(built[2], VALUES["array"], strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


def test_a_dataclass_that_was_read_is_edited_like_the_original():
    again = there_and_back({"o": Optim(0.5, Optim())})
    edited, original = override(again, "o.inner.lr=7"), override({"o": Optim(0.5, Optim())}, "o.inner.lr=7")
    assert equal(edited, original)
    assert build(edited) == {"o": Optim(0.5, Optim(7))}


# --- sharing and references -------------------------------------------------------------------------------------------

O = Optim()

SHARED = {
    "two keys": {"a": MODEL, "b": MODEL},
    "a tuple after": {"a": MODEL, "b": (MODEL, [MODEL])},
    "a tuple before": {"a": (MODEL,), "b": MODEL},
    "a dataclass": {"a": O, "b": [O], "c": Optim(inner=O)},
    "inside a call": lazy(call)(MODEL, {"k": MODEL}, m=MODEL),
    "the target": {"a": lazy(MODEL)(), "b": MODEL},
    "under odd keys": {(1, 2): [MODEL], None: MODEL, Color.RED: MODEL, 2.5: MODEL, True: MODEL, "a.b": MODEL, 'q"\\]': MODEL},
    "under a number and its text": {0: MODEL, "0": MODEL, "b": lazy(call)(0)},
    "under a reserved key": {"_nodes_": {"n0": MODEL}, "b": MODEL},
    "with a root that is a list": [MODEL, MODEL],
    "with a root that is a tuple": (MODEL, MODEL),
    "references to a node": {"a": MODEL, "b": ref(MODEL).go(1, k=2)["x"].y + 1},
    "a node that only references reach": [ref(MODEL).go(), ref(MODEL).width],
    "a loose node that refers to another": ref(lazy(call)(ref(MODEL).width, O)).go(),
    "a node handed to a reference": {"a": MODEL, "o": O, "b": ref(MODEL).go(O, k=[O])},
    "a reference handed to a reference": {"a": MODEL, "o": O, "b": ref(MODEL).go(ref(O).lr)},
    "a node first met in a reference": {"b": ref(MODEL).go(O), "o": O, "a": MODEL},
    "default objects, which are not shared": [Owner(), Owner(), Owner(O), Owner(O)],
    "a reference to a default object": [Owner(), ref(Owner().inner).x],
}  # fmt: skip


@pytest.mark.parametrize("spec", SHARED.values(), ids=SHARED)
def test_sharing_and_references_come_back(spec):
    there_and_back(spec)


def test_sharing_is_a_part_of_equality_so_that_these_tests_can_fail():
    assert not equal(attach(SHARED["two keys"]), attach({"a": MODEL, "b": copy(MODEL)}))
    assert not equal(
        attach(SHARED["a node handed to a reference"]), attach({"a": MODEL, "o": O, "b": ref(MODEL).go(copy(O), k=[O])})
    )


def test_a_node_held_twice_is_built_once_after_loading():
    built = build(there_and_back({"a": MODEL, "b": (MODEL, ref(MODEL).kwargs)}))
    assert built["a"] is built["b"][0]
    assert built["a"].kwargs is built["b"][1]


def test_dicts_are_slots_and_are_written_twice():
    shared = {"k": 1}
    assert to_data({"a": shared, "b": shared}) == {"a": {"k": 1}, "b": {"k": 1}}


# --- the wire form ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "data"),
    [
        (lazy("a.b:C.d")(1, x=2), {"_target_": "a.b:C.d", "_args_": [1], "x": 2}),
        (partial("a:b")(), {"_target_": "a:b", "_partial_": True}),
        (lazy(call)(_target_=1), {"_target_": "shapes:call", "_kwargs_": {"_target_": 1}}),
        (lazy(lazy("a:b")())(), {"_target_": {"_target_": "a:b"}}),
        (Frozen(2), {"_type_": "shapes:Frozen", "x": 2}),
        ((1, 2), {"_value_": "tuple", "of": [1, 2]}),
        ({1: 2}, {"_items_": [[1, 2]]}),
        ([MODEL, MODEL], [{"_target_": "shapes:Net", "width": 1}, {"_same_": "[0]"}]),
        ({"m": MODEL, "p": ref(MODEL).go(1)}, {
            "m": {"_target_": "shapes:Net", "width": 1},
            "p": {"_ref_": "m", "_then_": [["attr", "go"], ["call", [1], {}]]},
        }),
        ({"p": ref(MODEL).go}, {
            "p": {"_ref_": "_nodes_.n0", "_then_": [["attr", "go"]]},
            "_nodes_": {"n0": {"_target_": "shapes:Net", "width": 1}},
        }),
        (MISSING, "???"),
        ({"a": "???"}, {"a": {"_value_": "str", "of": "???"}}),
        ({"a": Color.RED}, {"a": {"_value_": "enum", "of": ["shapes:Color", "RED"]}}),
    ],
)  # fmt: skip
def test_the_wire_form(spec, data):
    assert to_data(spec) == data
    assert equal(from_data(data), attach(spec))


def test_targets_with_dots_only_are_read_too():
    assert from_data({"_target_": "torch.nn.Linear.from_x"}) == lazy("torch.nn:Linear.from_x")()


def test_numbers_keep_their_type_and_texts_stay_texts():
    assert from_data({"lr": 1e-3, "n": 1, "f": 1.0, "b": True, "no": "no"}) == {
        "lr": 0.001,
        "n": 1,
        "f": 1.0,
        "b": True,
        "no": "no",
    }
    assert type(from_data({"f": 1.0}).f) is float


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": {"_target_": 5}}, "a  has the target 5, which names no callable"),
        ({"a": {"_target_": "no name"}}, "a  'no name' names no object"),
        ({"a": {"_target_": "a:b", "_args_": 5}}, "a  has _args_ that are no list"),
        ({"a": {"_target_": "a:b", "_partial_": 1}}, "a  has a _partial_ that is neither true nor false"),
        ({"a": {"_target_": "a:b", "_kwargs_": 1}}, "a  has arguments that are no dict"),
        ({"a": {"_target_": "a:b", "_value_": 1}}, "a  has _value_, which has no meaning in a call"),
        ({"a": {"_args_": []}}, "a  has _args_, which has no meaning here"),
        ({"a": {"_type_": 5}}, "a  names 5, which is no name"),
        ({"a": {"_value_": "pickle", "of": "x"}}, "a  has the value kind 'pickle', which is not known"),
        ({"a": {"_value_": "tuple", "of": 5}}, "a  holds no tuple: must be [value, ...], found 5"),
        ({"a": {"_value_": "range", "of": "x"}}, "a  holds no range: must be [start, stop, step], found 'x'"),
        ({"a": {"_value_": "bytes", "of": "?"}}, None),
        ({"a": {"_value_": "set", "of": [["list", []]]}}, None),
        ({"a": {"_value_": "datetime", "of": "soon"}}, None),
        ({"a": {"_items_": [[1]]}}, "a  has _items_ that are no [key, value] pairs"),
        ({"a": {"_same_": "b", "more": 1}}, "a  has a _same_ that is no path alone"),
        ({"a": {"_same_": "b"}}, "a  leads to 'b', where nothing is"),
        ({"a": {"_ref_": "b"}}, "b  leads to 'b', where nothing is"),
        ({"a": {"_ref_": 5}}, "a  has a _ref_ that is no path, or a _then_ that is no list"),
        ({"a": 1, "b": {"_ref_": "a", "_then_": [["call", 5]]}}, "b  has a _then_ that cannot be read: ['call', 5]"),
        (
            {"a": 1, "b": {"_ref_": "a", "_then_": [["attr", "__class__"]]}},
            "b  follows the attribute '__class__', which data may not",
        ),
        ({"a": "${b"}, "a  '${b' opens a reference that is not closed at column 1"),
        ({"a": {"_value_": "dtype", "of": 3}}, """a  holds no dtype: must be ["float32"], found 3"""),
        ({"a": {"_value_": "dtype", "of": "nosuch"}}, """a  holds no dtype: must be ["float32"], found 'nosuch'"""),
        (
            {"a": {"_value_": "enum", "of": ["a:B"]}},
            """a  holds no enum: must be ["module:Class", "MEMBER"], found ['a:B']""",
        ),
        ({"a": {"_value_": "enum", "of": "RED"}}, None),
        ({"a": {"_value_": "enum", "of": ["no name", "RED"]}}, "a  holds no enum: 'no name' names no object"),
        ({"a": {"_value_": "set", "of": [["name", "no name"]]}}, "a  holds no set: 'no name' names no object"),
        ({"a": {"_value_": "datetime", "of": ["2020-01-01", "No/Where", 0]}}, None),
        ({"a": {"_value_": ["x"]}}, "a  has the value kind ['x'], which is not known"),
        ({"a": {"_value_": "json", "of": 1}}, "a  holds no json: must be JSON text, found 1"),
        ({"_value_": "json", "lr": 1}, "has 'lr' beside _value_, where only of may stand"),
        ({"_items_": [["x", 1]], "lr": 0.1}, "has 'lr' beside _items_, where nothing may stand"),
        ({"a": {"_value_": "tuple", "of": [1], "lr": 1}}, "a  has 'lr' beside _value_, where only of may stand"),
        ({"a": {"_ref_": "b", "lr": 1}, "b": 1}, "a  has 'lr' beside _ref_, where only _then_ may stand"),
        (
            {"a": {"_target_": "a:b", "lr": 1, "_kwargs_": {"lr": 2}}},
            "a  has 'lr' beside _kwargs_, which is to hold all the others",
        ),
        (
            {"a": {"_type_": "a:B", "lr": 1, "_fields_": {}}},
            "a  has 'lr' beside _fields_, which is to hold all the others",
        ),
        ({"a": {"_items_": [["x", 1], ["x", 2]]}}, "a  has the key 'x' twice in its _items_"),
        ({"a": {"_items_": [[["x"], 1]]}}, "a  has the key ['x'], which is no value"),
        (
            {"a": {"_items_": [[{"_value_": "set", "of": []}, 1]]}},
            "a  has the key set(), which no mapping can have",
        ),
        ({"_format_": 99}, "has format 99, and this Callsheet reads up to 1"),
        ({"_format_": "1"}, "has format '1', and this Callsheet reads up to 1"),
    ],
)
def test_data_of_another_form_is_refused_with_its_place(data, message):
    with pytest.raises(LoadError) as caught:
        from_data(data, where="x.json")
    (fault,) = caught.value.faults
    assert fault.origin == "x.json"
    if message is not None:
        assert f"{fault.path}  {fault.problem}".lstrip() == message
    else:
        assert fault.path == "a"
        assert fault.problem.startswith("holds no ")


def test_a_value_that_is_written_otherwise_names_its_line_and_a_kind_that_is_not_known_the_nearest(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{\n"m": {\n"act": {"_value_": "enum", "of": "RED"}}}')
    with pytest.raises(LoadError) as caught:
        load(path)
    (fault,) = caught.value.faults
    assert (fault.path, fault.origin) == ("m.act", f"{path}:3")
    path.write_text('{"m": {"_value_": "pth", "of": "x"}}')
    with pytest.raises(LoadError) as caught:
        load(path)
    assert caught.value.faults[0].advice == ("did you mean  path?",)


def test_data_that_is_not_data_is_refused():
    with pytest.raises(LoadError, match="^a  holds <object"):
        from_data({"a": object()})


# --- property: any spec -----------------------------------------------------------------------------------------------

KEYS = st.text(max_size=3) | st.sampled_from(["_target_", "_same_", "a.b", "0", "${x}", "???", "", "_nodes_"])
ODD_KEYS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.binary(max_size=2)
    | st.tuples(st.integers(), st.text(max_size=2))
    | st.sampled_from([Color.RED])
)
ATOMS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.binary(max_size=4)
    | st.text(max_size=4).map(lambda t: t.replace("${", "$"))
    | st.sampled_from(["???", "\\${a}", "no", "${a.b}", "x${a}y"])
    | st.sampled_from([Color.RED, Perm.R | Perm.W, MISSING, ..., Net, call, len, range(3), slice(1, None), pathlib.Path("a"), np.float32(2), np.dtype("int8")])
    | st.frozensets(st.integers() | st.text(max_size=2) | st.sampled_from([Color.RED, Net]), max_size=3)
    | st.datetimes() | st.timedeltas() | st.dates() | st.uuids() | st.fractions()
)  # fmt: skip


@st.composite
def specs(draw):
    """A spec grown from the leaves: each further container takes from all that there is so far, so that much is shared."""
    pool = draw(st.lists(ATOMS, min_size=2, max_size=6))
    for _ in range(draw(st.integers(1, 8))):
        member = st.sampled_from(range(len(pool))).map(pool.__getitem__)
        args = draw(st.lists(member, max_size=3))
        kwargs = draw(st.dictionaries(KEYS, member, max_size=3))
        shape = draw(
            st.sampled_from(
                [
                    "call",
                    "named",
                    "partial",
                    "calls",
                    "dict",
                    "odd",
                    "list",
                    "tuple",
                    "fields",
                    "frozen",
                    "ref",
                    "arith",
                ]
            )
        )
        nodes = [x for x in pool if isinstance(x, Call | Optim)]
        if shape == "call":
            pool.append(lazy(call)(*args, **kwargs))
        elif shape == "named":
            pool.append(lazy("not.there:Net")(*args, **kwargs))
        elif shape == "partial":
            pool.append(partial(Net)(*args, **kwargs))
        elif shape == "calls" and nodes:
            calls = [x for x in nodes if isinstance(x, Call)]
            pool.append(lazy(calls[-1])(*args) if calls else args)
        elif shape == "dict":
            pool.append(kwargs)
        elif shape == "odd":
            pool.append({**kwargs, **draw(st.dictionaries(ODD_KEYS, member, max_size=3))})
        elif shape == "list":
            pool.append(args)
        elif shape == "tuple":
            pool.append(tuple(args))
        elif shape == "fields":
            pool.append(Optim(*attach(tuple(args[:2]))))
        elif shape == "frozen":
            pool.append(Frozen(draw(st.integers())))
        elif shape == "ref" and nodes:
            pool.append(
                ref(draw(st.sampled_from(nodes)))
                .go(*args, **{k: v for k, v in kwargs.items() if k.isidentifier()})[0]
                .x
            )
        else:
            pool.append(ref("a.b") // 2)
    return attach({"root": pool[-1], "all": pool})


@settings(max_examples=80)
@given(specs())
def test_any_spec_loads_back_equal(spec):
    there_and_back(spec)


@settings(max_examples=50)
@given(specs())
def test_any_spec_comes_back_from_a_file(tmp_path_factory, spec):
    path = tmp_path_factory.mktemp("x") / "x.json"
    save(spec, path)
    again = load(path)
    assert equal(spec, again)
    assert hash_of(spec) == hash_of(again)


# --- what cannot be saved ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [lambda: 1, open, threading.Lock(), io.StringIO(), object(), sys, Net(), Net().go, {object()}, frozenset({Frozen()}),
     {object(): 1}, {(1, (object(),)): 1}, slice(1.5), ref("a").f(object()), (n for n in [1]).__next__],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_not_data_is_refused_with_its_path_and_the_old_file_stays(tmp_path, value):
    path = tmp_path / "x.json"
    path.write_text("old")
    if value is open:
        value = open(os.devnull)  # noqa: SIM115
    with pytest.raises(SaveError) as caught:
        save({"good": 1, "a": [1, {"b": value}]}, path)
    if hasattr(value, "close"):
        value.close()
    assert caught.value.faults[0].path.startswith("a[1].b")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


class Odd(datetime.tzinfo):
    def utcoffset(self, when):
        return datetime.timedelta(hours=1)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (np.ma.array([1.0, 2.0], mask=[0, 1]), "make it by a call when it is built, as lazy(MaskedArray)(...)"),
        (np.array([[1]]).view(np.matrix), "make it by a call when it is built, as lazy(matrix)(...)"),
        (datetime.datetime(2020, 1, 1, tzinfo=Odd()), "give it a zone of zoneinfo, or a datetime.timezone"),
        ({Frozen(1): 1}, "make the key a text, a number, or a tuple of such"),
        ({shapes.Pair(1): 1}, "make the key a text, a number, or a tuple of such"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("file", ["x.json", "x.py"])
def test_what_would_come_back_as_something_else_is_refused_with_advice(tmp_path, file, value, advice):
    with pytest.raises(SaveError, match="^a  is not data, so it cannot be saved: ") as caught:
        save({"a": value}, tmp_path / file)
    assert advice in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_whole_text_of_that_error(project):
    project(
        "conf.py",
        "from callsheet import lazy\nf = lambda: 1\nmain = lazy(dict)(\n    a=1,\n    key=f,\n)\nrest = [f]\n",
    )
    with pytest.raises(SaveError) as caught:
        save(load("conf.py"), "x.json")
    assert str(caught.value).splitlines() == [
        "main.key  is not data, so it cannot be saved: <function <lambda>>  conf.py:5",
        "rest[0]   is not data, so it cannot be saved: <function <lambda>>  conf.py:7",
        "          define it at the top level of a module, or describe it with lazy(...)",
    ]
    assert not os.path.exists("x.json")


def test_a_spec_that_holds_itself_is_refused(tmp_path):
    spec = lazy(call)()
    spec.a = [spec]
    with pytest.raises(CycleError):
        save(spec, tmp_path / "x.json")
    assert list(tmp_path.iterdir()) == []


def test_nesting_works_to_hundreds_of_levels_and_too_deep_is_one_error(tmp_path):
    spec = 1
    for _ in range(200):
        spec = lazy(call)([{"k": spec}])
    save(spec, tmp_path / "x.json")
    assert equal(load(tmp_path / "x.json"), spec)
    for _ in range(1000):
        spec = lazy(call)(spec)
    with pytest.raises(DepthError):
        save(spec, tmp_path / "y.json")
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_a_suffix_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(SaveError, match="cannot be written: a spec is saved as .json, .yaml, .yml or .py"):
        save({}, tmp_path / "x.toml")


def test_a_folder_that_is_not_there_is_the_systems_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        save({}, tmp_path / "no" / "x.json")


def test_a_saved_file_is_readable_text_with_its_format_and_the_usual_rights(tmp_path):
    path = tmp_path / "x.json"
    save({"é": [1]}, path)
    assert path.read_text(encoding="utf-8") == '{\n  "_format_": 1,\n  "é": [\n    1\n  ]\n}\n'
    other = tmp_path / "plain"
    other.write_text("")
    assert path.stat().st_mode == other.stat().st_mode


def test_what_is_written_over_stays_a_link_and_keeps_its_rights(tmp_path):
    path, link = tmp_path / "real.json", tmp_path / "latest.json"
    save({"a": 1}, path)
    path.chmod(0o600)
    link.symlink_to("real.json")
    save({"a": 2}, link)
    assert link.is_symlink()
    assert load(path) == {"a": 2}
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest.json", "real.json"]


@pytest.mark.parametrize(
    "root",
    [
        5,
        "???",
        [1],
        (1,),
        None,
        MISSING,
        Color.RED,
        MODEL,
        [MODEL, MODEL],
        ref(MODEL).x,
        {"_format_": 7},
        {"_root_": 1},
    ],
)
def test_a_root_of_any_kind_can_be_saved(tmp_path, root):
    save(root, tmp_path / "x.json")
    again = load(tmp_path / "x.json")
    assert equal(again, attach(root))
    assert hash_of(again) == hash_of(attach(root))


# --- reading imports nothing (12) -------------------------------------------------------------------------------------


def test_reading_editing_showing_and_hashing_data_imports_nothing(project):
    project("noisy.py", "raise SystemExit('imported')\n")
    project(
        "x.json",
        """
        {"a": {"_target_": "noisy:Net", "_args_": [1], "f": {"_value_": "name", "of": "noisy:f"}},
         "b": {"_target_": "noisy.Net.make"},
         "c": {"_type_": "noisy:Opt", "lr": 0.1},
         "d": {"_value_": "enum", "of": ["noisy:Color", "RED"]},
         "e": {"_value_": "set", "of": [["enum", ["noisy:Color", "RED"]], ["name", "noisy:f"]]},
         "g": {"_items_": [[{"_value_": "enum", "of": ["noisy:Color", "RED"]}, 1]]},
         "h": [{"_value_": "dtype", "of": ["<f4"]}, {"_value_": "scalar", "of": ["<f4", "AADAPw=="]}],
         "i": {"_ref_": "a", "_then_": [["attr", "x"]]}}
    """,
    )
    project(
        "main.py",
        """
        import sys
        from callsheet import copy, equal, hash_of, load, override, save, walk
        spec = load("x.json", ["a.x=1", "c.lr=2"])
        repr(spec), hash_of(spec), list(walk(spec))
        assert equal(spec, copy(spec))
        save(override(spec, "c.lr=3"), "y.json")
        load("y.json")
        loaded = {name.partition(".")[0] for name in sys.modules}
        print(sorted(loaded & {"noisy", "numpy", "enum", "typing", "inspect"}))
    """,
    )
    done = subprocess.run([sys.executable, "main.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "noisy" not in done.stdout
    assert "numpy" not in done.stdout


def test_building_it_asks_the_policy_first():
    spec = from_data(to_data({"a": Color.RED, "b": {Net}, "c": Frozen()}))
    for part in spec.values():
        with pytest.raises(CallsheetError, match="is named by data, which imports nothing by itself"):
            build(part)


def test_shapes_is_the_module_that_the_wire_form_names():
    assert shapes.Net is Net


def test_a_write_that_fails_leaves_nothing_behind(tmp_path):
    (tmp_path / "x.json" / "taken").mkdir(parents=True)
    with pytest.raises(OSError):
        save({}, tmp_path / "x.json")
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_a_node_may_be_named_before_it_is_written():
    cfg = from_data({"a": {"_same_": "b"}, "b": {"_target_": "shapes:Net", "width": "???"}})
    assert cfg.a is cfg.b
    assert cfg.a.width is MISSING
