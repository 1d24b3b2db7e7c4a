"""A target has one name, is imported only when it is used, and is not found silently elsewhere."""

from __future__ import annotations

import collections
import functools
import pickle
import subprocess
import sys

import pytest

from callsheet._target import Name, TargetError, name_of, parse_name, resolve
from saying import told


class Outer:
    class Inner:
        def method(self): ...

        @classmethod
        def make(cls): ...


class Child(Outer.Inner):
    pass


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("torch.optim.AdamW", "torch.optim:AdamW"),
        ("torch.nn.Module.eval", "torch.nn:Module.eval"),
        ("os.path.join", "os.path:join"),
        ("os.path:join", "os.path:join"),
        ("a.b:C.d", "a.b:C.d"),
        ("builtins.int", "builtins:int"),
    ],
)
def test_a_name_is_read_with_dots_or_with_a_colon_and_nothing_is_imported(text, name):
    before = set(sys.modules)
    assert parse_name(text).text == name
    assert set(sys.modules) == before


@pytest.mark.parametrize("text", ["", "join", "a..b", "a b.c", "a.1b", ":x", "x:", "a:b-c", "os.path.join()"])
def test_what_names_no_object_is_refused(text):
    assert told(lambda: parse_name(text), TargetError) == (
        f"{text!r} names no object\n  write  package.module:Class  or  package.module.Class"
    )


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (int, "builtins:int"),
        (len, "builtins:len"),
        (collections.OrderedDict, "collections:OrderedDict"),
        (Outer.Inner, f"{__name__}:Outer.Inner"),
        (Outer.Inner.method, f"{__name__}:Outer.Inner.method"),
        (Outer.Inner.make, f"{__name__}:Outer.Inner.make"),
        (Child.make, f"{__name__}:Child.make"),
        (dict.fromkeys, "builtins:dict.fromkeys"),
        (str.upper, "builtins:str.upper"),
    ],
)
def test_an_object_has_a_name_under_which_it_is_found_again(thing, name):
    found = name_of(thing)
    assert found is not None
    assert found.text == name
    assert resolve(parse_name(name)) == thing


@pytest.mark.parametrize("thing", [lambda: 0, functools.partial(int), "a".upper, sys, 3, type("Local", (), {})])
def test_what_cannot_be_found_again_has_no_name(thing):
    assert name_of(thing) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "no_such.thing",
            "cannot import no_such.thing: no module named 'no_such'\n  the command looks in the project's root and "
            "in --path DIR\n  in Python, sys.path is yours to set",
        ),
        ("os.path.joinn", "cannot import os.path.joinn: posixpath has no 'joinn'\n  did you mean  join?"),
        ("collections.OrderedDict.movee", "cannot import collections.OrderedDict.movee: OrderedDict has no 'movee'"),
    ],
)
def test_what_cannot_be_imported_says_where_the_way_ends(text, problem):
    assert told(lambda: resolve(parse_name(text)), TargetError).startswith(problem)


def test_a_module_deeper_than_its_package_imports_is_found():
    code = (
        "from callsheet import build, lazy\n"
        "print(build(lazy('xml.dom.minidom.parseString')('<a/>')).documentElement.tagName)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "a\n"


def test_an_import_error_inside_a_module_is_its_own(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import a_thing_that_is_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert told(lambda: resolve(parse_name("needs_more.thing")), ModuleNotFoundError) == (
        "No module named 'a_thing_that_is_not_there'"
    )


def test_a_name_is_pickled_without_what_it_names():
    name = name_of(collections.OrderedDict)
    again = pickle.loads(pickle.dumps(name))
    assert again == name
    assert hash(again) == hash(name)
    assert type(again) is Name
    assert b"OrderedDict" in pickle.dumps(name)
