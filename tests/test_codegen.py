"""Promise 14: `to_python` gives a config file that `load` reads as an equal spec, as a person would have written it."""

from __future__ import annotations

import ast
import datetime
import functools
import math
import sys
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest

import shapes
from callsheet import (
    MISSING,
    Secret,
    build,
    equal,
    from_data,
    hash_of,
    lazy,
    load,
    partial,
    ref,
    save,
    to_data,
    to_python,
)
from callsheet._spec import attach
from callsheet.errors import CycleError, LoadError, SaveError
from counting import calls_made
from saying import told
from shapes import (
    Color,
    Derived,
    Frozen,
    Gear,
    Level,
    Mode,
    Net,
    NetConfig,
    Optim,
    Owner,
    Pair,
    Perm,
    Point,
    Slotted,
    Wheel,
    call,
)

HEAD = "# Written by Callsheet; load(...) reads it back.\n"


@dataclass
class Fresh:
    """One whose constructor makes a part of its own each time."""

    part: Any = field(init=False)

    def __post_init__(self):
        self.part = Optim()


@attrs.define
class Counted:
    """One whose constructor makes something else of what it is given."""

    count: int = attrs.field(converter=lambda count: count + 1)


@pytest.fixture
def back(tmp_path):
    """A function that gives what a spec loads back as from its Python text; the promise is checked on the way."""

    def back(spec):
        text, path = to_python(spec), tmp_path / "conf.py"
        path.write_text(text)
        again = load(path, keys=None if text.startswith(HEAD) else "spec")
        assert equal(attach(spec), again), text
        assert hash_of(attach(spec)) == hash_of(again)
        return again

    return back


def lines(spec):
    """What is written below the imports."""
    text = to_python(spec).removeprefix(HEAD)
    return (text.rpartition("import ")[2].partition("\n\n")[2] if "import " in text else text).rstrip("\n")


def imports(spec):
    return to_python(spec).removeprefix(HEAD).partition("\n\n")[0]


def expression(value):
    """How a value is written, whatever it needs to be imported."""
    return to_python({"x": value}).rstrip("\n").rpartition("x = ")[2]


# --- how it reads -----------------------------------------------------------------------------------------------------


def test_a_spec_reads_as_a_person_would_have_written_it(back):
    model = lazy("shop.nets:ResNet")(width=64, norm=lazy("shop.nets:Norm")(eps=1e-5), layers=[3, 4, 6, 3])
    spec = {
        "optim": lazy("torch.optim:AdamW")(ref(model).parameters(), lr="${lr}", betas=(0.9, 0.999), weight_decay=0.01),
        "model": model,
        "lr": 1e-3,
        "out": Path("runs") / "a",
        "name": "run-${lr}",
    }
    assert to_python(spec) == (
        """\
# Written by Callsheet; load(...) reads it back.
from pathlib import Path

from callsheet import lazy, ref
from shop.nets import Norm, ResNet
from torch.optim import AdamW

model = lazy(ResNet)(width=64, norm=lazy(Norm)(eps=1e-05), layers=[3, 4, 6, 3])
optim = lazy(AdamW)(
    ref(model).parameters(),
    lr="${lr}",
    betas=(0.9, 0.999),
    weight_decay=0.01,
)
lr = 0.001
out = Path("runs/a")
name = "run-${lr}"
"""
    )
    back(spec)


def test_nothing_is_imported_to_write_or_to_read_what_lazy_calls_name(back):
    before = set(sys.modules)
    again = back({"a": lazy("not.there:Net")(norm=from_data({"_value_": "name", "of": "not.there:Norm"}))})
    assert to_data(again) == {"a": {"_target_": "not.there:Net", "norm": {"_value_": "name", "of": "not.there:Norm"}}}
    assert {name for name in set(sys.modules) - before if name.startswith("not")} == set()


def test_a_mapping_without_names_is_one_value(back):
    spec = {"learning rate": 1, 3: [lazy(Net)()]}
    assert to_python(spec) == (
        """\
# Written by Callsheet; load(..., keys="spec") reads it back.
from callsheet import lazy
from shapes import Net

spec = {"learning rate": 1, 3: [lazy(Net)()]}
"""
    )
    back(spec)
    for other in (
        ["${run.dir}/x", {"a": 1, "b": "${.a}"}],
        [1, "a"],
        lazy(Net)(1),
        (),
        Optim(),
        5,
        "text",
        None,
        {"_hidden": 1},
        {"class": 1},
        {"ﬁ": 1},
    ):
        back(other)


def test_an_empty_mapping_is_an_empty_file(back):
    assert to_python({}) == HEAD
    back({})


# --- imports and names ------------------------------------------------------------------------------------------------


def test_two_classes_of_one_name_are_told_apart(back):
    spec = {"a": lazy("one.models:Net")(), "b": lazy("two.models:Net")(), "c": lazy("three.models:Net")()}
    assert imports(spec) == (
        """\
from callsheet import lazy
from one.models import Net
from three.models import Net as models_Net_2
from two.models import Net as models_Net"""
    )
    assert lines(spec) == "a = lazy(Net)()\nb = lazy(models_Net)()\nc = lazy(models_Net_2)()"
    back(spec)


def test_imports_give_way_to_the_names_of_the_spec(back):
    spec = {
        "lazy": 1,
        "Net": 2,
        "np": 3,
        "dict": 4,
        "float": 5,
        "Path": 6,
        "ref": 7,
        "object": 8,
        "open": lazy("os:open")(),
    }
    spec |= {"a": lazy(Net)(), "b": np.int64(1), "c": lazy(dict)(), "d": math.inf, "e": Path("x"), "f": ref("a.x") + 1}
    assert lines(spec).partition("\na = ")[2] == (
        """\
callsheet_lazy(shapes_Net)()
b = np_2.int64(1)
c = callsheet_lazy(builtins_dict)()
d = builtins_float("inf")
e = pathlib_Path("x")
f = callsheet_ref("a.x") + 1"""
    )
    back(spec)


def test_what_no_import_could_say_is_named_by_text(back):
    spec = {
        "a": lazy("a.class:Net")(),
        "b": lazy("builtins:sorted")([1], nothing=1),
        "c": lazy("callsheet:build")(),
        "d": lazy("builtins:sorted")([1], reverse=True),
    }
    assert lines(spec) == (
        """\
a = lazy("a.class:Net")()
b = lazy("builtins:sorted")([1], nothing=1)
c = lazy("callsheet:build")()
d = lazy(sorted)([1], reverse=True)"""
    )
    back(spec)


def test_arguments_whose_names_are_no_names_are_given_as_a_dict(back):
    spec = {"a": lazy(call)(1, b=2, **{"class": [3], "x-y": 4, "ﬁ": 5, "__debug__": 6})}
    assert lines(spec) == 'a = lazy(call)(1, b=2, **{"class": [3], "x-y": 4, "ﬁ": 5, "__debug__": 6})'
    back(spec)


# --- sharing and references -------------------------------------------------------------------------------------------


def test_a_node_that_stands_twice_is_a_variable(back):
    net, optim = lazy(Net)(1), Optim(0.5)
    spec = {"first": [net, {"deep": optim}], "second": (net, optim), "alone": lazy(Net)(2)}
    assert lines(spec) == (
        """\
_first_0 = lazy(Net)(1)
_deep = Optim(lr=0.5)
first = [_first_0, {"deep": _deep}]
second = (_first_0, _deep)
alone = lazy(Net)(2)"""
    )
    again = back(spec)
    assert again.first[0] is again.second[0]
    assert list(again) == ["first", "second", "alone"]


def test_a_node_that_is_a_top_level_value_has_that_name_and_comes_before_what_needs_it(back):
    net = lazy(Net)()
    assert lines({"a": [net], "net": net, "same": net}) == "net = lazy(Net)()\na = [net]\nsame = net"
    back({"a": [net], "net": net, "same": net})


def test_names_of_variables_do_not_run_into_each_other(back):
    a, b, c = lazy(call)(1), lazy(call)(2), lazy(call)(3)
    spec = {"x": {"net": a}, "y": {"net": b}, "z": {"a b": c}, "all": [a, b, c]}
    assert lines(spec).splitlines()[0:5:2] == ["_net = lazy(call)(1)", "_net_2 = lazy(call)(2)", "_a_b = lazy(call)(3)"]
    back(spec)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda net: ref("a.b"), '"${a.b}"'),
        (lambda net: ref("a.b").c, 'ref("a.b").c'),
        (lambda net: ref("a") // 2 + 1, '(ref("a") // 2) + 1'),
        (lambda net: 2 ** (ref("a") - -1), '2 ** (ref("a") - (-1))'),
        (lambda net: (ref("a") * 0.5).real, '(ref("a") * 0.5).real'),
        (lambda net: ref("a")[0]["k"][1:], 'ref("a")[0]["k"][1:]'),
        (lambda net: ref("a")[:, ::2, ...], 'ref("a")[(slice(None), slice(None, None, 2), ...)]'),
        (lambda net: ref(net), "ref(net)"),
        (lambda net: ref(net).go([1], k=net)["x"].y, 'ref(net).go([1], k=net)["x"].y'),
        (lambda net: ref(net).a(1).b(2), "ref(net).a(1).b(2)"),
        (lambda net: ref(lazy(Net)(3)).x, "ref(_x).x"),
        (lambda net: getattr(ref("a"), "not a name"), 'getattr(ref("a"), "not a name")'),
        (lambda net: ref("a") + ref("b"), 'ref("a") + ref("b")'),
        (lambda net: ref("a") + (Perm.R | Perm.W), 'ref("a") + (Perm.R | Perm.W)'),
        (lambda net: -(ref("a") ** 2), '-(ref("a") ** 2)'),
        (lambda net: round(abs(ref("a")), 2).real, 'round(abs(ref("a")), 2).real'),
        (lambda net: round(ref("a")), 'round(ref("a"))'),
        (lambda net: ref(".net"), '"${.net}"'),
        (lambda net: ref(".net").x, 'ref(".net").x'),
        (lambda net: ref("${env:HOME,a b}").x, 'ref("${env:HOME,a b}").x'),
        (lambda net: ref("${plans.${plan}.lr}"), '"${plans.${plan}.lr}"'),
        (lambda net: ref("a")(Net, Color.RED), 'ref("a")(Net, Color.RED)'),
    ],
)
def test_references_are_what_python_says_of_them(back, make, text):
    net = lazy(Net)()
    spec = {"x": make(net), "net": net}
    assert expression(spec["x"]) == text if "net" not in text else f"\nx = {text}\n" in to_python(spec)
    back(spec)


def test_a_reference_that_is_handed_on_twice_is_written_once(back):
    found = ref("a")
    for _ in range(40):
        found = ref("b")(found, found)
    assert len(lines({"x": found, "a": 1, "b": 2}).splitlines()) < 50


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("run-${seed}", '"run-${seed}"'),
        ("\\${HOME}/x", '"\\\\${HOME}/x"'),
        ("???", '"???"'),
        ("a \"quoted\" text", "'a \"quoted\" text'"),
        ("it's", '"it\'s"'),
        ("\ud800\n", '"\\ud800\\n"'),
    ],
)  # fmt: skip
def test_texts_that_mean_something_stay_what_they_are(back, value, text):
    assert expression(value) == text
    back({"x": value, "y": [value], "z": lazy(call)(value, (value,))})


# --- every kind of value ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (-0.0, "-0.0"),
        (math.inf, 'float("inf")'),
        (math.nan, 'float("nan")'),
        (10**40, "1" + "0" * 40),
        (2j, "2.0j"),
        (complex(-0.0, math.nan), 'complex(-0.0, float("nan"))'),
        (b"a'b", "b\"a'b\""),
        (..., "..."),
        (MISSING, "MISSING"),
        (range(3), "range(3)"),
        (range(1, 9, 2), "range(1, 9, 2)"),
        (slice(2), "slice(2)"),
        (slice("a", None, 2), 'slice("a", None, 2)'),
        ({2, 1, "a"}, '{1, 2, "a"}'),
        (set(), "set()"),
        (frozenset({(1, b"x")}), 'frozenset({(1, b"x")})'),
        (frozenset(), "frozenset()"),
        ({Color.RED, Net}, "{Color.RED, Net}"),
        (Path("a/b"), 'Path("a/b")'),
        (Path(), "Path()"),
        (PurePosixPath("a"), 'PurePosixPath("a")'),
        (PureWindowsPath("a"), 'PureWindowsPath("a")'),
        (datetime.date(2020, 1, 2), "date(2020, 1, 2)"),
        (datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC), "datetime(2020, 1, 2, 0, 0, tzinfo=timezone.utc)"),
        (datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=1), "X")),
         "datetime(2020, 1, 2, 0, 0, tzinfo=timezone(timedelta(seconds=3600)))"),
        (datetime.datetime(2020, 1, 2, tzinfo=ZoneInfo("Europe/Rome"), fold=1),
         'datetime(2020, 1, 2, 0, 0, fold=1, tzinfo=ZoneInfo("Europe/Rome"))'),
        (datetime.timedelta(1, 2), "timedelta(days=1, seconds=2)"),
        (Decimal("1.10"), 'Decimal("1.10")'),
        (Fraction(1, 3), 'Fraction("1/3")'),
        (uuid.UUID(int=7), 'UUID("00000000-0000-0000-0000-000000000007")'),
        (Color.RED, "Color.RED"),
        (Level.HIGH, "Level.HIGH"),
        (Mode.TRAIN, "Mode.TRAIN"),
        (Perm.R | Perm.W, "Perm.R | Perm.W"),
        (Perm(0), "Perm(0)"),
        ([Net, Net.Inner, Net.make, len], "[Net, Net.Inner, Net.make, len]"),
        ([np.float32], "[np.float32]"),
        (np.dtype("float32"), 'np.dtype("float32")'),
        (np.dtype(">i2"), 'np.dtype(">i2")'),
        (np.dtype([("a", "<i4", (2,))]), 'np.dtype([("a", "<i4", (2,))])'),
        (np.float32(0.1), "np.float32(0.1)"),
        (np.float64("nan"), 'np.float64(float("nan"))'),
        (np.bool_(True), "np.bool_(True)"),
        (np.complex64(1 + 2j), "np.complex64(complex(1.0, 2.0))"),
        (np.str_("é"), 'np.frombuffer(b"\\xe9\\x00\\x00\\x00", "<U1")[0]'),
        (np.array([[1, 2.5]]), 'np.array([[1.0, 2.5]], dtype="float64")'),
        (np.array(5, dtype="int8"), 'np.array(5, dtype="int8")'),
        (np.zeros((0, 3), dtype="f4"), 'np.zeros((0, 3), "float32")'),
        (
            np.arange(65, dtype="u1").reshape(5, 13),
            'np.frombuffer(b64decode("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A="), "uint8").reshape((5, 13)).copy()',
        ),
        ({1: 1, 2.5: 2, None: 3, (1, "a"): 4, b"x": 5, Color.RED: 6, "a b": 7, "_target_": 8},
         '{1: 1, 2.5: 2, None: 3, (1, "a"): 4, b"x": 5, Color.RED: 6, "a b": 7, "_target_": 8}'),
        ({}, "{}"),
        ((1,), "(1,)"),
        (((), []), "((), [])"),
        (partial(Net)(1), "partial(Net)(1)"),
        (lazy(lazy(Net)(1))(2), "lazy(lazy(Net)(1))(2)"),
        (lazy(ref("a").b)(2), 'lazy(ref("a").b)(2)'),
        (lazy(Net)([Net, {"k": (len, Color.RED)}]), 'lazy(Net)([Net, {"k": (len, Color.RED)}])'),
    ],
    ids=lambda x: x[:40] if isinstance(x, str) else "",
)  # fmt: skip
def test_a_value_is_written_as_python_makes_it(back, value, text):
    assert expression(value) == text
    back({"x": value, "y": [value], "z": lazy(call)(value)})


def test_a_number_that_python_reads_in_no_decimal_is_written_in_hex(tmp_path):
    spec = attach({"x": 1 << 20_000, "y": [-(1 << 20_000)]})
    assert lines(spec) == f"x = {hex(1 << 20_000)}\ny = [\n    -{hex(1 << 20_000)},\n]"
    save(spec, tmp_path / "conf.py")
    assert equal(load(tmp_path / "conf.py"), spec)


def test_a_class_as_a_top_level_value_which_a_config_does_not_export_is_named(back):
    assert lines({"cls": Net}) == 'cls = from_data({"_value_": "name", "of": "shapes:Net"}, allow=["shapes"])'
    assert back({"cls": Net, "function": len}).cls is Net


def test_a_text_that_data_means_as_it_stands_is_escaped_where_python_would_read_it():
    text = {"_value_": "str", "of": "${x}"}
    assert lines(from_data({"a": text, "b": [text]})) == 'a = "\\\\${x}"\nb = ["\\\\${x}"]'


def test_only_what_references_hold_within_each_other_becomes_a_variable(back):
    bits = ref("a").x
    spec = {"a": 1, "b": [bits, bits], "c": {"d": bits}}
    assert lines(spec) == 'a = 1\nb = [ref("a").x, ref("a").x]\nc = {"d": ref("a").x}'
    back(spec)
    for _ in range(8):  # written out in full, it would stand there 2^8 times
        bits = 1 + bits + bits
    spec["b"] = [bits, bits]
    assert lines(spec).count('ref("a")') < 20
    back(spec)


def test_a_long_target_that_is_a_call_has_a_name(back):
    maker = lazy(call)("a" * 30, "b" * 30)
    text = lines({"x": lazy(maker)(1)})
    assert text.endswith("x = lazy(_x)(1)")
    back({"x": lazy(maker)(1), "maker": ref(maker).x})


def test_a_name_that_is_not_the_objects_own_stays_as_it_is(back):
    join = from_data({"_value_": "name", "of": "os.path:join"})
    spec = {"a": lazy(call)(join), "b": [join]}
    assert to_python(spec).endswith(
        """
a = lazy(call)(join)
b = [from_data({"_value_": "name", "of": "os.path:join"}, allow=["os.path"])]
"""
    )
    back(spec)
    fields = {"lr": {"_value_": "name", "of": "os.path:join"}, "inner": None}
    described = from_data({"x": {"_type_": "shapes:Optim", **fields}})
    assert lines(described).startswith('x = Optim(\n    lr=from_data({"_value_": "name"')
    back(described)


def test_a_secret_is_written_as_the_place_where_it_is_kept(back):
    assert expression(Secret("env:API_KEY")) == 'Secret("env:API_KEY")'
    back({"x": Secret("env:API_KEY")})


def test_nothing_that_data_says_becomes_code():
    evil = """x") or print("evil") or (AA"""  # long enough to be taken for bytes in base64
    for tag, of in [
        ("array", ["<f8", [65], evil + "AAAA"]),
        ("array", [evil, [1], "AAAA"]),
        ("array", ["<f8", [evil], "AAAA"]),
        ("scalar", [evil, "AAAA"]),
        ("dtype", [evil]),
        ("dtype", [[[evil, "<i4"]]]),
        ("enum", ["shapes:Color", evil]),
        ("enum", ["shapes:Color", [evil]]),
        ("path", evil),
    ]:
        try:
            text = to_python({"x": from_data({"_value_": tag, "of": of})})
        except (LoadError, SaveError):
            continue
        calls = [x.func for x in ast.walk(ast.parse(text)) if isinstance(x, ast.Call)]
        assert [x.id for x in calls if isinstance(x, ast.Name) and x.id not in ("Path", "Color", "b64decode")] == []
    for spec in ({"x": lazy(call)(**{evil: evil})}, {evil: evil}, {"x": getattr(ref("a"), evil)}, {"x": {evil: {1}}}):
        calls = [x.func for x in ast.walk(ast.parse(to_python(spec))) if isinstance(x, ast.Call)]
        assert "print" not in [getattr(x, "id", "") for x in calls]


# --- instances --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Optim(), "Optim()"),
        (Optim(0.1, {"a": 1}), 'Optim(inner={"a": 1})'),
        (Optim(-0.0, 0), "Optim(lr=-0.0, inner=0)"),
        (Optim(Net, Color.RED), "Optim(lr=Net, inner=Color.RED)"),
        (Frozen(True), "Frozen(x=True)"),
        (Owner(), "Owner(tags=[])"),
        (Slotted(x=1), "Slotted(x=1)"),
        (Point(1, [2]), "Point(x=1, y=[2])"),
        (Pair(1), "Pair(left=1)"),
        (Pair(None), "Pair(left=None)"),
        (Gear(3), "Gear(teeth=3)"),
        (Wheel(2, 7), "Wheel(radius=2, spokes=7)"),
        (Derived(3), "Derived(size=3)"),
        (NetConfig(2, tags=["${a}", "\\${b}"]), 'NetConfig(width=2, tags=["${a}", "\\\\${b}"])'),
    ],
    ids=repr,
)
def test_an_instance_is_written_as_its_constructor_takes_it_without_what_is_its_default(back, value, text):
    assert expression(value) == text
    back({"x": value, "y": [value, (value,)]})


def test_a_partial_that_nothing_reads_is_written_as_what_it_is(back):
    spec = {"a": Optim(functools.partial(call, "${x}", k=Net)), "b": functools.partial(call, "${x}")}
    assert lines(spec) == 'a = Optim(lr=partial(call, "${x}", k=Net))\nb = partial(call, "${x}")'
    back(spec)


def test_a_relative_reference_that_would_lead_elsewhere_is_refused():
    inside = attach({"a": {"x": 1, "y": lazy(call)(deep="${..x}")}})
    again = from_data(to_data(inside))
    text = told(lambda: to_python({"b": {"c": again.a.y}, "x": 2}), SaveError)
    assert text.startswith("b.c.deep  ${..x} leads to where it was read, and would lead elsewhere when it is read here")


def test_what_a_constructor_does_not_take_is_set_afterwards(back):
    value, frozen = Derived(3), Derived(4)
    value.twice = 7
    assert lines({"x": value, "y": [frozen]}) == "x = Derived(size=3)\nx.twice = 7\ny = [Derived(size=4)]"
    back({"x": value})


def test_what_a_constructor_makes_anew_or_otherwise_is_set_as_it_was(back):
    fresh = Fresh()
    assert lines({"x": fresh, "part": fresh.part}) == "part = Optim()\nx = Fresh()\nx.part = part"
    back({"x": fresh, "part": fresh.part})
    assert lines({"x": Counted(1)}) == 'x = Counted(count=2)\nobject.__setattr__(x, "count", 2)'
    back({"x": Counted(1)})


def test_default_objects_are_left_to_the_class_so_that_they_stay_unshared(back):
    other = Frozen()
    back([Owner(), Owner(), Owner(other), Owner(other)])


def test_an_instance_that_data_describes_is_written_like_the_original(back):
    spec = {"a": [Optim(0.5, Wheel(2, 7)), Derived(3), {Color.RED: Perm.R | Perm.W}], "n": np.float32(0.1)}
    again = from_data(to_data(spec))
    assert lines(again) == (
        """\
_a_1 = Derived(size=3)
_a_1.twice = (3, 3)
a = [Optim(lr=0.5, inner=Wheel(radius=2, spokes=7)), _a_1, {Color.RED: Perm.R | Perm.W}]
n = np.float32(0.1)"""
    )
    assert equal(back(again), attach(spec))


# --- depth, width and files -------------------------------------------------------------------------------------------


def test_what_is_nested_more_deeply_than_python_reads_is_written_in_parts(back):
    calls: object = 1
    lists: object = 1
    for n in range(300):
        calls, lists = lazy(Net)(calls, n), [lists]
    back({"calls": calls, "lists": lists})


def test_what_is_nested_deeply_below_a_dataclass_keeps_its_texts(back):
    inside: object = "${x}"
    for n in range(250):
        inside = [inside] if n % 3 else {"k": inside}
    back({"a": Optim(inside), "b": [ref("a")(inside)]})


def test_ten_times_the_leaves_cost_ten_times_as_much():
    def steps(count):
        spec = attach({"rows": [{"x": n, "net": lazy(Net)(width=n)} for n in range(count)]})
        to_python(spec)
        return calls_made(lambda: to_python(spec))

    assert steps(2000) < 12 * steps(200)


def test_save_writes_a_python_file_that_loads_back_equal(tmp_path):
    spec = attach({"net": lazy(Net)(1), "again": Optim(0.5), "text": "\udce9"})
    save(spec, tmp_path / "conf.py")
    assert equal(load(tmp_path / "conf.py"), spec)


# --- what cannot be written -------------------------------------------------------------------------------------------


def test_live_objects_are_refused_all_together_and_the_old_file_stays(tmp_path):
    path = tmp_path / "conf.py"
    path.write_text("old = 1\n")
    spec = {"a": [lazy(Net)(act=lambda x: x)], "b": Optim(sys), "c": lazy(lambda: 1)()}
    text = told(lambda: save(attach(spec), path), SaveError)
    assert [line.split()[0] for line in text.splitlines() if line[0] != " "] == ["a[0].act", "b.lr", "c"]
    assert text.startswith("a[0].act  is not data, so it cannot be saved: <function test_live_objects")
    assert "define it at the top level of a module, or describe it with lazy(...)" in text
    assert path.read_text() == "old = 1\n"


def test_what_a_config_file_defines_itself_is_a_target_but_no_value(tmp_path):
    (tmp_path / "conf.py").write_text(
        "from callsheet import lazy\nclass Net:\n    pass\nclass Other:\n    pass\na = lazy(Net)()\nb = lazy(dict)(x=Other)\n"
    )
    spec = load(tmp_path / "conf.py")
    del spec["b"]
    save(spec, tmp_path / "other.py")
    again = load(tmp_path / "other.py")
    assert equal(again, spec)
    assert type(build(again)["a"]).__name__ == "Net"
    whole = load(tmp_path / "conf.py")
    text = told(lambda: to_python(whole), SaveError)
    assert text.startswith("b.x  is defined by a config or a script, from which no file can import it")
    assert text.endswith("move it to a module of its own, and import it from there")


def test_references_from_the_root_need_a_root_with_names():
    text = told(lambda: to_python({"a b": 1, "c": ref('["a b"]')}), SaveError)
    assert text.startswith('c  refers to ${["a b"]} in a spec that is no mapping of names')


def test_a_cycle_is_named():
    net = lazy(Net)()
    net.x = [net]
    with pytest.raises(CycleError):
        to_python(net)


def test_shapes_are_what_these_tests_take_them_for():
    assert shapes.Derived(2).twice == (2, 2)
