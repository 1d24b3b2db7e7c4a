"""Two specs are equal when they describe the same calls, and then they have one hash, in every process."""

from __future__ import annotations

import copy as python_copy
import enum
import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet import MISSING, build, copy, diff, equal, hash_of, lazy, partial, ref
from callsheet.errors import SaveError
from saying import told

NAN = float("nan")


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Tone(enum.StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    size: int = 1


@dataclass
class Owner:
    inner: Inner = Inner()


def keep(*args, **kwargs):
    return args, kwargs


def other(*args, **kwargs):
    return args, kwargs


def apart():
    return [lazy(keep)(), lazy(keep)()]


def shared():
    return [lazy(keep)()] * 2


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, -0.0, 1.0, NAN, float("inf")])
    | st.sampled_from(
        ["", "a", "1", b"a", 1j, Colour.RED, Tone.RED, "red", range(2), frozenset({1, "a"}), keep, int, MISSING]
    )
)
KEYS = st.sampled_from(["a", "b", 0, 1, True, 1.0, None, (1, "x"), (True, "x"), frozenset("ab"), Colour.RED])


def containers(inner):
    named = st.dictionaries(st.sampled_from(["a", "b", "self", "items"]), inner, max_size=3)
    return (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | inner.map(lambda x: [x, x])
        | st.builds(lambda a, k: lazy(keep)(*a, **k), st.lists(inner, max_size=2), named)
        | st.builds(lambda k: partial(other)(**k), named)
        | st.builds(Inner, inner)
        | inner.map(lambda x: lazy(lazy(keep)(x))(x))
    )


SPECS = st.recursive(ATOMS, containers, max_leaves=8)


@given(SPECS)
def test_a_spec_equals_its_copy_and_both_have_one_hash(spec):
    made = copy(spec)
    assert equal(spec, made)
    assert equal(made, spec)
    assert hash_of(spec) == hash_of(made)


@given(SPECS, SPECS)
def test_equal_and_hash_agree(a, b):
    assert equal(a, b) == equal(b, a) == (hash_of(a) == hash_of(b))


@given(SPECS)
def test_what_is_pickled_or_deep_copied_comes_back_equal(spec):
    for made in (pickle.loads(pickle.dumps(spec)), python_copy.deepcopy(spec)):
        assert equal(spec, made)
        assert hash_of(spec) == hash_of(made)


@given(SPECS)
def test_no_verb_changes_what_it_is_given(spec):
    before = copy(spec)
    repr(spec), hash_of(spec), copy(spec)
    assert equal(spec, before)


DIFFERENT = [
    (1, 1.0),
    (1, True),
    (0, False),
    ("1", 1),
    (None, MISSING),
    ([1], (1,)),
    ([], {}),
    ({1: "a"}, {True: "a"}),
    ({1: "a"}, {1.0: "a"}),
    ({(1,): "a"}, {(True,): "a"}),
    ({Tone.RED: 1}, {"red": 1}),
    (Tone.RED, "red"),
    (Colour.RED, Colour.BLUE),
    ({1}, {True}),
    (np.float32(1), np.float64(1)),
    (np.array([1]), np.array([1.0])),
    (np.array([[1, 2]]), np.array([1, 2])),
    (lazy(keep)(1), lazy(keep)(a=1)),
    (lazy(keep)(), lazy(other)()),
    (lazy(keep)(), partial(keep)()),
    (lazy("os.path.join")("a"), lazy("posixpath.join")("a")),  # two public names of one object stay two
    (lazy(int)("1"), lazy(int)("1", base=10)),  # a default written out is not one left out
    (complex(NAN, 1), complex(NAN, 2)),
    (datetime(2020, 10, 25, 2, 30), datetime(2020, 10, 25, 2, 30, fold=1)),
    (datetime(2020, 1, 2, tzinfo=ZoneInfo("UTC")), datetime(2020, 1, 2, tzinfo=UTC)),
    (Path("a"), PurePosixPath("a")),
    (shared(), apart()),
    ([Inner()] * 2, [Inner(), Inner()]),
    (ref("a"), ref("b")),
    (ref("a") + 1, ref("a") - 1),
    (ref("a") + 1, 1 + ref("a")),
    (ref("a") + 1, ref("a") + True),
    (ref("a").x, ref("a")["x"]),
    (ref("a")(b=1), ref("a")(c=1)),
    (ref("a"), "a"),
    (lazy(keep), lazy(other)),
]


@pytest.mark.parametrize(("a", "b"), DIFFERENT, ids=lambda x: repr(x)[:30])
def test_these_differ(a, b):
    assert not equal(a, b)
    assert not equal(b, a)
    if type(a).__name__ != "Lazy":
        assert hash_of(a) != hash_of(b)


SAME = [
    (NAN, float("nan")),
    ([0.0], [-0.0]),
    ({NAN: 1}, {float("nan"): 1}),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({1: "a", "1": "b"}, {"1": "b", 1: "a"}),
    (np.array([1.0, NAN]), np.array([1.0, NAN])),
    (np.array([NAN]), np.array([-NAN])),
    (np.array([complex(NAN, -0.0)]), np.array([complex(-NAN, 0.0)])),
    (complex(0, -0.0), 0j),
    ({complex(NAN, -0.0)}, {complex(NAN, 0.0)}),
    (lazy(keep)(a=1, b=2), lazy(keep)(b=2, a=1)),
    (lazy("collections.OrderedDict")(), lazy(OrderedDict)()),
    (lazy("os.path:join")("a"), lazy("os.path.join")("a")),
    (shared(), shared()),
    ([Owner(), Owner()], [Owner(Inner()), Owner(Inner())]),  # a default object is no sharing
    (ref("a[0]").b(1), ref("a[0]").b(1)),
    (Path("a/b"), Path("a") / "b"),
]


@pytest.mark.parametrize(("a", "b"), SAME, ids=lambda x: repr(x)[:30])
def test_these_are_the_same(a, b):
    assert equal(a, b)
    assert equal(b, a)
    assert hash_of(a) == hash_of(b)


def test_default_objects_are_told_from_one_object_that_two_were_given():
    inner = Inner()
    assert not equal([Owner(), Owner()], [Owner(inner), Owner(inner)])
    assert hash_of([Owner(), Owner()]) != hash_of([Owner(inner), Owner(inner)])


def test_sharing_counts_as_a_bijection():
    a, b, c = lazy(keep)(), lazy(keep)(), lazy(keep)()
    assert equal([a, b, a, b], [b, c, b, c])
    assert not equal([a, b, a, b], [a, b, b, a])
    assert not equal([a, a, b], [a, b, b])
    assert not equal([a, b], [a, a])


def test_dicts_and_lists_are_slots_not_nodes():
    rows = [1]
    assert equal({"a": rows, "b": rows}, {"a": [1], "b": [1]})


def test_double_equals_on_nodes_is_equal():
    assert lazy(keep)(a=1) == lazy(keep)(a=1)
    assert lazy(keep)(a=1) != lazy(keep)(a=1.0)
    assert lazy(keep)(a={"x": 1}).a == {"x": 1}
    assert lazy(keep)(a=[1]).a != [True]
    assert (ref("a") == ref("a")) is True


def test_a_live_object_equals_itself_and_has_no_hash():
    live = object()
    assert equal({"a": live}, {"a": live})
    assert not equal({"a": live}, {"a": object()})
    assert told(lambda: hash_of({"a": [lambda: 0]}), SaveError).startswith(
        "a[0]  is a live object and has no identity: <function "
    )


def unnamed(scale=1, *, wide=False):
    def again(x, k=(1,)):
        return again(x * scale, k)

    return [lazy(lambda x: x)(1), again, (lambda: 1) if wide else (lambda: 0)]


def test_functions_without_a_name_are_equal_where_a_file_has_the_same_code_and_they_hold_the_same():
    assert equal(unnamed(), unnamed())
    assert not diff({"a": 1, "f": unnamed()}, {"a": 1, "f": unnamed()})
    assert not equal(unnamed(), unnamed(wide=True))
    assert [change.path for change in diff(unnamed(), unnamed(scale=2))] == ["[1]"]


@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.array(["a", x], dtype=object),
        lambda x: np.array([(1, x)], dtype=[("a", "i4"), ("b", "f8")]),
        lambda x: np.ma.array([1.0, 2.0], mask=[0, x > 1]),
    ],
)
def test_arrays_that_are_no_data_are_equal_by_their_elements(make):
    assert equal({"a": make(1)}, {"a": make(1)})
    assert not equal({"a": make(1)}, {"a": make(2)})
    assert diff({"a": make(1)}, {"a": make(1)}) == []
    with pytest.raises(SaveError, match="^a  is a live object and has no identity: "):
        hash_of({"a": make(1)})


def test_a_number_of_more_digits_than_python_writes_has_a_hash_and_is_shown():
    for make in (lambda x: 10**x, lambda x: {10**x}, lambda x: {10**x: 1}):
        assert equal(make(5000), make(5000))
        assert hash_of(make(5000)) == hash_of(make(5000)) != hash_of(make(5001))
    assert repr(lazy(keep)(a=16**5000)).startswith("lazy(keep)(\n    a=0x1000")


def test_what_tells_no_truth_of_its_equality_equals_itself_alone():
    class Table:
        def __eq__(self, other):
            return np.zeros(2) == 0

        __hash__ = None

    table = Table()
    assert equal({"a": table}, {"a": table})
    assert not equal({"a": table}, {"a": Table()})


HASHES = """
import pathlib, enum
from callsheet import hash_of, lazy, partial, ref
spec = lazy("collections:OrderedDict")(
    a={"x": {1, "b", "c", None}, frozenset("abc"): 1, frozenset("xyz"): 2, frozenset("pq"): 3, len: 4, int: 5},
    b=[pathlib.PurePosixPath("a"), b"x", ref("a").y(1) // 2, partial("os.path.join")("a")],
    c={frozenset({"a", ("b", frozenset("cd"))}), "e", "f"},
)
print(hash_of(spec))
"""


def test_a_hash_is_the_same_in_every_process():
    def hashed(seed, first=""):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", first + HASHES], env=env, capture_output=True, text=True, check=True
        )
        return done.stdout

    first = hashed("0")
    assert len(first.strip()) == 64
    assert {hashed("1"), hashed("2"), hashed("77", "import collections, numpy\n")} == {first}


def test_building_leaves_the_hash_as_it_was():
    spec = lazy(keep)(lazy(int)("3"), a=[lazy("os.path.join")("a", "b")])
    before = hash_of(spec)
    build(spec)
    assert hash_of(spec) == before
