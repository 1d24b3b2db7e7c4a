"""Bad input gets one clear error, with file and line, and nothing is half done."""

import json
import os
import re

import pytest

from callsheet import build, from_data, load
from callsheet.errors import CallsheetError, CycleError, DepthError, LoadError


def message(path, kind=LoadError):
    with pytest.raises(kind) as caught:
        load(path)
    return str(caught.value)


# --- any file ---------------------------------------------------------------------------------------------------------


def test_a_missing_file_names_the_nearest(project):
    project("conf.py", "")
    assert message("cnof.py") == "there is no file cnof.py\n  did you mean  conf.py?"
    assert message("no/such.json") == "there is no file no/such.json"


def test_a_directory(project):
    project("conf.py/x", "")
    assert message("conf.py") == "conf.py is a directory"


@pytest.mark.parametrize("name", ["conf.pickle", "conf"])
def test_a_suffix_that_is_not_known(project, name):
    project(name, "")
    assert (
        message(name)
        == f"{name} ends in {os.path.splitext(name)[1] or 'nothing'}: a config is a .py, .json, .toml, .yaml or .yml file"
    )


@pytest.mark.parametrize("name", ["conf.py", "conf.json"])
def test_binary_rubbish(project, tmp_path, name):
    (tmp_path / name).write_bytes(bytes(range(256)) * 4)
    assert "is not text: " in message(name)
    assert name in message(name)
    (tmp_path / name).write_bytes(b"a = 1\nb = '\xff'\n")
    assert "is not text: 'utf-8' codec can't decode byte 0xff in position 11" in message(name)
    assert name in message(name)


@pytest.mark.parametrize("coding", ["", "# coding: utf-8\n"])
def test_a_byte_order_mark_is_no_part_of_a_config(project, tmp_path, coding):
    (tmp_path / "conf.py").write_bytes(f"{coding}a = 'ä'\n".encode("utf-8-sig"))
    assert load("conf.py") == {"a": "ä"}
    (tmp_path / "conf.py").write_bytes(coding.encode("utf-8-sig") + b"\nb = '\xff'\n")
    assert f"conf.py:{2 + bool(coding)}" in message("conf.py")


# --- Python -----------------------------------------------------------------------------------------------------------


def test_a_syntax_error_shows_the_line_and_the_column(project):
    project("conf.py", "a = 1\nb = {\n    'c': 1 1,\n}\n")
    assert message("conf.py") == (
        "conf.py:3  is not valid Python: invalid syntax. Perhaps you forgot a comma?\n"
        "           'c': 1 1,\n"
        "                ^"
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "return 1\n",
        "a = 1\nyield a\n",
        "def f():\n    from .x import *\n",
        "a = 1\n  b = 2\n",
        "# coding: nonsense\n",
        "break\n",
    ],
)
def test_whatever_python_refuses_is_one_error_with_its_line(project, text):
    project("conf.py", text)
    if "x import" in text:
        project("x.py", "")
    assert re.match(r"conf.py:\d  is not valid Python: ", message("conf.py"))


def test_a_syntax_error_in_a_file_that_is_taken_from_names_that_file(project):
    project("base.py", "a = = 1\n")
    project("conf.py", "from .base import a\n")
    assert message("conf.py").split("\n")[0] == "base.py:1  is not valid Python: invalid syntax"


def test_a_source_nested_too_deeply(project):
    project("conf.py", "a = " + "[" * 5000 + "]" * 5000)
    assert "conf.py" in message("conf.py")
    project("conf.py", "a = " + "-" * 100_000 + "1")
    assert "conf.py" in message("conf.py")


def test_data_that_python_nests_too_deeply_is_one_named_error(project):
    project("conf.py", "a = []\nfor _ in range(5000):\n    a = [a]\nb = a\n")
    assert "is nested more than 1000 levels deep" in message("conf.py", DepthError)


def test_a_dict_that_holds_itself(project):
    project("conf.py", "a = {}\nhold = [a]\na['me'] = hold\n")
    with pytest.raises(CallsheetError) as caught:
        build(load("conf.py"))
    assert str(caught.value).startswith("a.me[0]  leads back to a, which holds it\n")
    project("conf.py", "def f():\n    a = {}\n    a['me'] = a\n    return a\nb = f()\n")
    assert "leads back to" in message("conf.py", CycleError)


def test_what_a_config_raises_is_the_users_own_and_points_at_the_line(project):
    project("base.py", "def boom():\n    raise KeyError('mine')\nboom()\n")
    project("conf.py", "a = 1\nfrom .base import b\n")
    with pytest.raises(KeyError) as caught:
        load("conf.py")
    assert caught.value.args == ("mine",)
    places = [(frame.path.name, frame.lineno + 1) for frame in caught.traceback]
    assert ("conf.py", 2) in places
    assert places[-2:] == [("base.py", 3), ("base.py", 2)]


def test_a_failed_load_does_not_disturb_the_next(project):
    project("base.py", "import flag\nif flag.bad:\n    raise ValueError\nb = 1\n")
    project("flag.py", "bad = True\n")
    project("conf.py", "from .base import b\n")
    with pytest.raises(ValueError):
        load("conf.py")
    import flag

    flag.bad = False
    assert load("conf.py").b == 1


def test_a_target_that_cannot_be_imported_names_its_line_at_build(project):
    project("conf.py", "from callsheet import lazy\nmain = lazy('not_there.Net')()\n")
    with pytest.raises(CallsheetError) as caught:
        build(load("conf.py"))
    assert str(caught.value).split("\n")[0].split() == [
        "main",
        "cannot",
        "import",
        "not_there.Net:",
        "no",
        "module",
        "named",
        "'not_there'",
        "conf.py:2",
    ]


def test_an_exception_in_a_constructor_keeps_its_type_and_says_where(project):
    project(
        "conf.py", "from callsheet import lazy\ndef boom(x): raise OSError(x)\nmain = {'a': [\n    lazy(boom)(x=5)]}\n"
    )
    with pytest.raises(OSError) as caught:
        build(load("conf.py"))
    assert caught.value.args == (5,)
    assert caught.value.__notes__ == ["while building main.a[0], written at conf.py:4\n    lazy(boom)(x=5)"]


# --- JSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,\n "b": }\n', 'x.json:2  is not valid JSON: Expecting value\n          "b": }'),
        ("", "x.json:1  is not valid JSON: Expecting value"),
        ('{"a": 1}\n{"b": 2}\n', 'x.json:2  is not valid JSON: Extra data\n          {"b": 2}'),
        ('{"a": 1,\n "b": {"c": 1,\n  "c": 2}}\n', "x.json:3  has the key 'c' twice"),
        ('{"a": 1,\n "\\u0061": 2}\n', "x.json:2  has the key 'a' twice"),
    ],
)  # fmt: skip
def test_invalid_json_names_the_line(project, text, expected):
    project("x.json", text)
    assert message("x.json") == expected


def test_a_key_twice_is_found_although_it_stands_elsewhere_too(project):
    project("x.json", '{"c": 0,\n "a": {"c": 1},\n "b": {"d": 1,\n  "d": 2}, "d": 3}\n')
    assert message("x.json") == "x.json:4  has the key 'd' twice"


def test_five_thousand_levels_of_json(project):
    for opening, closing in ("[", "]"), ('{"a":', "}"), ('{"_target_": "a:b", "x":', "}"):
        project("x.json", opening * 5000 + "1" + closing * 5000)
        assert "x.json" in message("x.json", DepthError)
        assert "nested" in message("x.json", DepthError)


def test_numbers_that_only_python_writes_are_read():
    assert str(from_data(json.loads("[NaN, Infinity, -Infinity]"))) == "[nan, inf, -inf]"


def test_a_huge_number_is_one_error(project):
    project("x.json", '{"a": ' + "9" * 5000 + "}")
    assert message("x.json") == "x.json:1  holds a number of 5,000 digits, and 4,300 are allowed"


def test_a_node_that_holds_itself_by_its_place(project):
    project("x.json", '{"a": {"_target_": "m:f", "x": {"_same_": "a"}}}')
    with pytest.raises(CallsheetError) as caught:
        build(load("x.json"))
    assert str(caught.value).startswith("a.x  leads back to a, which holds it\n")
