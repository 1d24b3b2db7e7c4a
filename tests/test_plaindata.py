"""`to_data(spec, plain=True)`: the values alone (promise 13)."""

import enum
import json
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest

from callsheet import MISSING, Secret, from_data, lazy, load, partial, ref, to_data
from callsheet.errors import CycleError, SaveError


class Colour(enum.Enum):
    RED = "red"
    PAIR = (1, 2)


@dataclass
class Point:
    x: object = 1
    y: object = (2, 3)


def net(width, *more, depth=1):
    return width


def plain(x):
    data = to_data(x, plain=True)
    assert json.loads(json.dumps(data)) == data
    return data


def test_dataclasses_and_calls_are_dicts_of_their_values():
    spec = {"point": Point(), "net": lazy(net)(3, 4, depth=2), "later": partial(net)(5), "named": lazy("m.f")(1, b=2)}
    assert plain(spec) == {
        "point": {"x": 1, "y": [2, 3]},
        "net": {"width": 3, "1": 4, "depth": 2},
        "later": {"width": 5},
        "named": {"0": 1, "b": 2},
    }


def test_what_data_describes_is_plain_too():
    assert plain(from_data(to_data({"p": Point(x=Colour.RED)}))) == {"p": {"x": "RED", "y": [2, 3]}}


def test_leaves_that_json_lacks():
    spec = {"e": [Colour.RED, Colour.PAIR], "s": {3, 1}, "r": range(2), "p": PurePosixPath("/a"), "m": MISSING}
    assert plain(spec) == {"e": ["red", "PAIR"], "s": [1, 3], "r": [0, 1], "p": "/a", "m": "???"}
    assert plain({"k": Secret("env:KEY"), "c": 1 + 2j, "b": b"x", 3: len}) == {
        "k": "env:KEY",
        "c": "(1+2j)",
        "b": "eA==",
        "3": "builtins:len",
    }


def test_references_are_what_they_lead_to(project):
    path = project(
        "conf.py",
        """
        from callsheet import lazy, ref
        lr = 0.1
        point = lazy(dict)(lr=ref("lr"), name="run-${lr}", home="${env:NOT_SET}", dir="${run.dir}/x")
        same = ref("point")
        """,
    )
    data = plain(load(path))
    assert data["point"] == {"lr": 0.1, "name": "run-0.1", "home": "${env:NOT_SET}", "dir": "${run.dir}/x"}
    assert data["same"] == data["point"]
    assert plain({"a": lazy(net)(1), "b": ref("a").size + 1})["b"] == 'ref("a").size + 1'


def test_what_is_no_data_is_refused_with_its_path():
    with pytest.raises(SaveError, match=r"a\[0\]"):
        to_data({"a": [lambda: 0]}, plain=True)
    loop = lazy(dict)()
    loop["x"] = loop
    with pytest.raises(CycleError):
        to_data(loop, plain=True)
